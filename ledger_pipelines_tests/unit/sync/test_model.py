"""A state machine of everything people and targets do, with the promises checked after every step."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.storage.journal.database import journal_url, make_engine
from ledger_pipelines.sync.acts import ignore, retry
from ledger_pipelines.sync.apply import apply, resume
from ledger_pipelines.sync.states import FAULT_POINTS, Policy
from ledger_pipelines_tests.faults.engine_target import (
    START,
    FakeClock,
    FakeLedger,
    FakeWriter,
    Fault,
    make_effect,
    make_plan,
)
from ledger_pipelines_tests.faults.simulation.schedule import Crash, scratch

_PLACE = scratch()
_TEMPLATE = _PLACE / "template.db"
NAMES = [str(i) for i in range(4)]


def teardown_module() -> None:
    shutil.rmtree(_PLACE)


class EngineModel(RuleBasedStateMachine):
    """Model: every name that was ever planned has exactly one document, or one visible open item."""

    @initialize(lag=st.sampled_from([0, 20]), batch=st.sampled_from([1, 3]))
    def begin(self, lag: int, batch: int) -> None:
        if not _TEMPLATE.exists():
            Journal.open(_TEMPLATE, now=START).close()
        self.place = _PLACE / f"{id(self)}.db"
        for old in _PLACE.glob(f"{id(self)}.db*"):
            old.unlink()
        shutil.copyfile(_TEMPLATE, self.place)
        self.journal = Journal(make_engine(journal_url(self.place)))
        self.clock = FakeClock()
        self.ledger = FakeLedger(self.clock, search_lag=timedelta(seconds=lag))
        self.writer = FakeWriter(self.ledger, batch_size=batch)
        self.policy = Policy(lease=timedelta(seconds=30))
        self.planned: set[str] = set()
        self.edited: set[str] = set()
        self.wanted = make_plan(make_effect("0"))

    @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    def plan(self, names: list[str]) -> None:
        self.wanted = make_plan(*(make_effect(name) for name in names))

    def _run(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Crash:
            pass
        finally:
            faultpoints.install(None)
            self.ledger.faults = []

    def _apply(self) -> None:
        self.planned.update(effect.number for effect in self.wanted.effects())
        apply(
            self.wanted,
            journal=self.journal,
            writer=self.writer,
            mode=Mode.LIVE,
            clock=self.clock,
            policy=self.policy,
        )

    @rule(faults=st.lists(st.sampled_from([None, *Fault]), max_size=4))
    def apply_plan(self, faults: list[Fault | None]) -> None:
        self.ledger.faults = faults
        self._run(self._apply)

    @rule(
        point=st.sampled_from(FAULT_POINTS), hits=st.integers(1, 3), fault=st.sampled_from([None, Fault.LATE])
    )
    def crash(self, point: str, hits: int, fault: Fault | None) -> None:
        seen: Counter[str] = Counter()

        def hook(name: str) -> None:
            seen[name] += 1
            if name == point and seen[name] == hits:
                raise Crash

        self.ledger.faults = [fault]
        faultpoints.install(hook)
        before = set(self.planned)
        self._run(self._apply)
        if not self.journal.entries(effect.key for effect in self.wanted.effects()):
            self.planned = before

    @rule()
    def resume(self) -> None:
        self._run(
            lambda: resume(journal=self.journal, writer=self.writer, clock=self.clock, policy=self.policy)
        )

    @rule(seconds=st.sampled_from([5, 31, 61, 91, 1000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.pass_time(seconds)

    @precondition(lambda self: self.ledger.records)
    @rule(data=st.data())
    def human_edits_the_target(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.ledger.records) - 1))
        record = self.ledger.records[index]
        self.edited.add(record.external_id)
        self.ledger.records[index] = replace(record, amount=Money.of("77.00", "USD"))

    @rule()
    def credentials_change(self) -> None:
        self.ledger.credentials_work = not self.ledger.credentials_work

    @rule(name=st.sampled_from(NAMES), act=st.sampled_from([retry, ignore]))
    def person_acts(self, name: str, act: Callable[..., object]) -> None:
        if self.journal.entry(f"KEY{name}") is not None:
            try:
                act(self.journal, [f"KEY{name}"], who="anna", why="test", clock=self.clock)
            except RefusedError:
                return

    @invariant()
    def nothing_is_doubled(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.settle()
            assert max(Counter(r.external_id for r in self.ledger.records).values(), default=0) <= 1

    @invariant()
    def what_is_confirmed_is_there_and_carries_no_error(self) -> None:
        if hasattr(self, "journal"):
            entries = self.journal.entries(f"KEY{name}" for name in NAMES)
            for entry in entries.values():
                if entry.state is EffectState.CONFIRMED:
                    assert [r.remote_id for r in self.ledger.holding(entry.effect.external_id)] == [
                        entry.remote_id
                    ]
                    assert entry.problem is None

    def teardown(self) -> None:
        if not hasattr(self, "journal"):
            return
        self.ledger.credentials_work = True
        for _ in range(3):
            self.clock.pass_time(1000)
            self._run(self._apply)
            self._run(
                lambda: resume(journal=self.journal, writer=self.writer, clock=self.clock, policy=self.policy)
            )
        entries = self.journal.entries(f"KEY{name}" for name in self.planned)
        for name in self.planned & {e.effect.number for e in entries.values()}:
            state = entries[f"KEY{name}"].state
            assert state in {
                EffectState.CONFIRMED,
                EffectState.REFUSED,
                EffectState.IGNORED,
                EffectState.HELD,
            }
            if state is EffectState.HELD:
                assert f"EXT-{name}" in self.edited
            if state is EffectState.REFUSED:
                assert not self.ledger.holding(f"EXT-{name}")
        assert self.journal.verify() is None
        self.journal.close()


TestEngineModel = EngineModel.TestCase
TestEngineModel.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
