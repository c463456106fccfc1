"""The part of a payment that its own order's invoice does not take.

Belongs here: parts for orders that were split off, money above all that is owed. Does not belong here: what the own order
takes (`payments`). Facts: neto.md 8.1; saasu.md 5.10, 7 (the journal method).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.accounts import payment_account
from ledger_pipelines.integrations.neto_saasu.books import LIABILITY
from ledger_pipelines.integrations.neto_saasu.claims import Claim, deleted, split_reference, stands
from ledger_pipelines.integrations.neto_saasu.payment_family import (
    JOURNAL,
    ReceiptRows,
    over_key,
    payment_body,
    split_key,
)
from ledger_pipelines.integrations.neto_saasu.references import payment_reference
from ledger_pipelines.integrations.neto_saasu.settings import Overpayment
from ledger_pipelines.integrations.shop import UnresolvedError, unresolved
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuAccount


@dataclass(slots=True)
class RestRows(ReceiptRows):
    """Deciding the rest of one payment.

    account: where the payment goes, once that is known. paid_by: keys of effects that book parts of it: what is too much is
    booked after them, or not at all.
    """

    account: SaasuAccount | None = None
    paid_by: tuple[str, ...] = ()

    @property
    def _split_orders(self) -> tuple[SalesDocument, ...]:
        """Those split from the own order. What becomes of them decides what is too much, so that is in their plans too: the own
        order's day is closed by then."""
        return tuple(one.order for one in self.family.split_off(self.receipt.order))

    def rest(self, booked: Decimal) -> None:
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
            self.known(known, standing.amount, claim.order)
        else:
            reason = Reason(
                "already-booked", f"A part of {receipt.title} is in Saasu already, as {reference}."
            )
            self.skip(key, reason, standing.amount)
        return standing.amount

    def _split(self, claim: Claim, rest: Decimal) -> Decimal:
        ctx, receipt = self.ctx, self.receipt
        account = self.account or payment_account(ctx, receipt.payment)
        key = split_key(ctx, receipt.payment.key, claim.order)
        if ctx.journal.is_ignored(key):
            part = claim.take(rest)
            self.skip(key, Reason(IGNORED, "Ignored by a user."), part)
            return part
        part = claim.take(rest)
        if isinstance(account, Reason):
            self.block(key, account, part, also=(claim.order,))
            return part
        reference = split_reference(ctx, receipt.payment.key, claim.order)
        body = payment_body(
            ctx, receipt.payment, claim.order.number, claim.decision.invoice, part, account.id, reference
        )
        row = ctx.row(
            self.effect(key, reference, body, part),
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
            remedy = (
                f"Delete the journal in Saasu: the next run pays the invoice of order {there.order.number}."
            )
            excess = over
        elif total is not None and total.amount > now and booked > now:
            where = f"on the invoice of order {receipt.order.number}, in full"
            remedy = f"In Saasu, move that much of the payment to the invoice of order {there.order.number}; ignore this row."
            excess = booked - now
        else:
            return
        amount = min(excess, there.open)
        self.block(
            split_key(self.ctx, receipt.payment.key, there.order),
            Reason(
                "split-after-payment",
                f"{receipt.title} is booked {where}; order {there.order.number}, split from it, owes {receipt.money(amount)} "
                "of it.",
                remedy,
            ),
            amount,
            also=(there.order,),
        )

    def _over_already(self, rest: Decimal) -> Decimal:
        """What is booked as too much."""
        journal = self.ctx.journal.known.get(over_key(self.ctx, self.receipt.payment.key))
        if journal is None or not stands(self.ctx, journal):
            return ZERO
        amount = rest if journal.amount is None else journal.amount.amount
        self.known(journal, amount, *self._split_orders)
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
        known = ctx.journal.known.get(key)
        if known is not None and deleted(ctx, known):
            self.known(known, rest, *self._split_orders)
        elif ctx.books.journals_by_reference.get(folded(reference)):
            self.skip(
                key,
                Reason("already-booked", f"What is over is in Saasu already, as {reference}."),
                rest,
                JOURNAL,
                self._split_orders,
            )
        elif waits:
            self.skip(
                key,
                Reason(
                    "waits-for-split-order",
                    f"{receipt.money(rest)} of {receipt.title} belong to order {', '.join(waits)}, split from it and not "
                    "exported yet.",
                ),
                rest,
                JOURNAL,
                self._split_orders,
            )
        elif ctx.settings.payments.overpayment is Overpayment.OFF:
            self.block(
                key,
                Reason(
                    "overpaid",
                    f"{receipt.title} is over {receipt.payment.amount}; {receipt.money(rest)} of it are above what is owed "
                    "and are not booked.",
                    "Give it back or book it by hand, then ignore this row; or set payments.overpayment: journal.",
                ),
                rest,
                JOURNAL,
                self._split_orders,
            )
        else:
            self._journal(key, reference, rest)

    def _journal(self, key: str, reference: str, rest: Decimal) -> None:
        ctx, receipt = self.ctx, self.receipt
        bank = self.account or payment_account(ctx, receipt.payment)
        if isinstance(bank, Reason):
            self.block(key, bank, rest, JOURNAL, self._split_orders)
            return
        try:
            liability = ctx.books.account(
                ctx.settings.payments.overpayment_account or "", "payments.overpayment_account", LIABILITY
            )
        except UnresolvedError as error:
            self.block(key, unresolved(error), rest, JOURNAL, self._split_orders)
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
                self.effect(key, reference, body, rest, JOURNAL, self.paid_by),
                Reason(
                    "overpaid-to-liability",
                    f"{receipt.money(rest)} above what is owed: into {bank.name}, owed to the customer in {liability.name}.",
                ),
            ),
            receipt.order,
            *self._split_orders,
        )
