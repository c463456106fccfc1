"""Reports API v2021-06-30: getReports, getReport, getReportDocument, createReport.

Belongs here: the operations with their parameter rules and limits (reference amazon-settlement.md section 15).
Does not belong here: tokens (``login``), documents' bytes (``storage``), answers' shapes (``answers``).
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger_pipelines.sandbox.amazon.answers import api_answer, api_error, invalid_input, quota_exceeded
from ledger_pipelines.sandbox.amazon.archive import LISTED, Archive, Report
from ledger_pipelines.sandbox.amazon.buckets import LIMITS, TokenBucket
from ledger_pipelines.sandbox.amazon.login import Login
from ledger_pipelines.sandbox.amazon.storage import Storage
from ledger_pipelines.sandbox.amazon.summary import SETTLEMENT_TYPES, V2
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.vendor import call_info

ROOT = "/reports/2021-06-30"
STATUSES = ("IN_QUEUE", "IN_PROGRESS", "DONE", "CANCELLED", "FATAL")
NEXT_TOKEN_LIFETIME = timedelta(hours=1)
KNOWN_MARKETPLACES = frozenset(
    {
        "ATVPDKIKX0DER",
        "A2EUQ1WTGCTBG2",
        "A1AM78C64UM0Y8",
        "A2Q3Y263D00KWC",
        "A1F83G8C2ARO7P",
        "A1PA6795UKMFR9",
        "A13V1IB3VIYZZH",
        "APJ6JRA9NG5V4",
        "A1RKKUPIHCS9HS",
        "A1805IZSGTT6HS",
        "A2NODRKZP88ZB9",
        "A1C3SOZRARQ6R3",
        "AMEN7PMS3EDWL",
        "A33AVAJ2PDY3EV",
        "A2VIGQ35RCS4UG",
        "A17E79C6D8DWNP",
        "ARBP9OOSHTCHU",
        "A21TJRUUN4KGV",
        "A1VC38T7YXB528",
        "A39IBJ37TRP1C6",
        "A19VAU5U5O7RUS",
    }
)
_TOKEN_KEY = b"sandbox paging"
_OPERATION = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Listing:
    """One question to getReports, as its nextToken carries it. ``after`` = (createdTime, reportId) already given."""

    report_types: list[str]
    statuses: list[str]
    since: datetime
    until: datetime
    page_size: int
    after: tuple[datetime, int] | None = None
    issued: datetime | None = None


class _BadParameterError(ValueError):
    """A parameter of a call is wrong."""


class ReportsApi:
    """The operations. Limits count per operation for the one application and account that there is."""

    def __init__(self, archive: Archive, storage: Storage, login: Login, clock: SandboxClock):
        self._archive = archive
        self._storage = storage
        self._login = login
        self._clock = clock
        self.refill()

    def refill(self) -> None:
        """Fill every bucket."""
        self._buckets = {name: TokenBucket(limit, self._clock.now()) for name, limit in LIMITS.items()}

    def routes(self) -> list[Route]:
        """The API's routes."""
        return [
            Route(f"{ROOT}/reports", self._guard("getReports", self._get_reports), methods=["GET"]),
            Route(f"{ROOT}/reports", self._guard("createReport", self._create_report), methods=["POST"]),
            Route(f"{ROOT}/reports/{{id}}", self._guard("getReport", self._get_report), methods=["GET"]),
            Route(
                f"{ROOT}/documents/{{id}}",
                self._guard("getReportDocument", self._get_document),
                methods=["GET"],
            ),
        ]

    def _guard(self, operation: str, handler: _OPERATION) -> _OPERATION:
        async def guarded(request: Request) -> Response:
            refusal = self._login.refusal(request)
            if refusal is not None:
                return refusal
            if not self._buckets[operation].take(self._clock.now()):
                return quota_exceeded()
            try:
                return await handler(request)
            except _BadParameterError as error:
                return invalid_input(str(error), operation)

        return guarded

    async def _get_reports(self, request: Request) -> Response:
        listing = self._listing(request)
        found = [
            report
            for report in self._archive.all()
            if not report.archived
            and report.report_type in listing.report_types
            and (not listing.statuses or report.status in listing.statuses)
            and listing.since <= report.created <= listing.until
        ]
        rest = [r for r in found if listing.after is None or (r.created, int(r.report_id)) < listing.after]
        info = call_info(request.scope)
        if info.fault("blank_page") is not None:
            page: list[Report] = []
            after: tuple[datetime, int] | None = listing.after or (datetime.max.replace(tzinfo=UTC), 0)
            more = True
        else:
            page = rest[: listing.page_size]
            repeated = info.fault("duplicate_entry") is not None and len(page) > 1
            last = page[-2] if repeated else page[-1] if page else None
            after = (last.created, int(last.report_id)) if last is not None else None
            more = len(rest) > listing.page_size
        body: dict[str, object] = {"reports": [report.as_api() for report in page]}
        if more and after is not None:
            body["nextToken"] = _seal(listing, after, self._clock.now())
        return api_answer(body, operation="getReports")

    def _listing(self, request: Request) -> Listing:
        given = request.query_params
        now = self._clock.now()
        if "nextToken" in given:
            if len(given.multi_items()) > 1:
                raise _BadParameterError("nextToken must be the only parameter of the request.")
            return _unseal(given["nextToken"], now)
        types = _list(given.getlist("reportTypes"))
        if not types:
            raise _BadParameterError("Either reportTypes or nextToken must be specified.")
        if len(types) > 10:
            raise _BadParameterError("reportTypes accepts at most 10 values.")
        statuses = _list(given.getlist("processingStatuses"))
        wrong = [status for status in statuses if status not in STATUSES]
        if wrong:
            raise _BadParameterError(f"Invalid processingStatuses: {wrong[0]}")
        _marketplaces(_list(given.getlist("marketplaceIds")))
        size = given.get("pageSize", "10")
        if not size.isdecimal() or not 1 <= int(size) <= 100:
            raise _BadParameterError("pageSize must be between 1 and 100.")
        horizon = now - LISTED
        since = _instant(given.get("createdSince"), "createdSince") or horizon
        if since < horizon:
            raise _BadParameterError("createdSince must not be earlier than 90 days ago.")
        return Listing(
            types, statuses, since, _instant(given.get("createdUntil"), "createdUntil") or now, int(size)
        )

    async def _get_report(self, request: Request) -> Response:
        report_id = request.path_params["id"]
        report = self._archive.by_id(report_id)
        if report is None:
            return api_error(404, "NotFound", f"Report {report_id} not found.", "getReport")
        return api_answer(report.as_api(), operation="getReport")

    async def _get_document(self, request: Request) -> Response:
        document_id = request.path_params["id"]
        report = self._archive.by_document(document_id)
        if report is None:
            return api_error(
                404, "NotFound", f"Report document {document_id} not found.", "getReportDocument"
            )
        wish = request.query_params.get("enableContentEncodingUrlHeader", "false").lower()
        if wish not in ("true", "false"):
            raise _BadParameterError("enableContentEncodingUrlHeader must be true or false.")
        info = call_info(request.scope)
        lie = info.fault("gzip_lie") is not None
        url = self._storage.address(report, wish == "true", info.fault("url_expired") is not None, plain=lie)
        body = {"reportDocumentId": report.document_id, "url": url}
        if report.compression == "GZIP" or lie:
            body["compressionAlgorithm"] = "GZIP"
        return api_answer(body, operation="getReportDocument")

    async def _create_report(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return api_error(
                415, "UnsupportedMediaType", "The Content-Type must be application/json.", "createReport"
            )
        try:
            wish = msgspec.json.decode(await request.body(), type=dict[str, object])
        except msgspec.DecodeError as error:
            raise _BadParameterError("The request body is not valid JSON.") from error
        report_type = wish.get("reportType")
        marketplaces = wish.get("marketplaceIds")
        if not isinstance(report_type, str) or not isinstance(marketplaces, list) or not marketplaces:
            raise _BadParameterError("reportType and marketplaceIds are required.")
        _marketplaces([str(one) for one in marketplaces])
        if report_type in SETTLEMENT_TYPES:
            number = 1118 if report_type == V2 else 1117
            raise _BadParameterError(f"Request for report type {number} is not allowed at this time")
        raise _BadParameterError(f"Report type {report_type} is not part of this sandbox.")


def _list(values: list[str]) -> list[str]:
    return [part for value in values for part in value.split(",") if part]


def _marketplaces(ids: list[str]) -> None:
    wrong = [one for one in ids if one not in KNOWN_MARKETPLACES]
    if wrong:
        raise _BadParameterError(f"Invalid marketplaceIds: {wrong[0]}")
    if len(ids) > 10:
        raise _BadParameterError("marketplaceIds accepts at most 10 values.")


def _instant(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        # a "+" of an offset that was not escaped arrives as a blank
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise _BadParameterError(f"{name} is not an ISO 8601 date time.") from error
    return instant.astimezone(UTC) if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _seal(listing: Listing, after: tuple[datetime, int], now: datetime) -> str:
    body = msgspec.json.encode(replace(listing, after=after, issued=now))
    mark = hmac.new(_TOKEN_KEY, body, hashlib.sha256).digest()[:16]
    return base64.b64encode(mark + body).decode("ascii")


def _unseal(token: str, now: datetime) -> Listing:
    try:
        raw = base64.b64decode(token, validate=True)
    except ValueError as error:
        raise _BadParameterError("nextToken is invalid.") from error
    if not hmac.compare_digest(raw[:16], hmac.new(_TOKEN_KEY, raw[16:], hashlib.sha256).digest()[:16]):
        raise _BadParameterError("nextToken is invalid.")
    listing = msgspec.json.decode(raw[16:], type=Listing)
    if listing.issued is None or now - listing.issued > NEXT_TOKEN_LIFETIME:
        raise _BadParameterError("nextToken has expired.")
    return listing
