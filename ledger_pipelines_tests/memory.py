"""A folder in memory for what tests and drills write, where the machine has room: they are about order and content, not about disks.

Belongs here: that. Does not belong here: what disks do when they refuse (`faults.conditions`, on disks of its own), benchmarks
(they measure the disk, too).

A killed process loses nothing that it wrote, on a disk as in memory; only a power cut could tell the two apart, and no drill here
cuts the power (docs/reliability.md says so).
"""

from __future__ import annotations

import shutil
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 * 2**30


def in_memory() -> Path | None:
    """The folder; None where there is none, or less than 4 GiB of it: then the usual place for temporary files is right."""
    return _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES else None
