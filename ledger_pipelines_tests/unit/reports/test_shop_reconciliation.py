"""The reconciliation page: it adds up as printed, says what differs and why, and nothing in the data can break it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_pipelines.reports.shop_reconciliation import WORDS, plot, render
from ledger_pipelines.reports.shop_view import (
    CHECKS,
    About,
    AccountLine,
    Copy,
    DayLine,
    Difference,
    Drift,
    LeftOut,
    MethodLine,
    Reading,
    ShopHeading,
    ShopReconciliation,
    Twice,
    Waiting,
    Why,
)
from ledger_pipelines_tests.unit.reports.page import Page, check_totals, columns

D = Decimal
MADE = datetime(2026, 5, 4, 2, tzinfo=UTC)


def day(number: int) -> date:
    return date(2026, 5, number)


ABSENT = Difference(
    About.MONEY, Why.BLOCKED, day(2), "N1", "Pat & <Rivers>", "Payment 5501", D("1031.45"), None, "It has no account.",
    "Map its method.", "Credit Card", "NETO-PAY-5501",
)  # fmt: skip
DATA = ShopReconciliation(
    heading=ShopHeading(
        "web", "shop", "file", "my store", "My File Pty Ltd", "AUD", day(1), day(3), "Australia/Sydney", "live", MADE
    ),
    days=(
        DayLine(day(1), D(100), D(100), 2, 2, D("99.50"), D("99.50")),
        DayLine(day(2), D("1031.45"), D(0), 1, 1, D("1031.45"), D("1031.45")),
        DayLine(day(3), D(0), D(0)),
    ),
    methods=(MethodLine("Credit Card", "Clearing", 3, D("1131.45"), D(100)),),
    accounts=(AccountLine("9", "Clearing", ("Credit Card",), D("1131.45"), D(100), D("12.00")),),
    differences=(ABSENT,),
    left_out=(LeftOut("the order has status New", 2, D("20.00")),),
    waiting=(Waiting("N1", "Payment 5501 of N1", D("1031.45"), "no-account", "It has no account.", "Map its method."),),
    readings=(Reading("my store", MADE, timedelta(hours=1)),),
    stock_compared=True,
    items_compared=40,
)  # fmt: skip
CLEAN = replace(DATA, days=DATA.days[:1], differences=(), waiting=())


def test_every_total_on_the_page_is_the_sum_of_the_rows_above_it() -> None:
    page = Page(render(DATA))
    assert check_totals(page) == 18
    assert columns(page.table("money").foot[0])[-1] == "1,031.45"
    assert [row[0][0] for row in page.table("days").body] == ["2026-05-01", "✘ 2026-05-02"]
    assert "1 day without orders and payments is not listed" in page.text


def test_a_difference_is_told_with_its_order_its_reason_and_what_to_do() -> None:
    page = Page(render(DATA))
    (row,) = page.table("money").body
    assert columns(row) == [
        "2026-05-02", "N1Pat & <Rivers>", "Payment 5501Credit Card", "blocked: It has no account.Map its method.",
        "1,031.45", "–", "1,031.45",
    ]  # fmt: skip
    assert "2 days agree, 1 does not: 1,031.45 AUD on 1 order." in page.text
    assert page.text.count("✘ no") == 1


def test_agreement_is_a_tick_a_check_and_no_cross() -> None:
    page = Page(render(CLEAN))
    assert CLEAN.clean
    assert page.text.count("✔") == len(CHECKS)
    assert "✘" not in page.text
    assert "The day agrees." in page.text
    assert {"money", "papers", "drift", "waiting", "doubles"} & {table.name for table in page.tables} == set()


def test_what_is_in_the_books_twice_is_shown_with_both_records_and_fails_its_check() -> None:
    copies = (
        Copy("57", "INV-57", day(2), D("1031.45"), ours=True, link="https://books.example/57"),
        Copy("58", "INV-58", day(2), D("1031.45")),
    )
    twice = Twice("KEY", "Invoice", "N<1>", "AUD", copies, "Saasu has 2 records of N<1>.", "Delete 58.")
    data = replace(CLEAN, doubles=(twice,))
    page = Page(render(data))
    first, second = page.table("doubles").body
    assert columns(first) == [
        "Invoice", "N<1>", "57INV-57ours by the journal", "2026-05-02", "1,031.45", "Delete 58.",
    ]  # fmt: skip
    assert columns(second) == ["", "", "58INV-58", "2026-05-02", "1,031.45", ""]
    assert 'href="https://books.example/57"' in render(data)
    (failed,) = [check for check in data.checks() if not check.passed]
    assert (failed.name, failed.waits) == ("nothing_is_there_twice", False)
    assert failed.text == "Invoice N<1>: Saasu has 2 records of N<1>. Delete 58."


def test_every_check_has_its_words() -> None:
    assert tuple(WORDS) == CHECKS
    text = Page(render(DATA)).text
    assert all(words in text for words in WORDS.values())


def test_what_only_waits_for_a_later_run_is_told_apart_from_what_waits_for_a_person() -> None:
    later = replace(DATA, differences=(replace(ABSENT, why=Why.WAITS_FOR_QUOTA),))
    assert "✘ not yet" in Page(render(later)).text
    ignored = replace(DATA, differences=(replace(ABSENT, why=Why.IGNORED),))
    assert ignored.clean
    assert "ignored by a user" in Page(render(ignored)).text


def test_explanations_that_do_not_come_to_the_difference_are_the_first_thing_that_is_said() -> None:
    wrong = replace(DATA, differences=(replace(ABSENT, why=Why.IGNORED, store=D(1)),))
    assert not wrong.clean
    assert "this reconciliation is wrong" in Page(render(wrong)).text


def test_documents_stock_and_old_readings_are_shown() -> None:
    paper = replace(ABSENT, about=About.TOTAL, store=D(50), books=D(45), number="INV7", why=Why.OTHER_AMOUNT)
    data = replace(
        DATA, documents=(paper,), drift=(Drift("SKU-1", "Mug", D("3.500"), D(4)),),
        readings=(Reading("my store", None, timedelta(hours=1)),),
    )  # fmt: skip
    page = Page(render(data))
    assert columns(page.table("papers").body[0])[2] == "Payment 5501: totalINV7"
    assert columns(page.table("drift").body[0]) == ["SKU-1", "Mug", "3.5", "4", "0.5"]
    assert "never read" in page.text
    assert (page.text.count("✘ no"), page.text.count("✘ not yet")) == (4, 1)


def test_an_empty_range_is_a_page_that_says_so() -> None:
    empty = ShopReconciliation(replace(DATA.heading, mode="plan"), ())
    page = Page(render(empty))
    assert "No days to compare." in page.text
    assert "nothing is written" in page.text
    assert page.tables == []
    assert plot(empty) == ""


def test_only_https_addresses_become_links() -> None:
    linked = replace(ABSENT, order_link="https://shop.invalid/?id=1&x=2", books_link="javascript:alert(1)")
    assert Page(render(replace(DATA, differences=(linked,)))).links == ["https://shop.invalid/?id=1&x=2"]


def test_the_page_needs_nothing_from_anywhere_and_fits_a_phone_and_paper() -> None:
    html = render(DATA)
    assert "<script" not in html
    assert not re.findall(r'(?:src|@import|url\()\s*=?\s*["\']?https?:', html)
    for words in (
        "prefers-color-scheme:dark",
        "@media print",
        "@media (max-width",
        'name="viewport"',
        'class="scroll"',
    ):
        assert words in html


def test_rows_beyond_the_limit_are_summed_and_the_total_still_adds_up() -> None:
    many = replace(
        DATA, differences=tuple(replace(ABSENT, store=D("1.10")) for _ in range(30)),
        documents=tuple(replace(ABSENT, about=About.NO_INVOICE) for _ in range(11)),
    )  # fmt: skip
    page = Page(render(many, most_rows=10))
    table = page.table("money")
    assert len(table.body) == 11
    assert columns(table.body[-1])[0] == "and 20 more, together"
    assert "and 1 more" in page.text
    check_totals(page)


def test_the_plot_has_two_bars_a_day_that_moved_and_marks_the_day_that_differs() -> None:
    picture = ET.fromstring(plot(DATA))
    space = "{http://www.w3.org/2000/svg}"
    days = picture.findall(f"{space}g")
    assert [len(one.findall(f"{space}rect")) for one in days] == [2, 1]
    assert [len(one.findall(f"{space}circle")) for one in days] == [0, 1]
    heights = [
        D(one.get("height", ""))
        for one in (*days[0].findall(f"{space}rect"), *days[1].findall(f"{space}rect"))
    ]
    assert heights[0] == heights[1]
    assert abs(heights[2] - heights[0] * D("10.3145")) < 1


def test_a_day_of_refunds_hangs_below_the_line() -> None:
    data = replace(CLEAN, days=(DayLine(day(1), D(10), D(10)), DayLine(day(2), D(-5), D(-5))))
    picture = ET.fromstring(plot(data, alone=False))
    space = "{http://www.w3.org/2000/svg}"
    zero = D(picture.find(f"{space}line").get("y1", ""))  # type: ignore[union-attr]
    up, down = (one.find(f"{space}rect") for one in picture.findall(f"{space}g"))
    assert up is not None and down is not None
    assert D(down.get("y", "")) == zero
    assert D(up.get("y", "")) + D(up.get("height", "")) == zero


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_no_text_can_break_the_page(text: str) -> None:
    heading = replace(DATA.heading, store=text, file=text, source=text)
    one = replace(
        ABSENT,
        order=text,
        customer=text,
        what=text,
        text=text,
        remedy=text,
        method=text,
        number=text,
        order_link=text,
    )
    data = replace(
        DATA, heading=heading, differences=(one,), documents=(replace(one, about=About.OWED),),
        methods=(replace(DATA.methods[0], method=text, account=text),),
        accounts=(replace(DATA.accounts[0], name=text, methods=(text,)),), left_out=(LeftOut(text, 1, D(1)),),
        drift=(Drift(text, text, D(1), D(2)),), waiting=(Waiting(text, text, None, text, text, text),),
    )  # fmt: skip
    html = render(data)
    page = Page(html)
    assert check_totals(page) == 18
    assert html.count("<table") == len(page.tables) == 8
