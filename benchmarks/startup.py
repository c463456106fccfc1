"""How long it takes before anything is done: the code location beyond Dagster itself, the command line beyond Python.

    python -m benchmarks startup [--quick]

Belongs here: fresh processes, timed from outside, in turn with their baseline. Does not belong here: what they then do.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from benchmarks.report import Goal, Section, Tabular
from benchmarks.running import as_installed

REPEATS, QUICK_REPEATS = 9, 3
IMPORT_GOAL, HELP_GOAL = 0.25, 0.15
"""Seconds: importing the code location beyond `import dagster`; `ledger-pipelines --help`, whole."""
LEFT = (
    "About a third of it is Dagster making the assets, a sixth pydantic building the models of the settings, the rest our "
    "modules and their dataclasses; a collection of garbage over all that Dagster imported falls into it, too."
)
_WAYS = {
    "python": (sys.executable, "-c", "pass"),
    "import dagster": (sys.executable, "-c", "import dagster"),
    "code location": (sys.executable, "-c", "import ledger_pipelines.definitions"),
    "--help": (shutil.which("ledger-pipelines") or "ledger-pipelines", "--help"),
}  # fmt: skip


class Cost(NamedTuple):
    """Seconds of one process: by the clock, of CPU."""

    clock: float
    cpu: float


def timed(command: Sequence[str], environ: Mapping[str, str]) -> Cost:
    """One process, from outside. Raises CalledProcessError when it fails."""
    busy, started = _busy(), perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
    cost = Cost(perf_counter() - started, _busy() - busy)
    if command[-1] == "--help" and "run" not in done.stdout:
        raise SystemExit("--help does not list the commands")
    return cost


def _busy() -> float:
    """CPU seconds of the processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def section(quick: bool) -> Section:
    """Each way in turn, so many times; medians."""
    ways = dict(_WAYS)
    beside = f"{sys.prefix}/bin/ledger-pipelines"
    ways["--help"] = (shutil.which(beside) or ways["--help"][0], "--help")
    taken: dict[str, list[Cost]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory(prefix="ledger-startup-") as compiled:
        environ = as_installed(Path(compiled))
        for command in ways.values():
            timed(command, environ)  # once, so that all are compiled, and read their files from memory
        for _ in range(QUICK_REPEATS if quick else REPEATS):
            for name, command in ways.items():
                taken[name].append(timed(command, environ))
    beyond = _beyond(taken["code location"], taken["import dagster"])
    taken |= {
        "code location beyond import dagster": beyond,
        "--help beyond python": _beyond(taken["--help"], taken["python"]),
    }
    rows = []
    for name, costs in taken.items():
        clock, cpu = [one.clock for one in costs], [one.cpu for one in costs]
        figures = statistics.median(clock), min(clock), statistics.median(cpu)
        rows.append([name, *(f"{figure:.3f}" for figure in figures)])
    location = statistics.median(one.clock for one in beyond)
    shown = statistics.median(one.clock for one in taken["--help"])
    return Section(
        "Start-up: seconds of fresh processes",
        "python -m benchmarks startup",
        (Tabular(["process", "median", "minimum", "CPU, median"], rows),),
        taken,
        (
            Goal(f"the code location loads {location:.3f} s beyond import dagster (goal {IMPORT_GOAL})", location <= IMPORT_GOAL, "" if location <= IMPORT_GOAL else LEFT),
            Goal(f"ledger-pipelines --help takes {shown:.3f} s (goal {HELP_GOAL})", shown <= HELP_GOAL),
        ),
        [(
            "The code location is the shipped one: reading ledger.yaml and making its assets, jobs, sensors and schedules is part "
            "of it. All processes find their modules compiled, as an installation does."
        )],
    )  # fmt: skip


def _beyond(whole: Sequence[Cost], part: Sequence[Cost]) -> list[Cost]:
    """What each costs beyond the other that ran beside it."""
    return [Cost(a.clock - b.clock, a.cpu - b.cpu) for a, b in zip(whole, part, strict=True)]
