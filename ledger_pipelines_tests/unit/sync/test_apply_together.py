"""Several plans in one go: records share calls, and each plan keeps its checks, its guards and its own line in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.sync.apply import Task, apply_together
from ledger_pipelines.sync.gates import AlteredPlanError, StalePlanError
from ledger_pipelines.sync.guards import GuardInput
from ledger_pipelines.sync.plan import Plan, Reason
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines_tests.faults.engine_target import Fault, make_effect, make_plan
from ledger_pipelines_tests.unit.sync.conftest import Bench

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")


class _OneOnly:
    name = "one-only"

    def check(self, given: GuardInput) -> Reason | None:
        return Reason("too-many", "Too many.") if len(given.pending) > 1 else None


def _day(day: str, *names: str, **more: Any) -> Plan:
    return make_plan(*(make_effect(name, partition=day, **more) for name in names), partition=day)


def _together(bench: Bench, tasks: Sequence[Task | Plan], **options: Any) -> tuple[ApplyResult, ...]:
    found = [one if isinstance(one, Task) else Task(one) for one in tasks]
    return apply_together(
        found, journal=bench.journal, writer=bench.writer, clock=bench.clock, random=Random(1), policy=bench.policy,
        **{"mode": Mode.LIVE, **options},
    )  # fmt: skip


def _outcomes(results: Sequence[ApplyResult]) -> list[list[str]]:
    return [[row.outcome.value for row in result.rows] for result in results]


def test_records_of_several_days_share_calls_and_each_day_is_told_apart(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(batch_size=4)
    results = _together(bench, [_day(DAYS[0], "1", "2"), _day(DAYS[1], "3"), _day(DAYS[2], "4", "5", "6")])
    assert bench.writer.sent == [["KEY1", "KEY2", "KEY3", "KEY4"], ["KEY5", "KEY6"]]
    assert _outcomes(results) == [["written"] * 2, ["written"], ["written"] * 3]
    assert [result.sends for result in results] == [1, 0, 1]
    assert [result.partition for result in results] == list(DAYS)
    with bench.journal.read() as unit:
        runs = [unit.applies.last("shop_books", "invoices", day) for day in DAYS]
    assert [[run.id for run in some] for some in runs] == [[result.apply_id] for result in results]
    assert all(run.ended_at is not None for some in runs for run in some)
    again = _together(bench, [_day(DAYS[0], "1", "2"), _day(DAYS[1], "3")])
    assert (_outcomes(again), sum(result.sends for result in again)) == ([["already"] * 2, ["already"]], 0)


def test_one_stale_or_altered_plan_keeps_all_of_them_from_being_entered(bench: Bench) -> None:
    good, changed = _day(DAYS[0], "1"), _day(DAYS[1], "2")
    with pytest.raises(StalePlanError):
        _together(bench, [Task(good), Task(changed, recompute=lambda: _day(DAYS[1], "3"))])
    with pytest.raises(AlteredPlanError):
        _together(bench, [good, replace(changed, digest="")])
    with pytest.raises(ConfigurationError):
        _together(bench, [good, _day(DAYS[1], "2", connection="other")])
    assert (bench.ledger.calls, bench.journal.counts()) == (0, {})


def test_what_two_days_want_is_written_once_as_the_first_wants_it(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(batch_size=10)
    first, second = _day(DAYS[0], "1"), make_plan(
        make_effect("1", partition=DAYS[1], amount="99.00"), make_effect("2", partition=DAYS[1]), partition=DAYS[1]
    )  # fmt: skip
    results = _together(bench, [first, second])
    assert bench.writer.sent == [["KEY1", "KEY2"]]
    assert _outcomes(results) == [["written"], ["already", "written"]]
    assert bench.journal.entries(["KEY1"])["KEY1"].effect.partition == DAYS[0]
    assert not [entry for entry in bench.journal.entries(["KEY1", "KEY2"]).values() if entry.conflict]


def test_what_a_day_left_behind_is_not_withdrawn_because_an_earlier_day_brings_it_now(bench: Bench) -> None:
    bench.ledger.faults.extend([Fault.NO_CONNECTION] * bench.policy.tries)
    bench.apply(_day(DAYS[1], "1"))
    assert bench.journal.states(["KEY1"])["KEY1"] is EffectState.APPROVED
    bench.clock.pass_time(3600)
    results = _together(bench, [_day(DAYS[0], "1"), _day(DAYS[1], "1", "2")])
    assert _outcomes(results) == [["written"], ["already", "written"]]


def test_a_guard_stops_its_own_plan_and_no_other(bench: Bench) -> None:
    results = _together(bench, [_day(DAYS[0], "1", "2"), _day(DAYS[1], "3")], guards=[_OneOnly()])
    assert _outcomes(results) == [["left", "left"], ["written"]]
    assert [bool(result.tripped) for result in results] == [True, False]
    assert set(bench.journal.states(["KEY1", "KEY2", "KEY3"])) == {"KEY3"}


def test_refused_credentials_in_the_middle_leave_the_rest_of_every_day(bench: Bench) -> None:
    bench.ledger.faults.extend([None, Fault.CREDENTIALS])
    results = _together(bench, [_day(DAYS[0], "1", "2"), _day(DAYS[1], "3")])
    assert _outcomes(results) == [["written", "left"], ["left"]]
    assert all(result.parked is not None for result in results)


def test_mode_plan_looks_at_each(bench: Bench) -> None:
    results = _together(bench, [_day(DAYS[0], "1"), _day(DAYS[1], "2")], mode=Mode.PLAN)
    assert _outcomes(results) == [["would-write"], ["would-write"]]
    assert (bench.ledger.calls, bench.journal.counts()) == (0, {})
