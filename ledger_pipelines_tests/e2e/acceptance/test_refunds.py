"""8.8: refunds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ledger_pipelines_tests.e2e.acceptance.checks import message, no_doubles, settled, states
from ledger_pipelines_tests.generate import START, SettlementFile, account, order, refund
from ledger_pipelines_tests.stage import Stage

ORDER = "113-6400000-0000001"
STORAGE = account("Storage Fee", "-12.30")


def test_refund_before_its_order_is_invoiced(stage: Stage) -> None:
    early = SettlementFile("26400000001", (refund(ORDER, "50.00", channel="MFN"), STORAGE))
    later = SettlementFile(
        "26400000002",
        (order(ORDER, "100.00", channel="MFN", quantity=2, posted=START + timedelta(days=16)),
         replace(STORAGE, posted=START + timedelta(days=20))),
        start=early.end, end=early.end + timedelta(days=14),
    )  # fmt: skip
    first = stage.arrive(early, seed=False)
    stage.document("salesOrder", ORDER, [("MUG-BLUE", 2, "100.00")], orderStatus={"id": "B"})
    stage.run(first)
    assert states(stage, ORDER) == ["No invoice"]
    assert "before it was invoiced" in message(stage, ORDER)
    assert stage.books().ours("creditMemo") == stage.books().ours("journalEntry") == []
    second = stage.arrive(later, seed=False, name="later.txt")
    stage.run(second)
    settled(stage, second, later.total)
    stage.run(first)
    settled(stage, first, early.total)
    books = stage.books()
    assert [m["total"] for m in books.of_order("creditMemo", ORDER)] == ["50.00"]
    assert books.balance("1051") == 0
    no_doubles(stage)


def test_two_partial_refunds_of_one_line(stage: Stage) -> None:
    file = SettlementFile(
        "26400000003",
        (
            order(ORDER, "100.00", quantity=2),
            refund(ORDER, "50.00", number_of=1),
            refund(ORDER, "30.00", number_of=2, posted=START + timedelta(days=10)),
            STORAGE,
        ),
    )
    sid = stage.arrive(file)
    stage.run(sid)
    settled(stage, sid, file.total)
    books = stage.books()
    assert sorted(m["total"] for m in books.of_order("creditMemo", ORDER)) == ["30.00", "50.00"]
    assert sorted(r["total"] for r in books.of_order("customerRefund", ORDER)) == ["30.00", "50.00"]
    assert all(m["applied"] == m["total"] for m in books.of_order("creditMemo", ORDER))
    no_doubles(stage)


def test_a_third_refund_beyond_what_was_invoiced_is_not_credited(stage: Stage) -> None:
    file = SettlementFile(
        "26400000004",
        (
            order(ORDER, "100.00", quantity=2),
            refund(ORDER, "50.00", number_of=1),
            refund(ORDER, "60.00", number_of=2, posted=START + timedelta(days=10)),
            STORAGE,
        ),
    )
    sid = stage.arrive(file, seed=False)
    stage.document("invoice", ORDER, [("MUG-BLUE", 2, "100.00")])
    stage.run(sid)
    books = stage.books()
    assert [m["total"] for m in books.of_order("creditMemo", ORDER)] == ["50.00"]
    assert "Amount differs" in states(stage, ORDER)
    assert books.ours("journalEntry", sid) == []
    stage.run(sid)
    assert [m["total"] for m in stage.books().of_order("creditMemo", ORDER)] == ["50.00"]


def test_tax_only_refund(stage: Stage) -> None:
    file = SettlementFile(
        "26400000005",
        (
            order(ORDER, "100.00", tax="8.40", withheld=False, quantity=2),
            refund(ORDER, "0.00", tax="8.40", withheld=False),
            STORAGE,
        ),
    )
    sid = stage.arrive(file)
    stage.run(sid)
    settled(stage, sid, file.total)
    books = stage.books()
    (memo,) = books.of_order("creditMemo", ORDER)
    stand_in = next(
        str(i["id"]) for i in books.records("otherChargeSaleItem") if i["itemId"] == "AMZ-TAX-REFUND"
    )
    assert memo["total"] == "8.40"
    assert [(str(line["item"]), line["amount"]) for line in memo["item"]] == [(stand_in, "8.40")]
    assert [p["payment"] for p in books.of_order("customerPayment", ORDER)] == ["108.40"]


def test_restocking_fee_is_kept_from_the_credit(stage: Stage) -> None:
    file = SettlementFile(
        "26400000006",
        (order(ORDER, "100.00", quantity=2), refund(ORDER, "100.00", restocking="20.00"), STORAGE),
    )
    sid = stage.arrive(file)
    stage.run(sid)
    settled(stage, sid, file.total)
    assert [m["total"] for m in stage.books().of_order("creditMemo", ORDER)] == ["80.00"]


def test_refund_settled_before_the_payment_of_its_open_invoice_leaves_clearing_at_zero_after_both(
    stage: Stage,
) -> None:
    early = SettlementFile("26400000007", (refund(ORDER, "50.00"), STORAGE))
    later = SettlementFile(
        "26400000008",
        (order(ORDER, "100.00", quantity=2, posted=START + timedelta(days=16)),
         replace(STORAGE, posted=START + timedelta(days=20))),
        start=early.end, end=early.end + timedelta(days=14),
    )  # fmt: skip
    first = stage.arrive(early, seed=False)
    invoice = stage.document("invoice", ORDER, [("MUG-BLUE", 2, "100.00")])
    stage.run(first)
    second = stage.arrive(later, seed=False, name="later.txt")
    stage.run(second)
    books = stage.books()
    assert books.by_id(invoice)["amountRemaining"] == "0.00"
    assert books.balance("1051") == 0
