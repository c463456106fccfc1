"""How long it takes before anything is done: the code location beyond Dagster itself, the command line beyond Python.

    python -m benchmarks startup [--quick]

Belongs here: fresh processes, timed from outside, in turn with their baseline. Does not belong here: what they then do.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter

from benchmarks.report import Goal, Section, Tabular

REPEATS, QUICK_REPEATS = 11, 3
IMPORT_GOAL, HELP_GOAL = 0.25, 0.15
"""Seconds: importing the code location beyond `import dagster`; `ledger-pipelines --help`, whole."""
LEFT = (
    "About 0.08 s of it is pydantic reading the descriptions of settings out of docstrings, which only schema, reference and "
    "error texts need; the rest is reading YAML with line numbers and Dagster making the assets."
)
_WAYS = {
    "python": (sys.executable, "-c", "pass"),
    "import dagster": (sys.executable, "-c", "import dagster"),
    "code location": (sys.executable, "-c", "import ledger_pipelines.definitions"),
    "--help": (shutil.which("ledger-pipelines") or "ledger-pipelines", "--help"),
}  # fmt: skip


def timed(command: Sequence[str]) -> float:
    """Seconds of one process, from outside. Raises CalledProcessError when it fails."""
    started = perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = perf_counter() - started
    if command[-1] == "--help" and "run" not in done.stdout:
        raise SystemExit("--help does not list the commands")
    return seconds


def section(quick: bool) -> Section:
    """Each way in turn, so many times; medians."""
    ways = dict(_WAYS)
    beside = f"{sys.prefix}/bin/ledger-pipelines"
    ways["--help"] = (shutil.which(beside) or ways["--help"][0], "--help")
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for command in ways.values():
        timed(command)  # once, so that all read their files from memory
    for _ in range(QUICK_REPEATS if quick else REPEATS):
        for name, command in ways.items():
            taken[name].append(timed(command))
    beyond = [a - b for a, b in zip(taken["code location"], taken["import dagster"], strict=True)]
    above = [a - b for a, b in zip(taken["--help"], taken["python"], strict=True)]
    rows = [
        [name, f"{statistics.median(seconds):.3f}", f"{min(seconds):.3f}"] for name, seconds in taken.items()
    ]
    rows.append(
        ["code location beyond import dagster", f"{statistics.median(beyond):.3f}", f"{min(beyond):.3f}"]
    )
    rows.append(["--help beyond python", f"{statistics.median(above):.3f}", f"{min(above):.3f}"])
    location, shown = statistics.median(beyond), statistics.median(taken["--help"])
    return Section(
        "Start-up: seconds of fresh processes",
        "python -m benchmarks startup",
        (Tabular(["process", "median", "minimum"], rows),),
        taken,
        (
            Goal(f"the code location loads {location:.3f} s beyond import dagster (goal {IMPORT_GOAL})", location <= IMPORT_GOAL, "" if location <= IMPORT_GOAL else LEFT),
            Goal(f"ledger-pipelines --help takes {shown:.3f} s (goal {HELP_GOAL})", shown <= HELP_GOAL),
        ),
        ["The code location is the shipped one: reading ledger.yaml and making its assets, jobs, sensors and schedules is part of it."],
    )  # fmt: skip
