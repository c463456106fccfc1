"""8.7 to the cent, and 8.8: months, debts to Amazon, and what a user changes afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines_tests.e2e.acceptance.checks import message, no_doubles, settled, states, summary
from ledger_pipelines_tests.generate import SettlementFile, account, order, refund
from ledger_pipelines_tests.stage import BANK, CLEARING, Stage

WORKED, OVER_MONTH_END, NEGATIVE = (file.content for file in demo_settlement_files())
FILE = SettlementFile(
    "26500000001",
    (
        order("113-6500000-0000001", "100.00", shipping="5.00", tax="8.40"),
        order("113-6500000-0000002", "60.00", sku="TEAPOT-1L"),
        refund("113-6500000-0000002", "20.00", sku="TEAPOT-1L"),
        account("Storage Fee", "-12.30"),
    ),
)


def test_worked_example_comes_out_to_the_cent_in_the_trial_balance(stage: Stage) -> None:
    mapped = dict(stage.service.setup.settings.journal.transaction_fee_accounts)
    fees = {name: account for name, account in mapped.items() if not name.startswith("tax_")}
    stage.again(journal__transaction_fee_accounts=fees | {"fba_fees": "6100"})
    sid = stage.arrive(WORKED, seed=False)
    stage.run(sid)
    books = stage.books()
    expected = {"1001": "64.50", "1051": "0", "6100": "22.20", "6130": "12.30", "1210": "10.00"}
    assert {n: books.balance(n) for n in expected} == {n: Decimal(v) for n, v in expected.items()}
    payments = {p["custbody_azs_order_id"]: p["payment"] for p in books.ours("customerPayment")}
    assert payments == {"111-2600001-0000001": "105.00", "111-2600001-0000002": "54.00"}
    assert [m["total"] for m in books.ours("creditMemo")] == ["50.00"]
    assert [r["total"] for r in books.ours("customerRefund")] == ["50.00"]
    (journal,) = books.ours("journalEntry")
    assert journal["tranDate"] == "2026-09-17"
    lines = [row for row in books.dump["ledger"] if str(row["transaction"]) == str(journal["id"])]
    assert sum(Decimal(str(row.get("foreigndebit") or 0)) for row in lines) == Decimal("109.00")
    assert sum(Decimal(str(row.get("foreigncredit") or 0)) for row in lines) == Decimal("109.00")
    clearing = next(str(a["id"]) for a in books.records("account") if a["acctNumber"] == "1051")
    assert [Decimal(row["foreigncredit"]) for row in lines if str(row["account"]) == clearing] == [
        Decimal("109.00")
    ]
    settled(stage, sid, "64.50")


def test_settlement_over_a_month_end_is_split_and_carried_forward(stage: Stage) -> None:
    sid = stage.arrive(OVER_MONTH_END, seed=False)
    stage.run(sid)
    books = stage.books()
    september, october = sorted(books.ours("journalEntry", sid), key=lambda j: str(j["tranDate"]))
    assert (september["tranDate"], october["tranDate"]) == ("2026-09-30", "2026-10-15")
    assert books.balance("2220") == 0
    carried = [row for row in books.dump["ledger"] if row["account"] == 302]
    assert {str(row["transaction"]) for row in carried} == {str(september["id"]), str(october["id"])}
    settled(stage, sid, "483.42")


@pytest.mark.parametrize("policy", ["hold", "first_open"])
def test_closed_month_split(stage: Stage, policy: str) -> None:
    stage.again(general__closed_period=policy)
    sid = stage.arrive(OVER_MONTH_END, seed=False)
    stage.period("Sep 2026", closed=True)
    stage.run(sid)
    made = [r for kind in ("invoice", "customerPayment", "creditMemo", "customerRefund", "journalEntry")
            for r in stage.books().ours(kind)]  # fmt: skip
    assert made
    assert all(r["tranDate"] >= "2026-10-01" for r in made)
    if policy == "hold":
        assert stage.books().ours("journalEntry", sid) == []
        assert "Period closed" in {
            s for n in range(1, 26) for s in states(stage, f"112-2600002-{1000000 + n * 37:07d}")
        }
        stage.period("Sep 2026", closed=False)
        stage.run(sid)
    settled(stage, sid, "483.42")
    no_doubles(stage)


def test_negative_settlement_you_owe_amazon(stage: Stage) -> None:
    sid = stage.arrive(NEGATIVE, seed=False)
    stage.run(sid)
    books = stage.books()
    assert books.balance("2210") == Decimal("-195.60")
    assert books.balance(BANK["USD"]) == 0
    assert books.balance(CLEARING["USD"]) == 0
    assert summary(stage, sid)["custrecord_azs_sum_status"]["refName"] == "Reconciled"


def unapply(stage: Stage, order_id: str) -> None:
    """What a user does in NetSuite: take the payment off its invoice."""
    (payment,) = stage.books().of_order("customerPayment", order_id)
    invoice = next(r for r in stage.books().records("invoice") if r.get("otherRefNum") == order_id)
    line = {"doc": {"id": str(invoice["id"])}, "apply": False}
    stage.change("customerPayment", str(payment["id"]), {"apply": {"items": [line]}})
    assert stage.books().by_id(str(invoice["id"]))["amountRemaining"] == payment["payment"]


def test_user_unapplies_a_payment_in_netsuite_next_refresh_reopens_the_group(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    stage.run(sid)
    settled(stage, sid, FILE.total)
    unapply(stage, "113-6500000-0000001")
    before = stage.books().count()
    stage.service.update_summary(sid)
    assert states(stage, "113-6500000-0000001") == ["Matched"]
    assert "not applied any more" in message(stage, "113-6500000-0000001")
    assert summary(stage, sid)["custrecord_azs_sum_open_count"] in (1, "1")
    assert summary(stage, sid)["custrecord_azs_sum_status"]["refName"] == "Needs review"
    assert stage.books().count() == before
    stage.run(sid)
    assert stage.books().count() == before


def test_summary_older_than_two_months_still_refreshable(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    stage.run(sid)
    later = datetime(2026, 11, 20, tzinfo=UTC)
    assert stage.service.summaries_due(later.date()) == []
    unapply(stage, "113-6500000-0000001")
    stage.clock.jump(max(0.0, (later - stage.clock.now()).total_seconds()))
    stage.service.update_summary(sid)
    assert summary(stage, sid)["custrecord_azs_sum_status"]["refName"] == "Needs review"
    assert stage.again(summary__months=24).summaries_due(later.date()) == [sid]
