"""Calls of a shop's runs, as the sandbox counts them, against the fewest there can be, whatever the history; and the naive way.

    python -m benchmarks shop_calls [--quick]

Belongs here: the formula, the measurement, the naive way. Does not belong here: counting (`counting`), a year in one go (`shop_year`).

Calls to Saasu that cannot be avoided (saasu.md 3.4, 5, 8.1): one call writes one document, there are no batches. N new orders of
M new customers: N invoices, each with its payment inside (QuickPayment), and M contacts. News of the file: one page of 100 of each
list that tells what changed: items, contacts, companies, invoices, payments, journals, deletions; lists that do not tell (accounts,
tax codes; stock by the settings' age) are read when they are old. Neto: one page of each list, and one that proves that a page
was the last (neto.md 4.4: a short page is no proof) for lists that brought something.

An ambiguous ending: as many orders and customers more, and the connection drops behind every third call that makes a contact and every
third that makes an invoice, each applied; then all is run until everything is confirmed. Beyond the writes, one search for each record in
doubt cannot be avoided (the file's lists are asked for one reference a call, saasu.md 5), and one reading of the lists a run. Nothing
is sent again: one call a record.

A full pull: every entity of the file into snapshots, from nothing. One call each 100 rows and one more (a full page is no proof that
it was the last); of a list of several pages, which are no snapshot, one that asks whether anything was changed since the first, and
one whether anything was deleted, where the file tells. Of the store beside it: a page each 500 rows (orders and returns 100, short lists
1000), and the one that proves the end; it is read in stretches of 31 days, each at least a call, so that what was read is stored should
a later one fail: those calls could be avoided, and are not. How many rows there are is read from the sandbox's dumps.

The naive way asks for each order: is the contact there, is the invoice there; makes both, reads the invoice back, and pays it.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.counting import IDLE_GROWS, Counted, counted
from benchmarks.doubt import answers_lost, lose_answers, until_confirmed
from benchmarks.report import Goal, Section, Tabular
from benchmarks.store_pull import store_pull
from benchmarks.whole_pull import Pull, all_there, rows_stored
from ledger_pipelines.integrations.neto_saasu.budget import calls_a_run, runs_a_day
from ledger_pipelines.systems.saasu.entities import ENTITIES
from ledger_pipelines.systems.saasu.reader import SaasuReader
from ledger_pipelines_tests.shop_history import ShopHistory, amount, days_back, plain_shop

SIZES = (100, 1_000, 10_000)
QUICK = (20, 100)
NEW_ORDERS, NEW_CUSTOMERS = 20, 8
DAYS = 365
HALF_HOUR = 1_800
PAGE = 100
LISTS = 7
"""Lists of the file that tell what changed."""
SCHEDULE = "*/30 * * * *"
"""As shipped."""
SMALLEST_PLAN, SHARE = 3_000, 80
"""Calls a day of Saasu's smallest plan (saasu.md 3.4), and how many percent of them are ours."""
PRODUCT_SECONDS = 1.0  # not money: seconds
"""Goal of an idle run beyond its calls."""


@dataclass(frozen=True)
class Doubt:
    """New orders, some of whose answers were lost. lost: by kind of record; sent: calls that wrote; runs: until all was confirmed."""

    lost: dict[str, int]
    calls: int
    sent: int
    runs: int

    @property
    def unavoidable(self) -> int:
        """Every write once, a search for each that is in doubt, the lists of each run."""
        return NEW_ORDERS + NEW_CUSTOMERS + sum(self.lost.values()) + self.runs * LISTS

    @property
    def told(self) -> str:
        """For a table."""
        some = " and ".join(f"{count} {what}" for what, count in self.lost.items())
        return f"{NEW_ORDERS} new orders, {NEW_CUSTOMERS} new customers, the answers to {some} lost, until all is confirmed"


@dataclass(frozen=True)
class Measured:
    """One history. doubt, pulled, store: an ambiguous ending, a full pull of the file and of the store. naive: calls of the naive way for as many orders; planning: seconds to plan all flows of a day. expected: calls
    of an idle run as `budget` has them; a_day: all calls of a day at the shipped schedule, as it adds them up from what was counted."""

    history: int
    idle: Counted
    news: Counted
    doubt: Doubt
    pulled: Pull
    store: Pull
    naive: int
    planning: float  # not money: seconds
    expected: int
    a_day: int

    @property
    def unavoidable(self) -> int:
        """Of the run with news."""
        return NEW_ORDERS + NEW_CUSTOMERS + LISTS


def measure(folder: Path, history: int) -> Measured:
    """A history, brought into the books by the product; then an idle run, a run with news, and the naive way beside it."""
    first = days_back(DAYS - 1)
    with plain_shop(folder, first, settings={"inventory_from_saasu.enabled": False}) as shop:
        shop.days(history, first, days_back(0), max(1, history // 5))
        stage = shop.stage
        stage.service.initial_sync()
        stage.run()
        _later(shop)
        stage.run()  # what the run before wrote is read back once
        _later(shop)
        idle = counted(shop.stage)
        shop.day(NEW_ORDERS, shop.newcomers(NEW_CUSTOMERS))
        news = counted(shop.stage)
        if news.writes != NEW_ORDERS + NEW_CUSTOMERS:
            raise SystemExit(
                f"{news.writes} writes for {NEW_ORDERS} orders of {NEW_CUSTOMERS} customers: {news.target}"
            )
        started = time.perf_counter()
        for flow in stage.service.flows:
            stage.service.plan(flow, stage.service.today())
        planning = time.perf_counter() - started
        estimate = calls_a_run(stage.service.facts())
        doubt = in_doubt(shop)
        pulled, store = pull(shop), store_pull(stage)
        stage.forget_calls()
        naive(shop, shop.day(NEW_ORDERS, shop.newcomers(NEW_CUSTOMERS)))
        spent = sum(stage.calls("saasu").values())
        return Measured(
            history, idle, news, doubt, pulled, store, spent, planning, estimate.run, estimate.a_day(runs_a_day(SCHEDULE))
        )  # fmt: skip


def in_doubt(shop: ShopHistory) -> Doubt:
    """As many orders again, with answers that get lost."""
    stage = shop.stage
    _later(shop)
    stage.run()  # what the run with news wrote is read back once
    _later(shop)
    shop.day(NEW_ORDERS, shop.newcomers(NEW_CUSTOMERS))
    lose_answers(stage, "/Contact(/|$|[?])", "/Invoice(/|$|[?])")
    found: list[Counted] = []
    runs = until_confirmed(stage, lambda: found.append(counted(stage)))
    contacts, invoices = answers_lost(stage)
    _agree(shop)
    return Doubt(
        {"contacts": contacts, "invoices": invoices}, sum(one.total for one in found), sum(one.writes for one in found), runs
    )  # fmt: skip


def pull(shop: ShopHistory) -> Pull:
    """Every entity of the file."""
    stage = shop.stage
    stage.forget_calls()
    zone, now = stage.service.setup.zone, stage.clock.now()
    rows = rows_stored(SaasuReader(stage.service.saasu), ENTITIES, stage.folder / "pulled", zone, now)
    calls = sum(stage.calls("saasu").values())
    file = stage.file()
    sales = len(file.invoices())
    records = file.counts()
    there = {
        "items": records["item"], "contacts": records["contact"], "companies": records.get("company", 0), "invoices": sales,
        "payments": records["payment"], "journals": records.get("journal", 0), "deleted": 0, "stock": records["item"],
        "accounts": records["account"], "tax_codes": records["taxcode"],
    }  # fmt: skip
    all_there(rows, there)
    return Pull(there, calls, sum(least(name, count) for name, count in there.items()))


def least(name: str, rows: int) -> int:
    """Calls that so many rows of an entity need: its pages, and that they did not move."""
    entity, pages = ENTITIES[name], rows // PAGE + 1
    return pages + (bool(entity.window) + bool(entity.deletions) if rows > PAGE else 0)


def _agree(shop: ShopHistory) -> None:
    """Every order of the store is one invoice, to the cent, and wholly paid; every customer one contact; the ledger adds up."""
    file = shop.stage.file()
    bought = shop.stage.store()["order"]
    wanted = Counter((one["key"], Decimal(one["GrandTotal"])) for one in bought)
    booked = Counter(
        (one["PurchaseOrderNumber"], Decimal(str(one["TotalAmount"]))) for one in file.invoices()
    )
    paid = Counter(
        (item["InvoiceTransactionId"], Decimal(str(item["AmountPaid"])))
        for one in file.payments()
        for item in one["PaymentItems"]
    )
    owed = Counter((one["Id"], Decimal(str(one["TotalAmount"]))) for one in file.invoices())
    people = Counter(one["ContactId"] for one in file.records("contact"))
    wrong = {
        "invoices": booked != wanted,
        "payments": paid != owed,
        "contacts": any(people[one["Username"]] != 1 for one in bought),
        "ledger": not file.trial["balanced"],
    }
    found = [name for name, is_wrong in wrong.items() if is_wrong]
    if found:
        raise SystemExit(f"after answers were lost these are wrong in the file: {', '.join(found)}")


def _later(shop: ShopHistory) -> None:
    """The next half hour; lists that are read by age are read on their own day, not now."""
    shop.stage.clock.jump(HALF_HOUR)


def naive(shop: ShopHistory, orders: Sequence[str]) -> None:
    """As a script would do it: every order by itself, nothing remembered."""
    stage = shop.stage
    items = {item["Code"]: item["Id"] for item in stage.book("GET", "/Items", PageSize=100)["Items"]}
    for number in orders:
        order = _order(shop, number)
        found = stage.book("GET", "/Contacts", ContactId=order["Username"])["Contacts"]
        contact = found[0]["Id"] if found else _made(stage.book("POST", "/Contact", {
            "GivenName": order["BillFirstName"], "FamilyName": order["BillLastName"], "ContactId": order["Username"],
            "EmailAddress": order["Email"], "IsCustomer": True,
        }), "InsertedContactId")  # fmt: skip
        if stage.book("GET", "/Invoices", InvoiceNumber=number, TransactionType="S")["Invoices"]:
            continue
        lines = [
            {"InventoryId": items[line["SKU"]], "Quantity": line["Quantity"], "UnitPrice": line["UnitPrice"], "TaxCode": "G1",
             "TotalAmount": str(amount(line))}
            for line in order["OrderLine"]
        ]  # fmt: skip
        made = stage.book("POST", "/Invoice", {
            "TransactionType": "S", "InvoiceType": "Tax Invoice", "Layout": "I", "InvoiceNumber": number, "BillingContactId": contact,
            "TransactionDate": order["DateInvoiced"], "LineItems": lines,
        })  # fmt: skip
        invoice = _made(made, "InsertedEntityId")
        owed = stage.book("GET", f"/Invoice/{invoice}")["AmountOwed"]
        stage.book("POST", "/Payment", {
            "TransactionType": "SP", "TransactionDate": order["DateInvoiced"], "PaymentAccountId": 9002,
            "PaymentItems": [{"InvoiceTransactionId": invoice, "AmountPaid": str(owed)}],
        })  # fmt: skip


def _order(shop: ShopHistory, number: str) -> Any:
    wanted = [
        "Username",
        "Email",
        "BillAddress",
        "DateInvoiced",
        "OrderLine",
        "OrderLine.Quantity",
        "OrderLine.UnitPrice",
    ]
    return shop.stage.shop("GetOrder", {"Filter": {"OrderID": [number], "OutputSelector": wanted}})["Order"][
        0
    ]


def _made(answer: Any, name: str) -> int:
    return int(answer[name])


def section(quick: bool) -> Section:
    """Each history on a sandbox of its own."""
    sizes = QUICK if quick else SIZES
    found: list[Measured] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="ledger-shop-") as work:
            found.append(measure(Path(work), size))
    heading = [
        "orders of history", "idle run: calls to Saasu", "to Neto", "seconds beyond calls", f"{NEW_ORDERS} new orders, {NEW_CUSTOMERS} new customers: calls",
        "unavoidable", "naive", "ratio", "to Neto", "seconds to plan a day", "calls a day, every 30 minutes",
    ]  # fmt: skip
    rows = [
        [
            f"{one.history:,}", str(one.idle.total), str(one.idle.store), f"{one.idle.beyond:.2f}",
            str(one.news.total), str(one.unavoidable), str(one.naive), f"{one.news.total / one.naive:.2f}",
            str(one.news.store), f"{one.planning:.2f}", f"{one.a_day:,}",
        ]
        for one in found
    ]  # fmt: skip
    scenes = [
        [size, what, str(calls), str(fewest), f"{calls / fewest:.2f}"]
        for size, one in ((f"{one.history:,}", one) for one in found)
        for what, calls, fewest in (
            (one.doubt.told, one.doubt.calls, one.doubt.unavoidable),
            (f"{one.pulled.told} of Saasu", one.pulled.calls, one.pulled.unavoidable),
            (f"{one.store.told} of Neto", one.store.calls, one.store.unavoidable),
        )
    ]
    lists = sorted({call for one in found for call in one.news.target})
    made = [[call, *(str(one.news.target.get(call, 0)) for one in found)] for call in lists]
    largest, ours = found[-1], SMALLEST_PLAN * SHARE // 100  # not money: calls
    return Section(
        "A shop's calls: new orders, and runs with nothing to do, by history",
        "python -m benchmarks shop_calls",
        (
            Tabular(heading, rows),
            Tabular(["orders of history", "", "calls", "unavoidable", "ratio"], scenes),
            Tabular(["the run with news", *(f"{one.history:,}" for one in found)], made),
        ),
        [asdict(one) for one in found],
        [
            *(
                Goal(
                    f"{one.history:,} orders of history: {one.news.total} calls to Saasu for {NEW_ORDERS} new orders of "
                    f"{NEW_CUSTOMERS} new customers ({one.unavoidable} cannot be avoided), {one.idle.total} when there is nothing to do",
                    one.news.total == one.unavoidable and one.idle.total == LISTS,
                )
                for one in found
            ),
            *(
                Goal(
                    f"{one.history:,} orders of history, {one.doubt.told}: {one.doubt.calls} calls to Saasu ({one.doubt.unavoidable} cannot be "
                    f"avoided), {one.doubt.sent - NEW_ORDERS - NEW_CUSTOMERS} of them sent again",
                    one.doubt.calls == one.doubt.unavoidable and one.doubt.sent == NEW_ORDERS + NEW_CUSTOMERS,
                )
                for one in found
            ),
            *(
                Goal(
                    f"{one.history:,} orders of history, {one.pulled.told}: {one.pulled.calls} calls to Saasu ({one.pulled.unavoidable} cannot "
                    f"be avoided)",
                    one.pulled.calls == one.pulled.unavoidable,
                )
                for one in found
            ),
            *(
                Goal(
                    f"{one.history:,} orders of history: an idle run takes {one.idle.beyond:.2f} s beyond its calls "
                    f"(goal {PRODUCT_SECONDS:.0f} s)",
                    one.idle.beyond <= PRODUCT_SECONDS,
                    IDLE_GROWS if one.idle.beyond > PRODUCT_SECONDS else "",
                )
                for one in found
            ),
            Goal(
                f"the shipped schedule makes about {largest.a_day:,} calls a day for the largest of these shops; {ours:,} are ours of the "
                f"smallest plan's {SMALLEST_PLAN:,}. Its idle run was expected to make {largest.expected}",
                largest.a_day <= ours and largest.expected == largest.idle.total,
            ),
        ],
        [
            "Why each call cannot be avoided, and what the naive way does, stands at the head of `benchmarks/shop_calls.py`."
        ],
    )
