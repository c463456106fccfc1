"""Omni's arithmetic: lines, totals, amounts in the account's base currency.

Belongs here: sums. Does not belong here: where they are kept. Source: cin7-omni.md 5 (Money and currency), 11.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.sandbox.codec import ZERO, Document, number, rounded

DECIMALS = 4
"""Of totals and converted amounts; the reference saw "up to 4+"."""
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of an order. taxed: with the tax that an exclusive order adds."""

    product: Decimal
    taxable: Decimal
    taxed: Decimal


def exact(value: Decimal) -> Decimal:
    """Rounded to four decimals, without zeros at the end."""
    found = rounded(value, DECIMALS).normalize()
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


def line_total(line: Document) -> Decimal:
    """Quantity times price, less the discount of the line as a whole."""
    return number(line["qty"]) * number(line["unitPrice"]) - number(line["discount"])


def totals(body: Document, lines: Iterable[Document]) -> Totals:
    """The sums of an order or credit note."""
    product = sum((line_total(line) for line in lines), ZERO)
    taxable = (
        product + number(body["freightTotal"]) + number(body["surcharge"]) - number(body["discountTotal"])
    )
    taxed = taxable
    if body["taxStatus"] == "Excl":
        taxed = taxable * (HUNDRED + number(body["taxRate"])) / HUNDRED
    return Totals(exact(product), exact(taxable), exact(taxed))


def in_base(amount: object, rate: Decimal) -> Decimal:
    """An amount of an order's currency in the base currency: order amount = base amount x rate."""
    return number(amount) if rate == 1 else exact(number(amount) / rate)
