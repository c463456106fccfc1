"""Answers of Saasu that are not as they should be: logins, lists and records of invoices; and the verdicts.

Belongs here: saasu.md 1 to 4 gone wrong; an error is a bare text or a JSON one. Does not belong here: answers to writes
(`malformed_bodies_saasu_writes`), carrying them out (`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ledger_pipelines.documents.effects import (
    CredentialsRefused,
    NotSent,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import (
    CredentialError,
    DataError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
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
from ledger_pipelines_tests.faults.drills.malformed_scenes import BAD_DAY, encoded, good_id

_NO_JSON: Final = RefusedAs(TransientError, "cut or no JSON")
_NO_LIST: Final = RefusedAs(TransientError, "has no list Invoices")
_PAGE: Final = RefusedAs(TransientError, "a web page")
_MOVED: Final = RefusedAs(TransientError, "another address")
_FAILED: Final = RefusedAs(TransientError, "without words of Saasu")
_UNREADABLE: Final = RefusedAs(UnknownOutcomeError, "cannot be read")
_NO_RECORD: Final = RefusedAs(UnknownOutcomeError, "is no record")
_NO_TOKEN: Final = RefusedAs(TransientError, "token answer for connection 'saasu-a' cannot be read")
_GAVE_UP: Final = RefusedAs(TransientError, "Gave up after 3 attempts")
_NONE: Final = ReadAs(("none",))
_STANDS_BEFORE: Final[Mapping[str, Verdict]] = {
    "web page": _PAGE, "moved": _MOVED, "moved for good": _MOVED, "retry in the year 9999": _FAILED, "web page called JSON": _PAGE,
    "no gzip": RefusedAs(TransientError, "DecodingError"), "moved nowhere": RefusedAs(TransientError, "RemoteProtocolError"),
}  # fmt: skip
_LOGIN_WIRE: Final[Mapping[str, Verdict]] = {
    "no gzip": _GAVE_UP, "moved nowhere": _GAVE_UP, "retry in the year 9999": _GAVE_UP,
}  # fmt: skip


def corpus() -> Iterator[BodyItem]:
    """All of Saasu's answers to reads."""
    lists: dict[str, Verdict] = {**_STANDS_BEFORE, "text": _NO_LIST, "number": _NO_LIST}
    records: dict[str, Verdict] = {
        **_STANDS_BEFORE,
        "text": _NO_RECORD,
        "number": _NO_RECORD,
        "empty": _NONE,
        "blanks": _NONE,
    }
    yield from items(
        Vendor.SAASU,
        Ask.LIST,
        _page(_row(TotalAmount=MARK)),
        _NO_JSON,
        lists,
        taken=ReadAs(("7",), ("10.00",)),
    )
    yield from _lists()
    yield from items(Vendor.SAASU, Ask.RECORD, encoded({"TransactionId": 5012, "TotalAmount": MARK}), _UNREADABLE, records,
        taken=ReadAs(("5012",)))  # fmt: skip
    yield from _records()
    yield from items(
        Vendor.SAASU, Ask.LOGIN, _grant(more=MARK), _NO_TOKEN, _LOGIN_WIRE, taken=ReadAs((good_id(BAD_DAY),))
    )
    yield from _logins()


# --- reading ---------------------------------------------------------------------------------------------------------


def _row(**more: Json) -> dict[str, Json]:
    """One invoice of the day."""
    return {"TransactionId": 7, "LastModifiedDateUtc": "2026-09-15T11:00:00Z", "TotalAmount": "10.00", **more}


def _page(*rows: Json, **more: Json) -> bytes:
    return encoded({"Invoices": list(rows), "_links": [], **more})


def _list(name: str, what: str, body: bytes, verdict: Verdict, status: int = 200) -> BodyItem:
    return BodyItem(name, Vendor.SAASU, Ask.LIST, what, Sent(body, status), verdict)


def _lists() -> Iterator[BodyItem]:
    read = ReadAs(("7",), ("10.00",))
    no_number = ReadAs(("7",), ("",), unread="which is no number")
    too_large = ReadAs(("7",), ("",), unread="too large a number")
    too_long = ReadAs(("7",), ("",))
    yield _list("list for an object", "the rows alone", encoded([_row()]), _NO_LIST)
    yield _list("null", "JSON null", b"null", _NO_LIST)
    yield _list("no Invoices", "the list is missing", encoded({"_links": []}), _NO_LIST)
    yield _list("another list", "the list of another kind", encoded({"Items": [_row()]}), _NO_LIST)
    yield _list("Invoices null", "null where the list belongs", encoded({"Invoices": None}), _NO_LIST)
    yield _list("rows of text", "texts where rows belong", _page("7"), _NO_LIST)
    yield _list("204", "no content where a list is due", b"", _NO_JSON, 204)
    yield _list("none", "an empty list", _page(), ReadAs(()))
    link: Json = [{"rel": "next", "href": "x"}]
    loop = RefusedAs(TransientError, "a page came twice")
    yield _list("more of nothing", "a link to the next page, and no rows, for ever", _page(_links=link), loop)
    yield _list(
        "the same for ever", "a link to the next page, which is the same", _page(_row(), _links=link), loop
    )
    yield _list(
        "a full page for ever",
        "100 rows, whatever page is asked for",
        _page(*(_row(TransactionId=n) for n in range(1, 101))),
        loop,
    )
    yield _list("links of nobody", "links that are no list", _page(_row(), _links="next"), read)
    yield _list(
        "error as text",
        "400, bare text",
        b"The file is being upgraded.",
        RefusedAs(PermanentError, "being upgraded"),
        400,
    )
    yield _list(
        "error as JSON text",
        "400, a JSON text",
        b'"The file is being upgraded."',
        RefusedAs(PermanentError, "being upgraded"),
        400,
    )
    yield _list(
        "error nested",
        "400, and 100,000 lists in each other",
        b"[" * 100_000,
        RefusedAs(PermanentError, "[["),
        400,
    )
    yield _list(
        "error with 200", "an error's sentence as a success", b'"The file is being upgraded."', _NO_LIST
    )
    yield _list(
        "401 without a word", "the login is refused", b"", RefusedAs(CredentialError, "HTTP 401"), 401
    )
    yield _list(
        "403 without a word",
        "blocked, as far as is known",
        b"",
        RefusedAs(TransientError, "throttled or blocked"),
        403,
    )
    yield _list(
        "503 of limits",
        "a limit's words",
        b"Daily limit exceeded",
        RefusedAs(TransientError, "throttled"),
        503,
    )
    yield _list(
        "id null",
        "an invoice without its id",
        _page(_row(TransactionId=None)),
        RefusedAs(DataError, "has no TransactionId"),
    )
    yield _list(
        "id a list",
        "a list where an id belongs",
        _page(_row(TransactionId=[7])),
        RefusedAs(DataError, "which is no text"),
    )
    yield _list("id a text", "an id as a text", _page(_row(TransactionId="7")), read)
    yield _list("id twice", "an invoice that comes twice", _page(_row(), _row()), read)
    yield _list("id twice, changed", "the later change of two counts",
        _page(_row(TotalAmount="12.00", LastModifiedDateUtc="2026-09-15T11:30:00Z"), _row()), ReadAs(("7",), ("12.00",)))  # fmt: skip
    yield _list(
        "never changed",
        "no time of change",
        _page(_row(LastModifiedDateUtc=None)),
        read,
    )
    yield _list("changed on no day", "the 45th of the 13th month", _page(_row(TransactionDate="2026-09-15", LastModifiedDateUtc="2026-13-45T11:00:00")),
        ReadAs(("7",), ("10.00",), unread="2026-13-45"))  # fmt: skip
    yield _list("changed before time began", "a time whose UTC is no time", _page(_row(TransactionDate="2026-09-15", LastModifiedDateUtc="0001-01-01T00:00:00+14:00")),
        ReadAs(("7",), ("10.00",), unread="which is no point of time"))  # fmt: skip
    yield _list("amount NaN", "the text NaN", _page(_row(TotalAmount="NaN")), no_number)
    yield _list("amount Infinity", "the text Infinity", _page(_row(TotalAmount="Infinity")), no_number)
    yield _list("amount with a comma", "1,234.50", _page(_row(TotalAmount="1,234.50")), no_number)
    yield _list("amount with underscore", "1_000.00", _page(_row(TotalAmount="1_000.00")), no_number)
    yield _list("amount in other digits", "Arabic-Indic digits", _page(_row(TotalAmount="١٢.٣٤")), no_number)
    yield _list("amount true", "a flag where an amount belongs", _page(_row(TotalAmount=True)), no_number)
    yield _list(
        "amount too large",
        "1e400, a bare number",
        _page(_row(TotalAmount=MARK)).replace(f'"{MARK}"'.encode(), b"1e400"),
        too_large,
    )
    yield _list("amount of 30 digits", "30 digits behind the point, a bare number",
        _page(_row(TotalAmount=MARK)).replace(f'"{MARK}"'.encode(), b"0." + b"3" * 30), too_long)  # fmt: skip
    yield _list("escaped NUL", "a zero character, escaped", _page(_row(Summary="a\x00b")), read)


def _record(name: str, what: str, body: bytes, verdict: Verdict, status: int = 200) -> BodyItem:
    return BodyItem(name, Vendor.SAASU, Ask.RECORD, what, Sent(body, status), verdict)


def _records() -> Iterator[BodyItem]:
    yield _record("null", "null is none (saasu.md 5.8)", b"null", _NONE)
    yield _record("204", "no content is none", b"", _NONE, 204)
    yield _record(
        "list for an object", "a list with the record", encoded([{"TransactionId": 5012}]), _NO_RECORD
    )
    yield _record("gone", "404 is none", b'"The requested transaction is not found."', _NONE, 404)
    yield _record("page with 404", "a page says nothing of the record", b"<html>not found</html>", _PAGE, 404)


# --- login -----------------------------------------------------------------------------------------------------------


def _grant(**more: Json) -> bytes:
    told: dict[str, Json] = {
        "access_token": "good-token",
        "refresh_token": "r",
        "expires_in": 10_800,
        "scope": "full fileid:5150",
    }
    return encoded({name: value for name, value in {**told, **more}.items() if value is not None})


def _login(
    name: str, what: str, body: bytes, verdict: Verdict, status: int = 200, ask: Ask = Ask.LOGIN
) -> BodyItem:
    return BodyItem(name, Vendor.SAASU, ask, what, Sent(body, status), verdict)


def _logins() -> Iterator[BodyItem]:
    refused = RefusedAs(CredentialError, "the login is refused")
    not_sent = EndsAs((NotSent,), "token answer", calls=0)
    yield _login("no token", "the token is missing", _grant(access_token=None), _NO_TOKEN)
    yield _login("token not ASCII", "what fits no header", _grant(access_token="t\xf6k"), _NO_TOKEN)
    yield _login(
        "token with a line end", "a header behind it", _grant(access_token="t\r\nX-Other: 1"), _NO_TOKEN
    )
    yield _login("lasts for ever", "longer than a clock can tell", _grant(expires_in=10**18), _NO_TOKEN)
    yield _login("over already", "less than no time", _grant(expires_in=-1), _NO_TOKEN)
    yield _login("lasts a text", "a text where seconds belong", _grant(expires_in="soon"), _NO_TOKEN)
    yield _login("another file", "the login may not open this file", _grant(scope="full fileid:9"), RefusedAs(CredentialError, "may not open file 5150"))  # fmt: skip
    yield _login("two-factor", "a code by text message is wanted", encoded({"error": "2fa_code_required"}), RefusedAs(CredentialError, "two-factor"), 400)  # fmt: skip
    yield _login("refused in bare words", "400 that is no JSON", b"Invalid user", refused, 400)
    yield _login("refused by null", "401 and null", b"null", refused, 401)
    yield _login("refused in Latin-1", "400 that is not UTF-8", b'{"error":"caf\xe9"}', refused, 400)
    yield _login("page with 400", "a page says nothing of the login", b"<html>no</html>", _NO_TOKEN, 400)
    yield _login("404", "not found says nothing of the login", b"{}", _NO_TOKEN, 404)
    yield _login(
        "page", "a page in place of the token", b"<html>down</html>", not_sent, ask=Ask.LOGIN_TO_WRITE
    )
    yield _login("moved", "302", b"", not_sent, 302, Ask.LOGIN_TO_WRITE)
    yield _login(
        "Latin-1",
        "a grant that is not UTF-8",
        b'{"access_token":"caf\xe9"}',
        not_sent,
        ask=Ask.LOGIN_TO_WRITE,
    )
    yield _login(
        "token not ASCII",
        "what fits no header",
        _grant(access_token="t\xf6k"),
        not_sent,
        ask=Ask.LOGIN_TO_WRITE,
    )
    yield _login("refused", "400 and an object", encoded({"error": "invalid_grant"}),
        EndsAs((CredentialsRefused,), "refused", calls=0), 400, Ask.LOGIN_TO_WRITE)  # fmt: skip
