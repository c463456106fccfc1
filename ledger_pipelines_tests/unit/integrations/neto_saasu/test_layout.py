"""Orders as lines of Saasu invoices: every amount to the cent by the file's own arithmetic, or the order waits."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import (
    Address,
    Charge,
    ChargeKind,
    Component,
    Party,
    SalesDocument,
    SalesLine,
)
from ledger_pipelines.integrations.neto_saasu.arithmetic import priced
from ledger_pipelines.integrations.neto_saasu.layout import Layout, lay_out
from ledger_pipelines.integrations.neto_saasu.skus import item_key
from ledger_pipelines.integrations.sales_amounts import tax_within
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import (
    aud,
    books,
    context,
    d,
    known,
    line,
    order,
    product,
    saasu_item,
    set_up_items,
    settings,
    shop,
)

SHIPPING = Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00"), "Standard Post")
RATES = {"G1": Fraction(1, 10), "G1,G3": Fraction(0), "G1,G2": Fraction(0)}


def cents(amount: Fraction) -> Fraction:
    """Rounded to cents, halves away from zero: a second writing of saasu.md 6.1, in fractions."""
    scaled = abs(amount) * 100
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(whole, 100) * (-1 if amount < 0 else 1)


def saasu_total(layout: Layout) -> tuple[Fraction, Fraction]:
    """Total and tax that Saasu makes of the request's lines, from their JSON alone."""
    total = tax = Fraction(0)
    for row in (one.to_json() for one in layout.lines):
        if "TotalAmount" in row:
            amount = cents(_fraction(row["TotalAmount"]))
        else:
            kept = 1 - _fraction(row["PercentageDiscount"]) / 100
            amount = cents(_fraction(row["Quantity"]) * _fraction(row["UnitPrice"]) * kept)
            assert _digits(row["UnitPrice"]) <= 4
            assert _digits(row["Quantity"]) <= 3
        rate = RATES[str(row["TaxCode"])]
        of_it = amount - cents(amount / (1 + rate)) if layout.is_tax_inc else cents(amount * rate)
        total += amount if layout.is_tax_inc else amount + of_it
        tax += of_it
    return total, tax


def _fraction(value: Json) -> Fraction:
    assert isinstance(value, Decimal | int)
    return Fraction(value)


def _digits(value: Json) -> int:
    exponent = Decimal(str(value)).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def laid_out(one: SalesDocument, **other: Any) -> Layout:
    found = lay_out(context([one], **other), one)
    assert isinstance(found, Layout), found
    total, tax = saasu_total(found)
    assert total == Fraction(one.grand_total.amount) == Fraction(found.total.amount)
    assert tax == Fraction(found.tax)
    return found


def refused(one: SalesDocument, **other: Any) -> Reason:
    found = lay_out(context([one], **other), one)
    assert isinstance(found, Reason)
    assert one.number in found.text
    assert found.remedy
    return found


def rows_of(layout: Layout) -> list[dict[str, Json]]:
    return [one.to_json() for one in layout.lines]


def test_a_discounted_line_and_shipping_stand_as_the_store_has_them() -> None:
    tee = line("TEE-RED-M", "2", "33.00000000", "59.40", discount_percent=d("10.00"))
    laid = laid_out(order("N10234", tee, line(), charges=(SHIPPING,)))
    assert rows_of(laid) == [
        {"Description": "Tee-Red-M", "TaxCode": "G1", "InventoryId": "101", "Quantity": 2, "UnitPrice": 33,
         "PercentageDiscount": 10},
        {"Description": "Mug-01", "TaxCode": "G1", "InventoryId": "102", "Quantity": 1, "UnitPrice": d("16.5"),
         "PercentageDiscount": 0},
        {"Description": "Shipping - Standard Post", "TaxCode": "G1", "InventoryId": "201", "Quantity": 1, "UnitPrice": 11,
         "PercentageDiscount": 0},
    ]  # fmt: skip
    assert (laid.layout, laid.is_tax_inc, laid.total, laid.tax) == ("I", True, aud("86.90"), d("7.90"))


def test_a_discount_in_money_is_folded_into_the_price() -> None:
    """The store took 5.00 off the line; no percentage says that."""
    laid = laid_out(order("N1", line("MUG-01", "3", "16.50", "44.50")))
    assert rows_of(laid)[0] == {
        "Description": "Mug-01", "TaxCode": "G1", "InventoryId": "102", "Quantity": 3, "UnitPrice": d("14.833"),
        "PercentageDiscount": 0,
    }  # fmt: skip


def test_a_price_that_no_four_decimals_can_say_takes_two_lines() -> None:
    laid = laid_out(order("N1", line("MUG-01", "1000", "0.33333333", "333.33")))
    assert [(row["Quantity"], row["UnitPrice"]) for row in rows_of(laid)] == [
        (999, d("0.3333")),
        (1, d("0.36")),
    ]


def test_the_coupon_is_one_line_for_each_tax_code() -> None:
    taxed = line("MUG-01", "1", "16.50", tax="1.00", coupon=d("5.50"))
    free = line("TEE-RED-M", "1", "20.00", tax="0.00", coupon=d("2.00"))
    laid = laid_out(order("N1", taxed, free))
    coupons = [(row["TaxCode"], row["Quantity"], row["UnitPrice"]) for row in rows_of(laid)[2:]]
    assert coupons == [("G1", 1, d("-5.5")), ("G1,G3", 1, d("-2"))]
    assert {row["InventoryId"] for row in rows_of(laid)[2:]} == {"203"}


def test_a_missing_discount_item_blocks_and_names_the_setting() -> None:
    one = order("N1", line(coupon=d("5.50"), tax="1.00"))
    items = tuple(item for item in books().items if item.code != "DISCOUNT")
    found = lay_out(context([one], file=books(items=items)), one)
    assert isinstance(found, Reason)
    assert found.code == "unresolved-setting"
    assert "orders_to_saasu.discount_item" in found.text


def test_surcharge_and_shipping_discount_are_lines_of_their_own() -> None:
    charges = (
        SHIPPING,
        Charge(ChargeKind.SURCHARGE, d("1.10"), d("0.10")),
        Charge(ChargeKind.SHIPPING_DISCOUNT, d("-5.50"), d("-0.50")),
    )
    laid = laid_out(order("N1", line(), charges=charges))
    shown = [(row["InventoryId"], row["UnitPrice"], row["TaxCode"]) for row in rows_of(laid)[1:]]
    assert shown == [("201", 11, "G1"), ("202", d("1.1"), "G1"), ("203", d("-5.5"), "G1")]


def test_shipping_whose_tax_is_not_told_is_taxed_like_the_order() -> None:
    untold = Charge(ChargeKind.SHIPPING, d("11.00"), None)
    assert rows_of(laid_out(order("N1", line(), charges=(untold,), tax="2.50")))[1]["TaxCode"] == "G1"
    free = order("N2", line(tax="0.00"), charges=(untold,), tax="0")
    assert rows_of(laid_out(free))[1]["TaxCode"] == "G1,G3"


def test_an_order_that_leaves_the_country_without_tax_is_an_export() -> None:
    abroad = Party(
        "pat_rivers", "Pat", "Rivers", shipping=Address(country="NZ"), billing=Address(country="AU")
    )
    free = Charge(ChargeKind.SHIPPING, d("30.00"), d("0.00"))
    laid = laid_out(order("N1", line(tax="0.00"), charges=(free,), party=abroad))
    assert {row["TaxCode"] for row in rows_of(laid)} == {"G1,G2"}
    taxed = laid_out(order("N2", line(), party=abroad))
    assert {row["TaxCode"] for row in rows_of(taxed)} == {"G1"}


def test_the_stores_own_code_goes_first() -> None:
    choices = settings(orders_to_saasu={"tax_codes": {"gst free": "G1,G3", "GST": "G1"}})
    mixed = order("N1", line(tax_code="GST"), line("TEE-RED-M", "1", "5.00", tax="0.00", tax_code="GST FREE"))
    assert [row["TaxCode"] for row in rows_of(laid_out(mixed, choices=choices))] == ["G1", "G1,G3"]


def test_tax_that_is_not_what_the_code_makes_blocks_with_both_figures() -> None:
    found = refused(order("N1", line("MUG-01", "1", "16.50", tax="2.15")))
    assert found.code == "tax-differs"
    assert "2.15" in found.text
    assert "1.50" in found.text


def test_a_cent_between_the_taxes_is_no_difference_and_two_are() -> None:
    laid_out(order("N1", line("MUG-01", "1", "16.50", tax="1.51")))
    assert refused(order("N1", line("MUG-01", "1", "16.50", tax="1.52"))).code == "tax-differs"


def test_the_net_is_rounded_and_the_tax_is_what_is_left() -> None:
    """At 20 % three cents are 2.5 and 0.5: rounding the tax instead would make a cent of it (saasu.md 6.1)."""
    assert (tax_within(d("0.03"), d("0.2")), tax_within(d("-0.03"), d("0.2"))) == (d("0.00"), d("0.00"))
    assert (tax_within(d("99.90"), d("0.1")), tax_within(d("12.00"), d("0.1"))) == (d("9.08"), d("1.09"))


@pytest.mark.parametrize(
    ("has", "wants"), [("mug-01", "sku-spelling"), ("MUG-01 ", "sku-spelling"), ("CUP", "sku-unknown")]
)
def test_a_sku_that_is_not_the_code_blocks(has: str, wants: str) -> None:
    found = refused(order("N1", line(has)))
    assert found.code == wants
    assert repr(has) in found.text


@pytest.mark.parametrize(
    ("change", "code"), [({"active": False}, "item-inactive"), ({"sold": False}, "item-not-sold")]
)
def test_an_item_that_cannot_be_sold_blocks(change: dict[str, Any], code: str) -> None:
    file = books(items=(*set_up_items(), saasu_item("102", "MUG-01", **change)))
    assert refused(order("N1", line()), file=file).code == code


def test_an_item_that_is_being_made_is_linked() -> None:
    one = order("N1", line("CUP"))
    store = shop([one], items={"CUP": product("CUP")})
    laid = laid_out(one, store=store)
    assert rows_of(laid)[0]["InventoryId"] == {"$link": item_key(context(), "CUP")}


def test_an_item_that_was_deleted_and_made_anew_is_the_new_one() -> None:
    one = order("N1", line())
    ctx = context([one])
    effect = ctx.effect(
        "items_to_saasu", "item", item_key(ctx, "MUG-01"), external_id="MUG-01", number="", title="", body={}
    )
    for id_, file, wants in (
        ("300", books(deleted=frozenset({("Item", "300")})), "102"),
        ("102", books(), {"$link": effect.key}),
    ):
        assert (
            rows_of(laid_out(one, file=file, known=[known(effect, remote_id=id_)]))[0]["InventoryId"] == wants
        )
    gone = books(items=set_up_items(), deleted=frozenset({("Item", "300")}))
    assert refused(one, file=gone, known=[known(effect, remote_id="300")]).code == "item-deleted"


def test_an_unknown_sku_takes_the_whole_order_to_service_layout_where_that_is_chosen() -> None:
    choices = settings(orders_to_saasu={"layout": "service_layout", "default_line_account": "Sales"})
    laid = laid_out(
        order("N1", line("CUP", "3", "16.50", "44.50"), line(), charges=(SHIPPING,)), choices=choices
    )
    assert laid.layout == "S"
    assert rows_of(laid) == [
        {"Description": "3 x Cup (CUP)", "TaxCode": "G1", "AccountId": "9040", "TotalAmount": d("44.5")},
        {
            "Description": "1 x Mug-01 (MUG-01)",
            "TaxCode": "G1",
            "AccountId": "9040",
            "TotalAmount": d("16.5"),
        },
        {
            "Description": "Shipping - Standard Post",
            "TaxCode": "G1",
            "AccountId": "9040",
            "TotalAmount": d("11"),
        },
    ]
    assert refused(order("N2", line("mug-01")), choices=choices).code == "sku-spelling"


def test_service_layout_without_an_account_names_the_setting() -> None:
    found = refused(order("N1", line("CUP")), choices=settings(orders_to_saasu={"layout": "service_layout"}))
    assert "default_line_account" in found.text


def kit_line(**other: Any) -> SalesLine:
    parts = (Component("TEE-RED-M", d("1"), d("30.00")), Component("MUG-01", d("2"), d("10.00")))
    return line("GIFT", "3", "33.34", "100.01", components=parts, **other)


def test_a_kit_is_its_parts_by_what_they_are_worth() -> None:
    laid = laid_out(order("N1", kit_line()))
    assert [(row["InventoryId"], row["Quantity"]) for row in rows_of(laid)] == [("101", 3), ("102", 6)]
    assert [one.amount for one in laid.lines] == [d("60.01"), d("40.00")]


def test_a_kit_without_worths_is_shared_equally() -> None:
    parts = (Component("TEE-RED-M", d("1")), Component("MUG-01", d("2")))
    laid = laid_out(order("N1", line("GIFT", "1", "33.33", components=parts)))
    assert [one.amount for one in laid.lines] == [d("16.67"), d("16.66")]


def test_a_kit_that_is_an_item_of_its_own_is_one_line() -> None:
    file = books(items=(*books().items, saasu_item("103", "GIFT", inventoried=False)))
    laid = laid_out(
        order("N1", kit_line()), file=file, choices=settings(products_to_saasu={"kits": "not_inventoried"})
    )
    assert [row["InventoryId"] for row in rows_of(laid)] == ["103"]


def exclusive(*lines: SalesLine, **other: Any) -> SalesDocument:
    return order("N1", *lines, has_tax=False, **other)


def test_an_order_without_tax_in_its_amounts_is_written_with_it() -> None:
    laid = laid_out(exclusive(line("MUG-01", "3", "13.63636364", "40.91", tax="4.09"), charges=(
        Charge(ChargeKind.SHIPPING, d("10.00"), None),), tax="5.09"))  # fmt: skip
    assert laid.is_tax_inc
    assert [one.amount for one in laid.lines] == [d("45.00"), d("11.00")]


def test_a_coupon_of_an_order_without_tax_is_written_with_it() -> None:
    laid = laid_out(exclusive(line("MUG-01", "1", "20.00", tax="1.50", coupon=d("5.00"))))
    assert [one.amount for one in laid.lines] == [d("22.00"), d("-5.50")]


def test_amounts_as_the_order_has_them_are_without_tax_where_saasus_total_agrees() -> None:
    choices = settings(orders_to_saasu={"amounts": "as_order"})
    laid = laid_out(exclusive(line("MUG-01", "2", "15.00", tax="3.00")), choices=choices)
    assert not laid.is_tax_inc
    assert rows_of(laid)[0]["UnitPrice"] == 15
    off = exclusive(line("MUG-01", "2", "15.03", tax="3.00"))  # Saasu makes 3.01 of it
    assert refused(off, choices=choices).code == "tax-basis"
    assert laid_out(off).is_tax_inc


def test_cents_without_a_part_block_and_are_shown_line_by_line() -> None:
    found = refused(order("N1", line(), charges=(SHIPPING,), total="27.48"))
    assert found.code == "does-not-foot"
    for shown in ("27.48 AUD", "27.50 AUD", "-0.02 AUD", "Mug-01 16.50", "Shipping - Standard Post 11.00"):
        assert shown in found.text


def test_cents_go_on_the_rounding_item_up_to_what_is_allowed() -> None:
    choices = settings(orders_to_saasu={"rounding_item": "ROUNDING", "rounding_most": "0.02"})
    laid = laid_out(order("N1", line(), total="16.48"), choices=choices)
    assert rows_of(laid)[1] == {
        "Description": "Rounding", "TaxCode": "G1,G3", "InventoryId": "204", "Quantity": 1, "UnitPrice": d("-0.02"),
        "PercentageDiscount": 0,
    }  # fmt: skip
    assert refused(order("N2", line(), total="16.47"), choices=choices).code == "does-not-foot"


def test_notes_are_no_lines_and_gifts_are() -> None:
    note = line("TEXT_NOTE", "1", "0.00", "0.00", tax="0.00", text_only=True, description="Leave at the door")
    gift = line("TEE-RED-M", "1", "0.00", "0.00", tax="0.00")
    laid = laid_out(order("N1", line(), note, gift))
    assert laid.notes == ("Leave at the door",)
    assert [(row["InventoryId"], row["UnitPrice"], row["TaxCode"]) for row in rows_of(laid)[1:]] == [
        ("101", 0, "G1")
    ]


def test_nothing_to_pay_is_allowed_and_less_than_nothing_is_not() -> None:
    laid_out(order("N1", line("TEE-RED-M", "1", "20.00", "0.00", tax="0.00", discount_percent=d("100"))))
    assert refused(order("N2", line("MUG-01", "-1", "16.50"))).code == "negative-total"


@pytest.mark.parametrize(
    ("quantity", "amount", "code"),
    [
        ("1.0001", "16.50", "quantity-decimals"),
        ("0", "16.50", "quantity-decimals"),
        ("1", "16.505", "amount-decimals"),
    ],
)
def test_what_saasu_cannot_keep_blocks(quantity: str, amount: str, code: str) -> None:
    assert refused(order("N1", line("MUG-01", quantity, "16.50", amount, tax="1.50"))).code == code


# --- properties ------------------------------------------------------------------------------------------------------


def decimals(low: int, high: int, digits: int) -> st.SearchStrategy[Decimal]:
    return st.integers(low * 10**digits, high * 10**digits).map(lambda units: Decimal(units).scaleb(-digits))


QUANTITIES = st.one_of(decimals(0, 5000, 3), st.integers(1, 200000).map(Decimal)).filter(bool)
PRICES = decimals(0, 900, 8)
PERCENTS = st.one_of(st.just(Decimal(0)), decimals(0, 100, 2))


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(d("0.01"), ROUND_HALF_UP)


@given(QUANTITIES, PRICES, PERCENTS, st.booleans(), st.integers(-500, 500))
def test_any_line_comes_to_its_amount(
    quantity: Decimal, price: Decimal, percent: Decimal, back: bool, off: int
) -> None:
    """Whatever the store made of it: also an amount that its price and discount do not give."""
    signed = -quantity if back else quantity
    amount = rounded(signed * price * (100 - percent) / 100) + Decimal(off) / 100
    lines = priced(amount, signed, price, percent)
    assert lines is not None
    total = sum((cents(Fraction(one.quantity) * Fraction(one.unit_price) * (1 - Fraction(one.percent) / 100)) for one in lines),
                Fraction(0))  # fmt: skip
    assert total == Fraction(amount)
    assert sum((one.quantity for one in lines), Decimal(0)) == signed
    assert len(lines) <= 2
    assert all(_digits(one.unit_price) <= 4 and _digits(one.quantity) <= 3 for one in lines)


@st.composite
def sales_lines(draw: st.DrawFn, *, has_tax: bool) -> SalesLine:
    quantity, price, percent = draw(QUANTITIES), draw(PRICES), draw(PERCENTS)
    amount = rounded(quantity * price * (100 - percent) / 100)
    coupon = rounded(amount * draw(st.integers(0, 100)) / 100) if draw(st.booleans()) else Decimal(0)
    after = Fraction(amount - coupon)
    taxed = draw(st.booleans())
    tax = cents(after / 11 if has_tax else after / 10) if taxed else Fraction(0)
    parts: tuple[Component, ...] = ()
    if draw(st.booleans()):
        worth = draw(st.one_of(st.none(), decimals(0, 50, 2)))
        parts = (
            Component("TEE-RED-M", Decimal(draw(st.integers(1, 3))), worth),
            Component("MUG-01", Decimal(1), d("7.50")),
        )
        quantity = Decimal(draw(st.integers(1, 300)))
    return SalesLine(
        key="L", item=draw(st.sampled_from(["TEE-RED-M", "MUG-01"])), description="x", quantity=quantity,
        unit_price=price, amount=amount, discount_percent=percent, coupon=coupon,
        tax=Decimal(tax.numerator) / tax.denominator, components=parts,
    )  # fmt: skip


@given(st.data(), st.booleans(), st.one_of(st.none(), decimals(0, 60, 2)), st.booleans())
def test_any_order_comes_to_its_total(
    data: st.DataObject, has_tax: bool, shipping: Decimal | None, service: bool
) -> None:
    lines = data.draw(st.lists(sales_lines(has_tax=has_tax), min_size=1, max_size=5))
    charges = []
    if shipping:
        of_it = cents(Fraction(shipping) / (11 if has_tax else 10))
        charges = [Charge(ChargeKind.SHIPPING, shipping, Decimal(of_it.numerator) / of_it.denominator)]
    one = order("N1", *lines, has_tax=has_tax, charges=tuple(charges))
    choices = settings(orders_to_saasu={"layout": "service_layout", "default_line_account": "Sales"})
    file = books(items=set_up_items()) if service else books()
    laid = laid_out(one, choices=choices, file=file)
    assert laid.layout == ("S" if service else "I")
