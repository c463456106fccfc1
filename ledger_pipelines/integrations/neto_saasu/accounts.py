"""Which bank account of the file a payment goes to, and which fee its method keeps.

Belongs here: looking up settings by payment method. Does not belong here: what is paid, when, and how much (`payments`,
`invoices`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import Payment
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.books import BANK
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.shop import UnresolvedError, unresolved
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuAccount

T = TypeVar("T")


def payment_account(ctx: Context, payment: Payment) -> SaasuAccount | Reason:
    """The bank account of the payment's method, or why there is none: `method-unmapped`, `unresolved-setting`."""
    named = _by_method(ctx, payment, ctx.settings.payments.methods)
    setting = f"payments.methods.{payment.method or payment.method_id}"
    if named is None:
        named, setting = ctx.settings.payments.default_account, "payments.default_account"
    if named is None:
        method = payment.method or payment.method_id or "no method"
        return Reason(
            "method-unmapped",
            f"Payment {payment.key} of {payment.document} was made by {method}, which has no bank account.",
            f"Name its bank account under payments.methods, as {method!r}, or set payments.default_account.",
        )
    try:
        return ctx.books.account(named, setting, BANK)
    except UnresolvedError as error:
        return unresolved(error)


def fee_percent(ctx: Context, payment: Payment) -> Decimal:
    """What the method keeps, in percent; 0 = nothing is set."""
    found = _by_method(ctx, payment, ctx.settings.payments.fee_percent)
    return ZERO if found is None else found


def _by_method(ctx: Context, payment: Payment, choices: Mapping[str, T]) -> T | None:
    """By the method's id or name: as the order tells it, as the payment does, as the store lists it."""
    full = ctx.shop.payments.get(payment.key)
    names = ctx.shop.method_known_as(
        payment.method_id, full.method_id if full else "", payment.method, full.method if full else ""
    )
    by_name = {folded(name): choice for name, choice in choices.items()}
    return next((by_name[folded(name)] for name in names if folded(name) in by_name), None)
