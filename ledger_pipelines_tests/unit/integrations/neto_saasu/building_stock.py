"""Builders of products, items, books and contexts for tests of items, stock, pairing. Pure values; nothing is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import Action, Effect, EffectState, Mode
from ledger_pipelines.documents.sales import Item, StockLevel
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.settings import (
    InventoryFromSaasu,
    NetoSaasuSettings,
    ProductsFromSaasu,
    ProductsToSaasu,
)
from ledger_pipelines.integrations.shop import Shop, Warehouse
from ledger_pipelines.systems.saasu.records import SaasuAccount, SaasuItem, SaasuTaxCode

SYDNEY = ZoneInfo("Australia/Sydney")
TODAY = date(2026, 3, 10)
READ_AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
ACCOUNTS = (
    SaasuAccount("9002", "Bank", "Asset", active=True, bank=True, detail=True, fee_account=""),
    SaasuAccount("9011", "Inventory", "Asset", active=True, bank=False, detail=True, fee_account=""),
    SaasuAccount("9040", "Sales", "Income", active=True, bank=False, detail=True, fee_account=""),
    SaasuAccount(
        "9050", "Cost of Goods", "Cost of Sales", active=True, bank=False, detail=True, fee_account=""
    ),
    SaasuAccount("9060", "Purchases", "Expense", active=True, bank=False, detail=True, fee_account=""),
)
TAX_CODES = (
    SaasuTaxCode("7", "G1", "GST", Decimal("0.1"), sale=True, purchase=False, active=True),
    SaasuTaxCode("8", "G1,G3", "GST free", Decimal(0), sale=True, purchase=False, active=True),
    SaasuTaxCode("12", "G11", "GST bought", Decimal("0.1"), sale=False, purchase=True, active=True),
)
MAIN = Warehouse("1", "MAIN", "Main", active=True, primary=True)
SHED = Warehouse("3", "SHED", "Shed", active=True, primary=False)
PRODUCTS = ProductsToSaasu(
    asset_account="Inventory",
    income_account="Sales",
    cost_of_sale_account="Cost of Goods",
    expense_account="9060",
)
SETTINGS = NetoSaasuSettings(
    products_to_saasu=PRODUCTS,
    products_from_saasu=ProductsFromSaasu(enabled=True),
    inventory_from_saasu=InventoryFromSaasu(enabled=True, warehouse="Main"),
)


def product(sku: str = "MUG-01", name: str = "Enamel Mug", **more: object) -> Item:
    base = Item(sku, name, price=Decimal("16.50"), cost=Decimal("6.0000"))
    return replace(base, **more)  # type: ignore[arg-type]


def item(code: str = "MUG-01", identity: str = "301455", **more: object) -> SaasuItem:
    base = SaasuItem(
        id=identity, code=code, description="Enamel Mug", active=True, inventoried=True, sold=True, bought=True,
        combo=False, selling_price=Decimal("16.5"), price_has_tax=True, buying_price=None, on_hand=Decimal(12),
        committed=Decimal(2), sale_tax_code_id="7", changed=READ_AT,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def books(items: Iterable[SaasuItem] = (), **more: object) -> Books:
    base = Books("AUD", items=tuple(items), accounts=ACCOUNTS, tax_codes=TAX_CODES, stock_read_at=READ_AT)
    return replace(base, **{"stock": tuple(items), **more})  # type: ignore[arg-type]


def shop(products: Iterable[Item] = (), levels: Iterable[tuple[str, str, int | str]] = ()) -> Shop:
    return Shop(
        "AUD",
        items={one.key: one for one in products},
        stock=tuple(StockLevel(sku, place, Decimal(count)) for sku, place, count in levels),
        stock_read_at=READ_AT,
        warehouses=(MAIN, SHED),
    )


def context(
    store: Shop | None = None,
    file: Books | None = None,
    known: Iterable[Known] = (),
    settings: NetoSaasuSettings = SETTINGS,
    mode: Mode = Mode.PLAN,
    day: date = TODAY,
    ignored: Iterable[str] = (),
) -> Context:
    return Context(
        integration="shop", source="neto", target="saasu", account="5150", store="mystore", zone=SYDNEY, store_zone=SYDNEY,
        mode=mode, settings=settings, day=day, today=TODAY, first_day=date(2026, 1, 1), shop=store or shop(),
        books=file or books(), journal=JournalView({one.key: one for one in known}, frozenset(ignored)),
    )  # fmt: skip


def known(
    effect: Effect,
    state: EffectState = EffectState.CONFIRMED,
    remote_id: str = "",
    confirmed_at: datetime | None = None,
) -> Known:
    """What the journal says of an effect that was meant before."""
    return Known(
        effect.key, effect.kind, effect.action, state, effect.body, "", external_id=effect.external_id,
        remote_id=remote_id, confirmed_at=confirmed_at,
    )  # fmt: skip


def known_key(key: str, state: EffectState, remote_id: str = "", body: str = '{"Code":"X"}') -> Known:
    """The same, of a key alone."""
    return Known(key, "item", Action.CREATE, state, body, "", remote_id=remote_id)
