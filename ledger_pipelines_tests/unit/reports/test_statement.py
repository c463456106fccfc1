"""The statement page: it adds up as printed, it is self-contained, and nothing in the data can break it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_pipelines.reports.statement import render
from ledger_pipelines.reports.view import (
    DocumentLine,
    Entry,
    EntryLine,
    Figures,
    Heading,
    KindLine,
    OpenLine,
    PlanLine,
    Provenance,
    StatementData,
)
from ledger_pipelines.reports.waterfall import Step, Waterfall
from ledger_pipelines_tests.unit.reports.page import Page, check_totals, columns

D = Decimal


def document(amount: str, order: str = "114-1", link: str = "") -> DocumentLine:
    return DocumentLine(order, "", "Payment", "PYMT1", link, date(2026, 9, 10), "Verified", D(amount), "1-5")


DATA = StatementData(
    heading=Heading(
        "26000000001", "amazon_netsuite", "amazon_us", "netsuite", "USD", date(2026, 9, 1), date(2026, 9, 15),
        date(2026, 9, 17), D("64.50"), "Reconciled", "live", datetime(2026, 9, 18, 8, 30, tzinfo=UTC), "America/New_York",
    ),
    figures=Figures(D("64.50"), D("64.50"), D(0), D("159.00"), D("50.00"), D("-44.50"), 6, 6),
    waterfall=Waterfall(
        "USD", (Step("Product sales", D("160"), D(0), D("160")), Step("Fees", D("-95.50"), D("160"), D("64.50"))), D("64.50")
    ),
    kinds=(
        KindLine("Order/ItemPrice/Principal", "sales", True, 2, D("160.00")),
        KindLine("Order/ItemFees/New <fee>", "unknown", False, 1, D("-95.50")),
    ),
    entries=(
        Entry("Journal 2026-09", date(2026, 9, 17), "not booked yet", "JE7", "", (
            EntryLine("1001 Bank USD", "Amount deposited by Amazon", D("64.50"), D(0)),
            EntryLine("6100 Fees", "Fee charged by Amazon: selling fees", D("44.50"), D(0)),
            EntryLine("1051 Clearing", "Total transaction amount", D(0), D("109.00")),
        )),
    ),
    documents=(document("105.00", link="https://example.invalid/?id=1&x=2"), document("54.00"), document("-50.00")),
    open=(),
    plans=(PlanLine("payments", datetime(2026, 9, 18, tzinfo=UTC), "d" * 64, "2 create"),),
    provenance=Provenance("c" * 64, "r" * 64, "v2-flat", "utf-8", 16, D("64.50")),
)  # fmt: skip
OPEN = OpenLine("114-9", "Order", "No order", D("12.34"), "No sales order.", "Import the order.", "7-9")


def test_every_total_on_the_page_is_the_sum_of_the_rows_above_it() -> None:
    page = Page(render(replace(DATA, open=(OPEN, replace(OPEN, amount=D("1000.00"))))))
    assert check_totals(page) == 8
    assert columns(page.table("worklist").foot[0])[-1] == "1,012.34"


def test_a_clean_settlement_has_three_ticks_and_no_cross() -> None:
    text = Page(render(DATA)).text
    assert text.count("✔") == 3
    assert "✘" not in text
    assert "✔ difference 0.00 USD" in text


def test_a_difference_a_residue_and_an_open_group_each_show_a_cross_and_the_amount() -> None:
    figures = replace(DATA.figures, booked=D("60.00"), clearing=D("12.34"), resolved=5)
    text = Page(render(replace(DATA, figures=figures, open=(OPEN,)))).text
    assert text.count("✘") == 3
    assert "✘ difference 4.50 USD" in text
    assert "✘ holds 12.34 USD" in text
    assert "5 of 6" in text
    assert "Import the order." in text


def test_before_anything_is_booked_the_page_claims_nothing() -> None:
    figures = Figures(D("64.50"), groups=6, resolved=6)
    data = replace(DATA, figures=figures, heading=replace(DATA.heading, mode="plan", status="Planned"))
    page = Page(render(data))
    assert page.text.count("not booked yet") == 2
    assert "nothing is written" in page.text
    assert [table.name for table in page.tables].count("figures") == 0
    assert check_totals(page) >= 5


def test_the_page_needs_nothing_from_anywhere() -> None:
    html = render(DATA)
    assert "<script" not in html
    assert not re.findall(r'(?:src|@import|url\()\s*=?\s*["\']?https?:', html)
    assert "prefers-color-scheme:dark" in html
    assert "@media print" in html
    assert 'name="viewport"' in html


def test_only_https_addresses_become_links() -> None:
    bad = replace(
        DATA, documents=(document("1.00", link="javascript:alert(1)"), document("2.00", link="http://x"))
    )
    assert Page(render(bad)).links == []
    assert Page(render(DATA)).links == ["https://example.invalid/?id=1&x=2"]


def test_documents_beyond_the_limit_are_summed_in_one_row_and_the_total_still_adds_up() -> None:
    page = Page(
        render(replace(DATA, documents=tuple(document("1.10") for _ in range(30))), most_documents=10)
    )
    table = page.table("payments")
    assert len(table.body) == 11
    assert columns(table.body[-1])[0] == "and 20 more, together"
    assert columns(table.body[-1])[-1] == "22.00"
    assert check_totals(page)


def test_yen_have_no_decimals() -> None:
    heading = replace(DATA.heading, currency="JPY", total=D("1234567"))
    html = render(replace(DATA, heading=heading))
    assert "1,234,567 JPY" in Page(html).text


nasty = st.text(alphabet=st.sampled_from("<>&\"'{}%$ab\n=;/"), max_size=30)
cents = st.integers(-(10**9), 10**9).map(lambda value: D(value) / 100)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(nasty, cents), max_size=8), nasty)
def test_no_text_breaks_the_page_and_no_amount_its_sums(rows: list[tuple[str, Decimal]], text: str) -> None:
    kinds = tuple(KindLine(name, name, True, 1, amount) for name, amount in rows)
    opened = tuple(OpenLine(name, text, text, amount, name, text, text) for name, amount in rows)
    heading = replace(DATA.heading, settlement_id=text, source=text, status=text)
    steps = tuple(Step(name, amount, D(0), amount) for name, amount in rows)
    fall = Waterfall("USD", steps, sum((amount for _, amount in rows), D(0)))
    page = Page(render(replace(DATA, kinds=kinds, open=opened, heading=heading, waterfall=fall)))
    check_totals(page)
    assert [columns(row)[0] for row in page.table("amounts").body] == [name.strip() for name, _ in rows]
