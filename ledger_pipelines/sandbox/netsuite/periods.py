"""Posting periods: which one a date falls in, and whether it is open for a kind of transaction.

Source: netsuite.md 9.2. The text contains "period" and "closed", as the reference asks.
"""

from __future__ import annotations

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import NetSuiteError, user_error
from ledger_pipelines.sandbox.netsuite.schema import RecordType
from ledger_pipelines.sandbox.netsuite.store import Row

_RECEIVABLES = frozenset(
    {"invoice", "creditMemo", "customerPayment", "customerRefund", "cashSale", "cashRefund"}
)


def period_of(company: Company, day: str) -> Row | None:
    """The month period that contains a date."""
    return company.store.remember(("period of", day), lambda: _period_of(company, day))


def _period_of(company: Company, day: str) -> Row | None:
    found = company.store.db.execute(
        "SELECT id FROM ns_record WHERE family = 'accountingPeriod' AND body ->> '$.startDate' <= ?1 "
        "AND body ->> '$.endDate' >= ?1 AND coalesce(body ->> '$.isQuarter', 0) = 0 "
        "AND coalesce(body ->> '$.isYear', 0) = 0 AND coalesce(body ->> '$.isAdjust', 0) = 0 ORDER BY id LIMIT 1",
        (day,),
    ).fetchone()
    return company.store.master("accountingPeriod", found[0]) if found else None


def check_open(company: Company, record_type: RecordType, body: Document) -> None:
    """Refuse a posting into a closed or locked period. Raises NetSuiteError USER_ERROR."""
    period = (
        company.store.master("accountingPeriod", int(body["postingPeriod"]))
        if body.get("postingPeriod")
        else None
    )
    if period is None:
        raise user_error(f"There is no accounting period for the date {body.get('tranDate')}.", "tranDate")
    if record_type.name in {"salesOrder", "itemFulfillment"}:
        return
    if period.body.get("closed"):
        raise _refusal(period, "closed")
    if company.features.overridePeriodRestrictions:
        return
    locked = period.body.get("allLocked") or (
        period.body.get("arLocked") and record_type.name in _RECEIVABLES
    )
    if locked:
        raise _refusal(period, "closed (locked)")


def _refusal(period: Row, state: str) -> NetSuiteError:
    return user_error(
        f"The transaction date you specified is not within the date range of an open accounting period: the period "
        f"{period.name} is {state} for this type of transaction.",
        "tranDate",
    )


def default_period(company: Company, body: Document, old: Document | None) -> None:
    """Set `postingPeriod` from `tranDate` when it was not given, or when only the date moved."""
    moved = old is not None and old.get("tranDate") != body.get("tranDate")
    kept = old is not None and old.get("postingPeriod") == body.get("postingPeriod")
    if body.get("postingPeriod") and not (moved and kept):
        return
    found = period_of(company, str(body["tranDate"]))
    body["postingPeriod"] = str(found.id) if found else None
