"""Where report documents are fetched: presigned-looking addresses that live five minutes.

Belongs here: making and checking the addresses, giving the bytes (reference amazon-settlement.md 15.1, 15.3, 5).
Does not belong here: the Reports API.
"""

import gzip
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from ledger_pipelines.sandbox.amazon.answers import storage_error
from ledger_pipelines.sandbox.amazon.archive import Archive, Report
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.vendor import call_info

EXPIRES = timedelta(seconds=300)
_KEY = b"sandbox storage"
_STAMP = "%Y%m%dT%H%M%SZ"


class Storage:
    """The document storage, on the same port as the API."""

    def __init__(self, archive: Archive, clock: SandboxClock, base_url: str):
        self._archive = archive
        self._clock = clock
        self._base_url = base_url

    def address(self, report: Report, content_encoding: bool, expired: bool, plain: bool) -> str:
        """A URL for the document. ``plain``: the bytes come unpacked whatever the API says (the gzip lie)."""
        now = self._clock.now() - (EXPIRES + timedelta(seconds=1) if expired else timedelta())
        unique = report.document_id.split(".")[5]
        path = f"/{unique}.amzn1.tortuga.4.na.T{report.report_id}"
        signed = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Date", now.strftime(_STAMP)),
            ("X-Amz-SignedHeaders", "host"),
            ("X-Amz-Expires", str(int(EXPIRES.total_seconds()))),
            ("X-Amz-Credential", f"AKIASANDBOX/{now:%Y%m%d}/us-east-1/s3/aws4_request"),
        ]
        if content_encoding and report.compression == "GZIP":
            signed.append(("response-content-encoding", "gzip"))
        if plain:
            signed.append(("sandbox-plain", "1"))
        query = urlencode(signed)
        return f"{self._base_url}{path}?{query}&X-Amz-Signature={_signature(path, query)}"

    async def get(self, request: Request) -> Response:
        """``GET`` of an address made by :meth:`address`."""
        path, query = request.url.path, request.url.query
        unsigned = sorted(name for name in request.headers if name.startswith("x-amz-"))
        if unsigned:
            message = "There were headers present in the request which were not signed"
            return storage_error(403, "AccessDenied", message, HeadersNotSigned=", ".join(unsigned))
        if "authorization" in request.headers:
            return storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        body, _, signature = query.rpartition("&X-Amz-Signature=")
        if not signature:
            return storage_error(403, "AccessDenied", "Access Denied")
        if not hmac.compare_digest(signature, _signature(path, body)):
            message = "The request signature we calculated does not match the signature you provided."
            return storage_error(403, "SignatureDoesNotMatch", message)
        given = request.query_params
        expires = datetime.strptime(given["X-Amz-Date"], _STAMP).replace(tzinfo=UTC) + EXPIRES
        now = call_info(request.scope).received_at
        if now > expires:
            return storage_error(
                403,
                "AccessDenied",
                "Request has expired",
                Expires=expires.isoformat(),
                ServerTime=now.replace(microsecond=0).isoformat(),
            )
        report = self._archive.by_id(path.rpartition(".T")[2])
        if report is None:
            return storage_error(404, "NoSuchKey", "The specified key does not exist.")
        return self._document(report, request)

    def _document(self, report: Report, request: Request) -> Response:
        info, given = call_info(request.scope), request.query_params
        content = self._archive.content(report.document_id)
        if report.compression == "GZIP" and "sandbox-plain" not in given:
            content = gzip.compress(content, mtime=0)
        charset = report.charset
        wrong = info.fault("wrong_charset")
        if wrong is not None:
            charset = wrong.message or "utf-16"
        if info.fault("no_charset") is not None:
            charset = None
        headers = {
            "Content-Type": "text/plain" if charset is None else f"text/plain; charset={charset}",
            "ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"',
        }
        if "response-content-encoding" in given:
            headers["Content-Encoding"] = given["response-content-encoding"]
        return Response(content, headers=headers)


def _signature(path: str, query: str) -> str:
    return hmac.new(_KEY, f"{path}?{query}".encode(), hashlib.sha256).hexdigest()
