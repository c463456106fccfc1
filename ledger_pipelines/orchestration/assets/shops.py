"""The assets of one shop's integration: pairing, plan and export of each flow, read-back, reconciliation.

Belongs here: the assets and their order. Does not belong here: snapshots (`assets.snapshots`), the loop over days
(`by_day`), how results are shown (`showing_shops`).

Plans and exports are partitioned by day, and one run takes any range of days. There are two chains, one for each side that
is written to: what stops the one does not stop the other. No asset has a retry policy: cancelled means cancelled
(dagster.md 9), and an export is resumed by its journal, not by Dagster.

Annotations are not postponed here (no `from __future__`): Dagster reads that of `context` itself.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from ledger_pipelines.config.models import IntegrationConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.assets import showing, showing_shops
from ledger_pipelines.orchestration.assets.by_day import ByDay, made_here
from ledger_pipelines.orchestration.assets.snapshots import Source, read_again
from ledger_pipelines.orchestration.failing import told
from ledger_pipelines.orchestration.meter import Meter
from ledger_pipelines.orchestration.reads import Reads, together
from ledger_pipelines.orchestration.results import Result, Shown
from ledger_pipelines.orchestration.services import Runtime
from ledger_pipelines.orchestration.shops import ShopService
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.telling import Progress

STALE = "plan-stale"


@dataclass(frozen=True, slots=True)
class Chain:
    """What a kind of integration says of its assets.

    Args:
        flows: Flows that are on, in order.
        to_source: Those of them that write to the source; the others write to the target.
        reads: What each is decided from.
        read_back: What of the target the reconciliation is about: read again after the writes.
        pairing: What the initial sync pairs, in words.
        reconciling: What the reconciliation compares, in words.
        checks: Names of its checks, and what each promises.
    """

    flows: tuple[str, ...]
    to_source: frozenset[str]
    reads: Mapping[str, Reads]
    read_back: tuple[str, ...]
    pairing: str
    reconciling: str
    checks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shop:
    """One integration, and what its assets share. *_entities: those each connection keeps."""

    runtime: Runtime
    name: str
    integration: IntegrationConfig
    source: Source
    target: Source
    source_entities: tuple[str, ...]
    target_entities: tuple[str, ...]
    chain: Chain

    @property
    def first_day(self) -> date:
        """The integration date."""
        return self.integration.start_date or self.source.configured.start_date

    @property
    def partitions(self) -> dg.DailyPartitionsDefinition:
        """Days up to today; the snapshots' own, so that one run takes both."""
        return self.source.partitions

    @property
    def all_reads(self) -> Reads:
        """What all flows that are on are decided from."""
        return together(self.chain.reads[flow] for flow in self.chain.flows)

    def snapshots(self, wanted: Reads | None = None) -> list[dg.AssetKey]:
        """Keys of the snapshots that are kept; of those wanted."""
        source = [one for one in self.source_entities if wanted is None or one in wanted.source]
        target = [one for one in self.target_entities if wanted is None or one in wanted.target]
        return [
            *(names.snapshot_key(self.integration.source, one) for one in source),
            *(names.snapshot_key(self.integration.target, one) for one in target),
        ]

    def lists_read(self, flow: str | None = None) -> frozenset[tuple[str, str]]:
        """What a run of a flow reads, or of all: (connection, entity)."""
        wanted = self.all_reads if flow is None else self.chain.reads[flow]
        return frozenset((key.path[0], key.path[1]) for key in self.snapshots(wanted))

    def writes_to(self, flow: str) -> str:
        """The connection a flow writes to."""
        return self.integration.source if flow in self.chain.to_source else self.integration.target

    def service(self, context: dg.AssetExecutionContext) -> ShopService:
        """The service of a run. Raises ConfigurationError."""
        return self.runtime.shop(self.name, context.run.run_id)


def build_shop(shop: Shop) -> list[dg.AssetsDefinition]:
    """All assets of one integration but its snapshots."""
    with warnings.catch_warnings():
        # `backfill_policy` carries a beta mark; see `snapshots`.
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = [_pairing(shop)]
        ends: list[dg.AssetKey] = []
        for back in (False, True):
            chain = [flow for flow in shop.chain.flows if (flow in shop.chain.to_source) == back]
            before: list[dg.AssetKey] = []
            upstream: set[dg.AssetKey] = set()
            for flow in chain:
                # What an earlier plan of the chain reads is upstream of this one already: the graph stays readable.
                read = shop.snapshots(shop.chain.reads[flow])
                news = [key for key in read if key not in upstream]
                upstream.update(news)
                assets += [_plan(shop, flow, [*news, *before]), _export(shop, flow)]
                before = [names.export_key(shop.name, flow)]
            ends += before
        assets += [_readback(shop, ends), _reconciliation(shop)]
    return assets


def _title(flow: str) -> str:
    return flow.replace("_", " ").capitalize()


def _pairing(shop: Shop) -> dg.AssetsDefinition:
    key = names.pairing_key(shop.name)

    @dg.asset(
        key=key,
        deps=shop.snapshots(),
        group_name=shop.name,
        kinds={shop.source.configured.system, shop.target.configured.system},
        check_specs=[
            dg.AssetCheckSpec(
                showing_shops.NOTHING_CLASHES, asset=key, description="No record contradicts another one."
            )
        ],
        description=f"What {shop.integration.source} and {shop.integration.target} have in common already: "
        f"{shop.chain.pairing}. Writes to neither side. Exports refuse until it was done.",
    )
    def pairing(context: dg.AssetExecutionContext) -> Result:
        with told():
            service = shop.service(context)
            found = service.pair(Meter(context, service).progress)
        return Result(
            metadata=showing_shops.pairing(found), check_results=[showing_shops.pairing_check(found)]
        )

    return pairing


def _plan(shop: Shop, flow: str, before: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    key = names.plan_key(shop.name, flow)

    @dg.asset(
        key=key,
        deps=before,
        partitions_def=shop.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=shop.name,
        kinds={flow},
        check_specs=[
            dg.AssetCheckSpec(
                showing.NOTHING_BLOCKED, asset=key, description="No row of the plans waits for a person."
            )
        ],
        description=f"{_title(flow)}: what would be written for a day, and why; nothing is called. Any range of days "
        "is one run.",
    )
    def plan(context: dg.AssetExecutionContext) -> Result:
        blocked = showing_shops.Blocked()

        def work(day: date) -> Shown:
            made = service.plan(flow, day)
            blocked.take(made)
            return showing_shops.plan(made, shop.runtime.config.data_dir)

        with told():
            service = shop.service(context)
        ByDay(context, begins=shop.first_day).run(work)
        return Result(check_results=[blocked.check()])

    return plan


def _export(shop: Shop, flow: str) -> dg.AssetsDefinition:
    key, planned = names.export_key(shop.name, flow), names.plan_key(shop.name, flow)
    target = shop.writes_to(flow)

    @dg.asset(
        key=key,
        deps=[planned],
        partitions_def=shop.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=shop.name,
        kinds={flow, shop.runtime.config.connections[target].system},
        pool=names.write_pool(target),
        check_specs=[
            dg.AssetCheckSpec(
                showing.NOTHING_OPEN, asset=key, description="Every row of the plans has its document."
            )
        ],
        description=f"{_title(flow)}: carries the plans of some days out into {target}, in order, exactly once, in mode "
        f"{shop.integration.mode.value}. Safe to press at any time: what is written is never written again, and a "
        "plan that is stale or missing is refused. Refused until the initial sync was done, and where days were stepped over: "
        "read in no run, or only in part, though later ones were.",
    )
    def export(context: dg.AssetExecutionContext) -> Result:
        left = showing_shops.Open(shop.integration.mode)
        with told():
            service = shop.service(context)
            service.ready()
            if shop.integration.mode is not Mode.PLAN:
                service.refuse_stepped_over(shop.lists_read(flow))
        meter = Meter(context, service)
        carry = _Carry(service, flow, context, planned, meter.progress)

        def work(day: date) -> Shown:
            result = carry.out(day)
            for line in showing.export_log(result):
                context.log.info(line)
            left.take(result)
            shown = showing_shops.export(result)
            stopped = showing.why_stopped(result)
            if stopped is not None:
                metadata = {**shown, **meter.spent(), **showing_shops.spent(service)}
                raise dg.Failure(description=stopped, metadata=metadata, allow_retries=False)
            return shown

        days = ByDay(context, [planned], shop.first_day, showing_shops.settled)
        with told():
            carry.out_together(days.due)
        days.run(work)
        with told():
            cost = {**meter.spent(), **showing_shops.spent(service)}
        context.add_asset_metadata(cost, partition_key=days.last.isoformat())
        return Result(check_results=[left.check()])

    return export


@dataclass(frozen=True, slots=True)
class _Carry:
    """Exports of one flow in one run."""

    service: ShopService
    flow: str
    context: dg.AssetExecutionContext
    planned: dg.AssetKey
    progress: Progress
    _done: dict[date, ApplyResult] = field(default_factory=dict)

    def out_together(self, days: Sequence[date]) -> None:
        """Export what may share calls; what that refuses, or leaves, is exported day by day."""
        if len(days) < 2:
            return
        try:
            self._done.update(self.service.export_together(self.flow, days, self.progress, who=self._who))
        except RefusedError as error:
            if error.code != STALE:
                raise
            self.context.log.info("Day by day, because a plan is stale: %s", error)

    def out(self, day: date) -> ApplyResult:
        """Export a day. Where the plans of all days were made in this run, an earlier day's export may have changed what a
        later day's plan rests on: such a plan is made anew. A plan of another run, that somebody may have read, is refused.
        """
        if day in self._done:
            return self._done[day]
        try:
            return self._export(day)
        except RefusedError as error:
            if error.code != STALE or not made_here(self.context, self.planned):
                raise
            self.context.log.info("%s: planned again, because an earlier day changed something.", day)
            self.service.plan(self.flow, day)
            return self._export(day)

    def _export(self, day: date) -> ApplyResult:
        return self.service.export(self.flow, day, self.progress, who=self._who)

    @property
    def _who(self) -> str:
        return f"Dagster run {self.context.run.run_id}"


def _readback(shop: Shop, ends: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    read = [one for one in shop.chain.read_back if one in shop.all_reads.target & set(shop.target_entities)]

    @dg.asset(
        key=names.readback_key(shop.name),
        deps=ends,
        partitions_def=shop.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=shop.name,
        kinds={shop.target.configured.system},
        pool=names.read_pool(shop.integration.target),
        description=f"{', '.join(read).capitalize()} of {shop.integration.target} as they are after the writes of the run, so "
        "that the reconciliation is about what is there, not about what we believe we wrote. Nothing is read where "
        "nothing was sent.",
    )
    def readback(context: dg.AssetExecutionContext) -> Result:
        days = ByDay(context)
        with told():
            sent = shop.service(context).calls()
            found = read_again(shop.target, read, context) if sent else {"calls": 0}
        calls = found.pop("calls")
        shown = {m.API_CALLS: calls, m.ROWS: sum(found.values()), m.COUNTS: m.counts_table(found)}
        context.add_asset_metadata(shown, partition_key=days.last.isoformat())
        return Result()

    return readback


def _reconciliation(shop: Shop) -> dg.AssetsDefinition:
    key = names.reconciliation_key(shop.name)

    @dg.asset(
        key=key,
        deps=[names.readback_key(shop.name)],
        partitions_def=shop.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=shop.name,
        kinds={"report"},
        check_specs=[
            dg.AssetCheckSpec(
                showing_shops.EVERY_DAY_READ,
                asset=key,
                description="No day up to yesterday was stepped over.",
            ),
            *(
                dg.AssetCheckSpec(name, asset=key, description=text)
                for name, text in shop.chain.checks.items()
            ),
        ],
        description=f"{shop.chain.reconciling}, by day, with each difference explained by its orders; and the page an "
        "accountant reads.",
    )
    def reconciliation(context: dg.AssetExecutionContext) -> Result:
        days = ByDay(context)
        with told():
            service = shop.service(context)
            figures = service.reconcile(days.first, days.last)
            page = service.report(days.first, days.last)
            unread = service.first_unread(shop.lists_read())
        for line in figures.days:
            context.add_asset_metadata(showing_shops.day(line, figures), partition_key=line.day.isoformat())
        whole = {m.MODE: shop.integration.mode.value, **showing_shops.reconciliation(figures, page)}
        context.add_asset_metadata(whole, partition_key=days.last.isoformat())
        mode = shop.integration.mode
        return Result(
            check_results=[
                showing_shops.unread_check(unread, shop.name, shop.integration.schedule, mode),
                *showing_shops.reconciliation_checks(figures, shop.chain.checks, mode),
            ]
        )

    return reconciliation
