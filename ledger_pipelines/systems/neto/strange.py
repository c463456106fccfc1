"""Answers that are not Neto's own: a web page, half an answer, something else; what came, in words, and what to do about it.

Belongs here: telling them from Neto's own, and naming them. Does not belong here: whether the call is made again (`client`), what
becomes of a record (`writer`). Facts: neto.md 3.3 (every answer has `Ack`), 3.4 (a page with 200: wrong host or maintenance).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.systems.http import Answer

_TITLE: Final = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_ACKS: Final = frozenset({"success", "warning", "error"})
_SHOWN: Final = 60
"""Characters of a title, or of an answer's beginning, that are shown."""


@dataclass(frozen=True, slots=True)
class Strange:
    """What came in place of an answer, as the end of a sentence, and what to do."""

    text: str
    remedy: str


def decoded(answer: Answer) -> Mapping[str, Json] | None:
    """The body, when it is an object of Neto's own; a wrapper `{"<Action>Response": {...}}` is taken off."""
    if answer.is_html or not answer.body:
        return None
    try:
        body = answer.json()
    except msgspec.DecodeError:
        return None
    if isinstance(body, dict) and len(body) == 1:
        (inner,) = body.values()
        body = inner if _is_own(inner) else body
    return body if isinstance(body, dict) and _is_own(body) else None


def _is_own(body: Json) -> bool:
    """Whether it says how the call went, in one of Neto's three words (neto.md 3.3)."""
    return isinstance(body, dict) and str(body.get("Ack")).lower() in _ACKS


def strange(answer: Answer) -> Strange:
    """What an answer is that is not Neto's own."""
    text, remedy = _told(answer)
    return Strange(f"{text} (HTTP {answer.status})", remedy)


def _told(answer: Answer) -> tuple[str, str]:
    body = answer.body.strip()
    if answer.is_html:
        return f"a web page{_title(answer.body)} came in place of an answer", _PAGE
    if answer.instead:
        return answer.instead, _PAGE
    if not body:
        return "an empty answer came", _LATER
    try:
        answer.json()
    except msgspec.DecodeError as error:
        if body[:1] in (b"{", b"["):
            if "truncated" not in str(error):
                return f"an answer that cannot be read came ({error})", _LATER
            return (
                f"the answer was cut short: its JSON ends in the middle, after {len(answer.body):,} bytes",
                _CUT,
            )
        return f"an answer that is no JSON came, beginning with {_words(body)!r}", _LATER
    return "JSON came that is not Neto's: it has no Ack that says Success, Warning or Error", _LATER


_PAGE = (
    "Open the store's address in a browser: it may be under maintenance, or a firewall's page stands before it, or the "
    "connection's `store` is not its address. Nothing is lost; run again later."
)
_CUT = (
    "Nothing is lost; run again later. If it comes back, set a smaller `orders_a_page` of the connection: something between here "
    "and the store ends large answers."
)
_LATER = "Nothing is lost; run again later. If it comes back, ask whoever runs the store's website."


def _title(page: bytes) -> str:
    found = _TITLE.search(page)
    words = "" if found is None else _words(found[1])
    return f' titled "{words}"' if words else ""


def _words(raw: bytes) -> str:
    """The beginning, in one line."""
    text = " ".join(html.unescape(raw[: 8 * _SHOWN].decode("utf-8", "replace")).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
