"""From Booked to Verified, or back to open: each decision held against what NetSuite says now.

Belongs here: comparing our documents, read back, with what was booked. Does not belong here: reading, writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.integrations.amazon_netsuite import settlement_journal
from ledger_pipelines.integrations.amazon_netsuite.books import CREDIT_MEMO
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decide import worklist_key
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision, Planned
from ledger_pipelines.integrations.amazon_netsuite.payments import PAYMENT
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL, ReadBack
from ledger_pipelines.integrations.amazon_netsuite.refunds import CUSTOMER_REFUND
from ledger_pipelines.integrations.amazon_netsuite.settlement_journal import (
    DEPOSITED,
    FORWARD_IN,
    FORWARD_OUT,
    TRANSACTIONS,
)
from ledger_pipelines.integrations.amazon_netsuite.worklist import (
    CASH_SALE_IN_CLEARING,
    RESOLVED,
    GroupState,
    amount_text,
    ignored,
)
from ledger_pipelines.sync.plan import Reason

REOPENED = frozenset({"document-gone", "document-changed", "no-longer-applied", "journal-gone"})
"""Reasons of groups that a change in NetSuite opened again."""
LETTERS = {PAYMENT: "P", CREDIT_MEMO: "C", CUSTOMER_REFUND: "R"}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One settlement in figures; every difference is in the settlement's currency.

    booked: what the journals put on the bank (or owe to Amazon). clearing: what our documents left on the clearing
    account, counting what persons booked by hand (`by_hand`: the ignored groups). difference: deposit - booked.
    """

    currency: str
    deposit: Decimal
    paid: Decimal
    refunded: Decimal
    journaled: Decimal
    booked: Decimal
    clearing: Decimal
    difference: Decimal
    groups: int
    resolved: int
    open: int
    by_hand: Decimal = ZERO

    @property
    def clean(self) -> bool:
        """Deposit = booked, clearing 0, nothing open."""
        return self.difference == 0 and self.clearing == 0 and self.open == 0


def verified(ctx: Context, decisions: Sequence[Decision], after: ReadBack) -> list[Decision]:
    """Each decision with the state it has in the light of the read-back."""
    gone = _journal_gone(ctx, decisions, after)
    done = any(d.record == JOURNAL and not d.voided for d in after.documents)
    done = done or not settlement_journal.rows(ctx, decisions)
    return [_one(ctx, decision, after, done, gone) for decision in decisions]


def _journal_gone(ctx: Context, decisions: Sequence[Decision], after: ReadBack) -> Reason | None:
    """Why the journals do not stand any more: one that was confirmed is not there."""
    for month, known in settlement_journal.written(ctx, decisions).items():
        there = after.by_external_id.get(settlement_journal.journal_external_id(ctx, month))
        if known.state is EffectState.CONFIRMED and (there is None or there.voided):
            return Reason(
                "journal-gone",
                f"The journal of {month} was booked (id {known.remote_id}) and is gone from NetSuite.",
                "Book it again by hand in NetSuite: it is never sent twice.",
            )
    return None


def _one(
    ctx: Context, decision: Decision, after: ReadBack, journal_done: bool, gone: Reason | None
) -> Decision:
    if not decision.documents:
        if not decision.settled or decision.state is GroupState.IGNORED:
            return decision
        if gone is not None:
            return replace(decision, state=GroupState.ERROR, reason=gone)
        return replace(decision, state=GroupState.VERIFIED) if journal_done else decision
    if decision.state is not GroupState.BOOKED:
        return decision
    for planned in decision.documents:
        trouble = _trouble(ctx, decision, planned, after)
        if trouble is not None:
            if worklist_key(ctx, decision.group) in ctx.journal.ignored:
                trouble = (GroupState.IGNORED, ignored())
            there = _still_there(ctx, decision, after)
            return replace(decision, state=trouble[0], reason=trouble[1], documents=there)
    return replace(
        decision,
        state=GroupState.VERIFIED,
        reason=Reason("verified", "Read back from NetSuite: all of it agrees."),
    )


def _still_there(ctx: Context, decision: Decision, after: ReadBack) -> tuple[Planned, ...]:
    """The documents, without the ids of those that are gone: nothing can refer to them."""
    return tuple(
        d if ctx.external_id(LETTERS[d.kind], d.key) in after.by_external_id else replace(d, remote_id="")
        for d in decision.documents
    )


def reopened(decisions: Sequence[Decision]) -> list[Decision]:
    """Of verified decisions those that were booked and changed in NetSuite since."""
    return [d for d in decisions if d.reason.code in REOPENED]


def _trouble(
    ctx: Context, decision: Decision, planned: Planned, after: ReadBack
) -> tuple[GroupState, Reason] | None:
    document = after.by_external_id.get(ctx.external_id(LETTERS[planned.kind], planned.key))
    order = decision.group.order_id
    if document is None or document.voided:
        return GroupState.ERROR, Reason(
            "document-gone",
            f"{planned.title} was booked (id {planned.remote_id}) and is gone from NetSuite.",
            "If that was meant, or once it is booked again by hand, ignore the group: it is never sent twice.",
        )
    if planned.amount and document.total != abs(planned.amount):
        return GroupState.AMOUNT_DIFFERS, Reason(
            "document-changed",
            f"{document.number} for order {order} was booked over {amount_text(planned.amount, ctx.currency)} and says "
            f"{amount_text(document.total, ctx.currency)} now.",
            "Undo the change in NetSuite, or ignore the group.",
        )
    if planned.kind in (PAYMENT, CREDIT_MEMO) and document.unused:
        return GroupState.MATCHED, Reason(
            "no-longer-applied",
            f"{amount_text(document.unused, ctx.currency)} of {document.number} is not applied any more (order {order}).",
            "Apply it again in NetSuite, or ignore the group.",
        )
    return None


def reconcile(ctx: Context, decisions: Sequence[Decision], after: ReadBack) -> Reconciliation:
    """The figures of one settlement, from NetSuite's own ledger."""
    deposit = ctx.settlement.total.amount
    booked = sum((line.foreign for line in after.journal_lines() if line.memo == DEPOSITED), ZERO)
    other = sum((-line.foreign for line in after.journal_lines() if _is_fee(line.memo)), ZERO)
    cash_sales = sum((d.claimed for d in decisions if d.reason.code == CASH_SALE_IN_CLEARING), ZERO)
    by_hand = sum((d.claimed for d in decisions if _is_by_hand(d)), ZERO)
    clearing = after.posted(ctx.clearing) + cash_sales + by_hand
    if ctx.refund_account != ctx.clearing:
        clearing += after.posted(ctx.refund_account)
    resolved = sum(1 for d in decisions if d.state in RESOLVED or d.reason.code == CASH_SALE_IN_CLEARING)
    return Reconciliation(
        currency=ctx.currency,
        deposit=deposit,
        paid=after.total(PAYMENT) + cash_sales,
        refunded=after.total(CUSTOMER_REFUND),
        journaled=other,
        booked=booked,
        clearing=clearing,
        difference=deposit - booked,
        groups=len(decisions),
        resolved=resolved,
        open=len(decisions) - resolved,
        by_hand=by_hand,
    )


def _is_by_hand(decision: Decision) -> bool:
    """A person took it upon themselves: the money of an ignored group passes through clearing by their own documents."""
    written = any(d.state is GroupState.BOOKED for d in decision.documents)
    return decision.state is GroupState.IGNORED and decision.basis is not None and not written


def _is_fee(memo: str) -> bool:
    return memo not in (DEPOSITED, FORWARD_IN, FORWARD_OUT) and not memo.startswith(TRANSACTIONS)
