"""Guards: what a plan may do at most, judged before anything is written.

Belongs here: count, total, share of updates, sign, and hooks for unbalanced, closed period, unmapped.
Does not belong here: where an integration finds accounts or periods (it gives the hooks).

A guard that cannot be evaluated counts as tripped. A tripped guard is passed only by name, by a named person, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.documents.money import Money, total
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.result import GuardVerdict


@dataclass(frozen=True, slots=True)
class GuardInput:
    """What guards judge. pending: the plan's rows that would write and are not confirmed yet."""

    plan: Plan
    pending: tuple[PlanRow, ...]

    def effects(self) -> list[Effect]:
        """The effects of the pending rows."""
        return [row.effect for row in self.pending if row.effect is not None]


class Guard(Protocol):
    """One rule. None = passes; a reason = tripped. Raising counts as tripped."""

    @property
    def name(self) -> str:
        """What an override names."""
        ...

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        ...


@dataclass(frozen=True, slots=True)
class Override:
    """A person lets one guard pass. All three are required."""

    guard: str
    who: str
    why: str

    def __post_init__(self) -> None:
        if not (self.guard.strip() and self.who.strip() and self.why.strip()):
            raise ConfigurationError(
                "A guard is overridden by its name, by a named person, with a reason.",
                remedy="Give guard, who and why.",
                code="override-incomplete",
            )


def judge(
    given: GuardInput, guards: Sequence[Guard], overrides: Sequence[Override]
) -> tuple[GuardVerdict, ...]:
    """All verdicts, in the order of the guards."""
    by_name = {override.guard: override for override in overrides}
    verdicts: list[GuardVerdict] = []
    for guard in guards:
        try:
            reason = guard.check(given)
        except Exception as error:  # noqa: BLE001 - a guard that cannot be evaluated counts as tripped, whatever the cause
            reason = Reason(
                f"{guard.name}-not-evaluated",
                f"The guard {guard.name} could not be evaluated: {type(error).__name__}: {error}",
                "Remove the cause; until then nothing is written.",
            )
        override = by_name.get(guard.name) if reason is not None else None
        verdicts.append(
            GuardVerdict(
                guard.name,
                reason is not None,
                reason or Reason("", ""),
                override.who if override else "",
                override.why if override else "",
            )
        )
    return tuple(verdicts)


@dataclass(frozen=True, slots=True)
class MostDocuments:
    """No more than `most` documents in one apply."""

    most: int
    name: str = "count"

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        count = len(given.pending)
        if count <= self.most:
            return None
        return Reason("count", f"{count} documents would be written; the limit is {self.most}.", _RAISE)


@dataclass(frozen=True, slots=True)
class MostTotal:
    """No more than so much per currency, counted without signs.

    Args:
        most: By currency.
        others: Of each currency that is not among them; None = such a one trips.
    """

    most: Mapping[str, Decimal]
    others: Decimal | None = None
    name: str = "total"

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        sums: dict[str, Money] = {}
        for row in given.pending:
            if row.amount is not None:
                before = sums.get(row.amount.currency, Money.zero(row.amount.currency))
                sums[row.amount.currency] = before + abs(row.amount)
        for currency, amount in sorted(sums.items()):
            most = self.most.get(currency, self.others)
            if most is None:
                return Reason(
                    "total", f"{amount} would be written; there is no limit for {currency}.", _RAISE
                )
            limit = Money(most, currency)
            if limit < amount:
                return Reason("total", f"{amount} would be written; the limit is {limit}.", _RAISE)
        return None


@dataclass(frozen=True, slots=True)
class MostUpdates:
    """Updates and voids are no more than this share (0 to 1) of the pending rows, beyond a few."""

    share: Decimal
    allowed: int = 5
    name: str = "updates"

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        changes = sum(1 for row in given.pending if row.action in {Action.UPDATE, Action.VOID})
        if changes <= self.allowed or changes <= self.share * len(given.pending):
            return None
        return Reason(
            "updates", f"{changes} of {len(given.pending)} rows change records that exist already.", _RAISE
        )


@dataclass(frozen=True, slots=True)
class PositiveAmounts:
    """Documents of these kinds have amounts above zero; one without an amount trips. Empty = every kind."""

    kinds: frozenset[str] = frozenset()
    name: str = "sign"

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        for row in given.pending:
            if self.kinds and row.kind not in self.kinds:
                continue
            if row.amount is None or row.amount.amount <= 0:
                shown = "no amount" if row.amount is None else str(row.amount)
                return Reason("sign", f"{row.kind} {row.number} has {shown}.", "Look at the source document.")
        return None


@dataclass(frozen=True, slots=True)
class Balanced:
    """Journal entries sum to zero per currency.

    Args:
        lines: The signed lines of an effect that is a journal entry; None for any other.
    """

    lines: Callable[[Effect], Sequence[Money] | None]
    name: str = "balanced"

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        for effect in given.effects():
            lines = self.lines(effect)
            if lines is None:
                continue
            if not lines:
                return Reason("unbalanced", f"{effect.kind} {effect.number} has no lines.", _SOURCE)
            for currency in sorted({line.currency for line in lines}):
                rest = total((line for line in lines if line.currency == currency), currency)
                if rest:
                    return Reason("unbalanced", f"{effect.kind} {effect.number} is out by {rest}.", _SOURCE)
        return None


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """No document falls into a closed period.

    Args:
        is_open: Whether the period of the effect is open; None = cannot tell, which trips.
    """

    is_open: Callable[[Effect], bool | None]
    name: str = "closed-period"

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        for effect in given.effects():
            verdict = self.is_open(effect)
            if verdict:
                continue
            day = effect.expected.day
            when = "" if day is None else f" of {day.isoformat()}"
            if verdict is None:
                return Reason(
                    "closed-period",
                    f"Whether the period{when} is open for {effect.number} is not known.",
                    _PERIOD,
                )
            return Reason("closed-period", f"The period{when} of {effect.number} is closed.", _PERIOD)
        return None


@dataclass(frozen=True, slots=True)
class AllMapped:
    """Nothing in the plan lacks an account or item.

    Args:
        unmapped: Names of what lacks one, for people.
    """

    unmapped: Callable[[Plan], Sequence[str]]
    name: str = "unmapped"

    def check(self, given: GuardInput) -> Reason | None:
        """Judge."""
        names = list(self.unmapped(given.plan))
        if not names:
            return None
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        return Reason("unmapped", f"No account or item is set for: {shown}.", "Add them to the settings.")


_RAISE = "Look at the plan; raise the limit in the settings, or override the guard by name with a reason."
_SOURCE = "Look at the source document; it is never made to fit."
_PERIOD = "Open the period in the ledger, or set another posting date."
