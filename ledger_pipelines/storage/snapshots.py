"""Snapshots: the records of an entity, one Parquet file a day, each replaced whole.

Belongs here: writing a day, reading days, which days there are, the newest state of each record.
Does not belong here: fetching (`systems`), what a row means (`integrations`), Dagster's partitions (`orchestration`).

    <root>/snapshots/<connection>/<entity>/date=YYYY-MM-DD/part.parquet      the rows, with the manifest in the footer
    <root>/snapshots/<connection>/<entity>/date=YYYY-MM-DD/manifest.json     the same manifest, for people

The footer counts: rows and manifest are one file, so that no crash can part them. A day without rows is a file too. After a
power cut a day written last may be the one before, or missing: it is fetched again. Its content is synced, its name is not.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.atomic import Sync, is_local, make_folder, write_atomically
from ledger_pipelines.storage.manifests import (
    FILE,
    METADATA_KEY,
    Manifest,
    SchemaChange,
    changes,
    columns_of,
    compare,
)

PART = "part.parquet"


class SnapshotStore:
    """The snapshots of one connection. Several processes may read and write at once; the last write of a day counts.

    Args:
        root: Data folder or bucket URL (`data_dir` of the configuration).
        connection: Name of the connection.
    """

    def __init__(self, root: str | Path | UPath, connection: str) -> None:
        self.connection = connection
        self._root = UPath(root) / "snapshots" / connection
        self._folders: dict[str, UPath] = {}

    def folder(self, entity: str) -> UPath:
        """Where an entity's days are."""
        found = self._folders.get(entity)
        if found is None:
            found = self._folders[entity] = self._root / entity
        return found

    def path(self, entity: str, day: date) -> UPath:
        """The file of one day, whether it is there or not."""
        return self.folder(entity) / f"date={day.isoformat()}" / PART

    def write_day(
        self,
        entity: str,
        day: date,
        rows: pa.Table,
        *,
        window: Window,
        basis: str,
        run_id: str,
        written_at: datetime | None = None,
        expected: pa.Schema | None = None,
        sort_by: Sequence[str] = (),
        read_until: datetime | None = None,
    ) -> Manifest:
        """Replace one day, whole; also when it has no rows.

        Args:
            entity: Name of the entity.
            day: The day, a date of the books.
            rows: Its records; money as decimal128.
            window: The days that were asked for (a back-fill asks for many at once).
            basis: What decides the day of a row.
            run_id: Of the run.
            written_at: Default: now.
            expected: Declared columns, to compare with.
            sort_by: Columns that order the rows, so that the same records give the same hash.
            read_until: Instant until which changes of that day are in it; None = not told.

        Raises:
            DataError: There are no columns, or one is a binary float.
            OSError: It could not be stored; the day is as it was.
        """
        _refuse(entity, rows.schema)
        table = rows.sort_by([(name, "ascending") for name in sort_by]) if sort_by else rows
        columns = columns_of(table.schema)
        declared = {} if expected is None else {"drift": compare(columns_of(expected), columns)}
        manifest = Manifest(
            connection=self.connection,
            entity=entity,
            day=day,
            rows=table.num_rows,
            content_hash=content_hash(table),
            written_at=written_at or datetime.now(UTC),
            window_start=window.start,
            window_end=window.end,
            basis=basis,
            run_id=run_id,
            columns=columns,
            read_until=read_until,
            **declared,
        )
        buffer = io.BytesIO()
        named = table.replace_schema_metadata({METADATA_KEY: manifest.encoded()})
        pq.write_table(named, buffer, compression="zstd")
        path = self.path(entity, day)
        make_folder(path.parent)
        write_atomically(path, buffer.getvalue(), sync=Sync.CONTENT)
        write_atomically(path.parent / FILE, manifest.encoded(), sync=Sync.NOTHING)
        self._tell(entity)
        return manifest

    def version(self, entity: str) -> str:
        """Differs from before whenever a day was written or taken away; "" = there is no day. Opens no file."""
        folder = self.folder(entity)
        if is_local(folder):
            try:
                stat = os.stat(str(folder))  # noqa: PTH116 (thousands of them for a year of plans)
            except FileNotFoundError:
                return ""
            return f"{stat.st_ino}-{stat.st_mtime_ns}"
        found = ((day, self.path(entity, day).stat()) for day in self.days(entity))
        return ";".join(f"{day}={stat.st_size}-{stat.st_mtime}" for day, stat in found)

    def _tell(self, entity: str) -> None:
        """Give the entity's folder a new time: a day that is replaced would not."""
        folder = self.folder(entity)
        if is_local(folder):
            now = time.time_ns()
            os.utime(str(folder), ns=(now, now))

    def manifest(self, entity: str, day: date) -> Manifest | None:
        """The manifest of one day; None when that day was never fetched.

        Raises:
            DataError: The file is there and is not ours, or is damaged.
        """
        path = self.path(entity, day)
        try:
            with path.open("rb") as file:
                metadata = pq.read_schema(file).metadata or {}
            return Manifest.decoded(metadata[METADATA_KEY])
        except FileNotFoundError:
            return None
        except (pa.ArrowInvalid, KeyError, ValueError) as error:
            raise DataError(
                f"{path} is damaged or was not written by this program.",
                remedy=f"Move it away and fetch {entity} of {day.isoformat()} again.",
                code="damaged-snapshot",
            ) from error

    def days(self, entity: str) -> list[date]:
        """Every day that was fetched, in order."""
        folder = self.folder(entity)
        if not folder.exists():
            return []
        names = os.listdir(str(folder)) if is_local(folder) else [entry.name for entry in folder.iterdir()]  # noqa: PTH208
        found = [
            date.fromisoformat(day)
            for name in names
            if (day := name.rstrip("/").removeprefix("date=")) != name.rstrip("/")
            and self._there(folder, name)
        ]
        return sorted(found)

    @staticmethod
    def _there(folder: UPath, name: str) -> bool:
        if is_local(folder):
            return os.path.exists(f"{folder}/{name}/{PART}")  # noqa: PTH110 (hundreds of them for each list)
        return bool((folder / name / PART).exists())

    def manifests(self, entity: str, first: date | None = None, last: date | None = None) -> list[Manifest]:
        """The manifests of the days from `first` to `last`, both included, in order."""
        wanted = [day for day in self.days(entity) if (first or day) <= day <= (last or day)]
        return [found for day in wanted if (found := self.manifest(entity, day)) is not None]

    def missing_days(self, entity: str, first: date, last: date) -> list[date]:
        """Days from `first` to `last` that were never fetched."""
        there = set(self.days(entity))
        span = (last - first).days + 1
        return [day for day in (first + timedelta(days=n) for n in range(span)) if day not in there]

    def drift(self, entity: str, first: date | None = None, last: date | None = None) -> list[SchemaChange]:
        """Each day whose columns differ from the day before."""
        return changes(self.manifests(entity, first, last))

    def read(
        self, entity: str, days: Iterable[date] | None = None, *, schema: pa.Schema | None = None
    ) -> pa.Table:
        """The rows of those days (default: all), columns matched by name. Days never fetched give no rows.

        Args:
            entity: Name of the entity.
            days: Which.
            schema: Columns to give, in order, absent ones as null; needed when no day may be there.

        Raises:
            DataError: There is no day at all and no schema; or a column cannot be given in the type asked for.
        """
        return self._given(entity, self._stored(entity, days), schema)

    def latest(
        self,
        entity: str,
        *,
        key: Sequence[str],
        modified: str,
        days: Iterable[date] | None = None,
        schema: pa.Schema | None = None,
    ) -> pa.Table:
        """The newest state of each record: of the rows with the same `key`, the one modified last.

        Raises:
            DataError: As `read`.
        """
        table = self._stored(entity, days)
        return self._given(entity, None if table is None else newest(table, key, modified), schema)

    def _stored(self, entity: str, days: Iterable[date] | None) -> pa.Table | None:
        """All rows of those days, with their file's place in the order of days as `ledger_file`; None = there is no day."""
        wanted = self.days(entity) if days is None else sorted(set(days))
        paths = [path for day in wanted if (path := self.path(entity, day)).exists()]
        return _table(paths) if paths else None

    def _given(self, entity: str, found: pa.Table | None, schema: pa.Schema | None) -> pa.Table:
        """The rows in the columns asked for."""
        name = f"{self.connection}/{entity}"
        if found is not None:
            found = found.drop_columns(["ledger_file"])
            return found if schema is None else _as(found, schema, name)
        if schema is None:
            raise DataError(
                f"There is no snapshot of {name} yet.",
                remedy=f"Materialize {name} first.",
                code="no-snapshot",
            )
        return schema.empty_table()


def newest(table: pa.Table, key: Sequence[str], modified: str) -> pa.Table:
    """Of the rows with the same key the one modified last, then the one of the later file; ordered by key."""
    order: list[tuple[str, Literal["ascending", "descending"]]] = [(name, "ascending") for name in key]
    ordered = table.sort_by([*order, (modified, "descending"), ("ledger_file", "descending")])
    keys = list(zip(*(ordered.column(name).to_pylist() for name in key), strict=True))
    first = [place for place, one in enumerate(keys) if place == 0 or one != keys[place - 1]]
    return ordered.take(pa.array(first, pa.int64()))


def content_hash(table: pa.Table) -> str:
    """SHA-256 over columns and rows, in their order, however they are chunked."""
    plain = table.replace_schema_metadata(None).combine_chunks()
    digest = hashlib.sha256("\n".join(f"{n}\t{k}" for n, k in columns_of(plain.schema)).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_table(plain)
    digest.update(sink.getvalue())
    return digest.hexdigest()


def _refuse(entity: str, schema: pa.Schema) -> None:
    if not len(schema):
        raise DataError(
            f"A day of {entity} has no columns.",
            remedy="Give the declared schema, also for a day without rows.",
        )
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    if floats:
        raise DataError(
            f"{entity}: {', '.join(floats)} would be stored as binary float.",
            remedy="Store numbers as decimal128 (or text), never as float.",
            code="float",
        )


def _table(paths: Sequence[UPath]) -> pa.Table:
    """All files as one table, columns matched by name, with the place in the list as `ledger_file`."""
    tables = []
    for position, path in enumerate(paths):
        if is_local(path):
            table = read_file(str(path))
        else:
            with path.open("rb") as file:
                table = read_file(file)
        place = pa.repeat(pa.scalar(position, pa.int32()), table.num_rows)
        tables.append(table.replace_schema_metadata(None).append_column("ledger_file", place))
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise DataError(
            f"{paths[0].parent.parent.name}: days cannot be read together: {error}.",
            remedy="A column changed its type between them; fetch the older days again.",
            code="column-type",
        ) from error


def read_file(file: str | IO[bytes], columns: Sequence[str] | None = None) -> pa.Table:
    """One file as it is. `pyarrow.parquet.read_table` would load all that data sets of many files need, for each anew."""
    with pq.ParquetFile(file) as opened:
        return opened.read(columns=None if columns is None else list(columns))


def _as(table: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    arrays = []
    for field in schema:
        try:
            arrays.append(
                table.column(field.name).cast(field.type)
                if field.name in table.column_names
                else pa.nulls(table.num_rows, field.type)
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"{name}: column {field.name} cannot be read as {field.type}: {error}.",
                remedy="The vendor changed its type; fetch these days again after the entity's columns are corrected.",
                code="column-type",
            ) from error
    return pa.table(arrays, schema=schema)
