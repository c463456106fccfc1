"""The payment that goes inside an invoice's call (QuickPayment): one call instead of two.

Belongs here: which payment, and the object of the request. Does not belong here: all other payments (`payments`). Facts:
saasu.md 5.9: POST only, not above the total, no fee.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import PaymentKind, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.accounts import fee_percent, payment_account
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.references import payment_key, payment_reference
from ledger_pipelines.sync.plan import Reason

FIELD = "QuickPayment"


@dataclass(frozen=True, slots=True)
class Quick:
    """The payment that goes, or went, inside the invoice's call.

    payment: the store's id of it. account: the bank account's id. sure: False when the invoice was adopted: then the books
    tell whether the payment is there.
    """

    payment: str
    reference: str
    amount: Money
    day: date
    account: str
    sure: bool = True

    def to_json(self, order: SalesDocument) -> dict[str, Json]:
        """As the request has it."""
        return {
            "DatePaid": self.day.isoformat(),
            "BankedToAccountId": self.account,
            "Amount": self.amount.amount,
            "Reference": self.reference,
            "Summary": f"Payment of {order.number}",
        }


def quick_payment(ctx: Context, order: SalesDocument, total: Money) -> Quick | None:
    """The order's first payment, where it can go along whole; otherwise it is the payments flow's.

    It can when payments are exported, its method has a bank account and no fee of its own to be booked, nobody ignores it (who
    did has booked it by hand, say), it is not in the books already, and it is not more than the invoice.
    """
    choices = ctx.settings.payments
    if not (choices.enabled and choices.quick) or not order.payments:
        return None
    shown = (receipts.completed(ctx, one) for one in order.payments)
    first = min(shown, key=lambda one: receipts.instant(ctx, one))
    account = payment_account(ctx, first)
    reference = payment_reference(ctx, first.key)
    fits = first.amount.currency == total.currency and first.amount.is_bookable
    if (
        first.kind is not PaymentKind.RECEIPT
        or isinstance(account, Reason)
        or not fits
        or not Decimal(0) < first.amount.amount <= total.amount
        or (account.fee_account and fee_percent(ctx, first))
        or ctx.journal.is_ignored(payment_key(ctx, first.key))
        or folded(reference) in ctx.books.payments_by_reference
    ):
        return None
    return Quick(first.key, reference, first.amount, receipts.paid_on(ctx, first), account.id)


def quick_of(ctx: Context, known: Known, currency: str) -> Quick | None:
    """The payment that an invoice was written with."""
    field = known.fields().get(FIELD)
    if not isinstance(field, Mapping):
        return None
    reference = str(field.get("Reference", ""))
    return Quick(
        payment=reference.removeprefix(payment_reference(ctx, "")),
        reference=reference,
        amount=Money(Decimal(str(field.get("Amount", 0))), currency),
        day=date.fromisoformat(str(field.get("DatePaid"))),
        account=str(field.get("BankedToAccountId", "")),
        sure=not known.adopted,
    )
