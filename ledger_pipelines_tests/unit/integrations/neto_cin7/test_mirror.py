"""Both sides from their snapshots: decoded when looked at, found by columns, kept while files stay."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.neto_cin7.mirror import Mirror
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.cin7.entities import ENTITIES
from ledger_pipelines.systems.entities import EntityLike, PlainRows

SYDNEY = ZoneInfo("Australia/Sydney")
DAY = date(2026, 10, 20)
AT = datetime(2026, 10, 20, 1, tzinfo=UTC)


class Given:
    """A reader of records that are given, all changed at one instant."""

    def __init__(self, **records: list[dict[str, Json]]) -> None:
        self.records = records

    def read_changes(self, entity: EntityLike, start: datetime, end: datetime) -> list[PlainRows]:
        """Those of the entity."""
        del start, end
        cells = []
        known = ENTITIES[entity.name]
        for record in self.records.get(entity.name, []):
            row: list[object] = []
            for column, name in zip(known.columns, known.fields, strict=True):
                value = record.get(name) if name else canonical(record)
                if column.name == known.changed_column:
                    value = AT  # type: ignore[assignment]
                elif column.name in known.key:
                    value = str(record.get("id") or record.get("code"))
                elif column.kind.value != "text" and not isinstance(value, bool):
                    value = None
                elif value is not None and column.kind.value == "text":
                    value = str(value)
                row.append(value)
            cells.append(tuple(row))
        return [PlainRows(tuple(cells))]  # type: ignore[arg-type]


def read(folder: Path, run: str = "first", **records: list[dict[str, Json]]) -> Mirror:
    store = SnapshotStore(folder, "cin7")
    for entity in ENTITIES.values():
        asked = Sweep(
            window=Window(DAY, DAY, SYDNEY),
            opening=DAY,
            today=DAY,
            run_id=run,
            done_by=frozenset({run}),
            now=AT,
        )
        list(sweep(Given(**records), store, entity, asked))  # type: ignore[arg-type]
    return Mirror(folder, "neto", "cin7", SYDNEY, "AUD", "AUD")


ORDERS: list[dict[str, Json]] = [
    {
        "id": 7, "reference": "W-N1", "status": "APPROVED", "isApproved": True, "total": 10, "currencyCode": "AUD",
        "deliveryCity": "HOBART", "phone": None, "lineItems": [],
    },
    {"id": 8, "reference": "w-n2", "status": "VOID", "total": "nonsense", "lineItems": []},
]  # fmt: skip
PAYMENTS: list[dict[str, Json]] = [
    {"id": 1, "orderId": 7, "amount": 4, "transactionRef": "5501"},
    {"id": 2, "orderId": 7, "amount": 6, "transactionRef": "5502"},
]
PRODUCTS: list[dict[str, Json]] = [
    {"id": 3, "styleCode": "CUP", "name": "Cup", "status": "Public", "productOptions": []}
]


def test_orders_and_payments_are_found_by_columns_and_decoded_one_by_one(tmp_path: Path) -> None:
    omni = read(tmp_path, sales_orders=ORDERS, payments=PAYMENTS, products=PRODUCTS).omni()
    (one,) = omni.with_reference("w-N1")
    assert (one.id, one.total) == ("7", 10)
    assert [found.transaction_ref for found in omni.payments_on("7")] == ["5501", "5502"]
    assert omni.payments_on("9") == []
    assert omni.texts["7"]["deliveryCity"] == "HOBART"
    assert omni.texts["7"]["phone"] == ""
    with pytest.raises(DataError, match="w-n2"):
        omni.with_reference("W-N2")  # only the record that cannot be read raises
    assert omni.read_at is not None


def test_contacts_are_found_by_columns_and_decoded_one_by_one(tmp_path: Path) -> None:
    contacts: list[dict[str, Json]] = [
        {"id": 11, "email": "Pat@example.com ", "isActive": True},
        {"id": 9, "email": "pat@EXAMPLE.com", "integrationRef": "pat"},
        {"id": 12, "email": "lee@example.com", "isActive": "nonsense"},
    ]
    omni = read(tmp_path, contacts=contacts).omni()
    assert [one.id for one in omni.contacts_by_email["pat@example.com"]] == ["9", "11"]
    assert [one.id for one in omni.contacts_by_reference["pat"]] == ["9"]
    assert omni.contact_by_id["11"].active
    with pytest.raises(DataError, match=r"lee@example\.com"):
        _ = omni.contacts_by_email["lee@example.com"]  # only the record that cannot be read raises


def test_payments_that_are_there_twice_are_found_without_reading_the_others(tmp_path: Path) -> None:
    payments: list[dict[str, Json]] = [
        *PAYMENTS,
        {"id": 3, "orderId": 7, "amount": 6, "transactionRef": "5502"},
        {"id": 4, "orderId": 8, "amount": "nonsense", "transactionRef": "5502"},
    ]
    found = read(tmp_path, payments=payments).omni().repeated_payments
    assert {key: [one.id for one in same] for key, same in found.items()} == {
        "2": ["2", "3"],
        "3": ["2", "3"],
    }
    assert read(tmp_path, "second", payments=payments[3:]).omni().repeated_payments == {}


def test_what_omni_has_and_nobody_can_read_is_never_taken_for_missing(tmp_path: Path) -> None:
    """Looking it up raises, in every list; what is about all of them passes over it, and counts its stock as kept."""
    omni = read(
        tmp_path,
        products=[
            {"id": 3, "styleCode": "CUP", "modifiedDate": "soon"},
            {"id": 4, "styleCode": "POT", "status": "Public"},
        ],
        product_options=[
            {"id": 31, "productId": 3, "productOptionCode": "CUP-1", "status": "Primary"},
            {"id": 41, "productId": 4, "productOptionCode": "POT-1", "retailPrice": "cheap"},
        ],
        stock=[
            {
                "id": 1,
                "productId": 3,
                "productOptionId": 31,
                "branchId": 3,
                "code": "CUP-1",
                "stockOnHand": 2,
            },
            {
                "id": 2,
                "productId": 4,
                "productOptionId": 41,
                "branchId": 3,
                "code": "POT-1",
                "stockOnHand": "some",
            },
        ],
        branches=[
            {"id": 3, "company": "Main", "isActive": True},
            {"id": 4, "company": "Shed", "isActive": "perhaps"},
        ],
    ).omni()
    assert omni.styles == {"cup", "pot"}
    assert set(omni.options_by_code) == {"CUP-1", "POT-1"}
    assert omni.on_hand("CUP-1", "3") == 2
    assert omni.stocked_codes == {"CUP-1", "POT-1"}
    assert omni.branch("main", "branches.branch").id == "3"
    for look in (
        lambda: omni.product_by_id["3"],
        lambda: omni.options_by_code["POT-1"],
        lambda: omni.on_hand("POT-1", "3"),
        lambda: omni.branch("Shed", "branches.branch"),
        lambda: omni.branch("4", "branches.branch"),
        lambda: omni.is_sellable(omni.options_by_code["CUP-1"][0]),
    ):
        with pytest.raises(UnreadableError):
            look()
    assert sorted((one.what, one.key) for one in omni.unreadable()) == [
        ("branches", "4"), ("product_options", "41"), ("products", "3"), ("stock", "2@2@2"),
    ]  # fmt: skip
    assert [one.code for one in omni.legible.options] == ["CUP-1"]
    assert omni.unread_codes() == ["POT-1"]


def test_it_is_kept_until_a_file_is_replaced(tmp_path: Path) -> None:
    mirror = read(tmp_path, sales_orders=ORDERS[:1])
    first = mirror.omni()
    assert mirror.omni() is first
    read(tmp_path, "second", sales_orders=[{**ORDERS[0], "total": 11}])
    assert mirror.omni().orders["7"].total == 11


def test_days_begin_with_the_stores_files_and_omnis_products(tmp_path: Path) -> None:
    mirror = read(tmp_path, products=PRODUCTS)
    tokens = mirror.tokens(DAY)
    assert set(tokens) == {"neto/orders", "neto/products", "cin7/products"}
    assert tokens["cin7/products"]
    assert [one.style_code for one in mirror.cin7_products_of(DAY)] == ["CUP"]
    assert mirror.cin7_products_of(date(2026, 10, 19)) == ()


def test_without_a_snapshot_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        Mirror(tmp_path, "neto", "cin7", SYDNEY, "AUD", "AUD").omni()
    assert raised.value.code == "no-snapshot"
