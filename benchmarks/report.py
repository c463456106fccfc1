"""What a benchmark says of itself, and how `RESULTS.md` and `RESULTS.json` are written from that.

Belongs here: the shape of a result, versions and machine, the two files. Does not belong here: any measurement.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import psutil

FOLDER = Path(__file__).parent
LIBRARIES = ("dagster", "duckdb", "httpx", "msgspec", "polars", "pyarrow", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Goal:
    """What the figure should be, and whether it is.

    Args:
        text: The goal and what was measured, in one sentence.
        met: Whether it is met.
        why: What is left and why, measured or derived from what was measured, where it is not. A goal of counts or sums has
            none: missing it is a defect, and the command ends with 1.
    """

    text: str
    met: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tabular:
    """A table: heading and rows of texts."""

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark.

    Args:
        title: What was measured against what.
        command: Repeats it.
        tables: For people.
        data: The figures behind the tables, for scripts (plain JSON values).
        goals: What it is held to.
        notes: What a sceptical reader has to know.
        left_out: What could not be measured here, and why: then the section is shown, what is stored of it stays as it was, and the
            command ends with 1.
    """

    title: str
    command: str
    tables: Sequence[Tabular]
    data: object
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Repeats of something against its baseline, taken in turn: seconds, and the ratio of each pair."""

    median: float
    minimum: float
    of_best: float
    repeats: int


def ratio(ours: Sequence[float], baseline: Sequence[float]) -> Ratio:
    """Pairwise ratios of interleaved repeats (ours[i] was measured right beside baseline[i])."""
    pairs = [mine / theirs for mine, theirs in zip(ours, baseline, strict=True)]
    return Ratio(statistics.median(pairs), min(pairs), min(ours) / min(baseline), len(pairs))


def store(name: str, section: Section, seconds: float, folder: Path = FOLDER) -> None:
    """Write one section into RESULTS.json, and RESULTS.md anew from all that is in there."""
    place = folder / "RESULTS.json"
    kept = json.loads(place.read_text()) if place.exists() else {}
    kept[name] = asdict(section) | {
        "measured_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "seconds": round(seconds, 1),
        "machine": machine(),
        "versions": {name: version(name) for name in LIBRARIES} | dict(section.libraries),
    }
    place.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    (folder / "RESULTS.md").write_text(markdown(kept))


@cache
def machine() -> str:
    """The machine in one line. Its speed, too: seconds of a fresh process that imports Dagster, the best of three."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, imports Dagster in "
        f"{min(_importing() for _ in range(3)):.1f} s, Python {platform.python_version()}"
    )


def _importing() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import dagster"], check=True)
    return time.perf_counter() - started


def markdown(kept: Mapping[str, Mapping[str, object]]) -> str:
    """RESULTS.md, from what RESULTS.json holds, in the order of `suite.NAMES`."""
    from benchmarks.suite import NAMES  # noqa: PLC0415 - the list imports this module's words

    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`; the figures behind the tables are in `RESULTS.json`. Ratios are of repeats measured in turn",
        "in one run: below 1.000 is faster than the baseline. Every timed run is checked for the right result. How fast the machine",
        "was is told by the seconds that a fresh process needed to import Dagster: 0.8 where a section does not tell.",
    ]
    for name in [name for name in NAMES if name in kept]:
        lines += ["", *_section(kept[name])]
    return "\n".join(lines) + "\n"


def _section(one: Mapping[str, object]) -> list[str]:
    lines = [f"## {one['title']}", "", f"`{one['command']}`"]
    for table in one["tables"]:  # type: ignore[attr-defined]  # written by `store`
        lines += ["", f"| {' | '.join(table['heading'])} |", f"|{'---|' * len(table['heading'])}"]
        lines += [f"| {' | '.join(row)} |" for row in table["rows"]]
    goals: list[dict[str, object]] = one["goals"]  # type: ignore[assignment]  # written by `store`
    if goals:
        lines.append("")
    lines += [
        f"* {'Met' if goal['met'] else '**Not met**'}: {goal['text']}{' ' + str(goal['why']) if goal['why'] else ''}"
        for goal in goals
    ]
    notes: list[str] = one["notes"]  # type: ignore[assignment]  # written by `store`
    for note in notes:
        lines += ["", note]
    versions: dict[str, str] = one["versions"]  # type: ignore[assignment]  # written by `store`
    listed = ", ".join(f"{library} {number}" for library, number in versions.items())
    return [*lines, "", f"{one['measured_on']}, in {one['seconds']} s; {one['machine']}; {listed}."]
