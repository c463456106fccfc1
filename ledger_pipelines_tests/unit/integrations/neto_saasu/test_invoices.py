"""What becomes of an order: one invoice, whatever day it is planned under."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.sales import Address, Charge, ChargeKind, DocumentKind, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu import contacts
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.invoices import (
    decide,
    invoice_key,
    payment_reference,
    rows,
    select,
)
from ledger_pipelines.integrations.neto_saasu.references import convert_key, payment_key, update_key
from ledger_pipelines.systems.saasu.records import SaasuPayment
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import (
    DAY,
    PAT,
    aud,
    body_of,
    books,
    context,
    d,
    known,
    line,
    order,
    payment,
    saasu_invoice,
    saasu_item,
    set_up_items,
    settings,
)
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_invoices import (
    PAID,
    confirmed,
    effect_of,
    only,
)

# --- new -------------------------------------------------------------------------------------------------------------


def test_an_order_becomes_an_invoice_with_exactly_this_request() -> None:
    tee = line("TEE-RED-M", "2", "33.00000000", "59.40", discount_percent=d("10"))
    shipping = Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00"), "Standard Post")
    one = order("N10234", tee, charges=(shipping,), purchase_order="PO-77", note="Ring first")
    ctx = context([one], choices=settings(orders_to_saasu={"prefix": "W-", "due_days": 14, "tag": "neto"}))
    decision = decide(ctx, one)
    (row,) = decision.rows
    assert (row.action, row.reason.code, row.kind, row.amount) == (
        Action.CREATE,
        "new-invoice",
        "invoice",
        aud("70.40"),
    )
    effect = row.effect
    assert effect is not None
    assert (effect.key, effect.external_id, effect.number) == (invoice_key(ctx, one), "W-N10234", "N10234")
    assert (effect.expected.amount, effect.expected.day, effect.expected.lines) == (aud("70.40"), DAY, 2)
    assert body_of(effect) == {
        "TransactionType": "S", "Layout": "I", "InvoiceType": "Tax Invoice", "TransactionDate": "2025-03-03",
        "DueDate": "2025-03-17", "InvoiceNumber": "W-N10234", "PurchaseOrderNumber": "W-N10234",
        "Summary": "Order N10234, your order PO-77", "BillingContactId": "501", "ShippingContactId": "501", "Currency": "AUD",
        "IsTaxInc": True, "AutoPopulateFxRate": False, "Tags": ["neto"], "NotesInternal": "Ring first",
        "LineItems": [
            {"Description": "Tee-Red-M", "TaxCode": "G1", "InventoryId": "101", "Quantity": 2, "UnitPrice": 33,
             "PercentageDiscount": 10},
            {"Description": "Shipping - Standard Post", "TaxCode": "G1", "InventoryId": "201", "Quantity": 1, "UnitPrice": 11,
             "PercentageDiscount": 0},
        ],
    }  # fmt: skip
    assert (decision.invoice, decision.total, decision.owed) == (
        {"$link": effect.key},
        aud("70.40"),
        aud("70.40"),
    )
    assert (decision.reason, decision.quick, decision.ours) == (None, None, True)


def test_the_day_of_the_plan_is_nowhere_in_the_request() -> None:
    """Otherwise the same order under two days would be two intents, and one of them held."""
    one = order("N1", payments=(payment(),))
    first = effect_of(context([one], choices=PAID), one)
    second = effect_of(context([one], choices=PAID, day=date(2025, 4, 1), today=date(2025, 4, 2)), one)
    assert replace(second, partition=first.partition) == first


def test_an_unknown_buyer_is_linked_to_the_effect_that_makes_them() -> None:
    one = order("N1")
    ctx = context([one], file=books(contacts=()))
    body = body_of(effect_of(ctx, one))
    assert body["BillingContactId"] == {"$link": contacts.rows(ctx, [one])[0].key}
    assert decide(ctx, one).contact == body["BillingContactId"]


def test_what_cannot_be_laid_out_or_billed_waits_with_its_reason() -> None:
    odd = order("N1", line(), total="16.48")
    found = decide(context([odd]), odd)
    assert only(found) == (Action.BLOCKED, "does-not-foot")
    assert (found.invoice, found.reason) == (None, found.rows[0].reason)
    off = settings(customers_to_saasu={"enabled": False})
    one = order("N2")
    assert only(decide(context([one], file=books(contacts=()), choices=off), one)) == (
        Action.BLOCKED,
        "contact-unknown",
    )


def test_saasu_numbers_where_that_is_chosen_and_our_number_is_the_purchase_order() -> None:
    one = order("N1")
    body = body_of(effect_of(context([one], choices=settings(orders_to_saasu={"numbering": "auto"})), one))
    assert (body["InvoiceNumber"], body["PurchaseOrderNumber"]) == ("<Auto Number>", "N1")


def test_a_foreign_order_lets_saasu_find_the_rate() -> None:
    one = order("N1", currency="USD")
    body = body_of(effect_of(context([one]), one))
    assert (body["Currency"], body["AutoPopulateFxRate"]) == ("USD", True)


def test_a_delivery_elsewhere_is_said_on_the_document() -> None:
    away = replace(PAT, shipping=Address("Dock 4\n12 Wharf Rd", "Newcastle", "NSW", "2300", "AU"))
    note = line("TEXT_NOTE", "1", "0", "0.00", tax="0.00", text_only=True, description="Gift: happy birthday")
    one = order("N1", line(), note, party=away)
    assert body_of(effect_of(context([one]), one))["NotesExternal"] == (
        "Gift: happy birthday\nDeliver to: Dock 4, 12 Wharf Rd, Newcastle NSW 2300, Australia"
    )


def test_a_due_date_before_the_invoice_is_the_invoices_day() -> None:
    one = order("N1", due=date(2025, 3, 1))
    assert body_of(effect_of(context([one]), one))["DueDate"] == "2025-03-03"


def test_a_long_number_of_the_buyers_goes_into_the_notes_whole() -> None:
    theirs = "P" * 60
    body = body_of(effect_of(context(), order("N1", purchase_order=theirs)))
    assert body["Summary"] == "Order N1"
    assert theirs in str(body["NotesExternal"])


@pytest.mark.parametrize(("status", "kind"), [("Pick", "Sale Order"), ("Dispatched", "Tax Invoice")])
def test_a_sale_order_unless_the_status_says_invoice(status: str, kind: str) -> None:
    choices = settings(orders_to_saasu={"invoice_type": "Sale Order", "convert_statuses": ("Dispatched",)})
    one = order("N1", status=status)
    assert body_of(effect_of(context([one], choices=choices), one))["InvoiceType"] == kind


# --- selection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": DocumentKind.QUOTE}, "quote"),
        ({"status": "New"}, "status-not-exported"),
        ({"cancelled": True, "status": "Cancelled"}, "cancelled"),
        ({"day": date(2024, 12, 31)}, "before-first-day"),
    ],
)
def test_orders_that_are_not_exported_say_why(change: dict[str, Any], code: str) -> None:
    one = order("N1", **change)
    found = decide(context([one]), one)
    assert only(found) == (Action.SKIP, code)
    assert (found.invoice, found.reason) == (None, found.rows[0].reason)


def test_mode_test_is_about_the_test_orders_only() -> None:
    choices = settings(general={"test_orders": ("N1",)})
    ctx = context(choices=choices, mode=Mode.TEST)
    assert select(ctx, order("N1")) is None
    reason = select(ctx, order("N2"))
    assert reason is not None
    assert reason.code == "not-a-test-order"


def test_an_exported_order_stays_whatever_its_status_becomes() -> None:
    one = order("N1")
    ctx = context([one], known=[confirmed(one)])
    assert only(decide(ctx, replace(one, status="On Hold"))) == (Action.SKIP, "already-there")


def test_an_ignored_order_has_no_invoice() -> None:
    one = order("N1")
    found = decide(context([one], ignored=[invoice_key(context(), one)]), one)
    assert only(found) == (Action.SKIP, "ignored-by-user")
    assert found.invoice is None


def test_rows_come_in_the_order_of_the_orders() -> None:
    many = [order("N2"), order("N1"), order("N3", status="New")]
    assert [row.number for row in rows(context(many), many)] == ["N2", "N1", "N3"]


# --- the payment that goes along -------------------------------------------------------------------------------------


def test_the_first_payment_goes_in_the_same_call() -> None:
    late = payment("5502", "6.50", at=datetime(2025, 3, 4, 20, 0, tzinfo=UTC))
    early = payment("5501", "10.00", at=datetime(2025, 3, 3, 20, 0, tzinfo=UTC), method="CARD")
    one = order("N1", payments=(late, early))
    ctx = context([one], choices=PAID)
    decision = decide(ctx, one)
    assert body_of(decision.rows[0].effect)["QuickPayment"] == {
        "DatePaid": "2025-03-04", "BankedToAccountId": "9001", "Amount": 10, "Reference": payment_reference(ctx, "5501"),
        "Summary": "Payment of N1",
    }  # fmt: skip
    assert decision.quick is not None
    assert (decision.quick.payment, decision.quick.amount) == ("5501", aud("10.00"))
    assert (decision.total, decision.owed) == (aud("16.50"), aud("6.50"))


@pytest.mark.parametrize(
    ("change", "payments"),
    [
        ({"amount": "16.51"}, {}),
        ({"amount": "0.00"}, {}),
        ({"method": "Cash"}, {}),
        ({}, {"quick": False}),
        ({}, {"enabled": False}),
        ({"method": "PayPal"}, {"methods": {"PayPal": "PayPal"}, "fee_percent": {"PayPal": "2.6"}}),
    ],
)
def test_a_payment_that_cannot_go_along_whole_is_left_to_its_own_flow(
    change: dict[str, Any], payments: dict[str, Any]
) -> None:
    one = order("N1", payments=(payment(**change),))
    ctx = context([one], choices=settings(payments={"methods": {"card": "Bank"}} | payments))
    decision = decide(ctx, one)
    assert "QuickPayment" not in body_of(decision.rows[0].effect)
    assert (decision.quick, decision.owed) == (None, aud("16.50"))


def test_a_payment_that_a_user_ignores_does_not_go_along() -> None:
    """Who ignores the row of a payment while its order waits has booked the money by hand."""
    one = order("N1", payments=(payment(),))
    decision = decide(context([one], choices=PAID, ignored=[payment_key(context(), "5501")]), one)
    assert "QuickPayment" not in body_of(decision.rows[0].effect)
    assert (decision.quick, decision.owed) == (None, aud("16.50"))


def test_a_payment_ignored_after_it_was_approved_does_not_go_along() -> None:
    """It went out inside an invoice written later and was in the bank twice: the journal has its state, not a line of the worklist."""
    one = order("N1", payments=(payment(),))
    key = payment_key(context(), "5501")
    ignored = Known(key, "payment", Action.CREATE, EffectState.IGNORED, "{}", "")
    decision = decide(context([one], choices=PAID, known=[ignored]), one)
    assert "QuickPayment" not in body_of(decision.rows[0].effect)
    assert (decision.quick, decision.owed) == (None, aud("16.50"))


def test_a_payment_that_the_books_have_is_not_written_again() -> None:
    """The journal was lost; the payment came from an invoice that a person deleted, say."""
    one = order("N1", payments=(payment(),))
    there = SaasuPayment("81", "neto-pay-5501", DAY, "9001", d("16.50"), d("0"), "AUD", "", None)
    assert decide(context([one], choices=PAID, file=books(payments=(there,))), one).quick is None


def test_what_was_paid_in_the_call_is_known_from_the_journal() -> None:
    """The order's payments may be others by now; a payment must not be written twice, nor forgotten."""
    one = order("N1", payments=(payment("5501", "10.00"),))
    ours = confirmed(one, choices=PAID)
    before = replace(
        one, payments=(payment("5400", "1.00", at=datetime(2025, 3, 1, tzinfo=UTC)), *one.payments)
    )
    for state in (EffectState.CONFIRMED, EffectState.UNKNOWN, EffectState.HELD):
        found = decide(context([before], choices=PAID, known=[replace(ours, state=state)]), before)
        assert found.quick is not None
        assert (found.quick.payment, found.quick.sure, found.owed) == ("5501", True, aud("6.50"))
    adopted = decide(context([before], choices=PAID, known=[replace(ours, adopted=True)]), before)
    assert adopted.quick is not None
    assert not adopted.quick.sure


def test_a_payment_after_the_export_changes_nothing_of_the_invoice() -> None:
    one = order("N1")
    paid = replace(one, payments=(payment(),))
    found = decide(context([paid], choices=PAID, known=[confirmed(one)]), paid)
    assert only(found) == (Action.SKIP, "already-there")
    assert (found.quick, found.owed) == (None, aud("16.50"))


# --- already in the books --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["number", "purchase_order"])
def test_someone_elses_invoice_of_the_order_is_paid_and_not_repeated(field: str) -> None:
    there = saasu_invoice("70", "", "16.50", purchase_order="", owed=d("6.50"))
    one = order("N1")
    told: dict[str, Any] = {field: "n1"}
    ctx = context([one], file=books(invoices=(replace(there, **told),)))
    found = decide(ctx, one)
    assert only(found) == (Action.SKIP, "already-booked")
    assert (found.invoice, found.ours, found.total, found.owed) == ("70", False, aud("16.50"), aud("6.50"))


def test_a_number_taken_by_another_sale_blocks_with_both_totals() -> None:
    one = order("N1")
    found = decide(context([one], file=books(invoices=(saasu_invoice("70", "N1", "99.00"),))), one)
    assert only(found) == (Action.BLOCKED, "number-taken")
    assert "99.00 AUD" in found.rows[0].reason.text
    assert "16.50 AUD" in found.rows[0].reason.text
    assert found.invoice is None


def test_with_a_prefix_the_bare_number_is_another_sale() -> None:
    one = order("N1")
    file = books(invoices=(saasu_invoice("70", "N1", "99.00"),))
    ctx = context([one], file=file, choices=settings(orders_to_saasu={"prefix": "W-"}))
    assert only(decide(ctx, one)) == (Action.CREATE, "new-invoice")


def test_a_sale_that_was_deleted_takes_no_number() -> None:
    one = order("N1")
    file = books(invoices=(saasu_invoice("70", "N1", "99.00"),), deleted=frozenset({("Sale", "70")}))
    assert only(decide(context([one], file=file), one)) == (Action.CREATE, "new-invoice")


def test_an_adjustment_note_of_that_number_is_not_the_invoice() -> None:
    one = order("N1")
    file = books(invoices=(saasu_invoice("70", "N1", "-16.50", kind="Adjustment Note"),))
    assert only(decide(context([one], file=file), one)) == (Action.CREATE, "new-invoice")


@pytest.mark.parametrize(
    ("state", "action"),
    [(EffectState.UNKNOWN, Action.SKIP), (EffectState.SENT, Action.SKIP), (EffectState.HELD, Action.BLOCKED)],
)
def test_an_invoice_in_doubt_is_not_planned_again_and_payments_wait_for_it(
    state: EffectState, action: Action
) -> None:
    one = order("N1")
    ours = replace(confirmed(one), state=state, remote_id="")
    found = decide(
        context([one], known=[ours], file=books(invoices=(saasu_invoice("70", "N1", "16.50"),))), one
    )
    assert [row.action for row in found.rows] == [action]
    assert found.rows[0].effect is None
    assert found.invoice == {"$link": ours.key}


def test_an_invoice_deleted_in_saasu_is_never_written_again_by_itself() -> None:
    one = order("N1")
    gone = books(deleted=frozenset({("Sale", "70")}))
    found = decide(context([one], known=[confirmed(one)], file=gone), one)
    assert only(found) == (Action.BLOCKED, "deleted-in-saasu")
    assert found.invoice is None


# --- for want of stock -----------------------------------------------------------------------------------------------


def refused_for_stock(one: SalesDocument) -> Known:
    return replace(confirmed(one), state=EffectState.REFUSED, code="negative-stock", remote_id="")


def test_a_refusal_for_want_of_stock_is_answered_by_a_sale_order_under_the_same_key() -> None:
    one = order("N1")
    ctx = context([one], known=[refused_for_stock(one)])
    (row,) = decide(ctx, one).rows
    assert (row.action, row.reason.code, row.key) == (
        Action.CREATE,
        "sale-order-for-stock",
        invoice_key(ctx, one),
    )
    body = body_of(row.effect)
    assert body["InvoiceType"] == "Sale Order"
    assert "want of stock" in str(body["NotesInternal"])
    assert row.effect is not None
    revised = known(row.effect, EffectState.APPROVED)
    assert effect_of(context([one], known=[revised]), one).body == row.effect.body, (
        "a run that was cut short goes on"
    )
    off = settings(orders_to_saasu={"retry_as_sale_order": False})
    assert (
        body_of(effect_of(context([one], known=[refused_for_stock(one)], choices=off), one))["InvoiceType"]
        == "Tax Invoice"
    )


def test_it_becomes_an_invoice_when_there_is_stock() -> None:
    one = order("N1", line("MUG-01", "2", "16.50"))
    fallback = known(effect_of(context([one], known=[refused_for_stock(one)]), one), remote_id="70")

    def with_stock(on_hand: str) -> Decision:
        file = books(items=(*set_up_items(), saasu_item("102", "MUG-01", on_hand=d(on_hand))))
        return decide(context([one], known=[fallback], file=file), one)

    waits = with_stock("1")
    assert only(waits) == (Action.SKIP, "waits-for-stock")
    assert "MUG-01" in waits.rows[0].reason.text
    assert only(with_stock("2")) == (Action.UPDATE, "convert")


# --- conversion ------------------------------------------------------------------------------------------------------

ORDERS_FIRST = settings(orders_to_saasu={"invoice_type": "Sale Order", "convert_statuses": ("Dispatched",)})


def test_a_dispatched_order_turns_its_sale_order_into_an_invoice_once() -> None:
    one = order("N1")
    ours = confirmed(one, choices=ORDERS_FIRST)
    sent = replace(one, status="Dispatched")
    ctx = context([sent], choices=ORDERS_FIRST, known=[ours])
    (row,) = decide(ctx, sent).rows
    assert (row.action, row.reason.code, row.key) == (Action.UPDATE, "convert", convert_key(ctx, one))
    effect = row.effect
    assert effect is not None
    assert (body_of(effect), effect.target_id) == ({"InvoiceType": "Tax Invoice"}, f"$link:{ours.key}")
    done = context([sent], choices=ORDERS_FIRST, known=[ours, known(effect)])
    assert only(decide(done, sent)) == (Action.SKIP, "already-there")
    assert only(decide(done, one)) == (Action.SKIP, "already-there"), "there is no way back"
    by_hand = books(invoices=(saasu_invoice("70", "N1", "16.50"),))
    assert only(decide(context([sent], choices=ORDERS_FIRST, known=[ours], file=by_hand), sent)) == (
        Action.SKIP,
        "already-there",
    )


def test_a_sale_order_whose_conversion_is_refused_for_want_of_stock_waits_for_stock() -> None:
    one = order("N1", line("MUG-01", "2", "16.50"), note="Ring first")
    ours = confirmed(one, choices=ORDERS_FIRST)
    sent = replace(one, status="Dispatched")

    def rows_with(*more: Known, on_hand: str = "1", **choices: Any) -> Decision:
        file = books(items=(*set_up_items(), saasu_item("102", "MUG-01", on_hand=d(on_hand))))
        orders = {"invoice_type": "Sale Order", "convert_statuses": ("Dispatched",)} | choices
        return decide(
            context([sent], choices=settings(orders_to_saasu=orders), known=[ours, *more], file=file), sent
        )

    (convert,) = rows_with().rows
    assert convert.reason.code == "convert"
    assert convert.effect is not None
    refused = known(convert.effect, EffectState.REFUSED, code="negative-stock")
    (stays,) = rows_with(refused).rows
    assert (stays.action, stays.reason.code, stays.key) == (
        Action.UPDATE,
        "sale-order-for-stock",
        update_key(context(), one, 0, 1),
    )
    assert body_of(stays.effect) == {
        "NotesInternal": "Ring first\nWritten as a sale order: Saasu refused the invoice for want of stock."
    }
    assert stays.effect is not None
    noted = known(stays.effect, remote_id="70")
    waits = rows_with(noted)
    assert only(waits) == (Action.SKIP, "waits-for-stock")
    assert "MUG-01" in waits.rows[0].reason.text
    (again,) = rows_with(noted, on_hand="2").rows
    assert (again.reason.code, again.effect) == ("convert", convert.effect)
    assert only(rows_with(noted, refused, on_hand="2")) == (Action.SKIP, "waits-for-stock"), (
        "what was read of stock was too old: the refusal is taken out, and the next plan asks again"
    )
    done = rows_with(noted, known(convert.effect, remote_id="70"), on_hand="0")
    assert only(done) == (Action.SKIP, "already-there")
    assert rows_with(refused, retry_as_sale_order=False).rows[0].reason.code == "convert"
