"""Which days were carried out, and as what: so that a run looks only at days with news.

Belongs here: one small file a flow, a line for each change. Does not belong here: what is written (`storage.journal`): lost or
torn, these files only make the next run look at more days than it need; so nothing of them is synced.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec

from ledger_pipelines.machine import at
from ledger_pipelines.storage.atomic import FILE_MODE, Sync, make_folder, write_atomically

_SLACK = 1000
"""So many lines more than days a file may have before it is written anew."""


class Mark(msgspec.Struct, frozen=True):
    """A day of a flow. token: what the store's records of the day were when it was carried out, "" = never. open: rows of its
    latest plan wait for a person."""

    token: str = ""
    open: bool = False


class _Line(msgspec.Struct, frozen=True):
    day: date
    token: str
    open: bool


@dataclass
class _Kept:
    """A file as it was read or last written by us. identity: what tells whether another process wrote since."""

    marks: dict[date, Mark]
    identity: tuple[int, int] = (0, 0)


_LINE = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class DaysDone:
    """The marks of one integration."""

    folder: Path
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def of(self, flow: str) -> Mapping[date, Mark]:
        """All marks of a flow; none where they were lost."""
        path, kept = self._file(flow), self._kept.get(flow)
        try:
            stat = path.stat()
        except FileNotFoundError:
            return {}
        if kept is None or kept.identity != (stat.st_ino, stat.st_size):
            kept = self._kept[flow] = _Kept(self._read(path), (stat.st_ino, stat.st_size))
        return kept.marks

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
        after = change(marks.get(day, Mark()))
        if after == marks.get(day):
            return
        make_folder(self.folder)
        line = msgspec.json.encode(_Line(day, after.token, after.open)) + b"\n"
        path = self._file(flow)
        with at(path):
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
            try:
                before = os.fstat(handle).st_size
                os.write(handle, line)
                stat = os.fstat(handle)
            finally:
                os.close(handle)
        kept = self._kept.get(flow)
        if stat.st_size == before + len(line) and (kept is None or kept.identity == (stat.st_ino, before)):
            self._kept[flow] = _Kept({**marks, day: after}, (stat.st_ino, stat.st_size))

    @staticmethod
    def _read(path: Path) -> dict[date, Mark]:
        lines = path.read_bytes().splitlines()
        marks: dict[date, Mark] = {}
        for line in lines:
            try:
                one = _LINE.decode(line)
            except msgspec.MsgspecError:  # torn by a power cut: as if it had never been noted
                continue
            marks[one.day] = Mark(one.token, one.open)
        if len(lines) > len(marks) + _SLACK:
            told = (
                msgspec.json.encode(_Line(day, mark.token, mark.open)) for day, mark in sorted(marks.items())
            )
            write_atomically(path, b"".join(line + b"\n" for line in told), sync=Sync.NOTHING)
        return marks

    def _file(self, flow: str) -> Path:
        return self.folder / f"{flow}.jsonl"
