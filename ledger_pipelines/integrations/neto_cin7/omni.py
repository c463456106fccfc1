"""What Omni held when it was last read, indexed for decisions; references of settings resolved against it.

Belongs here: looking things up in memory. Does not belong here: reading snapshots (`sides`), deciding (the flows).
Facts: cin7-omni.md 6, 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from ledger_pipelines.documents.money import ZERO, Money, exponent, round_half_away
from ledger_pipelines.integrations.by_day.stored import AsRead, Renamed, Stored, readable, unreadable
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.shop import by_id, grouped, one_of
from ledger_pipelines.systems.cin7.records import (
    Branch,
    Contact,
    Option,
    Payment,
    Product,
    SalesOrder,
    StockLevel,
    in_currency_of,
)

OPTION_CODES: Final = ("size_code", "code")
"""Columns that have an option's code: the first that says something."""
SUPPLIER: Final = "supplier"


@dataclass(frozen=True)
class Omni(AsRead):
    """The account as last read.

    Args:
        currency: Its base currency.
        base_amounts: Whether amounts of orders in another one come back in it (cin7-omni.md 5).
        orders, payments: By id, each read when it is looked at; so are contacts.
        order_ids: Ids of orders by reference, folded; payment_ids: ids of payments by the id of the order they are on. None = they
            are found by reading all.
        texts: Header fields of orders that are texts, as Omni has them: by id, then by field.
        read_at: When its orders were last read, UTC; None = never. stock_read_at: the same of its stock.
    """

    LISTS = ("orders", "contacts", "products", "options", "stock", "branches", "payments")
    TOLD = ("order_ids", "payment_ids")

    currency: str
    base_amounts: bool = True
    orders: Mapping[str, SalesOrder] = field(default_factory=dict)
    contacts: Sequence[Contact] = ()
    products: Sequence[Product] = ()
    options: Sequence[Option] = ()
    stock: Sequence[StockLevel] = ()
    branches: Sequence[Branch] = ()
    payments: Mapping[str, Payment] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    order_ids: Mapping[str, tuple[str, ...]] | None = None
    payment_ids: Mapping[str, tuple[str, ...]] | None = None
    read_at: datetime | None = None
    stock_read_at: datetime | None = None

    def with_reference(self, reference: str) -> list[SalesOrder]:
        """Orders of that reference, without regard to case, lowest id first."""
        ids = self._ids_by_reference.get(folded(reference), ())
        return sorted((self.orders[id_] for id_ in ids), key=lambda one: (len(one.id), one.id))

    @cached_property
    def _ids_by_reference(self) -> Mapping[str, tuple[str, ...]]:
        if self.order_ids is not None:
            return self.order_ids
        return by_text((one.id, one.reference) for one in self.orders.values())

    def payments_on(self, order: str) -> list[Payment]:
        """Payments on an order, by its id."""
        return [self.payments[id_] for id_ in self._payments_by_order.get(folded(order), ())]

    @cached_property
    def repeated_payments(self) -> Mapping[str, tuple[Payment, ...]]:
        """Payments whose order has several of their reference: by id, each with all of those. Only orders with several payments are
        looked at."""
        found: dict[str, tuple[Payment, ...]] = {}
        for ids in self._payments_by_order.values():
            some = list(readable(Renamed(self.payments, {id_: id_ for id_ in ids}))) if len(ids) > 1 else []
            for one in some:
                same = tuple(other for other in some if other.transaction_ref == one.transaction_ref)
                if len(same) > 1:
                    found[one.id] = same
        return found

    @cached_property
    def _payments_by_order(self) -> Mapping[str, tuple[str, ...]]:
        if self.payment_ids is not None:
            return self.payment_ids
        return by_text((one.id, one.order_id) for one in self.payments.values())

    @cached_property
    def contact_by_id(self) -> Mapping[str, Contact]:
        """By id."""
        return by_id(self.contacts)

    @cached_property
    def contacts_by_email(self) -> Mapping[str, tuple[Contact, ...]]:
        """By e-mail address, folded."""
        return grouped(self.contacts, "email")

    @cached_property
    def contacts_by_reference(self) -> Mapping[str, tuple[Contact, ...]]:
        """By integration reference, folded."""
        return grouped(self.contacts, "integration_ref")

    @cached_property
    def options_by_code(self) -> Mapping[str, tuple[Option, ...]]:
        """Options by code, exactly; an option's id repeats for each of its sizes, which have codes of their own."""
        if isinstance(self.options, Stored):
            return self.options.by(lambda one: one.code, *OPTION_CODES)
        return grouped(self.options, "code", str)

    @cached_property
    def product_by_id(self) -> Mapping[str, Product]:
        """By id."""
        return by_id(self.products)

    @cached_property
    def styles(self) -> frozenset[str]:
        """Style codes there are, folded."""
        return frozenset(grouped(self.products, "style_code"))

    @cached_property
    def codes_by_folded(self) -> Mapping[str, tuple[str, ...]]:
        """Codes as they are spelt, by code without regard to case and outer blanks: near misses."""
        found: dict[str, list[str]] = {}
        for code in self.options_by_code:
            found.setdefault(folded(code), []).append(code)
        return {name: tuple(sorted(some)) for name, some in found.items()}

    @cached_property
    def _stock_by_code(self) -> Mapping[str, tuple[StockLevel, ...]]:
        return grouped(self.stock, "code", _stripped)

    def on_hand(self, code: str, branch: str) -> Decimal:
        """Stock on hand of a code at a branch, by its id."""
        levels = self._stock_by_code.get(code, ())
        return sum((level.on_hand for level in levels if level.branch_id == branch), ZERO)

    @cached_property
    def stocked_codes(self) -> frozenset[str]:
        """Codes of which stock is kept anywhere: there is some, or some is coming, or nobody can read whether. A row of nothing
        tells nothing: Omni may show one for every option at every branch."""
        told = {level.code for level in readable(self.stock) if level.on_hand > 0 or level.incoming > 0}
        bad = unreadable(self.stock)
        if bad and isinstance(self.stock, Stored):
            codes = self.stock.cells("code")
            told |= {_stripped(codes[key]) for key in bad}
        return frozenset(told)

    def is_sellable(self, option: Option) -> bool:
        """Whether it, and its product, is in use."""
        product = self.product_by_id.get(option.product_id)
        return option.active and (product is None or product.active)

    def total_of(self, order: SalesOrder) -> Money:
        """What an order comes to, in its own currency, in its smallest unit."""
        found = self.money_of(order, order.total)
        return Money(round_half_away(found.amount, exponent(found.currency)), found.currency)

    def money_of(self, order: SalesOrder, amount: Decimal) -> Money:
        """An amount of an order, in the order's currency."""
        base = self.currency if self.base_amounts else ""
        return Money(in_currency_of(order, amount, base), order.currency or self.currency)

    def unread_codes(self) -> list[str]:
        """Codes of options that cannot be read, as their columns tell them."""
        if not isinstance(self.options, Stored):
            return []
        bad = unreadable(self.options)
        columns = [self.options.cells(name) for name in OPTION_CODES] if bad else []
        return [next((code for cells in columns if (code := cells[key].strip())), "") for key in bad]

    # --- what settings name ----------------------------------------------------------------------------------------

    @cached_property
    def _branches_by_name(self) -> Mapping[str, tuple[Branch, ...]]:
        if isinstance(self.branches, Stored):
            return self.branches.by(lambda one: one.name, "name", name_of=folded)
        return grouped(self.branches, "name")

    def branch(self, named: str, setting: str) -> Branch:
        """An active branch by id or name. Raises UnresolvedError."""
        there = by_id(self.branches).get(named.strip())
        found = self._branches_by_name.get(folded(named), ()) if there is None else (there,)
        return one_of([one for one in found if one.active], found, f"branch {named!r}", setting, "Omni")

    def contact(self, named: str, setting: str) -> Contact:
        """An active customer by id, e-mail address, account number or company. Raises UnresolvedError."""
        by_id = self.contact_by_id.get(named.strip())
        found: Sequence[Contact] = (() if by_id is None else (by_id,)) or self.contacts_by_email.get(
            folded(named), ()
        )
        for name in ("account_number", "company"):
            found = found or grouped(self.contacts, name).get(folded(named), ())
        usable = [one for one in found if one.active and not is_supplier(one)]
        return one_of(usable, found, f"customer {named!r}", setting, "Omni", "an active customer")


def _stripped(text: str) -> str:
    return text.strip()


def by_text(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Ids by a text of theirs, folded; blank ones are left out. pairs: (id, text)."""
    found: dict[str, list[str]] = {}
    for id_, text in pairs:
        if folded(text):
            found.setdefault(folded(text), []).append(id_)
    return {name: tuple(ids) for name, ids in found.items()}


def is_supplier(contact: Contact) -> bool:
    """Whether it is a supplier, to whom nothing is sold."""
    return folded(contact.kind) == SUPPLIER


def is_dispatched(order: SalesOrder) -> bool:
    """Whether all of it was shipped."""
    if order.dispatched_date is not None:
        return True
    shipped = [line.qty_shipped >= line.qty for line in order.lines if line.qty > 0 and not line.parent]
    return bool(shipped) and all(shipped)


def begun(order: SalesOrder) -> bool:
    """Whether any of it was shipped."""
    return is_dispatched(order) or any(line.qty_shipped > 0 for line in order.lines)
