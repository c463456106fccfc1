"""Which document of the books answers to an order: the matching ladder, and sharing a payment among invoices.

Belongs here: choosing among documents already read. Does not belong here: reading them (`read_books` tries the rungs
of celigo-amazon-netsuite.md 8.4 in SuiteQL), amounts (`amounts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import Component, ItemLine, SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.books import (
    CASH_SALE,
    CREDIT_MEMO,
    INVOICE,
    SALES_ORDER,
    BookDocument,
    BookLine,
    Books,
)

VOIDED = "V"
REJECTED = "E"
"""Status letters of invoices that cannot be paid (netsuite.md 7.5). E of a sales order is another thing: billable."""


@dataclass(frozen=True, slots=True)
class OrderBooks:
    """What the books hold for one order."""

    invoices: tuple[BookDocument, ...]
    sales_orders: tuple[BookDocument, ...]
    cash_sales: tuple[BookDocument, ...]
    credit_memos: tuple[BookDocument, ...]

    def __bool__(self) -> bool:
        return bool(self.invoices or self.sales_orders or self.cash_sales)


def books_of(books: Books, group: SettlementGroup, *, merchant: bool) -> OrderBooks:
    """Documents of the group's order id, or (the ladder's fourth rung) of its merchant order id."""
    documents = books.by_order.get(group.order_id, ())
    if not documents and merchant and group.merchant_order_id:
        documents = books.by_order.get(group.merchant_order_id, ())
    found: dict[str, list[BookDocument]] = {INVOICE: [], SALES_ORDER: [], CASH_SALE: [], CREDIT_MEMO: []}
    for document in documents:
        rejected = document.record == INVOICE and document.status == REJECTED
        if document.status != VOIDED and not rejected and document.record in found:
            found[document.record].append(document)
    return OrderBooks(*map(tuple, found.values()))


@dataclass(slots=True)
class Payable:
    """An invoice while payments and credits are shared out: unpaid goes down, credited up, as groups take their part.

    reference: its internal id, or `$link:<key>` while it is only planned.
    """

    reference: str
    document: BookDocument
    unpaid: Decimal
    credited: Decimal = ZERO


def line_of(document: BookDocument, line: ItemLine) -> BookLine | None:
    """The document's line of an item: by order item id, else by SKU."""
    for candidate in document.lines:
        if line.order_item_code and candidate.order_item_id == line.order_item_code:
            return candidate
    sku = line.sku.strip()
    return next((c for c in document.lines if sku and c.item.strip() == sku), None)


def principal(line: ItemLine) -> Decimal:
    """The product amount of an item of a group, with the file's sign."""
    return sum((k.amount for k in line.kinds if k.kind.component is Component.PRODUCT), ZERO)


def covers(document: BookDocument, group: SettlementGroup) -> bool:
    """Whether every item of the group is on the document at the same price: a shipment of that order."""
    items = [line for line in group.lines if principal(line)]
    if not items:
        return False
    for item in items:
        found = line_of(document, item)
        if found is None:
            return False
        amount = abs(principal(item))
        by_rate = None
        if found.rate is not None and item.quantity:
            by_rate = found.rate * item.quantity
        if amount not in (found.amount, by_rate):
            return False
    return True


def share(amount: Decimal, payables: list[Payable], group: SettlementGroup) -> list[tuple[Payable, Decimal]]:
    """Share an amount among open invoices: an exact one, else the one with these items, else oldest first.

    Never more than each one's unpaid amount; the sum may be less than `amount`.
    """
    open_ones = [p for p in payables if p.unpaid > 0]
    exact = next((p for p in open_ones if p.unpaid == amount), None)
    if exact is not None:
        return [(exact, amount)]
    with_items = [p for p in open_ones if p.unpaid >= amount and covers(p.document, group)]
    if with_items:
        return [(with_items[0], amount)]
    shares: list[tuple[Payable, Decimal]] = []
    left = amount
    for payable in open_ones:
        if left <= 0:
            break
        part = min(left, payable.unpaid)
        shares.append((payable, part))
        left -= part
    return shares
