"""Dispatched if and only if every line can be, from stock at the branch; all else is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.sales import Component
from ledger_pipelines.integrations.neto_cin7.references import dispatch_key
from ledger_pipelines.integrations.neto_cin7.settings import AutoDispatch, StatusUpdates
from ledger_pipelines.integrations.neto_cin7.status_updates import rows
from ledger_pipelines.systems.neto.documents import NetoShipment
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    LATER,
    READ_AT,
    WRITTEN_AT,
    body_of,
    booked,
    codes,
    context,
    d,
    effect_of,
    known,
    level,
    line,
    omni,
    order,
    product,
    settings,
    shop,
)
from ledger_pipelines_tests.unit.integrations.neto_cin7.dispatching import (
    DONE,
    IGNORE,
    YES,
    choosing,
    downloaded,
    only,
    standing,
)


def test_a_completed_order_is_dispatched_with_exactly_this_request() -> None:
    one = order("N1", line(quantity="2"), **DONE)
    at = datetime(2025, 3, 4, 3, 0, 0, tzinfo=UTC)
    ctx = downloaded(one, shipments={"N1": NetoShipment(at, ("TRK1", "TRK2", "TRK1"))})
    row = only(ctx, one)
    assert (row.action.value, row.reason.code) == ("update", "dispatch")
    effect = row.effect
    assert effect is not None
    assert (effect.kind, effect.action, effect.target_id) == ("sales_order", Action.UPDATE, "88123")
    assert body_of(effect) == {
        "dispatchedDate": "2025-03-04T03:00:00Z",
        "stage": "Dispatched",
        "trackingCode": "TRK1, TRK2",
    }
    assert effect.expected.amount is None


def test_without_a_completion_it_is_the_last_change() -> None:
    one = order("N1", **DONE)
    assert body_of(only(downloaded(one), one).effect) == {
        "dispatchedDate": "2025-03-03T06:00:00Z",
        "stage": "Dispatched",
    }


def test_tracking_codes_that_do_not_fit_are_left_out_whole() -> None:
    one = order("N1", **DONE)
    ctx = downloaded(one, shipments={"N1": NetoShipment(None, ("A" * 30, "B" * 30, "C" * 10))})
    assert body_of(only(ctx, one).effect)["trackingCode"] == f"{'A' * 30}, {'C' * 10}"


def test_off_by_default_and_only_completed_ones() -> None:
    one = order("N1", **DONE)
    assert rows(downloaded(one, choices=settings()), [one]) == []
    picked = order("N1", status="Pick")
    assert rows(downloaded(picked), [picked]) == []
    own = settings(
        status_updates={
            "auto_dispatch_orders": YES,
            "completed_statuses": ["pending pickup"],
            "dispatched_stage": "Gone",
        }
    )
    waiting = order("N1", status="Pending Pickup")
    assert body_of(only(downloaded(waiting, choices=own), waiting).effect)["stage"] == "Gone"


def test_one_line_short_leaves_the_whole_order_and_names_each() -> None:
    one = order(
        "N1", line(quantity="11"), line("TEE-RED-M", "10", "33.00"), line("GONE", "1", "1.00"), **DONE
    )
    row = only(downloaded(one), one)
    assert (row.action.value, row.reason.code) == ("blocked", "not-enough-stock")
    assert "11 x MUG-01, 10 there" in row.reason.text
    assert "1 x GONE, 0 there" in row.reason.text
    assert "TEE" not in row.reason.text
    assert "Main warehouse" in row.reason.text


def test_ignoring_stock() -> None:
    one = order("N1", line(quantity="11"), **DONE)
    assert codes(rows(downloaded(one, choices=choosing(IGNORE)), [one])) == [("update", "dispatch")]


def test_stock_is_that_of_the_orders_branch() -> None:
    one = order("N1", **DONE)
    ctx = downloaded(one, held={"branch_id": "4"})
    assert codes(rows(ctx, [one])) == [("blocked", "not-enough-stock")]
    there = downloaded(one, held={"branch_id": "4"}, stock={"stock": (level("MUG-01", "1", "4"),)})
    assert codes(rows(there, [one])) == [("update", "dispatch")]


def test_earlier_rows_take_first_and_a_short_one_takes_nothing() -> None:
    first, second, third = (
        order(f"N{n}", line(quantity=many), **DONE) for n, many in ((1, "6"), (2, "5"), (3, "4"))
    )
    ctx = downloaded(first, second, third)
    assert codes(rows(ctx, [first, second, third])) == [
        ("update", "dispatch"), ("blocked", "not-enough-stock"), ("update", "dispatch"),
    ]  # fmt: skip


def test_two_lines_of_one_code_are_added_up() -> None:
    one = order("N1", line(quantity="6"), replace(line(quantity="5"), key="L-2"), **DONE)
    assert codes(rows(downloaded(one), [one])) == [("blocked", "not-enough-stock")]


def test_what_was_shipped_already_counts() -> None:
    one = order("N1", line(quantity="12"), **DONE)
    _, (held,) = standing([one])
    partly = (replace(held.lines[0], qty_shipped=d("3")),)
    assert codes(rows(downloaded(one, held={"lines": partly}), [one])) == [("update", "dispatch")]


def test_what_was_dispatched_since_stock_was_read_is_gone() -> None:
    first, second = order("N1", line(quantity="6"), **DONE), order("N2", line(quantity="6"), **DONE)
    ctx = downloaded(first, second)
    effect = only(ctx, first).effect
    assert effect is not None
    after = downloaded(first, second, more=(known(effect, "88123", confirmed_at=LATER),))
    assert codes(rows(after, [second])) == [("blocked", "not-enough-stock")]
    before = downloaded(first, second, more=(known(effect, "88123", confirmed_at=WRITTEN_AT),))
    assert codes(rows(before, [second])) == [("update", "dispatch")]


def test_products_without_stock_and_kits() -> None:
    service = order("N1", line("GIFT", "1", "50.00"), **DONE)
    ctx = downloaded(service, store=shop([service], items=(product("GIFT", inventoried=False),)))
    assert codes(rows(ctx, [service])) == [("update", "dispatch")]
    kit = product("KIT", components=(Component("MUG-01", d("6")),))
    one, two = (order(f"N{n}", line("KIT", "1", "50.00"), **DONE) for n in (1, 2))
    both = downloaded(one, two, store=shop([one, two], items=(kit,)))
    assert codes(rows(both, [one, two])) == [("update", "dispatch"), ("blocked", "not-enough-stock")]
    own = downloaded(
        one,
        store=shop([one], items=(kit,)),
        stock={"stock": (level("KIT", "0"), level("KIT", "3", "4"), level("MUG-01", "10"))},
    )
    assert codes(rows(own, [one])) == [("blocked", "not-enough-stock")]


def test_a_row_of_no_stock_held_up_what_no_stock_is_kept_of() -> None:
    card = order("N1", line("GIFT", "1", "50.00"), **DONE)
    kit = product("KIT", components=(Component("MUG-01", d("6")),))
    made = order("N2", line("KIT", "1", "50.00"), **DONE)
    store = shop([card, made], items=(product("GIFT", inventoried=False), kit))
    nothing = (level("GIFT", "0"), level("KIT", "0"), level("KIT", "0", "4"), level("MUG-01", "6"))
    ctx = downloaded(card, made, store=store, stock={"stock": nothing})
    assert codes(rows(ctx, [card, made])) == [("update", "dispatch"), ("update", "dispatch")]


def test_an_order_that_was_just_made_needs_no_reading() -> None:
    one = order("N1", **DONE)
    named = choosing(branches={"branch": "Main warehouse"})
    effect = effect_of(context([replace(one, status="Pick")], choices=named), replace(one, status="Pick"))
    ctx = context([one], choices=named, known=(known(effect),))
    assert codes(rows(ctx, [one])) == [("update", "dispatch")]
    nowhere = downloaded(one, read=False)
    assert codes(rows(nowhere, [one])) == [("skip", "branch-unknown")]
    other = order("N2")
    (made,), (there,) = standing([other])
    learnt = downloaded(
        one, read=False, more=(replace(made, remote_id="7"),), stock={"orders": (replace(there, id="7"),)}
    )
    assert codes(rows(learnt, [one])) == [("update", "dispatch")]


def test_an_order_that_staff_had_moved_to_another_branch_told_which_is_the_main_one() -> None:
    """The first order of ours stood for all: others were dispatched from stock of a branch they are not at."""
    others = [order(f"N{number}") for number in (2, 3, 4)]
    made, there = standing(others)
    more = [replace(known_, remote_id=f"7{place}") for place, known_ in enumerate(made)]
    held = tuple(
        replace(one, id=f"7{place}", branch_id="4" if place == 0 else "3") for place, one in enumerate(there)
    )
    one = order("N1", **DONE)
    learnt = downloaded(one, read=False, more=more, stock={"orders": held, "stock": (level("MUG-01", "1"),)})
    assert learnt.main_branch == "3"
    assert codes(rows(learnt, [one])) == [("update", "dispatch")]


def test_an_order_that_we_moved_ourselves_told_which_is_the_main_branch() -> None:
    """While `branches.branch` named another one, open orders that had named none were moved there."""
    (made,), (there,) = standing([order("N2")])
    to_shed = settings(branches={"branch": "Shed"}, products={"in_step": False})
    ctx = context([order("N2", status="Pick")], account=omni(orders=(there,)), known=(made,), choices=to_shed)
    moved = known(effect_of(ctx, order("N2", status="Pick")))
    assert body_of(effect_of(ctx, order("N2", status="Pick"))) == {"branchId": 4}
    later = replace(there, branch_id="4")
    learnt = context(account=omni(orders=(later,)), known=(made, moved))
    assert learnt.main_branch == ""


@pytest.mark.parametrize("option", [YES, IGNORE])
def test_what_is_not_downloaded_because_that_is_off_is_not_dispatched(option: str) -> None:
    one = order("N1", **DONE)
    off = choosing(option, download_orders={"enabled": False})
    assert rows(context([one], choices=off), [one]) == []
    assert codes(rows(downloaded(one, choices=off), [one])) == [("update", "dispatch")]
    new = order("N1", status="New")
    effect = effect_of(context([new]), new)
    ctx = context([one], account=omni(orders=(booked(effect),)), known=(known(effect),), choices=off)
    assert codes(rows(ctx, [one])) == [("update", "dispatch")]


def test_not_made_yet() -> None:
    one = order("N1", **DONE)
    assert codes(rows(context([one], choices=choosing()), [one])) == [("skip", "wait-for-order")]
    old = replace(one, day=one.day.replace(year=2024))
    assert rows(context([old], choices=choosing()), [old]) == []
    broken = order("N1", total="99.00", **DONE)
    assert codes(rows(context([broken], choices=choosing()), [broken])) == [("blocked", "order-blocked")]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"dispatched_date": READ_AT}, ("skip", "already-dispatched")),
        ({"is_void": True}, ("blocked", "void-in-omni")),
        ({"is_approved": False}, ("blocked", "draft-in-omni")),
    ],
)
def test_what_is_not_dispatched(held: dict[str, Any], expected: tuple[str, str]) -> None:
    one = order("N1", **DONE)
    assert codes(rows(downloaded(one, held=held), [one])) == [expected]
    assert codes(rows(downloaded(one, held=held, choices=choosing(IGNORE)), [one])) == [expected]


def test_a_dispatch_is_written_once() -> None:
    one = order("N1", **DONE)
    effect = only(downloaded(one), one).effect
    assert effect is not None
    assert effect.key == dispatch_key(context([one]), one)
    assert codes(rows(downloaded(one, more=(known(effect),)), [one])) == [("skip", "already-there")]
    doubt = known(effect, "", state=EffectState.UNKNOWN)
    assert codes(rows(downloaded(one, more=(doubt,)), [one])) == [("skip", "unknown")]


_MANY = st.integers(min_value=1, max_value=9)


@given(st.lists(st.tuples(_MANY, _MANY), min_size=1, max_size=5), st.integers(0, 20), st.integers(0, 20))
def test_no_plan_takes_more_than_there_is_and_none_is_left_that_fits(
    needs: list[tuple[int, int]], mugs: int, tees: int
) -> None:
    orders = [
        order(f"N{n}", line(quantity=str(mug)), line("TEE-RED-M", str(tee), "33.00"), **DONE)
        for n, (mug, tee) in enumerate(needs)
    ]
    stock = {"stock": (level("MUG-01", str(mugs)), level("TEE-RED-M", str(tees)))}
    made = rows(downloaded(*orders, stock=stock), orders)
    left = [Decimal(mugs), Decimal(tees)]
    for row, (mug, tee) in zip(made, needs, strict=True):
        fits = mug <= left[0] and tee <= left[1]
        assert (row.action is Action.UPDATE) is fits
        if fits:
            left = [left[0] - mug, left[1] - tee]
    assert min(left) >= 0


def test_the_three_options_in_omnis_own_words() -> None:
    assert [option.value for option in AutoDispatch] == ["No", YES, IGNORE]
    assert (
        StatusUpdates.model_validate({"auto_dispatch_orders": False}).auto_dispatch_orders is AutoDispatch.NO
    )
