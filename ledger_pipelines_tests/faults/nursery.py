"""Processes that start in ten milliseconds: one process imports everything, warms up, and forks a child for each start.

Belongs here: starting, stopping, waking and waiting for children. Does not belong here: what a child does.

Starting an interpreter and importing the product takes seconds; a drill starts thousands. The nursery runs no thread
when it forks, and shares nothing with its children but what had been imported.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ledger_pipelines_tests.faults.compiled import share_compiled

HANGS = 124
"""What `wait` answers for a child that did not end in time (and was killed)."""
_START, _WAIT = "start", "wait"
_STEP = 0.002


class Nursery:
    """Children of one drill; all are killed at the end.

    Args:
        modules: What is imported before the first child.
        warm: Called once in the nursery, to fill what is only filled at first use. Must leave no thread.
    """

    def __init__(self, modules: Sequence[str], warm: Callable[[], None] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(
            target=_nurse, args=(theirs, tuple(modules), warm), daemon=True, name="nursery"
        )
        self._process.start()
        theirs.close()
        self._living: set[int] = set()
        try:
            self._line.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError("The nursery did not come to life; its own words are above.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in self._living:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._line.close()
        self._process.join(10)
        if self._process.exitcode is None:
            self._process.kill()

    def start(self, target: Callable[..., None], *arguments: object) -> int:
        """Start a child that carries out `target`; its process id. It exits 0, or with what SystemExit says."""
        pid = int(self._ask(_START, target, arguments))
        self._living.add(pid)
        return pid

    def wait(self, pid: int, patience: float = 120.0) -> int:
        """The exit code of a child, negative for a signal; `HANGS` after killing one that does not end."""
        code = int(self._ask(_WAIT, pid, patience))
        self._living.discard(pid)
        return code

    def run(self, target: Callable[..., None], *arguments: object, patience: float = 120.0) -> int:
        """Start and wait."""
        return self.wait(self.start(target, *arguments), patience)

    def _ask(self, *asked: object) -> Any:
        self._line.send(asked)
        return self._line.recv()


def stopped(pid: int, patience: float = 60.0) -> bool:
    """Wait until a process has stopped itself; False when it ended, or went on, instead."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            state = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state in "TZX":
            return state == "T"
        time.sleep(_STEP)
    return False


def _nurse(line: Connection, modules: Sequence[str], warm: Callable[[], None] | None) -> None:
    for module in modules:
        importlib.import_module(module)
    share_compiled()
    if warm is not None:
        warm()
    line.send(os.getpid())
    while True:
        try:
            what, *rest = line.recv()
        except EOFError:
            return
        if what == _START:
            pid = os.fork()
            if pid == 0:
                line.close()
                _live(*rest)
            line.send(pid)
        else:
            line.send(_end_of(*rest))


def _live(target: Callable[..., None], arguments: Sequence[object]) -> None:
    code = 1
    try:
        target(*arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - the last frame of a process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _end_of(pid: int, patience: float) -> int:
    """Wait without looking again and again: where many processes share few cores, looking takes their time."""
    child = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([child], [], [], patience)
    finally:
        os.close(child)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if ended else HANGS
