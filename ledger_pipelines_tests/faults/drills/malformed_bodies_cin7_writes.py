"""Answers of Cin7 Omni to writes that are not as they should be: new orders by one and by two; and the verdicts.

Belongs here: cin7-omni.md 7 and 8 gone wrong; a success says of each record whether it was one. Does not belong here: answers
to reads (`malformed_bodies_cin7`), carrying them out (`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator
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
from ledger_pipelines_tests.faults.drills.malformed_bodies import (
    Ask,
    BodyItem,
    EndsAs,
    Sent,
    Vendor,
)
from ledger_pipelines_tests.faults.drills.malformed_bodies_any import MARK, items
from ledger_pipelines_tests.faults.drills.malformed_scenes import encoded

_UNKNOWN: Final = EndsAs((Unknown, Unknown), "HTTP")
_CUT_OFF: Final = EndsAs((Unknown, Unknown), "may have been applied")


def corpus() -> Iterator[BodyItem]:
    """All of Cin7's answers to writes."""
    yield from items(Vendor.CIN7, Ask.BATCH, _said(_done(0), _done(1, id=901, total=MARK)), _UNKNOWN,
        {"no gzip": _CUT_OFF, "moved nowhere": _CUT_OFF}, taken=EndsAs((Confirmed, Confirmed), ""))  # fmt: skip
    yield from _batches()
    yield from _singles()


def _done(index: Json, **more: Json) -> dict[str, Json]:
    """A result of one record."""
    return {"index": index, "success": True, "id": 900, "code": None, "errors": [], **more}


def _failed(index: Json, *errors: Json) -> dict[str, Json]:
    return _done(index, success=False, id=None, errors=list(errors))


def _said(*results: Json) -> bytes:
    return encoded(list(results))


def _wrote(ask: Ask, name: str, what: str, body: bytes, verdict: EndsAs, status: int = 200) -> BodyItem:
    return BodyItem(name, Vendor.CIN7, ask, what, Sent(body, status), verdict)


def _batches() -> Iterator[BodyItem]:
    good, second = EndsAs((Confirmed, Confirmed), ""), _done(1, id=901)
    one_told = EndsAs((Confirmed, Unknown), "says nothing of this record")
    whole = EndsAs((NotSent, NotSent), "one by one")
    told: list[tuple[str, str, bytes, EndsAs, int]] = [
        ("one refused", "success of the one, not of the other", _said(_done(0), _failed(1, "Branch is locked")), EndsAs((Confirmed, Refused), "locked"), 200),
        ("one exists", "not a success: there is such an order", _said(_done(0), _failed(1, "Reference already exists")), EndsAs((Confirmed, Exists), "already exists"), 200),
        ("refused without a word", "not a success, and not why: it is looked for, and is not there", _said(_done(0), _failed(1)), EndsAs((Confirmed, Refused), "no-words"), 200),
        ("fewer than sent", "one result of two", _said(_done(0)), one_told, 200),
        ("fewer without places", "one result of two, and not of which", _said(_done(None)), EndsAs((Unknown, Unknown), "says nothing"), 200),
        ("more than sent", "a third result", _said(_done(0), second, _done(2, id=902)), good, 200),
        ("out of range", "the second is called the eighth", _said(_done(0), _done(7, id=901)), one_told, 200),
        ("in another order", "the second first", _said(second, _done(0)), good, 200),
        ("one twice", "two results of the first, none of the second", _said(_done(0), _done(0, id=901)), EndsAs((Unknown, Unknown), "says nothing"), 200),
        ("places as text", "\"0\" and \"1\"", _said(_done("0"), _done("1", id=901)), good, 200),
        ("places as flags", "false and true", _said(_done(False), _done(True, id=901)), EndsAs((Unknown, Unknown), "says nothing"), 200),
        ("no places", "as many results as records, in their order", _said(_done(None), _done(None, id=901)), good, 200),
        ("success null", "null where true or false belongs", _said(_done(0, success=None), second), EndsAs((Unknown, Confirmed), "does not say"), 200),
        ("success a text", "\"true\"", _said(_done(0, success="true"), second), good, 200),
        ("success without an id", "written, and no id", _said(_done(0, id=None), second), EndsAs((Unknown, Confirmed), "gives no id"), 200),
        ("id nought", "written, and 0 is no id", _said(_done(0, id=0), second), EndsAs((Unknown, Confirmed), "gives no id"), 200),
        ("same id twice", "one id for two orders: one of both is wrong", _said(_done(0), _done(1)), EndsAs((Unknown, Unknown), "same id"), 200),
        ("errors a text", "a text where a list belongs", _said(_done(0), _done(1, success=False, errors="Branch is locked")), EndsAs((Confirmed, Refused), "locked"), 200),
        ("success with errors", "a success, with an error's words", _said(_done(0, errors=["Stock is low"]), second), good, 200),
        ("object for a list", "words in place of results, as a success", encoded({"message": "An error has occurred."}), _UNKNOWN, 200),
        ("one of them null", "a result and null", _said(_done(0), None), _UNKNOWN, 200),
        ("null", "JSON null", b"null", _UNKNOWN, 200),
        ("none", "an empty list", b"[]", EndsAs((Unknown, Unknown), "says nothing"), 200),
        ("204", "no content where results are due", b"", _UNKNOWN, 204),
        ("refused whole", "400: nothing was done; next time they go one by one", encoded({"message": "Missing or malformed JSON data"}), whole, 400),
        ("exists, whole", "400 for a duplicate that is not found: one by one next time", encoded({"message": "Reference already exists"}), whole, 400),
        ("page with 400", "a gateway's page", b"<html>bad request</html>", _UNKNOWN, 400),
        ("500 with results", "an error of the server around a success", _said(_done(0), second), _UNKNOWN, 500),
        ("408", "the server gave up waiting", b"", _UNKNOWN, 408),
        ("429", "throttled: not carried out", b'"maximum admitted 3 per Second."', EndsAs((NotSent, NotSent), "429"), 429),
        ("401", "the login is refused", b"", EndsAs((CredentialsRefused, CredentialsRefused), "401"), 401),
    ]  # fmt: skip
    yield from (_wrote(Ask.BATCH, *one) for one in told)


def _singles() -> Iterator[BodyItem]:
    told: list[tuple[str, str, bytes, EndsAs, int]] = [
        ("right", "one result", _said(_done(0)), EndsAs((Confirmed,), ""), 200),
        ("bare result", "an object where a list of one belongs", encoded(_done(0)), EndsAs((Unknown,), "HTTP 200"), 200),
        ("refused", "400 in Cin7's words", encoded({"message": "Branch is locked"}), EndsAs((Refused,), "locked"), 400),
        ("refused in Latin-1", "400 that is not UTF-8: refused all the same", b"R\xe9f\xe9rence absente ici", EndsAs((Refused,), "absente"), 400),
        ("refused, nested", "400 and 100,000 lists in each other: refused, its words cut", b"[" * 100_000, EndsAs((Refused,), "[["), 400),
        ("errors nested", "errors in lists in lists", _said(_failed(0, [["locked"]])), EndsAs((Refused,), "locked"), 200),
        ("page with 403", "a firewall's page", b"<html>blocked</html>", EndsAs((Unknown,), "HTTP 403"), 403),
        ("403", "the permission is missing", encoded({"message": "No."}), EndsAs((CredentialsRefused,), "may not WRITE"), 403),
        ("404 of nobody", "not found, and no page: refused", b"", EndsAs((Refused,), "HTTP 404"), 404),
    ]  # fmt: skip
    yield from (_wrote(Ask.WRITE, *one) for one in told)
