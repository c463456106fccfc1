"""Start-up hygiene: ends runs that a power cut or a killed machine left behind. Run before the daemon starts.

    python -m ledger_pipelines.orchestration.hygiene

Belongs here: that. Does not belong here: taking up their work (`sensors.resume`). With the default launcher a run whose
machine died stays STARTED for ever, and keeps its place in the queue and its pool slots (dagster.md 0.8). A run whose
process still lives on this machine is left alone: runs go on while the daemon is restarted. For one machine; with another
launcher, Dagster's own run monitoring does this. Runs that are only STARTING are ended by its `start_timeout_seconds`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import dagster as dg
from dagster._core.events import EngineEventData

_UNDER_WAY = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
_TEXT = (
    "It was under way when this machine stopped; ended by start-up hygiene. What it left is taken up again."
)


def end_orphans(instance: dg.DagsterInstance) -> list[str]:
    """End every run whose process is gone, free its pool slots; their ids. As failed, so that it is taken up again."""
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=list(_UNDER_WAY))):
        if any(_lives(pid) for pid in _processes(instance, run.run_id)):
            continue
        instance.report_run_failed(run, _TEXT)
        if instance.event_log_storage.supports_global_concurrency_limits:
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        ended.append(run.run_id)
    return ended


def _processes(instance: dg.DagsterInstance, run_id: str) -> set[int]:
    """Ids of the processes a run was told to work in."""
    found: set[int] = set()
    for record in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = record.dagster_event
        if event is not None and isinstance(event.event_specific_data, EngineEventData):
            value = event.event_specific_data.metadata.get("pid")
            if value is not None and str(value.value).isdigit():
                found.add(int(str(value.value)))
    return found


def _lives(pid: int) -> bool:
    """Whether that process is one of Python's still: numbers are used again, after a restart above all."""
    try:
        return b"python" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def main(arguments: list[str] | None = None) -> int:
    """Say what was ended. Exit code 0."""
    argparse.ArgumentParser(
        prog="python -m ledger_pipelines.orchestration.hygiene",
        description="Ends runs left behind by a machine that stopped. Run it before the daemon starts.",
    ).parse_args(arguments)
    with dg.DagsterInstance.get() as instance:
        ended = end_orphans(instance)
    for run_id in ended:
        sys.stdout.write(f"ended run {run_id}: it was left behind\n")
    sys.stdout.write(f"{len(ended)} runs were left behind.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
