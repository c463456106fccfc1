"""What a setting may name: branches, stages, price tiers, contacts, payment methods, SKUs of this account.

Belongs here: the lists behind `ledger-pipelines options`. Does not belong here: printing them (`cli`).
Facts: cin7-omni.md 6.3 (stages are free text), 10.1, 10.2, 10.3 (price columns), 10.5 (methods have no list).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.cin7 import records
from ledger_pipelines.systems.cin7.client import PAGE, Asked, Cin7Client, quoted
from ledger_pipelines.systems.cin7.entities import ENTITIES, MODIFIED
from ledger_pipelines.systems.looking import Option

MOST: Final = 1000
"""Rows of a list without a search: four calls."""
STAGES: Final = ("New", "Awaiting Payment", "Declined", "Dispatched", "Processing", "On Hold")
"""Those Cin7 documents; an account may have any others (cin7-omni.md 6.3)."""
_CONTACT = ("company", "firstName", "lastName", "email")
_SKU = ("productOptionCode",)


class Options:
    """Lists of one account."""

    def __init__(self, client: Cin7Client) -> None:
        self._client = client

    def names(self) -> tuple[str, ...]:
        """Which lists there are."""
        return ("branches", "stages", "price_tiers", "payment_methods", "contacts", "options")

    def read(self, name: str, search: str = "") -> tuple[Option, ...]:
        """One list, inactive ones marked. Calls: 1; price tiers 2; contacts and options one each 250 rows, at most 4.

        search: part of the name; of contacts, of company, first or last name or e-mail address; of options, of the SKU.

        Raises:
            ConfigurationError: no such list. TransientError, CredentialError, Cin7RefusedError.
        """
        wanted = search.strip()
        if name == "branches":
            return _containing(self._branches(), wanted)
        if name == "stages":
            return _containing(self._stages(), wanted)
        if name == "price_tiers":
            return _containing(self._tiers(), wanted)
        if name == "payment_methods":
            return _containing(self._methods(), wanted)
        if name == "contacts":
            return tuple(self._contacts(wanted))
        if name == "options":
            return tuple(self._skus(wanted))
        raise ConfigurationError(
            f"Connection {self._client.connection.name!r} has no list {name!r}.",
            remedy=f"Choose one of: {', '.join(self.names())}.",
        )

    def _branches(self) -> Iterator[Option]:
        for row in self._rows("branches"):
            one = records.branch(row)
            yield Option(one.id, one.name, "", one.kind, not one.active)

    def _stages(self) -> Iterator[Option]:
        rows = self._newest("sales_orders")
        seen = Counter(one.stage for one in map(records.sales_order, rows) if one.stage)
        for stage, count in seen.most_common():
            yield Option(stage, stage, "", f"{count:,} of the {len(rows):,} newest orders")
        for stage in STAGES:
            if stage.casefold() not in {one.casefold() for one in seen}:
                yield Option(stage, stage, "", "documented by Cin7, not seen in the newest orders")

    def _tiers(self) -> Iterator[Option]:
        options = [records.option(row) for row in self._newest("product_options")]
        priced = Counter(name for one in options for name, _ in one.prices)
        given = Counter(
            one.price_tier for one in map(records.contact, self._newest("contacts")) if one.price_tier
        )
        for tier in dict.fromkeys([*priced, *given]):
            detail = f"{priced[tier]:,} newest options have a price, {given[tier]:,} newest contacts have it"
            yield Option(tier, tier, "", detail)

    def _methods(self) -> Iterator[Option]:
        rows = self._newest("payments")
        seen = Counter(one.method for one in map(records.payment, rows) if one.method)
        for method, count in seen.most_common():
            yield Option(method, method, "", f"{count:,} of the {len(rows):,} newest payments")

    def _contacts(self, search: str) -> Iterator[Option]:
        for row in self._rows("contacts", _like(_CONTACT, search)):
            one = records.contact(row)
            name = one.company or f"{one.first_name} {one.last_name}".strip()
            yield Option(one.id, name, one.email, one.kind, not one.active)

    def _skus(self, search: str) -> Iterator[Option]:
        for row in self._rows("product_options", _like(_SKU, search)):
            one = records.option(row)
            sized = f"size {one.size}" if one.size else ""
            yield Option(one.id, one.name, one.code, sized, not one.active)

    def _newest(self, entity: str) -> tuple[records.Record, ...]:
        return self._client.page(ENTITIES[entity].path, Asked(order=f"{MODIFIED} DESC"))

    def _rows(self, entity: str, where: str = "") -> Iterator[records.Record]:
        for number in range(1, MOST // PAGE + 1):  # not money: pages
            rows = self._client.page(ENTITIES[entity].path, Asked(where, page=number))
            yield from rows
            if len(rows) < PAGE:
                return


def _like(fields: tuple[str, ...], search: str) -> str:
    return " OR ".join(f"{field} LIKE {quoted(f'%{search}%')}" for field in fields) if search else ""


def _containing(options: Iterator[Option], search: str) -> tuple[Option, ...]:
    wanted = search.casefold()
    return tuple(one for one in options if wanted in one.name.casefold() or one.id == search)
