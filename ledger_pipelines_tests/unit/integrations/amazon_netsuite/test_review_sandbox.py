"""What the review found to go wrong only with a journal and a NetSuite: interrupted exports, acts of a person, test mode."""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines_tests.e2e.acceptance.checks import states, summary
from ledger_pipelines_tests.generate import SettlementFile, account, order, refund
from ledger_pipelines_tests.stage import Stage

FIRST, SECOND = "113-6400000-0000001", "113-6400000-0000002"
FILE = SettlementFile(
    "26400000101",
    (
        order(FIRST, "100.00", quantity=2),
        order(SECOND, "60.00"),
        refund(FIRST, "50.00"),
        account("Storage Fee", "-12.30"),
    ),
)


def test_a_plan_that_was_cut_short_is_carried_out_to_the_end_and_then_is_no_news(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    service = stage.service
    service.read_books(sid)
    service.plan("payments", sid)
    stage.fault("cut_after", path="/record/v1/customerPayment", times=1)
    service.export("payments", sid)
    assert stage.fired() == 1
    stage.clock.jump(60)
    service.export("payments", sid)
    assert len(stage.books().ours("customerPayment", sid)) == 2
    before = stage.writes()
    assert service.export("payments", sid).exit_code == 0
    assert stage.writes() == before


def test_a_payment_that_netsuite_refused_and_a_person_ignored_holds_up_no_journal(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    service = stage.service
    books = service.read_books(sid)
    (by_hand,) = books.by_order[SECOND]
    line = {"doc": {"id": by_hand.id}, "apply": True, "amount": by_hand.unpaid}
    stage.make("customerPayment", {
        "customer": {"id": by_hand.entity_id}, "payment": by_hand.unpaid, "undepFunds": False, "tranDate": "2026-03-10",
        "account": {"id": service.context(sid).clearing}, "apply": {"items": [line]},
    })  # fmt: skip
    for flow in ("settlement_records", "payments", "refunds", "settlement_journal"):
        service.plan(flow, sid)
        service.export(flow, sid)
    (refused,) = service.errors(sid)
    assert refused.number == SECOND
    service.ignore([refused.key], "anna", "paid by hand into clearing")
    stage.run(sid)
    assert len(stage.books().ours("journalEntry", sid)) == 1
    assert stage.books().balance("1051") == 0


def test_a_payment_deleted_in_netsuite_is_an_open_item_until_its_order_is_ignored(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    stage.run(sid)
    (payment,) = stage.books().of_order("customerPayment", SECOND)
    path = f"/services/rest/record/v1/customerPayment/{payment['id']}"
    assert stage.service.client.write("DELETE", path).status == 204
    result = stage.run(sid)
    assert [r.result.exit_code for r in result.flows] == [0] * len(result.flows)
    assert states(stage, SECOND) == ["Error"]
    assert [(e.number, e.code) for e in stage.service.errors(sid)] == [(SECOND, "document-gone")]
    stage.service.ignore([SECOND], "anna", "meant so")
    stage.run(sid)
    assert states(stage, SECOND) == ["Ignored by user"]
    assert stage.service.errors(sid) == []
    assert stage.service.retry([SECOND], "anna", "not so after all")


def test_records_that_test_mode_marked_are_those_of_the_whole_settlement_once_it_is_live(
    stage: Stage,
) -> None:
    sid = stage.arrive(FILE)
    stage.again(general__enable_test_mode=True, general__amazon_order_ids=[FIRST])
    stage.run(sid)
    assert str(summary(stage, sid)["name"]).startswith("[test]")
    stage.again(general__enable_test_mode=False)
    stage.run(sid)
    after = summary(stage, sid)
    assert after["name"] == sid
    parts = ("orders", "refunds", "fees", "other", "reserve_in", "reserve_out")
    assert sum(Decimal(str(after[f"custrecord_azs_sum_{p}"])) for p in parts) == FILE.total
