"""One case on the tiny ledger: killed where it says, with the trouble it says, started again, and the ledger's books read.

Belongs here: a case from start to verdict, and its name. Does not belong here: which cases there are (`drills`), the ledger
(`engine_server`), the child (`engine_child`).
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ledger_pipelines.documents.effects import EffectState, WriteClass
from ledger_pipelines.storage.journal import Entry, Journal, Search
from ledger_pipelines.sync.acts import adopt, retry
from ledger_pipelines.sync.links import needs
from ledger_pipelines.sync.states import UNSEARCHABLE
from ledger_pipelines_tests.faults import engine_child
from ledger_pipelines_tests.faults.engine_child import WINDOW, Order, plan_of
from ledger_pipelines_tests.faults.engine_server import PATIENCE, Books, Document, Kind, LedgerServer, Trouble
from ledger_pipelines_tests.faults.kit import Verdict
from ledger_pipelines_tests.faults.nursery import Nursery
from ledger_pipelines_tests.faults.shared_clock import SharedClock
from ledger_pipelines_tests.faults.stopping import DURABLE, NOWHERE, Stop

ENGINE = "engine"
STARTS = 12
PAST_WINDOW = WINDOW.total_seconds() + 1


@dataclass(frozen=True, slots=True)
class EngineCase:
    """`engine:CLASS:SHAPE:STOP[,STOP][+TROUBLE]`."""

    write_class: WriteClass
    shape: str
    stops: tuple[Stop, ...] = ()
    trouble: str = ""

    @property
    def name(self) -> str:
        """What `--case` takes."""
        stops = ",".join(stop.name for stop in self.stops) or "none"
        return f"{ENGINE}:{self.write_class.value}:{self.shape}:{stops}" + (
            f"+{self.trouble}" if self.trouble else ""
        )

    @classmethod
    def parse(cls, name: str) -> EngineCase:
        """Read `name`. Raises ValueError."""
        _, write_class, shape, rest = name.split(":", 3)
        stops, _, trouble = rest.partition("+")
        if trouble:
            Kind(trouble)
        parsed = [Stop.parse(text) for text in stops.split(",")]
        return cls(WriteClass(write_class), shape, tuple(stop for stop in parsed if stop.at), trouble)

    @property
    def pool(self) -> tuple[int, int]:
        """Batch size and workers: several of both for plans given by their number of documents."""
        return (2, 3) if self.shape.isdecimal() else (1, 1)


@dataclass(slots=True)
class Engine:
    """The tiny ledger and its children, for as many cases as there are."""

    nursery: Nursery
    server: LedgerServer
    folder: Path
    seed: int
    number: int = 0
    _counts: dict[tuple[str, WriteClass, str], Counter[str]] = field(default_factory=dict)

    def counts(self, before: str, write_class: WriteClass, shape: str) -> Counter[str]:
        """How often a start that is left alone reaches each point, after an earlier start was killed at `before`."""
        known = self._counts.get((before, write_class, shape))
        if known is not None:
            return known
        run = Run(self, EngineCase(write_class, shape))
        if before:
            run.start(Stop.parse(before))
        place = run.folder / "counts.json"
        run.start(Stop(), place)
        counts: Counter[str] = Counter(json.loads(place.read_text()))
        run.close()
        self._counts[before, write_class, shape] = counts
        return counts

    def carry_out(self, case: EngineCase) -> Verdict:
        """One case."""
        run = Run(self, case)
        try:
            return run.verdict()
        finally:
            run.close()


class Run:
    """One case under way: fresh books, a fresh folder, a clock of its own."""

    def __init__(self, engine: Engine, case: EngineCase, trouble: Trouble | None = None) -> None:
        self.engine, self.case = engine, case
        engine.number += 1
        self.folder = engine.folder / f"engine-{engine.number:04d}"
        self.folder.mkdir()
        self.clock = SharedClock(self.folder / "clock")
        if trouble is None and case.trouble:
            trouble = Trouble(Kind(case.trouble))
        self.books = Books(self.clock, trouble)
        engine.server.serve(self.books)
        batch, workers = case.pool
        self.order = Order(
            self.folder, engine.server.url, case.write_class, case.shape, batch_size=batch, workers=workers,
            seed=engine.seed,
        )  # fmt: skip
        if "hang" in case.trouble:
            self.order = replace(self.order, patience=PATIENCE)
        self.plan = plan_of(case.shape)
        self.problems: list[str] = []
        self.killed: list[str] = []
        self.people = 0

    def close(self) -> None:
        """Let go of the clock."""
        self.clock.close()

    def start(self, stop: Stop = NOWHERE, count_file: Path | None = None) -> int:
        """One start; its exit code."""
        order = replace(self.order, stop=stop, count_file=count_file)
        return self.engine.nursery.run(engine_child.run, order)

    def verdict(self) -> Verdict:
        """Start until nothing is open."""
        stops = self.case.stops
        for number in range(STARTS):
            stop = stops[number] if number < len(stops) else Stop()
            code = self.start(stop)
            if code == -signal.SIGKILL and stop.at:
                self.killed.append(stop.name)
                continue
            if code not in (0, 1):
                self.problems.append(f"start {number + 1} ends with {code}")
            if stop.at and not self._may_be_missed(number, stop):
                self.problems.append(f"the point {stop.name} was not reached")
            if number + 1 < len(stops):
                continue
            entries = self.entries()
            if all(entry.state is EffectState.CONFIRMED for entry in entries) and entries:
                break
            self.problems += unexplained(entries)
            if self.case.write_class is WriteClass.NEITHER:
                self.problems += self._doubles()
                self.person(entries)
            self.clock.jump(PAST_WINDOW)
        else:
            self.problems.append(f"still open after {STARTS} starts: {_states(self.entries())}")
        return self.read()

    def _may_be_missed(self, number: int, stop: Stop) -> bool:
        """Lost answers leave fewer reaches; a count beyond the last durable operation is the unharmed run."""
        if self.case.trouble:
            return True
        before = self.case.stops[number - 1].name if number else ""
        if stop.at != DURABLE:
            return False
        return stop.nth > self.engine.counts(before, self.case.write_class, self.case.shape)[DURABLE]

    def read(self) -> Verdict:
        """The ledger's books against the plan."""
        self.clock.jump(PAST_WINDOW)
        wanted = {effect.external_id for effect in self.plan.effects()}
        held = Counter(document.external_id for document in self.books.dump())
        lost = sorted(wanted - set(held))
        self.problems += self._doubles()
        self.problems += [f"lost: {name}" for name in lost]
        self.problems += [f"never planned: {name}" for name in sorted(set(held) - wanted)]
        with Journal.open(self.folder / "journal.db") as journal:
            broken = journal.verify()
            if broken is not None:
                self.problems.append(f"the journal's chain of events is broken: {broken}")
            self.problems += self._links(journal)
        if not self.case.trouble and not self.problems:
            before = self.books.calls.copy()
            code = self.start()
            if code or self.books.calls != before:
                self.problems.append(f"a start with nothing to do ends with {code} and makes calls")
        return Verdict(
            self.case.name,
            tuple(dict.fromkeys(self.problems)),
            {
                "kills": len(self.killed),
                "faults": self.books.struck,
                "lost": len(lost),
                "doubled": sum(count - 1 for count in held.values()),
                "held for a person": self.people,
            },
            frozenset(name.partition("#")[0] for name in self.killed),
        )

    def _doubles(self) -> list[str]:
        held = Counter(document.external_id for document in self.books.dump())
        return [f"doubled: {name} is there {count} times" for name, count in held.items() if count > 1]

    def _links(self, journal: Journal) -> list[str]:
        """What the journal says of ids is what the ledger holds, and documents name each other rightly."""
        numbers = {document.external_id: str(document.number) for document in self.books.dump()}
        found = []
        for effect in self.plan.effects():
            entry = journal.entry(effect.key)
            if entry is not None and entry.remote_id != numbers.get(effect.external_id):
                found.append(
                    f"{effect.external_id}: the journal says {entry.remote_id}, the ledger otherwise"
                )
        named = {document.external_id: document.body for document in self.books.dump()}
        for name, of in (("EXT-R", "EXT-M"), ("EXT-P", "EXT-I")):
            if name in named and str(named[name].get("applies_to")) != numbers.get(of):
                found.append(f"{name} is applied to {named[name].get('applies_to')}, not to {of}")
        return found

    def entries(self) -> list[Entry]:
        """What the journal holds."""
        with Journal.open(self.folder / "journal.db") as journal:
            return journal.find(Search(connection="books"))

    def person(self, entries: Sequence[Entry]) -> None:
        """Do what the remedy of a held row says: look in the target; adopt it there, else vouch and retry."""
        self.clock.jump(PAST_WINDOW)
        documents: dict[str, Document] = {d.external_id: d for d in self.books.dump()}
        with Journal.open(self.folder / "journal.db") as journal:
            for entry in entries:
                if (
                    entry.state is not EffectState.HELD
                    or entry.problem is None
                    or entry.problem.code != UNSEARCHABLE
                ):
                    continue
                self.people += 1
                there = documents.get(entry.effect.external_id)
                if there is not None:
                    adopt(
                        journal, entry.key, remote_id=str(there.number), who="drill", why="it is there",
                        clock=self.clock,
                    )  # fmt: skip
                else:
                    retry(journal, [entry.key], who="drill", why="it is not there", clock=self.clock)


def unexplained(entries: Sequence[Entry]) -> list[str]:
    """Rows that a run left open without a reason and a remedy."""
    states = {entry.key: entry.state for entry in entries}
    found = []
    for entry in entries:
        if entry.state is EffectState.CONFIRMED:
            continue
        told = entry.problem is not None and bool(entry.problem.text) and bool(entry.problem.remedy)
        waits = any(states.get(key) is not EffectState.CONFIRMED for key in needs(entry.effect))
        untouched = entry.state is EffectState.APPROVED and entry.attempt == 0
        if entry.state in {EffectState.CLAIMED, EffectState.SENT} or not (
            told or (entry.state is EffectState.APPROVED and (waits or untouched))
        ):
            found.append(f"{entry.effect.external_id} is {entry.state.value} without a reason and a remedy")
    return found


def _states(entries: Sequence[Entry]) -> str:
    return ", ".join(f"{entry.effect.external_id} {entry.state.value}" for entry in entries)
