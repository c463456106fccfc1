"""Cases of an integration by days, whatever its books are: its days again, its target dead, what it keeps lost.

Belongs here: a case under way, and the cases that any integration by days has. Does not belong here: those that only one has
(`shop_cases`), the business, killing (`drills.crash`), which integration has which (`own_cases`).

What writes is counted by the sandbox; what was written is read from its dumps.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.storage.journal import Search
from ledger_pipelines_tests.faults.chain_child import Order
from ledger_pipelines_tests.faults.drill_books import Picture
from ledger_pipelines_tests.faults.entries import Entry
from ledger_pipelines_tests.stage import WINDOW


@dataclass
class Found:
    """What a case comes to."""

    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)


@dataclass
class OneCase:
    """One case under way.

    Args:
        whole: The books of a run that nobody disturbed.
    """

    entry: Entry[Any]
    stage: Any
    whole: Picture
    order: Order
    found: Found = field(default_factory=Found)

    def must(self, holds: object, otherwise: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.found.problems.append(otherwise)

    def calls(self) -> Counter[str]:
        """Calls to all vendors so far."""
        return sum((Counter(self.stage.calls(vendor)) for vendor in self.entry.vendors), Counter())

    def count(self, name: str, number: int) -> None:
        """Add to a figure."""
        self.found.figures[name] = self.found.figures.get(name, 0) + number

    def same(self) -> None:
        """The books are those of the run that nobody disturbed; quantities are read again first."""
        self.found.problems += self.entry.around(self.stage, False)
        now = self.entry.picture(self.stage)
        self.found.problems += now.differences(self.whole)
        self.found.problems += [f"twice: {one}" for one in self.entry.doubles(self.stage)]
        self.found.figures |= {"lost": now.lost(self.whole), "doubled": now.doubled(self.whole)}

    def run(self, days: Sequence[date] = ()) -> int:
        """Run now; the exit code."""
        assert self.entry.live_days is not None, "an integration by days"
        return self.entry.live_days(self.stage, days)

    def nothing(self, what: str, act: Callable[[], object]) -> None:
        """An act during which no call writes to the books."""
        before = self.entry.written(self.stage)
        act()
        again = self.entry.written(self.stage) - before
        self.count("writing calls where none may be", again)
        self.must(again == 0, f"{what}: {again} calls write to the books: {self.calls()}")


# --- again, dead, lost --------------------------------------------------------------------------------------------------


def _again(one: OneCase) -> None:
    """The second apply of the same plans makes no call at all; planning makes none either."""
    stage = one.stage
    one.must(one.run() == 0, "the run does not end well")
    stage.again()
    days = [date.fromisoformat(row.effect.partition) for row in stage.service.journal.find(Search())]
    stage.forget_calls()
    for flow in stage.service.flows:
        for day in sorted(set(days)):
            result = stage.service.export(flow, day)
            one.must(not result.sends and not result.probes, f"{flow}: the second apply sends {result.sends}")
            stage.service.plan(flow, day)
    calls = one.calls()
    one.must(not calls, f"the second apply makes calls: {calls}")
    one.same()


def _replayed(one: OneCase) -> None:
    """Each day again, forwards and backwards, in new processes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    today = stage.service.today()
    days = [today - timedelta(days=number) for number in (1, 0)]
    for order in (days, days[::-1]):
        for day in order:
            stage.again()
            one.nothing(f"a replay of {day}", partial(_runs_well, one, day))
    one.same()


def _runs_well(one: OneCase, day: date) -> None:
    one.must(one.run([day]) == 0, f"{day} does not end well")


def _dead(one: OneCase) -> None:
    """The books cannot be reached at all: said in a sentence, nothing is lost, and the next run does everything."""
    stage = one.stage
    stage.fault("refuse", one.entry.target)
    try:
        code = one.run()
    except LedgerError as error:
        code = 1
        one.must(str(error) and error.remedy is not None, f"no sentence: {error!r}")
    one.must(code != 0, "with a dead connection the run ends with 0")
    one.must(one.entry.written(stage) == 0, "something was written to a dead connection")
    one.found.reached.add("dead connection")
    stage.control.delete("/faults").raise_for_status()
    stage.clock.jump(WINDOW + 1)
    stage.again()
    one.must(one.run() == 0, f"back again, the run does not end well: {stage.service.errors()}")
    one.same()


_LATER = ("stock",)
"""Kinds that follow with the next reading of quantities."""


def _unreadable(one: OneCase) -> None:
    """An order whose total is no number: it alone waits, by its number, and all others are written; mended, it alone is written."""
    stage = one.stage
    number = stage.order({"SKU": "TIN-200", "Quantity": "1"})
    stage.spoil(number, "GrandTotal")
    one.must(one.run() == 1, "with a record that cannot be read the run does not end with 1")
    items = stage.service.errors()
    one.must([item.number for item in items] == [number], f"open is not {number} alone: {items}")
    one.must(all(item.text and item.remedy and item.code for item in items), f"no reason or remedy: {items}")
    if items:
        one.found.reached.add("bad record")
    there = one.entry.picture(stage).without(_LATER)
    one.found.problems += there.differences(one.whole.without(_LATER))
    one.nothing("the run after it", lambda: one.must(one.run() == 1, "the run after it does not end with 1"))
    before = Counter(one.entry.names(stage))
    stage.mend()
    stage.status(number, "Pack")
    one.must(one.run() == 0, f"mended, the run does not end well: {stage.service.errors()}")
    made = Counter(one.entry.names(stage)) - before
    one.must(any(number in name for name in made), f"mended, {number} is not written: {made}")
    one.count("written after it was mended", made.total())
    one.must(made.total() <= 2, f"mended, more is written than the order and its buyer: {made}")
    one.found.problems += [f"twice: {name}" for name in one.entry.doubles(stage)]


def _snapshots_lost(one: OneCase) -> None:
    """What was read is deleted, and the initial sync done again: the same, and no call writes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    stage.close_service()
    for name in (stage.service.source, stage.service.target):
        shutil.rmtree(stage.folder / "data" / "snapshots" / name, ignore_errors=True)
        shutil.rmtree(stage.folder / "data" / name, ignore_errors=True)
    stage.again()
    stage.clock.jump(60)
    stage.service.initial_sync()
    one.nothing("a run after reading all again", lambda: one.must(one.run() == 0, "it does not end well"))
    one.same()


def _found_again(one: OneCase) -> None:
    """A few runs: what an earlier journal may have sent is looked for until the settle window is over."""
    for _ in range(4):
        code = one.run()
        one.stage.clock.jump(WINDOW + 1)
        if code == 0:
            return
    one.must(False, f"does not end well: {[(i.number, i.code, i.text) for i in one.stage.service.errors()]}")


def _journal_lost(one: OneCase) -> None:
    """The journal is deleted: the same keys come back, adopted, and no call writes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    before = {entry.key for entry in stage.service.journal.find(Search(limit=10_000))}
    stage.clock.jump(60)
    stage.forget_journal()
    stage.again()
    one.nothing("a run without its journal", partial(_found_again, one))
    after = {entry.key: entry for entry in stage.service.journal.find(Search(limit=10_000))}
    one.must(set(after) <= before, f"other keys: {list(set(after) - before)[:3]}")
    open_ = [entry.effect.title for entry in after.values() if entry.state is not EffectState.CONFIRMED]
    one.must(not open_, f"open: {open_[:3]}")
    one.found.figures["adopted"] = sum(entry.adopted for entry in after.values())
    one.must(
        one.found.figures["adopted"] == len(after),
        f"{len(after)} keys, adopted {one.found.figures['adopted']}",
    )
    one.same()


def _all_lost(one: OneCase) -> None:
    """The whole data folder is deleted: the initial sync finds both sides paired, and no call writes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    stage.close_service()
    shutil.rmtree(stage.folder / "data")
    stage.clock.jump(60)
    stage.again()
    stage.service.initial_sync()
    one.nothing("a run without anything of its own", partial(_found_again, one))
    one.same()


Case = Callable[[OneCase], None]
CASES: Mapping[str, Mapping[str, Case]] = {
    "plan": {"again": _again},
    "redeliver": {"replayed": _replayed},
    "isolation": {"dead": _dead, "unreadable": _unreadable},
    "rebuild": {"snapshots": _snapshots_lost, "journal": _journal_lost, "all": _all_lost},
}  # fmt: skip
"""By drill and kind."""
