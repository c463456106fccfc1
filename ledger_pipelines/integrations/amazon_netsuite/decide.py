"""Every group of a settlement decided once, in the order in which they touch the same invoices.

Belongs here: the order of deciding, test mode's selection. Does not belong here: the rules themselves
(`payments`, `refunds`), rows of plans (the flow modules).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decided, Decision, InvoicePlan
from ledger_pipelines.integrations.amazon_netsuite.matching import Payable
from ledger_pipelines.integrations.amazon_netsuite.order_invoices import forgotten
from ledger_pipelines.integrations.amazon_netsuite.payments import decide_order
from ledger_pipelines.integrations.amazon_netsuite.refunds import decide_refund
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState, ignored, nothing_to_pay

REFUND_CLASSES = frozenset({TransactionClass.REFUND, TransactionClass.CHARGEBACK})


def decide(ctx: Context, groups: Sequence[SettlementGroup]) -> Decided:
    """Decide all groups; decisions come back in the order of `groups`.

    Orders before refunds: a refund of an order that this settlement pays finds its invoice paid.
    """
    chosen = [g for g in groups if _selected(ctx, g)]
    payables: dict[str, Payable] = {}
    decided: dict[str, Decision] = {}
    invoices: dict[str, InvoicePlan] = {}
    orders: dict[str, list[SettlementGroup]] = {}
    for group in chosen:
        if group.cls is TransactionClass.ORDER and group.order_id:
            orders.setdefault(group.order_id, []).append(group)
    for of_order in orders.values():
        decisions, planned = decide_order(ctx, of_order, payables)
        decided |= {d.group.key: d for d in decisions}
        for invoice in planned:
            invoices.setdefault(invoice.planned.key, invoice)
    for invoice in forgotten(ctx, chosen):
        invoices.setdefault(invoice.planned.key, invoice)
    paid = {d.group.order_id for d in decided.values() if d.basis is not None}
    for group in chosen:
        if group.cls in REFUND_CLASSES and group.order_id:
            paid_here = group.order_id in paid
            decided[group.key] = decide_refund(ctx, group, payables, paid_here=paid_here)
        elif group.key not in decided:
            decided[group.key] = Decision(
                group, GroupState.MATCHED, nothing_to_pay("An account-level amount"), None
            )
    return Decided(tuple(_unless_ignored(ctx, decided[g.key]) for g in chosen), tuple(invoices.values()))


def _selected(ctx: Context, group: SettlementGroup) -> bool:
    return ctx.mode is not Mode.TEST or group.order_id in ctx.settings.general.amazon_order_ids


def worklist_key(ctx: Context, group: SettlementGroup) -> str:
    """The key by which a user names a group in `retry` and `ignore`."""
    return ctx.group_key("group", group, "worklist")


def _unless_ignored(ctx: Context, decision: Decision) -> Decision:
    ignored_keys = ctx.journal.ignored
    if not ignored_keys or worklist_key(ctx, decision.group) not in ignored_keys:
        return decision
    if decision.state is GroupState.BOOKED:
        return decision
    return replace(decision, state=GroupState.IGNORED, reason=ignored(), documents=())
