"""What a Neto store and its Saasu file add to the code location.

Belongs here: what each flow is decided from, the words and checks of the reconciliation. Does not belong here: the assets
(`assets.shops`), the snapshots themselves (`build`: any connection has them).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ledger_pipelines.config.models import IntegrationConfig
from ledger_pipelines.integrations.neto_saasu.settings import TO_NETO, NetoSaasuSettings, Overpayment
from ledger_pipelines.orchestration.assets.shops import Chain
from ledger_pipelines.orchestration.kinds.by_day import DayKind
from ledger_pipelines.orchestration.reads import Reads

STOCK = "stock"
CHECKS = {
    "paid_in_store_is_received": "What the store was paid is what the file received, each day, to the cent.",
    "every_order_has_its_invoice": "Every order that is exported has its invoice.",
    "every_invoice_has_its_order": "Every invoice with an order's number has that order.",
    "totals_agree": "Every invoice comes to its order's total, and as much is owed.",
    "nothing_is_there_twice": "No document of ours is in the file twice, whatever its day.",
    "stock_agrees": "The store's stock is what the file's makes it.",
    "readings_are_fresh": "Both sides were read lately.",
}
_BY_FLOW = {
    "items_to_saasu": Reads.of("products orders", "items accounts tax_codes"),
    "contacts": Reads.of("orders customers", "contacts"),
    "invoices": Reads.of(
        "orders customers products warehouses payment_methods",
        "invoices items contacts accounts tax_codes deleted",
    ),
    "payments": Reads.of("orders payment_methods", "invoices payments accounts deleted"),
    "refunds": Reads.of("rmas orders payment_methods", "invoices payments items accounts tax_codes deleted"),
    "other_items_to_saasu": Reads.of("products orders", "items accounts tax_codes"),
    "items_from_saasu": Reads.of("products", "items"),
    "stock_from_saasu": Reads.of("products orders stock warehouses", "items stock invoices deleted"),
}


def chain(integration: IntegrationConfig) -> Chain:
    """Its flows, and what they are decided from."""
    settings = integration.settings_as(NetoSaasuSettings)
    return Chain(
        flows=settings.enabled_flows(),
        to_source=TO_NETO,
        reads={flow: _reads(flow, settings) for flow in _BY_FLOW},
        read_back=("invoices", "payments", "journals"),
        pairing="items by code, customers by Contact ID and e-mail, orders by number",
        reconciling=f"What {integration.source} was paid against what {integration.target} received",
        checks=CHECKS,
    )


def reach(integration: IntegrationConfig) -> timedelta:
    """How far before the first day its connections are read."""
    return timedelta(days=integration.settings_as(NetoSaasuSettings).initial_sync.days)


def young(integration: IntegrationConfig) -> Mapping[str, timedelta]:
    """How old whole lists may get, by entity."""
    minutes = integration.settings_as(NetoSaasuSettings).inventory_from_saasu.every_minutes
    return {STOCK: timedelta(minutes=minutes)}


def _reads(flow: str, settings: NetoSaasuSettings) -> Reads:
    found = _BY_FLOW[flow]
    if flow == "contacts" and settings.customers_to_saasu.company:
        found |= Reads.of("", "companies")
    if flow in {"payments", "refunds"} and settings.payments.overpayment is Overpayment.JOURNAL:
        found |= Reads.of("", "journals")
    return found


NETO_SAASU = DayKind(chain, reach, young)
