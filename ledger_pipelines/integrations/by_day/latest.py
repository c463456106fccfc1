"""The newest state of every record of a connection, from its daily snapshots.

Belongs here: which rows are the newest, when they must be read again. Does not belong here: decoding them (`stored`), what a
record means (`systems/<vendor>`), which records a flow wants (`mirror`).

A record that changed on several days stands in several files; the newest counts. A list without times of change is its newest
file that could be read at all. What was read is kept until a file of the entity is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import cast

import pyarrow as pa
from upath import UPath

from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.stored import NO_ROWS, Rows
from ledger_pipelines.storage.manifests import Manifest
from ledger_pipelines.storage.newest import read_newest
from ledger_pipelines.storage.snapshots import SnapshotStore, read_file
from ledger_pipelines.sync.sweep import NOT_RECONSTRUCTIBLE, arrow_schema
from ledger_pipelines.systems.entities import RECORD, EntityLike

Token = str
"""What tells whether the files of an entity are the same as before; "" = there are none."""


@dataclass
class _Days:
    """What is known of the days of an entity while none of them is replaced."""

    token: Token
    days: Sequence[date] | None = None
    keys: dict[date, tuple[str, ...]] = field(default_factory=dict)
    hashes: dict[date, str] = field(default_factory=dict)


class LatestRecords:
    """The newest records of one connection; each entity is read once for as long as its files stay the same.

    Args:
        root: Data folder or bucket URL.
        connection: Name of the connection.
    """

    def __init__(self, root: str | Path | UPath, connection: str) -> None:
        self.store = SnapshotStore(root, connection)
        self._kept: dict[str, tuple[Token, Rows]] = {}
        self._days: dict[str, _Days] = {}

    def token(self, entity: str) -> Token:
        """Changes whenever a day of the entity is added or replaced; reads no file."""
        return self.store.version(entity)

    def days(self, entity: str) -> Sequence[date]:
        """Every day that was fetched, in order."""
        kept = self._of_days(entity)
        if kept.days is None:
            kept.days = tuple(self.store.days(entity))
        return kept.days

    def _of_days(self, entity: str) -> _Days:
        """What is known of the single days; nothing yet where one was replaced."""
        token = self.token(entity)
        kept = self._days.get(entity)
        if kept is None or kept.token != token:
            kept = self._days[entity] = _Days(token)
        return kept

    def rows(self, entity: EntityLike, *, required: bool = True) -> Rows:
        """The newest rows.

        Raises:
            DataError: There is no snapshot of it and it is required, or a file is damaged.
        """
        token = self.token(entity.name)
        kept = self._kept.get(entity.name)
        if kept is not None and kept[0] == token:
            return kept[1]
        there = bool(self.days(entity.name))
        if not there and required:
            raise DataError(
                f"There is no snapshot of {self.store.connection}/{entity.name} yet.",
                remedy=f"Run the initial sync, or materialize {self.store.connection}/{entity.name}.",
                code="no-snapshot",
            )
        found = self._read(entity) if there else NO_ROWS
        self._kept[entity.name] = (token, found)
        return found

    def keys_of(self, entity: EntityLike, day: date) -> tuple[str, ...]:
        """Keys of the records in the file of one day, in order; none where there is no such file."""
        known = self._of_days(entity.name).keys
        if day not in known:
            try:
                with self.store.path(entity.name, day).open("rb") as file:
                    table = read_file(file, entity.key)
                known[day] = tuple(_keys(table, entity))
            except FileNotFoundError:
                known[day] = ()
        return known[day]

    def content_hash(self, entity: EntityLike, day: date) -> str:
        """Digest of the file of one day; "" = never fetched."""
        if entity.changed_column:
            self.rows(entity, required=False)  # knows most days without opening their files
        known = self._of_days(entity.name).hashes
        if day not in known:
            manifest = self.store.manifest(entity.name, day)
            known[day] = "" if manifest is None else manifest.content_hash
        return known[day]

    def _read(self, entity: EntityLike) -> Rows:
        schema = arrow_schema(entity)
        if not entity.changed_column:
            return self._read_whole(entity, schema)
        known = self._of_days(entity.name)
        found = read_newest(
            self.store, entity.name, key=entity.key, modified=entity.changed_column, schema=schema
        )
        known.hashes.update(found.hashes)
        return _rows(found.table, entity, self.store.manifest(entity.name, self.days(entity.name)[-1]))

    def _read_whole(self, entity: EntityLike, schema: pa.Schema) -> Rows:
        for day in reversed(self.store.days(entity.name)):
            manifest = self.store.manifest(entity.name, day)
            if manifest is not None and manifest.basis != NOT_RECONSTRUCTIBLE:
                return _rows(self.store.read(entity.name, [day], schema=schema), entity, manifest)
        return NO_ROWS


def _rows(table: pa.Table, entity: EntityLike, manifest: Manifest | None) -> Rows:
    records = cast("list[str]", table.column(RECORD).to_pylist())
    texts = dict(zip(_keys(table, entity), records, strict=True))
    read_at = None if manifest is None else manifest.read_until or manifest.written_at
    return Rows(texts, table.drop_columns([RECORD]), read_at, entity.name)


def _keys(table: pa.Table, entity: EntityLike) -> list[str]:
    """Keys as texts; several columns are joined by `@`."""
    columns = [table.column(name).to_pylist() for name in entity.key]
    if len(columns) == 1:
        return [str(value) for value in columns[0]]
    return ["@".join(str(value) for value in values) for values in zip(*columns, strict=True)]
