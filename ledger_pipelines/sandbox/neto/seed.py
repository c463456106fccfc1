"""What a Neto store begins with: its lists; the demo's products, customers and six weeks of orders.

Belongs here: seeds, made through the same rules as the API. Does not belong here: what the shop sells (`demo_shop`).
The demo's weeks are 1 September to 12 October 2026: they hold a month end and the night on which the clocks of Sydney go
forward (4 October). The same seed makes the same orders, whenever the sandbox is started.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ledger_pipelines.sandbox import demo_shop
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.demo_shop import Customer, Product
from ledger_pipelines.sandbox.neto.payments import CREDIT

if TYPE_CHECKING:
    from ledger_pipelines.sandbox.neto.app import NetoApp

_SYDNEY = ZoneInfo("Australia/Sydney")
FIRST_DAY, DAYS = datetime(2026, 9, 1), 42  # noqa: DTZ001  a local day, given its zone below
_METHODS = (
    ("3", "Direct Deposit", "y", "n", "", "0"), ("12", "Credit Card", "y", "y", "1-1100", "1.5"),
    ("14", "PayPal Checkout", "y", "y", "1-1150", "0"), ("15", "Gift Voucher", "y", "y", "", "0"), ("16", CREDIT, "y", "n", "", "0"),
    ("17", "Cheque", "n", "n", "", "0"),
)  # fmt: skip
_SHIPPING = (
    ("1", "Standard Post"),
    ("2", "Express Post"),
    ("3", "Click & Collect"),
    ("4", "International Air"),
)


def begin(app: NetoApp) -> None:
    """Lists only."""
    store, now = app.shop.store, app.shop.now()
    with store.transaction():
        for number, (key, name, primary) in enumerate(
            (("1", "Main warehouse", True), ("3", "Shed", False)), 1
        ):
            body = {
                "WarehouseID": key, "WarehouseName": name, "WarehouseReference": f"W{key}", "IsPrimary": str(primary), "IsActive": "True",
                "ShowQuantity": "True", "WarehouseCity": "Sydney", "WarehouseCountry": "AU",
            }  # fmt: skip
            store.add("warehouse", key, number, body, now)
        for number, (key, name, active, visible, code, percent) in enumerate(_METHODS, 1):
            body = {
                "id": key,
                "name": name,
                "active": active,
                "visible": visible,
                "acc_code": code,
                "surcharge_percent": percent,
            }
            store.add("paymentmethod", key, number, body, now)
        for number, (key, name) in enumerate(_SHIPPING, 1):
            shown: Document = {
                "id": key,
                "name": name,
                "description": name,
                "status": "Active",
                "visibility": {"customers": "True", "ebay": "False", "staff": "True"},
            }
            store.add("shippingmethod", key, number, shown, now)
        for number, name in enumerate(("Store", "Tea", "Teaware", "Gifts"), 1):
            body = {
                "CategoryName": name,
                "ParentCategoryID": "0" if number == 1 else "1",
                "Active": "True",
                "DatePosted": "0000-00-00 00:00:00",
            }
            store.add("category", str(number), number, body, now)


def demo(app: NetoApp) -> None:
    """The shop."""
    with app.shop.store.transaction():
        _Demo(app).make()
    app.shop.at = None


class _Demo:
    """Six weeks, day by day."""

    def __init__(self, app: NetoApp) -> None:
        self._app, self._shop = app, app.shop
        self._chooser = random.Random(demo_shop.SEED + 2)
        self._sold = [p for p in demo_shop.products() if not p.is_parent and p.price > 0]
        self._customers = demo_shop.customers()

    def make(self) -> None:
        """Everything."""
        self._go(FIRST_DAY - timedelta(days=30))
        for product in demo_shop.products():
            self._item(product)
        for customer in self._customers:
            self._customer(customer)
        for day in range(DAYS):
            for hour in sorted(self._chooser.choices(range(24), k=self._chooser.randint(4, 8))):
                self._order(
                    FIRST_DAY + timedelta(days=day, hours=hour, minutes=self._chooser.randint(0, 59)), day
                )
        self._scenes()

    def _go(self, local: datetime) -> None:
        """Be at an instant of the shop's clock."""
        self._shop.at = local.replace(tzinfo=_SYDNEY).astimezone(UTC).replace(tzinfo=None)

    def _item(self, product: Product) -> None:
        wish: Document = {
            "Name": product.name, "ParentSKU": product.parent or "", "DefaultPrice": str(product.price), "CostPrice": str(product.cost),
            "TaxFreeItem": product.tax_free, "Approved": True, "IsInventoried": product.sku != "GIFT-50",
            "Categories": {"Category": [{"CategoryID": "2" if product.sku.startswith("TEA") else "3"}]},
        }  # fmt: skip
        if product.parent:
            wish["ItemSpecifics"] = {
                "ItemSpecific": [{"Name": "Size", "Value": product.name.rsplit(" ", 2)[-2] + " g"}]
            }
        if product.components:
            wish["KitComponents"] = {
                "KitComponent": [
                    {"ComponentSKU": sku, "AssembleQuantity": str(n)} for sku, n in product.components
                ]
            }
        elif not product.is_parent:
            wish["WarehouseQuantity"] = [
                {"WarehouseID": "1", "Quantity": str(product.stock)},
                {"WarehouseID": "3", "Quantity": "2"},
            ]
        self._app.items.make(product.sku, wish)

    def _customer(self, one: Customer) -> None:
        parts = {
            "FirstName": one.given, "LastName": one.family, "Company": one.company, "StreetLine1": one.street, "City": one.city.upper(),
            "State": one.state, "PostCode": one.postcode, "Country": one.country, "Phone": one.phone,
        }  # fmt: skip
        self._app.customers.make(
            one.username,
            {
                "EmailAddress": one.email, "BillingAddress": {f"Bill{n}": v for n, v in parts.items()},
                "ShippingAddress": {f"Ship{n}": v for n, v in parts.items()},
            },
        )  # fmt: skip

    def _wish(self, customer: Customer, lines: list[Document], **more: object) -> Document:
        export = customer.country != "AU"
        parts = {
            "FirstName": customer.given, "LastName": customer.family, "Company": customer.company, "Street1": customer.street,
            "City": customer.city.upper(), "State": customer.state, "PostCode": customer.postcode, "Country": customer.country,
            "ContactPhone": customer.phone,
        }  # fmt: skip
        wish: Document = {
            "Username": customer.username, "Email": customer.email, "ShippingMethod": "International Air" if export else "Standard Post",
            "ShippingCost": "29.00" if export else "9.95", "TaxFreeShipping": export, "PaymentMethod": "PayPal Checkout",
            "OrderLine": [line | ({"TaxFree": True} if export else {}) for line in lines],
        }  # fmt: skip
        wish |= {f"{side}{n}": v for side in ("Bill", "Ship") for n, v in parts.items()}
        return wish | more

    def _lines(self) -> list[Document]:
        chosen = self._chooser.sample(self._sold, k=self._chooser.randint(1, 3))
        lines: list[Document] = [
            {"SKU": p.sku, "Quantity": str(self._chooser.choice((1, 1, 1, 2, 3)))} for p in chosen
        ]
        if self._chooser.random() < 0.15:
            lines[0]["DiscountPercent"] = "10"
        if self._chooser.random() < 0.08:
            lines.append({"SKU": "SAMPLE-1", "Quantity": "1"})
        if self._chooser.random() < 0.05:
            lines.append(
                {
                    "SKU": "TEXT_NOTE",
                    "Quantity": "1",
                    "UnitPrice": "0",
                    "ItemDescription": "Gift message: happy birthday",
                }
            )
        return lines

    def _order(self, local: datetime, day: int) -> None:
        chance = self._chooser.random
        self._go(local)
        more: Document = {}
        if chance() < 0.12:
            more["AppliedDiscounts"] = [{"DiscountCode": "SPRING", "DiscountAmount": "5.00"}]
        if chance() < 0.25:
            more["PaymentMethod"] = "Credit Card"
        order = self._app.orders.make(
            "", self._wish(self._chooser.choice(self._customers), self._lines(), **more)
        )
        age, luck = DAYS - day, chance()
        if luck < 0.06:
            self._later(local, 2, order.key, "Cancelled")
            return
        if luck < 0.14 and age < 10:
            return  # still unpaid
        method = (
            "Direct Deposit"
            if more.get("PaymentMethod") is None and chance() < 0.2
            else str(more.get("PaymentMethod", "PayPal Checkout"))
        )
        self._pay(order.key, local + timedelta(minutes=self._chooser.choice((1, 2, 60, 3000))), method)
        if age > 2:
            status = (
                "Dispatched"
                if age > 5 or chance() < 0.6
                else self._chooser.choice(("Pick", "Pack", "Pending Dispatch", "Pending Pickup"))
            )
            self._later(local, 20, order.key, status)

    def _later(self, local: datetime, hours: int, key: str, status: str) -> None:
        """Some hours after, the order has another status."""
        self._go(local + timedelta(hours=hours))
        row = self._app.orders.named(key)
        self._app.orders.move(row, status)
        self._shop.store.save(row, self._shop.now())

    def _pay(
        self, key: str, local: datetime, method: str, amount: Decimal | None = None, paid: str = ""
    ) -> None:
        self._go(local)
        row = self._app.orders.named(key)
        owed = amount if amount is not None else Decimal(row.body["GrandTotal"])
        if owed:
            wish: Document = {
                "AmountPaid": str(owed),
                "PaymentMethodName": method,
                "CardAuthorisation": f"AUTH-{key}",
            }
            self._app.payments.make(row, wish | ({"DatePaid": paid} if paid else {}))

    # --- one of each shape that hurts ------------------------------------------------------------------------------

    def _scenes(self) -> None:
        first, last = (
            FIRST_DAY + timedelta(days=20, hours=10),
            FIRST_DAY + timedelta(days=33, hours=2, minutes=30),
        )
        someone, other = self._customers[0], self._customers[1]
        orders = self._app.orders

        def place(local: datetime, wish: Document) -> str:
            self._go(local)
            return orders.make("", wish).key

        pot, tea = {"SKU": "POT-600", "Quantity": "1"}, {"SKU": "TEA-EB-250", "Quantity": "3"}
        split = place(first, self._wish(someone, [pot, tea]))
        self._pay(split, first + timedelta(minutes=5), "PayPal Checkout")
        self._go(first + timedelta(days=1))
        child = orders.split(split, ["TEA-EB-250"]).key
        orders.edit(split, {"ShippingCost": "9.95"})
        overpaid = place(first, self._wish(other, [pot]))
        self._pay(overpaid, first + timedelta(hours=1), "Direct Deposit", Decimal("70.00"))
        part = place(first, self._wish(other, [pot, tea]))
        self._pay(part, first + timedelta(hours=1), "Direct Deposit", Decimal("50.00"))
        self._pay(
            part, first + timedelta(days=3), "PayPal Checkout", Decimal("30.00"), "2026-09-19"
        )  # back-dated
        guest = place(first, self._wish(someone, [tea]) | {"Username": "noreg", "Email": "guest@example.com"})
        self._pay(guest, first + timedelta(minutes=3), "Credit Card")
        gone = place(
            first,
            self._wish(
                someone,
                [
                    {
                        "SKU": "TEA-GONE-1",
                        "Quantity": "1",
                        "UnitPrice": "14.30",
                        "ItemDescription": "A tea of old",
                    }
                ],
            ),
        )
        self._pay(gone, first + timedelta(minutes=3), "PayPal Checkout")
        kit = place(first, self._wish(other, [{"SKU": demo_shop.KIT, "Quantity": "2"}]))
        self._pay(kit, first + timedelta(minutes=3), "PayPal Checkout")
        net = place(
            first,
            self._wish(
                someone,
                [{"SKU": "KETTLE", "Quantity": "1", "UnitPrice": "117.27272727"}],
                TaxInclusive=False,
                OrderRounding="0.01",
            ),
        )
        self._pay(net, first + timedelta(minutes=3), "PayPal Checkout")
        night = place(last, self._wish(other, [tea]))  # in the hour that the clocks of 4 October leave out
        self._pay(night, last + timedelta(hours=1), "PayPal Checkout")
        cancelled = place(first, self._wish(other, [pot]))
        self._pay(cancelled, first + timedelta(minutes=3), "PayPal Checkout")
        self._later(first, 24, cancelled, "Cancelled")
        place(first, self._wish(someone, [{"SKU": "SAMPLE-1", "Quantity": "1"}], ShippingCost="0"))
        place(first, self._wish(someone, [pot], OrderStatus="Quote"))
        for key in (split, overpaid, part, guest, gone, kit, net):
            self._later(first, 96, key, "Dispatched" if key in (kit, net) else "Pick")
        self._later(last, 20, night, "Pick")
        self._later(first, 3, place(first, self._wish(other, [tea])), "On Hold")
        self._later(first, 3, child, "Backorder Approved")
        self._returns(first, place)
        self._rare(first + timedelta(days=9), place)

    def _returns(self, first: datetime, place: Callable[[datetime, Document], str]) -> None:
        """A refund paid out, a refund pending, credit that pays another order."""
        buyer = self._customers[2]
        for status, outcome in (("Refunded", "Refund"), ("Pending", "Refund"), ("", "Credit")):
            key = place(first, self._wish(buyer, [{"SKU": "CUP-2", "Quantity": "2"}]))
            self._pay(key, first + timedelta(minutes=2), "PayPal Checkout")
            self._later(first, 30, key, "Dispatched")
            self._go(first + timedelta(days=6))
            wish: Document = {
                "OrderID": key, "InvoiceNumber": key, "CustomerUsername": buyer.username, "RmaStatus": "Closed", "TaxInclusive": True,
                "ShippingRefundAmount": "0", "ShippingRefundTaxCode": "GST",
                "RmaLines": {"RmaLine": [{"SKU": "CUP-2", "Quantity": "1", "RefundSubtotal": "32.73", "TaxCode": "GST", "WarehouseID": "1",
                                          "ReturnReason": "Damaged", "ResolutionOutcome": outcome, "IsRestockIssued": True}]},
            }  # fmt: skip
            rma = self._app.rmas.make(self._app.orders.named(key), wish)
            if status:
                made = self._app.rmas.refund(
                    rma, {"RefundAmount": "32.73", "PaymentMethod": "PayPal Checkout"}
                )
                if status == "Refunded":
                    self._go(first + timedelta(days=7))
                    self._app.rmas.pay_out(rma, made["RefundID"])
        credit = place(first + timedelta(days=8), self._wish(buyer, [{"SKU": "STRAINER", "Quantity": "1"}]))
        self._pay(credit, first + timedelta(days=8, minutes=1), CREDIT, Decimal("21.95"))
        self._later(first + timedelta(days=8), 20, credit, "Dispatched")

    def _rare(self, local: datetime, place: Callable[[datetime, Document], str]) -> None:
        """Statuses that the weeks do not bring by themselves: waiting for goods, for a later day, for the buyer at the counter."""
        tea = [{"SKU": "TEA-EG-100", "Quantity": "2"}]
        for status in ("New Backorder", "Uncommitted", "Pending Pickup"):
            more = (
                {"ShippingMethod": "Click & Collect", "ShippingCost": "0"}
                if status == "Pending Pickup"
                else {}
            )
            key = place(local, self._wish(self._customers[4], tea, **more))
            if status != "Uncommitted":
                self._pay(key, local + timedelta(minutes=2), "PayPal Checkout")
            self._later(local, 5, key, status)
