"""The short form of every drill, in this process: what a drill imports is loaded once for all of them."""

from __future__ import annotations

import pytest

from ledger_pipelines_tests.faults.__main__ import run_drill
from ledger_pipelines_tests.faults.drills import NAMES
from ledger_pipelines_tests.faults.kit import Tier


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_short_form_of_the_drill_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # and what drills set of the environment is taken back
    report = run_drill(name, tier=Tier.FAST)
    failing = {report.repeat(verdict): verdict.problems for verdict in report.verdicts if verdict.problems}
    assert (failing, report.never_reached, report.broken) == ({}, [], "")
    assert report.holds
