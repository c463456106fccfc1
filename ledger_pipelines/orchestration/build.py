"""The one place where the code location is put together.

Belongs here: `build_definitions`, and the list of kinds of integration (`kinds`). Does not belong here: any asset, sensor or
name. A pure function: it opens no file, no socket, reads no variable; tests build a whole location from a Python object
and give their own parts.
"""

from __future__ import annotations

import dagster as dg

from ledger_pipelines.config.connections import NetSuiteConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.orchestration import names, partitions, schedules
from ledger_pipelines.orchestration.assets.configuration import build_configuration
from ledger_pipelines.orchestration.assets.snapshots import Source, build_snapshot
from ledger_pipelines.orchestration.entity_names import DayConfig, entity_names
from ledger_pipelines.orchestration.jobs import EXECUTOR, snapshot_job
from ledger_pipelines.orchestration.kinds import amazon_netsuite, by_day
from ledger_pipelines.orchestration.kinds.neto_cin7 import NETO_CIN7
from ledger_pipelines.orchestration.kinds.neto_saasu import NETO_SAASU
from ledger_pipelines.orchestration.parts import Overrides, Parts
from ledger_pipelines.orchestration.sensors.failures import build_failure_sensor
from ledger_pipelines.orchestration.services import Runtime

__all__ = ["Overrides", "build_definitions"]

DAY_KINDS: by_day.DayKinds = {"neto_cin7": NETO_CIN7, "neto_saasu": NETO_SAASU}
"""A new kind of integration by days joins here, with a module of its own in `kinds`."""


def build_definitions(loaded: LoadedConfig, overrides: Overrides | None = None) -> dg.Definitions:
    """The whole code location of a configuration. What was left out of it is shown by the asset `configuration`."""
    given = overrides or Overrides()
    runtime = Runtime(loaded, given.build_service, given.build_shop)
    parts = Parts([build_configuration(loaded)], sensors=[build_failure_sensor()])
    sources = _sources(runtime, given)
    amazon_netsuite.add(runtime, parts)
    by_day.add(runtime, sources, DAY_KINDS, parts)
    for source in sources.values():
        _snapshots(source, parts)
    return dg.Definitions(
        assets=parts.assets,
        jobs=parts.jobs,
        sensors=parts.sensors,
        schedules=parts.schedules,
        executor=EXECUTOR,
    )


def _sources(runtime: Runtime, given: Overrides) -> dict[str, Source]:
    """The connections whose entities are kept as daily snapshots."""
    found: dict[str, Source] = {}
    for name, connection in runtime.config.connections.items():
        if isinstance(connection, NetSuiteConnectionConfig):
            days = partitions.daily(runtime.config.books, connection.start_date)
            found[name] = Source(runtime, name, connection, given.open_reader, days)
        elif isinstance(connection, DayConfig):
            how = by_day.how_read(runtime.config, name, DAY_KINDS)
            found[name] = Source(
                runtime, name, connection, given.open_reader, how.days, how.reach, how.young, how.shared
            )
    return found


def _snapshots(source: Source, parts: Parts) -> None:
    name, configured = source.connection, source.configured
    assets = [build_snapshot(source, entity) for entity in entity_names(configured)]
    job = snapshot_job(name, assets)
    reading = {} if isinstance(configured, NetSuiteConnectionConfig) else {names.READING_TAG: names.REFRESH}
    parts.assets += assets
    parts.jobs.append(job)
    parts.schedules += [
        schedules.build_nightly(
            name, job, source.zone_name, configured.start_date, configured.lookback_days, reading
        ),
        schedules.build_gap_filler(name, job, source.zone_name, [asset.key for asset in assets]),
    ]
