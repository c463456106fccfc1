"""What a snapshot of one kind of record looks like, whatever the vendor: columns, key, how change is told.

Belongs here: the words that readers, the sweep and the snapshot store share. Does not belong here: any vendor's entities
(`systems/<vendor>/entities.py`), reading them (`reader`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from ledger_pipelines.errors import DataError

Cell = str | Decimal | date | datetime | bool | None
"""A value of a snapshot; instants are UTC, numbers exact."""


class Kind(StrEnum):
    """Type of a column's values: text str, number Decimal, day date, instant datetime in UTC, flag bool."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    INSTANT = "instant"
    FLAG = "flag"


class ColumnLike(Protocol):
    """One column."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def kind(self) -> Kind:
        """Type of its values."""
        ...


class EntityLike(Protocol):
    """One kind of record."""

    @property
    def name(self) -> str:
        """Of the snapshot."""
        ...

    @property
    def columns(self) -> Sequence[ColumnLike]:
        """In order."""
        ...

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row."""
        ...

    @property
    def changed_column(self) -> str:
        """Column with the instant of the last change; "" = the whole list is read each time."""
        ...

    @property
    def basis(self) -> str:
        """What decides the day of a row, for the manifest."""
        ...

    @property
    def opening(self) -> bool:
        """Master data: its first day holds everything older too."""
        ...


@dataclass(frozen=True, slots=True)
class PlainColumn:
    """A column that is only a name and a type."""

    name: str
    kind: Kind = Kind.TEXT


RECORD = "record"
"""Column with the record as the vendor gave it: canonical JSON, every field that was asked for, numbers exact."""
_INSTANT: Final = timedelta(microseconds=1)
DIGITS: Final = 38
DECIMALS: Final = 12
"""A column of numbers: digits in all, and behind the point."""


def is_too_large(number: Decimal) -> bool:
    """Whether a number has more digits before the point than a column takes: no amount of anybody's has."""
    return bool(number) and number.adjusted() >= DIGITS - DECIMALS


def beside(kind: Kind, read: Callable[[], Cell]) -> Cell:
    """The value of a column that stands beside its record; None where it does not fit: one such value is its record's trouble, not
    its list's. The record keeps it, and is refused by name by whoever reads it. A list, an object or a flag where a text
    belongs is an answer of another shape: records are found by their texts, and one that nobody finds is made again.

    Raises:
        DataError: of a text.
    """
    try:
        found = read()
    except DataError:
        if kind is Kind.TEXT:
            raise
        return None
    return None if isinstance(found, Decimal) and _is_too_long(found) else found


def _is_too_long(number: Decimal) -> bool:
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or is_too_large(number):
        return True
    return exponent < -DECIMALS and any(digits[DECIMALS + exponent :])


def at_the_latest(start: datetime, end: datetime, now: datetime) -> datetime:
    """When a record counts as changed that was given for the window [start, end) and does not say when, or not so that it can be read:
    at the last instant it can have been, so that no older state of it counts as the newer one, and any later change does. One such
    record must not end the reading of its list. What was read until when is not told by it.

    now: of the reading.
    """
    return max(start, min(end, now) - _INSTANT)


@dataclass(frozen=True, slots=True)
class RecordEntity:
    """A kind of record whose rows keep the record itself beside a few columns for people and queries.

    Args:
        name: Of the snapshot.
        columns: In order; the last is `RECORD`.
        key: Columns that identify a row.
        changed_column: Column with the instant of the last change; "" = whole list.
        opening: Master data.
    """

    name: str
    columns: tuple[PlainColumn, ...]
    key: tuple[str, ...]
    changed_column: str = ""
    opening: bool = False

    @property
    def basis(self) -> str:
        """The column that decides the day."""
        return self.changed_column or "whole list"

    @property
    def whole(self) -> bool:
        """Whether every snapshot holds the whole list."""
        return not self.changed_column


def columns(text: str) -> tuple[PlainColumn, ...]:
    """`"id changed:instant"` as columns, with the record at the end."""
    found = []
    for word in text.split():
        name, _, kind = word.partition(":")
        found.append(PlainColumn(name, Kind(kind or "text")))
    return (*found, PlainColumn(RECORD))


def mapped(table: str) -> tuple[tuple[PlainColumn, ...], tuple[str, ...]]:
    """`"id=TransactionId changed=LastModified:instant"` as columns and the record's field behind each ("" for the record)."""
    found, fields = [], []
    for word in table.split():
        column, _, source = word.partition("=")
        field, _, kind = source.partition(":")
        found.append(PlainColumn(column, Kind(kind or "text")))
        fields.append(field)
    return (*found, PlainColumn(RECORD)), (*fields, "")


class RowsLike(Protocol):
    """Some rows of an entity: cells in the order of its columns."""

    @property
    def cells(self) -> Sequence[tuple[Cell, ...]]:
        """The rows."""
        ...


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows, and nothing else."""

    cells: tuple[tuple[Cell, ...], ...]


class ChangesReader(Protocol):
    """Reads of one account, for any of its entities."""

    def read_changes(self, entity: EntityLike, start: datetime, end: datetime) -> Iterator[RowsLike]:
        """Rows last changed in [start, end), by time of change; the whole list where there is none."""
        ...
