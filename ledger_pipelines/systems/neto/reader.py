"""Reading entities for snapshots: what changed in a window, or the whole list.

Belongs here: windows, pages, rows. Does not belong here: storing, what records mean (`documents`).
Facts: neto.md 3.1, 4.3, 4.4.

Calls. An answer has no count, and a page shorter than asked is not proof of the end (4.4: seen in the field; a server may
cap `Limit`, or drop records of a page). Only a page that brings nothing new is. So a window costs 1 call when it is
empty, else one a page and 1; nothing cheaper is safe, and Neto allows 500 a minute: what a shorter rule would lose,
it would lose for good and without a word.

Pages that move. Pages count places, and a record that is changed while a past window is read leaves it: the next page
then begins one too late. One page cannot move. After several, one call asks whether anything was changed since the
first; if so the window is read again, until a reading brings nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.systems.entities import Cell, EntityLike, Kind, PlainRows, at_the_latest, beside
from ledger_pipelines.systems.neto.client import NetoAnswer, NetoClient
from ledger_pipelines.systems.neto.entities import ENTITIES, NetoEntity
from ledger_pipelines.systems.neto.shapes import Fields, as_list

STRETCH: Final = timedelta(days=31)
"""Longest window asked for at once: days behind it are stored before the next one is asked for."""
STRETCHES: Final = 12
"""An opening reads everything older than so many stretches before its end as one."""
_AGES: Final = timedelta(days=3653)
"""A longer window is an opening."""
READINGS: Final = 5
"""So often is a window read that moves while it is read."""
_SECOND: Final = timedelta(seconds=1)
_Row = tuple[Cell, ...]


def stretches(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) in pieces of at most `STRETCH`; of an opening the first is as long as it has to be."""
    if end - start > _AGES:
        near = end - STRETCH * STRETCHES
        yield start, near
        start = near
    while start < end:
        stop = min(start + STRETCH, end)
        yield start, stop
        start = stop


class NetoReader:
    """Reads of one store. Implements `systems.entities.ChangesReader`.

    Args:
        client: Its calls.
        page: Records a page; 0 = the entity's own number.
        orders_a_page: The same for orders, which are large.
    """

    def __init__(self, client: NetoClient, *, page: int = 0, orders_a_page: int = 0) -> None:
        self._client = client
        self._page = page
        self._orders_a_page = orders_a_page

    def read_changes(self, entity: EntityLike, start: datetime, end: datetime) -> Iterator[PlainRows]:
        """Rows last changed in [start, end), by time of change and key; the whole list for whole-list entities.

        A long window comes in pieces (`stretches`), each sorted, each after the one before. A record that
        changes meanwhile is in the later place as well, or in the next window. One whose time of change cannot be read is of
        the end of its piece (`entities.at_the_latest`).

        Raises:
            ValueError: a time without zone. DataError: a record without its key, or of another shape.
            TransientError, CredentialError, PermanentError: as `NetoClient.read`.
        """
        known = ENTITIES[entity.name]
        if known.whole:
            rows = tuple(self._gathered(known, {}).values())
            if rows:
                yield PlainRows(rows)
            return
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("A window of changes needs times with a zone.")
        for first, stop in stretches(start.astimezone(UTC), end.astimezone(UTC)):
            rows = self._stretch(known, first, stop)
            if rows:
                yield PlainRows(rows)

    def records(self, entity: NetoEntity) -> list[Fields]:
        """All records of a whole-list entity, as they came."""
        found: dict[str, Fields] = {}
        for fields, _, _ in self._paged(entity, {}):
            found[_key(entity, fields)] = fields
        return list(found.values())

    def _stretch(self, entity: NetoEntity, start: datetime, end: datetime) -> tuple[_Row, ...]:
        first = start.replace(microsecond=0)
        last = end.replace(microsecond=0) if end.microsecond else end - _SECOND  # bounds are inclusive
        if last < first:
            return ()
        name = entity.filtered
        criteria: dict[str, Json] = {f"{name}From": _told(first), f"{name}To": _told(last)}
        place = _place(entity)
        kept: list[tuple[datetime, str, _Row]] = []
        latest = at_the_latest(start, end, self._client.clock.now())
        for key, row in self._gathered(entity, criteria, latest).items():
            changed = row[place]
            if isinstance(changed, datetime) and start <= changed < end:
                kept.append((changed, key, row))
        return tuple(row for _, _, row in sorted(kept, key=lambda one: one[:2]))

    def _gathered(
        self, entity: NetoEntity, criteria: Mapping[str, Json], latest: datetime | None = None
    ) -> dict[str, _Row]:
        """Rows by key, the later change of each; read again while it moves. Raises TransientError.

        latest: when a row was changed that does not say so; None for a whole list.
        """
        place = _place(entity)
        found: dict[str, _Row] = {}
        for reading in range(READINGS):
            known = len(found)
            began: datetime | None = None
            pages = 0
            for fields, page, at in self._paged(entity, criteria):
                began, pages = (at if page == 0 else began), page + 1
                key = _key(entity, fields)
                row = _row(entity, fields, key, latest)
                before = found.get(key)
                if before is None or not _later(before, row, place):
                    found[key] = row
            settled = reading > 0 and len(found) == known
            if pages < 2 or settled or not entity.changes_in_place or not self._moved(entity, began):
                return found
        raise TransientError(
            f"Neto connection {self._client.connection.name!r}: {entity.name} changed faster than they could be read.",
            remedy="Run again when the store is quieter.",
            code="moving-pages",
        )

    def _moved(self, entity: NetoEntity, since: datetime | None) -> bool:
        """Whether any record was changed since then. One call; True when the store does not tell its time."""
        if since is None:
            return True
        asked: dict[str, Json] = {
            f"{entity.filtered}From": _told(since), "Page": 0, "Limit": 1,
            "OutputSelector": list(entity.selectors[:1]),
        }  # fmt: skip
        answer = self._client.read(entity.action, {"Filter": asked})
        return bool(self._held(entity, answer))

    def _paged(
        self, entity: NetoEntity, criteria: Mapping[str, Json]
    ) -> Iterator[tuple[Fields, int, datetime | None]]:
        """Each record with its page's number and time, until a page brings no new one."""
        seen: set[str] = set()
        number = 0
        while True:
            answer = self._client.read(entity.action, self._asked(entity, criteria, number))
            held = [Fields.of(one, entity.what) for one in self._held(entity, answer)]
            known = len(seen)
            for fields in held:
                seen.add(_key(entity, fields))
                yield fields, number, answer.current_time
            if not entity.limit or len(seen) == known:
                return
            number += 1

    def _held(self, entity: NetoEntity, answer: NetoAnswer) -> list[Json]:
        """The records of an answer; one that does not even hold an empty list is none (neto.md 4.2)."""
        if entity.response not in answer.body and not entity.absent:
            raise TransientError(
                f"Neto connection {self._client.connection.name!r}, {entity.action}: the answer has no {entity.response}"
                f" ({answer.text}).",
                remedy="Nothing is lost; run again later. If it comes back, report it to the makers.",
                code="bad-answer",
            )
        return as_list(answer.body.get(entity.response), entity.inner)

    def _asked(self, entity: NetoEntity, criteria: Mapping[str, Json], number: int) -> Json:
        if not entity.limit:
            return {}
        wanted = self._orders_a_page if entity.name == "orders" else 0
        asked: dict[str, Json] = {
            **criteria, "Limit": self._page or wanted or entity.limit, "OutputSelector": list(entity.selectors),
        }  # fmt: skip
        if entity.ordered:
            asked |= {"OrderBy": entity.ordered, "OrderDirection": "ASC"}
        if number or criteria or entity.ordered:
            # some lists answer nothing at all when a page is named (neto.md 4.4): their first page is asked for without
            asked["Page"] = number
        return {"Filter": asked}


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _place(entity: NetoEntity) -> int:
    """Where the instant of change stands in a row; -1 for a whole list."""
    names = [column.name for column in entity.columns]
    return names.index(entity.changed_column) if entity.changed_column else -1


def _later(one: _Row, other: _Row, place: int) -> bool:
    """Whether `one` was changed after `other`; of a whole list nothing is."""
    first, second = one[place], other[place]
    return isinstance(first, datetime) and isinstance(second, datetime) and first > second


def _key(entity: NetoEntity, fields: Fields) -> str:
    key = _text(fields, entity.sources[0])
    if key is None:
        raise DataError(
            f"Neto's {entity.action} gave a record ({entity.what}) without {entity.sources[0].partition('|')[0]}.",
            remedy="Report it to the makers, with the store's answer.",
            code="no-key",
        )
    return key


def _row(entity: NetoEntity, fields: Fields, key: str, latest: datetime | None = None) -> _Row:
    named = Fields(fields.body, f"{entity.what} {key}")
    cells = [
        _cell(named, source, column.kind)
        if column.name in entity.key
        else beside(column.kind, partial(_cell, named, source, column.kind))
        for column, source in zip(entity.columns, entity.sources, strict=False)
    ]
    if entity.changed_column and cells[_place(entity)] is None:
        cells[_place(entity)] = latest
    return (*cells, canonical(dict(fields.body)))


def _cell(fields: Fields, source: str, kind: Kind) -> Cell:
    """A column's value: of the first of its fields that is not blank."""
    if kind is Kind.TEXT:
        return _text(fields, source)
    for name in source.split("|"):
        if not fields.text(name):
            continue
        value: Cell
        if kind is Kind.NUMBER:
            value = fields.number(name)
        elif kind is Kind.FLAG:
            value = fields.flag(name)
        elif kind is Kind.DAY:
            value = fields.day(name)
        else:
            value = fields.instant(name)
        if value is not None:
            return value
    return None


def _text(fields: Fields, source: str) -> str | None:
    """A text as it is spelt, blanks around it too: they tell records apart."""
    for name in source.split("|"):
        told = fields.text(name)
        if told:
            value = fields.body.get(name)
            return value if isinstance(value, str) else told
    return None
