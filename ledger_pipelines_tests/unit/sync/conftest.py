"""A journal, a clock and a target for each test of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.apply import apply, resume
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.sync.states import Policy
from ledger_pipelines_tests.faults.engine_target import FakeClock, FakeLedger, FakeWriter


@dataclass
class Bench:
    """All an engine test needs."""

    clock: FakeClock
    ledger: FakeLedger
    writer: FakeWriter
    journal: Journal
    policy: Policy

    def apply(self, plan: Plan, **options: Any) -> ApplyResult:
        options.setdefault("mode", Mode.LIVE)
        options.setdefault("policy", self.policy)
        return apply(
            plan, journal=self.journal, writer=self.writer, clock=self.clock, random=Random(1), **options
        )

    def resume(self, **options: Any) -> ApplyResult:
        options.setdefault("policy", self.policy)
        return resume(journal=self.journal, writer=self.writer, clock=self.clock, random=Random(1), **options)

    def pass_window(self) -> None:
        self.clock.pass_time(self.writer.settle_window.total_seconds())

    def pass_lease(self) -> None:
        self.clock.pass_time(self.policy.lease.total_seconds())


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**writer: Any) -> Bench:
        clock = FakeClock()
        ledger = FakeLedger(clock)
        journal = Journal.open(tmp_path / f"journal{len(made)}.db", now=clock.now() - timedelta(hours=1))
        bench = Bench(
            clock, ledger, FakeWriter(ledger, **writer), journal, Policy(lease=timedelta(minutes=2))
        )
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.journal.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
