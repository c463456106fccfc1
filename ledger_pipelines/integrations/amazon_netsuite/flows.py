"""Decisions into plans: one plan a flow, rows in the order they are written.

Belongs here: which rows each flow's plan has, and the plans' inputs. Does not belong here: reading inputs (`service`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.keys import digest
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite import (
    order_invoices,
    payments,
    refunds,
    settlement_journal,
    settlement_records,
    summary_update,
)
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decide import REFUND_CLASSES, worklist_key
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decided, Decision, Planned
from ledger_pipelines.integrations.amazon_netsuite.readback import ReadBack
from ledger_pipelines.integrations.amazon_netsuite.verify import reconcile, verified
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState
from ledger_pipelines.sync.plan import Plan, PlanRow


def plan_flow(
    ctx: Context, flow: str, decided: Decided, made_at: datetime, after: ReadBack | None = None
) -> Plan:
    """One flow's sealed plan. `after` is needed by `summary_update` only."""
    inputs = {
        "settlement": ctx.settlement.rows_hash,
        "books": ctx.books.content_digest(),
        "settings": digest(msgspec.json.encode(ctx.settings.model_dump(mode="json"), order="sorted")),
        "mode": ctx.mode.value,
    }
    if flow == summary_update.FLOW and after is not None:
        inputs["readback"] = after.content_digest()
    return Plan(
        integration=ctx.integration,
        flow=flow,
        partition=ctx.sid,
        connection=ctx.target,
        made_at=made_at,
        inputs=tuple(sorted(inputs.items())),
        rows=tuple(_rows(ctx, flow, decided, after)),
    ).sealed()


def _rows(ctx: Context, flow: str, decided: Decided, after: ReadBack | None) -> Iterable[PlanRow]:
    if flow == settlement_records.FLOW:
        return settlement_records.rows(ctx, decided.decisions)
    if flow == order_invoices.FLOW:
        return [_planned(ctx, i.planned, i.order_id) for i in decided.invoices]
    if flow == payments.FLOW:
        return _documents(ctx, decided.decisions, frozenset({TransactionClass.ORDER}))
    if flow == refunds.FLOW:
        return _documents(ctx, decided.decisions, REFUND_CLASSES)
    if flow == settlement_journal.FLOW:
        return settlement_journal.rows(ctx, decided.decisions)
    if flow == summary_update.FLOW and after is not None:
        seen = verified(ctx, decided.decisions, after)
        return summary_update.rows(ctx, seen, reconcile(ctx, seen, after))
    raise ValueError(f"There is no flow {flow!r} here.")


def _documents(
    ctx: Context, decisions: Iterable[Decision], classes: frozenset[TransactionClass]
) -> Iterable[PlanRow]:
    for decision in decisions:
        group = decision.group
        if group.cls not in classes or not group.order_id:
            continue
        if decision.documents:
            for planned in decision.documents:
                yield _planned(ctx, planned, group.order_id, group)
            continue
        settled = decision.settled
        yield PlanRow(
            action=Action.SKIP if settled else Action.BLOCKED,
            reason=decision.reason,
            key=worklist_key(ctx, group),
            number=group.order_id,
            title=f"{group.type} {group.order_id}",
            amount=Money(decision.claimed, ctx.currency),
            state=decision.state,
        )


def _planned(ctx: Context, planned: Planned, number: str, group: SettlementGroup | None = None) -> PlanRow:
    stuck = planned.effect is None and planned.state not in (
        GroupState.BOOKED,
        GroupState.MATCHED,
        GroupState.IGNORED,
    )
    action = Action.SKIP
    if planned.effect is not None:
        action = planned.effect.action
    elif stuck:
        action = Action.BLOCKED
    return PlanRow(
        action=action,
        reason=planned.reason,
        key=worklist_key(ctx, group) if stuck and group is not None else planned.key,
        number=number,
        title=planned.title,
        kind=planned.kind,
        amount=Money(planned.amount, ctx.currency),
        effect=planned.effect,
        state=planned.state,
    )
