"""An intended write, its states, and what is known of its outcome: the words `sync` and every writer share.

Belongs here: Effect, Remote, the endings of a call, the Writer protocol.
Does not belong here: when to send, retry or probe (`sync`), how a vendor is called (`systems`).
The machine of states is reliability.md 1.2, the meaning of endings 1.3, the write classes 1.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money


class Action(StrEnum):
    """What a plan row wants."""

    CREATE = "create"
    UPDATE = "update"
    VOID = "void"
    SKIP = "skip"
    BLOCKED = "blocked"


class Mode(StrEnum):
    """plan: nothing is written, the result says what would be. test: only the test orders, marked. live: all planned."""

    PLAN = "plan"
    TEST = "test"
    LIVE = "live"


class WriteClass(StrEnum):
    """How a target can be asked about a write (reliability.md 1.4)."""

    NATIVE_KEY = "A"
    SEARCH = "B"
    NEITHER = "C"


class EffectState(StrEnum):
    """Where an effect stands. `planned` rows live in plans only; the journal begins at `approved`."""

    APPROVED = "approved"
    CLAIMED = "claimed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the target's document must say for us to call it ours; None = not compared.

    amount: the document's total (absolute, transaction currency). day: its date. lines: number of its lines.
    """

    amount: Money | None = None
    day: date | None = None
    lines: int | None = None


LINK = "$link"
"""In a body, `{"$link": "<effect key>"}` stands for the target's id of that effect, filled in before sending."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One intended write to one target record. Immutable; identity is `key`.

    Args:
        key: `keys.effect_key(...)`.
        connection: Name of the target connection.
        integration: Name of the integration.
        flow: Name of the flow.
        partition: Partition the effect belongs to (settlement id, or a date).
        kind: Target's record type, as its writer names it ("customerPayment").
        action: CREATE, UPDATE or VOID.
        external_id: Our reference in the target: what a probe searches by.
        number: The document's number for people (order id, settlement id): what operators search by.
        title: One line for people.
        body: Canonical JSON of the request body (see `LINK`).
        expected: What a read-back must agree with.
        origin: Record the target makes this one from, `"salesOrder/7001"` or `"salesOrder/$link:<key>"`; "" = none.
        target_id: For UPDATE and VOID: id of the record, or `"$link:<key>"`; "" = by external id.
        depends_on: Keys of effects that must be confirmed first.
        source: Where it came from: `file:<sha256>#<ordinal>-<ordinal>` and the like.
    """

    key: str
    connection: str
    integration: str
    flow: str
    partition: str
    kind: str
    action: Action
    external_id: str
    number: str
    title: str
    body: str
    expected: Expected = field(default_factory=Expected)
    origin: str = ""
    target_id: str = ""
    depends_on: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An effect whose links are resolved: ready to send."""

    effect: Effect
    body: dict[str, Json]
    origin: str
    target_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Remote:
    """A record found in the target. None = the target does not tell.

    strange: What shows that somebody else made it although it has our reference, in words; "" = nothing does.
    """

    remote_id: str
    external_id: str = ""
    number: str = ""
    amount: Money | None = None
    day: date | None = None
    lines: int | None = None
    applied: Money | None = None
    strange: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The target said yes, or holds a record that agrees."""

    remote: Remote


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no for this record: the target's own code and words. Not tried again as it is."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """A definite no for now: nothing was applied, trying again is safe (refused connection, 429)."""

    text: str
    retry_after: float | None = None  # not money: seconds


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may have been applied."""

    text: str


@dataclass(frozen=True, slots=True)
class Exists:
    """The target says there is such a record already: evidence of existence, to fetch and compare."""

    text: str


@dataclass(frozen=True, slots=True)
class CredentialsRefused:
    """Nothing was applied; credentials or rights are refused. The connection is parked."""

    text: str


Ending = Confirmed | Refused | NotSent | Unknown | Exists | CredentialsRefused


class Writer(Protocol):
    """How one connection is written to. Never retries by itself, never raises for an answer of the target."""

    @property
    def connection(self) -> str:
        """Name of the connection."""
        ...

    @property
    def write_class(self) -> WriteClass:
        """Evidence is in the vendor's docs page."""
        ...

    @property
    def settle_window(self) -> timedelta:
        """How long the target may still be working on a request whose answer was lost."""
        ...

    def batch_key(self, effect: Effect) -> str | None:
        """Effects with the same key may go in one call; None = one call each."""
        ...

    @property
    def batch_size(self) -> int:
        """Most effects of one call."""
        ...

    @property
    def workers(self) -> int:
        """Most calls under way at once."""
        ...

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """Write; one ending for each, in the order given."""
        ...

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """What the target holds under the effects' external ids, by effect key; absent = not found.

        For UPDATE: the record, only when it already says what the body wants. For VOID: a `Remote` (its id is enough)
        only when the record is void or gone.

        Raises:
            TransientError, CredentialError, UnknownOutcomeError: nothing is learnt; the states stay.
        """
        ...
