"""Which item of the file a SKU of the store is.

Belongs here: the key of an item's creation, finding the item by exact code, near misses. Does not belong here: making
items (`items_to_saasu`), lines of invoices (`layout`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.integrations.neto_saasu.books import folded
from ledger_pipelines.integrations.neto_saasu.context import Context, Known, link
from ledger_pipelines.integrations.neto_saasu.settings import Kits
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuItem

UNKNOWN_SKU = "sku-unknown"

_MAY_BE_THERE = (EffectState.CONFIRMED, EffectState.SENT, EffectState.UNKNOWN, EffectState.HELD, EffectState.CLAIMED)


def item_key(ctx: Context, sku: str) -> str:
    """Key of the effect that creates the item of a SKU in the file."""
    return ctx.key("item", sku, "item")


def may_be_there(known: Known | None) -> bool:
    """Whether the target has, or may have, what that effect writes."""
    return known is not None and known.state in _MAY_BE_THERE


def becomes_item(ctx: Context, sku: str) -> bool:
    """Whether the flow items_to_saasu makes an item of that SKU."""
    item = ctx.shop.items.get(sku)
    choices = ctx.settings.products_to_saasu
    if item is None or not choices.enabled or item.is_parent or item.internal or not item.sold:
        return False
    return not (item.is_kit and choices.kits is Kits.COMPONENTS)


@dataclass(frozen=True, slots=True)
class ItemValue:
    """An item for a line: its id, or the link to the effect that creates it."""

    value: Json


def item_value(ctx: Context, sku: str) -> ItemValue | Reason:
    """The item with exactly that code.

    Reasons: `item-deleted`, `item-inactive`, `item-not-sold`, `sku-spelling` (only case or blanks differ), `sku-unknown`.
    """
    key = item_key(ctx, sku)
    known = ctx.journal.known.get(key)
    item = ctx.books.item_by_code.get(sku)
    if known is not None and may_be_there(known):
        ours = item if item is not None and item.id == known.remote_id else None
        if known.remote_id and ("Item", known.remote_id) in ctx.books.deleted and item is None:
            return Reason(
                "item-deleted",
                f"Item {sku} was deleted in Saasu after it was made (id {known.remote_id}).",
                f"Make an item with the code {sku} in Saasu; it is found by its code.",
            )
        if item is None or ours is not None:
            return (ours and _unfit(ours)) or ItemValue(link(key))
    if item is not None:
        return _unfit(item) or ItemValue(item.id)
    near = ctx.books.items_by_folded_code.get(folded(sku), ())
    if near:
        return Reason(
            "sku-spelling",
            f"The store spells the SKU {sku!r}, Saasu the code {near[0].code!r}: only case or blanks differ.",
            "Make them the same in one of the two; they are compared letter by letter.",
        )
    if becomes_item(ctx, sku):
        return ItemValue(link(key))
    return Reason(
        UNKNOWN_SKU,
        f"SKU {sku!r} is no item of Saasu.",
        "Make the item in Saasu with this code, switch on products_to_saasu, or choose "
        "orders_to_saasu.layout: service_layout.",
    )


def _unfit(item: SaasuItem) -> Reason | None:
    if not item.active:
        return Reason("item-inactive", f"Item {item.code} is inactive in Saasu.", "Make it active there.")
    if not item.sold:
        return Reason(
            "item-not-sold", f"Item {item.code} is not marked as sold in Saasu.", "Mark it as sold there."
        )
    return None
