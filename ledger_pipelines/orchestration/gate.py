"""The gate an export stands behind, whoever starts it.

Belongs here: what must hold before a flow may write for a settlement. Does not belong here: whether the plan is fresh
and whole, which the engine asks at the last moment (`sync.apply`). A blocking check stops downstream assets inside
one run only (dagster.md 6); a person who presses Materialize on a single export starts another run, so the export asks
for itself, and asks what is stored, not what Dagster remembers.
"""

from __future__ import annotations

from datetime import date

from ledger_pipelines.documents.settlement import Settlement
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.orchestration.names import is_settlement_id
from ledger_pipelines.orchestration.services import SettlementService


def accepted(service: SettlementService, sid: str, first_day: date | None = None) -> Settlement:
    """The settlement, if its file was accepted and foots, and it is not older than what is booked.

    Raises:
        RefusedError: It was not, or does not.
        DataError: What is stored cannot be read.
    """
    if not is_settlement_id(sid):
        raise RefusedError(
            f"{sid!r} is no settlement id.", remedy="Delete the partition; drop the file again."
        )
    if sid not in service.settlements():
        raise RefusedError(
            f"Settlement {sid} was not accepted, so nothing is done with it.",
            remedy="Drop its file into the drop folder; if it was refused, the reason lies beside it in refused/.",
            code="settlement-not-accepted",
        )
    settlement = service.settlement(sid)
    if settlement.sum != settlement.total:
        raise RefusedError(
            f"Settlement {sid} does not foot: its rows sum to {settlement.sum}, the file says {settlement.total}.",
            remedy="Nothing is booked. Download the file again and drop it.",
            code="does-not-foot",
        )
    if first_day is not None and settlement.deposit.date() < first_day:
        raise RefusedError(
            f"Settlement {sid} was deposited on {settlement.deposit:%Y-%m-%d}, before {first_day.isoformat()}: it is "
            "not booked here.",
            remedy="If it should be, move start_date of the integration (or of the connection) in ledger.yaml.",
            code="before-start",
        )
    return settlement
