"""What NetSuite's answer to a write means for the record concerned.

Belongs here: answer -> ending (reliability.md 1.3, netsuite.md 5). Does not belong here: sending.
"""

from __future__ import annotations

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Ending,
    Exists,
    NotSent,
    Prepared,
    Refused,
    Remote,
    Unknown,
)
from ledger_pipelines.systems.http import Answer, classify
from ledger_pipelines.systems.netsuite.errors import Category, NetSuiteProblem, read_problem
from ledger_pipelines.systems.netsuite.records import id_of


def problem_ending(problem: NetSuiteProblem, wait: float | None = None) -> Ending:  # not money: seconds
    """The ending of an answer that is not a success."""
    words = f"{problem.text} ({problem.code})"
    match problem.category:
        case Category.CONCURRENCY | Category.RETRYABLE:
            return NotSent(words, wait)
        case Category.PERMISSION:
            return CredentialsRefused(words)
        case Category.DUPLICATE:
            return Exists(problem.text)
        case Category.UNKNOWN_OUTCOME:
            return Unknown(f"HTTP {problem.status}: {words}")
        case Category.IDEMPOTENCY:
            return Unknown(f"The same request was submitted before: {words}")
        case Category.VALIDATION | Category.PERIOD:
            return Refused(problem.code, problem.text)


def named_id(prepared: Prepared) -> str:
    """What the request names its record by; "" for one that it makes."""
    effect = prepared.effect
    return "" if effect.action is Action.CREATE else prepared.target_id or f"eid:{effect.external_id}"


def ending_of(answer: Answer, external_id: str, known_id: str = "") -> Ending:
    """The ending of a single-record write.

    Args:
        answer: NetSuite's.
        external_id: Of the effect.
        known_id: The record's id where the request named it (PATCH, DELETE); else a success needs a `Location`.
    """
    general = classify(answer)
    if isinstance(general, CredentialsRefused):
        return problem_ending(read_problem(answer)) if not answer.is_html else general
    if general is not None:
        return general
    if not answer.ok:
        return problem_ending(read_problem(answer), answer.retry_after)
    found = id_of(answer) or known_id
    if not found or answer.status == 202:
        return Unknown(f"HTTP {answer.status} without the new record's address.")
    # a PATCH by external id may answer without a Location (netsuite.md 4.1): done, id not told
    return Confirmed(Remote(found if found.isdecimal() else "", external_id))
