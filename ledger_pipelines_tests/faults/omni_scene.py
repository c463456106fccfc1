"""The piece of business that Omni's cases are about: what staff and customers do, in two acts.

Belongs here: acts through the vendors' own APIs, before and after the run that a case is about. Does not belong here: faults,
verdicts, what a drill has to know of the integration (`omni_entry`).

The second act leaves every write there is for one run: new products on either side, new contacts, several orders of one call, one that was
edited, payments of several orders, one order to dispatch, one that was edited and is to be dispatched after that, one to void. It lasts
until the next day, so that calls carry records
of two days, one contact is wanted by both, and an earlier day's order is paid on the later one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger_pipelines_tests.omni_stage import MAIN, OmniStage
from ledger_pipelines_tests.store_stage import Record

SETTINGS: Mapping[str, object] = {
    "products.download": True,
    "products.upload": True,
    "payments.enabled": True,
    "status_updates.auto_dispatch_orders": "Yes - Completed Orders Only",
    "status_updates.stock_every_minutes": 0,
    "branches.branch": str(MAIN),
    "initial_sync.days": 1,
}
KINDS: Mapping[str, int] = {
    "product": 7, "uploaded": 2, "contact": 3, "order": 10, "payment": 7, "dispatched": 2, "void": 1, "line": 12,
}  # fmt: skip
"""What is there after both acts and an undisturbed run, at least."""
DAY = 24 * 3600
_FIRM: Mapping[str, str] = {
    "Username": "mei.chen", "Email": "mei@example.com", "BillFirstName": "Mei", "BillLastName": "Chen",
    "BillCompany": "Chen Tea House",
}  # fmt: skip


def prepare(stage: OmniStage) -> None:
    """The first act: an empty shop and account are filled, the initial sync is done, the first orders are downloaded; then
    the second act happens, and nobody has run the integration since."""
    for sku, price in (("POT-600", "49.95"), ("TIN-200", "8.80"), ("CUP-2", "32.00")):
        stocked(stage, sku, price, 40)
    stage.service.initial_sync()
    unpaid = stage.order(_line("POT-600"))
    shipped = stage.order(_line("TIN-200", 2))
    cancelled = stage.order(_line("CUP-2"))
    edited = stage.order(_line("TIN-200", 3), _line("CUP-2"))
    both = stage.order(_line("CUP-2", 2))
    stage.pay(shipped, str(stage.owed(shipped)))
    result = stage.run()
    left = [(item.number, item.text) for item in stage.service.errors()]
    if result.exit_code or stage.unfinished() or left:
        raise RuntimeError(f"The first act is not wholly downloaded: {left}")
    stage.clock.jump(3600)
    unsettled = _second_act(stage, unpaid, shipped, cancelled, edited)
    _edit(stage, both, _line("CUP-2", 3))
    stage.status(both, "Dispatched")
    stage.clock.jump(DAY)
    _next_day(stage, unsettled)
    stage.clock.jump(60)


def _second_act(stage: OmniStage, unpaid: str, shipped: str, cancelled: str, edited: str) -> str:
    """Until the evening; the order that is left to be paid."""
    product(stage, "BOOK-NEW", "24.95")
    made_in_omni(stage, "SCOOP", "6.30")
    new = stage.order(_line("BOOK-NEW", 2), _line("POT-600"), **_FIRM)
    stage.pay(new, "50.00")
    stage.pay(new, str(stage.owed(new) - 50), "Credit Card")
    guest = {
        "Username": "noreg",
        "Email": "tom@example.com",
        "BillFirstName": "Tom",
        "BillLastName": "Harris",
    }
    other = stage.order(_line("TIN-200"), **guest)
    stage.pay(other, str(stage.owed(other)), "Direct Deposit")
    unsettled = stage.order(_line("POT-600"), OrderStatus="New")
    stage.pay(unpaid, str(stage.owed(unpaid)))
    _edit(stage, edited, _line("TIN-200", 5))
    stage.status(shipped, "Dispatched")
    stage.status(cancelled, "Cancelled")
    return unsettled


def _next_day(stage: OmniStage, unsettled: str) -> None:
    product(stage, "TEA-2025", "14.50")
    made_in_omni(stage, "WHISK", "18.05")
    again = stage.order(_line("TEA-2025", 2), _line("CUP-2"), **_FIRM)
    stage.pay(again, str(stage.owed(again)))
    stage.order(_line("TIN-200"))
    stage.pay(unsettled, str(stage.owed(unsettled)))


def _edit(stage: OmniStage, number: str, line: Record) -> None:
    """Staff change an order's lines to this one."""
    wish = {"OrderID": number, "OrderLine": [line], "ShippingCost": "9.95"}
    stage.control.post("/neto/edit", json=wish).raise_for_status()


def _line(sku: str, quantity: int = 1) -> Record:
    return {"SKU": sku, "Quantity": str(quantity)}


def product(stage: OmniStage, sku: str, price: str) -> None:
    """A product in the store."""
    wish = {
        "SKU": sku, "Name": f"Product {sku}", "DefaultPrice": price, "Approved": "True", "IsActive": "True",
        "IsInventoried": "True", "WarehouseQuantity": {"WarehouseID": "1", "Quantity": "3", "Action": "set"},
    }  # fmt: skip
    stage.shop("AddItem", {"Item": [wish]})


def stocked(stage: OmniStage, sku: str, price: str, quantity: int) -> None:
    """A product that both have, with stock at Omni's branch."""
    product(stage, sku, price)
    made_in_omni(stage, sku, price)
    stage.adjust(sku, quantity)


def made_in_omni(stage: OmniStage, sku: str, price: str) -> None:
    """A product in the account."""
    option = {"productOptionCode": sku, "retailPrice": float(price)}
    told = stage.omni(
        "POST", "Products", [{"styleCode": sku, "name": f"Product {sku}", "productOptions": [option]}]
    )
    assert told[0]["success"], told
