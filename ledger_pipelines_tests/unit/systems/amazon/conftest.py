"""Reading a file both ways, for every test that reads one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ledger_pipelines.systems.amazon.settlement.findings import SettlementRefusedError
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions, ReadSettlement
from ledger_pipelines.systems.amazon.settlement.reader import read_settlement


@dataclass(frozen=True)
class Result:
    read: ReadSettlement | None
    rows: list[dict[str, Any]]
    refusal: SettlementRefusedError | None

    @property
    def codes(self) -> list[str]:
        return [finding.code for finding in self.refusal.findings] if self.refusal else []


Reader = Callable[..., Result]


def read_one(path: Path, work: Path, options: ReadOptions) -> Result:
    rows = work / "rows.parquet"
    try:
        read = read_settlement(path, rows, work, options)
    except SettlementRefusedError as refusal:
        return Result(None, [], refusal)
    return Result(read, pq.read_table(rows).to_pylist(), None)


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Reads a file on the fast path and on the careful one, asserts one verdict, and gives the careful result."""

    def both(path: Path, options: ReadOptions | None = None) -> Result:
        chosen = options or ReadOptions()
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        quick = read_one(path, work, replace(chosen, fast=True))
        slow = read_one(path, work, replace(chosen, fast=False))
        assert_same(quick, slow)
        return slow

    return both


def assert_same(quick: Result, slow: Result) -> None:
    assert quick.codes == slow.codes
    assert quick.rows == slow.rows
    if quick.read is not None and slow.read is not None:
        # a warning names its line on the careful path only
        assert replace(quick.read, path="", warnings=()) == replace(slow.read, path="", warnings=())
        assert [w.code for w in quick.read.warnings] == [w.code for w in slow.read.warnings]


@pytest.fixture
def samples() -> Path:
    root = Path(__file__).parents[4]
    folder = Path(os.environ.get("LEDGER_SAMPLES", root / "../shared/samples/settlements"))
    if not folder.is_dir():
        pytest.skip("no real settlement samples here; set LEDGER_SAMPLES to their folder")
    return folder
