"""The states a settlement's group can be in, and the reasons why.

Belongs here: the words of the worklist (celigo-amazon-netsuite.md 8.3) and every reason code with its sentence.
Does not belong here: deciding which applies (`decide`).
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from ledger_pipelines.documents.money import exponent, plain
from ledger_pipelines.sync.plan import Reason


class GroupState(StrEnum):
    """Where a group stands. Only Booked, Verified and Ignored count as resolved."""

    NEW = "New"
    MATCHED = "Matched"
    BOOKED = "Booked"
    VERIFIED = "Verified"
    NO_ORDER = "No order"
    NO_INVOICE = "No invoice"
    CASH_SALE = "Cash sale"
    AMOUNT_DIFFERS = "Amount differs"
    ALREADY_PAID = "Already paid"
    OVER_PAID = "Over-paid"
    CURRENCY_DIFFERS = "Currency differs"
    CUSTOMER_INACTIVE = "Customer inactive"
    PERIOD_CLOSED = "Period closed"
    ITEM_NOT_FOUND = "Item not found"
    DUPLICATE = "Duplicate"
    IGNORED = "Ignored by user"
    ERROR = "Error"


RESOLVED = frozenset({GroupState.BOOKED, GroupState.VERIFIED, GroupState.IGNORED})
"""States in which nobody has anything left to do."""

ON_ITS_WAY = frozenset({GroupState.NEW, GroupState.MATCHED})
"""States in which the next run goes on by itself."""


CASH_SALE_IN_CLEARING = "cash-sale-in-clearing"
JOURNAL_CODES = frozenset({"journal-only", CASH_SALE_IN_CLEARING})
"""Reasons of groups that no document of ours has to answer for: the journal books all there is."""


def amount_text(amount: Decimal, currency: str) -> str:
    """`105.00 USD`."""
    return f"{plain(amount, exponent(currency))} {currency}"


def no_order(order_id: str) -> Reason:
    """Nothing in NetSuite carries the order id."""
    return Reason(
        "no-order",
        f"No sales order, invoice or cash sale in NetSuite carries Amazon order {order_id}.",
        "Import the order, or put the order id on its invoice, then run the settlement again.",
    )


def no_invoice(order_id: str, why: str, remedy: str) -> Reason:
    """A sales order, but nothing to pay."""
    return Reason("no-invoice", f"Order {order_id} has no invoice: {why}.", remedy)


def no_currency(currency: str) -> Reason:
    """NetSuite does not have the settlement's currency."""
    return Reason(
        "no-currency",
        f"NetSuite has no active currency {currency}.",
        f"Add {currency} under Lists > Accounting > Currencies (or make it active), then run again.",
    )


def nothing_to_pay(text: str = "The buyer paid nothing here") -> Reason:
    """Only amounts that the journal books."""
    return Reason("journal-only", f"{text}; its amounts are booked by the settlement journal.")


def in_step() -> Reason:
    """Written and confirmed earlier."""
    return Reason("already-booked", "Booked already; nothing to do.")


def ignored() -> Reason:
    """The user said so."""
    return Reason("ignored-by-user", "Ignored by a user.", "`ledger-pipelines retry KEY` takes it up again.")
