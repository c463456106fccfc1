"""A full pull: every entity of one connection into snapshots, from nothing, against the rows that are there.

Belongs here: sweeping all entities into a new store, and comparing what it holds with what there is. Does not belong here: how many calls
that must take, what there is, counting calls (each benchmark).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import Window, business_date
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.entities import ChangesReader, EntityLike

EVER = timedelta(days=15_000)
"""How far back documents are read: before any of the vendors was."""


@dataclass(frozen=True)
class Pull:
    """A full pull. rows: by entity; unavoidable: calls that as many rows need at least."""

    rows: Mapping[str, int]
    calls: int
    unavoidable: int

    @property
    def told(self) -> str:
        """For a table."""
        return f"a full pull: {sum(self.rows.values()):,} rows of {len(self.rows)} entities"


def rows_stored(
    reader: ChangesReader, entities: Mapping[str, EntityLike], folder: Path, zone: ZoneInfo, now: datetime
) -> dict[str, int]:
    """All entities into a new store, as a first run of the snapshots does; every row of them, whenever it was changed."""
    today = business_date(now, zone)
    window = Window(today - timedelta(days=1), today, zone)
    asked = Sweep(window, window.first, today, "pull", reach=EVER)
    store = SnapshotStore(folder, "pull")
    for entity in entities.values():
        for _ in sweep(reader, store, entity, asked):
            pass
    return {name: sum(manifest.rows for manifest in store.manifests(name)) for name in entities}


def all_there(stored: Mapping[str, int], there: Mapping[str, int]) -> None:
    """Raises SystemExit where a row was not stored, or stored twice."""
    wrong = {
        name: (stored.get(name), there.get(name))
        for name in stored.keys() | there.keys()
        if stored.get(name) != there.get(name)
    }
    if wrong:
        raise SystemExit(f"rows stored, and rows there: {wrong}")
