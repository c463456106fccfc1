"""Answers of Cin7 Omni that are not as they should be: lists and records of orders; and the verdicts.

Belongs here: cin7-omni.md 4 and 8 gone wrong. Does not belong here: answers to writes
(`malformed_bodies_cin7_writes`), carrying them out (`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

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
from ledger_pipelines_tests.faults.drills.malformed_scenes import encoded

_NO_JSON: Final = RefusedAs(TransientError, "cut or no JSON")
_NO_LIST: Final = RefusedAs(TransientError, "is no list of records")
_NO_RECORD: Final = RefusedAs(TransientError, "is no record")
_PAGE: Final = RefusedAs(TransientError, "a web page")
_MOVED: Final = RefusedAs(TransientError, "another address")
_NONE: Final = ReadAs(("none",))
_STANDS_BEFORE: Final[Mapping[str, Verdict]] = {
    "web page": _PAGE, "web page called JSON": _PAGE, "moved": _MOVED, "moved for good": _MOVED,
    "retry in the year 9999": RefusedAs(TransientError, "an error of the server"),
    "no gzip": RefusedAs(TransientError, "DecodingError"), "moved nowhere": RefusedAs(TransientError, "RemoteProtocolError"),
}  # fmt: skip


def corpus() -> Iterator[BodyItem]:
    """All of Cin7's answers to reads."""
    lists: dict[str, Verdict] = {**_STANDS_BEFORE, "text": _NO_LIST, "number": _NO_LIST}
    records: dict[str, Verdict] = {
        **_STANDS_BEFORE,
        "text": _NO_RECORD,
        "number": _NO_RECORD,
        "empty": _NONE,
        "blanks": _NONE,
    }
    yield from items(
        Vendor.CIN7,
        Ask.LIST,
        encoded([_order(total=MARK)]),
        _NO_JSON,
        lists,
        taken=ReadAs(("7",), ("10.00",)),
    )
    yield from _lists()
    yield from items(
        Vendor.CIN7,
        Ask.RECORD,
        encoded({"id": 5012, "total": MARK}),
        _NO_JSON,
        records,
        taken=ReadAs(("5012",)),
    )
    yield from _records()


# --- reading ---------------------------------------------------------------------------------------------------------


def _order(**more: Json) -> dict[str, Json]:
    """One order of the day."""
    return {"id": 7, "modifiedDate": "2026-09-15T11:00:00Z", "total": "10.00", **more}


def _rows(*rows: Json) -> bytes:
    return encoded(list(rows))


def _list(name: str, what: str, body: bytes, verdict: Verdict, status: int = 200) -> BodyItem:
    return BodyItem(name, Vendor.CIN7, Ask.LIST, what, Sent(body, status), verdict)


def _lists() -> Iterator[BodyItem]:
    read = ReadAs(("7",), ("10.00",))
    no_number = ReadAs(("7",), ("",), unread="which is no number")
    too_large = ReadAs(("7",), ("",), unread="too large a number")
    too_long = ReadAs(("7",), ("",))
    in_words = RefusedAs(PermanentError, "Missing or malformed")
    bare = f'"{MARK}"'.encode()
    yield _list(
        "object for a list",
        "words in place of the list, as a success",
        encoded({"message": "Missing or malformed where"}),
        in_words,
    )
    yield _list(
        "one bare",
        "an object where a list of one belongs",
        encoded(_order()),
        RefusedAs(PermanentError, "modifiedDate"),
    )
    yield _list("null", "JSON null", b"null", _NO_LIST)
    yield _list("rows of text", "texts where orders belong", _rows("7"), _NO_LIST)
    yield _list("lists in the list", "a list where an order belongs", _rows([_order()]), _NO_LIST)
    yield _list("one of them null", "an order and null", _rows(_order(), None), _NO_LIST)
    yield _list("204", "no content where a list is due", b"", _NO_JSON, 204)
    yield _list("a full page for ever", "250 rows, whatever is asked for", _rows(*(_order(id=n) for n in range(1, 251))),
        RefusedAs(TransientError, "a page came twice"))  # fmt: skip
    yield _list("none", "an empty list", _rows(), ReadAs(()))
    yield _list(
        "400", "refused, in Cin7's words", encoded({"message": "Missing or malformed where"}), in_words, 400
    )
    yield _list(
        "400 nested",
        "refused, and 100,000 lists in each other",
        b"[" * 100_000,
        RefusedAs(PermanentError, "[["),
        400,
    )
    yield _list(
        "401 without a word", "the login is refused", b"", RefusedAs(CredentialError, "HTTP 401"), 401
    )
    yield _list(
        "403",
        "the permission is missing",
        encoded({"message": "No."}),
        RefusedAs(CredentialError, "may not READ"),
        403,
    )
    yield _list("page with 403", "a firewall's page", b"<html>blocked</html>", _PAGE, 403)
    yield _list(
        "429 as JSON text",
        "throttled, a JSON text",
        b'"maximum admitted 3 per Second."',
        RefusedAs(TransientError, "429"),
        429,
    )
    yield _list(
        "429 of nobody", "throttled, and not UTF-8", b"tr\xe8s vite", RefusedAs(TransientError, "429"), 429
    )
    yield _list(
        "names in capitals",
        "fields as `Id`",
        _rows({"Id": 7, "ModifiedDate": "2026-09-15T11:00:00Z", "Total": "10.00"}),
        read,
    )
    yield _list(
        "id null", "an order without its id", _rows(_order(id=None)), RefusedAs(DataError, "has no id")
    )
    yield _list(
        "id a list",
        "a list where an id belongs",
        _rows(_order(id=[7])),
        RefusedAs(DataError, "which is no text"),
    )
    yield _list("id a text", "an id as a text", _rows(_order(id="7")), read)
    yield _list("id twice", "an order that comes twice", _rows(_order(), _order()), read)
    yield _list(
        "never changed",
        "no time of change",
        _rows(_order(modifiedDate=None)),
        RefusedAs(DataError, "last changed"),
    )
    yield _list("changed on no day", "the 45th of the 13th month", _rows(_order(modifiedDate="2026-13-45T11:00:00Z")),
        RefusedAs(DataError, "2026-13-45"))  # fmt: skip
    yield _list(
        "changed on another day",
        "a change the window was not asked for",
        _rows(_order(modifiedDate="2026-08-01T11:00:00Z")),
        ReadAs(()),
    )
    yield _list("amount NaN", "the text NaN", _rows(_order(total="NaN")), no_number)
    yield _list("amount Infinity", "the text -Infinity", _rows(_order(total="-Infinity")), no_number)
    yield _list("amount with a comma", "1,234.50", _rows(_order(total="1,234.50")), no_number)
    yield _list("amount with underscore", "1_000.00", _rows(_order(total="1_000.00")), no_number)
    yield _list("amount in other digits", "Arabic-Indic digits", _rows(_order(total="١٢.٣٤")), no_number)
    yield _list(
        "amount an object", "an object where an amount belongs", _rows(_order(total={"amount": 1})), no_number
    )
    yield _list(
        "amount too large",
        "1e400, a bare number",
        _rows(_order(total=MARK)).replace(bare, b"1e400"),
        too_large,
    )
    yield _list("amount of 30 digits", "30 digits behind the point, a bare number",
        _rows(_order(total=MARK)).replace(bare, b"0." + b"3" * 30), too_long)  # fmt: skip
    yield _list(
        "amount with an exponent",
        "1.25e1, a bare number",
        _rows(_order(total=MARK)).replace(bare, b"1.25e1"),
        ReadAs(("7",), ("12.5",)),
    )
    yield _list("escaped NUL", "a zero character, escaped", _rows(_order(stage="a\x00b")), read)


def _record(name: str, what: str, body: bytes, verdict: Verdict, status: int = 200) -> BodyItem:
    return BodyItem(name, Vendor.CIN7, Ask.RECORD, what, Sent(body, status), verdict)


def _records() -> Iterator[BodyItem]:
    yield _record("null", "null is none (cin7-omni.md 8)", b"null", _NONE)
    yield _record("204", "no content is none", b"", _NONE, 204)
    yield _record("false", "a flag is no record, and not none", b"false", _NO_RECORD)
    yield _record("nought", "0 is no record, and not none", b"0", _NO_RECORD)
    yield _record("list of one", "the record in a list", encoded([{"id": 5012}]), ReadAs(("5012",)))
    yield _record("list of two", "two records in a list", encoded([{"id": 5012}, {"id": 5013}]), _NO_RECORD)
    yield _record(
        "no id", "an object that is no record", encoded({"message": "An error has occurred."}), _NO_RECORD
    )
    yield _record("gone", "404 is none", encoded({"message": "Not found."}), _NONE, 404)
    yield _record("page with 404", "a page says nothing of the record", b"<html>not found</html>", _PAGE, 404)
