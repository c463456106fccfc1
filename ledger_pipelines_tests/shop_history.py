"""A plain shop with as much history as wanted: orders day by day, of known customers, each paid, all made through the store's API.

Belongs here: making the days quickly, a hundred records a call, for a Saasu file or a Cin7 Omni account. Does not belong here: running
the product (`shop_stage`, `omni_stage`), orders of odd shapes (the sandbox's demo), assertions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from ledger_pipelines.cli.processes import RunningSandbox, running_sandbox
from ledger_pipelines_tests.omni_stage import MAIN, OmniStage
from ledger_pipelines_tests.shop_stage import ShopStage
from ledger_pipelines_tests.store_stage import Record, StoreStage

G = TypeVar("G", bound=StoreStage[Any])
PRODUCTS = 20
STOCK = 1_000_000
PRICE = Decimal("33.00")
BATCH = 100
DAY = 86_400


@dataclass
class StoreHistory(ABC, Generic[G]):
    """What is there so far. orders: numbers in the order they were made; customers: how many; paid: in all."""

    stage: G
    customers: int = 0
    orders: list[str] = field(default_factory=list)
    paid: Decimal = Decimal(0)

    def open(self) -> None:
        """Products of the store, known at the target already. Neto's limit a minute is lifted: history is made in seconds."""
        self.stage.control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()
        skus = [f"PLAIN-{n:02d}" for n in range(PRODUCTS)]
        wishes = [
            {"SKU": sku, "Name": f"Plain {sku}", "DefaultPrice": str(PRICE), "Approved": True} for sku in skus
        ]
        self.stage.shop("AddItem", {"Item": wishes})
        self.stock(skus)

    @abstractmethod
    def stock(self, skus: Sequence[str]) -> None:
        """Make the target know the products."""

    def newcomers(self, count: int) -> list[str]:
        """New customers of the store; their user names."""
        names = [f"buyer{self.customers + n:06d}" for n in range(count)]
        self.customers += count
        for some in _batches(names):
            wishes = [
                {"Username": name, "EmailAddress": f"{name}@example.com", "Type": "Customer",
                 "BillingAddress": {"BillFirstName": "Pat", "BillLastName": f"Of {name}", "BillStreet1": "1 Quay St",
                                    "BillCity": "SYDNEY", "BillState": "NSW", "BillPostCode": "2000", "BillCountry": "AU"}}
                for name in some
            ]  # fmt: skip
            self.stage.shop("AddCustomer", {"Customer": wishes})
        return names

    def day(self, orders: int, buyers: list[str]) -> list[str]:
        """Orders of now, bought by each in turn, each paid at once."""
        made: list[str] = []
        for some in _batches([buyers[n % len(buyers)] for n in range(orders)]):
            wishes = [self._wish(buyer, len(self.orders) + len(made) + n) for n, buyer in enumerate(some)]
            numbers = [
                one["OrderID"] for one in _listed(self.stage.shop("AddOrder", {"Order": wishes})["Order"])
            ]
            paid = [
                {"OrderID": number, "AmountPaid": str(_amount(wish)), "PaymentMethodName": "PayPal Checkout"}
                for number, wish in zip(numbers, wishes, strict=True)
            ]
            self.stage.shop("AddPayment", {"Payment": paid})
            self.paid += sum((_amount(wish) for wish in wishes), Decimal(0))
            made += numbers
        self.orders += made
        return made

    def days(self, orders: int, first: date, last: date, buyers: int) -> None:
        """So many orders, evenly over the days, of that many customers; the sandbox's clock ends where it is now."""
        span = (last - first).days + 1
        names = self.newcomers(buyers)
        control = self.stage.control
        offset = control.get("/clock").raise_for_status().json()["offset_seconds"]
        for place in range(span):
            control.post(
                "/clock", json={"offset_seconds": offset - DAY * (span - 1 - place)}
            ).raise_for_status()
            count = orders * (place + 1) // span - orders * place // span  # not money: orders
            if count:
                start = (place * 7) % len(names)
                self.day(count, names[start:] + names[:start])

    @staticmethod
    def _wish(buyer: str, number: int) -> Record:
        person = {"FirstName": "Pat", "LastName": f"Of {buyer}", "Street1": "1 Quay St", "City": "SYDNEY", "State": "NSW",
                  "PostCode": "2000", "Country": "AU"}  # fmt: skip
        lines = [
            {"SKU": f"PLAIN-{(number + n) % PRODUCTS:02d}", "Quantity": str(1 + n)}
            for n in range(1 + number % 3)
        ]
        sides = {f"{side}{name}": value for side in ("Bill", "Ship") for name, value in person.items()}
        return {
            "Username": buyer,
            "Email": f"{buyer}@example.com",
            "OrderStatus": "Pick",
            "OrderLine": lines,
        } | sides


class ShopHistory(StoreHistory[ShopStage]):
    """With a Saasu file."""

    def stock(self, skus: Sequence[str]) -> None:
        """As items of the file."""
        for sku in skus:
            body = {"Code": sku, "Description": f"Plain {sku}", "Type": "I", "IsActive": True, "IsSold": True, "IsVisible": True,
                    "SaleIncomeAccountId": 9040, "SaleTaxCodeId": 7}  # fmt: skip
            self.stage.book("POST", "/Item", body)


class OmniHistory(StoreHistory[OmniStage]):
    """With a Cin7 Omni account."""

    def stock(self, skus: Sequence[str]) -> None:
        """As products of the account, each with stock at the main branch."""
        products = [
            {"styleCode": sku, "name": f"Plain {sku}", "productOptions": [{"productOptionCode": sku, "retailPrice": float(PRICE)}]}
            for sku in skus
        ]  # fmt: skip
        self.stage.omni("POST", "Products", products)
        there = [{"code": sku, "qty": STOCK, "unitCost": 1} for sku in skus]
        self.stage.omni("POST", "Adjustments", [{"branchId": MAIN, "lineItems": there}])


def amount(line: Record) -> Decimal:
    """What a line of an order comes to, with tax."""
    return PRICE * Decimal(line["Quantity"])


def _amount(wish: Record) -> Decimal:
    return sum((amount(line) for line in wish["OrderLine"]), Decimal(0))


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _batches(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), BATCH):
        yield names[start : start + BATCH]


@contextmanager
def plain_shop(folder: Path, start: date, **more: Any) -> Iterator[ShopHistory]:
    """An empty shop and its file, with its products known on both sides, on a sandbox in a process of its own.

    Args:
        folder: For the sandbox's log and the product's data.
        start: Integration date.
        more: As of `ShopStage`.
    """
    with running_sandbox(folder / "sandbox.log", seed="empty") as sandbox:
        stage = ShopStage(*_place(sandbox, folder), start=start.isoformat(), **more)
        try:
            history = ShopHistory(stage)
            history.open()
            yield history
        finally:
            stage.close()


@contextmanager
def plain_omni(folder: Path, start: date, **more: Any) -> Iterator[OmniHistory]:
    """The same with a Cin7 Omni account. more: as of `OmniStage`."""
    with running_sandbox(folder / "sandbox.log", seed="empty") as sandbox:
        stage = OmniStage(*_place(sandbox, folder), start=start.isoformat(), **more)
        try:
            history = OmniHistory(stage)
            history.open()
            yield history
        finally:
            stage.close()


def _place(sandbox: RunningSandbox, folder: Path) -> tuple[str, dict[str, str], dict[str, Any], Path]:
    """What a stage begins with."""
    credentials = dict(sandbox.credentials)
    addresses = {
        name: str(credentials[name]["base_url"]) for name in ("neto", "saasu", "cin7", "netsuite", "amazon")
    }
    return sandbox.control, addresses, credentials, folder


def days_back(days: int) -> date:
    """The day so many days before today, in the zone of the shipped configuration's Australian books."""
    return datetime.now(ZoneInfo("Australia/Sydney")).date() - timedelta(days=days)
