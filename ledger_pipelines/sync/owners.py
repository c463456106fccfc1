"""Who holds a lease, and whether they still run.

Belongs here: naming this process so that no other can be taken for it, and asking after a named one.
Does not belong here: what follows from the answer (`recover`).

A process that was killed holds its leases until they run out. On the same machine we can know earlier: the name holds
the boot, the process-id namespace, the process id and its start time. Where any of these cannot be read the answer is
"cannot tell", and the lease decides.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

_PROC = Path("/proc")
_active: set[str] = set()


def _start_time(pid: int) -> str | None:
    """The process's start in clock ticks since boot; None when there is no such process (or it is a zombie)."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    after_name = stat.rpartition(")")[2].split()
    return None if after_name[0] in {"Z", "X"} else after_name[19]


@lru_cache(maxsize=1)
def _world_of(_pid: int) -> str | None:
    """What `_world` answers, read once in a process: a forked child has another number, so it reads anew."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return None


def _world() -> str | None:
    """The machine's boot and the namespace in which process ids mean something."""
    return _world_of(os.getpid())


@lru_cache(maxsize=1)
def _own_start(pid: int) -> str | None:
    """This process's start, read once as `_world_of` is: it does not change."""
    return _start_time(pid)


def new_owner() -> str:
    """A name for one run of the engine in this process."""
    world, start = _world(), _own_start(os.getpid())
    nonce = uuid.uuid4().hex[:12]
    return f"?#{nonce}" if world is None or start is None else f"{world}/{os.getpid()}/{start}#{nonce}"


@contextmanager
def active(owner: str) -> Iterator[str]:
    """While the block runs, the owner is alive."""
    _active.add(owner)
    try:
        yield owner
    finally:
        _active.discard(owner)


def alive(owner: str) -> bool | None:
    """Whether that run still goes on: False only when it certainly does not; None when we cannot tell."""
    place, _, _nonce = owner.partition("#")
    world = _world()
    if place.count("/") != 3 or world is None:
        return None
    boot_and_space, pid, start = place.rsplit("/", 2)
    if boot_and_space != world:
        return None
    if _start_time(int(pid)) != start:
        return False
    return owner in _active if int(pid) == os.getpid() else True
