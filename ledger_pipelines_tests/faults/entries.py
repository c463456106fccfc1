"""What the drills are pointed at: one entry an integration. A later integration joins the drills by adding its entry.

Belongs here: the list. Does not belong here: what an entry is (`entry`), any one integration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger_pipelines_tests.faults.entry import Entry, Scene
from ledger_pipelines_tests.faults.omni_entry import NETO_CIN7
from ledger_pipelines_tests.faults.settlement_entry import AMAZON_NETSUITE
from ledger_pipelines_tests.faults.shop_entry import NETO_SAASU
from ledger_pipelines_tests.stage import Stage

SETTLEMENTS: Mapping[str, Entry[Stage]] = {entry.name: entry for entry in (AMAZON_NETSUITE,)}
"""Integrations that settlement files drive: drills about files are theirs."""

BY_DAYS: Mapping[str, Entry[Any]] = {entry.name: entry for entry in (NETO_SAASU, NETO_CIN7)}
"""Integrations that days drive: their runs find by themselves what is new."""

ENTRIES: Mapping[str, Entry[Any]] = {**SETTLEMENTS, **BY_DAYS}

__all__ = ["BY_DAYS", "ENTRIES", "SETTLEMENTS", "Entry", "Scene"]
