"""Marks of days: lost or torn they make a run look at more days, never at fewer."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from ledger_pipelines.integrations.by_day.days import DaysDone, Mark

DAY = date(2026, 9, 1)
FLOW = "invoices"


def test_a_mark_is_there_for_another_process_at_once_and_the_last_one_counts(tmp_path: Path) -> None:
    mine, other = DaysDone(tmp_path), DaysDone(tmp_path)
    mine.planned(FLOW, DAY, waits=True)
    other.carried_out(FLOW, DAY, "token")
    mine.planned(FLOW, DAY, waits=False)
    assert other.of(FLOW) == mine.of(FLOW) == {DAY: Mark("token")}
    assert other.waiting(FLOW) == []


def test_a_torn_line_is_a_day_that_was_never_noted(tmp_path: Path) -> None:
    mine = DaysDone(tmp_path)
    mine.carried_out(FLOW, DAY, "one")
    mine.carried_out(FLOW, DAY + timedelta(days=1), "two")
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-10])
    assert DaysDone(tmp_path).of(FLOW) == {DAY: Mark("one")}


def test_lost_marks_are_none(tmp_path: Path) -> None:
    mine = DaysDone(tmp_path)
    mine.carried_out(FLOW, DAY, "one")
    (path,) = tmp_path.iterdir()
    path.unlink()
    assert mine.of(FLOW) == {}


def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    mine = DaysDone(tmp_path)
    for _ in range(5):
        mine.planned(FLOW, DAY, waits=False)
        mine.carried_out(FLOW, DAY, "one")
    (path,) = tmp_path.iterdir()
    assert len(path.read_bytes().splitlines()) == 2


def test_a_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    mine = DaysDone(tmp_path)
    for number in range(1500):
        mine.carried_out(FLOW, DAY, str(number))
    (path,) = tmp_path.iterdir()
    assert DaysDone(tmp_path).of(FLOW) == {DAY: Mark("1499")}
    assert len(path.read_bytes().splitlines()) == 1
