import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from ledger_pipelines.sandbox.faults import FaultSpec
from ledger_pipelines_tests.unit.sandbox.netsuite.desk import (
    BASE,
    Desk,
    error_of,
    invoice_body,
    payment_body,
    vendor_in_memory,
)

ASYNC = {"Prefer": "respond-async"}
BATCH = {**ASYNC, "Content-Type": "application/vnd.oracle.resource+json; type=collection"}


def batch(desk: Desk, method: str, path: str, items: list[Any], **headers: str) -> httpx.Response:
    return desk.call(method, path, json={"items": items}, headers={**BATCH, **headers})


def fault(desk: Desk, kind: str = "task_failed", **more: Any) -> None:
    desk.faults.add(FaultSpec(vendor="netsuite", kind=kind, **more))


def submitted(desk: Desk, count: int = 4, name: str = "J") -> str:
    """A batch of invoices; its job's path."""
    bodies = [invoice_body(externalId=f"{name}-{at}") for at in range(count)]
    answer = batch(desk, "POST", "invoice", bodies)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"].removeprefix(BASE)


def made(desk: Desk) -> set[str]:
    return {
        row["externalid"] for row in desk.rows("SELECT externalid FROM transaction WHERE type = 'CustInvc'")
    }


def wait(condition: Callable[[], bool]) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come")


def finished(desk: Desk, answer: httpx.Response) -> list[httpx.Response]:
    """Wait for a job and fetch each task's result."""
    assert answer.status_code == 202, answer.text
    job = answer.headers["Location"].removeprefix(BASE)
    for _ in range(200):
        if desk.get(job)["completed"]:
            break
        time.sleep(0.01)
    tasks = desk.get(f"{job}/task")["items"]
    assert all(task["completed"] for task in tasks)
    return [desk.call("GET", f"{job}/task/{task['id']}/result") for task in tasks]


def test_a_call_answered_later_replays_its_own_answer(desk: Desk) -> None:
    answer = desk.call("POST", "invoice", json=invoice_body(), headers=ASYNC)
    assert answer.headers["Preference-Applied"] == "respond-async"
    (result,) = finished(desk, answer)
    assert result.status_code == 204
    assert result.headers["Location"].startswith(f"{BASE}/services/rest/record/v1/invoice/")
    task = desk.get(answer.headers["Location"].removeprefix(BASE) + "/task/1")
    assert (task["progress"], task["completed"]) == ("succeeded", True)
    assert any(link["rel"] == "related" and link["href"].endswith("/result") for link in task["links"])


def test_a_hundred_payments_in_one_batch_are_quick_and_exact(desk: Desk) -> None:
    invoices = [desk.invoice("10.01") for _ in range(100)]
    items = [payment_body({made: "10.01"}, "10.01", externalId=f"P-{at}") for at, made in enumerate(invoices)]
    started = time.perf_counter()
    results = finished(desk, batch(desk, "POST", "customerPayment", items))
    assert [result.status_code for result in results] == [204] * 100
    del started
    assert desk.balance("1051") == "1001"
    assert len(desk.rows("SELECT id FROM transaction WHERE type = 'CustPymt'")) == 100


def test_the_work_of_a_hundred_payments_takes_under_half_a_second(desk: Desk) -> None:
    desk.vendor.set_features(asyncDelaySeconds=3600)
    items = [payment_body({desk.invoice("10.01"): "10.01"}, "10.01") for _ in range(100)]
    assert batch(desk, "POST", "customerPayment", items).status_code == 202
    started = time.perf_counter()
    assert desk.vendor.netsuite.jobs.run_next()
    assert time.perf_counter() - started < 0.5
    assert desk.balance("1051") == "1001"


def test_one_bad_record_of_a_batch_stops_only_itself(desk: Desk) -> None:
    good = invoice_body(externalId="G")
    results = finished(desk, batch(desk, "POST", "invoice", [good, {"memo": "no entity"}, invoice_body()]))
    assert [result.status_code for result in results] == [204, 400, 204]
    assert error_of(results[1])[1] == "USER_ERROR"
    assert desk.get("invoice")["totalResults"] == 2


@pytest.mark.parametrize("applied", [False, True])
def test_a_record_of_an_accepted_batch_fails_by_itself(desk: Desk, applied: bool) -> None:
    fault(desk, path="/invoice", nth=2, status=500, applied=applied)
    bodies = [invoice_body(externalId=f"F-{at}") for at in range(3)]
    answer = batch(desk, "POST", "invoice", bodies)
    assert answer.status_code == 202
    results = finished(desk, answer)
    assert [result.status_code for result in results] == [204, 500, 204]
    assert error_of(results[1])[1] == "UNEXPECTED_ERROR"
    task = desk.get(answer.headers["Location"].removeprefix(BASE) + "/task/2")
    assert (task["progress"], task["completed"]) == ("failed", True)
    made = {
        row["externalid"] for row in desk.rows("SELECT externalid FROM transaction WHERE type = 'CustInvc'")
    }
    assert made == {"F-0", "F-2"} | ({"F-1"} if applied else set())


def test_a_record_that_a_script_refuses_within_a_batch_says_its_words(desk: Desk) -> None:
    fault(desk, times=1, status=400, message="No sales on Sundays.")
    results = finished(
        desk, batch(desk, "POST", "invoice", [invoice_body(externalId=f"S-{at}") for at in range(2)])
    )
    assert [result.status_code for result in results] == [400, 204]
    assert "No sales on Sundays." in error_of(results[0])[2]


@pytest.mark.parametrize("applied", [False, True])
def test_a_batch_fails_wholly_once_and_the_next_does_not(desk: Desk, applied: bool) -> None:
    fault(desk, "job_failed", path="/invoice", times=1, applied=applied)
    job = submitted(desk, 3)
    wait(lambda: bool(desk.get(job)["completed"]))
    assert desk.get(job)["progress"] == "failed"
    assert {task["progress"] for task in desk.get(f"{job}/task")["items"]} == {"failed"}
    assert desk.call("GET", f"{job}/task/3/result").status_code == 500
    assert made(desk) == ({"J-0", "J-1", "J-2"} if applied else set())
    again = submitted(desk, 3, "K")
    wait(lambda: bool(desk.get(again)["completed"]))
    assert desk.get(again)["progress"] == "succeeded"


def test_a_job_that_stops_in_the_middle_never_begins_its_second_half(desk: Desk) -> None:
    fault(desk, "job_stopped", times=1)
    job = submitted(desk)
    wait(lambda: bool(desk.get(job)["completed"]))
    assert desk.get(job)["progress"] == "failed"
    assert [t["progress"] for t in desk.get(f"{job}/task")["items"]] == ["succeeded"] * 2 + ["pending"] * 2
    assert desk.call("GET", f"{job}/task/4/result").status_code == 400
    assert made(desk) == {"J-0", "J-1"}


@pytest.mark.parametrize("applied", [False, True])
def test_a_job_that_is_lost_is_not_found_whatever_it_did(desk: Desk, applied: bool) -> None:
    fault(desk, "job_lost", times=1, applied=applied)
    job = submitted(desk)
    again = submitted(desk, 1, "K")
    wait(lambda: bool(desk.get(again)["completed"]))
    for path in (job, f"{job}/task", f"{job}/task/1", f"{job}/task/1/result"):
        assert desk.call("GET", path).status_code == 404
    assert made(desk) == {"K-0"} | ({f"J-{at}" for at in range(4)} if applied else set())


def test_a_late_job_is_at_work_until_its_time_and_holds_up_no_other(desk: Desk) -> None:
    fault(desk, "job_late", times=1, seconds=60)
    job = submitted(desk)
    again = submitted(desk, 1, "K")
    wait(lambda: bool(desk.get(again)["completed"]))
    assert (desk.get(job)["completed"], desk.get(job)["progress"]) == (False, "processing")
    assert made(desk) == {"K-0"}
    desk.clock.advance(61)
    desk.vendor.catch_up()
    assert desk.get(job)["progress"] == "succeeded"
    assert len(made(desk)) == 5


def test_a_late_job_that_was_applied_shows_its_records_before_it_says_so(desk: Desk) -> None:
    fault(desk, "job_late", times=1, seconds=60, applied=True)
    job = submitted(desk)
    wait(lambda: len(made(desk)) == 4)
    assert desk.get(job)["progress"] == "processing"
    assert desk.get(f"{job}/task/1")["completed"] is False
    assert desk.call("GET", f"{job}/task/1/result").status_code == 400


def test_items_are_taken_in_order_so_that_later_ones_may_refer_to_earlier_ones(desk: Desk) -> None:
    company = {"subsidiary": {"id": "1"}}
    items = [
        {**company, "companyName": "Parent", "externalId": "P"},
        {**company, "companyName": "Child", "externalId": "C", "parent": {"externalId": "P"}},
    ]
    results = finished(desk, batch(desk, "POST", "customer", items))
    assert [result.status_code for result in results] == [204, 204]


def test_put_upserts_patch_edits_get_reads_and_delete_removes_in_batches(desk: Desk) -> None:
    rows = [
        {"name": f"row {at}", "externalId": f"AZS-1-{at}", "custrecord_azs_txn_net": at + 0.25}
        for at in range(3)
    ]
    for _ in range(2):
        results = finished(desk, batch(desk, "PUT", "customrecord_azs_txn", rows))
        assert {result.status_code for result in results} == {204}
    assert desk.rows("SELECT COUNT(*) AS n, SUM(custrecord_azs_txn_net) AS s FROM customrecord_azs_txn") == [
        {"n": "3", "s": "3.75"}
    ]
    edits = [{"externalId": "AZS-1-0", "custrecord_azs_txn_message": "seen"}]
    assert finished(desk, batch(desk, "PATCH", "customrecord_azs_txn", edits))[0].status_code == 204
    read = desk.call(
        "GET",
        "customrecord_azs_txn",
        params={"expandRecords": "true", "ids": "eid:AZS-1-0,eid:'AZS-1-1'"},
        headers=ASYNC,
    )
    results = finished(desk, read)
    assert results[0].json()["custrecord_azs_txn_message"] == "seen"
    assert results[1].json()["externalId"] == "AZS-1-1"
    gone = desk.call("DELETE", "customrecord_azs_txn", params={"ids": "eid:AZS-1-0"}, headers=ASYNC)
    assert finished(desk, gone)[0].status_code == 204
    assert desk.get("customrecord_azs_txn")["totalResults"] == 2


def test_a_batch_of_101_or_a_synchronous_one_is_refused(desk: Desk) -> None:
    answer = batch(desk, "POST", "invoice", [invoice_body()] * 101)
    assert answer.status_code == 400
    alone = desk.call(
        "POST", "invoice", json={"items": [invoice_body()]}, headers={"Content-Type": BATCH["Content-Type"]}
    )
    assert alone.status_code == 400


def test_a_repeated_idempotency_key_points_at_the_first_job(desk: Desk) -> None:
    key = {"X-NetSuite-Idempotency-Key": "2f1c"}
    first = desk.call("POST", "invoice", json=invoice_body(), headers={**ASYNC, **key})
    again = desk.call("POST", "invoice", json=invoice_body(), headers={**ASYNC, **key})
    assert error_of(again)[:2] == (400, "IDEMPOTENCY_ERROR")
    assert again.json()["title"] == "Conflict"
    assert again.headers["Location"] == first.headers["Location"]
    finished(desk, first)
    assert desk.get("invoice")["totalResults"] == 1


def test_the_idempotency_key_does_nothing_on_a_synchronous_post(desk: Desk) -> None:
    for _ in range(2):
        assert desk.post("invoice", invoice_body(), X_NetSuite_Idempotency_Key="2f1c").status_code == 204
    assert desk.get("invoice")["totalResults"] == 2


def test_a_pending_result_is_not_there_yet(desk: Desk) -> None:
    desk.vendor.set_features(asyncDelaySeconds=3600)
    answer = desk.call("POST", "invoice", json=invoice_body(), headers=ASYNC)
    job = answer.headers["Location"].removeprefix(BASE)
    assert desk.get(f"{job}/task/1")["progress"] == "pending"
    assert desk.call("GET", f"{job}/task/1/result").status_code == 400


def test_a_job_left_pending_by_a_kill_is_finished_after_the_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    vendor, clock, faults = vendor_in_memory(path=state)
    vendor.set_features(asyncDelaySeconds=3600)
    with TestClient(vendor.app, base_url=BASE) as http:
        desk = Desk(vendor, clock, faults, http)
        job = desk.call("POST", "invoice", json=invoice_body(externalId="K"), headers=ASYNC).headers[
            "Location"
        ]
    vendor.company.store.state.close()
    vendor, clock, faults = vendor_in_memory(path=state)
    vendor.set_features(asyncDelaySeconds=0.01)
    with TestClient(vendor.app, base_url=BASE) as http:
        desk = Desk(vendor, clock, faults, http)
        for _ in range(300):
            if desk.get(job.removeprefix(BASE))["completed"]:
                break
            time.sleep(0.01)
        assert desk.call("GET", "invoice/eid:K").status_code == 200


def test_more_than_five_requests_in_flight_are_answered_429(desk: Desk) -> None:
    desk.vendor.set_features(latencySeconds=0.3)
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(desk.call("GET", "currency/1"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 5 + [429] * 3
    refused = next(answer for answer in answers if answer.status_code == 429).json()
    assert refused["o:errorDetails"][0]["o:errorCode"] == "CONCURRENCY_LIMIT_EXCEEDED"
    assert refused["o:errorCode"] == "USER_ERROR"
