"""Drills' runs in Dagster, in this process: the settlement job, the sensors, a backfill of snapshots.

Belongs here: starting them and what they left. Does not belong here: the cases.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import dagster as dg
from ruamel.yaml import YAML

from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines_tests.faults.ground import arriving
from ledger_pipelines_tests.faults.modes import call
from ledger_pipelines_tests.stage import Stage

ENTITIES = ("invoices", "payments")
DAYS_AGO = 2


@contextlib.contextmanager
def home() -> Iterator[dg.DagsterInstance]:
    """A Dagster that remembers nothing, and is silent."""
    with dg.DagsterInstance.ephemeral() as instance, contextlib.redirect_stderr(io.StringIO()):
        yield instance


def run_job(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job: str, *, partition: str = "", **tags: str
) -> dg.ExecuteInProcessResult:
    """One run."""
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition or None,
        tags={name.replace("__", "/"): value for name, value in tags.items()},
        raise_on_error=False,
    )


def said(result: dg.ExecuteInProcessResult) -> str:
    """What failed, in words."""
    words = []
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.step_failure_data
            words.append(str(data.user_failure_data.description if data.user_failure_data else data.error))
    return " ".join(words)


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    """The assets of a run that are green."""
    return {
        event.asset_key.to_user_string()
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }


def tick(
    definitions: dg.Definitions, instance: dg.DagsterInstance, sensor: str, cursor: str | None = None
) -> dg.SensorResult:
    """One tick of a sensor; partitions it asks for are made, as the daemon does."""
    repository = definitions.get_repository_def()
    result = repository.get_sensor_def(sensor)(
        dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
    )
    assert isinstance(result, dg.SensorResult)
    for request in result.dynamic_partitions_requests or []:
        assert isinstance(request, dg.AddDynamicPartitionsRequest)
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    return result


def _definitions(stage: Stage) -> tuple[LoadedConfig, dg.Definitions]:
    loaded = load_config(stage.folder / "ledger.yaml", KINDS)
    return loaded, build_definitions(loaded)


def lost_home(integration: str, stage: Stage, partition: str, lose: Callable[[], Sequence[str]]) -> list[str]:
    """A settlement's run; home and data lost; made again; what the sensor asks for is run. Sentences of what is wrong."""
    loaded, definitions = _definitions(stage)
    source = loaded.config.integration(integration).source
    job = f"{integration}_settlement"
    figures = []
    problems = []
    stage.close_service()
    with home() as instance:
        instance.add_dynamic_partitions(f"{source}_settlements", [partition])
        figures.append(_figures(run_job(definitions, instance, job, partition=partition)))
    before = stage.books().dump["ledger"]
    lose()
    shutil.rmtree(stage.drop, ignore_errors=True)
    with mock.patch.dict(os.environ, {"LEDGER_CONFIG": str(stage.folder / "ledger.yaml")}):
        code, words = call(["rebuild", "--no-calls"])
    if code:
        problems.append(f"rebuild --no-calls ends with {code}: {words[-300:]}")
    loaded, definitions = _definitions(stage)
    with arriving() as arrived, home() as instance:
        result = tick(definitions, instance, f"{source}_drop_folder")
        asked = [request.partition_key for request in result.run_requests or []]
        if asked != [partition] or instance.get_dynamic_partitions(f"{source}_settlements") != [partition]:
            problems.append(f"the sensor of a new Dagster asks for {asked}, not for {partition}")
        figures.append(_figures(run_job(definitions, instance, job, partition=partition)))
    if figures[0] != figures[1] or not figures[0]:
        problems.append(f"the figures {figures[0]} became {figures[1]}")
    if arrived or stage.books().dump["ledger"] != before:
        problems.append(f"{len(arrived)} records arrived, or the ledger changed")
    return problems


def _figures(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    """What the reconciliation shows."""
    for event in result.get_asset_materialization_events():
        if event.asset_key is not None and event.asset_key.path[-1] == "reconciliation":
            shown = event.materialization.metadata
            return {name: shown[name].value for name in ("deposit", "booked", "clearing", "mode")}
    return {"failed": said(result)}


def lost_snapshots(stage: Stage, partition: str) -> tuple[int, list[str]]:
    """Books made two days ago; three days backfilled, lost, backfilled again. Rows, and sentences of what is wrong."""
    connection = next(
        name for name, one in stage.loaded.config.connections.items() if one.system == "netsuite"
    )
    stage.clock.jump(-86400 * DAYS_AGO)
    stage.run(partition)
    stage.control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    stage.close_service()
    path = stage.folder / "ledger.yaml"
    yaml = YAML()
    document = yaml.load(path.read_text())
    document["connections"][connection]["entities"] = list(ENTITIES)
    with path.open("w") as out:
        yaml.dump(document, out)
    loaded, definitions = _definitions(stage)
    _forget_tokens(stage)
    store = SnapshotStore(loaded.config.data_dir, connection)
    today = business_date(datetime.now(UTC), loaded.config.books.zone)
    bounds = {
        RANGE_START: (today - timedelta(days=3)).isoformat(),
        RANGE_END: (today - timedelta(days=1)).isoformat(),
    }
    kept: list[dict[str, tuple[int, str]]] = []
    problems = []
    for _ in range(2):
        with home() as instance:
            result = definitions.resolve_job_def(f"{connection}_snapshots").execute_in_process(
                instance=instance, tags=bounds, raise_on_error=False
            )
        if not result.success:
            problems.append(f"the backfill failed: {said(result)}")
        kept.append(
            {
                f"{name} {one.day}": (one.rows, one.content_hash)
                for name in ENTITIES
                for one in store.manifests(name)
            }
        )
        shutil.rmtree(Path(str(loaded.config.data_dir)) / "snapshots", ignore_errors=True)
    rows = sum(count for count, _ in kept[0].values())
    if kept[0] != kept[1] or len(kept[0]) != 3 * len(ENTITIES) or not rows:
        problems.append(f"snapshots {kept[0]} became {kept[1]}")
    return rows, problems


def _forget_tokens(stage: Stage) -> None:
    """Tokens of another time are of no use."""
    shutil.rmtree(stage.folder / "data" / "state", ignore_errors=True)
