"""Omni's tables: records by kind and id, stock moves with the levels they add up to, counters, settings.

Belongs here: rows, ids, times. Does not belong here: rules, wire shapes. Instants are naive UTC text with microseconds.
A record is one JSON body; what clients look up by is indexed by expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger_pipelines.sandbox.codec import ZERO, Document, dumps, loads
from ledger_pipelines.sandbox.state import StateStore

TABLES = ("cin7_row", "cin7_move", "cin7_level", "cin7_counter", "cin7_setting")
TEXT_INDEXES = (
    "reference",
    "email",
    "productOptionCode",
    "productOptionSizeCode",
    "customerOrderNo",
    "styleCode",
)
NUMBER_INDEXES = ("orderId", "productId", "id")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS cin7_row (kind TEXT NOT NULL, id INTEGER NOT NULL, made TEXT NOT NULL, modified TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cin7_modified ON cin7_row (kind, modified);
CREATE INDEX IF NOT EXISTS cin7_voided ON cin7_row (kind, json_extract(body, '$._voidedAt'));
CREATE TABLE IF NOT EXISTS cin7_move (kind TEXT NOT NULL, owner INTEGER NOT NULL, line INTEGER NOT NULL,
  option INTEGER NOT NULL, size TEXT NOT NULL, branch INTEGER NOT NULL, on_hand TEXT NOT NULL, open_sales TEXT NOT NULL,
  PRIMARY KEY (kind, owner, line)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cin7_level (option INTEGER NOT NULL, size TEXT NOT NULL, branch INTEGER NOT NULL,
  on_hand TEXT NOT NULL, open_sales TEXT NOT NULL, modified TEXT NOT NULL, PRIMARY KEY (option, size, branch)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cin7_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cin7_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
FIRST = {
    "order": 88_000, "line": 402_000, "credit": 950_000, "payment": 61_000, "contact": 5_200, "branch": 2, "product": 1_300,
    "option": 2_700, "optionrow": 0, "size": 40, "adjustment": 710, "user": 10, "invoice": 3_000, "number": 1_000,
}  # fmt: skip
"""The last id before the first one of each sequence: an empty account always numbers the same way."""


@dataclass(slots=True)
class Row:
    """One record. made, modified: naive UTC, ISO text. body: all fields; names that begin with `_` are never shown."""

    kind: str
    id: int
    made: str
    modified: str
    body: Document


@dataclass(frozen=True, slots=True)
class Cell:
    """Where stock is: an option (of a size, "" for none) at a branch."""

    option: int
    size: str
    branch: int


@dataclass(frozen=True, slots=True)
class Move:
    """What one line of a document does to stock."""

    cell: Cell
    on_hand: Decimal = ZERO
    open_sales: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Level:
    """What a cell stands at. modified: "" where nothing ever moved."""

    on_hand: Decimal = ZERO
    open_sales: Decimal = ZERO
    modified: str = ""


class Store:
    """Row access over the sandbox's shared database. Writing methods belong inside `transaction()`."""

    def __init__(self, state: StateStore) -> None:
        self.state = state
        with state.lock:
            state.connection.executescript(_SCHEMA)
            for name in (*TEXT_INDEXES, *NUMBER_INDEXES):
                collate = " COLLATE NOCASE" if name in TEXT_INDEXES else ""
                state.connection.execute(
                    f"CREATE INDEX IF NOT EXISTS cin7_{name} ON cin7_row (kind, json_extract(body, '$.{name}'){collate})"
                )
        self.db = state.connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested use is undone by itself."""
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
            "INSERT INTO cin7_counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (name, FIRST[name] + 1),
        )
        value: int = self.db.execute("SELECT value FROM cin7_counter WHERE name = ?", (name,)).fetchone()[0]
        return value

    def insert(self, kind: str, row_id: int, body: Document, now: datetime) -> Row:
        """A new record."""
        row = Row(kind, row_id, stamp(now), stamp(now), body)
        self.db.execute(
            "INSERT INTO cin7_row VALUES (?,?,?,?,?)",
            (kind, row_id, row.made, row.modified, dumps(body).decode()),
        )
        return row

    def save(self, row: Row, now: datetime) -> None:
        """Write a changed record."""
        row.modified = stamp(now)
        self.db.execute(
            "UPDATE cin7_row SET modified = ?, body = ? WHERE kind = ? AND id = ?",
            (row.modified, dumps(row.body).decode(), row.kind, row.id),
        )

    def remove(self, kind: str, row_id: int) -> None:
        """Delete a record."""
        self.db.execute("DELETE FROM cin7_row WHERE kind = ? AND id = ?", (kind, row_id))

    def get(self, kind: str, row_id: int) -> Row | None:
        """One record."""
        return next(self.select(kind, "id = ?", (row_id,)), None)

    def named(self, kind: str, name: str, value: str) -> Row | None:
        """The first record whose text field `name` (one of TEXT_INDEXES) is `value`, without regard to ASCII case."""
        condition = f"json_extract(body, '$.{name}') = ? COLLATE NOCASE"
        return next(self.select(kind, condition, (value,), index=name), None)

    def select(
        self, kind: str, where: str = "", values: Sequence[object] = (), *, index: str = ""
    ) -> Iterator[Row]:
        """Records in the order of their ids, by an SQL condition of ours (never of a caller's text).

        index: the one to use; left to itself, SQLite reads every record of the kind, as it knows no statistics.
        """
        condition = f" AND {where}" if where else ""
        used, order = (f"INDEXED BY cin7_{index} ", "+id") if index else ("", "id")
        found = self.db.execute(
            f"SELECT kind, id, made, modified, body FROM cin7_row {used}"  # noqa: S608  own conditions
            f"WHERE kind = ?{condition} ORDER BY {order}",
            (kind, *values),
        )
        for of, row_id, made, modified, body in found.fetchall():
            yield Row(of, row_id, made, modified, loads(body))

    # --- stock -----------------------------------------------------------------------------------------------------

    def move(self, kind: str, owner: int, moves: Iterable[Move], now: datetime) -> None:
        """Replace what a document does to stock; the levels follow."""
        before = [(cell, -hand, -sold) for cell, hand, sold in self._moves_of(kind, owner)]
        after = [
            (move.cell, move.on_hand, move.open_sales) for move in moves if move.on_hand or move.open_sales
        ]
        self.db.execute("DELETE FROM cin7_move WHERE kind = ? AND owner = ?", (kind, owner))
        self.db.executemany(
            "INSERT INTO cin7_move VALUES (?,?,?,?,?,?,?,?)",
            [
                (kind, owner, n, cell.option, cell.size, cell.branch, str(hand), str(sold))
                for n, (cell, hand, sold) in enumerate(after)
            ],
        )
        changes: dict[Cell, tuple[Decimal, Decimal]] = {}
        for cell, hand, sold in (*before, *after):
            was = changes.get(cell, (ZERO, ZERO))
            changes[cell] = (was[0] + hand, was[1] + sold)
        for cell, (hand, sold) in changes.items():
            if hand or sold:
                at = self.level(cell)
                self.db.execute(
                    "INSERT OR REPLACE INTO cin7_level VALUES (?,?,?,?,?,?)",
                    (
                        cell.option,
                        cell.size,
                        cell.branch,
                        str(at.on_hand + hand),
                        str(at.open_sales + sold),
                        stamp(now),
                    ),
                )

    def _moves_of(self, kind: str, owner: int) -> list[tuple[Cell, Decimal, Decimal]]:
        return [
            (Cell(option, size, branch), Decimal(hand), Decimal(sold))
            for option, size, branch, hand, sold in self.db.execute(
                "SELECT option, size, branch, on_hand, open_sales FROM cin7_move WHERE kind = ? AND owner = ?",
                (kind, owner),
            )
        ]

    def moves(self) -> list[tuple[str, int, Move]]:
        """Every move, with the kind and id of the document that makes it."""
        return [
            (kind, owner, Move(Cell(option, size, branch), Decimal(hand), Decimal(sold)))
            for kind, owner, option, size, branch, hand, sold in self.db.execute(
                "SELECT kind, owner, option, size, branch, on_hand, open_sales FROM cin7_move ORDER BY kind, owner, line"
            )
        ]

    def level(self, cell: Cell) -> Level:
        """What a cell stands at."""
        found = self.db.execute(
            "SELECT on_hand, open_sales, modified FROM cin7_level WHERE option = ? AND size = ? AND branch = ?",
            (cell.option, cell.size, cell.branch),
        ).fetchone()
        return Level() if found is None else Level(Decimal(found[0]), Decimal(found[1]), found[2])

    def of_option(self, option: int, size: str) -> list[tuple[Decimal, Decimal]]:
        """(on hand, open sales) of an option, by branch."""
        return [
            (Decimal(hand), Decimal(sold))
            for hand, sold in self.db.execute(
                "SELECT on_hand, open_sales FROM cin7_level WHERE option = ? AND size = ?", (option, size)
            )
        ]

    def levels(self) -> dict[Cell, Level]:
        """All levels."""
        return {
            Cell(option, size, branch): Level(Decimal(hand), Decimal(sold), modified)
            for option, size, branch, hand, sold, modified in self.db.execute(
                "SELECT option, size, branch, on_hand, open_sales, modified FROM cin7_level ORDER BY option, size, branch"
            )
        }

    # --- settings --------------------------------------------------------------------------------------------------

    def setting(self, name: str) -> object | None:
        """A kept setting, or None."""
        found = self.db.execute("SELECT value FROM cin7_setting WHERE name = ?", (name,)).fetchone()
        return None if found is None else loads(found[0])

    def put_setting(self, name: str, value: object) -> None:
        """Keep a setting."""
        self.db.execute("INSERT OR REPLACE INTO cin7_setting VALUES (?, ?)", (name, dumps(value).decode()))


def stamp(now: datetime) -> str:
    """A naive UTC instant as it is kept: sortable text."""
    return now.isoformat(timespec="microseconds")
