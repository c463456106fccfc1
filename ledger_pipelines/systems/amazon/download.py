"""Downloading a report document: streamed to disk, unpacked once, whole or not at all.

Belongs here: the signed address, gzip, sizes, checksums. Does not belong here: how the address is asked for
(`spapi`), reading the file (`settlement`). Facts: amazon-settlement.md 15.1, 15.3: no tokens on this call, the
address lives 300 seconds, the packing is told by `compressionAlgorithm` and may also show as `Content-Encoding`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import BinaryIO

import httpx

from ledger_pipelines.errors import PermanentError, TransientError
from ledger_pipelines.systems.http import Http

PATTERN = "/{document}"
_MAGIC = b"\x1f\x8b"
_PIECE = 2**20


class ExpiredLinkError(TransientError):
    """The signed address no longer works; ask for a new one."""

    default_code = "expired-link"


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """Where a document is for five minutes. The address is a secret while it lives."""

    url: str = field(repr=False)
    gzip: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched: sizes in bytes, unpacked."""

    charset: str
    size: int
    sha256: str


def download(http: Http, link: DocumentLink, path: Path, largest: int) -> Fetched:
    """Fetch into `path`.

    gzip is recognised by the first bytes, so that neither a missing nor a doubled declaration matters.

    Raises:
        ExpiredLinkError: HTTP 403. TransientError: broken off, or not what the checksum says.
        PermanentError: larger than `largest` bytes, packed or unpacked; or any other refusal.
    """
    packed = path.with_suffix(".packed")
    plain = path.with_suffix(".part")
    try:
        charset = _stream(http, link, packed, largest)
        layers = 0
        while _is_gzip(packed):
            layers += 1
            if layers > 2:
                raise PermanentError("A report document is packed more than twice.")
            _unpack(packed, plain, largest)
            plain.replace(packed)
        size, sha256 = _sum(packed)
        packed.replace(path)
    finally:
        packed.unlink(missing_ok=True)
        plain.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return Fetched(charset, size, sha256)


def _private(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    return os.fdopen(descriptor, "wb")


def _stream(http: Http, link: DocumentLink, path: Path, largest: int) -> str:
    checksum = hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        with http.stream(link.url, pattern=PATTERN, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code == 403:
                raise ExpiredLinkError("The address of a report document has expired.")
            if response.status_code == 429 or response.status_code >= 500:
                raise TransientError(f"Amazon's storage answers HTTP {response.status_code}.")
            if response.status_code != 200:
                raise PermanentError(
                    f"Amazon's storage refuses a report document: HTTP {response.status_code}."
                )
            with _private(path) as file:
                for piece in response.iter_raw(_PIECE):
                    size += len(piece)
                    if size > largest:
                        raise PermanentError(
                            f"A report document is larger than {largest} bytes.",
                            remedy="Raise the limit if it is genuine.",
                        )
                    checksum.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            declared = response.headers.get("content-md5", "").strip()
            content_type = response.headers.get("content-type", "")
    except httpx.HTTPError as error:
        raise http.failure("GET", PATTERN, error) from None
    if declared and declared != base64.b64encode(checksum.digest()).decode():
        raise TransientError("A report document does not fit its checksum.")
    message = Message()
    message["content-type"] = content_type
    charset = message.get_param("charset")
    return charset.lower() if isinstance(charset, str) else ""


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _MAGIC


def _unpack(source: Path, target: Path, largest: int) -> None:
    size = 0
    try:
        with gzip.open(source, "rb") as packed, _private(target) as file:
            while piece := packed.read(_PIECE):
                size += len(piece)
                if size > largest:
                    raise PermanentError(f"A report document unpacks to more than {largest} bytes.")
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise TransientError("A report document was cut off while it was fetched.") from None


def _sum(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, sha256


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
