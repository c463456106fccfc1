"""Saasu's arithmetic: rounding half away from zero, tax out of and on top of a line.

Belongs here: sums. Does not belong here: where they are posted. Source: saasu.md 6.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Taxed:
    """A line's amounts: net + tax = gross."""

    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        """With tax."""
        return self.net + self.tax


def cents(value: Decimal) -> Decimal:
    """Two decimals, half away from zero."""
    return value.quantize(CENT, ROUND_HALF_UP)


def number(value: object) -> Decimal:
    """A kept number; None counts as zero."""
    if value is None:
        return ZERO
    return value if isinstance(value, Decimal) else Decimal(str(value))


def line_amount(quantity: Decimal, unit: Decimal, discount: Decimal) -> Decimal:
    """`qty * unit * (1 - discount/100)`, rounded."""
    return cents(quantity * unit * (100 - discount) / 100)


def taxed(amount: Decimal, rate: Decimal, *, inclusive: bool) -> Taxed:
    """Net and tax of a rounded line amount. rate: a fraction."""
    if inclusive:
        net = cents(amount / (1 + rate))
        return Taxed(net, amount - net)
    return Taxed(amount, cents(amount * rate))


def summed(values: Iterable[Decimal]) -> Decimal:
    """The sum, with two decimals."""
    return cents(sum(values, ZERO))
