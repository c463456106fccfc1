"""Credentials, permissions, verbs, bodies, limits, shapes (cin7-omni.md 1, 2, 3, 7, 8, 9)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from ledger_pipelines_tests.unit.sandbox.cin7.desk import Desk, line


@pytest.mark.parametrize(
    "header",
    ["", "Bearer x", "Basic ???", "Basic " + base64.b64encode(b"HarbourTeaAU:wrong").decode(), "Basic " + base64.b64encode(b"\xff").decode()],
)  # fmt: skip
def test_without_the_right_key_every_call_is_denied(desk: Desk, header: str) -> None:
    for path in ("/api/v1/SalesOrders", "/api/v1/Nothing"):
        answer = httpx.get(
            desk.sandbox.base_urls["cin7"] + path, headers={"Authorization": header}, trust_env=False
        )
        assert (answer.status_code, answer.json()["message"]) == (
            401,
            "Authorization has been denied for this request.",
        )


def test_a_connection_may_do_what_its_modules_allow(desk: Desk) -> None:
    contact = {"email": "a@example.test"}
    assert desk.ask("GET", "Contacts", who="reader").status_code == 200
    assert desk.ask("POST", "Contacts", [contact], who="reader").status_code == 403
    assert desk.ask("POST", "SalesOrders", [desk.sale()], who="orders").status_code == 200
    assert desk.ask("GET", "Contacts", who="orders").status_code == 200
    refusal = desk.ask("GET", "Payments", who="orders")
    assert refusal.status_code == 403 and "Payments" in refusal.json()["message"]
    assert desk.ask("DELETE", f"Contacts/{desk.post('Contacts', **contact)}", who="orders").status_code == 403
    assert desk.rows("Contacts") != []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "SalesOrders/1", 405), ("DELETE", "SalesOrders", 405), ("PUT", "SalesOrders/1", 405), ("POST", "SalesOrders/1", 405),
        ("PATCH", "SalesOrders", 405), ("POST", "Stock", 405), ("PUT", "Stock", 405), ("POST", "Users", 405),
        ("DELETE", "Branches/3", 405), ("DELETE", "CreditNotes/3", 405), ("DELETE", "Contacts", 405), ("DELETE", "Products/1", 405),
        ("DELETE", "Contacts/77", 404), ("DELETE", "Payments/77", 404), ("GET", "SalesOrders/77", 404), ("GET", "SalesOrders/" + "9" * 40, 404),
        ("GET", "SalesOrders/x", 404), ("GET", "SalesOrders/1/2", 404), ("GET", "Nothing", 404),
    ],
)  # fmt: skip
def test_verbs_and_paths_that_are_not_there(desk: Desk, method: str, path: str, status: int) -> None:
    found, text = desk.refused(method, path, [{"id": 1}] if method in ("POST", "PUT") else None)
    assert found == status
    if status == 405:
        assert text == f"The requested resource does not support http method '{method}'."


@pytest.mark.parametrize("body", [{"reference": "x"}, [], ["x"], [{}, 1], "text", 4])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_only_an_array_of_objects_is_a_body(desk: Desk, method: str, body: Any) -> None:
    assert desk.refused(method, "SalesOrders", body) == (400, "Missing or malformed JSON data")
    assert desk.rows("SalesOrders") == []


def test_text_that_is_not_json_is_malformed(desk: Desk) -> None:
    for content in (b"", b"[{", b"\xff\xfe"):
        answer = desk.api.post("/api/v1/SalesOrders", content=content)
        assert (answer.status_code, answer.json()["message"]) == (400, "Missing or malformed JSON data")


def test_a_batch_holds_at_most_250_records(desk: Desk) -> None:
    people = [{"email": f"{n}@example.test"} for n in range(251)]
    assert desk.refused("POST", "Contacts", people)[0] == 400
    assert all(one["success"] for one in desk.write("POST", "Contacts", *people[:250]))
    desk.post("Contacts", email="one more@example.test")
    assert len(desk.rows("Contacts", rows=1000)) == 250
    assert len(desk.rows("Contacts", rows=1000, page=2)) == 1
    assert len(desk.rows("Contacts")) == 50


def test_paths_names_and_parameters_are_read_tolerantly(desk: Desk) -> None:
    answer = desk.ask(
        "POST", "contacts/", [{"EMAIL": "a@example.test", "Nonsense": [1], "type": 1, "firstname": None}]
    )
    assert answer.json()[0]["success"]
    [found] = desk.rows("CONTACTS/", ROWS=250, limit=1, nonsense="x", WHERE="EMAIL='a@example.test'")
    assert (found["email"], found["type"], found["firstName"]) == ("a@example.test", "Supplier", None)
    assert not {"Nonsense", "nonsense"} & found.keys()


def test_null_leaves_a_field_and_an_empty_text_clears_it(desk: Desk) -> None:
    made = desk.post("Contacts", email="a@example.test", firstName="Ana", notes="old", creditLimit=5)
    desk.put("Contacts", id=made, firstName=None, notes="", creditLimit=None)
    found = desk.get(f"Contacts/{made}")
    assert (found["firstName"], found["notes"], found["creditLimit"]) == ("Ana", "", 5)


def test_names_come_in_pascal_case_when_asked_for_and_own_keys_do_not(desk: Desk) -> None:
    desk.settings(pascal_case=True)
    [made] = desk.ask("POST", "SalesOrders", [desk.sale(customFields={"orders_1000": "x"})]).json()
    assert made["Success"] is True
    found = desk.ask("GET", f"SalesOrders/{made['Id']}").json()
    assert found["LineItems"][0]["UnitPrice"] == 11
    assert found["CustomFields"] == {"orders_1000": "x"}


def test_three_calls_a_second_for_each_connection(desk: Desk) -> None:
    desk.control.delete("/cin7/meter")
    desk.settings(per_second=3, per_minute=60, per_day=5000)
    desk.freeze("2026-09-01T00:00:00Z")
    assert [desk.ask("GET", "Users").status_code for _ in range(4)] == [200, 200, 200, 429]
    refusal = desk.ask("GET", "Users")
    assert refusal.json() == "API calls quota exceeded! maximum admitted 3 per Second."
    assert refusal.headers["retry-after"] == "1"
    assert desk.ask("GET", "Users", who="second").status_code == 200
    desk.advance(1)
    assert desk.ask("GET", "Users").status_code == 200


def test_sixty_a_minute_and_the_wait_is_to_the_windows_end(desk: Desk) -> None:
    desk.control.delete("/cin7/meter")
    desk.settings(per_second=None, per_minute=60, per_day=5000)
    desk.freeze("2026-09-01T00:00:00Z")
    assert {desk.ask("GET", "Users").status_code for _ in range(60)} == {200}
    desk.advance(20)
    refusal = desk.ask("GET", "Users")
    assert (refusal.status_code, refusal.headers["retry-after"]) == (429, "40")
    desk.advance(40)
    assert desk.ask("GET", "Users").status_code == 200


@pytest.mark.parametrize(("counted", "last"), [(True, 429), (False, 200)])
def test_whether_refused_calls_count_against_the_day(desk: Desk, counted: bool, last: int) -> None:
    desk.control.delete("/cin7/meter")
    desk.settings(per_second=1, per_minute=None, per_day=3, refused_calls_count=counted)
    desk.freeze("2026-09-01T00:00:00Z")
    assert [desk.ask("GET", "Users").status_code for _ in range(3)] == [200, 429, 429]
    desk.advance(2)
    answer = desk.ask("GET", "Users")
    assert answer.status_code == last
    if counted:  # the second is over, too: the longer wait is told
        assert desk.ask("GET", "Users").headers["retry-after"] == answer.headers["retry-after"]
        assert answer.headers["retry-after"] == str(24 * 3600 - 2)


def test_one_budget_for_the_account_when_that_is_set(desk: Desk) -> None:
    desk.control.delete("/cin7/meter")
    desk.settings(per_second=1, account_wide=True)
    desk.freeze("2026-09-01T00:00:00Z")
    assert [desk.ask("GET", "Users", who=who).status_code for who in (None, "second")] == [200, 429]


def test_the_day_is_used_up_by_a_fault(desk: Desk) -> None:
    desk.freeze("2026-09-01T00:00:00Z")
    desk.control.delete("/cin7/meter")
    desk.fault("daily_quota_exhausted")
    refusal = desk.ask("GET", "Users")
    assert refusal.json() == "API calls quota exceeded! maximum admitted 5000 per Day."
    assert int(refusal.headers["retry-after"]) > 3600


def test_a_condition_of_hundreds_of_names_does_not_fit_into_an_address(desk: Desk) -> None:
    desk.post("SalesOrders", reference="REF-3")
    few, many = (",".join(f"'REF-{n}'" for n in range(count)) for count in (20, 300))
    assert len(desk.rows("SalesOrders", where=f"reference IN ({few})")) == 1
    assert desk.refused("GET", "SalesOrders", where=f"reference IN ({many})")[0] == 404
    desk.settings(longest_query=None)
    assert len(desk.rows("SalesOrders", where=f"reference IN ({many})")) == 1


def test_calls_are_counted_by_path_without_ids(desk: Desk) -> None:
    desk.control.delete("/calls")
    desk.ask("GET", "SalesOrders/77")
    desk.ask("GET", "Stock/93-POT")
    paths = {one["path"] for one in desk.control.get("/calls").json()["calls"]}
    assert paths == {"/api/v1/SalesOrders/{id}", "/api/v1/Stock/{id}"}


def test_a_line_of_the_wrong_kind_fails_its_record_and_no_other(desk: Desk) -> None:
    results = desk.write(
        "POST", "SalesOrders", desk.sale(reference="A"), desk.sale(line(qty="many"), reference="B"),  # type: ignore[arg-type]
        desk.sale("x", reference="C"), desk.sale(reference="D", taxRate="1e999"), desk.sale(reference="E"),  # type: ignore[arg-type]
    )  # fmt: skip
    assert [one["success"] for one in results] == [True, False, False, False, True]
    assert [one["id"] is None for one in results] == [False, True, True, True, False]
    assert [one["reference"] for one in desk.rows("SalesOrders", order="id ASC")] == ["A", "E"]
