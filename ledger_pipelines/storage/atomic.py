"""Files that are there whole or not at all, on a folder or in a bucket.

Belongs here: replacing a file in one step, durably. Does not belong here: what is in the file.

Local: temporary name in the same folder, fsync, rename, fsync of the folder (so that the name survives power loss).
What can be made again may do with less (`Sync`): a year of days writes thousands of files, and each fsync is milliseconds.
A bucket's put is atomic already: readers see the old object or the new one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ledger_pipelines.machine import at

if TYPE_CHECKING:
    from upath import UPath

FILE_MODE = 0o600
FOLDER_MODE = 0o700


class Sync(Enum):
    """What of a local file must survive a power cut when the write returns.

    ALL: file and name. CONTENT: whatever stands under the name is whole, be it the file before. NOTHING: it may be lost or torn.
    """

    ALL = "all"
    CONTENT = "content"
    NOTHING = "nothing"


def is_local(path: UPath | Path) -> bool:
    """Whether the path is a file of this machine."""
    return isinstance(path, Path) or str(getattr(path, "protocol", "")) in {"", "file", "local"}


def make_folder(path: UPath | Path) -> None:
    """Make a folder and those above it; readable by the owner only (it may hold names and amounts)."""
    if is_local(path):
        with at(str(path)):
            Path(str(path)).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    else:
        path.mkdir(parents=True, exist_ok=True)


def write_atomically(path: UPath | Path, data: bytes, *, sync: Sync = Sync.ALL) -> None:
    """Put `data` at `path`, replacing what is there. Raises StorageError; then the old file still stands."""
    if not is_local(path):
        path.write_bytes(data)
        return
    with replacing(Path(str(path)), sync=sync) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path, *, sync: Sync = Sync.ALL) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of `path` when the block ends well, and vanishes when it does not.

    Raises:
        StorageError: The machine refuses; the old file still stands.
    """
    make_folder(path.parent)
    with at(path):
        # a name may have 255 bytes: not all of it fits into that of the draft
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                if sync is not Sync.NOTHING:
                    os.fsync(file.fileno())
            temporary.chmod(FILE_MODE)
            temporary.replace(path)
        except BaseException:
            # On a disk that turned read-only it stays; its name never counts.
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        if sync is Sync.ALL:
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
