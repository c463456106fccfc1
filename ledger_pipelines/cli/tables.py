"""What people see: tables of plans, results, findings, options.

Belongs here: columns, order, words. Does not belong here: deciding or fetching what is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from ledger_pipelines.cli.connections import Finding, OptionList
from ledger_pipelines.cli.output import out
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.amazon_netsuite.results import RunResult, SettlementStatus
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.result import ApplyResult, Outcome

MOST_ROWS = 40
_COLOURS = {"create": "green", "update": "cyan", "void": "magenta", "blocked": "red", "skip": "dim"}


def plain_table(title: str, columns: Sequence[str], *, right: Sequence[str] = ()) -> Table:
    """A table without decoration but a line below its head."""
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def cell(value: Any) -> Text:
    """Any value as text, never read as markup."""
    return Text("" if value is None else "yes" if value is True else "no" if value is False else str(value))


def money_text(amount: Decimal, currency: str) -> str:
    """`12.30`, with the currency's digits."""
    return Money(amount, currency).text


def show_plan(plan: Plan, *, every: bool = False) -> None:
    """A plan: totals, then reasons with counts, then its rows (the first of them)."""
    out().print(Text(f"\n{plan.integration} / {plan.flow} / {plan.partition}", style="bold"))
    if not plan.rows:
        out().print("nothing to do")
        return
    totals = plain_table("", ["action", "document", "count", "amount"], right=["count", "amount"])
    for total in plan.totals():
        style = _COLOURS.get(total.action.value, "")
        totals.add_row(
            Text(total.action.value, style=style),
            cell(total.kind),
            cell(total.count),
            cell(total.amount),
        )
    out().print(totals)
    reasons = Counter(
        (row.action.value, row.reason.code, row.reason.remedy) for row in plan.rows if row.effect is None
    )
    if reasons:
        table = plain_table("\nWhy not", ["count", "action", "reason", "what to do"], right=["count"])
        for (action, code, remedy), count in reasons.most_common():
            table.add_row(cell(count), Text(action, style=_COLOURS.get(action, "")), cell(code), cell(remedy))
        out().print(table)
    shown = plan.rows if every else plan.rows[:MOST_ROWS]
    table = plain_table("\nRows", ["action", "number", "document", "amount", "why"], right=["amount"])
    for row in shown:
        table.add_row(*_plan_row(row))
    out().print(table)
    if len(shown) < len(plan.rows):
        out().print(f"... and {len(plan.rows) - len(shown)} more; --json has all of them.")
    for note in plan.notes:
        out().print(Text(note))
    out().print(Text(f"digest {plan.digest[:16]}", style="dim"))


def _plan_row(row: PlanRow) -> tuple[Text, ...]:
    style = _COLOURS.get(row.action.value, "")
    return (Text(row.action.value, style=style), cell(row.number), cell(row.kind or row.title), cell(row.amount), cell(row.reason.text))  # fmt: skip


def show_result(result: ApplyResult) -> None:
    """What an apply did: outcomes with counts, then every row that waits for a person."""
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in result.counts().items() if count)
    line = Text(f"{result.flow:<20}", style="bold")
    line.append(f"{counts or 'nothing to do'}", style="")
    line.append(f"   ({result.sends} writing calls, mode {result.mode})", style="dim")
    out().print(line)
    for guard in result.tripped:
        out().print(Text(f"  guard {guard.guard}: {guard.reason.text} {guard.reason.remedy}", style="red"))
    for reason in (result.parked, result.stopped):
        if reason is not None:
            out().print(Text(f"  {reason.text} {reason.remedy}", style="red"))
    rows = (*result.rows, *result.others)
    said = {(reason.text, reason.remedy) for reason in (result.parked, result.stopped) if reason is not None}
    later = Counter(
        (row.reason.text, row.reason.remedy)
        for row in rows
        if row.outcome in (Outcome.LEFT, Outcome.OPEN) and not row.needs_person
    )
    for (text, remedy), count in later.most_common(MOST_ROWS):
        if (text, remedy) not in said and not result.tripped:
            out().print(Text(f"  {count} not yet: {text} {remedy}"), soft_wrap=True)
    waiting = [row for row in rows if row.needs_person]
    for row in waiting[:MOST_ROWS]:
        out().print(Text(f"  {row.outcome.value}: {row.number} {row.kind} {'' if row.amount is None else row.amount}: {row.reason.text} {row.reason.remedy}"))  # fmt: skip
    if len(waiting) > MOST_ROWS:
        out().print(f"  ... and {len(waiting) - MOST_ROWS} more; --json has all of them.")


def show_run(one: RunResult) -> None:
    """A settlement's run: a line a flow, then the reconciliation."""
    out().print(Text(f"\nSettlement {one.settlement_id}", style="bold"))
    for flow in one.flows:
        show_result(flow.result)
    if one.reconciliation is not None:
        show_reconciliation(one.reconciliation)
    if one.statement is not None:
        out().print(f"Statement: {one.statement}", soft_wrap=True, markup=False)


def show_reconciliation(figures: Reconciliation) -> None:
    """Deposit against booked, and what is left on the clearing account."""
    table = plain_table("\nReconciliation", ["", figures.currency], right=[figures.currency])
    for name, amount in (
        ("deposit, as Amazon says", figures.deposit),
        ("booked to the bank", figures.booked),
        ("difference", figures.difference),
        ("clearing account after it", figures.clearing),
    ):
        table.add_row(name, money_text(amount, figures.currency))
    out().print(table)
    verdict = "deposit = booked, clearing 0.00" if figures.clean else "NOT reconciled"
    style = "bold green" if figures.clean else "bold red"
    out().print(Text(f"{verdict}; {figures.resolved} of {figures.groups} groups resolved", style=style))


def show_status(name: str, settlements: Sequence[SettlementStatus]) -> None:
    """A line a settlement."""
    columns = ["settlement", "deposited", "deposit", "booked", "clearing", "open", "status"]
    table = plain_table(f"\n{name}", columns, right=["deposit", "booked", "clearing", "open"])
    for one in settlements:
        figures = one.reconciliation
        booked = clearing = ""
        if figures is not None:
            booked = money_text(figures.booked, figures.currency)
            clearing = money_text(figures.clearing, figures.currency)
        table.add_row(
            cell(one.settlement.settlement_id),
            cell(one.settlement.deposit.date()),
            cell(one.settlement.total),
            cell(booked),
            cell(clearing),
            Text(str(one.open_items), style="red" if one.open_items else ""),
            cell(one.status),
        )
    out().print(table if settlements else Text(f"\n{name}: no settlement yet"))


def show_open_items(items: Sequence[OpenItem]) -> None:
    """What waits for a person: grouped by what to do, counted, then each."""
    if not items:
        out().print("Nothing waits for a person.")
        return
    groups = Counter((item.code, item.remedy) for item in items)
    summary = plain_table("", ["count", "reason", "what to do"], right=["count"])
    for (code, remedy), count in groups.most_common():
        summary.add_row(cell(count), cell(code), cell(remedy))
    out().print(summary)
    table = plain_table("\nRecords", ["number", "partition", "flow", "amount", "why"], right=["amount"])
    for item in items[:MOST_ROWS]:
        table.add_row(*map(cell, (item.number, item.partition, item.flow, item.amount, item.text)))
    out().print(table)
    if len(items) > MOST_ROWS:
        out().print(f"... and {len(items) - MOST_ROWS} more; --json has all of them.")


def show_findings(findings: Iterable[Finding]) -> None:
    """The result of `check`: a line a finding below its connection, and what to do below that."""
    connection = ""
    for finding in findings:
        if finding.connection != connection:
            connection = finding.connection
            out().print(Text(f"\n{connection}", style="bold"))
        line = Text("  ok  " if finding.ok else "  NO  ", style="green" if finding.ok else "bold red")
        line.append(f"{finding.what}: {finding.text}", style="")
        out().print(line, soft_wrap=True)
        if finding.remedy and not finding.ok:
            out().print(Text(f"      -> {finding.remedy}"), soft_wrap=True)


def show_options(found: OptionList) -> None:
    """The records of one kind: what to write into a setting, then what it is."""
    if found.refused:
        out().print(Text(f"\n{found.kind}: not visible: {found.refused}", style="yellow"))
        return
    table = plain_table(f"\n{found.kind}", ["id", "number", "name", "", ""])
    for option in found.options:
        inactive = "inactive" if option.isinactive else ""
        table.add_row(*map(cell, (option.id, option.number, option.name, option.detail, inactive)))
    out().print(table)
