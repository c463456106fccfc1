"""Pages of one question in order of a position, each asked for behind the last row of the page before.

Belongs here: positions, the conditions they make, several stretches of time under way at once. Does not belong here:
what is selected (`reader`), values (`cells`).

Paging by position instead of by offset: a record that changes while we read moves out of the window, and everything
behind it moves up by one; by offset the row at the border of two pages would be missed. It also has no end at 100,000
rows (netsuite.md 7.2).

A question of many pages over a window of time is cut into stretches of it, which are read side by side as far as the
account's slots allow. Where they are cut follows from the window and the counts NetSuite gives alone; rows come in the
same order as one by one. Cost: about half a page more a stretch.
"""

# ruff: noqa: S608 - identifiers come from the table of entities; every value is bound

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.systems.http import LATER
from ledger_pipelines.systems.netsuite.entities import Entity
from ledger_pipelines.systems.netsuite.suiteql import Item, KeyPart, SuiteQL, after

STYLE = "%Y-%m-%d %H:%M:%S"
_DATE = "TO_DATE(?,'YYYY-MM-DD HH24:MI:SS')"
STRETCH = 12
"""Pages a stretch is meant to have; one of more than twice as many is cut again."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands: its time of change (none in a list without one) and its keys, as text."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows changed in [low, high), account's own clock, behind `after`. Of a whole list: no times."""

    low: datetime | None = None
    high: datetime | None = None
    after: Position | None = None

    def cut(self, pieces: int) -> list[Stretch]:
        """In pieces of equal time, in order; fewer where there are not so many seconds left."""
        assert self.low is not None and self.high is not None  # noqa: S101, PT018 - whole lists are not cut
        start = self.low if self.after is None else datetime.strptime(self.after.values[0], STYLE)  # noqa: DTZ007
        seconds = int((self.high - start).total_seconds())
        pieces = max(1, min(pieces, seconds))
        cuts = [seconds * n // pieces for n in range(pieces)]  # not money: seconds
        borders = [start + timedelta(seconds=cut) for cut in cuts] + [self.high]
        cut = [Stretch(low, high) for low, high in pairwise(borders)]
        return [replace(cut[0], low=self.low, after=self.after), *cut[1:]]


@dataclass(frozen=True, slots=True)
class _Read:
    """Pages of a stretch, and what is left of it, not read."""

    pages: list[list[Item]]
    rest: Stretch | None = None


class Stretches:
    """Reads one entity's rows.

    Args:
        ql: Asks.
        entity: Whose rows.
        rows: Rows a page.
        workers: Stretches under way at once; 1 = all in this thread.
    """

    def __init__(self, ql: SuiteQL, entity: Entity, rows: int, workers: int) -> None:
        self._ql = ql
        self._entity = entity
        self._rows = rows
        self._workers = workers
        self._columns = ", ".join(column.selected for column in entity.columns)
        names = {column.sql: column.name for column in entity.columns}
        keys = [KeyPart(sql, names[sql]) for sql in entity.order.split(", ")]
        time = [KeyPart(entity.modified, names[entity.modified], _DATE)] if entity.modified else []
        self._key = (*time, *keys)
        self._behind = after(self._key)
        self._stop = threading.Event()

    def pages(self, wanted: Stretch) -> Iterator[list[Item]]:
        """Every page of a stretch, in order of change and keys.

        Raises:
            TransientError, CredentialError, NetSuiteRefusedError: as `SuiteQL.page`.
        """
        page, total, rest = self._one(wanted)
        yield page
        if rest is None:
            return
        if self._workers == 1 or rest.high is None or total - len(page) <= STRETCH * self._rows:
            yield from self._in_turn(rest)
            return
        with self._pool() as pool:
            yield from self._side_by_side(pool, rest, total - len(page))

    def _in_turn(self, wanted: Stretch) -> Iterator[list[Item]]:
        rest: Stretch | None = wanted
        while rest is not None and not self._stop.is_set():
            page, _, rest = self._one(rest)
            yield page

    def _side_by_side(self, pool: ThreadPoolExecutor, wanted: Stretch, total: int) -> Iterator[list[Item]]:
        pieces = wanted.cut(max(2, -(-total // (STRETCH * self._rows))))  # not money: rows
        if len(pieces) == 1:
            yield from self._in_turn(wanted)
            return
        for read in _in_order(pool, [partial(self._whole, piece) for piece in pieces], self._workers + 1):
            yield from read.pages
            if read.rest is not None:
                page, left, rest = self._one(read.rest)
                yield page
                if rest is not None:
                    yield from self._side_by_side(pool, rest, left - len(page))

    def _whole(self, piece: Stretch) -> _Read:
        """A stretch, unless it is far too long: then its first page."""
        page, total, rest = self._one(piece)
        if rest is None or total > 2 * STRETCH * self._rows:
            return _Read([page], rest)
        return _Read([page, *self._in_turn(rest)])

    def _one(self, wanted: Stretch) -> tuple[list[Item], int, Stretch | None]:
        """A page, the number of rows from its first one on, and what is left behind it."""
        page = self._ql.page(*self.question(wanted), limit=self._rows)
        if not page.has_more:
            if page.total not in {None, len(page.items)}:
                raise TransientError(
                    f"NetSuite counts {page.total} rows and sent {len(page.items)}.",
                    remedy=LATER,
                    code="pages-drift",
                )
            return page.items, len(page.items), None
        last = self._position(page.items[-1]) if page.items else wanted.after
        if last is None or last == wanted.after:
            raise TransientError(
                "NetSuite repeated a page of a SuiteQL question.", remedy=LATER, code="paging-loop"
            )
        return page.items, page.total or 0, replace(wanted, after=last)

    def _position(self, item: Item) -> Position:
        lower = {name.lower(): value for name, value in item.items()}
        missing = [part.column for part in self._key if not lower.get(part.column)]
        if missing:
            raise DataError(
                f"A row of NetSuite's answer has no {missing[0]}, by which it is read.",
                remedy="Tell the makers, with the day that was read.",
                code="unexpected-row",
            )
        return Position(tuple(str(lower[part.column]) for part in self._key))

    def question(self, wanted: Stretch) -> tuple[str, list[str]]:
        """The SQL and its values."""
        entity, conditions, values = self._entity, [], []
        if entity.where:
            conditions.append(entity.where)
        if wanted.low is not None and wanted.high is not None:
            low = wanted.low.strftime(STYLE) if wanted.after is None else wanted.after.values[0]
            conditions.append(f"{entity.modified} >= {_DATE} AND {entity.modified} < {_DATE}")
            values += [low, wanted.high.strftime(STYLE)]
        if wanted.after is not None:
            *first, last = wanted.after.values
            conditions.append(self._behind)
            values += [value for value in first for _ in range(2)] + [last]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(part.sql for part in self._key)
        return f"SELECT {self._columns} FROM {entity.source}{where} ORDER BY {order}", values

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that end soon after whoever reads is gone."""
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix=f"netsuite-{self._entity.name}")
        try:
            yield pool
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _in_order(pool: ThreadPoolExecutor, calls: Sequence[Callable[[], _Read]], ahead: int) -> Iterator[_Read]:
    """Results in the order of the calls, at most `ahead` of them under way or waiting to be taken."""
    waiting: deque[Future[_Read]] = deque()
    for call in calls:
        waiting.append(pool.submit(call))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
