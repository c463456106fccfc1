"""How long it takes before anything is done: the code location beyond Dagster itself, the command line beyond Python.

    python -m benchmarks startup [--quick]

Belongs here: fresh processes, timed from outside, in turn with their baseline. Does not belong here: what they then do.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.report import Goal, Section, Tabular
from benchmarks.running import Run, as_data, as_installed, from_outside, interleaved

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


def timed(command: Sequence[str], environ: Mapping[str, str]) -> Run:
    """One process, from outside."""
    run = from_outside(command, environ)
    if command[-1] == "--help" and "run" not in run.facts["said"]:
        raise SystemExit("--help does not list the commands")
    return run


def section(quick: bool) -> Section:
    """Each way in turn, so many times; medians."""
    ways = dict(_WAYS)
    beside = f"{sys.prefix}/bin/ledger-pipelines"
    ways["--help"] = (shutil.which(beside) or ways["--help"][0], "--help")
    with tempfile.TemporaryDirectory(prefix="ledger-startup-") as compiled:
        environ = as_installed(Path(compiled))
        for command in ways.values():
            timed(command, environ)  # once, so that all are compiled, and read their files from memory
        taken = interleaved(
            tuple(ways), QUICK_REPEATS if quick else REPEATS, lambda name: timed(ways[name], environ)
        )
    beyond = _beyond(taken["code location"], taken["import dagster"])
    taken |= {
        "code location beyond import dagster": beyond,
        "--help beyond python": _beyond(taken["--help"], taken["python"]),
    }
    rows = []
    for name, runs in taken.items():
        clock, cpu = [one.seconds for one in runs], [one.cpu_seconds for one in runs]
        figures = statistics.median(clock), min(clock), statistics.median(cpu)
        rows.append(
            [name, *(f"{figure:.3f}" for figure in figures), f"{max(one.peak_mib for one in runs):.0f}"]
        )
    location = statistics.median(one.seconds for one in beyond)
    shown = statistics.median(one.seconds for one in taken["--help"])
    return Section(
        "Start-up: seconds of fresh processes",
        "python -m benchmarks startup",
        (Tabular(["process", "median", "minimum", "CPU s, median", "peak MiB"], rows),),
        {name: as_data(runs) for name, runs in taken.items()},
        (
            Goal(f"the code location loads {location:.3f} s beyond import dagster (goal {IMPORT_GOAL})", location <= IMPORT_GOAL, "" if location <= IMPORT_GOAL else LEFT),
            Goal(f"ledger-pipelines --help takes {shown:.3f} s (goal {HELP_GOAL})", shown <= HELP_GOAL),
        ),
        [(
            "The code location is the shipped one: reading ledger.yaml and making its assets, jobs, sensors and schedules is part "
            "of it. All processes find their modules compiled, as an installation does."
        )],
    )  # fmt: skip


def _beyond(whole: Sequence[Run], part: Sequence[Run]) -> list[Run]:
    """What each costs beyond the other that ran beside it."""
    return [
        Run(a.seconds - b.seconds, a.cpu_seconds - b.cpu_seconds, a.peak_mib - b.peak_mib, {})
        for a, b in zip(whole, part, strict=True)
    ]
