"""What the tests of Neto share: a store of the sandbox, our client of it, and power over it behind the client's back.

Belongs here: set-up. Does not belong here: assertions.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx

from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.entities import Cell
from ledger_pipelines.systems.neto.client import KeyCredentials, NetoClient, NetoConnection
from ledger_pipelines.systems.neto.entities import ENTITIES
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock

ZONE = ZoneInfo("Australia/Sydney")
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FUTURE = datetime(2026, 12, 31, tzinfo=UTC)


class Store:
    """One store, put back to a state kept aside. Close when done."""

    def __init__(self, sandbox: RunningSandbox, state: str) -> None:
        self.control = httpx.Client(base_url=sandbox.control_url, trust_env=False, timeout=30)
        for path in ("/faults", "/calls"):
            self.control.delete(path).raise_for_status()
        self.control.post("/restore", json={"name": state}).raise_for_status()
        self.freeze("2026-10-13T00:00:00Z")
        key = KeyCredentials(Secret(sandbox.credentials["neto"]["api_key"]))
        base = sandbox.base_urls["neto"]
        self.clock = FakeClock(datetime(2026, 10, 13, tzinfo=UTC))
        self.client = NetoClient(
            NetoConnection("shop", base, key, ZONE, sandbox=True, calls_per_second=10_000), clock=self.clock
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.listen(open_=True)
        self.client.close()
        self.control.close()

    def freeze(self, at: str) -> None:
        """The store's clock stands there."""
        self.control.post("/clock", json={"freeze": at}).raise_for_status()

    def settings(self, **changes: object) -> None:
        """Switches of the store."""
        self.control.post("/neto/settings", json=changes).raise_for_status()

    def listen(self, *, open_: bool) -> None:
        """Open or shut the store's port."""
        self.control.post("/listen", json={"vendor": "neto", "open": open_}).raise_for_status()

    def fault(self, kind: str, **more: object) -> None:
        """Set a fault."""
        self.control.post("/faults", json={"vendor": "neto", "kind": kind, **more}).raise_for_status()

    def bad_key(self) -> None:
        """From now on the client has a key that the store refuses."""
        wrong = KeyCredentials(Secret("wrong-key-of-the-tests"))
        self.client.connection = replace(self.client.connection, credentials=wrong)

    def dump(self) -> Any:
        """All that the store holds."""
        return self.control.get("/dump/neto").raise_for_status().json()

    def calls(self) -> int:
        """As the sandbox counted them."""
        return sum(call["count"] for call in self.control.get("/calls").json()["calls"])

    def call(self, action: str, body: Any) -> dict[str, Json]:
        """Any action, as another program of the store would."""
        answer = self.client.write(action, body).json()
        assert isinstance(answer, dict)
        assert answer["Ack"] == "Success", answer
        return answer

    def rows(
        self, name: str, start: datetime = EARLIEST, end: datetime = FUTURE, *, page: int = 0
    ) -> list[tuple[Cell, ...]]:
        """An entity's rows, by the reader."""
        pages = NetoReader(self.client, page=page).read_changes(ENTITIES[name], start, end)
        return [cells for one in pages for cells in one.cells]

    def records(self, name: str) -> list[dict[str, Json]]:
        """An entity's records, as they are stored."""
        found = []
        for cells in self.rows(name):
            record = decode(str(cells[-1]))
            assert isinstance(record, dict)
            found.append(record)
        return found


def number(text: object) -> Decimal:
    """Out of the sandbox's dump."""
    return Decimal(str(text))
