"""Records of a Saasu file as typed values: what the rows of its snapshots mean.

Belongs here: reading a record that was stored as Saasu gave it. Does not belong here: asking for it (`reader`), what is
done with it (`integrations`). Facts: saasu.md 5. A value that does not fit its field is refused with its record's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


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


@dataclass(frozen=True, slots=True)
class Deletion:
    """Something that was deleted. kind: Sale, SalePayment, Item, Contact, Journal."""

    kind: str
    id: str
    at: datetime
