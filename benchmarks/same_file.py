"""The same file again: no rows, one read of it, against SHA-256 of the file and nothing else.

    python -m benchmarks same_file [--quick]

The bytes read and written are the kernel's count for the process (`rchar` and `wchar` of /proc/self/io: what went through read and
write, from the page cache or not). In turn, each in a process of its own, imports done. Checked: recognised as the same content,
the stored rows untouched, at most one read of the file's size and a few manifests.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.reconcile import CONNECTION, SID, loaded
from benchmarks.report import Goal, Section, Tabular, ratio
from benchmarks.running import Run, as_data, child, interleaved, measured, tell
from benchmarks.settlement_load import generated
from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival, receive_file
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions

ROWS, QUICK = 5_000_000, 100_000
REPEATS = 5
AGAIN, HASH = "again", "sha256"
SLACK = 64 * 1024
"""Bytes for manifests, notes and Python's own reads beside the file."""


def io() -> tuple[int, int]:
    """Bytes this process has read and written so far."""
    counted = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counted["rchar"]), int(counted["wchar"])


def again(path: Path, root: Path) -> dict[str, object]:
    """The product meets the file once more."""
    outcome = receive_file(
        path, connection=CONNECTION, store=SettlementStore(root), options=ReadOptions(max_bytes=4 << 30)
    )
    return {"status": outcome.status.value, "sha256": outcome.sha256}


def hashed(path: Path, root: Path) -> dict[str, object]:
    """The baseline."""
    del root
    with path.open("rb") as file:
        return {"status": "", "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def counted(work: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Run it, and say what it read and wrote."""
    read, written = io()
    facts = work()
    after = io()
    return {**facts, "read": after[0] - read, "written": after[1] - written}


def section(quick: bool) -> Section:
    """Both, in turn."""
    rows = QUICK if quick else ROWS
    _, path, _ = generated(rows)
    root, _ = loaded(rows)
    size = path.stat().st_size
    stored = SettlementStore(root).rows_path(CONNECTION, SID)
    before = stored.stat()

    def once(kind: str) -> Run:
        run = child("benchmarks.same_file", "--child", kind, "--file", str(path), "--root", str(root))
        wanted = Arrival.SAME_CONTENT.value if kind == AGAIN else ""
        if run.facts["status"] != wanted:
            raise SystemExit(f"{kind} ended with {run.facts}")
        return run

    runs = interleaved([HASH, AGAIN], REPEATS, once)
    after = stored.stat()
    if (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns):
        raise SystemExit("the stored rows were written again")
    if len({run.facts["sha256"] for found in runs.values() for run in found}) != 1:
        raise SystemExit("the two do not agree what the file is")
    compared = ratio([run.seconds for run in runs[AGAIN]], [run.seconds for run in runs[HASH]])
    most = max(run.facts["read"] for run in runs[AGAIN])
    table = [
        [
            kind, f"{statistics.median(run.seconds for run in found):.3f}", f"{min(run.cpu_seconds for run in found):.3f}",
            f"{max(run.facts['read'] for run in found) / size:.4f}", f"{max(run.facts['written'] for run in found):,}",
            f"{max(run.peak_mib for run in found):.0f}",
        ]
        for kind, found in runs.items()
    ]  # fmt: skip
    return Section(
        f"The same file again ({rows:,} rows, {size / 2**20:.0f} MiB), against SHA-256 alone",
        "python -m benchmarks same_file",
        [
            Tabular(
                ["", "s, median", "CPU s, best", "reads of the file", "bytes written", "peak MiB"], table
            ),
            Tabular(
                ["ratio, median", "minimum", "repeats"],
                [[f"{compared.median:.3f}", f"{compared.minimum:.3f}", str(compared.repeats)]],
            ),
        ],
        {kind: as_data(found) for kind, found in runs.items()} | {"bytes": size, "read": most},
        [Goal(f"No rows, one read: {most / size:.4f} of the file's bytes were read.", most <= size + SLACK)],
    )


def main() -> None:
    """One measured run, for `child`."""
    parser = argparse.ArgumentParser(description="one run; `python -m benchmarks same_file` makes them all")
    works = {AGAIN: again, HASH: hashed}
    parser.add_argument("--child", choices=tuple(works), required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    asked = parser.parse_args()
    tell(measured(lambda: counted(lambda: works[asked.child](asked.file, asked.root))))


if __name__ == "__main__":
    main()
