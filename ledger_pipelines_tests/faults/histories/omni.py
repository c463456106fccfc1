"""Histories of a shop and its Omni account: orders are there as they are now, once, paid as much, dispatched or void where they are to be.

Belongs here: the account's side of it, and what its staff do. Does not belong here: acts of the store (`history`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import ClassVar

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.e2e.omni.kit import DISPATCH, restored, writes
from ledger_pipelines_tests.e2e.shop.conftest import MORNING
from ledger_pipelines_tests.e2e.shop.kit import EagerClock, number
from ledger_pipelines_tests.faults.histories.history import SKUS, History, is_wanted, paid_on
from ledger_pipelines_tests.omni_stage import OmniAccount, OmniStage, omni_stage
from ledger_pipelines_tests.store_stage import Record

WAYS: Mapping[str, str] = {
    "dispatch": DISPATCH, "ignore-stock": f"{DISPATCH} (Ignore Stock)", "by-hand": DISPATCH,
}  # fmt: skip
"""How status updates are set; `by-hand`: staff change orders in Omni, too."""
BY_HAND = "by-hand"
_EXPECTED = frozenset(
    {
        "order-changed", "cancelled-order-paid", "cancelled-later", "short-stock", "void-dispatched", "edited-in-omni", "order-waits", "line-lost",
        "dispatched-already", "locked",
    }
)  # fmt: skip


def opened(sandbox: RunningSandbox, folder: Path, way: str) -> OmniStage:
    """An installation on the small account as it was when it was set up."""
    restored(sandbox, MORNING)
    settings = {"status_updates.auto_dispatch_orders": WAYS[way], "payments.enabled": True}
    stage = omni_stage(sandbox, folder, settings=settings, start="2026-10-19", connections={})
    stage.clock = EagerClock(stage.control)
    stage.service.initial_sync()
    return stage


class OmniHistory(History[OmniStage]):
    """Of a shop and its account."""

    WRITES = "/(SalesOrders|Payments|Contacts)"
    ACTS: ClassVar[Mapping[str, float]] = {**History.ACTS, "moves": 4, "counts": 1}

    def __init__(self, stage: OmniStage, chooser: Random) -> None:
        super().__init__(stage, chooser)
        self.raised: set[str] = set()
        """Orders of which staff sell more in Omni than was ordered."""

    def wrote(self) -> Mapping[str, int]:
        """Calls that wrote to the account."""
        return writes(self.stage)

    def judge(self) -> list[str]:
        """Orders and payments."""
        account, store, waiting = self.stage.account(), self.stage.store(), self.waiting()
        problems = [
            f"{name} waits for {code}"
            for name, codes in waiting.items()
            for code in sorted(codes - _EXPECTED)
        ]
        references = [one["transactionRef"] for one in account.records("payment")]
        if len(references) != len(set(references)):
            problems.append(f"a payment is there twice: {sorted(references)}")
        there = account.orders()
        for order in store["order"]:
            if order["key"] not in waiting:
                problems += self._differs(order, there.get(order["key"]), account, store)
        return problems

    def _differs(
        self, order: Record, there: Record | None, account: OmniAccount, store: Mapping[str, list[Record]]
    ) -> list[str]:
        key, status = order["key"], order["OrderStatus"]
        if status == "Cancelled":
            return [] if there is None or there["isVoid"] else [f"{key} is cancelled, and not void"]
        if there is None:
            return [f"{key} ({status}) is not there"] if is_wanted(order) else []
        problems = [f"{key} ({status}) is void"] if there["isVoid"] else []
        if key not in self.raised and number(there["total"]) != number(order["GrandTotal"]):
            problems.append(f"{key} ({status}) comes to {there['total']}, not {order['GrandTotal']}")
        if bool(there.get("dispatchedDate")) != (status == "Dispatched"):
            problems.append(f"{key} ({status}) was dispatched on {there.get('dispatchedDate')}")
        paid = paid_on(store, key)
        have = sum((number(one["amount"]) for one in account.payments(there["reference"])), ZERO)
        return [*problems, *([] if have == paid else [f"{key} has payments of {have}, not {paid}"])]

    # --- acts of the warehouse ---------------------------------------------------------------------------------------

    def _counts(self) -> str | None:
        sku, more = self.chooser.choice(SKUS[:-1]), self.chooser.choice((5, 50, -400))
        if self.stage.account().on_hand(sku) + more < 0:
            return None
        self.stage.adjust(sku, more)
        return f"{more} {sku}"


class HandledHistory(OmniHistory):
    """Staff change orders in Omni, too."""

    ACTS: ClassVar[Mapping[str, float]] = {**OmniHistory.ACTS, "handles": 4}

    def _handles(self) -> str | None:
        open_ones = [
            one
            for one in self.stage.account().records("order")
            if not one["isVoid"] and not one.get("dispatchedDate")
        ]
        if not open_ones:
            return None
        order = self.chooser.choice(sorted(open_ones, key=lambda one: str(one["reference"])))
        first = order["lineItems"][0]
        more = {"lineItems": [{"id": first["id"], "qty": float(Decimal(str(first["qty"])) + 1)}]}
        change = self.chooser.choice(({"internalComments": "Call first."}, {"stage": "Picking"}, more))
        if change is more:
            self.raised.add(str(order["reference"]))
        self.stage.control.delete("/faults").raise_for_status()  # the line is the program's, not theirs
        self.stage.edit(order["reference"], **change)
        return f"{order['reference']}: {change}"


def history(way: str, stage: OmniStage, chooser: Random) -> OmniHistory:
    """The history of a way."""
    return (HandledHistory if way == BY_HAND else OmniHistory)(stage, chooser)
