"""No column of binary floats anywhere: what a whole run left is inspected, file by file and column by column.

Belongs here: Parquet, DuckDB over it, SQLite, JSON that the product stored. Does not belong here: making the run.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ledger_pipelines.storage.journal.models import metadata
from ledger_pipelines.storage.warehouse import warehouse

NOT_MONEY = {
    "state/*-buckets.sqlite:*": "tokens of a rate limiter: calls and milliseconds",
}
"""Columns that may hold binary floats, by file and column, and why they are no money."""

MONEY_NAMES = re.compile(
    r"amount|total|price|rate$|debit|credit|unpaid|unused|balance|sum$|applied|payment$|tax|net$|gross",
    re.IGNORECASE,
)
MOST_DECIMALS = 12
"""More than any amount, price or rate has: what is longer in JSON came out of a binary float."""


@dataclass(slots=True)
class Inspection:
    """What was looked at, and what is wrong."""

    parquet: int = 0
    views: int = 0
    tables: int = 0
    columns: int = 0
    money: int = 0
    json: int = 0
    problems: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        """For the verdict."""
        return {
            "parquet_files": self.parquet, "duckdb_views": self.views, "tables": self.tables,
            "columns": self.columns, "money_columns": self.money, "json_files": self.json,
        }  # fmt: skip


def inspect(root: Path) -> Inspection:
    """Everything under a folder."""
    found = Inspection()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = path.relative_to(root).as_posix()
        head = path.open("rb").read(16)
        if head.startswith(b"PAR1"):
            _parquet(path, name, found)
        elif head.startswith(b"SQLite format 3"):
            _sqlite(path, name, found)
        elif path.suffix in {".json", ".jsonl"}:
            _json(path, name, found)
    _models(found)
    return found


def _parquet(path: Path, name: str, found: Inspection) -> None:
    found.parquet += 1
    for column in pq.read_schema(path):
        found.columns += 1
        if any(pa.types.is_floating(kind) for kind in _kinds(column.type)):
            found.problems.append(f"{name}: the column {column.name} is {column.type}.")
        if MONEY_NAMES.search(column.name):
            if pa.types.is_decimal(column.type):
                found.money += 1
            elif pa.types.is_floating(column.type):
                found.problems.append(f"{name}: money in {column.name} is {column.type}.")
    found.views += 1
    with warehouse({"v": [path]}) as db:
        for column, kind, *_ in db.rows("DESCRIBE v"):
            if re.search(r"DOUBLE|FLOAT|REAL", str(kind)):
                found.problems.append(f"{name}: DuckDB's view has {column} as {kind}.")


def _kinds(kind: pa.DataType) -> Iterator[pa.DataType]:
    yield kind
    for at in range(kind.num_fields):
        yield from _kinds(kind.field(at).type)


def _sqlite(path: Path, name: str, found: Inspection) -> None:
    """Declared types, and the type of every value: SQLite keeps a float in a column of any type."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            found.tables += 1
            for _, column, declared, *_ in db.execute(f'PRAGMA table_info("{table}")').fetchall():
                found.columns += 1
                where = f"{name}:{table}.{column}"
                if _excused(name, column):
                    continue
                if re.search(r"REAL|FLOA|DOUB|NUMERIC|DECIMAL", str(declared), re.IGNORECASE):
                    found.problems.append(f"{where} is declared {declared}: SQLite makes floats of it.")
                query = f'SELECT count(*) FROM "{table}" WHERE typeof("{column}") = \'real\''
                if count := db.execute(query).fetchone()[0]:
                    found.problems.append(f"{where} holds {count} binary floats.")


def _excused(name: str, column: str) -> bool:
    return any(Path(f"{name}:{column}").match(pattern) for pattern in NOT_MONEY)


def _models(found: Inspection) -> None:
    """The journal's columns as declared: amounts are exact text on every database."""
    for table in metadata.tables.values():
        for column in table.columns:
            found.columns += 1
            kind = type(column.type).__name__
            if kind in {"Float", "REAL", "Double", "Numeric", "DOUBLE_PRECISION"}:
                found.problems.append(f"journal: {table.name}.{column.name} is {kind}.")
            if MONEY_NAMES.search(column.name):
                found.money += 1
                if kind != "ExactAmount":
                    found.problems.append(f"journal: money in {table.name}.{column.name} is {kind}.")


def _json(path: Path, name: str, found: Inspection) -> None:
    """Numbers of stored JSON have the digits of amounts, not those of binary floats."""
    found.json += 1
    for line in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
        for number in _numbers(json.loads(line, parse_float=Decimal)):
            if -int(number.as_tuple().exponent) > MOST_DECIMALS:
                found.problems.append(f"{name}: the number {number} came out of a binary float.")


def _numbers(value: object) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _numbers(part)
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, str) and value[:1] == "{" and value[-1:] == "}":
        try:
            inner = json.loads(value, parse_float=Decimal)
        except ValueError:
            return
        yield from _numbers(inner)
