"""Flow `refunds`: a closed return becomes an adjustment note, a refund that was paid out a negative payment on it.

Belongs here: which returns are booked, what was paid back on them and from where. Does not belong here: the notes' lines
(`adjustment_notes`), money received (`payments`). Facts: neto.md 10; saasu.md 5.9 (notes take negative amounts).

Neto puts a closed return on the customer's account as credit; the credit is paid out, used for another order, or left. With
`refunds.credit_account` what is not paid out moves to that clearing account, and an order paid by account credit draws on it.
Where a refund is paid out after that, a journal moves the money from the clearing account to the bank: the note is settled,
and the customer's credit is what was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.effects import Action, Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import Payment, SalesDocument
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.accounts import payment_account, unresolved
from ledger_pipelines.integrations.neto_saasu.adjustment_notes import (
    ACCOUNTS,
    WHOLE,
    Note,
    compose,
)
from ledger_pipelines.integrations.neto_saasu.books import UnresolvedError, folded
from ledger_pipelines.integrations.neto_saasu.claims import (
    STANDING,
    Families,
    Standing,
    decimal,
    deleted,
    in_books,
    shown_by_hand,
    standing_on,
    stands,
)
from ledger_pipelines.integrations.neto_saasu.context import Context, Known, link
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuAccount, SaasuInvoice

FLOW = "refunds"
INVOICE, PAYMENT, JOURNAL = "invoice", "payment", "journal"
CLOSED = "closed"


def rows(ctx: Context, returns: Sequence[SalesDocument]) -> list[PlanRow]:
    """What is to be done with these returns and the refunds paid out on them."""
    if not ctx.settings.refunds.enabled:
        return []
    families = Families(ctx)
    return [row for rma in returns for row in _Return(ctx, families, rma).decide()]


def note_key(ctx: Context, rma: str, part: str = WHOLE) -> str:
    """Key of an adjustment note of a return."""
    return ctx.key(INVOICE, rma, f"rma{part}")


def refund_key(ctx: Context, refund: str) -> str:
    """Key of the payment of a refund. refund: the store's id of it."""
    return ctx.key(PAYMENT, refund, "refund")


def drawn_key(ctx: Context, refund: str) -> str:
    """Key of the journal of a refund that was paid out of credit that had moved already."""
    return ctx.key(JOURNAL, refund, "refund")


def credit_payment_key(ctx: Context, rma: str) -> str:
    """Key of the payment that moves a return to the customers' credit."""
    return ctx.key(PAYMENT, rma, "credit")


def refund_reference(ctx: Context, refund: str) -> str:
    """Our reference of a refund in the file."""
    return f"{ctx.settings.orders_to_saasu.prefix}NETO-REFUND-{refund}"


def credit_reference(ctx: Context, rma: str) -> str:
    """Our reference of a return's move to the customers' credit."""
    return f"{ctx.settings.orders_to_saasu.prefix}NETO-CREDIT-{rma}"


@dataclass(slots=True)
class _Credit:
    """What a note still owes the customer, positive. Payments back come off it."""

    target: Json
    open: Decimal
    by_hand: Decimal = ZERO
    unread: bool = False

    def take(self, wanted: Decimal) -> Decimal:
        part = max(min(wanted, self.open), ZERO)
        self.open -= part
        return part


@dataclass(slots=True)
class _Return:
    """Deciding one return."""

    ctx: Context
    families: Families
    rma: SalesDocument
    found: list[PlanRow] = field(default_factory=list)
    credits: list[_Credit] = field(default_factory=list)
    contact: Json = None
    drawn: Decimal = ZERO
    """What of the moved credit was paid out after all."""
    no_credit: bool = False
    """The note is the whole order's, not the return's: what is open of it is not to be moved."""

    def decide(self) -> list[PlanRow]:
        """Its rows."""
        ctx, rma = self.ctx, self.rma
        key = note_key(ctx, rma.key)
        if rma.status.strip().casefold() != CLOSED:
            self._skip(
                key,
                Reason(
                    "rma-open",
                    f"Return {rma.number} is {rma.status or 'not closed'}; it is booked when closed.",
                ),
            )
            return self.found
        order = ctx.shop.orders.get(rma.related)
        if order is None:
            self._block(
                key,
                Reason(
                    "order-not-known",
                    f"Return {rma.number} is of order {rma.related or '(none)'}, which was not read from Neto.",
                    "Read the day of that order, then plan again.",
                ),
            )
            self._waiting_refunds(self.found[-1].reason)
            return self.found
        decision = self.families.decision(order)
        self.contact = decision.contact
        if self._notes(key, order, decision):
            self._payouts(order)
        return self.found

    # --- rows --------------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """For people."""
        return f"Return {self.rma.number} of order {self.rma.related}"

    def _money(self, amount: Decimal) -> Money:
        return Money(amount, self.rma.currency)

    def _skip(self, key: str, reason: Reason, amount: Decimal | None = None, kind: str = INVOICE) -> None:
        money = -self.rma.grand_total if amount is None else self._money(amount)
        self.found.append(self.ctx.skip(key, self.rma.related, self.title, reason, money, kind))

    def _block(self, key: str, reason: Reason, amount: Decimal | None = None, kind: str = INVOICE) -> None:
        money = -self.rma.grand_total if amount is None else self._money(amount)
        self.found.append(self.ctx.blocked(key, self.rma.related, self.title, reason, money, kind))

    def _known(self, known: Known, amount: Decimal) -> None:
        effect = self.ctx.effect(
            FLOW, known.kind, known.key, external_id=known.external_id, number=self.rma.related, title=self.title,
            body=known.fields(), expected=Expected(self._money(amount), known.day),
        )  # fmt: skip
        self.found.append(self.ctx.row(effect, Reason("return", "")))

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
            (self._skip if obstacle.action is Action.SKIP else self._block)(key, obstacle.reason)
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
            self._block(key, notes)
            self._waiting_refunds(notes)
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
        self._block(
            self.ctx.key(INVOICE, self.rma.key, "rma changed"),
            Reason(
                "rma-changed",
                f"Return {self.rma.number} is booked over {self._money(booked)}, and is {self.rma.grand_total} in Neto now.",
                "Correct the adjustment note in Saasu by hand, then ignore this row.",
            ),
            booked - self.rma.grand_total.amount,
        )

    def _standing_note(self, known: Known) -> None:
        amount = ZERO if known.amount is None else -abs(known.amount.amount)
        if deleted(self.ctx, known):
            self._block(
                known.key,
                Reason(
                    "note-deleted",
                    f"The adjustment note {known.external_id} of return {self.rma.number} was deleted in Saasu.",
                    "Make it again by hand in Saasu, or ignore this row.",
                ),
                amount,
            )
            return
        self._known(known, amount)
        self._credit(link(known.key), -amount, self.ctx.books.invoice_by_id.get(known.remote_id))

    def _note(self, note: Note, order: SalesDocument, decision: Decision) -> None:
        ctx, rma = self.ctx, self.rma
        key = note_key(ctx, rma.key, note.part)
        there = self._in_books(note.reference)
        if there is not None and ctx.journal.known.get(key) is None:
            self._skip(
                key,
                Reason("already-booked", f"Return {rma.number} is in Saasu already, as {note.reference}."),
                note.total.amount,
            )
            self._credit(there.id, abs(there.total), there)
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
            self._credit(link(key), abs(note.total.amount), None)

    def _in_books(self, reference: str) -> SaasuInvoice | None:
        books, name = self.ctx.books, folded(reference)
        found = books.invoices_by_purchase_order.get(name) or books.invoices_by_number.get(name) or ()
        return next((one for one in found if one.total <= 0), None)

    def _on_cancellation(self, key: str, order: SalesDocument, decision: Decision) -> bool:
        """The invoice is credited in full already, for the order was cancelled: the return is that very credit."""
        self.no_credit = True
        self._skip(
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
            self._credit(link(key), abs(total.amount), booked)
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
                for one in ctx.shop.returns.values()
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
            before = f" after {self._money(earlier)} before" if earlier else ""
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
            self._waiting_refunds(obstacle.reason)
        elif obstacle.visible:
            late = [one for one in self.rma.payments if receipts.paid_on(self.ctx, one) >= self.ctx.first_day]
            for one in late:
                self._block(
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

    def _waiting_refunds(self, reason: Reason) -> None:
        for one in self.rma.payments:
            self._block(
                refund_key(self.ctx, one.key),
                Reason(
                    "return-blocked",
                    f"Refund {one.key} of {one.amount} was paid out, and return {self.rma.number} waits: {reason.text}",
                    "Clear the return; the refund follows by itself.",
                ),
                -one.amount.amount,
                PAYMENT,
            )

    # --- what a note owes ----------------------------------------------------------------------------------------------

    def _credit(self, target: Json, total: Decimal, booked: SaasuInvoice | None) -> None:
        ctx = self.ctx
        standing = [replace(one, amount=-one.amount) for one in standing_on(ctx, target)]
        if not isinstance(target, dict):
            standing += self._only_in_books({one.reference for one in standing})
        credit = _Credit(target, total - sum((one.amount for one in standing), ZERO))
        if booked is not None:
            credit.by_hand, credit.unread = shown_by_hand(ctx, abs(booked.paid), standing)
            credit.open -= credit.by_hand
        credit.open = max(credit.open, ZERO)
        self.credits.append(credit)

    def _only_in_books(self, have: set[str]) -> list[Standing]:
        """Payments back that the books hold under our references, on a note that the journal does not know."""
        names = [refund_reference(self.ctx, one.key) for one in self.rma.payments]
        names.append(credit_reference(self.ctx, self.rma.key))
        return [
            Standing(name, abs(amount), None, self.ctx.books.read_at)
            for name in names
            if name not in have and (amount := in_books(self.ctx, name)) is not None
        ]

    def _take(self, wanted: Decimal) -> list[tuple[Json, Decimal]]:
        parts = []
        for credit in self.credits:
            part = credit.take(wanted)
            wanted -= part
            if part:
                parts.append((credit.target, part))
        return parts

    # --- money back --------------------------------------------------------------------------------------------------

    def _payouts(self, order: SalesDocument) -> None:
        self.drawn = sum((self._journal_amount(one) for one in self.rma.payments), ZERO)
        for refund in sorted(self.rma.payments, key=lambda one: receipts.instant(self.ctx, one)):
            self._payout(order, refund)
        self._move_credit(order)

    def _journal_amount(self, refund: Payment) -> Decimal:
        known = self.ctx.journal.known.get(drawn_key(self.ctx, refund.key))
        return known.amount.amount if known is not None and stands(self.ctx, known) and known.amount else ZERO

    def _payout(self, order: SalesDocument, refund: Payment) -> None:
        ctx = self.ctx
        key = refund_key(ctx, refund.key)
        if key in ctx.journal.ignored:
            self._skip(key, Reason("ignored-by-user", "Ignored by a user."), -refund.amount.amount, PAYMENT)
            return
        if not refund.amount:
            self._skip(key, Reason("zero-payment", f"Refund {refund.key} is over nothing."), ZERO, PAYMENT)
            return
        back = self._paid_back(key, refund)
        drawn = self._journal_amount(refund)
        if drawn:
            self._known(ctx.journal.known[drawn_key(ctx, refund.key)], drawn)
        rest = refund.amount.amount - back - drawn
        if rest > 0 and not self.credits:
            self._block(key, self._not_on_a_note(refund), -rest, PAYMENT)
        elif rest > 0:
            self._pay_back(order, key, refund, rest, back=bool(back), drawn=bool(drawn))

    def _not_on_a_note(self, refund: Payment) -> Reason:
        return Reason(
            "return-not-booked",
            f"Refund {refund.key} of {refund.amount} was paid out on return {self.rma.number}, whose adjustment note is not of "
            "this program.",
            "Book the refund by hand in Saasu, then ignore this row.",
        )

    def _paid_back(self, key: str, refund: Payment) -> Decimal:
        """What is in the books of it, on the notes."""
        ctx = self.ctx
        known = ctx.journal.known.get(key)
        if known is not None and deleted(ctx, known):
            self._block(
                key,
                Reason(
                    "payment-deleted",
                    f"Refund {refund.key} was booked as {known.external_id}, and then deleted in Saasu.",
                    "Book it again by hand in Saasu, or ignore this row.",
                ),
                -refund.amount.amount,
                PAYMENT,
            )
            return refund.amount.amount
        if known is not None and stands(ctx, known):
            items = known.fields().get("PaymentItems")
            parts = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
            amount = -sum((decimal(one.get("AmountPaid")) for one in parts), ZERO)
            self._known(known, -amount)
            return amount
        reference = refund_reference(ctx, refund.key)
        there = in_books(ctx, reference)
        if there is None:
            return ZERO
        self._skip(
            key,
            Reason("already-booked", f"Refund {refund.key} is in Saasu already, as {reference}."),
            -abs(there),
            PAYMENT,
        )
        return abs(there)

    def _pay_back(
        self, order: SalesDocument, key: str, refund: Payment, rest: Decimal, *, back: bool, drawn: bool
    ) -> None:
        """The part of a refund that is not booked yet. back, drawn: whether a part is, on the notes or out of moved credit."""
        account = self._account(refund)
        reason = account if isinstance(account, Reason) else self._forbidden(refund)
        if isinstance(account, Reason) or reason is not None:
            self._take(rest)  # what is its must not be moved to the customers' credit meanwhile
            if reason is not None:
                skipped = reason.code == "wait-for-books"
                (self._skip if skipped else self._block)(key, reason, -rest, PAYMENT)
            return
        parts = [] if back else self._take(rest)
        paid = sum((part for _, part in parts), ZERO)
        if parts:
            day, reference = receipts.paid_on(self.ctx, refund), refund_reference(self.ctx, refund.key)
            text = f"{self._money(paid)} given back out of {account.name}, on return {self.rma.number}."
            self._payment(order, key, parts, account.id, reference, day, Reason("refund", text), refund)
        rest -= paid
        if not drawn:
            rest -= self._draw(order, refund, rest, account, paid=back or bool(paid))
        if rest > 0:
            self._block(
                self.ctx.key(PAYMENT, refund.key, "refund over"),
                Reason(
                    "refund-exceeds-credit",
                    f"Refund {refund.key} is {refund.amount}; {self._money(rest)} of it are more than return "
                    f"{self.rma.number} credits.",
                    "Look for the return it belongs to; book it by hand in Saasu, then ignore this row.",
                ),
                -rest,
                PAYMENT,
            )

    def _account(self, refund: Payment) -> SaasuAccount | Reason:
        # Ids of refunds and of payments are two sequences: what GetPayment tells of a payment must not be taken for a refund's.
        named = replace(refund, key=f"back (refund {refund.key})", document=f"return {self.rma.number}")
        return payment_account(self.ctx, named)

    def _forbidden(self, refund: Payment) -> Reason | None:
        if refund.amount.currency != self.rma.currency or not refund.amount.is_bookable:
            return Reason(
                "currency-differs" if refund.amount.is_bookable else "unbookable-amount",
                f"Refund {refund.key} is {refund.amount}, return {self.rma.number} in {self.rma.currency}.",
                "Book it by hand in Saasu, then ignore this row.",
            )
        odd = next((one for one in self.credits if one.by_hand), None)
        if odd is None:
            return None
        if odd.unread:
            return Reason(
                "wait-for-books",
                f"Saasu was read before the last payment on return {self.rma.number} was booked; the next reading tells.",
            )
        return Reason(
            "paid-by-hand",
            f"{self._money(odd.by_hand)} were paid back on the adjustment note of return {self.rma.number} by somebody in "
            f"Saasu. Refund {refund.key} of {refund.amount} waits.",
            "If that is this refund, ignore this row; else delete the payment in Saasu that was made by mistake.",
        )

    def _draw(
        self, order: SalesDocument, refund: Payment, rest: Decimal, account: SaasuAccount, *, paid: bool
    ) -> Decimal:
        """Out of the customers' credit, where the return moved there before it was paid out."""
        ctx = self.ctx
        moved = ctx.journal.known.get(credit_payment_key(ctx, self.rma.key))
        if rest <= 0 or moved is None or not stands(ctx, moved) or moved.amount is None:
            return ZERO
        part = min(rest, abs(moved.amount.amount) - self.drawn)
        if part <= 0:
            return ZERO
        self.drawn += part
        fields = moved.fields()
        reference = refund_reference(ctx, refund.key) + ("-CREDIT" if paid else "")
        key = drawn_key(ctx, refund.key)
        if ctx.books.journals_by_reference.get(folded(reference)) and key not in ctx.journal.known:
            self._skip(
                key, Reason("already-booked", f"It is in Saasu already, as {reference}."), part, JOURNAL
            )
            return part
        day = receipts.paid_on(ctx, refund)
        body: dict[str, Json] = {
            "TransactionDate": day.isoformat(),
            "Reference": reference,
            "Summary": f"refund {refund.key}, {receipts.summary(order.number, refund)}"[: receipts.SUMMARY],
            "Items": [
                {"Type": "Debit", "AccountId": fields.get("PaymentAccountId"), "Amount": part},
                {"Type": "Credit", "AccountId": account.id, "Amount": part},
            ],
            **receipts.money_fields(ctx, self.rma.currency),
        }
        if self.contact is not None:
            body["JournalContactId"] = self.contact
        effect = ctx.effect(
            FLOW, JOURNAL, key, external_id=reference, number=order.number, title=self.title, body=body,
            expected=Expected(self._money(part), day), depends_on=(moved.key,), source=f"refund:{refund.key}",
        )  # fmt: skip
        text = (
            f"Refund {refund.key}: {self._money(part)} out of {account.name}, for return {self.rma.number}, which had moved to "
            "the customers' credit."
        )
        self.found.append(ctx.row(effect, Reason("refund-after-credit", text)))
        return part

    def _payment(
        self,
        order: SalesDocument,
        key: str,
        parts: Sequence[tuple[Json, Decimal]],
        account: str,
        reference: str,
        day: date,
        reason: Reason,
        refund: Payment | None,
    ) -> None:
        ctx = self.ctx
        total = self._money(-sum((part for _, part in parts), ZERO))
        body: dict[str, Json] = {
            "TransactionType": "SP",
            "TransactionDate": day.isoformat(),
            "PaymentAccountId": account,
            "PaymentItems": [{"InvoiceTransactionId": target, "AmountPaid": -part} for target, part in parts],
            "Reference": reference,
            "Summary": (
                f"return {self.rma.number} to the customer's credit"
                if refund is None
                else f"refund, {receipts.summary(order.number, refund)}"
            )[: receipts.SUMMARY],
            "ClearedDate": None,
            **receipts.money_fields(ctx, self.rma.currency),
        }
        effect = ctx.effect(
            FLOW, PAYMENT, key, external_id=reference, number=order.number, title=self.title, body=body,
            expected=Expected(total, day), source=f"rma:{self.rma.key}",
        )  # fmt: skip
        self.found.append(ctx.row(effect, reason))

    def _move_credit(self, order: SalesDocument) -> None:
        """What is not paid out, to the clearing account of customers' credit."""
        ctx, rma = self.ctx, self.rma
        key, reference = credit_payment_key(ctx, rma.key), credit_reference(ctx, rma.key)
        known = ctx.journal.known.get(key)
        if known is not None and stands(ctx, known):
            self._known(known, ZERO if known.amount is None else -abs(known.amount.amount))
            return
        named = ctx.settings.refunds.credit_account
        there = in_books(ctx, reference)
        if there is not None:
            self._skip(
                key,
                Reason("already-booked", f"It is in Saasu already, as {reference}."),
                -abs(there),
                PAYMENT,
            )
            return
        left = sum((one.open for one in self.credits), ZERO)
        if named is None or not left or any(one.by_hand for one in self.credits) or self.no_credit:
            return
        try:
            account = ctx.books.account(named, "refunds.credit_account", bank=True)
        except UnresolvedError as error:
            self._block(key, unresolved(error), -left, PAYMENT)
            return
        text = f"{self._money(left)} of return {rma.number} were not paid out: the customer's credit, in {account.name}."
        self._payment(
            order, key, self._take(left), account.id, reference, rma.day, Reason("credit", text), None
        )


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a return is not booked. visible: refunds paid out on it are still shown one by one."""

    action: Action
    reason: Reason
    visible: bool = False
