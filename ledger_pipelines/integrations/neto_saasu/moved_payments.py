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
    back = back_key(ctx, standing.reference, invoice.revision)
    there = ctx.journal.known.get(back)
    arrived = _arrived(ctx, standing.reference, invoice.revision, newest)
    if arrived is not None and arrived != newest:
        return []  # on an invoice that was taken back in its turn: it moves on from there
    forth = forth_key(ctx, standing.reference, newest)
    decision, credit, names = claim.decision, invoice.credit, (f"C{invoice.revision}", f"R{newest}")
    if there is not None and stands(ctx, there) and there.amount is not None:
        amount = abs(there.amount.amount)
        part = amount if arrived is not None else claim.take(amount)
    else:
        amount = part = standing.amount if arrived is not None else claim.take(standing.amount)
    if not amount:
        return []
    rows = [_row(ctx, decision, credit, back, link(credit), -amount, standing, names[0], ())]
    if part:
        rows.append(_row(ctx, decision, credit, forth, decision.invoice, part, standing, names[1], (back,)))
    if part != amount:
        rows.append(_stranded(ctx, decision, standing, invoice.revision, amount - part))
    return rows


def _arrived(ctx: Context, reference: str, first: int, newest: int) -> int | None:
    """The number of the new invoice that the payment was moved to, or may have been; None = to none yet."""
    for revision in range(newest, first - 1, -1):
        if stands(ctx, ctx.journal.known.get(forth_key(ctx, reference, revision))):
            return revision
    return None


def _stranded(ctx: Context, decision: Decision, standing: Standing, revision: int, rest: Decimal) -> PlanRow:
    """The order was edited to less between the two halves of a move: of what is back on the note some has no invoice any more."""
    order = decision.order
    money = Money(rest, order.currency)
    return ctx.blocked(
        ctx.key(_PAYMENT, standing.reference, "stranded", revision),
        order.number,
        f"{standing.reference} of order {order.number}, moved",
        Reason(
            "payment-stranded",
            f"{money} of {standing.reference} were paid back on adjustment note C{revision} of order {order.number}, and its new invoice "
            "owes less than that by now: the bank shows as much too little.",
            "Enter that amount in Saasu by hand, received from the customer as a deposit, then ignore this row.",
        ),
        money,
        _PAYMENT,
    )


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
