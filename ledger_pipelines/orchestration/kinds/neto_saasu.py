"""What a Neto store and its Saasu file add to the code location.

Belongs here: the parts of such an integration, and what the snapshots of its connections must know of it. Does not belong
here: the snapshots themselves (`build`: any connection has them).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.assets.shop_reads import all_reads
from ledger_pipelines.orchestration.assets.shops import Shop, build_shop
from ledger_pipelines.orchestration.assets.snapshots import Source
from ledger_pipelines.orchestration.entity_names import entity_names
from ledger_pipelines.orchestration.jobs import shop_jobs
from ledger_pipelines.orchestration.parts import Parts
from ledger_pipelines.orchestration.sensors.resume_days import Resumed, build_day_resume_sensor
from ledger_pipelines.orchestration.services import Runtime
from ledger_pipelines.orchestration.shop_schedule import Clock, build_shop_clock

KIND = "neto_saasu"
STOCK = "stock"


def add(runtime: Runtime, sources: Mapping[str, Source], parts: Parts) -> None:
    """All integrations of this kind."""
    for name, integration in runtime.config.integrations.items():
        if integration.kind == KIND:
            store, file = sources[integration.source], sources[integration.target]
            _integration(
                Shop(
                    runtime,
                    name,
                    integration,
                    store,
                    file,
                    entity_names(store.configured),
                    entity_names(file.configured),
                ),
                parts,
            )


def how_read(runtime: Runtime, connection: str) -> tuple[timedelta, dict[str, timedelta]]:
    """How far back a connection is read before its first day, and how old whole lists may get, by entity."""
    reach = timedelta()
    young: dict[str, timedelta] = {}
    for integration in runtime.config.integrations.values():
        if integration.kind == KIND and connection in (integration.source, integration.target):
            settings = integration.settings_as(NetoSaasuSettings)
            reach = max(reach, timedelta(days=settings.initial_sync.days))
            every = timedelta(minutes=settings.inventory_from_saasu.every_minutes)
            young[STOCK] = min(young.get(STOCK, every), every)
    return reach, young


def _integration(shop: Shop, parts: Parts) -> None:
    name, integration = shop.name, shop.integration
    needed = shop.snapshots(all_reads(shop.flows, shop.settings))
    jobs = shop_jobs(name, integration, shop.snapshots(), needed, shop.flows)
    sync = next(job for job in jobs if job.name == names.sync_job(name))
    exports = [
        key for flow in shop.flows for key in (names.plan_key(name, flow), names.export_key(name, flow))
    ]
    parts.assets += build_shop(shop)
    parts.jobs += jobs
    parts.sensors.append(
        build_day_resume_sensor(
            Resumed(shop.runtime, name, frozenset([*exports, names.reconciliation_key(name)])), sync
        )
    )
    if integration.schedule:
        clock = Clock(
            runtime=shop.runtime,
            name=name,
            time_zone=shop.store.zone_name,
            first_day=shop.first_day,
            read_from=max(shop.store.configured.start_date, shop.file.configured.start_date),
            cron=integration.schedule,
            flows=(*exports, names.reconciliation_key(name)),
        )
        parts.schedules.append(build_shop_clock(clock, sync))
