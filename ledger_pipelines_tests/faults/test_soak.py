"""That soak sees a leak, and takes a restart for what it is."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import cast

import pytest

from ledger_pipelines_tests.faults.entries import Entry
from ledger_pipelines_tests.faults.soak_day import WARM, Held
from ledger_pipelines_tests.faults.soak_settlements import SettlementDay
from ledger_pipelines_tests.stage import Stage


def _problems(held: Sequence[Held]) -> list[str]:
    day = SettlementDay(cast("Entry[Stage]", None), cast("Stage", None), Random(1))
    day.held = list(held)
    day.flat()
    return day.problems


def _flat(descriptors: int) -> Held:
    return Held(200 * 2**20, descriptors, 4)


def test_a_day_whose_middle_follows_a_restart_was_called_a_leak() -> None:
    rounds = [_flat(23)] * 8 * WARM
    rounds[len(rounds) // 2] = _flat(16)
    assert _problems(rounds) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Held(0, 1, 0), "open files grew from "),
        (Held(6 * 2**20, 0, 0), "memory grew by 30 MiB in the last quarter"),
        (Held(0, 0, 1), "threads grew from "),
    ],
    ids=["descriptors", "memory", "threads"],
)
def test_growth_every_fourth_round_is_told(step: Held, said: str) -> None:
    held = [
        Held(2**28 + n * step.memory, 20 + n * step.descriptors, 4 + n * step.threads)
        for n in (round_ // 4 for round_ in range(4 * WARM))
    ]
    problems = _problems(held)
    assert len(problems) == 1
    assert problems[0].startswith(said)
