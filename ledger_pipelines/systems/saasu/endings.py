"""What Saasu's answer to a write means for the record concerned.

Belongs here: answer -> ending (reliability.md 1.3), Saasu's sentences -> stable codes. Does not belong here: sending (`writer`).
Facts: saasu.md 3 (two shapes of an error, 400 for nearly all), 4.2 (the answers' odd keys), 8.2 (sentences).

Saasu has no error codes and some of its sentences are not published, so they are told by parts of them, whatever the case;
one that is not recognised is refused all the same, in Saasu's own words.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    Ending,
    Exists,
    NotSent,
    Refused,
    Remote,
    Unknown,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import LedgerError, TransientError
from ledger_pipelines.systems.http import Answer, classify
from ledger_pipelines.systems.saasu.client import SaasuRefusedError

INSERTED: Final = {
    "company": "InsertedCompanyId",
    "contact": "InsertedContactId",
    "contactAggregate": "InsertedContactId",
    "item": "InsertedItemId",
    "invoice": "InsertedEntityId",
    "payment": "InsertedEntityId",
    "journal": "InsertedEntityId",
}
"""Where the answer to a POST tells the new id (saasu.md 4.2)."""

GONE: Final = "gone"
STALE: Final = "stale"
_EXISTS: Final = "exists"
_WORDS: Final = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (
        (STALE, r"changed since (it was )?last read"),
        ("negative-stock", r"negative stock"),
        ("locked-period", r"\block(ed|s)?\b.{0,40}(period|date)|(period|date).{0,60}\block"),
        (
            "overpayment",
            r"(exceed|more than|greater than).{0,40}\bowed\b|payments? applied exceed|overpa(id|y)",
        ),
        (
            _EXISTS,
            r"already have an? |number.{0,70}already|already.{0,30}\b(used|taken|exists?)\b|duplicate (invoice|item|code)",
        ),
        ("no-conversion", r"conversion from invoice to non invoice"),
        ("no-bank-account", r"bank account does not exist"),
        (GONE, r"\brequested \w+ is not found"),
    )
)


def code_of(text: str) -> str:
    """The stable code of one of Saasu's sentences; "saasu-refused" for any other."""
    return next((code for code, pattern in _WORDS if pattern.search(text)), "saasu-refused")


def refused(answer: Answer, error: LedgerError, action: Action) -> Ending:
    """The ending of an answer to a write that is not a success.

    Args:
        answer: Saasu's, or a gateway's.
        error: What `SaasuClient.refusal` makes of it.
        action: What was wanted.
    """
    if isinstance(error, TransientError) and error.code == "throttled":
        return NotSent(str(error), error.retry_after)
    general = classify(answer)
    if general is not None:
        return general
    text = error.text if isinstance(error, SaasuRefusedError) else str(error)
    return refused_words(text, answer.status, action)


def refused_words(text: str, status: int, action: Action) -> Ending:
    """The ending of a refusal in Saasu's own words."""
    if status == 403:
        return Refused("feature-missing", f"{text} (The file's plan does not have what this record needs.)")
    code = code_of(text)
    if status == 404 or code == GONE:
        return Refused("not-found" if action is Action.CREATE else GONE, text)
    if code == STALE:
        return NotSent(f"{text} It is read again before the next attempt.")
    if code == _EXISTS:
        return Exists(text) if action is Action.CREATE else Refused("already-used", text)
    return Refused(code, text)


def read_result(answer: Answer) -> dict[str, Json] | None:
    """The body of a success; None when it cannot be read."""
    try:
        body = answer.json()
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None


def created(answer: Answer, kind: str, external_id: str, number: str) -> Ending:
    """The ending of a successful POST. number: as it was sent; Saasu's own counts first."""
    body = read_result(answer)
    told = None if body is None else body.get(INSERTED[kind])
    if body is None or isinstance(told, bool) or not isinstance(told, int | str) or not _is_id(str(told)):
        return Unknown(f"HTTP {answer.status} without the new record's id.")
    generated = body.get("GeneratedInvoiceNumber")
    own = str(generated) if isinstance(generated, int | str) and generated else number
    return Confirmed(Remote(str(told), external_id, own))


def _is_id(text: str) -> bool:
    """Whether it is the number of a record; 0 is none."""
    return text.isascii() and text.isdecimal() and int(text) > 0


def changed(answer: Answer, remote: Remote) -> Ending:
    """The ending of a successful PUT: every one of them tells the new `LastUpdatedId`."""
    body = read_result(answer)
    if body is None or not body.get("LastUpdatedId"):
        return Unknown(f"HTTP {answer.status} without the record's new state.")
    return Confirmed(remote)


def deleted(answer: Answer, remote: Remote) -> Ending:
    """The ending of a successful DELETE."""
    if read_result(answer) is None:
        return Unknown(f"HTTP {answer.status} without a word of Saasu.")
    return Confirmed(remote)
