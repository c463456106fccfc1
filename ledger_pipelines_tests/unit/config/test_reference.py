"""The page docs/configuration.md says what the models say."""

from __future__ import annotations

from pathlib import Path

from ledger_pipelines.config.connections import DropFolder
from ledger_pipelines.config.reference import reference, table

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_ends_with_the_tables_as_they_are_now() -> None:
    assert PAGE.read_text().endswith(reference()), (
        "run: ledger-pipelines config reference, and put it at the end"
    )


def test_a_table_has_a_line_a_field_with_description_and_default() -> None:
    lines = table(DropFolder).splitlines()
    assert lines[2].startswith("| `path` | The folder; relative to the configuration file.")
    assert lines[2].endswith("| required |")
    assert "| `2000000000` |" in lines[3]
    assert len(lines) == 2 + len(DropFolder.model_fields)
