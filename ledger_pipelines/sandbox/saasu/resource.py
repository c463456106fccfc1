"""What all resources have in common: lists with pages, single records, the optimistic lock, write results.

Belongs here: the frame of GET, POST, PUT and DELETE. Does not belong here: the rules of any resource.
Source: saasu.md 0.1 (plural lists, singular the rest), 1 (paging), 3.3 (LastUpdatedId), 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import (
    ENVELOPES,
    PATHS,
    RESULTS,
    TRANSACTIONS,
    SaasuError,
    link,
    missing,
    stale,
)
from ledger_pipelines.sandbox.saasu.book import Book, Call
from ledger_pipelines.sandbox.saasu.fields import Field, bind, bind_new, flag_of, instant
from ledger_pipelines.sandbox.saasu.store import Row, stamp

LARGEST_PAGE, PAGE = 100, 25


@dataclass(slots=True)
class Where:
    """SQL conditions of a list, with their values."""

    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        """One more; all must hold."""
        self.conditions.append(condition)
        self.values += values

    def equal(self, name: str, value: str | None) -> None:
        """A text field equals, without regard to case."""
        if value:
            self.add(f"lower(json_extract(body, '$.{name}')) = lower(?)", value)

    def number(self, name: str, value: str | None) -> None:
        """An integer field equals."""
        if value:
            self.add(f"json_extract(body, '$.{name}') = ?", _integer(value))

    def flag(self, name: str, value: str | None) -> None:
        """A boolean field is."""
        if value:
            self.add(f"coalesce(json_extract(body, '$.{name}'), 0) = ?", int(flag_of(value)))


class Resource:
    """One kind of record. Class attributes:

    * kind: Its name here and in `answers`. sequence: whose ids it uses. spec: writable fields.
    * detail_only: Fields that a list leaves out. entity: what DeletedEntities calls it ("" = not reported).
    """

    kind: ClassVar[str]
    sequence: ClassVar[str]
    spec: ClassVar[Mapping[str, Field]]
    detail_only: ClassVar[frozenset[str]] = frozenset()
    entity: ClassVar[str] = ""
    writable: ClassVar[bool] = True

    def __init__(self, book: Book) -> None:
        self.book = book
        self.store = book.store

    # --- reading ---------------------------------------------------------------------------------------------------

    def filters(self, call: Call) -> Where:
        """The conditions of a list."""
        del call
        return Where()

    def keeps(self, row: Row, call: Call) -> bool:
        """Conditions that SQL does not decide."""
        del row, call
        return True

    def shown(self, row: Row, call: Call) -> Document:
        """All fields of a record as it is read, without links."""
        del call
        return dict(row.body)

    def as_read(self, row: Row, call: Call, *, detail: bool) -> Document:
        """A record on the wire."""
        key = "TransactionId" if self.kind in TRANSACTIONS else "Id"
        body = self.shown(row, call)
        if not detail:
            body = {name: value for name, value in body.items() if name not in self.detail_only}
        elif "Tags" in body:
            body["Tags"] = self._tags(row)
        path = PATHS[self.kind]
        links = (
            [link("self", call.href(f"{path}/{row.id}")), link("list", call.href(ENVELOPES[self.kind]))]
            if detail
            else call.detail(path, row.id)
        )
        return {
            key: row.id,
            **body,
            "LastUpdatedId": row.last_updated_id,
            "CreatedDateUtc": utc_text(row.id, row.created),
            "LastModifiedDateUtc": utc_text(row.id, row.modified),
            "LastModifiedByUserId": 4021,
            "_links": links,
        }

    def _tags(self, row: Row) -> object:
        lag = self.book.settings.tag_lag_seconds
        if lag and (self.book.now() - instant(row.modified)).total_seconds() < lag:
            return []
        return row.body.get("Tags") or []

    def list(self, call: Call) -> Document:
        """`GET /Plural`."""
        where = self.filters(call)
        self._modified(call, where)
        number, size = page_of(call)
        found = [
            row
            for row in self.store.select(call.file, self.kind, " AND ".join(where.conditions), where.values)
            if self.book.listed(row) and self.keeps(row, call)
        ]
        start = (number - 1) * size
        rows = found[start : start + size]
        if self.book.settings.duplicate_rows and start and rows:
            rows = [found[start - 1], *rows]
        shown = [self.as_read(row, call, detail=False) for row in rows]
        return envelope(ENVELOPES[self.kind], shown, call, number, size, more=len(found) > start + size)

    def _modified(self, call: Call, where: Where) -> None:
        bounds = ("lastmodifiedfromdate", "lastmodifiedtodate")
        first, last = pair(call, bounds, strict=self.book.settings.strict_pairs)
        if first is not None:
            where.add("modified >= ?", stamp(instant_of(first)))
        if last is not None:
            where.add("modified <= ?", stamp(instant_of(last)))

    def get(self, call: Call) -> Document:
        """`GET /Singular/{id}`."""
        return self.as_read(self.found(call), call, detail=True)

    def found(self, call: Call) -> Row:
        """The record of the path. Raises SaasuError."""
        row = self.store.get(call.file, self.kind, call.record_id or 0)
        if row is None:
            raise self.not_there(call.record_id or 0)
        return row

    def not_there(self, record_id: int) -> SaasuError:
        """What a record that does not exist answers."""
        return missing(f"The requested {PATHS[self.kind].lower()} is not found. Id: {record_id}")

    # --- writing ---------------------------------------------------------------------------------------------------

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """The rules before a write; may complete `body`. Raises SaasuError."""

    def written(self, row: Row, call: Call, before: Document | None) -> None:
        """What follows a write: ledger, stock, other records. Raises SaasuError, which undoes all of it."""

    def removing(self, row: Row, call: Call) -> None:
        """The rules of a deletion, and what follows it. Raises SaasuError."""

    def extras(self, row: Row, call: Call, *, inserted: bool) -> Document:
        """What a write result has beside the usual."""
        del row, call, inserted
        return {}

    def insert(self, call: Call) -> Document:
        """`POST /Singular`."""
        with self.store.transaction():
            row = self.insert_row(call, call.body)
        return self.result(row, call, inserted=True)

    def insert_row(self, call: Call, sent: object, given: int = 0) -> Row:
        """Make the record; call it inside a transaction."""
        body = bind_new(self.spec, sent)
        self.check(body, call, None)
        row = self.store.insert(call.file, self.kind, self.sequence, body, self.book.now(), given)
        self.written(row, call, None)
        return row

    def update(self, call: Call) -> Document:
        """`PUT /Singular/{id}`: the whole record is replaced."""
        with self.store.transaction():
            row = self.found(call)
            self.lock(row, call.body)
            self.update_row(row, call, call.body)
        return self.result(row, call, inserted=False)

    def update_row(self, row: Row, call: Call, sent: object) -> Row:
        """Replace the fields; call it inside a transaction."""
        before = dict(row.body)
        body = bind(self.spec, sent)
        self.check(body, call, row)
        row.body = {**{name: value for name, value in before.items() if name not in self.spec}, **body}
        self.store.save(row, self.book.now())
        self.written(row, call, before)
        return row

    def lock(self, row: Row, sent: object) -> None:
        """The optimistic lock (3.3). Raises SaasuError."""
        told = sent.get("LastUpdatedId") if isinstance(sent, dict) else None
        if told is None and not self.book.settings.require_last_updated_id:
            return
        if told != row.last_updated_id:
            raise stale()

    def delete(self, call: Call) -> Document:
        """`DELETE /Singular/{id}`."""
        with self.store.transaction():
            row = self.found(call)
            self.removing(row, call)
            self.store.remove(row, self.entity_of(row), self.book.now(), call.login)
        return {"StatusMessage": "Ok", "_links": [link("list", call.href(ENVELOPES[self.kind]))]}

    def entity_of(self, row: Row) -> str:
        """What DeletedEntities calls this record."""
        del row
        return self.entity

    def result(self, row: Row, call: Call, *, inserted: bool) -> Document:
        """The answer to a write, with this resource's own names."""
        keys = RESULTS[self.kind]
        name = keys.inserted if inserted else keys.updated
        path = PATHS[self.kind]
        return {
            **({} if name is None else {name: row.id}),
            **self.extras(row, call, inserted=inserted),
            "LastUpdatedId": row.last_updated_id,
            keys.time: utc_text(row.id, row.modified),
            "_links": call.detail(path, row.id),
        }


def envelope(
    key: str, rows: Sequence[Document], call: Call, number: int, size: int, *, more: bool
) -> Document:
    """A list's body: rows and links."""
    links = [link("self", call.href(key, page=number, pagesize=size))]
    if more:
        links.append(link("next", call.href(key, page=number + 1, pagesize=size)))
    if number > 1:
        links.append(link("previous", call.href(key, page=number - 1, pagesize=size)))
    return {key: rows, "_links": links}


def page_of(call: Call) -> tuple[int, int]:
    """(page from 1, rows a page: 25, at most 100)."""
    number = _integer(call.params.get("page") or "1")
    size = _integer(call.params.get("pagesize") or str(PAGE))
    return max(1, number), min(max(1, size), LARGEST_PAGE)


def pair(call: Call, names: tuple[str, str], *, strict: bool) -> tuple[str | None, str | None]:
    """Both ends of a date filter. Raises SaasuError when one is missing and that is strict."""
    first, last = (call.params.get(name) or None for name in names)
    if strict and (first is None) != (last is None):
        raise SaasuError(f"Both {names[0]} and {names[1]} must be specified.")
    return first, last


def instant_of(value: str) -> datetime:
    """An instant of a query. Raises SaasuError."""
    try:
        return instant(value)
    except ValueError:
        raise SaasuError(f"The value '{value}' is not a valid date.") from None


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise SaasuError(f"The value '{value}' is not valid.") from None


def utc_text(record_id: int, kept: str) -> str:
    """A UTC instant as it is printed: with `Z` or without a suffix (1, Dates: both occur)."""
    return f"{kept}Z" if record_id % 2 else kept
