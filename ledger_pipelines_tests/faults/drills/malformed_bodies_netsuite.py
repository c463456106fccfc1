"""Answers of NetSuite that are not as they should be: tokens, pages of SuiteQL, records, answers to writes; and the verdicts.

Belongs here: netsuite.md 2 to 5 and 7 gone wrong. Does not belong here: carrying them out (`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger_pipelines.documents.effects import (
    Unknown,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines_tests.faults.drills.malformed_bodies import (
    Ask,
    BodyItem,
    EndsAs,
    ReadAs,
    RefusedAs,
    Sent,
    Vendor,
    Verdict,
)
from ledger_pipelines_tests.faults.drills.malformed_bodies_any import MARK, items
from ledger_pipelines_tests.faults.drills.malformed_scenes import encoded

_UNREADABLE = RefusedAs(TransientError, "cannot be read")
_NOT_ITS_OWN = RefusedAs(TransientError, "without NetSuite's own words")
_GAVE_UP = RefusedAs(TransientError, "Gave up after 6 attempts")
_UNKNOWN = EndsAs((Unknown,), "HTTP")
_PAGES = {"web page": _NOT_ITS_OWN, "web page called JSON": _NOT_ITS_OWN}
_MOVED = {"moved": _NOT_ITS_OWN, "moved for good": _NOT_ITS_OWN}
_WIRE = {
    "no gzip": _GAVE_UP,
    "moved nowhere": _GAVE_UP,
    "retry in the year 9999": _GAVE_UP,
}
_WHERE = "https://9123456-sb2.suitetalk.api.netsuite.com/services/rest/record/v1/customerPayment/900"


def corpus() -> Iterator[BodyItem]:
    """All of NetSuite's."""
    nested: dict[str, Verdict] = {
        "nested in a field": RefusedAs(DataError, "an object where a value belongs")
    }
    yield from items(Vendor.NETSUITE, Ask.LIST, page(row(foreigntotal=MARK)), _UNREADABLE, {**_PAGES, **_MOVED, **_WIRE, **nested},
        taken=ReadAs(("1",), ("10.00",)))  # fmt: skip
    yield from _lists()


def row(**more: Json) -> dict[str, Json]:
    """One invoice of the day, by SuiteQL."""
    return {"id": "1", "lastmodifieddate": "2026-09-15 11:00:00", "foreigntotal": "10.00", **more}


def page(*rows: dict[str, Json], **more: Json) -> bytes:
    """A page of SuiteQL. more: members that are otherwise than they should be; None = absent."""
    told: dict[str, Json] = {
        "items": list(rows),
        "hasMore": False,
        "count": len(rows),
        "offset": 0,
        "totalResults": len(rows),
    }
    return encoded({name: value for name, value in {**told, **more}.items() if value is not None})


def _item(
    ask: Ask, name: str, what: str, body: bytes, verdict: Verdict, status: int = 200, **headers: str
) -> BodyItem:
    given = tuple((key.replace("_", "-"), value) for key, value in headers.items())
    return BodyItem(name, Vendor.NETSUITE, ask, what, Sent(body, status, given), verdict)


def _list(name: str, what: str, body: bytes, verdict: Verdict) -> BodyItem:
    return _item(Ask.LIST, name, what, body, verdict)


def _lists() -> Iterator[BodyItem]:
    yield _list("list for an object", "the rows without their page", encoded([row()]), _UNREADABLE)
    yield _list("null", "JSON null", b"null", _UNREADABLE)
    yield _list("no items", "the list is missing", page(items=None), _UNREADABLE)
    yield _list("items no list", "an object where the list belongs", page(items={}), _UNREADABLE)
    yield _list("items of text", "texts where rows belong", page(items=["1"]), _UNREADABLE)
    yield _list(
        "counts more",
        "it counts 5 rows and holds one",
        page(row(), count=5),
        RefusedAs(TransientError, "says 5 rows"),
    )
    yield _list("total of more", "it has 7 rows in all, no more to come, and holds one", page(row(), totalResults=7),
        RefusedAs(TransientError, "counts 7 rows"))  # fmt: skip
    yield _list(
        "offset of another",
        "it begins at row 1000",
        page(row(), offset=1000),
        RefusedAs(TransientError, "from 1000"),
    )
    yield _list(
        "more of nothing",
        "more to come, and no rows",
        page(hasMore=True),
        RefusedAs(TransientError, "repeated a page"),
    )
    yield _list("the same for ever", "more to come, and always the same page", page(row(), hasMore=True, totalResults=9),
        RefusedAs(TransientError, "repeated a page"))  # fmt: skip
    yield _list(
        "amount not a number",
        "the text NaN",
        page(row(foreigntotal="NaN")),
        RefusedAs(DataError, "foreigntotal is 'NaN'"),
    )
    yield _list(
        "amount without end",
        "the text Infinity",
        page(row(foreigntotal="Infinity")),
        RefusedAs(DataError, "'Infinity'"),
    )
    yield _list(
        "amount with a comma",
        "1,234.50",
        page(row(foreigntotal="1,234.50")),
        RefusedAs(DataError, "'1,234.50'"),
    )
    yield _list(
        "amount with underscore",
        "1_000.00",
        page(row(foreigntotal="1_000.00")),
        RefusedAs(DataError, "'1_000.00'"),
    )
    yield _list(
        "amount in other digits",
        "Arabic-Indic digits",
        page(row(foreigntotal="١٢.٣٤")),
        RefusedAs(DataError, "١٢"),
    )
    yield _list("amount of 30 digits", "more digits behind the point than are kept", page(row(foreigntotal="0." + "3" * 30)),
        RefusedAs(DataError, "cannot be stored"))  # fmt: skip
    yield _list(
        "amount too large", "1e400", page(row(foreigntotal="1e400")), RefusedAs(DataError, "cannot be stored")
    )
    yield _list("amount a bare number", "7.25 without quotes", page(row(foreigntotal=MARK)).replace(f'"{MARK}"'.encode(), b"7.25"),
        ReadAs(("1",), ("7.25",)))  # fmt: skip
    yield _list(
        "amount a list",
        "a list where a text belongs",
        page(row(foreigntotal=["10.00"])),
        RefusedAs(DataError, "list"),
    )
    yield _list("amount empty", "an empty text is none", page(row(foreigntotal="")), ReadAs(("1",), ("",)))
    yield _list(
        "id null", "a row without its id", page(row(id=None)), RefusedAs(DataError, "came without id")
    )
    yield _list("id a number", "an id as a number", page(row(id=7)), ReadAs(("7",)))
    yield _list("id twice", "a row that comes twice", page(row(), row()), ReadAs(("1",), ("10.00",)))
    yield _list(
        "no time of change",
        "a row without it",
        page(row(lastmodifieddate=None)),
        RefusedAs(DataError, "came without lastmodifieddate"),
    )
    yield _list("time of change in another style", "as people write it", page(row(lastmodifieddate="15/09/2026 11:00 AM")),
        RefusedAs(DataError, "15/09/2026"))  # fmt: skip
    yield _list("names in capitals", "names of columns in another case",
        page({name.upper(): value for name, value in row().items()}), ReadAs(("1",), ("10.00",)))  # fmt: skip
    yield _list(
        "escaped NUL",
        "a zero character, escaped, in a text",
        page(row(memo="a\x00b")),
        ReadAs(("1",), ("10.00",)),
    )
    yield _list("own error with 200", "an error of NetSuite's, as a success",
        encoded({"title": "Bad Request", "status": 400, "o:errorDetails": [{"detail": "No.", "o:errorCode": "X"}]}), _UNREADABLE)  # fmt: skip
