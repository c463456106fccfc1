"""Money is exact, of one currency, and its parts sum to the whole."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.money import (
    CurrencyMismatchError,
    Money,
    allocate,
    from_plain,
    plain,
    quotient,
    round_half_away,
    tidy,
    total,
)
from ledger_pipelines.errors import DataError

amounts = st.decimals(
    min_value=Decimal("-99999999999.99"), max_value=Decimal("99999999999.99"), places=2, allow_nan=False
)


def test_a_float_is_no_amount() -> None:
    with pytest.raises(TypeError):
        Money(0.1, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_amount(value: str) -> None:
    with pytest.raises(DataError):
        Money(Decimal(value), "USD")


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(CurrencyMismatchError):
        Money.of("1.00", "USD") + Money.of("1.00", "CAD")


@pytest.mark.parametrize(
    "text", ["", "1e3", "+1", "1,000.00", "01", "1.", ".5", " 1", "١", "NaN", "1_000", "--1"]
)
def test_plain_text_has_one_spelling(text: str) -> None:
    with pytest.raises(DataError):
        from_plain(text)


@given(amounts)
def test_what_is_written_is_read_back_as_it_was(amount: Decimal) -> None:
    assert from_plain(plain(amount, 2)) == amount
    assert tidy(amount.quantize(Decimal("0.000001"))) == amount
    assert Money(amount, "EUR").text == plain(amount, 2)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("50.990000", "50.99"),
        ("100", "100"),
        ("1E+2", "100"),
        ("-0.00", "0"),
        ("0.10", "0.1"),
        ("-1.50", "-1.5"),
    ],
)
def test_trailing_zeros_go_and_nothing_else(amount: str, text: str) -> None:
    assert str(tidy(Decimal(amount))) == text


@pytest.mark.parametrize(
    ("amount", "digits", "rounded"),
    [
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("12.344", 2, "12.34"),
    ],
)
def test_halves_go_away_from_zero(amount: str, digits: int, rounded: str) -> None:
    assert round_half_away(Decimal(amount), digits) == Decimal(rounded)


@given(
    amounts,
    st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any),
    st.sampled_from(["USD", "JPY"]),
)
def test_the_parts_of_an_allocation_sum_to_the_whole(
    amount: Decimal, weights: list[int], currency: str
) -> None:
    whole = Money(amount.quantize(Decimal(1)) if currency == "JPY" else amount, currency)
    parts = allocate(whole, [Decimal(w) for w in weights])
    assert total(parts, currency) == whole
    assert all(part.is_bookable for part in parts)


def test_yen_have_no_minor_unit_and_dinars_three() -> None:
    assert Money.of("120", "JPY").text == "120"
    assert Money.of("1.5", "KWD").text == "1.500"
    assert not Money.of("1.5", "JPY").is_bookable


@pytest.mark.parametrize(
    ("amount", "divisor", "digits", "expected"),
    [
        ("150", "50", 0, "3"),
        ("149.97", 3, 2, "49.99"),
        ("100", 3, 2, None),
        ("25", 2, 2, "12.5"),
        ("0.05", 2, 2, None),
        ("-7.5", "2.5", 0, "-3"),
        ("999999999999999999999999999999.99", "0.01", 0, "99999999999999999999999999999999"),
        ("10000000000000000000000000000.01", "10000000000000000000000000000", 0, None),
    ],
)
def test_a_quotient_is_exact_or_none(
    amount: str, divisor: str | int, digits: int, expected: str | None
) -> None:
    by = Decimal(divisor) if isinstance(divisor, str) else divisor
    found = quotient(Decimal(amount), by, digits)
    assert found == (None if expected is None else Decimal(expected))


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**24), max_value=10**24),
    st.integers(0, 6),
)
def test_plain_text_is_what_quantizing_to_the_decimals_gives(amount: Decimal, digits: int) -> None:
    exact = Context(prec=200)
    have = max(0, -int(amount.as_tuple().exponent))
    whole, _, fraction = (
        f"{amount.quantize(Decimal(1).scaleb(-max(have, digits)), context=exact):f}".partition(".")
    )
    kept = fraction.rstrip("0").ljust(digits, "0")
    text = f"{whole}.{kept}" if kept else whole
    if text.startswith("-") and not text.strip("-0."):
        text = text[1:]
    try:
        assert plain(amount, digits) == text
    except InvalidOperation:
        assert len(text) > 40, "an amount of money is always told"
