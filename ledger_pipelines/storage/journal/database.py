"""Opening the journal's database: durability settings, transactions, migrations under a lock.

Belongs here: engine, pragmas, how a transaction begins, `upgrade`. Does not belong here: any query.

SQLite: WAL, `synchronous=FULL` (a commit is on the disk before we go on), one minute of patience for a lock, and
`BEGIN IMMEDIATE` for every writing transaction. PostgreSQL: writers queue on the one row of `chain`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.machine import at
from ledger_pipelines.storage.journal.migrations import HEAD
from ledger_pipelines.storage.journal.models import chain

_PATIENCE_SECONDS = 60
_OTHERS_AT_WORK = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_MIGRATION_LOCK = 7_230_114_655_210_001
_MIGRATIONS = Path(__file__).parent / "migrations"


def journal_url(place: str | Path) -> URL:
    """A database URL from a URL or a file path.

    Raises:
        ConfigurationError: neither SQLite nor PostgreSQL.
    """
    raw = str(place)
    if "://" not in raw:
        return URL.create("sqlite", database=str(Path(raw)))
    try:
        url = make_url(raw)
    except ArgumentError as error:
        raise ConfigurationError(
            "The journal's address is not a database URL.",
            remedy="Write sqlite:///path/to/journal.db or postgresql://user@host/database.",
            code="journal-url",
        ) from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        return url.set(drivername="sqlite")
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        f"The journal cannot live in {backend}.",
        remedy="Use SQLite (a file path) or PostgreSQL (postgresql://...).",
        code="journal-url",
    )


def make_engine(url: URL) -> Engine:
    """An engine with the durability this product promises."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED")
    if not url.database or url.database == ":memory:":
        raise ConfigurationError(
            "The journal must outlive the process: it cannot be in memory.",
            remedy="Give a file path.",
            code="journal-url",
        )
    with at(url.database):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # Nothing to reset: every transaction begins and ends in `_transaction`, and outside of one SQLite is in none.
    engine = create_engine(url, connect_args={"timeout": _PATIENCE_SECONDS}, pool_reset_on_return=None)
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, see _transaction
    cursor = connection.cursor()
    try:
        _write_ahead(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Switch to WAL. SQLite answers "locked" at once, without patience, when two processes do it together."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _OTHERS_AT_WORK or time.monotonic() > deadline:
                raise
            time.sleep(0.01)  # not money: seconds


def _place(engine: Engine) -> str:
    """What a message calls the journal."""
    return str(engine.url.database) if engine.dialect.name == "sqlite" else "the journal"


@contextmanager
def _transaction(engine: Engine, beginning: str) -> Iterator[Connection]:
    """One transaction. SQLite's begins by the statement given here: its driver would begin only with the first write."""
    with at(_place(engine)), engine.connect() as connection, connection.begin():
        if engine.dialect.name == "sqlite":
            _begun(connection, beginning)
        yield connection


def _begun(connection: Connection, beginning: str) -> None:
    """Straight to the driver: SQLAlchemy's way takes longer than all else that a short look at the journal does."""
    connection.connection.execute(beginning)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A consistent look; nothing is changed."""
    with _transaction(engine, "BEGIN") as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is alone among writers; committed durably at the end, rolled back on any error."""
    with _transaction(engine, "BEGIN IMMEDIATE") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(chain.c.id).with_for_update())
        yield connection


def _version(connection: Connection) -> str | None:
    """The form the journal has; None when it was not made yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(engine: Engine, *, now: datetime | None = None) -> None:
    """Bring the journal to this version's form; several processes may do so at once.

    Args:
        engine: The journal's database.
        now: The instant a new journal is born; None = by the machine's clock.

    Raises:
        ConfigurationError: the journal was written by a newer version of the product.
    """
    with reading(engine) as connection:
        if _version(connection) == HEAD:
            return
    # loaded when needed: hardly ever
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with _transaction(engine, "BEGIN IMMEDIATE") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        config.attributes["born_at"] = now
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ConfigurationError(
                "The journal was written by a newer version of ledger-pipelines.",
                remedy="Upgrade the program; an older one must not write to this journal.",
                code="journal-newer",
            ) from error
