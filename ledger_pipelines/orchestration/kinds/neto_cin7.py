"""What a Neto store and its Cin7 Omni account add to the code location.

Belongs here: what each flow is decided from, the words and checks of the reconciliation. Does not belong here: the assets
(`assets.shops`), the snapshots themselves (`build`: any connection has them).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ledger_pipelines.config.models import IntegrationConfig
from ledger_pipelines.integrations.neto_cin7.needs import STOCK
from ledger_pipelines.integrations.neto_cin7.settings import TO_NETO, AutoDispatch, NetoCin7Settings
from ledger_pipelines.orchestration.assets.shops import Chain
from ledger_pipelines.orchestration.kinds.by_day import DayKind
from ledger_pipelines.orchestration.reads import Reads

CHECKS = {
    "every_order_is_in_omni": "Every order that is downloaded is in Omni.",
    "totals_agree": "Every order comes to the same in Omni, to the cent.",
    "dispatch_agrees": "What is completed in the store is dispatched in Omni, what is cancelled is void there.",
    "products_in_step": "Every product that is sold has its product option in Omni, in use, spelt alike.",
    "nothing_is_there_twice": "No payment of ours is in Omni twice.",
    "readings_are_fresh": "Both sides were read lately.",
}
_PRODUCTS = Reads.of("products", "products product_options")
_ORDERS = Reads.of(
    "orders customers products warehouses", "sales_orders contacts products product_options branches"
)
_BY_FLOW = {
    "products_to_cin7": _ORDERS,  # what orders need goes first
    "products_from_cin7": _PRODUCTS,
    "contacts": Reads.of("orders customers", "contacts"),
    "orders": _ORDERS,
    "payments": _ORDERS | Reads.of("payment_methods", "payments"),
    "status_updates": _ORDERS,
}


def chain(integration: IntegrationConfig) -> Chain:
    """Its flows, and what they are decided from."""
    settings = integration.settings_as(NetoCin7Settings)
    return Chain(
        flows=settings.enabled_flows(),
        to_source=TO_NETO,
        reads={flow: _reads(flow, settings) for flow in _BY_FLOW},
        read_back=("sales_orders", "payments"),
        pairing="products by code, contacts by e-mail address and user name, orders by reference",
        reconciling=f"Orders of {integration.source} against sales orders of {integration.target}",
        checks=CHECKS,
    )


def reach(integration: IntegrationConfig) -> timedelta:
    """How far before the first day its connections are read."""
    return timedelta(days=integration.settings_as(NetoCin7Settings).initial_sync.days)


def young(integration: IntegrationConfig) -> Mapping[str, timedelta]:
    """How old whole lists may get, by entity."""
    minutes = integration.settings_as(NetoCin7Settings).status_updates.stock_every_minutes
    return {STOCK: timedelta(minutes=minutes)}


def _reads(flow: str, settings: NetoCin7Settings) -> Reads:
    found = _BY_FLOW[flow]
    by_stock = settings.status_updates.auto_dispatch_orders is AutoDispatch.COMPLETED
    return found | Reads.of("", STOCK) if flow == "status_updates" and by_stock else found


NETO_CIN7 = DayKind(chain, reach, young)
