"""SQL that is compiled once in a nursery, for all of its children: each of them opens the journal anew.

Belongs here: that. Does not belong here: anything that changes what is sent to the database.

SQLAlchemy keeps what it compiled with each engine; a start of the product has one engine and compiles some forty
statements, which takes as long as all else that a small start does.
"""

from __future__ import annotations

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
