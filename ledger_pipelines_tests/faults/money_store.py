"""Orders and payments of random amounts in a store, for the paths that take them into somebody's books.

Belongs here: what customers order and pay, the way of it through a run, reading a plan's rows of it. Does not belong here: any target (`money_shop`,
`money_omni`).

What an order and a payment come to is what the store's own dump says. Prices have two decimals and quantities are whole, so that
no rounding is allowed anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.faults.money_amounts import Block, draw, unequal
from ledger_pipelines_tests.store_stage import Record, StoreStage

S = TypeVar("S", bound=StoreStage[Any])
SKU = "POT-600"
LINES, WHOLE, DIGITS = 4, 5, 2
CURRENCY = "AUD"
PRODUCT: Record = {"SKU": SKU, "Name": "Product", "DefaultPrice": "1.00", "Approved": "True", "IsActive": "True"}  # fmt: skip


@dataclass(slots=True)
class Sold:
    """What customers ordered and paid, by order."""

    totals: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, list[Decimal]] = field(default_factory=dict)
    paid: dict[str, list[Decimal]] = field(default_factory=dict)

    @property
    def payments(self) -> Counter[Decimal]:
        """How often each amount was paid."""
        return Counter(part for parts in self.paid.values() for part in parts)

    @property
    def received(self) -> Decimal:
        """All payments together."""
        return sum(self.payments.elements(), Decimal(0))

    @property
    def total(self) -> Decimal:
        """All orders together."""
        return sum(self.totals.values(), Decimal(0))


@dataclass(frozen=True, slots=True)
class Books(Generic[S]):
    """What a target says of its path.

    Args:
        open: An empty store and target on a block's sandbox, with the product in both, paired.
        planned: What is wrong in the plan of the orders.
        booked: What is wrong in the target's own dump.
        entity, name, total: Where the product reads the documents back: entity, column of the order's number, of its total.
    """

    open: Callable[[Block], S]
    planned: Callable[[S, Sold], list[str]]
    booked: Callable[[S, Sold], list[str]]
    entity: str
    name: str
    total: str

    def through(self, block: Block) -> list[str]:
        """Orders through a whole run, and everything read again."""
        stage = self.open(block)
        try:
            sold = sell(stage, block)
            stage.service.refresh()
            found = self.planned(stage, sold)
            if code := stage.run().exit_code:
                left = [(one.number, one.text) for one in stage.service.errors()][:3]
                found.append(f"The run ends with {code}: {left}")
            found += self.booked(stage, sold)
            stage.clock.jump(1_800)
            stage.service.refresh()
            return found + self._read_back(stage, sold)
        finally:
            stage.close()

    def _read_back(self, stage: S, sold: Sold) -> list[str]:
        """What the product reads of them, as it lies in the snapshots of both sides."""
        data = stage.folder / "data"
        found: list[str] = []
        for connection, entity, name, amount in (
            (stage.service.target, self.entity, self.name, self.total),
            (stage.service.source, "orders", "order_id", "grand_total"),
        ):
            table = SnapshotStore(data, connection).read(entity)
            rows = dict(zip(table[name].to_pylist(), table[amount].to_pylist(), strict=True))
            for number, wanted in sold.totals.items():
                found += unequal(f"snapshot of {entity}, {number}", wanted, rows.get(number))
        return found


def opened(kind: Callable[..., S], block: Block, settings: Mapping[str, object]) -> S:
    """A stage whose integration date is the day before the sandbox's: nothing is read that no case is about."""
    sandbox = block.sandbox()
    with loopback(sandbox.control_url) as control:
        now = datetime.fromisoformat(control.get("/clock").raise_for_status().json()["now"])
    start = (now - timedelta(days=1)).date().isoformat()
    return kind(
        sandbox.control_url,
        sandbox.base_urls,
        sandbox.credentials,
        block.folder,
        start=start,
        settings=settings,
    )


def sell(stage: StoreStage[Any], block: Block) -> Sold:
    """Orders of a few lines at random prices, most of them paid in one or two parts."""
    sold = Sold()
    for _ in range(max(2, block.count // LINES)):  # not money: orders
        units = draw(block.chooser, block.chooser.randint(1, LINES), CURRENCY, DIGITS, whole=WHOLE).units
        prices = [Decimal(abs(unit) or 1).scaleb(-DIGITS) for unit in units]
        quantities = [block.chooser.choice((1, 1, 2, 3, 7)) for _ in prices]
        lines = [
            {"SKU": SKU, "Quantity": str(quantity), "UnitPrice": str(price)}
            for quantity, price in zip(quantities, prices, strict=True)
        ]
        number = stage.order(*lines, ShippingCost=str(Decimal(block.chooser.randrange(3000)).scaleb(-DIGITS)))
        sold.totals[number] = stage.owed(number)
        sold.prices[number] = [q * p for q, p in zip(quantities, prices, strict=True)]
        sold.paid[number] = list(_parts(block, sold.totals[number]))
        for part in sold.paid[number]:
            stage.pay(number, str(part))
    return sold


def _parts(block: Block, total: Decimal) -> Iterator[Decimal]:
    """Nothing, all of it, or all of it in two parts."""
    how = block.chooser.random()
    cents = int(total.scaleb(DIGITS))
    if how < 0.6 or cents < 2:
        yield total
    elif how < 0.85:
        first = block.chooser.randrange(1, cents)
        yield Decimal(first).scaleb(-DIGITS)
        yield Decimal(cents - first).scaleb(-DIGITS)


def planned(stage: StoreStage[Any], flow: str, sold: Sold) -> tuple[dict[str, PlanRow], list[str]]:
    """The rows of a flow's plan by order, after all flows before it went out; sentences for amounts that are others."""
    service = stage.service
    for earlier in service.flows[: service.flows.index(flow)]:
        service.plan(earlier, service.today())
        service.export(earlier, service.today())
    rows = {row.number: row for row in service.plan(flow, service.today()).rows}
    found: list[str] = []
    for number, wanted in sold.totals.items():
        row = rows.get(number)
        if row is None or row.effect is None or row.amount is None:
            found.append(f"The plan of {flow} has nothing for order {number}: {row and row.reason}")
        else:
            found += unequal(f"plan, total of {number}", wanted, row.amount.amount)
    return {number: row for number, row in rows.items() if number in sold.totals and row.effect}, found


def several(value: object) -> list[Record]:
    """A list of a body."""
    assert isinstance(value, list)
    return value


def exact(value: object) -> Decimal:
    """A number of a body or a dump; a binary float fails here."""
    assert type(value) is not float, value
    return Decimal(str(value))
