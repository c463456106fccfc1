"""Flow `payments`: money received on orders, allocated to their invoices, never above what they owe.

Belongs here: what of a payment its own order's invoice takes, and what stands in the way. Does not belong here: what becomes of
the rest (`payment_rest`), the payment by itself (`receipts`), what an invoice can still take (`claims`), payments of invoices
that were reposted (`moved_payments`), money that goes back (`refunds`). Facts: saasu.md 5.9, 5.10, 7; neto.md 8.1, 9.

Payments of an order and of those split from it are decided together, in the order of their instants, whichever of the orders
a plan is about: so every plan comes to the same. A part for an order that was split off is a payment of its own, because
that order's invoice is often written later: the books come out the same whichever day is exported first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED, Known
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.by_day.unreadable import one_by_one, payments_named
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.accounts import payment_account
from ledger_pipelines.integrations.neto_saasu.claims import (
    Claim,
    Families,
    Standing,
    decimal,
    deleted,
    in_books,
    stands,
)
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.moved_payments import moved
from ledger_pipelines.integrations.neto_saasu.payment_family import (
    FLOW,
    Family,
    Placed,
    payment_body,
)
from ledger_pipelines.integrations.neto_saasu.payment_rest import RestRows
from ledger_pipelines.integrations.neto_saasu.references import PAYMENT, payment_key, payment_reference
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuAccount

__all__ = ["FLOW", "rows"]


UNTIL_BOOKED: Final = "Until they are booked, its invoice in Saasu may show less paid than the store does: do not ask for that money."


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """What is to be done with every payment shown on these orders, and with parts of payments that come to them."""
    if not ctx.settings.payments.enabled:
        return []
    families = Families(ctx)
    made: dict[str, list[Placed]] = {}
    found: dict[str, PlanRow] = {}

    def of_order(order: SalesDocument) -> list[PlanRow]:
        root = families.root(order)
        if root.key not in made:
            made[root.key] = _decided(ctx, Family(ctx, families, root))
        return [one.row for one in made[root.key] if order.key in one.orders]

    for row in one_by_one(ctx, orders, of_order, payments_named, UNTIL_BOOKED):
        found[row.key] = row
    return list(found.values())


def _decided(ctx: Context, family: Family) -> list[Placed]:
    """All rows of a family, in the order of instants."""
    for key, old in family.old.items():
        claim = family.claims[key]
        for row in moved(ctx, claim, old):
            family.add(row, claim.order)
    already = _paid_already(ctx, family)
    for receipt in family.receipts:
        _One(ctx, family, receipt, paid_already=receipt.payment.key in already).decide()
    _gone(ctx, family)
    return family.rows


def _paid_already(ctx: Context, family: Family) -> frozenset[str]:
    """Payments that somebody else booked with the invoice that somebody else wrote: the earliest ones, where they come
    to exactly what the books show as paid beyond ours."""
    found: set[str] = set()
    for claim in family.claims.values():
        if claim.decision.ours or not claim.by_hand or claim.decision.total is None:
            continue
        have = {one.reference for one in claim.standing}
        summed, some = ZERO, set[str]()
        for receipt in family.receipts:
            reference = payment_reference(ctx, receipt.payment.key)
            if receipt.order.key != claim.order.key or reference in have:
                continue
            summed += receipt.amount
            some.add(receipt.payment.key)
            if min(summed, claim.decision.total.amount) == claim.by_hand:
                found |= some
                claim.paid_already, claim.by_hand = claim.by_hand, ZERO
                break
    return frozenset(found)


def _gone(ctx: Context, family: Family) -> None:
    """Money of ours on an invoice, of a payment that the store no longer shows."""
    if not family.complete:
        return  # the order it was split from was not read: its payments may be what stands here
    names = [payment_reference(ctx, one.payment.key) for one in family.receipts]
    for claim in family.claims.values():
        for standing in claim.standing:
            ours = standing.reference.startswith(payment_reference(ctx, ""))
            if not ours or any(_of(standing.reference, name) for name in names):
                continue
            number = claim.order.number
            family.add(
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
class _One(RestRows):
    """Deciding one payment."""

    paid_already: bool = False

    def decide(self) -> None:
        """Its rows."""
        ctx, receipt = self.ctx, self.receipt
        key = payment_key(ctx, receipt.payment.key)
        if ctx.journal.is_ignored(key):
            self.skip(key, Reason(IGNORED, "Ignored by a user."))
        elif not receipt.amount:
            self.skip(key, Reason("zero-payment", f"{receipt.title} is over nothing."))
        else:
            booked = self._booked(key)
            if booked is None:
                booked = self._book(key)
            if booked is not None:
                self.rest(booked)

    def _booked(self, key: str) -> Decimal | None:
        """What is in the books of it on its own order's invoice; None = it is to be decided."""
        ctx, receipt = self.ctx, self.receipt
        known = ctx.journal.known.get(key)
        if known is not None and deleted(ctx, known):
            self.known(known, receipt.amount, receipt.order)
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
            self.skip(
                key, Reason("paid-with-invoice", "Went with the first invoice of the order, in one call.")
            )
            return receipt.amount
        amount = in_books(ctx, reference) if standing is None else standing.amount
        if amount is not None:
            reason = Reason("already-booked", f"{receipt.title} is in Saasu already, as {reference}.")
            self.skip(key, reason, amount)
            return amount
        if self.paid_already:
            number = claim.decision.booked.number if claim.decision.booked else receipt.order.number
            amount = claim.take_paid(receipt.amount)
            reason = Reason("paid-already", f"Invoice {number}, booked by somebody else, shows it as paid.")
            self.skip(key, reason, amount)
            return amount
        return None

    def _booked_by_us(self, known: Known) -> Decimal | None:
        receipt = self.receipt
        fields = known.fields()
        items = fields.get("PaymentItems")
        parts = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
        amount = sum((decimal(one.get("AmountPaid")) for one in parts), ZERO)
        self.paid_by = (known.key,)
        self.known(known, amount, receipt.order)
        if fields.get("Notes", receipts.notes(receipt.payment)) != receipts.notes(receipt.payment):
            self._changed(amount)
            return receipt.amount
        return amount

    def _in_invoice(self, key: str, standing: Standing, decision: Decision) -> Decimal:
        receipt = self.receipt
        self.skip(
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
        self.block(
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
            self.block(key, reason)
            return None
        if not claim.payable:
            self._without_invoice(key, claim.decision)
            return None
        if claim.by_hand and claim.unread:
            self.skip(
                key,
                Reason(
                    "wait-for-books",
                    f"Saasu was read before the last payment of order {receipt.order.number} was booked; the next reading "
                    "tells what is still owed.",
                ),
            )
            return None
        if claim.by_hand:
            self.block(key, self._by_hand(claim))
            return None
        account = payment_account(ctx, receipt.payment)
        if isinstance(account, Reason):
            self.block(key, account)
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
        return ctx.row(self.effect(key, reference, body, part), Reason("payment", text))

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
            self.skip(key, decision.reason)
        elif order.cancelled:
            self.block(key, self._on_cancelled(decision))
        elif any(row.action is Action.BLOCKED for row in decision.rows):
            self.block(key, Reason(
                "order-blocked",
                f"{amount} were received on order {order.number}, which waits: {why}",
                "Clear the order; its payments follow by themselves.",
            ))  # fmt: skip
        elif order.day >= ctx.first_day:
            self.skip(
                key, Reason("order-not-exported", f"Order {order.number} is not exported. {why}".strip())
            )
        elif receipts.paid_on(ctx, receipt.payment) < ctx.first_day:
            self.skip(key, Reason(
                "before-first-day", f"Received before {ctx.first_day.isoformat()}, the integration date."
            ))  # fmt: skip
        else:
            self.block(key, Reason(
                "old-order-paid",
                f"{amount} were received on order {order.number} of {order.day.isoformat()}, from before the integration "
                f"date {ctx.first_day.isoformat()}: its invoice is not of this program.",
                "Book it by hand on that invoice in Saasu, then ignore this row.",
            ))  # fmt: skip

    def _on_cancelled(self, decision: Decision) -> Reason:
        receipt = self.receipt
        order = receipt.order
        returns = readable(self.ctx.shop.returns)
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
