"""When "not there" is believed: a search that is further behind than declared must not make a second document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.sync.acts import retry
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines_tests.faults.engine_target import Fault, make_effect, make_plan
from ledger_pipelines_tests.unit.sync.conftest import Bench

PLAN = make_plan(make_effect("1"), make_effect("2"), make_effect("3"))


def _lost(bench: Bench, number: int, fault: Fault, lag: timedelta, plan: Plan = PLAN) -> None:
    """The answer to the n-th document of the plan is lost, while the search is behind."""
    bench.ledger.search_lag = lag
    bench.ledger.faults = [*[None] * (number - 1), fault]
    bench.apply(plan)


def _held(bench: Bench, number: int) -> int:
    return len(bench.ledger.holding(f"EXT-{number}"))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_search_further_behind_than_declared_makes_no_second_document(bench: Bench, number: int) -> None:
    _lost(bench, number, Fault.CUT_AFTER, 3 * bench.writer.settle_window)
    bench.pass_window()
    result = bench.apply(PLAN)
    row = result.rows[number - 1]
    assert (row.state, row.reason.code, result.sends, _held(bench, number)) == ("held", "search-behind", 0, 1)
    assert "the target confirmed at" in row.reason.text
    assert row.reason.remedy
    bench.apply(PLAN)
    assert len([line for line in bench.journal.history(f"KEY{number}") if line.event.what == "held"]) == 1
    bench.clock.pass_time(3 * bench.writer.settle_window.total_seconds())
    assert bench.apply(PLAN).rows[number - 1].outcome.value == "adopted"
    assert _held(bench, number) == 1


def test_a_search_that_has_caught_up_is_believed_again(bench: Bench) -> None:
    _lost(bench, 2, Fault.CUT_BEFORE, 3 * bench.writer.settle_window)
    bench.pass_window()
    assert bench.apply(PLAN).rows[1].state == "held"
    bench.clock.pass_time(3 * bench.writer.settle_window.total_seconds())
    bench.resume()
    bench.apply(PLAN)
    assert (bench.journal.entry("KEY2").state, _held(bench, 2)) == (EffectState.CONFIRMED, 1)  # type: ignore[union-attr]


def test_a_control_that_need_not_be_shown_yet_is_waited_for(bench: Bench) -> None:
    _lost(bench, 1, Fault.CUT_AFTER, 3 * bench.writer.settle_window, make_plan(make_effect("1")))
    bench.pass_window()
    bench.clock.pass_time(-1)
    bench.apply(PLAN)  # the other two, just before the first one settles
    bench.clock.pass_time(2)
    result = bench.apply(PLAN)
    assert (result.rows[0].outcome.value, result.sends, _held(bench, 1)) == ("open", 0, 1)
    bench.pass_window()
    assert bench.apply(PLAN).rows[0].reason.code == "search-behind"


def test_one_person_vouches_and_it_is_sent(bench: Bench) -> None:
    _lost(bench, 2, Fault.CUT_BEFORE, 3 * bench.writer.settle_window)
    bench.pass_window()
    bench.apply(PLAN)
    retry(bench.journal, ["KEY2"], who="anna", why="I looked: it is not there", clock=bench.clock)
    assert (bench.apply(PLAN).sends, _held(bench, 2)) == (1, 1)


def test_nothing_but_the_declaration_is_left_where_nothing_was_ever_confirmed(bench: Bench) -> None:
    plan = make_plan(make_effect("1"))
    _lost(bench, 1, Fault.CUT_BEFORE, timedelta(0), plan)
    bench.pass_window()
    bench.apply(plan)
    assert _held(bench, 1) == 1


def test_proving_the_search_costs_no_call_more(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    _lost(bench, 2, Fault.CUT_BEFORE, timedelta(0))
    bench.pass_window()
    result = bench.apply(PLAN)
    assert (result.probes, result.sends) == (1, 1)
    assert sorted(bench.writer.probed[-1][:2]) == ["KEY1", "KEY3"]  # the controls first
    assert bench.writer.probed[-1][2:] == ["KEY2"]


def test_where_the_kind_has_no_control_one_of_another_kind_does(bench: Bench) -> None:
    plan = make_plan(make_effect("1"), make_effect("2", kind="payment"))
    _lost(bench, 2, Fault.CUT_AFTER, 3 * bench.writer.settle_window, plan)
    bench.pass_window()
    result = bench.apply(plan)
    assert (result.rows[1].reason.code, result.sends, _held(bench, 2)) == ("search-behind", 0, 1)
