"""What every simulated world has: a seed, a trace, a process that dies where it is told, and a journal of its own.

Belongs here: chance, death, the journal's file, what went wrong. Does not belong here: any world.

One schedule is one seed: the same seed gives the same accidents in the same order, in any process and on any machine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Protocol

from sqlalchemy import event, update

from ledger_pipelines import faultpoints
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.storage.journal.database import journal_url, make_engine, writing
from ledger_pipelines.storage.journal.models import chain
from ledger_pipelines_tests.memory import in_memory

DIES = "dies at "
STOPS = "stops at "
MET = "met "


class Crash(BaseException):
    """The process dies here: nothing after this line of it runs."""


class World(Protocol):
    """One schedule that can be carried out."""

    schedule: Schedule

    def run(self) -> None:
        """Carry it out and judge it."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


@dataclass
class Schedule:
    """Chance, and what came of it.

    Args:
        name: What repeats it: the run's seed, the world, the number.
        met: How often each accident was really met, each fault point died at, and so on, by name.
    """

    name: str
    trace: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.name)

    def say(self, text: str) -> None:
        """A line of the trace."""
        self.trace.append(text)

    def complain(self, text: str) -> None:
        """Something that must not be; said once."""
        if text not in self.wrong:
            self.wrong.append(text)
            self.trace.append(f"!!! {text}")

    def die(self, where: str) -> None:
        """The process ends here."""
        self.met[DIES + where] += 1
        self.say(f"   dies at {where}")
        raise Crash(where)

    def at(self, point: str, hits: int, action: Callable[[], None]) -> None:
        """Let `action` happen when a fault point is reached for the `hits`-th time, once."""
        left = hits

        def hook(name: str) -> None:
            nonlocal left
            if name == point:
                left -= 1
                if left == 0:
                    action()

        faultpoints.install(hook)

    def process(self, act: Callable[[], None]) -> bool:
        """One life of the process; whether it came to its end unharmed."""
        try:
            act()
        except Crash:
            return False
        finally:
            faultpoints.install(None)
        return True


def scratch() -> Path:
    """A folder in memory where there is one: schedules are about order, not about disks."""
    return Path(tempfile.mkdtemp(prefix="ledger-sim-", dir=in_memory()))


class Desk:
    """Journals for one schedule after the other: the file is copied, not migrated, and lies in memory where it can.

    The engine (of SQLAlchemy) stays, as it would in a process that runs for long: what it has compiled is compiled once.
    """

    def __init__(self, born: datetime) -> None:
        self._folder = scratch()
        self._template = self._folder / "template.db"
        Journal.open(self._template, now=born).close()
        self._path = self._folder / "journal.db"
        self._engine = make_engine(journal_url(self._path))
        event.listen(self._engine, "connect", _never_synced)

    @property
    def folder(self) -> Path:
        """For whatever else a schedule keeps; the caller cleans up."""
        return self._folder

    def journal(self, born: datetime | None = None) -> Journal:
        """A new journal in the place of the last one, which must be closed; born then, or when the template was."""
        self._engine.dispose()
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self._template, self._path)
        if born is not None:
            with writing(self._engine) as connection:
                connection.execute(update(chain).values(born_at=born))
        return Journal(self._engine)

    def close(self) -> None:
        """Remove all."""
        self._engine.dispose()
        shutil.rmtree(self._folder)


def _never_synced(connection: object, _record: object) -> None:
    """Schedules are about order, not about disks: nothing outlives them anyway."""
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]  # sqlite3's connection


def pick(random: Random, choices: Sequence[tuple[str, float]]) -> str:
    """One of the names, by weight."""
    names, weights = zip(*choices, strict=True)
    found: str = random.choices(names, weights)[0]
    return found
