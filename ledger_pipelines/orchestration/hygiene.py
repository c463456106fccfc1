"""Start-up hygiene: ends runs that a power cut or a killed machine left behind. Run before the daemon starts.

    python -m ledger_pipelines.orchestration.hygiene

Belongs here: that. Does not belong here: taking up their work (`sensors.resume`). With the default launcher a run whose
machine died stays STARTED for ever, and keeps its place in the queue and its pool slots (dagster.md 0.8). Every run of
this machine that is under way while neither daemon nor webserver is, is such a run.
"""

from __future__ import annotations

import argparse
import sys

import dagster as dg

_UNDER_WAY = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
_TEXT = (
    "It was under way when this machine stopped; ended by start-up hygiene. What it left is taken up again."
)


def end_orphans(instance: dg.DagsterInstance) -> list[str]:
    """End every run that is under way, free its pool slots; their ids. As failed, so that it is taken up again."""
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=list(_UNDER_WAY))):
        instance.report_run_failed(run, _TEXT)
        if instance.event_log_storage.supports_global_concurrency_limits:
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        ended.append(run.run_id)
    return ended


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
