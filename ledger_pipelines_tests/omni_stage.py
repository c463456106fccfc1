"""A store and a Cin7 Omni account on a sandbox: what end-to-end tests, drill and benchmarks share.

Belongs here: the account, and acts of people in it. Does not belong here: the store (`store_stage`), assertions, any figure that our own
reports claim.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.integrations.neto_cin7.service import NetoCin7, build_service
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.configured import loopback, with_changes
from ledger_pipelines_tests.stage import WINDOW
from ledger_pipelines_tests.store_stage import Record, StoreStage

NAME = "neto_cin7"
FREE = {"per_second": None, "per_minute": None, "per_day": None}
LIMITS = {"per_second": 3, "per_minute": 60, "per_day": 5000}
MAIN, SHED = 3, 4
"""Branches."""


@dataclass
class OmniStage(StoreStage[NetoCin7]):
    """One service on one sandbox. limited: whether the account has its three limits."""

    name = NAME
    vendor = "cin7"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cin7 = loopback(self.addresses["cin7"])

    def prepare(self) -> None:
        """The limits, or none."""
        self.omni_settings(**(LIMITS if self.limited else FREE))
        self.control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()

    def change(self, document: Any) -> None:
        """At this sandbox."""
        connections, pace = document["connections"], {} if self.limited else {"seconds_between_calls": 0}
        connections["shop"] |= {
            "store": self.addresses["neto"], "start_date": self.start, "settle_window_seconds": WINDOW,
        }  # fmt: skip
        connections["cin7"] = {
            "system": "cin7", "sandbox": True, "base_url": self.addresses["cin7"], "start_date": self.start,
            "auth": {"username_env": "CIN7_USERNAME", "key_env": "CIN7_KEY"},
            "books_time_zone": connections["shop"]["books_time_zone"], "settle_window_seconds": WINDOW,
            "calls_per_minute": 60 if self.limited else 600, "calls_per_day_allowed": 5000 if self.limited else 1_000_000, **pace,
        }  # fmt: skip
        document["integrations"][NAME] = {
            "kind": "neto_cin7", "source": "shop", "target": "cin7", "mode": "live", "settings": {},
        }  # fmt: skip
        with_changes(document["integrations"][NAME]["settings"], self.settings)

    def build(self) -> NetoCin7:
        """The application."""
        clock: Clock = self.clock
        return build_service(self.loaded, NAME, clock=clock)

    def close(self) -> None:
        """Close all."""
        super().close()
        self.cin7.close()

    # --- people in Omni ----------------------------------------------------------------------------------------------

    def omni_settings(self, **more: object) -> None:
        """Switches of the account's sandbox."""
        self.control.post("/cin7/settings", json=more).raise_for_status()

    def omni(self, method: str, path: str, body: object = None, **params: Any) -> Any:
        """One call of the account's API, as another program would make it."""
        given = self.credentials["cin7"]
        answer = self.cin7.request(
            method,
            f"/api/v1/{path}",
            params=params,
            json=body,
            auth=(str(given["username"]), str(given["key"])),
        )
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def edit(self, reference: str, **changes: object) -> None:
        """Somebody changes an order in Omni."""
        told = self.omni("PUT", "SalesOrders", [{"id": self.account().order(reference)["id"], **changes}])
        assert told[0]["success"], told

    def adjust(self, code: str, quantity: int, branch: int = MAIN) -> None:
        """Stock comes in, or goes."""
        line = {"code": code, "qty": quantity, "unitCost": 1}
        body = {"branchId": branch, "lineItems": [line]}
        told = self.omni("POST", "Adjustments", [body])
        assert told[0]["success"], told

    def account(self) -> OmniAccount:
        """The account, out of the sandbox's own dump."""
        return OmniAccount(self._exact("/dump/cin7"))


@dataclass(frozen=True)
class OmniAccount:
    """The sandbox's dump of the account."""

    dump: Record

    def records(self, kind: str) -> list[Record]:
        """All records of a kind."""
        found: list[Record] = self.dump["records"][kind]
        return found

    def orders(self) -> Mapping[str, Record]:
        """By reference; a reference there twice fails here."""
        found = {one["reference"]: one for one in self.records("order")}
        assert len(found) == len(self.records("order"))
        return found

    def order(self, reference: str) -> Record:
        """One of them."""
        return self.orders()[reference]

    def lines(self, reference: str) -> list[Record]:
        """Lines of an order that are there."""
        return [line for line in self.order(reference)["lineItems"] if Decimal(str(line["qty"]))]

    def payments(self, reference: str) -> list[Record]:
        """Payments on an order."""
        own = self.order(reference)["id"]
        return [one for one in self.records("payment") if one["orderId"] == own]

    def on_hand(self, code: str, branch: int = MAIN) -> Decimal:
        """Stock of a SKU at a branch."""
        options = {
            (one["id"], one["size"] or "")
            for one in self.records("option")
            if code in (one["productOptionSizeCode"], one["productOptionCode"], one["code"])
        }
        found = [
            Decimal(str(one["on_hand"]))
            for one in self.dump["stock"]
            if (one["option"], one["size"] or "") in options and one["branch"] == branch
        ]
        return sum(found, Decimal(0))


def omni_stage(sandbox: RunningSandbox, folder: Path, **more: Any) -> OmniStage:
    """A stage on a running sandbox."""
    return OmniStage(sandbox.control_url, sandbox.base_urls, sandbox.credentials, folder, **more)


def references(orders: Sequence[Record]) -> list[str]:
    """Of some orders."""
    return [str(one["reference"]) for one in orders]
