"""What a machine refuses, for real: full and read-only disks, limits of files, handles and memory; and when it begins.

Belongs here: bringing a condition about in this very process, and the events at which one may begin.
Does not belong here: the process it happens to (`host`), verdicts (`drills.resources`).

Root mounts small disks of its own in a mount namespace of its own; without that right a full disk is a limit on the
size of files (RLIMIT_FSIZE), and a read-only disk is a folder without the right to write, seen by a user that is not root.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from ledger_pipelines import faultpoints

DISK_KILOBYTES = 6_000
_FILLER = ".filler"
_NEW_MOUNTS = 0x00020000
_WRITES = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_SLACK_BYTES = 1 << 20
_PAGE = 4096
_DRAFT = re.compile(r"^\.(?:landing|staging-?|(?P<name>.+?))\.?[A-Za-z0-9_]{8}(?:\.tmp)?$")
_DIGEST = re.compile(r"[0-9a-f]{24,}")


class Condition(StrEnum):
    """What the machine refuses."""

    FULL = "full"
    READ_ONLY = "read-only"
    FILE_SIZE = "file-size"
    OPEN_FILES = "open-files"
    MEMORY = "memory"


WORDS: dict[Condition, tuple[str, ...]] = {
    Condition.FULL: ("disk is full",),
    Condition.READ_ONLY: ("read-only", "has no right to"),
    Condition.FILE_SIZE: ("larger than this process may write", "disk is full", "disk failed"),
    Condition.OPEN_FILES: ("Too many files are open",),
    Condition.MEMORY: ("not enough memory",),
}
"""What the product has to say of each: one of these."""


def own_mounts() -> bool:
    """Give this process mounts of its own, gone when it ends. False where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) != 0:
        return False
    return _mount("--make-rprivate", "/")


def mount_disk(folder: Path) -> bool:
    """A small disk of its own at a folder."""
    return _mount("-t", "tmpfs", "-o", f"size={DISK_KILOBYTES}k,mode=0700", "tmpfs", str(folder))


def unmount(folder: Path) -> None:
    """Take it away."""
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0


def begin(condition: Condition, folders: Sequence[Path]) -> None:
    """From now on the machine refuses. Undone by `end`, or by the end of this process."""
    if condition is Condition.FULL:
        for folder in folders:
            _fill(folder)
    elif condition is Condition.READ_ONLY:
        for folder in folders:
            if _bind(folder, folder) and _mount("-o", "remount,bind,ro", str(folder)):
                continue
            if os.geteuid() == 0:
                raise RuntimeError(f"{folder} could not be made read-only")
            _forbid(folder)
    elif condition is Condition.FILE_SIZE:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    elif condition is Condition.OPEN_FILES:
        used = max(int(one.name) for one in Path("/proc/self/fd").iterdir()) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (used, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    else:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
        resource.setrlimit(resource.RLIMIT_AS, (size + _SLACK_BYTES, resource.RLIM_INFINITY))


def end(condition: Condition, folders: Sequence[Path]) -> None:
    """The machine allows again what it refused to a process that is gone."""
    for folder in folders:
        if condition is Condition.READ_ONLY:
            unmount(folder)
            _allow(folder)
        elif condition is Condition.FULL:
            (folder / _FILLER).unlink(missing_ok=True)


def _forbid(folder: Path) -> None:
    """Take the right to write from all that is in it, for a user whom rights bind; what they were is kept beside it."""
    modes = {str(path): stat.S_IMODE(path.stat().st_mode) for path in (*folder.rglob("*"), folder)}
    _kept_modes(folder).write_text(json.dumps(modes))
    for path, mode in modes.items():
        Path(path).chmod(mode & ~_WRITES)


def _allow(folder: Path) -> None:
    kept = _kept_modes(folder)
    if kept.exists():
        for path, mode in reversed(json.loads(kept.read_text()).items()):
            Path(path).chmod(mode)
        kept.unlink()


def _kept_modes(folder: Path) -> Path:
    return folder.with_name(f".modes-{folder.name}")


def _bind(folder: Path, at: Path) -> bool:
    return _mount("--bind", str(folder), str(at))


def _fill(folder: Path) -> None:
    descriptor = os.open(folder / _FILLER, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        block = b"\0" * 65536
        while block:
            try:
                os.write(descriptor, block)
            except OSError:
                block = block[: len(block) // 2]
    finally:
        os.close(descriptor)


class Events:
    """Counts what could be written by, and begins a condition at the n-th event of a name.

    An event is a fault point of the product, or a file below one of the folders that Python is about to open for
    writing, to rename, or to open as a database (`sys.addaudithook` sees it before it happens).
    """

    def __init__(
        self, folders: Sequence[Path], condition: Condition | None = None, name: str = "", nth: int = 1
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.began = False
        self._folders = [str(folder) for folder in folders]
        self._paths = list(folders)
        self._condition, self._name, self._nth = condition, name, nth

    def install(self) -> None:
        """Listen, until the process ends; a condition without an event begins now."""
        faultpoints.install(self.met)
        sys.addaudithook(self._audited)
        if self._condition is not None and not self._name:
            self.began = True
            begin(self._condition, self._paths)

    def met(self, name: str) -> None:
        """One event."""
        self.counts[name] += 1
        if (
            self._condition is not None
            and not self.began
            and name == self._name
            and self.counts[name] >= self._nth
        ):
            self.began = True
            begin(self._condition, self._paths)

    def _audited(self, what: str, arguments: tuple[Any, ...]) -> None:
        if self.began or what not in {"open", "os.rename", "sqlite3.connect"}:
            return
        path = str(arguments[0])
        if not path.startswith(tuple(self._folders)):
            return
        if what == "open" and not (
            isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        ):
            return
        verb = {"open": "write", "os.rename": "rename"}.get(what, "database")
        self.met(f"{verb} {kind_of(path)}")


def kind_of(path: str) -> str:
    """What sort of file it is: its name without what differs from run to run."""
    whole = Path(path)
    found = _DRAFT.match(whole.name)
    name = (found.group("name") or "landing") if found else whole.name
    name = _DIGEST.sub("DIGEST", name)
    return f"{whole.parent.name}/{name}" if name in {"DIGEST", "DIGEST.jsonl"} else name
