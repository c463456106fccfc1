"""A day in the life of a shop, for the drill `soak`: customers order and pay, staff move orders on, the program runs and ends.

Belongs here: what happens in such a day and how its books are judged. Does not belong here: how long it lasts, what leaks
(`soak_day`).

The judge reads both sandboxes' books: each order one invoice over what the store says it comes to, each payment once, and the
accounts of the file to the cent.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from ledger_pipelines.errors import LedgerError
from ledger_pipelines_tests.faults import shop_entry, shop_scene
from ledger_pipelines_tests.faults.soak_day import CALM, PARKED, Day
from ledger_pipelines_tests.shop_stage import ShopStage
from ledger_pipelines_tests.stage import WINDOW
from ledger_pipelines_tests.store_stage import Record

SKUS = ("POT-600", "TIN-200", "CUP-2")
METHODS = ("PayPal Checkout", "Credit Card", "Direct Deposit")
_BUYERS = 7


class ShopDay(Day[ShopStage]):
    """Orders come in, and everything goes wrong."""

    def begin(self) -> None:
        """An empty store and file with products in both, paired."""
        shop_entry.quiet(self.stage)
        for sku, price in zip(SKUS, ("49.95", "8.80", "32.00"), strict=True):
            shop_scene.product(self.stage, sku, price, inventoried=True)
            shop_scene.item(self.stage, sku, price)
        self.stage.service.initial_sync()
        self.sold: dict[str, Decimal] = {}
        self.paid: Counter[tuple[str, Decimal]] = Counter()
        self.acts = [
            (self._ordered, 4), (self._pays, 3), (self._moved, 1), (self._runs, 6), (self._again, 1),
            (self.restart, 1), (self._time, 2),
        ]  # fmt: skip

    @property
    def pieces(self) -> int:
        """Orders so far."""
        return len(self.sold)

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
        self.told["orders"] += 1

    def _pays(self) -> None:
        self.calm_line()
        due = [n for n, total in self.sold.items() if total > self._paid(n)]
        if not due:
            return
        number = self.chooser.choice(due)
        left = self.sold[number] - self._paid(number)
        some = left if self.chooser.random() < 0.7 else min(left, Decimal("5.00"))
        self.stage.pay(number, str(some), self.chooser.choice(METHODS))
        self.paid[number, some] += 1
        self.told["payments"] += 1

    def _paid(self, number: str) -> Decimal:
        return sum((amount for of, amount in self.paid.elements() if of == number), Decimal(0))

    def _moved(self) -> None:
        self.calm_line()
        if not self.sold:
            return
        self.stage.status(self.chooser.choice(list(self.sold)), "Dispatched")
        self.told["moved on"] += 1

    def _runs(self) -> None:
        self.trouble(dict(self.chooser.choice(self.entry.writes)))
        try:
            self.stage.run()
            self.told["runs"] += 1
        except LedgerError:
            self.told["runs cut short"] += 1
        finally:
            self.calm_line()

    def _again(self) -> None:
        """A day is asked for once more."""
        try:
            self.stage.run([self.stage.service.today()])
            self.told["days again"] += 1
        except LedgerError:
            self.told["runs cut short"] += 1

    def _time(self) -> None:
        self.stage.clock.jump(self.chooser.choice([1, 15, WINDOW + 1, 1800, PARKED]))

    # --- the end of the day ----------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Once nothing fails any more, everything ends in a few runs."""
        for _ in range(CALM):
            self.stage.clock.jump(shop_entry.LATER)
            if self.stage.run().exit_code == 0 and not self.stage.unfinished():
                return
        left = [(one.number, one.code, one.text) for one in self.stage.service.errors()]
        self.problems.append(f"still open: {left[:5]}, {self.stage.unfinished()} effects")

    def judge(self) -> tuple[int, int]:
        """Read the books: how many documents are lost, how many doubled."""
        file = self.stage.file()
        lost = doubled = 0
        for number, total in self.sold.items():
            made = [Decimal(str(one["TotalAmount"])) for one in file.invoices(number)]
            lost, doubled = lost + (not made), doubled + max(0, len(made) - 1)
            if made != [total]:
                self.problems.append(f"order {number} over {total}: invoices {made}")
        of = {one["Id"]: one["PurchaseOrderNumber"] for one in file.invoices()}
        booked = Counter(
            (str(of.get(item["InvoiceTransactionId"])), Decimal(str(item["AmountPaid"])))
            for payment in file.payments()
            for item in payment["PaymentItems"]
        )
        if self.paid != booked:
            self.problems.append(
                f"payments not booked {self.paid - booked}, booked and not paid {booked - self.paid}"
            )
        return lost + (self.paid - booked).total(), doubled + (booked - self.paid).total()
