"""Reconciling a loaded settlement: what its stored rows sum to, by kind and month of the books, beside its total.

    python -m benchmarks reconcile [--quick]

Ours is `StoredSettlements.footing`: what the asset check `foots` asks of the rows as they lie on the disk. Baseline: bare DuckDB on
the same Parquet, sums by the same three names and the month in UTC (cheaper than the month in the books' zone, which ours
finds). In turn, each in a process of its own, imports done, the file in the page cache. Both sums are checked. Goal: 0.3 s.

Then all groups of the settlement (order, refund, account-level amount), one after the other as they come: time and peak
memory, which the query engine's limit bounds and not the number of rows. Checked: rows and sum of all groups.
"""

from __future__ import annotations

import argparse
import statistics
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from benchmarks.report import Goal, Section, Tabular, ratio
from benchmarks.running import Run, as_data, child, interleaved, measured, tell
from benchmarks.settlement_load import generated
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.integrations.amazon_netsuite.arrival import receive_file
from ledger_pipelines.integrations.amazon_netsuite.stored import StoredSettlements
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.vocabulary import classify

ZONE = ZoneInfo("America/Los_Angeles")
CONNECTION, SID = "bench", "26111111111"
SIZES, QUICK = (1_000_000, 5_000_000), (100_000,)
REPEATS = 5
GOAL = 0.3
FOOTING, BARE, GROUPS = "footing", "duckdb", "groups"


def foot(root: Path) -> dict[str, object]:
    """The product's sums."""
    footing = StoredSettlements(root, CONNECTION).footing(SID, ZONE)
    return {"rows": footing.rows, "sum": str(footing.sum.amount), "kinds": len(footing.by_month)}


def bare(root: Path) -> dict[str, object]:
    """DuckDB alone."""
    rows = SettlementStore(root).rows_path(CONNECTION, SID)
    found = duckdb.execute(
        "SELECT date_trunc('month', posted_at), transaction_type, amount_type, amount_description, sum(amount), count(*) "
        "FROM read_parquet(?) GROUP BY ALL ORDER BY ALL",
        [str(rows)],
    ).fetchall()
    return {"rows": sum(row[5] for row in found), "sum": str(sum((row[4] for row in found), ZERO))}


def group(root: Path) -> dict[str, object]:
    """All groups, none of them kept."""
    rows, total, count = 0, ZERO, 0
    for one in SettlementRows(SettlementStore(root).rows_path(CONNECTION, SID), classify).groups(ZONE):
        rows += one.rows
        total += one.amounts.net
        count += 1
    return {"rows": rows, "sum": str(total), "groups": count}


def loaded(rows: int) -> tuple[Path, Decimal]:
    """The root of a store that holds a settlement of so many rows, and its total."""
    keeper, path, total = generated(rows)
    root = Path(keeper.name) / "data"
    store = SettlementStore(root)
    if store.find(CONNECTION, SID) is None:
        outcome = receive_file(
            path, connection=CONNECTION, store=store, options=ReadOptions(max_bytes=4 << 30)
        )
        if not outcome.accepted:
            raise SystemExit(outcome.message)
    return root, total


def once(kind: str, rows: int) -> Run:
    """One run in a process of its own, checked."""
    root, total = loaded(rows)
    run = child("benchmarks.reconcile", "--child", kind, "--root", str(root))
    if run.facts["rows"] != rows or Decimal(run.facts["sum"]) != total:
        raise SystemExit(f"{kind} found {run.facts}, not {rows} rows over {total}")
    return run


def section(quick: bool) -> Section:
    """Each size: the footing against bare DuckDB, then the groups."""
    sums: list[list[str]] = []
    streams: list[list[str]] = []
    data: dict[str, object] = {}
    goals: list[Goal] = []
    for rows in QUICK if quick else SIZES:
        runs = interleaved([BARE, FOOTING], REPEATS, lambda kind, rows=rows: once(kind, rows))
        compared = ratio([run.seconds for run in runs[FOOTING]], [run.seconds for run in runs[BARE]])
        median = statistics.median(run.seconds for run in runs[FOOTING])
        sums.append([
            f"{rows:,}", f"{statistics.median(run.seconds for run in runs[BARE]):.3f}", f"{median:.3f}",
            f"{min(run.cpu_seconds for run in runs[FOOTING]):.3f}", f"{compared.median:.3f}", f"{compared.minimum:.3f}",
            str(compared.repeats), f"{max(run.peak_mib for run in runs[BARE]):.0f}",
            f"{max(run.peak_mib for run in runs[FOOTING]):.0f}",
        ])  # fmt: skip
        whole = once(GROUPS, rows)
        streams.append([
            f"{rows:,}", f"{whole.facts['groups']:,}", f"{whole.seconds:.1f}", f"{whole.cpu_seconds:.1f}",
            f"{whole.cpu_seconds / rows * 1_000_000:.1f}", f"{whole.peak_mib:.0f}",
        ])  # fmt: skip
        data[str(rows)] = {kind: as_data(found) for kind, found in runs.items()} | {GROUPS: as_data([whole])}
        if rows == (QUICK if quick else SIZES)[-1]:
            goals.append(Goal(f"{rows:,} rows: reconciled in {median:.3f} s (goal {GOAL}).", median <= GOAL))
    return Section(
        "Reconciling a loaded settlement",
        "python -m benchmarks reconcile",
        [
            Tabular(
                ["rows", "bare DuckDB s, median", "ours s, median", "ours CPU s, best", "ratio, median", "minimum",
                 "repeats", "its peak MiB", "our peak MiB"],
                sums,
            ),
            Tabular(["rows", "groups made", "s", "CPU s", "CPU µs a row", "peak MiB"], streams),
        ],
        data,
        goals,
    )  # fmt: skip


def main() -> None:
    """One measured run, for `child`."""
    parser = argparse.ArgumentParser(description="one run; `python -m benchmarks reconcile` makes them all")
    works = {FOOTING: foot, BARE: bare, GROUPS: group}
    parser.add_argument("--child", choices=tuple(works), required=True)
    parser.add_argument("--root", type=Path, required=True)
    asked = parser.parse_args()
    tell(measured(lambda: works[asked.child](asked.root)))


if __name__ == "__main__":
    main()
