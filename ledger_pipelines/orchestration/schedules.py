"""Schedules: nightly snapshots with a look back, gaps filled, summaries refreshed, settlements by the clock.

Belongs here: when, and for which partitions. Does not belong here: what is done, shops (`shop_schedule`). All are in the books' time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from ledger_pipelines.config.models import Books
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.services import Runtime

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
NIGHTLY = "30 2 * * *"
GAPS = "30 5 * * *"
SUMMARIES = "30 4 * * *"
MOST_GAPS = 10


def ranges(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Days put together to ranges without holes."""
    ordered = sorted(set(days))
    for place, day in enumerate(ordered):
        if place == 0 or ordered[place - 1] != day - timedelta(days=1):
            first = day
        if place + 1 == len(ordered) or ordered[place + 1] != day + timedelta(days=1):
            yield first, day


def gaps(materialized: Sequence[str], yesterday: date) -> list[date]:
    """Days never fetched between the first one that was and yesterday.

    History before that is a back-fill that a person asks for: ten years of it should not begin by themselves.
    """
    there = {date.fromisoformat(key) for key in materialized}
    if not there:
        return []
    first = min(there)
    span = (yesterday - first).days + 1
    return [day for day in (first + timedelta(days=n) for n in range(span)) if day not in there]


def range_tags(first: date, last: date) -> dict[str, str]:
    """What asks for a run over a range of days (dagster.md 5)."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}


def build_nightly(
    connection: str,
    job: dg.UnresolvedAssetJobDefinition,
    time_zone: str,
    start: date,
    lookback: int,
    tags: Mapping[str, str] | None = None,
) -> dg.ScheduleDefinition:
    """Yesterday and the days before it again: records change after their day has ended.

    Args:
        time_zone: Of the connection's days.
        tags: More tags of the run: how it reads.
    """

    @dg.schedule(
        name=f"{connection}_nightly",
        cron_schedule=NIGHTLY,
        execution_timezone=time_zone,
        job=job,
        description=f"Reads yesterday and the {lookback} days before it again.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        today = today_at(context.scheduled_execution_time, ZoneInfo(time_zone))
        last = today - timedelta(days=1)
        first = max(start, last - timedelta(days=lookback))
        if last < start:
            return dg.SkipReason(f"The first day is {start.isoformat()}.")
        asked = {**range_tags(first, last), **(tags or {})}
        return dg.RunRequest(run_key=f"nightly:{last.isoformat()}", tags=asked)

    return nightly


def build_gap_filler(
    connection: str, job: dg.UnresolvedAssetJobDefinition, time_zone: str, keys: Sequence[dg.AssetKey]
) -> dg.ScheduleDefinition:
    """Days that were never fetched, after a long downtime, say: Dagster's own catching up ends after five ticks."""

    @dg.schedule(
        name=f"{connection}_gaps",
        cron_schedule=GAPS,
        execution_timezone=time_zone,
        job=job,
        description="Fetches days between the first one fetched and yesterday that are missing.",
    )
    def fill(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        today = today_at(context.scheduled_execution_time, ZoneInfo(time_zone))
        wanted: dict[tuple[date, date], list[dg.AssetKey]] = {}
        for key in keys:
            there = sorted(context.instance.get_materialized_partitions(key))
            for span in ranges(gaps(there, today - timedelta(days=1))):
                wanted.setdefault(span, []).append(key)
        requests = [
            dg.RunRequest(
                run_key=f"gap:{today.isoformat()}:{first.isoformat()}:{last.isoformat()}",
                asset_selection=missing,
                tags=range_tags(first, last),
            )
            for (first, last), missing in sorted(wanted.items())[:MOST_GAPS]
        ]
        return requests or dg.SkipReason("No day is missing.")

    return fill


def build_summaries(
    runtime: Runtime, name: str, books: Books, job: dg.UnresolvedAssetJobDefinition, flow: str
) -> dg.ScheduleDefinition:
    """Summaries of the last months are read again and refreshed; what changed in the target is open again."""
    selection = [
        names.books_key(name),
        names.readback_key(name),
        names.plan_key(name, flow),
        names.export_key(name, flow),
        names.reconciliation_key(name),
    ]

    @dg.schedule(
        name=f"{name}_summaries",
        cron_schedule=SUMMARIES,
        execution_timezone=books.time_zone,
        job=job,
        description="Reads back and refreshes the settlement records of the last months.",
    )
    def summaries(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        today = today_at(context.scheduled_execution_time, books.zone)
        with runtime.passing(name) as service:
            due = service.summaries_due(today)
        requests = [
            dg.RunRequest(
                run_key=f"summary:{sid}:{today.isoformat()}",
                partition_key=sid,
                asset_selection=selection,
                tags={names.SETTLEMENT_TAG: sid, names.REASON_TAG: "summary"},
            )
            for sid in due
        ]
        return requests or dg.SkipReason("No summary is due.")

    return summaries


def build_by_clock(
    runtime: Runtime, name: str, books: Books, job: dg.UnresolvedAssetJobDefinition, cron: str
) -> dg.ScheduleDefinition:
    """Settlements that are not finished, by the integration's own `schedule`. RUNNING: the file asks for it."""

    @dg.schedule(
        name=f"{name}_by_clock",
        cron_schedule=cron,
        execution_timezone=books.time_zone,
        job=job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Runs every settlement that is not wholly booked yet.",
    )
    def by_clock(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        at = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
        with runtime.passing(name) as service:
            unfinished = service.not_reconciled()
        requests = [
            dg.RunRequest(
                run_key=f"clock:{sid}:{at}",
                partition_key=sid,
                tags={names.SETTLEMENT_TAG: sid, names.REASON_TAG: "schedule"},
            )
            for sid in unfinished
        ]
        return requests or dg.SkipReason("Every settlement is reconciled.")

    return by_clock


def today_at(at: datetime, zone: ZoneInfo) -> date:
    """The date of an instant there."""
    return at.astimezone(zone).date()
