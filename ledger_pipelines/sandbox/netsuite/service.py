"""The record service: from a call (method, path, query, headers, body) to an answer, without HTTP machinery.

Belongs here: verbs, query parameters, headers of the record service, form simulation.
Does not belong here: credentials, concurrency, sockets (app), jobs (batch), SuiteQL. Source: netsuite.md section 4.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from ledger_pipelines.sandbox import codec
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.netsuite import metadata, qfilter, transforms, users
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.engine import Engine, Saved, require_type
from ledger_pipelines.sandbox.netsuite.errors import (
    NetSuiteError,
    invalid_parameter,
    invalid_request,
    method_not_allowed,
    nonexistent,
)
from ledger_pipelines.sandbox.netsuite.normalise import Options
from ledger_pipelines.sandbox.netsuite.representation import RECORD_PATH, Presenter, View, page
from ledger_pipelines.sandbox.netsuite.schema import RecordType
from ledger_pipelines.sandbox.netsuite.store import Row
from ledger_pipelines.sandbox.netsuite.users import Identity

SINGULAR = "application/vnd.oracle.resource+json; type=singular"
COLLECTION = "application/vnd.oracle.resource+json; type=collection"
ERROR = "application/vnd.oracle.resource+json; type=error"
MAX_LIMIT = 1000
MAX_ROWS = 100_000


@dataclass(frozen=True)
class Call:
    """One request, in a form that a job can keep and replay. Header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    base: str = ""

    @property
    def params(self) -> dict[str, str]:
        """Query parameters, decoded (the last of a repeated name)."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: object, status: int = 200, content_type: str = SINGULAR) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, codec.dumps(value), {"Content-Type": content_type})


def error_answer(error: NetSuiteError) -> Answer:
    """The answer of a refusal."""
    return Answer(error.status, codec.dumps(error.body()), {"Content-Type": ERROR, **error.headers})


class RecordService:
    """The record service of one company."""

    def __init__(self, company: Company):
        self.company = company
        self.engine = Engine(company)

    def handle(self, call: Call, identity: Identity) -> Answer:
        """Carry out one synchronous call. Never raises NetSuiteError: a refusal becomes its answer."""
        try:
            with self.company.store.state.lock:
                return self._route(call, identity)
        except NetSuiteError as error:
            return error_answer(error)

    def _route(self, call: Call, identity: Identity) -> Answer:
        parts = [unquote(part) for part in call.path.removeprefix(RECORD_PATH).strip("/").split("/") if part]
        if not parts:
            raise invalid_request()
        if parts[0].lower() == "metadata-catalog":
            return self._metadata(call, parts[1:])
        record_type = require_type(self.company, parts[0])
        if len(parts) == 1:
            return self._collection(call, identity, record_type)
        if len(parts) == 2:
            return self._instance(call, identity, record_type, parts[1])
        if parts[2] == "!transform" and len(parts) == 4:
            return self._transform(call, identity, record_type, parts[1], parts[3])
        if parts[2] in {"!attach", "!detach"}:
            raise NetSuiteError(400, "INVALID_REQUEST", "Attaching records is not available in this account.")
        return self._sublist(call, identity, record_type, parts[1], parts[2:])

    def _metadata(self, call: Call, parts: list[str]) -> Answer:
        if call.method != "GET":
            raise method_not_allowed(call.method)
        body, content_type = metadata.catalog(
            self.company, call.base, parts, call.params.get("select"), call.headers.get("accept", "")
        )
        return json_answer(body, content_type=content_type)

    def _options(self, call: Call) -> Options:
        params, headers = call.params, call.headers
        modes = []
        for name, default in (("propertyname", "warning"), ("propertyvalue", "error")):
            header = f"x-netsuite-{name}validation"
            mode = headers.get(header, default).strip().lower()
            if mode not in {"error", "warning", "ignore"}:
                raise NetSuiteError(
                    400,
                    "INVALID_HEADER",
                    f"Invalid value '{mode}' of header {header}.",
                    header,
                    "o:errorHeader",
                )
            modes.append(mode)
        replace = frozenset(
            part.strip().lower() for part in params.get("replace", "").split(",") if part.strip()
        )
        return Options(modes[0], modes[1], replace, params.get("replaceSelectedFields", "").lower() == "true")

    def _view(self, call: Call) -> View:
        params = call.params
        names = frozenset(
            part.strip().lower() for part in params.get("fields", "").split(",") if part.strip()
        )
        return View(
            params.get("expandSubResources", "").lower() == "true",
            names,
            params.get("simpleEnumFormat", "").lower() == "true",
        )

    def _form(self, call: Call) -> str:
        accept = call.headers.get("accept", "")
        for kind in ("create-form", "edit-form", "select-options"):
            if f"type={kind}" in accept.replace('"', "").replace(" ", ""):
                return kind
        return ""

    def _collection(self, call: Call, identity: Identity, record_type: RecordType) -> Answer:
        if call.method == "GET":
            users.require(identity, record_type, users.VIEW)
            return self._list(call, record_type)
        if call.method != "POST":
            raise method_not_allowed(call.method)
        form = self._form(call)
        raw = body_of(call)
        if form == "select-options":
            return json_answer(
                metadata.select_options(self.company, record_type, call.params.get("fields", ""))
            )
        users.require(identity, record_type, users.CREATE)
        if form == "create-form":
            return self._preview(
                call,
                record_type,
                lambda: self.engine.create(record_type, raw, self._options(call), identity.role.id),
            )
        saved = self.engine.create(record_type, raw, self._options(call), identity.role.id)
        return self._saved(call, saved)

    def _instance(self, call: Call, identity: Identity, record_type: RecordType, key: str) -> Answer:
        if call.method == "GET":
            users.require(identity, record_type, users.VIEW)
            row = self.engine.locate(record_type, key)
            return json_answer(Presenter(self.company, call.base).record(record_type, row, self._view(call)))
        if call.method == "PATCH":
            users.require(identity, record_type, users.EDIT)
            row = self.engine.locate(record_type, key)
            raw = body_of(call)
            if self._form(call) == "edit-form":
                return self._preview(
                    call, record_type, lambda: self.engine.update(record_type, row, raw, self._options(call))
                )
            return self._saved(call, self.engine.update(record_type, row, raw, self._options(call)))
        if call.method == "PUT":
            if not key.startswith("eid:") or len(key) == 4:
                raise invalid_request("Upsert needs an external ID: use eid:<externalId> in the URL.")
            if any(mark not in _EXTERNAL_ID for mark in key[4:].lower()):
                raise invalid_request(f"Invalid external ID '{key[4:]}'.")
            users.require(identity, record_type, users.EDIT)
            saved = self.engine.upsert(
                record_type, key[4:], body_of(call), self._options(call), identity.role.id
            )
            return self._saved(call, saved)
        if call.method == "DELETE":
            users.require(identity, record_type, users.FULL)
            self.engine.delete(record_type, self.engine.locate(record_type, key))
            return Answer(204)
        raise method_not_allowed(call.method)

    def _transform(
        self, call: Call, identity: Identity, record_type: RecordType, key: str, target_name: str
    ) -> Answer:
        if call.method != "POST":
            raise method_not_allowed(call.method)
        target = require_type(self.company, target_name)
        users.require(identity, record_type, users.VIEW)
        users.require(identity, target, users.CREATE)
        row = self.engine.locate(record_type, key)
        raw = body_of(call) if call.body.strip() else {}

        def make() -> Saved:
            return transforms.transform(
                self.engine, record_type, row, target, raw, self._options(call), identity.role.id
            )

        return (
            self._preview(call, target, make)
            if self._form(call) == "create-form"
            else self._saved(call, make())
        )

    def _sublist(
        self, call: Call, identity: Identity, record_type: RecordType, key: str, tail: list[str]
    ) -> Answer:
        sub = record_type.sublist_by_name.get(tail[0].lower())
        if sub is None:
            raise nonexistent()
        users.require(identity, record_type, users.VIEW)
        row = self.engine.locate(record_type, key)
        presenter = Presenter(self.company, call.base)
        precision = self.company.precision(row.body.get("currency"))
        shown = presenter.sublist(record_type, row, sub, precision, expand=True)
        if len(tail) == 1:
            if call.method != "GET":
                raise method_not_allowed(call.method)
            return json_answer(shown, content_type=COLLECTION)
        wanted = f"/{sub.name}/{tail[1]}"
        line = next((item for item in shown["items"] if item["links"][0]["href"].endswith(wanted)), None)
        if line is None:
            raise nonexistent()
        if call.method == "GET":
            return json_answer(line)
        if call.method == "PATCH":
            users.require(identity, record_type, users.EDIT)
            sent = body_of(call)
            if not isinstance(sent, dict):
                raise invalid_request()
            keyed = {name: line[name] for name in sub.keys if name in line}
            raw = {sub.name: {"items": [{**keyed, **sent}]}}
            return self._saved(call, self.engine.update(record_type, row, raw, self._options(call)))
        raise method_not_allowed(call.method)

    def _preview(self, call: Call, record_type: RecordType, make: Any) -> Answer:
        """Do it, look at it, undo it: the form simulation of netsuite.md 4.11."""
        shown: Document = {}

        def attempt() -> None:
            with self.company.store.transaction():
                saved: Saved = make()
                row = self.company.store.get(record_type.family, saved.id)
                if row is not None:
                    shown.update(
                        Presenter(self.company, call.base).record(record_type, row, View(expand=True))
                    )
                raise _UndoError

        with contextlib.suppress(_UndoError):
            attempt()
        if self._form(call) == "create-form":
            for name in ("id", "links", "tranId", "transactionNumber", "createdDate", "lastModifiedDate"):
                shown.pop(name, None)
        return json_answer(shown)

    def _saved(self, call: Call, saved: Saved) -> Answer:
        headers = {"Location": f"{call.base}{RECORD_PATH}/{saved.record_type.name}/{saved.id}"}
        if saved.warnings:
            headers["Warning"] = ", ".join(f'199 - "{text}"' for text in saved.warnings)
        return Answer(204, b"", headers)

    def _list(self, call: Call, record_type: RecordType) -> Answer:
        limit, offset = paging(call.params)
        ids = qfilter.search(self.company, record_type, call.params.get("q", ""))
        if len(ids) > MAX_ROWS:
            ids = ids[:MAX_ROWS]
        chosen = ids[offset : offset + limit]
        url = f"{call.base}{RECORD_PATH}/{record_type.name}"
        items = [{"links": [{"rel": "self", "href": f"{url}/{one}"}], "id": str(one)} for one in chosen]
        repeated = {name: value for name, value in call.params.items() if name == "q"}
        body = page(url, repeated, items, limit=limit, offset=offset, total=len(ids))
        return json_answer(body, content_type=COLLECTION)

    def find(self, record_type: RecordType, key: str) -> Row:
        """The record of a batch key (`12`, `eid:AB`). Raises NetSuiteError 404."""
        return self.engine.locate(record_type, key)


class _UndoError(Exception):
    """Ends a preview's transaction."""


_EXTERNAL_ID = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


def body_of(call: Call) -> Any:
    """The JSON body. Raises NetSuiteError INVALID_REQUEST / 415."""
    content_type = call.headers.get("content-type", "application/json").lower()
    if "json" not in content_type:
        raise NetSuiteError(
            415, "INVALID_HEADER", f"Unsupported media type {content_type}.", "Content-Type", "o:errorHeader"
        )
    try:
        return codec.loads(call.body)
    except codec.MalformedJsonError:
        raise invalid_request() from None


def paging(params: dict[str, str]) -> tuple[int, int]:
    """`limit` and `offset` with their rules (netsuite.md 4.2, 11.7). Raises NetSuiteError INVALID_PARAMETER."""
    found = []
    for name, default in (("limit", "1000"), ("offset", "0")):
        text = params.get(name, default)
        if not text.isdigit():
            raise invalid_parameter(f"The value '{text}' of the parameter {name} is not valid.", name)
        found.append(int(text))
    limit, offset = found
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid_parameter(f"The limit must be between 1 and {MAX_LIMIT}.", "limit")
    if offset % limit:
        raise invalid_parameter(f"The offset {offset} must be divisible by the limit {limit}.", "offset")
    if offset >= MAX_ROWS:
        raise invalid_parameter(f"The offset must be less than {MAX_ROWS}.", "offset")
    return limit, offset
