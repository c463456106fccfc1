"""Payments of ours that Omni has twice: found in what was read anyway, listed, and never touched.

Belongs here: what counts as twice, and the words. Does not belong here: deleting anything (a person does), showing (`reports`, `cli`).

A reference of an order is unique in Omni, and so is a contact's e-mail address; payments have no key against a request that comes
twice (cin7-omni.md 10.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.references import PAYMENT
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.reports.shop_view import Copy, Twice

CODE: Final = "there-twice"
WHAT: Final = "Payment"


def doubles(ctx: Context) -> tuple[Twice, ...]:
    """All of the account, whatever their day, but those a user said to ignore."""
    return tuple(one for one in _payments(ctx) if one.key not in ctx.journal.ignored)


def open_item(one: Twice) -> OpenItem:
    """As one of those that are not resolved."""
    amount = one.copies[0].amount
    return OpenItem(
        one.key, "payments", "", one.reference, f"{one.what} {one.reference}", "double", CODE, one.text, one.remedy,
        None if amount is None else Money(amount, one.currency),
    )  # fmt: skip


def _payments(ctx: Context) -> Iterator[Twice]:
    repeated = ctx.omni.repeated_payments
    if not repeated:  # years of the journal are not read to find none
        return
    for known in ctx.journal.known.values():
        if known.kind != PAYMENT or known.action is not Action.CREATE or not known.may_be_there:
            continue
        same = repeated.get(known.remote_id, ())
        if same:
            yield _twice(
                ctx, known, [Copy(one.id, amount=one.amount, ours=one.id == known.remote_id) for one in same]
            )


def _twice(ctx: Context, known: Known, copies: list[Copy]) -> Twice:
    first, *others = sorted(copies, key=lambda one: not one.ours)
    ids = " and ".join(one.id for one in others)
    return Twice(
        key=ctx.key("double", ",".join(sorted(one.id for one in copies)), WHAT),
        what=WHAT,
        reference=known.external_id,
        currency=ctx.omni.currency,
        copies=(first, *others),
        text=f"Omni has {len(copies)} payments {known.external_id} on one order: {first.id} (ours) and {ids}.",
        remedy=f"The store has one such payment: delete {ids} in Omni. If all are right, ignore this row.",
    )
