"""Cin7 Omni as a vendor of the sandbox: what the core asks of it, its control routes, its ledger.

Belongs here: the `Vendor` protocol, dump. Does not belong here: any behaviour of the API.
"""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ledger_pipelines.sandbox.cin7 import seed
from ledger_pipelines.sandbox.cin7.account import Account
from ledger_pipelines.sandbox.cin7.answers import FAULT, json_answer, message, throttled
from ledger_pipelines.sandbox.cin7.app import FAULTS, Cin7App
from ledger_pipelines.sandbox.cin7.ledger import ledger
from ledger_pipelines.sandbox.cin7.login import MAIN, ORDERS, READER, SECOND
from ledger_pipelines.sandbox.cin7.store import Store
from ledger_pipelines.sandbox.codec import loads
from ledger_pipelines.sandbox.vendor import RESERVED_PORTS, SandboxContext

KINDS = ("branch", "user", "contact", "product", "option", "adjustment", "order", "credit", "payment")


class Cin7Vendor:
    """One account behind the sandbox's interface."""

    name = "cin7"
    port_offset = RESERVED_PORTS["cin7"]
    extra_faults = FAULTS

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self.account = Account(Store(context.store), context.clock, context.faults)
        self.omni = Cin7App(self.account)

    @property
    def app(self) -> ASGIApp:
        """The ASGI application."""
        return self.omni

    def credentials(self) -> dict[str, object]:
        """A connection with all rights, a second one, one that reads, one for orders; fixed, public and fake."""
        others = {"second": SECOND, "reader": READER, "orders": ORDERS}
        return {
            "base_url": self._context.base_url,
            "api_url": f"{self._context.base_url}/api",
            "username": MAIN.username,
            "key": MAIN.key,
            **{name: {"username": one.username, "key": one.key} for name, one in others.items()},
        }

    def dump(self) -> object:
        """`{records: {kind: [...]}, stock_moves: [...], stock: [...], meter}`; amounts exact."""
        store = self.account.store
        with store.state.lock:
            records = {
                kind: [
                    {**row.body, "id": row.body.get("id") or row.id, "modifiedDate": row.modified}
                    for row in store.select(kind)
                ]
                for kind in KINDS
            }
            moves = [
                {"kind": kind, "owner": owner, "option": move.cell.option, "size": move.cell.size, "branch": move.cell.branch,
                 "on_hand": move.on_hand, "open_sales": move.open_sales}
                for kind, owner, move in store.moves()
            ]  # fmt: skip
            stock = [
                {"option": cell.option, "size": cell.size, "branch": cell.branch, "on_hand": level.on_hand,
                 "open_sales": level.open_sales, "modified": level.modified}
                for cell, level in store.levels().items()
            ]  # fmt: skip
            return {"records": records, "stock_moves": moves, "stock": stock, "meter": self.omni.meter.used()}

    def ledger(self) -> object:
        """Sales and stock with their totals, worked out anew from orders, payments and adjustments."""
        with self.account.store.state.lock:
            return ledger(self.account)

    def reset(self, seed_name: str) -> None:
        """Begin again: "empty" has branches and users only, "demo" the shop."""
        self.account.store.clear()
        self.reload()
        seed.begin(self.omni)
        if seed_name == "demo":
            seed.demo(self.omni)

    def reload(self) -> None:
        """The store was put back."""
        self.account.reload()
        self.omni.meter.forget()

    def path_pattern(self, path: str) -> str:
        """`path` with ids and barcodes replaced."""
        return re.sub(r"(?i)(/api/v\d/\w+/)[^/]+", r"\1{id}", path)

    def error_response(self, kind: str, status: int, request: Request, retry_after: int | None) -> Response:
        """429 as a JSON string; 5xx as an object."""
        del kind, request
        if status == 429:
            return throttled("API calls quota exceeded! maximum admitted 3 per Second.", retry_after)
        response = message(FAULT, status)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    def control_routes(self) -> list[BaseRoute]:
        """`/settings`, `/meter`, and what staff do: `/orders/{id}/lock`."""
        return [
            Route("/settings", self._settings, methods=["GET", "POST"]),
            Route("/meter", self._meter, methods=["GET", "DELETE"]),
            Route("/orders/{id:int}/lock", self._lock, methods=["POST", "DELETE"]),
        ]

    async def _settings(self, request: Request) -> Response:
        if request.method == "POST":
            sent = loads(await request.body())
            if not isinstance(sent, dict):
                raise ValueError("give an object of settings")
            self.account.change_settings(sent)
        return json_answer(self.account.settings.model_dump(mode="json"))

    async def _meter(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.omni.meter.forget()
        return json_answer(self.omni.meter.used())

    async def _lock(self, request: Request) -> Response:
        store, order_id = self.account.store, request.path_params["id"]
        with store.transaction():
            row = store.get("order", order_id)
            if row is None:
                raise ValueError(f"there is no order {order_id}")
            row.body["_locked"] = request.method == "POST"
            store.save(row, self.account.now())
        return json_answer({"id": order_id, "locked": row.body["_locked"]})
