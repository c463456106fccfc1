"""Flow 4, refunds: a credit memo for what was refunded, and a customer refund out of the clearing account.

Belongs here: deciding one refund group (8.6) and its two effects. Does not belong here: Amazon's returned
commission and refund administration fee (`settlement_journal`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.effects import Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money, quotient
from ledger_pipelines.documents.settlement import Component, ItemLine, SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.amounts import BASES, Basis, claimed, default_basis
from ledger_pipelines.integrations.amazon_netsuite.books import CREDIT_MEMO, BookDocument
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision, Planned, from_journal
from ledger_pipelines.integrations.amazon_netsuite.matching import (
    OrderBooks,
    Payable,
    books_of,
    covers,
    line_of,
    principal,
)
from ledger_pipelines.integrations.amazon_netsuite.order_invoices import invoice_key, invoice_made
from ledger_pipelines.integrations.amazon_netsuite.settings import OpenInvoice, RestockingFee, TaxMode
from ledger_pipelines.integrations.amazon_netsuite.worklist import (
    GroupState,
    amount_text,
    no_currency,
    no_invoice,
    no_order,
    nothing_to_pay,
)
from ledger_pipelines.sync.plan import Reason

FLOW = "refunds"
CUSTOMER_REFUND = "customerRefund"
RESTOCKING = "restocking"
TAX_REFUNDED = "Tax refunded"


@dataclass(frozen=True, slots=True)
class MemoLine:
    """A line of the credit memo, in positive amounts (a restocking fee and a promotion are negative)."""

    item_id: str
    quantity: Decimal
    rate: Decimal
    amount: Decimal
    description: str


class _NoItemError(Exception):
    """A line has no item; holds the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def decide_refund(
    ctx: Context, group: SettlementGroup, payables: dict[str, Payable], *, paid_here: bool
) -> Decision:
    """Decide one Refund or Chargeback group.

    Args:
        payables: What the invoices have unpaid.
        paid_here: This settlement pays the order, now or once what stands in the way is resolved, so that all of the
            refund goes back through clearing.
    """
    basis = _basis(group)
    amount = refunded(ctx, group, basis)
    untaxed = all(claimed(group, b) == 0 for b in BASES if not b.tax)
    if untaxed and not amount:
        return Decision(
            group, GroupState.MATCHED, nothing_to_pay("Nothing was given back to the buyer"), None
        )

    def stuck(state: GroupState, reason: Reason) -> Decision:
        return Decision(group, state, reason, basis, -amount)

    memo_key = ctx.group_key(CREDIT_MEMO, group, "credit")
    refund_key = ctx.group_key(CUSTOMER_REFUND, group, "refund")
    memo = from_journal(ctx, memo_key, CREDIT_MEMO, _title("Credit memo", group), amount)
    refund = from_journal(ctx, refund_key, CUSTOMER_REFUND, _title("Refund", group), amount)
    order = books_of(ctx.books, group, merchant=ctx.settings.general.match_merchant_order_id)
    if memo is None and not ctx.settings.refund.enabled:
        return stuck(GroupState.NEW, Reason(
            "refunds-off", "Matched; refunds are switched off.", "Switch on `refund.enabled`."
        ))  # fmt: skip
    if memo is not None and (refund is not None or _nothing_follows(ctx, memo)):
        known = _invoice_of(ctx, order, group, payables)
        if isinstance(known, Payable):
            _credit(
                ctx, known, order, memo_key, amount, _applied(ctx, memo, known, amount, paid_here=paid_here)
            )
        both = (memo,) if refund is None else (memo, refund)
        return _known(ctx, group, basis, amount, both, order)
    if amount <= 0:
        return stuck(GroupState.ERROR, Reason(
            "not-a-refund",
            f"The refund of order {group.order_id} comes to {amount_text(-amount, ctx.currency)} for the seller.",
            "Book it by hand and ignore the group.",
        ))  # fmt: skip
    found = _invoice_of(ctx, order, group, payables)
    if isinstance(found, _Stuck):
        return stuck(found.state, found.reason)
    obstacle = _obstacle(ctx, found, order, group, amount)
    if obstacle is not None:
        return stuck(obstacle.state, obstacle.reason)
    wanted = max(ctx.document_day(group), found.document.day)
    day = ctx.open_day(wanted)
    if day is None:
        return stuck(GroupState.PERIOD_CLOSED, Reason(
            "period-closed",
            f"The period of {wanted} is closed for the refund of order {group.order_id}.",
            "Open the period, or set `general.closed_period: first_open`.",
        ))  # fmt: skip
    try:
        lines = memo_lines(ctx, group, found.document, basis) if memo is None else []
    except _NoItemError as error:
        return stuck(GroupState.ITEM_NOT_FOUND, error.reason)
    if (
        memo is None
        and sum((line.amount for line in lines), ZERO) + _computed_tax(ctx, group, basis, lines) != amount
    ):
        return stuck(GroupState.ERROR, Reason(
            "memo-does-not-foot",
            f"The credit memo's lines do not sum to the {amount_text(amount, ctx.currency)} refunded.",
            "Report this file: nothing is written.",
        ))  # fmt: skip
    applied = _applied(ctx, memo, found, amount, paid_here=paid_here)
    _credit(ctx, found, order, memo_key, amount, applied)
    if memo is None:
        memo = _memo(ctx, group, found, lines, amount, applied, day, memo_key)
    documents = [memo]
    if amount > applied:
        documents.append(
            refund or _refund(ctx, group, found.document, amount - applied, day, memo_key, refund_key)
        )
    reason = memo.reason
    if applied:
        reason = Reason(
            "credit-applied",
            f"{amount_text(applied, ctx.currency)} is credited to {found.document.number}, which is still unpaid, "
            "so it does not pass through clearing.",
        )
    return Decision(
        group,
        GroupState.MATCHED,
        reason,
        basis,
        -amount,
        documents=tuple(documents),
        invoice=found.reference,
    )


def _credit(
    ctx: Context, invoice: Payable, order: OrderBooks, memo_key: str, amount: Decimal, applied: Decimal
) -> None:
    """Count a credit memo against its invoice, unless the books as read count it already."""
    reference = ctx.external_id("C", memo_key)
    if all(m.external_id != reference for m in order.credit_memos):
        invoice.credited += amount
        invoice.unpaid -= min(applied, invoice.unpaid)


def _nothing_follows(ctx: Context, memo: Planned) -> bool:
    """Whether a credit memo that the journal knows is followed by no refund: all of it was applied, or a person has it."""
    if memo.state is GroupState.BOOKED:
        return ctx.journal.known[memo.key].applied >= memo.amount
    return memo.state in (GroupState.ERROR, GroupState.IGNORED)


def _applied(
    ctx: Context, memo: Planned | None, invoice: Payable, amount: Decimal, *, paid_here: bool
) -> Decimal:
    """How much of the credit memo goes to the invoice itself; the rest is refunded."""
    if memo is not None:
        return ctx.journal.known[memo.key].applied
    if paid_here or ctx.settings.refund.open_invoice is OpenInvoice.CLEARING:
        return ZERO
    return min(invoice.unpaid, amount)


def refunded(ctx: Context, group: SettlementGroup, basis: Basis) -> Decimal:
    """What the buyer got back, positive: the credit memo's total."""
    amount = -claimed(group, basis)
    if ctx.settings.refund.restocking_fee is RestockingFee.CREDIT_LINE:
        amount -= _restocking(group)
    return amount


def _restocking(group: SettlementGroup) -> Decimal:
    return sum((k.amount for k in group.kinds if k.kind.category == RESTOCKING), ZERO)


def _basis(group: SettlementGroup) -> Basis:
    return default_basis([group])


def _title(what: str, group: SettlementGroup) -> str:
    return f"{what} for Amazon order {group.order_id}"


def _known(
    ctx: Context,
    group: SettlementGroup,
    basis: Basis,
    amount: Decimal,
    documents: tuple[Planned, ...],
    order: OrderBooks,
) -> Decision:
    worst = next((d for d in documents if d.state is not GroupState.BOOKED), documents[-1])
    return Decision(
        group, worst.state, worst.reason, basis, -amount, documents=documents,
        invoice=order.invoices[0].id if order.invoices else invoice_made(ctx, order.sales_orders),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Stuck:
    state: GroupState
    reason: Reason


def _invoice_of(
    ctx: Context, order: OrderBooks, group: SettlementGroup, payables: dict[str, Payable]
) -> Payable | _Stuck:
    """The invoice the refund belongs to: the one with its items, else the oldest; planned ones count."""
    if not order:
        return _Stuck(GroupState.NO_ORDER, no_order(group.order_id))
    if order.invoices:
        with_items = [d for d in order.invoices if covers(d, group)]
        has_skus = [d for d in order.invoices if any(line_of(d, line) for line in group.lines)]
        document = (with_items or has_skus or list(order.invoices))[0]
        return payables.setdefault(document.id, Payable(document.id, document, document.unpaid))
    for sales_order in order.sales_orders:
        planned = payables.get(f"$link:{invoice_key(ctx, sales_order)}")
        if planned is not None:
            return planned
        made = invoice_made(ctx, [sales_order])
        if made:  # billed, and perhaps paid, after these books were read
            return payables.setdefault(made, Payable(made, sales_order, sales_order.total))
    if order.cash_sales:
        return _Stuck(GroupState.CASH_SALE, Reason(
            "cash-sale",
            f"Order {group.order_id} is cash sale {order.cash_sales[0].number}; a credit memo does not fit it.",
            "Make a cash refund from it in NetSuite, out of the clearing account, then ignore the group.",
        ))  # fmt: skip
    number = order.sales_orders[0].number
    return _Stuck(GroupState.NO_INVOICE, no_invoice(
        group.order_id,
        f"sales order {number} was refunded before it was invoiced",
        "Bill the sales order (or wait for the settlement that pays it), then run again.",
    ))  # fmt: skip


def _obstacle(
    ctx: Context, payable: Payable, order: OrderBooks, group: SettlementGroup, amount: Decimal
) -> _Stuck | None:
    invoice = payable.document
    if invoice.currency != ctx.currency:
        return _Stuck(GroupState.CURRENCY_DIFFERS, Reason(
            "currency-differs",
            f"{invoice.number} is in {invoice.currency}, the settlement in {ctx.currency}.",
            "Credit it by hand in its own currency, then ignore the group.",
        ))  # fmt: skip
    if invoice.entity_inactive:
        return _Stuck(GroupState.CUSTOMER_INACTIVE, Reason(
            "customer-inactive",
            f"Customer {invoice.entity} of {invoice.number} is inactive.",
            "Make the customer active in NetSuite, then run again.",
        ))  # fmt: skip
    if ctx.currency_id is None:
        return _Stuck(GroupState.ERROR, no_currency(ctx.currency))
    if not Money(amount, ctx.currency).is_bookable:
        return _Stuck(GroupState.ERROR, Reason(
            "unbookable-amount",
            f"{amount_text(amount, ctx.currency)} has more decimals than {ctx.currency} has.",
            "Ask Amazon about the refund; nothing is rounded here.",
        ))  # fmt: skip
    if ctx.refund_account is None:
        return _Stuck(GroupState.ERROR, Reason(
            "no-refund-account",
            f"The NetSuite Refund Account for {ctx.currency} is not set, or is no active account.",
            f"Set `payment.netsuite_payment_account.{ctx.currency}` or `refund.netsuite_refund_account`.",
        ))  # fmt: skip
    foreign = [m for m in order.credit_memos if not m.external_id.startswith("AZS-")]
    same = next((m for m in foreign if m.total == amount), None)
    if same is not None:
        return _Stuck(GroupState.DUPLICATE, Reason(
            "credit-memo-exists",
            f"Credit memo {same.number} over {amount_text(same.total, same.currency)} exists for order "
            f"{group.order_id}, and is not ours.",
            "If it is this refund, ignore the group; else change its order id and run again.",
        ))  # fmt: skip
    own_key = ctx.external_id("C", ctx.group_key(CREDIT_MEMO, group, "credit"))
    earlier = sum((m.total for m in order.credit_memos if m.external_id != own_key), payable.credited)
    if earlier + amount > _total_of(order, invoice):
        return _Stuck(GroupState.AMOUNT_DIFFERS, Reason(
            "credit-exceeds-invoice",
            f"Order {group.order_id} was invoiced {amount_text(_total_of(order, invoice), ctx.currency)} and credited "
            f"{amount_text(earlier, ctx.currency)}; {amount_text(amount, ctx.currency)} more is too much.",
            "Look for a refund booked twice, then ignore the group or correct the invoice.",
        ))  # fmt: skip
    return None


def _total_of(order: OrderBooks, invoice: BookDocument) -> Decimal:
    return sum((d.total for d in order.invoices), ZERO) if order.invoices else invoice.total


def memo_lines(ctx: Context, group: SettlementGroup, invoice: BookDocument, basis: Basis) -> list[MemoLine]:
    """The credit memo's lines; without the tax where NetSuite computes it. Raises _NoItemError when one has no item."""
    settings = ctx.settings.refund
    lines: list[MemoLine] = []
    for item in group.lines:
        amount = -principal(item)
        if amount:
            lines.append(_product_line(ctx, item, invoice, amount))
    extras = (
        (Component.SHIPPING, settings.shipping_item, "shipping_item", "Shipping refunded"),
        (Component.GIFTWRAP, settings.giftwrap_item, "giftwrap_item", "Gift wrap refunded"),
        (Component.PROMOTION, settings.promotion_item, "promotion_item", "Promotion given back"),
    )
    for component, name, setting, words in extras:
        amount = -sum((k.amount for k in group.kinds if k.kind.component is component), ZERO)
        if amount and basis.contains(component):
            lines.append(_extra(ctx, name, setting, words, amount))
    tax = -group.amounts.tax if basis.tax else ZERO
    if tax and not lines:
        lines.append(_extra(ctx, settings.tax_only_refund_item, "tax_only_refund_item", TAX_REFUNDED, tax))
    elif tax and not settings.split_tax:
        first = lines[0]
        gross = first.amount + tax
        lines[0] = replace(first, quantity=Decimal(1), rate=gross, amount=gross)
    elif tax and settings.tax_mode is TaxMode.OWN_LINE:
        name = settings.tax_item or settings.tax_only_refund_item
        lines.append(_extra(ctx, name, "tax_item", TAX_REFUNDED, tax))
    fee = _restocking(group)
    if fee and settings.restocking_fee is RestockingFee.CREDIT_LINE:
        lines.append(_extra(ctx, settings.restocking_item, "restocking_item", "Restocking fee kept", -fee))
    return lines


def _computed_tax(ctx: Context, group: SettlementGroup, basis: Basis, lines: list[MemoLine]) -> Decimal:
    """The tax that NetSuite is to add by itself; when it adds another amount, the memo is held, not adopted."""
    settings = ctx.settings.refund
    taxed = basis.tax and settings.split_tax and settings.tax_mode is not TaxMode.OWN_LINE
    only_tax = len(lines) == 1 and lines[0].description == TAX_REFUNDED
    return -group.amounts.tax if taxed and not only_tax else ZERO


def _product_line(ctx: Context, item: ItemLine, invoice: BookDocument, amount: Decimal) -> MemoLine:
    settings = ctx.settings.refund
    sku = item.sku.strip()
    found = line_of(invoice, item)
    record = ctx.books.items_by_sku.get(sku)
    if found is not None:
        item_id, name = found.item_id, found.item
    elif record is not None and not record.inactive:
        item_id, name = record.id, record.name
    else:
        replacement = ctx.reference("item", settings.unknown_sku_item)
        if replacement is None:
            raise _NoItemError(Reason(
                "item-not-found",
                f"Refunded SKU {sku!r} is not on {invoice.number} (order {invoice.order_id}), and is no item.",
                "Create the item, or set `refund.unknown_sku_item`.",
            ))  # fmt: skip
        item_id, name = replacement, sku
    if settings.tracked_item_types and (
        item_id in settings.tracked_item_types or name in settings.tracked_item_types
    ):
        substitute = ctx.reference("item", settings.substitute_item)
        if substitute is None:
            raise _NoItemError(Reason(
                "substitute-item-not-set",
                f"{name} is tracked by serial number, bin or lot.",
                "Set `refund.substitute_item` to an untracked item.",
            ))  # fmt: skip
        item_id = substitute
    quantity, rate = _quantity(item, found.rate if found else None, amount)
    return MemoLine(item_id, quantity, rate, amount, f"Refund of {sku}")


def _quantity(item: ItemLine, rate: Decimal | None, amount: Decimal) -> tuple[Decimal, Decimal]:
    """Quantity and rate. Amazon leaves the quantity of a refund blank: it is told from the invoice's rate, or is 1."""
    if rate is not None and rate > 0:
        count = quotient(amount, rate, 0)
        if count is not None:
            return count, rate
    if item.quantity and item.quantity > 0:
        each = quotient(amount, item.quantity, 2)
        if each is not None:
            return Decimal(item.quantity), each
    return Decimal(1), amount


def _extra(ctx: Context, name: str | None, setting: str, words: str, amount: Decimal) -> MemoLine:
    item_id = ctx.reference("item", name)
    if item_id is None:
        missing = "is not set" if name is None else f"names {name!r}, which is no active item"
        raise _NoItemError(Reason(
            "item-not-found",
            f"{words}: {amount_text(amount, ctx.currency)}, and `refund.{setting}` {missing}.",
            f"Set `refund.{setting}` to an item of NetSuite (`ledger-pipelines options` lists them).",
        ))  # fmt: skip
    return MemoLine(item_id, Decimal(1), amount, amount, words)


def _memo(
    ctx: Context,
    group: SettlementGroup,
    invoice: Payable,
    lines: list[MemoLine],
    amount: Decimal,
    applied: Decimal,
    day: date,
    key: str,
) -> Planned:
    settings = ctx.settings.refund
    document = invoice.document
    reference = ctx.external_id("C", key)
    location = ctx.reference("location", settings.netsuite_refund_location)
    items: list[Json] = []
    for line in lines:
        row: dict[str, Json] = {
            "item": {"id": line.item_id},
            "quantity": line.quantity,
            "rate": line.rate,
            "amount": line.amount,
            "description": line.description,
        }
        if settings.tax_mode is TaxMode.TAX_CODE and settings.tax_code is not None:
            row["taxCode"] = {"id": ctx.reference("item", settings.tax_code) or settings.tax_code}
        if location is not None:
            row["location"] = {"id": location}
        items.append(row)
    body: dict[str, Json] = {
        "externalId": reference,
        "entity": {"id": document.entity_id},
        "currency": {"id": ctx.currency_id},
        "tranDate": day.isoformat(),
        "memo": f"{ctx.marked}Amazon refund of order {group.order_id}, settlement {ctx.sid}",
        "autoApply": False,
        "item": {"items": items},
        **ctx.marks(group.order_id),
    }
    if ctx.one_world and document.subsidiary:
        body["subsidiary"] = {"id": document.subsidiary}
    if document.account_id:
        body["account"] = {"id": document.account_id}
    if location is not None:
        body["location"] = {"id": location}
    depends: tuple[str, ...] = ()
    if invoice.reference.startswith("$link:"):
        depends = (invoice.reference.removeprefix("$link:"),)
    if applied:
        doc: Json = {"$link": depends[0]} if depends else invoice.reference
        body["apply"] = {"items": [{"doc": {"id": doc}, "apply": True, "amount": applied}]}
    title = _title("Credit memo", group)
    effect = ctx.effect(
        FLOW,
        CREDIT_MEMO,
        key,
        external_id=reference,
        number=group.order_id,
        title=title,
        body=body,
        expected=Expected(Money(amount, ctx.currency), day),
        depends_on=depends,
        source=ctx.source_of(group),
    )
    return Planned(key, CREDIT_MEMO, title, amount, effect, GroupState.MATCHED, Reason(
        "credit", f"Credits {amount_text(amount, ctx.currency)} of {document.number}."
    ))  # fmt: skip


def _refund(
    ctx: Context,
    group: SettlementGroup,
    document: BookDocument,
    amount: Decimal,
    day: date,
    memo_key: str,
    key: str,
) -> Planned:
    reference = ctx.external_id("R", key)
    body: dict[str, Json] = {
        "externalId": reference,
        "customer": {"id": document.entity_id},
        "currency": {"id": ctx.currency_id},
        "account": {"id": ctx.refund_account},
        "tranDate": day.isoformat(),
        "memo": f"{ctx.marked}Amazon refund of order {group.order_id}, settlement {ctx.sid}",
        "apply": {
            "items": [{"doc": {"id": {"$link": memo_key}}, "line": 0, "apply": True, "amount": amount}]
        },
        **ctx.marks(group.order_id),
    }
    if document.account_id:
        body["arAcct"] = {"id": document.account_id}
    method = ctx.settings.refund.netsuite_refund_method
    if method is not None:
        body["paymentOption"] = {"id": ctx.reference("paymentmethod", method) or method}
    title = _title("Refund", group)
    effect = ctx.effect(
        FLOW,
        CUSTOMER_REFUND,
        key,
        external_id=reference,
        number=group.order_id,
        title=title,
        body=body,
        expected=Expected(Money(amount, ctx.currency), day),
        depends_on=(memo_key,),
        source=ctx.source_of(group),
    )
    return Planned(key, CUSTOMER_REFUND, title, amount, effect, GroupState.MATCHED, Reason(
        "refund", f"Refunds {amount_text(amount, ctx.currency)} out of clearing."
    ))  # fmt: skip
