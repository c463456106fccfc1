"""Flow: items of Saasu become products of the store.

Belongs here: which item becomes a product, and what the product is told. Does not belong here: how the store is written to
(`systems.neto.writer`). Facts: saasu.md 7, neto.md 4.1, 6.2, 6.3.

A product that is made here is never a variant and never goes live by itself: it is active and not approved, so that someone
gives it a picture, a category and a price before it is shown. A code that is no legal SKU is reported, not mangled.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import plain
from ledger_pipelines.integrations.by_day.unreadable import one_by_one
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.items import KIND, item_key
from ledger_pipelines.integrations.shop import by_id
from ledger_pipelines.integrations.store_products import illegal_sku, legal_sku, name_fields
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuItem

FLOW = "items_from_saasu"


def rows(ctx: Context, items: Sequence[SaasuItem]) -> list[PlanRow]:
    """One row an item, by code. items: those last changed on the day, each as it is now."""
    view = _View(ctx)
    ordered = sorted(items, key=lambda one: (one.code, one.id))
    return list(one_by_one(ctx, ordered, lambda item: [_row(ctx, item, view)], _named))


def _named(item: SaasuItem) -> tuple[str, str]:
    return item.code, f"Item {item.code}"


def product_key(ctx: Context, item: SaasuItem) -> str:
    """The key of the effect that makes the product of an item: by the item's id, for its code can be changed."""
    return ctx.store_key(KIND, item.id, "item")


def product_body(ctx: Context, item: SaasuItem) -> dict[str, Json]:
    """The request that makes it."""
    body: dict[str, Json] = {
        "SKU": item.code,
        **name_fields(item.description, item.code, item.description),
        "TaxInclusive": item.price_has_tax,
        "TaxFreeItem": _is_tax_free(ctx, item),
        "IsInventoried": item.inventoried,
        "IsBought": item.bought,
        "IsSold": item.sold,
        "IsActive": True,
        "Visible": item.active,
        "Approved": False,
    }
    if item.selling_price is not None:
        body["DefaultPrice"] = plain(item.selling_price, 2)
    return body


class _View:
    """What all rows of a plan ask for, looked up once."""

    def __init__(self, ctx: Context) -> None:
        orders = ctx.settings.orders_to_saasu
        named = (orders.shipping_item, orders.surcharge_item, orders.discount_item, orders.rounding_item)
        self.set_up = {name.strip() for name in named if name}
        self.skus: dict[str, list[str]] = {}
        for sku in ctx.shop.items:
            self.skus.setdefault(folded(sku), []).append(sku)
        self.ours = {
            known.remote_id
            for known in ctx.journal.known.values()
            if known.kind == KIND and known.remote_id and "Code" in known.fields()
        }


def _row(ctx: Context, item: SaasuItem, view: _View) -> PlanRow:
    key, title = product_key(ctx, item), f"Product {item.code}: {item.description}".strip(": ")
    nothing = _nothing_to_do(ctx, item, view)
    if nothing is not None:
        return ctx.skip(key, item.code, title, nothing, kind=KIND)
    obstacle = _obstacle(ctx, item, view)
    if obstacle is not None:
        return ctx.blocked(key, item.code, title, obstacle, kind=KIND)
    effect = ctx.effect(
        FLOW, KIND, key, external_id=item.code, number=item.code, title=title, body=product_body(ctx, item),
        source=f"item:{item.id}", to_source=True,
    )  # fmt: skip
    return ctx.row(effect, Reason("new-product", f"Item {item.code} is no product of the store yet."))


def _nothing_to_do(ctx: Context, item: SaasuItem, view: _View) -> Reason | None:
    code = item.code
    if code in view.set_up or item.id in view.set_up:
        return Reason("set-up-item", f"{code} stands for shipping, a surcharge, a discount or rounding.")
    if code in ctx.shop.items:
        return Reason("known", f"{code} is a product of the store.")
    if item.id in view.ours or item_key(ctx, code) in ctx.journal.known:
        return Reason("from-store", f"{code} came from the store.")
    if item.combo:
        return Reason("combo", f"{code} is made of other items; kits are made in the store by hand.")
    if not item.sold:
        return Reason("not-sold", f"{code} is only bought.")
    if not item.active and ctx.settings.products_from_saasu.active_only:
        return Reason("inactive", f"{code} is inactive in Saasu.")
    if ctx.mode is Mode.TEST:
        return Reason("not-tested", "Mode test is about orders; no product is made.")
    return None


def _obstacle(ctx: Context, item: SaasuItem, view: _View) -> Reason | None:
    code = item.code
    alike = [sku for sku in view.skus.get(folded(code), ()) if sku != code]
    if alike:
        there = ", ".join(repr(sku) for sku in sorted(alike))
        return Reason(
            "code-spelling",
            f"Saasu's code {code!r} and the store's SKU {there} differ only by case or blanks.",
            "Spell them alike in one of the two; they are the same product only when they are the same to the letter.",
        )
    twins = [one.code for one in ctx.books.items_by_folded_code.get(folded(code), ()) if one.id != item.id]
    if twins:
        there = ", ".join(repr(twin) for twin in twins)
        return Reason(
            "code-spelling",
            f"Saasu has the codes {code!r} and {there}, which differ only by case or blanks.",
            "The store may not tell such SKUs apart: give one of them another code.",
        )
    if not legal_sku(code):
        return illegal_sku(code, "Saasu")
    return None


def _is_tax_free(ctx: Context, item: SaasuItem) -> bool:
    """Whether its tax code has no tax. An item without one is taxed, as products are."""
    if not item.sale_tax_code_id:
        return False
    code = by_id(ctx.books.tax_codes).get(item.sale_tax_code_id)
    return code is not None and code.rate == 0
