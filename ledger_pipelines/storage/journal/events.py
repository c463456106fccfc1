"""The append-only, hash-chained log: who did what to which record, from which state to which, and why.

Belongs here: appending, reading, verifying. Does not belong here: deciding what is worth a line (`sync`).
Each line's hash covers its content and the hash of the line before, so a line changed, removed or slipped in later is
found by `verify`. (A log cut off at its end together with the stored head is found only by comparing the head with one
that was printed elsewhere: every apply's result carries it.)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from ledger_pipelines.documents.keys import canonical, digest
from ledger_pipelines.storage.journal.models import chain, events
from ledger_pipelines.storage.journal.records import ChainBreak, Event, LoggedEvent
from ledger_pipelines.storage.journal.types import INSTANT_FORMAT

GENESIS = "0" * 64
# Built once: making a statement costs more than running it.
_HEAD = select(chain.c.seq, chain.c.hash)
_ADD = insert(events)
_SINCE = select(events.c.subject).where(events.c.seq > bindparam("after")).distinct()
_MOVE_HEAD = update(chain).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))


def _hash(seq: int, at: str, item: Event, previous: str) -> str:
    return digest(
        canonical(
            [seq, at, item.who, item.subject, item.what, item.from_state, item.to_state, item.why, previous]
        )
    )


class Events:
    """The log, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._end: tuple[int, str] | None = None
        """The last line, once we wrote it: until the transaction ends nobody else adds any."""

    def append(self, items: Iterable[Event], now: datetime) -> None:
        """Add lines at the end. The transaction must be a writing one."""
        items = list(items)
        if not items:
            return
        rows = []
        seq, previous = self.head()
        at = now.astimezone(UTC).strftime(INSTANT_FORMAT)
        for item in items:
            seq += 1
            line = _hash(seq, at, item, previous)
            rows.append(
                {
                    "seq": seq,
                    "at": at,
                    "who": item.who,
                    "subject": item.subject,
                    "what": item.what,
                    "from_state": item.from_state,
                    "to_state": item.to_state,
                    "why": item.why,
                    "previous": previous,
                    "hash": line,
                }
            )
            previous = line
        self._connection.execute(_ADD, rows)
        self._connection.execute(_MOVE_HEAD, {"new_seq": seq, "new_hash": previous})
        self._end = (seq, previous)

    def head(self) -> tuple[int, str]:
        """Number and hash of the last line; (0, zeros) when there is none."""
        if self._end is not None:
            return self._end
        seq, last = self._connection.execute(_HEAD).one()
        return int(seq), str(last)

    def of(self, subject: str, limit: int = 1000) -> list[LoggedEvent]:
        """The lines about one subject, oldest first."""
        rows = self._connection.execute(
            select(events).where(events.c.subject == subject).order_by(events.c.seq).limit(limit)
        )
        return [_logged(row) for row in rows]

    def subjects_since(self, seq: int) -> list[str]:
        """Subjects of the lines after that one, each once: what changed since it was the last."""
        rows = self._connection.execute(_SINCE, {"after": seq})
        return [str(row.subject) for row in rows]

    def tail(self, limit: int = 100) -> list[LoggedEvent]:
        """The last lines, oldest first."""
        rows = self._connection.execute(select(events).order_by(events.c.seq.desc()).limit(limit))
        return [_logged(row) for row in reversed(rows.all())]

    def verify(self) -> ChainBreak | None:
        """The first line that does not fit, or None when the whole log holds."""
        expected, previous = 1, GENESIS
        query = select(events).order_by(events.c.seq).execution_options(yield_per=1000)
        with self._connection.execute(query) as rows:
            for row in rows:
                line = _logged(row)
                if line.seq != expected:
                    return ChainBreak(expected, f"Line {expected} of the log is missing.")
                if line.previous != previous or line.hash != _hash(line.seq, line.at, line.event, previous):
                    return ChainBreak(
                        line.seq, f"Line {line.seq} of the log was changed after it was written."
                    )
                expected, previous = expected + 1, line.hash
        head_seq, head_hash = self.head()
        if (head_seq, head_hash) != (expected - 1, previous):
            return ChainBreak(expected, f"The log ends at line {expected - 1}, but {head_seq} were written.")
        return None


def _logged(row: Row[Any]) -> LoggedEvent:
    item = Event(row.who, row.subject, row.what, row.from_state, row.to_state, row.why)
    return LoggedEvent(row.seq, row.at, item, row.previous, row.hash)
