"""Reading an account's entities for snapshots: what changed in a window, or the whole list.

Belongs here: windows, the walk along a list, which rows are inside. Does not belong here: storing; which list an entity is
(`entities`); what a record means (`records`). Facts: cin7-omni.md 4 (paging is not a snapshot), 5 (dates).

A list is never read by page numbers: a record that changes moves to its end, every later row moves up by one, and the row
between two pages is lost. Each call asks for what lies at or after the last row seen instead, by time of change; within
one second that holds more rows than a page, and for whole lists, by id. Rows seen twice that way are given once. A call brings
a page less the rows of one second: about one call each 249 rows, at least one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.systems.cin7.client import PAGE, Asked, Cin7Client, utc_text
from ledger_pipelines.systems.cin7.entities import CHANGED, ENTITIES, MODIFIED, SIZED, Cin7Entity
from ledger_pipelines.systems.cin7.records import Fields, Record
from ledger_pipelines.systems.entities import Cell, EntityLike, PlainRows
from ledger_pipelines.systems.http import LATER

SECOND: Final = timedelta(seconds=1)
_LABELS = ("reference", "code", "productOptionCode", "styleCode", "email", "company", "transactionRef")

Row = tuple[Cell, ...]


class Cin7Reader:
    """Reads of one account. Implements `systems.entities.ChangesReader`.

    Args:
        client: Its calls.
        page: Rows a page; 0 = as many as Cin7 gives.
    """

    def __init__(self, client: Cin7Client, *, page: int = 0) -> None:
        self._client = client
        self._size = page or PAGE

    def read_changes(self, entity: EntityLike, start: datetime, end: datetime) -> Iterator[PlainRows]:
        """Rows last changed in [start, end), each once, by time of change; the whole list where there is none.

        A record that is changed while it is read comes again, in its new state and place.

        Raises:
            ValueError: a time without zone. TransientError (also a spent quota), CredentialError, Cin7RefusedError.
            DataError: a record without its key or time of change, or of another shape.
        """
        own = entity if isinstance(entity, Cin7Entity) else ENTITIES[entity.name]
        if own.whole:
            yield from self._whole(own)
            return
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("A window of changes needs times with a zone.")
        yield from self._changed(own, start.astimezone(UTC), end.astimezone(UTC))

    # --- changes -----------------------------------------------------------------------------------------------------

    def _changed(self, entity: Cin7Entity, start: datetime, end: datetime) -> Iterator[PlainRows]:
        """Cin7 tells whole seconds: one more is asked for at each end of the window, and the rest is dropped here."""
        place = _place(entity, CHANGED)
        low, high = start.replace(microsecond=0), end.replace(microsecond=0) + SECOND
        seen: dict[Row, datetime] = {}
        while low < end:
            where = f"{MODIFIED}>='{utc_text(low)}' AND {MODIFIED}<'{utc_text(high)}'"
            rows = self._page(entity, where, f"{MODIFIED} ASC")
            changes = [_instant(row[place]) for row in rows]
            fresh = [
                (changed, row)
                for changed, row in zip(changes, rows, strict=True)
                if start <= changed < end and seen.get(_key(entity, row)) != changed
            ]
            if fresh:
                yield PlainRows(tuple(row for _, row in sorted(fresh, key=lambda one: one[0])))
            if len(rows) < self._size:
                return
            last = max(changes).replace(microsecond=0)
            seen = {
                _key(entity, row): changed
                for changed, row in zip(changes, rows, strict=True)
                if changed >= last
            } | {key: changed for key, changed in seen.items() if changed >= last}
            if last <= max(low, min(changes)):  # one second fills the page
                for found in self._second(entity, last, seen):
                    inside = tuple(row for row in found if start <= _instant(row[place]) < end)
                    if inside:
                        yield PlainRows(inside)
                last += SECOND
            low = last

    def _second(self, entity: Cin7Entity, at: datetime, seen: dict[Row, datetime]) -> Iterator[list[Row]]:
        """All that changed within one second, and was not seen: by id, for time does not order it."""
        place = _place(entity, CHANGED)
        where = f"{MODIFIED}>='{utc_text(at)}' AND {MODIFIED}<'{utc_text(at + SECOND)}'"
        for rows in self._walk(entity, where):
            fresh = [row for row in rows if seen.get(_key(entity, row)) != row[place]]
            seen |= {_key(entity, row): _instant(row[place]) for row in fresh}
            yield sorted(fresh, key=lambda row: _instant(row[place]))

    # --- whole lists -------------------------------------------------------------------------------------------------

    def _whole(self, entity: Cin7Entity) -> Iterator[PlainRows]:
        given: set[Row] = set()
        for where in self._parts(entity):
            for rows in self._walk(entity, where):
                fresh = {_key(entity, row): row for row in rows if _key(entity, row) not in given}
                given |= fresh.keys()
                yield PlainRows(tuple(fresh.values()))

    def _parts(self, entity: Cin7Entity) -> list[str]:
        """Conditions that together make the list."""
        if not entity.by_branch:
            return [""]
        branches = list(self._client.connection.stock_branches)
        if not branches:
            every = ENTITIES["branches"]
            at = _place(every, every.walk)
            branches = [int(str(row[at])) for rows in self._walk(every, "") for row in rows]
        return [f"branchId={branch}" for branch in dict.fromkeys(branches)]

    def _walk(self, entity: Cin7Entity, where: str) -> Iterator[list[Row]]:
        """Rows by the entity's number: each call from the last one seen on, by pages only where that gets no further."""
        field, low, number = entity.walk, 0, 1
        before: tuple[Record, ...] = ()
        while True:
            low_end = f"{field}>={low}" if low else ""
            condition = " AND ".join(part for part in (where, low_end) if part)
            found = self._records(entity, condition, f"{field} ASC", number)
            if number > 1 and found and found == before:
                raise TransientError(
                    f"Cin7 connection {self._client.connection.name!r}, GET {entity.path}: a page came twice; the list cannot"
                    " be read to its end.",
                    remedy=LATER,
                    code="paging-loop",
                )
            before = found
            yield [cells(entity, record) for record in found]
            if len(found) < self._size:
                return
            last = max(_number(entity, record, field) for record in found)
            low, number = (last, 1) if last > low else (low, number + 1)

    # --- calls -------------------------------------------------------------------------------------------------------

    def _page(self, entity: Cin7Entity, where: str, order: str) -> list[Row]:
        return [cells(entity, record) for record in self._records(entity, where, order, 1)]

    def _records(self, entity: Cin7Entity, where: str, order: str, number: int) -> tuple[Record, ...]:
        return self._client.page(entity.path, Asked(where, order, number, self._size))


def cells(entity: Cin7Entity, record: Record) -> Row:
    """A record as a row of its entity. Raises DataError, naming the record."""
    of = Fields(record, entity.what, *_LABELS)
    row: list[Cell] = []
    for column, field in zip(entity.columns, entity.fields, strict=True):
        if not field:
            row.append(canonical(dict(record)))
        elif field.startswith(SIZED):
            size = of.text("size").strip()
            row.append(of.key(field.removeprefix(SIZED)) + (f"/{size}" if size else ""))
        else:
            needed = column.name == entity.changed_column
            row.append(of.column(column.kind, field, key=column.name in entity.key, needed=needed))
    if not entity.whole and row[_place(entity, CHANGED)] is None:
        raise DataError(
            f"{of.title} does not say when it was last changed.",
            remedy="Save it once more in Cin7; if it happens again, tell the makers.",
            code="no-modified",
        )
    return tuple(row)


def _place(entity: Cin7Entity, name: str) -> int:
    return [column.name for column in entity.columns].index(name)


def _key(entity: Cin7Entity, row: Row) -> Row:
    names = [column.name for column in entity.columns]
    return tuple(row[names.index(name)] for name in entity.key)


def _number(entity: Cin7Entity, record: Record, field: str) -> int:
    told = Fields(record, entity.what, *_LABELS).text(field)
    if not (told.isascii() and told.isdecimal()):
        raise TransientError(
            f"A {entity.what} of Cin7 has no {field}, by which its list is read.", remedy=LATER
        )
    return int(told)


def _instant(cell: Cell) -> datetime:
    if not isinstance(cell, datetime):
        raise TypeError(f"{cell!r} is no instant")
    return cell
