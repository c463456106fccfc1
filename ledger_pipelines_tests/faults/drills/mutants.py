"""mutants: planted bugs, each of which makes a drill fail that otherwise holds.

Belongs here: running the drill that must notice, with the bug and without. Does not belong here: the bugs (`mutants`,
`planted`).

Each run is a process of its own, since a planted bug stays. A drill that breaks down has caught nothing: one of its
problems must say what the bug does. And the same case must hold without the bug; otherwise it proves nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from ledger_pipelines_tests.faults.kit import Drill, Verdict, short
from ledger_pipelines_tests.faults.mutants import MUTANTS, Mutant

_COMMAND = "ledger_pipelines_tests.faults"
_BROKE_DOWN = "the drill broke down"
_PATIENCE = 600


@dataclass(frozen=True, slots=True)
class _Run:
    """What a drill said. broken: it did not come to an end of its own."""

    holds: bool
    problems: tuple[str, ...]
    broken: str = ""


class DRILL(Drill):
    """See the module."""

    name = "mutants"
    shows = "planted bugs, each caught by a drill that holds without it"
    shards = 2

    def cases(self) -> Sequence[str]:
        """All mutants; in the fast tier one of those that a quick simulation catches, another at every seed."""
        if not self.setting.fast:
            return list(MUTANTS)
        quick = [name for name, mutant in MUTANTS.items() if mutant.quick]
        return [quick[self.setting.seed % len(quick)]]

    def carry_out(self, case: str) -> Verdict:
        """The drill must fail with the bug, for the bug's own reason, and hold without it."""
        mutant = MUTANTS[case]
        with_bug = self._run(mutant, mutant.name)
        without = self._run(mutant, "")
        problems = []
        named = [p for p in with_bug.problems if not p.startswith(_BROKE_DOWN) and re.search(mutant.told, p)]
        if with_bug.broken:
            problems.append(f"{mutant.drill} did not finish with {case}: {with_bug.broken}")
        elif with_bug.holds:
            problems.append(f"{mutant.drill} holds although {case} is planted: {mutant.bug}")
        elif not named:
            said = short("; ".join(with_bug.problems[:3]))
            problems.append(f"{mutant.drill} fails with {case}, but not for what it does: {said}")
        if without.broken or not without.holds:
            said = without.broken or short("; ".join(without.problems[:3]))
            problems.append(f"{mutant.drill} {mutant.case} fails without any mutant: {said}")
        return Verdict(case, tuple(problems), {"planted": 1, "caught": int(not problems)}, frozenset({case}))

    def _run(self, mutant: Mutant, planted: str) -> _Run:
        return _run(mutant.drill, mutant.case, self.setting.seed, planted)

    def must_reach(self) -> Collection[str]:
        """Every mutant of this tier."""
        return self.cases()


@cache
def _run(drill: str, case: str, seed: int, planted: str) -> _Run:
    command = [
        sys.executable, "-m", _COMMAND, drill, "--seed", str(seed), "--json",
        *(["--case", case] if case else ["--fast"]), *(["--mutant", planted] if planted else []),
    ]  # fmt: skip
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return _Run(False, (), f"it ran for more than {_PATIENCE} s")
    try:
        [report] = json.loads(ended.stdout)
    except ValueError:
        return _Run(False, (), short(ended.stderr[-300:]) or f"exit code {ended.returncode}")
    problems = [problem for verdict in report["verdicts"] for problem in verdict["problems"]]
    problems += [f"never reached {point}" for point in report["never_reached"]]
    return _Run(bool(report["holds"]), tuple(problems), str(report["broken"]))
