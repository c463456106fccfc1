"""The standard suite for readers, on each of NetSuite's entities: three days of business in the sandbox.

Belongs here: the three days, and how one entity is read. Does not belong here: SuiteQL texts (`test_reader`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.netsuite import suiteql
from ledger_pipelines.systems.netsuite.entities import Entity, Kind, entities
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines_tests.generate import many
from ledger_pipelines_tests.stage import ITEM_TYPES, Stage, stage_on
from ledger_pipelines_tests.standard.reader_suite import Key, ReaderSuite, ReaderTarget, Reading, Shape
from ledger_pipelines_tests.unit.systems.netsuite.fake import connection

pytestmark = pytest.mark.slow

NAMES = tuple(entities(connection()))
TYPES: dict[Kind, type] = {
    Kind.TEXT: str, Kind.NUMBER: Decimal, Kind.DAY: date, Kind.INSTANT: datetime, Kind.FLAG: bool,
}  # fmt: skip
HELD = {
    "customers": ("customer",),
    "items": (*ITEM_TYPES, "inventoryItem", "discountItem", "salesTaxItem"),
    "sales_orders": ("salesOrder",),
    "invoices": ("invoice",),
    "credit_memos": ("creditMemo",),
    "payments": ("customerPayment",),
    "customer_refunds": ("customerRefund",),
    "cash_sales": ("cashSale",),
    "journal_entries": ("journalEntry",),
    "accounts": ("account",),
    "periods": ("accountingPeriod",),
    "departments": ("department",),
    "classes": ("classification",),
    "locations": ("location",),
    "currencies": ("currency",),
    "subsidiaries": ("subsidiary",),
    "settlement_summaries": ("customrecord_azs_summary",),
    "settlement_transactions": ("customrecord_azs_txn",),
}
"""The sandbox's record types of an entity whose key is its id."""


@dataclass(frozen=True)
class ThreeDays:
    """A sandbox in which each day brought a settlement, a cash sale, and changes of a customer and an item."""

    stage: Stage
    days: tuple[tuple[datetime, datetime], ...]
    held: dict[str, frozenset[str]]


@pytest.fixture(scope="module")
def three_days(
    shared_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThreeDays]:
    for path, body in (("/restore", {"name": "fresh"}), ("/clock", {"offset_seconds": 0})):
        httpx.post(shared_sandbox.control_url + path, json=body, trust_env=False).raise_for_status()
    stage = stage_on(shared_sandbox, tmp_path_factory.mktemp("three-days"))
    first = stage.clock.now().replace(microsecond=0) - timedelta(hours=12)
    for number in range(3):
        if number:
            stage.clock.jump(timedelta(days=1).total_seconds())
        file = many(2, seed=number, settlement_id=f"2610000000{number + 1}", refunds=Decimal(1))
        stage.run(stage.arrive(file, name=f"day-{number}.txt"))
        stage.document("cashSale", f"113-7770000-000000{number}", [("MUG-BLUE", 1, "10.01")])
        books = stage.books()
        for kind, field in (("customer", "phone"), ("nonInventorySaleItem", "displayName")):
            stage.change(kind, str(books.records(kind)[number]["id"]), {field: f"555-010{number}"})
    records = stage.books().dump["records"]
    held = {kind: frozenset(str(record["id"]) for record in found) for kind, found in records.items()}
    day = timedelta(days=1)
    yield ThreeDays(stage, tuple((first + day * n, first + day * (n + 1)) for n in range(3)), held)
    stage.close()


class EntityTarget:
    """One entity."""

    def __init__(self, business: ThreeDays, entity: Entity, monkeypatch: pytest.MonkeyPatch) -> None:
        self._business, self._entity, self._monkeypatch = business, entity, monkeypatch
        self._client = business.stage.service.client
        self.days: Sequence[tuple[datetime, datetime]] = business.days
        changed = [c.name for c in entity.columns if entity.modified and c.sql == entity.modified]
        columns = tuple((c.name, TYPES[c.kind]) for c in entity.columns)
        self.shape = Shape(entity.name, columns, entity.key, "".join(changed))

    def read(self, start: datetime, end: datetime, *, page: int = 0) -> Reading:
        """By the reader; the size of a page is SuiteQL's."""
        with self._monkeypatch.context() as patched:
            if page:
                patched.setattr(suiteql, "PAGE", page)
            before = self._calls()
            pages = list(Reader(self._client).read_changes(self._entity, start, end))
        rows = tuple(cells for one in pages for cells in one.cells)
        return Reading(rows, self._calls() - before)

    def held(self) -> AbstractSet[Key] | None:
        """Ids in the sandbox's dump."""
        kinds = HELD.get(self._entity.name)
        if kinds is None:
            return None
        return {(record_id,) for kind in kinds for record_id in self._business.held.get(kind, ())}

    def _calls(self) -> int:
        return sum(call.count for call in self._client.calls())


class TestNetSuiteReader(ReaderSuite):
    @pytest.fixture(params=NAMES)
    def target(
        self, request: pytest.FixtureRequest, three_days: ThreeDays, monkeypatch: pytest.MonkeyPatch
    ) -> ReaderTarget:
        found = entities(three_days.stage.service.client.connection)
        return EntityTarget(three_days, found[request.param], monkeypatch)


def test_no_entity_of_the_shipped_connection_is_left_out(three_days: ThreeDays) -> None:
    assert set(entities(three_days.stage.service.client.connection)) == set(NAMES)
