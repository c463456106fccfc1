"""Flow `status_updates`: completed orders are dispatched in Omni, cancelled ones voided there.

Belongs here: Auto Dispatch Orders: when, and what it takes from stock. Does not belong here: approval and stage of orders that go on
(`revisions`). Facts: cin7-omni.md 6.3, 6.4, 10.4, 13, 13.2.

An order is dispatched if and only if all of its lines can be, from stock on hand at its branch, counting what earlier rows of the same plan
take and what was dispatched since stock was read; otherwise it is left, and each line that lacks something is named. A void
cannot be taken back: it is written once, never on what was dispatched, and never undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from ledger_pipelines.documents.effects import Action, Effect, EffectState
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, plain
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.by_day.stored import if_readable
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError, one_by_one
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.decisions import Decision
from ledger_pipelines.integrations.neto_cin7.edits import (
    Written,
    has_our_lines,
    number_of,
    sold_lines,
    unread_changes,
    written,
)
from ledger_pipelines.integrations.neto_cin7.omni import begun, is_dispatched
from ledger_pipelines.integrations.neto_cin7.order_body import LINES, instant, noon
from ledger_pipelines.integrations.neto_cin7.orders import decide
from ledger_pipelines.integrations.neto_cin7.references import (
    ORDER,
    OrderNumber,
    dispatch_key,
    order_key,
    order_reference,
    order_source,
    void_key,
)
from ledger_pipelines.integrations.neto_cin7.selection import select
from ledger_pipelines.integrations.neto_cin7.settings import AutoDispatch
from ledger_pipelines.integrations.neto_cin7.texts import SHORT
from ledger_pipelines.integrations.shop import by_id
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.cin7.records import SalesOrder
from ledger_pipelines.systems.neto.documents import NetoShipment

FLOW: Final = "status_updates"
SHORT_OF_STOCK: Final = "not-enough-stock"
WAITS: Final = frozenset({"branch-unknown", "wait-for-change", "wait-for-order"})
"""Codes of rows that come by themselves: once the order was made, changed, or read."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is still to be shipped of one code. stocked: whether stock is kept of it."""

    code: str
    quantity: Decimal
    stocked: bool


@dataclass
class Shelf:
    """Stock on hand by code and branch, less what was taken from it since it was read."""

    ctx: Context
    taken: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def left(self, code: str, branch: str) -> Decimal:
        """What is there still."""
        return self.ctx.omni.on_hand(code, branch) - self.taken.get((code, branch), ZERO)

    def take(self, code: str, branch: str, quantity: Decimal) -> None:
        """It goes to an order."""
        self.taken[code, branch] = self.taken.get((code, branch), ZERO) + quantity


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """One row for each completed or cancelled order that is in Omni by us; with Download Orders off, before it what it waits for."""
    if not ctx.settings.dispatches:
        return []
    return list(_Updating(ctx, _shelf(ctx)).rows(orders))


def completed(ctx: Context, order: SalesDocument) -> bool:
    """Whether the store calls it completed."""
    return folded(order.status) in {folded(one) for one in ctx.settings.status_updates.completed_statuses}


def _ignores_stock(ctx: Context) -> bool:
    return ctx.settings.status_updates.auto_dispatch_orders is AutoDispatch.COMPLETED_IGNORE_STOCK


def _shelf(ctx: Context) -> Shelf:
    """With what we dispatched after stock was read; nobody asks what is there where stock is ignored."""
    shelf = Shelf(ctx)
    for known in () if _ignores_stock(ctx) else ctx.journal.known.values():
        before = _dispatched(ctx, known) if _is_recent_dispatch(ctx, known) else None
        if before is not None:
            _take_shipped(shelf, before)
    return shelf


def _is_recent_dispatch(ctx: Context, known: Known) -> bool:
    """Whether an effect is a dispatch, and stock was not read after it."""
    if known.kind != ORDER or known.action is not Action.UPDATE or "dispatchedDate" not in known.body:
        return False
    read_at = ctx.omni.stock_read_at
    if known.state is EffectState.CONFIRMED and known.confirmed_at is not None and read_at is not None:
        return known.confirmed_at > read_at
    return known.may_be_there


def _dispatched(ctx: Context, dispatch: Known) -> Written | None:
    """The order of ours that a dispatch is of."""
    number = ctx.order_of_reference.get(folded(dispatch.external_id))
    order = None if number is None else OrderNumber(number)
    if order is None or dispatch.key != dispatch_key(ctx, order):
        return None
    return written(ctx, order)


def _take_shipped(shelf: Shelf, before: Written) -> None:
    """What an order shipped is gone. What of it cannot be read stops no other order: its code is taken, not its parts."""
    ctx = shelf.ctx
    booked = _booked(ctx, before)
    try:
        branch = _branch(ctx, before, booked)
    except UnreadableError:
        branch = None
    for code, quantity in _goods(ctx, before, booked) if branch is not None else ():
        try:
            needs = list(_need(ctx, code, quantity))
        except UnreadableError:
            needs = [Need(code, quantity, stocked=True)]
        for need in needs:
            shelf.take(need.code, branch or "", need.quantity)


def _booked(ctx: Context, before: Written) -> SalesOrder | None:
    """The order as Omni holds it; None where it cannot be read: what it took from stock stays taken."""
    return if_readable(ctx.omni.orders, before.known.remote_id)


def _named(order: SalesDocument) -> tuple[str, str]:
    return order.number, f"Status of order {order.number}"


@dataclass(frozen=True, slots=True)
class _Updating:
    ctx: Context
    shelf: Shelf

    def rows(self, orders: Sequence[SalesDocument]) -> Iterator[PlanRow]:
        """In the order given: earlier ones take stock first."""
        yield from one_by_one(self.ctx, orders, self._rows_of, _named)

    def _rows_of(self, order: SalesDocument) -> list[PlanRow]:
        if select(self.ctx, order) is not None:
            return []
        if order.cancelled:
            row = self._void(order)
            return [] if row is None else [row]
        if not completed(self.ctx, order):
            return []
        decision = decide(self.ctx, order)
        row = self._dispatch(order, decision)
        if row is None:
            return []
        return [row] if self.ctx.settings.download_orders.enabled else [*_waiting(decision), row]

    # --- void --------------------------------------------------------------------------------------------------------

    def _void(self, order: SalesDocument) -> PlanRow | None:
        ctx, key = self.ctx, void_key(self.ctx, order)
        title = f"Void of order {order.number}, {order.party.title}"
        known = ctx.journal.known.get(order_key(ctx, order))
        if known is None or not known.may_be_there:
            return None  # never downloaded: `orders` says so
        before = written(ctx, order)
        booked = ctx.omni.orders.get(known.remote_id) if known.remote_id else None
        if booked is not None and booked.is_void and not ctx.journal.may_be_there(key):
            reason = Reason(
                "already-void", f"Order {order.number} was cancelled, and is void in Omni already."
            )
            return ctx.skip(key, order.number, title, reason, order.grand_total, ORDER)
        obstacle = self._cannot_void(order, before, booked)
        if obstacle is not None and not ctx.journal.may_be_there(key):
            return ctx.blocked(key, order.number, title, obstacle, order.grand_total, ORDER)
        effect = ctx.effect(
            FLOW, ORDER, key, external_id=order_reference(ctx, order), number=order.number, title=title,
            body={"isVoid": True, "isApproved": False}, action=Action.VOID, target_id=_target(ctx, order),
            depends_on=(order_key(ctx, order),), source=f"order:{order.key}",
        )  # fmt: skip
        return ctx.row(
            effect, Reason("void", f"Order {order.number} was cancelled in the store: it is voided in Omni.")
        )

    def _cannot_void(
        self, order: SalesDocument, before: Written | None, booked: SalesOrder | None
    ) -> Reason | None:
        number = order.number
        if (before is not None and before.dispatched) or (booked is not None and begun(booked)):
            return Reason(
                "dispatched-in-omni",
                f"Order {number} was cancelled in the store, and is dispatched in Omni, or in part.",
                "Undo the dispatch in Omni and void it there, or credit it; then ignore the row.",
            )
        if booked is not None and booked.invoice_date is not None:
            return Reason(
                "invoiced-in-omni",
                f"Order {number} was cancelled in the store, and has the invoice {booked.invoice_number or 'date'} in Omni: a void "
                "does not reach what accounting software was sent.",
                "Void or credit it by hand, in Omni and in the books; then ignore the row.",
            )
        return None

    # --- dispatch ----------------------------------------------------------------------------------------------------

    def _dispatch(self, order: SalesDocument, decision: Decision) -> PlanRow | None:
        ctx, key = self.ctx, dispatch_key(self.ctx, order)
        title = f"Dispatch of order {order.number}, {order.party.title}"

        def skip(reason: Reason) -> PlanRow:
            return ctx.skip(key, order.number, title, reason, order.grand_total, ORDER)

        def block(reason: Reason) -> PlanRow:
            return ctx.blocked(key, order.number, title, reason, order.grand_total, ORDER)

        if decision.target is None:
            if any(row.action is Action.BLOCKED for row in decision.rows):
                return block(_order_waits(order, decision))
            return None
        if ctx.journal.may_be_there(key):
            return ctx.row(
                self._effect(order, key, title, ctx.shipments.get(order.key)), Reason("dispatch", "")
            )
        before = written(ctx, order)
        booked = None if before is None else ctx.omni.orders.get(before.known.remote_id)
        if booked is not None and is_dispatched(booked):
            return skip(Reason("already-dispatched", f"Order {order.number} is dispatched in Omni already."))
        if (before is not None and before.void) or (booked is not None and booked.is_void):
            reason = f"Order {order.number} is {order.status} in the store, and void in Omni: it is not dispatched."
            return block(Reason("void-in-omni", reason, "Look at what was shipped; then ignore the row."))
        if decision.waits:
            if any(row.action is Action.BLOCKED for row in decision.rows):
                return block(_order_waits(order, decision))
            return skip(_comes(order, decision, before))
        if before is not None and not self._approved(before, booked):
            return block(
                Reason(
                    "draft-in-omni",
                    f"Order {order.number} is {order.status} in the store, and a draft in Omni: a draft is not dispatched.",
                    "Approve it in Omni; it follows by itself.",
                )
            )
        shipment = ctx.shipments.get(order.key)  # before anything is taken: it may not be readable
        lacking = self._take(order, before, booked)
        if lacking is not None:
            return skip(lacking) if lacking.code in WAITS else block(lacking)
        effect = self._effect(order, key, title, shipment)
        told = ", whatever stock there is" if _ignores_stock(ctx) else ""
        return ctx.row(
            effect,
            Reason("dispatch", f"Order {order.number} is {order.status}: it is dispatched in Omni{told}."),
        )

    def _approved(self, before: Written, booked: SalesOrder | None) -> bool:
        """As Omni was read, unless we wrote it after that."""
        if booked is not None and not unread_changes(self.ctx, before, "isApproved"):
            return booked.is_approved
        return before.body.get("isApproved") is not False

    def _effect(self, order: SalesDocument, key: str, title: str, shipment: NetoShipment | None) -> Effect:
        ctx = self.ctx
        return ctx.effect(
            FLOW, ORDER, key, external_id=order_reference(ctx, order), number=order.number, title=title,
            body=dispatch_body(ctx, order, shipment), action=Action.UPDATE, target_id=_target(ctx, order),
            depends_on=(order_key(ctx, order),), source=order_source(order),
        )  # fmt: skip

    def _take(self, order: SalesDocument, before: Written | None, booked: SalesOrder | None) -> Reason | None:
        """Take what the order needs from the shelf; why not, and nothing is taken."""
        ctx = self.ctx
        if _ignores_stock(ctx):
            return None
        if before is None:
            return Reason(
                "wait-for-order",
                f"Order {order.number} is not in Omni yet: it is dispatched after it was downloaded.",
            )
        branch = _branch(ctx, before, booked)
        if branch is None:
            return Reason(
                "branch-unknown",
                f"Order {order.number} is at Omni's main branch, and which one that is is not known before it was read.",
                "Nothing to do, or name it as branches.branch.",
            )
        if _are_lines_unknown(ctx, before, booked):
            return Reason(
                "wait-for-change",
                f"Order {order.number} is {order.status} in the store, and its lines in Omni were edited by hand, and written by us after "
                "that: what they are now is known once Omni was read again.",
                "Nothing to do here: it is dispatched after that.",
            )
        needs: dict[str, Decimal] = {}
        lacking = []
        for sold, many in _goods(ctx, before, booked):
            for need in _need(ctx, sold, many):
                if need.stocked:
                    needs[need.code] = needs.get(need.code, ZERO) + need.quantity
        for code, quantity in needs.items():
            left = self.shelf.left(code, branch)
            if quantity > left:
                lacking.append(f"{plain(quantity)} x {code or 'a line without a code'}, {plain(left)} there")
        if lacking:
            there = by_id(ctx.omni.branches).get(branch)
            name = branch if there is None else there.name
            return Reason(
                SHORT_OF_STOCK,
                f"Order {order.number} is {order.status} in the store and is left as it is in Omni: {name} has not enough of "
                f"{'; '.join(lacking)}.",
                "It is dispatched when there is stock; or choose Yes - Completed Orders Only (Ignore Stock).",
            )
        for code, quantity in needs.items():
            self.shelf.take(code, branch, quantity)
        return None


def _waiting(decision: Decision) -> list[PlanRow]:
    """What a dispatch waits for, where the flow that would show it is off: without a row of its own nobody could clear it."""
    return [row for row in decision.rows if row.action is Action.BLOCKED]


def _order_waits(order: SalesDocument, decision: Decision) -> Reason:
    why = decision.reason.text if decision.reason is not None else ""
    return Reason(
        "order-blocked",
        f"Order {order.number} is {order.status} in the store and waits: {why}",
        "Clear the order; it is dispatched after that by itself.",
    )


def _comes(order: SalesDocument, decision: Decision, before: Written | None) -> Reason:
    """Until what the store has reached Omni: what is dispatched before that are the goods of before."""
    why = decision.reason.text if decision.reason is not None else ""
    return Reason(
        "wait-for-order" if before is None else "wait-for-change",
        f"Order {order.number} is {order.status} in the store, and Omni does not have it as the store does yet: {why}",
        "Nothing to do here: it is dispatched once the order's own row is written.",
    )


def _target(ctx: Context, order: SalesDocument) -> str:
    known = ctx.journal.confirmed(order_key(ctx, order))
    return known.remote_id if known is not None and known.remote_id else f"$link:{order_key(ctx, order)}"


def _branch(ctx: Context, before: Written, booked: SalesOrder | None) -> str | None:
    """Id of the branch it leaves from; None = Omni's main branch, and which one that is is not known."""
    if booked is not None and booked.branch_id and not unread_changes(ctx, before, "branchId"):
        return booked.branch_id
    told = before.body.get("branchId")
    if told is not None:
        return str(told)
    return ctx.main_branch or None


def _are_lines_unknown(ctx: Context, before: Written, booked: SalesOrder | None) -> bool:
    """Whether somebody had edited the lines when Omni was read, and we changed them after that: what they are now, only reading
    tells."""
    if booked is None or not unread_changes(ctx, before, LINES):
        return False
    return not has_our_lines(ctx, before, booked)


def _goods(ctx: Context, before: Written, booked: SalesOrder | None) -> Iterator[tuple[str, Decimal]]:
    """Code and quantity of what a dispatch ships: as Omni has the lines, which may have been edited there, where we did not change
    them since; else as we wrote them."""
    if booked is not None and not unread_changes(ctx, before, LINES):
        parents = {line.parent for line in booked.lines if line.parent}
        gone = is_dispatched(booked)  # read after the dispatch that this is about
        for line in booked.lines:
            left = line.qty if gone else line.qty - line.qty_shipped
            if left > 0 and line.id not in parents:
                yield line.code, left
        return
    for sent in sold_lines(before.body):
        if number_of(sent.get("qty")) > 0:
            yield str(sent.get("code") or ""), number_of(sent.get("qty"))


def _need(ctx: Context, code: str, quantity: Decimal) -> Iterator[Need]:
    """Of one code: itself where Omni keeps stock of it, or the parts of a kit of which it keeps none."""
    product = ctx.shop.items.get(code)
    if product is not None and product.components and code not in ctx.omni.stocked_codes:
        for one in product.components:
            yield from _need(ctx, one.item, one.quantity * quantity)
        return
    stocked = product is None or product.inventoried or code in ctx.omni.stocked_codes
    yield Need(code, quantity, stocked)


def dispatch_body(ctx: Context, order: SalesDocument, shipment: NetoShipment | None) -> dict[str, Json]:
    """The request: the date ships all lines; the stage does not follow by itself (cin7-omni.md 6.3)."""
    shipment = shipment or NetoShipment(None, ())
    at = shipment.at or order.changed
    body: dict[str, Json] = {
        "dispatchedDate": noon(order.day, ctx.store_zone) if at is None else instant(at),
        "stage": ctx.settings.status_updates.dispatched_stage,
    }
    tracking = _tracking(shipment.tracking)
    if tracking:
        body["trackingCode"] = tracking
    return body


def _tracking(codes: Sequence[str]) -> str:
    """As many of the tracking codes as fit, whole."""
    told = ""
    for code in dict.fromkeys(code.strip() for code in codes if code.strip()):
        longer = f"{told}, {code}" if told else code
        if len(longer) <= SHORT:
            told = longer
    return told
