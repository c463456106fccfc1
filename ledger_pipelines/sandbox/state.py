"""Where the sandbox keeps its state: one SQLite database, in memory or in a file that survives ``kill -9``.

Belongs here: the connection, its transactions, and a small store of JSON documents by namespace and key.
Does not belong here: what the documents mean. A vendor may keep SQL tables of its own in the same database.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path


class StateStore:
    """Documents (namespace, key -> JSON) and a transaction shared with the vendor's own tables.

    With a file: WAL and ``synchronous=FULL``, so what was committed before an answer left is there after a kill.
    Every method outside :meth:`transaction` commits by itself. Numbers with a fraction come back as ``Decimal``.
    """

    def __init__(self, path: Path | None = None):
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            path if path is not None else ":memory:",
            check_same_thread=False,
            isolation_level=None,
            timeout=30,
        )
        self.durable = path is not None
        if path is not None:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS document "
            "(namespace TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (namespace, key)) "
            "WITHOUT ROWID"
        )

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself (autocommit; use it inside :meth:`transaction` or under :attr:`lock`)."""
        return self._connection

    @property
    def lock(self) -> threading.RLock:
        """Held by every transaction; take it to read several things of one moment."""
        return self._lock

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nested use joins through a savepoint. Committed to disk when the outermost one ends."""
        with self._lock:
            depth = self._depth
            self._connection.execute("BEGIN IMMEDIATE" if depth == 0 else f"SAVEPOINT level{depth}")
            self._depth = depth + 1
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK" if depth == 0 else f"ROLLBACK TO level{depth}")
                if depth:
                    self._connection.execute(f"RELEASE level{depth}")
                raise
            else:
                self._connection.execute("COMMIT" if depth == 0 else f"RELEASE level{depth}")
            finally:
                self._depth = depth

    def get(self, namespace: str, key: str) -> object | None:
        """The document, or ``None``."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE namespace = ? AND key = ?", (namespace, key)
            ).fetchone()
        return None if row is None else _loads(row[0])

    def put(self, namespace: str, key: str, document: object) -> None:
        """Write or replace one document."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO document (namespace, key, body) VALUES (?, ?, ?) "
                "ON CONFLICT (namespace, key) DO UPDATE SET body = excluded.body",
                (namespace, key, json.dumps(document, default=str)),
            )

    def delete(self, namespace: str, key: str) -> bool:
        """Remove one document; whether there was one."""
        with self.transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM document WHERE namespace = ? AND key = ?", (namespace, key)
            )
            return cursor.rowcount > 0

    def items(self, namespace: str) -> list[tuple[str, object]]:
        """Every ``(key, document)`` of a namespace, in the order of the keys."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, body FROM document WHERE namespace = ? ORDER BY key", (namespace,)
            ).fetchall()
        return [(key, _loads(body)) for key, body in rows]

    def clear(self, namespace: str) -> None:
        """Remove every document of a namespace."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM document WHERE namespace = ?", (namespace,))

    def snapshot(self) -> sqlite3.Connection:
        """A copy of the whole database in memory, for :meth:`restore`."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with self._lock:
            self._connection.backup(copy)
        return copy

    def restore(self, snapshot: sqlite3.Connection) -> None:
        """Put the whole database back to ``snapshot``; caches above it must be read again."""
        with self._lock:
            snapshot.backup(self._connection)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()


def _loads(text: str) -> object:
    value: object = json.loads(text, parse_float=Decimal)
    return value
