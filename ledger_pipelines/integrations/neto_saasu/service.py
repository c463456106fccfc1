"""The integration as an application: what the command line and Dagster call.

Belongs here: the order of steps, where their results are kept, what is open. Does not belong here: any rule of
booking (the flow modules), any call's shape (`systems`), anything of Dagster.

Every step may be killed and repeated: results are files replaced whole, writes go through the journal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import Clock, SystemClock, business_date
from ledger_pipelines.documents.effects import Action, EffectState, Mode, Writer
from ledger_pipelines.documents.keys import digest
from ledger_pipelines.errors import ConfigurationError, DataError, LedgerError, RefusedError
from ledger_pipelines.integrations.neto_saasu import (
    contacts,
    invoices,
    items_from_saasu,
    items_to_saasu,
    payments,
    refunds,
    stock_from_saasu,
)
from ledger_pipelines.integrations.neto_saasu.budget import Facts
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.days import DaysDone
from ledger_pipelines.integrations.neto_saasu.facts import assumed, counted
from ledger_pipelines.integrations.neto_saasu.invoice_body import NEGATIVE_STOCK, SALE_ORDER
from ledger_pipelines.integrations.neto_saasu.limits import guards_of
from ledger_pipelines.integrations.neto_saasu.memory import EVERY_PARTITION, JournalMemory
from ledger_pipelines.integrations.neto_saasu.mirror import Mirror
from ledger_pipelines.integrations.neto_saasu.needs import neto_entities, saasu_entities
from ledger_pipelines.integrations.neto_saasu.pairing import InitialSync, Pairing, decoded, pair
from ledger_pipelines.integrations.neto_saasu.readings import OpenSide, Readings, Refreshed
from ledger_pipelines.integrations.neto_saasu.reconcile import Scope, reconcile
from ledger_pipelines.integrations.neto_saasu.results import FlowRun, RunResult, ShopStatus
from ledger_pipelines.integrations.neto_saasu.settings import FLOWS, TO_NETO
from ledger_pipelines.integrations.neto_saasu.setup import Setup, setup_of
from ledger_pipelines.integrations.open_items import (
    EVERYTHING,
    IGNORED,
    OPEN,
    RETRIED,
    OpenItem,
    Unfinished,
    blocked_item,
    journal_item,
    unfinished,
)
from ledger_pipelines.memory import making_many
from ledger_pipelines.reports.shop_reconciliation import render
from ledger_pipelines.reports.shop_view import ShopReconciliation
from ledger_pipelines.storage.atomic import make_folder, write_atomically
from ledger_pipelines.storage.journal import Entry, Journal, Search
from ledger_pipelines.sync import acts
from ledger_pipelines.sync.apply import apply, recover, resume
from ledger_pipelines.sync.guards import Override
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines.sync.result import ApplyResult, Outcome
from ledger_pipelines.systems.neto import connect as neto_connect
from ledger_pipelines.systems.neto.client import NetoClient
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.neto.writer import NetoWriter
from ledger_pipelines.systems.saasu import connect as saasu_connect
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines.systems.saasu.reader import SaasuReader
from ledger_pipelines.systems.saasu.writer import SaasuWriter

Progress = Callable[[str, int, int], None]
"""Told (what, done, total)."""
_NEVER_SENT = (EffectState.APPROVED, EffectState.REFUSED)
_FOR_STOCK = frozenset({"sale-order-for-stock", "waits-for-stock"})
_COMES_BY_ITSELF = _FOR_STOCK | {"wait-for-books"}
"""Reasons that pass without the store changing anything on the day: such a day is planned again by every run."""
_IN_DOUBT = (EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN)


class NetoSaasu:
    """One integration. Opens nothing before it is needed; `close` what was opened."""

    def __init__(self, setup: Setup, *, clock: Clock | None = None, run_id: str = "") -> None:
        self.setup = setup
        self.name, self.source, self.target = setup.name, setup.source, setup.target
        self.clock = clock or SystemClock()
        self._run_id = run_id
        self._plans = PlanStore(setup.data / "plans")

    @property
    def flows(self) -> tuple[str, ...]:
        """The flows that are on, in the order they run."""
        return self.setup.settings.enabled_flows()

    # --- what it stands on -----------------------------------------------------------------------------------------

    @cached_property
    def journal(self) -> Journal:
        """The journal, opened on first use."""
        return Journal.open(self.setup.journal_address, now=self.clock.now())

    @cached_property
    def memory(self) -> JournalMemory:
        """The journal as plans see it."""
        return JournalMemory(self.journal, self.name)

    @cached_property
    def neto(self) -> NetoClient:
        """The store's client. Raises ConfigurationError when a credential's variable is missing."""
        return neto_connect.connect(
            self.source,
            self.setup.source_config,
            state_folder=self._state,
            run_id=self._run_id,
            clock=self.clock,
        )

    @cached_property
    def saasu(self) -> SaasuClient:
        """The file's client. Raises ConfigurationError when a credential's variable is missing."""
        return saasu_connect.connect(
            self.target,
            self.setup.target_config,
            state_folder=self._state,
            run_id=self._run_id,
            clock=self.clock,
        )

    @cached_property
    def mirror(self) -> Mirror:
        """Both sides as last read."""
        setup = self.setup
        return Mirror(
            setup.data,
            setup.source,
            setup.target,
            store_zone=setup.source_config.zone,
            books_zone=setup.zone,
            shop_currency=setup.source_config.currency,
            books_currency=setup.target_config.currency,
        )

    def writer(self, flow: str) -> Writer:
        """Who carries a flow's plan out."""
        if flow in TO_NETO:
            return NetoWriter(self.neto, timedelta(seconds=self.setup.source_config.settle_window_seconds))
        return SaasuWriter(self.saasu)

    @cached_property
    def days_done(self) -> DaysDone:
        """Which days were carried out, and as what."""
        return DaysDone(self.setup.folder / "days")

    @cached_property
    def _settings_digest(self) -> str:
        return digest(msgspec.json.encode(self.setup.settings.model_dump(mode="json"), order="sorted"))

    @property
    def _state(self) -> Path:
        return self.setup.data / "state"

    def close(self) -> None:
        """Close what was opened."""
        for name in ("neto", "saasu", "journal"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        for name in ("memory", "_pairs"):
            self.__dict__.pop(name, None)

    def today(self) -> date:
        """The books' date now."""
        return business_date(self.clock.now(), self.setup.zone)

    # --- reading ---------------------------------------------------------------------------------------------------

    def initial_sync(self, progress: Progress | None = None, *, rebuilt: bool = False) -> Pairing:
        """Read both sides whole, then pair. Writes to neither side. An attempt that was cut short goes on.

        Args:
            rebuilt: There was one before, whose note may be lost. It is dated before a journal made since, so that what
                a lost journal may have sent is looked for before any is sent again.

        Raises:
            TransientError, CredentialError, PermanentError: of a connection; what was read stays.
        """
        settings, begun = self.setup.settings, self.clock.now()
        readings = Readings(self.setup, begun, self._attempt())
        readings.all_of(self._neto_side(), neto_entities(settings), progress)
        readings.all_of(self._saasu_side(), saasu_entities(settings), progress)
        return self.pair(progress, begun if rebuilt else None)

    def pair(self, progress: Progress | None = None, done_at: datetime | None = None) -> Pairing:
        """Pair what the snapshots hold, and note that the initial sync was done. No call is made.

        A note older than the journal keeps its date: it is how a lost journal is known (`_memory_lost`).
        """
        _tell(progress, "pairing", 0, 1)
        birth, before = self.journal.birth, self.initial()
        if before is not None and before.done_at < birth:
            done_at = before.done_at
        shop, settings = self.mirror.shop(), self.setup.settings
        found = pair(
            shop.items.values(),
            shop.customers.values(),
            shop.orders.values(),
            self.mirror.books(),
            settings.orders_to_saasu.prefix,
        )
        done = InitialSync(
            done_at=done_at or self.clock.now(),
            store=self.setup.store,
            file=self.setup.account,
            days_back=settings.initial_sync.days,
            pairing=found,
        )
        make_folder(self.setup.folder)
        write_atomically(self._initial_file(), done.encoded())
        with suppress(FileNotFoundError):
            self._attempt_file().unlink()
        self.__dict__.pop("_pairs", None)
        _tell(progress, "pairing", 1, 1)
        return found

    def initial(self) -> InitialSync | None:
        """The initial sync of this pair of accounts, if it was done."""
        try:
            raw = self._initial_file().read_bytes()
        except FileNotFoundError:
            return None
        done = decoded(raw)
        return done if done.is_of(self.setup.store, self.setup.account) else None

    def ready(self) -> None:
        """Whether exports may write.

        Raises:
            RefusedError: the initial sync was not done for this store and this file.
        """
        if self.initial() is None:
            raise RefusedError(
                f"The initial sync of {self.source} and {self.target} was not done: without it, what both have "
                "already would be made twice.",
                remedy=f"Do it once: ledger-pipelines initial-sync {self.name} (it writes to neither side).",
                code="initial-sync-missing",
            )

    def refresh(self, progress: Progress | None = None) -> Refreshed:
        """Bring the snapshots of both sides up to date: only what changed since the last reading is asked for."""
        settings = self.setup.settings
        readings = Readings(self.setup, self.clock.now(), self._run_id or _run_name(self.clock.now()))
        store = readings.latest(self._neto_side(), neto_entities(settings), progress)
        wanted = saasu_entities(settings, stock=self._waits_for_stock())
        file = readings.latest(self._saasu_side(), wanted, progress)
        return Refreshed({**store.rows, **file.rows}, store.days)

    def _neto_side(self) -> OpenSide:
        config = self.setup.source_config
        reader = NetoReader(self.neto, orders_a_page=config.orders_a_page)
        return OpenSide(self.source, reader, NETO, config.start_date)

    def _saasu_side(self) -> OpenSide:
        return OpenSide(self.target, SaasuReader(self.saasu), SAASU, self.setup.target_config.start_date)

    # --- plans and exports -----------------------------------------------------------------------------------------

    def context(self, day: date, exported: Plan | None = None) -> Context:
        """Everything decisions of a day are made from, as stored now."""
        setup = self.setup
        return Context(
            integration=self.name,
            source=self.source,
            target=self.target,
            account=setup.account,
            store=setup.store,
            zone=setup.zone,
            store_zone=setup.source_config.zone,
            mode=setup.mode if setup.mode is Mode.TEST else Mode.LIVE,
            settings=setup.settings,
            day=day,
            today=self.today(),
            first_day=setup.start_date,
            shop=self.mirror.shop(),
            books=self.mirror.books(),
            journal=self.memory.view(exported),
            pairs=self._pairs,
        )

    @cached_property
    def _pairs(self) -> Mapping[str, str]:
        done = self.initial()
        return {} if done is None else done.pairing.contact_ids()

    def plan(self, flow: str, day: date) -> Plan:
        """Make and store one flow's plan of a day. Makes no call.

        Raises:
            ConfigurationError: there is no such flow. DataError: what it needs was never read.
        """
        with making_many():
            plan = self._compute(flow, day)
            self._plans.save(plan)
        waits = any(row.action is Action.BLOCKED or row.reason.code in _COMES_BY_ITSELF for row in plan.rows)
        self.days_done.planned(flow, day, waits=waits)
        return plan

    def export(
        self,
        flow: str,
        day: date,
        progress: Progress | None = None,
        *,
        mode: Mode | None = None,
        overrides: Sequence[Override] = (),
        stop: Callable[[], bool] | None = None,
        who: str = "",
    ) -> ApplyResult:
        """Carry out the latest stored plan of a flow and day.

        Raises:
            RefusedError: the initial sync was not done.
            DataError: there is no plan.
            StalePlanError, AlteredPlanError: it is not the plan of what is true now; nothing was written.
        """
        self.ready()
        plan = self._plans.latest(self.name, flow, day.isoformat())
        if plan is None:
            raise DataError(
                f"There is no plan of {flow} for {day.isoformat()}.",
                remedy=f"Make one: ledger-pipelines plan {self.name} {flow} --partition {day.isoformat()}.",
                code="no-plan",
            )
        return self._export(plan, progress, mode=mode, overrides=overrides, stop=stop, who=who)

    def _export(
        self,
        plan: Plan,
        progress: Progress | None = None,
        *,
        mode: Mode | None = None,
        overrides: Sequence[Override] = (),
        stop: Callable[[], bool] | None = None,
        who: str = "",
    ) -> ApplyResult:
        """Carry out the latest plan of its flow and day."""
        flow, day = plan.flow, date.fromisoformat(plan.partition)
        wanted = mode or self.setup.mode
        token = self._token(day)
        if not plan.effects() and not self._left(plan):
            idle = apply(
                plan, journal=self.journal, writer=self.writer(flow), mode=Mode.PLAN, clock=self.clock
            )
            if wanted is Mode.LIVE:
                self.days_done.carried_out(flow, day, token)
            return replace(idle, mode=wanted.value)
        result = self._apply(plan, wanted, progress, overrides, stop, who)
        if self._falls_back(result):
            result = _both(result, self._apply(self.plan(flow, day), wanted, progress, overrides, stop, who))
        if wanted is Mode.LIVE and result.parked is None and result.stopped is None and not result.tripped:
            self.days_done.carried_out(flow, day, token)
        return result

    def _apply(
        self,
        plan: Plan,
        mode: Mode,
        progress: Progress | None,
        overrides: Sequence[Override],
        stop: Callable[[], bool] | None,
        who: str,
    ) -> ApplyResult:
        flow, day = plan.flow, date.fromisoformat(plan.partition)
        return apply(
            plan,
            journal=self.journal,
            writer=self.writer(flow),
            mode=mode,
            clock=self.clock,
            guards=guards_of(self.setup.settings.general, self.setup.target_config.currency),
            overrides=overrides,
            recompute=lambda: self._compute(flow, day, plan),
            remote_memory=self._memory_lost(day),
            progress=None if progress is None else lambda done, total: progress(flow, done, total),
            stop=stop,
            who=who or _who(),
        )

    def _falls_back(self, result: ApplyResult) -> bool:
        """Whether invoices were refused for want of stock that are to be written as sale orders instead."""
        orders = self.setup.settings.orders_to_saasu
        return (
            result.flow == "invoices"
            and orders.retry_as_sale_order
            and orders.invoice_type != SALE_ORDER
            and any(row.reason.code == NEGATIVE_STOCK for row in result.having(Outcome.REFUSED))
        )

    def run(
        self,
        flow: str | None = None,
        days: Sequence[date] = (),
        progress: Progress | None = None,
        *,
        mode: Mode | None = None,
        who: str = "",
    ) -> RunResult:
        """Run now: bring the snapshots up to date, then plan and export every flow (or one).

        Args:
            flow: One flow only.
            days: Default: the days with news, with something open, and today.
            progress: Told (what, done, total).
            mode: Default: the integration's.
            who: For the log.
        """
        chosen = self._chosen(flow)
        writes = (mode or self.setup.mode) is not Mode.PLAN
        if writes:
            self.ready()
        before = self.calls()
        if writes:
            self._settle()
        news = self.refresh(progress)
        about = sorted(set(days) or {*news.days, *self.days_due(), self.today()})
        about = [day for day in about if day >= self.setup.start_date]
        runs: list[FlowRun] = []
        for name in chosen:
            for place, day in enumerate(about):
                _tell(progress, name, place, len(about))
                plan = self.plan(name, day)
                runs.append(FlowRun(name, plan, self._export(plan, mode=mode, who=who) if writes else None))
                result = runs[-1].result
                if result is not None and (result.parked is not None or result.stopped is not None):
                    return RunResult(tuple(about), tuple(runs), self.calls() - before, news.rows)
        return RunResult(tuple(about), tuple(runs), self.calls() - before, news.rows)

    def plans(self, flow: str | None, days: Sequence[date], progress: Progress | None = None) -> list[Plan]:
        """Fresh plans: what a run would write. Reads, never writes."""
        news = self.refresh(progress)
        about = sorted(set(days) or {*news.days, *self.days_due(), self.today()})
        return [
            self.plan(name, day)
            for name in self._chosen(flow)
            for day in about
            if day >= self.setup.start_date
        ]

    def days_due(self) -> list[date]:
        """Days to plan: what the store changed on them was never carried out as it is now, something of them waits for a
        person, or their writes are not finished."""
        due = {date.fromisoformat(one.partition) for one in self.unfinished()}
        refused = Search(integration=self.name, states=(EffectState.REFUSED,), limit=EVERYTHING)
        due |= {date.fromisoformat(entry.effect.partition) for entry in self.journal.find(refused)}
        done = {flow: self.days_done.of(flow) for flow in self.flows}
        for day in self.mirror.days():
            if day < self.setup.start_date:
                continue
            token = self._token(day)
            for known in done.values():
                mark = known.get(day)
                if mark is None or mark.open or mark.token != token:
                    due.add(day)
        return sorted(due)

    def _token(self, day: date) -> str:
        return digest(*(f"{name}={value}" for name, value in sorted(self.mirror.tokens(day).items())))

    # --- what came of it -------------------------------------------------------------------------------------------

    def reconcile(self, first: date, last: date) -> ShopReconciliation:
        """Both sides compared as they were last read, over some days. Makes no call."""
        # An order's rows are in the plan of the day it last changed: those that wait are in plans of other days too.
        days = sorted({*_span(first, last), *self.days_due()})
        planned = [
            row
            for flow in FLOWS
            for day in days
            if (plan := self._plans.latest(self.name, flow, day.isoformat())) is not None
            for row in plan.rows
        ]
        spent = self.saasu.spent() if "saasu" in self.__dict__ else None
        setup = self.setup
        scope = Scope(
            first=first,
            last=last,
            store=setup.source_config.store,
            file=f"Saasu file {setup.account}",
            now=self.clock.now(),
            store_read_at=self.mirror.store_read_at(),
            calls_left=None if spent is None else spent.left,
            mode=setup.mode,
        )
        return reconcile(self.context(last), scope, planned)

    def report(self, first: date, last: date) -> Path:
        """Write the page an accountant reads, and give its path."""
        page = render(self.reconcile(first, last))
        path = self.setup.folder / "reconciliation" / f"{first.isoformat()}_{last.isoformat()}.html"
        make_folder(path.parent)
        write_atomically(path, page.encode())
        return path

    # --- worklist --------------------------------------------------------------------------------------------------

    def resume(self, progress: Progress | None = None) -> ApplyResult:
        """Finish what earlier runs left open: resolve unknown outcomes, send what is approved. The file first."""
        results = [
            resume(
                journal=self.journal,
                writer=self.writer(flow),
                mode=self.setup.mode,
                clock=self.clock,
                search=Search(integration=self.name),
                progress=None if progress is None else lambda done, total: progress("resume", done, total),
                who=_who(),
            )
            for flow in ("invoices", "stock_from_saasu")
        ]
        file, store = results
        return replace(
            file, rows=(*file.rows, *store.rows), parked=file.parked or store.parked,
            stopped=file.stopped or store.stopped, sends=file.sends + store.sends, probes=file.probes + store.probes,
        )  # fmt: skip

    def errors(self, day: date | None = None) -> list[OpenItem]:
        """What needs a person or a later probe: blocked rows of the latest plans, and the journal's open effects."""
        items: dict[str, OpenItem] = {}
        ignored = self.memory.ignored.of(EVERY_PARTITION)
        partition = "" if day is None else day.isoformat()
        for flow in FLOWS:
            for waiting in self.days_done.waiting(flow):
                name = waiting.isoformat()
                if partition in ("", name):
                    for row in self._blocked(flow, name):
                        if row.key not in ignored:
                            items.setdefault(row.key, blocked_item(flow, name, row))
        search = Search(integration=self.name, partition=partition, states=OPEN, limit=EVERYTHING)
        for entry in self.journal.find(search):
            items[entry.key] = journal_item(entry)
        return list(items.values())

    def retry(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Take up again: effects by key or document number, and rows that were ignored. Keys concerned."""
        return self._act(RETRIED, names, who, why)

    def ignore(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Count as resolved by a person: effects or rows, by key or document number. Keys concerned."""
        return self._act(IGNORED, names, who, why)

    def unfinished(self) -> list[Unfinished]:
        """Days with writes that are meant and not known to be done; from the journal, no call is made."""
        window = timedelta(seconds=self.setup.target_config.settle_window_seconds)
        return unfinished(self.journal, self.name, window)

    def status(self) -> ShopStatus:
        """Where the integration stands; from what is stored, no call is made."""
        counts = self.journal.counts(Search(integration=self.name))
        initial = self.initial()
        spent = self.saasu.spent() if "saasu" in self.__dict__ else None
        return ShopStatus(
            name=self.name,
            mode=self.setup.mode,
            initial_sync=None if initial is None else initial.done_at,
            written=counts.get(EffectState.CONFIRMED, 0),
            open_items=len(self.errors()),
            days_due=tuple(self.days_due()),
            calls_today=None if spent is None else spent.used,
            calls_left=None if spent is None else spent.left,
        )

    def facts(self) -> Facts:
        """What the calls of a day depend on, counted in what was last read; assumed where nothing was."""
        if self.initial() is None:
            return assumed(self.setup.settings)
        return counted(self.setup.settings, self.mirror.shop(), self.mirror.books(), self.today())

    def spent(self) -> tuple[int, int | None]:
        """Calls of today to the file, and how many are left of our share; None = any number."""
        spent = self.saasu.spent()
        return spent.used, spent.left

    def calls(self) -> int:
        """Calls made to both sides by this process so far."""
        clients = [self.__dict__[name] for name in ("neto", "saasu") if name in self.__dict__]
        return sum(count.count for client in clients for count in client.calls())

    # --- inside ----------------------------------------------------------------------------------------------------

    def _chosen(self, flow: str | None) -> Sequence[str]:
        if flow is None:
            return self.flows
        if flow not in FLOWS:
            raise ConfigurationError(
                f"{self.name} has no flow {flow!r}.", remedy=f"Its flows are {', '.join(FLOWS)}."
            )
        if flow not in self.flows:
            raise ConfigurationError(
                f"The flow {flow} of {self.name} is off.", remedy="Turn it on in its settings: enabled: true."
            )
        return (flow,)

    def _compute(self, flow: str, day: date, exported: Plan | None = None) -> Plan:
        """The plan as it comes out now."""
        self._chosen(flow)
        ctx = self.context(day, exported)
        inputs = {
            **self.mirror.tokens(day),
            "settings": self._settings_digest,
            "mode": ctx.mode.value,
        }
        return Plan(
            integration=self.name,
            flow=flow,
            partition=day.isoformat(),
            connection=self.source if flow in TO_NETO else self.target,
            made_at=self.clock.now(),
            inputs=tuple(sorted(inputs.items())),
            rows=tuple(_once(self._rows(flow, ctx))),
        ).sealed()

    def _rows(self, flow: str, ctx: Context) -> Iterable[PlanRow]:
        mirror, day = self.mirror, ctx.day
        match flow:
            case "items_to_saasu":
                orders = [order for order in mirror.orders_of(day) if invoices.select(ctx, order) is None]
                wanted = {line.item for order in orders for line in order.lines if not line.text_only}
                return items_to_saasu.rows(ctx, mirror.products_of(day), wanted)
            case "contacts":
                return contacts.rows(ctx, mirror.orders_of(day))
            case "invoices":
                return invoices.rows(ctx, mirror.orders_of(day))
            case "payments":
                return payments.rows(ctx, mirror.orders_of(day))
            case "refunds":
                return refunds.rows(ctx, mirror.returns_of(day))
            case "items_from_saasu":
                return items_from_saasu.rows(ctx, mirror.saasu_items_of(day))
            case _:
                return stock_from_saasu.rows(ctx)

    def _settle(self) -> None:
        """Settle what an earlier run left in the middle: a plan made while a row is in doubt could not ask for it."""
        for flow in ("invoices", "stock_from_saasu"):
            search = Search(integration=self.name, connection=self.source if flow in TO_NETO else self.target)
            counts = self.journal.counts(search)
            if any(counts.get(state) for state in _IN_DOUBT):
                recover(
                    journal=self.journal,
                    writer=self.writer(flow),
                    clock=self.clock,
                    search=search,
                    who=_who(),
                )

    def _left(self, plan: Plan) -> bool:
        """Whether the journal holds writes of an earlier plan of this flow and day that never went out."""
        search = Search(integration=self.name, flow=plan.flow, partition=plan.partition)
        counts = self.journal.counts(search)
        return any(counts.get(state) for state in (*_NEVER_SENT, *_IN_DOUBT))

    def _waits_for_stock(self) -> bool:
        """Whether a sale order becomes an invoice once there is stock: then it must be read, whatever flows are on."""
        return any(
            row.reason.code in _FOR_STOCK
            for day in self.days_done.waiting("invoices")
            if (plan := self._plans.latest(self.name, "invoices", day.isoformat())) is not None
            for row in plan.rows
        )

    def _memory_lost(self, day: date) -> bool:
        """Whether the file may hold documents of this day that a journal before this one knew of: it is younger than the
        initial sync, and the day is not after its birth."""
        done = self.initial()
        birth = self.journal.birth
        return done is not None and done.done_at < birth and day <= business_date(birth, self.setup.zone)

    def _act(self, what: str, names: Sequence[str], who: str, why: str) -> list[str]:
        if not who.strip() or not why.strip():
            raise ConfigurationError("Say who does this and why.", remedy="Give --who and --why.")
        wanted = set(names)
        known: dict[str, Entry] = {}
        for name in names:
            for entry in self.journal.find(Search(text=name, integration=self.name)):
                if name in (entry.key, entry.effect.number, entry.effect.external_id):
                    known[entry.key] = entry
        movable = [key for key, entry in known.items() if entry.state is not EffectState.CONFIRMED]
        if movable:
            act = acts.ignore if what == IGNORED else acts.retry
            act(self.journal, movable, who=who, why=why, clock=self.clock)
        ignored = self.memory.ignored.of(EVERY_PARTITION)
        rows: dict[str, None] = {}
        for flow in FLOWS:
            for waiting in self.days_done.waiting(flow):
                for row in self._blocked(flow, waiting.isoformat()):
                    meant = wanted & {row.key, row.number} and row.key not in known
                    if meant and (what == IGNORED) != (row.key in ignored):
                        rows[row.key] = None
        if what == RETRIED:
            rows |= dict.fromkeys(key for key in ignored if key in wanted)
        self.memory.ignored.say(what, EVERY_PARTITION, rows, who, why, self.clock.now())
        touched = [*movable, *rows]
        if not touched:
            raise DataError(
                f"Nothing open is called {', '.join(names)}.",
                remedy="`ledger-pipelines errors` lists what is.",
            )
        return touched

    # --- places ----------------------------------------------------------------------------------------------------

    def _initial_file(self) -> Path:
        return self.setup.folder / "initial_sync.json"

    def _attempt_file(self) -> Path:
        return self.setup.folder / "initial_sync.attempt"

    def _attempt(self) -> str:
        """Name of the initial sync under way: one that was cut short goes on under its own name."""
        with suppress(FileNotFoundError):
            return self._attempt_file().read_text(encoding="utf-8")
        name = self._run_id or _run_name(self.clock.now())
        make_folder(self.setup.folder)
        write_atomically(self._attempt_file(), name.encode())
        return name

    def _blocked(self, flow: str, partition: str) -> list[PlanRow]:
        plan = self._plans.latest(self.name, flow, partition)
        return [] if plan is None else [row for row in plan.rows if row.action.value == "blocked"]


def _once(rows: Iterable[PlanRow]) -> Iterable[PlanRow]:
    """Each row once: two orders of one new customer want one contact."""
    seen: set[str] = set()
    for row in rows:
        if row.key not in seen:
            seen.add(row.key)
            yield row


def _both(first: ApplyResult, second: ApplyResult) -> ApplyResult:
    """One result of two goes at one day: the rows as they ended, and what both cost."""
    done = {row.key: row for row in first.rows if row.outcome is Outcome.WRITTEN}
    rows = tuple(done.get(row.key, row) if row.outcome is not Outcome.REFUSED else row for row in second.rows)
    return replace(
        second, rows=rows, started_at=first.started_at, sends=first.sends + second.sends, probes=first.probes + second.probes
    )  # fmt: skip


def _span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress is not None:
        progress(what, done, total)


def _who() -> str:
    return os.environ.get("USER", "") or "ledger-pipelines"


def _run_name(now: datetime) -> str:
    return f"run-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"


def build_service(
    loaded: LoadedConfig, name: str, *, clock: Clock | None = None, run_id: str = ""
) -> NetoSaasu:
    """The integration `name` of a configuration. Raises ConfigurationError as `setup_of`."""
    return NetoSaasu(setup_of(loaded, name), clock=clock, run_id=run_id)


def counted_facts(loaded: LoadedConfig, name: str) -> Facts | None:
    """What an integration's calls depend on, counted in what was last read; None where it cannot be read. No call is made."""
    with closing(build_service(loaded, name)) as service:
        try:
            return service.facts()
        except LedgerError:  # a plan says why
            return None
