"""Gates before anything is written: is the plan the one that was approved, and is it still true?

Belongs here: altered, stale, and saying a difference in words. Does not belong here: guards on what a plan says (`guards`).
"""

from __future__ import annotations

from collections.abc import Callable

from ledger_pipelines.errors import RefusedError
from ledger_pipelines.sync.plan import Plan, PlanDifference, PlanRow, difference

_SHOWN = 20


class AlteredPlanError(RefusedError):
    """The plan's content does not fit its digest."""

    default_code = "plan-altered"


class StalePlanError(RefusedError):
    """The same plan, made now, differs. difference: what changed."""

    default_code = "plan-stale"

    def __init__(self, message: str, *, difference: PlanDifference, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.difference = difference


def refuse_altered(plan: Plan) -> None:
    """Refuse a plan whose digest does not fit.

    Raises:
        AlteredPlanError: it does not.
    """
    if not plan.digest or plan.digest != plan.computed_digest():
        raise AlteredPlanError(
            f"The plan of {plan.integration} {plan.flow} {plan.partition} was altered after it was made.",
            remedy="Make the plan again; nothing was written.",
        )


def staleness(plan: Plan, recompute: Callable[[], Plan]) -> PlanDifference | None:
    """What changed since the plan was made; None when it would come out the same."""
    now = recompute()
    return None if now.computed_digest() == plan.digest else difference(plan, now)


def refuse_stale(plan: Plan, recompute: Callable[[], Plan]) -> None:
    """Refuse a plan that would come out differently now.

    Raises:
        StalePlanError: with the difference, in words.
    """
    changed = staleness(plan, recompute)
    if changed is not None:
        raise StalePlanError(
            f"The plan of {plan.integration} {plan.flow} {plan.partition} is stale: {in_words(changed)}",
            difference=changed,
            remedy="Nothing was written. Look at the new plan and apply that one.",
        )


def in_words(changed: PlanDifference) -> str:
    """The difference, for a person; at most twenty rows of each kind are named."""
    parts: list[str] = []
    if changed.inputs:
        parts.append(f"inputs changed: {', '.join(changed.inputs)}.")
    if changed.appeared:
        parts.append(f"{len(changed.appeared)} new: {_named(changed.appeared)}.")
    if changed.vanished:
        parts.append(f"{len(changed.vanished)} no longer wanted: {_named(changed.vanished)}.")
    if changed.changed:
        shown = "; ".join(
            f"{_row(before)} is now {_row(after)}" for before, after in changed.changed[:_SHOWN]
        )
        parts.append(f"{len(changed.changed)} differ: {shown}{_more(len(changed.changed))}.")
    return " ".join(parts) if parts else "its rows come in another order."


def _named(rows: tuple[PlanRow, ...]) -> str:
    return "; ".join(_row(row) for row in rows[:_SHOWN]) + _more(len(rows))


def _row(row: PlanRow) -> str:
    amount = "" if row.amount is None else f" {row.amount}"
    return f"{row.action.value} {row.kind or 'row'} {row.number}{amount} ({row.reason.code})"


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
