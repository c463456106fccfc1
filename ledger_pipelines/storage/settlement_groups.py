"""Rows of a stored settlement put together to groups, one after the other, in bounded memory.

Belongs here: the query that brings the rows of each group together, and the making of a group from its rows.
Does not belong here: what a kind means (the classifier), sums over the whole settlement (`settlement_rows`).

The query engine numbers and sorts the rows, beyond its memory limit on disk; what is the same for all rows of a group
is fetched once a group. Amounts travel as whole millionths (the file's scale), so that adding them is exact and cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger_pipelines.documents.dates import Month, MonthStart
from ledger_pipelines.documents.money import tidy
from ledger_pipelines.documents.settlement import (
    Amounts,
    Component,
    ItemLine,
    Kind,
    KindAmount,
    SettlementGroup,
    TransactionClass,
)
from ledger_pipelines.storage.warehouse import Warehouse

_EXACT = Context(prec=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Ints = npt.NDArray[np.int64]
_SCALE = 6
_BATCH = 20_000
_OF_ORDERS = (
    TransactionClass.ORDER, TransactionClass.REFUND, TransactionClass.RETROCHARGE, TransactionClass.CHARGEBACK,
)  # fmt: skip
_SAME = ("order_id", "adjustment", "ship")
_GREATEST = ("merchant_order_id", "marketplace_name", "fulfillment")
_BODY = ("kind", "m", "micro", "quantity", "sku", "order_item_code", "merchant_adjustment_item_id")
_Event = tuple[TransactionClass, str, str]
"""Class, category where there is no order, transaction type: what parts rows of one order, or without an order."""


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


def _event(known: Classification, *, ordered: bool) -> _Event:
    return known.cls, "" if ordered else known.kind.category, known.kind.transaction_type


def _events(triples: Sequence[Classification]) -> list[_Event]:
    """All there can be, in order."""
    return sorted({_event(known, ordered=ordered) for known in triples for ordered in (True, False)})


def kinds_table(triples: Sequence[Classification]) -> pa.Table:
    """The triples as a table to join with: their number in the list, and that of their event with and without an order."""
    number = {event: place for place, event in enumerate(_events(triples))}
    return pa.table(
        {
            "transaction_type": pa.array([known.kind.transaction_type for known in triples], pa.string()),
            "amount_type": pa.array([known.kind.amount_type for known in triples], pa.string()),
            "amount_description": pa.array([known.kind.amount_description for known in triples], pa.string()),
            "kind": pa.array(range(len(triples)), pa.int32()),
            "ordered": pa.array([number[_event(known, ordered=True)] for known in triples], pa.int32()),
            "bare": pa.array([number[_event(known, ordered=False)] for known in triples], pa.int32()),
        }
    )


def month_number(starts: Sequence[MonthStart]) -> str:
    """The month in which a row was posted, as SQL: a number that `numbered_month` reads."""
    *earlier, last = [start.month.year * 12 + start.month.month - 1 for start in starts]
    cases = " ".join(
        f"WHEN posted_at < TIMESTAMP '{later.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}' THEN {number}"
        for number, later in zip(earlier, starts[1:], strict=True)
    )
    return f"CASE {cases} ELSE {last} END" if cases else str(last)


@lru_cache(maxsize=1_024)
def numbered_month(number: int) -> Month:
    """The month that `month_number` numbered so."""
    return Month(number // 12, number % 12 + 1)  # not money: months


def grouped(
    db: Warehouse,
    triples: Sequence[Classification],
    starts: Sequence[MonthStart],
    order_ids: Sequence[str] | None,
) -> Iterator[SettlementGroup]:
    """The groups of view `r`, with `kinds_table` as view `k`, in the order of their first rows."""
    chosen = "WHERE list_contains(?, order_id)" if order_ids is not None else ""
    query = f"""
        WITH rk AS NOT MATERIALIZED (
            SELECT r.*, k.kind, CASE WHEN order_id = '' THEN k.bare ELSE k.ordered END AS event
            FROM r JOIN k USING (transaction_type, amount_type, amount_description)
            {chosen}
        ), one AS (
            SELECT event, order_id, max(shipment_id) AS only_shipment FROM rk WHERE order_id <> ''
            GROUP BY ALL
            HAVING bool_or(shipment_id = '' AND adjustment_id = '')
                AND min(nullif(shipment_id, '')) = max(nullif(shipment_id, ''))
        ), placed AS NOT MATERIALIZED (
            SELECT rk.*, CASE WHEN order_id = '' THEN '' ELSE adjustment_id END AS adjustment,
                CASE WHEN order_id = '' THEN ''
                    WHEN shipment_id = '' AND adjustment_id = '' THEN coalesce(only_shipment, '')
                    ELSE shipment_id END AS ship
            FROM rk LEFT JOIN one USING (event, order_id)
        ), g AS (
            SELECT event, order_id, adjustment, ship, min(ordinal) AS first FROM placed GROUP BY ALL
        )
        SELECT first, event, order_id, adjustment, ship, ordinal, posted_at, kind, {month_number(starts)} AS m,
            CAST(CAST(amount AS DECIMAL(38, {_SCALE})) * {10**_SCALE} AS BIGINT) AS micro, quantity, sku, order_item_code,
            merchant_adjustment_item_id, merchant_order_id, marketplace_name, upper(trim(fulfillment_id)) AS fulfillment
        FROM placed JOIN g USING (event, order_id, adjustment, ship)
        ORDER BY first, event, ordinal, part
    """  # noqa: S608 (own names and numbers; orders are a parameter)
    events = _events(triples)
    kinds = [known.kind for known in triples]
    components = [known.kind.component.value for known in triples]
    current: _Building | None = None
    for batch in db.batches(query, [list(order_ids)] if order_ids is not None else [], rows=_BATCH):
        edges = _edges(batch)
        body = [batch.column(name).to_pylist() for name in _BODY]
        ends = [*edges[1:].tolist(), batch.num_rows]
        for head, start, end in zip(_heads(batch, edges), edges.tolist(), ends, strict=True):
            if current is not None and current.continued(head):
                current.head = current.head.joined(head)
            else:
                if current is not None:
                    yield current.group()
                current = _Building(head, events[head.event], kinds, components)
            current.add(zip(*(column[start:end] for column in body), strict=True))
    if current is not None:
        yield current.group()


class _Head(NamedTuple):
    """What holds of all rows of a group, as far as they were seen. Instants are UTC, microseconds since 1970."""

    event: int
    order_id: str
    adjustment: str
    ship: str
    merchant_order_id: str
    marketplace: str
    channel: str
    posted_first: int
    posted_last: int
    first: int
    last: int

    def joined(self, more: _Head) -> _Head:
        """With further rows, which come later in the file."""
        return self._replace(
            merchant_order_id=max(self.merchant_order_id, more.merchant_order_id),
            marketplace=max(self.marketplace, more.marketplace),
            channel=max(self.channel, more.channel),
            posted_first=min(self.posted_first, more.posted_first),
            posted_last=max(self.posted_last, more.posted_last),
            last=more.last,
        )


def _edges(batch: pa.RecordBatch) -> _Ints:
    """Where a group starts within a batch; the first row counts as one."""
    first, event = batch.column("first").to_numpy(), batch.column("event").to_numpy()
    changed = (first[1:] != first[:-1]) | (
        event[1:] != event[:-1]
    )  # a line of several amounts can start two groups
    return np.concatenate((np.zeros(1, np.int64), np.flatnonzero(changed) + 1))


def _heads(batch: pa.RecordBatch, edges: _Ints) -> Iterator[_Head]:
    places = pa.array(edges, pa.int64())
    posted = batch.column("posted_at").cast(pa.int64()).to_numpy()
    last = np.concatenate((edges[1:], [batch.num_rows])) - 1
    return map(
        _Head,
        batch.column("event").to_numpy()[edges].tolist(),
        *(batch.column(name).take(places).to_pylist() for name in _SAME),
        *(_greatest(batch.column(name), edges) for name in _GREATEST),
        np.minimum.reduceat(posted, edges).tolist(),
        np.maximum.reduceat(posted, edges).tolist(),
        batch.column("first").to_numpy()[edges].tolist(),
        batch.column("ordinal").to_numpy()[last].tolist(),
    )


def _greatest(texts: pa.Array[Any], edges: _Ints) -> list[str]:
    """The greatest text of each stretch."""
    encoded = texts.dictionary_encode()
    words = [str(word) for word in encoded.dictionary.to_pylist()]
    order = sorted(range(len(words)), key=lambda place: words[place])
    rank = np.empty(len(words), np.int64)
    rank[order] = np.arange(len(words))
    return [words[order[place]] for place in np.maximum.reduceat(rank[encoded.indices.to_numpy()], edges)]


@dataclass(slots=True)
class _Part:
    """Rows of one item, kind and month."""

    micro: int
    rows: int
    most: int | None
    quantities: int


class _Building:
    """A group in the making."""

    def __init__(self, head: _Head, event: _Event, kinds: Sequence[Kind], components: Sequence[str]) -> None:
        self.head = head
        self._event = event
        self._kinds = kinds
        self._components = components
        self._parts: dict[tuple[str, str, str, int, int], _Part] = {}

    def continued(self, head: _Head) -> bool:
        """Whether further rows belong to it."""
        return (head.first, head.event) == (self.head.first, self.head.event)

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Rows, in the order of the file: what `_BODY` lists."""
        parts = self._parts
        for kind, month, micro, quantity, sku, code, adjustment in rows:
            key = (sku, code, adjustment, kind, month)
            part = parts.get(key)
            if part is None:
                parts[key] = _Part(micro, 1, quantity, quantity or 0)
                continue
            part.micro += micro
            part.rows += 1
            if quantity is not None:
                part.most = quantity if part.most is None else max(part.most, quantity)
                part.quantities += quantity

    def group(self) -> SettlementGroup:
        """The group of the rows so far."""
        amounts: dict[str, Decimal] = {}
        kinds: dict[tuple[int, int], KindAmount] = {}
        items: dict[tuple[str, str, str], _Item] = {}
        rows = 0
        for (sku, code, adjustment, number, m), part in self._parts.items():
            stated = KindAmount(numbered_month(m), self._kinds[number], _decimal(part.micro), part.rows)
            rows += part.rows
            component = self._components[number]
            so_far = amounts.get(component)
            amounts[component] = stated.amount if so_far is None else _EXACT.add(so_far, stated.amount)
            known = kinds.get((number, m))
            kinds[number, m] = stated if known is None else _together(known, stated)
            if sku or code or adjustment:
                item = items.get((sku, code, adjustment))
                if item is None:
                    item = items[sku, code, adjustment] = _Item(None, None, [])
                item.take(stated, part, product=component == Component.PRODUCT.value)
        head = self.head
        cls, category, kind_of_transaction = self._event
        first = _instant(head.posted_first)
        return SettlementGroup(
            key=group_key(cls, kind_of_transaction, head.order_id, head.adjustment, head.ship, category),
            cls=cls,
            type=kind_of_transaction,
            order_id=head.order_id,
            merchant_order_id=head.merchant_order_id,
            adjustment_id=head.adjustment,
            shipment_id=head.ship,
            marketplace=head.marketplace,
            channel=head.channel,
            posted_first=first,
            posted_last=first if head.posted_last == head.posted_first else _instant(head.posted_last),
            amounts=Amounts(**amounts),
            rows=rows,
            ordinals=(head.first, head.last),
            kinds=tuple(kinds.values()),
            lines=tuple(
                ItemLine(sku, code, adjustment, item.count(), tuple(item.kinds))
                for (sku, code, adjustment), item in items.items()
            ),
        )


@dataclass(slots=True)
class _Item:
    quantity: int | None
    product_quantity: int | None
    kinds: list[KindAmount]

    def take(self, stated: KindAmount, part: _Part, *, product: bool) -> None:
        """Add an amount to the item, and what its rows say of the quantity."""
        self.kinds.append(stated)
        if part.most is not None:
            self.quantity = max(self.quantity or 0, part.most)
            if product:
                self.product_quantity = (self.product_quantity or 0) + part.quantities

    def count(self) -> int | None:
        """The quantity stands on every component row of an item; an item that occurs twice has two rows of product."""
        return self.product_quantity if self.product_quantity is not None else self.quantity


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _together(one: KindAmount, other: KindAmount) -> KindAmount:
    return KindAmount(one.month, one.kind, _EXACT.add(one.amount, other.amount), one.rows + other.rows)


@lru_cache(maxsize=65_536)
def _decimal(micro: int) -> Decimal:
    """So many millionths as an amount without needless zeros."""
    return tidy(Decimal(micro).scaleb(-_SCALE, _EXACT))


def group_key(
    cls: TransactionClass, kind: str, order_id: str, adjustment_id: str, shipment_id: str, category: str
) -> str:
    """`type|order|adjustment or shipment`; the category for rows without an order, the class where the type leaves it open."""
    event = "/".join(part for part in (adjustment_id, shipment_id) if part)
    if not order_id:
        return "|".join((kind, "", category, *([event] if event else [])))
    return "|".join((kind, order_id, event, *([] if cls in _OF_ORDERS else [str(cls)])))
