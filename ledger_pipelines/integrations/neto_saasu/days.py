"""Which days were carried out, and as what: so that a run looks only at days with news.

Belongs here: one small file a flow. Does not belong here: what is written (`storage.journal`): lost, these files only make
the next run look at more days than it need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from ledger_pipelines.storage.atomic import Sync, make_folder, write_atomically


class Mark(msgspec.Struct, frozen=True):
    """A day of a flow. token: what the store's records of the day were when it was carried out, "" = never. open: rows of its
    latest plan wait for a person."""

    token: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True)
class DaysDone:
    """The marks of one integration."""

    folder: Path

    def of(self, flow: str) -> dict[date, Mark]:
        """All marks of a flow; none where they were lost."""
        try:
            return msgspec.json.decode(self._file(flow).read_bytes(), type=dict[date, Mark])
        except (FileNotFoundError, msgspec.DecodeError):
            return {}

    def planned(self, flow: str, day: date, *, waits: bool) -> None:
        """A plan of the day was made; whether rows of it wait for a person."""
        self._put(flow, day, lambda before: Mark(before.token, waits))

    def carried_out(self, flow: str, day: date, token: str) -> None:
        """The plan of the day was carried out, for records as `token` says."""
        self._put(flow, day, lambda before: Mark(token, before.open))

    def waiting(self, flow: str) -> list[date]:
        """Days with rows that wait for a person."""
        return sorted(day for day, mark in self.of(flow).items() if mark.open)

    def _put(self, flow: str, day: date, change: Callable[[Mark], Mark]) -> None:
        marks = self.of(flow)
        before = marks.get(day, Mark())
        after = change(before)
        if after == before and day in marks:
            return
        marks[day] = after
        make_folder(self.folder)
        text = {one.isoformat(): mark for one, mark in sorted(marks.items())}
        write_atomically(self._file(flow), msgspec.json.encode(text), sync=Sync.NOTHING)

    def _file(self, flow: str) -> Path:
        return self.folder / f"{flow}.json"
