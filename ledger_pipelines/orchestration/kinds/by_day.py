"""What every kind of integration by days adds to the code location.

Belongs here: jobs, sensors and schedules of such integrations, and what the snapshots of their connections must know of them. Does
not belong here: what differs between the kinds (`DayKind`, a module each), the snapshots themselves (`build`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from ledger_pipelines.config.models import IntegrationConfig, LedgerConfig
from ledger_pipelines.orchestration import names, partitions
from ledger_pipelines.orchestration.assets.shops import Chain, Shop, build_shop
from ledger_pipelines.orchestration.assets.snapshots import Source
from ledger_pipelines.orchestration.entity_names import DayConfig, entity_names
from ledger_pipelines.orchestration.jobs import shop_jobs
from ledger_pipelines.orchestration.parts import Parts
from ledger_pipelines.orchestration.sensors.resume_days import Resumed, build_day_resume_sensor
from ledger_pipelines.orchestration.services import Runtime
from ledger_pipelines.orchestration.shop_schedule import Clock, build_shop_clock

A_MOMENT = timedelta(minutes=2)
"""Runs of several integrations that a clock starts together read their common connection once."""


@dataclass(frozen=True, slots=True)
class DayKind:
    """What one kind says of its integrations.

    Args:
        chain: Its flows, and what they are decided from.
        reach: How far before their first day its connections are read.
        young: How old whole lists may get, by entity.
    """

    chain: Callable[[IntegrationConfig], Chain]
    reach: Callable[[IntegrationConfig], timedelta]
    young: Callable[[IntegrationConfig], Mapping[str, timedelta]]


DayKinds = Mapping[str, DayKind]
"""By kind of integration."""


def add(runtime: Runtime, sources: Mapping[str, Source], kinds: DayKinds, parts: Parts) -> None:
    """All integrations of these kinds."""
    for name, integration in _integrations(runtime.config, kinds).items():
        source, target = sources[integration.source], sources[integration.target]
        shop = Shop(
            runtime=runtime,
            name=name,
            integration=integration,
            source=source,
            target=target,
            source_entities=entity_names(source.configured),
            target_entities=entity_names(target.configured),
            chain=kinds[integration.kind].chain(integration),
        )
        _integration(shop, parts)


@dataclass(frozen=True, slots=True)
class HowRead:
    """What the snapshots of a connection must know: its days, how far back it is read before its first one, how old whole
    lists may get, by entity, and how old lists of changes, where several integrations read it.
    """

    days: dg.DailyPartitionsDefinition
    reach: timedelta
    young: Mapping[str, timedelta]
    shared: timedelta


def how_read(config: LedgerConfig, name: str, kinds: DayKinds) -> HowRead:
    """How a connection is read.

    Connections that integrations join have the same days, from the earliest start of them, in the zone of the store's books:
    one run takes one definition of days, and jobs of two definitions would take the whole location down. Of two
    integrations that read one connection the longer reach and the shorter age count: it is read once for both.
    """
    joined, integrations = {name}, list[IntegrationConfig]()
    grows = True
    while grows:
        mine = [one for one in _integrations(config, kinds).values() if joined & {one.source, one.target}]
        grows = len(mine) > len(integrations)
        integrations = mine
        joined |= {end for one in mine for end in (one.source, one.target)}
    starts = [config.connections[one].start_date for one in joined]
    starts += [one.start_date for one in integrations if one.start_date is not None]
    zones = [_zone(config, one.source) for one in integrations] or [_zone(config, name)]
    zone = next((found for found in zones if found is not None), config.books.time_zone)
    own = [one for one in integrations if name in (one.source, one.target)]
    young: dict[str, timedelta] = {}
    for one in own:
        for entity, age in kinds[one.kind].young(one).items():
            young[entity] = min(age, young.get(entity, age))
    return HowRead(
        partitions.until_now(zone, min(starts)),
        max((kinds[one.kind].reach(one) for one in own), default=timedelta()),
        young,
        A_MOMENT if len(own) > 1 else timedelta(),
    )


def _zone(config: LedgerConfig, name: str) -> str | None:
    """Zone of the books a connection is kept in, where it is another than the file's general one."""
    found = config.connections[name]
    return found.books_time_zone if isinstance(found, DayConfig) else None


def _integrations(config: LedgerConfig, kinds: DayKinds) -> dict[str, IntegrationConfig]:
    return {name: one for name, one in config.integrations.items() if one.kind in kinds}


def _integration(shop: Shop, parts: Parts) -> None:
    name, integration, flows = shop.name, shop.integration, shop.chain.flows
    jobs = shop_jobs(name, integration, shop.snapshots(), shop.snapshots(shop.all_reads), flows)
    sync = next(job for job in jobs if job.name == names.sync_job(name))
    exports = [key for flow in flows for key in (names.plan_key(name, flow), names.export_key(name, flow))]
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
            time_zone=shop.source.zone_name,
            first_day=shop.first_day,
            cron=integration.schedule,
            flows=(*exports, *end),
            read=shop.lists_read(),
        )
        parts.schedules.append(build_shop_clock(clock, sync))
