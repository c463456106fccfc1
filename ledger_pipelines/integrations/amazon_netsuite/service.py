"""The integration as an application: what the command line and Dagster call.

Belongs here: the order of steps, where their results are kept, what is open. Does not belong here: any rule of
booking, any call's shape, anything of Dagster.

Every step may be killed and repeated: results are files replaced whole, writes go through the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import Clock, SystemClock, business_date
from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import Footing, Settlement, SettlementGroup
from ledger_pipelines.errors import ConfigurationError, DataError, RefusedError
from ledger_pipelines.integrations.amazon_netsuite import settlement_journal, summary_update
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome
from ledger_pipelines.integrations.amazon_netsuite.books import SALES_ORDER, Books, decode_books
from ledger_pipelines.integrations.amazon_netsuite.context import Context, JournalView
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decided
from ledger_pipelines.integrations.amazon_netsuite.flows import plan_flow
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.integrations.amazon_netsuite.known import known as known_of
from ledger_pipelines.integrations.amazon_netsuite.limits import guards_of
from ledger_pipelines.integrations.amazon_netsuite.open_work import OpenWork
from ledger_pipelines.integrations.amazon_netsuite.order_invoices import invoice_key
from ledger_pipelines.integrations.amazon_netsuite.read_books import read_back, read_books
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL, ReadBack, decode_readback
from ledger_pipelines.integrations.amazon_netsuite.results import FlowRun, RunResult, SettlementStatus
from ledger_pipelines.integrations.amazon_netsuite.settings import FLOWS
from ledger_pipelines.integrations.amazon_netsuite.settlement_records import summary_key
from ledger_pipelines.integrations.amazon_netsuite.setup import Settlements, Setup, setup_of
from ledger_pipelines.integrations.amazon_netsuite.statement_view import (
    document_link,
    order_link,
    statement_data,
    write_statement,
)
from ledger_pipelines.integrations.amazon_netsuite.stored import StoredSettlements
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation, reconcile, verified
from ledger_pipelines.integrations.open_items import (
    EVERYTHING,
    IGNORED,
    RETRIED,
    Act,
    Ignored,
    OpenItem,
    Unfinished,
    unfinished,
)
from ledger_pipelines.memory import making_many
from ledger_pipelines.storage.atomic import write_atomically
from ledger_pipelines.storage.journal import Journal, Search, fingerprint
from ledger_pipelines.sync.apply import apply, recover, resume
from ledger_pipelines.sync.guards import Override
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.connect import connect
from ledger_pipelines.systems.netsuite.matching import Matching
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter
from ledger_pipelines.telling import Progress, tell, who_asks


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
    def ignored(self) -> Ignored:
        """What persons told us to ignore."""
        return Ignored(self.journal, self.name)

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
        self.__dict__.pop("ignored", None)

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

    def footing(self, settlement_id: str) -> Footing:
        """What its stored rows sum to now, by kind and month of the books. Raises DataError when there is none."""
        return self.store.footing(settlement_id, self.setup.zone)

    # --- books -----------------------------------------------------------------------------------------------------

    def read_books(self, settlement_id: str, progress: Progress | None = None) -> Books:
        """Ask NetSuite what the plans need, and store it.

        Raises:
            RefusedError: the settlement was deposited before the integration's start date.
            TransientError, CredentialError, ConfigurationError: of the connection.
        """
        settlement, groups = self.settlement(settlement_id), self.groups(settlement_id)
        self._refuse_before_start(settlement)
        tell(progress, "reading the books", 0, 1)
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
            journal_knows=self._remembers(settlement_id),
        )
        write_atomically(self._file(settlement_id, "books"), books.encode())
        tell(progress, "reading the books", 1, 1)
        return books

    def books(self, settlement_id: str) -> Books:
        """The stored books. Raises DataError when they were never read."""
        return decode_books(self._stored(settlement_id, "books"))

    def read_back(self, settlement_id: str, progress: Progress | None = None) -> ReadBack:
        """Ask NetSuite what it holds of ours, and store it."""
        tell(progress, "reading back", 0, 1)
        after = read_back(
            self.matching, connection=self.target, settlement_id=settlement_id, now=self.clock.now()
        )
        write_atomically(self._file(settlement_id, "readback"), after.encode())
        tell(progress, "reading back", 1, 1)
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

    def keys(self, settlement_id: str) -> Context:
        """A context good for making keys only."""
        return Context(
            integration=self.name, source=self.source, target=self.target, account=self.setup.target_config.realm,
            zone=self.setup.zone, mode=self._booking_mode, settings=self.setup.settings,
            settlement=self.settlement(settlement_id), books=Books(self.target, settlement_id, self.clock.now()),
            journal=JournalView({}),
        )  # fmt: skip

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
        with making_many():
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
            guards=guards_of(self.setup.settings.guards, books),
            overrides=overrides,
            recompute=lambda: self._recomputed(plan),
            remote_memory=books.memory_lost,
            progress=None if progress is None else lambda done, total: progress(flow, done, total),
            stop=stop,
            who=who or who_asks(),
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
        written = (mode or self.setup.mode) is not Mode.PLAN
        if written:
            self._settle(settlement_id)
        self.read_books(settlement_id, progress)
        runs: list[FlowRun] = []
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

    def _settle(self, settlement_id: str) -> None:
        """Settle what an earlier run left in the middle: a plan made while a row is in doubt could not ask for it."""
        search = Search(integration=self.name, partition=settlement_id)
        counts = self.journal.counts(search)
        if any(counts.get(state) for state in (EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN)):
            recover(journal=self.journal, writer=self.writer, clock=self.clock, search=search, who=who_asks())

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

    def rebuild(self, settlement_id: str, progress: Progress | None = None) -> list[Plan]:
        """Make again what is kept of a settlement besides its rows: books, read-back, plans, statement. Writes nothing.

        Raises: as `read_books`.
        """
        plans = self.plans(None, settlement_id, progress)
        if plans:
            self.statement(settlement_id)
        return plans

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
        since = date(max(count // 12, 1), count % 12 + 1, 1)  # not money: months
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
            who=who_asks(),
        )

    @property
    def open_work(self) -> OpenWork:
        """What is open, and what a person says of it."""
        return OpenWork(self.name, self, self.journal, self.ignored, self._plans, self.clock)

    def errors(self, settlement_id: str | None = None) -> list[OpenItem]:
        """What needs a person or a later probe: blocked rows of the latest plans, and the journal's open effects."""
        return self.open_work.items(settlement_id)

    def retry(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Take up again: effects by key or document number, and groups that were ignored. Keys concerned."""
        return self.open_work.carry_out(Act(RETRIED, names, who, why))

    def ignore(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Count as resolved by a person: effects or groups, by key or document number. Keys concerned."""
        return self.open_work.carry_out(Act(IGNORED, names, who, why))

    def status(self) -> list[SettlementStatus]:
        """Where each settlement stands."""
        return [self._status(sid) for sid in self.settlements()]

    def unfinished(self) -> list[Unfinished]:
        """Settlements with writes that are meant and not known to be done; from the journal, no call is made."""
        window = timedelta(seconds=self.setup.target_config.settle_window_seconds)
        return unfinished(self.journal, self.name, window)

    def not_reconciled(self) -> list[str]:
        """Settlements that are not wholly booked, oldest first; from what is stored, no call is made."""
        return [
            one.settlement.settlement_id
            for one in self.status()
            if one.reconciliation is None or not one.reconciliation.clean
        ]

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
                was cut short, is no news: applying goes on from there. The same document with other content is: another
                run wrote it.
        """
        self._chosen(flow)
        ctx = self.context(settlement_id)
        if exported is not None:
            own = {effect.key: effect for effect in exported.effects()}
            known = {
                key: known
                for key, known in ctx.journal.known.items()
                if key not in own or known.body_hash != fingerprint(own[key])
            }
            if len(known) < len(ctx.journal.known):
                ctx = replace(ctx, journal=replace(ctx.journal, known=known))
        after = None
        if flow == summary_update.FLOW:
            after = decode_readback(self._stored(settlement_id, "readback"))
        return plan_flow(ctx, flow, self.decided(ctx), self.clock.now(), after)

    def _recomputed(self, exported: Plan) -> Plan:
        with making_many():
            return self._compute(exported.flow, exported.partition, exported=exported)

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
        key = summary_key(self.keys(settlement_id))
        entry = self.journal.entry(key)
        return entry is not None and entry.state is EffectState.CONFIRMED

    def _remembers(self, settlement_id: str) -> bool:
        """Whether the journal wrote our summary itself. An adopted one may mean a memory lost before, not all of it found
        again when that run was cut short: then NetSuite is asked for our documents once more."""
        entry = self.journal.entry(summary_key(self.keys(settlement_id)))
        return entry is not None and entry.state is EffectState.CONFIRMED and not entry.adopted

    def _journal_view(self, ctx: Context) -> JournalView:
        """The journal as it stands: read again only when its log has grown (every change is logged)."""
        with self.journal.read() as unit:
            token = (ctx.sid, unit.events.head(), ctx.books.content_digest())
        if self._view is None or self._view[0] != token:
            self._view = (token, self._read_journal(ctx))
        return self._view[1]

    def _read_journal(self, ctx: Context) -> JournalView:
        entries = self.journal.find(Search(integration=self.name, partition=ctx.sid, limit=EVERYTHING))
        known = {entry.key: known_of(entry) for entry in entries}
        bills = [invoice_key(ctx, d) for d in ctx.books.documents if d.record == SALES_ORDER]
        known |= {key: known_of(entry) for key, entry in self.journal.entries(bills).items()}
        return JournalView(known, self.ignored.of(ctx.sid))

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
        return SettlementStatus(
            self.settlement(settlement_id),
            planned,
            figures,
            open_items,
            words,
            self._carried_out(settlement_id),
        )

    def _carried_out(self, settlement_id: str) -> bool:
        """Whether every flow was planned and all of its writes are done: a run cut short leaves the last ones."""
        keys: list[str] = []
        for flow in self._chosen(None):
            plan = self._plans.latest(self.name, flow, settlement_id)
            if plan is None:
                return False
            keys += [effect.key for effect in plan.effects()]
        states = self.journal.states(keys)
        return all(states.get(key) in (EffectState.CONFIRMED, EffectState.IGNORED) for key in keys)


def build_service(
    loaded: LoadedConfig,
    name: str,
    *,
    settlements: Settlements | None = None,
    clock: Clock | None = None,
    run_id: str = "",
) -> AmazonNetSuite:
    """The integration `name` of a configuration. Raises ConfigurationError as `setup_of`."""
    setup = setup_of(loaded, name)
    stored = settlements or StoredSettlements(setup.data, setup.source)
    return AmazonNetSuite(setup, stored, clock=clock, run_id=run_id)
