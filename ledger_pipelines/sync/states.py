"""The words of the engine: modes, patience, fault points.

Belongs here: what several modules of the engine name. Does not belong here: what any of them does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.sync.owners import alive

FAULT_POINTS: tuple[str, ...] = (
    "plan.before_store",
    "plan.stored",
    "apply.started",
    "apply.before_intents",
    "apply.intent_recorded",
    "apply.before_claim",
    "apply.claimed",
    "apply.before_sent",
    "apply.marked_sent",
    "apply.before_send",
    "apply.after_send",
    "apply.before_confirm",
    "apply.confirmed",
    "apply.before_end",
    "recover.before_expire",
    "recover.expired",
    "recover.before_probe",
    "recover.after_probe",
    "recover.before_adopt",
    "recover.adopted",
)
"""Every instant at which a drill may stop the engine (`faultpoints.reached`)."""

NEVER_SENT = (EffectState.APPROVED, EffectState.REFUSED)
"""States in which the target holds nothing of the effect: the intent may still be revised."""

UNSEARCHABLE = "unknown-unsearchable"
"""Code of a row held because the target cannot be asked (write class C)."""

SEARCH_BEHIND = "search-behind"
"""Code of a row held because the target's search is seen not to keep its settle window (write class B)."""

ABSENT = "absent"
"""Code of a row that was looked for and is not there: it may be sent again."""

EXISTS = "exists"
"""Code of a row the target says it has, while a search does not show it."""

CONFLICT = "conflict"
"""Code of a row held because another plan wants another body under the same key."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Patience, in one place.

    Args:
        lease: How long a claim protects a call; must be longer than the longest call of a writer.
        tries: Most calls for one effect in one apply when nothing was sent (rate limit, refused connection).
        base_delay: Seconds of the first back-off; doubles, with full jitter.
        longest_delay: Seconds no single wait exceeds; a target that asks for more is left for the next run.
        not_sent_breaker: Calls in a row that could not be sent, after which the run stops.
        unknown_breaker: Calls in a row with an unknown outcome, after which the run stops.
        claim_ahead: Most effects claimed in one transaction.
        probe_batch: Most effects of one probe.
        park_for: How long a parked connection rests before one call is tried again.
        owner_alive: Tells whether the holder of a lease still runs; None = cannot tell, wait for the lease.
    """

    lease: timedelta = timedelta(minutes=30)
    tries: int = 4
    base_delay: float = 1.0
    longest_delay: float = 60.0
    not_sent_breaker: int = 6
    unknown_breaker: int = 10
    claim_ahead: int = 64
    probe_batch: int = 200
    park_for: timedelta = timedelta(minutes=15)
    owner_alive: Callable[[str], bool | None] = alive
