"""A record that cannot be read stops what rests on it, and nothing else; mended, it goes by itself. Money is never quietly missing."""

from __future__ import annotations

from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.integrations.by_day.unreadable import UNREADABLE
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import agrees, expected, unread, writes
from ledger_pipelines_tests.shop_stage import Record, ShopStage

POT: Record = {"SKU": "POT-600", "Quantity": "1"}
TEA: Record = {"SKU": "TEA-EB-100", "Quantity": "2"}
TOM = {"Username": "tom.harris1", "Email": "tom@example.com"}


def run(stage: ShopStage) -> RunResult:
    stage.clock.jump(120)
    stage.forget_calls()
    return stage.run()


def paid(stage: ShopStage, *lines: Record, **more: object) -> tuple[str, str]:
    """An order, and its payment."""
    number = stage.order(*lines, **more)
    return number, stage.pay(number, str(stage.owed(number)))


def test_an_order_of_the_store(opened: Opened) -> None:
    stage = opened()
    (good, _), (bad, _) = paid(stage, POT), paid(stage, TEA, **TOM)
    stage.spoil(bad, "GrandTotal")
    result = run(stage)
    assert set(unread(result, bad)) == {"contacts", "invoices", "payments"}
    (row,) = {one.key: one for one in unread(result, bad).values()}.values()
    assert f"order {bad}: GrandTotal is 'a lot'" in row.reason.text
    assert "may show less paid" in row.reason.text and "do not ask for that money" in row.reason.text
    assert result.exit_code == 1 and unread(result, good) == {}
    (item,) = stage.service.errors()
    assert (item.number, item.code, item.key) == (bad, UNREADABLE, row.key)
    agrees(stage.file(), expected(stage.store(), without=[bad]))
    run(stage)
    assert writes(stage) == {}
    stage.mend()
    stage.status(bad, "Pack")
    assert run(stage).exit_code == 0
    agrees(stage.file(), expected(stage.store()))


def test_a_payment_that_cannot_be_read_never_leaves_an_invoice_unpaid_without_a_word(opened: Opened) -> None:
    """The store shows payments on their order: one of two, and the invoice is in the books already."""
    stage = opened()
    number, other = stage.order(POT), stage.order(TEA, **TOM)
    run(stage)
    payment = stage.pay(number, str(stage.owed(number)))
    stage.pay(other, str(stage.owed(other)))
    stage.spoil(payment, "Amount")
    result = run(stage)
    told = unread(result, number)
    assert set(told) == {"contacts", "invoices", "payments"}
    assert all("Amount is 'a lot'" in row.reason.text for row in told.values())
    assert all("do not ask for that money" in row.reason.text for row in told.values())
    assert len(stage.file().payments()) == 1
    stage.mend()
    stage.status(number, "Pack")
    assert run(stage).exit_code == 0
    agrees(stage.file(), expected(stage.store()))


def test_a_return_of_the_store(opened: Opened) -> None:
    stage = opened(refunds__account="Sales")
    (one, _), (other, _) = paid(stage, POT), paid(stage, POT, **TOM)
    run(stage)
    returned = [returns(stage, number) for number in (one, other)]
    stage.spoil(returned[0], "RefundTotal")
    result = run(stage)
    assert set(unread(result, returned[0])) == {"refunds"}
    assert "the customer may seem to owe more" in unread(result, returned[0])["refunds"].reason.text
    notes = [invoice for invoice in stage.file().invoices() if "-RMA" in invoice["PurchaseOrderNumber"]]
    assert len(notes) == 1
    assert stage.service.reconcile(stage.service.today(), stage.service.today()).waiting


def returns(stage: ShopStage, order: str) -> str:
    """The pot comes back; the return's id."""
    line = {
        "SKU": "POT-600", "Quantity": "1", "RefundSubtotal": "49.95", "TaxCode": "GST", "WarehouseID": "1",
        "ReturnReason": "Damaged", "ResolutionOutcome": "Refund", "IsRestockIssued": True,
    }  # fmt: skip
    rma = {
        "OrderID": order, "InvoiceNumber": order, "RmaStatus": "Closed", "TaxInclusive": True, "ShippingRefundAmount": "0",
        "RmaLines": {"RmaLine": [line]},
    }  # fmt: skip
    return str(stage.shop("AddRma", {"Rma": [rma]})["Rma"]["RmaID"])


def test_an_invoice_and_a_contact_as_saasu_gives_them_back(opened: Opened) -> None:
    """What Saasu says of them cannot be read: neither is made again, and other orders go on."""
    stage = opened()
    number = stage.order(POT)
    run(stage)
    (invoice,) = stage.file().invoices(number)
    stage.spoil(str(invoice["Id"]), "TotalAmount", vendor="saasu")
    stage.pay(number, str(stage.owed(number)))
    other, _ = paid(stage, TEA, **TOM)
    stage.book("PUT", f"/Invoice/{invoice['Id']}", {**invoice, "NotesInternal": "seen"})
    result = run(stage)
    assert "TotalAmount is 'a lot'" in unread(result, number)["invoices"].reason.text
    assert len(stage.file().invoices(number)) == 1 and len(stage.file().invoices(other)) == 1
    assert not stage.service.doubles()


def test_a_time_of_change_ends_no_reading(opened: Opened) -> None:
    """Of an order, and of Saasu's invoice: the lists are read to their end, and read on from there; other orders go out."""
    stage = opened()
    booked = stage.order(POT)
    run(stage)
    (invoice,) = stage.file().invoices(booked)
    bad, (good, _) = stage.order(TEA, **TOM), paid(stage, POT, **TOM)
    stage.spoil(bad, "DateUpdated", "soon")
    stage.spoil(str(invoice["Id"]), "LastModifiedDateUtc", "soon", vendor="saasu")
    stage.book("PUT", f"/Invoice/{invoice['Id']}", {**invoice, "NotesInternal": "seen"})
    stage.pay(booked, str(stage.owed(booked)))
    result = run(stage)
    assert "DateUpdated is 'soon'" in unread(result, bad)["invoices"].reason.text
    assert "LastModifiedDateUtc is 'soon'" in unread(result, booked)["payments"].reason.text
    assert unread(result, good) == {} and len(stage.file().invoices(good)) == 1
    assert not stage.file().invoices(bad)
    stage.mend()
    stage.mend("saasu")
    stage.status(bad, "Pack")
    stage.book(
        "PUT", f"/Invoice/{invoice['Id']}", {**stage.file().invoices(booked)[0], "NotesInternal": "mended"}
    )
    run(stage)
    agrees(stage.file(), expected(stage.store()))
