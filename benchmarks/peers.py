"""The environment of the programs we are compared with: `.venv-peers`, from `peers.lock`.

Belongs here: making it once, saying why it cannot be made. Does not belong here: what is measured. airbyte-cdk and our
own lock cannot be in one environment (pyrate-limiter). `peers.lock` is made of `peers.in` as `make lock` makes ours:
uv pip compile benchmarks/peers.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
--no-emit-index-url --output-file benchmarks/peers.lock
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.running import as_installed

HERE = Path(__file__).parent
VENV = HERE.parent / ".venv-peers"
LOCK = HERE / "peers.lock"
NAMES = ("dlt", "airbyte-cdk")


@dataclass(frozen=True, slots=True)
class Peers:
    """Their interpreter, or why there is none."""

    python: Path | None
    why: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    made_in: float = 0.0
    """Seconds it took to make it now; 0: it was there."""


def ready() -> Peers:
    """The environment, made when it is not there or the lock has changed (a minute, and the network).

    The lock names every package: nothing is left for pip to resolve. What is imported is compiled once, at its first start.
    """
    started = time.monotonic()
    python, mark = VENV / "bin/python", VENV / ".ready"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    there = mark.exists() and mark.read_text() == wanted
    if not there:
        trouble = _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]) or _run(
            [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--disable-pip-version-check",
             "--no-input", "--no-deps", "--no-compile", "--require-hashes", "-r", str(LOCK)]
        )  # fmt: skip
        if trouble:
            return Peers(None, f"their packages cannot be installed here ({trouble}).")
        mark.write_text(wanted)
        print(
            f"The peers' packages were installed in {time.monotonic() - started:.0f} s; they are kept in {VENV.name}.",
            file=sys.stderr,
        )
    code = f"from importlib.metadata import version; print(*[version(n) for n in {NAMES!r}])"
    told = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    made_in = 0.0 if there else time.monotonic() - started
    return Peers(python, versions=dict(zip(NAMES, told.stdout.split(), strict=True)), made_in=made_in)


def environment(folder: Path) -> dict[str, str]:
    """Variables for a contender: no telemetry, no settings of this user, nothing left outside `folder`."""
    return as_installed(VENV / ".compiled") | {
        "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": str(folder / "dlt"),
        "DO_NOT_TRACK": "1", "HOME": str(folder),
    }  # fmt: skip


def _run(command: list[str]) -> str:
    """ "" when it went well, else the last line of what it said."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in (ran.stderr or ran.stdout).splitlines() if line.strip()]
    return "" if ran.returncode == 0 else (lines[-1][:200] if lines else f"exit code {ran.returncode}")
