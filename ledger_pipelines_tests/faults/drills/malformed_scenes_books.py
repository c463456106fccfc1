"""The two ledgers while a malformed answer is about: NetSuite and Saasu.

Belongs here: what is asked of them, and their good answers. Does not belong here: the shops (`malformed_scenes_shops`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.systems.entities import ChangesReader
from ledger_pipelines.systems.fields import Record
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines.systems.netsuite.records import Records
from ledger_pipelines.systems.netsuite.settings import (
    MachineCredentials,
    NetSuiteConnection,
    TokenCredentials,
)
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter
from ledger_pipelines.systems.saasu import records
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.entities import ENTITIES
from ledger_pipelines.systems.saasu.probe import Probe
from ledger_pipelines.systems.saasu.reader import SaasuReader
from ledger_pipelines.systems.saasu.settings import AccessKeyCredentials, PasswordCredentials, SaasuConnection
from ledger_pipelines.systems.saasu.writer import SaasuWriter
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

_LOGINS = frozenset({Ask.LOGIN, Ask.LOGIN_TO_WRITE})


@lru_cache(maxsize=1)
def _key() -> str:
    """A key that signs."""
    made = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


class NetSuiteScene(Scene):
    """SuiteQL for a day of invoices, one invoice, customer payments."""

    vendor = Vendor.NETSUITE
    host = "9123456-sb2.suitetalk.api.netsuite.com"

    def __init__(self) -> None:
        self.entity = entities(self._connection(Ask.LIST, Path()))["invoices"]

    @staticmethod
    def _connection(ask: Ask, folder: Path) -> NetSuiteConnection:
        if ask in _LOGINS:
            given: MachineCredentials | TokenCredentials = MachineCredentials(
                Secret(f"{CANARY}-client"), Secret(f"{CANARY}-certificate"), Secret(_key()), "ES256"
            )
        else:
            given = TokenCredentials(*(Secret(f"{CANARY}-{n}") for n in range(4)))
        return NetSuiteConnection(
            name="netsuite-a", account="9123456_SB2", credentials=given, state_folder=folder, time_zone=ZoneInfo("UTC"),
        )  # fmt: skip

    def open(self, ask: Ask, folder: Path, wire: Wire) -> Opened:
        client = NetSuiteClient(self._connection(ask, folder), clock=FakeClock(NOW), transport=wire.transport)

        def record() -> str:
            return str(Records(client).get("invoice", RECORD_ID).get("id"))

        reader = cast("ChangesReader", Reader(client))
        return Opened(reader, NetSuiteWriter(client), record, client.close)

    def wanted(self, ask: Ask) -> Callable[[httpx.Request], bool]:
        part = "/oauth2/" if ask in _LOGINS else "/suiteql" if ask is Ask.LIST else "/record/v1/"
        return lambda request: part in request.url.path

    def answer(self, request: httpx.Request, day: date) -> Sent:
        path = request.url.path
        if "/oauth2/" in path:
            return Sent(encoded({"access_token": "good-token", "expires_in": "3600", "token_type": "bearer"}))
        if "/suiteql" in path:
            row: dict[str, Json] = {
                "id": good_id(day),
                "lastmodifieddate": f"{day} 10:00:00",
                "foreigntotal": TOTAL,
            }
            return Sent(encoded({"items": [row], "hasMore": False, "count": 1, "totalResults": 1}))
        where = f"https://{self.host}/services/rest/record/v1/customerPayment/900"
        return Sent(b"", 204, (("Location", where),))

    def effects(self, ask: Ask) -> Sequence[Effect]:
        count = 2 if ask is Ask.BATCH else 1
        return [creation("netsuite-a", "customerPayment", f"P-{n}", {"payment": 100}) for n in range(count)]


class SaasuScene(Scene):
    """A day of invoices, one invoice, new invoices, and new contacts (the second kind)."""

    vendor = Vendor.SAASU
    host = "api.saasu.com"
    entity = ENTITIES["invoices"]

    def open(self, ask: Ask, folder: Path, wire: Wire) -> Opened:
        login = PasswordCredentials(Secret(f"{CANARY}-user"), Secret(f"{CANARY}-password"))
        given = login if ask in _LOGINS else AccessKeyCredentials(Secret(CANARY))
        connection = SaasuConnection("saasu-a", 5150, given, folder, seconds_between_calls=0)
        client = SaasuClient(connection, clock=FakeClock(NOW), transport=wire.transport)

        def record() -> str:
            found = Probe(client).record("invoice", RECORD_ID)
            return "none" if found is None else str(found.get("TransactionId"))

        return Opened(SaasuReader(client), SaasuWriter(client), record, client.close)

    def wanted(self, ask: Ask) -> Callable[[httpx.Request], bool]:
        part = {
            Ask.LIST: "/Invoices",
            Ask.RECORD: "/Invoice/",
            Ask.WRITE: "/Invoice",
            Ask.SECOND: "/Contact",
        }.get(ask, "/authorisation/")
        return lambda request: request.url.path.startswith(part)

    def decoder(self) -> Callable[[Record], object]:
        return records.invoice

    def answer(self, request: httpx.Request, day: date) -> Sent:
        if request.url.path.startswith("/authorisation/"):
            grant: dict[str, Json] = {
                "access_token": "good-token",
                "refresh_token": "good-refresh",
                "expires_in": 10_800,
            }
            return Sent(encoded({**grant, "scope": "full fileid:5150"}))
        if request.method == "GET":
            row: dict[str, Json] = {
                "TransactionId": good_id(day),
                "LastModifiedDateUtc": f"{day}T10:00:00Z",
                "TotalAmount": TOTAL,
            }
            return Sent(encoded({"Invoices": [row], "_links": []}))
        return Sent(encoded({"InsertedEntityId": 900, "InsertedContactId": 900, "LastUpdatedId": "x"}))

    def effects(self, ask: Ask) -> Sequence[Effect]:
        if ask is Ask.SECOND:
            return [creation("saasu-a", "contact", "C-1", {"ContactId": "C-1", "GivenName": "Priya"})]
        body = {"TransactionType": "S", "InvoiceNumber": "N-1", "PurchaseOrderNumber": "N-1"}
        return [creation("saasu-a", "invoice", "N-1", dict(body))]
