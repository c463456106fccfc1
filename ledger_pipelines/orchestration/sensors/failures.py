"""The sensor that tells every failed run in one readable line, where a supervisor's log and a mail filter see it.

Belongs here: the words. Does not belong here: sending them anywhere: open-source Dagster has no alerting, and where
messages go is the operator's choice (docs/operating.md says how to hook on).
"""

from __future__ import annotations

import logging

import dagster as dg

from ledger_pipelines.orchestration import names

_LOG = logging.getLogger("ledger_pipelines.failures")


def build_failure_sensor() -> dg.SensorDefinition:
    """One for the whole code location. RUNNING by default."""

    @dg.run_failure_sensor(
        name="failed_runs",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells every failed run in one line of the log `ledger_pipelines.failures`.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        text = failure_text(context)
        context.log.error(text)
        _LOG.error(text)

    return failed_runs


def failure_text(context: dg.RunFailureSensorContext) -> str:
    """Which run, of what, and the sentence of its first failed step."""
    run = context.dagster_run
    subject = run.tags.get(names.SETTLEMENT_TAG) or run.tags.get("dagster/partition")
    what = f"{run.job_name}{f', settlement {subject}' if subject else ''}"
    for event in context.get_step_failure_events():
        data = event.step_failure_data
        said = data.user_failure_data.description if data.user_failure_data else None
        if not said and data.error is not None:
            said = data.error.message.strip()
        return f"FAILED {what}: {event.step_key}: {said or 'no reason was given'} (run {run.run_id})"
    return f"FAILED {what}: {context.failure_event.message or 'the run died'} (run {run.run_id})"
