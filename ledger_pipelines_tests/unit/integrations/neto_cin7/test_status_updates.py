"""Dispatched if and only if every line can be, from stock at the branch; voided once, never back; all else is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.sales import Component, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.by_day.stored import Decoded, Rows, Stored
from ledger_pipelines.integrations.neto_cin7 import orders, status_updates
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.references import dispatch_key, update_key, void_key
from ledger_pipelines.integrations.neto_cin7.settings import AutoDispatch, StatusUpdates
from ledger_pipelines.integrations.neto_cin7.status_updates import rows
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.cin7.records import SalesOrder
from ledger_pipelines.systems.neto.documents import NetoShipment
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    BRANCHES,
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
    refusing,
    settings,
    shop,
)

YES, IGNORE = "Yes - Completed Orders Only", "Yes - Completed Orders Only (Ignore Stock)"
DONE = {"status": "Dispatched"}
CANCELLED = {"status": "Cancelled", "cancelled": True}


def choosing(option: str = YES, **groups: Any) -> Any:
    return settings(status_updates={"auto_dispatch_orders": option}, **groups)


def standing(
    orders: Sequence[SalesDocument], *, read: bool = True, **held: Any
) -> tuple[list[Known], list[SalesOrder]]:
    """What the journal and Omni have of orders that were downloaded. held: what Omni shows of them otherwise."""
    knowns, there = [], []
    for place, one in enumerate(orders):
        alive = replace(one, cancelled=False, status="Pick")
        choices = choosing(products={"in_step": False})
        effect = effect_of(context([alive], choices=choices), alive)
        knowns.append(known(effect, str(88123 + place)))
        if read:
            there.append(replace(booked(effect, str(88123 + place)), **held))
    return knowns, there


def downloaded(
    *orders: SalesDocument,
    more: Sequence[Known] = (),
    choices: Any = None,
    stock: dict[str, Any] | None = None,
    read: bool = True,
    held: dict[str, Any] | None = None,
    **other: Any,
) -> Context:
    knowns, there = standing(orders, read=read, **(held or {}))
    account = omni(**({"orders": tuple(there)} | (stock or {})))
    chosen = choices or choosing(products={"in_step": False})
    return context(orders, account=account, known=(*knowns, *more), choices=chosen, **other)


def only(ctx: Context, one: SalesDocument) -> PlanRow:
    (row,) = rows(ctx, [one])
    return row


# --- dispatch ---------------------------------------------------------------------------------------------------------------


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


def test_a_dispatch_is_written_once() -> None:
    one = order("N1", **DONE)
    effect = only(downloaded(one), one).effect
    assert effect is not None
    assert effect.key == dispatch_key(context([one]), one)
    assert codes(rows(downloaded(one, more=(known(effect),)), [one])) == [("skip", "already-there")]
    doubt = known(effect, "", state=EffectState.UNKNOWN)
    assert codes(rows(downloaded(one, more=(doubt,)), [one])) == [("skip", "unknown")]


# --- records that cannot be read ----------------------------------------------------------------------------------------------


def spoilt(ctx: Context, sku: str) -> Context:
    return replace(ctx, shop=replace(ctx.shop, items=Decoded(*refusing(ctx.shop.items, sku))))


def shipped_and_next(option: str = YES) -> Context:
    """N1 took six mugs, as MUG-01, after stock was read; N2 and N3 are to be dispatched."""
    orders = [order(f"N{n}", line(code, many), **DONE) for n, (code, many) in enumerate(
        [("MUG-01", "6"), ("MUG-01", "4"), ("TEE-RED-M", "1")], start=1
    )]  # fmt: skip
    choices = choosing(option, products={"in_step": False})
    ctx = downloaded(*orders, choices=choices)
    effect = only(ctx, orders[0]).effect
    assert effect is not None
    return downloaded(*orders, more=(known(effect, confirmed_at=LATER),), choices=choices)


def test_a_product_that_cannot_be_read_of_an_order_that_was_shipped_stopped_all_others() -> None:
    ctx = shipped_and_next()
    _, second, third = ctx.shop.orders.values()
    made = rows(spoilt(ctx, "MUG-01"), [second, third])
    assert codes(made) == [("blocked", "unreadable-record"), ("update", "dispatch")]
    # What it shipped is gone all the same: 10 - 6 are left.
    shelf = status_updates._shelf(spoilt(ctx, "MUG-01"))
    assert shelf.left("MUG-01", "3") == 4


def test_a_branch_that_cannot_be_read_stopped_all_orders() -> None:
    """N1 named no branch, and was not read since it was made: only the list of branches would tell."""
    one, other = order("N1", **DONE), order("N2", line("TEE-RED-M", "1"), **DONE)
    _, (_, there) = standing([one, other])
    dispatch = only(downloaded(one, other), one).effect
    assert dispatch is not None
    ctx = downloaded(one, other, more=(known(dispatch, confirmed_at=LATER),))
    texts, decoder = refusing({one.id: one for one in BRANCHES}, "4")
    for orders_there, left in (((replace(there, branch_id="3"),), "9"), ((), "10")):
        held = replace(
            ctx.omni, orders={one.id: one for one in orders_there}, branches=Stored(Rows(texts), decoder)
        )
        spoiled = replace(ctx, omni=held)
        assert status_updates._shelf(spoiled).left("MUG-01", "3") == d(left)
        expected = ("update", "dispatch") if orders_there else ("blocked", "unreadable-record")
        assert codes(rows(spoiled, [other])) == [expected]


def test_ignoring_stock_no_dispatch_of_the_past_is_looked_at() -> None:
    ctx = shipped_and_next(IGNORE)
    *_, third = ctx.shop.orders.values()
    unread = replace(ctx, omni=replace(ctx.omni, stock_read_at=None))
    assert status_updates._shelf(unread).taken == {}
    assert codes(rows(spoilt(unread, "MUG-01"), [third])) == [("update", "dispatch")]


def test_an_order_whose_tracking_cannot_be_read_kept_its_goods_from_the_others() -> None:
    first, second = (order(f"N{n}", line(quantity="6"), **DONE) for n in (1, 2))
    ctx = downloaded(first, second, shipments=Decoded(*refusing({}, "N1")))
    assert codes(rows(ctx, [first, second])) == [("blocked", "unreadable-record"), ("update", "dispatch")]


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


# --- void -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [YES, IGNORE])
def test_a_cancelled_order_is_voided_under_both(option: str) -> None:
    one = order("N1", **CANCELLED)
    row = only(downloaded(one, choices=choosing(option)), one)
    assert (row.action.value, row.reason.code) == ("void", "void")
    effect = row.effect
    assert effect is not None
    assert (effect.action, effect.target_id) == (Action.VOID, "88123")
    assert body_of(effect) == {"isVoid": True, "isApproved": False}


def test_not_under_no_and_not_what_was_never_downloaded() -> None:
    one = order("N1", **CANCELLED)
    assert rows(downloaded(one, choices=settings()), [one]) == []
    assert rows(context([one], choices=choosing()), [one]) == []


def test_only_test_orders_are_voided_in_mode_test() -> None:
    one = order("N1", **CANCELLED)
    assert rows(downloaded(one, mode=Mode.TEST), [one]) == []
    named = choosing(general={"test_orders": ["N1"]})
    assert codes(rows(downloaded(one, mode=Mode.TEST, choices=named), [one])) == [("void", "void")]


def test_a_void_is_written_once() -> None:
    one = order("N1", **CANCELLED)
    effect = only(downloaded(one), one).effect
    assert effect is not None
    assert effect.key == void_key(context([one]), one)
    assert codes(rows(downloaded(one, more=(known(effect),)), [one])) == [("skip", "already-there")]
    read = downloaded(one, more=(known(effect),), held={"is_void": True})
    assert codes(rows(read, [one])) == [("skip", "already-there")]
    assert codes(rows(downloaded(one, held={"is_void": True}), [one])) == [("skip", "already-void")]


@pytest.mark.parametrize(
    ("held", "code"),
    [({"dispatched_date": READ_AT}, "dispatched-in-omni"), ({"invoice_date": READ_AT}, "invoiced-in-omni")],
)
def test_dispatched_or_invoiced_ones_are_reported(held: dict[str, Any], code: str) -> None:
    one = order("N1", **CANCELLED)
    assert codes(rows(downloaded(one, held=held), [one])) == [("blocked", code)]


def test_one_that_was_shipped_in_part_or_dispatched_by_us_is_reported() -> None:
    one = order("N1", line(quantity="2"), **CANCELLED)
    _, (held,) = standing([one])
    partly = downloaded(one, held={"lines": (replace(held.lines[0], qty_shipped=d("1")),)})
    assert codes(rows(partly, [one])) == [("blocked", "dispatched-in-omni")]
    done = replace(one, status="Dispatched", cancelled=False)
    effect = only(downloaded(done), done).effect
    assert effect is not None
    ours = downloaded(one, more=(known(effect),))
    assert codes(rows(ours, [one])) == [("blocked", "dispatched-in-omni")]


def test_an_order_whose_download_is_not_known_yet_is_voided_after_it() -> None:
    one = order("N1", **CANCELLED)
    alive = replace(one, cancelled=False, status="Pick")
    effect = effect_of(context([alive]), alive)
    doubt = known(effect, "", state=EffectState.UNKNOWN)
    row = only(context([one], choices=choosing(), known=(doubt,)), one)
    assert row.effect is not None
    assert row.effect.target_id == f"$link:{effect.key}"
    assert row.effect.depends_on == (effect.key,)


# --- settings -----------------------------------------------------------------------------------------------------------------


def test_the_three_options_in_omnis_own_words() -> None:
    assert [option.value for option in AutoDispatch] == ["No", YES, IGNORE]
    assert (
        StatusUpdates.model_validate({"auto_dispatch_orders": False}).auto_dispatch_orders is AutoDispatch.NO
    )
