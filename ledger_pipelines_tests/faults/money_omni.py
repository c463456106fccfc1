"""The path of amounts from orders of a store to Cin7 Omni's sandbox and back: order, snapshot, plan, sales order, read-back.

Belongs here: an empty shop and account, and each place of the account where amounts are read. Does not belong here: the orders
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
from ledger_pipelines_tests.omni_stage import FREE, MAIN, OmniStage
from ledger_pipelines_tests.store_stage import Record

_STYLE: Record = {"styleCode": SKU, "name": "Product", "productOptions": [{"productOptionCode": SKU}]}
SETTINGS = {
    "initial_sync.days": 1, "payments.enabled": True, "branches.branch": str(MAIN), "general.most_total": "999999999999",
}  # fmt: skip


def _open(block: Block) -> OmniStage:
    stage = opened(OmniStage, block, SETTINGS)
    for vendor in ("neto", "cin7"):
        stage.control.post("/reset", json={"seed": "empty", "vendor": vendor}).raise_for_status()
    stage.omni_settings(**FREE)
    stage.control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()
    stage.shop("AddItem", {"Item": [PRODUCT]})
    stage.omni("POST", "Products", [_STYLE])
    stage.service.initial_sync()
    return stage


def _planned(stage: OmniStage, sold: Sold) -> list[str]:
    """The plan of sales orders, row by row: amount, lines and freight of each order."""
    rows, found = planned(stage, "orders", sold)
    for number, row in rows.items():
        assert row.effect is not None
        body = decode(row.effect.body)
        assert isinstance(body, dict)
        lines = [exact(line["qty"]) * exact(line["unitPrice"]) for line in several(body["lineItems"])]
        found += differing(f"plan, lines of {number}", sold.prices[number], lines)
        whole = sum(lines, Decimal(0)) + exact(body["freightTotal"])
        found += unequal(f"plan, lines and freight of {number}", sold.totals[number], whole)
    return found


def _in_the_account(stage: OmniStage, sold: Sold) -> list[str]:
    """The sandbox's own dump: orders, their lines, payments; and what the account has sold."""
    account = stage.account()
    orders = account.orders()
    found: list[str] = []
    for number, wanted in sold.totals.items():
        order = orders.get(number)
        if order is None:
            found.append(f"Order {number} is not there.")
            continue
        found += unequal(f"order {number}", wanted, exact(order["total"]))
        lines = [exact(line["qty"]) * exact(line["unitPrice"]) for line in account.lines(number)]
        found += differing(f"lines of {number}", sold.prices[number], lines)
        paid = Counter(exact(one["amount"]) for one in account.payments(number))
        found += unequal(f"payments of {number}", dict(Counter(sold.paid[number])), dict(paid))
    booked = Counter(exact(one["amount"]) for one in account.records("payment"))
    found += unequal("payments", dict(sold.payments), dict(booked))
    return found + unequal(
        "all orders", sold.total, sum((exact(one["total"]) for one in orders.values()), Decimal(0))
    )


_BOOKS = Books(_open, _planned, _in_the_account, "sales_orders", "reference", "total")


def paths() -> tuple[MoneyPath, ...]:
    """To the account and back."""
    return (MoneyPath("omni", 400, 1, 16, _BOOKS.through),)
