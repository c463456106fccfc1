"""One product of the store as an item of Saasu: its key, how bodies name it, whether and how it is made.

Belongs here: what every flow that names an item must agree on. Does not belong here: which products are looked at
(`items_to_saasu`), lines of invoices (`invoices`). Facts: saasu.md 5.6, 7; neto.md 6.2.

The code of an item is the SKU, exactly: nothing is trimmed, cut or changed. A code that differs only by case or blanks is
reported and never taken for the same.
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import round_half_away, tidy
from ledger_pipelines.documents.sales import Item
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.books import ASSET, COST, INCOME, AccountUse
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.settings import Kits
from ledger_pipelines.integrations.shop import UnresolvedError
from ledger_pipelines.sync.plan import PlanRow, Reason

FLOW, OTHERS = "items_to_saasu", "other_items_to_saasu"
KIND = "item"
LONGEST_CODE = 32
"""Characters of a code in Saasu (saasu.md 5.6)."""
LONGEST_DESCRIPTION = 4000
PRICE_DIGITS = 4
"""Decimals of prices that Saasu is known to keep (saasu.md 6.1). The price of an item is only a default: orders bring their own."""
SETTING = "settings.products_to_saasu"


def item_key(ctx: Context, sku: str) -> str:
    """The key of the effect that makes the item of a SKU, whether it is planned, written, or neither."""
    return ctx.key(KIND, sku, "item")


def item_value(ctx: Context, sku: str) -> Json:
    """What a body says for the item of a SKU: the id Saasu has it under; a link while the item is ours, written or planned;
    None = there is none and none will be.

    An item of ours stays a link when the books know it too, so that a body is the same before and after.
    """
    key = item_key(ctx, sku)
    there = ctx.books.item_by_code.get(sku)
    if _is_ours(ctx, key):
        return link(key)
    if there is not None:
        return there.id
    product = ctx.shop.items.get(sku)
    if product is None or not ctx.settings.products_to_saasu.enabled:
        return None
    return link(key) if decide(ctx, product, needed=True).action is Action.CREATE else None


def decide(ctx: Context, product: Item, *, needed: bool) -> PlanRow:
    """The row of one product. needed: an order that is exported has it, so that it goes before the others."""
    key, sku = item_key(ctx, product.key), product.key
    nothing = _nothing_to_do(ctx, product, needed=needed)
    if nothing is not None:
        return ctx.skip(key, sku, _title(product), nothing, kind=KIND)
    obstacle = _obstacle(ctx, product)
    if obstacle is not None:
        return ctx.blocked(key, sku, _title(product), obstacle, kind=KIND)
    try:
        body = item_body(ctx, product)
    except UnresolvedError as error:
        reason = Reason(error.code, f"Product {sku} cannot be made: {error.message}", error.remedy)
        return ctx.blocked(key, sku, _title(product), reason, kind=KIND)
    effect = ctx.effect(
        FLOW if needed else OTHERS, KIND, key, external_id=sku, number=sku, title=_title(product), body=body, source=f"product:{sku}"
    )  # fmt: skip
    return ctx.row(effect, Reason("new-item", f"Product {sku} is no item of Saasu yet."))


def item_body(ctx: Context, product: Item) -> dict[str, Json]:
    """The request that makes it.

    Raises:
        UnresolvedError: An account or tax code of the settings is missing, or is not in Saasu.
    """
    wanted = ctx.settings.products_to_saasu
    stocked = wanted.inventoried and product.inventoried and not product.is_kit
    free = product.tax_free
    sale_code = wanted.sale_tax_code_free if free else wanted.sale_tax_code
    sale_setting = f"{SETTING}.sale_tax_code_free" if free else f"{SETTING}.sale_tax_code"
    body: dict[str, Json] = {
        "Code": product.key,
        "Description": (product.name.strip() or product.key)[:LONGEST_DESCRIPTION],
        "Type": "I",
        "IsActive": True,
        "IsVisible": True,
        "IsInventoried": stocked,
        "IsSold": True,
        "SaleIncomeAccountId": _account(ctx, wanted.income_account, "income_account", INCOME),
        "SaleTaxCodeId": number(ctx.books.tax_code(sale_code, sale_setting).id),
        "IsSellingPriceIncTax": product.price_has_tax,
    }
    if product.price is not None:
        body["SellingPrice"] = _price(product.price)
    if stocked:
        body["AssetAccountId"] = _account(ctx, wanted.asset_account, "asset_account", ASSET)
        body["SaleCoSAccountId"] = _account(ctx, wanted.cost_of_sale_account, "cost_of_sale_account", COST)
    return body | _buying(ctx, product, stocked=stocked)


def number(identity: str) -> Json:
    """An id of Saasu as its requests have it."""
    return int(identity) if identity.isdecimal() else identity


def near_misses(ctx: Context, sku: str) -> tuple[str, ...]:
    """Codes of Saasu that differ from the SKU only by case or outer blanks."""
    alike = ctx.books.items_by_folded_code.get(folded(sku), ())
    return tuple(item.code for item in alike if item.code != sku)


def _is_ours(ctx: Context, key: str) -> bool:
    """Whether the journal has, or will have, an item of ours that is still there."""
    known = ctx.journal.known.get(key)
    if known is None or known.state in (EffectState.REFUSED, EffectState.IGNORED):
        return False
    return not _was_deleted(ctx, known.remote_id)


def _was_deleted(ctx: Context, identity: str) -> bool:
    return bool(identity) and ("Item", identity) in ctx.books.deleted


def _nothing_to_do(ctx: Context, product: Item, *, needed: bool) -> Reason | None:
    sku = product.key
    if product.is_parent:
        return Reason(
            "parent", f"{sku} stands for its variants and is not sold itself; each variant is an item."
        )
    if product.internal:
        return Reason("internal", f"{sku} is the store's own utility, not a product.")
    if sku in ctx.books.item_by_code:
        return Reason("known", f"{sku} is an item of Saasu.")
    if product.is_kit and ctx.settings.products_to_saasu.kits is Kits.COMPONENTS:
        return Reason("kit", f"{sku} is a kit; its parts are sold in its place.")
    if not product.active and not needed:
        return Reason("inactive", f"{sku} is inactive in the store, and no exported order has it.")
    if ctx.mode is Mode.TEST and not needed:
        return Reason("not-tested", f"No test order has {sku}; mode is test.")
    return None


def _obstacle(ctx: Context, product: Item) -> Reason | None:
    sku = product.key
    if alike := near_misses(ctx, sku):
        return spelling(sku, alike)
    known = ctx.journal.known.get(item_key(ctx, sku))
    gone = known is not None and known.state is EffectState.CONFIRMED and _was_deleted(ctx, known.remote_id)
    if gone or sku in ctx.books.deleted_codes:
        return Reason(
            "deleted-there",
            f"The item {sku} was deleted in Saasu, and the store still sells it.",
            f"Make it again in Saasu with the code {sku}, or make the product inactive in the store.",
        )
    if not sku.strip() or sku != sku.strip():
        return Reason(
            "illegal-code",
            f"The SKU {sku!r} begins or ends with a blank, or is empty.",
            "Correct it in the store.",
        )
    if len(sku) > LONGEST_CODE:
        return Reason(
            "illegal-code",
            f"The SKU {sku} has {len(sku)} characters; a code of Saasu has {LONGEST_CODE} at most.",
            "Give the product a shorter SKU.",
        )
    return None


def spelling(sku: str, codes: tuple[str, ...]) -> Reason:
    """Two spellings that a person may have meant to be the same."""
    there = ", ".join(repr(code) for code in codes)
    return Reason(
        "code-spelling",
        f"The store's SKU {sku!r} and Saasu's code {there} differ only by case or blanks.",
        "Spell them alike in one of the two; they are the same product only when they are the same to the letter.",
    )


def _title(product: Item) -> str:
    return f"Item {product.key}: {product.name}" if product.name else f"Item {product.key}"


def _buying(ctx: Context, product: Item, *, stocked: bool) -> dict[str, Json]:
    """What an item that is bought has beside. One without stock needs an expense account, or is only sold."""
    wanted = ctx.settings.products_to_saasu
    if not product.bought or (not stocked and wanted.expense_account is None):
        return {"IsBought": False}
    found: dict[str, Json] = {"IsBought": True, "IsBuyingPriceIncTax": False}
    if not stocked:
        found["PurchaseExpenseAccountId"] = _account(ctx, wanted.expense_account, "expense_account", COST)
    if wanted.purchase_tax_code is not None:
        code = ctx.books.tax_code(wanted.purchase_tax_code, f"{SETTING}.purchase_tax_code")
        found["PurchaseTaxCodeId"] = number(code.id)
    if product.cost is not None:
        found["BuyingPrice"] = _price(product.cost)
    return found


def _account(ctx: Context, named: str | None, field: str, use: AccountUse) -> Json:
    setting = f"{SETTING}.{field}"
    if named is None:
        raise UnresolvedError(f"{setting} is not set.", remedy="Name an account by its name or id.")
    return number(ctx.books.account(named, setting, use).id)


def _price(amount: Decimal) -> Decimal:
    return tidy(round_half_away(amount, PRICE_DIGITS))
