"""A day in the life of a shop whose books are kept in Saasu, for the drill `soak`.

Belongs here: the file at first, and how it is judged. Does not belong here: what happens in the store (`soak_store`), how long it
lasts, what leaks (`soak_day`).

The judge reads both sandboxes' books: each order one invoice over what the store says it comes to, each payment once; the accounts of
the file to the cent (bank, clearing, receivable, income with tax), each customer one contact, each item once, and its stock.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from ledger_pipelines_tests.faults import shop_entry, shop_scene
from ledger_pipelines_tests.faults.soak_store import PRICES, SKUS, StoreDay
from ledger_pipelines_tests.shop_stage import ShopStage

_PLENTY = 100_000


class ShopDay(StoreDay[ShopStage]):
    """A store and a file."""

    def open_books(self) -> None:
        """Inventoried items, of which there are enough: nothing waits for stock."""
        shop_entry.quiet(self.stage)
        for sku, price in zip(SKUS, PRICES, strict=True):
            shop_scene.product(self.stage, sku, price, inventoried=True)
            shop_scene.item(self.stage, sku, price)
        shop_scene.counted(self.stage, dict.fromkeys(SKUS, _PLENTY))

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
        self._judge_rest()
        return lost + unpaid, doubled + twice

    def _judge_rest(self) -> None:
        """Customers, accounts and stock."""
        file = self.stage.file()
        sold, paid = sum(self.sold.values(), Decimal(0)), sum(self.received.values(), Decimal(0))
        paypal = self.received["PayPal Checkout"]
        accounts = {
            "PayPal Clearing": paypal,
            "ANZ Cheque": paid - paypal,
            "Accounts Receivable": sold - paid,
            "Deposits Received Clearing": Decimal(0),
            "Rounding": Decimal(0),
        }
        self.agree({name: file.balance(name) for name in accounts}, accounts)
        earned = sum(
            (file.balance(name) for name in ("Sales", "Shipping Income", "GST Collected")), Decimal(0)
        )
        self.agree({"income and tax": -earned}, {"income and tax": sold})
        people = Counter(str(one["EmailAddress"]) for one in file.records("contact"))
        self.agree(people, Counter({f"buyer{who}@example.com": 1 for who in self.buyers.values()}))
        held = file.dump["stock"]
        gone = self.quantities(self.sold)
        self.agree(
            {sku: Decimal(str(held[sku]["on_hand"])) for sku in SKUS},
            {sku: Decimal(_PLENTY - gone[sku]) for sku in SKUS},
        )
        items = Counter(str(one["Code"]) for one in file.records("item"))
        self.agree({sku: items[sku] for sku in SKUS}, dict.fromkeys(SKUS, 1))
