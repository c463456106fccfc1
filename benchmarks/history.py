"""A journal with a past: confirmed documents of earlier settlements, and their links, as many as asked for.

Belongs here: filling a journal on SQLite. Does not belong here: measuring, what a document is (it is copied from a real
plan's).

The rows are made inside the database from one real row, each with its own key, number, ids and partition, 5,000 documents a
settlement, so that every index has what it would have. The event log is left short: no query of a plan or an apply reads more than its end.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger_pipelines.documents.effects import Effect, EffectState
from ledger_pipelines.storage.journal import Journal, intent_values

_A_SETTLEMENT = 5_000
_OWN = {
    "key": "substr(hex(randomblob(10)), 1, 20)",
    "partition": f"'past-' || (n / {_A_SETTLEMENT})",
    "number": "'701-' || n",
    "external_id": "'PAST-' || n",
    "remote_id": "CAST(900000000 + n AS TEXT)",
    "remote_number": "'PYMT' || n",
    "sequence": f"n % {_A_SETTLEMENT}",
    "confirmed_at": "strftime('%Y-%m-%dT%H:%M:%f000Z', '2025-01-05', '+' || n || ' seconds')",
}
_INDEXES = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('effects', 'links')"


def grow(place: Path, like: Effect, links: int) -> None:
    """Bring the journal at `place` to so many confirmed documents, each like that effect, and their links."""
    now = datetime(2026, 1, 5, tzinfo=UTC)
    with Journal.open(place) as journal:
        have = sum(journal.counts().values())
        if have >= links:
            return
        if not have:
            with journal.write() as unit:
                unit.effects.enter([intent_values(like) | _confirmed(now)])
            have = 1
    with closing(sqlite3.connect(place, isolation_level=None)) as database:
        database.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;")
        columns = [row[1] for row in database.execute("PRAGMA table_info(effects)")]
        listed = ", ".join(f'"{name}"' for name in columns)
        made = ", ".join(_OWN.get(name, f'e."{name}"') for name in columns)
        indexes = [row[0] for row in database.execute(_INDEXES)]
        database.execute("BEGIN")
        for (
            index
        ) in indexes:  # made again at the end: in order, instead of a page here and there for each row
            database.execute(f"DROP INDEX {index.split()[2]}")
        database.execute(
            f"WITH RECURSIVE c(n) AS (SELECT {have} UNION ALL SELECT n + 1 FROM c WHERE n + 1 < {links}) "
            f"INSERT INTO effects ({listed}) SELECT {made} FROM c, (SELECT * FROM effects LIMIT 1) AS e"
        )
        database.execute(
            "INSERT OR IGNORE INTO links (connection, kind, external_id, remote_id, remote_number, effect_key, "
            "body_hash, revision, voided, updated_at) SELECT connection, kind, external_id, remote_id, remote_number, "
            "key, body_hash, 0, 0, updated_at FROM effects"
        )
        for index in indexes:
            database.execute(index)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _confirmed(now: datetime) -> dict[str, Any]:
    """The columns of a document's state."""
    return {
        "key": "PAST",
        "partition": "past",
        "external_id": "PAST",
        "sequence": 0,
        "plan_digest": "0" * 64,
        "mode": "live",
        "state": EffectState.CONFIRMED.value,
        "attempt": 1,
        "fence": 1,
        "sent_at": now,
        "settle_from": now,
        "remote_id": "900000000",
        "remote_number": "PYMT0",
        "adopted": False,
        "created_at": now,
        "updated_at": now,
        "confirmed_at": now,
    }
