"""What is wrong with a settlement file, in words and by code.

Belongs here: the finding, the refusal that carries findings, what could be read of a refused file.
Does not belong here: deciding that something is wrong (the readers), moving refused files (`storage`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from ledger_pipelines.errors import DataError

DOWNLOAD_AGAIN = (
    "Download the settlement again from Seller Central or the API, and do not open it in a spreadsheet."
)
MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or odd: where, what, and what to do about it.

    line: 1-based line of the decoded file, blank lines counted; None where no single line is to blame.
    column: header name (flat files) or element name (XML), or "". value: the text as it stands, or "".
    """

    code: str
    message: str
    remedy: str
    line: int | None = None
    column: str = ""
    value: str = ""

    def sentence(self) -> str:
        """Message and remedy, as a person reads them."""
        return f"{self.message} {self.remedy}".strip()


@dataclass(slots=True)
class Partial:
    """What could be read of a file, also when it is refused. Instants are UTC."""

    settlement_id: str | None = None
    variant: str | None = None
    encoding: str | None = None
    currency: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    deposit: datetime | None = None
    total: Decimal | None = None
    rows: int = 0
    sum: Decimal | None = None
    findings: list[Finding] = field(default_factory=list)


class SettlementRefusedError(DataError):
    """A settlement file that is not accepted; it is kept as it is.

    Args:
        findings: At least one; the first is the one to show.
        partial: What could be read.
    """

    default_code = "settlement-refused"

    def __init__(self, findings: Sequence[Finding], partial: Partial | None = None) -> None:
        first = findings[0]
        super().__init__(first.message, remedy=first.remedy, code=first.code)
        self.findings = tuple(findings)
        self.partial = partial or Partial()
        if not self.partial.findings:
            self.partial.findings.extend(findings)


def refuse(
    code: str,
    message: str,
    remedy: str = DOWNLOAD_AGAIN,
    *,
    line: int | None = None,
    column: str = "",
    value: str = "",
    partial: Partial | None = None,
) -> SettlementRefusedError:
    """A refusal with one finding."""
    return SettlementRefusedError([Finding(code, message, remedy, line, column, value)], partial)
