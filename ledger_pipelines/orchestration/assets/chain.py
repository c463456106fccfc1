"""The chain of one integration: books, plan and export of each flow, read-back, reconciliation.

Belongs here: the assets of one integration in their order. Does not belong here: the settlement itself
(`assets.settlements`), how results are shown (`assets.showing`).

Every asset is partitioned by settlement id; one run takes one settlement through all of it, in one process. No asset
has a retry policy: cancelled means cancelled (dagster.md 9), and an export is resumed by its journal, not by Dagster.

Annotations are not postponed here (no `from __future__`): Dagster reads that of `context` itself.
"""

from dataclasses import dataclass
from datetime import date

import dagster as dg

from ledger_pipelines.config.models import IntegrationConfig
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration import names, partitions
from ledger_pipelines.orchestration.assets import showing
from ledger_pipelines.orchestration.failing import told
from ledger_pipelines.orchestration.gate import accepted
from ledger_pipelines.orchestration.meter import Meter
from ledger_pipelines.orchestration.results import Result
from ledger_pipelines.orchestration.services import Runtime

LAST_FLOW = "summary_update"
"""The flow that comes after the read-back."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One integration and what its assets share."""

    runtime: Runtime
    name: str
    integration: IntegrationConfig

    @property
    def first_day(self) -> date:
        """Settlements deposited earlier are not booked."""
        source = self.runtime.config.connections[self.integration.source]
        return self.integration.start_date or source.start_date

    @property
    def partitions(self) -> dg.DynamicPartitionsDefinition:
        """Settlements of the source."""
        return partitions.settlements(self.integration.source)


def build_chain(
    runtime: Runtime, name: str, integration: IntegrationConfig, flows: tuple[str, ...]
) -> list[dg.AssetsDefinition]:
    """All assets of one integration, each after the one before."""
    chain = Chain(runtime, name, integration)
    assets = [_books(chain)]
    before = names.books_key(name)
    for flow in flows:
        if flow == LAST_FLOW:
            assets.append(_readback(chain, before))
            before = names.readback_key(name)
        assets += [_plan(chain, flow, before), _export(chain, flow)]
        before = names.export_key(name, flow)
    if LAST_FLOW not in flows:
        assets.append(_readback(chain, before))
        before = names.readback_key(name)
    assets.append(_reconciliation(chain, before))
    return assets


def _title(flow: str) -> str:
    """The flow's name in words; it opens the description, and is a kind, as the graph shows a key's last part only."""
    return flow.replace("_", " ").capitalize()


def _books(chain: Chain) -> dg.AssetsDefinition:
    @dg.asset(
        key=names.books_key(chain.name),
        deps=[names.settlements_key(chain.integration.source)],
        partitions_def=chain.partitions,
        group_name=chain.name,
        kinds={"netsuite"},
        pool=names.read_pool(chain.integration.target),
        description=f"What {chain.integration.target} holds for a settlement: its orders' sales orders, invoices "
        "and credit memos, the accounts and items the settings name, posting periods, and our own documents.",
    )
    def books(context: dg.AssetExecutionContext) -> Result:
        with told():
            service = chain.runtime.service(chain.name, context.run.run_id)
            accepted(service, context.partition_key, chain.first_day)
            meter = Meter(context, service)
            found = service.read_books(context.partition_key, meter.progress)
            return Result(metadata={**showing.books(found), **meter.spent()})

    return books


def _plan(chain: Chain, flow: str, before: dg.AssetKey) -> dg.AssetsDefinition:
    key = names.plan_key(chain.name, flow)

    @dg.asset(
        key=key,
        deps=[before],
        partitions_def=chain.partitions,
        group_name=chain.name,
        kinds={flow},
        check_specs=[
            dg.AssetCheckSpec(
                showing.NOTHING_BLOCKED, asset=key, description="No row of the plan waits for a person."
            )
        ],
        description=f"{_title(flow)}: what would be written for a settlement, and why; nothing is called.",
    )
    def plan(context: dg.AssetExecutionContext) -> Result:
        with told():
            service = chain.runtime.service(chain.name, context.run.run_id)
            accepted(service, context.partition_key, chain.first_day)
            made = service.plan(flow, context.partition_key)
            path = showing.plan_csv(chain.runtime.config.data_dir, made)
            return Result(metadata=showing.plan(made, path), check_results=[showing.plan_check(made)])

    return plan


def _export(chain: Chain, flow: str) -> dg.AssetsDefinition:
    key = names.export_key(chain.name, flow)

    @dg.asset(
        key=key,
        deps=[names.plan_key(chain.name, flow)],
        partitions_def=chain.partitions,
        group_name=chain.name,
        kinds={flow, "netsuite"},
        pool=names.write_pool(chain.integration.target),
        check_specs=[
            dg.AssetCheckSpec(
                showing.NOTHING_OPEN, asset=key, description="Every row of the plan has its document."
            )
        ],
        description=f"{_title(flow)}: carries the plan out, exactly once, in mode "
        f"{chain.integration.mode.value}. Safe to press at any time: what is written is never written again, and a "
        "plan that is stale or missing is refused.",
    )
    def export(context: dg.AssetExecutionContext) -> Result:
        with told():
            service = chain.runtime.service(chain.name, context.run.run_id)
            accepted(service, context.partition_key, chain.first_day)
            meter = Meter(context, service)
            result = service.export(
                flow, context.partition_key, meter.progress, who=f"Dagster run {context.run.run_id}"
            )
        for line in showing.export_log(result):
            context.log.info(line)
        shown = {**showing.export(result), **meter.spent()}
        stopped = showing.why_stopped(result)
        if stopped is not None:
            raise dg.Failure(description=stopped, metadata=shown, allow_retries=False)
        return Result(metadata=shown, check_results=[showing.export_check(result)])

    return export


def _readback(chain: Chain, before: dg.AssetKey) -> dg.AssetsDefinition:
    @dg.asset(
        key=names.readback_key(chain.name),
        deps=[before],
        partitions_def=chain.partitions,
        group_name=chain.name,
        kinds={"netsuite"},
        pool=names.read_pool(chain.integration.target),
        description=f"Our documents of a settlement as {chain.integration.target} has them after the writes, and what "
        "they posted to which account.",
    )
    def readback(context: dg.AssetExecutionContext) -> Result:
        with told():
            service = chain.runtime.service(chain.name, context.run.run_id)
            accepted(service, context.partition_key, chain.first_day)
            meter = Meter(context, service)
            after = service.read_back(context.partition_key, meter.progress)
            return Result(metadata={**showing.readback(after), **meter.spent()})

    return readback


def _reconciliation(chain: Chain, before: dg.AssetKey) -> dg.AssetsDefinition:
    key = names.reconciliation_key(chain.name)

    @dg.asset(
        key=key,
        deps=[before],
        partitions_def=chain.partitions,
        group_name=chain.name,
        kinds={"report"},
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=text)
            for name, text in showing.RECONCILIATION_CHECKS.items()
        ],
        description="Deposit against booked, what is left on the clearing account, and what is still open; from the "
        "read-back, not from what we believe we wrote. With the settlement's statement as a page.",
    )
    def reconciliation(context: dg.AssetExecutionContext) -> Result:
        with told():
            service = chain.runtime.service(chain.name, context.run.run_id)
            accepted(service, context.partition_key, chain.first_day)
            figures = service.reconcile(context.partition_key)
            statement = service.statement(context.partition_key)
        return Result(
            metadata={
                m.MODE: chain.integration.mode.value,
                **showing.reconciliation(figures, statement),
            },
            check_results=showing.reconciliation_checks(figures, chain.integration.mode),
        )

    return reconciliation
