"""A request that reaches Saasu twice, as a proxy that sends again would make it: what it leaves behind is found, and nobody but a
person takes it away.

Saasu has no key against it. Where Saasu numbers, a second invoice is taken; so are part payments, journals, notes and contacts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ledger_pipelines.cli import by_day
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.neto_saasu.doubles import CODE
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import no_doubles, unsettled, writes
from ledger_pipelines_tests.shop_stage import Record, ShopStage

POT: Record = {"SKU": "POT-600", "Quantity": "1"}
CHECK = "nothing_is_there_twice"
LATER = 1_800


@pytest.fixture
def auto(opened: Opened) -> ShopStage:
    """An installation where Saasu numbers the invoices."""
    return opened(orders_to_saasu__numbering="auto", refunds__credit_account=None)


@pytest.fixture(autouse=True)
def _calm_line(auto: ShopStage) -> Iterator[None]:
    yield
    auto.control.delete("/faults").raise_for_status()


def run(stage: ShopStage) -> RunResult:
    """The next run, by a process of its own."""
    stage.clock.jump(LATER)
    stage.close_service()
    return stage.run()


def twice(stage: ShopStage, path: str) -> None:
    """The next request to that path comes twice."""
    stage.fault("apply_twice", path=path, method="POST", times=1)


def told(result: RunResult) -> dict[str, OpenItem]:
    """What the run says is there twice, by reference."""
    return {one.number: one for one in result.doubles}


def holds(stage: ShopStage) -> bool:
    """The check of the reconciliation."""
    today = stage.service.today()
    (check,) = (one for one in stage.service.reconcile(today, today).checks() if one.name == CHECK)
    return check.passed


def ids(records: list[Record]) -> set[str]:
    return {str(one["Id"]) for one in records}


def test_an_invoice_with_its_payment_and_its_contact_that_came_twice_are_found_by_the_next_run(
    auto: ShopStage,
) -> None:
    order = auto.order(POT)
    payment = auto.pay(order, "20.00")
    twice(auto, r"/Contact\?")
    twice(auto, r"/Invoice\?")
    first = run(auto)
    assert auto.fired() == 2
    assert unsettled(first) == []
    invoices = auto.file().invoices(order)
    assert len(invoices) == 2

    result = run(auto)
    assert result.exit_code == 1
    reference = f"NETO-PAY-{payment}"
    found = told(result)
    assert set(found) == {order, reference, "priya.nair0"}
    assert all(one.code == CODE for one in found.values())
    assert all(number in found[order].text for number in ids(invoices))
    assert found[order].text.count("59.90 AUD") == 2
    assert all(number in found[reference].text for number in ids(auto.file().payments(reference)))
    assert "make it inactive" in found["priya.nair0"].remedy
    assert not holds(auto)
    page = auto.service.report(auto.service.today(), auto.service.today()).read_text()
    assert all(f">{number}<" in page for number in ids(invoices))
    assert set(found) <= {one.number for one in auto.service.errors()}
    assert auto.service.status().open_items == 3


def test_nothing_is_taken_away_by_itself_and_the_bookkeeper_s_deletion_ends_it(auto: ShopStage) -> None:
    order = auto.order(POT)
    twice(auto, r"/Invoice\?")
    run(auto)
    auto.control.delete("/faults").raise_for_status()
    run(auto)
    auto.forget_calls()
    result = run(auto)
    assert writes(auto) == {}
    assert len(auto.file().invoices(order)) == 2
    (extra,) = ids(auto.file().invoices(order)) - {_known(auto, order)}
    assert f"delete {extra}" in told(result)[order].remedy
    auto.book("DELETE", f"/Invoice/{extra}")
    result = run(auto)
    assert (result.exit_code, result.doubles) == (0, ())
    assert holds(auto)
    no_doubles(auto.file())


def _known(stage: ShopStage, order: str) -> str:
    return next(
        one.remote_id for one in stage.service.memory.view().known.values() if one.external_id == order
    )


def test_a_part_payment_a_journal_and_an_adjustment_note_that_came_twice_are_found(auto: ShopStage) -> None:
    order = auto.order(POT)
    run(auto)
    part = auto.pay(order, "10.00")
    twice(auto, r"/Payment\?")
    run(auto)
    result = run(auto)
    assert set(told(result)) == {f"NETO-PAY-{part}"}
    assert told(result)[f"NETO-PAY-{part}"].text.count("10.00 AUD") == 2

    paid = auto.order(POT)
    over = auto.pay(paid, str(auto.owed(paid) + 5))
    twice(auto, r"/Journal\?")
    run(auto)
    rma = _returned(auto, paid)
    twice(auto, r"/Invoice\?")
    run(auto)
    found = told(run(auto))
    assert set(found) == {f"NETO-PAY-{part}", f"NETO-PAY-{over}-OVER", f"{paid}-RMA{rma}"}
    assert found[f"{paid}-RMA{rma}"].title.startswith("Adjustment note")
    assert found[f"{paid}-RMA{rma}"].text.count("-49.95 AUD") == 2
    assert auto.fired() == 3


def _returned(stage: ShopStage, order: str) -> str:
    line = {
        "SKU": "POT-600", "Quantity": "1", "RefundSubtotal": "49.95", "TaxCode": "GST", "WarehouseID": "1",
        "ReturnReason": "Damaged", "ResolutionOutcome": "Refund", "IsRestockIssued": True,
    }  # fmt: skip
    rma = {
        "OrderID": order, "InvoiceNumber": order, "CustomerUsername": "priya.nair0", "RmaStatus": "Closed",
        "TaxInclusive": True, "ShippingRefundAmount": "0", "RmaLines": {"RmaLine": [line]},
    }  # fmt: skip
    return str(stage.shop("AddRma", {"Rma": [rma]})["Rma"]["RmaID"])


def test_a_lost_answer_with_a_gateway_s_own_retry_is_found_though_the_first_one_was_adopted(
    auto: ShopStage,
) -> None:
    """The answer is lost, we look and adopt; the gateway sends once more what it kept."""
    order = auto.order(POT)
    run(auto)
    later = auto.order(POT)
    auto.fault("cut_after", path=r"/Invoice\?", method="POST", times=1)
    run(auto)
    auto.control.delete("/faults").raise_for_status()
    result = run(auto)
    assert unsettled(result) == []
    (adopted,) = auto.file().invoices(later)
    again = {
        name: adopted[name] for name in ("PurchaseOrderNumber", "BillingContactId", "InvoiceType", "Currency")
    }
    body: Record = again | {
        "TransactionType": "S", "Layout": "S", "TransactionDate": str(adopted["TransactionDate"])[:10], "IsTaxInc": True,
        "InvoiceNumber": "<Auto Number>",
        "LineItems": [{"Description": "The same", "AccountId": 9040, "TaxCode": "G1", "TotalAmount": "59.90"}],
    }  # fmt: skip
    auto.book("POST", "/Invoice", body)
    found = told(run(auto))
    assert set(found) == {later}
    assert order not in found


def test_two_by_right_are_ignored_and_a_third_is_told_again(
    auto: ShopStage, capsys: pytest.CaptureFixture[str]
) -> None:
    order = auto.order(POT)
    twice(auto, r"/Invoice\?")
    run(auto)
    result = run(auto)
    by_day.show_run(result, (0, None))
    assert f"there twice: Invoice {order}." in capsys.readouterr().out
    shape = json.loads(json.dumps(by_day.run_shape(result, (0, None)), default=str))
    assert [one["number"] for one in shape["there_twice"]] == [order]
    auto.service.ignore([told(result)[order].key], "Mei", "the customer wanted two")
    result = run(auto)
    assert (result.exit_code, result.doubles) == (0, ())
    assert holds(auto)
    auto.service.retry([shape["there_twice"][0]["key"]], "Mei", "no, he did not")
    assert set(told(run(auto))) == {order}
