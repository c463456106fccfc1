"""Records as they are stored, each decoded when it is looked at.

Belongs here: finding them by key, by name and by column, and passing over those that cannot be read. Does not belong here: reading
files (`latest`), what becomes of a subject that rests on one which cannot be read (`unreadable`).

It loads nothing of Arrow: what is always loaded uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Generic, Self, TypeVar, overload

from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.systems.entities import Cell

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
Record = Mapping[str, Json]


class _Named(Mapping[str, T], Generic[T]):
    """Records under names that are known without decoding any."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


class Decoded(_Named[T], Generic[T]):
    """Records by key, each decoded the first time it is looked at. Raises UnreadableError where one cannot be.

    Args:
        what: One record's entity, for the error.
    """

    def __init__(self, texts: Mapping[str, str], decoder: Callable[[Record], T], what: str = "") -> None:
        super().__init__(texts)
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


class Groups(_Named[tuple[T, ...]], Generic[T]):
    """Records under names that several may share, each decoded when its name is looked up.

    Args:
        records: By key.
        keys: By name, in the order they are given.
    """

    def __init__(self, records: Mapping[str, T], keys: Mapping[str, Sequence[str]]) -> None:
        super().__init__(keys)
        self._records = records
        self._keys = keys

    def __getitem__(self, name: str) -> tuple[T, ...]:
        return tuple(self._records[key] for key in self._keys[name])

    def shared(self) -> list[str]:
        """Names that more than one record has; none is decoded for it."""
        return [name for name, keys in self._keys.items() if len(keys) > 1]


class Renamed(_Named[T], Generic[T]):
    """Records under names of their own instead of their keys, each decoded when it is looked at.

    Args:
        records: By key.
        keys: By name.
    """

    def __init__(self, records: Mapping[str, T], keys: Mapping[str, str]) -> None:
        super().__init__(keys)
        self._records = records
        self._keys = keys

    def __getitem__(self, name: str) -> T:
        return self._records[self._keys[name]]


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


def chosen(records: Mapping[str, T], keys: Iterable[str]) -> Renamed[T]:
    """Those of these keys that there are, in that order, each decoded when it is looked at."""
    return Renamed(records, {key: key for key in keys if key in records})


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
    return next(readable(chosen(records, [key])), None)


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


def _legible(records: Mapping[str, T] | Sequence[T]) -> dict[str, T] | tuple[T, ...]:
    if not isinstance(records, Mapping):
        return tuple(readable(records))
    bad = unreadable(records)
    return {key: records[key] for key in records if key not in bad}


@dataclass(frozen=True)
class AsRead:
    """What a side held when it was last read, as lists of records of which some may not be readable."""

    LISTS: ClassVar[tuple[str, ...]]
    """Fields of the records that are decoded when they are looked at: mappings by key, or sequences."""
    TOLD: ClassVar[tuple[str, ...]] = ()
    """Fields for what is known of such records without reading them; None = not known."""

    def unreadable(self) -> list[UnreadableError]:
        """Records of the lists that cannot be read. All are read for it."""
        return [error for name in self.LISTS for error in unreadable(getattr(self, name)).values()]

    @cached_property
    def legible(self) -> Self:
        """The same without records that cannot be read: for what compares all there is. Nothing may be made for want of them.
        What was known of records without reading them goes with those that cannot be read."""
        if not self.unreadable():
            return self
        lists = {name: _legible(getattr(self, name)) for name in self.LISTS}
        return replace(self, **lists, **dict.fromkeys(self.TOLD))


def by_number(key: str) -> tuple[int, str]:
    """The order of ids: by number, where they are numbers."""
    return (int(key) if key.isdigit() else 0, key)
