"""Queries whose money stays exact, in a database that can read nothing it was not given."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.warehouse import warehouse

AMOUNTS = pa.table(
    {"id": ["a", "b"], "amount": pa.array([Decimal("0.10"), Decimal("0.20")], pa.decimal128(18, 2))}
)


def test_sums_of_money_are_decimal_to_the_cent(tmp_path: Path) -> None:
    pq.write_table(AMOUNTS, tmp_path / "part.parquet")
    with warehouse({"lines": [tmp_path / "part.parquet"]}) as database:
        (total,) = database.one("SELECT sum(amount) FROM lines")
        assert total == Decimal("0.30")
        assert isinstance(total, Decimal)
        assert pa.types.is_decimal(
            database.table("SELECT sum(amount) AS total FROM lines").schema.field(0).type
        )


def test_an_average_of_money_is_refused_because_it_is_a_float() -> None:
    with warehouse({"lines": AMOUNTS}) as database:
        with pytest.raises(DataError, match="binary floats of mean"):
            database.rows("SELECT avg(amount) AS mean FROM lines")
        with pytest.raises(DataError, match="binary floats"):
            database.table("SELECT amount::FLOAT AS x FROM lines")
        assert database.rows("SELECT avg(amount) FROM lines", floats=True)[0][0] == pytest.approx(0.15)


def test_values_go_in_as_parameters(tmp_path: Path) -> None:
    with warehouse({"lines": AMOUNTS}) as database:
        assert database.rows("SELECT amount FROM lines WHERE id = ?", ["a'; DROP VIEW lines"]) == []
        assert database.rows("SELECT amount FROM lines WHERE id = ?", ["b"]) == [(Decimal("0.20"),)]
        with pytest.raises(DataError, match="2 rows"):
            database.one("SELECT id FROM lines")


def test_nothing_but_the_given_folders_can_be_read_and_the_lock_holds(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        pq.write_table(AMOUNTS, folder / "part.parquet")
    (outside / "secret.csv").write_text("x\n1\n")
    with warehouse({"lines": [inside / "part.parquet"]}) as database:
        assert database.one("SELECT count(*) FROM lines") == (2,)
        for query in (
            f"SELECT * FROM read_parquet('{outside / 'part.parquet'}')",
            f"SELECT * FROM read_csv('{outside / 'secret.csv'}')",
            f"COPY lines TO '{outside / 'copy.csv'}'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
            f"ATTACH '{outside / 'x.duckdb'}'",
        ):
            with pytest.raises(duckdb.Error):
                database.rows(query)
    assert not (outside / "copy.csv").exists()


def test_a_name_with_a_quote_is_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    folder.mkdir()
    pq.write_table(AMOUNTS, folder / "part.parquet")
    with warehouse({'odd "name': [folder / "part.parquet"]}) as database:
        assert database.one('SELECT count(*) FROM "odd ""name"') == (2,)


def test_a_result_comes_in_batches_and_its_money_stays_decimal() -> None:
    with warehouse({"lines": AMOUNTS}) as database:
        found = list(database.batches("SELECT amount FROM lines WHERE id <> ? ORDER BY id", ["x"], rows=1))
        assert [batch.column("amount").to_pylist() for batch in found] == [
            [Decimal("0.10")],
            [Decimal("0.20")],
        ]
        with pytest.raises(DataError, match="binary floats"):
            list(database.batches("SELECT amount::DOUBLE AS x FROM lines", rows=1))


def test_what_does_not_fit_into_the_memory_goes_to_the_disk_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen: set[str] = set()
    with warehouse({"lines": AMOUNTS}, memory_limit="100MB", threads=1) as database:
        query = "SELECT hash(range) AS h, repeat('x', 40) || range AS t FROM range(3_000_000) ORDER BY h"
        last = -1
        for batch in database.batches(query, rows=50_000):
            seen.update(path.name.split("-")[0] for path in tmp_path.rglob("*") if path.is_file())
            numbers = batch.column("h").to_pylist()
            assert numbers == sorted(numbers)
            assert numbers[0] >= last
            last = numbers[-1]
    assert seen, "it never went to the disk"
    assert list(tmp_path.iterdir()) == []
