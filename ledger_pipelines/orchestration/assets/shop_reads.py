"""Which snapshots each flow of a shop is decided from.

Belongs here: that table, as edges of the graph people see and as what a sync reads. Does not belong here: reading
(`assets.snapshots`), deciding (`integrations/neto_saasu`). What is not read costs no call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings, Overpayment


@dataclass(frozen=True, slots=True)
class Reads:
    """Names of entities of the store and of the file."""

    store: frozenset[str] = frozenset()
    file: frozenset[str] = frozenset()

    def __or__(self, other: Reads) -> Reads:
        return Reads(self.store | other.store, self.file | other.file)


def _reads(store: str, file: str) -> Reads:
    return Reads(frozenset(store.split()), frozenset(file.split()))


_BY_FLOW = {
    "items_to_saasu": _reads("products orders", "items accounts tax_codes"),
    "contacts": _reads("orders customers", "contacts"),
    "invoices": _reads(
        "orders customers products warehouses payment_methods",
        "invoices items contacts accounts tax_codes deleted",
    ),
    "payments": _reads("orders payment_methods", "invoices payments accounts deleted"),
    "refunds": _reads("rmas orders payment_methods", "invoices payments items accounts tax_codes deleted"),
    "items_from_saasu": _reads("products", "items"),
    "stock_from_saasu": _reads("products stock warehouses", "items stock"),
}


def reads(flow: str, settings: NetoSaasuSettings) -> Reads:
    """What one flow is decided from."""
    found = _BY_FLOW[flow]
    if flow == "contacts" and settings.customers_to_saasu.company:
        found |= _reads("", "companies")
    if flow in {"payments", "refunds"} and settings.payments.overpayment is Overpayment.JOURNAL:
        found |= _reads("", "journals")
    return found


def all_reads(flows: Iterable[str], settings: NetoSaasuSettings) -> Reads:
    """What some flows together are decided from."""
    found = Reads()
    for flow in flows:
        found |= reads(flow, settings)
    return found
