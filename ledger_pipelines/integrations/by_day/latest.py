"""The newest state of every record of a connection, from its daily snapshots, decoded only when asked for.

Belongs here: which rows are the newest, when they must be read again, decoding on demand. Does not belong here: what a
record means (`systems/<vendor>`), which records a flow wants (`mirror`).

A record that changed on several days stands in several files; the newest counts. A list without times of change is its newest
file that could be read at all. What was read is kept until a file of the entity is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Generic, TypeVar, cast, overload

import pyarrow as pa
from upath import UPath

from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.storage.manifests import Manifest
from ledger_pipelines.storage.newest import read_newest
from ledger_pipelines.storage.snapshots import SnapshotStore, read_file
from ledger_pipelines.sync.sweep import NOT_RECONSTRUCTIBLE, arrow_schema
from ledger_pipelines.systems.entities import RECORD, Cell, EntityLike

T = TypeVar("T")
Record = Mapping[str, Json]
Token = str
"""What tells whether the files of an entity are the same as before; "" = there are none."""


class Decoded(Mapping[str, T], Generic[T]):
    """Records by key, each decoded the first time it is looked at. Raises UnreadableError where one cannot be.

    Args:
        what: One record's entity, for the error.
    """

    def __init__(self, texts: Mapping[str, str], decoder: Callable[[Record], T], what: str = "") -> None:
        self._texts = texts
        self._decoder = decoder
        self._what = what
        self._found: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        found = self._found.get(key)
        if found is None:
            text = self._texts[key]
            try:
                found = self._found[key] = self._decoder(record_of(text))
            except DataError as error:
                raise UnreadableError(self._what, key, text, error) from error
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, key: object) -> bool:
        return key in self._texts


def record_of(text: str) -> Record:
    """A stored record. Raises DataError when it is no object."""
    found = decode(text)
    if not isinstance(found, dict):
        raise DataError("A stored record is no JSON object.", remedy="Take the snapshot of that day again.")
    return found


@dataclass(frozen=True)
class Rows:
    """The newest rows of an entity.

    Args:
        texts: Records by key, canonical JSON; several key columns are joined by `@`.
        table: Their other columns, in the same order. A value that does not fit its column is empty there (`systems.entities`).
        read_at: Instant until which changes are in them; None = there is no snapshot.
        entity: Its name.
    """

    texts: Mapping[str, str]
    table: pa.Table | None = None
    read_at: datetime | None = None
    entity: str = ""

    def column(self, name: str) -> dict[str, Cell]:
        """One column by key."""
        values = [] if self.table is None else self.table.column(name).to_pylist()
        return dict(zip(self.texts, values, strict=True))


NO_ROWS = Rows({})


@dataclass
class _Days:
    """What is known of the days of an entity while none of them is replaced."""

    token: Token
    days: Sequence[date] | None = None
    keys: dict[date, tuple[str, ...]] = field(default_factory=dict)
    hashes: dict[date, str] = field(default_factory=dict)


class Groups(Mapping[str, tuple[T, ...]], Generic[T]):
    """Records under names that several may share, each decoded when its name is looked up.

    Args:
        records: By key.
        keys: By name, in the order they are given.
    """

    def __init__(self, records: Mapping[str, T], keys: Mapping[str, Sequence[str]]) -> None:
        self._records = records
        self._keys = keys

    def __getitem__(self, name: str) -> tuple[T, ...]:
        return tuple(self._records[key] for key in self._keys[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def shared(self) -> list[str]:
        """Names that more than one record has; none is decoded for it."""
        return [name for name, keys in self._keys.items() if len(keys) > 1]


class Renamed(Mapping[str, T], Generic[T]):
    """Records under names of their own instead of their keys, each decoded when it is looked at.

    Args:
        records: By key.
        keys: By name.
    """

    def __init__(self, records: Mapping[str, T], keys: Mapping[str, str]) -> None:
        self._records = records
        self._keys = keys

    def __getitem__(self, name: str) -> T:
        return self._records[self._keys[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, name: object) -> bool:
        return name in self._keys


class Stored(Sequence[T], Generic[T]):
    """Records in the order of their keys, each decoded the first time it is looked at. Raises UnreadableError where one cannot be.

    Args:
        rows: All of the entity.
        decoder: Of one record.
        without: Keys of records that are left out.
    """

    def __init__(
        self, rows: Rows, decoder: Callable[[Record], T], without: Collection[str] = frozenset()
    ) -> None:
        self._rows = rows
        self._keys = [key for key in rows.texts if key not in without] if without else list(rows.texts)
        texts = {key: rows.texts[key] for key in self._keys}
        self.by_key: Mapping[str, T] = Decoded(texts, decoder, rows.entity)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        if isinstance(place, slice):
            return tuple(self.by_key[key] for key in self._keys[place])
        return self.by_key[self._keys[place]]

    def __len__(self) -> int:
        return len(self._keys)

    def named(self, column: str, name_of: Callable[[str], str]) -> Groups[T]:
        """By a column, without decoding any: names as `name_of` makes them, blank ones left out; keys by number, lowest first."""
        found: dict[str, list[str]] = {}
        for key, cell in self.cells(column).items():
            name = name_of(cell)
            if name:
                found.setdefault(name, []).append(key)
        for keys in found.values():
            if len(keys) > 1:
                keys.sort(key=by_number)
        return Groups(self.by_key, found)

    def by(self, told: Callable[[T], str], *columns: str, name_of: Callable[[str], str] = str) -> Groups[T]:
        """By a name that only the record tells, as `name_of` makes it; of one that cannot be read, the first of the columns that says
        something. Blank ones are left out. All are decoded for it."""
        found: dict[str, list[str]] = {}
        beside = [self.cells(column) for column in columns]
        for key in self._keys:
            try:
                text = told(self.by_key[key])
            except UnreadableError:
                text = next((cell for cells in beside if (cell := cells[key].strip())), "")
            if name := name_of(text):
                found.setdefault(name, []).append(key)
        return Groups(self.by_key, found)

    def unreadable_by(self, column: str) -> dict[str, UnreadableError]:
        """Those that cannot be read, by a column. All are decoded for it."""
        bad, names = unreadable(self), self.cells(column)
        return {names[key]: error for key, error in bad.items()}

    def cells(self, column: str) -> dict[str, str]:
        """A column as texts by key, "" for none, without decoding any."""
        cells = self._rows.column(column)
        return {key: str(cells[key] or "") for key in self._keys}


def readable(records: Mapping[str, T] | Sequence[T]) -> Iterator[T]:
    """Those that can be read, in order."""
    if not isinstance(records, (Mapping, Stored)):
        yield from records
        return
    by_key = records.by_key if isinstance(records, Stored) else records
    for key in by_key:
        try:
            found = by_key[key]
        except UnreadableError:
            continue
        yield found


def if_readable(records: Mapping[str, T], key: str) -> T | None:
    """One of them; None where there is none, or it cannot be read."""
    return next(readable(Renamed(records, {key: key})), None) if key in records else None


def unreadable(records: Mapping[str, T] | Sequence[T]) -> dict[str, UnreadableError]:
    """Those that cannot be read, by key. All are decoded for it."""
    if not isinstance(records, (Mapping, Stored)):
        return {}
    by_key = records.by_key if isinstance(records, Stored) else records
    found: dict[str, UnreadableError] = {}
    for key in by_key:
        try:
            by_key[key]
        except UnreadableError as error:
            found[key] = error
    return found


def by_number(key: str) -> tuple[int, str]:
    """The order of ids: by number, where they are numbers."""
    return (int(key) if key.isdigit() else 0, key)


class LatestRecords:
    """The newest records of one connection; each entity is read once for as long as its files stay the same.

    Args:
        root: Data folder or bucket URL.
        connection: Name of the connection.
    """

    def __init__(self, root: str | Path | UPath, connection: str) -> None:
        self.store = SnapshotStore(root, connection)
        self._kept: dict[str, tuple[Token, Rows]] = {}
        self._days: dict[str, _Days] = {}

    def token(self, entity: str) -> Token:
        """Changes whenever a day of the entity is added or replaced; reads no file."""
        return self.store.version(entity)

    def days(self, entity: str) -> Sequence[date]:
        """Every day that was fetched, in order."""
        kept = self._of_days(entity)
        if kept.days is None:
            kept.days = tuple(self.store.days(entity))
        return kept.days

    def _of_days(self, entity: str) -> _Days:
        """What is known of the single days; nothing yet where one was replaced."""
        token = self.token(entity)
        kept = self._days.get(entity)
        if kept is None or kept.token != token:
            kept = self._days[entity] = _Days(token)
        return kept

    def rows(self, entity: EntityLike, *, required: bool = True) -> Rows:
        """The newest rows.

        Raises:
            DataError: There is no snapshot of it and it is required, or a file is damaged.
        """
        token = self.token(entity.name)
        kept = self._kept.get(entity.name)
        if kept is not None and kept[0] == token:
            return kept[1]
        there = bool(self.days(entity.name))
        if not there and required:
            raise DataError(
                f"There is no snapshot of {self.store.connection}/{entity.name} yet.",
                remedy=f"Run the initial sync, or materialize {self.store.connection}/{entity.name}.",
                code="no-snapshot",
            )
        found = self._read(entity) if there else NO_ROWS
        self._kept[entity.name] = (token, found)
        return found

    def keys_of(self, entity: EntityLike, day: date) -> tuple[str, ...]:
        """Keys of the records in the file of one day, in order; none where there is no such file."""
        known = self._of_days(entity.name).keys
        if day not in known:
            try:
                with self.store.path(entity.name, day).open("rb") as file:
                    table = read_file(file, entity.key)
                known[day] = tuple(_keys(table, entity))
            except FileNotFoundError:
                known[day] = ()
        return known[day]

    def content_hash(self, entity: EntityLike, day: date) -> str:
        """Digest of the file of one day; "" = never fetched."""
        if entity.changed_column:
            self.rows(entity, required=False)  # knows most days without opening their files
        known = self._of_days(entity.name).hashes
        if day not in known:
            manifest = self.store.manifest(entity.name, day)
            known[day] = "" if manifest is None else manifest.content_hash
        return known[day]

    def _read(self, entity: EntityLike) -> Rows:
        schema = arrow_schema(entity)
        if not entity.changed_column:
            return self._read_whole(entity, schema)
        known = self._of_days(entity.name)
        found = read_newest(
            self.store, entity.name, key=entity.key, modified=entity.changed_column, schema=schema
        )
        known.hashes.update(found.hashes)
        return _rows(found.table, entity, self.store.manifest(entity.name, self.days(entity.name)[-1]))

    def _read_whole(self, entity: EntityLike, schema: pa.Schema) -> Rows:
        for day in reversed(self.store.days(entity.name)):
            manifest = self.store.manifest(entity.name, day)
            if manifest is not None and manifest.basis != NOT_RECONSTRUCTIBLE:
                return _rows(self.store.read(entity.name, [day], schema=schema), entity, manifest)
        return NO_ROWS


def _rows(table: pa.Table, entity: EntityLike, manifest: Manifest | None) -> Rows:
    records = cast("list[str]", table.column(RECORD).to_pylist())
    texts = dict(zip(_keys(table, entity), records, strict=True))
    read_at = None if manifest is None else manifest.read_until or manifest.written_at
    return Rows(texts, table.drop_columns([RECORD]), read_at, entity.name)


def _keys(table: pa.Table, entity: EntityLike) -> list[str]:
    """Keys as texts; several columns are joined by `@`."""
    columns = [table.column(name).to_pylist() for name in entity.key]
    if len(columns) == 1:
        return [str(value) for value in columns[0]]
    return ["@".join(str(value) for value in values) for values in zip(*columns, strict=True)]
