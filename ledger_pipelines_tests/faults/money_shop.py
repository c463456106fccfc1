"""The path of amounts from orders of a store to the books of Saasu's sandbox and back: order, snapshot, plan, invoice, read-back.

Belongs here: an empty shop and file, and each place of the file where amounts are read. Does not belong here: the orders
(`money_store`), other paths.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from ledger_pipelines.documents.keys import decode
from ledger_pipelines_tests.faults.money_amounts import Block, MoneyPath, differing, unequal
from ledger_pipelines_tests.faults.money_store import (
    PRODUCT,
    SKU,
    Books,
    Sold,
    exact,
    opened,
    planned,
    several,
)
from ledger_pipelines_tests.shop_stage import ShopStage
from ledger_pipelines_tests.store_stage import Record

_ITEM: Record = {
    "Code": SKU, "Description": "Product", "Type": "I", "IsActive": True, "IsVisible": True, "IsSold": True,
    "SaleIncomeAccountId": 9040, "SaleTaxCodeId": 7, "SellingPrice": "1.00", "IsSellingPriceIncTax": True,
}  # fmt: skip
SETTINGS = {"initial_sync.days": 1, "general.most_total": "999999999999"}


def _open(block: Block) -> ShopStage:
    stage = opened(ShopStage, block, SETTINGS)
    for vendor in ("neto", "saasu"):
        stage.control.post("/reset", json={"seed": "empty", "vendor": vendor}).raise_for_status()
    stage.control.post("/saasu/settings", json={"rate_limit": False, "daily_quota": None}).raise_for_status()
    stage.control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()
    stage.shop("AddItem", {"Item": [PRODUCT]})
    stage.book("POST", "/Item", _ITEM)
    stage.service.initial_sync()
    return stage


def _planned(stage: ShopStage, sold: Sold) -> list[str]:
    """The plan of invoices, row by row: amount and lines of each order."""
    rows, found = planned(stage, "invoices", sold)
    for number, row in rows.items():
        assert row.effect is not None
        body = decode(row.effect.body)
        assert isinstance(body, dict)
        lines = [exact(line["Quantity"]) * exact(line["UnitPrice"]) for line in several(body["LineItems"])]
        found += differing(f"plan, lines of {number}", sold.prices[number], lines[: len(sold.prices[number])])
        found += unequal(
            f"plan, the sum of the lines of {number}", sold.totals[number], sum(lines, Decimal(0))
        )
    return found


def _in_the_books(stage: ShopStage, sold: Sold) -> list[str]:
    """The sandbox's own dump: invoices, their lines, payments, what is owed; and the accounts."""
    file = stage.file()
    found: list[str] = []
    invoices = {one["PurchaseOrderNumber"]: one for one in file.invoices()}
    for number, wanted in sold.totals.items():
        invoice = invoices.get(number)
        if invoice is None:
            found.append(f"Order {number} has no invoice.")
            continue
        found += unequal(f"invoice of {number}", wanted, exact(invoice["TotalAmount"]))
        owed = wanted - sum(sold.paid[number], Decimal(0))
        found += unequal(f"owed of {number}", owed, exact(invoice["AmountOwed"]))
        lines = [exact(line["TotalAmount"]) for line in invoice["LineItems"]]
        found += differing(f"lines of {number}", sold.prices[number], lines[: len(sold.prices[number])])
    booked = Counter(
        exact(item["AmountPaid"]) for payment in file.payments() for item in payment["PaymentItems"]
    )
    found += unequal("payments", dict(sold.payments), dict(booked))
    found += unequal("the clearing account", sold.received, file.balance("PayPal Clearing"))
    owed = sold.total - sold.received
    return found + unequal("accounts receivable", owed, file.balance("Accounts Receivable"))


_BOOKS = Books(_open, _planned, _in_the_books, "invoices", "purchase_order", "total")


def paths() -> tuple[MoneyPath, ...]:
    """To the books and back."""
    return (MoneyPath("shop", 400, 1, 16, _BOOKS.through),)
