"""The path of amounts from orders of a store to the books of Saasu's sandbox and back: order, snapshot, plan, invoice, read-back.

Belongs here: orders and payments of random amounts, and each place where they are read. Does not belong here: other paths.

What an order and a payment come to is what the store's own dump says. Prices have two decimals and quantities are whole, so that
no rounding is allowed anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from ledger_pipelines.documents.keys import decode
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines_tests.faults.money_amounts import Block, MoneyPath, differing, draw, unequal
from ledger_pipelines_tests.shop_stage import ShopStage
from ledger_pipelines_tests.store_stage import Record

SKU = "POT-600"
LINES, WHOLE, DIGITS = 4, 5, 2
CURRENCY = "AUD"
_ITEM: Record = {
    "Code": SKU, "Description": "Product", "Type": "I", "IsActive": True, "IsVisible": True, "IsSold": True,
    "SaleIncomeAccountId": 9040, "SaleTaxCodeId": 7, "SellingPrice": "1.00", "IsSellingPriceIncTax": True,
}  # fmt: skip
_PRODUCT: Record = {"SKU": SKU, "Name": "Product", "DefaultPrice": "1.00", "Approved": "True", "IsActive": "True"}  # fmt: skip
SETTINGS = {"initial_sync.days": 1, "general.most_total": "999999999999"}


@dataclass(slots=True)
class _Sold:
    """What customers ordered and paid, by order."""

    totals: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, list[Decimal]] = field(default_factory=dict)
    paid: dict[str, list[Decimal]] = field(default_factory=dict)


def _through(block: Block) -> list[str]:
    """Orders of a few lines at random prices, most of them paid in one or two parts, through a whole run."""
    stage = _open(block)
    try:
        sold = _sell(stage, block)
        stage.service.refresh()
        found = _planned(stage, sold)
        if code := stage.run().exit_code:
            left = [(one.number, one.text) for one in stage.service.errors()][:3]
            found.append(f"The run ends with {code}: {left}")
        found += _in_the_books(stage, sold)
        stage.clock.jump(1_800)
        stage.service.refresh()
        return found + _read_back(stage, sold)
    finally:
        stage.close()


def _open(block: Block) -> ShopStage:
    sandbox = block.sandbox()
    stage = ShopStage(sandbox.control_url, sandbox.base_urls, sandbox.credentials, block.folder)
    start = (stage.clock.now() - timedelta(days=1)).date().isoformat()
    stage.close()
    stage = ShopStage(
        sandbox.control_url, sandbox.base_urls, sandbox.credentials, block.folder, start=start, settings=SETTINGS
    )  # fmt: skip
    for vendor in ("neto", "saasu"):
        stage.control.post("/reset", json={"seed": "empty", "vendor": vendor}).raise_for_status()
    stage.control.post("/saasu/settings", json={"rate_limit": False, "daily_quota": None}).raise_for_status()
    stage.control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()
    stage.shop("AddItem", {"Item": [_PRODUCT]})
    stage.book("POST", "/Item", _ITEM)
    stage.service.initial_sync()
    return stage


def _sell(stage: ShopStage, block: Block) -> _Sold:
    sold = _Sold()
    for _ in range(max(2, block.count // LINES)):  # not money: orders
        units = draw(block.chooser, block.chooser.randint(1, LINES), CURRENCY, DIGITS, whole=WHOLE).units
        prices = [Decimal(abs(unit) or 1).scaleb(-DIGITS) for unit in units]
        quantities = [block.chooser.choice((1, 1, 2, 3, 7)) for _ in prices]
        lines = [
            {"SKU": SKU, "Quantity": str(quantity), "UnitPrice": str(price)}
            for quantity, price in zip(quantities, prices, strict=True)
        ]
        number = stage.order(*lines, ShippingCost=str(Decimal(block.chooser.randrange(3000)).scaleb(-DIGITS)))
        sold.totals[number] = stage.owed(number)
        sold.prices[number] = [q * p for q, p in zip(quantities, prices, strict=True)]
        sold.paid[number] = list(_parts(block, sold.totals[number]))
        for part in sold.paid[number]:
            stage.pay(number, str(part))
    return sold


def _parts(block: Block, total: Decimal) -> Iterator[Decimal]:
    """Nothing, all of it, or all of it in two parts."""
    how = block.chooser.random()
    cents = int(total.scaleb(DIGITS))
    if how < 0.6 or cents < 2:
        yield total
    elif how < 0.85:
        first = block.chooser.randrange(1, cents)
        yield Decimal(first).scaleb(-DIGITS)
        yield Decimal(cents - first).scaleb(-DIGITS)


def _planned(stage: ShopStage, sold: _Sold) -> list[str]:
    """The plan of invoices, row by row: amount and lines of each order."""
    service = stage.service
    for flow in service.flows[: service.flows.index("invoices")]:
        service.plan(flow, service.today())
        service.export(flow, service.today())
    plan = service.plan("invoices", service.today())
    rows = {row.number: row for row in plan.rows}
    found: list[str] = []
    for number, wanted in sold.totals.items():
        row = rows.get(number)
        if row is None or row.effect is None or row.amount is None:
            found.append(f"The plan has no invoice for order {number}: {row and row.reason}")
            continue
        found += unequal(f"plan, total of {number}", wanted, row.amount.amount)
        body = decode(row.effect.body)
        assert isinstance(body, dict)
        lines = [_exact(line["Quantity"]) * _exact(line["UnitPrice"]) for line in _list(body["LineItems"])]
        found += differing(f"plan, lines of {number}", sold.prices[number], lines[: len(sold.prices[number])])
        found += unequal(f"plan, the sum of the lines of {number}", wanted, sum(lines, Decimal(0)))
    return found


def _list(value: object) -> list[Record]:
    assert isinstance(value, list)
    return value


def _exact(value: object) -> Decimal:
    assert type(value) is not float, value
    return Decimal(str(value))


def _in_the_books(stage: ShopStage, sold: _Sold) -> list[str]:
    """The sandbox's own dump: invoices, their lines, payments, what is owed; and the accounts."""
    file = stage.file()
    found: list[str] = []
    invoices = {one["PurchaseOrderNumber"]: one for one in file.invoices()}
    for number, wanted in sold.totals.items():
        invoice = invoices.get(number)
        if invoice is None:
            found.append(f"Order {number} has no invoice.")
            continue
        found += unequal(f"invoice of {number}", wanted, _exact(invoice["TotalAmount"]))
        owed = wanted - sum(sold.paid[number], Decimal(0))
        found += unequal(f"owed of {number}", owed, _exact(invoice["AmountOwed"]))
        lines = [_exact(line["TotalAmount"]) for line in invoice["LineItems"]]
        found += differing(f"lines of {number}", sold.prices[number], lines[: len(sold.prices[number])])
    paid = Counter(part for parts in sold.paid.values() for part in parts)
    booked = Counter(
        _exact(item["AmountPaid"]) for payment in file.payments() for item in payment["PaymentItems"]
    )
    found += unequal("payments", dict(paid), dict(booked))
    total = sum((part for parts in sold.paid.values() for part in parts), Decimal(0))
    found += unequal("the clearing account", total, file.balance("PayPal Clearing"))
    owed = sum(sold.totals.values(), Decimal(0)) - total
    return found + unequal("accounts receivable", owed, file.balance("Accounts Receivable"))


def _read_back(stage: ShopStage, sold: _Sold) -> list[str]:
    """What the product reads of its invoices and of the orders, as it lies in the snapshots."""
    data = stage.folder / "data"
    found: list[str] = []
    for connection, entity, name, amount in (
        (stage.service.target, "invoices", "purchase_order", "total"),
        (stage.service.source, "orders", "order_id", "grand_total"),
    ):
        table = SnapshotStore(data, connection).read(entity)
        rows = dict(zip(table[name].to_pylist(), table[amount].to_pylist(), strict=True))
        for number, wanted in sold.totals.items():
            found += unequal(f"snapshot of {entity}, {number}", wanted, rows.get(number))
    return found


def paths() -> tuple[MoneyPath, ...]:
    """To the books and back."""
    return (MoneyPath("shop", 400, 1, 16, _through),)
