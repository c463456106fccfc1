"""One look at a drop folder: which files are whole, which are not yet, which are none of ours.

Belongs here: names, sizes, times. Does not belong here: reading a file, moving it (`arrival`), Dagster. Facts:
reliability.md 4: a file counts as whole when its size and time were the same at two looks some time apart.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".swp", "~")
_EMPTY_SECONDS = 60.0
"""An empty file is often one whose first byte is still on its way."""


class Seen(msgspec.Struct, frozen=True):
    """What a file was like when it first was as it is now. since: seconds since the epoch."""

    size: int
    modified_ns: int
    since: float


@dataclass(frozen=True, slots=True)
class Look:
    """ready: whole files, oldest first. waiting: what is known of files that are not whole yet. later: whole files
    beyond the number asked for. ignored: names that are passed over.
    """

    ready: tuple[Path, ...] = ()
    waiting: Mapping[str, Seen] = field(default_factory=dict)
    later: int = 0
    ignored: tuple[str, ...] = ()


def look(
    folder: Path, before: Mapping[str, Seen], *, now: float, stable_seconds: float, most_files: int
) -> Look:
    """Look once.

    Links, pipes and the like are ready at once: receiving refuses them, with the reason, without opening them.

    Args:
        before: `waiting` of the look before.
        now: Seconds since the epoch.
        stable_seconds: How long a file must not have changed.
        most_files: Most files given as ready.

    Raises:
        OSError: The folder cannot be read. That is no empty folder.
    """
    ready: list[tuple[int, str, Path]] = []
    waiting: dict[str, Seen] = {}
    ignored: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                continue
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                ignored.append(entry.name)
                continue
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            seen = _seen(before.get(entry.name), found, now)
            patience = stable_seconds if found.st_size else max(stable_seconds, _EMPTY_SECONDS)
            whole = entry.name in before and seen.since < now and now - seen.since >= patience
            if whole or not stat.S_ISREG(found.st_mode):
                ready.append((found.st_mtime_ns, entry.name, Path(entry.path)))
            waiting[entry.name] = seen
    ready.sort()
    chosen = [path for _, _, path in ready[:most_files]]
    return Look(tuple(chosen), waiting, len(ready) - len(chosen), tuple(sorted(ignored)))


def _seen(before: Seen | None, found: os.stat_result, now: float) -> Seen:
    if before is not None and (before.size, before.modified_ns) == (found.st_size, found.st_mtime_ns):
        return before
    return Seen(found.st_size, found.st_mtime_ns, now)


def encode(waiting: Mapping[str, Seen]) -> str:
    """For a sensor's cursor."""
    return msgspec.json.encode(dict(waiting), order="sorted").decode()


def decode(cursor: str | None) -> dict[str, Seen]:
    """From a cursor; one that is lost or not ours gives nothing, and every file is looked at afresh."""
    try:
        return msgspec.json.decode(cursor or "{}", type=dict[str, Seen])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return {}
