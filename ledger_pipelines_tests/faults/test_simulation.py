"""The simulated worlds themselves: a schedule is its seed, and a caller who breaks the engine's terms is caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger_pipelines_tests.faults.engine_target import START
from ledger_pipelines_tests.faults.simulation.engine import DIRECT, HTTP, EngineWorld
from ledger_pipelines_tests.faults.simulation.house import House
from ledger_pipelines_tests.faults.simulation.netsuite import NetSuiteWorld
from ledger_pipelines_tests.faults.simulation.schedule import Desk, Schedule
from ledger_pipelines_tests.faults.simulation.sweep import SweepWorld

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    opened = House()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    opened = Desk(START)
    yield opened
    opened.close()


def _carried_out(name: str, desk: Desk, way: str, *, forgets_the_loss: bool = False) -> Schedule:
    schedule = Schedule(name)
    world = EngineWorld(schedule, desk, way, forgets_the_loss=forgets_the_loss)
    world.run()
    world.close()
    return schedule


@pytest.mark.parametrize("way", [DIRECT, HTTP])
def test_a_schedule_is_the_same_again_whatever_ran_before_it(desk: Desk, way: str) -> None:
    first = [_carried_out(f"again {n}", desk, way) for n in range(4)]
    again = [_carried_out(f"again {n}", desk, way) for n in reversed(range(4))]
    assert [one.trace for one in first] == [one.trace for one in reversed(again)]
    assert any("dies" in line or "stops" in line for one in first for line in one.trace)


@pytest.mark.parametrize("kind", [NetSuiteWorld, SweepWorld])
def test_a_schedule_on_the_sandboxs_books_is_the_same_again(
    desk: Desk, house: House, kind: type[NetSuiteWorld] | type[SweepWorld]
) -> None:
    def carried_out(name: str) -> list[str]:
        schedule = Schedule(name)
        world = kind(schedule, desk, house)
        world.run()
        world.close()
        return schedule.trace

    first = [carried_out(f"again {n}") for n in range(3)]
    assert [carried_out(f"again {n}") for n in reversed(range(3))] == first[::-1]


def test_a_caller_who_does_not_tell_that_the_journal_was_lost_is_caught(desk: Desk) -> None:
    wrong: list[str] = []
    for number in range(100):
        wrong += _carried_out(f"forgets {number}", desk, DIRECT, forgets_the_loss=True).wrong
        if any(text.startswith("doubled") for text in wrong):
            return
    pytest.fail(f"Documents written before the loss were not written again: {wrong}")
