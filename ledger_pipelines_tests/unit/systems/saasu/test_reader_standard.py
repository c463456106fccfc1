"""The standard suite for readers, on each of Saasu's entities: three days of business in the sandbox.

Belongs here: the three days, and how one entity is read. Does not belong here: pages that move, parameters (`test_reader`).
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
from ledger_pipelines.systems.entities import Kind
from ledger_pipelines.systems.saasu.entities import ENTITIES, SaasuEntity
from ledger_pipelines.systems.saasu.reader import SaasuReader
from ledger_pipelines_tests.standard.reader_suite import Key, ReaderSuite, ReaderTarget, Reading, Shape
from ledger_pipelines_tests.unit.systems.saasu.desk import (
    Desk,
    contact_body,
    invoice_body,
    item_body,
    journal_body,
    payment_body,
)

TYPES: dict[Kind, type] = {
    Kind.TEXT: str, Kind.NUMBER: Decimal, Kind.DAY: date, Kind.INSTANT: datetime, Kind.FLAG: bool,
}  # fmt: skip
KINDS = {
    "items": "item", "contacts": "contact", "companies": "company", "invoices": "invoice", "payments": "payment",
    "journals": "journal", "accounts": "account", "tax_codes": "taxcode",
}  # fmt: skip
"""The sandbox's kind of record of an entity whose key is its id."""


@dataclass(frozen=True)
class ThreeDays:
    """A sandbox in which each day brought a record of each kind, a change of an older one, and deletions."""

    desk: Desk
    days: tuple[tuple[datetime, datetime], ...]
    held: dict[str, frozenset[str]]


@pytest.fixture(scope="module")
def three_days(
    saasu_demo: RunningSandbox, saasu_control: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThreeDays]:
    saasu_control.post("/restore", json={"name": "fresh"}).raise_for_status()
    saasu_control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    desk = Desk(saasu_demo, saasu_control, tmp_path_factory.mktemp("three-days"))
    first = desk.clock.now().replace(microsecond=0) - timedelta(hours=12)
    for day in range(3):
        if day:
            desk.clock.jump(timedelta(days=1).total_seconds())
        for number in range(2):
            _business(desk, f"{day}{number}", oldest=day == 0 and number == 0)
    held = {name: frozenset(str(one["Id"]) for one in desk.records(kind)) for name, kind in KINDS.items()}
    span = timedelta(days=1)
    days = tuple((first + span * n, first + span * (n + 1)) for n in range(3))
    yield ThreeDays(desk, days, held)
    desk.close()


def _business(desk: Desk, name: str, *, oldest: bool) -> None:
    company = desk.made("/Company", {"Name": f"Tea House {name}"})
    contact = desk.made("/Contact", contact_body(f"user{name}", CompanyId=company))
    item = desk.made("/Item", item_body(f"NEW-{name}"))
    invoice = desk.made("/Invoice", invoice_body(f"N{name}", BillingContactId=contact))
    desk.made("/Payment", payment_body(f"P{name}", invoice, "9.90"))
    desk.made("/Journal", journal_body(f"J{name}", "5.00"))
    desk.made("/Invoice", invoice_body(f"Q{name}", "0.01"))
    if not oldest:
        desk.put(f"/Item/{item}", Description="changed")
    desk.removed(f"/Invoice/{desk.made('/Invoice', invoice_body(f'X{name}'))}")
    desk.removed(f"/Contact/{desk.made('/Contact', contact_body(f'gone{name}'))}")


class EntityTarget:
    """One entity."""

    def __init__(self, business: ThreeDays, entity: SaasuEntity) -> None:
        self._business, self._entity = business, entity
        # master data of before the first day is of the opening, not of these windows
        self.days: Sequence[tuple[datetime, datetime]] = business.days
        columns = tuple((column.name, TYPES[column.kind]) for column in entity.columns)
        self.shape = Shape(entity.name, columns, entity.key, entity.changed_column)

    def read(self, start: datetime, end: datetime, *, page: int = 0) -> Reading:
        """By the reader."""
        client = self._business.desk.client
        before = sum(call.count for call in client.calls())
        parts = list(SaasuReader(client, page=page).read_changes(self._entity, start, end))
        rows = tuple(cells for one in parts for cells in one.cells)
        return Reading(rows, sum(call.count for call in client.calls()) - before)

    def held(self) -> AbstractSet[Key] | None:
        """Ids in the sandbox's dump."""
        found = self._business.held.get(self._entity.name)
        return None if found is None else {(one,) for one in found}


@pytest.mark.slow
class TestSaasuReader(ReaderSuite):
    @pytest.fixture(params=tuple(ENTITIES))
    def target(self, request: pytest.FixtureRequest, three_days: ThreeDays) -> ReaderTarget:
        return EntityTarget(three_days, ENTITIES[request.param])


def test_the_opening_of_master_data_holds_what_was_there_before(three_days: ThreeDays) -> None:
    reader = SaasuReader(three_days.desk.client)
    for name in ("items", "contacts", "companies"):
        entity = ENTITIES[name]
        assert entity.opening
        parts = reader.read_changes(entity, datetime(1990, 1, 1, tzinfo=UTC), three_days.days[-1][1])
        assert {row[0] for part in parts for row in part.cells} == three_days.held[name]
