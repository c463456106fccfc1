"""Looking up: what is ours and what only looks like it, and how many calls that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.documents.effects import LINK, Action, Effect, Remote
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import CredentialError, TransientError, UnknownOutcomeError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.sync.agreement import disagreements
from ledger_pipelines.systems.saasu.probe import says
from ledger_pipelines.systems.saasu.writer import SaasuWriter
from ledger_pipelines_tests.unit.systems.saasu.desk import (
    DAY,
    Desk,
    contact_body,
    effect_of,
    invoice_body,
    item_body,
    journal_body,
    payment_body,
    quick_payment,
)
from ledger_pipelines_tests.unit.systems.saasu.fake import Lists, fake_client


@pytest.fixture
def desk(fresh: RunningSandbox, saasu_control: httpx.Client, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(fresh, saasu_control, tmp_path / "state")
    made.client.get("/TaxCodes")
    made.forget_calls()
    yield made
    made.close()


def probe(desk: Desk, *effects: Effect) -> list[Remote | None]:
    found = SaasuWriter(desk.client).probe(effects)
    return [found.get(effect.key) for effect in effects]


def one(desk: Desk, effect: Effect) -> Remote:
    [found] = probe(desk, effect)
    assert found is not None
    return found


def invoice(reference: str, amount: str = "99.90", /, **more: Json) -> Effect:
    return effect_of("invoice", reference, invoice_body(reference, **more), amount)


AUTO: dict[str, Json] = {"InvoiceNumber": "<Auto Number>"}


# --- invoices --------------------------------------------------------------------------------------------------------


def test_an_invoice_is_found_by_its_number_in_one_call_with_all_that_is_compared(desk: Desk) -> None:
    made = desk.made("/Invoice", invoice_body("N1", **quick_payment("P1", "9.90")))
    desk.forget_calls()
    aud = "AUD"
    assert one(desk, invoice("N1")) == Remote(
        str(made), "N1", "N1", Money(Decimal("99.90"), aud), DAY, None, Money(Decimal("9.90"), aud)
    )
    assert desk.calls() == {"GET /Invoices": 1}


def test_an_invoice_numbered_by_saasu_is_found_by_the_purchase_order_number(desk: Desk) -> None:
    made = desk.made("/Invoice", invoice_body("N1", **AUTO))
    desk.forget_calls()
    found = one(desk, invoice("N1", **AUTO))
    assert (found.remote_id, found.external_id, found.number) == (str(made), "N1", "INV-20418")
    assert desk.calls() == {"GET /Invoices": 1}


def test_an_invoice_that_a_person_gave_another_number_is_still_ours(desk: Desk) -> None:
    made = desk.made("/Invoice", invoice_body("N1"))
    desk.put(f"/Invoice/{made}", InvoiceNumber="2026-77")
    assert one(desk, invoice("N1")).remote_id == str(made)


@pytest.mark.parametrize("purchase_order", ["PO-OF-A-BUYER", None])
def test_someone_elses_invoice_under_our_number_is_a_difference_and_not_ours(
    desk: Desk, purchase_order: str | None
) -> None:
    desk.made("/Invoice", invoice_body("N1", PurchaseOrderNumber=purchase_order))
    found = one(desk, invoice("N1"))
    assert disagreements(invoice("N1"), found) == [
        f"its reference is {purchase_order or '(none)'}, we meant N1"
    ]


def test_a_reference_is_compared_whole_and_with_its_case(desk: Desk) -> None:
    for other in ("N10", "XN1", "n1"):
        desk.made("/Invoice", invoice_body(other))
    assert probe(desk, invoice("N1"), invoice("N1", **AUTO)) == [None, None]


def test_a_filter_that_matches_parts_is_no_proof(tmp_path: Path) -> None:
    rows = [
        {"TransactionId": n, "InvoiceNumber": f"INV-{n}", "PurchaseOrderNumber": po, "TotalAmount": 1,
         "Currency": "AUD", "TransactionDate": "2026-09-14T00:00:00"}
        for n, po in [(3, "N11"), (4, "N1 "), (5, "N1"), (6, "n1")]
    ]  # fmt: skip
    with fake_client(Lists({"/Invoices": rows}), tmp_path) as client:
        effect = invoice("N1", **AUTO)
        found = SaasuWriter(client).probe([effect])[effect.key]
    assert (found.remote_id, found.external_id) == ("4", "N1"), "blanks apart, and the lowest id of two"


def test_a_search_that_is_not_heeded_teaches_nothing(tmp_path: Path) -> None:
    rows = [
        {"TransactionId": n, "InvoiceNumber": f"INV-{n}", "TotalAmount": 1, "TransactionDate": "2026-09-14"}
        for n in range(5000)
    ]
    lists = Lists({"/Invoices": rows})
    with (
        fake_client(lists, tmp_path) as client,
        pytest.raises(UnknownOutcomeError, match="more than 4,000 records"),
    ):
        SaasuWriter(client).probe([invoice("N1")])
    assert len(lists.asked) == 40


# --- contacts, companies, items --------------------------------------------------------------------------------------


def test_of_two_contacts_the_lowest_active_one_is_taken(desk: Desk) -> None:
    first = desk.made("/Contact", contact_body("priya"))
    second = desk.made("/Contact", contact_body("priya"))
    desk.made("/Contact", contact_body("priya"))
    effect = effect_of("contact", "priya", contact_body("priya"))
    assert one(desk, effect).remote_id == str(first)
    desk.put(f"/Contact/{first}", IsActive=False)
    assert one(desk, effect).remote_id == str(second)


def test_a_contact_id_that_differs_by_case_is_another_contact(desk: Desk) -> None:
    desk.made("/Contact", contact_body("Priya"))
    assert probe(desk, effect_of("contact", "priya", contact_body("priya"))) == [None]


def test_a_company_is_the_same_whatever_its_case_and_not_by_a_part_of_its_name(desk: Desk) -> None:
    desk.made("/Company", {"Name": "Tea House Sydney"})
    effect = effect_of("company", "Tea House", {"Name": "Tea House"})
    assert probe(desk, effect) == [None]
    made = desk.made("/Company", {"Name": "TEA HOUSE"})
    assert one(desk, effect) == Remote(str(made), "Tea House", "TEA HOUSE")


def test_an_item_whose_code_differs_by_case_is_held_as_a_difference(desk: Desk) -> None:
    made = desk.made("/Item", item_body("new-1"))
    desk.made("/Item", item_body("NEW-10"))
    effect = effect_of("item", "NEW-1", item_body("NEW-1"))
    found = one(desk, effect)
    assert found.remote_id == str(made)
    assert disagreements(effect, found) == ["its reference is new-1, we meant NEW-1"]


def test_a_record_without_a_reference_cannot_be_looked_for(desk: Desk) -> None:
    with pytest.raises(UnknownOutcomeError, match="without a reference"):
        probe(desk, effect_of("contact", "", contact_body("")))


# --- payments and journals -------------------------------------------------------------------------------------------


def payment(reference: str, invoices: dict[str, str], amount: str) -> Effect:
    items: list[Json] = [
        {"InvoiceTransactionId": one, "AmountPaid": Decimal(paid)} for one, paid in invoices.items()
    ]
    return effect_of("payment", reference, payment_body(reference, "0", "0", PaymentItems=items), amount)


def test_payments_are_asked_for_once_an_invoice_however_old_they_are(desk: Desk) -> None:
    held = str(desk.made("/Invoice", invoice_body("N1", TransactionDate="2021-02-03")))
    for reference in ("P1", "P2"):
        desk.made("/Payment", payment_body(reference, held, "9.90", TransactionDate="2021-02-03"))
    desk.forget_calls()
    effects = [payment(reference, {held: "9.90"}, "9.90") for reference in ("P1", "P2", "P3")]
    first, second, third = probe(desk, *effects)
    assert first is not None
    assert second is not None
    assert first.remote_id != second.remote_id
    assert (first.external_id, first.amount) == ("P1", Money(Decimal("9.90"), "AUD"))
    assert third is None
    assert desk.calls() == {"GET /Payments": 1}


def test_a_payment_of_two_invoices_comes_to_the_sum_of_its_parts(desk: Desk) -> None:
    one_, two = (str(desk.made("/Invoice", invoice_body(name))) for name in ("N1", "N2"))
    effect = payment("P1", {one_: "60.00", two: "40.00"}, "100.00")
    body: dict[str, Json] = {
        **payment_body("P1", one_, "60.00"),
        "PaymentItems": [
            {"InvoiceTransactionId": int(one_), "AmountPaid": Decimal("60.00")},
            {"InvoiceTransactionId": int(two), "AmountPaid": Decimal("40.00")},
        ],
    }
    desk.made("/Payment", body)
    assert disagreements(effect, one(desk, effect)) == []


def test_a_payment_whose_invoice_has_no_id_yet_is_looked_for_by_its_day(desk: Desk) -> None:
    held = desk.made("/Invoice", invoice_body("N1"))
    made = desk.made("/Payment", payment_body("P1", held, "9.90"))
    desk.forget_calls()
    linked: Json = {LINK: "KEY-OF-THE-INVOICE"}
    effects = [
        effect_of("payment", name, payment_body(name, linked, "9.90"), "9.90") for name in ("P1", "P2")
    ]
    first, second = probe(desk, *effects)
    assert first is not None
    assert (first.remote_id, second) == (str(made), None)
    assert disagreements(effects[0], first) == []
    assert desk.calls() == {"GET /Payments": 1}


def test_payments_of_an_invoice_that_is_gone_are_not_there(tmp_path: Path) -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json="The requested transaction is not found.")

    with fake_client(gone, tmp_path) as client:
        assert SaasuWriter(client).probe([payment("P1", {"5": "1.00"}, "1.00")]) == {}


def test_journals_of_neighbouring_days_are_one_call(desk: Desk) -> None:
    days = ("2026-09-14", "2026-09-16", "2026-03-01")
    bodies = {f"J{n}": journal_body(f"J{n}", "5.00", TransactionDate=day) for n, day in enumerate(days)}
    made = {name: str(desk.made("/Journal", body)) for name, body in bodies.items()}
    desk.forget_calls()
    effects = [effect_of("journal", name, body) for name, body in bodies.items()]
    missing = effect_of("journal", "J9", bodies["J0"])
    found = probe(desk, *effects, missing)
    assert [remote and remote.remote_id for remote in found] == [*made.values(), None]
    assert found[2] is not None
    assert found[2].day is not None
    assert (found[2].day.isoformat(), found[2].amount) == ("2026-03-01", None)
    assert desk.calls() == {"GET /Journals": 2}


# --- changes and deletions -------------------------------------------------------------------------------------------


def test_a_change_counts_once_every_field_of_it_is_so(desk: Desk) -> None:
    held = desk.made("/Invoice", invoice_body("N1", InvoiceType="Sale Order"))
    body: dict[str, Json] = {
        "InvoiceType": "Tax Invoice", "TransactionDate": "2026-09-14", "LineItems": invoice_body("N1", "10.00")["LineItems"],
    }  # fmt: skip
    effect = effect_of("invoice", "N1", body, "20.00", action=Action.UPDATE, target_id=str(held))
    assert probe(desk, effect) == [None]
    desk.put(f"/Invoice/{held}", InvoiceType="Tax Invoice")
    assert probe(desk, effect) == [None]
    desk.put(f"/Invoice/{held}", LineItems=body["LineItems"])
    assert disagreements(effect, one(desk, effect)) == []


def test_a_change_of_a_contact_or_an_item_is_compared_by_id(desk: Desk) -> None:
    contact = desk.made("/Contact", contact_body("priya"))
    effect = effect_of(
        "contact", "priya", {"MobilePhone": "04"}, action=Action.UPDATE, target_id=str(contact)
    )
    assert probe(desk, effect) == [None]
    desk.put(f"/Contact/{contact}", MobilePhone="04")
    assert one(desk, effect) == Remote(str(contact), "priya")
    assert probe(desk, replace(effect, target_id="99999999")) == [None]


@pytest.mark.parametrize(
    ("wanted", "same"),
    [
        ({"UnitPrice": Decimal("49.950")}, True), ({"UnitPrice": Decimal("49.96")}, False), ({"CompanyId": "48213"}, True),
        ({"Summary": ""}, True), ({"Summary": None}, True), ({"Summary": "x"}, False), ({"IsActive": True}, True),
        ({"IsActive": False}, False), ({"IsActive": 1}, False), ({"DueDate": "2026-09-16"}, True), ({"DueDate": "2026-09-17"}, False),
        ({"Tags": ["b", "a"]}, True), ({"Tags": ["a"]}, False), ({"Lines": [{"Q": 2}]}, True), ({"Lines": [{"Q": 2}] * 2}, False),
        ({"Lines": [{"Q": 3}]}, False), ({"Address": {"City": "Sydney"}}, True), ({"Address": {"City": "Hobart"}}, False),
        ({"QuickPayment": {"Amount": 1}}, True), ({"InvoiceNumber": "<Auto Number>"}, True), ({"Gone": 1}, False),
        ({"BillingContactId": {LINK: "KEY"}}, False),
    ],
)  # fmt: skip
def test_what_a_record_says_already(wanted: dict[str, Json], same: bool) -> None:
    held: dict[str, Json] = {
        "UnitPrice": Decimal("49.95"), "CompanyId": 48213, "Summary": None, "IsActive": True, "DueDate": "2026-09-16T00:00:00",
        "Tags": ["a", "b"], "Lines": [{"Id": 1, "Q": Decimal("2.000")}], "Address": {"City": "Sydney", "State": "NSW"},
        "InvoiceNumber": "INV-1", "BillingContactId": 5,
    }  # fmt: skip
    assert says(held, wanted) is same


def test_a_deletion_counts_when_the_record_is_gone(desk: Desk) -> None:
    held = desk.made("/Invoice", invoice_body("N1"))
    effect = effect_of("invoice", "N1", {}, action=Action.VOID, target_id=str(held))
    assert probe(desk, effect) == [None]
    desk.removed(f"/Invoice/{held}")
    assert one(desk, effect) == Remote(str(held), "N1")


@pytest.mark.parametrize(
    "answer", [httpx.Response(200), httpx.Response(200, json=None), httpx.Response(400, json="x")]
)
def test_no_object_is_gone_too(tmp_path: Path, answer: httpx.Response) -> None:
    kind = "item" if answer.status_code == 400 else "invoice"
    effect = effect_of(kind, "N1", {"Code": "A"}, action=Action.UPDATE, target_id="5")
    with fake_client(lambda request: answer, tmp_path) as client:
        assert SaasuWriter(client).probe([effect]) == {}


# --- when nothing is learnt ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), TransientError),
        (httpx.Response(429), TransientError),
        (httpx.Response(200, html="<html></html>"), TransientError),
        (httpx.Response(200, json={"Others": []}), TransientError),
        (httpx.Response(401), CredentialError),
        (httpx.Response(400, json="No such filter."), UnknownOutcomeError),
        (httpx.Response(200, json={"Invoices": [{"InvoiceNumber": "N1"}]}), UnknownOutcomeError),
    ],
)
def test_a_probe_that_learns_nothing_says_so(
    tmp_path: Path, answer: httpx.Response, error: type[Exception]
) -> None:
    with fake_client(lambda request: answer, tmp_path) as client, pytest.raises(error):
        SaasuWriter(client).probe([invoice("N1")])
