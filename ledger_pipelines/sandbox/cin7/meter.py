"""The limits: 3 calls a second, 60 a minute, 5,000 a day, for each connection.

Belongs here: counting, the refusal. Does not belong here: credentials. Source: cin7-omni.md 9, 11.10.
A window begins with its first call. Counts are kept in memory, as rate-limit buckets of this sandbox are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response

from ledger_pipelines.sandbox.cin7.account import Account
from ledger_pipelines.sandbox.cin7.answers import throttled

SPANS = {"Second": timedelta(seconds=1), "Minute": timedelta(minutes=1), "Day": timedelta(days=1)}
_WHOLE_ACCOUNT = "*"


@dataclass
class Window:
    """One window of one connection."""

    began: datetime
    used: int = 0


class Meter:
    """Calls of each connection, in three windows."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._windows: dict[str, dict[str, Window]] = {}

    def refusal(self, username: str, at: datetime, *, exhausted: bool = False) -> Response | None:
        """Count a call of `at` (naive UTC); the 429 when it is one too many. exhausted: the day's calls are used up."""
        settings = self._account.settings
        limits = {"Second": settings.per_second, "Minute": settings.per_minute, "Day": settings.per_day}
        windows = self._of(_WHOLE_ACCOUNT if settings.account_wide else username, at)
        over = [
            name for name, limit in limits.items() if limit is not None and windows[name].used + 1 > limit
        ]
        if exhausted:
            over.append("Day")
        if not over or settings.refused_calls_count:
            for window in windows.values():
                window.used += 1
        if not over:
            return None
        worst = over[-1]
        wait = windows[worst].began + SPANS[worst] - at
        text = f"API calls quota exceeded! maximum admitted {limits[worst] or 5000} per {worst}."
        return throttled(text, max(1, math.ceil(wait.total_seconds())))

    def _of(self, name: str, at: datetime) -> dict[str, Window]:
        windows = self._windows.setdefault(name, {})
        for span, length in SPANS.items():
            window = windows.get(span)
            # a clock that was set back begins anew
            if window is None or not window.began <= at < window.began + length:
                windows[span] = Window(at)
        return windows

    def used(self) -> dict[str, dict[str, object]]:
        """What was counted, by connection and window."""
        return {
            name: {span: {"began": w.began.isoformat(), "used": w.used} for span, w in windows.items()}
            for name, windows in self._windows.items()
        }

    def forget(self) -> None:
        """Begin anew."""
        self._windows.clear()
