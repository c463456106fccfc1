"""Whatever is written, edited, un-applied or deleted: the ledger balances and agrees with what is open."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_pipelines.sandbox.netsuite import NetSuiteVendor
from ledger_pipelines.sandbox.netsuite.service import Call
from ledger_pipelines.sandbox.netsuite.users import ROLES, Identity
from ledger_pipelines_tests.unit.sandbox.netsuite.desk import (
    AMAZON_US,
    CLEARING,
    RECORD,
    invoice_body,
    payment_body,
    vendor_in_memory,
)

WHO = Identity(ROLES[1000], "test")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "memo", "pay", "edit", "refund", "unapply", "delete", "credit"]),
        st.integers(0, 7),
        st.integers(1, 12000),
    ),
    min_size=4,
    max_size=25,
)


class Clerk:
    """Does what the steps say; refusals are fine, crashes are not."""

    def __init__(self, vendor: NetSuiteVendor):
        self.vendor = vendor
        self.made: dict[str, list[str]] = {
            name: [] for name in ("invoice", "creditMemo", "customerPayment", "customerRefund")
        }

    def call(self, method: str, path: str, body: Any = None, query: str = "") -> str | None:
        headers = {"content-type": "application/json"}
        call = Call(method, f"{RECORD}/{path}", query, headers, json.dumps(body) if body is not None else "")
        answer = self.vendor.netsuite.records.handle(call, WHO)
        assert answer.status < 500, answer.body
        location = answer.headers.get("Location")
        return location.rsplit("/", 1)[1] if location else None

    def pick(self, kind: str, at: int) -> str | None:
        known = self.made[kind]
        return known[at % len(known)] if known else None

    def keep(self, kind: str, made: str | None) -> None:
        if made is not None:
            self.made[kind].append(made)

    def step(self, what: str, at: int, cents: int) -> None:
        amount = str(Decimal(cents) / 100)
        invoice, memo, payment = (
            self.pick(kind, at) for kind in ("invoice", "creditMemo", "customerPayment")
        )
        if what == "invoice":
            self.keep("invoice", self.call("POST", "invoice", invoice_body(amount)))
        elif what == "memo":
            apply = (
                {"apply": {"items": [{"doc": {"id": invoice}, "amount": 1}]}} if invoice and at % 2 else {}
            )
            self.keep("creditMemo", self.call("POST", "creditMemo", invoice_body(amount, **apply)))
        elif what == "pay" and invoice:
            body = payment_body({invoice: amount}, str(Decimal(cents + at) / 100))
            self.keep("customerPayment", self.call("POST", "customerPayment", body))
        elif what == "credit" and invoice and memo:
            body = payment_body({invoice: amount}, "0")
            body["credit"] = {"items": [{"doc": {"id": memo}, "amount": float(amount)}]}
            self.keep("customerPayment", self.call("POST", "customerPayment", body))
        elif what == "edit" and invoice:
            line = {"item": {"items": [{"line": 1, "amount": float(amount)}]}}
            self.call("PATCH", f"invoice/{invoice}", line)
        elif what == "refund" and (memo or payment):
            source = f"creditMemo/{memo}" if memo else f"customerPayment/{payment}"
            self.keep(
                "customerRefund",
                self.call("POST", f"{source}/!transform/customerRefund", {"account": {"id": CLEARING}}),
            )
        elif what == "unapply" and payment and invoice:
            off = {"apply": {"items": [{"doc": {"id": invoice}, "apply": False}]}}
            self.call("PATCH", f"customerPayment/{payment}", off)
        elif what == "delete":
            kind = list(self.made)[at % 4]
            victim = self.pick(kind, cents)
            if victim:
                self.call("DELETE", f"{kind}/{victim}")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_the_ledger_balances_and_agrees_with_open_items(steps: list[tuple[str, int, int]]) -> None:
    vendor, _, _ = vendor_in_memory()
    clerk = Clerk(vendor)
    for what, at, cents in steps:
        clerk.step(what, at, cents)
    found: Any = vendor.trial_balance()
    assert found["balanced"], found
    receivable = sum(
        (Decimal(line["balance"]) for line in found["accounts"] if line["number"] == "1100"), Decimal(0)
    )
    open_items = Decimal(0)
    for kind, total, unpaid, unused in vendor.company.store.db.execute(
        "SELECT type, foreigntotal, foreignamountunpaid, foreignpaymentamountunused FROM ns_transaction WHERE entity = ?",
        (int(AMAZON_US),),
    ):
        left = Decimal(unpaid or unused or 0)
        assert 0 <= left <= Decimal(total), (kind, total, left)
        open_items += left if kind == "CustInvc" else -left
    assert receivable == open_items
