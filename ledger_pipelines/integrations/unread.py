"""Records that cannot be read, on the page of a reconciliation.

Belongs here: which of them the page still has to name. Does not belong here: the error (`by_day.unreadable`), the rows of plans that wait
for them (`by_day.context`), what the comparison does without them (each integration's `reconcile`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.reports.shop_view import Waiting
from ledger_pipelines.sync.plan import PlanRow

_WHAT: Final = {"orders": "Order", "rmas": "Return", "payments": "Payment"}


def waiting_records(errors: Iterable[UnreadableError], blocked: Iterable[PlanRow]) -> Iterator[Waiting]:
    """Those that no row of a plan waits for already. blocked: rows that wait."""
    told = [row.reason.text for row in blocked]
    for error in errors:
        if not any(error.message in text for text in told):
            what = _WHAT.get(error.what, error.what.replace("_", " "))
            yield Waiting(error.key, what, None, error.code, error.message, error.remedy)
