"""A target that answers at once: what remains is our own cost.

Belongs here: the writer, and effects for it. Does not belong here: faults (`ledger_pipelines_tests.faults`), measuring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    Effect,
    Ending,
    Expected,
    Prepared,
    Remote,
    WriteClass,
)
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason


@dataclass(slots=True)
class InstantWriter:
    """Keeps what it is sent, once for each time it is sent."""

    connection: str = "books"
    write_class: WriteClass = WriteClass.SEARCH
    settle_window: timedelta = timedelta(seconds=1)
    batch_size: int = 1
    workers: int = 1
    sent: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    probes: int = 0
    held: dict[str, Remote] = field(default_factory=dict)

    def batch_key(self, effect: Effect) -> str | None:
        """One call a document."""
        del effect

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        """Take them."""
        endings: list[Ending] = []
        for prepared in batch:
            self.sent.append(prepared.effect.key)
            endings.append(Confirmed(self.keep(prepared.effect)))
        return endings

    def keep(self, effect: Effect) -> Remote:
        """Hold a record as if it had been sent."""
        expected = effect.expected
        number = str(len(self.held) + 1)
        remote = Remote(
            number, effect.external_id, f"DOC{number}", expected.amount, expected.day, expected.lines
        )
        self.held[effect.external_id] = remote
        return remote

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        """What is held of them."""
        self.probes += 1
        self.asked += [effect.key for effect in effects]
        return {
            effect.key: self.held[effect.external_id] for effect in effects if effect.external_id in self.held
        }


def effect(name: str, partition: str = "2026-03-01") -> Effect:
    """An invoice over ten dollars, with a body as long as a payment's to NetSuite."""
    body = {
        "externalId": f"EXT-{name}", "customer": {"id": "101"}, "currency": {"id": "1"}, "payment": Decimal("10.00"),
        "undepFunds": False, "account": {"id": "1051"}, "tranDate": "2026-03-01", "autoApply": False,
        "memo": f"Amazon order {name}, settlement {partition}", "arAcct": {"id": "240"},
        "apply": {"items": [{"doc": {"id": name}, "apply": True, "amount": Decimal("10.00")}]},
        "custbody_azs_order_id": name, "custbody_azs_settlement_id": partition,
    }  # fmt: skip
    return Effect(
        key=f"KEY{partition}{name}", connection="books", integration="shop_books", flow="invoices", partition=partition,
        kind="invoice", action=Action.CREATE, external_id=f"EXT-{partition}-{name}", number=name,
        title=f"Invoice {name}", body=canonical(body), expected=Expected(Money(Decimal("10.00"), "USD"), date(2026, 3, 1), 1),
        origin="", target_id="", depends_on=(), source=f"file:abc#{name}",
    )  # fmt: skip


def plan_of(effects: Sequence[Effect], partition: str = "2026-03-01") -> Plan:
    """A sealed plan of them."""
    reason = Reason("new", "It is not in the books yet.")
    rows = tuple(
        PlanRow(one.action, reason, one.key, one.number, one.title, one.kind, one.expected.amount, one)
        for one in effects
    )
    made_at = datetime(2026, 3, 2, tzinfo=UTC)
    return Plan("shop_books", "invoices", partition, "books", made_at, (("orders", "d"),), rows).sealed()
