"""Saasu's arithmetic of a line, and unit prices with which it comes to a given amount exactly.

Belongs here: rounding as the file does it (saasu.md 6.1: each line, halves away from zero; 4 decimals of a price and 3 of a
quantity are kept). Does not belong here: which lines there are (`layout`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

from ledger_pipelines.documents.money import ZERO, nearest, round_half_away, tidy
from ledger_pipelines.integrations.sales_amounts import is_cents

PRICE_DIGITS: Final = 4
QUANTITY_DIGITS: Final = 3
PERCENT_DIGITS: Final = 2
_EXACT: Final = Context(prec=60)
_ONE: Final = Decimal(1)
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Priced:
    """Quantity, unit price and discount in percent of a line."""

    quantity: Decimal
    unit_price: Decimal
    percent: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        """What Saasu makes of it."""
        return line_amount(self.quantity, self.unit_price, self.percent)


def line_amount(quantity: Decimal, unit_price: Decimal, percent: Decimal = ZERO) -> Decimal:
    """Quantity times price less discount, in cents."""
    kept = _EXACT.subtract(_HUNDRED, percent)
    raw = _EXACT.multiply(_EXACT.multiply(quantity, unit_price), kept)
    return round_half_away(raw.scaleb(-2, context=_EXACT), 2)


def priced(
    amount: Decimal, quantity: Decimal, unit_price: Decimal | None = None, percent: Decimal = ZERO
) -> tuple[Priced, ...] | None:
    """Lines that come to `amount` exactly: as the source has it, else with the discount in the price, else in two lines.

    Two lines are needed where no price of 4 decimals does, which takes a quantity of about 100 or more: one unit then carries
    what is left. None: it cannot be written (a quantity of more than 3 decimals, an amount for a quantity of nothing, an
    amount with fractions of a cent).

    Args:
        amount: What it must come to, in cents.
        quantity: Signed.
        unit_price: The source's, before discount; None = it has none.
        percent: The source's discount.
    """
    if not is_cents(amount) or quantity != round_half_away(quantity, QUANTITY_DIGITS):
        return None
    quantity = tidy(quantity)
    if not quantity:
        return None if amount else (Priced(ZERO, ZERO),)
    if unit_price is not None:
        price = tidy(round_half_away(unit_price, PRICE_DIGITS))
        as_it_is = Priced(quantity, price, tidy(percent))
        if percent == round_half_away(percent, PERCENT_DIGITS) and as_it_is.amount == amount:
            return (as_it_is,)
    for digits in range(2, PRICE_DIGITS + 1):
        folded = Priced(quantity, nearest(amount, quantity, digits))
        if folded.amount == amount:
            return (folded,)
    return _in_two(amount, quantity)


def _in_two(amount: Decimal, quantity: Decimal) -> tuple[Priced, ...] | None:
    """All but one unit at a price not above the amount's own, so that the last one's has the same sign."""
    one = _ONE.copy_sign(quantity)
    price = nearest(amount, quantity, PRICE_DIGITS)
    if abs(_EXACT.multiply(price, quantity)) > abs(amount):
        price -= Decimal(1).scaleb(-PRICE_DIGITS).copy_sign(price)
    most = Priced(tidy(quantity - one), tidy(price))
    last = Priced(one, tidy((amount - most.amount) * one))
    return (most, last) if most.amount + last.amount == amount else None
