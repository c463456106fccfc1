"""The integration as an application: what the command line and Dagster call.

Belongs here: the order of steps, where their results are kept, what is open. Does not belong here: any rule of
booking, any call's shape, anything of Dagster.

Every step may be killed and repeated: results are files replaced whole, writes go through the journal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from ledger_pipelines.config.connections import AmazonConnectionConfig, NetSuiteConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import Clock, SystemClock, business_date
from ledger_pipelines.documents.effects import Effect, EffectState, Mode
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup
from ledger_pipelines.errors import ConfigurationError, DataError, RefusedError
from ledger_pipelines.integrations.amazon_netsuite import settlement_journal, summary_update
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
from ledger_pipelines.integrations.amazon_netsuite.books import SALES_ORDER, Books, decode_books
from ledger_pipelines.integrations.amazon_netsuite.context import Context, JournalView, Known
from ledger_pipelines.integrations.amazon_netsuite.decide import decide, worklist_key
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decided
from ledger_pipelines.integrations.amazon_netsuite.flows import plan_flow
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.integrations.amazon_netsuite.order_invoices import invoice_key
from ledger_pipelines.integrations.amazon_netsuite.read_books import read_back, read_books
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL, ReadBack, decode_readback
from ledger_pipelines.integrations.amazon_netsuite.settings import FLOWS, AmazonNetSuiteSettings
from ledger_pipelines.integrations.amazon_netsuite.settlement_records import summary_key
from ledger_pipelines.integrations.amazon_netsuite.statement_view import (
    document_link,
    order_link,
    statement_data,
    write_statement,
)
from ledger_pipelines.integrations.amazon_netsuite.stored import StoredSettlements
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation, reconcile, reopened, verified
from ledger_pipelines.storage.atomic import write_atomically
from ledger_pipelines.storage.journal import Entry, Event, Journal, Search
from ledger_pipelines.sync import acts
from ledger_pipelines.sync.apply import apply, resume
from ledger_pipelines.sync.guards import Balanced, Guard, MostDocuments, MostTotal, OpenPeriod, Override
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.connect import connect
from ledger_pipelines.systems.netsuite.matching import Matching
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter

KIND = "amazon_netsuite"
Progress = Callable[[str, int, int], None]
"""Told (what, done, total)."""
_KNOWN_LIMIT = 5_000_000


class Settlements(Protocol):
    """Accepted settlements of one connection."""

    def ids(self) -> list[str]:
        """Settlement ids, oldest period first."""
        ...

    def settlement(self, settlement_id: str) -> Settlement:
        """One settlement. Raises DataError when there is none."""
        ...

    def groups(self, settlement_id: str, zone: ZoneInfo) -> Sequence[SettlementGroup]:
        """Its groups, in the order of the file."""
        ...


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One flow of a run."""

    flow: str
    plan: Plan
    result: ApplyResult


@dataclass(frozen=True, slots=True)
class RunResult:
    """A settlement's run through some or all flows."""

    settlement_id: str
    flows: tuple[FlowRun, ...]
    reconciliation: Reconciliation | None
    statement: Path | None = None

    @property
    def exit_code(self) -> int:
        """0 when nothing needs a person."""
        needs = any(run.result.exit_code for run in self.flows)
        return int(needs or (self.reconciliation is not None and not self.reconciliation.clean))


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One thing that is not resolved. key: what `retry` and `ignore` take; they also take the number."""

    key: str
    flow: str
    settlement_id: str
    number: str
    title: str
    state: str
    code: str
    text: str
    remedy: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class SettlementStatus:
    """Where one settlement stands, from what is stored; no call is made."""

    settlement: Settlement
    planned: bool
    reconciliation: Reconciliation | None
    open_items: int
    status: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What an integration is made of."""

    name: str
    source: str
    target: str
    mode: Mode
    zone: ZoneInfo
    settings: AmazonNetSuiteSettings
    source_config: AmazonConnectionConfig
    target_config: NetSuiteConnectionConfig
    data: Path
    journal_address: str
    start_date: date


class AmazonNetSuite:
    """One integration. Opens nothing before it is needed; `close` what was opened."""

    flows = FLOWS

    def __init__(
        self, setup: Setup, settlements: Settlements, *, clock: Clock | None = None, run_id: str = ""
    ) -> None:
        self.setup = setup
        self.name, self.source, self.target = setup.name, setup.source, setup.target
        self.store = settlements
        self.clock = clock or SystemClock()
        self._run_id = run_id
        self._plans = PlanStore(setup.data / "plans")
        self._decided: tuple[object, Decided] | None = None
        self._groups: tuple[str, Sequence[SettlementGroup]] | None = None
        self._view: tuple[object, JournalView] | None = None

    # --- what it stands on -----------------------------------------------------------------------------------------

    @cached_property
    def journal(self) -> Journal:
        """The journal, opened on first use."""
        return Journal.open(self.setup.journal_address)

    @cached_property
    def client(self) -> NetSuiteClient:
        """The target's client. Raises ConfigurationError when a credential's variable is missing."""
        records = self.setup.settings.records
        return connect(
            self.target,
            self.setup.target_config,
            state_folder=self.setup.data / "state",
            summary_record=records.summary_record,
            transaction_record=records.transaction_record,
            run_id=self._run_id,
            clock=self.clock,
        )

    @cached_property
    def writer(self) -> NetSuiteWriter:
        """The target's writer."""
        return NetSuiteWriter(self.client)

    @property
    def matching(self) -> Matching:
        """The target's settlement reads."""
        return Matching(self.client)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("client", "journal"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        self.__dict__.pop("writer", None)

    def receive(self, path: Path, *, name: str = "") -> ArrivalOutcome:
        """Land, read and store one settlement file; no call is made. Raises as `Arrivals.receive`."""
        return Arrivals(self.source, self.setup.source_config, self.setup.data).receive(path, name=name)

    # --- settlements -----------------------------------------------------------------------------------------------

    def settlements(self) -> list[str]:
        """Ids of the accepted settlements, oldest first."""
        return self.store.ids()

    def settlement(self, settlement_id: str) -> Settlement:
        """One settlement. Raises DataError."""
        return self.store.settlement(settlement_id)

    def groups(self, settlement_id: str) -> Sequence[SettlementGroup]:
        """Its groups."""
        if self._groups is None or self._groups[0] != settlement_id:
            self._groups = (settlement_id, self.store.groups(settlement_id, self.setup.zone))
        return self._groups[1]

    # --- books -----------------------------------------------------------------------------------------------------

    def read_books(self, settlement_id: str, progress: Progress | None = None) -> Books:
        """Ask NetSuite what the plans need, and store it.

        Raises:
            RefusedError: the settlement was deposited before the integration's start date.
            TransientError, CredentialError, ConfigurationError: of the connection.
        """
        settlement, groups = self.settlement(settlement_id), self.groups(settlement_id)
        self._refuse_before_start(settlement)
        _tell(progress, "reading the books", 0, 1)
        posted = [g.posted_first for g in groups] or [settlement.start]
        earliest = min(
            business_date(min(posted), self.setup.zone), business_date(settlement.start, self.setup.zone)
        )
        books = read_books(
            self.matching,
            connection=self.target,
            settings=self.setup.settings,
            settlement_id=settlement_id,
            groups=groups,
            earliest=earliest - timedelta(days=1),
            now=self.clock.now(),
            journal_knows=self._knows_summary(settlement_id),
        )
        write_atomically(self._file(settlement_id, "books"), books.encode())
        _tell(progress, "reading the books", 1, 1)
        return books

    def books(self, settlement_id: str) -> Books:
        """The stored books. Raises DataError when they were never read."""
        return decode_books(self._stored(settlement_id, "books"))

    def read_back(self, settlement_id: str, progress: Progress | None = None) -> ReadBack:
        """Ask NetSuite what it holds of ours, and store it."""
        _tell(progress, "reading back", 0, 1)
        after = read_back(
            self.matching, connection=self.target, settlement_id=settlement_id, now=self.clock.now()
        )
        write_atomically(self._file(settlement_id, "readback"), after.encode())
        _tell(progress, "reading back", 1, 1)
        return after

    def after(self, settlement_id: str) -> ReadBack | None:
        """The stored read-back, if any."""
        with suppress(DataError):
            return decode_readback(self._stored(settlement_id, "readback"))
        return None

    # --- plans and exports -----------------------------------------------------------------------------------------

    def context(self, settlement_id: str) -> Context:
        """Everything decisions are made from, as stored now."""
        books = self.books(settlement_id)
        context = Context(
            integration=self.name,
            source=self.source,
            target=self.target,
            account=self.setup.target_config.realm,
            zone=self.setup.zone,
            mode=self._booking_mode,
            settings=self.setup.settings,
            settlement=self.settlement(settlement_id),
            books=books,
            journal=JournalView({}),
            one_world=self.setup.target_config.one_world,
        )
        return replace(context, journal=self._journal_view(context))

    def decided(self, ctx: Context) -> Decided:
        """The decisions; computed once for the same inputs."""
        token = (ctx.sid, ctx.settlement.rows_hash, ctx.books.content_digest(), ctx.journal, ctx.mode)
        if self._decided is None or self._decided[0] != token:
            self._decided = (token, decide(ctx, self.groups(ctx.sid)))
        return self._decided[1]

    def plan(self, flow: str, settlement_id: str) -> Plan:
        """Make and store one flow's plan. Makes no call.

        Raises:
            ConfigurationError: there is no such flow.
            DataError: the books (for summary_update: the read-back) were never read.
        """
        plan = self._compute(flow, settlement_id)
        self._plans.save(plan)
        return plan

    def export(
        self,
        flow: str,
        settlement_id: str,
        progress: Progress | None = None,
        *,
        mode: Mode | None = None,
        overrides: Sequence[Override] = (),
        stop: Callable[[], bool] | None = None,
        who: str = "",
    ) -> ApplyResult:
        """Carry out the latest stored plan of a flow.

        Raises:
            DataError: there is no plan.
            StalePlanError, AlteredPlanError: it is not the plan of what is true now; nothing was written.
        """
        plan = self._plans.latest(self.name, flow, settlement_id)
        if plan is None:
            raise DataError(
                f"There is no plan of {flow} for settlement {settlement_id}.",
                remedy=f"Make one: ledger-pipelines plan {self.name} {flow} --partition {settlement_id}.",
                code="no-plan",
            )
        books = self.books(settlement_id)
        return apply(
            plan,
            journal=self.journal,
            writer=self.writer,
            mode=mode or self.setup.mode,
            clock=self.clock,
            guards=self._guards(books),
            overrides=overrides,
            recompute=lambda: self._compute(flow, settlement_id, exported=plan),
            remote_memory=books.memory_lost,
            progress=None if progress is None else lambda done, total: progress(flow, done, total),
            stop=stop,
            who=who or _who(),
        )

    def reconcile(self, settlement_id: str) -> Reconciliation:
        """The figures, from the stored read-back. Raises DataError when nothing was read back."""
        ctx = self.context(settlement_id)
        after = decode_readback(self._stored(settlement_id, "readback"))
        return reconcile(ctx, verified(ctx, self.decided(ctx).decisions, after), after)

    def run(
        self,
        flow: str | None,
        settlement_id: str,
        progress: Progress | None = None,
        *,
        mode: Mode | None = None,
        who: str = "",
    ) -> RunResult:
        """Run now: read the books, plan and export every flow in order (or one), read back, reconcile, report."""
        chosen = self._chosen(flow)
        self.read_books(settlement_id, progress)
        runs: list[FlowRun] = []
        written = (mode or self.setup.mode) is not Mode.PLAN
        for name in chosen:
            if name == summary_update.FLOW:
                self.read_back(settlement_id, progress)
            plan = self.plan(name, settlement_id)
            result = self.export(name, settlement_id, progress, mode=mode, who=who)
            runs.append(FlowRun(name, plan, result))
            if result.parked is not None:
                return RunResult(settlement_id, tuple(runs), None)
        if not written:
            return RunResult(settlement_id, tuple(runs), None)
        if summary_update.FLOW not in chosen:
            self.read_back(settlement_id, progress)
        return RunResult(
            settlement_id, tuple(runs), self.reconcile(settlement_id), self.statement(settlement_id)
        )

    def plans(self, flow: str | None, settlement_id: str, progress: Progress | None = None) -> list[Plan]:
        """Fresh plans of every flow (or one): what a run would write. Reads, never writes.

        The summary update is planned only once something was written: it compares with what NetSuite holds.
        """
        self.read_books(settlement_id, progress)
        chosen = list(self._chosen(flow))
        if summary_update.FLOW in chosen:
            if self._knows_summary(settlement_id):
                self.read_back(settlement_id, progress)
            elif flow is None:
                chosen.remove(summary_update.FLOW)
        return [self.plan(name, settlement_id) for name in chosen]

    def expected_clearing(self, settlement_id: str) -> Money:
        """What the clearing account will hold for this settlement when all that is planned is written: 0.00."""
        ctx = self.context(settlement_id)
        decisions = self.decided(ctx).decisions
        planned = any(row.action.value != "blocked" for row in settlement_journal.rows(ctx, decisions))
        return Money(settlement_journal.expected_clearing(decisions, journal=planned), ctx.currency)

    def statement(self, settlement_id: str) -> Path:
        """Write the HTML statement of what is known now, and give its path. Raises DataError: the books were never read."""
        ctx = self.context(settlement_id)
        plans = [p for flow in FLOWS if (p := self._plans.latest(self.name, flow, settlement_id)) is not None]
        planned = {effect.key: effect for plan in plans for effect in plan.effects()}
        written = {
            entry.key: entry.effect
            for entry in self.journal.find(
                Search(integration=self.name, flow=settlement_journal.FLOW, partition=settlement_id)
            )
        }
        setup = self.setup
        data = statement_data(
            ctx,
            self.decided(ctx).decisions,
            after=self.after(settlement_id),
            plans=plans,
            journals=[e for e in (planned | written).values() if e.kind == JOURNAL],
            made_at=self.clock.now(),
            mode=str(setup.mode),
            links={"document": document_link(setup.target_config), "order": order_link(setup.source_config)},
        )
        return write_statement(self._file(settlement_id, "books").parent, data)

    def summaries_due(self, today: date) -> list[str]:
        """Settlements whose summary the periodic update re-reads: deposits of the last N months."""
        months = self.setup.settings.summary.months
        count = today.year * 12 + today.month - 1 - months
        since = date(max(count // 12, 1), count % 12 + 1, 1)
        return [
            sid
            for sid in self.settlements()
            if business_date(self.settlement(sid).deposit, self.setup.zone) >= since
            and self._knows_summary(sid)
        ]

    def update_summary(self, settlement_id: str, progress: Progress | None = None) -> RunResult:
        """Flow 6 alone: read back, refresh the records, reopen what changed."""
        return self.run(summary_update.FLOW, settlement_id, progress)

    # --- worklist --------------------------------------------------------------------------------------------------

    def resume(self, progress: Progress | None = None) -> ApplyResult:
        """Finish what earlier runs left open: resolve unknown outcomes, send what is approved."""
        return resume(
            journal=self.journal,
            writer=self.writer,
            mode=self.setup.mode,
            clock=self.clock,
            search=Search(integration=self.name),
            progress=None if progress is None else lambda done, total: progress("resume", done, total),
            who=_who(),
        )

    def errors(self, settlement_id: str | None = None) -> list[OpenItem]:
        """What needs a person or a later probe: blocked rows of the latest plans, and the journal's open effects."""
        items: dict[str, OpenItem] = {}
        states = (
            EffectState.REFUSED,
            EffectState.UNKNOWN,
            EffectState.HELD,
            EffectState.SENT,
            EffectState.CLAIMED,
        )
        for sid in self.settlements() if settlement_id is None else [settlement_id]:
            ignored = self._ignored(sid)
            for flow in FLOWS:
                plan = self._plans.latest(self.name, flow, sid)
                for row in () if plan is None else plan.rows:
                    if row.action.value == "blocked" and row.key not in ignored:
                        items.setdefault(row.key, _blocked_item(flow, sid, row))
        for sid in self.settlements() if settlement_id is None else [settlement_id]:
            items |= {item.key: item for item in self._reopened(sid)}
        for entry in self.journal.find(
            Search(integration=self.name, partition=settlement_id or "", states=states, limit=_KNOWN_LIMIT)
        ):
            items[entry.key] = _journal_item(entry)
        return list(items.values())

    def _reopened(self, settlement_id: str) -> list[OpenItem]:
        """What was booked and changed in NetSuite since, by the stored read-back."""
        after = self.after(settlement_id)
        if after is None:
            return []
        ctx = self.context(settlement_id)
        return [
            OpenItem(
                worklist_key(ctx, d.group), summary_update.FLOW, settlement_id, d.group.order_id or settlement_id,
                f"{d.group.type} {d.group.order_id}".strip(), str(d.state), d.reason.code, d.reason.text,
                d.reason.remedy, Money(d.claimed, ctx.currency),
            )
            for d in reopened(verified(ctx, self.decided(ctx).decisions, after))
        ]  # fmt: skip

    def retry(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Take up again: effects by key or document number, and groups that were ignored. Keys concerned."""
        return self._act("retried", names, who, why)

    def ignore(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Count as resolved by a person: effects or groups, by key or document number. Keys concerned."""
        return self._act("ignored", names, who, why)

    def status(self) -> list[SettlementStatus]:
        """Where each settlement stands."""
        return [self._status(sid) for sid in self.settlements()]

    def calls(self) -> int:
        """Calls made to the target by this process so far."""
        return sum(count.count for count in self.client.calls()) if "client" in self.__dict__ else 0

    # --- inside ----------------------------------------------------------------------------------------------------

    @property
    def _booking_mode(self) -> Mode:
        asked = self.setup.mode is Mode.TEST or self.setup.settings.general.enable_test_mode
        return Mode.TEST if asked else Mode.LIVE

    def _chosen(self, flow: str | None) -> Sequence[str]:
        if flow is None:
            return FLOWS if self.setup.settings.summary.enabled else FLOWS[:-1]
        if flow not in FLOWS:
            raise ConfigurationError(
                f"{self.name} has no flow {flow!r}.", remedy=f"Its flows are {', '.join(FLOWS)}."
            )
        return (flow,)

    def _compute(self, flow: str, settlement_id: str, *, exported: Plan | None = None) -> Plan:
        """The plan as it comes out now.

        Args:
            exported: A plan that is being carried out. What the journal knows of its own effects, from a run of it that
                was cut short, is no news: applying goes on from there.
        """
        self._chosen(flow)
        ctx = self.context(settlement_id)
        if exported is not None:
            own = {effect.key for effect in exported.effects()}
            known = {key: known for key, known in ctx.journal.known.items() if key not in own}
            if len(known) < len(ctx.journal.known):
                ctx = replace(ctx, journal=replace(ctx.journal, known=known))
        after = None
        if flow == summary_update.FLOW:
            after = decode_readback(self._stored(settlement_id, "readback"))
        return plan_flow(ctx, flow, self.decided(ctx), self.clock.now(), after)

    def _file(self, settlement_id: str, what: str) -> Path:
        return self.setup.data / "integrations" / self.name / settlement_id / f"{what}.json"

    def _stored(self, settlement_id: str, what: str) -> bytes:
        try:
            return self._file(settlement_id, what).read_bytes()
        except FileNotFoundError:
            raise DataError(
                f"The {what} of settlement {settlement_id} were never read.",
                remedy=f"Run it: ledger-pipelines run {self.name} --partition {settlement_id}.",
                code=f"no-{what}",
            ) from None

    def _refuse_before_start(self, settlement: Settlement) -> None:
        deposit = business_date(settlement.deposit, self.setup.zone)
        if deposit < self.setup.start_date:
            raise RefusedError(
                f"Settlement {settlement.settlement_id} was deposited on {deposit}, before the start date "
                f"{self.setup.start_date} of {self.name}: it is not booked.",
                remedy="Move start_date earlier if it should be.",
                code="before-start-date",
            )

    def _knows_summary(self, settlement_id: str) -> bool:
        key = summary_key(self._keys(settlement_id))
        entry = self.journal.entry(key)
        return entry is not None and entry.state is EffectState.CONFIRMED

    def _keys(self, settlement_id: str) -> Context:
        """A context good for making keys only."""
        return Context(
            integration=self.name, source=self.source, target=self.target, account=self.setup.target_config.realm,
            zone=self.setup.zone, mode=self._booking_mode, settings=self.setup.settings,
            settlement=self.settlement(settlement_id), books=Books(self.target, settlement_id, self.clock.now()),
            journal=JournalView({}),
        )  # fmt: skip

    def _journal_view(self, ctx: Context) -> JournalView:
        """The journal as it stands: read again only when its log has grown (every change is logged)."""
        with self.journal.read() as unit:
            token = (ctx.sid, unit.events.head(), ctx.books.content_digest())
        if self._view is None or self._view[0] != token:
            self._view = (token, self._read_journal(ctx))
        return self._view[1]

    def _read_journal(self, ctx: Context) -> JournalView:
        entries = self.journal.find(Search(integration=self.name, partition=ctx.sid, limit=_KNOWN_LIMIT))
        known = {entry.key: _known(entry) for entry in entries}
        bills = [invoice_key(ctx, d) for d in ctx.books.documents if d.record == SALES_ORDER]
        known |= {key: _known(entry) for key, entry in self.journal.entries(bills).items()}
        return JournalView(known, self._ignored(ctx.sid))

    def _subject(self, settlement_id: str) -> str:
        return f"worklist:{self.name}/{settlement_id}"

    def _ignored(self, settlement_id: str) -> frozenset[str]:
        """Groups a person told us to ignore: the last word of the log on each."""
        last: dict[str, bool] = {}
        for line in self.journal.history(self._subject(settlement_id)):
            last[line.event.to_state] = line.event.what == "ignored"
        return frozenset(key for key, is_ignored in last.items() if is_ignored)

    def _act(self, what: str, names: Sequence[str], who: str, why: str) -> list[str]:
        if not who.strip() or not why.strip():
            raise ConfigurationError("Say who does this and why.", remedy="Give --who and --why.")
        wanted = set(names)
        touched: list[str] = []
        now = self.clock.now()
        known: dict[str, Entry] = {}
        for name in names:
            for entry in self.journal.find(Search(text=name, integration=self.name)):
                if name in (entry.key, entry.effect.number, entry.effect.external_id):
                    known[entry.key] = entry
        act = acts.ignore if what == "ignored" else acts.retry
        movable = [k for k, e in known.items() if e.state is not EffectState.CONFIRMED]
        if movable:
            act(self.journal, movable, who=who, why=why, clock=self.clock)
            touched += movable
        for sid in self.settlements():
            ignored = self._ignored(sid)
            groups: dict[str, None] = {}
            for flow in FLOWS:
                plan = self._plans.latest(self.name, flow, sid)
                for row in () if plan is None else plan.rows:
                    blocked = row.action.value == "blocked" and what == "ignored"
                    taken_up = row.key in ignored and what == "retried"
                    if (blocked or taken_up) and wanted & {row.key, row.number} and row.key not in known:
                        groups[row.key] = None
            if what == "retried":
                groups |= dict.fromkeys(key for key in ignored if key in wanted)
                if ignored:
                    keys = self._keys(sid)
                    of_orders = (worklist_key(keys, g) for g in self.groups(sid) if g.order_id in wanted)
                    groups |= dict.fromkeys(key for key in of_orders if key in ignored)
            else:
                changed = (item for item in self._reopened(sid) if wanted & {item.key, item.number})
                groups |= dict.fromkeys(item.key for item in changed)
            self.journal.log([Event(who, self._subject(sid), what, "", key, why) for key in groups], now)
            touched += list(groups)
        if not touched:
            raise DataError(
                f"Nothing open is called {', '.join(names)}.",
                remedy="`ledger-pipelines errors` lists what is.",
            )
        return touched

    def _guards(self, books: Books) -> list[Guard]:
        limits = self.setup.settings.guards
        guards: list[Guard] = [Balanced(_journal_lines), OpenPeriod(lambda effect: _is_open(books, effect))]
        if limits.max_documents is not None:
            guards.append(MostDocuments(limits.max_documents))
        if limits.max_total:
            guards.append(MostTotal(limits.max_total))
        return guards

    def _status(self, settlement_id: str) -> SettlementStatus:
        planned = any(self._plans.latest(self.name, flow, settlement_id) for flow in FLOWS)
        open_items = len(self.errors(settlement_id))
        figures = None
        if planned and self.after(settlement_id) is not None:
            figures = self.reconcile(settlement_id)
        words = "Received"
        if figures is not None:
            words = str(summary_update.summary_status(figures))
        elif planned:
            words = "Planned"
        return SettlementStatus(self.settlement(settlement_id), planned, figures, open_items, words)


def build_service(
    loaded: LoadedConfig,
    name: str,
    *,
    settlements: Settlements | None = None,
    clock: Clock | None = None,
    run_id: str = "",
) -> AmazonNetSuite:
    """The integration `name` of a configuration.

    Raises:
        ConfigurationError: there is none, it was left out, or it is of another kind.
    """
    config = loaded.config
    integration = config.integrations.get(name)
    if integration is None or integration.kind != KIND:
        others = ", ".join(n for n, i in config.integrations.items() if i.kind == KIND) or "none"
        left = next((o for o in loaded.left_out if o.name == name), None)
        why = "" if left is None else f" It was left out: {left.problems[0].message}"
        raise ConfigurationError(
            f"There is no {KIND} integration {name!r}.{why}", remedy=f"Those there are: {others}."
        )
    source, target = config.connections[integration.source], config.connections[integration.target]
    if not isinstance(source, AmazonConnectionConfig) or not isinstance(target, NetSuiteConnectionConfig):
        raise ConfigurationError(
            f"{name} goes from an amazon connection to a netsuite connection.",
            remedy="Correct `source` and `target`.",
        )
    setup = Setup(
        name=name,
        source=integration.source,
        target=integration.target,
        mode=integration.mode,
        zone=config.books.zone,
        settings=integration.settings_as(AmazonNetSuiteSettings),
        source_config=source,
        target_config=target,
        data=config.data_folder,
        journal_address=config.journal_address(os.environ),
        start_date=integration.start_date or source.start_date,
    )
    stored = settlements or StoredSettlements(setup.data, setup.source)
    return AmazonNetSuite(setup, stored, clock=clock, run_id=run_id)


def _known(entry: Entry) -> Known:
    effect, problem = entry.effect, entry.problem
    return Known(
        key=entry.key,
        state=entry.state,
        remote_id=entry.remote_id or "",
        number=entry.remote_number or "",
        body_hash=entry.body_hash,
        amount=None if effect.expected.amount is None else effect.expected.amount.amount,
        applied=_applied(effect),
        forward=_forward(effect),
        sent_at=entry.sent_at,
        code="" if problem is None else problem.code,
        text="" if problem is None else problem.text,
        remedy="" if problem is None else problem.remedy,
    )


def _blocked_item(flow: str, settlement_id: str, row: PlanRow) -> OpenItem:
    return OpenItem(
        row.key, flow, settlement_id, row.number, row.title, row.state, row.reason.code, row.reason.text,
        row.reason.remedy, row.amount,
    )  # fmt: skip


def _journal_item(entry: Entry) -> OpenItem:
    effect, problem = entry.effect, entry.problem
    return OpenItem(
        entry.key, effect.flow, effect.partition, effect.number, effect.title, entry.state.value,
        entry.state.value if problem is None else problem.code,
        "The outcome is not known yet." if problem is None else problem.text,
        "`ledger-pipelines resume` asks the target again." if problem is None else problem.remedy,
        effect.expected.amount,
    )  # fmt: skip


def _journal_lines(effect: Effect) -> Sequence[Money] | None:
    if effect.kind != JOURNAL:
        return None
    body = decode(effect.body)
    return list(_signed(body)) if isinstance(body, dict) else []


def _signed(body: dict[str, Json]) -> Iterable[Money]:
    lines = body.get("line")
    items = lines.get("items") if isinstance(lines, dict) else None
    for line in items if isinstance(items, list) else []:
        if isinstance(line, dict):
            debit, credit = line.get("debit", ZERO), line.get("credit", ZERO)
            # The journal is in one currency, which its body names by internal id: any code will do for a sum.
            yield Money(_amount(debit) - _amount(credit), "XXX")


def _applied(effect: Effect) -> Decimal:
    """What a document applies to others, by its body."""
    body = decode(effect.body)
    lines = body.get("apply") if isinstance(body, dict) else None
    items = lines.get("items") if isinstance(lines, dict) else None
    return (
        sum((_amount(i.get("amount")) for i in items or () if isinstance(i, dict)), ZERO)
        if isinstance(items, list)
        else ZERO
    )


def _forward(effect: Effect) -> Decimal | None:
    """What a settlement journal carries between months; None of another document."""
    if effect.kind != JOURNAL:
        return None
    body = decode(effect.body)
    lines = body.get("line") if isinstance(body, dict) else None
    items = lines.get("items") if isinstance(lines, dict) else None
    found = [i for i in items if isinstance(i, dict)] if isinstance(items, list) else []
    return settlement_journal.carried(
        (str(i.get("memo", "")), _amount(i.get("credit")) - _amount(i.get("debit"))) for i in found
    )


def _amount(value: Json) -> Decimal:
    return (
        Decimal(str(value)) if isinstance(value, int | str) else value if isinstance(value, Decimal) else ZERO
    )


def _is_open(books: Books, effect: Effect) -> bool | None:
    day = effect.expected.day
    if day is None:
        return True
    period = books.period_of(day)
    return None if period is None else not period.closed


def _tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    if progress is not None:
        progress(what, done, total)


def _who() -> str:
    return os.environ.get("USER", "") or "ledger-pipelines"
