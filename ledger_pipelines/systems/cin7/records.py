"""Records of a Cin7 Omni account as typed values: what the rows of its snapshots mean.

Belongs here: reading a record that was stored as Cin7 gave it. Does not belong here: asking for it (`reader`), what is
done with it (`integrations`). Facts: cin7-omni.md 5, 6, 10. A value that does not fit its field is refused with its
record's name.

Null and the empty text both mean "none"; an id of 0 means "none" in a field that points at something (cin7-omni.md 5). Names
of fields are read as `lineItems` and as `LineItems` (cin7-omni.md 1.6). Numbers are exact; instants are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, exponent, round_half_away
from ledger_pipelines.systems import fields

Record: TypeAlias = fields.Record
"""A record as decoded: fractions are Decimals."""

MAPS = frozenset({"customFields", "priceColumns"})
"""Fields whose value maps names of the account's own to values: those names are left as they are."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line. discount: of the whole line, in money. parent: id of the line it is a part of (bill of materials)."""

    id: str
    code: str
    name: str
    qty: Decimal
    qty_shipped: Decimal
    unit_price: Decimal | None
    discount: Decimal
    integration_ref: str
    option_id: str
    parent: str
    sort: int


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """One sales order.

    Amounts are as Cin7 told them: in the account's base currency where the order is in another one
    (cin7-omni.md 5); `in_currency_of` gives them in the order's.

    Args:
        id: Cin7's.
        reference: Unique; ours, where we made it.
        status: DRAFT, APPROVED or VOID, whatever case it came in.
        is_approved: False is a draft.
        is_void: True, or the status says so.
        stage: Any text: a word of the account's own.
        dispatched_date: When all lines were shipped; None = not dispatched.
        invoice_date: None = no invoice number yet.
        branch_id: "" = none.
        member_id: The customer, a contact; "" = none.
        member_email: Its e-mail address.
        customer_order_no: The customer's own number.
        currency: ISO code; "" = not told, which means the account's.
        currency_rate: Base to order currency; 1 where none is told.
        tax_status: Incl, Excl, Exempt, Undefined.
        tax_rate: Percent; None = not told.
        freight: Charge.
        surcharge: Charge.
        discount: Of the order as a whole.
        product_total: Lines only.
        total: Products + freight + surcharge - discount + tax.
        lines: In their order.
        tracking: Code of the carrier.
        created: Date of the order.
        modified: Last change.
        invoice_number: "" = none yet.
    """

    id: str
    reference: str
    status: str
    is_approved: bool
    is_void: bool
    stage: str
    dispatched_date: datetime | None
    invoice_date: datetime | None
    branch_id: str
    member_id: str
    member_email: str
    customer_order_no: str
    currency: str
    currency_rate: Decimal
    tax_status: str
    tax_rate: Decimal | None
    freight: Decimal
    surcharge: Decimal
    discount: Decimal
    product_total: Decimal
    total: Decimal
    lines: tuple[OrderLine, ...]
    tracking: str
    created: datetime | None
    modified: datetime | None
    invoice_number: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. kind: Customer or Supplier. price_tier: name of its price column, "" = none."""

    id: str
    kind: str
    company: str
    first_name: str
    last_name: str
    email: str
    integration_ref: str
    account_number: str
    price_tier: str
    active: bool
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a product: what is sold and counted.

    Args:
        id: Not unique: sized products repeat it, once a size (cin7-omni.md 10.3).
        product_id: Of its product.
        code: SKU: the size's own where there is one.
        barcode: The size's own where there is one.
        name: Of the product, where it is told; option names otherwise.
        size: "" = not sized.
        status: Primary, Active or Disabled.
        active: Not disabled.
        retail_price: None = not told.
        prices: Price by tier.
        on_hand: None = not told.
        available: None = not told.
        modified: Last change.
    """

    id: str
    product_id: str
    code: str
    barcode: str
    name: str
    size: str
    status: str
    active: bool
    retail_price: Decimal | None
    on_hand: Decimal | None
    available: Decimal | None
    modified: datetime | None
    prices: tuple[tuple[str, Decimal], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Product:
    """One product with its options. style_code: its own code. status: Inactive, Public, ShowInB2B, Internal."""

    id: str
    style_code: str
    name: str
    status: str
    active: bool
    options: tuple[Option, ...]
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What one branch holds of one option. available = on_hand - open_sales."""

    product_id: str
    option_id: str
    code: str
    size: str
    branch_id: str
    branch: str
    on_hand: Decimal
    available: Decimal
    open_sales: Decimal
    incoming: Decimal
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch (warehouse). name: its company field."""

    id: str
    name: str
    kind: str
    active: bool


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, of one order. transaction_ref: ours, where we made it; not unique."""

    id: str
    order_id: str
    order_reference: str
    order_type: str
    method: str
    amount: Decimal
    transaction_ref: str
    day: datetime | None
    modified: datetime | None


def camel(value: Json, *, inside_map: bool = False) -> Json:
    """The same with all names of fields in camelCase: `LineItems` is `lineItems`; what names the account's own things stays."""
    if isinstance(value, dict):
        found: dict[str, Json] = {}
        for name, one in value.items():
            spelt = name if inside_map else name[:1].lower() + name[1:]
            found[spelt] = camel(one, inside_map=spelt in MAPS)
        return found
    if isinstance(value, list):
        return [camel(one) for one in value]
    return value


class Fields(fields.Fields):
    """The fields of one record of Cin7's, whatever case their names begin with."""

    system = "Cin7"

    def value(self, name: str) -> Json:
        """A field as it is; None for none."""
        found = super().value(name)
        return super().value(name[:1].upper() + name[1:]) if found is None else found

    def link(self, name: str) -> str:
        """The id of what this field points at; "" for none, which may be said as 0."""
        found = self.text(name).strip()
        return "" if found == "0" else found

    def records(self, name: str) -> list[Record]:
        """The records of a list; none for none."""
        value = self.value(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.refused(name, "which is no list of records")
        return [one for one in value if isinstance(one, dict)]

    def amount_or_nothing(self, name: str) -> Decimal:
        """A number; zero for none."""
        return self.number(name) or ZERO


def order_line(record: Record) -> OrderLine:
    """A line of an order. Raises DataError."""
    of = Fields(record, "order line", "code", "name")
    return OrderLine(
        id=of.link("id"),
        code=of.text("code").strip(),
        name=of.text("name"),
        qty=of.amount_or_nothing("qty"),
        qty_shipped=of.amount_or_nothing("qtyShipped"),
        unit_price=of.number("unitPrice"),
        discount=of.amount_or_nothing("discount"),
        integration_ref=of.text("integrationRef"),
        option_id=of.link("productOptionId"),
        parent=of.link("parentId"),
        sort=int(of.amount_or_nothing("sort")),
    )


def sales_order(record: Record) -> SalesOrder:
    """A sales order with its lines. Raises DataError."""
    of = Fields(record, "sales order", "reference", "customerOrderNo")
    status = of.text("status").strip().upper()
    rate = of.number("currencyRate")
    return SalesOrder(
        id=of.key("id"),
        reference=of.text("reference").strip(),
        status=status,
        is_approved=of.flag("isApproved"),
        is_void=of.flag("isVoid") or status == "VOID",
        stage=of.text("stage").strip(),
        dispatched_date=of.instant("dispatchedDate"),
        invoice_date=of.instant("invoiceDate"),
        branch_id=of.link("branchId"),
        member_id=of.link("memberId"),
        member_email=of.text("memberEmail").strip(),
        customer_order_no=of.text("customerOrderNo").strip(),
        currency=of.text("currencyCode").strip().upper(),
        currency_rate=rate or Decimal(1),
        tax_status=of.text("taxStatus"),
        tax_rate=of.number("taxRate"),
        freight=of.amount_or_nothing("freightTotal"),
        surcharge=of.amount_or_nothing("surcharge"),
        discount=of.amount_or_nothing("discountTotal"),
        product_total=of.amount_or_nothing("productTotal"),
        total=of.amount("total"),
        lines=tuple(order_line(one) for one in of.records("lineItems")),
        tracking=of.text("trackingCode").strip(),
        created=of.instant("createdDate"),
        modified=of.instant("modifiedDate"),
        invoice_number=of.link("invoiceNumber"),
    )


def in_currency_of(order: SalesOrder, amount: Decimal, base: str) -> Decimal:
    """An amount of an order in the order's own currency, rounded to its minor unit where it was told in the base currency.

    base: the account's base currency; "" where amounts of foreign orders come as they were sent.
    """
    if not base or not order.currency or order.currency == base.upper():
        return amount
    return round_half_away(amount * order.currency_rate, exponent(order.currency))


def contact(record: Record) -> Contact:
    """A contact; active unless it says otherwise. Raises DataError."""
    of = Fields(record, "contact", "email", "company", "lastName", "firstName")
    return Contact(
        id=of.key("id"),
        kind=of.text("type"),
        company=of.text("company"),
        first_name=of.text("firstName"),
        last_name=of.text("lastName"),
        email=of.text("email").strip(),
        integration_ref=of.text("integrationRef").strip(),
        account_number=of.text("accountNumber").strip(),
        price_tier=of.text("priceColumn").strip(),
        active=of.flag("isActive", otherwise=True),
        modified=of.instant("modifiedDate"),
    )


def _prices(of: Fields) -> tuple[tuple[str, Decimal], ...]:
    told = of.value("priceColumns")
    if not isinstance(told, dict):
        return ()
    inner = Fields(told, f"price of {of.title}")
    found = ((name, inner.number(name)) for name in told)
    return tuple((name, price) for name, price in found if price is not None)


def option(record: Record, product: str = "") -> Option:
    """An option, of the list of options or inside a product. product: name of the product. Raises DataError."""
    of = Fields(record, "product option", "productOptionCode", "code")
    names = [told for name in ("option1", "option2", "option3") if (told := of.text(name).strip())]
    status = of.text("status")
    size = of.text("size").strip()
    return Option(
        id=of.key("id"),
        product_id=of.link("productId"),
        code=first(of, "productOptionSizeCode", "productOptionCode", "code"),
        barcode=first(of, "productOptionSizeBarcode", "productOptionBarcode", "barcode"),
        name=product or " / ".join(names),
        size=size,
        status=status,
        active=status.strip().casefold() != "disabled",
        retail_price=of.number("retailPrice"),
        on_hand=of.number("stockOnHand"),
        available=of.number("stockAvailable"),
        modified=of.instant("modifiedDate"),
        prices=_prices(of),
    )


def first(of: Fields, *names: str) -> str:
    """The first of some fields that says something."""
    return next((told for name in names if (told := of.text(name).strip())), "")


def product(record: Record) -> Product:
    """A product with its options. Raises DataError."""
    of = Fields(record, "product", "styleCode", "name")
    name, status = of.text("name"), of.text("status")
    return Product(
        id=of.key("id"),
        style_code=of.text("styleCode").strip(),
        name=name,
        status=status,
        active=status.strip().casefold() != "inactive",
        options=tuple(option(one, name) for one in of.records("productOptions")),
        modified=of.instant("modifiedDate"),
    )


def stock_level(record: Record) -> StockLevel:
    """What a branch holds. Raises DataError."""
    of = Fields(record, "stock level", "code", "productName")
    return StockLevel(
        product_id=of.link("productId"),
        option_id=of.link("productOptionId"),
        code=of.text("code").strip(),
        size=of.text("size").strip(),
        branch_id=of.link("branchId"),
        branch=of.text("branchName"),
        on_hand=of.amount_or_nothing("stockOnHand"),
        available=of.amount_or_nothing("available"),
        open_sales=of.amount_or_nothing("openSales"),
        incoming=of.amount_or_nothing("incoming"),
        modified=of.instant("modifiedDate"),
    )


def branch(record: Record) -> Branch:
    """A branch. Raises DataError."""
    of = Fields(record, "branch", "company")
    return Branch(
        id=of.key("id"),
        name=first(of, "company", "firstName"),
        kind=of.text("branchType"),
        active=of.flag("isActive", otherwise=True),
    )


def payment(record: Record) -> Payment:
    """A payment. Raises DataError."""
    of = Fields(record, "payment", "transactionRef", "orderRef")
    return Payment(
        id=of.key("id"),
        order_id=of.link("orderId"),
        order_reference=of.text("orderRef").strip(),
        order_type=of.text("orderType"),
        method=of.text("method"),
        amount=of.amount("amount"),
        transaction_ref=of.text("transactionRef").strip(),
        day=of.instant("paymentDate"),
        modified=of.instant("modifiedDate"),
    )
