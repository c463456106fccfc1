"""Who bought: the customer, or the guest, that an order's contact is made of.

Belongs here: telling customers from guests, the name a buyer has in our keys and in the target. Does not belong here: which
contact of the target they are (each integration's `contacts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger_pipelines.documents.keys import digest
from ledger_pipelines.documents.sales import Party, SalesDocument
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.shop import Shop

LONGEST_REFERENCE: Final = 50
"""Characters of a Contact ID of Saasu (saasu.md 5.5); other targets keep more."""
NO_USER: Final = frozenset({"", "noreg"})
"""User names of orders of buyers without an account."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought.

    Args:
        key: In keys of effects: the user name, folded; "guest:" and the e-mail; "order:" and the number where there is neither.
        username: As the store spells it, "" = none.
        reference: The name the target knows the buyer by.
        party: The customer's record, else the buyer as their earliest known order states them.
        customer: Whether the store has a record of them.
    """

    key: str
    username: str
    reference: str
    party: Party
    customer: bool


def buyer_of(shop: Shop, order: SalesDocument) -> Buyer:
    """Who bought it; the same for all orders of a buyer."""
    username = order.party.key.strip()
    if folded(username) in NO_USER:
        username = ""
    record = shop.customers.get(folded(username)) if username else None
    if record is not None:
        return Buyer(folded(username), record.key or username, record.key or username, record, True)
    email = order.party.email.strip()
    if email:
        return _guest(shop, order, username)
    if username:
        return Buyer(folded(username), username, username, order.party, False)
    return Buyer(f"order:{order.key}", "", f"order-{order.number}", order.party, False)


def _guest(shop: Shop, order: SalesDocument, username: str) -> Buyer:
    """By e-mail. Two orders of one day may be planned under different days: both take the earliest order's address."""
    email = folded(order.party.email)
    theirs = [one for one in shop.orders_by_email.get(email, ()) if _is_guest(shop, one)]
    first = theirs[0] if theirs else order
    text = first.party.email.strip()
    reference = text if len(text) <= LONGEST_REFERENCE else f"guest-{digest(email)[:20]}"
    return Buyer(f"guest:{email}", username, reference, first.party, False)


def _is_guest(shop: Shop, order: SalesDocument) -> bool:
    return folded(order.party.key) in NO_USER or folded(order.party.key) not in shop.customers
