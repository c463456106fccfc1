"""Files as they came: copied, hashed, kept under their own hash; and refused files put aside with the reason.

Belongs here: folders, names, durability. Does not belong here: what is in a file (`systems`), what becomes of it.

Beside an accepted file lies a note of what its bytes do not tell, so that all that is made of it can be made again.
A landed file is at `<root>/landing/<connection>/<first two of the hash>/<sha-256>`: the same bytes land once. Every
step is durable before the next (temporary name, fsync, rename, fsync of the folder), so a crash leaves the whole file
or none. Folders are 0700, files 0600. Facts: reliability.md 4.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.machine import at
from ledger_pipelines.storage.atomic import FILE_MODE, make_folder, sync_folder, write_atomically

REFUSED = "refused"
REASON_SUFFIX = ".reason.txt"
NOTE_SUFFIX = ".came.json"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 255 - len(REASON_SUFFIX)
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Landed:
    """A file that lies in the landing folder."""

    path: Path
    sha256: str
    size: int
    new: bool


class Came(BaseModel):
    """How a file came: what its bytes do not tell.

    names: under which it came. charset: as its server declared it, "" = it did not. first_at: instant, UTC.
    """

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]
    charset: str = ""
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file was when looked at: enough to see that it changed meanwhile."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> Identity:
        """Look at a path, not following a link. Raises FileNotFoundError."""
        found = path.lstat()
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


class LandingCopy:
    """A copy in the making. `write` bytes in order, then `finish`; or leave it, and it vanishes."""

    def __init__(self, folder: Path, source: Path) -> None:
        make_folder(folder)
        self._folder = folder
        self._source = source
        self._before = Identity.of(source)
        with at(folder):
            handle, name = tempfile.mkstemp(prefix=".landing.", suffix=".tmp", dir=folder)
        self._handle = handle
        self._temporary = Path(name)
        self._hash = hashlib.sha256()
        self._size = 0
        self._landed: Landed | None = None

    def write(self, data: memoryview) -> None:
        """Append bytes to the copy and its hash. Raises StorageError, such as a full disk."""
        self._hash.update(data)
        self._size += len(data)
        with at(self._folder):
            while len(data):
                data = data[os.write(self._handle, data) :]

    def finish(self) -> Path:
        """Make the copy durable under its hash. Idempotent.

        Raises:
            TransientError: `file-changing`: the source changed while it was copied; look again later.
        """
        return self.landed().path

    def landed(self) -> Landed:
        """Like `finish`, with hash and size."""
        if self._landed is not None:
            return self._landed
        self.check_unchanged()
        if self._size != self._before.size:
            raise self._changed()
        reached("landing.after_copy")
        digest = self._hash.hexdigest()
        target = self._folder / digest[:2] / digest
        with at(target):
            os.fchmod(self._handle, FILE_MODE)
            os.fsync(self._handle)
            reached("landing.after_fsync")
            new = not target.exists()
            if new:
                make_folder(target.parent)
                self._temporary.replace(target)
                sync_folder(target.parent)
                sync_folder(self._folder)
        self._landed = Landed(target, digest, self._size, new)
        reached("landing.after_rename")
        return self._landed

    def check_unchanged(self) -> None:
        """Raise TransientError `file-changing` if the source is no longer what it was when the copy began."""
        try:
            after = Identity.of(self._source)
        except FileNotFoundError:
            after = None
        if after != self._before:
            raise self._changed()

    def _changed(self) -> TransientError:
        return TransientError(
            f"{shown_name(self._source)} changed while it was copied.",
            remedy="It is looked at again when its size is stable.",
            code="file-changing",
        )

    def forget(self) -> None:
        """Remove the landed file again, if it was this copy that brought it: the file was refused."""
        if self._landed is not None and self._landed.new:
            self._landed.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the handle and remove what has no name yet."""
        os.close(self._handle)
        with contextlib.suppress(OSError):  # on a disk that turned read-only it stays; its name never counts
            self._temporary.unlink(missing_ok=True)


class Landing:
    """The landing folder of a data root."""

    def __init__(self, root: Path) -> None:
        self._root = root / "landing"

    @contextlib.contextmanager
    def copy(self, source: Path, connection: str) -> Iterator[LandingCopy]:
        """A copy of `source` to be written by the block; removed at its end unless finished."""
        copy = LandingCopy(self._root / safe_name(connection), source)
        try:
            yield copy
        finally:
            copy.close()

    def path_of(self, connection: str, sha256: str) -> Path:
        """Where a landed file lies, or would."""
        return self._root / safe_name(connection) / sha256[:2] / sha256

    def came(self, connection: str, sha256: str) -> Came | None:
        """The note beside a landed file; None when there is none."""
        try:
            return Came.model_validate_json(self._note(connection, sha256).read_bytes())
        except FileNotFoundError:
            return None

    def remember(self, connection: str, sha256: str, *, name: str, charset: str = "") -> Came:
        """Note under which name, and in which declared charset, a landed file came. Idempotent."""
        before = self.came(connection, sha256)
        if before is None:
            note = Came(names=(name,), charset=charset, first_at=datetime.now(UTC))
        elif name in before.names:
            return before
        else:
            note = before.model_copy(update={"names": (*before.names, name)})
        write_atomically(self._note(connection, sha256), note.model_dump_json().encode())
        return note

    def files(self, connection: str) -> list[Path]:
        """Every landed file of a connection, in the order they first came."""
        found = [
            path for path in (self._root / safe_name(connection)).glob("[0-9a-f][0-9a-f]/*")
            if _DIGEST.fullmatch(path.name)
        ]  # fmt: skip

        def when(path: Path) -> tuple[datetime, str]:
            note = self.came(connection, path.name)
            return note.first_at if note else datetime.fromtimestamp(path.stat().st_mtime, UTC), path.name

        return sorted(found, key=when)

    def _note(self, connection: str, sha256: str) -> Path:
        path = self.path_of(connection, sha256)
        return path.with_name(path.name + NOTE_SUFFIX)


def safe_name(name: str) -> str:
    """A connection's or settlement's name as a folder name. Raises DataError for one that could leave the folder."""
    if not _SAFE_NAME.fullmatch(name) or len(name) > 100:
        raise DataError(
            f"{name!r} cannot be used as a folder name.",
            remedy="Use letters, digits, `_`, `-` and `.`, starting with a letter or digit.",
            code="unsafe-name",
        )
    return name


def inside(path: Path, folder: Path) -> Path:
    """`path`, if it lies in `folder` and no link leads out of it.

    Raises:
        DataError: `outside-folder`.
    """
    parent = path.parent.resolve()
    if not parent.is_relative_to(folder.resolve()) or path.name in ("", ".", ".."):
        raise DataError(
            f"{path} lies outside the folder {folder}.",
            remedy="Put the file itself into the folder; links out of it are not followed.",
            code="outside-folder",
        )
    return parent / path.name


def put_aside(path: Path, folder: Path, reasons: Sequence[str] = ()) -> Path:
    """Move a file of a drop folder into `folder`, with a `.reason.txt` beside it when there are reasons.

    The reason is written first, so that a crash between leaves the file where it was, to be looked at again.
    A name that is taken by other content gets a number. Returns the new path.

    Raises:
        StorageError: The disk. Nothing is lost: the file is at its old or its new place, or at both.
    """
    make_folder(folder)
    target = _free_name(path, folder)
    with at(target):
        return _put_aside(path, folder, target, reasons)


def _put_aside(path: Path, folder: Path, target: Path, reasons: Sequence[str]) -> Path:
    if reasons:
        text = "".join(f"{reason}\n" for reason in reasons)
        write_atomically(
            target.with_name(target.name + REASON_SUFFIX), text.encode("utf-8", "backslashreplace")
        )
    reached("landing.after_reason")
    try:
        path.replace(target)
    except OSError:
        if path.is_symlink() or not path.is_file():
            raise
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".aside.", delete=False) as copy:
            with path.open("rb") as source:
                shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        Path(copy.name).replace(target)
        sync_folder(folder)
        path.unlink()
    sync_folder(folder)
    reached("landing.after_put_aside")
    return target


def _free_name(path: Path, folder: Path) -> Path:
    """A name that is free there, and short enough that the reason's name, which is longer, is one, too."""
    long = len(os.fsencode(path.suffix)) >= _LONGEST_NAME // 2  # not money: bytes of a name
    suffix = "" if long else path.suffix
    stem = path.name.removesuffix(suffix)
    target = folder / (_cut(stem, len(os.fsencode(suffix))) + suffix)
    number = 1
    while target.exists() or target.is_symlink():
        ending = f".{number}{suffix}"
        target = folder / (_cut(stem, len(os.fsencode(ending))) + ending)
        number += 1
    return target


def _cut(stem: str, ending: int) -> str:
    """As much of the name's beginning as leaves room for an ending of so many bytes."""
    while len(os.fsencode(stem)) + ending > _LONGEST_NAME:
        stem = stem[:-1]
    return stem


def shown_name(path: Path) -> str:
    """A file's name for messages and manifests: whatever cannot be printed or is not UTF-8 as an escape (`\\n`, `\\xff`)."""
    text = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
