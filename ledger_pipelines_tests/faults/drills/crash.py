"""crash: SIGKILL at every named point and after every n-th durable operation, crossed with everything a line can do.

Belongs here: which cases there are. Does not belong here: carrying one out (`chain_case`, `engine_case`), the lists of points
and troubles (`drill_cases`, `engine_server`).

Two targets: each integration of `entries` on its own sandbox, with the write class its connector declares; and the engine
alone on a tiny ledger that serves for each class, flat and for documents of several steps (credit memo -> refund;
order -> invoice -> payment -> journal). Verdicts come from the books of the one and the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property, partial
from random import Random
from typing import Any, ClassVar

from ledger_pipelines.documents.effects import WriteClass
from ledger_pipelines.sync.states import FAULT_POINTS
from ledger_pipelines_tests.faults import chain_child, engine_child
from ledger_pipelines_tests.faults.chain_case import Chain, ChainCase
from ledger_pipelines_tests.faults.drill_cases import (
    AFTER_A_LOST_ANSWER,
    AMID_WRITING,
    BATCHES,
    FIRST_ANSWER_LOST,
    is_of_a_refused_file,
    points,
    struck_rare,
)
from ledger_pipelines_tests.faults.engine_case import ENGINE, Engine, EngineCase
from ledger_pipelines_tests.faults.engine_child import REQUEST_SENT
from ledger_pipelines_tests.faults.engine_server import Kind, LedgerServer
from ledger_pipelines_tests.faults.entries import ENTRIES, SETTLEMENTS, Entry
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.nursery import Nursery
from ledger_pipelines_tests.faults.stopping import DURABLE, Stop

EACH_CLASS = (WriteClass.NATIVE_KEY, WriteClass.SEARCH, WriteClass.NEITHER)
MAIN_SCENE = "small"
MANY_SCENE = "wide"
"""Of a target that takes batches: several of them, and full ones."""
SOME = 8
"""So many of the durable operations where not each is taken."""
EVERY = 2
"""An integration that is tried after each so-manieth durable operation is tried at all else there is, too."""
POOL = "12"
"""Twelve documents by three workers, two a call."""
_FAST = (
    "amazon_netsuite:small:apply.after_send#2+cut_after",
    "neto_saasu:small:saasu.answered#3+cut_after",
    "engine:A:flat:apply.after_send#2",
    "engine:B:flat:writer.answered#2+cut_after",
    "engine:B:flat:durable#9",
    "engine:B:steps:apply.before_confirm#1,recover.before_adopt#1",
    "engine:C:steps:apply.marked_sent#2",
)


class DRILL(Drill):
    """See the module."""

    name = "crash"
    shows = "SIGKILL at every point and after every durable operation, crossed with lost answers: 0 lost, 0 doubled"
    parts: ClassVar[Mapping[str, int]] = {
        **{name: 6 if name in SETTLEMENTS else 2 for name in ENTRIES},
        ENGINE: 3,
    }

    _chain: Chain | None = None
    _engine: Engine | None = None

    def cases(self) -> Sequence[str]:
        """Every crossing; in the fast tier seven."""
        if self.setting.fast:
            return _FAST
        found: dict[str, None] = {}
        for part in (self.setting.part,) if self.setting.part else self.parts:
            chooser = Random(f"{self.setting.seed}:{part}")
            some = (
                self._engine_cases(chooser) if part == ENGINE else self._chain_cases(ENTRIES[part], chooser)
            )
            found |= dict.fromkeys(case.name for case in some)
        return list(found)

    def carry_out(self, case: str) -> Verdict:
        """One case, by its name."""
        if case.startswith(f"{ENGINE}:"):
            return self.engine.carry_out(EngineCase.parse(case))
        return self.chain.carry_out(ChainCase.parse(case))

    def must_reach(self) -> Collection[str]:
        """Every point of the source, the writer's own, and durable operations; of each integration every point that its runs
        reach, every trouble that such a target can have, and each of them at the writes that have a rate of their own."""
        if self.setting.fast:
            return {stop.at for name in _FAST for stop in _stops(name)}
        own = {f"{entry.name}/{point}" for entry in ENTRIES.values() for point in (*entry.points(), DURABLE)}
        struck = {f"{e.name}+{trouble}" for e in ENTRIES.values() for trouble in e.troubles()}
        rare = {
            struck_rare(e.name, trouble, write)
            for e in ENTRIES.values()
            for write in e.writes
            if "rate" in write
            for trouble in e.troubles()
            if trouble != "search_lag"
        }
        return {*points(), REQUEST_SENT, DURABLE, *own, *struck, *rare}

    # --- the targets, when a case first needs them ------------------------------------------------------------------

    @property
    def chain(self) -> Chain:
        """Integrations on a sandbox. In the fast tier their few starts are not worth a nursery of each."""
        if self._chain is None:
            few = self._nursery if self.setting.fast else None
            self._chain = Chain(self.setting.folder, self.setting.seed, self.stack, few)
        return self._chain

    @property
    def engine(self) -> Engine:
        """The tiny ledger."""
        if self._engine is None:
            server = self.stack.enter_context(LedgerServer())
            warmed = self._chain.nurseries if self._chain is not None else {}
            nursery = next(iter(warmed.values()), None) or self._nursery
            self._engine = Engine(nursery, server, self.setting.folder, self.setting.seed)
        return self._engine

    @cached_property
    def _nursery(self) -> Nursery:
        folder = self.setting.folder / "warm"
        folder.mkdir()
        modules = [engine_child.__name__, *([chain_child.__name__] if self.setting.fast else [])]
        return self.stack.enter_context(Nursery(modules, partial(engine_child.warm, folder)))

    # --- the crossings ----------------------------------------------------------------------------------------------

    def _engine_cases(self, chooser: Random) -> Iterator[EngineCase]:
        for write_class in EACH_CLASS:
            for shape in ("flat", "steps"):
                make = partial(EngineCase, write_class, shape)
                counts = self.engine.counts("", write_class, shape)
                for point in (*FAULT_POINTS, REQUEST_SENT):
                    yield from (make(stops) for stops in _at(point, counts[point], chooser))
                last, every = counts[DURABLE], EVERY if shape == "flat" else 1
                for nth in (*range(1, last, every), last, last + 1):
                    yield make((Stop(DURABLE, nth),))
                for kind in Kind:
                    yield make((), kind.value)
                    amid = (*AMID_WRITING, REQUEST_SENT)
                    for point in chooser.sample(amid, 2 if shape == "steps" else 1):
                        yield make((Stop(point, chooser.randint(1, counts[point])),), kind.value)
                    yield make((Stop(DURABLE, chooser.randint(1, counts[DURABLE])),), kind.value)
            again = self.engine.counts(FIRST_ANSWER_LOST, write_class, "steps")
            for nth in (*range(1, again[DURABLE] + 1, EVERY), again[DURABLE] + 1):
                yield EngineCase(write_class, "steps", (Stop.parse(FIRST_ANSWER_LOST), Stop(DURABLE, nth)))
            for point in (*AMID_WRITING, REQUEST_SENT):
                yield EngineCase(write_class, POOL, (Stop(point, 2),))
                yield EngineCase(write_class, POOL, (Stop(point, 2),), Kind.CUT_AFTER.value)

    def _chain_cases(self, entry: Entry[Any], chooser: Random) -> Iterator[ChainCase]:
        """Everything on the small scene; of the others what they have that it has not: other counts, full batches."""
        amid = (*AMID_WRITING, *entry.answers())
        for scene in entry.scenes:
            make = partial(ChainCase, entry.name, scene)
            counts = self.chain.counts(make())
            last = counts[DURABLE]
            if scene == MAIN_SCENE:
                for point in entry.points():
                    reached = _at(point, counts.get(point, 1), chooser)
                    few = reached[:2] if entry.reaches > 1 else reached[-1:]
                    yield from (make(stops) for stops in few)
                ends = (last, last + 1)
                yield from (make((Stop(DURABLE, nth),)) for nth in (*range(1, last, entry.every), *ends))
                again = self.chain.counts(make(), FIRST_ANSWER_LOST)[DURABLE]
                some = min(again, SOME if entry.reaches > 1 else SOME // 4)
                for nth in sorted(chooser.sample(range(1, again + 1), some)):
                    yield make((Stop.parse(FIRST_ANSWER_LOST), Stop(DURABLE, nth)))
            else:
                for point in amid:
                    yield make((Stop(point, chooser.randint(1, max(1, counts.get(point, 1)))),))
                for nth in sorted(chooser.sample(range(1, last + 1), min(last, SOME // 4))):
                    yield make((Stop(DURABLE, nth),))
            troubles = entry.troubles()
            of_it = troubles if scene == MAIN_SCENE else sorted(chooser.sample(troubles, SOME // 4))
            if scene == MANY_SCENE:
                of_it = sorted({*of_it, *BATCHES}.intersection(troubles))
            for trouble in of_it:
                point = chooser.choice(amid)
                nth = chooser.randint(1, max(1, min(4, counts.get(point, 1))))
                crossed = [make((), trouble), make((Stop(point, nth),), trouble)]
                if scene == MAIN_SCENE:
                    crossed.append(make((Stop(DURABLE, chooser.randint(1, last)),), trouble))
                    crossed.append(
                        make((Stop.parse(FIRST_ANSWER_LOST), Stop("recover.after_probe")), trouble)
                    )
                yield from crossed if entry.crossed >= len(crossed) else crossed[1 : entry.crossed + 1]


def _at(point: str, reaches: int, chooser: Random) -> Sequence[tuple[Stop, ...]]:
    """The point at its first, its last and a chosen reach; where it is reached only after a lost answer, that first."""
    before = (Stop.parse(FIRST_ANSWER_LOST),) if point in AFTER_A_LOST_ANSWER else ()
    last = 1 if before or is_of_a_refused_file(point) else max(1, reaches)
    reached = dict.fromkeys((1, last, chooser.randint(1, last)))
    return [(*before, Stop(point, nth)) for nth in reached]


def _stops(name: str) -> tuple[Stop, ...]:
    return (EngineCase if name.startswith(f"{ENGINE}:") else ChainCase).parse(name).stops
