"""Finding out what became of calls nobody saw the end of.

Belongs here: leases that ran out, probing, adopting, holding, and when "not there" counts (reliability.md 1.1, 1.2).
Does not belong here: sending again (`sender`).

The rule: finding the record proves that it was written, at any time. Not finding it proves nothing until the target can
no longer be working on the call: `settle_from + settle_window`, where `settle_from` is the latest instant at which the
call's first byte may have left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import Action, Effect, EffectState, Remote, WriteClass
from ledger_pipelines.errors import CredentialError, LedgerError
from ledger_pipelines.storage.journal import Change, Entry, Event, Link, Search, Unit
from ledger_pipelines.sync.absence import Controls, Word, behind_text, controls, waits_for_the_search
from ledger_pipelines.sync.agreement import disagreements
from ledger_pipelines.sync.links import needs, resolved
from ledger_pipelines.sync.session import Session
from ledger_pipelines.sync.states import ABSENT, EXISTS, SEARCH_BEHIND, UNSEARCHABLE


def settles_at(entry: Entry, session: Session) -> datetime | None:
    """From when on the absence of the record counts; None for a row that is not open."""
    start = entry.settle_from or entry.sent_at
    return None if start is None else start + session.writer.settle_window


def expire(session: Session) -> None:
    """Take over what its holder can no longer finish: unsent claims are free again, sent ones are unknown."""
    faultpoints.reached("recover.before_expire")
    with session.journal.read() as unit:
        taken = unit.effects.in_states(session.connection, (EffectState.CLAIMED, EffectState.SENT))
    now = session.clock.now()
    gone = [entry for entry in taken if _over(entry, session, now)]
    if not gone:
        return
    with session.journal.write() as unit:
        events: list[Event] = []
        for entry in gone:
            free = {"lease_owner": None, "lease_until": None, "fence": session.fence, "updated_at": now}
            if entry.state is EffectState.CLAIMED:
                after = EffectState.APPROVED
                values: dict[str, Any] = free
                why = "Its holder is gone; nothing had been sent."
            else:
                after = EffectState.UNKNOWN
                why = "The run that sent it ended before it saw the answer."
                values = free | {
                    "settle_from": min(entry.lease_until or now, now),
                    "error_code": "interrupted",
                    "error_text": why,
                    "error_remedy": "It is looked for in the target; nothing to do.",
                }
            if unit.effects.move(Change(entry.key, values | {"state": after.value}), seen=entry):
                session.touched.add(entry.key)
                events.append(session.event(entry.key, "lease-over", entry.state.value, after.value, why))
        unit.events.append(events, now)
    faultpoints.reached("recover.expired")


def _over(entry: Entry, session: Session, now: datetime) -> bool:
    if entry.lease_until is None or entry.lease_until <= now:
        return True
    return entry.lease_owner is not None and session.policy.owner_alive(entry.lease_owner) is False


def unknown_entries(session: Session, search: Search | None = None) -> list[Entry]:
    """The connection's effects of unknown outcome, and those held because its search was behind."""
    with session.journal.read() as unit:
        found = unit.effects.in_states(session.connection, (EffectState.UNKNOWN, EffectState.HELD), search)
    return [e for e in found if e.state is EffectState.UNKNOWN or waits_for_the_search(e)]


def resolve(session: Session, entries: Sequence[Entry]) -> None:
    """Ask the target about effects of unknown outcome, and move those the answer settles."""
    for start in range(0, len(entries), session.policy.probe_batch):
        if session.parked is not None:
            return
        part = entries[start : start + session.policy.probe_batch]
        _resolve_part(session, part)


def _resolve_part(session: Session, entries: Sequence[Entry]) -> None:
    asked_at = session.clock.now()
    with session.journal.read() as unit:
        proof = controls(
            session, unit, [e for e in entries if _could_be_absent(e, session, asked_at)], asked_at
        )
        asked = [*_each_once(entry for control in proof.values() for entry in control.entries), *entries]
        ids = unit.effects.remote_ids(key for entry in asked for key in needs(entry.effect))
    faultpoints.reached("recover.before_probe")
    found = _probe(session, [resolved(entry.effect, ids) for entry in asked])
    faultpoints.reached("recover.after_probe")
    if session.parked is not None:
        return
    now = session.clock.now()
    changes: list[tuple[Entry, dict[str, Any], Event, Link | None]] = []
    for entry in entries:
        if entry.key in session.trouble:
            continue
        remote = found.get(entry.key)
        if remote is not None:
            changes.append(_found(session, entry, remote, now))
        else:
            missing = _missing(session, entry, asked_at, now, proof.get(entry.effect.kind, Controls()), found)
            if missing is not None:
                changes.append(missing)
    if not changes:
        return
    faultpoints.reached("recover.before_adopt")
    with session.journal.write() as unit:
        _store(session, unit, changes, now)
    faultpoints.reached("recover.adopted")


def _each_once(entries: Iterable[Entry]) -> list[Entry]:
    return list({entry.key: entry for entry in entries}.values())


def _store(
    session: Session,
    unit: Unit,
    changes: Sequence[tuple[Entry, dict[str, Any], Event, Link | None]],
    now: datetime,
) -> None:
    events: list[Event] = []
    links: list[Link] = []
    for entry, values, event, link in changes:
        if not unit.effects.move(Change(entry.key, values | {"fence": session.fence}), seen=entry):
            continue
        session.touched.add(entry.key)
        events.append(event)
        if link is not None:
            links.append(link)
            session.adopted.add(entry.key)
    unit.links.put(links)
    unit.events.append(events, now)


def _probe(session: Session, effects: Sequence[Effect]) -> Mapping[str, Remote]:
    """Ask; keys that cannot be asked about now are noted in `session.trouble`."""
    session.probes += 1
    try:
        return session.writer.probe(effects)
    except CredentialError as error:
        with session.journal.write() as unit:
            session.park(unit, error.message, session.clock.now())
    except LedgerError as error:
        session.trouble.update({effect.key: str(error) for effect in effects})
    except Exception as error:  # noqa: BLE001 - whatever a writer raises, nothing is learnt, and only of these records
        if len(effects) > 1:
            half = len(effects) // 2
            return {**_probe(session, effects[:half]), **_probe(session, effects[half:])}
        session.trouble.update({effect.key: f"{type(error).__name__}: {error}" for effect in effects})
    return {}


def confirmed_values(remote: Remote, now: datetime, *, adopted: bool) -> dict[str, Any]:
    """A row that is done; its older error is cleared."""
    return {
        "state": EffectState.CONFIRMED.value,
        "remote_id": remote.remote_id,
        "remote_number": remote.number,
        "adopted": adopted,
        "confirmed_at": now,
        "updated_at": now,
        "lease_owner": None,
        "lease_until": None,
        "not_before": None,
        "held_from": None,
        "conflict": None,
        "error_code": None,
        "error_text": None,
        "error_remedy": None,
    }


def held_values(before: EffectState, code: str, text: str, remedy: str, now: datetime) -> dict[str, Any]:
    """A row that waits for a person."""
    return {
        "state": EffectState.HELD.value,
        "held_from": before.value,
        "error_code": code,
        "error_text": text,
        "error_remedy": remedy,
        "lease_owner": None,
        "lease_until": None,
        "updated_at": now,
    }


def mismatch_values(
    effect: Effect, before: EffectState, remote: Remote, differences: Sequence[str], now: datetime
) -> dict[str, Any]:
    """A row whose record in the target says something else."""
    text = f"{effect.number}: the target holds {remote.number or remote.remote_id}, but {'; '.join(differences)}."
    remedy = "Compare the two in the target; then adopt it, or correct it there and retry."
    return held_values(before, "mismatch", text, remedy, now) | {
        "remote_id": remote.remote_id,
        "remote_number": remote.number,
    }


def link_of(entry: Entry, remote: Remote, now: datetime) -> Link:
    """The link a confirmed effect makes."""
    effect = entry.effect
    return Link(
        effect.connection,
        effect.kind,
        effect.external_id,
        remote.remote_id,
        remote.number,
        effect.key,
        entry.body_hash,
        0,
        effect.action is Action.VOID,
        now,
    )


def _found(
    session: Session, entry: Entry, remote: Remote, now: datetime
) -> tuple[Entry, dict[str, Any], Event, Link | None]:
    differences = disagreements(entry.effect, remote)
    before = entry.state.value
    if differences or not remote.remote_id:
        values = mismatch_values(
            entry.effect, entry.state, remote, differences or ["it has no id to refer to"], now
        )
        return entry, values, session.event(entry.key, "mismatch", before, "held", values["error_text"]), None
    why = f"Found in the target as {remote.number or remote.remote_id} (id {remote.remote_id}); it agrees."
    event = session.event(entry.key, "adopted", before, "confirmed", why)
    return entry, confirmed_values(remote, now, adopted=True), event, link_of(entry, remote, now)


def _could_be_absent(entry: Entry, session: Session, asked_at: datetime) -> bool:
    """Whether not finding it could settle it: then the search has to prove itself."""
    settled = settles_at(entry, session)
    return settled is not None and asked_at >= settled


def _missing(
    session: Session,
    entry: Entry,
    asked_at: datetime,
    now: datetime,
    controls: Controls,
    found: Collection[str],
) -> tuple[Entry, dict[str, Any], Event, Link | None] | None:
    before = entry.state.value
    settled = settles_at(entry, session)
    if session.writer.write_class is WriteClass.NEITHER:
        values = unsearchable_values(session, entry.effect, entry.state, entry.settle_from, now)
        return entry, values, session.event(entry.key, "held", before, "held", values["error_text"]), None
    if settled is None or asked_at < settled:
        return None
    if entry.problem is not None and entry.problem.code == EXISTS:
        values = held_values(
            entry.state,
            "exists-not-found",
            f"{entry.effect.number}: the target says it exists, but a search by {entry.effect.external_id} "
            "does not show it.",
            "Find it in the target and adopt it by its id, or free the reference there and retry.",
            now,
        )
        return entry, values, session.event(entry.key, "held", before, "held", values["error_text"]), None
    since = entry.settle_from or entry.sent_at
    if entry.effect.action is Action.CREATE and since is not None:
        word, control = controls.word(since, found, session.trouble)
        if word is Word.TOO_EARLY:
            return None
        if word is Word.BEHIND and control is not None:
            return _search_is_behind(session, entry, control, now)
    why = f"Not in the target, searched {asked_at:%Y-%m-%d %H:%M:%S} UTC, after the settle window."
    values = {
        "state": EffectState.APPROVED.value,
        "settle_from": None,
        "not_before": None,
        "held_from": None,
        "error_code": ABSENT,
        "error_text": why,
        "error_remedy": "It is sent again; nothing to do.",
        "updated_at": now,
    }
    return entry, values, session.event(entry.key, "absent", before, "approved", why), None


def _search_is_behind(
    session: Session, entry: Entry, control: Entry, now: datetime
) -> tuple[Entry, dict[str, Any], Event, Link | None] | None:
    if waits_for_the_search(entry):
        return None
    text = behind_text(entry, control, session.writer.settle_window)
    values = held_values(
        entry.state,
        SEARCH_BEHIND,
        text,
        "It is asked about again in every run. Or look in the target yourself: there: adopt with its id; not there: retry, "
        "you vouch for it. Then declare a longer settle window.",
        now,
    )
    return entry, values, session.event(entry.key, "held", entry.state.value, "held", text), None


def unsearchable_values(
    session: Session, effect: Effect, before: EffectState, since: datetime | None, now: datetime
) -> dict[str, Any]:
    """A row of write class C whose outcome nobody can ask about."""
    settled = (since or now) + session.writer.settle_window
    return held_values(
        before,
        UNSEARCHABLE,
        f"{effect.number}: the answer was lost, and the target cannot be searched for it.",
        f"Look for it in the target after {settled:%Y-%m-%d %H:%M:%S} UTC; adopt it when it is there, else retry.",
        now,
    )
