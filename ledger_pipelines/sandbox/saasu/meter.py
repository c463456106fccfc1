"""The limits: one request a second and a daily quota for each file; passing the quota blocks the file.

Belongs here: counting. Does not belong here: what a throttled answer looks like (a setting: it is not known).
Source: saasu.md 3.4, 11. A day is a day of UTC (which clock Saasu uses is not said); refused calls count, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.responses import Response

from ledger_pipelines.sandbox.saasu.book import Book

SECOND = timedelta(seconds=1)


class Meter:
    """Calls of each file."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def refusal(self, file: int, at: datetime) -> Response | None:
        """Count a call that starts at `at` (naive UTC); the throttled answer when it is one too many."""
        settings = self._book.settings
        with self._book.store.transaction():
            kept = self._read(file)
            blocked = kept.get("blocked_until", "")
            last = kept.get("last", "")
            today = at.date().isoformat()
            used = int(kept.get("used", "0")) if kept.get("day") == today else 0
            used += 1
            over = settings.daily_quota is not None and used > settings.daily_quota
            if over and not (blocked and at < datetime.fromisoformat(blocked)):
                blocked = (at + timedelta(hours=settings.block_hours)).isoformat()
            early = settings.rate_limit and last != "" and at - datetime.fromisoformat(last) < SECOND
            self._book.store.put_setting(
                f"meter:{file}",
                {"day": today, "used": str(used), "last": at.isoformat(), "blocked_until": blocked},
            )
            if early or (blocked and at < datetime.fromisoformat(blocked)):
                return self.answer()
        return None

    def answer(self, retry_after: int | None = None) -> Response:
        """The throttled answer."""
        settings = self._book.settings
        wait = settings.retry_after if retry_after is None else retry_after
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return Response(settings.throttle_text, settings.throttle_status, headers, "text/plain")

    def used(self, file: int) -> dict[str, str]:
        """What was counted: day, used, last, blocked_until."""
        return self._read(file)

    def _read(self, file: int) -> dict[str, str]:
        kept = self._book.store.setting(f"meter:{file}")
        return {str(k): str(v) for k, v in kept.items()} if isinstance(kept, dict) else {}
