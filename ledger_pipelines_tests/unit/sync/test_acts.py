"""What a person may do, and what even a person may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger_pipelines.documents.effects import EffectState, WriteClass
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import ConfigurationError, RefusedError
from ledger_pipelines.sync.acts import adopt, ignore, retry, unpark
from ledger_pipelines_tests.faults.engine_target import Fault, make_effect, make_plan
from ledger_pipelines_tests.unit.sync.conftest import Bench


def _state(bench: Bench, key: str = "KEY1") -> EffectState:
    entry = bench.journal.entry(key)
    assert entry is not None
    return entry.state


def test_a_refused_row_is_sent_again_after_a_retry_and_success_clears_the_error(bench: Bench) -> None:
    plan = make_plan(make_effect("1"))
    bench.ledger.refused.add("EXT-1")
    bench.apply(plan)
    bench.ledger.refused.clear()
    assert bench.apply(plan).sends == 0
    retry(bench.journal, ["KEY1"], who="anna", why="customer reactivated", clock=bench.clock)
    assert bench.apply(plan).exit_code == 0
    entry = bench.journal.entry("KEY1")
    assert entry is not None
    assert (entry.state, entry.problem, entry.acted_by) == (EffectState.CONFIRMED, None, "anna")
    logged = [line.event for line in bench.journal.history("KEY1") if line.event.what == "retry"]
    assert [(e.who, e.why) for e in logged] == [("anna", "customer reactivated")]


def test_a_confirmed_row_can_be_neither_retried_nor_ignored(bench: Bench) -> None:
    bench.apply(make_plan(make_effect("1")))
    for act in (retry, ignore):
        with pytest.raises(RefusedError):
            act(bench.journal, ["KEY1"], who="anna", why="again", clock=bench.clock)
    bench.apply(make_plan(make_effect("1", amount="12.00")))
    assert _state(bench) is EffectState.HELD
    with pytest.raises(RefusedError):
        retry(bench.journal, ["KEY1"], who="anna", why="again", clock=bench.clock)


def test_a_held_row_that_was_sent_is_looked_for_before_it_is_sent_again(bench: Bench) -> None:
    plan = make_plan(make_effect("1"))
    bench.ledger.faults = [Fault.CUT_AFTER]
    bench.apply(plan)
    bench.ledger.records[0] = replace(bench.ledger.records[0], amount=Money.of("99.00", "USD"))
    bench.apply(plan)
    assert _state(bench) is EffectState.HELD
    bench.pass_window()
    retry(bench.journal, ["KEY1"], who="anna", why="should be fine", clock=bench.clock)
    bench.apply(plan)
    assert (_state(bench), len(bench.ledger.records)) == (EffectState.HELD, 1)
    bench.ledger.records.clear()
    retry(bench.journal, ["KEY1"], who="anna", why="deleted it there", clock=bench.clock)
    bench.apply(plan)
    assert (_state(bench), len(bench.ledger.records)) == (EffectState.CONFIRMED, 1)


def test_where_the_target_cannot_be_searched_the_person_vouches(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(write_class=WriteClass.NEITHER)
    bench.ledger.faults = [Fault.CUT_BEFORE]
    plan = make_plan(make_effect("1"))
    bench.apply(plan)
    retry(bench.journal, ["KEY1"], who="anna", why="it is not there", clock=bench.clock)
    result = bench.apply(plan)
    assert (_state(bench), result.sends, len(bench.ledger.records)) == (EffectState.CONFIRMED, 1, 1)


def test_a_person_adopts_a_held_row_and_dependants_follow(bench: Bench) -> None:
    plan = make_plan(make_effect("1"), make_effect("2", body={"doc": {"$link": "KEY1"}}))
    bench.ledger.faults = [Fault.CUT_AFTER]
    bench.apply(plan)
    bench.ledger.records[0] = replace(bench.ledger.records[0], lines=9)
    bench.apply(plan)
    adopt(bench.journal, "KEY1", who="anna", why="lines were merged by hand", clock=bench.clock)
    assert bench.journal.links("books", "invoice", ["EXT-1"])["EXT-1"].remote_id == "1000"
    bench.apply(plan)
    assert bench.ledger.records[1].body == '{"doc":"1000"}'


def test_adopting_needs_an_id(bench: Bench) -> None:
    bench.ledger.refused.add("EXT-1")
    bench.apply(make_plan(make_effect("1")))
    with pytest.raises(RefusedError):
        adopt(bench.journal, "KEY1", who="anna", why="it is there", clock=bench.clock)
    entry = adopt(bench.journal, "KEY1", remote_id="77", who="anna", why="it is there", clock=bench.clock)
    assert (entry.state, entry.remote_id, entry.adopted) == (EffectState.CONFIRMED, "77", True)


def test_an_ignored_row_stays_ignored_until_it_is_retried(bench: Bench) -> None:
    plan = make_plan(make_effect("1"), make_effect("2", depends_on=("KEY1",)))
    bench.ledger.refused.add("EXT-1")
    bench.apply(plan)
    ignore(bench.journal, ["KEY1"], who="anna", why="written off", clock=bench.clock)
    bench.ledger.refused.clear()
    result = bench.apply(plan)
    assert [row.outcome.value for row in result.rows] == ["ignored", "waiting"]
    assert "anna: written off" in result.rows[0].reason.text
    retry(bench.journal, ["KEY1"], who="anna", why="after all", clock=bench.clock)
    assert [row.outcome.value for row in bench.apply(plan).rows] == ["written", "written"]


def test_acts_need_a_person_a_reason_and_a_known_row(bench: Bench) -> None:
    bench.ledger.refused.add("EXT-1")
    bench.apply(make_plan(make_effect("1")))
    for given in ({"who": "", "why": "x"}, {"who": "x", "why": " "}):
        with pytest.raises(ConfigurationError):
            retry(bench.journal, ["KEY1"], **given)
    with pytest.raises(ConfigurationError):
        retry(bench.journal, ["KEY1", "KEYnone"], who="anna", why="x")
    assert _state(bench) is EffectState.REFUSED


def test_unparking_is_a_logged_act(bench: Bench) -> None:
    plan = make_plan(make_effect("1"))
    bench.ledger.credentials_work = False
    bench.apply(plan)
    bench.ledger.credentials_work = True
    assert unpark(bench.journal, "books", who="anna", why="new token", clock=bench.clock)
    assert not unpark(bench.journal, "books", who="anna", why="new token", clock=bench.clock)
    assert bench.apply(plan).rows[0].outcome.value == "written"
    assert bench.journal.history("connection:books")[-1].event.why == "new token"
