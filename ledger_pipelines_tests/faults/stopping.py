"""Where a child is stopped: at the n-th reach of a named point, or after its n-th durable operation.

Belongs here: counting, and SIGKILL or SIGSTOP of one's own process. Does not belong here: choosing (`drills`).

A durable operation is a commit that changed the journal, an fsync, or a rename: whatever survives the process. The product
knows nothing of this; the functions are wrapped in the child only. This is SQLite's way: fail after operation
n = 1, 2, 3 ... until a run ends unharmed (reliability.md 2).
"""

from __future__ import annotations

import functools
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from ledger_pipelines import faultpoints

DURABLE = "durable"
"""Counts durable operations, as if it were a point."""


@dataclass(frozen=True, slots=True)
class Stop:
    """at: a fault point, `DURABLE`, or "" = nowhere. nth: at which reach. sleep: SIGSTOP instead of SIGKILL."""

    at: str = ""
    nth: int = 1
    sleep: bool = False

    @property
    def name(self) -> str:
        """`POINT#N`, or nothing."""
        return f"{self.at}#{self.nth}" if self.at else ""

    @classmethod
    def parse(cls, text: str) -> Stop:
        """Read `name`. Raises ValueError."""
        at, _, nth = text.partition("#")
        return cls(at, int(nth or 1)) if at and at != "none" else cls()


NOWHERE = Stop()


class Watch:
    """Counts points and durable operations in this process, and stops it where it was told."""

    def __init__(self, stop: Stop) -> None:
        self.counts: Counter[str] = Counter()
        self._stop = stop

    def __call__(self, name: str) -> None:
        """The hook of `faultpoints`."""
        self.counts[name] += 1
        if name == self._stop.at and self.counts[name] == self._stop.nth:
            os.kill(os.getpid(), signal.SIGSTOP if self._stop.sleep else signal.SIGKILL)

    def install(self) -> None:
        """Watch this process from now on."""
        faultpoints.install(self)
        for name in ("fsync", "replace", "rename", "link"):
            setattr(os, name, self._after(getattr(os, name)))
        commit = DefaultDialect.do_commit
        changed: dict[int, int] = {}

        def do_commit(dialect: DefaultDialect, connection: Any) -> None:
            commit(dialect, connection)
            driver = getattr(connection, "dbapi_connection", connection)
            total = getattr(driver, "total_changes", None)
            if total is None or changed.get(id(driver), 0) != total:
                changed[id(driver)] = total or 0
                self(DURABLE)

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]  # only in a child that will be killed

    def _after(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def counted(*arguments: Any, **named: Any) -> Any:
            result = real(*arguments, **named)
            self(DURABLE)
            return result

        return counted
