"""What the benchmarks' command makes of its sections: the exit code, and what is stored."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from benchmarks import __main__ as command
from benchmarks.report import Goal, Section

RIGHT = Section(
    "What was measured", "python -m benchmarks journal", (), {}, [Goal("as few as can be", met=True)]
)


@pytest.mark.parametrize(
    ("section", "code"),
    [
        (RIGHT, 0),
        (replace(RIGHT, goals=[Goal("slower", met=False, why="Half of it is Dagster.")]), 0),
        (replace(RIGHT, goals=[Goal("slower", met=False)]), 1),
        (replace(RIGHT, left_out="The peers: no network."), 1),
    ],
)
def test_a_goal_missed_without_a_reason_or_something_not_measured_ends_with_1(
    section: Section, code: int
) -> None:
    assert command.failed([RIGHT, section]) == code


def test_what_could_not_be_measured_leaves_the_stored_section_as_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sections = {"extraction": replace(RIGHT, left_out="The peers: no network."), "journal": RIGHT}
    stored: list[str] = []
    with (
        patch("sys.argv", ["benchmarks", *sections]),
        patch.object(command, "find", lambda name: lambda quick: sections[name]),
        patch.object(command, "store", lambda name, *_: stored.append(name)),
    ):
        assert command.main() == 1
    assert stored == ["journal"]
    assert "NOT MEASURED: The peers: no network." in capsys.readouterr().out
