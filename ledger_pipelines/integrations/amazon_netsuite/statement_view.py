"""The settlement statement's view, filled from decisions, plans and the read-back.

Belongs here: which of our facts stands where on the statement. Does not belong here: how it looks (`reports`),
gathering the facts (`service`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ledger_pipelines.config.connections import AmazonConnectionConfig, NetSuiteConnectionConfig
from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import Kind, SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.books import CREDIT_MEMO, OurDocument
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision, Planned
from ledger_pipelines.integrations.amazon_netsuite.payments import PAYMENT
from ledger_pipelines.integrations.amazon_netsuite.readback import JOURNAL, ReadBack
from ledger_pipelines.integrations.amazon_netsuite.refunds import CUSTOMER_REFUND
from ledger_pipelines.integrations.amazon_netsuite.summary_update import summary_status
from ledger_pipelines.integrations.amazon_netsuite.verify import (
    LETTERS,
    Reconciliation,
    reconcile,
    verified,
)
from ledger_pipelines.integrations.amazon_netsuite.worklist import CASH_SALE_IN_CLEARING, ON_ITS_WAY, RESOLVED
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
from ledger_pipelines.reports.waterfall import waterfall_of
from ledger_pipelines.storage.atomic import make_folder, write_atomically
from ledger_pipelines.sync.plan import Plan

FILE = "statement.html"
_SELLER_CENTRAL = {
    "na": "https://sellercentral.amazon.com/orders-v3/order/{order_id}",
    "eu": "https://sellercentral-europe.amazon.com/orders-v3/order/{order_id}",
    "fe": "https://sellercentral.amazon.co.jp/orders-v3/order/{order_id}",
}


def document_link(target: NetSuiteConnectionConfig) -> str:
    """Address of a transaction in NetSuite's pages, with `{id}`; "" for the sandbox, which has no pages.

    The form of the address is practitioners' knowledge, not in the API reference.
    """
    if target.sandbox:
        return ""
    host = target.account.lower().replace("_", "-")
    return f"https://{host}.app.netsuite.com/app/accounting/transactions/transaction.nl?id={{id}}"


def order_link(source: AmazonConnectionConfig) -> str:
    """Address of an order in Seller Central, with `{order_id}`; "" for the sandbox. Inferred as `document_link`."""
    return "" if source.sandbox else _SELLER_CENTRAL[source.region]


def statement_data(
    ctx: Context,
    decisions: Sequence[Decision],
    *,
    after: ReadBack | None,
    plans: Sequence[Plan],
    journals: Iterable[Effect],
    made_at: datetime,
    mode: str,
    links: Mapping[str, str] | None = None,
) -> StatementData:
    """Everything a statement shows.

    Args:
        ctx: The settlement's context.
        decisions: Of all its groups.
        after: The read-back; None before anything was written.
        plans: Latest plans, in order of the flows.
        journals: Effects of the settlement journal, from the journal database or the plan; others are passed over.
        made_at: Now, UTC.
        mode: plan, test or live.
        links: Address templates: `document` with `{id}`, `order` with `{order_id}`; left out or empty: no link.
    """
    figures = None if after is None else reconcile(ctx, seen := verified(ctx, decisions, after), after)
    if after is None:
        seen = list(decisions)
    templates = links or {}
    settlement = ctx.settlement
    groups = [decision.group for decision in seen]
    return StatementData(
        heading=Heading(
            settlement_id=ctx.sid,
            integration=ctx.integration,
            source=ctx.source,
            target=ctx.target,
            currency=ctx.currency,
            start=business_date(settlement.start, ctx.zone),
            end=business_date(settlement.end, ctx.zone),
            deposit_day=ctx.deposit_day,
            total=settlement.total.amount,
            status="Planned" if figures is None else str(summary_status(figures)),
            mode=mode,
            made_at=made_at,
            time_zone=str(ctx.zone),
        ),
        figures=_figures(ctx, seen, figures),
        waterfall=waterfall_of(groups, ctx.currency),
        kinds=_kinds(groups),
        entries=tuple(_entries(ctx, journals, after, templates)),
        documents=tuple(_documents(ctx, seen, after, templates)),
        open=tuple(_open(seen, preview=figures is None)),
        plans=tuple(_plan(plan) for plan in plans),
        provenance=Provenance(
            file_hash=settlement.content_hash,
            rows_hash=settlement.rows_hash,
            variant=settlement.variant,
            encoding=settlement.encoding,
            rows=settlement.rows,
            row_sum=settlement.sum.amount,
        ),
    )


def write_statement(folder: Path, data: StatementData) -> Path:
    """Write the page, whole or not at all; its path. Raises OSError."""
    make_folder(folder)
    path = folder / FILE
    write_atomically(path, render(data).encode())
    return path


def _figures(ctx: Context, seen: Sequence[Decision], figures: Reconciliation | None) -> Figures:
    if figures is None:
        ready = sum(1 for decision in seen if not _is_open(decision, preview=True))
        return Figures(deposit=ctx.settlement.total.amount, groups=len(seen), resolved=ready)
    return Figures(
        deposit=figures.deposit,
        booked=figures.booked,
        clearing=figures.clearing,
        paid=figures.paid,
        refunded=figures.refunded,
        journaled=figures.journaled,
        groups=figures.groups,
        resolved=figures.resolved,
    )


def _is_open(decision: Decision, *, preview: bool) -> bool:
    """Whether a group stands on the list of open ones; before anything is written, what a run would settle does not."""
    if preview:
        return not decision.settled and not decision.pending
    return decision.state not in RESOLVED and decision.reason.code != CASH_SALE_IN_CLEARING


def _kinds(groups: Iterable[SettlementGroup]) -> tuple[KindLine, ...]:
    sums: dict[Kind, tuple[int, Decimal]] = {}
    for group in groups:
        for part in group.kinds:
            rows, amount = sums.get(part.kind, (0, ZERO))
            sums[part.kind] = (rows + part.rows, amount + part.amount)
    return tuple(
        KindLine(kind.triple, kind.category, kind.known, rows, amount)
        for kind, (rows, amount) in sorted(sums.items())
    )


def _entries(
    ctx: Context, effects: Iterable[Effect], after: ReadBack | None, links: Mapping[str, str]
) -> Iterable[Entry]:
    names = {record.id: f"{record.number} {record.name}".strip() for record in ctx.books.resolved.values()}
    if after is not None:
        names |= {a.account_id: f"{a.number} {a.name}".strip() for a in after.accounts}
    for effect in sorted((e for e in effects if e.kind == JOURNAL), key=lambda e: e.external_id):
        body = decode(effect.body)
        written = None if after is None else after.by_external_id.get(effect.external_id)
        yield Entry(
            title=effect.title,
            day=effect.expected.day or ctx.deposit_day,
            state="not booked yet",
            number="" if written is None else written.number or written.id,
            link=_link(links, written),
            lines=tuple(_lines(body, names)),
        )


def _lines(body: Json, names: Mapping[str, str]) -> Iterable[EntryLine]:
    sublist = body.get("line") if isinstance(body, dict) else None
    items = sublist.get("items") if isinstance(sublist, dict) else None
    for line in items if isinstance(items, list) else []:
        if isinstance(line, dict):
            account = line.get("account")
            account_id = str(account.get("id")) if isinstance(account, dict) else ""
            yield EntryLine(
                names.get(account_id, account_id),
                str(line.get("memo") or ""),
                _amount(line.get("debit")),
                _amount(line.get("credit")),
            )


def _amount(value: Json) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value) if isinstance(value, int) else ZERO


def _documents(
    ctx: Context, seen: Iterable[Decision], after: ReadBack | None, links: Mapping[str, str]
) -> Iterable[DocumentLine]:
    for decision in seen:
        group = decision.group
        found = {planned.kind: _written(ctx, planned, after) for planned in decision.documents}
        memo = found.get(CREDIT_MEMO)
        for planned in decision.documents:
            if planned.kind == CREDIT_MEMO and len(decision.documents) > 1:
                continue
            written = found[planned.kind]
            expected = None if planned.effect is None else planned.effect.expected.day
            day = (written.day if written is not None else None) or expected or ctx.document_day(group)
            yield DocumentLine(
                order_id=group.order_id,
                order_link=_filled(links.get("order", ""), order_id=group.order_id),
                what=_what(planned, memo),
                number="" if written is None else written.number or written.id,
                link=_link(links, written),
                day=day,
                state=str(decision.state),
                amount=_into_clearing(planned),
                rows=_ordinals(group),
            )


def _written(ctx: Context, planned: Planned, after: ReadBack | None) -> OurDocument | None:
    if after is None or planned.kind not in LETTERS:
        return None
    return after.by_external_id.get(ctx.external_id(LETTERS[planned.kind], planned.key))


def _what(planned: Planned, memo: OurDocument | None) -> str:
    number = "" if memo is None else f" {memo.number or memo.id}"
    if planned.kind == CREDIT_MEMO:
        return "Credit memo, applied to its invoice"
    if planned.kind == CUSTOMER_REFUND:
        return f"Refund of credit memo{number}"
    return "Payment"


def _into_clearing(planned: Planned) -> Decimal:
    return {PAYMENT: planned.amount, CUSTOMER_REFUND: -planned.amount}.get(planned.kind, ZERO)


def _open(seen: Iterable[Decision], *, preview: bool) -> list[OpenLine]:
    """Stuck ones first, then those on their way."""
    found = sorted(
        (decision for decision in seen if _is_open(decision, preview=preview)),
        key=lambda decision: decision.state in ON_ITS_WAY,
    )
    return [
        OpenLine(
            order_id=decision.group.order_id,
            what=decision.group.type,
            state=str(decision.state),
            amount=decision.claimed if decision.basis is not None else decision.group.amounts.net,
            text=decision.reason.text,
            remedy=decision.reason.remedy,
            rows=_ordinals(decision.group),
        )
        for decision in found
    ]


def _plan(plan: Plan) -> PlanLine:
    counts = ", ".join(f"{count} {action.value}" for action, count in plan.counts().items() if count)
    return PlanLine(plan.flow, plan.made_at, plan.digest, counts or "nothing to do")


def _ordinals(group: SettlementGroup) -> str:
    first, last = group.ordinals
    return str(first) if first == last else f"{first}-{last}"


def _link(links: Mapping[str, str], written: OurDocument | None) -> str:
    return "" if written is None else _filled(links.get("document", ""), id=written.id)


def _filled(template: str, **values: str) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template
