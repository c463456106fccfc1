"""Neto's tables: records by kind and key, stock by warehouse, counters.

Belongs here: rows, ids, times. Does not belong here: rules, wire shapes. Instants are naive UTC text, as Neto keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger_pipelines.sandbox.codec import Document, dumps, loads
from ledger_pipelines.sandbox.state import StateStore

TABLES = ("neto_row", "neto_stock", "neto_counter", "neto_setting")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS neto_row (kind TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, added TEXT NOT NULL,
  updated TEXT NOT NULL, owner TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS neto_updated ON neto_row (kind, updated);
CREATE INDEX IF NOT EXISTS neto_number ON neto_row (kind, number);
CREATE INDEX IF NOT EXISTS neto_key ON neto_row (kind, key COLLATE NOCASE);
CREATE INDEX IF NOT EXISTS neto_owner ON neto_row (kind, owner);
CREATE TABLE IF NOT EXISTS neto_stock (sku TEXT NOT NULL, warehouse TEXT NOT NULL, quantity TEXT NOT NULL,
  PRIMARY KEY (sku, warehouse)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS neto_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS neto_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_FIRST = {"item": 2000, "customer": 800, "order": 10_000, "payment": 5500, "rma": 70, "refund": 30}


@dataclass(slots=True)
class Row:
    """One record. key: what it is named by (SKU, username, OrderID, ...); owner: the record it belongs to, "" for none."""

    kind: str
    key: str
    number: int
    added: str
    updated: str
    owner: str
    body: Document


class Store:
    """Row access. Writing methods belong inside `transaction()`."""

    def __init__(self, state: StateStore) -> None:
        self.state = state
        with state.lock:
            state.connection.executescript(_SCHEMA)
        self.db = state.connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        with self.state.transaction():
            yield

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction():
            for table in TABLES:
                self.db.execute(f"DELETE FROM {table}")  # noqa: S608  fixed names

    def next(self, name: str) -> int:
        """The next number of a sequence."""
        self.db.execute(
            "INSERT INTO neto_counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (name, _FIRST.get(name, 0) + 1),
        )
        value: int = self.db.execute("SELECT value FROM neto_counter WHERE name = ?", (name,)).fetchone()[0]
        return value

    def add(self, kind: str, key: str, number: int, body: Document, now: datetime, owner: str = "") -> Row:
        """A new record. Raises sqlite3.IntegrityError when the key is taken."""
        row = Row(kind, key, number, stamp(now), stamp(now), owner, body)
        self.db.execute(
            "INSERT INTO neto_row VALUES (?,?,?,?,?,?,?)",
            (kind, key, number, row.added, row.updated, owner, dumps(body).decode()),
        )
        return row

    def save(self, row: Row, now: datetime) -> None:
        """Write a changed record."""
        row.updated = stamp(now)
        self.db.execute(
            "UPDATE neto_row SET updated = ?, body = ? WHERE kind = ? AND key = ?",
            (row.updated, dumps(row.body).decode(), row.kind, row.key),
        )

    def get(self, kind: str, key: str) -> Row | None:
        """One record by its key."""
        return next(self.select(kind, "key = ?", (key,)), None)

    def select(self, kind: str, where: str = "", values: Sequence[object] = ()) -> Iterator[Row]:
        """Records in the order of their numbers, by an SQL condition of ours."""
        condition = f" AND {where}" if where else ""
        found = self.db.execute(
            "SELECT kind, key, number, added, updated, owner, body FROM neto_row "  # noqa: S608  own conditions
            f"WHERE kind = ?{condition} ORDER BY number, key",
            (kind, *values),
        )
        for of, key, number, added, updated, owner, body in found.fetchall():
            yield Row(of, key, number, added, updated, owner, loads(body))

    def stock(self, sku: str) -> dict[str, Decimal]:
        """On hand by warehouse."""
        return {
            warehouse: Decimal(quantity)
            for warehouse, quantity in self.db.execute(
                "SELECT warehouse, quantity FROM neto_stock WHERE sku = ? ORDER BY warehouse", (sku,)
            )
        }

    def set_stock(self, sku: str, warehouse: str, quantity: Decimal) -> None:
        """On hand in one warehouse."""
        self.db.execute("INSERT OR REPLACE INTO neto_stock VALUES (?, ?, ?)", (sku, warehouse, str(quantity)))

    def setting(self, name: str) -> object | None:
        """A kept setting, or None."""
        found = self.db.execute("SELECT value FROM neto_setting WHERE name = ?", (name,)).fetchone()
        return None if found is None else loads(found[0])

    def put_setting(self, name: str, value: object) -> None:
        """Keep a setting."""
        self.db.execute("INSERT OR REPLACE INTO neto_setting VALUES (?, ?)", (name, dumps(value).decode()))


def stamp(now: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS`."""
    return now.strftime("%Y-%m-%d %H:%M:%S")
