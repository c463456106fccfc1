"""Days of snapshots on disk, written from records as the vendors give them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.integrations.neto_saasu.mirror import Mirror
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import NOT_RECONSTRUCTIBLE, arrow_schema
from ledger_pipelines.systems.entities import EntityLike
from ledger_pipelines.systems.neto import reader as neto_reader
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.neto.shapes import Fields
from ledger_pipelines.systems.saasu import reader as saasu_reader
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import SYDNEY

Body = Mapping[str, Any]


class Days:
    """The data folder of a test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shop = SnapshotStore(root, "shop")
        self.books = SnapshotStore(root, "books")

    def mirror(self) -> Mirror:
        """A mirror of it that has read nothing yet."""
        return Mirror(self.root, "shop", "books", SYDNEY, SYDNEY, "AUD", "AUD")

    def neto(self, name: str, day: date, *records: Body, read_until: datetime | None = None) -> None:
        """One day of an entity of the store."""
        entity = NETO[name]
        rows = []
        for record in records:
            fields = Fields(record, entity.what)
            rows.append(neto_reader._row(entity, fields, neto_reader._key(entity, fields)))
        _write(self.shop, entity, day, rows, read_until=read_until)

    def saasu(self, name: str, day: date, *records: Body, read_until: datetime | None = None) -> None:
        """One day of an entity of the file."""
        rows = [saasu_reader.cells(SAASU[name], record) for record in records]
        _write(self.books, SAASU[name], day, rows, read_until=read_until)

    def lost(self, name: str, day: date) -> None:
        """A day whose list nobody could read any more."""
        for store, entities in ((self.shop, NETO), (self.books, SAASU)):
            if name in entities:
                _write(store, entities[name], day, [], basis=NOT_RECONSTRUCTIBLE)

    def empty(self, day: date) -> None:
        """One day of everything, with nothing in it."""
        for name in NETO:
            self.neto(name, day)
        for name in SAASU:
            self.saasu(name, day)


def _write(
    store: SnapshotStore,
    entity: EntityLike,
    day: date,
    rows: list[Any],
    *,
    basis: str = "",
    read_until: datetime | None = None,
) -> None:
    schema = arrow_schema(entity)
    columns = [pa.array([row[i] for row in rows], type=column.type) for i, column in enumerate(schema)]
    store.write_day(
        entity.name,
        day,
        pa.table(columns, schema=schema),
        window=Window(day, day, SYDNEY),
        basis=basis or entity.basis,
        run_id="test",
        written_at=datetime(2026, 3, 10, 3, tzinfo=UTC),
        sort_by=entity.key,
        read_until=read_until,
    )


def order(number: str, changed: str = "2026-03-01 02:00:00", **more: Any) -> Body:
    """An order of one mug."""
    return {
        "ID": number, "OrderID": number, "Username": "priya", "Email": "p@x.example", "OrderType": "sales",
        "OrderStatus": "Pick", "CompleteStatus": "Approved", "RelatedOrderID": "", "GrandTotal": "16.50", "OrderTax": "1.50",
        "TaxInclusive": "True", "ProductSubtotal": "16.50", "ShippingTotal": "0.00", "DatePlaced": "2026-03-01 01:00:00",
        "DateInvoiced": "", "DateUpdated": changed, "OrderPayment": "",
        "OrderLine": {"OrderLineID": f"{number}-0", "SKU": "MUG-01", "ProductName": "Enamel Mug", "Quantity": "1",
                      "UnitPrice": "16.50000000", "Tax": "1.50", "TaxCode": "GST"},
        **more,
    }  # fmt: skip


def product(sku: str, identity: str = "2050", changed: str = "2026-03-01 02:00:00", **more: Any) -> Body:
    """A product."""
    return {
        "ID": identity, "InventoryID": identity, "SKU": sku, "ParentSKU": "", "Name": "Enamel Mug", "DefaultPrice": "16.50",
        "TaxInclusive": "True", "TaxFreeItem": "False", "IsActive": "True", "IsInventoried": "True", "KitComponents": "",
        "DateUpdatedUTC": changed, **more,
    }  # fmt: skip


def item(code: str, identity: int = 301455, changed: str = "2026-03-01T02:00:00Z", **more: Any) -> Body:
    """An item."""
    return {
        "Id": identity, "Code": code, "Description": "Enamel Mug", "Type": "I", "IsActive": True, "IsInventoried": True,
        "IsSold": True, "IsBought": True, "SellingPrice": 16, "IsSellingPriceIncTax": True, "StockOnHand": 12, "Committed": 2,
        "LastModifiedDateUtc": changed, **more,
    }  # fmt: skip


def invoice(identity: int, number: str, changed: str = "2026-03-01T02:00:00Z", **more: Any) -> Body:
    """A sale."""
    return {
        "TransactionId": identity, "InvoiceNumber": number, "InvoiceType": "Tax Invoice", "TransactionDate": "2026-03-01T00:00:00",
        "TotalAmount": 16, "TotalTaxAmount": 1, "AmountPaid": 0, "AmountOwed": 16, "Currency": "", "LastModifiedDateUtc": changed,
        **more,
    }  # fmt: skip


def deletion(kind: str, identity: int, at: str = "2026-03-02T02:00:00Z") -> Body:
    """Something deleted."""
    return {"EntityType": kind, "EntityId": identity, "Timestamp": at}
