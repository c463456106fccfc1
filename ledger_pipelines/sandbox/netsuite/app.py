"""HTTP: the ASGI application of one emulated account.

Belongs here: routing, credentials, concurrency governance, headers, the token and system endpoints.
Does not belong here: what the services do. Source: netsuite.md 1, 3, 6, 7.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger_pipelines.sandbox import codec
from ledger_pipelines.sandbox.netsuite import auth_m2m
from ledger_pipelines.sandbox.netsuite.batch import JOB_PATH, Jobs, is_collection, wants_async
from ledger_pipelines.sandbox.netsuite.clock import utc_text
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import (
    NetSuiteError,
    invalid_login,
    invalid_request,
    method_not_allowed,
    nonexistent,
    too_many_requests,
    user_error,
)
from ledger_pipelines.sandbox.netsuite.gatekeeper import Gatekeeper
from ledger_pipelines.sandbox.netsuite.representation import RECORD_PATH, page
from ledger_pipelines.sandbox.netsuite.service import (
    COLLECTION,
    Answer,
    Call,
    RecordService,
    error_answer,
    json_answer,
    paging,
)
from ledger_pipelines.sandbox.netsuite.suiteql import QueryService
from ledger_pipelines.sandbox.netsuite.suiteql_kept import Asked
from ledger_pipelines.sandbox.netsuite.users import CERTIFICATES, Identity

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  a path
SUITEQL_PATH = "/services/rest/query/v1/suiteql"
SYSTEM_PATH = "/services/rest/system/v1"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_CALL = "ledger.sandbox.call"


class NetSuiteApp:
    """The application and its counters."""

    def __init__(self, company: Company):
        self.company = company
        self.gatekeeper = Gatekeeper(company)
        self.records = RecordService(company)
        self.queries = QueryService(company)
        self.jobs = Jobs(company, self.records)
        self.in_flight = 0
        self.most_in_flight = 0
        self.refused = 0
        self.asgi = Starlette(
            routes=[
                Route(TOKEN_PATH, self._token, methods=["POST"]),
                Route("/{rest:path}", self._any, methods=_METHODS),
            ]
        )

    async def _any(self, request: Request) -> Response:
        if self.in_flight >= self.company.features.concurrency:
            self.refused += 1
            return _response(error_answer(too_many_requests()))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            body = await request.body()
            if self.company.features.latencySeconds:
                await asyncio.sleep(self.company.features.latencySeconds)
            answer = await anyio.to_thread.run_sync(self._answer, request, body)
            self.jobs.wake()
            return _response(answer)
        finally:
            self.in_flight -= 1

    def _answer(self, request: Request, body: bytes) -> Answer:
        try:
            at = _received(request, self.company)
            _own_faults_before(request)
            with self.company.store.state.lock:
                identity = self.gatekeeper.identify(
                    request.method, self._urls(request), request.headers.get("authorization", ""), at
                )
                call = Call(
                    request.method,
                    request.url.path,
                    request.url.query,
                    {name.lower(): value for name, value in request.headers.items()},
                    _text(body),
                    f"{request.url.scheme}://{request.url.netloc}",
                )
                if " " in request.scope.get("path", "") and "%20" not in _raw_path(request):
                    raise invalid_request("Invalid url. Spaces are not allowed in the URL.")
                answer = self._dispatch(call, identity)
                self.jobs.look()
                return answer
        except NetSuiteError as error:
            return error_answer(error)

    def _urls(self, request: Request) -> list[str]:
        """The addresses a client may have signed: the one it used, and the account's public https host."""
        raw = _raw_path(request)
        query = request.scope.get("query_string", b"").decode("latin-1")
        tail = f"{raw}?{query}" if query else raw
        host = request.headers.get("host", request.url.netloc)
        return [
            f"{request.url.scheme}://{host}{tail}",
            f"https://{self.company.features.host}{tail}",
            f"https://{host}{tail}",
        ]

    def _dispatch(self, call: Call, identity: Identity) -> Answer:
        path = call.path
        if path == SUITEQL_PATH:
            return self._suiteql(call, identity)
        if path.startswith(JOB_PATH):
            return self.jobs.read(call)
        if path.startswith(RECORD_PATH + "/"):
            if wants_async(call):
                return self.jobs.submit(call, identity)
            if is_collection(call):
                raise invalid_request("A batch is asynchronous only: send the header Prefer: respond-async.")
            return self.records.handle(call, identity)
        if path.startswith(SYSTEM_PATH):
            return self._system(call)
        raise nonexistent()

    def _suiteql(self, call: Call, identity: Identity) -> Answer:
        if call.method != "POST":
            raise method_not_allowed(call.method)
        if "transient" not in call.headers.get("prefer", "").lower():
            raise NetSuiteError(
                400, "INVALID_HEADER", "The header Prefer: transient is required.", "Prefer", "o:errorHeader"
            )
        limit, offset = paging(call.params)
        asked = Asked(str(identity.role.id), call.body, limit, offset, call.base)
        kept = self.queries.kept.get(asked)
        if kept is not None:
            return Answer(200, kept, {"Content-Type": COLLECTION})
        try:
            body = codec.loads(call.body)
        except codec.MalformedJsonError:
            raise invalid_request() from None
        if not isinstance(body, dict):
            raise invalid_request()
        found = self.queries.run(body.get("q"), body.get("params"), identity.role, limit=limit, offset=offset)
        url = f"{call.base}{SUITEQL_PATH}"
        answer = json_answer(
            page(url, {}, found.items, limit=limit, offset=offset, total=found.total), content_type=COLLECTION
        )
        if found.repeatable:
            self.queries.kept.put(asked, answer.body)
        return answer

    def _system(self, call: Call) -> Answer:
        if call.method != "GET":
            raise method_not_allowed(call.method)
        name = call.path.removeprefix(SYSTEM_PATH).strip("/")
        if name == "serverTime":
            return json_answer({"serverTime": utc_text(self.company.now())})
        if name == "governanceLimits":
            limit = self.company.features.concurrency
            return json_answer(
                {"accountConcurrencyLimit": limit, "accountUnallocatedConcurrencyLimit": limit}
            )
        raise nonexistent()

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        at = _received(request, self.company)
        hosts = {
            f"{request.url.scheme}://{request.url.netloc}",
            self.company.base_url,
            f"https://{self.company.features.host}",
            f"https://{self.company.features.host.replace('.suitetalk.', '.restlets.')}",
        }
        try:
            certificates = () if call_fault(request, "token_revoked") else CERTIFICATES
            body = auth_m2m.issue(form, certificates, [host + TOKEN_PATH for host in hosts], at)
        except auth_m2m.TokenRefusedError as refused:
            with self.company.store.transaction():
                self.gatekeeper.audit("oauth2", "failure", refused.cause, "", at)
            return Response(
                codec.dumps({"error": refused.error}), refused.status, media_type="application/json"
            )
        return Response(codec.dumps(body), 200, media_type="application/json")


def _raw_path(request: Request) -> str:
    raw: bytes | None = request.scope.get("raw_path")
    if raw:
        return raw.partition(b"?")[0].decode("latin-1")
    return quote(request.scope["path"], safe="/:!,=@'()*;$&+~")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise invalid_request() from None


def _info(request: Request) -> object:
    return request.scope.get("extensions", {}).get(_CALL)


def _received(request: Request, company: Company) -> datetime:
    """When the call came in by the sandbox clock (a call applied late was signed when it came)."""
    at = getattr(_info(request), "received_at", None)
    skew = call_fault(request, "clock_skew")
    found = at if isinstance(at, datetime) else company.now()
    if skew is not None:
        found += timedelta(seconds=float(getattr(skew, "seconds", 0)))
    return found


def call_fault(request: Request, kind: str) -> object | None:
    """This vendor's own injected fault on the call, or None."""
    finder: Callable[[str], object | None] | None = getattr(_info(request), "fault", None)
    return finder(kind) if finder is not None else None


def _own_faults_before(request: Request) -> None:
    if call_fault(request, "token_revoked"):
        raise invalid_login()
    script = call_fault(request, "script_error")
    if script is not None and request.method != "GET" and request.url.path.startswith(RECORD_PATH):
        raise user_error(getattr(script, "message", None) or "A user event script refused the record.")


def _response(answer: Answer) -> Response:
    headers = dict(answer.headers)
    media_type = headers.pop("Content-Type", None)
    return Response(answer.body, answer.status, headers=headers, media_type=media_type)
