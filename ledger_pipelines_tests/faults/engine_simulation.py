"""Seeded schedules of everything that can go wrong between the engine and a target, and the judge of the outcome.

Belongs here: the world, its accidents, the promises of reliability.md section 0 as checks, and known-bad variants that the
checks must catch. Does not belong here: real processes (`engine_child`), any vendor.

The engine and the journal are the production code; clock, network and death are simulated. A failure prints its seed;
`python -m ledger_pipelines_tests.faults.engine_simulation --seed N` replays it, `--count 10000` runs many.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import EffectState, Mode, WriteClass
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.storage.journal.database import journal_url, make_engine
from ledger_pipelines.sync.acts import ignore, retry
from ledger_pipelines.sync.apply import apply, recover, resume
from ledger_pipelines.sync.owners import alive
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.states import FAULT_POINTS, Policy
from ledger_pipelines_tests.faults.engine_target import (
    START,
    FakeClock,
    FakeLedger,
    FakeWriter,
    Fault,
    make_effect,
    make_plan,
)

LATE = timedelta(seconds=60)
LAG = timedelta(seconds=20)
WINDOW = LATE + LAG + timedelta(seconds=3)
LEASE = timedelta(seconds=45)
VARIANTS = ("engine", "no-settle-window", "post-then-record", "memory-loss-ignored")


class Crash(BaseException):
    """The process dies here: nothing after this line of it runs."""


@dataclass
class World:
    """One schedule."""

    seed: int
    place: Path
    template: Path
    variant: str = "engine"
    trace: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        random = self.random
        self.clock = FakeClock()
        native = random.random() < 0.25
        self.ledger = FakeLedger(
            self.clock,
            upserts=native,
            unique=not native and random.random() < 0.3,
            search_lag=random.choice([timedelta(0), LAG]),
            late_by=LATE * random.random(),
        )
        self.writer = FakeWriter(
            self.ledger,
            write_class=WriteClass.NATIVE_KEY if native else WriteClass.SEARCH,
            settle_window=timedelta(0) if self.variant == "no-settle-window" else WINDOW,
            batch_size=random.choice([1, 1, 3]),
        )
        self.policy = Policy(
            lease=LEASE,
            claim_ahead=random.choice([1, 2, 64]),
            not_sent_breaker=3,
            unknown_breaker=3,
            owner_alive=random.choice([alive, lambda _: None]),
        )
        self.lost = False
        self.edited: set[str] = set()
        self.generation = 0
        self.naive_done: set[str] = set()
        self.journal = self._new_journal()
        self.plan = self._plan()
        self.nested = False

    # --- the world -----------------------------------------------------------------------------------------------

    def _new_journal(self) -> Journal:
        path = self.place / f"journal-{self.generation}.db"
        if self.generation == 0:
            shutil.copyfile(self.template, path)
            return Journal(make_engine(journal_url(path)))
        return Journal.open(path, now=self.clock.now())

    def _plan(self) -> Plan:
        names = [str(i) for i in range(self.random.randint(2, 6))]
        effects = []
        for index, name in enumerate(names):
            needs = (f"KEY{names[index - 1]}",) if index and self.random.random() < 0.3 else ()
            effects.append(make_effect(name, depends_on=needs))
        self.random.shuffle(effects)
        return make_plan(*effects)

    def _hook(self, point: str, hits: int, action: Callable[[], None]) -> None:
        left = hits

        def hook(name: str) -> None:
            nonlocal left
            self.reached[name] += 1
            if name == point:
                left -= 1
                if left == 0:
                    action()

        faultpoints.install(hook)

    # --- accidents -----------------------------------------------------------------------------------------------

    def run(self, steps: int = 12) -> list[str]:
        """The schedule, then calm, then the verdict: what is wrong, in words."""
        for _ in range(steps):
            self._step()
            self._never_twice()
        self._calm()
        self._verdict()
        self.journal.close()
        return self.wrong

    def _step(self) -> None:
        random = self.random
        self.ledger.faults = [
            random.choice([None, None, None, *Fault]) for _ in range(random.randint(0, 4))
        ]  # fmt: skip
        self.ledger.faults = [
            f if f is not Fault.CREDENTIALS or random.random() < 0.2 else None for f in self.ledger.faults
        ]
        kind = random.choices(
            [
                "apply",
                "crash",
                "stop",
                "resume",
                "recover",
                "time",
                "edit",
                "person",
                "credentials",
                "search",
                "lose",
            ],
            [5, 5, 3, 2, 1, 4, 0.5, 1.5, 0.5, 0.5, 0.3],
        )[0]
        self.trace.append(
            f"{self.clock.now():%H:%M:%S} {kind} faults={[f and f.value for f in self.ledger.faults]}"
        )
        match kind:
            case "apply":
                self._engine(self._apply)
            case "crash":
                point, hits = random.choice(FAULT_POINTS), random.randint(1, 4)
                self.trace.append(f"   dies at {point} #{hits}")
                self._hook(point, hits, self._die)
                self._engine(random.choice([self._apply, self._apply, self._resume]))
            case "stop":
                point = random.choice(
                    ["apply.before_send", "apply.after_send", "apply.before_confirm", "apply.claimed"]
                )
                self.trace.append(f"   stopped at {point}")
                self._hook(point, random.randint(1, 3), self._stopped)
                self._engine(self._apply)
            case "resume":
                self._engine(self._resume)
            case "recover":
                self._engine(self._recover)
            case "time":
                self.clock.pass_time(random.choice([1, 10, 30, 50, 90, 400]))
            case "edit" if self.ledger.records:
                index = random.randrange(len(self.ledger.records))
                record = self.ledger.records[index]
                self.edited.add(record.external_id)
                self.ledger.records[index] = replace(record, amount=Money.of("77.00", "USD"))
            case "person":
                self._person()
            case "credentials":
                self.ledger.credentials_work = not self.ledger.credentials_work
            case "search":
                self.ledger.search_works = not self.ledger.search_works
            case "lose" if self.generation < 2:
                self.journal.close()
                self.generation += 1
                self.lost = self.variant != "memory-loss-ignored"
                self.journal = self._new_journal()

    def _die(self) -> None:
        raise Crash

    def _stopped(self) -> None:
        """The process sleeps past its lease while another one does the work, then wakes in the middle of its own."""
        faultpoints.install(None)
        self.clock.pass_time(self.random.choice([10, 50, 90, 200]))
        self._apply()
        if self.random.random() < 0.5:
            self.clock.pass_time(100)
            self._apply()

    def _engine(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Crash:
            self.trace.append("   died")
        finally:
            faultpoints.install(None)

    def _apply(self) -> None:
        if self.variant == "post-then-record":
            self._naive()
            return
        result = apply(
            self.plan,
            journal=self.journal,
            writer=self.writer,
            mode=Mode.LIVE,
            clock=self.clock,
            remote_memory=self.lost,
            policy=self.policy,
            random=self.random,
        )
        self.trace.append(f"   {[(row.number, row.outcome.value) for row in result.rows]}")

    def _naive(self) -> None:
        """The policy everybody writes first: post, then note that it was posted."""
        for effect in self.plan.effects():
            if effect.key in self.naive_done:
                continue
            from ledger_pipelines.documents.effects import Confirmed  # noqa: PLC0415 - the bad variant's own
            from ledger_pipelines.sync.links import prepare  # noqa: PLC0415 - the bad variant's own

            try:
                ending = self.writer.send([prepare(effect, {})])
            except RuntimeError:
                continue
            if ending and isinstance(ending[0], Confirmed):
                self.naive_done.add(effect.key)

    def _resume(self) -> None:
        if self.variant == "post-then-record":
            return
        resume(
            journal=self.journal, writer=self.writer, clock=self.clock, policy=self.policy, random=self.random
        )

    def _recover(self) -> None:
        recover(journal=self.journal, writer=self.writer, clock=self.clock, policy=self.policy)

    def _person(self) -> None:
        keys = [effect.key for effect in self.plan.effects()]
        entries = [
            e
            for e in self.journal.entries(keys).values()
            if e.state in {EffectState.HELD, EffectState.REFUSED, EffectState.UNKNOWN, EffectState.IGNORED}
        ]
        if not entries:
            return
        entry = self.random.choice(entries)
        act = self.random.choice([retry, retry, ignore])
        try:
            act(self.journal, [entry.key], who="anna", why="looked at it", clock=self.clock)
        except RefusedError as error:
            self.trace.append(f"   refused: {error.code}")

    # --- the judge -----------------------------------------------------------------------------------------------

    def _never_twice(self) -> None:
        self.ledger.settle()
        for name, count in Counter(record.external_id for record in self.ledger.records).items():
            if count > 1:
                self._complain(f"{name} is in the target {count} times")

    def _calm(self) -> None:
        """Liveness: once nothing fails any more, everything is settled in a few runs."""
        self.ledger.faults = []
        self.ledger.credentials_work = self.ledger.search_works = True
        for _ in range(5):
            self.clock.pass_time(1000)
            self._engine(self._apply)
            self._never_twice()

    def _verdict(self) -> None:
        self.clock.pass_time(1000)
        if self.variant == "post-then-record":
            missing = {e.external_id for e in self.plan.effects()} - {
                r.external_id for r in self.ledger.records
            }
            self.wrong.extend(f"{name} was lost" for name in sorted(missing))
            return
        calls = (self.ledger.calls, self.ledger.probes)
        self._engine(self._apply)
        if (self.ledger.calls, self.ledger.probes) != calls:
            self._complain("an apply with nothing to do called the target")
        entries = self.journal.entries(effect.key for effect in self.plan.effects())
        visible = {EffectState.HELD, EffectState.REFUSED, EffectState.IGNORED}
        for effect in self.plan.effects():
            entry = entries[effect.key]
            records = self.ledger.holding(effect.external_id)
            if entry.state is EffectState.CONFIRMED:
                if len(records) != 1 or records[0].remote_id != entry.remote_id:
                    self._complain(
                        f"{effect.number} is confirmed as {entry.remote_id}, the target has {records}"
                    )
                if entry.problem is not None:
                    self._complain(f"{effect.number} is confirmed and still carries {entry.problem}")
            elif entry.state is EffectState.APPROVED:
                if all(entries[key].state is EffectState.CONFIRMED for key in effect.depends_on):
                    self._complain(f"{effect.number} was never sent: {entry.problem}")
            elif entry.state not in visible:
                self._complain(f"{effect.number} never left {entry.state}")
            elif (
                entry.state is EffectState.HELD
                and effect.external_id not in self.edited
                and not self.ledger.unique
            ):
                self._complain(f"{effect.number} is held without a cause: {entry.problem}")
        broken = self.journal.verify()
        if broken is not None:
            self._complain(f"the log is broken: {broken}")

    def _complain(self, text: str) -> None:
        if text not in self.wrong:
            self.wrong.append(text)
            self.trace.append(f"!!! {text}")


def scratch() -> Path:
    """A folder in memory where there is one: schedules are about order, not about disks."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="ledger-sim-", dir=memory if memory.is_dir() else None))


def simulate(seeds: range, variant: str = "engine") -> tuple[dict[int, list[str]], Counter[str]]:
    """Run schedules; returns what went wrong by seed, and how often each fault point was reached under a hook."""
    failures: dict[int, list[str]] = {}
    reached: Counter[str] = Counter()
    place = scratch()
    try:
        template = place / "template.db"
        Journal.open(template, now=START).close()
        for seed in seeds:
            folder = place / str(seed)
            folder.mkdir()
            world = World(seed, folder, template, variant)
            if world.run():
                failures[seed] = [*world.wrong, *world.trace]
            reached.update(world.reached)
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(place)
    return failures, reached


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Seeded schedules of the engine.")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--variant", choices=VARIANTS, default="engine")
    given = parser.parse_args()
    seeds = range(given.count) if given.seed is None else range(given.seed, given.seed + 1)
    failures, _ = simulate(seeds, given.variant)
    for seed, lines in list(failures.items())[:5]:
        sys.stdout.write(
            f"seed {seed} ({given.variant}):\n" + "\n".join(f"  {line}" for line in lines) + "\n"
        )
    sys.stdout.write(f"{len(seeds)} schedules of {given.variant}: {len(failures)} wrong\n")
    return int(bool(failures))


if __name__ == "__main__":
    raise SystemExit(main())
