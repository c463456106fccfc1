"""Which orders are exported, and why the others are not.

Belongs here: the one rule that invoices, contacts and payments share. Does not belong here: what becomes of one
(`invoices`).
"""

from __future__ import annotations

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import DocumentKind, SalesDocument
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.references import invoice_key, invoice_reference
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuInvoice

ADJUSTMENT = "Adjustment Note"
QUOTE = "Q"
"""Status of a sale that is none yet."""


def is_exported(ctx: Context, order: SalesDocument) -> bool:
    """Whether an invoice of the order was written, or may have been."""
    return ctx.journal.may_be_there(invoice_key(ctx, order))


def select(ctx: Context, order: SalesDocument) -> Reason | None:
    """Why the order is not exported; None = it is. One that was exported stays, whatever its status becomes.

    Codes: `quote`, `not-a-test-order`, `before-first-day`, `cancelled`, `status-not-exported`.
    """
    if order.kind is DocumentKind.QUOTE:
        return Reason("quote", f"{order.number} is a quote, no order yet.")
    if ctx.mode is Mode.TEST and order.number not in ctx.settings.general.test_orders:
        return Reason("not-a-test-order", f"Order {order.number} is none of the test orders.")
    if is_exported(ctx, order):
        return None
    if order.day < ctx.first_day:
        return Reason(
            "before-first-day",
            f"Order {order.number} is of {order.day}, before the start date {ctx.first_day}.",
            "Move the start date if it should be booked.",
        )
    if order.cancelled:
        return Reason("cancelled", f"Order {order.number} was cancelled before it was exported.")
    if folded(order.status) not in {folded(one) for one in ctx.settings.orders_to_saasu.statuses}:
        return Reason(
            "status-not-exported",
            f"Order {order.number} is {order.status}, which is not exported.",
            "It follows when its status changes; orders_to_saasu.statuses lists those that are exported.",
        )
    return None


def in_the_books(ctx: Context, order: SalesDocument) -> SaasuInvoice | None:
    """The sale that has the order's number as its own, or as its purchase-order number, and is not known to be ours."""
    if is_exported(ctx, order):
        return None
    reference = folded(invoice_reference(ctx, order))
    found = (
        *ctx.books.invoices_by_number.get(reference, ()),
        *ctx.books.invoices_by_purchase_order.get(reference, ()),
    )
    gone = ctx.books.deleted
    return next((one for one in found if one.kind != ADJUSTMENT and ("Sale", one.id) not in gone), None)


def is_its_own(ctx: Context, order: SalesDocument, booked: SaasuInvoice) -> bool:
    """Whether a sale that has the order's number, and that we did not write, is taken for the order's: no quote, of the same total."""
    return booked.status != QUOTE and total_of(ctx, booked) == order.grand_total


def total_of(ctx: Context, booked: SaasuInvoice) -> Money:
    """What a sale of the file comes to."""
    return Money(booked.total, booked.currency or ctx.books.currency)


def needs_contact(ctx: Context, order: SalesDocument) -> bool:
    """Whether the order's invoice was or is to be written by us, so that it needs its buyer's contact."""
    return select(ctx, order) is None and not order.cancelled and in_the_books(ctx, order) is None
