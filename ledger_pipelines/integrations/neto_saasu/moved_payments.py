"""Payments of an invoice that was credited and posted anew: they move to the new one, and the bank does not change.

Belongs here: the pair of payments that moves one. Does not belong here: crediting and posting anew (`edits`), any other
payment (`payments`). Facts: saasu.md 5.9 (adjustment notes take negative amounts).

A payment in Saasu stays where it is. So what of it the new invoice owes is paid back on the adjustment note, out of the
same account and on the note's day, and paid on the new invoice. What the new invoice does not owe stays open on the note:
that is what the customer has to the good.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.effects import Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.claims import Claim, Standing, TakenBack, stands
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.sync.plan import PlanRow, Reason

_FLOW, _PAYMENT = "payments", "payment"


def moved(ctx: Context, claim: Claim, old: Sequence[TakenBack]) -> list[PlanRow]:
    """Rows of the pairs; what they bring comes off the claim on the new invoice."""
    if not claim.payable:
        return []
    found: list[PlanRow] = []
    for invoice in old:
        for standing in invoice.standing:
            if standing.amount > 0 and standing.since is not None:
                found += _pair(ctx, claim, invoice, standing, old[-1].revision)
    return found


def back_key(ctx: Context, reference: str, revision: int) -> str:
    """Key of the payment back on the adjustment note."""
    return ctx.key(_PAYMENT, reference, "credit", revision)


def forth_key(ctx: Context, reference: str, revision: int) -> str:
    """Key of the payment on the new invoice."""
    return ctx.key(_PAYMENT, reference, "repost", revision)


def _pair(ctx: Context, claim: Claim, invoice: TakenBack, standing: Standing, newest: int) -> list[PlanRow]:
    back, forth = (
        back_key(ctx, standing.reference, invoice.revision),
        forth_key(ctx, standing.reference, newest),
    )
    there = ctx.journal.known.get(back)
    arrived = stands(ctx, ctx.journal.known.get(forth))
    if there is not None and stands(ctx, there) and there.amount is not None:
        amount = abs(there.amount.amount)
        if not arrived:
            claim.take(amount)
    else:
        amount = standing.amount if arrived else claim.take(standing.amount)
    if not amount:
        return []
    return [
        _row(ctx, claim.decision, invoice.credit, back, link(invoice.credit), -amount, standing, f"C{invoice.revision}", ()),
        _row(ctx, claim.decision, invoice.credit, forth, claim.decision.invoice, amount, standing, f"R{newest}", (back,)),
    ]  # fmt: skip


def _row(
    ctx: Context,
    decision: Decision,
    credit: str,
    key: str,
    target: Json,
    amount: Decimal,
    standing: Standing,
    suffix: str,
    depends_on: tuple[str, ...],
) -> PlanRow:
    order = decision.order
    reference = f"{standing.reference}-{suffix}"
    money, day = Money(amount, order.currency), _day(ctx, decision, credit)
    body: dict[str, Json] = {
        "TransactionType": "SP",
        "TransactionDate": day.isoformat(),
        "PaymentAccountId": standing.account,
        "PaymentItems": [{"InvoiceTransactionId": target, "AmountPaid": amount}],
        "Reference": reference,
        "Summary": f"order {order.number}, moved to its new invoice"[: receipts.SUMMARY],
        "ClearedDate": None,
        **receipts.money_fields(ctx, order.currency),
    }
    effect = ctx.effect(
        _FLOW, _PAYMENT, key, external_id=reference, number=order.number,
        title=f"{standing.reference} of order {order.number}, moved", body=body, expected=Expected(money, day),
        depends_on=depends_on, source=f"order:{order.key}",
    )  # fmt: skip
    words = (
        "back on the adjustment note" if amount < 0 else "on the new invoice, out of the adjustment note's"
    )
    return ctx.row(effect, Reason("payment-moved", f"{money} {words}: order {order.number} was posted anew."))


def _day(ctx: Context, decision: Decision, credit: str) -> date:
    """The adjustment note's day, so that the pair cancels out on it."""
    known = ctx.journal.known.get(credit)
    if known is not None and known.day is not None:
        return known.day
    planned = next(
        (row.effect for row in decision.rows if row.key == credit and row.effect is not None), None
    )
    return planned.expected.day if planned is not None and planned.expected.day else decision.order.day
