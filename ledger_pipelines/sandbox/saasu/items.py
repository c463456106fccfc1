"""Items, combos and building; stock adjustments and transfers.

Belongs here: their fields and rules, and the stock they move. Does not belong here: what invoices move (`invoices`).
Source: saasu.md 5.6, 5.7, 6.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import ITEM_IN_USE, NEGATIVE_STOCK, NO_INCOME, SaasuError
from ledger_pipelines.sandbox.saasu.book import Book, Call
from ledger_pipelines.sandbox.saasu.fields import (
    DATE,
    FLAG,
    INTEGER,
    LIST,
    MAYBE,
    NUMBER,
    TEXT,
    Field,
    Kind,
    bind,
    text,
)
from ledger_pipelines.sandbox.saasu.money import cents, number
from ledger_pipelines.sandbox.saasu.parties import tagged
from ledger_pipelines.sandbox.saasu.resource import Resource, Where, pair
from ledger_pipelines.sandbox.saasu.store import ZERO, Entry, Move, Row


class Items(Resource):
    """Items (`I`) and combos (`C`). Codes are unique."""

    kind, sequence, entity = "item", "item", "Item"
    spec: ClassVar = {
        "Code": text(32), "Description": text(4000), "Type": Field(Kind.TEXT, initial="I"), "IsActive": FLAG,
        "IsInventoried": FLAG, "AssetAccountId": INTEGER, "IsSold": FLAG, "SaleIncomeAccountId": INTEGER,
        "SaleTaxCodeId": INTEGER, "SaleCoSAccountId": INTEGER, "IsBought": FLAG, "PurchaseExpenseAccountId": INTEGER,
        "PurchaseTaxCodeId": INTEGER, "SellingPrice": NUMBER, "IsSellingPriceIncTax": FLAG, "BuyingPrice": NUMBER,
        "IsBuyingPriceIncTax": FLAG, "MinimumStockLevel": NUMBER, "DefaultReOrderQuantity": NUMBER,
        "PrimarySupplierContactId": INTEGER, "PrimarySupplierItemCode": text(32), "IsVisible": FLAG, "IsVirtual": FLAG,
        "VType": TEXT, "IsVoucher": FLAG, "ValidFrom": DATE, "ValidTo": DATE, "Notes": TEXT, "BuildItems": LIST,
    }  # fmt: skip
    detail_only: ClassVar = frozenset({"Notes", "BuildItems"})

    def filters(self, call: Call) -> Where:
        """`SearchText` looks in code or description."""
        where = Where()
        where.equal("Type", call.params.get("itemtype"))
        where.flag("IsActive", call.params.get("isactive"))
        told = call.params.get("searchtext")
        if told:
            method = call.params.get("searchmethod", "").lower()
            if method not in ("contains", "startswith"):
                raise SaasuError("SearchMethod must be Contains or StartsWith.")
            compare = "= 1" if method == "startswith" else "> 0"
            where.add(
                f"(instr(lower(json_extract(body, '$.Code')), lower(?)) {compare} OR "
                f"instr(lower(coalesce(json_extract(body, '$.Description'), '')), lower(?)) {compare})",
                told[:128], told[:128],
            )  # fmt: skip
        return where

    def shown(self, row: Row, call: Call) -> Document:
        """With what it stands at."""
        stock = self.store.stock(call.file, row.id)
        tracked = bool(row.body["IsInventoried"])
        return {
            **row.body,
            "StockOnHand": stock.on_hand if tracked else None,
            "CurrentValue": cents(stock.value) if tracked else None,
            "OnOrder": stock.on_order if tracked else None,
            "Committed": stock.committed if tracked else None,
            "LastModifiedBy": 4021,
        }

    def not_there(self, record_id: int) -> SaasuError:
        """400, not 404 (3.1)."""
        return SaasuError(f"The requested item is not found. Id: {record_id}", quoted=True)

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """Code, description, accounts, tax codes, components."""
        code = str(body["Code"] or "")
        if not code.strip():
            raise SaasuError("Please specify the item code.")
        if not (body["Description"] or "").strip():
            raise SaasuError("Please specify the item description.")
        own = 0 if row is None else row.id
        twin = "lower(json_extract(body, '$.Code')) = lower(?) AND id <> ?"
        if next(self.store.select(call.file, self.kind, twin, (code, own)), None) is not None:
            raise SaasuError(f"You already have an item with code '{code}'.", quoted=True)
        if body["IsSold"] and body["SaleIncomeAccountId"] is None:
            raise SaasuError(NO_INCOME)
        if body["IsInventoried"] and body["AssetAccountId"] is None:
            raise SaasuError(
                "The Item is marked as 'Inventoried' and therefore needs to have an Asset Account."
            )
        if body["IsBought"] and not body["IsInventoried"] and body["PurchaseExpenseAccountId"] is None:
            raise SaasuError(
                "The Item is marked as 'Bought' and therefore needs to have an Expense Account assigned to it."
            )
        for name in ("AssetAccountId", "SaleIncomeAccountId", "SaleCoSAccountId", "PurchaseExpenseAccountId"):
            if body[name] is not None:
                self.book.account(call.file, body[name])
        for name in ("SaleTaxCodeId", "PurchaseTaxCodeId"):
            if body[name] is not None and self.store.get(call.file, "taxcode", body[name]) is None:
                raise SaasuError("The referenced tax code does not exist.")
        self._check_type(body, call, row)

    def _check_type(self, body: Document, call: Call, row: Row | None) -> None:
        body["Type"] = str(body["Type"] or "I").upper()
        if body["Type"] not in ("I", "C"):
            raise SaasuError("The item type is invalid.")
        if row is not None and row.body["Type"] == "C" and body["Type"] == "I":
            raise SaasuError("A combo item cannot be changed into an inventory item.")
        if (
            row is not None
            and body["IsInventoried"] != row.body["IsInventoried"]
            and self._used(call.file, row.id)
        ):
            raise SaasuError("The Item has transactions; whether it is inventoried cannot be changed.")
        if body["Type"] == "C":
            body["BuildItems"] = self._components(body["BuildItems"], call)

    def _components(self, sent: object, call: Call) -> list[Document]:
        if not isinstance(sent, list) or not sent:
            raise SaasuError("Please select at least one item for the combo item.")
        parts = [bind({"Id": INTEGER, "Quantity": NUMBER}, one) for one in sent]
        for part in parts:
            item = self.store.get(call.file, "item", part["Id"] or 0)
            if item is None or not (item.body["IsInventoried"] or item.body["IsVirtual"]):
                raise SaasuError(
                    "One or more line items of the Combo Item was not found. Please make sure correct items are "
                    "selected for creating the Combo Item."
                )
        return parts

    def _used(self, file: int, item: int) -> bool:
        found = self.store.db.execute(
            "SELECT 1 FROM saasu_stock WHERE file = ? AND item = ? LIMIT 1", (file, item)
        ).fetchone()
        return found is not None

    def removing(self, row: Row, call: Call) -> None:
        """Refused while transactions or combos refer to it."""
        combos = self.store.select(call.file, self.kind, "json_extract(body, '$.Type') = 'C'")
        in_combo = any(part["Id"] == row.id for combo in combos for part in combo.body["BuildItems"] or ())
        if in_combo or self._used(call.file, row.id):
            raise SaasuError(ITEM_IN_USE)

    def build(self, call: Call) -> Document:
        """`POST /Item/{id}/build`: component stock moves into the combo; a negative quantity takes it apart."""
        with self.store.transaction():
            combo = self.found(call)
            quantity = bind({"Quantity": NUMBER}, call.body)["Quantity"] or ZERO
            if combo.body["Type"] != "C":
                raise SaasuError("The item is not a combo item.")
            moves, cost = self._build_moves(combo, call, quantity)
            now = self.book.now()
            built = self.store.insert(
                call.file, "build", "transaction", {"Item": combo.id, "Quantity": quantity}, now
            )
            own = Move(combo.id, quantity, cost)
            apply_moves(self.book, built, [*moves, own])
        links = call.detail("Item", combo.id)
        return {
            "ItemId": combo.id,
            "StatusMessage": f"{quantity.normalize():f} combo item(s) have been built.",
            "_links": links,
        }

    def _build_moves(self, combo: Row, call: Call, quantity: Decimal) -> tuple[list[Move], Decimal]:
        moves, cost = [], ZERO
        for part in combo.body["BuildItems"]:
            taken = number(part["Quantity"]) * quantity
            stock = self.store.stock(call.file, part["Id"])
            value = cents(taken * stock.value / stock.on_hand) if stock.on_hand else ZERO
            moves.append(Move(part["Id"], -taken, -value))
            cost += value
        return moves, cost


def apply_moves(book: Book, owner: Row, moves: Iterable[Move]) -> None:
    """Replace a transaction's stock moves. Raises SaasuError when an inventoried item would go below zero (6.4)."""
    kept = list(moves)
    book.store.move(owner, kept)
    for item in {move.item for move in kept}:
        row = book.store.get(owner.file, "item", item)
        if row is None or not row.body["IsInventoried"]:
            continue
        stock = book.store.stock(owner.file, item)
        if stock.on_hand < 0:
            raise SaasuError(NEGATIVE_STOCK.format(code=row.body["Code"]))
        if book.settings.stock_touches_item:
            book.store.save(row, book.now())


class _StockDocument(Resource):
    """What adjustments and transfers share."""

    sequence = "transaction"
    detail_only: ClassVar = frozenset({"Notes", "Items"})

    def filters(self, call: Call) -> Where:
        """By date."""
        where = Where()
        first, last = pair(call, ("fromdate", "todate"), strict=self.book.settings.strict_pairs)
        if first is not None and last is not None:
            where.add("substr(json_extract(body, '$.Date'), 1, 10) BETWEEN ? AND ?", first[:10], last[:10])
        return where

    def keeps(self, row: Row, call: Call) -> bool:
        """Tags."""
        return tagged(row, call)

    def not_there(self, record_id: int) -> SaasuError:
        """The vendor's own words."""
        del record_id
        return SaasuError("The requested transaction is not found.", 404, quoted=True)

    def removing(self, row: Row, call: Call) -> None:
        """Stock and ledger go back."""
        del call
        self.book.refuse_locked(row.body["Date"])
        items = [move[0] for move in self.store.db.execute(
            "SELECT item FROM saasu_stock WHERE file = ? AND kind = ? AND owner = ?", (row.file, row.kind, row.id))]  # fmt: skip
        self.store.post(row, row.body["Date"], "", ())
        apply_moves(self.book, row, [Move(item) for item in items])
        self.store.move(row, ())


class Adjustments(_StockDocument):
    """Item adjustments; prices exclude tax, `AccountId` is the contra account."""

    kind = "itemadjustment"
    detail_only: ClassVar = frozenset({"Notes", "AdjustmentItems"})
    spec: ClassVar = {
        "Date": DATE, "Summary": text(75), "RequiresFollowUp": MAYBE, "Tags": LIST, "Notes": TEXT, "AdjustmentItems": LIST,
    }  # fmt: skip
    _LINE: ClassVar = {
        "ItemId": INTEGER,
        "Quantity": NUMBER,
        "AccountId": INTEGER,
        "UnitPrice": NUMBER,
        "TotalPrice": NUMBER,
    }

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """At least one line; items and accounts exist."""
        if not body["AdjustmentItems"]:
            raise SaasuError("Please specify AdjustmentItems for this transaction.")
        if body["Date"] is None:
            raise SaasuError("Please specify the date.")
        self.book.refuse_locked(body["Date"], None if row is None else row.body["Date"])
        lines = [bind(self._LINE, line) for line in body["AdjustmentItems"]]
        for line in lines:
            item = self.store.get(call.file, "item", line["ItemId"] or 0)
            if item is None or not item.body["IsInventoried"]:
                raise SaasuError("The referenced inventory item does not exist.")
            self.book.account(call.file, line["AccountId"])
            if line["TotalPrice"] is None:
                line["TotalPrice"] = cents(number(line["Quantity"]) * number(line["UnitPrice"]))
        body["AdjustmentItems"] = lines

    def written(self, row: Row, call: Call, before: Document | None) -> None:
        """Debit the items' asset accounts, credit the contra accounts."""
        del before
        moves, entries = [], []
        for line in row.body["AdjustmentItems"]:
            value = cents(number(line["TotalPrice"]))
            item = self.store.get(call.file, "item", line["ItemId"])
            moves.append(Move(line["ItemId"], number(line["Quantity"]), value))
            asset = (item.body if item else {}).get("AssetAccountId") or 0
            entries += [Entry(asset, value, value), Entry(line["AccountId"], -value, -value)]
        self.store.post(row, row.body["Date"], self.book.currency(call.file), entries)
        apply_moves(self.book, row, moves)


class Transfers(_StockDocument):
    """Item transfers: value moves between items, lines sum to zero."""

    kind = "itemtransfer"
    spec: ClassVar = {
        "Date": DATE, "Summary": text(75), "RequiresFollowUp": MAYBE, "Tags": LIST, "Notes": TEXT, "Items": LIST,
    }  # fmt: skip
    _LINE: ClassVar = {
        "InventoryItemId": INTEGER,
        "Quantity": NUMBER,
        "UnitCost": NUMBER,
        "LineTotal": NUMBER,
    }

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """At least one line; balanced; `LineTotal` is recomputed."""
        if not body["Items"]:
            raise SaasuError("Please specify TransferItems for this transaction.")
        if body["Date"] is None:
            raise SaasuError("Please specify the date.")
        self.book.refuse_locked(body["Date"], None if row is None else row.body["Date"])
        lines = [bind(self._LINE, line) for line in body["Items"]]
        for line in lines:
            item = self.store.get(call.file, "item", line["InventoryItemId"] or 0)
            if item is None or not item.body["IsInventoried"]:
                raise SaasuError("The referenced inventory item does not exist.")
            line["LineTotal"] = cents(number(line["Quantity"]) * number(line["UnitCost"]))
        if sum((line["LineTotal"] for line in lines), ZERO):
            raise SaasuError(
                "The Inventory Transfer is not balanced. The total of all line items must equal to 0.",
                quoted=True,
            )
        body["Items"] = lines

    def written(self, row: Row, call: Call, before: Document | None) -> None:
        """Value from one asset account to another."""
        del before
        moves, entries = [], []
        for line in row.body["Items"]:
            item = self.store.get(call.file, "item", line["InventoryItemId"])
            moves.append(Move(line["InventoryItemId"], number(line["Quantity"]), line["LineTotal"]))
            asset = (item.body if item else {}).get("AssetAccountId") or 0
            entries.append(Entry(asset, line["LineTotal"], line["LineTotal"]))
        self.store.post(row, row.body["Date"], self.book.currency(call.file), entries)
        apply_moves(self.book, row, moves)
