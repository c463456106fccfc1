"""The store's stock while orders are on their way into the books: never set back up to what was just sold, mended all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.sync.result import Outcome
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import agrees, expected, no_doubles, set_stock, stock_of
from ledger_pipelines_tests.shop_stage import Record, ShopStage

POT, UNKNOWN = "POT-600", "TEA-NEW-1"
AN_HOUR = 3700
"""Longer than `every_minutes`: both sides' stock is read again by the next run."""
SOLD: Record = {"SKU": POT, "Quantity": "3"}
STRANGER: Record = {"SKU": UNKNOWN, "Quantity": "1", "UnitPrice": "14.30"}


def run(stage: ShopStage) -> RunResult:
    """A run in which all stock is read anew."""
    stage.clock.jump(AN_HOUR)
    return stage.run()


def sold(stage: ShopStage, *lines: Record, status: str = "Dispatched") -> str:
    """A customer orders three pots, and pays; staff move the order on."""
    order = stage.order(SOLD, *lines)
    stage.pay(order, str(stage.owed(order)))
    stage.status(order, status)
    return order


def stock_row(stage: ShopStage, code: str) -> PlanRow:
    """The row of the last plan of stock with that reason."""
    plan = stage.service.latest_plan("stock_from_saasu", stage.service.today())
    assert plan is not None
    (row,) = (one for one in plan.rows if one.reason.code == code)
    return row


def in_books(stage: ShopStage) -> Decimal:
    """What the file has on hand of the pots."""
    (item,) = (one for one in stage.file().records("item") if one["Code"] == POT)
    return Decimal(stage.book("GET", f"/Item/{item['Id']}")["StockOnHand"])


@pytest.fixture
def selling(opened: Opened) -> Callable[..., ShopStage]:
    """Gives a stage on which stock flows and is in step: 500 pots on both sides."""

    def made(**settings: object) -> ShopStage:
        stage = opened(inventory_from_saasu__enabled=True, **settings)
        run(stage)
        assert stock_of(stage, POT) == in_books(stage) == 500
        return stage

    return made


def test_what_is_written_in_the_very_run_that_read_the_stock_is_not_offered_again(
    selling: Callable[..., ShopStage],
) -> None:
    stage = selling()
    order = sold(stage)
    assert stock_of(stage, POT) == 497
    run(stage)  # reads 500 in the file, then writes the invoice
    assert in_books(stage) == 497
    assert stock_of(stage, POT) == 497
    assert f"{POT} (3 with order {order})" in stock_row(stage, "sold-meanwhile").reason.text
    run(stage)
    assert stock_of(stage, POT) == 497, "the file says so itself now"
    stage.clock.jump(120)
    stage.run()  # the stock was read lately
    assert stock_of(stage, POT) == 497
    agrees(stage.file(), expected(stage.store()))


def test_an_order_that_waits_holds_its_goods_until_it_is_cleared_and_stock_is_mended_meanwhile(
    selling: Callable[..., ShopStage],
) -> None:
    stage = selling(orders_to_saasu__layout="block")
    order = sold(stage, STRANGER)
    for _ in range(2):
        run(stage)
        assert (stock_of(stage, POT), in_books(stage)) == (497, 500)
    set_stock(stage, POT, 900)  # staff mistype
    run(stage)
    assert stock_of(stage, POT) == 497
    assert f"3 with order {order}" in stock_row(stage, "stock-differs").reason.text
    stage.service.ignore([order], "test", "booked by hand, and stock counted")
    run(stage)
    assert stock_of(stage, POT) == 500


def test_an_order_that_is_never_exported_holds_nothing_down_for_ever(
    selling: Callable[..., ShopStage],
) -> None:
    stage = selling(orders_to_saasu__layout="block", inventory_from_saasu__sold_days=3)
    sold(stage, STRANGER)
    run(stage)
    assert stock_of(stage, POT) == 497
    stage.clock.jump(timedelta(days=3).total_seconds())
    run(stage)
    assert stock_of(stage, POT) == 500, "what the file says counts as it stands"


def test_goods_of_a_sale_order_are_gone_though_the_file_still_has_them_on_hand(
    selling: Callable[..., ShopStage],
) -> None:
    stage = selling(inventory_from_saasu__quantity="on_hand", orders_to_saasu__invoice_type="Sale Order")
    order = sold(stage, status="Pick")
    run(stage)
    assert (stock_of(stage, POT), in_books(stage)) == (500, 500), "the store holds them back by itself"
    stage.status(order, "Pack")
    for _ in range(2):
        run(stage)
        assert (stock_of(stage, POT), in_books(stage)) == (497, 500)
    stage.status(order, "Dispatched")
    for _ in range(2):
        run(stage)
        assert (stock_of(stage, POT), in_books(stage)) == (497, 497)
    no_doubles(stage.file())


def test_goods_that_came_back_are_offered_again_once_the_books_have_them(
    selling: Callable[..., ShopStage],
) -> None:
    stage = selling(orders_to_saasu__on_edit="credit")
    waits, booked = sold(stage, STRANGER), sold(stage)
    run(stage)
    assert stock_of(stage, POT) == 494
    for order in (waits, booked):
        stage.status(order, "Cancelled")
    assert stock_of(stage, POT) == 500
    for _ in range(3):
        run(stage)
        assert stock_of(stage, POT) <= 500
    assert (stock_of(stage, POT), in_books(stage)) == (500, 500)


def test_a_plan_of_stock_that_was_made_before_the_orders_were_written_is_not_stale_and_offers_nothing_again(
    selling: Callable[..., ShopStage],
) -> None:
    """As Dagster goes: the plan of stock waits for no flow into the file."""
    stage = selling()
    sold(stage)
    set_stock(stage, POT, 900)
    stage.clock.jump(AN_HOUR)
    service, today = stage.service, stage.service.today()
    service.refresh()
    service.plan("stock_from_saasu", today)
    for flow in ("contacts", "invoices"):
        service.plan(flow, today)
        assert service.export(flow, today).stopped is None
    assert in_books(stage) == 497
    result = service.export("stock_from_saasu", today)
    assert result.stopped is None
    assert [row.number for row in result.having(Outcome.WRITTEN)] == [POT]
    assert stock_of(stage, POT) == 497
    service.plan("stock_from_saasu", today)
    stock_row(stage, "sold-meanwhile")


def test_what_is_packed_while_the_orders_are_written_is_not_set_back_up(
    selling: Callable[..., ShopStage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing takes a second a call: stock goes first, or it would be set by what the store was an hour ago."""
    stage = selling()
    order = sold(stage, status="Pick")
    set_stock(stage, POT, 900)
    real = SaasuClient.write

    def packed(client: SaasuClient, *call: Any) -> Answer:
        stage.status(order, "Pack")
        return real(client, *call)

    monkeypatch.setattr(SaasuClient, "write", packed)
    run(stage)
    assert (stock_of(stage, POT), in_books(stage)) == (497, 497)
