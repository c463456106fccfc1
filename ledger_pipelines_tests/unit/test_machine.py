"""What the machine refuses is said in words; what it does not refuse is none of its business."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from ledger_pipelines.errors import DataError, StorageError
from ledger_pipelines.machine import at, explained
from ledger_pipelines.storage.atomic import write_atomically
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.systems.amazon.settlement.source import open_regular


@contextmanager
def limited(which: int, most: int) -> Iterator[None]:
    before = resource.getrlimit(which)
    resource.setrlimit(which, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(which, before)


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EROFS, "read-only"), (errno.EMFILE, "too-many-files"), (errno.ENOMEM, "out-of-memory")],
)  # fmt: skip
def test_the_systems_numbers_become_sentences_that_name_the_file(number: int, code: str) -> None:
    with pytest.raises(StorageError) as caught, at("/data/plan.jsonl"):
        raise OSError(number, os.strerror(number))
    assert caught.value.code == code
    assert "/data/plan.jsonl" in caught.value.message
    assert "run it again" in caught.value.remedy


def test_a_library_without_a_thread_is_out_of_memory() -> None:
    with pytest.raises(StorageError) as caught, at("books.json"):
        raise pa.ArrowException(
            "Unknown error: Failed to launch worker thread: Resource temporarily unavailable"
        )
    assert caught.value.code == "out-of-memory"


def test_what_is_no_refusal_of_the_machine_passes_as_it_is() -> None:
    with pytest.raises(FileNotFoundError), at("x"):
        raise FileNotFoundError(errno.ENOENT, "no such file", "x")
    with pytest.raises(DataError), at("x"):
        raise DataError("the file does not foot")
    assert explained(ValueError("disk is full of errors")) is None


def test_a_refusal_is_found_below_the_librarys_own_error() -> None:
    outer = httpx.ConnectError("[Errno 24] Too many open files")
    outer.__cause__ = OSError(errno.EMFILE, "Too many open files")
    found = explained(outer, "a connection")
    assert found is not None
    assert found.code == "too-many-files"


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "books.json"
    write_atomically(path, b"old")
    with limited(resource.RLIMIT_FSIZE, 2), pytest.raises(StorageError, match=r"books\.json"):
        write_atomically(path, b"newer")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["books.json"]  # noqa: PTH208


def test_a_settlement_that_cannot_be_opened_for_want_of_handles_is_not_refused_as_no_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "settlement.txt"
    path.write_bytes(b"settlement-id")
    used = max(int(one.name) for one in Path("/proc/self/fd").iterdir())
    with limited(resource.RLIMIT_NOFILE, used + 1):
        spare = [os.open(path, os.O_RDONLY) for _ in range(used + 1 - len(os.listdir("/proc/self/fd")) + 1)]  # noqa: PTH208
        try:
            with pytest.raises(StorageError, match="Too many files"):
                open_regular(path)
        finally:
            for one in spare:
                os.close(one)


def test_a_journal_on_a_full_disk_says_so_at_once_and_does_not_wait_for_a_lock(tmp_path: Path) -> None:
    with limited(resource.RLIMIT_FSIZE, 0), pytest.raises(StorageError, match=r"journal\.sqlite"):
        Journal.open(tmp_path / "journal.sqlite")
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        assert journal.verify() is None


@pytest.mark.parametrize("free", [0, 1, 2])
def test_a_database_that_got_some_handles_but_not_all_is_not_called_a_matter_of_rights(
    tmp_path: Path, free: int
) -> None:
    path = tmp_path / "journal.sqlite"
    Journal.open(path).close()
    used = max(int(one.name) for one in Path("/proc/self/fd").iterdir())
    with limited(resource.RLIMIT_NOFILE, used + 5):
        spare = []
        with contextlib.suppress(OSError):
            while True:
                spare.append(os.open(os.devnull, os.O_RDONLY))
        for one in spare[len(spare) - free :]:
            os.close(one)
        try:
            with pytest.raises(StorageError, match=r"Too many files are open: .*journal\.sqlite"):
                Journal.open(path)
        finally:
            for one in spare[: len(spare) - free]:
                os.close(one)


def test_sqlites_own_words_are_understood() -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    found = explained(error, "journal.sqlite")
    assert found is not None
    assert found.message == "The disk is full: journal.sqlite could not be written."


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_IOERR_NOMEM, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_MMAP]
)
def test_memory_that_sqlite_calls_a_disk_error_is_told_as_memory(code: int, tmp_path: Path) -> None:
    """Found by the drill `resources`: the user was sent to look at a disk that was well."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    refusal = explained(error, tmp_path / "journal.sqlite")
    assert refusal is not None
    assert "not enough memory" in refusal.message


def test_a_disk_that_fails_is_still_told_as_a_disk(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    refusal = explained(error, tmp_path / "journal.sqlite")
    assert refusal is not None
    assert "disk failed" in refusal.message
