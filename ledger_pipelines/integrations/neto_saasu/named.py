"""Settings that name what the store or the file does not have, told before a row needs them.

Belongs here: looking up every name of the settings in both sides as last read; no call is made. Does not belong here: settings that
contradict each other (`checks`), what a plan does with a name that is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ledger_pipelines.config.models import Finding
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.books import (
    ASSET,
    BANK,
    COST,
    INCOME,
    LIABILITY,
    RETURNS,
    AccountUse,
    Books,
)
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.shop import Shop, UnresolvedError

LookUp = Callable[[str, str], object]
"""(name, setting) -> what has that name; raises UnresolvedError, UnreadableError."""
Named = tuple[str, str | None, LookUp]
"""Setting, the name it gives, where it is looked up."""


def wrong_names(settings: NetoSaasuSettings, shop: Shop, books: Books) -> Iterator[Finding]:
    """One finding a name that is not there, is of the wrong sort, or whose record cannot be read; of flows that are on."""
    for field, named, look_up in _all(settings, shop, books):
        setting = f"settings.{field}"
        if named is None:
            continue
        try:
            look_up(named, setting)
        except UnresolvedError as error:
            told = error.message.removeprefix(f"{setting} ").rstrip(".")
            yield Finding(setting, told, error.remedy, wrong=True)
        except UnreadableError as error:
            told = f"names {named!r}, whose record cannot be read: {error.message}".rstrip(".")
            yield Finding(setting, told, error.remedy, wrong=True)
    if settings.payments.enabled and shop.method_names:
        yield from _methods(settings, shop)


def _all(settings: NetoSaasuSettings, shop: Shop, books: Books) -> Iterator[Named]:
    def fit(use: AccountUse) -> LookUp:
        return partial(books.account, use=use)

    if settings.products_to_saasu.enabled:
        products = settings.products_to_saasu
        yield "products_to_saasu.asset_account", products.asset_account, fit(ASSET)
        yield "products_to_saasu.income_account", products.income_account, fit(INCOME)
        yield "products_to_saasu.cost_of_sale_account", products.cost_of_sale_account, fit(COST)
        yield "products_to_saasu.expense_account", products.expense_account, fit(COST)
        for field in ("sale_tax_code", "sale_tax_code_free", "purchase_tax_code"):
            yield f"products_to_saasu.{field}", getattr(products, field), books.tax_code
    if settings.orders_to_saasu.enabled:
        orders = settings.orders_to_saasu
        yield "orders_to_saasu.default_contact", orders.default_contact, books.contact
        yield "orders_to_saasu.default_line_account", orders.default_line_account, fit(INCOME)
        for field in ("shipping_item", "surcharge_item", "discount_item", "rounding_item"):
            yield f"orders_to_saasu.{field}", getattr(orders, field), books.set_up_item
        for field in ("tax_code", "tax_code_free", "tax_code_export"):
            yield f"orders_to_saasu.{field}", getattr(orders, field), books.tax_code
        yield from _each("orders_to_saasu.tax_codes", orders.tax_codes, books.tax_code)
    payments = settings.payments
    if payments.enabled or settings.refunds.enabled:
        yield from _each("payments.methods", payments.methods, fit(BANK))
        yield "payments.default_account", payments.default_account, fit(BANK)
    if payments.enabled:
        yield "payments.overpayment_account", payments.overpayment_account, fit(LIABILITY)
    if settings.refunds.enabled:
        yield "refunds.account", settings.refunds.account, fit(RETURNS)
        if settings.refunds.account is None and not settings.orders_to_saasu.enabled:
            field = "orders_to_saasu.default_line_account"
            yield field, settings.orders_to_saasu.default_line_account, fit(INCOME)
        yield "refunds.credit_account", settings.refunds.credit_account, fit(BANK)
    if settings.inventory_from_saasu.enabled:
        yield "inventory_from_saasu.warehouse", settings.inventory_from_saasu.warehouse, shop.warehouse


def _each(field: str, choices: Mapping[str, str], look_up: LookUp) -> Iterator[Named]:
    for name, named in choices.items():
        yield f"{field}.{name}", named, look_up


def _methods(settings: NetoSaasuSettings, shop: Shop) -> Iterator[Finding]:
    """Methods that the store neither lists nor shows on a payment of an order: a misspelt one takes no payment. Not certainly wrong:
    the store lists not all it has (account credit), and one that is not used yet harms nothing."""
    known = {folded(name) for pair in shop.method_names.items() for name in pair}
    known |= {folded(one.method) for order in readable(shop.orders) for one in order.payments}
    choices = settings.payments
    for field, names in (("methods", choices.methods), ("fee_percent", choices.fee_percent)):
        for name in names:
            if folded(name) not in known:
                yield Finding(
                    f"settings.payments.{field}.{name}",
                    "names a payment method that the store does not have",
                    "`ledger-pipelines options` lists those there are.",
                )
