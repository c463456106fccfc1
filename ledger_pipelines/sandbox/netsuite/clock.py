"""Time in the emulator: the sandbox clock in UTC, the account's own zone, and dates as SuiteQL keeps them.

Belongs here: conversions between UTC instants, account-zone wall time and stored text.
Does not belong here: reading the machine's clock (the sandbox core owns it). Source: netsuite.md 4.4, 7.1.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

STORED = "%Y-%m-%dT%H:%M:%SD"
"""How a date column is kept for SuiteQL: sorts as text, and the trailing D tells it from any user's text."""


def utc_text(instant: datetime) -> str:
    """RFC 3339 in UTC to the second, as the record service prints it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_stored(instant: datetime, zone: ZoneInfo) -> str:
    """The instant as account-zone wall time in the stored form."""
    return instant.astimezone(zone).strftime(STORED)


def stored_date(day: str | None) -> str | None:
    """`YYYY-MM-DD` to the stored form at midnight; None stays None."""
    return f"{day}T00:00:00D" if day else None


def parse_date(text: str) -> date:
    """Read `YYYY-MM-DD`. Raises ValueError."""
    if len(text) != 10:
        raise ValueError(text)
    return date.fromisoformat(text)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 timestamp with offset (a bare one counts as UTC). Raises ValueError."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def add_days(day: str, days: int) -> str:
    """`YYYY-MM-DD` plus days."""
    return (parse_date(day) + timedelta(days=days)).isoformat()
