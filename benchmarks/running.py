"""Measured runs in processes of their own: seconds, CPU and peak memory of each.

Belongs here: starting one, and what it says of itself. Does not belong here: what is run (each benchmark).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Run:
    """One run. facts: what it found, for the check and the tables. peak_mib: of the process, imports included."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    facts: Mapping[str, Any]


def measured(work: Callable[[], Mapping[str, Any]]) -> Run:
    """Run it here, with the clock around it."""
    started, busy = time.perf_counter(), time.process_time()
    facts = work()
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    return Run(seconds, busy, peak_mib(), facts)


def peak_mib() -> float:
    """The most memory this process had: not that of the one that started it, which getrusage would count as well."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def tell(run: Run) -> None:
    """A child's last line."""
    made = {
        "seconds": run.seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_mib": run.peak_mib,
        "facts": run.facts,
    }
    sys.stdout.write(json.dumps(made, default=str) + "\n")


def child(module: str, *arguments: str) -> Run:
    """`python -m module arguments` in a process of its own; what it told."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


_BESIDE = """
import json, os, sys, time
started = time.perf_counter()
_, status, used = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
told = {"seconds": time.perf_counter() - started, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
print(json.dumps(told), file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def from_outside(command: Sequence[str], environ: Mapping[str, str]) -> Run:
    """A command that says nothing of itself, timed from beside it. facts: what it `said` on standard output.

    A small process starts it: a child's peak memory is never told as less than that of the one that starts it.
    """
    beside = [sys.executable, "-I", "-S", "-c", _BESIDE, *command]
    done = subprocess.run(beside, check=False, capture_output=True, text=True, env=dict(environ))
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return Run(**json.loads(done.stderr.splitlines()[-1]), facts={"said": done.stdout})


def as_installed(folder: Path) -> dict[str, str]:
    """The environment of a process that starts as an installed program does: every module compiled once, and kept in `folder`.

    Shells of builds and containers often forbid Python to keep what it compiled, and then each start compiles all that pip did
    not: ours, and nothing of Dagster's.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder)}


def interleaved(kinds: Sequence[str], repeats: int, run: Callable[[str], Run]) -> dict[str, list[Run]]:
    """Each kind in turn, so many rounds."""
    found: dict[str, list[Run]] = {kind: [] for kind in kinds}
    for _ in range(repeats):
        for kind in kinds:
            found[kind].append(run(kind))
    return found


def as_data(runs: Sequence[Run]) -> dict[str, Any]:
    """For RESULTS.json."""
    return {
        "seconds": [round(run.seconds, 4) for run in runs],
        "cpu_seconds": [round(run.cpu_seconds, 4) for run in runs],
        "peak_mib": max(round(run.peak_mib) for run in runs),
    }
