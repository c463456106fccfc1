"""The query language of lists (cin7-omni.md 4)."""

from __future__ import annotations

import pytest

from ledger_pipelines.sandbox.cin7 import schemas
from ledger_pipelines.sandbox.cin7.answers import Cin7Error
from ledger_pipelines.sandbox.cin7.fields import instant
from ledger_pipelines.sandbox.cin7.where import parse
from ledger_pipelines_tests.unit.sandbox.cin7.desk import Desk

ORDER = {
    "id": 88123, "reference": "NET-N104233", "memberId": 77, "total": 48, "isApproved": True, "isVoid": False, "status": "APPROVED",
    "stage": "Fully Picked", "lastName": "O'Neil", "company": None, "invoiceDate": None, "projectName": "",
    "modifiedDate": instant("2026-03-04T01:12:00.5Z"),
}  # fmt: skip


def holds(*texts: str, ignore_case: bool = True) -> bool:
    condition = parse(list(texts), schemas.ORDER, ignore_case=ignore_case)
    assert condition is not None
    return condition.holds(ORDER)


@pytest.mark.parametrize(
    "text",
    [
        "id=88123", "ID = 88123", "id='88123'", "id IN(1,88123,3)", "id in ( 88123 )", "reference='net-n104233'",
        "reference LIKE '%N1042%'", "reference like 'net-%'", "REFERENCE LIKE '%33'", "lastName='O''Neil'", "lastname like '%''n%'",
        "isApproved=true", "isApproved = 1", "isVoid=0", "isVoid=FALSE", "isApproved='true'", "isApproved<>0",
        "status='approved'", "status<>'Void'", "status in ('Void','Approved')", "status like 'app%'", "stage IN ('Fully Picked','Partially Picked')",
        "total>=48", "total > 47.99", "total<48.01", "total <= 48.0", "memberId=77", "total<>48.001", "total > -1",
        "modifiedDate>='2026-03-04T00:00:00Z'", "modifiedDate>=2026-03-04T01:12:00Z", "modifieddate<2026-03-05", "modifiedDate < '2026-03-05'",
        "modifiedDate<'2026-03-04T12:00:00+10:00' and modifiedDate > '2026-03-04T11:00:00+10:00'", "ModifiedDate>'2026-03-04 01:12:00'",
        "invoiceDate is null", "company IS NULL", "projectName is not null", "stage IS NOT NULL",
        "id=1 OR id=88123", "id=88123 or id=1 and id=2", "(id=1 OR id=88123) AND isVoid=0", "((id=88123))", "id=88123 AND(isVoid=0)",
        "id=88123 And total=48 aNd status='APPROVED'",
    ],
)  # fmt: skip
def test_what_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "id=1", "id<>88123", "id IN (1,2)", "reference='NET-N10423'", "reference LIKE 'N104233'", "reference like 'NET_N104233'", "isVoid=1",
        "status='Void'", "company='x'", "company<>'x'", "company like '%'", "invoiceDate > '2020-01-01'", "invoiceDate is not null",
        "projectName is null", "(id=88123 or id=1) and id=2", "modifiedDate='2026-03-04T01:12:00Z'", "modifiedDate<=2026-03-04T01:12:00Z",
        "modifiedDate>='2026-03-04T12:00:00+10:00'", "total>48", "company in ('x')",
    ],
)  # fmt: skip
def test_what_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense='x'", "lineItems.code='x'", "lineItems='x'", "customFields='x'", "id", "id=", "=1", "id==1", "id!=1", "id=1 AND", "OR id=1",
        "id=1 id=2", "(id=1", "id=1)", "id IN 1", "id IN ()", "id IN (1,", "id IN (1 2)", "id NOT IN (1)", "NOT id=1", "reference='x", "reference=x",
        "reference='it's'", "reference LIKE x", "id LIKE '%1'", "total LIKE '4%'", "invoiceDate IS 1", "invoiceDate is not", "invoiceDate = NULL",
        "modifiedDate>='yesterday'", "modifiedDate>5", "modifiedDate>='2026-02-30'", "id='x'", "isVoid='perhaps'", "isVoid=2", "status='Sent'",
        "total>=1,5", "id=1;", "1=1", "id=12abc", "reference=true", "total>'1e400'",
    ],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(Cin7Error) as refused:
        holds(text)
    assert refused.value.status == 400


def test_several_conditions_are_alternatives_and_blank_ones_are_none() -> None:
    assert holds("id=1", "id=88123")
    assert not holds("id=1", "id=2")
    assert parse(["", " "], schemas.ORDER, ignore_case=True) is None


def test_whether_texts_regard_case_is_a_setting_and_enums_never_do() -> None:
    assert not holds("reference='net-n104233'", ignore_case=False)
    assert not holds("reference like 'net%'", ignore_case=False)
    assert holds("reference like 'NET%' and status='aPPROVED'", ignore_case=False)


def test_a_bad_condition_or_order_answers_an_object(desk: Desk) -> None:
    for params in (
        {"where": "nonsense=1"}, {"where": "reference='x"}, {"order": "nonsense ASC"}, {"order": "id SIDEWAYS"}, {"order": "id ASC now"},
        {"order": "lineItems ASC"}, {"rows": "0"}, {"page": "0"}, {"page": "-1"}, {"rows": "many"}, {"page": "²"},
    ):  # fmt: skip
        status, text = desk.refused("GET", "SalesOrders", **params)
        assert status == 400 and text


def test_conditions_find_the_same_with_an_index_and_without(desk: Desk) -> None:
    for n, email in enumerate(("Ana@Example.test", "bo@example.test", "ÉVA@example.test")):
        desk.post("Contacts", email=email, firstName=f"P{n}")

    def names(*where: str) -> list[str]:
        return [one["firstName"] for one in desk.rows("Contacts", where=list(where), order="id ASC")]

    for narrow, plain in (
        ("email='ana@example.TEST'", "email IN ('ana@example.TEST')"),
        ("email='éva@example.test'", "email IN ('éva@example.test')"),
        ("email='nobody'", "email IN ('nobody')"),
        ("id=5202", "id IN (5202)"),
        ("id>5202", "id>5202 OR id=0"),
        ("modifiedDate>='2020-01-01'", "modifiedDate>='2020-01-01' OR id=0"),
        ("modifiedDate>'2099-01-01'", "modifiedDate>'2099-01-01' OR id=0"),
    ):
        assert names(narrow) == names(plain)
        assert names(f"({narrow}) OR firstName='P1'") == names(plain, "firstName='P1'")
    assert names("email='éva@example.test'") == ["P2"]
    assert names("email='ana@example.test' AND firstName='P1'") == []


def test_case_counts_in_lists_when_it_is_set(desk: Desk) -> None:
    desk.post("Contacts", email="Ana@example.test")
    assert len(desk.rows("Contacts", where="email='ana@example.test'")) == 1
    desk.settings(ignore_case=False)
    assert desk.rows("Contacts", where="email='ana@example.test'") == []
    assert len(desk.rows("Contacts", where="email='Ana@example.test'")) == 1


def test_order_is_descending_unless_it_says_otherwise_and_takes_several_terms(desk: Desk) -> None:
    for first, last in (("B", "x"), ("A", "y"), ("B", "a"), (None, "z")):
        desk.post("Contacts", firstName=first, lastName=last)

    def names(order: str) -> list[str]:
        return [f"{one['firstName']}{one['lastName']}" for one in desk.rows("Contacts", order=order)]

    assert names("lastName") == ["Nonez", "Ay", "Bx", "Ba"]
    assert names("LASTNAME asc") == ["Ba", "Bx", "Ay", "Nonez"]
    assert names("firstName ASC, lastName ASC") == ["Nonez", "Ay", "Ba", "Bx"]
    assert names("firstName DESC,lastName DESC") == ["Bx", "Ba", "Ay", "Nonez"]


def test_pages_fields_and_the_end(desk: Desk) -> None:
    desk.write("POST", "Contacts", *({"email": f"{n}@example.test"} for n in range(5)))
    pages = [
        desk.rows("Contacts", order="id ASC", rows=2, page=page, fields="Email, id") for page in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [one["email"][0] for page in pages for one in page] == ["0", "1", "2", "3", "4"]
    assert all(one.keys() == {"email", "id"} for page in pages for one in page)


def test_dates_are_shown_to_the_second_and_compared_as_they_are(desk: Desk) -> None:
    desk.freeze("2026-09-01T10:00:00.250000Z")
    made = desk.post("Contacts", email="a@example.test")
    assert desk.get(f"Contacts/{made}")["modifiedDate"] == "2026-09-01T10:00:00Z"
    assert len(desk.rows("Contacts", where="modifiedDate>'2026-09-01T10:00:00Z'")) == 1
    assert desk.rows("Contacts", where="modifiedDate>'2026-09-01T10:00:01Z'") == []
    desk.advance(10)
    desk.put("Contacts", id=made, notes="x")
    assert len(desk.rows("Contacts", where="modifiedDate>'2026-09-01T10:00:01Z'")) == 1
