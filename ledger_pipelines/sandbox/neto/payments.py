"""Payments and RMAs: GetPayment, AddPayment, GetRma, AddRma; refunds and credit.

Belongs here: money coming in and going back. Does not belong here: an order's sums. Source: neto.md 9, 10.
Closing an RMA puts its amount on the customer's account as credit; a refund begins as pending and is marked as
refunded by staff (the control port), or is created so when it has a date.
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.customers import Customers
from ledger_pipelines.sandbox.neto.items import Items
from ledger_pipelines.sandbox.neto.orders import Orders
from ledger_pipelines.sandbox.neto.shapes import Answer, as_list, collapsed, money, nested, text
from ledger_pipelines.sandbox.neto.shop import (
    Filter,
    NetoError,
    Shop,
    among,
    between,
    chosen,
    day,
    decimal,
    flag,
    instant,
    pick,
)
from ledger_pipelines.sandbox.neto.store import Row
from ledger_pipelines.sandbox.neto.totals import cents, tax_of

CREDIT = "Account Credit"
"""Name of the payment method that pays with credit of the customer's account."""


class Payments:
    """Payments of orders."""

    def __init__(self, shop: Shop, orders: Orders, customers: Customers) -> None:
        self._shop, self._store, self._orders, self._customers = shop, shop.store, orders, customers

    def get(self, sent: object, answer: Answer) -> None:
        """GetPayment: by payment, order or day paid; there is no filter by change."""
        asked = Filter.of(sent)
        tests = [
            *among(asked.texts("PaymentID"), lambda row: row.key),
            *among(asked.texts("OrderID"), lambda row: row.owner),
            *between(asked.instants("DatePaid"), lambda row: row.body["DatePaid"]),
        ]
        page = asked.page(chosen(self._store.select("payment"), tests), self._shop.settings)
        answer.body["Payment"] = [
            pick(self._shown(row), asked.selected, ("PaymentID", "OrderID")) for row in page
        ]

    def _shown(self, row: Row) -> Document:
        body = row.body
        paid = body["DatePaid"]
        return {
            "ID": row.key, "PaymentID": row.key, "OrderID": row.owner, "AmountPaid": money(body["AmountPaid"]),
            "CurrencyCode": self._shop.settings.currency, "DatePaid": paid, "DatePaidUTC": paid,
            "DatePaidLocal": self._shop.local(paid).strftime("%Y-%m-%d %H:%M:%S"), "PaymentMethod": body["PaymentMethodID"],
            "PaymentMethodName": body["PaymentMethodName"], "ProcessBy": body["ProcessBy"],
            "CardAuthorisation": body["CardAuthorisation"], "PaymentNotes": body["PaymentNotes"], "AuthorisationMessage": "",
            "CardHolder": "", "CardExpiryDate": "", "AccountName": "", "AccountBSB": "", "AccountNumber": "", "ChequeNumber": "",
        }  # fmt: skip

    def add(self, sent: object, answer: Answer) -> None:
        """AddPayment: not idempotent."""
        made = []
        for wish in _of(sent, "Payment"):
            key = text(wish.get("OrderID"))
            order = self._store.get("order", key)
            if order is None:
                answer.warnings.append(f"Cannot find Order {key}")
                continue
            made.append({"PaymentID": self.make(order, wish).key})
        answer.body["Payment"] = collapsed(made)

    def make(self, order: Row, wish: Document) -> Row:
        """A new payment of an order. Raises NetoError."""
        amount = cents(decimal(wish.get("AmountPaid"), "AmountPaid"))
        if not amount:
            raise NetoError("AmountPaid is required.")
        method = self._method(wish)
        number = self._store.next("payment")
        now = self._shop.now()
        told = wish.get("DatePaidUTC") or wish.get("DatePaid")
        paid = instant(text(told), end=False) if told else now.strftime("%Y-%m-%d %H:%M:%S")
        notes = [
            text(one.get("Description"))
            for one in as_list(wish.get("TransactionNotes"), "TransactionNote")
            if isinstance(one, dict)
        ]
        body = {
            "AmountPaid": str(amount), "DatePaid": paid, "PaymentMethodID": text(method.body["id"]),
            "PaymentMethodName": text(method.body["name"]), "CardAuthorisation": text(wish.get("CardAuthorisation")), "ProcessBy": "",
            "PaymentNotes": "; ".join(notes),
        }  # fmt: skip
        if method.body["name"] == CREDIT:
            self._spend(order, amount)
        row = self._store.add("payment", str(number), number, body, now, order.key)
        self._orders.paid(order)
        self._store.save(order, now)
        return row

    def _method(self, wish: Document) -> Row:
        told, name = text(wish.get("PaymentMethodID")), text(wish.get("PaymentMethodName"))
        for row in self._store.select("paymentmethod"):
            if (told and row.key == told) or (not told and row.body["name"].casefold() == name.casefold()):
                return row
        raise NetoError(f"Cannot find Payment Method {told or name}")

    def _spend(self, order: Row, amount: Decimal) -> None:
        customer = self._customers.row(order.body["Username"])
        held = decimal(customer.body["AvailableCredit"]) if customer else Decimal(0)
        if customer is None or held < amount:
            raise NetoError(f"The customer has a credit of {money(held)} only.")
        customer.body["AvailableCredit"] = str(held - amount)
        self._store.save(customer, self._shop.now())


class Rmas:
    """Returns, the credits they give, the refunds paid out."""

    def __init__(self, shop: Shop, items: Items, customers: Customers) -> None:
        self._shop, self._store, self._items, self._customers = shop, shop.store, items, customers

    def get(self, sent: object, answer: Answer) -> None:
        """GetRma."""
        asked = Filter.of(sent)
        tests = [
            *among(asked.texts("RmaID"), lambda row: row.key),
            *among(asked.texts("OrderID"), lambda row: row.owner),
            *among(asked.texts("InvoiceNumber"), lambda row: row.body["InvoiceNumber"]),
            *among(asked.texts("Username"), lambda row: row.body["CustomerUsername"], fold=True),
            *among(asked.texts("RmaStatus"), lambda row: row.body["RmaStatus"], fold=True),
            *between(asked.instants("DateIssued"), lambda row: row.body["DateIssued"]),
            *between(asked.instants("DateUpdated"), lambda row: row.updated),
            *between(asked.instants("DateApproved"), lambda row: row.body["DateApproved"]),
        ]
        page = asked.page(chosen(self._store.select("rma"), tests), self._shop.settings)
        answer.body["Rma"] = [self._shown(row, asked.selected) for row in page]

    def _shown(self, row: Row, selected: frozenset[str]) -> Document:
        body = row.body
        whole = {name: text(value) for name, value in body.items() if not isinstance(value, list | dict)}
        for name in (
            "ShippingRefundAmount",
            "SurchargeRefundAmount",
            "RefundSubtotal",
            "RefundTotal",
            "RefundTaxTotal",
            "RefundedTotal",
        ):
            whole[name] = money(body[name])
        shown = pick(
            {**whole, "RmaID": row.key, "OrderID": row.owner, "DateUpdated": row.updated},
            selected,
            ("RmaID",),
        )
        wanted = frozenset(name.partition(".")[2] for name in selected if name.startswith("RmaLine."))
        if "RmaLine" in selected or wanted:
            keys = ("RmaLineID", "SKU", "Quantity")
            shown["RmaLines"] = nested(
                "RmaLine", [pick({n: text(v) for n, v in one.items()}, wanted, keys) for one in body["Lines"]]
            )
        if "Refund" in selected or any(name.startswith("Refund.") for name in selected):
            shown["Refunds"] = nested(
                "Refund", [{n: text(v) for n, v in one.items()} for one in body["Refunds"]]
            )
        return shown

    def add(self, sent: object, answer: Answer) -> None:
        """AddRma."""
        made = []
        for wish in _of(sent, "Rma"):
            key = text(wish.get("OrderID"))
            order = self._store.get("order", key)
            if order is None:
                answer.warnings.append(f"Cannot find Order {key}")
                continue
            made.append({"RmaID": self.make(order, wish).key})
        answer.body["Rma"] = collapsed(made)

    def make(self, order: Row, wish: Document) -> Row:
        """A new RMA of an order. Raises NetoError."""
        now, number = self._shop.now(), self._store.next("rma")
        at = now.strftime("%Y-%m-%d %H:%M:%S")
        inclusive = flag(wish.get("TaxInclusive", order.body["TaxInclusive"]))
        lines = [
            self._line(f"{number}-{n}", one, inclusive=inclusive)
            for n, one in enumerate(as_list(wish.get("RmaLines"), "RmaLine"))
            if isinstance(one, dict)
        ]
        shipping, surcharge = (
            cents(decimal(wish.get("ShippingRefundAmount"))),
            cents(decimal(wish.get("SurchargeRefundAmount"))),
        )
        rate = self._shop.tax_rate()
        taxed = text(wish.get("ShippingRefundTaxCode") or "GST") == "GST"
        tax = sum((decimal(line["Tax"]) for line in lines), Decimal(0))
        tax += sum(
            (tax_of(one, rate, inclusive=inclusive) for one in (shipping, surcharge) if taxed), Decimal(0)
        )
        subtotal = sum((decimal(line["RefundSubtotal"]) for line in lines), Decimal(0))
        whole = subtotal + shipping + surcharge + (Decimal(0) if inclusive else tax)
        body: Document = {
            "InvoiceNumber": text(wish.get("InvoiceNumber")) or order.key, "CustomerUsername": text(wish.get("CustomerUsername")) or order.body["Username"],
            "StaffUsername": text(wish.get("StaffUsername")), "PurchaseOrderNumber": text(wish.get("PurchaseOrderNumber")),
            "InternalNotes": text(wish.get("InternalNotes")), "CurrencyCode": self._shop.settings.currency, "RmaStatus": "Open",
            "ShippingRefundAmount": str(shipping), "ShippingRefundTaxCode": text(wish.get("ShippingRefundTaxCode") or "GST"),
            "SurchargeRefundAmount": str(surcharge), "RefundSubtotal": str(subtotal), "RefundTotal": str(whole), "RefundTaxTotal": str(tax),
            "RefundedTotal": "0", "TaxInclusive": inclusive, "DateIssued": instant(text(wish["DateIssued"]), end=False) if wish.get("DateIssued") else at,
            "DateApproved": "", "Lines": lines, "Refunds": [],
        }  # fmt: skip
        row = self._store.add("rma", str(number), number, body, now, order.key)
        if text(wish.get("RmaStatus")).lower() == "closed":
            self.close(row)
        for one in as_list(wish.get("Refunds"), "Refund"):
            if isinstance(one, dict):
                self.refund(row, one)
        self._store.save(row, now)
        return row

    def _line(self, line_id: str, sent: Document, *, inclusive: bool) -> Document:
        amount = cents(decimal(sent.get("RefundSubtotal"), "RefundSubtotal"))
        code = text(sent.get("TaxCode"))
        tax = tax_of(amount, self._shop.tax_rate(), inclusive=inclusive) if code == "GST" else Decimal(0)
        item = self._items.row(text(sent.get("SKU")))
        names = (
            "ItemNotes",
            "ResolutionOutcome",
            "ReturnReason",
            "ItemStatusType",
            "ItemStatus",
            "ResolutionStatus",
            "ManufacturerClaims",
        )
        return {
            "RmaLineID": line_id, "SKU": item.key if item else text(sent.get("SKU")), "Quantity": text(decimal(sent.get("Quantity"), "Quantity")),
            "ProductName": item.body["Name"] if item else "", "RefundSubtotal": money(amount), "Tax": money(tax), "TaxCode": code,
            "WarehouseID": text(sent.get("WarehouseID")) or "1", "IsRestockIssued": text(flag(sent.get("IsRestockIssued"))),
            **{name: text(sent.get(name)) for name in names},
        }  # fmt: skip

    def close(self, row: Row) -> None:
        """Close: the credit note stands, the customer has the amount as credit."""
        if row.body["RmaStatus"] == "Closed":
            return
        now = self._shop.now()
        row.body["RmaStatus"], row.body["DateApproved"] = "Closed", now.strftime("%Y-%m-%d %H:%M:%S")
        customer = self._customers.row(row.body["CustomerUsername"])
        if customer is not None:
            held = decimal(customer.body["AvailableCredit"])
            customer.body["AvailableCredit"] = str(held + decimal(row.body["RefundTotal"]))
            self._store.save(customer, now)
        for line in row.body["Lines"]:
            item = self._items.row(line["SKU"])
            if flag(line["IsRestockIssued"]) and item is not None:
                held = self._store.stock(item.key).get(line["WarehouseID"], Decimal(0))
                self._store.set_stock(item.key, line["WarehouseID"], held + decimal(line["Quantity"]))
        self._store.save(row, now)

    def refund(self, row: Row, wish: Document) -> Document:
        """Issue a refund of a closed RMA: pending, or paid out when it has a date. Raises NetoError."""
        amount = cents(decimal(wish.get("RefundAmount"), "RefundAmount"))
        issued = sum((decimal(one["RefundAmount"]) for one in row.body["Refunds"]), Decimal(0))
        if (
            row.body["RmaStatus"] != "Closed"
            or amount <= 0
            or issued + amount > decimal(row.body["RefundTotal"])
        ):
            raise NetoError("A refund needs a closed RMA and cannot exceed its total.")
        now = self._shop.now().strftime("%Y-%m-%d %H:%M:%S")
        name = text(wish.get("PaymentMethod") or wish.get("PaymentMethodName"))
        method = next(
            (m for m in self._store.select("paymentmethod") if name in (m.key, m.body["name"])), None
        )
        made: Document = {
            "RefundID": str(self._store.next("refund")), "RefundAmount": money(amount), "PaymentMethodID": method.key if method else "",
            "PaymentMethodName": method.body["name"] if method else name, "DateIssued": now, "DateRefunded": "", "RefundStatus": "Pending",
        }  # fmt: skip
        row.body["Refunds"].append(made)
        if wish.get("DateRefunded"):
            self.pay_out(row, made["RefundID"], day(wish["DateRefunded"]) + " 00:00:00")
        self._store.save(row, self._shop.now())
        return made

    def pay_out(self, row: Row, refund: str, at: str = "") -> None:
        """An administrator marks a refund as paid: the credit is used up. Raises NetoError."""
        found = next((one for one in row.body["Refunds"] if one["RefundID"] == refund), None)
        if found is None or found["RefundStatus"] == "Refunded":
            raise NetoError(f"There is no pending refund {refund} of RMA {row.key}.")
        now = self._shop.now()
        found["RefundStatus"], found["DateRefunded"] = "Refunded", at or now.strftime("%Y-%m-%d %H:%M:%S")
        row.body["RefundedTotal"] = str(decimal(row.body["RefundedTotal"]) + decimal(found["RefundAmount"]))
        customer = self._customers.row(row.body["CustomerUsername"])
        if customer is not None:
            customer.body["AvailableCredit"] = str(
                decimal(customer.body["AvailableCredit"]) - decimal(found["RefundAmount"])
            )
            self._store.save(customer, now)
        self._store.save(row, now)


def _of(sent: object, name: str) -> list[Document]:
    found = as_list(sent.get(name) if isinstance(sent, dict) else None)
    if not found:
        raise NetoError(f"{name} is required.")
    return [one for one in found if isinstance(one, dict)]
