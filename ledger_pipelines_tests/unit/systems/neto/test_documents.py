"""Neto's records in the common language: the whole demo adds up, and each shape that hurts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import (
    ChargeKind,
    Component,
    DocumentKind,
    PaymentKind,
    SalesDocument,
    StockLevel,
)
from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.neto import documents
from ledger_pipelines_tests.unit.systems.neto.store import ZONE, Store, number

AUD = "AUD"
ZERO = Decimal(0)
CENT = Decimal("0.01")


def _line(sku: str = "TEA", quantity: str = "1", price: str = "11.00", **more: Json) -> dict[str, Json]:
    return {"OrderLineID": "N1-0", "SKU": sku, "Quantity": quantity, "UnitPrice": price} | more


def _order(*lines: dict[str, Json], **more: Json) -> SalesDocument:
    """An order of the reference's shape; GrandTotal as told, or 0."""
    body: dict[str, Json] = {
        "OrderID": "N1", "OrderStatus": "Pick", "TaxInclusive": "True", "DatePlaced": "2026-03-02 14:30:00",
        "DateInvoiced": "2026-03-03", "DateUpdated": "2026-03-03 06:00:04", "GrandTotal": "0.00", "OrderLine": list(lines),
    }  # fmt: skip
    return documents.order(body | more, ZONE, AUD)


def _money(text: str) -> Money:
    return Money(Decimal(text), AUD)


# --- the whole demo --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "switched",
    [
        {},
        {"single_line_as_object": True, "empty_dates": "zero", "outer_lists": False},
        {"short_pages": True, "messages_as_list": True},
    ],
    ids=["as lists", "collapsed", "short pages"],
)
def test_every_order_of_the_demo_adds_up_to_the_cent_but_for_its_rounding(
    shop: Store, switched: dict[str, object]
) -> None:
    held = {one["key"]: one for one in shop.dump()["records"]["order"]}
    paid = {one["key"]: one for one in shop.dump()["records"]["payment"]}
    shop.settings(**switched)
    orders = [documents.order(record, ZONE, AUD) for record in shop.records("orders")]
    assert {order.key for order in orders} == set(held)
    assert any(number(one["OrderRounding"]) for one in held.values()), "the demo has lost its rounded order"
    for order in orders:
        own = held[order.key]
        assert order.difference.amount == number(own["OrderRounding"]), order.key
        assert order.grand_total.amount == number(own["GrandTotal"])
        assert sum((line.tax for line in order.lines), ZERO) + sum(
            (charge.tax or ZERO for charge in order.charges), ZERO
        ) == number(own["OrderTax"]), f"the parts of {order.key} do not have its tax"
        assert len(order.lines) == len(own["Lines"])
        assert order.cancelled is (own["OrderStatus"] == "Cancelled")
    payments = [one for order in orders for one in order.payments]
    assert {(one.key, one.document, one.amount.amount) for one in payments} == {
        (key, one["owner"], number(one["AmountPaid"])) for key, one in paid.items()
    }


def test_every_rma_of_the_demo_adds_up_and_only_refunds_paid_out_are_payments(shop: Store) -> None:
    rmas = {one.key: one for one in (documents.rma(r, ZONE, AUD) for r in shop.records("rmas"))}
    assert [one.difference.amount for one in rmas.values()] == [ZERO] * 3
    assert {one.kind for one in rmas.values()} == {DocumentKind.CREDIT}
    states = {
        own["key"]: [one["RefundStatus"] for one in own["Refunds"]] for own in shop.dump()["records"]["rma"]
    }
    assert sorted(states.values()) == [[], ["Pending"], ["Refunded"]]
    for key, status in states.items():
        assert [one.kind for one in rmas[key].payments] == [PaymentKind.REFUND] * status.count("Refunded")


def test_payments_tell_the_same_by_both_ways(shop: Store) -> None:
    shown = {
        one.key: one
        for record in shop.records("orders")
        for one in documents.order(record, ZONE, AUD).payments
    }
    told = {one.key: one for one in (documents.payment(r, ZONE, AUD) for r in shop.records("payments"))}
    assert set(shown) == set(told)
    for key, one in told.items():
        other = shown[key]
        assert (one.amount, one.at, one.day, one.method, one.document) == (
            other.amount,
            other.at,
            other.day,
            other.method,
            other.document,
        )
        assert one.method_id


def test_products_stock_and_customers_of_the_demo(shop: Store) -> None:
    items = {one.key: one for one in (documents.item(record) for record in shop.records("products"))}
    assert sum(one.is_parent for one in items.values()) == 12
    assert items["TEA-EB-250"].parent == "TEA-EB"
    assert not items["TEA-EB-250"].is_parent
    assert items["TEA-EB-250"].price == Decimal("38.45454545")
    assert items["HONEY-500"].tax_free
    assert not items["GIFT-50"].inventoried
    assert items["KIT-STARTER"].components == tuple(
        Component(sku, Decimal(1)) for sku in ("POT-600", "STRAINER", "TEA-EB-100")
    )
    held = shop.dump()["stock"]
    levels = [level for record in shop.records("stock") for level in documents.stock(record)]
    assert {(one.item, one.place): one.on_hand for one in levels if one.place} == {
        (sku, place): number(quantity) for sku, places in held.items() for place, quantity in places.items()
    }
    assert any(one.committed for one in levels if not one.place)
    parties = [documents.party(record) for record in shop.records("customers")]
    assert len(parties) == 200
    assert all(one.family and one.billing.country and one.email for one in parties)


# --- amounts ---------------------------------------------------------------------------------------------------------

quantities = st.decimals(min_value=-999, max_value=999, places=3, allow_nan=False)
prices = st.decimals(min_value=-9999, max_value=9999, places=8, allow_nan=False)
percents = st.decimals(min_value=0, max_value=100, places=2, allow_nan=False)


@given(quantities, prices, percents, prices)
def test_a_line_is_off_its_exact_amount_by_half_a_cent_at_most(
    quantity: Decimal, price: Decimal, percent: Decimal, discount: Decimal
) -> None:
    exact = quantity * price * (100 - percent) * CENT if percent else quantity * price - discount
    found = documents.line_amount(quantity, price, percent, discount, 2)
    assert abs(found - exact) <= CENT / 2
    assert found == found.quantize(CENT)


@given(quantities, prices, percents.filter(bool))
def test_a_line_taken_back_comes_to_the_same_with_the_other_sign(
    quantity: Decimal, price: Decimal, percent: Decimal
) -> None:
    there = documents.line_amount(quantity, price, percent, ZERO, 2)
    assert documents.line_amount(-quantity, price, percent, ZERO, 2) == -there


@given(quantities, prices, percents.filter(bool), prices)
def test_percent_and_amount_are_never_both_taken_off(
    quantity: Decimal, price: Decimal, percent: Decimal, discount: Decimal
) -> None:
    both = documents.line_amount(quantity, price, percent, discount, 2)
    assert both == documents.line_amount(quantity, price, percent, ZERO, 2)


@given(
    st.lists(st.decimals(min_value=1, max_value=500, places=2), min_size=1, max_size=6), st.integers(1, 99)
)
def test_a_coupon_told_for_the_order_only_is_shared_over_its_lines_to_the_cent(
    amounts: list[Decimal], percent: int
) -> None:
    whole = sum(amounts, ZERO)
    coupon = (whole * percent * CENT).quantize(CENT)
    order = _order(
        *(_line(price=str(amount)) for amount in amounts),
        CouponDiscount=str(coupon),
        GrandTotal=str(whole - coupon),
    )
    assert sum((line.coupon for line in order.lines), ZERO) == coupon
    assert not order.difference


@pytest.mark.parametrize(
    ("line", "amount"),
    [
        (_line(quantity="3", price="38.45454545"), "115.36"),
        (_line(quantity="2", price="33.00000000", PercentDiscount="10.00", ProductDiscount="6.60"), "59.40"),
        (_line(quantity="2", price="33", ProductDiscount="6.60"), "59.40"),
        (_line(quantity="-1", price="16.50"), "-16.50"),
        (_line(quantity="1", price="-5"), "-5.00"),
        (_line(quantity="2.000", price="0.125"), "0.25"),
        (_line(quantity="1", price="1.005"), "1.01"),
        (_line(quantity="-1", price="1.005"), "-1.01"),
        (_line(quantity="", price=""), "0.00"),
    ],
)
def test_what_a_line_comes_to(line: dict[str, Json], amount: str) -> None:
    order = _order(line, GrandTotal=amount)
    assert order.lines[0].amount == Decimal(amount)
    assert not order.difference


def test_a_yen_has_no_cents() -> None:
    record = {"OrderID": "N1", "DateInvoiced": "2026-03-03", "GrandTotal": "1235", "CurrencyCode": "JPY"}
    order = documents.order(record | {"OrderLine": [_line(price="1234.50")]}, ZONE, AUD)
    assert order.currency == "JPY"
    assert not order.difference


# --- what the reference leaves open ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "tax", "charges"),
    [
        # OrderTax contains the tax on shipping, as in the reference's example
        ({"OrderTax": "3.00", "ShippingTax": "1.00", "GrandTotal": "33.00"}, "3.00", ["10.00"]),
        # it does not
        ({"OrderTax": "2.00", "ShippingTax": "1.00", "GrandTotal": "33.00"}, "3.00", ["10.00"]),
        # the shipping discount is taken off
        (
            {"OrderTax": "2.60", "ShippingTax": "0.60", "ShippingDiscount": "4.00", "GrandTotal": "28.60"},
            "2.60",
            ["10.00", "-4.00"],
        ),
        # ShippingTotal is what was left of it
        (
            {"OrderTax": "3.00", "ShippingTax": "1.00", "ShippingDiscount": "4.00", "GrandTotal": "33.00"},
            "3.00",
            ["10.00"],
        ),
    ],
    ids=["tax with shipping's", "tax without", "discount on top", "discount netted"],
)
def test_of_two_meanings_the_one_that_adds_up_is_taken(
    money: dict[str, Json], tax: str, charges: list[str]
) -> None:
    line = _line(price="20.00", Tax="2.00", TaxCode="GST")
    order = _order(line, **({"TaxInclusive": "False", "ShippingTotal": "10.00"} | money))
    assert not order.difference
    assert order.tax == Decimal(tax)
    assert [charge.amount for charge in order.charges] == [Decimal(one) for one in charges]


@pytest.mark.parametrize(("discount", "told"), [("0.00", "1.00"), ("4.00", None)])
def test_tax_of_shipping_is_not_told_where_it_is_of_shipping_less_a_discount(
    discount: str, told: str | None
) -> None:
    grand = Decimal("10.00") - Decimal(discount)
    order = _order(
        ShippingTotal="10.00", ShippingTax="1.00", ShippingDiscount=discount, GrandTotal=str(grand)
    )
    assert {charge.tax for charge in order.charges} == {None if told is None else Decimal(told)}
    free = _order(ShippingTotal="10.00", ShippingTax="0.00", ShippingDiscount=discount, GrandTotal=str(grand))
    assert {charge.tax for charge in free.charges} == {ZERO}


@pytest.mark.parametrize(
    ("coupon", "grand", "shares"),
    [
        ({"CouponDiscount": "5.00"}, "25.00", ["5.00"]),
        ({"CouponDiscount": "5.00", "_line": "5.00"}, "25.00", ["5.00"]),
        ({"CouponDiscount": "5.00", "_line": "5.00"}, "30.00", ["0"]),
    ],
    ids=["order only", "both levels are one coupon", "already in the price"],
)
def test_a_coupon_is_taken_off_once(coupon: dict[str, str], grand: str, shares: list[str]) -> None:
    line = _line(price="30.00", CouponDiscount=coupon.get("_line", "0.00"))
    order = _order(line, CouponDiscount=coupon["CouponDiscount"], GrandTotal=grand)
    assert not order.difference
    assert [one.coupon for one in order.lines] == [Decimal(one) for one in shares]


def test_what_nothing_explains_is_shown_and_never_made_to_fit() -> None:
    """The docs' own first sample: lines and shipping are 64.00 short of the total (neto.md 8.4)."""
    order = _order(_line(price="647.35"), ShippingTotal="7.08", ShippingDiscount="1.00", GrandTotal="718.43")
    assert order.difference == _money("65.00")
    assert [charge.kind for charge in order.charges] == [ChargeKind.SHIPPING, ChargeKind.SHIPPING_DISCOUNT]


@pytest.mark.parametrize(
    ("told", "order_tax", "tax"),
    [
        ({"SurchargeTaxable": "2.20"}, "1.20", "0.20"),
        ({"SurchargeTaxable": "0.00"}, "1.00", "0"),
        ({"SurchargeTaxable": "False"}, "1.00", "0"),
        ({}, "1.00", None),
        ({}, "9.00", None),
    ],
)
def test_tax_of_a_surcharge_is_what_the_order_leaves_for_it(
    told: dict[str, Json], order_tax: str, tax: str | None
) -> None:
    order = _order(
        _line(price="11.00", Tax="1.00"),
        SurchargeTotal="2.20",
        OrderTax=order_tax,
        GrandTotal="13.20",
        **told,
    )
    (charge,) = order.charges
    assert charge.tax == (None if tax is None else Decimal(tax))


# --- the rest of an order ----------------------------------------------------------------------------------------------


def test_notes_are_notes_only_when_they_come_to_nothing() -> None:
    order = _order(
        _line("TEXT_NOTE", price="0", ProductName="Gift message"),
        _line("", quantity="0", price="0", ItemNotes="no SKU"),
        _line("TEXT_NOTE", price="4.00"),
        _line("SAMPLE-1", price="0.00"),
        GrandTotal="4.00",
    )
    assert [line.text_only for line in order.lines] == [True, True, False, False]
    assert [line.description for line in order.lines[:2]] == ["Gift message", "no SKU"]
    assert not order.difference


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ({}, date(2026, 3, 3)),
        ({"DateInvoiced": ""}, date(2026, 3, 3)),  # 14:30 UTC is half past one in the night of the 3rd
        (
            {"DateInvoiced": "0000-00-00", "DatePlaced": "2026-10-03 16:30:00"},
            date(2026, 10, 4),
        ),  # the hour left out
        ({"DateInvoiced": "", "DatePlaced": "0000-00-00 00:00:00"}, date(2026, 3, 3)),
    ],
)
def test_the_day_of_an_order_is_a_day_of_the_store(dates: dict[str, Json], day: date) -> None:
    assert _order(**dates).day == day


def test_an_order_without_any_date_is_refused_with_its_number() -> None:
    with pytest.raises(DataError, match="order N1 has no date"):
        _order(DateInvoiced="", DatePlaced="", DateUpdated="")


def test_the_due_day_is_midnight_of_the_store() -> None:
    assert _order(DatePaymentDue="2023-11-25 13:00:00").due == date(2023, 11, 26)


@pytest.mark.parametrize(
    ("told", "kind", "cancelled"),
    [
        ({"OrderStatus": "Cancelled"}, DocumentKind.ORDER, True),
        ({"OrderStatus": "declined"}, DocumentKind.ORDER, True),
        ({"OrderStatus": "Quote"}, DocumentKind.QUOTE, False),
        ({"OrderType": "quote"}, DocumentKind.QUOTE, False),
        ({"OrderStatus": "On Hold"}, DocumentKind.ORDER, False),
    ],
)
def test_status_decides_what_it_is(told: dict[str, Json], kind: DocumentKind, cancelled: bool) -> None:
    order = _order(**told)
    assert (order.kind, order.cancelled) == (kind, cancelled)


def test_the_buyer_is_told_by_the_order_itself() -> None:
    order = _order(
        Username="noreg", Email="pat@example.com", BillFirstName="Pat", BillLastName="Ríos", BillCompany="Rivers",
        BillStreetLine1="8 Dock Rd", BillStreetLine2="Unit 3", BillCity="NEWCASTLE", BillState="NSW", BillPostCode="2300",
        BillCountry="AU", BillPhone="0400", ShipFirstName="Sam", ShipCity="PERTH",
    )  # fmt: skip
    party = order.party
    assert (party.key, party.given, party.family, party.company) == ("", "Pat", "Ríos", "Rivers")
    assert (party.billing.street, party.billing.city, party.phone) == (
        "8 Dock Rd, Unit 3",
        "NEWCASTLE",
        "0400",
    )
    assert party.shipping.city == "PERTH"
    assert _order(Username="pat", ShipFirstName="Sam").party.given == "Sam"
    assert _order(Username="pat").party.key == "pat"


def test_payments_come_by_time_a_single_one_bare_and_one_without_date_has_the_orders() -> None:
    several: list[Json] = [
        {"Id": "12", "Amount": "36.90", "PaymentType": "Direct Deposit", "DatePaid": "2026-03-03 06:00:00"},
        {"Id": "9", "Amount": "50.00", "PaymentType": "PayPal", "DatePaid": "2026-03-03 02:20:40"},
    ]
    order = _order(GrandTotal="86.90", OrderPayment=several)
    assert [(one.key, one.method, one.document) for one in order.payments] == [
        ("9", "PayPal", "N1"),
        ("12", "Direct Deposit", "N1"),
    ]
    assert order.paid == _money("86.90")
    (one,) = _order(OrderPayment=several[0]).payments
    assert one.at == datetime(2026, 3, 3, 6, tzinfo=UTC)
    (late,) = _order(OrderPayment={"Id": "1", "Amount": "5"}, DatePaid="2026-03-31 13:30:00").payments
    assert (late.day, late.at) == (date(2026, 4, 1), datetime(2026, 3, 31, 13, 30, tzinfo=UTC))
    (dateless,) = _order(OrderPayment={"Id": "1", "Amount": "5"}).payments
    assert (dateless.day, dateless.at) == (date(2026, 3, 3), None)
    assert _order(OrderPayment="").payments == ()


def test_money_given_back_on_an_order_is_a_refund_and_lowers_what_is_paid() -> None:
    told: list[Json] = [
        {"Id": "1", "Amount": "50.00", "DatePaid": "2026-03-03 02:00:00"},
        {"Id": "2", "Amount": "-20.00", "DatePaid": "2026-03-04 02:00:00"},
    ]
    order = _order(OrderPayment=told)
    assert [(one.kind, one.amount) for one in order.payments] == [
        (PaymentKind.RECEIPT, _money("50.00")),
        (PaymentKind.REFUND, _money("20.00")),
    ]
    assert order.paid == _money("30.00")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"GrandTotal": "7,00"}, "order N1: GrandTotal is '7,00', not a number"),
        ({"OrderLine": [_line(price="1e3")]}, "order line N1-0: UnitPrice is '1e3', not a number"),
        ({"OrderLine": [_line(quantity="9" * 40)]}, "order line N1-0: Quantity is '9+', not a number"),
        ({"OrderPayment": {"Id": "4", "Amount": "five"}}, "payment 4 of order N1: Amount is 'five'"),
        ({"OrderLine": ["TEA"]}, "a line of order N1 is no object"),
        ({"TaxInclusive": "perhaps"}, "order N1: TaxInclusive is 'perhaps', not True or False"),
        ({"CurrencyCode": "dollars"}, "order N1: 'DOLLARS' is not a currency"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_record(more: dict[str, Json], words: str) -> None:
    with pytest.raises(DataError, match=words):
        _order(**more)


# --- RMAs ------------------------------------------------------------------------------------------------------------


def _rma(**more: Json) -> SalesDocument:
    """The reference's sample (10.1)."""
    line: Json = {
        "RmaLineID": "77-0", "SKU": "MUG-01", "Quantity": "2", "ProductName": "Enamel Mug", "RefundSubtotal": "16.50", "Tax": "1.50",
        "TaxCode": "GST", "WarehouseID": "1", "IsRestockIssued": "True",
    }  # fmt: skip
    refund: Json = {
        "RefundID": "31", "RefundAmount": "16.50", "PaymentMethodID": "14", "PaymentMethodName": "PayPal Checkout",
        "DateIssued": "2025-03-10 01:10:00", "DateRefunded": "2025-03-11 00:30:00", "RefundStatus": "Refunded",
    }  # fmt: skip
    body: dict[str, Json] = {
        "RmaID": "77", "OrderID": "N10234", "InvoiceNumber": "N10234", "CustomerUsername": "pat_rivers", "RmaStatus": "Closed",
        "TaxInclusive": "True", "RefundSubtotal": "16.50", "ShippingRefundAmount": "0.00", "RefundTaxTotal": "1.50",
        "RefundTotal": "16.50", "CurrencyCode": "AUD", "DateIssued": "2025-03-09 14:00:00", "DateUpdated": "2025-03-11 00:30:00",
        "DateApproved": "2025-03-10 01:05:00", "RmaLines": {"RmaLine": line}, "Refunds": {"Refund": refund},
    }  # fmt: skip
    return documents.rma(body | more, ZONE, AUD)


def test_an_rma_is_a_credit_with_positive_amounts() -> None:
    rma = _rma()
    (line,) = rma.lines
    assert (rma.kind, rma.key, rma.related, rma.status) == (DocumentKind.CREDIT, "77", "N10234", "Closed")
    assert rma.day == date(2025, 3, 10)
    assert (line.amount, line.unit_price, line.quantity) == (Decimal("16.50"), Decimal("8.25"), Decimal(2))
    assert line.returned_to_stock
    assert not rma.difference
    (refund,) = rma.payments
    assert (refund.key, refund.kind, refund.document, refund.method_id) == (
        "31",
        PaymentKind.REFUND,
        "77",
        "14",
    )
    assert rma.paid == _money("16.50")


def test_shipping_given_back_is_a_charge_with_the_tax_the_lines_leave() -> None:
    rma = _rma(ShippingRefundAmount="11.00", RefundTaxTotal="2.50", RefundTotal="27.50")
    (charge,) = rma.charges
    assert (charge.kind, charge.amount, charge.tax) == (
        ChargeKind.SHIPPING,
        Decimal("11.00"),
        Decimal("1.00"),
    )
    assert not rma.difference
    both = _rma(
        ShippingRefundAmount="11.00", SurchargeRefundAmount="1.10", RefundTotal="28.60", RefundTaxTotal="2.60"
    )
    assert [charge.tax for charge in both.charges] == [None, None]
    assert not both.difference


def test_an_rma_with_tax_on_top_adds_up() -> None:
    assert not _rma(TaxInclusive="False", RefundTotal="18.00").difference


@pytest.mark.parametrize("status", ["Pending", "", "Processing"])
def test_a_refund_that_is_not_paid_out_is_no_payment(status: str) -> None:
    assert (
        _rma(Refunds={"Refund": {"RefundID": "31", "RefundAmount": "16.50", "RefundStatus": status}}).payments
        == ()
    )


def test_a_refund_of_a_day_alone_has_that_day_and_one_without_date_the_issues() -> None:
    paid: dict[str, Json] = {"RefundID": "31", "RefundAmount": "16.50", "RefundStatus": "Refunded"}
    day = _rma(Refunds=[{"Refund": [paid | {"DateRefunded": "2025-03-12"}]}]).payments[0]
    assert (day.at, day.day) == (None, date(2025, 3, 12))
    issued = _rma(
        Refunds={"Refund": paid | {"DateRefunded": "", "DateIssued": "2025-03-12 20:00:00"}}
    ).payments[0]
    assert issued.day == date(2025, 3, 13)


def test_an_empty_rma_is_read_and_its_order_found_by_the_invoice_number() -> None:
    rma = _rma(RmaLines="", Refunds="", OrderID="", RefundTotal="0.00", RmaStatus="Open")
    assert (rma.lines, rma.payments, rma.related, rma.status) == ((), (), "N10234", "Open")


# --- products, stock, lists --------------------------------------------------------------------------------------------

ITEM: dict[str, Json] = {"SKU": "TEA", "Name": "Tea", "DefaultPrice": "11.00"}
COMPONENT: Json = {"ComponentSKU": "POT", "AssembleQuantity": "2", "ComponentValue": "5.50"}


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("", 0),
        ({"KitComponent": COMPONENT}, 1),
        ([{"KitComponent": COMPONENT}], 1),
        ([{"KitComponent": [COMPONENT, COMPONENT]}], 2),
        ([COMPONENT], 1),
    ],
)
def test_components_of_a_kit_in_every_shape(told: Json, count: int) -> None:
    item = documents.item(ITEM | {"KitComponents": told})
    assert item.components == (Component("POT", Decimal(2), Decimal("5.50")),) * count
    assert item.is_kit is bool(count)


def test_a_sku_is_kept_letter_by_letter_and_one_without_is_refused() -> None:
    assert documents.item(ITEM | {"SKU": "Tea "}).key == "Tea "
    for bad in ("", " ", None):
        with pytest.raises(DataError, match="A product of Neto has the SKU"):
            documents.item(ITEM | {"SKU": bad})


def test_what_is_told_of_a_product() -> None:
    item = documents.item(
        ITEM | {"CostPrice": "0.0000", "DefaultPurchasePrice": "4.10", "IsSold": "n", "TaxInclusive": "False",
                "IsNetoUtility": "True", "VariantInventoryIDs": "7,8", "ParentSKU": "X"}
    )  # fmt: skip
    assert (item.cost, item.sold, item.price_has_tax, item.internal) == (Decimal("4.10"), False, False, True)
    assert not item.is_parent, "what has a parent is a variant"
    bare = documents.item({"SKU": "TEA"})
    assert (bare.price, bare.cost, bare.active, bare.inventoried, bare.bought) == (
        None,
        None,
        True,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("told", "places"),
    [
        ("", []),
        ({"WarehouseID": "1", "Quantity": "12"}, ["1"]),
        ([{"WarehouseID": "1", "Quantity": "12"}, {"WarehouseID": "3", "Quantity": "-2.000"}], ["1", "3"]),
    ],
)
def test_stock_in_every_shape(told: Json, places: list[str]) -> None:
    levels = documents.stock({"SKU": "TEA", "WarehouseQuantity": told, "CommittedQuantity": "3"})
    assert [level.place for level in levels] == [*places, ""]
    assert levels[-1] == StockLevel("TEA", "", sum((one.on_hand for one in levels[:-1]), ZERO), Decimal(3))


def test_a_customer_in_the_shapes_of_a_nested_address() -> None:
    billing: dict[str, Json] = {"BillFirstName": "Pat", "BillStreetLine1": "8 Dock Rd", "BillCountry": "AU"}
    shapes: tuple[Json, ...] = (billing, [billing])
    for told in shapes:
        party = documents.party(
            {"Username": "pat", "BillingAddress": told, "ShippingAddress": "", "ABN": "51 824"}
        )
        assert (party.given, party.billing.street, party.tax_number, party.active) == (
            "Pat",
            "8 Dock Rd",
            "51 824",
            True,
        )
        assert not party.shipping


@pytest.mark.parametrize(
    ("told", "lines", "tracking", "completed"),
    [
        ("2025-03-04 03:00:00", [{"ShippingTracking": "T1"}, {"ShippingTracking": "T2"}, {"ShippingTracking": "T1"}], ("T1", "T2"), True),
        ("0000-00-00 00:00:00", {"ShippingTracking": ""}, (), False),
        ("", [{}], (), False),
    ],
)  # fmt: skip
def test_how_an_order_left_the_store(
    told: str, lines: Json, tracking: tuple[str, ...], completed: bool
) -> None:
    found = documents.shipment({"OrderID": "N1", "DateCompletedUTC": told, "OrderLine": lines})
    assert found.tracking == tracking
    assert found.at == (datetime(2025, 3, 4, 3, tzinfo=UTC) if completed else None)


def test_lists() -> None:
    place = documents.warehouse(
        {"WarehouseID": "3", "WarehouseName": "Shed", "IsPrimary": "False", "IsActive": "True"}
    )
    assert place == documents.NetoWarehouse("3", "", "Shed", True, False)
    way = documents.method({"id": "14", "name": "PayPal Checkout", "active": "n", "acc_code": "1-1150"})
    assert way == documents.NetoMethod("14", "PayPal Checkout", False, "1-1150")


def test_a_payment_names_its_currency_method_and_reference() -> None:
    told: dict[str, Json] = {
        "PaymentID": "5501", "OrderID": "N1", "AmountPaid": "50.00", "CurrencyCode": "NZD", "DatePaidUTC": "2026-03-31 13:30:00",
        "PaymentMethod": "14", "PaymentMethodName": "PayPal Checkout", "PaymentNotes": "by phone",
    }  # fmt: skip
    payment = documents.payment(told, ZONE, AUD)
    assert (payment.amount, payment.day, payment.method_id) == (
        Money(Decimal("50.00"), "NZD"),
        date(2026, 4, 1),
        "14",
    )
    assert payment.reference == "by phone"
    assert documents.payment(told | {"CurrencyCode": ""}, ZONE, AUD).amount.currency == AUD
    with pytest.raises(DataError, match="payment 5501 has no date"):
        documents.payment(told | {"DatePaidUTC": ""}, ZONE, AUD)
