"""One family of orders for the flow `payments`: what was paid on them, what their invoices take, and how rows are made.

Belongs here: what deciding a payment needs beside the payment: keys, requests, claims, rows. Does not belong here: deciding
(`payments`, `payment_rest`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.effects import Effect, Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import Payment, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.claims import (
    Claim,
    Families,
    Standing,
    claim_of,
    deleted,
    split_reference,
    taken_back,
)
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.references import PAYMENT, payment_reference
from ledger_pipelines.sync.plan import PlanRow, Reason

FLOW = "payments"
JOURNAL = "journal"


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
class Placed:
    """A row, and the orders in whose plans it is."""

    row: PlanRow
    orders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Receipt:
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


class Family:
    """One order, those split from it, and all that was paid on them."""

    def __init__(self, ctx: Context, families: Families, root: SalesDocument) -> None:
        self._ctx = ctx
        self._families = families
        members = (root, *families.below(root))
        self.complete = not root.related
        """Whether the order all of them come from was read."""
        self.receipts = sorted(
            (Receipt(receipts.completed(ctx, one), order) for order in members for one in order.payments),
            key=lambda one: receipts.instant(ctx, one.payment),
        )
        self.rows: list[Placed] = []
        decided = {one.key: families.decision(one) for one in members}
        self.old = {key: taken_back(ctx, one) for key, one in decided.items() if one.credits}
        """Invoices of each order that were taken back, by the order's key."""
        self.claims = {one.key: self._claim(one) for one in members}

    def _claim(self, order: SalesDocument) -> Claim:
        ctx = self._ctx
        references = [payment_reference(ctx, one.key) for one in order.payments]
        references += [
            split_reference(ctx, one.payment.key, order) for one in self.receipts if one.order is not order
        ]
        # The books do not tell on which invoice a payment stands: on one that was taken back it does not pay the present one.
        elsewhere = {standing.reference for old in self.old.get(order.key, ()) for standing in old.standing}
        here = [one for one in references if one not in elsewhere]
        return claim_of(ctx, self._families.decision(order), here)

    def add(self, row: PlanRow, *orders: SalesDocument) -> None:
        """One more."""
        self.rows.append(Placed(row, frozenset(order.key for order in orders)))

    def claim(self, order: SalesDocument) -> Claim:
        """Of one of the family's orders."""
        return self.claims[order.key]

    def on_old_invoice(self, order: SalesDocument, reference: str) -> Standing | None:
        """Money under that reference on an invoice of the order that was taken back."""
        some = (one for old in self.old.get(order.key, ()) for one in old.standing)
        return next((one for one in some if one.reference == reference), None)

    def split_off(self, order: SalesDocument) -> list[Claim]:
        """Claims of those split from it."""
        return [self.claims[one.key] for one in self._families.below(order)]


@dataclass(slots=True)
class ReceiptRows:
    """How the rows of one payment are made."""

    ctx: Context
    family: Family
    receipt: Receipt

    def skip(
        self,
        key: str,
        reason: Reason,
        amount: Decimal | None = None,
        kind: str = PAYMENT,
        also: Sequence[SalesDocument] = (),
    ) -> None:
        """A row that needs nobody. also: other orders in whose plans it is."""
        receipt = self.receipt
        amount = receipt.amount if amount is None else amount
        self.family.add(
            self.ctx.skip(key, receipt.order.number, receipt.title, reason, receipt.money(amount), kind),
            receipt.order, *also,
        )  # fmt: skip

    def block(
        self,
        key: str,
        reason: Reason,
        amount: Decimal | None = None,
        kind: str = PAYMENT,
        also: Sequence[SalesDocument] = (),
    ) -> None:
        """A row that needs a person. also: other orders in whose plans it is."""
        receipt = self.receipt
        amount = receipt.amount if amount is None else amount
        self.family.add(
            self.ctx.blocked(key, receipt.order.number, receipt.title, reason, receipt.money(amount), kind),
            receipt.order, *also,
        )  # fmt: skip

    def known(self, known: Known, amount: Decimal, *also: SalesDocument) -> None:
        """The row of what the journal knows already. also: other orders in whose plans it is."""
        if deleted(self.ctx, known):
            self.block(
                known.key,
                Reason(
                    "payment-deleted",
                    f"{self.receipt.title} was booked as {known.external_id}, and that was deleted in Saasu.",
                    "Book it again by hand in Saasu, or ignore this row.",
                ),
                amount,
                known.kind,
                also,
            )
            return
        effect = self.ctx.effect(
            FLOW, known.kind, known.key, external_id=known.external_id, number=self.receipt.order.number,
            title=self.receipt.title, body=known.fields(), expected=Expected(self.receipt.money(amount), known.day),
        )  # fmt: skip
        self.family.add(self.ctx.row(effect, Reason("payment", "")), self.receipt.order, *also)

    def effect(
        self,
        key: str,
        reference: str,
        body: dict[str, Json],
        part: Decimal,
        kind: str = PAYMENT,
        depends_on: tuple[str, ...] = (),
    ) -> Effect:
        """An intended write of a part of the payment."""
        receipt = self.receipt
        return self.ctx.effect(
            FLOW, kind, key, external_id=reference, number=receipt.order.number, title=receipt.title, body=body,
            expected=Expected(receipt.money(part), receipts.paid_on(self.ctx, receipt.payment)), depends_on=depends_on,
            source=f"payment:{receipt.payment.key}",
        )  # fmt: skip
