"""The cross-check of a Neto store and a Cin7 Omni account: what reading ledger.yaml can know before anything is called.

Belongs here: settings that contradict each other or the connections, and warnings. Does not belong here: whether a branch or a
contact is there (that is asked of Omni when a plan is made).
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.models import Finding, IntegrationConfig
from ledger_pipelines.config.shops import NetoConnectionConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.settings import STATUSES, NetoCin7Settings


def check_neto_cin7(
    integration: IntegrationConfig, source: BaseModel, target: BaseModel
) -> Iterator[Finding]:
    """What is wrong."""
    settings = integration.settings_as(NetoCin7Settings)
    yield from _statuses(settings)
    if integration.mode is Mode.TEST and not settings.general.test_orders:
        yield Finding(
            "settings.general.test_orders",
            "names no order, and mode is test",
            "Name up to ten order numbers.",
        )
    if not isinstance(source, NetoConnectionConfig) or not isinstance(target, Cin7ConnectionConfig):
        return
    if source.books_time_zone != target.books_time_zone:
        yield Finding(
            "target",
            f"cuts its days in {target.books_time_zone or 'the time zone of the books'}, and {integration.source} in "
            f"{source.books_time_zone or 'the time zone of the books'}",
            "Give both connections the same books_time_zone, or neither.",
        )


def warnings(integration: IntegrationConfig) -> Iterator[Finding]:
    """What works, and is likely not meant."""
    settings = integration.settings_as(NetoCin7Settings)
    if settings.products.download and settings.products.upload:
        yield Finding(
            "settings.products.upload",
            f"is on together with download, so that what is made in {integration.source} or in {integration.target} appears "
            "in both",
            "Keep one of them on, or both off where you make products in both by hand.",
        )
    if not settings.products.in_step and settings.dispatches:
        yield Finding(
            "settings.products.in_step",
            "is off, so that orders with unknown SKUs go through, and completed orders are dispatched by stock",
            "Switch it on: a line that is linked to no product has no stock.",
        )


def _statuses(settings: NetoCin7Settings) -> Iterator[Finding]:
    known = {folded(name) for name in STATUSES}
    orders, updates = settings.download_orders, settings.status_updates
    for field, names in (
        ("download_orders.statuses", orders.statuses),
        ("download_orders.draft_statuses", orders.draft_statuses),
        ("download_orders.stages", tuple(orders.stages)),
        ("status_updates.completed_statuses", updates.completed_statuses),
    ):
        unknown = [name for name in names if folded(name) not in known]
        if unknown:
            yield Finding(
                f"settings.{field}",
                f"has {', '.join(map(repr, unknown))}, which is no order status of Neto",
                f"There are: {', '.join(STATUSES)}.",
            )
