"""Histories of a shop and its Saasu file: documents come to what orders are now, banks to what was paid, and nothing is there twice.

Belongs here: the file's side of it. Does not belong here: acts (`history`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.e2e.shop.conftest import MORNING
from ledger_pipelines_tests.e2e.shop.kit import (
    BANKS,
    LIABILITY,
    EagerClock,
    no_doubles,
    number,
    restored,
    writes,
)
from ledger_pipelines_tests.faults.histories.history import METHODS, History, is_wanted, paid_on
from ledger_pipelines_tests.shop_stage import SaasuFile, ShopStage, shop_stage
from ledger_pipelines_tests.store_stage import Record

ON_EDIT = ("credit", "update", "report")
"""What follows when an order changes after its invoice was written."""
_EXPECTED = frozenset(
    {"order-edited", "cancelled-after-export", "cancelled-order-paid", "order-blocked", "order-cancelled", "credit-ignored"}
)  # fmt: skip


def opened(sandbox: RunningSandbox, folder: Path, on_edit: str) -> ShopStage:
    """An installation on the small shop as it was when it was set up."""
    restored(sandbox, MORNING)
    settings = {
        "inventory_from_saasu.enabled": False, "refunds.account": "Sales", "orders_to_saasu.on_edit": on_edit,
    }  # fmt: skip
    stage = shop_stage(sandbox, folder, settings=settings, start="2026-10-19")
    stage.clock = EagerClock(stage.control)
    stage.service.initial_sync()
    return stage


class ShopHistory(History[ShopStage]):
    """Of a shop and its file."""

    WRITES = "/(Invoice|Payment|Contact|Journal)"

    def __init__(self, stage: ShopStage, chooser: Random) -> None:
        super().__init__(stage, chooser)
        self._orders_now: Mapping[str, Record] = {}
        self._documents: Mapping[str, list[Record]] = {}

    def wrote(self) -> Mapping[str, int]:
        """Calls that wrote to the file."""
        return writes(self.stage)

    def judge(self) -> list[str]:
        """Documents, banks, receivables."""
        file, store = self.stage.file(), self.stage.store()
        problems = []
        try:
            no_doubles(file)
        except AssertionError as error:
            problems.append(f"a reference is there twice: {error}")
        waiting = self.waiting()
        problems += [
            f"{name} waits for {code}"
            for name, codes in waiting.items()
            for code in sorted(codes - _EXPECTED)
        ]
        self._orders_now = {one["key"]: one for one in store["order"]}
        documents: dict[str, list[Record]] = defaultdict(list)
        for one in file.invoices():
            documents[one["PurchaseOrderNumber"].partition("-")[0]].append(one)
        self._documents = documents
        problems += [*self._orders_differ(waiting), *self._owed_differs(store, waiting)]
        return [*problems, *self._money_differs(file, store, waiting)]

    def _orders_differ(self, waiting: Mapping[str, set[str]]) -> list[str]:
        problems = []
        for key, order in self._orders_now.items():
            have = self._booked(key)
            want = number(order["GrandTotal"]) if is_wanted(order) else ZERO
            if key not in waiting and have != want:
                problems.append(f"documents of {key} ({order['OrderStatus']}) come to {have}, not {want}")
        return problems

    def _owed_differs(self, store: Mapping[str, list[Record]], waiting: Mapping[str, set[str]]) -> list[str]:
        """What the newest invoice of an order shows as owed; of orders that share no payment with others."""
        problems = []
        shared = {one["RelatedOrderID"] for one in self._orders_now.values()}
        for key, order in self._orders_now.items():
            if key in waiting or key in shared or order["RelatedOrderID"] or not is_wanted(order):
                continue
            invoices = [one for one in self._documents.get(key, ()) if number(one["TotalAmount"]) >= 0]
            newest = max(invoices, key=lambda one: int(one["Id"]), default=None)
            owed = max(number(order["GrandTotal"]) - paid_on(store, key), ZERO)
            # What was paid above an earlier total stays a liability: nothing is drawn on it when the order comes to more.
            aside = -self.stage.file().balance(LIABILITY)
            if newest is not None and not owed <= number(newest["AmountOwed"]) <= owed + aside:
                problems.append(
                    f"{newest['PurchaseOrderNumber']} shows {newest['AmountOwed']} as owed, not {owed}"
                )
        return problems

    def _booked(self, key: str) -> Decimal:
        return sum((number(one["TotalAmount"]) for one in self._documents.get(key, ())), ZERO)

    def _money_differs(
        self, file: SaasuFile, store: Mapping[str, list[Record]], waiting: Mapping[str, set[str]]
    ) -> list[str]:
        problems = []
        late = self._may_wait(store, waiting)
        wanted: dict[str, Decimal] = defaultdict(Decimal)
        for payment in store["payment"]:
            if payment["owner"] in self._documents:
                wanted[BANKS[payment["PaymentMethodName"]]] += number(payment["AmountPaid"])
        have = {name: file.balance(name) for name in {BANKS[method] for method in METHODS}}
        for name, balance in sorted(have.items()):
            if not wanted[name] - late <= balance <= wanted[name]:
                problems.append(f"{name} has {balance}, not {wanted[name]} (of which {late} may wait)")
        paid, received = sum(wanted.values(), ZERO), sum(have.values(), ZERO)
        if not paid - late <= received <= paid:
            problems.append(f"all banks have {received}, not {paid} (of which {late} may wait)")
        owed = file.balance("Accounts Receivable") + file.balance(LIABILITY)
        booked = sum((self._booked(key) for key in self._documents), ZERO)
        if owed != booked - received:
            problems.append(f"receivables less liability come to {owed}, not {booked - received}")
        return problems

    def _may_wait(self, store: Mapping[str, list[Record]], waiting: Mapping[str, set[str]]) -> Decimal:
        """Payments that may not be booked yet: of orders that wait for a person, and what belongs to a part that was split off and is
        not exported yet."""
        late = ZERO
        for key, order in self._orders_now.items():
            parts = [one for one in self._orders_now.values() if one["RelatedOrderID"] == key]
            if key in waiting:
                late += paid_on(store, key)
            elif any(one["key"] not in self._documents or one["key"] in waiting for one in parts):
                there = [one for one in (order, *parts) if one["key"] in self._documents]
                over = paid_on(store, key) - sum((number(one["GrandTotal"]) for one in there), ZERO)
                late += max(over, ZERO)
        return late
