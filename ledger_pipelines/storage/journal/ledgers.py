"""The journal's smaller books: links, parked connections, seen files, runs of the engine.

Belongs here: their SQL. Does not belong here: effects (`effects`) and the log (`events`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, Insert, Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.storage.journal.effects import chunks
from ledger_pipelines.storage.journal.models import applies, files, links, parked
from ledger_pipelines.storage.journal.records import ApplyRun, Link, Parked, SeenFile

# Built once: making a statement costs more than running it.
_PARKED = select(parked).where(parked.c.connection == bindparam("wanted"))
_BEGIN = insert(applies).returning(applies.c.id)
_END = (
    update(applies)
    .where(applies.c.id == bindparam("number"))
    .values(
        ended_at=bindparam("new_end", type_=applies.c.ended_at.type),
        summary=bindparam("new_summary"),
    )
)


@lru_cache(maxsize=2)
def _renewing(dialect: str) -> Insert:
    """Add a link or renew it. Built once: making the statement costs more than running it."""
    statement = postgresql.insert(links) if dialect == "postgresql" else sqlite.insert(links)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["connection", "kind", "external_id"],
        set_={
            "remote_id": new.remote_id,
            "remote_number": new.remote_number,
            "effect_key": new.effect_key,
            "body_hash": new.body_hash,
            "revision": links.c.revision + 1,
            "voided": new.voided,
            "updated_at": new.updated_at,
        },
        where=or_(links.c.body_hash != new.body_hash, links.c.remote_id != new.remote_id),
    )


class Links:
    """Which target record answers to which of our references, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, items: Sequence[Link]) -> None:
        """Add or renew. The revision counts renewals with another body or id."""
        if not items:
            return
        self._connection.execute(
            _renewing(self._connection.dialect.name),
            [
                {
                    "connection": item.connection,
                    "kind": item.kind,
                    "external_id": item.external_id,
                    "remote_id": item.remote_id,
                    "remote_number": item.remote_number,
                    "effect_key": item.effect_key,
                    "body_hash": item.body_hash,
                    "revision": item.revision,
                    "voided": item.voided,
                    "updated_at": item.updated_at,
                }
                for item in items
            ],
        )

    def get(self, connection: str, kind: str, external_ids: Iterable[str]) -> dict[str, Link]:
        """By our reference."""
        found: dict[str, Link] = {}
        for part in chunks(external_ids):
            query = select(links).where(
                links.c.connection == connection, links.c.kind == kind, links.c.external_id.in_(part)
            )
            found.update({row.external_id: _link(row) for row in self._connection.execute(query)})
        return found

    def by_remote(self, connection: str, kind: str, remote_id: str) -> list[Link]:
        """By the target's id."""
        query = select(links).where(
            links.c.connection == connection, links.c.kind == kind, links.c.remote_id == remote_id
        )
        return [_link(row) for row in self._connection.execute(query)]


def _link(row: Row[Any]) -> Link:
    return Link(
        row.connection,
        row.kind,
        row.external_id,
        row.remote_id,
        row.remote_number,
        row.effect_key,
        row.body_hash,
        row.revision,
        bool(row.voided),
        row.updated_at,
    )


class Parking:
    """Connections nobody writes to until their credentials work, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> Parked | None:
        """Whether and why the connection is parked."""
        row = self._connection.execute(_PARKED, {"wanted": name}).first()
        return (
            None if row is None else Parked(row.connection, row.since, row.try_again_at, row.code, row.text)
        )

    def all(self) -> list[Parked]:
        """All parked ones."""
        rows = self._connection.execute(select(parked).order_by(parked.c.connection))
        return [Parked(row.connection, row.since, row.try_again_at, row.code, row.text) for row in rows]

    def put(self, item: Parked) -> None:
        """Park, or renew the reason."""
        self.remove(item.connection)
        self._connection.execute(
            insert(parked).values(
                connection=item.connection,
                since=item.since,
                try_again_at=item.try_again_at,
                code=item.code,
                text=item.text,
            )
        )

    def remove(self, name: str) -> bool:
        """Let it be written to again; False when it was not parked."""
        return self._connection.execute(delete(parked).where(parked.c.connection == name)).rowcount == 1


class Files:
    """Files that have been looked at, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, connection: str, sha256: str) -> SeenFile | None:
        """The verdict on a content, under whatever name."""
        query = select(files).where(files.c.connection == connection, files.c.sha256 == sha256)
        row = self._connection.execute(query).first()
        return None if row is None else _file(row)

    def of_settlement(self, connection: str, settlement_id: str) -> list[SeenFile]:
        """Every content that claimed to be this settlement, oldest first."""
        query = (
            select(files)
            .where(files.c.connection == connection, files.c.settlement_id == settlement_id)
            .order_by(files.c.first_seen, files.c.sha256)
        )
        return [_file(row) for row in self._connection.execute(query)]

    def all(self, connection: str) -> list[SeenFile]:
        """Every content of a connection, oldest first."""
        query = select(files).where(files.c.connection == connection)
        query = query.order_by(files.c.first_seen, files.c.sha256)
        return [_file(row) for row in self._connection.execute(query)]

    def put(self, item: SeenFile) -> SeenFile:
        """Enter, or renew: names add up, the first look's instant stays. Returns what is stored now."""
        known = self.get(item.connection, item.sha256)
        names = tuple(dict.fromkeys((*(known.names if known else ()), *item.names)))
        first = known.first_seen if known else item.first_seen
        stored = SeenFile(
            item.connection,
            item.sha256,
            item.settlement_id,
            names,
            item.verdict,
            item.reason,
            first,
            item.last_seen,
        )
        values = {
            "settlement_id": stored.settlement_id,
            "names": canonical(list(names)),
            "verdict": stored.verdict,
            "reason": stored.reason,
            "first_seen": first,
            "last_seen": stored.last_seen,
        }
        if known is None:
            values |= {"connection": stored.connection, "sha256": stored.sha256}
            self._connection.execute(insert(files).values(**values))
        else:
            self._connection.execute(
                update(files)
                .where(files.c.connection == stored.connection, files.c.sha256 == stored.sha256)
                .values(**values)
            )
        return stored


def _file(row: Row[Any]) -> SeenFile:
    return SeenFile(
        row.connection,
        row.sha256,
        row.settlement_id,
        tuple(msgspec.json.decode(row.names, type=list[str])),
        row.verdict,
        row.reason,
        row.first_seen,
        row.last_seen,
    )


class Applies:
    """Runs of the engine, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(
        self,
        *,
        connection: str,
        integration: str,
        flow: str,
        partition: str,
        plan_digest: str,
        mode: str,
        owner: str,
        who: str,
        now: datetime,
    ) -> int:
        """Enter a run; returns its fence number, greater than any before."""
        run = {
            "connection": connection,
            "integration": integration,
            "flow": flow,
            "partition": partition,
            "plan_digest": plan_digest,
            "mode": mode,
            "owner": owner,
            "who": who,
            "started_at": now,
            "summary": "",
        }
        result = self._connection.execute(_BEGIN, run)
        return int(result.scalar_one())

    def end(self, number: int, summary: str, now: datetime) -> None:
        """Note how a run ended."""
        self._connection.execute(_END, {"number": number, "new_end": now, "new_summary": summary})

    def last(self, integration: str, flow: str, partition: str, limit: int = 20) -> list[ApplyRun]:
        """The latest runs of a partition, newest first."""
        query = (
            select(applies)
            .where(
                applies.c.integration == integration, applies.c.flow == flow, applies.c.partition == partition
            )
            .order_by(applies.c.id.desc())
            .limit(limit)
        )
        return [
            ApplyRun(
                row.id,
                row.connection,
                row.integration,
                row.flow,
                row.partition,
                row.plan_digest,
                row.mode,
                row.owner,
                row.who,
                row.started_at,
                row.ended_at,
                row.summary,
            )
            for row in self._connection.execute(query)
        ]
