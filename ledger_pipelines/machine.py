"""What this machine refuses (disk, rights, handles, memory), in words that name the file and the remedy.

Belongs here: recognising such a refusal in whatever library it surfaces. Does not belong here: what is written, who
goes on afterwards: every write of ours is whole or absent, so that running again is always right.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger_pipelines.errors import LedgerError, StorageError

AGAIN = "then run it again: nothing half-written counts"


@dataclass(frozen=True, slots=True)
class _Words:
    """A kind of refusal: its code, what is wrong with `{file}`, what to do first."""

    code: str
    what: str
    remedy: str


_FULL = _Words("disk-full", "The disk is full: {file} could not be written.", "Free space on that disk")
_TOO_LARGE = _Words(
    "file-too-large", "{file} would be larger than this process may write.", "Raise its limit (`ulimit -f`)"
)
_READ_ONLY = _Words(
    "read-only",
    "{file} cannot be written: the disk is read-only.",
    "Make it writable (a disk error may have caused this)",
)
_NO_RIGHT = _Words(
    "no-permission",
    "{file} cannot be written or read: this user has no right to.",
    "Give the user of the program that right",
)
_HANDLES = _Words(
    "too-many-files",
    "Too many files are open: {file} could not be opened.",
    "Raise the limit of open files (`ulimit -n`, LimitNOFILE of a service)",
)
_MEMORY = _Words(
    "out-of-memory",
    "There is not enough memory for {file}.",
    "Give the program more (`ulimit -v`, MemoryMax of a service), or run less beside it",
)
_BROKEN = _Words("disk-error", "The disk failed while {file} was read or written.", "Look at the disk")

_BY_NUMBER: Mapping[int, _Words] = {
    errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EFBIG: _TOO_LARGE, errno.EROFS: _READ_ONLY, errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT, errno.EMFILE: _HANDLES, errno.ENFILE: _HANDLES, errno.ENOMEM: _MEMORY, errno.EIO: _BROKEN,
}  # fmt: skip
_BY_SQLITE: Mapping[int, _Words] = {
    sqlite3.SQLITE_FULL: _FULL, sqlite3.SQLITE_READONLY: _READ_ONLY, sqlite3.SQLITE_NOMEM: _MEMORY,
    sqlite3.SQLITE_PERM: _NO_RIGHT, sqlite3.SQLITE_IOERR: _BROKEN, sqlite3.SQLITE_CANTOPEN: _NO_RIGHT,
}  # fmt: skip
_OF_MEMORY = (sqlite3.SQLITE_IOERR_NOMEM, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_MMAP)
"""Called "disk I/O error" by SQLite, too: it got no memory for a page, or none to map a file into."""
_VAGUE = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_HANDLES_OF_SQLITE = 4
"""A database, its write-ahead log, the index of the log, their folder. It has closed those it got when it says no."""
_NO_THREAD = "can't start new thread"
_NO_MEMORY = ("out of memory", "allocation failure", "failed to launch worker thread")


def explained(error: BaseException, file: str | Path = "") -> StorageError | None:
    """The refusal of the machine that an exception tells of, or None when it tells of something else.

    Args:
        error: Raised by Python, SQLite, SQLAlchemy, Arrow, DuckDB or the HTTP stack; its causes are looked through.
        file: What was being read or written; without it, the one the error names.
    """
    if isinstance(error, LedgerError):
        return error if isinstance(error, StorageError) else None
    for one in _causes(error):
        words, named = _words(one, file)
        if words is not None:
            what = str(file or named or "something it needs")
            return StorageError(
                words.what.format(file=what), remedy=f"{words.remedy}, {AGAIN}.", code=words.code
            )
    return None


@contextlib.contextmanager
def at(file: str | Path) -> Iterator[None]:
    """While the block runs `file` is read or written: what the machine refuses is said in words that name it.

    Raises:
        StorageError: disk, rights, handles or memory; other exceptions pass as they are.
    """
    try:
        yield
    except LedgerError:
        raise
    except Exception as error:
        found = explained(error, file)
        if found is None:
            raise
        raise found from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "orig", None), one.__cause__, one.__context__]


def _words(error: BaseException, file: str | Path) -> tuple[_Words | None, str | Path | None]:
    if isinstance(error, MemoryError) or str(error) == _NO_THREAD:
        return _MEMORY, None
    if isinstance(error, OSError):
        name = error.filename if isinstance(error.filename, str | Path) else None
        found = _BY_NUMBER.get(error.errno) if error.errno is not None else None
        return (found or _by_text(error)), name
    if isinstance(error, sqlite3.Error):
        whole = getattr(error, "sqlite_errorcode", 0) or 0
        code = whole & 0xFF
        seen = _looked_at(file) if code in _VAGUE else None
        return seen or (_MEMORY if whole in _OF_MEMORY else _BY_SQLITE.get(code)), None
    if type(error).__module__.partition(".")[0] in {"_duckdb", "duckdb", "pyarrow", "polars"}:
        return _by_text(error), None
    return None, None


def _by_text(error: BaseException) -> _Words | None:
    """Libraries in other languages give the system's own words, without its number."""
    text = str(error).lower()
    for number, words in _BY_NUMBER.items():
        if os.strerror(number).lower() in text:
            return words
    return _MEMORY if any(words in text for words in _NO_MEMORY) else None


def _looked_at(file: str | Path) -> _Words | None:
    """SQLite says only "unable to open" or "disk I/O error": look at what is the matter."""
    path = Path(file) if str(file) else None
    try:
        with contextlib.ExitStack() as handles:
            for _ in range(_HANDLES_OF_SQLITE):
                handles.enter_context(Path(os.devnull).open("rb"))
        if path is not None:
            disk = os.statvfs(path.parent)
            if disk.f_flag & os.ST_RDONLY:
                return _READ_ONLY
            if not disk.f_bavail:
                return _FULL
            if not os.access(path.parent, os.W_OK):
                return _NO_RIGHT
    except OSError as error:
        return _BY_NUMBER.get(error.errno or 0)
    return None
