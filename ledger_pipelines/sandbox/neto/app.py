"""HTTP: the one route of Neto's API.

Belongs here: credentials, the limit, actions by header. Does not belong here: what actions do.
Source: neto.md 2, 3; errors come with HTTP 200 and `Ack: Error`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ledger_pipelines.sandbox.codec import MalformedJsonError, dumps, loads
from ledger_pipelines.sandbox.neto.customers import Customers
from ledger_pipelines.sandbox.neto.items import Items
from ledger_pipelines.sandbox.neto.lists import Lists
from ledger_pipelines.sandbox.neto.orders import Orders
from ledger_pipelines.sandbox.neto.payments import Payments, Rmas
from ledger_pipelines.sandbox.neto.shapes import Answer
from ledger_pipelines.sandbox.neto.shop import NetoError, Shop
from ledger_pipelines.sandbox.vendor import call_info

PATH = "/do/WS/NetoAPI"
GLOBAL_KEY = "neto-global-key-sandbox-not-a-secret"
USER, USER_KEY = "books.bridge", "neto-user-key-sandbox-not-a-secret"
READER, READER_KEY = "reader", "neto-reader-key-sandbox-not-a-secret"
CLIENT_ID, ACCESS_TOKEN = "neto-app-client-id", "neto-app-token-sandbox-not-a-secret"
MINUTE = timedelta(minutes=1)
ERROR_200 = "error_200"
"""The vendor's own fault: the call is not carried out, and answered as any refusal (neto.md 1.2)."""
Act = Callable[[object, Answer], None]


class NetoApp:
    """The application."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.items, self.customers = Items(shop), Customers(shop)
        self.orders = Orders(shop, self.items)
        self.payments = Payments(shop, self.orders, self.customers)
        self.rmas, self.lists = Rmas(shop, self.items, self.customers), Lists(shop)
        self._recent: deque[datetime] = deque()
        lists = self.lists
        self._actions: Mapping[str, Act] = {
            "GetItem": self.items.get, "AddItem": self.items.add, "UpdateItem": self.items.update,
            "GetCustomer": self.customers.get, "AddCustomer": self.customers.add, "UpdateCustomer": self.customers.update,
            "GetOrder": self.orders.get, "AddOrder": self.orders.add, "UpdateOrder": self.orders.update,
            "GetPayment": self.payments.get, "AddPayment": self.payments.add, "GetRma": self.rmas.get, "AddRma": self.rmas.add,
            "GetPaymentMethods": lists.payment_methods, "GetShippingMethods": lists.shipping_methods,
            "GetCurrencySettings": lists.currency, "GetAccountingSystemRelatedAccounts": lists.accounts,
            "AddAccountingSystemRelatedAccount": lists.add_account, "UpdateAccountingSystemRelatedAccount": lists.update_account,
            **{f"Get{entity}": partial(lists.get, entity) for entity in ("Warehouse", "Category", "Content", "Supplier")},
            **{f"Add{entity}": partial(lists.add, entity) for entity in ("Warehouse", "Category", "Content", "Supplier")},
        }  # fmt: skip
        routes = [
            Route(PATH, self._call, methods=["POST"]),
            Route("/{rest:path}", self._page, methods=["GET", "POST"]),
        ]
        self.asgi = Starlette(routes=routes)

    async def _page(self, request: Request) -> Response:
        del request
        return HTMLResponse("<!DOCTYPE html><html><body><h1>Harbour Tea</h1></body></html>")

    async def _call(self, request: Request) -> Response:
        body = await request.body()
        return await anyio.to_thread.run_sync(partial(self._answer, request, body))

    def _answer(self, request: Request, body: bytes) -> Response:
        at = call_info(request.scope).received_at.astimezone(UTC).replace(tzinfo=None)
        if self._too_many(at):
            return too_many(None)
        answer = Answer()
        with self.shop.store.state.lock:
            try:
                with self.shop.store.transaction():
                    self._act(request, body, answer)
            except NetoError as error:
                answer = Answer()
                answer.errors.append(str(error))
            now = self.shop.now().strftime("%Y-%m-%d %H:%M:%S")
            whole = answer.envelope(now, self.shop.settings)
        if "application/json" not in request.headers.get("accept", ""):
            action = request.headers.get("netoapi_action", "")
            return Response(
                f"<?xml version='1.0'?><{action}Response><Ack>{whole['Ack']}</Ack></{action}Response>",
                media_type="text/xml",
            )
        return Response(dumps(whole), media_type="application/json")

    def _too_many(self, at: datetime) -> bool:
        limit = self.shop.settings.calls_per_minute
        if limit is None:
            return False
        while self._recent and self._recent[0] <= at - MINUTE:
            self._recent.popleft()
        if len(self._recent) >= limit:
            return True
        self._recent.append(at)
        return False

    def _act(self, request: Request, body: bytes, answer: Answer) -> None:
        headers = request.headers
        allowed = self._allowed(headers)
        action = headers.get("netoapi_action", "").strip()
        if allowed is None or (allowed == READER and not action.startswith("Get")):
            raise NetoError("Invalid API Key")
        act = self._actions.get(action)
        if act is None:
            raise NetoError(f"Invalid NETOAPI_ACTION {action}".rstrip())
        if call_info(request.scope).fault(ERROR_200) is not None:
            raise NetoError("The request could not be processed")
        try:
            sent = loads(body)
        except MalformedJsonError:
            raise NetoError("JSON Error") from None
        act(sent, answer)

    @staticmethod
    def _allowed(headers: Mapping[str, str]) -> str | None:
        """Who calls: a user name, "" for all rights, None for nobody."""
        key, user = headers.get("netoapi_key", "").strip(), headers.get("netoapi_username", "").strip()
        if key == GLOBAL_KEY:
            return ""
        if (key, user) == (USER_KEY, USER):
            return USER
        if (key, user) == (READER_KEY, READER):
            return READER
        if headers.get("x_access_key") == CLIENT_ID and headers.get("x_secret_key") == ACCESS_TOKEN:
            return ""
        return None


def too_many(retry_after: int | None) -> Response:
    """429; its body is not documented."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response("Too many requests", 429, headers, "text/plain")
