"""Looking at a drop folder: whole files, files in the making, things that are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger_pipelines.orchestration.sensors.folder import Look, decode, encode, look


def _look(folder: Path, before: Look | None, now: float, most: int = 20) -> Look:
    known = decode(encode(before.waiting)) if before else {}
    return look(folder, known, now=now, stable_seconds=5, most_files=most)


def _names(found: Look) -> list[str]:
    return [path.name for path in found.ready]


def test_a_file_is_taken_at_the_second_look_when_nothing_changed_for_long_enough(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    first = _look(tmp_path, None, 100)
    assert _names(first) == []
    assert _names(_look(tmp_path, first, 103)) == []
    assert _names(_look(tmp_path, first, 106)) == ["a.txt"]


def test_a_growing_file_waits_until_it_stands_still(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    first = _look(tmp_path, None, 100)
    (tmp_path / "a.txt").write_text("one and more")
    second = _look(tmp_path, first, 110)
    assert _names(second) == []
    assert _names(_look(tmp_path, second, 116)) == ["a.txt"]


def test_the_same_size_with_another_time_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    first = _look(tmp_path, None, 100)
    os.utime(tmp_path / "a.txt", (1, 1))
    assert _names(_look(tmp_path, first, 110)) == []


def test_a_lost_cursor_only_costs_another_look(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    again = look(tmp_path, decode("no json"), now=200, stable_seconds=0, most_files=5)
    assert _names(again) == []
    assert _names(_look(tmp_path, again, 206)) == ["a.txt"]


def test_hidden_and_half_downloaded_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    for name in (".a.txt", "a.txt.part", "b.crdownload", "c.TMP"):
        (tmp_path / name).write_text("x")
    (tmp_path / "refused").mkdir()
    found = _look(tmp_path, None, 100)
    assert not found.waiting
    assert len(found.ignored) == 4


def test_a_link_is_given_at_once_so_that_it_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    assert _names(_look(tmp_path, None, 100)) == ["link.txt"]


def test_an_empty_file_gets_a_minute(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    first = _look(tmp_path, None, 100)
    assert _names(_look(tmp_path, first, 130)) == []
    assert _names(_look(tmp_path, first, 161)) == ["a.txt"]


def test_the_oldest_come_first_and_the_rest_is_left_for_the_next_look(tmp_path: Path) -> None:
    for place, name in enumerate(("c", "a", "b")):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (place, place))
    first = _look(tmp_path, None, 100)
    found = _look(tmp_path, first, 110, most=2)
    assert (_names(found), found.later) == (["c", "a"], 1)


def test_a_folder_that_cannot_be_read_is_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        _look(tmp_path / "gone", None, 100)
