"""A day in the life of a store, for the drill `soak`: customers order and pay, staff move orders on, the program runs and ends.

Belongs here: what happens in a store whatever its orders flow into. Does not belong here: the target's books and their judge
(`soak_shop`, `soak_omni`), how long the day lasts, what leaks (`soak_day`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from ledger_pipelines_tests.faults.soak_day import CALM, PARKED, Day
from ledger_pipelines_tests.stage import WINDOW
from ledger_pipelines_tests.store_stage import Record, StoreStage

SKUS = ("POT-600", "TIN-200", "CUP-2")
PRICES = ("49.95", "8.80", "32.00")
METHODS = ("PayPal Checkout", "Credit Card", "Direct Deposit")
_BUYERS = 7
S = TypeVar("S", bound=StoreStage[Any])


class StoreDay(Day[S]):
    """Orders come in, and everything goes wrong."""

    def begin(self) -> None:
        """An empty store and target with products in both, paired."""
        self.open_books()
        self.stage.service.initial_sync()
        self.sold: dict[str, Decimal] = {}
        self.paid: Counter[tuple[str, Decimal]] = Counter()
        self.moved: dict[str, str] = {}
        self.buyers: dict[str, str] = {}
        self.lines: dict[str, Counter[str]] = {}
        self.received: dict[str, Decimal] = dict.fromkeys(METHODS, Decimal(0))
        self.acts = [
            (self._ordered, 4), (self._pays, 3), (self._moved, 2), (self._runs, 6), (self._again, 1),
            (self.restart, 1), (self._time, 2),
        ]  # fmt: skip

    @abstractmethod
    def open_books(self) -> None:
        """Empty both and make the products."""

    def next_status(self, number: str) -> str:
        """The status that staff give an order that has none of the last ones."""
        del number
        return "Dispatched"

    @property
    def pieces(self) -> int:
        """Orders so far."""
        return len(self.sold)

    def paid_of(self, number: str) -> Decimal:
        """What a customer has paid of an order."""
        return sum((amount for of, amount in self.paid.elements() if of == number), Decimal(0))

    # --- what happens ----------------------------------------------------------------------------------------------

    def _ordered(self) -> None:
        self.calm_line()
        who = self.chooser.randrange(_BUYERS)
        lines: list[Record] = [
            {"SKU": sku, "Quantity": str(self.chooser.randint(1, 3))}
            for sku in self.chooser.sample(SKUS, self.chooser.randint(1, 2))
        ]
        person = {
            "Username": f"buyer{who}",
            "Email": f"buyer{who}@example.com",
            "BillFirstName": f"Buyer{who}",
        }
        status = self.chooser.choice(("Pick", "Pack"))
        number = self.stage.order(*lines, OrderStatus=status, **person)
        self.sold[number] = self.stage.owed(number)
        self.buyers[number] = str(who)
        self.lines[number] = Counter({str(line["SKU"]): int(line["Quantity"]) for line in lines})
        self.told["orders"] += 1

    def _pays(self) -> None:
        self.calm_line()
        due = [
            number
            for number, total in self.sold.items()
            if total > self.paid_of(number) and self.moved.get(number) != "Cancelled"
        ]
        if not due:
            return
        number = self.chooser.choice(due)
        left = self.sold[number] - self.paid_of(number)
        some = left if self.chooser.random() < 0.7 else min(left, Decimal("5.00"))
        method = self.chooser.choice(METHODS)
        self.stage.pay(number, str(some), method)
        self.received[method] += some
        self.paid[number, some] += 1
        self.told["payments"] += 1

    def _moved(self) -> None:
        self.calm_line()
        there = [number for number in self.sold if number not in self.moved]
        if not there:
            return
        number = self.chooser.choice(there)
        self.moved[number] = self.next_status(number)
        self.stage.status(number, self.moved[number])
        self.told[f"{self.moved[number].lower()} by staff"] += 1

    def _runs(self) -> None:
        many = [one for one in self.entry.writes if "rate" not in one]
        self.trouble(dict(self.chooser.choice(many)), 0.8)
        self.attempt("runs", self.stage.run)
        self.calm_line()

    def _again(self) -> None:
        """A day is asked for once more."""
        self.attempt("days again", lambda: self.stage.run([self.stage.service.today()]))

    def _time(self) -> None:
        self.stage.clock.jump(self.chooser.choice([1, 15, WINDOW + 1, 1800, PARKED]))

    # --- the end of the day ----------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Once nothing fails any more, everything ends in a few runs."""
        for _ in range(CALM):
            self.stage.clock.jump(self.entry.throttled)
            if self.stage.run().exit_code == 0 and not self.stage.unfinished():
                return
        left = [(one.number, one.code, one.text) for one in self.stage.service.errors()]
        self.problems.append(f"still open: {left[:5]}, {self.stage.unfinished()} effects")

    def agree(self, found: Mapping[str, object], wanted: Mapping[str, object]) -> None:
        """What the target says, against what has happened in the store."""
        self.problems += [
            f"{name}: {found.get(name)} in the target, {wanted.get(name)} by what happened"
            for name in sorted({*found, *wanted})
            if found.get(name) != wanted.get(name)
        ]

    def quantities(self, numbers: Iterable[str]) -> Counter[str]:
        """How much of each product some orders have."""
        return sum((self.lines[number] for number in numbers), Counter())

    def judge_payments(self, booked: Counter[tuple[str, Decimal]]) -> tuple[int, int]:
        """Payments by order and amount, as the target has them: how many are lost, how many doubled."""
        if self.paid != booked:
            self.problems.append(
                f"payments not booked {self.paid - booked}, booked and not paid {booked - self.paid}"
            )
        return (self.paid - booked).total(), (booked - self.paid).total()
