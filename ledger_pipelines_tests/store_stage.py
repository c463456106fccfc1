"""A store on a sandbox, with nothing but a temporary folder, whatever its orders flow into.

Belongs here: set-up, acts of customers and staff through the store's own API, the sandbox's controls. Does not belong here: the other
side (`shop_stage`, `omni_stage`), assertions, any figure that our own reports claim.
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.by_day.service import ByDay
from ledger_pipelines_tests.configured import configured, loopback
from ledger_pipelines_tests.stage import JumpingClock

Record = dict[str, Any]
S = TypeVar("S", bound=ByDay[Any, Any, Any])


@dataclass
class StoreStage(ABC, Generic[S]):
    """One service on one sandbox.

    Args:
        settings: Changes of the integration's settings, by dotted name.
        only: The integration's settings before these changes; None = as shipped.
        start: Integration date of both connections.
        limited: Whether calls to the target keep their pace.
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
    only: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        self.control = loopback(self.sandbox_url, timeout=120)
        self.prepare()
        self.clock: JumpingClock = JumpingClock(self.control)
        self.loaded = self.configure()
        os.environ.update(sandbox_environment(self.loaded.config, self.credentials))
        self._service: S | None = None
        self.neto = loopback(self.addresses["neto"])

    # --- what a target says ----------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def name(self) -> str:
        """The integration's."""

    @property
    @abstractmethod
    def vendor(self) -> str:
        """The target's, on the sandbox."""

    @abstractmethod
    def prepare(self) -> None:
        """Switch the target's sandbox as the stage wants it."""

    @abstractmethod
    def change(self, document: Any) -> None:
        """Change the shipped ledger.yaml."""

    @abstractmethod
    def build(self) -> S:
        """The application."""

    # --- the product -----------------------------------------------------------------------------------------------

    def configure(self) -> LoadedConfig:
        """The shipped ledger.yaml with its data here, at this sandbox, with the changes asked for."""
        kind = repr(
            (
                self.name,
                dict(self.addresses),
                self.start,
                self.limited,
                self.connections,
                self.settings,
                self.only,
            )
        )
        return configured(self.folder, kind, self._changed)

    def _changed(self, document: Any) -> None:
        document["data_dir"] = str(self.folder / "data")
        if self.only is not None:
            document["integrations"][self.name]["settings"] = dict(self.only)
        self.change(document)
        for name, fields in self.connections.items():
            document["connections"][name].update(fields)
        document["connections"]["amazon_us"].pop("drop")
        # the shipped store's orders flow into other books, too, which are no part of this sandbox
        integrations = document["integrations"]
        source = integrations[self.name]["source"]
        for other in [name for name, one in integrations.items() if one["source"] == source]:
            if other != self.name:
                document["connections"].pop(integrations.pop(other)["target"])

    @property
    def service(self) -> S:
        """The application, built on first use."""
        if self._service is None:
            self._service = self.build()
        return self._service

    def again(self, **settings: object) -> S:
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
        for client in (self.control, self.neto):
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

    def fault(self, kind: str, vendor: str = "", **more: object) -> None:
        """Set one fault, of the target's where no vendor is named."""
        answer = self.control.post("/faults", json={"vendor": vendor or self.vendor, "kind": kind, **more})
        assert answer.status_code == 200, answer.text

    def spoil(self, record: str, name: str, value: str = "a lot", vendor: str = "neto") -> None:
        """A field of a record says what nobody can read, until `mend`."""
        self.fault("spoilt_record", vendor, record=record, name=name, value=value)

    def mend(self, vendor: str = "neto") -> None:
        """All records of a vendor say again what they did."""
        self.control.delete("/faults", params={"vendor": vendor}).raise_for_status()

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

    def store(self) -> Mapping[str, list[Record]]:
        """The store's records by kind, out of the sandbox's own dump."""
        found: Mapping[str, list[Record]] = self._exact("/dump/neto")["records"]
        return found

    def _exact(self, path: str) -> Any:
        answer = self.control.get(path).raise_for_status()
        return json.loads(answer.text, parse_float=Decimal)
