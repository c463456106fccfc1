"""Reading what changed, on the account's own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.reader import Reader, instants, local_window
from ledger_pipelines_tests.unit.systems.netsuite.fake import SUITEQL, FakeNetSuite, connection, page

ZONE = ZoneInfo("America/Los_Angeles")
START = datetime(2026, 9, 14, 7, tzinfo=UTC)
END = datetime(2026, 9, 15, 7, tzinfo=UTC)


def invoice(number: int, modified: str, **more: str) -> dict[str, str]:
    return {"id": str(number), "type": "CustInvc", "foreigntotal": "10.5", "trandate": "2026-09-01",
            "voided": "F", "lastmodifieddate": modified} | more  # fmt: skip


def read(
    fake: FakeNetSuite, name: str, start: datetime = START, end: datetime = END, **more: Any
) -> list[Any]:
    client = fake.client(**more)
    entity = entities(client.connection)[name]
    names = [c.name for c in entity.columns]
    return [
        dict(zip(names, cells, strict=True))
        for rows in Reader(client).read_changes(entity, start, end)
        for cells in rows.cells
    ]


def test_the_window_is_asked_in_local_time_and_cells_are_typed() -> None:
    fake = FakeNetSuite().on(SUITEQL, page(invoice(1, "2026-09-14 08:00:00")))
    [row] = read(fake, "invoices")
    assert fake.asked[0].body["params"] == ["2026-09-14 00:00:00", "2026-09-15 00:00:00"]
    assert row["foreigntotal"] == Decimal("10.5")
    assert row["trandate"] == date(2026, 9, 1)
    assert row["voided"] is False
    assert row["memo"] is None
    assert row["lastmodifieddate"] == datetime(2026, 9, 14, 15, tzinfo=UTC)


def test_every_question_has_a_total_order_and_binds_its_values() -> None:
    fake = FakeNetSuite().on(SUITEQL, page())
    for name in entities(connection()):
        read(fake, name)
    for asked in fake.asked:
        assert " ORDER BY " in asked.body["q"]
        assert "2026-" not in asked.body["q"]
        assert asked.headers["prefer"] == "transient"


def test_a_page_is_asked_for_by_the_key_of_the_last_row_before_it() -> None:
    pages = [
        page(*(invoice(i, "2026-09-14 08:00:00") for i in range(1000)), has_more=True),
        page(invoice(1001, "2026-09-14 09:00:00")),
    ]
    fake = FakeNetSuite().on(SUITEQL, lambda _: pages.pop(0))
    assert len(read(fake, "invoices")) == 1001
    assert [a.query for a in fake.asked] == ["limit=1000&offset=0"] * 2
    window = ["2026-09-14 00:00:00", "2026-09-15 00:00:00"]
    last = "2026-09-14 08:00:00"
    assert [a.body["params"] for a in fake.asked] == [window, [last, window[1], last, last, "999"]]
    order = "t.lastmodifieddate > TO_DATE(?,'YYYY-MM-DD HH24:MI:SS') OR (t.lastmodifieddate = "
    assert order in fake.asked[1].body["q"]
    assert fake.asked[1].body["q"].endswith("AND t.id > ?)) ORDER BY t.lastmodifieddate, t.id")


def test_a_row_without_its_key_cannot_be_read_past() -> None:
    row = invoice(1, "2026-09-14 08:00:00")
    del row["id"]
    fake = FakeNetSuite().on(SUITEQL, page(row, has_more=True))
    with pytest.raises(DataError, match="has no id"):
        read(fake, "invoices")


def test_rows_outside_the_window_are_left_out() -> None:
    fake = FakeNetSuite().on(
        SUITEQL,
        page(
            invoice(1, "2026-09-13 23:59:59"),
            invoice(2, "2026-09-14 00:00:00"),
            invoice(3, "2026-09-15 00:00:00"),
        ),
    )
    assert [r["id"] for r in read(fake, "invoices")] == ["2"]


def test_whole_lists_are_read_without_a_window() -> None:
    fake = FakeNetSuite().on(SUITEQL, page({"id": "1", "acctnumber": "1010", "isinactive": "F"}))
    assert read(fake, "accounts")[0]["acctnumber"] == "1010"
    assert "params" not in fake.asked[0].body
    assert entities(connection())["accounts"].whole


def test_no_subsidiary_is_asked_for_without_one_world() -> None:
    found = entities(connection(one_world=False, multi_currency=False))
    assert "subsidiaries" not in found
    assert "currencies" not in found
    for entity in found.values():
        assert all("subsidiary" not in c.sql and "symbol" not in c.sql for c in entity.columns)


def test_a_value_that_does_not_fit_names_its_record() -> None:
    fake = FakeNetSuite().on(SUITEQL, page(invoice(7, "2026-09-14 08:00:00", foreigntotal="ten")))
    with pytest.raises(DataError, match="invoices 7: foreigntotal is 'ten'"):
        read(fake, "invoices")


def test_the_hour_that_runs_twice_loses_no_row() -> None:
    # 2026-11-01: at 2:00 PDT clocks go back to 1:00 PST; 1:30 local is 8:30 UTC or 9:30 UTC
    row = invoice(1, "2026-11-01 01:30:00")
    for hour in (8, 9):
        start = datetime(2026, 11, 1, hour, tzinfo=UTC)
        [found] = read(FakeNetSuite().on(SUITEQL, page(row)), "invoices", start, start + timedelta(hours=1))
        assert found["lastmodifieddate"] == start + timedelta(minutes=30)
    later = datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert read(FakeNetSuite().on(SUITEQL, page(row)), "invoices", later, later + timedelta(hours=1)) == []


@given(
    st.integers(0, 450 * 86400),
    st.integers(1, 3 * 86400),
    st.floats(0, 0.999999),
)
def test_every_instant_of_a_window_is_inside_its_local_window(after: int, seconds: int, part: float) -> None:
    start = datetime(2025, 10, 1, tzinfo=UTC) + timedelta(seconds=after)
    end = start + timedelta(seconds=seconds)
    moment = start + (end - start) * part
    low, high = local_window(start, end, ZONE)
    local = moment.astimezone(ZONE).replace(tzinfo=None)
    assert low <= local <= high
    assert any(abs(i - moment) < timedelta(seconds=1) for i in instants(local, ZONE))


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        read(FakeNetSuite().on(SUITEQL, page()), "invoices", datetime(2026, 9, 14), END)  # noqa: DTZ001 - the point


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1_000.00", "١٢.٣٤", "1,234.50"])
def test_an_amount_that_only_python_takes_for_a_number_is_refused_with_its_record(amount: str) -> None:
    fake = FakeNetSuite().on(SUITEQL, page(invoice(7, "2026-09-14 08:00:00", foreigntotal=amount)))
    with pytest.raises(DataError, match=f"invoices 7: foreigntotal is '{amount}', not a number"):
        read(fake, "invoices")


def test_a_row_without_its_key_is_refused_and_not_kept_under_none() -> None:
    row = {name: value for name, value in invoice(7, "2026-09-14 08:00:00").items() if name != "id"}
    with pytest.raises(DataError, match="came without id"):
        read(FakeNetSuite().on(SUITEQL, page(row)), "invoices")


def test_a_row_without_its_time_of_change_is_refused_and_not_lost() -> None:
    with pytest.raises(DataError, match="invoices 7: the row came without lastmodifieddate"):
        read(FakeNetSuite().on(SUITEQL, page(invoice(7, ""))), "invoices")


def test_a_list_where_a_value_belongs_is_refused() -> None:
    row: dict[str, Any] = {**invoice(7, "2026-09-14 08:00:00"), "foreigntotal": ["10.00"]}
    with pytest.raises(DataError, match="a list where a value belongs"):
        read(FakeNetSuite().on(SUITEQL, page(row)), "invoices")
