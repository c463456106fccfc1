"""Metadata: one list of names, and how values are shown.

Belongs here: keys of metadata (the same number under the same key everywhere, so that Dagster plots it) and small
tables in Markdown. Does not belong here: what the values are (`assets`). Numbers for plots may be floats; exact
amounts are text (dagster.md 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import dagster as dg

from ledger_pipelines.documents.money import Money, exponent, plain

# numbers, plotted by the UI
ROWS = "rows"
ROWS_TOTAL = "dagster/partition_row_count"
GROUPS = "groups"
GROUPS_OPEN = "groups_open"
AMOUNT_PLOT = "amount_plot"
CLEARING_PLOT = "clearing_plot"
DIFFERENCE_PLOT = "difference_plot"
API_CALLS = "api_calls"
SENDS = "calls_that_write"
PROBES = "calls_that_ask"
SECONDS = "seconds"
WRITTEN = "written"
ADOPTED = "adopted"
ALREADY = "already"
WOULD_WRITE = "would_write"
OPEN = "open"
WAITING = "waiting"
REFUSED = "refused"
BLOCKED = "blocked"
LEFT = "left"
DOCUMENTS = "documents"
FILES = "files"
CALLS_SPENT = "calls_spent_today"
CALLS_LEFT = "calls_left_today"
ORDERS = "orders"
INVOICES = "invoices"
TAKEN_PLOT = "taken_plot"
RECEIVED_PLOT = "received_plot"
NEAR_MISSES_COUNT = "near_misses_count"
CLASHES_COUNT = "clashes_count"

# exact amounts and words
AMOUNT = "amount"
CURRENCY = "currency"
PERIOD = "period"
DEPOSIT = "deposit"
BOOKED = "booked"
CLEARING = "clearing"
TAKEN = "taken"
RECEIVED = "received"
DIFFERENCE = "difference"
FILE = "file"
CONTENT_HASH = "content_hash"
DIGEST = "digest"
MODE = "mode"
SETTLEMENT = "settlement"
REASON = "reason"
REMEDY = "remedy"
STATEMENT = "statement"
PAGE = "page"
SUMMARY = "summary"
CSV = "csv"
DAY = "day"
WINDOW = "window"
RECONSTRUCTIBLE = "reconstructible"

# tables and pictures
COUNTS = "counts"
TOTALS = "totals"
TOP_REASONS = "top_reasons"
PLAN_ROWS = "plan_rows"
OPEN_ITEMS = "open_items"
KINDS = "kinds"
UNKNOWN_KINDS = "unknown_kinds"
WATERFALL = "waterfall"
FIGURES = "figures"
DAYS = "days"
NOTES = "notes"
NEAR_MISSES = "near_misses"
CLASHES = "clashes"
DRIFT = "stock_drift"
TWICE = "there_twice"

SHOWN_ROWS = 50
"""Most rows of a table in the UI; each event is stored for ever, so tables stay small."""


def amount_text(amount: Decimal, currency: str) -> str:
    """`1,234.50 USD`."""
    text = plain(abs(amount), exponent(currency))
    whole, dot, fraction = text.partition(".")
    sign = "-" if amount < 0 else ""
    return f"{sign}{int(whole):,}{dot}{fraction} {currency}"


def money_text(money: Money | None) -> str:
    """The same of Money; empty for None."""
    return "" if money is None else amount_text(money.amount, money.currency)


def for_plot(amount: Decimal) -> dg.FloatMetadataValue:
    """A number that is only ever drawn. The exact amount stands beside it as text."""
    return dg.MetadataValue.float(float(amount))  # not money: drawn only


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def table_text(header: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[int] = ()) -> str:
    """A Markdown table. Every cell is made safe: a title cannot break the table or bring markup."""
    turned = set(right)
    rules = ["---:" if column in turned else "---" for column in range(len(header))]
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join(rules)} |"]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join(lines)


def table(
    header: Sequence[str], rows: Sequence[Sequence[object]], *, right: Iterable[int] = (), none: str = "None."
) -> dg.MarkdownMetadataValue:
    """A Markdown table of at most `SHOWN_ROWS` rows, with a line saying how many more there are."""
    if not rows:
        return dg.MetadataValue.md(none)
    text = table_text(header, rows[:SHOWN_ROWS], right=right)
    more = len(rows) - SHOWN_ROWS
    return dg.MetadataValue.md(f"{text}\n\n... and {more:,} more." if more > 0 else text)


def counts_table(counts: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """Words and how often."""
    return table(("", "rows"), [(name, f"{count:,}") for name, count in counts.items() if count], right=(1,))
