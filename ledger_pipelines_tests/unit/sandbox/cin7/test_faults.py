"""The vendor's own faults, and the common ones, as a client of Omni sees them (cin7-omni.md 11.11)."""

from __future__ import annotations

import httpx
import pytest

from ledger_pipelines_tests.unit.sandbox.cin7.desk import Desk


def test_a_dispatch_answers_500_and_is_done(desk: Desk) -> None:
    made = desk.order(reference="A")
    desk.fault("dispatch_500_but_commit")
    desk.put("SalesOrders", id=made, stage="Pick")
    answer = desk.ask(
        "PUT", "SalesOrders", [{"id": made, "dispatchedDate": "2026-09-02T00:00:00Z", "stage": "Dispatched"}]
    )
    assert (answer.status_code, answer.json()) == (500, {"message": "An error has occurred."})
    found = desk.get(f"SalesOrders/{made}")
    assert (found["stage"], found["logisticsStatus"]) == ("Dispatched", 2)


def test_one_record_of_a_call_is_refused_with_200_and_the_others_are_written(desk: Desk) -> None:
    desk.fault("error_200", times=1)
    answer = desk.ask("POST", "SalesOrders", [{"reference": "A"}, {"reference": "B"}])
    assert (answer.status_code, [one["success"] for one in answer.json()]) == (200, [False, True])
    assert [one["reference"] for one in desk.rows("SalesOrders")] == ["B"]


@pytest.mark.parametrize("kind", ["drop_response_after_commit", "cut_after"])
def test_an_answer_is_lost_and_the_order_is_there(desk: Desk, kind: str) -> None:
    desk.fault(kind, method="POST", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        desk.ask("POST", "SalesOrders", [{"reference": "A"}])
    assert len(desk.rows("SalesOrders", where="reference='A'")) == 1
    assert "already exists" in desk.failed("POST", "SalesOrders", reference="A")


def test_some_calls_are_unavailable_and_nothing_is_done(desk: Desk) -> None:
    desk.fault("random_503", rate=0.5, seed=3, method="POST")
    statuses = [desk.ask("POST", "SalesOrders", [{}]).status_code for _ in range(20)]
    assert set(statuses) == {200, 503}
    assert len(desk.rows("SalesOrders")) == statuses.count(200)


def test_an_error_comes_as_a_page(desk: Desk) -> None:
    desk.fault("html_error_body")
    answer = desk.ask("POST", "SalesOrders", {})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (400, "text/html")
    assert desk.ask("GET", "SalesOrders").json() == []


def test_results_without_errors(desk: Desk) -> None:
    desk.fault("errors_key_absent")
    results = desk.write("POST", "SalesOrders", {"reference": "A"}, {"reference": "A"})
    assert ["errors" in one for one in results] == [False, True]


def test_pascal_case_for_one_call(desk: Desk) -> None:
    desk.fault("pascal_case_output", times=1)
    assert "Company" in desk.ask("GET", "Branches").json()[0]
    assert "company" in desk.ask("GET", "Branches").json()[0]


def test_a_voided_order_is_gone_early(desk: Desk) -> None:
    made, other = desk.order(), desk.order()
    desk.put("SalesOrders", id=made, isVoid=True)
    desk.fault("void_purged_404")
    assert desk.ask("GET", f"SalesOrders/{made}").status_code == 404
    assert [one["id"] for one in desk.rows("SalesOrders")] == [other]
    desk.control.delete("/faults")
    assert desk.get(f"SalesOrders/{made}")["isVoid"]


def test_the_common_faults_speak_omni(desk: Desk) -> None:
    desk.fault("429", retry_after=7, times=1)
    answer = desk.ask("GET", "Users")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json().startswith("API calls quota exceeded!")
    desk.fault("5xx_before", status=503, retry_after=2, times=1)
    answer = desk.ask("GET", "Users")
    assert (answer.status_code, answer.json()["message"], answer.headers["retry-after"]) == (
        503,
        "An error has occurred.",
        "2",
    )


def test_an_order_that_is_applied_late_comes_later(desk: Desk) -> None:
    desk.freeze("2026-09-01T00:00:00Z")
    desk.fault("apply_late", method="POST", seconds=300, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        desk.ask("POST", "SalesOrders", [{"reference": "A"}])
    assert desk.rows("SalesOrders") == []
    desk.advance(301)
    assert [one["reference"] for one in desk.rows("SalesOrders")] == ["A"]


def test_lists_lag_behind_and_the_record_itself_does_not(desk: Desk) -> None:
    desk.freeze("2026-09-01T00:00:00Z")
    desk.control.post("/faults", json={"vendor": "cin7", "kind": "search_lag", "seconds": 10})
    made = desk.order(reference="A")
    assert desk.rows("SalesOrders", where="reference='A'") == []
    assert desk.get(f"SalesOrders/{made}")["reference"] == "A"
    assert "already exists" in desk.failed("POST", "SalesOrders", reference="A")
    desk.advance(11)
    assert len(desk.rows("SalesOrders", where="reference='A'")) == 1
