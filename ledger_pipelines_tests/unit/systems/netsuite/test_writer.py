"""Every ending of a write, and how many calls it takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Ending,
    Exists,
    Expected,
    NotSent,
    Prepared,
    Refused,
    Remote,
    Unknown,
    Writer,
)
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import CredentialError, TransientError, UnknownOutcomeError
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter
from ledger_pipelines_tests.unit.systems.netsuite.fake import (
    BASE,
    SUITEQL,
    FakeClock,
    FakeNetSuite,
    asked_ids,
    created,
    effect,
    page,
    prepared,
    problem,
)

PAYMENTS = "POST /services/rest/record/v1/customerPayment"
JOB = "/services/rest/async/v1/job/77"


def send(fake: FakeNetSuite, *batch: Prepared, **more: Any) -> Sequence[Ending]:
    return NetSuiteWriter(fake.client(**more)).send(batch)


def ending(answer: Any) -> Ending:
    fake = FakeNetSuite().on(PAYMENTS, answer)
    [one] = send(fake, prepared())
    assert len(fake.asked) == 1, "a write is never retried"
    return one


def test_the_writer_is_a_writer() -> None:
    writer: Writer = NetSuiteWriter(FakeNetSuite().client())
    assert writer.batch_size == 1000
    assert writer.workers == 2
    assert writer.settle_window.total_seconds() == 16 * 60


def test_a_single_record_is_one_synchronous_post_with_its_external_id() -> None:
    fake = FakeNetSuite().on(PAYMENTS, created("customerpayment", "900"))
    assert send(fake, prepared()) == [Confirmed(Remote("900", "AZS-18834420011-1"))]
    [asked] = fake.asked
    assert asked.body == {
        "payment": Decimal("100.00"),
        "customer": {"id": "311"},
        "externalId": "AZS-18834420011-1",
    }
    assert asked.headers["x-netsuite-propertynamevalidation"] == "error"
    assert "prefer" not in asked.headers


def test_amounts_travel_as_exact_json_numbers() -> None:
    raw: list[bytes] = []

    def keep(request: httpx.Request) -> httpx.Response:
        raw.append(request.content)
        return created("customerPayment", "1")

    send(FakeNetSuite().on(PAYMENTS, keep), prepared(body=canonical({"payment": Decimal("144.10")})))
    assert b'"payment":144.10' in raw[0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ConnectError("refused"), NotSent),
        (httpx.ConnectTimeout("slow"), NotSent),
        (httpx.PoolTimeout("busy"), NotSent),
        (httpx.ReadTimeout("slow"), Unknown),
        (httpx.ReadError("reset"), Unknown),
        (httpx.WriteError("reset"), Unknown),
        (httpx.RemoteProtocolError("short body"), Unknown),
        (problem(429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded."), NotSent),
        (problem(400, "SSS_REQUEST_LIMIT_EXCEEDED", "Request limit exceeded."), NotSent),
        (problem(401, "INVALID_LOGIN", "Invalid login attempt."), CredentialsRefused),
        (
            problem(403, "INSUFFICIENT_PERMISSION", "Permission Violation: Customer Payment."),
            CredentialsRefused,
        ),
        (problem(400, "USER_ERROR", "Error while accessing a resource. This entity already exists."), Exists),
        (problem(400, "USER_ERROR", "You must enter a value for Company Name."), Refused),
        (problem(400, "USER_ERROR", "The posting period is closed."), Refused),
        (problem(404, "NONEXISTENT_ID", "Record does not exist."), Refused),
        (problem(500, "UNEXPECTED_ERROR", "An unexpected error occurred."), Unknown),
        (httpx.Response(502, text="<html>bad gateway</html>"), Unknown),
        (httpx.Response(200, headers={"Content-Type": "text/html"}, text="<html>ok</html>"), Unknown),
        (httpx.Response(400, headers={"Content-Type": "text/html"}, text="<html>no</html>"), Unknown),
        (httpx.Response(400, text="nonsense"), Unknown),
        (httpx.Response(204), Unknown),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/customerPayment/9"}), Unknown),
    ],
    ids=str,
)
def test_each_ending_means_what_the_table_says(answer: Any, kind: type[Ending]) -> None:
    assert isinstance(ending(answer), kind)


def test_a_429_carries_how_long_to_wait() -> None:
    assert ending(httpx.Response(429, headers={"Retry-After": "7"})) == NotSent(
        "The target asks to slow down (HTTP 429).", 7.0
    )


def test_a_refusal_carries_netsuites_own_words() -> None:
    assert ending(problem(400, "INVALID_CONTENT", "Invalid Field Value 9999 for item")) == Refused(
        "INVALID_CONTENT", "Invalid Field Value 9999 for item"
    )


def test_a_transform_goes_alone_to_its_source_and_replaces_lines() -> None:
    fake = FakeNetSuite().on("POST .*/!transform/invoice", created("invoice", "5012"))
    body = canonical({"tranDate": "2026-09-14", "item": {"items": []}})
    one = prepared(kind="invoice", origin="salesOrder/7001", body=body)
    assert NetSuiteWriter(fake.client()).batch_key(one.effect) is None
    assert isinstance(send(fake, one)[0], Confirmed)
    assert fake.paths() == ["POST /services/rest/record/v1/salesOrder/7001/!transform/invoice"]
    assert fake.asked[0].query == "replace=item"
    assert fake.asked[0].body["externalId"] == "AZS-18834420011-1"


def accepted(job: str = JOB) -> httpx.Response:
    return httpx.Response(202, headers={"Location": BASE + job, "Preference-Applied": "respond-async"})


def row(number: str, total: str = "100", currency: str = "USD") -> dict[str, str]:
    return {
        "id": str(900 + int(number[-1])), "externalid": number, "tranid": f"P{number[-1]}", "type": "CustPymt",
        "foreigntotal": total, "used": "40", "day": "2026-09-14", "currency": currency,
    }  # fmt: skip


def test_a_batch_is_one_submission_and_one_look() -> None:
    fake = (
        FakeNetSuite().on(PAYMENTS, accepted()).on(SUITEQL, lambda r: page(*(row(i) for i in asked_ids(r))))
    )
    endings = send(fake, prepared(1), prepared(2), prepared(3))
    assert endings[1] == Confirmed(
        Remote(
            "902",
            "AZS-18834420011-2",
            "P2",
            Money.of("100", "USD"),
            date(2026, 9, 14),
            None,
            Money.of("40", "USD"),
        )
    )
    assert len(fake.asked) == 2
    submit = fake.asked[0]
    assert submit.headers["prefer"] == "respond-async"
    assert submit.headers["content-type"] == "application/vnd.oracle.resource+json; type=collection"
    assert [i["externalId"] for i in submit.body["items"]] == [f"AZS-18834420011-{n}" for n in (1, 2, 3)]


def test_the_idempotency_key_changes_with_the_attempt_and_the_body_only() -> None:
    def key(attempt: int, **more: Any) -> str:
        fake = (
            FakeNetSuite()
            .on(PAYMENTS, accepted())
            .on(SUITEQL, lambda r: page(*(row(i) for i in asked_ids(r))))
        )
        send(fake, prepared(1, attempt, **more), prepared(2, attempt), prepared(3))
        return fake.asked[0].headers["x-netsuite-idempotency-key"]

    assert key(1) == key(1) != key(2)
    assert key(1) != key(1, body=canonical({"payment": 1}))


def test_a_repeated_submission_follows_the_earlier_job() -> None:
    answer = problem(400, "IDEMPOTENCY_ERROR", "Conflict", Location=BASE + JOB)
    fake = FakeNetSuite().on(PAYMENTS, answer).on(SUITEQL, lambda r: page(*(row(i) for i in asked_ids(r))))
    assert all(isinstance(e, Confirmed) for e in send(fake, prepared(1), prepared(2)))


def test_an_ambiguous_submission_leaves_every_record_unknown() -> None:
    for answer in (httpx.ReadTimeout("slow"), httpx.Response(500), httpx.Response(202)):
        fake = FakeNetSuite().on(PAYMENTS, answer)
        assert [type(e) for e in send(fake, prepared(1), prepared(2), prepared(3))] == [Unknown] * 3
        assert len(fake.asked) == 1


def test_a_submission_refused_for_now_leaves_every_record_unsent() -> None:
    fake = FakeNetSuite().on(PAYMENTS, httpx.Response(429, headers={"Retry-After": "3"}))
    assert [e.retry_after for e in send(fake, prepared(1), prepared(2)) if isinstance(e, NotSent)] == [
        3.0,
        3.0,
    ]


def test_one_bad_record_of_a_batch_is_told_apart_with_its_reason() -> None:
    def look(request: httpx.Request) -> httpx.Response:
        return page(*(row(i) for i in asked_ids(request) if not i.endswith("2")))

    tasks = {
        "items": [
            {"id": "10", "completed": True},
            {"id": "9", "completed": True},
            {"id": "11", "completed": True},
        ]
    }
    fake = (
        FakeNetSuite()
        .on(PAYMENTS, accepted())
        .on(SUITEQL, look)
        .on(f"GET {JOB}", httpx.Response(200, json={"completed": True, "progress": "succeeded", "id": "77"}))
        .on(f"GET {JOB}/task", httpx.Response(200, json=tasks))
        .on(
            f"GET {JOB}/task/10/result",
            problem(400, "USER_ERROR", "cannot apply more than your total payments"),
        )
    )
    endings = send(fake, prepared(1), prepared(2), prepared(3))
    assert [type(e) for e in endings] == [Confirmed, Refused, Confirmed]
    assert fake.paths().count(f"GET {JOB}/task/10/result") == 1


def test_a_record_the_search_does_not_show_yet_is_confirmed_by_its_task() -> None:
    tasks = {"items": [{"id": "1", "progress": "succeeded"}, {"id": "2", "progress": "succeeded"}]}
    fake = (
        FakeNetSuite()
        .on(PAYMENTS, accepted())
        .on(SUITEQL, page())
        .on(f"GET {JOB}", httpx.Response(200, json={"completed": True}))
        .on(f"GET {JOB}/task", httpx.Response(200, json=tasks))
        .on(f"GET {JOB}/task/1/result", created("customerPayment", "901"))
        .on(f"GET {JOB}/task/2/result", created("customerPayment", "902"))
    )
    endings = send(fake, prepared(1), prepared(2))
    assert [e.remote.remote_id for e in endings if isinstance(e, Confirmed)] == ["901", "902"]


def test_a_batch_that_never_ends_is_unknown_after_its_time() -> None:
    clock = FakeClock()
    fake = (
        FakeNetSuite()
        .on(PAYMENTS, accepted())
        .on(SUITEQL, page())
        .on(f"GET {JOB}", httpx.Response(200, json={"completed": False, "progress": "processing"}))
    )
    endings = NetSuiteWriter(fake.client(clock)).send([prepared(1), prepared(2)])
    assert [type(e) for e in endings] == [Unknown, Unknown]
    assert 900 <= sum(clock.slept) < 1000
    assert len(fake.asked) < 60, "waits grow"


def done(*tasks: dict[str, Any]) -> FakeNetSuite:
    """A batch that was accepted and is done, of which the search shows nothing."""
    return (
        FakeNetSuite()
        .on(PAYMENTS, accepted())
        .on(SUITEQL, page())
        .on(f"GET {JOB}", httpx.Response(200, json={"completed": True, "progress": "failed", "id": "77"}))
        .on(f"GET {JOB}/task", httpx.Response(200, json={"items": list(tasks)}))
    )


FAILED = ({"id": "1", "progress": "failed"}, {"id": "2", "progress": "failed"})


def results_asked(fake: FakeNetSuite) -> int:
    return sum(1 for path in fake.paths() if path.endswith("/result"))


def test_a_batch_that_fails_wholly_is_asked_once_a_record_though_its_results_are_500() -> None:
    failed = problem(500, "UNEXPECTED_ERROR", "An unexpected error occurred.")
    fake = done(*FAILED).on(f"GET {JOB}/task/./result", failed)
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Unknown, Unknown]
    assert results_asked(fake) == 2


def test_a_record_that_its_job_never_began_is_unknown_and_not_refused() -> None:
    not_yet = problem(400, "INVALID_REQUEST", "The task has not been completed yet.")
    tasks = ({"id": "1", "progress": "pending", "completed": False}, FAILED[1])
    fake = done(*tasks).on(f"GET {JOB}/task/1/result", not_yet)
    fake.on(f"GET {JOB}/task/2/result", problem(400, "USER_ERROR", "You must enter a value."))
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Unknown, Refused]
    assert results_asked(fake) == 1


def test_a_list_of_tasks_that_tells_only_their_ids_is_enough_to_ask_for_results() -> None:
    refused = problem(400, "USER_ERROR", "You must enter a value.")
    fake = done({"id": "1"}, {"id": "2"}).on(f"GET {JOB}/task/./result", refused)
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Refused, Refused]


def test_a_job_lost_while_its_results_are_read_refuses_no_record() -> None:
    lost = problem(404, "NONEXISTENT_ID", "The record instance does not exist.")
    fake = done(*FAILED).on(f"GET {JOB}/task/.*", lost)
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Unknown, Unknown]
    assert results_asked(fake) == 1


def test_a_job_lost_before_it_is_asked_leaves_its_records_unknown() -> None:
    lost = problem(404, "NONEXISTENT_ID", "The record instance does not exist.")
    fake = FakeNetSuite().on(PAYMENTS, accepted()).on(SUITEQL, page()).on(f"GET {JOB}", lost)
    endings = send(fake, prepared(1), prepared(2))
    assert all(isinstance(e, Unknown) and "accepted" in e.text for e in endings)


def test_a_record_of_a_batch_that_is_gone_says_so_in_its_result() -> None:
    gone = problem(404, "NONEXISTENT_ID", "The record instance does not exist.")
    fake = done(*FAILED).on(f"GET {JOB}/task/./result", gone).on(f"GET {JOB}/task/.", httpx.Response(200))
    fake.on("PATCH .*", accepted())
    assert [type(e) for e in send(fake, change(1), change(2))] == [Refused, Refused]


def test_a_limit_met_while_results_are_read_does_not_say_that_records_were_not_sent() -> None:
    busy = problem(400, "SSS_REQUEST_LIMIT_EXCEEDED", "Request limit exceeded.")
    fake = done(*FAILED).on(f"GET {JOB}/task/./result", busy)
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Unknown, Unknown]


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_lost_while_results_are_read_does_not_say_that_records_were_not_sent(status: int) -> None:
    no = problem(status, "INVALID_LOGIN" if status == 401 else "INSUFFICIENT_PERMISSION", "No.")
    fake = done(*FAILED).on(f"GET {JOB}/task/.*", no)
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Unknown, Unknown]
    assert results_asked(fake) == 1


@pytest.mark.parametrize("silent", [httpx.Response(503), httpx.Response(429), httpx.ConnectError("gone")])
def test_results_that_cannot_be_read_are_not_asked_for_each_record(silent: Any) -> None:
    fake = done(*FAILED).on(f"GET {JOB}/task/./result", silent)
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Unknown, Unknown]
    assert {p for p in fake.paths() if p.endswith("/result")} == {f"GET {JOB}/task/1/result"}


def test_losing_sight_of_an_accepted_batch_leaves_the_rest_unknown() -> None:
    fake = FakeNetSuite().on(PAYMENTS, accepted()).on(SUITEQL, httpx.ConnectError("gone"))
    assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Unknown, Unknown]


def test_a_batch_refused_as_a_whole_gives_each_record_its_own_verdict() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if b'"items"' in request.content:
            return problem(400, "INVALID_CONTENT", "items[1] is wrong")
        if b"AZS-18834420011-2" in request.content:
            return problem(400, "INVALID_CONTENT", "wrong")
        return created("customerPayment", "9")

    endings = send(FakeNetSuite().on(PAYMENTS, answer), prepared(1), prepared(2), prepared(3))
    assert [type(e) for e in endings] == [Confirmed, Refused, Confirmed]


def test_a_record_of_another_amount_under_our_external_id_is_not_confirmed() -> None:
    for other in (row("AZS-18834420011-1", "99.99"), row("AZS-18834420011-1", "100", "CAD")):
        fake = (
            FakeNetSuite()
            .on(PAYMENTS, accepted())
            .on(SUITEQL, lambda _, other=other: page(other, row("AZS-18834420011-2")))
        )
        assert [type(e) for e in send(fake, prepared(1), prepared(2))] == [Exists, Confirmed]


def change(number: int = 1, **more: Any) -> Prepared:
    values: dict[str, Any] = {
        "kind": "customrecord_azs_summary",
        "action": Action.UPDATE,
        "target_id": str(50 + number),
        "expected": Expected(),
        "body": canonical(
            {"custrecord_azs_sum_paid": Decimal("12.50"), "custrecord_azs_sum_status": {"id": "4"}}
        ),
    }
    return prepared(number, **(values | more))


def test_an_update_is_one_patch_and_needs_no_location() -> None:
    fake = FakeNetSuite().on("PATCH .*", httpx.Response(204))
    assert send(fake, change()) == [Confirmed(Remote("51", "AZS-18834420011-1"))]
    assert fake.paths() == ["PATCH /services/rest/record/v1/customrecord_azs_summary/51"]


def test_updates_of_one_kind_go_in_one_batch_and_are_compared() -> None:
    def look(request: httpx.Request) -> httpx.Response:
        return page(
            *(
                {"id": i, "custrecord_azs_sum_paid": "12.5", "custrecord_azs_sum_status": "4"}
                for i in asked_ids(request)
            )
        )

    fake = FakeNetSuite().on("PATCH .*/customrecord_azs_summary", accepted()).on(SUITEQL, look)
    assert [type(e) for e in send(fake, change(1), change(2))] == [Confirmed, Confirmed]
    assert [i["id"] for i in fake.asked[0].body["items"]] == ["51", "52"]
    assert len(fake.asked) == 2


def test_an_update_with_lines_goes_alone() -> None:
    one = change(kind="customerPayment", body=canonical({"apply": {"items": []}}))
    assert NetSuiteWriter(FakeNetSuite().client()).batch_key(one.effect) is None


def test_the_probe_tells_an_update_only_when_it_is_already_so() -> None:
    effects = [change(1).effect, change(2).effect]
    fake = FakeNetSuite().on(
        SUITEQL,
        page(
            {"id": "51", "custrecord_azs_sum_paid": "12.50", "custrecord_azs_sum_status": "4"},
            {"id": "52", "custrecord_azs_sum_paid": "12.51", "custrecord_azs_sum_status": "4"},
        ),
    )
    assert set(NetSuiteWriter(fake.client()).probe(effects)) == {"KEY1"}


def test_voiding_deletes_custom_records_and_refuses_transactions() -> None:
    fake = FakeNetSuite().on("DELETE .*", httpx.Response(204))
    gone = prepared(kind="customrecord_azs_txn", action=Action.VOID, target_id="61")
    assert isinstance(send(fake, gone)[0], Confirmed)
    [refused] = send(fake, prepared(action=Action.VOID, target_id="900"))
    assert isinstance(refused, Refused)
    assert refused.code == "VOID_NOT_SUPPORTED"
    assert len(fake.asked) == 1


def test_the_probe_asks_once_for_a_thousand_transactions_and_once_a_table() -> None:
    fake = FakeNetSuite().on(SUITEQL, lambda r: page(*(row(i) for i in asked_ids(r)[:2])))
    writer = NetSuiteWriter(fake.client())
    effects = [effect(n) for n in range(1000)]
    assert set(writer.probe(effects)) == {"KEY0", "KEY1"}
    assert len(fake.asked) == 1
    writer.probe([effect(1), effect(2, kind="customrecord_azs_txn"), effect(3, kind="customer")])
    assert len(fake.asked) == 4


def test_the_probe_raises_only_the_documented_errors() -> None:
    cases: list[tuple[Any, type[Exception]]] = [
        (httpx.ConnectError("gone"), TransientError),
        (problem(401, "INVALID_LOGIN", "no"), CredentialError),
        (problem(400, "INVALID_PARAMETER", "Unknown identifier 'x'"), UnknownOutcomeError),
        (page(row("AZS-18834420011-1", "abc")), UnknownOutcomeError),
    ]
    for answer, error in cases:
        with pytest.raises(error):
            NetSuiteWriter(FakeNetSuite().on(SUITEQL, answer).client()).probe([effect()])


@pytest.mark.parametrize(
    "location", ["https://[::1", "/record/v1/customerPayment/\x01", "a" * 70_000, "/customerPayment/٩"]
)
def test_a_location_that_is_no_address_ends_unknown_and_not_in_a_traceback_after_the_write(
    location: str,
) -> None:
    headers = httpx.Headers({"Location": location.encode()})
    assert isinstance(ending(httpx.Response(204, headers=headers)), Unknown)


def test_a_batch_accepted_with_a_location_that_is_no_address_ends_unknown() -> None:
    fake = FakeNetSuite().on(PAYMENTS, httpx.Response(202, headers={"Location": "https://[::1"}))
    assert [type(one) for one in send(fake, prepared(1), prepared(2))] == [Unknown, Unknown]
    assert len(fake.asked) == 1
