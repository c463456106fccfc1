"""Which branch of Omni fulfils an order.

Belongs here: the setting Branches, by the warehouses an order's lines leave from. Does not belong here: stock (`status_updates`).
"""

from __future__ import annotations

from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.layout import Layout
from ledger_pipelines.integrations.neto_cin7.settings import MixedBranches
from ledger_pipelines.integrations.shop import UnresolvedError, by_id, unresolved
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.cin7.records import Branch

SETTING = "branches"


def branch_of(ctx: Context, order: SalesDocument, laid: Layout) -> Branch | Reason | None:
    """The branch an order goes to; None = Omni's main branch.

    Reasons: `unresolved-setting`, `several-branches`.
    """
    choices = ctx.settings.branches
    try:
        default = None if choices.branch is None else ctx.omni.branch(choices.branch, f"{SETTING}.branch")
        chosen = {place: _of_place(ctx, place) or default for place in {line.place for line in laid.lines}}
    except UnresolvedError as error:
        return unresolved(error)
    found = {None if one is None else one.id: one for one in chosen.values()}
    if len(found) < 2:
        return next(iter(found.values()), default)
    if choices.mixed is MixedBranches.DEFAULT:
        return default
    names = sorted("the main branch" if one is None else one.name for one in found.values())
    return Reason(
        "several-branches",
        f"The lines of order {order.number} leave from warehouses of several branches: {', '.join(names)}. An order of Omni has "
        "one.",
        "Split the order in the store, or choose branches.mixed: default.",
    )


def _of_place(ctx: Context, place: str) -> Branch | None:
    """The branch of a warehouse of the store. Raises UnresolvedError."""
    warehouse = by_id(ctx.shop.warehouses).get(place)
    names = {folded(place)}
    if warehouse is not None:
        names |= {folded(warehouse.reference), folded(warehouse.name)}
    for named, branch in ctx.settings.branches.by_warehouse.items():
        if folded(named) in names and place:
            return ctx.omni.branch(branch, f"{SETTING}.by_warehouse.{named}")
    return None
