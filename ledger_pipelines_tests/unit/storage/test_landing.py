"""Landing files and putting refused ones aside."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from ledger_pipelines import faultpoints
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.storage.landing import Landing, inside, put_aside, safe_name, shown_name


class Stop(BaseException):
    """Stands for the process being killed."""


def land(root: Path, source: Path) -> Path:
    with Landing(root).copy(source, "amz") as copy:
        copy.write(memoryview(source.read_bytes()))
        return copy.finish()


def everything(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


def test_a_landed_file_lies_under_its_own_hash_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(b"content")
    path = land(tmp_path / "data", source)
    digest = hashlib.sha256(b"content").hexdigest()
    assert path == tmp_path / "data" / "landing" / "amz" / digest[:2] / digest
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert source.exists()


def test_the_same_bytes_land_once(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"same")
        land(tmp_path / "data", tmp_path / name)
    assert len(everything(tmp_path / "data")) == 1


def test_a_copy_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(b"content")
    with Landing(tmp_path / "data").copy(source, "amz") as copy:
        copy.write(memoryview(b"con"))
    assert everything(tmp_path / "data") == set()


@pytest.mark.parametrize("change", ["appended", "replaced", "removed"])
def test_a_file_that_changes_while_it_is_copied_does_not_land(tmp_path: Path, change: str) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(b"content")
    with Landing(tmp_path / "data").copy(source, "amz") as copy:
        copy.write(memoryview(b"content"))
        if change == "appended":
            source.write_bytes(b"content and more")
        else:
            source.unlink()
        if change == "replaced":
            source.write_bytes(b"CONTENT")
        with pytest.raises(TransientError, match="changed while") as caught:
            copy.finish()
    assert caught.value.code == "file-changing"
    assert everything(tmp_path / "data") == set()


@pytest.mark.parametrize("point", ["landing.after_copy", "landing.after_fsync", "landing.after_rename"])
def test_landing_again_after_a_crash_gives_the_one_whole_file(tmp_path: Path, point: str) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(b"content")

    def stop(name: str) -> None:
        if name == point:
            raise Stop

    faultpoints.install(stop)
    try:
        with pytest.raises(Stop):
            land(tmp_path / "data", source)
    finally:
        faultpoints.install(None)
    path = land(tmp_path / "data", source)
    assert path.read_bytes() == b"content"
    assert everything(tmp_path / "data") == {path.name}


def test_a_refused_file_is_moved_with_its_reasons_beside_it(tmp_path: Path) -> None:
    source = tmp_path / "bad.txt"
    source.write_bytes(b"bad")
    moved = put_aside(source, tmp_path / "refused", ["It does not foot.", "Download it again."])
    assert moved == tmp_path / "refused" / "bad.txt"
    assert moved.read_bytes() == b"bad"
    reason = tmp_path / "refused" / "bad.txt.reason.txt"
    assert reason.read_text() == "It does not foot.\nDownload it again.\n"
    assert not source.exists()


def test_a_refused_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    for content in (b"one", b"two", b"three"):
        (tmp_path / "bad.txt").write_bytes(content)
        put_aside(tmp_path / "bad.txt", tmp_path / "refused", ["no"])
    kept = {path.read_bytes() for path in (tmp_path / "refused").iterdir() if "reason" not in path.name}
    assert kept == {b"one", b"two", b"three"}


@pytest.mark.parametrize("name", ["m" * 255, "m" * 251 + ".txt", "長" * 85, "m" * 240 + ".txt"])
def test_a_refused_file_with_the_longest_name_is_moved_with_its_reason(tmp_path: Path, name: str) -> None:
    for content in (b"one", b"two"):
        (tmp_path / name).write_bytes(content)
        moved = put_aside(tmp_path / name, tmp_path / "refused", ["no"])
        assert moved.read_bytes() == content
        assert moved.with_name(moved.name + ".reason.txt").read_text() == "no\n"


def test_a_name_is_shown_without_what_cannot_be_printed() -> None:
    assert shown_name(Path(os.fsdecode(b"a\xff\n b.txt"))) == "a\\xff\\n b.txt"
    assert shown_name(Path("Größe.txt")) == "Größe.txt"


def test_a_crash_before_the_move_leaves_the_file_where_it_was(tmp_path: Path) -> None:
    source = tmp_path / "bad.txt"
    source.write_bytes(b"bad")

    def stop(name: str) -> None:
        if name == "landing.after_reason":
            raise Stop

    faultpoints.install(stop)
    try:
        with pytest.raises(Stop):
            put_aside(source, tmp_path / "refused", ["no"])
    finally:
        faultpoints.install(None)
    assert source.read_bytes() == b"bad"


def test_a_path_out_of_the_folder_is_refused_also_through_a_link(tmp_path: Path) -> None:
    folder, outside = tmp_path / "drop", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "x.txt").write_bytes(b"x")
    (folder / "link").symlink_to(outside)
    for path in (folder / ".." / "outside" / "x.txt", folder / "link" / "x.txt"):
        with pytest.raises(DataError) as caught:
            inside(path, folder)
        assert caught.value.code == "outside-folder"
    assert inside(folder / "y.txt", folder) == folder.resolve() / "y.txt"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".hidden", "a b", "x" * 101, "ä"])
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    with pytest.raises(DataError):
        safe_name(name)
