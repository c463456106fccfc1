"""SuiteQL: bound parameters, paging, typed rows.

Belongs here: asking, paging, turning text into types. Does not belong here: which questions are asked (`reader`,
`matching`, `options`). Facts: netsuite.md 7: every value is a string, absent columns are null, at most 1000 rows a
page and 100,000 a query, at most 1000 values in IN.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, get_type_hints

import msgspec

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.netsuite.client import SUITEQL, NetSuiteClient

PAGE = 1000
MOST_ROWS = 100_000
IN_CHUNK = 500
ACCOUNT_NOW = "SELECT TO_CHAR(CURRENT_DATE,'YYYY-MM-DD HH24:MI:SS') AS now FROM DUAL"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it came: lower-case names, text values; a name that is missing is null."""

    values: dict[str, str]

    def get(self, name: str) -> str | None:
        """The value, or None."""
        return self.values.get(name)


class _Page(msgspec.Struct):
    items: list[dict[str, Any]]
    has_more: bool = msgspec.field(name="hasMore", default=False)


def chunks(values: Sequence[str], size: int = IN_CHUNK) -> Iterator[list[str]]:
    """Distinct values in order of first appearance, `size` at a time."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def marks(values: Sequence[str]) -> str:
    """`?,?,?` for so many bound values."""
    return ",".join("?" * len(values))


def _cell(value: Json) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "T" if value else "F"
    return value if isinstance(value, str) else str(value)


class SuiteQL:
    """Questions to one account."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    def rows(self, sql: str, params: Sequence[str] = ()) -> Iterator[Row]:
        """All rows, page after page (one call each 1000). `sql` needs a total ORDER BY when there may be more.

        Raises:
            TransientError, CredentialError, NetSuiteRefusedError: as `NetSuiteClient.read`.
            DataError: more than 100,000 rows; ask with `keyset`.
        """
        offset = 0
        while True:
            page = self._page(sql, params, offset)
            for item in page.items:
                cells = ((k.lower(), _cell(v)) for k, v in item.items() if k != "links")
                yield Row({k: v for k, v in cells if v is not None})
            if not page.has_more:
                return
            if not page.items:
                raise TransientError("NetSuite promised more rows and sent an empty page.")
            offset += PAGE
            if offset >= MOST_ROWS:
                raise DataError(
                    "A SuiteQL question has more than 100,000 rows.", remedy="Ask for a shorter period."
                )

    def _page(self, sql: str, params: Sequence[str], offset: int) -> _Page:
        body: dict[str, Json] = {"q": sql}
        if params:
            body["params"] = list(params)
        path = f"{SUITEQL}?limit={PAGE}&offset={offset}"
        answer = self._client.read("POST", path, body=body, headers={"Prefer": "transient"})
        try:
            return msgspec.convert(answer.json(), _Page)
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise TransientError("NetSuite's answer to a SuiteQL question cannot be read.") from None

    def query(self, row_type: type[T], sql: str, params: Sequence[str] = ()) -> Iterator[T]:
        """All rows as `row_type`, a frozen dataclass whose field names are the columns' names.

        Text becomes str, int, Decimal, date, datetime or bool (`T`/`F`) by annotation; null the field's default.

        Raises:
            DataError: a column does not fit its type.
        """
        for row in self.rows(sql, params):
            yield typed(row, row_type)

    def query_in(
        self, row_type: type[T], sql: str, values: Sequence[str], params: Sequence[str] = ()
    ) -> Iterator[T]:
        """As `query`, with `{in}` in `sql` standing for up to 500 of `values` at a time.

        `params` are bound before the values. Calls: one each 500 distinct values (and each 1000 rows).
        """
        for some in chunks(values):
            yield from self.query(row_type, sql.replace("{in}", marks(some)), [*params, *some])

    def keyset(self, sql: str, params: Sequence[str] = (), *, key: str = "id") -> Iterator[Row]:
        """Any number of rows, by key: `sql` has `{after}` where `AND <column> > ?` belongs, as its last parameter,
        and `{top}` for the row limit; ordered by that column. One call each 1000 rows, none by offset.
        """
        after = "0"
        while True:
            text = sql.replace("{after}", "> ?").replace("{top}", f"FETCH FIRST {PAGE} ROWS ONLY")
            page = self._page(text, [*params, after], 0)
            last = after
            for item in page.items:
                cells = ((k.lower(), _cell(v)) for k, v in item.items() if k != "links")
                row = Row({k: v for k, v in cells if v is not None})
                last = row.get(key) or last
                yield row
            if len(page.items) < PAGE and not page.has_more:
                return
            if last == after:
                raise TransientError("NetSuite repeated a page of a SuiteQL question.")
            after = last

    def account_now(self) -> datetime:
        """The account's own clock, without zone (netsuite.md 7.1). One call."""
        answer = self._client.read(
            "POST", f"{SUITEQL}?limit=1&offset=0", body={"q": ACCOUNT_NOW}, headers={"Prefer": "transient"}
        )
        return read_now(answer)


def read_now(answer: Answer) -> datetime:
    """The time in the answer to `ACCOUNT_NOW`. Raises TransientError when there is none."""
    try:
        page = msgspec.convert(answer.json(), _Page)
        return datetime.fromisoformat(str(page.items[0]["now"]))
    except (msgspec.DecodeError, msgspec.ValidationError, IndexError, KeyError, ValueError):
        raise TransientError("NetSuite did not tell its time.") from None


def _flags_of(row_type: Any) -> frozenset[str]:
    hints = get_type_hints(row_type)
    return frozenset(name for name, hint in hints.items() if hint in {bool, bool | None})


_flags: Callable[[Any], frozenset[str]] = functools.cache(_flags_of)


def typed(row: Row, row_type: type[T]) -> T:
    """One row as a dataclass. Raises DataError when a value does not fit."""
    flags = _flags(row_type)
    values = {k: (str(v == "T").lower() if k in flags else v) for k, v in row.values.items()}
    try:
        return msgspec.convert(values, row_type, strict=False)
    except msgspec.ValidationError as error:
        raise DataError(
            f"NetSuite record {row.get('id') or '?'} cannot be read as {row_type.__name__}: {error}.",
            code="unexpected-row",
        ) from None
