"""Products, their options, and options again for each size.

Belongs here: the catalogue. Does not belong here: stock. Source: cin7-omni.md 10.3.
A sized option is several rows with one id, as list answers show it; how sizes are made over the API is not in the
reference: here a ProductOptions POST of a code that exists, with another `size`, adds that size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ledger_pipelines.sandbox.cin7 import schemas
from ledger_pipelines.sandbox.cin7.answers import DuplicateError, ItemError
from ledger_pipelines.sandbox.cin7.fields import Spec, bind, changed, record_id
from ledger_pipelines.sandbox.cin7.resource import WRITTEN, Resource
from ledger_pipelines.sandbox.cin7.store import Row
from ledger_pipelines.sandbox.codec import ZERO, Document


class Options(Resource):
    """What is sold and stocked; `id` repeats for each size."""

    path, kind, sequence, called = "ProductOptions", "option", "optionrow", "Product Option"
    spec: ClassVar[Spec] = schemas.OPTION
    verbs = WRITTEN

    def code(self, row: Row) -> str | None:
        """The SKU."""
        return str(row.body["code"])

    def shown_id(self, row: Row) -> int:
        """The option's id, not the row's."""
        return int(row.body["id"])

    def kept(self, row: Row) -> Document:
        """With the stock of all branches."""
        hand = sold = ZERO
        for on_hand, open_sales in self.store.of_option(row.body["id"], row.body.get("size") or ""):
            hand, sold = hand + on_hand, sold + open_sales
        return row.body | {"modifiedDate": row.modified, "stockOnHand": hand, "stockAvailable": hand - sold}

    def rows_of(self, option_id: int) -> list[Row]:
        """An option's rows: one, or one for each size."""
        return list(self.store.select("option", "json_extract(body, '$.id') = ?", (option_id,), index="id"))

    def of_product(self, product_id: int) -> Iterator[Row]:
        """The options of a product."""
        return self.store.select(
            "option", "json_extract(body, '$.productId') = ?", (product_id,), index="productId"
        )

    def found(self, number: int) -> Row | None:
        """The first row of the option."""
        return next(iter(self.rows_of(number)), None)

    def update(self, row_id: int | None, sent: Document) -> Row:
        """Of a sized option, the row whose size is named (by default the first)."""
        bound = bind(self.spec, sent)
        rows = [] if row_id is None else self.rows_of(row_id)
        row = next((one for one in rows if one.body["size"] == bound.get("size")), rows[0] if rows else None)
        if row is None:
            raise ItemError(f"{self.called} not found." if row_id is not None else "id is required.")
        row.body = changed(self.spec, row.body, bound)
        self._coded(row.body, row)
        self.store.save(row, self.account.now())
        return row

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """The product must exist; a code that exists is another size of it, or taken."""
        del sent
        if self.account.product(int(body["productId"])) is None:
            raise ItemError("Product not found.")
        known = self.store.named("option", "productOptionCode", str(body["productOptionCode"] or ""))
        if known is not None and known.body["productId"] == body["productId"] and body["size"]:
            if any(one.body["size"] == body["size"] for one in self.rows_of(known.body["id"])):
                raise DuplicateError(
                    f"Size '{body['size']}' of '{body['productOptionCode']}' already exists."
                )
            body["id"] = known.body["id"]
        else:
            body["id"] = self.store.next("option")
            self.unique(body, "productOptionCode", row, "Product option with code")
        body["sizeId"] = self.store.next("size") if body["size"] else 0
        self._coded(body, row)

    def _coded(self, body: Document, row: Row | None) -> None:
        self.unique(body, "productOptionSizeCode", row, "Product option with code")
        body["code"] = body["productOptionSizeCode"] or body["productOptionCode"] or ""
        body["barcode"] = body["productOptionSizeBarcode"] or body["productOptionBarcode"] or ""


class Products(Resource):
    """Styles."""

    path, kind, sequence, called = "Products", "product", "product", "Product"
    spec: ClassVar[Spec] = schemas.PRODUCT
    verbs = WRITTEN

    def __init__(self, options: Options) -> None:
        super().__init__(options.account)
        self._options = options

    def code(self, row: Row) -> str | None:
        """The style code."""
        return row.body.get("styleCode")

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """Style codes are unique."""
        del sent
        self.unique(body, "styleCode", row, "Product with style code")

    def insert(self, sent: Document) -> Row:
        """With its options; one of the style's own code when none is sent."""
        row = super().insert(sent)
        self._size(row, sent, "dimensions")
        asked = [one for one in row.body["productOptions"] if isinstance(one, dict)]
        for one in asked or [{"productOptionCode": row.body["styleCode"] or ""}]:
            self._options.insert(one | {"productId": row.id, "status": one.get("status") or "Primary"})
        return row

    def update(self, row_id: int | None, sent: Document) -> Row:
        """The product; options with an id are changed, others added."""
        row = super().update(row_id, sent)
        self._size(row, sent, "productDimensions")
        told = {name.lower(): value for name, value in sent.items()}
        for one in told.get("productoptions") or []:
            if isinstance(one, dict) and one.get("id"):
                self._options.update(record_id(one["id"]), one)
            elif isinstance(one, dict):
                self._options.insert(one | {"productId": row.id})
        return row

    def _size(self, row: Row, sent: Document, name: str) -> None:
        """Dimensions are read flat and written in an object, which has another name by verb."""
        told = next((value for key, value in sent.items() if key.lower() == name.lower()), None)
        if isinstance(told, dict):
            row.body |= bind(schemas.DIMENSIONS, told)
            self.store.save(row, self.account.now())

    def shown(self, record: Document) -> Document:
        """The product on the wire, with its options."""
        options = [
            self._options.shown(self._options.kept(row)) for row in self._options.of_product(record["id"])
        ]
        return super().shown(record) | {"productOptions": options}
