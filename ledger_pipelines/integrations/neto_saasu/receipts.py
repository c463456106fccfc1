"""What is true of one payment of the store wherever it is written: its day, its texts, its fee, what forbids it.

Belongs here: a payment by itself. Does not belong here: what is owed, to which invoice it goes (`payments`), which bank
account (`accounts`), refunds (`refunds`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money, exponent, round_half_away
from ledger_pipelines.documents.sales import Payment, PaymentKind, SalesDocument
from ledger_pipelines.integrations.neto_saasu.accounts import fee_percent
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.sync.plan import Reason

SUMMARY = 75
"""Most characters of a summary in Saasu (saasu.md 5.9)."""
_CENT = Decimal("0.01")


def completed(ctx: Context, payment: Payment) -> Payment:
    """The payment as the order shows it, with what only GetPayment tells: the method's id, the instant, the currency."""
    full = ctx.shop.payments.get(payment.key)
    if full is None:
        return payment
    return replace(
        payment,
        amount=Money(payment.amount.amount, full.amount.currency),
        at=payment.at or full.at,
        method=payment.method or full.method,
        method_id=payment.method_id or full.method_id,
    )


def paid_on(ctx: Context, payment: Payment) -> date:
    """Its day in the books: of its instant in the books' zone, else the day the store tells."""
    return payment.day if payment.at is None else business_date(payment.at, ctx.zone)


def instant(ctx: Context, payment: Payment) -> tuple[datetime, int, str]:
    """For sorting by time; those of one instant by id, lowest first."""
    at = payment.at or datetime.combine(payment.day, datetime.min.time(), tzinfo=ctx.store_zone)
    return at, int(payment.key) if payment.key.isdecimal() else 0, payment.key


def obstacle(payment: Payment, order: SalesDocument) -> Reason | None:
    """What forbids booking this payment at all, whatever is owed."""
    what = f"Payment {payment.key} of order {order.number}"
    amount = payment.amount
    if payment.kind is not PaymentKind.RECEIPT or amount.amount < 0:
        return Reason(
            "negative-payment",
            f"{what} is {amount}: money that went back, which Neto documents for returns only.",
            "Book it by hand in Saasu, then ignore this row.",
        )
    if amount.currency != order.currency:
        return Reason(
            "currency-differs",
            f"{what} is in {amount.currency}, the order in {order.currency}.",
            "Book it by hand in Saasu, then ignore this row.",
        )
    if not amount.is_bookable:
        return Reason(
            "unbookable-amount",
            f"{what} is {amount}, which has more decimals than {amount.currency} has.",
            "Correct the payment in Neto; nothing is rounded here.",
        )
    return None


def fee(ctx: Context, payment: Payment) -> Decimal:
    """What the method keeps of it, in the payment's currency; 0 where no fee is set for the method."""
    return round_half_away(
        payment.amount.amount * fee_percent(ctx, payment) * _CENT, exponent(payment.amount.currency)
    )


def summary(number: str, payment: Payment) -> str:
    """The line people see in Saasu."""
    return f"order {number}, {payment.method or payment.method_id or 'payment'}"[:SUMMARY].strip()


def notes(payment: Payment) -> str:
    """What came in, in the store's words: tells later whether somebody changed the payment there."""
    return f"Neto payment {payment.key}: {payment.amount}"


def money_fields(ctx: Context, currency: str) -> dict[str, Json]:
    """Currency and rate of a body, where the currency is not the file's own."""
    return {} if currency == ctx.books.currency else {"Currency": currency, "AutoPopulateFxRate": True}
