"""What Amazon settlements into NetSuite add to the code location.

Belongs here: the parts of such an integration, and of the Amazon connections that feed them. Does not belong here: the
snapshots of NetSuite (`build`: any connection has them).
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from ledger_pipelines.config.connections import AmazonConnectionConfig
from ledger_pipelines.integrations.amazon_netsuite.settings import FLOWS, AmazonNetSuiteSettings
from ledger_pipelines.orchestration import schedules
from ledger_pipelines.orchestration.arrival import build_arrival_job
from ledger_pipelines.orchestration.assets.chain import LAST_FLOW, build_chain
from ledger_pipelines.orchestration.assets.settlements import build_settlements
from ledger_pipelines.orchestration.jobs import settlement_job
from ledger_pipelines.orchestration.parts import Parts
from ledger_pipelines.orchestration.sensors.drop import build_drop_sensor
from ledger_pipelines.orchestration.sensors.reports import build_reports_sensor
from ledger_pipelines.orchestration.sensors.resume import build_resume_sensor
from ledger_pipelines.orchestration.services import Runtime

KIND = "amazon_netsuite"


def add(runtime: Runtime, parts: Parts) -> None:
    """All integrations of this kind, and the Amazon connections they read."""
    mine = [name for name, one in runtime.config.integrations.items() if one.kind == KIND]
    jobs = {name: _integration(runtime, name, parts) for name in mine}
    for name, connection in runtime.config.connections.items():
        if isinstance(connection, AmazonConnectionConfig):
            _connection(runtime, name, connection, jobs, parts)


def _integration(runtime: Runtime, name: str, parts: Parts) -> dg.UnresolvedAssetJobDefinition:
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


def _connection(
    runtime: Runtime,
    name: str,
    connection: AmazonConnectionConfig,
    jobs: dict[str, dg.UnresolvedAssetJobDefinition],
    parts: Parts,
) -> None:
    takers = {one: _first_day(runtime, one) for one in runtime.integrations_from(name) if one in jobs}
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


def _first_day(runtime: Runtime, name: str) -> date:
    integration = runtime.config.integrations[name]
    return integration.start_date or runtime.config.connections[integration.source].start_date
