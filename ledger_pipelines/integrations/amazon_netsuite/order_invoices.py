"""Flow 2, order invoices: billable sales orders become invoices.

Belongs here: which sales orders, and the effect that bills one. Does not belong here: paying (`payments`).
One sales order is billed once whatever the number of settlements that mention it: the key is the sales order's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from ledger_pipelines.documents.effects import Expected
from ledger_pipelines.documents.keys import Json, external_id
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.books import (
    BILLABLE_STATUS,
    INVOICE,
    PENDING_FULFILLMENT,
    SALES_ORDER,
    BookDocument,
)
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decisions import InvoicePlan, Planned, from_journal
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState, no_invoice
from ledger_pipelines.sync.plan import Reason

FLOW = "order_invoices"
FULLY_FULFILLED = "F"
_STATUS_WORDS = {
    "A": ("is pending approval", "Approve the sales order, then run the settlement again."),
    PENDING_FULFILLMENT: ("is not fulfilled yet", "Fulfil the sales order, then run the settlement again."),
    "C": ("is cancelled", "Ignore the group, or book it by hand."),
    "G": ("is billed, but its invoice was not found", "Put the order id on the invoice, then run again."),
    "H": ("is closed", "Reopen and bill it, or ignore the group."),
}


def invoice_key(ctx: Context, order: BookDocument) -> str:
    """Key of the invoice of a sales order."""
    return ctx.key(INVOICE, f"{SALES_ORDER}/{order.id}", "bill")


def invoice_made(ctx: Context, orders: Sequence[BookDocument]) -> str:
    """Reference (`$link:<key>`) of the invoice that we made of one of these sales orders; "" when there is none."""
    keys = (invoice_key(ctx, order) for order in orders)
    return next((f"$link:{key}" for key in keys if ctx.journal.confirmed(key) is not None), "")


def why_not(ctx: Context, order: BookDocument, group: SettlementGroup) -> Reason | None:
    """Why a sales order is not billed by us; None when it is."""
    settings = ctx.settings.order_invoices
    name = f"sales order {order.number}"
    if order.status not in BILLABLE_STATUS:
        words, remedy = _STATUS_WORDS.get(
            order.status, (f"has status {order.status!r}", "Look at the sales order in NetSuite.")
        )
        return no_invoice(group.order_id, f"{name} {words}", remedy)
    if not settings.enabled:
        return no_invoice(
            group.order_id,
            f"{name} is billable, and order invoices are switched off",
            "Bill it in NetSuite, or switch on `order_invoices.enabled`.",
        )
    channel = group.channel or "MFN"
    if channel not in settings.channels:
        return no_invoice(
            group.order_id,
            f"{name} is billable, and {channel} orders are not among `order_invoices.channels`",
            f"Bill it in NetSuite, or add {channel} to `order_invoices.channels`.",
        )
    return None


def billed_in_part(order: BookDocument, group: SettlementGroup) -> Reason:
    """Its invoices are paid, and there is more to bill: an order is billed by us once."""
    return no_invoice(
        group.order_id,
        f"the invoices of sales order {order.number} are paid, and the rest of it is not invoiced",
        "Bill the rest of the sales order in NetSuite, then run again.",
    )


def plan_invoice(ctx: Context, order: BookDocument, group: SettlementGroup) -> InvoicePlan:
    """The effect that bills one sales order; known ones are reported, not planned again."""
    key = invoice_key(ctx, order)
    title = f"Invoice for sales order {order.number} (Amazon order {group.order_id})"
    known = from_journal(ctx, key, INVOICE, title, order.total)
    if known is not None:
        return InvoicePlan(group.order_id, order.id, order.number, known)
    day = ctx.open_day(max(ctx.document_day(group), order.day))
    if day is None:
        return InvoicePlan(
            group.order_id,
            order.id,
            order.number,
            Planned(
                key,
                INVOICE,
                title,
                order.total,
                None,
                GroupState.PERIOD_CLOSED,
                Reason(
                    "period-closed",
                    f"The period of {ctx.document_day(group)} is closed for the invoice of {order.number}.",
                    "Open the period, or set `general.closed_period: first_open`.",
                ),
            ),
        )
    body: dict[str, Json] = {
        "externalId": external_id("AZS-INV", key),
        "tranDate": day.isoformat(),
        "memo": f"{ctx.marked}Amazon order {group.order_id}",
    }
    whole = order.status == FULLY_FULFILLED
    effect = ctx.effect(
        FLOW,
        INVOICE,
        key,
        external_id=external_id("AZS-INV", key),
        number=group.order_id,
        title=title,
        body=body,
        expected=Expected(Money(order.total, order.currency) if whole else None, day),
        origin=f"{SALES_ORDER}/{order.id}",
        source=ctx.source_of(group),
    )
    return InvoicePlan(
        group.order_id,
        order.id,
        order.number,
        Planned(
            key,
            INVOICE,
            title,
            order.total,
            effect,
            GroupState.MATCHED,
            Reason("bill-order", f"Sales order {order.number} is billable."),
        ),
    )


def forgotten(ctx: Context, groups: Sequence[SettlementGroup]) -> list[InvoicePlan]:
    """Invoices of ours that NetSuite holds and a journal that lost its memory does not know: planned again, to be adopted.

    They are found by their own key, so what they say is what is expected of them.
    """
    if not ctx.books.memory_lost:
        return []
    invoices = {d.external_id: d for d in ctx.books.documents if d.record == INVOICE and d.external_id}
    first = {group.order_id: group for group in reversed(groups)}
    found = []
    for order in ctx.books.documents:
        key = invoice_key(ctx, order)
        invoice = invoices.get(external_id("AZS-INV", key))
        if order.record != SALES_ORDER or invoice is None or order.order_id not in first:
            continue
        if ctx.journal.confirmed(key) is not None:
            continue
        plan = plan_invoice(ctx, order, first[order.order_id])
        effect = plan.planned.effect
        if effect is not None:
            expected = Expected(Money(invoice.total, invoice.currency), invoice.day)
            planned = structs.replace(plan.planned, effect=replace(effect, expected=expected))
            plan = replace(plan, planned=planned)
        found.append(plan)
    return found
