"""Flow `invoices`: what is to be written of each order, and what payments and returns refer to.

Belongs here: from an order to its decision and rows. Does not belong here: which orders (`selection`), lines and totals
(`layout`), the request (`invoice_body`), orders whose invoice is there already (`revisions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ledger_pipelines.documents.effects import Effect, EffectState, Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED, Known, link
from ledger_pipelines.integrations.by_day.unreadable import one_by_one, order_named
from ledger_pipelines.integrations.neto_saasu.contacts import Contact, resolve
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.edits import Past, past_of, written
from ledger_pipelines.integrations.neto_saasu.invoice_body import (
    falls_back,
    invoice_body,
    number_problem,
    wanted_type,
)
from ledger_pipelines.integrations.neto_saasu.layout import Layout, lay_out
from ledger_pipelines.integrations.neto_saasu.quick import FIELD, Quick, quick_of, quick_payment
from ledger_pipelines.integrations.neto_saasu.references import (
    INVOICE,
    credit_key,
    invoice_key,
    invoice_reference,
    payment_reference,
    source_of,
)
from ledger_pipelines.integrations.neto_saasu.revisions import FLOW, change_day, revise
from ledger_pipelines.integrations.neto_saasu.selection import (
    QUOTE,
    in_the_books,
    is_its_own,
    select,
    total_of,
)
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuInvoice

__all__ = [
    "FLOW", "Decision", "Quick", "credit_key", "decide", "invoice_key", "payment_reference", "rows", "select",
]  # fmt: skip

_IN_DOUBT = (EffectState.SENT, EffectState.UNKNOWN, EffectState.HELD)


def decide(ctx: Context, order: SalesDocument) -> Decision:
    """What becomes of the order. Pure; the caller keeps it."""
    key = invoice_key(ctx, order)
    reason = select(ctx, order)
    if reason is not None:
        return Decision(order, (_skip(ctx, order, key, reason),), key, reason=reason)
    booked = in_the_books(ctx, order)
    if booked is not None:
        return _booked_by_others(ctx, order, booked)
    past = past_of(ctx, order)
    key = invoice_key(ctx, order, past.revision)
    known = ctx.journal.known.get(key)
    if ctx.journal.is_ignored(key):
        reason = Reason(IGNORED, f"Order {order.number} is ignored by a user.")
        return Decision(order, (_skip(ctx, order, key, reason),), key, reason=reason, credits=past.credits)
    if known is not None and known.state in _IN_DOUBT:
        return _in_doubt(ctx, order, known, past.credits)
    before = written(ctx, order, past.revision)
    if before is not None:
        return revise(ctx, order, before, past.credits)
    if order.cancelled and past.revision:
        return _taken_back(ctx, order, past)
    return _new(ctx, order, past, known)


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """Rows of the plan of these orders."""
    return list(one_by_one(ctx, orders, lambda order: decide(ctx, order).rows, order_named))


def _title(order: SalesDocument) -> str:
    return f"Invoice of order {order.number}, {order.party.title}"


def _skip(ctx: Context, order: SalesDocument, key: str, reason: Reason) -> PlanRow:
    return ctx.skip(key, order.number, _title(order), reason, order.grand_total, INVOICE)


def _blocked(
    ctx: Context, order: SalesDocument, key: str, reason: Reason, credit_keys: tuple[str, ...] = ()
) -> Decision:
    row = ctx.blocked(key, order.number, _title(order), reason, order.grand_total, INVOICE)
    return Decision(order, (row,), key, reason=row.reason, credits=credit_keys)


def _booked_by_others(ctx: Context, order: SalesDocument, booked: SaasuInvoice) -> Decision:
    key = invoice_key(ctx, order)
    total = total_of(ctx, booked)
    if not is_its_own(ctx, order, booked):
        what = "quote" if booked.status == QUOTE else "sale"
        reason = Reason(
            "number-taken",
            f"Order {order.number} comes to {order.grand_total}, and Saasu has a {what} of {total} with its number "
            f"(id {booked.id}, of {booked.day}) that was not written by us.",
            "Change the number of that one in Saasu, set a prefix, or ignore the row if it is the order's own.",
        )
        return _blocked(ctx, order, key, reason)
    reason = Reason(
        "already-booked", f"Order {order.number} is in Saasu already, as {booked.number or booked.id}."
    )
    return Decision(
        order=order,
        rows=(_skip(ctx, order, key, reason),),
        key=key,
        invoice=booked.id,
        total=total,
        owed=Money(booked.owed, total.currency),
        booked=booked,
        ours=False,
        contact=booked.contact or None,
    )


def _in_doubt(ctx: Context, order: SalesDocument, known: Known, credit_keys: tuple[str, ...]) -> Decision:
    """An earlier call's end is not known, or a person has to look: the row says so, payments wait for it by their link."""
    effect = ctx.effect(
        FLOW, INVOICE, known.key, external_id=known.external_id, number=order.number, title=_title(order),
        body=known.fields(), expected=Expected(known.amount, known.day),
    )  # fmt: skip
    row = ctx.row(effect, Reason(known.code or known.state.value, known.text, known.remedy))
    quick = quick_of(ctx, known, order.currency)
    return Decision(
        order=order,
        rows=(row,),
        key=known.key,
        invoice=link(known.key),
        reason=row.reason,
        total=known.amount,
        owed=known.amount - quick.amount if known.amount is not None and quick is not None else known.amount,
        quick=quick,
        contact=known.fields().get("BillingContactId"),
        credits=credit_keys,
    )


def _taken_back(ctx: Context, order: SalesDocument, past: Past) -> Decision:
    key = invoice_key(ctx, order, past.revision - 1)
    reason = Reason("taken-back", f"Order {order.number} was cancelled, and its invoice was taken back.")
    known = ctx.journal.known.get(key)
    return Decision(
        order=order,
        rows=(_skip(ctx, order, key, reason),),
        key=key,
        invoice=link(key) if past.credited else None,
        reason=reason,
        total=known.amount if past.credited and known is not None else None,
        quick=quick_of(ctx, known, order.currency) if known is not None else None,
        credits=past.credits,
    )


def _new(ctx: Context, order: SalesDocument, past: Past, known: Known | None) -> Decision:
    key = invoice_key(ctx, order, past.revision)
    problem = number_problem(ctx, order)
    if problem is not None:
        return _blocked(ctx, order, key, problem, past.credits)
    laid = lay_out(ctx, order)
    if isinstance(laid, Reason):
        return _blocked(ctx, order, key, laid, past.credits)
    contact = resolve(ctx, order)
    if contact.reason is not None:
        text = f"Order {order.number}: {contact.reason.text}"
        return _blocked(
            ctx, order, key, Reason(contact.reason.code, text, contact.reason.remedy), past.credits
        )
    return _created(ctx, order, past, known, laid, contact)


def _created(
    ctx: Context, order: SalesDocument, past: Past, known: Known | None, laid: Layout, contact: Contact
) -> Decision:
    key = invoice_key(ctx, order, past.revision)
    fallback = falls_back(ctx, known, wanted_type(ctx, order))
    day = change_day(ctx, order) if past.credited else order.day
    body = invoice_body(ctx, order, laid, contact, day=day, revision=past.revision, fallback=fallback)
    quick = None if past.revision else quick_payment(ctx, order, laid.total)
    if quick is not None:
        body[FIELD] = quick.to_json(order)
    effect = _effect(ctx, order, key, body, laid, day, past.revision)
    row = ctx.row(effect, _why(order, str(body["InvoiceType"]), laid, contact, quick, fallback=fallback))
    return Decision(
        order=order,
        rows=(row,),
        key=key,
        invoice=link(key),
        total=laid.total,
        owed=laid.total if quick is None else laid.total - quick.amount,
        quick=quick,
        contact=contact.value,
        credits=past.credits,
    )


def _effect(
    ctx: Context,
    order: SalesDocument,
    key: str,
    body: dict[str, Json],
    laid: Layout,
    day: date,
    revision: int,
) -> Effect:
    return ctx.effect(
        FLOW,
        INVOICE,
        key,
        external_id=invoice_reference(ctx, order, revision),
        number=order.number,
        title=_title(order),
        body=body,
        expected=Expected(laid.total, day, len(laid.lines)),
        source=source_of(order),
    )


def _why(
    order: SalesDocument, kind: str, laid: Layout, contact: Contact, quick: Quick | None, *, fallback: bool
) -> Reason:
    with_payment = "" if quick is None else f", with payment {quick.payment} of {quick.amount}"
    text = f"Order {order.number} ({order.status}) becomes a {kind} of {laid.total}{with_payment}."
    code = "new-invoice"
    if fallback:
        code = "sale-order-for-stock"
        text += " Saasu refused the invoice for want of stock."
    return Reason(code, f"{text} {contact.note}".strip())
