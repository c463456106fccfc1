"""The integration as an application: what a Neto store and a Cin7 Omni account add to `by_day.service`.

Belongs here: what is read, who writes, which module decides a flow, the reconciliation. Does not belong here: the order of steps
(`by_day.service`), any rule of what is written (the flow modules), any call's shape (`systems`), anything of Dagster.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.models import Finding
from ledger_pipelines.documents.dates import Clock, days_between
from ledger_pipelines.documents.effects import Mode, Writer
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.readings import Side
from ledger_pipelines.integrations.neto_cin7 import (
    contacts,
    orders,
    payments,
    products_from_cin7,
    products_to_cin7,
    status_updates,
)
from ledger_pipelines.integrations.neto_cin7.checks import warnings
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.doubles import doubles, open_item
from ledger_pipelines.integrations.neto_cin7.limits import guards_of
from ledger_pipelines.integrations.neto_cin7.mirror import Mirror
from ledger_pipelines.integrations.neto_cin7.needs import NETO, STOCK, cin7_entities
from ledger_pipelines.integrations.neto_cin7.pairing import Pairing, pair
from ledger_pipelines.integrations.neto_cin7.reconcile import Scope, reconcile
from ledger_pipelines.integrations.neto_cin7.references import order_reference
from ledger_pipelines.integrations.neto_cin7.revisions import WAITS_FOR_READING
from ledger_pipelines.integrations.neto_cin7.selection import select
from ledger_pipelines.integrations.neto_cin7.settings import FLOWS, TO_NETO, NetoCin7Settings
from ledger_pipelines.integrations.neto_cin7.setup import KIND, Setup, setup_of
from ledger_pipelines.integrations.of_store import OfStore
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.reports.omni_reconciliation import render
from ledger_pipelines.reports.omni_view import OmniReconciliation
from ledger_pipelines.sync.guards import Guard
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.systems.cin7 import connect as cin7_connect
from ledger_pipelines.systems.cin7.client import Cin7Client
from ledger_pipelines.systems.cin7.entities import ENTITIES as CIN7
from ledger_pipelines.systems.cin7.reader import Cin7Reader
from ledger_pipelines.systems.cin7.writer import Cin7Writer

_ORDER: Final = "Nothing of it is written until then: no contact, order, payment, dispatch or void. What Omni has of it stays as it is."


class NetoCin7(OfStore[Setup, Pairing, OmniReconciliation]):
    """One integration. Opens nothing before it is needed; `close` what was opened."""

    KIND = KIND
    ALL_FLOWS = FLOWS
    CLIENTS = ("neto", "cin7")
    TOGETHER = frozenset({"products_to_cin7", "contacts", "orders", "payments"})
    COMES_BY_ITSELF = status_updates.WAITS | {WAITS_FOR_READING}

    @property
    def flows(self) -> tuple[str, ...]:
        """The flows that are on, in the order they run."""
        return self.setup.settings.enabled_flows()

    @property
    def accounts(self) -> tuple[str, str]:
        """The store's host and the account's name."""
        return self.setup.store, self.setup.account

    @property
    def settings(self) -> NetoCin7Settings:
        """The user's choices."""
        return self.setup.settings

    # --- both sides ------------------------------------------------------------------------------------------------

    @cached_property
    def cin7(self) -> Cin7Client:
        """The account's client. Raises ConfigurationError when a credential's variable is missing."""
        return cin7_connect.connect(
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
            shop_currency=setup.source_config.currency,
            omni_currency=setup.target_config.currency,
            base_amounts=setup.target_config.amounts_in_base_currency,
        )

    def sides(self, *, whole: bool) -> Iterable[Side]:
        """The store, then the account."""
        del whole
        wanted = cin7_entities(self.setup.settings)
        opening = self.setup.target_config.start_date
        omni = Side(self.target, lambda: Cin7Reader(self.cin7), CIN7, opening, wanted)
        return (self.neto_side(NETO), omni)

    def reach(self) -> timedelta:
        """As the settings say."""
        return timedelta(days=self.setup.settings.initial_sync.days)

    def young(self) -> Mapping[str, timedelta]:
        """Stock is read as often as the settings say."""
        return {STOCK: timedelta(minutes=self.setup.settings.status_updates.stock_every_minutes)}

    def writer(self, flow: str) -> Writer:
        """Who carries a flow's plan out."""
        if flow in TO_NETO:
            return self.neto_writer()
        return self._cin7_writer

    @cached_property
    def _cin7_writer(self) -> Cin7Writer:
        """One for all flows: it remembers which records were refused together."""
        return Cin7Writer(self.cin7)

    def writes_to(self, flow: str) -> str:
        """The store for uploaded products, else the account."""
        return self.source if flow in TO_NETO else self.target

    def settle_window(self, connection: str) -> timedelta:
        """As the connections say."""
        setup = self.setup
        config = setup.source_config if connection == self.source else setup.target_config
        return timedelta(seconds=config.settle_window_seconds)

    def close(self) -> None:
        """Close what was opened."""
        self.__dict__.pop("_cin7_writer", None)
        super().close()

    # --- decisions -------------------------------------------------------------------------------------------------

    def guards(self) -> Sequence[Guard]:
        """As the settings say."""
        return guards_of(self.setup.settings.general, self.setup.target_config.currency)

    @property
    def found_type(self) -> type[Pairing]:
        """What both sides have in common."""
        return Pairing

    def found(self) -> Pairing:
        """What store and account have in common already."""
        return pair(self.context(self.today()).legible, self.written_before())

    def traces(self) -> Sequence[str]:
        """References of orders whose lines carry the store's line ids: nobody else gives such."""
        ctx = self.context(self.today()).legible
        return sorted(
            there.reference
            for order in ctx.shop.orders.values()
            for there in ctx.omni.with_reference(order_reference(ctx, order))
            if orders.is_ours(order, there)
        )

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
            omni=self.mirror.omni(),
            journal=self.memory.view(exported),
            shipments=self.mirror.shipments(),
        )

    def rows(self, flow: str, day: date, exported: Plan | None) -> Iterable[PlanRow]:
        """The rows of a flow's plan of a day."""
        mirror, ctx = self.mirror, self.context(day, exported)
        match flow:
            case "products_to_cin7":
                chosen = [order for order in mirror.orders_of(day) if select(ctx, order) is None]
                wanted = {line.item for order in chosen for line in order.lines if not line.text_only}
                made = products_to_cin7.rows(ctx, mirror.products_of(day), wanted)
                return [*self.unread(ctx, "products"), *made]
            case "products_from_cin7":
                products = [
                    ctx.unreadable(one, one.key, f"Product {one.key} of Omni")
                    for one in mirror.unreadable_cin7_products_of(day)
                ]
                return [*products, *products_from_cin7.rows(ctx, mirror.cin7_products_of(day))]
            case "contacts":
                return [*self._unread_orders(ctx), *contacts.rows(ctx, mirror.orders_of(day))]
            case "orders":
                return [*self._unread_orders(ctx), *orders.rows(ctx, mirror.orders_of(day))]
            case "payments":
                unread = self.unread(ctx, "payments", payments.UNTIL_BOOKED)
                return [*self._unread_orders(ctx), *unread, *payments.rows(ctx, mirror.orders_of(day))]
            case _:
                return [*self._unread_orders(ctx), *status_updates.rows(ctx, mirror.orders_of(day))]

    def _unread_orders(self, ctx: Context) -> list[PlanRow]:
        return self.unread(ctx, "orders", _ORDER)

    @property
    def test_orders(self) -> Collection[str]:
        """As the settings say."""
        return self.setup.settings.general.test_orders

    # --- what came of it -------------------------------------------------------------------------------------------

    def reconcile(self, first: date, last: date) -> OmniReconciliation:
        """Both sides compared as they were last read, over some days. Makes no call."""
        # An order's rows are in the plan of the day it last changed: those that wait are in plans of other days too.
        days = sorted({*days_between(first, last), *self.days_due()})
        planned = [
            row
            for flow in self.flows
            for day in days
            if (plan := self.latest_plan(flow, day)) is not None
            for row in plan.rows
        ]
        setup = self.setup
        scope = Scope(
            first=first,
            last=last,
            store=setup.source_config.store,
            account=f"Cin7 Omni account {setup.account}",
            now=self.clock.now(),
            store_read_at=self.mirror.store_read_at(),
            mode=setup.mode,
        )
        return reconcile(self.context(last), scope, planned)

    def page(self, figures: OmniReconciliation) -> str:
        """As HTML."""
        return render(figures)

    def doubles(self) -> Sequence[OpenItem]:
        """Payments of ours that the account has twice; none before anything was read."""
        if self.initial() is None:
            return ()
        try:
            return [open_item(one) for one in doubles(self.context(self.today()))]
        except DataError:  # a plan says what is missing or cannot be read
            return ()


def build_service(
    loaded: LoadedConfig, name: str, *, clock: Clock | None = None, run_id: str = ""
) -> NetoCin7:
    """The integration `name` of a configuration. Raises ConfigurationError as `setup_of`."""
    return NetoCin7(setup_of(loaded, name), clock=clock, run_id=run_id)


def warnings_of(loaded: LoadedConfig, name: str) -> list[Finding]:
    """What works, and is likely not meant. No call is made."""
    return list(warnings(loaded.config.integration(name)))
