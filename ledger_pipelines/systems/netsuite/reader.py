"""Reading entities for snapshots: what changed in a window, or the whole list.

Belongs here: windows on the account's own clock, paging by key, typed cells. Does not belong here: storing.
Facts: netsuite.md 7.1: times in SuiteQL are in the account's (the role's) time zone, without it; 7.2: a page needs a
total order, and a question gives 100,000 rows at most. Pages are asked for by the key of the last row, never by offset:
a record that is changed, made or deleted during a sweep moves no other row over the edge of a page. One that is changed
moves to the end of the order: it is given as it was or as it is, perhaps both, and the later one counts.
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
from ledger_pipelines.systems.netsuite.suiteql import MOST_ROWS, KeyPart, Row, SuiteQL

Cell = str | Decimal | date | datetime | bool | None
_STYLE = "%Y-%m-%d %H:%M:%S"
_BOUND_TIME = "TO_DATE(?,'YYYY-MM-DD HH24:MI:SS')"
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


def _key(entity: Entity) -> tuple[KeyPart, ...]:
    """The entity's own order, each expression with the column that holds it."""
    names = {column.sql: column.name for column in entity.columns}
    return tuple(KeyPart(sql, names[sql]) for sql in entity.order.split(", "))


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
            given = False
            for page in self._pages(entity, "", [], _key(entity), local=False):
                given = True
                yield page
            if not given:
                yield Rows(entity, ())
            return
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("A window of changes needs times with a zone.")
        low, high = local_window(start.astimezone(UTC), end.astimezone(UTC), self._zone)
        window = f"{entity.modified} >= {_BOUND_TIME} AND {entity.modified} < {_BOUND_TIME}"
        place = next(i for i, c in enumerate(entity.columns) if c.sql == entity.modified)
        time = KeyPart(entity.modified, entity.columns[place].name, _BOUND_TIME)
        if self._too_many(entity, window, low, high) and end - start > timedelta(seconds=2):
            middle = start + (end - start) / 2  # not money: an instant
            yield from self.read_changes(entity, start, middle)
            yield from self.read_changes(entity, middle, end)
            return
        bounds = [low.strftime(_STYLE), high.strftime(_STYLE)]
        for page in self._pages(entity, window, bounds, (time, *_key(entity)), local=True):
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

    def _pages(
        self, entity: Entity, window: str, params: list[str], key: tuple[KeyPart, ...], *, local: bool
    ) -> Iterator[Rows]:
        columns = ", ".join(c.selected for c in entity.columns)
        order = ", ".join(part.sql for part in key)

        def question(after: str) -> str:
            conditions = " AND ".join(c for c in (entity.where, window, after) if c)
            where = f" WHERE {conditions}" if conditions else ""
            return f"SELECT {columns} FROM {entity.source}{where} ORDER BY {order}"

        for rows in self._ql.keyset(question, params, key):
            yield Rows(
                entity,
                tuple(tuple(self._cell(row, c, entity, local) for c in entity.columns) for row in rows),
            )

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
