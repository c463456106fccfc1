"""Recording how calls ended: all of a round in one transaction, each row only if it is still ours.

Belongs here: the table of endings (reliability.md 1.3) as changes of the journal. Does not belong here: calling (`sender`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger_pipelines.documents.effects import (
    Confirmed,
    CredentialsRefused,
    EffectState,
    Ending,
    Exists,
    NotSent,
    Prepared,
    Refused,
    Unknown,
    WriteClass,
)
from ledger_pipelines.storage.journal import Change, Entry, Event, Link, Unit
from ledger_pipelines.sync.agreement import disagreements
from ledger_pipelines.sync.recover import (
    confirmed_values,
    link_of,
    mismatch_values,
    unsearchable_values,
)
from ledger_pipelines.sync.session import Session
from ledger_pipelines.sync.states import EXISTS


@dataclass(frozen=True, slots=True)
class Ended:
    """One effect of a finished call. not_before: when a NotSent may be tried again."""

    entry: Entry
    prepared: Prepared
    ending: Ending
    not_before: datetime | None = None


def record(session: Session, unit: Unit, ended: Sequence[Ended], now: datetime) -> list[str]:
    """Record endings inside the caller's transaction; returns keys the target says it has already."""
    events: list[Event] = []
    links: list[Link] = []
    to_fetch: list[str] = []
    for item in ended:
        values, event, link = _change(session, item, now)
        change = Change(item.entry.key, values)
        if not unit.effects.record(change, fence=session.fence, attempt=item.prepared.attempt):
            events.append(_late(session, unit, item, now))
            continue
        events.append(event)
        session.touched.add(item.entry.key)
        if link is not None:
            links.append(link)
            session.written.add(item.entry.key)
        if values.get("error_code") == EXISTS:
            to_fetch.append(item.entry.key)
    unit.links.put(links)
    unit.events.append(events, now)
    refused = next((i.ending.text for i in ended if isinstance(i.ending, CredentialsRefused)), None)
    if refused is not None:
        session.park(unit, refused, now)
    elif session.trial and any(not isinstance(i.ending, NotSent) for i in ended):
        session.unpark(unit, now)
    return to_fetch


def _change(session: Session, item: Ended, now: datetime) -> tuple[dict[str, Any], Event, Link | None]:
    entry, ending = item.entry, item.ending
    effect = entry.effect
    link: Link | None = None
    after, why = EffectState.UNKNOWN, ""
    values: dict[str, Any]
    match ending:
        case Confirmed(remote) if not remote.remote_id:
            after, why = EffectState.UNKNOWN, "The target said yes but gave no id; it is looked for."
            values = _unknown(EXISTS, why, now)
        case Confirmed(remote):
            differences = disagreements(effect, remote)
            if differences:
                after = EffectState.HELD
                values = mismatch_values(effect, EffectState.SENT, remote, differences, now)
                why = values["error_text"]
            else:
                after, why = (
                    EffectState.CONFIRMED,
                    f"{remote.number or remote.remote_id} (id {remote.remote_id})",
                )
                values, link = confirmed_values(remote, now, adopted=False), link_of(entry, remote, now)
        case Refused(code, text):
            after, why = EffectState.REFUSED, f"{code}: {text}"
            values = _free(after, code, text, "Correct the cause, then retry the row.", now)
        case NotSent(text):
            after, why = EffectState.APPROVED, text
            values = _free(after, "not-sent", text, "It is tried again by itself.", now)
            values["not_before"] = item.not_before
        case CredentialsRefused(text):
            after, why = EffectState.APPROVED, text
            values = _free(after, "credentials", text, "Renew the connection's credentials or rights.", now)
        case Exists(text):
            why = text
            values = _unknown(EXISTS, f"The target says it exists already: {text}", now)
        case Unknown(text) if session.writer.write_class is WriteClass.NEITHER:
            after, why = EffectState.HELD, text
            values = unsearchable_values(session, effect, EffectState.SENT, now, now)
        case Unknown(text):
            why = text
            values = _unknown("unknown-outcome", text, now)
    event = session.event(
        entry.key, type(ending).__name__.lower(), EffectState.SENT.value, after.value, _attempt(item, why)
    )
    return values, event, link


def _attempt(item: Ended, why: str) -> str:
    return f"Attempt {item.prepared.attempt}: {why}"


def _free(state: EffectState, code: str, text: str, remedy: str, now: datetime) -> dict[str, Any]:
    return {
        "state": state.value,
        "lease_owner": None,
        "lease_until": None,
        "settle_from": None,
        "error_code": code,
        "error_text": text,
        "error_remedy": remedy,
        "updated_at": now,
    }


def _unknown(code: str, text: str, now: datetime) -> dict[str, Any]:
    """The call ended now, so its first byte left at the latest now."""
    remedy = "It is looked for in the target; nothing to do."
    return _free(EffectState.UNKNOWN, code, text, remedy, now) | {"settle_from": now}


def _late(session: Session, unit: Unit, item: Ended, now: datetime) -> Event:
    """An answer that came after others took the row over: evidence, but no longer ours to record.

    Where the target said yes while the row waits to be sent again, it is looked for first.
    """
    key = item.entry.key
    said_yes = isinstance(item.ending, Confirmed | Exists | Unknown)
    current = unit.effects.get([key]).get(key)
    why = f"Attempt {item.prepared.attempt} ended after its lease: {item.ending}"
    session.trouble.setdefault(key, "Another run took it over before our answer came.")
    if said_yes and current is not None and current.state in {EffectState.APPROVED, EffectState.UNKNOWN}:
        values = _unknown("late-answer", why, now) | {"fence": max(current.fence, session.fence)}
        if unit.effects.move(Change(key, values), seen=current):
            return session.event(key, "late-answer", current.state.value, "unknown", why)
    state = "" if current is None else current.state.value
    return session.event(key, "late-answer", state, state, why)
