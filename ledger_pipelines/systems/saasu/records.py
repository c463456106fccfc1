"""Records of a Saasu file as typed values: what the rows of its snapshots mean.

Belongs here: reading a record that was stored as Saasu gave it. Does not belong here: asking for it (`reader`), what is
done with it (`integrations`). Facts: saasu.md 5. A value that does not fit its field is refused with its record's name.

Instants are UTC, whatever suffix they came with or without (saasu.md 1); business dates are the file's calendar and are
never shifted. Numbers are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.systems import fields
from ledger_pipelines.systems.entities import Cell, Kind

Record: TypeAlias = fields.Record
"""A record as decoded: fractions are Decimals."""


@dataclass(frozen=True, slots=True)
class SaasuItem:
    """One item. combo: made of others (Type C). Quantities are None where no stock is kept."""

    id: str
    code: str
    description: str
    active: bool
    inventoried: bool
    sold: bool
    bought: bool
    combo: bool
    selling_price: Decimal | None
    price_has_tax: bool
    buying_price: Decimal | None
    on_hand: Decimal | None
    committed: Decimal | None
    sale_tax_code_id: str
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class SaasuContact:
    """One contact. reference: its Contact ID field, not unique. company: id, "" = none."""

    id: str
    reference: str
    given: str
    family: str
    email: str
    company: str
    active: bool
    customer: bool


@dataclass(frozen=True, slots=True)
class SaasuCompany:
    """One company."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class SaasuInvoice:
    """One sale (the summary of a list: no lines). status: I invoice, O order, Q quote. Amounts are in `currency`, with tax."""

    id: str
    kind: str
    status: str
    number: str
    purchase_order: str
    day: date
    contact: str
    currency: str
    total: Decimal
    tax: Decimal
    paid: Decimal
    owed: Decimal
    last_updated_id: str
    changed: datetime | None
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class SaasuPayment:
    """One payment of a sale (the summary of a list: no allocations). amount: negative on adjustment notes."""

    id: str
    reference: str
    day: date
    account: str
    amount: Decimal
    fee: Decimal
    currency: str
    summary: str
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class SaasuJournal:
    """One journal (the summary of a list: no items)."""

    id: str
    reference: str
    day: date
    summary: str


@dataclass(frozen=True, slots=True)
class SaasuAccount:
    """One account. kind: Income, Expense, Asset... fee_account: merchant-fee account of a bank account, "" = none."""

    id: str
    name: str
    kind: str
    active: bool
    bank: bool
    detail: bool
    fee_account: str


@dataclass(frozen=True, slots=True)
class SaasuTaxCode:
    """One tax code. rate: a fraction, 0.1 is 10 %."""

    id: str
    code: str
    name: str
    rate: Decimal
    sale: bool
    purchase: bool
    active: bool


def without_links(value: Json) -> Json:
    """The same without any `_links`: they echo the access key, and are never sent back (saasu.md 1)."""
    if isinstance(value, dict):
        return {name: without_links(one) for name, one in value.items() if name != "_links"}
    if isinstance(value, list):
        return [without_links(one) for one in value]
    return value


class Fields(fields.Fields):
    """The fields of one record of Saasu's.

    Args:
        record: As decoded.
        what: Kind of record, for people ("item").
        labels: Fields whose values people know it by, best first.
    """

    system = "Saasu"
    ids = ("TransactionId", "Id", "EntityId")

    def changed(self) -> datetime | None:
        """The instant of the last change, by whichever name it goes."""
        return self.instant("LastModifiedDateUtc") or self.instant("CreatedDateUtc")

    def cell(self, kind: Kind, name: str, *, key: bool = False) -> Cell:
        """An instant that is missing is that of the last change."""
        found = super().cell(kind, name, key=key)
        return self.changed() if found is None and kind is Kind.INSTANT else found


def item(record: Record) -> SaasuItem:
    """An item or a combo. Raises DataError."""
    of = Fields(record, "item", "Code")
    return SaasuItem(
        id=of.key("Id"),
        code=of.text("Code"),
        description=of.text("Description"),
        active=of.flag("IsActive"),
        inventoried=of.flag("IsInventoried"),
        sold=of.flag("IsSold"),
        bought=of.flag("IsBought"),
        combo=of.text("Type").upper() == "C",
        selling_price=of.number("SellingPrice"),
        price_has_tax=of.flag("IsSellingPriceIncTax"),
        buying_price=of.number("BuyingPrice"),
        on_hand=of.number("StockOnHand"),
        committed=of.number("Committed"),
        sale_tax_code_id=of.text("SaleTaxCodeId"),
        changed=of.changed(),
    )


def contact(record: Record) -> SaasuContact:
    """A contact; active unless it says otherwise. Raises DataError."""
    of = Fields(record, "contact", "ContactId", "EmailAddress", "FamilyName", "GivenName")
    return SaasuContact(
        id=of.key("Id"),
        reference=of.text("ContactId"),
        given=of.text("GivenName"),
        family=of.text("FamilyName"),
        email=of.text("EmailAddress"),
        company=of.text("CompanyId"),
        active=of.flag("IsActive", otherwise=True),
        customer=of.flag("IsCustomer"),
    )


def company(record: Record) -> SaasuCompany:
    """A company. Raises DataError."""
    of = Fields(record, "company", "Name")
    return SaasuCompany(of.key("Id"), of.text("Name"))


_QUOTES = frozenset({"pre-quote opportunity", "quote"})
_ORDERS = frozenset({"sale order", "purchase order"})


def _status(told: str, kind: str) -> str:
    """I, O or Q; Saasu derives it from the type and means to drop the field (saasu.md 5.8)."""
    if told.upper() in {"I", "O", "Q"}:
        return told.upper()
    folded = kind.strip().casefold()
    return "Q" if folded in _QUOTES else "O" if folded in _ORDERS else "I"


def invoice(record: Record) -> SaasuInvoice:
    """A sale, from its summary in a list or whole. Raises DataError."""
    of = Fields(record, "invoice", "InvoiceNumber", "PurchaseOrderNumber")
    kind, total, paid = of.text("InvoiceType"), of.amount("TotalAmount"), of.number("AmountPaid") or ZERO
    owed = of.number("AmountOwed")
    return SaasuInvoice(
        id=of.key("TransactionId"),
        kind=kind,
        status=_status(of.text("InvoiceStatus"), kind),
        number=of.text("InvoiceNumber"),
        purchase_order=of.text("PurchaseOrderNumber"),
        day=of.needed_day("TransactionDate"),
        contact=of.text("BillingContactId"),
        currency=of.text("Currency").upper(),
        total=total,
        tax=of.number("TotalTaxAmount") or ZERO,
        paid=paid,
        owed=total - paid if owed is None else owed,
        last_updated_id=of.text("LastUpdatedId"),
        changed=of.changed(),
        created=of.instant("CreatedDateUtc"),
    )


def payment(record: Record) -> SaasuPayment:
    """A payment of a sale. Raises DataError."""
    of = Fields(record, "payment", "Reference")
    return SaasuPayment(
        id=of.key("TransactionId"),
        reference=of.text("Reference"),
        day=of.needed_day("TransactionDate"),
        account=of.text("PaymentAccountId"),
        amount=of.amount("TotalAmount"),
        fee=of.number("FeeAmount") or ZERO,
        currency=of.text("Currency").upper(),
        summary=of.text("Summary"),
        changed=of.changed(),
    )


def journal(record: Record) -> SaasuJournal:
    """A journal. Raises DataError."""
    of = Fields(record, "journal", "Reference")
    return SaasuJournal(
        of.key("TransactionId"), of.text("Reference"), of.needed_day("TransactionDate"), of.text("Summary")
    )


def account(record: Record) -> SaasuAccount:
    """An account; one that can be posted to unless it says that it is a header. Raises DataError."""
    of = Fields(record, "account", "Name")
    return SaasuAccount(
        id=of.key("Id"),
        name=of.text("Name"),
        kind=of.text("AccountType"),
        active=of.flag("IsActive", otherwise=True),
        bank=of.flag("IsBankAccount"),
        detail=of.text("AccountLevel").casefold() != "header",
        fee_account=of.text("MerchantFeeAccountId"),
    )


def tax_code(record: Record) -> SaasuTaxCode:
    """A tax code. Raises DataError."""
    of = Fields(record, "tax code", "Code")
    return SaasuTaxCode(
        id=of.key("Id"),
        code=of.text("Code"),
        name=of.text("Name"),
        rate=of.number("Rate") or ZERO,
        sale=of.flag("IsSale"),
        purchase=of.flag("IsPurchase"),
        active=of.flag("IsActive", otherwise=True),
    )
