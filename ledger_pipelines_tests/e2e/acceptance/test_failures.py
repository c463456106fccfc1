"""What goes wrong, and stays where it went wrong: a lost journal, one bad record, refused credentials, a person's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines_tests.e2e.acceptance.checks import no_doubles, settled, states
from ledger_pipelines_tests.generate import START, SettlementFile, account, order, refund
from ledger_pipelines_tests.stage import Stage

FIRST, SECOND, THIRD = (f"113-6600000-000000{n}" for n in (1, 2, 3))
FILE = SettlementFile(
    "26600000001",
    (
        order(FIRST, "100.00", quantity=2, tax="8.40"),
        order(SECOND, "60.00", sku="TEAPOT-1L", channel="MFN"),
        order(THIRD, "12.95", sku="TEA-30", posted=START + timedelta(days=4)),
        refund(FIRST, "50.00"),
        account("Storage Fee", "-12.30"),
        account("Current Reserve Amount", "-30.00"),
    ),
)


def test_after_the_journal_is_lost_everything_is_adopted_under_the_same_keys_and_nothing_is_written(
    stage: Stage,
) -> None:
    sid = stage.arrive(FILE)
    stage.run(sid)
    settled(stage, sid, FILE.total)
    before = stage.books()
    known = stage.service.journal.counts()[EffectState.CONFIRMED]
    stage.forget_journal()
    stage.forget_calls()
    result = stage.run(sid)
    assert result.exit_code == 0
    assert stage.writes() == 0
    after = stage.books()
    assert after.count() == before.count()
    assert after.external_ids() == before.external_ids()
    assert after.dump["ledger"] == before.dump["ledger"]
    # the invoice made of the sales order as well, though nothing needs to be billed any more
    assert stage.service.journal.counts() == {EffectState.CONFIRMED: known}
    settled(stage, sid, FILE.total)


def test_a_lost_journal_and_then_a_run_cut_short_after_the_first_flow_still_adopts_the_rest(
    stage: Stage,
) -> None:
    sid = stage.arrive(FILE)
    stage.run(sid)
    before = stage.books()
    stage.forget_journal()
    service = stage.service
    service.read_books(sid)
    service.plan("settlement_records", sid)
    service.export("settlement_records", sid)
    stage.close_service()
    stage.forget_calls()
    assert stage.run(sid).exit_code == 0
    assert stage.writes() == 0
    assert stage.books().dump["ledger"] == before.dump["ledger"]
    settled(stage, sid, FILE.total)


def test_a_record_that_netsuite_refuses_stops_only_itself(stage: Stage) -> None:
    groups = tuple(order(f"113-6600001-{n:07d}", "60.00", sku="TEAPOT-1L") for n in range(7))
    file = replace(FILE, settlement_id="26600000002", groups=(*groups, FILE.groups[4]))
    sid = stage.arrive(file)
    bad = groups[3].order_id
    (invoice,) = [r for r in stage.books().records("invoice") if r.get("otherRefNum") == bad]

    def someone_pays(what: str, done: int, total: int) -> None:
        if what == "reading the books" and done:
            stage.make("customerPayment", {
                "customer": {"id": "101"}, "payment": Decimal("60.00"), "undepFunds": False, "account": {"id": "201"},
                "tranDate": "2026-03-10", "autoApply": False,
                "apply": {"items": [{"doc": {"id": str(invoice["id"])}, "apply": True, "amount": Decimal("60.00")}]},
            })  # fmt: skip

    result = stage.service.run(None, sid, someone_pays)
    assert result.exit_code == 1
    books = stage.books()
    for group in groups:
        assert len(books.of_order("customerPayment", group.order_id)) == (0 if group.order_id == bad else 1)
    assert books.ours("journalEntry", sid) == []
    problems = stage.service.errors(sid)
    assert any(bad in (item.number, item.title) for item in problems)
    assert all(item.remedy for item in problems)


def test_refused_credentials_park_the_connection_after_one_refusal_and_nothing_is_lost(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    stage.service.read_books(sid)
    stage.service.plan("settlement_records", sid)
    stage.fault("token_revoked", path="/record/v1/")
    stage.forget_calls()
    result = stage.service.export("settlement_records", sid)
    assert result.parked is not None
    refused = stage.writes()
    assert refused <= 2
    assert stage.books().ours("customrecord_azs_summary") == []
    again = stage.service.export("settlement_records", sid)
    assert again.parked is not None
    assert stage.writes() == refused
    stage.control.delete("/faults")
    stage.clock.jump(16 * 60)
    stage.run(sid)
    settled(stage, sid, FILE.total)
    no_doubles(stage)


def test_test_mode_books_the_named_orders_only_and_marks_them(stage: Stage) -> None:
    stage.again(general__enable_test_mode=True, general__amazon_order_ids=[THIRD])
    sid = stage.arrive(FILE)
    stage.run(sid)
    books = stage.books()
    (payment,) = books.ours("customerPayment", sid)
    assert payment["custbody_azs_order_id"] == THIRD
    assert "test" in str(payment["memo"]).lower()
    assert books.ours("journalEntry", sid) == books.ours("creditMemo", sid) == []
    assert states(stage, FIRST) == []


def test_plan_mode_writes_nothing(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    before = stage.books().count()
    stage.forget_calls()
    plans = stage.service.plans(None, sid)
    assert sum(row.effect is not None for plan in plans for row in plan.rows) > 8
    assert stage.writes() == 0
    assert stage.books().count() == before


def test_an_ignored_group_lets_the_journal_go_and_a_retry_takes_it_up_again(stage: Stage) -> None:
    sid = stage.arrive(FILE, seed=False)
    made = stage.seed(sid, leave_out=1)
    (left,) = made.left_out_order_ids
    stage.run(sid)
    assert set(states(stage, left)) == {"No order"}
    assert stage.books().ours("journalEntry", sid) == []
    keys = [item.key for item in stage.service.errors(sid) if item.number == left]
    assert keys
    with pytest.raises(Exception, match="who"):
        stage.service.ignore(keys, "", "")
    stage.service.ignore(keys, "Ada Bookkeeper", "booked by hand")
    stage.run(sid)
    assert set(states(stage, left)) == {"Ignored by user"}
    assert len(stage.books().ours("journalEntry", sid)) == 1
    stage.service.retry(keys, "Ada Bookkeeper", "the order is in NetSuite now")
    stage.seed(sid)
    stage.run(sid)
    settled(stage, sid, FILE.total)
    no_doubles(stage)
