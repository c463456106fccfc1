"""What `--json` prints: the product's records as plain JSON values. Names here are API.

Belongs here: field names and order. Does not belong here: how it is printed (`output`).
Amounts are text with their currency beside them; instants are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.amazon_netsuite.results import RunResult, SettlementStatus
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.result import ApplyResult

if TYPE_CHECKING:
    from ledger_pipelines.cli.work import Failure

Shape = dict[str, Any]


def money(amount: Money | None) -> Shape | None:
    """`{"amount": "12.30", "currency": "USD"}`."""
    return None if amount is None else {"amount": amount.text, "currency": amount.currency}


def plan(one: Plan) -> Shape:
    """A plan with its rows, reasons and payloads."""
    return {
        "integration": one.integration,
        "flow": one.flow,
        "partition": one.partition,
        "connection": one.connection,
        "made_at": one.made_at,
        "digest": one.digest,
        "inputs": dict(one.inputs),
        "counts": {action.value: count for action, count in one.counts().items()},
        "totals": [
            {"action": t.action.value, "kind": t.kind, "count": t.count, "amount": money(t.amount)}
            for t in one.totals()
        ],
        "notes": list(one.notes),
        "rows": [_row(row) for row in one.rows],
    }


def _row(row: PlanRow) -> Shape:
    payload: Json = None if row.effect is None else decode(row.effect.body)
    return {
        "action": row.action.value,
        "code": row.reason.code,
        "reason": row.reason.text,
        "remedy": row.reason.remedy,
        "state": row.state,
        "number": row.number,
        "title": row.title,
        "kind": row.kind,
        "amount": money(row.amount),
        "key": row.key,
        "external_id": "" if row.effect is None else row.effect.external_id,
        "payload": payload,
    }


def result(one: ApplyResult) -> Shape:
    """What an apply did."""
    return cast("Shape", decode(one.to_json()))


def reconciliation(one: Reconciliation | None) -> Shape | None:
    """The figures of one settlement."""
    if one is None:
        return None
    figures = ("deposit", "paid", "refunded", "journaled", "booked", "clearing", "difference")
    return {
        "currency": one.currency,
        **{name: Money(getattr(one, name), one.currency).text for name in figures},
        "groups": one.groups,
        "resolved": one.resolved,
        "open": one.open,
        "clean": one.clean,
    }


def run(one: RunResult) -> Shape:
    """A settlement's run."""
    return {
        "settlement_id": one.settlement_id,
        "flows": [result(flow.result) for flow in one.flows],
        "reconciliation": reconciliation(one.reconciliation),
        "statement": None if one.statement is None else str(one.statement),
        "exit_code": one.exit_code,
    }


def status(one: SettlementStatus) -> Shape:
    """Where a settlement stands."""
    settlement = one.settlement
    return {
        "settlement_id": settlement.settlement_id,
        "connection": settlement.connection,
        "start": settlement.start,
        "end": settlement.end,
        "deposit_date": settlement.deposit,
        "deposit": money(settlement.total),
        "rows": settlement.rows,
        "status": one.status,
        "planned": one.planned,
        "open_items": one.open_items,
        "reconciliation": reconciliation(one.reconciliation),
    }


def open_item(one: OpenItem) -> Shape:
    """One thing that waits."""
    return {
        "key": one.key,
        "number": one.number,
        "partition": one.partition,
        "flow": one.flow,
        "state": one.state,
        "code": one.code,
        "reason": one.text,
        "remedy": one.remedy,
        "title": one.title,
        "amount": money(one.amount),
    }


def failures(some: Sequence[Failure]) -> list[Shape]:
    """Settlements whose turn ended in an error."""
    return [
        {
            "settlement_id": one.settlement_id,
            "code": one.error.code,
            "message": one.error.message,
            "remedy": one.error.remedy,
        }
        for one in some
    ]
