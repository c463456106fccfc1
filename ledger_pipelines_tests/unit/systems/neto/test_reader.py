"""Reading Neto: the calls it costs, pages that move, every shape the sandbox can be switched to, values that do not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from ledger_pipelines.documents.dates import Window, business_date
from ledger_pipelines.documents.keys import canonical, decode
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, refresh, sweep
from ledger_pipelines.systems.neto.client import KeyCredentials, NetoClient, NetoConnection
from ledger_pipelines.systems.neto.entities import ENTITIES
from ledger_pipelines.systems.neto.reader import STRETCH, NetoReader, stretches
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.neto.store import EARLIEST, FUTURE, ZONE, Store

Reply = dict[str, Any]
MARCH = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
COLLAPSED: dict[str, object] = {
    "single_line_as_object": True, "outer_lists": False, "messages_as_list": True, "empty_dates": "zero",
}  # fmt: skip
SHAPES: tuple[dict[str, object], ...] = (COLLAPSED, {"short_pages": True})


def _reader(
    answer: Callable[[Reply], Reply], clock: FakeClock | None = None, **how: int
) -> tuple[NetoReader, list[Reply]]:
    """A reader of a store that answers so, and the filters it was asked by."""
    asked: list[Reply] = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content).get("Filter", {}))
        whole = {"CurrentTime": "2026-10-13 00:00:00", "Ack": "Success"} | answer(asked[-1])
        return httpx.Response(200, json=whole)

    connection = NetoConnection(
        "shop",
        "https://shop.example",
        KeyCredentials(Secret("k" * 32)),
        ZoneInfo("UTC"),
        calls_per_second=10_000,
    )
    client = NetoClient(connection, clock=clock or FakeClock(), transport=httpx.MockTransport(reply))
    return NetoReader(client, **how), asked


def _order(number: int, changed: str = "2026-03-05 00:00:00", **more: object) -> Reply:
    return {"OrderID": f"N{number}", "GrandTotal": "1.00", "DateUpdated": changed} | more


def _keys(
    reader: NetoReader, name: str = "orders", window: tuple[datetime, datetime] = MARCH
) -> list[object]:
    return [cells[0] for page in reader.read_changes(ENTITIES[name], *window) for cells in page.cells]


# --- what is asked for -----------------------------------------------------------------------------------------------


def test_definitions_load_without_the_client() -> None:
    """Dagster imports the entities each time it loads: neither HTTP nor credentials may come along."""
    program = "import sys, ledger_pipelines.systems.neto.entities; print('httpx' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_no_password_no_card_and_no_mark_is_ever_asked_for(shop: Store) -> None:
    wanted = {one for entity in ENTITIES.values() for one in entity.selectors}
    assert not [one for one in wanted if "Password" in one or "CardHolder" in one or "CardExpiry" in one]
    before = shop.dump()["records"]["order"]
    shop.rows("orders")
    assert shop.dump()["records"]["order"] == before


def test_a_window_is_asked_for_in_utc_and_without_its_end() -> None:
    reader, asked = _reader(lambda body: {"Order": []})
    sydney = ZoneInfo("Australia/Sydney")
    day = (datetime(2026, 10, 4, tzinfo=sydney), datetime(2026, 10, 5, tzinfo=sydney))  # 23 hours long
    assert _keys(reader, "orders", day) == []
    (one,) = asked
    assert (one["DateUpdatedFrom"], one["DateUpdatedTo"]) == ("2026-10-03 14:00:00", "2026-10-04 12:59:59")
    assert (one["Page"], one["Limit"]) == (0, 100)
    assert "UpdateResults" not in one


def test_orders_have_a_page_size_of_their_own() -> None:
    reader, asked = _reader(lambda body: {"Order": []}, orders_a_page=25)
    assert (_keys(reader), _keys(reader, "rmas")) == ([], [])
    assert [one["Limit"] for one in asked] == [25, 100]


def test_lists_that_may_answer_nothing_to_a_page_are_first_asked_for_without_one() -> None:
    reader, asked = _reader(
        lambda body: {"Category": "" if "Page" in body else [{"CategoryID": "1"}, {"CategoryID": "2"}]}
    )
    assert _keys(reader, "categories") == ["1", "2"]
    assert ["Page" in one for one in asked] == [False, True]


# --- calls -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orders", "page", "calls"),
    [(0, 100, 1), (3, 100, 2), (100, 100, 2), (250, 100, 5)],
    ids=[
        "none: one call",
        "one page and the proof that it was the last",
        "a full page",
        "three pages, moved?",
    ],
)
def test_a_window_costs_its_pages_and_the_proof_of_the_end(orders: int, page: int, calls: int) -> None:
    def answer(body: Reply) -> Reply:
        if "DateUpdatedTo" not in body:
            return {"Order": []}
        first = body["Page"] * body["Limit"]
        return {"Order": [_order(n) for n in range(first, min(orders, first + body["Limit"]))]}

    reader, asked = _reader(answer, page=page)
    assert len(_keys(reader)) == orders
    assert len(asked) == calls


def test_a_short_page_is_not_taken_for_the_end(shop: Store) -> None:
    whole = shop.rows("orders", page=50)
    shop.settings(short_pages=True)
    assert shop.rows("orders", page=50) == whole


def test_a_store_that_gives_the_first_page_again_and_again_ends() -> None:
    reader, asked = _reader(lambda body: {"Order": [_order(1), _order(2)]})
    assert _keys(reader) == ["N1", "N2"]
    assert len(asked) < 10


def test_a_year_is_read_month_by_month_and_an_opening_in_one_piece_before_its_last_year() -> None:
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    pieces = list(stretches(start, end))
    assert len(pieces) == 12
    assert (pieces[0][0], pieces[-1][1]) == (start, end)
    assert all(one[1] == other[0] for one, other in pairwise(pieces))
    assert max(stop - first for first, stop in pieces) == STRETCH
    opening = list(stretches(EARLIEST, end))
    assert len(opening) == 13
    assert opening[0] == (EARLIEST, end - 12 * STRETCH)


def test_a_piece_is_given_before_the_next_one_is_asked_for() -> None:
    """A backfill that fails in its third month has stored two."""

    def answer(body: Reply) -> Reply:
        return {"Order": [] if body["Page"] else [_order(1, body["DateUpdatedTo"])]}

    reader, asked = _reader(answer)
    pages = reader.read_changes(ENTITIES["orders"], MARCH[0], MARCH[0] + timedelta(days=90))
    assert next(iter(pages)).cells
    assert {one["DateUpdatedFrom"] for one in asked} == {"2026-03-01 00:00:00"}


# --- pages that move -------------------------------------------------------------------------------------------------


class _Moving:
    """A store whose first order is edited, and so leaves the window, just after the first page was given."""

    def __init__(self, edits: int) -> None:
        self.edits = edits
        self.inside = list(range(6))
        self.edited = False

    def __call__(self, body: Reply) -> Reply:
        if "DateUpdatedTo" not in body:
            edited, self.edited = self.edited, False
            return {"Order": [{"OrderID": "N0"}] if edited else []}
        first = body["Page"] * 2
        given = [_order(n) for n in self.inside[first : first + 2]]
        if body["Page"] == 0 and self.edits:
            self.edits, self.edited = self.edits - 1, True
            self.inside.pop(0)
        return {"Order": given}


def test_a_record_that_leaves_the_window_makes_no_other_one_slip_through() -> None:
    store = _Moving(edits=1)
    reader, _ = _reader(store, page=2)
    # N2 moved to the first page while the second was asked for
    assert _keys(reader) == [f"N{n}" for n in range(6)]


def test_a_window_that_never_stands_still_is_given_up_rather_than_read_with_holes() -> None:
    """New ones at each reading: nothing says that they were all."""
    count = iter(range(0, 1000, 2))

    def answer(body: Reply) -> Reply:
        if "DateUpdatedTo" not in body:
            return {"Order": [{"OrderID": "N0"}]}
        return {"Order": [_order(next(count)), _order(next(count))] if body["Page"] < 2 else []}

    reader, _ = _reader(answer, page=2)
    with pytest.raises(TransientError, match="orders changed faster"):
        _keys(reader)


def test_the_later_state_of_a_record_met_twice_is_kept() -> None:
    pages = [
        [_order(1, "2026-03-05 00:00:00", OrderStatus="Pick"), _order(2)],
        [_order(1, "2026-03-06 00:00:00", OrderStatus="Pack"), _order(3)],
        [],
    ]
    reader, _ = _reader(
        lambda body: {"Order": pages[body["Page"]] if "DateUpdatedTo" in body else []}, page=2
    )
    rows = [cells for page in reader.read_changes(ENTITIES["orders"], *MARCH) for cells in page.cells]
    assert [(cells[0], cells[1]) for cells in rows] == [("N2", None), ("N3", None), ("N1", "Pack")]


def test_what_lies_outside_the_window_is_left_out_whatever_the_store_gives() -> None:
    given = [
        _order(1, "2026-02-28 23:59:59"),
        _order(2, "2026-04-01 00:00:00"),
        _order(3, "2026-03-01 00:00:00"),
    ]
    reader, _ = _reader(lambda body: {"Order": given if body["Page"] == 0 else []})
    assert _keys(reader) == ["N3"]


# --- shapes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("switched", SHAPES, ids=["collapsed", "short pages"])
@pytest.mark.parametrize("name", ["products", "orders", "payments", "rmas", "stock"])
def test_columns_are_the_same_in_every_shape(shop: Store, name: str, switched: dict[str, object]) -> None:
    plain = [cells[:-1] for cells in shop.rows(name)]
    shop.settings(**switched)
    assert [cells[:-1] for cells in shop.rows(name, page=100)] == plain
    assert len(plain) >= 3


def test_the_record_is_kept_as_it_came() -> None:
    order = _order(1, OrderLine={"SKU": "TEA ", "UnitPrice": "3.50000000"}, StickyNotes="", Other=[])
    reader, _ = _reader(lambda body: {"Order": order if body["Page"] == 0 else ""})
    (row,) = next(iter(reader.read_changes(ENTITIES["orders"], *MARCH))).cells
    assert row[-1] == canonical(order)


def test_skus_that_differ_by_a_blank_are_two_products() -> None:
    items = [
        {"InventoryID": str(n), "SKU": sku, "DateUpdatedUTC": "2026-03-05 00:00:00"}
        for n, sku in enumerate(("TEA", "TEA ", "tea"), 1)
    ]
    reader, _ = _reader(lambda body: {"Item": items if body["Page"] == 0 else []})
    rows = [cells for page in reader.read_changes(ENTITIES["products"], *MARCH) for cells in page.cells]
    assert [cells[1] for cells in rows] == ["TEA", "TEA ", "tea"]


# --- values that do not fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (_order(7, OrderStatus=["Pick"]), r"order N7: OrderStatus is .* not a text"),
        ({"GrandTotal": "1.00"}, r"GetOrder gave a record \(order\) without OrderID"),
        ("N7", r"order is no object"),
    ],
)
def test_a_record_without_its_key_or_of_another_shape_stops_the_reading(record: object, words: str) -> None:
    reader, _ = _reader(lambda body: {"Order": [record]})
    with pytest.raises(DataError, match=words):
        _keys(reader)


@pytest.mark.parametrize("told", ["7,00", "NaN", "9" * 27, "0." + "3" * 13])
def test_a_value_that_does_not_fit_is_kept_in_its_record_and_stops_no_other(told: str) -> None:
    orders = [_order(7, GrandTotal=told), _order(8, GrandTotal="0." + "3" * 12 + "000")]
    reader, _ = _reader(lambda body: {"Order": orders if not body["Page"] else []})
    place = [column.name for column in ENTITIES["orders"].columns].index("grand_total")
    (bad, good) = [cells for page in reader.read_changes(ENTITIES["orders"], *MARCH) for cells in page.cells]
    assert (bad[place], good[place]) == (None, Decimal("0." + "3" * 12 + "000"))
    assert f'"GrandTotal":"{told}"' in str(bad[-1])


@pytest.mark.parametrize("told", ["yesterday", "", "0000-00-00 00:00:00", "2026-13-45 00:00:00", {"a": "b"}])
def test_an_order_whose_time_of_change_cannot_be_read_is_of_the_end_of_its_window_and_stops_no_other(
    told: Any,
) -> None:
    orders = [_order(7, told), _order(8)]
    reader, _ = _reader(lambda body: {"Order": orders if not body["Page"] else []}, FakeClock(MARCH[1]))
    place = [column.name for column in ENTITIES["orders"].columns].index("changed")
    rows = [cells for page in reader.read_changes(ENTITIES["orders"], *MARCH) for cells in page.cells]
    last = MARCH[1] - timedelta(microseconds=1)
    assert [(cells[0], cells[place]) for cells in rows] == [
        ("N8", datetime(2026, 3, 5, tzinfo=UTC)), ("N7", last)
    ]  # fmt: skip
    assert decode(str(rows[1][-1])) == orders[0]


def test_of_an_order_met_twice_the_state_whose_time_cannot_be_read_is_the_later_one() -> None:
    """An older state must never be taken for the newest: the next reading has what came after."""
    for page in ([_order(1), _order(1, "soon")], [_order(1, "soon"), _order(1)]):
        reader, _ = _reader(
            lambda body, page=page: {"Order": page if not body["Page"] else []}, FakeClock(MARCH[1])
        )
        [row] = [cells for page in reader.read_changes(ENTITIES["orders"], *MARCH) for cells in page.cells]
        assert '"DateUpdated":"soon"' in str(row[-1])


def test_a_refresh_keeps_such_an_order_on_its_day_and_asks_on_from_where_it_had_read(tmp_path: Path) -> None:
    """The bookmark is the time of the reading: no record moves it. Mended, the order is where it belongs, once."""
    zone, day = ZoneInfo("UTC"), date(2026, 3, 5)
    held = [_order(7, "soon")]
    clock = FakeClock()
    reader, asked = _reader(lambda body: {"Order": held if not body.get("Page") else []}, clock)
    store, entity = SnapshotStore(tmp_path, "shop"), ENTITIES["orders"]

    def read(hour: int) -> list[tuple[object, ...]]:
        clock.instant = datetime(2026, 3, 5, hour, tzinfo=UTC)
        window = Window(day, day, zone)
        list(refresh(reader, store, entity, Sweep(window, day, day, f"run-{hour}", now=clock.instant)))
        found = store.read("orders", [day]).to_pydict()
        return list(zip(found["order_id"], found["changed"], strict=True))

    nine = datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert read(9) == [("N7", nine - timedelta(microseconds=1))]
    held[:] = [_order(7, "2026-03-05 09:30:00"), _order(8, "2026-03-05 09:10:00")]
    asked.clear()
    assert read(12) == [("N7", nine.replace(minute=30)), ("N8", nine.replace(minute=10))]
    assert {one["DateUpdatedFrom"] for one in asked} == {"2026-03-05 08:50:00"}


def test_a_product_never_changed_is_of_the_day_it_was_added() -> None:
    item = {
        "InventoryID": "1",
        "SKU": "TEA",
        "DateUpdatedUTC": "0000-00-00 00:00:00",
        "DateAddedUTC": "2026-03-02 00:00:00",
    }
    reader, _ = _reader(lambda body: {"Item": [item] if body["Page"] == 0 else []})
    assert _keys(reader, "products") == ["1"]


def test_the_demo_is_read_whole(shop: Store) -> None:
    held = shop.dump()["records"]
    kinds = {
        "products": "item",
        "customers": "customer",
        "orders": "order",
        "payments": "payment",
        "rmas": "rma",
    }
    for name, kind in kinds.items():
        assert len(shop.rows(name, EARLIEST, FUTURE)) == len(held[kind]), name


def test_a_sweep_stores_every_order_on_the_stores_own_day_of_its_last_change(
    shop: Store, tmp_path: Path
) -> None:
    """Over a change of clocks, in pages that are small."""
    entity, store = ENTITIES["orders"], SnapshotStore(tmp_path, "shop")
    window = Window(date(2026, 10, 3), date(2026, 10, 5), ZONE)
    asked = Sweep(window, date(2026, 9, 1), date(2026, 10, 13), "run")
    days = [done.manifest.day for done in sweep(NetoReader(shop.client, page=5), store, entity, asked)]
    assert days == list(window.days())
    zoned = [business_date(cells[8], ZONE) for cells in shop.rows("orders") if isinstance(cells[8], datetime)]
    expected = {day: count for day, count in Counter(zoned).items() if day in days}
    assert len(expected) == 3
    assert {day: store.read("orders", [day]).num_rows for day in days} == expected


def test_a_success_without_its_list_is_no_empty_day() -> None:
    reader, _ = _reader(lambda asked: {})
    with pytest.raises(TransientError, match=r"Neto connection 'shop', GetOrder: the answer has no Order"):
        _keys(reader)


@pytest.mark.parametrize("name", ["rmas", "payment_methods", "shipping_methods"])
def test_a_list_of_which_nobody_knows_how_none_looks_may_be_missing(name: str) -> None:
    reader, _ = _reader(lambda asked: {})
    assert _keys(reader, name) == []
