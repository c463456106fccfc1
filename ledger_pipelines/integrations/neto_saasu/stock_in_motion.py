"""What the store has shipped and the stock reading of the file does not know yet: units that must not go back on sale.

Belongs here: counting them by SKU, from orders, journal and books as last read; no call. Does not belong here: what the store's
warehouse is told (`stock_from_saasu`). Facts: neto.md 8.1, saasu.md 6.4.

The store takes an order's goods from its quantity when they are packed; before that it holds them back by itself, and its quantity stays as
it is. Saasu takes them when the invoice is written; a sale order only counts as committed, and an invoice by account takes none. An order
in between would be set back up: one that waits, is in doubt, is not exported in its status, or was written after the stock was read. What
of an order the reading knows is what was confirmed before it began.

Nothing is ever added: goods that came back to the store's shelf, and not to Saasu's yet, leave the quantity too low until they do.
Orders that others book under numbers of their own (the flow `invoices` is off) cannot be told from those that wait: none is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.edits import Written, past_of, units, written
from ledger_pipelines.integrations.neto_saasu.references import invoice_key
from ledger_pipelines.integrations.neto_saasu.selection import in_the_books, is_exported, is_its_own
from ledger_pipelines.integrations.neto_saasu.settings import SALE_ORDER, QuantityBasis
from ledger_pipelines.integrations.neto_saasu.skus import kit_parts
from ledger_pipelines.systems.saasu.records import SaasuInvoice

INVOICED = "I"
"""Status of a sale that has lowered the stock."""


@dataclass(slots=True)
class Motion:
    """Units of one SKU that are gone from the store and not from the file, and the orders they went with."""

    quantity: Decimal = ZERO
    orders: list[str] = field(default_factory=list)


class Motions(NamedTuple):
    """by_sku: what moved. unread: what keeps an order's goods from being counted, by its number."""

    by_sku: Mapping[str, Motion]
    unread: Mapping[str, UnreadableError]


def in_motion(ctx: Context) -> Motions:
    """All of it; none where the file's stock was never read."""
    found: dict[str, Motion] = {}
    unread: dict[str, UnreadableError] = {}
    read_at = ctx.books.stock_read_at
    if read_at is None or not ctx.settings.orders_to_saasu.enabled:
        return Motions(found, unread)
    for number in _shipped(ctx, read_at):
        try:
            unknown = _unknown(ctx, ctx.shop.orders[number], read_at)
        except UnreadableError as error:
            unread[number] = error
            continue
        for sku, quantity in unknown.items():
            motion = found.setdefault(sku, Motion())
            motion.quantity += quantity
            motion.orders.append(number)
    return Motions(found, unread)


def _shipped(ctx: Context, read_at: datetime) -> Iterator[str]:
    """Numbers of orders off the shelf that changed lately; of the others none is even decoded."""
    since = read_at - timedelta(days=ctx.settings.inventory_from_saasu.sold_days)
    for number, changed in sorted(ctx.shop.shipped.items()):
        if changed is None or changed >= since:
            yield number


def _unknown(ctx: Context, order: SalesDocument, read_at: datetime) -> dict[str, Decimal]:
    """Units of the order that the reading does not know."""
    present = invoice_key(ctx, order, past_of(ctx, order).revision)
    if ctx.journal.is_ignored(present):
        return {}
    taken = _taken(ctx, order)
    if not is_exported(ctx, order):
        if order.day < ctx.first_day:  # another program's: the file has it
            return {}
        return {} if _is_booked(ctx, order, read_at) else taken
    before = written(ctx, order, past_of(ctx, order, read_at).revision, read_at)
    if before is None:  # the journal may be lost, and the reading know it all the same
        return {} if _is_booked(ctx, order, read_at) else taken
    if not _counts(ctx, before, read_at):
        return taken
    known = _sold(ctx, before)
    return _more(taken, known, _renamed(ctx, before.is_of(order), taken, known))


def _more(taken: Mapping[str, Decimal], known: Mapping[str, Decimal], renamed: Decimal) -> dict[str, Decimal]:
    """What an order took that its invoice does not say. renamed: units that stand for it, of what the invoice says nothing of first."""
    found: dict[str, Decimal] = {}
    for sku, quantity in sorted(taken.items(), key=lambda one: one[0] in known):
        more = max(quantity - known.get(sku, ZERO), ZERO)
        stands = min(more, renamed)
        renamed -= stands
        if more > stands:
            found[sku] = more - stands
    return found


def _renamed(ctx: Context, same: bool, taken: Mapping[str, Decimal], known: Mapping[str, Decimal]) -> Decimal:
    """Units that an invoice sold of items which have another code now, and perhaps another item theirs: of codes that the store does not
    sell, or of an order that stayed as it was (same) of any that it has not."""
    there, sold = ctx.books.item_by_code, ctx.shop.items
    over = {code: quantity - taken.get(code, ZERO) for code, quantity in known.items()}
    return sum(
        (
            quantity
            for code, quantity in over.items()
            if quantity > 0 and code in there and there[code].inventoried and (same or code not in sold)
        ),
        ZERO,
    )


def _is_booked(ctx: Context, order: SalesDocument, read_at: datetime) -> bool:
    """Whether the reading knows the order from a sale that our journal has nothing of. A quote, and another sale with its number, is none of it."""
    booked = in_the_books(ctx, order)
    return booked is not None and is_its_own(ctx, order, booked) and _knows(ctx, booked, read_at)


def _taken(ctx: Context, order: SalesDocument) -> dict[str, Decimal]:
    """What the order took from the store's shelf, as the file would be told of it."""
    found: dict[str, Decimal] = {}
    for line in order.lines:
        if line.text_only or line.quantity <= 0:
            continue
        parts = [(one.item, one.quantity * line.quantity) for one in kit_parts(ctx, line)]
        for sku, quantity in parts or [(line.item, line.quantity)]:
            found[sku] = found.get(sku, ZERO) + quantity
    return found


def _sold(ctx: Context, before: Written) -> dict[str, Decimal]:
    """What the invoice sold, by SKU. One that was written by account sold no item: the file's stock never learns of it."""
    there = ctx.books.item_by_id
    found: dict[str, Decimal] = {}
    for item, quantity in units(ctx, before.body).items():
        code = there[item].code if item in there else item
        found[code] = found.get(code, ZERO) + quantity
    return found


def _counts(ctx: Context, before: Written, read_at: datetime) -> bool:
    """Whether the quantity that the setting chooses is less what our document sold."""
    if ("Sale", before.known.remote_id) in ctx.books.deleted:
        return False
    if _less_committed(ctx) or before.body.get("InvoiceType") != SALE_ORDER:
        return True
    booked = ctx.books.invoice_by_id.get(before.known.remote_id)
    return booked is not None and _knows(ctx, booked, read_at)


def _knows(ctx: Context, booked: SaasuInvoice, read_at: datetime) -> bool:
    """The same of a document as the file has it: one that somebody else wrote, or made an invoice of."""
    # Committed or sold, a sale that was there then is in the figure: a conversion or a payment since changes nothing of it.
    told = (booked.created if _less_committed(ctx) else None) or booked.changed
    if told is not None and told >= read_at:
        return False
    return _less_committed(ctx) or booked.status == INVOICED


def _less_committed(ctx: Context) -> bool:
    return ctx.settings.inventory_from_saasu.quantity is QuantityBasis.ON_HAND_LESS_COMMITTED
