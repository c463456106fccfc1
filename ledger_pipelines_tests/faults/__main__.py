"""`make drill`: every drill, or one; exit code 0 only when all hold.

    python -m ledger_pipelines_tests.faults [NAME ...] [--seed N] [--case CASE] [--fast] [--json] [--mutant BUG]

Belongs here: the command, running drills side by side, what a person reads. Does not belong here: any drill.

Each case of a drill has a name; a failure prints the command that carries out just that case again. Without a name
all drills run, one process more side by side than the machine has cores. A named point that should have been reached
and was not fails the run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table

from ledger_pipelines_tests.faults import mutants
from ledger_pipelines_tests.faults.drills import NAMES, find
from ledger_pipelines_tests.faults.kit import Setting, Tier, Verdict, carried_out, short
from ledger_pipelines_tests.memory import in_memory

MODULE = "ledger_pipelines_tests.faults"
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Report:
    """One drill, or one share of its cases. cpu: seconds of processors that it and its children took."""

    drill: str
    seed: int
    tier: str
    verdicts: tuple[Verdict, ...]
    must_reach: tuple[str, ...]
    seconds: float
    broken: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)
    cpu: float = 0.0
    mutant: str = ""

    @property
    def never_reached(self) -> list[str]:
        """Points that no case reached."""
        return sorted(set(self.must_reach) - {point for v in self.verdicts for point in v.reached})

    @property
    def holds(self) -> bool:
        """Whether every case holds, there were cases, and every point was reached."""
        return (
            bool(self.verdicts)
            and all(v.holds for v in self.verdicts)
            and not self.never_reached
            and not self.broken
        )

    def repeat(self, verdict: Verdict) -> str:
        """The command that shows a failure again, from the folder of the checkout."""
        asked = ["--seed", str(self.seed), "--case", verdict.repeat or verdict.case]
        asked += ["--fast"] if self.tier == Tier.FAST else []
        asked += ["--mutant", self.mutant] if self.mutant else []
        return shlex.join([_python(), "-m", MODULE, self.drill, *asked])

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "drill": self.drill,
            "holds": self.holds,
            "seed": self.seed,
            "tier": self.tier,
            "cases": len(self.verdicts),
            "failing": sum(not v.holds for v in self.verdicts),
            "figures": dict(self.figures),
            "must_reach": sorted(self.must_reach),
            "never_reached": self.never_reached,
            "seconds": self.seconds,
            "cpu": self.cpu,
            "broken": self.broken,
            "mutant": self.mutant,
            "verdicts": [
                asdict(v) | {"reached": sorted(v.reached), "again": "" if v.holds else self.repeat(v)}
                for v in self.verdicts
            ],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, object]) -> Report:
        """What `as_json` said, in another process."""
        verdicts = tuple(
            Verdict(
                v["case"], tuple(v["problems"]), v["figures"], frozenset(v["reached"]), v["repeat"], v["seconds"]
            )
            for v in told["verdicts"]  # type: ignore[attr-defined]  # written by as_json
        )  # fmt: skip
        return _summed(
            str(told["drill"]), int(str(told["seed"])), str(told["tier"]), verdicts,
            tuple(told["must_reach"]), float(str(told["seconds"])), str(told["broken"]), float(str(told["cpu"])), str(told["mutant"]),  # type: ignore[arg-type]  # a list of texts
        )  # fmt: skip


def _summed(
    drill: str,
    seed: int,
    tier: str,
    verdicts: Sequence[Verdict],
    must: Sequence[str],
    seconds: float,
    broken: str = "",
    cpu: float = 0.0,
    mutant: str = "",
) -> Report:
    figures: Counter[str] = Counter()
    for verdict in verdicts:
        figures.update(verdict.figures)
    return Report(
        drill,
        seed,
        tier,
        tuple(verdicts),
        tuple(must),
        round(seconds, 1),
        broken,
        dict(figures),
        round(cpu, 1),
        mutant,
    )


def run_drill(
    name: str,
    *,
    seed: int = 1,
    tier: Tier = Tier.FULL,
    case: str = "",
    share: tuple[int, int] = (1, 1),
    mutant: str = "",
    told: Console | None = None,
) -> Report:
    """Carry out one drill in this process.

    Args:
        name: Which.
        seed: Chooses its cases.
        tier: How many of them.
        case: Only this one.
        share: (k, n): only the k-th of n shares of the cases; of a drill in parts, the k-th part.
        mutant: A planted bug to be in force.
        told: Where progress is printed.
    """
    started, before = monotonic(), _cpu()
    mutants.install(mutant)
    verdicts: list[Verdict] = []
    part = find(name).shares()[share[0] - 1][1] if share != (1, 1) else ""
    share = (1, 1) if part else share
    with (
        tempfile.TemporaryDirectory(prefix=f"ledger-drill-{name}-", dir=in_memory()) as folder,
        find(name)(Setting(seed, tier, Path(folder), mutant, part)) as drill,
    ):
        cases = [case] if case else list(drill.cases())[share[0] - 1 :: share[1]]
        for number, one in enumerate(cases, 1):
            verdict = carried_out(drill, one)
            verdicts.append(verdict)
            if told is not None:
                _tell(told, name, number, len(cases), verdict)
        must = () if case else tuple(drill.must_reach())
    return _summed(name, seed, tier.value, verdicts, must, monotonic() - started, "", _cpu() - before, mutant)


def _python() -> str:
    """This program's interpreter as a person types it in the folder of the checkout."""
    return (
        os.path.relpath(sys.executable) if Path(sys.executable).is_relative_to(Path.cwd()) else sys.executable
    )


def _cpu() -> float:
    """Seconds of processors so far: this process, and those of its children that have ended."""
    return sum(os.times()[:4])


def _tell(told: Console, name: str, number: int, count: int, verdict: Verdict) -> None:
    holds = "holds" if verdict.holds else "FAILS"
    told.print(
        f"{name:<10} {number:4}/{count}  {holds} {verdict.seconds:7.1f} s  {verdict.case}",
        soft_wrap=True,
        markup=False,
    )
    for problem in verdict.problems[:SHOWN]:
        told.print(f"{'':27}{short(problem)}", soft_wrap=True, markup=False)
    if len(verdict.problems) > SHOWN:
        told.print(f"{'':27}and {len(verdict.problems) - SHOWN} more; --json shows all")


def _in_a_process(name: str, share: tuple[int, int], asked: argparse.Namespace, told: Console) -> Report:
    """One share of a drill in a process of its own; what it says about its cases is passed on line by line."""
    command = [
        sys.executable, "-m", MODULE, name, "--seed", str(asked.seed), "--share", f"{share[0]}/{share[1]}", "--json",
        *(["--fast"] if asked.fast else []), *(["--mutant", asked.mutant] if asked.mutant else []),
    ]  # fmt: skip
    started = monotonic()
    with tempfile.TemporaryFile("w+") as answer:
        process = subprocess.Popen(command, stdout=answer, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        last: list[str] = []
        for line in process.stderr:
            told.print(line.rstrip("\n"), markup=False, highlight=False, soft_wrap=True)
            last = [*last[-20:], line]
        process.wait()
        answer.seek(0)
        text = answer.read()
    try:
        return Report.from_json(json.loads(text)[0])
    except (ValueError, IndexError, KeyError):
        broken = f"exit code {process.returncode}: {''.join(last).strip() or 'no word'}"
        return _summed(name, asked.seed, "", (), (), monotonic() - started, broken, mutant=asked.mutant)


def _taken(queue: deque[tuple[str, tuple[int, int]]]) -> tuple[str, tuple[int, int]] | None:
    """The next one; None when there is none left."""
    with contextlib.suppress(IndexError):
        return queue.popleft()
    return None


def run_several(names: Sequence[str], asked: argparse.Namespace, told: Console) -> list[Report]:
    """Several drills side by side; the report of each once all its shares are done.

    The long ones start first. One of the processes side by side takes those that mostly wait, as long as there are any:
    so the cores are busy, and two that calculate do not take turns on one.
    """
    shares = [
        (weight, name, (k, len(find(name).shares())))
        for name in names
        for k, (weight, _) in enumerate(find(name).shares(), 1)
    ]
    shares.sort(key=lambda one: -one[0])
    busy = deque((name, share) for _, name, share in shares if not find(name).waits)
    waiting = deque((name, share) for _, name, share in shares if find(name).waits)
    done: dict[tuple[str, tuple[int, int]], Report] = {}

    def work(*queues: deque[tuple[str, tuple[int, int]]]) -> None:
        for queue in queues:
            while (one := _taken(queue)) is not None:
                done[one] = _in_a_process(*one, asked, told)

    with ThreadPoolExecutor(asked.jobs) as pool:
        lanes = [pool.submit(work, waiting, busy)]
        lanes += [pool.submit(work, busy, waiting) for _ in range(asked.jobs - 1)]
        for lane in lanes:
            lane.result()
    reports = []
    for name in names:
        own = [done[drill, share] for _, drill, share in shares if drill == name]
        must = {point for part in own for point in part.must_reach}
        broken = "; ".join(part.broken for part in own if part.broken)
        verdicts = [v for part in own for v in part.verdicts]
        reports.append(
            _summed(
                name,
                asked.seed,
                own[0].tier,
                verdicts,
                sorted(must),
                max(p.seconds for p in own),
                broken,
                sum(part.cpu for part in own),
                asked.mutant,
            )
        )
    return reports


def _print(told: Console, reports: Sequence[Report], seconds: float) -> None:
    table = Table("drill", "shows", "cases", "hold", "counted", "seconds", "CPU", title="make drill")
    for report in reports:
        holding = sum(v.holds for v in report.verdicts)
        counted = ", ".join(f"{name} {number:,}" for name, number in report.figures.items())
        hold = str(holding) if report.holds else f"[red]{holding} of {len(report.verdicts)}[/red]"
        table.add_row(
            report.drill,
            find(report.drill).shows,
            f"{len(report.verdicts):,}",
            hold,
            counted,
            f"{report.seconds:.0f}",
            f"{report.cpu:.0f}",
        )
    told.print(table)
    for report in reports:
        if report.broken:
            told.print(f"{report.drill}: broke down, {short(report.broken)}", markup=False, soft_wrap=True)
        if report.never_reached:
            told.print(f"{report.drill}: never reached {', '.join(report.never_reached)}.", soft_wrap=True)
        for verdict in report.verdicts:
            if not verdict.holds:
                told.print(f"again: {report.repeat(verdict)}", markup=False, soft_wrap=True)
    failing = [report.drill for report in reports if not report.holds]
    cases = sum(len(report.verdicts) for report in reports)
    cpu = sum(report.cpu for report in reports)
    told.print(
        f"{cases:,} cases of {len(reports)} drills in {seconds:.0f} s ({cpu:.0f} s of CPU): "
        + (f"FAILING: {', '.join(failing)}." if failing else "all hold.")
    )


def _share(text: str) -> tuple[int, int]:
    k, _, n = text.partition("/")
    return int(k), int(n)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}", description="Break it on purpose, and look at the sandbox's books.",
        epilog="Drills: " + ", ".join(NAMES),
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="which drills (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the cases (default 1)")
    parser.add_argument("--case", default="", help="one case by its name, as a failure prints it")
    parser.add_argument("--fast", action="store_true", help="the short form that is part of make test")
    parser.add_argument("--json", action="store_true", help="JSON on standard output instead of a table")
    # one more than cores: for those that mostly wait, see run_several
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1, help="processes side by side")
    parser.add_argument("--mutant", default="", help="plant this bug first: the drill has to fail")
    parser.add_argument("--share", type=_share, default=(1, 1), help=argparse.SUPPRESS)
    parser.add_argument(
        "--list", action="store_true", help="the drills, or with one name the cases of that drill"
    )
    asked = parser.parse_args(arguments)
    names = asked.names or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown or (asked.case and len(names) != 1):
        parser.error(f"no drill {', '.join(unknown)}" if unknown else "--case goes with one drill")
    if asked.mutant and asked.mutant not in mutants.MUTANTS:
        parser.error(f"no mutant {asked.mutant}; there are {', '.join(mutants.MUTANTS)}")
    told = Console(stderr=asked.json, highlight=False, emoji=False)
    if asked.list:
        return _list(asked, told)
    started = monotonic()
    alone = len(names) == 1 and (asked.case or asked.share != (1, 1) or len(find(names[0]).shares()) == 1)
    if alone:
        tier = Tier.FAST if asked.fast else Tier.FULL
        reports = [
            run_drill(
                names[0],
                seed=asked.seed,
                tier=tier,
                case=asked.case,
                share=asked.share,
                mutant=asked.mutant,
                told=told,
            )
        ]
    else:
        reports = run_several(names, asked, told)
    if asked.json:
        sys.stdout.write(json.dumps([report.as_json() for report in reports], indent=1) + "\n")
    else:
        _print(told, reports, monotonic() - started)
    return 0 if all(report.holds for report in reports) else 1


def _list(asked: argparse.Namespace, told: Console) -> int:
    if not asked.names:
        for name in NAMES:
            told.print(f"{name:<10} {find(name).shows}")
        return 0
    tier = Tier.FAST if asked.fast else Tier.FULL
    for name in asked.names:
        with (
            tempfile.TemporaryDirectory(prefix="ledger-drill-") as folder,
            find(name)(Setting(asked.seed, tier, Path(folder))) as drill,
        ):
            for case in drill.cases():
                told.print(case, markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
