"""A plain HTTP client of the NetSuite sandbox for its own tests, signed by oauthlib. No client of the product."""

import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client
from starlette.testclient import TestClient

from ledger_pipelines.sandbox.calls import CallLog
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.faults import Faults, VendorFaults
from ledger_pipelines.sandbox.netsuite import NetSuiteVendor
from ledger_pipelines.sandbox.state import StateStore
from ledger_pipelines.sandbox.vendor import SandboxContext

BASE = "http://127.0.0.1:8706"
RECORD = "/services/rest/record/v1"
SUITEQL = "/services/rest/query/v1/suiteql"
NOW = datetime(2026, 9, 20, 19, 0, 0, tzinfo=UTC)
CLEARING, RECEIVABLE, SALES = "221", "240", "400"
AMAZON_US, ITEM = "101", "1"


class Tba(httpx.Auth):
    """Signs each attempt by the sandbox's clock."""

    def __init__(self, credentials: dict[str, str], clock: SandboxClock, realm: str = "9123456_SB1"):
        self.credentials, self.clock, self.realm = credentials, clock, realm

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        client = Client(
            self.credentials["consumer_key"],
            client_secret=self.credentials["consumer_secret"],
            resource_owner_key=self.credentials["token"],
            resource_owner_secret=self.credentials["token_secret"],
            signature_method=SIGNATURE_HMAC_SHA256,
            realm=self.realm,
            timestamp=str(int(self.clock.now().timestamp())),
        )
        _, headers, _ = client.sign(str(request.url), request.method)
        request.headers["Authorization"] = headers["Authorization"]
        yield request


@dataclass
class Desk:
    """One vendor in this process and a client of it."""

    vendor: NetSuiteVendor
    clock: SandboxClock
    faults: Faults
    http: TestClient

    def auth(self, which: str = "auth") -> Tba:
        found: Any = self.vendor.credentials()[which]
        return Tba(found["tba"], self.clock)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        options.setdefault("auth", self.auth())
        return self.http.request(
            method, path if path.startswith("/services") else f"{RECORD}/{path}", **options
        )

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, json=body, headers=named)

    def made(self, path: str, body: Any) -> str:
        """Create a record; its id."""
        answer = self.post(path, body)
        assert answer.status_code == 204, answer.text
        return answer.headers["Location"].rsplit("/", 1)[1]

    def get(self, path: str, **params: str) -> Any:
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, q: str, *params: Any, limit: int = 1000, offset: int = 0, **options: Any) -> httpx.Response:
        return self.call(
            "POST",
            SUITEQL,
            params={"limit": limit, "offset": offset},
            headers={"Prefer": "transient"},
            json={"q": q, "params": list(params)},
            **options,
        )

    def rows(self, q: str, *params: Any) -> list[dict[str, str]]:
        answer = self.ask(q, *params)
        assert answer.status_code == 200, answer.text
        return [
            {name: value for name, value in item.items() if name != "links"}
            for item in answer.json()["items"]
        ]

    def invoice(self, amount: str = "100.00", **extra: Any) -> str:
        return self.made("invoice", invoice_body(amount, **extra))

    def pay(self, invoice: str, amount: str, **extra: Any) -> httpx.Response:
        return self.post("customerPayment", payment_body({invoice: amount}, amount, **extra))

    def balance(self, number: str, currency: str = "USD") -> str:
        found: Any = self.vendor.trial_balance()
        assert found["balanced"], found
        return next(
            (
                line["balance"]
                for line in found["accounts"]
                if line["number"] == number and line["currency"] == currency
            ),
            "0",
        )


def invoice_body(amount: str = "100.00", **extra: Any) -> dict[str, Any]:
    return {
        "entity": {"id": AMAZON_US},
        "tranDate": "2026-09-10",
        "item": {"items": [{"item": {"id": ITEM}, "quantity": 1, "amount": float(amount)}]},
        **extra,
    }


def payment_body(applied: dict[str, str], amount: str, **extra: Any) -> dict[str, Any]:
    return {
        "customer": {"id": AMAZON_US},
        "payment": float(amount),
        "undepFunds": False,
        "account": {"id": CLEARING},
        "tranDate": "2026-09-14",
        "autoApply": False,
        "apply": {
            "items": [
                {"doc": {"id": doc}, "apply": True, "amount": float(part)} for doc, part in applied.items()
            ]
        },
        **extra,
    }


def vendor_in_memory(
    seed: str = "empty", path: Path | None = None
) -> tuple[NetSuiteVendor, SandboxClock, Faults]:
    """A seeded vendor with a frozen clock."""
    clock = SandboxClock()
    clock.freeze(NOW)
    faults = Faults(clock)
    faults.declare("netsuite", NetSuiteVendor.extra_faults)
    fresh = path is None or not path.exists()
    store = StateStore(path)
    context = SandboxContext(clock, VendorFaults("netsuite", faults), CallLog(), store, BASE, seed)
    vendor = NetSuiteVendor(context)
    if fresh and seed in _SEEDED:
        store.restore(_SEEDED[seed])
        vendor.reload()
    elif fresh:
        vendor.reset(seed)
        _SEEDED[seed] = store.snapshot()
    return vendor, clock, faults


_SEEDED: dict[str, sqlite3.Connection] = {}


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and sentence of a refusal."""
    detail = answer.json()["o:errorDetails"][0]
    return answer.status_code, detail["o:errorCode"], detail["detail"]
