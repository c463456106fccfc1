"""How an order is read: selectors, flat addresses, lines with kits apart or whole.

Belongs here: GetOrder's output. Does not belong here: finding orders. Source: neto.md 8.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.items import Items
from ledger_pipelines.sandbox.neto.shapes import NULL_DAY, NULL_INSTANT, collapsed, money, rows, text
from ledger_pipelines.sandbox.neto.shop import Shop, decimal, pick
from ledger_pipelines.sandbox.neto.store import Row

_READ = {"Street1": "StreetLine1", "Street2": "StreetLine2", "ContactPhone": "Phone"}
_PARTS = (
    "FirstName",
    "LastName",
    "Company",
    "Street1",
    "Street2",
    "City",
    "State",
    "PostCode",
    "Country",
    "ContactPhone",
    "Fax",
)
_MONEY = (
    "GrandTotal", "OrderTax", "ProductSubtotal", "ShippingTotal", "ShippingTax", "ShippingDiscount", "SurchargeTotal",
    "SurchargeTaxable", "CouponDiscount",
)  # fmt: skip
_SAME = (
    "Username", "Email", "UserGroup", "PurchaseOrderNumber", "SalesPerson", "SalesChannel", "RelatedOrderID", "OrderType",
    "OrderStatus", "CompleteStatus", "CouponCode", "InternalOrderNotes", "PaymentTerms", "ExportStatus", "ExportedToWMS",
    *(f"CustomerRef{n}" for n in range(1, 11)),
)  # fmt: skip
_LINE_MONEY = {
    "UnitPrice": 8,
    "CostPrice": 8,
    "Tax": 2,
    "PercentDiscount": 2,
    "ProductDiscount": 2,
    "CouponDiscount": 2,
}


def shown_order(
    shop: Shop, items: Items, row: Row, payments: Sequence[Row], selected: frozenset[str], *, split: bool
) -> Document:
    """One order with the fields that are selected."""
    body = row.body
    zero = shop.settings.empty_dates == "zero"
    whole: Document = {name: text(body[name]) for name in _SAME}
    whole |= {name: money(body[name]) for name in _MONEY}
    whole |= {
        "ID": row.key, "OrderID": row.key, "TaxInclusive": text(body["TaxInclusive"]), "OnHoldType": body["OnHoldType"] or "On Hold",
        "RealtimeConfirmation": "FULLY PAID" if body["PaymentStatus"] == "FullyPaid" else "", "ShippingOption": body["ShippingMethod"],
        "DeliveryInstruction": body["ShipInstructions"], "DefaultPaymentType": body["PaymentMethod"],
        "StickyNotes": collapsed(body["StickyNotes"]), "DateUpdated": row.updated,
    }  # fmt: skip
    for name in ("DatePlaced", "DateRequired", "DatePaid", "DatePaymentDue"):
        whole[name] = body[name] or (NULL_INSTANT if zero else "")
    whole["DateInvoiced"] = body["DateInvoiced"] or (NULL_DAY if zero else "")
    done = body["DateCompleted"]
    whole["DateCompleted"] = shop.local(done).date().isoformat() if done else (NULL_DAY if zero else "")
    whole["DateCompletedUTC"] = done or (NULL_INSTANT if zero else "")
    shown = pick(whole, selected, ("OrderID",))
    for side, name in (("Bill", "BillAddress"), ("Ship", "ShipAddress")):
        if name in selected:
            shown |= {
                f"{side}{_READ.get(part, part)}": body[f"{side}{part}"]
                for part in _PARTS
                if body[f"{side}{part}"]
            }
    wanted = {name.partition(".")[2] for name in selected if name.startswith("OrderLine.")}
    if "OrderLine" in selected or wanted:
        lines = [_line(line, wanted) for line in body["Lines"]]
        if split:
            lines = [part for line in body["Lines"] for part in _components(items, line, wanted)]
        shown["OrderLine"] = rows(lines, shop.settings)
    if "OrderPayment" in selected or any(name.startswith("OrderPayment.") for name in selected):
        typed = "OrderPayment.PaymentType" in selected
        made = [
            {
                "Id": payment.key,
                "Amount": money(payment.body["AmountPaid"]),
                "DatePaid": payment.body["DatePaid"],
            }
            | ({"PaymentType": payment.body["PaymentMethodName"]} if typed else {})
            for payment in payments
        ]
        shown["OrderPayment"] = rows(made, shop.settings) if made else ""
    return shown


def _line(line: Document, wanted: set[str]) -> Document:
    whole: Document = {
        name: text(value) for name, value in line.items() if name not in ("Components", "TaxFree")
    }
    whole |= {name: money(line[name], places) for name, places in _LINE_MONEY.items()}
    whole["Extra"], whole["ExtraOptions"] = "", {"ExtraOption": ""}
    return pick(whole, frozenset(wanted), ("OrderLineID", "SKU"))


def _components(items: Items, line: Document, wanted: set[str]) -> list[Document]:
    """A kit's components as lines of their own, the kit's price split by component value, equally without any (8.4)."""
    item = items.row(line["SKU"])
    components = line["Components"] or (item.body["KitComponents"] if item else [])
    if not components:
        return [_line(line, wanted)]
    values = [
        decimal(one.get("ComponentValue")) * decimal(one.get("AssembleQuantity") or 1) for one in components
    ]
    whole = sum(values) or len(values)
    found = []
    for place, (one, value) in enumerate(zip(components, values, strict=True)):
        share = (value if sum(values) else decimal(1)) / whole
        part = line | {
            "OrderLineID": f"{line['OrderLineID']}-{place}", "SKU": one["ComponentSKU"], "ProductName": one["ComponentSKU"],
            "Quantity": str(decimal(line["Quantity"]) * decimal(one.get("AssembleQuantity") or 1)),
            "UnitPrice": str(decimal(line["UnitPrice"]) * share / decimal(one.get("AssembleQuantity") or 1)),
            "Tax": str(decimal(line["Tax"]) * share), "ComponentOfKit": line["SKU"],
        }  # fmt: skip
        shown = _line(part, wanted)
        shown["ComponentOfKit"] = line["SKU"]
        found.append(shown)
    return found
