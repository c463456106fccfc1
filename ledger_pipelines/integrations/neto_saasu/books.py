"""What both sides held when they were last read, indexed for decisions; references of settings resolved against it.

Belongs here: looking things up in memory. Does not belong here: reading snapshots (`mirror`), deciding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from ledger_pipelines.documents.sales import Item, Party, Payment, SalesDocument, StockLevel
from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.saasu.records import (
    SaasuAccount,
    SaasuCompany,
    SaasuContact,
    SaasuInvoice,
    SaasuItem,
    SaasuJournal,
    SaasuPayment,
    SaasuTaxCode,
)

T = TypeVar("T")


class UnresolvedError(DataError):
    """A setting names what the file (or the store) does not have."""

    default_code = "unresolved-setting"


def folded(text: str) -> str:
    """For comparing without regard to case and outer blanks."""
    return text.strip().casefold()


def grouped(records: Iterable[T], field_name: str) -> dict[str, tuple[T, ...]]:
    """Records by one of their texts, folded; blank ones are left out. Each group by id, lowest first."""
    found: dict[str, list[T]] = {}
    for record in records:
        name = folded(str(getattr(record, field_name)))
        if name:
            found.setdefault(name, []).append(record)
    return {name: tuple(sorted(some, key=_by_id)) for name, some in found.items()}


def _by_id(record: object) -> tuple[int, str]:
    key = str(getattr(record, "id", ""))
    return (int(key) if key.isdigit() else 0, key)


@dataclass(frozen=True)
class Books:
    """The Saasu file as last read. read_at: the older of the readings of invoices and payments, UTC."""

    currency: str
    items: tuple[SaasuItem, ...] = ()
    contacts: tuple[SaasuContact, ...] = ()
    companies: tuple[SaasuCompany, ...] = ()
    invoices: tuple[SaasuInvoice, ...] = ()
    payments: tuple[SaasuPayment, ...] = ()
    journals: tuple[SaasuJournal, ...] = ()
    accounts: tuple[SaasuAccount, ...] = ()
    tax_codes: tuple[SaasuTaxCode, ...] = ()
    stock: tuple[SaasuItem, ...] = ()
    """All items as of the last full reading: on hand and committed."""
    stock_read_at: datetime | None = None
    deleted: frozenset[tuple[str, str]] = frozenset()
    """(kind, id) of what was deleted."""
    deleted_codes: frozenset[str] = frozenset()
    """Codes of items that were seen and then deleted, and that no item has now."""
    read_at: datetime | None = None

    @cached_property
    def item_by_code(self) -> Mapping[str, SaasuItem]:
        """By exact code."""
        return {item.code: item for item in self.items}

    @cached_property
    def item_by_id(self) -> Mapping[str, SaasuItem]:
        """By id."""
        return {item.id: item for item in self.items}

    @cached_property
    def items_by_folded_code(self) -> Mapping[str, tuple[SaasuItem, ...]]:
        """By code without regard to case and outer blanks: near misses."""
        return grouped(self.items, "code")

    @cached_property
    def contact_by_id(self) -> Mapping[str, SaasuContact]:
        """By id."""
        return {one.id: one for one in self.contacts}

    @cached_property
    def contacts_by_reference(self) -> Mapping[str, tuple[SaasuContact, ...]]:
        """By Contact ID, folded."""
        return grouped(self.contacts, "reference")

    @cached_property
    def contacts_by_email(self) -> Mapping[str, tuple[SaasuContact, ...]]:
        """By e-mail address, folded."""
        return grouped(self.contacts, "email")

    @cached_property
    def companies_by_name(self) -> Mapping[str, tuple[SaasuCompany, ...]]:
        """By name, folded."""
        return grouped(self.companies, "name")

    @cached_property
    def invoice_by_id(self) -> Mapping[str, SaasuInvoice]:
        """By id."""
        return {one.id: one for one in self.invoices}

    @cached_property
    def invoices_by_number(self) -> Mapping[str, tuple[SaasuInvoice, ...]]:
        """By invoice number, folded."""
        return grouped(self.invoices, "number")

    @cached_property
    def invoices_by_purchase_order(self) -> Mapping[str, tuple[SaasuInvoice, ...]]:
        """By purchase-order number, folded."""
        return grouped(self.invoices, "purchase_order")

    @cached_property
    def payments_by_reference(self) -> Mapping[str, tuple[SaasuPayment, ...]]:
        """By reference, folded."""
        return grouped(self.payments, "reference")

    @cached_property
    def journals_by_reference(self) -> Mapping[str, tuple[SaasuJournal, ...]]:
        """By reference, folded."""
        return grouped(self.journals, "reference")

    # --- what settings name ----------------------------------------------------------------------------------------

    def account(self, named: str, setting: str, *, bank: bool | None = None) -> SaasuAccount:
        """An active detail account by id or name. bank: whether it must, or must not, take payments.

        Raises:
            UnresolvedError: none, several, inactive, or of the other sort; names the setting.
        """
        found = [one for one in self.accounts if one.id == named.strip()] or [
            one for one in self.accounts if folded(one.name) == folded(named)
        ]
        usable = [one for one in found if one.active and one.detail]
        if bank is not None:
            usable = [one for one in usable if one.bank is bank]
        return _one(usable, found, f"account {named!r}", setting, _SORT[bank])

    def tax_code(self, named: str, setting: str) -> SaasuTaxCode:
        """An active tax code by code, id or name. Raises UnresolvedError."""
        found = (
            [one for one in self.tax_codes if one.code == named.strip()]
            or [one for one in self.tax_codes if one.id == named.strip()]
            or [one for one in self.tax_codes if folded(one.name) == folded(named)]
        )
        return _one([one for one in found if one.active], found, f"tax code {named!r}", setting)

    def set_up_item(self, named: str, setting: str) -> SaasuItem:
        """An active sold item by code or id: shipping, surcharge, discount. Raises UnresolvedError."""
        there = self.item_by_code.get(named) or self.item_by_id.get(named.strip())
        found = [] if there is None else [there]
        usable = [one for one in found if one.active and one.sold]
        return _one(usable, found, f"item {named!r}", setting, "an active item that is sold")

    def contact(self, named: str, setting: str) -> SaasuContact:
        """An active contact by id, Contact ID or e-mail address. Raises UnresolvedError."""
        by_id = self.contact_by_id.get(named.strip())
        found: Sequence[SaasuContact] = (
            (() if by_id is None else (by_id,))
            or self.contacts_by_reference.get(folded(named), ())
            or self.contacts_by_email.get(folded(named), ())
        )
        return _one([one for one in found if one.active], found, f"contact {named!r}", setting)


_SORT = {
    None: "an active account",
    True: "an active bank account",
    False: "an active account that is no bank account",
}


def _one(usable: Sequence[T], found: Sequence[T], what: str, setting: str, wanted: str = "active") -> T:
    if len(usable) == 1:
        return usable[0]
    if len(usable) > 1:
        raise UnresolvedError(
            f"{setting} names the {what}, and Saasu has {len(usable)} of them.", remedy="Name it by its id."
        )
    why = f"is not {wanted}" if found else "is not there"
    raise UnresolvedError(
        f"{setting} names the {what}, which {why} in Saasu.",
        remedy="`ledger-pipelines options` lists those there are.",
    )


@dataclass(frozen=True)
class Warehouse:
    """A stock location of the store."""

    id: str
    reference: str
    name: str
    active: bool
    primary: bool


@dataclass(frozen=True)
class Shop:
    """The Neto store as last read. orders: those the plan is about and those related to them, by order number."""

    currency: str
    items: Mapping[str, Item] = field(default_factory=dict)
    """By SKU."""
    stock: tuple[StockLevel, ...] = ()
    stock_read_at: datetime | None = None
    customers: Mapping[str, Party] = field(default_factory=dict)
    """By user name, folded."""
    orders: Mapping[str, SalesDocument] = field(default_factory=dict)
    returns: Mapping[str, SalesDocument] = field(default_factory=dict)
    """RMAs by number; `payments` of one are its refunds that were paid out."""
    payments: Mapping[str, Payment] = field(default_factory=dict)
    """GetPayment's by id: they tell the method's id and the currency."""
    warehouses: tuple[Warehouse, ...] = ()
    method_names: Mapping[str, str] = field(default_factory=dict)
    """Payment methods: id -> name."""
    split_off: Mapping[str, tuple[str, ...]] | None = None
    """Orders that name another as the one they come from, by that one's number, where that is known without reading them all."""

    def warehouse(self, named: str, setting: str) -> Warehouse:
        """An active warehouse by id, reference or name. Raises UnresolvedError."""
        found = [
            one
            for one in self.warehouses
            if named.strip() == one.id or folded(named) in (folded(one.reference), folded(one.name))
        ]
        return _one([one for one in found if one.active], found, f"warehouse {named!r}", setting)

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Numbers of the orders that were split from another, by that one's number."""
        if self.split_off is not None:
            return self.split_off
        found: dict[str, tuple[str, ...]] = {}
        for order in self.orders.values():
            if order.related:
                found[order.related] = (*found.get(order.related, ()), order.key)
        return found

    @cached_property
    def customers_by_company(self) -> Mapping[str, int]:
        """How many customers have a company of that name, folded."""
        counts: dict[str, int] = {}
        for one in self.customers.values():
            if one.company:
                counts[folded(one.company)] = counts.get(folded(one.company), 0) + 1
        return counts

    @cached_property
    def orders_by_email(self) -> Mapping[str, tuple[SalesDocument, ...]]:
        """Orders by their buyer's e-mail address, folded; the earliest first."""
        found: dict[str, list[SalesDocument]] = {}
        for one in self.orders.values():
            if one.party.email:
                found.setdefault(folded(one.party.email), []).append(one)
        return {
            email: tuple(sorted(some, key=lambda order: (order.day, order.key)))
            for email, some in found.items()
        }
