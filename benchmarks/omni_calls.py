"""Calls to Omni, as the sandbox counts them, against the fewest there can be, whatever the history; and the naive way.

    python -m benchmarks omni_calls [--quick]

Belongs here: the formulas, the measurement. Does not belong here: counting (`counting`), the naive way (`omni_naive`).

Calls that cannot be avoided (cin7-omni.md 3, 4, 6.1, 7): one write holds many records of one kind, `records_a_call` by our setting. N new
orders of M new customers with P payments: N, M and P over that, each rounded up. News of the account: one page of 250 of each of the
five lists that tell what changed; a page that is not full is the last. What became of a batch whose answer was lost: one search for each
20 references, more do not fit into an address. Dispatches are written one a call by default, for Omni was seen to answer 500 to one that
it had made. A back-fill costs no more calls than the same records of one day: days share calls.

A full pull: every entity of the account into snapshots, from nothing. The account's lists are no snapshot: a page counts places, and a
record that changes leaves its own (cin7-omni.md 4). So each call asks for what lies at or after the last row seen, and a page of 250
brings the rows of the last second once more: `walked` counts the calls of that from the instants in the sandbox's dump. Stock is asked
for branch by branch, behind the list of branches. A store's pull is in `store_pull`; of it stands more at the head of `shop_calls`.
"""

from __future__ import annotations

import tempfile
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path

from benchmarks.counting import IDLE_GROWS, Counted, counted
from benchmarks.omni_naive import naive, naive_dispatch
from benchmarks.report import Goal, Section, Tabular
from benchmarks.store_pull import store_pull
from benchmarks.whole_pull import Pull, all_there, rows_stored
from ledger_pipelines.systems.cin7.client import CHUNK, PAGE
from ledger_pipelines.systems.cin7.entities import ENTITIES
from ledger_pipelines.systems.cin7.reader import Cin7Reader
from ledger_pipelines_tests.omni_stage import OmniStage
from ledger_pipelines_tests.shop_history import OmniHistory, days_back, plain_omni

SIZES = (100, 1_000, 10_000)
QUICK = (20, 100)
NEW_ORDERS, NEW_CUSTOMERS = 120, 60
LOST, DISPATCHED = 50, 50
DAYS = 365
BATCH = 50
"""As shipped."""
FILL_DAYS, FILL_ORDERS, FILL_CUSTOMERS = 40, 200, 40
LISTS = 5
"""Lists of the account that tell what changed: contacts, products, options, orders, payments."""
HALF_HOUR = 1_800
SETTLED = 120
"""Seconds: longer than the stage's settle window."""
PRODUCT_SECONDS = 1.0  # not money: seconds
"""Goal of an idle run beyond its calls."""
SETTINGS = {"payments.enabled": True, "branches.branch": "Main warehouse"}
DISPATCH = "Yes - Completed Orders Only"
STOCK_LISTS = 3
"""Calls of a run that reads stock: the list of branches, and a page of each of two."""
_ORDERS = "/api/v1/SalesOrders"


_NOTE = (
    "Why each call cannot be avoided stands at the head of `benchmarks/omni_calls.py`, what the naive way does at that of "
    "`benchmarks/omni_naive.py`; its idle run looks once more at the orders of the day only. After each scene the sandbox's dump and "
    "ledger are compared with the store: every order once, to the cent, paid once."
)


def calls_of(records: int, a_call: int = BATCH) -> int:
    """Writes of so many records."""
    return -(-records // a_call)


@dataclass(frozen=True)
class Lost:
    """A batch whose connection dropped after it was made. after: the run once the settle window is over; naive: calls of the naive way."""

    dropped: Counted
    after: Counted
    naive: int

    @property
    def sent(self) -> int:
        """Calls that sent orders."""
        return sum(run.target.get(f"POST {_ORDERS}", 0) for run in (self.dropped, self.after))

    @property
    def unavoidable(self) -> int:
        """The reading, the batch, the search for it, its payments."""
        return LISTS + 2 * calls_of(LOST) + calls_of(LOST, CHUNK)


@dataclass(frozen=True)
class Scene:
    """Calls to the account of one scene: ours, the fewest there can be, the naive way's."""

    name: str
    calls: int
    unavoidable: int
    naive: int


@dataclass(frozen=True)
class Measured:
    """One history. dispatches: by how many go in a call; naive: of the new orders, naive_idle: of the same once more, naive_dispatch:
    of as many dispatches; planning: seconds to plan all flows of a day."""

    history: int
    idle: Counted
    news: Counted
    lost: Lost
    dispatches: dict[int, Counted]
    pulled: Pull
    store: Pull
    naive: int
    naive_idle: int
    naive_dispatch: int
    planning: float  # not money: seconds

    @property
    def runs(self) -> tuple[Counted, ...]:
        """All runs of ours."""
        return (self.idle, self.news, self.lost.dropped, self.lost.after, *self.dispatches.values())

    def scenes(self) -> list[Scene]:
        """Side by side."""
        news = LISTS + 2 * calls_of(NEW_ORDERS) + calls_of(NEW_CUSTOMERS)
        found = [
            Scene(f"{NEW_ORDERS} new orders, paid, {NEW_CUSTOMERS} new customers", self.news.total, news, self.naive),
            Scene("nothing to do", self.idle.total, LISTS, self.naive_idle),
            Scene(
                f"a batch of {LOST} whose connection drops after it was made, until all is known and paid",
                self.lost.dropped.total, self.lost.unavoidable, self.lost.naive,
            ),
        ]  # fmt: skip
        return found + [
            Scene(
                f"{DISPATCHED} dispatches, {a_call} a call", run.total, LISTS + STOCK_LISTS + calls_of(DISPATCHED, a_call), self.naive_dispatch
            )
            for a_call, run in self.dispatches.items()
        ]  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """A back-fill: days with orders, calls of it, and of the runs after it."""

    days: int
    run: Counted

    @property
    def least(self) -> int:
        """Writes that cannot be avoided: days share calls."""
        return 2 * calls_of(FILL_ORDERS) + calls_of(FILL_CUSTOMERS)


# --- the scenes ----------------------------------------------------------------------------------------------------------


def measure(folder: Path, history: int) -> Measured:
    """A history, brought into the account by the product; then each run in turn, and the naive way beside it."""
    first = days_back(DAYS - 1)
    with plain_omni(folder, first, settings=SETTINGS) as shop:
        shop.days(history, first, days_back(0), max(1, history // 5))
        stage = shop.stage
        stage.service.initial_sync()
        stage.run()
        _later(stage)
        stage.run()  # what the run before wrote is read back once
        _later(stage)
        idle = counted(stage)
        news_of = shop.day(NEW_ORDERS, shop.newcomers(NEW_CUSTOMERS))
        news = counted(stage)
        _agree(shop, "the run with news")
        planning = _planning(stage)
        lost = _lost(shop)
        dispatches = {}
        for place, a_call in enumerate((1, BATCH)):
            some = news_of[place * DISPATCHED : (place + 1) * DISPATCHED]
            dispatches[a_call] = _dispatched(shop, some, a_call)
        pulled, store = pull(stage), store_pull(stage)
        newest = shop.day(NEW_ORDERS, shop.newcomers(NEW_CUSTOMERS))
        stage.forget_calls()
        naive(stage, newest)
        by_hand = _spent(stage)
        naive(stage, newest)
        again = _spent(stage)
        naive_dispatch(stage, newest[:DISPATCHED], f"{stage.clock.now():%Y-%m-%dT%H:%M:%SZ}")
        shipped = _spent(stage)
        stage.fault("cut_after", path=_ORDERS, method="POST", nth=LOST // 2, times=1)
        naive(stage, shop.day(LOST, shop.newcomers(1)))
        lost = replace(lost, naive=_spent(stage))
        _agree(shop, "the naive way")
        return Measured(
            history, idle, news, lost, dispatches, pulled, store, by_hand, again, shipped, planning
        )


def _lost(shop: OmniHistory) -> Lost:
    """A batch for a customer that is known: what is found to be there is taken up and paid by the same run."""
    stage = shop.stage
    _later(stage)
    stage.run()
    shop.day(LOST, ["buyer000000"])
    stage.fault("cut_after", path=_ORDERS, method="POST", times=1)
    dropped = counted(stage)
    stage.clock.jump(SETTLED)
    after = counted(stage)
    if stage.unfinished():
        raise SystemExit(f"{stage.unfinished()} writes are not known to be done after a batch was lost")
    _agree(shop, "the batch whose answer was lost")
    return Lost(dropped, after, 0)


def _dispatched(shop: OmniHistory, orders: list[str], a_call: int) -> Counted:
    """Staff complete the orders; the run that dispatches them, so many a call."""
    stage = shop.stage
    stage.connections = {"cin7": {"dispatches_a_call": a_call}}
    stage.again(status_updates__auto_dispatch_orders=DISPATCH)
    _later(stage, hours=2)  # stock is read by age
    stage.run()  # a flow that was turned on looks at every day once
    _later(stage, hours=2)
    for number in orders:
        stage.status(number, "Dispatched")
    found = counted(stage)
    account = stage.account().orders()
    if not all(account[number]["dispatchedDate"] for number in orders):
        raise SystemExit("not all orders were dispatched")
    _agree(shop, "the dispatches")
    return found


def pull(stage: OmniStage) -> Pull:
    """Every entity of the account."""
    stage.forget_calls()
    zone, now = stage.service.setup.zone, stage.clock.now()
    rows = rows_stored(Cin7Reader(stage.service.cin7), ENTITIES, stage.folder / "pulled", zone, now)
    calls = sum(stage.calls("cin7").values())
    records = stage.account().dump["records"]
    branches = len(records["branch"])
    stock = len(records["option"])  # at each branch; on a page by the option's number
    whole = {"branches": branches, "stock": branches * stock}
    there = whole | {name: len(records[kind]) for name, kind in _CHANGING.items()}
    all_there(rows, there)
    fewest = (
        1 + 1 + branches * calls_of(stock + 1, PAGE)
    )  # the branches as themselves, and to ask for their stock
    return Pull(
        there,
        calls,
        fewest + sum(walked([one["modifiedDate"] for one in records[kind]]) for kind in _CHANGING.values()),
    )


_CHANGING = {
    "sales_orders": "order", "contacts": "contact", "products": "product", "product_options": "option", "payments": "payment",
}  # fmt: skip


def walked(instants: Sequence[str]) -> int:
    """Calls that a walk along rows of these instants needs: each begins at the last second seen, and a page that is not full is the
    last. A second that fills a page is walked by id, for time does not order it: each call from the last row seen on."""
    left, calls = sorted(instant[:19] for instant in instants), 1
    while len(left) >= PAGE:
        last = left[PAGE - 1]
        crowd = bisect_right(left, last) if last == left[0] else 0
        calls += 1 + (1 + (crowd - 1) // (PAGE - 1) if crowd else 0)
        left = left[crowd or bisect_left(left, last) :]
    return calls


def fill(folder: Path) -> Filled:
    """Orders of many days, all new to the account, in one run."""
    first = days_back(FILL_DAYS - 1)
    with plain_omni(folder, first, settings=SETTINGS) as shop:
        shop.days(FILL_ORDERS, first, days_back(0), FILL_CUSTOMERS)
        shop.stage.service.initial_sync()
        run = counted(shop.stage)
        _agree(shop, "the back-fill")
        return Filled(FILL_DAYS, run)


def _planning(stage: OmniStage) -> float:
    started = time.perf_counter()
    for flow in stage.service.flows:
        stage.service.plan(flow, stage.service.today())
    return time.perf_counter() - started


def _spent(stage: OmniStage) -> int:
    """Calls to the account since they were counted last."""
    spent = sum(stage.calls("cin7").values())
    stage.forget_calls()
    return spent


def _later(stage: OmniStage, hours: int = 0) -> None:
    stage.clock.jump(hours * 3_600 or HALF_HOUR)


def _agree(shop: OmniHistory, what: str) -> None:
    """Every order of the store is in the account once, to the cent, and paid once; every customer once; the account's ledger adds up."""
    stage = shop.stage
    bought = stage.store()["order"]
    wanted = {one["key"]: Decimal(one["GrandTotal"]) for one in bought}
    ledger = stage.control.get("/ledger/cin7").raise_for_status().json()
    orders, payments = ledger["orders"], ledger["payments"]
    people = Counter(one["email"] for one in stage.account().records("contact"))
    wrong = {
        "orders": len(orders) != len(wanted) or {one["reference"]: Decimal(one["total"]) for one in orders} != wanted,
        "payments": payments["count"] != len(wanted) or Decimal(payments["amount"]) != shop.paid,
        "outstanding": any(Decimal(one["outstanding"]) for one in orders),
        "contacts": any(people[one["Email"]] != 1 for one in bought),
        "ledger": not ledger["adds_up"],
    }  # fmt: skip
    found = [name for name, is_wrong in wrong.items() if is_wrong]
    if found:
        raise SystemExit(f"after {what} these are wrong in the account: {', '.join(found)}")


# --- what is told --------------------------------------------------------------------------------------------------------


def section(quick: bool) -> Section:
    """Each history on a sandbox of its own; then the back-fill."""
    found: list[Measured] = []
    for size in QUICK if quick else SIZES:
        with tempfile.TemporaryDirectory(prefix="ledger-omni-") as work:
            found.append(measure(Path(work), size))
    with tempfile.TemporaryDirectory(prefix="ledger-omni-") as work:
        filled = fill(Path(work))
    scenes = [one.scenes() for one in found]
    rows = [
        [
            same[0].name, str(same[0].unavoidable), *(str(scene.calls) for scene in same), str(same[0].naive),
            f"{same[0].calls / same[0].naive:.2f}",
        ]
        for same in zip(*scenes, strict=True)
    ]  # fmt: skip
    sizes = [f"{one.history:,}" for one in found]
    taken = [
        [
            size, f"{one.idle.cpu:.2f}", f"{one.idle.beyond:.2f}", str(one.idle.store), f"{one.news.cpu:.2f}", f"{one.news.beyond:.2f}",
            str(one.news.store), f"{one.planning:.2f}",
        ]
        for size, one in zip(sizes, found, strict=True)
    ]  # fmt: skip
    orders = filled.run.target[f"POST {_ORDERS}"]
    return Section(
        "A shop's calls to Omni: new orders, nothing to do, a lost batch, dispatches, a back-fill; by history",
        "python -m benchmarks omni_calls",
        (
            Tabular(["calls to Omni", "unavoidable", *(f"{size} orders of history" for size in sizes), "naive", "ratio"], rows),
            Tabular(
                ["", *(f"{size} orders of history: calls" for size in sizes), *(f"{size}: unavoidable" for size in sizes)],
                [
                    [f"a full pull of {what}", *(f"{one.calls:,}" for one in pulls), *(f"{one.unavoidable:,}" for one in pulls)]
                    for what, pulls in (("Omni", [one.pulled for one in found]), ("Neto", [one.store for one in found]))
                ],
            ),
            Tabular(
                [
                    "orders of history", "idle run: CPU seconds", "seconds beyond calls", "calls to Neto", "run with news: CPU seconds",
                    "seconds beyond calls", "calls to Neto", "seconds to plan a day",
                ],
                taken,
            ),
            Tabular(
                [f"back-fill of {FILL_DAYS} days, {FILL_ORDERS} orders, {FILL_CUSTOMERS} customers", "writes", "unavoidable"],
                [
                    ["orders", str(orders), str(calls_of(FILL_ORDERS))],
                    ["all", str(filled.run.writes), str(filled.least)],
                ],
            ),
        ),
        {"histories": [asdict(one) for one in found], "fill": asdict(filled)},
        [
            *(
                Goal(
                    f"{size} orders of history, {scene.name}: {scene.calls} calls to Omni ({scene.unavoidable} cannot be avoided)",
                    scene.calls == scene.unavoidable,
                )
                for size, some in zip(sizes, scenes, strict=True)
                for scene in some
            ),
            *(
                Goal(
                    f"{size} orders of history: the lost batch was sent {one.lost.sent} time, and {one.lost.after.writes} writes follow it; "
                    f"no run read a single record by its id",
                    one.lost.sent == 1 and not one.lost.after.writes and not any("{id}" in call for run in one.runs for call in run.target),
                )
                for size, one in zip(sizes, found, strict=True)
            ),
            *(
                Goal(
                    f"{size} orders of history: an idle run takes {one.idle.beyond:.2f} s beyond its calls (goal {PRODUCT_SECONDS:.0f} s), "
                    f"{one.idle.cpu:.2f} s of processor",
                    one.idle.beyond <= PRODUCT_SECONDS,
                    IDLE_GROWS if one.idle.beyond > PRODUCT_SECONDS else "",
                )
                for size, one in zip(sizes, found, strict=True)
            ),
            *(
                Goal(
                    f"{size} orders of history, {one.pulled.told}: {one.pulled.calls} calls to Omni ({one.pulled.unavoidable} cannot be avoided)",
                    one.pulled.calls == one.pulled.unavoidable,
                )
                for size, one in zip(sizes, found, strict=True)
            ),
            Goal(
                f"a back-fill of {FILL_DAYS} days writes {FILL_ORDERS} orders in {orders} calls, and all it has in {filled.run.writes} "
                f"({filled.least} cannot be avoided)",
                filled.run.writes == filled.least,
            ),
        ],
        [_NOTE],
    )  # fmt: skip
