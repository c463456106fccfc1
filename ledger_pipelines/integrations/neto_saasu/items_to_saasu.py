"""Flows: products of the store become items of Saasu, those that orders need before all others.

Belongs here: which products a plan looks at. Does not belong here: what becomes of one (`items.decide`). Each variant is its
own item; parents are none (issue 4). Products that nobody ordered are a flow of their own, after the orders: when the day's
calls run short, an import of thousands of products must not keep orders waiting.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ledger_pipelines.documents.sales import Item
from ledger_pipelines.integrations.by_day.unreadable import one_by_one
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.items import FLOW, OTHERS, decide
from ledger_pipelines.sync.plan import PlanRow

__all__ = ["FLOW", "OTHERS", "others", "rows"]


def rows(ctx: Context, wanted: Collection[str]) -> list[PlanRow]:
    """One row a product that orders need, by SKU.

    Args:
        ctx: The integration at work.
        wanted: SKUs on orders that are exported. Their products are looked at whatever day they changed on, for an order must
            not wait for an item that nobody plans.
    """
    there = ctx.books.item_by_code
    needed = sorted(sku for sku in set(wanted) if sku in ctx.shop.items and sku not in there)
    return list(one_by_one(ctx, needed, lambda sku: [decide(ctx, ctx.shop.items[sku], needed=True)], _named))


def others(ctx: Context, products: Sequence[Item], wanted: Collection[str]) -> list[PlanRow]:
    """One row each of the other products, by SKU.

    Args:
        ctx: The integration at work.
        products: Those last changed on the day, each as it is now.
        wanted: SKUs on orders that are exported; those that Saasu does not have are not in these rows.
    """
    needed = frozenset(wanted) - ctx.books.item_by_code.keys()
    rest = {product.key: product for product in products if product.key not in needed}
    return list(one_by_one(ctx, sorted(rest), lambda sku: [decide(ctx, rest[sku], needed=False)], _named))


def _named(sku: str) -> tuple[str, str]:
    return sku, f"Product {sku}"
