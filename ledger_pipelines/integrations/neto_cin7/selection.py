"""Which orders are downloaded, and why the others are not.

Belongs here: the one rule that all flows about orders share. Does not belong here: what becomes of one (`orders`).
"""

from __future__ import annotations

from datetime import date

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.sales import DocumentKind, SalesDocument
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.references import order_key
from ledger_pipelines.sync.plan import Reason


def is_downloaded(ctx: Context, order: SalesDocument) -> bool:
    """Whether the order was written to Omni by us, or may have been."""
    return ctx.journal.may_be_there(order_key(ctx, order))


def first_day(ctx: Context) -> date:
    """Orders of earlier days are not downloaded."""
    wanted = ctx.settings.download_orders.orders_from
    return ctx.first_day if wanted is None else max(wanted, ctx.first_day)


def select(ctx: Context, order: SalesDocument) -> Reason | None:
    """Why the order is not downloaded; None = it is. One that was downloaded stays, whatever its status becomes.

    Codes: `quote`, `not-a-test-order`, `orders-off`, `before-first-day`, `cancelled`, `status-not-downloaded`.
    """
    if order.kind is DocumentKind.QUOTE:
        return Reason("quote", f"{order.number} is a quote, no order yet.")
    if ctx.mode is Mode.TEST and order.number not in ctx.settings.general.test_orders:
        return Reason("not-a-test-order", f"Order {order.number} is none of the test orders.")
    if is_downloaded(ctx, order):
        return None
    if not ctx.settings.download_orders.enabled:
        return Reason(
            "orders-off",
            f"Order {order.number} is not downloaded: Download Orders is off.",
            "Switch on download_orders.enabled if it should be there.",
        )
    first = first_day(ctx)
    if order.day < first:
        return Reason(
            "before-first-day",
            f"Order {order.number} is of {order.day}, before {first}, from which on orders are downloaded.",
            "Move the start date, or download_orders.orders_from, if it should be there.",
        )
    if order.cancelled:
        return Reason("cancelled", f"Order {order.number} was cancelled before it was downloaded.")
    if folded(order.status) not in {folded(one) for one in ctx.settings.download_orders.statuses}:
        return Reason(
            "status-not-downloaded",
            f"Order {order.number} is {order.status}, which is not downloaded.",
            "It follows when its status changes; download_orders.statuses lists those that are downloaded.",
        )
    return None
