"""A record that cannot be read stops the dispatches that rest on it, and no others."""

from __future__ import annotations

from dataclasses import replace

from ledger_pipelines.integrations.by_day.stored import Decoded, Rows, Stored
from ledger_pipelines.integrations.neto_cin7 import status_updates
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.status_updates import rows
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    BRANCHES,
    LATER,
    codes,
    d,
    known,
    line,
    order,
    refusing,
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
