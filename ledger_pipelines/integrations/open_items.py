"""What is open, and what a person said of it: the same for every integration.

Belongs here: open items of plans and journal, rows a person told us to ignore, writes that are not known to be done.
Does not belong here: deciding what is open (the integrations), showing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import ConfigurationError, DataError
from ledger_pipelines.storage.journal import Entry, Event, Journal, Search
from ledger_pipelines.sync import acts
from ledger_pipelines.sync.plan import PlanRow

EVERYTHING = 5_000_000
"""Limit of a search that wants all there is."""
OPEN = (EffectState.REFUSED, EffectState.UNKNOWN, EffectState.HELD, EffectState.SENT, EffectState.CLAIMED)
_UNFINISHED = (EffectState.APPROVED, EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN)
IGNORED, RETRIED = "ignored", "retried"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A partition whose writes are not finished. resolvable_at: from when on another run can settle all of them."""

    partition: str
    rows: int
    resolvable_at: datetime


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One thing that is not resolved. key: what `retry` and `ignore` take; they also take the number."""

    key: str
    flow: str
    partition: str
    number: str
    title: str
    state: str
    code: str
    text: str
    remedy: str
    amount: Money | None


def blocked_item(flow: str, partition: str, row: PlanRow) -> OpenItem:
    """A row of a plan that waits for a person."""
    return OpenItem(
        row.key, flow, partition, row.number, row.title, row.state, row.reason.code, row.reason.text,
        row.reason.remedy, row.amount,
    )  # fmt: skip


def journal_item(entry: Entry) -> OpenItem:
    """An effect of the journal that is not done."""
    effect, problem = entry.effect, entry.problem
    return OpenItem(
        entry.key, effect.flow, effect.partition, effect.number, effect.title, entry.state.value,
        entry.state.value if problem is None else problem.code,
        "The outcome is not known yet." if problem is None else problem.text,
        "`ledger-pipelines resume` asks the target again." if problem is None else problem.remedy,
        effect.expected.amount,
    )  # fmt: skip


def is_called(entry: Entry, name: str) -> bool:
    """Whether a person who says the name means the effect."""
    return name in (entry.key, entry.effect.number, entry.effect.external_id)


@dataclass(frozen=True, slots=True)
class Act:
    """What a person says of open work. what: IGNORED or RETRIED; names: keys or document numbers."""

    what: str
    names: Sequence[str]
    who: str
    why: str

    def __post_init__(self) -> None:
        """Raise ConfigurationError when it does not say who and why."""
        if not self.who.strip() or not self.why.strip():
            raise ConfigurationError("Say who does this and why.", remedy="Give --who and --why.")

    def on_effects(
        self, journal: Journal, integration: str, clock: Clock
    ) -> tuple[dict[str, Entry], list[str]]:
        """Move the journal's effects of these names. All that are called so, by key, as they were, and the keys of those moved:
        confirmed ones stay."""
        known: dict[str, Entry] = {}
        for name in self.names:
            for entry in journal.find(Search(text=name, integration=integration)):
                if is_called(entry, name):
                    known[entry.key] = entry
        moved = [key for key, entry in known.items() if entry.state is not EffectState.CONFIRMED]
        if moved:
            act = acts.ignore if self.what == IGNORED else acts.retry
            act(journal, moved, who=self.who, why=self.why, clock=clock)
        return known, moved

    def touched(self, keys: list[str]) -> list[str]:
        """The keys, when there are any. Raises DataError."""
        if not keys:
            raise DataError(
                f"Nothing open is called {', '.join(self.names)}.",
                remedy="`ledger-pipelines errors` lists what is.",
            )
        return keys


class Ignored:
    """Rows a person told us to ignore, kept in the journal's log: the last word on each counts."""

    def __init__(self, journal: Journal, integration: str) -> None:
        self._journal = journal
        self._integration = integration

    def of(self, partition: str) -> frozenset[str]:
        """Their keys."""
        last: dict[str, bool] = {}
        for line in self._journal.history(self._subject(partition)):
            last[line.event.to_state] = line.event.what == IGNORED
        return frozenset(key for key, is_ignored in last.items() if is_ignored)

    def say(self, act: Act, partition: str, keys: Iterable[str], now: datetime) -> None:
        """Write down what a person said of these rows."""
        subject = self._subject(partition)
        self._journal.log([Event(act.who, subject, act.what, "", key, act.why) for key in keys], now)

    def _subject(self, partition: str) -> str:
        return f"worklist:{self._integration}/{partition}"


def unfinished(journal: Journal, integration: str, window: timedelta) -> list[Unfinished]:
    """Partitions with writes that are meant and not known to be done; no call is made.

    A row can be taken up once no other run can hold it and, when it was sent, the target can no longer be working on it.

    Args:
        window: The target's settle window.
    """
    found: dict[str, tuple[int, datetime]] = {}
    for entry in journal.find(Search(integration=integration, states=_UNFINISHED, limit=EVERYTHING)):
        rows, at = found.get(entry.effect.partition, (0, datetime.min.replace(tzinfo=UTC)))
        found[entry.effect.partition] = (rows + 1, max(at, _resolvable_at(entry, window)))
    return [Unfinished(partition, rows, at) for partition, (rows, at) in found.items()]


def _resolvable_at(entry: Entry, window: timedelta) -> datetime:
    moments = [entry.updated_at]
    if entry.state in (EffectState.CLAIMED, EffectState.SENT) and entry.lease_until is not None:
        moments.append(entry.lease_until)
    if entry.state in (EffectState.SENT, EffectState.UNKNOWN):
        moments.append((entry.settle_from or entry.sent_at or entry.updated_at) + window)
    if entry.not_before is not None:
        moments.append(entry.not_before)
    return max(moments)
