"""A process of the secrets drill: commands, or assets in Dagster, with every logger at DEBUG.

Belongs here: carrying out, never stopping at a failure. Does not belong here: looking for leaks.

    python -m ledger_pipelines_tests.faults.secrets_child cli|dagster PARTITION FILE INTEGRATION
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger_pipelines.documents.dates import SystemClock
from ledger_pipelines_tests.faults.mutants import install_from_environment

WIRE = (
    "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "oauthlib",
    "oauthlib.oauth1.rfc5849", "oauthlib.oauth1.rfc5849.signature", "requests_oauthlib", "urllib3", "jwt", "filelock",
    "sqlalchemy.engine", "alembic", "asyncio",
)  # fmt: skip
OUT, ERR = "out.log", "err.log"
LOADED = (
    "ledger_pipelines_tests.faults.secrets_child", "dagster", "ledger_pipelines.cli", "ledger_pipelines.cli.context", "ledger_pipelines.cli.output",
    "ledger_pipelines.cli.processes", "ledger_pipelines.cli.work", "ledger_pipelines.orchestration.build",
    "ledger_pipelines.orchestration.names", "ledger_pipelines.orchestration.schedules",
)  # fmt: skip
"""What a nursery imports before it forks: loaded without canaries, as there are none yet."""
_ahead = timedelta(0)


def _now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + _ahead


def _sleep(_: SystemClock, seconds: float) -> None:
    """Long waits pass at once."""
    global _ahead  # noqa: PLW0603 - one clock a process
    time.sleep(min(seconds, 0.02))
    if seconds > 60:
        _ahead += timedelta(seconds=seconds)


def loud() -> None:
    """Every logger says everything, on standard error."""
    logging.getLogger().setLevel(logging.DEBUG)
    for name in (*WIRE, *logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)


def commands(partition: str, file: str, name: str) -> None:
    """The commands a person types, one after the other."""
    from ledger_pipelines.cli import main  # noqa: PLC0415 - after the log is set up
    from ledger_pipelines.cli.context import load  # noqa: PLC0415
    from ledger_pipelines.cli.output import report_unexpected  # noqa: PLC0415

    config = load(quiet=True).config
    one = config.integrations[name]
    about = ["--partition", partition] if partition else []
    first = [["drop", file]] if partition else [["initial-sync", name], ["options", one.source]]
    for arguments in (
        *first, ["check"], ["check", "--json"], ["options", one.target], ["plan", name, *about],
        ["plan", name, *about, "--json"], ["run", name, *about], ["status"],
        ["status", "--json"], ["errors"], ["errors", "--json"], ["log"], ["log", "--verify"], ["resume", name],
    ):  # fmt: skip
        loud()
        sys.stderr.write(f"\n== {' '.join(arguments)}\n")
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except Exception:  # noqa: BLE001 - as the interpreter would report it
            report_unexpected(*sys.exc_info())  # type: ignore[arg-type]  # there is one
            code = 1
        sys.stderr.write(f"== exit code {code}\n")


def dagster(partition: str, file: str, name: str) -> None:
    """Arrival or initial sync, every job that a day or the partition has, the sensors: on an instance with a home on disk."""
    import dagster as dg  # noqa: PLC0415 - after the log is set up

    from ledger_pipelines.cli import main  # noqa: PLC0415
    from ledger_pipelines.cli.context import load  # noqa: PLC0415
    from ledger_pipelines.orchestration.build import build_definitions  # noqa: PLC0415
    from ledger_pipelines.orchestration.names import initial_sync_job, sync_job  # noqa: PLC0415
    from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START  # noqa: PLC0415
    from ledger_pipelines_tests.faults.compiled import keep_engines_of_dagster  # noqa: PLC0415

    keep_engines_of_dagster()
    with contextlib.suppress(SystemExit):
        main(["drop", file] if partition else ["initial-sync", name])
    definitions = build_definitions(load())
    today = datetime.now(UTC).date().isoformat()
    with dg.DagsterInstance.get() as instance:
        for sensor in definitions.sensors or ():
            loud()
            asked = _tick(dg, definitions, instance, sensor)
            for request in asked[:1]:
                _job(
                    definitions, instance, request.job_name, run_config=request.run_config, tags=request.tags
                )
        for job in definitions.resolve_all_job_defs():
            loud()
            kind = type(job.partitions_def).__name__
            if job.name.endswith("_snapshots") or job.name in (sync_job(name), initial_sync_job(name)):
                _job(definitions, instance, job.name, tags={RANGE_START: today, RANGE_END: today})
            elif kind == "DynamicPartitionsDefinition":
                instance.add_dynamic_partitions(job.partitions_def.name, [partition])  # type: ignore[union-attr]  # it is one
                _job(definitions, instance, job.name, partition_key=partition)


def _tick(dg, definitions, instance, sensor):  # type: ignore[no-untyped-def]
    try:
        with dg.build_sensor_context(
            instance=instance, repository_def=definitions.get_repository_def()
        ) as context:
            tick = definitions.get_sensor_def(sensor.name).evaluate_tick(context)
            return list(tick.run_requests or ())
    except Exception:  # noqa: BLE001 - as the daemon would log it
        traceback.print_exc()
        return []


def _job(definitions, instance, name, **how):  # type: ignore[no-untyped-def]
    try:
        result = definitions.resolve_job_def(name).execute_in_process(
            instance=instance, raise_on_error=False, **how
        )
        sys.stderr.write(f"== {name}: {'success' if result.success else 'failure'}\n")
    except Exception:  # noqa: BLE001 - as the run worker would log it
        traceback.print_exc()


def main(what: str, partition: str, file: str, name: str) -> None:
    """The process."""
    install_from_environment()
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
    loud()
    SystemClock.now = _now  # type: ignore[method-assign]
    SystemClock.sleep = _sleep  # type: ignore[method-assign]
    {"cli": commands, "dagster": dagster}[what](partition, file, name)


def forked(arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
    """The same in a child of a nursery: environment, folder and files are what a process of its own would have been given."""
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    os.umask(0o022)
    tempfile.tempdir = None  # it was asked for in another environment
    for name, standard in ((OUT, 1), (ERR, 2)):
        place = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(place, standard)
        os.close(place)
    try:
        main(*arguments)
    finally:
        sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o022)
    main(*sys.argv[1:5])
