"""A Cin7 in memory, for what no sandbox shows: answers as scripted, lists that move between two calls.

Belongs here: the transport. Does not belong here: assertions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ledger_pipelines.systems.cin7.client import Cin7Client
from ledger_pipelines.systems.cin7.settings import Cin7Connection
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.cin7.bodies import WINDOW

KEY = "canarycanarycanarycanarycanary12"
Handler = Callable[[httpx.Request], httpx.Response]


def fake_client(handler: Handler, folder: Path, clock: FakeClock | None = None, **more: Any) -> Cin7Client:
    """A client whose calls `handler` answers."""
    settings: dict[str, Any] = {
        "state_folder": folder, "seconds_between_calls": 0, "calls_per_minute": 0, "settle_window": WINDOW,
    }  # fmt: skip
    connection = Cin7Connection("stock", Secret("api-user"), Secret(KEY), **(settings | more))
    return Cin7Client(connection, clock=clock or FakeClock(), transport=httpx.MockTransport(handler))


class Script:
    """Answers writes in the order given, reads by path; keeps what was asked."""

    def __init__(
        self, *writes: httpx.Response | Exception, reads: dict[str, list[dict[str, Any]]] | None = None
    ) -> None:
        self.writes = list(writes)
        self.reads = reads or {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.asked.append(request)
        if request.method != "GET":
            answer = self.writes.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        path = request.url.path.removeprefix("/api")
        rows = self.reads.get(path, [])
        if request.url.params.get("page", "1") != "1":
            rows = []
        return httpx.Response(200, json=rows)

    @property
    def sent(self) -> list[Any]:
        """Bodies of the writes, decoded."""
        return [json.loads(one.content, parse_float=Decimal) for one in self.asked if one.method != "GET"]

    @property
    def lines(self) -> list[str]:
        """Method and path of each call."""
        return [f"{one.method} {one.url.path}" for one in self.asked]

    @property
    def conditions(self) -> list[str]:
        """Conditions of the reads."""
        return [one.url.params.get("where", "") for one in self.asked if one.method == "GET"]


def result(index: int, key: int | None = None, *errors: str, **more: Any) -> dict[str, Any]:
    """A result of one record: with errors a failure."""
    return {"index": index, "success": not errors, "id": key, "code": None, "errors": list(errors), **more}


def said(*results: dict[str, Any], status: int = 200) -> httpx.Response:
    """An answer to a write."""
    return httpx.Response(status, json=list(results))


class Moving:
    """A list that answers conditions on `modifiedDate` and `id`, in order. `between`: what happens after a call, by number."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.between: dict[int, Callable[[], None]] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.asked.append(request)
        asked = request.url.params
        field, way = asked["order"].split()
        assert way == "ASC"
        rows = [
            row for row in self.rows if all(_fits(row, one) for one in _conditions(asked.get("where", "")))
        ]
        rows.sort(key=lambda row: row[field])
        size, number = int(asked["rows"]), int(asked["page"])
        answer = httpx.Response(200, json=rows[(number - 1) * size : number * size])
        self.between.pop(len(self.asked), lambda: None)()
        return answer


def _conditions(where: str) -> list[tuple[str, str, str]]:
    found = []
    for one in where.split(" AND ") if where else []:
        parts = re.fullmatch(r"(\w+)(>=|<|=)'?([^']*)'?", one)
        assert parts is not None, one
        found.append((parts[1], parts[2], parts[3]))
    return found


def _fits(row: dict[str, Any], condition: tuple[str, str, str]) -> bool:
    field, sign, told = condition
    have, wanted = (row[field], told) if field == "modifiedDate" else (int(row[field]), int(told))
    return {">=": have >= wanted, "<": have < wanted, "=": have == wanted}[sign]  # type: ignore[operator]  # both of a kind
