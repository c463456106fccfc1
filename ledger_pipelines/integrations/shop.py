"""What a shop held when it was last read, indexed for decisions, and how settings name records.

Belongs here: looking things up in memory that every integration of a shop looks up. Does not belong here: reading snapshots,
what the other side held (each integration's own), deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from ledger_pipelines.documents.sales import Item, Party, Payment, SalesDocument, StockLevel
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.stored import (
    AsRead,
    Groups,
    Renamed,
    Stored,
    by_number,
    readable,
)
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.sync.plan import Reason

T = TypeVar("T")


class UnresolvedError(DataError):
    """A setting names what the store, or the other side, does not have."""

    default_code = "unresolved-setting"


def grouped(
    records: Iterable[T], field_name: str, name_of: Callable[[str], str] = folded
) -> Mapping[str, tuple[T, ...]]:
    """Records by one of their texts, folded, or as `name_of` makes it; blank ones are left out. Each group by id, lowest first.

    Of records of a snapshot its column of that name is taken: none is decoded before it is looked up.
    """
    if isinstance(records, Stored):
        return records.named(field_name, name_of)
    found: dict[str, list[T]] = {}
    for record in records:
        name = name_of(str(getattr(record, field_name)))
        if name:
            found.setdefault(name, []).append(record)
    return {name: tuple(sorted(some, key=_by_id)) for name, some in found.items()}


def exactly(records: Iterable[T], field_name: str) -> Mapping[str, T]:
    """Records by one of their texts as it is; of several the last. Of a snapshot as `grouped`."""
    if isinstance(records, Stored):
        return Renamed(records.by_key, {text: key for key, text in records.cells(field_name).items()})
    return {str(getattr(record, field_name)): record for record in records}


def several(groups: Mapping[str, tuple[T, ...]]) -> Iterator[tuple[str, tuple[T, ...]]]:
    """Names that more than one record has, with those; none of which one cannot be read."""
    names = (
        groups.shared() if isinstance(groups, Groups) else [name for name in groups if len(groups[name]) > 1]
    )
    for name in names:
        try:
            group = groups[name]
        except UnreadableError:
            continue
        yield name, group


def by_id(records: Iterable[T]) -> Mapping[str, T]:
    """Records by their `id`; those of a snapshot are decoded when they are looked up."""
    if isinstance(records, Stored):
        return records.by_key
    return {str(getattr(record, "id", "")): record for record in records}


def _by_id(record: object) -> tuple[int, str]:
    return by_number(str(getattr(record, "id", "")))


def one_of(
    usable: Sequence[T], found: Sequence[T], what: str, setting: str, system: str, wanted: str = "active"
) -> T:
    """The one record a setting names.

    Args:
        usable: Those that will do.
        found: Those of that name.
        what: For people: "account 'Bank'".
        setting: Which names it.
        system: Where it was looked for.
        wanted: What it has to be.

    Raises:
        UnresolvedError: none, or several.
    """
    if len(usable) == 1:
        return usable[0]
    if len(usable) > 1:
        raise UnresolvedError(
            f"{setting} names the {what}, and {system} has {len(usable)} of them.",
            remedy="Name it by its id.",
        )
    why = f"is not {wanted}" if found else "is not there"
    raise UnresolvedError(
        f"{setting} names the {what}, which {why} in {system}.",
        remedy="`ledger-pipelines options` lists those there are.",
    )


def unresolved(error: UnresolvedError) -> Reason:
    """A setting that names nothing, as the reason of a blocked row."""
    return Reason(error.code, error.message, error.remedy)


@dataclass(frozen=True)
class Warehouse:
    """A stock location of the store."""

    id: str
    reference: str
    name: str
    active: bool
    primary: bool


@dataclass(frozen=True)
class Shop(AsRead):
    """The Neto store as last read. orders: those the plan is about and those related to them, by order number."""

    LISTS = ("items", "customers", "orders", "returns", "payments")
    TOLD = ("split_off", "last_shipped", "emails")

    currency: str
    items: Mapping[str, Item] = field(default_factory=dict)
    """By SKU."""
    stock: tuple[StockLevel, ...] = ()
    """Of what can be read."""
    unread_stock: Mapping[str, UnreadableError] = field(default_factory=dict)
    """SKUs whose stock cannot be read."""
    stock_read_at: datetime | None = None
    customers: Mapping[str, Party] = field(default_factory=dict)
    """By user name, folded."""
    orders: Mapping[str, SalesDocument] = field(default_factory=dict)
    returns: Mapping[str, SalesDocument] = field(default_factory=dict)
    """RMAs by number; `payments` of one are its refunds that were paid out."""
    payments: Mapping[str, Payment] = field(default_factory=dict)
    """GetPayment's by id: they tell the method's id and the currency."""
    warehouses: Sequence[Warehouse] = ()
    method_names: Mapping[str, str] = field(default_factory=dict)
    """Payment methods: id -> name."""
    split_off: Mapping[str, tuple[str, ...]] | None = None
    """Orders that name another as the one they come from, by that one's number, where that is known without reading them all."""
    last_shipped: Mapping[str, datetime | None] | None = None
    """Orders that are off the shelf, with the instant of their last change, UTC, where that is known without reading them all."""
    emails: Mapping[str, str] | None = None
    """E-mail addresses of customers by user name, folded, where they are known without reading them all."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """SKUs of parents by SKU, "" = none, where they are known without reading the products."""

    def warehouse(self, named: str, setting: str) -> Warehouse:
        """An active warehouse by id, reference or name. Raises UnresolvedError."""
        by_id_ = by_id(self.warehouses).get(named.strip())
        there = [] if by_id_ is None else [by_id_]
        for name in ("reference", "name"):
            there += grouped(self.warehouses, name).get(folded(named), ())
        found = list(dict.fromkeys(there))
        return one_of(
            [one for one in found if one.active], found, f"warehouse {named!r}", setting, "the store"
        )

    def method_known_as(self, *told: str) -> tuple[str, ...]:
        """Ids and names by which the store knows a payment method of which one is told, those that are told first.

        An order tells the name only (neto.md 8.2), settings may name the id: it is told by the list of methods, unless two have
        the name.
        """
        names = [name for name in told if name]
        names += [self.method_names[name] for name in names if name in self.method_names]
        for name in tuple(names):
            ids = self._method_ids.get(folded(name), ())
            names += ids if len(ids) == 1 else ()
        return tuple(dict.fromkeys(names))

    @cached_property
    def _method_ids(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of payment methods by name, folded."""
        found: dict[str, tuple[str, ...]] = {}
        for key, name in self.method_names.items():
            found[folded(name)] = (*found.get(folded(name), ()), key)
        return found

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Numbers of the orders that were split from another, by that one's number."""
        if self.split_off is not None:
            return self.split_off
        found: dict[str, tuple[str, ...]] = {}
        for order in readable(self.orders):
            if order.related:
                found[order.related] = (*found.get(order.related, ()), order.key)
        return found

    @cached_property
    def shipped(self) -> Mapping[str, datetime | None]:
        """Numbers of the orders whose goods are off the shelf, with the instant of their last change, UTC."""
        if self.last_shipped is not None:
            return self.last_shipped
        return {key: order.changed for key, order in self.orders.items() if order.off_the_shelf}

    @cached_property
    def usernames_by_email(self) -> Mapping[str, tuple[str, ...]]:
        """Customers, folded user names in order, by their e-mail address, folded."""
        emails = self.emails
        if emails is None:
            emails = {username: party.email for username, party in self.customers.items()}
        found: dict[str, list[str]] = {}
        for username, email in emails.items():
            if folded(email):
                found.setdefault(folded(email), []).append(username)
        return {email: tuple(sorted(names)) for email, names in found.items()}

    @cached_property
    def customers_by_company(self) -> Mapping[str, int]:
        """How many customers have a company of that name, folded."""
        counts: dict[str, int] = {}
        for one in readable(self.customers):
            if one.company:
                counts[folded(one.company)] = counts.get(folded(one.company), 0) + 1
        return counts

    @cached_property
    def orders_by_email(self) -> Mapping[str, tuple[SalesDocument, ...]]:
        """Orders by their buyer's e-mail address, folded; the earliest first."""
        found: dict[str, list[SalesDocument]] = {}
        for one in readable(self.orders):
            if one.party.email:
                found.setdefault(folded(one.party.email), []).append(one)
        return {
            email: tuple(sorted(some, key=lambda order: (order.day, order.key)))
            for email, some in found.items()
        }
