"""What must hold after a schedule, read from the target's own books.

Belongs here: reliability.md section 0 as checks on the small ledger. Does not belong here: how it came to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines_tests.faults.engine_target import FakeLedger, Record
from ledger_pipelines_tests.faults.simulation.schedule import Schedule

_VISIBLE = frozenset({EffectState.HELD, EffectState.REFUSED, EffectState.IGNORED})


def number_of(record: Record) -> str:
    """The document's number in the shop, as the target holds it: whatever key it came under."""
    body = decode(record.body)
    assert isinstance(body, dict)
    return str(body["name"])


class Judge:
    """Judges one schedule."""

    def __init__(self, schedule: Schedule, ledger: FakeLedger) -> None:
        self._schedule = schedule
        self._ledger = ledger

    def _held(self) -> dict[str, list[Record]]:
        self._ledger.settle()
        found: dict[str, list[Record]] = {}
        for record in self._ledger.records:
            found.setdefault(number_of(record), []).append(record)
        return found

    def nothing_twice(self) -> None:
        """At every instant: no document is in the target twice."""
        self._ledger.settle()
        for number, count in Counter(number_of(record) for record in self._ledger.records).items():
            if count > 1:
                self._schedule.complain(f"doubled: document {number} is in the target {count} times")

    def has_all(self, plan: Plan) -> bool:
        """Whether there is nothing left to write of a plan: all of it is in the target."""
        return {effect.number for effect in plan.effects()} <= self._held().keys()

    def in_the_end(self, plan: Plan, journal: Journal, touched: Collection[str]) -> None:
        """Each document is in the target once, to the cent, or is an open row that says why not."""
        complain, there = self._schedule.complain, self._held()
        entries = journal.entries(effect.key for effect in plan.effects())
        for effect in plan.effects():
            entry = entries.get(effect.key)
            records = there.get(effect.number, [])
            if entry is None:
                complain(f"lost: the journal does not know document {effect.number}")
            elif entry.state is EffectState.CONFIRMED:
                if len(records) != 1:
                    kind = "lost" if not records else "doubled"
                    complain(
                        f"{kind}: document {effect.number} is confirmed, the target has {len(records)} of it"
                    )
                elif records[0].remote_id != entry.remote_id:
                    complain(
                        f"document {effect.number} is confirmed as {entry.remote_id}, the target has {records}"
                    )
                elif records[0].amount != effect.expected.amount and effect.external_id not in touched:
                    complain(f"other total: document {effect.number} is there with {records[0].amount}")
                if entry.problem is not None:
                    complain(f"document {effect.number} is confirmed and still carries {entry.problem}")
            elif entry.state is EffectState.APPROVED:
                if all(
                    key in entries and entries[key].state is EffectState.CONFIRMED
                    for key in effect.depends_on
                ):
                    complain(f"lost: document {effect.number} was never sent: {entry.problem}")
            elif entry.state not in _VISIBLE:
                complain(f"not settled: document {effect.number} never left {entry.state}")
            elif (
                entry.state is EffectState.HELD
                and effect.external_id not in touched
                and not self._ledger.unique
            ):
                complain(f"document {effect.number} is held without a cause: {entry.problem}")
        self._log(journal)

    def _log(self, journal: Journal) -> None:
        broken = journal.verify()
        if broken is not None:
            self._schedule.complain(f"the log is broken: {broken}")
