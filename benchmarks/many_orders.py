"""A NetSuite sandbox with as many sales orders as wanted, made in seconds.

Belongs here: multiplying one order of the seed in the sandbox's state file, and starting the sandbox on it. Does not
belong here: any measurement. Through the API an order costs a few milliseconds: minutes for 100,000 of them.
The amounts are of the kind that a binary float changes, and the sandbox's dump is what they are compared with.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ledger_pipelines.sandbox.server import bind_ports, running_sandbox

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 30
ZONE_SHIFT = timedelta(hours=7)
"""The sandbox's account keeps the time of Los Angeles; March 8 is after the clocks changed, so that the days below do."""
STARTS = FIRST_DAY + timedelta(days=8)
_FIRST_ID = 1_000_000


@dataclass(frozen=True, slots=True)
class Amounts:
    """What an order says of money: as NetSuite writes it."""

    total: Decimal
    rate: Decimal


def amounts(number: int) -> Amounts:
    """Of the n-th order: every seventh is too large for a binary float, every rate has digits it would lose."""
    cents = 90_071_992_547_409_93 + number if number % 7 == 0 else 199 + number * 37 % 1_000_003
    return Amounts(Decimal(cents).scaleb(-2), Decimal(1_083_547_192_300 + number).scaleb(-12))


def changed(number: int, orders: int) -> datetime:
    """When the n-th order was changed last: evenly over the days, in no order of ids."""
    seconds = DAYS * 86_400 * (number * 7919 % orders) // orders
    return STARTS + timedelta(seconds=seconds)


def window() -> tuple[datetime, datetime]:
    """All of them."""
    return STARTS, STARTS + timedelta(days=DAYS)


def make_state(path: Path, orders: int) -> None:
    """A state file with the demonstration's books and so many orders more."""
    with running_sandbox(seed="demo", state=path, vendors=("netsuite",)):
        pass
    with closing(sqlite3.connect(path)) as db, db:
        _multiply(db, orders)


def _multiply(db: sqlite3.Connection, orders: int) -> None:
    record = _one(
        db, "SELECT * FROM ns_record WHERE family = 'transaction' AND rectype = 'salesOrder' LIMIT 1"
    )
    header = _one(db, f"SELECT * FROM ns_transaction WHERE id = {record['id']}")
    body: dict[str, Any] = msgspec.json.decode(record["body"])
    records, headers = [], []
    for number in range(orders):
        made, order_id = amounts(number), f"111-{number:07d}-{number:07d}"
        moment = changed(number, orders)
        local = f"{moment - ZONE_SHIFT:%Y-%m-%dT%H:%M:%S}D"
        said = {"id": _FIRST_ID + number, "external": f"BENCH-SO-{number:07d}", "name": f"SO{number:07d}"}
        line = {**body["item"][0], "amount": str(made.total), "lineUniqueKey": _FIRST_ID + number}
        document = {
            **body,
            "otherRefNum": order_id, "custbody_azs_order_id": order_id, "custbody_celigo_etail_order_id": order_id,
            "memo": f"Amazon order {order_id}", "tranId": said["name"], "exchangeRate": str(made.rate),
            "item": [line], "subtotal": str(made.total), "total": str(made.total),
        }  # fmt: skip
        records.append({
            **record, "id": said["id"], "external_id": said["external"], "name": said["name"],
            "created": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "modified": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "created_local": local, "modified_local": local, "body": msgspec.json.encode(document).decode(),
        })  # fmt: skip
        headers.append({
            **header, "id": said["id"], "externalid": said["external"], "tranid": said["name"],
            "foreigntotal": str(made.total), "exchangerate": str(made.rate), "otherrefnum": order_id,
            "custbody_azs_order_id": order_id, "custbody_celigo_etail_order_id": order_id,
            "memo": document["memo"], "createddate": local, "lastmodifieddate": local,
        })  # fmt: skip
    _insert(db, "ns_record", records)
    _insert(db, "ns_transaction", headers)


def _one(db: sqlite3.Connection, query: str) -> dict[str, Any]:
    cursor = db.execute(query)
    return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def _insert(db: sqlite3.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    names = ", ".join(f'"{name}"' for name in rows[0])
    marks = ", ".join("?" * len(rows[0]))
    db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", [tuple(row.values()) for row in rows])


@dataclass(frozen=True)
class Served:
    """A sandbox in a process of its own."""

    control: httpx.Client
    base_url: str
    credentials: Mapping[str, Any]
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """CPU seconds the sandbox has used so far."""
        import psutil  # noqa: PLC0415 - only here

        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def feature(self, **changes: object) -> None:
        """Change account features (latency, concurrency)."""
        self.control.post("/netsuite/features", json=changes).raise_for_status()

    def truth(self) -> dict[str, Amounts]:
        """Total and exchange rate of every order by internal id, out of the sandbox's own dump."""
        dump = msgspec.json.decode(self.control.get("/dump/netsuite").raise_for_status().content)
        return {
            order["id"]: Amounts(Decimal(order["total"]), Decimal(order["exchangeRate"]))
            for order in dump["records"]["salesOrder"]
            if str(order["externalId"]).startswith("BENCH-")
        }


@contextmanager
def served(state: Path) -> Iterator[Served]:
    """The sandbox on a state file, in a process of its own, on free ports."""
    found = bind_ports(0, "127.0.0.1", {"control": 0, "last": 7})
    port = found["control"].getsockname()[1]
    for listener in found.values():
        listener.close()
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-m", "ledger_pipelines.sandbox", "--port", str(port), "--state", str(state), "--vendors", "netsuite"],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    control = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=300)
    try:
        for _ in range(600):
            try:
                control.get("/health").raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None:
                    raise SystemExit("The sandbox did not start.") from None
                time.sleep(0.05)
        credentials = control.get("/credentials").raise_for_status().json()["netsuite"]
        yield Served(control, str(credentials["base_url"]), credentials, process)
    finally:
        control.close()
        process.terminate()
        process.wait(timeout=30)
