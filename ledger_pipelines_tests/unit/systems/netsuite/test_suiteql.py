"""Asking: bound values, pages, types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import httpx
import pytest

from ledger_pipelines.errors import CredentialError, DataError, TransientError
from ledger_pipelines.systems.netsuite.errors import Category, NetSuiteRefusedError, categorise
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL, chunks
from ledger_pipelines_tests.unit.systems.netsuite.fake import SUITEQL, FakeNetSuite, asked_ids, page, problem


@dataclass(frozen=True, slots=True)
class Thing:
    id: str
    amount: Decimal = Decimal(0)
    day: date | None = None
    lines: int = 0
    closed: bool = False
    memo: str | None = None


def test_texts_become_types_and_absent_columns_defaults() -> None:
    row = {"ID": "7", "amount": "144.10", "day": "2026-09-14", "lines": "3", "closed": "T"}
    fake = FakeNetSuite().on(SUITEQL, page(row, {"id": "8", "closed": "F"}))
    assert list(SuiteQL(fake.client()).query(Thing, "SELECT x FROM y WHERE z = ?", ["v"])) == [
        Thing("7", Decimal("144.10"), date(2026, 9, 14), 3, True),
        Thing("8"),
    ]
    assert fake.asked[0].body == {"q": "SELECT x FROM y WHERE z = ?", "params": ["v"]}


def test_numbers_that_come_as_json_numbers_stay_exact() -> None:
    body = '{"items":[{"links":[],"id":7,"amount":144.10,"closed":true}],"hasMore":false}'
    fake = FakeNetSuite().on(SUITEQL, httpx.Response(200, text=body))
    assert list(SuiteQL(fake.client()).query(Thing, "q")) == [Thing("7", Decimal("144.10"), closed=True)]


def test_values_are_asked_in_chunks_of_five_hundred_once_each() -> None:
    fake = FakeNetSuite().on(SUITEQL, lambda r: page(*({"id": i} for i in asked_ids(r))))
    values = [str(n) for n in range(1001)] + ["5", "6"]
    found = list(
        SuiteQL(fake.client()).query_in(Thing, "SELECT id FROM t WHERE id IN ({in}) ORDER BY id", values)
    )
    assert [t.id for t in found] == [str(n) for n in range(1001)]
    assert [len(a.body["params"]) for a in fake.asked] == [500, 500, 1]
    assert list(chunks([])) == []


def test_pages_by_offset_that_drift_are_read_again() -> None:
    def counted(rows: int, start: int, total: int) -> httpx.Response:
        items = [{"id": str(n)} for n in range(start, start + rows)]
        more = start + rows < total
        return httpx.Response(200, json={"items": items, "hasMore": more, "totalResults": total})

    drifting = [counted(1000, 0, 1002), counted(1, 1000, 1001)]
    pages = [*drifting, counted(1000, 0, 1001), counted(1, 1000, 1001)]
    fake = FakeNetSuite().on(SUITEQL, lambda _: pages.pop(0))
    assert len(list(SuiteQL(fake.client()).rows("q"))) == 1001
    assert len(fake.asked) == 4
    pages += drifting * 3
    with pytest.raises(TransientError, match="changed while it was read"):
        list(SuiteQL(fake.client()).rows("q"))


def test_an_endless_or_unreadable_answer_is_not_taken() -> None:
    for answer in (
        page(has_more=True),
        httpx.Response(200, text='{"items": 3}'),
        httpx.Response(200, text="{"),
    ):
        with pytest.raises(TransientError):
            list(SuiteQL(FakeNetSuite().on(SUITEQL, answer).client()).rows("q"))
    with pytest.raises(DataError, match="100,000"):
        list(SuiteQL(FakeNetSuite().on(SUITEQL, page({"id": "1"}, has_more=True)).client()).rows("q"))


def test_refusals_come_with_netsuites_words() -> None:
    fake = FakeNetSuite().on(SUITEQL, problem(400, "INVALID_PARAMETER", "Unknown identifier 'subsidiary'."))
    with pytest.raises(NetSuiteRefusedError, match="Unknown identifier 'subsidiary'") as caught:
        list(SuiteQL(fake.client()).rows("q"))
    assert caught.value.problem.code == "INVALID_PARAMETER"
    with pytest.raises(CredentialError, match="Login Audit Trail"):
        list(
            SuiteQL(FakeNetSuite().on(SUITEQL, problem(403, "INSUFFICIENT_PERMISSION", "no")).client()).rows(
                "q"
            )
        )


@pytest.mark.parametrize(
    ("status", "own", "codes", "text", "category"),
    [
        (400, True, ["USER_ERROR"], "This entity already exists.", Category.DUPLICATE),
        (400, True, ["DUP_RCRD"], "A record with that name is there.", Category.DUPLICATE),
        (400, True, ["USER_ERROR"], "You cannot post into the closed period Aug 2026.", Category.PERIOD),
        (400, True, ["USER_ERROR"], "The period is locked for A/R.", Category.PERIOD),
        (400, True, ["INVALID_CONTENT"], "Invalid Field Value", Category.VALIDATION),
        (400, True, ["IDEMPOTENCY_ERROR"], "Conflict", Category.IDEMPOTENCY),
        (400, True, ["SSS_REQUEST_LIMIT_EXCEEDED"], "", Category.CONCURRENCY),
        (409, True, ["RCRD_HAS_BEEN_CHANGED"], "Record has been changed", Category.RETRYABLE),
        (429, False, [], "", Category.CONCURRENCY),
        (403, True, ["INSUFFICIENT_PERMISSION"], "", Category.PERMISSION),
        (403, False, [], "", Category.UNKNOWN_OUTCOME),
        (500, True, ["UNEXPECTED_ERROR"], "", Category.UNKNOWN_OUTCOME),
        (400, False, [], "", Category.UNKNOWN_OUTCOME),
    ],
)
def test_errors_are_told_apart_by_what_they_ask_for(
    status: int, own: bool, codes: list[str], text: str, category: Category
) -> None:
    assert categorise(status, own, codes, text) is category
