"""Limits shared by every process of an account: token buckets and slots.

Belongs here: who may call when. Does not belong here: what the limits of a vendor are (`systems/<vendor>`).
The algorithm is pyrate-limiter's token bucket; its state is kept in SQLite, because that library keeps the
state of its token bucket in one process only.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pyrate_limiter import Rate, TokenBucket

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.errors import TransientError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.machine import at

_TABLE = "CREATE TABLE IF NOT EXISTS bucket (name TEXT PRIMARY KEY, arrival INTEGER NOT NULL) WITHOUT ROWID"


@dataclass(frozen=True, slots=True)
class BucketRate:
    """`per_second` tokens are added each second, up to `burst`."""

    per_second: float
    burst: int

    @property
    def seconds_per_token(self) -> float:
        """How long one token takes to come."""
        return 1 / self.per_second

    def rate(self) -> Rate:
        """As pyrate-limiter spells it."""
        return Rate(1, max(1, round(1000 / self.per_second)), burst=self.burst)


class TokenBuckets:
    """Token buckets by name, shared through one SQLite file of `folder` (None: this object only).

    Times are the clock's, so that a simulated clock rules them.
    """

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._algorithm = TokenBucket()
        self._lock = threading.Lock()
        self._memory: dict[str, int] = {}
        self._path = None
        if folder is not None:
            self._path = folder / "limits.sqlite"
            with at(self._path):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                with closing(self._open(self._path)) as db:
                    db.execute(_TABLE)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=30, isolation_level=None)

    def _step(self, name: str, rate: BucketRate) -> float:
        """Take a token now (0.0), or say how many seconds until there is one."""
        now = int(self._clock.now().timestamp() * 1000)
        rates = [rate.rate()]
        # An empty bucket is the most there can be: what lies further ahead was written by a clock that was wrong.
        latest = now * 1000 + int(rate.burst * rate.seconds_per_token * 1_000_000)

        def decide(arrival: int) -> tuple[int, float]:
            arrival = min(arrival, latest)
            state, decision = self._algorithm.step(rates, (arrival,), now, 1)
            wait = 0.0 if decision.allowed else max(1, decision.retry_after_ms or 1) / 1000
            return int(state[0]), wait

        with self._lock:
            if self._path is None:
                self._memory[name], wait = decide(self._memory.get(name, 0))
                return wait
            with at(self._path), closing(self._open(self._path)) as db:
                db.execute("BEGIN IMMEDIATE")
                row = db.execute("SELECT arrival FROM bucket WHERE name = ?", (name,)).fetchone()
                arrival, wait = decide(row[0] if row else 0)
                db.execute("INSERT OR REPLACE INTO bucket VALUES (?, ?)", (name, arrival))
                db.execute("COMMIT")
                return wait

    def take(self, name: str, rate: BucketRate, *, longest: float = 3600.0) -> float:
        """Wait for a token and take it; returns the seconds waited.

        Raises:
            TransientError: waiting would take more than `longest` seconds; nothing was called.
        """
        waited = 0.0
        while (wait := self._step(name, rate)) > 0:
            if waited + wait > longest:
                raise TransientError(
                    f"The rate limit {name} leaves no call for another {wait:.0f} s.",
                    remedy="Try again later, or allow a longer wait.",
                    code="rate-limit",
                    retry_after=wait,
                )
            reached("limits.waiting")
            self._clock.sleep(wait)
            waited += wait
        return waited

    def empty(self, name: str, rate: BucketRate) -> None:
        """The next token is a whole interval away: the other side says so (429), or a call has ended only now."""
        now_us = int(self._clock.now().timestamp() * 1_000_000)
        arrival = now_us + int(rate.burst * rate.seconds_per_token * 1_000_000)
        with self._lock:
            if self._path is None:
                self._memory[name] = max(arrival, self._memory.get(name, 0))
                return
            with at(self._path), closing(self._open(self._path)) as db:
                db.execute(
                    "INSERT INTO bucket VALUES (?, ?) ON CONFLICT (name)"
                    " DO UPDATE SET arrival = max(arrival, excluded.arrival)",
                    (name, arrival),
                )


class Slots:
    """At most `count` calls under way at once: in this process, and with a folder in all processes sharing it."""

    def __init__(self, folder: Path | None, name: str, count: int) -> None:
        if count < 1:
            raise ValueError("An account needs at least one slot.")
        self._semaphore = threading.BoundedSemaphore(count)
        self._paths: tuple[Path, ...] = ()
        if folder is not None:
            with at(folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._paths = tuple(folder / f"{name}.slot{i}.lock" for i in range(count))

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold one slot for the length of a call. The system frees a dead process's slots."""
        with self._semaphore:
            if not self._paths:
                yield
                return
            with at(self._paths[0]):
                lock = self._first_free()
            try:
                yield
            finally:
                lock.release()

    def _first_free(self) -> FileLock:
        while True:
            for path in self._paths:
                lock = FileLock(path, timeout=0, is_singleton=False)
                try:
                    lock.acquire()
                except Timeout:
                    continue
                return lock
            # all taken by other processes: wait on the first, looking round again now and then
            lock = FileLock(self._paths[0], timeout=0.25, is_singleton=False)
            try:
                lock.acquire(poll_interval=0.02)
            except Timeout:
                continue
            return lock
