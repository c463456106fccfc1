"""An order's amounts come to the store's grand total by Omni's own arithmetic, or the order waits with the difference shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.money import round_half_away
from ledger_pipelines.documents.sales import Charge, ChargeKind, Component, SalesDocument
from ledger_pipelines.integrations.neto_cin7.layout import (
    Layout,
    TaxStatus,
    lay_out,
    line_amount,
    order_total,
    priced,
)
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    aud,
    context,
    d,
    line,
    order,
    product,
    settings,
    shop,
)


def laid(one: SalesDocument, **other: Any) -> Layout:
    found = lay_out(context([one], **other), one)
    assert isinstance(found, Layout), found
    assert found.total == one.grand_total
    return found


def refused(one: SalesDocument, **other: Any) -> Reason:
    found = lay_out(context([one], **other), one)
    assert isinstance(found, Reason), found
    return found


def test_a_line_discount_is_a_total_for_the_line() -> None:
    found = laid(order("N1", line("TEE-RED-M", "2", "33.00000000", "59.40", discount_percent=d("10"))))
    (one,) = found.lines
    assert (one.quantity, one.unit_price, one.discount) == (d("2"), d("33"), d("6.60"))
    assert (found.tax_status, found.tax_rate) == (TaxStatus.INCLUSIVE, d("10"))


def test_freight_surcharge_and_discounts_of_the_order_are_no_lines() -> None:
    charges = (
        Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00"), "Express Post"),
        Charge(ChargeKind.SURCHARGE, d("2.20"), d("0.20"), "Credit Card"),
        Charge(ChargeKind.SHIPPING_DISCOUNT, d("-5.50"), d("-0.50")),
    )
    found = laid(order("N1", line(coupon=d("1.10"), tax="1.40"), charges=charges))
    assert (found.freight, found.freight_text) == (d("11"), "Express Post")
    assert (found.surcharge, found.surcharge_text) == (d("2.2"), "Surcharge - Credit Card")
    assert (found.discount, found.discount_text) == (d("6.6"), "Discount")
    assert found.total == aud("23.10")


def test_a_coupon_on_the_lines() -> None:
    choices = settings(accounting={"coupons": "lines"})
    found = laid(order("N1", line(coupon=d("1.10"), tax="1.40")), choices=choices)
    assert (found.lines[0].discount, found.discount) == (d("1.1"), d("0"))


def test_an_order_without_tax_is_exempt() -> None:
    found = laid(order("N1", line(tax="0.00")))
    assert (found.tax_status, found.tax_rate) == (TaxStatus.EXEMPT, d("0"))


def test_a_tax_free_line_of_a_taxed_order_has_its_own_rate() -> None:
    found = laid(order("N1", line(), line("TEE-RED-M", "1", "20.00", tax="0.00")))
    assert [one.tax_rate for one in found.lines] == [None, d("0")]
    assert found.lines[1].to_json(20)["taxRate"] == d("0")
    assert "taxRate" not in found.lines[0].to_json(10)


def test_a_free_line_says_nothing_of_tax() -> None:
    found = laid(order("N1", line(), line("SAMPLE", "1", "0.00", "0.00", "0.00")))
    assert found.lines[1].tax_rate is None
    assert found.lines[1].amount == 0


def test_a_rate_by_the_stores_tax_code() -> None:
    one = order("N1", line("TEE-RED-M", "1", "23.00", tax="3.00", tax_code="NZ GST"))
    assert refused(one).code == "tax-differs"
    found = laid(one, choices=settings(accounting={"tax_rates": {"nz gst": 15}}))
    assert found.tax_rate == d("15")


def test_a_tax_exclusive_order_is_written_inclusive_to_the_cent() -> None:
    """Three lines whose tax is rounded line by line: 10 % of the sum would be a cent less."""
    lines = [line(f"SKU-{n}", "1", "0.45", "0.45", "0.05") for n in range(3)]
    one = order("N1", *lines, has_tax=False)
    assert one.grand_total == aud("1.50")
    found = laid(one)
    assert found.tax_status is TaxStatus.INCLUSIVE
    assert [part.amount for part in found.lines] == [d("0.50")] * 3
    reason = refused(one, choices=settings(accounting={"amounts": "as_order"}))
    assert reason.code == "tax-basis"
    assert "1.49 AUD" in reason.text
    assert "inclusive" in reason.remedy


def test_a_tax_exclusive_order_stays_so_where_the_settings_say() -> None:
    one = order("N1", line("MUG-01", "2", "15.00", "30.00", "3.00"), has_tax=False)
    found = laid(one, choices=settings(accounting={"amounts": "as_order"}))
    assert (found.tax_status, found.lines[0].unit_price) == (TaxStatus.EXCLUSIVE, d("15"))


def test_a_total_that_omni_may_keep_with_fractions_of_a_cent_is_not_compared() -> None:
    """9.05 and 10 %: 9.955, and the store says 9.96."""
    one = order("N1", line("MUG-01", "1", "9.05", "9.05", "0.91"), has_tax=False)
    choices = settings(accounting={"amounts": "as_order"})
    found = laid(one, choices=choices)
    assert (found.total, found.expected) == (aud("9.96"), None)
    assert laid(order()).expected == aud("16.50")


def test_freight_without_told_tax_is_grossed_and_takes_the_odd_cent() -> None:
    charges = (Charge(ChargeKind.SHIPPING, d("9.05"), None, "Post"),)
    one = order(
        "N1", line("MUG-01", "1", "15.00", "15.00", "1.50"), charges=charges, has_tax=False, tax="2.41"
    )
    assert laid(one).freight == d("9.96")


def test_a_difference_blocks_and_is_shown_line_by_line() -> None:
    one = order("N1", line(), line("TEE-RED-M", "2", "33.00"), total="82.55")
    reason = refused(one)
    assert reason.code == "does-not-foot"
    for part in ("82.55 AUD", "82.50 AUD", "0.05 AUD", "1 x MUG-01 16.50", "2 x TEE-RED-M 66.00"):
        assert part in reason.text


def test_below_nothing_blocks_and_nothing_is_allowed() -> None:
    assert refused(order("N1", line("MUG-01", "-1", "16.50"))).code == "negative-total"
    assert laid(order("N1", line("MUG-01", "1", "0.00", "0.00", "0.00"))).total == aud("0.00")


def test_fractions_of_a_cent_and_too_fine_quantities_block() -> None:
    fine = order("N1", line("MUG-01", "1", "16.505", "16.505", "1.50"))
    assert refused(fine).code == "amount-decimals"
    assert refused(order("N1", line("MUG-01", "1.00001", "16.50"))).code == "quantity-decimals"
    free = order("N1", line("MUG-01", "0", "16.50", "16.50"))
    assert refused(free).code == "quantity-decimals"


def test_notes_are_no_lines() -> None:
    note = line("TEXT_NOTE", "1", "0.00", "0.00", "0.00", text_only=True, description="Happy birthday")
    found = laid(order("N1", line(), note))
    assert len(found.lines) == 1
    assert found.notes == ("Happy birthday",)


def test_a_kit_is_one_line_or_its_parts_to_the_cent() -> None:
    kit = product("KIT", components=(Component("A", d("1"), d("20")), Component("B", d("2"), d("5"))))
    one = order("N1", line("KIT", "1", "25.00"))
    store = shop([one], items=(kit,))
    assert [part.code for part in laid(one, store=store).lines] == ["KIT"]
    found = laid(one, store=store, choices=settings(products={"kits": "components"}))
    assert [(part.code, part.quantity, part.amount) for part in found.lines] == [
        ("A", d("1"), d("16.67")),
        ("B", d("2"), d("8.33")),
    ]
    assert [part.reference for part in found.lines] == ["L-KIT/0", "L-KIT/1"]


def test_another_currency_foots_in_it() -> None:
    one = order("N1", line(tax="0.00"), currency="USD")
    assert laid(one).total.currency == "USD"


@pytest.mark.parametrize(
    ("quantity", "amount", "unit", "price", "discount"),
    [
        ("3", "10.00", "3.33333333", "3.3334", "0.0002"),
        ("3", "1.01", "0.335", "0.3367", "0.0001"),
        ("2", "59.40", "33.00000000", "33", "6.6"),
        ("-1", "-16.50", "16.50", "16.5", "0"),
        ("-2", "-59.40", "33", "33", "-6.6"),
        ("0", "0.00", "16.50", "16.5", "0"),
        ("4", "10.00", None, "2.5", "0"),
    ],
)
def test_price_and_discount(quantity: str, amount: str, unit: str | None, price: str, discount: str) -> None:
    found = priced(d(quantity), d(amount), None if unit is None else d(unit))
    assert found == (d(price), d(discount))


_QUANTITIES = st.decimals("-500", "500", places=2, allow_nan=False, allow_infinity=False)
_AMOUNTS = st.decimals("0", "99999", places=2, allow_nan=False, allow_infinity=False)
_PERCENT = st.decimals("0", "100", places=2, allow_nan=False, allow_infinity=False)


@given(_QUANTITIES, st.decimals("0", "999", places=8, allow_nan=False, allow_infinity=False), _PERCENT)
def test_any_line_of_the_store_can_be_written_exactly(
    quantity: Decimal, unit: Decimal, percent: Decimal
) -> None:
    amount = round_half_away(quantity * unit * (100 - percent) / 100, 2)
    found = priced(quantity, amount, unit)
    if not quantity:
        assert found is not None
        return
    assert found is not None
    assert line_amount(quantity, *found) == amount
    assert found[1] * quantity >= 0  # a discount never makes a line larger


@given(_QUANTITIES, _AMOUNTS)
def test_any_share_of_a_kit_can_be_written_exactly(quantity: Decimal, amount: Decimal) -> None:
    found = priced(quantity, amount)
    if quantity > 0:
        assert found is not None
        assert line_amount(quantity, *found) == amount


@given(st.lists(_AMOUNTS, max_size=6), _AMOUNTS)
def test_the_total_is_as_the_reference_says(lines: list[Decimal], others: Decimal) -> None:
    plain = sum(lines, others)
    assert order_total(lines, others, TaxStatus.INCLUSIVE, d("10")) == plain
    assert order_total(lines, others, TaxStatus.EXEMPT, d("10")) == plain
    assert order_total(lines, others, TaxStatus.EXCLUSIVE, d("10")) == round_half_away(plain * d("1.1"), 2)
