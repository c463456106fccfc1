"""Flow 1, settlement records: one summary and one transaction record a group, as custom records.

Belongs here: their bodies when they are first written. Does not belong here: what changes later (`summary_update`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.documents.keys import Json, canonical, external_id
from ledger_pipelines.documents.money import ZERO, Money, plain
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision, from_journal
from ledger_pipelines.integrations.amazon_netsuite.record_fields import (
    SUMMARY,
    TXN,
    Channel,
    SummaryStatus,
    fields,
    listed,
    reference,
)
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState, amount_text
from ledger_pipelines.sync.plan import PlanRow, Reason

FLOW = "settlement_records"
NAME_LENGTH = 250
ROWS_LENGTH = 3900


def summary_key(ctx: Context) -> str:
    """Key of the settlement summary."""
    return ctx.key(ctx.settings.records.summary_record, ctx.sid, "summary")


def summary_external_id(ctx: Context) -> str:
    """`AZS-<settlement id>`."""
    return external_id("AZS", ctx.sid)


def transaction_key(ctx: Context, group: SettlementGroup) -> str:
    """Key of a group's transaction record."""
    return ctx.group_key(ctx.settings.records.transaction_record, group, "transaction")


def rows(ctx: Context, decisions: Sequence[Decision]) -> list[PlanRow]:
    """The summary, then a record a group."""
    return [_summary(ctx, [d.group for d in decisions]), *(_transaction(ctx, d.group) for d in decisions)]


def _row(ctx: Context, effect: Effect, amount: Money, reason: Reason) -> PlanRow:
    known = from_journal(ctx, effect.key, effect.kind, effect.title, amount.amount)
    if known is not None:
        return PlanRow(
            Action.SKIP,
            known.reason,
            effect.key,
            effect.number,
            effect.title,
            effect.kind,
            amount,
            state=known.state,
        )
    return PlanRow(
        effect.action,
        reason,
        effect.key,
        effect.number,
        effect.title,
        effect.kind,
        amount,
        effect,
        GroupState.NEW,
    )


def file_sums(groups: Iterable[SettlementGroup]) -> dict[str, Decimal]:
    """Orders, refunds, fees, other, reserve in and out, from the file: they sum to the deposit."""
    sums = dict.fromkeys(("orders", "refunds", "fees", "other", "reserve_in", "reserve_out"), ZERO)
    for group in groups:
        amounts = group.amounts
        if group.cls is TransactionClass.RESERVE:
            for part in group.kinds:
                sums["reserve_in" if part.amount > 0 else "reserve_out"] += part.amount
            continue
        sums["fees"] += amounts.fees
        rest = amounts.net - amounts.fees
        if group.cls is TransactionClass.ORDER:
            sums["orders"] += rest
        elif group.cls in (TransactionClass.REFUND, TransactionClass.CHARGEBACK):
            sums["refunds"] += rest
        else:
            sums["other"] += rest
    return sums


def _summary(ctx: Context, groups: Sequence[SettlementGroup]) -> PlanRow:
    records, settlement = ctx.settings.records, ctx.settlement
    key = summary_key(ctx)
    body: dict[str, Json] = {
        "externalId": summary_external_id(ctx),
        "name": f"{ctx.marked}{ctx.sid}",
        **fields(
            records,
            SUMMARY,
            {
                "settlement_id": ctx.sid,
                "account": ctx.source,
                "start": business_date(settlement.start, ctx.zone),
                "end": business_date(settlement.end, ctx.zone),
                "deposit_date": ctx.deposit_day,
                "currency": reference(ctx.books.currencies.get(ctx.currency, "")),
                "deposit_amt": settlement.total.amount,
                **file_sums(groups),
                "status": listed(records, "sum_status", SummaryStatus.LOADED),
                "file_hash": settlement.content_hash,
            },
        ),
    }
    effect = ctx.effect(
        FLOW,
        records.summary_record,
        key,
        external_id=summary_external_id(ctx),
        number=ctx.sid,
        title=f"Summary of settlement {ctx.sid}",
        body=body,
        source=f"file:{settlement.content_hash}",
    )
    reason = Reason(
        "load", f"Settlement {ctx.sid}: deposit {settlement.total}, {settlement.rows} rows, foots."
    )
    return _row(ctx, effect, settlement.total, reason)


def transaction_external_id(ctx: Context, group: SettlementGroup) -> str:
    """`AZS-<settlement id>-T-<key>`."""
    return ctx.external_id("T", transaction_key(ctx, group))


def transaction_name(ctx: Context, group: SettlementGroup) -> str:
    """Name of a group's transaction record."""
    return f"{ctx.marked}{ctx.sid} {group.type} {group.order_id or group.key}"[:NAME_LENGTH]


def _transaction(ctx: Context, group: SettlementGroup) -> PlanRow:
    records, amounts = ctx.settings.records, group.amounts
    key = transaction_key(ctx, group)
    reference_text = transaction_external_id(ctx, group)
    name = transaction_name(ctx, group)
    channel = group.channel if group.channel in (Channel.AFN, Channel.MFN) else Channel.NONE
    body: dict[str, Json] = {
        "externalId": reference_text,
        "name": name,
        **fields(
            records,
            TXN,
            {
                "summary": {"id": {"$link": summary_key(ctx)}},
                "key": group.key,
                "type": listed(records, "txn_type", group.cls),
                "order_id": group.order_id,
                "merchant_order_id": group.merchant_order_id,
                "adjustment_id": group.adjustment_id,
                "shipment_id": group.shipment_id,
                "channel": listed(records, "txn_channel", channel),
                "posted": business_date(group.posted_first, ctx.zone),
                "product": amounts.product,
                "shipping": amounts.shipping,
                "giftwrap": amounts.giftwrap,
                "promo": amounts.promotion,
                "tax": amounts.tax,
                "withheld_tax": amounts.withheld_tax,
                "fees": amounts.fees,
                "net": amounts.net,
                "status": listed(records, "txn_status", GroupState.NEW),
                "rows": _rows_text(group),
            },
        ),
    }
    effect = ctx.effect(
        FLOW,
        records.transaction_record,
        key,
        external_id=reference_text,
        number=group.order_id or ctx.sid,
        title=f"Settlement transaction {group.key}",
        body=body,
        depends_on=(summary_key(ctx),),
        source=ctx.source_of(group),
    )
    amount = Money(amounts.net, ctx.currency)
    return _row(
        ctx,
        effect,
        amount,
        Reason("load", f"{group.rows} rows, net {amount_text(amounts.net, ctx.currency)}."),
    )


def _rows_text(group: SettlementGroup) -> str:
    """Compact JSON of the group's rows summed by kind, with their place in the file."""
    kinds: list[Json] = [[part.kind.triple, plain(part.amount, 2), part.rows] for part in group.kinds]
    text = canonical({"ordinals": list(group.ordinals), "kinds": kinds})
    if len(text) <= ROWS_LENGTH:
        return text
    return canonical({"ordinals": list(group.ordinals), "kinds_left_out": len(kinds)})
