"""Many days of a shop in one go, through the vendors' APIs: a hole in the middle, a run that is cut, days read anew.

Belongs here: what must hold at the end, by the sandbox's own books. Does not belong here: how long a year takes
(`benchmarks/shop_year`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger_pipelines.integrations.neto_saasu.budget import calls_a_run
from ledger_pipelines_tests.shop_history import ShopHistory, days_back, plain_shop

DAYS, ORDERS = 30, 60


class Cut(BaseException):
    """The run ends here, as by a kill."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopHistory]:
    """Thirty days of orders, read and paired; nothing is in the books yet."""
    with plain_shop(tmp_path, _first(), settings={"inventory_from_saasu.enabled": False}) as found:
        found.days(ORDERS, _first(), days_back(0), 12)
        found.stage.service.initial_sync()
        yield found


def _first() -> date:
    return days_back(DAYS - 1)


def _days(first: int = 0, last: int = DAYS - 1) -> list[date]:
    return [_first() + timedelta(days=n) for n in range(first, last + 1)]


def _agrees(shop: ShopHistory) -> None:
    file = shop.stage.file()
    assert sorted(one["PurchaseOrderNumber"] for one in file.invoices()) == sorted(shop.orders)
    assert file.balance("PayPal Clearing") == shop.paid
    assert file.balance("Accounts Receivable") == 0


def _documents(shop: ShopHistory) -> int:
    return sum(
        count
        for call, count in shop.stage.calls("saasu").items()
        if call.startswith(("POST /Inv", "POST /Con", "POST /Pay"))
    )


def test_a_hole_is_filled_in_one_run_over_all_days_that_is_cut_and_run_again(shop: ShopHistory) -> None:
    stage = shop.stage
    stage.service.run(None, _days(0, 7))
    stage.service.run(None, _days(22, 29))
    seen = 0

    def cut(what: str, done: int, total: int) -> None:
        nonlocal seen
        del total
        if what == "invoices" and done == DAYS // 2:
            seen += 1
            raise Cut

    with pytest.raises(Cut):
        stage.service.run(None, _days(), cut)
    assert seen == 1 and len(stage.file().invoices()) < ORDERS
    stage.close_service()
    stage.service.run(None, _days())
    _agrees(shop)
    before = _documents(shop)
    assert before == ORDERS + shop.customers
    stage.service.run(None, list(reversed(_days())))
    stage.close_service()
    stage.service.run()
    assert _documents(shop) == before


def test_days_whose_snapshots_are_lost_in_the_middle_are_read_again_and_write_nothing_new(
    shop: ShopHistory,
) -> None:
    stage = shop.stage
    stage.service.run(None, _days())
    _agrees(shop)
    before = _documents(shop)
    stage.close_service()
    for day in _days(10, 14):
        shutil.rmtree(
            shop.stage.folder / "data" / "snapshots" / "shop" / "orders" / f"date={day.isoformat()}"
        )
    late = shop.day(3, shop.newcomers(2))
    stage.service.run()
    _agrees(shop)
    assert _documents(shop) == before + len(late) + 2
    assert stage.service.days_due() == []


def test_runs_cost_one_call_a_list_and_one_a_document_as_the_budget_says(shop: ShopHistory) -> None:
    stage = shop.stage
    stage.run()
    for _ in range(2):  # what was written is read back once, then it is old
        stage.clock.jump(1_800)
        stage.run()
    stage.clock.jump(1_800)
    stage.forget_calls()
    stage.run()
    assert sum(stage.calls("saasu").values()) == calls_a_run(stage.service.facts()).run
    shop.day(5, shop.newcomers(2))
    stage.clock.jump(1_800)
    stage.forget_calls()
    stage.run()
    made = stage.calls("saasu")
    assert (made["POST /Invoice"], made["POST /Contact"]) == (5, 2)
    assert sum(made.values()) == calls_a_run(stage.service.facts()).run + 5 + 2
