"""Item lines and totals of sales documents: amounts, tax, discounts, shipping.

Belongs here: what an invoice, order, credit memo, cash sale or cash refund adds up to.
Does not belong here: the ledger (posting) or applications (apply). Source: netsuite.md 8.2, 9.3, 9.4.
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines.sandbox.codec import ZERO, Document, number, rounded
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import invalid_value, missing_values, user_error
from ledger_pipelines.sandbox.netsuite.store import Row

HUNDRED = Decimal(100)
ALWAYS_FULFILLED = frozenset({"inventoryItem", "kitItem"})


def item_row(company: Company, item: str, path: str) -> Row:
    """The item of a line, active. Raises NetSuiteError."""
    row = company.store.master("item", int(item))
    if row is None:
        raise invalid_value(item, "item", path)
    if row.inactive:
        raise user_error(f"Item {row.name} is inactive and cannot be used on a transaction.", path)
    return row


def needs_fulfilment(item: Row) -> bool:
    """Whether a sales order line of this item must be shipped before it can be billed [I]."""
    return item.rectype in ALWAYS_FULFILLED or bool(item.body.get("isFulfillable"))


def number_lines(lines: list[Document], unique_from: int) -> None:
    """Give every line its `line` number and unique key."""
    used: set[int] = set()
    for line in lines:
        if line.get("line") is not None:
            number_given = int(line["line"])
            if number_given < 1 or number_given in used or number_given > 99_999:
                raise invalid_value(number_given, "line")
            used.add(number_given)
    following = max(used, default=0)
    for line in lines:
        if line.get("line") is None:
            following += 1
            line["line"] = following
        line.setdefault("lineUniqueKey", unique_from + int(line["line"]))


def complete_lines(company: Company, body: Document, lines: list[Document], precision: int) -> None:
    """Fill quantity, rate, amount and tax of each item line. Raises NetSuiteError for what is missing."""
    for at, line in enumerate(lines):
        path = f"item.items[{at}]"
        if not line.get("item"):
            raise missing_values("Item")
        item = item_row(company, line["item"], f"{path}.item")
        line["itemType"] = item.body.get("itemType", "Service")
        sent_quantity = line.get("quantity")
        if sent_quantity is None and line["itemType"] not in {"Discount", "TaxItem"}:
            line["quantity"] = Decimal(1)
        quantity = number(line.get("quantity")) if line.get("quantity") is not None else Decimal(1)
        rate = line.get("rate")
        if rate is None and line.get("amount") is None and line.get("grossAmt") is None:
            rate = item.body.get("rate", item.body.get("basePrice"))
            if rate is None:
                raise user_error("Please enter value(s) for: Amount", f"{path}.amount")
            line["rate"] = number(rate)
        tax_rate = _tax_rate(company, line, body)
        if line.get("amount") is None:
            if line.get("grossAmt") is not None and line.get("rate") is None:
                line["amount"] = rounded(number(line["grossAmt"]) / (1 + tax_rate / HUNDRED), precision)
            else:
                line["amount"] = rounded(quantity * number(line["rate"]), precision)
        else:
            line["amount"] = rounded(number(line["amount"]), precision)
        if line.get("rate") is None and quantity:
            line["rate"] = rounded(number(line["amount"]) / quantity, 8).normalize() + 0
        if line.get("taxCode"):
            line["taxRate1"] = tax_rate
            sent = line.get("tax1Amt")
            line["tax1Amt"] = rounded(
                number(sent) if sent is not None else number(line["amount"]) * tax_rate / HUNDRED, precision
            )
            line["taxAmount"] = line["tax1Amt"]
            line["grossAmt"] = number(line["amount"]) + line["tax1Amt"]


def _tax_rate(company: Company, line: Document, body: Document) -> Decimal:
    del body
    if line.get("taxRate1") is not None:
        return number(line["taxRate1"])
    code = line.get("taxCode")
    row = company.store.master("item", int(code)) if code else None
    return number(row.body.get("rate")) if row else ZERO


def totals(company: Company, body: Document, lines: list[Document], precision: int) -> None:
    """Set subtotal, discountTotal, taxTotal and total on the body. Raises NetSuiteError for a negative total."""
    subtotal = sum((number(line["amount"]) for line in lines), ZERO)
    discount = _discount(company, body, subtotal, precision)
    tax = sum((number(line.get("tax1Amt")) for line in lines), ZERO)
    if body.get("taxItem"):
        taxed = sum((number(line["amount"]) for line in lines if line.get("isTaxable", True)), ZERO)
        row = company.store.master("item", int(body["taxItem"]))
        default = number(row.body.get("rate")) if row else ZERO
        rate = number(body["taxRate"]) if body.get("taxRate") is not None else default
        body["taxRate"] = rate
        tax += rounded(taxed * rate / HUNDRED, precision)
    for name in ("shippingCost", "handlingCost"):
        if body.get(name) is not None:
            body[name] = rounded(number(body[name]), precision)
    body["subtotal"], body["discountTotal"], body["taxTotal"] = subtotal, discount, rounded(tax, precision)
    body["total"] = (
        subtotal
        + discount
        + body["taxTotal"]
        + number(body.get("shippingCost"))
        + number(body.get("handlingCost"))
    )
    if body["total"] < 0:
        raise user_error("The transaction total cannot be negative.", "total")


def _discount(company: Company, body: Document, subtotal: Decimal, precision: int) -> Decimal:
    if not body.get("discountItem"):
        return rounded(ZERO, precision)
    row = company.store.master("item", int(body["discountItem"]))
    rate = (
        body["discountRate"] if body.get("discountRate") is not None else (row.body.get("rate") if row else 0)
    )
    text = str(rate)
    if text.endswith("%"):
        return rounded(subtotal * Decimal(text[:-1]) / HUNDRED, precision)
    return rounded(number(rate), precision)
