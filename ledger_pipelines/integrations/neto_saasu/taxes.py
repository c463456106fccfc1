"""Which tax code of the file a line or a charge takes, and whether the file's tax agrees with the store's.

Belongs here: the rule of codes. Does not belong here: lines (`layout`).

The store's own name of a code goes first, where the settings have it. Else the store's tax decides: none on an order that
leaves the country is an export, none else is tax free, some is taxed. Never guessed from a price.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.money import plain
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.sales_amounts import CENT, tax_on, tax_within
from ledger_pipelines.integrations.shop import UnresolvedError
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuTaxCode

SETTING = "orders_to_saasu"


@dataclass(frozen=True, slots=True)
class OrderTaxes:
    """Tax codes for one order. Its methods raise UnresolvedError where a setting names no code of the file."""

    ctx: Context
    order: SalesDocument

    @property
    def taxed(self) -> bool:
        """Whether the order has tax at all."""
        return bool(self.order.tax)

    @property
    def export(self) -> bool:
        """Whether it leaves the country without tax."""
        party = self.order.party
        country = (party.shipping.country or party.billing.country).upper()
        return bool(country) and country != self.ctx.settings.orders_to_saasu.home_country and not self.taxed

    def code(self, amount: Decimal, tax: Decimal | None, store_name: str = "") -> SaasuTaxCode:
        """The code of an amount. tax: the store's, None = not told; store_name: its name of the code on the line."""
        named = self._named(store_name)
        if named is not None:
            return named
        if self.export:
            return self._chosen("tax_code_export", self.ctx.settings.orders_to_saasu.tax_code_export)
        taxed = self._chosen("tax_code", self.ctx.settings.orders_to_saasu.tax_code)
        if tax or (self.taxed and (tax is None or not self.computed(amount, taxed))):
            return taxed
        return self.free()

    def free(self) -> SaasuTaxCode:
        """The code without tax: of an export on an export."""
        choices = self.ctx.settings.orders_to_saasu
        if self.export:
            return self._chosen("tax_code_export", choices.tax_code_export)
        return self._chosen("tax_code_free", choices.tax_code_free)

    def computed(self, amount: Decimal, code: SaasuTaxCode, *, with_tax: bool | None = None) -> Decimal:
        """The tax Saasu makes of an amount. with_tax: whether the amount contains it; None = as in the order."""
        contains = self.order.has_tax if with_tax is None else with_tax
        return tax_within(amount, code.rate) if contains else tax_on(amount, code.rate)

    def differs(self, what: str, amount: Decimal, tax: Decimal, code: SaasuTaxCode) -> Reason | None:
        """`tax-differs` when the store's tax and Saasu's are more than a cent apart. amount: as in the order."""
        ours = self.computed(amount, code)
        if abs(ours - tax) <= CENT:
            return None
        percent = plain(code.rate.scaleb(2))
        return Reason(
            "tax-differs",
            f"Order {self.order.number}, {what}: the store has {plain(tax, 2)} of tax on {plain(amount, 2)}, Saasu's code "
            f"{code.code} ({percent} %) makes it {plain(ours, 2)}.",
            "Correct the tax in the store, or name the right tax code under orders_to_saasu.tax_codes.",
        )

    def _named(self, store_name: str) -> SaasuTaxCode | None:
        choices = self.ctx.settings.orders_to_saasu.tax_codes
        by_name = {folded(name): (name, code) for name, code in choices.items()}
        found = by_name.get(folded(store_name)) if store_name else None
        return None if found is None else self._chosen(f"tax_codes.{found[0]}", found[1])

    def _chosen(self, field: str, named: str) -> SaasuTaxCode:
        code = self.ctx.books.tax_code(named, f"{SETTING}.{field}")
        if not code.sale:
            raise UnresolvedError(
                f"{SETTING}.{field} names the tax code {named!r}, which is not for sales in Saasu.",
                remedy="`ledger-pipelines options` lists those there are.",
            )
        return code
