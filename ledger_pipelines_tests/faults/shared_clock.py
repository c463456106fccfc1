"""One clock for a drill's server, its drill and all its children: real time, and a lead that any of them may lengthen.

Belongs here: the clock. Does not belong here: the sandbox's own (`stage.JumpingClock`).
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_FORM = struct.Struct("<d")


class SharedClock:
    """A `documents.dates.Clock` whose lead is eight bytes of a file that all processes map.

    A wait of more than `real` seconds is not waited for: everybody's time moves on instead.
    """

    def __init__(self, path: Path, real: float = 0.02) -> None:
        self.real = real
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._handle).st_size < _FORM.size:
            os.ftruncate(self._handle, _FORM.size)
        self._place = mmap.mmap(self._handle, _FORM.size)

    @property
    def lead(self) -> float:
        """Seconds ahead of the machine's clock."""
        seconds: float = _FORM.unpack_from(self._place)[0]
        return seconds

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.lead)

    def sleep(self, seconds: float) -> None:
        """Wait, or let time pass."""
        if seconds > self.real:
            self.jump(seconds)
            seconds = 0.001
        time.sleep(max(0.0, seconds))

    def jump(self, seconds: float) -> None:
        """Let time pass for everybody."""
        fcntl.lockf(self._handle, fcntl.LOCK_EX)
        try:
            _FORM.pack_into(self._place, 0, self.lead + seconds)
        finally:
            fcntl.lockf(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        self._place.close()
        os.close(self._handle)
