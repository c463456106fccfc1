"""Calls of a shop's runs, as the sandbox counts them, against the fewest there can be, whatever the history; and the naive way.

    python -m benchmarks shop_calls [--quick]

Belongs here: the formula, the measurement, the naive way. Does not belong here: counting (`counting`), a year in one go (`shop_year`).

Calls to Saasu that cannot be avoided (saasu.md 3.4, 5, 8.1): one call writes one document, there are no batches. N new orders of
M new customers: N invoices, each with its payment inside (QuickPayment), and M contacts. News of the file: one page of 100 of each
list that tells what changed: items, contacts, companies, invoices, payments, journals, deletions; lists that do not tell (accounts,
tax codes; stock by the settings' age) are read when they are old. Neto: one page of each list, and one that proves that a page
was the last (neto.md 4.4: a short page is no proof) for lists that brought something.

The naive way asks for each order: is the contact there, is the invoice there; makes both, reads the invoice back, and pays it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.counting import IDLE_GROWS, Counted, counted
from benchmarks.report import Goal, Section, Tabular
from ledger_pipelines.integrations.neto_saasu.budget import calls_a_run, runs_a_day
from ledger_pipelines_tests.shop_history import ShopHistory, amount, days_back, plain_shop

SIZES = (100, 1_000, 10_000)
QUICK = (20, 100)
NEW_ORDERS, NEW_CUSTOMERS = 20, 8
DAYS = 365
HALF_HOUR = 1_800
LISTS = 7
"""Lists of the file that tell what changed."""
SCHEDULE = "*/30 * * * *"
"""As shipped."""
SMALLEST_PLAN, SHARE = 3_000, 80
"""Calls a day of Saasu's smallest plan (saasu.md 3.4), and how many percent of them are ours."""
PRODUCT_SECONDS = 1.0  # not money: seconds
"""Goal of an idle run beyond its calls."""


@dataclass(frozen=True)
class Measured:
    """One history. naive: calls of the naive way for as many orders; planning: seconds to plan all flows of a day. expected: calls
    of an idle run as `budget` has them; a_day: all calls of a day at the shipped schedule, as it adds them up from what was counted."""

    history: int
    idle: Counted
    news: Counted
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
        stage.forget_calls()
        naive(shop, shop.day(NEW_ORDERS, shop.newcomers(NEW_CUSTOMERS)))
        spent = sum(stage.calls("saasu").values())
        return Measured(
            history, idle, news, spent, planning, estimate.run, estimate.a_day(runs_a_day(SCHEDULE))
        )


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
    lists = sorted({call for one in found for call in one.news.target})
    made = [[call, *(str(one.news.target.get(call, 0)) for one in found)] for call in lists]
    largest, ours = found[-1], SMALLEST_PLAN * SHARE // 100  # not money: calls
    return Section(
        "A shop's calls: new orders, and runs with nothing to do, by history",
        "python -m benchmarks shop_calls",
        (
            Tabular(heading, rows),
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
