"""What an order's invoice can still take: its total less what stands on it, held against what the books say.

Belongs here: reading the journal, the books and the invoice's own request for money that is there already. Does not belong
here: which payment takes what (`payments`, `refunds`). Facts: saasu.md 5.9 (amounts above what is owed are refused).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger_pipelines.documents.effects import LINK, EffectState
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Known, link
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu import invoices
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.references import credit_key, invoice_key, payment_reference

STANDING = frozenset({EffectState.CONFIRMED, EffectState.SENT, EffectState.UNKNOWN, EffectState.HELD})
"""States in which the money is, or may be, in the books. Approved ones are planned afresh until they are sent."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Money that is, or may be, on an invoice: positive on invoices, negative on adjustment notes.

    since: when it was confirmed, UTC; None = in doubt. quick: it is inside the invoice's own call.
    """

    reference: str
    amount: Decimal
    account: Json
    since: datetime | None
    quick: bool = False


@dataclass(slots=True)
class Claim:
    """One order's present invoice. Allocations come off `open`.

    by_hand: what the books show as paid on it beyond what stands. unread: that may still be one of ours, for the books were
    read before it was confirmed. paid_already: by somebody else, for payments of the store that are known to be meant.
    """

    order: SalesDocument
    decision: Decision
    standing: tuple[Standing, ...]
    open: Decimal
    by_hand: Decimal = ZERO
    unread: bool = False
    paid_already: Decimal = ZERO

    def take_paid(self, wanted: Decimal) -> Decimal:
        """As much of it as somebody else has booked; comes off that."""
        part = min(wanted, self.paid_already)
        self.paid_already -= part
        return part

    def take(self, wanted: Decimal) -> Decimal:
        """As much of it as is owed; comes off."""
        part = max(min(wanted, self.open), ZERO)
        self.open -= part
        return part

    @property
    def payable(self) -> bool:
        """Whether there is an invoice that this program may pay now."""
        return self.decision.invoice is not None and not self.order.cancelled


def names_of(ctx: Context, target: Json) -> tuple[str, ...]:
    """How bodies refer to an invoice: by the key of the effect that makes it, by its id, or both."""
    if isinstance(target, dict):
        key = str(target.get(LINK, ""))
        known = ctx.journal.confirmed(key)
        return (key, known.remote_id) if known is not None and known.remote_id else (key,)
    return (str(target),)


_DELETED_AS = {"payment": "SalePayment", "journal": "Journal", "invoice": "Sale"}


def deleted(ctx: Context, known: Known) -> bool:
    """Whether somebody deleted in Saasu what the effect made."""
    what = (_DELETED_AS.get(known.kind, ""), known.remote_id)
    return known.state is EffectState.CONFIRMED and what in ctx.books.deleted


def stands(ctx: Context, known: Known | None) -> bool:
    """Whether its money counts."""
    return known is not None and known.state in STANDING and not deleted(ctx, known)


def standing_on(ctx: Context, target: Json) -> list[Standing]:
    """Payments of the journal on an invoice or an adjustment note."""
    names = names_of(ctx, target)
    known = {one.key: one for name in names for one in ctx.payments_on.get(name, ())}
    found = []
    for one in known.values():
        if stands(ctx, one):
            since = one.confirmed_at if one.state is EffectState.CONFIRMED else None
            fields = one.fields()
            found.append(
                Standing(one.external_id, _part(fields, names), fields.get("PaymentAccountId"), since)
            )
    return found


def _part(fields: object, names: Iterable[str]) -> Decimal:
    items = fields.get("PaymentItems") if isinstance(fields, dict) else None
    amount = ZERO
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and _name(item.get("InvoiceTransactionId")) in names:
            amount += decimal(item.get("AmountPaid"))
    return amount


def _name(target: Json) -> str:
    return str(target.get(LINK, "")) if isinstance(target, dict) else str(target)


def decimal(value: Json) -> Decimal:
    """A number of a decoded body."""
    return value if isinstance(value, Decimal) else Decimal(value if isinstance(value, int) else 0)


def quick_on(ctx: Context, key: str) -> Standing | None:
    """The payment inside the call of an invoice of ours that is there; None where it had none, or was not made by us."""
    known = ctx.journal.confirmed(key)
    if known is None or known.adopted:
        return None
    quick = known.fields().get("QuickPayment")
    if not isinstance(quick, dict):
        return None
    return Standing(
        str(quick.get("Reference", "")), decimal(quick.get("Amount")), quick.get("BankedToAccountId"),
        known.confirmed_at, quick=True,
    )  # fmt: skip


def in_books(ctx: Context, reference: str) -> Decimal | None:
    """What the books hold under that reference of a payment of ours; None = nothing."""
    found = ctx.books.payments_by_reference.get(folded(reference), ())
    return sum((one.amount for one in found), ZERO) if found else None


def claim_of(ctx: Context, decision: Decision, references: Iterable[str]) -> Claim:
    """What the order's invoice can take. references: of payments that the journal need not know, but the books may."""
    order, total = decision.order, decision.total
    if decision.invoice is None or total is None:
        return Claim(order, decision, (), ZERO)
    found = standing_on(ctx, decision.invoice)
    quick = _quick(ctx, decision)
    if quick is not None:
        found.append(quick)
    have = {one.reference for one in found}
    for reference in references:
        amount = None if reference in have else in_books(ctx, reference)
        if amount is not None:
            found.append(Standing(reference, amount, None, ctx.books.read_at))
    claim = Claim(order, decision, tuple(found), total.amount - sum((one.amount for one in found), ZERO))
    if decision.booked is not None:
        claim.by_hand, claim.unread = shown_by_hand(ctx, decision.booked.paid, claim.standing)
        claim.open -= claim.by_hand
    claim.open = max(claim.open, ZERO)
    return claim


def _quick(ctx: Context, decision: Decision) -> Standing | None:
    """The payment inside the invoice's call, unless the invoice was found there and the books show none."""
    quick = decision.quick
    if quick is None:
        return None
    known = ctx.journal.confirmed(decision.key)
    since = None if known is None else known.confirmed_at
    shown = in_books(ctx, quick.reference) is not None
    if not quick.sure and not shown and known is not None and _read_after(ctx, since):
        booked = decision.booked
        if booked is None or booked.paid < quick.amount.amount:
            return None
    return Standing(quick.reference, quick.amount.amount, quick.account, since, quick=True)


def _read_after(ctx: Context, instant: datetime | None) -> bool:
    return instant is not None and ctx.books.read_at is not None and ctx.books.read_at >= instant


def shown_by_hand(ctx: Context, paid: Decimal, standing: Sequence[Standing]) -> tuple[Decimal, bool]:
    """What the books show as paid beyond ours, and whether that may still be ours, confirmed since they were read."""
    shown = [one.amount for one in standing if _read_after(ctx, one.since)]
    beyond = max(paid - sum(shown, ZERO), ZERO)
    return beyond, bool(beyond) and len(shown) < len(standing)


class Families:
    """Orders that were split from one another, and their decisions, each made once.

    A split order names the one it comes from (`related`); the payments stay with that one (neto.md 8.1).
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._decisions: dict[str, Decision] = {}

    def decision(self, order: SalesDocument) -> Decision:
        """What becomes of the order."""
        if order.key not in self._decisions:
            self._decisions[order.key] = invoices.decide(self._ctx, order)
        return self._decisions[order.key]

    def root(self, order: SalesDocument) -> SalesDocument:
        """The order all others of its family were split from, as far as the store's orders were read."""
        seen = {order.key}
        while (source := self._ctx.shop.orders.get(order.related)) is not None and source.key not in seen:
            order = source
            seen.add(order.key)
        return order

    def below(self, order: SalesDocument) -> tuple[SalesDocument, ...]:
        """Those split from it, and from those: nearest first, then by number."""
        found: dict[str, SalesDocument] = {}
        layer = [order]
        while layer:
            following = [
                self._ctx.shop.orders[key]
                for one in layer
                for key in self._ctx.shop.children.get(one.key, ())
            ]
            layer = [one for one in following if one.key not in found and one.key != order.key]
            layer.sort(key=lambda one: (one.day, one.key))
            found.update((one.key, one) for one in layer)
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class TakenBack:
    """An earlier invoice of an order. credit: key of the adjustment note that took it back, its number `revision` (1, 2...)."""

    credit: str
    revision: int
    standing: tuple[Standing, ...]


def taken_back(ctx: Context, decision: Decision) -> list[TakenBack]:
    """Invoices of the order that were credited in full, oldest first, with the money that stands on them."""
    found = []
    numbers = {credit_key(ctx, decision.order, number): number for number in range(1, _MOST_REVISIONS)}
    for credit in decision.credits:
        revision = numbers[credit]
        key = invoice_key(ctx, decision.order, revision - 1)
        quick = quick_on(ctx, key)
        standing = (*standing_on(ctx, link(key)), *(() if quick is None else (quick,)))
        found.append(TakenBack(credit, revision, standing))
    return found


_MOST_REVISIONS = 100


def split_reference(ctx: Context, payment: str, order: SalesDocument) -> str:
    """Reference of the part of a payment that goes to an order split from the payment's own."""
    return f"{payment_reference(ctx, payment)}-{order.number}"
