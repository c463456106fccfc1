"""What an apply says of itself: rows with reasons, counts, calls, exit code.

Belongs here: the shapes and their JSON. Does not belong here: deciding any of it (`apply`, `recover`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from ledger_pipelines.documents.money import Money
from ledger_pipelines.sync.plan import PlanDifference, Reason


class Outcome(StrEnum):
    """What became of a row in this apply."""

    WRITTEN = "written"
    ADOPTED = "adopted"
    ALREADY = "already"
    WOULD_WRITE = "would-write"
    OPEN = "open"
    WAITING = "waiting"
    LEFT = "left"
    REFUSED = "refused"
    HELD = "held"
    IGNORED = "ignored"
    BLOCKED = "blocked"
    SKIPPED = "skipped"


NEEDS_PERSON = frozenset({Outcome.REFUSED, Outcome.HELD, Outcome.BLOCKED})


@dataclass(frozen=True, slots=True)
class RowResult:
    """One row.

    Args:
        outcome: What became of it.
        state: The effect's state in the journal ("" where there is none).
        resolvable_at: For an open row: from when on the target's answer settles it (UTC).
        needs_person: Whether it waits for a human act.
    """

    key: str
    number: str
    title: str
    kind: str
    action: str
    outcome: Outcome
    state: str
    reason: Reason
    amount: Money | None = None
    remote_id: str = ""
    remote_number: str = ""
    attempt: int = 0
    resolvable_at: datetime | None = None
    needs_person: bool = False


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """What a guard said. overridden_by, why: the named person who let it pass, and why."""

    guard: str
    tripped: bool
    reason: Reason
    overridden_by: str = ""
    why: str = ""

    @property
    def stops(self) -> bool:
        """Whether nothing may be written."""
        return self.tripped and not self.overridden_by


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What an apply did.

    Args:
        apply_id: Its fence number in the journal; 0 when nothing was entered (mode plan).
        rows: The plan's rows, in order; for `resume` the rows it dealt with.
        others: Rows of earlier plans of the connection that recovery settled or left open.
        guards: All verdicts.
        parked: Why nothing can be written to the connection for now.
        stopped: Why the run ended before the plan did.
        stale: In mode plan: what changed since the plan was made.
        sends: Calls that write. probes: calls that ask.
        log_head: Number and hash of the last line of the log: keep it to prove later that none was cut off.
    """

    integration: str
    flow: str
    partition: str
    connection: str
    plan_digest: str
    mode: str
    apply_id: int
    started_at: datetime
    ended_at: datetime
    rows: tuple[RowResult, ...]
    others: tuple[RowResult, ...] = ()
    guards: tuple[GuardVerdict, ...] = ()
    parked: Reason | None = None
    stopped: Reason | None = None
    stale: PlanDifference | None = None
    sends: int = 0
    probes: int = 0
    log_head: tuple[int, str] = (0, "")

    def counts(self) -> dict[Outcome, int]:
        """Rows by outcome; every outcome is present."""
        counter = Counter(row.outcome for row in self.rows)
        return {outcome: counter.get(outcome, 0) for outcome in Outcome}

    def having(self, *outcomes: Outcome) -> list[RowResult]:
        """The rows of those outcomes, in order."""
        return [row for row in self.rows if row.outcome in outcomes]

    @property
    def tripped(self) -> tuple[GuardVerdict, ...]:
        """Guards because of which nothing was written."""
        return tuple(verdict for verdict in self.guards if verdict.stops)

    @property
    def exit_code(self) -> int:
        """0 fine (open rows resolve themselves), 1 something needs a person."""
        person = any(row.needs_person for row in (*self.rows, *self.others))
        return int(bool(person or self.tripped or self.parked or self.stopped or self.stale))

    def to_json(self) -> str:
        """One JSON object; amounts and instants are text."""
        body = msgspec.to_builtins(self)
        body["counts"] = {outcome.value: count for outcome, count in self.counts().items() if count}
        body["exit_code"] = self.exit_code
        return msgspec.json.encode(body).decode()
