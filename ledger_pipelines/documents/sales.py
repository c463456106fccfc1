"""Sales in the common language: parties, items, stock, sales documents, payments, returns.

Belongs here: what every shop and every ledger mean by these words, as frozen values; pure. Does not belong here: a
vendor's fields (`systems/<vendor>/documents.py` makes these), which of them flow where (`integrations`).

Amounts are exact and in the document's currency; prices may have more digits than the currency. A day is a day of the
shop's or the books' calendar, as the source keeps it; an instant is UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from ledger_pipelines.documents.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. country: ISO 3166 two-letter code, "" = not told."""

    street: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""

    def __bool__(self) -> bool:
        return bool(self.street or self.city or self.state or self.postcode or self.country)


@dataclass(frozen=True, slots=True)
class Party:
    """A customer.

    Args:
        key: The source's own key (a username), "" for a buyer without an account.
        given, family, company: Names; each may be "".
        email: "" = not told.
        tax_number: ABN and the like.
        active: Whether the source still uses the record.
    """

    key: str
    given: str = ""
    family: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    billing: Address = field(default_factory=Address)
    shipping: Address = field(default_factory=Address)
    tax_number: str = ""
    active: bool = True

    @property
    def title(self) -> str:
        """For people."""
        name = f"{self.given} {self.family}".strip()
        return " / ".join(part for part in (name, self.company) if part) or self.email or self.key


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a kit: its item, how many a kit, and its share of the kit's price (None = not defined)."""

    item: str
    quantity: Decimal
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is sold.

    Args:
        key: SKU or item code, exactly as the source spells it.
        name: For people.
        price: Base selling price; None = not told. `price_has_tax`: whether it contains tax.
        cost: Buying price without tax; None = not told.
        tax_free: Sold without tax.
        inventoried: Stock is kept of it.
        parent: Key of the parent of a variant, "" = none.
        is_parent: Stands for its variants and is not sold itself.
        components: Of a kit; () = no kit.
        internal: The source's own pseudo-product.
    """

    key: str
    name: str
    price: Decimal | None = None
    price_has_tax: bool = True
    cost: Decimal | None = None
    tax_free: bool = False
    active: bool = True
    inventoried: bool = True
    sold: bool = True
    bought: bool = True
    parent: str = ""
    is_parent: bool = False
    components: tuple[Component, ...] = ()
    internal: bool = False

    @property
    def is_kit(self) -> bool:
        """Whether it is made of others."""
        return bool(self.components)


@dataclass(frozen=True, slots=True)
class StockLevel:
    """How many of an item there are at a place ("" = all places together); committed: reserved by open orders."""

    item: str
    place: str
    on_hand: Decimal
    committed: Decimal = ZERO


class DocumentKind(StrEnum):
    """What a sales document is."""

    QUOTE = "quote"
    ORDER = "order"
    INVOICE = "invoice"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class SalesLine:
    """One line as the source states it; what it comes to is `amount`.

    Args:
        key: The source's own line id.
        item: SKU.
        quantity: Signed.
        unit_price: Before discounts, with all its digits; contains tax when the document says so.
        discount_percent: Line discount in percent.
        amount: What the line comes to after its own discount, before the coupon, rounded to the currency; with tax
            when the document says so.
        coupon: The coupon's share of this line, not negative, to be taken off `amount`.
        tax: Tax of the line after all discounts.
        tax_code: The source's own name of the tax code, "" = none.
        text_only: A note: no item behind it, and no amount.
        components: Of a kit, as sold.
        place: Warehouse it leaves.
        returned_to_stock: Of a credit's line: the goods are back on the shelf.
    """

    key: str
    item: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    discount_percent: Decimal = ZERO
    coupon: Decimal = ZERO
    tax: Decimal = ZERO
    tax_code: str = ""
    text_only: bool = False
    components: tuple[Component, ...] = ()
    place: str = ""
    returned_to_stock: bool = False


class ChargeKind(StrEnum):
    """Amounts of the whole document that are no line."""

    SHIPPING = "shipping"
    SURCHARGE = "surcharge"
    SHIPPING_DISCOUNT = "shipping-discount"


@dataclass(frozen=True, slots=True)
class Charge:
    """One of them. amount: signed as it enters the total (a discount is negative); tax: its tax, None = not told."""

    kind: ChargeKind
    amount: Decimal
    tax: Decimal | None = None
    description: str = ""


class PaymentKind(StrEnum):
    """Which way the money went."""

    RECEIPT = "receipt"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received from, or given back to, a customer.

    Args:
        key: The source's own id.
        document: Key of the sales document it was made on.
        amount: Positive for a receipt and for a refund (`kind` says which).
        at: Instant, UTC; None when the source tells only `day`.
        day: The shop's calendar day of it.
        method: Name of the method for people. method_id: the source's id of it, "" = not told.
        reference: What the payer or the gateway wrote.
    """

    key: str
    document: str
    amount: Money
    at: datetime | None
    day: date
    method: str
    method_id: str = ""
    reference: str = ""
    kind: PaymentKind = PaymentKind.RECEIPT


@dataclass(frozen=True, slots=True)
class SalesDocument:
    """An order, an invoice or a credit.

    Args:
        key: The source's own id (order number, RMA number).
        number: For people.
        status: The source's own word.
        cancelled: It counts no more.
        day: Business day it is booked on, in the shop's zone. due: when it is to be paid, None = not told.
        party: The buyer as the document states it. party_key: "" = no account.
        has_tax: Whether amounts contain tax.
        grand_total: What the source says it comes to, with tax.
        tax: What the source says its tax is, in all.
        lines, charges: Together they must come to `grand_total` (`difference`).
        purchase_order: The buyer's own reference.
        related: Key of the document it was split from, or that it credits; "" = none.
        payments: Made on it, as the source shows them with it, by instant.
        changed: Instant of the source's last change, UTC.
        off_the_shelf: Its goods are taken from the stock the source tells.
    """

    kind: DocumentKind
    key: str
    number: str
    status: str
    day: date
    party: Party
    has_tax: bool
    grand_total: Money
    tax: Decimal
    lines: tuple[SalesLine, ...]
    charges: tuple[Charge, ...] = ()
    cancelled: bool = False
    due: date | None = None
    purchase_order: str = ""
    related: str = ""
    channel: str = ""
    note: str = ""
    payments: tuple[Payment, ...] = ()
    changed: datetime | None = None
    off_the_shelf: bool = False

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return self.grand_total.currency

    def added_up(self) -> Money:
        """What lines and charges come to, with tax."""
        amount = sum((line.amount - line.coupon for line in self.lines), ZERO)
        amount += sum((charge.amount for charge in self.charges), ZERO)
        return Money(amount if self.has_tax else amount + self.tax, self.currency)

    @property
    def difference(self) -> Money:
        """Grand total less what the parts come to: zero, or the document cannot be booked as it is."""
        return self.grand_total - self.added_up()

    @property
    def paid(self) -> Money:
        """What the payments shown with it come to: receipts less refunds, of a credit refunds less receipts."""
        forth = PaymentKind.REFUND if self.kind is DocumentKind.CREDIT else PaymentKind.RECEIPT
        signed = (one.amount if one.kind is forth else -one.amount for one in self.payments)
        return total(signed, self.currency)
