"""Reading a flat file one row at a time, naming line, column and value of whatever is wrong.

Belongs here: the reading of V2 and V1 that decides. Does not belong here: the vectorised reading of the files that
have nothing wrong (`fast`), which must come to the same verdict, and V1's own terms (`v1`).
Facts: amazon-settlement.md 2, 3, 5-7, 10.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from pathlib import Path

from ledger_pipelines.systems.amazon.settlement import columns, v1
from ledger_pipelines.systems.amazon.settlement.checks import (
    EXACT,
    Findings,
    at,
    check_foots,
    check_posted,
    read_amount,
    read_summary,
    read_time,
    warn_no_newline,
)
from ledger_pipelines.systems.amazon.settlement.columns import Header, read_header
from ledger_pipelines.systems.amazon.settlement.findings import DOWNLOAD_AGAIN, Partial
from ledger_pipelines.systems.amazon.settlement.instants import same_day
from ledger_pipelines.systems.amazon.settlement.numbers import SignEvidence
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions, ReadSettlement, Summary
from ledger_pipelines.systems.amazon.settlement.rows import AmountRow, RowWriter
from ledger_pipelines.systems.amazon.settlement.source import Plain, ends_line, text_lines

_MOST_QUANTITY_DIGITS = 15
_TEXT = itemgetter(*columns.TEXT_COLUMNS)


@dataclass(slots=True)
class _Survey:
    """What the first pass over the file found."""

    header: Header
    summaries: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    evidence: SignEvidence = field(default_factory=SignEvidence)
    ids: Counter[str] = field(default_factory=Counter)
    first_line: dict[str, int] = field(default_factory=dict)
    short_rows: int = 0
    rows: int = 0


def read_flat(plain: Plain, encoding: str, rows_path: Path, options: ReadOptions) -> ReadSettlement:
    """Read a V2 or V1 file and write its rows.

    Raises:
        SettlementRefusedError: with every finding, up to twenty. `rows_path` may then hold a part; it means nothing.
    """
    partial = Partial(encoding=encoding)
    findings = Findings(partial)
    survey = _survey(plain, encoding, findings)
    header = survey.header
    partial.variant = header.variant
    partial.rows = survey.rows
    found = _check_survey(survey, options, findings)
    total, amounts, styles = Decimal(0), 0, dict[str, None]()
    carried = False
    with RowWriter(rows_path, always=options.rows_of_refused) as writer:
        for row, style in _amounts(plain, encoding, survey, found, options, findings):
            total = EXACT.add(total, row.amount)
            amounts += 1
            styles[style] = None
            carried = carried or row.amount_description.lower() in v1.RESERVE_TYPES
            writer.add(row)
        partial.sum = total
        if found is not None and not findings.wrong:
            hint = v1.RESERVE_HINT if header.variant == columns.V1 and not carried else ""
            check_foots(found[0], total, findings, survey.summaries[0][0], hint)
        if findings.wrong or found is None:
            raise findings.refusal()
    if not ends_line(plain):
        warn_no_newline(findings)
    return ReadSettlement(
        summary=found[0],
        variant=header.variant,
        encoding=encoding,
        rows=survey.rows,
        amounts=amounts,
        sum=total,
        number_style=survey.evidence.sign or "whole",
        date_style="+".join(dict.fromkeys([*found[1].split("+"), *styles])),
        columns=header.names,
        unknown_columns=header.unknown,
        short_rows=survey.short_rows,
        warnings=tuple(findings.odd),
        path="careful",
    )


def _too_long(cells: list[str], header: Header) -> bool:
    width = len(header.names)
    return len(cells) > width and (len(cells) > header.width or any(cell.strip() for cell in cells[width:]))


def _fit(cells: list[str], width: int) -> list[str]:
    """Pad a row whose trailing empty fields were cut off (section 2.1)."""
    return cells[:width] if len(cells) >= width else cells + [""] * (width - len(cells))


def _rows(plain: Plain, encoding: str) -> Iterator[tuple[int, list[str]]]:
    for number, text in text_lines(plain, encoding):
        yield number, text.split("\t")


def _survey(plain: Plain, encoding: str, findings: Findings) -> _Survey:
    """First pass: header, shape of the rows, summary rows, evidence for the decimal sign."""
    lines = text_lines(plain, encoding)
    number, text = next(lines)
    survey = _Survey(read_header(text, number))
    header = survey.header
    width = len(header.names)
    index = header.index()
    money = columns.V1_MONEY if header.variant == columns.V1 else (columns.AMOUNT,)
    money_at = [(name, index[name]) for name in money if name in index]
    id_at, total_at, type_at = index[columns.ID], index[columns.TOTAL], index[columns.TYPE]
    for number, text in lines:
        cells = text.split("\t")
        if _too_long(cells, header):
            findings.add(
                "too-many-fields",
                f"Line {number}: {len(cells)} fields, but the header has {width} columns.",
                f"A tab inside a field shifts everything after it. {DOWNLOAD_AGAIN}",
                line=number, column=f"field {width + 1}", value=cells[width],
            )  # fmt: skip
            continue
        survey.short_rows += len(cells) < width
        cells = _fit(cells, width)
        settlement_id = cells[id_at].strip()
        survey.ids[settlement_id] += 1
        survey.first_line.setdefault(settlement_id, number)
        survey.evidence.see(number, columns.TOTAL, cells[total_at])
        if cells[total_at].strip() and not cells[type_at].strip():
            survey.summaries.append((number, dict(zip(header.names, cells, strict=True))))
            continue
        survey.rows += 1
        for name, position in money_at:
            survey.evidence.see(number, name, cells[position])
    return survey


def _check_survey(survey: _Survey, options: ReadOptions, findings: Findings) -> tuple[Summary, str] | None:
    """Refusals that need the whole file: summary rows, foreign rows, the decimal sign."""
    evidence = survey.evidence
    if not survey.rows and not survey.summaries and not findings.wrong:
        findings.add("header-only", "The file has a header and no rows.", line=survey.header.line)
        return None
    if evidence.mixed:
        line, column, value = evidence.mixed
        findings.add(
            "ambiguous-number",
            f"{at(line, column)}: {value.strip()!r} has another decimal sign than earlier amounts of the file.",
            line=line, column=column, value=value,
        )  # fmt: skip
    if evidence.ambiguous:
        line, column, value = evidence.ambiguous
        findings.add(
            "ambiguous-number",
            f"{at(line, column)}: {value.strip()!r} may mean thousands or three decimals, and no other amount tells.",
            line=line, column=column, value=value,
        )  # fmt: skip
    if not survey.summaries:
        findings.add(
            "no-summary-row", "No row carries the settlement's total-amount.",
            f"The file was cut or put together by hand. {DOWNLOAD_AGAIN}", column=columns.TOTAL,
        )  # fmt: skip
    if len(survey.summaries) > 1:
        line, cells = survey.summaries[1]
        findings.add(
            "two-summary-rows", f"Line {line}: a second summary row, after the one on line {survey.summaries[0][0]}.",
            "Drop each settlement as a file of its own.",
            line=line, column=columns.TOTAL, value=cells[columns.TOTAL],
        )  # fmt: skip
    _check_ids(survey, findings)
    if not survey.summaries or evidence.mixed or evidence.ambiguous:
        if survey.summaries:
            read_summary(survey.summaries[0][1], evidence.sign, options, Findings(findings.partial), None)
        return None
    line, cells = survey.summaries[0]
    return read_summary(cells, evidence.sign, options, findings, line)


def _check_ids(survey: _Survey, findings: Findings) -> None:
    own = survey.summaries[0][1][columns.ID].strip() if survey.summaries else next(iter(survey.ids), "")
    for other, count in survey.ids.items():
        if other != own:
            line = survey.first_line[other]
            findings.add(
                "foreign-settlement-rows",
                f"{at(line, columns.ID)}: {count} row(s) belong to settlement {other!r}, the file to {own!r}.",
                "Drop each settlement as a file of its own.",
                line=line, column=columns.ID, value=other,
            )  # fmt: skip


def _amounts(
    plain: Plain,
    encoding: str,
    survey: _Survey,
    found: tuple[Summary, str] | None,
    options: ReadOptions,
    findings: Findings,
) -> Iterator[tuple[AmountRow, str]]:
    """Second pass: every amount of every detail row, with the style of its date."""
    header = survey.header
    width = len(header.names)
    quantities = v1.Quantities()
    is_v1 = header.variant == columns.V1
    summary = found[0] if found else None
    unknown = header.unknown
    ordinal = 0
    sign = survey.evidence.sign
    bad_sign = bool(survey.evidence.mixed or survey.evidence.ambiguous)
    lacking = {name: "" for name in columns.TEXT_COLUMNS if name not in header.names}
    stated = _stated(survey)
    rows = _rows(plain, encoding)
    next(rows)
    for line, cells in rows:
        if _too_long(cells, header):
            continue
        row = dict(zip(header.names, _fit(cells, width), strict=True))
        row.update(lacking)
        kind = row[columns.TYPE].strip()
        if row[columns.TOTAL].strip():
            if kind:
                findings.add(
                    "total-on-detail-row",
                    f"{at(line, columns.TOTAL)}: a detail row carries a total-amount.",
                    line=line, column=columns.TOTAL, value=row[columns.TOTAL],
                )  # fmt: skip
            continue
        ordinal += 1
        _check_summary_cells(row, line, stated, findings)
        posted = _posted(row, line, options, findings, is_v1=is_v1)
        quantity = _quantity(row.get(columns.QUANTITY, ""), line, findings)
        if is_v1:
            parts = v1.parts(row, kind, quantities, quantity)
        else:
            parts = [
                v1.Part(
                    columns.AMOUNT, row[columns.TYPE], row["amount-type"], row["amount-description"],
                    row[columns.AMOUNT], quantity, {},
                )
            ]  # fmt: skip
        extra = {name: row[name] for name in unknown if row[name]}
        for number, part in enumerate(parts):
            if bad_sign:
                continue
            amount = read_amount(part.cell, sign, findings, line, part.column)
            if amount is None or posted is None:
                continue
            if summary is not None:
                check_posted(posted[0], summary, findings, line)
            yield _row(row, part, amount, posted[0], extra, ordinal, number, line), posted[1]


def _row(
    row: dict[str, str], part: v1.Part, amount: Decimal, posted: datetime, extra: dict[str, str],
    ordinal: int, number: int, line: int,
) -> AmountRow:  # fmt: skip
    (
        order_id, merchant_order_id, adjustment_id, shipment_id, marketplace_name, fulfillment_id, order_item_code,
        merchant_order_item_id, merchant_adjustment_item_id, sku, promotion_id,
    ) = _TEXT(row)  # fmt: skip
    return AmountRow(
        ordinal, number, line, part.transaction_type, order_id, merchant_order_id, adjustment_id, shipment_id,
        marketplace_name, part.amount_type, part.amount_description, amount, fulfillment_id,
        posted.replace(tzinfo=None), order_item_code, merchant_order_item_id,
        merchant_adjustment_item_id, sku, part.quantity, promotion_id,
        extra_json({**extra, **part.extra}) if extra or part.extra else "",
    )  # fmt: skip


def extra_json(values: dict[str, str]) -> str:
    """Unknown columns as JSON text, names in file order; "" when there are none."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) if values else ""


def _stated(survey: _Survey) -> tuple[tuple[str, str], ...]:
    """What the summary says in the columns that a detail row may repeat; nothing when there is no summary."""
    if not survey.summaries:
        return ()
    cells = survey.summaries[0][1]
    repeated = (columns.START, columns.END, columns.DEPOSIT, columns.CURRENCY)
    return tuple((name, cells[name].strip()) for name in repeated if name in cells)


def _check_summary_cells(
    row: dict[str, str], line: int, stated: tuple[tuple[str, str], ...], findings: Findings
) -> None:
    """A detail row may repeat what the summary says (some tools fill down), but not contradict it."""
    for name, own in stated:
        cell = row[name]  # empty nearly always
        if cell and (cell := cell.strip()) and cell != own:
            code = "mixed-currency" if name == columns.CURRENCY else "foreign-settlement-rows"
            findings.add(
                code, f"{at(line, name)}: {cell!r} differs from the summary row's.",
                line=line, column=name, value=cell,
            )  # fmt: skip


def _posted(
    row: dict[str, str], line: int, options: ReadOptions, findings: Findings, *, is_v1: bool
) -> tuple[datetime, str] | None:
    """When the row was posted: `posted-date-time` (V2), `posted-date` (V1, or V2 without the other)."""
    day = row.get(columns.POSTED_DATE, "")
    if is_v1:
        return read_time(day, options, findings, line, columns.POSTED_DATE)
    time = row.get(columns.POSTED_TIME, "")
    if not time.strip():
        return read_time(day, options, findings, line, columns.POSTED_DATE, day_only=True)
    read = read_time(time, options, findings, line, columns.POSTED_TIME)
    if read is not None and day.strip():
        agrees = same_day(day, read[0])
        if agrees is None:
            read_time(day, options, findings, line, columns.POSTED_DATE, day_only=True)
        elif not agrees:
            findings.warn(
                "posted-date-differs",
                f"{at(line, columns.POSTED_DATE)}: {day!r} is not the UTC day of {time!r}; the latter is used.",
                "Nothing needs doing.", line, columns.POSTED_DATE,
            )  # fmt: skip
    return read


def _quantity(cell: str, line: int, findings: Findings) -> int | None:
    text = cell.strip(" ")
    if not text:
        return None
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_QUANTITY_DIGITS:
        return int(text)
    findings.add(
        "unreadable-number", f"{at(line, columns.QUANTITY)}: the quantity {cell!r} is not a whole number.",
        line=line, column=columns.QUANTITY, value=cell,
    )  # fmt: skip
    return None
