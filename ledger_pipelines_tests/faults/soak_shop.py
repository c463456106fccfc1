"""A day in the life of a shop whose books are kept in Saasu, for the drill `soak`.

Belongs here: the file at first, and how it is judged. Does not belong here: what happens in the store (`soak_store`), how long it
lasts, what leaks (`soak_day`).

The judge reads both sandboxes' books: each order one invoice over what the store says it comes to, each payment once, and the
accounts of the file to the cent.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from ledger_pipelines_tests.faults import shop_entry, shop_scene
from ledger_pipelines_tests.faults.soak_store import PRICES, SKUS, StoreDay
from ledger_pipelines_tests.shop_stage import ShopStage


class ShopDay(StoreDay[ShopStage]):
    """A store and a file."""

    def open_books(self) -> None:
        """Inventoried items."""
        shop_entry.quiet(self.stage)
        for sku, price in zip(SKUS, PRICES, strict=True):
            shop_scene.product(self.stage, sku, price, inventoried=True)
            shop_scene.item(self.stage, sku, price)

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
        unpaid, twice = self.judge_payments(booked)
        return lost + unpaid, doubled + twice
