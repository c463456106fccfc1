"""One case of a whole integration on its sandbox: killed, troubled, started again, and the sandbox's books read.

Belongs here: a case from start to verdict, and its name. Does not belong here: which cases there are (`drills.crash`), the
child (`chain_child`), what counts as the same (`drill_books`).
"""

from __future__ import annotations

import contextlib
import functools
import json
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.storage.journal import Entry as Row
from ledger_pipelines.storage.journal import Journal, Search
from ledger_pipelines.sync.acts import adopt, retry
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.faults import chain_child
from ledger_pipelines_tests.faults.chain_child import CLOCK, LAST_ERROR, ChainClock, Order
from ledger_pipelines_tests.faults.drill_books import Picture
from ledger_pipelines_tests.faults.drill_cases import (
    REFUSED_INSIDE,
    asked_again,
    is_of_a_refused_file,
    known_to,
    rules,
    struck_rare,
)
from ledger_pipelines_tests.faults.engine_case import unexplained
from ledger_pipelines_tests.faults.engine_server import PATIENCE
from ledger_pipelines_tests.faults.entries import ENTRIES, Entry, Scene
from ledger_pipelines_tests.faults.kit import Verdict
from ledger_pipelines_tests.faults.nursery import HANGS, Nursery
from ledger_pipelines_tests.faults.stopping import Stop
from ledger_pipelines_tests.stage import WINDOW

MODULES = ("ledger_pipelines_tests.faults.engine_child", "ledger_pipelines_tests.faults.chain_child")
AnyEntry = Entry[Any]
NOT_FOUND = "exists-not-found"
STARTS = 12
LONGEST_CALL = 10
"""Seconds after which no call of a case can be under way still."""
RATE, MOST = 0.35, 4
"""How many of the writes go wrong in a troubled case, and at most how many."""


@dataclass(frozen=True, slots=True)
class ChainCase:
    """`ENTRY:SCENE:STOP[,STOP][+TROUBLE]`."""

    entry: str
    scene: str
    stops: tuple[Stop, ...] = ()
    trouble: str = ""

    @property
    def name(self) -> str:
        """What `--case` takes."""
        stops = ",".join(stop.name for stop in self.stops) or "none"
        return f"{self.entry}:{self.scene}:{stops}" + (f"+{self.trouble}" if self.trouble else "")

    @classmethod
    def parse(cls, name: str) -> ChainCase:
        """Read `name`. Raises ValueError."""
        entry, scene, rest = name.split(":", 2)
        stops, _, trouble = rest.partition("+")
        if entry not in ENTRIES or scene not in ENTRIES[entry].scenes:
            raise ValueError(f"{name!r}: no such integration or scene")
        rules(trouble)
        parsed = [Stop.parse(text) for text in stops.split(",")]
        return cls(entry, scene, tuple(stop for stop in parsed if stop.at), trouble)

    @property
    def with_refused_file(self) -> bool:
        """Whether a file that must be refused lies in the drop folder, too."""
        return any(is_of_a_refused_file(stop.at) for stop in self.stops)


@dataclass(slots=True)
class Chain:
    """Whole integrations on one sandbox, for as many cases as there are."""

    folder: Path
    seed: int
    stack: contextlib.ExitStack
    nursery: Nursery | None = None
    nurseries: dict[str, Nursery] = field(default_factory=dict)
    number: int = 0
    _sandboxes: dict[str, RunningSandbox] = field(default_factory=dict)
    _offsets: dict[str, float] = field(default_factory=dict)
    _whole: dict[tuple[str, str], Picture] = field(default_factory=dict)
    _counts: dict[tuple[str, str, str], Counter[str]] = field(default_factory=dict)

    def order(self, entry: AnyEntry, scene: Scene) -> Order:
        """A start in a folder of its own."""
        self.number += 1
        folder = self.folder / f"{entry.name}-{self.number:04d}"
        folder.mkdir()
        sandbox = self.sandbox(entry)
        return Order(
            entry.name, sandbox.control_url, dict(sandbox.base_urls), dict(sandbox.credentials), folder,
            scene.partition,
        )  # fmt: skip

    def sandbox(self, entry: AnyEntry) -> RunningSandbox:
        """The integration's own: it holds what the integration needs, and no more."""
        if entry.name not in self._sandboxes:
            found = self.stack.enter_context(running_sandbox(seed="empty", vendors=entry.vendors))
            self._sandboxes[entry.name] = found
        return self._sandboxes[entry.name]

    def kept(self, entry: AnyEntry, scene: Scene) -> Path:
        """A folder of the scene."""
        place = self.folder / f"kept-{entry.name}-{scene.name}"
        place.mkdir(exist_ok=True)
        return place

    def seed_books(self, entry: AnyEntry, scene: Scene) -> None:
        """Make the sandbox's books as they are before the scene, and keep them aside with the hour they were made at."""
        with loopback(self.sandbox(entry).control_url) as control:  # an earlier case may have let hours pass
            control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
        stage = self.order(entry, scene).open()
        try:
            entry.prepare(stage, scene, self.kept(entry, scene))
            name = f"{entry.name}:{scene.name}"
            stage.control.post("/snapshot", json={"name": name}).raise_for_status()
            told = stage.control.get("/clock").raise_for_status().json()
            self._offsets[name] = told["offset_seconds"]
        finally:
            stage.close()

    def filled(self, entry: AnyEntry, scene: Scene, *, refused: bool = False) -> Order:
        """Books before the scene, a fresh installation, and what arrives at it."""
        name = f"{entry.name}:{scene.name}"
        with loopback(self.sandbox(entry).control_url) as control:
            control.delete("/faults").raise_for_status()
            control.post("/restore", json={"name": name}).raise_for_status()
            control.post("/clock", json={"offset_seconds": self._offsets[name]}).raise_for_status()
        order = self.order(entry, scene)
        stage = order.open()
        try:
            entry.place(stage, scene, self.kept(entry, scene), refused)
        finally:
            stage.close()
        return order

    def hatch(self, order: Order) -> Nursery:
        """The nursery it was given; or one of the integration, the first time warmed by a whole run of `order`."""
        if self.nursery is not None:
            return self.nursery
        if order.entry not in self.nurseries:
            warm = functools.partial(chain_child.warm, order)
            self.nurseries[order.entry] = self.stack.enter_context(Nursery(MODULES, warm))
        return self.nurseries[order.entry]

    def undisturbed(self, case: ChainCase) -> Picture:
        """The books after a run that was left alone."""
        key = (case.entry, case.scene)
        if key in self._whole:
            return self._whole[key]
        entry = ENTRIES[case.entry]
        scene = entry.scenes[case.scene]
        self.seed_books(entry, scene)
        order = self.filled(entry, scene)
        if self.nursery is None and entry.name not in self.nurseries:
            self.hatch(order)  # that run is one that nobody disturbs
        elif (code := self.hatch(order).run(chain_child.run, order)) != 0:
            raise RuntimeError(f"The undisturbed run of {entry.name}:{scene.name} ends with {code}.")
        stage = order.open()
        try:
            around = entry.around(stage, False)
            whole = entry.picture(stage)
            made = entry.made(stage, scene)
        finally:
            stage.close()
        few = [kind for kind, least in scene.kinds.items() if made[kind] < least]
        if few or around:
            raise RuntimeError(
                f"The undisturbed run of {entry.name}:{scene.name} made too few of {few}; {around}"
            )
        self._whole[key] = whole
        return whole

    def counts(self, case: ChainCase, before: str = "") -> Mapping[str, int]:
        """How often a start that is left alone reaches each point, after an earlier one was killed at `before`."""
        self.undisturbed(case)
        key = (case.entry, case.scene, before)
        if key not in self._counts:
            entry = ENTRIES[case.entry]
            order = self.filled(entry, entry.scenes[case.scene])
            nursery = self.hatch(order)
            if before:
                nursery.run(chain_child.run, replace(order, stop=Stop.parse(before)))
            place = order.folder / "counts.json"
            nursery.run(chain_child.run, replace(order, count_file=place))
            self._counts[key] = Counter(json.loads(place.read_text()))
        return self._counts[key]

    def writes_alone(self, case: ChainCase) -> int:
        """The writing calls of one run that nobody disturbs."""
        entry = ENTRIES[case.entry]
        order = self.filled(entry, entry.scenes[case.scene])
        stage = order.open()
        try:
            stage.forget_calls()
            self.hatch(order).run(chain_child.run, order)
            return entry.written(stage)
        finally:
            stage.close()

    def carry_out(self, case: ChainCase, step: float = WINDOW + 1, late: float = 0) -> Verdict:
        """One case.

        Args:
            case: Which.
            step: Seconds between starts, when something is still open.
            late: A change may come so many seconds after its call: all of them are waited for. They may undo a newer one of
                a record that mirrors a status, which nothing tells of; documents are made, and never changed.
        """
        whole = self.undisturbed(case)
        entry = ENTRIES[case.entry]
        scene = entry.scenes[case.scene]
        order = self.filled(entry, scene, refused=case.with_refused_file)
        if "hang" in case.trouble:
            order = replace(order, patience=PATIENCE)
        stage = order.open()
        try:
            clock = ChainClock(stage.control, order.folder / CLOCK)
            throttled = entry.throttled if "429" in case.trouble else 0.0
            return _Under(self, case, entry, order, stage, clock, max(step, throttled), late).verdict(whole)
        finally:
            stage.close()


@dataclass(slots=True)
class _Under:
    """One case under way."""

    chain: Chain
    case: ChainCase
    entry: AnyEntry
    order: Order
    stage: Any
    clock: ChainClock
    step: float
    late: float = 0
    people: int = 0
    unharmed: int = 0
    problems: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)

    def verdict(self, whole: Picture) -> Verdict:
        """Start until nothing is open; then compare the books with those of the run that was left alone."""
        if self.case.trouble:
            self._trouble()
        self._starts()
        faults = self.stage.control.get("/faults").raise_for_status().json()["faults"]
        if self.late:
            self.stage.control.delete("/faults").raise_for_status()
            self.clock.jump(self.late + 1)
            self._starts()
        latest = max((float(str(rule.get("seconds", 0))) for rule in rules(self.case.trouble)), default=0.0)
        self.clock.jump(WINDOW + 1 + latest)
        self._last_call_over()
        self.problems += self._around()
        now = self.entry.picture(self.stage)
        if self.late:
            now, whole = now.without(self.entry.mirrors), whole.without(self.entry.mirrors)
        self.problems += now.differences(whole)
        self.problems += [f"external id twice: {name}" for name in self.entry.doubles(self.stage)]
        if not asked_again(self.case.trouble, WINDOW):
            self.problems += [
                f"sent again, though it was made: {one}" for one in self.entry.again(self.stage)
            ]
        return Verdict(
            self.case.name,
            tuple(dict.fromkeys(self.problems)),
            {
                "kills": len(self.killed),
                "faults": sum(fault["fired"] for fault in faults),
                "lost": now.lost(whole),
                "doubled": now.doubled(whole),
                "held for a person": self.people,
                "missed": self.unharmed,
            },
            frozenset({*self._reached(faults), *self._rare(faults)}),
        )

    @property
    def _trouble_name(self) -> str:
        return self.case.trouble.partition("@")[0]

    def _reached(self, faults: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Points at which it was killed, and troubles that struck, each of this integration."""
        for point in {name.partition("#")[0] for name in self.killed}:
            yield point
            yield f"{self.entry.name}/{point}"
        wanted = {rule["kind"] for rule in rules(self.case.trouble)}
        if wanted and wanted <= {fault["kind"] for fault in faults if fault["fired"]}:
            yield f"{self.entry.name}+{self._trouble_name}"

    def _rare(self, faults: Sequence[Mapping[str, Any]]) -> set[str]:
        """Writes with a rate of their own that were struck."""
        return {
            struck_rare(self.entry.name, self._trouble_name, one)
            for one in faults
            if one["fired"] and one.get("rate") == 1.0
        }

    def _last_call_over(self) -> None:
        """Calls that hang still, though nobody waits for them any more, are counted only when they are over."""
        for _ in range(LONGEST_CALL * 20):
            told = self.stage.control.get("/calls").raise_for_status().json()
            if not any(told["open"].values()):
                return
            time.sleep(0.05)
        self.problems.append(f"calls are open still: {told['open']}")

    def _trouble(self) -> None:
        draw = _draw(f"{self.chain.seed}/{self.case.name}")
        some = {"rate": RATE, "seed": draw, "times": MOST}
        for rule in rules(self.case.trouble):
            # a search is slow as a whole; anything else befalls some of the calls that write
            everywhere: list[Mapping[str, object]] = [{"vendor": vendor} for vendor in self.entry.targets]
            these = everywhere if rule["kind"] == "search_lag" else [{**some, **w} for w in self.entry.writes]
            these = [one for one in these if known_to(rule, str(one["vendor"]))]
            faults = [{**one, **rule} for one in these]
            self.stage.control.post("/faults", json=faults).raise_for_status()

    def _starts(self) -> None:
        stops = self.case.stops
        nursery = self.chain.hatch(self.order)
        for number in range(STARTS):
            stop = stops[number] if number < len(stops) else Stop()
            code = nursery.run(chain_child.run, replace(self.order, stop=stop))
            if code == -signal.SIGKILL and stop.at:
                self.killed.append(stop.name)
                continue
            if stop.at and not self._may_be_missed(stop):
                self.problems.append(f"the point {stop.name} was not reached (exit code {code})")
            if code < 0 or code == HANGS:
                self.problems.append(f"start {number + 1} ends with {code}, and nobody stopped it")
            if number + 1 < len(stops):
                continue
            if code == 0:
                return
            with Journal.open(self.stage.service.setup.journal_address) as journal:
                entries = journal.find(Search())
                self.problems += unexplained(entries)
                self._person(journal, entries)
            self.clock.jump(self.step)
        told = self.order.folder / LAST_ERROR
        why = told.read_text() if told.exists() else ""
        self.problems.append(f"still open after {STARTS} starts (exit code {code}) {why}".strip())

    def _may_be_missed(self, stop: Stop) -> bool:
        """Lost answers leave fewer reaches; so may threads, beyond the first; and the last durable operation is the last.

        A start that its stop missed is one that ran unharmed, and judged as such. That each point is met at all is
        seen to by `must_reach`.
        """
        if self.case.trouble or stop.nth > 1:
            self.unharmed += 1
            return True
        return False

    def _person(self, journal: Journal, entries: Sequence[Row]) -> None:
        """What the target says exists and its search does not show: a person finds it there, and adopts it. What it refused
        for no reason of its own is tried again, as the row's remedy says."""
        refused = [row.key for row in entries if row.state is EffectState.REFUSED]
        if refused and any(name in self.case.trouble for name in REFUSED_INSIDE):
            retry(journal, refused, who="drill", why="there is nothing wrong with it", clock=self.clock)
            self.people += len(refused)
        for row in entries:
            if row.state is EffectState.HELD and row.problem is not None and row.problem.code == NOT_FOUND:
                ids = self.entry.by_hand(self.stage, row)
                if len(ids) == 1:
                    adopt(
                        journal, row.key, remote_id=ids[0], who="drill", why="it is there", clock=self.clock
                    )
                    self.people += 1

    def _around(self) -> list[str]:
        """The journal's own check, and what the integration adds."""
        problems = []
        with Journal.open(self.stage.service.setup.journal_address) as journal:
            broken = journal.verify()
        if broken is not None:
            problems.append(f"the journal's chain of events is broken: {broken}")
        return [*problems, *self.entry.around(self.stage, self.case.with_refused_file)]


def _draw(name: str) -> int:
    """The seed of a case's faults: other calls are struck in each, and in each one of the first three of a sort."""
    return next(seed for seed in count(crc32(name.encode())) if _strikes(seed))


def _strikes(seed: int) -> bool:
    draws = Random(seed)
    return any(draws.random() < RATE for _ in range(3))
