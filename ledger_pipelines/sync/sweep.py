"""One sweep over a window of days: read once, split by the record's own date, write each day as soon as it is whole.

Belongs here: which day a record belongs to, when a day is done, what a list without dates can say of the past. Does
not belong here: how a vendor is read (`systems`), how a day is stored (`storage.snapshots`), anything of Dagster.

Rules:
  * A record belongs to the day, in the books' zone, of its last change. The whole window is asked for at once.
  * A day without records is written too: it replaces what was there.
  * The opening day (the first partition there can be) also takes master data last changed before it.
  * A list without dates of change (accounts, periods...) is what it is now. It is written to the last day of the
    window, if that day is the present one or nearly; of earlier days nothing can be known any more: they are kept as they
    are, or written empty and marked as not reconstructible.
  * A refresh asks only for what changed since the newest stored day was last read, or the first one that was read only in part,
    and puts it in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from ledger_pipelines.documents.dates import Window, business_date
from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.manifests import Manifest
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.systems.entities import DECIMALS, DIGITS, Cell, ChangesReader, EntityLike, Kind

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
SLACK = timedelta(hours=3)
"""Rows come in the order of the account's own clock, which runs twice where clocks go back."""
OVERLAP = timedelta(minutes=10)
"""A refresh begins that much before the last read ended: late updates, clocks that differ."""
NOT_RECONSTRUCTIBLE = "whole list; not reconstructible"
WHOLE_LIST = "whole list"
PRESENT = timedelta(days=2)
"""How old the last day of a window may be for a list read now to stand for it: a run may be late."""

Row = tuple[Cell, ...]
Held = dict[date, dict[Row, Row]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is asked for.

    Args:
        window: Days, first to last, in the books' zone.
        opening: First day there can be.
        today: The books' date now.
        run_id: Of the run.
        done_by: Runs whose finished days need not be read again: this one, and those it is a re-execution of.
        now: The instant the reading begins; kept with the days, for `refresh`. None = a later refresh reads them whole.
        reach: The opening day also takes other records last changed that long before it (master data: all of them).
    """

    window: Window
    opening: date
    today: date
    run_id: str
    done_by: Collection[str] = field(default=())
    now: datetime | None = None
    reach: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class DayDone:
    """One day that is stored. new: written now, not by an earlier attempt."""

    manifest: Manifest
    new: bool
    reconstructible: bool = True


def sweep(reader: ChangesReader, store: SnapshotStore, entity: EntityLike, asked: Sweep) -> Iterator[DayDone]:
    """Read and store; gives each day when it is on disk, in order.

    Raises:
        TransientError, CredentialError, PermanentError, DataError: days given before stay done.
    """
    if entity.changed_column:
        yield from _changes(reader, store, entity, asked)
    else:
        yield from _whole(reader, store, entity, asked)


def refresh(
    reader: ChangesReader, store: SnapshotStore, entity: EntityLike, asked: Sweep
) -> Iterator[DayDone]:
    """Bring the window up to date: only what changed since it was last read is asked for.

    Days are whole afterwards, as after `sweep`. Where nothing tells until when the newest day was read, it is
    read whole; a whole list always is.

    Raises:
        TransientError, CredentialError, PermanentError, DataError: days given before stay done.
    """
    unfinished = _unfinished(store, entity, asked) if entity.changed_column else []
    begun = unfinished[0] if unfinished else None
    if begun is None or begun.read_until is None:
        first = asked.window.first if begun is None else begun.day
        yield from sweep(reader, store, entity, replace(asked, window=replace(asked.window, first=first)))
        return
    window = Window(begun.day, asked.window.last, asked.window.zone)
    days, schema = list(window.days()), arrow_schema(entity)
    since = max(begun.read_until - OVERLAP, window.start)
    news = [cells for page in reader.read_changes(entity, since, window.end) for cells in page.cells]
    if not news:  # as they are, but read until now
        for day in days:
            stored = store.read(entity.name, [day], schema=schema)
            yield DayDone(_keep(store, entity, day, stored, asked, entity.basis), new=True)
        return
    held: Held = {day: {} for day in days}
    place, keys = _places(entity)
    at: dict[Row, date] = {}
    for manifest in unfinished:
        stored = store.read(entity.name, [manifest.day], schema=schema)
        for cells in zip(*(column.to_pylist() for column in stored.columns), strict=True):
            _put(held, at, cells, manifest.day, keys)
    for cells in news:
        _put(held, at, cells, _day_of(entity, cells[place], asked, begun.day), keys)
    for day in days:
        yield _write(store, entity, day, held, asked)


def arrow_schema(entity: EntityLike) -> pa.Schema:
    """Columns as stored. Numbers are exact."""
    kinds: dict[Kind, pa.DataType] = {
        Kind.TEXT: pa.string(),
        Kind.NUMBER: pa.decimal128(DIGITS, DECIMALS),
        Kind.DAY: pa.date32(),
        Kind.INSTANT: pa.timestamp("us", tz="UTC"),
        Kind.FLAG: pa.bool_(),
    }
    return pa.schema([pa.field(column.name, kinds[column.kind]) for column in entity.columns])


def known_until(store: SnapshotStore, entity: EntityLike, asked: Sweep) -> datetime | None:
    """Until when changes of the window are stored without a gap; None = its last day is not stored, or does not tell."""
    unfinished = _unfinished(store, entity, asked)
    if not unfinished or unfinished[-1].day != asked.window.last:
        return None
    return unfinished[0].read_until


def read_in_part(store: SnapshotStore, entity: EntityLike, asked: Sweep) -> date | None:
    """The first day of the window that was read only in part although a later one is stored; None = there is none."""
    unfinished = _unfinished(store, entity, asked)
    if not unfinished:
        return None
    first = unfinished[0]
    later = max(store.days(entity.name)) > first.day
    return first.day if later and not _is_whole(first, asked) else None


def _unfinished(store: SnapshotStore, entity: EntityLike, asked: Sweep) -> list[Manifest]:
    """The newest stored day of the window (if every day before it is stored too), after those before it from the first one on that
    was read only in part: yesterday and today read whole say nothing of the evening of a day before that was read at noon.

    A whole day that was read together with all days of the window before it ends the search.
    """
    there = set(store.days(entity.name))
    stored: list[date] = []
    for one in asked.window.days():
        if one not in there:
            break
        stored.append(one)
    found: list[Manifest] = []
    after: list[Manifest] = []
    for day in reversed(stored):
        manifest = store.manifest(entity.name, day)
        if manifest is None:
            break
        whole = _is_whole(manifest, asked)
        if found and whole and manifest.window_start <= asked.window.start:
            break
        after.insert(0, manifest)
        if not found or not whole:
            found = list(after)
    return found


def _places(entity: EntityLike) -> tuple[int, list[int]]:
    names = [column.name for column in entity.columns]
    return names.index(entity.changed_column), [names.index(name) for name in entity.key]


def _day_of(entity: EntityLike, changed: Cell, asked: Sweep, first: date) -> date:
    if not isinstance(changed, datetime):
        raise DataError(f"A row of {entity.name} has no time of change.", code="no-modified")
    return max(business_date(changed, asked.window.zone), first)


def _put(held: Held, at: dict[Row, date], cells: Row, day: date, keys: Sequence[int]) -> None:
    """A row into its day; where it changed while it was read, it is of the later day now."""
    key = tuple(cells[i] for i in keys)
    before = at.get(key)
    if before is not None and before != day and before in held:
        del held[before][key]
    at[key] = day
    held[day][key] = cells


def _changes(
    reader: ChangesReader, store: SnapshotStore, entity: EntityLike, asked: Sweep
) -> Iterator[DayDone]:
    days = list(asked.window.days())
    while days and (done := _done(store, entity, days[0], asked)) is not None:
        yield DayDone(done, new=False)
        days.pop(0)
    if not days:
        return
    zone = asked.window.zone
    rest = Window(days[0], asked.window.last, zone)
    start = rest.start
    if days[0] == asked.opening:
        start = EARLIEST if entity.opening else start - asked.reach
    place, keys = _places(entity)
    held: Held = {day: {} for day in days}
    at: dict[Row, date] = {}
    for page in reader.read_changes(entity, start, rest.end):
        latest: Cell = None
        for cells in page.cells:
            day = _day_of(entity, cells[place], asked, days[0])
            if day not in held:
                raise DataError(
                    f"A row of {entity.name} changed on {day.isoformat()} came after that day was stored.",
                    remedy="Run these days again; if it happens again, tell the makers.",
                    code="out-of-order",
                )
            _put(held, at, cells, day, keys)
            latest = cells[place]
        while (
            isinstance(latest, datetime)
            and len(days) > 1
            and Window(days[0], days[0], zone).end + SLACK <= latest
        ):
            for key in held[days[0]]:
                at.pop(key, None)
            yield _write(store, entity, days.pop(0), held, asked)
    for day in list(days):
        yield _write(store, entity, day, held, asked)


def _write(store: SnapshotStore, entity: EntityLike, day: date, held: Held, asked: Sweep) -> DayDone:
    rows = list(held.pop(day).values())
    return DayDone(_store(store, entity, day, rows, asked, entity.basis), new=True)


def _whole(
    reader: ChangesReader, store: SnapshotStore, entity: EntityLike, asked: Sweep
) -> Iterator[DayDone]:
    window = asked.window
    *earlier, last = window.days()
    for day in earlier:
        yield _past(store, entity, day, asked)
    if asked.today - last > PRESENT:
        yield _past(store, entity, last, asked)
        return
    done = _done(store, entity, last, asked)
    if done is not None:
        yield DayDone(done, new=False)
        return
    rows = [cells for page in reader.read_changes(entity, window.start, window.end) for cells in page.cells]
    names = [column.name for column in entity.columns]
    keys = [names.index(name) for name in entity.key]
    once = {tuple(cells[i] for i in keys): cells for cells in rows}
    yield DayDone(_store(store, entity, last, list(once.values()), asked, WHOLE_LIST), new=True)


def _past(store: SnapshotStore, entity: EntityLike, day: date, asked: Sweep) -> DayDone:
    """A day whose list nobody can give any more: what was stored then stays; else it is empty, and says so."""
    there = store.manifest(entity.name, day)
    if there is not None:
        return DayDone(there, new=False, reconstructible=there.basis != NOT_RECONSTRUCTIBLE)
    manifest = _store(store, entity, day, [], asked, NOT_RECONSTRUCTIBLE)
    return DayDone(manifest, new=True, reconstructible=False)


def _done(store: SnapshotStore, entity: EntityLike, day: date, asked: Sweep) -> Manifest | None:
    """The day as an attempt of this run stored it; one that was going on then, and is over by now, has more."""
    there = store.manifest(entity.name, day)
    if there is None or there.run_id not in asked.done_by:
        return None
    return there if day == asked.window.last or _is_whole(there, asked) else None


def _is_whole(there: Manifest, asked: Sweep) -> bool:
    """Whether the day was read up to its end."""
    return there.read_until is None or Window(there.day, there.day, asked.window.zone).end <= there.read_until


def _store(
    store: SnapshotStore, entity: EntityLike, day: date, rows: Sequence[Row], asked: Sweep, basis: str
) -> Manifest:
    schema = arrow_schema(entity)
    try:
        columns = [
            pa.array([cells[i] for cells in rows], type=column.type) for i, column in enumerate(schema)
        ]
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"{store.connection}/{entity.name} of {day.isoformat()} cannot be stored:{_culprit(entity, schema, rows)} {error}.",
            remedy="Look at that value in the system it came from; if it is right there, tell the makers.",
            code="unexpected-value",
        ) from error
    return _keep(store, entity, day, pa.table(columns, schema=schema), asked, basis)


def _culprit(entity: EntityLike, schema: pa.Schema, rows: Sequence[Row]) -> str:
    """The first value that no column takes, by its record's key; "" when it is none alone."""
    names = [column.name for column in entity.columns]
    for cells in rows:
        for column, cell in zip(schema, cells, strict=True):
            try:
                pa.array([cell], type=column.type)
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                key = " ".join(str(cells[names.index(name)]) for name in entity.key)
                return f" {column.name} of {key} is {str(cell)[:60]}."
    return ""


def _keep(
    store: SnapshotStore, entity: EntityLike, day: date, rows: pa.Table, asked: Sweep, basis: str
) -> Manifest:
    return store.write_day(
        entity.name,
        day,
        rows,
        window=asked.window,
        basis=basis,
        run_id=asked.run_id,
        expected=arrow_schema(entity),
        sort_by=entity.key,
        read_until=None if asked.now is None else min(asked.now, Window(day, day, asked.window.zone).end),
    )
