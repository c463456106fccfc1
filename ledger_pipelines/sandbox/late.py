"""Requests whose answer was lost and that the vendor applies later.

Belongs here: keeping them (in the state file, so that they survive a kill) and applying them when sandbox time has
come. Does not belong here: which requests these are (``faults``).
"""

import asyncio
import base64
import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from starlette.types import ASGIApp, Scope

from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.state import StateStore
from ledger_pipelines.sandbox.vendor import CALL, CallInfo
from ledger_pipelines.sandbox.wire import Captured, replay

_NAMESPACE = "sandbox.late"
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class LateRequest:
    """A request to apply at ``due``; bytes are base64 text, headers latin-1 pairs."""

    vendor: str
    method: str
    path: str
    raw_path: str
    query: str
    headers: list[tuple[str, str]]
    body: str
    received_at: datetime
    due: datetime
    server: tuple[str, int]


class LateApplies:
    """The queue. ``apps`` are the vendors' bare applications (no faults, no counting) by name."""

    def __init__(self, store: StateStore, clock: SandboxClock, apps: Mapping[str, ASGIApp]):
        self._store = store
        self._clock = clock
        self._apps = apps
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._pending: dict[str, LateRequest] = {}
        self._numbers = itertools.count(1)
        self.reload()

    @property
    def pending(self) -> int:
        """How many requests wait."""
        return len(self._pending)

    def add(self, vendor: str, scope: Scope, body: bytes, seconds: float) -> None:
        """Keep a request for ``seconds`` of sandbox time from now."""
        now = self._clock.now()
        request = LateRequest(
            vendor=vendor,
            method=scope["method"],
            path=scope["path"],
            raw_path=scope.get("raw_path", b"").decode("latin-1"),
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]],
            body=base64.b64encode(body).decode("ascii"),
            received_at=now,
            due=now + timedelta(seconds=seconds),
            server=(scope["server"][0], scope["server"][1]),
        )
        key = f"{next(self._numbers):012d}"
        self._store.put(_NAMESPACE, key, cast("dict[str, Any]", msgspec.to_builtins(request)))
        self._pending[key] = request
        self._wake.set()

    def reload(self) -> None:
        """Take up what the store holds."""
        kept = self._store.items(_NAMESPACE)
        self._pending = {key: msgspec.convert(body, LateRequest) for key, body in kept}
        self._numbers = itertools.count(max((int(key) for key in self._pending), default=0) + 1)
        self._wake.set()

    def clear(self) -> None:
        """Forget what waits."""
        self._pending.clear()
        self._store.clear(_NAMESPACE)

    async def apply_due(self) -> None:
        """Apply, in the order of their due times, all requests whose time has come."""
        async with self._lock:
            now = self._clock.now()
            due = sorted((r.due, key) for key, r in self._pending.items() if r.due <= now)
            for _, key in due:
                # Taken off first: a kill in between loses the request, which a vendor may do, rather than doubling it.
                request = self._pending.pop(key)
                self._store.delete(_NAMESPACE, key)
                body = base64.b64decode(request.body)
                application = self._apps[request.vendor](_scope(request), replay(body), Captured())
                [failure] = await asyncio.gather(application, return_exceptions=True)
                if (
                    failure is not None
                ):  # a fault of the sandbox; the requests behind this one still have their turn
                    _LOGGER.error(
                        "%s %s could not be applied late", request.method, request.path, exc_info=failure
                    )

    async def run(self) -> None:
        """Apply requests as their time comes, until cancelled."""
        while True:
            if not self._pending:
                self._wake.clear()
                await self._wake.wait()
            await self.apply_due()
            await asyncio.sleep(0.02)


def _scope(request: LateRequest) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": request.method,
        "path": request.path,
        "raw_path": request.raw_path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "root_path": "",
        "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in request.headers],
        "client": ("127.0.0.1", 0),
        "server": request.server,
        "extensions": {CALL: CallInfo(request.received_at)},
    }
