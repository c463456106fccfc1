"""NetSuite's error bodies, and what each asks for.

Belongs here: reading `o:errorDetails`, putting an error in a category. Does not belong here: what the engine
does about it (`sync`). Facts: netsuite.md 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, LedgerError, PermanentError, TransientError
from ledger_pipelines.systems.http import LATER, Answer


class Category(StrEnum):
    """What an error asks for."""

    RETRYABLE = "retryable"
    DUPLICATE = "duplicate"
    PERMISSION = "permission"
    VALIDATION = "validation"
    PERIOD = "period"
    CONCURRENCY = "concurrency"
    IDEMPOTENCY = "idempotency"
    UNKNOWN_OUTCOME = "unknown_outcome"


@dataclass(frozen=True, slots=True)
class Detail:
    """One of `o:errorDetails`. path: JSON path or query parameter it is about."""

    text: str
    code: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class NetSuiteProblem:
    """An answer that is not a success, read."""

    status: int
    own: bool
    """Whether NetSuite's own error body came (not a gateway's page)."""
    details: tuple[Detail, ...]

    @property
    def code(self) -> str:
        """The first detail's code, or the status."""
        return self.details[0].code if self.details and self.details[0].code else f"HTTP_{self.status}"

    @property
    def text(self) -> str:
        """All details in one sentence."""
        parts = [f"{d.text} [{d.path}]" if d.path else d.text for d in self.details]
        return "; ".join(p for p in parts if p) or f"HTTP {self.status}"

    @property
    def category(self) -> Category:
        """What to do about it."""
        return categorise(self.status, self.own, [d.code for d in self.details], self.text)


_DUPLICATE = re.compile(r"already exists|already been used|duplicate", re.IGNORECASE)
_PERIOD = re.compile(
    r"\bperiod\b.*\b(?:closed|locked)\b|\b(?:closed|locked)\b.*\bperiod\b", re.IGNORECASE | re.DOTALL
)
_BUSY = frozenset(
    {
        "CONCURRENCY_LIMIT_EXCEEDED",
        "SSS_REQUEST_LIMIT_EXCEEDED",
        "WS_REQUEST_BLOCKED",
        "REQUEST_LIMIT_EXCEEDED",
    }
)


def categorise(status: int, own: bool, codes: list[str], text: str) -> Category:
    """The category of an answer of that status, codes and text."""
    if status == 429 or _BUSY & set(codes):
        return Category.CONCURRENCY
    if status == 401 or (status == 403 and own):
        return Category.PERMISSION
    if not own or status >= 500 or status < 400:
        return Category.UNKNOWN_OUTCOME
    if "IDEMPOTENCY_ERROR" in codes:
        return Category.IDEMPOTENCY
    if any(code.startswith("INSUFFICIENT_PERMISSION") for code in codes):
        return Category.PERMISSION
    if _DUPLICATE.search(text) or any(code.startswith("DUP_") for code in codes):
        return Category.DUPLICATE
    if any(code.startswith("RCRD_HAS_BEEN_CHANGED") for code in codes):
        return Category.RETRYABLE
    if _PERIOD.search(text):
        return Category.PERIOD
    return Category.VALIDATION


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def read_problem(answer: Answer) -> NetSuiteProblem:
    """Read the error body of an answer; anything unreadable is not NetSuite's own."""
    if answer.is_html:
        return NetSuiteProblem(answer.status, False, ())
    try:
        body = answer.json()
    except msgspec.DecodeError:
        return NetSuiteProblem(answer.status, False, ())
    return problem_of(answer.status, body)


def problem_of(status: int, body: Json) -> NetSuiteProblem:
    """Read an error body already decoded."""
    if not isinstance(body, dict):
        return NetSuiteProblem(status, False, ())
    listed = body.get("o:errorDetails")
    details = tuple(
        Detail(
            _text(item.get("detail")),
            _text(item.get("o:errorCode")),
            _text(item.get("o:errorPath")) or _text(item.get("o:errorQueryParam")),
        )
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    )
    if not details and (_text(body.get("o:errorCode")) or _text(body.get("detail"))):
        text = _text(body.get("detail")) or _text(body.get("title"))
        details = (Detail(text, _text(body.get("o:errorCode"))),)
    own = bool(details) or ("title" in body and "status" in body)
    if not details and own:
        details = (Detail(_text(body.get("title")), ""),)
    return NetSuiteProblem(status, own, details)


class NetSuiteRefusedError(PermanentError):
    """NetSuite refused a read for good."""

    def __init__(self, message: str, problem: NetSuiteProblem, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy, code="netsuite-refused")
        self.problem = problem


def read_error(answer: Answer, connection: str) -> LedgerError:
    """What to raise for the answer of a *read* that is not a success."""
    problem = read_problem(answer)
    where = f"NetSuite connection {connection!r}, {answer.method} {answer.pattern}"
    match problem.category:
        case Category.PERMISSION:
            return CredentialError(
                f"{where}: {problem.text} ({problem.code}).",
                remedy="See Setup > Users/Roles > Login Audit Trail, and the role's permissions.",
            )
        case Category.CONCURRENCY | Category.RETRYABLE:
            return TransientError(f"{where}: {problem.text}", remedy=LATER, retry_after=answer.retry_after)
        case Category.UNKNOWN_OUTCOME:
            what = answer.instead or "no words of NetSuite's own"
            return TransientError(f"{where}: {what} (HTTP {answer.status}).", remedy=LATER)
        case _:
            return NetSuiteRefusedError(
                f"{where}: {problem.text} ({problem.code}).",
                problem,
                remedy="Correct in NetSuite what it names; if that does not help, tell the makers.",
            )
