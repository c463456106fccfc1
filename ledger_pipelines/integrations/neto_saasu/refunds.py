"""Flow `refunds`: a closed return becomes an adjustment note, a refund that was paid out a negative payment on it.

Belongs here: which returns are booked, and as which notes. Does not belong here: the notes' lines (`adjustment_notes`), what
was paid back on them (`refund_payouts`), money received (`payments`). Facts: neto.md 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger_pipelines.documents.effects import Action, Expected
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Known, link
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.by_day.unreadable import one_by_one
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.adjustment_notes import (
    ACCOUNTS,
    WHOLE,
    Note,
    compose,
)
from ledger_pipelines.integrations.neto_saasu.claims import (
    STANDING,
    Families,
    deleted,
)
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.refund_payouts import (
    FLOW,
    INVOICE,
    PAYMENT,
    MoneyBack,
    refund_key,
)
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuInvoice

CLOSED = "closed"


__all__ = ["FLOW", "rows"]


def rows(ctx: Context, returns: Sequence[SalesDocument]) -> list[PlanRow]:
    """What is to be done with these returns and the refunds paid out on them."""
    if not ctx.settings.refunds.enabled:
        return []
    families = Families(ctx)

    def of_return(rma: SalesDocument) -> list[PlanRow]:
        return _Return(ctx, rma, families=families).decide()

    return list(one_by_one(ctx, returns, of_return, lambda rma: (rma.number, f"Return {rma.number}")))


def note_key(ctx: Context, rma: str, part: str = WHOLE) -> str:
    """Key of an adjustment note of a return."""
    return ctx.key(INVOICE, rma, f"rma{part}")


@dataclass(slots=True, kw_only=True)
class _Return(MoneyBack):
    """Deciding one return."""

    families: Families

    def decide(self) -> list[PlanRow]:
        """Its rows."""
        ctx, rma = self.ctx, self.rma
        key = note_key(ctx, rma.key)
        if rma.status.strip().casefold() != CLOSED:
            self.skip(
                key,
                Reason(
                    "rma-open",
                    f"Return {rma.number} is {rma.status or 'not closed'}; it is booked when closed.",
                ),
            )
            return self.found
        order = ctx.shop.orders.get(rma.related)
        if order is None:
            self.block(
                key,
                Reason(
                    "order-not-known",
                    f"Return {rma.number} is of order {rma.related or '(none)'}, which was not read from Neto.",
                    "Read the day of that order, then plan again.",
                ),
            )
            self.waiting_refunds(self.found[-1].reason)
            return self.found
        decision = self.families.decision(order)
        self.contact = decision.contact
        if self._notes(key, order, decision):
            self.payouts(order)
        return self.found

    # --- notes -------------------------------------------------------------------------------------------------------

    def _notes(self, key: str, order: SalesDocument, decision: Decision) -> bool:
        """The notes; False: there are none, and nothing can be paid back on them."""
        if order.cancelled and decision.credits:
            return self._on_cancellation(key, order, decision)
        known = [
            one
            for part in (WHOLE, ACCOUNTS)
            if (one := self.ctx.journal.known.get(note_key(self.ctx, self.rma.key, part))) is not None
            and one.state in STANDING
        ]
        for one in known:
            self._standing_note(one)
        booked = sum((abs(one.amount.amount) for one in known if one.amount is not None), ZERO)
        if known and booked == self.rma.grand_total.amount:
            return True
        obstacle = None if known else self._obstacle(order, decision)
        if obstacle is not None:
            (self.skip if obstacle.action is Action.SKIP else self.block)(key, obstacle.reason)
            self._unpaid_obstacle(obstacle)
            return False
        return self._made(key, order, decision, known)

    def _made(self, key: str, order: SalesDocument, decision: Decision, known: Sequence[Known]) -> bool:
        ctx, rma = self.ctx, self.rma
        notes = compose(ctx, rma, order, decision.contact)
        if isinstance(notes, Reason):
            if known:
                self._changed(known)
                return True
            self.block(key, notes)
            self.waiting_refunds(notes)
            return False
        have = {one.key: one for one in known}
        if have and sum((abs(note.total.amount) for note in notes if note_key(ctx, rma.key, note.part) not in have), ZERO) + sum(
            (abs(one.amount.amount) for one in known if one.amount is not None), ZERO
        ) != rma.grand_total.amount:  # fmt: skip
            self._changed(known)
            return True
        for note in notes:
            if note_key(ctx, rma.key, note.part) not in have:
                self._note(note, order, decision)
        return True

    def _changed(self, known: Sequence[Known]) -> None:
        booked = sum((abs(one.amount.amount) for one in known if one.amount is not None), ZERO)
        self.block(
            self.ctx.key(INVOICE, self.rma.key, "rma changed"),
            Reason(
                "rma-changed",
                f"Return {self.rma.number} is booked over {self.money(booked)}, and is {self.rma.grand_total} in Neto now.",
                "Correct the adjustment note in Saasu by hand, then ignore this row.",
            ),
            booked - self.rma.grand_total.amount,
        )

    def _standing_note(self, known: Known) -> None:
        amount = ZERO if known.amount is None else -abs(known.amount.amount)
        if deleted(self.ctx, known):
            self.block(
                known.key,
                Reason(
                    "note-deleted",
                    f"The adjustment note {known.external_id} of return {self.rma.number} was deleted in Saasu.",
                    "Make it again by hand in Saasu, or ignore this row.",
                ),
                amount,
            )
            return
        self.known(known, amount)
        self.add_credit(link(known.key), -amount, self.ctx.books.invoice_by_id.get(known.remote_id))

    def _note(self, note: Note, order: SalesDocument, decision: Decision) -> None:
        ctx, rma = self.ctx, self.rma
        key = note_key(ctx, rma.key, note.part)
        there = self._in_books(note.reference)
        if there is not None and ctx.journal.known.get(key) is None:
            self.skip(
                key,
                Reason("already-booked", f"Return {rma.number} is in Saasu already, as {note.reference}."),
                note.total.amount,
            )
            self.add_credit(there.id, abs(there.total), there)
            return
        effect = ctx.effect(
            FLOW, INVOICE, key, external_id=note.reference, number=order.number, title=self.title, body=note.body,
            expected=Expected(note.total, rma.day, note.lines),
            depends_on=(decision.key,) if decision.ours else (), source=f"rma:{rma.key}",
        )  # fmt: skip
        where = "by account" if note.part == ACCOUNTS else "its goods and charges"
        row = ctx.row(
            effect,
            Reason("return", f"Return {rma.number} of order {order.number} credits {-note.total}, {where}."),
        )
        self.found.append(row)
        if row.effect is not None:
            self.add_credit(link(key), abs(note.total.amount), None)

    def _in_books(self, reference: str) -> SaasuInvoice | None:
        books, name = self.ctx.books, folded(reference)
        found = books.invoices_by_purchase_order.get(name) or books.invoices_by_number.get(name) or ()
        return next((one for one in found if one.total <= 0), None)

    def _on_cancellation(self, key: str, order: SalesDocument, decision: Decision) -> bool:
        """The invoice is credited in full already, for the order was cancelled: the return is that very credit."""
        self.no_credit = True
        self.skip(
            key,
            Reason(
                "credited-already",
                f"Order {order.number} was cancelled and its invoice is credited in full: return {self.rma.number} adds "
                "nothing to that.",
            ),
        )
        key = decision.credits[-1]
        known = self.ctx.journal.confirmed(key)
        total = decision.total if known is None or known.amount is None else known.amount
        booked = None if known is None else self.ctx.books.invoice_by_id.get(known.remote_id)
        if total is not None:
            self.add_credit(link(key), abs(total.amount), booked)
        return True

    def _obstacle(self, order: SalesDocument, decision: Decision) -> _Obstacle | None:
        ctx, rma = self.ctx, self.rma
        reason = decision.reason
        why = "" if reason is None else f" {reason.text}"
        if rma.day < ctx.first_day:
            return _Obstacle(Action.SKIP, Reason(
                "before-first-day", f"Return {rma.number} is of {rma.day}, before the integration date {ctx.first_day}."
            ))  # fmt: skip
        if decision.invoice is None and reason is not None and reason.code == "not-a-test-order":
            return _Obstacle(Action.SKIP, reason)
        if decision.invoice is None and order.day < ctx.first_day:
            return _Obstacle(Action.SKIP, Reason(
                "before-first-day",
                f"Order {order.number} of return {rma.number} is from before the integration date {ctx.first_day}.",
            ), visible=True)  # fmt: skip
        if decision.invoice is None:
            return _Obstacle(Action.BLOCKED, Reason(
                "order-not-booked",
                f"Return {rma.number} credits order {order.number}, which has no invoice in Saasu.{why}",
                "Clear the order, and the return follows by itself; or book both by hand and ignore this row.",
            ))  # fmt: skip
        if order.cancelled and any(row.action is Action.VOID for row in decision.rows):
            return _Obstacle(Action.BLOCKED, Reason(
                "order-cancelled",
                f"Return {rma.number} credits order {order.number}, whose invoice is being deleted: it was cancelled.",
                "Ignore this row if nothing was paid; else book what was paid back by hand.",
            ))  # fmt: skip
        earlier = sum(
            (
                one.grand_total.amount
                for one in readable(ctx.shop.returns)
                if one.related == order.key
                and one.status.strip().casefold() == CLOSED
                and (one.day, one.key) < (rma.day, rma.key)
            ),
            ZERO,
        )
        total = decision.total
        if total is not None and total.currency != rma.currency:
            return _Obstacle(Action.BLOCKED, Reason(
                "currency-differs",
                f"Return {rma.number} is in {rma.currency}, the invoice of order {order.number} in {total.currency}.",
                "Book it by hand in Saasu, then ignore this row.",
            ))  # fmt: skip
        if total is not None and earlier + rma.grand_total.amount > total.amount:
            before = f" after {self.money(earlier)} before" if earlier else ""
            return _Obstacle(Action.BLOCKED, Reason(
                "credit-exceeds-order",
                f"Return {rma.number} credits {rma.grand_total}{before}; the invoice of order {order.number} is {total}.",
                "Look for a return that was entered twice, then book it by hand or correct it in Neto.",
            ))  # fmt: skip
        if not rma.grand_total:
            return _Obstacle(Action.SKIP, Reason("nothing-credited", f"Return {rma.number} credits nothing."))
        return None

    def _unpaid_obstacle(self, obstacle: _Obstacle) -> None:
        """Refunds of a return that is not booked: money that left the bank must be seen."""
        if obstacle.action is Action.BLOCKED:
            self.waiting_refunds(obstacle.reason)
        elif obstacle.visible:
            late = [one for one in self.rma.payments if receipts.paid_on(self.ctx, one) >= self.ctx.first_day]
            for one in late:
                self.block(
                    refund_key(self.ctx, one.key),
                    Reason(
                        "old-order-refunded",
                        f"Refund {one.key} of {one.amount} was paid out on return {self.rma.number} of an order from before "
                        f"the integration date {self.ctx.first_day}.",
                        "Book it by hand in Saasu, then ignore this row.",
                    ),
                    -one.amount.amount,
                    PAYMENT,
                )


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a return is not booked. visible: refunds paid out on it are still shown one by one."""

    action: Action
    reason: Reason
    visible: bool = False
