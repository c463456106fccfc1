"""A tiny ledger that serves for a target of any write class: what it was told it keeps, twice if told twice.

Belongs here: the target of the engine's own drills: its books, its search, everything that can go wrong with a call.
Does not belong here: any vendor's manner (`ledger_pipelines.sandbox`), any rule of the engine.

`POST /documents` enters one; `PUT /documents/{reference}` enters or replaces one (class A); `GET /documents?ids=a,b`
finds those that the search shows yet. A document that names another one (`applies_to`, `origin`) is refused when that one
is not there.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from ledger_pipelines_tests.faults.shared_clock import SharedClock

PAGE = b"<!DOCTYPE html>\n<html><body>Please wait</body></html>\n"


class Kind(StrEnum):
    """What goes wrong with a write. `after`: it is applied all the same."""

    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    ERROR_BEFORE = "5xx_before"
    ERROR_AFTER = "5xx_after"
    RATE_LIMIT = "429"
    HANG = "hang"
    HANG_APPLIED = "hang_applied"
    LATE = "apply_late"
    LAG = "search_lag"
    PAGE_BEFORE = "html_200"
    PAGE_AFTER = "html_200_applied"
    ERROR_INSIDE = "200_with_error"
    TRUNCATED = "truncated_body"
    REFUSE = "refuse"


_APPLIED = frozenset(
    {
        Kind.CUT_AFTER,
        Kind.ERROR_AFTER,
        Kind.HANG_APPLIED,
        Kind.PAGE_AFTER,
        Kind.ERROR_INSIDE,
        Kind.TRUNCATED,
        Kind.LAG,
    }
)
HANG_SECONDS, PATIENCE = 1.2, 0.4
"""Real seconds for which a hanging server says nothing, and after which the product gives up waiting in such a case."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong, at which writes (counted from 1 since `reset`), and by how many seconds of the drill's clock."""

    kind: Kind
    writes: frozenset[int] = frozenset({2, 3})
    seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the books. visible: when the search shows it (POSIX seconds)."""

    number: int
    external_id: str
    body: Mapping[str, Any]
    visible: float


@dataclass(slots=True)
class Books:
    """The documents, and what is to go wrong.

    Args:
        clock: The drill's.
        trouble: What goes wrong with which writes.
        lag: Seconds until the search shows a document.
        documents: What is there.
        pending: Requests to be applied later.
        calls: Writes and searches.
        written: Calls by reference.
        lost: References of calls that something went wrong with.
        struck: How many that were.
    """

    clock: SharedClock
    trouble: Trouble | None = None
    lag: float = 0.0
    documents: list[Document] = field(default_factory=list)
    pending: list[tuple[float, str, Mapping[str, Any], bool]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    lost: set[str] = field(default_factory=set)
    struck: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        """POSIX seconds of the drill's clock."""
        return self.clock.now().timestamp()

    def settle(self) -> None:
        """Apply what is due."""
        now = self.now()
        due = sorted(item for item in self.pending if item[0] <= now)
        self.pending = [item for item in self.pending if item[0] > now]
        for at, external_id, body, keyed in due:
            self._enter(external_id, body, keyed, at)

    def write(self, external_id: str, body: Mapping[str, Any], *, keyed: bool) -> tuple[Kind | None, str]:
        """One call: what goes wrong with it, and the new document's number ("" = none)."""
        with self.lock:
            self.calls["write"] += 1
            self.written[external_id] += 1
            self.settle()
            trouble = self.trouble
            kind = trouble.kind if trouble is not None and self.calls["write"] in trouble.writes else None
            if kind is not None:
                self.struck += 1
                self.lost.add(external_id)
            if kind is Kind.LATE:
                assert trouble is not None
                self.pending.append((self.now() + trouble.seconds, external_id, body, keyed))
                return kind, ""
            if kind is not None and kind not in _APPLIED:
                return kind, ""
            return kind, self._enter(external_id, body, keyed, self.now())

    def _enter(self, external_id: str, body: Mapping[str, Any], keyed: bool, at: float) -> str:
        named = [str(body[name]).rpartition("/")[2] for name in ("applies_to", "origin") if body.get(name)]
        if not {int(number) for number in named if number.isdecimal()} <= {
            d.number for d in self.documents
        } or any(not number.isdecimal() for number in named):
            return ""
        for place, old in enumerate(self.documents):
            if keyed and old.external_id == external_id:
                self.documents[place] = Document(old.number, external_id, body, old.visible)
                return str(old.number)
        lag = self.trouble.seconds if self.trouble is not None and self.trouble.kind is Kind.LAG else self.lag
        self.documents.append(Document(1000 + len(self.documents), external_id, body, at + lag))
        return str(self.documents[-1].number)

    def search(self, external_ids: set[str]) -> list[Document]:
        """Those of the references that the search shows by now."""
        with self.lock:
            self.calls["search"] += 1
            self.settle()
            now = self.now()
            return [d for d in self.documents if d.external_id in external_ids and d.visible <= now]

    def dump(self) -> list[Document]:
        """Everything that is there, for verdicts."""
        with self.lock:
            self.settle()
            return list(self.documents)


class LedgerServer:
    """The ledger on a port of its own, in a thread of the drill."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, books: Books) -> None:
        """Answer for these books from now on."""
        _Handler.books = books


class _Handler(BaseHTTPRequestHandler):
    books: Books

    def do_POST(self) -> None:
        self._write(keyed=False)

    def do_PUT(self) -> None:
        self._write(keyed=True)

    def _write(self, *, keyed: bool) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        external_id = unquote(self.path.rpartition("/")[2]) if keyed else asked["external_id"]
        kind, number = self.books.write(external_id, asked["body"], keyed=keyed)
        if kind in {Kind.CUT_BEFORE, Kind.CUT_AFTER, Kind.LATE}:
            self._cut()
        elif kind is Kind.REFUSE:
            self._cut(reset=True)
        elif kind in {Kind.HANG, Kind.HANG_APPLIED}:
            time.sleep(HANG_SECONDS)
            self._cut()
        elif kind in {Kind.ERROR_BEFORE, Kind.ERROR_AFTER}:
            self._answer(503, b'{"error": "unavailable"}')
        elif kind is Kind.RATE_LIMIT:
            self._answer(429, b'{"error": "too many"}')
        elif kind in {Kind.PAGE_BEFORE, Kind.PAGE_AFTER}:
            self._answer(200, PAGE, "text/html")
        elif kind is Kind.ERROR_INSIDE:
            self._answer(200, b'{"error": "internal"}')
        elif not number:
            self._answer(422, b'{"refused": "the document it names is not there"}')
        else:
            raw = json.dumps({"id": number, "external_id": external_id, "body": asked["body"]}).encode()
            self._answer(201, raw, cut_at=len(raw) // 2 if kind is Kind.TRUNCATED else None)

    def do_GET(self) -> None:
        wanted = parse_qs(urlsplit(self.path).query).get("ids", [""])[0].split(",")
        found = [
            {"id": str(d.number), "external_id": d.external_id, "body": d.body}
            for d in self.books.search(set(wanted))
        ]
        self._answer(200, json.dumps({"documents": found}).encode())

    def _answer(
        self, status: int, raw: bytes, content_type: str = "application/json", cut_at: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw[:cut_at])
        if cut_at is not None:
            self._cut()

    def _cut(self, *, reset: bool = False) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError, ValueError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Silent."""
