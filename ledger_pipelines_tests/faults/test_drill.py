"""That the drills' own parts would notice, stop where they are told, and name their cases."""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.storage.journal import Journal, Search
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.states import FAULT_POINTS
from ledger_pipelines_tests.faults.chain_case import ChainCase
from ledger_pipelines_tests.faults.drill_books import Picture, picture
from ledger_pipelines_tests.faults.drill_cases import asked_again, points
from ledger_pipelines_tests.faults.drills.lag import Lag
from ledger_pipelines_tests.faults.drills.race import Race
from ledger_pipelines_tests.faults.engine_case import EngineCase, unexplained
from ledger_pipelines_tests.faults.engine_target import (
    FakeClock,
    FakeLedger,
    FakeWriter,
    Fault,
    make_effect,
    make_plan,
)
from ledger_pipelines_tests.faults.entries import ENTRIES
from ledger_pipelines_tests.faults.nursery import Nursery, stopped
from ledger_pipelines_tests.faults.shared_clock import SharedClock
from ledger_pipelines_tests.faults.stopping import DURABLE, Stop, Watch

DUMP = {
    "records": {
        "invoice": [{"id": "7", "externalId": "INV-1", "tranId": "INV00001", "total": "10.00"}],
        "customerPayment": [
            {"id": "9", "externalId": "AZS-1-P-X", "payment": "10.00", "createdDate": "2026-01-01"}
        ],
    },
    "ledger": [{"transaction": 9, "account": 221, "currency": 1, "foreigndebit": "10.00", "amount": "10.00"}],
    "links": [{"previousdoc": 7, "nextdoc": 9, "linktype": "Payment", "foreignamount": "10.00"}],
}
TRIAL = {"accounts": [{"number": "1051", "currency": "USD", "balance": "10.00"}]}


def test_books_that_differ_in_ids_numbers_and_instants_only_are_the_same() -> None:
    other = {
        "records": {
            "invoice": [{"id": "70", "externalId": "INV-1", "tranId": "INV00009", "total": "10"}],
            "customerPayment": [
                {"id": "90", "externalId": "AZS-1-P-X", "payment": "10", "createdDate": "2026-02-02"}
            ],
        },
        "ledger": [{"transaction": 90, "account": 221, "currency": 1, "foreigndebit": "10", "amount": "10"}],
        "links": [{"previousdoc": 70, "nextdoc": 90, "linktype": "Payment", "foreignamount": "10"}],
    }
    assert picture(other, TRIAL).differences(picture(DUMP, TRIAL)) == []


def test_a_doubled_document_a_lost_line_and_a_cent_are_noticed() -> None:
    whole = picture(DUMP, TRIAL)
    doubled = replace(whole, records=whole.records + Counter({max(whole.records): 1}))
    assert (doubled.doubled(whole), doubled.lost(whole)) == (1, 0)
    assert doubled.differences(whole)[0].startswith("too many: record")
    lost = replace(whole, ledger=Counter())
    assert (lost.doubled(whole), lost.lost(whole)) == (0, 1)
    off = replace(whole, accounts={"1051 USD": "10.01"})
    assert off.differences(whole) == ["account 1051 USD: 10.01 instead of 10"]
    assert isinstance(whole, Picture)


def test_a_case_is_carried_out_again_by_its_name() -> None:
    for name in (
        "amazon_netsuite:small:apply.before_confirm#1,durable#17+cut_after",
        "amazon_netsuite:demo:none+search_lag@19&cut_after",
    ):
        assert ChainCase.parse(name).name == name
    assert EngineCase.parse("engine:C:steps:durable#3+429").name == "engine:C:steps:durable#3+429"
    assert Race.parse("ledger:8x500:apply.claimed#1:amid").name == "ledger:8x500:apply.claimed#1:amid"
    assert Lag.parse("ledger:B:flat:behind:40").name == "ledger:B:flat:behind:40"
    with pytest.raises(ValueError, match="no trouble"):
        ChainCase.parse("amazon_netsuite:small:none+flood")
    assert set(FAULT_POINTS) <= set(points())


def test_a_child_is_killed_after_its_nth_durable_operation_and_the_clock_is_shared(tmp_path: Path) -> None:
    clock = SharedClock(tmp_path / "clock")
    with Nursery(()) as nursery:
        assert nursery.run(_writes, tmp_path, Stop(DURABLE, 2)) == -signal.SIGKILL
        assert sorted(path.name for path in tmp_path.glob("file*")) == ["file0"]
        assert nursery.run(_writes, tmp_path, Stop(DURABLE, 9)) == 7
        asleep = nursery.start(_writes, tmp_path, Stop("here", 3, sleep=True))
        assert stopped(asleep)
        before = clock.lead
        os.kill(asleep, signal.SIGCONT)
        assert nursery.wait(asleep) == 7
        assert clock.lead == before + 30
    clock.close()


def _writes(folder: Path, stop: Stop) -> None:
    Watch(stop).install()
    for number in range(3):
        (folder / "new").write_text("x")
        (folder / "new").replace(folder / f"file{number}")
        with (folder / f"file{number}").open() as file:
            os.fsync(file.fileno())
        faultpoints.reached("here")
    SharedClock(folder / "clock").sleep(30)
    raise SystemExit(7)


def test_an_open_row_needs_a_reason_and_a_remedy(tmp_path: Path) -> None:
    clock = FakeClock()
    writer = FakeWriter(FakeLedger(clock, faults=[Fault.CUT_AFTER]))
    with Journal.open(tmp_path / "journal.db", now=clock.now()) as journal:
        apply(
            make_plan(make_effect("1"), make_effect("2", depends_on=("KEY1",))),
            journal=journal,
            writer=writer,
            mode=Mode.LIVE,
            clock=clock,
        )
        rows = journal.find(Search(connection="books"))
    assert unexplained(rows) == []
    bare = [replace(rows[0], problem=None), replace(rows[1], state=EffectState.SENT)]
    assert unexplained(bare) == [
        "EXT-1 is unknown without a reason and a remedy",
        "EXT-2 is sent without a reason and a remedy",
    ]


@pytest.mark.parametrize(
    ("trouble", "may"),
    [("", False), ("apply_late", False), ("apply_late@45", True), ("search_lag@45", False),
     ("task_500&apply_twice", True), ("job_late", False), ("job_late_beyond", True)],
)  # fmt: skip
def test_only_what_comes_later_than_it_may_excuses_a_second_sending(trouble: str, may: bool) -> None:
    assert asked_again(trouble, 20) is may


def test_a_trouble_of_several_rules_is_no_ones_who_cannot_have_each() -> None:
    assert "job_untold" in ENTRIES["amazon_netsuite"].troubles()
    assert not {"job_untold", "results_untold", "job_500"}.intersection(ENTRIES["neto_saasu"].troubles())
