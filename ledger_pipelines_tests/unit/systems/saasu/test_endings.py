"""What each of Saasu's sentences means for a record (saasu.md 8.2), in both shapes, and what answers without words mean."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Ending,
    Exists,
    NotSent,
    Refused,
    Unknown,
)
from ledger_pipelines.errors import TransientError
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.saasu.endings import created, refused_words
from ledger_pipelines.systems.saasu.writer import SaasuWriter
from ledger_pipelines_tests.faults.engine_target import START, FakeClock
from ledger_pipelines_tests.unit.systems.saasu.desk import effect_of, invoice_body
from ledger_pipelines_tests.unit.systems.saasu.fake import fake_client

FEATURE = "Your subscription does not include item layout."
SENTENCES = {
    "Unable to complete the requested operation as it will cause negative stock-on-hand for TEA-EB-100.": "negative-stock",
    "The Item is marked as 'Sold' and therefore needs to have an Income Account assigned to it.": "saasu-refused",
    "Please select at least one item for the combo item.": "saasu-refused",
    "One or more line items of the Combo Item was not found. Please make sure correct items are selected.": "saasu-refused",
    "The specified inventory item is referenced by some Transactions and therefore cannot be deleted.": "saasu-refused",
    "Please include a valid currency": "saasu-refused",
    "Invalid transaction type or layout. Valid transaction type is either 'S' or 'P'.": "saasu-refused",
    "Incorrect transaction type. Use 'SP' for Sale Payment and 'PP' for purchase payment.": "saasu-refused",
    "The referenced Bank Account does not exist.": "no-bank-account",
    "The payment amount exceeds the amount owed.": "overpayment",
    "The payments applied exceed the total of the transaction.": "overpayment",
    "A payment cannot be applied to a quote.": "saasu-refused",
    "Sorry, conversion from invoice to non invoice such as order or quote is not allowed.": "no-conversion",
    "Sorry, FX rate cannot be changed because there are payments applied to the transaction already.": "saasu-refused",
    "Unable to find the requested  template.": "saasu-refused",
    "The custom field 1 must not exceed 50 characters.": "saasu-refused",
    "The date 2026-09-14 is in a locked period (locked until 2026-09-30).": "locked-period",
    "Transactions before the lock date cannot be changed.": "locked-period",
    "The transaction has payments applied and therefore cannot be deleted.": "saasu-refused",
}
TAKEN = (
    "You already have an item with code 'TEA-EB-100'.",
    "The invoice number 'N104512' is already used.",
    "Duplicate invoice number.",
    "An invoice with this number already exists.",
)


@pytest.mark.parametrize("action", list(Action)[:3])
@pytest.mark.parametrize(("text", "code"), list(SENTENCES.items()))
def test_a_sentence_refuses_under_its_code_in_saasus_words_whatever_the_case(
    text: str, code: str, action: Action
) -> None:
    for told in (text, text.upper(), text.lower()):
        assert refused_words(told, 400, action) == Refused(code, told)


@pytest.mark.parametrize("text", TAKEN)
def test_what_is_taken_is_evidence_for_a_new_record_and_a_no_for_an_old_one(text: str) -> None:
    assert refused_words(text, 400, Action.CREATE) == Exists(text)
    assert refused_words(text, 400, Action.UPDATE) == Refused("already-used", text)


def test_a_stale_record_is_read_again() -> None:
    ending = refused_words("Record to be updated has changed since last read.", 400, Action.UPDATE)
    assert isinstance(ending, NotSent)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("The requested transaction is not found.", 404),
        ("The requested item is not found. Id: 9", 400),
        ("Nothing.", 404),
    ],
)
def test_what_is_gone_is_said_so(text: str, status: int) -> None:
    assert refused_words(text, status, Action.UPDATE) == Refused("gone", text)
    assert refused_words(text, status, Action.VOID) == Refused("gone", text)
    assert refused_words(text, status, Action.CREATE) == Refused("not-found", text)


def sent(folder: Path, answer: httpx.Response, clock: FakeClock | None = None) -> Ending:
    with fake_client(lambda request: answer, folder, clock) as client:
        [ending] = SaasuWriter(client).send([prepare(effect_of("invoice", "N1", invoice_body("N1")), {})])
    return ending


THROTTLED = "You have exceeded the number of requests allowed."


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(400, text="Please include a valid currency"), Refused("saasu-refused", "Please include a valid currency")),
        (httpx.Response(400, json="Please include it"), Refused("saasu-refused", "Please include it")),
        (httpx.Response(400, text="No account.\r\nParameter name: SaleUid\r\n"), Refused("saasu-refused", "No account.")),
        (httpx.Response(400, json={"Message": "The request is invalid."}), Refused("saasu-refused", "The request is invalid.")),
        (httpx.Response(400), Refused("saasu-refused", "HTTP 400")),
        (httpx.Response(405, json="Not that way."), Refused("saasu-refused", "Not that way.")),
    ],
)  # fmt: skip
def test_words_are_taken_out_of_either_shape(
    tmp_path: Path, answer: httpx.Response, expected: Ending
) -> None:
    assert sent(tmp_path, answer) == expected


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401, json="Authorization has been denied."), CredentialsRefused),
        (httpx.Response(429), NotSent),
        (httpx.Response(403, text=THROTTLED), NotSent),
        (httpx.Response(403), NotSent),
        (httpx.Response(403, text=FEATURE), Refused),
        (httpx.Response(503, text=THROTTLED), NotSent),
        (httpx.Response(503, text="Service unavailable"), Unknown),
        (httpx.Response(500, json="An error has occurred."), Unknown),
        (httpx.Response(502, html="<html>bad gateway</html>"), Unknown),
        (httpx.Response(200, html="<html>please wait</html>"), Unknown),
        (httpx.Response(403, html="<html>no</html>"), Unknown),
        (httpx.Response(302, headers={"Location": "/"}), Unknown),
        (httpx.Response(200, text="Ok"), Unknown),
        (httpx.Response(200, text='{"InsertedEntityId": 5717'), Unknown),
        (httpx.Response(200, json={"InsertedContactId": 7, "LastUpdatedId": "A"}), Unknown),
        (httpx.Response(200, json={"InsertedEntityId": None}), Unknown),
        (httpx.Response(200, json=[1]), Unknown),
        (httpx.Response(200, json={"InsertedEntityId": 57174001}), Confirmed),
        (httpx.Response(201, json={"InsertedEntityId": "57174001"}), Confirmed),
    ],
)
def test_each_answer_has_one_meaning(tmp_path: Path, answer: httpx.Response, kind: type[Ending]) -> None:
    assert type(sent(tmp_path, answer)) is kind


def test_a_missing_feature_of_the_plan_is_no_throttle(tmp_path: Path) -> None:
    ending = sent(tmp_path, httpx.Response(403, text=FEATURE))
    assert isinstance(ending, Refused)
    assert ending.code == "feature-missing"
    assert FEATURE in ending.text


def test_the_wait_saasu_asks_for_is_passed_on(tmp_path: Path) -> None:
    ending = sent(tmp_path, httpx.Response(429, headers={"Retry-After": "7"}))
    assert isinstance(ending, NotSent)
    assert ending.retry_after == 7


def test_a_throttled_answer_parks_the_file_for_ten_seconds_and_two_in_a_row_for_an_hour(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    answers: list[int] = [429, 200, 429, 429]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(answers.pop(0), json={"TaxCodes": []})

    def refusal() -> TransientError:
        with pytest.raises(TransientError) as refused:
            client.get("/TaxCodes")
        return refused.value

    with fake_client(answer, tmp_path, clock) as client:
        assert refusal().retry_after == 10
        clock.pass_time(10)
        assert client.get("/TaxCodes") == {"TaxCodes": []}
        assert client.spent().blocked_until is None
        refusal()
        clock.pass_time(10)
        parked = refusal()
        assert parked.code == "throttled"
        assert parked.retry_after == 3600
        assert "left alone until" in parked.remedy
    with fake_client(answer, tmp_path, clock) as client:  # another process of the same file
        [ending] = SaasuWriter(client).send([prepare(effect_of("invoice", "N1", invoice_body("N1")), {})])
        assert isinstance(ending, NotSent)
        assert ending.retry_after == 3600
        assert len(asked) == 4, "nothing is called while the file is parked"
        clock.pass_time(3601)
        answers.append(200)
        assert client.get("/TaxCodes") == {"TaxCodes": []}


def test_throttled_answers_in_a_row_count_whichever_process_is_told(tmp_path: Path) -> None:
    """A read that is throttled ends its process: the next one, of a schedule say, must not begin anew."""
    clock = FakeClock()
    answers = [429, 429, 429, 200, 429, 200]

    def told() -> str:
        with fake_client(
            lambda _: httpx.Response(answers.pop(0), json={"TaxCodes": []}), tmp_path, clock
        ) as client:
            try:
                client.get("/TaxCodes")
            except TransientError as error:
                return error.code
            return "answered"

    assert [told(), told()] == ["throttled", "blocked"]
    clock.pass_time(10)
    assert [told(), told()] == ["throttled", "blocked"]
    clock.pass_time(3599)
    assert told() == "blocked", "parked for an hour by the second"
    clock.pass_time(2)
    assert [told(), told()] == ["throttled", "blocked"], "one call finds out whether it is over"
    clock.pass_time(3601)
    assert [told(), told()] == ["answered", "throttled"]
    clock.pass_time(10)
    assert told() == "answered", "the count began anew"


def test_a_wait_that_saasu_names_is_everyones(tmp_path: Path) -> None:
    clock = FakeClock()
    sent(tmp_path, httpx.Response(429, headers={"Retry-After": "7"}), clock)
    with fake_client(lambda _: httpx.Response(200, json={}), tmp_path, clock) as client:
        with pytest.raises(TransientError) as refused:
            client.get("/TaxCodes")
        assert (refused.value.code, refused.value.retry_after) == ("blocked", 7)
        clock.pass_time(7)
        assert client.get("/TaxCodes") == {}


def test_a_spent_quota_is_a_definite_no_until_tomorrow(tmp_path: Path) -> None:
    clock = FakeClock()
    told = httpx.Response(200, json={"InsertedEntityId": 1})
    with fake_client(lambda request: told, tmp_path, clock, calls_per_day=1) as client:
        effect = prepare(effect_of("invoice", "N1", invoice_body("N1")), {})
        writer = SaasuWriter(client)
        [first], [second] = writer.send([effect]), writer.send([effect])
    assert isinstance(first, Confirmed)
    assert isinstance(second, NotSent)
    assert second.retry_after is not None
    assert second.retry_after > 3600
    assert "1 calls" in second.text


def test_the_answers_body_is_never_shown_with_the_access_key(tmp_path: Path) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, text=json.dumps({"Message": f"bad {request.url}"}))

    with fake_client(echo, tmp_path) as client:
        [ending] = SaasuWriter(client).send([prepare(effect_of("invoice", "N1", invoice_body("N1")), {})])
    assert isinstance(ending, Refused)
    assert "canary" not in ending.text


@pytest.mark.parametrize("told", [0, "0", "٩٠٠", True, None])
def test_what_is_no_id_of_a_record_confirms_nothing(told: object) -> None:
    answer = Answer(
        200, httpx.Headers(), json.dumps({"InsertedEntityId": told}).encode(), "POST", "/Invoice", START
    )
    assert isinstance(created(answer, "invoice", "N1", "N1"), Unknown)
