"""Answers of NetSuite to reads that are not as they should be: tokens, pages of SuiteQL, records; and the verdicts.

Belongs here: netsuite.md 3, 4 and 7 gone wrong. Does not belong here: answers to writes (`malformed_bodies_netsuite_writes`),
carrying them out (`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, DataError, PermanentError, TransientError
from ledger_pipelines_tests.faults.drills.malformed_bodies import (
    Ask,
    BodyItem,
    ReadAs,
    RefusedAs,
    Sent,
    Vendor,
    Verdict,
)
from ledger_pipelines_tests.faults.drills.malformed_bodies_any import MARK, items
from ledger_pipelines_tests.faults.drills.malformed_scenes import BAD_DAY, encoded, good_id

_UNREADABLE = RefusedAs(TransientError, "cannot be read")
_PAGE = RefusedAs(TransientError, "a web page in place of an answer")
_ELSEWHERE = RefusedAs(TransientError, "another address")
_GAVE_UP = RefusedAs(TransientError, "Gave up after 6 attempts")
_PAGES = {"web page": _PAGE, "web page called JSON": _PAGE}
_MOVED = {"moved": _ELSEWHERE, "moved for good": _ELSEWHERE}
_WIRE = {
    "no gzip": _GAVE_UP,
    "moved nowhere": _GAVE_UP,
    "retry in the year 9999": _GAVE_UP,
}


def corpus() -> Iterator[BodyItem]:
    """All of NetSuite's."""
    nested: dict[str, Verdict] = {
        "nested in a field": RefusedAs(DataError, "an object where a value belongs")
    }
    yield from items(Vendor.NETSUITE, Ask.LIST, page(row(foreigntotal=MARK)), _UNREADABLE, {**_PAGES, **_MOVED, **_WIRE, **nested},
        taken=ReadAs(("1",), ("10.00",)))  # fmt: skip
    yield from _lists()
    no_json = RefusedAs(TransientError, "cut or no JSON")
    no_record = RefusedAs(TransientError, "is no record")
    plain = {"text": no_record, "number": no_record}
    yield from items(Vendor.NETSUITE, Ask.RECORD, encoded({"id": "5012", "total": MARK}), no_json,
        {**_PAGES, **_MOVED, **_WIRE, **plain}, taken=ReadAs(("5012",)))  # fmt: skip
    yield from _records(no_record)
    no_token = RefusedAs(TransientError, "token answer for connection 'netsuite-a' cannot be read")
    yield from items(
        Vendor.NETSUITE, Ask.LOGIN, token(more=MARK), no_token, _WIRE, taken=ReadAs((good_id(BAD_DAY),))
    )
    yield from _tokens(no_token)


def token(**more: Json) -> bytes:
    """A token; more: members that are otherwise; None = absent."""
    told: dict[str, Json] = {"access_token": "good-token", "expires_in": "3600", "token_type": "bearer"}
    return encoded({name: value for name, value in {**told, **more}.items() if value is not None})


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


def _record(name: str, what: str, body: bytes, verdict: Verdict, status: int = 200) -> BodyItem:
    return _item(Ask.RECORD, name, what, body, verdict, status)


def _records(no_record: RefusedAs) -> Iterator[BodyItem]:
    own = encoded({"title": "Not Found", "status": 404, "o:errorDetails": [{"detail": "No such record.", "o:errorCode": "NONEXISTENT_ID"}]})  # fmt: skip
    yield _record("null", "JSON null", b"null", no_record)
    yield _record("list for an object", "a list with the record", encoded([{"id": "5012"}]), no_record)
    yield _record(
        "204", "no content where a record is due", b"", RefusedAs(TransientError, "cut or no JSON"), 204
    )
    yield _record("gone", "404 in NetSuite's words", own, RefusedAs(PermanentError, "No such record"), 404)
    yield _record(
        "404 of a gateway", "404 in nobody's words", b"{}", RefusedAs(TransientError, "HTTP 404"), 404
    )
    yield _record("error cut", "400 whose error is cut", own[:40], RefusedAs(TransientError, "HTTP 400"), 400)
    yield _record("error of another shape", "400 whose details are a text",
        encoded({"title": "Bad Request", "status": 400, "o:errorDetails": "busy"}), RefusedAs(PermanentError, "Bad Request"), 400)  # fmt: skip


def _token(
    name: str, what: str, body: bytes, verdict: Verdict, status: int = 200, **headers: str
) -> BodyItem:
    return _item(Ask.LOGIN, name, what, body, verdict, status, **headers)


def _tokens(no_token: RefusedAs) -> Iterator[BodyItem]:
    refused = RefusedAs(CredentialError, "refuses a token")
    yield _token("list for an object", "a list with the token", b"[" + token() + b"]", no_token)
    yield _token("no token", "the token is missing", token(access_token=None), no_token)
    yield _token("token a number", "17", token(access_token=17), no_token)
    yield _token("token empty", "no character", token(access_token=""), no_token)
    yield _token("token not ASCII", "what fits no header", token(access_token="t\xf6k"), no_token)
    yield _token(
        "token with a header",
        "a line end and a header behind it",
        token(access_token="t\r\nX-Other: 1"),
        no_token,
    )
    yield _token("lasts for ever", "longer than a clock can tell", token(expires_in=10**18), no_token)
    yield _token("lasts a text", "soon", token(expires_in="soon"), no_token)
    yield _token("over already", "less than no time", token(expires_in=-5), no_token)
    yield _token("refused with 200", "an error as a success", encoded({"error": "invalid_grant"}), no_token)
    yield _token("refused", "400 in OAuth's words", encoded({"error": "invalid_grant"}), refused, 400)
    yield _token("refused without a word", "401 and nothing", b"", refused, 401)
    yield _token(
        "page with 400", "a page, which says nothing of the login", b"<html>no</html>", no_token, 400
    )
