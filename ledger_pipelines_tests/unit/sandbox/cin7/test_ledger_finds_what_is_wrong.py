"""The ledger is no mirror: what is kept wrongly is seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger_pipelines.sandbox.calls import CallLog
from ledger_pipelines.sandbox.cin7.vendor import Cin7Vendor
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.faults import Faults, VendorFaults
from ledger_pipelines.sandbox.state import StateStore
from ledger_pipelines.sandbox.vendor import SandboxContext


@pytest.fixture
def vendor() -> Iterator[Cin7Vendor]:
    clock, store = SandboxClock(), StateStore()
    faults = VendorFaults("cin7", Faults(clock))
    made = Cin7Vendor(SandboxContext(clock, faults, CallLog(), store, "http://sandbox", "demo"))
    made.reset("demo")
    yield made
    store.close()


def differences(vendor: Cin7Vendor) -> list[str]:
    ledger = vendor.ledger()
    assert isinstance(ledger, dict)
    assert ledger["adds_up"] is (not ledger["differences"])
    return list(ledger["differences"])


def order(vendor: Cin7Vendor) -> int:
    sale: Document = {"reference": "A", "lineItems": [{"code": "POT-600", "qty": 2, "unitPrice": 10}]}
    return vendor.omni.orders.insert(sale).id


def test_a_level_that_no_document_explains(vendor: Cin7Vendor) -> None:
    order(vendor)
    assert differences(vendor) == []
    vendor.account.store.db.execute("UPDATE cin7_level SET open_sales = '3' WHERE open_sales = '2'")
    [found] = differences(vendor)
    assert "POT-600" in found and "3 sold are kept" in found


def test_a_total_that_is_not_that_of_its_lines(vendor: Cin7Vendor) -> None:
    row = vendor.account.store.get("order", order(vendor))
    assert row is not None
    row.body["total"] = 21
    vendor.account.store.save(row, vendor.account.now())
    [found] = differences(vendor)
    assert "total is 21" in found
