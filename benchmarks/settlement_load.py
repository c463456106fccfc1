"""Loading a large V2 settlement, the whole way, against bare DuckDB, Polars and PyArrow reading the same file into typed columns.

    python -m benchmarks settlement_load [--quick]

The whole way: landed copy with SHA-256, header by name, strict money grammar on every amount, ordinals, footing, rows as
Parquet on the disk. The others leave typed columns in memory, and check nothing of that:

* duckdb: `read_csv` with explicit types (DECIMAL(18,6), TIMESTAMP, DATE, BIGINT). A seventh decimal is rounded silently
  (half away from zero); `1e3`, `+1`, `1_000.00` are taken for amounts; columns are taken by position.
* polars: `read_csv` with Decimal(18, 6), then instants parsed. A seventh decimal is rounded silently (half to even);
  `1e3` and `+1` are taken.
* pyarrow: `csv.read_csv` with decimal128(18, 6), timestamps, date32, int64. More decimals than six are refused; `1e3` and
  `+1` are taken, `NaN` becomes null.

Runs are interleaved, each in a process of its own, imports done, with the file in the page cache; the ratio of each pair
is taken. Each run's rows and sum are compared with what was generated.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from benchmarks.report import Goal, Section, Tabular, ratio
from benchmarks.running import Run, as_data, child, interleaved, measured, tell
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


INSTANTS = (*COLUMNS[1:4], "posted-date-time")
STAMP = "%Y-%m-%d %H:%M:%S UTC"
READERS = ("duckdb", "polars", "pyarrow")
WHOLE, LOW = "whole", "low"
GOAL = 1.15
NOTE = (
    "Ours ends with checked, footed rows on the disk and a landed, hashed copy; the others with unchecked columns in memory. "
    "What each leaves unchecked or rounds stands at the head of `benchmarks/settlement_load.py`."
)
SIZES = ((1_000_000, 5), (5_000_000, 3))
QUICK = ((100_000, 2),)


def generate(path: Path, rows: int, seed: int = 7) -> int:
    """Write a balanced V2 file of `rows` detail rows, streaming; the same file for the same arguments. Its sum in cents.

    The summary stands before the rows and is known after them: they are made once, and copied behind it.
    """
    head, period = (
        "\t".join(COLUMNS) + "\n",
        "2026-05-01 00:00:00 UTC\t2026-05-15 23:59:59 UTC\t2026-05-17 23:59:59 UTC",
    )
    total = 0
    rest = path.with_suffix(".rows")
    with rest.open("w", encoding="ascii", newline="\n", buffering=1 << 20) as file:
        for line, cents in _lines(rows, seed):
            file.write(line)
            total += cents
    with path.open("wb") as whole, rest.open("rb") as file:
        whole.write(
            (f"{head}26111111111\t{period}\t{_amount(total)}\tUSD" + "\t" * 18 + "\n").encode("ascii")
        )
        shutil.copyfileobj(file, whole, 1 << 20)
    rest.unlink()
    return total


def _amount(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _lines(rows: int, seed: int) -> Iterator[tuple[str, int]]:
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


Checked = tuple[int, Decimal]
"""Detail rows, and their sum."""


def run_duckdb(path: Path) -> Callable[[], Checked]:
    """DuckDB alone: the file into a typed table in memory."""
    types = dict.fromkeys(COLUMNS, "VARCHAR")
    types |= {"total-amount": "DECIMAL(18,6)", "amount": "DECIMAL(18,6)", "quantity-purchased": "BIGINT"}
    types |= dict.fromkeys(INSTANTS, "TIMESTAMP") | {"posted-date": "DATE"}
    shape = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE t AS SELECT * FROM read_csv(?, delim='\t', header=true, quote='', escape='', "
        f"timestampformat='{STAMP}', columns={{{shape}}})",
        [str(path)],
    )

    def found() -> Checked:
        rows, total = connection.execute("SELECT count(*), sum(amount) FROM t").fetchall()[0]
        return int(rows) - 1, total

    return found


def run_polars(path: Path) -> Callable[[], Checked]:
    """Polars alone: the file into a typed frame."""
    types: dict[str, Any] = dict.fromkeys(COLUMNS, pl.String)
    types |= {"total-amount": pl.Decimal(18, 6), "amount": pl.Decimal(18, 6), "quantity-purchased": pl.Int64}
    types |= {"posted-date": pl.Date}
    frame = pl.read_csv(path, separator="\t", quote_char=None, schema_overrides=types, infer_schema=False)
    frame = frame.with_columns(pl.col(*INSTANTS).str.to_datetime(STAMP))

    def found() -> Checked:
        return frame.height - 1, frame["amount"].sum()

    return found


def run_pyarrow(path: Path) -> Callable[[], Checked]:
    """PyArrow alone: the file into a typed table."""
    types: dict[str, pa.DataType] = dict.fromkeys(COLUMNS, pa.string())
    types |= {"total-amount": pa.decimal128(18, 6), "amount": pa.decimal128(18, 6)}
    types |= dict.fromkeys(INSTANTS, pa.timestamp("us")) | {"posted-date": pa.date32()}
    types |= {"quantity-purchased": pa.int64()}
    table = csv.read_csv(
        path,
        parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=csv.ConvertOptions(column_types=types, timestamp_parsers=[STAMP]),
    )

    def found() -> Checked:
        return table.num_rows - 1, pc.sum(table["amount"]).as_py()

    return found


def run_whole(path: Path, folder: Path, *, low_memory: bool = False) -> Callable[[], Checked]:
    """The product's own way from the dropped file to durable Parquet."""
    limit = 4 << 30
    options = ReadOptions.low_memory(max_bytes=limit) if low_memory else ReadOptions(max_bytes=limit)
    store = SettlementStore(folder)
    with store.staging("bench") as work, Landing(folder).copy(path, "bench") as copy:
        read = read_settlement(path, work / "rows.parquet", work, options, copy)
        copy.landed()
        if read.path != "fast" or read.sum != read.summary.total:
            raise SystemExit("the file did not take the fast path")
        return lambda: (read.rows, read.sum)


def run(kind: str, path: Path, folder: Path) -> Run:
    """One measured run; what it found is looked at after the clock was stopped."""
    works: dict[str, Callable[[], Callable[[], Checked]]] = {
        "duckdb": lambda: run_duckdb(path),
        "polars": lambda: run_polars(path),
        "pyarrow": lambda: run_pyarrow(path),
        WHOLE: lambda: run_whole(path, folder),
        LOW: lambda: run_whole(path, folder, low_memory=True),
    }
    found: list[Callable[[], Checked]] = []

    def work() -> dict[str, object]:
        found.append(works[kind]())
        return {}

    made = measured(work)
    rows, total = found[0]()
    return Run(made.seconds, made.cpu_seconds, made.peak_mib, {"rows": rows, "sum": str(total)})


@cache
def generated(rows: int) -> tuple[tempfile.TemporaryDirectory[str], Path, Decimal]:
    """A file of so many rows, made once a process, its folder's keeper, and what it sums to."""
    keeper = tempfile.TemporaryDirectory(prefix="settlement-bench-")
    path = Path(keeper.name) / "settlement.txt"
    total = generate(path, rows)
    return keeper, path, Decimal(total) / 100  # money: whole cents, exact


def once(kind: str, rows: int) -> Run:
    """One run in a process of its own, checked."""
    _, path, total = generated(rows)
    made = child("benchmarks.settlement_load", "--child", kind, "--file", str(path))
    if made.facts["rows"] != rows or Decimal(made.facts["sum"]) != total:
        raise SystemExit(f"{kind} found {made.facts}, not {rows} rows over {total}")
    return made


def section(quick: bool) -> Section:
    """Both sizes, all readers in turn."""
    table: list[list[str]] = []
    data: dict[str, object] = {}
    goals: list[Goal] = []
    for rows, repeats in QUICK if quick else SIZES:
        runs = interleaved([*READERS, WHOLE], repeats, lambda kind, rows=rows: once(kind, rows))
        low = once(LOW, rows)
        ours = [one.seconds for one in runs[WHOLE]]
        for reader in READERS:
            seconds = ratio(ours, [one.seconds for one in runs[reader]])
            cpu = ratio([one.cpu_seconds for one in runs[WHOLE]], [one.cpu_seconds for one in runs[reader]])
            table.append([
                f"{rows:,}", reader, f"{min(one.seconds for one in runs[reader]):.2f}", f"{min(ours):.2f}",
                f"{seconds.median:.3f}", f"{seconds.minimum:.3f}", f"{cpu.median:.3f}", str(seconds.repeats),
                f"{max(one.peak_mib for one in runs[reader]):.0f}", f"{max(one.peak_mib for one in runs[WHOLE]):.0f}",
            ])  # fmt: skip
            if reader == "duckdb":
                goals.append(_goal(rows, seconds.median))
        goals.append(
            Goal(
                f"{rows:,} rows, low-memory profile: peak {low.peak_mib:.0f} MiB (goal under 512).",
                low.peak_mib < 512,
            )
        )
        data[str(rows)] = {kind: as_data(found) for kind, found in runs.items()} | {LOW: as_data([low])}
    return Section(
        "Loading a settlement the whole way, against bare readers of the same file",
        "python -m benchmarks settlement_load",
        [Tabular(
            ["rows", "baseline", "its best s", "our best s", "ratio, median", "minimum", "of CPU, median", "repeats",
             "its peak MiB", "our peak MiB"],
            table,
        )],
        data,
        goals,
        [NOTE],
    )  # fmt: skip


def _goal(rows: int, median: float) -> Goal:
    """1.15 of bare DuckDB is the goal."""
    why = (
        "" if median <= GOAL else "Ours parses the money strictly, hashes, copies and writes Parquet besides."
    )
    return Goal(f"{rows:,} rows: {median:.3f} of bare DuckDB's time (goal {GOAL}).", median <= GOAL, why)


def main() -> None:
    """One measured run, for `child`."""
    parser = argparse.ArgumentParser(
        description="one run; `python -m benchmarks settlement_load` makes them all"
    )
    parser.add_argument("--child", choices=(*READERS, WHOLE, LOW), required=True)
    parser.add_argument("--file", type=Path, required=True)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.file.parent) as folder:
        tell(run(asked.child, asked.file, Path(folder)))


if __name__ == "__main__":
    main()
