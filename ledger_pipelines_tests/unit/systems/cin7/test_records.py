"""Records as typed values: both spellings of names, null and "" alike, exact numbers, refusals that name the record."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.documents.keys import decode
from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.cin7 import records

ORDER = """{"id": 88123, "reference": " NET-N1 ", "status": "Approved", "isApproved": true, "isVoid": false, "stage": "New",
 "dispatchedDate": "2026-03-05T00:00:00Z", "invoiceDate": null, "branchId": 3, "memberId": 0, "memberEmail": "",
 "customerOrderNo": "N1", "currencyCode": "nzd", "currencyRate": 55.8441, "taxStatus": "Incl", "taxRate": 10.0,
 "freightTotal": 12.5, "surcharge": null, "discountTotal": 0, "productTotal": 35.82, "total": 4.1186, "trackingCode": null,
 "createdDate": "2018-07-18T06:00:00Z", "modifiedDate": "2022-07-13T15:21:16.1946848+12:00", "invoiceNumber": 0,
 "lineItems": [{"id": 9, "code": " WIDGET-R ", "name": "Widget", "qty": 2, "qtyShipped": 1, "unitPrice": 19.9, "discount": 3.98,
  "integrationRef": "N1-0", "productOptionId": 0, "parentId": 0, "sort": 1}],
 "customFields": {"orders_1000": "x", "Orders_1001": "y"}}"""


def _record(text: str) -> records.Record:
    value = decode(text)
    assert isinstance(value, dict)
    return value


def pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name[:1].upper() + name[1:]: one if name in records.MAPS else pascal(one)
            for name, one in value.items()
        }
    return [pascal(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("spelt", [_record(ORDER), pascal(_record(ORDER))])
def test_an_order_is_read_whichever_case_its_names_have(spelt: records.Record) -> None:
    order = records.sales_order(spelt)
    assert (order.id, order.reference, order.status, order.stage) == ("88123", "NET-N1", "APPROVED", "New")
    assert (order.is_approved, order.is_void) == (True, False)
    assert (order.branch_id, order.member_id, order.member_email, order.tracking) == ("3", "", "", "")
    assert (order.currency, order.currency_rate, order.total) == (
        "NZD",
        Decimal("55.8441"),
        Decimal("4.1186"),
    )
    assert (order.freight, order.surcharge, order.invoice_number) == (Decimal("12.5"), Decimal(0), "")
    assert order.dispatched_date == datetime(2026, 3, 5, tzinfo=UTC)
    assert order.invoice_date is None
    assert order.modified == datetime(2022, 7, 13, 3, 21, 16, 194684, tzinfo=UTC)
    [line] = order.lines
    assert (line.code, line.qty, line.qty_shipped, line.unit_price, line.discount) == (
        "WIDGET-R", 2, 1, Decimal("19.9"), Decimal("3.98"),
    )  # fmt: skip
    assert (line.option_id, line.parent, line.integration_ref) == ("", "", "N1-0")


def test_names_are_brought_to_one_case_and_the_accounts_own_names_are_left() -> None:
    assert records.camel(pascal(_record(ORDER))) == _record(ORDER)
    assert records.camel({"PriceColumns": {"RetailNZD": 1, "VIP": 2}}) == {
        "priceColumns": {"RetailNZD": 1, "VIP": 2}
    }


@pytest.mark.parametrize(("told", "void"), [("VOID", True), ("Void", True), ("APPROVED", False), ("", False)])
def test_a_status_of_void_is_void_whatever_its_case(told: str, void: bool) -> None:
    order = records.sales_order({"id": 1, "total": 0, "status": told, "isVoid": None})
    assert order.is_void is void


def test_amounts_in_the_orders_currency() -> None:
    order = records.sales_order(_record(ORDER))
    assert records.in_currency_of(order, order.total, "AUD") == Decimal("230.00")
    assert records.in_currency_of(order, order.total, "NZD") == order.total
    assert records.in_currency_of(order, order.total, "") == order.total


def test_an_option_is_known_by_its_sizes_code_where_it_has_one() -> None:
    plain = records.option(
        {
            "id": 5,
            "productOptionCode": "A",
            "size": "",
            "status": "Disabled",
            "priceColumns": {"Retail": 3, "VIP": None},
        }
    )
    sized = records.option(
        {"id": 5, "productOptionCode": "A", "productOptionSizeCode": "A-XL", "size": "XL", "status": "Active"}
    )
    assert (plain.code, plain.active, plain.prices) == ("A", False, (("Retail", Decimal(3)),))
    assert (sized.code, sized.size, sized.active) == ("A-XL", "XL", True)
    whole = records.product({"id": 7, "name": "Tea", "productOptions": [{"id": 5, "productOptionCode": "A"}]})
    assert [(one.code, one.name) for one in whole.options] == [("A", "Tea")]


def test_stock_branch_contact_and_payment() -> None:
    level = records.stock_level(
        {"productId": 7, "productOptionId": 5, "branchId": 3, "code": "A", "stockOnHand": 4, "available": -1}
    )
    assert (level.on_hand, level.available, level.incoming) == (4, -1, 0)
    assert records.branch({"id": 3, "company": "Main", "isActive": None}) == records.Branch(
        "3", "Main", "", True
    )
    who = records.contact(
        {"id": 1, "type": "Customer", "email": None, "integrationRef": "NETO-ana", "priceColumn": "VIP"}
    )
    assert (who.email, who.integration_ref, who.price_tier, who.active) == ("", "NETO-ana", "VIP", True)
    paid = records.payment(
        {"id": 2, "orderId": 88123, "amount": Decimal("9.90"), "method": "Card", "transactionRef": "P1"}
    )
    assert (paid.order_id, paid.amount, paid.transaction_ref) == ("88123", Decimal("9.90"), "P1")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"id": 1, "reference": "N1", "total": "much"}, "Cin7 sales order N1 (id 1): total is 'much'"),
        ({"id": 1, "reference": "N1", "total": 1, "lineItems": "none"}, "which is no list of records"),
        ({"reference": "N1", "total": 1}, "Cin7 sales order N1 has no id"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_records_name(record: records.Record, told: str) -> None:
    with pytest.raises(DataError) as refused:
        records.sales_order(record)
    assert told in str(refused.value)
