"""The sensor that takes up what a crash, a power cut or a lost answer left unfinished.

Belongs here: which settlements are run again, and when. Does not belong here: settling a write (`sync`): a run through
the chain does it, safely, because what is written is never written again.

Taken up: a settlement with writes in the journal whose outcome can be known by now (after the target's settle window);
one whose run died without a failed step; one that has a partition and no run. Not taken up: a settlement whose last run
a person cancelled, and one that is running. Each attempt in a row waits longer than the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from ledger_pipelines.orchestration import names, partitions
from ledger_pipelines.orchestration.services import Runtime
from ledger_pipelines.orchestration.shops import OpenRows

INTERVAL_SECONDS = 60
FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=12)
MOST_RESUMED = 20
_REMEMBERED = 12
OVER = frozenset({dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of a settlement. died: it failed without a failed step. ended: UTC; None while it runs."""

    run_id: str
    status: dg.DagsterRunStatus
    ended: datetime | None
    resumed: bool = False
    died: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to run a settlement again, and why or why not, in a sentence."""

    run: bool
    text: str


def judge(sid: str, open_rows: OpenRows | None, runs: Sequence[PastRun], now: datetime) -> Verdict:
    """Decide about one settlement. `runs`: newest first."""
    last = runs[0] if runs else None
    if last is not None and last.status not in OVER:
        return Verdict(False, f"{sid} is running.")
    if last is not None and last.status is dg.DagsterRunStatus.CANCELED:
        return Verdict(False, f"{sid} was cancelled by a person: it goes on when a person starts it.")
    if open_rows is not None and now < open_rows.resolvable_at:
        return Verdict(
            False, f"{sid}: {open_rows.rows} writes can be settled after {open_rows.resolvable_at:%H:%M} UTC."
        )
    if open_rows is None and last is not None and not last.died:
        return Verdict(False, "")
    if last is not None and last.ended is not None:
        attempts = next((n for n, run in enumerate(runs) if not run.resumed), len(runs))
        wait = min(LONGEST_WAIT, FIRST_WAIT * 4**attempts)
        if now < last.ended + wait:
            return Verdict(False, f"{sid} is tried again after {last.ended + wait:%Y-%m-%d %H:%M} UTC.")
    if open_rows is not None:
        return Verdict(True, f"{sid} is run again: {open_rows.rows} writes are unfinished.")
    return Verdict(True, f"{sid} is run again: its run died." if last else f"{sid} never ran.")


def build_resume_sensor(
    runtime: Runtime,
    name: str,
    connection: str,
    job: dg.UnresolvedAssetJobDefinition,
    first_day: date,
) -> dg.SensorDefinition:
    """The sensor of one integration. RUNNING by default."""

    @dg.sensor(
        name=f"{name}_resume",
        job=job,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs settlements again that a crash or a lost answer left unfinished.",
    )
    def resume(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with runtime.passing(name) as service:
            open_rows = {one.partition: one for one in service.unfinished()}
            existing = context.instance.get_dynamic_partitions(partitions.settlements_name(connection))
            finished = context.instance.get_materialized_partitions(names.reconciliation_key(name))
            candidates = [sid for sid in existing if sid in open_rows or sid not in finished]
            known = set(service.settlements()) if candidates else set()
            candidates = [
                sid
                for sid in candidates
                if sid in known and service.settlement(sid).deposit.date() >= first_day
            ]
        requests: list[dg.RunRequest] = []
        said: list[str] = []
        without = set((context.cursor or "").split())
        still_without: list[str] = []
        for sid in candidates:
            runs = past_runs(context.instance, sid)
            if not runs and sid not in without:
                # The tick that made the partition is just about to launch its run: look again next time.
                still_without.append(sid)
                continue
            verdict = judge(sid, open_rows.get(sid), runs, datetime.now(UTC))
            if verdict.text:
                said.append(verdict.text)
            if verdict.run and len(requests) < MOST_RESUMED:
                requests.append(_request(name, connection, sid, runs))
        for line in said:
            context.log.info(line)
        return dg.SensorResult(
            run_requests=requests,
            cursor=" ".join(still_without),
            skip_reason=None if requests else " ".join(said)[:4000] or "Nothing is unfinished.",
        )

    return resume


def past_runs(instance: dg.DagsterInstance, sid: str) -> list[PastRun]:
    """The latest runs of a settlement, of whatever job, newest first."""
    records = instance.get_run_records(
        dg.RunsFilter(tags={"dagster/partition": sid}), limit=_REMEMBERED, order_by="create_timestamp"
    )
    return [past_run(instance, record) for record in records]


def past_run(instance: dg.DagsterInstance, record: dg.RunRecord) -> PastRun:
    """A run as the judge knows it."""
    run = record.dagster_run
    failed = run.status is dg.DagsterRunStatus.FAILURE
    died = failed and instance.get_run_stats(run.run_id).steps_failed == 0
    ended = None if record.end_time is None else datetime.fromtimestamp(record.end_time, UTC)
    if ended is None and run.status in OVER:
        ended = record.update_timestamp.replace(tzinfo=UTC)
    resumed = run.tags.get(names.REASON_TAG) == "resume"
    return PastRun(run.run_id, run.status, ended, resumed, died)


def _request(name: str, connection: str, sid: str, runs: Sequence[PastRun]) -> dg.RunRequest:
    after = runs[0].run_id if runs else "none"
    return dg.RunRequest(
        run_key=f"resume:{name}:{sid}:{after}",
        partition_key=sid,
        tags={names.SETTLEMENT_TAG: sid, names.CONNECTION_TAG: connection, names.REASON_TAG: "resume"},
    )
