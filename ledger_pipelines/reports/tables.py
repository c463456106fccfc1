"""Tables of plans and reconciliations, neutral of where they are shown: Markdown, a terminal, or CSV.

Belongs here: columns, order, words, escaping of each form. Does not belong here: colours and consoles (`cli`),
Dagster's metadata (`orchestration`), deciding what is shown.

Plans are taken as they are (the protocols below are what is read of `sync.plan.Plan`): this room knows no engine.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.documents.money import Money, exponent, plain
from ledger_pipelines.reports.amounts import shown
from ledger_pipelines.reports.view import Figures

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


class ReasonLike(Protocol):
    """Why a row is what it is."""

    @property
    def code(self) -> str:
        """Stable code."""
        ...

    @property
    def text(self) -> str:
        """A sentence."""
        ...

    @property
    def remedy(self) -> str:
        """The one action."""
        ...


class RowLike(Protocol):
    """A row of a plan."""

    @property
    def action(self) -> Action:
        """What is wanted."""
        ...

    @property
    def reason(self) -> ReasonLike:
        """Why."""
        ...

    @property
    def key(self) -> str:
        """Its key."""
        ...

    @property
    def number(self) -> str:
        """Document number for people."""
        ...

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def kind(self) -> str:
        """Record type."""
        ...

    @property
    def amount(self) -> Money | None:
        """Amount concerned."""
        ...

    @property
    def effect(self) -> Effect | None:
        """What would be written."""
        ...

    @property
    def state(self) -> str:
        """Worklist state."""
        ...


class PlanLike(Protocol):
    """A plan."""

    @property
    def rows(self) -> Sequence[RowLike]:
        """Its rows."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """Text cells under named columns; `right` are the columns of numbers. total: a last row, or None."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()
    total: tuple[str, ...] | None = None


def markdown(table: Table) -> str:
    """GitHub-flavoured Markdown; nothing in a cell can end it, open a link or become HTML."""
    bars = ["---:" if column in table.right else "---" for column in table.columns]
    lines = [_row(table.columns), _row(bars, raw=True), *(_row(cells) for cells in table.rows)]
    if table.total is not None:
        lines.append(_row([f"**{_escaped(cell)}**" if cell else "" for cell in table.total], raw=True))
    head = [f"**{_escaped(table.title)}**", ""] if table.title else []
    return "\n".join([*head, *lines])


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return "| " + " | ".join(cell if raw else _escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    for mark in "\\`*_[]|~":
        text = text.replace(mark, "\\" + mark)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(text.split())


def plan_summary(plan: PlanLike, title: str = "") -> Table:
    """Rows and amounts by action and kind."""
    sums: dict[tuple[str, str, str], tuple[int, Decimal | None]] = {}
    for row in plan.rows:
        key = (row.action.value, row.kind, "" if row.amount is None else row.amount.currency)
        count, amount = sums.get(key, (0, None))
        if row.amount is not None:
            amount = row.amount.amount + (amount or Decimal(0))
        sums[key] = (count + 1, amount)
    order = {action.value: at for at, action in enumerate(Action)}
    rows = tuple(
        (action, kind, str(count), "" if amount is None else shown(amount, currency), currency)
        for (action, kind, currency), (count, amount) in sorted(
            sums.items(), key=lambda item: (order[item[0][0]], item[0])
        )
    )
    return Table(
        title, ("Action", "Document", "Rows", "Amount", "Currency"), rows, frozenset({"Rows", "Amount"})
    )


def reasons(plan: PlanLike, *, actions: Iterable[Action] = (Action.BLOCKED,), title: str = "") -> Table:
    """Reasons of rows of these actions, most frequent first, with one example and what to do."""
    wanted = frozenset(actions)
    found: dict[tuple[str, str], list[RowLike]] = {}
    for row in plan.rows:
        if row.action in wanted:
            found.setdefault((row.reason.code, row.state), []).append(row)
    rows = tuple(
        (code, state, str(len(of)), of[0].number, of[0].reason.text, of[0].reason.remedy)
        for (code, state), of in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    return Table(
        title, ("Reason", "State", "Rows", "For example", "Why", "What to do"), rows, frozenset({"Rows"})
    )


@dataclass(frozen=True, slots=True)
class Written:
    """A document that was written: what it is, for what, its number in the target."""

    kind: str
    number: str
    remote_number: str
    amount: Money | None
    outcome: str


def written_documents(written: Sequence[Written], *, most: int = 50, title: str = "") -> Table:
    """Written documents; beyond `most` they are counted in the last row."""
    rows = [
        (w.kind, w.number, w.remote_number, "" if w.amount is None else shown(w.amount.amount, w.amount.currency),
         "" if w.amount is None else w.amount.currency, w.outcome)
        for w in written[:most]
    ]  # fmt: skip
    more = len(written) - len(rows)
    total = (f"and {more} more", "", "", "", "", "") if more > 0 else None
    columns = ("Document", "For", "Number", "Amount", "Currency", "Outcome")
    return Table(title, columns, tuple(rows), frozenset({"Amount"}), total)


def reconciliation(figures: Figures, currency: str, title: str = "") -> Table:
    """Deposit, booked, difference, clearing, groups: each with its mark."""

    def line(what: str, amount: Decimal | None, good: bool | None) -> tuple[str, str, str]:
        mark = "" if good is None or amount is None else "✔" if good else "✘"
        return (what, "not booked yet" if amount is None else shown(amount, currency), mark)

    rows = (
        line("Deposit", figures.deposit, None),
        line("Booked", figures.booked, figures.difference == 0),
        line("Difference", figures.difference, figures.difference == 0),
        line("Left on clearing", figures.clearing, figures.clearing == 0),
        ("Groups resolved", f"{figures.resolved} of {figures.groups}", "✔" if figures.open == 0 else "✘"),
    )
    return Table(title, ("", currency, "Good"), rows, frozenset({currency}))


def plan_csv(plan: PlanLike) -> str:
    """A plan for a spreadsheet: UTF-8, CRLF, one row a plan row; amounts are plain numbers, texts cannot be formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        ["action", "state", "number", "title", "document", "amount", "currency", "reason", "why", "what to do",
         "key", "external id"]
    )  # fmt: skip
    for row in plan.rows:
        amount = row.amount
        writer.writerow(
            [
                *map(safe_text, (row.action.value, row.state, row.number, row.title, row.kind)),
                "" if amount is None else plain(amount.amount, exponent(amount.currency)),
                *map(
                    safe_text,
                    (
                        "" if amount is None else amount.currency,
                        row.reason.code,
                        row.reason.text,
                        row.reason.remedy,
                        row.key,
                        "" if row.effect is None else row.effect.external_id,
                    ),
                ),
            ]
        )
    return out.getvalue()


def safe_text(text: str) -> str:
    """A text cell that no spreadsheet takes for a formula (reliability.md 4). Never for numbers."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text
