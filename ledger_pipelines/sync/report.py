"""From journal rows to what a person is told.

Belongs here: outcome and reason of each row. Does not belong here: changing anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.storage.journal import Entry
from ledger_pipelines.sync.links import needs
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.recover import settles_at
from ledger_pipelines.sync.result import NEEDS_PERSON, GuardVerdict, Outcome, RowResult
from ledger_pipelines.sync.session import Session


def plan_rows(
    plan: Plan, entries: Mapping[str, Entry], session: Session, verdicts: Sequence[GuardVerdict]
) -> tuple[RowResult, ...]:
    """Every row of the plan, in order."""
    guarded = next((verdict for verdict in verdicts if verdict.stops), None)
    missing = {
        key for row in plan.rows if row.effect is not None for key in needs(row.effect) if key not in entries
    }
    around = {**session.journal.entries(missing), **entries} if missing else dict(entries)
    planned = {row.effect.key for row in plan.rows if row.effect is not None}
    return tuple(_plan_row(row, around, planned, session, guarded) for row in plan.rows)


def entry_rows(session: Session, keys: Iterable[str]) -> tuple[RowResult, ...]:
    """Rows by journal alone, for effects no plan of this run names."""
    wanted = list(keys)
    entries = session.journal.entries(wanted)
    linked = {need for entry in entries.values() for need in needs(entry.effect)} - entries.keys()
    around = {**session.journal.entries(linked), **entries}
    return tuple(_journal_row(entries[key], around, session) for key in wanted if key in entries)


def _plan_row(
    row: PlanRow,
    entries: Mapping[str, Entry],
    planned: set[str],
    session: Session,
    guarded: GuardVerdict | None,
) -> RowResult:
    effect = row.effect
    if effect is None:
        blocked = row.action is Action.BLOCKED
        return RowResult(
            key=row.key,
            number=row.number,
            title=row.title,
            kind=row.kind,
            action=row.action.value,
            outcome=Outcome.BLOCKED if blocked else Outcome.SKIPPED,
            state="",
            reason=row.reason,
            amount=row.amount,
            needs_person=blocked,
        )
    entry = entries.get(effect.key)
    if entry is not None and not _would_write(entry, session):
        return _journal_row(entry, entries, session, row)
    outcome, reason = Outcome.WOULD_WRITE, row.reason
    if session.parked is not None:
        outcome, reason = Outcome.LEFT, session.parked
    elif guarded is not None:
        outcome, reason = Outcome.LEFT, guarded.reason
    elif waiting := _waits_for(tuple(k for k in needs(effect) if k not in planned), entries):
        outcome, reason = Outcome.WAITING, waiting
    # In mode plan the plan that brings what this one waits for was not carried out either: no person is needed.
    is_stuck = reason.code == "dependency-missing" and session.mode is not Mode.PLAN
    return RowResult(
        key=effect.key,
        number=row.number,
        title=row.title,
        kind=effect.kind,
        action=row.action.value,
        outcome=outcome,
        state="" if entry is None else entry.state.value,
        reason=reason,
        amount=row.amount,
        needs_person=outcome is Outcome.WAITING and is_stuck,
    )


def _would_write(entry: Entry, session: Session) -> bool:
    return session.mode is Mode.PLAN and entry.state is EffectState.APPROVED


def _journal_row(
    entry: Entry, around: Mapping[str, Entry], session: Session, row: PlanRow | None = None
) -> RowResult:
    outcome, reason = _verdict(entry, around, session)
    is_open = entry.state in {EffectState.UNKNOWN, EffectState.SENT}
    effect = entry.effect
    return RowResult(
        key=entry.key,
        number=effect.number,
        title=effect.title,
        kind=effect.kind,
        action=effect.action.value,
        outcome=outcome,
        state=entry.state.value,
        reason=reason,
        amount=effect.expected.amount if row is None else row.amount,
        remote_id=entry.remote_id or "",
        remote_number=entry.remote_number or "",
        attempt=entry.attempt,
        resolvable_at=settles_at(entry, session) if is_open else None,
        needs_person=outcome in NEEDS_PERSON
        or (outcome is Outcome.WAITING and reason.code in {"dependency-missing", "dependency-cycle"}),
    )


def _verdict(entry: Entry, around: Mapping[str, Entry], session: Session) -> tuple[Outcome, Reason]:
    problem = entry.problem
    told = Reason("", "") if problem is None else Reason(problem.code, problem.text, problem.remedy)
    trouble = session.trouble.get(entry.key)
    match entry.state:
        case EffectState.CONFIRMED:
            name = entry.remote_number or entry.remote_id or ""
            if entry.key in session.adopted:
                return Outcome.ADOPTED, Reason("adopted", f"Found in the target as {name}; it agrees.")
            if entry.key in session.written:
                return Outcome.WRITTEN, Reason("written", f"In the target as {name}.")
            return Outcome.ALREADY, Reason("already", f"In the target as {name}; nothing to do.")
        case EffectState.REFUSED:
            return Outcome.REFUSED, told
        case EffectState.HELD:
            return Outcome.HELD, told
        case EffectState.IGNORED:
            return Outcome.IGNORED, Reason(
                "ignored", f"Ignored by {entry.acted_by or 'a person'}: {entry.acted_why or ''}".strip()
            )
        case EffectState.UNKNOWN:
            at = settles_at(entry, session)
            until = (
                ""
                if at is None
                else f" Settled at the latest by the first run after {at:%Y-%m-%d %H:%M:%S} UTC."
            )
            text = f"{told.text} Not found yet.{until}".strip()
            if trouble:
                text = f"{told.text} The target could not be asked: {trouble}"
            return Outcome.OPEN, Reason(told.code or "unknown-outcome", text, told.remedy)
        case EffectState.CLAIMED | EffectState.SENT:
            return Outcome.OPEN, Reason(
                "in-hand", "Another run has it in hand.", "Run again after it has ended."
            )
        case _:
            return _not_sent(entry, around, session, told)


def _not_sent(
    entry: Entry, around: Mapping[str, Entry], session: Session, told: Reason
) -> tuple[Outcome, Reason]:
    if session.parked is not None:
        return Outcome.LEFT, session.parked
    waiting = _waits_for(needs(entry.effect), around)
    if waiting is not None:
        return Outcome.WAITING, waiting
    if session.stopped is not None:
        return Outcome.LEFT, session.stopped
    if told.code:
        return Outcome.LEFT, told
    return Outcome.LEFT, Reason("left", "Not sent in this run.", "Run again.")


def _waits_for(keys: Sequence[str], around: Mapping[str, Entry]) -> Reason | None:
    for key in keys:
        entry = around.get(key)
        if entry is None:
            return Reason(
                "dependency-missing",
                f"It waits for {key}, which no plan has brought.",
                "Plan the document it depends on first.",
            )
        if entry.state is EffectState.CONFIRMED:
            continue
        why = entry.problem.text if entry.problem is not None else f"it is {entry.state.value}"
        if _leads_back(key, around):
            return Reason(
                "dependency-cycle",
                f"It waits for {entry.effect.title or key}, which waits for itself.",
                "Plan again.",
            )
        name = entry.effect.title or f"{entry.effect.kind} {entry.effect.number}"
        return Reason("waiting", f"It waits for {name}: {why}", "Resolve that one; this one follows.")
    return None


def _leads_back(start: str, around: Mapping[str, Entry]) -> bool:
    """Whether a chain of unconfirmed dependencies from `start` comes back to it."""
    seen: set[str] = set()
    open_keys = list(needs(around[start].effect))
    while open_keys:
        key = open_keys.pop()
        if key == start:
            return True
        entry = around.get(key)
        if key in seen or entry is None or entry.state is EffectState.CONFIRMED:
            continue
        seen.add(key)
        open_keys.extend(needs(entry.effect))
    return False
