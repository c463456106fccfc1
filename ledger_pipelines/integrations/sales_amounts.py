"""Arithmetic on sales documents that every target shares: cents, tax in and on an amount, tax of charges, shares of a kit.

Belongs here: what is so whichever ledger it is. Does not belong here: a ledger's own rounding of lines, its codes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from typing import Final

from ledger_pipelines.documents.money import ZERO, Money, allocate, nearest, round_half_away
from ledger_pipelines.documents.sales import Charge, Component, SalesDocument

CENT: Final = Decimal("0.01")
_EXACT: Final = Context(prec=60)
_ONE: Final = Decimal(1)


def tax_within(gross: Decimal, rate: Decimal) -> Decimal:
    """Tax that an amount with tax contains. rate: a fraction."""
    return gross - nearest(gross, _ONE + rate, 2)


def tax_on(net: Decimal, rate: Decimal) -> Decimal:
    """Tax on an amount without tax. rate: a fraction."""
    return round_half_away(_EXACT.multiply(net, rate), 2)


def is_cents(amount: Decimal) -> bool:
    """Whether the amount has no more digits than cents."""
    return amount == round_half_away(amount, 2)


def charge_taxes(
    document: SalesDocument, charges: Sequence[Charge], computed: Callable[[Charge], Decimal]
) -> list[Decimal]:
    """Tax of each charge: the source's; where it tells none, the computed one. A cent or two that the document's own tax has
    beside goes to the first of those, for it is theirs.

    Args:
        document: It.
        charges: Those of its charges that count.
        computed: What the target makes of one.
    """
    told = sum((line.tax for line in document.lines), ZERO)
    told += sum((charge.tax for charge in charges if charge.tax is not None), ZERO)
    taxes = [computed(charge) if charge.tax is None else charge.tax for charge in charges]
    untold = [place for place, charge in enumerate(charges) if charge.tax is None]
    if untold:
        left = document.tax - told - sum((taxes[place] for place in untold), ZERO)
        if left and abs(left) <= CENT * len(untold):
            taxes[untold[0]] += left
    return taxes


def kit_shares(components: Sequence[Component], amount: Money) -> list[Money]:
    """A kit's amount shared by what its parts are worth, or equally where none has a worth (neto.md 8.4).

    Raises:
        DataError: the amount has fractions of its currency's smallest unit.
    """
    weights = [(one.value or ZERO) * one.quantity for one in components]
    if not any(weights):
        weights = [Decimal(1)] * len(components)
    return allocate(amount, weights)
