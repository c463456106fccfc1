"""Partition definitions: the only module that makes one.

Belongs here: daily partitions, one object for each start date; settlements of a connection. Does not belong here:
which asset has which (`assets`). dagster.md 4: equal definitions only are merged into one run, and definitions of
different time zones cannot be mapped, so all daily ones are in the zone of the books.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import dagster as dg

from ledger_pipelines.config.models import Books


@cache
def _daily(start: date, time_zone: str, end_offset: int) -> dg.DailyPartitionsDefinition:
    return dg.DailyPartitionsDefinition(
        start_date=start.isoformat(), timezone=time_zone, end_offset=end_offset
    )


def daily(books: Books, start: date) -> dg.DailyPartitionsDefinition:
    """Days of the books from `start` to yesterday; the same object for the same start."""
    return _daily(start, books.time_zone, 0)


def until_now(time_zone: str, start: date) -> dg.DailyPartitionsDefinition:
    """Days from `start` to today, which is not over: for what is read and exported many times a day."""
    return _daily(start, time_zone, 1)


def settlements_name(connection: str) -> str:
    """Name of the definition below, as the instance keeps its keys."""
    return f"{connection}_settlements"


@cache
def settlements(connection: str) -> dg.DynamicPartitionsDefinition:
    """Settlement ids of an Amazon connection; a partition is added when a file is accepted."""
    return dg.DynamicPartitionsDefinition(name=settlements_name(connection))
