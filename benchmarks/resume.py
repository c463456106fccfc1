"""Resuming with 100,000 confirmed documents and ten open ones, against the same with 100 confirmed.

    python -m benchmarks resume [--quick]

Of the ten, five were sent and their answers lost (the target has them: they are asked about and adopted), five were never sent.
The target answers at once. Each timed run is in a process of its own, imports done, and checked: one question and five writes, all ten confirmed; the question names
besides the five only the few control records that show whether the target's search can be believed. Goal: 0.5 s.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.history import grow
from benchmarks.instant import InstantWriter, effect
from benchmarks.report import Goal, Section, Tabular, ratio
from benchmarks.running import Run, as_data, child, measured, tell
from ledger_pipelines.documents.effects import Effect, EffectState
from ledger_pipelines.storage.journal import Journal, intent_values
from ledger_pipelines.sync.apply import resume

CONFIRMED, QUICK = (100, 100_000), (100, 5_000)
OPEN = 10
CONTROLS = 4
GOAL = 0.5
REPEATS = 5


def leave_open(journal: Journal, effects: Sequence[Effect], writer: InstantWriter) -> None:
    """Half of them sent an hour ago with the answer lost, half approved."""
    then = datetime.now(UTC) - timedelta(hours=1)
    with journal.write() as unit:
        unit.effects.enter([_left(one, place, then) for place, one in enumerate(effects)])
    for one in effects[: len(effects) // 2]:
        writer.keep(one)


def _left(one: Effect, place: int, then: datetime) -> dict[str, Any]:
    unknown = place < OPEN // 2
    return intent_values(one) | {
        "sequence": place, "plan_digest": "0" * 64, "mode": "live",
        "state": (EffectState.UNKNOWN if unknown else EffectState.APPROVED).value, "attempt": int(unknown), "fence": 0,
        "sent_at": then if unknown else None, "settle_from": then if unknown else None, "adopted": False,
        "created_at": then, "updated_at": then,
    }  # fmt: skip


def resumed(place: Path, turn: int) -> Run:
    """Leave ten open, and resume; opening the journal counts."""
    effects = [effect(f"{number:02d}", partition=f"turn-{turn}") for number in range(OPEN)]
    writer = InstantWriter()
    with Journal.open(place) as journal:
        leave_open(journal, effects, writer)

    def work() -> dict[str, object]:
        with Journal.open(place) as journal:
            return {"exit": resume(journal=journal, writer=writer).exit_code}

    run = measured(work)
    lost, unsent = effects[: OPEN // 2], effects[OPEN // 2 :]
    with Journal.open(place) as journal:
        states = set(journal.states(one.key for one in effects).values())
    calls, controls = writer.probes, set(writer.asked) - {one.key for one in effects}
    if (run.facts["exit"], states, calls) != (0, {EffectState.CONFIRMED}, 1) or len(controls) > CONTROLS:
        raise SystemExit(
            f"resume ended with {run.facts}, {states}, asked about {writer.asked} in {calls} calls"
        )
    if not {one.key for one in lost} <= set(writer.asked):
        raise SystemExit(f"resume did not ask about what was lost, but about {writer.asked}")
    if sorted(writer.sent) != sorted(one.key for one in unsent):
        raise SystemExit(f"resume sent {writer.sent}")
    return run


def once(place: Path, turn: int) -> Run:
    """One run in a process of its own."""
    return child("benchmarks.resume", "--journal", str(place), "--turn", str(turn))


def section(quick: bool) -> Section:
    """Both histories in turn."""
    sizes = QUICK if quick else CONFIRMED
    runs: dict[int, list[Run]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory(prefix="resume-bench-") as name:
        places = {size: Path(name) / f"{size}.db" for size in sizes}
        for size, place in places.items():
            grow(place, effect("past", partition="past"), size)
        for turn in range(REPEATS):
            for size, place in places.items():
                runs[size].append(once(place, turn))
    small, large = sizes
    compared = ratio([run.seconds for run in runs[large]], [run.seconds for run in runs[small]])
    table = [
        [
            f"{size:,}", f"{sorted(run.seconds for run in found)[REPEATS // 2]:.3f}",
            f"{min(run.seconds for run in found):.3f}", f"{min(run.cpu_seconds for run in found):.3f}",
            f"{max(run.peak_mib for run in found):.0f}", str(OPEN),
        ]
        for size, found in runs.items()
    ]  # fmt: skip
    median = sorted(run.seconds for run in runs[large])[REPEATS // 2]
    return Section(
        "Resuming ten open documents beside a long history",
        "python -m benchmarks resume",
        [
            Tabular(["confirmed", "s, median", "best s", "CPU s", "peak MiB", "documents called for"], table),
            Tabular(
                ["ratio of the two, median", "minimum", "repeats"],
                [[f"{compared.median:.3f}", f"{compared.minimum:.3f}", str(compared.repeats)]],
            ),
        ],
        {str(size): as_data(found) for size, found in runs.items()},
        [
            Goal(
                f"{large:,} confirmed, ten open: {median:.3f} s (goal {GOAL}), calls for the ten only.",
                median <= GOAL,
            )
        ],
    )


def main() -> None:
    """One measured run, for `child`."""
    parser = argparse.ArgumentParser(description="one run; `python -m benchmarks resume` makes them all")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--turn", type=int, required=True)
    asked = parser.parse_args()
    tell(resumed(asked.journal, asked.turn))


if __name__ == "__main__":
    main()
