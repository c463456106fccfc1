"""Orders decided, and held by Omni, for tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.orders import decide
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    booked,
    context,
    effect_of,
    known,
    omni,
)


def only(ctx: Context, one: SalesDocument) -> tuple[str, str]:
    """Action and reason code of the one row of an order."""
    (row,) = decide(ctx, one).rows
    return row.action.value, row.reason.code


def there(
    before: SalesDocument,
    after: SalesDocument,
    *more: Any,
    account: Mapping[str, Any] | None = None,
    **other: Any,
) -> Context:
    """Omni has `before` by us, read since; the store has `after`. account: what Omni shows of it otherwise."""
    ctx = context([before], **other)
    effect = effect_of(ctx, before)
    held = booked(effect, **(account or {}))
    return context([after], account=omni(orders=(held,)), known=(known(effect), *more), **other)
