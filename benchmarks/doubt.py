"""An ambiguous ending: some answers to writes get lost, and all is run until everything is confirmed.

Belongs here: losing answers, running on. Does not belong here: what is run, how many calls that must take, the books (each benchmark).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CUT = 3
"""Every so many writes the answer is lost."""
MOST_RUNS = 5


def lose_answers(stage: Any, *paths: str) -> None:
    """The connection drops behind every third call that writes to each of the paths, which is applied."""
    for path in paths:
        stage.fault("cut_after", path=path, method="POST", every=CUT)


def until_confirmed(stage: Any, run: Callable[[], object]) -> int:
    """Run until the journal has nothing open; how often that was."""
    runs = 0  # not money: runs
    while not runs or stage.unfinished():
        runs += 1
        if runs > MOST_RUNS:
            raise SystemExit(f"{stage.unfinished()} documents are in doubt after {MOST_RUNS} runs")
        run()
    return runs


def answers_lost(stage: Any) -> list[int]:
    """How many answers each fault has lost, in the order they were set; then nothing is lost any more.

    Raises SystemExit: one of them lost none, so that nothing would be shown.
    """
    found = [
        int(fault["fired"]) for fault in stage.control.get("/faults").raise_for_status().json()["faults"]
    ]
    stage.control.delete("/faults").raise_for_status()
    if not all(found):
        raise SystemExit(f"no answer got lost: {found}")
    return found
