"""The settlement custom records' fields and list values, ours or the user's own.

Belongs here: names of celigo-amazon-netsuite.md 8.2, and turning values into what REST wants for each type.
Does not belong here: what the values are (`settlement_records`, `summary_update`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.settlement import TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.settings import Records
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState

SUMMARY = "custrecord_azs_sum_"
TXN = "custrecord_azs_txn_"


class SummaryStatus(StrEnum):
    """`customlist_azs_sum_status`, in the order of its ids."""

    LOADED = "Loaded"
    MATCHING = "Matching"
    NEEDS_REVIEW = "Needs review"
    BOOKED = "Booked"
    RECONCILED = "Reconciled"


class Channel(StrEnum):
    """`customlist_azs_txn_channel`, in the order of its ids."""

    AFN = "AFN"
    MFN = "MFN"
    NONE = "none"


LISTS: Mapping[str, tuple[str, ...]] = {
    "sum_status": tuple(SummaryStatus),
    "txn_type": tuple(TransactionClass),
    "txn_channel": tuple(Channel),
    "txn_status": tuple(GroupState),
}
"""The lists the SDF project deploys; a value's internal id is its place, from 1, unless `records.list_values` says."""


def listed(records: Records, name: str, value: str) -> Json:
    """A list value as REST writes it: by internal id."""
    own = records.list_values.get(name, {})
    return {"id": own.get(value) or str(LISTS[name].index(value) + 1)}


def reference(internal_id: str) -> Json:
    """A record reference; None (nothing) for an empty id."""
    return {"id": internal_id} if internal_id else None


def fields(records: Records, prefix: str, values: Mapping[str, Json | date | Decimal]) -> dict[str, Json]:
    """A body: our short names to the account's field ids; fields switched off and empty values left out."""
    body: dict[str, Json] = {}
    for short, value in values.items():
        field = prefix + short
        name = records.field_ids.get(field, field)
        if name and value is not None and value != "":
            body[name] = value.isoformat() if isinstance(value, date) else value
    return body
