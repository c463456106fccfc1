"""Loading a large V2 settlement, the whole way, against bare DuckDB reading the same file into a typed table.

The whole way: landed copy with SHA-256, header by name, strict money grammar on every amount, ordinals, footing, rows
as Parquet. Bare DuckDB: `read_csv` with explicit column types into an in-memory table, nothing checked.
Runs are interleaved, each in a process of its own, with the file in the page cache; the ratio of each pair is taken.

    python -m benchmarks.settlement_load --rows 1000000 [--repeats 5] [--low-memory] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from benchmarks.report import Goal, Section, Tabular
from ledger_pipelines.storage.landing import Landing
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.settlement.reader import read_settlement

COLUMNS = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
    "transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "marketplace-name",
    "amount-type", "amount-description", "amount", "fulfillment-id", "posted-date", "posted-date-time",
    "order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id", "sku", "quantity-purchased",
    "promotion-id",
)  # fmt: skip
_KINDS = (
    ("ItemPrice", "Principal", 100), ("ItemPrice", "Tax", 8),
    ("ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", -8),
    ("ItemFees", "Commission", -15), ("ItemFees", "FBAPerUnitFulfillmentFee", -30),
)  # fmt: skip
ROWS = (1_000_000, 5_000_000)
QUICK_ROWS = (200_000,)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def generate(path: Path, rows: int, seed: int = 7) -> None:
    """Write a balanced V2 file of `rows` detail rows, streaming; the same file for the same arguments."""
    total = sum(cents for _, cents in _lines(rows, seed))
    with path.open("w", encoding="ascii", newline="\n", buffering=1 << 20) as file:
        file.write("\t".join(COLUMNS) + "\n")
        period = "2026-05-01 00:00:00 UTC\t2026-05-15 23:59:59 UTC\t2026-05-17 23:59:59 UTC"
        file.write(f"26111111111\t{period}\t{_amount(total)}\tUSD" + "\t" * 18 + "\n")
        for line, _ in _lines(rows, seed):
            file.write(line)


def _amount(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _lines(rows: int, seed: int):  # type: ignore[no-untyped-def]
    rng = random.Random(seed)
    written = 0
    while written < rows:
        order = f"{rng.randint(100, 999)}-{rng.randint(0, 9999999):07d}-{rng.randint(0, 9999999):07d}"
        shipment = "B" + "".join(rng.choices(_ALPHABET, k=8))
        price = rng.randint(500, 20000)
        day = f"2026-05-{rng.randint(1, 15):02d}"
        posted = f"{day} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d} UTC"
        item = f"{rng.randint(0, 10**14 - 1):014d}"
        sku = f"SKU-{rng.randint(0, 4999):05d}"
        for amount_type, description, percent in _KINDS[: rows - written]:
            cents = price * percent // 100
            written += 1
            line = (
                f"26111111111\t\t\t\t\t\tOrder\t{order}\t{order}\t\t{shipment}\tAmazon.com\t{amount_type}\t{description}"
                f"\t{_amount(cents)}\tAFN\t{day}\t{posted}\t{item}\t\t\t{sku}\t1\t\n"
            )
            yield line, cents


def run_bare(path: Path) -> int:
    """DuckDB alone: the file into a typed table in memory. Returns the number of rows."""
    types = dict.fromkeys(COLUMNS, "VARCHAR")
    types |= {"total-amount": "DECIMAL(18,6)", "amount": "DECIMAL(18,6)", "quantity-purchased": "BIGINT"}
    types |= dict.fromkeys(COLUMNS[1:4], "TIMESTAMP") | {
        "posted-date": "DATE",
        "posted-date-time": "TIMESTAMP",
    }
    shape = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE t AS SELECT * FROM read_csv(?, delim='\t', header=true, quote='', escape='', "
        f"timestampformat='%Y-%m-%d %H:%M:%S UTC', columns={{{shape}}})",
        [str(path)],
    )
    return int(connection.execute("SELECT count(*) FROM t").fetchall()[0][0]) - 1


def run_whole(path: Path, folder: Path, *, low_memory: bool) -> int:
    """The product's own way from the dropped file to durable Parquet. Returns the number of rows."""
    limit = 4 << 30
    options = ReadOptions.low_memory(max_bytes=limit) if low_memory else ReadOptions(max_bytes=limit)
    store = SettlementStore(folder)
    with store.staging("bench") as work, Landing(folder).copy(path, "bench") as copy:
        read = read_settlement(path, work / "rows.parquet", work, options, copy)
        copy.landed()
        if read.path != "fast" or read.sum != read.summary.total:
            raise SystemExit("the file did not take the fast path")
        return read.rows


def child(arguments: argparse.Namespace) -> None:
    """One measured run: imports are done before the clock starts."""
    path = Path(arguments.file)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        started, busy = time.perf_counter(), time.process_time()
        if arguments.child == "bare":
            rows = run_bare(path)
        else:
            rows = run_whole(path, Path(folder), low_memory=arguments.child == "low")
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": busy, "rows": rows, "peak_mib": peak}))


def measure(kind: str, path: Path) -> dict[str, float]:
    """Run one child and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.settlement_load", "--child", kind, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def section(quick: bool) -> Section:
    """Both sizes, each in a process of its own."""
    reports = []
    for rows in QUICK_ROWS if quick else ROWS:
        command = [sys.executable, "-m", "benchmarks.settlement_load", "--rows", str(rows), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        reports.append(json.loads(done.stdout))
    names = list(dict.fromkeys(name for report in reports for name in report))
    return Section(
        "Reading a settlement, as a ratio to bare DuckDB",
        "python -m benchmarks.settlement_load --rows N",
        (
            Tabular(
                ["", *(f"{report['rows']:,} rows" for report in reports)],
                [[name, *(_cell(report.get(name, "")) for report in reports)] for name in names],
            ),
        ),
        reports,
        [Goal(f"{r['rows']:,} rows: median ratio {r['ratio_median']:.3f}", met=True) for r in reports],
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_cell(inner) for inner in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def main() -> None:
    """Generate, measure, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=0, help="default: 5 up to a million rows, else 3")
    parser.add_argument(
        "--low-memory", action="store_true", help="measure only the low-memory profile's peak"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", choices=("bare", "whole", "low"))
    parser.add_argument("--file")
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return
    repeats = arguments.repeats or (5 if arguments.rows <= 1_000_000 else 3)
    with tempfile.TemporaryDirectory(prefix="settlement-bench-") as folder:
        path = Path(folder) / "settlement.txt"
        generate(path, arguments.rows)
        low = measure("low", path)
        report: dict[str, object] = {"rows": arguments.rows, "bytes": path.stat().st_size, "low_memory": low}
        if not arguments.low_memory:
            pairs = [(measure("bare", path), measure("whole", path)) for _ in range(repeats)]
            ratios = sorted(whole["seconds"] / bare["seconds"] for bare, whole in pairs)
            report |= {
                "repeats": repeats,
                "bare_seconds": sorted(bare["seconds"] for bare, _ in pairs),
                "whole_seconds": sorted(whole["seconds"] for _, whole in pairs),
                "ratio_median": statistics.median(ratios),
                "ratio_min": ratios[0],
                "ratio_of_best": min(w["seconds"] for _, w in pairs) / min(b["seconds"] for b, _ in pairs),
                "cpu_ratio_median": statistics.median(w["cpu_seconds"] / b["cpu_seconds"] for b, w in pairs),
                "bare_peak_mib": max(bare["peak_mib"] for bare, _ in pairs),
                "whole_peak_mib": max(whole["peak_mib"] for _, whole in pairs),
            }
    if arguments.json:
        print(json.dumps(report, indent=1))
        return
    for name, value in report.items():
        print(f"{name:15} {value}")


if __name__ == "__main__":
    main()
