"""Writing the rows of a settlement to Parquet, a batch at a time.

Belongs here: the row as the careful readers produce it, and its writer. Does not belong here: reading, and where the
file finally lies (`storage`).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ledger_pipelines.systems.amazon.settlement.columns import DICTIONARY_COLUMNS, ROWS_SCHEMA

BATCH_ROWS = 20_000


class AmountRow(NamedTuple):
    """One amount; fields in the order of `columns.ROWS_SCHEMA`. posted_at: UTC, without a zone, as Arrow stores it."""

    ordinal: int
    part: int
    line: int | None
    transaction_type: str
    order_id: str
    merchant_order_id: str
    adjustment_id: str
    shipment_id: str
    marketplace_name: str
    amount_type: str
    amount_description: str
    amount: Decimal
    fulfillment_id: str
    posted_at: datetime
    order_item_code: str
    merchant_order_item_id: str
    merchant_adjustment_item_id: str
    sku: str
    quantity: int | None
    promotion_id: str
    extra: str


def parquet_writer(path: Path, schema: pa.Schema = ROWS_SCHEMA) -> pq.ParquetWriter:
    """The one way rows are written: LZ4, repeating columns dictionary-encoded, sequences delta-encoded."""
    return pq.ParquetWriter(
        path,
        schema,
        compression="lz4",
        use_dictionary=DICTIONARY_COLUMNS,  # type: ignore[arg-type] # the stubs lack the list form
        write_statistics=False,
        store_schema=False,
        column_encoding={"ordinal": "DELTA_BINARY_PACKED", "line": "DELTA_BINARY_PACKED"},
    )


class RowWriter:
    """Collects rows and writes them in batches, so that memory stays bounded.

    The file is made with the first batch, or at the end of the block: of a settlement that is refused, and has no more rows
    than one batch, nothing is written.

    Args:
        path: The file.
        always: Write what was taken when the block ends with an error, too.
    """

    def __init__(self, path: Path, *, always: bool = False) -> None:
        self._path = path
        self._always = always
        self._writer: pq.ParquetWriter | None = None
        self._batch: list[AmountRow] = []
        self.count = 0

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or self._always:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, row: AmountRow) -> None:
        """Take one row."""
        self._batch.append(row)
        self.count += 1
        if len(self._batch) >= BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        self._writer = self._writer or parquet_writer(self._path)
        if not self._batch:
            return
        columns = zip(*self._batch, strict=True)
        arrays = [pa.array(list(c), type=f.type) for c, f in zip(columns, ROWS_SCHEMA, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=ROWS_SCHEMA))
        self._batch.clear()
