"""Money: an exact decimal amount with its currency.

Belongs here: the type, its arithmetic, the one rounding function, splitting a total into parts that sum to it.
Does not belong here: reading a vendor's number style (`systems/<vendor>`), or which account an amount goes to.

No binary float comes near an amount: constructors refuse one. Adding two currencies is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache

from ledger_pipelines.errors import DataError

# ISO 4217 minor units that differ from 2. Amazon pays out in none of the 3-digit ones so far
# (amazon-settlement.md 6), but a ledger may hold them.
_EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip

_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
_EXACT = Context(prec=60)
_SHORT = 40
ZERO = Decimal(0)


class CurrencyMismatchError(DataError):
    """Two amounts of different currencies met in one sum."""

    default_code = "currency-mismatch"


def exponent(currency: str) -> int:
    """Number of minor-unit digits of an ISO 4217 currency (JPY 0, USD 2, KWD 3)."""
    return _EXPONENTS.get(currency, 2)


def round_half_away(amount: Decimal, digits: int) -> Decimal:
    """Round to `digits` decimals, halves away from zero, as the ledgers do (netsuite.md 9.3)."""
    return amount.quantize(_unit(digits), rounding=ROUND_HALF_UP, context=_EXACT)


@cache
def _unit(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def plain(amount: Decimal, digits: int = 0) -> str:
    """The amount as plain decimal text with at least `digits` decimals, no exponent, no `-0`.

    Digits beyond the currency's own are kept, not rounded: `plain(Decimal("1.234"), 2) == "1.234"`.
    """
    text = f"{amount:f}" if amount.is_finite() and amount.adjusted() < _SHORT else ""
    if not text or len(text) > _SHORT:  # no amount of money: whatever it is, it is checked the long way
        have = max(0, -int(amount.as_tuple().exponent)) if amount.is_finite() else 0
        text = f"{amount.quantize(Decimal(1).scaleb(-max(have, digits)), context=_EXACT):f}"
    whole, point, fraction = text.partition(".")
    if point or (digits and amount.is_finite()):
        fraction = fraction.rstrip("0").ljust(digits, "0")
        text = f"{whole}.{fraction}" if fraction else whole
    return "0" + text[2:] if text.startswith("-0") and not text.strip("-0.") else text


def quotient(amount: Decimal, divisor: Decimal | int, digits: int) -> Decimal | None:
    """`amount` divided by `divisor` where that takes at most `digits` decimals; None where it would have to be rounded.

    Raises:
        decimal.DivisionByZero, decimal.InvalidOperation: `divisor` is zero.
    """
    by = Decimal(divisor)
    near = round_half_away(_EXACT.divide(amount, by), digits)
    return tidy(near) if _EXACT.multiply(near, by) == amount else None


def nearest(amount: Decimal, divisor: Decimal | int, digits: int) -> Decimal:
    """`amount` divided by `divisor`, rounded to `digits` decimals: a price for people, which need not multiply back.

    Raises:
        decimal.DivisionByZero, decimal.InvalidOperation: `divisor` is zero.
    """
    return tidy(round_half_away(_EXACT.divide(amount, Decimal(divisor)), digits))


def tidy(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros after the point, and without exponent: `50.990000` is `50.99`."""
    return Decimal(plain(amount))


def from_plain(text: str) -> Decimal:
    """Read plain decimal text (what `plain` writes). Exactly one spelling per grammar, ASCII digits only.

    Raises:
        DataError: on anything else: exponents, grouping, plus signs, blanks, NaN.
    """
    if not _PLAIN.fullmatch(text):
        raise DataError(f"{text!r} is not a plain decimal amount.", code="unreadable-number")
    return Decimal(text)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency. `amount` is a finite Decimal, `currency` an ISO 4217 code."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Money takes a Decimal, not {type(self.amount).__name__}.")
        if not self.amount.is_finite():
            raise DataError(f"{self.amount} is not an amount of money.", code="unreadable-number")
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise DataError(f"{self.currency!r} is not an ISO 4217 currency code.", code="unknown-currency")

    @classmethod
    def of(cls, text: str, currency: str) -> Money:
        """Money from plain decimal text. Raises DataError on any other text."""
        return cls(from_plain(text), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in that currency."""
        return cls(ZERO, currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatchError(
                f"Cannot add {other} to {self}: the currencies differ.",
                remedy="Convert one of them explicitly, or keep them apart.",
            )

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(_EXACT.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(_EXACT.subtract(self.amount, other.amount), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"

    @property
    def text(self) -> str:
        """Plain decimal text with at least the currency's digits."""
        return plain(self.amount, exponent(self.currency))

    @property
    def is_bookable(self) -> bool:
        """Whether the amount fits the currency's minor unit, so that a ledger can hold it unrounded."""
        return self.amount == round_half_away(self.amount, exponent(self.currency))


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Exact sum; zero of `currency` when there are none. Raises CurrencyMismatchError."""
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result


def allocate(whole: Money, weights: Sequence[Decimal]) -> list[Money]:
    """Split `whole` in proportion to non-negative `weights`; the parts sum to it exactly (largest remainder).

    Raises:
        DataError: no weights, a negative one, or all zero.
    """
    if not weights or any(w < 0 for w in weights) or not any(weights):
        raise DataError(f"Cannot split {whole} by weights {list(map(str, weights))}.", code="bad-weights")
    unit = Decimal(1).scaleb(-exponent(whole.currency))
    units = _EXACT.divide(whole.amount, unit)
    if units != units.to_integral_value():
        raise DataError(f"{whole} has more digits than its currency can split.", code="unbookable-amount")
    sign = -1 if units < 0 else 1
    count = abs(int(units))
    weight_sum = sum(weights, ZERO)
    shares = [_EXACT.divide(_EXACT.multiply(Decimal(count), w), weight_sum) for w in weights]
    floors = [int(s) for s in shares]
    order = sorted(range(len(weights)), key=lambda i: (floors[i] - shares[i], i))
    for i in order[: count - sum(floors)]:
        floors[i] += 1
    return [Money(_EXACT.multiply(Decimal(sign * f), unit), whole.currency) for f in floors]
