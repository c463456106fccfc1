"""8.8: a big file on an account that lets five calls in at once and loses answers."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from ledger_pipelines_tests.e2e.acceptance.checks import no_doubles, settled
from ledger_pipelines_tests.generate import many
from ledger_pipelines_tests.stage import WINDOW, Stage

ITEMS = 18


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_25k_row_file_on_a_5_concurrency_emulator_with_random_429_and_after_commit_500_exact_totals_no_duplicates(
    stage: Stage,
) -> None:
    file = many(500, settlement_id="26250000001", merchant=Decimal("0.04"), items=ITEMS, skus=40)
    content = file.v2()
    assert content.count(b"\n") > 25_000
    stage.connection = {"workers": 5}
    stage.again()
    sid = stage.arrive(content)
    assert stage.service.settlement(sid).rows > 25_000
    stage.control.post("/netsuite/features", json={"concurrency": 5}).raise_for_status()
    stage.fault("429", rate=0.1, seed=25)
    stage.fault("5xx_after", status=500, rate=0.15, seed=26, path="/record/v1/", times=12)
    result = stage.run(sid)
    for _ in range(8):
        if result.exit_code == 0 and not stage.unfinished():
            break
        stage.clock.jump(WINDOW + 1)
        result = stage.run(sid)
    assert result.exit_code == 0
    assert stage.fired() > 15
    stage.control.delete("/faults")
    settled(stage, sid, file.total)
    no_doubles(stage)
    books = stage.books()
    paid: Counter[str] = Counter()
    gross: Counter[str] = Counter()
    for payment in books.ours("customerPayment", sid):
        paid[payment["custbody_azs_order_id"]] += Decimal(payment["payment"])  # type: ignore[assignment]  # exact sums
    for group in file.groups:
        if group.transaction_type == "Order":
            parts = [
                a.amount
                for a in group.amounts
                if a.type == "Promotion" or a.description in ("Principal", "Shipping")
            ]
            gross[group.order_id] += sum(parts)  # type: ignore[assignment]  # exact sums
    assert paid == gross
    given = [
        a.amount
        for g in file.groups
        if g.transaction_type == "Refund"
        for a in g.amounts
        if a.description == "Principal"
    ]
    assert sum(Decimal(r["total"]) for r in books.ours("customerRefund", sid)) == -sum(given)
    assert len(books.ours("creditMemo", sid)) == len(given)
