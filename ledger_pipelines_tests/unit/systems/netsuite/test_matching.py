"""The reads of a settlement: what is asked, how often, what it becomes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.netsuite.check import check
from ledger_pipelines.systems.netsuite.matching import LedgerSum, Matching, Period, first_open
from ledger_pipelines.systems.netsuite.options import Options
from ledger_pipelines_tests.unit.systems.netsuite.fake import SUITEQL, FakeNetSuite, asked_ids, page, problem

FIELDS = ("custbody_azs_order_id", "otherrefnum")


def test_the_most_trusted_field_that_holds_the_id_names_the_match() -> None:
    rows = [
        {
            "id": "1",
            "type": "CustInvc",
            "field0": "A",
            "field1": "B",
            "foreigntotal": "10",
            "status": "CustInvc:A",
        },
        {"id": "2", "type": "CustCred", "field1": "B", "foreigntotal": "-4", "tax": "-0.4", "status": "B"},
        {"id": "3", "type": "SalesOrd", "field0": "a"},
    ]
    fake = FakeNetSuite().on(SUITEQL, page(*rows))
    found = Matching(fake.client(order_id_fields=FIELDS)).sales_documents(["A", "B"])
    assert [(d.record, d.order_id, d.matched_by) for d in found] == [
        ("invoice", "A", "custbody_azs_order_id"),
        ("creditMemo", "B", "otherrefnum"),
    ]
    assert (found[0].status, found[1].foreigntotal, found[1].tax) == ("A", Decimal(4), Decimal("0.4"))


def test_a_thousand_orders_are_two_calls_however_many_fields() -> None:
    fake = FakeNetSuite().on(SUITEQL, page())
    Matching(fake.client(order_id_fields=FIELDS)).sales_documents([str(n) for n in range(1000)])
    assert [len(a.body["params"]) for a in fake.asked] == [1000, 1000]


def test_no_column_of_a_feature_that_is_off_is_asked_for() -> None:
    fake = FakeNetSuite().on(SUITEQL, page({"id": "1", "type": "CustInvc", "field0": "A", "externalid": "x"}))
    matching = Matching(fake.client(one_world=False, multi_currency=False, base_currency="CAD"))
    [found] = matching.sales_documents(["A"])
    assert found.currency == "CAD"
    assert matching.subsidiaries() == ()
    matching.own_documents(["x"])
    matching.ledger_sums(prefix="AZS-1-")
    for asked in fake.asked:
        assert "subsidiary" not in asked.body["q"]
        assert "currency c" not in asked.body["q"]


def test_lines_are_positive_for_what_their_document_is_about() -> None:
    rows = [
        {
            "transaction": "1",
            "line": "1",
            "type": "CustInvc",
            "quantity": "-2",
            "foreignamount": "-50",
            "taxline": "F",
        },
        {
            "transaction": "2",
            "line": "1",
            "type": "CustCred",
            "quantity": "1",
            "foreignamount": "25",
            "taxline": "F",
        },
        {"transaction": "1", "line": "3", "type": "CustInvc", "foreignamount": "-4.5", "taxline": "T"},
        {"transaction": "1", "line": "4", "type": "CustInvc", "foreignamount": "5", "itemtype": "Discount"},
    ]
    lines = Matching(FakeNetSuite().on(SUITEQL, page(*rows)).client()).lines(["1", "2"])
    assert [(line.quantity, line.foreignamount) for line in lines] == [
        (Decimal(2), Decimal(50)), (Decimal(1), Decimal(25)), (None, Decimal("4.5")), (None, Decimal(-5)),
    ]  # fmt: skip
    assert [line.taxline for line in lines] == [False, False, True, False]
    assert lines[3].is_discount


def test_ledger_sums_of_several_calls_are_added() -> None:
    fake = FakeNetSuite().on(
        SUITEQL,
        lambda r: page(
            {
                "account": "5",
                "acctnumber": "1100",
                "currency": "USD",
                "base": str(len(asked_ids(r))),
                "foreign_amount": "1",
                "postings": "1",
            }
        ),
    )
    [one] = Matching(fake.client()).ledger_sums(transaction_ids=[str(n) for n in range(600)])
    assert one == LedgerSum("5", "1100", "", "USD", "", Decimal(600), Decimal(2), 2)


def test_an_underscore_in_a_prefix_is_no_wildcard() -> None:
    fake = FakeNetSuite().on(SUITEQL, page())
    Matching(fake.client()).ledger_sums(prefix="AZS-1_2-")
    assert fake.asked[0].body["params"] == ["AZS-1\\_2-%"]
    assert "ESCAPE" in fake.asked[0].body["q"]
    rows = page(
        {"id": "1", "type": "CustPymt", "externalid": "AZS-1_2-9"},
        {"id": "2", "type": "CustPymt", "externalid": "AZS-1x2-9"},
    )
    own = Matching(FakeNetSuite().on(SUITEQL, rows).client()).own_documents(prefix="AZS-1_2-")
    assert [d.id for d in own] == ["1"]


def test_a_name_is_never_compared_with_a_numeric_id() -> None:
    fake = FakeNetSuite().on(SUITEQL, page())
    Matching(fake.client()).accounts(["1010", "Sales : Amazon"])
    assert fake.asked[0].body["params"] == ["1010", "1010", "Sales : Amazon", "1010", "Sales : Amazon"]


@pytest.mark.parametrize("bad", ["id; DROP", "a b", "x)", "A"])
def test_a_column_name_is_checked(bad: str) -> None:
    fake = FakeNetSuite()
    with pytest.raises(ConfigurationError):
        Matching(fake.client()).sales_documents(["A"], [bad])
    with pytest.raises(ConfigurationError):
        Matching(fake.client()).custom_records("customrecord_azs_txn", [bad], prefix="A")
    assert fake.asked == []


def test_the_first_open_day_skips_closed_and_locked_periods() -> None:
    def month(number: int, **more: bool) -> Period:
        return Period(str(number), "", date(2026, number, 1), date(2026, number, 28), **more)

    periods = [month(10, arlocked=True), month(9, closed=True), month(11)]
    assert first_open(periods, date(2026, 9, 14)) == date(2026, 11, 1)
    assert first_open([month(9)], date(2026, 9, 14)) == date(2026, 9, 14)
    assert first_open([], date(2026, 9, 14)) is None


def test_unknown_lists_are_refused_with_the_known_ones() -> None:
    options = Options(FakeNetSuite().client(one_world=False))
    with pytest.raises(ConfigurationError, match="accounts, items"):
        options.read("acounts")
    assert "subsidiaries" not in options.names()


def test_a_clock_that_is_off_and_a_wrong_time_zone_are_found() -> None:
    for now, headers, part in (
        ("2026-09-20 05:00:00", {"Date": "Sun, 20 Sep 2026 12:10:00 GMT"}, "clock is -600 s off"),
        ("2026-09-20 08:00:00", {"Date": "Sun, 20 Sep 2026 12:00:00 GMT"}, "local time is 2026-09-20 08:00"),
    ):
        answer = page({"now": now, "n": "1"})
        answer.headers.update(headers)
        fake = FakeNetSuite().on(SUITEQL, answer).on("GET .*", page())
        [clock] = [f for f in check(fake.client()) if f.name == "clock"]
        assert not clock.ok
        assert part in clock.text
        assert clock.remedy


def test_a_missing_right_is_a_finding_not_an_error() -> None:
    fake = (
        FakeNetSuite()
        .on(SUITEQL, page({"now": "2026-09-20 05:00:00", "n": "3"}))
        .on("GET .*/journalEntry", problem(403, "INSUFFICIENT_PERMISSION", "Permission Violation"))
        .on("GET .*", page())
    )
    assert [f.name for f in check(fake.client()) if not f.ok] == ["may use journalEntry"]
