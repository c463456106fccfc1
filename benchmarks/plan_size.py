"""The plan of 100,000 documents, and of 10,000 beside a journal of 1,000 to 1,000,000 links.

    python -m benchmarks plan_size [--quick]

The real way, in a process of its own each time, imports done: `AmazonNetSuite.plan("payments")` (stored rows to groups, stored
books decoded, the journal's view of the settlement, every group decided, the plan made, sealed and stored, durably), then the
plan read back and compared with its digest, then `export` in mode `plan` (it is computed anew and compared, the guards are
judged; no call, no entry). Every order has one open invoice that fits. Periods, accounts and items are those NetSuite's sandbox
gives for a small settlement; the invoices are made from the groups, without it.

Histories are measured in turn, round after round. Checked: as many documents as orders, all created, over the sum of the
invoices; nothing entered in the journal. Goals: 10 s, and no growth with the history.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from benchmarks.history import grow
from benchmarks.report import Goal, Section, Tabular, ratio
from benchmarks.running import Run, as_data, child, measured, tell
from ledger_pipelines.config.load import load_config
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.amounts import claimed, default_basis
from ledger_pipelines.integrations.amazon_netsuite.books import BookDocument, BookLine
from ledger_pipelines.integrations.amazon_netsuite.payments import FLOW
from ledger_pipelines.integrations.amazon_netsuite.service import AmazonNetSuite, build_service
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines.storage.atomic import write_atomically
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines_tests.generate import many
from ledger_pipelines_tests.stage import NAME, stage_on

LARGE, SMALL = (100_000, 3), (10_000, 5)
QUICK_LARGE, QUICK_SMALL = (2_000, 2), (500, 2)
LINKS, QUICK_LINKS = (1_000, 100_000, 1_000_000), (100, 10_000)
GOAL = 10.0
FLAT = 1.15
LEFT = "Half of it is deciding the documents, a quarter making the groups from their rows: values made in Python, a few dozen a document."
STEPS = ("plan", "read back", "guards")
Made = TypeVar("Made")


def settlement_id(orders: int) -> str:
    """Of a generated settlement of so many orders."""
    return f"261{orders:08d}"


def service_of(folder: Path) -> AmazonNetSuite:
    """The integration, on that folder."""
    return build_service(load_config(folder / "ledger.yaml", KINDS), NAME)


def prepare(folder: Path, sizes: Sequence[int]) -> None:
    """Settlements of so many orders, and the books behind each."""
    with running_sandbox(seed="demo") as sandbox:
        stage = stage_on(sandbox, folder, real_clock=True)
        try:
            like = stage.service.read_books(
                stage.arrive(many(20, settlement_id=settlement_id(20), merchant=ZERO))
            )
            for orders in sizes:
                file = many(orders, settlement_id=settlement_id(orders), merchant=ZERO)
                sid = stage.arrive(file, seed=False, name=f"{orders}.txt")
                documents = invoices(stage.service.groups(sid), like.documents[0])
                books = replace(like, settlement_id=sid, documents=documents)
                write_atomically(folder / "data" / "integrations" / NAME / sid / "books.json", books.encode())
        finally:
            stage.close()


def invoices(groups: Sequence[SettlementGroup], like: BookDocument) -> tuple[BookDocument, ...]:
    """An open invoice for each order, over what its groups claim."""
    orders: dict[str, list[SettlementGroup]] = {}
    for group in groups:
        if group.cls is TransactionClass.ORDER:
            orders.setdefault(group.order_id, []).append(group)
    found = []
    for number, (order_id, of_order) in enumerate(orders.items(), 1):
        total = sum((claimed(group, default_basis(of_order)) for group in of_order), ZERO)
        items = [item for group in of_order for item in group.lines]
        lines = tuple(
            BookLine(
                str(place), "1004", item.sku, Decimal(item.quantity or 1), None, total, item.order_item_code
            )
            for place, item in enumerate(items, 1)
        )
        found.append(replace(
            like, id=str(100_000 + number), number=f"INV{number:06d}", external_id=f"SEED-{order_id}", order_id=order_id,
            total=total, unpaid=total, lines=lines,
        ))  # fmt: skip
    return tuple(found)


def run(folder: Path, orders: int) -> Run:
    """One measured run: plan, read back, guards."""
    sid = settlement_id(orders)
    took: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Made]) -> Made:
        started = time.perf_counter()
        made = work()
        took[step] = time.perf_counter() - started
        return made

    service = service_of(folder)
    try:
        before = sum(service.journal.counts().values())

        def work() -> dict[str, object]:
            plan = timed("plan", lambda: service.plan(FLOW, sid))
            stored = timed(
                "read back", lambda: PlanStore(service.setup.data / "plans").latest(NAME, FLOW, sid)
            )
            looked = timed("guards", lambda: service.export(FLOW, sid, mode=Mode.PLAN))
            created = [row for row in plan.rows if row.effect is not None and row.action.value == "create"]
            return {
                "documents": len(created),
                "rows": len(plan.rows),
                "sum": str(sum((row.amount.amount for row in created if row.amount is not None), ZERO)),
                "same": stored is not None and stored.digest == plan.digest,
                "quiet": looked.stale is None or not looked.stale,
                "guards": len(looked.guards),
                "tripped": sum(verdict.tripped for verdict in looked.guards),
            }

        made = measured(work)
        calls = service.calls()
        entered = sum(service.journal.counts().values()) - before
        wanted = sum((document.total for document in service.books(sid).documents), ZERO)
    finally:
        service.close()
    facts = {
        **made.facts,
        "took": took,
        "calls": calls,
        "known": before,
        "entered": entered,
        "right": str(wanted),
    }
    return replace(made, facts=facts)


def once(folder: Path, orders: int) -> Run:
    """One run in a process of its own, checked."""
    made = child("benchmarks.plan_size", "--folder", str(folder), "--orders", str(orders))
    facts = made.facts
    right = (
        facts["documents"] == facts["rows"] == orders
        and Decimal(facts["sum"]) == Decimal(facts["right"])
        and facts["same"]
        and facts["quiet"]
        and facts["guards"] > 0
        and (facts["calls"], facts["entered"], facts["tripped"]) == (0, 0, 0)
    )
    if not right:
        raise SystemExit(f"the plan of {orders} orders came out as {facts}")
    return made


def _step(runs: Sequence[Run], step: str) -> list[float]:
    return [made.facts["took"][step] for made in runs]


def section(quick: bool) -> Section:
    """The large plan, then the small one beside each history."""
    (large, repeats), (small, rounds) = (QUICK_LARGE, QUICK_SMALL) if quick else (LARGE, SMALL)
    histories = QUICK_LINKS if quick else LINKS
    with tempfile.TemporaryDirectory(prefix="plan-bench-") as name:
        folder = Path(name)
        prepare(folder, [small, large])
        whole = [once(folder, large) for _ in range(repeats)]
        beside = _beside(folder, small, rounds, histories)
    median = statistics.median(_step(whole, "plan"))
    curve, growth = [], 0.0
    for links, found in beside.items():
        of_plan = ratio(_step(found, "plan"), _step(beside[histories[0]], "plan"))
        of_all = ratio(
            [made.cpu_seconds for made in found], [made.cpu_seconds for made in beside[histories[0]]]
        )
        growth = of_plan.median
        curve.append([
            f"{links:,}", *(f"{statistics.median(_step(found, step)):.3f}" for step in STEPS), f"{of_plan.median:.3f}",
            f"{of_plan.minimum:.3f}", f"{of_all.median:.3f}", str(of_plan.repeats),
            f"{max(made.peak_mib for made in found):.0f}",
        ])  # fmt: skip
    return Section(
        f"The plan of {large:,} documents, and its growth with the journal",
        "python -m benchmarks plan_size",
        [
            Tabular(
                ["documents", "plan s, median", "best", "read back s", "guards and staleness s", "CPU s, all", "repeats",
                 "peak MiB"],
                [[
                    f"{large:,}", f"{median:.2f}", f"{min(_step(whole, 'plan')):.2f}",
                    *(f"{statistics.median(_step(whole, step)):.2f}" for step in STEPS[1:]),
                    f"{min(made.cpu_seconds for made in whole):.2f}", str(len(whole)),
                    f"{max(made.peak_mib for made in whole):.0f}",
                ]],
            ),
            Tabular(
                ["links in the journal", f"plan of {small:,} s", "read back s", "guards and staleness s",
                 f"plan, ratio to {histories[0]:,} links, median", "minimum", "CPU of all, median", "repeats", "peak MiB"],
                curve,
            ),
        ],
        {
            "large": as_data(whole) | {step: _step(whole, step) for step in STEPS},
            "beside": {str(links): as_data(found) | {step: _step(found, step) for step in STEPS}
                       for links, found in beside.items()},
        },
        [
            Goal(
                f"{large:,} documents planned and stored in {median:.2f} s (goal {GOAL:.0f}).",
                median <= GOAL,
                "" if median <= GOAL else LEFT,
            ),
            Goal(
                f"With {histories[-1]:,} links the same plan takes {growth:.3f} of its time with {histories[0]:,} "
                f"(goal {FLAT}).",
                growth <= FLAT,
            ),
        ],
    )  # fmt: skip


def _beside(folder: Path, orders: int, rounds: int, histories: Sequence[int]) -> dict[int, list[Run]]:
    """Runs beside each history, in turn: each journal is put in the place of the integration's own."""
    service = service_of(folder)
    plan = service.plan(FLOW, settlement_id(orders))
    own = Path(service.setup.journal_address.removeprefix("sqlite:///"))
    service.close()
    grown = own.with_name("grown.db")
    kept: dict[int, Path] = {}
    for links in histories:
        grow(grown, plan.effects()[0], links)
        kept[links] = own.with_name(f"with-{links}.db")
        shutil.copyfile(grown, kept[links])
    found: dict[int, list[Run]] = {links: [] for links in histories}
    for _ in range(rounds):
        for links, place in kept.items():
            for name in (own.name, f"{own.name}-wal", f"{own.name}-shm"):
                own.with_name(name).unlink(missing_ok=True)
            own.hardlink_to(place)
            made = once(folder, orders)
            if made.facts["known"] != links:
                raise SystemExit(f"the journal held {made.facts['known']} documents, not {links}")
            found[links].append(made)
    return found


def main() -> None:
    """One measured run, for `child`."""
    parser = argparse.ArgumentParser(description="one run; `python -m benchmarks plan_size` makes them all")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--orders", type=int, required=True)
    asked = parser.parse_args()
    tell(run(asked.folder, asked.orders))


if __name__ == "__main__":
    main()
