"""Flow: quantities of Saasu become those of one warehouse of the store.

Belongs here: comparing both sides and saying what the store is told. Does not belong here: reading either of them
(`mirror`), what is gone from one and not from the other (`stock_in_motion`), writing (`systems.neto.writer`). Facts: saasu.md 7, neto.md 6.2, 6.3, 13.

The store's own value is compared, so that stock edited by hand there is mended. What it has shipped and Saasu does not know yet is left
off (`stock_in_motion`), or it would be put back on sale. Only the present day has a plan: what was on
hand some other day is nothing to write now. Rows that write nothing are counted together, one row a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import ZERO, plain, round_half_away, tidy
from ledger_pipelines.documents.sales import Item
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.by_day.unreadable import one_by_one
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.items import item_key, spelling
from ledger_pipelines.integrations.neto_saasu.settings import QuantityBasis
from ledger_pipelines.integrations.neto_saasu.stock_in_motion import Motion, in_motion
from ledger_pipelines.integrations.shop import UnresolvedError, Warehouse
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuItem

FLOW = "stock_from_saasu"
KIND = "stock"
SETTING = "settings.inventory_from_saasu.warehouse"
QUANTITY_DIGITS = 3
NAMED = 10
NOT_LEFT_OFF = "Until it can be, what the order took is not left off the store's quantities."
"""SKUs that a counted row names."""
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
_COUNTED = {
    "same": "{} have the same quantity on both sides.",
    "sold-meanwhile": "{}: the store has shipped units that the reading of Saasu's stock does not know yet. Its quantity stays.",
    "not-inventoried": "No stock is kept of {} in Saasu or in the store.",
    "kit": "{} are kits; their stock follows from their parts.",
    "parent": "{} stand for their variants and have no stock of their own.",
    "no-quantity": "Saasu tells no quantity of {}.",
    "not-tested": "Mode test is about orders; {} would be set.",
}


def rows(ctx: Context) -> list[PlanRow]:
    """The quantities to set, by SKU, then what is counted; nothing on any day but the present one."""
    if ctx.day != ctx.today:
        return []
    try:
        warehouse = _warehouse(ctx)
    except UnresolvedError as error:
        return [_no_way(ctx, Reason(error.code, error.message, error.remedy))]
    unread = _unread(ctx)
    if unread is not None:
        return [_no_way(ctx, unread)]
    return _Comparison(ctx, warehouse).rows()


def stock_key(ctx: Context, sku: str, warehouse: str, revision: int) -> str:
    """The key of the effect that sets a quantity. revision: its number, from 0."""
    return ctx.store_key(KIND, f"{sku}@{warehouse}", "stock", revision)


@dataclass(frozen=True, slots=True)
class Written:
    """What we set before: how many times, what last, and when that was confirmed."""

    count: int
    quantity: Decimal
    at: datetime


def written(ctx: Context) -> Mapping[tuple[str, str], Written]:
    """By SKU and warehouse, from the journal."""
    last: dict[tuple[str, str], Written] = {}
    for known in ctx.journal.known.values():
        if known.kind != KIND or known.state is not EffectState.CONFIRMED:
            continue
        place, quantity = _said(known)
        before = last.get(place)
        at = known.confirmed_at or _LONG_AGO
        count = 1 if before is None else before.count + 1
        if before is None or at >= before.at:
            last[place] = Written(count, quantity, at)
        else:
            last[place] = Written(count, before.quantity, before.at)
    return last


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the store's warehouse should have of an item.

    there: what Saasu has, as the setting counts it; it may be negative. moved: units of it that are gone from the store already.
    """

    there: Decimal
    moved: Motion | None = None

    @property
    def quantity(self) -> Decimal:
        """What is to be set: a store has none below zero."""
        moved = ZERO if self.moved is None else self.moved.quantity
        return max(tidy(round_half_away(self.there - moved, QUANTITY_DIGITS)), ZERO)


def wanted(item: SaasuItem, basis: QuantityBasis, moved: Motion | None) -> Wanted | None:
    """What the store should have of an item. None = Saasu does not tell."""
    if item.on_hand is None:
        return None
    held = (item.committed or ZERO) if basis is QuantityBasis.ON_HAND_LESS_COMMITTED else ZERO
    return Wanted(tidy(round_half_away(item.on_hand - held, QUANTITY_DIGITS)), moved)


def _said(known: Known) -> tuple[tuple[str, str], Decimal]:
    fields = known.fields()
    place = (str(fields.get("SKU", "")), str(fields.get("WarehouseID", "")))
    return place, Decimal(str(fields.get("Quantity", "0")))


def _warehouse(ctx: Context) -> Warehouse:
    named = ctx.settings.inventory_from_saasu.warehouse
    if named is None:
        raise UnresolvedError(
            f"{SETTING} is not set.", remedy="Name the warehouse of the store whose quantity is set."
        )
    return ctx.shop.warehouse(named, SETTING)


def _unread(ctx: Context) -> Reason | None:
    """A side whose stock was never read must not be taken for empty."""
    missing = [
        name
        for name, at in ((ctx.source, ctx.shop.stock_read_at), (ctx.target, ctx.books.stock_read_at))
        if at is None
    ]
    if not missing:
        return None
    return Reason(
        "stock-not-read",
        f"The stock of {' and '.join(missing)} was never read.",
        "Materialize its stock first, or run the initial sync.",
    )


def _no_way(ctx: Context, reason: Reason) -> PlanRow:
    key = ctx.store_key(KIND, reason.code, "stock-set-up")
    return ctx.blocked(key, "stock", "Stock from Saasu", reason, kind=KIND)


def _passed_over(item: SaasuItem, product: Item) -> str:
    """Why stock is not compared; "" = it is."""
    if product.is_parent:
        return "parent"
    if product.is_kit:
        return "kit"
    return "" if item.inventoried and product.inventoried else "not-inventoried"


def _named(some: Sequence[str]) -> str:
    """The first of them, and how many more."""
    more = len(some) - NAMED
    return ", ".join(some[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _went(moved: Motion) -> str:
    """How many went, and with which orders."""
    return f"{plain(moved.quantity)} with {'order' if len(moved.orders) == 1 else 'orders'} {_named(moved.orders)}"


def _item_named(item: SaasuItem) -> tuple[str, str]:
    return item.code, f"Stock of {item.code}"


class _Comparison:
    """One comparison of all items; rows in the order of SKUs."""

    def __init__(self, ctx: Context, warehouse: Warehouse) -> None:
        self._ctx = ctx
        self._warehouse = warehouse
        self._basis = ctx.settings.inventory_from_saasu.quantity
        self._written = written(ctx)
        self._motion, self._unread = in_motion(ctx)
        self._store = {level.item: level.on_hand for level in ctx.shop.stock if level.place == warehouse.id}
        self._counted: dict[str, list[str]] = {}

    def rows(self) -> list[PlanRow]:
        """All of them."""
        return [
            *self._unreadable(),
            *(
                self._ctx.unreadable(error, number, f"Stock that order {number} took", until=NOT_LEFT_OFF)
                for number, error in self._unread.items()
            ),
            *one_by_one(
                self._ctx,
                sorted(self._ctx.books.stock, key=lambda one: (one.code, one.id)),
                self._of,
                _item_named,
            ),
            *self._misspelt(),
            *self._summaries(),
        ]

    def _unreadable(self) -> Iterator[PlanRow]:
        """Items that cannot be read, unless their codes say that they are no product of the store."""
        unread = sorted(self._ctx.books.unread_stock, key=lambda one: (one[0], one[1].key))
        skus = {folded(sku) for sku in self._ctx.shop.items} | {""} if unread else set()
        for code, error in unread:
            if folded(code) in skus:
                name = code.strip() or f"item {error.key}"
                yield self._ctx.unreadable(error, name, f"Stock of {name}")

    def _of(self, item: SaasuItem) -> list[PlanRow]:
        product = self._ctx.shop.items.get(item.code)
        row = None if product is None else self._compare(item, product)
        return [] if row is None else [row]

    def _compare(self, item: SaasuItem, product: Item) -> PlanRow | None:
        code = item.code
        found, there = wanted(item, self._basis, self._motion.get(code)), self._in_store(code)
        passed = _passed_over(item, product) or self._as_it_is(found, there)
        if passed or found is None:
            moved = "" if found is None or found.moved is None else f" ({_went(found.moved)})"
            self._counted.setdefault(passed, []).append(f"{code}{moved}")
            return None
        return self._set(code, found, there)

    def _as_it_is(self, found: Wanted | None, there: Decimal) -> str:
        """Why the store's quantity stays; "" = it does not."""
        if found is None:
            return "no-quantity"
        if found.quantity == there:
            return "same" if max(found.there, ZERO) == there else "sold-meanwhile"
        return "not-tested" if self._ctx.mode is Mode.TEST else ""

    def _in_store(self, sku: str) -> Decimal:
        """The store's quantity; ours where we set one after the store was read."""
        last = self._written.get((sku, self._warehouse.id))
        read_at = self._ctx.shop.stock_read_at
        if last is not None and read_at is not None and last.at > read_at:
            return last.quantity
        if sku in self._ctx.shop.unread_stock:
            raise self._ctx.shop.unread_stock[sku]
        return self._store.get(sku, ZERO)

    def _set(self, sku: str, found: Wanted, there: Decimal) -> PlanRow:
        ctx, quantity = self._ctx, found.quantity
        body: dict[str, Json] = {"SKU": sku, "WarehouseID": self._warehouse.id, "Quantity": plain(quantity)}
        effect = ctx.effect(
            FLOW, KIND, self._key(sku, canonical(body)),
            external_id=sku, number=sku, title=f"Stock of {sku}: {plain(there)} to {plain(quantity)}", body=body,
            action=Action.UPDATE, target_id=sku, source=f"stock:{sku}", to_source=True,
        )  # fmt: skip
        less = " less committed" if self._basis is QuantityBasis.ON_HAND_LESS_COMMITTED else ""
        text = f"Saasu has {plain(found.there)} of {sku} on hand{less}, the store's {self._warehouse.name} {plain(there)}."
        if found.moved is not None:
            text += f" The store has shipped some that Saasu does not know yet, which are left off: {_went(found.moved)}."
        if found.there < 0:
            text += " A store has none below zero: it is set to 0."
        return ctx.row(effect, Reason("stock-differs", text))

    def _key(self, sku: str, body: str) -> str:
        """Of the next quantity. Who ignored one ignored that one, and only until another is set: not those that come later."""
        ctx, place = self._ctx, self._warehouse.id
        last, ignored = self._written.get((sku, place)), ""
        number = 0 if last is None else last.count
        while True:
            key = stock_key(ctx, sku, place, number)
            known = ctx.journal.known.get(key)
            if ctx.journal.is_ignored(key):
                ignored = key if known is not None and known.body == body else ignored
            elif ctx.journal.confirmed(key) is None:
                return ignored or key
            else:
                ignored = ""
            number += 1

    def _misspelt(self) -> list[PlanRow]:
        """SKUs that no item has, but for case or blanks. The key is the item's: who ignores it there ignores it here."""
        ctx = self._ctx
        codes: dict[str, list[str]] = {}
        exact = {item.code for item in ctx.books.stock} | {code for code, _ in ctx.books.unread_stock}
        for item in ctx.books.stock:
            codes.setdefault(folded(item.code), []).append(item.code)
        found = []
        for sku in sorted(ctx.shop.items):
            alike = () if sku in exact else tuple(sorted(codes.get(folded(sku), ())))
            if alike:
                title = f"Stock of {sku}"
                found.append(ctx.blocked(item_key(ctx, sku), sku, title, spelling(sku, alike), kind=KIND))
        return found

    def _summaries(self) -> list[PlanRow]:
        """One row a reason for all that is not written."""
        found = []
        for code in sorted(self._counted):
            skus = self._counted[code]
            names = _named(skus)
            text = _COUNTED[code].format(f"{len(skus):,} {'product' if len(skus) == 1 else 'products'}")
            reason = Reason(code, f"{text} They are: {names}.")
            key = self._ctx.store_key(KIND, code, "stock-counted")
            found.append(self._ctx.skip(key, "stock", f"Stock: {code}", reason, kind=KIND))
        return found
