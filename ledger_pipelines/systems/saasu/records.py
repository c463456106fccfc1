"""Records of a Saasu file as typed values: what the rows of its snapshots mean.

Belongs here: reading a record that was stored as Saasu gave it. Does not belong here: asking for it (`reader`), what is
done with it (`integrations`). Facts: saasu.md 5. A value that does not fit its field is refused with its record's name.

Instants are UTC, whatever suffix they came with or without (saasu.md 1); business dates are the file's calendar and are
never shifted. Numbers are exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.errors import DataError

Record = Mapping[str, Json]
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


_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.ASCII | re.DOTALL)


def instant(text: str) -> datetime:
    """A UTC instant as Saasu prints it: without suffix (means UTC), with `Z` or an offset; 0 to 7 digits of a second.

    Digits beyond the microsecond are cut, never rounded, so that no instant moves into the next window.

    Raises:
        ValueError: the text is none.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no instant")
    day, clock, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(
        microsecond=int((fraction or "")[:6].ljust(6, "0")), tzinfo=UTC
    )
    if zone is None or zone in "Zz":
        return moment
    try:
        offset = datetime.strptime(zone.replace(":", ""), "%z").tzinfo
        return moment.replace(tzinfo=offset).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is no instant") from None


def business_day(text: str) -> date:
    """A date of the file's calendar: `2025-05-02T00:00:00` is 2 May wherever one stands. Raises ValueError."""
    found = _DAY.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no date")
    return date.fromisoformat(found[1])


def without_links(value: Json) -> Json:
    """The same without any `_links`: they echo the access key, and are never sent back (saasu.md 1)."""
    if isinstance(value, dict):
        return {name: without_links(one) for name, one in value.items() if name != "_links"}
    if isinstance(value, list):
        return [without_links(one) for one in value]
    return value


class Fields:
    """The fields of one record, read with its name at hand.

    Args:
        record: As decoded.
        what: Kind of record, for people ("item").
        labels: Fields whose values people know it by, best first.
    """

    def __init__(self, record: Record, what: str, *labels: str) -> None:
        self._record, self._what, self._labels = record, what, labels

    @property
    def title(self) -> str:
        """The record's name for people: `Saasu item TEA-1 (id 301455)`."""
        key = self._record.get("TransactionId") or self._record.get("Id") or self._record.get("EntityId")
        named = next((str(self._record[label]) for label in self._labels if self._record.get(label)), "")
        return " ".join(part for part in (f"Saasu {self._what}", named, f"(id {key})" if key else "") if part)

    def refused(self, name: str, why: str) -> DataError:
        """What to raise for a value that does not fit."""
        value = self._record.get(name)
        shown = repr(value)[:80] if isinstance(value, str) else str(value)[:80]
        return DataError(
            f"{self.title}: {name} is {shown}, {why}.",
            remedy="Look at the record in Saasu; if it is as it should be there, tell the makers.",
            code="unexpected-value",
        )

    def text(self, name: str) -> str:
        """A text, or a number's digits; "" for none."""
        value = self._record.get(name)
        if value is None:
            return ""
        if isinstance(value, bool | list | dict):
            raise self.refused(name, "which is no text")
        return str(value)

    def key(self, name: str) -> str:
        """An id that must be there."""
        value = self.text(name).strip()
        if not value:
            raise DataError(f"{self.title} has no {name}.", code="unexpected-value")
        return value

    def number(self, name: str) -> Decimal | None:
        """An exact number; None for none."""
        value = self._record.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool | list | dict):
            raise self.refused(name, "which is no number")
        try:
            found = Decimal(str(value).strip())
        except InvalidOperation:
            raise self.refused(name, "which is no number") from None
        if not found.is_finite():
            raise self.refused(name, "which is no number")
        return found

    def amount(self, name: str) -> Decimal:
        """A number that must be there."""
        found = self.number(name)
        if found is None:
            raise self.refused(name, "where an amount belongs")
        return found

    def flag(self, name: str, *, otherwise: bool = False) -> bool:
        """True or false; `otherwise` for none."""
        found = self.maybe(name)
        return otherwise if found is None else found

    def maybe(self, name: str) -> bool | None:
        """True or false, None for none."""
        value = self._record.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return value
        told = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
        if told is None:
            raise self.refused(name, "which is neither true nor false")
        return told

    def day(self, name: str) -> date | None:
        """A business date; None for none."""
        value = self.text(name)
        try:
            return business_day(value) if value else None
        except ValueError:
            raise self.refused(name, "which is no date") from None

    def instant(self, name: str) -> datetime | None:
        """An instant, UTC; None for none."""
        value = self.text(name)
        try:
            return instant(value) if value else None
        except ValueError:
            raise self.refused(name, "which is no point of time") from None

    def changed(self) -> datetime | None:
        """The instant of the last change, by whichever name it goes."""
        return self.instant("LastModifiedDateUtc") or self.instant("CreatedDateUtc")

    def needed_day(self, name: str) -> date:
        """A business date that must be there."""
        found = self.day(name)
        if found is None:
            raise self.refused(name, "where a date belongs")
        return found


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


def deletion(record: Record) -> Deletion:
    """Something deleted. Raises DataError."""
    of = Fields(record, "deletion", "EntityType")
    at = of.instant("Timestamp")
    if at is None:
        raise of.refused("Timestamp", "where a point of time belongs")
    return Deletion(of.key("EntityType"), of.key("EntityId"), at)
