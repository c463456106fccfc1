"""Flow `payments`: money received on orders, allocated to their invoices, never above what they owe.

Belongs here: which payment takes how much of which invoice, and what becomes of the rest. Does not belong here: the payment
by itself (`receipts`), what an invoice can still take (`claims`), payments of invoices that were reposted (`moved_payments`),
money that goes back (`refunds`). Facts: saasu.md 5.9, 5.10, 7; neto.md 8.1, 9.

Payments of an order and of those split from it are decided together, in the order of their instants, whichever of the orders
a plan is about: so every plan comes to the same. A part for an order that was split off is a payment of its own, because
that order's invoice is often written later: the books come out the same whichever day is exported first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.effects import Action, Effect, Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import Payment, SalesDocument
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.accounts import payment_account, unresolved
from ledger_pipelines.integrations.neto_saasu.books import UnresolvedError, folded
from ledger_pipelines.integrations.neto_saasu.claims import (
    Claim,
    Families,
    Standing,
    claim_of,
    decimal,
    deleted,
    in_books,
    split_reference,
    stands,
    taken_back,
)
from ledger_pipelines.integrations.neto_saasu.context import Context, Known
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.moved_payments import moved
from ledger_pipelines.integrations.neto_saasu.references import payment_reference
from ledger_pipelines.integrations.neto_saasu.settings import Overpayment
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuAccount

FLOW = "payments"
PAYMENT, JOURNAL = "payment", "journal"


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """What is to be done with every payment shown on these orders, and with parts of payments that come to them."""
    if not ctx.settings.payments.enabled:
        return []
    families = Families(ctx)
    made: dict[str, list[_Placed]] = {}
    found: dict[str, PlanRow] = {}
    for order in orders:
        root = families.root(order)
        if root.key not in made:
            made[root.key] = _Family(ctx, families, root).placed()
        found.update((one.row.key, one.row) for one in made[root.key] if order.key in one.orders)
    return list(found.values())


def payment_key(ctx: Context, payment: str) -> str:
    """Key of a payment on its own order's invoice. payment: the store's id of it."""
    return ctx.key(PAYMENT, payment, "payment")


def split_key(ctx: Context, payment: str, order: SalesDocument) -> str:
    """Key of the part of a payment that goes to an order split from the payment's own."""
    return ctx.key(PAYMENT, payment, f"split/{order.key}")


def over_key(ctx: Context, payment: str) -> str:
    """Key of what is above all that is owed: of its journal, or of the row that reports it."""
    return ctx.key(JOURNAL, payment, "over")


def payment_body(
    ctx: Context, payment: Payment, number: str, target: Json, part: Decimal, account: str, reference: str
) -> dict[str, Json]:
    """The request for `part` of a payment on one invoice. number: of the order, for people."""
    return {
        "TransactionType": "SP",
        "TransactionDate": receipts.paid_on(ctx, payment).isoformat(),
        "PaymentAccountId": account,
        "PaymentItems": [{"InvoiceTransactionId": target, "AmountPaid": part}],
        "Reference": reference,
        "Summary": receipts.summary(number, payment),
        "Notes": receipts.notes(payment),
        "ClearedDate": None,
        **receipts.money_fields(ctx, payment.amount.currency),
    }


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row, and the orders in whose plans it is."""

    row: PlanRow
    orders: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Receipt:
    """One payment, completed, and its order."""

    payment: Payment
    order: SalesDocument

    @property
    def title(self) -> str:
        """For people."""
        return f"Payment {self.payment.key} of order {self.order.number}"

    @property
    def amount(self) -> Decimal:
        """What came in."""
        return self.payment.amount.amount

    def money(self, amount: Decimal) -> Money:
        """In its currency."""
        return Money(amount, self.payment.amount.currency)


class _Family:
    """One order, those split from it, and all that was paid on them."""

    def __init__(self, ctx: Context, families: Families, root: SalesDocument) -> None:
        self._ctx = ctx
        self._families = families
        self._root = root
        members = (root, *families.below(root))
        self._receipts = sorted(
            (_Receipt(receipts.completed(ctx, one), order) for order in members for one in order.payments),
            key=lambda one: receipts.instant(ctx, one.payment),
        )
        self._rows: list[_Placed] = []
        self._claims = {one.key: self._claim(one) for one in members}
        self._old = {
            key: taken_back(ctx, claim.decision)
            for key, claim in self._claims.items()
            if claim.decision.credits
        }

    def _claim(self, order: SalesDocument) -> Claim:
        ctx = self._ctx
        references = [payment_reference(ctx, one.key) for one in order.payments]
        references += [
            split_reference(ctx, one.payment.key, order) for one in self._receipts if one.order is not order
        ]
        return claim_of(ctx, self._families.decision(order), references)

    def placed(self) -> list[_Placed]:
        """All rows, in the order of instants."""
        for key, old in self._old.items():
            claim = self._claims[key]
            for row in moved(self._ctx, claim, old):
                self.add(row, claim.order)
        already = self._paid_already()
        for receipt in self._receipts:
            _One(self._ctx, self, receipt, paid_already=receipt.payment.key in already).decide()
        self._gone()
        return self._rows

    def add(self, row: PlanRow, *orders: SalesDocument) -> None:
        """One more."""
        self._rows.append(_Placed(row, frozenset(order.key for order in orders)))

    def claim(self, order: SalesDocument) -> Claim:
        """Of one of the family's orders."""
        return self._claims[order.key]

    def on_old_invoice(self, order: SalesDocument, reference: str) -> Standing | None:
        """Money under that reference on an invoice of the order that was taken back."""
        some = (one for old in self._old.get(order.key, ()) for one in old.standing)
        return next((one for one in some if one.reference == reference), None)

    def split_off(self, order: SalesDocument) -> list[Claim]:
        """Claims of those split from it."""
        return [self._claims[one.key] for one in self._families.below(order)]

    def _paid_already(self) -> frozenset[str]:
        """Payments that somebody else booked with the invoice that somebody else wrote: the earliest ones, where they come
        to exactly what the books show as paid beyond ours."""
        found: set[str] = set()
        for claim in self._claims.values():
            if claim.decision.ours or not claim.by_hand or claim.decision.total is None:
                continue
            have = {one.reference for one in claim.standing}
            summed, some = ZERO, set[str]()
            for receipt in self._receipts:
                reference = payment_reference(self._ctx, receipt.payment.key)
                if receipt.order.key != claim.order.key or reference in have:
                    continue
                summed += receipt.amount
                some.add(receipt.payment.key)
                if min(summed, claim.decision.total.amount) == claim.by_hand:
                    found |= some
                    claim.paid_already, claim.by_hand = claim.by_hand, ZERO
                    break
        return frozenset(found)

    def _gone(self) -> None:
        """Money of ours on an invoice, of a payment that the store no longer shows."""
        ctx = self._ctx
        if self._root.related:
            return  # the order it was split from was not read: its payments may be what stands here
        names = [payment_reference(ctx, one.payment.key) for one in self._receipts]
        for claim in self._claims.values():
            for standing in claim.standing:
                ours = standing.reference.startswith(payment_reference(ctx, ""))
                if not ours or any(_of(standing.reference, name) for name in names):
                    continue
                number = claim.order.number
                self.add(
                    ctx.blocked(
                        ctx.key(PAYMENT, standing.reference, "gone"),
                        number,
                        f"Payment {standing.reference} on order {number}",
                        Reason(
                            "payment-gone",
                            f"{standing.reference} is booked on order {number} over {standing.amount} "
                            f"{claim.order.currency}, and Neto no longer shows that payment.",
                            "Delete it in Saasu if it was a mistake, or ignore this row.",
                        ),
                        Money(standing.amount, claim.order.currency),
                        PAYMENT,
                    ),
                    claim.order,
                )


def _of(reference: str, name: str) -> bool:
    """Whether a reference is that of a payment, or of a part of it."""
    return reference == name or reference.startswith(f"{name}-")


@dataclass(slots=True)
class _One:
    """Deciding one payment."""

    ctx: Context
    family: _Family
    receipt: _Receipt
    paid_already: bool = False
    account: SaasuAccount | None = None
    paid_by: tuple[str, ...] = ()
    """Keys of effects that book parts of it: what is too much is booked after them, or not at all."""

    def decide(self) -> None:
        """Its rows."""
        ctx, receipt = self.ctx, self.receipt
        key = payment_key(ctx, receipt.payment.key)
        if key in ctx.journal.ignored:
            self._skip(key, Reason("ignored-by-user", "Ignored by a user."))
        elif not receipt.amount:
            self._skip(key, Reason("zero-payment", f"{receipt.title} is over nothing."))
        else:
            booked = self._booked(key)
            if booked is None:
                booked = self._book(key)
            if booked is not None:
                self._rest(booked)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _skip(self, key: str, reason: Reason, amount: Decimal | None = None, kind: str = PAYMENT) -> None:
        receipt = self.receipt
        amount = receipt.amount if amount is None else amount
        self.family.add(
            self.ctx.skip(key, receipt.order.number, receipt.title, reason, receipt.money(amount), kind),
            receipt.order,
        )

    def _block(
        self,
        key: str,
        reason: Reason,
        amount: Decimal | None = None,
        kind: str = PAYMENT,
        also: SalesDocument | None = None,
    ) -> None:
        receipt = self.receipt
        amount = receipt.amount if amount is None else amount
        self.family.add(
            self.ctx.blocked(key, receipt.order.number, receipt.title, reason, receipt.money(amount), kind),
            receipt.order, also or receipt.order,
        )  # fmt: skip

    def _known(self, known: Known, amount: Decimal, order: SalesDocument) -> None:
        """The row of what the journal knows already."""
        if deleted(self.ctx, known):
            self._block(
                known.key,
                Reason(
                    "payment-deleted",
                    f"{self.receipt.title} was booked as {known.external_id}, and then deleted in Saasu.",
                    "Book it again by hand in Saasu, or ignore this row.",
                ),
                amount,
                known.kind,
                order,
            )
            return
        effect = self.ctx.effect(
            FLOW, known.kind, known.key, external_id=known.external_id, number=self.receipt.order.number,
            title=self.receipt.title, body=known.fields(), expected=Expected(self.receipt.money(amount), known.day),
        )  # fmt: skip
        self.family.add(self.ctx.row(effect, Reason("payment", "")), self.receipt.order, order)

    # --- its own order -----------------------------------------------------------------------------------------------

    def _booked(self, key: str) -> Decimal | None:
        """What is in the books of it on its own order's invoice; None = it is to be decided."""
        ctx, receipt = self.ctx, self.receipt
        known = ctx.journal.known.get(key)
        if known is not None and deleted(ctx, known):
            self._known(known, receipt.amount, receipt.order)
            return receipt.amount
        if known is not None and stands(ctx, known):
            return self._booked_by_us(known)
        claim = self.family.claim(receipt.order)
        reference = payment_reference(ctx, receipt.payment.key)
        standing = next((one for one in claim.standing if one.reference == reference), None)
        if standing is not None and standing.quick:
            return self._in_invoice(key, standing, claim.decision)
        old = self.family.on_old_invoice(receipt.order, reference)
        if standing is None and old is not None:
            self._skip(
                key, Reason("paid-with-invoice", "Went with the first invoice of the order, in one call.")
            )
            return receipt.amount
        amount = in_books(ctx, reference) if standing is None else standing.amount
        if amount is not None:
            reason = Reason("already-booked", f"{receipt.title} is in Saasu already, as {reference}.")
            self._skip(key, reason, amount)
            return amount
        if self.paid_already:
            number = claim.decision.booked.number if claim.decision.booked else receipt.order.number
            amount = claim.take_paid(receipt.amount)
            reason = Reason("paid-already", f"Invoice {number}, booked by somebody else, shows it as paid.")
            self._skip(key, reason, amount)
            return amount
        return None

    def _booked_by_us(self, known: Known) -> Decimal | None:
        receipt = self.receipt
        fields = known.fields()
        items = fields.get("PaymentItems")
        parts = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
        amount = sum((decimal(one.get("AmountPaid")) for one in parts), ZERO)
        self.paid_by = (known.key,)
        self._known(known, amount, receipt.order)
        if fields.get("Notes", receipts.notes(receipt.payment)) != receipts.notes(receipt.payment):
            self._changed(amount)
            return receipt.amount
        return amount

    def _in_invoice(self, key: str, standing: Standing, decision: Decision) -> Decimal:
        receipt = self.receipt
        self._skip(
            key,
            Reason(
                "paid-with-invoice", f"Goes with the invoice of order {receipt.order.number}, in one call."
            ),
            standing.amount,
        )
        self.paid_by = (decision.key,)
        whole = decision.total is not None and standing.amount == decision.total.amount
        if standing.amount > receipt.amount or (standing.amount < receipt.amount and not whole):
            self._changed(standing.amount)
            return receipt.amount
        return standing.amount

    def _changed(self, booked: Decimal) -> None:
        receipt = self.receipt
        self._block(
            self.ctx.key(PAYMENT, receipt.payment.key, "changed"),
            Reason(
                "payment-changed",
                f"{receipt.title} was booked over {receipt.money(booked)}, and is {receipt.payment.amount} in Neto now.",
                "Correct it in Saasu by hand, then ignore this row.",
            ),
            receipt.amount - booked,
        )

    def _book(self, key: str) -> Decimal | None:
        """Decide it. Returns what its own order takes; None = nothing more is done with it."""
        ctx, receipt = self.ctx, self.receipt
        claim = self.family.claim(receipt.order)
        reason = receipts.obstacle(receipt.payment, receipt.order)
        if reason is not None:
            self._block(key, reason)
            return None
        if not claim.payable:
            self._without_invoice(key, claim.decision)
            return None
        if claim.by_hand and claim.unread:
            self._skip(
                key,
                Reason(
                    "wait-for-books",
                    f"Saasu was read before the last payment of order {receipt.order.number} was booked; the next reading "
                    "tells what is still owed.",
                ),
            )
            return None
        if claim.by_hand:
            self._block(key, self._by_hand(claim))
            return None
        account = payment_account(ctx, receipt.payment)
        if isinstance(account, Reason):
            self._block(key, account)
            # Later payments must not take what is its: it would come out otherwise once the method is mapped.
            claim.take(receipt.amount)
            return None
        self.account = account
        part = claim.take(receipt.amount)
        if part:
            self.family.add(self._write(key, claim, part, account), receipt.order)
            self.paid_by = (key,)
        return part

    def _write(self, key: str, claim: Claim, part: Decimal, account: SaasuAccount) -> PlanRow:
        ctx, receipt = self.ctx, self.receipt
        reference = payment_reference(ctx, receipt.payment.key)
        body = payment_body(
            ctx, receipt.payment, receipt.order.number, claim.decision.invoice, part, account.id, reference
        )
        text = f"{receipt.money(part)} into {account.name}, on the invoice of order {receipt.order.number}."
        fee = receipts.fee(ctx, receipt.payment)
        if fee and account.fee_account:
            body["FeeAmount"] = fee
            text += f" The fee of {receipt.money(fee)} is booked with it."
        elif fee:
            text += (
                f" Its fee of {receipt.money(fee)} is not booked: {account.name} has no merchant-fee account."
            )
        return ctx.row(self._effect(key, reference, body, part), Reason("payment", text))

    def _effect(
        self,
        key: str,
        reference: str,
        body: dict[str, Json],
        part: Decimal,
        kind: str = PAYMENT,
        depends_on: tuple[str, ...] = (),
    ) -> Effect:
        receipt = self.receipt
        return self.ctx.effect(
            FLOW, kind, key, external_id=reference, number=receipt.order.number, title=receipt.title, body=body,
            expected=Expected(receipt.money(part), receipts.paid_on(self.ctx, receipt.payment)), depends_on=depends_on,
            source=f"payment:{receipt.payment.key}",
        )  # fmt: skip

    def _by_hand(self, claim: Claim) -> Reason:
        receipt, booked = self.receipt, claim.decision.booked
        number = booked.number if booked is not None else receipt.order.number
        paid = booked.paid if booked is not None else claim.by_hand
        ours = paid - claim.by_hand
        return Reason(
            "paid-by-hand",
            f"Invoice {number} shows {receipt.money(paid)} paid in Saasu, {receipt.money(ours)} of it known here: "
            f"{receipt.money(claim.by_hand)} were booked by somebody. {receipt.title} over {receipt.payment.amount} waits.",
            "If that is this payment, ignore this row; else delete the payment in Saasu that was made by mistake.",
        )

    def _without_invoice(self, key: str, decision: Decision) -> None:
        """Money on an order that has no invoice: it must be seen wherever somebody may have to act."""
        ctx, receipt = self.ctx, self.receipt
        order = receipt.order
        why = decision.reason.text if decision.reason is not None else ""
        amount = receipt.payment.amount
        if decision.reason is not None and decision.reason.code == "not-a-test-order":
            self._skip(key, decision.reason)
        elif order.cancelled:
            self._block(key, self._on_cancelled(decision))
        elif any(row.action is Action.BLOCKED for row in decision.rows):
            self._block(key, Reason(
                "order-blocked",
                f"{amount} were received on order {order.number}, which waits: {why}",
                "Clear the order; its payments follow by themselves.",
            ))  # fmt: skip
        elif order.day >= ctx.first_day:
            self._skip(
                key, Reason("order-not-exported", f"Order {order.number} is not exported. {why}".strip())
            )
        elif receipts.paid_on(ctx, receipt.payment) < ctx.first_day:
            self._skip(key, Reason(
                "before-first-day", f"Received before {ctx.first_day.isoformat()}, the integration date."
            ))  # fmt: skip
        else:
            self._block(key, Reason(
                "old-order-paid",
                f"{amount} were received on order {order.number} of {order.day.isoformat()}, from before the integration "
                f"date {ctx.first_day.isoformat()}: its invoice is not of this program.",
                "Book it by hand on that invoice in Saasu, then ignore this row.",
            ))  # fmt: skip

    def _on_cancelled(self, decision: Decision) -> Reason:
        receipt = self.receipt
        order = receipt.order
        returns = self.ctx.shop.returns.values()
        back = sum(
            (
                p.amount.amount
                for one in returns
                if one.related == order.key
                for p in one.payments
                if p.amount.currency == order.currency
            ),
            ZERO,
        )
        where = (
            "was cancelled before it was exported" if decision.invoice is None else "was cancelled afterwards"
        )
        given = f" {receipt.money(back)} were given back." if back else " Neto shows no refund of it."
        return Reason(
            "cancelled-order-paid",
            f"{receipt.payment.amount} were received on order {order.number}, which {where}.{given}",
            "Book the receipt and what was given back by hand (it is in the bank), then ignore this row.",
        )

    # --- what its own order does not owe -----------------------------------------------------------------------------

    def _rest(self, booked: Decimal) -> None:
        """The part that the own order's invoice does not take: to orders split from it, else it is too much."""
        rest = self.receipt.amount - booked
        split = self.family.split_off(self.receipt.order)
        for claim in split:
            rest -= self._split_already(claim)
        over = self._over_already(rest)
        rest -= over
        open_claims = [one for one in split if one.payable and one.open and not one.by_hand]
        if rest <= 0:
            self._split_too_late(booked, over, open_claims)
            return
        for claim in open_claims:
            rest -= self._split(claim, rest)
        if rest > 0 and not over:
            self._over(rest, split)

    def _split_already(self, claim: Claim) -> Decimal:
        """What that order has of this payment."""
        ctx, receipt = self.ctx, self.receipt
        key = split_key(ctx, receipt.payment.key, claim.order)
        reference = split_reference(ctx, receipt.payment.key, claim.order)
        standing = next((one for one in claim.standing if one.reference == reference), None)
        if standing is None:
            return ZERO
        known = ctx.journal.known.get(key)
        if known is not None:
            self.paid_by = (*self.paid_by, key)
            self._known(known, standing.amount, claim.order)
        else:
            reason = Reason(
                "already-booked", f"A part of {receipt.title} is in Saasu already, as {reference}."
            )
            self._skip(key, reason, standing.amount)
        return standing.amount

    def _split(self, claim: Claim, rest: Decimal) -> Decimal:
        ctx, receipt = self.ctx, self.receipt
        account = self.account or payment_account(ctx, receipt.payment)
        key = split_key(ctx, receipt.payment.key, claim.order)
        if key in ctx.journal.ignored:
            part = claim.take(rest)
            self._skip(key, Reason("ignored-by-user", "Ignored by a user."), part)
            return part
        part = claim.take(rest)
        if isinstance(account, Reason):
            self._block(key, account, part, also=claim.order)
            return part
        reference = split_reference(ctx, receipt.payment.key, claim.order)
        body = payment_body(
            ctx, receipt.payment, claim.order.number, claim.decision.invoice, part, account.id, reference
        )
        row = ctx.row(
            self._effect(key, reference, body, part),
            Reason(
                "payment-of-split-order",
                f"{receipt.money(part)} into {account.name}, on the invoice of order {claim.order.number}, which was split "
                f"from order {receipt.order.number} with its payment left there.",
            ),
        )
        self.family.add(row, receipt.order, claim.order)
        self.paid_by = (*self.paid_by, key)
        return part

    def _split_too_late(self, booked: Decimal, over: Decimal, open_claims: Sequence[Claim]) -> None:
        """What belongs to an order split from it is booked elsewhere already: on the own order, which shrank after it was
        paid, or as too much."""
        receipt = self.receipt
        claim = self.family.claim(receipt.order)
        total, now = claim.decision.total, receipt.order.grand_total.amount
        if not open_claims:
            return
        there = open_claims[0]
        if over:
            where = "as overpaid, in a journal"
            remedy = f"Delete the journal in Saasu and pay the invoice of order {there.order.number} from its bank account"
            excess = over
        elif total is not None and total.amount > now and booked > now:
            where = f"on the invoice of order {receipt.order.number}, in full"
            remedy = f"In Saasu, move that much of the payment to the invoice of order {there.order.number}"
            excess = booked - now
        else:
            return
        amount = min(excess, there.open)
        self._block(
            split_key(self.ctx, receipt.payment.key, there.order),
            Reason(
                "split-after-payment",
                f"{receipt.title} is booked {where}; order {there.order.number}, split from it, owes {receipt.money(amount)} "
                "of it.",
                f"{remedy}, then ignore this row.",
            ),
            amount,
            also=there.order,
        )

    # --- too much ----------------------------------------------------------------------------------------------------

    def _over_already(self, rest: Decimal) -> Decimal:
        """What is booked as too much."""
        journal = self.ctx.journal.known.get(over_key(self.ctx, self.receipt.payment.key))
        if journal is None or not stands(self.ctx, journal):
            return ZERO
        amount = rest if journal.amount is None else journal.amount.amount
        self._known(journal, amount, self.receipt.order)
        return amount

    def _over(self, rest: Decimal, split: Sequence[Claim]) -> None:
        ctx, receipt = self.ctx, self.receipt
        key = over_key(ctx, receipt.payment.key)
        reference = f"{payment_reference(ctx, receipt.payment.key)}-OVER"
        waits = [
            one.order.number
            for one in split
            if one.decision.invoice is None and not one.order.cancelled and one.order.grand_total
        ]
        if ctx.books.journals_by_reference.get(folded(reference)):
            self._skip(
                key,
                Reason("already-booked", f"What is over is in Saasu already, as {reference}."),
                rest,
                JOURNAL,
            )
        elif waits:
            self._skip(
                key,
                Reason(
                    "waits-for-split-order",
                    f"{receipt.money(rest)} of {receipt.title} belong to order {', '.join(waits)}, split from it and not "
                    "exported yet.",
                ),
                rest,
                JOURNAL,
            )
        elif ctx.settings.payments.overpayment is Overpayment.OFF:
            self._block(
                key,
                Reason(
                    "overpaid",
                    f"{receipt.title} is over {receipt.payment.amount}; {receipt.money(rest)} of it are above what is owed "
                    "and are not booked.",
                    "Give it back or book it by hand, then ignore this row; or set payments.overpayment: journal.",
                ),
                rest,
                JOURNAL,
            )
        else:
            self._journal(key, reference, rest)

    def _journal(self, key: str, reference: str, rest: Decimal) -> None:
        ctx, receipt = self.ctx, self.receipt
        bank = self.account or payment_account(ctx, receipt.payment)
        if isinstance(bank, Reason):
            self._block(key, bank, rest, JOURNAL)
            return
        try:
            liability = ctx.books.account(
                ctx.settings.payments.overpayment_account or "", "payments.overpayment_account", bank=False
            )
        except UnresolvedError as error:
            self._block(key, unresolved(error), rest, JOURNAL)
            return
        body: dict[str, Json] = {
            "TransactionDate": receipts.paid_on(ctx, receipt.payment).isoformat(),
            "Summary": f"overpaid: {receipts.summary(receipt.order.number, receipt.payment)}"[
                : receipts.SUMMARY
            ],
            "Reference": reference,
            "Notes": receipts.notes(receipt.payment),
            "Items": [
                {"Type": "Debit", "AccountId": bank.id, "Amount": rest},
                {"Type": "Credit", "AccountId": liability.id, "Amount": rest},
            ],
            **receipts.money_fields(ctx, receipt.payment.amount.currency),
        }
        contact = self.family.claim(receipt.order).decision.contact
        if contact is not None:
            body["JournalContactId"] = contact
        self.family.add(
            ctx.row(
                self._effect(key, reference, body, rest, JOURNAL, self.paid_by),
                Reason(
                    "overpaid-to-liability",
                    f"{receipt.money(rest)} above what is owed: into {bank.name}, owed to the customer in {liability.name}.",
                ),
            ),
            receipt.order,
        )


__all__ = ["FLOW", "over_key", "payment_body", "payment_key", "rows", "split_key"]
