"""Answers that are not the store's own: what came, of which call, and what to do; for reads and for writes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from ledger_pipelines.documents.effects import Unknown
from ledger_pipelines.errors import TransientError
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.neto.client import KeyCredentials, NetoClient, NetoConnection
from ledger_pipelines.systems.neto.probe import ITEM
from ledger_pipelines.systems.neto.strange import decoded, strange
from ledger_pipelines.systems.neto.writer import NetoWriter
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.neto.store import Store
from ledger_pipelines_tests.unit.systems.neto.test_writer_standard import effect_of

KEY = "canary-key-0123456789-0123456789"
PAGE = "<html><head><title>Down &amp; out\n for maintenance</title></head></html>"
SHOP = "https://shop.example"
STRANGE = (
    (httpx.Response(200, html=PAGE), r'a web page titled "Down & out for maintenance" came', "in a browser"),
    (httpx.Response(200, html="<html>hello</html>"), "a web page came in place of an answer", "in a browser"),
    (httpx.Response(200, text=PAGE), "a web page titled", "in a browser"),
    (httpx.Response(503, html=PAGE), r"a web page titled .*\(HTTP 503\)", "in a browser"),
    (httpx.Response(200, text='{"Order": [{"OrderID": "N1'), "cut short: .* after 26 bytes", "orders_a_page"),
    (httpx.Response(200, text=""), "an empty answer came", "run again later"),
    (httpx.Response(200, text="Bad gateway, sorry"), "no JSON came, beginning with 'Bad gateway, sorry'", "run again"),
    (httpx.Response(200, json={"Order": []}), "it has no Ack", "run again"),
)  # fmt: skip


def _client(answer: httpx.Response) -> tuple[NetoClient, list[str]]:
    """A client of a store that always answers so, and the actions it was asked."""
    asked: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["NETOAPI_ACTION"])
        return answer

    connection = NetoConnection("shop", SHOP, KeyCredentials(Secret(KEY)), ZoneInfo("UTC"))
    return NetoClient(connection, clock=FakeClock(), transport=httpx.MockTransport(reply)), asked


@pytest.mark.parametrize(("answer", "came", "remedy"), STRANGE)
def test_a_read_says_what_came_of_which_call_and_what_to_do(
    answer: httpx.Response, came: str, remedy: str
) -> None:
    client, asked = _client(answer)
    with client, pytest.raises(TransientError, match=came) as ended:
        client.read("GetOrder", {})
    assert ended.value.message.startswith("Neto connection 'shop', GetOrder: ")
    assert ended.value.message.endswith(f"(HTTP {answer.status_code}). Gave up after {len(asked)} attempts.")
    assert remedy in ended.value.remedy
    assert len(asked) > 1


@pytest.mark.parametrize(("answer", "came"), [one[:2] for one in STRANGE])
def test_a_write_is_made_once_is_in_doubt_and_says_what_came(answer: httpx.Response, came: str) -> None:
    client, asked = _client(answer)
    with client:
        writer = NetoWriter(client, timedelta(minutes=5))
        (ending,) = writer.send([prepare(effect_of(ITEM, "CAP", {"SKU": "CAP"}), {}, 1)])
    assert isinstance(ending, Unknown)
    assert ending.text.startswith("AddItem: ")
    assert re.search(came, ending.text)
    assert asked == ["AddItem"]


def test_an_answer_that_the_line_cuts_names_the_call_too(bare: Store) -> None:
    bare.fault("truncated_body")
    with pytest.raises(TransientError, match=r"GetPaymentMethods of connection 'shop'.*attempts"):
        bare.client.read("GetPaymentMethods", {})


def test_a_page_that_repeats_the_key_does_not_show_it() -> None:
    client, _ = _client(httpx.Response(200, html=f"<html><title>Denied: {KEY}</title></html>"))
    with client, pytest.raises(TransientError, match="Denied") as ended:
        client.read("GetOrder", {})
    assert KEY not in str(ended.value)


def test_another_status_is_not_asked_for_again() -> None:
    client, asked = _client(httpx.Response(404, text="not here"))
    with client, pytest.raises(TransientError, match=r"'not here' \(HTTP 404\)"):
        client.read("GetOrder", {})
    assert asked == ["GetOrder"]


@pytest.mark.parametrize("ack", [None, "Partial", "", 1, ["Success"]])
def test_an_ack_that_is_none_of_netos_words_is_no_success(ack: object) -> None:
    assert decoded(_of(json.dumps({"Ack": ack, "Order": []}).encode())) is None


@pytest.mark.parametrize("ack", ["Success", "warning", "ERROR"])
def test_netos_three_words_count_in_any_case(ack: str) -> None:
    assert decoded(_of(json.dumps({"Ack": ack}).encode())) is not None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"Ack":"Success","Order":[', "cut short"),
        (b'{"Ack":NaN}', "cannot be read"),
        (b'{"Ack":"caf\xe9"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_only_half_an_answer_is_called_cut_short(body: bytes, words: str) -> None:
    assert words in strange(_of(body)).text


def _of(body: bytes) -> Answer:
    return Answer(200, httpx.Headers(), body, "POST", "GetOrder", datetime(2026, 9, 20, tzinfo=UTC))
