"""Stock by option, size and branch, and the adjustments that bring it in.

Belongs here: what stands where. Does not belong here: what orders do to it (orders).
Source: cin7-omni.md 10.4. Which fields adjustments have is not in it: here they are lines of code and quantity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from ledger_pipelines.sandbox.cin7 import schemas
from ledger_pipelines.sandbox.cin7.answers import ItemError, missing
from ledger_pipelines.sandbox.cin7.fields import Spec, bind, initial, shown
from ledger_pipelines.sandbox.cin7.resource import READ_ONLY, WRITTEN, Call, Resource
from ledger_pipelines.sandbox.cin7.store import Cell, Move, Row
from ledger_pipelines.sandbox.cin7.where import Condition
from ledger_pipelines.sandbox.codec import ZERO, Document, number


class Stock(Resource):
    """Read only; no id of its own."""

    path, kind, sequence, called = "Stock", "stock", "stock", "Stock"
    spec: ClassVar[Spec] = schemas.STOCK
    verbs = READ_ONLY

    def records(self, condition: Condition | None, call: Call) -> Iterable[Document]:
        """A row for each option (and size) at each branch."""
        del condition, call
        return self._rows()

    def _rows(self) -> Iterator[Document]:
        branches = {row.id: row.body.get("company") for row in self.store.select("branch")}
        products = {row.id: row.body for row in self.store.select("product")}
        levels = self.store.levels()
        for row in self.store.select("option"):
            option, product = row.body, products[row.body["productId"]]
            size = option["size"] or ""
            for branch, name in branches.items():
                level = levels.get(Cell(option["id"], size, branch))
                if level is None and not self.account.settings.stock_rows_at_every_branch:
                    continue
                hand, sold = (level.on_hand, level.open_sales) if level is not None else (ZERO, ZERO)
                yield {
                    "productId": option["productId"], "productOptionId": option["id"],
                    "modifiedDate": row.modified if level is None else level.modified,
                    "styleCode": product.get("styleCode"), "code": option["code"], "barcode": option["barcode"],
                    "branchId": branch, "branchName": name, "productName": product.get("name"),
                    **{f"option{n}": option[f"option{n}"] for n in (1, 2, 3)}, "size": option["size"],
                    "available": hand - sold, "stockOnHand": hand, "openSales": sold, "incoming": ZERO, "virtual": ZERO,
                    "holding": ZERO,
                }  # fmt: skip

    def get(self, call: Call) -> object:
        """`GET /Stock/{barcode}`: its rows, one a branch (the shape is not in the reference)."""
        found = [self.shown(one) for one in self._rows() if one["barcode"] and one["barcode"] == call.record]
        if not found:
            raise missing("Stock not found.")
        return found


class Adjustments(Resource):
    """Stock brought in or taken out by hand."""

    path, kind, sequence, called = "Adjustments", "adjustment", "adjustment", "Adjustment"
    spec: ClassVar[Spec] = schemas.ADJUSTMENT
    verbs = WRITTEN

    def code(self, row: Row) -> str | None:
        """The reference."""
        return row.body.get("reference")

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """Branch, reference, lines; the lines of an adjustment that is there stay as they are."""
        body["branchId"] = body["branchId"] or self.account.settings.main_branch
        if self.account.branch(int(body["branchId"])) is None:
            raise ItemError("Branch not found.")
        if not body["reference"]:
            body["reference"] = f"ADJ-{self.store.next('number')}"
        self.unique(body, "reference", row, "Adjustment with reference")
        body["lineItems"] = (
            [self._line(one) for one in sent.get("lineItems", [])] if row is None else row.body["lineItems"]
        )

    def _line(self, sent: object) -> Document:
        if not isinstance(sent, dict):
            raise ItemError("lineItems is invalid.")
        line = initial(schemas.ADJUSTMENT_LINE) | bind(schemas.ADJUSTMENT_LINE, sent)
        option = self.account.option(str(line["code"] or ""))
        if option is None:
            raise ItemError(f"Product option '{line['code']}' not found.")
        linked = {"productId": option.body["productId"], "productOptionId": option.body["id"]}
        return line | linked | {"id": self.store.next("line"), "_size": option.body["size"] or ""}

    def written(self, row: Row) -> None:
        """An approved adjustment moves stock."""
        self.store.move(self.kind, row.id, arrivals_of(row.body), self.account.now())

    def shown(self, record: Document) -> Document:
        """The adjustment on the wire."""
        lines = [shown(schemas.ADJUSTMENT_LINE, line) for line in record["lineItems"]]
        return shown(self.spec, record) | {"lineItems": lines}


def arrivals_of(adjustment: Document) -> list[Move]:
    """What an adjustment does to stock: nothing before it is approved."""
    lines = adjustment["lineItems"] if adjustment["isApproved"] else []
    branch = int(adjustment["branchId"])
    return [
        Move(Cell(line["productOptionId"], line["_size"], branch), on_hand=number(line["qty"]))
        for line in lines
    ]
