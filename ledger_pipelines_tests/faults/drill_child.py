"""The process that a drill stops: the whole chain, from the drop folder to the read-back, as the product runs it.

Belongs here: the run and the hook. Does not belong here: verdicts. Imported by a fork server, so that each child is a
process of its own that starts at once.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.dates import SystemClock
from ledger_pipelines.systems.limits import BucketRate, TokenBuckets
from ledger_pipelines_tests.stage import Stage

OPEN, PARKED = 1, 4


@dataclass(frozen=True)
class Order:
    """What a child is to do. point, nth: where to die; "" = nowhere. count_file: where to write what was reached."""

    sandbox_url: str
    addresses: Mapping[str, str]
    credentials: Mapping[str, Any]
    folder: Path
    settlement_id: str
    point: str = ""
    nth: int = 1
    count_file: Path | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


class Hook:
    """Counts points, and kills its own process at the n-th reach of one."""

    def __init__(self, point: str, nth: int) -> None:
        self.counts: Counter[str] = Counter()
        self._point, self._nth = point, nth

    def __call__(self, name: str) -> None:
        """The hook of `faultpoints`."""
        self.counts[name] += 1
        if name == self._point and self.counts[name] >= self._nth:
            os.kill(os.getpid(), signal.SIGKILL)


def run(order: Order) -> None:
    """Take in what lies in the drop folder, run the settlement; exits 0 when nothing is open."""
    hook = Hook(order.point, order.nth)
    faultpoints.install(hook)
    stage = Stage(order.sandbox_url, order.addresses, order.credentials, order.folder, dict(order.settings))
    code = OPEN
    try:
        _ask_the_limiter(order.folder)
        for path in sorted(p for p in stage.drop.iterdir() if p.is_file()):
            stage.service.receive(path)
        result = stage.run(order.settlement_id)
        code = result.exit_code or (OPEN if stage.unfinished() else 0)
        if any(flow.result.parked is not None for flow in result.flows):
            code = PARKED
    finally:
        stage.close()
        if order.count_file is not None:
            order.count_file.write_text(json.dumps(hook.counts))
    os._exit(code)


def _ask_the_limiter(folder: Path) -> None:
    """One wait on the rate limit that all processes of a connection share."""
    buckets = TokenBuckets(folder / "limits", SystemClock())
    for _ in range(2):
        buckets.take("drill", BucketRate(per_second=50, burst=1))
