"""A Neto store against a Cin7 Omni account, over some days: orders, their totals, their state, and both catalogues.

Belongs here: what is compared, and putting it together. Does not belong here: how the result looks
(`reports.omni_reconciliation`), reading either side (`mirror`), deciding (the flows).

Omni is taken as it was last read, never as we believe to have written it. Pure: the same facts give the same result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from ledger_pipelines.documents.dates import days_between
from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED
from ledger_pipelines.integrations.by_day.stored import unreadable
from ledger_pipelines.integrations.by_day.unreadable import ITSELF, UNREADABLE, UnreadableError, order_named
from ledger_pipelines.integrations.by_day.worklist import FOLLOWING
from ledger_pipelines.integrations.neto_cin7.catalogue import (
    INACTIVE,
    MISSING,
    SPELLING,
    TWICE,
    compare,
    trouble,
)
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.decisions import titled
from ledger_pipelines.integrations.neto_cin7.doubles import doubles
from ledger_pipelines.integrations.neto_cin7.edits import written
from ledger_pipelines.integrations.neto_cin7.omni import is_dispatched
from ledger_pipelines.integrations.neto_cin7.references import (
    dispatch_key,
    order_key,
    order_reference,
    void_key,
)
from ledger_pipelines.integrations.neto_cin7.revisions import SHOWN
from ledger_pipelines.integrations.neto_cin7.selection import select
from ledger_pipelines.integrations.neto_cin7.status_updates import WAITS, completed
from ledger_pipelines.integrations.unread import waiting_records
from ledger_pipelines.reports.omni_view import OmniReconciliation, OutOfStep
from ledger_pipelines.reports.shop_view import (
    About,
    DayLine,
    Difference,
    Reading,
    ShopHeading,
    Waiting,
    Why,
)
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.cin7.records import SalesOrder

_OF_SKU: Final = frozenset({MISSING, INACTIVE, SPELLING, TWICE})
_WHY: Final = {
    EffectState.REFUSED: Why.REFUSED,
    EffectState.HELD: Why.BLOCKED,
    EffectState.IGNORED: Why.IGNORED,
    EffectState.SENT: Why.IN_DOUBT,
    EffectState.UNKNOWN: Why.IN_DOUBT,
    EffectState.CLAIMED: Why.IN_DOUBT,
    EffectState.CONFIRMED: Why.NOT_READ,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reconciled, and when.

    Args:
        first, last: Days of the books, both included.
        store, account: Names for people.
        now: UTC.
        store_read_at: When the store's orders and products were last read, UTC; None = never.
        fresh: Readings that are older fail their check.
        mode: Of the integration.
    """

    first: date
    last: date
    store: str
    account: str
    now: datetime
    store_read_at: datetime | None
    fresh: timedelta = timedelta(hours=24)
    mode: Mode = Mode.LIVE


def reconcile(ctx: Context, scope: Scope, planned: Iterable[PlanRow] = ()) -> OmniReconciliation:
    """Compare both sides as they were last read.

    Args:
        ctx: Of any day.
        scope: Which days.
        planned: Rows of the latest plans of all flows: they say why something is not in Omni.
    """
    rows = {row.key: row for row in planned}
    blocked = [row for row in rows.values() if row.action is Action.BLOCKED]
    unread = tuple(waiting_records([*ctx.shop.unreadable(), *ctx.omni.unreadable()], blocked))
    unread_orders = unreadable(ctx.omni.orders)
    ctx = ctx.legible
    comparing = _Comparing(ctx, scope, rows | _rows_of_orders(ctx, rows.values()), unread_orders)
    for number in sorted(ctx.shop.orders):
        order = ctx.shop.orders[number]
        if scope.first <= order.day <= scope.last:
            comparing.take(order)
    choices = ctx.settings
    return OmniReconciliation(
        heading=ShopHeading(
            ctx.integration, ctx.source, ctx.target, scope.store, scope.account, ctx.shop.currency, scope.first,
            scope.last, ctx.zone.key, scope.mode.value, scope.now,
        ),
        days=tuple(comparing.lines[day] for day in days_between(scope.first, scope.last)),
        differences=tuple(comparing.differences),
        documents=tuple(comparing.documents),
        doubles=doubles(ctx),
        catalogue=tuple(_catalogue(ctx, comparing.waited_for)) if choices.products.in_step else (),
        waiting=(*unread, *_waiting(ctx, rows)),
        readings=tuple(_readings(ctx, scope)),
        compared=choices.products.in_step,
        dispatches=choices.dispatches,
    )  # fmt: skip


def _rows_of_orders(ctx: Context, rows: Iterable[PlanRow]) -> dict[str, PlanRow]:
    """Rows of orders that wait for a person, or for a record that cannot be read, under keys of what they say: by the order's. Also
    where a person said to ignore that."""
    found = {}
    for row in rows:
        order = ctx.shop.orders.get(row.number)
        blocked, code = row.action is Action.BLOCKED, row.reason.code
        if order is None or not (blocked or code == IGNORED):
            continue
        unread = code in (UNREADABLE, IGNORED) and row.title == order_named(order)[1]
        shown = code in SHOWN or (code == IGNORED and row.title == titled(order))
        key = order_key(ctx, order)
        if (unread or shown) and (blocked or key not in found):
            found[key] = row
    return found


@dataclass
class _Comparing:
    """One order after another. unread: orders of Omni that cannot be read, by id; lines: by day; waited_for: SKUs that orders wait
    for."""

    ctx: Context
    scope: Scope
    rows: Mapping[str, PlanRow]
    unread: Mapping[str, UnreadableError]
    lines: dict[date, DayLine] = field(init=False)
    differences: list[Difference] = field(default_factory=list)
    documents: list[Difference] = field(default_factory=list)
    waited_for: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        nothing = (DayLine(day, ZERO, ZERO) for day in days_between(self.scope.first, self.scope.last))
        self.lines = {line.day: line for line in nothing}

    def take(self, order: SalesDocument) -> None:
        """Compare one order."""
        ctx = self.ctx
        there = self._there(order)
        wanted = not order.cancelled and select(ctx, order) is None
        if there is not None and (wanted or order.cancelled):
            self._state(order, there)
        alive = None if there is None or there.is_void else there
        if not wanted:
            return
        total = None if alive is None else ctx.omni.total_of(alive)
        self._count(order, total)
        if total != order.grand_total:
            self._differs(order, alive, total)

    def _there(self, order: SalesDocument) -> SalesOrder | None:
        """The order in Omni: the one we made, else one of its reference."""
        known = self.ctx.journal.confirmed(order_key(self.ctx, order))
        ours = None if known is None else self.ctx.omni.orders.get(known.remote_id)
        if ours is not None:
            return ours
        found = self.ctx.omni.with_reference(order_reference(self.ctx, order))
        return found[0] if found else None

    def _count(self, order: SalesDocument, total: Money | None) -> None:
        line = self.lines[order.day]
        own = order.currency == self.ctx.shop.currency
        ordered = order.grand_total.amount if own else ZERO
        invoiced = total.amount if own and total is not None and total.currency == order.currency else ZERO
        self.lines[order.day] = DayLine(
            line.day, line.taken + ordered, line.received + invoiced, line.orders + 1,
            line.invoices + (total is not None), line.ordered + ordered, line.invoiced + invoiced,
        )  # fmt: skip

    def _differs(self, order: SalesDocument, there: SalesOrder | None, total: Money | None) -> None:
        key = order_key(self.ctx, order)
        alike = total is not None and total.currency == order.currency
        unread = self._unread(key) if total is None else None
        if unread is not None:
            about, why, text = (
                About.TOTAL,
                Why.BLOCKED,
                f"Omni has it, and it cannot be read: {unread.message}",
            )
            remedy = f"{unread.remedy} {ITSELF}".strip()
        elif total is None:
            about, (why, text, remedy) = About.NOT_THERE, self._why(key, "It is not in Omni.")
            self._wait_for(order, key)
        else:
            text = f"The store has {order.grand_total}, Omni {total}."
            about, (why, text, remedy) = About.TOTAL, self._why_other(order, key, text)
        one = Difference(
            about, why, order.day, order.number, order.party.title, f"Order {order.number}", order.grand_total.amount,
            total.amount if alike and total is not None else None, text, remedy,
            reference=order_reference(self.ctx, order), number="" if there is None else there.id,
        )  # fmt: skip
        own = order.currency == self.ctx.shop.currency and (total is None or alike)
        (self.differences if own else self.documents).append(one)

    def _unread(self, key: str) -> UnreadableError | None:
        """Why the order that we made cannot be read."""
        known = self.ctx.journal.confirmed(key)
        return None if known is None else self.unread.get(known.remote_id)

    def _wait_for(self, order: SalesDocument, key: str) -> None:
        """Note which SKUs keep the order back."""
        row = self.rows.get(key)
        if row is None or row.action is not Action.BLOCKED or row.reason.code not in _OF_SKU:
            return
        parts = {part.item for line in order.lines for part in line.components}
        skus = {line.item for line in order.lines if not line.text_only} | parts
        self.waited_for |= {sku for sku in skus if sku.strip() and trouble(self.ctx, sku) is not None}

    def _why_other(self, order: SalesDocument, key: str, text: str) -> tuple[Why, str, str]:
        before = written(self.ctx, order)
        if before is None:
            return Why.BY_OTHERS, f"{text} It was not written by us.", ""
        row = self.rows.get(key)
        if row is not None and row.action is Action.BLOCKED:
            return Why.BLOCKED, f"{text} {row.reason.text}", row.reason.remedy
        if row is not None and row.reason.code == IGNORED:
            return Why.IGNORED, f"{text} A user said to ignore it.", ""
        read_at = self.ctx.omni.read_at
        if before.at is not None and (read_at is None or read_at <= before.at):
            return Why.NOT_READ, f"{text} Omni was read before the last change.", ""
        return Why.BY_HAND, text, "Look at the order in Omni: somebody changed it there."

    def _why(self, key: str, text: str) -> tuple[Why, str, str]:
        """Why a write of ours is not there: by the latest plan, else by the journal."""
        row, known = self.rows.get(key), self.ctx.journal.known.get(key)
        if key in self.ctx.journal.ignored or (row is not None and row.reason.code == IGNORED):
            return Why.IGNORED, f"{text} A user said to ignore it.", ""
        if row is not None and row.action is Action.BLOCKED:
            return Why.BLOCKED, row.reason.text, row.reason.remedy
        if row is not None and row.reason.code in WAITS:
            return Why.NOT_EXPORTED, row.reason.text, row.reason.remedy
        why = None if known is None else _WHY.get(known.state)
        if known is not None and why is not None:
            return why, known.text or text, known.remedy
        if row is not None and row.effect is None and row.reason.code != "already-there":
            return Why.NOT_EXPORTABLE, row.reason.text, row.reason.remedy
        return Why.NOT_EXPORTED, f"{text} It is written by the next run.", ""

    # --- state -------------------------------------------------------------------------------------------------------

    def _state(self, order: SalesDocument, there: SalesOrder) -> None:
        """What is completed is dispatched, what is cancelled is void, and nothing else is."""
        ctx = self.ctx
        dispatched, done = is_dispatched(there), completed(ctx, order)
        ours = ctx.journal.may_be_there(order_key(ctx, order))
        if not ours:
            return
        if order.cancelled and not there.is_void:
            self._other_state(
                order, there, "is cancelled in the store, and not void in Omni", void_key(ctx, order)
            )
        elif not order.cancelled and there.is_void:
            self._other_state(
                order, there, f"is {order.status} in the store, and void in Omni", order_key(ctx, order)
            )
        elif done and not dispatched and not order.cancelled:
            self._other_state(
                order,
                there,
                f"is {order.status} in the store, and not dispatched in Omni",
                dispatch_key(ctx, order),
            )
        elif dispatched and not done and not order.cancelled:
            text = f"Order {order.number} is {order.status} in the store, and dispatched in Omni."
            self._add(
                order,
                there,
                Why.BY_HAND,
                text,
                "Look at what was shipped; the store follows no dispatch of Omni.",
            )

    def _other_state(self, order: SalesDocument, there: SalesOrder, what: str, key: str) -> None:
        text = f"Order {order.number} {what}."
        if not self.ctx.settings.dispatches:
            self._add(order, there, Why.IGNORED, f"{text} Auto Dispatch Orders is No.", "")
            return
        why, said, remedy = self._why(key, text)
        self._add(order, there, why, said, remedy)

    def _add(self, order: SalesDocument, there: SalesOrder, why: Why, text: str, remedy: str) -> None:
        self.documents.append(
            Difference(
                About.STATE, why, order.day, order.number, order.party.title, f"Order {order.number}", None, None, text,
                remedy, reference=there.reference, number=there.id,
            )
        )  # fmt: skip


def _catalogue(ctx: Context, waited_for: Collection[str]) -> Iterator[OutOfStep]:
    """Both catalogues, then SKUs of orders that the store itself lacks. waited_for: SKUs that orders of the days wait for."""
    compared = compare(ctx)
    known = {one.sku for one in compared}
    for one in (*compared, *compare(ctx, [sku for sku in waited_for if sku not in known])):
        yield OutOfStep(
            one.sku, one.code, one.reason.code, one.reason.text, one.reason.remedy, one.sku in waited_for
        )


def _waiting(ctx: Context, rows: Mapping[str, PlanRow]) -> Iterator[Waiting]:
    """Blocked rows of the plans, and what Omni or the store refused or we hold."""
    told = set()
    for row in sorted(rows.values(), key=lambda one: (one.number, one.key)):
        if row.action is not Action.BLOCKED:
            continue
        told.add(row.key)
        if row.reason.code not in FOLLOWING:
            amount = None if row.amount is None else row.amount.amount
            yield Waiting(row.number, row.title, amount, row.reason.code, row.reason.text, row.reason.remedy)
    for known in sorted(ctx.journal.known.values(), key=lambda one: (one.external_id, one.key)):
        stuck = known.state in (EffectState.REFUSED, EffectState.HELD)
        if stuck and known.key not in told and known.key not in ctx.journal.ignored:
            amount = None if known.amount is None else known.amount.amount
            code = known.code or known.state.value
            yield Waiting(known.external_id, known.kind, amount, code, known.text, known.remedy)


def _readings(ctx: Context, scope: Scope) -> Iterator[Reading]:
    yield Reading(f"{scope.store} (orders, products)", scope.store_read_at, scope.fresh)
    yield Reading(f"{scope.account} (orders)", ctx.omni.read_at, scope.fresh)
    if ctx.omni.stock_read_at is not None:
        yield Reading(f"{scope.account} (stock)", ctx.omni.stock_read_at, scope.fresh)
