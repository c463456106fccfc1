"""Invoices of both sides: orders, quotes, tax invoices, adjustment notes.

Belongs here: their fields and rules, numbering, terms. Does not belong here: what they post (`posting`), payments.
Source: saasu.md 5.8, 6.1-6.7.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import (
    NO_CURRENCY,
    NO_TRANSACTION,
    NOT_BACK,
    WRONG_LAYOUT,
    SaasuError,
)
from ledger_pipelines.sandbox.saasu.book import Book, Call
from ledger_pipelines.sandbox.saasu.fields import (
    DATE,
    FLAG,
    INTEGER,
    LIST,
    MAYBE,
    NUMBER,
    OBJECT,
    TEXT,
    bind,
    day,
    text,
)
from ledger_pipelines.sandbox.saasu.money import line_amount, number, summed, taxed
from ledger_pipelines.sandbox.saasu.parties import tagged
from ledger_pipelines.sandbox.saasu.posting import post_invoice, unpost
from ledger_pipelines.sandbox.saasu.resource import Resource, Where, pair
from ledger_pipelines.sandbox.saasu.store import ZERO, Row

if TYPE_CHECKING:
    from ledger_pipelines.sandbox.saasu.payments import Payments

AUTO = "<auto number>"
STATUS = {
    "Pre-Quote Opportunity": "Q", "Quote": "Q", "Purchase Order": "O", "Sale Order": "O", "Tax Invoice": "I",
    "Adjustment Note": "I", "RCT Invoice": "I", "Money In (Income)": "I", "Money Out (Expense)": "I",
    "Sale Invoice": "I", "Purchase Invoice": "I", "Credit Note": "I", "Debit Note": "I", "Payment Invoice": "I",
    "Self-Billing": "I", "Consignment": "I",
}  # fmt: skip
"""Invoice type -> status: Q quote, O order, I invoice."""
_RANK = {"Q": 0, "O": 1, "I": 2}
_TYPES = {name.lower(): name for name in STATUS}
CURRENCIES = frozenset({"AUD", "NZD", "USD", "GBP", "EUR", "CAD", "SGD", "HKD", "JPY"})
_TERMS = {
    "Type": INTEGER,
    "Interval": INTEGER,
    "IntervalType": INTEGER,
    "TypeEnum": TEXT,
    "IntervalTypeEnum": TEXT,
}
_LINE = {
    "Description": text(4000), "TaxCode": TEXT, "Tags": LIST, "Attributes": LIST, "AccountId": INTEGER,
    "TotalAmount": NUMBER, "InventoryId": INTEGER, "Quantity": NUMBER, "UnitPrice": NUMBER, "PercentageDiscount": NUMBER,
}  # fmt: skip


class Invoices(Resource):
    """`/Invoice`, `/Invoices`."""

    kind, sequence = "invoice", "transaction"
    spec: ClassVar = {
        "TransactionType": TEXT, "Layout": TEXT, "InvoiceType": TEXT, "InvoiceNumber": text(50),
        "PurchaseOrderNumber": text(50), "TransactionDate": DATE, "DueDate": DATE, "Terms": OBJECT,
        "BillingContactId": INTEGER, "ShippingContactId": INTEGER, "Currency": TEXT, "FxRate": NUMBER,
        "AutoPopulateFxRate": FLAG, "IsTaxInc": FLAG, "Summary": text(75), "NotesInternal": TEXT, "NotesExternal": TEXT,
        "RequiresFollowUp": MAYBE, "SentToContact": MAYBE, "Tags": LIST, "TemplateId": INTEGER, "BrandId": INTEGER,
        "ForEntityTypeId": INTEGER, "LineItems": LIST,
    }  # fmt: skip
    detail_only: ClassVar = frozenset(
        {"LineItems", "NotesInternal", "NotesExternal", "Terms", "Attachments", "TemplateId"}
    )

    def __init__(self, book: Book) -> None:
        super().__init__(book)
        self.payments: Payments | None = None

    # --- reading ---------------------------------------------------------------------------------------------------

    def filters(self, call: Call) -> Where:
        """Numbers, sides, status, contact, dates."""
        where = Where()
        for asked, name in (
            ("invoicenumber", "InvoiceNumber"), ("purchaseordernumber", "PurchaseOrderNumber"),
            ("transactiontype", "TransactionType"), ("invoicestatus", "InvoiceStatus"),
        ):  # fmt: skip
            told = call.params.get(asked)
            if told:
                where.add(f"json_extract(body, '$.{name}') = ?", told)
        where.number("BillingContactId", call.params.get("billingcontactid"))
        status = call.params.get("paymentstatus", "").upper()
        if status in ("P", "U"):
            where.add("json_extract(body, '$.PaymentStatus') = ?", status)
        first, last = pair(call, ("invoicefromdate", "invoicetodate"), strict=self.book.settings.strict_pairs)
        if first is not None and last is not None:
            where.add(
                "json_extract(body, '$.TransactionDate') BETWEEN ? AND ?", first[:10], last[:10] + "T23:59:59"
            )
        return where

    def keeps(self, row: Row, call: Call) -> bool:
        """Tags."""
        return tagged(row, call)

    def shown(self, row: Row, call: Call) -> Document:
        """With names of contacts, item codes."""
        body = dict(row.body)
        for role in ("Billing", "Shipping"):
            contact = body[f"{role}ContactId"]
            found = None if contact is None else self.store.get(call.file, "contact", contact)
            person = found.body if found else {}
            company = person.get("CompanyId")
            of = None if company is None else self.store.get(call.file, "company", company)
            body[f"{role}ContactFirstName"] = person.get("GivenName")
            body[f"{role}ContactLastName"] = person.get("FamilyName")
            body[f"{role}ContactOrganisationName"] = of.body["Name"] if of else None
        body["Attachments"] = []
        return body

    def not_there(self, record_id: int) -> SaasuError:
        """The vendor's own words; 404 is inferred."""
        del record_id
        return SaasuError(NO_TRANSACTION, 404, quoted=True)

    # --- rules -----------------------------------------------------------------------------------------------------

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """Everything before it is numbered and posted."""
        side, layout = str(body["TransactionType"] or "").upper(), str(body["Layout"] or "").upper()
        if side not in ("S", "P") or layout not in ("S", "I"):
            raise SaasuError(WRONG_LAYOUT)
        if layout == "I" and not self.book.settings.item_layout:
            raise SaasuError("Your subscription does not include item layout.", 403)
        body["TransactionType"], body["Layout"] = side, layout
        kind = _TYPES.get(str(body["InvoiceType"] or "").lower())
        if kind is None:
            raise SaasuError("The invoice type is invalid.")
        body["InvoiceType"], body["InvoiceStatus"] = kind, STATUS[kind]
        if body["TransactionDate"] is None:
            raise SaasuError("Please specify the transaction date.")
        self.book.refuse_locked(body["TransactionDate"], None if row is None else row.body["TransactionDate"])
        self._conversion(body, row)
        self._currency(body, call, row)
        for role in ("BillingContactId", "ShippingContactId"):
            if body[role] is not None and self.store.get(call.file, "contact", body[role]) is None:
                raise SaasuError("The referenced contact does not exist.")
        self._lines(body, call)
        body["Terms"] = None if body["Terms"] is None else bind(_TERMS, body["Terms"])
        due = due_date(day(body["TransactionDate"]), body["Terms"])
        if due is not None:
            body["DueDate"] = f"{due.isoformat()}T00:00:00"
        self._number(body, call, row)

    @staticmethod
    def _conversion(body: Document, row: Row | None) -> None:
        if row is None:
            return
        if _RANK[body["InvoiceStatus"]] < _RANK[row.body["InvoiceStatus"]]:
            raise SaasuError(NOT_BACK, quoted=True)
        if body["TransactionType"] != row.body["TransactionType"]:
            raise SaasuError(WRONG_LAYOUT)

    def _currency(self, body: Document, call: Call, row: Row | None) -> None:
        base = self.book.currency(call.file)
        currency = str(body["Currency"] or base).upper()
        if currency not in CURRENCIES:
            raise SaasuError(NO_CURRENCY, quoted=True)
        if currency != base and not self.book.settings.multi_currency:
            raise SaasuError("Your subscription does not include multi-currency.", 403)
        body["Currency"] = currency
        rate = body["FxRate"]
        if currency == base:
            rate = Decimal(1)
        elif body["AutoPopulateFxRate"]:
            rate = AUTO_RATES.get(currency, Decimal(1))
        elif rate is None or rate <= 0:
            raise SaasuError("Invalid FX Rate. Must be > 0.")
        body["FxRate"] = rate
        changed = row is not None and (row.body["Currency"] != currency or number(row.body["FxRate"]) != rate)
        if row is not None and changed and self.store.paid(call.file, row.id):
            raise SaasuError(
                "Sorry, FX rate cannot be changed because there are payments applied to the transaction already. "
                "Please change the FX rate on payment instead."
            )

    def _lines(self, body: Document, call: Call) -> None:
        sent = body["LineItems"]
        if not sent:
            raise SaasuError("Please specify LineItems for this transaction.")
        lines, nets, taxes = [], [], []
        for place, one in enumerate(sent, 1):
            line = bind(_LINE, one)
            amount = (
                self._item_line(line, call, body) if body["Layout"] == "I" else self._service_line(line, call)
            )
            rate = self.book.rate(self.book.tax_code(call.file, line["TaxCode"]))
            parts = taxed(amount, rate, inclusive=body["IsTaxInc"])
            nets.append(parts.net)
            taxes.append(parts.tax)
            lines.append({"Id": place, **line, "TotalAmount": parts.gross if body["IsTaxInc"] else parts.net,
                          "NetAmount": parts.net, "TaxAmount": parts.tax})  # fmt: skip
        body["LineItems"] = lines
        body["TotalTaxAmount"] = summed(taxes)
        body["TotalAmount"] = summed([*nets, *taxes])

    def _item_line(self, line: Document, call: Call, body: Document) -> Decimal:
        item = self.store.get(call.file, "item", line["InventoryId"] or 0)
        if item is None:
            raise SaasuError("The referenced inventory item does not exist.")
        wanted = "IsSold" if body["TransactionType"] == "S" else "IsBought"
        if not item.body[wanted]:
            raise SaasuError(
                f"The item '{item.body['Code']}' is not marked as {'sold' if wanted == 'IsSold' else 'bought'}."
            )
        if line["Quantity"] is None or line["UnitPrice"] is None:
            raise SaasuError("Please specify a quantity and a unit price for each line.")
        line["ItemCode"] = item.body["Code"]
        line["AccountId"] = None
        return line_amount(line["Quantity"], line["UnitPrice"], number(line["PercentageDiscount"]))

    def _service_line(self, line: Document, call: Call) -> Decimal:
        account = self.book.account(call.file, line["AccountId"])
        if account.body["IsBankAccount"]:
            raise SaasuError("A line cannot be posted to a bank account.")
        if line["TotalAmount"] is None:
            raise SaasuError("Please specify a total amount for each line.")
        line["InventoryId"] = line["Quantity"] = line["UnitPrice"] = None
        return summed([line["TotalAmount"]])

    def _number(self, body: Document, call: Call, row: Row | None) -> None:
        if body["TransactionType"] == "P":
            if str(body["PurchaseOrderNumber"] or "").lower() == AUTO:
                body["PurchaseOrderNumber"] = self._free("PurchaseOrderNumber", "PO-", call)
            return
        told = str(body["InvoiceNumber"] or "")
        if told.lower() == AUTO or (not told and row is None):
            body["InvoiceNumber"] = self._free("InvoiceNumber", "INV-", call)
            return
        if not told and row is not None:
            body["InvoiceNumber"] = told = row.body["InvoiceNumber"]
        taken = next(self._numbered(told, call), None)
        if taken is not None and (row is None or taken.id != row.id):
            raise SaasuError(f"The invoice number '{told}' is already used.")

    def _numbered(self, told: str, call: Call) -> Iterator[Row]:
        return self.store.select(
            call.file, self.kind, "json_extract(body, '$.InvoiceNumber') = ? AND json_extract(body, '$.TransactionType') = 'S'",
            (told,),
        )  # fmt: skip

    def _free(self, name: str, prefix: str, call: Call) -> str:
        """The prefix and the next free number."""
        kept = self.store.setting(f"number:{call.file}:{name}")
        number_ = int(str(kept or 20417))
        while True:
            number_ += 1
            told = f"{prefix}{number_}"
            where = f"json_extract(body, '$.{name}') = ?"
            if next(self.store.select(call.file, self.kind, where, (told,)), None) is None:
                self.store.put_setting(f"number:{call.file}:{name}", number_)
                return told

    # --- writing ---------------------------------------------------------------------------------------------------

    def insert_row(self, call: Call, sent: object, given: int = 0) -> Row:
        """With its quick payment, all or nothing."""
        auto = str((sent.get("InvoiceNumber") if isinstance(sent, dict) else "") or "").lower() in ("", AUTO)
        row = super().insert_row(call, sent, given)
        row.body["_auto"] = auto
        quick = sent.get("QuickPayment") if isinstance(sent, dict) else None
        if quick and self.payments is not None:
            self.payments.quick(row, call, quick)
        return row

    def written(self, row: Row, call: Call, before: Document | None) -> None:
        """Ledger, stock, and what is owed."""
        if before is not None:
            paid = sum((amount for _, amount in self.store.paid(call.file, row.id)), ZERO)
            total = number(row.body["TotalAmount"])
            if paid and (abs(paid) > abs(total) or (paid < 0) != (total < 0)):
                raise SaasuError("The payments applied exceed the total of the transaction.")
        post_invoice(self.book, row)
        self.owed(row, call, keep=True)

    def owed(self, row: Row, call: Call, *, keep: bool = False) -> None:
        """Bring what is paid and owed up to date. keep: the row was just saved and keeps its version."""
        parts = self.store.paid(call.file, row.id)
        paid = summed(amount for _, amount in parts)
        total = number(row.body["TotalAmount"])
        row.body |= {
            "AmountPaid": paid,
            "AmountOwed": summed([total, -paid]),
            "PaymentCount": len(parts),
            "PaymentStatus": "P" if total - paid == 0 else "U",
        }
        if keep or not self.book.settings.payment_touches_invoice:
            self.store.rewrite(row)
        else:
            self.store.save(row, self.book.now())

    def extras(self, row: Row, call: Call, *, inserted: bool) -> Document:
        """`GeneratedInvoiceNumber` only where Saasu numbered it."""
        del call
        sent = {"SentToContact": bool(row.body.get("SentToContact"))}
        if not inserted:
            return sent
        if row.body["TransactionType"] == "P":
            return {"GeneratedInvoiceNumber": row.body["PurchaseOrderNumber"], **sent}
        return {
            "GeneratedInvoiceNumber": row.body["InvoiceNumber"] if row.body.pop("_auto", False) else None,
            **sent,
        }

    def removing(self, row: Row, call: Call) -> None:
        """Payments first (inferred); stock must stay legal."""
        self.book.refuse_locked(row.body["TransactionDate"])
        if self.store.paid(call.file, row.id):
            raise SaasuError("The transaction has payments applied and therefore cannot be deleted.")
        unpost(self.book, row)

    def entity_of(self, row: Row) -> str:
        """Sale or Purchase."""
        return "Sale" if row.body["TransactionType"] == "S" else "Purchase"

    def email(self, call: Call) -> Document:
        """`POST /Invoice/{id}/email` and `/email-contact`."""
        with self.store.transaction():
            row = self.found(call)
            row.body["SentToContact"] = True
            self.store.save(row, self.book.now())
        links = call.detail("Invoice", row.id)
        return {"InvoiceId": row.id, "StatusMessage": "Invoice has been emailed.", "_links": links}

    def statistics(self, call: Call) -> Document:
        """`GET /Invoices/SalesStatsSummary`: the whole file."""
        first, last = pair(call, ("invoicefromdate", "invoicetodate"), strict=True)
        if first is None or last is None:
            raise SaasuError("Both invoicefromdate and invoicetodate must be specified.")
        where = "json_extract(body, '$.TransactionDate') BETWEEN ? AND ?"
        rows = [
            row.body
            for row in self.store.select(call.file, self.kind, where, (first[:10], last[:10] + "T23:59:59"))
            if row.body["TransactionType"] == "S" and row.body["InvoiceStatus"] == "I"
        ]
        today = f"{self.book.now().date().isoformat()}T00:00:00"
        late = [r for r in rows if r["DueDate"] is not None and r["DueDate"] < today]
        owed = summed(number(r["AmountOwed"]) for r in rows)
        overdue = summed(number(r["AmountOwed"]) for r in late)
        unpaid = [r for r in rows if r["PaymentStatus"] == "U"]
        return {
            "Total": summed(number(r["TotalAmount"]) for r in rows), "TotalOwed": owed,
            "Paid": summed(number(r["AmountPaid"]) for r in rows), "Unpaid": owed, "Overdue": overdue,
            "NotDueYet": summed([owed, -overdue]), "FromDate": f"{first[:10]}T00:00:00", "ToDate": f"{last[:10]}T00:00:00",
            "TotalCount": len(rows), "TotalPaidCount": len(rows) - len(unpaid), "TotalUnpaidCount": len(unpaid),
            "_links": [],
        }  # fmt: skip


AUTO_RATES = {
    "NZD": Decimal("0.92"), "USD": Decimal("1.53"), "GBP": Decimal("1.95"), "EUR": Decimal("1.66"),
    "CAD": Decimal("1.11"), "SGD": Decimal("1.14"), "HKD": Decimal("0.196"), "JPY": Decimal("0.0102"), "AUD": Decimal(1),
}  # fmt: skip
"""Rates that AutoPopulateFxRate takes, foreign to base: made up, fixed."""


def due_date(start: date, terms: Document | None) -> date | None:
    """The due date that terms give; None where they give none (6.5)."""
    if not terms:
        return None
    kind, interval, unit = terms["Type"] or 0, terms["Interval"] or 0, terms["IntervalType"] or 0
    if kind == 3:
        return start
    if kind == 2:
        last = calendar.monthrange(start.year, start.month)[1]
        return start.replace(day=last) + timedelta(days=interval)
    if kind != 1:
        return None
    if unit == 1:
        return start + timedelta(days=interval)
    if unit == 2:
        return start + timedelta(weeks=interval)
    if unit in (3, 5):
        month = start.month - 1 + interval * (12 if unit == 5 else 1)
        year, month = start.year + month // 12, month % 12 + 1
        return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
    return None
