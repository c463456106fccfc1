"""What the tests of Cin7's reader and writer share: a client, calls at the control port, bodies that the demo's account takes.

Belongs here: arranging scenes through Cin7's own API and the sandbox's control port. Does not belong here: assertions.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.cin7.client import Cin7Client
from ledger_pipelines.systems.cin7.settings import Cin7Connection
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.stage import JumpingClock
from ledger_pipelines_tests.unit.systems.cin7.bodies import WINDOW, Body


def client_on(
    sandbox: RunningSandbox, folder: Path, clock: Clock, *, login: str = "", **more: Any
) -> Cin7Client:
    """A client of the demo's account. login: one of its other API connections."""
    told = sandbox.credentials["cin7"]
    given = told[login] if login else told
    settings: dict[str, Any] = {
        "username": Secret(given["username"]), "key": Secret(given["key"]), "state_folder": folder,
        "base_url": sandbox.base_urls["cin7"], "sandbox": True, "seconds_between_calls": 0, "calls_per_minute": 0,
        "settle_window": WINDOW,
    }  # fmt: skip
    return Cin7Client(Cin7Connection("stock", **(settings | more)), clock=clock)


class Desk:
    """A client on a sandbox whose clock jumps with it."""

    def __init__(self, sandbox: RunningSandbox, control: httpx.Client, folder: Path, **more: Any) -> None:
        self.sandbox, self.control = sandbox, control
        self.clock = JumpingClock(control)
        self.client = client_on(sandbox, folder, self.clock, **more)
        self.stranger = client_on(sandbox, folder, self.clock, **more | {"key": Secret("not-the-key")})
        """The same with a key that Cin7 does not know."""

    def close(self) -> None:
        """Close both."""
        self.client.close()
        self.stranger.close()

    # --- the sandbox -------------------------------------------------------------------------------------------------

    def records(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind, out of the sandbox's own dump."""
        answer = self.control.get("/dump/cin7").raise_for_status()
        found: list[dict[str, Any]] = json.loads(answer.text, parse_float=Decimal)["records"].get(kind, [])
        return found

    def fault(self, kind: str, **more: Any) -> None:
        """Set a fault."""
        self.control.post("/faults", json={"vendor": "cin7", "kind": kind, **more}).raise_for_status()

    def settings(self, **changes: Any) -> None:
        """Change the sandbox's switches."""
        self.control.post("/cin7/settings", json=changes).raise_for_status()

    def calls(self) -> dict[str, int]:
        """Calls the sandbox counted, by method and path."""
        found: dict[str, int] = {}
        for call in self.control.get("/calls").json()["calls"]:
            name = f"{call['method']} {call['path']}"
            found[name] = found.get(name, 0) + call["count"]
        return found

    def forget_calls(self) -> None:
        """Count from nought."""
        self.control.delete("/calls").raise_for_status()

    # --- records, through the API ------------------------------------------------------------------------------------

    def wrote(self, method: str, path: str, *bodies: Body) -> list[int]:
        """Write records; their ids."""
        answer = self.client.write(method, path, list(bodies))
        told: Any = answer.json()
        assert answer.ok and all(one["success"] for one in told), answer.body
        return [int(one["id"]) for one in told]

    def made(self, path: str, body: Body) -> int:
        """Create a record; its id."""
        [found] = self.wrote("POST", path, body)
        return found

    def put(self, path: str, record_id: int, **changes: Json) -> None:
        """Change one as a person would."""
        self.wrote("PUT", path, {"id": record_id, **changes})
