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


def shop_jobs(
    name: str,
    integration: IntegrationConfig,
    everything: Sequence[dg.AssetKey],
    needed: Sequence[dg.AssetKey],
    flows: Sequence[str],
) -> list[dg.UnresolvedAssetJobDefinition]:
    """Jobs of a shop's integration: initial sync, sync, and each flow alone.

    Args:
        everything: Snapshots of both sides.
        needed: Those the flows are decided from.
        flows: Flows that are on.
    """
    tags = {
        names.INTEGRATION_TAG: name,
        names.CONNECTION_TAG: integration.source,
        names.TARGET_TAG: integration.target,
    }

    def job(job_name: str, keys: Sequence[dg.AssetKey], text: str) -> dg.UnresolvedAssetJobDefinition:
        return dg.define_asset_job(
            job_name,
            selection=dg.AssetSelection.assets(*keys),
            executor_def=EXECUTOR,
            run_tags=tags,
            description=text,
        )

    def of(flow: str) -> list[dg.AssetKey]:
        return [names.plan_key(name, flow), names.export_key(name, flow)]

    both = f"{integration.source} and {integration.target}"
    exports = [key for flow in flows for key in of(flow)]
    return [
        job(
            names.initial_sync_job(name),
            [*everything, names.pairing_key(name)],
            f"Reads {both} whole, from the first day to today, and pairs them. Writes to neither side. Choose all days, "
            "as one run.",
        ),
        job(
            names.sync_job(name),
            [*needed, *exports, names.readback_key(name), names.reconciliation_key(name)],
            f"Brings {both} up to date: reads both, plans and exports every flow, reconciles. Takes any range of days.",
        ),
        *(
            job(
                names.flow_job(name, flow),
                of(flow),
                f"Plans and exports {flow} alone, from what was read last.",
            )
            for flow in flows
        ),
    ]
