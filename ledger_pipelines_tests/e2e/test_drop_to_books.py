"""A person drops a file; minutes later the books are right: with the real webserver, daemon, sensor and GraphQL."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines_tests.e2e.stack import Stack, running, wait

SID = "26000000001"
_OVER = {"SUCCESS", "FAILURE", "CANCELED"}

_ASSET = """
query Asset($key: AssetKeyInput!) {
  assetOrError(assetKey: $key) {
    ... on Asset {
      assetObservations(limit: 10) { description metadataEntries { label ... on TextMetadataEntry { text } } }
      assetMaterializations(limit: 1) { partition metadataEntries { label ... on TextMetadataEntry { text } } }
    }
  }
}
"""


def _over(stack: Stack) -> list[dict[str, Any]] | None:
    runs = stack.runs(ledger__settlement=SID)
    return runs if runs and all(run["status"] in _OVER for run in runs) else None


def _texts(event: dict[str, Any]) -> dict[str, str]:
    return {entry["label"]: entry.get("text") or "" for entry in event["metadataEntries"]}


def _asset(stack: Stack, *path: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.ask(_ASSET, key={"path": list(path)})["assetOrError"]
    return found


@pytest.mark.e2e
@pytest.mark.timeout(200)
def test_a_dropped_file_is_booked_seen_again_and_a_bad_one_refused(tmp_path: Path) -> None:
    demo = demo_settlement_files()[0]
    with running(tmp_path) as stack:
        stack.drop(demo.name, demo.content)
        (run,) = wait("the run", 90, lambda: _over(stack))
        assert run["status"] == "SUCCESS", (tmp_path / "daemon.log").read_text()[-3000:]
        assert run["jobName"] == "amazon_netsuite_settlement"
        books = stack.book()
        assert Decimal(books["1051"]["debit"]) > 0
        assert Decimal(books["1051"]["balance"]) == 0
        assert Decimal(books["1001"]["balance"]) == Decimal("64.50")
        (figures,) = _asset(stack, "amazon_netsuite", "reconciliation")["assetMaterializations"]
        assert figures["partition"] == SID
        assert _texts(figures)["clearing"] == "0.00 USD"

        stack.drop("the-same-again.txt", demo.content)
        stack.drop("cut.txt", demo.content[:-40])
        seen = wait("both files", 40, lambda: _observed(stack, {"same-content", "refused", "accepted"}))
        assert "nothing happens" in seen["same-content"]
        assert "cut.txt was refused" in seen["refused"]
        assert (stack.drop_folder / "refused" / "cut.txt.reason.txt").read_text().strip()
        assert len(stack.runs(ledger__settlement=SID)) == 1
        assert stack.book() == books


def _observed(stack: Stack, wanted: set[str]) -> dict[str, str] | None:
    found = {}
    for event in _asset(stack, "amazon_us", "settlements")["assetObservations"]:
        texts = _texts(event)
        found[texts["arrival"]] = texts["reason"]
    return found if wanted <= found.keys() else None
