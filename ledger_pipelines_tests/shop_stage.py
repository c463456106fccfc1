"""A shop and its books on a sandbox, with nothing but a temporary folder: what end-to-end tests, drill and benchmarks share.

Belongs here: set-up, acts of customers and staff through the vendors' own APIs, the sandbox's own books for verdicts. Does
not belong here: assertions, any figure that our own reports claim.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.neto_saasu.service import NetoSaasu, build_service
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.configured import configured, loopback, with_changes
from ledger_pipelines_tests.stage import WINDOW, JumpingClock

NAME = "neto_saasu"
FILE = "5150"
Record = dict[str, Any]


@dataclass
class ShopStage:
    """One service on one sandbox.

    Args:
        settings: Changes of the integration's settings, by dotted name.
        start: Integration date of both connections.
        limited: Whether calls keep their pace, one a second.
        connections: Changes of the connections' fields, by connection.
    """

    sandbox_url: str
    addresses: Mapping[str, str]
    credentials: Mapping[str, Any]
    folder: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    start: str = "2026-08-01"
    limited: bool = False
    connections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.control = loopback(self.sandbox_url, timeout=120)
        self.control.post(
            "/saasu/settings", json={"rate_limit": self.limited, "daily_quota": None}
        ).raise_for_status()
        self.clock: JumpingClock = JumpingClock(self.control)
        self.loaded = self.configure()
        os.environ.update(sandbox_environment(self.loaded.config, self.credentials))
        self._service: NetoSaasu | None = None
        self.neto = loopback(self.addresses["neto"])
        self.saasu = loopback(self.addresses["saasu"])

    # --- the product -----------------------------------------------------------------------------------------------

    def configure(self) -> LoadedConfig:
        """The shipped ledger.yaml with its data here, at this sandbox, with the changes asked for."""
        kind = repr((NAME, dict(self.addresses), self.start, self.limited, self.connections, self.settings))
        return configured(self.folder, kind, self._change)

    def _change(self, document: Any) -> None:
        document["data_dir"] = str(self.folder / "data")
        connections = document["connections"]
        connections["shop"] |= {
            "store": self.addresses["neto"], "start_date": self.start, "settle_window_seconds": WINDOW,
        }  # fmt: skip
        connections["saasu"] |= {
            "base_url": self.addresses["saasu"], "start_date": self.start, "settle_window_seconds": WINDOW,
            "seconds_between_calls": 1 if self.limited else 0, "calls_per_day_of_plan": 1_000_000,
        }  # fmt: skip
        for name, fields in self.connections.items():
            connections[name].update(fields)
        connections["amazon_us"].pop("drop")
        with_changes(document["integrations"][NAME]["settings"], self.settings)

    @property
    def service(self) -> NetoSaasu:
        """The application, built on first use."""
        if self._service is None:
            clock: Clock = self.clock
            self._service = build_service(self.loaded, NAME, clock=clock)
        return self._service

    def again(self, **settings: object) -> NetoSaasu:
        """A new process, as it were: closed and built anew, with further settings (dots written as __)."""
        self.close_service()
        self.settings = {**self.settings, **{k.replace("__", "."): v for k, v in settings.items()}}
        self.loaded = self.configure()
        return self.service

    def close_service(self) -> None:
        """Close the application."""
        if self._service is not None:
            self._service.close()
            self._service = None

    def close(self) -> None:
        """Close all."""
        self.close_service()
        for client in (self.control, self.neto, self.saasu):
            client.close()

    def forget_journal(self) -> None:
        """Lose the journal, and nothing else."""
        self.close_service()
        for path in (self.folder / "data").rglob("journal*.sqlite*"):
            path.unlink()

    def run(self, days: Sequence[date] = ()) -> RunResult:
        """Run now, all flows."""
        return self.service.run(None, days)

    def unfinished(self) -> int:
        """Effects that the journal does not know to be done."""
        counts = self.service.journal.counts()
        return sum(number for state, number in counts.items() if state is not EffectState.CONFIRMED)

    # --- customers and staff ---------------------------------------------------------------------------------------

    def shop(self, action: str, body: Record) -> Record:
        """One call of the store's API, as any other program of the store would make it."""
        answer = self.neto.post(
            "/do/WS/NetoAPI", json=body,
            headers={
                "NETOAPI_ACTION": action, "NETOAPI_KEY": str(self.credentials["neto"]["api_key"]),
                "Accept": "application/json",
            },
        )  # fmt: skip
        told: Record = json.loads(answer.raise_for_status().text, parse_float=Decimal)
        assert told["Ack"] == "Success", told
        return told

    def book(self, method: str, path: str, body: Record | None = None, **params: Any) -> Any:
        """One call of the file's API, as a bookkeeper's program would make it."""
        key = str(self.credentials["saasu"]["access_key"])
        answer = self.saasu.request(
            method, path, params={"wsAccessKey": key, "FileId": FILE, **params}, json=body
        )
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def order(self, *lines: Record, **more: object) -> str:
        """A customer orders; the order number."""
        wish: Record = {
            "Username": "priya.nair0", "Email": "priya@example.com", "BillFirstName": "Priya", "BillLastName": "Nair",
            "BillStreet1": "7 Quay St", "BillCity": "SYDNEY", "BillState": "NSW", "BillPostCode": "2000", "BillCountry": "AU",
            "ShipFirstName": "Priya", "ShipLastName": "Nair", "ShipStreet1": "7 Quay St", "ShipCity": "SYDNEY", "ShipState": "NSW",
            "ShipPostCode": "2000", "ShipCountry": "AU", "ShippingMethod": "Standard Post", "ShippingCost": "9.95",
            "OrderStatus": "Pick", "OrderLine": list(lines) or [{"SKU": "POT-600", "Quantity": "1"}],
        } | more  # fmt: skip
        return str(self.shop("AddOrder", {"Order": [wish]})["Order"]["OrderID"])

    def pay(self, order: str, amount: str, method: str = "PayPal Checkout", **more: object) -> str:
        """A customer pays; the payment's id."""
        wish = {
            "OrderID": order,
            "AmountPaid": amount,
            "PaymentMethodName": method,
            "CardAuthorisation": order,
        }
        return str(self.shop("AddPayment", {"Payment": [wish | more]})["Payment"]["PaymentID"])

    def status(self, order: str, status: str) -> None:
        """Staff move an order on."""
        self.shop("UpdateOrder", {"Order": [{"OrderID": order, "OrderStatus": status}]})

    def owed(self, order: str) -> Decimal:
        """Grand total of an order, as the store says."""
        asked = {"Filter": {"OrderID": [order], "OutputSelector": ["GrandTotal"]}}
        return Decimal(self.shop("GetOrder", asked)["Order"][0]["GrandTotal"])

    # --- the sandbox -----------------------------------------------------------------------------------------------

    def fault(self, kind: str, vendor: str = "saasu", **more: object) -> None:
        """Set one fault."""
        answer = self.control.post("/faults", json={"vendor": vendor, "kind": kind, **more})
        assert answer.status_code == 200, answer.text

    def fired(self) -> int:
        """How often faults struck."""
        return sum(fault["fired"] for fault in self.control.get("/faults").json()["faults"])

    def forget_calls(self) -> None:
        """Count calls from zero."""
        self.control.delete("/calls").raise_for_status()

    def calls(self, vendor: str) -> Counter[str]:
        """Calls as the sandbox counted them: "METHOD path" -> how often; ids as {id}."""
        counted = self.control.get("/calls", params={"vendor": vendor}).raise_for_status().json()
        found: Counter[str] = Counter()
        for call in counted["calls"]:
            found[f"{call['method']} {call['path']}"] += call["count"]
        return found

    def file(self) -> SaasuFile:
        """The file's books, out of the sandbox's own dump."""
        return SaasuFile(self._exact("/dump/saasu")["files"][FILE], self._exact("/trial-balance/saasu")[FILE])

    def store(self) -> Mapping[str, list[Record]]:
        """The store's records by kind, out of the sandbox's own dump."""
        found: Mapping[str, list[Record]] = self._exact("/dump/neto")["records"]
        return found

    def _exact(self, path: str) -> Any:
        answer = self.control.get(path).raise_for_status()
        return json.loads(answer.text, parse_float=Decimal)


@dataclass(frozen=True)
class SaasuFile:
    """The sandbox's dump and trial balance of one file."""

    dump: Record
    trial: Record

    def records(self, kind: str) -> list[Record]:
        """All records of a kind."""
        return list(self.dump["records"].get(kind, []))

    def invoices(self, reference: str = "") -> list[Record]:
        """Sales by our reference (purchase-order number); all of them without one."""
        sales = [one for one in self.records("invoice") if one["TransactionType"] == "S"]
        return [one for one in sales if not reference or one["PurchaseOrderNumber"] == reference]

    def payments(self, reference: str = "") -> list[Record]:
        """Payments by reference; all of them without one."""
        return [one for one in self.records("payment") if not reference or one["Reference"] == reference]

    def balance(self, name: str) -> Decimal:
        """Debit-positive balance of an account in base currency."""
        assert self.trial["balanced"], self.trial
        return sum(
            (Decimal(line["balance"]) for line in self.trial["accounts"] if line["name"] == name), Decimal(0)
        )

    def counts(self) -> dict[str, int]:
        """How many records of each kind."""
        return {kind: len(rows) for kind, rows in self.dump["records"].items()}


def sydney_days(first: date, last: date) -> list[date]:
    """Each day from first to last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def day_of(text: str) -> date:
    """The day of an instant or date as the sandbox prints it."""
    return datetime.fromisoformat(text).date()


def shop_stage(sandbox: RunningSandbox, folder: Path, **more: Any) -> ShopStage:
    """A stage on a running sandbox."""
    return ShopStage(sandbox.control_url, sandbox.base_urls, sandbox.credentials, folder, **more)
