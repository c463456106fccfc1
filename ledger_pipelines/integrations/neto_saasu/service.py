"""The integration as an application: what a Neto store and a Saasu file add to `by_day.service`.

Belongs here: what is read, who writes, which module decides a flow, the reconciliation. Does not belong here: the order of steps
(`by_day.service`), any rule of booking (the flow modules), any call's shape (`systems`), anything of Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from functools import cached_property
from typing import Final, TypeVar

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.models import Finding
from ledger_pipelines.documents.dates import Clock, days_between
from ledger_pipelines.documents.effects import Mode, Writer
from ledger_pipelines.errors import DataError, LedgerError
from ledger_pipelines.integrations.by_day.readings import Side
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.neto_saasu import (
    contacts,
    invoices,
    items_from_saasu,
    items_to_saasu,
    payments,
    refunds,
    stock_from_saasu,
)
from ledger_pipelines.integrations.neto_saasu.budget import Facts
from ledger_pipelines.integrations.neto_saasu.checks import warnings
from ledger_pipelines.integrations.neto_saasu.compare import movement
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.doubles import doubles, open_item
from ledger_pipelines.integrations.neto_saasu.facts import assumed, counted
from ledger_pipelines.integrations.neto_saasu.invoice_body import NEGATIVE_STOCK
from ledger_pipelines.integrations.neto_saasu.limits import guards_of
from ledger_pipelines.integrations.neto_saasu.mirror import Mirror
from ledger_pipelines.integrations.neto_saasu.named import wrong_names
from ledger_pipelines.integrations.neto_saasu.needs import STOCK, neto_entities, saasu_entities
from ledger_pipelines.integrations.neto_saasu.pairing import Pairing, pair
from ledger_pipelines.integrations.neto_saasu.reconcile import Scope, reconcile
from ledger_pipelines.integrations.neto_saasu.settings import FLOWS, TO_NETO, NetoSaasuSettings
from ledger_pipelines.integrations.neto_saasu.setup import KIND, Setup, setup_of
from ledger_pipelines.integrations.of_store import OfStore
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.reports.shop_reconciliation import render
from ledger_pipelines.reports.shop_view import ShopReconciliation
from ledger_pipelines.sync.guards import Guard
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.result import ApplyResult, Outcome
from ledger_pipelines.systems.saasu import connect as saasu_connect
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines.systems.saasu.reader import SaasuReader
from ledger_pipelines.systems.saasu.writer import SaasuWriter

_ORDER: Final = (
    "Nothing of it is written until then: no contact, invoice, payment or refund. What Saasu has of it stays as it is, and may show "
    "less paid than the store does: do not ask for that money."
)
_RETURN: Final = "Until then its credit, and what was paid back on it, are not in Saasu: the customer may seem to owe more."
T = TypeVar("T")
_FOR_STOCK = frozenset({"sale-order-for-stock", "waits-for-stock"})


class NetoSaasu(OfStore[Setup, Pairing, ShopReconciliation]):
    """One integration. Opens nothing before it is needed; `close` what was opened."""

    KIND = KIND
    ALL_FLOWS = FLOWS
    CLIENTS = ("neto", "saasu")
    COMES_BY_ITSELF = _FOR_STOCK | {"wait-for-books"}

    @property
    def flows(self) -> tuple[str, ...]:
        """The flows that are on, in the order they run."""
        return self.setup.settings.enabled_flows()

    @property
    def accounts(self) -> tuple[str, str]:
        """The store's host and the file's id."""
        return self.setup.store, self.setup.account

    @property
    def settings(self) -> NetoSaasuSettings:
        """The user's choices."""
        return self.setup.settings

    # --- both sides ------------------------------------------------------------------------------------------------

    @cached_property
    def saasu(self) -> SaasuClient:
        """The file's client. Raises ConfigurationError when a credential's variable is missing."""
        return saasu_connect.connect(
            self.target,
            self.setup.target_config,
            state_folder=self.setup.data / "state",
            run_id=self._run_id,
            clock=self.clock,
        )

    @cached_property
    def mirror(self) -> Mirror:
        """Both sides as last read."""
        setup = self.setup
        return Mirror(
            setup.data,
            setup.source,
            setup.target,
            store_zone=setup.source_config.zone,
            books_zone=setup.zone,
            shop_currency=setup.source_config.currency,
            books_currency=setup.target_config.currency,
        )

    def sides(self, *, whole: bool) -> Iterable[Side]:
        """The store, then the file. Stock that a sale order waits for is read whatever flows are on."""
        settings = self.setup.settings
        stock = not whole and self._waits_for_stock()
        return (
            self.neto_side(neto_entities(settings)),
            Side(
                self.target,
                lambda: SaasuReader(self.saasu),
                SAASU,
                self.setup.target_config.start_date,
                saasu_entities(settings, stock=stock),
            ),
        )

    def reach(self) -> timedelta:
        """As the settings say."""
        return timedelta(days=self.setup.settings.initial_sync.days)

    def young(self) -> Mapping[str, timedelta]:
        """Stock is read as often as the settings say."""
        return {STOCK: timedelta(minutes=self.setup.settings.inventory_from_saasu.every_minutes)}

    def writer(self, flow: str) -> Writer:
        """Who carries a flow's plan out."""
        if flow in TO_NETO:
            return self.neto_writer()
        return SaasuWriter(self.saasu)

    def writes_to(self, flow: str) -> str:
        """The store for products and stock, else the file."""
        return self.source if flow in TO_NETO else self.target

    def settle_window(self, connection: str) -> timedelta:
        """As the connections say."""
        setup = self.setup
        config = setup.source_config if connection == self.source else setup.target_config
        return timedelta(seconds=config.settle_window_seconds)

    # --- decisions -------------------------------------------------------------------------------------------------

    def guards(self) -> Sequence[Guard]:
        """As the settings say."""
        return guards_of(self.setup.settings.general, self.setup.target_config.currency)

    @property
    def found_type(self) -> type[Pairing]:
        """Pairs of both sides."""
        return Pairing

    def found(self) -> Pairing:
        """What store and file have in common already."""
        shop = self.mirror.shop().legible
        return pair(
            shop.items.values(),
            shop.customers.values(),
            shop.orders.values(),
            self.mirror.books().legible,
            self.setup.settings.orders_to_saasu.prefix,
            self.written_before(),
        )

    def traces(self) -> Sequence[str]:
        """References of payments and journals: nobody else gives such."""
        prefix, books = self.setup.settings.orders_to_saasu.prefix, self.mirror.books()
        found = {one.reference.strip() for one in readable(books.payments)} | {
            one.reference.strip() for one in readable(books.journals)
        }
        return sorted(one for one in found if movement(one, prefix) is not None)

    def paired(self) -> None:
        """Forget the pairs of before."""
        self.__dict__.pop("_pairs", None)

    def close(self) -> None:
        """Close what was opened."""
        super().close()
        self.paired()

    def context(self, day: date, exported: Plan | None = None) -> Context:
        """Everything decisions of a day are made from, as stored now."""
        setup = self.setup
        return Context(
            integration=self.name,
            source=self.source,
            target=self.target,
            account=setup.account,
            store=setup.store,
            zone=setup.zone,
            store_zone=setup.source_config.zone,
            mode=setup.mode if setup.mode is Mode.TEST else Mode.LIVE,
            settings=setup.settings,
            day=day,
            today=self.today(),
            first_day=setup.start_date,
            shop=self.mirror.shop(),
            books=self.mirror.books(),
            journal=self.memory.view(exported),
            pairs=self._pairs,
        )

    @cached_property
    def _pairs(self) -> Mapping[str, str]:
        done = self.initial()
        return {} if done is None else done.pairing.contact_ids()

    def rows(self, flow: str, day: date, exported: Plan | None) -> Iterable[PlanRow]:
        """The rows of a flow's plan of a day."""
        mirror, ctx = self.mirror, self.context(day, exported)
        match flow:
            case "items_to_saasu":
                return items_to_saasu.rows(ctx, self._wanted(ctx))
            case "contacts":
                return [*self._unread_orders(ctx), *contacts.rows(ctx, mirror.orders_of(day))]
            case "invoices":
                return [*self._unread_orders(ctx), *invoices.rows(ctx, mirror.orders_of(day))]
            case "payments":
                unread = self.unread(ctx, "payments", payments.UNTIL_BOOKED)
                return [*self._unread_orders(ctx), *unread, *payments.rows(ctx, mirror.orders_of(day))]
            case "refunds":
                return [*self.unread(ctx, "rmas", _RETURN), *refunds.rows(ctx, mirror.returns_of(day))]
            case "other_items_to_saasu":
                others = items_to_saasu.others(ctx, mirror.products_of(day), self._wanted(ctx))
                return [*self.unread(ctx, "products"), *others]
            case "items_from_saasu":
                items = [
                    ctx.unreadable(one, one.key, f"Item {one.key}") for one in mirror.unreadable_items_of(day)
                ]
                return [*items, *items_from_saasu.rows(ctx, mirror.saasu_items_of(day))]
            case _:
                return stock_from_saasu.rows(ctx)

    def _unread_orders(self, ctx: Context) -> list[PlanRow]:
        return self.unread(ctx, "orders", _ORDER)

    @property
    def test_orders(self) -> Collection[str]:
        """As the settings say."""
        return self.setup.settings.general.test_orders

    def _wanted(self, ctx: Context) -> set[str]:
        """SKUs on the day's orders that are exported."""
        orders = [order for order in self.mirror.orders_of(ctx.day) if invoices.select(ctx, order) is None]
        return {line.item for order in orders for line in order.lines if not line.text_only}

    def falls_back(self, result: ApplyResult) -> bool:
        """Whether invoices were refused for want of stock that are to be written, or to stay, as sale orders instead."""
        return (
            result.flow == "invoices"
            and self.setup.settings.orders_to_saasu.retry_as_sale_order
            and any(row.reason.code == NEGATIVE_STOCK for row in result.having(Outcome.REFUSED))
        )

    def _waits_for_stock(self) -> bool:
        """Whether a sale order becomes an invoice once there is stock: then it must be read, whatever flows are on."""
        return any(
            row.reason.code in _FOR_STOCK
            for day in self.days_done.waiting("invoices")
            if (plan := self.latest_plan("invoices", day)) is not None
            for row in plan.rows
        )

    # --- what came of it -------------------------------------------------------------------------------------------

    def reconcile(self, first: date, last: date) -> ShopReconciliation:
        """Both sides compared as they were last read, over some days. Makes no call."""
        # An order's rows are in the plan of the day it last changed: those that wait are in plans of other days too.
        days = sorted({*days_between(first, last), *self.days_due()})
        planned = [
            row
            for flow in FLOWS
            for day in days
            if (plan := self.latest_plan(flow, day)) is not None
            for row in plan.rows
        ]
        spent = self.spent_if_open()
        setup = self.setup
        scope = Scope(
            first=first,
            last=last,
            store=setup.source_config.store,
            file=f"Saasu file {setup.account}",
            now=self.clock.now(),
            store_read_at=self.mirror.store_read_at(),
            calls_left=None if spent is None else spent.left,
            mode=setup.mode,
        )
        return reconcile(self.context(last), scope, planned)

    def page(self, figures: ShopReconciliation) -> str:
        """As HTML."""
        return render(figures)

    def doubles(self) -> Sequence[OpenItem]:
        """Documents of ours that the file has twice; none before anything was read."""
        if self.initial() is None:
            return ()
        try:
            return [open_item(one) for one in doubles(self.context(self.today()))]
        except DataError:  # a plan says what is missing or cannot be read
            return ()

    def facts(self) -> Facts:
        """What the calls of a day depend on, counted in what was last read; assumed where nothing was."""
        if self.initial() is None:
            return assumed(self.setup.settings)
        return counted(self.setup.settings, self.mirror.shop(), self.mirror.books(), self.today())

    def wrong_names(self) -> Sequence[Finding]:
        """Settings that name what neither side had when it was last read; none before anything was read. Makes no call."""
        if self.initial() is None:
            return ()
        return tuple(wrong_names(self.setup.settings, self.mirror.shop(), self.mirror.books()))


def build_service(
    loaded: LoadedConfig, name: str, *, clock: Clock | None = None, run_id: str = ""
) -> NetoSaasu:
    """The integration `name` of a configuration. Raises ConfigurationError as `setup_of`."""
    return NetoSaasu(setup_of(loaded, name), clock=clock, run_id=run_id)


def warnings_of(loaded: LoadedConfig, name: str) -> list[Finding]:
    """What works, and is likely not meant, and names of settings that are not there; calls are counted from what was last read. No call is made."""
    integration = loaded.config.integration(name)
    with closing(build_service(loaded, name)) as service:
        facts, wrong = _if_known(service.facts), _if_known(service.wrong_names) or ()
    return [*wrong, *warnings(integration, loaded.config.saasu(integration.target), facts)]


def _if_known(ask: Callable[[], T]) -> T | None:
    """The answer; None where what was last read does not give it: a plan says why."""
    try:
        return ask()
    except LedgerError:
        return None
