"""What a person may do to rows: retry, ignore, adopt; and let a parked connection be written to again.

Belongs here: which act is allowed in which state; every act is logged with who and why. Does not belong here: sending.
An act only changes the journal; the next apply or `resume` carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ledger_pipelines.documents.dates import Clock, SystemClock
from ledger_pipelines.documents.effects import EffectState, Remote
from ledger_pipelines.errors import ConfigurationError, RefusedError
from ledger_pipelines.storage.journal import Change, Entry, Event, Journal
from ledger_pipelines.sync.recover import confirmed_values, link_of
from ledger_pipelines.sync.states import NEVER_SENT, SEARCH_BEHIND, UNSEARCHABLE

_CLEAR: dict[str, Any] = {
    "error_code": None,
    "error_text": None,
    "error_remedy": None,
    "held_from": None,
    "conflict": None,
    "not_before": None,
    "lease_owner": None,
    "lease_until": None,
}


def retry(
    journal: Journal, keys: Iterable[str], *, who: str, why: str, clock: Clock | None = None
) -> list[Entry]:
    """Let rows be sent again. Returns them as they stand now.

    Refused rows are approved again. Held ones that were ever sent become unknown: they are looked for in the target, and
    sent only when they are not there. Where the target cannot be searched, or its search not be believed, the
    person vouches that it is not there.

    Raises:
        RefusedError: a row is confirmed, or in the hands of a run; nothing was changed.
        ConfigurationError: unknown key, or who or why missing.
    """

    def change(entry: Entry) -> dict[str, Any]:
        if entry.state is EffectState.CONFIRMED or entry.held_from is EffectState.CONFIRMED:
            raise RefusedError(
                f"{entry.effect.number} is in the target already as {entry.remote_number or entry.remote_id}.",
                remedy="Correct it there, or plan a new revision of the document; it is never sent twice.",
                code="already-confirmed",
            )
        if entry.state is EffectState.UNKNOWN:
            return {}
        vouched = entry.problem is not None and entry.problem.code in {UNSEARCHABLE, SEARCH_BEHIND}
        stood = entry.held_from or entry.state
        sent_before = entry.sent_at is not None and stood not in NEVER_SENT
        after = EffectState.UNKNOWN if sent_before and not vouched else EffectState.APPROVED
        return _CLEAR | {"state": after.value, "remote_id": None, "remote_number": None}

    return _act(journal, keys, "retry", who, why, clock, change)


def ignore(
    journal: Journal, keys: Iterable[str], *, who: str, why: str, clock: Clock | None = None
) -> list[Entry]:
    """Leave rows alone for good (until retried). Returns them as they stand now.

    Raises:
        RefusedError: a row is confirmed, or in the hands of a run; nothing was changed.
        ConfigurationError: unknown key, or who or why missing.
    """

    def change(entry: Entry) -> dict[str, Any]:
        if entry.state is EffectState.CONFIRMED:
            raise RefusedError(
                f"{entry.effect.number} is in the target already as {entry.remote_number or entry.remote_id}.",
                remedy="There is nothing to ignore; void it in the target if it should not be there.",
                code="already-confirmed",
            )
        return {"state": EffectState.IGNORED.value, "held_from": (entry.held_from or entry.state).value}

    return _act(journal, keys, "ignore", who, why, clock, change)


def adopt(
    journal: Journal, key: str, *, remote_id: str = "", who: str, why: str, clock: Clock | None = None
) -> Entry:
    """A person vouches that the target's record is this one. Returns the row as it stands now.

    Args:
        journal: Where the row is.
        key: The effect's key.
        remote_id: The target's id; "" = the one the row already names.
        who: The person.
        why: What they saw.
        clock: The machine's by default.

    Raises:
        RefusedError: the row is in the hands of a run, or no id is known.
        ConfigurationError: unknown key, or who or why missing.
    """
    clock = clock or SystemClock()

    def change(entry: Entry) -> dict[str, Any]:
        found = remote_id or entry.remote_id or ""
        if not found:
            raise RefusedError(
                f"The target's id for {entry.effect.number} is not known.",
                remedy="Look it up in the target and give it.",
                code="remote-id-missing",
            )
        number = entry.remote_number or "" if found == entry.remote_id else ""
        return confirmed_values(Remote(found, number=number), clock.now(), adopted=True)

    return _act(journal, [key], "adopt", who, why, clock, change)[0]


def unpark(journal: Journal, connection: str, *, who: str, why: str, clock: Clock | None = None) -> bool:
    """Let a parked connection be written to again; False when it was not parked."""
    _named(who, why)
    now = (clock or SystemClock()).now()
    with journal.write() as unit:
        removed = unit.parking.remove(connection)
        if removed:
            unit.events.append([Event(who, f"connection:{connection}", "unparked", "parked", "", why)], now)
    return removed


def _named(who: str, why: str) -> None:
    if not who.strip() or not why.strip():
        raise ConfigurationError(
            "An act on a row needs a person and a reason.", remedy="Give who and why.", code="act-unnamed"
        )


def _act(
    journal: Journal,
    keys: Iterable[str],
    what: str,
    who: str,
    why: str,
    clock: Clock | None,
    change: Callable[[Entry], dict[str, Any]],
) -> list[Entry]:
    _named(who, why)
    now = (clock or SystemClock()).now()
    wanted = list(dict.fromkeys(keys))
    with journal.write() as unit:
        known = unit.effects.get(wanted)
        for key in wanted:
            entry = known.get(key)
            if entry is None:
                raise ConfigurationError(
                    f"The journal knows no {key}.",
                    remedy="Look it up by its document number.",
                    code="unknown-key",
                )
            if entry.state in {EffectState.CLAIMED, EffectState.SENT}:
                raise RefusedError(
                    f"{entry.effect.number} is in the hands of a run.",
                    remedy="Wait until it has ended, or run `resume`.",
                    code="in-hand",
                )
            values = change(entry)
            if not values:
                continue
            values = {"acted_by": who, "acted_why": why, "updated_at": now} | values
            unit.effects.move(Change(key, values), seen=entry)
            after = str(values["state"])
            unit.events.append([Event(who, key, what, entry.state.value, after, why)], now)
            if after == EffectState.CONFIRMED.value:
                remote = Remote(str(values["remote_id"]), number=str(values["remote_number"]))
                unit.links.put([link_of(entry, remote, now)])
        return list(unit.effects.get(wanted).values())
