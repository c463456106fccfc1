"""The SP-API client against the sandbox, which was written from the same reference by other hands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.errors import CredentialError, LedgerError
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.systems.amazon.lwa import AmazonConnection
from ledger_pipelines.systems.amazon.spapi import SpApi
from ledger_pipelines.systems.secrets import Secret

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="demo", vendors=("amazon",)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    control(running, "/reset", {"seed": "demo"})
    return running


def control(sandbox: RunningSandbox, path: str, body: Any) -> None:
    httpx.post(sandbox.control_url + path, json=body, trust_env=False, timeout=30).raise_for_status()


OPEN: list[SpApi] = []


@pytest.fixture(autouse=True)
def close_all() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def api(sandbox: RunningSandbox, **more: Any) -> SpApi:
    given = sandbox.credentials["amazon"]
    values: dict[str, Any] = {
        "name": "shop", "region": given["region"], "client_id": Secret(given["client_id"]),
        "client_secret": Secret(given["client_secret"]), "refresh_token": Secret(given["refresh_token"]),
        "base_url": given["base_url"], "token_url": given["token_url"], "sandbox": True,
    }  # fmt: skip
    OPEN.append(SpApi(AmazonConnection(**(values | more))))
    return OPEN[-1]


def test_settlements_are_listed_and_fetched(sandbox: RunningSandbox, tmp_path: Path) -> None:
    client = api(sandbox)
    entries = client.list_settlement_reports()
    assert entries
    assert entries == sorted(entries, key=lambda e: e.created)
    for entry in entries:
        got = client.fetch(entry, tmp_path)
        head = got.path.read_bytes().split(b"\n", 1)[0]
        assert head.startswith(b"settlement-id\tsettlement-start-date")
        assert client.get_report(entry.report_id).document_id == entry.document_id
    assert sorted(p.stem for p in tmp_path.iterdir()) == sorted(e.report_id for e in entries)


def test_wrong_credentials_are_refused(sandbox: RunningSandbox) -> None:
    with pytest.raises(CredentialError):
        api(sandbox, refresh_token=Secret("Atzr|wrong")).list_settlement_reports()
    with pytest.raises(CredentialError):
        api(sandbox, client_secret=Secret("wrong")).list_settlement_reports()


def test_an_unknown_document_is_a_refusal(sandbox: RunningSandbox) -> None:
    with pytest.raises(LedgerError, match="404"):
        api(sandbox).document_link("amzn1.spdoc.1.4.na.none")


def test_broken_answers_are_asked_for_again(sandbox: RunningSandbox, tmp_path: Path) -> None:
    client = api(sandbox)
    for kind in ("5xx_before", "cut_before", "truncated_body"):
        control(
            sandbox, "/faults", {"vendor": "amazon", "kind": kind, "nth": 1, "path": "/reports|/documents"}
        )
        assert client.list_settlement_reports()
        httpx.delete(f"{sandbox.control_url}/faults", trust_env=False)
    entry = client.list_settlement_reports()[0]
    assert client.fetch(entry, tmp_path).size > 1000


def test_a_download_cut_short_is_started_again(sandbox: RunningSandbox, tmp_path: Path) -> None:
    client = api(sandbox)
    entry = client.list_settlement_reports()[0]
    whole = client.fetch(entry, tmp_path)
    link = client.document_link(entry.document_id)
    where = httpx.URL(link.url).path.split("/")[1]
    control(
        sandbox, "/faults", {"vendor": "amazon", "kind": "truncated_body", "nth": 1, "path": f"^/{where}"}
    )
    assert client.fetch(entry, tmp_path / "again").sha256 == whole.sha256
    assert [p.name for p in (tmp_path / "again").iterdir()] == [f"{entry.report_id}.txt"]
