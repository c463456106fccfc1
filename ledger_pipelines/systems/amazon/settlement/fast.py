"""Reading a V2 flat file in blocks of columns, for files that have nothing wrong with them.

Belongs here: the vectorised reading and the same rules as `careful`, as Arrow expressions. Whatever it does not
recognise at once it leaves to `careful` by raising `Irregular`; it never refuses a file and never repairs one.
Does not belong here: V1, XML, archives.

One pass over the file: a thread copies and hashes the bytes while others parse the same bytes, the calling thread
writes row groups in file order. Memory is a few blocks, whatever the file's size.
"""

from __future__ import annotations

import json
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as arrow  # noqa: ICN001 - `pa` is the untyped view of it below
from pyarrow import compute
from pyarrow import csv as arrow_csv

from ledger_pipelines.systems.amazon.settlement import columns
from ledger_pipelines.systems.amazon.settlement.checks import (
    EXACT,
    Findings,
    check_posted,
    read_summary,
    warn_no_newline,
)
from ledger_pipelines.systems.amazon.settlement.columns import ROWS_SCHEMA, V2, V2_TEXT, Header, read_header
from ledger_pipelines.systems.amazon.settlement.findings import Partial, SettlementRefusedError
from ledger_pipelines.systems.amazon.settlement.numbers import (
    MOST_DECIMALS,
    MOST_WHOLE_DIGITS,
    Sign,
    SignEvidence,
)
from ledger_pipelines.systems.amazon.settlement.options import Copy, ReadOptions, ReadSettlement, Summary
from ledger_pipelines.systems.amazon.settlement.rows import parquet_writer

# The published stubs know a part of Arrow's overloads only; the property tests hold this module to `careful`.
pa: Any = arrow
pc: Any = compute
csv: Any = arrow_csv
Schema: Any = ROWS_SCHEMA
Array: TypeAlias = Any
Lines: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
# Ids differ on nearly every order: a dictionary of them costs more than it saves.
_PLAIN_TEXT = frozenset(
    {
        "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "order-item-code",
        "merchant-order-item-id", "merchant-adjustment-item-id",
    }
)  # fmt: skip
_REPEATED = frozenset(target for name, target in V2_TEXT.items() if name not in _PLAIN_TEXT)
_SCHEMA = pa.schema(
    [f.with_type(_DICTIONARY) if f.name == "extra" or f.name in _REPEATED else f for f in Schema]
)
# Enough rows to see the decimal sign; if not, the file is left to the careful reader.
_SAMPLE_BYTES = 1 << 18
_PARSE = csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, escape_char=False)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DAYS = {
    "year-month-day": (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}", None),
    "year/month/day": (r"^[0-9]{4}/[0-9]{2}/[0-9]{2}", (r"^(....)/(..)/(..)", r"\1-\2-\3")),
    "day.month.year": (r"^[0-9]{2}\.[0-9]{2}\.[0-9]{4}", (r"^(..)\.(..)\.(....)", r"\3-\2-\1")),
}


class Irregular(Exception):  # noqa: N818 - not an error: a hand-over
    """Something `careful` must look at."""


@dataclass(frozen=True, slots=True)
class _Style:
    sign: Sign
    day: str


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of a buffer; searching it copies nothing."""

    buffer: bytes | bytearray
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def view(self) -> memoryview:
        return memoryview(self.buffer)[self.start : self.end]

    def has(self, byte: bytes) -> bool:
        return self.buffer.find(byte, self.start, self.end) >= 0

    def lines(self) -> int:
        array = np.frombuffer(self.view, dtype=np.uint8)
        return int(np.count_nonzero(array == 10)) + int(array[-1] != 10)


@dataclass(frozen=True, slots=True)
class _Block:
    """One parsed block: its rows without ordinals, and what is needed to number them."""

    table: Array
    sum: Decimal
    lines: int
    row_lines: Lines | None
    short_rows: int
    first_posted: datetime
    last_posted: datetime


@dataclass(slots=True)
class _Plan:
    """What the head of the file said: how every block is to be read."""

    header: Header
    summary: Summary
    summary_cells: dict[str, str]
    summary_style: str
    encoding: str
    convert: Any
    style: _Style | None = None
    summary_short: bool = False
    data_start: int = 0
    data_line: int = 0
    findings: Findings = field(default_factory=lambda: Findings(Partial()))


def read_fast(
    descriptor: int,
    start: int,
    encoding: str,
    rows_path: Path,
    options: ReadOptions,
    copy: Copy | None = None,
) -> ReadSettlement | None:
    """Read the file if nothing about it is irregular.

    Args:
        descriptor: Open file; read with explicit offsets.
        start: Bytes of a byte order mark.
        encoding: What `source.choose_encoding` gave, or a first try with `utf-8`.
        copy: Receives every byte of the file, once, in order, also when None is returned.

    Returns:
        The settlement, with its rows written; or None when `careful` must decide.
    """
    feed = _Feed(copy)
    try:
        return _read(descriptor, start, encoding, rows_path, options, feed)
    except (Irregular, arrow.ArrowInvalid, UnicodeError):
        return None
    finally:
        feed.finish(descriptor)


class _Feed:
    """Hands the file's bytes to the copy from a thread of its own."""

    def __init__(self, copy: Copy | None) -> None:
        self._copy = copy
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="landing")
        self._done = 0

    def give(self, data: memoryview) -> Future[None] | None:
        if self._copy is None:
            return None
        self._done += len(data)
        return self._pool.submit(self._copy.write, data)

    def finish(self, descriptor: int) -> None:
        """Copy what the parser has not reached."""
        try:
            if self._copy is not None:
                self._pool.submit(lambda: None).result()
                while piece := os.pread(descriptor, 1 << 20, self._done):
                    self._copy.write(memoryview(piece))
                    self._done += len(piece)
        finally:
            self._pool.shutdown()


def _read(
    descriptor: int, start: int, encoding: str, rows_path: Path, options: ReadOptions, feed: _Feed
) -> ReadSettlement:
    plan = _head(descriptor, start, encoding, options)
    size = min(options.block_bytes, max(os.fstat(descriptor).st_size + 1, 1 << 10))
    free = [bytearray(size) for _ in range(options.workers + 2)]
    pending: deque[tuple[Future[_Block], Future[None] | None, bytearray]] = deque()
    state = _Totals(plan)
    offset = 0
    first = True
    tail_newline = True
    with (
        ThreadPoolExecutor(options.workers, thread_name_prefix="settlement") as pool,
        parquet_writer(rows_path, _SCHEMA) as writer,
    ):

        def drain() -> None:
            parsed, copied, buffer = pending.popleft()
            if copied is not None:
                copied.result()
            for table in state.take(parsed.result()):
                writer.write_table(table)
            free.append(buffer)

        try:
            while True:
                while not free:
                    drain()
                buffer = free.pop()
                count = os.preadv(descriptor, [buffer], offset)
                if count == 0:
                    break
                end = buffer.rfind(b"\n", 0, count) + 1
                if not end:
                    if count == size:
                        raise Irregular
                    end, tail_newline = count, buffer[count - 1] == 13
                copied = feed.give(memoryview(buffer)[:end])
                data = _Span(buffer, plan.data_start if first else 0, end)
                offset += end
                if plan.style is None and len(data):
                    plan.style = _style(data, plan)
                parsed = pool.submit(_parse, data, plan)
                pending.append((parsed, copied, buffer))
                first = False
            while pending:
                drain()
        finally:
            for parsed, copied, _ in pending:
                parsed.cancel()
                if copied is not None:
                    copied.result()
    if not tail_newline:
        warn_no_newline(plan.findings)
    return state.result(plan)


def _head(descriptor: int, start: int, encoding: str, options: ReadOptions) -> _Plan:
    """Header and summary row; Irregular unless the first lines are just these, in this order."""
    head = os.pread(descriptor, min(options.block_bytes, 256 * 1024), 0)
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    line_end = head.find(b"\n", start) + 1
    summary_end = head.find(b"\n", line_end) + 1
    if not line_end or not summary_end or b"\0" in head[start:summary_end]:
        raise Irregular
    if b"\r" in head[start:summary_end].replace(b"\r\n", b""):  # a line end of its own, for `careful`
        raise Irregular
    try:
        header = read_header(head[start:line_end].decode(codec).rstrip("\r\n"), 1)
    except SettlementRefusedError:
        raise Irregular from None
    if header.variant != V2 or header.width != len(header.names) or columns.POSTED_TIME not in header.names:
        raise Irregular
    cells = head[line_end:summary_end].decode(codec).rstrip("\r\n").split("\t")
    missing = len(header.names) - len(cells)
    if missing < 0:
        raise Irregular
    row = dict(zip(header.names, cells + [""] * missing, strict=True))
    if not row[columns.TOTAL].strip() or row[columns.TYPE].strip():
        raise Irregular
    evidence = SignEvidence()
    evidence.see(2, columns.TOTAL, row[columns.TOTAL])
    findings = Findings(Partial())
    found = read_summary(row, evidence.sign, options, findings, 2)
    if found is None or findings.wrong:
        raise Irregular
    return _Plan(
        header=header, summary=found[0], summary_cells=row, summary_style=found[1], encoding=encoding,
        convert=_convert(header), data_start=summary_end, data_line=3, summary_short=missing > 0,
    )  # fmt: skip


def _convert(header: Header) -> Any:
    """Types by column. The summary's columns are of type null: any text in them is an error, hence irregular."""
    types: dict[str, Any] = {}
    for name in header.names:
        if name in columns.SUMMARY_ONLY:
            types[name] = pa.null()
        elif name in _PLAIN_TEXT:
            types[name] = pa.string()
        else:
            types[name] = _DICTIONARY
    return csv.ConvertOptions(
        column_types=types, strings_can_be_null=False, null_values=[""], check_utf8=True
    )


def _table(data: Array, plan: _Plan) -> Array:
    return csv.read_csv(
        pa.BufferReader(data),
        parse_options=_PARSE,
        read_options=csv.ReadOptions(
            block_size=max(data.size, 1) + 1, use_threads=False, column_names=list(plan.header.names)
        ),
        convert_options=plan.convert,
    )


def _load(span: _Span, plan: _Plan) -> tuple[Array, int, Lines | None, int]:
    """The block's table, its number of lines, the line of each row where that is not simply the next one."""
    if not len(span):
        raise Irregular
    if plan.encoding not in ("utf-8", "utf-8-sig"):
        decoded = bytes(span.view).decode(plan.encoding).encode()
        span = _Span(decoded, 0, len(decoded))
    if span.has(b"\0"):
        raise Irregular
    if not span.has(b"\r"):
        try:
            table = _table(pa.py_buffer(span.view), plan)
            # Arrow skips empty lines without a word, which would shift the line numbers
            if table.num_rows == span.lines():
                return table, table.num_rows, None, 0
        except arrow.ArrowInvalid:
            pass
    text, row_lines, lines, short = _regular(bytes(span.view), len(plan.header.names))
    if not text:
        raise Irregular
    table = _table(pa.py_buffer(text), plan)
    if table.num_rows != len(row_lines):
        raise Irregular
    return table, lines, row_lines, short


def _regular(text: bytes, width: int) -> tuple[bytes, Lines, int, int]:
    """The block with LF ends only, blank lines left out, short rows padded; and the line of each row, from 0."""
    lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if not lines[-1]:
        lines.pop()
    kept: list[bytes] = []
    numbers: list[int] = []
    short = 0
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        missing = width - 1 - line.count(b"\t")
        if missing < 0:
            raise Irregular
        short += missing > 0
        kept.append(line + b"\t" * missing if missing else line)
        numbers.append(number)
    joined = b"\n".join(kept)
    return joined + b"\n" if kept else b"", np.array(numbers, dtype=np.int64), len(lines), short


def _values(table: Array, name: str) -> Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _style(data: _Span, plan: _Plan) -> _Style:
    """Decimal sign and day style, from the first block; the other blocks must follow them."""
    sample_end = data.buffer.find(b"\n", min(data.start + _SAMPLE_BYTES, data.end - 1), data.end) + 1
    table, _, _, _ = _load(_Span(data.buffer, data.start, sample_end or data.end), plan)
    amounts = pc.utf8_trim(_values(table, columns.AMOUNT).dictionary, " ")
    total = plan.summary_cells[columns.TOTAL]
    signs: list[Sign] = []
    for sign in (".", ","):
        proof = SignEvidence()
        proof.see(2, columns.TOTAL, total)
        proven = proof.sign == sign
        if proven or _any(
            pc.match_substring_regex(amounts, rf"^-?[0-9]+[{sign}]([0-9]{{1,2}}|[0-9]{{4,}})$")
        ):
            signs.append(sign)
    if len(signs) > 1:
        raise Irregular
    times = _values(table, columns.POSTED_TIME).dictionary
    sample = times[0].as_py() if len(times) else ""
    day = next((name for name, (pattern, _) in _DAYS.items() if _any(pc.match_substring_regex(
        pa.array([sample]), pattern))), "year-month-day")  # fmt: skip
    return _Style(signs[0] if signs else "", day)


def _any(mask: Array) -> bool:
    return bool(pc.any(mask, min_count=0).as_py())


def _all(mask: Array) -> bool:
    return bool(pc.all(mask, min_count=0).as_py())


def _parse(data: _Span, plan: _Plan) -> _Block:
    table, lines, row_lines, short = _load(data, plan)
    style = plan.style
    if style is None:
        raise Irregular
    ids = _values(table, columns.ID).dictionary
    if len(ids) > 1 or (len(ids) == 1 and ids[0].as_py() != plan.summary_cells[columns.ID]):
        raise Irregular
    amount = _amount(_values(table, columns.AMOUNT), style.sign)
    posted = _posted(_values(table, columns.POSTED_TIME), style.day)
    if columns.POSTED_DATE in plan.header.names:
        _check_day(_values(table, columns.POSTED_DATE), posted, style.day)
    quantity = (
        _quantity(_values(table, columns.QUANTITY))
        if columns.QUANTITY in plan.header.names
        else pa.nulls(table.num_rows, pa.int64())
    )
    arrays: dict[str, Array] = {"amount": amount, "posted_at": posted, "quantity": quantity}
    blank = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, dtype=np.int32)), pa.array([""]))
    for name, target in V2_TEXT.items():
        if name in plan.header.names:
            arrays[target] = table.column(name)
        else:
            arrays[target] = blank.dictionary_decode() if name in _PLAIN_TEXT else blank
    arrays["extra"] = _extra(table, plan).dictionary_encode() if plan.header.unknown else blank
    names = [name for name in Schema.names if name in arrays]
    total = pc.sum(amount).as_py() or Decimal(0)
    least_most = (
        pc.min_max(posted).as_py() if len(posted) else {"min": plan.summary.start, "max": plan.summary.start}
    )
    return _Block(
        pa.table([arrays[name] for name in names], names=names), total, lines, row_lines, short,
        least_most["min"].replace(tzinfo=UTC), least_most["max"].replace(tzinfo=UTC),
    )  # fmt: skip


def _amount(cells: Array, sign: Sign) -> Array:
    """Exact decimals, or Irregular: `numbers.parse` as an expression, on distinct texts only."""
    texts = pc.utf8_trim(cells.dictionary, " ")
    fraction = rf"(\{sign}[0-9]{{1,{MOST_DECIMALS}}})?" if sign else ""
    if not _all(pc.match_substring_regex(texts, rf"^-?[0-9]{{1,{MOST_WHOLE_DIGITS}}}{fraction}$")):
        raise Irregular
    if sign == ",":
        texts = pc.replace_substring(texts, ",", ".")
    return texts.cast(Schema.field("amount").type).take(cells.indices)


def _posted(cells: Array, day: str) -> Array:
    """UTC instants, or Irregular: `instants.read_instant` as an expression, for the zone written ` UTC`."""
    pattern, rearrange = _DAYS[day]
    texts = cells.dictionary
    if not _all(pc.match_substring_regex(texts, rf"{pattern} {_TIME} UTC$")):
        raise Irregular
    texts = pc.utf8_slice_codeunits(texts, 0, 19)
    if rearrange:
        texts = pc.replace_substring_regex(texts, *rearrange)
    return texts.cast(pa.timestamp("us")).take(cells.indices)


def _check_day(cells: Array, posted: Array, day: str) -> None:
    """`posted-date` must be the UTC day of `posted-date-time`; anything else is for `careful` to word."""
    pattern, rearrange = _DAYS[day]
    texts = cells.dictionary
    if not _all(pc.match_substring_regex(texts, rf"{pattern}$")):
        raise Irregular
    if rearrange:
        texts = pc.replace_substring_regex(texts, *rearrange)
    days = texts.cast(pa.date32()).take(cells.indices)
    if not days.equals(posted.cast(pa.date32(), safe=False)):
        raise Irregular


def _quantity(cells: Array) -> Array:
    texts = pc.utf8_trim(cells.dictionary, " ")
    if not _all(pc.match_substring_regex(texts, r"^(-?[0-9]{1,15})?$")):
        raise Irregular
    return pc.if_else(pc.equal(texts, ""), None, texts).cast(pa.int64()).take(cells.indices)


def _extra(table: Array, plan: _Plan) -> Array:
    """Unknown columns as JSON text, as `careful.extra_json` writes them."""
    fragments: list[Array] = []
    for name in plan.header.unknown:
        cells = _values(table, name)
        key = json.dumps(name, ensure_ascii=False)
        shown = [
            f"{key}:{json.dumps(t, ensure_ascii=False)}" if t else None for t in cells.dictionary.to_pylist()
        ]
        fragments.append(pa.array(shown, pa.string()).take(cells.indices))
    joined = pc.binary_join_element_wise(*fragments, ",", null_handling="skip")
    braced = pc.binary_join_element_wise("{", joined, "}", "")
    return pc.if_else(pc.equal(joined, ""), "", braced)


class _Totals:
    """Numbers the rows in file order and keeps the sums."""

    def __init__(self, plan: _Plan) -> None:
        self._summary = plan.summary
        self._line = plan.data_line
        self._findings = plan.findings
        self.rows = 0
        self.sum = Decimal(0)
        self.short_rows = int(plan.summary_short)

    def take(self, block: _Block) -> list[Array]:
        count = block.table.num_rows
        self.sum = EXACT.add(self.sum, block.sum)
        self.short_rows += block.short_rows
        ordinals = np.arange(self.rows + 1, self.rows + count + 1, dtype=np.int64)
        lines = block.row_lines if block.row_lines is not None else np.arange(count, dtype=np.int64)
        added = {
            "ordinal": pa.array(ordinals),
            "part": pa.array(np.zeros(count, dtype=np.int8)),
            "line": pa.array(lines + self._line),
        }
        self.rows += count
        self._line += block.lines
        if not count:
            return []
        for posted in (block.first_posted, block.last_posted):
            check_posted(posted, self._summary, self._findings, None)
        arrays = [added[n] if n in added else block.table.column(n) for n in Schema.names]
        return [pa.Table.from_arrays(arrays, schema=_SCHEMA)]

    def result(self, plan: _Plan) -> ReadSettlement:
        """The settlement; Irregular when it does not foot, for `careful` says so best."""
        if EXACT.subtract(self._summary.total, self.sum) != 0:
            raise Irregular
        style = plan.style
        days = dict.fromkeys([*plan.summary_style.split("+"), *([style.day] if style and self.rows else [])])
        return ReadSettlement(
            summary=self._summary, variant=V2, encoding=plan.encoding, rows=self.rows, amounts=self.rows,
            sum=self.sum, number_style=(style.sign if style else "") or "whole", date_style="+".join(days),
            columns=plan.header.names, unknown_columns=plan.header.unknown, short_rows=self.short_rows,
            warnings=tuple(plan.findings.odd), path="fast",
        )  # fmt: skip
