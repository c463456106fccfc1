"""Flow `orders`: what is to be written of each order, and what payments and status updates refer to.

Belongs here: from an order to its decision and rows. Does not belong here: which orders (`selection`), the request (`mapping`),
orders that are there already (`revisions`). Facts: cin7-omni.md 6, 7, 13.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger_pipelines.documents.effects import Action, EffectState, Expected
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED, Known, link
from ledger_pipelines.integrations.by_day.unreadable import one_by_one, order_named
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.decisions import Decision, titled
from ledger_pipelines.integrations.neto_cin7.edits import written
from ledger_pipelines.integrations.neto_cin7.mapping import Mapped, map_order, remap
from ledger_pipelines.integrations.neto_cin7.references import ORDER, order_key, order_reference, order_source
from ledger_pipelines.integrations.neto_cin7.revisions import FLOW, revise
from ledger_pipelines.integrations.neto_cin7.selection import is_downloaded, select
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.cin7.records import SalesOrder

__all__ = ["FLOW", "decide", "is_ours", "rows"]

_IN_DOUBT: Final = (EffectState.SENT, EffectState.UNKNOWN, EffectState.HELD, EffectState.CLAIMED)


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """Rows of the plan of these orders."""
    return list(one_by_one(ctx, orders, lambda order: decide(ctx, order).rows, order_named))


def decide(ctx: Context, order: SalesDocument) -> Decision:
    """What becomes of the order. Pure."""
    key = order_key(ctx, order)
    reason = select(ctx, order)
    if reason is not None:
        return Decision(order, (_skip(ctx, order, key, reason),), key, reason=reason)
    known = ctx.journal.known.get(key)
    if ctx.journal.is_ignored(key):
        reason = Reason(IGNORED, f"Order {order.number} is ignored by a user.")
        return Decision(order, (_skip(ctx, order, key, reason),), key, reason=reason)
    if known is not None and known.state in _IN_DOUBT:
        return _in_doubt(ctx, order, known)
    before = written(ctx, order)
    if before is not None:
        return revise(ctx, order, before, remap(ctx, order, before))
    there = _there_already(ctx, order)
    if there is not None and not is_ours(order, there):
        return _taken(ctx, order, there)
    mapped = map_order(ctx, order)
    if isinstance(mapped, Reason):
        return _blocked(ctx, order, mapped)
    return _new(ctx, order, mapped, there)


def _there_already(ctx: Context, order: SalesDocument) -> SalesOrder | None:
    """An order of Omni that has the reference, and is not known to be ours."""
    if is_downloaded(ctx, order):
        return None
    found = ctx.omni.with_reference(order_reference(ctx, order))
    return found[0] if found else None


def is_ours(order: SalesDocument, there: SalesOrder) -> bool:
    """Whether its lines carry the store's line ids, as we write them: then a journal that was lost knew of it."""
    ours = {line.key for line in order.lines}
    return any(line.integration_ref.partition("/")[0] in ours for line in there.lines if line.integration_ref)


def _taken(ctx: Context, order: SalesDocument, there: SalesOrder) -> Decision:
    key, total = order_key(ctx, order), ctx.omni.total_of(there)
    state = "void" if there.is_void else there.stage or there.status.lower()
    if not there.is_void and total == order.grand_total:
        reason = Reason(
            "in-omni-already",
            f"Order {order.number} is in Omni already as {there.reference} (id {there.id}, {state}), not written by us: it is left "
            "alone.",
        )
        return Decision(
            order, (_skip(ctx, order, key, reason),), key, reason=reason, booked=there, ours=False
        )
    reason = Reason(
        "reference-taken",
        f"Order {order.number} comes to {order.grand_total}, and Omni has an order {there.reference} (id {there.id}, {state}) of "
        f"{total} that was not written by us.",
        "A reference stays taken for good: choose a prefix (download_orders.prefix), or ignore the row if it is this order.",
    )
    decided = _blocked(ctx, order, reason)
    return Decision(order, decided.rows, key, reason=decided.reason, booked=there, ours=False)


def _new(ctx: Context, order: SalesDocument, mapped: Mapped, there: SalesOrder | None) -> Decision:
    key = order_key(ctx, order)
    effect = ctx.effect(
        FLOW, ORDER, key, external_id=order_reference(ctx, order), number=order.number, title=titled(order),
        body=mapped.body, expected=Expected(mapped.layout.expected, lines=sum(bool(one.quantity) for one in mapped.layout.lines)),
        depends_on=mapped.needs, source=order_source(order),
    )  # fmt: skip
    draft = "" if mapped.body.get("isApproved") else " as draft"
    text = f"Order {order.number} ({order.status}) of {mapped.layout.total} is downloaded{draft}."
    code = "new-order"
    if there is not None:
        code = "found-in-omni"
        text = f"Order {order.number} is in Omni as {there.reference} (id {there.id}) with our line references: it is taken up."
    row = ctx.row(effect, Reason(code, " ".join([text, *mapped.notes])))
    return Decision(order=order, rows=(row,), key=key, target=link(key), booked=there)


def _in_doubt(ctx: Context, order: SalesDocument, known: Known) -> Decision:
    """An earlier call's end is not known, or a person has to look: the row says so, what follows waits for it by its link."""
    effect = ctx.effect(
        FLOW, ORDER, known.key, external_id=known.external_id, number=order.number, title=titled(order),
        body=known.fields(), expected=Expected(known.amount, known.day),
    )  # fmt: skip
    row = ctx.row(effect, Reason(known.code or known.state.value, known.text, known.remedy))
    return Decision(
        order=order, rows=(row,), key=known.key, target=link(known.key), reason=row.reason, waits=True
    )


def _blocked(ctx: Context, order: SalesDocument, reason: Reason) -> Decision:
    key = order_key(ctx, order)
    row = ctx.blocked(key, order.number, titled(order), reason, order.grand_total, ORDER)
    return Decision(order, (row,), key, reason=row.reason, waits=row.action is Action.BLOCKED)


def _skip(ctx: Context, order: SalesDocument, key: str, reason: Reason) -> PlanRow:
    return ctx.skip(key, order.number, titled(order), reason, order.grand_total, ORDER)
