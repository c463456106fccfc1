"""The process that is stopped: stores a plan and applies it to the tiny ledger, through the product's own HTTP stack.

Belongs here: the plans, the writer of each write class, the child's life. Does not belong here: verdicts (`engine_case`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from urllib.parse import quote

from ledger_pipelines.documents.effects import (
    Confirmed,
    Effect,
    Ending,
    Mode,
    Prepared,
    Refused,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import Json, canonical, decode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import LedgerError, TransientError
from ledger_pipelines.faultpoints import reached
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines.systems.http import AllowList, Answer, Http, HttpSettings, classify
from ledger_pipelines.systems.secrets import Redactor
from ledger_pipelines_tests.faults import mutants
from ledger_pipelines_tests.faults.engine_target import make_effect, make_plan
from ledger_pipelines_tests.faults.shared_clock import SharedClock
from ledger_pipelines_tests.faults.stopping import NOWHERE, Stop, Watch

REQUEST_SENT = "writer.answered"
"""The writer's own point: the request has left and its answer has come, and nobody knows it yet."""

WINDOW = timedelta(seconds=20)
PARTITION = "2026-03-01"


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is told. shape: a name of `SHAPES`, or a number of documents. patience: real seconds that
    it waits for an answer."""

    folder: Path
    url: str
    write_class: WriteClass
    shape: str = "flat"
    stop: Stop = NOWHERE
    batch_size: int = 1
    workers: int = 1
    count_file: Path | None = None
    seed: int = 1
    patience: float = 30.0  # not money: seconds


def _one(name: str, kind: str, *needs: str, **body: Json) -> Effect:
    told: dict[str, Json] = {"kind": kind, "amount": "10.00", "currency": "USD", "day": PARTITION, "lines": 1}
    return make_effect(name, kind=kind, body=told | body, depends_on=tuple(f"KEY{n}" for n in needs))


def _steps() -> tuple[Effect, ...]:
    """Credit memo -> refund; order -> invoice (made from it) -> payment -> journal."""
    return (
        _one("M", "creditMemo"),
        _one("R", "customerRefund", applies_to={"$link": "KEYM"}),
        _one("O", "salesOrder"),
        _one("I", "invoice", origin={"$link": "KEYO"}),
        _one("P", "customerPayment", applies_to={"$link": "KEYI"}),
        _one("J", "journalEntry", "P"),
    )


SHAPES = ("flat", "steps")


def plan_of(shape: str) -> Plan:
    """The plan of that name, or of so many documents."""
    if shape == "steps":
        return make_plan(*_steps())
    count = 4 if shape == "flat" else int(shape)
    return make_plan(*(_one(str(i), "invoice") for i in range(count)))


class LedgerWriter:
    """Writes to the tiny ledger as a connector would: one attempt a call, endings by the product's own rules."""

    connection = "books"
    settle_window = WINDOW

    def __init__(self, order: Order, clock: SharedClock) -> None:
        settings = HttpSettings("books", AllowList((), sandbox=True), read_timeout=order.patience)
        self.write_class = order.write_class
        self.batch_size = order.batch_size
        self.workers = order.workers
        self._url = order.url
        self._http = Http(settings, clock, Redactor())

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def batch_key(self, effect: Effect) -> str | None:
        """Those of a kind go together."""
        return effect.kind if self.batch_size > 1 else None

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """One call a record."""
        return [self._one(prepared) for prepared in batch]

    def _one(self, prepared: Prepared) -> Ending:
        reference = prepared.effect.external_id
        keyed = self.write_class is WriteClass.NATIVE_KEY
        address = f"{self._url}/documents" + (f"/{quote(reference, safe='')}" if keyed else "")
        body = canonical({"external_id": reference, "body": prepared.body}).encode()
        try:
            answer = self._http.write("PUT" if keyed else "POST", address, pattern="/documents", body=body)
        except LedgerError as error:
            return classify(error) or Unknown(str(error))
        reached(REQUEST_SENT)
        return classify(answer) or _ending(answer)

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """By reference; a target of class C cannot be asked."""
        if self.write_class is WriteClass.NEITHER:
            return {}
        ids = quote(",".join(effect.external_id for effect in effects), safe=",")
        answer = self._http.read("GET", f"{self._url}/documents?ids={ids}", pattern="/documents")
        if not answer.ok:
            raise TransientError(f"HTTP {answer.status}")
        found = {row["external_id"]: _remote(row) for row in json.loads(answer.body)["documents"]}
        return {e.key: found[e.external_id] for e in effects if e.external_id in found}


def _ending(answer: Answer) -> Ending:
    told = decode(answer.body)
    if isinstance(told, dict) and answer.ok and "id" in told:
        return Confirmed(_remote(told))
    if isinstance(told, dict) and "refused" in told:
        return Refused("REFUSED", str(told["refused"]))
    return Unknown(f"HTTP {answer.status}: {canonical(told)}")


def _remote(told: Mapping[str, Json]) -> Remote:
    body = told["body"]
    assert isinstance(body, dict)
    return Remote(
        str(told["id"]),
        str(told["external_id"]),
        amount=Money.of(str(body["amount"]), str(body["currency"])),
        day=date.fromisoformat(str(body["day"])),
        lines=int(str(body["lines"])),
    )


def run(order: Order) -> None:
    """The child's life."""
    mutants.install_from_environment()
    watch = Watch(order.stop)
    watch.install()
    clock = SharedClock(order.folder / "clock")
    store = PlanStore(order.folder / "plans")
    store.save(plan_of(order.shape))
    plan = store.latest("shop_books", "invoices", PARTITION)
    if plan is None:
        raise SystemExit(3)
    with Journal.open(order.folder / "journal.db") as journal:
        result = apply(
            plan,
            journal=journal,
            writer=LedgerWriter(order, clock),
            mode=Mode.LIVE,
            clock=clock,
            recompute=lambda: plan_of(order.shape),
            random=Random(order.seed),
        )
    if order.count_file is not None:
        order.count_file.write_text(json.dumps(watch.counts))
    raise SystemExit(result.exit_code)


def warm(folder: Path) -> None:
    """One run in the nursery against a port where nobody listens: what is made at first use is made once."""
    clock = SharedClock(folder / "clock")
    order = Order(folder, "http://127.0.0.1:9", WriteClass.SEARCH)
    with Journal.open(folder / "journal.db") as journal:
        apply(
            plan_of("steps"), journal=journal, writer=LedgerWriter(order, clock), mode=Mode.LIVE, clock=clock
        )
        LedgerWriter(order, clock).close()
    clock.close()
