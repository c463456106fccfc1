"""`make bench`: all benchmarks, their tables, and `benchmarks/RESULTS.md`.

    python -m benchmarks [--quick]

Belongs here: running them and writing down what came out, with versions, machine and commands. Does not belong here:
any measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import calls

RESULTS = Path(__file__).parent / "RESULTS.md"
LIBRARIES = ("duckdb", "pyarrow", "httpx", "msgspec", "sqlalchemy", "dagster")
ROWS = (1_000_000, 5_000_000)
QUICK_ROWS = (200_000,)
MERCHANT = Decimal("0.05")


@dataclass(frozen=True)
class Section:
    """One benchmark: the command that repeats it, and its tables as (heading, rows)."""

    title: str
    command: str
    tables: tuple[tuple[Sequence[str], Sequence[Sequence[str]]], ...]


def load_section(rows: Sequence[int]) -> Section | None:
    """Reading settlements of so many rows, each in a process of its own; None where the benchmark is absent."""
    if find_spec("benchmarks.settlement_load") is None:
        return None
    reports = []
    for count in rows:
        command = [sys.executable, "-m", "benchmarks.settlement_load", "--rows", str(count), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        reports.append(json.loads(done.stdout))
    names = list(dict.fromkeys(name for report in reports for name in report))
    table = [[name, *(_cell(report.get(name, "")) for report in reports)] for name in names]
    return Section(
        "Reading a settlement, as a ratio to bare DuckDB",
        "python -m benchmarks.settlement_load --rows N",
        ((["", *(f"{count:,} rows" for count in rows)], table),),
    )


def calls_section(sizes: Sequence[int]) -> tuple[Section, bool]:
    """NetSuite calls; and whether the goal is met."""
    measured = calls.measure_all(sizes, MERCHANT)
    ratio = [
        [
            f"{one.orders:,}", str(sum(one.calls.values())), str(sum(one.unavoidable.values())), f"{one.ratio:.3f}",
            str(one.idle_calls), str(one.idle_unavoidable), str(one.idle_writes),
        ]
        for one in measured
    ]  # fmt: skip
    why = [[name, *(str(one.unavoidable[name]) for one in measured)] for name in measured[0].unavoidable]
    sized = [f"{one.orders:,} orders" for one in measured]
    section = Section(
        "NetSuite calls per settlement, against the count that cannot be avoided",
        f"python -m benchmarks.calls --merchant {MERCHANT} --orders {' '.join(map(str, sizes))}",
        (
            (
                ["orders", "calls", "unavoidable", "ratio", "calls of an idle run", "unavoidable", "writes"],
                ratio,
            ),
            (["unavoidable for", *sized], why),
        ),
    )
    return section, all(one.ratio <= calls.GOAL for one in measured)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_cell(inner) for inner in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def markdown(sections: Sequence[Section], command: str) -> str:
    """What RESULTS.md says."""
    memory = psutil.virtual_memory().total / 2**30
    lines = [
        "# Benchmark results",
        "",
        f"Made by `{command}` on {datetime.now(UTC):%Y-%m-%d}: {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB; Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
        + ".",
        "",
        "Why each call counts as unavoidable stands at the head of `benchmarks/calls.py`.",
    ]
    for section in sections:
        lines += ["", f"## {section.title}", "", f"`{section.command}`"]
        for heading, rows in section.tables:
            lines += ["", f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}"]
            lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """The command. Exit code 1 when the calls miss their goal."""
    parser = argparse.ArgumentParser(description="all benchmarks")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, in about a minute; RESULTS.md is left alone"
    )
    asked = parser.parse_args()
    counted, met = calls_section(calls.QUICK if asked.quick else calls.SIZES)
    loaded = load_section(QUICK_ROWS if asked.quick else ROWS)
    sections = [section for section in (loaded, counted) if section is not None]
    console = Console()
    for section in sections:
        for heading, rows in section.tables:
            table = Table(*heading, title=section.title)
            for row in rows:
                table.add_row(*row)
            console.print(table)
    if not asked.quick:
        RESULTS.write_text(markdown(sections, "make bench"))
        console.print(
            f"Written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}."
        )
    return int(not met)


if __name__ == "__main__":
    raise SystemExit(main())
