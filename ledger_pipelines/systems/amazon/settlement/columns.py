"""The columns of the flat files: names, variants, and the schema of the rows we keep.

Belongs here: header names and how they are compared, which variant a header is, the Parquet schema.
Does not belong here: reading rows. Facts: amazon-settlement.md 2.1, 3.1, 19.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ledger_pipelines.systems.amazon.settlement.findings import DOWNLOAD_AGAIN, refuse

V2 = "v2-flat"
V1 = "v1-flat"
XML = "xml"

ID, START, END, DEPOSIT = "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date"
TOTAL, CURRENCY, TYPE = "total-amount", "currency", "transaction-type"
POSTED_DATE, POSTED_TIME = "posted-date", "posted-date-time"
QUANTITY, AMOUNT = "quantity-purchased", "amount"
SUMMARY_ONLY = (START, END, DEPOSIT, TOTAL, CURRENCY)
"""Columns filled on the summary row only."""

TEXT_COLUMNS = {
    "order-id": "order_id",
    "merchant-order-id": "merchant_order_id",
    "adjustment-id": "adjustment_id",
    "shipment-id": "shipment_id",
    "marketplace-name": "marketplace_name",
    "fulfillment-id": "fulfillment_id",
    "order-item-code": "order_item_code",
    "merchant-order-item-id": "merchant_order_item_id",
    "merchant-adjustment-item-id": "merchant_adjustment_item_id",
    "sku": "sku",
    "promotion-id": "promotion_id",
}
"""Text columns both flat variants share, and the name each has in the rows we keep. Kept verbatim."""

V2_TEXT = {
    TYPE: "transaction_type",
    "amount-type": "amount_type",
    "amount-description": "amount_description",
    **TEXT_COLUMNS,
}
V2_COLUMNS = frozenset({ID, *SUMMARY_ONLY, *V2_TEXT, AMOUNT, POSTED_DATE, POSTED_TIME, QUANTITY})
_GROUPING = ("order-id", "adjustment-id", "shipment-id", "sku")
_BASE = frozenset({ID, *SUMMARY_ONLY, TYPE, *_GROUPING})
"""Without one of these a file would be taken as amounts of nobody's order: renamed, it is refused."""
_V2_REQUIRED = frozenset({*_BASE, "amount-type", "amount-description", AMOUNT})

V1_MONEY = (
    "shipment-fee-amount", "order-fee-amount", "price-amount", "item-related-fee-amount", "misc-fee-amount",
    "other-fee-amount", "promotion-amount", "direct-payment-amount", "other-amount",
)  # fmt: skip
"""Every money column of a V1 detail row, in file order: a row may fill two of them (3.1)."""
_V1_TYPES = frozenset(
    {
        "shipment-fee-type", "order-fee-type", "price-type", "item-related-fee-type",
        "other-fee-reason-description", "promotion-type", "direct-payment-type",
    }
)  # fmt: skip
V1_COLUMNS = frozenset({*_BASE, *TEXT_COLUMNS, *V1_MONEY, *_V1_TYPES, POSTED_DATE, QUANTITY})
_V1_REQUIRED = frozenset({*_BASE, POSTED_DATE, "price-amount", "item-related-fee-amount", "other-amount"})

_FIELDS: list[pa.Field[Any]] = [
    pa.field("ordinal", pa.int64(), nullable=False),
    pa.field("part", pa.int8(), nullable=False),
    pa.field("line", pa.int64()),
    pa.field("transaction_type", pa.string(), nullable=False),
    pa.field("order_id", pa.string(), nullable=False),
    pa.field("merchant_order_id", pa.string(), nullable=False),
    pa.field("adjustment_id", pa.string(), nullable=False),
    pa.field("shipment_id", pa.string(), nullable=False),
    pa.field("marketplace_name", pa.string(), nullable=False),
    pa.field("amount_type", pa.string(), nullable=False),
    pa.field("amount_description", pa.string(), nullable=False),
    pa.field("amount", pa.decimal128(18, 6), nullable=False),
    pa.field("fulfillment_id", pa.string(), nullable=False),
    pa.field("posted_at", pa.timestamp("us"), nullable=False),
    pa.field("order_item_code", pa.string(), nullable=False),
    pa.field("merchant_order_item_id", pa.string(), nullable=False),
    pa.field("merchant_adjustment_item_id", pa.string(), nullable=False),
    pa.field("sku", pa.string(), nullable=False),
    pa.field("quantity", pa.int64()),
    pa.field("promotion_id", pa.string(), nullable=False),
    pa.field("extra", pa.string(), nullable=False),
]
ROWS_SCHEMA = pa.schema(_FIELDS)
"""One row per amount. `ordinal` counts the file's detail rows from 1 (the summary row is not one), `part` the amounts
of one detail row from 0, `line` the lines of the file from 1 (null for XML). `posted_at` is UTC. Blank text is ""."""

DICTIONARY_COLUMNS = [
    "transaction_type", "marketplace_name", "amount_type", "amount_description", "amount", "fulfillment_id",
    "posted_at", "sku", "quantity", "promotion_id", "extra", "part",
]  # fmt: skip
"""Columns whose values repeat and are written dictionary-encoded."""

_SEPARATORS = re.compile(r"[_\s]+")


def column_name(cell: str) -> str:
    """A header cell as we compare it: stripped, lower case, hyphens for blanks and underscores."""
    return _SEPARATORS.sub("-", cell.strip().lower())


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of a flat file. line: its 1-based line. width: its fields, blank ones at its end counted."""

    variant: str
    names: tuple[str, ...]
    line: int
    width: int

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns outside the reference; kept in `extra`. Sorted, so that permuted columns give the same rows."""
        known = V2_COLUMNS if self.variant == V2 else V1_COLUMNS
        return tuple(sorted(name for name in self.names if name not in known))

    def index(self) -> dict[str, int]:
        """Position of each column."""
        return {name: position for position, name in enumerate(self.names)}


def is_date_range_header(text: str) -> bool:
    """Whether a line is the header of a Date Range Report (section 19), in English."""
    lowered = text.lower()
    return "date/time" in lowered and ("settlement id" in lowered or "total" in lowered)


def read_header(text: str, line: int) -> Header:
    """Understand the first non-blank line of a flat file. Raises SettlementRefusedError."""
    names = [column_name(cell) for cell in text.split("\t")]
    width = len(names)
    while names and not names[-1]:
        names.pop()
    present = frozenset(names)
    if ID not in present:
        shown = text[:60]
        if text.count(",") > 5 and "settlement" in text.lower():
            raise refuse(
                "not-a-settlement",
                f"Line {line}: the columns are separated by commas, so the file was saved by a spreadsheet.",
                line=line, value=shown,
            )  # fmt: skip
        raise refuse(
            "not-a-settlement",
            f"Line {line}: {shown!r} is not the header of a settlement file: there is no column {ID}.",
            "Drop a settlement report (flat file V2, flat file V1 or XML) as Amazon gives it.",
            line=line, value=shown,
        )  # fmt: skip
    repeated = next((name for name in names if name and names.count(name) > 1), None)
    if repeated is not None:
        raise refuse(
            "duplicate-column", f"Line {line}: the column {repeated} occurs twice in the header.",
            line=line, column=repeated, value=repeated,
        )  # fmt: skip
    if "" in present:
        raise refuse("unnamed-column", f"Line {line}: a column of the header has no name.", line=line)
    variant = V1 if "amount-type" not in present and present & set(V1_MONEY) else V2
    missing = sorted((_V1_REQUIRED if variant == V1 else _V2_REQUIRED) - present)
    if variant == V2 and not present & {POSTED_DATE, POSTED_TIME}:
        missing.append(POSTED_TIME)
    if missing:
        raise refuse(
            "missing-column",
            f"Line {line}: the header lacks {', '.join(missing)}.",
            f"A settlement file needs these columns. {DOWNLOAD_AGAIN}",
            line=line, column=missing[0],
        )  # fmt: skip
    return Header(variant, tuple(names), line, width)
