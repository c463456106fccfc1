"""Entering a plan's effects into the journal, durably, before the first byte leaves.

Belongs here: new, same, revised, conflicting. Does not belong here: sending (`sender`), the SQL (`storage.journal`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import Effect, EffectState
from ledger_pipelines.documents.keys import canonical, decode
from ledger_pipelines.storage.journal import Change, Entry, Event, Search, Unit, fingerprint, intent_values
from ledger_pipelines.sync.links import needs, resolved
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.session import Session
from ledger_pipelines.sync.states import CONFLICT, NEVER_SENT


def record_intents(
    session: Session, plan: Plan, effects: Sequence[Effect], *, remote_memory: bool
) -> dict[str, Entry]:
    """Enter effects of the plan in one transaction; returns the confirmed ones that nothing contradicts, as they stand.

    What an earlier plan of the same flow and partition wanted, the target never got, and this plan no longer wants, is
    withdrawn: otherwise a later `resume` would write it.

    New keys become `approved`; with `remote_memory` (the target remembers more than this journal) `unknown` since the
    journal's birth, so that they are looked for before any is sent. A known key with the same intent is left alone;
    with another one it is revised while the target holds nothing of it, else held with both.
    """
    now = session.clock.now()
    faultpoints.reached("apply.before_intents")
    with session.journal.write() as unit:
        known = unit.effects.get(effect.key for effect in effects)
        fresh: list[dict[str, Any]] = []
        events: list[Event] = []
        done: dict[str, Entry] = {}
        for position, effect in enumerate(effects):
            entry = known.get(effect.key)
            if entry is None:
                fresh.append(_new(session, effect, position, plan.digest, now, remote_memory=remote_memory))
                state = fresh[-1]["state"]
                why = "The target may hold it from before this journal." if remote_memory else ""
                events.append(session.event(effect.key, "intent", "", state, why))
            else:
                met = _meet(session, unit, entry, effect, position, plan.digest, now)
                events.extend(met)
                if entry.state is EffectState.CONFIRMED and not met:
                    done[entry.key] = entry
        events.extend(_withdraw(session, unit, plan, {effect.key for effect in plan.effects()}))
        unit.effects.enter(fresh)
        unit.events.append(events, now)
    faultpoints.reached("apply.intent_recorded")
    return done


def _withdraw(session: Session, unit: Unit, plan: Plan, wanted: set[str]) -> list[Event]:
    """Take out what the plan no longer wants; not what became free in this very run.

    The plan was made when such a row was unknown, or in another run's hands, and could not ask for it: its silence is no
    verdict. The next plan has it before its eyes.
    """
    search = Search(integration=plan.integration, flow=plan.flow, partition=plan.partition)
    left = unit.effects.in_states(session.connection, NEVER_SENT, search)
    states = {entry.key: entry.state.value for entry in left if entry.key not in wanted | session.touched}
    why = f"The plan {plan.digest[:12]} no longer wants it, and the target never got it."
    return [
        session.event(key, "withdrawn", states[key], "", why)
        for key in unit.effects.withdraw(states, NEVER_SENT)
    ]


def _new(
    session: Session, effect: Effect, position: int, plan_digest: str, now: datetime, *, remote_memory: bool
) -> dict[str, Any]:
    birth = session.journal.birth
    return intent_values(effect) | {
        "sequence": position,
        "plan_digest": plan_digest,
        "mode": session.mode.value,
        "state": (EffectState.UNKNOWN if remote_memory else EffectState.APPROVED).value,
        "attempt": 0,
        "fence": 0,
        "sent_at": birth if remote_memory else None,
        "settle_from": birth if remote_memory else None,
        "error_code": "memory-lost" if remote_memory else None,
        "error_text": "The target may hold this record from before this journal was made."
        if remote_memory
        else None,
        "error_remedy": "It is looked for before anything is sent." if remote_memory else None,
        "adopted": False,
        "created_at": now,
        "updated_at": now,
    }


def _meet(
    session: Session, unit: Unit, entry: Entry, effect: Effect, position: int, plan_digest: str, now: datetime
) -> list[Event]:
    same = entry.body_hash == fingerprint(effect)
    if entry.state in NEVER_SENT:
        if same and entry.effect.depends_on == effect.depends_on:
            return []
        if same:
            needs_now = {"depends_on": canonical(list(effect.depends_on)), "updated_at": now}
            if not unit.effects.move(Change(entry.key, needs_now), seen=entry):
                return []
            state = entry.state.value
            return [
                session.event(entry.key, "revised", state, state, "It waits for other records than before.")
            ]
        values = intent_values(effect) | {
            "sequence": position,
            "plan_digest": plan_digest,
            "mode": session.mode.value,
            "state": EffectState.APPROVED.value,
            "error_code": None,
            "error_text": None,
            "error_remedy": None,
            "not_before": None,
            "updated_at": now,
        }
        if not unit.effects.move(Change(entry.key, values), seen=entry):
            return []
        why = f"The plan wants another body than before: {_bodies(entry.effect, effect)}"
        return [session.event(entry.key, "revised", entry.state.value, EffectState.APPROVED.value, why)]
    if entry.state in {EffectState.CLAIMED, EffectState.SENT, EffectState.IGNORED}:
        return []  # someone else is at it, or a person said no
    same = same or _same_once_linked(unit, entry.effect, effect)
    if same and entry.conflict is not None and _is_conflict(entry) and entry.held_from is not None:
        back = entry.held_from
        values = _cleared(back, now)
        if unit.effects.move(Change(entry.key, values), seen=entry):
            why = "The plan wants again what was sent."
            return [session.event(entry.key, "conflict-gone", entry.state.value, back.value, why)]
        return []
    other = canonical(_intent(effect))
    if same or entry.conflict == other:
        return []
    values = {
        "state": EffectState.HELD.value,
        "held_from": (entry.held_from or entry.state).value,
        "conflict": other,
        "error_code": CONFLICT,
        "error_text": f"{effect.number} was sent with another content than this plan wants: "
        f"{_bodies(entry.effect, effect)}",
        "error_remedy": "Keep what the target has (adopt), or correct it there by a new revision of the document.",
        "updated_at": now,
    }
    if unit.effects.move(Change(entry.key, values), seen=entry):
        return [session.event(entry.key, "conflict", entry.state.value, "held", str(values["error_text"]))]
    return []


def _is_conflict(entry: Entry) -> bool:
    return entry.state is EffectState.HELD and entry.problem is not None and entry.problem.code == CONFLICT


def _cleared(state: EffectState, now: datetime) -> dict[str, Any]:
    return {
        "state": state.value,
        "held_from": None,
        "conflict": None,
        "error_code": None,
        "error_text": None,
        "error_remedy": None,
        "updated_at": now,
    }


def _same_once_linked(unit: Unit, stored: Effect, wanted: Effect) -> bool:
    """Whether the two differ only in that one names by link what the other names by id."""
    keys = {*needs(stored), *needs(wanted)}
    if not keys:
        return False
    ids = unit.effects.remote_ids(keys)
    return fingerprint(resolved(stored, ids)) == fingerprint(resolved(wanted, ids))


def _intent(effect: Effect) -> dict[str, Any]:
    return {
        "action": effect.action.value,
        "body": decode(effect.body),
        "external_id": effect.external_id,
        "kind": effect.kind,
        "origin": effect.origin,
        "target_id": effect.target_id,
    }


def _bodies(before: Effect, after: Effect) -> str:
    """What differs at the top of the two requests, in words."""
    if (before.action, before.kind, before.external_id) != (after.action, after.kind, after.external_id):
        return f"{before.action} {before.kind} {before.external_id}, now {after.action} {after.kind} {after.external_id}."
    old, new = decode(before.body), decode(after.body)
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        if names:
            return (
                "; ".join(f"{name}: {_short(old.get(name))}, now {_short(new.get(name))}" for name in names)
                + "."
            )
    return "its amount, date, origin or record differ."


def _short(value: Any) -> str:
    text = canonical(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
