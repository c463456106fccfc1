"""simulate: thousands of seeded schedules of production code under a fake clock and a fake network.

Belongs here: how many schedules of each world, blocks of them as cases, what was met. Does not belong here: the worlds
(`faults.simulation`).

A case is a block, `direct 1-250`, or a single schedule, `direct 37`. What fails a block is named as a single schedule,
whose trace is printed with its problems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ledger_pipelines_tests.faults.engine_target import START, Fault
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.simulation.engine import DIRECT, HTTP, POINTS, EngineWorld
from ledger_pipelines_tests.faults.simulation.house import House
from ledger_pipelines_tests.faults.simulation.line import Trouble
from ledger_pipelines_tests.faults.simulation.netsuite import FAULTS, NETSUITE, OWN_POINTS, NetSuiteWorld
from ledger_pipelines_tests.faults.simulation.schedule import DIES, MET, STOPS, Desk, Schedule, World
from ledger_pipelines_tests.faults.simulation.sweep import DURABLE, SWEEP, SweepWorld

_WORST = 5
"""Schedules of a block whose problems are told one by one."""


@dataclass(frozen=True, slots=True)
class _Share:
    """How many schedules of a world. fast, full: of each tier. block: of one case."""

    fast: int
    full: int
    block: int


_SHARES: Mapping[str, _Share] = {
    DIRECT: _Share(30, 8600, 215),
    HTTP: _Share(10, 1000, 125),
    NETSUITE: _Share(8, 400, 50),
    SWEEP: _Share(4, 100, 25),
}

_ACCIDENTS = (
    *Fault, "edit", "source changed", "stale plan", "altered plan", "retry", "ignore", "lost journal",
)  # fmt: skip


class DRILL(Drill):
    """See the module."""

    name = "simulate"
    shows = "seeded schedules of engine, journal, HTTP and writer with late applies: nothing lost or doubled"
    shards = 3
    weight = 3

    def prepare(self) -> None:
        """One desk for all schedules of this process."""
        self._desk = Desk(START)
        self.stack.callback(self._desk.close)

    @cached_property
    def _house(self) -> House:
        """One NetSuite for all schedules that have it, when the first comes."""
        house = House()
        self.stack.callback(house.close)
        return house

    def cases(self) -> Sequence[str]:
        """Blocks of schedules."""
        found: list[str] = []
        for name, share in _SHARES.items():
            count = share.fast if self.setting.fast else share.full
            firsts = range(1, count + 1, share.block)
            found += [f"{name} {first}-{min(count, first + share.block - 1)}" for first in firsts]
        return found

    def carry_out(self, case: str) -> Verdict:
        """All schedules of a block, or one with its trace."""
        name, _, numbers = case.partition(" ")
        first, _, last = numbers.partition("-")
        met: Counter[str] = Counter()
        failing: list[tuple[str, Schedule]] = []
        wanted = range(int(first), int(last or first) + 1)
        for number in wanted:
            one = self._schedule(name, number)
            met.update(one.met)
            if one.wrong:
                failing.append((f"{name} {number}", one))
        problems = [f"{which}: {text}" for which, one in failing[:_WORST] for text in one.wrong]
        if len(failing) > _WORST:
            problems.append(f"and {len(failing) - _WORST} more schedules of this block")
        if failing and len(wanted) == 1:
            problems += failing[0][1].trace
        return Verdict(
            case,
            tuple(problems),
            _figures(met, len(wanted), len(failing)),
            frozenset(met),
            failing[0][0] if failing else "",
        )

    def _schedule(self, name: str, number: int) -> Schedule:
        schedule = Schedule(f"{self.setting.seed} {name} {number}")
        world = self._world(name, schedule)
        try:
            world.run()
        finally:
            world.close()
        return schedule

    def _world(self, name: str, schedule: Schedule) -> World:
        if name == NETSUITE:
            return NetSuiteWorld(schedule, self._desk, self._house)
        if name == SWEEP:
            return SweepWorld(schedule, self._desk, self._house)
        return EngineWorld(schedule, self._desk, name)

    def must_reach(self) -> Collection[str]:
        """Every accident; in the full tier every fault point as a death and as a stop, too."""
        if self.setting.fast:
            return [f"{MET}{name}" for name in (Fault.LATE, Fault.CUT_AFTER, Trouble.TRUNCATED)]
        return [
            *(
                MET + str(name)
                for name in (*_ACCIDENTS, *Trouble, *(fault for fault, _ in FAULTS), "search_lag")
            ),
            *(DIES + point for point in OWN_POINTS),
            DURABLE,
            *(kind + point for point in POINTS for kind in (DIES, STOPS)),
        ]


def _figures(met: Counter[str], schedules: int, failing: int) -> dict[str, int]:
    """What a reader wants to know was really met."""
    deaths = sum(count for name, count in met.items() if name.startswith(DIES))
    stops = sum(count for name, count in met.items() if name.startswith(STOPS))
    accidents = sum(count for name, count in met.items() if name.startswith(MET))
    late = met[f"{MET}{Fault.LATE}"] + met[f"{MET}apply_late"]
    return {
        "schedules": schedules,
        "violated": failing,
        "accidents": accidents,
        "late applies": late,
        "deaths": deaths,
        "stops": stops,
    }
