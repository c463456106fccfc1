"""Reading entities for snapshots: what changed in a window, or the whole list.

Belongs here: windows on the account's own clock, paging by key, typed cells. Does not belong here: storing.
Facts: netsuite.md 7.1: times in SuiteQL are in the account's (the role's) time zone, without it; 7.2: a page needs a
total order, and a question gives 100,000 rows at most.
"""

# ruff: noqa: S608 - identifiers come from the table of entities; every value is bound

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import Column, Entity, Kind
from ledger_pipelines.systems.netsuite.suiteql import MOST_ROWS, Row, SuiteQL

Cell = str | Decimal | date | datetime | bool | None
_STYLE = "%Y-%m-%d %H:%M:%S"
_NEAR = timedelta(hours=3)
"""More than any shift of clocks."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Up to 1000 rows: cells in the order of the entity's columns; instants in UTC."""

    entity: Entity
    cells: tuple[tuple[Cell, ...], ...]


def local_window(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Local times, without zone, that cover every instant of [start, end), whatever the clocks do in between.

    Where clocks go back near an end, local time runs twice there: that end is widened, and the reader filters.
    """

    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone).replace(tzinfo=None)

    def shifted(moment: datetime, by: timedelta) -> bool:
        return moment.astimezone(zone).utcoffset() != (moment + by).astimezone(zone).utcoffset()

    low = local(start) - (_NEAR if shifted(start, _NEAR) else timedelta())
    return low, local(end) + (_NEAR if shifted(end, -_NEAR) else timedelta())


def instants(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The two instants a local time may mean; the same twice except in the hour that runs twice."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return first, local.replace(tzinfo=zone, fold=1).astimezone(UTC)


class Reader:
    """Reads of one account."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._zone = client.connection.time_zone
        self._ql = SuiteQL(client)

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        """Rows last changed in [start, end), by time of change and key; the whole list for whole-list entities.

        A row of the hour that runs twice is given to both windows it may belong to: never lost, sometimes twice.
        Calls: one each 1000 rows; beyond 100,000 rows the window is read in halves.

        Raises:
            ValueError: a time without zone. TransientError, CredentialError, NetSuiteRefusedError. DataError: a
            value that does not fit its column.
        """
        if entity.whole:
            yield from self._pages(entity, self._sql(entity, "", entity.order), [])
            return
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("A window of changes needs times with a zone.")
        low, high = local_window(start.astimezone(UTC), end.astimezone(UTC), self._zone)
        window = (
            f"{entity.modified} >= TO_DATE(?,'YYYY-MM-DD HH24:MI:SS')"
            f" AND {entity.modified} < TO_DATE(?,'YYYY-MM-DD HH24:MI:SS')"
        )
        place = next(i for i, c in enumerate(entity.columns) if c.sql == entity.modified)
        sql = self._sql(entity, window, f"{entity.modified}, {entity.order}")
        if self._too_many(entity, window, low, high) and end - start > timedelta(seconds=2):
            middle = start + (end - start) / 2  # not money: an instant
            yield from self.read_changes(entity, start, middle)
            yield from self.read_changes(entity, middle, end)
            return
        for page in self._pages(entity, sql, [low.strftime(_STYLE), high.strftime(_STYLE)], local=True):
            kept = []
            for cells in page.cells:
                local = cells[place]
                if not isinstance(local, datetime):
                    continue
                if any(start <= moment < end for moment in instants(local, self._zone)):
                    kept.append(self._in_utc(cells, start, end))
            if kept:
                yield Rows(entity, tuple(kept))

    def _too_many(self, entity: Entity, window: str, low: datetime, high: datetime) -> bool:
        """Whether a long window needs halving; short windows are not asked about (that would be a call each)."""
        if high - low < timedelta(days=32):
            return False
        where = f"{entity.where} AND {window}" if entity.where else window
        sql = f"SELECT COUNT(*) AS n FROM {entity.source} WHERE {where}"
        for row in self._ql.rows(sql, [low.strftime(_STYLE), high.strftime(_STYLE)]):
            return int(row.get("n") or 0) >= MOST_ROWS
        return False

    @staticmethod
    def _sql(entity: Entity, window: str, order: str) -> str:
        columns = ", ".join(c.selected for c in entity.columns)
        conditions = " AND ".join(c for c in (entity.where, window) if c)
        where = f" WHERE {conditions}" if conditions else ""
        return f"SELECT {columns} FROM {entity.source}{where} ORDER BY {order}"

    def _pages(self, entity: Entity, sql: str, params: list[str], *, local: bool = False) -> Iterator[Rows]:
        cells: list[tuple[Cell, ...]] = []
        for row in self._ql.rows(sql, params):
            cells.append(tuple(self._cell(row, c, entity, local) for c in entity.columns))
            if len(cells) == 1000:
                yield Rows(entity, tuple(cells))
                cells = []
        if cells or not params:
            yield Rows(entity, tuple(cells))

    def _cell(self, row: Row, column: Column, entity: Entity, local: bool) -> Cell:
        text = row.get(column.name)
        if text is None or text == "":
            return None
        try:
            match column.kind:
                case Kind.TEXT:
                    return text
                case Kind.NUMBER:
                    return Decimal(text)
                case Kind.FLAG:
                    return text == "T"
                case Kind.DAY:
                    return date.fromisoformat(text)
                case Kind.INSTANT:
                    moment = datetime.strptime(text, _STYLE)  # noqa: DTZ007 - the zone is added below
                    return moment if local else instants(moment, self._zone)[0]
        except (ValueError, InvalidOperation):
            raise DataError(
                f"NetSuite {entity.name} {row.get('id') or '?'}: {column.name} is {text!r}, not a {column.kind}.",
                code="unexpected-value",
            ) from None

    def _in_utc(self, cells: tuple[Cell, ...], start: datetime, end: datetime) -> tuple[Cell, ...]:
        def utc(cell: Cell) -> Cell:
            if not isinstance(cell, datetime):
                return cell
            early, late = instants(cell, self._zone)
            return early if start <= early < end or not start <= late < end else late

        return tuple(utc(c) for c in cells)
