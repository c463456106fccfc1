"""What Omni answers: error objects, write results, names in camel or Pascal case.

Belongs here: shapes on the wire, error texts. Does not belong here: when they are given.
Source: cin7-omni.md 7, 8. Error texts are attested only where section 8 quotes them; the others are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from ledger_pipelines.sandbox.codec import Document, dumps

MALFORMED = "Missing or malformed JSON data"
DENIED = "Authorization has been denied for this request."
FAULT = "An error has occurred."
_VERBATIM = frozenset({"customFields", "priceColumns"})
"""Objects whose keys are the account's own and keep their spelling."""


class Cin7Error(Exception):
    """A request that is refused as a whole: an object with `message`."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text, self.status = text, status


class ItemError(Exception):
    """One record of a batch that is refused; the others go on."""

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class DuplicateError(ItemError):
    """A unique value is taken: one record or the whole request fails, as the setting `duplicate_mode` says."""


def missing(text: str) -> Cin7Error:
    """404."""
    return Cin7Error(text, 404)


def result(index: int, row_id: int | None, code: str | None, errors: Sequence[str] = ()) -> Document:
    """One entry of a write's answer."""
    return {"index": index, "success": not errors, "id": row_id, "code": code, "errors": list(errors)}


def without_errors_key(results: object) -> object:
    """Write results as some accounts give them: no `errors` where there are none."""
    if not isinstance(results, list):
        return results
    return [{k: v for k, v in one.items() if k != "errors" or v} for one in results]


def pascal(value: Any) -> Any:
    """The same document with names as the help pages print them: `Id`, `LineItems`."""
    if isinstance(value, list):
        return [pascal(part) for part in value]
    if isinstance(value, dict):
        return {
            name[:1].upper() + name[1:]: part if name in _VERBATIM else pascal(part)
            for name, part in value.items()
        }
    return value


def json_answer(body: object, status: int = 200) -> Response:
    """A JSON answer, decimals with their own digits."""
    return Response(dumps(body), status, media_type="application/json; charset=utf-8")


def message(text: str, status: int) -> Response:
    """An error object."""
    return json_answer({"message": text}, status)


def throttled(text: str, retry_after: int | None) -> Response:
    """429: a bare JSON string, not an object."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(msgspec.json.encode(text), 429, headers, "application/json; charset=utf-8")
