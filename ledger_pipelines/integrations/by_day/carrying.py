"""Plans of days carried out: one day's, or those of several days that share calls.

Belongs here: which plans go out together, which are made again in between, when a day counts as done. Does not belong here: which
days are due (`service`), what a plan holds (an integration), sending and its outcomes (`sync.apply`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import EffectState, Mode, Writer
from ledger_pipelines.integrations.by_day.days import DaysDone
from ledger_pipelines.integrations.by_day.results import FlowRun
from ledger_pipelines.storage.journal import Journal, Search
from ledger_pipelines.sync.apply import How, Task, apply, apply_together
from ledger_pipelines.sync.gates import StalePlanError
from ledger_pipelines.sync.guards import Guard, Override
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult, Outcome
from ledger_pipelines.telling import Progress, tell

IN_DOUBT = (EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN)
_NEVER_SENT = (EffectState.APPROVED, EffectState.REFUSED)
_PORTION = 1_000
"""Writes that go out together, about."""


class Planner(Protocol):
    """What carrying out asks of an integration."""

    @property
    def name(self) -> str:
        """Of the integration, as the journal keeps it."""
        ...

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def journal(self) -> Journal:
        """Where every write is noted before it is sent."""
        ...

    @property
    def days_done(self) -> DaysDone:
        """Which days were carried out, and as what."""
        ...

    def shares_calls(self, flow: str) -> bool:
        """Whether days of a flow may share calls."""
        ...

    def plan(self, flow: str, day: date) -> Plan:
        """A fresh plan, made and stored."""
        ...

    def as_now(self, plan: Plan) -> Plan:
        """The plan as it comes out now, for what was exported by this one."""
        ...

    def writer(self, flow: str) -> Writer:
        """Who sends."""
        ...

    def guards(self) -> Sequence[Guard]:
        """What every plan is held to."""
        ...

    def memory_lost(self, day: date) -> bool:
        """Whether the target may hold documents of the day that no journal knows of."""
        ...

    def token(self, day: date) -> str:
        """What a day's plan is made from: its records as last read, and the settings."""
        ...

    def falls_back(self, result: ApplyResult) -> bool:
        """Whether what was refused is to be planned and tried in another form at once."""
        ...


@dataclass(frozen=True, slots=True)
class Carrying:
    """Carries plans out, in one mode.

    Args:
        of: The integration.
        mode: PLAN writes nothing.
        who: For the log.
        progress: Told (flow, done, total).
        overrides: Guards that a person lifts.
        stop: Asked between writes.
    """

    of: Planner
    mode: Mode
    who: str
    progress: Progress | None = None
    overrides: Sequence[Override] = ()
    stop: Callable[[], bool] | None = None

    def days(self, flow: str, days: Sequence[date]) -> Iterator[FlowRun]:
        """Plan and carry out a flow's days in order; those that may share calls are all planned first."""
        quiet = replace(self, progress=None)
        planned: dict[date, Plan] = {}
        out: dict[str, FlowRun] = {}
        if self._may_share(flow) and len(days) > 1:
            for place, day in enumerate(days):
                tell(self.progress, flow, place, len(days))
                planned[day] = self.of.plan(flow, day)
            out = {one.plan.partition: one for one in quiet.together(flow, list(planned.values()), anew=True)}
        for place, day in enumerate(days):
            tell(self.progress, flow, place, len(days))
            if day.isoformat() in out:
                yield out[day.isoformat()]
                continue
            plan = planned[day] if day in planned and not out else self.of.plan(flow, day)
            yield FlowRun(flow, plan, None if self.mode is Mode.PLAN else quiet.one(plan))

    def together(self, flow: str, plans: Sequence[Plan], *, anew: bool) -> Iterator[FlowRun]:
        """Carry plans out in portions. A day that wants what an earlier day of its portion brings is exported once more after
        it: what it wanted may be of other content. Days that gain nothing by it are not in what comes back.

        Args:
            anew: A plan that an earlier day may have changed is made again. Not where somebody may have read it: a day whose plan
                is stale then is left to `one`, which refuses it.
        """
        if not self._may_share(flow):
            return
        for place, portion in enumerate(_portions([plan for plan in plans if plan.effects()])):
            due: Sequence[Plan] = portion
            if place and anew:
                made = [self.of.plan(flow, _day(plan)) for plan in portion]
                due = [plan for plan in made if plan.effects()]
            if len(due) < 2:
                continue
            for one in self._portion(flow, due, anew=anew):
                yield one
                if one.result is not None and (
                    one.result.parked is not None or one.result.stopped is not None
                ):
                    return

    def one(self, plan: Plan) -> ApplyResult:
        """Carry out one plan, the latest of its flow and day."""
        of, flow, day = self.of, plan.flow, _day(plan)
        token = of.token(day)
        if not plan.effects() and not self._left(plan):
            idle = apply(plan, journal=of.journal, writer=of.writer(flow), mode=Mode.PLAN, clock=of.clock)
            if self.mode is Mode.LIVE:
                of.days_done.carried_out(flow, day, token)
            return replace(idle, mode=self.mode.value)
        result = self._applied([plan])[0]
        if of.falls_back(result):
            result = _both(result, self._applied([of.plan(flow, day)])[0])
        self._note(flow, day, token, result)
        return result

    def _may_share(self, flow: str) -> bool:
        return self.mode is not Mode.PLAN and self.of.shares_calls(flow)

    def _portion(self, flow: str, portion: Sequence[Plan], *, anew: bool) -> Iterator[FlowRun]:
        days = [_day(plan) for plan in portion]
        tokens = [self.of.token(day) for day in days]
        results = self._applied(portion)
        seen: set[str] = set()
        for day, token, plan, result in zip(days, tokens, portion, results, strict=True):
            keys = {effect.key for effect in plan.effects()}
            shared, seen = keys & seen, seen | keys
            if not shared or result.parked is not None or result.stopped is not None:
                self._note(flow, day, token, result)
                yield FlowRun(flow, plan, result)
                continue
            after = self.of.plan(flow, day) if anew else plan
            try:
                again = self.one(after)
            except StalePlanError:
                continue
            yield FlowRun(flow, after, _both(result, again))

    def _applied(self, plans: Sequence[Plan]) -> Sequence[ApplyResult]:
        return apply_together([self._task(plan) for plan in plans], **self._how(plans[0].flow))

    def _task(self, plan: Plan) -> Task:
        return Task(plan, lambda: self.of.as_now(plan), self.of.memory_lost(_day(plan)))

    def _how(self, flow: str) -> How:
        progress = self.progress
        return How(
            journal=self.of.journal,
            writer=self.of.writer(flow),
            mode=self.mode,
            clock=self.of.clock,
            guards=self.of.guards(),
            overrides=self.overrides,
            progress=None if progress is None else lambda done, total: progress(flow, done, total),
            stop=self.stop,
            who=self.who,
        )

    def _note(self, flow: str, day: date, token: str, result: ApplyResult) -> None:
        """A day that was gone through is done, for records as `token` says."""
        through = result.parked is None and result.stopped is None and not result.tripped
        if self.mode is Mode.LIVE and through:
            self.of.days_done.carried_out(flow, day, token)

    def _left(self, plan: Plan) -> bool:
        """Whether the journal holds writes of an earlier plan of this flow and day that never went out."""
        search = Search(integration=self.of.name, flow=plan.flow, partition=plan.partition)
        counts = self.of.journal.counts(search)
        return any(counts.get(state) for state in (*_NEVER_SENT, *IN_DOUBT))


def _day(plan: Plan) -> date:
    return date.fromisoformat(plan.partition)


def _portions(plans: Iterable[Plan]) -> Iterator[list[Plan]]:
    """Plans in order, about a thousand writes at a time: so many are held in memory, and so many begin anew when one is stale."""
    portion: list[Plan] = []
    for plan in plans:
        portion.append(plan)
        if sum(len(one.effects()) for one in portion) >= _PORTION:
            yield portion
            portion = []
    yield portion


def _both(first: ApplyResult, second: ApplyResult) -> ApplyResult:
    """One result of two goes at one day: the rows as they ended, and what both cost."""
    done = {row.key: row for row in first.rows if row.outcome is Outcome.WRITTEN}
    rows = tuple(done.get(row.key, row) if row.outcome is not Outcome.REFUSED else row for row in second.rows)
    return replace(
        second, rows=rows, started_at=first.started_at, sends=first.sends + second.sends, probes=first.probes + second.probes
    )  # fmt: skip
