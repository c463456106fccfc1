"""Paths of amounts to what people and spreadsheets read: CSV, Markdown, JSON of the commands, the HTML statement.

Belongs here: sending amounts into each form and reading them out of its text again. Does not belong here: how a form looks.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal

from ledger_pipelines.cli import output, shapes
from ledger_pipelines.cli.tables import money_text
from ledger_pipelines.documents.money import Money, from_plain
from ledger_pipelines.orchestration.metadata import amount_text
from ledger_pipelines.reports.amounts import readable, shown
from ledger_pipelines.reports.statement import render
from ledger_pipelines.reports.tables import Written, markdown, plan_csv, plan_summary, written_documents
from ledger_pipelines.reports.view import (
    DocumentLine,
    Figures,
    Heading,
    Provenance,
    StatementData,
)
from ledger_pipelines.reports.waterfall import Waterfall
from ledger_pipelines_tests.faults.money_amounts import Block, MoneyPath, Series, differing, draw, unequal
from ledger_pipelines_tests.faults.money_paths import any_series, documents, plan_of
from ledger_pipelines_tests.unit.reports.page import Page, columns

ZERO = Decimal(0)
DAY = date(2026, 3, 1)
_CELL = re.compile(r"\| (-?[0-9,]+(?:\\?\.[0-9]+)?) \| [A-Z]{3} \|")


def _texts(block: Block) -> list[str]:
    """Every way an amount is shown says the amount."""
    found: list[str] = []
    for start in range(0, block.count, 5_000):
        series = any_series(block.chooser, min(5_000, block.count - start))
        sent, currency = series.decimals(), series.currency
        found += differing("a report's amount", sent, [readable(shown(a, currency)) for a in sent])
        found += differing("Dagster's text", sent, [_first(amount_text(a, currency)) for a in sent])
        found += differing("a command's text", sent, [from_plain(money_text(a, currency)) for a in sent])
        told = [shapes.money(Money(amount, currency)) or {} for amount in sent]
        found += differing("a command's JSON", sent, [from_plain(one["amount"]) for one in told])
        written = [Written("Payment", "1", "2", Money(amount, currency), "written") for amount in sent]
        table = markdown(written_documents(written, most=len(written)))
        found += differing("a Markdown table", sent, [readable(text) for text in _CELL.findall(table)])
    return found


def _first(text: str) -> Decimal:
    return readable(text.split(" ", maxsplit=1)[0])


def _plans(block: Block) -> list[str]:
    """A plan as CSV, as a table of sums, and as the command's JSON."""
    pairs = documents(block)
    plan = plan_of(pairs)
    sent = [series.decimals()[0] for _, series in pairs]
    rows = list(csv.DictReader(io.StringIO(plan_csv(plan))))
    found = differing("a plan's CSV", sent, [from_plain(row["amount"]) for row in rows])
    sums = {row[4]: readable(row[3]) for row in plan_summary(plan).rows}
    for currency, amount in sums.items():
        wanted = sum((s.decimals()[0] for _, s in pairs if s.currency == currency), ZERO)
        found += unequal(f"a plan's sum in {currency}", wanted, amount)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        output.print_json(shapes.plan(plan))
    told = json.loads(printed.getvalue(), parse_float=Decimal)
    for row, (_, series) in zip(told["rows"], pairs, strict=True):
        lines = [line["amount"] for line in row["payload"]["lines"]]
        got = [Decimal(str(one)) for one in (row["payload"]["amount"], *lines)]
        found += differing("the command's JSON, payload", series.decimals(), got)
    return found


def _statement(block: Block) -> list[str]:
    """The page says each amount, and its printed totals are the sums of the printed rows."""
    series = draw(block.chooser, block.count, "USD", 2, whole=12)
    page = Page(render(_data(series), most_documents=block.count))
    payments = page.table("payments")
    got = [readable(columns(row)[-1]) for row in payments.body]
    found = differing("the statement", series.decimals(), got)
    found += unequal("the statement's total", series.total, readable(columns(payments.foot[0])[-1]))
    half = block.count - block.count // 2
    short = Page(render(_data(series), most_documents=half)).table("payments")
    rest = sum((readable(columns(row)[-1]) for row in short.body), ZERO)
    found += unequal("the short statement's rows", series.total, rest)
    return found


def _data(series: Series) -> StatementData:
    lines = tuple(
        DocumentLine(f"113-{at}", "", "Payment", f"P{at}", "", DAY, "Verified", amount, str(at))
        for at, amount in enumerate(series.decimals())
    )
    figures = Figures(series.total, series.total, ZERO, series.total, ZERO, ZERO, len(lines), len(lines))
    return StatementData(
        heading=Heading(
            "26", "shop_books", "shop", "books", series.currency, DAY, DAY, DAY, series.total, "Reconciled", "live",
            datetime(2026, 3, 2, tzinfo=UTC), "UTC",
        ),
        figures=figures,
        waterfall=Waterfall(series.currency, (), series.total),
        kinds=(), entries=(), documents=lines, open=(), plans=(),
        provenance=Provenance("c" * 64, "r" * 64, "v2-flat", "utf-8", len(lines), series.total),
    )  # fmt: skip


def paths() -> tuple[MoneyPath, ...]:
    """What is shown."""
    return (
        MoneyPath("report-texts", 50_000, 1, 2_000, _texts),
        MoneyPath("report-plan", 40_000, 1, 1_000, _plans),
        MoneyPath("report-statement", 20_000, 1, 500, _statement),
    )
