"""NetSuite calls of one settlement, as the sandbox counts them, against the count that cannot be avoided; the same where answers
get lost, and of a full pull.

    python -m benchmarks.calls [--orders N ...] [--merchant SHARE] [--json]

Belongs here: the formula, the measurement. Does not belong here: time and memory (`settlement_load`).

Why each call is unavoidable (netsuite.md 4.10: at most 100 records a batch, answered 202 without ids; 7: at most 1000
rows a page; 8.1 principle 6 of celigo-amazon-netsuite.md: 500 ids a question):

* token: one an hour.
* matching: one question each 500 order ids. lines: one each 500 documents found, and each 1000 lines.
* lists: one each for periods, currencies, accounts, items, subsidiaries, our summary: five record types, and whether
  the journal's memory is whole.
* writes of one kind: one submission each 100 records, one question each 1000 that learns their ids (without the id of a
  credit memo no refund can name it; without a confirmation nothing may be called done). A single record: one call that
  answers with its id.
* invoices of sales orders: one transform each; REST has no batch of transforms.
* read-back: the journal's lines, the ledger's sums, our documents (one each 1000): what makes Booked into Verified.
* state of each group in NetSuite: updates of the transactions, as writes above, and of the summary: one.

Asking how far a batch is costs calls, too; they are not in the formula, since a wait of the right length needs none.

An ambiguous ending: the connection drops behind every third transform and every third batch of payments, each applied; then all
is run until everything is confirmed. Beyond a run unharmed one question each 500 records in doubt cannot be avoided (their external
ids are searchable, netsuite.md 4.6), for transforms and for payments apart: a payment names the invoice that a transform made. The
few control records that show whether the search can be believed stand in the same question. Nothing is sent again: as many
submissions as in the run unharmed, and the same documents in NetSuite's books.

A full pull: every entity of the account into snapshots, from nothing. One token, and one question each 1000 rows of an entity;
one of an entity without rows. How many rows there are is asked of NetSuite (COUNT) beside, uncounted, and compared with the rows stored.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table

from benchmarks.doubt import answers_lost, lose_answers, until_confirmed
from benchmarks.report import Goal, Section, Tabular
from benchmarks.whole_pull import Pull, all_there, rows_stored
from ledger_pipelines.integrations.amazon_netsuite.read_books import order_ids
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.systems.entities import ChangesReader
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import Entity, entities
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL
from ledger_pipelines_tests.generate import many
from ledger_pipelines_tests.stage import Stage, stage_on

GOAL = 1.05
LISTS = 6
SIZES = (100, 1_000, 2_500)
QUICK = (100, 500)
PAGE, QUESTION, BATCH = 1_000, 500, 100
MERCHANT = Decimal("0.05")


@dataclass(frozen=True)
class Facts:
    """What a settlement consists of, counted in the sandbox's books."""

    order_ids: int
    documents: int
    lines: int
    groups: int
    invoices: int
    payments: int
    credit_memos: int
    refunds: int
    journals: int


@dataclass(frozen=True)
class Measured:
    """One settlement. calls: by kind; idle: of a second run, with nothing to do."""

    orders: int
    merchant: str
    facts: Facts
    calls: dict[str, int]
    unavoidable: dict[str, int]
    idle_calls: int
    idle_unavoidable: int
    idle_writes: int
    seconds: float

    @property
    def ratio(self) -> float:
        """Calls made to calls unavoidable."""
        return sum(self.calls.values()) / sum(self.unavoidable.values())

    @property
    def sent(self) -> int:
        """Calls that wrote."""
        return sent(self.calls)


@dataclass(frozen=True)
class Doubt:
    """A settlement, some of whose answers were lost. lost: records by what became of them; sent: calls that wrote, needed: of the run
    unharmed; runs: until all was confirmed."""

    orders: int
    lost: dict[str, int]
    calls: int
    unavoidable: int
    sent: int
    needed: int
    runs: int


def sent(calls: Mapping[str, int]) -> int:
    """Calls of those by kind that wrote."""
    return calls.get("transforms", 0) + calls.get("writes and submissions", 0)


def written(records: int) -> int:
    """Calls that write so many records of one kind and learn their ids."""
    return records if records < 2 else math.ceil(records / 100) + math.ceil(records / 1000)


def reads(facts: Facts) -> dict[str, int]:
    """Unavoidable calls that read the books and read back."""
    ours = facts.payments + facts.credit_memos + facts.refunds + facts.journals
    return {
        "matching orders": math.ceil(facts.order_ids / 500),
        "lines of documents": max(math.ceil(facts.documents / 500), math.ceil(facts.lines / 1000)),
        "lists": LISTS,
        "read-back": 2 + max(1, math.ceil(ours / 1000)),
    }


def unavoidable(facts: Facts) -> dict[str, int]:
    """Unavoidable calls of a first run, by what they are for."""
    return {
        "token": 1,
        **reads(facts),
        "settlement records": 1 + written(facts.groups),
        "order invoices": facts.invoices,
        "payments": written(facts.payments),
        "refunds": written(facts.credit_memos) + written(facts.refunds),
        "settlement journal": written(facts.journals),
        "states": 1 + written(facts.groups),
    }


def measure(sandbox: RunningSandbox, folder: Path, orders: int, merchant: Decimal) -> Measured:
    """Book one generated settlement on a fresh sandbox, and run it again."""
    stage = stage_on(sandbox, folder, real_clock=True)
    try:
        stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
        sid = stage.arrive(many(orders, settlement_id=f"261{orders:08d}", merchant=merchant))
        _afresh(stage)
        started = time.monotonic()
        result = stage.run(sid)
        seconds = time.monotonic() - started
        if result.exit_code:
            raise SystemExit(f"The settlement of {orders} orders is not booked: {result.reconciliation}")
        calls = _by_kind(stage)
        facts = _facts(stage, sid)
        stage.forget_calls()
        stage.run(sid)
        idle = sum(_by_kind(stage).values())
        needed_idle = sum(reads(facts).values())
        return Measured(
            orders, str(merchant), facts, calls, unavoidable(facts), idle, needed_idle, stage.writes(), round(seconds, 1)
        )  # fmt: skip
    finally:
        stage.close()


def _facts(stage: Stage, settlement_id: str) -> Facts:
    books, groups = stage.books(), stage.service.groups(settlement_id)
    found = stage.service.books(settlement_id).documents
    return Facts(
        order_ids=len(order_ids(groups, merchant=True)),
        documents=len(found),
        lines=sum(len(document.lines) for document in found),
        groups=len(groups),
        invoices=len(books.ours("invoice")),
        payments=len(books.ours("customerPayment", settlement_id)),
        credit_memos=len(books.ours("creditMemo", settlement_id)),
        refunds=len(books.ours("customerRefund", settlement_id)),
        journals=len(books.ours("journalEntry", settlement_id)),
    )


def _by_kind(stage: Stage) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for call in stage.calls():
        path = call["path"]
        kind = (
            "token" if "token" in path
            else "questions (SuiteQL)" if "suiteql" in path
            else "asking for a batch" if "/async/" in path
            else "transforms" if "!transform" in path
            else "writes and submissions"
        )  # fmt: skip
        kinds[kind] = kinds.get(kind, 0) + call["count"]
    return kinds


def in_doubt(sandbox: RunningSandbox, folder: Path, unharmed: Measured) -> tuple[Doubt, Pull]:
    """The same settlement on a fresh sandbox, with answers that get lost; then a full pull of what there is."""
    stage = stage_on(sandbox, folder, real_clock=True)
    try:
        stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
        content = many(
            unharmed.orders, settlement_id=f"261{unharmed.orders:08d}", merchant=Decimal(unharmed.merchant)
        )
        sid = stage.arrive(content)
        _afresh(stage)
        lose_answers(stage, "!transform", "/customerPayment")
        runs = until_confirmed(stage, lambda: stage.run(sid))
        calls, facts = _by_kind(stage), _facts(stage, sid)
        if facts != unharmed.facts:
            raise SystemExit(f"where answers got lost the books hold {facts}, not {unharmed.facts}")
        transforms, batches = answers_lost(stage)
        lost = {"invoices": transforms, "payments": min(batches * BATCH, facts.payments)}
        least = sum(unavoidable(facts).values()) + sum(math.ceil(some / QUESTION) for some in lost.values())
        return Doubt(
            unharmed.orders, lost, sum(calls.values()), least, sent(calls), unharmed.sent, runs
        ), pull(stage)
    finally:
        stage.close()


def pull(stage: Stage) -> Pull:
    """All entities into a new store, as a first run of the snapshots does."""
    _afresh(stage)
    setup = stage.service.setup
    with NetSuiteClient(stage.service.client.connection) as client:
        reader = cast("ChangesReader", Reader(client))  # it is given its own entities only
        known = entities(client.connection)
        stored = rows_stored(reader, known, stage.folder / "pulled", setup.zone, stage.service.clock.now())
        calls = sum(_by_kind(stage).values())
        there = {entity.name: _count(client, entity) for entity in known.values()}
    all_there(stored, there)
    return Pull(there, calls, 1 + sum(max(1, math.ceil(count / PAGE)) for count in there.values()))


def _count(client: NetSuiteClient, entity: Entity) -> int:
    where = f" WHERE {entity.where}" if entity.where else ""
    (row,) = SuiteQL(client).rows(f"SELECT COUNT(*) AS n FROM {entity.source}{where}", [])
    return int(row.get("n") or 0)


def _afresh(stage: Stage) -> None:
    """A new process without a token; calls are counted from zero."""
    stage.again()
    for tokens in (stage.folder / "data" / "state").glob("*token*"):
        tokens.unlink()
    stage.forget_calls()


def measure_all(sizes: Sequence[int], merchant: Decimal) -> list[Measured]:
    """Each size on one sandbox, one after the other."""
    with running_sandbox(seed="demo") as sandbox, tempfile.TemporaryDirectory(prefix="ledger-calls-") as work:
        return [measure(sandbox, _folder(work, str(size)), size, merchant) for size in sizes]


def _folder(work: str, name: str) -> Path:
    folder = Path(work) / name
    folder.mkdir()
    return folder


def tables(measured: Sequence[Measured]) -> list[Table]:
    """For people."""
    ratio = Table("orders", "calls", "unavoidable", "ratio", "idle run", "unavoidable", "idle writes", "seconds", title="NetSuite calls per settlement")  # fmt: skip
    for one in measured:
        ratio.add_row(
            f"{one.orders:,}", str(sum(one.calls.values())), str(sum(one.unavoidable.values())), f"{one.ratio:.3f}",
            str(one.idle_calls), str(one.idle_unavoidable), str(one.idle_writes), str(one.seconds),
        )  # fmt: skip
    why = Table("unavoidable for", *(f"{one.orders:,}" for one in measured))
    for name in measured[0].unavoidable:
        why.add_row(name, *(str(one.unavoidable[name]) for one in measured))
    made = Table("made", *(f"{one.orders:,}" for one in measured))
    for name in dict.fromkeys(kind for one in measured for kind in one.calls):
        made.add_row(name, *(str(one.calls.get(name, 0)) for one in measured))
    return [ratio, why, made]


def section(quick: bool) -> Section:
    """All sizes; then the second one with answers that get lost, and the full pull."""
    sizes = QUICK if quick else SIZES
    measured = measure_all(sizes, MERCHANT)
    with running_sandbox(seed="demo") as sandbox, tempfile.TemporaryDirectory(prefix="ledger-calls-") as work:
        doubt, pulled = in_doubt(sandbox, Path(work), measured[1])
    lost = " and ".join(f"{count} {what}" for what, count in doubt.lost.items())
    scenes = [
        [f"{doubt.orders:,} orders, the answers to {lost} lost, until all is confirmed", str(doubt.calls), str(doubt.unavoidable),
         f"{doubt.calls / doubt.unavoidable:.3f}"],
        [pulled.told, str(pulled.calls), str(pulled.unavoidable),
         f"{pulled.calls / pulled.unavoidable:.3f}"],
    ]  # fmt: skip
    heading = ["orders", "calls", "unavoidable", "ratio", "calls of an idle run", "unavoidable", "writes"]
    rows = [
        [
            f"{one.orders:,}", str(sum(one.calls.values())), str(sum(one.unavoidable.values())), f"{one.ratio:.3f}",
            str(one.idle_calls), str(one.idle_unavoidable), str(one.idle_writes),
        ]
        for one in measured
    ]  # fmt: skip
    why = [[name, *(str(one.unavoidable[name]) for one in measured)] for name in measured[0].unavoidable]
    return Section(
        "NetSuite calls per settlement, against the count that cannot be avoided",
        "python -m benchmarks calls",
        (
            Tabular(heading, rows),
            Tabular(["", "calls", "unavoidable", "ratio"], scenes),
            Tabular(["unavoidable for", *(f"{one.orders:,} orders" for one in measured)], why),
        ),
        {
            "settlements": [asdict(one) | {"ratio": one.ratio} for one in measured],
            "ambiguous ending": asdict(doubt),
            "full pull": asdict(pulled),
        },
        [
            *(
                Goal(
                    f"{one.orders:,} orders: {one.ratio:.3f} of the unavoidable calls (goal {GOAL}); with nothing to do "
                    f"{one.idle_calls} of {one.idle_unavoidable}, {one.idle_writes} of them writes",
                    one.ratio <= GOAL
                    and one.idle_calls <= one.idle_unavoidable * GOAL
                    and not one.idle_writes,
                )
                for one in measured
            ),
            Goal(
                f"the answers to {lost} lost: {doubt.calls / doubt.unavoidable:.3f} of the unavoidable calls (goal {GOAL}), "
                f"{doubt.sent - doubt.needed} of them sent again",
                doubt.calls <= doubt.unavoidable * GOAL and doubt.sent == doubt.needed,
            ),
            Goal(
                f"a full pull: {pulled.calls} calls, {pulled.unavoidable} cannot be avoided",
                pulled.calls == pulled.unavoidable,
            ),
        ],
        ["Why each call counts as unavoidable stands at the head of `benchmarks/calls.py`."],
    )


def main() -> int:
    """The command; exit code 1 when the goal is missed."""
    parser = argparse.ArgumentParser(
        description="NetSuite calls per settlement against the unavoidable count"
    )
    parser.add_argument("--orders", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--merchant", type=Decimal, default=MERCHANT, help="share of orders billed here")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    measured = measure_all(asked.orders, asked.merchant)
    if asked.json:
        print(json.dumps([asdict(one) | {"ratio": one.ratio} for one in measured], indent=1))
    else:
        for table in tables(measured):
            Console().print(table)
    return int(any(one.ratio > GOAL for one in measured))


if __name__ == "__main__":
    raise SystemExit(main())
