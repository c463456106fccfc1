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
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, get_type_hints

import msgspec

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.systems.http import LATER, Answer
from ledger_pipelines.systems.netsuite.client import SUITEQL, NetSuiteClient

PAGE = 1000
MOST_ROWS = 100_000
IN_CHUNK = 500
STEADY_ATTEMPTS = 3
ACCOUNT_NOW = "SELECT TO_CHAR(CURRENT_DATE,'YYYY-MM-DD HH24:MI:SS') AS now FROM DUAL"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it came: lower-case names, text values; a name that is missing is null."""

    values: dict[str, str]

    def get(self, name: str) -> str | None:
        """The value, or None."""
        return self.values.get(name)


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of a total order.

    Args:
        sql: The expression; never null.
        column: The column of the answer that holds its value.
        bound: How a value of it stands in a condition.
    """

    sql: str
    column: str
    bound: str = "?"


Item = dict[str, Any]
"""One row as JSON: names as NetSuite writes them, text values (and `links`, which mean nothing)."""


class Page(msgspec.Struct):
    """One page of answers. count, offset: of this page; total: rows of the whole question. None = not told."""

    items: list[Item]
    has_more: bool = msgspec.field(name="hasMore", default=False)
    count: int | None = None
    offset: int | None = None
    total: int | None = msgspec.field(name="totalResults", default=None)

    def rows(self) -> list[Row]:
        """The items without what NetSuite adds to them."""
        made = []
        for item in self.items:
            cells = ((k.lower(), cell_text(v)) for k, v in item.items() if k != "links")
            made.append(Row({k: v for k, v in cells if v is not None}))
        return made


_page_decoder = msgspec.json.Decoder(Page, float_hook=Decimal)


def chunks(values: Sequence[str], size: int = IN_CHUNK) -> Iterator[list[str]]:
    """Distinct values in order of first appearance, `size` at a time."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def marks(values: Sequence[str]) -> str:
    """`?,?,?` for so many bound values."""
    return ",".join("?" * len(values))


def cell_text(value: Json) -> str | None:
    """A value as text, whether it came as one, as a number or as a flag (`T`, `F`). Raises DataError for a list or object."""
    if value is None:
        return None
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        raise DataError(
            f"NetSuite's answer to a SuiteQL question holds {kind} where a value belongs.",
            remedy="Tell the makers, with the day that was read.",
            code="unexpected-row",
        )
    if isinstance(value, bool):
        return "T" if value else "F"
    return value if isinstance(value, str) else str(value)


def _complete(pages: Sequence[Page]) -> bool:
    """Whether the pages hold as many rows as they say there are; an answer that does not say is believed."""
    total = pages[-1].total
    return total is None or total == sum(len(page.items) for page in pages)


def after(key: Sequence[KeyPart]) -> str:
    """`a > ? OR (a = ? AND (b > ? OR ...))`: what comes behind a row in the order of the key."""
    first, *rest = key
    more = f"{first.sql} > {first.bound}"
    return f"({more} OR ({first.sql} = {first.bound} AND {after(rest)}))" if rest else f"{more}"


class SuiteQL:
    """Questions to one account."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    def rows(self, sql: str, params: Sequence[str] = ()) -> Iterator[Row]:
        """All rows (one call each 1000). `sql` needs a total ORDER BY when there may be more than a page.

        Pages by offset drift when records change between them: when the pages together are not what each of them
        counts, all are read again. What changes all the time is read by key (`stretches`).

        Raises:
            TransientError, CredentialError, NetSuiteRefusedError: as `NetSuiteClient.read`.
            TransientError: the pages did not fit together, three times over.
            DataError: more than 100,000 rows; ask by key (`stretches`).
        """
        for _ in range(STEADY_ATTEMPTS):
            pages = self._pages(sql, params)
            if len({page.total for page in pages}) == 1 and _complete(pages):
                for page in pages:
                    yield from page.rows()
                return
        raise TransientError(
            f"NetSuite's answer changed while it was read, {STEADY_ATTEMPTS} times over.",
            remedy="Try again when nobody changes these records.",
            code="pages-drift",
        )

    def _pages(self, sql: str, params: Sequence[str]) -> list[Page]:
        pages = [self.page(sql, params, 0)]
        while pages[-1].has_more:
            if not pages[-1].items:
                raise TransientError("NetSuite promised more rows and sent an empty page.", remedy=LATER)
            offset = PAGE * len(pages)
            if offset >= MOST_ROWS:
                raise DataError(
                    "A SuiteQL question has more than 100,000 rows.", remedy="Ask for a shorter period."
                )
            pages.append(self.page(sql, params, offset))
        return pages

    def page(self, sql: str, params: Sequence[str], offset: int = 0, *, limit: int = 0) -> Page:
        """One page; `limit` 0 = as many rows as NetSuite gives. One call.

        Raises:
            TransientError, CredentialError, NetSuiteRefusedError: as `NetSuiteClient.read`.
            TransientError: it holds other rows than it counts.
        """
        body: dict[str, Json] = {"q": sql}
        if params:
            body["params"] = list(params)
        path = f"{SUITEQL}?limit={limit or PAGE}&offset={offset}"
        answer = self._client.read("POST", path, body=body, headers={"Prefer": "transient"})
        try:
            page = _page_decoder.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation, RecursionError):
            raise TransientError(
                "NetSuite's answer to a SuiteQL question cannot be read.", remedy=LATER
            ) from None
        if page.count not in {None, len(page.items)} or page.offset not in {None, offset}:
            raise TransientError(
                f"NetSuite's answer to a SuiteQL question says {page.count} rows from {page.offset} and holds "
                f"{len(page.items)} from {offset}.",
                remedy=LATER,
            )
        return page

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

    def account_now(self) -> datetime:
        """The account's own clock, without zone (netsuite.md 7.1). One call."""
        answer = self._client.read(
            "POST", f"{SUITEQL}?limit=1&offset=0", body={"q": ACCOUNT_NOW}, headers={"Prefer": "transient"}
        )
        return read_now(answer)


def read_now(answer: Answer) -> datetime:
    """The time in the answer to `ACCOUNT_NOW`. Raises TransientError when there is none."""
    try:
        page = msgspec.convert(answer.json(), Page)
        return datetime.fromisoformat(str(page.items[0]["now"]))
    except (msgspec.DecodeError, msgspec.ValidationError, IndexError, KeyError, ValueError):
        raise TransientError("NetSuite did not tell its time.", remedy=LATER) from None


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
            remedy="Look at the record in NetSuite; if it is as it should be there, tell the makers.",
            code="unexpected-row",
        ) from None
