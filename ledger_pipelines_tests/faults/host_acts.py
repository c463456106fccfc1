"""What the host's children do: the product's commands, one snapshot, and a look at what is stored.

Belongs here: that. Does not belong here: when the machine refuses (`conditions`), verdicts (`drills.resources`).
Everything is imported at the top: a child must not have to load code when no file can be opened any more.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

import ledger_pipelines.cli.processes
import ledger_pipelines.cli.work  # noqa: F401 - what `run` loads
from ledger_pipelines.cli import app
from ledger_pipelines.cli.output import print_error
from ledger_pipelines.documents.dates import Window
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.machine import at
from ledger_pipelines.storage.journal import Journal, Search
from ledger_pipelines.storage.plans import PlanFiles
from ledger_pipelines.storage.settlements import MANIFEST, ROWS, SettlementManifest
from ledger_pipelines.storage.snapshots import SnapshotStore

DAY = date(2026, 3, 8)
ALL = 1_000_000


def _look(arguments: list[str]) -> int:
    """Print as JSON what is stored below a data folder: external ids with an intent, and what is half-written."""
    data = Path(arguments[0])
    found: dict[str, object] = {
        "intents": [],
        "open": 0,
        "broken": list(_broken(data)),
        "drafts": _drafts(data),
    }
    place = data / "journal.sqlite"
    if place.exists():
        with Journal.open(place) as journal:
            entries = journal.find(Search(limit=ALL))
            found["intents"] = [entry.effect.external_id for entry in entries]
            found["open"] = sum(entry.state is not EffectState.CONFIRMED for entry in entries)
            damage = journal.verify()
            if damage is not None:
                found["broken"] = [*list(_broken(data)), f"the journal's chain of events is broken: {damage}"]
    sys.stdout.write(json.dumps(found))
    return 0


def _broken(data: Path) -> Iterator[str]:
    """What stands under its final name and is not whole."""
    for path in data.glob("landing/*/??/*"):
        if path.suffix == ".json" or path.name.startswith("."):
            continue  # the note of where it came from; a draft, whose name never counts
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
            yield f"landed file {path.name} has other bytes than its name says"
    for path in data.glob(f"settlements/*/[0-9A-Za-z]*/{MANIFEST}"):
        manifest = SettlementManifest.model_validate_json(path.read_bytes())
        rows = pq.read_table(path.parent / ROWS)
        total = sum((Decimal(str(one)) for one in rows.column("amount").to_pylist()), Decimal(0))
        if (rows.num_rows, total) != (manifest.amounts, manifest.sum):
            yield f"settlement {manifest.settlement_id}: {rows.num_rows} rows of {total}, not as its manifest says"
    for path in data.glob("integrations/*/*/*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            yield f"{path.name} cannot be read: {error}"
    plans = PlanFiles(data / "plans")
    for path in data.glob("plans/latest/*"):
        if path.name.startswith("."):
            continue
        lines = plans.read(path.read_text().strip())
        if lines is None or not all(_is_json(line) for line in lines):
            yield f"the latest plan {path.name} is not whole"


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _drafts(data: Path) -> list[str]:
    """Files in the making that nobody took away."""
    return sorted(
        str(path.relative_to(data))
        for path in data.rglob(".*")
        if path.name.startswith((".landing.", ".staging-")) or path.name.endswith(".tmp")
    )


def _table(amounts: tuple[str, ...]) -> pa.Table:
    return pa.table(
        {
            "id": pa.array([str(number) for number in range(len(amounts))]),
            "amount": pa.array([Decimal(text) for text in amounts], pa.decimal128(18, 2)),
        }
    )


SNAPSHOTS: Mapping[str, tuple[str, ...]] = {"first": ("1.00", "2.50"), "second": ("7.25", "0.01", "9.99")}


def _snapshot(arguments: list[str]) -> int:
    """Write one day of an entity as one of two contents; exit code and sentence as on the command line."""
    data, which = arguments
    try:
        with at("a snapshot of invoices"):  # as a run in Dagster says it (`orchestration.failing.told`)
            table = _table(SNAPSHOTS[which])
        SnapshotStore(data, "netsuite").write_day(
            "invoices",
            DAY,
            table,
            window=Window(DAY, DAY, ZoneInfo("America/New_York")),
            basis="last change",
            run_id=which,
            written_at=datetime(2026, 3, 9, tzinfo=UTC),
        )
    except LedgerError as error:
        print_error(error)
        return 1
    return 0


def _snapshot_look(arguments: list[str]) -> int:
    """Print which content the day has, by its rows and by its manifest."""
    store = SnapshotStore(arguments[0], "netsuite")
    rows = pq.read_table(str(store.path("invoices", DAY)))
    held = tuple(str(one) for one in rows.column("amount").to_pylist())
    manifest = store.manifest("invoices", DAY)
    sys.stdout.write(
        json.dumps(
            {
                "rows": next((name for name, content in SNAPSHOTS.items() if content == held), "neither"),
                "manifest": manifest.run_id if manifest else "none",
                "drafts": _drafts(Path(arguments[0])),
            }
        )
    )
    return 0


ACTS: Mapping[str, Callable[[list[str]], int]] = {
    "cli": app.main,
    "look": _look,
    "snapshot": _snapshot,
    "snapshot_look": _snapshot_look,
}
