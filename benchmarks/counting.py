"""Calls of one run of a shop's integration, as the sandbox counts them, and what the run takes beside them.

Belongs here: counting, the clock around it. Does not belong here: what is run, how few calls there can be (each benchmark).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import httpx

from ledger_pipelines_tests.store_stage import StoreStage

LOGIN = "authorisation"
"""In the path of calls that only log in."""


IDLE_GROWS = (
    "It grows with the history: once a process the integration's journal and the newest rows of the snapshots are read. Which share is "
    "whose is not measured."
)
"""Why an idle run of a shop takes what it takes."""


@dataclass(frozen=True)
class Counted:
    """Calls of one run by method and path of the target, and in all of the store; seconds of it.

    waited: seconds of it in calls. cpu: seconds of processor this process used, calls included: a figure that other programs on the
    machine do not change.
    """

    target: Mapping[str, int]
    store: int
    seconds: float  # not money: seconds
    waited: float  # not money: seconds
    cpu: float = 0.0  # not money: seconds

    @property
    def reads(self) -> int:
        """Calls to the target that only read."""
        return sum(count for call, count in self.target.items() if call.startswith("GET "))

    @property
    def writes(self) -> int:
        """Calls to the target that write."""
        return self.total - self.reads

    @property
    def total(self) -> int:
        """All calls to the target."""
        return sum(self.target.values())

    @property
    def beyond(self) -> float:
        """Seconds beyond its calls."""
        return self.seconds - self.waited


def counted(stage: StoreStage[Any]) -> Counted:
    """A run in a process that has just begun."""
    stage.close_service()
    stage.forget_calls()
    with call_seconds() as calls:
        started, busy = time.perf_counter(), time.process_time()
        stage.run()
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
    waited = sum(calls)
    store = sum(count for call, count in stage.calls("neto").items() if call.startswith("POST /do/"))
    found = {call: count for call, count in stage.calls(stage.vendor).items() if LOGIN not in call}
    return Counted(found, store, seconds, waited, busy)


@contextmanager
def call_seconds() -> Iterator[list[float]]:  # not money: seconds
    """How long each call made in the block took."""
    found: list[float] = []  # not money: seconds
    plain = httpx.HTTPTransport.handle_request

    def timed(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        started = time.perf_counter()
        try:
            return plain(transport, request)
        finally:
            found.append(time.perf_counter() - started)

    with patch.object(httpx.HTTPTransport, "handle_request", timed):
        yield found
