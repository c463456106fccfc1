"""A day in the life of a store whose orders go to Cin7 Omni, for the drill `soak`.

Belongs here: the account at first, and how it is judged. Does not belong here: what happens in the store (`soak_store`), how long it
lasts, what leaks (`soak_day`).

The judge reads both sandboxes: each order once, over what the store says it comes to; dispatched or void as the store has it, and
each payment once; what came in by method, each customer one contact, each product once, and its stock. Stock is enough for all that is sold, so that every completed order can be dispatched.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from ledger_pipelines_tests.faults import omni_entry, omni_scene
from ledger_pipelines_tests.faults.soak_store import PRICES, SKUS, StoreDay
from ledger_pipelines_tests.omni_stage import MAIN, OmniAccount, OmniStage
from ledger_pipelines_tests.store_stage import Record

_PLENTY = 100_000


class OmniDay(StoreDay[OmniStage]):
    """A store and an account."""

    def open_books(self) -> None:
        """Products with stock at the branch."""
        omni_entry.quiet(self.stage)
        for sku, price in zip(SKUS, PRICES, strict=True):
            omni_scene.stocked(self.stage, sku, price, _PLENTY)

    def next_status(self, number: str) -> str:
        """Orders that nobody has paid are cancelled at times."""
        return "Cancelled" if not self.paid_of(number) and self.chooser.random() < 0.5 else "Dispatched"

    def judge(self) -> tuple[int, int]:
        """Read the account: how many documents are lost, how many doubled."""
        account = self.stage.account()
        there: dict[str, list[Record]] = {number: [] for number in self.sold}
        for order in account.records("order"):
            there.setdefault(str(order["reference"]), []).append(order)
        lost = doubled = 0
        for number, made in there.items():
            never_needed = self.moved.get(number) == "Cancelled"  # before it was downloaded
            lost, doubled = lost + (not made and not never_needed), doubled + max(0, len(made) - 1)
            if len(made) == 1 or not never_needed:
                self._judge_order(number, made)
        of = {one["id"]: str(one["reference"]) for one in account.records("order")}
        booked = Counter(
            (of.get(one["orderId"], "?"), Decimal(str(one["amount"]))) for one in account.records("payment")
        )
        unpaid, twice = self.judge_payments(booked)
        self._judge_rest(account, {number for number, made in there.items() if made})
        if not self.stage.control.get("/ledger/cin7").raise_for_status().json()["adds_up"]:
            self.problems.append("the account's stock does not add up")
        return lost + unpaid, doubled + twice

    def _judge_rest(self, account: OmniAccount, there: set[str]) -> None:
        """Customers, what came in by method, and stock: dispatched orders took it, open ones hold it."""
        people = Counter(str(one["email"]) for one in account.records("contact"))
        self.agree(people, Counter({f"buyer{self.buyers[number]}@example.com": 1 for number in there}))
        ledger = self.stage.control.get("/ledger/cin7").raise_for_status().json()
        by_method = {name: Decimal(amount) for name, amount in ledger["payments"]["by_method"].items()}
        self.agree(by_method, {name: amount for name, amount in self.received.items() if amount})
        gone = self.quantities(number for number, status in self.moved.items() if status == "Dispatched")
        held = self.quantities(there - set(self.moved))
        levels = {sku: _level(account, sku) for sku in SKUS}
        self.agree(levels, {sku: (Decimal(_PLENTY - gone[sku]), Decimal(held[sku])) for sku in SKUS})
        codes = Counter(str(one["styleCode"]) for one in account.records("product"))
        self.agree(codes, dict.fromkeys(SKUS, 1))

    def _judge_order(self, number: str, made: list[Record]) -> None:
        total, status = self.sold.get(number), self.moved.get(number, "")
        found = [
            (Decimal(str(one["total"])), bool(one["dispatchedDate"]), bool(one["isVoid"])) for one in made
        ]
        wanted = [(total, status == "Dispatched", status == "Cancelled")]
        if found != wanted:
            self.problems.append(
                f"order {number}: (total, dispatched, void) {found}, and the store has {wanted}"
            )


def _level(account: OmniAccount, sku: str) -> tuple[Decimal, Decimal]:
    """On hand and held by open orders, at the branch."""
    options = {one["id"] for one in account.records("option") if one["code"] == sku}
    rows = [one for one in account.dump["stock"] if one["option"] in options and one["branch"] == MAIN]
    return (
        sum((Decimal(str(one["on_hand"])) for one in rows), Decimal(0)),
        sum((Decimal(str(one["open_sales"])) for one in rows), Decimal(0)),
    )
