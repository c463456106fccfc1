"""Saasu's tables: records of each file, the ledger, stock moves, deletions, counters.

Belongs here: reading and writing rows, ids, row versions. Does not belong here: rules, wire shapes.
A record is one JSON body; what lists filter by is indexed by expression. Amounts are JSON numbers with their own
digits, read back as exact decimals, and never touched by SQLite.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger_pipelines.sandbox.codec import Document, dumps, loads
from ledger_pipelines.sandbox.state import StateStore

TABLES = (
    "saasu_row",
    "saasu_ledger",
    "saasu_stock",
    "saasu_deleted",
    "saasu_counter",
    "saasu_token",
    "saasu_setting",
)
_INDEXES = {
    "number": "json_extract(body, '$.InvoiceNumber')",
    "po": "json_extract(body, '$.PurchaseOrderNumber')",
    "code": "json_extract(body, '$.Code')",
    "email": "json_extract(body, '$.EmailAddress')",
    "contactid": "json_extract(body, '$.ContactId')",
    "date": "json_extract(body, '$.TransactionDate')",
}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS saasu_row (file INTEGER NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL,
  created TEXT NOT NULL, modified TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (file, kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS saasu_modified ON saasu_row (file, kind, modified);
CREATE TABLE IF NOT EXISTS saasu_ledger (file INTEGER NOT NULL, kind TEXT NOT NULL, owner INTEGER NOT NULL,
  line INTEGER NOT NULL, account INTEGER NOT NULL, day TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
  foreign_amount TEXT NOT NULL, PRIMARY KEY (file, kind, owner, line)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS saasu_ledger_account ON saasu_ledger (file, account);
CREATE TABLE IF NOT EXISTS saasu_stock (file INTEGER NOT NULL, kind TEXT NOT NULL, owner INTEGER NOT NULL,
  line INTEGER NOT NULL, item INTEGER NOT NULL, quantity TEXT NOT NULL, value TEXT NOT NULL, committed TEXT NOT NULL,
  on_order TEXT NOT NULL, PRIMARY KEY (file, kind, owner, line)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS saasu_stock_item ON saasu_stock (file, item);
CREATE TABLE IF NOT EXISTS saasu_allocation (file INTEGER NOT NULL, invoice INTEGER NOT NULL, payment INTEGER NOT NULL,
  amount TEXT NOT NULL, PRIMARY KEY (file, invoice, payment)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS saasu_allocation_payment ON saasu_allocation (file, payment);
CREATE TABLE IF NOT EXISTS saasu_deleted (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, entity TEXT NOT NULL,
  entity_id INTEGER NOT NULL, at TEXT NOT NULL, login TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS saasu_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS saasu_token (token TEXT PRIMARY KEY, login TEXT NOT NULL, kind TEXT NOT NULL,
  family TEXT NOT NULL, expires TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS saasu_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_FIRST = {"transaction": 57174000, "contact": 771200, "company": 48200, "item": 301400, "account": 9100}
_VERSION = 0x1CF89100
ZERO = Decimal(0)


@dataclass(slots=True)
class Row:
    """One record. version: the row version behind `LastUpdatedId`; created, modified: naive UTC, ISO text."""

    file: int
    kind: str
    id: int
    created: str
    modified: str
    version: int
    body: Document

    @property
    def last_updated_id(self) -> str:
        """Base64 of the row version's eight bytes."""
        return token_of(self.version)


@dataclass(frozen=True, slots=True)
class Entry:
    """One ledger line. amount: base currency, debit positive; foreign: in the transaction's currency."""

    account: int
    amount: Decimal
    foreign: Decimal


@dataclass(frozen=True, slots=True)
class Move:
    """One move of stock by a transaction."""

    item: int
    quantity: Decimal = ZERO
    value: Decimal = ZERO
    committed: Decimal = ZERO
    on_order: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Stock:
    """What an item stands at."""

    on_hand: Decimal = ZERO
    value: Decimal = ZERO
    committed: Decimal = ZERO
    on_order: Decimal = ZERO


def token_of(version: int) -> str:
    """`LastUpdatedId` of a row version."""
    return base64.b64encode(version.to_bytes(8, "big")).decode()


class Store:
    """Row access over the sandbox's shared database. Writing methods belong inside `transaction()`."""

    def __init__(self, state: StateStore) -> None:
        self.state = state
        with state.lock:
            state.connection.executescript(_SCHEMA)
            for name, expression in _INDEXES.items():
                state.connection.execute(
                    f"CREATE INDEX IF NOT EXISTS saasu_{name} ON saasu_row (file, kind, {expression})"
                )
        self.db = state.connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        with self.state.transaction():
            yield

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction():
            for table in (*TABLES, "saasu_allocation"):
                self.db.execute(f"DELETE FROM {table}")  # noqa: S608  fixed names

    def next(self, name: str) -> int:
        """The next number of a sequence; numbers only rise."""
        first = _VERSION if name == "version" else _FIRST.get(name, 0)
        self.db.execute(
            "INSERT INTO saasu_counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (name, first + 1),
        )
        value: int = self.db.execute("SELECT value FROM saasu_counter WHERE name = ?", (name,)).fetchone()[0]
        return value

    def insert(
        self, file: int, kind: str, sequence: str, body: Document, now: datetime, given: int = 0
    ) -> Row:
        """A new record. given: its id, for seeds."""
        at = stamp(now)
        row = Row(file, kind, given or self.next(sequence), at, at, self.next("version"), body)
        self.db.execute("INSERT INTO saasu_row VALUES (?,?,?,?,?,?,?)", self._values(row))
        return row

    def save(self, row: Row, now: datetime) -> Row:
        """Write a changed record: a new row version."""
        row.modified, row.version = stamp(now), self.next("version")
        self.db.execute(
            "UPDATE saasu_row SET modified = ?, version = ?, body = ? WHERE file = ? AND kind = ? AND id = ?",
            (row.modified, row.version, dumps(row.body).decode(), row.file, row.kind, row.id),
        )
        return row

    def rewrite(self, row: Row) -> None:
        """Write fields that follow from others: the row version and the time of change stay."""
        self.db.execute(
            "UPDATE saasu_row SET body = ? WHERE file = ? AND kind = ? AND id = ?",
            (dumps(row.body).decode(), row.file, row.kind, row.id),
        )

    @staticmethod
    def _values(row: Row) -> tuple[object, ...]:
        return (row.file, row.kind, row.id, row.created, row.modified, row.version, dumps(row.body).decode())

    def get(self, file: int, kind: str, record_id: int) -> Row | None:
        """One record."""
        return next(self.select(file, kind, "id = ?", (record_id,)), None)

    def select(
        self, file: int, kind: str, where: str = "", values: Sequence[object] = (), tail: str = "ORDER BY id"
    ) -> Iterator[Row]:
        """Records by an SQL condition of ours (never of a caller's text)."""
        condition = f" AND {where}" if where else ""
        found = self.db.execute(
            "SELECT file, kind, id, created, modified, version, body FROM saasu_row "  # noqa: S608  own conditions
            f"WHERE file = ? AND kind = ?{condition} {tail}",
            (file, kind, *values),
        )
        for of, kind_, number, created, modified, version, body in found.fetchall():
            yield Row(of, kind_, number, created, modified, version, loads(body))

    def remove(self, row: Row, entity: str, now: datetime, login: str) -> None:
        """Delete a record; `entity` is what DeletedEntities calls it, "" where it does not report it."""
        self.db.execute(
            "DELETE FROM saasu_row WHERE file = ? AND kind = ? AND id = ?", (row.file, row.kind, row.id)
        )
        if entity:
            self.db.execute(
                "INSERT INTO saasu_deleted (file, entity, entity_id, at, login) VALUES (?,?,?,?,?)",
                (row.file, entity, row.id, stamp(now), login),
            )

    # --- ledger and stock ------------------------------------------------------------------------------------------

    def post(self, row: Row, day: str, currency: str, entries: Iterable[Entry]) -> None:
        """Replace the ledger lines of a transaction."""
        self.db.execute(
            "DELETE FROM saasu_ledger WHERE file = ? AND kind = ? AND owner = ?", (row.file, row.kind, row.id)
        )
        self.db.executemany(
            "INSERT INTO saasu_ledger VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (row.file, row.kind, row.id, n, e.account, day[:10], str(e.amount), currency, str(e.foreign))
                for n, e in enumerate(entries)
                if e.amount or e.foreign
            ],
        )

    def move(self, row: Row, moves: Iterable[Move]) -> None:
        """Replace the stock moves of a transaction."""
        self.db.execute(
            "DELETE FROM saasu_stock WHERE file = ? AND kind = ? AND owner = ?", (row.file, row.kind, row.id)
        )
        self.db.executemany(
            "INSERT INTO saasu_stock VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (
                    row.file,
                    row.kind,
                    row.id,
                    n,
                    m.item,
                    str(m.quantity),
                    str(m.value),
                    str(m.committed),
                    str(m.on_order),
                )
                for n, m in enumerate(moves)
            ],
        )

    def stock(self, file: int, item: int) -> Stock:
        """What an item stands at: the sum of its moves, exact."""
        sums = [ZERO] * 4
        for moved in self.db.execute(
            "SELECT quantity, value, committed, on_order FROM saasu_stock WHERE file = ? AND item = ?",
            (file, item),
        ):
            sums = [total + Decimal(part) for total, part in zip(sums, moved, strict=True)]
        return Stock(*sums)

    def ledger(self, file: int) -> list[tuple[str, int, int, str, Decimal, str, Decimal]]:
        """All ledger lines: (kind, owner, account, day, amount, currency, foreign amount)."""
        return [
            (kind, owner, account, day, Decimal(amount), currency, Decimal(foreign))
            for kind, owner, account, day, amount, currency, foreign in self.db.execute(
                "SELECT kind, owner, account, day, amount, currency, foreign_amount FROM saasu_ledger WHERE file = ? "
                "ORDER BY kind, owner, line",
                (file,),
            )
        ]

    # --- allocations -----------------------------------------------------------------------------------------------

    def allocate(self, file: int, payment: int, parts: Iterable[tuple[int, Decimal]]) -> None:
        """Replace what a payment pays: (invoice, amount)."""
        self.db.execute("DELETE FROM saasu_allocation WHERE file = ? AND payment = ?", (file, payment))
        self.db.executemany(
            "INSERT INTO saasu_allocation VALUES (?,?,?,?)", [(file, i, payment, str(a)) for i, a in parts]
        )

    def paid(self, file: int, invoice: int) -> list[tuple[int, Decimal]]:
        """(payment, amount) of an invoice."""
        return [
            (payment, Decimal(amount))
            for payment, amount in self.db.execute(
                "SELECT payment, amount FROM saasu_allocation WHERE file = ? AND invoice = ? ORDER BY payment",
                (file, invoice),
            )
        ]

    # --- settings --------------------------------------------------------------------------------------------------

    def setting(self, name: str) -> object | None:
        """A kept setting, or None."""
        found = self.db.execute("SELECT value FROM saasu_setting WHERE name = ?", (name,)).fetchone()
        return None if found is None else loads(found[0])

    def put_setting(self, name: str, value: object) -> None:
        """Keep a setting."""
        self.db.execute("INSERT OR REPLACE INTO saasu_setting VALUES (?, ?)", (name, dumps(value).decode()))


def stamp(now: datetime) -> str:
    """An instant as Saasu keeps it: naive UTC with milliseconds, sortable."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}"
