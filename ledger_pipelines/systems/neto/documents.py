"""Neto's records in the common language: products, stock, customers, orders, RMAs, payments, lists.

Belongs here: what the fields of a record mean; pure. Does not belong here: asking for records (`reader`), how collections
collapse (`shapes`), what is booked (`integrations`). Facts: neto.md 4.3, 6.2, 7.1, 8.3, 8.4, 9.1, 10.1, 11.

Amounts are exact: an order's lines are rounded to the currency one by one, as Neto does, and nothing is made to fit. Where the
reference leaves open whether a discount or a tax is already inside another figure, the reading that adds up to the
order's own `GrandTotal` is taken; where none does, the first one, and `SalesDocument.difference` shows what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money, allocate, exponent, nearest, round_half_away
from ledger_pipelines.documents.sales import (
    Address,
    Charge,
    ChargeKind,
    Component,
    DocumentKind,
    Item,
    Party,
    Payment,
    PaymentKind,
    SalesDocument,
    SalesLine,
    StockLevel,
)
from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.neto.shapes import Fields, as_list

Record = Mapping[str, Json]

CANCELLED: Final = frozenset({"cancelled", "declined"})
OFF_THE_SHELF: Final = frozenset({"pack", "pending pickup", "pending dispatch", "dispatched"})
"""Statuses whose orders have taken their goods from the warehouse's quantity (neto.md 8.1: Pack removes; those after it are inferred).
The earlier ones reserve, and leave it as it is."""
NOTES: Final = frozenset({"TEXT_NOTE"})
"""SKUs of lines that are notes (neto.md 8.3: seen in the field; merchants choose them)."""
GUESTS: Final = frozenset({"noreg"})
"""User names that stand for nobody (inferred: neto.md 16)."""
PAID_OUT: Final = "refunded"
_EXACT: Final = Context(prec=60)
_PRICE_DIGITS: Final = 8
_NOTHING: Final = frozenset({"false", "n", "no"})


@dataclass(frozen=True, slots=True)
class NetoWarehouse:
    """A stock location."""

    id: str
    reference: str
    name: str
    active: bool
    primary: bool


@dataclass(frozen=True, slots=True)
class NetoMethod:
    """A payment method. acc_code: the accounting account chosen for it in Neto, "" = none."""

    id: str
    name: str
    active: bool
    acc_code: str


@dataclass(frozen=True, slots=True)
class NetoShipment:
    """How an order left the store. at: when it was completed, UTC, None = not told; tracking: of its lines, each once."""

    at: datetime | None
    tracking: tuple[str, ...]


# --- lists -------------------------------------------------------------------------------------------------------------


def warehouse(record: Record) -> NetoWarehouse:
    """A record of GetWarehouse. Raises DataError."""
    fields = Fields(record, "warehouse")
    return NetoWarehouse(
        _first(fields, "WarehouseID", "ID"),
        fields.text("WarehouseReference"),
        fields.text("WarehouseName"),
        fields.flag("IsActive", otherwise=True),
        fields.flag("IsPrimary"),
    )


def method(record: Record) -> NetoMethod:
    """A record of GetPaymentMethods. Raises DataError."""
    fields = Fields(record, "payment method")
    return NetoMethod(
        fields.text("id"),
        fields.text("name"),
        fields.flag("active", otherwise=True),
        fields.text("acc_code"),
    )


# --- products and stock ------------------------------------------------------------------------------------------------


def item(record: Record) -> Item:
    """A record of GetItem. Raises DataError.

    The SKU is kept letter by letter. A parent is a product that others name as theirs; `internal` ones are Neto's own.
    """
    sku = _sku(record)
    fields = Fields(record, f"product {sku}")
    parent = fields.text("ParentSKU")
    children = [one for one in as_list(record.get("VariantInventoryIDs")) if one not in ("", None)]
    cost = fields.number("CostPrice")
    return Item(
        key=sku,
        name=fields.text("Name"),
        price=fields.number("DefaultPrice"),
        price_has_tax=fields.flag("TaxInclusive", otherwise=True),
        cost=cost or fields.number("DefaultPurchasePrice") or cost,
        tax_free=fields.flag("TaxFreeItem"),
        active=fields.flag("IsActive", otherwise=True),
        inventoried=fields.flag("IsInventoried", otherwise=True),
        sold=fields.flag("IsSold", otherwise=True),
        bought=fields.flag("IsBought", otherwise=True),
        parent=parent,
        is_parent=bool(children) and not parent,
        components=_components(fields),
        internal=fields.flag("IsNetoUtility"),
    )


def stock(record: Record) -> tuple[StockLevel, ...]:
    """A record of GetItem with its quantities: a level for each warehouse, and one for all together (place ""). Raises DataError.

    Neto tells what open orders reserve for all warehouses together: only that level's `committed` says anything.
    """
    sku = _sku(record)
    fields = Fields(record, f"product {sku}")
    levels = [
        StockLevel(sku, one.text("WarehouseID"), one.amount("Quantity"))
        for one in fields.parts("WarehouseQuantity", "WarehouseQuantity", f"stock of product {sku}")
    ]
    whole = sum((level.on_hand for level in levels), ZERO)
    return (*levels, StockLevel(sku, "", whole, fields.amount("CommittedQuantity")))


def _sku(record: Record) -> str:
    sku = record.get("SKU")
    if not isinstance(sku, str) or not sku.strip():
        raise DataError(f"A product of Neto has the SKU {str(sku)[:40]!r}.", code="no-key")
    return sku


def _components(fields: Fields) -> tuple[Component, ...]:
    return tuple(
        Component(
            one.text("ComponentSKU"),
            Decimal(1) if (quantity := one.number("AssembleQuantity")) is None else quantity,
            one.number("ComponentValue"),
        )
        for one in fields.parts("KitComponents", "KitComponent", f"kit {fields.what}")
    )


# --- customers ---------------------------------------------------------------------------------------------------------


def party(record: Record) -> Party:
    """A record of GetCustomer. Names are the billing address's, else the shipping address's. Raises DataError."""
    key = Fields(record, "customer").text("Username")
    fields = Fields(record, f"customer {key}")
    billing, shipping = _nested(fields, "BillingAddress"), _nested(fields, "ShippingAddress")
    return replace(
        _party(key, fields.text("EmailAddress"), billing, shipping),
        tax_number=fields.text("ABN"),
        active=fields.flag("Active", otherwise=True),
    )


def _nested(fields: Fields, name: str) -> Fields:
    found = fields.parts(name, what=f"{name} of {fields.what}")
    return found[0] if found else Fields({}, fields.what)


def _party(key: str, email: str, billing: Fields, shipping: Fields) -> Party:
    named, side = billing, "Bill"
    if not any(billing.text(f"Bill{part}") for part in ("FirstName", "LastName", "Company")):
        named, side = shipping, "Ship"
    return Party(
        key=key,
        given=named.text(f"{side}FirstName"),
        family=named.text(f"{side}LastName"),
        company=named.text(f"{side}Company"),
        email=email,
        phone=billing.text("BillPhone") or shipping.text("ShipPhone"),
        billing=_address(billing, "Bill"),
        shipping=_address(shipping, "Ship"),
    )


def _address(fields: Fields, side: str) -> Address:
    street = (fields.text(f"{side}StreetLine1"), fields.text(f"{side}StreetLine2"))
    return Address(
        ", ".join(line for line in street if line),
        fields.text(f"{side}City"),
        fields.text(f"{side}State"),
        fields.text(f"{side}PostCode"),
        fields.text(f"{side}Country"),
    )


# --- orders ------------------------------------------------------------------------------------------------------------


def order(record: Record, zone: ZoneInfo, currency: str, *, notes: frozenset[str] = NOTES) -> SalesDocument:
    """A record of GetOrder.

    Args:
        record: With all the fields that `entities` asks for.
        zone: The store's.
        currency: The store's; an order that names its own keeps that.
        notes: SKUs of lines that are notes, when they come to nothing.

    Raises:
        DataError: a value that does not fit its field, or an order without any date.
    """
    key = _first(Fields(record, "order"), "OrderID", "ID")
    fields = Fields(record, f"order {key}")
    currency = _currency(fields, currency)
    lines = _with_coupon(
        tuple(
            _line(one, f"{key}-{place}", currency, notes)
            for place, one in enumerate(fields.parts("OrderLine", "OrderLine", f"a line of order {key}"))
        ),
        fields,
        currency,
    )
    taxes = _taxes(fields, lines)
    day = _order_day(fields, zone)
    due = fields.instant("DatePaymentDue")
    username = fields.text("Username")
    document = SalesDocument(
        kind=DocumentKind.QUOTE if _is_quote(fields) else DocumentKind.ORDER,
        key=key,
        number=key,
        status=fields.text("OrderStatus"),
        day=day,
        party=_party(_customer(username), fields.text("Email"), fields, fields),
        has_tax=fields.flag("TaxInclusive", otherwise=True),
        grand_total=Money(fields.amount("GrandTotal"), currency),
        tax=taxes[0],
        lines=lines,
        charges=_charges(fields, lines, taxes[0]),
        cancelled=fields.text("OrderStatus").lower() in CANCELLED,
        due=None if due is None else business_date(due, zone),
        purchase_order=fields.text("PurchaseOrderNumber"),
        related=fields.text("RelatedOrderID"),
        channel=fields.text("SalesChannel"),
        note=fields.text("DeliveryInstruction"),
        payments=_payments(fields, key, day, zone, currency),
        changed=fields.instant("DateUpdated"),
        off_the_shelf=fields.text("OrderStatus").lower() in OFF_THE_SHELF,
    )
    return next((one for one in _readings(document, taxes) if not one.difference), document)


def line_amount(
    quantity: Decimal, price: Decimal, percent: Decimal, discount: Decimal, digits: int
) -> Decimal:
    """What a line comes to: less the percentage, or where that is zero less the amount for the whole line (8.4); rounded.

    Raises:
        decimal.InvalidOperation: more digits than any amount has.
    """
    gross = _EXACT.multiply(quantity, price)
    if percent:
        net = _EXACT.multiply(gross, _EXACT.subtract(Decimal(100), percent)).scaleb(-2, _EXACT)
    else:
        net = _EXACT.subtract(gross, discount)
    return round_half_away(net, digits)


def _line(fields: Fields, key: str, currency: str, notes: frozenset[str]) -> SalesLine:
    name = fields.text("OrderLineID") or key
    fields = Fields(fields.body, f"order line {name}")
    sku = _raw(fields, "SKU")
    quantity, price = fields.amount("Quantity"), fields.amount("UnitPrice")
    percent = fields.amount("PercentDiscount")
    try:
        amount = line_amount(quantity, price, percent, fields.amount("ProductDiscount"), exponent(currency))
    except ArithmeticError:
        raise DataError(
            f"{fields.what}: {quantity} at {price} is no amount.", code="unexpected-value"
        ) from None
    return SalesLine(
        key=name,
        item=sku,
        description=fields.text("ProductName") or fields.text("ItemNotes"),
        quantity=quantity,
        unit_price=price,
        amount=amount,
        discount_percent=percent,
        coupon=fields.amount("CouponDiscount"),
        tax=fields.amount("Tax"),
        tax_code=fields.text("TaxCode"),
        text_only=(sku in notes or not sku) and not amount,
        components=_components(fields),
        place=fields.text("WarehouseID"),
    )


def _with_coupon(lines: tuple[SalesLine, ...], fields: Fields, currency: str) -> tuple[SalesLine, ...]:
    """A coupon that is told for the order only is shared over its lines in proportion; shares that are told stay."""
    coupon = Money(fields.amount("CouponDiscount"), currency)
    weights = [max(line.amount, ZERO) for line in lines]
    if not coupon or any(line.coupon for line in lines) or not any(weights) or not coupon.is_bookable:
        return lines
    shares = allocate(coupon, weights)
    return tuple(replace(line, coupon=share.amount) for line, share in zip(lines, shares, strict=True))


def _taxes(fields: Fields, lines: Sequence[SalesLine]) -> tuple[Decimal, ...]:
    """What the tax may be in all, likeliest first: whether OrderTax contains ShippingTax is not documented.

    Where it is just the sum of the lines, it does not.
    """
    of_lines = sum((line.tax for line in lines), ZERO)
    shipping = fields.amount("ShippingTax")
    told = fields.number("OrderTax")
    if told is None:
        return (of_lines + shipping,)
    if not shipping:
        return (told,)
    return (told + shipping, told) if told == of_lines else (told, told + shipping)


def _readings(document: SalesDocument, taxes: Sequence[Decimal]) -> Iterator[SalesDocument]:
    """The document as it may be meant, likeliest first: tax on top, coupon and shipping discount may be inside already."""
    lines = [document.lines]
    if any(line.coupon for line in document.lines):
        lines.append(tuple(replace(line, coupon=ZERO) for line in document.lines))
    charges = [document.charges]
    kept = tuple(one for one in document.charges if one.kind is not ChargeKind.SHIPPING_DISCOUNT)
    if len(kept) != len(document.charges):
        charges.append(kept)
    for some, others, tax in product(lines, charges, taxes):
        yield replace(document, lines=some, charges=others, tax=tax)


def _charges(fields: Fields, lines: Sequence[SalesLine], tax: Decimal) -> tuple[Charge, ...]:
    """Shipping, surcharge and shipping discount. ShippingTax is of both together: of each it is not told, unless it is zero."""
    shipping, surcharge = fields.amount("ShippingTotal"), fields.amount("SurchargeTotal")
    discount = fields.amount("ShippingDiscount")
    shipping_tax = fields.number("ShippingTax")
    of_each = None if discount and shipping_tax else shipping_tax
    found = []
    if shipping:
        found.append(Charge(ChargeKind.SHIPPING, shipping, of_each, fields.text("ShippingOption")))
    if surcharge:
        rest = tax - sum((line.tax for line in lines), ZERO) - fields.amount("ShippingTax")
        paid_by = fields.text("DefaultPaymentType")
        found.append(
            Charge(ChargeKind.SURCHARGE, surcharge, _surcharge_tax(fields, surcharge, rest), paid_by)
        )
    if discount:
        found.append(Charge(ChargeKind.SHIPPING_DISCOUNT, -abs(discount), of_each))
    return tuple(found)


def _surcharge_tax(fields: Fields, surcharge: Decimal, rest: Decimal) -> Decimal | None:
    """What is left of the order's tax, where that can be the surcharge's; zero where Neto says it is not taxable."""
    told = fields.text("SurchargeTaxable").lower()
    if told in _NOTHING or (told and not told.strip("0.")):
        return ZERO
    fits = rest and (rest > 0) == (surcharge > 0) and abs(rest) < abs(surcharge)
    return rest if fits else None


def _payments(fields: Fields, key: str, day: date, zone: ZoneInfo, currency: str) -> tuple[Payment, ...]:
    """The payments shown with an order. Those without a date have the order's last one, or its day."""
    made = []
    for one in fields.parts("OrderPayment", "OrderPayment", f"a payment of order {key}"):
        own = _first(one, "Id", "PaymentID", "ID")
        named = Fields(one.body, f"payment {own} of order {key}")
        at, on = _moment(named, zone, "DatePaid")
        if on is None:
            at, on = _moment(fields, zone, "DatePaid")
        made.append(
            _payment(
                own, key, named.amount("Amount"), at, on or day, currency, method=named.text("PaymentType")
            )
        )
    return _in_order(made)


def _payment(
    key: str,
    document: str,
    amount: Decimal,
    at: datetime | None,
    day: date,
    currency: str,
    *,
    method: str,
    method_id: str = "",
    reference: str = "",
) -> Payment:
    """A payment; one below zero is money given back."""
    kind = PaymentKind.REFUND if amount < 0 else PaymentKind.RECEIPT
    return Payment(key, document, Money(abs(amount), currency), at, day, method, method_id, reference, kind)


def _in_order(payments: Sequence[Payment]) -> tuple[Payment, ...]:
    def instant(one: Payment) -> tuple[datetime, int, str]:
        return one.at or datetime.combine(one.day, time(), tzinfo=UTC), len(one.key), one.key

    return tuple(sorted(payments, key=instant))


def _is_quote(fields: Fields) -> bool:
    return "quote" in (fields.text("OrderStatus").lower(), fields.text("OrderType").lower())


def _order_day(fields: Fields, zone: ZoneInfo) -> date:
    """DateInvoiced is a day of the store; all others are instants (4.3)."""
    invoiced = fields.day("DateInvoiced")
    if invoiced is not None:
        return invoiced
    for name in ("DatePlaced", "DateUpdated"):
        at = fields.instant(name)
        if at is not None:
            return business_date(at, zone)
    raise DataError(
        f"{fields.what} has no date.", remedy="Open it in Neto and save it again.", code="no-date"
    )


def shipment(record: Record) -> NetoShipment:
    """Of a record of GetOrder: when it was completed, and the tracking numbers of its lines. Raises DataError."""
    key = _first(Fields(record, "order"), "OrderID", "ID")
    fields = Fields(record, f"order {key}")
    lines = fields.parts("OrderLine", "OrderLine", f"a line of order {key}")
    told = (line.text("ShippingTracking") for line in lines)
    return NetoShipment(fields.instant("DateCompletedUTC"), tuple(dict.fromkeys(one for one in told if one)))


# --- RMAs --------------------------------------------------------------------------------------------------------------


def rma(record: Record, zone: ZoneInfo, currency: str) -> SalesDocument:
    """A record of GetRma as a credit, amounts positive; its payments are the refunds that were paid out.

    It is dated by `DateIssued`, which staff may set, as they set an order's invoice date. status: Open or Closed.

    Raises:
        DataError: a value that does not fit its field, or an RMA without any date.
    """
    key = Fields(record, "RMA").text("RmaID")
    fields = Fields(record, f"RMA {key}")
    currency = _currency(fields, currency)
    days = (_moment(fields, zone, name)[1] for name in ("DateIssued", "DateApproved", "DateUpdated"))
    day = next((one for one in days if one is not None), None)
    if day is None:
        raise DataError(
            f"{fields.what} has no date.", remedy="Open it in Neto and save it again.", code="no-date"
        )
    lines = tuple(
        _returned(one, f"{key}-{place}", currency)
        for place, one in enumerate(fields.parts("RmaLines", "RmaLine", f"a line of RMA {key}"))
    )
    tax = fields.number("RefundTaxTotal")
    return SalesDocument(
        kind=DocumentKind.CREDIT,
        key=key,
        number=key,
        status=fields.text("RmaStatus"),
        day=day,
        party=Party(_customer(fields.text("CustomerUsername"))),
        has_tax=fields.flag("TaxInclusive", otherwise=True),
        grand_total=Money(fields.amount("RefundTotal"), currency),
        tax=sum((line.tax for line in lines), ZERO) if tax is None else tax,
        lines=lines,
        charges=_given_back(fields, lines, tax),
        purchase_order=fields.text("PurchaseOrderNumber"),
        related=fields.text("OrderID") or fields.text("InvoiceNumber"),
        note=fields.text("InternalNotes"),
        payments=_refunds(fields, key, day, zone, currency),
        changed=fields.instant("DateUpdated"),
    )


def _returned(fields: Fields, key: str, currency: str) -> SalesLine:
    name = _first(fields, "RmaLineID", "ItemNumber") or key
    fields = Fields(fields.body, f"RMA line {name}")
    quantity = fields.amount("Quantity")
    amount = round_half_away(fields.amount("RefundSubtotal"), exponent(currency))
    return SalesLine(
        key=name,
        item=_raw(fields, "SKU"),
        description=fields.text("ProductName") or fields.text("ItemNotes"),
        quantity=quantity,
        unit_price=nearest(amount, quantity, _PRICE_DIGITS) if quantity else amount,
        amount=amount,
        tax=fields.amount("Tax"),
        tax_code=fields.text("TaxCode"),
        place=fields.text("WarehouseID"),
        returned_to_stock=fields.flag("IsRestockIssued"),
    )


def _given_back(fields: Fields, lines: Sequence[SalesLine], tax: Decimal | None) -> tuple[Charge, ...]:
    """Shipping and surcharge given back. One alone has the tax the lines leave; of both together it is not told."""
    amounts = (
        (ChargeKind.SHIPPING, fields.amount("ShippingRefundAmount")),
        (ChargeKind.SURCHARGE, fields.amount("SurchargeRefundAmount")),
    )
    given = [(kind, amount) for kind, amount in amounts if amount]
    rest = None if tax is None else tax - sum((line.tax for line in lines), ZERO)
    return tuple(Charge(kind, amount, rest if len(given) == 1 else None) for kind, amount in given)


def _refunds(fields: Fields, key: str, day: date, zone: ZoneInfo, currency: str) -> tuple[Payment, ...]:
    """Refunds that were paid out; pending ones are none yet (10.1)."""
    found = []
    for one in fields.parts("Refunds", "Refund", f"a refund of RMA {key}"):
        named = Fields(one.body, f"refund {one.text('RefundID')} of RMA {key}")
        if named.text("RefundStatus").lower() != PAID_OUT:
            continue
        at, on = _moment(named, zone, "DateRefunded")
        if on is None:
            at, on = _moment(named, zone, "DateIssued")
        amount = Money(abs(named.amount("RefundAmount")), currency)
        found.append(
            Payment(
                named.text("RefundID"), key, amount, at, on or day, named.text("PaymentMethodName"),
                named.text("PaymentMethodID"), kind=PaymentKind.REFUND,
            )
        )  # fmt: skip
    return _in_order(found)


# --- payments ----------------------------------------------------------------------------------------------------------


def payment(record: Record, zone: ZoneInfo, currency: str) -> Payment:
    """A record of GetPayment, in the currency it names. Raises DataError.

    `PaymentMethod` is taken for the method's id, `PaymentMethodName` for its name (inferred: neto.md 9.1).
    """
    key = _first(Fields(record, "payment"), "PaymentID", "ID")
    fields = Fields(record, f"payment {key}")
    at, day = _moment(fields, zone, "DatePaidUTC")
    if day is None:
        raise DataError(f"{fields.what} has no date.", remedy="Enter its date in Neto.", code="no-date")
    return _payment(
        key,
        fields.text("OrderID"),
        fields.amount("AmountPaid"),
        at,
        day,
        _currency(fields, currency),
        method=fields.text("PaymentMethodName"),
        method_id=fields.text("PaymentMethod"),
        reference=fields.text("CardAuthorisation") or fields.text("PaymentNotes"),
    )


# --- small -------------------------------------------------------------------------------------------------------------


def _currency(fields: Fields, otherwise: str) -> str:
    told = fields.text("CurrencyCode").upper() or otherwise
    if len(told) != 3 or not told.isascii() or not told.isalpha():
        raise DataError(f"{fields.what}: {told!r} is not a currency.", code="unknown-currency")
    return told


def _customer(username: str) -> str:
    return "" if username in GUESTS else username


def _moment(fields: Fields, zone: ZoneInfo, name: str) -> tuple[datetime | None, date | None]:
    """An instant and its day in the store's zone; of a day alone only the day; of nothing neither."""
    if len(fields.text(name)) == len("2025-03-03"):
        return None, fields.day(name)
    at = fields.instant(name)
    return (None, None) if at is None else (at, business_date(at, zone))


def _first(fields: Fields, *names: str) -> str:
    return next((told for name in names if (told := fields.text(name))), "")


def _raw(fields: Fields, name: str) -> str:
    """A text as it is spelt: a blank at its end tells two SKUs apart."""
    told = fields.text(name)
    value = fields.body.get(name)
    return value if told and isinstance(value, str) else told
