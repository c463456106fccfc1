"""The sensor that takes up days of a shop's integration that a crash, a power cut or a lost answer left unfinished.

Belongs here: which days are run again, and when. Does not belong here: the judgement (`sensors.resume`), settling a write
(`sync`): a run of plan and export does it, safely, because what is written is never written again.

Taken up: days with writes in the journal whose outcome can be known by now (after the target's settle window), and the
range of a run that died without a failed step. Not taken up: what a person cancelled, and anything while a run of the
integration is under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START, range_tags, ranges
from ledger_pipelines.orchestration.sensors.resume import INTERVAL_SECONDS, OVER, PastRun, judge, past_run
from ledger_pipelines.orchestration.services import Runtime
from ledger_pipelines.orchestration.shops import OpenRows

PARTITION = "dagster/partition"
MOST_RANGES = 5
_REMEMBERED = 100


@dataclass(frozen=True, slots=True)
class DayRun:
    """A run of the integration over some days. run: as the judge knows it; record: Dagster's."""

    first: date
    last: date
    run: PastRun
    record: dg.DagsterRun

    def covers(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Resumed:
    """What the sensor needs to know of its integration. keys: its plans, exports and reconciliation."""

    runtime: Runtime
    name: str
    keys: frozenset[dg.AssetKey]


def build_day_resume_sensor(about: Resumed, job: dg.UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """The sensor of one integration. RUNNING by default."""

    @dg.sensor(
        name=f"{about.name}_resume",
        job=job,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs days again that a crash or a lost answer left unfinished.",
    )
    def resume(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        runs = day_runs(context.instance, about)
        if any(one.run.status not in OVER for one in runs):
            return _told([], ["A run is under way."])
        with about.runtime.passing_shop(about.name) as service:
            unfinished = {date.fromisoformat(one.partition): one for one in service.unfinished()}
        said: list[str] = []
        requests = _open_days(about, unfinished, runs, now, said)
        if not requests:
            requests = _dead(about, runs, now, said)
        for line in said:
            context.log.info(line)
        return _told(requests, said)

    return resume


def _told(requests: list[dg.RunRequest], said: Sequence[str]) -> dg.SensorResult:
    message = " ".join(said)[:4000] or "Nothing is unfinished."
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else message)


def _open_days(
    about: Resumed, unfinished: dict[date, OpenRows], runs: Sequence[DayRun], now: datetime, said: list[str]
) -> list[dg.RunRequest]:
    """Days with open writes, put together to ranges; plans and exports only, their snapshots need no call."""
    chosen: dict[date, str] = {}
    for day, open_rows in sorted(unfinished.items()):
        past = [one for one in runs if one.covers(day)]
        verdict = judge(day.isoformat(), open_rows, [one.run for one in past], now)
        if verdict.text:
            said.append(verdict.text)
        if verdict.run:
            chosen[day] = past[0].run.run_id if past else "none"
    return [
        dg.RunRequest(
            run_key=f"resume:{about.name}:{first.isoformat()}:{last.isoformat()}:{chosen[first]}:{chosen[last]}",
            asset_selection=sorted(about.keys, key=str),
            tags={**range_tags(first, last), names.REASON_TAG: "resume"},
        )
        for first, last in list(ranges(list(chosen)))[:MOST_RANGES]
    ]


def _dead(about: Resumed, runs: Sequence[DayRun], now: datetime, said: list[str]) -> list[dg.RunRequest]:
    """The newest run once more, if it died: over the same days, reading as it read."""
    if not runs:
        return []
    newest = runs[0]
    past = [one.run for one in runs if (one.first, one.last) == (newest.first, newest.last)]
    span = f"{newest.first.isoformat()} to {newest.last.isoformat()}"
    verdict = judge(span, None, past, now)
    if verdict.text:
        said.append(verdict.text)
    if not verdict.run:
        return []
    reading = newest.record.tags.get(names.READING_TAG)
    selection = newest.record.asset_selection
    return [
        dg.RunRequest(
            run_key=f"resume:{about.name}:{newest.run.run_id}",
            asset_selection=None if selection is None else sorted(selection, key=str),
            tags={
                **range_tags(newest.first, newest.last),
                names.REASON_TAG: "resume",
                **({} if reading is None else {names.READING_TAG: reading}),
            },
        )
    ]


def day_runs(instance: dg.DagsterInstance, about: Resumed) -> list[DayRun]:
    """The latest runs that planned or exported days of the integration, of whatever job, newest first."""
    records = instance.get_run_records(limit=_REMEMBERED, order_by="create_timestamp")
    jobs = {
        names.sync_job(about.name),
        *(names.flow_job(about.name, key.path[1]) for key in about.keys if len(key.path) > 2),
    }
    found = []
    for record in records:
        run = record.dagster_run
        chosen = run.asset_selection
        mine = run.job_name in jobs if chosen is None else bool(about.keys & chosen)
        days = _days(run)
        if mine and days is not None:
            found.append(DayRun(*days, past_run(instance, record), run))
    return found


def _days(run: dg.DagsterRun) -> tuple[date, date] | None:
    tags = run.tags
    try:
        if RANGE_START in tags and RANGE_END in tags:
            return date.fromisoformat(tags[RANGE_START]), date.fromisoformat(tags[RANGE_END])
        return date.fromisoformat(tags[PARTITION]), date.fromisoformat(tags[PARTITION])
    except (KeyError, ValueError):
        return None
