"""A whole integration on a sandbox, with nothing but a temporary folder: what end-to-end tests, drill and benchmarks share.

Belongs here: set-up, the sandbox's control port, and the sandbox's own books for verdicts. Does not belong here:
assertions, any figure that our own reports claim.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
from ledger_pipelines.integrations.amazon_netsuite.results import RunResult
from ledger_pipelines.integrations.amazon_netsuite.sandbox_books import MadeBooks, make_books
from ledger_pipelines.integrations.amazon_netsuite.service import AmazonNetSuite, build_service
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.configured import configured, loopback, with_changes
from ledger_pipelines_tests.generate import SettlementFile

NAME = "amazon_netsuite"
CLEARING = {"USD": "1051", "EUR": "1052", "GBP": "1053", "CAD": "1054", "JPY": "1055"}
BANK = {"USD": "1001", "EUR": "1002", "GBP": "1003", "CAD": "1004", "JPY": "1005"}
PAYABLE = "2210"
"""Owed to Amazon: where a negative deposit goes."""
WINDOW = 20
"""Settle window of the test connection, in seconds of the shared clock."""
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
Record = dict[str, Any]


class JumpingClock:
    """The product's clock in step with the sandbox's: short waits are real, long ones move both clocks at once."""

    def __init__(self, control: httpx.Client) -> None:
        self._control = control
        offset = control.get("/clock").raise_for_status().json()["offset_seconds"]
        self._ahead = timedelta(seconds=offset)

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC) + self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait."""
        if seconds <= 0.25:
            time.sleep(max(0.0, seconds))
            return
        self.jump(seconds)
        time.sleep(0.03)

    def jump(self, seconds: float) -> None:
        """Move both clocks ahead."""
        self._ahead += timedelta(seconds=seconds)
        self._control.post("/clock", json={"advance_seconds": seconds}).raise_for_status()


@dataclass
class Stage:
    """One service on one sandbox. `settings`: changes of the integration's settings, by dotted name."""

    sandbox_url: str
    addresses: Mapping[str, str]
    credentials: Mapping[str, Any]
    folder: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    connection: Mapping[str, object] = field(default_factory=dict)
    real_clock: bool = False

    def __post_init__(self) -> None:
        self.control = loopback(self.sandbox_url, timeout=120)
        self.clock: JumpingClock = JumpingClock(self.control)
        self.loaded = self.configure()
        os.environ.update(sandbox_environment(self.loaded.config, self.credentials))
        self.drop = Path(self.loaded.config.amazon("amazon_us").drop.path)  # type: ignore[union-attr] # shipped with one
        self.drop.mkdir(parents=True, exist_ok=True)
        self._service: AmazonNetSuite | None = None

    # --- the product -----------------------------------------------------------------------------------------------

    def configure(self) -> LoadedConfig:
        """The shipped ledger.yaml with its data here, at this sandbox, with the changes asked for."""
        kind = repr((NAME, dict(self.addresses), self.connection, self.settings))
        return configured(self.folder, kind, self._change)

    def _change(self, document: Any) -> None:
        document["data_dir"] = str(self.folder / "data")
        connections = document["connections"]
        connections["amazon_us"]["base_url"] = self.addresses["amazon"]
        connections["amazon_us"]["drop"]["path"] = str(self.folder / "drop")
        netsuite = connections["netsuite"]
        netsuite["base_url"] = self.addresses["netsuite"]
        netsuite["settle_window_seconds"] = WINDOW
        netsuite.update(self.connection)
        with_changes(document["integrations"][NAME]["settings"], self.settings)

    @property
    def service(self) -> AmazonNetSuite:
        """The application, built on first use."""
        if self._service is None:
            clock: Clock | None = None if self.real_clock else self.clock
            self._service = build_service(self.loaded, NAME, clock=clock)
        return self._service

    def again(self, **settings: object) -> AmazonNetSuite:
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
        self.control.close()

    def forget_journal(self) -> None:
        """Lose the journal, and nothing else."""
        self.close_service()
        for path in (self.folder / "data").rglob("journal*.sqlite*"):
            path.unlink()

    def receive(self, content: bytes | SettlementFile, name: str = "settlement.txt") -> ArrivalOutcome:
        """Put a file into the drop folder and take it in."""
        path = self.drop / name
        path.write_bytes(content.v2() if isinstance(content, SettlementFile) else content)
        return self.service.receive(path)

    def seed(self, settlement_id: str, *, leave_out: int = 0) -> MadeBooks:
        """Give the sandbox the books behind a settlement that was received."""
        service = self.service
        return make_books(
            service.groups(settlement_id), service.settlement(settlement_id), service.client,
            settings=service.setup.settings, zone=service.setup.zone, leave_out=leave_out,
        )  # fmt: skip

    def arrive(
        self, content: bytes | SettlementFile, *, seed: bool = True, name: str = "settlement.txt"
    ) -> str:
        """Receive a file that must be accepted, and seed its books; the settlement id."""
        outcome = self.receive(content, name)
        assert outcome.accepted, outcome.message
        assert outcome.settlement_id is not None
        if seed:
            self.seed(outcome.settlement_id)
        return outcome.settlement_id

    def run(self, settlement_id: str) -> RunResult:
        """Run now, all flows."""
        return self.service.run(None, settlement_id)

    def unfinished(self) -> int:
        """Effects that the journal does not know to be done."""
        counts = self.service.journal.counts()
        return sum(number for state, number in counts.items() if state is not EffectState.CONFIRMED)

    # --- the sandbox -----------------------------------------------------------------------------------------------

    def fault(self, kind: str, **more: object) -> None:
        """Set one fault at NetSuite."""
        answer = self.control.post("/faults", json={"vendor": "netsuite", "kind": kind, **more})
        assert answer.status_code == 200, answer.text

    def fired(self) -> int:
        """How often faults struck."""
        return sum(fault["fired"] for fault in self.control.get("/faults").json()["faults"])

    def period(self, name: str, *, closed: bool) -> None:
        """Close or open an accounting period, like `Mar 2026`."""
        self.control.post("/netsuite/periods", json={"name": name, "closed": closed}).raise_for_status()

    def forget_calls(self) -> None:
        """Count calls from zero."""
        self.control.delete("/calls").raise_for_status()

    def calls(self) -> list[Record]:
        """Calls to NetSuite as the sandbox counted them: {method, path, status, count}."""
        counted = self.control.get("/calls", params={"vendor": "netsuite"}).raise_for_status().json()
        return list(counted["calls"])

    def writes(self) -> int:
        """Calls that write records."""
        return sum(
            call["count"]
            for call in self.calls()
            if call["method"] in _WRITING and "suiteql" not in call["path"] and "token" not in call["path"]
        )

    def books(self) -> Books:
        """NetSuite's books, out of its own dump."""
        return Books(self._exact("/dump/netsuite"), self._exact("/trial-balance/netsuite"))

    def _exact(self, path: str) -> Any:
        answer = self.control.get(path).raise_for_status()
        return json.loads(answer.text, parse_float=Decimal)

    def make(self, record: str, body: Record) -> str:
        """Create a record in NetSuite as its user would; its internal id."""
        answer = self.service.client.write("POST", f"/services/rest/record/v1/{record}", body=body)
        assert answer.status == 204, answer.body
        return str(answer.headers["location"]).rsplit("/", 1)[1]

    def document(
        self, record: str, order_id: str, lines: Sequence[tuple[str, int, str]], **more: object
    ) -> str:
        """Create an invoice, sales order or cash sale of an Amazon order as another integration would; its id.

        Args:
            lines: (item, quantity, amount of the line).
            more: Other fields of the body.
        """
        items = {r["itemId"]: str(r["id"]) for kind in ITEM_TYPES for r in self.books().records(kind)}
        body: Record = {
            "entity": {"id": "101"},
            "tranDate": "2026-03-04",
            "otherRefNum": order_id,
            "custbody_azs_order_id": order_id,
            "item": {
                "items": [
                    {"item": {"id": items[item]}, "quantity": quantity, "amount": Decimal(amount)}
                    for item, quantity, amount in lines
                ]
            },
        }
        return self.make(record, body | more)

    def change(self, record: str, record_id: str, body: Record) -> None:
        """Change a record in NetSuite as its user would."""
        answer = self.service.client.write(
            "PATCH", f"/services/rest/record/v1/{record}/{record_id}", body=body
        )
        assert answer.status == 204, answer.body


@dataclass(frozen=True)
class Books:
    """The sandbox's dump and trial balance."""

    dump: Record
    trial: Record

    def records(self, kind: str) -> list[Record]:
        """All records of a type."""
        return list(self.dump["records"].get(kind, []))

    def ours(self, kind: str, settlement_id: str | None = None) -> list[Record]:
        """Records of a type that the product made, by their external ids."""
        start = "AZS-" if settlement_id is None else f"AZS-{settlement_id}"
        made = self.records(kind)
        return [
            r
            for r in made
            if str(r.get("externalId", "")).startswith((start, "AZS-INV") if kind == "invoice" else start)
        ]

    def of_order(self, kind: str, order_id: str) -> list[Record]:
        """Our records of an order, by the order id they carry."""
        return [r for r in self.ours(kind) if r.get("custbody_azs_order_id") == order_id]

    def by_id(self, record_id: str) -> Record:
        """A transaction by internal id."""
        for records in self.dump["records"].values():
            for record in records:
                if str(record.get("id")) == record_id and "tranDate" in record:
                    return dict(record)
        raise AssertionError(f"no transaction {record_id}")

    def count(self) -> dict[str, int]:
        """Number of records of each type."""
        return {kind: len(records) for kind, records in self.dump["records"].items()}

    def balance(self, number: str, currency: str = "USD") -> Decimal:
        """Debit-positive balance of an account, in the currency of its transactions."""
        assert self.trial["balanced"], self.trial
        return sum(
            (
                Decimal(line["balance"])
                for line in self.trial["accounts"]
                if line["number"] == number and line["currency"] == currency
            ),
            Decimal(0),
        )

    def posted(self, settlement_id: str, number: str) -> Decimal:
        """What the documents of one settlement posted to an account, debit positive, in their own currency."""
        mine = {str(r["id"]) for kind in POSTING for r in self.ours(kind, settlement_id)}
        account = next(str(line["id"]) for line in self.records("account") if line["acctNumber"] == number)
        return sum(
            (
                Decimal(str(row.get("foreigndebit") or 0)) - Decimal(str(row.get("foreigncredit") or 0))
                for row in self.dump["ledger"]
                if str(row["transaction"]) in mine and str(row["account"]) == account
            ),
            Decimal(0),
        )

    def external_ids(self) -> list[str]:
        """Every external id of ours, doubles included."""
        found: Iterable[Record] = (r for records in self.dump["records"].values() for r in records)
        return sorted(str(r["externalId"]) for r in found if str(r.get("externalId", "")).startswith("AZS-"))


ITEM_TYPES = ("nonInventorySaleItem", "otherChargeSaleItem")
POSTING = ("customerPayment", "creditMemo", "customerRefund", "journalEntry")
"""Record types a settlement posts with; invoices are made once for all settlements."""


def stage_on(sandbox: RunningSandbox, folder: Path, **more: Any) -> Stage:
    """A stage on a running sandbox."""
    return Stage(sandbox.control_url, sandbox.base_urls, sandbox.credentials, folder, **more)
