"""Orders: GetOrder, AddOrder, UpdateOrder, and what staff do to them in the control panel (split, edit).

Belongs here: their life, what they reserve and remove. Does not belong here: their sums (`totals`), payments.
Source: neto.md 8. Line prices cannot be changed by the API (8.7); staff can, which is on the control port.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.items import Items
from ledger_pipelines.sandbox.neto.order_view import shown_order
from ledger_pipelines.sandbox.neto.shapes import Answer, as_list, collapsed, text
from ledger_pipelines.sandbox.neto.shop import (
    Filter,
    NetoError,
    Shop,
    among,
    between,
    chosen,
    day,
    decimal,
    flag,
    instant,
)
from ledger_pipelines.sandbox.neto.store import Row
from ledger_pipelines.sandbox.neto.totals import total

KIND = "order"
STATUSES = (
    "Quote", "New", "On Hold", "New Backorder", "Backorder Approved", "Pick", "Pack", "Pending Pickup", "Pending Dispatch",
    "Dispatched", "Uncommitted", "Cancelled",
)  # fmt: skip
RESERVES = frozenset({"New", "On Hold", "New Backorder", "Backorder Approved", "Pick"})
REMOVES = frozenset({"Pack", "Pending Pickup", "Pending Dispatch", "Dispatched"})
ADDRESS = (
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
_TEXTS = {
    "PurchaseOrderNumber": 50, "OrderType": 20, "OnHoldType": 20, "UserGroup": 50, "Email": 250, "Operator": 50,
    "SalesPerson": 50, "SalesChannel": 15, "ShipInstructions": 1000, "InternalOrderNotes": None, "PaymentMethod": 100,
    "PaymentTerms": 50, "ShippingMethod": 50, "CurrencyCode": 3, **{f"CustomerRef{n}": 50 if n < 3 else 1000 for n in range(1, 11)},
}  # fmt: skip
_FROZEN = frozenset(
    {
        "TaxInclusive",
        "TaxFreeShipping",
        "ShippingCost",
        "ShippingDiscount",
        "OrderRounding",
        "AppliedDiscounts",
        "CurrencyCode",
    }
)
"""What the API cannot change once the order is made."""
_ID = re.compile(r"[A-Za-z0-9-]{1,15}")


class Orders:
    """The store's orders."""

    def __init__(self, shop: Shop, items: Items) -> None:
        self._shop, self._store, self._items = shop, shop.store, items

    # --- reading ---------------------------------------------------------------------------------------------------

    def get(self, sent: object, answer: Answer) -> None:
        """GetOrder: no criterion, no orders (3.1)."""
        asked = Filter.of(sent)
        if not asked.has_criteria:
            answer.body["Order"] = []
            return
        page = asked.page(self._found(asked), self._shop.settings)
        split = flag(asked.fields.get("SplitKitComponents"))
        payments = self._payments(page)
        answer.body["Order"] = [
            shown_order(self._shop, self._items, row, payments.get(row.key, []), asked.selected, split=split)
            for row in page
        ]
        marks = asked.fields.get("UpdateResults")
        if isinstance(marks, dict):
            for row in page:
                self._mark(row, marks)
                self._store.save(row, self._shop.now())

    def _payments(self, orders: Sequence[Row]) -> dict[str, list[Row]]:
        return {order.key: list(self._store.select("payment", "owner = ?", (order.key,))) for order in orders}

    def _found(self, asked: Filter) -> list[Row]:
        tests = [
            *among(asked.texts("Username"), lambda row: row.body["Username"], fold=True),
            *among(asked.texts("OrderStatus"), lambda row: row.body["OrderStatus"], fold=True),
            *among(asked.texts("OrderType"), lambda row: row.body["OrderType"], fold=True),
            *among(asked.texts("SalesChannel"), lambda row: row.body["SalesChannel"], fold=True),
            *among(asked.texts("ExportStatus"), lambda row: row.body["ExportStatus"], fold=True),
            *among(asked.texts("CompleteStatus"), lambda row: row.body["CompleteStatus"], fold=True),
            *among(asked.texts("PaymentStatus"), lambda row: row.body["PaymentStatus"], fold=True),
            *between(asked.instants("DatePlaced"), lambda row: row.body["DatePlaced"]),
            *between(asked.instants("DatePaid"), lambda row: row.body["DatePaid"]),
            *between(asked.instants("DateInvoiced"), lambda row: f"{row.body['DateInvoiced']} 00:00:00" if row.body["DateInvoiced"] else ""),
            *between(asked.instants("DateCompleted"), lambda row: row.body["DateCompleted"]),
        ]  # fmt: skip
        skus = asked.texts("SKU")
        if skus is not None:
            known = {sku.casefold() for sku in skus}
            tests.append(lambda row: any(line["SKU"].casefold() in known for line in row.body["Lines"]))
        return chosen(self._candidates(asked), tests)

    def _candidates(self, asked: Filter) -> Iterator[Row]:
        where, values = [], []
        ids = asked.texts("OrderID")
        if ids is not None:
            where.append(f"key IN ({','.join('?' * len(ids))})")
            values += ids
        first, last = asked.instants("DateUpdated")
        if first is not None:
            where.append("updated >= ?")
            values.append(first)
        if last is not None:
            where.append("updated <= ?")
            values.append(last)
        return self._store.select(KIND, " AND ".join(where), values)

    # --- writing ---------------------------------------------------------------------------------------------------

    def add(self, sent: object, answer: Answer) -> None:
        """AddOrder."""
        made = []
        for wish in _orders(sent):
            given = text(wish.get("OrderID")).strip()
            if given and not _ID.fullmatch(given):
                answer.warnings.append(f"Invalid OrderID {given}")
                continue
            if given and self._store.get(KIND, given) is not None:
                answer.warnings.append(f"Order {given} already exists")
                continue
            made.append({"OrderID": self.make(given, wish).key})
        answer.body["Order"] = collapsed(made)

    def make(self, given: str, wish: Document) -> Row:
        """A new order, with its sums. Raises NetoError."""
        now = self._shop.now()
        number = self._store.next("order")
        key = given or f"{self._shop.settings.order_prefix}{number}"
        lines = [
            self._line(key, place, one)
            for place, one in enumerate(as_list(wish.get("OrderLine")))
            if isinstance(one, dict)
        ]
        if not lines:
            raise NetoError("OrderLine is required.")
        placed = _at(wish, "DatePlaced") or now.strftime("%Y-%m-%d %H:%M:%S")
        body: Document = dict.fromkeys(_TEXTS, "")
        body |= {
            "Username": text(wish.get("Username")) or "noreg", "OrderType": "sales", "SalesChannel": "Website", "CompleteStatus": "Incomplete",
            "ExportStatus": "Pending", "ExportedToWMS": "Pending", "RelatedOrderID": "", "DatePlaced": placed, "DatePaid": "",
            "DateRequired": _at(wish, "DateRequired"), "DateCompleted": "", "DateInvoiced": "", "DatePaymentDue": _at(wish, "DateDue"),
            "PaymentStatus": "Pending", "StickyNotes": [], "Lines": lines, "TaxInclusive": True, "TaxFreeShipping": False,
            "ShippingCost": "0", "ShippingDiscount": "0", "OrderRounding": "0", "Discounts": [], "Surcharge": None, "OrderStatus": "New",
            "_reserves": False, "_removed": False,
        }  # fmt: skip
        for side in ("Bill", "Ship"):
            body |= {f"{side}{part}": text(wish.get(f"{side}{part}")) for part in ADDRESS}
        self._merge(body, wish)
        body["OrderStatus"] = _status(wish.get("OrderStatus") or "New")
        if body["OrderStatus"] != "Quote":
            told = wish.get("DateInvoicedUTC") or wish.get("DateInvoiced")
            body["DateInvoiced"] = day(told) if told else self._shop.local(placed).date().isoformat()
        row = Row(KIND, key, number, "", "", "", body)
        total(self._shop, row)
        row = self._store.add(KIND, key, number, body, now)
        self._shelf(row)
        if flag(wish.get("OrderApproval")) or text(wish.get("OrderApproval")).lower() == "approved":
            row.body["CompleteStatus"] = "Approved"
        self._store.save(row, now)
        return row

    def _line(self, key: str, place: int, sent: Document) -> Document:
        sku = text(sent.get("SKU"))
        if not sku:
            raise NetoError("SKU is required on every OrderLine.")
        item = self._items.row(sku)
        price = sent.get("UnitPrice")
        tax_free = flag(sent.get("TaxFree")) if "TaxFree" in sent else bool(item and item.body["TaxFreeItem"])
        return {
            "OrderLineID": f"{key}-{place}", "SKU": item.key if item else sku,
            "ProductName": text(sent.get("ItemDescription")) or (item.body["Name"] if item else sku),
            "ItemNotes": text(sent.get("ItemNotes")), "Quantity": str(decimal(sent.get("Quantity"), "Quantity")),
            "UnitPrice": str(decimal(price, "UnitPrice") if price not in (None, "") else (item.body["DefaultPrice"] if item else 0)),
            "PercentDiscount": str(decimal(sent.get("DiscountPercent"), "DiscountPercent")),
            "ProductDiscount": str(decimal(sent.get("DiscountAmount"), "DiscountAmount")), "TaxFree": tax_free,
            "CostPrice": str(decimal(sent.get("UnitCost")) or (item.body["CostPrice"] if item else 0)),
            "WarehouseID": text(sent.get("WarehouseID")) or "1", "QuantityShipped": "0", "BackorderQuantity": "0", "CouponDiscount": "0",
            "Tax": "0", "TaxCode": "", "ShippingTracking": "", "ShippingMethod": "",
            "ExternalSystemIdentifier": text(sent.get("ExternalSystemIdentifier")),
            "ExternalOrderReference": text(sent.get("ExternalOrderReference")),
            "ExternalOrderLineReference": text(sent.get("ExternalOrderLineReference")),
            "Components": [dict(one) for one in as_list(sent.get("KitComponents"), "KitComponent") if isinstance(one, dict)],
        }  # fmt: skip

    @staticmethod
    def _merge(body: Document, wish: Document) -> None:
        for name, value in wish.items():
            if name in _TEXTS:
                longest = _TEXTS[name]
                if longest is not None and len(text(value)) > longest:
                    raise NetoError(f"{name} must not exceed {longest} characters")
                body[name] = text(value)
            elif name in ("TaxInclusive", "TaxFreeShipping"):
                body[name] = flag(value)
            elif name in ("ShippingCost", "ShippingDiscount", "OrderRounding"):
                body[name] = str(decimal(value, name))
            elif name == "AppliedDiscounts":
                body["Discounts"] = [
                    {
                        "DiscountCode": text(one.get("DiscountCode")),
                        "DiscountAmount": str(decimal(one.get("DiscountAmount"))),
                    }
                    for one in as_list(value, "AppliedDiscount")
                    if isinstance(one, dict)
                ]
            elif name in ("StickyNotes", "StickyNote") and not isinstance(value, str):
                notes = [one for one in as_list(value, "StickyNote") if isinstance(one, dict)]
                for one in notes:
                    body["StickyNotes"].append({"StickyNoteID": str(len(body["StickyNotes"]) + 1), "Title": text(one.get("Title")), "Description": text(one.get("Description"))})  # fmt: skip

    def update(self, sent: object, answer: Answer) -> None:
        """UpdateOrder: status, marks, shipping facts of lines; never prices (8.7)."""
        done = []
        for wish in _orders(sent):
            row = self._store.get(KIND, text(wish.get("OrderID")))
            if row is None:
                answer.warnings.append(f"Cannot find Order {text(wish.get('OrderID'))}")
                continue
            self._merge(row.body, {name: value for name, value in wish.items() if name not in _FROZEN})
            for side in ("Bill", "Ship"):
                row.body |= {
                    f"{side}{part}": text(wish[f"{side}{part}"])
                    for part in ADDRESS
                    if f"{side}{part}" in wish
                }
            self._mark(row, wish)
            if wish.get("OrderStatus"):
                self.move(row, _status(wish["OrderStatus"]))
            self._ship(row, wish)
            self._store.save(row, self._shop.now())
            done.append({"OrderID": row.key})
        answer.body["Order"] = collapsed(done)

    @staticmethod
    def _mark(row: Row, wish: Document) -> None:
        for name in ("ExportStatus", "ExportedToWMS"):
            if wish.get(name):
                row.body[name] = text(wish[name])
        told = text(wish.get("OrderApproval")).lower()
        if told:
            row.body["CompleteStatus"] = "Approved" if told in ("approved", "true", "1") else "Incomplete"

    def _ship(self, row: Row, wish: Document) -> None:
        for one in as_list(wish.get("OrderLine")):
            if not isinstance(one, dict):
                continue
            line = next(
                (
                    line
                    for line in row.body["Lines"]
                    if text(one.get("OrderLineID")) == line["OrderLineID"]
                    or text(one.get("SKU")).casefold() == line["SKU"].casefold()
                ),
                None,
            )
            if line is None:
                raise NetoError(f"Cannot find OrderLine {text(one.get('OrderLineID') or one.get('SKU'))}")
            if "QuantityShipped" in one:
                line["QuantityShipped"] = str(decimal(one["QuantityShipped"]))
            tracking = one.get("TrackingDetails")
            if isinstance(tracking, dict):
                line["ShippingTracking"] = text(tracking.get("TrackingNumber"))
                line["ShippingMethod"] = text(tracking.get("ShippingMethod"))

    def move(self, row: Row, status: str) -> None:
        """Another status: stock, dates, the invoice date of a quote that becomes an order."""
        before = row.body["OrderStatus"]
        row.body["OrderStatus"] = status
        if before == "Quote" and status != "Quote" and not row.body["DateInvoiced"]:
            row.body["DateInvoiced"] = (
                self._shop.local(self._shop.now().strftime("%Y-%m-%d %H:%M:%S")).date().isoformat()
            )
        if status == "Dispatched":
            row.body["DateCompleted"] = row.body["DateCompleted"] or self._shop.now().strftime(
                "%Y-%m-%d %H:%M:%S"
            )
            for line in row.body["Lines"]:
                line["QuantityShipped"] = line["Quantity"]
        self._shelf(row)

    def _shelf(self, row: Row) -> None:
        """What the order reserves, and what it has taken off the shelf (8.1)."""
        status = row.body["OrderStatus"]
        row.body["_reserves"] = status in RESERVES
        if (status in REMOVES) == row.body["_removed"]:
            return
        row.body["_removed"] = status in REMOVES
        sign = -1 if row.body["_removed"] else 1
        for line in row.body["Lines"]:
            for sku, quantity in self._items.parts(line["SKU"], decimal(line["Quantity"])):
                item = self._items.row(sku)
                if item is not None and item.body["IsInventoried"]:
                    held = self._store.stock(item.key).get(line["WarehouseID"], Decimal(0))
                    self._store.set_stock(item.key, line["WarehouseID"], held + sign * quantity)

    # --- the control panel -----------------------------------------------------------------------------------------

    def split(self, key: str, wanted: list[str]) -> Row:
        """Lines move to a new backorder; payments stay with the original, whose total drops (8.1). Raises NetoError."""
        row = self.named(key)
        moved = [line for line in row.body["Lines"] if line["SKU"] in wanted or line["OrderLineID"] in wanted]
        kept = [line for line in row.body["Lines"] if line not in moved]
        if not moved or not kept:
            raise NetoError(f"Order {key} has no such lines, or only them.")
        now, number = self._shop.now(), self._store.next("order")
        child_key = f"{self._shop.settings.order_prefix}{number}"
        body = {**row.body, "Lines": [line | {"OrderLineID": f"{child_key}-{n}"} for n, line in enumerate(moved)], "OrderStatus": "New Backorder",
                "RelatedOrderID": row.key, "ShippingCost": "0", "Discounts": [], "DatePaid": "", "PaymentStatus": "Pending",
                "CompleteStatus": "Incomplete", "_reserves": False, "_removed": False, "StickyNotes": [], "OrderRounding": "0"}  # fmt: skip
        child = Row(KIND, child_key, number, "", "", "", body)
        total(self._shop, child)
        child = self._store.add(KIND, child_key, number, body, now)
        self._shelf(child)
        self._store.save(child, now)
        row.body["Lines"] = kept
        total(self._shop, row)
        self.paid(row)
        self._store.save(row, now)
        return child

    def edit(self, key: str, wish: Document) -> Row:
        """Staff change lines or charges of an order, as the control panel lets them. Raises NetoError."""
        row = self.named(key)
        removed = row.body["_removed"]
        if removed:
            status, row.body["OrderStatus"] = row.body["OrderStatus"], "Pick"
            self._shelf(row)
            row.body["OrderStatus"] = status
        if wish.get("OrderLine"):
            row.body["Lines"] = [
                self._line(key, n, one)
                for n, one in enumerate(as_list(wish["OrderLine"]))
                if isinstance(one, dict)
            ]
        self._merge(row.body, wish)
        if "SurchargeTotal" in wish:
            row.body["Surcharge"] = str(decimal(wish["SurchargeTotal"], "SurchargeTotal"))
        total(self._shop, row)
        self.paid(row)
        self._shelf(row)
        self._store.save(row, self._shop.now())
        return row

    def named(self, key: str) -> Row:
        """An order by its id. Raises NetoError."""
        row = self._store.get(KIND, key)
        if row is None:
            raise NetoError(f"Cannot find Order {key}")
        return row

    def paid(self, row: Row) -> None:
        """Payment status out of its payments; full payment approves (8.1)."""
        payments = list(self._store.select("payment", "owner = ?", (row.key,)))
        amount = sum((decimal(p.body["AmountPaid"]) for p in payments), Decimal(0))
        owed = decimal(row.body["GrandTotal"])
        row.body["DatePaid"] = max((p.body["DatePaid"] for p in payments), default="")
        row.body["PaymentStatus"] = (
            "FullyPaid" if payments and amount >= owed else "PartialPaid" if amount else "Pending"
        )
        if payments and amount >= owed:
            row.body["CompleteStatus"] = "Approved"


def _orders(sent: object) -> list[Document]:
    found = as_list(sent.get("Order") if isinstance(sent, dict) else None)
    if not found:
        raise NetoError("Order is required.")
    return [one for one in found if isinstance(one, dict)]


def _status(told: object) -> str:
    known = {name.lower(): name for name in STATUSES}
    found = known.get(text(told).lower())
    if found is None:
        raise NetoError(f"Invalid OrderStatus {text(told)}")
    return found


def _at(wish: Document, name: str) -> str:
    told = wish.get(f"{name}UTC") or wish.get(name)
    return instant(text(told), end=False) if told else ""
