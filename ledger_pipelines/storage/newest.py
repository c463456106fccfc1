"""The newest state of every record of an entity, kept beside its days, so that years of them are not read again for each run.

Belongs here: that one file, when it counts, when it is made anew. Does not belong here: the days (`snapshots`), what a row means.

    <root>/snapshots/<connection>/<entity>.newest.parquet      the newest rows of all days but the latest, in the footer which days

It is only a shortcut: lost, damaged or no longer fitting (a day was replaced), it is made anew from the days. On a bucket there
is none.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ledger_pipelines.storage.atomic import Sync, is_local, write_atomically
from ledger_pipelines.storage.snapshots import PART, SnapshotStore, newest, read_file

SUFFIX = ".newest.parquet"
MOST_BESIDE = 7
"""So many later days are read beside it before it is made anew."""
_METADATA = b"ledger_newest"


class _Covered(msgspec.Struct, frozen=True):
    """What the file was made from. days: each with what told its file, and the digest of its rows."""

    key: tuple[str, ...]
    modified: str
    days: dict[date, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest rows, ordered by key. hashes: digests of the rows of the days that need not be opened for it."""

    table: pa.Table
    hashes: Mapping[date, str]


def read_newest(
    store: SnapshotStore, entity: str, *, key: Sequence[str], modified: str, schema: pa.Schema
) -> Newest:
    """The newest state of each record, as `SnapshotStore.latest`. Raises DataError as that does."""
    folder = store.folder(entity)
    if not is_local(folder):
        return Newest(store.latest(entity, key=key, modified=modified, schema=schema), {})
    there = _files(str(folder), store.days(entity))
    kept, covered = _kept(str(folder), schema) or (schema.empty_table(), _Covered(tuple(key), modified, {}))
    beside = [day for day in there if day not in covered.days]
    fits = (
        covered.key == tuple(key)
        and covered.modified == modified
        and all(there.get(day) == told for day, (told, _) in covered.days.items())
        and (not covered.days or not beside or beside[0] > max(covered.days))
    )
    if not fits:
        kept, covered, beside = schema.empty_table(), _Covered(tuple(key), modified, {}), list(there)
    if len(beside) > MOST_BESIDE:
        hashes = {one.day: one.content_hash for one in store.manifests(entity, beside[0], beside[-2])}
        kept = _merged(kept, store.read(entity, beside[:-1], schema=schema), covered)
        days = {**covered.days, **{day: (there[day], told) for day, told in hashes.items()}}
        covered, beside = _Covered(tuple(key), modified, days), beside[-1:]
        _keep(str(folder), kept, covered)
    table = _merged(kept, store.read(entity, beside, schema=schema), covered)
    return Newest(table, {day: told for day, (_, told) in covered.days.items()})


def _merged(kept: pa.Table, later: pa.Table, covered: _Covered) -> pa.Table:
    """Rows of days in the order of days: of those changed at the same instant the one that stands later counts."""
    both = pa.concat_tables([kept, later])
    place = pa.array(range(both.num_rows), pa.int64())
    found = newest(both.append_column("ledger_file", place), covered.key, covered.modified)
    return found.drop_columns(["ledger_file"])


def _files(folder: str, days: Sequence[date]) -> dict[date, str]:
    """Each day with what tells whether its file was replaced."""
    found = {}
    for day in days:
        stat = os.stat(f"{folder}/date={day.isoformat()}/{PART}")  # noqa: PTH116 (thousands of them)
        found[day] = f"{stat.st_ino}-{stat.st_size}-{stat.st_mtime_ns}"
    return found


def _kept(folder: str, schema: pa.Schema) -> tuple[pa.Table, _Covered] | None:
    """What is kept; None where it is not there, damaged, or has other columns."""
    try:
        table = read_file(f"{folder}{SUFFIX}")
        covered = msgspec.json.decode((table.schema.metadata or {})[_METADATA], type=_Covered)
    except (OSError, pa.ArrowException, KeyError, msgspec.MsgspecError):
        return None
    table = table.replace_schema_metadata(None)
    return (table, covered) if table.schema == schema else None


def _keep(folder: str, table: pa.Table, covered: _Covered) -> None:
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({_METADATA: msgspec.json.encode(covered)}), buffer, compression="zstd"
    )
    write_atomically(Path(folder + SUFFIX), buffer.getvalue(), sync=Sync.CONTENT)
