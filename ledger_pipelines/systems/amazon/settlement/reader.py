"""Reading one settlement file, whatever variant it is.

Belongs here: choosing the way to read. Does not belong here: the ways (`fast`, `careful`, `xml_report`), and where
files and rows finally lie (`storage`).
"""

from __future__ import annotations

import os
from pathlib import Path

from ledger_pipelines.systems.amazon.settlement.careful import read_flat
from ledger_pipelines.systems.amazon.settlement.fast import read_fast
from ledger_pipelines.systems.amazon.settlement.options import MEBIBYTE, Copy, ReadOptions, ReadSettlement
from ledger_pipelines.systems.amazon.settlement.source import (
    HEAD_BYTES,
    check_size,
    choose_encoding,
    is_archive,
    open_regular,
    prepare,
    reject_foreign,
)
from ledger_pipelines.systems.amazon.settlement.xml_report import is_xml, read_xml


def read_settlement(
    path: Path, rows_path: Path, work: Path, options: ReadOptions, copy: Copy | None = None
) -> ReadSettlement:
    """Read a settlement file and write its rows as Parquet (`columns.ROWS_SCHEMA`).

    Args:
        path: The file. Without `copy` it must be one that nobody else writes.
        rows_path: Where the rows go; meaningless unless the settlement is returned.
        work: An existing folder for temporary files.
        copy: Receives every byte of `path` while it is parsed, so that the file is read once; whatever needs a second
            look is then done on the copy, never on `path`.

    Raises:
        SettlementRefusedError: the file is not accepted; says every reason. `copy` is then complete all the same,
            unless the file is no regular file or too large.
        OSError: the disk.
    """
    descriptor = open_regular(path)
    try:
        size = os.fstat(descriptor).st_size
        check_size(size, options)
        head = os.pread(descriptor, HEAD_BYTES, 0)
        tried = options.fast and not is_archive(head) and head[:1] != b"\xff"
        if tried:
            bom = 3 if head.startswith(b"\xef\xbb\xbf") else 0
            read = read_fast(descriptor, bom, "utf-8-sig" if bom else "utf-8", rows_path, options, copy)
            if read is not None and not (options.charset and not head.isascii()):
                return read
        elif copy is not None:
            _pump(descriptor, copy)
    finally:
        os.close(descriptor)
    return _read_again(path if copy is None else copy.finish(), rows_path, work, options, tried=tried)


def _pump(descriptor: int, copy: Copy) -> None:
    offset = 0
    while piece := os.pread(descriptor, MEBIBYTE, offset):
        copy.write(memoryview(piece))
        offset += len(piece)


def _read_again(
    path: Path, rows_path: Path, work: Path, options: ReadOptions, *, tried: bool
) -> ReadSettlement:
    rows_path.unlink(missing_ok=True)
    plain = prepare(path, work, options)
    with plain.path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if is_xml(head):
        return read_xml(plain, rows_path, options)
    reject_foreign(head)
    encoding = choose_encoding(plain, options.charset)
    tried = tried and plain.path == path and encoding in ("utf-8", "utf-8-sig")
    if options.fast and not tried and encoding != "utf-16":
        descriptor = open_regular(plain.path)
        try:
            read = read_fast(descriptor, plain.start, encoding, rows_path, options)
        finally:
            os.close(descriptor)
        if read is not None:
            return read
    return read_flat(plain, encoding, rows_path, options)
