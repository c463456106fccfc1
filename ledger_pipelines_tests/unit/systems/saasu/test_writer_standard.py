"""The standard suite for writers, on Saasu's own writer against the sandbox: every accident is a real one on a socket.

Belongs here: the target of each kind of record. Does not belong here: what Saasu answers and why (`test_endings`), looking up
(`test_probe`), changes (`test_writer`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import Effect, EffectState, Writer
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.systems.saasu.writer import SaasuWriter
from ledger_pipelines_tests.standard.writer_suite import Accident, WriterSuite
from ledger_pipelines_tests.unit.systems.saasu.desk import (
    Desk,
    contact_body,
    effect_of,
    invoice_body,
    item_body,
    journal_body,
    payment_body,
    quick_payment,
)

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


class SaasuTarget(ABC):
    """Saasu's writer on the sandbox; faults and verdicts by the control port, both clocks move together."""

    kind: ClassVar[str]
    reference: ClassVar[str]
    """Field of a record that holds our reference."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock: Clock = desk.clock
        self.writer: Writer = SaasuWriter(desk.client)

    @abstractmethod
    def effects(self, count: int) -> Sequence[Effect]:
        """The same ones each time."""

    @abstractmethod
    def bad_effect(self) -> Effect | None:
        """One that Saasu refuses."""

    def befall(self, accident: Accident) -> bool:
        """Set the fault for the next write."""
        if accident is Accident.NO_CONNECTION:
            self._listen(open_=False)
        elif accident is Accident.CREDENTIALS:
            self.desk.fault("token_expired")
        else:
            self.desk.fault(method="POST", path="^/[A-Z]", nth=1, **FAULTS[accident])
        return True

    def heal(self) -> None:
        """Port open, no faults."""
        self._listen(open_=True)
        self.desk.control.delete("/faults").raise_for_status()

    def _listen(self, *, open_: bool) -> None:
        self.desk.control.post("/listen", json={"vendor": "saasu", "open": open_}).raise_for_status()

    def count(self, effect: Effect) -> int:
        """Out of the sandbox's dump."""
        return sum(one.get(self.reference) == effect.external_id for one in self.desk.records(self.kind))

    def calls(self) -> int:
        """As the sandbox counted them."""
        return sum(self.desk.calls().values())

    def edit(self, effect: Effect) -> bool:
        """Contacts, items and journals show no amount."""
        del effect
        return False

    def pass_window(self) -> None:
        """Both clocks jump."""
        self.desk.clock.jump(self.writer.settle_window.total_seconds())


class Contacts(SaasuTarget):
    kind, reference = "contact", "ContactId"

    def effects(self, count: int) -> Sequence[Effect]:
        return [effect_of("contact", f"user{i}", contact_body(f"user{i}")) for i in range(count)]

    def bad_effect(self) -> Effect:
        return effect_of("contact", "bad", contact_body("bad", Salutation="Sir"))


class Items(SaasuTarget):
    kind, reference = "item", "Code"

    def effects(self, count: int) -> Sequence[Effect]:
        return [effect_of("item", f"NEW-{i}", item_body(f"NEW-{i}")) for i in range(count)]

    def bad_effect(self) -> Effect:
        return effect_of("item", "BAD", item_body("BAD", SaleIncomeAccountId=None))


class Invoices(SaasuTarget):
    """With their payment inside; numbered by us."""

    kind, reference = "invoice", "PurchaseOrderNumber"

    def effects(self, count: int) -> Sequence[Effect]:
        return [self._invoice(f"N{i}", "99.90") for i in range(count)]

    def _invoice(self, reference: str, paid: str) -> Effect:
        body = invoice_body(reference, **quick_payment(f"NETO-PAY-{reference}", paid))
        return effect_of("invoice", reference, body, "99.90")

    def bad_effect(self) -> Effect:
        return self._invoice("N99", "99.91")

    def edit(self, effect: Effect) -> bool:
        [record] = [
            one for one in self.desk.records("invoice") if one["PurchaseOrderNumber"] == effect.external_id
        ]
        lines = invoice_body("X", "60.00")["LineItems"]
        self.desk.put(f"/Invoice/{record['Id']}", LineItems=lines)
        return True


class Payments(SaasuTarget):
    kind, reference = "payment", "Reference"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._invoices = [desk.made("/Invoice", invoice_body(f"N{i}")) for i in range(7)]

    def effects(self, count: int) -> Sequence[Effect]:
        return [self._payment(f"NETO-PAY-{i}", i, "99.90") for i in range(count)]

    def _payment(self, reference: str, place: int, amount: str) -> Effect:
        body = payment_body(reference, str(self._invoices[place]), amount)
        return effect_of("payment", reference, body, amount)

    def bad_effect(self) -> Effect:
        return self._payment("NETO-PAY-99", 6, "100.00")

    def edit(self, effect: Effect) -> bool:
        [record] = [one for one in self.desk.records("payment") if one["Reference"] == effect.external_id]
        [part] = record["PaymentItems"]
        self.desk.put(f"/Payment/{record['Id']}", PaymentItems=[{**part, "AmountPaid": Decimal("5.00")}])
        return True


class Journals(SaasuTarget):
    kind, reference = "journal", "Reference"

    def effects(self, count: int) -> Sequence[Effect]:
        return [
            effect_of("journal", f"NETO-PAY-{i}-OVER", journal_body(f"NETO-PAY-{i}-OVER", "5.00"), "5.00")
            for i in range(count)
        ]

    def bad_effect(self) -> Effect:
        return effect_of("journal", "BAD", journal_body("BAD", "5.00", Items=[]))


class SaasuWriterSuite(WriterSuite):
    """What all add: accidents that `Accident` does not name."""

    target_type: ClassVar[type[SaasuTarget]]

    @pytest.fixture
    def target(
        self, fresh: RunningSandbox, saasu_control: httpx.Client, tmp_path: Path
    ) -> Iterator[SaasuTarget]:
        desk = Desk(fresh, saasu_control, tmp_path / "state")
        desk.client.get("/TaxCodes")
        made = self.target_type(desk)
        desk.forget_calls()
        yield made
        made.heal()
        desk.close()

    def test_a_request_that_a_proxy_sends_twice_is_one_effect_and_its_twin_is_not_hidden(
        self, target: SaasuTarget, journal: Journal
    ) -> None:
        effects = target.effects(2)
        target.desk.fault("apply_twice", method="POST", path="^/[A-Z]", nth=1)
        self._apply(target, journal, effects)
        for _ in range(2):
            target.pass_window()
            self._apply(target, journal, effects)
        assert journal.counts() == {EffectState.CONFIRMED: 2}
        # nothing in Saasu's API forbids a twin of what a proxy repeats, but its numbers, codes and amounts owed do
        assert target.count(effects[0]) == (1 if target.kind in {"invoice", "item", "payment"} else 2)
        assert target.count(effects[1]) == 1


class TestContacts(SaasuWriterSuite):
    target_type = Contacts


class TestItems(SaasuWriterSuite):
    target_type = Items


class TestInvoices(SaasuWriterSuite):
    target_type = Invoices


class TestPayments(SaasuWriterSuite):
    target_type = Payments


class TestJournals(SaasuWriterSuite):
    target_type = Journals
