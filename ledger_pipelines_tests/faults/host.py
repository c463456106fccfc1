"""A process with disks of its own, in which the product is run as a person runs it, and the machine refuses things.

Belongs here: mounting, forking a child for each command, what it said. Does not belong here: conditions
(`conditions`), verdicts (`drills.resources`).

    python -m ledger_pipelines_tests.faults.host      reads orders as JSON lines, answers each with one

It stays single-threaded and has the product imported, so that each command is a process of its own that starts at once.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ledger_pipelines_tests.faults import conditions, mutants
from ledger_pipelines_tests.faults.compiled import share_compiled
from ledger_pipelines_tests.faults.conditions import Condition, Events

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 25.0


@dataclass(frozen=True)
class Told:
    """How a command ended: code (negative: a signal), what it printed, the events it met, whether the condition began."""

    code: int
    out: str
    err: str
    events: Mapping[str, int] = field(default_factory=dict)
    began: bool = False


class Host:
    """The parent's side of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, what: str, **more: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the host ended with code {self._process.wait()}")
        answer = json.loads(line)
        if "broke" in answer:
            raise RuntimeError(answer["broke"])
        return answer["is"]

    def disks(self, folders: Sequence[Path]) -> bool:
        """Give each folder a small disk of its own; False where that is not allowed (they are plain folders then)."""
        return bool(self._ask("disks", folders=[str(folder) for folder in folders]))

    def put(self, path: Path, content: bytes) -> None:
        """Write a file as this process sees the disks."""
        self._ask("put", path=str(path), content=content.hex())

    def warm(self, function: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        """Do it once in the host itself: what is loaded and compiled on first use is there for every child after it."""
        self._ask("warm", function=function, arguments=list(arguments), environ=dict(environ))

    def run(
        self,
        function: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        folders: Sequence[Path] = (),
        condition: Condition | None = None,
        event: str = "",
        nth: int = 1,
    ) -> Told:
        """Call a function of `ledger_pipelines_tests.faults.host_acts` in a child; the condition begins at the event.

        With a condition and no event it holds from the start.
        """
        return Told(
            **self._ask(
                "run",
                function=function,
                arguments=list(arguments),
                environ=dict(environ),
                folders=[str(folder) for folder in folders],
                condition=condition,
                event=event,
                nth=nth,
            )
        )

    def release(self, folders: Sequence[Path]) -> None:
        """Take the disks away, with all that is on them."""
        self._ask("release", folders=[str(folder) for folder in folders])


# --- the child's side ----------------------------------------------------------------------------------------------


class _Server:
    def __init__(self) -> None:
        self._private = conditions.own_mounts()
        self._mounted: set[Path] = set()

    def disks(self, folders: Sequence[str]) -> bool:
        paths = [Path(folder) for folder in folders]
        for path in paths:
            path.mkdir(parents=True, exist_ok=True)
            if self._private and conditions.mount_disk(path):
                self._mounted.add(path)
        return all(path in self._mounted for path in paths)

    def put(self, path: str, content: str) -> bool:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(bytes.fromhex(content))
        return True

    def release(self, folders: Sequence[str]) -> bool:
        for folder in map(Path, folders):
            if folder in self._mounted:
                conditions.unmount(folder)
                self._mounted.discard(folder)
        return True

    def warm(self, function: str, arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
        before = dict(os.environ)
        os.environ.update(environ)
        try:
            said = io.StringIO()
            with (
                contextlib.suppress(SystemExit),
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(said),
            ):
                _acts()[function](list(arguments))
        finally:
            os.environ.clear()
            os.environ.update(before)
        if threading.active_count() > 1:
            raise RuntimeError(f"threads were left behind, no child can be forked: {threading.enumerate()}")
        return True

    def run(
        self,
        function: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        folders: Sequence[str],
        condition: str | None,
        event: str,
        nth: int,
    ) -> dict[str, object]:
        paths = [Path(folder) for folder in folders]
        wanted = None if condition is None else Condition(condition)
        with _Pipes() as pipes:
            child = os.fork()
            if child == 0:
                _in_child(pipes, function, arguments, environ, Events(paths, wanted, event, nth))
            out, err, told = pipes.read(child)
        _, status = os.waitpid(child, 0)
        if wanted is not None:
            conditions.end(wanted, paths)
        met = json.loads(told) if told else {"events": {}, "began": True}
        return asdict(Told(os.waitstatus_to_exitcode(status), out, err, met["events"], met["began"]))


class _Pipes:
    """Standard output, standard error and a line of our own, through pipes: they are no files that a limit stops."""

    def __enter__(self) -> Self:
        self._ends = [os.pipe() for _ in range(3)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reading, _ in self._ends:
            os.close(reading)

    def take(self) -> int:
        """In the child: put them in place; the descriptor of the third."""
        for number, (_, writing) in enumerate(self._ends[:2], 1):
            os.dup2(writing, number)
        return self._ends[2][1]

    def read(self, child: int) -> list[str]:
        """In the parent: all that is written until the child ends; one that hangs (a library without memory) is killed."""
        found = {reading: bytearray() for reading, _ in self._ends}
        for _, writing in self._ends:
            os.close(writing)
        open_ends = set(found)
        while open_ends:
            ready, _, _ = select.select(list(open_ends), [], [], _PATIENCE_SECONDS)
            if not ready:
                os.kill(child, signal.SIGKILL)
                continue
            for one in ready:
                piece = os.read(one, 65536)
                found[one] += piece
                if not piece:
                    open_ends.discard(one)
        return [bytes(text).decode("utf-8", "replace") for text in found.values()]


def _in_child(
    pipes: _Pipes, function: str, arguments: Sequence[str], environ: Mapping[str, str], events: Events
) -> None:
    code = 99
    try:
        line = pipes.take()
        os.environ.update(environ)
        events.install()
        code = _acts()[function](list(arguments))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - what a person would see on the terminal
        with contextlib.suppress(Exception):
            sys.excepthook(type(error), error, error.__traceback__)
        code = 98
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        with contextlib.suppress(Exception):
            os.write(line, json.dumps({"events": events.counts, "began": events.began}).encode())
        os._exit(code & 0xFF)


def _acts() -> Mapping[str, Callable[[list[str]], int]]:
    from ledger_pipelines_tests.faults.host_acts import ACTS  # noqa: PLC0415 (after the mutants are planted)

    return ACTS


def _orders() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def main() -> int:
    """Serve until standard input ends."""
    mutants.install_from_environment()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    server = _Server()
    _acts()
    share_compiled()
    for order in _orders():
        what = order.pop("do")
        try:
            answer: dict[str, object] = {"is": getattr(server, what)(**order)}
        except Exception:  # noqa: BLE001 - the parent is told
            answer = {"broke": traceback.format_exc(limit=3)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
