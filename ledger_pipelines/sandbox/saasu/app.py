"""HTTP: the ASGI application of Saasu's API.

Belongs here: routing without regard to case, credentials, limits, bodies. Does not belong here: what resources do.
Source: saasu.md 0.1, 1, 2, 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger_pipelines.sandbox.codec import MalformedJsonError, loads
from ledger_pipelines.sandbox.saasu.answers import ENVELOPES, PATHS, SaasuError, json_answer, missing
from ledger_pipelines.sandbox.saasu.book import Book, Call
from ledger_pipelines.sandbox.saasu.charts import Accounts, FileIdentities, TaxCodes
from ledger_pipelines.sandbox.saasu.invoices import Invoices
from ledger_pipelines.sandbox.saasu.items import Adjustments, Items, Transfers
from ledger_pipelines.sandbox.saasu.login import Gate, Identity
from ledger_pipelines.sandbox.saasu.lookups import Lookups
from ledger_pipelines.sandbox.saasu.meter import Meter
from ledger_pipelines.sandbox.saasu.parties import Aggregates, Companies, Contacts
from ledger_pipelines.sandbox.saasu.payments import Journals, Payments
from ledger_pipelines.sandbox.saasu.resource import Resource
from ledger_pipelines.sandbox.vendor import call_info

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
_DONE = Callable[[Call], object]


class SaasuApp:
    """The application."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.gate, self.meter, self.lookups = Gate(book), Meter(book), Lookups(book)
        invoices, contacts, companies = Invoices(book), Contacts(book), Companies(book)
        self.files, self.items, self.invoices = FileIdentities(book), Items(book), invoices
        self.aggregates = Aggregates(book, contacts, companies)
        kinds: list[Resource] = [
            Accounts(book), TaxCodes(book), companies, contacts, self.items, Adjustments(book), Transfers(book), invoices,
            Payments(book, invoices), Journals(book), self.files,
        ]  # fmt: skip
        self.resources: Mapping[str, Resource] = {resource.kind: resource for resource in kinds}
        self._plural = {ENVELOPES[k].lower(): r for k, r in self.resources.items() if k != "payment"}
        self._plural |= {
            "payments": self.resources["payment"],
            "itemtransfers": self.resources["itemtransfer"],
        }
        self._plural.pop("transfers")
        self._singular = {PATHS[kind].lower(): resource for kind, resource in self.resources.items()}
        self.asgi = Starlette(routes=[Route("/{rest:path}", self._any, methods=_METHODS)])

    async def _any(self, request: Request) -> Response:
        parts = [part for part in request.url.path.split("/") if part]
        low = [part.lower() for part in parts]
        if low[:1] == ["authorisation"]:
            return await self._authorisation(request, low[1:])
        body = await request.body()
        return await anyio.to_thread.run_sync(partial(self._answer, request, body, low))

    async def _authorisation(self, request: Request, rest: list[str]) -> Response:
        if request.method == "POST" and rest in (["token"], ["token-2fa"]):
            return await self.gate.token(request)
        if request.method == "POST" and rest == ["refresh"]:
            return await self.gate.refresh(request)
        if request.method == "GET" and rest == ["ping"]:
            try:
                self.gate.identify(request, {})
            except SaasuError as error:
                return error.response()
            return json_answer("pong")
        return missing("No HTTP resource was found.").response()

    def _answer(self, request: Request, body: bytes, parts: list[str]) -> Response:
        params = {name.lower(): value for name, value in request.query_params.items()}
        try:
            with self.book.store.state.lock:
                identity = self.gate.identify(request, params)
                if parts == ["fileidentities"] and request.method == "GET":
                    call = self._call(request, body, identity, params, 0, None)
                    return json_answer(self.files.of_login(identity.login.files, call))
                file = self.gate.file_of(identity, params)
                at = call_info(request.scope).received_at.astimezone(UTC).replace(tzinfo=None)
                refusal = self.meter.refusal(file, at)
                if refusal is not None:
                    return refusal
                record = next((int(part) for part in parts if part.isdigit()), None)
                call = self._call(request, body, identity, params, file, record)
                found = self._route(request.method, parts)
                return json_answer(found(call))
        except SaasuError as error:
            return error.response()

    def _call(
        self,
        request: Request,
        body: bytes,
        identity: Identity,
        params: dict[str, str],
        file: int,
        record: int | None,
    ) -> Call:
        sent: object = None
        if request.method in ("POST", "PUT"):
            try:
                sent = loads(body)
            except MalformedJsonError:
                raise SaasuError("The request is invalid.") from None
        base = f"{request.url.scheme}://{request.url.netloc}"
        return Call(request.method, file, identity.login.username, params, sent, base, identity.echo, record)

    def _route(self, method: str, parts: list[str]) -> _DONE:
        """What answers a path. Raises SaasuError (404, 405)."""
        shape = [part if not part.isdigit() else "{id}" for part in parts]
        match (method, shape):
            case ("GET", [plural]) if plural in self._plural:
                return self._plural[plural].list
            case (_, [singular, *rest]) if singular in self._singular and rest in ([], ["{id}"]):
                return self._single(method, self._singular[singular], bool(rest))
            case ("GET", ["contactaggregate", "{id}"]):
                return self.aggregates.get
            case ("PUT", ["contactaggregate", "{id}"]):
                return self.aggregates.update
            case ("POST", ["contactaggregate"]):
                return self.aggregates.insert
            case ("POST", ["item", "{id}", "build"]):
                return self.items.build
            case ("POST", ["invoice", "{id}", "email" | "email-contact"]):
                return self.invoices.email
            case ("GET", ["invoices", "salesstatssummary"]):
                return self.invoices.statistics
            case ("GET", ["deletedentities"]):
                return self.lookups.deleted
            case ("GET", ["search"]):
                return self.lookups.search
            case ("GET", ["lookupdata", name]):
                return partial(self.lookups.data, name=name)
            case ("GET", ["accounts", "bankaccountbalances"]):
                return self.lookups.balances
        raise missing("No HTTP resource was found that matches the request URI.")

    @staticmethod
    def _single(method: str, resource: Resource, numbered: bool) -> _DONE:
        if resource.kind == "fileidentity":
            return {"GET": _own(resource.get), "PUT": _own(resource.update)}.get(method) or _refused(method)
        if method == "GET" and numbered:
            return resource.get
        if not resource.writable:
            return _refused(method)
        if method == "POST" and not numbered:
            return resource.insert
        if method == "PUT" and numbered:
            return resource.update
        if method == "DELETE" and numbered:
            return resource.delete
        return _refused(method)


def _own(act: _DONE) -> _DONE:
    """A file is named by FileId, not in the path."""

    def done(call: Call) -> object:
        return act(
            Call(call.method, call.file, call.login, call.params, call.body, call.base, call.echo, call.file)
        )

    return done


def _refused(method: str) -> _DONE:
    def done(call: Call) -> object:
        del call
        raise SaasuError(f"The requested resource does not support http method '{method}'.", 405, quoted=True)

    return done
