"""8.8: what a file must be to be booked, and what a second coming of it does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival
from ledger_pipelines_tests.e2e.acceptance.checks import settled
from ledger_pipelines_tests.generate import SettlementFile, account, changed, many, order, refund
from ledger_pipelines_tests.stage import Stage

FILE = SettlementFile(
    "26200000001",
    (
        order("113-6200000-0000001", "100.00", shipping="5.00", tax="8.40"),
        order("113-6200000-0000002", "60.00", sku="TEAPOT-1L", promotion="-6.00", channel="MFN"),
        refund("113-6200000-0000001", "50.00"),
        account("Storage Fee", "-12.30"),
    ),
)


def test_same_file_twice_makes_zero_new_records(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    stage.run(sid)
    settled(stage, sid, FILE.total)
    before = stage.books()
    stage.forget_calls()
    again = stage.receive(FILE, "the same under another name.txt")
    assert again.status is Arrival.SAME_CONTENT
    assert again.settlement_id == sid
    assert "nothing happens" in again.message
    stage.run(sid)
    assert stage.writes() == 0
    assert stage.books().count() == before.count()
    assert stage.books().dump["ledger"] == before.dump["ledger"]


def test_same_settlement_id_with_different_content_is_refused_and_the_difference_shown(stage: Stage) -> None:
    sid = stage.arrive(FILE)
    stage.run(sid)
    before = stage.books()
    altered = changed(FILE, 0, "101.00")
    outcome = stage.receive(altered, "altered.txt")
    assert outcome.status is Arrival.REFUSED
    for part in (sid, "Order/ItemPrice/Principal", "100.00 USD", "101.00 USD", "113-6200000-0000001"):
        assert part in outcome.message
    assert not (stage.drop / "altered.txt").exists()
    assert outcome.moved_to is not None
    assert outcome.moved_to.parent == stage.drop / "refused"
    assert outcome.moved_to.read_bytes() == altered.v2()
    (reason,) = outcome.moved_to.parent.glob("altered*.reason.txt")
    assert "101.00 USD" in reason.read_text()
    stage.forget_calls()
    stage.run(sid)
    assert stage.writes() == 0
    assert stage.books().count() == before.count()


def test_file_off_by_0_01_is_refused(stage: Stage) -> None:
    outcome = stage.receive(FILE.v2(total=FILE.total + Decimal("0.01")))
    assert outcome.status is Arrival.REFUSED
    assert str(FILE.total) in outcome.message
    assert str(FILE.total + Decimal("0.01")) in outcome.message
    assert stage.service.settlements() == []
    assert stage.calls() == []


def test_decimal_comma_file(stage: Stage) -> None:
    file = replace(many(6, settlement_id="26200000002", merchant=Decimal(0)), currency="EUR")
    content = file.v2(comma=True)
    assert b"-41,17" in content
    assert b"02.03.2026 14:00:11 UTC" in content
    sid = stage.arrive(content)
    assert stage.service.settlement(sid).total.amount == file.total
    stage.run(sid)
    settled(stage, sid, file.total, "EUR")


def test_v1_file_books_the_same_to_the_cent_as_the_v2_file_of_the_same_settlement(stage: Stage) -> None:
    orders = FILE.groups[:3]
    file = replace(FILE, groups=orders)
    sid = stage.arrive(file.v1())
    assert stage.service.settlement(sid).total.amount == file.total
    outcome = stage.receive(file, "v2.txt")
    assert outcome.status is Arrival.CROSS_CHECK
    assert not outcome.differences
    stage.run(sid)
    settled(stage, sid, file.total)
