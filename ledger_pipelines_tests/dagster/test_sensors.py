"""Sensors as functions: what each tick asks for, says and leaves behind."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.integrations.amazon_netsuite.service import AmazonNetSuite as Service
from ledger_pipelines.integrations.open_items import Unfinished
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines.orchestration.hygiene import end_orphans
from ledger_pipelines.orchestration.sensors import drop
from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines_tests.dagster import kit

SID = "26000000001"
PARTITIONS = "amazon_us_settlements"


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedConfig:
    return kit.configuration(
        tmp_path, **{"      path: .ledger": "      stable_seconds: 0\n      path: .ledger"}
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Drop:
    """The drop folder's sensor, tick by tick, as the daemon keeps its cursor and does what it asks for."""

    def __init__(self, loaded: LoadedConfig, instance: dg.DagsterInstance) -> None:
        self.repository = build_definitions(loaded).get_repository_def()
        self.sensor = self.repository.get_sensor_def("amazon_us_drop_folder")
        self.instance = instance
        self.cursor: str | None = None
        given = loaded.config.amazon("amazon_us").drop
        assert given is not None
        self.folder = Path(given.path)
        self.folder.mkdir(parents=True)

    def tick(self) -> dg.SensorResult:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=self.repository
        )
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        for request in result.dynamic_partitions_requests or []:
            assert isinstance(request, dg.AddDynamicPartitionsRequest)
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        return result

    def ticks(self) -> dg.SensorResult:
        """Two looks."""
        self.tick()
        time.sleep(0.01)
        return self.tick()


def _message(result: dg.SensorResult) -> str:
    reason = result.skip_reason
    return reason.skip_message or "" if isinstance(reason, dg.SkipReason) else str(reason)


def _events(result: dg.SensorResult) -> dict[str, str]:
    return {str(e.metadata["arrival"].value): str(e.description) for e in result.asset_events}  # type: ignore[union-attr]  # observations


def test_an_accepted_file_gets_a_partition_and_one_run(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    there = Drop(loaded, instance)
    file = kit.demo_file(there.folder)
    first = there.tick()
    assert not first.run_requests
    assert file.name in _message(first)
    time.sleep(0.01)
    second = there.tick()
    (asked,) = second.run_requests or []
    assert (asked.job_name, asked.partition_key) == ("amazon_netsuite_settlement", SID)
    assert asked.tags["ledger/settlement"] == SID
    assert instance.get_dynamic_partitions(PARTITIONS) == [SID]
    assert list(_events(second)) == ["accepted"]
    assert not file.exists()
    assert (there.folder / "accepted" / file.name).exists()
    assert not (there.tick().run_requests or [])


def test_the_same_content_under_another_name_is_seen_and_starts_nothing(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    there = Drop(loaded, instance)
    kit.demo_file(there.folder)
    there.ticks()
    (there.folder / "again.txt").write_bytes(demo_settlement_files()[0].content)
    result = there.ticks()
    assert not result.run_requests
    assert "nothing happens" in _message(result)
    assert "nothing happens" in _events(result)["same-content"]
    assert [e.partition for e in result.asset_events] == [SID]  # type: ignore[union-attr]  # observations


def test_a_file_that_does_not_foot_is_put_aside_with_its_reason_and_shown(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    there = Drop(loaded, instance)
    (there.folder / "cut.txt").write_bytes(demo_settlement_files()[0].content[:-60])
    result = there.ticks()
    assert not result.run_requests
    assert instance.get_dynamic_partitions(PARTITIONS) == []
    assert "cut.txt was refused" in _message(result)
    assert "refused" in _events(result)
    assert (there.folder / "refused" / "cut.txt.reason.txt").read_text()


def test_one_bad_file_does_not_keep_the_others_waiting(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    there = Drop(loaded, instance)
    (there.folder / "a-bad.txt").write_text("<html>Sign in</html>")
    (there.folder / "a-link.txt").symlink_to("/etc/hostname")
    for number in range(3):
        kit.demo_file(there.folder, number)
    there.tick()
    time.sleep(0.01)
    result = there.tick()
    assert sorted(r.partition_key or "" for r in result.run_requests or []) == [
        SID,
        "26000000002",
        "26000000003",
    ]
    assert (there.folder / "refused" / "a-link.txt").is_symlink()
    assert sorted(p.name for p in there.folder.iterdir()) == ["accepted", "refused"]


def test_a_settlement_taken_by_the_command_line_is_announced_too(
    loaded: LoadedConfig, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    there = Drop(loaded, instance)
    assert Arrivals.of(loaded, "amazon_us").receive(kit.demo_file(tmp_path / "elsewhere")).accepted
    (asked,) = there.tick().run_requests or []
    assert asked.partition_key == SID


def test_a_large_file_is_taken_in_by_a_run_of_its_own(
    loaded: LoadedConfig, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop, "SMALL", 10)
    there = Drop(loaded, instance)
    file = kit.demo_file(there.folder)
    (asked,) = there.ticks().run_requests or []
    assert asked.job_name == "amazon_us_arrival"
    assert file.exists()
    done = there.repository.get_job("amazon_us_arrival").execute_in_process(
        instance=instance, run_config=asked.run_config
    )
    assert done.success
    assert not file.exists()
    (chain,) = there.tick().run_requests or []
    assert (chain.job_name, chain.partition_key) == ("amazon_netsuite_settlement", SID)


def test_an_arrival_run_of_a_bad_file_fails_with_its_sentence(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    there = Drop(loaded, instance)
    (there.folder / "bad.txt").write_text("nothing of ours")
    config = {"ops": {"amazon_us_take_in": {"config": {"file": "bad.txt"}}}}
    job = there.repository.get_job("amazon_us_arrival")
    done = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
    assert not done.success
    assert (there.folder / "refused" / "bad.txt").exists()
    out = {"ops": {"amazon_us_take_in": {"config": {"file": "../../etc/passwd"}}}}
    assert not job.execute_in_process(instance=instance, run_config=out, raise_on_error=False).success


def test_deposits_before_the_start_date_are_read_and_not_booked(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    loaded = kit.configuration(
        tmp_path,
        **{
            "      path: .ledger": "      stable_seconds: 0\n      path: .ledger",
            "    kind: amazon_netsuite": "    kind: amazon_netsuite\n    start_date: 2030-01-01",
        },
    )
    there = Drop(loaded, instance)
    kit.demo_file(there.folder)
    result = there.ticks()
    assert not result.run_requests
    assert instance.get_dynamic_partitions(PARTITIONS) == [SID]


def test_reports_of_amazon_are_listed_once_and_fetched_by_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    with kit.on_sandbox(tmp_path, monkeypatch) as (loaded, _):
        repository = build_definitions(loaded).get_repository_def()
        sensor = repository.get_sensor_def("amazon_us_reports")

        def tick() -> dg.SensorResult:
            result = sensor(dg.build_sensor_context(instance=instance, repository_def=repository))
            assert isinstance(result, dg.SensorResult)
            return result

        fetches = [r for r in tick().run_requests or [] if r.job_name == "amazon_us_arrival"]
        assert fetches
        for request in fetches:
            done = repository.get_job("amazon_us_arrival").execute_in_process(
                instance=instance, run_config=request.run_config
            )
            assert done.success
        second = tick().run_requests or []
        assert {r.job_name for r in second} == {"amazon_netsuite_settlement"}
        assert len(second) == len(fetches)


def _resume(loaded: LoadedConfig, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    repository = build_definitions(loaded).get_repository_def()
    sensor = repository.get_sensor_def("amazon_netsuite_resume")
    result = sensor(dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository))
    assert isinstance(result, dg.SensorResult)
    return result


def test_a_settlement_with_a_partition_and_no_run_is_run(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    assert "Nothing is unfinished" in _message(_resume(loaded, instance))
    there = Drop(loaded, instance)
    kit.demo_file(there.folder)
    there.ticks()
    first = _resume(loaded, instance)
    assert not first.run_requests  # its run may be on its way
    (asked,) = _resume(loaded, instance, first.cursor).run_requests or []
    assert asked.partition_key == SID


def test_open_writes_are_resumed_after_their_window_and_not_twice_at_once(
    loaded: LoadedConfig, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Drop(loaded, instance)
    kit.demo_file(there.folder)
    there.ticks()
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(Service, "unfinished", lambda _self: [Unfinished(SID, 2, later)])
    waiting = _resume(loaded, instance, SID)
    assert not waiting.run_requests
    assert "2 writes can be settled after" in _message(waiting)
    monkeypatch.setattr(Service, "unfinished", lambda _self: [Unfinished(SID, 2, later - timedelta(hours=2))])
    assert len(_resume(loaded, instance, SID).run_requests or []) == 1
    job = build_definitions(loaded).resolve_job_def("amazon_netsuite_settlement")
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": SID})
    assert "is running" in _message(_resume(loaded, instance))


def test_hygiene_ends_what_a_power_cut_left_and_the_resume_sensor_takes_it_up(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    there = Drop(loaded, instance)
    kit.demo_file(there.folder)
    there.ticks()
    job = build_definitions(loaded).resolve_job_def("amazon_netsuite_settlement")
    run = instance.create_run_for_job(
        job, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": SID}
    )
    assert end_orphans(instance) == [run.run_id]
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.FAILURE
    assert end_orphans(instance) == []
    alive = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    instance.report_engine_event(
        "Executing steps in process", alive, EngineEventData.in_process(os.getpid(), ["books"])
    )
    assert end_orphans(instance) == []
    assert "tried again after" in _message(_resume(loaded, instance))


def test_a_failed_run_is_told_in_one_line(
    loaded: LoadedConfig, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    defs = build_definitions(loaded)
    instance.add_dynamic_partitions(PARTITIONS, ["26999999999"])
    result = defs.resolve_job_def("amazon_netsuite_settlement").execute_in_process(
        instance=instance, partition_key="26999999999", raise_on_error=False
    )
    (failed,) = [e for e in result.all_events if e.event_type_value == "PIPELINE_FAILURE"]
    context = dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=failed,
    ).for_run_failure()
    sensor = defs.get_repository_def().get_sensor_def("failed_runs")
    with caplog.at_level("ERROR", logger="ledger_pipelines.failures"):
        sensor(context)
    (line,) = [r.getMessage() for r in caplog.records if r.name == "ledger_pipelines.failures"]
    assert "settlement 26999999999" in line
    assert "was not accepted" in line
