"""The standard suite for writers, on the engine's own target: the suite itself works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from ledger_pipelines.documents.effects import Effect, WriteClass
from ledger_pipelines.documents.money import Money
from ledger_pipelines_tests.faults.engine_target import FakeClock, FakeLedger, FakeWriter, Fault, make_effect
from ledger_pipelines_tests.standard.writer_suite import Accident, WriterSuite, WriterTarget

_FAULTS = {
    Accident.NO_CONNECTION: Fault.NO_CONNECTION,
    Accident.RATE_LIMIT: Fault.RATE_LIMIT,
    Accident.CUT_BEFORE: Fault.CUT_BEFORE,
    Accident.CUT_AFTER: Fault.CUT_AFTER,
}


@dataclass
class FakeTarget:
    batch_size: int
    native: bool
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock, upserts=self.native, refused={"EXT-bad"})
        self.writer = FakeWriter(
            self.ledger,
            batch_size=self.batch_size,
            write_class=WriteClass.NATIVE_KEY if self.native else WriteClass.SEARCH,
        )

    def effects(self, count: int) -> Sequence[Effect]:
        return [make_effect(str(i)) for i in range(count)]

    def bad_effect(self) -> Effect | None:
        return make_effect("bad")

    def befall(self, accident: Accident) -> bool:
        if accident is Accident.CREDENTIALS:
            self.ledger.credentials_work = False
            return True
        if accident not in _FAULTS:
            return False
        self.ledger.faults = [_FAULTS[accident]]
        return True

    def heal(self) -> None:
        self.ledger.faults = []
        self.ledger.credentials_work = True

    def count(self, effect: Effect) -> int:
        return len(self.ledger.holding(effect.external_id))

    def calls(self) -> int:
        return self.ledger.calls + self.ledger.probes

    def edit(self, effect: Effect) -> bool:
        [record] = self.ledger.holding(effect.external_id)
        self.ledger.records[self.ledger.records.index(record)] = replace(
            record, amount=Money.of("77.00", "USD")
        )
        return True

    def pass_window(self) -> None:
        self.clock.pass_time(self.writer.settle_window.total_seconds())


class TestSearchedWriter(WriterSuite):
    @pytest.fixture
    def target(self) -> WriterTarget:
        return FakeTarget(batch_size=1, native=False)


class TestBatchWriterWithNativeKey(WriterSuite):
    @pytest.fixture
    def target(self) -> WriterTarget:
        return FakeTarget(batch_size=3, native=True)
