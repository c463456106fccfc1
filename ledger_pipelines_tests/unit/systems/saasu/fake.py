"""A Saasu in memory, for what no sandbox shows: lists that move between two pages, answers nobody has seen yet.

Belongs here: the transport. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.settings import AccessKeyCredentials, SaasuConnection
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock

ACCESS_KEY = "canarycanarycanarycanarycanary12"
Handler = Callable[[httpx.Request], httpx.Response]


def fake_client(handler: Handler, folder: Path, clock: FakeClock | None = None, **more: Any) -> SaasuClient:
    """A client whose calls `handler` answers."""
    settings: dict[str, Any] = {
        "credentials": AccessKeyCredentials(Secret(ACCESS_KEY)), "state_folder": folder, "seconds_between_calls": 0,
    }  # fmt: skip
    connection = SaasuConnection("books", 5150, **(settings | more))
    return SaasuClient(connection, clock=clock or FakeClock(), transport=httpx.MockTransport(handler))


class Lists:
    """Answers lists of rows, page by page. `after`: what happens once a page has been read, by its number."""

    def __init__(self, rows: dict[str, list[dict[str, Any]]], *, links: bool = False) -> None:
        self.rows, self.links = rows, links
        self.after: dict[int, Callable[[], None]] = {}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.asked.append(request)
        path, query = request.url.path, request.url.params
        array = {"/Payments": "PaymentTransactions", "/DeletedEntities": "Entities"}.get(path, path[1:])
        number, size = int(query["Page"]), int(query["PageSize"])
        rows = [one for one in self.rows.get(path, []) if _inside(one, query)]
        found = rows[(number - 1) * size : number * size]
        links = [{"rel": "next", "href": "x"}] if self.links and len(rows) > number * size else []
        answer = httpx.Response(200, json={array: found, "_links": links})
        if size > 1:
            self.after.pop(number, lambda: None)()
        return answer


def _inside(row: dict[str, Any], query: httpx.QueryParams) -> bool:
    changed = str(row.get("LastModifiedDateUtc") or row.get("Timestamp") or "").rstrip("Z")
    low = query.get("LastModifiedFromDate") or query.get("UtcDeletedFromDate") or ""
    high = query.get("LastModifiedToDate") or query.get("UtcDeletedToDate") or "9999"
    return not changed or low.rstrip("Z") <= changed <= high.rstrip("Z")
