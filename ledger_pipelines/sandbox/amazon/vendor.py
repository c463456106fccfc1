"""Amazon as a vendor of the sandbox: routes, control routes, seeds, dump.

Belongs here: putting the parts together. Does not belong here: what an endpoint answers.
"""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ledger_pipelines.sandbox.amazon.answers import (
    quota_exceeded,
    server_error,
    storage_error,
    token_error,
    unauthorized,
)
from ledger_pipelines.sandbox.amazon.archive import MARKETPLACES, Archive, Report
from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines.sandbox.amazon.login import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Login
from ledger_pipelines.sandbox.amazon.reports import ROOT, ReportsApi
from ledger_pipelines.sandbox.amazon.storage import Storage
from ledger_pipelines.sandbox.amazon.summary import NoSummaryError, Summary, read_summary
from ledger_pipelines.sandbox.vendor import RESERVED_PORTS, SandboxContext

TOKEN_PATH = "/auth/o2/token"  # noqa: S105  a path
SELLER_ID = "A3SANDBOXSELLER"
STATUS = Literal["DONE", "IN_QUEUE", "IN_PROGRESS", "CANCELLED", "FATAL"]


class DocumentRequest(BaseModel):
    """``POST /amazon/documents``. The last three are for a file without a readable summary row."""

    model_config = ConfigDict(extra="forbid")
    name: str
    content_base64: str
    created: AwareDatetime | None = None
    compression: Literal["auto", "GZIP", "none"] = "auto"
    charset: str | None = None
    archived: bool = False
    status: STATUS = "DONE"
    report_type: str | None = None
    data_start: AwareDatetime | None = None
    data_end: AwareDatetime | None = None


class ReportChange(BaseModel):
    """``POST /amazon/reports/{reportId}``: what is to be different."""

    model_config = ConfigDict(extra="forbid")
    status: STATUS | None = None
    archived: bool | None = None


class AmazonVendor:
    """Login with Amazon, the Reports API and the document storage, on one port, for one seller of North America."""

    name = "amazon"
    port_offset = RESERVED_PORTS["amazon"]
    extra_faults = frozenset(
        {
            "token_expired",
            "refresh_token_revoked",
            "url_expired",
            "gzip_lie",
            "blank_page",
            "duplicate_entry",
            "wrong_charset",
            "no_charset",
        }
    )

    def __init__(self, context: SandboxContext):
        self._context = context
        self._archive = Archive(context.store, context.clock)
        self._login = Login(context.store, context.clock)
        self._storage = Storage(self._archive, context.clock, context.base_url)
        self._api = ReportsApi(self._archive, self._storage, self._login, context.clock)
        self._app = Starlette(
            routes=[
                Route(TOKEN_PATH, self._login.token, methods=["POST"]),
                *self._api.routes(),
                Route("/{key:path}", self._otherwise, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            ]
        )

    @property
    def app(self) -> ASGIApp:
        """The ASGI application."""
        return self._app

    def credentials(self) -> dict[str, object]:
        """What a client needs. The token host differs from the API's at Amazon; here both are one port."""
        return {
            "base_url": self._context.base_url,
            "token_url": f"{self._context.base_url}{TOKEN_PATH}",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "seller_id": SELLER_ID,
            "region": "na",
            "marketplace_ids": list(MARKETPLACES),
        }

    def dump(self) -> object:
        """``{"reports": [...], "tokens_issued": n}``; without the documents' bytes."""
        return {
            "reports": [_as_json(report) for report in self._archive.all()],
            "tokens_issued": self._login.issued,
        }

    def reset(self, seed: str) -> None:
        """Empty, or with the demo settlements; every bucket full."""
        self._archive.clear()
        self._login.clear()
        self._api.refill()
        if seed == "demo":
            for file in demo_settlement_files():
                self._archive.add(file.content, file.name, read_summary(file.content))

    def path_pattern(self, path: str) -> str:
        """The path with report, document and storage ids as ``{id}``."""
        if path.startswith(f"{ROOT}/"):
            return re.sub(rf"^({ROOT}/(?:reports|documents))/[^/]+$", r"\1/{id}", path)
        return path if path == TOKEN_PATH else "/{id}"

    def error_response(self, kind: str, status: int, request: Request, retry_after: int | None) -> Response:  # noqa: ARG002  the status tells Amazon's kinds apart
        """An injected error in the shape of the endpoint that was called."""
        path = request.url.path
        if path == TOKEN_PATH:
            return token_error(status, "temporarily_unavailable", "The service is temporarily unavailable.")
        if not path.startswith("/reports/"):
            code = "SlowDown" if status in (429, 503) else "InternalError"
            return storage_error(status, code, "Please try again.")
        return quota_exceeded(retry_after) if status == 429 else server_error(status)

    def control_routes(self) -> list[BaseRoute]:
        """Adding settlement files and changing reports."""
        return [
            Route("/documents", self._add_document, methods=["POST"]),
            Route("/reports/{id}", self._change_report, methods=["POST"]),
        ]

    async def _otherwise(self, request: Request) -> Response:
        if request.method == "GET" and ".amzn1.tortuga." in request.url.path:
            return await self._storage.get(request)
        return unauthorized()

    async def _add_document(self, request: Request) -> Response:
        wish = DocumentRequest.model_validate_json(await request.body())
        try:
            content = base64.b64decode(wish.content_base64, validate=True)
        except binascii.Error as error:
            raise ValueError(f"content_base64 of {wish.name} is not base64: {error}") from error
        report = self._archive.add(
            content,
            wish.name,
            _summary(wish, content),
            created=None if wish.created is None else wish.created.astimezone(UTC),
            compression=wish.compression,
            charset=wish.charset,
            archived=wish.archived,
            status=wish.status,
        )
        return JSONResponse(_as_json(report), 201)

    async def _change_report(self, request: Request) -> Response:
        wish = ReportChange.model_validate_json(await request.body())
        report = self._archive.by_id(request.path_params["id"])
        if report is None:
            return JSONResponse({"error": f"no report {request.path_params['id']}"}, 404)
        return JSONResponse(_as_json(self._archive.change(report, wish.status, wish.archived)))


def _summary(wish: DocumentRequest, content: bytes) -> Summary:
    if wish.report_type is not None and wish.data_start is not None and wish.data_end is not None:
        start, end = wish.data_start.astimezone(UTC), wish.data_end.astimezone(UTC)
        return Summary(wish.report_type, "", start, end)
    try:
        return read_summary(content)
    except NoSummaryError as error:
        raise ValueError(
            f"{wish.name}: {error}. To list it all the same, give report_type, data_start and data_end"
        ) from error


def _as_json(report: Report) -> dict[str, object]:
    return {
        "reportId": report.report_id,
        "reportDocumentId": report.document_id,
        "reportType": report.report_type,
        "name": report.name,
        "settlementId": report.settlement_id,
        "createdTime": _iso(report.created),
        "dataStartTime": _iso(report.data_start),
        "dataEndTime": _iso(report.data_end),
        "processingStatus": report.status,
        "archived": report.archived,
        "compression": report.compression,
        "charset": report.charset,
        "size": report.size,
        "sha256": report.sha256,
    }


def _iso(instant: datetime) -> str:
    return instant.isoformat()
