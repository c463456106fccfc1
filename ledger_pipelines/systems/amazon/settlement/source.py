"""The bytes of a settlement file: archives, encodings, lines, and what is no settlement file at all.

Belongs here: what can be said of a file before its header is understood. Does not belong here: header and rows.
Facts: amazon-settlement.md 5; reliability.md 4.
"""

from __future__ import annotations

import codecs
import errno
import gzip
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ledger_pipelines.machine import at
from ledger_pipelines.systems.amazon.settlement.columns import (
    CURRENCY,
    TOTAL,
    column_name,
    is_date_range_header,
)
from ledger_pipelines.systems.amazon.settlement.findings import DOWNLOAD_AGAIN, SettlementRefusedError, refuse
from ledger_pipelines.systems.amazon.settlement.options import MEBIBYTE, ReadOptions

HEAD_BYTES = 64 * 1024
LONGEST_LINE = MEBIBYTE
_UTF8_BOM = codecs.BOM_UTF8
_CHARSETS = {
    "windows-31j": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "utf8": "utf-8",
}
_C1 = re.compile("[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Plain:
    """A file whose lines can be read. start: bytes of a byte order mark to skip. encoding: None if still to decide."""

    path: Path
    start: int
    encoding: str | None


# A link, a socket, a device without a driver.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP})


def open_regular(path: Path) -> int:
    """Open a file for reading without following a link; the descriptor is the caller's to close.

    Raises:
        SettlementRefusedError: `not-a-file` for a link, a folder, a pipe, a device.
        FileNotFoundError: there is nothing.
        StorageError: this machine does not let us open it.
    """
    remedy = "Drop the settlement file itself, not a link or a folder."
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in _NO_FILE:  # too many open files, no right to read: no fault of the file
            with at(path):
                raise
        raise refuse(
            "not-a-file", f"{path.name!r} cannot be opened as a file: {error.strerror}.", remedy
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refuse("not-a-file", f"{path.name!r} is not a regular file.", remedy)
    return descriptor


def check_size(size: int, options: ReadOptions) -> None:
    """Refuse an empty file and one beyond the limit. Raises SettlementRefusedError."""
    if size == 0:
        raise refuse("empty-file", "The file is empty (0 bytes).")
    if size > options.max_bytes:
        raise _too_large(options)


def _too_large(options: ReadOptions) -> SettlementRefusedError:
    return refuse(
        "too-large",
        f"The file is larger than the limit of {options.max_bytes} bytes.",
        "Raise the size limit in the settings if the file is genuine.",
    )


def is_archive(head: bytes) -> bool:
    """Whether the bytes begin like GZIP or ZIP."""
    return head[:2] == b"\x1f\x8b" or head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def prepare(path: Path, work: Path, options: ReadOptions) -> Plain:
    """Undo GZIP or ZIP and UTF-16, see a byte order mark.

    Args:
        path: A regular file of ours, which nobody else writes.
        work: A folder for temporary files, ours as well.

    Raises:
        SettlementRefusedError: `empty-file`, `too-large`, `damaged-archive`, `unsafe-archive`, `archive-members`,
            `undecodable`.
    """
    check_size(path.stat().st_size, options)
    head = _head(path)
    if is_archive(head):
        path = _inflate(path, head, work, options)
        head = _head(path)
        check_size(path.stat().st_size, options)
        if is_archive(head):
            raise refuse(
                "unsafe-archive", "The archive holds another archive.", "Unpack it and drop the file itself."
            )
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return Plain(_from_utf16(path, work), 0, "utf-16")
    if head.startswith(_UTF8_BOM):
        return Plain(path, len(_UTF8_BOM), "utf-8-sig")
    return Plain(path, 0, None)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _inflate(path: Path, head: bytes, work: Path, options: ReadOptions) -> Path:
    target = work / "inflated"
    try:
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as source:
                _copy_capped(source, target, path.stat().st_size, options)
        else:
            with zipfile.ZipFile(path) as archive:
                member = _only_member(archive)
                with archive.open(member) as source:
                    _copy_capped(source, target, member.compress_size, options)
    except (zipfile.BadZipFile, EOFError, gzip.BadGzipFile, zlib.error, NotImplementedError) as error:
        raise refuse(
            "damaged-archive", f"The archive cannot be unpacked: {error}.", DOWNLOAD_AGAIN
        ) from error
    return target


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise refuse(
            "archive-members",
            f"The archive holds {len(members)} files, not one settlement.",
            "Unpack it and drop each settlement file by itself.",
        )
    member = members[0]
    name, mode = member.filename, member.external_attr >> 16
    if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name or stat.S_ISLNK(mode):
        raise refuse("unsafe-archive", f"The archive's member {name!r} points out of it.", value=name)
    if member.flag_bits & 1:
        raise refuse("damaged-archive", "The archive is encrypted.", "Unpack it and drop the file itself.")
    return member


def _copy_capped(
    source: gzip.GzipFile | IO[bytes], target: Path, compressed: int, options: ReadOptions
) -> None:
    """Inflate, counting the bytes that come out: what an archive says of itself is not believed."""
    most = min(options.max_bytes, max(compressed, 4096) * options.max_ratio)
    done = 0
    with target.open("wb") as out:
        while piece := source.read(MEBIBYTE):
            done += len(piece)
            if done > most:
                if done > options.max_bytes:
                    raise _too_large(options)
                raise refuse(
                    "unsafe-archive",
                    f"The archive inflates to more than {options.max_ratio} times its size.",
                    "Unpack it and drop the file itself.",
                )
            out.write(piece)


def _from_utf16(path: Path, work: Path) -> Path:
    target = work / "decoded"
    decoder = codecs.getincrementaldecoder("utf-16")("strict")
    with path.open("rb") as source, target.open("wb") as out:
        try:
            while piece := source.read(MEBIBYTE):
                out.write(decoder.decode(piece).encode())
            out.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise refuse("undecodable", f"The file begins like UTF-16 but is not: {error}.") from error
    return target


def reject_foreign(head: bytes) -> None:
    """Refuse what is recognisably something else: a web page, an error document, a Date Range Report.

    Raises:
        SettlementRefusedError: `html-page`, `date-range-report`, `not-a-settlement`, `empty-file`.
    """
    text = head.removeprefix(_UTF8_BOM).decode("latin-1").lstrip()
    lowered = text[:2000].lower()
    if not text:
        raise refuse("empty-file", "The file holds nothing but blanks.")
    if lowered.startswith(("<!doctype html", "<html", "<head", "<body")) or "<html" in lowered[:500]:
        raise refuse(
            "html-page",
            "Line 1: the file is a web page, most likely an error or sign-in page saved under the report's name.",
            line=1, value=text[:60].strip(),
        )  # fmt: skip
    if lowered.startswith(("{", "[")):
        raise refuse(
            "not-a-settlement", "Line 1: the file is a JSON document, most likely an error answer.",
            line=1, value=text[:60],
        )  # fmt: skip
    for number, line in enumerate(head.decode("latin-1").splitlines()[:40], start=1):
        if is_date_range_header(line):
            raise refuse(
                "date-range-report",
                f"Line {number}: this is a Date Range Report, not a settlement report.",
                "Download the settlement itself: Payments, All Statements, Flat File V2.",
                line=number, value=line[:60],
            )  # fmt: skip


def choose_encoding(plain: Plain, charset: str | None) -> str:
    """Decide the encoding of a whole file by the recipe of section 5.

    Byte order mark, declared charset, strict UTF-8, cp932 when the currency is JPY, cp1252. Latin-1 would decode
    anything, so it is used only when declared; a file that mixes UTF-8 with other bytes is damaged.

    Raises:
        SettlementRefusedError: `undecodable`, with the line.
    """
    if plain.encoding is not None:
        _must_decode(plain, "utf-8", plain.encoding)
        return plain.encoding
    if charset:
        name = _CHARSETS.get(charset.strip().lower(), charset.strip())
        try:
            name = codecs.lookup(name).name
        except LookupError:
            name = ""
        if name and _failure(plain, name) is None:
            return name
    broken = _failure(plain, "utf-8")
    if broken is None:
        return "utf-8"
    if _currency_hint(plain) == "JPY" and _failure(plain, "cp932") is None:
        return "cp932"
    if _failure(plain, "cp1252") is None and not _is_mixed(plain):
        return "cp1252"
    line, byte = broken
    raise refuse(
        "undecodable",
        f"Line {line}: the byte 0x{byte:02X} cannot be read in UTF-8, nor the file in cp932 or cp1252.",
        line=line, value=f"0x{byte:02X}",
    )  # fmt: skip


def _must_decode(plain: Plain, codec: str, shown: str) -> None:
    broken = _failure(plain, codec)
    if broken is not None:
        raise refuse(
            "undecodable", f"Line {broken[0]}: the byte 0x{broken[1]:02X} cannot be read in {shown}.",
            line=broken[0], value=f"0x{broken[1]:02X}",
        )  # fmt: skip


def _failure(plain: Plain, codec: str) -> tuple[int, int] | None:
    """Line and byte at which decoding fails; None when it does not."""
    for number, raw in raw_lines(plain):
        if raw.isascii() and b"\0" not in raw:
            continue
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError as error:
            return number, raw[error.start]
        if "\0" in text:
            return number, 0
        if codec == "cp1252" and _C1.search(text):
            return number, 0x80
    return None


def _is_mixed(plain: Plain) -> bool:
    """Whether some lines with other than ASCII text are UTF-8 and others are not: two files in one, or a damaged one."""
    utf8 = other = False
    for _, raw in raw_lines(plain):
        if not raw.isascii():
            try:
                raw.decode()
                utf8 = True
            except UnicodeDecodeError:
                other = True
        if utf8 and other:
            return True
    return False


def _currency_hint(plain: Plain) -> str:
    """The currency of the first row that has one, read without knowing the encoding (it is ASCII)."""
    names: list[str] | None = None
    for number, raw in raw_lines(plain):
        cells = raw.decode("latin-1").split("\t")
        if names is None:
            if raw.strip():
                names = [column_name(cell) for cell in cells]
                if CURRENCY not in names or TOTAL not in names:
                    return ""
            continue
        position = names.index(CURRENCY)
        if len(cells) > position and cells[position].strip():
            return cells[position].strip()
        if number > 1000:
            break
    return ""


def ends_line(plain: Plain) -> bool:
    """Whether the last byte ends a line."""
    with plain.path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) in (b"\n", b"\r")


def raw_lines(plain: Plain) -> Iterator[tuple[int, bytes]]:
    """Lines with their 1-based numbers, without their ends. LF, CR LF and CR end a line, in any mixture.

    Raises:
        SettlementRefusedError: `too-long-line` (a megabyte without a line end).
    """
    number = 0
    rest = b""
    with plain.path.open("rb") as file:
        file.seek(plain.start)
        while piece := file.read(MEBIBYTE):
            data = rest + piece
            held = b""
            if data.endswith(b"\r"):
                data, held = data[:-1], b"\r"
            if b"\r" in data:
                data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            lines = data.split(b"\n")
            rest = lines.pop() + held
            if len(rest) > LONGEST_LINE:
                raise refuse(
                    "too-long-line", f"Line {number + len(lines) + 1} is longer than a megabyte.", line=number
                )
            for line in lines:
                number += 1
                yield number, line
    if rest.endswith(b"\r"):
        yield number + 1, rest[:-1]
    elif rest:
        yield number + 1, rest


def text_lines(plain: Plain, encoding: str) -> Iterator[tuple[int, str]]:
    """Decoded lines that are not blank. The encoding must have been chosen with `choose_encoding`."""
    codec = "utf-8" if encoding in ("utf-8-sig", "utf-16") else encoding
    for number, raw in raw_lines(plain):
        if raw.strip():
            yield number, raw.decode(codec)
