"""The cross-check of a Neto store and a Saasu file: what reading ledger.yaml can know before anything is called.

Belongs here: settings that contradict each other or the connections, and warnings. Does not belong here: whether an account is
there (that is asked of the books when a plan is made).
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from ledger_pipelines.config.models import Finding, IntegrationConfig
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.neto_saasu.budget import (
    SHORTEST_MINUTES,
    Facts,
    calls_a_run,
    shortest_gap_minutes,
    warning,
)
from ledger_pipelines.integrations.neto_saasu.facts import assumed
from ledger_pipelines.integrations.neto_saasu.settings import (
    STATUSES,
    ContactFrom,
    NetoSaasuSettings,
    UnknownSku,
)


def check_neto_saasu(
    integration: IntegrationConfig, source: BaseModel, target: BaseModel
) -> Iterator[Finding]:
    """What is wrong. In mode plan what is missing is a warning: nothing is written, and the plan shows it row by row."""
    settings = integration.settings_as(NetoSaasuSettings)
    yield from _schedule(integration)
    yield from _statuses(settings)
    if integration.mode is Mode.TEST and not settings.general.test_orders:
        yield Finding(
            "settings.general.test_orders",
            "names no order, and mode is test",
            "Name up to ten order numbers.",
        )
    if not isinstance(source, NetoConnectionConfig) or not isinstance(target, SaasuConnectionConfig):
        return
    if source.books_time_zone != target.books_time_zone:
        yield Finding(
            "target",
            f"cuts its days in {target.books_time_zone or 'the time zone of the books'}, and {integration.source} in "
            f"{source.books_time_zone or 'the time zone of the books'}",
            "Give both connections the same books_time_zone, or neither.",
        )
    if integration.mode is not Mode.PLAN:
        yield from missing(settings)


def missing(settings: NetoSaasuSettings) -> Iterator[Finding]:
    """What the flows that are on need to write, and is not set."""
    yield from _products(settings)
    yield from _stock(settings)
    yield from _orders(settings)
    yield from _methods(settings)
    yield from _refunds(settings)


def warnings(
    integration: IntegrationConfig, target: BaseModel, facts: Facts | None = None
) -> Iterator[Finding]:
    """What works, and is likely not meant.

    Args:
        integration: As configured.
        target: The Saasu connection.
        facts: How much there is; None = a middling shop.
    """
    settings = integration.settings_as(NetoSaasuSettings)
    if integration.mode is Mode.PLAN:
        yield from missing(settings)
    if settings.products_from_saasu.enabled and settings.products_to_saasu.enabled:
        yield Finding(
            "settings.products_from_saasu.enabled",
            f"is on together with products_to_saasu, so that what is made in {integration.source} or in "
            f"{integration.target} appears in both",
            "Keep one of them on, or both off where you make products in both by hand.",
        )
    if integration.schedule is None or not isinstance(target, SaasuConnectionConfig):
        return
    try:
        found = warning(
            integration.schedule,
            target.seconds_between_calls,
            target.calls_per_day,
            calls_a_run(facts or assumed(settings)),
        )
    except ConfigurationError:
        return  # `check_neto_saasu` says it
    if found is not None:
        yield Finding("schedule", found.text, found.remedy)


def _schedule(integration: IntegrationConfig) -> Iterator[Finding]:
    if integration.schedule is None:
        return
    try:
        gap = shortest_gap_minutes(integration.schedule)
    except ConfigurationError as error:
        yield Finding("schedule", error.message.rstrip("."), error.remedy)
        return
    if gap < SHORTEST_MINUTES:
        yield Finding(
            "schedule",
            f"runs again after {gap} {'minute' if gap == 1 else 'minutes'}; {SHORTEST_MINUTES} is the shortest",
            "Write */15 for the minutes, or something rarer.",
        )


def _statuses(settings: NetoSaasuSettings) -> Iterator[Finding]:
    orders = settings.orders_to_saasu
    for field, names in (("statuses", orders.statuses), ("convert_statuses", orders.convert_statuses)):
        unknown = [name for name in names if name not in STATUSES]
        if unknown:
            yield Finding(
                f"settings.orders_to_saasu.{field}",
                f"has {', '.join(map(repr, unknown))}, which is no order status of Neto",
                f"There are: {', '.join(STATUSES)}.",
            )


def _products(settings: NetoSaasuSettings) -> Iterator[Finding]:
    products = settings.products_to_saasu
    if not products.enabled:
        return
    needed = {"income_account": products.income_account}
    if products.inventoried:
        needed |= {
            "asset_account": products.asset_account,
            "cost_of_sale_account": products.cost_of_sale_account,
        }
    for field, value in needed.items():
        if value is None:
            yield Finding(
                f"settings.products_to_saasu.{field}",
                "is not set, and products are exported",
                "Name an account by its name or id, or set products_to_saasu.enabled: false.",
            )


def _stock(settings: NetoSaasuSettings) -> Iterator[Finding]:
    if settings.inventory_from_saasu.enabled and settings.inventory_from_saasu.warehouse is None:
        yield Finding(
            "settings.inventory_from_saasu.warehouse",
            "is not set, and inventory is imported",
            "Name the warehouse of the store whose quantity is set.",
        )


def _orders(settings: NetoSaasuSettings) -> Iterator[Finding]:
    orders = settings.orders_to_saasu
    if not orders.enabled:
        return
    if orders.contact is ContactFrom.DEFAULT and orders.default_contact is None:
        yield Finding(
            "settings.orders_to_saasu.default_contact",
            "is not set, and contact is default",
            "Name a contact by its id, Contact ID or e-mail address.",
        )
    if orders.layout is UnknownSku.SERVICE_LAYOUT and orders.default_line_account is None:
        yield Finding(
            "settings.orders_to_saasu.default_line_account",
            "is not set, and layout is service_layout",
            "Name the income account of such lines.",
        )


def _methods(settings: NetoSaasuSettings) -> Iterator[Finding]:
    payments = settings.payments
    needed = payments.enabled or settings.refunds.enabled  # a paid refund leaves the account of its method
    if needed and not payments.methods and payments.default_account is None:
        yield Finding(
            "settings.payments.methods",
            "names no payment method, and there is no default_account",
            "Name the bank account of each payment method, or one for all of them in default_account.",
        )


def _refunds(settings: NetoSaasuSettings) -> Iterator[Finding]:
    refunds = settings.refunds
    if refunds.enabled and refunds.account is None and settings.orders_to_saasu.default_line_account is None:
        yield Finding(
            "settings.refunds.account",
            "is not set, nor is orders_to_saasu.default_line_account in its place, and returns are exported",
            "Name the account of returned goods that are not put back on the shelf, or set refunds.enabled: false.",
        )
