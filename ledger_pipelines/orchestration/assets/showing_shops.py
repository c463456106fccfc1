"""How results of a shop's integration are shown: metadata, checks, sentences.

Belongs here: what differs from settlements, whose way (`showing`) is used for the rest. Does not belong here: making
any result (`integrations`), names of metadata (`metadata`).

A run is about days. Each day has its own numbers; a check is about all days of the run, and names the day of each row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import dagster as dg

from ledger_pipelines.documents.effects import Action, Mode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.by_day.initial import CLASH
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.assets import showing
from ledger_pipelines.orchestration.results import Shown
from ledger_pipelines.orchestration.shops import (
    Clash,
    DayFigures,
    Difference,
    Pairing,
    ShopFigures,
    ShopService,
)
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.result import ApplyResult, Outcome, RowResult

NOTHING_CLASHES = "nothing_clashes"
EVERY_DAY_READ = "every_day_was_read"
_DONE = frozenset({Outcome.WRITTEN, Outcome.ADOPTED, Outcome.ALREADY})


def spent(service: ShopService) -> Shown:
    """Calls of the target's day, as they stand now."""
    used, left = service.spent()
    return {m.CALLS_SPENT: used, **({} if left is None else {m.CALLS_LEFT: left})}


# --- plans -------------------------------------------------------------------------------------------------------------


@dataclass
class Blocked:
    """Rows of the plans of a run that wait for a person, by day."""

    rows: list[tuple[str, PlanRow]] = field(default_factory=list)

    def take(self, made: Plan) -> None:
        """Keep those of a plan."""
        self.rows += [(made.partition, row) for row in made.rows if row.action is Action.BLOCKED]

    def check(self, name: str = showing.NOTHING_BLOCKED) -> dg.AssetCheckResult:
        """A warning, never a stop: the other rows can be written."""
        count = len(self.rows)
        return dg.AssetCheckResult(
            check_name=name,
            passed=not count,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{count:,} rows wait for a person." if count else "No row waits for a person.",
            metadata={
                m.OPEN_ITEMS: m.table(
                    ("day", "number", "document", "amount", "why", "what to do"),
                    [
                        (day, r.number, r.title, m.money_text(r.amount), r.reason.text, r.reason.remedy)
                        for day, r in self.rows
                    ],
                    right=(3,),
                    none="None.",
                )
            },
        )


def plan(made: Plan, data_dir: str) -> Shown:
    """Counts by action and by reason, totals, the rows; the whole plan as CSV where it has rows."""
    if not made.rows:
        return {m.ROWS: 0, m.BLOCKED: 0, m.DAY: made.partition, m.DIGEST: made.digest}
    shown = dict(showing.plan(made, showing.plan_csv(data_dir, made)))
    blocked = [row for row in made.rows if row.action is Action.BLOCKED]
    return {
        **shown,
        m.DAY: made.partition,
        **({m.OPEN_ITEMS: _waiting(blocked)} if blocked else {}),
    }


def _waiting(rows: Sequence[PlanRow]) -> dg.MarkdownMetadataValue:
    return m.table(
        ("number", "document", "amount", "why", "what to do"),
        [(r.number, r.title, m.money_text(r.amount), r.reason.text, r.reason.remedy) for r in rows],
        right=(2,),
    )


def _reasons(found: Iterable[tuple[str, str]]) -> dg.MarkdownMetadataValue:
    """How often which reason code."""
    return m.table(
        ("", "reason", "rows"),
        [(action, code, f"{count:,}") for (action, code), count in Counter(found).most_common()],
        right=(2,),
    )


# --- exports -----------------------------------------------------------------------------------------------------------


@dataclass
class Open:
    """Rows of the exports of a run that have no document yet, by day."""

    mode: Mode
    rows: list[tuple[str, RowResult]] = field(default_factory=list)

    def take(self, result: ApplyResult) -> None:
        """Keep those of an export."""
        self.rows += [(result.partition, row) for row in showing.open_rows(result)]

    def check(self) -> dg.AssetCheckResult:
        """A warning, because the others were written."""
        persons = sum(row.needs_person for _, row in self.rows)
        waiting = len(self.rows) - persons
        parts = [f"{persons:,} rows need a person"] if persons else []
        parts += [f"{waiting:,} rows settle themselves later"] if waiting else []
        written = "Nothing is written in mode plan." if self.mode is Mode.PLAN else "Nothing is open."
        return dg.AssetCheckResult(
            check_name=showing.NOTHING_OPEN,
            passed=not self.rows,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(parts) + "." if parts else written,
            metadata={
                m.OPEN_ITEMS: m.table(
                    ("day", "number", "document", "amount", "state", "why", "what to do", "key"),
                    [
                        (
                            day, r.number, r.title, m.money_text(r.amount), r.outcome.value, r.reason.text,
                            showing.remedy(r), r.key,
                        )
                        for day, r in self.rows
                    ],
                    right=(3,),
                    none="Nothing is open.",
                )
            },
        )  # fmt: skip


def export(result: ApplyResult) -> Shown:
    """What was written of a day, in figures and rows, and what is open."""
    if not result.rows and not result.others:
        return {
            m.MODE: result.mode, m.DAY: result.partition, m.WRITTEN: 0, m.OPEN: 0, m.WAITING: 0, m.BLOCKED: 0,
            m.REFUSED: 0, m.LEFT: 0, m.SENDS: result.sends, m.PROBES: result.probes, m.DIGEST: result.plan_digest,
        }  # fmt: skip
    return {
        **showing.export(result),
        m.DAY: result.partition,
        m.TOTALS: m.table(("outcome", "record", "documents", "total"), _totals(result.rows), right=(2, 3)),
        m.TOP_REASONS: _reasons((row.outcome.value, row.reason.code) for row in result.rows),
    }


def _totals(rows: Iterable[RowResult]) -> list[tuple[str, str, str, str]]:
    """Count and sum by outcome, record and currency; rows without an amount are counted."""
    counts: Counter[tuple[str, str, str]] = Counter()
    sums: dict[tuple[str, str, str], Money] = {}
    for row in rows:
        currency = "" if row.amount is None else row.amount.currency
        group = (row.outcome.value, row.kind, currency)
        counts[group] += 1
        if row.amount is not None:
            sums[group] = sums[group] + row.amount if group in sums else row.amount
    return [
        (outcome, kind, f"{count:,}", m.money_text(sums.get((outcome, kind, currency))))
        for (outcome, kind, currency), count in sorted(counts.items())
    ]


def settled(shown: Mapping[str, dg.MetadataValue]) -> bool:
    """Whether an export told so had nothing left to do: such a day needs no second look by a run that goes on."""
    values = [
        getattr(shown.get(name), "value", None) for name in (m.OPEN, m.WAITING, m.BLOCKED, m.REFUSED, m.LEFT)
    ]
    return all(value == 0 for value in values)


# --- pairing and reconciliation ----------------------------------------------------------------------------------------


def pairing(found: Pairing) -> Shown:
    """How many are pairs, what nearly is one, what cannot be."""
    counts = {name.replace("_", " "): f"{count:,}" for name, count in found.counts().items()}
    return {
        m.COUNTS: m.table(("", "records"), list(counts.items()), right=(1,)),
        m.NEAR_MISSES_COUNT: len(found.near_misses),
        m.CLASHES_COUNT: len(found.clashes),
        m.NEAR_MISSES: m.table(
            ("in the store", "in the file", "why it is no pair"),
            [(one.here, ", ".join(one.there), one.kind) for one in found.near_misses],
        ),
        m.CLASHES: _clashes(found.clashes),
        m.NOTES: m.table(("to look at",), [(row.text,) for row in found.report_rows()], none="Nothing."),
    }


def pairing_check(found: Pairing) -> dg.AssetCheckResult:
    """Whether records contradict each other, or the journal: a warning; of several that claim one partner, one counts or none."""
    clashes = len(found.clashes)
    first = [row.text for row in found.report_rows() if row.section == CLASH][:1]
    return dg.AssetCheckResult(
        check_name=NOTHING_CLASHES,
        passed=not clashes,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{clashes:,} clashes. The first: {' '.join(first)}" if clashes else "Nothing clashes.",
        metadata={m.CLASHES: _clashes(found.clashes)},
    )


def _clashes(rows: Sequence[Clash]) -> dg.MarkdownMetadataValue:
    return m.table(
        ("claimed by", "what is claimed", "who claims it", "the one that counts"),
        [(one.kind, one.name, ", ".join(one.ids), one.taken or "none") for one in rows],
    )


def day(line: DayFigures, figures: ShopFigures) -> Shown:
    """One day of both sides, and what explains its difference."""
    currency = figures.heading.currency
    why = [one for one in figures.differences if one.day == line.day]
    return {
        m.DAY: line.day.isoformat(),
        m.TAKEN: m.amount_text(line.taken, currency),
        m.RECEIVED: m.amount_text(line.received, currency),
        m.DIFFERENCE: m.amount_text(line.difference, currency),
        m.TAKEN_PLOT: m.for_plot(line.taken),
        m.RECEIVED_PLOT: m.for_plot(line.received),
        m.DIFFERENCE_PLOT: m.for_plot(line.difference),
        m.ORDERS: line.orders,
        m.INVOICES: line.invoices,
        **({m.OPEN_ITEMS: _differences(why, currency)} if why else {}),
    }


def reconciliation(figures: ShopFigures, page: Path) -> Shown:
    """All days of the run: the page an accountant reads, the days, what differs and why."""
    currency = figures.heading.currency
    differ = [line for line in figures.days if line.difference]
    return {
        m.SUMMARY: figures.summary,
        m.PAGE: dg.MetadataValue.path(str(page)),
        m.FIGURES: m.table(
            ("day", "orders", "invoices", "taken", "received", "difference"),
            [
                (
                    line.day.isoformat(), f"{line.orders:,}", f"{line.invoices:,}",
                    m.amount_text(line.taken, currency), m.amount_text(line.received, currency),
                    m.amount_text(line.difference, currency),
                )
                for line in (differ or figures.days)
            ],
            right=(1, 2, 3, 4, 5),
        ),
        m.TOP_REASONS: _differences([*figures.differences, *figures.documents], currency),
        m.TWICE: m.table(
            ("document", "reference", "what is there", "what to do", "key"),
            [(one.what, one.reference, one.text, one.remedy, one.key) for one in figures.doubles],
        ),
        m.DRIFT: m.table(
            ("item", "name", "store", "books"),
            [(one.item, one.name, f"{one.store:f}", f"{one.books:f}") for one in figures.drift],
            right=(2, 3),
        ),
    }  # fmt: skip


def _differences(rows: Sequence[Difference], currency: str) -> dg.MarkdownMetadataValue:
    return m.table(
        ("day", "order", "what", "difference", "why", "what to do"),
        [
            (
                one.day.isoformat(), one.order, one.what, m.amount_text(one.difference, currency), one.text,
                one.remedy,
            )
            for one in rows
        ],
        right=(3,),
        none="Nothing differs.",
    )  # fmt: skip


def unread_check(
    first: date | None, integration: str, schedule: str | None, mode: Mode
) -> dg.AssetCheckResult:
    """Whether days were stepped over. Where there is a clock its next tick reads them.

    Args:
        first: The first day that was never read; None = all were.
        integration: Its name.
        schedule: Its clock.
        mode: As configured.
    """
    remedy = f"Run {names.sync_job(integration)} on all days from it on, as one run, or `ledger-pipelines run {integration}`."
    if schedule is not None:
        remedy = f"The next tick of {integration}_by_clock reads from there on; without it: {remedy[:1].lower()}{remedy[1:]}"
    gentle = schedule is not None or mode is not Mode.LIVE
    return dg.AssetCheckResult(
        check_name=EVERY_DAY_READ,
        passed=first is None,
        severity=dg.AssetCheckSeverity.WARN if gentle else dg.AssetCheckSeverity.ERROR,
        description="Every day up to yesterday was read."
        if first is None
        else f"Not all that is needed was read of {first.isoformat()}, and perhaps of days after it: what changed last then is "
        f"not known, and not exported. {remedy}",
    )


def reconciliation_checks(
    figures: ShopFigures, promised: Iterable[str], mode: Mode
) -> list[dg.AssetCheckResult]:
    """The promises. What a later run ends by itself warns; so does everything where not all is written (plan, test)."""
    said = {check.name: check for check in figures.checks()}
    results = []
    for name in promised:
        check = said.get(name)
        gentle = check is None or check.waits or mode is not Mode.LIVE
        results.append(
            dg.AssetCheckResult(
                check_name=name,
                passed=check is not None and check.passed,
                severity=dg.AssetCheckSeverity.WARN if gentle else dg.AssetCheckSeverity.ERROR,
                description="It was not made." if check is None else check.text,
            )
        )
    return results
