"""Amounts and dates as people read them in a report.

Belongs here: the one way reports show money. Does not belong here: arithmetic (`documents.money`).
"""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines.documents.money import exponent, plain


def shown(amount: Decimal, currency: str) -> str:
    """`-1,234.50`: at least the currency's digits, thousands apart, never `-0.00`."""
    text = plain(amount, exponent(currency))
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = digits.partition(".")
    return f"{sign}{int(whole):,}" + (f".{fraction}" if fraction else "")


def readable(text: str) -> Decimal:
    """What `shown` wrote, as a number again. Raises decimal.InvalidOperation for anything else."""
    return Decimal(text.replace(",", ""))
