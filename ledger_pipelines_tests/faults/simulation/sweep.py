"""Snapshots of NetSuite taken over a line that fails by a process that dies at any durable operation.

Belongs here: the real reader, sweep and snapshot store; what must be in the days' files. Does not belong here: writing to
NetSuite (`netsuite`), real kills (`crash`).

The verdict compares the stored Parquet with the sandbox's own dump: a record that is in the books and not in the file of
the day of its last change is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import httpx
import pyarrow.parquet as pq

from ledger_pipelines.documents.dates import Window, business_date
from ledger_pipelines.errors import TransientError
from ledger_pipelines.sandbox.netsuite.users import full_credentials
from ledger_pipelines.storage.manifests import METADATA_KEY, Manifest
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import Entity, entities
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines.systems.netsuite.records import Records
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection, TokenCredentials
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.simulation.house import START, House
from ledger_pipelines_tests.faults.simulation.schedule import MET, Crash, Desk, Schedule

SWEEP = "sweep"
ENTITY = "invoices"
ZONE = ZoneInfo("America/Los_Angeles")
DAYS = 4
MOST_LIVES = 12
DURABLE = "dies at durable operation"
LINE_FAULTS = ("cut_before", "5xx_before", "429", "truncated_body", "refuse", "html_200")


class SweepWorld:
    """One schedule."""

    def __init__(self, schedule: Schedule, desk: Desk, house: House) -> None:
        self.schedule = schedule
        self._house = house
        house.fresh()
        self._folder = desk.folder / "snapshots"
        tba = full_credentials()["tba"]
        assert isinstance(tba, dict)
        names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        self._connection = NetSuiteConnection(
            "books",
            "9123456_SB1",
            TokenCredentials(*(Secret(str(tba[name])) for name in names)),
            time_zone=ZONE,
        )
        self._entity: Entity = entities(self._connection)[ENTITY]
        self._first = business_date(START, ZONE)
        self._runs: dict[str, datetime] = {}
        """Each life of the program, and when it began."""
        self._left: int | None = None

    def close(self) -> None:
        """Remove the files."""
        for path in sorted(self._folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def run(self) -> None:
        """Business of some days, sweeps until one comes to its end, the verdict."""
        random = self.schedule.random
        for _ in range(DAYS - 1):
            self._business(random.randint(0, 3))
            self._house.sleep(86_400)
        for life in range(MOST_LIVES):
            quiet = life == MOST_LIVES - 1
            if self._live(quiet=quiet):
                break
            self._business(random.choice([0, 0, 1]))
            self._house.sleep(60)
        else:
            self.schedule.complain(f"not settled: no sweep came to its end in {MOST_LIVES} lives")
        self._judge()

    def _business(self, count: int) -> None:
        """Someone changes invoices in NetSuite."""
        if not count:
            return
        self._house.faults.clear()
        random = self.schedule.random
        ids = sorted(str(record["id"]) for record in self._house.seeded["records"]["invoice"])
        with self._client() as client:
            for record_id in random.sample(ids, count):
                self._house.sleep(random.randint(1, 5000))
                answer = Records(client).patch("invoice", record_id, {"memo": f"seen {self._house.now()}"})
                assert answer.status == 204, answer.body
                self.schedule.say(f"{self._house.now():%d %H:%M:%S} invoice {record_id} changed")

    @contextmanager
    def _client(self) -> Iterator[NetSuiteClient]:
        with NetSuiteClient(
            self._connection,
            clock=self._house,
            transport=httpx.MockTransport(self._house.handle),
            chance=self.schedule.random,
        ) as client:
            yield client

    # --- one life ------------------------------------------------------------------------------------------------

    def _live(self, *, quiet: bool) -> bool:
        """One attempt at the sweep, which may die; whether it came to its end."""
        schedule, random = self.schedule, self.schedule.random
        self._house.faults.clear()
        if not quiet and random.random() < 0.4:
            kind = random.choice(LINE_FAULTS)
            self._house.set_fault(kind=kind, path="suiteql", times=random.choice([1, 2, 20]), status=503)
        self._left = None if quiet or random.random() < 0.2 else random.randint(1, 4 * DAYS)
        run_id = f"run-{len(self._runs)}"
        last = business_date(self._house.now(), ZONE)
        asked = Sweep(Window(self._first, last, ZONE), self._first, last, run_id, (*self._runs, run_id))
        self._runs[run_id] = self._house.now()
        schedule.say(
            f"{self._house.now():%d %H:%M:%S} {run_id}, dies at durable operation {self._left or '-'}"
        )
        done: list[date] = []

        def act() -> None:
            with self._client() as client, self._dying():
                store = SnapshotStore(self._folder, "books")
                done.extend(day.manifest.day for day in sweep(Reader(client), store, self._entity, asked))

        try:
            act()
        except (Crash, TransientError) as error:
            schedule.say(f"   {type(error).__name__} after {len(done)} days")
            return False
        finally:
            for fault, count in self._house.struck().items():
                schedule.met[f"{MET}read {fault}"] += count
        return True

    @contextmanager
    def _dying(self) -> Iterator[None]:
        """Death just before the n-th operation that makes something durable: a sync, or a name put in place."""
        sync, replace = os.fsync, Path.replace

        def dies(operation: Callable[..., Any]) -> Callable[..., Any]:
            def operate(*given: Any) -> Any:
                if self._left is not None:
                    self._left -= 1
                    if self._left < 0:
                        self._left = None
                        self.schedule.met[DURABLE] += 1
                        raise Crash
                return operation(*given)

            return operate

        with mock.patch.object(os, "fsync", dies(sync)), mock.patch.object(Path, "replace", dies(replace)):
            yield

    # --- the judge -----------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        complain = self.schedule.complain
        dump: Any = self._house.vendor.dump()
        for record in dump["records"]["invoice"]:
            changed = datetime.fromisoformat(str(record["lastModifiedDate"])).astimezone(UTC)
            day = business_date(changed, ZONE)
            if day < self._first:
                continue
            rows, seen = self._stored(day)
            mine = [row for row in rows if row["id"] == str(record["id"])]
            if changed >= seen:
                continue  # a day that an earlier life finished stays as that life saw it
            if not mine:
                complain(f"lost: invoice {record['id']}, changed {changed}, is not in the snapshot of {day}")
            elif len(mine) > 1:
                complain(f"doubled: invoice {record['id']} is in the snapshot of {day} {len(mine)} times")
            elif mine[0]["foreigntotal"] != Decimal(str(record["total"])):
                complain(
                    f"other total: invoice {record['id']} is {mine[0]['foreigntotal']}, not {record['total']}"
                )
            elif mine[0]["lastmodifieddate"] != changed:
                complain(f"invoice {record['id']} is as it was {mine[0]['lastmodifieddate']}, not {changed}")

    def _stored(self, day: date) -> tuple[list[dict[str, Any]], datetime]:
        """The rows of a day's file, and when the life that wrote it began; with no file, none, and now."""
        path = self._folder / "snapshots" / "books" / ENTITY / f"date={day.isoformat()}" / "part.parquet"
        if not path.exists():
            return [], self._house.now()
        table = pq.read_table(path, partitioning=None)
        manifest = Manifest.decoded(table.schema.metadata[METADATA_KEY])
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows, self._runs[manifest.run_id]
