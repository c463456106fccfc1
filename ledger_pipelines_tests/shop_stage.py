"""A shop and its books on a sandbox: what end-to-end tests, drill and benchmarks share.

Belongs here: the Saasu file, and acts of its bookkeeper. Does not belong here: the store (`store_stage`), assertions, any figure that
our own reports claim.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.integrations.neto_saasu.service import NetoSaasu, build_service
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.configured import loopback, with_changes
from ledger_pipelines_tests.stage import WINDOW
from ledger_pipelines_tests.store_stage import Record, StoreStage

NAME = "neto_saasu"
FILE = "5150"


@dataclass
class ShopStage(StoreStage[NetoSaasu]):
    """One service on one sandbox. limited: whether calls to the file keep their pace, one a second."""

    name = NAME
    vendor = "saasu"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.saasu = loopback(self.addresses["saasu"])

    def prepare(self) -> None:
        """No quota."""
        self.control.post(
            "/saasu/settings", json={"rate_limit": self.limited, "daily_quota": None}
        ).raise_for_status()

    def change(self, document: Any) -> None:
        """At this sandbox."""
        connections = document["connections"]
        connections["shop"] |= {
            "store": self.addresses["neto"], "start_date": self.start, "settle_window_seconds": WINDOW,
        }  # fmt: skip
        connections["saasu"] |= {
            "base_url": self.addresses["saasu"], "start_date": self.start, "settle_window_seconds": WINDOW,
            "seconds_between_calls": 1 if self.limited else 0, "calls_per_day_of_plan": 1_000_000,
        }  # fmt: skip
        with_changes(document["integrations"][NAME]["settings"], self.settings)

    def build(self) -> NetoSaasu:
        """The application."""
        clock: Clock = self.clock
        return build_service(self.loaded, NAME, clock=clock)

    def close(self) -> None:
        """Close all."""
        super().close()
        self.saasu.close()

    def book(self, method: str, path: str, body: Record | None = None, **params: Any) -> Any:
        """One call of the file's API, as a bookkeeper's program would make it."""
        key = str(self.credentials["saasu"]["access_key"])
        answer = self.saasu.request(
            method, path, params={"wsAccessKey": key, "FileId": FILE, **params}, json=body
        )
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def file(self) -> SaasuFile:
        """The file's books, out of the sandbox's own dump."""
        return SaasuFile(self._exact("/dump/saasu")["files"][FILE], self._exact("/trial-balance/saasu")[FILE])


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
