"""Each payment of the store is one of Omni, once, after its order; what the reference does not cover is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import Payment, PaymentKind, SalesDocument
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.neto_cin7 import status_updates
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.payments import method_of, rows
from ledger_pipelines.integrations.neto_cin7.references import order_key, payment_key
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.cin7.records import Payment as OmniPayment
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    aud,
    body_of,
    booked,
    codes,
    context,
    d,
    effect_of,
    known,
    omni,
    order,
    payment,
    settings,
    shop,
)


def paid(*payments: Payment, **other: Any) -> SalesDocument:
    return order("N10234", payments=payments or (payment(),), **other)


def downloaded(
    one: SalesDocument, *more: Any, account: dict[str, Any] | None = None, **other: Any
) -> Context:
    bare = replace(one, payments=())
    effect = effect_of(
        context([replace(bare, cancelled=False, status="Pick")]),
        replace(bare, cancelled=False, status="Pick"),
    )
    held = omni(orders=(booked(effect),), **(account or {}))
    return context([one], account=held, known=(known(effect), *more), **other)


def only(ctx: Context, one: SalesDocument) -> PlanRow:
    (row,) = rows(ctx, [one])
    return row


def test_a_payment_becomes_exactly_this_request() -> None:
    one = paid(payment(reference="card 4242"))
    choices = settings(payments={"enabled": True, "methods": {"CARD": "Credit Card"}})
    ctx = downloaded(one, choices=choices)
    row = only(ctx, one)
    assert (row.action.value, row.reason.code, row.amount) == ("create", "payment", aud("16.50"))
    effect = row.effect
    assert effect is not None
    assert (effect.kind, effect.external_id, effect.expected.amount) == ("payment", "5501", aud("16.50"))
    assert body_of(effect) == {
        "orderId": link(order_key(ctx, one)), "orderType": "SalesOrder", "paymentDate": "2025-03-03T02:20:40Z",
        "amount": d("16.50"), "method": "Credit Card", "transactionRef": "5501", "comments": "card 4242",
    }  # fmt: skip


def test_it_waits_for_its_order_by_the_link() -> None:
    one = paid()
    assert body_of(only(context([one]), one).effect)["orderId"] == link(order_key(context([one]), one))


def test_methods_by_the_id_that_the_list_of_methods_tells() -> None:
    one = order("N10234", payments=(payment(),))
    choices = settings(payments={"enabled": True, "methods": {"12": "Visa"}})
    ctx = context([one], choices=choices, store=shop([one], method_names={"12": payment().method}))
    assert method_of(ctx, payment()) == "Visa"


@pytest.mark.parametrize(
    ("choices", "method"),
    [
        ({}, "Card"),
        ({"methods": {"12": "Visa"}}, "Visa"),
        ({"methods": {"credit card": "Visa"}}, "Visa"),
        ({"default_method": "Other"}, "Other"),
    ],
)
def test_methods_by_id_or_name(choices: dict[str, Any], method: str) -> None:
    one = paid()
    full = replace(payment(), method_id="12")
    store = shop([one], payments={"5501": full}, method_names={"12": "Credit Card"})
    body = body_of(only(context([one], store=store, choices=settings(payments=choices)), one).effect)
    assert body["method"] == method


def test_money_in_another_currency_was_taken_as_the_accounts() -> None:
    one = replace(paid(), grand_total=Money(d("16.50"), "USD"))
    one = replace(one, payments=(replace(one.payments[0], amount=Money(d("16.50"), "USD")),))
    row = only(context([one]), one)
    assert (row.action.value, row.reason.code) == ("blocked", "foreign-payment")


def test_a_payment_without_an_instant_has_its_day() -> None:
    one = paid(payment(at=None, day=date(2025, 3, 4)))
    assert body_of(only(context([one]), one).effect)["paymentDate"] == "2025-03-04T01:00:00Z"


def test_once() -> None:
    one = paid()
    effect = only(downloaded(one), one).effect
    assert effect is not None
    done = known(effect, "4001")
    assert codes(rows(downloaded(one, done), [one])) == [("skip", "already-there")]
    doubt = known(effect, "", state=EffectState.UNKNOWN)
    assert codes(rows(downloaded(one, doubt), [one])) == [("skip", "unknown")]


def theirs(**other: Any) -> OmniPayment:
    made = OmniPayment("4001", "88123", "N10234", "SalesOrder", "Card", d("16.50"), "5501", None, None)
    return replace(made, **other)


def test_one_that_omni_shows_on_the_order_is_not_written_again() -> None:
    one = paid()
    ctx = downloaded(one, account={"payments": (theirs(),)})
    assert codes(rows(ctx, [one])) == [("skip", "already-there")]
    other = downloaded(one, account={"payments": (theirs(order_id="9"), theirs(transaction_ref="5"))})
    assert codes(rows(other, [one])) == [("create", "payment")]
    wrong = downloaded(one, account={"payments": (theirs(amount=d("10")),)})
    assert codes(rows(wrong, [one])) == [("blocked", "payment-changed")]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"kind": PaymentKind.REFUND}, "negative-payment"),
        ({"amount": aud("-5.00")}, "negative-payment"),
        ({"amount": aud("1.005")}, "unbookable-amount"),
        ({"amount": Money(d("5.00"), "USD")}, "currency-differs"),
    ],
)
def test_what_cannot_be_written_is_reported(other: dict[str, Any], code: str) -> None:
    one = paid(replace(payment(), **other))
    assert codes(rows(downloaded(one), [one])) == [("blocked", code)]


def test_nothing_is_no_payment() -> None:
    one = paid(payment(amount="0.00"))
    assert codes(rows(downloaded(one), [one])) == [("skip", "zero-payment")]


def test_getpayment_tells_the_currency() -> None:
    one = paid()
    store = shop([one], payments={"5501": replace(payment(), amount=Money(d("16.50"), "USD"))})
    assert codes(rows(context([one], store=store), [one])) == [("blocked", "currency-differs")]


def test_two_payments_are_two_records() -> None:
    one = paid(payment("5501", "10.00"), payment("5502", "6.50"))
    found = rows(downloaded(one), [one])
    assert [row.action.value for row in found] == ["create", "create"]
    assert len({row.key for row in found}) == 2


def test_an_order_that_is_not_there() -> None:
    old = paid(day=date(2024, 12, 31))
    assert codes(rows(context([old]), [old])) == [("skip", "order-not-downloaded")]
    broken = paid(total="99.00")
    assert codes(rows(context([broken]), [broken])) == [("blocked", "order-blocked")]
    one = paid()
    foreign = replace(booked(effect_of(context([replace(one, payments=())]), one)), lines=())
    assert codes(rows(context([one], account=omni(orders=(foreign,))), [one])) == [("skip", "order-not-ours")]


def test_an_order_that_is_not_downloaded_because_that_is_off() -> None:
    one = paid()
    off = settings(download_orders={"enabled": False}, payments={"enabled": True})
    assert codes(rows(context([one], choices=off), [one])) == [("skip", "order-not-downloaded")]
    assert codes(rows(downloaded(one, choices=off), [one])) == [("create", "payment")]


def test_a_cancelled_order_that_was_paid() -> None:
    one = paid(cancelled=True, status="Cancelled")
    assert codes(rows(downloaded(one), [one])) == [("blocked", "cancelled-order-paid")]


def voided(ctx: Context) -> Context:
    """The same, where Omni shows the order void."""
    (held,) = ctx.omni.orders.values()
    return replace(ctx, omni=replace(ctx.omni, orders={held.id: replace(held, is_void=True)}))


def test_money_went_onto_an_order_that_staff_had_voided_in_omni() -> None:
    one = paid(status="New")
    row = only(voided(downloaded(one)), one)
    assert (row.action.value, row.reason.code) == ("blocked", "void-order-paid")
    assert "16.50 AUD were received on order N10234, which is New in the store and void" in row.reason.text
    assert "Restore the order in Omni" in row.reason.remedy
    ignored = voided(downloaded(one, ignored=[row.key]))
    assert codes(rows(ignored, [one])) == [("skip", "ignored-by-user")]
    assert codes(rows(downloaded(one), [one])) == [("create", "payment")]  # restored there
    there = voided(downloaded(one, account={"payments": (theirs(),)}))
    assert codes(rows(there, [one])) == [("skip", "already-there")]


def test_money_went_onto_an_order_that_we_had_voided_and_the_store_revived() -> None:
    cancelled = order("N10234", cancelled=True, status="Cancelled")
    choices = settings(status_updates={"auto_dispatch_orders": "Yes - Completed Orders Only"})
    (void,) = status_updates.rows(downloaded(cancelled, choices=choices), [cancelled])
    assert void.effect is not None
    alive = paid(status="New")
    ctx = downloaded(alive, known(void.effect))
    for seen in (ctx, voided(ctx)):  # before Omni was read again, and after
        row = only(seen, alive)
        assert (row.action.value, row.reason.code) == ("blocked", "void-order-paid")
        assert "by hand on the order that stands for it" in row.reason.remedy


def test_nobody_was_told_of_money_on_an_order_that_was_cancelled_later() -> None:
    one = paid()
    effect = only(downloaded(one), one).effect
    assert effect is not None
    done = known(effect, "4001")
    cancelled = paid(cancelled=True, status="Cancelled")
    row = only(downloaded(cancelled, done), cancelled)
    assert (row.action.value, row.reason.code) == ("blocked", "cancelled-order-paid")
    assert "16.50 AUD were written to Omni on order N10234, which was cancelled after that" in row.reason.text
    assert row.key != effect.key
    ignored = downloaded(cancelled, done, ignored=[row.key])
    assert codes(rows(ignored, [cancelled])) == [("skip", "ignored-by-user")]
    # Nothing is to be said any more: the order lives again, or somebody moved the payment.
    assert codes(rows(downloaded(one, done, ignored=[row.key]), [one])) == [("skip", "already-there")]
    for shown, code in (
        (theirs(), "cancelled-order-paid"),
        (theirs(order_id="9"), "already-there"),
        (theirs(amount=d("0")), "already-there"),
    ):
        ctx = downloaded(cancelled, done, account={"payments": (shown,)})
        assert only(ctx, cancelled).reason.code == code
    doubt = downloaded(cancelled, known(effect, "", state=EffectState.UNKNOWN))
    assert codes(rows(doubt, [cancelled])) == [("skip", "unknown")]


def test_a_payment_that_changed_or_is_gone() -> None:
    one = paid()
    effect = only(downloaded(one), one).effect
    assert effect is not None
    done = known(effect, "4001", external_id="5501")
    other = paid(payment(amount="20.00"))
    assert codes(rows(downloaded(other, done), [other])) == [("blocked", "payment-changed")]
    none = order("N10234")
    (row,) = rows(downloaded(none, done), [none])
    assert (row.action.value, row.reason.code) == ("blocked", "payment-gone")
    assert "16.50 AUD" in row.reason.text
    assert payment_key(context(), "5501") == effect.key
