"""What was decided for each group: the hand-over from `decide` to the flows.

Belongs here: the type. Does not belong here: how it is reached. Structs, as the groups are (`documents.settlement`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct

from ledger_pipelines.documents.effects import Effect, EffectState
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.amounts import Basis
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.worklist import (
    JOURNAL_CODES,
    RESOLVED,
    GroupState,
    ignored,
    in_step,
)
from ledger_pipelines.sync.plan import Reason


class Planned(Struct, frozen=True):
    """One document of a group: to be written, or known to the journal already.

    effect: None when the journal knows it and it must not be planned again (confirmed, unknown, held).
    """

    key: str
    kind: str
    title: str
    amount: Decimal
    effect: Effect | None
    state: GroupState
    reason: Reason
    remote_id: str = ""


def from_journal(ctx: Context, key: str, kind: str, title: str, amount: Decimal) -> Planned | None:
    """The document as the journal knows it, over the amount it was sent with; None when it is still to be planned."""

    known = ctx.journal.known.get(key)
    meant = amount if known is None or known.amount is None else known.amount

    def known_as(state: GroupState, reason: Reason, remote_id: str = "") -> Planned:
        return Planned(key, kind, title, meant, None, state, reason, remote_id)

    if known is not None and known.state is EffectState.CONFIRMED:
        return known_as(GroupState.BOOKED, in_step(), known.remote_id)
    if key in ctx.journal.ignored or (known is not None and known.state is EffectState.IGNORED):
        return known_as(GroupState.IGNORED, ignored())
    if known is None or known.state in (EffectState.APPROVED, EffectState.REFUSED):
        return None
    if known.state is EffectState.HELD:
        reason = Reason(
            known.code or "held",
            known.text or "What NetSuite holds under our reference differs from what we sent.",
            known.remedy or "Compare the two, then `retry` or `ignore`.",
        )
        return known_as(GroupState.ERROR, reason)
    reason = Reason(
        "outcome-unknown",
        known.text
        or "Sent, and the answer was lost; NetSuite is asked again when it can no longer be at work on it.",
        "Nothing: `resume`, or the next run, resolves it.",
    )
    return known_as(GroupState.MATCHED, reason)


class Decision(Struct, frozen=True):
    """A group, its state, and its documents.

    basis: None = no document; the journal books all of it. residue: difference within tolerance (claimed - paid).
    """

    group: SettlementGroup
    state: GroupState
    reason: Reason
    basis: Basis | None
    claimed: Decimal = ZERO
    residue: Decimal = ZERO
    documents: tuple[Planned, ...] = ()
    sales_order: str = ""
    invoice: str = ""

    @property
    def settled(self) -> bool:
        """Nothing of it is missing in the clearing account: resolved, or the journal's alone."""
        return self.state in RESOLVED or self.reason.code in JOURNAL_CODES

    @property
    def pending(self) -> tuple[str, ...]:
        """Keys of planned documents that must be confirmed before it is settled; () when it is stuck or settled."""
        if self.settled or self.state is not GroupState.MATCHED:
            return ()
        return tuple(d.key for d in self.documents if d.state is GroupState.MATCHED)

    def document(self, kind: str) -> Planned | None:
        """The group's document of a kind."""
        return next((d for d in self.documents if d.kind == kind), None)


@dataclass(frozen=True, slots=True)
class InvoicePlan:
    """A billable sales order that becomes an invoice."""

    order_id: str
    sales_order_id: str
    sales_order_number: str
    planned: Planned


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything decided for one settlement."""

    decisions: tuple[Decision, ...]
    invoices: tuple[InvoicePlan, ...]
