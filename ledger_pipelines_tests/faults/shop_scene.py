"""The piece of business that the shop's cases are about: what staff, customers and the bookkeeper do, in two acts.

Belongs here: acts through the vendors' own APIs, before and after the run that a case is about. Does not belong here: faults,
verdicts, what a drill has to know of the integration (`shop_entry`).

The second act leaves every write there is for one run: a new product's item, a new buyer with a company and one without, an
invoice with its payment inside and a further payment, a payment of an invoice that was there, money above what is owed, a
sale order that becomes an invoice, an invoice that was edited, a return with its refund, a new product in the store and a
quantity in the store.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from ledger_pipelines_tests.shop_stage import ShopStage
from ledger_pipelines_tests.store_stage import Record

SETTINGS: Mapping[str, object] = {
    "orders_to_saasu.on_edit": "update",
    "products_from_saasu.enabled": True,
    "initial_sync.days": 1,
}
KINDS: Mapping[str, int] = {
    "item": 8, "contact": 3, "company": 1, "invoice": 6, "note": 1, "payment": 6, "refund": 1, "journal": 1,
    "product": 5,
}  # fmt: skip
"""What is there after both acts and an undisturbed run, at least."""
OPENING = 9060
_ASSET, _INCOME, _COST, _SALE_TAX, _COST_TAX = 9011, 9040, 9050, 7, 12


def prepare(stage: ShopStage) -> None:
    """The first act: an empty shop and file are filled, the initial sync is done, the first orders are booked; then the
    second act happens, and nobody has run the integration since."""
    for sku, price in (("POT-600", "49.95"), ("TIN-200", "8.80"), ("CUP-2", "32.00")):
        product(stage, sku, price, inventoried=True)
        item(stage, sku, price)
    counted(stage, {"POT-600": 20, "TIN-200": 40})
    service = stage.service
    service.initial_sync()
    unpaid = stage.order(_line("POT-600"))
    edited = stage.order(_line("TIN-200", 2))
    wanting = stage.order(_line("CUP-2"), OrderStatus="Pick")
    returned = stage.order(_line("TIN-200", 3))
    stage.pay(returned, str(stage.owed(returned)))
    result = stage.run()
    left = [(item.number, item.text) for item in stage.service.errors()]
    if result.exit_code or stage.unfinished() or left:
        raise RuntimeError(f"The first act is not wholly booked: {left}, {service.journal.counts()}")
    stage.clock.jump(3600)
    _second_act(stage, unpaid, edited, wanting, returned)
    stage.clock.jump(60)


def _second_act(stage: ShopStage, unpaid: str, edited: str, wanting: str, returned: str) -> None:
    product(stage, "BOOK-NEW", "24.95", inventoried=False)
    firm = {
        "Username": "mei.chen", "Email": "mei@example.com", "BillFirstName": "Mei", "BillLastName": "Chen",
        "BillCompany": "Chen Tea House",
    }  # fmt: skip
    new = stage.order(_line("BOOK-NEW", 2), _line("POT-600"), **firm)
    stage.pay(new, "50.00")
    stage.pay(new, str(stage.owed(new) - 50), "Credit Card")
    guest = {
        "Username": "noreg",
        "Email": "tom@example.com",
        "BillFirstName": "Tom",
        "BillLastName": "Harris",
    }
    over = stage.order(_line("TIN-200"), **guest)
    stage.pay(over, str(stage.owed(over) + 5), "Direct Deposit")
    stage.pay(unpaid, str(stage.owed(unpaid)))
    _control(
        stage,
        "/neto/edit",
        {"OrderID": edited, "OrderLine": [_line("TIN-200", 5)], "ShippingCost": "9.95"},
    )
    counted(stage, {"CUP-2": 12, "POT-600": 7})
    stage.status(wanting, "Dispatched")
    _returned(stage, returned)
    item(stage, "INFUSER", "6.50")


def _line(sku: str, quantity: int = 1) -> Record:
    return {"SKU": sku, "Quantity": str(quantity)}


def product(stage: ShopStage, sku: str, price: str, *, inventoried: bool) -> None:
    """A product in the store."""
    wish = {
        "SKU": sku, "Name": f"Product {sku}", "DefaultPrice": price, "Approved": "True", "IsActive": "True",
        "IsInventoried": str(inventoried),
        "WarehouseQuantity": {"WarehouseID": "1", "Quantity": "3", "Action": "set"},
    }  # fmt: skip
    stage.shop("AddItem", {"Item": [wish]})


def item(stage: ShopStage, code: str, price: str) -> None:
    """An item in the file, with stock."""
    stage.book(
        "POST", "/Item",
        {
            "Code": code, "Description": f"Product {code}", "Type": "I", "IsActive": True, "IsVisible": True, "IsInventoried": True,
            "AssetAccountId": _ASSET, "IsSold": True, "SaleIncomeAccountId": _INCOME, "SaleTaxCodeId": _SALE_TAX,
            "SaleCoSAccountId": _COST, "IsBought": True, "PurchaseTaxCodeId": _COST_TAX, "SellingPrice": price,
            "IsSellingPriceIncTax": True, "BuyingPrice": "2.00", "IsBuyingPriceIncTax": False,
        },
    )  # fmt: skip


def counted(stage: ShopStage, stock: Mapping[str, int]) -> None:
    """Stock counted in the file."""
    ids = {one["Code"]: one["Id"] for one in stage.file().records("item")}
    lines = [
        {
            "ItemId": ids[code],
            "Quantity": number,
            "AccountId": OPENING,
            "UnitPrice": 2,
            "TotalPrice": 2 * number,
        }
        for code, number in stock.items()
    ]
    day = stage.service.today().isoformat()
    stage.book("POST", "/ItemAdjustment", {"Date": day, "Summary": "Counted", "AdjustmentItems": lines})


def _returned(stage: ShopStage, order: str) -> None:
    """A tin comes back, and its money is paid out."""
    line = {
        "SKU": "TIN-200", "Quantity": "1", "RefundSubtotal": "8.80", "TaxCode": "GST", "WarehouseID": "1", "ReturnReason": "Damaged",
        "ResolutionOutcome": "Refund", "IsRestockIssued": "True",
    }  # fmt: skip
    wish = {
        "OrderID": order, "InvoiceNumber": order, "CustomerUsername": "priya.nair0", "RmaStatus": "Closed", "TaxInclusive": "True",
        "ShippingRefundAmount": "0", "ShippingRefundTaxCode": "GST", "RmaLines": {"RmaLine": [line]},
    }  # fmt: skip
    made = stage.shop("AddRma", {"Rma": [wish]})["Rma"]
    rma = (made[0] if isinstance(made, list) else made)["RmaID"]
    issued = _control(
        stage, f"/neto/rmas/{rma}/refunds", {"RefundAmount": "8.80", "PaymentMethod": "PayPal Checkout"}
    )
    _control(stage, f"/neto/rmas/{rma}/refunds/{issued['RefundID']}/paid", {})


def _control(stage: ShopStage, path: str, body: Record) -> Record:
    answer: httpx.Response = stage.control.post(path, json=body)
    assert answer.status_code == 200, answer.text
    told: Record = answer.json()["done"] or {}
    return told
