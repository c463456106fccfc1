"""One history of a store, whatever its orders flow into.

Belongs here: the acts, and how a history comes to rest. Does not belong here: what the other side must hold then (`books`, `omni`),
which histories there are (`drills.history`).

Every act is one that the store or its staff can do at any time: an order is edited after it was paid, cancelled after it was sent on, split
between two runs. Nothing is arranged so that it fits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any, ClassVar, Generic, TypeVar

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines_tests.e2e.shop.kit import EXPORTED, GOODS, KIT, PEOPLE, number, staff, unsettled
from ledger_pipelines_tests.store_stage import Record, StoreStage

S = TypeVar("S", bound=StoreStage[Any])
SKUS = (*(sku for sku, *_ in GOODS if sku != "KETTLE"), KIT)
"""Goods of which there are enough."""
FREE = "SAMPLE-1"
"""One that costs nothing: no coupon takes anything off it."""
METHODS = ("PayPal Checkout", "Credit Card", "Direct Deposit")
_LINE = ("cut_after", "cut_before", "5xx_after", "5xx_before")
_ON = {"New": ("Pick",), "Pick": ("Pack", "Dispatched"), "Pack": ("Dispatched",)}
_PAUSES = (60, 600, 3600, 6 * 3600, 26 * 3600)
_REST, _RESTS = 3 * 3600, 4
"""Seconds between the runs in which a history comes to rest, longer than any settle window, and how many they are."""


class History(ABC, Generic[S]):
    """One history on one installation.

    Args:
        stage: Opened, its initial sync done, on a store that sells `GOODS` to `PEOPLE`.
        chooser: Chooses everything.
    """

    WRITES: ClassVar[str]
    """Regular expression of the paths of calls that write to the other side."""
    ACTS: ClassVar[Mapping[str, float]] = {
        "orders": 4, "pays": 4, "edits": 2, "moves": 3, "cancels": 1.5, "splits": 1, "pauses": 2, "runs": 5, "restarts": 0.5,
        "breaks": 1,
    }  # fmt: skip
    """How often each act comes, against the others."""

    def __init__(self, stage: S, chooser: Random) -> None:
        self.stage, self.chooser = stage, chooser
        self.told: list[str] = []
        """What happened, in words."""
        self.done: Counter[str] = Counter()
        self.last: RunResult | None = None

    # --- the course of it ------------------------------------------------------------------------------------------

    def live(self, acts: int) -> None:
        """So many acts."""
        names, weights = list(self.ACTS), list(self.ACTS.values())
        for name in self.chooser.choices(names, weights, k=acts):
            act: Callable[[], str | None] = getattr(self, f"_{name}")
            told = act()
            if told is not None:
                self.done[name] += 1
                self.told.append(f"{name}: {told}")

    def rest(self) -> list[str]:
        """The line is whole again, and nobody does anything: problems, when the last run still writes or leaves something open."""
        self.stage.control.delete("/faults").raise_for_status()
        for _ in range(_RESTS):
            self.stage.clock.jump(_REST)
            self._runs()
        self.stage.forget_calls()
        self._runs()
        wrote = self.wrote()
        problems = [f"a run at rest writes {wrote}"] if wrote else []
        left = [] if self.last is None else unsettled(self.last)
        return [*problems, *(f"{row.title} is left {row.outcome.value}: {row.reason.text}" for row in left)]

    def waiting(self) -> dict[str, set[str]]:
        """Why rows wait for a person, by number."""
        found: dict[str, set[str]] = defaultdict(set)
        for run in self.last.runs if self.last is not None else ():
            for row in run.plan.rows:
                if row.action is Action.BLOCKED:
                    found[row.number].add(row.reason.code)
        for item in self.stage.service.errors():
            found[item.number].add(item.code)
        return dict(found)

    @abstractmethod
    def wrote(self) -> Mapping[str, int]:
        """Calls that wrote to the other side since they were counted last."""

    @abstractmethod
    def judge(self) -> list[str]:
        """What is wrong with the other side now, each a sentence."""

    # --- acts: what was done, None = there was nothing to do it to ----------------------------------------------------

    def _orders(self) -> str:
        more: Record = {
            "ShippingCost": self._amount(20),
            "OrderStatus": self.chooser.choice(("New", "Pick", "Pick", "Dispatched")),
        }
        if self._now_and_then(0.2):
            more["PaymentMethod"] = "Credit Card"  # with its surcharge
        lines = self._lines()
        if self._now_and_then(0.2) and any(line["SKU"] != FREE for line in lines):
            more["AppliedDiscounts"] = [{"DiscountCode": "SPRING", "DiscountAmount": "3.00"}]
        if self._now_and_then(0.6):
            user, given, family, email = self.chooser.choice(PEOPLE)
            more |= {"Username": user, "Email": email, "BillFirstName": given, "BillLastName": family}
        elif self._now_and_then(0.5):
            more |= {"Username": "noreg", "Email": f"guest{self.chooser.randint(1, 3)}@example.com"}
        return f"{self.stage.order(*lines, **more)} of {lines} {more}"

    def _pays(self) -> str | None:
        order = self._one(lambda one: one["OrderStatus"] != "Cancelled")
        if order is None:
            return None
        paid = [one for one in self.stage.store()["payment"] if one["owner"] == order["key"]]
        owed = number(order["GrandTotal"]) - sum((number(one["AmountPaid"]) for one in paid), ZERO)
        half = (owed / 2).quantize(Decimal("0.01"))  # not money: a test's own sum
        amount = self.chooser.choice((owed, owed, half, owed + 5, Decimal("7.77")))
        if amount <= 0:
            return None
        method = self.chooser.choice(METHODS)
        self.stage.pay(order["key"], str(amount), method)
        return f"{amount} on {order['key']} by {method}"

    def _edits(self) -> str | None:
        order = self._one(lambda one: one["OrderStatus"] != "Cancelled")
        if order is None:
            return None
        freight = self._now_and_then(0.3)
        change = {"ShippingCost": self._amount(25)} if freight else {"OrderLine": self._lines()}
        staff(self.stage, "/edit", {"OrderID": order["key"], **change})
        return f"{order['key']} ({order['OrderStatus']}): {change}"

    def _moves(self) -> str | None:
        order = self._one(lambda one: one["OrderStatus"] in _ON)
        if order is None:
            return None
        status = self.chooser.choice(_ON[order["OrderStatus"]])
        self.stage.status(order["key"], status)
        return f"{order['key']} from {order['OrderStatus']} to {status}"

    def _cancels(self) -> str | None:
        order = self._one(lambda one: one["OrderStatus"] in _ON)
        if order is None:
            return None
        self.stage.status(order["key"], "Cancelled")
        return f"{order['key']} ({order['OrderStatus']})"

    def _splits(self) -> str | None:
        order = self._one(lambda one: one["OrderStatus"] in ("New", "Pick") and len(one["Lines"]) > 1)
        if order is None:
            return None
        sku = self.chooser.choice(order["Lines"])["SKU"]
        return f"{sku} of {order['key']} into {staff(self.stage, '/split', {'OrderID': order['key'], 'lines': [sku]})}"

    def _pauses(self) -> str:
        seconds = self.chooser.choice(_PAUSES)
        self.stage.clock.jump(seconds)
        return f"{seconds} s"

    def _restarts(self) -> str:
        self.stage.close_service()
        return "a new process"

    def _breaks(self) -> str:
        kind, method = self.chooser.choice(_LINE), self.chooser.choice(("POST", "PUT"))
        nth = self.chooser.randint(1, 3)
        self.stage.fault(kind, method=method, path=self.WRITES, nth=nth, times=1)
        return f"{kind} at {method} number {nth}"

    def _runs(self) -> str:
        self.stage.clock.jump(30)
        try:
            self.last = self.stage.run()
        except LedgerError as error:  # a reading that failed ends a run; the next one is a new process
            self.stage.close_service()
            return f"ends with {error}"
        rows = [(run.flow, row) for run in self.last.runs for row in run.plan.rows]
        return ", ".join(
            f"{flow} {row.number} {row.action.value} {row.reason.code}"
            for flow, row in rows
            if row.action is not Action.SKIP
        )

    # --- choosing --------------------------------------------------------------------------------------------------

    def _now_and_then(self, share: float) -> bool:
        return self.chooser.random() < share

    def _amount(self, most: int) -> str:
        return str(Decimal(self.chooser.randint(0, 100 * most)).scaleb(-2))

    def _lines(self) -> list[Record]:
        lines: list[Record] = []
        for sku in self.chooser.sample(SKUS, self.chooser.randint(1, 3)):
            line = {"SKU": sku, "Quantity": str(self.chooser.randint(1, 4))}
            if self._now_and_then(0.15):
                line["DiscountPercent"] = self.chooser.choice(("5", "12.5", "33.3"))
            lines.append(line)
        return lines

    def _one(self, fits: Callable[[Record], bool]) -> Record | None:
        """One of the store's orders."""
        found = sorted(
            (one for one in self.stage.store()["order"] if fits(one)), key=lambda one: str(one["key"])
        )
        return self.chooser.choice(found) if found else None


def is_wanted(order: Record) -> bool:
    """Whether an order flows, as shipped settings say."""
    return order["OrderStatus"] in EXPORTED


def paid_on(store: Mapping[str, Sequence[Record]], order: str) -> Decimal:
    """What was paid on an order in the store."""
    return sum((number(one["AmountPaid"]) for one in store["payment"] if one["owner"] == order), ZERO)
