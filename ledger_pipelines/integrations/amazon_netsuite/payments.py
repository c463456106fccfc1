"""Flow 3, payments: each order of the settlement is paid gross into the clearing account.

Belongs here: deciding one order's groups (8.4, 8.5) and the payment effect. Does not belong here: refunds, fees.
Fees are not netted from a payment; a payment never exceeds what its invoices have unpaid.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ledger_pipelines.documents.effects import Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.settlement import SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.amounts import (
    BASES,
    Basis,
    claimed,
    default_basis,
    distinct_bases,
)
from ledger_pipelines.integrations.amazon_netsuite.books import BILLABLE_STATUS, BookDocument
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decisions import (
    Decision,
    InvoicePlan,
    Planned,
    from_journal,
)
from ledger_pipelines.integrations.amazon_netsuite.matching import (
    OrderBooks,
    Payable,
    books_of,
    covers,
    share,
)
from ledger_pipelines.integrations.amazon_netsuite.order_invoices import (
    FULLY_FULFILLED,
    billed_in_part,
    invoice_key,
    invoice_made,
    plan_invoice,
    why_not,
)
from ledger_pipelines.integrations.amazon_netsuite.worklist import (
    CASH_SALE_IN_CLEARING,
    GroupState,
    amount_text,
    no_currency,
    no_order,
    nothing_to_pay,
)
from ledger_pipelines.sync.plan import Reason

FLOW = "payments"
PAYMENT = "customerPayment"


def decide_order(
    ctx: Context, groups: Sequence[SettlementGroup], payables: dict[str, Payable]
) -> tuple[list[Decision], list[InvoicePlan]]:
    """Decide the Order groups of one order id; what they will pay is taken off `payables` (shared by the settlement)."""
    order = books_of(ctx.books, groups[0], merchant=ctx.settings.general.match_merchant_order_id)
    fallback = default_basis(groups)
    decisions: list[Decision] = []
    waiting: list[SettlementGroup] = []
    for group in groups:
        decided = _without_books(ctx, group, order, fallback)
        if decided is None:
            waiting.append(group)
        else:
            decisions.append(decided)
    invoices: list[InvoicePlan] = []
    if waiting:
        open_invoices, invoices, obstacle = _payables_of(ctx, order, waiting, payables)
        _take_paid(ctx, decisions, open_invoices)
        if obstacle is not None:
            state, reason = obstacle
            basis = fallback
            if reason.code == CASH_SALE_IN_CLEARING:
                basis = _basis_in_clearing(ctx, order.cash_sales, waiting) or fallback
            decisions += [_open(g, basis, state, reason) for g in waiting]
        else:
            decisions += _pay_groups(ctx, waiting, open_invoices, fallback)
    return decisions, invoices


def _take_paid(ctx: Context, decisions: Sequence[Decision], payables: list[Payable]) -> None:
    """Take off what we paid after the books were read: they show it as unpaid still."""
    for decision in decisions:
        document = decision.document(PAYMENT)
        known = None if document is None else ctx.journal.known.get(document.key)
        if document is None or known is None or document.state is GroupState.IGNORED:
            continue
        if known.sent_at is not None and known.sent_at > ctx.books.read_at:
            for payable, part in share(document.amount, payables, decision.group):
                payable.unpaid -= part


def payment_title(group: SettlementGroup) -> str:
    """For people."""
    return f"Payment of Amazon order {group.order_id}"


def _open(group: SettlementGroup, basis: Basis, state: GroupState, reason: Reason) -> Decision:
    return Decision(group, state, reason, basis, claimed(group, basis))


def _without_books(ctx: Context, group: SettlementGroup, order: OrderBooks, basis: Basis) -> Decision | None:
    """What needs no matching: nothing to pay, or a payment the journal knows."""
    tax_cancels = group.amounts.tax + group.amounts.withheld_tax == 0
    if all(claimed(group, b) == 0 for b in BASES if not (b.tax and tax_cancels)):
        return Decision(group, GroupState.MATCHED, nothing_to_pay(), None)
    key = ctx.group_key(PAYMENT, group, "payment")
    entry = ctx.journal.known.get(key)
    if entry is None and key not in ctx.journal.ignored:
        return None
    paid = claimed(group, basis) if entry is None or entry.amount is None else entry.amount
    known = from_journal(ctx, key, PAYMENT, payment_title(group), paid)
    if known is None:
        return None
    near = min(distinct_bases(group), key=lambda b: abs(claimed(group, b) - paid))
    return Decision(
        group,
        known.state,
        known.reason,
        near,
        claimed(group, near),
        residue=max(claimed(group, near) - paid, ZERO),
        documents=(known,),
        sales_order=order.sales_orders[0].id if order.sales_orders else "",
        invoice=order.invoices[0].id if order.invoices else invoice_made(ctx, order.sales_orders),
    )


def _payables_of(
    ctx: Context, order: OrderBooks, groups: Sequence[SettlementGroup], payables: dict[str, Payable]
) -> tuple[list[Payable], list[InvoicePlan], tuple[GroupState, Reason] | None]:
    """Open invoices of the order, existing or planned here; or what stands in the way."""
    group = groups[0]
    if not order:
        return [], [], (GroupState.NO_ORDER, no_order(group.order_id))
    found: list[Payable] = []
    invoices: list[InvoicePlan] = []
    obstacle: tuple[GroupState, Reason] | None = None
    rest: Reason | None = None
    if order.cash_sales and not order.invoices:
        return [], [], _cash_sale(ctx, order.cash_sales, groups)
    channels = ctx.settings.order_invoices.channels
    group = next((g for g in groups if (g.channel or "MFN") in channels), group)
    forgotten = _forgotten(ctx, groups)
    for document in order.invoices:
        part = min(forgotten, document.total - document.unpaid)
        forgotten -= part
        found.append(payables.setdefault(document.id, Payable(document.id, document, document.unpaid + part)))
    billed = {document.created_from for document in order.invoices if document.created_from}
    for sales_order in order.sales_orders:
        if sales_order.id in billed or (order.invoices and not billed):
            if sales_order.status in BILLABLE_STATUS:
                rest = billed_in_part(sales_order, group)
            continue
        known = ctx.journal.confirmed(invoice_key(ctx, sales_order))
        reason = None if known else why_not(ctx, sales_order, group)
        if reason is not None:
            obstacle = (GroupState.NO_INVOICE, reason)
            continue
        planned = plan_invoice(ctx, sales_order, group)
        invoices.append(planned)
        if planned.planned.state in (GroupState.PERIOD_CLOSED, GroupState.ERROR, GroupState.IGNORED):
            obstacle = (planned.planned.state, planned.planned.reason)
        elif sales_order.status != FULLY_FULFILLED and known is None:
            obstacle = (
                GroupState.MATCHED,
                Reason(
                    "invoice-first",
                    f"Sales order {sales_order.number} is billed in part; the payment follows when its invoice is known.",
                    "Nothing: the next run pays it.",
                ),
            )
        else:
            reference = f"$link:{planned.planned.key}"
            found.append(payables.setdefault(reference, Payable(reference, sales_order, sales_order.total)))
    if found:
        obstacle = _unfit(ctx, found)
        if obstacle is None and rest is not None and all(p.unpaid == 0 for p in found):
            obstacle = (GroupState.NO_INVOICE, rest)
    return found, invoices, obstacle


def _forgotten(ctx: Context, groups: Sequence[SettlementGroup]) -> Decimal:
    """What our own payments of these groups took off the invoices, where the journal that knew them is lost.

    They are planned as if they were still to be made, and found under their external ids before anything is sent.
    """
    ours = ctx.books.ours_by_external_id
    names = (
        {ctx.external_id("P", ctx.group_key(PAYMENT, group, "payment")) for group in groups} if ours else ()
    )
    mine = (ours[name] for name in names if name in ours and not ours[name].voided)
    return sum((d.total - d.unused for d in mine), ZERO)


def _unfit(ctx: Context, found: list[Payable]) -> tuple[GroupState, Reason] | None:
    """Why invoices that were found cannot be paid by this settlement at all."""
    foreign = next((p for p in found if p.document.currency != ctx.currency), None)
    if foreign is not None:
        return GroupState.CURRENCY_DIFFERS, Reason(
            "currency-differs",
            f"{foreign.document.number} is in {foreign.document.currency}, the settlement in {ctx.currency}.",
            "Reissue the document in the settlement's currency, or book this order by hand and ignore the group.",
        )
    inactive = next((p for p in found if p.document.entity_inactive), None)
    if inactive is not None:
        return GroupState.CUSTOMER_INACTIVE, Reason(
            "customer-inactive",
            f"Customer {inactive.document.entity} of {inactive.document.number} is inactive.",
            "Make the customer active in NetSuite, then run again.",
        )
    if ctx.currency_id is None:
        return GroupState.ERROR, no_currency(ctx.currency)
    if ctx.clearing is None:
        name = ctx.settings.payment.netsuite_payment_account.get(ctx.currency)
        return GroupState.ERROR, Reason(
            "no-clearing-account",
            f"The NetSuite Payment Account for {ctx.currency} is {'not set' if name is None else f'{name!r}, which is no active account'}.",
            f"Set `payment.netsuite_payment_account.{ctx.currency}` to the clearing account.",
        )
    return None


def _basis_in_clearing(
    ctx: Context, sales: Sequence[BookDocument], groups: Sequence[SettlementGroup]
) -> Basis | None:
    """The basis under which the order's groups are what its cash sales put into the clearing account; None = they are not."""
    if any(not s.account_id or s.account_id != ctx.clearing or s.currency != ctx.currency for s in sales):
        return None
    total = sum((s.total for s in sales), ZERO)
    return next((b for b in BASES if sum((claimed(g, b) for g in groups), ZERO) == total), None)


def _cash_sale(
    ctx: Context, sales: Sequence[BookDocument], groups: Sequence[SettlementGroup]
) -> tuple[GroupState, Reason]:
    sale, group = sales[0], groups[0]
    if _basis_in_clearing(ctx, sales, groups) is not None:
        amount = amount_text(sum((s.total for s in sales), ZERO), ctx.currency)
        return GroupState.CASH_SALE, Reason(
            CASH_SALE_IN_CLEARING,
            f"Cash sale {sale.number} put {amount} into the clearing account already; the journal takes it out.",
        )
    return GroupState.CASH_SALE, Reason(
        "cash-sale",
        f"Order {group.order_id} is cash sale {sale.number}, which cannot be paid and is not in the clearing account.",
        "Move the cash sale to the clearing account, or ignore the group and book it by hand.",
    )


def _pay_groups(
    ctx: Context, groups: list[SettlementGroup], payables: list[Payable], fallback: Basis
) -> list[Decision]:
    common = _common_basis(groups, sum([p.unpaid for p in payables], ZERO))
    return [
        _pay(
            ctx, group, payables, common or _basis_of(group, payables, fallback), together=common is not None
        )
        for group in groups
    ]


def _common_basis(groups: Sequence[SettlementGroup], unpaid: Decimal) -> Basis | None:
    """The basis under which the order's groups are payments that sum to what its invoices have unpaid."""
    for basis in BASES if unpaid else ():
        parts = [claimed(group, basis) for group in groups]
        if sum(parts, ZERO) == unpaid and min(parts) > 0:
            return basis
    return None


def _basis_of(group: SettlementGroup, payables: list[Payable], fallback: Basis) -> Basis:
    """The basis under which the group fits: exactly one invoice, or all of them, or part of one with its items."""
    unpaid = [p.unpaid for p in payables if p.unpaid > 0]
    for basis in distinct_bases(group):
        if claimed(group, basis) in (*unpaid, sum(unpaid, ZERO)):
            return basis
    return fallback


def _pay(
    ctx: Context, group: SettlementGroup, payables: list[Payable], basis: Basis, *, together: bool
) -> Decision:
    """Decide one group. together: the order's groups sum to what its invoices have unpaid."""
    amount = claimed(group, basis)
    unpaid = sum([p.unpaid for p in payables], ZERO)
    numbers = ", ".join([p.document.number for p in payables])
    if amount == 0 and unpaid == 0:
        return _open(group, basis, GroupState.MATCHED, nothing_to_pay("Promotions paid for all of it"))
    if amount <= 0:
        return _open(group, basis, GroupState.ERROR, Reason(
            "not-positive",
            f"Order {group.order_id} comes to {amount_text(amount, ctx.currency)}, which is no payment.",
            "Book it by hand and ignore the group.",
        ))  # fmt: skip
    if not Money(amount, ctx.currency).is_bookable:
        return _open(group, basis, GroupState.ERROR, Reason(
            "unbookable-amount",
            f"{amount_text(amount, ctx.currency)} has more decimals than {ctx.currency} has.",
            "Ask Amazon about the order; nothing is rounded here.",
        ))  # fmt: skip
    if unpaid == 0:
        return _open(group, basis, GroupState.ALREADY_PAID, Reason(
            "already-paid",
            f"{numbers} has nothing unpaid, and was not paid by this settlement ({amount_text(amount, ctx.currency)}).",
            "See what paid it (another settlement, or a person). If that went into the clearing account for this very "
            "deposit, ignore the group; else un-apply that payment and run again.",
        ))  # fmt: skip
    pays = min(amount, unpaid)
    residue = amount - pays
    if not (together or _fits(ctx, group, payables, amount, unpaid)):
        state = GroupState.AMOUNT_DIFFERS
        if amount > unpaid and any(p.unpaid < p.document.total for p in payables):
            state = GroupState.OVER_PAID
        return _open(group, basis, state, _difference(ctx, group, basis, numbers, unpaid))
    shares = share(pays, payables, group)
    for payable, part in shares:
        payable.unpaid -= part
    planned = _payment(ctx, group, shares, pays)
    return Decision(
        group,
        planned.state,
        planned.reason,
        basis,
        amount,
        residue=residue,
        documents=(planned,),
        sales_order=shares[0][0].document.id if shares[0][0].reference.startswith("$") else "",
        invoice=shares[0][0].reference,
    )


def _fits(
    ctx: Context, group: SettlementGroup, payables: list[Payable], amount: Decimal, unpaid: Decimal
) -> bool:
    """Equal to what is unpaid (of one invoice or of all), or a shipment of the order, or within tolerance."""
    if amount == unpaid or any(p.unpaid == amount for p in payables):
        return True
    if amount < unpaid and any(p.unpaid >= amount and covers(p.document, group) for p in payables):
        return True
    return abs(amount - unpaid) <= ctx.settings.general.tolerance_per_order


def _difference(ctx: Context, group: SettlementGroup, basis: Basis, numbers: str, unpaid: Decimal) -> Reason:
    amounts = group.amounts
    parts = [
        f"{name} {amount_text(value, ctx.currency)}"
        for name, value in (
            ("product", amounts.product),
            ("shipping", amounts.shipping),
            ("gift wrap", amounts.giftwrap),
            ("promotions", amounts.promotion),
            ("tax", amounts.tax),
            ("withheld tax", amounts.withheld_tax),
        )
        if value
    ]
    amount = claimed(group, basis)
    return Reason(
        "amount-differs",
        f"Amazon paid {amount_text(amount, ctx.currency)} ({basis.words()}) for order {group.order_id}, "
        f"{numbers} has {amount_text(unpaid, ctx.currency)} unpaid: difference "
        f"{amount_text(amount - unpaid, ctx.currency)}. Amazon's parts: {'; '.join(parts)}.",
        "Correct the invoice (or credit it), then run again; or ignore the group.",
    )


def _payment(
    ctx: Context, group: SettlementGroup, shares: list[tuple[Payable, Decimal]], amount: Decimal
) -> Planned:
    key = ctx.group_key(PAYMENT, group, "payment")
    title = payment_title(group)
    wanted = max([ctx.document_day(group), *(p.document.day for p, _ in shares)])
    day = ctx.open_day(wanted)
    if day is None:
        return Planned(key, PAYMENT, title, amount, None, GroupState.PERIOD_CLOSED, Reason(
            "period-closed",
            f"The period of {wanted} is closed for the payment of order {group.order_id}.",
            "Open the period, or set `general.closed_period: first_open`.",
        ))  # fmt: skip
    if not ctx.settings.payment.enabled:
        return Planned(key, PAYMENT, title, amount, None, GroupState.NEW, Reason(
            "payments-off", "Matched; payments are switched off.", "Switch on `payment.enabled`."
        ))  # fmt: skip
    first = shares[0][0].document
    reference = ctx.external_id("P", key)
    body: dict[str, Json] = {
        "externalId": reference,
        "customer": {"id": first.entity_id},
        "currency": {"id": ctx.currency_id},
        "payment": amount,
        "undepFunds": False,
        "account": {"id": ctx.clearing},
        "tranDate": day.isoformat(),
        "memo": f"{ctx.marked}Amazon order {group.order_id}, settlement {ctx.sid}",
        "autoApply": False,
        "apply": {"items": [{"doc": _doc(p.reference), "apply": True, "amount": part} for p, part in shares]},
        **ctx.marks(group.order_id),
    }
    if first.account_id:
        body["arAcct"] = {"id": first.account_id}
    effect = ctx.effect(
        FLOW,
        PAYMENT,
        key,
        external_id=reference,
        number=group.order_id,
        title=title,
        body=body,
        expected=Expected(Money(amount, ctx.currency), day),
        depends_on=tuple(
            p.reference.removeprefix("$link:") for p, _ in shares if p.reference.startswith("$")
        ),
        source=ctx.source_of(group),
    )
    numbers = ", ".join(p.document.number for p, _ in shares)
    return Planned(key, PAYMENT, title, amount, effect, GroupState.MATCHED, Reason(
        "pay", f"Pays {amount_text(amount, ctx.currency)} to {numbers}."
    ))  # fmt: skip


def _doc(reference: str) -> dict[str, Json]:
    if reference.startswith("$link:"):
        return {"id": {"$link": reference.removeprefix("$link:")}}
    return {"id": reference}
