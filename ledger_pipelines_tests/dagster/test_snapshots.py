"""Daily snapshots as Dagster runs them: ranges, events of each day, failures in the middle, schedules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.errors import TransientError
from ledger_pipelines.orchestration.build import Overrides, build_definitions
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.systems.netsuite.entities import Column, Entity, Kind
from ledger_pipelines.systems.netsuite.reader import Rows
from ledger_pipelines_tests.dagster.kit import configuration, failures, on_sandbox

KEY = dg.AssetKey(["netsuite", "invoices"])
ENTITY = Entity(
    "invoices",
    (Column("id", "t.id"), Column("lastmodifieddate", "t.lastmodifieddate", Kind.INSTANT)),
    "transaction t",
    ("id",),
    "t.id",
    "",
    "t.lastmodifieddate",
)
DAYS = ["2026-03-10", "2026-03-11", "2026-03-12"]


@dataclass
class Fake:
    """An account with three invoices on two days; `broken` fails after the rows of the first."""

    broken: bool = False
    sweeps: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def reader(self) -> Fake:
        return self

    def entity(self, name: str) -> Entity:
        assert name == "invoices"
        return ENTITY

    def calls(self) -> int:
        return len(self.sweeps)

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        self.sweeps.append((start, end))
        rows = [("1", datetime(2026, 3, 10, 15, tzinfo=UTC)), ("2", datetime(2026, 3, 10, 16, tzinfo=UTC))]
        late = [("3", datetime(2026, 3, 12, 15, tzinfo=UTC))]
        yield Rows(entity, tuple(row for row in rows if start <= row[1] < end))
        yield Rows(entity, tuple(row for row in late if start <= row[1] < end))
        if self.broken:
            raise TransientError("NetSuite went away.", remedy="Run it again later.")

    @contextmanager
    def open(self, loaded: LoadedConfig, connection: str, run_id: str) -> Iterator[Fake]:
        yield self


def _defs(folder: Path, fake: Fake) -> tuple[dg.Definitions, LoadedConfig]:
    loaded = configuration(folder, **{"    workers: 2": "    entities: [invoices]\n    workers: 2"})
    return build_definitions(loaded, Overrides(open_reader=fake.open)), loaded


def _run(
    defs: dg.Definitions, instance: dg.DagsterInstance, first: str, last: str, **tags: str
) -> dg.ExecuteInProcessResult:
    wanted = {RANGE_START: first, RANGE_END: last, **{k.replace("__", "/"): v for k, v in tags.items()}}
    return defs.resolve_job_def("netsuite_snapshots").execute_in_process(
        instance=instance, tags=wanted, raise_on_error=False
    )


def _rows(instance: dg.DagsterInstance) -> dict[str, object]:
    records = instance.fetch_materializations(KEY, limit=50).records
    found: dict[str, object] = {}
    for record in reversed(records):
        assert record.asset_materialization is not None
        found[str(record.partition_key)] = record.asset_materialization.metadata["rows"].value
    return found


def test_a_range_is_one_sweep_and_each_day_has_its_own_numbers(tmp_path: Path) -> None:
    fake = Fake()
    defs, _ = _defs(tmp_path, fake)
    with dg.DagsterInstance.ephemeral() as instance:
        result = _run(defs, instance, DAYS[0], DAYS[-1])
        assert result.success
        assert _rows(instance) == {DAYS[0]: 2, DAYS[1]: 0, DAYS[2]: 1}
        assert len(instance.fetch_materializations(KEY, limit=50).records) == 3
    assert len(fake.sweeps) == 1
    checks = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert checks == {"keys_are_unique": True, "newest_day": True, "columns_as_before": True}


def test_days_before_a_failure_are_green_and_re_executing_reads_only_the_rest(tmp_path: Path) -> None:
    fake = Fake(broken=True)
    defs, loaded = _defs(tmp_path, fake)
    with dg.DagsterInstance.ephemeral() as instance:
        failed = _run(defs, instance, DAYS[0], DAYS[-1])
        assert not failed.success
        assert instance.get_materialized_partitions(KEY) == {DAYS[0], DAYS[1]}
        fake.broken = False
        again = _run(
            defs, instance, DAYS[0], DAYS[-1],
            dagster__parent_run_id=failed.run_id, dagster__root_run_id=failed.run_id,
        )  # fmt: skip
        assert again.success
        assert instance.get_materialized_partitions(KEY) == set(DAYS)
    starts = [start.date() for start, _ in fake.sweeps]
    assert starts == [date(2026, 3, 10), date(2026, 3, 12)]
    assert SnapshotStore(loaded.config.data_dir, "netsuite").days("invoices") == [
        date.fromisoformat(d) for d in DAYS
    ]


def test_one_day_alone_works_the_same(tmp_path: Path) -> None:
    defs, _ = _defs(tmp_path, Fake())
    with dg.DagsterInstance.ephemeral() as instance:
        assert _run(defs, instance, DAYS[2], DAYS[2]).success
        assert _rows(instance) == {DAYS[2]: 1}


def test_running_it_again_leaves_the_same_data(tmp_path: Path) -> None:
    defs, loaded = _defs(tmp_path, Fake())
    store = SnapshotStore(loaded.config.data_dir, "netsuite")
    with dg.DagsterInstance.ephemeral() as instance:
        _run(defs, instance, DAYS[0], DAYS[-1])
        before = [one.content_hash for one in store.manifests("invoices")]
        _run(defs, instance, DAYS[0], DAYS[-1])
    assert [one.content_hash for one in store.manifests("invoices")] == before


def _tick(defs: dg.Definitions, name: str, instance: dg.DagsterInstance, at: datetime) -> list[dg.RunRequest]:
    schedule = defs.get_repository_def().get_schedule_def(name)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    return list(schedule.evaluate_tick(context).run_requests or [])


def test_every_night_yesterday_and_the_days_before_are_read_again(tmp_path: Path) -> None:
    defs, _ = _defs(tmp_path, Fake())
    with dg.DagsterInstance.ephemeral() as instance:
        (asked,) = _tick(defs, "netsuite_nightly", instance, datetime(2026, 3, 13, 6, 30, tzinfo=UTC))
    assert (asked.tags[RANGE_START], asked.tags[RANGE_END]) == ("2026-03-09", "2026-03-12")


def test_gaps_are_asked_for_and_history_is_not(tmp_path: Path) -> None:
    defs, _ = _defs(tmp_path, Fake())
    at = datetime(2026, 3, 13, 9, 30, tzinfo=UTC)
    with dg.DagsterInstance.local_temp() as instance:
        assert _tick(defs, "netsuite_gaps", instance, at) == []
        _run(defs, instance, DAYS[0], DAYS[0])
        _run(defs, instance, DAYS[2], DAYS[2])
        (asked,) = _tick(defs, "netsuite_gaps", instance, at)
    assert (asked.tags[RANGE_START], asked.tags[RANGE_END]) == (DAYS[1], DAYS[1])
    assert asked.asset_selection == [KEY]


@pytest.mark.slow
def test_all_entities_are_read_from_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_sandbox(tmp_path, monkeypatch) as (loaded, _), dg.DagsterInstance.ephemeral() as instance:
        defs = build_definitions(loaded)
        yesterday = defs.resolve_asset_graph().get(KEY).partitions_def.get_last_partition_key()  # type: ignore[union-attr]  # it is partitioned
        assert yesterday is not None
        first = date.fromisoformat(yesterday).replace(day=1).isoformat()
        result = _run(defs, instance, first, yesterday)
        assert result.success, failures(result)
