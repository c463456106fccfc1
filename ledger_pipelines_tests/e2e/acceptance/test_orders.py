"""8.8: orders with unusual documents behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from ledger_pipelines_tests.e2e.acceptance.checks import message, no_doubles, settled, states
from ledger_pipelines_tests.generate import FEES, START, Amount, SettlementFile, account, order
from ledger_pipelines_tests.stage import Stage

ORDER = "113-6300000-0000001"
OTHER = order("113-6300000-0000002", "60.00", sku="TEAPOT-1L")
STORAGE = account("Storage Fee", "-12.30")


def test_order_with_2_invoices(stage: Stage) -> None:
    file = SettlementFile(
        "26300000001",
        (
            order(ORDER, "100.00", shipment_id="DAAA", item_code="0401", quantity=2),
            order(ORDER, "60.00", sku="TEAPOT-1L", shipment_id="DBBB", item_code="0402", posted=START + timedelta(days=5)),
            STORAGE,
        ),
    )  # fmt: skip
    sid = stage.arrive(file, seed=False)
    teapot = stage.document("invoice", ORDER, [("TEAPOT-1L", 1, "60.00")])
    mugs = stage.document("invoice", ORDER, [("MUG-BLUE", 2, "100.00")])
    stage.run(sid)
    settled(stage, sid, file.total)
    books = stage.books()
    assert books.by_id(mugs)["amountRemaining"] == books.by_id(teapot)["amountRemaining"] == "0.00"
    assert sorted(p["payment"] for p in books.of_order("customerPayment", ORDER)) == ["100.00", "60.00"]
    no_doubles(stage)


def test_one_shipment_paid_on_2_invoices_takes_no_more_of_each_than_it_has_unpaid(stage: Stage) -> None:
    file = SettlementFile("26300000002", (order(ORDER, "160.00", quantity=2), STORAGE))
    sid = stage.arrive(file, seed=False)
    first = stage.document("invoice", ORDER, [("TEAPOT-1L", 1, "60.00")])
    second = stage.document("invoice", ORDER, [("MUG-BLUE", 2, "100.00")])
    stage.run(sid)
    settled(stage, sid, file.total)
    books = stage.books()
    assert books.by_id(first)["amountRemaining"] == books.by_id(second)["amountRemaining"] == "0.00"
    (payment,) = books.of_order("customerPayment", ORDER)
    assert payment["applied"] == "160.00"


def test_order_in_another_currency(stage: Stage) -> None:
    file = SettlementFile("26300000003", (order(ORDER, "100.00"), OTHER, STORAGE))
    sid = stage.arrive(file, seed=False)
    euros = {"entity": {"id": "104"}, "currency": {"id": "2"}}
    stage.document("invoice", ORDER, [("AMZ-ITEM", 1, "100.00")], **euros)
    stage.document("invoice", OTHER.order_id, [("TEAPOT-1L", 1, "60.00")])
    stage.run(sid)
    books = stage.books()
    assert states(stage, ORDER) == ["Currency differs"]
    assert "EUR" in message(stage, ORDER)
    assert books.of_order("customerPayment", ORDER) == []
    assert [p["payment"] for p in books.of_order("customerPayment", OTHER.order_id)] == ["60.00"]
    assert books.ours("journalEntry", sid) == []
    assert books.balance("1051", "EUR") == books.balance("1052", "EUR") == 0


def test_cash_sale_order(stage: Stage) -> None:
    file = SettlementFile("26300000005", (order(ORDER, "100.00"), OTHER, STORAGE))
    sid = stage.arrive(file, seed=False)
    stage.document("invoice", OTHER.order_id, [("TEAPOT-1L", 1, "60.00")])
    stage.document("cashSale", ORDER, [("MUG-BLUE", 2, "100.00")], undepFunds=False, account={"id": "221"})
    assert stage.books().balance("1051") == 100
    stage.run(sid)
    books = stage.books()
    assert states(stage, ORDER) == ["Verified"]
    assert "the journal takes it out" in message(stage, ORDER)
    assert books.of_order("customerPayment", ORDER) == []
    assert books.balance("1051") == 0
    assert books.posted(sid, "1001") == file.total


def test_cash_sale_that_is_not_in_the_clearing_account_waits_for_a_person(stage: Stage) -> None:
    file = SettlementFile("26300000006", (order(ORDER, "100.00"), OTHER, STORAGE))
    sid = stage.arrive(file, seed=False)
    stage.document("invoice", OTHER.order_id, [("TEAPOT-1L", 1, "60.00")])
    stage.document("cashSale", ORDER, [("MUG-BLUE", 2, "100.00")], undepFunds=False, account={"id": "201"})
    result = stage.run(sid)
    assert result.exit_code == 1
    assert stage.books().ours("journalEntry", sid) == []
    assert "not in the clearing account" in message(stage, ORDER)


def test_mcf_order_without_invoice(stage: Stage) -> None:
    mcf = replace(
        order("S01-6300000-0000001", "0.00", commission="0.00"),
        marketplace="Non-Amazon US",
        amounts=(Amount(FEES, "FBAPerUnitFulfillmentFee", Decimal("-7.90")),),
    )
    file = SettlementFile("26300000007", (mcf, OTHER, STORAGE))
    sid = stage.arrive(file)
    result = stage.run(sid)
    assert result.exit_code == 0
    settled(stage, sid, file.total)
    books = stage.books()
    assert books.of_order("customerPayment", mcf.order_id) == []
    assert books.posted(sid, "6110") == Decimal("7.90")


def test_orders_left_out_of_the_books_are_reported_as_no_order_and_the_rest_is_paid(stage: Stage) -> None:
    groups = tuple(order(f"113-6300001-{n:07d}", "60.00", sku="TEAPOT-1L") for n in range(6))
    file = SettlementFile("26300000008", (*groups, STORAGE))
    sid = stage.arrive(file, seed=False)
    made = stage.seed(sid, leave_out=2)
    assert len(made.left_out_order_ids) == 2
    stage.run(sid)
    books = stage.books()
    for group in groups:
        left_out = group.order_id in made.left_out_order_ids
        assert len(books.of_order("customerPayment", group.order_id)) == (0 if left_out else 1)
        assert (states(stage, group.order_id) == ["No order"]) is left_out
    assert books.ours("journalEntry", sid) == []
    stage.seed(sid)
    stage.run(sid)
    settled(stage, sid, file.total)
    no_doubles(stage)
