"""Record verbs: get, create, change, upsert, transform, delete, metadata, and what their answers carry.

Belongs here: paths and headers of single-record calls. Does not belong here: batches (`batch`), the meaning of an
answer for the engine (`endings`). Facts: netsuite.md 4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import TransientError
from ledger_pipelines.systems.http import LATER, Answer, query_string
from ledger_pipelines.systems.netsuite.client import RECORD, NetSuiteClient, pattern_of

REPLACED = ("item", "line", "expense", "expCost")
"""Sublists sent whole: a line without its key would be added to the ones already there (netsuite.md 4.5)."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def record_path(kind: str, record_id: str = "") -> str:
    """`/services/rest/record/v1/invoice/5012`; ids may be `eid:<external id>`."""
    if not _KIND.fullmatch(kind):
        raise ValueError(f"{kind!r} is not a NetSuite record type.")
    return f"{RECORD}{kind}" + (f"/{quote(record_id, safe=':_-')}" if record_id else "")


def id_of(answer: Answer) -> str:
    """The internal id in `Location`: its last segment; "" when there is none or it is not a number."""
    last = location(answer).rsplit("/", 1)[-1]
    return last if last.isascii() and last.isdecimal() else ""


def location(answer: Answer) -> str:
    """The path in `Location`, without a slash at its end; "" when there is none, or it is no address."""
    try:
        return httpx.URL(answer.headers.get("location", "")).path.rstrip("/")
    except httpx.InvalidURL:
        return ""


def replaced(body: dict[str, Json]) -> str:
    """`?replace=item` when the body brings such a sublist."""
    names = [name for name in REPLACED if name in body]
    return query_string({"replace": ",".join(names)}) if names else ""


class Records:
    """Single-record calls of one account. Writes return any answer; see `endings` for their meaning."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._client = client

    def get(self, kind: str, record_id: str, *, expand: bool = False) -> dict[str, Json]:
        """A record's body. Loads it in edit mode, so the role needs edit rights (netsuite.md 4.4).

        Raises:
            TransientError, CredentialError, NetSuiteRefusedError: as `NetSuiteClient.json`; TransientError: it is no record.
        """
        params = {"expandSubResources": "true"} if expand else {}
        return self._object(record_path(kind, record_id) + query_string(params))

    def post(self, kind: str, body: dict[str, Json]) -> Answer:
        """Create one record."""
        return self._client.write("POST", record_path(kind), body=body)

    def patch(self, kind: str, record_id: str, body: dict[str, Json]) -> Answer:
        """Change named fields; lists of lines are replaced whole, `apply` is merged by document."""
        return self._client.write("PATCH", record_path(kind, record_id) + replaced(body), body=body)

    def put(self, kind: str, external_id: str, body: dict[str, Json]) -> Answer:
        """Create or change by external id; overwrites what a person changed since."""
        path = record_path(kind, f"eid:{external_id}") + replaced(body)
        return self._client.write("PUT", path, body=body)

    def transform(self, source: str, target: str, body: dict[str, Json]) -> Answer:
        """Make a `target` record from `source` ("salesOrder/7001"); saved at once."""
        kind, _, record_id = source.partition("/")
        if not _KIND.fullmatch(target):
            raise ValueError(f"{target!r} is not a NetSuite record type.")
        path = f"{record_path(kind, record_id)}/!transform/{target}{replaced(body)}"
        return self._client.write("POST", path, body=body)

    def delete(self, kind: str, record_id: str) -> Answer:
        """Delete one record."""
        return self._client.write("DELETE", record_path(kind, record_id))

    def metadata(self, kind: str) -> dict[str, Json]:
        """JSON Schema of a record type, with the account's own fields. One call."""
        return self._object(f"{RECORD}metadata-catalog/{kind}", headers={"Accept": "application/schema+json"})

    def _object(self, path: str, *, headers: Mapping[str, str] | None = None) -> dict[str, Json]:
        value = self._client.json(path, headers=headers)
        if not isinstance(value, dict):
            raise TransientError(f"NetSuite, GET {pattern_of(path)}: the answer is no record.", remedy=LATER)
        return value
