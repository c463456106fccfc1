"""The process that is killed: stores a plan, applies it to the tiny ledger, and dies or stops where it was told to.

Belongs here: the child's entry and its writer. Does not belong here: the verdict (`test_engine_kill`).
"""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import (
    Confirmed,
    Effect,
    Ending,
    Mode,
    NotSent,
    Prepared,
    Remote,
    Unknown,
    WriteClass,
)
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.errors import TransientError
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines.sync.states import Policy
from ledger_pipelines_tests.faults.engine_target import make_effect, make_plan

REQUEST_SENT = "writer.request_sent"
"""The child writer's own fault point: the request has left, the answer has not come."""

WINDOW = timedelta(seconds=0.8)
LEASE = timedelta(seconds=1.0)


@dataclass(frozen=True)
class Order:
    """What a child is told. at: fault point; hits: at which time it is reached; how: "kill" or "stop"."""

    folder: str
    port: int
    documents: int = 4
    at: str = ""
    hits: int = 1
    how: str = "kill"
    batch_size: int = 1
    workers: int = 1


class HttpWriter:
    """Writes to the tiny ledger, a fresh connection a call."""

    connection = "books"
    write_class = WriteClass.SEARCH
    settle_window = WINDOW

    def __init__(self, order: Order) -> None:
        self._port = order.port
        self.batch_size = order.batch_size
        self.workers = order.workers

    def batch_key(self, effect: Effect) -> str | None:
        return effect.kind if self.batch_size > 1 else None

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        return [self._one(prepared) for prepared in batch]

    def _one(self, prepared: Prepared) -> Ending:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            line.connect()
        except OSError as error:
            return NotSent(str(error))
        try:
            asked = {"external_id": prepared.effect.external_id, "body": canonical(prepared.body)}
            line.request("POST", "/documents", json.dumps(asked))
            faultpoints.reached(REQUEST_SENT)
            answer = json.loads(line.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Unknown(str(error))
        finally:
            line.close()
        return Confirmed(Remote(answer["id"], answer["external_id"]))

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            line.request("GET", "/documents")
            documents = json.loads(line.getresponse().read())["documents"]
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TransientError(str(error)) from error
        finally:
            line.close()
        ids = {document["external_id"]: document["id"] for document in documents}
        return {
            effect.key: Remote(ids[effect.external_id], effect.external_id)
            for effect in effects
            if effect.external_id in ids
        }


def _install(order: Order) -> None:
    left = order.hits

    def hook(name: str) -> None:
        nonlocal left
        if name != order.at:
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL if order.how == "kill" else signal.SIGSTOP)

    if order.at:
        faultpoints.install(hook)


def run(order: Order) -> None:
    """The child's life. Leaves its result in the folder, under its process id."""
    _install(order)
    folder = Path(order.folder)
    store = PlanStore(folder / "plans")
    store.save(make_plan(*(make_effect(str(i)) for i in range(order.documents))))
    plan = store.latest("shop_books", "invoices", "2026-03-01")
    if plan is None:
        raise SystemExit(3)
    with Journal.open(folder / "journal.db") as journal:
        result = apply(
            plan,
            journal=journal,
            writer=HttpWriter(order),
            mode=Mode.LIVE,
            recompute=lambda: plan,
            policy=Policy(lease=LEASE),
        )
    (folder / f"result-{os.getpid()}.json").write_text(result.to_json())
    raise SystemExit(result.exit_code)
