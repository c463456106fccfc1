"""A year of daily partitions of one snapshot in one run of Dagster, against the same data work without Dagster.

    python -m benchmarks backfill [--quick]

Belongs here: the two ways, in turn, each in a process of its own, imports done. Does not belong here: reading a vendor (rows come
from memory: the same for both).
The data work: rows split by their day, 365 Parquet files with manifests, each synced to disk. Dagster's share: planning,
one materialization a partition, checks, its event log on disk (a temporary instance, the shipped in-process executor).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from unittest import mock

import dagster as dg

from benchmarks.report import Goal, Section, Tabular
from benchmarks.running import Run, as_data, child, interleaved, measured, tell
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import Window
from ledger_pipelines.orchestration.build import Overrides, build_definitions
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.netsuite.entities import Column, Entity, Kind
from ledger_pipelines.systems.netsuite.reader import Cell, Rows
from ledger_pipelines_tests.dagster.kit import configuration

GOAL = 7.0
DAYS, QUICK_DAYS = 365, 30
REPEATS, QUICK_REPEATS = 5, 2
ALONE, DAGSTER = "alone", "dagster"
A_DAY = 20
FIRST = date(2025, 11, 1)
ENTITY = Entity(
    "invoices",
    (
        Column("id", "t.id"),
        Column("total", "t.total", Kind.NUMBER),
        Column("lastmodifieddate", "t.lastmodifieddate", Kind.INSTANT),
    ),
    "transaction t",
    ("id",),
    "t.id",
    modified="t.lastmodifieddate",
)


@dataclass
class Memory:
    """A reader whose rows are there."""

    days: int

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        """Twenty rows a day, by time."""
        del start, end
        for number in range(self.days):
            noon = datetime.combine(FIRST + timedelta(days=number), datetime.min.time(), UTC) + timedelta(
                hours=20
            )
            cells: list[tuple[Cell, ...]] = [
                (f"{number:04d}{n:03d}", Decimal(f"{n}.25"), noon + timedelta(seconds=n))
                for n in range(A_DAY)
            ]
            yield Rows(entity, tuple(cells))

    @property
    def reader(self) -> Memory:
        """Itself."""
        return self

    def entity(self, name: str) -> Entity:
        """The one entity."""
        del name
        return ENTITY

    def calls(self) -> int:
        """None is made."""
        return 0

    @contextmanager
    def open(self, loaded: LoadedConfig, connection: str, run_id: str) -> Iterator[Memory]:
        """The reader for a run."""
        del loaded, connection, run_id
        yield self


def _loaded(folder: Path) -> LoadedConfig:
    return configuration(folder, **{
        "    workers: 2": "    entities: [invoices]\n    workers: 2", "    start_date: ": f"    start_date: {FIRST} # ",
    })  # fmt: skip


@contextmanager
def _storing(instance: dg.DagsterInstance) -> Iterator[list[float]]:
    """Seconds of each event that the instance's event log stores."""
    storage, took = instance.event_log_storage, []
    store = storage.store_event

    def timed(event: dg.EventLogEntry) -> None:
        started = perf_counter()
        store(event)
        took.append(perf_counter() - started)

    with mock.patch.object(storage, "store_event", timed):
        yield took


def with_dagster(folder: Path, days: int) -> Run:
    """One run of Dagster. facts: seconds within its event log, how many events that stored, the content of each day."""
    loaded = _loaded(folder)
    definitions = build_definitions(loaded, Overrides(open_reader=Memory(days).open))
    last = FIRST + timedelta(days=days - 1)
    tags = {RANGE_START: FIRST.isoformat(), RANGE_END: last.isoformat()}
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        job = definitions.resolve_job_def("netsuite_snapshots")
        with (
            contextlib.redirect_stderr(io.StringIO()),  # Dagster tells each event there, too
            _storing(instance) as took,
        ):
            run = measured(lambda: {"success": job.execute_in_process(instance=instance, tags=tags).success})
        done = instance.get_materialized_partitions(dg.AssetKey(["netsuite", "invoices"]))
        if not run.facts["success"] or len(done) != days:
            raise SystemExit(f"{len(done)} of {days} days are green")
    return replace(run, facts={"storing": sum(took), "events": len(took), "content": _content(loaded)})


def alone(folder: Path, days: int) -> Run:
    """The same data work, called."""
    loaded = _loaded(folder)
    zone = loaded.config.books.zone
    window = Window(FIRST, FIRST + timedelta(days=days - 1), zone)

    def work() -> dict[str, object]:
        asked = Sweep(window, FIRST, window.last, "bench", ())
        return {
            "swept": len(
                list(sweep(Memory(days), SnapshotStore(loaded.config.data_dir, "netsuite"), ENTITY, asked))
            )
        }

    run = measured(work)
    return replace(run, facts={"content": _content(loaded)})


def _content(loaded: LoadedConfig) -> list[str]:
    return [
        one.content_hash for one in SnapshotStore(loaded.config.data_dir, "netsuite").manifests("invoices")
    ]


def once(way: str, days: int) -> Run:
    """One run in a process and a folder of its own, checked."""
    with tempfile.TemporaryDirectory(prefix="ledger-backfill-") as folder:
        run = child("benchmarks.backfill", "--child", way, "--folder", folder, "--days", str(days))
    if len(run.facts["content"]) != days:
        raise SystemExit(f"{way} stored {len(run.facts['content'])} of {days} days")
    return run


def _row(name: str, values: Sequence[float], runs: Sequence[Run] = ()) -> list[str]:
    """Seconds, and CPU and peak memory of the runs behind them."""
    cpu = f"{statistics.median(run.cpu_seconds for run in runs):.2f}" if runs else ""
    peak = f"{max(run.peak_mib for run in runs):.0f}" if runs else ""
    return [name, f"{statistics.median(values):.2f}", f"{min(values):.2f}", cpu, peak]


def section(quick: bool) -> Section:
    """Both ways in turn; what Dagster adds."""
    days = QUICK_DAYS if quick else DAYS
    repeats = QUICK_REPEATS if quick else REPEATS
    runs = interleaved([ALONE, DAGSTER], repeats, lambda way: once(way, days))
    work, run = runs[ALONE], runs[DAGSTER]
    if any(a.facts["content"] != b.facts["content"] for a, b in zip(work, run, strict=True)):
        raise SystemExit("the two ways stored different days")
    beyond = [a.seconds - b.seconds for a, b in zip(run, work, strict=True)]
    storing = [one.facts["storing"] for one in run]
    median = statistics.median(beyond)
    rest = statistics.median(a - b for a, b in zip(beyond, storing, strict=True))
    left = (
        f"All but {rest:.2f} s of it is Dagster's event log: it stores {run[0].facts['events']} events, one planned and one done for "
        "each day, one after the other in two SQLite files, each in a connection and a transaction of its own, whatever batch size is "
        "asked for. Fewer events would leave days without a mark of their own."
    )
    return Section(
        f"Backfill of {days} daily partitions in one run, seconds",
        "python -m benchmarks backfill",
        (
            Tabular(
                ["", "median", "minimum", "CPU s, median", "peak MiB"],
                [
                    _row("data work alone", [one.seconds for one in work], work),
                    _row("one run of Dagster", [one.seconds for one in run], run),
                    _row("beyond the data work", beyond),
                    _row("of it in Dagster's event log", storing),
                ],
            ),
        ),
        {"days": days, ALONE: as_data(work), DAGSTER: as_data(run), "event log": storing},
        (
            Goal(
                f"Dagster adds {median:.2f} s to {days} days (goal {GOAL:.0f} s for 365)",
                median <= GOAL,
                "" if median <= GOAL else left,
            ),
        ),
    )


def main() -> None:
    """One measured run, for `child`."""
    parser = argparse.ArgumentParser(description="one run; `python -m benchmarks backfill` makes them all")
    works = {ALONE: alone, DAGSTER: with_dagster}
    parser.add_argument("--child", choices=tuple(works), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--days", type=int, required=True)
    asked = parser.parse_args()
    tell(works[asked.child](asked.folder, asked.days))


if __name__ == "__main__":
    main()
