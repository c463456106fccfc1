"""The schedule of a shop's integration: what is new, and what is still open of earlier days.

Belongs here: which ranges of days a tick asks for. Does not belong here: what is done with them (`assets.shops`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import dagster as dg

from ledger_pipelines.errors import LedgerError, RefusedError
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.schedules import RANGE_END, range_tags, today_at
from ledger_pipelines.orchestration.services import Runtime

BRIDGED = 7
"""Days nothing is due on between two that are: planning them costs less than another run."""
MOST_RANGES = 5
"""Most ranges of earlier days asked for in one tick; where there are more, they take turns."""
_UNDER_WAY = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True, slots=True)
class Clock:
    """What a schedule needs to know of its integration.

    Args:
        first_day: The integration date.
        flows: Plans, exports and reconciliation, without snapshots.
        read: What a run of the sync reads: (connection, entity).
    """

    runtime: Runtime
    name: str
    time_zone: str
    first_day: date
    cron: str
    flows: tuple[dg.AssetKey, ...]
    read: frozenset[tuple[str, str]]


def build_shop_clock(clock: Clock, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """From the day of the last finished run to today, reading only what changed; then days with something open.

    Where a day before was never read it begins there: a run of the last days only, after a pause, would have it stepped over for good.

    RUNNING: the file asks for it.
    """

    @dg.schedule(
        name=f"{clock.name}_by_clock",
        cron_schedule=clock.cron,
        execution_timezone=clock.time_zone,
        job=job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Takes what is new on both sides through all flows, and tries again what is open of earlier days.",
    )
    def by_clock(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        at = context.scheduled_execution_time
        today = today_at(at, ZoneInfo(clock.time_zone))
        if today < clock.first_day:
            return dg.SkipReason(f"The first day is {clock.first_day.isoformat()}.")
        if under_way(context.instance, clock.name):
            return dg.SkipReason("The runs asked for before are still under way.")
        with clock.runtime.passing_shop(clock.name) as service:
            try:
                service.ready()
            except RefusedError as error:
                return dg.SkipReason(f"Nothing is run yet. {error}")
            try:
                due = service.days_due()
            except LedgerError as error:
                context.log.warning("Days with something open are not known: %s", error)
                due = []
            unread = service.first_unread(clock.read)
        finished = last_finished(context.instance, clock.name)
        first = max(clock.first_day, min(finished or clock.first_day, today))
        if unread is not None and unread < first:
            # What is open is decided by what both sides have: not before that is known again.
            first, due = unread, []
        return [_new(clock, first, today, at), *_open(clock, due, first, at)]

    return by_clock


def _new(clock: Clock, first: date, today: date, at: datetime) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"clock:{clock.name}:{at:%Y-%m-%dT%H:%M}",
        tags={
            **range_tags(first, today),
            names.READING_TAG: names.REFRESH,
            names.REASON_TAG: names.SCHEDULE,
        },
    )


def _open(clock: Clock, due: Sequence[date], first: date, at: datetime) -> Iterator[dg.RunRequest]:
    """Runs of earlier days, from what is read already: their snapshots need no call."""
    spans = list(bridged([day for day in due if clock.first_day <= day < first]))
    turn = crc32(at.isoformat().encode())
    for place in range(min(MOST_RANGES, len(spans))):
        begin, end = spans[(turn + place) % len(spans)]
        yield dg.RunRequest(
            run_key=f"clock:{clock.name}:{at:%Y-%m-%dT%H:%M}:{begin.isoformat()}:{end.isoformat()}",
            asset_selection=list(clock.flows),
            tags={**range_tags(begin, end), names.REASON_TAG: names.SCHEDULE},
        )


def bridged(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Days put together to ranges, small holes between them included."""
    first = last = None
    for day in sorted(set(days)):
        if first is None or last is None:
            first = day
        elif day - last > timedelta(days=BRIDGED + 1):
            yield first, last
            first = day
        last = day
    if first is not None and last is not None:
        yield first, last


def under_way(instance: dg.DagsterInstance, name: str) -> bool:
    """Whether a run that the clock asked for is not over."""
    wanted = dg.RunsFilter(
        statuses=list(_UNDER_WAY), tags={names.INTEGRATION_TAG: name, names.REASON_TAG: names.SCHEDULE}
    )
    return bool(instance.get_runs(wanted, limit=1))


def last_finished(instance: dg.DagsterInstance, name: str) -> date | None:
    """Last day of the newest run of the sync that read what was new and ended well; None = there was none."""
    wanted = dg.RunsFilter(
        job_name=names.sync_job(name),
        statuses=[dg.DagsterRunStatus.SUCCESS],
        tags={names.INTEGRATION_TAG: name, names.READING_TAG: names.REFRESH},
    )
    found = instance.get_runs(wanted, limit=1)
    return date.fromisoformat(found[0].tags[RANGE_END]) if found and RANGE_END in found[0].tags else None
