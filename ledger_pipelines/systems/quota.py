"""A day's calls of an account, counted by all processes that make them, kept over restarts.

Belongs here: counting, the share that is ours, a block, how often in a row the account said "too many calls". Does not belong here: how large a vendor's quota is
(`systems/<vendor>`), in which order work is done when little is left (`integrations`).
Rule (reliability.md 5): a daily budget stops before the vendor's cap, for passing it locks the account out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.errors import TransientError
from ledger_pipelines.machine import at

_TABLE = (
    "CREATE TABLE IF NOT EXISTS quota (name TEXT PRIMARY KEY, day TEXT NOT NULL, used INTEGER NOT NULL,"
    " blocked_until TEXT NOT NULL) WITHOUT ROWID"
)
_THROTTLED = (
    "CREATE TABLE IF NOT EXISTS throttled (name TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class Spent:
    """Where an account stands.

    Args:
        day: The day that is counted, UTC.
        used: Calls of ours on that day.
        limit: Most calls of ours a day (our share of the vendor's quota); None = not limited.
        blocked_until: The account answers nothing before this instant, UTC; None = it is not blocked.
    """

    day: date
    used: int
    limit: int | None
    blocked_until: datetime | None = None

    @property
    def left(self) -> int | None:
        """Calls that may still be made today; None = any number."""
        if self.blocked_until is not None:
            return 0
        return None if self.limit is None else max(0, self.limit - self.used)


class DailyQuota:
    """The counter of one account. A day is a day of UTC.

    Args:
        folder: Shared by all processes of the account.
        name: Of the account.
        clock: Decides which day it is.
        limit: Most calls a day; None = only count.

    Raises:
        StorageError: from every method, when this machine refuses the file of the count.
    """

    def __init__(self, folder: Path, name: str, clock: Clock, limit: int | None) -> None:
        self._name, self._clock, self._limit = name, clock, limit
        self._path = folder / "quota.sqlite"
        with at(self._path):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._open() as db:
            db.execute(_TABLE)
            db.execute(_THROTTLED)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with at(self._path), closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as db:
            yield db

    def take(self) -> int:
        """Count one call that is about to be made; how many were made today, this one included.

        Raises:
            TransientError: today's share is spent, or the account is blocked; nothing may be called. `retry_after` is
            the time until it may.
        """
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            spent = self._read(db)
            refusal = self._refusal(spent)
            if refusal is None:
                self._write(db, spent.day, spent.used + 1, None)
            db.execute("COMMIT")
        if refusal is not None:
            raise refusal
        return spent.used + 1

    def block(self, hours: float) -> datetime:  # not money: hours
        """The account said that it is blocked: nothing is called before the instant returned, UTC."""
        until = self._clock.now() + timedelta(hours=hours)
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            spent = self._read(db)
            self._write(db, spent.day, spent.used, until)
            db.execute("COMMIT")
        return until

    def throttled(self) -> int:
        """The account said "too many calls"; how many times in a row by now, whichever process was told."""
        with self._open() as db:
            count = "INSERT INTO throttled VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET times = times + 1 RETURNING times"
            return int(db.execute(count, (self._name,)).fetchone()[0])

    def eased(self) -> None:
        """The account answered otherwise: what it said before counts no more."""
        with self._open() as db:
            if db.execute("SELECT 1 FROM throttled WHERE name = ?", (self._name,)).fetchone():
                db.execute("DELETE FROM throttled WHERE name = ?", (self._name,))

    def spent(self) -> Spent:
        """Where the account stands."""
        with self._open() as db:
            return self._read(db)

    def _read(self, db: sqlite3.Connection) -> Spent:
        now = self._clock.now().astimezone(UTC)
        row = db.execute(
            "SELECT day, used, blocked_until FROM quota WHERE name = ?", (self._name,)
        ).fetchone()
        if row is None:
            return Spent(now.date(), 0, self._limit)
        until = datetime.fromisoformat(row[2]) if row[2] else None
        used = int(row[1]) if row[0] == now.date().isoformat() else 0
        return Spent(now.date(), used, self._limit, until if until is not None and now < until else None)

    def _write(self, db: sqlite3.Connection, day: date, used: int, until: datetime | None) -> None:
        kept = "" if until is None else until.isoformat()
        db.execute(
            "INSERT OR REPLACE INTO quota VALUES (?, ?, ?, ?)", (self._name, day.isoformat(), used, kept)
        )

    def _refusal(self, spent: Spent) -> TransientError | None:
        now = self._clock.now().astimezone(UTC)
        if spent.blocked_until is not None:
            return TransientError(
                f"{self._name} is blocked by the vendor until {spent.blocked_until:%Y-%m-%d %H:%M} UTC.",
                remedy="Nothing is lost; the rest goes on by itself after that.",
                code="blocked",
                retry_after=(spent.blocked_until - now).total_seconds(),
            )
        if spent.limit is not None and spent.used >= spent.limit:
            midnight = datetime.combine(spent.day + timedelta(days=1), datetime.min.time(), UTC)
            return TransientError(
                f"{self._name} has used its {spent.limit:,} calls of {spent.day.isoformat()} (UTC).",
                remedy="The rest waits for tomorrow, or raise the share of the quota in the connection.",
                code="quota-spent",
                retry_after=(midnight - now).total_seconds(),
            )
        return None
