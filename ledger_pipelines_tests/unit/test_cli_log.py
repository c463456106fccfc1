"""`log` finds every write of a document by its number, with its history; `adopt` takes a person's word."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from random import Random

import pytest

from ledger_pipelines.cli import main
from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.apply import apply
from ledger_pipelines_tests.faults.engine_target import (
    FakeClock,
    FakeLedger,
    FakeWriter,
    Fault,
    make_effect,
    make_plan,
)

YAML = "books: {time_zone: America/New_York}\ndata_dir: data\n"


@pytest.fixture
def journal_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ledger.yaml").write_text(YAML)
    monkeypatch.setenv("LEDGER_CONFIG", str(tmp_path / "ledger.yaml"))
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "journal.sqlite"
    clock = FakeClock()
    ledger = FakeLedger(clock)
    ledger.faults = [None, Fault.REFUSE]
    with Journal.open(f"sqlite:///{file}") as journal:
        plan = make_plan(make_effect("111-1"), make_effect("111-2"))
        apply(plan, journal=journal, writer=FakeWriter(ledger), mode=Mode.LIVE, clock=clock, random=Random(1))
    return file


def test_every_write_of_a_document_is_found_by_its_number(
    journal_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", "111-1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["number"], row["state"]) == ("111-1", "confirmed")
    assert [line["what"] for line in row["history"]][:2] == ["intent", "sent"]
    assert main(["log", "111-"]) == 0
    shown = capsys.readouterr().out
    assert "confirmed" in shown
    assert "refused" in shown


def test_a_document_nobody_wrote_is_said_not_to_be_there(
    journal_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", "999"]) == 0
    assert "nothing under 999" in capsys.readouterr().out


def test_a_line_of_the_log_changed_by_hand_is_found(
    journal_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", "--verify"]) == 0
    with sqlite3.connect(journal_file) as connection:
        connection.execute("UPDATE events SET why = 'nothing happened' WHERE what = 'sent'")
    assert main(["log", "--verify"]) == 1
    assert "broken at line" in capsys.readouterr().out


def test_a_person_may_say_which_record_a_write_became(journal_file: Path) -> None:
    assert main(["adopt", "KEY111-2", "--remote-id", "77", "--why", "compared by hand", "--who", "Ann"]) == 0
    with Journal.open(f"sqlite:///{journal_file}") as journal:
        entry = journal.entry("KEY111-2")
    assert entry is not None
    assert (entry.state, entry.remote_id, entry.acted_by) == (EffectState.CONFIRMED, "77", "Ann")


def test_log_without_a_number_is_wrong_use(journal_file: Path) -> None:
    assert main(["log"]) == 2
