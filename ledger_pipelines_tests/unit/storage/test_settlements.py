"""Accepted settlements: kept, recognised, compared, chained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.dates import Month
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import Component, Kind, TransactionClass
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.amazon_netsuite.stored import StoredSettlements
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.storage.settlements import (
    SettlementManifest,
    SettlementStore,
    Sighting,
    compare,
    cross_check,
    rows_hash,
)

START = datetime(2026, 5, 1, 14, tzinfo=UTC)
TEXT = [
    "transaction_type",
    "order_id",
    "merchant_order_id",
    "adjustment_id",
    "shipment_id",
    "marketplace_name",
    "amount_type",
    "amount_description",
    "fulfillment_id",
    "order_item_code",
    "merchant_order_item_id",
    "merchant_adjustment_item_id",
    "sku",
    "promotion_id",
    "extra",
]


class Known:
    def __init__(self, cls: TransactionClass, kind: Kind) -> None:
        self.cls = cls
        self.kind = kind


def classify(transaction_type: str, amount_type: str, description: str) -> Known:
    component = Component.PRODUCT if description == "Principal" else Component.FEES
    cls = {"Order": TransactionClass.ORDER, "Refund": TransactionClass.REFUND}.get(
        transaction_type, TransactionClass.FEE
    )
    return Known(cls, Kind(transaction_type, amount_type, description, component, description.lower()))


def row(amount: str, **cells: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(TEXT, ""),
        "transaction_type": "Order", "amount_type": "ItemPrice", "amount_description": "Principal",
        "order_id": "1-1", "shipment_id": "S1", "sku": "MUG", "order_item_code": "01",
        "amount": Decimal(amount), "posted_at": datetime(2026, 5, 3, 9, tzinfo=UTC).replace(tzinfo=None), "quantity": 1, "part": 0,
        **cells,
    }  # fmt: skip


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    schema = pa.schema(
        [
            ("ordinal", pa.int64()), ("part", pa.int8()), ("line", pa.int64()), ("amount", pa.decimal128(18, 6)),
            ("posted_at", pa.timestamp("us")), ("quantity", pa.int64()), *((name, pa.string()) for name in TEXT),
        ]
    )  # fmt: skip
    numbered = [{"ordinal": n, "line": n + 2, **r} for n, r in enumerate(rows, 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(numbered, schema=schema), path)
    return path


def manifest(
    settlement_id: str = "26111111111", start: datetime = START, days: int = 14, **more: Any
) -> SettlementManifest:
    fields: dict[str, Any] = {
        "connection": "amz", "settlement_id": settlement_id, "variant": "v2-flat", "encoding": "utf-8",
        "currency": "USD", "start": start, "end": start + timedelta(days=days),
        "deposit": start + timedelta(days=days + 2), "total": Decimal("10.10"), "rows": 1, "amounts": 1,
        "sum": Decimal("10.10"), "sha256": settlement_id * 3, "size": 1, "rows_hash": "x", "number_style": ".",
        "date_style": "year-month-day", "columns": (), "unknown_columns": (), "short_rows": 0, "unknown_kinds": (),
        "warnings": (), "names": ("a.txt",), "recorded_at": START,
    }  # fmt: skip
    return SettlementManifest(**{**fields, **more})


def accept(
    store: SettlementStore, found: SettlementManifest, rows: list[dict[str, Any]] | None = None
) -> SettlementManifest:
    with store.staging(found.connection) as work, store.locked(found.connection):
        return store.accept(found, write(work / "rows.parquet", rows or [row("10.10")]))


def test_an_accepted_settlement_is_found_again_with_exact_amounts(tmp_path: Path) -> None:
    store = SettlementStore(tmp_path)
    accepted = accept(store, manifest())
    assert store.find("amz", "26111111111") == accepted
    assert store.get("amz", "26111111111").settlement().total.amount == Decimal("10.10")
    assert store.find("amz", "999") is None
    with pytest.raises(DataError):
        store.get("amz", "999")
    assert not list(tmp_path.rglob(".staging-*"))


def test_a_settlement_is_never_overwritten(tmp_path: Path) -> None:
    store = SettlementStore(tmp_path)
    accept(store, manifest())
    with pytest.raises(DataError):
        accept(store, manifest(), [row("99.00")])
    assert pq.read_table(store.rows_path("amz", "26111111111"))["amount"][0].as_py() == Decimal("10.10")


@pytest.mark.parametrize("point", ["settlement.after_rows", "settlement.after_manifest"])
def test_accepting_again_after_a_crash_gives_one_whole_settlement(tmp_path: Path, point: str) -> None:
    class Stop(BaseException):
        pass

    def stop(name: str) -> None:
        if name == point:
            raise Stop

    store = SettlementStore(tmp_path)
    faultpoints.install(stop)
    try:
        with pytest.raises(Stop):
            accept(store, manifest())
    finally:
        faultpoints.install(None)
    if point == "settlement.after_rows":
        assert store.find("amz", "26111111111") is None
        accept(store, manifest())
    assert [m.settlement_id for m in store.all("amz")] == ["26111111111"]


def test_other_names_and_other_files_of_a_settlement_are_remembered_once(tmp_path: Path) -> None:
    store = SettlementStore(tmp_path)
    accepted = accept(store, manifest())
    for _ in range(2):
        accepted = store.note(
            accepted, name="b.txt", sighting=Sighting(sha256="f" * 64, level="same-rows", variant="v2-flat")
        )
    found = store.by_content("amz", "f" * 64)
    assert found is not None
    assert found.names == ("a.txt", "b.txt")
    assert len(found.sightings) == 1


def test_rows_are_compared_as_a_multiset(tmp_path: Path) -> None:
    rows = [row("1.00"), row("1.00"), row("2.00", sku="CUP")]
    first = write(tmp_path / "a.parquet", rows)
    same = write(tmp_path / "b.parquet", rows[::-1])
    fewer = write(tmp_path / "c.parquet", rows[1:])
    assert not compare(first, same)
    assert rows_hash(first) == rows_hash(same)
    assert rows_hash(first) != rows_hash(fewer)
    difference = compare(first, fewer)
    assert difference.count == 1
    assert (difference.rows[0].side, difference.rows[0].amount, difference.rows[0].times) == (
        "stored",
        Decimal(1),
        1,
    )
    kind = difference.kinds[0]
    assert (kind.stored_rows, kind.stored_amount, kind.other_rows, kind.other_amount) == (
        3,
        Decimal(4),
        2,
        Decimal(3),
    )


def test_a_difference_lists_at_most_twenty_rows_and_counts_all(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", [row(f"{n}.00") for n in range(1, 31)])
    second = write(tmp_path / "b.parquet", [row("0.50")])
    difference = compare(first, second)
    assert (len(difference.rows), difference.count) == (20, 31)


def test_two_variants_are_compared_by_sums_per_order_sku_and_description(tmp_path: Path) -> None:
    first = write(tmp_path / "a.parquet", [row("1.00"), row("2.00")])
    merged = write(tmp_path / "b.parquet", [row("3.00", shipment_id="other")])
    less = write(tmp_path / "c.parquet", [row("2.99")])
    assert not cross_check(first, merged)
    assert cross_check(first, less).count == 1


def test_the_chain_finds_what_came_before_and_what_is_missing(tmp_path: Path) -> None:
    store = SettlementStore(tmp_path)
    accept(store, manifest("1"))
    second = accept(store, manifest("2", START + timedelta(days=14)))
    accept(store, manifest("4", START + timedelta(days=42)))
    accept(store, manifest("9", START + timedelta(days=14), currency="CAD"))
    assert second.previous == "1"
    links = {link.settlement_id: (link.previous, link.gap_after) for link in store.chain("amz", "USD")}
    assert links == {"1": (None, None), "2": ("1", None), "4": (None, "2")}


@pytest.mark.parametrize("name", ["../x", "", "a/b"])
def test_a_settlement_id_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError):
        SettlementStore(tmp_path).folder("amz", name)


# -------------------------------------------------------------------------------------------- groups


def groups(tmp_path: Path, rows: list[dict[str, Any]], zone: str = "UTC"):  # type: ignore[no-untyped-def]
    return list(SettlementRows(write(tmp_path / "r.parquet", rows), classify).groups(ZoneInfo(zone)))


def test_shipments_and_refunds_of_an_order_are_groups_of_their_own(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        [
            row("10.00"), row("-1.00", amount_type="ItemFees", amount_description="Commission"),
            row("20.00", shipment_id="S2"),
            row("-5.00", transaction_type="Refund", shipment_id="", adjustment_id="A1", quantity=None),
            row("-5.00", transaction_type="Refund", shipment_id="", adjustment_id="A2", quantity=None),
        ],
    )  # fmt: skip
    assert [(g.key, g.amounts.net) for g in found] == [
        ("Order|1-1|S1", Decimal(9)), ("Order|1-1|S2", Decimal(20)),
        ("Refund|1-1|A1", Decimal(-5)), ("Refund|1-1|A2", Decimal(-5)),
    ]  # fmt: skip
    assert found[0].amounts.product == Decimal(10)
    assert found[0].amounts.fees == Decimal(-1)
    assert found[0].ordinals == (1, 2)


def test_a_fee_without_shipment_belongs_to_the_only_shipment_of_its_order(tmp_path: Path) -> None:
    fee = row(
        "-1.00",
        shipment_id="",
        sku="",
        order_item_code="",
        amount_type="ShipmentFees",
        amount_description="x",
    )
    assert len(groups(tmp_path, [row("10.00"), fee])) == 1
    assert len(groups(tmp_path, [row("10.00"), row("2.00", shipment_id="S2"), fee])) == 3


def test_rows_without_order_are_grouped_by_type_and_category(tmp_path: Path) -> None:
    blank = {"order_id": "", "shipment_id": "", "sku": "", "order_item_code": "", "transaction_type": "other"}
    found = groups(
        tmp_path,
        [row("-1.00", amount_description="Storage", **blank), row("-2.00", amount_description="Storage", **blank),
         row("-3.00", amount_description="Subscription", **blank)],
    )  # fmt: skip
    assert [(g.key, g.amounts.net) for g in found] == [
        ("other||storage", Decimal(-3)), ("other||subscription", Decimal(-3)),
    ]  # fmt: skip


def test_the_quantity_of_an_item_is_not_counted_once_per_component(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        [
            row("10.00", quantity=2),
            row("-1.00", quantity=2, amount_description="Commission"),
            row("5.00", quantity=1),
        ],
    )
    assert [(line.sku, line.quantity) for line in found[0].lines] == [("MUG", 3)]


def test_months_are_those_of_the_books_zone(tmp_path: Path) -> None:
    rows = [row("1.00", posted_at=datetime(2026, 6, 1, 5, tzinfo=UTC).replace(tzinfo=None))]
    assert groups(tmp_path, rows)[0].kinds[0].month == Month(2026, 6)
    assert groups(tmp_path, rows, "America/Los_Angeles")[0].kinds[0].month == Month(2026, 5)
    path = tmp_path / "r.parquet"
    assert SettlementRows(path, classify).by_month(ZoneInfo("America/Los_Angeles"))[0].month == Month(2026, 5)


def test_only_the_groups_of_given_orders_are_given(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", [row("1.00"), row("2.00", order_id="1-2")])
    found = list(SettlementRows(path, classify).groups(order_ids=["1-2"]))
    assert [g.order_id for g in found] == ["1-2"]


def test_the_footing_is_of_the_rows_on_the_disk_not_of_what_was_counted_when_they_came(
    tmp_path: Path,
) -> None:
    store = SettlementStore(tmp_path)
    accepted = accept(store, manifest(total=Decimal("3.00")))
    rows = store.rows_path("amz", accepted.settlement_id)
    write(rows, [row("1.00"), row("2.00", posted_at=datetime(2026, 6, 1, 5))])  # noqa: DTZ001 - as stored
    stored = StoredSettlements(tmp_path, "amz")
    footing = stored.footing(accepted.settlement_id, ZoneInfo("UTC"))
    assert (footing.foots, footing.rows, footing.sum) == (True, 2, Money(Decimal(3), "USD"))
    assert [(str(kind.month), kind.amount) for kind in footing.by_month] == [
        ("2026-05", Decimal(1)), ("2026-06", Decimal(2)),
    ]  # fmt: skip
    write(rows, [row("1.00")])
    assert not stored.footing(accepted.settlement_id, ZoneInfo("UTC")).foots
