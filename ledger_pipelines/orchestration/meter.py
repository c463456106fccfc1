"""What a step costs, and what it tells while it works.

Belongs here: calls, seconds, progress lines. Does not belong here: what is done.
"""

from __future__ import annotations

import time
from typing import Protocol

import dagster as dg

from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration.results import Shown

_EVERY_SECONDS = 5.0  # not money: seconds


class Counting(Protocol):
    """Something that counts its calls."""

    def calls(self) -> int:
        """Calls made so far."""
        ...


class Meter:
    """Calls and seconds of one step; a line of progress every few seconds."""

    def __init__(self, context: dg.AssetExecutionContext, service: Counting) -> None:
        self._log = context.log
        self._service = service
        self._began = self._told = time.monotonic()
        self._calls = service.calls()

    def progress(self, what: str, done: int, total: int) -> None:
        """Tell the run's log, not too often."""
        now = time.monotonic()
        if now - self._told >= _EVERY_SECONDS:
            self._told = now
            self._log.info(f"{what}: {done:,} of {total:,}")

    def spent(self) -> Shown:
        """Metadata."""
        return {
            m.API_CALLS: self._service.calls() - self._calls,
            m.SECONDS: round(time.monotonic() - self._began, 3),  # not money: seconds
        }
