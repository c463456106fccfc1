"""What Cin7's answer to a write means for each record concerned.

Belongs here: answer -> endings (reliability.md 1.3), Cin7's words -> stable codes. Does not belong here: sending (`writer`).
Facts: cin7-omni.md 1.5 (200 is no success), 7 (one result a record, two forms of a duplicate), 8 (errors).

Cin7's sentences are not published (cin7-omni.md 14): they are told by parts of them, whatever the case; one that is not
recognised is refused all the same, in Cin7's own words.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

import msgspec

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    Ending,
    Exists,
    Prepared,
    Refused,
    Remote,
    Unknown,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.systems.cin7.records import Record, camel
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.secrets import Redactor

GONE: Final = "gone"
REFUSED: Final = "cin7-refused"
NO_WORDS: Final = "no-words"
_DUPLICATE = re.compile(r"already\s+(exist|in use|used|taken)|duplicate|(must be|not) unique", re.IGNORECASE)
_WORDS: Final = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (
        (GONE, r"not\s+found|does\s+not\s+exist|no\s+longer\s+exists"),
        ("locked", r"\block(ed)?\b"),
        ("void", r"\bvoid(ed)?\b"),
        ("too-long", r"(maximum|max)\s+length|too\s+long|exceeds?\s.{0,30}characters"),
    )
)


@dataclass(frozen=True, slots=True)
class Result:
    """What Cin7 says of one record. success: None = it does not say. id: "" = none."""

    success: bool | None
    id: str
    code: str
    text: str


def is_duplicate(text: str) -> bool:
    """Whether words say that there is such a record already (cin7-omni.md 7)."""
    return _DUPLICATE.search(text) is not None


def results(answer: Answer, count: int, redactor: Redactor) -> list[Result | None] | None:
    """Results in the order of the records sent, None where one is missing or told twice; None = the answer cannot be read.

    A record is refused with status 200, in words that people read: they may repeat the login.
    """
    try:
        body = camel(answer.json())
    except msgspec.DecodeError:
        return None
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        return None
    rows = [one for one in body if isinstance(one, dict)]
    places = [row.get("index") for row in rows]
    if len(rows) == count and all(place is None for place in places):
        return [_result(row, redactor) for row in rows]
    found: list[Result | None] = []
    for place in range(count):
        mine = [row for row in rows if _is(row.get("index"), place)]
        found.append(_result(mine[0], redactor) if len(mine) == 1 else None)
    return found


def _is(index: Json, place: int) -> bool:
    return not isinstance(index, bool) and str(index) == str(place)


def _result(row: Record, redactor: Redactor) -> Result:
    told, key, errors = row.get("success"), row.get("id"), row.get("errors")
    success = told if isinstance(told, bool) else {"true": True, "false": False}.get(str(told).lower())
    words = (
        [str(one) for one in errors if one] if isinstance(errors, list) else [str(errors)] if errors else []
    )
    known = (
        isinstance(key, int | str) and not isinstance(key, bool) and str(key).isdecimal() and str(key) != "0"
    )
    code = row.get("code")
    text = redactor.clean("; ".join(words))
    return Result(success, str(key) if known else "", "" if code is None else str(code).strip(), text)


def ending_of(result: Result | None, prepared: Prepared, target: str) -> Ending:
    """The ending of one record. target: the id that was sent; "" for a creation."""
    effect = prepared.effect
    if result is None:
        return Unknown("Cin7's answer says nothing of this record.")
    if result.success is False:
        if not result.text:
            return Refused(NO_WORDS, "Cin7 refused it without a word.")
        return refused_words(result.text, effect.action)
    if result.success is None:
        return Unknown(f"Cin7's answer does not say whether it was written ({result.text or 'no words'}).")
    if target and result.id and result.id != target:
        return Unknown(f"Cin7's answer is about record {result.id}, {target} was meant.")
    if not target and not result.id:
        return Unknown("Cin7 says that it was written, and gives no id.")
    return Confirmed(Remote(result.id or target, effect.external_id, result.code))


def apart(found: list[Ending]) -> list[Ending]:
    """The endings of creations of one call; those that tell one id of several records are unknown: one of them is wrong."""
    ids = Counter(one.remote.remote_id for one in found if isinstance(one, Confirmed))
    return [
        Unknown(f"Cin7 gives the same id, {one.remote.remote_id}, to several records.")
        if isinstance(one, Confirmed) and ids[one.remote.remote_id] > 1
        else one
        for one in found
    ]


def refused_words(text: str, action: Action) -> Ending:
    """The ending of a refusal in Cin7's own words."""
    if is_duplicate(text):
        return Exists(text) if action is Action.CREATE else Refused("already-used", text)
    code = next((code for code, pattern in _WORDS if pattern.search(text)), REFUSED)
    return Refused("not-found" if code == GONE and action is Action.CREATE else code, text)
