"""The journal as the rest of the product sees it.

Belongs here: opening, transactions, short read-only questions. Does not belong here: SQL (the modules beside), or what
to do next (`sync`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, Engine, select

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.storage.journal.database import journal_url, make_engine, reading, upgrade, writing
from ledger_pipelines.storage.journal.effects import Effects
from ledger_pipelines.storage.journal.events import Events
from ledger_pipelines.storage.journal.ledgers import Applies, Files, Links, Parking
from ledger_pipelines.storage.journal.models import chain
from ledger_pipelines.storage.journal.records import (
    ChainBreak,
    Entry,
    Event,
    Link,
    LoggedEvent,
    Parked,
    Search,
    SeenFile,
)


@dataclass(frozen=True, slots=True)
class Unit:
    """The journal's books inside one transaction."""

    effects: Effects
    events: Events
    links: Links
    parking: Parking
    files: Files
    applies: Applies

    @classmethod
    def on(cls, connection: Connection) -> Unit:
        """The books on that connection."""
        return cls(
            Effects(connection),
            Events(connection),
            Links(connection),
            Parking(connection),
            Files(connection),
            Applies(connection),
        )


class Journal:
    """What we meant to write, what we know of the outcome, and which target record answers to which of ours."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with reading(engine) as connection:
            born = connection.execute(select(chain.c.born_at)).scalar_one()
        self.birth: datetime = born.astimezone(UTC)
        """The instant this journal was made: nothing sent earlier is in it."""

    @classmethod
    def open(cls, place: str | Path, *, now: datetime | None = None) -> Journal:
        """Open, making or upgrading it if needed; several processes may do so at once.

        Args:
            place: A file path (SQLite), `sqlite:///path` or `postgresql://user@host/database`.
            now: The instant a new journal is born; None = by the machine's clock.

        Raises:
            ConfigurationError: not such a place, or a journal of a newer version.
        """
        engine = make_engine(journal_url(place))
        upgrade(engine, now=now)
        return cls(engine)

    @property
    def engine(self) -> Engine:
        """The database, for backup and inspection."""
        return self._engine

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """A consistent look."""
        with reading(self._engine) as connection:
            yield Unit.on(connection)

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """A transaction alone among writers: durable when the block ends, undone when it raises."""
        with writing(self._engine) as connection:
            yield Unit.on(connection)

    # --- short questions -----------------------------------------------------------------------------------------

    def entry(self, key: str) -> Entry | None:
        """One effect."""
        with self.read() as unit:
            return unit.effects.get([key]).get(key)

    def entries(self, keys: Iterable[str], states: Sequence[EffectState] = ()) -> dict[str, Entry]:
        """Those known among the keys; only those in `states`, when given."""
        wanted = list(keys)
        if not wanted:
            return {}
        with self.read() as unit:
            return unit.effects.get(wanted, states)

    def states(self, keys: Iterable[str]) -> dict[str, EffectState]:
        """Where those known among the keys stand."""
        with self.read() as unit:
            return unit.effects.states(keys)

    def find(self, search: Search) -> list[Entry]:
        """Effects by document number, external id, remote id, state, integration, flow, partition."""
        with self.read() as unit:
            return unit.effects.find(search)

    def counts(self, search: Search | None = None) -> dict[EffectState, int]:
        """How many effects stand where."""
        with self.read() as unit:
            return unit.effects.counts(search or Search())

    def has_confirmed(self, integration: str, flow: str, partition: str) -> bool:
        """Whether anything of the partition was ever confirmed."""
        search = Search(
            integration=integration, flow=flow, partition=partition, states=(EffectState.CONFIRMED,)
        )
        return bool(self.counts(search))

    def links(self, connection: str, kind: str, external_ids: Iterable[str]) -> dict[str, Link]:
        """Target records by our references."""
        with self.read() as unit:
            return unit.links.get(connection, kind, external_ids)

    def history(self, subject: str) -> list[LoggedEvent]:
        """The log about one effect (or `connection:<name>`, `plan:<digest>`), oldest first."""
        with self.read() as unit:
            return unit.events.of(subject)

    def log(self, events: Iterable[Event], now: datetime) -> None:
        """Add to the log."""
        with self.write() as unit:
            unit.events.append(events, now)

    def verify(self) -> ChainBreak | None:
        """The first line of the log that does not hold, or None."""
        with self.read() as unit:
            return unit.events.verify()

    def parked(self, connection: str) -> Parked | None:
        """Whether and why a connection is parked."""
        with self.read() as unit:
            return unit.parking.get(connection)

    def seen(self, connection: str, sha256: str) -> SeenFile | None:
        """The verdict on a file's content."""
        with self.read() as unit:
            return unit.files.get(connection, sha256)

    def see(self, item: SeenFile) -> SeenFile:
        """Note a file's verdict; its names add up."""
        with self.write() as unit:
            return unit.files.put(item)
