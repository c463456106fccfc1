"""The one place where the code location is put together.

Belongs here: `build_definitions`. Does not belong here: any asset, sensor or name. A pure function: it opens no file,
no socket, reads no variable; tests build a whole location from a Python object and give their own parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.amazon_netsuite.settings import FLOWS
from ledger_pipelines.orchestration.assets.chain import build_chain
from ledger_pipelines.orchestration.assets.configuration import build_configuration
from ledger_pipelines.orchestration.assets.settlements import build_settlements
from ledger_pipelines.orchestration.jobs import EXECUTOR, settlement_job
from ledger_pipelines.orchestration.services import BuildService, Runtime, SettlementService


def real_service(loaded: LoadedConfig, name: str, run_id: str) -> SettlementService:
    """The product's own service; imported when it is needed: what it needs is heavy."""
    from ledger_pipelines.orchestration.real import settlement_service  # noqa: PLC0415 (load time)

    return settlement_service(loaded, name, run_id)


@dataclass(frozen=True, slots=True)
class Overrides:
    """Parts that tests give."""

    build_service: BuildService = real_service


def build_definitions(loaded: LoadedConfig, overrides: Overrides | None = None) -> dg.Definitions:
    """The whole code location of a configuration."""
    parts = overrides or Overrides()
    runtime = Runtime(loaded, parts.build_service)
    assets: list[dg.AssetsDefinition] = [build_configuration(loaded)]
    jobs: list[dg.UnresolvedAssetJobDefinition] = []
    for connection, configured in loaded.config.connections.items():
        readers = runtime.integrations_from(connection)
        if configured.system == "amazon" and readers:
            assets.append(build_settlements(runtime, connection, next(iter(readers))))
    for name, integration in loaded.config.integrations.items():
        chain = build_chain(runtime, name, integration, FLOWS)
        assets += chain
        jobs.append(settlement_job(name, integration, chain))
    return dg.Definitions(assets=assets, jobs=jobs, executor=EXECUTOR)
