"""Saasu as a vendor of the sandbox: what the core asks of it, its control routes, its books.

Belongs here: the `Vendor` protocol, dump, trial balance. Does not belong here: any behaviour of the API.
"""

from __future__ import annotations

import re
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ledger_pipelines.sandbox.codec import Document, loads
from ledger_pipelines.sandbox.saasu import seed
from ledger_pipelines.sandbox.saasu.answers import json_answer
from ledger_pipelines.sandbox.saasu.app import SaasuApp
from ledger_pipelines.sandbox.saasu.book import Book
from ledger_pipelines.sandbox.saasu.login import BOOKS, OWNER
from ledger_pipelines.sandbox.saasu.money import summed
from ledger_pipelines.sandbox.saasu.store import Store
from ledger_pipelines.sandbox.vendor import RESERVED_PORTS, SandboxContext


class SaasuVendor:
    """Two logins, two files (5150 in AUD, 6021 in NZD) behind the sandbox's interface."""

    name = "saasu"
    port_offset = RESERVED_PORTS["saasu"]
    extra_faults = frozenset({"token_expired", "refresh_token_revoked"})

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self.book = Book(Store(context.store), context.clock, context.faults)
        self._app = SaasuApp(self.book)

    @property
    def app(self) -> ASGIApp:
        """The ASGI application."""
        return self._app.asgi

    def credentials(self) -> dict[str, object]:
        """`{base_url, username, password, file_id, files, access_key, two_factor: {...}}`; fixed, public and fake."""
        return {
            "base_url": self._context.base_url,
            "username": BOOKS.username,
            "password": BOOKS.password,
            "access_key": BOOKS.access_key,
            "file_id": BOOKS.files[0],
            "files": list(BOOKS.files),
            "two_factor": {
                "username": OWNER.username,
                "password": OWNER.password,
                "access_key": OWNER.access_key,
            },
        }

    def dump(self) -> object:
        """`{files: {id: {records: {kind: [...]}, ledger: [...], stock: {code: {...}}, meter}}}`; amounts exact."""
        with self.book.store.state.lock:
            return {"files": {str(file): self._dump(file) for file in seed.FILES}}

    def _dump(self, file: int) -> Document:
        store = self.book.store
        kinds = [
            kind
            for (kind,) in store.db.execute("SELECT DISTINCT kind FROM saasu_row WHERE file = ?", (file,))
        ]
        records = {
            kind: [
                {
                    "Id": row.id,
                    **row.body,
                    "LastUpdatedId": row.last_updated_id,
                    "created": row.created,
                    "modified": row.modified,
                }
                for row in store.select(file, kind)
            ]
            for kind in sorted(kinds)
        }
        ledger = [
            {"kind": kind, "transaction": owner, "account": account, "date": day, "amount": amount, "currency": currency,
             "foreign": foreign}
            for kind, owner, account, day, amount, currency, foreign in store.ledger(file)
        ]  # fmt: skip
        stock = {}
        for row in store.select(file, "item", "json_extract(body, '$.IsInventoried') = 1"):
            at = store.stock(file, row.id)
            stock[row.body["Code"]] = {
                "on_hand": at.on_hand,
                "value": at.value,
                "committed": at.committed,
                "on_order": at.on_order,
            }
        return {"records": records, "ledger": ledger, "stock": stock, "meter": self._app.meter.used(file)}

    def trial_balance(self) -> object:
        """By file: accounts with their balance in base currency (debit positive), whether it balances, receivables checked.

        checks: what the control accounts must agree with: receivables = sum of what sales invoices are owed.
        """
        with self.book.store.state.lock:
            return {str(file): self._trial(file) for file in seed.FILES}

    def _trial(self, file: int) -> Document:
        sums: dict[int, list[Decimal]] = {}
        for _, _, account, _, amount, _, _ in self.book.store.ledger(file):
            sums.setdefault(account, []).append(amount)
        names = {row.id: row.body for row in self.book.store.select(file, "account")}
        lines = [
            {"id": account, "name": names.get(account, {}).get("Name", "?"), "type": names.get(account, {}).get("AccountType", "?"),
             "balance": str(summed(amounts))}
            for account, amounts in sorted(sums.items())
        ]  # fmt: skip
        total = summed(amount for amounts in sums.values() for amount in amounts)
        return {
            "currency": self.book.currency(file) if self.book.store.get(file, "fileidentity", file) else "",
            "accounts": lines,
            "balanced": total == 0,
            "difference": str(total),
        }

    def reset(self, seed_name: str) -> None:
        """Begin again: both files with their chart; "demo" adds the shop's contacts and items."""
        self.book.store.clear()
        self.reload()
        seed.begin(self._app)
        if seed_name == "demo":
            seed.demo(self._app)

    def reload(self) -> None:
        """The store was put back."""
        self.book.reload()

    def path_pattern(self, path: str) -> str:
        """`path` with ids replaced."""
        return re.sub(r"/\d+(?=/|$)", "/{id}", path)

    def error_response(self, kind: str, status: int, request: Request, retry_after: int | None) -> Response:
        """429 in the shape that settings give; 5xx as a gateway page's text."""
        del kind, request
        if status == 429:
            return self._app.meter.answer(retry_after)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Response("An error has occurred.", status, headers, "text/plain")

    def control_routes(self) -> list[BaseRoute]:
        """`/settings`, `/meter`, `/quota` on the control port."""
        return [
            Route("/settings", self._settings, methods=["GET", "POST"]),
            Route("/meter", self._meter, methods=["GET", "DELETE"]),
        ]

    async def _settings(self, request: Request) -> Response:
        if request.method == "POST":
            sent = loads(await request.body())
            if not isinstance(sent, dict):
                raise ValueError("give an object of settings")
            self.book.change_settings(sent)
        return json_answer(self.book.settings.model_dump(mode="json"))

    async def _meter(self, request: Request) -> Response:
        if request.method == "DELETE":
            with self.book.store.transaction():
                self.book.store.db.execute("DELETE FROM saasu_setting WHERE name LIKE 'meter:%'")
        return json_answer({str(file): self._app.meter.used(file) for file in seed.FILES})
