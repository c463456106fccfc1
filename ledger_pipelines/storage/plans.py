"""Plans on disk: content by digest, and the latest of each partition. Text in, the same text out.

Belongs here: files, atomicity, finding. Does not belong here: what a line means (`sync.plan_store` has the codec).

A file is written under a temporary name, synced, renamed, and its folder synced: after a power cut there is the whole
plan or none. A plan that writes nothing is made again at no cost: it may be gone after one. Plans hold customers' names: folders are 0700, files 0600.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.atomic import Sync, replacing

_DIGEST_LENGTH = 64


class PlanFiles:
    """Files under one folder: `by-digest/<digest>.jsonl` and `latest/<name of the partition>`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, digest: str, lines: Iterable[bytes], sync: Sync = Sync.ALL) -> Path:
        """Store a plan's lines under its digest; replaces what is there, whole."""
        path = self._content(digest)
        _write(path, (line + b"\n" for line in lines), sync)
        return path

    def point(self, integration: str, flow: str, partition: str, digest: str, sync: Sync = Sync.ALL) -> None:
        """Make that digest the latest of the partition."""
        if self.latest(integration, flow, partition) != digest:
            _write(self._pointer(integration, flow, partition), [f"{digest}\n".encode()], sync)

    def latest(self, integration: str, flow: str, partition: str) -> str | None:
        """Digest of the partition's latest plan."""
        try:
            told = self._pointer(integration, flow, partition).read_bytes().decode(errors="replace").strip()
        except FileNotFoundError:
            return None
        return told or None

    def read(self, digest: str) -> list[bytes] | None:
        """A plan's lines; None when it is not stored. An empty file is what a power cut leaves of one that was not synced."""
        try:
            return self._content(digest).read_bytes().splitlines() or None
        except FileNotFoundError:
            return None

    def digests(self) -> Iterator[str]:
        """All stored digests, in no order."""
        for path in (self._root / "by-digest").glob("*.jsonl"):
            yield path.stem

    def _content(self, digest: str) -> Path:
        if len(digest) != _DIGEST_LENGTH or not all(c in "0123456789abcdef" for c in digest):
            raise DataError(f"{digest!r} is not the digest of a plan.", code="bad-digest")
        return self._root / "by-digest" / f"{digest}.jsonl"

    def _pointer(self, integration: str, flow: str, partition: str) -> Path:
        # Partition names come from files people drop: only their hash becomes a file name.
        name = hashlib.sha256("\0".join((integration, flow, partition)).encode()).hexdigest()
        return self._root / "latest" / name


def _write(path: Path, parts: Iterable[bytes], sync: Sync) -> None:
    with replacing(path, sync=sync) as file:
        for part in parts:
            file.write(part)
