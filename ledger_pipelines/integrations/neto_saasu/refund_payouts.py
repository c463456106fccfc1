"""Money that went back on a return: refunds that were paid out, and what is left as the customer's credit.

Belongs here: payments back on adjustment notes, and from where. Does not belong here: the notes themselves (`refunds`,
`adjustment_notes`). Facts: neto.md 10; saasu.md 5.9 (notes take negative amounts).

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

from ledger_pipelines.documents.effects import Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import Payment, SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED, Known
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.accounts import payment_account
from ledger_pipelines.integrations.neto_saasu.books import BANK
from ledger_pipelines.integrations.neto_saasu.claims import (
    Standing,
    decimal,
    deleted,
    in_books,
    shown_by_hand,
    standing_on,
    stands,
)
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.shop import UnresolvedError, unresolved
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuAccount, SaasuInvoice

FLOW = "refunds"
INVOICE, PAYMENT, JOURNAL = "invoice", "payment", "journal"


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
class Credit:
    """What a note still owes the customer, positive. Payments back come off it."""

    target: Json
    open: Decimal
    by_hand: Decimal = ZERO
    unread: bool = False

    def take(self, wanted: Decimal) -> Decimal:
        """As much of it as is open; comes off."""
        part = max(min(wanted, self.open), ZERO)
        self.open -= part
        return part


@dataclass(slots=True)
class MoneyBack:
    """One return, the notes that stand for it, and the money that goes back on them.

    found: rows so far. credits: its notes. contact: of the order's invoice. drawn: what of the moved credit was paid out after
    all. no_credit: the note is the whole order's, not the return's, so that what is open of it is not to be moved.
    """

    ctx: Context
    rma: SalesDocument
    found: list[PlanRow] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    contact: Json = None
    drawn: Decimal = ZERO
    no_credit: bool = False

    @property
    def title(self) -> str:
        """For people."""
        return f"Return {self.rma.number} of order {self.rma.related}"

    def money(self, amount: Decimal) -> Money:
        """In the return's currency."""
        return Money(amount, self.rma.currency)

    def skip(self, key: str, reason: Reason, amount: Decimal | None = None, kind: str = INVOICE) -> None:
        """A row that needs nobody. amount: that of the return, taken back, unless told."""
        money = -self.rma.grand_total if amount is None else self.money(amount)
        self.found.append(self.ctx.skip(key, self.rma.related, self.title, reason, money, kind))

    def block(self, key: str, reason: Reason, amount: Decimal | None = None, kind: str = INVOICE) -> None:
        """A row that needs a person. amount: as for `skip`."""
        money = -self.rma.grand_total if amount is None else self.money(amount)
        self.found.append(self.ctx.blocked(key, self.rma.related, self.title, reason, money, kind))

    def known(self, known: Known, amount: Decimal) -> None:
        """The row of what the journal knows already."""
        effect = self.ctx.effect(
            FLOW, known.kind, known.key, external_id=known.external_id, number=self.rma.related, title=self.title,
            body=known.fields(), expected=Expected(self.money(amount), known.day),
        )  # fmt: skip
        self.found.append(self.ctx.row(effect, Reason("return", "")))

    def add_credit(self, target: Json, total: Decimal, booked: SaasuInvoice | None) -> None:
        """A note that stands for the return. total: positive; booked: the note as last read from the books."""
        ctx = self.ctx
        standing = [replace(one, amount=-one.amount) for one in standing_on(ctx, target)]
        if not isinstance(target, dict):
            standing += self._only_in_books({one.reference for one in standing})
        credit = Credit(target, total - sum((one.amount for one in standing), ZERO))
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

    def payouts(self, order: SalesDocument) -> None:
        """Rows of all refunds paid out, and of what is left."""
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
        if ctx.journal.is_ignored(key):
            self.skip(key, Reason(IGNORED, "Ignored by a user."), -refund.amount.amount, PAYMENT)
            return
        if not refund.amount:
            self.skip(key, Reason("zero-payment", f"Refund {refund.key} is over nothing."), ZERO, PAYMENT)
            return
        back = self._paid_back(key, refund)
        drawn = self._journal_amount(refund)
        if drawn:
            self.known(ctx.journal.known[drawn_key(ctx, refund.key)], drawn)
        rest = refund.amount.amount - back - drawn
        if rest > 0 and not self.credits:
            self.block(key, self._not_on_a_note(refund), -rest, PAYMENT)
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
            self.block(
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
            self.known(known, -amount)
            return amount
        reference = refund_reference(ctx, refund.key)
        there = in_books(ctx, reference)
        if there is None:
            return ZERO
        self.skip(
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
                (self.skip if skipped else self.block)(key, reason, -rest, PAYMENT)
            return
        parts = [] if back else self._take(rest)
        paid = sum((part for _, part in parts), ZERO)
        if parts:
            day, reference = receipts.paid_on(self.ctx, refund), refund_reference(self.ctx, refund.key)
            text = f"{self.money(paid)} given back out of {account.name}, on return {self.rma.number}."
            self._payment(order, key, parts, account.id, reference, day, Reason("refund", text), refund)
        rest -= paid
        if not drawn:
            rest -= self._draw(order, refund, rest, account, paid=back or bool(paid))
        if rest > 0:
            self.block(
                self.ctx.key(PAYMENT, refund.key, "refund over"),
                Reason(
                    "refund-exceeds-credit",
                    f"Refund {refund.key} is {refund.amount}; {self.money(rest)} of it are more than return "
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
            f"{self.money(odd.by_hand)} were paid back on the adjustment note of return {self.rma.number} by somebody in "
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
            self.skip(
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
            expected=Expected(self.money(part), day), depends_on=(moved.key,), source=f"refund:{refund.key}",
        )  # fmt: skip
        text = (
            f"Refund {refund.key}: {self.money(part)} out of {account.name}, for return {self.rma.number}, which had moved to "
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
        total = self.money(-sum((part for _, part in parts), ZERO))
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
            self.known(known, ZERO if known.amount is None else -abs(known.amount.amount))
            return
        named = ctx.settings.refunds.credit_account
        there = in_books(ctx, reference)
        if there is not None:
            self.skip(
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
            account = ctx.books.account(named, "refunds.credit_account", BANK)
        except UnresolvedError as error:
            self.block(key, unresolved(error), -left, PAYMENT)
            return
        text = f"{self.money(left)} of return {rma.number} were not paid out: the customer's credit, in {account.name}."
        self._payment(
            order, key, self._take(left), account.id, reference, rma.day, Reason("credit", text), None
        )

    def waiting_refunds(self, reason: Reason) -> None:
        """Money that left the bank for a return that is not booked: it must be seen."""
        for one in self.rma.payments:
            self.block(
                refund_key(self.ctx, one.key),
                Reason(
                    "return-blocked",
                    f"Refund {one.key} of {one.amount} was paid out, and return {self.rma.number} waits: {reason.text}",
                    "Clear the return; the refund follows by itself.",
                ),
                -one.amount.amount,
                PAYMENT,
            )
