"""The job that takes in one file by a run of its own: a large one of the drop folder, or a report of the Reports API.

Belongs here: that job, and what happens to a dropped file afterwards. Does not belong here: reading a file
(`integrations.amazon_netsuite.arrival`), partitions and runs of settlements (`sensors`: the next tick sees the new
settlement).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from ledger_pipelines.errors import DataError
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.failing import told
from ledger_pipelines.orchestration.jobs import EXECUTOR
from ledger_pipelines.orchestration.sensors import announcing
from ledger_pipelines.orchestration.services import Runtime

if TYPE_CHECKING:
    from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
    from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals

_PATIENCE_SECONDS = 1800.0  # not money: seconds


class ArrivalConfig(dg.Config):
    """What to take in: exactly one of the two. file: its name in the drop folder. report: id of a report."""

    file: str = ""
    report: str = ""


def build_arrival_job(runtime: Runtime, connection: str) -> dg.JobDefinition:
    """The job of one connection."""

    @dg.op(
        name=names.arrival_op(connection),
        description="Lands, reads and stores one settlement file.",
        out=dg.Out(dg.Nothing),
    )
    def take_in(context: dg.OpExecutionContext, config: ArrivalConfig) -> None:
        from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals  # noqa: PLC0415 (load time)

        arrivals = Arrivals.of(runtime.loaded, connection)
        with told():
            outcome = _take(arrivals, config, context.run_id)
        context.log_event(announcing.event(connection, outcome, config.file or f"report {config.report}"))
        if not outcome.accepted:
            raise dg.Failure(
                description=outcome.message,
                metadata={m.REASON: outcome.message, "moved_to": str(outcome.moved_to)},
                allow_retries=False,
            )
        context.log.info(outcome.message)

    @dg.job(
        name=names.arrival_job(connection),
        executor_def=EXECUTOR,
        tags={names.CONNECTION_TAG: connection},
        description="Takes in one large file of the drop folder, or one report of Amazon's Reports API.",
    )
    def arrival() -> None:
        take_in()

    return arrival


def _take(arrivals: "Arrivals", config: ArrivalConfig, run_id: str) -> "ArrivalOutcome":
    drop = arrivals.configured.drop
    if config.file and not config.report and drop is not None and Path(config.file).name == config.file:
        return arrivals.take(Path(drop.path) / config.file)
    if config.report and not config.file:
        api = arrivals.api(patience=_PATIENCE_SECONDS, run_id=run_id)
        try:
            fetched = api.fetch(api.get_report(config.report), arrivals.fetched_folder)
        finally:
            api.close()
        outcome = arrivals.receive(fetched.path, name=config.report, charset=fetched.charset)
        fetched.path.unlink(missing_ok=True)
        return outcome
    raise DataError(
        "An arrival takes one file of the drop folder, or one report.",
        remedy="Give either `file` (a name without a folder) or `report` in the run's configuration.",
    )
