"""Sums over the rows of a stored settlement: by kind, by month, by group and item.

Belongs here: the queries. Does not belong here: what a kind means: the caller gives a classifier.
Every amount comes out of DuckDB as DECIMAL and is a Decimal here; no float is involved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import Month, MonthStart, month_starts
from ledger_pipelines.documents.settlement import Kind, KindAmount, SettlementGroup, TransactionClass
from ledger_pipelines.storage.settlement_groups import (
    Classification,
    grouped,
    kinds_table,
    month_number,
    numbered_month,
)
from ledger_pipelines.storage.warehouse import Warehouse, warehouse

_UTC = ZoneInfo("UTC")
_LONG = timedelta(days=1_000)
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


Classifier = Callable[[str, str, str], Classification]


@dataclass(frozen=True, slots=True)
class KindSum:
    """A kind over the whole settlement."""

    cls: TransactionClass
    kind: Kind
    amount: Decimal
    rows: int


class SettlementRows:
    """The rows of one settlement.

    Args:
        path: Its Parquet file.
        classify: What a triple means.
        memory_limit: Of the query engine.
    """

    def __init__(self, path: Path, classify: Classifier, *, memory_limit: str = "400MB") -> None:
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
        """Rows and sum of every triple in every month of `zone`: by month, then in order of the triple."""
        with warehouse({"r": [self._path]}, memory_limit=self._memory) as db:
            found = db.rows(
                f"SELECT {month_number(_starts(db, zone))} AS m, transaction_type, amount_type, amount_description, "  # noqa: S608
                "sum(amount), count(*) FROM r GROUP BY ALL ORDER BY ALL"
            )
        return tuple(
            KindAmount(numbered_month(m), self._classify(t, a, d).kind, amount, int(rows))
            for m, t, a, d, amount, rows in found
        )

    def groups(
        self, zone: ZoneInfo = _UTC, *, order_ids: Sequence[str] | None = None
    ) -> Iterator[SettlementGroup]:
        """Rows put together to business events, in the order of their first rows.

        A group is class, transaction type, order, adjustment and shipment; rows without an order are grouped by class,
        transaction type and category. An order's rows without a shipment (fees, in V1) belong to its only shipment.

        The rows are sorted by the query engine, within its memory limit, and pass by: only one group is held here.

        Args:
            zone: The books' zone, for months.
            order_ids: Only groups of these orders.
        """
        with warehouse({"r": [self._path]}, memory_limit=self._memory) as db:
            triples = self._triples(db)
            db.register("k", kinds_table(triples))
            yield from grouped(db, triples, _starts(db, zone), order_ids)

    def _triples(self, db: Warehouse) -> list[Classification]:
        found = db.rows(
            "SELECT DISTINCT transaction_type, amount_type, amount_description FROM r ORDER BY ALL"
        )
        return [self._classify(*triple) for triple in found]


def _starts(db: Warehouse, zone: ZoneInfo) -> list[MonthStart]:
    """Where the month changes in the time the rows are of."""
    posted = db.rows("SELECT min(posted_at), max(posted_at) FROM r HAVING count(*) > 0")
    if posted and posted[0][1] - posted[0][0] > _LONG:  # a date misread: look at the months there are
        posted = db.rows(
            "SELECT min(posted_at), max(posted_at) FROM r GROUP BY date_trunc('month', posted_at) ORDER BY 1"
        )
    starts = [
        start
        for first, last in posted
        for start in month_starts(first.replace(tzinfo=UTC), last.replace(tzinfo=UTC), zone)
    ]
    return starts or [MonthStart(_NEVER, Month.of(_NEVER))]
