"""The command `rebuild` for a shop whose part of the data folder is gone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger_pipelines.cli.app import main
from ledger_pipelines.integrations.by_day.initial import CLASH, WRITTEN_BEFORE
from ledger_pipelines.orchestration.assets.showing_shops import pairing_check
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import unsettled, writes
from ledger_pipelines_tests.shop_stage import ShopStage


def lose(stage: ShopStage) -> None:
    """Everything but the journal."""
    data: Path = stage.folder / "data"
    for name in ("integrations", "snapshots", "plans", "reports"):
        shutil.rmtree(data / name, ignore_errors=True)


def lose_journal(stage: ShopStage) -> None:
    """The journal, and nothing else."""
    stage.forget_journal()


def lose_all(stage: ShopStage) -> None:
    """Both."""
    lose(stage)
    lose_journal(stage)


@pytest.mark.slow
def test_a_lost_shop_is_read_again_and_nothing_is_written_a_second_time(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = opened()
    stage.order({"SKU": "TEA-EB-250", "Quantity": "3"})
    assert unsettled(stage.run()) == []
    assert writes(stage), "the order was booked"
    stage.close_service()
    stage.forget_calls()
    books = stage.file().dump["records"]
    lose(stage)
    monkeypatch.setenv("LEDGER_CONFIG", str(stage.folder / "ledger.yaml"))

    assert main(["rebuild", "--no-calls", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failures"] == []
    assert not list((stage.folder / "data").rglob("initial_sync.json"))

    assert main(["rebuild", "neto_saasu", "--json"]) == 0
    assert list((stage.folder / "data").rglob("initial_sync.json"))
    assert unsettled(stage.run()) == []
    assert writes(stage) == {}
    assert stage.file().dump["records"] == books


@pytest.mark.slow
@pytest.mark.parametrize("gone", [lose_journal, lose_all])
def test_a_shop_rebuilt_without_its_journal_adopts_its_documents(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, gone: Callable[[ShopStage], None]
) -> None:
    stage = opened()
    part = stage.order({"SKU": "TEA-EB-250", "Quantity": "3"})
    whole = stage.order({"SKU": "POT-600", "Quantity": "1"})
    assert unsettled(stage.run()) == []
    stage.pay(part, "5.00")
    stage.pay(whole, str(stage.owed(whole) + 7))
    assert unsettled(stage.run()) == []
    assert writes(stage)
    stage.close_service()
    stage.forget_calls()
    books = stage.file().dump["records"]
    gone(stage)
    monkeypatch.setenv("LEDGER_CONFIG", str(stage.folder / "ledger.yaml"))

    assert main(["rebuild", "neto_saasu", "--json"]) == 0
    done = stage.service.initial()
    assert done is not None
    assert done.done_at < stage.service.journal.birth, "what the lost journal may have sent is looked for"
    assert unsettled(stage.run()) == []
    assert writes(stage) == {}
    assert stage.file().dump["records"] == books


@pytest.mark.slow
def test_a_first_sync_of_a_file_that_an_earlier_journal_wrote_to_warns_and_looks_before_it_writes(
    opened: Opened,
) -> None:
    """Journal and data are gone, and nobody thinks of `rebuild`: a back-fill in Dagster reads both sides, then pairs them."""
    stage = opened()
    order = stage.order({"SKU": "POT-600", "Quantity": "1"})
    paid = stage.pay(order, str(stage.owed(order) + 7))
    assert unsettled(stage.run()) == []
    stage.close_service()
    stage.forget_calls()
    books = stage.file().dump["records"]
    lose_all(stage)

    found = stage.service.initial_sync()
    (clash,) = found.clashes
    assert clash.kind == WRITTEN_BEFORE
    assert f"NETO-PAY-{paid}" in clash.ids
    (row,) = (row for row in found.report_rows() if row.section == CLASH)
    assert "2 references of ours" in row.text
    assert "ledger-pipelines rebuild" in row.text
    check = pairing_check(found)
    assert (check.passed, row.text in str(check.description)) == (False, True)
    done = stage.service.initial()
    assert done is not None
    assert done.done_at < stage.service.journal.birth

    assert unsettled(stage.run()) == []
    assert writes(stage) == {}
    assert stage.file().dump["records"] == books
    # It is heeded now: pairing once more keeps the date and has nothing to warn of.
    again = stage.service.pair()
    assert again.clashes == ()
    kept = stage.service.initial()
    assert kept is not None
    assert kept.done_at == done.done_at


def test_a_first_sync_of_a_file_with_no_trace_of_ours_warns_of_nothing(opened: Opened) -> None:
    stage = opened()
    done = stage.service.initial()
    assert done is not None
    assert done.pairing.clashes == ()
    assert done.done_at >= stage.service.journal.birth
