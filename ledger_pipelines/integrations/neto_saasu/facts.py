"""What the calls of a day depend on, counted in what was last read of both sides.

Belongs here: counting. Does not belong here: adding up calls (`budget`), which lists are read when (`readings`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.neto_saasu.budget import Facts
from ledger_pipelines.integrations.neto_saasu.needs import saasu_entities
from ledger_pipelines.integrations.neto_saasu.settings import SALE_ORDER, NetoSaasuSettings
from ledger_pipelines.systems.saasu.entities import ENTITIES

if TYPE_CHECKING:  # heavy, and asked for when definitions load
    from ledger_pipelines.integrations.neto_saasu.books import Books
    from ledger_pipelines.integrations.shop import Shop

WEEKS = timedelta(weeks=4)
"""The time whose documents are counted: whole weeks, for weekends are not like weekdays."""


def assumed(settings: NetoSaasuSettings) -> Facts:
    """A middling shop with those settings, where nothing was counted yet."""
    read = saasu_entities(settings)
    stock = settings.inventory_from_saasu
    return Facts(
        lists=sum(1 for name in read if ENTITIES[name].changed_column and name != "deleted"),
        stock_minutes=stock.every_minutes if stock.enabled else None,
        conversions=Facts().orders if _converts(settings) else 0,
        returns=1 if settings.refunds.enabled else 0,
    )


def counted(settings: NetoSaasuSettings, shop: Shop, books: Books, today: date) -> Facts:
    """The shop as it was last read: documents of the last four weeks, as a day's average, rounded up."""
    base = assumed(settings)
    since = today - WEEKS
    orders = [order for order in readable(shop.orders) if since <= order.day < today]
    before = {order.party.key for order in readable(shop.orders) if order.day < since}
    returns = [one for one in readable(shop.returns) if since <= one.day < today]
    buyers = {order.party.key for order in orders} - before
    return Facts(
        lists=base.lists,
        items=len(books.stock or books.items),
        stock_minutes=base.stock_minutes,
        orders=_a_day(len(orders)),
        customers=_a_day(len(buyers)),
        payments=_a_day(_later_payments(orders)),
        products=base.products,
        conversions=_a_day(len(orders)) if _converts(settings) else 0,
        returns=_a_day(len(returns)) if settings.refunds.enabled else 0,
    )


def _converts(settings: NetoSaasuSettings) -> bool:
    """Whether orders become sale orders first and invoices later; those that are sent at once are counted all the same."""
    orders = settings.orders_to_saasu
    return orders.enabled and orders.invoice_type == SALE_ORDER and bool(orders.convert_statuses)


def _later_payments(orders: Iterable[SalesDocument]) -> int:
    """Payments that cannot go with their invoice's call: all of an order but the first."""
    return sum(max(0, len(order.payments) - 1) for order in orders)


def _a_day(number: int) -> int:
    return -(-number // WEEKS.days)  # not money: a number of documents
