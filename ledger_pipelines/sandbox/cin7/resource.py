"""What all resources have in common: lists, single records, batches of writes.

Belongs here: the frame of GET, POST, PUT and DELETE. Does not belong here: the rules of any resource.
Source: cin7-omni.md 1, 3, 4, 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from ledger_pipelines.sandbox.cin7.account import Account
from ledger_pipelines.sandbox.cin7.answers import (
    MALFORMED,
    Cin7Error,
    DuplicateError,
    ItemError,
    missing,
    result,
)
from ledger_pipelines.sandbox.cin7.fields import Spec, bind, changed, initial, record_id, shown
from ledger_pipelines.sandbox.cin7.query import Params, read
from ledger_pipelines.sandbox.cin7.store import NUMBER_INDEXES, TEXT_INDEXES, Row, stamp
from ledger_pipelines.sandbox.cin7.where import Condition
from ledger_pipelines.sandbox.codec import Document, MalformedJsonError, loads

LARGEST_BATCH = 250
READ_ONLY = frozenset({"list", "get"})
WRITTEN = READ_ONLY | {"POST", "PUT"}
DELETED = WRITTEN | {"DELETE"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its connection checked. params: names in lower case; hide_void: voided orders are gone, refuse_first:
    of the records written the first is refused, and the others are not (faults)."""

    method: str
    params: Params
    body: bytes = b""
    record: str = ""
    hide_void: bool = False
    refuse_first: bool = False


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition of ours with its values. index: the one that serves it best."""

    text: str = ""
    values: tuple[object, ...] = ()
    index: str = ""

    def plus(self, index: str, text: str, value: object) -> Sql:
        """And this, which has an index; that of a time of change is only used when there is no other."""
        chosen = index if self.index in ("", "modified") else self.index
        return Sql(f"{self.text} AND {text}" if self.text else text, (*self.values, value), chosen)


class Resource:
    """One kind of record. Class attributes:

    * path: as the vendor spells it, and the module of permissions. kind, sequence: its name and numbering in the store.
    * spec: its fields. verbs: what the matrix of section 3 allows. called: its name in error texts.
    """

    path: ClassVar[str]
    kind: ClassVar[str]
    sequence: ClassVar[str]
    spec: ClassVar[Spec]
    verbs: ClassVar[frozenset[str]] = WRITTEN
    called: ClassVar[str]

    def __init__(self, account: Account) -> None:
        self.account = account
        self.store = account.store

    # --- reading ---------------------------------------------------------------------------------------------------

    def kept(self, row: Row) -> Document:
        """All fields of a record as they are kept (instants not yet shortened), for conditions and sorting."""
        return row.body | {"id": row.id, "modifiedDate": row.modified}

    def shown(self, record: Document) -> Document:
        """A kept record on the wire."""
        return shown(self.spec, record)

    def there(self, row: Row, call: Call) -> bool:
        """Whether the call may see a record."""
        return not (call.hide_void and row.body.get("isVoid"))

    def records(self, condition: Condition | None, call: Call) -> Iterable[Document]:
        """Kept records that lists show; `condition` may be used to look at fewer."""
        narrowed = self.narrowed(condition)
        for row in self.store.select(self.kind, narrowed.text, narrowed.values, index=narrowed.index):
            if self.account.listed(row) and self.there(row, call):
                yield self.kept(row)

    def narrowed(self, condition: Condition | None) -> Sql:
        """An SQL condition that every record must fulfil which `condition` can hold of."""
        found = Sql()
        for one in condition.must() if condition is not None else ():
            value, column = str(one.value), f"json_extract(body, '$.{one.name}')"
            number = record_id(value)
            if one.name == "modifiedDate" and one.operator != "<>":
                found = found.plus("modified", f"modified {one.operator} ?", value)
            elif one.operator != "=" or one.name not in self.spec:
                continue
            elif one.name == "id" and self.kind != "option" and number is not None:
                return Sql("id = ?", (number,))
            elif one.name in TEXT_INDEXES and value.isascii():
                found = found.plus(one.name, f"{column} = ? COLLATE NOCASE", value)
            elif one.name in NUMBER_INDEXES and number is not None:
                found = found.plus(one.name, f"{column} = ?", number)
        return found

    def page(self, call: Call) -> list[Document]:
        """`GET /Path`: a bare array."""
        query = read(call.params, self.spec, ignore_case=self.account.settings.ignore_case)
        found = [
            record
            for record in self.records(query.condition, call)
            if query.condition is None or query.condition.holds(record)
        ]
        return [query.projected(self.shown(record)) for record in query.page_of(query.sorted(found))]

    def get(self, call: Call) -> object:
        """`GET /Path/{id}`. Raises Cin7Error 404."""
        row = self.named(call.record)
        if row is None or not self.there(row, call):
            raise missing(f"{self.called} not found.")
        return self.shown(self.kept(row))

    def named(self, told: object) -> Row | None:
        """The record that a client names."""
        number = record_id(told)
        return None if number is None else self.found(number)

    def found(self, number: int) -> Row | None:
        """The record with this id."""
        return self.store.get(self.kind, number)

    # --- writing ---------------------------------------------------------------------------------------------------

    def code(self, row: Row) -> str | None:
        """The record's own code in write results."""
        del row
        return None

    def shown_id(self, row: Row) -> int:
        """The id clients know the record by."""
        return row.id

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """The rules before a write; completes `body`. row: None for a new record. Raises ItemError."""

    def written(self, row: Row) -> None:
        """What follows a write. Raises ItemError, which undoes the record's write."""

    def removing(self, row: Row) -> None:
        """What follows a deletion."""

    def write(self, call: Call) -> list[Document]:
        """`POST` or `PUT`: each record for itself; the answers in the order of the records. Raises Cin7Error 400."""
        sent = records_of(call.body)
        with self.store.transaction():
            return list(self._written(sent, new=call.method == "POST", refuse_first=call.refuse_first))

    def _written(self, sent: list[Document], *, new: bool, refuse_first: bool) -> Iterator[Document]:
        for index, one in enumerate(sent):
            told = {str(name).lower(): value for name, value in one.items()}
            row_id = None if new else record_id(told.get("id"))
            if refuse_first and index == 0:
                yield result(index, row_id, None, ["An error has occurred."])
                continue
            try:
                with self.store.transaction():
                    row = self.insert(one) if new else self.update(row_id, one)
            except ItemError as refused:
                if (
                    isinstance(refused, DuplicateError)
                    and self.account.settings.duplicate_mode == "request400"
                ):
                    raise Cin7Error(str(refused)) from refused
                yield result(index, row_id, None, refused.errors)
            else:
                yield result(index, self.shown_id(row), self.code(row))

    def insert(self, sent: Document) -> Row:
        """Make a record; call it inside a transaction. Raises ItemError."""
        now = self.account.now()
        bound = bind(self.spec, sent)
        body = changed(self.spec, initial(self.spec), bound)
        self.completed(body, bound, None)
        if body.get("createdDate") is None and "createdDate" in self.spec:
            body["createdDate"] = stamp(now)
        row = self.store.insert(self.kind, self.store.next(self.sequence), body, now)
        self.written(row)
        return row

    def update(self, row_id: int | None, sent: Document) -> Row:
        """Change the fields that were sent; call it inside a transaction. Raises ItemError."""
        row = None if row_id is None else self.found(row_id)
        if row is None:
            raise ItemError(f"{self.called} not found." if row_id is not None else "id is required.")
        bound = bind(self.spec, sent)
        body = changed(self.spec, row.body, bound)
        self.completed(body, bound, row)
        body["createdDate"] = body["createdDate"] or row.made
        row.body = body
        self.store.save(row, self.account.now())
        self.written(row)
        return row

    def delete(self, call: Call) -> list[Document]:
        """`DELETE /Path/{id}`. Raises Cin7Error 404."""
        row = self.named(call.record)
        if row is None:
            raise missing(f"{self.called} not found.")
        with self.store.transaction():
            self.store.remove(self.kind, row.id)
            self.removing(row)
        return [result(0, row.id, self.code(row))]

    def unique(self, body: Document, name: str, row: Row | None, called: str) -> None:
        """Refuse a value of a text field that another record has; blank ones may repeat. Raises DuplicateError."""
        value = str(body.get(name) or "")
        other = self.store.named(self.kind, name, value) if value else None
        if other is not None and (row is None or other.id != row.id):
            raise DuplicateError(f"{called} '{value}' already exists.")


def records_of(body: bytes) -> list[Document]:
    """The records of a write. Raises Cin7Error 400 unless it is an array of one to 250 objects."""
    try:
        sent = loads(body)
    except MalformedJsonError:
        raise Cin7Error(MALFORMED) from None
    if not isinstance(sent, list) or not sent or not all(isinstance(one, dict) for one in sent):
        raise Cin7Error(MALFORMED)
    if len(sent) > LARGEST_BATCH:
        raise Cin7Error(f"A maximum of {LARGEST_BATCH} records is allowed in one request.")
    return sent
