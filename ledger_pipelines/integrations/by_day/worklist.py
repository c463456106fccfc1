"""What is open of an integration by days, and what a person says of it.

Belongs here: blocked rows of the latest plans and open effects of the journal as one list; taking them up again, setting them
aside. Does not belong here: making plans (`service`), what an open item is (`open_items`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import Action
from ledger_pipelines.integrations.by_day.days import DaysDone
from ledger_pipelines.integrations.by_day.memory import EVERY_PARTITION
from ledger_pipelines.integrations.open_items import (
    EVERYTHING,
    IGNORED,
    OPEN,
    RETRIED,
    Act,
    Ignored,
    OpenItem,
    blocked_item,
    is_called,
    journal_item,
)
from ledger_pipelines.storage.journal import Entry, Journal, Search
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.sync.plan_store import PlanStore

FOLLOWING: Final = frozenset({"order-blocked", "return-blocked"})
"""Codes of rows that wait for another row, which says why: they go on once that one does."""


@dataclass(frozen=True, slots=True)
class Worklist:
    """One integration's. flows: all of its kind, those that are off included; doubles: what the target has more than once."""

    integration: str
    flows: Sequence[str]
    journal: Journal
    ignored: Ignored
    plans: PlanStore
    days_done: DaysDone
    clock: Clock
    doubles: Callable[[], Sequence[OpenItem]]

    def items(self, day: date | None = None) -> list[OpenItem]:
        """What needs a person or a later probe: blocked rows of the latest plans, the journal's open effects, and, where no day is
        named, what the target has more than once."""
        found: dict[str, OpenItem] = {}
        ignored = self.ignored.of(EVERY_PARTITION)
        partition = "" if day is None else day.isoformat()
        for flow, name, row in self._blocked():
            if partition in ("", name) and row.key not in ignored:
                found.setdefault(row.key, blocked_item(flow, name, row))
        search = Search(integration=self.integration, partition=partition, states=OPEN, limit=EVERYTHING)
        for entry in self.journal.find(search):
            found[entry.key] = journal_item(entry)
        return [*found.values(), *(self.doubles() if day is None else ())]

    def retry(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Take up again: effects by key or document number, and rows that were ignored: their days are due. Keys concerned."""
        return self._carry_out(Act(RETRIED, names, who, why))

    def ignore(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Count as resolved by a person: effects or rows, by key or document number. Keys concerned.

        A number means what is said of the document itself: its payments and its dispatch, which only wait for that, are not ignored
        with it, unless nothing else is called so.
        """
        return self._carry_out(Act(IGNORED, names, who, why))

    def _carry_out(self, act: Act) -> list[str]:
        known, moved = act.on_effects(self.journal, self.integration, self.clock)
        rows = dict.fromkeys(
            self._to_ignore(act, known, moved) if act.what == IGNORED else self._to_retry(act, known)
        )
        self.ignored.say(act, EVERY_PARTITION, rows, self.clock.now())
        return act.touched([*moved, *rows])

    def _to_ignore(self, act: Act, known: Mapping[str, Entry], moved: Collection[str]) -> list[str]:
        ignored = self.ignored.of(EVERY_PARTITION)
        rows = [row for _, _, row in self._blocked() if row.key not in known and row.key not in ignored]
        doubles = self.doubles()
        found: list[str] = []
        for name in act.names:
            called = [row for row in rows if name in (row.key, row.number)]
            own = [row for row in called if row.key == name or row.reason.code not in FOLLOWING]
            itself = own or any(is_called(known[key], name) for key in moved)
            found += [row.key for row in (own if itself else called)]
            found += [one.key for one in doubles if name in (one.key, one.number)]
        return found

    def _to_retry(self, act: Act, known: Collection[str]) -> list[str]:
        wanted, ignored = set(act.names), self.ignored.of(EVERY_PARTITION)
        found = [key for key in ignored if key in wanted]
        for flow, day, row in self._planned() if ignored else ():
            if row.key in ignored and wanted & {row.key, row.number} and row.key not in known:
                found.append(row.key)
                self.days_done.planned(flow, day, waits=True)
        return found

    def _planned(self) -> Iterator[tuple[str, date, PlanRow]]:
        """Flow, day, row of all latest plans."""
        for flow in self.flows:
            for day in sorted(self.days_done.of(flow)):
                plan = self.plans.latest(self.integration, flow, day.isoformat())
                yield from () if plan is None else ((flow, day, row) for row in plan.rows)

    def _blocked(self) -> Iterator[tuple[str, str, PlanRow]]:
        """Flow, day, row."""
        for flow in self.flows:
            for waiting in self.days_done.waiting(flow):
                name = waiting.isoformat()
                plan = self.plans.latest(self.integration, flow, name)
                for row in () if plan is None else plan.rows:
                    if row.action is Action.BLOCKED:
                        yield flow, name, row
