"""The drill's fast part as a test, and that the drill itself would notice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ledger_pipelines.sync.states import FAULT_POINTS
from ledger_pipelines_tests.faults import drill
from ledger_pipelines_tests.faults.drill_books import Picture, picture
from ledger_pipelines_tests.faults.drill_cases import all_cases, parse, points

DUMP = {
    "records": {
        "invoice": [{"id": "7", "externalId": "INV-1", "tranId": "INV00001", "total": "10.00"}],
        "customerPayment": [
            {"id": "9", "externalId": "AZS-1-P-X", "payment": "10.00", "createdDate": "2026-01-01"}
        ],
    },
    "ledger": [{"transaction": 9, "account": 221, "currency": 1, "foreigndebit": "10.00", "amount": "10.00"}],
    "links": [{"previousdoc": 7, "nextdoc": 9, "linktype": "Payment", "foreignamount": "10.00"}],
}
TRIAL = {"accounts": [{"number": "1051", "currency": "USD", "balance": "10.00"}]}


def test_books_that_differ_in_ids_numbers_and_instants_only_are_the_same() -> None:
    other = {
        "records": {
            "invoice": [{"id": "70", "externalId": "INV-1", "tranId": "INV00009", "total": "10"}],
            "customerPayment": [
                {"id": "90", "externalId": "AZS-1-P-X", "payment": "10", "createdDate": "2026-02-02"}
            ],
        },
        "ledger": [{"transaction": 90, "account": 221, "currency": 1, "foreigndebit": "10", "amount": "10"}],
        "links": [{"previousdoc": 70, "nextdoc": 90, "linktype": "Payment", "foreignamount": "10"}],
    }
    assert picture(other, TRIAL).differences(picture(DUMP, TRIAL)) == []


def test_a_doubled_document_a_lost_line_and_a_cent_are_noticed() -> None:
    whole = picture(DUMP, TRIAL)
    doubled = replace(whole, records=whole.records + Counter({max(whole.records): 1}))
    assert (doubled.doubled(whole), doubled.lost(whole)) == (1, 0)
    assert doubled.differences(whole)[0].startswith("too many: record")
    lost = replace(whole, ledger=Counter())
    assert (lost.doubled(whole), lost.lost(whole)) == (0, 1)
    off = replace(whole, accounts={"1051 USD": "10.01"})
    assert off.differences(whole) == ["account 1051 USD: 10.01 instead of 10"]
    assert isinstance(whole, Picture)


def test_every_point_the_engine_names_is_drilled_for_each_settlement() -> None:
    cases = all_cases({"small": {"apply.claimed": 5}, "demo": {}}, seed=3)
    assert set(FAULT_POINTS) <= set(points())
    for settlement in ("small", "demo"):
        assert {case.point for case in cases if case.settlement == settlement and not case.trouble} == set(
            points()
        )
    assert len({case.name for case in cases}) == len(cases)
    assert all(parse(case.name) == case for case in cases)


@pytest.mark.slow
def test_the_fast_drills_lose_nothing_and_double_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert drill.main(["--fast"]) == 0, capsys.readouterr().out
    assert "0 lost, 0 doubled" in capsys.readouterr().out
