"""The client against the sandbox, which was written from the same reference by other hands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    CredentialsRefused,
    Exists,
    Expected,
    NotSent,
    Prepared,
    Refused,
    Unknown,
)
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.systems.netsuite.check import check
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.matching import Matching, SalesDocument, first_open
from ledger_pipelines.systems.netsuite.options import Options
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines.systems.netsuite.settings import (
    MachineCredentials,
    NetSuiteConnection,
    TokenCredentials,
)
from ledger_pipelines.systems.netsuite.writer import NetSuiteWriter
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.unit.systems.netsuite.fake import prepared

pytestmark = pytest.mark.slow


@dataclass
class Place:
    """A sandbox with its demo books, put back before each test."""

    sandbox: RunningSandbox
    open: list[NetSuiteClient]

    def client(self, way: str = "tba", role: str = "auth", **more: Any) -> NetSuiteClient:
        given = self.sandbox.credentials["netsuite"]
        keys = given["auth"][way] if role == "auth" else given[role][way]
        credentials: MachineCredentials | TokenCredentials
        if way == "tba":
            credentials = TokenCredentials(
                *(Secret(keys[k]) for k in ("consumer_key", "consumer_secret", "token_id", "token_secret"))
            )
        else:
            credentials = MachineCredentials(
                *(Secret(keys[k]) for k in ("client_id", "certificate_id", "private_key_pem")),
                algorithm=keys["algorithm"],
            )
        values: dict[str, Any] = {
            "name": "books", "account": given["account"], "credentials": credentials, "sandbox": True,
            "base_url": given["base_url"], "order_id_fields": ("custbody_azs_order_id", "otherrefnum"),
        }  # fmt: skip
        client = NetSuiteClient(NetSuiteConnection(**(values | more)))
        self.open.append(client)
        return client

    def writer(self, **more: Any) -> NetSuiteWriter:
        return NetSuiteWriter(self.client(**more))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = httpx.request(
            method, self.sandbox.control_url + path, json=body, trust_env=False, timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    @contextmanager
    def fault(self, **rule: Any) -> Iterator[None]:
        self.control("POST", "/faults", {"vendor": "netsuite"} | rule)
        try:
            yield
        finally:
            self.control("DELETE", "/faults")

    def invoices(self) -> list[SalesDocument]:
        matching = Matching(self.client())
        orders = [d.externalid.split("-", 2)[2] for d in matching.own_documents(prefix="AMZ-INV-")]
        found = matching.sales_documents(orders)
        return [d for d in found if d.type == "CustInvc" and d.unpaid > 0 and d.currency == "USD"]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="demo", vendors=("netsuite",)) as sandbox:
        yield sandbox


@pytest.fixture
def place(running: RunningSandbox) -> Iterator[Place]:
    here = Place(running, [])
    here.control("POST", "/reset", {"seed": "demo"})
    yield here
    for client in here.open:
        client.close()


def pay(number: int, invoice: SalesDocument, over: str = "0", **more: Any) -> Prepared:
    amount = invoice.unpaid + Decimal(over)
    body: Json = {
        "customer": {"id": invoice.entity},
        "payment": amount,
        "undepFunds": False,
        "account": {"id": "201"},
        "tranDate": "2026-09-14",
        "autoApply": False,
        "currency": {"id": "1"},
        "apply": {"items": [{"doc": {"id": invoice.id}, "apply": True, "amount": amount}]},
    }
    values: dict[str, Any] = {
        "external_id": f"AZS-PAY-{number}",
        "body": canonical(body),
        "expected": Expected(Money(amount, invoice.currency), date(2026, 9, 14)),
    }
    return prepared(number, **(values | more))


def payments(place: Place) -> list[str]:
    return [d.externalid for d in Matching(place.client()).own_documents(prefix="AZS-PAY-")]


@pytest.mark.parametrize("way", ["tba", "m2m"])
def test_both_ways_in_pass_every_check(place: Place, way: str) -> None:
    findings = check(place.client(way))
    assert [f for f in findings if not f.ok] == []
    assert {"credentials", "clock", "sees customrecord_azs_txn", "may use customerPayment"} <= {
        f.name for f in findings
    }


def test_wrong_credentials_are_one_finding_with_a_remedy(place: Place) -> None:
    bad = place.client()
    connection = bad.connection
    assert isinstance(connection.credentials, TokenCredentials)
    wrong = TokenCredentials(
        connection.credentials.consumer_key,
        Secret("wrong-secret"),
        connection.credentials.token_id,
        Secret("wrong"),
    )
    [finding] = check(place.client(credentials=wrong))
    assert not finding.ok
    assert finding.remedy


def test_a_role_without_rights_shows_which_are_missing(place: Place) -> None:
    client = place.client(role="limited")
    findings = check(client)
    assert findings[0].ok
    missing = [f for f in findings if not f.ok]
    assert missing
    assert all(f.remedy for f in missing)


def test_every_option_list_is_read_in_one_call(place: Place) -> None:
    client = place.client()
    options = Options(client)
    for name in options.names():
        before = sum(c.count for c in client.calls())
        assert options.read(name), name
        assert sum(c.count for c in client.calls()) == before + 1
    assert [o.number for o in options.read("accounts", "receivable")] == ["1100", "1110"]
    assert "customrecord_azs_summary" in {o.id for o in options.read("custom_record_types")}


def test_every_entity_is_read_and_changes_are_found_by_their_time(place: Place) -> None:
    client = place.client()
    now = datetime.now(UTC)
    found = {}
    for name, entity in entities(client.connection).items():
        pages = list(Reader(client).read_changes(entity, now - timedelta(days=1), now + timedelta(hours=1)))
        found[name] = sum(len(p.cells) for p in pages)
    assert found["invoices"] == 20
    assert found["sales_orders"] == 10
    assert found["invoice_lines"] > 20
    assert found["accounts"] > 30
    entity = entities(client.connection)["invoices"]
    assert not list(Reader(client).read_changes(entity, now - timedelta(days=3), now - timedelta(days=1)))


def test_documents_are_matched_by_order_id_with_their_lines_and_ledger(place: Place) -> None:
    client = place.client()
    matching = Matching(client)
    order = "111-2600001-0000001"
    [invoice] = matching.sales_documents([order, "not-there"])
    assert (invoice.record, invoice.order_id, invoice.currency, invoice.unpaid) == (
        "invoice", order, "USD", Decimal(105),
    )  # fmt: skip
    assert invoice.matched_by == "custbody_azs_order_id"
    assert (invoice.entity_name, invoice.status, invoice.subsidiary, invoice.account) == (
        "Amazon US",
        "A",
        "1",
        "240",
    )
    lines = matching.lines([invoice.id])
    assert sum(line.foreignamount for line in lines) == Decimal(105)
    assert all(line.quantity and line.quantity > 0 for line in lines)
    sums = matching.ledger_sums(transaction_ids=[invoice.id])
    assert sum(s.base for s in sums) == 0
    assert {s.acctnumber: s.base for s in sums}["1100"] == Decimal(105)
    assert [s.base for s in matching.ledger_sums(prefix=invoice.externalid)] == [s.base for s in sums]
    assert matching.ledger_sums(prefix="AMZ_INV-") == ()
    periods = matching.periods(date(2026, 9, 14))
    assert first_open(periods, date(2026, 9, 14)) == date(2026, 9, 14)
    assert {a.number for a in matching.accounts(["1100", "201"])} == {"1100", "1001"}
    assert matching.items(["MUG-BLUE"])[0].id == "1001"


def test_a_batch_of_payments_takes_two_calls_and_pays_the_invoices(place: Place) -> None:
    invoices = place.invoices()
    client = place.client()
    batch = [pay(n, i) for n, i in enumerate(invoices)]
    endings = NetSuiteWriter(client).send(batch)
    assert all(isinstance(e, Confirmed) for e in endings)
    assert sum(c.count for c in client.calls()) <= 3
    assert place.invoices() == []
    links = Matching(client).links([i.id for i in invoices])
    assert [link.next_record for link in links] == ["customerPayment"] * len(invoices)
    first = endings[0]
    assert isinstance(first, Confirmed)
    assert first.remote.amount == first.remote.applied == Money(invoices[0].unpaid, "USD")


def test_one_payment_too_large_stops_itself_only(place: Place) -> None:
    one, two, three = place.invoices()[:3]
    endings = place.writer().send([pay(1, one), pay(2, two, over="1"), pay(3, three)])
    assert [type(e) for e in endings] == [Confirmed, Refused, Confirmed]
    assert isinstance(endings[1], Refused)
    assert endings[1].code == "USER_ERROR"
    assert payments(place) == ["AZS-PAY-1", "AZS-PAY-3"]


def test_writing_again_finds_what_is_there(place: Place) -> None:
    invoice, other = place.invoices()[:2]
    assert isinstance(place.writer().send([pay(1, invoice)])[0], Confirmed)
    assert isinstance(place.writer().send([pay(1, invoice)])[0], Exists)
    again = place.writer().send([pay(1, invoice), pay(2, other)])
    assert [type(e) for e in again] == [Confirmed, Confirmed]
    assert payments(place) == ["AZS-PAY-1", "AZS-PAY-2"]


def test_a_sales_order_becomes_an_invoice(place: Place) -> None:
    order = next(
        d for d in Matching(place.client()).sales_documents(["111-2600001-0000002"]) if d.type == "SalesOrd"
    )
    one = prepared(1, kind="invoice", origin=f"salesOrder/{order.id}", external_id="AZS-INV-1",
                   body=canonical({"tranDate": "2026-09-14"}), expected=Expected(Money.of("54", "USD")))  # fmt: skip
    [ending] = place.writer().send([one])
    assert isinstance(ending, Confirmed)
    probed = place.writer().probe([one.effect])
    assert probed["KEY1"].remote_id == ending.remote.remote_id
    assert probed["KEY1"].amount == Money.of("54", "USD")


def test_a_journal_is_probed_by_its_debits_and_its_lines(place: Place) -> None:
    lines: Json = [{"account": {"id": "201"}, "debit": Decimal("70.25")}, {"account": {"id": "400"}, "credit": Decimal("50.00")},
                   {"account": {"id": "401"}, "credit": Decimal("20.25")}]  # fmt: skip
    body = canonical(
        {
            "subsidiary": {"id": "1"},
            "currency": {"id": "1"},
            "tranDate": "2026-09-14",
            "line": {"items": lines},
        }
    )
    wanted = Expected(Money.of("70.25", "USD"), date(2026, 9, 14), 3)
    one = prepared(1, kind="journalEntry", external_id="AZS-JE-1", body=body, expected=wanted)
    assert isinstance(place.writer().send([one])[0], Confirmed)
    found = place.writer().probe([one.effect])["KEY1"]
    assert (found.amount, found.day, found.lines) == (wanted.amount, wanted.day, wanted.lines)


def test_settlement_records_are_made_changed_and_deleted(place: Place) -> None:
    writer = place.writer()

    def record(number: int, **more: Any) -> Prepared:
        body = canonical({"name": f"S{number}", "custrecord_azs_sum_settlement_id": f"S{number}",
                          "custrecord_azs_sum_deposit_amt": Decimal("10.10")})  # fmt: skip
        values: dict[str, Any] = {"kind": "customrecord_azs_summary", "external_id": f"AZS-S{number}", "body": body,
                                  "expected": Expected()}  # fmt: skip
        return prepared(number, **(values | more))

    made = writer.send([record(n) for n in range(3)])
    ids = [e.remote.remote_id for e in made if isinstance(e, Confirmed)]
    assert len(set(ids)) == 3
    body = canonical({"custrecord_azs_sum_paid": Decimal("5.50"), "custrecord_azs_sum_start": "2026-09-01"})
    changes = [record(n, action=Action.UPDATE, target_id=i, body=body) for n, i in enumerate(ids)]
    assert writer.probe([p.effect for p in changes]) == {}
    assert [type(e) for e in writer.send(changes)] == [Confirmed] * 3
    assert len(writer.probe([p.effect for p in changes])) == 3
    rows = Matching(place.client()).custom_records(
        "customrecord_azs_summary", ["custrecord_azs_sum_paid"], prefix="AZS-S"
    )
    assert [Decimal(r.values[0] or 0) for r in rows] == [Decimal("5.5")] * 3
    gone = record(2, action=Action.VOID, target_id=ids[2])
    assert isinstance(writer.send([gone])[0], Confirmed)
    assert set(writer.probe([gone.effect])) == {"KEY2"}


@pytest.mark.parametrize(
    ("rule", "kind", "applied"),
    [
        ({"kind": "429", "retry_after": 3}, NotSent, False),
        ({"kind": "5xx_before"}, Unknown, False),
        ({"kind": "5xx_after"}, Unknown, True),
        ({"kind": "cut_before"}, Unknown, False),
        ({"kind": "cut_after"}, Unknown, True),
        ({"kind": "refuse"}, Unknown, False),
        ({"kind": "html_200"}, Unknown, False),
        ({"kind": "html_200", "applied": True}, Unknown, True),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_each_fault_of_one_write_ends_as_the_table_says(
    place: Place, rule: dict[str, Any], kind: type, applied: bool
) -> None:
    invoice = place.invoices()[0]
    one = pay(1, invoice)
    with place.fault(method="POST", path="customerPayment", **rule):
        [ending] = place.writer().send([one])
    assert isinstance(ending, kind)
    assert set(place.writer().probe([one.effect])) == ({"KEY1"} if applied else set())


def test_a_batch_cut_after_it_was_taken_is_unknown_and_found_by_the_probe(place: Place) -> None:
    batch = [pay(n, i) for n, i in enumerate(place.invoices()[:3])]
    with place.fault(kind="cut_after", method="POST", path="customerPayment"):
        assert [type(e) for e in place.writer().send(batch)] == [Unknown] * 3
    again = place.writer().send(batch)
    assert [type(e) for e in again] == [Confirmed] * 3
    assert len(payments(place)) == 3


def test_a_lagging_search_neither_loses_nor_doubles(place: Place) -> None:
    batch = [pay(n, i) for n, i in enumerate(place.invoices()[:3])]
    with place.fault(kind="search_lag", seconds=30):
        endings = place.writer().send(batch)
    assert [type(e) for e in endings] == [Confirmed] * 3
    assert len({e.remote.remote_id for e in endings if isinstance(e, Confirmed)}) == 3


def test_busy_reads_are_tried_again(place: Place) -> None:
    client = place.client()
    with place.fault(kind="429", path="suiteql", nth=[1], retry_after=0):
        assert Matching(client).currencies()
    assert [c.count for c in client.calls() if "suiteql" in c.pattern] == [2]


def test_a_role_that_may_not_write_parks_the_connection(place: Place) -> None:
    body = canonical({"tranDate": "2026-09-14", "line": {"items": []}})
    one = prepared(1, kind="journalEntry", external_id="AZS-JE-1", body=body)
    [ending] = place.writer(role="limited").send([one])
    assert isinstance(ending, CredentialsRefused)


def test_an_unreachable_netsuite_is_not_sent_to(place: Place) -> None:
    invoice = place.invoices()[0]
    place.control("POST", "/listen", {"vendor": "netsuite", "open": False})
    try:
        assert isinstance(place.writer().send([pay(1, invoice)])[0], NotSent)
        with pytest.raises(LedgerError):
            place.client().http.read_once(
                "GET", place.sandbox.credentials["netsuite"]["base_url"], pattern="/"
            )
    finally:
        place.control("POST", "/listen", {"vendor": "netsuite", "open": True})


def test_a_closed_period_is_refused_in_words_that_name_it(place: Place) -> None:
    invoice = place.invoices()[0]
    client = place.client()
    matching = Matching(client)
    day = date(2026, 9, 14)
    september = next(p for p in matching.periods(day) if p.startdate <= day <= p.enddate)
    assert client.write(
        "PATCH", f"/services/rest/record/v1/accountingPeriod/{september.id}", body={"closed": True}
    ).ok
    assert first_open(matching.periods(day), day) == date(2026, 10, 1)
    [ending] = NetSuiteWriter(client).send([pay(1, invoice)])
    assert isinstance(ending, Refused)
    assert "period" in ending.text.lower()
    assert payments(place) == []


def test_a_batch_later_than_the_wait_for_it_is_unknown_and_its_records_come_with_the_clock(
    place: Place,
) -> None:
    first, second = place.invoices()[:2]
    with place.fault(kind="job_late", seconds=3600):
        endings = place.writer(batch_wait=1.0).send([pay(1, first), pay(2, second)])
    assert [type(one) for one in endings] == [Unknown, Unknown]
    kinds = place.control("GET", "/dump/netsuite")["records"]
    assert len(kinds.get("customerPayment", ())) == 0
    place.control("POST", "/clock", {"advance_seconds": 3601})
    made = place.control("GET", "/dump/netsuite")["records"]["customerPayment"]
    assert {one["externalId"] for one in made} == {"AZS-PAY-1", "AZS-PAY-2"}
