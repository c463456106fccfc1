"""The sandbox's NetSuite in this process, without sockets and on a clock that stands still: its books, its faults, its gate.

Belongs here: bringing a request of httpx to the sandbox's own application and what comes back, cuts included, to httpx;
time. Does not belong here: accidents, verdicts (`netsuite`), anything NetSuite does (the sandbox).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.types import Message

from ledger_pipelines.sandbox.calls import CallLog
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.faults import Faults, FaultSpec, VendorFaults
from ledger_pipelines.sandbox.gate import Gate
from ledger_pipelines.sandbox.late import LateApplies
from ledger_pipelines.sandbox.netsuite.vendor import NetSuiteVendor
from ledger_pipelines.sandbox.state import StateStore
from ledger_pipelines.sandbox.vendor import SandboxContext
from ledger_pipelines.sandbox.wire import TRANSPORT

NAME = "netsuite"
HOST = "https://9123456-sb1.suitetalk.api.netsuite.com"
START = datetime(2026, 9, 20, 12, tzinfo=UTC)
_NEVER = 1e9


class House:
    """One NetSuite, put back to its beginning for each schedule. Its clock is the product's, too.

    Jobs (asynchronous batches) are carried out when `jobs_at` has come, late requests when they are due: time passes
    through those instants one by one, so that nothing is made later than it would have been.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._store = StateStore()
        self.clock = SandboxClock()
        self.clock.freeze(START)
        self.calls = CallLog()
        self.faults = Faults(self.clock)
        context = SandboxContext(
            self.clock, VendorFaults(NAME, self.faults), self.calls, self._store, HOST, "demo"
        )
        self.vendor = NetSuiteVendor(context)
        self.faults.declare(NAME, self.vendor.extra_faults)
        with self._store.transaction():
            self.vendor.reset("demo")
            self.vendor.set_features(asyncDelaySeconds=_NEVER)
        self._fresh = self._store.snapshot()
        self.seeded: Any = self.vendor.dump()
        """What it holds at the beginning."""
        self._late = LateApplies(self._store, self.clock, {NAME: self.vendor.app})
        self._gate = Gate(self.vendor, self.clock, self.calls, self.faults, self._late)
        self._due: list[datetime] = []
        self.jobs_at: datetime = START
        self.before: Callable[[httpx.Request], None] = lambda _request: None
        self.after: Callable[[httpx.Request, httpx.Response | None], None] = lambda _request, _response: None

    def fresh(self) -> None:
        """As it was at the beginning."""
        self._store.restore(self._fresh)
        self.vendor.reload()
        self._late.reload()
        self.faults.clear()
        self.calls.clear()
        self.clock.freeze(START)
        self.jobs_at = START
        self._due = []

    def close(self) -> None:
        """End its loop and the task that would wait for jobs for ever."""

        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._loop.shutdown_default_executor()

        self._loop.run_until_complete(end())
        self._loop.close()
        self._store.close()

    # --- time ----------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The present instant, for the product and for NetSuite."""
        return self.clock.now()

    def sleep(self, seconds: float) -> None:
        """Time passes, and with it whatever NetSuite still has to do."""
        end = self.now() + timedelta(seconds=max(0.0, seconds))
        while True:
            coming = [at for at in (*self._due, self.jobs_at) if self.now() < at <= end]
            if not coming:
                break
            self.clock.freeze(min(coming))
            self._work()
        self.clock.freeze(end)
        self._work()

    def _work(self) -> None:
        now = self.now()
        if any(at <= now for at in self._due):
            self._due = [at for at in self._due if at > now]
            self._loop.run_until_complete(self._late.apply_due())
        if self.jobs_at <= now:
            while self.vendor.netsuite.jobs.run_next():
                pass

    # --- the line ------------------------------------------------------------------------------------------------

    def set_fault(self, **rule: Any) -> None:
        """A rule of the sandbox's own faults."""
        self.faults.add(FaultSpec(vendor=NAME, **rule))

    def struck(self) -> dict[str, int]:
        """How often each kind of fault befell a call, by the sandbox's count."""
        found: dict[str, int] = {}
        for rule in self.faults.as_json():
            fired = rule["fired"]
            assert isinstance(fired, int)
            found[str(rule["kind"])] = found.get(str(rule["kind"]), 0) + fired
        return found

    def handle(self, request: httpx.Request) -> httpx.Response:
        """One call, as the sandbox's port would answer it."""
        self._work()
        self.before(request)
        waiting = self._late.pending
        call = _Call(request)
        self._loop.run_until_complete(self._gate(call.scope, call.receive, call.send))
        if self._late.pending > waiting:
            self._due.append(self._latest_due())
        self._work()
        response = call.response()
        self.after(request, response)
        if response is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return response

    def _latest_due(self) -> datetime:
        """When the request that was just put off is to be applied: its rule fired last."""
        fired = [
            (firing["at"], float(str(rule["seconds"])))
            for rule in self.faults.as_json()
            if rule["kind"] == "apply_late"
            for firing in rule["firings"]  # type: ignore[attr-defined]  # a list of records
        ]
        return self.now() + timedelta(seconds=max(fired)[1])


class _Call:
    """One request between httpx and an ASGI application; the connection is an object that can be closed."""

    def __init__(self, request: httpx.Request) -> None:
        self._body = request.read()
        self._given = False
        self._start: Message | None = None
        self._pieces: list[bytes] = []
        self._whole = False
        url = request.url
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": url.scheme,
            "method": request.method,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(key.lower(), value) for key, value in request.headers.raw],
            "client": ("127.0.0.1", 0),
            "server": (url.host, url.port or 443),
            "extensions": {TRANSPORT: self},
        }

    def close(self) -> None:
        """The connection ends; what is whole by then is whole."""

    abort = close

    def get_extra_info(self, name: str) -> None:
        """There is no socket."""

    async def receive(self) -> Message:
        """The body, then the client is gone."""
        if self._given:
            return {"type": "http.disconnect"}
        self._given = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Message) -> None:
        """What the application answers."""
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._pieces.append(message.get("body", b""))
            self._whole = not message.get("more_body", False)

    def response(self) -> httpx.Response | None:
        """As httpx sees it; None = the connection ended without a byte."""
        if self._start is None:
            return None
        headers = self._start["headers"]
        if self._whole:
            return httpx.Response(self._start["status"], headers=headers, content=b"".join(self._pieces))
        return httpx.Response(self._start["status"], headers=headers, stream=_Cut(self._pieces))


class _Cut(httpx.SyncByteStream):
    """What came before the connection ended."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
