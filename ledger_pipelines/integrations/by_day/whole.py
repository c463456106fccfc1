"""Which lists of a connection were read whole, how far back and for whom: a second integration need not read them again.

Belongs here: that note, a small file a connection. Does not belong here: reading (`readings`). Lost or torn, the note only makes
an initial sync read more than it need; so nothing of it is synced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import msgspec

from ledger_pipelines.storage.atomic import Sync, make_folder, write_atomically


class Whole(msgspec.Struct, frozen=True):
    """One list. opening: its first day; reach: how many days before that its documents were read; served: integrations whose
    initial sync it has served already."""

    served: tuple[str, ...]
    opening: date
    reach: int


_NOTE = msgspec.json.Decoder(dict[str, Whole])


@dataclass(frozen=True, slots=True)
class WholeNotes:
    """The notes of one connection, by entity."""

    path: Path

    def spare(self, entity: str, integration: str, opening: date, reach: timedelta) -> bool:
        """Whether another integration read the list whole, at least as far back, and this one has not made use of that yet: an
        initial sync that is done again is meant to read everything anew.
        """
        note = self._notes().get(entity)
        if note is None or integration in note.served or note.opening > opening or note.reach < reach.days:
            return False
        self._put(entity, Whole((*note.served, integration), note.opening, note.reach))
        return True

    def read(self, entity: str, integration: str, opening: date, reach: timedelta) -> None:
        """It was read whole now."""
        self._put(entity, Whole((integration,), opening, reach.days))

    def _put(self, entity: str, note: Whole) -> None:
        make_folder(self.path.parent)
        write_atomically(self.path, msgspec.json.encode(self._notes() | {entity: note}), sync=Sync.NOTHING)

    def _notes(self) -> dict[str, Whole]:
        try:
            return _NOTE.decode(self.path.read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):  # as if it had never been noted
            return {}
