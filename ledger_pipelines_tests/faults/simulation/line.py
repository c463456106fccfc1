"""A writer over the product's own HTTP stack, to the small ledger, on a line where anything can happen.

Belongs here: the network between `systems.http` and `engine_target.FakeLedger`. Does not belong here: any vendor's manner
(`netsuite`), any rule of the engine.

The ledger has no key of ours that it would hold to: whatever is sent twice is there twice. So it shows what a native
key (NetSuite's) would hide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import httpx
import msgspec

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import (
    Confirmed,
    Effect,
    Ending,
    Exists,
    Prepared,
    Refused,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.errors import LedgerError, TransientError
from ledger_pipelines.systems.http import AllowList, Http, HttpSettings, Retries, classify
from ledger_pipelines.systems.secrets import Redactor
from ledger_pipelines_tests.faults.engine_target import FakeLedger, Fault, as_remote
from ledger_pipelines_tests.faults.simulation.schedule import Schedule

_URL = "https://books.example"
_GATEWAY = b"<!DOCTYPE html><html><body>Please wait</body></html>"
LONGEST_CALL = timedelta(seconds=5)


class Trouble(StrEnum):
    """What happens to one call on the line."""

    REFUSED = "connection-refused"
    CONNECT_TIMEOUT = "connect-timeout"
    CUT_BEFORE = "cut-before"
    CUT_AFTER = "cut-after"
    HANG_BEFORE = "hang-before"
    HANG_AFTER = "hang-after"
    LATE = "late"
    SLOW_DOWN = "429"
    ERROR_BEFORE = "5xx-before"
    ERROR_AFTER = "5xx-after"
    PAGE = "html-200"
    PAGE_AFTER = "html-200-after"
    TRUNCATED = "truncated"
    GARBLED = "garbled"
    ERROR_INSIDE = "200-with-error"
    INVALID = "422"
    DIES_BEFORE = "dies-before"
    DIES_AFTER = "dies-after"


@dataclass
class Line:
    """The network and the ledger's front door, as a transport of httpx."""

    schedule: Schedule
    ledger: FakeLedger
    sending: list[Prepared] = field(default_factory=list)
    """What the call under way is about: the ledger's own reading of its body would be the same."""

    def handle(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        self.ledger.settle()
        if request.method == "GET":
            return self._search()
        return self._write()

    def _search(self) -> httpx.Response:
        self.ledger.probes += 1
        if not self.ledger.credentials_work:
            return httpx.Response(401, json={"error": "invalid token"})
        if not self.ledger.search_works:
            raise httpx.ReadError("the search is down")
        now = self.ledger.clock.now()
        shown = [
            {"id": r.remote_id, "reference": r.external_id, "kind": r.kind}
            for r in self.ledger.records
            if r.visible_at <= now
        ]
        return httpx.Response(200, json=shown)

    def _write(self) -> httpx.Response:
        ledger = self.ledger
        ledger.calls += 1
        trouble = ledger.next_fault()
        match trouble:
            case Trouble.REFUSED:
                raise httpx.ConnectError("connection refused")
            case Trouble.CONNECT_TIMEOUT:
                raise httpx.ConnectTimeout("timed out")
            case Trouble.CUT_BEFORE:
                raise httpx.RemoteProtocolError("closed without an answer")
            case Trouble.HANG_BEFORE:
                ledger.clock.pass_time(LONGEST_CALL.total_seconds())
                raise httpx.ReadTimeout("timed out")
            case Trouble.LATE:
                due = ledger.clock.now() + ledger.late_by
                ledger.pending.extend((due, prepared) for prepared in self.sending)
                raise httpx.ReadTimeout("timed out")
            case Trouble.SLOW_DOWN:
                return httpx.Response(429, headers={"Retry-After": "3"}, json={"error": "slow down"})
            case Trouble.ERROR_BEFORE:
                return httpx.Response(500, json={"error": "internal"})
            case Trouble.PAGE:
                return httpx.Response(200, headers={"Content-Type": "text/html"}, content=_GATEWAY)
            case Trouble.INVALID:
                return httpx.Response(422, json={"error": "the memo is too long"})
            case Fault.CREDENTIALS:
                return httpx.Response(401, json={"error": "invalid token"})
            case Trouble.ERROR_INSIDE:
                return httpx.Response(200, json={"error": "could not lock the record"})
            case Trouble.DIES_BEFORE:
                self.schedule.die("line.before_apply")
        answer = self._applied()
        match trouble:
            case Trouble.DIES_AFTER:
                self.schedule.die("line.after_apply")
            case Trouble.CUT_AFTER:
                raise httpx.RemoteProtocolError("closed without an answer")
            case Trouble.HANG_AFTER:
                ledger.clock.pass_time(LONGEST_CALL.total_seconds())
                raise httpx.ReadTimeout("timed out")
            case Trouble.ERROR_AFTER:
                return httpx.Response(502, json={"error": "bad gateway"})
            case Trouble.PAGE_AFTER:
                return httpx.Response(200, headers={"Content-Type": "text/html"}, content=_GATEWAY)
            case Trouble.TRUNCATED:
                return httpx.Response(200, stream=_Cut(answer))
            case Trouble.GARBLED:
                return httpx.Response(200, content=answer[: len(answer) // 2])
        return httpx.Response(200, content=answer)

    def _applied(self) -> bytes:
        now = self.ledger.clock.now()
        made: list[dict[str, str]] = []
        for prepared in self.sending:
            if prepared.effect.external_id in self.ledger.refused:
                made.append({"error": "this customer is inactive"})
                continue
            record = self.ledger.apply(prepared, now)
            made.append({"exists": "already there"} if record is None else {"id": record.remote_id})
        return json.dumps(made).encode()


class _Cut(httpx.SyncByteStream):
    """Half of the body, then the end of the stream."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body[: len(self._body) // 2]
        raise httpx.RemoteProtocolError("closed in the middle of the body")


@dataclass
class LineWriter:
    """A writer of class B over `systems.http`, as a connector for a target without a native key is written."""

    line: Line
    clock: Clock
    settle_window: timedelta
    batch_size: int = 1
    connection: str = "books"
    write_class: WriteClass = WriteClass.SEARCH
    workers: int = 1

    def __post_init__(self) -> None:
        settings = HttpSettings(self.connection, AllowList((r"books\.example",)), retries=Retries(attempts=2))
        transport = httpx.MockTransport(self.line.handle)
        chance = self.line.schedule.random
        self.http = Http(settings, self.clock, Redactor(), transport=transport, chance=chance)

    def close(self) -> None:
        """Close the client."""
        self.http.close()

    def batch_key(self, effect: Effect) -> str | None:
        """All creations go together."""
        return effect.kind if self.batch_size > 1 else None

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """One call; its ending is read by `systems.http.classify`, then by the ledger's own words."""
        self.line.sending = list(batch)
        body = msgspec.json.encode([prepared.effect.external_id for prepared in batch])
        try:
            answer = self.http.write("POST", f"{_URL}/documents", pattern="/documents", body=body)
        except LedgerError as error:
            return [classify(error) or Unknown(str(error))] * len(batch)
        general = classify(answer)
        if general is not None:
            return [general] * len(batch)
        if not answer.ok:
            return [Refused(f"HTTP_{answer.status}", answer.body.decode())] * len(batch)
        try:
            told = decode(answer.body)
        except msgspec.DecodeError as error:
            return [Unknown(f"The answer cannot be read: {error}")] * len(batch)
        if not isinstance(told, list):
            return [Unknown("The answer is not the ledger's.")] * len(batch)
        return [self._one(prepared, item) for prepared, item in zip(batch, told, strict=False)]

    @staticmethod
    def _one(prepared: Prepared, told: object) -> Ending:
        if not isinstance(told, dict):
            return Unknown("The answer is not the ledger's.")
        if "error" in told:
            return Refused("BAD_RECORD", str(told["error"]))
        if "exists" in told:
            return Exists(str(told["exists"]))
        return Confirmed(Remote(str(told["id"]), prepared.effect.external_id))

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """One search."""
        answer = self.http.read("GET", f"{_URL}/documents", pattern="/documents")
        if answer.status == 401:
            raise TransientError("The search refuses us.")
        shown = {item["id"] for item in json.loads(answer.body)}
        found: dict[str, Remote] = {}
        for effect in effects:
            for record in self.line.ledger.records:
                if record.external_id == effect.external_id and record.remote_id in shown:
                    found.setdefault(effect.key, as_remote(record))
        return found
