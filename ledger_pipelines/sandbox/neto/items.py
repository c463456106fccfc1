"""Products and stock: GetItem, AddItem, UpdateItem.

Belongs here: their fields, stock by warehouse, what kits and variants stand at. Does not belong here: orders.
Source: neto.md 6. Stock of a kit is the lowest availability of its components (8.4); a parent holds none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.shapes import Answer, as_list, collapsed, inner, money, text
from ledger_pipelines.sandbox.neto.shop import (
    Filter,
    NetoError,
    Shop,
    among,
    between,
    chosen,
    decimal,
    field_of,
    flag,
    flagged,
    pick,
)
from ledger_pipelines.sandbox.neto.store import Row

KIND = "item"
MAX_SKU = 25
_SKU = re.compile(r"[A-Za-z0-9._-]{1,25}")
FLAGS = {
    "Approved": True, "ApprovedForPOS": True, "ApprovedForMobileStore": True, "IsActive": True, "Visible": True,
    "IsNetoUtility": False, "IsGiftVoucher": False, "IsServiceItem": False, "IsAsset": False, "Virtual": False,
    "TaxFreeItem": False, "TaxInclusive": True, "AuGstExempt": False, "NzGstExempt": False, "IsInventoried": True,
    "IsBought": True, "IsSold": True, "EditableKitBundle": False, "SerialTracking": False,
}  # fmt: skip
PRICES = {"DefaultPrice": 8, "RRP": 2, "PromotionPrice": 2, "CostPrice": 8, "DefaultPurchasePrice": 2}
"""Field -> decimals it is kept and shown with."""
TEXTS = {
    "ParentSKU": 25, "AccountingCode": 50, "Name": 150, "Brand": 50, "Model": 150, "Subtitle": 255, "ShortDescription": 255,
    "Description": None, "Type": 50, "SubType": 50, "Group": 50, "PrimarySupplier": 25, "SupplierItemCode": 50,
    "ReferenceNumber": 50, "InternalNotes": None, "UPC": 100, "UPC1": 100, "UPC2": 100, "UPC3": 100, "TaxCategory": 50,
    "IncomeAccount": 20, "AssetAccount": 20, "CostOfSalesAccount": 20, "ExpenseAccount": 10, "PurchaseTaxCode": 20,
    "UnitOfMeasure": 20, "ShippingWeight": 20, "ShippingCategory": 50, "PromotionStartDateUTC": 20, "PromotionExpiryDateUTC": 20,
    "Misc01": 255, "Misc02": 255,
}  # fmt: skip
_LISTS = {
    "Categories": "Category", "PriceGroups": "PriceGroup", "ItemSpecifics": "ItemSpecific", "KitComponents": "KitComponent",
    "SalesChannels": "SalesChannel",
}  # fmt: skip
_KEYS = ("InventoryID", "SKU")
_ORDER = {
    "ParentSKU": "ParentSKU", "ID": "", "Model": "Model", "Name": "Name", "IsActive": "IsActive", "DateAdded": "", "DateUpdated": "",
}  # fmt: skip


class Items:
    """The catalogue."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._store = shop, shop.store

    # --- reading ---------------------------------------------------------------------------------------------------

    def get(self, sent: object, answer: Answer) -> None:
        """GetItem."""
        asked = Filter.of(sent)
        rows = self._found(asked)
        page = asked.page(rows, self._shop.settings)
        committed = (
            self._shop_committed() if asked.selected & {"CommittedQuantity", "AvailableSellQuantity"} else {}
        )
        answer.body["Item"] = [self._shown(row, asked.selected, committed) for row in page]

    def _found(self, asked: Filter) -> list[Row]:
        tests = [
            *among(asked.texts("InventoryID"), lambda row: row.number),
            *(test for name in ("Brand", "Model", "Name", "PrimarySupplier", "AccountingCode", "ParentSKU")
              for test in among(asked.texts(name), field_of(name), fold=True)),
            *(test for name in FLAGS for test in flagged(asked.flags(name), name)),
            *between(asked.instants("DateAdded"), lambda row: row.added),
            *between(asked.instants("DateCreated"), lambda row: row.added),
            *between(asked.instants("DateUpdated"), lambda row: row.updated),
        ]  # fmt: skip
        skus = asked.texts("SKU")
        rows = (
            self._store.select(KIND)
            if skus is None
            else [row for sku in dict.fromkeys(skus) if (row := self.row(sku)) is not None]
        )
        found = chosen(rows, tests)
        told = text(asked.fields.get("OrderBy"))
        if told in _ORDER:
            key = {
                "DateAdded": lambda r: r.added,
                "DateUpdated": lambda r: r.updated,
                "ID": lambda r: f"{r.number:012d}",
            }.get(told, lambda r: text(r.body.get(told)))
            found.sort(key=key, reverse=text(asked.fields.get("OrderDirection")).upper() == "DESC")
        return found

    def row(self, sku: str) -> Row | None:
        """An item by its SKU, without regard to case."""
        return next(self._store.select(KIND, "key = ? COLLATE NOCASE", (sku,)), None)

    def _shop_committed(self) -> dict[str, Decimal]:
        held: dict[str, Decimal] = {}
        for order in self._store.select("order"):
            if not order.body["_reserves"]:
                continue
            for line in order.body["Lines"]:
                for sku, quantity in self.parts(line["SKU"], decimal(line["Quantity"])):
                    held[sku] = held.get(sku, Decimal(0)) + quantity
        return held

    def parts(self, sku: str, quantity: Decimal) -> list[tuple[str, Decimal]]:
        """What leaves the shelf when a SKU is sold: the components of a kit, else itself."""
        row = self.row(sku)
        components = row.body["KitComponents"] if row else []
        if not components:
            return [(row.key if row else sku, quantity)]
        return [(c["ComponentSKU"], quantity * decimal(c["AssembleQuantity"] or 1)) for c in components]

    def _shown(self, row: Row, selected: frozenset[str], committed: Mapping[str, Decimal]) -> Document:
        settings = self._shop.settings
        body: Document = {name: money(row.body[name], places) for name, places in PRICES.items()}
        body |= {name: text(row.body[name]) for name in (*FLAGS, *TEXTS)}
        body |= {name: inner(of, row.body[name], settings) for name, of in _LISTS.items()}
        stock = self._store.stock(row.key)
        held = committed.get(row.key, Decimal(0))
        available = sum(stock.values(), Decimal(0)) - held
        if row.body["KitComponents"]:
            available = min(
                (
                    (
                        sum(self._store.stock(c["ComponentSKU"]).values(), Decimal(0))
                        - committed.get(c["ComponentSKU"], Decimal(0))
                    )
                    // decimal(c["AssembleQuantity"] or 1)
                    for c in row.body["KitComponents"]
                ),
                default=Decimal(0),
            )
        warehouses = [{"WarehouseID": one, "Quantity": text(quantity)} for one, quantity in stock.items()]
        children = [str(child.number) for child in self._store.select(KIND, "owner = ?", (row.key,))]
        body |= {
            "ID": str(row.number), "InventoryID": str(row.number), "SKU": row.key, "WarehouseQuantity": collapsed(warehouses),
            "CommittedQuantity": text(held), "AvailableSellQuantity": text(available), "IsVariant": text(bool(row.body["ParentSKU"])),
            "VariantInventoryIDs": ",".join(children), "Images": "", "WarehouseLocations": "",
            **self._dates("DateAdded", row.added), **self._dates("DateCreated", row.added), **self._dates("DateUpdated", row.updated),
        }  # fmt: skip
        return pick(body, selected, _KEYS)

    def _dates(self, name: str, kept: str) -> Document:
        return {
            name: kept,
            f"{name}UTC": kept,
            f"{name}Local": self._shop.local(kept).strftime("%Y-%m-%d %H:%M:%S"),
        }

    # --- writing ---------------------------------------------------------------------------------------------------

    def add(self, sent: object, answer: Answer) -> None:
        """AddItem: one SKU that cannot be made is a warning, the others are made (inferred from UpdateItem)."""
        made = []
        for wish in _items(sent):
            sku = text(wish.get("SKU")).strip()
            if not _SKU.fullmatch(sku):
                answer.warnings.append(f"Invalid SKU {sku}" if sku else "SKU is required")
                continue
            if self.row(sku) is not None:
                answer.warnings.append(f"Item {sku} already exists")
                continue
            row = self.make(sku, wish)
            made.append({"InventoryID": str(row.number), "SKU": row.key})
        answer.body["Item"] = collapsed(made)

    def make(self, sku: str, wish: Document) -> Row:
        """A new item."""
        body: Document = dict(FLAGS)
        body |= (
            {name: Decimal(0) for name in PRICES} | dict.fromkeys(TEXTS, "") | {name: [] for name in _LISTS}
        )
        self._merge(body, wish)
        row = self._store.add(
            KIND, sku, self._store.next("item"), body, self._shop.now(), text(body["ParentSKU"])
        )
        self._stock(row, wish)
        return row

    def update(self, sent: object, answer: Answer) -> None:
        """UpdateItem: only the fields sent change; an unknown SKU is a warning."""
        done = []
        for wish in _items(sent):
            row = self._named(wish)
            if row is None:
                answer.warnings.append(f"Cannot find Item {text(wish.get('SKU') or wish.get('InventoryID'))}")
                continue
            before = dict(row.body)
            self._merge(row.body, wish)
            moved = self._stock(row, wish)
            if row.body != before or (moved and self._shop.settings.stock_touches_item):
                self._store.save(row, self._shop.now())
            done.append(row.key)
        if len(done) == 1 and self._shop.settings.bare_skus:
            answer.body["Item"] = done
        else:
            answer.body["Item"] = collapsed([{"SKU": sku} for sku in done])

    def _named(self, wish: Document) -> Row | None:
        if wish.get("InventoryID"):
            return next(self._store.select(KIND, "number = ?", (int(text(wish["InventoryID"])),)), None)
        return self.row(text(wish.get("SKU")))

    @staticmethod
    def _merge(body: Document, wish: Document) -> None:
        if "Active" in wish and "IsActive" not in wish:
            wish = wish | {"IsActive": wish["Active"]}
        if "Subtype" in wish:
            wish = wish | {"SubType": wish["Subtype"]}
        for name, value in wish.items():
            if name in FLAGS:
                body[name] = flag(value)
            elif name in PRICES:
                body[name] = decimal(value, name)
            elif name in TEXTS:
                longest = TEXTS[name]
                told = text(value)
                if longest is not None and len(told) > longest:
                    raise NetoError(f"{name} must not exceed {longest} characters")
                body[name] = told
            elif name in _LISTS:
                body[name] = _merged(name, body[name], as_list(value, _LISTS[name]))

    def _stock(self, row: Row, wish: Document) -> bool:
        """WarehouseQuantity: set, increment or decrement; whether anything moved."""
        before = self._store.stock(row.key)
        for one in as_list(wish.get("WarehouseQuantity")):
            if not isinstance(one, dict):
                raise NetoError("WarehouseQuantity needs WarehouseID and Quantity")
            warehouse = text(one.get("WarehouseID")) or "1"
            if self._store.get("warehouse", warehouse) is None:
                raise NetoError(f"Cannot find Warehouse {warehouse}")
            quantity = decimal(one.get("Quantity"), "Quantity")
            held = self._store.stock(row.key).get(warehouse, Decimal(0))
            match text(one.get("Action")).lower():
                case "" | "set":
                    held = quantity
                case "increment":
                    held += quantity
                case "decrement":
                    held -= quantity
                case other:
                    raise NetoError(f"Invalid Action {other}")
            self._store.set_stock(row.key, warehouse, held)
        return self._store.stock(row.key) != before


_ENTRY_KEY = {
    "Categories": "CategoryID", "PriceGroups": "Group", "ItemSpecifics": "Name", "KitComponents": "ComponentSKU",
    "SalesChannels": "SalesChannelID",
}  # fmt: skip


def _merged(name: str, held: Sequence[Document], sent: Sequence[object]) -> list[Document]:
    """Entries are merged by their key; `"Delete": true` removes one (6.3)."""
    key = _ENTRY_KEY[name]
    by_key = {text(one.get(key)): dict(one) for one in held}
    for one in sent:
        if not isinstance(one, dict):
            continue
        told = text(one.get(key))
        if flag(one.get("Delete")):
            by_key.pop(told, None)
            continue
        by_key[told] = by_key.get(told, {}) | {n: text(v) for n, v in one.items() if n != "Delete"}
        if name == "KitComponents":
            by_key[told].setdefault("AssembleQuantity", "1")
    return list(by_key.values())


def _items(sent: object) -> list[Document]:
    found = as_list(sent.get("Item") if isinstance(sent, dict) else None)
    if not found:
        raise NetoError("Item is required.")
    return [one for one in found if isinstance(one, dict)]
