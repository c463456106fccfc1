"""HTTP: the ASGI application of Omni's API.

Belongs here: routing without regard to case, credentials, permissions, limits, the vendor's own faults.
Does not belong here: what resources do. Source: cin7-omni.md 2, 3, 8, 11.11.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from ledger_pipelines.sandbox.cin7.account import Account
from ledger_pipelines.sandbox.cin7.answers import (
    FAULT,
    Cin7Error,
    json_answer,
    message,
    missing,
    pascal,
    without_errors_key,
)
from ledger_pipelines.sandbox.cin7.login import RIGHTS, identify, refuse_module
from ledger_pipelines.sandbox.cin7.meter import Meter
from ledger_pipelines.sandbox.cin7.orders import CreditNotes, SalesOrders
from ledger_pipelines.sandbox.cin7.parties import Branches, Contacts, Users
from ledger_pipelines.sandbox.cin7.payments import Payments
from ledger_pipelines.sandbox.cin7.products import Options, Products
from ledger_pipelines.sandbox.cin7.resource import Call, Resource, records_of
from ledger_pipelines.sandbox.cin7.stock import Adjustments, Stock
from ledger_pipelines.sandbox.vendor import CallInfo, call_info
from ledger_pipelines.sandbox.wire import Captured, cut, read_body, replay

ROOT = ("api", "v1")
DISPATCH_500, DROPPED, RANDOM_503, HTML, QUOTA, NO_ERRORS_KEY, PASCAL, PURGED, ERROR_200 = (
    "dispatch_500_but_commit",
    "drop_response_after_commit",
    "random_503",
    "html_error_body",
    "daily_quota_exhausted",
    "errors_key_absent",
    "pascal_case_output",
    "void_purged_404",
    "error_200",
)
FAULTS = frozenset({DISPATCH_500, DROPPED, RANDOM_503, HTML, QUOTA, NO_ERRORS_KEY, PASCAL, PURGED, ERROR_200})
_PAGE = (
    "<!DOCTYPE html><html><head><title>Runtime Error</title></head><body><h1>Server Error</h1></body></html>"
)


class Cin7App:
    """The application."""

    def __init__(self, account: Account) -> None:
        self.account, self.meter = account, Meter(account)
        self.contacts, self.branches, self.options = Contacts(account), Branches(account), Options(account)
        self.products, self.adjustments = Products(self.options), Adjustments(account)
        self.orders, self.payments = SalesOrders(account, self.contacts), Payments(account)
        resources: list[Resource] = [
            self.contacts, self.branches, Users(account), self.products, self.options, Stock(account), self.adjustments,
            self.orders, CreditNotes(account, self.contacts), self.payments,
        ]  # fmt: skip
        self._resources: Mapping[str, Resource] = {one.path.lower(): one for one in resources}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call."""
        body = await read_body(receive)
        if body is None:
            return
        request, info = Request(scope), call_info(scope)
        response = await anyio.to_thread.run_sync(partial(self._answer, request, body, info))
        if info.fault(DROPPED) is not None:
            await response(scope, replay(body), Captured())
            await cut(scope, receive)
            return
        if info.fault(HTML) is not None and response.status_code >= 400:
            response = HTMLResponse(_PAGE, response.status_code)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes, info: CallInfo) -> Response:
        if info.fault(RANDOM_503) is not None:
            return message("Service Unavailable", 503)
        parts = [part for part in request.url.path.split("/") if part]
        try:
            with self.account.store.state.lock:
                connection = identify(request.headers.get("authorization", ""))
                at = info.received_at.astimezone(UTC).replace(tzinfo=None)
                refusal = self.meter.refusal(connection.username, at, exhausted=info.fault(QUOTA) is not None)
                if refusal is not None:
                    return refusal
                self._refuse_query(request)
                resource, record = self._route(request.url.path, parts)
                self._refuse_verb(resource, request.method, record)
                refuse_module(connection, resource.path, request.method)
                params: dict[str, list[str]] = {}
                for name, value in request.query_params.multi_items():
                    params.setdefault(name.lower(), []).append(value)
                call = Call(
                    request.method, params, body, record, hide_void=info.fault(PURGED) is not None,
                    refuse_first=info.fault(ERROR_200) is not None,
                )  # fmt: skip
                return self._shaped(resource, call, info)
        except Cin7Error as error:
            return message(error.text, error.status)

    def _refuse_query(self, request: Request) -> None:
        longest = self.account.settings.longest_query
        if longest is not None and len(request.url.query) > longest:
            raise missing(
                "The request filtering module is configured to deny a request where the query string is too long."
            )

    def _route(self, path: str, parts: list[str]) -> tuple[Resource, str]:
        resource = None
        if tuple(part.lower() for part in parts[:2]) == ROOT and 3 <= len(parts) <= 4:
            resource = self._resources.get(parts[2].lower())
        if resource is None:
            raise missing(f"No HTTP resource was found that matches the request URI '{path}'.")
        return resource, parts[3] if len(parts) == 4 else ""

    @staticmethod
    def _refuse_verb(resource: Resource, method: str, record: str) -> None:
        """The matrix of section 3: reads by id or not, writes to the collection, deletions by id."""
        wanted = ("get" if record else "list") if method == "GET" else method
        allowed = method in RIGHTS and wanted in resource.verbs
        if not allowed or (method in ("POST", "PUT") and record) or (method == "DELETE" and not record):
            raise Cin7Error(f"The requested resource does not support http method '{method}'.", 405)

    def _shaped(self, resource: Resource, call: Call, info: CallInfo) -> Response:
        self.account.purge()
        settings = self.account.settings
        found: object
        if call.method == "GET":
            found = resource.get(call) if call.record else resource.page(call)
        else:
            found = resource.delete(call) if call.method == "DELETE" else resource.write(call)
            if info.fault(NO_ERRORS_KEY) is not None or not settings.errors_key:
                found = without_errors_key(found)
            if info.fault(DISPATCH_500) is not None and _dispatches(call):
                return message(FAULT, 500)
        return json_answer(pascal(found) if info.fault(PASCAL) is not None or settings.pascal_case else found)


def _dispatches(call: Call) -> bool:
    """Whether a PUT sets a dispatch date."""
    return call.method == "PUT" and any(
        name.lower() == "dispatcheddate" and value
        for one in records_of(call.body)
        for name, value in one.items()
    )
