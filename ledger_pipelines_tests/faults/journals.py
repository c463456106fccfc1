"""Journals as files: what links one holds, and one put back into the form of an earlier version.

Belongs here: reading and making journal files for drills. Does not belong here: the journal itself.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from ledger_pipelines.storage.journal import database
from ledger_pipelines.storage.journal.database import journal_url, make_engine

MIGRATIONS = Path(database.__file__).parent / "migrations"


def links(journal: Path) -> dict[str, tuple[str, str]]:
    """Of each confirmed effect: its kind, and the target's id, by key. Read from the file itself."""
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT key, kind, remote_id FROM effects WHERE state = 'confirmed'").fetchall()
    return {key: (kind, str(remote_id)) for key, kind, remote_id in rows}


def states(journal: Path) -> dict[str, int]:
    """How many effects are in each state."""
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT state, count(*) FROM effects GROUP BY state").fetchall())


def revisions() -> list[str]:
    """Every form the journal ever had, oldest first."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def as_of(journal: Path, revision: str) -> None:
    """Replace a journal by the same one in an earlier form: its tables, and what of the content fits into them."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    older = journal.with_name("older.sqlite")
    engine = make_engine(journal_url(older))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    with sqlite3.connect(older) as db:
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute("ATTACH ? AS now", (str(journal),))
        tables = [r[0] for r in db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        for table in tables:
            if table in ("alembic_version", "sqlite_sequence"):
                continue
            here = {r[1] for r in db.execute(f"PRAGMA main.table_info({table})")}
            there = [r[1] for r in db.execute(f"PRAGMA now.table_info({table})") if r[1] in here]
            names = ", ".join(f'"{name}"' for name in there)
            db.execute(f"DELETE FROM main.{table}")
            db.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM now.{table}")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    for path in journal.parent.glob(journal.name + "*"):
        path.unlink()
    older.replace(journal)
    for path in journal.parent.glob("older.sqlite*"):
        path.unlink()
