"""A dispatch of an order that somebody changed, here or there, takes what it really has, or waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_cin7 import orders
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.references import update_key
from ledger_pipelines.integrations.neto_cin7.status_updates import rows
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    LATER,
    READ_AT,
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


def test_a_draft_that_was_approved_by_us_since_is_dispatched() -> None:
    """Approval and dispatch in one run: Omni was read before the first."""
    one = order("N1", **DONE)
    draft = replace(one, status="On Hold")
    effect = effect_of(context([draft]), draft)
    base = context([one])
    approval = replace(
        effect,
        key=update_key(base, one, 1),
        action=Action.UPDATE,
        body='{"isApproved":true,"stage":"Processing"}',
    )
    held = booked(effect)
    ctx = context(
        [one],
        account=omni(orders=(held,)),
        choices=choosing(),
        known=(known(effect), known(approval, confirmed_at=LATER)),
    )
    assert codes(rows(ctx, [one])) == [("update", "dispatch")]


def edited_to_five(*more: Known, on_hand: str = "2", **other: Any) -> Context:
    """One mug was downloaded as New; staff made it five in Omni; the store has dispatched it. more: what the journal knows beside."""
    one = order("N1", **DONE)
    new = replace(one, status="New")
    effect = effect_of(context([new]), new)
    held = booked(effect)
    edited = replace(held, lines=(replace(held.lines[0], qty=d("5")),), total=d("82.50"))
    account = omni(orders=(edited,), stock=(level("MUG-01", on_hand),))
    return context([one], account=account, choices=choosing(), known=(known(effect), *more), **other)


@pytest.mark.parametrize(
    ("on_hand", "expected"), [("2", ("blocked", "not-enough-stock")), ("5", ("update", "dispatch"))]
)
def test_lines_that_staff_raised_in_omni_were_shipped_without_stock_after_a_change_of_stage(
    on_hand: str, expected: tuple[str, str]
) -> None:
    """Omni was read before our change of the stage: its lines are as they were read all the same."""
    ctx = edited_to_five()
    (one,) = ctx.shop.orders.values()
    stage = effect_of(ctx, one)
    assert "lineItems" not in body_of(stage)
    after = edited_to_five(known(stage, confirmed_at=LATER), on_hand=on_hand)
    row = only(after, one)
    assert (row.action.value, row.reason.code) == expected
    assert expected[0] == "update" or "5 x MUG-01, 2 there" in row.reason.text


def test_an_order_that_staff_had_made_a_draft_was_dispatched_after_a_change_of_stage() -> None:
    ctx = edited_to_five(on_hand="5")
    (one,) = ctx.shop.orders.values()
    stage = effect_of(ctx, one)
    assert "isApproved" not in body_of(stage)
    after = edited_to_five(known(stage, confirmed_at=LATER), on_hand="5")
    drafts = {id_: replace(held, is_approved=False) for id_, held in after.omni.orders.items()}
    after = replace(after, omni=replace(after.omni, orders=drafts))
    assert codes(rows(after, [one])) == [("blocked", "draft-in-omni")]


def test_an_order_that_we_moved_to_another_branch_was_dispatched_from_the_stock_of_the_one_before() -> None:
    """The move and the dispatch in one run: Omni was read before both."""
    one = order("N1", **DONE)
    to_main = choosing(branches={"branch": "Main warehouse"})
    effect = effect_of(context([one], choices=to_main), one)
    to_shed = choosing(branches={"branch": "Shed"})

    def at(*more: Known, **stock: Any) -> Context:
        account = omni(orders=(booked(effect),), **stock)
        return context([one], account=account, choices=to_shed, known=(known(effect), *more))

    move = known(effect_of(at(), one), confirmed_at=LATER)
    assert move.fields()["branchId"] == 4
    assert codes(rows(at(move), [one])) == [("blocked", "not-enough-stock")]
    assert codes(rows(at(move, stock=(level("MUG-01", "1", "4"),)), [one])) == [("update", "dispatch")]


def test_what_was_dispatched_as_staff_had_raised_it_was_not_taken_from_stock_as_raised() -> None:
    ctx = edited_to_five(on_hand="7")
    (one,) = ctx.shop.orders.values()
    stage = known(effect_of(ctx, one), confirmed_at=LATER)
    ready = edited_to_five(stage, on_hand="7")
    effect = only(ready, one).effect
    assert effect is not None
    other = order("N2", line(quantity="3"), **DONE)
    (made,), (there,) = standing([other])
    gone = edited_to_five(stage, known(effect, confirmed_at=LATER), replace(made, remote_id="7"), on_hand="7")
    (held,) = gone.omni.orders.values()
    for shown in (held, replace(held, dispatched_date=READ_AT)):
        orders = {shown.id: shown, "7": replace(there, id="7")}
        after = replace(
            gone,
            omni=replace(gone.omni, orders=orders),
            shop=shop([one, other]),
            settings=choosing(products={"in_step": False}),
        )
        row = only(after, other)
        assert (row.action.value, row.reason.code) == ("blocked", "not-enough-stock")
        assert "3 x MUG-01, 2 there" in row.reason.text


def test_an_order_whose_goods_were_swapped_for_unknown_ones_is_not_dispatched() -> None:
    before, after = order("N1"), order("N1", line("GONE"), **DONE)
    effect = effect_of(context([before]), before)
    ctx = context([after], account=omni(orders=(booked(effect),)), choices=choosing(), known=(known(effect),))
    assert codes(rows(ctx, [after])) == [("blocked", "order-blocked")]


def test_an_order_whose_change_waits_is_not_dispatched() -> None:
    before = order("N1")
    after = order("N1", line(quantity="2"), **DONE)
    effect = effect_of(context([before]), before)
    held = booked(effect)
    edited = replace(held, lines=(replace(held.lines[0], qty=d("5")),), total=d("82.50"))
    ctx = context([after], account=omni(orders=(edited,)), choices=choosing(), known=(known(effect),))
    assert codes(rows(ctx, [after])) == [("blocked", "order-blocked")]


def changed(*more: Known, option: str = YES, ignored: Sequence[str] = (), download: bool = True) -> Context:
    """One mug is in Omni, two were dispatched by the store. more: what the journal knows beside of it."""
    before, after = order("N1"), order("N1", line(quantity="2"), **DONE)
    effect = effect_of(context([before]), before)
    return context(
        [after],
        account=omni(orders=(booked(effect),)),
        choices=choosing(option, download_orders={"enabled": download}),
        known=(known(effect), *more),
        ignored=ignored,
    )


@pytest.mark.parametrize("option", [YES, IGNORE])
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, ("skip", "wait-for-change")),
        (EffectState.REFUSED, ("skip", "wait-for-change")),
        (EffectState.UNKNOWN, ("skip", "wait-for-change")),
        (EffectState.SENT, ("skip", "wait-for-change")),
        (EffectState.HELD, ("blocked", "order-blocked")),
        (EffectState.CONFIRMED, ("update", "dispatch")),
    ],
)
def test_an_order_is_dispatched_after_its_change_reached_omni(
    option: str, state: EffectState | None, expected: tuple[str, str]
) -> None:
    ctx = changed(option=option)
    (after,) = ctx.shop.orders.values()
    if state is not None:
        ctx = changed(known(effect_of(ctx, after), state=state, confirmed_at=LATER), option=option)
    row = only(ctx, after)
    assert (row.action.value, row.reason.code) == expected
    if row.reason.code == "wait-for-change":
        assert row.reason.text.startswith("Order N1 is Dispatched in the store")
        told = state in (EffectState.UNKNOWN, EffectState.SENT)
        assert ("outcome of an earlier call" if told else "2 x MUG-01") in row.reason.text


@pytest.mark.parametrize(
    ("there", "option", "expected"),
    [
        ("1", YES, ("update", "dispatch")),
        ("2", YES, ("update", "dispatch")),
        ("5", YES, ("skip", "wait-for-change")),
        ("5", IGNORE, ("update", "dispatch")),
    ],
)
def test_edited_lines_that_we_changed_after_omni_was_read_were_taken_as_we_wrote_them(
    there: str, option: str, expected: tuple[str, str]
) -> None:
    """A change that was found late may lie under the edit: only reading tells. Unedited ones are known: with it, or before it."""
    ctx = changed(option=option)
    (after,) = ctx.shop.orders.values()
    late = changed(known(effect_of(ctx, after), confirmed_at=LATER), option=option)
    (held,) = late.omni.orders.values()
    shown = replace(held, lines=(replace(held.lines[0], qty=d(there)),))
    late = replace(late, omni=replace(late.omni, orders={held.id: shown}))
    assert codes(rows(late, [after])) == [expected]
    read = replace(shown, total=d("33.00"), lines=(replace(held.lines[0], qty=d("2")),))
    again = replace(late.omni, orders={held.id: read}, read_at=LATER + timedelta(minutes=1))
    assert codes(rows(replace(late, omni=again), [after])) == [("update", "dispatch")]


def test_a_change_that_a_user_ignored_holds_no_dispatch() -> None:
    ctx = changed()
    (after,) = ctx.shop.orders.values()
    assert codes(rows(changed(ignored=[update_key(ctx, after, 1)]), [after])) == [("update", "dispatch")]


def test_what_a_dispatch_waits_for_can_be_cleared_though_download_orders_is_off() -> None:
    """Only the flow `orders` had the row that a person ignores, and it was off: the order was never dispatched."""
    ctx = changed(download=False)
    (after,) = ctx.shop.orders.values()
    waiting, dispatch = rows(ctx, [after])
    assert codes([waiting, dispatch]) == [("blocked", "order-changed"), ("blocked", "order-blocked")]
    assert waiting.key != dispatch.key
    ctx = changed(download=False, ignored=[waiting.key])
    assert codes(rows(ctx, [after])) == [("update", "dispatch")]


def test_an_order_that_changed_and_was_not_read_yet_is_dispatched_by_a_later_run() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"), **DONE)
    effect = effect_of(context([before]), before)
    unread = context([after], choices=choosing(), known=(known(effect),))
    assert codes(rows(unread, [after])) == [("skip", "wait-for-change")]


def test_a_dispatch_by_us_is_no_change_of_the_order() -> None:
    one = order("N1", **DONE)
    effect = only(downloaded(one), one).effect
    assert effect is not None
    for held in ({}, {"dispatched_date": READ_AT, "stage": "Dispatched"}):
        after = downloaded(one, more=(known(effect),), held=held)
        assert codes(orders.rows(after, [one])) == [("skip", "already-there")]
