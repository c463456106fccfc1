"""Which item of the file a line with a SKU of the store sells, or why none.

Belongs here: finding the item by exact code, near misses, what of it cannot be sold, the parts of a kit. Does not belong here: making items
(`items`, `items_to_saasu`), lines of invoices (`layout`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import Component, SalesLine
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.settings import Kits
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuItem

UNKNOWN_SKU: Final = "sku-unknown"


@dataclass(frozen=True, slots=True)
class Sellable:
    """An item for a line: its id as text, or the link to the effect that creates it."""

    value: Json


def item_key(ctx: Context, sku: str) -> str:
    """Key of the effect that creates the item of a SKU in the file (the rule of `items`)."""
    return ctx.key("item", sku, "item")


def kit_parts(ctx: Context, line: SalesLine) -> tuple[Component, ...]:
    """The parts that a line is sold as; none: it is sold as itself."""
    if ctx.settings.products_to_saasu.kits is not Kits.COMPONENTS:
        return ()
    if line.components:
        return line.components
    product = ctx.shop.items.get(line.item)
    return () if product is None else product.components


def sellable(ctx: Context, sku: str) -> Sellable | Reason:
    """The item with exactly that code.

    Reasons: `item-deleted`, `item-inactive`, `item-not-sold`, `sku-spelling` (only case or blanks differ), `sku-unknown`.
    """
    key = item_key(ctx, sku)
    known = ctx.journal.known.get(key)
    there = ctx.books.item_by_code.get(sku)
    if known is not None and known.may_be_there:
        if there is None and ("Item", known.remote_id) in ctx.books.deleted:
            return Reason(
                "item-deleted",
                f"Item {sku} was deleted in Saasu after it was made there (id {known.remote_id}).",
                f"Make an item with the code {sku} in Saasu; it is found by its code.",
            )
        if there is None:
            return Sellable(link(key))
        if known.remote_id in ("", there.id):
            return _unfit(there) or Sellable(link(key))
    if there is not None:
        return _unfit(there) or Sellable(there.id)
    near = ctx.books.items_by_folded_code.get(folded(sku), ())
    if near:
        return Reason(
            "sku-spelling",
            f"The store spells the SKU {sku!r}, Saasu the code {near[0].code!r}: they differ by case or blanks only.",
            "Make them the same in one of the two; they are compared letter by letter.",
        )
    if _becomes_item(ctx, sku):
        return Sellable(link(key))
    return Reason(
        UNKNOWN_SKU,
        f"SKU {sku!r} is no item of Saasu.",
        "Make an item with this code there, switch on products_to_saasu, or choose orders_to_saasu.layout: service_layout.",
    )


def _becomes_item(ctx: Context, sku: str) -> bool:
    """Whether the flow items_to_saasu makes an item of that SKU."""
    product = ctx.shop.items.get(sku)
    choices = ctx.settings.products_to_saasu
    if product is None or not choices.enabled or product.is_parent or product.internal or not product.sold:
        return False
    return not (product.is_kit and choices.kits is Kits.COMPONENTS)


def _unfit(item: SaasuItem) -> Reason | None:
    if not item.active:
        return Reason("item-inactive", f"Item {item.code} is inactive in Saasu.", "Make it active there.")
    if not item.sold:
        return Reason(
            "item-not-sold", f"Item {item.code} is not marked as sold in Saasu.", "Mark it as sold there."
        )
    return None
