"""The standard suite for readers, on each of Cin7's entities: three days of business in the sandbox.

Belongs here: the three days, and how one entity is read. Does not belong here: lists that move, the walk (`test_reader`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.cin7.entities import ENTITIES, Cin7Entity
from ledger_pipelines.systems.cin7.reader import Cin7Reader
from ledger_pipelines.systems.entities import Kind
from ledger_pipelines_tests.standard.reader_suite import Key, ReaderSuite, ReaderTarget, Reading, Shape
from ledger_pipelines_tests.unit.systems.cin7.bodies import (
    contact_body,
    order_body,
    payment_body,
    product_body,
)
from ledger_pipelines_tests.unit.systems.cin7.conftest import FREE
from ledger_pipelines_tests.unit.systems.cin7.desk import Desk

TYPES: dict[Kind, type] = {
    Kind.TEXT: str, Kind.NUMBER: Decimal, Kind.DAY: date, Kind.INSTANT: datetime, Kind.FLAG: bool,
}  # fmt: skip
KINDS = {
    "sales_orders": "order", "contacts": "contact", "products": "product", "branches": "branch", "payments": "payment",
}  # fmt: skip
"""The sandbox's kind of record of an entity whose key is its id."""


@dataclass(frozen=True)
class ThreeDays:
    """A sandbox in which each day brought records of each kind, a change of an older one, and a void."""

    desk: Desk
    days: tuple[tuple[datetime, datetime], ...]
    held: dict[str, frozenset[str]]


@pytest.fixture(scope="module")
def three_days(
    cin7_demo: RunningSandbox, cin7_control: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThreeDays]:
    cin7_control.post("/restore", json={"name": "fresh"}).raise_for_status()
    cin7_control.post("/cin7/settings", json=FREE).raise_for_status()
    cin7_control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    desk = Desk(cin7_demo, cin7_control, tmp_path_factory.mktemp("three-days"))
    first = desk.clock.now().replace(microsecond=0) - timedelta(hours=12)
    for day in range(3):
        if day:
            desk.clock.jump(timedelta(days=1).total_seconds())
        for number in range(2):
            _business(desk, f"{day}{number}")
            desk.clock.jump(2)
    held = {name: frozenset(str(one["id"]) for one in desk.records(kind)) for name, kind in KINDS.items()}
    span = timedelta(days=1)
    days = tuple((first + span * n, first + span * (n + 1)) for n in range(3))
    yield ThreeDays(desk, days, held)
    desk.close()


def _business(desk: Desk, name: str) -> None:
    desk.made("/v1/Contacts", contact_body(f"user{name}@tea.example"))
    product = desk.made("/v1/Products", product_body(f"NEW-{name}"))
    order, other, gone = desk.wrote(
        "POST", "/v1/SalesOrders", *(order_body(f"{letter}{name}") for letter in "NQX")
    )
    desk.made("/v1/Payments", payment_body(f"P{name}", order, "9.90"))
    desk.put("/v1/Products", product, description="changed")
    desk.put("/v1/SalesOrders", other, stage="Processing")
    desk.put("/v1/SalesOrders", gone, isVoid=True, isApproved=False)


class EntityTarget:
    """One entity."""

    def __init__(self, business: ThreeDays, entity: Cin7Entity) -> None:
        self._business, self._entity = business, entity
        # master data of before the first day is of the opening, not of these windows
        self.days: Sequence[tuple[datetime, datetime]] = business.days
        columns = tuple((column.name, TYPES[column.kind]) for column in entity.columns)
        self.shape = Shape(entity.name, columns, entity.key, entity.changed_column)

    def read(self, start: datetime, end: datetime, *, page: int = 0) -> Reading:
        """By the reader."""
        client = self._business.desk.client
        before = sum(call.count for call in client.calls())
        parts = list(Cin7Reader(client, page=page).read_changes(self._entity, start, end))
        rows = tuple(cells for one in parts for cells in one.cells)
        return Reading(rows, sum(call.count for call in client.calls()) - before)

    def held(self) -> AbstractSet[Key] | None:
        """Ids in the sandbox's dump that changed in the three days; of whole lists all."""
        if self._entity.name not in KINDS:
            return None
        rows = self._business.desk.records(KINDS[self._entity.name])
        start = self._business.days[0][0].replace(tzinfo=None).isoformat()
        return {(str(one["id"]),) for one in rows if self._entity.whole or one["modifiedDate"] >= start}


@pytest.mark.slow
class TestCin7Reader(ReaderSuite):
    @pytest.fixture(params=tuple(ENTITIES))
    def target(self, request: pytest.FixtureRequest, three_days: ThreeDays) -> ReaderTarget:
        return EntityTarget(three_days, ENTITIES[request.param])


@pytest.mark.slow
def test_the_opening_of_master_data_holds_what_was_there_before(three_days: ThreeDays) -> None:
    reader = Cin7Reader(three_days.desk.client)
    for name in ("contacts", "products"):
        entity = ENTITIES[name]
        assert entity.opening
        parts = reader.read_changes(entity, datetime(1990, 1, 1, tzinfo=UTC), three_days.days[-1][1])
        assert {row[0] for part in parts for row in part.cells} == three_days.held[name]


@pytest.mark.slow
def test_voided_orders_are_in_the_snapshot(three_days: ThreeDays) -> None:
    entity = ENTITIES["sales_orders"]
    place = [column.name for column in entity.columns].index("void")
    reference = [column.name for column in entity.columns].index("reference")
    parts = Cin7Reader(three_days.desk.client).read_changes(
        entity, three_days.days[0][0], three_days.days[-1][1]
    )
    void = {row[reference] for part in parts for row in part.cells if row[place]}
    assert void == {f"X{day}{number}" for day in range(3) for number in range(2)}
