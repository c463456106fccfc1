"""Every real file of the samples folder: accepted or refused as its MANIFEST says, and the accepted ones booked whole."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival
from ledger_pipelines_tests.e2e.acceptance.checks import no_doubles, settled
from ledger_pipelines_tests.stage import CLEARING, Stage

ACCEPTED = {
    "v1_ca_cad_23874396421.txt": ("23874396421", "CAD", "-321.69"),
    "v1_ca_cad_23874397121.txt": ("23874397121", "CAD", "-62.31"),
    "v1_ca_cad_24288684721.txt": ("24288684721", "CAD", "1016.08"),
    "v1_ca_cad_24391894961.txt": ("24391894961", "CAD", "2539.66"),
    "v1_ca_cad_24702193891.txt": ("24702193891", "CAD", "10015.64"),
    "v1_uk_gbp_13690633142.txt": ("13690633142", "GBP", "-15.68"),
    "v2_de_eur_7293436482.txt": ("7293436482", "EUR", "53.44"),
}
REFUSED = "v1_us_usd_6016502941_fragment.txt"


def sample(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file():
        pytest.skip(f"no sample {name} in {folder}")
    return path.read_bytes()


def test_every_file_of_the_samples_folder_is_in_these_tests(samples_folder: Path) -> None:
    assert {path.name for path in samples_folder.glob("*.txt")} == {*ACCEPTED, REFUSED}


@pytest.mark.parametrize("name", ACCEPTED)
def test_real_file_is_booked_whole_and_a_second_run_writes_nothing(
    stage: Stage, samples_folder: Path, name: str
) -> None:
    settlement_id, currency, deposit = ACCEPTED[name]
    outcome = stage.receive(sample(samples_folder, name), name)
    assert outcome.status is Arrival.ACCEPTED
    assert outcome.settlement_id == settlement_id
    stage.seed(settlement_id)
    before = stage.books().balance(CLEARING[currency], currency)
    result = stage.run(settlement_id)
    assert result.exit_code == 0
    settled(stage, settlement_id, deposit, currency)
    books = stage.books()
    assert books.balance(CLEARING[currency], currency) - before == 0
    stage.forget_calls()
    stage.run(settlement_id)
    assert stage.writes() == 0
    assert stage.books().count() == books.count()
    no_doubles(stage)


def test_real_fragment_is_refused_because_its_rows_do_not_foot(stage: Stage, samples_folder: Path) -> None:
    outcome = stage.receive(sample(samples_folder, REFUSED), REFUSED)
    assert outcome.status is Arrival.REFUSED
    assert "16630.13" in outcome.message
    assert str(Decimal("26.99")) in outcome.message
    assert stage.service.settlements() == []
    assert (stage.drop / "refused" / REFUSED).is_file()
