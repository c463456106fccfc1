"""Running the sandbox: one process, one loop, a loopback port for control and one for each vendor.

Belongs here: sockets, servers, start and stop. Does not belong here: what they answer.
"""

import asyncio
import contextlib
import logging
import random
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from starlette.types import ASGIApp

from ledger_pipelines.sandbox.calls import CallLog
from ledger_pipelines.sandbox.clock import ClockState, SandboxClock
from ledger_pipelines.sandbox.control import SEEDS, Control
from ledger_pipelines.sandbox.faults import Faults, VendorFaults
from ledger_pipelines.sandbox.gate import Gate
from ledger_pipelines.sandbox.late import LateApplies
from ledger_pipelines.sandbox.state import StateStore
from ledger_pipelines.sandbox.vendor import SandboxContext, Vendor, VendorEntry, available
from ledger_pipelines.sandbox.wire import CuttableProtocol

CONTROL = "control"
DEFAULT_PORT = 8700
_META = "sandbox.meta"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SandboxStartError(RuntimeError):
    """The sandbox cannot start; the text says why (a port is taken, a bad seed or host)."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config):
        super().__init__(config)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to :func:`run_sandbox`: several servers share this process."""
        yield


def bind_ports(port: int, host: str, offsets: Mapping[str, int]) -> dict[str, socket.socket]:
    """Bind ``port`` plus each offset; ``port`` 0 looks for eight free ones in a row. Raises :class:`SandboxStartError`."""
    if port:
        return _bind(port, host, offsets)
    for _ in range(200):
        with contextlib.suppress(SandboxStartError):
            return _bind(random.randrange(20000, 60000, 8), host, offsets)
    raise SandboxStartError("no eight free ports in a row were found on this machine")


def _bind(port: int, host: str, offsets: Mapping[str, int]) -> dict[str, socket.socket]:
    bound: dict[str, socket.socket] = {}
    try:
        for name, offset in offsets.items():
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            # with the protocol named, asyncio turns Nagle's algorithm off: 40 ms a call otherwise
            listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound[name] = listener
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port + offset))
    except OSError as error:
        for listener in bound.values():
            listener.close()
        raise SandboxStartError(
            f"port {port + offset} ({name}) cannot be used: {error.strerror}. Stop what uses it, or give another --port"
        ) from error
    return bound


@dataclass(frozen=True)
class SandboxOptions:
    """How to run. ``port`` 0 = free ports; ``vendors`` = names of those wanted, ``None`` for all."""

    port: int = DEFAULT_PORT
    seed: str = "demo"
    state: Path | None = None
    host: str = "127.0.0.1"
    vendors: tuple[str, ...] | None = None

    def entries(self) -> list[VendorEntry]:
        """The registry's entries that are wanted. Raises :class:`SandboxStartError`."""
        there = {entry.name: entry for entry in available()}
        unknown = [name for name in self.vendors or () if name not in there]
        if unknown:
            raise SandboxStartError(f"no vendor {unknown[0]!r}; there are {', '.join(there)}")
        if self.seed not in SEEDS:
            raise SandboxStartError(f"no seed {self.seed!r}; there are {', '.join(SEEDS)}")
        if self.host not in _LOOPBACK:
            raise SandboxStartError(f"the sandbox listens on loopback only, not on {self.host}")
        return [entry for name, entry in there.items() if self.vendors is None or name in self.vendors]


@dataclass(frozen=True)
class SandboxAddress:
    """Where the sandbox is: the control port's URL and each vendor's."""

    control_url: str
    base_urls: Mapping[str, str]


class Sandbox:
    """The whole sandbox on one loop. Build it inside the loop, then :meth:`start`, then :meth:`stop`."""

    def __init__(self, options: SandboxOptions):
        self._entries = options.entries()
        offsets = {CONTROL: 0} | {entry.name: entry.port_offset for entry in self._entries}
        host = options.host
        self._sockets = bind_ports(options.port, host, offsets)
        self._host = f"[{host}]" if ":" in host else host
        self.store = StateStore(options.state)
        self.clock = SandboxClock(_kept_clock(self.store), self._keep_clock)
        self.calls = CallLog()
        self.faults = Faults(self.clock)
        self.vendors = self._build_vendors(options.seed)
        apps: dict[str, ASGIApp] = {name: vendor.app for name, vendor in self.vendors.items()}
        self._late = LateApplies(self.store, self.clock, apps)
        control = Control(
            vendors=self.vendors,
            base_urls=self.address.base_urls,
            clock=self.clock,
            calls=self.calls,
            faults=self.faults,
            late=self._late,
            store=self.store,
            seed=options.seed,
            listen=self._listen,
        )
        self._apps: dict[str, ASGIApp] = {CONTROL: control.app()}
        for name, vendor in self.vendors.items():
            self._apps[name] = Gate(vendor, self.clock, self.calls, self.faults, self._late)
        self._servers: dict[str, _Server] = {}
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._late_task: asyncio.Task[None] | None = None
        self._shut_ports: dict[str, int] = {}

    @property
    def address(self) -> SandboxAddress:
        """The URLs."""
        urls = {name: f"http://{self._host}:{s.getsockname()[1]}" for name, s in self._sockets.items()}
        return SandboxAddress(urls[CONTROL], {n: u for n, u in urls.items() if n != CONTROL})

    def _build_vendors(self, seed: str) -> dict[str, Vendor]:
        vendors: dict[str, Vendor] = {}
        for entry in self._entries:
            context = SandboxContext(
                clock=self.clock,
                faults=VendorFaults(entry.name, self.faults),
                calls=self.calls,
                store=self.store,
                base_url=self.address.base_urls[entry.name],
                seed=seed,
            )
            vendor = entry.build(context)
            self.faults.declare(entry.name, vendor.extra_faults)
            vendors[entry.name] = vendor
            if self.store.get(_META, f"seeded:{entry.name}") is None:
                with self.store.transaction():
                    vendor.reset(seed)
                    self.store.put(_META, f"seeded:{entry.name}", seed)
        return vendors

    def _keep_clock(self, state: ClockState) -> None:
        self.store.put(_META, "clock", msgspec.to_builtins(state))

    async def start(self) -> None:
        """Open every port; returns when all accept."""
        for name in self._sockets:
            await self._serve(name)
        self._late_task = asyncio.create_task(self._late.run(), name="late applies")

    async def _serve(self, name: str) -> None:
        config = uvicorn.Config(
            self._apps[name],
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            loop="none",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        self._servers[name] = server
        serving = asyncio.create_task(server.serve(sockets=[self._sockets[name]]), name=f"{name} server")
        self._serving[name] = serving
        await server.accepting.wait()

    async def _listen(self, name: str, wanted: bool) -> None:
        """Shut a vendor's port, so that connecting is refused, or open it again."""
        is_open = name in self._servers
        if is_open and not wanted:
            server = self._servers.pop(name)
            port = self._sockets[name].getsockname()[1]
            server.should_exit = True
            server.force_exit = True
            for connection in list(server.server_state.connections):
                connection.transport.abort()
            await self._serving.pop(name)
            self._shut_ports[name] = port
        elif wanted and not is_open:
            host = self._host.strip("[]")
            self._sockets[name] = _bind(self._shut_ports.pop(name), host, {name: 0})[name]
            await self._serve(name)

    async def stop(self) -> None:
        """Close every port and the state."""
        logging.getLogger("uvicorn.error").setLevel(
            logging.CRITICAL
        )  # calls that are cancelled now are no errors
        for server in self._servers.values():
            server.should_exit = True
        if self._late_task is not None:
            self._late_task.cancel()
            await asyncio.gather(self._late_task, return_exceptions=True)
        await asyncio.gather(*self._serving.values())
        self.store.close()


def _kept_clock(store: StateStore) -> ClockState | None:
    kept = store.get(_META, "clock")
    return None if kept is None else msgspec.convert(kept, ClockState, strict=False)


async def _run(options: SandboxOptions, announce: Callable[[Sandbox], None]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    sandbox = Sandbox(options)
    await sandbox.start()
    announce(sandbox)
    await stop.wait()
    await sandbox.stop()


def run_sandbox(
    port: int = DEFAULT_PORT,
    seed: str = "demo",
    state: Path | None = None,
    host: str = "127.0.0.1",
    *,
    vendors: tuple[str, ...] | None = None,
    announce: Callable[[Sandbox], None] | None = None,
) -> None:
    """Run until SIGINT or SIGTERM; ``announce`` is called when every port accepts (default: print the addresses).

    A state file that exists is taken up as it is; ``seed`` counts for a new one only. Raises :class:`SandboxStartError`.
    """
    options = SandboxOptions(port, seed, state, host, vendors)
    asyncio.run(_run(options, announce or _print_addresses))


def _print_addresses(sandbox: Sandbox) -> None:
    lines = [f"sandbox control  {sandbox.address.control_url}"]
    lines += [f"{name:<16} {url}" for name, url in sandbox.address.base_urls.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox in a thread of this process. ``credentials`` is what ``GET /credentials`` answers."""

    control_url: str
    base_urls: Mapping[str, str]
    credentials: Mapping[str, Any]
    thread: "SandboxThread"

    def stop(self) -> None:
        """Stop it and wait for its end."""
        self.thread.stop()


class SandboxThread(threading.Thread):
    """The sandbox on a loop of its own in a background thread."""

    def __init__(self, options: SandboxOptions):
        super().__init__(name="sandbox", daemon=True)
        self._options = options
        self._is_ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._failure: Exception | None = None
        self.address: SandboxAddress | None = None

    def run(self) -> None:
        """The thread's body."""
        try:
            asyncio.run(self._main())
        except (SandboxStartError, OSError) as error:
            self._failure = error
        finally:
            self._is_ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        sandbox = Sandbox(self._options)
        await sandbox.start()
        self.address = sandbox.address
        self._is_ready.set()
        await self._stopping.wait()
        await sandbox.stop()

    def wait_until_ready(self) -> SandboxAddress:
        """The addresses, when every port accepts. Raises what kept the sandbox from starting."""
        self._is_ready.wait()
        if self._failure is not None:
            raise self._failure
        if self.address is None:
            raise SandboxStartError("the sandbox's thread ended before it was ready; its own error is above")
        return self.address

    def stop(self) -> None:
        """Stop and join."""
        if self._loop is not None and self._stopping is not None and self.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self.join(timeout=20)


@contextlib.contextmanager
def running_sandbox(
    seed: str = "empty",
    port: int = 0,
    state: Path | None = None,
    host: str = "127.0.0.1",
    *,
    vendors: tuple[str, ...] | None = None,
) -> Iterator[RunningSandbox]:
    """A sandbox for a test, on free ports, stopped at the end of the ``with``; ``vendors`` as in SandboxOptions."""
    thread = SandboxThread(SandboxOptions(port, seed, state, host, vendors))
    thread.start()
    try:
        address = thread.wait_until_ready()
        credentials = (
            httpx.get(f"{address.control_url}/credentials", trust_env=False).raise_for_status().json()
        )
        yield RunningSandbox(address.control_url, address.base_urls, credentials, thread)
    finally:
        thread.stop()
