"""The standard suite for readers, on each of Neto's entities: three days of business in an empty shop.

Belongs here: the three days, and how one entity is read. Does not belong here: calls, shapes, accidents (`test_reader`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.entities import Kind
from ledger_pipelines.systems.neto.entities import ENTITIES, NetoEntity
from ledger_pipelines_tests.standard.reader_suite import Key, ReaderSuite, ReaderTarget, Reading, Shape
from ledger_pipelines_tests.unit.systems.neto.store import Store

TYPES: dict[Kind, type] = {
    Kind.TEXT: str, Kind.NUMBER: Decimal, Kind.DAY: date, Kind.INSTANT: datetime, Kind.FLAG: bool,
}  # fmt: skip
HELD = {
    "products": "item", "stock": "item", "customers": "customer", "orders": "order", "payments": "payment", "rmas": "rma",
    "warehouses": "warehouse", "payment_methods": "paymentmethod", "shipping_methods": "shippingmethod",
    "categories": "category",
}  # fmt: skip
"""The sandbox's kind of record of each entity."""
PAGED = tuple(name for name, entity in ENTITIES.items() if entity.limit)
WITHOUT_PAGES = tuple(name for name, entity in ENTITIES.items() if not entity.limit)
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class ThreeDays:
    """Each day brought a product, a customer, an order, a payment and an RMA."""

    store: Store
    held: dict[str, list[dict[str, object]]]


@pytest.fixture(scope="module")
def three_days(neto_sandbox: RunningSandbox) -> Iterator[ThreeDays]:
    with Store(neto_sandbox, "empty") as store:
        for number in range(3):
            store.freeze(f"2026-03-0{number + 2}T05:0{number}:00Z")
            _business(store, number)
        store.freeze("2026-03-20T00:00:00Z")
        yield ThreeDays(store, store.dump()["records"])


def _business(store: Store, number: int) -> None:
    sku, who, order = f"POT-{number}", f"pat{number}", f"N77{number}"
    store.call("AddItem", {"Item": {"SKU": sku, "Name": "Teekännchen", "DefaultPrice": "11"}})
    store.call("AddCustomer", {"Customer": {"Username": who, "EmailAddress": f"{who}@example.com"}})
    line = {"SKU": sku, "Quantity": "2"}
    store.call("AddOrder", {"Order": {"OrderID": order, "Username": who, "OrderLine": [line]}})
    paid = {"OrderID": order, "AmountPaid": "22.00", "PaymentMethodName": "Cheque", "CardAuthorisation": "x"}
    store.call("AddPayment", {"Payment": [paid]})
    returned = {"SKU": sku, "Quantity": "1", "RefundSubtotal": "11.00", "TaxCode": "GST"}
    store.call(
        "AddRma", {"Rma": [{"OrderID": order, "RmaStatus": "Closed", "RmaLines": {"RmaLine": [returned]}}]}
    )


class EntityTarget:
    """One entity."""

    def __init__(self, business: ThreeDays, entity: NetoEntity) -> None:
        self._business, self._entity = business, entity
        self.days: Sequence[tuple[datetime, datetime]] = tuple(
            (FIRST + DAY * n, FIRST + DAY * (n + 1)) for n in range(3)
        )
        columns = tuple((column.name, TYPES[column.kind]) for column in entity.columns)
        self.shape = Shape(entity.name, columns, entity.key, entity.changed_column)

    def read(self, start: datetime, end: datetime, *, page: int = 0) -> Reading:
        """By the reader."""
        before = self._business.store.calls()
        rows = self._business.store.rows(self._entity.name, start, end, page=page)
        return Reading(tuple(rows), self._business.store.calls() - before)

    def held(self) -> AbstractSet[Key] | None:
        """Keys in the sandbox's dump."""
        name = "number" if HELD[self._entity.name] == "item" else "key"
        return {(str(record[name]),) for record in self._business.held[HELD[self._entity.name]]}


class TestNetoReader(ReaderSuite):
    @pytest.fixture(params=PAGED)
    def target(self, request: pytest.FixtureRequest, three_days: ThreeDays) -> ReaderTarget:
        return EntityTarget(three_days, ENTITIES[request.param])


class TestListsWithoutPages(ReaderSuite):
    @pytest.fixture(params=WITHOUT_PAGES)
    def target(self, request: pytest.FixtureRequest, three_days: ThreeDays) -> ReaderTarget:
        return EntityTarget(three_days, ENTITIES[request.param])

    def test_small_pages_give_the_same_rows_in_the_same_order(self, target: ReaderTarget) -> None:
        """The action has no pages: one call, whatever is asked for."""
        assert self._all(target, page=1) == self._all(target)
        assert self._all(target, page=1).calls == 1


def test_no_entity_is_left_out() -> None:
    assert {*PAGED, *WITHOUT_PAGES} == set(ENTITIES) == set(HELD)
