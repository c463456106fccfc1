"""What the scenes share: a small shop and its books, made through the vendors' APIs; sums over the store; pictures of the books.

Belongs here: set-up, and sums that know nothing of the product: they read the store's own dump. Does not belong here:
assertions of a scene.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.by_day.unreadable import UNREADABLE
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.sync.result import Outcome, RowResult
from ledger_pipelines_tests.shop_stage import FILE, Record, SaasuFile, ShopStage
from ledger_pipelines_tests.stage import JumpingClock
from ledger_pipelines_tests.store_stage import StoreStage

SYDNEY = ZoneInfo("Australia/Sydney")
ZERO = Decimal(0)
BANKS = {
    "PayPal Checkout": "PayPal Clearing", "Credit Card": "ANZ Cheque", "Direct Deposit": "ANZ Cheque",
    "Gift Voucher": "Gift Voucher Clearing", "Account Credit": "Gift Voucher Clearing",
}  # fmt: skip
"""As the shipped configuration maps them; written down here once more, so that the sums do not lean on it."""
EXPORTED = ("Pick", "Pack", "Pending Pickup", "Pending Dispatch", "Dispatched")
INCOMES = ("Sales", "Shipping Income", "Other Income")
LIABILITY, CREDIT = "Deposits Received Clearing", "Gift Voucher Clearing"
WRITING = ("POST", "PUT", "DELETE")

GOODS = (
    ("POT-600", "Teapot 600 ml", "49.95", 500), ("TEA-EB-100", "English Breakfast 100 g", "17.50", 500),
    ("TEA-EB-250", "English Breakfast 250 g", "38.45454545", 500), ("CUP-2", "Two cups with saucers", "32.72727273", 500),
    ("STRAINER", "Strainer, steel", "12.00", 500), ("HONEY-500", "Manuka honey 500 g", "42.00", 500),
    ("KETTLE", "Kettle, gooseneck", "129.00", 2), ("SAMPLE-1", "Sample sachet", "0.00", 500),
)  # fmt: skip
"""SKU, name, price with tax, opening stock in the books."""
KIT = "KIT-STARTER"
PEOPLE = (
    ("priya.nair0", "Priya", "Nair", "priya@example.com"), ("tom.harris1", "Tom", "Harris", "tom@example.com"),
    ("mum.smith", "Mum", "Smith", "family@example.com"), ("dad.smith", "Dad", "Smith", "family@example.com"),
)  # fmt: skip
ASSET, INCOME, COST, OPENING_STOCK, VOUCHERS, G1, G1_FREE, G11 = 9011, 9040, 9050, 9060, 9003, 7, 8, 12


# --- set-up ------------------------------------------------------------------------------------------------------------


def set_clock(control: httpx.Client, local: str) -> None:
    """The sandbox's clock at an instant of Sydney."""
    wanted = datetime.fromisoformat(local).replace(tzinfo=SYDNEY)
    ahead = (wanted - datetime.now(UTC)).total_seconds()
    control.post("/clock", json={"offset_seconds": ahead}).raise_for_status()


def restored(sandbox: RunningSandbox, local: str, name: str = "opened") -> None:
    """The state kept under a name, no faults, no calls counted, shipped settings, and the clock."""
    with httpx.Client(base_url=sandbox.control_url, trust_env=False, timeout=60) as control:
        for path in ("/faults", "/calls"):
            control.delete(path).raise_for_status()
        control.post("/restore", json={"name": name}).raise_for_status()
        control.delete("/saasu/meter").raise_for_status()
        set_clock(control, local)


def begin(control: httpx.Client, local: str, seed: str, target: str = "saasu") -> None:
    """The store and its target anew, as of an instant of Sydney."""
    set_clock(control, local)
    for vendor in ("neto", target):
        control.post("/reset", json={"seed": seed, "vendor": vendor}).raise_for_status()
    # A clock that is set back would count the calls of many scenes as one minute's.
    control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()


def open_shop(sandbox: RunningSandbox, local: str) -> None:
    """The small shop's goods and people in the store; its goods, with opening stock, in the books."""
    with httpx.Client(base_url=sandbox.control_url, trust_env=False, timeout=60) as control:
        begin(control, local, "empty")
        control.post("/saasu/settings", json={"rate_limit": False, "daily_quota": None}).raise_for_status()
    open_store(sandbox)
    _open_books(sandbox)


def open_store(sandbox: RunningSandbox) -> None:
    """The small shop's goods and people."""
    goods: list[Record] = [
        {
            "SKU": sku, "Name": name, "DefaultPrice": price, "CostPrice": "5.00", "TaxFreeItem": sku == "HONEY-500",
            "Approved": True, "IsInventoried": True, "WarehouseQuantity": [{"WarehouseID": "1", "Quantity": str(stock)}],
        }
        for sku, name, price, stock in GOODS
    ]  # fmt: skip
    parts = [{"ComponentSKU": sku, "AssembleQuantity": "1"} for sku in ("POT-600", "STRAINER", "TEA-EB-100")]
    goods.append(
        {"SKU": KIT, "Name": "Starter kit", "DefaultPrice": "72.00", "KitComponents": {"KitComponent": parts}}
    )
    people = [
        {
            "Username": user, "EmailAddress": email,
            "BillingAddress": {"BillFirstName": given, "BillLastName": family, "BillCountry": "AU"},
        }
        for user, given, family, email in PEOPLE
    ]  # fmt: skip
    with httpx.Client(base_url=sandbox.base_urls["neto"], trust_env=False, timeout=60) as neto:
        for action, body in (("AddItem", {"Item": goods}), ("AddCustomer", {"Customer": people})):
            answer = neto.post(
                "/do/WS/NetoAPI", json=body,
                headers={
                    "NETOAPI_ACTION": action, "NETOAPI_KEY": sandbox.credentials["neto"]["api_key"],
                    "Accept": "application/json",
                },
            )  # fmt: skip
            assert answer.json()["Ack"] == "Success", answer.text


def _open_books(sandbox: RunningSandbox) -> None:
    asked = {"wsAccessKey": sandbox.credentials["saasu"]["access_key"], "FileId": FILE}
    with httpx.Client(base_url=sandbox.base_urls["saasu"], params=asked, trust_env=False, timeout=60) as file:
        opening = []
        for sku, name, price, stock in GOODS:
            body = {
                "Code": sku, "Description": name, "Type": "I", "IsActive": True, "IsVisible": True, "IsInventoried": True,
                "AssetAccountId": ASSET, "IsSold": True, "SaleIncomeAccountId": INCOME, "SaleCoSAccountId": COST,
                "SaleTaxCodeId": G1_FREE if sku == "HONEY-500" else G1, "IsBought": True, "PurchaseTaxCodeId": G11,
                "SellingPrice": price, "IsSellingPriceIncTax": True, "BuyingPrice": "5.00",
            }  # fmt: skip
            answer = file.post("/Item", json=body)
            assert answer.status_code == 200, answer.text
            number = answer.json()["InsertedItemId"]
            opening.append(
                {
                    "ItemId": number, "Quantity": stock, "AccountId": OPENING_STOCK, "UnitPrice": 5,
                    "TotalPrice": stock * 5,
                }
            )  # fmt: skip
        adjustment = {"Date": "2026-10-01", "Summary": "Opening stock", "AdjustmentItems": opening}
        answer = file.post("/ItemAdjustment", json=adjustment)
        assert answer.status_code == 200, answer.text


class EagerClock(JumpingClock):
    """Waits by moving both clocks: nobody else is at work here."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
        if seconds > 0:
            self.jump(seconds)


# --- what the store says: sums that know nothing of the product --------------------------------------------------------


def rounded(amount: Decimal) -> Decimal:
    """Cents, half away from zero."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Expected:
    """What the books must say, by the store's orders and payments alone.

    totals: grand total by order; banks: by account; owed: by order, what is not paid; liability: received above what is owed.
    """

    totals: dict[str, Decimal] = field(default_factory=dict)
    tax: Decimal = ZERO
    paid: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    banks: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    over: Decimal = ZERO
    returned: Decimal = ZERO
    returned_tax: Decimal = ZERO
    refunded: Decimal = ZERO
    credited: Decimal = ZERO

    @property
    def receivable(self) -> Decimal:
        """What customers owe."""
        notes = self.returned - self.refunded - self.credited
        return sum(self.totals.values(), ZERO) - sum(self.paid.values(), ZERO) - notes


def expected(
    store: Mapping[str, list[Record]], without: Sequence[str] = (), statuses: Sequence[str] = EXPORTED
) -> Expected:
    """Sums over exported orders, their payments and returns. without: orders known to wait for a person.

    What a payment has above its order belongs to orders split from it; while one is not exported, it waits for that one.
    """
    found = Expected()
    orders = {one["key"]: one for one in store["order"]}
    booked = {k for k, one in orders.items() if one["OrderStatus"] in statuses and k not in without}
    free = {}
    for key in sorted(booked):
        found.totals[key] = free[key] = Decimal(orders[key]["GrandTotal"])
        found.tax += Decimal(orders[key]["OrderTax"])
    for payment in sorted(store["payment"], key=lambda one: (one["DatePaid"], one["number"])):
        key, left = payment["owner"], Decimal(payment["AmountPaid"])
        if key not in booked:
            continue
        found.banks[BANKS[payment["PaymentMethodName"]]] += left
        family = [key, *(k for k in sorted(booked) if orders[k]["RelatedOrderID"] == key)]
        for one in family:
            part = min(left, free[one])
            free[one] -= part
            found.paid[one] += part
            left -= part
        if any(one["RelatedOrderID"] == key and one["key"] not in booked for one in orders.values()):
            found.banks[BANKS[payment["PaymentMethodName"]]] -= (
                left  # belongs to the order that was split off
            )
        else:
            found.over += left
    for rma in store["rma"]:
        if rma["owner"] in booked and rma["RmaStatus"] == "Closed":
            _returned(found, rma)
    return found


def _returned(found: Expected, rma: Record) -> None:
    """A closed return is the customer's credit, until it is paid out."""
    whole, out = Decimal(rma["RefundTotal"]), ZERO
    found.returned += whole
    found.returned_tax += Decimal(rma["RefundTaxTotal"])
    for refund in rma["Refunds"]:
        if refund["RefundStatus"] == "Refunded":
            amount = Decimal(refund["RefundAmount"])
            out += amount
            found.banks[BANKS[refund["PaymentMethodName"]]] -= amount
    found.refunded += out
    found.credited += whole - out
    found.banks[CREDIT] -= whole - out


def agrees(file: SaasuFile, sums: Expected, others: Decimal = ZERO) -> None:
    """The books against the sums: each document, banks, receivables, liability, tax. others: taxed sales that somebody else
    wrote."""
    invoices = {one["PurchaseOrderNumber"]: one for one in file.invoices() if number(one["TotalAmount"]) >= 0}
    there = {key: number(invoices[key]["TotalAmount"]) for key in sums.totals if key in invoices}
    assert there == sums.totals
    for name in sorted(set(BANKS.values())):
        assert (name, file.balance(name)) == (name, sums.banks.get(name, ZERO))
    sale_orders = [one for one in invoices.values() if one["InvoiceType"] == "Sale Order"]
    unposted = sum((number(one["TotalAmount"]) for one in sale_orders), ZERO)
    unposted_tax = sum((number(one["TotalTaxAmount"]) for one in sale_orders), ZERO)
    assert file.balance("Accounts Receivable") == sums.receivable - unposted + others
    assert file.balance(LIABILITY) == -sums.over
    # Tax is rounded line by line in the books, and a kit or a coupon has more lines there: a cent an order at most.
    tax = sums.tax - sums.returned_tax - unposted_tax + rounded(others / 11)  # not money: a test's own sum
    assert abs(file.balance("GST Collected") + tax) <= Decimal("0.01") * len(sums.totals)
    sold = sum((file.balance(name) for name in (*INCOMES, "GST Collected")), ZERO)
    assert sold == -(sum(sums.totals.values(), ZERO) - sums.returned - unposted + others)


def number(value: object) -> Decimal:
    """A figure of a dump."""
    return Decimal(str(value))


# --- the books as a picture --------------------------------------------------------------------------------------------

_OWN = frozenset(
    {
        "Id", "LastUpdatedId", "created", "modified", "CompanyId", "BillingContactId", "ShippingContactId", "InventoryId",
        "ContactId_", "InvoiceTransactionId", "JournalContactId",
    }
)  # fmt: skip


def picture(file: SaasuFile) -> dict[str, Any]:
    """The books without ids, instants and automatic numbers, each document under what names it, and the trial balance."""
    invoices = {one["Id"]: one["PurchaseOrderNumber"] for one in file.records("invoice")}
    contacts = {one["Id"]: _person(one) for one in file.records("contact")}
    shown: dict[str, list[str]] = {}
    for kind in ("invoice", "payment", "journal", "contact", "company", "item"):
        shown[kind] = sorted(
            json.dumps(_plain(one, invoices, contacts), sort_keys=True, default=str)
            for one in file.records(kind)
        )
    balances = {line["name"]: str(line["balance"]) for line in file.trial["accounts"]}
    return {**shown, "trial": balances}


def _person(one: Record) -> str:
    return f"{one['ContactId']}/{one['GivenName']} {one['FamilyName']}/{one['EmailAddress']}"


def _plain(value: Any, invoices: Mapping[int, str], contacts: Mapping[int, str]) -> Any:
    if isinstance(value, dict):
        found = {name: _plain(one, invoices, contacts) for name, one in value.items() if name not in _OWN}
        if "InvoiceTransactionId" in value:
            found["invoice"] = invoices.get(value["InvoiceTransactionId"])
        if "BillingContactId" in value:
            found["contact"] = contacts.get(value["BillingContactId"])
        return found
    if isinstance(value, list):
        return [_plain(one, invoices, contacts) for one in value]
    return value


# --- acts and questions ------------------------------------------------------------------------------------------------


def staff(stage: StoreStage[Any], path: str, body: Record | None = None) -> Any:
    """Staff act in the store's control panel."""
    answer = stage.control.post(f"/neto{path}", json=body or {})
    assert answer.status_code == 200, answer.text
    return answer.json()["done"]


def settings(stage: ShopStage, **more: object) -> None:
    """Settings of the file's sandbox."""
    stage.control.post("/saasu/settings", json=more).raise_for_status()


def change_item(stage: ShopStage, item: int, **changes: object) -> None:
    """The bookkeeper changes an item of the file."""
    there: Record = stage.book("GET", f"/Item/{item}")
    body = {name: str(one) if isinstance(one, Decimal) else one for name, one in there.items()}
    stage.book("PUT", f"/Item/{item}", body | changes)


def planned(result: RunResult, number_: str, flow: str = "invoices") -> list[PlanRow]:
    """Rows of a run's plans about a document."""
    return [row for run in result.runs if run.flow == flow for row in run.plan.rows if row.number == number_]


def reasons(result: RunResult, number_: str, flow: str = "invoices") -> list[Reason]:
    """What the run's plans say of a document."""
    return [row.reason for row in planned(result, number_, flow)]


def unread(result: RunResult, number_: str) -> dict[str, PlanRow]:
    """Rows of a number that wait for a record which cannot be read, by flow."""
    return {
        one.plan.flow: row
        for one in result.runs
        if one.plan is not None
        for row in one.plan.rows
        if row.number == number_ and row.reason.code == UNREADABLE
    }


def waiting(result: RunResult, number_: str, flow: str = "invoices") -> Reason:
    """Why a document waits for a person: the one reason."""
    found = {row.reason for row in planned(result, number_, flow) if row.action is Action.BLOCKED}
    assert len(found) == 1, reasons(result, number_, flow)
    return found.pop()


def outcomes(result: RunResult, number_: str, flow: str = "invoices") -> list[RowResult]:
    """What became of a document."""
    return [
        row
        for run in result.runs
        if run.flow == flow and run.result is not None
        for row in run.result.rows
        if row.number == number_
    ]


def unsettled(result: RunResult) -> list[RowResult]:
    """Rows of a run that were not finished or went wrong."""
    good = {
        Outcome.WRITTEN,
        Outcome.ADOPTED,
        Outcome.ALREADY,
        Outcome.SKIPPED,
        Outcome.BLOCKED,
        Outcome.IGNORED,
    }
    return [
        row
        for run in result.runs
        if run.result is not None
        for row in (*run.result.rows, *run.result.others)
        if row.outcome not in good
    ]


def writes(stage: ShopStage) -> dict[str, int]:
    """Calls that wrote to the file since they were counted last; log-ins are none."""
    return {
        name: count
        for name, count in stage.calls("saasu").items()
        if name.startswith(WRITING) and "authorisation" not in name
    }


def no_doubles(file: SaasuFile) -> None:
    """No reference of ours is there twice."""
    for kind, name in (
        ("invoice", "PurchaseOrderNumber"),
        ("payment", "Reference"),
        ("journal", "Reference"),
    ):
        found = [one[name] for one in file.records(kind) if one.get(name)]
        assert len(found) == len(set(found)), sorted(found)


def stock_of(stage: ShopStage, sku: str) -> Decimal:
    """What the store has of a product in its main warehouse."""
    asked = {"Filter": {"SKU": [sku], "OutputSelector": ["WarehouseQuantity"]}}
    levels = stage.shop("GetItem", asked)["Item"][0]["WarehouseQuantity"]
    found = levels if isinstance(levels, list) else [levels]
    return Decimal(next(one["Quantity"] for one in found if one["WarehouseID"] == "1"))


def set_stock(stage: ShopStage, sku: str, quantity: int) -> None:
    """Staff change what the store has of a product in its main warehouse."""
    level = {"WarehouseID": "1", "Quantity": str(quantity), "Action": "set"}
    stage.shop("UpdateItem", {"Item": [{"SKU": sku, "WarehouseQuantity": level}]})


def refill(stage: ShopStage, code: str, quantity: int) -> None:
    """Goods come in, at the price of the opening stock."""
    (item,) = (one for one in stage.file().records("item") if one["Code"] == code)
    line = {
        "ItemId": item["Id"], "Quantity": quantity, "AccountId": OPENING_STOCK, "UnitPrice": 5, "TotalPrice": 5 * quantity,
    }  # fmt: skip
    stage.book(
        "POST", "/ItemAdjustment", {"Date": "2026-10-02", "Summary": "Delivery", "AdjustmentItems": [line]}
    )


def give_back(stage: ShopStage, order: str) -> str:
    """One of two pairs of cups comes back; the return's id."""
    line = {
        "SKU": "CUP-2", "Quantity": "1", "RefundSubtotal": "32.73", "TaxCode": "GST", "WarehouseID": "1",
        "ReturnReason": "Damaged", "ResolutionOutcome": "Refund", "IsRestockIssued": True,
    }  # fmt: skip
    rma = {
        "OrderID": order, "InvoiceNumber": order, "CustomerUsername": "priya.nair0", "RmaStatus": "Closed",
        "TaxInclusive": True, "ShippingRefundAmount": "0", "RmaLines": {"RmaLine": [line]},
    }  # fmt: skip
    return str(stage.shop("AddRma", {"Rma": [rma]})["Rma"]["RmaID"])


@dataclass
class Scenes:
    """An installation with its orders by scene, the runs so far, payments by name, and the books after each run."""

    stage: ShopStage
    orders: dict[str, str] = field(default_factory=dict)
    runs: list[RunResult] = field(default_factory=list)
    files: list[SaasuFile] = field(default_factory=list)
    sums: list[Expected] = field(default_factory=list)
    paid: dict[str, str] = field(default_factory=dict)
    written: list[dict[str, int]] = field(default_factory=list)

    def place(self, name: str, *lines: Record, pay: str | bool = False, **more: object) -> str:
        """A customer orders, and pays in full if told so (or that much)."""
        order = self.orders[name] = self.stage.order(*lines, **more)
        if pay:
            amount = str(self.stage.owed(order)) if pay is True else str(pay)
            self.paid[name] = self.stage.pay(order, amount)
        return order

    def run(self) -> RunResult:
        """A run, and what came of it."""
        self.stage.clock.jump(60)
        self.stage.forget_calls()
        self.runs.append(self.stage.run())
        self.files.append(self.stage.file())
        self.sums.append(expected(self.stage.store()))
        self.written.append(writes(self.stage))
        return self.runs[-1]

    @property
    def file(self) -> SaasuFile:
        """The books after the last run."""
        return self.files[-1]

    def invoice(self, name: str, run: int = -1) -> Record:
        """The one sale of a scene's order."""
        (found,) = self.files[run].invoices(self.orders[name])
        return found

    def payments(self, name: str, run: int = -1) -> dict[str, Decimal]:
        """What stands on a scene's invoice, by reference."""
        target = self.invoice(name, run)["Id"]
        return {
            one["Reference"]: number(item["AmountPaid"])
            for one in self.files[run].payments()
            for item in one["PaymentItems"]
            if item["InvoiceTransactionId"] == target
        }

    def lines(self, name: str) -> dict[str, Decimal]:
        """Amounts of a scene's invoice by item code; services by description."""
        found: dict[str, Decimal] = {}
        for line in self.invoice(name)["LineItems"]:
            code = line.get("ItemCode") or line["Description"]
            found[code] = found.get(code, Decimal(0)) + number(line["TotalAmount"])
        return found

    def total(self, name: str) -> Decimal:
        """Of a scene's invoice."""
        return number(self.invoice(name)["TotalAmount"])

    def reasons(self, name: str, run: int = -1, flow: str = "invoices") -> list[str]:
        """Codes of what a run's plans say of a scene."""
        return [one.code for one in reasons(self.runs[run], self.orders[name], flow)]
