"""What an order has other than the invoice that was written of it.

Belongs here: what the invoice says by now according to the journal, comparing, saying it in words. Does not belong here: what
follows from a difference (`revisions`).

Only what comes from the order counts: days, texts, quantities, prices, items of SKUs, the customer, the total. What comes from settings (tax
codes, accounts, set-up items, tags, notes, due dates) may change without every order of the past counting as edited.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger_pipelines.documents.effects import LINK
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import ZERO, Money, plain
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Changes, Known, changes_of
from ledger_pipelines.integrations.neto_saasu.contacts import Contact
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.layout import Layout
from ledger_pipelines.integrations.neto_saasu.quick import FIELD
from ledger_pipelines.integrations.neto_saasu.references import (
    convert_key,
    credit_key,
    invoice_key,
    source_of,
    update_key,
    void_key,
)

Body = Mapping[str, Json]

_NOT_UPDATED = frozenset({FIELD, "InvoiceType", "InvoiceNumber", "PurchaseOrderNumber", "TransactionType"})
"""What a change of an invoice leaves alone: payments and types have rules of their own, numbers stay."""


@dataclass(frozen=True, slots=True)
class Written:
    """An invoice of ours as the journal knows it: the request that made it with all confirmed changes over it.

    changes: of it; total: with the last of them.
    """

    known: Known
    revision: int
    body: Body
    changes: Changes
    total: Money | None
    converted: bool

    @property
    def at(self) -> datetime | None:
        """When the last of it was written, UTC; of what was found there later nobody knows."""
        told = (one.confirmed_at for one in (self.known, *self.changes.confirmed) if not one.adopted)
        return max((at for at in told if at is not None), default=None)

    def is_of(self, order: SalesDocument) -> bool:
        """Whether the order is the one it was written of: not changed in the store since it was read for it. False: it is not known.

        What was written by an earlier version does not tell of which change; there the time of writing has to do.
        """
        last = (self.known, *self.changes.confirmed)[-1]
        if "@" in last.source:
            return not last.adopted and last.source == source_of(order)
        return self.at is not None and order.changed is not None and order.changed <= self.at


@dataclass(frozen=True, slots=True)
class Past:
    """Invoices of the order that were taken back. revision: of the present one. credits: keys of adjustment notes.

    credited: whether the last of them was taken back by an adjustment note, and so is still there.
    """

    revision: int = 0
    credits: tuple[str, ...] = ()
    credited: bool = False


def past_of(ctx: Context, order: SalesDocument, before: datetime | None = None) -> Past:
    """What was taken back by now, or before an instant (UTC)."""
    found = Past()
    while True:
        following = found.revision + 1
        credit = credit_key(ctx, order, following)
        if ctx.journal.confirmed(credit, before) is not None:
            found = Past(following, (*found.credits, credit), credited=True)
        elif ctx.journal.confirmed(void_key(ctx, order, following), before) is not None:
            found = Past(following, found.credits)
        else:
            return found


def written(
    ctx: Context, order: SalesDocument, revision: int, before: datetime | None = None
) -> Written | None:
    """The confirmed invoice of a revision: as it is now, or as it was known before an instant (UTC)."""
    known = ctx.journal.confirmed(invoice_key(ctx, order, revision), before)
    if known is None:
        return None
    body, total = dict(known.fields()), known.amount
    changes = changes_of(ctx.journal, lambda number: update_key(ctx, order, revision, number), before)
    for change in changes.confirmed:
        body |= change.fields()
        total = change.amount or total
    convert = ctx.journal.confirmed(convert_key(ctx, order, revision), before)
    if convert is not None:
        body |= convert.fields()
    return Written(known, revision, body, changes, total, convert is not None)


def changed_fields(ctx: Context, before: Body, after: Body) -> dict[str, Json]:
    """Fields of the request that an update must send."""
    names = [name for name in after if name not in _NOT_UPDATED]
    found = {
        name: after[name]
        for name in names
        if canonical(with_ids(ctx, before.get(name))) != canonical(with_ids(ctx, after[name]))
    }
    return found | {
        name: "" for name in ("NotesExternal", "NotesInternal") if before.get(name) and name not in after
    }


def differences(
    ctx: Context,
    order: SalesDocument,
    before: Written,
    after: Body,
    contact: Contact,
    laid: Layout,
    default: Json,
) -> list[str]:
    """What a person would call a change of the order, in words; none: it is as it was written.

    default: the id of the default contact, None = there is none. An invoice on it says nothing of the order's customer.
    """
    found = []
    if before.total is not None and before.total != laid.total:
        found.append(f"the total {before.total} is now {laid.total}")
    for name, what in (("TransactionDate", "the date"), ("Currency", "the currency")):
        if before.body.get(name) != after.get(name):
            found.append(f"{what} {before.body.get(name)} is now {after.get(name)}")
    was, now = (with_ids(ctx, one) for one in (before.body.get("BillingContactId"), contact.value))
    if was != now and not contact.default and was != default:
        found.append("the customer is another one")
    same_words = all(before.body.get(name) == after.get(name) for name in ("Layout", "IsTaxInc"))
    if same_words:
        found += _lines(_items(before.body), _items(after))
        # What did not change has no other SKU: it is the items that have other codes now.
        found += [] if before.is_of(order) else _other_items(ctx, before.body, laid)
    return found


def _lines(before: Sequence[Body], after: Sequence[Body]) -> list[str]:
    old, new = (Counter(map(_shown, lines)) for lines in (before, after))
    gone = [f"the line '{text}' is gone" for text in (old - new).elements()]
    return gone + [f"the line '{text}' is new" for text in (new - old).elements()]


def _other_items(ctx: Context, before: Body, laid: Layout) -> list[str]:
    """Lines that read as before, and are of another item: of another SKU with the same name and price.

    Lines of set-up items are left out, for they follow the settings; so are items that the books have no more, and those whose code
    is no SKU of the store: the order was never of such, so that it is the item that has another code now (and perhaps another item
    its old one).
    """
    there = ctx.books.item_by_id
    old, new = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for line in _items(before):
        old[_shown(line)].append(_item(ctx, line.get("InventoryId")))
    for one in laid.lines:
        new[_shown(one.to_json())].append("" if one.setup else _item(ctx, one.item))
    found = []
    for text, ids in old.items():
        if text in new and "" not in new[text] and all(_is_product(ctx, one) for one in ids):
            come = Counter(new[text]) - Counter(ids)
            gone = Counter(ids) - Counter(new[text])
            found += [
                f"the line '{text}' was of item {there[was].code}, and is of "
                f"{there[now].code if now in there else 'one that is new'} now"
                for was, now in zip(gone.elements(), come.elements(), strict=False)
            ]
    return found


def _is_product(ctx: Context, item: str) -> bool:
    """Whether an item of the books, by id, goes by a SKU of the store."""
    found = ctx.books.item_by_id.get(item)
    return found is not None and found.code in ctx.shop.items


def _item(ctx: Context, value: Json) -> str:
    """Id of an item, or what stands for one that is to be made; "" = none."""
    value = with_ids(ctx, value)
    return value if isinstance(value, str) else canonical(value) if value else ""


def _items(body: Body) -> list[Body]:
    lines = body.get("LineItems")
    return [line for line in lines if isinstance(line, Mapping)] if isinstance(lines, list) else []


def _shown(line: Body) -> str:
    """What of a line comes from the order."""
    text = str(line.get("Description", ""))
    if "TotalAmount" in line:
        return f"{text} {_number(line['TotalAmount'], 2)}"
    percent = _number(line.get("PercentageDiscount"))
    less = f" less {percent} %" if percent != "0" else ""
    return f"{_number(line.get('Quantity'))} x {text} at {_number(line.get('UnitPrice'), 2)}{less}"


def _number(value: Json, digits: int = 0) -> str:
    return plain(Decimal(str(value or 0)), digits)


def with_ids(ctx: Context, value: Json) -> Json:
    """The same value with the ids of links that are confirmed."""
    if isinstance(value, dict):
        target = value.get(LINK)
        if isinstance(target, str):
            known = ctx.journal.confirmed(target)
            return known.remote_id if known is not None and known.remote_id else value
        return {name: with_ids(ctx, one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_ids(ctx, one) for one in value]
    return value


def units(ctx: Context, body: Body) -> dict[str, Decimal]:
    """How many of each item a request sells, by the item's id; of lines by account nothing is told."""
    found: dict[str, Decimal] = {}
    for line in _items(body):
        item = _item(ctx, line.get("InventoryId"))
        if item:
            found[item] = found.get(item, ZERO) + Decimal(str(line.get("Quantity") or 0))
    return found


def credited(body: Body) -> list[Json]:
    """The lines of a request with all quantities, or amounts, the other way round."""
    return [dict(line) | _turned(line) for line in _items(body)]


def _turned(line: Body) -> dict[str, Json]:
    name = "TotalAmount" if "TotalAmount" in line else "Quantity"
    return {name: -Decimal(str(line.get(name) or 0))}
