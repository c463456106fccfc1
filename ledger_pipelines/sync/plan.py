"""The plan: what would be written, why, and for how much, before anything is.

Belongs here: rows, totals, digest, the difference between two plans. Does not belong here: deciding what a row says
(`integrations`), storing plans (`storage.plans`), carrying them out (`sync.apply`).

A plan is content: the same inputs give the same digest, whenever and wherever it is made. It holds the digests of
its inputs, so that `apply` can tell a stale plan (an input changed) from an altered one (the digest does not fit).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.documents.keys import Json, canonical, digest, rows_digest
from ledger_pipelines.documents.money import Money


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is what it is. code: stable, searchable. text: a sentence for a bookkeeper. remedy: the one action."""

    code: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One line of a plan.

    Args:
        action: What is wanted.
        reason: Why.
        key: The effect's key, or a key of the source record for rows that write nothing.
        number: The document's number for people (order id): what operators search by.
        title: One line for people.
        kind: Target's record type ("" where none is concerned).
        amount: The amount concerned.
        effect: What would be written; None for skip and blocked.
        state: The worklist state the integration gives the source record (celigo-amazon-netsuite.md 8.3).
    """

    action: Action
    reason: Reason
    key: str
    number: str
    title: str
    kind: str = ""
    amount: Money | None = None
    effect: Effect | None = None
    state: str = ""

    def content(self) -> str:
        """Canonical text of the row: what the digest covers."""
        effect = self.effect
        body: Json = None
        if effect is not None:
            expected = effect.expected
            body = {
                "key": effect.key,
                "connection": effect.connection,
                "kind": effect.kind,
                "action": effect.action.value,
                "external_id": effect.external_id,
                "origin": effect.origin,
                "target_id": effect.target_id,
                "depends_on": list(effect.depends_on),
                "body": digest(effect.body),
                "expected": [
                    None if expected.amount is None else str(expected.amount),
                    None if expected.day is None else expected.day.isoformat(),
                    expected.lines,
                ],
            }
        return canonical(
            {
                "action": self.action.value,
                "code": self.reason.code,
                "key": self.key,
                "number": self.number,
                "kind": self.kind,
                "amount": None if self.amount is None else str(self.amount),
                "effect": body,
            }
        )


@dataclass(frozen=True, slots=True)
class Total:
    """Count and sum of the rows of one action and kind in one currency ("" where rows carry no amount)."""

    action: Action
    kind: str
    currency: str
    count: int
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A stored decision. inputs: name -> digest of everything the rows were computed from."""

    integration: str
    flow: str
    partition: str
    connection: str
    made_at: datetime
    inputs: tuple[tuple[str, str], ...]
    rows: tuple[PlanRow, ...]
    digest: str = ""
    notes: tuple[str, ...] = field(default=())
    _computed: str = field(default="", init=False, repr=False, compare=False)
    """Once computed; all it covers is immutable, and `replace` starts anew."""

    def computed_digest(self) -> str:
        """Digest of the content: not of the time it was made."""
        if not self._computed:
            object.__setattr__(self, "_computed", self._digest_now())
        return self._computed

    def _digest_now(self) -> str:
        head = canonical([self.integration, self.flow, self.partition, self.connection, dict(self.inputs)])
        return rows_digest([head, *(row.content() for row in self.rows)])

    def sealed(self) -> Plan:
        """The same plan with its digest."""
        sealed = replace(self, digest=self.computed_digest())
        object.__setattr__(sealed, "_computed", sealed.digest)  # the digest is no part of the content
        return sealed

    def effects(self) -> list[Effect]:
        """What would be written, in order."""
        return [row.effect for row in self.rows if row.effect is not None]

    def counts(self) -> dict[Action, int]:
        """Rows by action; every action is present."""
        counter = Counter(row.action for row in self.rows)
        return {action: counter.get(action, 0) for action in Action}

    def totals(self) -> list[Total]:
        """Counts and sums by action, kind and currency."""
        sums: dict[tuple[Action, str, str], tuple[int, Money | None]] = {}
        for row in self.rows:
            group = (row.action, row.kind, "" if row.amount is None else row.amount.currency)
            count, amount = sums.get(group, (0, None))
            if row.amount is not None:
                amount = row.amount if amount is None else amount + row.amount
            sums[group] = (count + 1, amount)
        return [Total(*group, count, amount) for group, (count, amount) in sorted(sums.items())]


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What changed between a stored plan and the same plan computed now."""

    inputs: tuple[str, ...]
    appeared: tuple[PlanRow, ...]
    vanished: tuple[PlanRow, ...]
    changed: tuple[tuple[PlanRow, PlanRow], ...]

    def __bool__(self) -> bool:
        return bool(self.inputs or self.appeared or self.vanished or self.changed)


def difference(stored: Plan, now: Plan) -> PlanDifference:
    """Inputs and rows that differ. Rows are matched by key."""
    stored_inputs, now_inputs = dict(stored.inputs), dict(now.inputs)
    before, after = _by_key(stored.rows), _by_key(now.rows)
    return PlanDifference(
        inputs=tuple(
            sorted(
                name
                for name in stored_inputs.keys() | now_inputs.keys()
                if stored_inputs.get(name) != now_inputs.get(name)
            )
        ),
        appeared=tuple(row for key, row in after.items() if key not in before),
        vanished=tuple(row for key, row in before.items() if key not in after),
        changed=tuple(
            (row, after[key])
            for key, row in before.items()
            if key in after and row.content() != after[key].content()
        ),
    )


def _by_key(rows: Iterable[PlanRow]) -> dict[str, PlanRow]:
    return {row.key: row for row in rows}
