"""Daily snapshots of a connection: one asset an entity, one run for any range of days.

Belongs here: the asset, its window, its checks. Does not belong here: reading and splitting (`sync.sweep`), storing
(`storage.snapshots`). A value returned would go to the IO manager, which refuses ranges after all the work is done
(dagster.md 0.5): only checks are returned, numbers are told day by day. Annotations are not postponed: Dagster reads them itself.

A run reads each of its days whole; with the tag `ledger/reading=refresh` it asks only for what changed since the last
reading, and leaves lists without a time of change as they are while they are young: a call saved is a call for a document.
"""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ledger_pipelines.documents.dates import Window, business_date
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.entity_names import ReadConfig
from ledger_pipelines.orchestration.failing import told
from ledger_pipelines.orchestration.results import Result
from ledger_pipelines.orchestration.services import OpenReader, Runtime

if TYPE_CHECKING:
    from ledger_pipelines.storage.snapshots import SnapshotStore
    from ledger_pipelines.sync.sweep import DayDone, Sweep
    from ledger_pipelines.systems.entities import EntityLike

KEYS_UNIQUE = "keys_are_unique"
NEWEST = "newest_day"
SCHEMA = "columns_as_before"
CHECKS = {
    KEYS_UNIQUE: "No record stands twice in one of the days of this run.",
    NEWEST: "The days of this run are there, up to the newest.",
    SCHEMA: "The columns are those declared, and those of the day before.",
}
YOUNG = timedelta(hours=20)
"""A list without a time of change is left as it is by a refresh while its last reading is younger."""
BEHIND = timedelta(days=7)
"""Days a reading after a run's writes makes up for at most."""
_LINEAGE = ("dagster/parent_run_id", "dagster/root_run_id")


@dataclass(frozen=True, slots=True)
class Source:
    """A connection whose entities are kept, and how it is read.

    Args:
        partitions: Its days, in the zone of its books. They may begin before the connection does: connections that are
            planned together share their days, because one run takes one definition (dagster.md 4).
        reach: How long before the first day records are read too, for the sake of pairing; master data all are.
        young: How old the last reading of a whole list may be before a refresh reads it again, by entity.
        shared: The same of lists of changes, where several integrations read the connection: of runs that clocks have
            started together, what the run of one has read the run of the other takes as it is.
    """

    runtime: Runtime
    connection: str
    configured: ReadConfig
    open_reader: OpenReader
    partitions: dg.DailyPartitionsDefinition
    reach: timedelta = timedelta()
    young: Mapping[str, timedelta] = field(default_factory=dict)
    shared: timedelta = timedelta()

    @property
    def zone_name(self) -> str:
        """Zone its days are cut by."""
        return self.partitions.timezone


def build_snapshot(source: Source, entity: str) -> dg.AssetsDefinition:
    """The asset of one entity."""
    with warnings.catch_warnings():
        # `backfill_policy` carries a beta mark for years now; it is the design (dagster.md 5), and not worth a line each.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _snapshot(source, entity)


def _snapshot(source: Source, entity: str) -> dg.AssetsDefinition:
    key = names.snapshot_key(source.connection, entity)

    @dg.asset(
        key=key,
        partitions_def=source.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=source.connection,
        kinds={source.configured.system, "parquet"},
        pool=names.read_pool(source.connection),
        check_specs=[dg.AssetCheckSpec(name, asset=key, description=text) for name, text in CHECKS.items()],
        description=f"{entity.replace('_', ' ')} of {source.connection}, by the day they last changed. Any range of "
        "days is read in one sweep; days that are done stay done when a later one fails.",
    )
    def snapshot(context: dg.AssetExecutionContext) -> Result:
        return Result(check_results=take(source, entity, context))

    return snapshot


def take(source: Source, entity: str, context: dg.AssetExecutionContext) -> list[dg.AssetCheckResult]:
    """Read the run's days, store them, tell each day's numbers, and check."""
    from ledger_pipelines.storage.snapshots import SnapshotStore  # noqa: PLC0415 (load time)
    from ledger_pipelines.sync.sweep import refresh, sweep  # noqa: PLC0415 (load time)

    asked = _asked(source, context)
    if asked is None:
        context.log.info("%s begins on %s: these days are before it.", entity, source.configured.start_date)
        return _before_the_first_day()
    store = SnapshotStore(source.runtime.config.data_dir, source.connection)
    began = time.monotonic()
    done: list[DayDone] = []
    refreshes = context.run.tags.get(names.READING_TAG) == names.REFRESH
    with told(), source.open_reader(source.runtime.loaded, source.connection, context.run.run_id) as reading:
        shape = reading.entity(entity)
        young = _young(source, store, shape, asked, context) if refreshes else None
        if young is not None:
            done.append(young)
        else:
            read = refresh if refreshes else sweep
            with _kept_on_failure(context, entity, done, asked):
                for day in read(reading.reader, store, shape, asked):
                    done.append(day)
                    if len(done) % 100 == 0:
                        context.log.info("%s: %d days done", entity, len(done))
        calls = reading.calls()
        problems = _problems(store, entity, shape.key, done)
    last = asked.window.last.isoformat()
    for day in done:
        place = last if day is young else day.manifest.day.isoformat()
        context.add_asset_metadata(_of_day(day), partition_key=place)
    if done:
        cost = {m.API_CALLS: calls, m.SECONDS: round(time.monotonic() - began, 3)}  # not money: seconds
        place = last if young is not None else done[-1].manifest.day.isoformat()
        context.add_asset_metadata(cost, partition_key=place)
    return _checks(done, asked, problems, young=young is not None)


def read_again(source: Source, entities: Sequence[str], context: dg.AssetExecutionContext) -> dict[str, int]:
    """Bring snapshots up to date amid a run, after its writes: records in the newest days by entity, and calls ("calls").

    Each day that is read is told as a materialization of its own snapshot. What was not read for more than `BEHIND` is left
    to the next sync: it has more to read than what was written. Raises LedgerErrors of the connection.
    """
    from ledger_pipelines.storage.snapshots import SnapshotStore  # noqa: PLC0415 (load time)
    from ledger_pipelines.sync.sweep import Sweep, refresh  # noqa: PLC0415 (load time)

    store = SnapshotStore(source.runtime.config.data_dir, source.connection)
    zone, now = ZoneInfo(source.zone_name), datetime.now(UTC)
    today, found = business_date(now, zone), {}
    with source.open_reader(source.runtime.loaded, source.connection, context.run.run_id) as reading:
        for name in entities:
            days = store.days(name)
            if not days or today - days[-1] > BEHIND:
                continue
            window = Window(min(days[-1], today), today, zone)
            asked = Sweep(window, source.configured.start_date, today, context.run.run_id, now=now)
            done = list(refresh(reading.reader, store, reading.entity(name), asked))
            found[name] = sum(day.manifest.rows for day in done)
            for day in done:
                context.log_event(
                    dg.AssetMaterialization(
                        names.snapshot_key(source.connection, name),
                        partition=day.manifest.day.isoformat(),
                        metadata=_of_day(day),
                    )
                )
        return {**found, "calls": reading.calls()}


def _young(
    source: Source,
    store: "SnapshotStore",
    shape: "EntityLike",
    asked: "Sweep",
    context: dg.AssetExecutionContext,
) -> "DayDone | None":
    """The newest reading of a list, if it need not be read again yet."""
    from ledger_pipelines.sync.sweep import NOT_RECONSTRUCTIBLE, DayDone, known_until  # noqa: PLC0415 (load time)

    if asked.now is None or asked.window.last != asked.today:
        return None
    days = store.days(shape.name)
    manifest = store.manifest(shape.name, days[-1]) if days else None
    if manifest is None or manifest.read_until is None or manifest.basis == NOT_RECONSTRUCTIBLE:
        return None
    if shape.changed_column:
        known = known_until(store, shape, asked) if _read_for_all(source, manifest.run_id, context) else None
        fresh = known is not None and asked.now - known < source.shared
    else:
        fresh = asked.now - manifest.written_at < source.young.get(shape.name, YOUNG)
    return DayDone(manifest, new=False) if fresh else None


def _read_for_all(source: Source, run_id: str, context: dg.AssetExecutionContext) -> bool:
    """Whether the last reading was of another integration's run, and a clock started both: nobody waits for what has changed
    between the two.
    """
    if not source.shared or context.run.tags.get(names.REASON_TAG) != names.SCHEDULE:
        return False
    other = context.instance.get_run_by_id(run_id)
    if other is None or other.tags.get(names.REASON_TAG) != names.SCHEDULE:
        return False
    return bool(other.tags.get(names.INTEGRATION_TAG) != context.run.tags.get(names.INTEGRATION_TAG))


@contextmanager
def _kept_on_failure(
    context: dg.AssetExecutionContext, entity: str, done: "list[DayDone]", asked: "Sweep"
) -> Iterator[None]:
    """When a later day fails, the days that are done are told to Dagster all the same, and stay green."""
    finished = False
    try:
        yield
        finished = True
    finally:
        if not finished:
            for day in done:
                context.log_event(
                    dg.AssetMaterialization(
                        context.asset_key, partition=day.manifest.day.isoformat(), metadata=_of_day(day)
                    )
                )
            total = (asked.window.last - asked.window.first).days + 1
            context.log.warning("%s: %d of %d days are done and stay done.", entity, len(done), total)


def _asked(source: Source, context: dg.AssetExecutionContext) -> "Sweep | None":
    """What to read: the run's days, from the connection's first day on; None = all of them are before it."""
    from ledger_pipelines.sync.sweep import Sweep  # noqa: PLC0415 (load time)

    zone = ZoneInfo(source.zone_name)
    bounds = context.partition_key_range
    first, last = date.fromisoformat(bounds.start), date.fromisoformat(bounds.end)
    first = max(first, source.configured.start_date)
    if last < first:
        return None
    tags = context.run.tags
    now = datetime.now(UTC)
    return Sweep(
        window=Window(first, last, zone),
        opening=source.configured.start_date,
        today=business_date(now, zone),
        run_id=context.run.run_id,
        done_by=frozenset({context.run.run_id, *(tags[tag] for tag in _LINEAGE if tag in tags)}),
        now=now,
        reach=source.reach,
    )


def _of_day(day: "DayDone") -> dict[str, dg.MetadataValue | str | int | bool]:
    manifest = day.manifest
    return {
        m.ROWS: manifest.rows,
        m.ROWS_TOTAL: manifest.rows,
        m.DAY: manifest.day.isoformat(),
        m.CONTENT_HASH: manifest.content_hash,
        m.WINDOW: f"{manifest.window_start:%Y-%m-%d %H:%M} to {manifest.window_end:%Y-%m-%d %H:%M} UTC",
        m.RECONSTRUCTIBLE: day.reconstructible,
    }


@dataclass(frozen=True, slots=True)
class _Problems:
    twice: list[tuple[str, int]]
    drift: list[tuple[str, str]]


def _problems(store: "SnapshotStore", entity: str, key: tuple[str, ...], done: "list[DayDone]") -> _Problems:
    twice = []
    for day in done:
        if day.new and day.manifest.rows:
            rows = store.read(entity, [day.manifest.day]).select(list(key))
            extra = rows.num_rows - rows.group_by(list(key)).aggregate([]).num_rows
            if extra:
                twice.append((day.manifest.day.isoformat(), extra))
    drift = [(d.manifest.day.isoformat(), str(d.manifest.drift)) for d in done if d.manifest.drift]
    if done:
        first, last = done[0].manifest.day, done[-1].manifest.day
        before = [day for day in store.days(entity) if day < first]
        start = before[-1] if before else first
        drift += [(change.day.isoformat(), str(change.drift)) for change in store.drift(entity, start, last)]
    return _Problems(twice, drift)


def _checks(
    done: "list[DayDone]", asked: "Sweep", problems: _Problems, *, young: bool = False
) -> list[dg.AssetCheckResult]:
    window = asked.window
    span = f"{window.first.isoformat()} to {window.last.isoformat()}"
    empty = sum(not day.reconstructible for day in done)
    newest = max((day.manifest.day for day in done), default=None)
    said = {
        KEYS_UNIQUE: (
            not problems.twice,
            dg.AssetCheckSeverity.ERROR,
            f"{len(problems.twice):,} days hold a record twice." if problems.twice else "None does.",
            m.table(("day", "records too many"), problems.twice, right=(1,)),
        ),
        NEWEST: (
            young or newest == window.last,
            dg.AssetCheckSeverity.ERROR,
            f"Read on {newest}; it is not read again yet."
            if young
            else f"{span}: {len(done):,} days, {empty:,} of them not reconstructible.",
            m.table(
                ("day", "rows"),
                [(d.manifest.day.isoformat(), f"{d.manifest.rows:,}") for d in reversed(done)],
                right=(1,),
            ),
        ),
        SCHEMA: (
            not problems.drift,
            dg.AssetCheckSeverity.WARN,
            f"The columns changed {len(problems.drift):,} times." if problems.drift else "As before.",
            m.table(("day", "what changed"), problems.drift),
        ),
    }
    return [
        dg.AssetCheckResult(
            check_name=name,
            passed=passed,
            severity=severity,
            description=text,
            metadata={m.WINDOW: span, m.DAYS: shown},
        )
        for name, (passed, severity, text, shown) in said.items()
    ]


def _before_the_first_day() -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(check_name=name, passed=True, description="These days are before the first one.")
        for name in CHECKS
    ]
