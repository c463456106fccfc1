"""The shapes of Amazon's answers: JSON of the API, JSON of the token service, XML of the storage.

Belongs here: bodies and headers (reference amazon-settlement.md 14, 15.3). Does not belong here: when they are given.
"""

import secrets
import uuid
from xml.sax.saxutils import escape

import msgspec
from starlette.responses import Response

from ledger_pipelines.sandbox.amazon.buckets import LIMITS

_RATE_STATUSES = (400, 404, 415)


def api_answer(body: object, status: int = 200, operation: str | None = None, **headers: str) -> Response:
    """A JSON answer of the API. The rate header is there on 2xx, 400, 404, 415 and absent otherwise."""
    response = Response(msgspec.json.encode(body), status, media_type="application/json")
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    response.headers["X-Amz-Rid"] = secrets.token_hex(10).upper()
    if operation is not None and (status < 300 or status in _RATE_STATUSES):
        response.headers["x-amzn-RateLimit-Limit"] = LIMITS[operation].header
    for name, value in headers.items():
        response.headers[name] = value
    return response


def api_error(
    status: int, code: str, message: str, operation: str | None = None, details: str = ""
) -> Response:
    """An error of the API. 400 and 403 carry ``details``; 404 and 429 do not, as recorded."""
    error = {"code": code, "message": message}
    if status in (400, 403):
        error["details"] = details
    response = api_answer({"errors": [error]}, status, operation)
    if status == 400:
        response.headers["x-amzn-ErrorType"] = "InvalidInputException"
    return response


def invalid_input(message: str, operation: str) -> Response:
    """400 InvalidInput."""
    return api_error(400, "InvalidInput", message, operation)


def unauthorized(details: str = "") -> Response:
    """403: no token, an expired one, no such path."""
    return api_error(403, "Unauthorized", "Access to requested resource is denied.", details=details)


def quota_exceeded(retry_after: int | None = None) -> Response:
    """429: the bucket is empty. Amazon sends no Retry-After; a fault may."""
    response = api_error(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def server_error(status: int) -> Response:
    """A 5xx of the API."""
    if status == 503:
        return api_error(503, "ServiceUnavailable", "Service is temporarily unavailable. Please try again.")
    return api_error(status, "InternalFailure", "We encountered an internal error. Please try again.")


def token_answer(body: object, status: int = 200) -> Response:
    """A JSON answer of the token service, never to be cached."""
    response = Response(msgspec.json.encode(body), status, media_type="application/json;charset=UTF-8")
    response.headers["Cache-Control"] = "no-cache, no-store"
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response


def token_error(status: int, error: str, description: str) -> Response:
    """An OAuth 2.0 error of the token service."""
    return token_answer({"error": error, "error_description": description}, status)


def storage_error(status: int, code: str, message: str, **elements: str) -> Response:
    """An XML error of the document storage."""
    more = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>{more}"
        f"<RequestId>{secrets.token_hex(8).upper()}</RequestId></Error>"
    )
    return Response(body.encode(), status, headers={"Content-Type": "application/xml"})
