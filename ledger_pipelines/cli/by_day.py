"""The commands about integrations that go by days: initial sync, plans and runs by day, status, the reconciliation.

Belongs here: which days a command is about, calling the application service, what is shown and returned.
Does not belong here: planning, writing, reconciling (`integrations`, `sync`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import Any

from rich.text import Text

from ledger_pipelines.cli import shapes, tables
from ledger_pipelines.cli.output import FINE, NEEDS_A_PERSON, out, print_json, say
from ledger_pipelines.cli.progress import progress
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.dates import days_between
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.by_day.initial import Found
from ledger_pipelines.integrations.by_day.results import DayStatus, FlowRun, RunResult
from ledger_pipelines.integrations.opening import AnyByDay, open_by_day, warnings_of
from ledger_pipelines.sync.result import Outcome

LONGEST = 3660
"""Most days of one command."""


def days_of(partition: str | None) -> tuple[date, ...]:
    """`2026-09-01`, or `2026-09-01..2026-09-30` with both ends; nothing = those with news.

    Raises:
        ConfigurationError: it is neither.
    """
    if partition is None:
        return ()
    first, dots, last = partition.partition("..")
    try:
        begin = date.fromisoformat(first)
        end = date.fromisoformat(last) if dots else begin
    except ValueError:
        begin = end = date.min
    span = (end - begin).days
    if begin == date.min or not 0 <= span < LONGEST:
        raise ConfigurationError(
            f"{partition!r} is no day and no range of days.",
            remedy="Write --partition 2026-09-01, or --partition 2026-09-01..2026-09-30.",
        )
    return tuple(days_between(begin, end))


def initial_sync(loaded: LoadedConfig, name: str, *, as_json: bool) -> int:
    """Read both sides whole and pair them; writes to neither. 1 when something clashes."""
    with closing(open_by_day(loaded, name)) as service, progress() as tell:
        found = service.initial_sync(tell)
        done = service.initial()
        calls = service.calls()
    if as_json:
        print_json({"pairing": found, "calls": calls})
    elif done is not None:
        show_pairing(done.pairing, service)
        out().print(Text(f"{calls} calls; nothing was written to either side.", style="dim"))
    return NEEDS_A_PERSON if found.clashes else FINE


def show_pairing(found: Found, service: AnyByDay) -> None:
    """What is paired, what nearly is, what clashes."""
    counts = tables.plain_table("\nInitial sync", ["", "count"], right=["count"])
    for words, count in found.counts().items():
        counts.add_row(tables.cell(words.replace("_", " ")), tables.cell(count))
    out().print(counts)
    rows = found.report_rows()
    if rows:
        table = tables.plain_table(
            "\nTo look at", ["", f"in {service.source}", f"in {service.target}", "why"]
        )
        for row in rows[: tables.MOST_ROWS]:
            table.add_row(*map(tables.cell, (row.section, row.here, row.there, row.text)))
        out().print(table)
    if len(rows) > tables.MOST_ROWS:
        out().print(f"... and {len(rows) - tables.MOST_ROWS} more; --json has all of them.")


def plan(loaded: LoadedConfig, name: str, flow: str | None, partition: str | None, *, as_json: bool) -> int:
    """Show what would be written. 1 when a row is blocked."""
    _warn(loaded, name)
    with closing(open_by_day(loaded, name)) as service, progress() as tell:
        plans = [one for one in service.plans(flow, days_of(partition), tell) if one.rows]
        ready = service.initial() is not None
    if as_json:
        print_json({"plans": [shapes.plan(one) for one in plans], "initial_sync": ready})
    else:
        for one in plans:
            tables.show_plan(one)
        if not plans:
            out().print("Nothing to do.")
        if not ready:
            say(f"Nothing can be written before the initial sync: ledger-pipelines initial-sync {name}.")
    blocked = any(row.action.value == "blocked" for one in plans for row in one.rows)
    return NEEDS_A_PERSON if blocked or not ready else FINE


def run(loaded: LoadedConfig, name: str, flow: str | None, partition: str | None, *, as_json: bool) -> int:
    """Run now, over the days named, or those with news or something open."""
    _warn(loaded, name)
    with closing(open_by_day(loaded, name)) as service, progress() as tell:
        result = service.run(flow, days_of(partition), tell)
        page = _page(service, result)
        spent = service.spent()
    if as_json:
        print_json(run_shape(result, spent))
    else:
        show_run(result, spent)
        if page is not None:
            out().print(f"Reconciliation: {page}", soft_wrap=True, markup=False)
    return result.exit_code


def _page(service: AnyByDay, result: RunResult) -> object | None:
    if not result.days or service.setup.mode is Mode.PLAN:
        return None
    return service.report(result.days[0], result.days[-1])


def run_shape(result: RunResult, spent: tuple[int, int | None]) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "days": list(result.days),
        "flows": [
            {
                "flow": one.flow,
                "day": one.plan.partition,
                "plan": shapes.plan(one.plan) if one.result is None else None,
                "result": None if one.result is None else shapes.result(one.result),
            }
            for one in result.runs
            if one.plan.rows
        ],
        "calls": result.calls,
        "read": dict(result.read),
        "there_twice": [shapes.open_item(one) for one in result.doubles],
        "calls_today": spent[0],
        "calls_left": spent[1],
        "exit_code": result.exit_code,
    }


def show_run(result: RunResult, spent: tuple[int, int | None]) -> None:
    """A line a flow, over all its days; then what waits for a person."""
    by_flow: dict[str, list[FlowRun]] = {}
    for one in result.runs:
        by_flow.setdefault(one.flow, []).append(one)
    for flow, runs in by_flow.items():
        _show_flow(flow, runs)
    for double in result.doubles:
        line = f"there twice: {double.title}. {double.text} {double.remedy}"
        out().print(Text(line, style="red"), soft_wrap=True)
    left = "" if spent[1] is None else f", {spent[1]:,} left today"
    period = f"{result.days[0]} to {result.days[-1]}" if result.days else "no day"
    out().print(Text(f"\n{period}; {result.calls:,} calls{left}.", style="dim"))


def _show_flow(flow: str, runs: Sequence[FlowRun]) -> None:
    outcomes: Counter[str] = Counter()
    blocked: Counter[tuple[str, str]] = Counter()
    numbers: dict[tuple[str, str], list[str]] = {}
    for one in runs:
        if one.result is None:
            outcomes.update(row.action.value for row in one.plan.rows)
        else:
            outcomes.update({o.value: n for o, n in one.result.counts().items() if n})
        for row in one.plan.rows:
            if row.action.value == "blocked":
                reason = (row.reason.code, row.reason.remedy)
                blocked[reason] += 1
                numbers.setdefault(reason, []).append(row.number)
    line = Text(f"{flow:<21}", style="bold")
    line.append(", ".join(f"{count} {what}" for what, count in outcomes.items()) or "nothing to do")
    out().print(line)
    for one in runs:
        result = one.result
        if result is not None and (result.parked or result.stopped or result.tripped or result.exit_code):
            _troubles(one)
    for (code, remedy), count in blocked.most_common():
        some = ", ".join(numbers[code, remedy][:5])
        more = f" and {count - 5} more" if count > 5 else ""
        out().print(Text(f"  {count} {code}: {some}{more}. {remedy}", style="yellow"), soft_wrap=True)


def _troubles(one: FlowRun) -> None:
    result = one.result
    if result is None:
        return
    for guard in result.tripped:
        out().print(Text(f"  guard {guard.guard}: {guard.reason.text} {guard.reason.remedy}", style="red"))
    for reason in (result.parked, result.stopped):
        if reason is not None:
            out().print(Text(f"  {reason.text} {reason.remedy}", style="red"), soft_wrap=True)
    for row in (*result.rows, *result.others):
        if row.needs_person and row.outcome is not Outcome.BLOCKED:
            said = f"  {row.outcome.value}: {row.number} {row.kind}: {row.reason.text} {row.reason.remedy}"
            out().print(Text(said, style="yellow"), soft_wrap=True)


def status_shape(one: DayStatus) -> Mapping[str, Any]:
    """Where the integration stands, as JSON."""
    return {
        "kind": one.kind,
        "mode": one.mode.value,
        "initial_sync": one.initial_sync,
        "written": one.written,
        "open_items": one.open_items,
        "days_due": list(one.days_due),
    }


def show_status(one: DayStatus) -> None:
    """One line."""
    done = "not done" if one.initial_sync is None else f"{one.initial_sync:%Y-%m-%d %H:%M} UTC"
    out().print(Text(f"\n{one.name}", style="bold"))
    line = f"mode {one.mode.value}; initial sync {done}; {one.written:,} written; {one.open_items:,} open"
    out().print(Text(line, style="red" if one.open_items or one.initial_sync is None else ""))


def reconcile(loaded: LoadedConfig, name: str, partition: str | None, *, as_json: bool) -> int:
    """Compare both sides as they were last read, and write the page. 1 when they differ."""
    with closing(open_by_day(loaded, name)) as service:
        days = days_of(partition) or (service.setup.start_date, service.today())
        figures = service.reconcile(days[0], days[-1])
        page = service.report(days[0], days[-1])
    if as_json:
        print_json({"checks": figures.checks(), "days": figures.days, "page": str(page)})
    else:
        table = tables.plain_table("Checks", ["", "check", "what was found"])
        for check in figures.checks():
            mark = Text("ok", style="green") if check.passed else Text("differs", style="red")
            table.add_row(mark, tables.cell(check.name), tables.cell(check.text))
        out().print(table)
        out().print(f"Page: {page}", soft_wrap=True, markup=False)
    return FINE if figures.clean else NEEDS_A_PERSON


def _warn(loaded: LoadedConfig, name: str) -> None:
    for found in warnings_of(loaded, name):
        say(f"Warning: {found.field} {found.message}. {found.remedy}".rstrip())
