"""race: many appliers of one plan; one is stopped past its lease and woken late.

Belongs here: the cases, and the verdict on them. Does not belong here: the tiny ledger (`engine_server`), a whole
integration (`chain_case`).

Counted at the target: what eight appliers call, against the calls that one makes (one a document: nobody can do with
less). The one that sleeps must find, whenever it wakes, that the fence lets it write nothing more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import kill
from signal import SIGCONT

from ledger_pipelines.documents.effects import EffectState, WriteClass
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.states import Policy
from ledger_pipelines_tests.faults import chain_child, engine_child
from ledger_pipelines_tests.faults.chain_case import Chain, ChainCase
from ledger_pipelines_tests.faults.engine_case import PAST_WINDOW, Engine, EngineCase, Run
from ledger_pipelines_tests.faults.engine_child import REQUEST_SENT
from ledger_pipelines_tests.faults.engine_server import LedgerServer
from ledger_pipelines_tests.faults.entries import ENTRIES
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.nursery import Nursery, stopped
from ledger_pipelines_tests.faults.stopping import NOWHERE, Stop
from ledger_pipelines_tests.stage import WINDOW

APPLIERS = 8
DOCUMENTS = 500
MOST_CALLS = 1.2
TORN = 2
"""So many batches may be torn between appliers."""
PAST_LEASE = Policy().lease.total_seconds() + 1
LEDGER = "ledger"
ASLEEP_AT = ("apply.claimed", "apply.marked_sent", "apply.before_send", REQUEST_SENT, "apply.before_confirm")
_ANSWERED = (REQUEST_SENT, "apply.after_send", "apply.before_confirm")
"""Points after which the sleeper holds an answer that comes too late to be its own to record."""


@dataclass(frozen=True, slots=True)
class Race:
    """`WHERE:APPLIERSxDOCUMENTS:STOP:WAKE`; on an integration the scene stands in the place of the documents.

    Args:
        where: `ledger`, or an integration.
        appliers: How many.
        what: Number of documents, or scene.
        stop: Where the first one falls asleep ("" = none does).
        amid: It wakes while others take over what it held, and not only when all is done.
    """

    where: str
    appliers: int
    what: str
    stop: Stop = NOWHERE
    amid: bool = False

    @property
    def name(self) -> str:
        """What `--case` takes."""
        wake = "amid" if self.amid else "late"
        return f"{self.where}:{self.appliers}x{self.what}:{self.stop.name or 'none'}:{wake}"

    @classmethod
    def parse(cls, name: str) -> Race:
        """Read `name`. Raises ValueError."""
        where, crowd, stop, wake = name.split(":")
        appliers, _, what = crowd.partition("x")
        return cls(where, int(appliers), what, replace(Stop.parse(stop), sleep=True), wake == "amid")


class DRILL(Drill):
    """See the module."""

    name = "race"
    shows = (
        "8 appliers of one plan of 500, one asleep past its lease: fenced; calls within 1.2 of one applier's"
    )

    _chain: Chain | None = None

    def prepare(self) -> None:
        """The tiny ledger and its children."""
        server = self.stack.enter_context(LedgerServer())
        folder = self.setting.folder / "warm"
        folder.mkdir()
        modules = (
            [engine_child.__name__] if self.setting.fast else [engine_child.__name__, chain_child.__name__]
        )
        self.nursery = self.stack.enter_context(Nursery(modules, partial(engine_child.warm, folder)))
        self.engine = Engine(self.nursery, server, self.setting.folder, self.setting.seed)

    def cases(self) -> Sequence[str]:
        """Asleep at each point between claim and record, woken late and amid; and a smaller race on each integration."""
        if self.setting.fast:
            few = [Race(LEDGER, APPLIERS, "40", Stop("apply.before_send", 3), amid=True)]
            return [race.name for race in (*few, Race(LEDGER, APPLIERS, "40", Stop(REQUEST_SENT, 5)))]
        races = [Race(LEDGER, 1, str(DOCUMENTS)), Race(LEDGER, APPLIERS, str(DOCUMENTS))]
        for number, point in enumerate(ASLEEP_AT):
            nth = 1 if point == "apply.claimed" else 5 + self.setting.seed % 7
            # one that holds an answer is woken late: amid the others it may be the first to record it, rightly
            amid = number % 2 == 0 and point not in _ANSWERED
            races += [Race(LEDGER, APPLIERS, str(DOCUMENTS), Stop(point, nth), amid=amid)]
        for entry in ENTRIES.values():
            races += [Race(entry.name, entry.appliers, "small", Stop(point)) for point in entry.sleeps]
        return [race.name for race in races]

    def must_reach(self) -> Collection[str]:
        """Where the sleeper falls asleep."""
        return {Race.parse(name).stop.at for name in self.cases()} - {""}

    def carry_out(self, case: str) -> Verdict:
        """One race."""
        race = Race.parse(case)
        return self._on_ledger(race) if race.where == LEDGER else self._on_sandbox(race)

    # --- the tiny ledger --------------------------------------------------------------------------------------------

    def _on_ledger(self, race: Race) -> Verdict:
        run = Run(self.engine, EngineCase(WriteClass.SEARCH, race.what))
        run.order = replace(run.order, batch_size=1, workers=1)
        try:
            return self._raced(race, run)
        finally:
            run.close()

    def _raced(self, race: Race, run: Run) -> Verdict:
        nursery, problems = self.nursery, run.problems
        sleeper = nursery.start(engine_child.run, replace(run.order, stop=race.stop))
        asleep = bool(race.stop.at) and stopped(sleeper)
        if race.stop.at and not asleep:
            problems.append(f"the applier that should sleep at {race.stop.name} did not")
        crowd = [nursery.start(engine_child.run, run.order) for _ in range(race.appliers - 1)]
        problems += self._ends(crowd)
        if not asleep:
            problems += self._ends([sleeper])
        else:
            run.clock.jump(PAST_LEASE)
            if race.amid:
                crowd = [nursery.start(engine_child.run, run.order) for _ in range(2)]
                kill(sleeper, SIGCONT)
                problems += self._ends([*crowd, sleeper])
            else:
                self._finish(run)
                before = run.books.calls.copy()
                kill(sleeper, SIGCONT)
                problems += self._ends([sleeper])
                if run.books.calls != before:
                    problems.append(f"the woken applier called the target: {run.books.calls - before}")
        self._finish(run)
        calls = run.books.calls.total()
        documents = int(race.what)
        if calls > MOST_CALLS * documents:
            problems.append(f"{calls} calls for {documents} documents: {dict(run.books.calls)}")
        if race.appliers == 1 and calls != documents:
            problems.append(f"one applier makes {calls} calls for {documents} documents")
        problems += self._fenced(race, run)
        read = run.read()
        figures = dict(read.figures) | {"calls": calls, "documents": documents, "asleep": int(asleep)}
        reached = frozenset({race.stop.at} if asleep else ())
        return Verdict(race.name, read.problems, figures, reached)

    def _finish(self, run: Run) -> None:
        """Start one at a time until all is confirmed."""
        for _ in range(4):
            run.start()
            if all(entry.state is EffectState.CONFIRMED for entry in run.entries()):
                return
            run.clock.jump(PAST_WINDOW)
        run.problems.append("still open after four more starts")

    def _ends(self, children: Sequence[int]) -> list[str]:
        codes = [self.nursery.wait(pid) for pid in children]
        return [f"an applier ends with {code}" for code in codes if code not in (0, 1)]

    @staticmethod
    def _fenced(race: Race, run: Run) -> list[str]:
        """Where the sleeper held an answer, the log must tell that it came too late."""
        if race.stop.at not in _ANSWERED or race.amid:
            return []
        with Journal.open(run.folder / "journal.db") as journal:
            lines = [line.event.what for entry in run.entries() for line in journal.history(entry.key)]
        return [] if "late-answer" in lines else ["nobody refused the answer that came after the lease"]

    # --- an integration on its sandbox ------------------------------------------------------------------------------

    def _on_sandbox(self, race: Race) -> Verdict:
        if self._chain is None:
            self._chain = Chain(self.setting.folder, self.setting.seed, self.stack, self.nursery)
        chain = self._chain
        case = ChainCase(race.where, race.what)
        whole = chain.undisturbed(case)
        entry = ENTRIES[race.where]
        alone = chain.writes_alone(case)
        order = chain.filled(entry, entry.scenes[race.what])
        stage = order.open()
        problems: list[str] = []
        try:
            stage.forget_calls()
            sleeper = self.nursery.start(chain_child.run, replace(order, stop=race.stop))
            asleep = stopped(sleeper)
            if not asleep:
                problems.append(f"the applier that should sleep at {race.stop.name} did not")
            crowd = [self.nursery.start(chain_child.run, order) for _ in range(race.appliers - 1)]
            problems += self._ends(crowd)
            stage.clock.jump(PAST_LEASE)
            for _ in range(6):
                if self.nursery.run(chain_child.run, order) == 0:
                    break
                stage.clock.jump(WINDOW + 1)
            else:
                problems.append("still open after six more starts")
            before = entry.written(stage)
            if asleep:
                kill(sleeper, SIGCONT)
            problems += self._ends([sleeper])
            if entry.written(stage) != before:
                problems.append(f"the woken applier wrote {entry.written(stage) - before} times")
            # Of a few documents a batch that two appliers share is a call more, and more than a fifth.
            if before > max(MOST_CALLS * alone, alone + TORN):
                problems.append(f"{before} writing calls, and one applier makes {alone}")
            problems += entry.around(stage, False)
            now = entry.picture(stage)
            problems += now.differences(whole)
        finally:
            stage.close()
        figures = {
            "lost": now.lost(whole),
            "doubled": now.doubled(whole),
            "calls": before,
            "asleep": int(asleep),
        }
        return Verdict(race.name, tuple(problems), figures, frozenset({race.stop.at} if asleep else ()))
