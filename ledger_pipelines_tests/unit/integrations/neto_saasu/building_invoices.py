"""Orders decided and written as invoices, for tests of what becomes of them."""

from __future__ import annotations

from typing import Any

from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.invoices import decide
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import context, known, settings

PAID = settings(payments={"methods": {"card": "Bank"}})
"""Cards go to the bank."""


def effect_of(ctx: Context, one: SalesDocument, place: int = 0) -> Effect:
    """What is written of an order, by the place of its row."""
    effect = decide(ctx, one).rows[place].effect
    assert effect is not None
    return effect


def confirmed(one: SalesDocument, remote_id: str = "70", **other: Any) -> Known:
    """The journal after the order was exported."""
    return known(effect_of(context([one], **other), one), remote_id=remote_id)


def only(decision: Decision) -> tuple[Action, str]:
    """Action and reason code of the one row."""
    (row,) = decision.rows
    return row.action, row.reason.code
