"""Sums over the rows of a stored settlement: by kind, by month, by group and item.

Belongs here: the queries. Does not belong here: what a kind means: the caller gives a classifier.
Every amount comes out of DuckDB as DECIMAL and is a Decimal here; no float is involved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa

from ledger_pipelines.documents.dates import Month
from ledger_pipelines.documents.money import ZERO, tidy
from ledger_pipelines.documents.settlement import (
    Amounts,
    Component,
    ItemLine,
    Kind,
    KindAmount,
    SettlementGroup,
    TransactionClass,
)
from ledger_pipelines.storage.warehouse import Warehouse, literal, warehouse

_EXACT = Context(prec=60)
_OF_ORDERS = (
    TransactionClass.ORDER, TransactionClass.REFUND, TransactionClass.RETROCHARGE, TransactionClass.CHARGEBACK,
)  # fmt: skip
_UTC = ZoneInfo("UTC")


class Classification(Protocol):
    """A triple understood."""

    @property
    def cls(self) -> TransactionClass:
        """Its transaction class."""
        ...

    @property
    def kind(self) -> Kind:
        """Its component and category."""
        ...


Classifier = Callable[[str, str, str], Classification]


@dataclass(frozen=True, slots=True)
class KindSum:
    """A kind over the whole settlement."""

    cls: TransactionClass
    kind: Kind
    amount: Decimal
    rows: int


@dataclass(slots=True)
class _Item:
    quantity: Decimal | int | None
    product_quantity: Decimal | int | None
    kinds: list[KindAmount]


class SettlementRows:
    """The rows of one settlement.

    Args:
        path: Its Parquet file.
        classify: What a triple means.
        memory_limit: Of the query engine.
    """

    def __init__(self, path: Path, classify: Classifier, *, memory_limit: str = "1GB") -> None:
        self._path = path
        self._classify = classify
        self._memory = memory_limit

    def by_kind(self) -> tuple[KindSum, ...]:
        """Rows and sum of every triple, in order of the triple."""
        query = (
            "SELECT transaction_type, amount_type, amount_description, sum(amount), count(*) FROM r "
            "GROUP BY ALL ORDER BY ALL"
        )
        with warehouse({"r": [self._path]}, memory_limit=self._memory) as db:
            found = db.rows(query)
        sums = []
        for transaction_type, amount_type, description, amount, rows in found:
            known = self._classify(transaction_type, amount_type, description)
            sums.append(KindSum(known.cls, known.kind, amount, int(rows)))
        return tuple(sums)

    def by_month(self, zone: ZoneInfo) -> tuple[KindAmount, ...]:
        """Rows and sum of every triple in every month of `zone`."""
        query = (
            f"SELECT {_month(zone)} AS m, transaction_type, amount_type, amount_description, sum(amount), count(*) "  # noqa: S608
            "FROM r GROUP BY ALL ORDER BY ALL"
        )
        with warehouse({"r": [self._path]}, memory_limit=self._memory) as db:
            found = db.rows(query)
        return tuple(
            KindAmount(_as_month(m), self._classify(t, a, d).kind, amount, int(rows))
            for m, t, a, d, amount, rows in found
        )

    def groups(
        self, zone: ZoneInfo = _UTC, *, order_ids: Sequence[str] | None = None
    ) -> Iterator[SettlementGroup]:
        """Rows put together to business events, in the order of their first rows.

        A group is class, transaction type, order, adjustment and shipment; rows without an order are grouped by class,
        transaction type and category. An order's rows without a shipment (fees, in V1) belong to its only shipment.

        Args:
            zone: The books' zone, for months.
            order_ids: Only groups of these orders.
        """
        with warehouse({"r": [self._path], "k": self._kinds()}, memory_limit=self._memory) as db:
            table = _grouped(db, zone, order_ids)
        current: list[dict[str, Any]] = []
        for batch in table.to_batches(max_chunksize=50_000):
            for row in batch.to_pylist():
                if current and current[0]["g"] != row["g"]:
                    yield self._group(current)
                    current = []
                current.append(row)
        if current:
            yield self._group(current)

    def _kinds(self) -> pa.Table:
        with warehouse({"r": [self._path]}, memory_limit=self._memory) as db:
            found = db.rows("SELECT DISTINCT transaction_type, amount_type, amount_description FROM r")
        known = [self._classify(*triple) for triple in found]
        return pa.table(
            {
                "transaction_type": pa.array([triple[0] for triple in found], pa.string()),
                "amount_type": pa.array([triple[1] for triple in found], pa.string()),
                "amount_description": pa.array([triple[2] for triple in found], pa.string()),
                "cls": pa.array([str(k.cls) for k in known], pa.string()),
                "component": pa.array([str(k.kind.component) for k in known], pa.string()),
                "category": pa.array([k.kind.category for k in known], pa.string()),
            }
        )

    def _group(self, rows: list[dict[str, Any]]) -> SettlementGroup:
        first = rows[0]
        amounts = dict.fromkeys(Component, ZERO)
        kinds: dict[tuple[Month, Kind], tuple[Decimal, int]] = {}
        items: dict[tuple[str, str, str], _Item] = {}
        for row in rows:
            row["amount"] = tidy(row["amount"])
            known = self._classify(row["transaction_type"], row["amount_type"], row["amount_description"])
            component = known.kind.component
            amounts[component] = _EXACT.add(amounts[component], row["amount"])
            month = _as_month(row["m"])
            amount, count = kinds.get((month, known.kind), (ZERO, 0))
            kinds[month, known.kind] = (_EXACT.add(amount, row["amount"]), count + int(row["n"]))
            key = (row["sku"], row["order_item_code"], row["merchant_adjustment_item_id"])
            if any(key):
                item = items.setdefault(key, _Item(None, None, []))
                item.kinds.append(KindAmount(month, known.kind, row["amount"], int(row["n"])))
                if row["quantity"] is not None:
                    item.quantity = max(item.quantity or 0, row["quantity"])
                    if component is Component.PRODUCT:
                        item.product_quantity = (item.product_quantity or 0) + row["quantities"]
        cls = TransactionClass(first["cls"])
        return SettlementGroup(
            key=group_key(
                cls, first["transaction_type"], first["order_id"], first["adjustment_id"], first["ship"],
                first["cat"],
            ),
            cls=cls,
            type=first["transaction_type"],
            order_id=first["order_id"],
            merchant_order_id=max(row["merchant_order_id"] for row in rows),
            adjustment_id=first["adjustment_id"],
            shipment_id=first["ship"],
            marketplace=max(row["marketplace"] for row in rows),
            channel=max(row["channel"] for row in rows),
            posted_first=min(row["posted_first"] for row in rows).replace(tzinfo=UTC),
            posted_last=max(row["posted_last"] for row in rows).replace(tzinfo=UTC),
            amounts=Amounts(**{str(component): amount for component, amount in amounts.items()}),
            rows=sum(int(row["n"]) for row in rows),
            ordinals=(min(row["first"] for row in rows), max(row["last"] for row in rows)),
            kinds=tuple(KindAmount(m, kind, amount, n) for (m, kind), (amount, n) in kinds.items()),
            lines=tuple(
                ItemLine(sku, code, adjustment, _whole(item), tuple(item.kinds))
                for (sku, code, adjustment), item in items.items()
            ),
        )  # fmt: skip


def group_key(
    cls: TransactionClass, kind: str, order_id: str, adjustment_id: str, shipment_id: str, category: str
) -> str:
    """`type|order|adjustment or shipment`; the category for rows without an order, the class where the type leaves it open."""
    event = "/".join(part for part in (adjustment_id, shipment_id) if part)
    if not order_id:
        return "|".join((kind, "", category, *([event] if event else [])))
    return "|".join((kind, order_id, event, *([] if cls in _OF_ORDERS else [str(cls)])))


def _whole(item: _Item) -> int | None:
    # The quantity stands on every component row of an item; an item that occurs twice has two rows of product.
    quantity = item.product_quantity if item.product_quantity is not None else item.quantity
    return None if quantity is None else int(quantity)


def _month(zone: ZoneInfo) -> str:
    """The first day of the month in which a row was posted, in the zone, as SQL."""
    name = str(zone)
    if name == "UTC":
        return "CAST(date_trunc('month', posted_at) AS DATE)"
    return f"CAST(date_trunc('month', timezone({literal(name)}, timezone('UTC', posted_at))) AS DATE)"


def _as_month(day: datetime | Any) -> Month:
    return Month(day.year, day.month)


def _grouped(db: Warehouse, zone: ZoneInfo, order_ids: Sequence[str] | None) -> pa.Table:
    chosen = "WHERE list_contains(?, order_id)" if order_ids is not None else ""
    query = f"""
        WITH rk AS (
            SELECT r.*, k.cls, k.category FROM r JOIN k USING (transaction_type, amount_type, amount_description)
            {chosen}
        ), one AS (
            SELECT cls, transaction_type, order_id, max(shipment_id) AS only_shipment
            FROM rk WHERE order_id <> '' AND shipment_id <> '' GROUP BY ALL HAVING count(DISTINCT shipment_id) = 1
        ), placed AS (
            SELECT rk.*,
                CASE WHEN rk.order_id = '' OR rk.shipment_id <> '' OR rk.adjustment_id <> '' THEN rk.shipment_id
                    ELSE coalesce(one.only_shipment, '') END AS ship,
                CASE WHEN rk.order_id = '' THEN rk.category ELSE '' END AS cat
            FROM rk LEFT JOIN one USING (cls, transaction_type, order_id)
        ), numbered AS (
            SELECT *, min(ordinal) OVER (PARTITION BY cls, transaction_type, order_id,
                CASE WHEN order_id = '' THEN '' ELSE adjustment_id END,
                CASE WHEN order_id = '' THEN '' ELSE ship END, cat) AS g0
            FROM placed
        )
        SELECT g0 || '/' || cls || '/' || cat AS g, min(g0) AS g0, cls, cat, transaction_type, amount_type,
            amount_description, order_id,
            CASE WHEN order_id = '' THEN '' ELSE adjustment_id END AS adjustment_id,
            CASE WHEN order_id = '' THEN '' ELSE ship END AS ship,
            sku, order_item_code, merchant_adjustment_item_id, {_month(zone)} AS m,
            sum(amount) AS amount, count(*) AS n, max(quantity) AS quantity, sum(quantity) AS quantities,
            max(merchant_order_id) AS merchant_order_id, max(marketplace_name) AS marketplace,
            max(upper(trim(fulfillment_id))) AS channel, min(posted_at) AS posted_first, max(posted_at) AS posted_last,
            min(ordinal) AS first, max(ordinal) AS last
        FROM numbered GROUP BY ALL ORDER BY g0, g, first
    """  # noqa: S608 (own names; the zone is a literal, orders a parameter)
    return db.table(query, [list(order_ids)] if order_ids is not None else [])
