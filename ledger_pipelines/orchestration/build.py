"""The one place where the code location is put together.

Belongs here: `build_definitions`. Does not belong here: any asset, sensor or name. A pure function: it opens no file,
no socket, reads no variable; tests build a whole location from a Python object and give their own parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from ledger_pipelines.config.connections import AmazonConnectionConfig, NetSuiteConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.amazon_netsuite.settings import FLOWS, AmazonNetSuiteSettings
from ledger_pipelines.orchestration import schedules
from ledger_pipelines.orchestration.arrival import build_arrival_job
from ledger_pipelines.orchestration.assets.chain import LAST_FLOW, build_chain
from ledger_pipelines.orchestration.assets.configuration import build_configuration
from ledger_pipelines.orchestration.assets.settlements import build_settlements
from ledger_pipelines.orchestration.assets.snapshots import Source, build_snapshot
from ledger_pipelines.orchestration.entity_names import entity_names
from ledger_pipelines.orchestration.jobs import EXECUTOR, settlement_job, snapshot_job
from ledger_pipelines.orchestration.sensors.drop import build_drop_sensor
from ledger_pipelines.orchestration.sensors.failures import build_failure_sensor
from ledger_pipelines.orchestration.sensors.reports import build_reports_sensor
from ledger_pipelines.orchestration.sensors.resume import build_resume_sensor
from ledger_pipelines.orchestration.services import (
    BuildService,
    OpenReader,
    Reading,
    Runtime,
    SettlementService,
)


def real_service(loaded: LoadedConfig, name: str, run_id: str) -> SettlementService:
    """The product's own service; imported when it is needed: what it needs is heavy."""
    from ledger_pipelines.orchestration.real import settlement_service  # noqa: PLC0415 (load time)

    return settlement_service(loaded, name, run_id)


@contextmanager
def real_reader(loaded: LoadedConfig, connection: str, run_id: str) -> Iterator[Reading]:
    """The product's own reader of a NetSuite account."""
    from ledger_pipelines.orchestration.reading import open_netsuite  # noqa: PLC0415 (load time)

    with open_netsuite(loaded, connection, run_id) as reading:
        yield reading


@dataclass(frozen=True, slots=True)
class Overrides:
    """Parts that tests give."""

    build_service: BuildService = real_service
    open_reader: OpenReader = real_reader


@dataclass
class _Parts:
    assets: list[dg.AssetsDefinition] = field(default_factory=list)
    jobs: list[dg.UnresolvedAssetJobDefinition | dg.JobDefinition] = field(default_factory=list)
    sensors: list[dg.SensorDefinition] = field(default_factory=list)
    schedules: list[dg.ScheduleDefinition] = field(default_factory=list)


def build_definitions(loaded: LoadedConfig, overrides: Overrides | None = None) -> dg.Definitions:
    """The whole code location of a configuration. What was left out of it is shown by the asset `configuration`."""
    given = overrides or Overrides()
    runtime = Runtime(loaded, given.build_service)
    parts = _Parts([build_configuration(loaded)], sensors=[build_failure_sensor()])
    jobs = {name: _integration(runtime, name, parts) for name in loaded.config.integrations}
    for name, connection in loaded.config.connections.items():
        if isinstance(connection, AmazonConnectionConfig):
            _amazon(runtime, name, connection, jobs, parts)
        elif isinstance(connection, NetSuiteConnectionConfig):
            _netsuite(Source(runtime, name, connection, given.open_reader), parts)
    return dg.Definitions(
        assets=parts.assets,
        jobs=parts.jobs,
        sensors=parts.sensors,
        schedules=parts.schedules,
        executor=EXECUTOR,
    )


def _integration(runtime: Runtime, name: str, parts: _Parts) -> dg.UnresolvedAssetJobDefinition:
    integration = runtime.config.integrations[name]
    refreshes = integration.settings_as(AmazonNetSuiteSettings).summary.enabled
    flows = FLOWS if refreshes else tuple(flow for flow in FLOWS if flow != LAST_FLOW)
    chain = build_chain(runtime, name, integration, flows)
    job = settlement_job(name, integration, chain)
    books = runtime.config.books
    parts.assets += chain
    parts.jobs.append(job)
    parts.sensors.append(
        build_resume_sensor(runtime, name, integration.source, job, _first_day(runtime, name))
    )
    if refreshes:
        parts.schedules.append(schedules.build_summaries(runtime, name, books, job, LAST_FLOW))
    if integration.schedule:
        parts.schedules.append(schedules.build_by_clock(runtime, name, books, job, integration.schedule))
    return job


def _amazon(
    runtime: Runtime,
    name: str,
    connection: AmazonConnectionConfig,
    jobs: dict[str, dg.UnresolvedAssetJobDefinition],
    parts: _Parts,
) -> None:
    takers = {one: _first_day(runtime, one) for one in runtime.integrations_from(name)}
    if not takers:
        return  # nobody would do anything with its files: they stay in the folder, untouched
    parts.assets.append(build_settlements(runtime, name, next(iter(takers))))
    arrival = build_arrival_job(runtime, name)
    parts.jobs.append(arrival)
    asked = [*(jobs[one] for one in takers), arrival]
    if connection.drop is not None:
        parts.sensors.append(build_drop_sensor(runtime, name, connection.drop, takers, asked))
    if connection.api is not None and connection.api.enabled:
        parts.sensors.append(build_reports_sensor(runtime, name, connection.api, takers, asked))


def _netsuite(source: Source, parts: _Parts) -> None:
    name, configured = source.connection, source.configured
    assets = [build_snapshot(source, entity) for entity in entity_names(configured)]
    job = snapshot_job(name, assets)
    books = source.runtime.config.books
    parts.assets += assets
    parts.jobs.append(job)
    parts.schedules += [
        schedules.build_nightly(name, job, books, configured.start_date, configured.lookback_days),
        schedules.build_gap_filler(name, job, books, [asset.key for asset in assets]),
    ]


def _first_day(runtime: Runtime, name: str) -> date:
    integration = runtime.config.integrations[name]
    return integration.start_date or runtime.config.connections[integration.source].start_date
