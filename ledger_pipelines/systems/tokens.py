"""Access tokens shared by threads and processes: one refresh at a time, kept in a private file.

Belongs here: the cache. Does not belong here: how a vendor hands out tokens (`systems/<vendor>`).
The rules are reliability.md 5: single flight in the process and across processes, re-read under the lock, written
durably with mode 0600 before use, renewed at 80 % of its life.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from filelock import FileLock

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.keys import digest
from ledger_pipelines.machine import at
from ledger_pipelines.systems.secrets import Redactor

LONGEST = 366 * 24 * 3600
"""Seconds; no vendor hands out a token for longer than a year."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token; `renew_at` is 80 % of its life, `expires_at` its end, UTC."""

    value: str
    renew_at: datetime
    expires_at: datetime

    @classmethod
    def lasting(cls, value: str, now: datetime, seconds: int) -> AccessToken:
        """A token handed out now for that long. Raises ValueError: it cannot stand in a header, or lasts for ever."""
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("a token is not printable ASCII")
        if not 0 < seconds <= LONGEST:
            raise ValueError(f"a token lasts {seconds} seconds")
        return cls(value, now + timedelta(seconds=seconds * 0.8), now + timedelta(seconds=seconds))

    def __repr__(self) -> str:
        return f"AccessToken(*** until {self.expires_at.isoformat()})"


class TokenCache:
    """The current token, fetched when needed.

    Args:
        fetch: Asks the vendor; raises CredentialError or TransientError.
        clock: Decides about renewal.
        redactor: Learns tokens read from the file.
        folder: Shared by processes; None = memory only.
        name: First part of the file's name.
        identity: What the token belongs to; other credentials never see it.
    """

    def __init__(
        self,
        fetch: Callable[[], AccessToken],
        clock: Clock,
        redactor: Redactor,
        *,
        folder: Path | None,
        name: str,
        identity: Sequence[str],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._redactor = redactor
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._path: Path | None = None
        if folder is not None:
            with at(folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = folder / f"{name}-{digest(*identity)[:24]}.token"

    def get(self, *, refused: AccessToken | None = None) -> AccessToken:
        """A token fit for use; never the `refused` one. Raises what `fetch` raises, and StorageError."""
        with self._lock:
            token = self._fit(self._token, refused)
            if token is not None:
                return token
            with self._alone():
                token = self._fit(self._load(), refused)
                if token is None:
                    token = self._fetch()
                    self._save(token)
            self._token = token
            return token

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time; StorageError before any token is used, so that a write it was for was not sent."""
        if self._path is None:
            yield
            return
        with at(self._path), FileLock(f"{self._path}.lock"):
            yield

    def _fit(self, token: AccessToken | None, refused: AccessToken | None) -> AccessToken | None:
        if token is None or (refused is not None and token.value == refused.value):
            return None
        return token if self._clock.now() < token.renew_at else None

    def _load(self) -> AccessToken | None:
        if self._path is None:
            return None
        try:
            token = msgspec.json.decode(self._path.read_bytes(), type=AccessToken)
        except (OSError, msgspec.DecodeError):
            return None
        self._redactor.add(token.value)
        return token

    def _save(self, token: AccessToken) -> None:
        if self._path is not None:
            write_private(self._path, msgspec.json.encode(token))


def write_private(path: Path, content: bytes) -> None:
    """Replace a file that only its owner may read (0600), whole and durably."""
    draft = path.with_suffix(f"{path.suffix}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
