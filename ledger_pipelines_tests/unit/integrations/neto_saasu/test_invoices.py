"""What becomes of an order: one invoice, whatever day it is planned under, and nothing silent when the order changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, Effect, EffectState, Mode
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import Address, Charge, ChargeKind, DocumentKind, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu import contacts
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.invoices import (
    credit_key,
    decide,
    invoice_key,
    payment_reference,
    rows,
    select,
)
from ledger_pipelines.integrations.neto_saasu.items import item_key
from ledger_pipelines.integrations.neto_saasu.references import convert_key, payment_key, update_key, void_key
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
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
    product,
    saasu_contact,
    saasu_invoice,
    saasu_item,
    set_up_items,
    settings,
    shop,
)

PAID = settings(payments={"methods": {"card": "Bank"}})
LATER = datetime(2025, 3, 9, 15, 0, tzinfo=UTC)  # the 10th in Sydney


def effect_of(ctx: Context, one: SalesDocument, place: int = 0) -> Effect:
    effect = decide(ctx, one).rows[place].effect
    assert effect is not None
    return effect


def confirmed(one: SalesDocument, remote_id: str = "70", **other: Any) -> Known:
    """The journal after the order was exported."""
    return known(effect_of(context([one], **other), one), remote_id=remote_id)


def only(decision: Decision) -> tuple[Action, str]:
    (row,) = decision.rows
    return row.action, row.reason.code


def codes(decision: Decision) -> list[tuple[Action, str]]:
    return [(row.action, row.reason.code) for row in decision.rows]


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


# --- edited ----------------------------------------------------------------------------------------------------------


def on_edit(what: str, **other: Any) -> NetoSaasuSettings:
    return settings(orders_to_saasu={"on_edit": what} | other)


ONE = order("N1", line(), line("TEE-RED-M", "1", "33.00"))
EDITED = replace(order("N1", line("MUG-01", "2", "16.50")), changed=LATER)
"""A mug more, the tee taken off: 33.00 for 49.50."""


def edited(
    choices: NetoSaasuSettings, more: Iterable[Known] = (), order_: SalesDocument = EDITED, **invoice: Any
) -> Decision:
    there = saasu_invoice("70", "N1", **({"total": "49.50"} | invoice))
    return decide(
        context([order_], known=[confirmed(ONE), *more], choices=choices, file=books(invoices=(there,))),
        order_,
    )


def test_an_unchanged_order_is_left_alone_whatever_the_setting() -> None:
    for what in ("report", "update", "credit"):
        assert only(edited(on_edit(what), order_=replace(ONE, changed=LATER))) == (
            Action.SKIP,
            "already-there",
        )


@pytest.mark.parametrize(
    "change",
    [
        {"tag": "new"},
        {"due_days": 30},
        {"tax_codes": {"GST": "G1"}},
        {"shipping_item": "SURCHARGE"},
        {"numbering": "auto"},
    ],
)
def test_a_change_of_settings_is_no_change_of_orders(change: dict[str, Any]) -> None:
    """Otherwise a replay of the history after a change of settings would rewrite or report all of it."""
    one = order("N1", charges=(Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00")),))
    ctx = context([one], known=[confirmed(one)], choices=on_edit("update", **change))
    assert only(decide(ctx, one)) == (Action.SKIP, "already-there")


def test_a_contact_that_was_made_meanwhile_is_no_other_customer() -> None:
    one = order("N1")
    nobody = books(contacts=())
    (row,) = contacts.rows(context([one], file=nobody), [one])
    assert row.effect is not None
    ours = confirmed(one, file=nobody)
    assert only(decide(context([one], known=[ours, known(row.effect, remote_id="501")]), one)) == (
        Action.SKIP,
        "already-there",
    )


def test_a_change_is_reported_line_by_line() -> None:
    found = edited(on_edit("report"))
    assert only(found) == (Action.BLOCKED, "order-edited")
    text = found.rows[0].reason.text
    for words in (
        "49.50 AUD is now 33.00 AUD",
        "'1 x Tee-Red-M at 33.00' is gone",
        "'2 x Mug-01 at 16.50' is new",
    ):
        assert words in text
    assert (found.invoice, found.total) == ({"$link": invoice_key(context(), ONE)}, aud("49.50"))


def test_another_sku_of_the_same_name_and_price_is_an_edit() -> None:
    """Otherwise stock and cost of both items would be wrong for ever."""
    was = order("N1", line("MUG-01", description="Enamel mug"))
    now = order("N1", line("MUG-01B", description="Enamel mug"), changed=LATER)
    file = books(
        items=(*books().items, saasu_item("103", "MUG-01B")), invoices=(saasu_invoice("70", "N1", "16.50"),)
    )
    store = shop([now], items={sku: product(sku) for sku in ("MUG-01", "MUG-01B")})
    ctx = context([now], known=[confirmed(was)], file=file, store=store)
    found = decide(ctx, now)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "'1 x Enamel mug at 16.50' was of item MUG-01, and is of MUG-01B now" in found.rows[0].reason.text
    updated = decide(replace(ctx, settings=on_edit("update")), now)
    assert only(updated) == (Action.UPDATE, "order-edited")
    assert set(body_of(updated.rows[0].effect)) == {"LineItems"}


def test_a_code_that_saasu_gives_to_another_item_is_no_edit_of_the_order() -> None:
    one = order("N1", line("MUG-01", description="Enamel mug"))
    others = tuple(item for item in books().items if item.code != "MUG-01")
    (mug,) = (item for item in books().items if item.code == "MUG-01")
    file = books(
        items=(*others, replace(mug, code="MUG-OLD"), saasu_item("103", "MUG-01")),
        invoices=(saasu_invoice("70", "N1", "16.50"),),
    )
    store = shop([one], items={"MUG-01": product("MUG-01")})
    for chosen in ("report", "update", "credit"):
        ctx = context([one], known=[confirmed(one)], file=file, store=store, choices=on_edit(chosen))
        assert only(decide(ctx, one)) == (Action.SKIP, "already-there")


def _exchanged(written_at: datetime | None, changed: datetime, *, adopted: bool = False) -> Context:
    """An order of MUG-01, whose item is MUG-02 by now, and the item of MUG-02 is MUG-01; the store sells both."""
    one = order("N1", line("MUG-01", description="Enamel mug"), changed=changed)
    mug, other = saasu_item("102", "MUG-01"), saasu_item("103", "MUG-02")
    was = books(items=(*set_up_items(), mug, other))
    now = (replace(mug, code="MUG-02"), replace(other, code="MUG-01"))
    file = books(items=(*set_up_items(), *now), invoices=(saasu_invoice("70", "N1", "16.50"),))
    store = shop([one], items={sku: product(sku) for sku in ("MUG-01", "MUG-02")})
    mine = replace(confirmed(one, file=was), confirmed_at=written_at, adopted=adopted)
    return context([one], known=[mine], file=file, store=store, choices=on_edit("credit"))


def test_two_codes_that_are_exchanged_in_saasu_are_no_edit_of_orders_that_stayed_as_they_were() -> None:
    """After a change of settings all orders of the past are planned again: each of them was credited and posted anew."""
    for at in (LATER, LATER + timedelta(days=9)):
        ctx = _exchanged(at, LATER)
        assert only(decide(ctx, ctx.shop.orders["N1"])) == (Action.SKIP, "already-there")


def test_of_an_order_that_may_have_changed_since_it_was_written_another_item_is_an_edit() -> None:
    """Neither is known of what was found there: it may have been written long before."""
    for ctx in (
        _exchanged(LATER - timedelta(seconds=1), LATER),
        _exchanged(None, LATER),
        _exchanged(LATER, LATER, adopted=True),
    ):
        assert set(codes(decide(ctx, ctx.shop.orders["N1"]))) == {(Action.CREATE, "order-edited")}


def test_an_item_that_the_flow_of_items_made_is_the_same_by_link_and_by_id() -> None:
    one = order("N1", line("NEW-1"))
    store = shop([one], items={"NEW-1": product("NEW-1")})
    ours = confirmed(one, store=store)
    made = known(
        context().effect("items_to_saasu", "item", item_key(context(), "NEW-1"), external_id="NEW-1", number="NEW-1",
                         title="", body={}), remote_id="104",
    )  # fmt: skip
    file = books(items=(*books().items, saasu_item("104", "NEW-1")))
    assert only(decide(context([one], known=[ours, made], file=file, store=store), one)) == (
        Action.SKIP,
        "already-there",
    )
    gone = books(items=(*books().items, saasu_item("105", "NEW-1")))
    assert only(decide(context([one], known=[ours, made], file=gone, store=store), one)) == (
        Action.SKIP,
        "already-there",
    ), "an item that was deleted and made again is no change of the order"


def test_a_change_that_a_person_made_in_saasu_too_is_done() -> None:
    corrected = edited(on_edit("report"), total="33.00")
    assert only(corrected) == (Action.SKIP, "corrected-there")
    assert corrected.total == aud("33.00")


def test_an_unpaid_invoice_is_updated_and_each_change_is_an_effect_of_its_own() -> None:
    found = edited(on_edit("update"))
    (row,) = found.rows
    assert (row.action, row.reason.code, row.key) == (
        Action.UPDATE,
        "order-edited",
        update_key(context(), ONE, 0, 1),
    )
    effect = row.effect
    assert effect is not None
    assert effect.target_id == f"$link:{invoice_key(context(), ONE)}"
    assert set(body_of(effect)) == {"LineItems"}
    assert (effect.expected.amount, effect.expected.lines, found.total) == (aud("33.00"), 1, aud("33.00"))
    done = known(effect, remote_id="70")
    assert only(edited(on_edit("update"), [done], total="33.00")) == (Action.SKIP, "already-there")
    back = replace(ONE, changed=LATER)
    again = edited(on_edit("update"), [done], back, total="33.00")
    assert again.rows[0].key == update_key(context(), ONE, 0, 2)
    assert again.total == aud("49.50")


def test_changes_follow_one_another() -> None:
    done: list[Known] = []
    for change, one in enumerate((EDITED, replace(ONE, changed=LATER), EDITED), start=1):
        (row,) = edited(on_edit("update"), done, one, total="0.00").rows
        assert row.effect is not None
        assert row.key == update_key(context(), ONE, 0, change)
        done.append(known(row.effect, remote_id="70"))
    assert only(edited(on_edit("update"), done, total="33.00")) == (Action.SKIP, "already-there")


def test_another_customer_is_an_edit_and_another_default_contact_is_none() -> None:
    alex = replace(PAT, key="alex", family="Doe")
    file = books(contacts=(*books().contacts, saasu_contact("502", "alex"), saasu_contact("42", "web")))
    one = order("N1")
    moved = replace(one, party=alex)
    ctx = context([moved], known=[confirmed(one)], file=file)
    found = decide(ctx, moved)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "customer" in found.rows[0].reason.text
    to_default = settings(orders_to_saasu={"contact": "default", "default_contact": "web"})
    assert only(decide(context([one], known=[confirmed(one)], file=file, choices=to_default), one)) == (
        Action.SKIP,
        "already-there",
    )
    on_default = confirmed(one, file=file, choices=to_default)
    back = settings(orders_to_saasu={"default_contact": "web"})
    assert only(decide(context([one], known=[on_default], file=file, choices=back), one)) == (
        Action.SKIP,
        "already-there",
    )


@pytest.mark.parametrize("how", ["books", "journal", "call"])
def test_a_paid_invoice_is_not_changed(how: str) -> None:
    one = replace(ONE, payments=(payment("1", "10.00"),)) if how == "call" else ONE
    ours = confirmed(one, choices=PAID)
    more = []
    if how == "journal":
        ctx = context()
        body: dict[str, Json] = {
            "PaymentItems": [{"InvoiceTransactionId": {"$link": ours.key}, "AmountPaid": 1}]
        }
        paid = ctx.effect("payments", "payment", "K", external_id="P", number="N1", title="", body=body)
        more = [known(paid, EffectState.UNKNOWN)]
        refused = replace(more[0], state=EffectState.REFUSED)
        free = books(invoices=(saasu_invoice("70", "N1", "49.50"),))
        ctx = context([EDITED], known=[ours, refused], choices=on_edit("update"), file=free)
        assert only(decide(ctx, EDITED)) == (Action.UPDATE, "order-edited")
    there = saasu_invoice("70", "N1", "49.50", paid=d("10.00") if how == "books" else d("0"))
    ctx = context([EDITED], known=[ours, *more], choices=on_edit("update"), file=books(invoices=(there,)))
    assert only(decide(ctx, EDITED)) == (Action.BLOCKED, "order-edited")


def test_an_invoice_that_was_not_read_since_is_not_changed_blindly() -> None:
    found = decide(context([EDITED], known=[confirmed(ONE)], choices=on_edit("update")), EDITED)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "read from Saasu" in found.rows[0].reason.remedy


def test_a_changed_order_is_credited_in_full_and_posted_anew() -> None:
    found = edited(on_edit("credit"), paid=d("49.50"))
    credit_and_pay = settings(orders_to_saasu={"on_edit": "credit"}, payments={"methods": {"card": "Bank"}})
    assert codes(found) == [(Action.CREATE, "order-edited"), (Action.CREATE, "order-edited")]
    credit, new = (row.effect for row in found.rows)
    assert credit is not None
    assert new is not None
    ctx = context()
    assert (credit.key, new.key) == (credit_key(ctx, ONE), invoice_key(ctx, ONE, 1))
    taken = body_of(credit)
    assert (taken["InvoiceType"], taken["InvoiceNumber"], taken["PurchaseOrderNumber"]) == (
        "Adjustment Note",
        "N1-C1",
        "N1-C1",
    )
    assert taken["TransactionDate"] == "2025-03-10"
    assert [(row["InventoryId"], row["Quantity"], row["UnitPrice"]) for row in taken["LineItems"]] == [  # type: ignore[index, union-attr, call-overload]
        ("102", -1, d("16.5")),
        ("101", -1, 33),
    ]
    assert credit.expected.amount == aud("49.50")
    body = body_of(new)
    assert (body["InvoiceNumber"], body["PurchaseOrderNumber"], body["TransactionDate"]) == (
        "N1-R1",
        "N1-R1",
        "2025-03-10",
    )
    assert new.depends_on == (credit.key,)
    assert (found.invoice, found.total, found.credits) == ({"$link": new.key}, aud("33.00"), (credit.key,))
    done = [known(credit, remote_id="71"), known(new, remote_id="72")]
    money = replace(EDITED, payments=(payment("5501", "10.00"),))
    for more in ((), done[:1]):
        anew = decide(context([money], known=[confirmed(ONE), *more], choices=credit_and_pay), money).rows[-1]
        assert anew.key == new.key
        assert "QuickPayment" not in body_of(anew.effect), "it was paid on the old one"
    assert only(edited(on_edit("credit"), done)) == (Action.SKIP, "already-there")
    half = edited(on_edit("credit"), done[:1])
    assert [(row.key, row.action) for row in half.rows] == [(new.key, Action.CREATE)]
    touched = edited(on_edit("credit"), done, replace(EDITED, changed=datetime(2025, 5, 1, tzinfo=UTC)))
    assert only(touched) == (Action.SKIP, "already-there"), "a later touch does not move the repost"


def test_an_adjustment_note_that_was_refused_and_ignored_hides_no_later_change_of_the_order() -> None:
    effects = [row.effect for row in edited(on_edit("credit")).rows]
    left = [known(one, EffectState.IGNORED) for one in effects if one is not None]
    assert {row.reason.code for row in edited(on_edit("credit"), left).rows} == {"ignored-by-user"}
    touched = replace(EDITED, changed=datetime(2025, 5, 1, tzinfo=UTC))
    assert {row.reason.code for row in edited(on_edit("credit"), left, touched).rows} == {"ignored-by-user"}
    again = replace(order("N1", line("MUG-01", "3", "16.50")), changed=touched.changed)
    later = edited(on_edit("credit"), left, again)
    assert only(later) == (Action.BLOCKED, "order-edited")
    assert "retry" in later.rows[0].reason.remedy


def test_a_sale_order_is_changed_rather_than_credited() -> None:
    choices = settings(orders_to_saasu={"on_edit": "credit", "invoice_type": "Sale Order"})
    there = saasu_invoice("70", "N1", "49.50", kind="Sale Order", status="O")
    ctx = context(
        [EDITED], known=[confirmed(ONE, choices=choices)], choices=choices, file=books(invoices=(there,))
    )
    assert only(decide(ctx, EDITED)) == (Action.UPDATE, "order-edited")


def test_an_item_put_to_rest_after_the_export_is_no_edit() -> None:
    one = order("N1")
    resting = books(items=(*set_up_items(), saasu_item("102", "MUG-01", active=False)))
    assert only(decide(context([one], known=[confirmed(one)], file=resting), one)) == (
        Action.SKIP,
        "already-there",
    )
    more = order("N1", line("MUG-01", "2", "16.50"))
    found = decide(context([more], known=[confirmed(one)], file=resting), more)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "inactive" in found.rows[0].reason.text


# --- cancelled -------------------------------------------------------------------------------------------------------

CANCELLED = replace(ONE, cancelled=True, status="Cancelled", changed=LATER)


@pytest.mark.parametrize(
    ("what", "paid", "outcome"),
    [
        ("report", "0", (Action.BLOCKED, "cancelled-after-export")),
        ("update", "0", (Action.VOID, "cancelled-after-export")),
        ("update", "1", (Action.BLOCKED, "cancelled-after-export")),
        ("credit", "1", (Action.CREATE, "cancelled-after-export")),
    ],
)
def test_a_cancelled_order_is_taken_back_as_the_setting_says(
    what: str, paid: str, outcome: tuple[Action, str]
) -> None:
    assert only(edited(on_edit(what), order_=CANCELLED, paid=d(paid))) == outcome


def test_a_deleted_invoice_of_a_cancelled_order_stays_deleted_and_comes_back_with_the_order() -> None:
    found = edited(on_edit("update"), order_=CANCELLED)
    (row,) = found.rows
    assert row.effect is not None
    assert (row.key, row.effect.target_id) == (
        void_key(context(), ONE),
        f"$link:{invoice_key(context(), ONE)}",
    )
    assert found.invoice is None
    done = [confirmed(ONE), known(row.effect)]
    gone = books(deleted=frozenset({("Sale", "70")}))
    after = decide(context([CANCELLED], known=done, file=gone, choices=on_edit("update")), CANCELLED)
    assert only(after) == (Action.SKIP, "taken-back")
    assert after.invoice is None
    again = decide(context([ONE], known=done, file=gone, choices=on_edit("update")), ONE)
    assert only(again) == (Action.CREATE, "new-invoice")
    assert again.rows[0].key == invoice_key(context(), ONE, 1)


def test_a_credited_order_still_has_its_invoice_for_what_was_paid() -> None:
    found = edited(on_edit("credit"), order_=CANCELLED)
    assert found.rows[0].effect is not None
    done = known(found.rows[0].effect, remote_id="71")
    after = edited(on_edit("credit"), [done], CANCELLED)
    assert only(after) == (Action.SKIP, "taken-back")
    assert (after.invoice, after.credits) == ({"$link": invoice_key(context(), ONE)}, (done.key,))


def test_the_person_who_deleted_the_invoice_of_a_cancelled_order_is_believed() -> None:
    gone = books(deleted=frozenset({("Sale", "70")}))
    found = decide(context([CANCELLED], known=[confirmed(ONE)], file=gone), CANCELLED)
    assert only(found) == (Action.SKIP, "cancelled-and-deleted")


def test_rows_come_in_the_order_of_the_orders() -> None:
    many = [order("N2"), order("N1"), order("N3", status="New")]
    assert [row.number for row in rows(context(many), many)] == ["N2", "N1", "N3"]


# --- ignored -------------------------------------------------------------------------------------------------------------

LATER_EDIT = order("N1", line("MUG-01", quantity="3"), changed=LATER)


def test_who_ignores_a_row_ignores_what_it_showed_and_no_later_change() -> None:
    (row,) = edited(on_edit("report")).rows
    ctx = context([EDITED], known=[confirmed(ONE)], choices=on_edit("report"))
    ctx = replace(ctx, journal=replace(ctx.journal, ignored=frozenset({row.key})))
    assert only(decide(ctx, EDITED)) == (Action.SKIP, "ignored-by-user")
    read = replace(ctx, books=books(invoices=(saasu_invoice("70", "INV-000123", "49.50"),)))
    assert only(decide(read, EDITED)) == (Action.SKIP, "ignored-by-user")  # its number is known by now
    assert only(decide(ctx, LATER_EDIT)) == (Action.BLOCKED, "order-edited")


def test_a_refused_change_that_was_ignored_hides_none_that_comes_later() -> None:
    file = books(invoices=(saasu_invoice("70", "N1", "49.50"),))
    first = decide(context([EDITED], known=[confirmed(ONE)], choices=on_edit("update"), file=file), EDITED)
    effect = first.rows[0].effect
    assert effect is not None and effect.key == update_key(context(), ONE, 0, 1)
    ignored = known(effect, EffectState.IGNORED)

    def of(one: SalesDocument, *more: Known) -> Decision:
        return decide(
            context([one], known=[confirmed(ONE), ignored, *more], choices=on_edit("update"), file=file), one
        )

    assert only(of(EDITED)) == (Action.SKIP, "ignored-by-user")
    later = of(LATER_EDIT)
    assert only(later) == (Action.UPDATE, "order-edited")
    assert later.rows[0].key == update_key(context(), ONE, 0, 2)
    effect = later.rows[0].effect
    assert effect is not None
    assert only(of(LATER_EDIT, known(effect, remote_id="70"))) == (Action.SKIP, "already-there")
