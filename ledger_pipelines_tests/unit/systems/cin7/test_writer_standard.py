"""The standard suite for writers, on Cin7's own writer against the sandbox: every accident is a real one on a socket.

Belongs here: the target of each kind of record. Does not belong here: what Cin7 answers and why (`test_endings`), looking up
(`test_probe`), changes (`test_writer`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import Effect, EffectState, Expected, Writer
from ledger_pipelines.documents.money import Money
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.systems.cin7.writer import Cin7Writer
from ledger_pipelines_tests.standard.writer_suite import Accident, WriterSuite
from ledger_pipelines_tests.unit.systems.cin7.bodies import (
    contact_body,
    effect_of,
    order_body,
    payment_body,
    product_body,
)
from ledger_pipelines_tests.unit.systems.cin7.desk import Desk

pytestmark = pytest.mark.slow

FAULTS: dict[Accident, dict[str, Any]] = {
    Accident.RATE_LIMIT: {"kind": "429", "retry_after": 2},
    Accident.ERROR_BEFORE: {"kind": "5xx_before", "status": 500},
    Accident.ERROR_AFTER: {"kind": "5xx_after", "status": 502},
    Accident.CUT_BEFORE: {"kind": "cut_before"},
    Accident.CUT_AFTER: {"kind": "cut_after"},
    Accident.TRUNCATED: {"kind": "truncated_body"},
    Accident.HTML: {"kind": "html_200", "applied": True},
}


class Cin7Target(ABC):
    """Cin7's writer on the sandbox; faults and verdicts by the control port, both clocks move together."""

    kind: ClassVar[str]
    """The sandbox's kind of record."""
    reference: ClassVar[str]
    """Field of a record that holds our reference."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock: Clock = desk.clock
        self.writer: Writer = Cin7Writer(desk.client)

    @abstractmethod
    def effects(self, count: int) -> Sequence[Effect]:
        """The same ones each time."""

    def bad_effect(self) -> Effect | None:
        """None: Cin7 refuses little, and in words that are not published."""
        return None

    def befall(self, accident: Accident) -> bool:
        """Set the fault for the next write."""
        if accident is Accident.NO_CONNECTION:
            self._listen(open_=False)
        elif accident is Accident.CREDENTIALS:
            self.writer = Cin7Writer(self.desk.stranger)
        else:
            self.desk.fault(method="POST", path="^/api/v1/", nth=1, **FAULTS[accident])
        return True

    def heal(self) -> None:
        """Port open, no faults, the key that Cin7 knows."""
        self.writer = Cin7Writer(self.desk.client)
        self._listen(open_=True)
        self.desk.control.delete("/faults").raise_for_status()

    def _listen(self, *, open_: bool) -> None:
        self.desk.control.post("/listen", json={"vendor": "cin7", "open": open_}).raise_for_status()

    def count(self, effect: Effect) -> int:
        """Out of the sandbox's dump."""
        return sum(one.get(self.reference) == effect.external_id for one in self.desk.records(self.kind))

    def calls(self) -> int:
        """As the sandbox counted them."""
        return sum(self.desk.calls().values())

    def edit(self, effect: Effect) -> bool:
        """Contacts and products show no amount."""
        del effect
        return False

    def pass_window(self) -> None:
        """Both clocks jump."""
        self.desk.clock.jump(self.writer.settle_window.total_seconds())


class Orders(Cin7Target):
    kind, reference = "order", "reference"

    def effects(self, count: int) -> Sequence[Effect]:
        made = [effect_of("sales_order", f"N{i}", order_body(f"N{i}")) for i in range(count)]
        return [self._expecting(one, "99.90") for one in made]

    @staticmethod
    def _expecting(effect: Effect, amount: str) -> Effect:
        return replace(effect, expected=Expected(Money(Decimal(amount), "AUD"), lines=1))

    def bad_effect(self) -> Effect:
        return effect_of("sales_order", "N99", order_body("N99", deliveryState="x" * 251))

    def edit(self, effect: Effect) -> bool:
        [record] = [one for one in self.desk.records(self.kind) if one["reference"] == effect.external_id]
        self.desk.put("/v1/SalesOrders", record["id"], freightTotal=Decimal("5.00"))
        return True


class Contacts(Cin7Target):
    kind, reference = "contact", "email"

    def effects(self, count: int) -> Sequence[Effect]:
        return [
            effect_of("contact", f"ana{i}@tea.example", contact_body(f"ana{i}@tea.example"))
            for i in range(count)
        ]


class ContactsWithoutEmail(Cin7Target):
    kind, reference = "contact", "integrationRef"

    def effects(self, count: int) -> Sequence[Effect]:
        return [effect_of("contact", f"NETO-ana{i}", contact_body(f"NETO-ana{i}")) for i in range(count)]


class Payments(Cin7Target):
    kind, reference = "payment", "transactionRef"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._orders = desk.wrote("POST", "/v1/SalesOrders", *(order_body(f"N{i}") for i in range(7)))

    def effects(self, count: int) -> Sequence[Effect]:
        return [self._payment(f"NETO-PAY-{i}", self._orders[i], "99.90") for i in range(count)]

    def _payment(self, reference: str, order: int, amount: str) -> Effect:
        return effect_of("payment", reference, payment_body(reference, str(order), amount), amount)

    def bad_effect(self) -> Effect:
        return self._payment("NETO-PAY-99", 999_999_999, "99.90")

    def edit(self, effect: Effect) -> bool:
        [record] = [
            one for one in self.desk.records("payment") if one["transactionRef"] == effect.external_id
        ]
        self.desk.put("/v1/Payments", record["id"], amount=Decimal("5.00"))
        return True


class Products(Cin7Target):
    kind, reference = "product", "styleCode"

    def effects(self, count: int) -> Sequence[Effect]:
        return [effect_of("product", f"NEW-{i}", product_body(f"NEW-{i}")) for i in range(count)]


class Cin7WriterSuite(WriterSuite):
    """What all add: accidents that `Accident` does not name."""

    target_type: ClassVar[type[Cin7Target]]
    records_a_call: ClassVar[int] = 1

    @pytest.fixture
    def target(
        self, fresh: RunningSandbox, cin7_control: httpx.Client, tmp_path: Path
    ) -> Iterator[Cin7Target]:
        desk = Desk(fresh, cin7_control, tmp_path / "state", records_a_call=self.records_a_call)
        made = self.target_type(desk)
        desk.forget_calls()
        yield made
        made.heal()
        desk.close()

    def test_a_request_that_a_proxy_sends_twice_is_one_effect_and_its_twin_is_not_hidden(
        self, target: Cin7Target, journal: Journal
    ) -> None:
        effects = target.effects(2)
        target.desk.fault("apply_twice", method="POST", path="^/api/v1/", nth=1)
        self._apply(target, journal, effects)
        for _ in range(2):
            target.pass_window()
            self._apply(target, journal, effects)
        assert journal.counts() == {EffectState.CONFIRMED: 2}
        # nothing in Cin7's API forbids a twin of a payment, nor a second `integrationRef`; the rest is unique
        unique = target.reference not in {"transactionRef", "integrationRef"}
        assert target.count(effects[0]) == (1 if unique else 2)


class TestOrders(Cin7WriterSuite):
    target_type = Orders


class TestOrdersInBatches(Cin7WriterSuite):
    target_type, records_a_call = Orders, 50


class TestContacts(Cin7WriterSuite):
    target_type = Contacts


class TestContactsInBatches(Cin7WriterSuite):
    target_type, records_a_call = Contacts, 50


class TestContactsWithoutEmail(Cin7WriterSuite):
    target_type = ContactsWithoutEmail


class TestPayments(Cin7WriterSuite):
    target_type = Payments


class TestPaymentsInBatches(Cin7WriterSuite):
    target_type, records_a_call = Payments, 3


class TestProductsInBatches(Cin7WriterSuite):
    target_type, records_a_call = Products, 50
