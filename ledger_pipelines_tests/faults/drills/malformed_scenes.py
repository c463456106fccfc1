"""What is asked of a vendor while a malformed answer is about: a day's list, one record, a write; and its good answers.

Belongs here: what a scene is, the wire that gives the answers. Does not belong here: the scenes (`malformed_scenes_books`,
`malformed_scenes_shops`), which answers are malformed (`malformed_bodies_any` and its like), verdicts (`malformed_answers`).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from ledger_pipelines.documents.effects import Action, Effect, Writer
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.systems.entities import ChangesReader, EntityLike
from ledger_pipelines.systems.fields import Record
from ledger_pipelines_tests.faults.drills.malformed_bodies import Ask, Sent, Vendor

NOW = datetime(2026, 9, 20, 12, tzinfo=UTC)
BAD_DAY = date(2026, 9, 15)
"""The malformed list is that of this day; those of the days around it are good."""
RECORD_ID = "5012"
"""The record that is read by its id."""
CANARY = "canarycanarycanarycanarycanary12"
"""Every secret begins so."""
TOTAL = "10.00"
"""Of every record in a good list."""


@dataclass
class Wire:
    """A vendor made of answers. bad: comes wherever `wanted` fits; asked: what was asked for, in order."""

    answer: Callable[[httpx.Request], Sent]
    wanted: Callable[[httpx.Request], bool]
    bad: Sent | None = None
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer; the body goes out as it is, and is unpacked, where its headers say so, by whoever reads it."""
        self.asked.append(request)
        sent = self.bad if self.bad is not None and self.wanted(request) else self.answer(request)
        headers = httpx.Headers([("Content-Type", "application/json")])
        for name, value in sent.headers:
            headers[name] = value
        return httpx.Response(sent.status, headers=headers, stream=httpx.ByteStream(sent.body))

    @property
    def transport(self) -> httpx.MockTransport:
        """For a client."""
        return httpx.MockTransport(self)

    @property
    def struck(self) -> int:
        """How often the malformed answer was given."""
        return 0 if self.bad is None else sum(1 for request in self.asked if self.wanted(request))

    @property
    def writes(self) -> int:
        """Calls that may have changed something: no login, no question, no Get of Neto's."""
        return sum(1 for request in self.asked if _changes(request))

    def hosts(self) -> set[str]:
        """Where calls went."""
        return {request.url.host for request in self.asked}


def _changes(request: httpx.Request) -> bool:
    path = request.url.path
    asks = any(part in path for part in ("/query/v1/", "/oauth2/", "/authorisation/"))
    action = request.headers.get("NETOAPI_ACTION", "")
    return request.method != "GET" and not asks and not action.startswith("Get")


@dataclass(frozen=True, slots=True)
class Opened:
    """A vendor's reader and writer, and one record's id read anew (raises LedgerError; None: it reads lists alone). Close when
    done."""

    reader: ChangesReader
    writer: Writer
    record: Callable[[], str] | None
    close: Callable[[], None]


class Scene(ABC):
    """One vendor. entity: whose list is read; host: where alone calls may go."""

    vendor: Vendor
    host: str
    entity: EntityLike

    @abstractmethod
    def open(self, ask: Ask, folder: Path, wire: Wire) -> Opened:
        """A client that remembers nothing, with what the product reads and writes through it."""

    @abstractmethod
    def wanted(self, ask: Ask) -> Callable[[httpx.Request], bool]:
        """Which call the malformed answer answers."""

    @abstractmethod
    def answer(self, request: httpx.Request, day: date) -> Sent:
        """A good answer; a list holds one record of that day, whose id is `good_id` and whose total is `TOTAL`."""

    @abstractmethod
    def effects(self, ask: Ask) -> Sequence[Effect]:
        """What is written."""

    def decoder(self) -> Callable[[Record], object] | None:
        """How plans read a stored record of the list (raises DataError); None: there are no records beside the columns."""
        return None

    def wire(self, ask: Ask, day: date, bad: Sent | None = None) -> Wire:
        """The vendor on that day."""
        return Wire(lambda request: self.answer(request, day), self.wanted(ask), bad)


def good_id(day: date) -> str:
    """The id of the record in the good list of a day."""
    return str(1000 + day.day)


def encoded(value: Json) -> bytes:
    """JSON as a vendor writes it; fractions as text only."""
    return json.dumps(value).encode()


def creation(connection: str, kind: str, reference: str, body: dict[str, Json]) -> Effect:
    """A new record."""
    return Effect(
        key=f"KEY-{kind}-{reference}", connection=connection, integration="drill", flow="orders", partition="2026-09-15",
        kind=kind, action=Action.CREATE, external_id=reference, number=reference, title=f"{kind} {reference}",
        body=canonical(body),
    )  # fmt: skip
