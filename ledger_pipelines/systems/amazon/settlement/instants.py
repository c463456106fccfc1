"""Dates and times of a settlement file.

Belongs here: the written styles, reading them to UTC, refusing those that can be read two ways.
Does not belong here: business dates (`documents.dates`). Facts: amazon-settlement.md 7.

A style is read from the text itself: year first or dotted (always day first) are unambiguous; two numbers with a
slash before the year are not, and are refused unless the caller states their order.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

SlashOrder = Literal["month-first", "day-first"]

_TIME = r"(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?: ?(UTC|Z|[+-](?:0\d|1[0-4]):?[0-5]\d))?)?"
_STYLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("year-month-day", re.compile(rf"(\d{{4}})-(\d\d)-(\d\d){_TIME}", re.ASCII)),
    ("day.month.year", re.compile(rf"(\d\d)\.(\d\d)\.(\d{{4}}){_TIME}", re.ASCII)),
    ("year/month/day", re.compile(rf"(\d{{4}})/(\d\d)/(\d\d){_TIME}", re.ASCII)),
    ("slash", re.compile(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}|\d\d){_TIME}", re.ASCII)),
)


class NotADateError(ValueError):
    """The text is no date of a known style. The message is a clause: why not."""


class AmbiguousDateError(NotADateError):
    """The text can be read as two dates."""


def _split(text: str) -> tuple[str, re.Match[str]]:
    for style, pattern in _STYLES:
        match = pattern.fullmatch(text)
        if match:
            return style, match
    raise NotADateError("it is not a date of a known style")


def _day(style: str, match: re.Match[str], order: SlashOrder | None) -> date:
    first, second, third = match[1], match[2], match[3]
    if style == "slash":
        if order is None:
            raise AmbiguousDateError("day and month cannot be told apart")
        month, day = (first, second) if order == "month-first" else (second, first)
        year = third if len(third) == 4 else f"20{third}"
    elif style == "day.month.year":
        day, month, year = first, second, third
    else:
        year, month, day = first, second, third
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise NotADateError("there is no such day") from None


@lru_cache(maxsize=1 << 14)
def read_instant(
    text: str, order: SlashOrder | None = None, *, day_only: bool = False
) -> tuple[datetime, str]:
    """The instant in UTC, and the name of its style.

    Args:
        text: `2026-05-03 09:10:11 UTC`, `03.05.2026 09:10:11 UTC`, `2026-05-03T09:10:11+00:00`, ...
        order: How to read `05/03/2026`; None refuses it.
        day_only: Whether a date without a time is taken as midnight UTC (the date columns of V2 are UTC dates).

    Raises:
        AmbiguousDateError: two readings.
        NotADateError: no date, no such day or hour, no time, or a time without a zone.
    """
    cell = text.strip(" ")
    style, match = _split(cell)
    day = _day(style, match, order)
    if match[4] is None:
        if not day_only:
            raise NotADateError("it has no time of day")
        return datetime(day.year, day.month, day.day, tzinfo=UTC), style
    zone = match[8]
    if zone is None:
        raise NotADateError("it has no time zone")
    if zone in ("UTC", "Z"):
        offset = UTC
    else:
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        offset = timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
    micro = int((match[7] or "0").ljust(6, "0"))
    try:
        local = datetime(
            day.year, day.month, day.day, int(match[4]), int(match[5]), int(match[6]), micro, offset
        )
        return local.astimezone(UTC), style
    except (ValueError, OverflowError):
        raise NotADateError("there is no such time") from None


@lru_cache(maxsize=1 << 14)
def same_day(text: str, instant: datetime) -> bool | None:
    """Whether a date cell names the UTC day of `instant`; in whichever order, if it can be read two ways.

    None when the cell is no date at all.
    """
    readings: list[date] = []
    for order in ("month-first", "day-first"):
        try:
            style, match = _split(text.strip(" "))
            readings.append(_day(style, match, order))
        except NotADateError:
            continue
    if not readings:
        return None
    return instant.date() in readings
