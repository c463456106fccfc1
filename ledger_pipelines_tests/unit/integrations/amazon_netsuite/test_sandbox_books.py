"""Seeding a sandbox: only a declared sandbox, and every real file finds books in which all of it is matched."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.documents.dates import Month
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.integrations.amazon_netsuite.books import BookPeriod, BookRecord
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.sandbox_books import make_books
from ledger_pipelines.integrations.amazon_netsuite.sandbox_documents import needed_documents
from ledger_pipelines.integrations.amazon_netsuite.sandbox_seeding import ReadFile, read_file, seed_files
from ledger_pipelines.integrations.amazon_netsuite.settlement_journal import expected_clearing
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
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
    assert expected_clearing(decisions, journal=True) == 0


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


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="empty", vendors=("netsuite",)) as running:
        yield running


def loaded(sandbox: RunningSandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedConfig:
    """The shipped configuration on this sandbox."""
    given = sandbox.credentials["netsuite"]["auth"]["m2m"]
    monkeypatch.setenv("LEDGER_NETSUITE_CLIENT_ID", given["client_id"])
    monkeypatch.setenv("LEDGER_NETSUITE_CERTIFICATE_ID", given["certificate_id"])
    monkeypatch.setenv("LEDGER_NETSUITE_PRIVATE_KEY", given["private_key_pem"])
    text = (ROOT / "ledger.yaml").read_text()
    text = text.replace("http://127.0.0.1:8706", sandbox.base_urls["netsuite"])
    text = re.sub(r"algorithm: \w+", f"algorithm: {given['algorithm']}", text)
    path = folder / "ledger.yaml"
    path.write_text(text)
    return load_config(path, KINDS)


HEADER = (
    "settlement-id\tsettlement-start-date\tsettlement-end-date\tdeposit-date\ttotal-amount\tcurrency\t"
    "transaction-type\torder-id\tmerchant-order-id\tadjustment-id\tshipment-id\tmarketplace-name\tamount-type\t"
    "amount-description\tamount\tfulfillment-id\tposted-date\tposted-date-time\torder-item-code\t"
    "merchant-order-item-id\tmerchant-adjustment-item-id\tsku\tquantity-purchased\tpromotion-id"
)


def write_file(path: Path, settlement_id: str, rows: list[tuple[str, str, str, str, str]]) -> Path:
    """A V2 file; rows are (type, order, shipment or adjustment, amount, channel), one principal each."""
    total = sum(Decimal(amount) for *_, amount, _ in rows)
    head = f"{settlement_id}\t2026-05-01 00:00:00 UTC\t2026-05-15 00:00:00 UTC\t2026-05-17 00:00:00 UTC\t{total}\tUSD"
    lines = [HEADER, head + "\t" * 18]
    for kind, order, event, amount, channel in rows:
        adjustment, shipment = (event, "") if kind == "Refund" else ("", event)
        quantity = "" if kind == "Refund" else "1"
        lines.append(
            f"{settlement_id}\t\t\t\t\t\t{kind}\t{order}\t{order}\t{adjustment}\t{shipment}\tAmazon.com\tItemPrice\t"
            f"Principal\t{amount}\t{channel}\t2026-05-10\t2026-05-10 12:00:00 UTC\t04{event:0>12}\t\t\tSKU {event}\t"
            f"{quantity}\t"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_is_seeded_once_and_the_rest_of_an_order_later_comes_beside_it(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = loaded(sandbox, tmp_path, monkeypatch)
    first = write_file(
        tmp_path / "one.txt",
        "27000000001",
        [
            ("Order", "111-0000000-0000001", "1", "10.00", "AFN"),
            ("Order", "111-0000000-0000002", "2", "20.00", "MFN"),
            ("Refund", "111-0000000-0000003", "3", "-7.50", "AFN"),
            ("Order", "111-0000000-0000004", "4", "40.00", "AFN"),
        ],
    )
    told: list[tuple[str, int, int]] = []
    (made,) = seed_files(config, "amazon_netsuite", [first], 1, lambda *step: told.append(step))
    (again,) = seed_files(config, "amazon_netsuite", [first], 1)
    (whole,) = seed_files(config, "amazon_netsuite", [first])
    assert len(made.left_out_order_ids) == 1
    assert made.left_out_order_ids == again.left_out_order_ids
    documents = ("invoice", "salesOrder")
    assert sum(made.counts.get(kind, 0) for kind in documents) == 3
    assert (dict(again.counts), again.existing > 0) == ({}, True)
    assert sum(whole.counts.get(kind, 0) for kind in documents) == 1
    assert made.counts.get("customerPayment", 0) + whole.counts.get("customerPayment", 0) == 1
    assert told
    assert all(done <= total for _, done, total in told)

    second = write_file(
        tmp_path / "two.txt",
        "27000000002",
        [
            ("Order", "111-0000000-0000002", "5", "5.00", "MFN"),
            ("Refund", "111-0000000-0000001", "1", "-10.00", "AFN"),
        ],
    )
    (later,) = seed_files(config, "amazon_netsuite", [second])
    assert {kind: later.counts.get(kind, 0) for kind in ("invoice", "salesOrder", "customerPayment")} == {
        "invoice": 1,
        "salesOrder": 0,
        "customerPayment": 0,
    }


def test_the_seeded_books_touch_no_clearing_and_no_bank_account(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = loaded(sandbox, tmp_path, monkeypatch)
    file = write_file(
        tmp_path / "one.txt",
        "27000000009",
        [("Order", "A", "1", "10.00", "AFN"), ("Refund", "B", "2", "-3.00", "AFN")],
    )
    seed_files(config, "amazon_netsuite", [file])
    accounts = httpx.get(f"{sandbox.control_url}/trial-balance/netsuite", trust_env=False).json()["accounts"]
    numbers = {account["number"] for account in accounts if Decimal(account["balance"])}
    assert "1100" in numbers
    assert not [number for number in numbers if number.startswith(("100", "105"))]


def test_seed_files_refuses_a_target_that_is_not_a_sandbox_before_reading_anything(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = loaded(sandbox, tmp_path, monkeypatch)
    connections = dict(config.config.connections)
    target = connections["netsuite"].model_copy(update={"sandbox": False, "base_url": None})
    real = replace(
        config, config=config.config.model_copy(update={"connections": {**connections, "netsuite": target}})
    )
    with pytest.raises(RefusedError, match="sandbox"):
        seed_files(real, "amazon_netsuite", [tmp_path / "no such file"])
