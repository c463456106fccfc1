"""Groups made by the query engine, a batch at a time, against the same groups made plainly from the list of rows."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_pipelines.documents.dates import Month, business_date
from ledger_pipelines.documents.money import tidy
from ledger_pipelines.documents.settlement import (
    Amounts,
    ItemLine,
    KindAmount,
    SettlementGroup,
    TransactionClass,
)
from ledger_pipelines.storage import settlement_groups
from ledger_pipelines.storage.settlement_groups import group_key
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.systems.amazon.vocabulary import classify
from ledger_pipelines_tests.unit.storage.test_settlements import row, write

ZONE = ZoneInfo("America/Los_Angeles")
TRIPLES = (
    ("Order", "ItemPrice", "Principal"), ("Order", "ItemPrice", "Tax"), ("Order", "ItemFees", "Commission"),
    ("Order", "ShipmentFees", "FBA transportation fee"), ("Refund", "ItemPrice", "Principal"),
    ("other-transaction", "other-transaction", "Storage Fee"), ("other-transaction", "other-transaction", "Who knows"),
    ("other-transaction", "other-transaction", "Current Reserve Amount"),
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of a few orders, mixed at will; several amounts may share a line, as in V1."""
    rows = []
    ordinal = 1
    for _ in range(draw(st.integers(1, 25))):
        transaction, amount_type, description = draw(st.sampled_from(TRIPLES))
        order = draw(st.sampled_from(["", "1-1", "1-2"]))
        line = row(
            str(draw(st.decimals(-99, 99, places=draw(st.sampled_from([0, 2, 6]))))),
            transaction_type=transaction,
            order_id=order,
            merchant_order_id=draw(st.sampled_from(["", "m1", "M2"])),
            adjustment_id=draw(st.sampled_from(["", "A1"])),
            shipment_id=draw(st.sampled_from(["", "", "S1", "S2"])),
            marketplace_name=draw(st.sampled_from(["", "Amazon.com", "amazon.ca"])),
            fulfillment_id=draw(st.sampled_from(["", "afn ", "MFN"])),
            amount_type=amount_type,
            amount_description=description,
            sku=draw(st.sampled_from(["", "MUG", "CUP"])),
            order_item_code=draw(st.sampled_from(["", "01"])),
            merchant_adjustment_item_id=draw(st.sampled_from(["", "x"])),
            quantity=draw(st.sampled_from([None, -1, 0, 1, 3])),
            posted_at=datetime(2026, 5, 31, 12) + timedelta(hours=draw(st.integers(0, 30))),  # noqa: DTZ001 - as stored
        )
        shares = draw(st.booleans()) and bool(rows)
        ordinal += 0 if shares else 1
        if shares:
            stated = ("amount", "amount_type", "amount_description")
            line = {**rows[-1], **{name: line[name] for name in stated}}
        rows.append({**line, "ordinal": ordinal, "part": rows[-1]["part"] + 1 if shares else 0})
    return rows


def of(line: dict[str, Any]):  # type: ignore[no-untyped-def]
    return classify(line["transaction_type"], line["amount_type"], line["amount_description"])


def plainly(rows: list[dict[str, Any]]) -> list[SettlementGroup]:
    """What `SettlementRows.groups` promises, spelled out."""
    shipments: dict[tuple[str, ...], set[str]] = {}
    for line in rows:
        if line["order_id"] and line["shipment_id"]:
            key = (of(line).cls, line["transaction_type"], line["order_id"])
            shipments.setdefault(key, set()).add(line["shipment_id"])
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for line in rows:
        known, order = of(line), line["order_id"]
        ship = line["shipment_id"]
        only = shipments.get((known.cls, line["transaction_type"], order), set())
        if not ship and not line["adjustment_id"] and len(only) == 1:
            ship = next(iter(only))
        same = (order, line["adjustment_id"], ship, "") if order else ("", "", "", known.kind.category)
        found.setdefault((known.cls, line["transaction_type"], *same), []).append(line)
    numbered = sorted(found.items(), key=lambda one: (one[1][0]["ordinal"], one[0][0], one[0][5]))
    return [one_group(name, members) for name, members in numbered]


def one_group(name: tuple[str, ...], members: list[dict[str, Any]]) -> SettlementGroup:
    cls, transaction, order, adjustment, ship, category = name
    parts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in members:
        month = Month.of(business_date(line["posted_at"].replace(tzinfo=UTC), ZONE))
        item = (line["sku"], line["order_item_code"], line["merchant_adjustment_item_id"])
        parts.setdefault((item, of(line).kind, month), []).append(line)
    amounts: dict[str, Decimal] = {}
    kinds: dict[tuple[Any, ...], tuple[Decimal, int]] = {}
    items: dict[tuple[str, str, str], list[tuple[KindAmount, list[dict[str, Any]]]]] = {}
    for (item, kind, month), of_part in parts.items():
        amount = tidy(sum((line["amount"] for line in of_part), Decimal(0)))
        amounts[kind.component.value] = amounts.get(kind.component.value, Decimal(0)) + amount
        before, count = kinds.get((month, kind), (Decimal(0), 0))
        kinds[month, kind] = (before + amount, count + len(of_part))
        if any(item):
            items.setdefault(item, []).append((KindAmount(month, kind, amount, len(of_part)), of_part))
    posted = [line["posted_at"].replace(tzinfo=UTC) for line in members]
    return SettlementGroup(
        key=group_key(TransactionClass(cls), transaction, order, adjustment, ship, category),
        cls=TransactionClass(cls), type=transaction, order_id=order,
        merchant_order_id=max(line["merchant_order_id"] for line in members),
        adjustment_id=adjustment, shipment_id=ship,
        marketplace=max(line["marketplace_name"] for line in members),
        channel=max(line["fulfillment_id"].strip().upper() for line in members),
        posted_first=min(posted), posted_last=max(posted), amounts=Amounts(**amounts), rows=len(members),
        ordinals=(members[0]["ordinal"], members[-1]["ordinal"]),
        kinds=tuple(KindAmount(month, kind, *sums) for (month, kind), sums in kinds.items()),
        lines=tuple(ItemLine(*item, quantity(stated), tuple(kind for kind, _ in stated)) for item, stated in items.items()),
    )  # fmt: skip


def quantity(stated: list[tuple[KindAmount, list[dict[str, Any]]]]) -> int | None:
    """Of the product's rows together; without any, the greatest that a row states."""
    known = [
        (kind, line["quantity"]) for kind, rows in stated for line in rows if line["quantity"] is not None
    ]
    products = [number for kind, number in known if kind.kind.component.value == "product"]
    if products:
        return sum(products)
    return max([0, *(number for _, number in known)]) if known else None


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(rows=lines(), batch=st.sampled_from([1, 2, 7, 20_000]))
def test_groups_are_the_same_as_made_plainly_row_by_row_whatever_the_batches(
    rows: list[dict[str, Any]], batch: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, patch.object(settlement_groups, "_BATCH", batch):
        path = write(Path(folder) / "r.parquet", rows)
        found = list(SettlementRows(path, classify).groups(ZONE))
    assert [repr(group) for group in found] == [repr(group) for group in plainly(rows)]


def test_a_group_whose_rows_lie_at_both_ends_of_the_file_is_one_group(tmp_path: Path) -> None:
    fee = {"transaction_type": "other-transaction", "amount_type": "other-transaction", "order_id": "",
           "shipment_id": "", "sku": "", "order_item_code": "", "amount_description": "Storage Fee"}  # fmt: skip
    orders = [row("1.00", order_id=f"1-{n}") for n in range(50)]
    path = write(tmp_path / "r.parquet", [row("-1.00", **fee), *orders, row("-2.00", **fee)])
    found = list(SettlementRows(path, classify).groups())
    assert [(group.type, group.rows, group.ordinals) for group in found[:2]] == [
        ("other-transaction", 2, (1, 52)), ("Order", 1, (2, 2)),
    ]  # fmt: skip
    assert len(found) == 51


def test_a_date_of_another_century_does_not_make_every_month_in_between_be_looked_at(tmp_path: Path) -> None:
    far = datetime(2926, 5, 1)  # noqa: DTZ001 - as stored
    path = write(tmp_path / "r.parquet", [row("1.00"), row("2.00", posted_at=far)])
    found = SettlementRows(path, classify).by_month(ZONE)
    assert [(str(kind.month), kind.amount) for kind in found] == [
        ("2026-05", Decimal(1)),
        ("2926-04", Decimal(2)),
    ]


def test_no_rows_make_no_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "r.parquet", [])
    assert list(SettlementRows(path, classify).groups(ZONE)) == []
    assert SettlementRows(path, classify).by_month(ZONE) == ()
