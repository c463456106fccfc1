"""A Neto store against a Saasu file, over some days: the figures an accountant reads, and the checks.

Belongs here: what is compared, and putting it together. Does not belong here: the comparisons themselves (`compare_money`,
`compare_documents`), how the result looks (`reports.shop_reconciliation`), reading either side (`mirror`).

The file is taken as it was last read, never as we believe to have written it. Pure: the same facts give the same result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import Item
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.by_day.worklist import FOLLOWING
from ledger_pipelines.integrations.neto_saasu.compare import (
    Effects,
    Explainer,
    Links,
    Papers,
    Rows,
    becomes_sale_order,
    movement,
)
from ledger_pipelines.integrations.neto_saasu.compare_documents import DocumentComparer
from ledger_pipelines.integrations.neto_saasu.compare_money import Line, MoneyComparer, Pair, Pairs
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.doubles import doubles
from ledger_pipelines.integrations.neto_saasu.stock_from_saasu import SETTING, wanted, written
from ledger_pipelines.integrations.neto_saasu.stock_in_motion import in_motion
from ledger_pipelines.integrations.shop import UnresolvedError
from ledger_pipelines.integrations.unread import waiting_records
from ledger_pipelines.reports.shop_view import (
    AccountLine,
    DayLine,
    Drift,
    MethodLine,
    Reading,
    ShopHeading,
    ShopReconciliation,
    Waiting,
)
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.saasu.records import SaasuItem

__all__ = ["Links", "Scope", "reconcile"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reconciled, and when.

    Args:
        first, last: Days of the books, both included.
        store, file: Names for people.
        now: UTC.
        store_read_at: When orders, payments and returns were last read, the oldest of them, UTC; None = never.
        fresh: Readings that are older fail their check.
        calls_left: Calls to Saasu that are left today; None = any number, or not known.
        mode: Of the integration, where plans are made as in another one; None = the context's.
        links: Addresses of records.
    """

    first: date
    last: date
    store: str
    file: str
    now: datetime
    store_read_at: datetime | None
    fresh: timedelta = timedelta(hours=24)
    calls_left: int | None = None
    mode: Mode | None = None
    links: Links = field(default_factory=Links)

    def days(self) -> Iterator[date]:
        """Each day, in order."""
        day = self.first
        while day <= self.last:
            yield day
            day += timedelta(days=1)


def reconcile(ctx: Context, scope: Scope, planned: Iterable[PlanRow] = ()) -> ShopReconciliation:
    """Compare both sides as they were last read.

    Args:
        ctx: Of any day. Its shop must hold all orders and returns that are known, not only those of the days compared.
        scope: Which days.
        planned: Rows of the latest plans of all flows: they say why something is not in the file.
    """
    rows = Rows(planned)
    unread = tuple(waiting_records([*ctx.shop.unreadable(), *ctx.books.unreadable()], rows.blocked()))
    ctx = replace(ctx, shop=ctx.shop.legible, books=ctx.books.legible)
    effects = Effects(ctx)
    papers = Papers(ctx, effects)
    mode = scope.mode or ctx.mode
    explainer = Explainer(ctx, rows, effects, scope.calls_left, writes=mode is not Mode.PLAN)
    pairs = Pairs(ctx, effects)
    money = MoneyComparer(ctx, papers, explainer, scope.links).compare(pairs, scope.first, scope.last)
    documents = DocumentComparer(ctx, papers, explainer, scope.links, money.differing)
    drift, compared = _drift(ctx)
    return ShopReconciliation(
        heading=ShopHeading(
            ctx.integration, ctx.source, ctx.target, scope.store, scope.file, ctx.shop.currency, scope.first, scope.last,
            ctx.zone.key, mode.value, scope.now,
        ),
        days=tuple(_days(scope, money.pairs, documents)),
        methods=_methods(ctx, scope, money.pairs),
        accounts=_accounts(ctx, scope, money.pairs, pairs.moved),
        differences=money.differences,
        documents=documents.compare(scope.first, scope.last),
        doubles=doubles(ctx, scope.links),
        drift=drift,
        left_out=money.left_out,
        waiting=(*unread, *_waiting(ctx, rows)),
        readings=_readings(ctx, scope),
        stock_compared=ctx.settings.inventory_from_saasu.enabled,
        items_compared=compared,
    )  # fmt: skip


def _days(scope: Scope, pairs: Iterable[Pair], documents: DocumentComparer) -> Iterator[DayLine]:
    """Every day of the range, from the movements alone."""
    taken: dict[date, Decimal] = {}
    received: dict[date, Decimal] = {}
    for pair in pairs:
        for entry in pair.store:
            taken[entry.day] = taken.get(entry.day, ZERO) + entry.amount
        for entry in pair.books:
            received[entry.day] = received.get(entry.day, ZERO) + entry.amount
    orders = documents.by_day(scope.first, scope.last)
    for day in scope.days():
        line = DayLine(day, taken.get(day, ZERO), received.get(day, ZERO))
        of = orders.get(day)
        yield (
            line
            if of is None
            else DayLine(day, line.taken, line.received, of.orders, of.invoices, of.ordered, of.invoiced)
        )


@dataclass
class _Sum:
    """Of one method or account."""

    count: int = 0
    store: Decimal = ZERO
    books: Decimal = ZERO
    others: Decimal = ZERO
    names: set[str] = field(default_factory=set)


def _methods(ctx: Context, scope: Scope, pairs: Iterable[Pair]) -> tuple[MethodLine, ...]:
    names = {account.id: account.name for account in readable(ctx.books.accounts)}
    sums: dict[str, _Sum] = {}
    for pair in pairs:
        store = [entry for entry in pair.store if scope.first <= entry.day <= scope.last]
        books = [entry for entry in pair.books if scope.first <= entry.day <= scope.last]
        if not store and not books:
            continue
        of = sums.setdefault(pair.method, _Sum())
        of.count += len(store)
        of.store += sum((entry.amount for entry in store), ZERO)
        of.books += sum((entry.amount for entry in books), ZERO)
        of.names |= {names.get(entry.account, entry.account) for entry in store if entry.account}
    return tuple(
        MethodLine(method, ", ".join(sorted(of.names)), of.count, of.store, of.books)
        for method, of in sorted(sums.items())
    )


def _accounts(
    ctx: Context, scope: Scope, pairs: Iterable[Pair], moved: Iterable[tuple[date, Line]]
) -> tuple[AccountLine, ...]:
    """What should have moved on each bank account by the store's payments alone, and what did."""
    sums: dict[str, _Sum] = {}
    for pair in pairs:
        for entry in pair.store:
            if scope.first <= entry.day <= scope.last:
                of = sums.setdefault(entry.account, _Sum())
                of.store += entry.amount
                of.names.add(pair.method)
        for entry in pair.books:
            if scope.first <= entry.day <= scope.last:
                sums.setdefault(entry.account, _Sum()).books += entry.amount
    prefix = ctx.settings.orders_to_saasu.prefix
    for payment in ctx.books.payments:
        inside = payment.account in sums and scope.first <= payment.day <= scope.last
        if inside and movement(payment.reference, prefix) is None:
            sums[payment.account].others += payment.amount
    for day, line in moved:
        if line.account in sums and scope.first <= day <= scope.last:
            sums[line.account].others += line.amount
    names = {account.id: account.name for account in readable(ctx.books.accounts)}
    return tuple(
        AccountLine(
            account,
            names.get(account, account) or "no account",
            tuple(sorted(of.names)),
            of.store,
            of.books,
            of.others,
        )
        for account, of in sorted(sums.items())
    )


def _drift(ctx: Context) -> tuple[tuple[Drift, ...], int]:
    """Items whose quantity in the store's warehouse is not what Saasu gives; how many were compared.

    A store has none below zero. What was set after the store was read counts as set; what it has shipped and the file does not know yet is no
    difference.
    """
    settings = ctx.settings.inventory_from_saasu
    if not settings.enabled or settings.warehouse is None:
        return (), 0
    try:
        place = ctx.shop.warehouse(settings.warehouse, SETTING).id
    except UnresolvedError:
        return (), 0
    there = {level.item: level.on_hand for level in ctx.shop.stock if level.place == place}
    read_at = ctx.shop.stock_read_at
    for (sku, warehouse), last in written(ctx).items():
        if warehouse == place and read_at is not None and last.at > read_at:
            there[sku] = last.quantity
    found, compared, motion = [], 0, in_motion(ctx).by_sku
    for item in ctx.books.stock:
        product = ctx.shop.items.get(item.code)
        should = wanted(item, settings.quantity, motion.get(item.code))
        if product is None or should is None or not _stocked(item, product):
            continue
        compared += 1
        books, store = should.quantity, there.get(item.code, ZERO)
        if books != store:
            found.append(Drift(item.code, item.description, books, store))
    return tuple(sorted(found, key=lambda one: one.item)), compared


def _stocked(item: SaasuItem, product: Item) -> bool:
    return item.inventoried and product.inventoried and not product.is_parent and not product.is_kit


def _waiting(ctx: Context, rows: Rows) -> Iterator[Waiting]:
    """Blocked rows of the plans, and what Saasu or the store refused or we hold."""
    told = set()
    for row in sorted(rows.blocked(), key=lambda row: (row.number, row.key)):
        told.add(row.key)
        if row.reason.code in FOLLOWING:
            continue
        amount = None if row.amount is None else row.amount.amount
        yield Waiting(row.number, row.title, amount, row.reason.code, row.reason.text, row.reason.remedy)
    for known in sorted(ctx.journal.known.values(), key=lambda one: (one.external_id, one.key)):
        stuck = known.state in (EffectState.REFUSED, EffectState.HELD)
        left = known.key in told or known.key in ctx.journal.ignored or becomes_sale_order(ctx, known)
        if stuck and not left:
            amount = None if known.amount is None else known.amount.amount
            yield Waiting(
                known.external_id,
                known.kind,
                amount,
                known.code or known.state.value,
                known.text,
                known.remedy,
            )


def _readings(ctx: Context, scope: Scope) -> tuple[Reading, ...]:
    readings = [
        Reading(f"{scope.store} (orders, payments, returns)", scope.store_read_at, scope.fresh),
        Reading(f"{scope.file} (invoices, payments)", ctx.books.read_at, scope.fresh),
    ]
    if ctx.settings.inventory_from_saasu.enabled:
        readings += [
            Reading(f"{scope.store} (stock)", ctx.shop.stock_read_at, scope.fresh),
            Reading(f"{scope.file} (stock)", ctx.books.stock_read_at, scope.fresh),
        ]
    return tuple(readings)
