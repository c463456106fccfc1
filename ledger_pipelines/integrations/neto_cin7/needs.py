"""Which entities of the store and of Omni the flows that are on need.

Belongs here: that choice, light to import: it is asked when definitions load. Does not belong here: reading
(`by_day.readings`).
"""

from __future__ import annotations

from typing import Final

from ledger_pipelines.integrations.neto_cin7.settings import AutoDispatch, NetoCin7Settings

STOCK: Final = "stock"
NETO: Final = ("products", "customers", "orders", "warehouses", "payment_methods")
"""What is read of the store, in order."""


def cin7_entities(settings: NetoCin7Settings) -> tuple[str, ...]:
    """What the flows that are on need of Omni, in the order it is read: each list costs a call, also when nothing changed."""
    wanted = ["branches", "contacts", "products", "product_options", "sales_orders"]
    if settings.payments.enabled:
        wanted.append("payments")
    if settings.status_updates.auto_dispatch_orders is AutoDispatch.COMPLETED:
        wanted.append(STOCK)
    return tuple(wanted)
