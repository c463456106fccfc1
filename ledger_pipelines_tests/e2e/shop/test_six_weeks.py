"""The demo's six weeks, first run to last: the books against sums over the store, replays, days in reverse, a lost journal.

The tests of this module go on from each other, as the weeks of one installation do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.e2e.shop.kit import (
    LIABILITY,
    EagerClock,
    agrees,
    begin,
    change_item,
    expected,
    no_doubles,
    number,
    picture,
    restored,
    settings,
    unsettled,
    waiting,
    writes,
)
from ledger_pipelines_tests.shop_stage import ShopStage, shop_stage, sydney_days

FIRST, LAST = date(2026, 8, 31), date(2026, 10, 13)
NOON = f"{LAST}T12:00:00"
MISSPELT = {"tin-200": "TIN-200", "INFUSER ": "INFUSER"}
"""Codes as the demo's books spell them, and as the store does."""


@pytest.fixture(scope="module")
def vendors() -> Iterator[RunningSandbox]:
    """The demo, at noon after its last day."""
    with running_sandbox(seed="empty") as sandbox:
        with httpx.Client(base_url=sandbox.control_url, trust_env=False, timeout=60) as control:
            begin(control, NOON, "demo")
        yield sandbox


@pytest.fixture(scope="module")
def six(vendors: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopStage]:
    """The installation. Staff have sent on what was paid and lay about; of all goods the books know, they have enough.

    Both vendors' lists are as awkward as they come: rows twice where a page ends, pages that are not full.
    """
    stage = installation(vendors, tmp_path_factory.mktemp("six"))
    for order in stage.store()["order"]:
        if order["OrderStatus"] == "New" and order["PaymentStatus"] != "Pending":
            stage.status(order["key"], "Pick")
    refill(stage)
    settings(stage, duplicate_rows=True)
    stage.control.post("/neto/settings", json={"short_pages": True}).raise_for_status()
    stage.control.post("/snapshot", json={"name": "opened"}).raise_for_status()
    stage.forget_calls()
    yield stage
    stage.close()


def installation(vendors: RunningSandbox, folder: Path) -> ShopStage:
    """A new one on these vendors."""
    stage = shop_stage(vendors, folder, start=FIRST.isoformat())
    stage.clock = EagerClock(stage.control)
    return stage


def refill(stage: ShopStage) -> None:
    """A delivery, so that no order waits for stock but those of goods that the books do not know yet."""
    held = [one for one in stage.file().records("item") if one["IsInventoried"] and one["Type"] == "I"]
    lines = [
        {"ItemId": one["Id"], "Quantity": 1000, "AccountId": 9060, "UnitPrice": str(one["BuyingPrice"]),
         "TotalPrice": str(1000 * number(one["BuyingPrice"]))}
        for one in held
    ]  # fmt: skip
    body = {"Date": "2026-08-31", "Summary": "Delivery", "AdjustmentItems": lines}
    stage.book("POST", "/ItemAdjustment", body)


def misspelt_orders(stage: ShopStage) -> list[str]:
    """Orders with a SKU that the books spell otherwise."""
    wrong = set(MISSPELT.values())
    return [
        order["key"] for order in stage.store()["order"] if {line["SKU"] for line in order["Lines"]} & wrong
    ]


def respell(stage: ShopStage) -> None:
    """The bookkeeper corrects the codes."""
    for one in stage.file().records("item"):
        if one["Code"] in MISSPELT:
            change_item(stage, one["Id"], Code=MISSPELT[one["Code"]])


def release(stage: ShopStage) -> None:
    """The goods of the split-off order have come."""
    (child,) = (one["key"] for one in stage.store()["order"] if one["RelatedOrderID"])
    stage.status(child, "Pick")


def _exports_refuse_before_the_initial_sync_and_that_writes_to_neither_side(six: ShopStage) -> None:
    before, store = six.file().dump["records"], six.store()
    with pytest.raises(RefusedError, match="initial sync of shop and saasu was not done") as refused:
        six.run()
    assert refused.value.code == "initial-sync-missing"
    six.service.initial_sync()
    assert writes(six) == {}
    assert six.file().dump["records"] == before
    assert six.store() == store


def _the_first_run_books_every_order_to_the_cent_and_names_what_waits(six: ShopStage) -> None:
    wrong = misspelt_orders(six)
    result = six.run()
    assert unsettled(result) == []
    agrees(six.file(), expected(six.store(), without=wrong))
    no_doubles(six.file())
    waits = [order for order in wrong if planned_to_wait(six, order)]
    assert waits
    for order in waits:
        reason = waiting(result, order)
        assert reason.code == "sku-spelling"
        assert order in reason.text


def planned_to_wait(stage: ShopStage, order: str) -> bool:
    """Whether the store's status says that it is to be exported."""
    return order in expected(stage.store()).totals


def _corrected_codes_and_a_released_backorder_are_followed_by_themselves(six: ShopStage) -> None:
    respell(six)
    release(six)
    result = six.run()
    assert unsettled(result) == []
    sums = expected(six.store())
    agrees(six.file(), sums)
    no_doubles(six.file())
    assert sums.over > 0
    assert six.file().balance(LIABILITY) == -sums.over
    six.run()  # what it was too early for


def _runs_and_replays_of_a_day_and_of_all_days_write_nothing(six: ShopStage) -> None:
    six.forget_calls()
    for days in ((), (date(2026, 9, 22),), sydney_days(FIRST, LAST)):
        assert unsettled(six.run(days)) == []
        assert writes(six) == {}
    agrees(six.file(), expected(six.store()))


def _a_lost_journal_doubles_nothing_and_everything_is_recognised(six: ShopStage) -> None:
    before = picture(six.file())
    known = six.service.journal.counts()[EffectState.CONFIRMED]
    six.forget_journal()
    six.forget_calls()
    result = six.run(sydney_days(FIRST, LAST))
    assert writes(six) == {}
    assert picture(six.file()) == before
    assert unsettled(result) == []
    assert known
    assert six.unfinished() == 0


def _the_days_in_reverse_write_the_same_books(
    six: ShopStage, vendors: RunningSandbox, tmp_path: Path
) -> None:
    forward = picture(six.file())
    restored(vendors, NOON)
    respell(six)
    release(six)
    stage = installation(vendors, tmp_path)
    service = stage.service
    service.initial_sync()
    service.refresh()
    for day in reversed(sydney_days(FIRST, LAST)):
        for flow in service.flows:
            service.plan(flow, day)
            service.export(flow, day)
    stage.run()
    stage.run()
    agrees(stage.file(), expected(stage.store()))
    backward = picture(stage.file())
    stage.close()
    for what in forward:
        assert backward[what] == forward[what]


def test_six_weeks_of_a_shop_come_into_the_books_and_stay_as_they_are(
    six: ShopStage, vendors: RunningSandbox, tmp_path: Path
) -> None:
    """One story: each step stands on the books that the one before left."""
    _exports_refuse_before_the_initial_sync_and_that_writes_to_neither_side(six)
    _the_first_run_books_every_order_to_the_cent_and_names_what_waits(six)
    _corrected_codes_and_a_released_backorder_are_followed_by_themselves(six)
    _runs_and_replays_of_a_day_and_of_all_days_write_nothing(six)
    _a_lost_journal_doubles_nothing_and_everything_is_recognised(six)
    _the_days_in_reverse_write_the_same_books(six, vendors, tmp_path)
