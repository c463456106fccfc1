"""The note that the initial sync was done, with what it found; and the name of one that was cut short.

Belongs here: the note and its two files. Does not belong here: what is paired with what (each integration's own).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.atomic import make_folder, write_atomically

VERSION = 1
"""Of the stored note: an older one is made again."""


CLASH: Final = "clash"
"""Section of the rows of a report that are about clashes."""


class ReportRow(msgspec.Struct, frozen=True):
    """One line for people. section: what it is about; here: of the source; there: of the target."""

    section: str
    here: str
    there: str
    text: str


class NearMiss(msgspec.Struct, frozen=True):
    """Records that may be meant to be the same, and are not. kind: why not."""

    kind: str
    here: str
    there: tuple[str, ...]


class Clash(msgspec.Struct, frozen=True):
    """Several records that claim one partner. kind: what they claim it by; taken: the one that counts, "" = none."""

    kind: str
    name: str
    ids: tuple[str, ...]
    taken: str = ""


WRITTEN_BEFORE: Final = "written-before"
_SHOWN: Final = 5
"""So many references are named."""
_EARLIER: Final = (
    "{target} holds {name} ({ids} ...) of which the journal knows nothing: an earlier journal was lost, or another installation "
    "wrote them. Put that journal back if there is a copy. Without it each document up to today is looked for before it is written, "
    "which is a call more each; `ledger-pipelines rebuild` reads both sides again with the same care."
)


def earlier(references: Sequence[str]) -> tuple[Clash, ...]:
    """What contradicts a journal that knows nothing: references of ours that the target holds."""
    if not references:
        return ()
    return (Clash(WRITTEN_BEFORE, f"{len(references):,} references of ours", tuple(references[:_SHOWN])),)


def written_before_row(clash: Clash, target: str) -> ReportRow:
    """Its line for people."""
    ids = ", ".join(clash.ids)
    return ReportRow(CLASH, "", ids, _EARLIER.format(target=target, name=clash.name, ids=ids))


class Found(Protocol):
    """What an initial sync found, whatever the integration (a msgspec.Struct)."""

    @property
    def near_misses(self) -> tuple[NearMiss, ...]:
        """Records that a person would call the same."""
        ...

    @property
    def clashes(self) -> tuple[Clash, ...]:
        """Records that cannot all be pairs."""
        ...

    def counts(self) -> dict[str, int]:
        """How many of what."""
        ...

    def report_rows(self) -> list[ReportRow]:
        """What a person should look at."""
        ...


F = TypeVar("F", bound=Found)


class InitialSync(msgspec.Struct, Generic[F], frozen=True, kw_only=True):
    """The stored note. store, file: identities of both accounts: for another pair it must be done again.

    done_at: UTC. days_back: how far documents were read back.
    """

    done_at: datetime
    store: str
    file: str
    days_back: int
    pairing: F
    version: int = VERSION

    def encoded(self) -> bytes:
        """As JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    def is_of(self, store: str, file: str) -> bool:
        """Whether it was done for that pair of accounts, by this version."""
        return (self.store, self.file, self.version) == (store, file, VERSION)


def decoded(raw: bytes, found: type[F]) -> InitialSync[F]:
    """From `InitialSync.encoded`. Raises DataError."""
    try:
        return msgspec.json.decode(raw, type=InitialSync[found])  # type: ignore[valid-type]
    except msgspec.DecodeError as error:
        raise DataError(
            f"The report of the initial sync cannot be read: {error}.", remedy="Run the initial sync again."
        ) from error


@dataclass(frozen=True, slots=True)
class InitialFiles(Generic[F]):
    """Where the note of one integration is kept. found: the type of what it found."""

    folder: Path
    found: type[F]

    def note(self) -> InitialSync[F] | None:
        """The note; None = never done. Raises DataError."""
        try:
            raw = self._note.read_bytes()
        except FileNotFoundError:
            return None
        return decoded(raw, self.found)

    def keep(self, done: InitialSync[F]) -> None:
        """It was done: none is under way any more."""
        make_folder(self.folder)
        write_atomically(self._note, done.encoded())
        with suppress(FileNotFoundError):
            self._under_way.unlink()

    def attempt(self, fresh: str) -> str:
        """Name of the one under way: one that was cut short goes on under its own name, else `fresh`."""
        with suppress(FileNotFoundError):
            return self._under_way.read_text(encoding="utf-8")
        make_folder(self.folder)
        write_atomically(self._under_way, fresh.encode())
        return fresh

    @property
    def _note(self) -> Path:
        return self.folder / "initial_sync.json"

    @property
    def _under_way(self) -> Path:
        return self.folder / "initial_sync.attempt"
