"""Payments of both sides, quick payments, journals.

Belongs here: their fields and rules. Does not belong here: what they post (`posting`). Source: saasu.md 5.9, 5.10.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import NO_BANK, NO_TRANSACTION, WRONG_PAYMENT, SaasuError
from ledger_pipelines.sandbox.saasu.book import Book, Call
from ledger_pipelines.sandbox.saasu.fields import DATE, FLAG, INTEGER, LIST, MAYBE, NUMBER, TEXT, bind, text
from ledger_pipelines.sandbox.saasu.invoices import AUTO_RATES, CURRENCIES, Invoices
from ledger_pipelines.sandbox.saasu.money import cents, number, summed
from ledger_pipelines.sandbox.saasu.parties import tagged
from ledger_pipelines.sandbox.saasu.posting import post_payment
from ledger_pipelines.sandbox.saasu.resource import Resource, Where, pair
from ledger_pipelines.sandbox.saasu.store import ZERO, Entry, Row

_ITEM = {"InvoiceTransactionId": INTEGER, "AmountPaid": NUMBER}
_QUICK = {
    "DatePaid": DATE, "DateCleared": DATE, "BankedToAccountId": INTEGER, "Amount": NUMBER, "Reference": text(50),
    "Summary": text(75),
}  # fmt: skip
WINDOW = timedelta(days=31)
"""What `/Payments` covers when it is not given dates: the last month."""


class Payments(Resource):
    """`/Payment`, `/Payments`."""

    kind, sequence = "payment", "transaction"
    spec: ClassVar = {
        "TransactionType": TEXT, "TransactionDate": DATE, "PaymentAccountId": INTEGER, "PaymentItems": LIST,
        "FeeAmount": NUMBER, "Summary": text(75), "Reference": text(50), "Notes": TEXT, "ClearedDate": DATE,
        "Currency": TEXT, "AutoPopulateFxRate": FLAG, "FxRate": NUMBER, "RequiresFollowUp": MAYBE,
    }  # fmt: skip
    detail_only: ClassVar = frozenset({"PaymentItems", "Notes"})

    def __init__(self, book: Book, invoices: Invoices) -> None:
        super().__init__(book)
        self._invoices = invoices
        invoices.payments = self

    def filters(self, call: Call) -> Where:
        """Without PaymentFromDate and PaymentToDate only the last month."""
        where = Where()
        strict = self.book.settings.strict_pairs
        first, last = pair(call, ("paymentfromdate", "paymenttodate"), strict=strict)
        if first is None or last is None:
            today = self.book.now().date()
            first, last = (today - WINDOW).isoformat(), (today + timedelta(days=1)).isoformat()
        where.add(
            "json_extract(body, '$.TransactionDate') BETWEEN ? AND ?", first[:10], last[:10] + "T23:59:59"
        )
        first, last = pair(call, ("clearedfromdate", "clearedtodate"), strict=strict)
        if first is not None and last is not None:
            where.add(
                "json_extract(body, '$.ClearedDate') BETWEEN ? AND ?", first[:10], last[:10] + "T23:59:59"
            )
        where.number("PaymentAccountId", call.params.get("paymentaccountid"))
        invoice = call.params.get("forinvoiceid")
        if invoice:
            where.add("id IN (SELECT payment FROM saasu_allocation a WHERE a.file = ? AND a.invoice = ?)",
                      call.file, int(invoice) if invoice.isdigit() else 0)  # fmt: skip
        else:
            where.equal("TransactionType", call.params.get("transactiontype"))
        return where

    def shown(self, row: Row, call: Call) -> Document:
        """With ForInvoiceId, `TotalAmount` is the part of that invoice."""
        body = dict(row.body)
        body["TotalAmount"] = summed(number(item["AmountPaid"]) for item in body["PaymentItems"])
        invoice = call.params.get("forinvoiceid", "")
        if invoice.isdigit():
            parts = [
                number(i["AmountPaid"])
                for i in body["PaymentItems"]
                if i["InvoiceTransactionId"] == int(invoice)
            ]
            body["TotalAmount"] = summed(parts)
        return body

    def not_there(self, record_id: int) -> SaasuError:
        """The vendor's own words."""
        del record_id
        return SaasuError(NO_TRANSACTION, 404, quoted=True)

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """Side, bank, currency, allocations never above what is owed."""
        side = str(body["TransactionType"] or "").upper()
        if side not in ("SP", "PP"):
            raise SaasuError(WRONG_PAYMENT)
        body["TransactionType"] = side
        if body["TransactionDate"] is None:
            raise SaasuError("Please specify the transaction date.")
        self.book.refuse_locked(body["TransactionDate"], None if row is None else row.body["TransactionDate"])
        account = (
            None
            if body["PaymentAccountId"] is None
            else self.store.get(call.file, "account", body["PaymentAccountId"])
        )
        if account is None or not account.body["IsBankAccount"]:
            raise SaasuError(NO_BANK)
        if body["FeeAmount"] and account.body["MerchantFeeAccountId"] is None:
            raise SaasuError("The bank account has no merchant fee account, so a fee cannot be recorded.")
        base = self.book.currency(call.file)
        currency = str(body["Currency"] or base).upper()
        body["Currency"] = currency if currency in CURRENCIES else base
        body["FxRate"] = self._rate(body, base)
        sent = body["PaymentItems"]
        if not sent:
            raise SaasuError("Please specify PaymentItems for this transaction.")
        items = [bind(_ITEM, one) for one in sent]
        for item in items:
            self._allowed(item, side, call, row)
        body["PaymentItems"] = items

    @staticmethod
    def _rate(body: Document, base: str) -> Decimal:
        if body["Currency"] == base:
            return Decimal(1)
        if body["AutoPopulateFxRate"] or body["FxRate"] is None:
            return AUTO_RATES.get(body["Currency"], Decimal(1))
        if body["FxRate"] <= 0:
            raise SaasuError("Invalid FX Rate. Must be > 0.")
        rate: Decimal = body["FxRate"]
        return rate

    def _allowed(self, item: Document, side: str, call: Call, row: Row | None) -> None:
        invoice = self.store.get(call.file, "invoice", item["InvoiceTransactionId"] or 0)
        if invoice is None:
            raise SaasuError(NO_TRANSACTION)
        if invoice.body["TransactionType"] != side[0]:
            raise SaasuError(WRONG_PAYMENT)
        if invoice.body["InvoiceStatus"] == "Q":
            raise SaasuError("A payment cannot be applied to a quote.")
        amount = item["AmountPaid"]
        if not amount:
            raise SaasuError("The payment amount must not be zero.")
        if amount != cents(amount):
            raise SaasuError("The payment amount must not have more than 2 decimals.")
        others = sum(
            (a for p, a in self.store.paid(call.file, invoice.id) if row is None or p != row.id), ZERO
        )
        owed = number(invoice.body["TotalAmount"]) - others
        if (amount > 0) != (owed > 0) or abs(amount) > abs(owed):
            raise SaasuError("The payment amount exceeds the amount owed.")

    def written(self, row: Row, call: Call, before: Document | None) -> None:
        """Allocations, what is owed, the ledger."""
        touched = {item["InvoiceTransactionId"] for item in (before or {}).get("PaymentItems", ())}
        parts: dict[int, Decimal] = {}
        for item in row.body["PaymentItems"]:
            parts[item["InvoiceTransactionId"]] = (
                parts.get(item["InvoiceTransactionId"], ZERO) + item["AmountPaid"]
            )
        self.store.allocate(call.file, row.id, parts.items())
        invoices = self._owed(call, touched | set(parts))
        for invoice in invoices.values():
            if abs(number(invoice.body["AmountPaid"])) > abs(number(invoice.body["TotalAmount"])):
                raise SaasuError("The payment amount exceeds the amount owed.")
        post_payment(self.book, row, invoices)

    def _owed(self, call: Call, invoice_ids: set[int]) -> dict[int, Row]:
        found: dict[int, Row] = {}
        for invoice_id in sorted(invoice_ids):
            invoice = self.store.get(call.file, "invoice", invoice_id)
            if invoice is not None:
                self._invoices.owed(invoice, call)
                found[invoice_id] = invoice
        return found

    def removing(self, row: Row, call: Call) -> None:
        """What is owed comes back."""
        self.book.refuse_locked(row.body["TransactionDate"])
        touched = {item["InvoiceTransactionId"] for item in row.body["PaymentItems"]}
        self.store.allocate(call.file, row.id, ())
        self.store.post(row, row.body["TransactionDate"], row.body["Currency"], ())
        self._owed(call, touched)

    def entity_of(self, row: Row) -> str:
        """SalePayment or PurchasePayment."""
        return "SalePayment" if row.body["TransactionType"] == "SP" else "PurchasePayment"

    def quick(self, invoice: Row, call: Call, sent: object) -> None:
        """The quick payment of a new invoice; too large refuses the whole insert."""
        quick = bind(_QUICK, sent)
        if quick["DatePaid"] is None or quick["BankedToAccountId"] is None or quick["Amount"] is None:
            raise SaasuError("QuickPayment needs DatePaid, BankedToAccountId and Amount.")
        payment = {
            "TransactionType": f"{invoice.body['TransactionType']}P",
            "TransactionDate": quick["DatePaid"],
            "ClearedDate": quick["DateCleared"],
            "PaymentAccountId": quick["BankedToAccountId"],
            "Reference": quick["Reference"],
            "Summary": quick["Summary"],
            "Currency": invoice.body["Currency"],
            "FxRate": invoice.body["FxRate"],
            "PaymentItems": [{"InvoiceTransactionId": invoice.id, "AmountPaid": quick["Amount"]}],
        }
        self.insert_row(call, payment)
        fresh = self.store.get(call.file, "invoice", invoice.id)
        if fresh is not None:
            invoice.modified, invoice.version = fresh.modified, fresh.version
            invoice.body |= fresh.body


class Journals(Resource):
    """`/Journal`, `/Journals`."""

    kind, sequence, entity = "journal", "transaction", "Journal"
    spec: ClassVar = {
        "TransactionDate": DATE, "Items": LIST, "Summary": text(75), "Reference": text(50), "Notes": TEXT, "Currency": TEXT,
        "FxRate": NUMBER, "AutoPopulateFxRate": FLAG, "JournalContactId": INTEGER, "Tags": LIST, "RequiresFollowUp": MAYBE,
    }  # fmt: skip
    detail_only: ClassVar = frozenset({"Items", "Notes"})
    _ITEM: ClassVar = {"Type": TEXT, "AccountId": INTEGER, "TaxCode": TEXT, "Amount": NUMBER}

    def filters(self, call: Call) -> Where:
        """Dates and contact."""
        where = Where()
        first, last = pair(call, ("fromdate", "todate"), strict=self.book.settings.strict_pairs)
        if first is not None and last is not None:
            where.add(
                "json_extract(body, '$.TransactionDate') BETWEEN ? AND ?", first[:10], last[:10] + "T23:59:59"
            )
        where.number("JournalContactId", call.params.get("journalcontactid"))
        return where

    def keeps(self, row: Row, call: Call) -> bool:
        """Tags."""
        return tagged(row, call)

    def not_there(self, record_id: int) -> SaasuError:
        """The vendor's own words."""
        del record_id
        return SaasuError(NO_TRANSACTION, 404, quoted=True)

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """Balanced; no tax code on a bank line."""
        if body["TransactionDate"] is None or not body["Items"]:
            raise SaasuError("Please specify the transaction date and the items.")
        self.book.refuse_locked(body["TransactionDate"], None if row is None else row.body["TransactionDate"])
        if (
            body["JournalContactId"] is not None
            and self.store.get(call.file, "contact", body["JournalContactId"]) is None
        ):
            raise SaasuError("The referenced contact does not exist.")
        items = [bind(self._ITEM, one) for one in body["Items"]]
        out = ZERO
        for item in items:
            side = str(item["Type"] or "").capitalize()
            if side not in ("Debit", "Credit") or item["Amount"] is None:
                raise SaasuError("Each journal item needs a Type of Debit or Credit and an Amount.")
            item["Type"] = side
            account = self.book.account(call.file, item["AccountId"])
            if account.body["IsBankAccount"] and item["TaxCode"]:
                raise SaasuError(
                    "You have selected a Tax Code for use with a Bank Account. This is not allowed."
                )
            self.book.tax_code(call.file, item["TaxCode"])
            out += item["Amount"] if side == "Debit" else -item["Amount"]
        if out:
            raise SaasuError(
                "The debit and credit total for the transaction items in this transaction do not match. "
                f"Out of balance: {cents(out):,}."
            )
        base = self.book.currency(call.file)
        body["Currency"] = str(body["Currency"] or base).upper()
        body["FxRate"] = (
            Decimal(1)
            if body["Currency"] == base
            else (body["FxRate"] or AUTO_RATES.get(body["Currency"], Decimal(1)))
        )
        body["Items"] = items

    def written(self, row: Row, call: Call, before: Document | None) -> None:
        """As it stands."""
        del before, call
        rate = number(row.body["FxRate"])
        entries = [
            Entry(item["AccountId"], cents(amount * rate), amount)
            for item in row.body["Items"]
            for amount in [number(item["Amount"]) if item["Type"] == "Debit" else -number(item["Amount"])]
        ]
        left = -sum((entry.amount for entry in entries), ZERO)
        if (
            left
        ):  # cents of a foreign journal's conversion: on its last line, as the smallest place to show them
            last = entries[-1]
            entries[-1] = Entry(last.account, last.amount + left, last.foreign)
        self.store.post(row, row.body["TransactionDate"], row.body["Currency"], entries)

    def removing(self, row: Row, call: Call) -> None:
        """Its postings go."""
        del call
        self.book.refuse_locked(row.body["TransactionDate"])
        self.store.post(row, row.body["TransactionDate"], row.body["Currency"], ())
