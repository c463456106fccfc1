"""The account's SQLite tables: records, the searchable projections of transactions, the ledger, jobs, logs.

Belongs here: table definitions, id allocation, reading and writing rows. Does not belong here: rules.
Every record's body is one row of `ns_record`; transactions are also written out as columns, because searches
over thousands of them must not read JSON. Money columns hold canonical decimal text, never floats.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ledger_pipelines.sandbox import codec
from ledger_pipelines.sandbox.codec import Document

if TYPE_CHECKING:
    from ledger_pipelines.sandbox.state import StateStore

HEADER = (
    "id", "recordtype", "type", "tranid", "transactionnumber", "trandate", "entity", "status", "currency",
    "exchangerate", "foreigntotal", "foreignamountpaid", "foreignamountunpaid", "foreignpaymentamountused",
    "foreignpaymentamountunused", "duedate", "terms", "otherrefnum", "externalid", "memo", "postingperiod", "posting",
    "voided", "createddate", "lastmodifieddate", "createdby", "createdfrom", "isreversal", "reversal", "reversaldate",
    "account", "araccount", "subsidiary", "department", "class", "location", "visible_at",
)  # fmt: skip
LINE = (
    "transaction", "id", "linesequencenumber", "uniquekey", "mainline", "taxline", "item", "itemtype", "quantity",
    "rate", "netamount", "foreignamount", "foreignamountpaid", "foreignamountunpaid", "foreignpaymentamountused",
    "foreignpaymentamountunused", "entity", "subsidiary", "department", "class", "location", "memo", "createdfrom",
    "orderline", "expenseaccount", "visible_at",
)  # fmt: skip
LEDGER = (
    "transaction", "transactionline", "accountingbook", "account", "amount", "debit", "credit", "posting",
    "amountpaid", "amountunpaid", "paymentamountused", "paymentamountunused", "currency", "foreigndebit",
    "foreigncredit", "subsidiary", "entity", "visible_at",
)  # fmt: skip
_INTEGERS = {
    "id", "transaction", "transactionline", "entity", "currency", "terms", "postingperiod", "createdby", "createdfrom",
    "account", "araccount", "subsidiary", "department", "class", "location", "item", "linesequencenumber", "uniquekey",
    "orderline", "expenseaccount", "accountingbook", "reversal",
}  # fmt: skip

TABLES = (
    "ns_record", "ns_transaction", "ns_line", "ns_ledger", "ns_link", "ns_job", "ns_job_fault", "ns_task", "ns_audit",
    "ns_nonce", "ns_lock", "ns_counter", "ns_definition", "ns_setting",
)  # fmt: skip


def _columns(names: tuple[str, ...]) -> str:
    kinds = {name: "INTEGER" if name in _INTEGERS else "TEXT" for name in names}
    kinds["visible_at"] = "REAL"
    return ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())


_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS ns_record (family TEXT NOT NULL, id INTEGER NOT NULL, rectype TEXT NOT NULL,
  external_id TEXT, name TEXT, inactive TEXT NOT NULL DEFAULT 'F', created TEXT, modified TEXT, created_local TEXT,
  modified_local TEXT, created_by INTEGER, visible_at REAL, body TEXT NOT NULL, PRIMARY KEY (family, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS ns_record_external ON ns_record (family, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS ns_record_name ON ns_record (family, name);
CREATE TABLE IF NOT EXISTS ns_transaction ({_columns(HEADER)}, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS ns_transaction_other ON ns_transaction (otherrefnum);
CREATE INDEX IF NOT EXISTS ns_transaction_external ON ns_transaction (externalid);
CREATE INDEX IF NOT EXISTS ns_transaction_tranid ON ns_transaction (tranid);
CREATE INDEX IF NOT EXISTS ns_transaction_entity ON ns_transaction (entity, type);
CREATE INDEX IF NOT EXISTS ns_transaction_modified ON ns_transaction (lastmodifieddate);
CREATE INDEX IF NOT EXISTS ns_transaction_date ON ns_transaction (trandate);
CREATE TABLE IF NOT EXISTS ns_line ({_columns(LINE)}, PRIMARY KEY ("transaction", id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ns_line_from ON ns_line (createdfrom);
CREATE INDEX IF NOT EXISTS ns_line_item ON ns_line (item);
CREATE TABLE IF NOT EXISTS ns_ledger ({_columns(LEDGER)}, PRIMARY KEY ("transaction", transactionline)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ns_ledger_account ON ns_ledger (account);
CREATE TABLE IF NOT EXISTS ns_link (previousdoc INTEGER NOT NULL, previousline INTEGER NOT NULL, previoustype TEXT,
  nextdoc INTEGER NOT NULL, nextline INTEGER NOT NULL, nexttype TEXT, linktype TEXT NOT NULL, foreignamount TEXT,
  lastmodifieddate TEXT, via INTEGER NOT NULL, visible_at REAL,
  PRIMARY KEY (previousdoc, previousline, nextdoc, nextline, linktype, via)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ns_link_next ON ns_link (nextdoc, linktype);
CREATE INDEX IF NOT EXISTS ns_link_via ON ns_link (via, linktype);
CREATE TABLE IF NOT EXISTS ns_job (id INTEGER PRIMARY KEY, idempotency_key TEXT, method TEXT, path TEXT, role TEXT,
  parallel INTEGER, submitted TEXT, completed INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS ns_job_key ON ns_job (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE IF NOT EXISTS ns_job_fault (job INTEGER PRIMARY KEY, lost INTEGER NOT NULL, starts REAL NOT NULL,
  shows REAL NOT NULL);
CREATE TABLE IF NOT EXISTS ns_task (job INTEGER NOT NULL, id INTEGER NOT NULL, request TEXT NOT NULL,
  progress TEXT NOT NULL, started TEXT, ended TEXT, status INTEGER, headers TEXT, body TEXT, PRIMARY KEY (job, id));
CREATE TABLE IF NOT EXISTS ns_audit (id INTEGER PRIMARY KEY, at TEXT, kind TEXT, outcome TEXT, cause TEXT,
  identity TEXT, detail TEXT);
CREATE TABLE IF NOT EXISTS ns_nonce (token TEXT, nonce TEXT, stamp INTEGER, PRIMARY KEY (token, nonce, stamp));
CREATE TABLE IF NOT EXISTS ns_lock (token TEXT PRIMARY KEY, failures INTEGER, locked_until REAL);
CREATE TABLE IF NOT EXISTS ns_counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ns_definition (position INTEGER PRIMARY KEY, kind TEXT, scriptid TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS ns_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_MASTER = frozenset({
    "account", "accountingPeriod", "currency", "customerSubsidiaryRelationship", "entity", "item", "subsidiary", "term",
})  # fmt: skip
Kept = TypeVar("Kept")
_FIRST_ID = {"transaction": 5000, "entity": 300, "item": 0, "account": 0}


@dataclass
class Row:
    """One record as kept: identity, stamps and its body (fields by camelCase name, references as id text)."""

    family: str
    id: int
    rectype: str
    body: Document
    external_id: str | None = None
    name: str | None = None
    inactive: bool = False
    created: str = ""
    modified: str = ""
    created_local: str = ""
    modified_local: str = ""
    created_by: int = 0
    visible_at: float | None = None


_ROW = (
    "family, id, rectype, body, external_id, name, inactive, created, modified, created_local, modified_local, "
    "created_by, visible_at"
)


def _row(values: tuple[object, ...]) -> Row:
    row = Row(*values)  # type: ignore[arg-type]  # the column list above is the field list
    row.body = codec.loads(str(values[3]))
    row.inactive = values[6] == "T"
    return row


class Store:
    """Row access over the sandbox's shared database. Writing methods belong inside `transaction()`."""

    def __init__(self, state: StateStore):
        self.state = state
        self._memo: dict[tuple[object, ...], Any] = {}
        self._inserts: dict[tuple[str, ...], str] = {}
        self._aside = 0
        with state.lock:
            state.connection.executescript(_SCHEMA)

    @property
    def db(self) -> sqlite3.Connection:
        """The shared connection."""
        return self.state.connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; joins an outer one through a savepoint."""
        try:
            with self.state.transaction():
                yield
        except BaseException:
            self.forget()
            raise

    @property
    def version(self) -> int:
        """Grows with every change that a search could see."""
        return self.db.total_changes - self._aside

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Changes that no search can see (nonces, login locks): the version stays."""
        before = self.db.total_changes
        try:
            yield
        finally:
            self._aside += self.db.total_changes - before

    def latest_visible(self) -> float | None:
        """The latest instant, in epoch seconds, at which a record that was written late shows in searches."""
        tables = ("ns_record", "ns_transaction", "ns_line", "ns_ledger", "ns_link")
        found = [self.db.execute(f"SELECT max(visible_at) FROM {table}").fetchone()[0] for table in tables]  # noqa: S608
        return max((at for at in found if at is not None), default=None)

    def forget(self) -> None:
        """Drop what was remembered of master data (it changed, or a transaction was undone)."""
        self._memo.clear()

    def remember(self, key: tuple[object, ...], make: Callable[[], Kept]) -> Kept:
        """A value derived from master data, made once until that data changes. Treat it as read-only."""
        try:
            found: Kept = self._memo[key]
        except KeyError:
            found = self._memo[key] = make()
        return found

    def master(self, family: str, record_id: int) -> Row | None:
        """A master-data record that is only read, remembered (never change its body)."""
        return self.remember((family, record_id), lambda: self.get(family, record_id))

    def clear(self) -> None:
        """Empty every table and forget custom columns' values."""
        with self.transaction():
            for table in TABLES:
                self.db.execute(f"DELETE FROM {table}")  # noqa: S608  fixed names
        self.forget()

    def next_id(self, family: str) -> int:
        """The next internal id of a family; ids only rise, and are never used again."""
        self.db.execute(
            "INSERT INTO ns_counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 1",
            (family, _FIRST_ID.get(family, 0) + 1),
        )
        value: int = self.db.execute("SELECT value FROM ns_counter WHERE name = ?", (family,)).fetchone()[0]
        return value

    def raise_counter(self, family: str, at_least: int) -> None:
        """Make sure that the next id of a family is above `at_least`."""
        self.db.execute(
            "INSERT INTO ns_counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (family, at_least),
        )

    def get(self, family: str, record_id: int) -> Row | None:
        """The record with that internal id."""
        found = self.db.execute(
            f"SELECT {_ROW} FROM ns_record WHERE family = ? AND id = ?",  # noqa: S608
            (family, record_id),
        ).fetchone()
        return _row(found) if found else None

    def by_external_id(self, family: str, external_id: str) -> Row | None:
        """The record with that external id in the family."""
        found = self.db.execute(
            f"SELECT {_ROW} FROM ns_record WHERE family = ? AND external_id = ?",  # noqa: S608
            (family, external_id),
        ).fetchone()
        return _row(found) if found else None

    def by_name(self, family: str, name: str) -> Row | None:
        """The first record of that name in the family."""
        found = self.db.execute(
            f"SELECT {_ROW} FROM ns_record WHERE family = ? AND name = ? ORDER BY id LIMIT 1",  # noqa: S608
            (family, name),
        ).fetchone()
        return _row(found) if found else None

    def rows(self, family: str, rectype: str | None = None) -> list[Row]:
        """All records of a family (of one type), by id."""
        sql = f"SELECT {_ROW} FROM ns_record WHERE family = ?"  # noqa: S608
        values: list[object] = [family]
        if rectype is not None:
            sql += " AND rectype = ?"
            values.append(rectype)
        return [_row(found) for found in self.db.execute(sql + " ORDER BY id", values)]

    def display(self, family: str, record_id: object) -> str | None:
        """The name shown for a reference, or None when there is no such record."""
        found = self.db.execute(
            "SELECT coalesce(name, '') FROM ns_record WHERE family = ? AND id = ?", (family, record_id)
        ).fetchone()
        return found[0] if found else None

    def put(self, row: Row) -> None:
        """Insert or replace a record. Raises sqlite3.IntegrityError when the external id is taken."""
        self._changed(row.family)
        self.db.execute(
            f"INSERT INTO ns_record ({_ROW}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (family, id) DO UPDATE SET "  # noqa: S608
            "body=excluded.body, external_id=excluded.external_id, name=excluded.name, inactive=excluded.inactive, "
            "modified=excluded.modified, modified_local=excluded.modified_local",
            (
                row.family, row.id, row.rectype, codec.keep(row.body), row.external_id, row.name,
                "T" if row.inactive else "F", row.created, row.modified, row.created_local, row.modified_local,
                row.created_by, row.visible_at,
            ),
        )  # fmt: skip

    def _changed(self, family: str) -> None:
        if family in _MASTER:
            self.forget()

    def remove(self, family: str, record_id: int) -> None:
        """Delete a record and, for a transaction, its projections."""
        self._changed(family)
        self.db.execute("DELETE FROM ns_record WHERE family = ? AND id = ?", (family, record_id))
        if family == "transaction":
            self.db.execute("DELETE FROM ns_transaction WHERE id = ?", (record_id,))
            self.clear_lines(record_id)
            self.db.execute(
                "DELETE FROM ns_link WHERE previousdoc = ?1 OR nextdoc = ?1 OR via = ?1", (record_id,)
            )

    def clear_lines(self, transaction: int) -> None:
        """Delete the searchable lines and ledger lines of a transaction."""
        self.db.execute('DELETE FROM ns_line WHERE "transaction" = ?', (transaction,))
        self.db.execute('DELETE FROM ns_ledger WHERE "transaction" = ?', (transaction,))

    def insert(self, table: str, values: Document) -> None:
        """Insert or replace one row by column name."""
        key = (table, *values)
        sql = self._inserts.get(key)
        if sql is None:
            names = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join("?" * len(values))
            sql = self._inserts[key] = f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  own names
        self.db.execute(sql, tuple(values.values()))

    def add_column(self, table: str, column: str, *, indexed: bool = False) -> None:
        """Add a custom field's column to a projection (once)."""
        known = {found[1] for found in self.db.execute(f"PRAGMA table_info({table})")}
        if column not in known:
            self.db.execute(f'ALTER TABLE {table} ADD COLUMN "{column}" TEXT')
        if indexed:
            self.db.execute(f'CREATE INDEX IF NOT EXISTS {table}_{column} ON {table} ("{column}")')

    def setting(self, name: str) -> object | None:
        """A kept setting, or None."""
        found = self.db.execute("SELECT value FROM ns_setting WHERE name = ?", (name,)).fetchone()
        return None if found is None else codec.loads(found[0])

    def put_setting(self, name: str, value: object) -> None:
        """Keep a setting."""
        self.db.execute("INSERT OR REPLACE INTO ns_setting VALUES (?, ?)", (name, codec.keep(value)))
