"""What a reader may be told, and what it gives back.

Belongs here: options with their defaults, the result, the interface of the copy that is made while reading.
Does not belong here: reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from ledger_pipelines.systems.amazon.settlement.findings import Finding
from ledger_pipelines.systems.amazon.settlement.instants import SlashOrder

MEBIBYTE = 1 << 20


class Copy(Protocol):
    """A copy made of the bytes as they are read, so that what is parsed is what is kept."""

    def write(self, data: memoryview) -> None:
        """Append bytes. Called from one thread, in order, from the first byte of the file to the last."""
        ...

    def finish(self) -> Path:
        """Make the copy durable and say where it is. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a settlement file.

    Args:
        currencies: The connection's currencies, or () for any; another one is refused (`wrong-currency`).
        charset: The charset the response declared, if any (section 5).
        slash_dates: How to read `05/03/2026`; None refuses such dates as ambiguous.
        max_bytes: Largest file, and largest inflated member, in bytes.
        max_ratio: Largest inflated size as a multiple of the compressed one.
        block_bytes: Bytes parsed at a time on the fast path.
        workers: Blocks parsed at once on the fast path.
        fast: Whether the fast path may be tried; the careful path gives the same verdict, slower.
        rows_of_refused: Whether the rows of a refused settlement are written, too, as far as they could be read.
    """

    currencies: tuple[str, ...] = ()
    charset: str | None = None
    slash_dates: SlashOrder | None = None
    max_bytes: int = 512 * MEBIBYTE
    max_ratio: int = 200
    block_bytes: int = 4 * MEBIBYTE
    workers: int = 2
    fast: bool = True
    rows_of_refused: bool = False

    @classmethod
    def low_memory(cls, *, currencies: tuple[str, ...] = (), max_bytes: int = 512 * MEBIBYTE) -> ReadOptions:
        """Small blocks, one at a time: for machines with little memory."""
        return cls(currencies=currencies, max_bytes=max_bytes, block_bytes=MEBIBYTE, workers=1)


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary row. Instants are UTC; `total` has the sign of the file (negative: the seller owes)."""

    settlement_id: str
    start: datetime
    end: datetime
    deposit: datetime
    total: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class ReadSettlement:
    """A settlement that has been read and foots; its rows are in the Parquet file it was told to write.

    Args:
        variant: `v2-flat`, `v1-flat` or `xml`.
        rows: Detail rows in the file. amounts: rows written, one per amount.
        number_style: `.`, `,` or `whole`. date_style: of the summary and the rows, joined by `+` when they differ.
        columns: Header names; unknown_columns: those kept in `extra`.
        short_rows: Rows whose trailing empty fields were cut off, and which were padded.
        warnings: Odd, but no reason to refuse.
        path: `fast` or `careful`: which of the two ways read it.
    """

    summary: Summary
    variant: str
    encoding: str
    rows: int
    amounts: int
    sum: Decimal
    number_style: str
    date_style: str
    columns: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    short_rows: int
    warnings: tuple[Finding, ...]
    path: str
