"""Seeding a sandbox: only a declared sandbox, and every real file finds books in which all of it is matched."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ledger_pipelines.documents.dates import Month
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.integrations.amazon_netsuite.books import BookPeriod, BookRecord
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.sandbox_books import make_books
from ledger_pipelines.integrations.amazon_netsuite.sandbox_documents import needed_documents
from ledger_pipelines.integrations.amazon_netsuite.sandbox_seeding import ReadFile, read_file
from ledger_pipelines.integrations.amazon_netsuite.settlement_journal import expected_clearing
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection, TokenCredentials
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import ZONE, books, context, settings
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.test_sandbox_documents import settlement

ROOT = Path(__file__).parents[4]
SAMPLES = Path(os.environ.get("LEDGER_SAMPLES", ROOT / "../shared/samples/settlements"))
COMPLETE = {
    "v1_ca_cad_23874396421.txt": {},
    "v1_ca_cad_23874397121.txt": {"invoice": 2},
    "v1_ca_cad_24288684721.txt": {"invoice": 34},
    "v1_ca_cad_24391894961.txt": {"invoice": 104},
    "v1_ca_cad_24702193891.txt": {"invoice": 274},
    "v1_uk_gbp_13690633142.txt": {},
    "v2_de_eur_7293436482.txt": {"invoice": 1, "salesOrder": 1},
}


def sample(name: str) -> ReadFile:
    path = SAMPLES / name
    if not path.is_file():
        pytest.skip(f"no sample {name}; set LEDGER_SAMPLES to the folder of real settlement files")
    return read_file(path, "amazon", ZONE)


@pytest.mark.parametrize(("name", "kinds"), COMPLETE.items())
def test_with_the_seeded_books_every_group_of_a_real_file_is_matched(
    name: str, kinds: dict[str, int]
) -> None:
    file = sample(name)
    needed = needed_documents(file.groups, file.settlement, ZONE)
    assert Counter(document.kind for document in needed.documents) == kinds
    assert len({document.reference for document in needed.documents}) == len(needed.documents)
    currency = file.settlement.currency
    months = [Month(year, month) for year in range(2017, 2027) for month in range(1, 13)]
    in_books = replace(
        books(*(d.as_book(str(500 + at), currency) for at, d in enumerate(needed.documents))),
        currencies={currency: "1"},
        periods=tuple(BookPeriod(month.first, month.last, False) for month in months),
        items_by_sku={
            line.sku.strip(): BookRecord("61", line.sku, line.sku, "", False)
            for group in file.groups
            for line in group.lines
        },
    )
    ctx = replace(
        context(file.groups, in_books),
        settlement=file.settlement,
        settings=settings(payment={"netsuite_payment_account": {currency: "clearing"}}),
    )
    decisions = decide(ctx, file.groups).decisions
    assert {d.state.value for d in decisions} == {"Matched"}
    assert expected_clearing(decisions) == 0


def test_a_connection_that_is_not_declared_sandbox_is_refused_before_any_call() -> None:
    secret = Secret("x")
    connection = NetSuiteConnection(
        "production", "9123456", TokenCredentials(secret, secret, secret, secret), sandbox=False
    )
    client = NetSuiteClient(connection)
    with pytest.raises(RefusedError, match="not declared a sandbox"):
        make_books([], settlement([]), client, settings(), ZONE)
    assert client.calls() == []
    client.close()
