"""Tables: counted, grouped, escaped; a CSV that no spreadsheet runs and whose numbers stay numbers."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import Money
from ledger_pipelines.reports.amounts import readable, shown
from ledger_pipelines.reports.tables import (
    Table,
    Written,
    markdown,
    plan_csv,
    plan_summary,
    reasons,
    reconciliation,
    safe_text,
    written_documents,
)
from ledger_pipelines.reports.view import Figures
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason


def row(
    action: Action, number: str, amount: str | None = None, code: str = "pay", state: str = ""
) -> PlanRow:
    money = None if amount is None else Money.of(amount, "USD")
    reason = Reason(code, f"Because of {code}.", f"Do {code}.")
    return PlanRow(
        action, reason, f"K{number}", number, f"Payment of {number}", "customerPayment", money, None, state
    )


PLAN = Plan(
    "amazon_netsuite", "payments", "26", "netsuite", datetime(2026, 9, 1, tzinfo=UTC), (),
    (
        row(Action.CREATE, "1", "105.00"),
        row(Action.CREATE, "2", "54.00"),
        row(Action.BLOCKED, "3", "-7.10", "no-order", "No order"),
        row(Action.BLOCKED, "4", "9.00", "amount-differs", "Amount differs"),
        row(Action.BLOCKED, "5", "1.00", "no-order", "No order"),
        row(Action.SKIP, "6"),
    ),
)  # fmt: skip


def test_a_plan_is_summed_by_action_and_document() -> None:
    assert plan_summary(PLAN).rows == (
        ("create", "customerPayment", "2", "159.00", "USD"),
        ("skip", "customerPayment", "1", "", ""),
        ("blocked", "customerPayment", "3", "2.90", "USD"),
    )


def test_reasons_are_grouped_counted_and_most_frequent_first() -> None:
    assert reasons(PLAN).rows == (
        ("no-order", "No order", "2", "3", "Because of no-order.", "Do no-order."),
        ("amount-differs", "Amount differs", "1", "4", "Because of amount-differs.", "Do amount-differs."),
    )


def test_written_documents_beyond_the_limit_are_counted() -> None:
    written = [Written("invoice", "1", "INV1", Money.of("1.00", "USD"), "written")] * 5
    table = written_documents(written, most=2)
    assert (len(table.rows), table.total) == (2, ("and 3 more", "", "", "", "", ""))


def test_reconciliation_marks_what_is_good_and_says_what_is_not_booked() -> None:
    clean = reconciliation(Figures(Decimal("64.5"), Decimal("64.5"), Decimal(0), groups=2, resolved=2), "USD")
    assert [mark for *_, mark in clean.rows] == ["", "✔", "✔", "✔", "✔"]
    off = reconciliation(Figures(Decimal("64.5"), Decimal(60), Decimal(1), groups=2, resolved=1), "USD")
    assert [mark for *_, mark in off.rows] == ["", "✘", "✘", "✘", "✘"]
    assert ("Booked", "not booked yet", "") in reconciliation(Figures(Decimal(1)), "USD").rows


def test_markdown_cells_cannot_end_the_cell_or_become_html_or_links() -> None:
    text = markdown(Table("", ("a",), (("x|y\n<img> [l](http://e) `c` *b*",),)))
    (line,) = text.splitlines()[2:]
    assert line == r"| x\|y &lt;img&gt; \[l\](http://e) \`c\` \*b\* |"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted_and_a_negative_amount_stays_a_number(
    start: str,
) -> None:
    evil = f"{start}HYPERLINK(1)"
    rows = (row(Action.BLOCKED, evil, "-7.10", "no-order"),)
    plan = Plan("i", "f", "p", "c", datetime(2026, 9, 1, tzinfo=UTC), (), rows)
    (read,) = list(csv.DictReader(io.StringIO(plan_csv(plan), newline="")))
    assert read["number"] == f"'{evil}"
    assert read["amount"] == "-7.10"
    assert read["key"] == f"K{evil}"


def test_ordinary_text_is_left_alone() -> None:
    assert safe_text("114-5550001-1234567") == "114-5550001-1234567"
    assert safe_text("") == ""


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("1234567.5", "USD", "1,234,567.50"), ("-0.00", "USD", "0.00"), ("-1234.56", "EUR", "-1,234.56"),
     ("1234", "JPY", "1,234"), ("0.005", "USD", "0.005"), ("-0.5", "USD", "-0.50")],
)  # fmt: skip
def test_amounts_are_shown_whole_and_can_be_read_back(amount: str, currency: str, text: str) -> None:
    assert shown(Decimal(amount), currency) == text
    assert readable(text) == Decimal(amount)


def test_amounts_of_zero_keep_their_currency_in_totals() -> None:
    # Money of zero is false: a row of 0.00 lost its currency, and zeros of two currencies could not be summed.
    rows = [
        PlanRow(Action.CREATE, Reason("pay", "Due."), currency, currency, currency, "customerPayment", Money.zero(currency))
        for currency in ("USD", "KWD")
    ]  # fmt: skip
    plan = replace(PLAN, rows=(*rows, row(Action.CREATE, "1", "105.00")))
    assert [(t.currency, t.count, str(t.amount)) for t in plan.totals()] == [
        ("KWD", 1, "0.000 KWD"),
        ("USD", 2, "105.00 USD"),
    ]
    assert [cells[2:] for cells in plan_summary(plan).rows] == [("1", "0.000", "KWD"), ("2", "105.00", "USD")]
