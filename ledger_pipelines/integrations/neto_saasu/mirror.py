"""Both sides as last read: from the daily snapshots to `Shop` and `Books`.

Belongs here: which snapshots of the file make which index, what a deletion takes away, what stands in the file of one day. Does
not belong here: the store (`shop_mirror`), finding the newest rows (`by_day.latest`), what a record means (`systems.saasu`),
deciding anything (the flows).

A plan looks at few records of a long history: those are decoded, by columns that stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from upath import UPath

from ledger_pipelines.integrations.by_day.latest import LatestRecords, Token
from ledger_pipelines.integrations.by_day.stored import (
    Record,
    Rows,
    Stored,
    chosen,
    readable,
    unreadable,
)
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.shop_mirror import SOURCES, ShopMirror
from ledger_pipelines.systems.saasu import records
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines.systems.saasu.records import SaasuItem

T = TypeVar("T")
M = TypeVar("M", records.SaasuInvoice, records.SaasuPayment)
BOOKS_NEED = frozenset({"items", "contacts", "invoices", "payments", "accounts", "tax_codes"})
"""Entities of the file without which nothing can be decided."""
DOCUMENTS = ("invoices", "payments")
"""Entities of the file that tell what became of what we wrote: lists that are read once a day do not age them."""


class Mirror(ShopMirror):
    """The snapshots of one pair of connections, as the flows want them.

    Args:
        data_dir: Data folder or bucket URL.
        source: Name of the Neto connection.
        target: Name of the Saasu connection.
        store_zone: Time zone of the store.
        books_zone: Time zone of the books: the one days are cut by.
        shop_currency: Currency the store sells in.
        books_currency: Base currency of the file.
    """

    def __init__(
        self,
        data_dir: str | Path | UPath,
        source: str,
        target: str,
        store_zone: ZoneInfo,
        books_zone: ZoneInfo,
        shop_currency: str,
        books_currency: str,
    ) -> None:
        super().__init__(data_dir, source, store_zone, shop_currency)
        self._saasu = LatestRecords(data_dir, target)
        self._books_zone = books_zone
        self._books_currency = books_currency
        self._books: tuple[tuple[Token, ...], Books] | None = None

    def books(self) -> Books:
        """The file; the same object for as long as no snapshot of it is replaced.

        Raises:
            DataError: A snapshot that is needed is missing. A record that cannot be read raises when it is looked at.
        """
        token = tuple(self._saasu.token(name) for name in SAASU)
        if self._books is None or self._books[0] != token:
            self._books = (token, self._read_books())
        return self._books[1]

    def saasu_items_of(self, day: date) -> tuple[SaasuItem, ...]:
        """Items last changed on the day, each as it is now; without deleted ones, and those that cannot be read."""
        return tuple(readable(self._items_of(day)))

    def unreadable_items_of(self, day: date) -> tuple[UnreadableError, ...]:
        """Items last changed on the day that cannot be read."""
        return tuple(unreadable(self._items_of(day)).values())

    def _items_of(self, day: date) -> Mapping[str, SaasuItem]:
        there = self.books().item_by_id
        return chosen(there, self._saasu.keys_of(SAASU["items"], day))

    def _read_books(self) -> Books:
        rows = {name: self._saasu.rows(entity, required=name in BOOKS_NEED) for name, entity in SAASU.items()}
        gone = _gone(rows)

        def living(name: str, decoder: Callable[[Record], T]) -> Stored[T]:
            kind = SAASU[name].deletions
            return Stored(rows[name], decoder, frozenset(key for what, key in gone if what == kind))

        items, stock = living("items", records.item), living("stock", records.item)
        codes_of_stock = stock.cells("code")
        codes = {key: str(code) for key, code in rows["items"].column("code").items()}
        buried = {codes[key] for kind, key in gone if kind == "Item" and key in codes}
        return Books(
            currency=self._books_currency,
            items=items,
            contacts=living("contacts", records.contact),
            companies=living("companies", records.company),
            invoices=living("invoices", self._in_currency(records.invoice)),
            payments=living("payments", self._in_currency(records.payment)),
            journals=living("journals", records.journal),
            accounts=living("accounts", records.account),
            tax_codes=living("tax_codes", records.tax_code),
            stock=tuple(readable(stock)),
            unread_stock=tuple((codes_of_stock[key], error) for key, error in unreadable(stock).items()),
            stock_read_at=rows["stock"].read_at,
            deleted=gone,
            deleted_codes=frozenset(buried)
            - {code for key, code in codes.items() if ("Item", key) not in gone},
            read_at=min((at for name in DOCUMENTS if (at := rows[name].read_at) is not None), default=None),
        )

    def _in_currency(self, decoder: Callable[[Record], M]) -> Callable[[Record], M]:
        """A document that names no currency is in the file's."""

        def decoded(record: Record) -> M:
            one = decoder(record)
            return one if one.currency else replace(one, currency=self._books_currency)

        return decoded

    def tokens(self, day: date, entities: Collection[str] = SOURCES) -> dict[str, str]:
        """Inputs of a plan for the day: digests of what the files of its source records hold, "" = never fetched.

        `saasu/items` is always among them: two flows begin there.
        """
        found = super().tokens(day, entities)
        return {**found, "saasu/items": self._saasu.content_hash(SAASU["items"], day)}


def _gone(rows: Mapping[str, Rows]) -> frozenset[tuple[str, str]]:
    """(kind, id) of what was deleted, and not seen changed after that."""
    told = rows["deleted"]
    kinds, ids, times = (told.column(name) for name in ("kind", "id", "changed"))
    changed = {
        entity.deletions: rows[name].column(entity.changed_column)
        for name, entity in SAASU.items()
        if entity.deletions in set(kinds.values()) and entity.changed_column
    }
    found = set()
    for key, at in times.items():
        kind, record = str(kinds[key]), str(ids[key])
        later = changed.get(kind, {}).get(record)
        if not (isinstance(later, datetime) and isinstance(at, datetime) and later > at):
            found.add((kind, record))
    return frozenset(found)
