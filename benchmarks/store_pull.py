"""A full pull of a Neto store, whatever its orders flow into.

Belongs here: its entities, what is there of each, the fewest calls. Does not belong here: sweeping (`whole_pull`), the target's
(`shop_calls`, `omni_calls`).
"""

from __future__ import annotations

from typing import Any

from benchmarks.whole_pull import Pull, all_there, rows_stored
from ledger_pipelines.systems.neto.entities import ENTITIES
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines_tests.store_stage import StoreStage

_KINDS = {
    "products": "item", "customers": "customer", "orders": "order", "payments": "payment", "rmas": "rma", "stock": "item",
    "warehouses": "warehouse", "payment_methods": "paymentmethod", "shipping_methods": "shippingmethod", "categories": "category",
}  # fmt: skip


def store_pull(stage: StoreStage[Any]) -> Pull:
    """Every entity of the store."""
    stage.forget_calls()
    zone, now = stage.service.setup.zone, stage.clock.now()
    rows = rows_stored(NetoReader(stage.service.neto), ENTITIES, stage.folder / "pulled-store", zone, now)
    calls = sum(count for call, count in stage.calls("neto").items() if call.startswith("POST /do/"))
    store = stage.store()
    there = {name: len(store[kind]) for name, kind in _KINDS.items()}
    all_there(rows, there)
    return Pull(there, calls, sum(least(name, count) for name, count in there.items()))


def least(name: str, rows: int) -> int:
    """Calls that so many rows of an entity need: pages, one that proves the end, and of several one whether they moved."""
    entity = ENTITIES[name]
    if not entity.limit or not rows:
        return 1
    pages = -(-rows // entity.limit)
    return pages + 1 + (pages > 1 and entity.changes_in_place)
