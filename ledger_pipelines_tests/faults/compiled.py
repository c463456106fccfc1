"""SQL that is compiled once: in a nursery for all of its children, of which each opens the journal anew; and in a run of Dagster.

Belongs here: that. Does not belong here: anything that changes what is sent to the database.

SQLAlchemy keeps what it compiled with each engine; a start of the product has one engine and compiles some forty
statements, which takes as long as all else that a small start does. Dagster's storage in SQLite makes an engine for each event.
"""

from __future__ import annotations

import importlib
from typing import Any

from sqlalchemy import Engine

from ledger_pipelines.storage.journal import database

_first: dict[str, Engine] = {}


def share_compiled() -> None:
    """From now on all engines of this process, and of those forked from it, share what is compiled."""
    real = database.create_engine

    def shared(url: Any, **more: Any) -> Engine:
        engine: Engine = real(url, **more)
        first = _first.setdefault(engine.dialect.name, engine)
        if first is not engine:
            engine.dialect = first.dialect  # what is compiled is kept by statement and dialect
            engine._compiled_cache = first._compiled_cache
        return engine

    database.create_engine = shared  # type: ignore[assignment]  # only in a nursery


_STORAGES = "dagster._core.storage"
_OF_DAGSTER = (
    f"{_STORAGES}.event_log.sqlite.sqlite_event_log",
    f"{_STORAGES}.runs.sqlite.sqlite_run_storage",
    f"{_STORAGES}.schedules.sqlite.sqlite_schedule_storage",
)


def keep_engines_of_dagster() -> None:
    """From now on Dagster's storages in SQLite have one engine for each of their files; connections come and go as before."""
    kept: dict[tuple[str, str], Engine] = {}
    for name in _OF_DAGSTER:
        storage = importlib.import_module(name)
        real = storage.create_engine

        def once(url: str, *, _name: str = name, _real: Any = real, **more: Any) -> Engine:
            key = (_name, url)
            if key not in kept:
                kept[key] = _real(url, **more)
            return kept[key]

        storage.create_engine = once  # type: ignore[attr-defined]  # only in a process of a drill
