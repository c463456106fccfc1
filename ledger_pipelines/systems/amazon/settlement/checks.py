"""What every variant must satisfy: the summary, one settlement, one currency, footing to the cent.

Belongs here: checks on values that have been read, and collecting findings. Does not belong here: reading bytes.
Facts: amazon-settlement.md 10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal

from ledger_pipelines.documents.money import exponent, plain
from ledger_pipelines.systems.amazon.settlement import columns
from ledger_pipelines.systems.amazon.settlement.findings import (
    DOWNLOAD_AGAIN,
    MOST_FINDINGS,
    Finding,
    Partial,
    SettlementRefusedError,
)
from ledger_pipelines.systems.amazon.settlement.instants import (
    AmbiguousDateError,
    NotADateError,
    read_instant,
)
from ledger_pipelines.systems.amazon.settlement.numbers import NotANumberError, Sign, parse
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions, Summary

EXACT = Context(prec=60)
_SETTLEMENT_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
SLASH_REMEDY = (
    "State in the settings whether this account writes the month or the day first, then drop it again."
)


@dataclass(slots=True)
class Findings:
    """Collects what is wrong, up to a number a person would read, and what is merely odd."""

    partial: Partial
    wrong: list[Finding] = field(default_factory=list)
    odd: list[Finding] = field(default_factory=list)

    def add(
        self, code: str, message: str, remedy: str = DOWNLOAD_AGAIN, *, line: int | None = None, column: str = "",
        value: str = "",
    ) -> None:  # fmt: skip
        """Something that refuses the file."""
        if len(self.wrong) < MOST_FINDINGS:
            self.wrong.append(Finding(code, message, remedy, line, column, value))

    def warn(self, code: str, message: str, remedy: str, line: int | None = None, column: str = "") -> None:
        """Something to look at; one of each code is enough."""
        if all(finding.code != code for finding in self.odd):
            self.odd.append(Finding(code, message, remedy, line, column))

    def refusal(self) -> SettlementRefusedError:
        """The refusal carrying all of it."""
        self.partial.findings = list(self.wrong)
        return SettlementRefusedError(self.wrong, self.partial)


def at(line: int | None, column: str) -> str:
    """`Line 7, column amount`, or what there is of it."""
    return f"Line {line}, column {column}" if line is not None else f"Element {column}"


def read_amount(cell: str, sign: Sign, findings: Findings, line: int | None, column: str) -> Decimal | None:
    """The amount, or None with a finding."""
    try:
        return parse(cell, sign)
    except NotANumberError as error:
        findings.add(
            "unreadable-number", f"{at(line, column)}: the amount {cell!r} cannot be read: {error}.",
            line=line, column=column, value=cell,
        )  # fmt: skip
        return None


def read_time(
    cell: str,
    options: ReadOptions,
    findings: Findings,
    line: int | None,
    column: str,
    *,
    day_only: bool = False,
) -> tuple[datetime, str] | None:
    """The instant and its style, or None with a finding."""
    try:
        return read_instant(cell, options.slash_dates, day_only=day_only)
    except AmbiguousDateError as error:
        findings.add(
            "ambiguous-date", f"{at(line, column)}: the date {cell!r} cannot be read: {error}.", SLASH_REMEDY,
            line=line, column=column, value=cell,
        )  # fmt: skip
    except NotADateError as error:
        findings.add(
            "unreadable-date", f"{at(line, column)}: the date {cell!r} cannot be read: {error}.",
            line=line, column=column, value=cell,
        )  # fmt: skip
    return None


def read_summary(
    cells: Mapping[str, str], sign: Sign, options: ReadOptions, findings: Findings, line: int | None
) -> tuple[Summary, str] | None:
    """Understand the summary row; None with findings when something of it cannot be read.

    Args:
        cells: Column name to text; V2 names for every variant.
    """
    before = len(findings.wrong)
    partial = findings.partial
    settlement_id = cells[columns.ID].strip()
    if _SETTLEMENT_ID.fullmatch(settlement_id):
        partial.settlement_id = settlement_id
    else:
        findings.add(
            "unreadable-settlement-id",
            f"{at(line, columns.ID)}: {settlement_id!r} is not a settlement id (1 to 20 digits).",
            line=line, column=columns.ID, value=settlement_id,
        )  # fmt: skip
    currency = cells[columns.CURRENCY].strip()
    if _CURRENCY.fullmatch(currency):
        partial.currency = currency
        if options.currencies and currency not in options.currencies:
            findings.add(
                "wrong-currency",
                f"{at(line, columns.CURRENCY)}: the settlement is in {currency}, the connection in {' or '.join(options.currencies)}.",
                f"Drop the file into the folder of the connection whose currency is {currency}.",
                line=line, column=columns.CURRENCY, value=currency,
            )  # fmt: skip
    else:
        findings.add(
            "unknown-currency", f"{at(line, columns.CURRENCY)}: {currency!r} is not a currency code.",
            line=line, column=columns.CURRENCY, value=currency,
        )  # fmt: skip
    times = [
        read_time(cells[name], options, findings, line, name)
        for name in (columns.START, columns.END, columns.DEPOSIT)
    ]
    partial.start, partial.end, partial.deposit = (time[0] if time else None for time in times)
    partial.total = read_amount(cells[columns.TOTAL], sign, findings, line, columns.TOTAL)
    start, end, deposit = times
    if len(findings.wrong) > before and (not start or not end or not deposit or partial.total is None):
        return None
    if not start or not end or not deposit or partial.total is None:
        return None
    if start[0] > end[0]:
        findings.add(
            "unreadable-date", f"{at(line, columns.END)}: the settlement ends before it starts.",
            line=line, column=columns.END, value=cells[columns.END],
        )  # fmt: skip
    summary = Summary(settlement_id, start[0], end[0], deposit[0], partial.total, currency)
    return summary, "+".join(dict.fromkeys(time[1] for time in (start, end, deposit)))


def check_foots(
    summary: Summary, total: Decimal, findings: Findings, line: int | None, hint: str = ""
) -> None:
    """Refuse unless the amounts sum to `total-amount` exactly: no tolerance, no plug line (section 10)."""
    difference = EXACT.subtract(summary.total, total)
    if difference == 0:
        return
    digits = exponent(summary.currency)
    message = (
        f"The amounts sum to {plain(total, digits)} {summary.currency} but total-amount is "
        f"{plain(summary.total, digits)}: {plain(difference, digits)} is missing."
    )
    findings.add(
        "not-footing", f"{message} {hint}".strip(),
        f"The file is incomplete or was altered. {DOWNLOAD_AGAIN}",
        line=line, column=columns.TOTAL, value=plain(summary.total, digits),
    )  # fmt: skip


def check_posted(posted: datetime, summary: Summary, findings: Findings, line: int | None) -> None:
    """Warn of a posting outside the settlement's period (legitimate, but rare: section 10.3)."""
    if not summary.start <= posted <= summary.end:
        findings.warn(
            "posted-outside-period",
            f"{at(line, columns.POSTED_TIME)}: posted at {posted.isoformat()}, outside the settlement's period.",
            "Nothing needs doing; look at it if the month's figures surprise.",
            line, columns.POSTED_TIME,
        )  # fmt: skip


def warn_no_newline(findings: Findings) -> None:
    """Warn of a file that may have been cut in the text after its last amount."""
    findings.warn(
        "no-final-newline",
        "The last line does not end with a line end; Amazon's own files do.",
        "Nothing needs doing: the amounts sum to total-amount. The last row's text may have been cut.",
    )
