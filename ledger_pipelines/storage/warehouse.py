"""DuckDB over the Parquet files: opened in memory, read, closed; never a file that two processes share.

Belongs here: opening safely, queries whose money stays Decimal. Does not belong here: which query (the callers).

After set-up the database may read the given folders and nothing else: no other file, no address, no extension, and
its settings are locked (reliability.md 8). `.df()` is never used: it makes floats of DECIMAL (dagster.md 12).
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ledger_pipelines.errors import DataError
from ledger_pipelines.machine import at

Parameter = str | int | bool | bytes | None | Sequence[str]


def quoted(name: str) -> str:
    """An identifier, safe in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal, safe in SQL where a parameter cannot stand."""
    return "'" + text.replace("'", "''") + "'"


class Warehouse:
    """An open database. Results hold Decimal for DECIMAL; a result with a float is refused."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(
        self, query: str, parameters: Sequence[Any] = (), *, floats: bool = False
    ) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Args:
            query: SQL; values go in as `?` parameters only.
            parameters: Values for them.
            floats: Allow float columns: for ratios and plots, never for money.

        Raises:
            DataError: The result has a float column and `floats` is not set.
        """
        result = self._connection.execute(query, list(parameters))
        self._refuse_floats(result.description or [], floats=floats)
        return result.fetchall()

    def one(self, query: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The only row. Raises DataError when there are none or several."""
        found = self.rows(query, parameters)
        if len(found) != 1:
            raise DataError(f"The query gave {len(found)} rows, not one.", code="query")
        return found[0]

    def register(self, name: str, table: pa.Table) -> None:
        """Let queries read an Arrow table by that name."""
        self._connection.register(name, table)

    def table(self, query: str, parameters: Sequence[Any] = (), *, floats: bool = False) -> pa.Table:
        """The result as an Arrow table: DECIMAL columns stay decimal. Raises DataError as `rows`."""
        relation = self._connection.sql(query, params=list(parameters))
        self._refuse_floats(relation.description, floats=floats)
        table: pa.Table = relation.to_arrow_table()
        return table

    def batches(self, query: str, parameters: Sequence[Any] = (), *, rows: int) -> Iterator[pa.RecordBatch]:
        """The result a batch at a time, never held whole; for the columns, see `table`. Raises DataError as `rows`.

        Args:
            query: SQL; values go in as `?` parameters only.
            parameters: Values for them.
            rows: At most so many in a batch.
        """
        relation = self._connection.sql(query, params=list(parameters))
        self._refuse_floats(relation.description)
        with relation.to_arrow_reader(rows) as reader:
            yield from (batch for batch in reader if batch.num_rows)

    @staticmethod
    def _refuse_floats(columns: Iterable[Sequence[Any]], *, floats: bool = False) -> None:
        names = [name for name, kind, *_ in columns if str(kind) in {"DOUBLE", "FLOAT"}]
        if names and not floats:
            raise DataError(
                f"The query makes binary floats of {', '.join(names)}; no money may pass through them.",
                remedy="Cast to DECIMAL, or ask with floats=True for a figure that is no money.",
                code="float",
            )


@contextlib.contextmanager
def warehouse(
    views: Mapping[str, Sequence[Path] | pa.Table],
    *,
    folders: Sequence[Path] = (),
    memory_limit: str = "1GB",
    threads: int | None = None,
) -> Iterator[Warehouse]:
    """An in-memory database with a view over each set of Parquet files, or Arrow table.

    What does not fit into the memory goes to a private folder that is removed at the end; where none can be made, such a
    query fails.

    Args:
        views: Name -> Parquet files (columns matched by name; an absent one is null), or a table.
        folders: Folders that queries may read besides those of the files.
        memory_limit: As DuckDB writes it.
        threads: Default: one a core.
    """
    files = next((str(paths[0]) for paths in views.values() if not isinstance(paths, pa.Table) and paths), "")
    with at(files or "a query"), _opened(views, folders, memory_limit, threads) as connection:
        yield Warehouse(connection)


@contextlib.contextmanager
def _opened(
    views: Mapping[str, Sequence[Path] | pa.Table],
    folders: Sequence[Path],
    memory_limit: str,
    threads: int | None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    with _spill_folder() as spill, contextlib.closing(duckdb.connect(":memory:")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET memory_limit = {literal(memory_limit)}")
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute(f"SET temp_directory = {literal(spill)}")
        if threads is not None:
            connection.execute(f"SET threads = {int(threads)}")
        allowed = {str(folder) for folder in folders}
        for name, source in views.items():
            if isinstance(source, pa.Table):
                connection.register(name, source)
                continue
            allowed |= {str(path.parent) for path in source}
            files = ", ".join(literal(str(path)) for path in source)
            reader = f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
            connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM {reader}")  # noqa: S608 (quoted)
        listed = ", ".join(literal(folder) for folder in sorted(allowed))
        connection.execute(f"SET allowed_directories = [{listed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


@contextlib.contextmanager
def _spill_folder() -> Iterator[str]:
    """A folder of our own under the system's temporary one; "" where there is no room for one."""
    try:
        folder = tempfile.mkdtemp(prefix="ledger-spill-")
    except OSError:
        yield ""
        return
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
