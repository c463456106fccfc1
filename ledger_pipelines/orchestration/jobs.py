"""Jobs, and what all runs share.

Belongs here: which assets a job takes, its executor, its tags. Does not belong here: when it runs (`schedules`,
`sensors`). One process a run: a step in its own process costs seconds, and a run worker that is killed would leave a
child that keeps on writing (dagster.md 0.6, 11). Scale-out is another executor in the configuration of Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from ledger_pipelines.config.models import IntegrationConfig
from ledger_pipelines.orchestration import names

EXECUTOR = dg.in_process_executor


def settlement_job(
    name: str, integration: IntegrationConfig, assets: Sequence[dg.AssetsDefinition]
) -> dg.UnresolvedAssetJobDefinition:
    """One settlement through the whole chain."""
    keys = [key for asset in assets for key in asset.keys]
    return dg.define_asset_job(
        names.settlement_job(name),
        selection=dg.AssetSelection.assets(names.settlements_key(integration.source), *keys),
        executor_def=EXECUTOR,
        run_tags={
            names.INTEGRATION_TAG: name,
            names.CONNECTION_TAG: integration.source,
            names.TARGET_TAG: integration.target,
        },
        description=f"Takes one settlement of {integration.source} through the whole chain into {integration.target}.",
    )


def snapshot_job(connection: str, assets: Sequence[dg.AssetsDefinition]) -> dg.UnresolvedAssetJobDefinition:
    """The snapshots of a connection."""
    return dg.define_asset_job(
        names.snapshot_job(connection),
        selection=dg.AssetSelection.assets(*[key for asset in assets for key in asset.keys]),
        executor_def=EXECUTOR,
        run_tags={names.CONNECTION_TAG: connection},
        description=f"Takes the daily snapshots of {connection}.",
    )
