"""What a person means who says a number: decided for each number alone, whatever else is said with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import pytest

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.days import DaysDone
from ledger_pipelines.integrations.by_day.memory import EVERY_PARTITION
from ledger_pipelines.integrations.by_day.worklist import Worklist
from ledger_pipelines.integrations.open_items import Ignored
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines_tests.faults.engine_target import (
    FakeClock,
    FakeLedger,
    FakeWriter,
    make_effect,
    make_plan,
)

DAY = date(2026, 3, 1)
FLOW = "invoices"


def _waits(key: str, number: str, code: str = "order-blocked") -> PlanRow:
    return PlanRow(Action.BLOCKED, Reason(code, "It waits."), key, number, f"{key} of {number}")


@dataclass
class Work:
    """A worklist, its journal and the plan it is about."""

    worklist: Worklist
    journal: Journal
    plans: PlanStore

    def holds(self, *rows: PlanRow) -> None:
        self.plans.save(make_plan(rows=rows))
        self.worklist.days_done.planned(FLOW, DAY, waits=True)

    def refused(self, number: str) -> None:
        """An invoice the target refused: its key is KEY and the number."""
        clock = FakeClock()
        ledger = FakeLedger(clock)
        ledger.refused.add(f"EXT-{number}")
        apply(
            make_plan(make_effect(number)), journal=self.journal, writer=FakeWriter(ledger), mode=Mode.LIVE,
            clock=clock, random=Random(1),
        )  # fmt: skip

    def ignore(self, *names: str) -> list[str]:
        return self.worklist.ignore(names, "Mei", "booked by hand")

    @property
    def ignored(self) -> frozenset[str]:
        return self.worklist.ignored.of(EVERY_PARTITION)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        plans = PlanStore(tmp_path / "plans")
        worklist = Worklist(
            "shop_books", (FLOW,), journal, Ignored(journal, "shop_books"), plans, DaysDone(tmp_path / "days"),
            FakeClock(), list,
        )  # fmt: skip
        yield Work(worklist, journal, plans)


def test_a_number_means_the_document_and_not_what_waits_for_it(work: Work) -> None:
    work.holds(_waits("order", "N1", "total-differs"), _waits("payment", "N1"))
    assert work.ignore("N1") == ["order"]
    assert work.ignored == {"order"}


def test_what_waits_is_meant_where_nothing_else_is_called_so(work: Work) -> None:
    work.holds(_waits("payment", "N1"))
    assert work.ignore("N1") == ["payment"]


def test_of_two_numbers_said_at_once_each_is_decided_alone(work: Work) -> None:
    work.holds(_waits("order", "N1", "total-differs"), _waits("payment 1", "N1"), _waits("payment 2", "N2"))
    assert set(work.ignore("N1", "N2")) == {"order", "payment 2"}


def test_the_payment_of_an_invoice_that_was_refused_is_not_ignored_with_it(work: Work) -> None:
    work.refused("N1")
    work.holds(_waits("payment", "N1"))
    assert work.ignore("N1") == ["KEYN1"]
    entry = work.journal.entry("KEYN1")
    assert entry is not None and entry.state is EffectState.IGNORED
    assert not work.ignored


def test_a_key_means_that_row_whatever_it_waits_for(work: Work) -> None:
    work.holds(_waits("order", "N1", "total-differs"), _waits("payment", "N1"))
    assert work.ignore("payment") == ["payment"]


def test_a_name_that_nothing_has_is_said(work: Work) -> None:
    work.holds(_waits("order", "N1", "total-differs"))
    with pytest.raises(DataError, match="N9"):
        work.ignore("N9")
