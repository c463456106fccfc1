"""Pages by position: nothing missed, nothing twice, in order, side by side or not."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_pipelines.errors import TransientError
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.stretches import STYLE, Stretch, Stretches
from ledger_pipelines.systems.netsuite.suiteql import Item, Page, SuiteQL
from ledger_pipelines_tests.unit.systems.netsuite.fake import SUITEQL, FakeNetSuite, connection, page

CUSTOMERS = entities(connection())["customers"]
LOW = datetime(2026, 9, 1)  # noqa: DTZ001 - the account's own clock
HIGH = LOW + timedelta(days=30)
ROWS = 5


class Books:
    """Answers questions about customers as SuiteQL would: window, position, order, one page."""

    def __init__(self, changes: Sequence[datetime]) -> None:
        self.rows = {str(i): moment for i, moment in enumerate(changes, 1)}
        self.asked: list[list[str]] = []
        self.threads: set[str] = set()
        self.before: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def page(self, sql: str, params: Sequence[str], offset: int = 0, *, limit: int = 0) -> Page:
        with self._lock:
            assert sql.count("?") == len(params)
            assert offset == 0
            self.asked.append(list(params))
            self.threads.add(threading.current_thread().name)
            self.before()
            low, high = params[:2]
            found = [(m.strftime(STYLE), int(key)) for key, m in self.rows.items()]
            found = sorted(row for row in found if low <= row[0] < high)
            if len(params) > 2:
                assert params[2] == params[3]
                found = [row for row in found if row > (params[2], int(params[4]))]
            items: list[Item] = [
                {"id": str(key), "lastmodifieddate": m, "links": []} for m, key in found[:limit]
            ]
            return Page(items, has_more=len(found) > limit, total=len(found))


def read(books: Books, workers: int) -> list[str]:
    stretches = Stretches(books, CUSTOMERS, ROWS, workers)  # type: ignore[arg-type]  # answers the same question
    return [item["id"] for items in stretches.pages(Stretch(LOW, HIGH)) for item in items]


def in_order(books: Books) -> list[str]:
    return sorted(books.rows, key=lambda key: (books.rows[key], int(key)))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 30 * 86_400 - 1), max_size=400), st.integers(1, 4))
def test_every_row_comes_once_in_order(seconds: list[int], workers: int) -> None:
    books = Books([LOW + timedelta(seconds=s) for s in seconds])
    assert read(books, workers) == in_order(books)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_rows_crowded_into_a_few_seconds_come_once_too(seed: int, workers: int) -> None:
    chance = random.Random(seed)
    crowds = [chance.randrange(30 * 86_400) for _ in range(3)]
    books = Books([LOW + timedelta(seconds=chance.choice(crowds)) for _ in range(500)])
    assert read(books, workers) == in_order(books)


def test_a_long_window_is_read_side_by_side_for_few_calls_more() -> None:
    books = Books([LOW + timedelta(minutes=n * 20) for n in range(2000)])
    assert read(books, 4) == in_order(books)
    assert len(books.threads) > 2
    assert len(books.asked) <= 400 * 1.08
    again = Books(list(books.rows.values()))
    read(again, 4)
    assert sorted(again.asked) == sorted(books.asked)


def test_a_short_one_is_read_in_this_thread() -> None:
    books = Books([LOW + timedelta(minutes=n) for n in range(50)])
    read(books, 4)
    assert books.threads == {threading.current_thread().name}
    assert len(books.asked) == 10


@pytest.mark.parametrize("workers", [1, 4])
def test_no_row_that_stays_is_missed_while_others_change(workers: int) -> None:
    books = Books([LOW + timedelta(minutes=n * 50) for n in range(800)])
    calls = iter(range(10_000))

    def someone_saves_a_record_read_before() -> None:
        key = str(next(calls) + 1)
        if key in books.rows:
            books.rows[key] = HIGH + timedelta(days=1)

    books.before = someone_saves_a_record_read_before
    found = read(books, workers)
    stayed = {key for key, moment in books.rows.items() if moment < HIGH}
    assert stayed <= set(found)
    assert len(set(found)) == len(found)


def test_the_threads_end_when_the_reader_stops_half_way() -> None:
    books = Books([LOW + timedelta(minutes=n * 20) for n in range(2000)])
    pages = Stretches(books, CUSTOMERS, ROWS, 4).pages(Stretch(LOW, HIGH))  # type: ignore[arg-type]
    for _ in range(3):
        next(pages)
    pages.close()  # type: ignore[attr-defined]
    asked = len(books.asked)
    assert not [t for t in threading.enumerate() if t.name.startswith("netsuite-customers")]
    assert asked < 400
    assert len(books.asked) == asked


def test_a_failure_in_a_later_stretch_is_raised_and_not_passed_over() -> None:
    books = Books([LOW + timedelta(minutes=n * 20) for n in range(2000)])
    calls = iter(range(10_000))

    def fail() -> None:
        if next(calls) == 100:
            raise TransientError("no answer")

    books.before = fail
    with pytest.raises(TransientError, match="no answer"):
        read(books, 4)


@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"id": "1", "isinactive": "F"}], "hasMore": True},
        {"items": [{"id": "1"}], "hasMore": False, "totalResults": 2},
        {"items": [{"id": "1"}], "hasMore": False, "count": 2},
        {"items": [{"id": "1"}], "hasMore": False, "offset": 1000},
        {"items": [], "hasMore": True},
    ],
)
def test_a_page_that_comes_again_or_holds_less_than_it_counts_is_an_error(body: object) -> None:
    client = FakeNetSuite().on(SUITEQL, httpx.Response(200, json=body)).client()
    accounts = entities(connection())["accounts"]
    with pytest.raises(TransientError):
        list(Stretches(SuiteQL(client), accounts, ROWS, 1).pages(Stretch()))


def test_a_list_is_read_by_its_key() -> None:
    pages = [page(*({"id": str(i)} for i in range(1, 6)), has_more=True), page({"id": "6"})]
    fake = FakeNetSuite().on(SUITEQL, lambda _: pages.pop(0))
    accounts = entities(connection())["accounts"]
    found = list(Stretches(SuiteQL(fake.client()), accounts, ROWS, 4).pages(Stretch()))
    assert [len(items) for items in found] == [5, 1]
    assert [asked.body.get("params") for asked in fake.asked] == [None, ["5"]]
    assert fake.asked[1].body["q"].endswith(" WHERE r.id > ? ORDER BY r.id")
