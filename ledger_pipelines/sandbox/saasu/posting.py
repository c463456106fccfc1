"""What invoices and payments do to the general ledger and to stock.

Belongs here: debits and credits, cost of sales at average cost. Does not belong here: whether a document is legal.
Saasu's postings are not published; this is plain double entry with receivables, payables and tax accounts, and stock as
saasu.md 6.4 says. A payment of an order credits receivables before the order is an invoice (inferred).
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines.sandbox.saasu.answers import SaasuError
from ledger_pipelines.sandbox.saasu.book import EXCHANGE, PAYABLE, RECEIVABLE, TAX_COLLECTED, TAX_PAID, Book
from ledger_pipelines.sandbox.saasu.items import apply_moves
from ledger_pipelines.sandbox.saasu.money import cents, number, summed
from ledger_pipelines.sandbox.saasu.store import ZERO, Entry, Move, Row


def post_invoice(book: Book, row: Row) -> None:
    """Ledger and stock of an invoice, replacing what it did before. Raises SaasuError (negative stock)."""
    body = row.body
    book.store.move(row, ())
    moves, costs = _stock(book, row)
    entries: list[Entry] = []
    if body["InvoiceStatus"] == "I":
        sign = 1 if body["TransactionType"] == "S" else -1
        control = RECEIVABLE if sign > 0 else PAYABLE
        rate = number(body["FxRate"])
        parts = [_line(book, row, line, sign, rate) for line in body["LineItems"]]
        entries = [entry for part in parts for entry in part]
        owed = -sum((entry.amount for entry in entries), ZERO)
        foreign = -sum((entry.foreign for entry in entries), ZERO)
        entries = [Entry(control, owed, foreign), *entries, *costs]
    book.store.post(row, body["TransactionDate"], body["Currency"], entries)
    apply_moves(book, row, moves)


def unpost(book: Book, row: Row) -> None:
    """Take back what an invoice did. Raises SaasuError (negative stock)."""
    items = {line["InventoryId"] for line in row.body["LineItems"] if line["InventoryId"]}
    book.store.post(row, row.body["TransactionDate"], row.body["Currency"], ())
    apply_moves(book, row, [Move(item) for item in items])
    book.store.move(row, ())


def _line(book: Book, row: Row, line: dict[str, object], sign: int, rate: Decimal) -> list[Entry]:
    """Income or expense, and tax: credits of a sale, debits of a purchase."""
    net, tax = number(line["NetAmount"]) * -sign, number(line["TaxAmount"]) * -sign
    account = line["AccountId"]
    if line["InventoryId"]:
        item = book.store.get(row.file, "item", int(str(line["InventoryId"])))
        fields = item.body if item else {}
        account = (
            fields.get("SaleIncomeAccountId")
            if sign > 0
            else fields.get("AssetAccountId" if fields.get("IsInventoried") else "PurchaseExpenseAccountId")
        )
    if account is None:
        raise SaasuError("The referenced account does not exist.")
    entries = [Entry(int(str(account)), cents(net * rate), net)]
    if tax:
        code = book.tax_code(row.file, line["TaxCode"])
        control = (code.body["PostingAccountId"] if code else None) or (
            TAX_COLLECTED if sign > 0 else TAX_PAID
        )
        entries.append(Entry(int(str(control)), cents(tax * rate), tax))
    return entries


def _stock(book: Book, row: Row) -> tuple[list[Move], list[Entry]]:
    """Moves of inventoried items; cost of sales of a sale."""
    moves: list[Move] = []
    costs: list[Entry] = []
    status, side = row.body["InvoiceStatus"], row.body["TransactionType"]
    if row.body["Layout"] != "I" or status == "Q":
        return moves, costs
    for line in row.body["LineItems"]:
        item = book.store.get(row.file, "item", int(str(line["InventoryId"])))
        if item is None or not item.body["IsInventoried"]:
            moves.append(Move(int(str(line["InventoryId"]))))  # a trace, so that the item counts as used
            continue
        quantity = number(line["Quantity"])
        if status == "O":
            moves.append(
                Move(item.id, committed=quantity) if side == "S" else Move(item.id, on_order=quantity)
            )
        elif side == "P":
            value = cents(number(line["NetAmount"]) * number(row.body["FxRate"]))
            moves.append(Move(item.id, quantity, value))
        else:
            stock = book.store.stock(row.file, item.id)
            before = sum((m.quantity for m in moves if m.item == item.id), ZERO)
            spent = sum((m.value for m in moves if m.item == item.id), ZERO)
            on_hand, worth = stock.on_hand + before, stock.value + spent
            value = cents(quantity * worth / on_hand) if on_hand else ZERO
            if quantity == on_hand:
                value = cents(worth)
            moves.append(Move(item.id, -quantity, -value))
            expense, asset = item.body["SaleCoSAccountId"], item.body["AssetAccountId"]
            if value and expense and asset:
                costs += [Entry(int(str(expense)), value, ZERO), Entry(int(str(asset)), -value, ZERO)]
    return moves, costs


def post_payment(book: Book, row: Row, invoices: dict[int, Row]) -> None:
    """Ledger of a payment: bank against receivables or payables, the fee, and the difference of two rates."""
    body = row.body
    sign = 1 if body["TransactionType"] == "SP" else -1
    control = RECEIVABLE if sign > 0 else PAYABLE
    rate = number(body["FxRate"])
    total = summed(number(item["AmountPaid"]) for item in body["PaymentItems"])
    fee = number(body["FeeAmount"])
    entries = [Entry(body["PaymentAccountId"], cents((total - fee) * rate) * sign, (total - fee) * sign)]
    if fee:
        account = book.account(row.file, body["PaymentAccountId"])
        entries.append(
            Entry(int(str(account.body["MerchantFeeAccountId"])), cents(fee * rate) * sign, fee * sign)
        )
    for item in body["PaymentItems"]:
        amount = number(item["AmountPaid"])
        own = number(invoices[item["InvoiceTransactionId"]].body["FxRate"])
        entries.append(Entry(control, -cents(amount * own) * sign, -amount * sign))
    difference = -sum((entry.amount for entry in entries), ZERO)
    if difference:
        entries.append(Entry(EXCHANGE, difference, ZERO))
    book.store.post(row, body["TransactionDate"], body["Currency"], entries)
