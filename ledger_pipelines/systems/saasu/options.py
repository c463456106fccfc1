"""What a setting may name: accounts by kind, tax codes, items, contacts of this file.

Belongs here: the lists behind `ledger-pipelines options`. Does not belong here: printing them (`cli`).
Facts: saasu.md 5.2, 5.3 (which account is for what), 5.5, 5.6 (filters).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger_pipelines.documents.money import plain
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.looking import Option
from ledger_pipelines.systems.saasu import records
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.entities import ENTITIES

MOST: Final = 1000
"""Rows of a list without a search: ten calls."""


_KINDS: Final = {
    "bank_accounts": {"IsBankAccount": "true"},
    "income_accounts": {"AccountType": "Income"},
    "other_income_accounts": {"AccountType": "OtherIncome"},
    "cost_of_sales_accounts": {"AccountType": "CostOfSales"},
    "expense_accounts": {"AccountType": "Expense"},
    "asset_accounts": {"AccountType": "Asset", "IsBankAccount": "false"},
    "liability_accounts": {"AccountType": "Liability", "IsBankAccount": "false"},
}
"""Lists of accounts, with what they are asked with. Types are filtered without blanks, and told with them."""


class Options:
    """Lists of one file."""

    def __init__(self, client: SaasuClient) -> None:
        self._client = client

    def names(self) -> tuple[str, ...]:
        """Which lists there are."""
        return ("accounts", *_KINDS, "tax_codes", "items", "contacts")

    def read(self, name: str, search: str = "") -> tuple[Option, ...]:
        """One list, inactive ones marked. Calls: one each 100 rows, at most 1000.

        search: part of an account's or tax code's name; part of an item's code or description; a contact's whole e-mail
        address, Contact ID or family name.

        Raises:
            ConfigurationError: no such list. TransientError, CredentialError, SaasuRefusedError.
        """
        wanted = search.strip()
        if name == "accounts":
            return _containing(self._accounts({}), wanted)
        if name in _KINDS:
            return _containing(self._accounts(_KINDS[name]), wanted)
        if name == "tax_codes":
            return _containing(self._tax_codes(), wanted)
        if name == "items":
            return tuple(self._items(wanted))
        if name == "contacts":
            return tuple(self._contacts(wanted))
        raise ConfigurationError(
            f"Connection {self._client.connection.name!r} has no list {name!r}.",
            remedy=f"Choose one of: {', '.join(self.names())}.",
        )

    def _accounts(self, filters: dict[str, str]) -> Iterator[Option]:
        wanted = filters.get("AccountType", "").casefold()
        bank = {"true": True, "false": False}.get(filters.get("IsBankAccount", ""))
        for row in self._rows("accounts", **filters):
            one = records.account(row)
            fits = one.detail and (bank is None or one.bank is bank)
            if fits and (not wanted or one.kind.replace(" ", "").casefold() == wanted):
                more = "takes payments" if one.bank else ""
                more = f"{more}, with merchant fees" if one.bank and one.fee_account else more
                yield Option(one.id, one.name, one.kind, more, not one.active)

    def _tax_codes(self) -> Iterator[Option]:
        for row in self._rows("tax_codes"):
            one = records.tax_code(row)
            sides = " and ".join(
                side for side, on in (("sales", one.sale), ("purchases", one.purchase)) if on
            )
            yield Option(
                one.id, one.name, one.code, f"{plain(one.rate * 100)} %, {sides}".rstrip(", "), not one.active
            )

    def _items(self, search: str) -> Iterator[Option]:
        filters = {"SearchMethod": "Contains", "SearchText": search[:128]} if search else {}
        for row in self._rows("items", **filters):
            one = records.item(row)
            sort = "combo" if one.combo else "stock is kept" if one.inventoried else "no stock is kept"
            detail = sort if one.sold else f"{sort}, not sold"
            yield Option(one.id, one.description, one.code, detail, not one.active)

    def _contacts(self, search: str) -> Iterator[Option]:
        """A filter takes whole values only (saasu.md 5.5): the first that finds somebody decides."""
        filters: list[dict[str, str]] = [{"ContactId": search}, {"FamilyName": search}]
        if not search:
            filters = [{}]
        elif "@" in search:
            filters = [{"Email": search}]
        for one in filters:
            found = [
                Option(who.id, f"{who.given} {who.family}".strip(), who.reference, who.email, not who.active)
                for who in map(records.contact, self._rows("contacts", **one))
            ]
            yield from found
            if found:
                return

    def _rows(self, entity: str, **filters: str) -> Iterator[records.Record]:
        asked = ENTITIES[entity]
        for number in range(1, MOST // 100 + 1):  # not money: pages
            page = self._client.page(asked.path, asked.array, number, **{**dict(asked.asked), **filters})
            yield from page.rows
            if not page.more:
                return


def _containing(options: Iterator[Option], search: str) -> tuple[Option, ...]:
    wanted = search.casefold()
    return tuple(
        one
        for one in options
        if wanted in one.name.casefold() or wanted in one.number.casefold() or one.id == search
    )
