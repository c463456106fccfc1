"""Instants and business dates.

Belongs here: turning an instant into the date of the books, months, windows of days, the clock everything asks.
Does not belong here: reading a vendor's date style (`systems/<vendor>`), Dagster's partitions (`orchestration`).

An instant always has a zone. A business date is the date in the books' time zone, and has none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """What time it is, and waiting: injected, so that tests and simulations decide."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:  # not money: seconds
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:  # not money: seconds
        """Wait that long."""
        time.sleep(seconds)


def days_between(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both included; none where the last comes before the first."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def business_date(instant: datetime, zone: ZoneInfo) -> date:
    """The books' date of an instant. Raises ValueError for an instant without a zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone.")
    return instant.astimezone(zone).date()


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month of the books."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        """The month a date lies in."""
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        following = date(self.year + self.month // 12, self.month % 12 + 1, 1)  # not money: months
        return following - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days of the books, first to last inclusive, in one zone."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The instant the first day begins (local midnight; days have 23 to 25 hours)."""
        return datetime.combine(self.first, datetime.min.time(), tzinfo=self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The instant after the last day ends."""
        after = self.last + timedelta(days=1)
        return datetime.combine(after, datetime.min.time(), tzinfo=self.zone).astimezone(UTC)

    def days(self) -> Iterator[date]:
        """Each day, in order."""
        day = self.first
        while day <= self.last:
            yield day
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MonthStart:
    """From this instant on (until the next one) the books are in that month."""

    at: datetime
    month: Month


def month_starts(first: datetime, last: datetime, zone: ZoneInfo) -> list[MonthStart]:
    """Where the month of the books changes between two instants; the first entry is at `first` itself.

    Clocks that are put back over midnight at the first of a month (Newfoundland, 1 November 2009) make a month begin twice.

    Args:
        first: With a zone, as `last`.
        last: Not before `first`.
        zone: The books' zone.
    """
    found = [MonthStart(first, Month.of(business_date(first, zone)))]
    month = found[0].month
    while month < _LAST:
        following = Month.of(month.last + timedelta(days=1))
        start = datetime.combine(following.first, datetime.min.time(), tzinfo=zone).astimezone(UTC)
        if start - _AROUND > last:
            break
        near = (start - _AROUND, start, start + _AROUND)
        if len({instant.astimezone(zone).utcoffset() for instant in near}) == 1:
            if found[-1].at < start <= last:
                found.append(MonthStart(start, following))
        else:
            begun = max(found[-1].at, start - _AROUND)
            found += _minute_by_minute(begun, min(last, start + _AROUND), found[-1].month, zone)
        month = following
    return found


_AROUND = timedelta(hours=26)
_LAST = Month(9999, 12)


def _minute_by_minute(first: datetime, last: datetime, month: Month, zone: ZoneInfo) -> Iterator[MonthStart]:
    instant = first.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while instant <= last:
        now = Month.of(business_date(instant, zone))
        if now != month:
            month = now
            yield MonthStart(instant, now)
        instant += timedelta(minutes=1)
