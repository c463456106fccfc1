"""What an apply does with each ending, and what it never does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    EffectState,
    Ending,
    Mode,
    Prepared,
    Remote,
    WriteClass,
)
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.storage.journal import Search
from ledger_pipelines.sync.apply import recover
from ledger_pipelines.sync.gates import AlteredPlanError, StalePlanError
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.sync.result import Outcome
from ledger_pipelines.sync.states import Policy
from ledger_pipelines_tests.faults.engine_target import FakeWriter, Fault, make_effect, make_plan
from ledger_pipelines_tests.unit.sync.conftest import Bench


def _outcomes(result: object) -> dict[str, str]:
    return {row.number: row.outcome.value for row in result.rows}  # type: ignore[attr-defined]  # any ApplyResult


def test_mode_plan_writes_nothing_anywhere(bench: Bench) -> None:
    before = bench.journal.counts()
    result = bench.apply(make_plan(make_effect("1")), mode=Mode.PLAN)
    assert _outcomes(result) == {"1": "would-write"}
    assert (bench.ledger.calls, bench.ledger.probes, bench.ledger.records) == (0, 0, [])
    assert bench.journal.counts() == before == {}
    assert result.exit_code == 0


def test_mode_plan_needs_nobody_for_what_another_plan_would_bring(bench: Bench) -> None:
    plan = make_plan(make_effect("1", body={"n": 1, "of": {"$link": "KEY-OF-ANOTHER-FLOW"}}))
    looked = bench.apply(plan, mode=Mode.PLAN)
    assert (_outcomes(looked), looked.exit_code) == ({"1": "waiting"}, 0)
    assert bench.apply(plan).exit_code == 1


def test_each_document_is_written_once_and_a_second_apply_makes_no_call(bench: Bench) -> None:
    plan = make_plan(*(make_effect(str(i)) for i in range(5)))
    first = bench.apply(plan)
    assert set(_outcomes(first).values()) == {"written"}
    assert first.sends == 5
    second = bench.apply(plan)
    assert set(_outcomes(second).values()) == {"already"}
    assert (second.sends, second.probes) == (0, 0)
    assert (bench.ledger.calls, bench.ledger.probes, len(bench.ledger.records)) == (5, 0, 5)


def test_a_confirmed_document_is_linked_to_the_targets_record(bench: Bench) -> None:
    bench.apply(make_plan(make_effect("1")))
    link = bench.journal.links("books", "invoice", ["EXT-1"])["EXT-1"]
    assert (link.remote_id, link.effect_key, link.revision) == ("1000", "KEY1", 0)


def test_an_altered_plan_is_refused(bench: Bench) -> None:
    plan = make_plan(make_effect("1"), make_effect("2"))
    with pytest.raises(AlteredPlanError):
        bench.apply(replace(plan, rows=plan.rows[:1]))
    with pytest.raises(AlteredPlanError):
        bench.apply(replace(plan, digest=""))
    assert bench.ledger.calls == 0
    assert bench.journal.counts() == {}


def test_a_plan_that_was_wholly_carried_out_is_never_stale_and_one_that_was_not_is(bench: Bench) -> None:
    first, second = make_effect("1"), make_effect("2")
    plan, changed = make_plan(first, second), make_plan(make_effect("3"))
    bench.apply(make_plan(first))
    with pytest.raises(StalePlanError):
        bench.apply(plan, recompute=lambda: changed)
    bench.apply(plan)
    again = bench.apply(plan, recompute=lambda: changed)
    assert set(_outcomes(again).values()) == {"already"}
    assert (again.sends, again.probes, bench.ledger.calls) == (0, 0, 2)
    other = make_plan(make_effect("1", amount="7.00"), second)
    with pytest.raises(StalePlanError):
        bench.apply(other, recompute=lambda: changed)


def test_a_stale_plan_is_refused_with_the_difference_in_words(bench: Bench) -> None:
    plan = make_plan(make_effect("1"), make_effect("2"))
    now = make_plan(make_effect("2", amount="11.00"), make_effect("3"))
    with pytest.raises(StalePlanError) as caught:
        bench.apply(plan, recompute=lambda: now)
    text = str(caught.value)
    assert "1 new: create invoice 3 10.00 USD" in text
    assert "1 no longer wanted: create invoice 1 10.00 USD" in text
    assert "create invoice 2 10.00 USD (new) is now create invoice 2 11.00 USD" in text
    assert caught.value.difference.appeared[0].number == "3"
    assert bench.ledger.calls == 0
    assert bench.journal.counts() == {}


def test_an_input_that_changed_is_named(bench: Bench) -> None:
    plan = make_plan(make_effect("1"))
    now = replace(plan, inputs=(("orders", "digest-2"),)).sealed()
    with pytest.raises(StalePlanError, match="inputs changed: orders"):
        bench.apply(plan, recompute=lambda: now)
    assert bench.apply(plan, recompute=lambda: plan).exit_code == 0


def test_the_intent_is_durable_before_the_first_byte_leaves(bench: Bench) -> None:
    seen: list[EffectState] = []

    def look(batch: Sequence[Prepared]) -> None:
        entry = bench.journal.entry(batch[0].effect.key)
        assert entry is not None
        assert entry.effect == batch[0].effect
        assert entry.sent_at == bench.clock.now()
        seen.append(entry.state)

    bench.writer.before_send = look
    bench.apply(make_plan(make_effect("1")))
    assert seen == [EffectState.SENT]


def test_one_refused_record_stops_itself_and_its_dependants_only(bench: Bench) -> None:
    bench.ledger.refused.add("EXT-bad")
    plan = make_plan(
        make_effect("child", depends_on=("KEYbad",)),
        make_effect("bad"),
        make_effect("good"),
        make_effect("grandchild", depends_on=("KEYchild",)),
    )
    result = bench.apply(plan)
    assert _outcomes(result) == {
        "child": "waiting", "bad": "refused", "good": "written", "grandchild": "waiting",
    }  # fmt: skip
    assert result.exit_code == 1
    reasons = {row.number: row.reason.text for row in result.rows}
    assert reasons["bad"] == "This customer is inactive."
    assert reasons["child"] == "It waits for Invoice bad: This customer is inactive."
    again = bench.apply(plan)
    assert again.sends == 0
    assert _outcomes(again) == _outcomes(result) | {"good": "already"}


def test_dependencies_go_first_and_links_are_filled_in_just_before_sending(bench: Bench) -> None:
    seen: list[Prepared] = []
    bench.writer.before_send = seen.extend
    plan = make_plan(
        make_effect("payment", body={"apply": [{"doc": {"$link": "KEYinvoice"}}], "memo": "$link"}, origin="invoice/$link:KEYinvoice"),
        make_effect("invoice"),
        make_effect("void", action=Action.UPDATE, target_id="$link:KEYinvoice"),
    )  # fmt: skip
    assert set(_outcomes(bench.apply(plan)).values()) == {"written"}
    assert [prepared.effect.number for prepared in seen] == ["invoice", "payment", "void"]
    assert seen[1].body == {"apply": [{"doc": "1000"}], "memo": "$link"}
    assert seen[1].origin == "invoice/1000"
    assert seen[2].target_id == "1000"


def test_a_missing_dependency_and_a_cycle_are_said_as_such(bench: Bench) -> None:
    result = bench.apply(
        make_plan(
            make_effect("orphan", depends_on=("KEYnowhere",)),
            make_effect("a", depends_on=("KEYb",)),
            make_effect("b", depends_on=("KEYa",)),
        )
    )
    assert {row.number: row.reason.code for row in result.rows} == {
        "orphan": "dependency-missing", "a": "dependency-cycle", "b": "dependency-cycle",
    }  # fmt: skip
    assert result.exit_code == 1
    assert bench.ledger.calls == 0


def test_an_echo_that_differs_is_held_and_never_sent_again(bench: Bench) -> None:
    class Rounding(FakeWriter):
        def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
            return [
                Confirmed(replace(e.remote, amount=Money.of("10.01", "USD")))
                if isinstance(e, Confirmed)
                else e
                for e in FakeWriter.send(self, batch)
            ]

    bench.writer = Rounding(bench.ledger)
    plan = make_plan(make_effect("1"))
    result = bench.apply(plan)
    row = result.rows[0]
    assert (row.outcome, row.remote_id, row.reason.code) == (Outcome.HELD, "1000", "mismatch")
    assert "its total is 10.01 USD, we meant 10.00 USD" in row.reason.text
    bench.apply(plan)
    assert bench.ledger.calls == 1


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.RAISE_BEFORE])
def test_absence_counts_only_after_the_settle_window(bench: Bench, fault: Fault) -> None:
    bench.ledger.faults = [fault]
    plan = make_plan(make_effect("1"), make_effect("2"))
    first = bench.apply(plan)
    assert _outcomes(first) == {"1": "open", "2": "written"}
    assert first.rows[0].resolvable_at == bench.clock.now() + bench.writer.settle_window
    assert first.exit_code == 0
    bench.clock.pass_time(bench.writer.settle_window.total_seconds() - 1)
    early = bench.apply(plan)
    assert (early.sends, early.probes, _outcomes(early)["1"]) == (0, 1, "open")
    bench.clock.pass_time(1)
    late = bench.apply(plan)
    assert _outcomes(late)["1"] == "written"
    assert late.rows[0].attempt == 2
    assert len(bench.ledger.records) == 2


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.RAISE_AFTER, Fault.SHORT_ANSWER])
def test_positive_evidence_counts_at_once(bench: Bench, fault: Fault) -> None:
    bench.ledger.faults = [fault]
    plan = make_plan(make_effect("1"))
    assert _outcomes(bench.apply(plan)) == {"1": "open"}
    second = bench.apply(plan)
    assert _outcomes(second) == {"1": "adopted"}
    entry = bench.journal.entry("KEY1")
    assert entry is not None
    assert (entry.adopted, entry.remote_id, entry.problem) == (True, "1000", None)
    assert len(bench.ledger.records) == 1


def test_a_request_that_is_applied_late_is_adopted_and_not_repeated(bench: Bench) -> None:
    bench.ledger.faults = [Fault.LATE]
    plan = make_plan(make_effect("1"))
    bench.apply(plan)
    bench.clock.pass_time(50)
    assert _outcomes(bench.apply(plan)) == {"1": "open"}
    bench.clock.pass_time(45)
    assert _outcomes(bench.apply(plan)) == {"1": "adopted"}
    assert len(bench.ledger.records) == 1


def test_a_found_record_that_differs_is_held_with_the_difference(bench: Bench) -> None:
    bench.ledger.faults = [Fault.CUT_AFTER]
    plan = make_plan(make_effect("1"))
    bench.apply(plan)
    bench.ledger.records[0] = replace(bench.ledger.records[0], amount=Money.of("99.00", "USD"), lines=3)
    row = bench.apply(plan).rows[0]
    assert row.outcome is Outcome.HELD
    assert "its total is 99.00 USD, we meant 10.00 USD; it has 3 lines, we meant 1" in row.reason.text


def test_a_target_that_cannot_be_searched_is_held_for_a_person(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(write_class=WriteClass.NEITHER)
    bench.ledger.faults = [Fault.CUT_BEFORE]
    plan = make_plan(make_effect("1"), make_effect("2"))
    result = bench.apply(plan)
    assert _outcomes(result) == {"1": "held", "2": "written"}
    bench.pass_window()
    assert bench.apply(plan).sends == 0


def test_already_exists_is_fetched_and_adopted(bench: Bench) -> None:
    bench.ledger.unique = True
    bench.apply(make_plan(make_effect("1")))
    twin = replace(make_effect("1"), key="KEYtwin")
    result = bench.apply(make_plan(twin))
    assert _outcomes(result) == {"1": "adopted"}
    assert len(bench.ledger.records) == 1


def test_already_exists_but_never_shown_ends_with_a_person_and_not_in_a_loop(bench: Bench) -> None:
    bench.ledger.unique = True
    bench.ledger.search_lag = timedelta(days=365)
    bench.apply(make_plan(make_effect("1")))
    plan = make_plan(replace(make_effect("1"), key="KEYtwin"))
    assert _outcomes(bench.apply(plan)) == {"1": "open"}
    bench.pass_window()
    assert bench.apply(plan).rows[0].reason.code == "exists-not-found"


def test_a_definite_no_for_now_is_tried_again_after_the_wait_the_target_asks_for(bench: Bench) -> None:
    bench.ledger.faults = [Fault.RATE_LIMIT, Fault.NO_CONNECTION]
    result = bench.apply(make_plan(make_effect("1")))
    assert _outcomes(result) == {"1": "written"}
    assert result.sends == 3
    assert bench.clock.slept[0] >= 3.0


def test_tries_are_bounded_and_the_row_is_left_for_the_next_run(bench: Bench) -> None:
    bench.ledger.faults = [Fault.NO_CONNECTION] * 4
    plan = make_plan(make_effect("1"))
    result = bench.apply(plan)
    assert _outcomes(result) == {"1": "left"}
    assert result.sends == bench.policy.tries
    bench.clock.pass_time(60)
    assert _outcomes(bench.apply(plan)) == {"1": "written"}


def test_a_target_that_is_down_ends_the_run_instead_of_trying_every_row(bench: Bench) -> None:
    bench.ledger.faults = [Fault.NO_CONNECTION] * 1000
    result = bench.apply(make_plan(*(make_effect(str(i)) for i in range(200))))
    assert result.sends == bench.policy.not_sent_breaker
    assert result.stopped is not None
    assert result.stopped.code == "target-unavailable"
    assert set(bench.journal.counts()) == {EffectState.APPROVED}


def test_a_run_of_unknown_outcomes_ends_the_run(bench: Bench) -> None:
    bench.ledger.faults = [Fault.CUT_BEFORE] * 1000
    result = bench.apply(make_plan(*(make_effect(str(i)) for i in range(50))))
    assert result.sends == bench.policy.unknown_breaker
    assert bench.journal.counts() == {EffectState.UNKNOWN: 10, EffectState.APPROVED: 40}


def test_a_wait_longer_than_our_patience_leaves_the_rest_for_the_next_run(bench: Bench) -> None:
    bench.policy = replace(bench.policy, longest_delay=2.0)
    bench.ledger.faults = [Fault.RATE_LIMIT]
    result = bench.apply(make_plan(make_effect("1"), make_effect("2")))
    assert result.sends == 1
    assert bench.clock.slept == []
    assert result.stopped is not None
    assert result.stopped.code == "asked-to-wait"


def test_refused_credentials_park_the_connection_after_one_call(bench: Bench) -> None:
    bench.ledger.credentials_work = False
    plan = make_plan(*(make_effect(str(i)) for i in range(40)))
    result = bench.apply(plan)
    assert bench.ledger.calls == 1
    assert result.parked is not None
    assert result.exit_code == 1
    assert set(_outcomes(result).values()) == {"left"}
    assert bench.journal.counts() == {EffectState.APPROVED: 40}
    assert bench.apply(plan).sends == 0
    assert bench.ledger.calls == 1
    other = replace(bench, writer=FakeWriter(bench.ledger, connection="other"))
    bench.ledger.credentials_work = True
    assert other.apply(make_plan(make_effect("x", connection="other"))).exit_code == 0


def test_a_parked_connection_is_tried_with_one_call_later_and_goes_on_by_itself(bench: Bench) -> None:
    bench.ledger.credentials_work = False
    plan = make_plan(*(make_effect(str(i)) for i in range(10)))
    bench.apply(plan)
    bench.clock.pass_time(15 * 60)
    assert bench.apply(plan).sends == 1
    bench.clock.pass_time(15 * 60)
    bench.ledger.credentials_work = True
    assert set(_outcomes(bench.apply(plan)).values()) == {"written"}
    assert bench.journal.parked("books") is None


def test_credentials_refused_while_searching_park_the_connection_too(bench: Bench) -> None:
    bench.ledger.faults = [Fault.CUT_AFTER]
    plan = make_plan(make_effect("1"))
    bench.apply(plan)
    bench.ledger.credentials_work = False
    result = bench.apply(plan)
    assert result.parked is not None
    assert bench.journal.counts() == {EffectState.UNKNOWN: 1}


def test_a_search_that_fails_teaches_nothing(bench: Bench) -> None:
    bench.ledger.faults = [Fault.CUT_BEFORE]
    plan = make_plan(make_effect("1"))
    bench.apply(plan)
    bench.pass_window()
    bench.ledger.search_works = False
    result = bench.apply(plan)
    assert _outcomes(result) == {"1": "open"}
    assert "The search is down." in result.rows[0].reason.text
    assert result.sends == 0


def test_an_intent_never_sent_is_revised_and_the_revision_logged(bench: Bench) -> None:
    bench.ledger.refused.add("EXT-1")
    bench.apply(make_plan(make_effect("1")))
    bench.ledger.refused.clear()
    result = bench.apply(make_plan(make_effect("1", amount="12.00")))
    assert _outcomes(result) == {"1": "written"}
    assert bench.ledger.records[0].amount == Money.of("12.00", "USD")
    revised = [line for line in bench.journal.history("KEY1") if line.event.what == "revised"]
    assert "amount: 10.00, now 12.00" in revised[0].event.why


def test_another_body_for_a_confirmed_document_is_held_with_both_and_never_overwrites(bench: Bench) -> None:
    plan, other = make_plan(make_effect("1")), make_plan(make_effect("1", amount="12.00"))
    bench.apply(plan)
    row = bench.apply(other).rows[0]
    assert (row.outcome, row.reason.code) == (Outcome.HELD, "conflict")
    entry = bench.journal.entry("KEY1")
    assert entry is not None
    assert '"amount":10.00' in entry.effect.body
    assert entry.conflict is not None
    assert '"amount":12.00' in entry.conflict
    assert bench.ledger.calls == 1
    assert _outcomes(bench.apply(plan)) == {"1": "already"}


def test_another_body_for_an_unknown_document_is_held(bench: Bench) -> None:
    bench.ledger.faults = [Fault.CUT_BEFORE]
    bench.apply(make_plan(make_effect("1")))
    bench.pass_window()
    bench.ledger.search_works = False
    assert bench.apply(make_plan(make_effect("1", amount="12.00"))).rows[0].reason.code == "conflict"
    bench.pass_window()
    assert bench.resume().sends == 0


def test_naming_by_id_what_was_named_by_link_is_no_conflict(bench: Bench) -> None:
    invoice = make_effect("invoice")
    bench.apply(make_plan(invoice, make_effect("payment", body={"doc": {"$link": "KEYinvoice"}})))
    later = bench.apply(make_plan(make_effect("payment", body={"doc": "1000"})))
    assert _outcomes(later) == {"payment": "already"}


def test_a_lost_memory_adopts_what_the_target_has_before_it_sends_what_is_missing(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench()
    old = make_plan(*(make_effect(str(i)) for i in range(4)))
    bench.apply(old)
    fresh = make_bench()
    fresh.ledger, fresh.clock = bench.ledger, bench.clock
    fresh.writer = FakeWriter(bench.ledger)
    plan = make_plan(*(make_effect(str(i)) for i in range(6)))
    calls = bench.ledger.calls
    result = fresh.apply(plan, remote_memory=True)
    assert _outcomes(result) == {**dict.fromkeys("0123", "adopted"), **dict.fromkeys("45", "written")}
    assert bench.ledger.calls == calls + 2
    assert len(bench.ledger.records) == 6


def test_a_lost_memory_waits_for_calls_of_the_time_before(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(settle_window=timedelta(hours=2))
    result = bench.apply(make_plan(make_effect("1")), remote_memory=True)
    assert _outcomes(result) == {"1": "open"}
    assert result.rows[0].resolvable_at == bench.journal.birth + timedelta(hours=2)
    assert bench.ledger.calls == 0


def test_records_go_in_batches_and_every_one_has_its_own_ending(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(batch_size=10)
    bench.ledger.refused.add("EXT-7")
    plan = make_plan(*(make_effect(str(i), kind="invoice" if i % 2 else "payment") for i in range(40)))
    result = bench.apply(plan)
    assert result.sends == 4
    assert all(len({key[-1] in "13579" for key in batch}) == 1 for batch in bench.writer.sent)
    assert [row.number for row in result.having(Outcome.REFUSED)] == ["7"]
    assert result.counts()[Outcome.WRITTEN] == 39


def test_workers_share_the_rows(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(workers=4)
    plan = make_plan(
        *(make_effect(str(i), depends_on=(f"KEY{i - 20}",) if i >= 20 else ()) for i in range(60))
    )
    result = bench.apply(plan)
    assert set(_outcomes(result).values()) == {"written"}
    assert len(bench.ledger.records) == 60


def test_a_stop_asked_for_ends_in_good_order(bench: Bench) -> None:
    result = bench.apply(
        make_plan(*(make_effect(str(i)) for i in range(10))), stop=lambda: bench.ledger.calls >= 3
    )
    assert result.sends == 3
    assert bench.journal.counts() == {EffectState.CONFIRMED: 3, EffectState.APPROVED: 7}


def test_resume_finishes_what_an_interrupted_apply_left(bench: Bench) -> None:
    plan = make_plan(*(make_effect(str(i)) for i in range(10)))
    bench.ledger.faults = [None, Fault.CUT_AFTER, Fault.CUT_BEFORE]
    bench.apply(plan, stop=lambda: bench.ledger.calls >= 5)
    bench.pass_window()
    result = bench.resume()
    assert bench.journal.counts() == {EffectState.CONFIRMED: 10}
    assert len(bench.ledger.records) == 10
    assert result.counts()[Outcome.ADOPTED] == 1
    assert result.counts()[Outcome.WRITTEN] == 6


def test_recover_settles_and_sends_nothing(bench: Bench) -> None:
    bench.ledger.faults = [Fault.CUT_BEFORE, Fault.CUT_AFTER]
    bench.apply(make_plan(make_effect("1"), make_effect("2")))
    bench.pass_window()
    result = recover(journal=bench.journal, writer=bench.writer, clock=bench.clock)
    assert _outcomes(result) == {"1": "left", "2": "adopted"}
    assert (bench.ledger.calls, result.sends) == (2, 0)


def test_blocked_and_skipped_rows_are_reported_as_the_plan_says(bench: Bench) -> None:
    rows = [
        PlanRow(Action.BLOCKED, Reason("no-order", "There is no order."), "B", "B", "Order B"),
        PlanRow(Action.SKIP, Reason("done", "It is booked."), "S", "S", "Order S"),
    ]
    result = bench.apply(make_plan(make_effect("1"), rows=rows))
    assert _outcomes(result) == {"1": "written", "B": "blocked", "S": "skipped"}
    assert result.exit_code == 1


def test_the_result_is_json_with_exact_amounts(bench: Bench) -> None:
    body = json.loads(bench.apply(make_plan(make_effect("1", amount="0.10"))).to_json())
    assert body["rows"][0]["amount"] == {"amount": "0.10", "currency": "USD"}
    assert (body["exit_code"], body["counts"], body["sends"]) == (0, {"written": 1}, 1)


def test_rows_are_found_by_document_number(bench: Bench) -> None:
    bench.apply(make_plan(make_effect("112-1"), make_effect("112-2"), make_effect("113-1")))
    assert [e.effect.number for e in bench.journal.find(Search(text="112-"))] == ["112-1", "112-2"]
    assert [e.effect.number for e in bench.journal.find(Search(text="1002"))] == ["113-1"]


def test_a_writer_of_another_connection_is_refused(bench: Bench) -> None:
    with pytest.raises(ConfigurationError):
        bench.apply(make_plan(make_effect("1", connection="other")))


def test_test_mode_writes_and_marks_the_effects(bench: Bench) -> None:
    bench.apply(make_plan(make_effect("1")), mode=Mode.TEST)
    entry = bench.journal.entry("KEY1")
    assert entry is not None
    assert (entry.mode, entry.state) == ("test", EffectState.CONFIRMED)


def test_a_call_whose_lease_ran_out_before_it_began_is_not_made(bench: Bench) -> None:
    def sleep_long(name: str) -> None:
        if name == "apply.before_send":
            bench.pass_lease()
            faultpoints.install(None)

    faultpoints.install(sleep_long)
    try:
        plan = make_plan(make_effect("1"))
        result = bench.apply(plan)
    finally:
        faultpoints.install(None)
    assert result.rows[0].outcome is Outcome.WRITTEN
    assert len(bench.writer.sent) == 1
    assert bench.ledger.calls == 1


def test_a_remote_without_an_id_is_looked_for(bench: Bench) -> None:
    class Silent(FakeWriter):
        def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
            FakeWriter.send(self, batch)
            return [Confirmed(Remote("")) for _ in batch]

    bench.writer = Silent(bench.ledger)
    result = bench.apply(make_plan(make_effect("1")))
    assert (result.rows[0].outcome, result.rows[0].remote_id) == (Outcome.ADOPTED, "1000")


def test_the_default_policy_outlasts_its_longest_wait() -> None:
    policy = Policy()
    assert policy.lease.total_seconds() > policy.longest_delay


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_a_void_whose_answer_was_lost_is_settled_by_whether_the_record_is_void(
    bench: Bench, fault: Fault
) -> None:
    bench.apply(make_plan(make_effect("1")))
    void = replace(make_effect("1", action=Action.VOID, target_id="$link:KEY1"), key="KEYvoid")
    bench.ledger.faults = [fault]
    bench.apply(make_plan(void))
    bench.pass_window()
    expected = "written" if fault is Fault.CUT_BEFORE else "adopted"
    assert _outcomes(bench.apply(make_plan(void))) == {"1": expected}
    assert bench.ledger.records == []
    assert bench.journal.links("books", "invoice", ["EXT-1"])["EXT-1"].voided


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_an_update_whose_answer_was_lost_is_settled_by_what_the_record_says(
    bench: Bench, fault: Fault
) -> None:
    bench.apply(make_plan(make_effect("1")))
    update = replace(
        make_effect("1", action=Action.UPDATE, body={"memo": "new"}, target_id="1000"), key="KEYupdate"
    )
    bench.ledger.faults = [fault]
    bench.apply(make_plan(update))
    bench.pass_window()
    expected = "written" if fault is Fault.CUT_BEFORE else "adopted"
    assert _outcomes(bench.apply(make_plan(update))) == {"1": expected}
    assert [(r.remote_id, r.body) for r in bench.ledger.records] == [("1000", '{"memo":"new"}')]


def test_what_a_later_plan_no_longer_wants_is_withdrawn_and_resume_does_not_write_it(bench: Bench) -> None:
    kept, dropped = make_effect("1"), make_effect("2")
    bench.apply(make_plan(kept, dropped), stop=lambda: True)
    assert bench.ledger.calls == 0
    bench.apply(make_plan(kept))
    bench.resume()
    assert [record.external_id for record in bench.ledger.records] == ["EXT-1"]
    assert bench.journal.entry(dropped.key) is None
    assert [line.event.what for line in bench.journal.history(dropped.key)] == ["intent", "withdrawn"]


def test_a_row_found_absent_by_the_run_of_a_plan_that_could_not_ask_for_it_is_not_forgotten(
    bench: Bench,
) -> None:
    both = make_plan(make_effect("1"), make_effect("2"))
    bench.ledger.faults = [None, Fault.CUT_BEFORE]
    bench.apply(both)
    while_unknown = make_plan(make_effect("1"))  # made when the outcome of 2 was not known: it skips it
    bench.pass_window()
    result = bench.apply(while_unknown)
    assert [(row.number, row.state) for row in result.others] == [("2", "approved")]
    assert bench.journal.states(["KEY2"]) == {"KEY2": EffectState.APPROVED}
    bench.apply(both)
    assert len(bench.ledger.holding("EXT-2")) == 1


def test_a_row_freed_from_a_dead_run_by_a_plan_that_could_not_ask_for_it_is_not_forgotten(
    bench: Bench,
) -> None:
    both = make_plan(make_effect("1"), make_effect("2"))
    bench.ledger.faults = [Fault.CREDENTIALS, None]
    bench.apply(both)
    with bench.journal.write() as unit:
        unit.effects.claim(
            ["KEY2"], fence=9, owner="gone", now=bench.clock.now(), lease_until=bench.clock.now()
        )
    bench.pass_lease()
    bench.clock.pass_time(bench.policy.park_for.total_seconds())
    bench.apply(make_plan(make_effect("1")))
    assert bench.journal.states(["KEY2"]) == {"KEY2": EffectState.APPROVED}


def test_what_was_sent_is_never_withdrawn(bench: Bench) -> None:
    lost, other = make_effect("1"), make_effect("2")
    bench.ledger.faults.append(Fault.CUT_AFTER)
    bench.apply(make_plan(lost))
    bench.apply(make_plan(other))
    entry = bench.journal.entry(lost.key)
    assert entry is not None
    assert entry.state is EffectState.CONFIRMED
