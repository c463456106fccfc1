"""Text of SuiteQL as typed cells, and the account's own clock.

Belongs here: one value at a time, quickly: a pull of 100,000 records has two million of them. Does not belong here:
asking (`suiteql`, `stretches`), which columns there are (`entities`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.entities import Cell
from ledger_pipelines.systems.netsuite.entities import Column, Entity, Kind
from ledger_pipelines.systems.netsuite.suiteql import Item, cell_text

STYLE = "%Y-%m-%d %H:%M:%S"
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)


def instants(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The two instants a local time may mean; the same twice except in the hour that runs twice."""
    shift = _steady(local.date(), zone)
    if shift is not None:
        moment = (local - shift).replace(tzinfo=UTC)
        return moment, moment
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return first, local.replace(tzinfo=zone, fold=1).astimezone(UTC)


@functools.lru_cache(maxsize=16_384)
def _steady(day: date, zone: ZoneInfo) -> timedelta | None:
    """The zone's offset throughout a day; None on days when the clocks change."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local, as SuiteQL gives it
    found = {
        (midnight + since).replace(tzinfo=zone, fold=fold).utcoffset()
        for since in (*(hour * _HOUR for hour in range(24)), 24 * _HOUR - _SECOND)
        for fold in (0, 1)
    }
    return found.pop() if len(found) == 1 else None


class Cells:
    """Rows of one entity out of items as they came.

    Args:
        entity: Its columns are the cells, in their order.
        zone: Of the account.
        local: Leave instants in local time, without zone.
    """

    def __init__(self, entity: Entity, zone: ZoneInfo, *, local: bool) -> None:
        self._entity = entity
        self._names = frozenset(column.name for column in entity.columns) | {"links"}
        self._needed = {*entity.key, entity.changed_column}
        self._columns = [(column, _converter(column.kind, zone, local=local)) for column in entity.columns]

    def rows(self, items: Sequence[Item]) -> list[tuple[Cell, ...]]:
        """Cells of each item. Raises DataError: a value does not fit its column, or a row has no key, or no time of change."""
        found: list[list[Cell]] = []
        known = [item if item.keys() <= self._names else _lowered(item) for item in items]
        for column, convert in self._columns:
            name = column.name
            try:
                found.append([
                    None if (text := item.get(name)) is None or text == "" else convert(text if isinstance(text, str) else str(cell_text(text)))
                    for item in known
                ])  # fmt: skip
            except (ValueError, InvalidOperation):
                raise self._misfit(column, convert, known) from None
            if name in self._needed and None in found[-1]:
                raise self._without(column, known[found[-1].index(None)])
        return list(zip(*found, strict=True))

    def _without(self, column: Column, item: Item) -> DataError:
        """A row that could be kept only under no name, or of no day."""
        return DataError(
            f"NetSuite {self._entity.name} {cell_text(item.get('id')) or '?'}: the row came without {column.name}.",
            remedy="Look at the record in NetSuite; if it is as it should be there, tell the makers.",
            code="unexpected-row",
        )

    def _misfit(self, column: Column, convert: Callable[[str], Cell], items: Sequence[Item]) -> DataError:
        """Says which one."""
        for item in items:
            text = cell_text(item.get(column.name))
            try:
                if text:
                    convert(text)
            except (ValueError, InvalidOperation):
                return DataError(
                    f"NetSuite {self._entity.name} {item.get('id') or '?'}: {column.name} is {text!r},"
                    f" not {_A[column.kind]}.",
                    remedy="Look at the record in NetSuite; if it is as it should be there, tell the makers.",
                    code="unexpected-value",
                )
        raise AssertionError(column.name)


def _lowered(item: Item) -> Item:
    return {name.lower(): value for name, value in item.items()}


def _converter(kind: Kind, zone: ZoneInfo, *, local: bool) -> Callable[[str], Cell]:
    match kind:
        case Kind.TEXT:
            return str
        case Kind.NUMBER:
            return _number
        case Kind.FLAG:
            return _is_true
        case Kind.DAY:
            return date.fromisoformat
        case Kind.INSTANT:
            return _local if local else lambda text: instants(_local(text), zone)[0]


_A = {
    Kind.TEXT: "a text",
    Kind.NUMBER: "a number",
    Kind.FLAG: "a flag",
    Kind.DAY: "a day",
    Kind.INSTANT: "an instant",
}


def _number(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite() or "_" in text or not text.isascii():  # Decimal takes these, too
        raise ValueError(text)
    return found


def _is_true(text: str) -> bool:
    return text == "T"


def _local(text: str) -> datetime:
    if len(text) != 19 or text[10] != " ":  # fromisoformat takes other spellings too
        raise ValueError(text)
    return datetime.fromisoformat(text)
