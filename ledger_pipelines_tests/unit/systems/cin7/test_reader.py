"""Reading along a list: order and conditions that are sent, lists that move, seconds with more rows than a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.systems.cin7.entities import ENTITIES
from ledger_pipelines.systems.cin7.reader import Cin7Reader
from ledger_pipelines_tests.unit.systems.cin7.fake import Moving, fake_client

DAY = datetime(2026, 3, 1, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


def at(second: int) -> str:
    return f"{DAY + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}Z"


def payment(key: int, second: int) -> dict[str, Any]:
    return {"id": key, "modifiedDate": at(second), "amount": 1}


def read(
    folder: Path,
    handler: Any,
    entity: str,
    page: int,
    window: tuple[datetime, datetime] = (DAY, NEXT),
    **more: Any,
) -> list[tuple[Any, ...]]:
    with fake_client(handler, folder, **more) as client:
        parts = Cin7Reader(client, page=page).read_changes(ENTITIES[entity], *window)
        return [row for part in parts for row in part.cells]


def ids(rows: Sequence[tuple[Any, ...]]) -> list[int]:
    return [int(row[0]) for row in rows]


def test_a_window_is_asked_for_in_time_order_as_far_as_a_second_beyond(tmp_path: Path) -> None:
    listed = Moving([payment(1, 0), payment(2, 86_400)])
    assert ids(read(tmp_path, listed, "payments", 0)) == [1]
    [asked] = [dict(one.url.params) for one in listed.asked]
    assert asked == {
        "page": "1", "rows": "250", "order": "modifiedDate ASC",
        "where": "modifiedDate>='2026-03-01T00:00:00Z' AND modifiedDate<'2026-03-02T00:00:01Z'",
    }  # fmt: skip


def test_a_row_that_moves_to_the_end_takes_no_other_with_it(tmp_path: Path) -> None:
    listed = Moving([payment(key, key) for key in range(1, 8)])

    def touch() -> None:
        listed.rows[0]["modifiedDate"] = at(100)

    listed.between[1] = touch
    rows = read(tmp_path, listed, "payments", 3)
    assert ids(rows) == [1, 2, 3, 4, 5, 6, 7, 1]
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)


def test_each_call_brings_a_page_less_what_was_seen(tmp_path: Path) -> None:
    listed = Moving([payment(key, key) for key in range(1, 1000)])
    assert ids(read(tmp_path, listed, "payments", 0)) == list(range(1, 1000))
    assert len(listed.asked) == 5


def test_a_second_with_more_rows_than_a_page_is_read_by_id(tmp_path: Path) -> None:
    listed = Moving(
        [payment(1, 4), *(payment(key, 5) for key in range(20, 1, -1)), payment(21, 5), payment(22, 6)]
    )
    rows = read(tmp_path, listed, "payments", 4)
    assert sorted(ids(rows)) == list(range(1, 23))
    assert len(rows) == 22
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert any(one.url.params["order"] == "id ASC" for one in listed.asked)


def test_a_second_that_fills_the_first_page_is_known_for_one_at_once(tmp_path: Path) -> None:
    listed = Moving([*(payment(key, 5) for key in range(1, 11)), payment(11, 6)])
    assert sorted(ids(read(tmp_path, listed, "payments", 4))) == list(range(1, 12))
    by_id = 4  # each call from the last row seen on
    assert len(listed.asked) == 1 + by_id + 1


def test_the_sizes_of_an_option_are_rows_of_their_own(tmp_path: Path) -> None:
    rows = [{"id": 5, "size": size, "modifiedDate": at(5), "productOptionCode": "A"} for size in "SMLX"]
    listed = Moving([*rows, {"id": 6, "size": None, "modifiedDate": at(5)}])
    found = read(tmp_path, listed, "product_options", 2)
    assert sorted(row[0] for row in found) == ["5/L", "5/M", "5/S", "5/X", "6"]


def test_stock_is_read_branch_by_branch(tmp_path: Path) -> None:
    stock = [
        {"productId": 1, "productOptionId": option, "branchId": branch, "size": size, "modifiedDate": at(1), "stockOnHand": 4}
        for option, branch, size in ((5, 3, "S"), (5, 3, "M"), (6, 3, ""), (5, 4, "S"), (0, 4, ""))
    ]  # fmt: skip
    lists = {"/api/v1/Stock": Moving(stock), "/api/v1/Branches": Moving([{"id": 3}, {"id": 4}])}

    def handler(request: httpx.Request) -> httpx.Response:
        return lists[request.url.path](request)

    rows = read(tmp_path, handler, "stock", 2)
    assert [(row[0], row[1]) for row in rows] == [
        ("5/S", "3"),
        ("5/M", "3"),
        ("6", "3"),
        ("0", "4"),
        ("5/S", "4"),
    ]
    only = read(tmp_path, handler, "stock", 0, stock_branches=(4,))
    assert [(row[0], row[1]) for row in only] == [("0", "4"), ("5/S", "4")]
    assert len(lists["/api/v1/Branches"].asked) == 2


def test_a_whole_list_that_moves_loses_no_row(tmp_path: Path) -> None:
    listed = Moving([{"id": key, "company": str(key)} for key in range(1, 8)])
    listed.between[1] = lambda: listed.rows.pop(0) and None
    assert ids(read(tmp_path, listed, "branches", 3)) == [1, 2, 3, 4, 5, 6, 7]


def test_windows_need_zones_and_keep_fractions_of_a_second(tmp_path: Path) -> None:
    rows = [{**payment(key, 0), "modifiedDate": f"2026-03-01T00:00:00.{key}Z"} for key in range(1, 6)]
    listed = Moving(rows)
    window = (DAY + timedelta(milliseconds=200), DAY + timedelta(milliseconds=500))
    assert ids(read(tmp_path, lambda _: httpx.Response(200, json=rows), "payments", 0, window)) == [2, 3, 4]
    with pytest.raises(ValueError, match="zone"):
        read(tmp_path, listed, "payments", 0, (DAY.replace(tzinfo=None), NEXT))


@pytest.mark.parametrize("told", [None, "", "soon"])
def test_a_record_without_a_time_of_change_is_named(tmp_path: Path, told: str | None) -> None:
    rows = [{"id": 5, "transactionRef": "P1", "modifiedDate": told}]
    with pytest.raises(DataError, match=r"Cin7 payment P1 \(id 5\)"):
        read(tmp_path, lambda _: httpx.Response(200, json=rows), "payments", 0)


@pytest.mark.parametrize("entity", ["payments", "branches"])
def test_a_list_that_heeds_no_page_and_no_condition_is_refused_and_not_read_for_ever(
    tmp_path: Path, entity: str
) -> None:
    rows = [{**payment(key, 0), "company": str(key)} for key in range(1, 4)]
    with pytest.raises(TransientError, match="a page came twice"):
        read(tmp_path, lambda _: httpx.Response(200, json=rows), entity, 3)
