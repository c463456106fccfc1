"""What the journal gives back: frozen records.

Belongs here: the shapes. Does not belong here: SQL, or what a state means for the next step (`sync.states`).
All instants are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger_pipelines.documents.effects import Effect, EffectState


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row stands where it stands. code: stable. text: what happened. remedy: what to do."""

    code: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect and all that is known of it.

    Args:
        effect: The intent.
        body_hash: Fingerprint of the intent (`fingerprint`).
        sequence: Its place in its plan.
        plan_digest: The plan that brought (or last revised) it.
        mode: "test" or "live".
        state: Where it stands.
        attempt: Calls begun.
        fence: Number of the apply that last took it.
        lease_owner: Who holds it while claimed or sent.
        lease_until: Until when.
        not_before: Not to be sent earlier (back-off).
        sent_at: When the last call was about to begin.
        settle_from: Latest instant at which the last call's first byte may have left; absence of the record counts
            from here plus the settle window.
        problem: The error it carries; None once a later success cleared it.
        remote_id: The target's id, once known.
        remote_number: The target's number, once known.
        adopted: Confirmed by finding it, not by the answer to our call.
        held_from: The state it was held from.
        conflict: Canonical JSON of another intent under the same key.
        acted_by: Who last ignored, retried or adopted it.
        acted_why: Why.
    """

    effect: Effect
    body_hash: str
    sequence: int
    plan_digest: str
    mode: str
    state: EffectState
    attempt: int
    fence: int
    lease_owner: str | None
    lease_until: datetime | None
    not_before: datetime | None
    sent_at: datetime | None
    settle_from: datetime | None
    problem: Problem | None
    remote_id: str | None
    remote_number: str | None
    adopted: bool
    held_from: EffectState | None
    conflict: str | None
    acted_by: str | None
    acted_why: str | None
    created_at: datetime
    updated_at: datetime
    confirmed_at: datetime | None

    @property
    def key(self) -> str:
        """The effect's key."""
        return self.effect.key


@dataclass(frozen=True, slots=True)
class Link:
    """Which target record answers to which of our references."""

    connection: str
    kind: str
    external_id: str
    remote_id: str
    remote_number: str
    effect_key: str
    body_hash: str
    revision: int
    voided: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. subject: an effect's key, `plan:<digest>`, `connection:<name>`, `apply:<id>`."""

    who: str
    subject: str
    what: str
    from_state: str = ""
    to_state: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its place in the chain."""

    seq: int
    at: str
    event: Event
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """Where the event log does not hold: the first line that was changed, removed or added by hand."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Parked:
    """A connection nobody writes to until its credentials work."""

    connection: str
    since: datetime
    try_again_at: datetime
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that has been looked at, under every name it came with."""

    connection: str
    sha256: str
    settlement_id: str
    names: tuple[str, ...]
    verdict: str
    reason: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class ApplyRun:
    """One run of the engine. id: its fence number. summary: JSON text."""

    id: int
    connection: str
    integration: str
    flow: str
    partition: str
    plan_digest: str
    mode: str
    owner: str
    who: str
    started_at: datetime
    ended_at: datetime | None
    summary: str


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; every given field must fit.

    Args:
        text: Document number (whole or its beginning), external id, remote id or key.
    """

    text: str = ""
    connection: str = ""
    integration: str = ""
    flow: str = ""
    partition: str = ""
    kind: str = ""
    states: tuple[EffectState, ...] = ()
    plan_digest: str = ""
    limit: int = 1000
    offset: int = 0
