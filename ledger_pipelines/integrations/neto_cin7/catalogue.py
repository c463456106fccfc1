"""Whether the products of both sides are in step, and whether a line with a SKU of the store can be sold in Omni.

Belongs here: comparing SKUs with codes letter by letter, and whether what is missing can be made. Does not belong here: making products
(`products_to_cin7`), lines (`layout`). Facts: cin7-omni.md 10.3, 13 (precondition: product catalogues in sync).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ledger_pipelines.documents.sales import Item
from ledger_pipelines.integrations.by_day.stored import Renamed, readable
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.layout import Layout
from ledger_pipelines.integrations.neto_cin7.references import PRODUCT
from ledger_pipelines.integrations.neto_cin7.settings import UnknownSku
from ledger_pipelines.integrations.neto_cin7.texts import LONG
from ledger_pipelines.sync.plan import Reason

MISSING: Final = "sku-unknown"
INACTIVE: Final = "sku-inactive"
SPELLING: Final = "sku-spelling"
TWICE: Final = "sku-twice"
ONLY_THERE: Final = "only-in-omni"


@dataclass(frozen=True, slots=True)
class OutOfStep:
    """A product that is not in step. sku: of the store, "" = it has none; code: of Omni, "" = it has none."""

    sku: str
    code: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Skus:
    """What an order's SKUs come to. marks: why a line is marked, by its SKU. needs: keys of products made before it."""

    marks: dict[str, Reason]
    needs: tuple[str, ...] = ()


def style_of(ctx: Context, sku: str) -> str:
    """Style code of the product of Omni that a SKU is an option of: its parent's, else its own."""
    product = ctx.shop.items.get(sku)
    return product.parent if product is not None and product.parent else sku


def product_key(ctx: Context, style: str) -> str:
    """Key of the effect that makes the product of a style."""
    return ctx.key(PRODUCT, style, "product")


def trouble(ctx: Context, sku: str) -> Reason | None:
    """Why a SKU is not in step; None = Omni has exactly that code once, in use.

    Reasons: `sku-unknown`, `sku-inactive`, `sku-spelling` (only case or outer blanks differ), `sku-twice`.
    """
    if not sku.strip():
        return Reason(
            MISSING,
            "A line has no SKU: no product option of Omni can be it.",
            "Give the line a SKU in the store, or choose products.unknown_sku: mark.",
        )
    there = ctx.omni.options_by_code.get(sku, ())
    if not there:
        near = ctx.omni.codes_by_folded.get(folded(sku), ())
        if near:
            return Reason(
                SPELLING,
                f"The store spells the SKU {sku!r}, Omni the code {near[0]!r}: they differ by case or blanks only.",
                "Make them the same in one of the two; they are compared letter by letter.",
            )
        return Reason(
            MISSING,
            f"SKU {sku!r} is no product option of Omni.",
            "Make it in Omni with this code, switch on products.download, or choose products.unknown_sku: mark.",
        )
    usable = [option for option in there if ctx.omni.is_sellable(option)]
    if not usable:
        return Reason(
            INACTIVE, f"{sku} is disabled in Omni.", "Make the option, or its product, active there."
        )
    if len({(option.id, option.size) for option in usable}) > 1:
        ids = ", ".join(sorted({option.id for option in usable}))
        return Reason(
            TWICE,
            f"Omni has the code {sku!r} more than once (options {ids}).",
            "Give one of them another code there.",
        )
    return None


def check_lines(ctx: Context, laid: Layout) -> Skus | Reason:
    """What the SKUs of an order come to: why it waits, or which of its lines are marked."""
    choices = ctx.settings.products
    if not choices.in_step:
        return Skus({})
    marks: dict[str, Reason] = {}
    needs: dict[str, None] = {}
    for sku in dict.fromkeys(line.code for line in laid.lines):
        found = trouble(ctx, sku)
        if found is None:
            continue
        made = _is_made(ctx, sku) if found.code == MISSING else None
        if isinstance(made, str):
            needs[made] = None
            continue
        if made is not None:
            found = Reason(MISSING, f"{found.text} It cannot be made there: {made.text}", made.remedy)
        if choices.unknown_sku is UnknownSku.BLOCK:
            return found
        marks[sku] = found
    return Skus(marks, tuple(needs))


def _is_made(ctx: Context, sku: str) -> str | Reason | None:
    """Key of the effect that makes the SKU's product: written and not read yet, or planned; why it cannot be made; None = none does."""
    style = style_of(ctx, sku)
    key = product_key(ctx, style)
    if ctx.journal.may_be_there(key):
        return key
    product = ctx.shop.items.get(sku)
    if product is None or not ctx.settings.products.download or not is_option(product):
        return None
    if ctx.journal.is_ignored(key):
        return None
    return cannot_be_made(ctx, style) or key


def is_option(product: Item) -> bool:
    """Whether `products_to_cin7` makes an option of it, of a product that it makes."""
    return (
        product.active
        and product.sold
        and not product.is_parent
        and not product.internal
        and not product.is_kit
    )


def cannot_be_made(ctx: Context, style: str) -> Reason | None:
    """Why the product of a style, with all its options, cannot be made in Omni.

    Reasons: those of `trouble` but that it is missing, `illegal-code`, `option-missing`.
    """
    skus = [sku for sku in skus_of(ctx, style) if is_option(ctx.shop.items[sku])]
    for sku in skus:
        found = trouble(ctx, sku)
        if found is not None and found.code != MISSING:
            return found
    for sku in (style, *skus):
        if len(sku) > LONG or sku != sku.strip():
            return Reason(
                "illegal-code",
                f"The SKU {sku!r} is too long, or has blanks around it.",
                "Correct it in the store.",
            )
    if style_is_there(ctx, style):
        missing = ", ".join(sku for sku in skus if sku not in ctx.omni.options_by_code)
        return Reason(
            "option-missing",
            f"Omni has the product {style}, and not its options {missing}.",
            "Add the options there with these codes.",
        )
    return None


def style_is_there(ctx: Context, style: str) -> bool:
    """Whether Omni has a product of that style, or any of its options."""
    return folded(style) in ctx.omni.styles or any(
        sku in ctx.omni.options_by_code for sku in skus_of(ctx, style)
    )


def skus_of(ctx: Context, style: str) -> tuple[str, ...]:
    """SKUs of the store that are options of a style, sorted."""
    return ctx.options_of_style.get(style, ())


def sold_by_store(ctx: Context) -> Iterator[Item]:
    """Products an order may have, by SKU; not those of which Omni has what cannot be read."""
    for product in readable(Renamed(ctx.shop.items, {sku: sku for sku in sorted(ctx.shop.items)})):
        told = product.active and product.sold and not product.is_parent and not product.internal
        if told and folded(product.key) not in ctx.unread_codes:
            yield product


def compare(ctx: Context, skus: Iterable[str] | None = None) -> list[OutOfStep]:
    """What is not in step: products of the store that Omni lacks, has disabled, spells otherwise or has twice; then products
    of Omni that the store lacks. What one side has and cannot be read is in neither: it is there, and must not be made again.

    Args:
        ctx: The integration at work.
        skus: Only these, and none of Omni's; None = all.
    """
    wanted = sorted(set(skus)) if skus is not None else [product.key for product in sold_by_store(ctx)]
    found = []
    for sku in wanted:
        reason = None if folded(sku) in ctx.unread_codes else trouble(ctx, sku)
        if reason is not None:
            near = ctx.omni.codes_by_folded.get(folded(sku), ())
            found.append(
                OutOfStep(sku, sku if sku in ctx.omni.options_by_code else next(iter(near), ""), reason)
            )
    if skus is not None:
        return found
    there = {folded(sku) for sku in ctx.shop.items} | ctx.unread_codes
    return [
        *found,
        *(_only_there(code) for code in sorted(ctx.omni.options_by_code) if folded(code) not in there),
    ]


def _only_there(code: str) -> OutOfStep:
    return OutOfStep("", code, Reason(ONLY_THERE, f"{code} is a product of Omni that the store lacks."))
