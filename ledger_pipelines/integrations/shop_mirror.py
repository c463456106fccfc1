"""A Neto store as last read: from the daily snapshots to `Shop`.

Belongs here: which snapshots make which index, what stands in the file of one day. Does not belong here: finding the newest rows
(`by_day.latest`), what a record means (`systems.neto`), the other side (each integration's `mirror`), deciding anything.

What was read is kept until a file is replaced; records are decoded only when a flow looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from upath import UPath

from ledger_pipelines.documents.sales import Item, SalesDocument
from ledger_pipelines.integrations.by_day.latest import LatestRecords, Token
from ledger_pipelines.integrations.by_day.stored import (
    Decoded,
    Record,
    Rows,
    Stored,
    chosen,
    readable,
    unreadable,
)
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.shop import Shop, Warehouse
from ledger_pipelines.systems.neto import documents
from ledger_pipelines.systems.neto.documents import NetoShipment
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO

SHOP_NEEDS = frozenset({"products", "orders"})
"""Entities of the store without which nothing can be decided; others may be left out of its snapshots."""
OF_ORDERS = ("orders", "rmas", "payments")
"""Entities of the store whose records say which order they are of."""
SOURCES = (*OF_ORDERS, "products")
"""Entities of the store that days are about."""


@dataclass(frozen=True)
class _Index:
    """Records of an entity of the store, by the key flows use. rows: what it was made from."""

    rows: Rows
    records: Mapping[str, Any]
    keys: Mapping[str, str]
    """The snapshot's own key -> the key flows use."""
    of_order: Mapping[str, tuple[str, ...]]
    """Of payments and RMAs: order number -> their keys."""


class ShopMirror:
    """The snapshots of one store, as the flows want them.

    Args:
        data_dir: Data folder or bucket URL.
        source: Name of the Neto connection.
        store_zone: Time zone of the store.
        shop_currency: Currency it sells in.
    """

    def __init__(
        self, data_dir: str | Path | UPath, source: str, store_zone: ZoneInfo, shop_currency: str
    ) -> None:
        self._neto = LatestRecords(data_dir, source)
        self._store_zone = store_zone
        self._shop_currency = shop_currency
        self._kin: tuple[Rows, Mapping[str, tuple[str, ...]]] | None = None
        self._shop: tuple[tuple[Token, ...], Shop] | None = None
        self._shipped: tuple[Rows, Mapping[str, NetoShipment]] | None = None
        self._emails: tuple[Rows, Mapping[str, str]] | None = None
        self._indexes: dict[str, _Index] = {}

    def shop(self, order_ids: Collection[str] | None = None) -> Shop:
        """The store; whole, it is the same object for as long as no snapshot of it is replaced.

        Args:
            order_ids: Orders the plan is about: `orders`, `payments` and `returns` are those of them and of all orders that
                are related to them. None = all.

        Raises:
            DataError: A snapshot that is needed is missing. A record that cannot be read raises when it is looked at.
        """
        token = tuple(self._neto.token(name) for name in NETO)
        if order_ids is not None:
            return self._read_shop(order_ids)
        if self._shop is None or self._shop[0] != token:
            self._shop = (token, self._read_shop(None))
        return self._shop[1]

    def _read_shop(self, order_ids: Collection[str] | None) -> Shop:
        orders = self._index("orders").records
        of_payments, of_returns = self._index("payments"), self._index("rmas")
        payments, returns = of_payments.records, of_returns.records
        if order_ids is not None:
            about = _closure(order_ids, self._kin_of_orders())
            orders = chosen(orders, about)
            payments = chosen(payments, (key for one in about for key in of_payments.of_order.get(one, ())))
            returns = chosen(returns, (key for one in about for key in of_returns.of_order.get(one, ())))
        stock = Stored(self._rows("stock"), documents.stock)
        methods = readable(Stored(self._rows("payment_methods"), documents.method))
        products = self._rows("products")
        return Shop(
            currency=self._shop_currency,
            items=self._index("products").records,
            stock=tuple(level for levels in readable(stock) for level in levels),
            unread_stock=stock.unreadable_by("sku"),
            stock_read_at=self._rows("stock").read_at,
            customers=self._index("customers").records,
            orders=orders,
            returns=returns,
            payments=payments,
            warehouses=Stored(self._rows("warehouses"), _warehouse),
            split_off=_split_off(self._rows("orders"), orders),
            last_shipped=_last_shipped(self._rows("orders"), orders),
            method_names={method.id: method.name for method in methods},
            emails=self._emails_of_customers(),
            parents=_by_text(products, "sku", "parent_sku"),
        )

    def changed(self, entity: str, day: date) -> tuple[str, ...]:
        """Keys of the records of the store in the file of one day, as `Shop` has them; none where the day was never fetched."""
        keys = self._index(entity).keys
        found = (keys.get(key) for key in self._neto.keys_of(NETO[entity], day))
        return tuple(dict.fromkeys(key for key in found if key is not None))

    def orders_of(self, day: date) -> tuple[SalesDocument, ...]:
        """Orders in the file of the day, each as it is now; without those that cannot be read."""
        return self._of("orders", day)

    def shipments(self) -> Mapping[str, NetoShipment]:
        """How orders left the store, by order number, each read when it is looked at."""
        rows = self._rows("orders")
        if self._shipped is None or self._shipped[0] is not rows:
            self._shipped = (rows, Decoded(rows.texts, documents.shipment, "orders"))
        return self._shipped[1]

    def returns_of(self, day: date) -> tuple[SalesDocument, ...]:
        """RMAs in the file of the day, each as it is now; without those that cannot be read."""
        return self._of("rmas", day)

    def products_of(self, day: date) -> tuple[Item, ...]:
        """Products in the file of the day, each as it is now; without those that cannot be read."""
        return self._of("products", day)

    def unreadable_of(self, entity: str, day: date) -> tuple[UnreadableError, ...]:
        """Records of the store in the file of the day that cannot be read; the keys are those `Shop` has."""
        found = self._index(entity).records
        there = unreadable(chosen(found, self.changed(entity, day)))
        return tuple(there.values())

    def order_of(self, entity: str, key: str) -> str:
        """Number of the order that a payment or an RMA says it is of, whether or not it can be read; an order's own."""
        return str(self._rows(entity).column("order_id").get(key) or "") if entity in OF_ORDERS else ""

    def tokens(self, day: date, entities: Collection[str] = SOURCES) -> dict[str, str]:
        """Inputs of a plan for the day: digests of what the files of its source records hold, "" = never fetched."""
        return {f"neto/{name}": self._neto.content_hash(NETO[name], day) for name in entities}

    def days(self) -> list[date]:
        """Days of which the store was ever read, in order."""
        found: set[date] = set()
        for name in SOURCES:
            found.update(self._neto.days(name))
        return sorted(found)

    def store_read_at(self) -> datetime | None:
        """The oldest of the newest readings of the store's lists of changes; None = never read."""
        readings = (self._neto.rows(NETO[name], required=False).read_at for name in SHOP_NEEDS)
        return min((at for at in readings if at is not None), default=None)

    # --- beneath ----------------------------------------------------------------------------------------------------

    def _rows(self, name: str) -> Rows:
        return self._neto.rows(NETO[name], required=name in SHOP_NEEDS)

    def _index(self, name: str) -> _Index:
        """All records of an entity; kept while its files stay, so that what was decoded once stays so."""
        rows = self._rows(name)
        kept = self._indexes.get(name)
        if kept is None or kept.rows is not rows:
            keys = _flow_keys(name, rows)
            texts = {used: rows.texts[key] for key, used in keys.items()}
            of_order = _by_order(rows) if name in ("payments", "rmas") else {}
            kept = self._indexes[name] = _Index(
                rows, Decoded(texts, self._decoder(name), name), keys, of_order
            )
        return kept

    def _of(self, name: str, day: date) -> tuple[Any, ...]:
        found = self._index(name).records
        return tuple(readable(chosen(found, self.changed(name, day))))

    def _decoder(self, name: str) -> Callable[[Record], Any]:
        zone, currency = self._store_zone, self._shop_currency
        decoders: dict[str, Callable[[Record], Any]] = {
            "products": documents.item,
            "customers": documents.party,
            "orders": lambda record: documents.order(record, zone, currency),
            "rmas": lambda record: documents.rma(record, zone, currency),
            "payments": lambda record: documents.payment(record, zone, currency),
        }
        return decoders[name]

    def _emails_of_customers(self) -> Mapping[str, str]:
        rows = self._rows("customers")
        if self._emails is None or self._emails[0] is not rows:
            found = {folded(key): str(email or "") for key, email in rows.column("email").items()}
            self._emails = (rows, found)
        return self._emails[1]

    def _kin_of_orders(self) -> Mapping[str, tuple[str, ...]]:
        """Each order that another is related to, either way, with those others."""
        rows = self._rows("orders")
        if self._kin is None or self._kin[0] is not rows:
            kin: dict[str, tuple[str, ...]] = {}
            for child, parent in rows.column("related_order_id").items():
                if parent:
                    kin[child] = (*kin.get(child, ()), str(parent))
                    kin[str(parent)] = (*kin.get(str(parent), ()), child)
            self._kin = (rows, kin)
        return self._kin[1]


def _split_off(rows: Rows, orders: Collection[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for child, parent in rows.column("related_order_id").items():
        if parent and child in orders:
            found[str(parent)] = (*found.get(str(parent), ()), child)
    return found


def _last_shipped(rows: Rows, orders: Collection[str]) -> dict[str, datetime | None]:
    changed = rows.column("changed")
    found = {}
    for key, status in rows.column("status").items():
        if key in orders and str(status).lower() in documents.OFF_THE_SHELF:
            at = changed[key]
            found[key] = at if isinstance(at, datetime) else None
    return found


def _by_order(rows: Rows) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, order in rows.column("order_id").items():
        found[str(order)] = (*found.get(str(order), ()), key)
    return found


def _flow_keys(name: str, rows: Rows) -> dict[str, str]:
    """Products go by SKU, customers by user name without regard to case; all others as their snapshot has them.

    Of two products with one SKU the one changed last counts.
    """
    if name == "customers":
        return {key: folded(key) for key in rows.texts}
    if name != "products":
        return {key: key for key in rows.texts}
    changed = rows.column("changed")
    skus = rows.column("sku")
    order = sorted(skus, key=lambda key: (str(changed[key]), key))
    return {key: str(skus[key]) for key in order}


def _closure(order_ids: Collection[str], kin: Mapping[str, tuple[str, ...]]) -> dict[str, None]:
    """The orders, and all that are related to them by however many steps, in a fixed order."""
    found: dict[str, None] = {}
    waiting = sorted(order_ids, reverse=True)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = None
            waiting += sorted(kin.get(key, ()), reverse=True)
    return found


def _warehouse(record: Record) -> Warehouse:
    found = documents.warehouse(record)
    return Warehouse(found.id, found.reference, found.name, found.active, found.primary)


def _by_text(rows: Rows, name: str, value: str) -> dict[str, str]:
    """One column by another, as texts."""
    names, values = rows.column(name), rows.column(value)
    return {str(names[key]): str(values[key] or "") for key in names}
