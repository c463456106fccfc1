"""Tables of docs pages that are made from the code: between their marks, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from ledger_pipelines.integrations.settings_reference import (
    renew_files,
    renewed,
    settings_tables,
    words_table,
)

PAGE = "before\n<!-- settings: made from the code -->\nold\n<!-- end of settings -->\nafter\n"


class Part(BaseModel):
    size: int = 3
    """How large
    it is."""


class Whole(BaseModel):
    name: str = ""
    """Of it."""
    part: Part = Part()
    """A part."""


def test_a_table_a_tab_and_what_is_outside_first() -> None:
    text = settings_tables(Whole, [("Part: `part`", Part)])
    assert text.index("| `name` | Of it. | |") < text.index("### Part: `part`")
    assert "| `size` | How large it is. | `3` |" in text
    assert "`part` |" not in text


def test_without_settings_outside_tabs_there_is_no_empty_table() -> None:
    class Tabs(BaseModel):
        part: Part = Part()

    assert settings_tables(Tabs, [("Part", Part)]).startswith("### Part")


def test_only_what_is_between_the_marks_changes_and_twice_is_once() -> None:
    once = renewed(PAGE, {"settings": "new"})
    assert once.startswith("before\n") and once.endswith("after\n")
    assert "old" not in once and "\nnew\n" in once
    assert renewed(once, {"settings": "new"}) == once


def test_a_mark_that_is_missing_is_an_error_and_the_page_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    with pytest.raises(ValueError, match="categories"):
        renew_files([str(page)], lambda text: renewed(text, {"categories": "x"}))
    assert page.read_text(encoding="utf-8") == PAGE
    assert renew_files([str(page)], lambda text: renewed(text, {"settings": "x"})) == 0
    assert "\nx\n" in page.read_text(encoding="utf-8")


def test_a_vocabulary_is_a_table_of_two_columns() -> None:
    assert words_table(("word", "meaning"), {"a": "first"}).splitlines()[-1] == "| `a` | first |"
