"""The control port: what a test or a person asks of the sandbox itself.

Belongs here: credentials, calls, faults, clock, reset, snapshots, dumps. Does not belong here: anything that a
vendor's API offers to its clients. Documented in docs/sandbox/README.md.
"""

import html
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio.to_thread
import msgspec
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from ledger_pipelines.sandbox.calls import CallLog
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.faults import CORE_KINDS, Faults, FaultSpec
from ledger_pipelines.sandbox.late import LateApplies
from ledger_pipelines.sandbox.state import StateStore
from ledger_pipelines.sandbox.vendor import (
    HasCache,
    HasControlRoutes,
    HasLateWork,
    HasLedger,
    HasTrialBalance,
    Vendor,
)

SEEDS = ("demo", "empty")


class ResetRequest(BaseModel):
    """``POST /reset``: the seed, and the vendor when not all."""

    model_config = ConfigDict(extra="forbid")
    seed: str | None = None
    vendor: str | None = None


class ClockRequest(BaseModel):
    """``POST /clock``: one of these."""

    model_config = ConfigDict(extra="forbid")
    offset_seconds: float | None = None
    freeze: datetime | bool | None = None
    advance_seconds: float | None = None
    resume: bool | None = None


class SnapshotRequest(BaseModel):
    """``POST /snapshot`` and ``POST /restore``: a name for the copy."""

    model_config = ConfigDict(extra="forbid")
    name: str = "default"


class ListenRequest(BaseModel):
    """``POST /listen``: shut or open a vendor's port (a shut port refuses the connection itself)."""

    model_config = ConfigDict(extra="forbid")
    vendor: str
    open: bool


def answer(value: object, status: int = 200) -> Response:
    """A JSON answer; ``Decimal`` as text, exact."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


class ControlError(Exception):
    """A control request that cannot be done; the text says why and what would be right."""

    def __init__(self, text: str, status: int = 400):
        super().__init__(text)
        self.status = status


@dataclass
class Control:
    """The control application. ``listen`` shuts or opens a vendor's port; ``seed`` is the one given at the start."""

    vendors: Mapping[str, Vendor]
    base_urls: Mapping[str, str]
    clock: SandboxClock
    calls: CallLog
    faults: Faults
    late: LateApplies
    store: StateStore
    seed: str
    listen: Callable[[str, bool], Any]
    _snapshots: dict[str, sqlite3.Connection] = field(default_factory=dict)

    def app(self) -> Starlette:
        """Build the ASGI application."""
        routes: list[BaseRoute] = [
            Route("/", self._page),
            Route("/health", self._health),
            Route("/credentials", self._credentials),
            Route("/calls", self._calls, methods=["GET", "DELETE"]),
            Route("/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route("/clock", self._clock, methods=["GET", "POST"]),
            Route("/reset", self._reset, methods=["POST"]),
            Route("/snapshot", self._snapshot, methods=["POST"]),
            Route("/restore", self._restore, methods=["POST"]),
            Route("/listen", self._listen, methods=["POST"]),
            Route("/dump/{vendor}", self._dump),
            Route("/trial-balance/{vendor}", self._trial_balance),
            Route("/ledger/{vendor}", self._ledger),
        ]
        routes += [
            Mount(f"/{vendor.name}", routes=vendor.control_routes())
            for vendor in self.vendors.values()
            if isinstance(vendor, HasControlRoutes)
        ]
        return Starlette(
            routes=routes,
            exception_handlers={ControlError: _refused, ValidationError: _invalid, ValueError: _refused},
        )

    def _vendor(self, name: str) -> Vendor:
        if name not in self.vendors:
            raise ControlError(f"no vendor {name!r}; there are {', '.join(self.vendors)}", 404)
        return self.vendors[name]

    async def _health(self, _: Request) -> Response:
        return answer({"status": "ok", "vendors": list(self.vendors), "now": self.clock.now().isoformat()})

    async def _credentials(self, _: Request) -> Response:
        return answer({name: vendor.credentials() for name, vendor in self.vendors.items()})

    async def _calls(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.calls.clear()
        return answer(self.calls.as_json(request.query_params.get("vendor")))

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear(request.query_params.get("vendor"))
        elif request.method == "POST":
            specs = TypeAdapter(list[FaultSpec] | FaultSpec).validate_json(await request.body())
            for spec in specs if isinstance(specs, list) else [specs]:
                self.faults.add(spec)
        return answer({"faults": self.faults.as_json(), "pending_late_applies": self.late.pending})

    async def _clock(self, request: Request) -> Response:
        if request.method == "POST":
            wish = ClockRequest.model_validate_json(await request.body())
            if wish.offset_seconds is not None:
                self.clock.shift(wish.offset_seconds)
            if isinstance(wish.freeze, datetime):
                if wish.freeze.tzinfo is None:
                    raise ControlError(
                        "freeze: give the instant with its zone, for example 2026-09-01T00:00:00Z"
                    )
                self.clock.freeze(wish.freeze)
            elif wish.freeze:
                self.clock.freeze()
            if wish.advance_seconds is not None:
                self.clock.advance(wish.advance_seconds)
            if wish.resume:
                self.clock.resume()
            await self.late.apply_due()
            for vendor in self.vendors.values():
                if isinstance(vendor, HasLateWork):
                    await anyio.to_thread.run_sync(vendor.catch_up)
        state = self.clock.state
        return answer(
            {
                "now": self.clock.now().isoformat(),
                "offset_seconds": state.offset_seconds,
                "frozen": state.frozen_at is not None,
            }
        )

    async def _reset(self, request: Request) -> Response:
        wish = ResetRequest.model_validate_json(await request.body() or b"{}")
        seed = wish.seed or self.seed
        if seed not in SEEDS:
            raise ControlError(f"no seed {seed!r}; there are {', '.join(SEEDS)}")
        chosen = [self._vendor(wish.vendor)] if wish.vendor else list(self.vendors.values())
        if wish.vendor is None:
            self.faults.clear()
            self.calls.clear()
            self.late.clear()
            self.clock.shift(0)
        with self.store.transaction():
            for vendor in chosen:
                vendor.reset(seed)
        return answer({"seed": seed, "vendors": [vendor.name for vendor in chosen]})

    async def _snapshot(self, request: Request) -> Response:
        wish = SnapshotRequest.model_validate_json(await request.body() or b"{}")
        self._snapshots[wish.name] = self.store.snapshot()
        return answer({"snapshots": sorted(self._snapshots)})

    async def _restore(self, request: Request) -> Response:
        wish = SnapshotRequest.model_validate_json(await request.body() or b"{}")
        if wish.name not in self._snapshots:
            raise ControlError(f"no snapshot {wish.name!r}; there are {sorted(self._snapshots)}", 404)
        self.store.restore(self._snapshots[wish.name])
        self.clock.keep()
        self.late.reload()
        for vendor in self.vendors.values():
            if isinstance(vendor, HasCache):
                vendor.reload()
        return answer({"restored": wish.name})

    async def _listen(self, request: Request) -> Response:
        wish = ListenRequest.model_validate_json(await request.body())
        self._vendor(wish.vendor)
        await self.listen(wish.vendor, wish.open)
        return answer({"vendor": wish.vendor, "open": wish.open})

    async def _dump(self, request: Request) -> Response:
        return answer(self._vendor(request.path_params["vendor"]).dump())

    async def _trial_balance(self, request: Request) -> Response:
        vendor = self._vendor(request.path_params["vendor"])
        if not isinstance(vendor, HasTrialBalance):
            raise ControlError(f"{vendor.name} keeps no books", 404)
        return answer(vendor.trial_balance())

    async def _ledger(self, request: Request) -> Response:
        vendor = self._vendor(request.path_params["vendor"])
        if not isinstance(vendor, HasLedger):
            raise ControlError(f"{vendor.name} keeps no stock and sales ledger", 404)
        return answer(vendor.ledger())

    async def _page(self, _: Request) -> Response:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td><code>{html.escape(self.base_urls[name])}</code></td>"
            f"<td><pre>{html.escape(_pretty(vendor.credentials()))}</pre></td></tr>"
            for name, vendor in self.vendors.items()
        )
        endpoints = "".join(f"<li><code>{html.escape(line)}</code></li>" for line in ENDPOINTS)
        kinds = "".join(f"<li><code>{k}</code>: {html.escape(v)}</li>" for k, v in CORE_KINDS.items())
        return HTMLResponse(
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Vendor sandbox</title>"
            "<style>body{font:15px/1.5 sans-serif;margin:2rem;max-width:70rem}td{padding:.3rem 1rem .3rem 0;"
            "vertical-align:top}pre{margin:0;white-space:pre-wrap;word-break:break-all}</style>"
            "<h1>Vendor sandbox</h1><p>Local servers that behave as the vendors do. All credentials are fake.</p>"
            f"<p>Sandbox time: {html.escape(self.clock.now().isoformat())}</p>"
            f"<table><tr><th>Vendor<th>Base URL<th>Credentials</tr>{rows}</table>"
            f"<h2>Control endpoints (this port)</h2><ul>{endpoints}</ul><h2>Fault kinds</h2><ul>{kinds}</ul>"
        )


ENDPOINTS = (
    "GET /health",
    "GET /credentials",
    "GET /calls[?vendor=]   DELETE /calls",
    "GET /faults   POST /faults   DELETE /faults[?vendor=]",
    'GET /clock   POST /clock {"offset_seconds": n | "freeze": instant | "advance_seconds": n | "resume": true}',
    'POST /reset {"seed": "demo" | "empty", "vendor": name}',
    'POST /snapshot {"name": text}   POST /restore {"name": text}',
    'POST /listen {"vendor": name, "open": true | false}',
    "GET /dump/{vendor}",
    "GET /trial-balance/netsuite   GET /ledger/cin7",
    "POST /amazon/documents   POST /amazon/reports/{reportId}",
)


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, ControlError) else 400
    return answer({"error": str(error)}, status)


async def _invalid(_: Request, error: Exception) -> Response:
    return answer({"error": str(error)}, 400)
