"""Looking into a settlement file without taking it in: `settlement inspect`.

Belongs here: the object the command prints. Does not belong here: printing (`cli`), storing (`arrival`).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import exponent, plain
from ledger_pipelines.documents.settlement import Component, SettlementGroup
from ledger_pipelines.storage.settlement_rows import KindSum, SettlementRows
from ledger_pipelines.systems.amazon.settlement.findings import Finding, Partial, SettlementRefusedError
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.settlement.reader import read_settlement
from ledger_pipelines.systems.amazon.vocabulary import classify


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file holds. `partial.findings` is empty exactly when it would be accepted."""

    partial: Partial
    groups: tuple[SettlementGroup, ...]
    kinds: tuple[KindSum, ...]
    warnings: tuple[Finding, ...]

    @property
    def acceptable(self) -> bool:
        """Whether the file would be accepted."""
        return not self.partial.findings

    def as_json(self) -> dict[str, Json]:
        """The object of `settlement inspect --json`; amounts are plain decimal text, instants ISO 8601 in UTC."""
        found = self.partial
        digits = exponent(found.currency or "")

        def money(amount: Decimal | None) -> str | None:
            return None if amount is None else plain(amount, digits)

        return {
            "settlement_id": found.settlement_id,
            "variant": found.variant,
            "encoding": found.encoding,
            "currency": found.currency,
            "start": _iso(found.start),
            "end": _iso(found.end),
            "deposit_date": _iso(found.deposit),
            "total_amount": money(found.total),
            "rows": found.rows,
            "sum_amount": money(found.sum),
            "foots": found.total is not None and found.total == found.sum,
            "groups": [_group(group, digits) for group in self.groups],
            "by_kind": {
                kind.kind.triple: {"rows": kind.rows, "amount": plain(kind.amount, digits)} for kind in self.kinds
            },
            "errors": [
                {
                    "code": finding.code, "line": finding.line, "column": finding.column, "value": finding.value,
                    "message": finding.message, "remedy": finding.remedy,
                }
                for finding in found.findings
            ],
        }  # fmt: skip


def inspect_file(path: Path, options: ReadOptions | None = None) -> Inspection:
    """Read a file and say what it holds; nothing is kept.

    Raises:
        OSError: The file or the disk.
    """
    with tempfile.TemporaryDirectory(prefix="settlement-") as folder:
        work = Path(folder)
        rows = work / "rows.parquet"
        warnings: tuple[Finding, ...] = ()
        try:
            asked = replace(options or ReadOptions(), rows_of_refused=True)
            read = read_settlement(path, rows, work, asked)
            summary = read.summary
            partial = Partial(
                summary.settlement_id, read.variant, read.encoding, summary.currency, summary.start, summary.end,
                summary.deposit, summary.total, read.rows, read.sum,
            )  # fmt: skip
            warnings = read.warnings
        except SettlementRefusedError as refusal:
            partial = refusal.partial
        if partial.sum is None or not rows.exists():
            return Inspection(partial, (), (), warnings)
        found = SettlementRows(rows, classify)
        return Inspection(partial, tuple(found.groups()), found.by_kind(), warnings)


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _group(group: SettlementGroup, digits: int) -> dict[str, Json]:
    return {
        "type": group.type,
        "class": str(group.cls),
        "category": group.key.split("|")[2] if not group.order_id else "",
        "order_id": group.order_id,
        "adjustment_id": group.adjustment_id,
        "shipment_id": group.shipment_id,
        "marketplace": group.marketplace,
        "channel": group.channel,
        "amounts": {str(c): plain(getattr(group.amounts, str(c)), digits) for c in Component},
        "net": plain(group.amounts.net, digits),
        "rows": group.rows,
    }
