"""The error answers of SuiteTalk REST: one exception type and the JSON body it becomes.

Belongs here: status, title, `o:errorCode` and the texts shared by several modules.
Does not belong here: deciding that something is wrong. Source: netsuite.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger_pipelines.sandbox.codec import Document

_SECTIONS = {
    400: ("15.5.1", "Bad Request"),
    401: ("15.5.2", "Unauthorized"),
    403: ("15.5.4", "Forbidden"),
    404: ("15.5.5", "Not Found"),
    405: ("15.5.6", "Method Not Allowed"),
    409: ("15.5.10", "Conflict"),
    413: ("15.5.14", "Content Too Large"),
    415: ("15.5.16", "Unsupported Media Type"),
    429: ("15.5.1", "Bad Request"),
    500: ("15.6.1", "Internal Server Error"),
    502: ("15.6.3", "Bad Gateway"),
    503: ("15.6.4", "Service Unavailable"),
    504: ("15.6.5", "Gateway Timeout"),
}
_ACCESS = "Error while accessing a resource. "


@dataclass
class NetSuiteError(Exception):
    """A refusal as the caller sees it: HTTP status, vendor code, sentence and where it points.

    `locator` is the name of the detail's pointer (`o:errorPath`, `o:errorQueryParam`, `o:errorHeader`,
    `o:errorUrl`) and `where` its value.
    """

    status: int
    code: str
    detail: str
    where: str | None = None
    locator: str = "o:errorPath"
    title: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"

    def body(self) -> Document:
        """The JSON body of netsuite.md section 5."""
        return error_body(self.status, self.code, self.detail, self.where, self.locator, self.title)


def error_body(
    status: int,
    code: str,
    detail: str,
    where: str | None = None,
    locator: str = "o:errorPath",
    title: str | None = None,
) -> Document:
    """Build `{"type", "title", "status", "o:errorDetails": [...]}`."""
    section, default_title = _SECTIONS.get(status, ("15.6.1", "Error"))
    item: Document = {"detail": detail, "o:errorCode": code}
    if where is not None:
        item[locator] = where
    body: Document = {
        "type": f"https://www.rfc-editor.org/rfc/rfc9110.html#section-{section}",
        "title": title or default_title,
        "status": status,
        "o:errorDetails": [item],
    }
    if status == 429:
        body["o:errorCode"] = "USER_ERROR"
    return body


def injected(status: int, text: str = "") -> NetSuiteError:
    """What an injected fault of this status says; `text`: of a script that refuses, with a status below 500."""
    if status == 429:
        return NetSuiteError(
            429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked."
        )
    if status < 500:
        return NetSuiteError(
            status, "USER_ERROR", _ACCESS + (text or "A user event script refused the record.")
        )
    return NetSuiteError(
        status, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: sandboxinjectedfault0"
    )


def user_error(text: str, where: str | None = None) -> NetSuiteError:
    """400 USER_ERROR, the vendor's answer to a business rule."""
    return NetSuiteError(400, "USER_ERROR", _ACCESS + text, where)


def invalid_value(value: object, name: str, where: str | None = None) -> NetSuiteError:
    """400 INVALID_CONTENT for a value that cannot be what the field needs (bad type, bad reference)."""
    text = (
        f"Error while accessing resource: You have entered an Invalid Field Value {value} "
        f"for the following field: {name}"
    )
    return NetSuiteError(400, "INVALID_CONTENT", text, where or name)


def missing_values(names: str) -> NetSuiteError:
    """400 USER_ERROR for mandatory fields without a value."""
    return user_error(f"Please enter value(s) for: {names}")


def nonexistent(where: str | None = None) -> NetSuiteError:
    """404: no such record instance."""
    text = "The record instance does not exist. Provide a valid record instance ID."
    return NetSuiteError(404, "NONEXISTENT_ID", text, where, "o:errorUrl")


def unknown_record_type(name: str) -> NetSuiteError:
    """404: no such record type in this account (typo, feature off, or type never deployed)."""
    return NetSuiteError(404, "NONEXISTENT_ID", f"Record type '{name}' does not exist.", name, "o:errorUrl")


def invalid_request(text: str | None = None, where: str | None = None) -> NetSuiteError:
    """400 INVALID_REQUEST: malformed JSON or URL."""
    default = "The request could not be understood by the server due to malformed syntax."
    return NetSuiteError(400, "INVALID_REQUEST", text or default, where, "o:errorUrl")


def invalid_parameter(text: str, name: str) -> NetSuiteError:
    """400 INVALID_PARAMETER pointing at a query parameter."""
    return NetSuiteError(400, "INVALID_PARAMETER", text, name, "o:errorQueryParam")


def invalid_query(text: str) -> NetSuiteError:
    """400 for a SuiteQL text the service refuses; `text` follows the vendor's fixed opening."""
    opening = "Invalid search query. Detailed unprocessed description follows. "
    return invalid_parameter(opening + text, "q")


def invalid_login() -> NetSuiteError:
    """The one generic 401 body; the cause is only in the login audit trail."""
    text = (
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at "
        "Setup > Users/Roles > User Management > View Login Audit Trail."
    )
    return NetSuiteError(401, "INVALID_LOGIN", text)


def insufficient_permission(permission: str, level: str) -> NetSuiteError:
    """403 naming the missing permission."""
    text = (
        f"Permission Violation: You need a higher level of the '{permission}' permission to access this "
        f"page. Please contact your account administrator. (needed: {level})"
    )
    return NetSuiteError(403, "INSUFFICIENT_PERMISSION", text)


def too_many_requests() -> NetSuiteError:
    """429 of the concurrency governance."""
    return NetSuiteError(
        429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked."
    )


def method_not_allowed(method: str) -> NetSuiteError:
    """405 for a verb the resource does not have."""
    return NetSuiteError(405, "METHOD_NOT_ALLOWED", f"The method {method} is not allowed on this resource.")
