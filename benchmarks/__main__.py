"""`make bench`: all benchmarks, or some; their tables, `benchmarks/RESULTS.md` and `RESULTS.json`.

    python -m benchmarks [NAME ...] [--quick] [--json]       # without a name: all but the long ones (`suite.LONG`)

Belongs here: running them one after the other and showing what came out. Does not belong here: any measurement, the
shape of a result (`report`), the list (`suite`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from time import monotonic

from rich.console import Console
from rich.table import Table

from benchmarks.report import FOLDER, Section, store
from benchmarks.suite import LONG, NAMES, find


def show(told: Console, section: Section) -> None:
    """One section for people."""
    for table in section.tables:
        shown = Table(*table.heading, title=section.title)
        for row in table.rows:
            shown.add_row(*row)
        told.print(shown)
    for goal in section.goals:
        told.print(f"{'met' if goal.met else 'NOT MET'}: {goal.text} {goal.why}".rstrip(), markup=False)
    if section.left_out:
        told.print(f"NOT MEASURED: {section.left_out} Nothing of this section is stored.", markup=False)
    for note in section.notes:
        told.print(note, markup=False)


def failed(sections: Iterable[Section]) -> int:
    """The exit code."""
    return int(
        any(one.left_out or any(not goal.met and not goal.why for goal in one.goals) for one in sections)
    )


def main() -> int:
    """The command. Exit code 1 when a goal is missed that nothing explains, or something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure it, side by side.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which (default: all but {', '.join(sorted(LONG))}): {', '.join(NAMES)}",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes; the result files are left alone")
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    told = Console(stderr=asked.json, highlight=False)
    sections: dict[str, Section] = {}
    for name in asked.names or [name for name in NAMES if name not in LONG]:
        told.print(f"{name} ...")
        started = monotonic()
        section = find(name)(asked.quick)
        sections[name] = section
        show(told, section)
        if not asked.quick and not section.left_out:
            store(name, section, monotonic() - started)
    if not asked.quick:
        told.print(f"Written to {FOLDER.name}/RESULTS.md and RESULTS.json.")
    if asked.json:
        sys.stdout.write(json.dumps({name: asdict(one) for name, one in sections.items()}, indent=1) + "\n")
    return failed(sections.values())


if __name__ == "__main__":
    raise SystemExit(main())
