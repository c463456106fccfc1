"""The frame of the drills: what makes a run fail, and what a failure tells."""

from __future__ import annotations

import json
import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from ledger_pipelines_tests.faults import __main__ as command
from ledger_pipelines_tests.faults import mutants
from ledger_pipelines_tests.faults.kit import Drill, Verdict


class Small(Drill):
    """Cases a, b, c; what is wrong is set by the test."""

    name, shows = "small", "a drill of the tests"
    bad: Collection[str] = ()
    breaks: Collection[str] = ()
    points: Collection[str] = ("first",)

    def cases(self) -> Sequence[str]:
        return ["a", "b", "it's c"]

    def carry_out(self, case: str) -> Verdict:
        if case in self.breaks:
            raise RuntimeError("no sandbox")
        problems = ("one document twice",) if case in self.bad else ()
        return Verdict(case, problems, {"kills": 2}, frozenset({"first"}))

    def must_reach(self) -> Collection[str]:
        return self.points


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> type[Small]:
    class Fresh(Small):
        pass

    monkeypatch.setattr(command, "find", lambda _: Fresh)
    monkeypatch.setattr(command, "NAMES", ("small",))
    return Fresh


def _run(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, object]]:
    code = command.main(["small", "--json", *more])
    (report,) = json.loads(capsys.readouterr().out)
    return code, report


def test_all_cases_hold_and_figures_are_summed(
    small: type[Small], capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = _run(capsys)
    assert (code, report["cases"], report["holds"], report["figures"]) == (0, 3, True, {"kills": 6})


def test_one_failing_case_fails_the_run_and_says_how_to_see_it_again(
    small: type[Small], capsys: pytest.CaptureFixture[str]
) -> None:
    small.bad = ("it's c",)
    code, report = _run(capsys, "--seed", "7")
    assert (code, report["failing"]) == (1, 1)
    again = [verdict["again"] for verdict in report["verdicts"] if verdict["problems"]]  # type: ignore[attr-defined]  # JSON
    (command_line,) = again
    words = shlex.split(command_line)
    assert words[1:] == ["-m", "ledger_pipelines_tests.faults", "small", "--seed", "7", "--case", "it's c"]
    assert Path(words[0]).samefile(sys.executable), "after `make drill` no environment is active"


def test_what_shows_a_failure_again_has_its_tier_and_its_planted_bug(
    small: type[Small], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small.bad = ("a",)
    monkeypatch.setattr(command.mutants, "install", lambda name: None)
    bug = next(iter(command.mutants.MUTANTS))
    _, report = _run(capsys, "--fast", "--mutant", bug)
    again = [verdict["again"] for verdict in report["verdicts"] if verdict["problems"]]  # type: ignore[attr-defined]  # JSON
    assert shlex.split(again[0])[-3:] == ["--fast", "--mutant", bug]


def test_a_drill_that_breaks_down_is_a_failure_and_the_other_cases_go_on(
    small: type[Small], capsys: pytest.CaptureFixture[str]
) -> None:
    small.breaks = ("a",)
    code, report = _run(capsys)
    assert (code, report["cases"], report["failing"]) == (1, 3, 1)
    assert "RuntimeError: no sandbox" in str(report["verdicts"])


def test_a_named_point_that_was_never_reached_fails_the_run(
    small: type[Small], capsys: pytest.CaptureFixture[str]
) -> None:
    small.points = ("first", "second")
    code, report = _run(capsys)
    assert (code, report["failing"], report["never_reached"]) == (1, 0, ["second"])


def test_one_case_alone_need_not_reach_all_points(
    small: type[Small], capsys: pytest.CaptureFixture[str]
) -> None:
    small.points = ("first", "second")
    code, report = _run(capsys, "--case", "b")
    assert (code, report["cases"]) == (0, 1)


def test_a_run_without_a_case_proves_nothing_and_fails(
    small: type[Small], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "cases", lambda _: [])
    assert _run(capsys)[0] == 1


def test_a_report_survives_the_way_from_one_process_to_another(small: type[Small]) -> None:
    small.bad = ("b",)
    report = command.run_drill("small", seed=3)
    assert command.Report.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_an_unknown_name_is_wrong_use(small: type[Small]) -> None:
    for wrong in (["none"], ["small", "--mutant", "none"]):
        with pytest.raises(SystemExit) as refused:
            command.main(wrong)
        assert refused.value.code == 2


def test_no_planted_bug_is_in_force_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(mutants.VARIABLE, raising=False)
    mutants.install_from_environment()
    assert mutants.VARIABLE not in os.environ


def test_a_part_is_a_process_with_its_own_cases(small: type[Small], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "parts", {"x": 1, "y": 2})
    monkeypatch.setattr(small, "cases", lambda self: [f"{self.setting.part or 'all'}:{n}" for n in range(3)])
    second = command.run_drill("small", share=(2, 2))
    assert [verdict.case for verdict in second.verdicts] == ["y:0", "y:1", "y:2"]
    assert command.run_drill("small").verdicts[0].case == "all:0"


def test_each_share_runs_once_the_long_ones_first_beside_one_that_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Parted(Small):
        parts: ClassVar[Mapping[str, int]] = {"x": 1, "y": 3}

    class Halved(Small):
        shards, weight = 2, 2

    class Waiting(Small):
        weight, waits = 1, True

    drills = {"parted": Parted, "halved": Halved, "waiting": Waiting}
    begun: list[tuple[str, tuple[int, int]]] = []

    def report(name: str, share: tuple[int, int], *_: object) -> command.Report:
        begun.append((name, share))
        verdict = Verdict(f"{name} {share[0]}", (), {}, frozenset({f"point {share[0]}"}))
        return command.Report(name, 1, "full", (verdict,), ("point 1",), 1.0)

    monkeypatch.setattr(command, "find", drills.__getitem__)
    monkeypatch.setattr(command, "_in_a_process", report)
    reports = command.run_several(list(drills), Namespace(jobs=1, seed=1, mutant=""), Console(quiet=True))
    assert begun[:2] == [("waiting", (1, 1)), ("parted", (2, 2))]
    assert sorted(begun) == [
        ("halved", (1, 2)),
        ("halved", (2, 2)),
        ("parted", (1, 2)),
        ("parted", (2, 2)),
        ("waiting", (1, 1)),
    ]
    assert [[v.case for v in r.verdicts] for r in reports[1:]] == [["halved 1", "halved 2"], ["waiting 1"]]
    assert all(one.holds for one in reports)
    many = command.run_several(list(drills), Namespace(jobs=4, seed=1, mutant=""), Console(quiet=True))
    assert [len(one.verdicts) for one in many] == [2, 2, 1]
