"""How results of a settlement's chain are shown: metadata, checks, sentences.

Belongs here: from a plan, an apply, a read-back, figures to what stands in the UI. Does not belong here: making any
of them (`integrations`), names of metadata (`metadata`).

What an accountant wants of an export decides its colour:
  * everything has its document: green.
  * some rows wait for a person or for time: the asset is materialized, because what could be written was, the check
    "nothing open" is a warning, and the rows are listed with what to do. The chain goes on: one bad group stops none.
  * nothing could be done, because the connection is parked, a guard tripped or the run was stopped: the step fails with
    the sentence and the remedy; downstream assets of the run are not reached.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from ledger_pipelines.documents.effects import Action, Mode
from ledger_pipelines.documents.money import exponent, plain
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration.results import Shown
from ledger_pipelines.storage.atomic import make_folder, write_atomically
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult, Outcome, RowResult

if TYPE_CHECKING:
    from ledger_pipelines.integrations.amazon_netsuite.books import Books
    from ledger_pipelines.integrations.amazon_netsuite.readback import ReadBack
    from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation

NOTHING_BLOCKED = "nothing_blocked"
NOTHING_OPEN = "nothing_open"
RECONCILIATION_CHECKS = {
    "deposit_is_booked": "What Amazon paid out is what the journals booked to the bank, to the cent.",
    "clearing_is_zero": "Our documents leave 0.00 on the clearing account.",
    "nothing_left_open": "Every group of the settlement is booked, verified or ignored by a person.",
}
_SETTLED = frozenset(
    {Outcome.WRITTEN, Outcome.ADOPTED, Outcome.ALREADY, Outcome.SKIPPED, Outcome.IGNORED, Outcome.WOULD_WRITE}
)
_NUMBERS = {
    Outcome.WRITTEN: m.WRITTEN,
    Outcome.ADOPTED: m.ADOPTED,
    Outcome.ALREADY: m.ALREADY,
    Outcome.WOULD_WRITE: m.WOULD_WRITE,
    Outcome.OPEN: m.OPEN,
    Outcome.WAITING: m.WAITING,
    Outcome.BLOCKED: m.BLOCKED,
    Outcome.LEFT: m.LEFT,
}


def books(found: Books) -> Shown:
    """What was read of the target."""
    by_record = Counter(document.record for document in found.documents)
    return {
        m.DOCUMENTS: len(found.documents),
        m.COUNTS: m.counts_table({**by_record, "documents of ours": len(found.ours)}),
        m.DIGEST: found.content_digest(),
    }


def plan(made: Plan, path: str) -> Shown:
    """Counts by action, totals by currency, the commonest reasons, the rows."""
    reasons = Counter((row.action.value, row.reason.code) for row in made.rows)
    first = {(row.action.value, row.reason.code): row.reason for row in reversed(made.rows)}
    counts = made.counts()
    return {
        m.ROWS: len(made.rows),
        m.BLOCKED: counts[Action.BLOCKED],
        m.COUNTS: m.counts_table({action.value: count for action, count in counts.items()}),
        m.TOTALS: m.table(
            ("action", "record", "documents", "total"),
            [(t.action.value, t.kind, f"{t.count:,}", m.money_text(t.amount)) for t in made.totals()],
            right=(2, 3),
        ),
        m.TOP_REASONS: m.table(
            ("action", "rows", "reason", "for example", "what to do"),
            [
                (action, f"{n:,}", code, first[action, code].text, first[action, code].remedy)
                for (action, code), n in reasons.most_common(10)
            ],
            right=(1,),
        ),
        m.PLAN_ROWS: m.table(
            ("order", "document", "action", "amount", "why"),
            [(r.number, r.title, r.action.value, m.money_text(r.amount), r.reason.text) for r in made.rows],
            right=(3,),
            none="The plan has no rows.",
        ),
        m.CSV: dg.MetadataValue.path(path),
        m.DIGEST: made.digest,
        **({m.NOTES: "\n".join(made.notes)} if made.notes else {}),
    }


def plan_check(made: Plan) -> dg.AssetCheckResult:
    """Whether a row waits for a person: a warning, never a stop."""
    blocked = [row for row in made.rows if row.action is Action.BLOCKED]
    return dg.AssetCheckResult(
        check_name=NOTHING_BLOCKED,
        passed=not blocked,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(blocked):,} rows wait for a person." if blocked else "No row waits for a person.",
        metadata={
            m.SETTLEMENT: made.partition,
            m.OPEN_ITEMS: m.table(
                ("order", "document", "amount", "why", "what to do"),
                [
                    (r.number, r.title, m.money_text(r.amount), r.reason.text, r.reason.remedy)
                    for r in blocked
                ],
                right=(2,),
            ),
        },
    )


def plan_csv(data_dir: str, made: Plan) -> str:
    """Write the whole plan as CSV for an accountant, and say where.

    Cells that a spreadsheet would take for a formula begin with an apostrophe (CWE-1236); amounts stay numbers.
    """
    from upath import UPath  # noqa: PLC0415 (load time)

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        (
            "order",
            "document",
            "record",
            "action",
            "amount",
            "currency",
            "state",
            "reason",
            "why",
            "what to do",
        )
    )
    for row in made.rows:
        amount = "" if row.amount is None else plain(row.amount.amount, exponent(row.amount.currency))
        words = (row.number, row.title, row.kind, row.action.value)
        rest = (row.state, row.reason.code, row.reason.text, row.reason.remedy)
        currency = "" if row.amount is None else row.amount.currency
        writer.writerow((*map(_inert, words), amount, currency, *map(_inert, rest)))
    folder = UPath(data_dir) / "reports" / "plans" / made.integration / made.partition
    path = folder / f"{made.flow}.csv"
    make_folder(folder)
    write_atomically(path, ("\ufeff" + text.getvalue()).encode())
    return str(path)


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def open_rows(result: ApplyResult) -> list[RowResult]:
    """Rows without their document."""
    return [row for row in (*result.rows, *result.others) if row.outcome not in _SETTLED or row.needs_person]


def export(result: ApplyResult) -> Shown:
    """What was written, what is open and what to do about it."""
    counts = result.counts()
    numbers = {name: counts[outcome] for outcome, name in _NUMBERS.items()}
    return {
        m.MODE: result.mode,
        m.COUNTS: m.counts_table({outcome.value: count for outcome, count in counts.items()}),
        m.OPEN_ITEMS: open_items(open_rows(result)),
        m.PLAN_ROWS: m.table(
            ("order", "document", "outcome", "in the target", "amount", "why"),
            [
                (
                    r.number,
                    r.title,
                    r.outcome.value,
                    r.remote_number or r.remote_id,
                    m.money_text(r.amount),
                    r.reason.text,
                )
                for r in result.rows
            ],
            right=(4,),
            none="The plan has no rows.",
        ),
        **numbers,
        m.REFUSED: counts[Outcome.REFUSED] + counts[Outcome.HELD],
        m.SENDS: result.sends,
        m.PROBES: result.probes,
        m.DIGEST: result.plan_digest,
    }


def open_items(rows: Sequence[RowResult]) -> dg.MarkdownMetadataValue:
    """Rows without their document, with the reason and the one thing to do."""
    return m.table(
        ("order", "document", "amount", "state", "why", "what to do", "key"),
        [
            (
                row.number,
                row.title,
                m.money_text(row.amount),
                row.outcome.value,
                row.reason.text,
                remedy(row),
                row.key,
            )
            for row in rows
        ],
        right=(2,),
        none="Nothing is open.",
    )


def remedy(row: RowResult) -> str:
    """The one thing to do about a row."""
    if row.reason.remedy or row.resolvable_at is None:
        return row.reason.remedy
    return f"Nothing: it settles itself after {row.resolvable_at:%Y-%m-%d %H:%M} UTC."


def export_log(result: ApplyResult) -> Iterator[str]:
    """One line a row that something happened to, for the run's log."""
    for row in (*result.rows, *result.others):
        if row.outcome not in {Outcome.SKIPPED, Outcome.ALREADY}:
            name = row.remote_number or row.remote_id
            into = f" as {name}" if name else ""
            yield f"{row.outcome.value}: {row.title}{into} {m.money_text(row.amount)} {row.reason.text}"


def why_stopped(result: ApplyResult) -> str | None:
    """Why nothing more could be done at all, with the remedy; None when the plan was carried out."""
    if result.parked is not None:
        return f"{result.parked.text} {result.parked.remedy}".strip()
    if result.tripped:
        said = "; ".join(f"{v.guard}: {v.reason.text} {v.reason.remedy}".strip() for v in result.tripped)
        return f"Nothing was written: {said}"
    if result.stopped is not None:
        return f"{result.stopped.text} {result.stopped.remedy}".strip()
    return None


def export_check(result: ApplyResult) -> dg.AssetCheckResult:
    """Whether every row has its document: a warning, because the others were written."""
    rows = open_rows(result)
    persons = sum(row.needs_person for row in rows)
    waiting = len(rows) - persons
    parts = [f"{persons:,} rows need a person"] if persons else []
    parts += [f"{waiting:,} rows settle themselves later"] if waiting else []
    written = "Nothing is written in mode plan." if result.mode == Mode.PLAN.value else "Nothing is open."
    return dg.AssetCheckResult(
        check_name=NOTHING_OPEN,
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(parts) + "." if parts else written,
        metadata={m.SETTLEMENT: result.partition, m.OPEN_ITEMS: open_items(rows)},
    )


def readback(after: ReadBack) -> Shown:
    """Our documents, and what they posted where."""
    return {
        m.DOCUMENTS: len(after.documents),
        m.COUNTS: m.counts_table(Counter(document.record for document in after.documents)),
        m.TOTALS: m.table(
            ("account", "name", "record", "memo", "debit - credit"),
            [(a.number, a.name, a.record, a.memo, plain(a.amount, 2)) for a in after.accounts],
            right=(4,),
        ),
        m.DIGEST: after.content_digest(),
    }


def reconciliation(figures: Reconciliation, statement: Path | None) -> Shown:
    """The settlement in figures."""
    text = {
        "Deposit, as Amazon states it": figures.deposit,
        "Paid by orders": figures.paid,
        "Refunded": figures.refunded,
        "Fees and other amounts": figures.journaled,
        "Booked to the bank": figures.booked,
        "Difference": figures.difference,
        "Left on the clearing account": figures.clearing,
    }
    currency = figures.currency
    return {
        m.FIGURES: m.table(
            ("", currency), [(k, m.amount_text(v, currency)) for k, v in text.items()], right=(1,)
        ),
        m.DEPOSIT: m.amount_text(figures.deposit, currency),
        m.BOOKED: m.amount_text(figures.booked, currency),
        m.CLEARING: m.amount_text(figures.clearing, currency),
        m.DIFFERENCE: m.amount_text(figures.difference, currency),
        m.GROUPS: figures.groups,
        m.GROUPS_OPEN: figures.open,
        m.AMOUNT_PLOT: m.for_plot(figures.deposit),
        m.CLEARING_PLOT: m.for_plot(figures.clearing),
        m.DIFFERENCE_PLOT: m.for_plot(figures.difference),
        **({} if statement is None else {m.STATEMENT: dg.MetadataValue.path(str(statement))}),
    }


def reconciliation_checks(figures: Reconciliation, mode: Mode) -> list[dg.AssetCheckResult]:
    """The three promises. An error in mode live; in plan and test nothing, or only some of it, was written."""
    severity = dg.AssetCheckSeverity.ERROR if mode is Mode.LIVE else dg.AssetCheckSeverity.WARN
    currency = figures.currency
    said = {
        "deposit_is_booked": (
            figures.difference == 0,
            f"Deposit {m.amount_text(figures.deposit, currency)}, booked {m.amount_text(figures.booked, currency)}.",
        ),
        "clearing_is_zero": (
            figures.clearing == 0,
            f"{m.amount_text(figures.clearing, currency)} is left on the clearing account.",
        ),
        "nothing_left_open": (figures.open == 0, f"{figures.open:,} of {figures.groups:,} groups are open."),
    }
    return [
        dg.AssetCheckResult(
            check_name=name,
            passed=passed,
            severity=severity if name != "nothing_left_open" else dg.AssetCheckSeverity.WARN,
            description=text,
        )
        for name, (passed, text) in said.items()
    ]
