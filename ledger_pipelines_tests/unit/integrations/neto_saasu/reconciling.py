"""A store and a file on two pages, for the tests of what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import (
    DocumentKind,
    Party,
    Payment,
    SalesDocument,
)
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.reconcile import Scope, reconcile
from ledger_pipelines.integrations.neto_saasu.references import payment_key
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.shop import Shop
from ledger_pipelines.reports.shop_view import Check, ShopReconciliation
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import (
    SaasuAccount,
    SaasuInvoice,
    SaasuItem,
    SaasuPayment,
)

D = Decimal
ZONE = ZoneInfo("Australia/Sydney")
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 20)
NOW = datetime(2026, 5, 21, 2, tzinfo=UTC)
READ = NOW - timedelta(hours=1)
SETTINGS = NetoSaasuSettings.model_validate(
    {
        "payments": {"methods": {"Credit Card": "Clearing Cards", "PayPal": "Clearing PayPal"}},
        "products_to_saasu": {"income_account": "1"},
    }
)


def day(number: int) -> date:
    return date(2026, 5, number)


def noon(of: date) -> datetime:
    return datetime.combine(of, time(12), ZONE).astimezone(UTC)


def aud(text: str) -> Money:
    return Money(D(text), "AUD")


def paid(key: str, amount: str, of: date, order: str, **more: object) -> Payment:
    return replace(Payment(key, order, aud(amount), noon(of), of, "Credit Card"), **more)  # type: ignore[arg-type]


def order(number: str, total: str, of: date, *payments: Payment, **more: object) -> SalesDocument:
    document = SalesDocument(
        DocumentKind.ORDER, number, number, "Dispatched", of, Party(number, "Pat", "Rivers"), True, aud(total), D(0), (),
        payments=payments,
    )  # fmt: skip
    return replace(document, **more)  # type: ignore[arg-type]


def rma(number: str, of_order: str, total: str, of: date, *refunds: Payment) -> SalesDocument:
    document = order(number, total, of, *refunds)
    return replace(document, kind=DocumentKind.CREDIT, status="Closed", related=of_order)


def invoice(key: str, number: str, total: str, of: date, owed: str = "0", **more: object) -> SaasuInvoice:
    document = SaasuInvoice(
        key,
        "Tax Invoice",
        "I",
        number,
        number,
        of,
        "",
        "AUD",
        D(total),
        D(0),
        D(total) - D(owed),
        D(owed),
        "L",
        None,
    )
    return replace(document, **more)  # type: ignore[arg-type]


def received(key: str, reference: str, amount: str, of: date, account: str = "9002") -> SaasuPayment:
    return SaasuPayment(key, reference, of, account, D(amount), D(0), "AUD", "", None)


def known(key: str, kind: str, reference: str, state: EffectState, **more: object) -> Known:
    fact = Known(key, kind, Action.CREATE, state, "{}", "", reference, remote_id="700", confirmed_at=NOW)
    return replace(fact, **more)  # type: ignore[arg-type]


def blocked(number: str, kind: str, code: str, key: str = "") -> PlanRow:
    return PlanRow(
        Action.BLOCKED, Reason(code, f"{number} is stuck.", "Do it."), key or f"k-{number}", number, "", kind
    )


ACCOUNTS = tuple(
    SaasuAccount(key, name, "Asset", True, True, True, "")
    for key, name in (("9002", "Clearing Cards"), ("9003", "Clearing PayPal"))
)


def context(
    orders: Iterable[SalesDocument] = (),
    books: Books | None = None,
    knowns: Iterable[Known] = (),
    *,
    returns: Iterable[SalesDocument] = (),
    settings: NetoSaasuSettings = SETTINGS,
    shop: Shop | None = None,
    ignored: frozenset[str] = frozenset(),
    mode: Mode = Mode.LIVE,
) -> Context:
    found = shop or Shop(
        "AUD", orders={one.number: one for one in orders}, returns={one.number: one for one in returns}
    )
    return Context(
        integration="web", source="store", target="file", account="5150", store="shop", zone=ZONE, store_zone=ZONE,
        mode=mode, settings=settings, day=LAST, today=NOW.date(), first_day=FIRST, shop=found,
        books=replace(books or Books("AUD"), accounts=ACCOUNTS, read_at=READ),
        journal=JournalView({one.key: one for one in knowns}, ignored),
    )  # fmt: skip


def pay_key(payment: str) -> str:
    return payment_key(context(), payment)


def done(ctx: Context, planned: Iterable[PlanRow] = (), **more: object) -> ShopReconciliation:
    scope = Scope(FIRST, LAST, "my store", "my file", NOW, READ)
    found = reconcile(ctx, replace(scope, **more), planned)  # type: ignore[arg-type]
    assert found.explained == found.difference
    assert sum((line.difference for line in found.methods), D(0)) == found.difference
    assert sum((line.difference for line in found.accounts), D(0)) == found.difference
    for line in found.days:
        assert (
            sum((one.difference for one in found.differences if one.day == line.day), D(0)) == line.difference
        )
    return found


def check(found: ShopReconciliation, name: str) -> Check:
    return next(one for one in found.checks() if one.name == name)


ORDER = order("N1", "50.00", day(3), paid("5501", "50.00", day(4), "N1"))
INVOICE = invoice("1", "N1", "50.00", day(3))
PAID = received("11", "NETO-PAY-5501", "50.00", day(4))


STOCK = NetoSaasuSettings.model_validate(
    {"inventory_from_saasu": {"enabled": True, "warehouse": "Main", "quantity": "on_hand_less_committed"}}
)


def item(code: str, on_hand: str | None, committed: str = "0", *, inventoried: bool = True) -> SaasuItem:
    return SaasuItem(
        "i" + code, code, code, True, inventoried, True, True, False, None, True, None,
        None if on_hand is None else D(on_hand), D(committed), "", None,
    )  # fmt: skip
