"""Answers of NetSuite to writes that are not as they should be: single records, batches, a token before a write; and the verdicts.

Belongs here: netsuite.md 4.10 and 5 gone wrong. Does not belong here: answers to reads (`malformed_bodies_netsuite`), carrying
them out (`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ledger_pipelines.documents.effects import (
    Confirmed,
    CredentialsRefused,
    Exists,
    NotSent,
    Refused,
    Unknown,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines_tests.faults.drills.malformed_bodies import Ask, BodyItem, EndsAs, Sent, Vendor
from ledger_pipelines_tests.faults.drills.malformed_bodies_any import MARK, items
from ledger_pipelines_tests.faults.drills.malformed_bodies_netsuite import token
from ledger_pipelines_tests.faults.drills.malformed_scenes import encoded

_UNKNOWN: Final = EndsAs((Unknown,), "HTTP")
_NO_ADDRESS: Final = EndsAs((Unknown,), "without the new record's address")
_CUT_OFF: Final = EndsAs((Unknown,), "may have been applied")
_BOTH: Final = EndsAs((Unknown, Unknown), "HTTP")
_NOT_SENT: Final = EndsAs((NotSent,), "token answer", calls=0)
_RECORD: Final = "https://9123456-sb2.suitetalk.api.netsuite.com/services/rest/record/v1/customerPayment/900"
_WIRE: Final[Mapping[str, EndsAs]] = {"no gzip": _CUT_OFF, "moved nowhere": _CUT_OFF}


def corpus() -> Iterator[BodyItem]:
    """All of NetSuite's answers to writes."""
    yield from items(Vendor.NETSUITE, Ask.WRITE, encoded({"id": MARK}), _UNKNOWN, _WIRE)
    yield from _single()
    yield from _batch()
    yield from _login()


def _own(code: str, detail: str, status: int = 400) -> bytes:
    details: list[Json] = [{"detail": detail, "o:errorCode": code}]
    return encoded({"title": "Bad Request", "status": status, "o:errorDetails": details})


def _item(
    ask: Ask, name: str, what: str, status: int, body: bytes, verdict: EndsAs, headers: Mapping[str, str] | None = None
) -> BodyItem:  # fmt: skip
    return BodyItem(
        name, Vendor.NETSUITE, ask, what, Sent(body, status, tuple((headers or {}).items())), verdict
    )


def _one(
    name: str, what: str, status: int, body: bytes, verdict: EndsAs, headers: Mapping[str, str] | None = None
) -> BodyItem:  # fmt: skip
    return _item(Ask.WRITE, name, what, status, body, verdict, headers)


def _single() -> Iterator[BodyItem]:
    refused, exists = EndsAs((Refused,), "You must enter"), EndsAs((Exists,), "already exists")
    busy, login = EndsAs((NotSent,), "slow down"), EndsAs((CredentialsRefused,), "401")
    yield _one("right", "204 with the address", 204, b"", EndsAs((Confirmed,), ""), {"Location": _RECORD})
    yield _one("right with garbage", "the address, and a body that is none", 200, b"\xff\xfe{", EndsAs((Confirmed,), ""),
        {"Location": _RECORD})  # fmt: skip
    yield _one("page with an address", "a page of a gateway, though it names the record", 200, b"<html>", _UNKNOWN,
        {"Location": _RECORD, "Content-Type": "text/html"})  # fmt: skip
    yield _one("204 without an address", "no content and no address", 204, b"", _NO_ADDRESS)
    yield _one(
        "address is none", "one that no program can read", 204, b"", _NO_ADDRESS, {"Location": "https://[::1"}
    )
    yield _one(
        "address without an id", "it ends before the id", 204, b"", _NO_ADDRESS, {"Location": _RECORD[:-4]}
    )
    yield _one(
        "address of a word",
        "an id that is no number",
        204,
        b"",
        _NO_ADDRESS,
        {"Location": f"{_RECORD[:-3]}new"},
    )
    yield _one("address too long", "70,000 characters", 204, b"", _NO_ADDRESS, {"Location": "9" * 70_000})
    yield _one(
        "accepted for later", "202 with the record's address", 202, b"", _NO_ADDRESS, {"Location": _RECORD}
    )
    yield _one(
        "refused", "400 in NetSuite's words", 400, _own("USER_ERROR", "You must enter a value."), refused
    )
    yield _one(
        "exists",
        "400: such a record already exists",
        400,
        _own("USER_ERROR", "This record already exists."),
        exists,
    )
    yield _one("refusal cut", "400 whose error is cut", 400, _own("USER_ERROR", "You must")[:-9], _UNKNOWN)
    yield _one(
        "refusal in Latin-1",
        "400 whose error is not UTF-8",
        400,
        b'{"title":"caf\xe9","status":400}',
        _UNKNOWN,
    )
    yield _one("refusal nested", "400, and 100,000 lists in each other", 400, b"[" * 100_000, _UNKNOWN)
    yield _one("refusal a list", "400 and a list of errors", 400, encoded([{"detail": "No."}]), _UNKNOWN)
    yield _one("refusal null", "400 and null", 400, b"null", _UNKNOWN)
    yield _one(
        "refusal of a gateway", "400 in other words", 400, encoded({"error": "bad gateway request"}), _UNKNOWN
    )
    yield _one("details a text", "400 whose details are a text: its title counts", 400,
        encoded({"title": "You must enter a value.", "status": 400, "o:errorDetails": "x"}), refused)  # fmt: skip
    yield _one("details null inside", "400 whose details hold null", 400,
        encoded({"title": "You must enter a value.", "status": 400, "o:errorDetails": [None]}), refused)  # fmt: skip
    yield _one("page with 403", "a firewall's page", 403, b"<html>blocked</html>", _UNKNOWN)
    yield _one("403 of nobody", "403 and an empty object", 403, b"{}", _UNKNOWN)
    yield _one("404 of nobody", "404 without a word", 404, b"", _UNKNOWN)
    yield _one("401 without a word", "401 and nothing", 401, b"", login)
    yield _one("page with 401", "401 and a page", 401, b"<html>log in</html>", login)
    yield _one("page with 429", "429 and a page", 429, b"<html>slow</html>", busy)
    yield _one(
        "429 until never", "429 whose wait no clock can hold", 429, b"", busy, {"Retry-After": "9" * 40}
    )
    yield _one("429 for less than nothing", "429 and a wait of -5", 429, b"", busy, {"Retry-After": "-5"})
    yield _one(
        "500 in its own words",
        "it may have been written all the same",
        500,
        _own("UNEXPECTED_ERROR", "Sorry.", 500),
        _UNKNOWN,
    )
    yield _one(
        "500 with an address", "an error that names the record", 500, b"", _UNKNOWN, {"Location": _RECORD}
    )


def _two(
    name: str, what: str, status: int, body: bytes, verdict: EndsAs, headers: Mapping[str, str] | None = None
) -> BodyItem:  # fmt: skip
    return _item(Ask.BATCH, name, what, status, body, verdict, headers)


def _batch() -> Iterator[BodyItem]:
    no_job = EndsAs((Unknown, Unknown), "without its job")
    yield _two("accepted without a job", "202 and no address", 202, b"", no_job)
    yield _two(
        "job is none",
        "202 and an address that no program can read",
        202,
        b"",
        no_job,
        {"Location": "https://[::1"},
    )
    yield _two(
        "job of another kind", "202 and the address of a record", 202, b"", no_job, {"Location": _RECORD}
    )
    yield _two("done at once", "200 and the records", 200, encoded([{"id": "1"}, {"id": "2"}]), no_job)
    yield _two("no content", "204 and nothing", 204, b"", no_job)
    yield _two("web page", "200 and a page", 200, b"<html>", _BOTH)
    yield _two(
        "moved", "302 to another host", 302, b"", _BOTH, {"Location": "https://elsewhere.example/batch"}
    )
    yield _two("submitted before", "this key was used, and the job is not told", 400,
        _own("IDEMPOTENCY_ERROR", "The key was used."), EndsAs((Unknown, Unknown), "submitted before"))  # fmt: skip
    yield _two("refusal cut", "400 whose error is cut", 400, _own("USER_ERROR", "No.")[:30], _BOTH)
    yield _two("refused whole", "400: nothing was done, so each is sent alone, and refused alone", 400,
        _own("USER_ERROR", "You must enter a value."), EndsAs((Refused, Refused), "You must enter", calls=3))  # fmt: skip
    yield _two("429", "too many calls", 429, b"", EndsAs((NotSent, NotSent), "slow down"))


def _before(name: str, what: str, status: int, body: bytes, verdict: EndsAs = _NOT_SENT) -> BodyItem:
    return _item(Ask.LOGIN_TO_WRITE, name, what, status, body, verdict)


def _login() -> Iterator[BodyItem]:
    yield _before("web page", "a page in place of the token", 200, b"<html>maintenance</html>")
    yield _before("empty", "200 and no body", 200, b"")
    yield _before("nested without end", "100,000 lists in each other", 200, b"[" * 100_000)
    yield _before("Latin-1", "a text that is not UTF-8", 200, b'{"access_token":"caf\xe9"}')
    yield _before("token not ASCII", "what fits no header", 200, token(access_token="t\xf6k"))
    yield _before("lasts for ever", "longer than a clock can tell", 200, token(expires_in=10**18))
    yield _before("moved", "302", 302, b"")
    yield _before("refused", "400 in OAuth's words", 400, encoded({"error": "invalid_grant"}),
        EndsAs((CredentialsRefused,), "refuses a token", calls=0))  # fmt: skip
