"""A year of a shop, day by day, in one go: a hole in the middle, a kill in the middle, and once more with nothing to do.

    python -m benchmarks shop_year [--quick]

Belongs here: the scene, the clock around it. Does not belong here: counting calls of small runs (`shop_calls`), Dagster's share
(`backfill`).

The first and the last quarter of the year are in the books already. Then one run over all its days fills the hole; it is killed
(SIGKILL) when half of it is written, and run again. The call that was on its way then may be in doubt: where it is, its settle window
is waited out, and one more run looks for it. After that there is nothing to do. Orders, invoices and payments must agree at the end,
and as many documents be written as there are orders and customers.

The goals. Saasu allows one call a second, so N writes take N seconds whatever we do: what we add may be 2 % of that. A day that
writes nothing has no calls to hide behind: all flows of it, planned and carried out, may take 60 ms.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.counting import call_seconds
from benchmarks.report import Goal, Section, Tabular
from benchmarks.running import Run, child, measured, tell
from ledger_pipelines.config.load import load_config
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.integrations.neto_saasu.service import build_service
from ledger_pipelines_tests.shop_history import ShopHistory, days_back, plain_shop
from ledger_pipelines_tests.shop_stage import NAME

DAYS, ORDERS = 365, 5_000
QUICK_DAYS, QUICK_ORDERS = 30, 120
SHARE = 0.02  # not money: of the calls' own seconds
A_DAY_SECONDS = 0.06  # not money: seconds
PATIENCE_SECONDS = 1_800.0  # not money: seconds


@dataclass(frozen=True)
class Part:
    """One step. beyond: seconds that were not spent in calls; writes: to the file."""

    name: str
    seconds: float
    beyond: float
    writes: int
    peak_mib: float


def carried_out(folder: str, first: str, last: str) -> Mapping[str, Any]:
    """All days from first to last, in this process."""
    loaded = load_config(Path(folder) / "ledger.yaml", KINDS)
    service = build_service(loaded, NAME)
    begin = date.fromisoformat(first)
    days = [begin + timedelta(days=n) for n in range((date.fromisoformat(last) - begin).days + 1)]
    try:
        with call_seconds() as calls:
            result = service.run(None, days)
    finally:
        service.close()
    return {"calls_seconds": sum(calls), "days": len(result.days)}


def measure(folder: Path, days: int, orders: int) -> list[Part]:
    """The year."""
    first, last = days_back(days - 1), days_back(0)
    quarter = days // 4  # not money: days
    with plain_shop(folder, first, settings={"inventory_from_saasu.enabled": False}) as shop:
        shop.days(orders, first, last, max(1, orders // 5))
        stage = shop.stage
        with call_seconds() as calls:
            started = time.perf_counter()
            stage.service.initial_sync()
            seconds = time.perf_counter() - started
        parts = [Part("both sides read whole", seconds, seconds - sum(calls), 0, 0.0)]
        stage.close_service()
        head, tail = first + timedelta(days=quarter), last - timedelta(days=quarter)
        parts += [
            _part(shop, "the first quarter", first, head),
            _part(shop, "the last quarter", tail, last),
            _killed(shop, first, last, orders),
            _part(shop, "again, to the end", first, last),
            _settled(shop),
            _part(shop, "again, for what the kill left in doubt", first, last),
            _part(shop, "once more, nothing to do", first, last),
        ]
        _agree(shop, orders, parts)
        return parts


def _part(shop: ShopHistory, name: str, first: date, last: date) -> Part:
    before = _writes(shop)
    run: Run = child("benchmarks.shop_year", str(shop.stage.folder), first.isoformat(), last.isoformat())
    beyond = run.seconds - run.facts["calls_seconds"]
    return Part(name, run.seconds, beyond, _writes(shop) - before, run.peak_mib)


def _killed(shop: ShopHistory, first: date, last: date, orders: int) -> Part:
    """The run that fills the hole, killed when about half of it is written."""
    before = _writes(shop)
    invoices = _invoices(shop)
    enough = invoices + (orders - invoices) // 2  # not money: invoices
    command = [
        sys.executable,
        "-m",
        "benchmarks.shop_year",
        str(shop.stage.folder),
        first.isoformat(),
        last.isoformat(),
    ]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while _invoices(shop) < enough:
        if process.poll() is not None or time.perf_counter() - started > PATIENCE_SECONDS:
            raise SystemExit("the run that was to be killed ended by itself")
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return Part("the whole year, killed", time.perf_counter() - started, 0.0, _writes(shop) - before, 0.0)


def _settled(shop: ShopHistory) -> Part:
    """Waits until what is in doubt can be told: a window that ended in the last run made that one write."""
    started = time.perf_counter()
    stage = shop.stage
    for open_ in stage.service.unfinished():
        time.sleep(max(0.0, (open_.resolvable_at - stage.clock.now()).total_seconds()))  # not money: seconds
    stage.close_service()
    return Part("waiting for a call in doubt", time.perf_counter() - started, 0.0, 0, 0.0)


def _writes(shop: ShopHistory) -> int:
    return sum(
        count for call, count in _calls(shop).items() if not call.startswith("GET") and "author" not in call
    )


def _invoices(shop: ShopHistory) -> int:
    return _calls(shop)["POST /Invoice"]


def _calls(shop: ShopHistory) -> Counter[str]:
    return shop.stage.calls("saasu")


def _agree(shop: ShopHistory, orders: int, parts: Sequence[Part]) -> None:
    file = shop.stage.file()
    invoices = file.invoices()
    received, open_items = file.balance("PayPal Clearing"), file.balance("Accounts Receivable")
    one_each = len({one["PurchaseOrderNumber"] for one in invoices}) == len(invoices) == orders
    if not one_each or received != shop.paid or open_items:
        raise SystemExit(
            f"{len(invoices)} invoices of {orders} orders, {received} received of {shop.paid}, {open_items} open"
        )
    made = sum(one.writes for one in parts)
    if made - orders - shop.customers not in {
        0,
        1,
    }:  # the call that was cut may have been counted and never applied
        raise SystemExit(f"{made} writes for {orders} orders of {shop.customers} customers")
    if parts[-1].writes:
        raise SystemExit(f"{parts[-1].writes} writes when there was nothing to do")


def section(quick: bool) -> Section:
    """The year once."""
    days, orders = (QUICK_DAYS, QUICK_ORDERS) if quick else (DAYS, ORDERS)
    with tempfile.TemporaryDirectory(prefix="ledger-year-") as work:
        parts = measure(Path(work), days, orders)
    filled, _, doubt, nothing = parts[-4:]
    heading = ["", "seconds", "beyond calls", "writes to Saasu", "beyond, a write", "peak MiB"]
    rows = [
        [
            one.name, f"{one.seconds:.1f}", f"{one.beyond:.1f}" if one.beyond else "", f"{one.writes:,}",
            f"{one.beyond / one.writes * 1000:.0f} ms" if one.beyond and one.writes else "", f"{one.peak_mib:.0f}" if one.peak_mib else "",
        ]
        for one in parts
    ]  # fmt: skip
    written = [one for one in parts if one.writes and one.beyond]
    beyond = sum(one.beyond for one in written)
    calls = sum(one.writes for one in written)
    return Section(
        f"A shop's year: {days} days, {orders:,} orders, a hole in the middle, killed once",
        "python -m benchmarks shop_year",
        (Tabular(heading, rows),),
        {"days": days, "orders": orders, "parts": [asdict(one) for one in parts]},
        [
            Goal(
                f"what we add to {calls:,} writes that take a second each at Saasu is {beyond:.1f} s (goal {SHARE:.0%}: "
                f"{calls * SHARE:.1f} s)",
                beyond <= calls * SHARE,
            ),
            Goal(
                f"{days} days of all flows with nothing to do take {nothing.beyond:.1f} s (goal {days * A_DAY_SECONDS:.1f} s)",
                nothing.beyond <= days * A_DAY_SECONDS,
            ),
            Goal(
                f"after the kill {filled.writes + doubt.writes:,} writes were left and made; a run more makes {nothing.writes}",
                not nothing.writes,
            ),
        ],
        ["Every order is one invoice, all of it paid, to the cent, or the benchmark ends with an error."],
    )


if __name__ == "__main__":
    tell(measured(lambda: carried_out(*sys.argv[1:])))
