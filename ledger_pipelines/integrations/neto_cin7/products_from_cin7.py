"""Flow `products_from_cin7` (Upload Products): a new product option of Omni becomes a product of the store.

Belongs here: which option becomes a product, and what the product is told. Does not belong here: what the store takes
(`integrations.store_products`). Facts: cin7-omni.md 10.3, 13; neto.md 4.1, 6.2, 6.3.

A product that is made here is never a variant and never goes live by itself: it is active and not approved, so that someone
gives it a picture and a category before it is shown. A code that is no legal SKU is reported, not mangled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import plain
from ledger_pipelines.integrations.by_day.unreadable import one_by_one
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.catalogue import product_key, style_of
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.store_products import illegal_sku, legal_sku, name_fields
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.cin7.records import Option, Product

FLOW: Final = "products_from_cin7"
ITEM: Final = "item"
"""Kind of the store's writer."""
RETAIL: Final = "retailprice"


def rows(ctx: Context, products: Sequence[Product]) -> list[PlanRow]:
    """One row an option with a code, by code. products: those last changed on the day, each as it is now."""
    spelt: dict[str, list[str]] = {}
    for sku in ctx.shop.items:
        spelt.setdefault(folded(sku), []).append(sku)
    pairs = [(product, option) for product in products for option in product.options if option.code]
    pairs.sort(key=lambda pair: (pair[1].code, pair[1].id, pair[1].size))
    return list(one_by_one(ctx, pairs, lambda pair: [_row(ctx, *pair, spelt)], _named))


def _named(pair: tuple[Product, Option]) -> tuple[str, str]:
    return pair[1].code, f"Product {pair[1].code}"


def price_of(ctx: Context, option: Option) -> Decimal | None:
    """The price the setting names; None = the option has none."""
    wanted = folded(ctx.settings.products.price_column)
    by_name = {folded(name): price for name, price in option.prices}
    found = by_name.get(wanted)
    return option.retail_price if found is None and wanted == RETAIL else found


def product_body(ctx: Context, product: Product, option: Option) -> dict[str, Json]:
    """The request that makes it."""
    name = " ".join(part for part in (product.name, _own_name(product, option)) if part)
    body: dict[str, Json] = {
        "SKU": option.code,
        **name_fields(name, option.code, name),
        "TaxInclusive": ctx.settings.products.price_has_tax,
        "TaxFreeItem": False,
        "IsInventoried": True,
        "IsBought": True,
        "IsSold": True,
        "IsActive": True,
        "Visible": product.active,
        "Approved": False,
    }
    price = price_of(ctx, option)
    if price is not None:
        body["DefaultPrice"] = plain(price, 2)
    return body


def _own_name(product: Product, option: Option) -> str:
    """What tells an option from its sisters, where it has any."""
    if len(product.options) < 2:
        return ""
    own = option.name.removeprefix(product.name).strip()
    return " ".join(part for part in (own, option.size) if part) or option.code


def _row(ctx: Context, product: Product, option: Option, spelt: Mapping[str, Sequence[str]]) -> PlanRow:
    code = option.code
    key, title = ctx.store_key(ITEM, f"{option.id}/{option.size}", "item"), f"Product {code}: {product.name}"
    nothing = _nothing_to_do(ctx, option)
    if nothing is not None:
        return ctx.skip(key, code, title, nothing, kind=ITEM)
    obstacle = _obstacle(ctx, code, spelt)
    if obstacle is not None:
        return ctx.blocked(key, code, title, obstacle, kind=ITEM)
    effect = ctx.effect(
        FLOW, ITEM, key, external_id=code, number=code, title=title, body=product_body(ctx, product, option),
        source=f"option:{option.id}", to_source=True,
    )  # fmt: skip
    text = f"{code} is no product of the store yet."
    if price_of(ctx, option) is None:
        text += f" It has no price under {ctx.settings.products.price_column}."
    return ctx.row(effect, Reason("new-product", text))


def _nothing_to_do(ctx: Context, option: Option) -> Reason | None:
    code = option.code
    if code in ctx.shop.items:
        return Reason("known", f"{code} is a product of the store.")
    if product_key(ctx, style_of(ctx, code)) in ctx.journal.known:
        return Reason("from-store", f"{code} came from the store.")
    if not ctx.omni.is_sellable(option):
        return Reason("inactive", f"{code} is disabled in Omni.")
    if ctx.mode is Mode.TEST:
        return Reason("not-tested", "Mode test is about orders; no product is made.")
    return None


def _obstacle(ctx: Context, code: str, spelt: Mapping[str, Sequence[str]]) -> Reason | None:
    alike = [sku for sku in spelt.get(folded(code), ()) if sku != code]
    twins = [one for one in ctx.omni.codes_by_folded.get(folded(code), ()) if one != code]
    if alike or twins:
        where = "the store's SKU" if alike else "Omni's code"
        there = ", ".join(repr(one) for one in sorted(alike or twins))
        return Reason(
            "code-spelling",
            f"Omni's code {code!r} and {where} {there} differ only by case or blanks.",
            "Spell them alike, or give one of them another code; they are the same only when they are the same to the letter.",
        )
    return None if legal_sku(code) else illegal_sku(code, "Omni")
