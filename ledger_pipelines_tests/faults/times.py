"""Cases about time, for the drill `resources`: a clock that is wrong, days that are odd, tokens that end too early.

Belongs here: those cases and what has to hold after each. Does not belong here: other refusals of the machine
(`drills.resources`).

The clock of the product and that of the sandbox are apart here: the machine's may be hours wrong while NetSuite's is right.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.dates import Month, Window
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.systems.amazon.vocabulary import classify
from ledger_pipelines.systems.limits import BucketRate, TokenBuckets
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines_tests.faults.drill_books import Picture, doubles
from ledger_pipelines_tests.faults.entries import SETTLEMENTS, Entry
from ledger_pipelines_tests.faults.kit import Setting, Verdict
from ledger_pipelines_tests.generate import Group, SettlementFile, order
from ledger_pipelines_tests.stage import WINDOW, JumpingClock, Stage

SCENE = "small"
HOURS = 5
RUNS = 8
ANY_BUT_TOKENS = "/record/|/query/|/async/"
CALLS = 26
"""Calls of a run of the scene beside those for tokens: the token ends at each of them, and at none after the last."""


class WrongClock(JumpingClock):
    """The product's clock, wrong by `wrong` while the sandbox's is right."""

    wrong = timedelta(0)

    def now(self) -> datetime:
        """What this machine believes."""
        return super().now() + self.wrong


class _Died(BaseException):
    """The process ends at a fault point, in the middle of whatever it does."""


@dataclass(frozen=True, slots=True)
class Jump:
    """At the n-th reach of a point the machine's clock becomes wrong by so many hours; it may die there, too.

    trouble: a fault of the sandbox that leaves an answer unknown, so that a probe follows.
    """

    hours: int
    point: str
    nth: int = 1
    dies: bool = False
    trouble: str = ""


JUMPS: Mapping[str, Jump] = {
    "forward-between-claim-and-send": Jump(HOURS, "apply.claimed", 2),
    "forward-under-way": Jump(HOURS, "apply.marked_sent", 2),
    "forward-before-the-answer-is-kept": Jump(HOURS, "apply.before_confirm", 2),
    "forward-between-unknown-and-probe": Jump(HOURS, "recover.before_expire", 3, trouble="apply_late"),
    "forward-while-an-answer-is-lost": Jump(HOURS, "apply.marked_sent", 2, trouble="cut_after"),
    "forward-then-crash": Jump(HOURS, "apply.marked_sent", 2, dies=True),
    "forward-then-crash-after-claim": Jump(HOURS, "apply.claimed", 2, dies=True),
    "back-between-claim-and-send": Jump(-HOURS, "apply.claimed", 2),
    "back-under-way": Jump(-HOURS, "apply.marked_sent", 2),
    "back-between-unknown-and-probe": Jump(-HOURS, "recover.before_expire", 3, trouble="apply_late"),
    "back-while-an-answer-is-lost": Jump(-HOURS, "apply.marked_sent", 2, trouble="cut_after"),
    "back-after-crash": Jump(-HOURS, "apply.marked_sent", 2, dies=True),
}
EASTERN = ZoneInfo("America/New_York")


def _at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]  # year to minute


DAYS: Mapping[str, tuple[datetime, ...]] = {
    # Clocks go ahead at 07:00 UTC: the day has 23 hours, midnight moves from 05:00 to 04:00 UTC.
    "spring": (_at(2026, 3, 8, 4, 59), _at(2026, 3, 8, 5, 0), _at(2026, 3, 8, 6, 59), _at(2026, 3, 8, 7, 0),
               _at(2026, 3, 9, 3, 59), _at(2026, 3, 9, 4, 0)),
    # Clocks go back at 06:00 UTC: 01:30 comes twice; the day begins at 04:00 and ends at 05:00 UTC, and November with it.
    "autumn": (_at(2025, 11, 2, 3, 59), _at(2025, 11, 2, 4, 0), _at(2025, 11, 2, 5, 30), _at(2025, 11, 2, 6, 30),
               _at(2025, 11, 3, 4, 59), _at(2025, 11, 3, 5, 0)),
    "month-end": (_at(2026, 4, 1, 3, 59), _at(2026, 4, 1, 4, 0)),
    "year-end": (_at(2026, 1, 1, 4, 59), _at(2026, 1, 1, 5, 0), _at(2025, 12, 31, 5, 0)),
    "leap-day": (_at(2024, 2, 29, 4, 59), _at(2024, 2, 29, 5, 0), _at(2024, 3, 1, 4, 59), _at(2024, 3, 1, 5, 0)),
}  # fmt: skip
"""Instants at which orders are posted, by case."""

TIMES: tuple[str, ...] = (
    *JUMPS,
    *(f"day-{name}" for name in DAYS),
    "snapshots-spring",
    "snapshots-autumn",
    "period-closed",
    "limiter-back",
    *(f"token#{nth}" for nth in range(1, CALLS + 2)),
)


class Times:
    """The cases, on the drill's sandbox."""

    def __init__(self, sandbox: RunningSandbox, setting: Setting, undisturbed: Mapping[str, Picture]) -> None:
        self._sandbox, self._setting, self._undisturbed = sandbox, setting, undisturbed
        self._number = 0

    def carry_out(self, case: str, integration: str, what: str) -> Verdict:
        """One case. Raises ValueError for an unknown one."""
        entry = SETTLEMENTS[integration]
        if what in JUMPS:
            return self._jump(case, entry, JUMPS[what])
        if what.startswith("day-"):
            return self._day(case, entry, DAYS[what.removeprefix("day-")])
        if what.startswith("snapshots-"):
            return self._snapshots(case, entry, DAYS[what.removeprefix("snapshots-")])
        if what.startswith("token#"):
            return self._token(case, entry, int(what.removeprefix("token#")))
        if what == "period-closed":
            return self._period(case, entry)
        if what == "limiter-back":
            return self._limiter(case)
        raise ValueError(f"there is no case {case!r}")

    @contextmanager
    def _stage(self, entry: Entry[Stage], books: str = "") -> Iterator[Stage]:
        self._number += 1
        folder = self._setting.folder / f"time-{self._number:04d}"
        folder.mkdir()
        stage = entry.open(self._sandbox, folder)
        stage.clock = WrongClock(stage.control)
        try:
            if books == "empty":
                stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
            else:
                stage.control.post("/restore", json={"name": f"resources-{entry.name}"}).raise_for_status()
                stage.control.delete("/faults").raise_for_status()
            yield stage
        finally:
            faultpoints.install(None)
            stage.control.post("/clock", json={"offset_seconds": 0})
            stage.close()

    def _judge(self, entry: Entry[Stage], stage: Stage, problems: list[str], figures: Counter[str]) -> None:
        now, wanted = entry.picture(stage), self._undisturbed[entry.name]
        problems += now.differences(wanted)
        problems += [f"external id twice: {one}" for one in doubles(stage.books().external_ids())]
        figures["lost"] += now.lost(wanted)
        figures["doubled"] += now.doubled(wanted)

    def _finish(self, stage: Stage, partition: str, problems: list[str], figures: Counter[str]) -> None:
        """Run until nothing is open, a settle window apart; never longer than the clock was wrong."""
        for _ in range(RUNS):
            stage.clock.jump(WINDOW + 1)
            result = stage.again().run(None, partition)
            figures["runs after it"] += 1
            if result.exit_code == 0 and not stage.unfinished():
                return
        problems.append(f"still open after {RUNS} runs: {stage.service.journal.counts()}")

    # --- clocks ----------------------------------------------------------------------------------------------------

    def _jump(self, case: str, entry: Entry[Stage], jump: Jump) -> Verdict:
        problems: list[str] = []
        figures: Counter[str] = Counter({"clock jumps": 1})
        scene = entry.scenes[SCENE]
        with self._stage(entry) as stage:
            stage.arrive(scene.content, seed=False)
            if jump.trouble:
                stage.fault(
                    jump.trouble, path=entry.path, rate=0.5, seed=self._setting.seed, times=3,
                    **({"seconds": WINDOW * 0.6} if jump.trouble == "apply_late" else {}),
                )  # fmt: skip
            met = _Meet(stage, jump)
            faultpoints.install(met)
            try:
                stage.service.run(None, scene.partition)
            except _Died:
                stage.close_service()
            except LedgerError as error:
                figures["said so"] += bool(error.remedy)
            faultpoints.install(None)
            if not met.done:
                problems.append(f"{jump.point} was not reached {jump.nth} times")
            self._wrong(stage, timedelta(0))  # somebody sets the clock right
            if jump.trouble:
                figures["faults"] += stage.fired()
            self._finish(stage, scene.partition, problems, figures)
            stage.clock.jump(WINDOW + 1)
            self._judge(entry, stage, problems, figures)
        return Verdict(case, tuple(problems), dict(figures))

    @staticmethod
    def _wrong(stage: Stage, by: timedelta) -> None:
        clock = stage.clock
        assert isinstance(clock, WrongClock)
        clock.wrong = by

    def _limiter(self, case: str) -> Verdict:
        """A rate limit whose last call lies in the future does not wait for that future; nor does it let more through."""
        problems = []
        clock = _Still(_at(2026, 3, 1, 12, 0))
        folder = self._setting.folder / f"limits-{threading.get_ident()}"
        rate = BucketRate(per_second=1, burst=3)
        for _ in range(5):
            TokenBuckets(folder, clock).take("account", rate)
        clock.at -= timedelta(hours=HOURS)
        before = clock.at
        for _ in range(10):
            TokenBuckets(folder, clock).take("account", rate)
        took = (clock.at - before).total_seconds()
        if not 7 <= took <= 14:
            problems.append(
                f"after the clock went back, ten calls at one a second with a burst of 3 took {took} s"
            )
        return Verdict(case, tuple(problems), {"clock jumps": 1})

    # --- odd days --------------------------------------------------------------------------------------------------

    def _day(self, case: str, entry: Entry[Stage], instants: tuple[datetime, ...]) -> Verdict:
        """Orders around midnight, in the hour that runs twice, on the leap day: each on its own day, none twice."""
        problems: list[str] = []
        start = min(instants) - timedelta(days=5)
        groups: list[Group] = [
            order(f"113-67{number:05d}-0000001", f"{10 + number}.00", posted=instant)
            for number, instant in enumerate(instants)
        ]
        file = SettlementFile(
            "26700000077", tuple(groups), start=start, end=max(instants) + timedelta(days=5)
        )
        with self._stage(entry, "empty") as stage:
            partition = stage.arrive(file)
            result = stage.run(partition)
            if result.exit_code:
                problems.append(f"the run ends with {result.exit_code}")
            held = {
                record["custbody_azs_order_id"]: record
                for record in stage.books().ours("customerPayment", partition)
            }
            for group in groups:
                wanted = str(group.posted.astimezone(EASTERN).date())
                payment = held.get(group.order_id)
                if payment is None:
                    problems.append(f"the order posted at {group.posted} has no payment")
                elif str(payment["tranDate"])[:10] != wanted:
                    problems.append(f"{group.posted}: booked on {payment['tranDate']}, not on {wanted}")
            rows = SettlementRows(
                stage.service.setup.data / "settlements/amazon_us" / partition / "rows.parquet", classify
            )
            months = Counter[str]()
            for one in rows.by_month(EASTERN):
                months[str(one.month)] += one.rows
            expected = Counter[str]()
            for group in groups:
                local = group.posted.astimezone(EASTERN)
                expected[str(Month.of(local.date()))] += len(group.amounts)
            if months != expected:
                problems.append(f"rows by month are {dict(months)}, not {dict(expected)}")
            clearing = stage.books().balance("1051")
            if clearing != 0:
                problems.append(f"the clearing account holds {clearing}")
        return Verdict(
            case, tuple(problems), {"days judged": len(instants), "lost": len(instants) - len(held)}
        )

    def _snapshots(self, case: str, entry: Entry[Stage], instants: tuple[datetime, ...]) -> Verdict:
        """Records changed at odd instants are read on exactly one day, whatever windows they are read with."""
        problems: list[str] = []
        with self._stage(entry, "empty") as stage:
            made: dict[str, date] = {}
            for number, instant in enumerate(instants):
                ahead = (instant - datetime.now(UTC)).total_seconds()
                stage.control.post("/clock", json={"offset_seconds": ahead}).raise_for_status()
                stage.clock = WrongClock(stage.control)
                made[self._customer(stage, number, instant)] = instant.astimezone(EASTERN).date()
            client = stage.service.client
            reader, entity = Reader(client), entities(client.connection)["customers"]
            place = [column.name for column in entity.columns].index("id")
            first, last = min(made.values()) - timedelta(days=1), max(made.values()) + timedelta(days=1)
            found: dict[str, list[date]] = {}
            for day in Window(first, last, EASTERN).days():
                window = Window(day, day, EASTERN)
                for rows in reader.read_changes(entity, window.start, window.end):
                    for cells in rows.cells:
                        found.setdefault(str(cells[place]), []).append(day)
            for record, day in made.items():
                if found.get(record) != [day]:
                    problems.append(
                        f"customer {record}, changed on {day}, was read on {found.get(record, 'no day')}"
                    )
            whole = Window(first, last, EASTERN)
            read = Counter(
                str(cells[place])
                for rows in reader.read_changes(entity, whole.start, whole.end)
                for cells in rows.cells
            )
            problems += [
                f"customer {record} was read {read[record]} times in one sweep"
                for record in made
                if read[record] != 1
            ]
        lost = sum(not found.get(record) for record in made)
        return Verdict(case, tuple(problems), {"days judged": len(made), "lost": lost})

    @staticmethod
    def _customer(stage: Stage, number: int, instant: datetime) -> str:
        # A record of its own, made at that instant as NetSuite's user would.
        stage.close_service()
        other = stage.books().records("customer")[0]
        name = f"Odd hour {number} {instant:%H%M}"
        return stage.make(
            "customer", {"companyName": name, "isPerson": False, "subsidiary": other["subsidiary"]}
        )

    def _period(self, case: str, entry: Entry[Stage]) -> Verdict:
        """The books' month is closed while a run writes into it: said, nothing forced; opened again, it completes."""
        problems: list[str] = []
        figures: Counter[str] = Counter()
        scene = entry.scenes[SCENE]
        with self._stage(entry) as stage:
            stage.arrive(scene.content, seed=False)
            reached = 0

            def close(point: str) -> None:
                nonlocal reached
                if point == "apply.marked_sent":
                    reached += 1
                    if reached == 3:
                        stage.period("Mar 2026", closed=True)

            faultpoints.install(close)
            result = stage.service.run(None, scene.partition)
            faultpoints.install(None)
            before = stage.books().external_ids()
            if result.exit_code == 0:
                problems.append("the run of a closed month ends as if all were written")
            waiting = [one for one in stage.service.errors(scene.partition) if "period" in one.text.lower()]
            if not waiting:
                problems.append("no open item says that the period is closed")
            figures["waited for the month"] += len(waiting)
            stage.again().run(None, scene.partition)
            if stage.books().external_ids() != before:
                problems.append("something was written into a closed month")
            stage.period("Mar 2026", closed=False)
            refused = (
                one for one in stage.again().errors(scene.partition) if one.state in ("refused", "held")
            )
            names = sorted({one.key for one in refused})
            if names:
                stage.service.retry(names, "drill", "the month is open again")
            self._finish(stage, scene.partition, problems, figures)
            self._judge(entry, stage, problems, figures)
        return Verdict(case, tuple(problems), dict(figures))

    # --- tokens ----------------------------------------------------------------------------------------------------

    def _token(self, case: str, entry: Entry[Stage], nth: int) -> Verdict:
        """The n-th call finds its token refused: it is renewed once, the call repeated, nothing doubled."""
        problems: list[str] = []
        figures: Counter[str] = Counter()
        scene = entry.scenes[SCENE]
        with self._stage(entry) as stage:
            stage.arrive(scene.content, seed=False)
            stage.forget_calls()
            stage.fault("5xx_before", status=401, nth=nth, path=ANY_BUT_TOKENS)
            result = stage.service.run(None, scene.partition)
            ended = stage.fired()
            figures["tokens ended" if ended else "unharmed"] += 1
            if ended != (nth <= CALLS):
                problems.append(
                    f"the run has more or fewer calls than {CALLS}: call {nth} was refused {ended} times"
                )
            if result.exit_code:
                problems.append(f"the run ends with {result.exit_code}")
            tokens = sum(call["count"] for call in stage.calls() if "token" in call["path"])
            if tokens != 1 + ended:
                problems.append(f"the token was asked for {tokens} times")
            self._finish(stage, scene.partition, problems, figures)
            self._judge(entry, stage, problems, figures)
        return Verdict(case, tuple(problems), dict(figures))


class _Meet:
    """Makes the clock wrong at the n-th reach of a point."""

    def __init__(self, stage: Stage, jump: Jump) -> None:
        self._stage, self._jump = stage, jump
        self._count = 0
        self.done = False

    def __call__(self, point: str) -> None:
        """The hook of `faultpoints`."""
        if self.done or point != self._jump.point:
            return
        self._count += 1
        if self._count < self._jump.nth:
            return
        self.done = True
        clock = self._stage.clock
        assert isinstance(clock, WrongClock)
        clock.wrong = timedelta(hours=self._jump.hours)
        if self._jump.dies:
            raise _Died(point)


@dataclass
class _Still:
    """A clock that moves when it is waited for."""

    at: datetime

    def now(self) -> datetime:
        """The present instant."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.at += timedelta(seconds=seconds)
