"""`make drill`: the whole chain is killed at each fault point, started again, and the books compared to the cent.

Belongs here: the command, one drill from start to verdict, the table. Does not belong here: the list of drills
(`drill_cases`), the killed process (`drill_child`), what counts as the same (`drill_books`).

    python -m ledger_pipelines_tests.faults.drill [--point NAME] [--case NAME] [--seed N] [--fast] [--json]

Exit code 0 only when every point was reached, and after every drill the sandbox's books equal those of a run that was
never disturbed: nothing lost, nothing doubled. The reason of a failure is followed by the command that repeats it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines_tests.faults import drill_child
from ledger_pipelines_tests.faults.drill_books import Picture, doubles, picture
from ledger_pipelines_tests.faults.drill_cases import (
    FILES,
    SMALL,
    TROUBLES,
    WRITES,
    Case,
    all_cases,
    fast_cases,
    parse,
    points,
)
from ledger_pipelines_tests.stage import WINDOW, Stage, stage_on

SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(["ledger_pipelines_tests.faults.drill_child"])
KILLED = -9
STARTS = 10
SHOWN = 8
_PATIENCE = 120


@dataclass(frozen=True)
class Verdict:
    """What came of one drill. killed: stops that really happened. problems: empty when all holds."""

    case: str
    point: str
    killed: tuple[str, ...]
    starts: int
    troubled: int
    lost: int
    doubled: int
    seconds: float
    problems: tuple[str, ...]
    repeat: str

    @property
    def holds(self) -> bool:
        """Whether the books are as they must be."""
        return not self.problems


class Drills:
    """Drills on one sandbox."""

    def __init__(self, sandbox: RunningSandbox, work: Path, seed: int) -> None:
        self._sandbox, self._work, self._seed = sandbox, work, seed
        self._undisturbed: dict[str, Picture] = {}
        self.reached: dict[str, Mapping[str, int]] = {}
        self._number = 0

    def prepare(self, settlement: str) -> None:
        """Seed the books, keep them aside, and run once without any disturbance."""
        settlement_id, content = FILES[settlement]
        with self._stage("prepare") as stage:
            stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
            if settlement != "demo":
                stage.arrive(content, name="prepare.txt")
            stage.control.post("/snapshot", json={"name": settlement}).raise_for_status()
        with self._stage(settlement) as stage:
            self._fill(stage, Case(settlement, ()))
            count_file = stage.folder / "counts.json"
            code = self._start(stage, settlement_id, count_file=count_file)
            if code != 0:
                raise SystemExit(f"The undisturbed run of settlement {settlement_id} ends with {code}.")
            self.reached[settlement] = json.loads(count_file.read_text())
            self._undisturbed[settlement] = self._picture(stage)

    def run(self, case: Case) -> Verdict:
        """Carry out one drill."""
        started = time.monotonic()
        problems: list[str] = []
        killed: list[str] = []
        settlement_id = FILES[case.settlement][0]
        with self._stage("case") as stage:
            stage.control.post("/restore", json={"name": case.settlement}).raise_for_status()
            stage.control.delete("/faults").raise_for_status()
            self._fill(stage, case)
            if case.trouble:
                chance = (
                    {}
                    if case.trouble == "search_lag"
                    else {"rate": 0.35, "seed": self._seed, "times": 4} | WRITES
                )
                stage.fault(**{**TROUBLES[case.trouble], **chance})  # type: ignore[arg-type]  # kind is among them
            code = 1
            starts = 0
            for starts in range(1, STARTS + 1):
                stop = case.stops[starts - 1] if starts <= len(case.stops) else ("", 1)
                code = self._start(stage, settlement_id, *stop)
                if stop[0] and code == KILLED:
                    killed.append(f"{stop[0]}#{stop[1]}")
                elif stop[0] and not case.trouble:  # lost answers may leave a point fewer reaches
                    problems.append(f"the point {stop[0]} was not reached {stop[1]} times (exit code {code})")
                elif code == KILLED:
                    problems.append("a start that nobody stops was killed")
                if code == 0 and starts >= len(case.stops):
                    break
                if starts > len(case.stops):
                    stage.clock.jump(WINDOW + 1)
            if code != 0:
                problems.append(f"still open after {starts} starts (exit code {code})")
            stage.clock.jump(WINDOW + 1)
            troubled = stage.fired()
            now = self._picture(stage)
            problems += now.differences(self._undisturbed[case.settlement])
            problems += [f"external id twice: {name}" for name in doubles(stage.books().external_ids())]
            problems += self._around(stage, case)
        undisturbed = self._undisturbed[case.settlement]
        return Verdict(
            case.name, case.point, tuple(killed), starts, troubled, now.lost(undisturbed), now.doubled(undisturbed),
            round(time.monotonic() - started, 2), tuple(problems),
            f"python -m ledger_pipelines_tests.faults.drill --seed {self._seed} --case '{case.name}'",
        )  # fmt: skip

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[Stage]:
        self._number += 1
        folder = self._work / f"{self._number:04d}-{name}"
        folder.mkdir()
        stage = stage_on(self._sandbox, folder)
        try:
            yield stage
        finally:
            stage.close()

    @staticmethod
    def _fill(stage: Stage, case: Case) -> None:
        """The file, under two names: the second coming is recognised."""
        content = FILES[case.settlement][1]
        for name in ("a.txt", "b.txt"):
            (stage.drop / name).write_bytes(content)
        if case.with_refused_file:
            (stage.drop / "bad.txt").write_bytes(
                replace(SMALL, settlement_id="26700000009").v2(total=Decimal("0.01"))
            )

    def _start(
        self,
        stage: Stage,
        settlement_id: str,
        point: str = "",
        nth: int = 1,
        *,
        count_file: Path | None = None,
    ) -> int:
        sandbox = self._sandbox
        order = drill_child.Order(
            sandbox.control_url, dict(sandbox.base_urls), dict(sandbox.credentials), stage.folder, settlement_id,
            point, nth, count_file,
        )  # fmt: skip
        process = SPAWN.Process(target=drill_child.run, args=(order,))
        process.start()
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            return 124
        return process.exitcode

    @staticmethod
    def _picture(stage: Stage) -> Picture:
        books = stage.books()
        return picture(books.dump, books.trial)

    @staticmethod
    def _around(stage: Stage, case: Case) -> list[str]:
        """The journal's own check, and where the files are."""
        problems = []
        with Journal.open(stage.service.setup.journal_address) as journal:
            broken = journal.verify()
        if broken is not None:
            problems.append(f"the journal's chain of events is broken: {broken}")
        kept = {path.name for path in stage.drop.iterdir() if path.is_file()}
        if not {"a.txt", "b.txt"} <= kept:
            problems.append(f"a file left the drop folder: {sorted(kept)}")
        if case.with_refused_file:
            aside = sorted(path.name for path in (stage.drop / "refused").iterdir())
            if "bad.txt" in kept or "bad.txt" not in aside or "bad.txt.reason.txt" not in aside:
                problems.append(
                    f"the refused file is not where it belongs: drop {sorted(kept)}, refused {aside}"
                )
        return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description="kill -9 at each fault point, start again, compare the books"
    )
    parser.add_argument("--point", help="only drills of this fault point")
    parser.add_argument("--case", help="one drill by its name, as a failure prints it")
    parser.add_argument("--seed", type=int, default=1, help="chooses which reaches are stopped (default 1)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--fast", action="store_true", help="eight drills, under a minute")
    asked = parser.parse_args(arguments)
    told = Console(stderr=asked.json, highlight=False)
    with tempfile.TemporaryDirectory(prefix="ledger-drill-") as work, running_sandbox(seed="demo") as sandbox:
        drills = Drills(sandbox, Path(work), asked.seed)
        cases, unreached = _chosen(asked, drills)
        verdicts = []
        for number, case in enumerate(cases, 1):
            verdict = drills.run(case)
            verdicts.append(verdict)
            holds = "holds" if verdict.holds else "FAILS"
            told.print(
                f"{number:4}/{len(cases)}  {holds}  {verdict.seconds:6.1f} s  {case.name}", soft_wrap=True
            )
            for problem in verdict.problems[:SHOWN]:
                told.print(f"            {_short(problem)}", markup=False, soft_wrap=True)
            if len(verdict.problems) > SHOWN:
                told.print(f"            and {len(verdict.problems) - SHOWN} more; --json shows all")
            if not verdict.holds:
                told.print(f"            again: {verdict.repeat}", markup=False, soft_wrap=True)
    if not (asked.fast or asked.case or asked.point):
        stopped_at = {stop.partition("#")[0] for verdict in verdicts for stop in verdict.killed}
        unreached += [point for point in points() if point not in stopped_at]
    if asked.json:
        sys.stdout.write(json.dumps(_as_json(verdicts, unreached), indent=1) + "\n")
    else:
        _print(told, verdicts, unreached)
    return 0 if verdicts and all(v.holds for v in verdicts) and not unreached else 1


def _chosen(asked: argparse.Namespace, drills: Drills) -> tuple[list[Case], list[str]]:
    if asked.case:
        cases = [parse(asked.case)]
    elif asked.fast:
        cases = fast_cases()
    else:
        cases = []
    for settlement in dict.fromkeys(case.settlement for case in cases) if cases else FILES:
        drills.prepare(settlement)
    if not cases:
        cases = all_cases(drills.reached, asked.seed)
    if asked.point:
        cases = [case for case in cases if asked.point == case.point]
        return cases, [] if cases else [asked.point]
    return cases, []


def _short(problem: str) -> str:
    return problem if len(problem) < 260 else problem[:250] + " ..."


def _as_json(verdicts: Sequence[Verdict], unreached: Sequence[str]) -> dict[str, object]:
    return {
        "drills": len(verdicts),
        "hold": sum(v.holds for v in verdicts),
        "lost": sum(v.lost for v in verdicts),
        "doubled": sum(v.doubled for v in verdicts),
        "points_never_reached": sorted(unreached),
        "verdicts": [asdict(v) for v in verdicts],
    }


def _print(told: Console, verdicts: Sequence[Verdict], unreached: Sequence[str]) -> None:
    table = Table(
        "fault point", "drills", "kills", "sandbox faults", "lost", "doubled", "hold", title="make drill"
    )
    for point in dict.fromkeys(v.point for v in verdicts):
        own = [v for v in verdicts if v.point == point]
        holding = sum(v.holds for v in own)
        table.add_row(
            point or "(not stopped)", str(len(own)), str(sum(len(v.killed) for v in own)),
            str(sum(v.troubled for v in own)), str(sum(v.lost for v in own)), str(sum(v.doubled for v in own)),
            f"{holding}" if holding == len(own) else f"[red]{holding} of {len(own)}[/red]",
        )  # fmt: skip
    told.print(table)
    if unreached:
        told.print(f"Never reached: {', '.join(sorted(unreached))}.")
    told.print(
        f"{len(verdicts)} drills, {sum(len(v.killed) for v in verdicts)} kills: "
        f"{sum(v.lost for v in verdicts)} lost, {sum(v.doubled for v in verdicts)} doubled."
    )


if __name__ == "__main__":
    sys.exit(main())
