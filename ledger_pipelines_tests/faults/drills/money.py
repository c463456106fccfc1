"""The drill `money`: amounts through every path come out equal or are refused by name, and nothing is a binary float.

Belongs here: cases, shares of the million, verdicts. Does not belong here: the paths (`faults.money_*`), the lint
(`ledger_pipelines_tests.lint.money`).

Cases: `PATH:NUMBER:COUNT` for a block of amounts drawn from seed and case; `columns:INTEGRATION` for what a whole run of it
leaves on disk; `lint`.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.faults import money_paths, money_reports
from ledger_pipelines_tests.faults.entries import ENTRIES, SETTLEMENTS, Entry
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.money_amounts import Block, MoneyPath
from ledger_pipelines_tests.faults.money_columns import Inspection, inspect
from ledger_pipelines_tests.lint.money import findings, modules
from ledger_pipelines_tests.stage import Stage

MILLION = 1_000_000
LINT = "lint"
COLUMNS = "columns"


class DRILL(Drill):
    """A million amounts, every column, every line of code."""

    name = "money"
    shows = "a million amounts through every path come out equal; no binary float in a column or near money"

    def prepare(self) -> None:
        """The paths of every integration, and those they share."""
        own = [path for entry in ENTRIES.values() for path in entry.money()]
        shared = [*money_paths.paths(), *money_reports.paths()]
        self._paths = {path.name: path for path in (*own, *shared)}
        self._folders = 0
        stored = sum(path.block * path.full for path in own if path.name.startswith("file-"))
        if stored < MILLION:
            raise ValueError(f"Only {stored} amounts would go through files.")

    @cached_property
    def _sandbox(self) -> RunningSandbox:
        return self.stack.enter_context(running_sandbox(seed="demo"))

    def cases(self) -> Sequence[str]:
        """Blocks of each path, the columns of each integration's run, the lint."""
        blocks = [
            f"{path.name}:{n}:{path.fast if self.setting.fast else path.block}"
            for path in self._paths.values()
            for n in range(1, (1 if self.setting.fast else path.full) + 1)
        ]
        return [*blocks, *self._inspected(), *self._linted()]

    def _linted(self) -> list[str]:
        """In `make test` the lint has a test of its own."""
        return [] if self.setting.fast else [LINT]

    def _inspected(self) -> list[str]:
        """Whole runs whose columns are looked at; in the fast tier a path through the shop is looked at anyway."""
        return [f"{COLUMNS}:{name}" for name in (SETTLEMENTS if self.setting.fast else ENTRIES)]

    def must_reach(self) -> Collection[str]:
        """Every path, every integration's columns, the lint."""
        return [*self._paths, *self._inspected(), *self._linted()]

    def carry_out(self, case: str) -> Verdict:
        """One block, or one inspection."""
        if "_sandbox" in vars(self):  # where an earlier case left its clock
            with loopback(self._sandbox.control_url) as control:
                control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
        self._folders += 1
        folder = self.setting.folder / f"case-{self._folders}"
        folder.mkdir()
        name, _, rest = case.partition(":")
        if name == LINT:
            return self._lint(case)
        if name == COLUMNS:
            return self._columns(case, ENTRIES[rest], folder)
        return self._block(case, self._paths[name], folder)

    def _block(self, case: str, path: MoneyPath, folder: Path) -> Verdict:
        count = int(case.rpartition(":")[2])
        chooser = random.Random(f"{self.setting.seed}/{case}")
        problems = list(path.carry(Block(case, count, folder, chooser, lambda: self._sandbox)))
        seen = inspect(folder)
        figures = {"amounts": count, path.name: count}
        return Verdict(case, (*problems, *seen.problems), figures, frozenset({path.name}))

    def _columns(self, case: str, entry: Entry[Any], folder: Path) -> Verdict:
        """A whole run of an integration, and (in the full form) the snapshots of its connections by Dagster."""
        kept = self.setting.folder / f"kept-{self._folders}"
        kept.mkdir()
        stage = entry.open(self._sandbox, folder)
        problems: list[str] = []
        try:
            scene = entry.scenes["small"]
            entry.prepare(stage, scene, kept)
            entry.place(stage, scene, kept, False)
            if code := entry.live(stage, scene.partition):
                problems.append(f"the run ends with {code}")
            stage.close_service()
            if not self.setting.fast and entry.name in SETTLEMENTS:
                problems += _snapshots(stage, entry.name)
        finally:
            stage.close()
        seen = inspect(folder)
        problems += [*seen.problems, *_too_little(seen)]
        return Verdict(case, tuple(problems), seen.figures(), frozenset({case}))

    def _lint(self, case: str) -> Verdict:
        found = tuple(str(finding) for finding in findings())
        return Verdict(case, found, {"modules": len(list(modules()))}, frozenset({case}))


def _too_little(seen: Inspection) -> list[str]:
    """An inspection that found nothing to inspect proves nothing."""
    return [
        f"A whole run left no {name.replace('_', ' ')} to inspect."
        for name, count in seen.figures().items()
        if not count
    ]


def _snapshots(stage: Stage, integration: str) -> list[str]:
    """Every entity of the integration's connections that has snapshots, of one day, as Dagster takes them."""
    problems: list[str] = []
    definitions = build_definitions(stage.loaded)
    one = stage.loaded.config.integrations[integration]
    wanted = {f"{connection}_snapshots" for connection in (one.source, one.target)}
    today = stage.clock.now().date().isoformat()
    with dg.DagsterInstance.ephemeral() as instance:
        for job in definitions.resolve_all_job_defs():
            if job.name in wanted:
                tags = {RANGE_START: today, RANGE_END: today}
                result = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
                if not result.success:
                    problems.append(f"{job.name} failed.")
    return problems
