"""The sums of an order: lines, tax a line, shipping, surcharge, coupon, rounding.

Belongs here: arithmetic. Does not belong here: what an order is. Source: neto.md 8.4. Whether OrderTax contains the tax on
shipping is not documented; here it does, as in the reference's own example (8.5).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.shop import Shop, decimal
from ledger_pipelines.sandbox.neto.store import Row

CENT = Decimal("0.01")
ZERO = Decimal(0)


def cents(value: Decimal) -> Decimal:
    """Two decimals, half away from zero."""
    return value.quantize(CENT, ROUND_HALF_UP)


def tax_of(amount: Decimal, rate: Decimal, *, inclusive: bool) -> Decimal:
    """The tax in, or on, an amount, rounded."""
    return cents(amount - amount / (1 + rate)) if inclusive else cents(amount * rate)


def line_total(line: Document) -> Decimal:
    """Quantity times price less the line's discount: percent, or if that is zero the amount for the whole line."""
    gross = decimal(line["Quantity"]) * decimal(line["UnitPrice"])
    percent = decimal(line["PercentDiscount"])
    return cents(gross * (100 - percent) / 100 if percent else gross - decimal(line["ProductDiscount"]))


def total(shop: Shop, row: Row) -> None:
    """Bring every sum of an order up to date."""
    body = row.body
    inclusive, rate = body["TaxInclusive"], shop.tax_rate()
    totals = [line_total(line) for line in body["Lines"]]
    coupon = sum((decimal(one["DiscountAmount"]) for one in body["Discounts"]), ZERO)
    shares = _shares(coupon, totals)
    tax = ZERO
    for line, amount, share in zip(body["Lines"], totals, shares, strict=True):
        line["CouponDiscount"] = str(share)
        own = ZERO if line["TaxFree"] else tax_of(amount - share, rate, inclusive=inclusive)
        line["Tax"], line["TaxCode"] = str(own), "" if line["TaxFree"] else "GST"
        tax += own
    subtotal = sum(totals, ZERO)
    shipping, less = cents(decimal(body["ShippingCost"])), cents(decimal(body["ShippingDiscount"]))
    shipping_tax = ZERO if body["TaxFreeShipping"] else tax_of(shipping - less, rate, inclusive=inclusive)
    surcharge = (
        cents(decimal(body["Surcharge"]))
        if body["Surcharge"] is not None
        else _surcharge(shop, body, subtotal - coupon + shipping - less)
    )
    surcharge_tax = ZERO if body["TaxFreeShipping"] else tax_of(surcharge, rate, inclusive=inclusive)
    tax += shipping_tax + surcharge_tax
    grand = (
        subtotal
        - coupon
        + shipping
        - less
        + surcharge
        + (ZERO if inclusive else tax)
        + decimal(body["OrderRounding"])
    )
    body |= {
        "ProductSubtotal": str(cents(subtotal)), "ShippingTotal": str(shipping), "ShippingTax": str(shipping_tax),
        "SurchargeTotal": str(surcharge), "SurchargeTaxable": str(surcharge if surcharge_tax else ZERO),
        "CouponDiscount": str(cents(coupon)), "CouponCode": next((one["DiscountCode"] for one in body["Discounts"]), ""),
        "OrderTax": str(tax), "GrandTotal": str(cents(grand)),
    }  # fmt: skip


def _surcharge(shop: Shop, body: Document, amount: Decimal) -> Decimal:
    """A payment method's own surcharge, in percent of the order."""
    method = next(
        (
            row
            for row in shop.store.select("paymentmethod")
            if row.body["name"].casefold() == str(body["PaymentMethod"]).casefold()
        ),
        None,
    )
    return ZERO if method is None else cents(amount * decimal(method.body["surcharge_percent"]) / 100)


def _shares(coupon: Decimal, totals: list[Decimal]) -> list[Decimal]:
    """The coupon's share of each line; the last one takes what is left."""
    whole = sum(totals, ZERO)
    if not coupon or not whole:
        return [ZERO] * len(totals)
    shares = [cents(coupon * amount / whole) for amount in totals]
    shares[-1] += coupon - sum(shares, ZERO)
    return shares
