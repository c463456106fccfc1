"""The process that a drill stops: the whole chain of an integration, from what arrives to the read-back, as the product runs it.

Belongs here: the child's life. Does not belong here: verdicts (`chain_case`), where it is stopped (`stopping`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import SystemClock
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.limits import BucketRate, TokenBuckets
from ledger_pipelines_tests.faults import mutants
from ledger_pipelines_tests.faults.entries import ENTRIES
from ledger_pipelines_tests.faults.shared_clock import SharedClock
from ledger_pipelines_tests.faults.stopping import NOWHERE, Stop, Watch
from ledger_pipelines_tests.stage import JumpingClock

OPEN = 1
CLOCK = "clock"
LAST_ERROR = "last-error.txt"


class ChainClock(JumpingClock):
    """The sandbox's clock, the drill's and every child's in one."""

    def __init__(self, control: httpx.Client, place: Path) -> None:
        self._control = control
        fresh = not place.exists()
        self._shared = SharedClock(place)
        if fresh:
            told = control.get("/clock").raise_for_status().json()
            self._shared.jump(told["offset_seconds"])
        self.now = self._shared.now  # type: ignore[method-assign]  # the same clock

    def sleep(self, seconds: float) -> None:
        """Wait, or let time pass for all; a moment is left for what the sandbox does meanwhile."""
        if seconds > self._shared.real:
            self.jump(seconds)
            seconds = self._shared.real
        self._shared.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Let time pass for all."""
        self._shared.jump(seconds)
        self._control.post("/clock", json={"advance_seconds": seconds}).raise_for_status()


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is told. count_file: where to write what was reached; patience: real seconds that it waits for an answer, 0 = as
    shipped."""

    entry: str
    control_url: str
    base_urls: Mapping[str, str]
    credentials: Mapping[str, Any]
    folder: Path
    partition: str
    stop: Stop = NOWHERE
    count_file: Path | None = None
    patience: float = 0.0  # not money: seconds

    def open(self) -> Any:
        """The installation (whatever the entry opens), in step with the drill's clock."""
        sandbox = RunningSandbox(self.control_url, self.base_urls, self.credentials, cast("Any", None))
        stage = ENTRIES[self.entry].open(sandbox, self.folder)
        if self.patience:
            stage.loaded = _impatient(stage.loaded, self.patience)
        stage.clock = ChainClock(stage.control, self.folder / CLOCK)
        return stage


def run(order: Order) -> None:
    """One run of the product, stopped where it was told; exits 0 when nothing is open."""
    mutants.install_from_environment()
    logging.disable(logging.ERROR)
    watch = Watch(order.stop)
    watch.install()
    try:
        code = live(order)
    except LedgerError as error:  # a command would print it and end
        code = OPEN
        (order.folder / LAST_ERROR).write_text(str(error))
    finally:
        if order.count_file is not None:
            order.count_file.write_text(json.dumps(watch.counts))
    raise SystemExit(code)


def live(order: Order) -> int:
    """One run of the product."""
    stage = order.open()
    try:
        _ask_the_limiter(order.folder)
        return ENTRIES[order.entry].live(stage, order.partition)
    finally:
        stage.close()


def _impatient(loaded: LoadedConfig, seconds: float) -> LoadedConfig:
    """The configuration with this wait for an answer, whatever is called."""
    connections = {
        name: one.model_copy(update={"request_timeout_seconds": seconds})
        for name, one in loaded.config.connections.items()
    }
    return replace(loaded, config=loaded.config.model_copy(update={"connections": connections}))


def warm(order: Order) -> None:
    """One run in the nursery, so that what is made at first use is made once."""
    code = live(order)
    if code != 0:
        raise RuntimeError(f"The run that nobody disturbs ends with {code}.")


def _ask_the_limiter(folder: Path) -> None:
    """One wait on the rate limit that all processes of a connection share."""
    buckets = TokenBuckets(folder / "limits", SystemClock())
    for _ in range(2):
        buckets.take("drill", BucketRate(per_second=20, burst=1))
