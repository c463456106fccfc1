"""The standard suite for writers, on NetSuite's own writer against the sandbox: every accident is a real one on a socket.

Belongs here: the target, and accidents that only the sandbox's control port can arrange. Does not belong here: what
NetSuite answers and why (`test_writer`, `test_against_sandbox`).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import httpx
import pytest

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import (
    Action,
    CredentialsRefused,
    Effect,
    EffectState,
    Expected,
    NotSent,
    Unknown,
    Writer,
)
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.records import Records
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection, TokenCredentials
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.stage import JumpingClock, Record
from ledger_pipelines_tests.standard.writer_suite import Accident, WriterSuite

pytestmark = pytest.mark.slow

DAY = date(2026, 9, 14)
WRITES = r"/record/v1/(customerPayment|journalEntry|salesOrder/[0-9]+/!transform/invoice)"
FAULTS: dict[Accident, dict[str, Any]] = {
    Accident.RATE_LIMIT: {"kind": "429", "retry_after": 2},
    Accident.ERROR_BEFORE: {"kind": "5xx_before", "status": 500},
    Accident.ERROR_AFTER: {"kind": "5xx_after", "status": 502},
    Accident.CUT_BEFORE: {"kind": "cut_before"},
    Accident.CUT_AFTER: {"kind": "cut_after"},
    Accident.TRUNCATED: {"kind": "truncated_body"},
    Accident.HTML: {"kind": "html_200", "applied": True},
}


class NetSuiteTarget(ABC):
    """NetSuite's writer on the sandbox; faults and verdicts by the control port, both clocks move together."""

    def __init__(self, sandbox: RunningSandbox, control: httpx.Client) -> None:
        self.control = control
        self._jumping = JumpingClock(control)
        self.clock: Clock = self._jumping
        given = sandbox.credentials["netsuite"]
        keys = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        credentials = TokenCredentials(*(Secret(given["auth"]["tba"][key]) for key in keys))
        connection = NetSuiteConnection(
            "books", given["account"], credentials, base_url=given["base_url"], sandbox=True,
            settle_window=timedelta(seconds=20),
        )  # fmt: skip
        self.client = NetSuiteClient(connection, clock=self.clock)
        self.writer: Writer = NetSuiteWriter(self.client)
        self._first: dict[str, list[Record]] = {}

    def records(self) -> dict[str, list[Record]]:
        """All that NetSuite holds, by type, out of the sandbox's own dump."""
        answer = self.control.get("/dump/netsuite").raise_for_status()
        found: dict[str, list[Record]] = json.loads(answer.text, parse_float=Decimal)["records"]
        return found

    def demo(self, kind: str, place: int) -> Record:
        """One of the demo's records, as it was when first asked for."""
        self._first = self._first or self.records()
        return sorted(self._first[kind], key=lambda record: int(record["id"]))[place]

    @abstractmethod
    def effects(self, count: int) -> Sequence[Effect]:
        """The same ones each time."""

    @abstractmethod
    def bad_effect(self) -> Effect:
        """One that NetSuite refuses."""

    @abstractmethod
    def _changed(self, record: Record) -> dict[str, Json]:
        """A body that changes the amount of a record made."""

    def befall(self, accident: Accident) -> bool:
        """Set the fault for the next write."""
        if accident is Accident.NO_CONNECTION:
            self.listen(open_=False)
        elif accident is Accident.CREDENTIALS:
            self.fault("token_revoked")
        else:
            self.strike(**FAULTS[accident])
        return True

    def fault(self, kind: str, **more: Any) -> None:
        """Set a fault."""
        self.control.post("/faults", json={"vendor": "netsuite", "kind": kind, **more}).raise_for_status()

    def fired(self) -> int:
        """How often faults struck."""
        return sum(fault["fired"] for fault in self.control.get("/faults").json()["faults"])

    def strike(self, *, kind: str, **more: Any) -> None:
        """Any fault of the sandbox, on the next write."""
        self.fault(kind, method="POST", path=WRITES, nth=1, **more)

    def listen(self, *, open_: bool) -> None:
        """Open or shut NetSuite's port."""
        body = {"vendor": "netsuite", "open": open_}
        self.control.post("/listen", json=body).raise_for_status()

    def heal(self) -> None:
        """Port open, no faults."""
        self.listen(open_=True)
        self.control.delete("/faults").raise_for_status()

    def count(self, effect: Effect) -> int:
        """Out of the sandbox's dump."""
        made = [record for records in self.records().values() for record in records]
        return sum(record.get("externalId") == effect.external_id for record in made)

    def calls(self) -> int:
        """As the sandbox counted them."""
        return sum(call["count"] for call in self.control.get("/calls").json()["calls"])

    def edit(self, effect: Effect) -> bool:
        """As a user of NetSuite would."""
        [record] = [r for r in self.records()[effect.kind] if r.get("externalId") == effect.external_id]
        answer = Records(self.client).patch(effect.kind, str(record["id"]), self._changed(record))
        assert answer.status == 204, answer.body
        return True

    def pass_window(self) -> None:
        """Both clocks jump."""
        self._jumping.jump(self.writer.settle_window.total_seconds())

    def _effect(self, name: str, body: dict[str, Json], amount: Decimal, **more: Any) -> Effect:
        values: dict[str, Any] = {
            "key": f"KEY-{name}", "connection": self.client.connection.name, "integration": "amazon_netsuite",
            "flow": "settlement", "partition": "26", "action": Action.CREATE, "external_id": f"AZS-26-{name}",
            "number": name, "title": f"record {name}", "body": canonical(body),
            "expected": Expected(Money(amount, "USD"), DAY),
        }  # fmt: skip
        return Effect(**(values | more))


class Payments(NetSuiteTarget):
    """Customer payments of the demo's open invoices: batches."""

    def effects(self, count: int) -> Sequence[Effect]:
        return [self._payment(i, Decimal(0)) for i in range(count)]

    def bad_effect(self) -> Effect:
        return self._payment(10, Decimal(1))

    def _payment(self, place: int, over: Decimal) -> Effect:
        invoice = self.demo("invoice", place)
        amount = Decimal(invoice["total"]) + over
        body: dict[str, Json] = {
            "customer": {"id": invoice["entity"]["id"]},
            "payment": amount,
            "undepFunds": False,
            "account": {"id": "201"},
            "tranDate": DAY.isoformat(),
            "autoApply": False,
            "currency": {"id": "1"},
            "apply": {"items": [{"doc": {"id": invoice["id"]}, "apply": True, "amount": amount}]},
        }
        return self._effect(f"PAY-{place}", body, amount, kind="customerPayment")

    def _changed(self, record: Record) -> dict[str, Json]:
        return {"payment": Decimal(record["payment"]) + 7}


class InvoicesOfOrders(NetSuiteTarget):
    """Invoices that NetSuite makes of the demo's sales orders: one call each."""

    def effects(self, count: int) -> Sequence[Effect]:
        return [self._invoice(i) for i in range(count)]

    def bad_effect(self) -> Effect:
        return self._invoice(9, custbody_of_no_account="x")

    def _invoice(self, place: int, **more: Json) -> Effect:
        order = self.demo("salesOrder", place)
        body: dict[str, Json] = {"tranDate": DAY.isoformat(), **more}
        origin = f"salesOrder/{order['id']}"
        return self._effect(f"INV-{place}", body, Decimal(order["total"]), kind="invoice", origin=origin)

    def _changed(self, record: Record) -> dict[str, Json]:
        item: Json = {"item": {"id": "1001"}, "quantity": 1, "amount": Decimal("77.00")}
        return {"item": {"items": [item]}}


@pytest.fixture(scope="module")
def control(shared_sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared_sandbox.control_url, trust_env=False, timeout=30) as opened:
        yield opened


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox, control: httpx.Client) -> RunningSandbox:
    """As the session's fixture of that name, over the module's one connection: seventy tests, seconds saved."""
    for path in ("/faults", "/calls"):
        control.delete(path).raise_for_status()
    control.post("/restore", json={"name": "fresh"}).raise_for_status()
    control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    return shared_sandbox


class NetSuiteWriterSuite(WriterSuite):
    """What both add: accidents that `Accident` does not name."""

    kind: ClassVar[type[NetSuiteTarget]]

    @pytest.fixture
    def target(self, sandbox: RunningSandbox, control: httpx.Client) -> Iterator[NetSuiteTarget]:
        made = self.kind(sandbox, control)
        yield made
        made.heal()  # the sandbox is the session's: its port must not stay shut
        made.client.close()

    @pytest.mark.parametrize(
        ("rule", "single", "there"),
        [
            ({"kind": "refuse"}, Unknown, 0),
            ({"kind": "html_200"}, Unknown, 0),
            ({"kind": "hang", "seconds": 0.05, "applied": True}, Unknown, 1),
            ({"kind": "apply_late", "seconds": 15}, Unknown, 0),
            ({"kind": "5xx_before", "status": 503}, (Unknown, NotSent), 0),
        ],
        ids=lambda value: value["kind"] if isinstance(value, dict) else "",
    )
    def test_after_the_sandboxs_own_accidents_each_effect_ends_as_one_record(
        self,
        target: NetSuiteTarget,
        journal: Journal,
        rule: dict[str, Any],
        single: type | tuple[type, ...],
        there: int,
    ) -> None:
        effects = target.effects(4)
        target.strike(**rule)
        [ending] = self._send(target, effects[:1])
        assert isinstance(ending, single)
        assert target.count(effects[0]) == there
        assert target.fired() == 1
        target.heal()
        for _ in range(3):
            target.pass_window()
            self._apply(target, journal, effects)
        assert journal.counts() == {EffectState.CONFIRMED: 4}
        assert [target.count(effect) for effect in effects] == [1] * 4

    def test_a_request_that_a_proxy_sends_twice_and_a_search_that_lags_make_one_record_each(
        self, target: NetSuiteTarget, journal: Journal
    ) -> None:
        effects = target.effects(4)
        target.strike(kind="apply_twice")
        target.fault("search_lag", seconds=10)
        self._apply(target, journal, effects)
        assert target.fired() >= 1
        for _ in range(3):
            target.pass_window()
            self._apply(target, journal, effects)
        assert journal.counts() == {EffectState.CONFIRMED: 4}
        assert [target.count(effect) for effect in effects] == [1] * 4

    def test_credentials_refused_again_and_again_are_soon_not_sent_any_more(
        self, target: NetSuiteTarget
    ) -> None:
        target.befall(Accident.CREDENTIALS)
        effects = target.effects(2)
        assert {type(e) for e in self._send(target, effects)} == {CredentialsRefused}
        for _ in range(3):  # five refusals in a row lock the user out (netsuite.md 2)
            assert {type(e) for e in self._send(target, effects)} == {CredentialsRefused}
        assert target.calls() <= 3


class TestPayments(NetSuiteWriterSuite):
    kind = Payments


class TestInvoicesOfOrders(NetSuiteWriterSuite):
    kind = InvoicesOfOrders
