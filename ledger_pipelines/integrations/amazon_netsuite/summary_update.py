"""Flow 6, summary update: the records say what NetSuite says, and reopen what changed.

Belongs here: the changing fields of summary and transactions. Does not belong here: what the state is (`verify`).
Names and sums of the file are among them: those that test mode wrote become those of the whole settlement.
A record is written again only when what we would write differs from what we last wrote: each change is a revision
with a key of its own, so that it, too, is written exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger_pipelines.documents.effects import Action, Effect, EffectState
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.settlement import SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.books import CREDIT_MEMO
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision
from ledger_pipelines.integrations.amazon_netsuite.payments import PAYMENT
from ledger_pipelines.integrations.amazon_netsuite.record_fields import (
    SUMMARY,
    TXN,
    SummaryStatus,
    fields,
    listed,
    reference,
)
from ledger_pipelines.integrations.amazon_netsuite.refunds import CUSTOMER_REFUND
from ledger_pipelines.integrations.amazon_netsuite.settlement_records import (
    file_sums,
    summary_external_id,
    summary_key,
    transaction_external_id,
    transaction_key,
    transaction_name,
)
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
from ledger_pipelines.storage.journal import fingerprint
from ledger_pipelines.sync.plan import PlanRow, Reason

FLOW = "summary_update"
MESSAGE_LENGTH = 900


def rows(ctx: Context, decisions: Sequence[Decision], figures: Reconciliation) -> list[PlanRow]:
    """The summary's row and one a group whose record changes; rows in step are skipped.

    A record that nobody has ever meant to write (mode plan) has nothing to refresh: it has no row.
    """
    found = [
        _summary(ctx, figures, [d.group for d in decisions]),
        *(_transaction(ctx, decision) for decision in decisions),
    ]
    known = ctx.journal.known
    return [row for row in found if row.effect is None or all(key in known for key in row.effect.depends_on)]


def summary_status(figures: Reconciliation) -> SummaryStatus:
    """The summary's status in the light of the figures."""
    if figures.clean:
        return SummaryStatus.RECONCILED
    if figures.open:
        return SummaryStatus.NEEDS_REVIEW
    return SummaryStatus.BOOKED if figures.difference == 0 else SummaryStatus.MATCHING


def _summary(ctx: Context, figures: Reconciliation, groups: Sequence[SettlementGroup]) -> PlanRow:
    records = ctx.settings.records
    body = fields(
        records,
        SUMMARY,
        {
            "paid": figures.paid,
            "refunded": figures.refunded,
            "journaled": figures.journaled,
            "open_count": figures.open,
            "diff": figures.difference,
            "status": listed(records, "sum_status", summary_status(figures)),
            **file_sums(groups),
        },
    ) | {"name": f"{ctx.marked}{ctx.sid}"}
    effect = ctx.effect(
        FLOW,
        records.summary_record,
        "",
        action=Action.UPDATE,
        external_id=summary_external_id(ctx),
        number=ctx.sid,
        title=f"Summary of settlement {ctx.sid}: {summary_status(figures)}",
        body=body,
        depends_on=(summary_key(ctx),),
    )
    text = f"Deposit {figures.deposit}, booked {figures.booked}, open {figures.open}."
    return _revised(ctx, effect, ctx.sid, Reason("refresh", text), summary_status(figures))


def _transaction(ctx: Context, decision: Decision) -> PlanRow:
    records, group = ctx.settings.records, decision.group

    def remote(kind: str) -> Json:
        document = decision.document(kind)
        return reference(document.remote_id) if document is not None else None

    invoice = "" if decision.invoice.startswith("$") else decision.invoice
    if decision.invoice.startswith("$link:"):
        known = ctx.journal.confirmed(decision.invoice.removeprefix("$link:"))
        invoice = known.remote_id if known is not None else ""
    body = fields(
        records,
        TXN,
        {
            "sales_order": reference(decision.sales_order),
            "invoice": reference(invoice),
            "payment": remote(PAYMENT),
            "credit_memo": remote(CREDIT_MEMO),
            "refund": remote(CUSTOMER_REFUND),
            "status": listed(records, "txn_status", decision.state),
            "message": f"{decision.reason.text} {decision.reason.remedy}".strip()[:MESSAGE_LENGTH],
        },
    ) | {"name": transaction_name(ctx, group)}
    effect = ctx.effect(
        FLOW,
        records.transaction_record,
        "",
        action=Action.UPDATE,
        external_id=transaction_external_id(ctx, group),
        number=group.order_id or ctx.sid,
        title=f"Settlement transaction {group.key}: {decision.state}",
        body=body,
        depends_on=(transaction_key(ctx, group),),
    )
    return _revised(ctx, effect, f"{ctx.sid}/{group.key}", decision.reason, decision.state)


def _revised(ctx: Context, effect: Effect, source_id: str, reason: Reason, state: str) -> PlanRow:
    """The next revision of a record, or a skip when the last one says the same."""
    revision = 1
    while True:
        key = ctx.key(effect.kind, source_id, "status", revision)
        candidate = replace(effect, key=key)
        known = ctx.journal.known.get(key)
        following = ctx.journal.known.get(ctx.key(effect.kind, source_id, "status", revision + 1))
        if known is None or known.state in (EffectState.APPROVED, EffectState.REFUSED):
            return PlanRow(
                Action.UPDATE, reason, key, effect.number, effect.title, effect.kind, None, candidate, state
            )
        if following is None:
            if known.state is not EffectState.CONFIRMED:
                open_reason = Reason(
                    known.code or "open", known.text or "The last update is not known to have arrived."
                )
                return PlanRow(
                    Action.SKIP, open_reason, key, effect.number, effect.title, effect.kind, state=state
                )
            if known.body_hash == fingerprint(candidate):
                in_step = Reason("in-step", "The record says so already.")
                return PlanRow(
                    Action.SKIP, in_step, key, effect.number, effect.title, effect.kind, state=state
                )
        revision += 1
