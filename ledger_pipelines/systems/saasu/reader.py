"""Reading a file's entities for snapshots: what changed in a window, or the whole list.

Belongs here: windows, pages, which rows are inside, what to do when rows move while pages are read. Does not belong here:
storing; which list an entity is (`entities`); what a record means (`records`). Facts: saasu.md 1 (dates, paging), 5.9, 5.12.

Calls: one each 100 rows of a stretch of 31 days (an opening, from before Saasu was, is one stretch), and one where there are
none. A last page of exactly 100 rows costs one more, which finds nothing. A list of two pages and more costs one or two
besides: whether anything was changed or deleted since its first page was read. If so it is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.errors import TransientError
from ledger_pipelines.systems.entities import Cell, EntityLike, PlainRows, at_the_latest
from ledger_pipelines.systems.http import LATER
from ledger_pipelines.systems.saasu.client import PAGE, Page, SaasuClient, SaasuRefusedError
from ledger_pipelines.systems.saasu.entities import DELETED, ENTITIES, SaasuEntity
from ledger_pipelines.systems.saasu.records import Fields, Record, without_links

STRETCH: Final = timedelta(days=31)
BEFORE_SAASU: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A window that begins before asks for everything there is: one stretch, not hundreds of empty ones."""
PASSES: Final = 3
"""So often a list is read at most when others change it meanwhile."""

_SECOND = timedelta(seconds=1)
_LABELS = ("Code", "InvoiceNumber", "Reference", "ContactId", "Name", "EntityType")

Row = tuple[Cell, ...]
Parameters = Mapping[str, str]


class SaasuReader:
    """Reads of one file. Implements `systems.entities.ChangesReader`.

    Args:
        client: Its calls.
        page: Rows a page; 0 = as many as Saasu gives.
    """

    def __init__(self, client: SaasuClient, *, page: int = 0) -> None:
        self._client = client
        self._size = page or PAGE

    def read_changes(self, entity: EntityLike, start: datetime, end: datetime) -> Iterator[PlainRows]:
        """Rows last changed in [start, end), each once, by time of change; the whole list where there is none.

        A record that is changed while it is read is given as it was last seen, once. One whose time of change cannot be read is
        of the end of its stretch (`entities.at_the_latest`).

        Raises:
            ValueError: a time without zone. TransientError (also a spent quota), CredentialError, SaasuRefusedError.
            DataError: a record without its key, or of another shape.
        """
        own = entity if isinstance(entity, SaasuEntity) else ENTITIES[entity.name]
        if not own.window:
            yield PlainRows(tuple(self._rows(own, {}).values()))
            return
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("A window of changes needs times with a zone.")
        for first, last in stretches(start.astimezone(UTC), end.astimezone(UTC)):
            found = self._changed(own, own.window, first, last)
            if found.cells:
                yield found

    def _changed(
        self, entity: SaasuEntity, names: tuple[str, str], start: datetime, end: datetime
    ) -> PlainRows:
        """Saasu's ends are both inside, so one second more is asked for at each, and the rest is dropped here."""
        low, high = _whole_second(start), _whole_second(end) + _SECOND
        latest = at_the_latest(start, end, self._client.clock.now())
        rows = self._rows(entity, {names[0]: utc_text(low), names[1]: utc_text(high)}, latest)
        place = _place(entity)
        inside = [
            (changed, key, row)
            for key, row in rows.items()
            if start <= (changed := _instant(row[place])) < end
        ]
        return PlainRows(tuple(row for _, _, row in sorted(inside, key=lambda one: one[:2])))

    def _rows(
        self, entity: SaasuEntity, bounds: Parameters, latest: datetime | None = None
    ) -> dict[tuple[str, ...], Row]:
        """All rows by key: of one that came twice the later change, and of two alike the one read last.

        latest: when a row was changed that does not say so; None for a whole list.
        """
        names = [column.name for column in entity.columns]
        places = [names.index(name) for name in entity.key]
        split, wanted = entity.split
        held: dict[tuple[str, ...], Row] = {}
        for record in self._records(entity, {**dict(entity.asked), **bounds}):
            if split and record.get(split) not in wanted:
                continue
            row = cells(entity, record, latest)
            key = tuple(str(row[i]) for i in places)
            before = held.get(key)
            if before is None or not entity.window or _later(row, before, _place(entity)):
                held[key] = row
        return held

    def _records(self, entity: SaasuEntity, params: Parameters) -> Iterator[Record]:
        """Every record at least once; kind by kind where Saasu does not give all kinds in one list."""
        try:
            yield from self._list(entity, params)
        except SaasuRefusedError:
            name, values = entity.split
            if not name:
                raise
            for value in values:
                yield from self._list(entity, {**params, name: value})

    def _list(self, entity: SaasuEntity, params: Parameters) -> Iterator[Record]:
        """One list, every record at least once: when it moved between its pages it is read again.

        Where a row before it goes, a row moves from the next page to one that was read already (saasu.md 1, Paging).
        """
        for _ in range(PASSES):
            began, turned = None, False
            for page in self._pages(entity, params):
                turned = turned or (began is not None and bool(page.rows))
                began = began or page.at
                yield from page.rows
            if not turned or began is None or not self._moved(entity, params, began):
                return

    def _pages(self, entity: SaasuEntity, params: Parameters) -> Iterator[Page]:
        page = self._page(entity, params, 1)
        yield page
        number = 1
        while page.more:
            number += 1
            before = page.rows
            try:
                page = self._page(entity, params, number)
            except SaasuRefusedError as error:
                # what a page past the end answers is not known (saasu.md 11.5); one that was linked to must be there
                if page.linked or error.status not in {400, 404}:
                    raise
                return
            if page.rows == before or (page.linked and not page.rows):
                raise TransientError(
                    f"Saasu connection {self._client.connection.name!r}, GET {entity.path}: a page came twice, or promised"
                    " more and held nothing; the list cannot be read to its end.",
                    remedy=LATER,
                    code="paging-loop",
                )
            yield page

    def _page(self, entity: SaasuEntity, params: Parameters, number: int) -> Page:
        return self._client.page(entity.path, entity.array, number, self._size, **params)

    def _moved(self, entity: SaasuEntity, params: Parameters, since: datetime) -> bool:
        """Whether a record of the list was changed or deleted since an instant of Saasu's own clock."""
        until = utc_text(self._client.clock.now() + timedelta(days=1))
        if entity.window:
            low, high = entity.window
            changes = {**params, low: utc_text(since), high: until}
            if self._client.page(entity.path, entity.array, 1, 1, **changes).rows:
                return True
        if not entity.deletions:
            return False
        low, high = DELETED
        deletions = {"EntityType": entity.deletions, low: utc_text(since), high: until}
        return bool(self._client.page("/DeletedEntities", "Entities", 1, 1, **deletions).rows)


def stretches(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The window in pieces of 31 days at most; one that begins before Saasu was, whole."""
    step = end - start if start < BEFORE_SAASU else STRETCH
    while start < end:
        stop = min(start + step, end)
        yield start, stop
        start = stop


def utc_text(moment: datetime) -> str:
    """An instant as a parameter: `2025-05-02T03:14:15Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def cells(entity: SaasuEntity, record: Record, latest: datetime | None = None) -> Row:
    """A record as a row of its entity; changed at `latest` where it does not say when. Raises DataError, naming the record."""
    of = Fields(record, entity.what, *_LABELS)
    row: list[Cell] = []
    for column, field in zip(entity.columns, entity.fields, strict=True):
        if field:
            row.append(of.column(column.kind, field, key=column.name in entity.key))
        else:
            row.append(canonical(without_links(dict(record))))
    if entity.window and row[_place(entity)] is None:
        row[_place(entity)] = latest
    return tuple(row)


def _place(entity: SaasuEntity) -> int:
    return [column.name for column in entity.columns].index(entity.changed_column)


def _instant(cell: Cell) -> datetime:
    if not isinstance(cell, datetime):
        raise TypeError(f"{cell!r} is no instant")
    return cell


def _later(row: Row, before: Row, place: int) -> bool:
    return _instant(row[place]) >= _instant(before[place])


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
