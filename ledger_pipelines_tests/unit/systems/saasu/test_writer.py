"""What is sent, and what is read before a change is sent: against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Effect,
    Ending,
    Exists,
    NotSent,
    Refused,
    Remote,
    Unknown,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.systems.saasu.writer import SaasuWriter, merged, with_numbers
from ledger_pipelines_tests.unit.systems.saasu.desk import (
    BANK,
    Desk,
    contact_body,
    effect_of,
    invoice_body,
    item_body,
    journal_body,
    payment_body,
    quick_payment,
)


@pytest.fixture
def desk(fresh: RunningSandbox, saasu_control: httpx.Client, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(fresh, saasu_control, tmp_path / "state")
    made.client.get("/TaxCodes")
    made.forget_calls()
    yield made
    saasu_control.post("/listen", json={"vendor": "saasu", "open": True}).raise_for_status()
    made.close()


def send(desk: Desk, effect: Effect) -> Ending:
    [ending] = SaasuWriter(desk.client).send([prepare(effect, {})])
    return ending


def written(desk: Desk, effect: Effect) -> Remote:
    ending = send(desk, effect)
    assert isinstance(ending, Confirmed), ending
    return ending.remote


def change(kind: str, target: int | str, body: dict[str, Json], reference: str = "N1") -> Effect:
    return effect_of(kind, reference, body, action=Action.UPDATE, target_id=str(target))


def void(kind: str, target: int | str) -> Effect:
    return effect_of(kind, "N1", {}, action=Action.VOID, target_id=str(target))


# --- creation --------------------------------------------------------------------------------------------------------


def test_an_order_with_its_payment_is_one_call_and_the_payment_carries_its_reference(desk: Desk) -> None:
    remote = written(
        desk, effect_of("invoice", "N1", invoice_body("N1", **quick_payment("NETO-PAY-7", "99.90")))
    )
    assert (remote.number, remote.external_id, remote.amount) == ("N1", "N1", None)
    assert desk.calls() == {"POST /Invoice": 1}
    [payment] = desk.records("payment")
    assert (payment["Reference"], payment["PaymentAccountId"]) == ("NETO-PAY-7", BANK)
    [invoice] = desk.records("invoice")
    assert (invoice["AmountOwed"], str(invoice["Id"])) == ("0.00", remote.remote_id)


def test_a_number_saasu_gives_is_the_records_number(desk: Desk) -> None:
    remote = written(desk, effect_of("invoice", "N1", invoice_body("N1", InvoiceNumber="<Auto Number>")))
    assert remote.number == "INV-20418"


def test_contact_and_company_are_one_call(desk: Desk) -> None:
    body = contact_body("priya", Company={"Name": "Harbour Tea", "Abn": "11222333444"})
    remote = written(desk, effect_of("contactAggregate", "priya", body))
    [contact] = [one for one in desk.records("contact") if one["ContactId"] == "priya"]
    assert str(contact["Id"]) == remote.remote_id
    assert contact["CompanyId"] in {
        one["Id"] for one in desk.records("company") if one["Name"] == "Harbour Tea"
    }
    assert desk.calls() == {"POST /ContactAggregate": 1}


def test_company_and_item_and_journal_are_told_by_their_own_keys(desk: Desk) -> None:
    assert written(desk, effect_of("company", "Tea House", {"Name": "Tea House"})).number == "Tea House"
    assert written(desk, effect_of("item", "A-1", item_body("A-1"))).number == "A-1"
    assert written(desk, effect_of("journal", "P1-OVER", journal_body("P1-OVER", "1.00"))).number == "P1-OVER"


def test_links_filled_in_as_text_become_numbers_and_texts_stay_texts() -> None:
    body: dict[str, Json] = {
        "ContactId": "0400123", "CompanyId": "48213", "JournalContactId": "7", "BillingContactId": "8", "LastUpdatedId": "11",
        "Reference": "12", "TwitterId": "13", "PurchaseOrderNumber": "14", "ShippingContactId": "N104", "_links": [],
        "QuickPayment": {"BankedToAccountId": "9001", "Reference": "15"},
        "PaymentItems": [{"InvoiceTransactionId": "57", "AmountPaid": Decimal("1.10")}],
        "LineItems": [{"InventoryId": "301455", "AccountId": "9040", "TaxCode": "10", "Tags": ["16"]}],
    }  # fmt: skip
    assert with_numbers(body) == {
        "ContactId": "0400123", "CompanyId": 48213, "JournalContactId": 7, "BillingContactId": 8, "LastUpdatedId": "11",
        "Reference": "12", "TwitterId": "13", "PurchaseOrderNumber": "14", "ShippingContactId": "N104",
        "QuickPayment": {"BankedToAccountId": 9001, "Reference": "15"},
        "PaymentItems": [{"InvoiceTransactionId": 57, "AmountPaid": Decimal("1.10")}],
        "LineItems": [{"InventoryId": 301455, "AccountId": 9040, "TaxCode": "10", "Tags": ["16"]}],
    }  # fmt: skip


def test_the_refusals_of_the_books_are_told_apart(desk: Desk) -> None:
    stocked = next(one for one in desk.records("item") if one["IsInventoried"] and one["Type"] == "I")
    line: Json = [
        {
            "TaxCode": "G1",
            "InventoryId": stocked["Id"],
            "Quantity": 999_999,
            "UnitPrice": 1,
            "Description": "x",
        }
    ]
    endings: dict[str, Ending] = {
        "negative-stock": send(desk, effect_of("invoice", "N1", invoice_body("N1", LineItems=line))),
        "overpayment": send(
            desk, effect_of("invoice", "N2", invoice_body("N2", **quick_payment("P", "99.91")))
        ),
    }
    desk.settings(locked_until="2026-09-30")
    endings["locked-period"] = send(desk, effect_of("invoice", "N3", invoice_body("N3")))
    desk.settings(locked_until=None, item_layout=False)
    endings["feature-missing"] = send(desk, effect_of("invoice", "N4", invoice_body("N4")))
    desk.settings(item_layout=True)
    assert {code: ending.code for code, ending in endings.items() if isinstance(ending, Refused)} == {
        code: code for code in endings
    }
    assert desk.records("invoice") == []
    assert desk.records("payment") == []


def test_a_number_or_code_that_is_taken_is_evidence_and_no_failure(desk: Desk) -> None:
    desk.made("/Invoice", invoice_body("N1"))
    assert isinstance(send(desk, effect_of("invoice", "N1", invoice_body("N1"))), Exists)
    assert isinstance(send(desk, effect_of("item", "SHIPPING", item_body("SHIPPING"))), Exists)


def test_what_is_unknown_to_saasu_is_not_sent(desk: Desk) -> None:
    assert send(desk, effect_of("stock", "A", {})) == Refused(
        "unknown-kind", "Nothing is known of 'stock' in Saasu."
    )
    assert desk.calls() == {}


# --- change ----------------------------------------------------------------------------------------------------------


def test_a_change_keeps_all_that_it_does_not_name(desk: Desk) -> None:
    contact = desk.made(
        "/Contact", contact_body("priya", CustomField1="gold", MobilePhone="0400", IsSupplier=True)
    )
    remote = written(desk, change("contact", contact, {"MobilePhone": "0411"}, "priya"))
    assert (remote.remote_id, remote.external_id) == (str(contact), "priya")
    [held] = [one for one in desk.records("contact") if one["Id"] == contact]
    assert (held["MobilePhone"], held["CustomField1"], held["IsSupplier"], held["IsActive"]) == (
        "0411",
        "gold",
        True,
        True,
    )
    assert (held["EmailAddress"], held["ContactId"]) == ("priya@tea.example", "priya")
    assert desk.calls() == {"POST /Contact": 1, "GET /Contact/{id}": 1, "PUT /Contact/{id}": 1}


def test_an_order_becomes_an_invoice_with_its_lines_payments_and_notes(desk: Desk) -> None:
    order = desk.made("/Invoice", invoice_body("N1", InvoiceType="Sale Order", NotesInternal="ring first"))
    desk.made("/Payment", payment_body("P1", order, "9.90"))
    assert written(desk, change("invoice", order, {"InvoiceType": "Tax Invoice"})).number == "N1"
    [held] = desk.records("invoice")
    assert (held["InvoiceType"], held["InvoiceStatus"], held["NotesInternal"]) == (
        "Tax Invoice",
        "I",
        "ring first",
    )
    assert (held["TotalAmount"], held["AmountPaid"], len(held["LineItems"])) == (
        "99.90",
        "9.90",
        1,
    )


def test_lines_are_replaced_whole(desk: Desk) -> None:
    invoice = desk.made("/Invoice", invoice_body("N1"))
    lines = invoice_body("N1", "10.00")["LineItems"]
    written(desk, change("invoice", invoice, {"LineItems": lines}))
    [held] = desk.records("invoice")
    assert (held["TotalAmount"], len(held["LineItems"])) == ("20.00", 1)


def test_a_paid_invoice_in_another_currency_keeps_the_rate_it_was_paid_at(desk: Desk) -> None:
    invoice = desk.made(
        "/Invoice", invoice_body("N1", Currency="USD", AutoPopulateFxRate=False, FxRate=Decimal("1.5"))
    )
    desk.made("/Payment", payment_body("P1", invoice, "9.90", Currency="USD", AutoPopulateFxRate=True))
    assert isinstance(send(desk, change("invoice", invoice, {"Summary": "changed"})), Confirmed)
    held: dict[str, Json] = {"AutoPopulateFxRate": True, "FxRate": Decimal("1.53"), "LastUpdatedId": "A"}
    assert merged(held, {}) == {"AutoPopulateFxRate": False, "FxRate": Decimal("1.53"), "LastUpdatedId": "A"}


def test_what_was_read_with_it_and_is_not_writable_stays_out() -> None:
    held: dict[str, Json] = {
        "TransactionId": 1, "Summary": "a", "TotalAmount": 2, "AmountOwed": 1, "_links": [{"href": "wsaccesskey=x"}],
        "LineItems": [{"Id": 1, "TotalAmount": Decimal("2.00"), "_links": []}], "LastUpdatedId": "A",
        "BillingContactFirstName": "P", "CreatedDateUtc": "x",
    }  # fmt: skip
    assert merged(held, {"Summary": "b", "LastUpdatedId": "old"}) == {
        "Summary": "b", "LineItems": [{"Id": 1, "TotalAmount": Decimal("2.00")}], "LastUpdatedId": "A",
    }  # fmt: skip


def test_a_record_changed_between_reading_and_replacing_is_read_again(desk: Desk) -> None:
    contact = desk.made("/Contact", contact_body("priya"))
    raced: list[str] = []

    def race(point: str) -> None:
        if point == "saasu.read" and not raced:
            raced.append(point)
            desk.put(f"/Contact/{contact}", HomePhone="99")

    faultpoints.install(race)
    try:
        effect = change("contact", contact, {"MobilePhone": "0411"}, "priya")
        assert isinstance(send(desk, effect), NotSent)
        assert isinstance(send(desk, effect), Confirmed)
    finally:
        faultpoints.install(None)
    [held] = [one for one in desk.records("contact") if one["Id"] == contact]
    assert (held["HomePhone"], held["MobilePhone"]) == ("99", "0411")


@pytest.mark.parametrize("kind", ["contact", "item", "invoice", "company", "payment", "journal"])
def test_a_record_that_is_gone_is_said_to_be_gone_and_nothing_is_written(desk: Desk, kind: str) -> None:
    ending = send(desk, change(kind, 99_999_999, {"Summary": "x"}))
    assert isinstance(ending, Refused)
    assert ending.code == "gone"
    assert all(call.startswith("GET") for call in desk.calls())


def test_without_an_id_the_record_is_found_by_our_reference(desk: Desk) -> None:
    invoice = desk.made("/Invoice", invoice_body("N1"))
    assert written(desk, change("invoice", "", {"Summary": "x"})).remote_id == str(invoice)
    ending = send(desk, change("invoice", "", {"Summary": "x"}, "N2"))
    assert isinstance(ending, Refused)
    assert ending.code == "gone"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "5xx_before", "status": 500, "method": "GET"}, NotSent),
        ({"kind": "cut_before", "method": "GET"}, NotSent),
        ({"kind": "html_200", "method": "GET"}, NotSent),
        ({"kind": "429", "retry_after": 9, "method": "GET"}, NotSent),
        ({"kind": "token_expired"}, CredentialsRefused),
        ({"kind": "5xx_before", "status": 500, "method": "PUT"}, Unknown),
        ({"kind": "cut_after", "method": "PUT"}, Unknown),
        ({"kind": "truncated_body", "method": "PUT"}, Unknown),
    ],
)
def test_a_change_that_could_not_be_read_first_was_not_made(
    desk: Desk, fault: dict[str, Any], expected: type[Ending]
) -> None:
    contact = desk.made("/Contact", contact_body("priya"))
    desk.fault(**fault)
    assert type(send(desk, change("contact", contact, {"MobilePhone": "0411"}, "priya"))) is expected


def test_contact_and_company_are_not_changed_at_once(desk: Desk) -> None:
    ending = send(desk, change("contactAggregate", 1, {}))
    assert isinstance(ending, Refused)
    assert ending.code == "update-not-supported"


# --- deletion --------------------------------------------------------------------------------------------------------


def test_an_invoice_is_deleted_in_one_call_and_once(desk: Desk) -> None:
    invoice = desk.made("/Invoice", invoice_body("N1"))
    desk.forget_calls()
    assert written(desk, void("invoice", invoice)).remote_id == str(invoice)
    assert desk.calls() == {"DELETE /Invoice/{id}": 1}
    assert desk.records("invoice") == []
    again = send(desk, void("invoice", invoice))
    assert isinstance(again, Refused)
    assert again.code == "gone"


def test_a_paid_invoice_is_not_deleted(desk: Desk) -> None:
    invoice = desk.made("/Invoice", invoice_body("N1", **quick_payment("P1", "1.00")))
    assert isinstance(send(desk, void("invoice", invoice)), Refused)
    assert len(desk.records("invoice")) == 1


def test_nothing_but_transactions_is_deleted(desk: Desk) -> None:
    ending = send(desk, void("contact", 5))
    assert isinstance(ending, Refused)
    assert ending.code == "void-not-supported"
    assert desk.calls() == {}


@pytest.mark.parametrize("kind", ["cut_after", "html_200", "5xx_before"])
def test_a_deletion_whose_answer_is_lost_is_unknown(desk: Desk, kind: str) -> None:
    invoice = desk.made("/Invoice", invoice_body("N1"))
    desk.fault(kind, method="DELETE")
    assert isinstance(send(desk, void("invoice", invoice)), Unknown)


def test_the_point_a_drill_stops_at_comes_after_each_answer(desk: Desk) -> None:
    points: list[str] = []
    faultpoints.install(points.append)
    try:
        invoice = written(desk, effect_of("invoice", "N1", invoice_body("N1"))).remote_id
        written(desk, change("invoice", invoice, {"Summary": "x"}))
        written(desk, void("invoice", invoice))
    finally:
        faultpoints.install(None)
    assert [point for point in points if point.startswith("saasu")] == [
        "saasu.answered", "saasu.read", "saasu.answered", "saasu.answered",
    ]  # fmt: skip
