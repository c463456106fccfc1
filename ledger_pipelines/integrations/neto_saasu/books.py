"""What the Saasu file held when it was last read, indexed for decisions; references of settings resolved against it.

Belongs here: looking things up in memory. Does not belong here: the store (`integrations.shop`), reading snapshots (`mirror`), deciding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from ledger_pipelines.integrations.by_day.stored import AsRead
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.shop import by_id, exactly, grouped, one_of
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

SAASU: Final = "Saasu"
_KINDS: Final = frozenset(
    {"income", "expense", "asset", "equity", "liability", "otherincome", "otherexpense", "costofsales"}
)
"""Account types as Saasu tells them, without blanks (saasu.md 5.3)."""


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What an account is named for. kinds: its types, without blanks; none = any. bank: whether it takes payments."""

    words: str
    kinds: frozenset[str] = frozenset()
    bank: bool = False

    def takes(self, account: SaasuAccount) -> bool:
        """Whether the account is fit for it. One of a type that we do not know may be: Saasu decides."""
        kind = account.kind.casefold().replace(" ", "")
        return account.bank is self.bank and (not self.kinds or kind in self.kinds or kind not in _KINDS)


BANK: Final = AccountUse("an active bank account", bank=True)
"""Saasu has them as Asset, Liability or Equity."""
ASSET: Final = AccountUse("an active asset account that is no bank account", frozenset({"asset"}))
LIABILITY: Final = AccountUse("an active liability account that is no bank account", frozenset({"liability"}))
INCOME: Final = AccountUse(
    "an active income account that is no bank account", frozenset({"income", "otherincome"})
)
COST: Final = AccountUse(
    "an active cost-of-sales or expense account that is no bank account",
    frozenset({"costofsales", "expense", "otherexpense"}),
)
RETURNS: Final = AccountUse(
    "an active account of income, expense or cost of sales that is no bank account", INCOME.kinds | COST.kinds
)


@dataclass(frozen=True)
class Books(AsRead):
    """The Saasu file as last read. read_at: the older of the readings of invoices and payments, UTC.

    Lists that grow with the file's history are given as they are stored: a record is decoded when it is looked at.
    """

    LISTS = ("items", "contacts", "companies", "invoices", "payments", "journals")

    currency: str
    items: Sequence[SaasuItem] = ()
    contacts: Sequence[SaasuContact] = ()
    companies: Sequence[SaasuCompany] = ()
    invoices: Sequence[SaasuInvoice] = ()
    payments: Sequence[SaasuPayment] = ()
    journals: Sequence[SaasuJournal] = ()
    accounts: Sequence[SaasuAccount] = ()
    tax_codes: Sequence[SaasuTaxCode] = ()
    stock: tuple[SaasuItem, ...] = ()
    """All items as of the last full reading that can be read: on hand and committed."""
    unread_stock: tuple[tuple[str, UnreadableError], ...] = ()
    """The others, with their codes, "" where not even that can be read."""
    stock_read_at: datetime | None = None
    deleted: frozenset[tuple[str, str]] = frozenset()
    """(kind, id) of what was deleted."""
    deleted_codes: frozenset[str] = frozenset()
    """Codes of items that were seen and then deleted, and that no item has now."""
    read_at: datetime | None = None

    @cached_property
    def item_by_code(self) -> Mapping[str, SaasuItem]:
        """By exact code."""
        return exactly(self.items, "code")

    @cached_property
    def item_by_id(self) -> Mapping[str, SaasuItem]:
        """By id."""
        return by_id(self.items)

    @cached_property
    def items_by_folded_code(self) -> Mapping[str, tuple[SaasuItem, ...]]:
        """By code without regard to case and outer blanks: near misses."""
        return grouped(self.items, "code")

    @cached_property
    def contact_by_id(self) -> Mapping[str, SaasuContact]:
        """By id."""
        return by_id(self.contacts)

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
        return by_id(self.invoices)

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

    def account(self, named: str, setting: str, use: AccountUse) -> SaasuAccount:
        """An active detail account by id or name, fit for what it is named for.

        Raises:
            UnresolvedError: none, several, inactive, or of the other sort; names the setting.
        """
        there = by_id(self.accounts).get(named.strip())
        found = grouped(self.accounts, "name").get(folded(named), ()) if there is None else (there,)
        usable = [one for one in found if one.active and one.detail and use.takes(one)]
        return one_of(usable, found, f"account {named!r}", setting, SAASU, use.words)

    def tax_code(self, named: str, setting: str) -> SaasuTaxCode:
        """An active tax code by code, id or name. Raises UnresolvedError."""
        there = by_id(self.tax_codes).get(named.strip())
        found = (
            grouped(self.tax_codes, "code", str).get(named.strip(), ())
            or (() if there is None else (there,))
            or grouped(self.tax_codes, "name").get(folded(named), ())
        )
        return one_of([one for one in found if one.active], found, f"tax code {named!r}", setting, SAASU)

    def set_up_item(self, named: str, setting: str) -> SaasuItem:
        """An active sold item by code or id: shipping, surcharge, discount. Raises UnresolvedError."""
        there = self.item_by_code.get(named) or self.item_by_id.get(named.strip())
        found = [] if there is None else [there]
        usable = [one for one in found if one.active and one.sold]
        return one_of(usable, found, f"item {named!r}", setting, SAASU, "an active item that is sold")

    def contact(self, named: str, setting: str) -> SaasuContact:
        """An active contact by id, Contact ID or e-mail address. Raises UnresolvedError."""
        by_id = self.contact_by_id.get(named.strip())
        found: Sequence[SaasuContact] = (
            (() if by_id is None else (by_id,))
            or self.contacts_by_reference.get(folded(named), ())
            or self.contacts_by_email.get(folded(named), ())
        )
        return one_of([one for one in found if one.active], found, f"contact {named!r}", setting, SAASU)
