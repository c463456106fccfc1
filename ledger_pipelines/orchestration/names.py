"""Names people see in the UI: asset keys, groups, jobs, pools, tags.

Belongs here: every name, made in one place, because a renamed asset loses its history. Does not belong here: the
names of metadata (`metadata`), of partitions' definitions (`partitions`).
"""

from __future__ import annotations

import re

import dagster as dg

CONNECTION_TAG = "ledger/connection"
INTEGRATION_TAG = "ledger/integration"
TARGET_TAG = "ledger/target"
SETTLEMENT_TAG = "ledger/settlement"
REASON_TAG = "ledger/reason"
SCHEDULE = "schedule"
"""Reason of runs that a clock asked for."""
READING_TAG = "ledger/reading"
"""How snapshots of a run are read: `refresh` = only what changed since the last reading; else each day whole."""
REFRESH = "refresh"

_SETTLEMENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)


def settlements_key(connection: str) -> dg.AssetKey:
    """Settlements of an Amazon connection."""
    return dg.AssetKey([connection, "settlements"])


def snapshot_key(connection: str, entity: str) -> dg.AssetKey:
    """Daily snapshots of one entity."""
    return dg.AssetKey([connection, entity])


def books_key(integration: str) -> dg.AssetKey:
    """What the target holds for a settlement."""
    return dg.AssetKey([integration, "books"])


def plan_key(integration: str, flow: str) -> dg.AssetKey:
    """The plan of a flow."""
    return dg.AssetKey([integration, flow, "plan"])


def export_key(integration: str, flow: str) -> dg.AssetKey:
    """What a flow wrote."""
    return dg.AssetKey([integration, flow, "export"])


def readback_key(integration: str) -> dg.AssetKey:
    """What the target says after the writes."""
    return dg.AssetKey([integration, "readback"])


def reconciliation_key(integration: str) -> dg.AssetKey:
    """The settlement in figures."""
    return dg.AssetKey([integration, "reconciliation"])


def pairing_key(integration: str) -> dg.AssetKey:
    """What both sides have in common already."""
    return dg.AssetKey([integration, "pairing"])


CONFIGURATION_KEY = dg.AssetKey(["configuration"])


def settlement_job(integration: str) -> str:
    """The job that takes one settlement through the whole chain."""
    return f"{integration}_settlement"


def arrival_job(connection: str) -> str:
    """The job that receives one large file."""
    return f"{connection}_arrival"


def arrival_op(connection: str) -> str:
    """Its only step."""
    return f"{connection}_take_in"


def snapshot_job(connection: str) -> str:
    """The job that takes a connection's snapshots."""
    return f"{connection}_snapshots"


def initial_sync_job(integration: str) -> str:
    """The job that reads both sides whole and pairs them."""
    return f"{integration}_initial_sync"


def sync_job(integration: str) -> str:
    """The job that takes days through all flows of a shop's integration."""
    return f"{integration}_sync"


def flow_job(integration: str, flow: str) -> str:
    """The job of one flow alone: its plan and its export."""
    return f"{integration}_{flow}"


def write_pool(connection: str) -> str:
    """One writer at a time for each target account."""
    return f"{connection}_writes"


def read_pool(connection: str) -> str:
    """One sweep at a time for each account: its call limit is shared by everything."""
    return f"{connection}_reads"


def is_settlement_id(text: str) -> bool:
    """Whether a text may be a partition key: Dagster itself accepts blanks, newlines and `...` (dagster.md 8)."""
    return _SETTLEMENT_ID.fullmatch(text) is not None
