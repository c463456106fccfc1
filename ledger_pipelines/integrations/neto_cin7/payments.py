"""Flow `payments`: each payment of the store becomes one of Omni, once, after its order.

Belongs here: from a payment to its row. Does not belong here: the order (`orders`). Facts: cin7-omni.md 10.5, 13.2; neto.md 9.

Omni keeps payments apart from orders and forbids no doubles: the store's payment id is their `transactionRef`, and one that Omni shows
on the order already is not written again. How money that went back is written is not documented: it is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ledger_pipelines.documents.effects import Action, EffectState, Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import Payment, PaymentKind, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.by_day.unreadable import one_by_one, payments_named
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.decisions import Decision
from ledger_pipelines.integrations.neto_cin7.order_body import instant, noon
from ledger_pipelines.integrations.neto_cin7.orders import decide
from ledger_pipelines.integrations.neto_cin7.references import (
    PAYMENT,
    order_key,
    payment_key,
    void_key,
)
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.cin7.records import Payment as OmniPayment

FLOW: Final = "payments"
CANCELLED_PAID: Final = "cancelled-order-paid"
VOID_PAID: Final = "void-order-paid"
UNTIL_BOOKED: Final = "Until they are written, the order may show less paid in Omni than in the store: do not ask for that money."


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """One row a payment shown on these orders, and one for each of ours that the store shows no more."""

    def of_order(order: SalesDocument) -> list[PlanRow]:
        if not order.payments and not _ours_on(ctx, order):
            return []
        decision = decide(ctx, order)
        found = [_row(ctx, order, completed(ctx, payment), decision) for payment in order.payments]
        return [*found, *_gone(ctx, order)]

    return list(one_by_one(ctx, orders, of_order, payments_named, UNTIL_BOOKED))


def completed(ctx: Context, payment: Payment) -> Payment:
    """The payment as the order shows it, with what only GetPayment tells: method id, instant, currency."""
    full = ctx.shop.payments.get(payment.key)
    if full is None:
        return payment
    return replace(
        payment,
        amount=Money(payment.amount.amount, full.amount.currency),
        at=payment.at or full.at,
        method=payment.method or full.method,
        method_id=payment.method_id or full.method_id,
    )


def method_of(ctx: Context, payment: Payment) -> str:
    """Its payment method in Omni."""
    choices = ctx.settings.payments
    named = ctx.shop.method_known_as(payment.method_id, payment.method)
    by_name = {folded(name): method for name, method in choices.methods.items()}
    chosen = next((by_name[folded(name)] for name in named if folded(name) in by_name), None)
    names = [name for name in named if not name.isdecimal()]
    return chosen or choices.default_method or next(iter(names), "") or payment.method_id


def payment_body(ctx: Context, payment: Payment, target: Json) -> dict[str, Json]:
    """The request. target: `orderId`. The amount always goes along: one that is missing means all that is owed."""
    paid = noon(payment.day, ctx.store_zone) if payment.at is None else instant(payment.at)
    body: dict[str, Json] = {
        "orderId": target,
        "orderType": "SalesOrder",
        "paymentDate": paid,
        "amount": payment.amount.amount,
        "method": method_of(ctx, payment),
        "transactionRef": payment.key,
        "comments": payment.reference.strip(),
    }
    return {name: value for name, value in body.items() if value != ""}


def _row(ctx: Context, order: SalesDocument, payment: Payment, decision: Decision) -> PlanRow:
    key = payment_key(ctx, payment.key)
    title = f"Payment {payment.key} of order {order.number}"
    known = ctx.journal.known.get(key)
    if known is not None and known.may_be_there:
        return _written(ctx, order, payment, known)

    def skip(reason: Reason) -> PlanRow:
        return ctx.skip(key, order.number, title, reason, payment.amount, PAYMENT)

    def block(reason: Reason) -> PlanRow:
        return ctx.blocked(key, order.number, title, reason, payment.amount, PAYMENT)

    if not payment.amount:
        return skip(Reason("zero-payment", f"{title} is over nothing."))
    if decision.target is None:
        return _without_order(ctx, order, payment, decision)
    there = _in_omni(ctx, order, payment)
    if there is not None:
        if ctx.omni.currency == order.currency and there.amount != payment.amount.amount:
            return block(_differs(title, payment, Money(there.amount, order.currency)))
        return skip(Reason("already-there", f"{title} is in Omni already, as payment {there.id}."))
    obstacle = _obstacle(ctx, title, order, payment)
    if obstacle is not None:
        return block(obstacle)
    if order.cancelled:
        return block(
            Reason(
                CANCELLED_PAID,
                f"{payment.amount} were received on order {order.number}, which was cancelled.",
                "Enter the payment and what was given back in Omni by hand, then ignore this row.",
            )
        )
    void = _void(ctx, order, payment)
    if void is not None:
        return block(void)
    body = payment_body(ctx, payment, decision.target)
    effect = ctx.effect(
        FLOW, PAYMENT, key, external_id=payment.key, number=order.number, title=title, body=body,
        expected=Expected(amount=payment.amount), source=f"payment:{payment.key}",
    )  # fmt: skip
    return ctx.row(
        effect, Reason("payment", f"{payment.amount} by {body.get('method', 'no method')} on {order.number}.")
    )


def _void(ctx: Context, order: SalesDocument, payment: Payment) -> Reason | None:
    """Why no money goes onto the order of an order that is alive: it is void in Omni. What becomes of payments there is not
    documented."""
    made = ctx.journal.confirmed(order_key(ctx, order))
    booked = None if made is None else ctx.omni.orders.get(made.remote_id)
    text = f"{payment.amount} were received on order {order.number}, which is {order.status} in the store and"
    if ctx.journal.may_be_there(void_key(ctx, order)):
        return Reason(
            VOID_PAID,
            f"{text} was voided in Omni by us when it was cancelled, for good: the payment is not put onto it.",
            "Enter the payment in Omni by hand on the order that stands for it there, then ignore this row.",
        )
    if booked is not None and booked.is_void:
        return Reason(
            VOID_PAID,
            f"{text} void in Omni: the payment is not put onto it.",
            "Restore the order in Omni: the payment follows by itself. Or enter it by hand on the order that stands for it there, and "
            "ignore this row.",
        )
    return None


def _obstacle(ctx: Context, title: str, order: SalesDocument, payment: Payment) -> Reason | None:
    """What forbids writing it at all."""
    amount = payment.amount
    if payment.kind is not PaymentKind.RECEIPT or amount.amount < 0:
        return Reason(
            "negative-payment",
            f"{title} is {amount}: money that went back. How Omni wants it written is not documented.",
            "Enter it in Omni by hand, then ignore this row.",
        )
    if amount.currency != order.currency:
        return Reason(
            "currency-differs",
            f"{title} is in {amount.currency}, the order in {order.currency}.",
            "Enter it in Omni by hand, then ignore this row.",
        )
    if amount.currency != ctx.omni.currency:
        return Reason(
            "foreign-payment",
            f"{title} is {amount}, and the account is kept in {ctx.omni.currency}: a payment of Omni names no currency, and in which "
            "one it is taken is not documented.",
            "Enter it in Omni by hand, then ignore this row.",
        )
    if not amount.is_bookable:
        return Reason(
            "unbookable-amount",
            f"{title} is {amount}, which has more decimals than {amount.currency} has.",
            "Correct the payment in Neto; nothing is rounded here.",
        )
    return None


def _written(ctx: Context, order: SalesDocument, payment: Payment, known: Known) -> PlanRow:
    """What the journal knows of it already."""
    title = f"Payment {payment.key} of order {order.number}"
    if known.amount is not None and known.amount != payment.amount and payment.kind is PaymentKind.RECEIPT:
        reason = _differs(title, payment, known.amount)
        key = ctx.key(PAYMENT, payment.key, "changed")
        return ctx.blocked(key, order.number, title, reason, payment.amount, PAYMENT)
    if order.cancelled and _is_on(ctx, order, known):
        reason = _left_on_cancelled(order, payment)
        key = ctx.key(PAYMENT, payment.key, "cancelled")
        return ctx.blocked(key, order.number, title, reason, payment.amount, PAYMENT)
    effect = ctx.effect(
        FLOW, PAYMENT, known.key, external_id=known.external_id, number=order.number, title=title,
        body=known.fields(), expected=Expected(known.amount, known.day),
    )  # fmt: skip
    return ctx.row(effect, Reason("payment", f"{payment.amount} on {order.number}."))


def _is_on(ctx: Context, order: SalesDocument, known: Known) -> bool:
    """Whether a payment of ours is on the order in Omni, as far as we know: nobody moved it to another one, or emptied it."""
    made = ctx.journal.confirmed(order_key(ctx, order))
    if known.state is not EffectState.CONFIRMED or made is None:
        return False
    there = ctx.omni.payments.get(known.remote_id)
    return there is None or (bool(there.amount) and there.order_id == made.remote_id)


def _left_on_cancelled(order: SalesDocument, payment: Payment) -> Reason:
    return Reason(
        CANCELLED_PAID,
        f"{payment.amount} were written to Omni on order {order.number}, which was cancelled after that. What becomes of a payment "
        "whose order is void there is not documented.",
        "Look at the payment in Omni: enter what was given back, or move it, by hand; then ignore this row.",
    )


def _differs(title: str, payment: Payment, there: Money) -> Reason:
    return Reason(
        "payment-changed",
        f"{title} is in Omni over {there}, and is {payment.amount} in Neto now.",
        "Correct it in Omni by hand, then ignore this row.",
    )


def _in_omni(ctx: Context, order: SalesDocument, payment: Payment) -> OmniPayment | None:
    """The payment of our order in Omni that carries the store's payment id."""
    known = ctx.journal.confirmed(order_key(ctx, order))
    if known is None:
        return None
    there = ctx.omni.payments_on(known.remote_id)
    return next((one for one in there if one.transaction_ref == payment.key), None)


def _without_order(ctx: Context, order: SalesDocument, payment: Payment, decision: Decision) -> PlanRow:
    """Money on an order that is not in Omni by us: seen where somebody may have to act."""
    key = payment_key(ctx, payment.key)
    title = f"Payment {payment.key} of order {order.number}"
    why = decision.reason.text if decision.reason is not None else ""
    if any(row.action is Action.BLOCKED for row in decision.rows):
        reason = Reason(
            "order-blocked",
            f"{payment.amount} were received on order {order.number}, which waits: {why}",
            "Clear the order; its payments follow by themselves.",
        )
        return ctx.blocked(key, order.number, title, reason, payment.amount, PAYMENT)
    reason = Reason("order-not-downloaded", why) if decision.ours else Reason("order-not-ours", why)
    return ctx.skip(key, order.number, title, reason, payment.amount, PAYMENT)


def _ours_on(ctx: Context, order: SalesDocument) -> tuple[Known, ...]:
    """Payments of ours on the order."""
    key = order_key(ctx, order)
    known = ctx.journal.confirmed(key)
    remote = ctx.payments_on.get(known.remote_id, ()) if known is not None and known.remote_id else ()
    return (*ctx.payments_on.get(key, ()), *remote)


def _gone(ctx: Context, order: SalesDocument) -> list[PlanRow]:
    """Payments of ours that the store no longer shows."""
    shown = {payment.key for payment in order.payments}
    found = []
    for known in _ours_on(ctx, order):
        if known.external_id in shown or not known.may_be_there:
            continue
        amount = "" if known.amount is None else f" over {known.amount}"
        reason = Reason(
            "payment-gone",
            f"Payment {known.external_id} was written on order {order.number}{amount}, and Neto no longer shows it.",
            "Delete it in Omni if it was a mistake, or ignore this row.",
        )
        key = ctx.key(PAYMENT, known.external_id, "gone")
        title = f"Payment {known.external_id} of order {order.number}"
        found.append(ctx.blocked(key, order.number, title, reason, known.amount, PAYMENT))
    return found
