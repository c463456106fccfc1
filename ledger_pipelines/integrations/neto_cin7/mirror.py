"""Both sides as last read: from the daily snapshots to `Shop` and `Omni`.

Belongs here: which snapshots of Omni make which index, what stands in its files of one day. Does not belong here: the store
(`shop_mirror`), finding the newest rows (`by_day.latest`), what a record means (`systems.cin7`), deciding anything (the flows).

Orders, payments and contacts, of which there are more every day, are decoded one by one when a flow looks at them; they are found
by the columns of their snapshots.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from upath import UPath

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
from ledger_pipelines.integrations.neto_cin7.omni import Omni, by_text
from ledger_pipelines.integrations.shop_mirror import ShopMirror
from ledger_pipelines.systems.cin7 import records
from ledger_pipelines.systems.cin7.entities import ENTITIES as CIN7
from ledger_pipelines.systems.cin7.records import Product

OMNI_NEEDS: Final = frozenset({"sales_orders", "contacts", "product_options", "branches"})
"""Entities of Omni without which nothing can be decided."""
SOURCES: Final = ("orders", "products")
"""Entities of the store that days are about."""


class Mirror(ShopMirror):
    """The snapshots of one pair of connections, as the flows want them.

    Args:
        data_dir: Data folder or bucket URL.
        source: Name of the Neto connection.
        target: Name of the Cin7 connection.
        store_zone: Time zone of the store.
        shop_currency: Currency the store sells in.
        omni_currency: Base currency of the account.
        base_amounts: Whether amounts of foreign orders come back in it.
    """

    def __init__(
        self,
        data_dir: str | Path | UPath,
        source: str,
        target: str,
        store_zone: ZoneInfo,
        shop_currency: str,
        omni_currency: str,
        *,
        base_amounts: bool = True,
    ) -> None:
        super().__init__(data_dir, source, store_zone, shop_currency)
        self._cin7 = LatestRecords(data_dir, target)
        self._omni_currency = omni_currency
        self._base_amounts = base_amounts
        self._omni: tuple[tuple[Token, ...], Omni] | None = None

    def omni(self) -> Omni:
        """The account; the same object for as long as no snapshot of it is replaced.

        Raises:
            DataError: A snapshot that is needed is missing. A record that cannot be read raises when it is looked at.
        """
        token = tuple(self._cin7.token(name) for name in CIN7)
        if self._omni is None or self._omni[0] != token:
            self._omni = (token, self._read_omni())
        return self._omni[1]

    def cin7_products_of(self, day: date) -> tuple[Product, ...]:
        """Products of Omni last changed on the day, each as it is now; without those that cannot be read."""
        return tuple(readable(self._cin7_products_of(day)))

    def unreadable_cin7_products_of(self, day: date) -> tuple[UnreadableError, ...]:
        """Products of Omni last changed on the day that cannot be read."""
        return tuple(unreadable(self._cin7_products_of(day)).values())

    def _cin7_products_of(self, day: date) -> Mapping[str, Product]:
        there = self.omni().product_by_id
        return chosen(there, self._cin7.keys_of(CIN7["products"], day))

    def tokens(self, day: date, entities: Collection[str] = SOURCES) -> dict[str, str]:
        """Inputs of a plan for the day: digests of what the files of its source records hold, "" = never fetched.

        `cin7/products` is always among them: a flow begins there.
        """
        found = super().tokens(day, entities)
        return {**found, "cin7/products": self._cin7.content_hash(CIN7["products"], day)}

    def _read_omni(self) -> Omni:
        rows = {name: self._cin7.rows(entity, required=name in OMNI_NEEDS) for name, entity in CIN7.items()}
        orders, payments = rows["sales_orders"], rows["payments"]
        return Omni(
            currency=self._omni_currency,
            base_amounts=self._base_amounts,
            orders=Decoded(orders.texts, records.sales_order, orders.entity),
            contacts=Stored(rows["contacts"], records.contact),
            products=Stored(rows["products"], records.product),
            options=Stored(rows["product_options"], records.option),
            stock=Stored(rows["stock"], records.stock_level),
            branches=Stored(rows["branches"], records.branch),
            payments=Decoded(payments.texts, records.payment, payments.entity),
            texts=Decoded(orders.texts, _texts),
            order_ids=_ids_by(orders, "reference"),
            payment_ids=_ids_by(payments, "order"),
            read_at=orders.read_at,
            stock_read_at=rows["stock"].read_at,
        )


def _texts(record: Record) -> Mapping[str, str]:
    """Header fields that are texts."""
    return {name: value for name, value in record.items() if isinstance(value, str)} | {
        name: "" for name, value in record.items() if value is None
    }


def _ids_by(rows: Rows, column: str) -> dict[str, tuple[str, ...]]:
    if rows.table is None:
        return {}
    return by_text((key, str(value or "")) for key, value in rows.column(column).items())
