"""Which entities of the store and of the file the flows that are on need.

Belongs here: that choice, light to import: it is asked when definitions load. Does not belong here: reading (`readings`).
"""

from __future__ import annotations

from typing import Final

from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings, Overpayment

STOCK: Final = "stock"


def neto_entities(settings: NetoSaasuSettings) -> tuple[str, ...]:
    """What the flows that are on need of the store, in the order it is read."""
    wanted = ["products", "customers", "orders", "warehouses", "payment_methods"]
    if settings.refunds.enabled:
        wanted.append("rmas")
    if settings.inventory_from_saasu.enabled:
        wanted.append(STOCK)
    return tuple(wanted)


def saasu_entities(settings: NetoSaasuSettings, *, stock: bool = False) -> tuple[str, ...]:
    """What the flows that are on need of the file, in the order it is read. stock: whether a sale order waits for some."""
    wanted = ["accounts", "tax_codes", "items", "contacts", "invoices", "payments", "deleted"]
    if settings.customers_to_saasu.company:
        wanted.append("companies")
    if settings.payments.overpayment is Overpayment.JOURNAL:
        wanted.append("journals")
    if stock or settings.inventory_from_saasu.enabled:
        wanted.append(STOCK)
    return tuple(wanted)
