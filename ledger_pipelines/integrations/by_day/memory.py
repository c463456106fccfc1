"""The journal as plans see it, kept up to date cheaply: after a change only the effects it touched are read again.

Belongs here: the hand-over from the journal to `context.JournalView`. Does not belong here: what follows from it.
A year of daily plans looks at the journal thousands of times; reading all of it each time would take an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.open_items import EVERYTHING, Ignored
from ledger_pipelines.storage.journal import Entry, Journal, Search, fingerprint
from ledger_pipelines.sync.plan import Plan

EVERY_PARTITION = "all"
"""Rows a person told us to ignore are ignored whatever day they are planned under."""


_BEGUN = frozenset(
    {EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN, EffectState.HELD, EffectState.CONFIRMED}
)

_COLUMNS = (
    "key", "kind", "action", "state", "body", "body_hash", "external_id", "remote_id", "remote_number", "expected_amount",
    "expected_currency", "expected_day", "adopted", "confirmed_at", "error_code", "error_text", "error_remedy", "source",
)  # fmt: skip
"""What `_of_row` takes, in its order."""


class JournalMemory:
    """What the journal knows of one integration."""

    def __init__(self, journal: Journal, integration: str) -> None:
        self._journal, self._integration = journal, integration
        self._known: dict[str, Known] = {}
        self._ignored: frozenset[str] = frozenset()
        self._seq = -1
        self.ignored = Ignored(journal, integration)

    def view(self, exported: Plan | None = None) -> JournalView:
        """As it stands.

        Args:
            exported: A plan that is being carried out. What the journal knows of its own effects, from a run of it that
                was cut short, is no news: applying goes on from there. The same document with other content is; so is what
                was known before the plan was made: that a call was refused, or never made.
        """
        known: Mapping[str, Known]
        if self._seq < 0:
            known, self._ignored = _Unread(self._read), self.ignored.of(EVERY_PARTITION)
        else:
            known = self._read()
        if exported is None:
            return JournalView(known, self._ignored)
        own = {effect.key: fingerprint(effect) for effect in exported.effects()}
        return JournalView(_Without(known, own), self._ignored)

    def _read(self) -> Mapping[str, Known]:
        self._catch_up()
        return self._known

    def _catch_up(self) -> None:
        with self._journal.read() as unit:
            seq, _ = unit.events.head()
            if seq == self._seq:
                return
            if self._seq < 0:
                search = Search(integration=self._integration, limit=EVERYTHING)
                self._known = {row[0]: _of_row(*row) for row in unit.effects.columns(_COLUMNS, search)}
            else:
                # The view handed out before keeps what it saw: a plan is made from one state of the journal.
                self._known = dict(self._known)
                touched = unit.events.subjects_since(self._seq)
                found = unit.effects.get(touched)
                for key in touched:
                    entry = found.get(key)
                    if entry is None:
                        self._known.pop(key, None)
                    elif entry.effect.integration == self._integration:
                        self._known[key] = _known(entry)
            self._seq = seq
        self._ignored = self.ignored.of(EVERY_PARTITION)


class _Unread(Mapping[str, Known]):
    """All that is known, read when it is first asked for: a day with nothing to decide asks nothing of years of it."""

    def __init__(self, read: Callable[[], Mapping[str, Known]]) -> None:
        self._read = read

    @cached_property
    def _known(self) -> Mapping[str, Known]:
        return self._read()

    def __getitem__(self, key: str) -> Known:
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class _Without(Mapping[str, Known]):
    """All that is known but a plan's own effects as they are planned."""

    def __init__(self, known: Mapping[str, Known], own: Mapping[str, str]) -> None:
        self._known, self._own = known, own

    def _hidden(self, known: Known) -> bool:
        return known.state in _BEGUN and self._own.get(known.key) == known.body_hash

    def __getitem__(self, key: str) -> Known:
        known = self._known[key]
        if self._hidden(known):
            raise KeyError(key)
        return known

    def __iter__(self) -> Iterator[str]:
        return (key for key, known in self._known.items() if not self._hidden(known))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _known(entry: Entry) -> Known:
    effect, problem = entry.effect, entry.problem
    return Known(
        key=entry.key,
        kind=effect.kind,
        action=effect.action,
        state=entry.state,
        body=effect.body,
        body_hash=entry.body_hash,
        external_id=effect.external_id,
        remote_id=entry.remote_id or "",
        number=entry.remote_number or "",
        amount=effect.expected.amount,
        day=effect.expected.day,
        adopted=entry.adopted,
        confirmed_at=entry.confirmed_at,
        code="" if problem is None else problem.code,
        text="" if problem is None else problem.text,
        remedy="" if problem is None else problem.remedy,
        source=effect.source,
    )


def _of_row(
    key: str,
    kind: str,
    action: str,
    state: str,
    body: str,
    body_hash: str,
    external_id: str,
    remote_id: str | None,
    number: str | None,
    amount: Decimal | None,
    currency: str | None,
    day: date | None,
    adopted: bool,
    confirmed_at: datetime | None,
    code: str | None,
    text: str | None,
    remedy: str | None,
    source: str,
) -> Known:
    """As `_known`, of `_COLUMNS`."""
    if code is None:
        text = remedy = None
    return Known(
        key, kind, Action(action), EffectState(state), body, body_hash, external_id, remote_id or "", number or "",
        None if amount is None else Money(amount, currency or ""), day, bool(adopted), confirmed_at, code or "", text or "",
        remedy or "", source,
    )  # fmt: skip
