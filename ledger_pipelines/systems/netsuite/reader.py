"""Reading entities for snapshots: what changed in a window, or the whole list.

Belongs here: windows on the account's own clock, which rows are inside. Does not belong here: storing; paging
(`stretches`); values (`cells`).
Facts: netsuite.md 7.1: times in SuiteQL are in the account's (the role's) time zone, without it; 7.2: a page needs a
total order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_pipelines.systems.entities import Cell
from ledger_pipelines.systems.netsuite import suiteql
from ledger_pipelines.systems.netsuite.cells import Cells, instants
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import Entity, Kind
from ledger_pipelines.systems.netsuite.stretches import Stretch, Stretches

__all__ = ["Cell", "Reader", "Rows", "instants", "local_window"]

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


class Reader:
    """Reads of one account.

    Args:
        client: Its calls.
        page: Rows a page; 0 = as many as NetSuite gives.
    """

    def __init__(self, client: NetSuiteClient, *, page: int = 0) -> None:
        self._zone = client.connection.time_zone
        self._workers = client.connection.concurrency
        self._ql = suiteql.SuiteQL(client)
        self._page = page

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        """Rows last changed in [start, end), by time of change and key; the whole list for whole-list entities.

        A row of the hour that runs twice is given to both windows it may belong to: never lost, sometimes twice.
        Records that change meanwhile move to a later place; none that stays is missed. Calls: one each 1000 rows, and
        about one more each 12,000 of a long window, which is read side by side (`stretches`).

        Raises:
            ValueError: a time without zone. TransientError, CredentialError, NetSuiteRefusedError. DataError: a
            value that does not fit its column.
        """
        pages = Stretches(self._ql, entity, self._page or suiteql.PAGE, self._workers)
        if entity.whole:
            cells = Cells(entity, self._zone, local=False)
            for items in pages.pages(Stretch()):
                yield Rows(entity, tuple(cells.rows(items)))
            return
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("A window of changes needs times with a zone.")
        yield from self._changes(entity, pages, start, end)

    def _changes(self, entity: Entity, pages: Stretches, start: datetime, end: datetime) -> Iterator[Rows]:
        low, high = local_window(start.astimezone(UTC), end.astimezone(UTC), self._zone)
        place = next(i for i, c in enumerate(entity.columns) if c.sql == entity.modified)
        moments = [i for i, c in enumerate(entity.columns) if c.kind is Kind.INSTANT]
        cells = Cells(entity, self._zone, local=True)
        for items in pages.pages(Stretch(low, high)):
            kept = []
            for row in cells.rows(items):
                local = row[place]
                if not isinstance(local, datetime):
                    continue
                if any(start <= moment < end for moment in instants(local, self._zone)):
                    kept.append(self._in_utc(row, moments, start, end))
            if kept:
                yield Rows(entity, tuple(kept))

    def _in_utc(
        self, row: tuple[Cell, ...], moments: list[int], start: datetime, end: datetime
    ) -> tuple[Cell, ...]:
        cells = list(row)
        for i in moments:
            cell = cells[i]
            if isinstance(cell, datetime):
                early, late = instants(cell, self._zone)
                cells[i] = early if start <= early < end or not start <= late < end else late
        return tuple(cells)
