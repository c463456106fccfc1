"""The worked example of celigo-amazon-netsuite.md 8.7, planned from the file and the books alone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.settlement import TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.flows import plan_flow
from ledger_pipelines.integrations.amazon_netsuite.settlement_journal import expected_clearing
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import (
    body_of,
    books,
    confirmed,
    context,
    group,
    invoice,
    sales_order,
)

A, B = "111-0000001-0000001", "111-0000002-0000002"
NOW = datetime(2026, 9, 18, tzinfo=UTC)
GROUPS = [
    group(
        TransactionClass.ORDER,
        {
            "Principal": "100.00", "Shipping": "5.00", "Tax": "8.40", "MarketplaceFacilitatorTax-Principal": "-8.40",
            "Commission": "-15.00", "FBAPerUnitFulfillmentFee": "-4.20",
        },
        order=A, shipment="s1",
    ),
    group(TransactionClass.ORDER, {"Principal": "60.00", "Promotion": "-6.00", "Commission": "-9.00"}, order=B, channel="MFN"),
    group(TransactionClass.REFUND, {"Principal": "-50.00", "Commission": "7.50", "RefundCommission": "-1.50"}, order=A, adjustment="a1"),
    group(TransactionClass.FEE, {"Storage Fee": "-12.30"}),
    group(TransactionClass.RESERVE, {"Previous Reserve Amount Balance": "20.00", "Current Reserve Amount": "-30.00"}),
]  # fmt: skip
BOOKS = books(invoice(A, "105.00"), sales_order(B, "54.00"))
FLOWS = ("settlement_records", "order_invoices", "payments", "refunds", "settlement_journal")


def test_the_deposit_is_64_50() -> None:
    assert str(context(GROUPS, BOOKS).settlement.total) == "64.50 USD"


def test_payments_are_105_and_54_gross_and_the_second_waits_for_its_invoice() -> None:
    ctx = context(GROUPS, BOOKS)
    decided = decide(ctx, GROUPS)
    rows = plan_flow(ctx, "payments", decided, NOW).rows
    assert [(r.action, str(r.amount)) for r in rows] == [
        (Action.CREATE, "105.00 USD"),
        (Action.CREATE, "54.00 USD"),
    ]
    first, second = body_of(rows[0]), body_of(rows[1])
    assert first["apply"] == {"items": [{"doc": {"id": "501"}, "apply": True, "amount": Decimal("105.00")}]}
    assert first["account"] == {"id": "A-clearing"}
    bill = plan_flow(ctx, "order_invoices", decided, NOW).rows[0]
    assert bill.effect is not None and rows[1].effect is not None
    assert bill.effect.origin == "salesOrder/701"
    assert second["apply"] == {
        "items": [{"doc": {"id": {"$link": bill.effect.key}}, "apply": True, "amount": Decimal("54.00")}]
    }
    assert rows[1].effect.depends_on == (bill.effect.key,)


def test_the_refund_is_a_memo_of_50_refunded_whole_because_this_settlement_pays_the_invoice() -> None:
    ctx = context(GROUPS, BOOKS)
    memo, refund = plan_flow(ctx, "refunds", decide(ctx, GROUPS), NOW).rows
    assert str(memo.amount) == str(refund.amount) == "50.00 USD"
    assert "apply" not in body_of(memo)
    assert refund.effect is not None and memo.effect is not None
    assert refund.effect.depends_on == (memo.effect.key,)


def test_the_journal_is_the_one_of_the_book_and_balances() -> None:
    ctx = context(GROUPS, BOOKS)
    (row,) = plan_flow(ctx, "settlement_journal", decide(ctx, GROUPS), NOW).rows
    sums: dict[str, Decimal] = {}
    for line in body_of(row)["line"]["items"]:  # type: ignore[index, call-overload]
        amount = line.get("debit", Decimal(0)) - line.get("credit", Decimal(0))
        sums[line["account"]["id"]] = sums.get(line["account"]["id"], Decimal(0)) + amount
    assert sums == {
        "A-bank": Decimal("64.50"),
        "A-fees": Decimal("22.20"),
        "A-storage": Decimal("12.30"),
        "A-reserve": Decimal("10.00"),
        "A-clearing": Decimal("-109.00"),
    }
    assert body_of(row)["tranDate"] == "2026-09-17"


def test_the_plan_expects_a_clearing_balance_of_zero() -> None:
    ctx = context(GROUPS, BOOKS)
    assert expected_clearing(decide(ctx, GROUPS).decisions, journal=True) == 0
    assert expected_clearing(decide(ctx, GROUPS).decisions, journal=False) == Decimal("109.00")


def test_the_journal_waits_for_every_payment_and_refund() -> None:
    ctx = context(GROUPS, BOOKS)
    decided = decide(ctx, GROUPS)
    (row,) = plan_flow(ctx, "settlement_journal", decided, NOW).rows
    documents = {d.key for decision in decided.decisions for d in decision.documents}
    assert row.effect is not None
    assert len(documents) == 4
    assert set(row.effect.depends_on) == documents


def test_once_everything_is_confirmed_a_second_plan_writes_nothing_and_the_journal_is_the_same() -> None:
    ctx = context(GROUPS, BOOKS)
    decided = decide(ctx, GROUPS)
    known = [
        k
        for n, f in enumerate(FLOWS)
        for k in confirmed(plan_flow(ctx, f, decided, NOW).rows, start=9000 + 100 * n)
    ]
    again = context(GROUPS, BOOKS, known=known)
    later = decide(again, GROUPS)
    for flow in FLOWS:
        assert {r.action for r in plan_flow(again, flow, later, NOW).rows} <= {Action.SKIP}, flow
    without_journal = context(GROUPS, BOOKS, known=[k for k in known if not k.remote_id.startswith("94")])
    (before,) = plan_flow(ctx, "settlement_journal", decided, NOW).rows
    (after,) = plan_flow(without_journal, "settlement_journal", decide(without_journal, GROUPS), NOW).rows
    assert before.content() == after.content()


def test_the_same_inputs_give_the_same_digest_at_another_time() -> None:
    ctx = context(GROUPS, BOOKS)
    decided = decide(ctx, GROUPS)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    for flow in FLOWS:
        assert plan_flow(ctx, flow, decided, NOW).digest == plan_flow(ctx, flow, decided, later).digest


def test_the_summary_sums_to_the_deposit() -> None:
    ctx = context(GROUPS, BOOKS)
    body = body_of(plan_flow(ctx, "settlement_records", decide(ctx, GROUPS), NOW).rows[0])
    names = ("orders", "refunds", "fees", "other", "reserve_in", "reserve_out")
    assert sum(body[f"custrecord_azs_sum_{n}"] for n in names) == Decimal("64.50")  # type: ignore[misc]
