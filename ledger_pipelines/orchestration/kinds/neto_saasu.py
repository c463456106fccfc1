"""What a Neto store and its Saasu file add to the code location.

Belongs here: the parts of such an integration, and what the snapshots of its connections must know of it. Does not belong
here: the snapshots themselves (`build`: any connection has them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from ledger_pipelines.config.models import IntegrationConfig, LedgerConfig
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.orchestration import names, partitions
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
    for name, integration in _integrations(runtime.config).items():
        store, file = sources[integration.source], sources[integration.target]
        entities = entity_names(store.configured), entity_names(file.configured)
        _integration(Shop(runtime, name, integration, store, file, *entities), parts)


@dataclass(frozen=True, slots=True)
class HowRead:
    """What the snapshots of a connection must know: its days, how far back it is read before its first one, and how old
    whole lists may get, by entity.
    """

    days: dg.DailyPartitionsDefinition
    reach: timedelta
    young: Mapping[str, timedelta]


def how_read(
    config: LedgerConfig, name: str, connection: NetoConnectionConfig | SaasuConnectionConfig
) -> HowRead:
    """How a connection is read.

    Connections that integrations join have the same days, from the earliest start of them, in the zone of the store's books:
    one run takes one definition of days, and jobs of two definitions would take the whole location down.
    """
    joined, integrations = {name}, list[IntegrationConfig]()
    grows = True
    while grows:
        mine = [one for one in _integrations(config).values() if joined & {one.source, one.target}]
        grows = len(mine) > len(integrations)
        integrations = mine
        joined |= {end for one in mine for end in (one.source, one.target)}
    starts = [config.connections[one].start_date for one in joined]
    starts += [one.start_date for one in integrations if one.start_date is not None]
    zone = connection.books_time_zone
    if integrations:
        zone = config.neto(integrations[0].source).books_time_zone
    settings = [
        one.settings_as(NetoSaasuSettings) for one in integrations if name in (one.source, one.target)
    ]
    minutes = min((one.inventory_from_saasu.every_minutes for one in settings), default=0)
    return HowRead(
        partitions.until_now(zone or config.books.time_zone, min(starts)),
        timedelta(days=max((one.initial_sync.days for one in settings), default=0)),
        {STOCK: timedelta(minutes=minutes)},
    )


def _integrations(config: LedgerConfig) -> dict[str, IntegrationConfig]:
    return {name: one for name, one in config.integrations.items() if one.kind == KIND}


def _integration(shop: Shop, parts: Parts) -> None:
    name, integration = shop.name, shop.integration
    needed = shop.snapshots(all_reads(shop.flows, shop.settings))
    jobs = shop_jobs(name, integration, shop.snapshots(), needed, shop.flows)
    sync = next(job for job in jobs if job.name == names.sync_job(name))
    exports = [
        key for flow in shop.flows for key in (names.plan_key(name, flow), names.export_key(name, flow))
    ]
    end = (names.readback_key(name), names.reconciliation_key(name))
    parts.assets += build_shop(shop)
    parts.jobs += jobs
    parts.sensors.append(
        build_day_resume_sensor(Resumed(shop.runtime, name, frozenset([*exports, *end])), sync)
    )
    if integration.schedule:
        clock = Clock(
            runtime=shop.runtime,
            name=name,
            time_zone=shop.store.zone_name,
            first_day=shop.first_day,
            cron=integration.schedule,
            flows=(*exports, *end),
        )
        parts.schedules.append(build_shop_clock(clock, sync))
