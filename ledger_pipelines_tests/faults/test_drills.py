"""The short form of every drill, as a person would run it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ledger_pipelines_tests.faults.drills import NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_short_form_of_the_drill_holds(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ledger_pipelines_tests.faults", name, "--fast", "--json", "--jobs", "1"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.stdout, done.stderr
    (report,) = json.loads(done.stdout)
    failing = {verdict["again"]: verdict["problems"] for verdict in report["verdicts"] if verdict["problems"]}
    assert (failing, report["never_reached"], report["broken"]) == ({}, [], ""), done.stderr
    assert report["cases"] > 0
    assert done.returncode == 0
