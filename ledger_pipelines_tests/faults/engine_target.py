"""A small ledger that keeps everything it was told, twice if told twice, and a writer for it.

Belongs here: the target of the engine's own tests: stateful, with every ambiguous ending a real one can have.
Does not belong here: any vendor's manner (`ledger_pipelines.sandbox`), any rule of the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Effect,
    Ending,
    Exists,
    Expected,
    NotSent,
    Prepared,
    Refused,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import CredentialError, TransientError
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Time that passes only when told, or when someone sleeps."""

    def __init__(self, now: datetime = START) -> None:
        self.instant = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.instant

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class Fault(StrEnum):
    """What happens to one call."""

    CUT_BEFORE = "cut-before"
    CUT_AFTER = "cut-after"
    LATE = "late"
    RATE_LIMIT = "rate-limit"
    NO_CONNECTION = "no-connection"
    REFUSE = "refuse"
    CREDENTIALS = "credentials"
    RAISE_AFTER = "raise-after"
    RAISE_BEFORE = "raise-before"
    SHORT_ANSWER = "short-answer"


@dataclass(frozen=True, slots=True)
class Record:
    """One document the ledger holds."""

    remote_id: str
    external_id: str
    kind: str
    amount: Money
    day: date
    lines: int
    body: str
    visible_at: datetime


@dataclass(slots=True)
class FakeLedger:
    """The books. Nothing is ever merged: a document sent twice is there twice, unless `upserts`."""

    clock: FakeClock
    upserts: bool = False
    unique: bool = False
    search_lag: timedelta = timedelta(0)
    late_by: timedelta = timedelta(seconds=60)
    records: list[Record] = field(default_factory=list)
    pending: list[tuple[datetime, Prepared]] = field(default_factory=list)
    faults: list[StrEnum | None] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    credentials_work: bool = True
    search_works: bool = True
    calls: int = 0
    probes: int = 0
    next_id: int = 1000
    met: Counter[str] = field(default_factory=Counter)
    """How often each fault really befell a call."""

    def next_fault(self) -> StrEnum | None:
        """What befalls the call that has just come."""
        fault = self.faults.pop(0) if self.faults else None
        if not self.credentials_work:
            fault = Fault.CREDENTIALS
        if fault is not None:
            self.met[fault] += 1
        return fault

    def settle(self) -> None:
        """Apply the late calls whose time has come."""
        now = self.clock.now()
        due = [item for item in self.pending if item[0] <= now]
        self.pending = [item for item in self.pending if item[0] > now]
        for at, prepared in due:
            self.apply(prepared, at)

    def apply(self, prepared: Prepared, at: datetime) -> Record | None:
        """Write one document; None when it is there already and the ledger minds."""
        effect = prepared.effect
        mine = [r for r in self.records if r.external_id == effect.external_id and r.kind == effect.kind]
        if effect.action is Action.VOID:
            self.records = [r for r in self.records if r not in mine]
            return mine[0] if mine else None
        if mine and self.unique and effect.action is Action.CREATE:
            return None
        expected = effect.expected
        record = Record(
            remote_id=str(self.next_id),
            external_id=effect.external_id,
            kind=effect.kind,
            amount=Money.zero("USD") if expected.amount is None else expected.amount,
            day=expected.day or date(2026, 1, 1),
            lines=expected.lines or 1,
            body=canonical(prepared.body),
            visible_at=at + self.search_lag,
        )
        if mine and (self.upserts or effect.action is Action.UPDATE):
            record = replace(record, remote_id=mine[0].remote_id, visible_at=mine[0].visible_at)
            self.records[self.records.index(mine[0])] = record
            return record
        self.next_id += 1
        self.records.append(record)
        return record

    def holding(self, external_id: str) -> list[Record]:
        """Everything under one reference."""
        self.settle()
        return [record for record in self.records if record.external_id == external_id]


def as_remote(record: Record) -> Remote:
    """How the ledger shows a record."""
    return Remote(
        record.remote_id,
        record.external_id,
        f"DOC{record.remote_id}",
        record.amount,
        record.day,
        record.lines,
    )


@dataclass(slots=True)
class FakeWriter:
    """Writes to the books over a line on which anything can happen."""

    ledger: FakeLedger
    connection: str = "books"
    write_class: WriteClass = WriteClass.SEARCH
    settle_window: timedelta = timedelta(seconds=90)
    batch_size: int = 1
    workers: int = 1
    before_send: Callable[[Sequence[Prepared]], None] | None = None
    sent: list[list[str]] = field(default_factory=list)
    probed: list[list[str]] = field(default_factory=list)

    def batch_key(self, effect: Effect) -> str | None:
        return effect.kind if self.batch_size > 1 else None

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        ledger = self.ledger
        ledger.settle()
        ledger.calls += 1
        self.sent.append([prepared.effect.key for prepared in batch])
        if self.before_send is not None:
            self.before_send(batch)
        fault = ledger.next_fault()
        now = ledger.clock.now()
        match fault:
            case Fault.CREDENTIALS:
                return [CredentialsRefused("invalid token") for _ in batch]
            case Fault.RATE_LIMIT:
                return [NotSent("429 too many requests", retry_after=3.0) for _ in batch]
            case Fault.NO_CONNECTION:
                return [NotSent("connection refused") for _ in batch]
            case Fault.CUT_BEFORE:
                return [Unknown("connection reset") for _ in batch]
            case Fault.RAISE_BEFORE:
                raise RuntimeError("broken writer")
            case Fault.LATE:
                ledger.pending.extend((now + ledger.late_by, prepared) for prepared in batch)
                return [Unknown("read timed out") for _ in batch]
            case Fault.REFUSE:
                return [Refused("INVALID", "The field memo is too long.") for _ in batch]
        endings = [self._one(prepared, now) for prepared in batch]
        if fault is Fault.CUT_AFTER:
            return [Unknown("connection reset") for _ in batch]
        if fault is Fault.RAISE_AFTER:
            raise RuntimeError("broken writer")
        if fault is Fault.SHORT_ANSWER:
            return endings[:-1]
        return endings

    def _one(self, prepared: Prepared, now: datetime) -> Ending:
        if prepared.effect.external_id in self.ledger.refused:
            return Refused("BAD_RECORD", "This customer is inactive.")
        record = self.ledger.apply(prepared, now)
        if record is None:
            return Exists(f"There is a {prepared.effect.kind} {prepared.effect.external_id} already.")
        return Confirmed(as_remote(record))

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        self.ledger.settle()
        self.ledger.probes += 1
        self.probed.append([effect.key for effect in effects])
        if not self.ledger.credentials_work:
            raise CredentialError("invalid token")
        if not self.ledger.search_works:
            raise TransientError("The search is down.")
        now = self.ledger.clock.now()
        found: dict[str, Remote] = {}
        for effect in effects:
            if effect.action is Action.VOID:
                if not any(r.external_id == effect.external_id for r in self.ledger.records):
                    found[effect.key] = Remote(effect.target_id, effect.external_id, amount=Money.zero("USD"))
                continue
            for record in self.ledger.records:
                if record.external_id != effect.external_id or record.kind != effect.kind:
                    continue
                if effect.action is Action.UPDATE and record.body != effect.body:
                    continue
                if record.visible_at <= now:
                    found.setdefault(effect.key, as_remote(record))
        return found


def make_effect(
    name: str,
    *,
    amount: str = "10.00",
    kind: str = "invoice",
    partition: str = "2026-03-01",
    depends_on: tuple[str, ...] = (),
    body: dict[str, Json] | None = None,
    action: Action = Action.CREATE,
    origin: str = "",
    target_id: str = "",
    connection: str = "books",
) -> Effect:
    """An effect called `name`: its key, reference and number."""
    return Effect(
        key=f"KEY{name}",
        connection=connection,
        integration="shop_books",
        flow="invoices",
        partition=partition,
        kind=kind,
        action=action,
        external_id=f"EXT-{name}",
        number=name,
        title=f"Invoice {name}",
        body=canonical(body if body is not None else {"name": name, "amount": Decimal(amount)}),
        expected=Expected(Money.of(amount, "USD"), date(2026, 3, 1), 1),
        origin=origin,
        target_id=target_id,
        depends_on=depends_on,
        source=f"file:abc#{name}",
    )


def make_plan(*effects: Effect, rows: Sequence[PlanRow] = (), partition: str = "2026-03-01") -> Plan:
    """A sealed plan of those effects, then of the other rows."""
    return Plan(
        integration="shop_books",
        flow="invoices",
        partition=partition,
        connection=effects[0].connection if effects else "books",
        made_at=START,
        inputs=(("orders", "digest-1"),),
        rows=(
            *(
                PlanRow(
                    effect.action,
                    Reason("new", "It is not in the books yet."),
                    effect.key,
                    effect.number,
                    effect.title,
                    effect.kind,
                    effect.expected.amount,
                    effect,
                )
                for effect in effects
            ),
            *rows,
        ),
    ).sealed()
