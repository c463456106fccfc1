"""Products, orders, money, payments, returns (neto.md 6 to 10, 14)."""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines.sandbox.neto.orders import STATUSES
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines_tests.unit.sandbox.neto.desk import Desk


def test_stock_is_set_raised_and_lowered_by_warehouse(desk: Desk) -> None:
    desk.item()
    for action, quantity, left in (
        ("increment", "5", "15"),
        ("decrement", "3", "12"),
        ("Set", "7", "7"),
        ("", "6", "6"),
    ):
        desk.call(
            "UpdateItem",
            {
                "Item": {
                    "SKU": "POT",
                    "WarehouseQuantity": {"WarehouseID": "1", "Quantity": quantity, "Action": action},
                }
            },
        )
        assert desk.stock()[0] == left
    both = [{"WarehouseID": "1", "Quantity": "1"}, {"WarehouseID": "3", "Quantity": "2"}]
    desk.call("UpdateItem", {"Item": {"SKU": "POT", "WarehouseQuantity": both}})
    (item,) = desk.find("GetItem", "WarehouseQuantity", SKU="POT")
    assert len(item["WarehouseQuantity"]) == 2
    assert "Warehouse 9" in desk.said(
        "UpdateItem", {"Item": {"SKU": "POT", "WarehouseQuantity": {"WarehouseID": "9", "Quantity": "1"}}}
    )


def test_an_order_reserves_and_pack_takes_from_the_shelf_and_cancelled_gives_back(desk: Desk) -> None:
    desk.item()
    key = desk.order({"SKU": "POT", "Quantity": "3"})
    assert desk.stock() == ("10", "7")
    desk.call("UpdateOrder", {"Order": {"OrderID": key, "OrderStatus": "Pack"}})
    assert desk.stock() == ("7", "7")
    desk.call("UpdateOrder", {"Order": {"OrderID": key, "OrderStatus": "Cancelled"}})
    assert desk.stock() == ("10", "10")


def test_a_kit_has_the_stock_of_its_scarcest_component(desk: Desk) -> None:
    desk.item("A")
    desk.item("B")
    parts = {
        "KitComponent": [
            {"ComponentSKU": "A", "AssembleQuantity": "2"},
            {"ComponentSKU": "B", "AssembleQuantity": "3"},
        ]
    }
    desk.call("AddItem", {"Item": {"SKU": "KIT", "Name": "k", "DefaultPrice": "60", "KitComponents": parts}})
    (kit,) = desk.find("GetItem", "AvailableSellQuantity", SKU="KIT")
    assert kit["AvailableSellQuantity"] == "3"
    key = desk.order({"SKU": "KIT", "Quantity": "1"})
    (lines,) = desk.find(
        "GetOrder",
        "OrderLine",
        "OrderLine.Quantity",
        "OrderLine.UnitPrice",
        OrderID=key,
        SplitKitComponents=True,
    )
    assert [(line["SKU"], line["Quantity"]) for line in lines["OrderLine"]] == [("A", "2"), ("B", "3")]
    assert sum(
        Decimal(line["Quantity"]) * Decimal(line["UnitPrice"]) for line in lines["OrderLine"]
    ) == Decimal(60)
    assert desk.stock("A") == ("10", "8")


def test_entries_of_a_collection_are_merged_and_deleted_by_key(desk: Desk) -> None:
    desk.item("A", ItemSpecifics={"ItemSpecific": [{"Name": "Size", "Value": "M"}]})
    more = {"ItemSpecific": [{"Name": "Colour", "Value": "Red"}, {"Name": "Size", "Delete": True}]}
    desk.call("UpdateItem", {"Item": {"SKU": "A", "ItemSpecifics": more}})
    (item,) = desk.find("GetItem", "ItemSpecifics", SKU="A")
    assert item["ItemSpecifics"] == [{"ItemSpecific": {"Name": "Colour", "Value": "Red"}}]


def test_the_sums_of_an_order_are_those_of_the_references_example(desk: Desk) -> None:
    desk.item("TEE", DefaultPrice="33")
    desk.item("MUG", DefaultPrice="16.50")
    key = desk.order(
        {"SKU": "TEE", "Quantity": "2", "DiscountPercent": "10"},
        {"SKU": "MUG", "Quantity": "1"},
        ShippingCost="11.00",
    )
    read = desk.read(
        key,
        "GrandTotal",
        "OrderTax",
        "ProductSubtotal",
        "ShippingTotal",
        "ShippingTax",
        "OrderLine",
        "OrderLine.Tax",
        "OrderLine.UnitPrice",
    )
    assert (read["ProductSubtotal"], read["ShippingTotal"], read["GrandTotal"]) == ("75.90", "11.00", "86.90")
    assert (read["OrderTax"], read["ShippingTax"]) == ("7.90", "1.00")
    assert [line["Tax"] for line in read["OrderLine"]] == ["5.40", "1.50"]
    assert read["OrderLine"][0]["UnitPrice"] == "33.00000000"


def test_coupon_surcharge_tax_free_and_tax_on_top(desk: Desk) -> None:
    desk.item()
    key = desk.order(
        {"SKU": "POT", "Quantity": "2"},
        AppliedDiscounts=[{"DiscountCode": "C", "DiscountAmount": "2"}],
        PaymentMethod="Credit Card",
    )
    read = desk.read(
        key, "GrandTotal", "CouponDiscount", "SurchargeTotal", "OrderLine", "OrderLine.CouponDiscount"
    )
    assert (read["CouponDiscount"], read["SurchargeTotal"], read["GrandTotal"]) == ("2.00", "0.30", "20.30")
    assert read["OrderLine"][0]["CouponDiscount"] == "2.00"
    free = desk.read(
        desk.order({"SKU": "POT", "Quantity": "1", "TaxFree": True}, TaxFreeShipping=True, ShippingCost="5"),
        "OrderTax",
        "GrandTotal",
    )
    assert (free["OrderTax"], free["GrandTotal"]) == ("0.00", "16.00")
    net = desk.read(
        desk.order({"SKU": "POT", "Quantity": "1", "UnitPrice": "10.00"}, TaxInclusive=False),
        "OrderTax",
        "GrandTotal",
    )
    assert (net["OrderTax"], net["GrandTotal"]) == ("1.00", "11.00")


def test_instants_are_utc_and_the_invoice_date_is_the_stores_day(desk: Desk) -> None:
    desk.item()
    key = desk.order(DatePlacedUTC="2026-10-03 15:59:00")
    read = desk.read(key)
    assert (read["DatePlaced"], read["DateInvoiced"]) == ("2026-10-03 15:59:00", "2026-10-04")
    later = desk.order(DatePlacedUTC="2026-10-04 12:59:59")
    assert desk.read(later)["DateInvoiced"] == "2026-10-04"
    assert desk.read(desk.order(DatePlacedUTC="2026-10-04 13:00:00"))["DateInvoiced"] == "2026-10-05"


def test_a_payment_in_full_approves_and_the_latest_day_counts(desk: Desk) -> None:
    desk.item()
    key = desk.order({"SKU": "POT", "Quantity": "2"})
    desk.pay(key, "10.00", DatePaid="2026-09-01")
    assert desk.read(key)["CompleteStatus"] == "Incomplete"
    number = desk.pay(key, "12.00", DatePaid="2026-08-20")
    read = desk.read(key, "CompleteStatus", "DatePaid", "OrderPayment", "OrderPayment.PaymentType")
    assert (read["CompleteStatus"], read["DatePaid"]) == ("Approved", "2026-09-01 00:00:00")
    assert [(p["Id"] == number, p["Amount"], p["PaymentType"]) for p in read["OrderPayment"]][1] == (
        True,
        "12.00",
        "PayPal Checkout",
    )
    (payment,) = desk.find("GetPayment", "AmountPaid", "PaymentMethod", PaymentID=number)
    assert (payment["OrderID"], payment["AmountPaid"], payment["PaymentMethod"]) == (key, "12.00", "14")
    assert (
        desk.find("GetPayment", "AmountPaid", DatePaidFrom="2026-09-01", DatePaidTo="2026-09-01")[0][
            "AmountPaid"
        ]
        == "10.00"
    )


def test_orders_are_found_by_change_status_and_nothing_without_a_criterion(desk: Desk) -> None:
    desk.item()
    first = desk.order()
    assert desk.find("GetOrder", "ID") == []
    desk.control.post("/clock", json={"advance_seconds": 3600})
    now = desk.call("GetPaymentMethods")["CurrentTime"]
    second = desk.order()
    assert [o["OrderID"] for o in desk.find("GetOrder", "ID", DateUpdatedFrom=now)] == [second]
    assert [o["OrderID"] for o in desk.find("GetOrder", "ID", OrderStatus="New")] == [first, second]
    desk.call(
        "GetOrder",
        {
            "Filter": {
                "OrderID": first,
                "OutputSelector": ["ID"],
                "UpdateResults": {"ExportStatus": "Exported"},
            }
        },
    )
    assert [o["OrderID"] for o in desk.find("GetOrder", "ID", ExportStatus="Pending")] == [second]


def test_addresses_are_flat_and_read_under_other_names_than_written(desk: Desk) -> None:
    desk.item()
    key = desk.order(BillFirstName="Pat", BillStreet1="8 Dock Rd", BillContactPhone="0400", ShipCountry="AU")
    read = desk.read(key, "BillAddress", "ShipAddress")
    assert (read["BillStreetLine1"], read["BillPhone"], read["ShipCountry"]) == ("8 Dock Rd", "0400", "AU")
    assert "BillCity" not in read


def test_one_line_may_be_a_bare_object(desk: Desk) -> None:
    desk.item()
    key = desk.order()
    assert isinstance(desk.read(key, "OrderLine")["OrderLine"], list)
    desk.settings(single_line_as_object=True)
    assert desk.read(key, "OrderLine")["OrderLine"]["OrderLineID"] == f"{key}-0"


def test_a_split_leaves_the_payment_with_the_original(desk: Desk) -> None:
    desk.item("A")
    desk.item("B")
    key = desk.order({"SKU": "A", "Quantity": "1"}, {"SKU": "B", "Quantity": "1"})
    desk.pay(key, "22.00")
    child = desk.control.post("/neto/split", json={"OrderID": key, "lines": ["B"]}).json()["done"]
    assert desk.read(key)["GrandTotal"] == "11.00"
    read = desk.read(child, "GrandTotal", "RelatedOrderID", "OrderStatus", "OrderPayment")
    assert (read["GrandTotal"], read["RelatedOrderID"], read["OrderStatus"], read["OrderPayment"]) == (
        "11.00",
        key,
        "New Backorder",
        "",
    )


def test_staff_can_edit_what_the_api_cannot(desk: Desk) -> None:
    desk.item()
    key = desk.order()
    desk.call(
        "UpdateOrder",
        {
            "Order": {
                "OrderID": key,
                "OrderLine": [{"SKU": "POT", "UnitPrice": "1", "QuantityShipped": "1"}],
                "ShippingCost": "5",
            }
        },
    )
    assert desk.read(key)["GrandTotal"] == "11.00"
    changed = {"OrderID": key, "OrderLine": [{"SKU": "POT", "Quantity": "2", "UnitPrice": "9"}]}
    assert desk.control.post("/neto/edit", json=changed).json()["done"] == "18.00"


def test_a_closed_rma_gives_credit_and_a_refund_uses_it_up(desk: Desk) -> None:
    desk.item()
    desk.call("AddCustomer", {"Customer": {"Username": "pat", "EmailAddress": "p@x.example"}})
    key = desk.order({"SKU": "POT", "Quantity": "2"})
    line = {"SKU": "POT", "Quantity": "1", "RefundSubtotal": "11.00", "TaxCode": "GST", "WarehouseID": "1"}
    rma = desk.call(
        "AddRma",
        {
            "Rma": [
                {
                    "OrderID": key,
                    "CustomerUsername": "pat",
                    "RmaStatus": "Closed",
                    "RmaLines": {"RmaLine": [line]},
                }
            ]
        },
    )["Rma"]["RmaID"]
    credit = [c["AvailableCredit"] for c in desk.find("GetCustomer", "AvailableCredit", Username="pat")]
    assert credit == ["11.00"]
    made = desk.control.post(
        f"/neto/rmas/{rma}/refunds", json={"RefundAmount": "11", "PaymentMethod": "PayPal Checkout"}
    ).json()["done"]
    (read,) = desk.find("GetRma", "RefundTotal", "RefundTaxTotal", "RmaLine", "Refund", RmaID=rma)
    assert (read["RefundTotal"], read["RefundTaxTotal"], read["RmaLines"]["RmaLine"]["RmaLineID"]) == (
        "11.00",
        "1.00",
        f"{rma}-0",
    )
    assert read["Refunds"]["Refund"]["RefundStatus"] == "Pending"
    assert desk.control.post(f"/neto/rmas/{rma}/refunds/{made['RefundID']}/paid").status_code == 200
    assert desk.find("GetCustomer", "AvailableCredit", Username="PAT")[0]["AvailableCredit"] == "0.00"
    assert desk.control.post(f"/neto/rmas/{rma}/refunds", json={"RefundAmount": "1"}).status_code == 400


def test_credit_pays_another_order_only_as_far_as_it_goes(desk: Desk) -> None:
    desk.item()
    desk.call("AddCustomer", {"Customer": {"Username": "pat"}})
    key = desk.order()
    assert "credit of 0.00" in desk.said(
        "AddPayment", {"Payment": {"OrderID": key, "AmountPaid": "1", "PaymentMethodName": "Account Credit"}}
    )


def test_the_demo_is_the_same_each_time_and_has_every_shape() -> None:
    dumps = []
    for _ in range(2):
        with running_sandbox(seed="demo", vendors=("neto",)) as sandbox:
            desk = Desk(sandbox)
            dump = desk.control.get("/dump/neto").json()
            dumps.append(dump["records"]["order"])
            desk.close()
    assert dumps[0] == dumps[1]
    orders = dumps[0]
    assert {order["OrderStatus"] for order in orders} == set(STATUSES)
    assert len(dump["records"]["item"]) == 60
    assert len(dump["records"]["customer"]) == 200
    assert any(order["RelatedOrderID"] for order in orders)
    assert any(Decimal(order["SurchargeTotal"]) for order in orders)
    assert any(Decimal(order["CouponDiscount"]) for order in orders)
    assert any(order["TaxInclusive"] is False for order in orders)
    assert any(line["TaxFree"] for order in orders for line in order["Lines"])
    assert any(Decimal(order["GrandTotal"]) == 0 for order in orders)
    assert {refund["RefundStatus"] for rma in dump["records"]["rma"] for refund in rma["Refunds"]} == {
        "Refunded",
        "Pending",
    }
