"""Completed and cancelled orders that were downloaded, for the tests of dispatches and voids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.status_updates import rows
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.cin7.records import SalesOrder
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    booked,
    context,
    effect_of,
    known,
    omni,
    settings,
)

YES, IGNORE = "Yes - Completed Orders Only", "Yes - Completed Orders Only (Ignore Stock)"
DONE = {"status": "Dispatched"}
CANCELLED = {"status": "Cancelled", "cancelled": True}


def choosing(option: str = YES, **groups: Any) -> Any:
    return settings(status_updates={"auto_dispatch_orders": option}, **groups)


def standing(
    orders: Sequence[SalesDocument], *, read: bool = True, **held: Any
) -> tuple[list[Known], list[SalesOrder]]:
    """What the journal and Omni have of orders that were downloaded. held: what Omni shows of them otherwise."""
    knowns, there = [], []
    for place, one in enumerate(orders):
        alive = replace(one, cancelled=False, status="Pick")
        choices = choosing(products={"in_step": False})
        effect = effect_of(context([alive], choices=choices), alive)
        knowns.append(known(effect, str(88123 + place)))
        if read:
            there.append(replace(booked(effect, str(88123 + place)), **held))
    return knowns, there


def downloaded(
    *orders: SalesDocument,
    more: Sequence[Known] = (),
    choices: Any = None,
    stock: dict[str, Any] | None = None,
    read: bool = True,
    held: dict[str, Any] | None = None,
    **other: Any,
) -> Context:
    knowns, there = standing(orders, read=read, **(held or {}))
    account = omni(**({"orders": tuple(there)} | (stock or {})))
    chosen = choices or choosing(products={"in_step": False})
    return context(orders, account=account, known=(*knowns, *more), choices=chosen, **other)


def only(ctx: Context, one: SalesDocument) -> PlanRow:
    (row,) = rows(ctx, [one])
    return row
