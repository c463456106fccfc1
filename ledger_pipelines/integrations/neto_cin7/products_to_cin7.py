"""Flow `products_to_cin7` (Download Products): a new product of the store becomes a product of Omni.

Belongs here: which products are made, and the request that makes one. Does not belong here: whether both sides are in step (`catalogue`).
Facts: cin7-omni.md 10.3, 13; neto.md 6.2.

A parent and its variants are one product with options, its style code the parent's SKU; any other product is one with a single option.
The code of an option is the SKU, exactly. Kits are bills of materials in Omni, which its API does not make: they are made there by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import round_half_away, tidy
from ledger_pipelines.documents.sales import Item
from ledger_pipelines.integrations.by_day.stored import chosen, readable, unreadable
from ledger_pipelines.integrations.by_day.unreadable import one_by_one
from ledger_pipelines.integrations.neto_cin7.catalogue import (
    cannot_be_made,
    is_option,
    product_key,
    skus_of,
)
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.layout import PRICE_DIGITS
from ledger_pipelines.integrations.neto_cin7.references import PRODUCT
from ledger_pipelines.integrations.neto_cin7.texts import Texts
from ledger_pipelines.sync.plan import PlanRow, Reason

FLOW: Final = "products_to_cin7"


def rows(ctx: Context, products: Sequence[Item], wanted: Collection[str]) -> list[PlanRow]:
    """One row a product of Omni, by style code.

    Args:
        ctx: The integration at work.
        products: Those last changed on the day, each as it is now.
        wanted: SKUs of orders that are downloaded.
    """
    sold = chosen(ctx.shop.items, sorted(wanted))
    styles: dict[str, list[Item]] = {}
    for product in (*products, *readable(sold)):
        if not product.is_parent:
            styles.setdefault(product.parent or product.key, []).append(product)

    def of_style(style: str) -> list[PlanRow]:
        return [_row(ctx, style, styles[style], wanted)]

    bad = (ctx.unreadable(error, sku, f"Product {sku}") for sku, error in unreadable(sold).items())
    return [*bad, *one_by_one(ctx, sorted(styles), of_style, lambda style: (style, f"Product {style}"))]


def product_body(ctx: Context, style: str, texts: Texts) -> dict[str, Json]:
    """The request that makes it, with all the variants that are sold."""
    options = [ctx.shop.items[sku] for sku in skus_of(ctx, style) if is_option(ctx.shop.items[sku])]
    parent = ctx.shop.items.get(style)
    name = (parent.name if parent is not None else "") or next(
        (one.name for one in options if one.name), style
    )
    made: list[Json] = [_option(one, name, texts) for one in options]
    return {
        "styleCode": style,
        "name": texts.cut(f"name of {style}", name or style),
        "status": "Public",
        "productOptions": made,
    }


def _option(product: Item, name: str, texts: Texts) -> dict[str, Json]:
    body: dict[str, Json] = {"productOptionCode": product.key}
    if product.parent:
        body["option1"] = texts.cut(
            f"name of {product.key}", product.name.removeprefix(name).strip() or product.key
        )
    if product.price is not None:
        body["retailPrice"] = tidy(round_half_away(product.price, PRICE_DIGITS))
    if product.cost is not None:
        body["cost"] = tidy(round_half_away(product.cost, PRICE_DIGITS))
    return body


def _row(ctx: Context, style: str, products: Sequence[Item], wanted: Collection[str]) -> PlanRow:
    key, title = product_key(ctx, style), f"Product {style}"
    nothing = _nothing_to_do(ctx, products, wanted)
    if nothing is not None:
        return ctx.skip(key, style, title, nothing, kind=PRODUCT)
    obstacle = cannot_be_made(ctx, style)
    if obstacle is not None:
        return ctx.blocked(key, style, title, obstacle, kind=PRODUCT)
    texts = Texts()
    body = product_body(ctx, style, texts)
    effect = ctx.effect(
        FLOW, PRODUCT, key, external_id=_first_code(body), number=style, title=title, body=body, source=f"product:{style}"
    )  # fmt: skip
    return ctx.row(
        effect, Reason("new-product", " ".join([f"{style} is no product of Omni yet.", *texts.said]))
    )


def _nothing_to_do(ctx: Context, products: Sequence[Item], wanted: Collection[str]) -> Reason | None:
    sold = [one for one in products if is_option(one)]
    first = products[0].key
    if not sold:
        if any(one.is_kit for one in products):
            return Reason("kit", f"{first} is a kit: it is made in Omni by hand, as a bill of materials.")
        return Reason("not-sold", f"{first} is not sold, not active, or the store's own utility.")
    if all(one.key in ctx.omni.options_by_code for one in sold):
        return Reason("known", f"{first} is a product of Omni.")
    if ctx.mode is Mode.TEST and not any(one.key in wanted for one in sold):
        return Reason("not-tested", f"No test order has {first}; mode is test.")
    return None


def _first_code(body: Mapping[str, Json]) -> str:
    """What the product is found by again: options have codes that can be searched for, products have none of ours."""
    options = body.get("productOptions")
    first = options[0] if isinstance(options, list) and options else None
    return str(first.get("productOptionCode")) if isinstance(first, dict) else ""
