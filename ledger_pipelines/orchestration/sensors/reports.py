"""The sensor on Amazon's Reports API: new settlement reports are fetched, one run each.

Belongs here: one tick: one listing. Does not belong here: the API (`systems/amazon`), fetching (`arrival`). Facts:
amazon-settlement.md 15: settlement reports are listed, never requested; one listing in 45 seconds, one document a
minute after a burst of 15; nothing older than 90 days is listed. STOPPED by default: it is switched on in the UI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import dagster as dg

from ledger_pipelines.config.connections import SellingPartnerApi
from ledger_pipelines.orchestration import names, partitions
from ledger_pipelines.orchestration.sensors import announcing
from ledger_pipelines.orchestration.services import Runtime

if TYPE_CHECKING:
    from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals

MOST_FETCHES = 10
_PATIENCE_SECONDS = 20.0  # not money: seconds


def build_reports_sensor(
    runtime: Runtime,
    connection: str,
    api: SellingPartnerApi,
    integrations: Mapping[str, date],
    jobs: Sequence[dg.UnresolvedAssetJobDefinition | dg.JobDefinition],
) -> dg.SensorDefinition:
    """The sensor of one connection; arguments as of the drop folder's."""

    @dg.sensor(
        name=f"{connection}_reports",
        jobs=list(jobs),
        minimum_interval_seconds=api.poll_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Lists Amazon's settlement reports of the last 90 days and fetches those that are new.",
    )
    def reports(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals  # noqa: PLC0415 (load time)

        arrivals = Arrivals.of(runtime.loaded, connection)
        known = arrivals.known()
        handled = {name for one in known for name in one.names} | _refused(arrivals)
        client = arrivals.api(patience=_PATIENCE_SECONDS)
        try:
            listed = client.list_settlement_reports()
        finally:
            client.close()
        wanted = [entry.report_id for entry in listed if entry.report_id not in handled]
        today = datetime.now(UTC).date()
        existing = context.instance.get_dynamic_partitions(partitions.settlements_name(connection))
        fresh, requests = announcing.announce(connection, integrations, known, existing)
        fetches = [_fetch(connection, report, today) for report in wanted[:MOST_FETCHES]]
        said = [f"{len(listed)} reports are listed, {len(wanted)} of them new."]
        context.log.info(said[0])
        return announcing.result(connection, fresh, [*fetches, *requests], [], said, idle="")

    return reports


def _refused(arrivals: Arrivals) -> set[str]:
    """Reports whose files were refused: they lie under their ids, until somebody takes them away."""
    folder = arrivals.refused_folder
    return {path.stem.split(".")[0] for path in folder.glob("*.txt")} if folder.exists() else set()


def _fetch(connection: str, report: str, today: date) -> dg.RunRequest:
    """At most one attempt a day for each report: the key names the day."""
    return dg.RunRequest(
        run_key=f"report:{report}:{today.isoformat()}",
        job_name=names.arrival_job(connection),
        run_config={"ops": {names.arrival_op(connection): {"config": {"report": report}}}},
        tags={names.CONNECTION_TAG: connection, names.REASON_TAG: "report"},
    )
