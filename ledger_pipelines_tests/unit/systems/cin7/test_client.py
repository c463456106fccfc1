"""Every call: login, address, explicit order, the bare 429, limits shared by processes, answers that are none."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.errors import CredentialError, TransientError, UnknownOutcomeError
from ledger_pipelines.systems.cin7.client import Asked, Cin7Client, Cin7RefusedError, one_of, quoted
from ledger_pipelines_tests.faults.engine_target import START, FakeClock
from ledger_pipelines_tests.unit.systems.cin7.fake import KEY, fake_client

PATH = "/v1/SalesOrders"
TOO_MANY = '"API calls quota exceeded! maximum admitted 3 per Second."'


class Answers:
    """Answers one after the other, the last one for ever."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        found = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)


def throttled(text: str = TOO_MANY, **headers: str) -> httpx.Response:
    return httpx.Response(429, text=text, headers=headers)


def test_a_list_is_asked_for_with_login_size_order_and_condition(tmp_path: Path) -> None:
    seen = Answers(httpx.Response(200, json=[{"Id": 1, "LineItems": []}]))
    with fake_client(seen, tmp_path) as client:
        asked = Asked("modifiedDate>='2026-03-01T00:00:00Z'", "modifiedDate ASC")
        assert client.page(PATH, asked) == ({"id": 1, "lineItems": []},)
    [request] = seen.asked
    assert str(request.url) == (
        "https://api.cin7.com/api/v1/SalesOrders?page=1&rows=250&order=modifiedDate%20ASC"
        "&where=modifiedDate%3E%3D%272026-03-01T00%3A00%3A00Z%27"
    )
    assert (
        request.headers["Authorization"] == "Basic " + base64.b64encode(f"api-user:{KEY}".encode()).decode()
    )


def test_texts_in_conditions_are_quoted_and_numbers_are_not() -> None:
    assert quoted("O'Neil") == "'O''Neil'"
    assert one_of("reference", ["A", "B's"]) == "reference IN ('A','B''s')"
    assert one_of("id", [1, 2]) == "id IN (1,2)"


def test_writes_are_always_lists_on_a_connection_of_their_own(tmp_path: Path) -> None:
    seen = Answers(httpx.Response(200, json=[]))
    with fake_client(seen, tmp_path) as client:
        client.write("PUT", PATH, [{"id": 1}])
    assert (seen.asked[0].method, seen.asked[0].content) == ("PUT", b'[{"id":1}]')


# --- throttling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "waited"),
    [
        (throttled(**{"Retry-After": "7"}), 7),
        (throttled(), 1),
        (throttled('"maximum admitted 60 per Minute."'), 60),
        (throttled('{"message": "slow down"}'), 60),
        (throttled(""), 60),
    ],
)
def test_a_read_waits_as_long_as_it_is_told_and_is_made_again(
    tmp_path: Path, answer: httpx.Response, waited: int
) -> None:
    clock = FakeClock()
    seen = Answers(answer, httpx.Response(200, json=[]))
    with fake_client(seen, tmp_path, clock) as client:
        assert client.page(PATH, Asked()) == ()
    assert clock.slept == [waited]
    assert len(seen.asked) == 2


def test_a_long_wait_parks_the_account_for_all_its_processes_with_the_time_said(tmp_path: Path) -> None:
    clock = FakeClock()
    seen = Answers(throttled('"maximum admitted 5000 per Day."', **{"Retry-After": "7200"}))
    with (
        fake_client(seen, tmp_path, clock) as client,
        pytest.raises(TransientError, match="14:00 UTC") as told,
    ):
        client.page(PATH, Asked())
    assert told.value.retry_after == 7200
    assert clock.slept == []
    with fake_client(seen, tmp_path, clock) as other:
        for call in (lambda: other.page(PATH, Asked()), lambda: other.write("POST", PATH, [{}])):
            with pytest.raises(TransientError, match="blocked by the vendor until 2026-03-01 14:00") as held:
                call()
            assert held.value.retry_after == 7200
        assert len(seen.asked) == 1
        clock.pass_time(7200)
        seen.answers = [httpx.Response(200, json=[])]
        assert other.page(PATH, Asked()) == ()


def test_what_counts_as_a_long_wait_is_a_setting(tmp_path: Path) -> None:
    seen = Answers(throttled(**{"Retry-After": "90"}))
    with fake_client(seen, tmp_path, longest_wait=60) as client, pytest.raises(TransientError):
        client.page(PATH, Asked())
    assert client.spent().blocked_until == START + timedelta(seconds=90)


def test_a_write_that_is_throttled_is_not_made_again(tmp_path: Path) -> None:
    seen = Answers(throttled(**{"Retry-After": "2"}))
    with fake_client(seen, tmp_path) as client:
        assert client.write("POST", PATH, [{}]).status == 429
    assert len(seen.asked) == 1


# --- our own limits --------------------------------------------------------------------------------------------------


def test_no_second_and_no_minute_holds_more_calls_than_allowed_whoever_makes_them(tmp_path: Path) -> None:
    clock = FakeClock()
    made: list[float] = []

    def note(_: httpx.Request) -> httpx.Response:
        made.append((clock.now() - START).total_seconds())
        return httpx.Response(200, json=[])

    limits = {"seconds_between_calls": 0.35, "calls_per_minute": 60}
    with (
        fake_client(note, tmp_path, clock, **limits) as one,
        fake_client(note, tmp_path, clock, **limits) as other,
    ):
        for number in range(150):
            (one, other)[number % 2].page(PATH, Asked())
    for span, most in ((1, 3), (60, 60)):
        assert max(sum(at <= later < at + span for later in made) for at in made) <= most
    assert made[-1] < 190


def test_connections_of_one_account_share_its_day(tmp_path: Path) -> None:
    seen = Answers(httpx.Response(200, json=[]))
    shared = {"calls_per_day": 3, "account": "Harbour Tea"}
    with fake_client(seen, tmp_path, **shared) as one, fake_client(seen, tmp_path, **shared) as other:
        one.page(PATH, Asked())
        other.page(PATH, Asked())
        one.write("POST", PATH, [{}])
        with pytest.raises(TransientError, match="Harbour Tea has used its 3 calls") as spent:
            other.page(PATH, Asked())
    assert spent.value.code == "quota-spent"
    assert len(seen.asked) == 3


# --- refusals --------------------------------------------------------------------------------------------------------


def refused(client: Cin7Client) -> Exception:
    with pytest.raises((CredentialError, TransientError, Cin7RefusedError)) as told:
        client.page(PATH, Asked())
    return told.value


def test_refusals_are_told_apart(tmp_path: Path) -> None:
    def told(answer: httpx.Response) -> Exception:
        with fake_client(Answers(answer), tmp_path) as client:
            return refused(client)

    denied = told(httpx.Response(401, json={"message": "Authorization has been denied for this request."}))
    assert isinstance(denied, CredentialError) and denied.code == "credentials"
    module = told(httpx.Response(403, json={"message": "no"}))
    assert isinstance(module, CredentialError) and "may not READ SalesOrders" in str(module)
    where = told(httpx.Response(400, json={"message": "Unknown field"}))
    assert isinstance(where, Cin7RefusedError) and where.text == "Unknown field"
    shaped = told(httpx.Response(200, json={"Message": "Unknown field"}))
    assert isinstance(shaped, Cin7RefusedError) and shaped.text == "Unknown field"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"message": "An error has occurred."}),
        httpx.Response(503, text=""),
        httpx.Response(200, text="<html>gateway</html>"),
        httpx.Response(200, text='[{"id": 1'),
        httpx.Response(200, text='"what?"'),
    ],
)
def test_an_answer_that_is_none_is_asked_for_again_and_then_said(
    tmp_path: Path, answer: httpx.Response
) -> None:
    bad = Answers(answer)
    with fake_client(bad, tmp_path) as client:
        error = refused(client)
    assert isinstance(error, TransientError)
    if answer.status_code >= 500 or "html" in answer.text:
        assert len(bad.asked) == 3
        once = Answers(answer, httpx.Response(200, json=[]))
        with fake_client(once, tmp_path) as client:
            assert client.page(PATH, Asked()) == ()


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (httpx.Response(404, json={"message": "Not found."}), True),
        (httpx.Response(200, text="null"), True),
        (httpx.Response(200, text=""), True),
        (httpx.Response(200, json={"id": 5}), False),
        (httpx.Response(200, json=[{"id": 5}]), False),
    ],
)
def test_a_record_by_its_id_is_there_or_gone(tmp_path: Path, answer: httpx.Response, gone: bool) -> None:
    seen = Answers(answer)
    with fake_client(seen, tmp_path) as client:
        assert client.record(PATH, "5") == (None if gone else {"id": 5})
        assert [(one.pattern, one.count) for one in client.calls()] == [("/v1/SalesOrders/{id}", 1)]


def test_half_an_answer_of_a_record_is_no_answer(tmp_path: Path) -> None:
    for answer in (httpx.Response(200, text='{"id": 5'), httpx.Response(200, json={"message": "odd"})):
        with fake_client(Answers(answer), tmp_path) as client, pytest.raises(TransientError):
            client.record(PATH, "5")


def test_the_key_is_in_no_text(tmp_path: Path) -> None:
    login = base64.b64encode(f"api-user:{KEY}".encode()).decode()

    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"sent {request.headers['Authorization']} for {KEY}")

    with fake_client(cut, tmp_path) as client:
        for call in (lambda: client.page(PATH, Asked()), lambda: client.write("POST", PATH, [{}])):
            with pytest.raises((TransientError, UnknownOutcomeError)) as told:
                call()
            assert "canary" not in str(told.value)
            assert login not in str(told.value)
            assert login[:10] not in str(told.value), "the user's half of it either"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_another_address_is_not_followed_and_is_no_refusal_for_good(status: int, tmp_path: Path) -> None:
    seen = Answers(httpx.Response(status, headers={"Location": "https://elsewhere.example/"}))
    with fake_client(seen, tmp_path) as client, pytest.raises(TransientError, match="not followed"):
        client.page(PATH, Asked())
    assert {request.url.host for request in seen.asked} == {"api.cin7.com"}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'["caf\xe9"]', b"[1e99999999999999999999]"])
def test_json_that_cannot_be_read_is_refused_by_name_and_is_no_traceback(body: bytes, tmp_path: Path) -> None:
    seen = Answers(httpx.Response(200, content=body))
    with fake_client(seen, tmp_path) as client, pytest.raises(TransientError, match="cut or no JSON") as told:
        client.page(PATH, Asked())
    assert told.value.remedy


@pytest.mark.parametrize("body", [b"false", b"0"])
def test_a_flag_or_a_number_is_not_taken_for_a_record_that_is_gone(body: bytes, tmp_path: Path) -> None:
    seen = Answers(httpx.Response(200, content=body))
    with fake_client(seen, tmp_path) as client, pytest.raises(TransientError, match="no record"):
        client.record(PATH, "7")
