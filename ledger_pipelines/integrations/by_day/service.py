"""An integration that goes by days, as an application: what the command line and Dagster call, whatever it joins.

Belongs here: the order of steps, where their results are kept, what is due. Does not belong here: what an integration says of itself
(`kind`), any rule of booking, any vendor (an integration's own `service`), anything of Dagster.

Every step may be killed and repeated: results are files replaced whole, writes go through the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from ledger_pipelines.documents.dates import Clock, SystemClock, business_date
from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import digest
from ledger_pipelines.errors import ConfigurationError, DataError, RefusedError
from ledger_pipelines.integrations.by_day.carrying import IN_DOUBT, Carrying
from ledger_pipelines.integrations.by_day.days import DaysDone
from ledger_pipelines.integrations.by_day.initial import Found, InitialFiles, InitialSync
from ledger_pipelines.integrations.by_day.kind import Client, Kind
from ledger_pipelines.integrations.by_day.memory import JournalMemory
from ledger_pipelines.integrations.by_day.readings import Readings, Refreshed
from ledger_pipelines.integrations.by_day.results import DayStatus, FlowRun, RunResult
from ledger_pipelines.integrations.by_day.setup import DaySetup
from ledger_pipelines.integrations.by_day.worklist import Worklist
from ledger_pipelines.integrations.open_items import EVERYTHING, OpenItem, Unfinished, unfinished
from ledger_pipelines.memory import making_many
from ledger_pipelines.storage.atomic import make_folder, write_atomically
from ledger_pipelines.storage.journal import Journal, Search
from ledger_pipelines.sync.apply import recover, resume
from ledger_pipelines.sync.guards import Override
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines.sync.result import ApplyResult
from ledger_pipelines.sync.states import ABSENT
from ledger_pipelines.systems.quota import Spent
from ledger_pipelines.telling import Progress, tell, who_asks

_A_MOMENT = timedelta(seconds=1)

S = TypeVar("S", bound=DaySetup)
F = TypeVar("F", bound=Found)
R = TypeVar("R")


class ByDay(Kind[F, R], Generic[S, F, R]):
    """One integration. Opens nothing before it is needed; `close` what was opened. What it is about it says as a `Kind`."""

    def __init__(self, setup: S, *, clock: Clock | None = None, run_id: str = "") -> None:
        self.setup = setup
        self.name, self.source, self.target = setup.name, setup.source, setup.target
        self.clock = clock or SystemClock()
        self._run_id = run_id
        self._plans = PlanStore(setup.data / "plans")

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
    def days_done(self) -> DaysDone:
        """Which days were carried out, and as what."""
        return DaysDone(self.setup.folder / "days")

    @property
    def _state(self) -> Path:
        return self.setup.data / "state"

    @property
    def _initial_files(self) -> InitialFiles[F]:
        return InitialFiles(self.setup.folder, self.found_type)

    def close(self) -> None:
        """Close what was opened."""
        for name in (*self.CLIENTS, "journal"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        self.__dict__.pop("memory", None)

    def today(self) -> date:
        """The books' date now."""
        return business_date(self.clock.now(), self.setup.zone)

    # --- reading ---------------------------------------------------------------------------------------------------

    def initial_sync(self, progress: Progress | None = None, *, rebuilt: bool = False) -> F:
        """Read both sides whole, then pair. Writes to neither side. An attempt that was cut short goes on.

        Args:
            rebuilt: There was one before, whose note may be lost. It is dated before a journal made since, so that what
                a lost journal may have sent is looked for before any is sent again.

        Raises:
            TransientError, CredentialError, PermanentError: of a connection; what was read stays.
        """
        begun = self.clock.now()
        readings = self._readings(begun, self._initial_files.attempt(self._run_id or _run_name(begun)))
        for side in self.sides(whole=True):
            readings.all_of(side, progress)
        return self.pair(progress, begun if rebuilt else None)

    def pair(self, progress: Progress | None = None, done_at: datetime | None = None) -> F:
        """Pair what the snapshots hold, and note that the initial sync was done. No call is made.

        A note older than the journal keeps its date, and one made where the target holds documents of an earlier journal is
        dated before this one: it is how a lost journal is known (`memory_lost`).

        Raises:
            RefusedError: A side was not read of all days from its first on.
        """
        readings = self._readings(self.clock.now(), self._run_id)
        for side in self.sides(whole=True):
            readings.refuse_gaps(side)
        tell(progress, "pairing", 0, 1)
        birth, before = self.journal.birth, self.initial()
        if before is not None and before.done_at < birth:
            done_at = before.done_at
        elif self.written_before():
            done_at = birth - _A_MOMENT
        found = self.found()
        store, file = self.accounts
        self._initial_files.keep(
            InitialSync(
                done_at=done_at or self.clock.now(),
                store=store,
                file=file,
                days_back=self.reach().days,
                pairing=found,
            )
        )
        self.paired()
        tell(progress, "pairing", 1, 1)
        return found

    def written_before(self) -> Sequence[str]:
        """References of ours that the target holds while the journal knows nothing of this integration: of an earlier journal.
        None where the note says so already."""
        done = self.initial()
        heeded = done is not None and done.done_at < self.journal.birth
        known = self.journal.counts(Search(integration=self.name))
        return () if heeded or any(known.values()) else self.traces()

    def initial(self) -> InitialSync[F] | None:
        """The initial sync of this pair of accounts, if it was done."""
        done = self._initial_files.note()
        return done if done is not None and done.is_of(*self.accounts) else None

    def ready(self) -> None:
        """Whether exports may write.

        Raises:
            RefusedError: the initial sync was not done for these two accounts.
        """
        if self.initial() is None:
            raise RefusedError(
                f"The initial sync of {self.source} and {self.target} was not done: without it, what both have "
                "already would be made twice.",
                remedy=f"Do it once: ledger-pipelines initial-sync {self.name} (it writes to neither side).",
                code="initial-sync-missing",
            )

    def refuse_stepped_over(self, read: Collection[tuple[str, str]]) -> None:
        """Nothing is to be written by lists, (connection, entity), that miss days before the newest that was read. `run` need not ask:
        it reads them. No call.

        Raises:
            RefusedError: one does.
        """
        readings = self._readings(self.clock.now(), self._run_id)
        for side in self.sides(whole=True):
            readings.refuse_stepped_over(side, read)

    def refresh(self, progress: Progress | None = None) -> Refreshed:
        """Bring the snapshots of both sides up to date: only what changed since the last reading is asked for."""
        now = self.clock.now()
        readings = self._readings(now, self._run_id or _run_name(now))
        found = [readings.latest(side, progress) for side in self.sides(whole=False)]
        rows = {name: count for one in found for name, count in one.rows.items()}
        return Refreshed(rows, found[0].days)

    def first_unread(self, read: Collection[tuple[str, str]]) -> date | None:
        """The first day of which one of these lists of changes, (connection, entity), was never read; None = all days were. No call."""
        readings = self._readings(self.clock.now(), self._run_id)
        missing = [
            days[0]
            for side in self.sides(whole=True)
            for entity, days in readings.missing(side).items()
            if (side.name, entity) in read
        ]
        return min(missing, default=None)

    def _readings(self, now: datetime, run_id: str) -> Readings:
        return Readings(self.setup, now, run_id, self.reach(), self.young())

    # --- plans and exports -----------------------------------------------------------------------------------------

    def plan(self, flow: str, day: date) -> Plan:
        """Make and store one flow's plan of a day. Makes no call.

        Raises:
            ConfigurationError: there is no such flow. DataError: what it needs was never read.
        """
        with making_many():
            plan = self._compute(flow, day)
            self._plans.save(plan)
        waits = any(
            row.action is Action.BLOCKED or row.reason.code in self.COMES_BY_ITSELF for row in plan.rows
        )
        self.days_done.planned(flow, day, waits=waits)
        return plan

    def as_now(self, plan: Plan) -> Plan:
        """A plan of the same flow and day as it comes out now, not stored: where it is another one, the plan is stale. Makes no
        call."""
        return self._compute(plan.flow, date.fromisoformat(plan.partition), plan)

    def shares_calls(self, flow: str) -> bool:
        """Whether days of a flow may share calls (`TOGETHER`)."""
        return flow in self.TOGETHER

    def latest_plan(self, flow: str, day: date) -> Plan | None:
        """The plan that was made last, if any."""
        return self._plans.latest(self.name, flow, day.isoformat())

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
        plan = self.latest_plan(flow, day)
        if plan is None:
            raise DataError(
                f"There is no plan of {flow} for {day.isoformat()}.",
                remedy=f"Make one: ledger-pipelines plan {self.name} {flow} --partition {day.isoformat()}.",
                code="no-plan",
            )
        return self._carrying(mode, who, progress, overrides, stop).one(plan)

    def export_together(
        self, flow: str, days: Sequence[date], progress: Progress | None = None, *, who: str = ""
    ) -> dict[date, ApplyResult]:
        """Carry out the latest stored plans of some days where they may share calls. Days that gain nothing by it are left to
        `export`: they are not in what is returned.

        Raises:
            As `export`; then nothing of the days was written, and each can be exported on its own.
        """
        self.ready()
        plans = [self.latest_plan(flow, day) for day in days] if flow in self.TOGETHER else []
        there = [plan for plan in plans if plan is not None]
        together = self._carrying(None, who, progress).together(flow, there, anew=False)
        return {
            date.fromisoformat(one.plan.partition): one.result for one in together if one.result is not None
        }

    def _carrying(
        self,
        mode: Mode | None,
        who: str,
        progress: Progress | None,
        overrides: Sequence[Override] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Carrying:
        return Carrying(self, mode or self.setup.mode, who or who_asks(), progress, overrides, stop)

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
        about = self._about(days, news)
        runs: list[FlowRun] = []
        carrying = self._carrying(mode, who, progress)

        shut: set[str] = set()

        def carry(some: Sequence[date]) -> bool:
            """Plan and export; whether all of it was gone through. What shuts one connection does not stop the other's flows."""
            for name in chosen:
                connection = self.writes_to(name)
                for one in carrying.days(name, some) if connection not in shut else ():
                    runs.append(one)
                    if one.result is not None and (
                        one.result.parked is not None or one.result.stopped is not None
                    ):
                        shut.add(connection)
                        break
            return not shut

        if carry(about) and writes:
            if any(one.resolvable_at <= self.clock.now() for one in self.unfinished()):
                self._settle()
            carry(self._never_arrived(about))
        doubles = tuple(self.doubles())
        return RunResult(tuple(about), tuple(runs), self.calls() - before, news.rows, doubles)

    def _never_arrived(self, days: Sequence[date]) -> list[date]:
        """Days with a write of which this run has found out, too late for its own plan, that the call never arrived."""
        approved = Search(integration=self.name, states=(EffectState.APPROVED,), limit=EVERYTHING)
        absent = {
            entry.effect.partition
            for entry in self.journal.find(approved)
            if entry.problem is not None and entry.problem.code == ABSENT
        }
        return [day for day in days if day.isoformat() in absent]

    def plans(self, flow: str | None, days: Sequence[date], progress: Progress | None = None) -> list[Plan]:
        """Fresh plans: what a run would write. Reads, never writes."""
        about = self._about(days, self.refresh(progress))
        return [self.plan(name, day) for name in self._chosen(flow) for day in about]

    def _about(self, days: Sequence[date], news: Refreshed) -> list[date]:
        about = set(days) or {*news.days, *self.days_due(), self.today()}
        return sorted(day for day in about if day >= self.setup.start_date)

    def days_due(self) -> list[date]:
        """Days to plan: what the source changed on them was never carried out as it is now, something of them waits for a
        person, or their writes are not finished."""
        due = {date.fromisoformat(one.partition) for one in self.unfinished()}
        refused = Search(integration=self.name, states=(EffectState.REFUSED,), limit=EVERYTHING)
        due |= {date.fromisoformat(entry.effect.partition) for entry in self.journal.find(refused)}
        done = {flow: self.days_done.of(flow) for flow in self.flows}
        for day in self.mirror.days():
            if day < self.setup.start_date:
                continue
            token = self.token(day)
            for known in done.values():
                mark = known.get(day)
                if mark is None or mark.open or mark.token != token:
                    due.add(day)
        return sorted(due)

    def token(self, day: date) -> str:
        """What a day's plans are made from: the source's records of it as last read, and what a person has chosen. Another value
        says that one of them changed, and the day is due."""
        records = (f"{name}={value}" for name, value in sorted(self.mirror.tokens(day).items()))
        return digest(*records, f"chosen={self._chosen_digest}")

    @cached_property
    def _chosen_digest(self) -> str:
        return digest(self.settings_digest, self.setup.start_date.isoformat())

    # --- what came of it -------------------------------------------------------------------------------------------

    def report(self, first: date, last: date) -> Path:
        """Write the page an accountant reads, and give its path."""
        page = self.page(self.reconcile(first, last))
        path = self.setup.folder / "reconciliation" / f"{first.isoformat()}_{last.isoformat()}.html"
        make_folder(path.parent)
        write_atomically(path, page.encode())
        return path

    # --- worklist --------------------------------------------------------------------------------------------------

    @property
    def worklist(self) -> Worklist:
        """What is open, and what a person says of it."""
        return Worklist(
            self.name, self.ALL_FLOWS, self.journal, self.memory.ignored, self._plans, self.days_done, self.clock,
            self.doubles,
        )  # fmt: skip

    def resume(self, progress: Progress | None = None) -> ApplyResult:
        """Finish what earlier runs left open: resolve unknown outcomes, send what is approved. The target first."""
        results = [
            resume(
                journal=self.journal,
                writer=self.writer(flow),
                mode=self.setup.mode,
                clock=self.clock,
                search=Search(integration=self.name),
                progress=None if progress is None else lambda done, total: progress("resume", done, total),
                who=who_asks(),
            )
            for flow in self._one_flow_each()
        ]
        whole = results[0]
        for other in results[1:]:
            whole = replace(
                whole, rows=(*whole.rows, *other.rows), parked=whole.parked or other.parked,
                stopped=whole.stopped or other.stopped, sends=whole.sends + other.sends,
                probes=whole.probes + other.probes,
            )  # fmt: skip
        return whole

    def errors(self, day: date | None = None) -> list[OpenItem]:
        """What needs a person or a later probe."""
        return self.worklist.items(day)

    def retry(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Take up again. Keys concerned."""
        return self.worklist.retry(names, who, why)

    def ignore(self, names: Sequence[str], who: str, why: str) -> list[str]:
        """Count as resolved by a person. Keys concerned."""
        return self.worklist.ignore(names, who, why)

    def unfinished(self) -> list[Unfinished]:
        """Days with writes that are meant and not known to be done; from the journal, no call is made."""
        return unfinished(self.journal, self.name, self.settle_window(self.target))

    def status(self) -> DayStatus:
        """Where the integration stands; from what is stored, no call is made."""
        counts = self.journal.counts(Search(integration=self.name))
        initial = self.initial()
        spent = self.spent_if_open()
        return DayStatus(
            name=self.name,
            kind=self.KIND,
            mode=self.setup.mode,
            initial_sync=None if initial is None else initial.done_at,
            written=counts.get(EffectState.CONFIRMED, 0),
            open_items=len(self.errors()),
            days_due=tuple(self.days_due()),
            calls_today=None if spent is None else spent.used,
            calls_left=None if spent is None else spent.left,
        )

    def spent(self) -> tuple[int, int | None]:
        """Calls of today to the target, and how many are left of our share; None = any number."""
        client: Client = getattr(self, self.CLIENTS[1])
        spent = client.spent()
        return spent.used, spent.left

    def spent_if_open(self) -> Spent | None:
        """Where the target stands with today's calls, if its client was opened already."""
        client: Client | None = self.__dict__.get(self.CLIENTS[1])
        return None if client is None else client.spent()

    def calls(self) -> int:
        """Calls made to both sides by this process so far."""
        clients: list[Client] = [self.__dict__[name] for name in self.CLIENTS if name in self.__dict__]
        return sum(count.count for client in clients for count in client.calls())

    # --- inside ----------------------------------------------------------------------------------------------------

    def _one_flow_each(self) -> list[str]:
        """One flow for each connection that is written to, the target's first."""
        found: dict[str, str] = {}
        for flow in self.ALL_FLOWS:
            found.setdefault(self.writes_to(flow), flow)
        return [found[name] for name in sorted(found, key=lambda name: name != self.target)]

    def _chosen(self, flow: str | None) -> Sequence[str]:
        if flow is None:
            return self.flows
        if flow not in self.ALL_FLOWS:
            raise ConfigurationError(
                f"{self.name} has no flow {flow!r}.", remedy=f"Its flows are {', '.join(self.ALL_FLOWS)}."
            )
        if flow not in self.flows:
            raise ConfigurationError(
                f"The flow {flow} of {self.name} is off.", remedy="Turn it on in its settings: enabled: true."
            )
        return (flow,)

    def _compute(self, flow: str, day: date, exported: Plan | None = None) -> Plan:
        """The plan as it comes out now."""
        self._chosen(flow)
        mode = self.setup.mode if self.setup.mode is Mode.TEST else Mode.LIVE
        inputs = {**self.mirror.tokens(day), "settings": self.settings_digest, "mode": mode.value}
        return Plan(
            integration=self.name,
            flow=flow,
            partition=day.isoformat(),
            connection=self.writes_to(flow),
            made_at=self.clock.now(),
            inputs=tuple(sorted(inputs.items())),
            rows=tuple(_once(self.rows(flow, day, exported))),
        ).sealed()

    def _settle(self) -> None:
        """Settle what an earlier run left in the middle: a plan made while a row is in doubt could not ask for it."""
        for flow in self._one_flow_each():
            search = Search(integration=self.name, connection=self.writes_to(flow))
            counts = self.journal.counts(search)
            if any(counts.get(state) for state in IN_DOUBT):
                recover(
                    journal=self.journal,
                    writer=self.writer(flow),
                    clock=self.clock,
                    search=search,
                    who=who_asks(),
                )

    def memory_lost(self, day: date) -> bool:
        """Whether the target may hold documents of this day that a journal before this one knew of: it is younger than the
        initial sync, and the day is not after its birth."""
        done = self.initial()
        birth = self.journal.birth
        return done is not None and done.done_at < birth and day <= business_date(birth, self.setup.zone)


def _once(rows: Iterable[PlanRow]) -> Iterable[PlanRow]:
    """Each row once: two orders of one new customer want one contact."""
    seen: set[str] = set()
    for row in rows:
        if row.key not in seen:
            seen.add(row.key)
            yield row


def _run_name(now: datetime) -> str:
    return f"run-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"
