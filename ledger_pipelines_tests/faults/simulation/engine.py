"""The engine and its journal against a small ledger, where a schedule of accidents befalls them.

Belongs here: the source, the target, the accidents between them. Does not belong here: what must hold (`judge`), the line
(`line`), a vendor (`netsuite`).

Engine, journal, plan, keys and gates are the production code; clock, network and death are simulated. In "direct" the
writer talks to the ledger; in "http" it goes through `systems.http` with its classification of endings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import EffectState, Mode, WriteClass
from ledger_pipelines.documents.keys import effect_key, external_id
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.acts import ignore, retry
from ledger_pipelines.sync.apply import apply, recover, resume
from ledger_pipelines.sync.gates import AlteredPlanError, StalePlanError
from ledger_pipelines.sync.owners import alive
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.states import FAULT_POINTS, Policy
from ledger_pipelines_tests.faults.engine_target import (
    FakeClock,
    FakeLedger,
    FakeWriter,
    Fault,
    make_effect,
    make_plan,
)
from ledger_pipelines_tests.faults.simulation.judge import Judge
from ledger_pipelines_tests.faults.simulation.line import LONGEST_CALL, Line, LineWriter, Trouble
from ledger_pipelines_tests.faults.simulation.schedule import MET, STOPS, Desk, Schedule, pick

LATE = timedelta(seconds=60)
LAG = timedelta(seconds=20)
WINDOW = LATE + LAG + timedelta(seconds=3)
LEASE = timedelta(seconds=45)
STEPS = (4, 6, 9)
"""How long a schedule is: more short ones, and some in which much comes together."""
MOST = 8
RUNS_TO_SETTLE = 5
POINTS = tuple(point for point in FAULT_POINTS if point.startswith(("apply.", "recover.")))
"""Fault points of the engine; those of storing a plan belong to other drills."""
DIRECT, HTTP = "direct", "http"
_STEPS: Sequence[tuple[str, float]] = (
    ("apply", 5),
    ("crash", 5),
    ("stop", 3),
    ("resume", 2),
    ("recover", 1),
    ("time", 4),
    ("edit", 0.5),
    ("source", 0.6),
    ("stale", 0.5),
    ("altered", 0.3),
    ("person", 1.5),
    ("credentials", 0.5),
    ("search", 0.5),
    ("lose", 0.3),
)


class EngineWorld:
    """One schedule.

    Args:
        schedule: Chance.
        desk: Where the journal lies.
        way: How the ledger is reached: DIRECT or HTTP.
        forgets_the_loss: A known-bad caller: a lost journal is not told to the engine (`remote_memory`).
    """

    def __init__(
        self, schedule: Schedule, desk: Desk, way: str = DIRECT, *, forgets_the_loss: bool = False
    ) -> None:
        self.schedule = schedule
        random = schedule.random
        self._desk = desk
        self._forgets = forgets_the_loss
        self.clock = FakeClock()
        native = way == DIRECT and random.random() < 0.25
        self.ledger = FakeLedger(
            self.clock,
            upserts=native,
            unique=not native and random.random() < 0.3,
            search_lag=random.choice([timedelta(0), LAG]),
            late_by=LATE * random.random(),
        )
        size = random.choice([1, 1, 3])
        self._line: LineWriter | None = None
        self._troubles: Sequence[StrEnum] = tuple(Fault)
        self.writer: FakeWriter | LineWriter
        if way == HTTP:
            self._troubles = (*Trouble, Fault.CREDENTIALS)
            self._line = self.writer = LineWriter(
                Line(schedule, self.ledger), self.clock, WINDOW + LONGEST_CALL, size
            )
        else:
            write_class = WriteClass.NATIVE_KEY if native else WriteClass.SEARCH
            self.writer = FakeWriter(
                self.ledger, write_class=write_class, settle_window=WINDOW, batch_size=size
            )
        self.policy = Policy(
            lease=LEASE,
            claim_ahead=random.choice([1, 2, 64]),
            not_sent_breaker=3,
            unknown_breaker=3,
            owner_alive=random.choice([alive, lambda _: None]),
        )
        self._losses = 0
        self._lost = False
        self.source: dict[str, Decimal] = {}
        """What the shop says: the amount of each document."""
        self._order: list[str] = []
        self._needs: dict[str, str] = {}
        for _ in range(random.randint(1, 3)):
            self._arrive()
        self.touched: set[str] = set()
        """Documents whose rows may be held for a reason: a person edited them, or the shop changed its mind."""
        self.journal: Journal = desk.journal()
        self._judge = Judge(schedule, self.ledger)

    def close(self) -> None:
        """Let go of the journal."""
        self.journal.close()
        if self._line is not None:
            self._line.close()

    # --- the shop ------------------------------------------------------------------------------------------------

    def _arrive(self) -> None:
        """The shop has one more document, which may need an earlier one."""
        random, name = self.schedule.random, str(len(self.source))
        if len(self.source) == MOST:
            return
        self.source[name] = Decimal("10.00") + len(self.source)
        if self._order and random.random() < 0.3:
            self._needs[name] = random.choice(self._order)
        self._order.insert(random.randint(0, len(self._order)), name)

    def _key(self, name: str) -> str:
        return effect_key(
            connection="books",
            account="1",
            kind="invoice",
            source_system="shop",
            source_id=name,
            purpose="sale",
        )

    def plan(self) -> Plan:
        """The plan as the integration makes it now."""
        effects = []
        for name in self._order:
            needs = (self._key(self._needs[name]),) if name in self._needs else ()
            effect = make_effect(name, amount=str(self.source[name]), depends_on=needs)
            effects.append(replace(effect, key=self._key(name), external_id=external_id("SIM", name)))
        return make_plan(*effects)

    # --- accidents -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """The schedule, then calm, then the verdict."""
        for _ in range(self.schedule.random.choice(STEPS)):
            self._step()
            self._judge.nothing_twice()
        self._calm()
        self._judge.in_the_end(self.plan(), self.journal, self.touched)

    def _step(self) -> None:
        schedule, random = self.schedule, self.schedule.random
        self.ledger.faults = [
            random.choice([None, None, None, *self._troubles]) for _ in range(random.randint(0, 4))
        ]
        self.ledger.faults = [
            f if f is not Fault.CREDENTIALS or random.random() < 0.2 else None for f in self.ledger.faults
        ]
        kind = pick(random, _STEPS)
        told = ", ".join(str(fault or "-") for fault in self.ledger.faults)
        schedule.say(f"{self.clock.now():%H:%M:%S} {kind} line: {told or 'quiet'}")
        before = Counter(self.ledger.met)
        if random.random() < 0.6:
            self._arrive()
        match kind:
            case "apply":
                self._engine(self._apply)
            case "crash":
                point, hits = random.choice(POINTS), random.choice([1, 1, 1, 2, 3])
                schedule.at(point, hits, lambda: schedule.die(point))
                self._engine(random.choice([self._apply, self._apply, self._resume]))
            case "stop":
                point = random.choice(POINTS)
                schedule.at(point, random.choice([1, 1, 2]), lambda: self._stopped(point))
                self._engine(self._apply)
            case "resume":
                self._engine(self._resume)
            case "recover":
                self._engine(self._recover)
            case "time":
                self.clock.pass_time(random.choice([1, 10, 30, 50, 90, 400]))
            case "edit" if self.ledger.records:
                self._edit()
            case "source":
                name = random.choice(list(self.source))
                self._change(name, random.choice([1, 2, 3]))
            case "stale":
                self._stale()
            case "altered":
                self._altered()
            case "person":
                self._person()
            case "credentials":
                self.ledger.credentials_work = not self.ledger.credentials_work
            case "search":
                self.ledger.search_works = not self.ledger.search_works
            case "lose" if self._losses < 2:
                self._lose()
        for fault, count in (self.ledger.met - before).items():
            schedule.met[f"{MET}{fault}"] += count

    def _stopped(self, point: str) -> None:
        """The process sleeps past its lease while another one does the work, then wakes in the middle of its own."""
        schedule, random = self.schedule, self.schedule.random
        faultpoints.install(None)
        schedule.met[STOPS + point] += 1
        schedule.say(f"   stops at {point}")
        self.clock.pass_time(random.choice([10, 50, 90, 200]))
        self._engine(self._apply)
        if random.random() < 0.5:
            self.clock.pass_time(100)
            self._engine(self._apply)
        schedule.say("   wakes")

    def _engine(self, act: Callable[[], None]) -> None:
        self.schedule.process(act)

    def _apply(self) -> None:
        schedule = self.schedule
        checked = schedule.random.random() < 0.5
        try:
            result = apply(
                self.plan(),
                journal=self.journal,
                writer=self.writer,
                mode=Mode.LIVE,
                clock=self.clock,
                recompute=self.plan if checked else None,
                remote_memory=self._lost,
                policy=self.policy,
                random=schedule.random,
            )
        except StalePlanError:
            schedule.complain("lost: a plan made just now is called stale, nothing of it is written")
            return
        schedule.say("   " + ", ".join(f"{row.number} {row.outcome.value}" for row in result.rows))

    def _resume(self) -> None:
        resume(
            journal=self.journal,
            writer=self.writer,
            clock=self.clock,
            policy=self.policy,
            random=self.schedule.random,
        )

    def _recover(self) -> None:
        recover(journal=self.journal, writer=self.writer, clock=self.clock, policy=self.policy)

    def _edit(self) -> None:
        """A person changes the amount of a document in the target."""
        self.schedule.met[f"{MET}edit"] += 1
        index = self.schedule.random.randrange(len(self.ledger.records))
        record = self.ledger.records[index]
        self.touched.add(record.external_id)
        self.ledger.records[index] = replace(record, amount=Money.of("77.00", "USD"))

    def _change(self, name: str, by: int) -> None:
        """The shop says another amount from now on."""
        self.schedule.met[f"{MET}source changed"] += 1
        self.source[name] += by
        self.touched.add(external_id("SIM", name))

    def _stale(self) -> None:
        """A plan made before the shop changed its mind is applied after."""
        old = self.plan()
        self._change(self.schedule.random.choice(list(self.source)), 5)
        self._must_refuse(old, StalePlanError, "stale")

    def _altered(self) -> None:
        """Someone writes another amount into a plan that was made."""
        plan = self.plan()
        index = self.schedule.random.randrange(len(plan.rows))
        row = plan.rows[index]
        assert row.effect is not None
        forged = make_effect(row.number, amount="999.00")
        effect = replace(row.effect, body=forged.body, expected=forged.expected)
        rows = (*plan.rows[:index], replace(row, effect=effect), *plan.rows[index + 1 :])
        self.touched.add(effect.external_id)
        self._must_refuse(replace(plan, rows=rows), AlteredPlanError, "altered")

    def _must_refuse(self, plan: Plan, error: type[RefusedError], what: str) -> None:
        schedule, calls = self.schedule, (self.ledger.calls, self.ledger.probes)
        schedule.met[f"{MET}{what} plan"] += 1

        def act() -> None:
            try:
                apply(
                    plan, journal=self.journal, writer=self.writer, mode=Mode.LIVE, clock=self.clock,
                    recompute=self.plan, policy=self.policy, random=schedule.random,
                )  # fmt: skip
            except error:
                return
            if error is AlteredPlanError or not self._judge.has_all(plan):
                schedule.complain(f"the {what} plan was not refused")

        self._engine(act)
        if (self.ledger.calls, self.ledger.probes) != calls:
            schedule.complain(f"the {what} plan was applied: it called the target")

    def _person(self) -> None:
        open_states = {EffectState.HELD, EffectState.REFUSED, EffectState.UNKNOWN, EffectState.IGNORED}
        entries = [
            entry
            for entry in self.journal.entries(effect.key for effect in self.plan().effects()).values()
            if entry.state in open_states
        ]
        if not entries:
            return
        random = self.schedule.random
        entry = random.choice(sorted(entries, key=lambda one: one.effect.number))
        act = random.choice([retry, retry, ignore])
        self.schedule.met[f"{MET}{act.__name__}"] += 1
        try:
            act(self.journal, [entry.key], who="anna", why="looked at it", clock=self.clock)
        except RefusedError as error:
            self.schedule.say(f"   refused: {error.code}")

    def _lose(self) -> None:
        self.schedule.met[f"{MET}lost journal"] += 1
        self._losses += 1
        self._lost = not self._forgets
        self.journal.close()
        self.journal = self._desk.journal(born=self.clock.now())

    def _calm(self) -> None:
        """Liveness: once nothing fails any more, everything is settled in a few runs."""
        self.ledger.faults = []
        self.ledger.credentials_work = self.ledger.search_works = True
        for _ in range(RUNS_TO_SETTLE):
            calls = (self.ledger.calls, self.ledger.probes)
            self.clock.pass_time(1000)
            self._engine(self._apply)
            self._judge.nothing_twice()
            if (self.ledger.calls, self.ledger.probes) == calls:
                return
        self.schedule.complain(f"after {RUNS_TO_SETTLE} quiet runs there is still something to do")
