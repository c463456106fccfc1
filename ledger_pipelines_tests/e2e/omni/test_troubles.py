"""What goes wrong on the way: nothing lost, nothing doubled, no record sent again for another one's sake."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines_tests.e2e.omni.conftest import Opened
from ledger_pipelines_tests.e2e.omni.kit import DISPATCH, ORDERS, POT, in_omni, totals, writes
from ledger_pipelines_tests.e2e.shop.kit import staff, unsettled
from ledger_pipelines_tests.omni_stage import OmniStage

SETTLED = 120
"""Seconds after which a write in doubt is settled: longer than the stage's settle window."""


def later(stage: OmniStage, seconds: float = SETTLED) -> RunResult:
    stage.clock.jump(seconds)
    stage.forget_calls()
    return stage.run()


def is_all_there(stage: OmniStage) -> None:
    """Every order of the store once, to the cent."""
    assert in_omni(stage.account()) == totals(stage)


@pytest.mark.parametrize(
    "kind",
    ["drop_response_after_commit", "cut_before", "cut_after", "5xx_after", "random_503", "html_error_body"],
)
def test_a_batch_of_fifty_whose_answer_is_lost(opened: Opened, kind: str) -> None:
    stage = opened()
    for _ in range(50):
        stage.order(POT)
    stage.fault(kind, path=ORDERS, method="POST", times=1)
    stage.run()
    later(stage)
    is_all_there(stage)
    assert sum(writes(stage).values()) <= 1  # whole again, or found: never one by one
    assert unsettled(later(stage)) == []
    assert writes(stage) == {}
    is_all_there(stage)


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_back_fill_of_days_whose_answer_is_lost(opened: Opened, kind: str) -> None:
    stage = opened()
    for _ in range(3):
        for _ in range(4):
            stage.order(POT)
        stage.clock.jump(86_400)
    stage.fault(kind, path=ORDERS, method="POST", times=1)
    stage.run()
    later(stage)
    is_all_there(stage)
    assert sum(writes(stage).values()) <= 1  # whole again, or found: never one by one, nor day by day
    assert unsettled(later(stage)) == []
    assert writes(stage) == {}
    is_all_there(stage)


def test_a_dispatch_that_answers_500_after_it_was_made(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH, branches__branch="Main warehouse")
    numbers = [stage.order(POT) for _ in range(3)]
    for number in numbers:
        stage.status(number, "Dispatched")
    before = stage.account().on_hand("POT-600")
    stage.fault("dispatch_500_but_commit", times=1)
    stage.run()
    later(stage)
    assert unsettled(later(stage)) == []
    account = stage.account()
    assert all(account.order(number)["dispatchedDate"] for number in numbers)
    assert account.on_hand("POT-600") == before - 3


def test_half_of_a_batch_is_refused(opened: Opened) -> None:
    """Somebody took a reference after Omni was read."""
    for mode in ("item", "request400"):
        stage = opened()
        stage.omni_settings(duplicate_mode=mode)
        numbers = [stage.order(POT) for _ in range(10)]
        run_of = stage.service
        run_of.refresh()
        for number in numbers[::2]:
            told = stage.omni(
                "POST",
                "SalesOrders",
                [{"reference": number, "lineItems": [{"code": "TEA-EB-100", "qty": 1, "unitPrice": 1}]}],
            )
            assert told[0]["success"]
        day = run_of.today()
        for flow in ("contacts", "orders"):
            run_of.plan(flow, day)
            run_of.export(flow, day)
        account = stage.account()
        own = totals(stage)
        there = in_omni(account)
        assert {number: there[number] for number in numbers[1::2]} == {
            number: own[number] for number in numbers[1::2]
        }
        assert {there[number] for number in numbers[::2]} == {Decimal(1)}
        states = {item.number: item.code for item in run_of.errors()}
        assert set(states) == set(numbers[::2]), states
        stage.omni_settings(duplicate_mode="item")


def test_the_days_calls_are_spent_in_the_middle(opened: Opened) -> None:
    stage = opened(connections={"cin7": {"records_a_call": 5}})
    for _ in range(20):
        stage.order(POT)
    stage.fault("daily_quota_exhausted", path=ORDERS, method="POST", nth=3)
    result = stage.run()
    there = len(in_omni(stage.account()))
    assert there == 10
    assert any(run.result is not None and (run.result.stopped or run.result.parked) for run in result.runs)
    stage.control.delete("/faults").raise_for_status()
    later(stage, 24 * 3600 + 60)
    is_all_there(stage)


def test_a_lost_journal_takes_up_what_is_there(opened: Opened) -> None:
    stage = opened(
        payments__enabled=True,
        status_updates__auto_dispatch_orders=DISPATCH,
        branches__branch="Main warehouse",
    )
    numbers = [stage.order(POT) for _ in range(5)]
    for number in numbers:
        stage.pay(number, "10.00")
    stage.status(numbers[0], "Dispatched")
    stage.run()
    later(stage)
    before = stage.account().dump["records"]
    stage.clock.jump(SETTLED)
    stage.forget_journal()
    for _ in range(3):
        result = later(stage)
    after = stage.account().dump["records"]
    for kind in ("order", "payment", "contact"):
        assert len(after[kind]) == len(before[kind])
    is_all_there(stage)
    assert unsettled(result) == []
    stage.status(numbers[1], "Cancelled")
    later(stage)
    assert stage.account().order(numbers[1])["isVoid"] is True


def test_a_payment_that_arrived_twice_is_found_and_left(opened: Opened) -> None:
    stage = opened(payments__enabled=True)
    number = stage.order(POT)
    stage.pay(number, "10.00")
    stage.fault("apply_twice", path=r"/v1/Payments", method="POST", times=1)
    stage.run()
    result = later(stage)
    assert len(stage.account().payments(number)) == 2
    assert [item.code for item in result.doubles] == ["there-twice"]
    assert writes(stage) == {}


def test_a_locked_order_is_reported_when_it_is_cancelled(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH)
    number = stage.order(POT)
    stage.run()
    key = stage.account().order(number)["id"]
    stage.control.post(f"/cin7/orders/{key}/lock").raise_for_status()
    stage.status(number, "Cancelled")
    later(stage)
    assert stage.account().order(number)["isVoid"] is False
    (item,) = stage.service.errors()
    assert (item.flow, item.code) == ("status_updates", "locked")


def test_an_order_whose_change_is_refused_is_not_dispatched_with_the_goods_of_before(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH, branches__branch="Main warehouse")
    number = stage.order(POT)
    stage.run()
    later(stage)  # Omni was read once
    before = stage.account().on_hand("POT-600")
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "2"}]})
    stage.status(number, "Dispatched")
    key = stage.account().order(number)["id"]
    stage.control.post(f"/cin7/orders/{key}/lock").raise_for_status()
    stage.omni_settings(locked_refuses_all=True)
    service = stage.service
    service.refresh()
    day = service.today()
    service.plan("orders", day)
    service.export("orders", day)
    assert [item.flow for item in service.errors()] == ["orders"]
    stage.omni_settings(locked_refuses_all=False)  # the dispatch would be taken
    (row,) = service.plan("status_updates", day).rows
    assert (row.action.value, row.reason.code) == ("skip", "wait-for-change")
    service.export("status_updates", day)
    assert not stage.account().order(number)["dispatchedDate"]
    assert stage.account().on_hand("POT-600") == before
    service.retry([number], "test", "it is unlocked")
    assert unsettled(later(stage)) == []
    account = stage.account()
    assert account.order(number)["dispatchedDate"]
    assert account.on_hand("POT-600") == before - 2
    is_all_there(stage)


@pytest.mark.parametrize("kind", ["cut_before", "drop_response_after_commit"])
def test_an_order_whose_changes_answer_is_lost_is_dispatched_with_what_was_ordered(
    opened: Opened, kind: str
) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH, branches__branch="Main warehouse")
    number = stage.order(POT)
    stage.run()
    later(stage)
    before = stage.account().on_hand("POT-600")
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "2"}]})
    stage.status(number, "Dispatched")
    stage.fault(kind, path=ORDERS, method="PUT", times=1)
    later(stage)
    later(stage)
    assert unsettled(later(stage)) == []
    account = stage.account()
    assert account.order(number)["dispatchedDate"]
    assert account.on_hand("POT-600") == before - 2
    is_all_there(stage)
