"""The shop and the warehouse while a malformed answer is about: Neto and Cin7 Omni.

Belongs here: what is asked of them, and their good answers. Does not belong here: the ledgers (`malformed_scenes_books`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.systems.cin7 import records
from ledger_pipelines.systems.cin7.client import Cin7Client
from ledger_pipelines.systems.cin7.entities import ENTITIES as CIN7_ENTITIES
from ledger_pipelines.systems.cin7.reader import Cin7Reader
from ledger_pipelines.systems.cin7.settings import Cin7Connection
from ledger_pipelines.systems.cin7.writer import Cin7Writer
from ledger_pipelines.systems.fields import Record
from ledger_pipelines.systems.neto import documents
from ledger_pipelines.systems.neto.client import KeyCredentials, NetoClient, NetoConnection
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO_ENTITIES
from ledger_pipelines.systems.neto.probe import ITEM, STOCK
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.neto.writer import NetoWriter
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.drills.malformed_bodies import Ask, Sent, Vendor
from ledger_pipelines_tests.faults.drills.malformed_scenes import (
    CANARY,
    NOW,
    RECORD_ID,
    TOTAL,
    Opened,
    Scene,
    Wire,
    creation,
    encoded,
    good_id,
)
from ledger_pipelines_tests.faults.engine_target import FakeClock

WINDOW = timedelta(minutes=5)


class NetoScene(Scene):
    """GetOrder for a day (a single one is such a list too), AddItem for one product and for two, UpdateItem for a quantity (the second kind)."""

    vendor = Vendor.NETO
    host = "neto-a.example"
    entity = NETO_ENTITIES["orders"]

    def open(self, ask: Ask, folder: Path, wire: Wire) -> Opened:
        connection = NetoConnection(
            "neto-a", f"https://{self.host}", KeyCredentials(Secret(CANARY)), ZoneInfo("UTC"), calls_per_second=10_000,
            state_folder=folder,
        )  # fmt: skip
        client = NetoClient(connection, clock=FakeClock(NOW), transport=wire.transport)

        return Opened(NetoReader(client), NetoWriter(client, WINDOW), None, client.close)

    def wanted(self, ask: Ask) -> Callable[[httpx.Request], bool]:
        actions = {Ask.LIST: "GetOrder", Ask.SECOND: "UpdateItem"}
        return lambda request: request.headers["NETOAPI_ACTION"] == actions.get(ask, "AddItem")

    def decoder(self) -> Callable[[Record], object]:
        return lambda record: documents.order(record, ZoneInfo("UTC"), "AUD")

    def answer(self, request: httpx.Request, day: date) -> Sent:
        if request.headers["NETOAPI_ACTION"] == "GetOrder":
            row: dict[str, Json] = {
                "OrderID": good_id(day),
                "DateUpdated": f"{day} 10:00:00",
                "GrandTotal": TOTAL,
            }
            return Sent(
                encoded({"Order": [row], "CurrentTime": f"{NOW:%Y-%m-%d %H:%M:%S}", "Ack": "Success"})
            )
        return Sent(encoded({"Item": [], "Ack": "Success"}))

    def effects(self, ask: Ask) -> Sequence[Effect]:
        if ask is Ask.SECOND:
            level: dict[str, Json] = {"SKU": "TEA", "WarehouseID": "3", "Quantity": "5"}
            return [
                Effect(
                    key="KEY-stock-TEA", connection="neto-a", integration="drill", flow="stock", partition="2026-09-15",
                    kind=STOCK, action=Action.UPDATE, external_id="TEA", number="TEA", title="stock TEA", body=canonical(level),
                )
            ]  # fmt: skip
        skus = ("TEA", "POT") if ask is Ask.BATCH else ("TEA",)
        return [creation("neto-a", ITEM, sku, {"SKU": sku, "Name": sku}) for sku in skus]


class Cin7Scene(Scene):
    """A day of sales orders, one order, new orders by one and by two."""

    vendor = Vendor.CIN7
    host = "api.cin7.com"
    entity = CIN7_ENTITIES["sales_orders"]

    def open(self, ask: Ask, folder: Path, wire: Wire) -> Opened:
        connection = Cin7Connection(
            "cin7-a", Secret("api-user"), Secret(CANARY), folder, seconds_between_calls=0, calls_per_minute=0
        )
        client = Cin7Client(connection, clock=FakeClock(NOW), transport=wire.transport)

        def record() -> str:
            found = client.record("/v1/SalesOrders", RECORD_ID)
            return "none" if found is None else str(found.get("id"))

        return Opened(Cin7Reader(client), Cin7Writer(client), record, client.close)

    def wanted(self, ask: Ask) -> Callable[[httpx.Request], bool]:
        method = "POST" if ask.writes else "GET"
        return lambda request: request.method == method

    def decoder(self) -> Callable[[Record], object]:
        return records.sales_order

    def answer(self, request: httpx.Request, day: date) -> Sent:
        if request.method != "GET":
            raise AssertionError("every write of this drill is answered by an item")
        if "reference" in request.url.params.get("where", ""):
            return Sent(b"[]")
        row: dict[str, Json] = {"id": int(good_id(day)), "modifiedDate": f"{day}T10:00:00Z", "total": TOTAL}
        return Sent(encoded([row]))

    def effects(self, ask: Ask) -> Sequence[Effect]:
        count = 2 if ask is Ask.BATCH else 1
        line: dict[str, Json] = {"code": "TEA", "qty": 1, "unitPrice": 10}
        return [
            creation("cin7-a", "sales_order", f"N-{n}", {"reference": f"N-{n}", "lineItems": [dict(line)]})
            for n in range(count)
        ]
