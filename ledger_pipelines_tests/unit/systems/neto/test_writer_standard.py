"""The standard suite for writers, on Neto's own writer against the sandbox: new products, and quantities in a warehouse.

Belongs here: the targets, and accidents that only the sandbox's control port can arrange. Does not belong here: what Neto
answers and why (`test_writer`).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

import pytest

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import Action, Effect, EffectState, Unknown, Writer
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.systems.neto.probe import ITEM, STOCK
from ledger_pipelines.systems.neto.writer import NetoWriter
from ledger_pipelines_tests.standard.writer_suite import Accident, WriterSuite
from ledger_pipelines_tests.unit.systems.neto.store import Store, number

FAULTS: dict[Accident, dict[str, object]] = {
    Accident.RATE_LIMIT: {"kind": "429", "retry_after": 2},
    Accident.ERROR_BEFORE: {"kind": "5xx_before", "status": 500},
    Accident.ERROR_AFTER: {"kind": "5xx_after", "status": 502},
    Accident.CUT_BEFORE: {"kind": "cut_before"},
    Accident.CUT_AFTER: {"kind": "cut_after"},
    Accident.TRUNCATED: {"kind": "truncated_body"},
    Accident.HTML: {"kind": "html_200", "applied": True},
}
WINDOW = timedelta(seconds=300)


def effect_of(kind: str, sku: str, body: dict[str, Json]) -> Effect:
    """One for the product of that SKU."""
    return Effect(
        key=f"KEY-{kind}-{sku}", connection="shop", integration="neto_saasu", flow="flow", partition="2026-03-01", kind=kind,
        action=Action.CREATE if kind == ITEM else Action.UPDATE, external_id=sku, number=sku, title=f"{kind} {sku}",
        body=canonical(body),
    )  # fmt: skip


class NetoTarget(ABC):
    """Neto's writer on the sandbox."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock: Clock = store.clock
        self.writer: Writer = NetoWriter(store.client, WINDOW)
        self._healthy = store.client.connection

    @abstractmethod
    def effects(self, count: int) -> Sequence[Effect]:
        """The same ones each time."""

    @abstractmethod
    def bad_effect(self) -> Effect:
        """One that Neto refuses."""

    @abstractmethod
    def count(self, effect: Effect) -> int:
        """Out of the sandbox's dump."""

    def befall(self, accident: Accident) -> bool:
        """Set the fault for the next call."""
        if accident is Accident.NO_CONNECTION:
            self.store.listen(open_=False)
        elif accident is Accident.CREDENTIALS:
            self.store.bad_key()
        else:
            self.strike(**FAULTS[accident])
        return True

    def strike(self, *, kind: object, **more: object) -> None:
        """Any fault of the sandbox, on the next call."""
        self.store.fault(str(kind), nth=1, **more)

    def heal(self) -> None:
        """Port open, no faults, the right key."""
        self.store.listen(open_=True)
        self.store.control.delete("/faults").raise_for_status()
        self.store.client.connection = self._healthy

    def calls(self) -> int:
        """As the sandbox counted them."""
        return self.store.calls()

    def edit(self, effect: Effect) -> bool:
        """Nothing of these effects is an amount."""
        del effect
        return False

    def pass_window(self) -> None:
        """The engine's clock jumps; Neto's stands still."""
        self.store.clock.pass_time(WINDOW.total_seconds())


class Products(NetoTarget):
    """New products."""

    def effects(self, count: int) -> Sequence[Effect]:
        return [self._product(f"NEW-{n}", f"Teekännchen {n}") for n in range(count)]

    def bad_effect(self) -> Effect:
        return self._product("CUP SET/4", "Four cups")

    def count(self, effect: Effect) -> int:
        return sum(item["key"] == effect.external_id for item in self.store.dump()["records"]["item"])

    @staticmethod
    def _product(sku: str, name: str) -> Effect:
        return effect_of(ITEM, sku, {"SKU": sku, "Name": name, "DefaultPrice": Decimal("11.50")})


class Quantities(NetoTarget):
    """What a warehouse holds of products that are there."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        held = {"WarehouseID": "1", "Quantity": "3"}
        store.call("AddItem", {"Item": [{"SKU": f"POT-{n}", "WarehouseQuantity": held} for n in range(8)]})

    def effects(self, count: int) -> Sequence[Effect]:
        return [self._quantity(f"POT-{n}", 40 + n) for n in range(count)]

    def bad_effect(self) -> Effect:
        return self._quantity("POT", 1)

    def count(self, effect: Effect) -> int:
        """1 when the warehouse holds what was meant, and the other one what it held."""
        place = int(effect.external_id.partition("-")[2] or -1)
        stock = self.store.dump()["stock"].get(effect.external_id, {})
        return int(set(stock) == {"1"} and number(stock["1"]) == 40 + place)

    @staticmethod
    def _quantity(sku: str, quantity: int) -> Effect:
        return effect_of(STOCK, sku, {"SKU": sku, "WarehouseID": "1", "Quantity": str(quantity)})


class NetoWriterSuite(WriterSuite):
    """What both add: accidents that `Accident` does not name."""

    kind: ClassVar[type[NetoTarget]]

    @pytest.fixture
    def target(self, bare: Store) -> Iterator[NetoTarget]:
        made = self.kind(bare)
        bare.control.delete("/calls").raise_for_status()
        yield made
        made.heal()

    @pytest.mark.parametrize(
        ("rule", "there"),
        [
            ({"kind": "refuse"}, 0),
            ({"kind": "html_200"}, 0),
            ({"kind": "hang", "seconds": 0.05, "applied": True}, 1),
            ({"kind": "5xx_before", "status": 503}, 0),
            ({"kind": "apply_late", "seconds": 0}, 1),
        ],
        ids=lambda value: value["kind"] if isinstance(value, dict) else "",
    )
    def test_after_the_sandboxs_own_accidents_each_effect_ends_as_one_record(
        self, target: NetoTarget, journal: Journal, rule: dict[str, object], there: int
    ) -> None:
        effects = target.effects(4)
        target.strike(**rule)
        [ending] = self._send(target, effects[:1])
        assert isinstance(ending, Unknown)
        target.heal()
        # What is applied late is applied by another task of the sandbox: after the answer, soon.
        deadline = time.monotonic() + 10
        while target.count(effects[0]) != there and time.monotonic() < deadline:
            time.sleep(0.01)
        assert target.count(effects[0]) == there
        for _ in range(3):
            target.pass_window()
            self._apply(target, journal, effects)
        assert journal.counts() == {EffectState.CONFIRMED: 4}
        assert [target.count(effect) for effect in effects] == [1] * 4

    def test_a_request_that_a_proxy_sends_twice_makes_one_record_each(
        self, target: NetoTarget, journal: Journal
    ) -> None:
        effects = target.effects(4)
        target.strike(kind="apply_twice")
        self._apply(target, journal, effects)
        assert journal.counts() == {EffectState.CONFIRMED: 4}
        assert [target.count(effect) for effect in effects] == [1] * 4


class TestProducts(NetoWriterSuite):
    kind = Products


class TestQuantities(NetoWriterSuite):
    kind = Quantities
