"""Which part of a group belongs on a sales document, and which is left for the journal.

Belongs here: the amount rules of celigo-amazon-netsuite.md 8.5 as arithmetic. Does not belong here: which document
(`matching`), what is written (`payments`, `refunds`, `settlement_journal`).

An invoice may or may not contain the tax the buyer paid and the promotions Amazon granted: that is the basis. The
claimed part of a group goes through A/R and the clearing account; everything else is booked by the journal, so that
claimed + journaled = the group's net, always.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.dates import Month
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import Component, KindAmount, SettlementGroup

PRICE = frozenset({Component.PRODUCT, Component.SHIPPING, Component.GIFTWRAP})


@dataclass(frozen=True, slots=True)
class Basis:
    """What the document contains besides item price, shipping and gift wrap."""

    promotion: bool = True
    tax: bool = False

    def contains(self, component: Component) -> bool:
        """Whether amounts of this component are on the document."""
        return (
            component in PRICE
            or (self.promotion and component is Component.PROMOTION)
            or (self.tax and component is Component.TAX)
        )

    def words(self) -> str:
        """For messages."""
        with_promotion = "less promotions" if self.promotion else "before promotions"
        return f"{with_promotion}, {'with' if self.tax else 'without'} tax"


BASES = (Basis(), Basis(tax=True), Basis(promotion=False), Basis(promotion=False, tax=True))
"""Every basis, the likeliest first."""


def default_basis(groups: Iterable[SettlementGroup]) -> Basis:
    """Tax belongs to the seller's document unless the marketplace withholds all of it."""
    return Basis(tax=sum((g.amounts.tax + g.amounts.withheld_tax for g in groups), ZERO) != 0)


def claimed(group: SettlementGroup, basis: Basis) -> Decimal:
    """The part of the group that its document contains, with the file's sign."""
    amounts = group.amounts
    value = amounts.product + amounts.shipping + amounts.giftwrap
    if basis.promotion:
        value += amounts.promotion
    if basis.tax:
        value += amounts.tax
    return value


def distinct_bases(group: SettlementGroup) -> list[Basis]:
    """Bases that give different amounts for this group, the likeliest first."""
    seen: dict[Decimal, Basis] = {}
    for basis in BASES:
        seen.setdefault(claimed(group, basis), basis)
    return list(seen.values())


def claimed_kinds(group: SettlementGroup, basis: Basis) -> list[KindAmount]:
    """The group's amounts that its document contains."""
    return [k for k in group.kinds if basis.contains(k.kind.component)]


def journaled_kinds(group: SettlementGroup, basis: Basis | None) -> list[KindAmount]:
    """The group's amounts that the journal books; all of them where there is no document (basis None)."""
    return [k for k in group.kinds if basis is None or not basis.contains(k.kind.component)]


def claimed_by_month(group: SettlementGroup, basis: Basis) -> dict[Month, Decimal]:
    """Claimed amounts by month of posting."""
    sums: dict[Month, Decimal] = {}
    for part in claimed_kinds(group, basis):
        sums[part.month] = sums.get(part.month, ZERO) + part.amount
    return sums
