"""history: a shop's orders, payments, edits, splits, cancellations, restarts and lost answers in an order that nobody thought of.

Belongs here: which histories, and what all of them together have to meet. Does not belong here: acts and books (`faults.histories`).

A case is `INTEGRATION:WAY:ACTS:NUMBER`; `neto_saasu:credit:40:7` is the seventh of forty acts. What a failing one did is told with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.e2e.omni.kit import open_account
from ledger_pipelines_tests.e2e.shop.conftest import MORNING
from ledger_pipelines_tests.e2e.shop.kit import open_shop
from ledger_pipelines_tests.faults.histories import books, omni
from ledger_pipelines_tests.faults.histories.history import History
from ledger_pipelines_tests.faults.kit import Drill, Verdict

ACTS, FEW_ACTS = 40, 20


@dataclass(frozen=True, slots=True)
class _Kind:
    """An integration. many: histories by way, in the full tier."""

    set_up: Callable[[RunningSandbox, str], None]
    opened: Callable[[RunningSandbox, Path, str], Any]
    history: Callable[[str, Any, Random], History[Any]]
    many: Mapping[str, int]


_KINDS: Mapping[str, _Kind] = {
    "neto_saasu": _Kind(
        open_shop,
        books.opened,
        lambda _way, stage, chooser: books.ShopHistory(stage, chooser),
        {"credit": 6, "update": 5, "report": 2},
    ),
    "neto_cin7": _Kind(
        open_account, omni.opened, omni.history, {"dispatch": 5, "ignore-stock": 2, "by-hand": 4}
    ),
}


class DRILL(Drill):
    """See the module."""

    name = "history"
    shows = (
        "whatever a shop does, in any order, with lost answers: the other side comes to the store's own sums"
    )
    shards = 2
    weight = 2

    def prepare(self) -> None:
        """Sandboxes come with the first case that needs them."""
        self._sandboxes: dict[str, RunningSandbox] = {}

    def cases(self) -> Sequence[str]:
        """By integration and way."""
        if self.setting.fast:
            return [f"{name}:{next(iter(kind.many))}:{FEW_ACTS}:1" for name, kind in _KINDS.items()]
        return [
            f"{name}:{way}:{ACTS}:{number}"
            for name, kind in _KINDS.items()
            for way, many in kind.many.items()
            for number in range(1, many + 1)
        ]

    def carry_out(self, case: str) -> Verdict:
        """One history."""
        name, way, acts, number = case.split(":")
        kind = _KINDS[name]
        folder = self.setting.folder / case.replace(":", "-")
        folder.mkdir()
        stage = kind.opened(self._sandbox(name), folder, way)
        try:
            history = kind.history(way, stage, Random(f"{self.setting.seed}:{way}:{number}"))
            history.live(int(acts))
            problems = [*history.rest(), *history.judge()]
            figures = {"acts": history.done.total(), "waiting for a person": len(history.waiting())}
        finally:
            stage.close()
        told = history.told if problems else ()
        return Verdict(case, (*problems, *told), figures, frozenset(f"{name}/{one}" for one in history.done))

    def must_reach(self) -> Collection[str]:
        """Every act, at each integration."""
        if self.setting.fast:
            return ()
        acts = {"neto_saasu": books.ShopHistory.ACTS, "neto_cin7": omni.HandledHistory.ACTS}
        return {f"{name}/{act}" for name, those in acts.items() for act in those}

    def _sandbox(self, name: str) -> RunningSandbox:
        """The integration's, as it was when it was set up."""
        if name not in self._sandboxes:
            sandbox = self.stack.enter_context(running_sandbox(seed="empty"))
            _KINDS[name].set_up(sandbox, MORNING)
            with loopback(sandbox.control_url) as control:
                control.post("/snapshot", json={"name": "opened"}).raise_for_status()
            self._sandboxes[name] = sandbox
        return self._sandboxes[name]
