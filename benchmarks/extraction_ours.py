"""Our side of the extraction: the product's sweep into its Parquet snapshots, in a process of its own.

    python -m benchmarks.extraction_ours, jobs by standard input (`peers_scripts.jobs`)

Belongs here: one run. Does not belong here: comparing (`extraction`).
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.many_orders import DAYS, STARTS
from benchmarks.peers_scripts.jobs import serve
from ledger_pipelines.documents.dates import Window
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines.systems.netsuite.settings import MachineCredentials, NetSuiteConnection
from ledger_pipelines.systems.secrets import Secret

CONNECTION = "netsuite"
ENTITY = "sales_orders"


def account(job: dict[str, object], folder: Path | None) -> NetSuiteConnection:
    """The sandbox as a connection."""
    given = json.loads(str(job["m2m"]))
    return NetSuiteConnection(
        name=CONNECTION,
        account=str(job["account"]),
        credentials=MachineCredentials(
            Secret(given["client_id"]), Secret(given["certificate_id"]), Secret(given["private_key_pem"])
        ),
        base_url=str(job["base_url"]),
        sandbox=True,
        concurrency=int(str(job["workers"])),
        state_folder=folder,
    )


def days() -> Window:
    """The days of all orders, in the account's zone."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only here

    first = date.fromordinal(STARTS.date().toordinal() - 1)
    return Window(first, first + timedelta(days=DAYS + 1), ZoneInfo("America/Los_Angeles"))


def run(job: dict[str, Any], folder: Path) -> None:
    """One run."""
    asked = Sweep(days(), date(2026, 1, 1), date(2026, 6, 1), "benchmark")
    with NetSuiteClient(account(job, folder / "state")) as client:
        known = entities(client.connection)
        reader = Reader(client, page=job["page"])
        for _ in sweep(reader, SnapshotStore(folder, CONNECTION), known[ENTITY], asked):
            pass


if __name__ == "__main__":
    serve(run)
