"""Flow: products of the store become items of Saasu.

Belongs here: which products a plan looks at. Does not belong here: what becomes of one (`items.decide`). Each variant is its
own item; parents are none (issue 4).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ledger_pipelines.documents.sales import Item
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.items import FLOW, decide
from ledger_pipelines.sync.plan import PlanRow

__all__ = ["FLOW", "rows"]


def rows(ctx: Context, products: Sequence[Item], wanted: Collection[str] = ()) -> list[PlanRow]:
    """One row a product, by SKU.

    Args:
        ctx: The integration at work.
        products: Those last changed on the day, each as it is now.
        wanted: SKUs on orders that are exported. Those whose product changed on another day are looked at too, for an
            order must not wait for an item that nobody plans.
    """
    needed = frozenset(wanted)
    given = {product.key: product for product in products}
    found = {sku: decide(ctx, product, needed=sku in needed) for sku, product in given.items()}
    for sku in needed - given.keys():
        product = ctx.shop.items.get(sku)
        if product is not None and sku not in ctx.books.item_by_code:
            found[sku] = decide(ctx, product, needed=True)
    return [found[sku] for sku in sorted(found)]
