"""Builders of orders, payments, returns, books and decisions for planning tests of money. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import Action, Effect, EffectState, Mode
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import (
    Charge,
    ChargeKind,
    DocumentKind,
    Party,
    Payment,
    PaymentKind,
    SalesDocument,
    SalesLine,
)
from ledger_pipelines.integrations.by_day.context import JournalView, Known, link
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.quick import Quick, quick_of, quick_payment
from ledger_pipelines.integrations.neto_saasu.references import credit_key, invoice_key, payment_reference
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.shop import Shop
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import (
    SaasuAccount,
    SaasuInvoice,
    SaasuItem,
    SaasuPayment,
    SaasuTaxCode,
)

ZONE = ZoneInfo("Australia/Sydney")
FIRST = date(2026, 7, 1)
NOON = datetime(2026, 9, 1, 2, tzinfo=UTC)
READ = datetime(2026, 9, 10, tzinfo=UTC)
ACCOUNTS = (
    SaasuAccount("9001", "PayPal Clearing", "Asset", active=True, bank=True, detail=True, fee_account="9301"),
    SaasuAccount("9002", "Cheque", "Asset", active=True, bank=True, detail=True, fee_account=""),
    SaasuAccount("9003", "Customer Credit", "Asset", active=True, bank=True, detail=True, fee_account=""),
    SaasuAccount(
        "9201", "Deposits Received", "Liability", active=True, bank=False, detail=True, fee_account=""
    ),
    SaasuAccount("9401", "Sales Returns", "Income", active=True, bank=False, detail=True, fee_account=""),
)
TAX_CODES = (
    SaasuTaxCode("1", "G1", "GST", Decimal("0.1"), sale=True, purchase=False, active=True),
    SaasuTaxCode("2", "G1,G2", "Export", ZERO, sale=True, purchase=False, active=True),
    SaasuTaxCode("3", "G1,G3", "GST free", ZERO, sale=True, purchase=False, active=True),
)


def item(code: str, number: str, *, inventoried: bool = True) -> SaasuItem:
    """An active item that is sold."""
    return SaasuItem(
        number, code, code.title(), active=True, inventoried=inventoried, sold=True, bought=True, combo=False,
        selling_price=None, price_has_tax=True, buying_price=None, on_hand=None, committed=None, sale_tax_code_id="1",
        changed=None,
    )  # fmt: skip


ITEMS = (
    item("MUG", "3001"),
    item("TEE", "3002"),
    item("ENGRAVING", "3003", inventoried=False),
    item("SHIPPING", "3101", inventoried=False),
    item("SURCHARGE", "3102", inventoried=False),
    item("DISCOUNT", "3103", inventoried=False),
)


def aud(amount: str | Decimal) -> Money:
    """Dollars."""
    return Money(Decimal(amount), "AUD")


def paid(
    key: str,
    text: str | Decimal,
    *,
    order: str = "N1",
    after: int = 0,
    method: str = "PayPal",
    **more: object,
) -> Payment:
    """A receipt, `after` hours after noon of 1 September 2026 in Sydney."""
    at = NOON + timedelta(hours=after)
    payment = Payment(key, order, aud(text), at, at.astimezone(ZONE).date(), method)
    return replace(payment, **more)  # type: ignore[arg-type]


def order(
    number: str = "N1", total: str | Decimal = "100", *payments: Payment, **more: object
) -> SalesDocument:
    """An order of one MUG, dispatched."""
    amount = Decimal(total)
    document = SalesDocument(
        kind=DocumentKind.ORDER, key=number, number=number, status="Dispatched", day=date(2026, 9, 1),
        party=Party("pat", "Pat", "Rivers"), has_tax=True, grand_total=Money(amount, "AUD"), tax=ZERO,
        lines=(SalesLine(f"{number}-0", "MUG", "Mug", Decimal(1), amount, amount, tax_code=""),),
        payments=tuple(replace(one, document=number) for one in payments),
    )  # fmt: skip
    return replace(document, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scene:
    """Everything a context is made of, in short."""

    orders: tuple[SalesDocument, ...] = ()
    returns: tuple[SalesDocument, ...] = ()
    known: tuple[Known, ...] = ()
    ignored: frozenset[str] = frozenset()
    invoices: tuple[SaasuInvoice, ...] = ()
    payments: tuple[SaasuPayment, ...] = ()
    full: tuple[Payment, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)
    deleted: frozenset[tuple[str, str]] = frozenset()
    read_at: datetime | None = READ
    settings: Mapping[str, object] = field(default_factory=dict)
    day: date = date(2026, 9, 1)

    def ctx(self) -> Context:
        """The context."""
        return Context(
            integration="shop", source="neto", target="saasu", account="5150", store="shop.example", zone=ZONE,
            store_zone=ZONE, mode=Mode.LIVE, settings=settings(self.settings), day=self.day, today=date(2026, 9, 20),
            first_day=FIRST,
            shop=Shop(
                "AUD", orders={one.key: one for one in self.orders}, returns={one.key: one for one in self.returns},
                payments={one.key: one for one in self.full}, method_names=self.methods,
            ),
            books=Books(
                "AUD", accounts=ACCOUNTS, tax_codes=TAX_CODES, items=ITEMS, invoices=self.invoices, payments=self.payments,
                deleted=self.deleted, read_at=self.read_at,
            ),
            journal=JournalView({one.key: one for one in self.known}, self.ignored),
        )  # fmt: skip

    def knowing(self, *known: Known) -> Scene:
        """The same with more in the journal."""
        return replace(self, known=(*self.known, *known))


def settings(changes: Mapping[str, object]) -> NetoSaasuSettings:
    """Methods mapped, no QuickPayment, everything else as shipped; `changes` by group."""
    base: dict[str, dict[str, object]] = {
        "payments": {"methods": {"PayPal": "PayPal Clearing", "Direct Deposit": "Cheque"}, "quick": False},
        "refunds": {"account": "Sales Returns"},
    }
    for group, some in changes.items():
        base[group] = {**base.get(group, {}), **(some if isinstance(some, dict) else {})}
    return NetoSaasuSettings.model_validate(base)


def confirmed(
    effect: Effect | None, remote_id: str = "", *, at: datetime = READ - timedelta(days=1), **more: object
) -> Known:
    """What the journal knows once the effect is in the target."""
    assert effect is not None
    return replace(
        Known(
            effect.key, effect.kind, effect.action, EffectState.CONFIRMED, effect.body, "", effect.external_id, remote_id,
            "", effect.expected.amount, effect.expected.day, confirmed_at=at,
        ),
        **more,
    )  # type: ignore[arg-type]  # fmt: skip


def body(row: PlanRow) -> dict[str, Json]:
    """The request of a row."""
    assert row.effect is not None, row.reason
    fields = decode(row.effect.body)
    assert isinstance(fields, dict)
    return fields


def items_of(row: PlanRow) -> list[tuple[Json, Decimal]]:
    """What a payment is on, and how much."""
    items = body(row)["PaymentItems"]
    assert isinstance(items, list)
    found = []
    for one in items:
        assert isinstance(one, dict)
        found.append((one["InvoiceTransactionId"], Decimal(str(one["AmountPaid"]))))
    return found


def coded(rows: Iterable[PlanRow]) -> list[tuple[str, str, str]]:
    """Action, code and amount of each row."""
    return [
        (row.action.value, row.reason.code, "" if row.amount is None else row.amount.text) for row in rows
    ]


class Decisions:
    """Stands in for `invoices.decide`: each order is exported, unless said otherwise here."""

    def __init__(self, **others: Decision | Reason) -> None:
        self.others = others
        self.blocked: set[str] = set()
        self.reposted: dict[str, tuple[int, Decimal]] = {}

    def __call__(self, ctx: Context, document: SalesDocument) -> Decision:
        """As the real one would for an order without trouble."""
        other = self.others.get(document.key)
        if isinstance(other, Decision):
            return other
        revision, total = self.reposted.get(document.key, (0, document.grand_total.amount))
        key = invoice_key(ctx, document, revision)
        if isinstance(other, Reason):
            rows = (
                [PlanRow(Action.BLOCKED, other, key, document.number, "")]
                if document.key in self.blocked
                else []
            )
            return Decision(document, tuple(rows), key, None, other)
        known = ctx.journal.confirmed(key)
        if known is not None and known.amount is not None:
            total = known.amount.amount
        quick = None if revision else self._quick(ctx, document, known, total)
        booked = next((one for one in ctx.books.invoices if known and one.id == known.remote_id), None)
        return Decision(
            document, (), key, link(key), None, aud(total), None, quick, booked, True, "771204",
            tuple(credit_key(ctx, document, n + 1) for n in range(revision)),
        )  # fmt: skip

    @staticmethod
    def _quick(ctx: Context, document: SalesDocument, known: Known | None, total: Decimal) -> Quick | None:
        if known is not None:
            return quick_of(ctx, known, "AUD")
        return quick_payment(ctx, document, aud(total))


def invoice_known(
    ctx: Context,
    document: SalesDocument,
    *,
    quick: tuple[str, str] | None = None,
    revision: int = 0,
    **more: object,
) -> Known:
    """An order's invoice, confirmed. quick: (payment id, amount) inside it."""
    fields: dict[str, Json] = {"PurchaseOrderNumber": document.number}
    if quick is not None:
        fields["QuickPayment"] = {
            "Reference": payment_reference(ctx, quick[0]), "Amount": Decimal(quick[1]), "BankedToAccountId": "9001",
            "DatePaid": "2026-09-01",
        }  # fmt: skip
    effect = ctx.effect(
        "invoices", "invoice", invoice_key(ctx, document, revision), external_id=document.number, number=document.number,
        title="", body=fields,
    )  # fmt: skip
    known = confirmed(effect, f"57{document.number[1:]}{revision}")
    return replace(known, **{"amount": document.grand_total, "day": document.day, **more})  # type: ignore[arg-type]


def booked(number: str, total: str, paid_: str, *, id_: str = "", **more: object) -> SaasuInvoice:
    """An invoice as the books show it."""
    invoice = SaasuInvoice(
        id_ or f"57{number[1:]}0", "Tax Invoice", "I", number, number, date(2026, 9, 1), "771204", "AUD", Decimal(total),
        ZERO, Decimal(paid_), Decimal(total) - Decimal(paid_), "AAAA", None,
    )  # fmt: skip
    return replace(invoice, **more)  # type: ignore[arg-type]


def in_books(reference: str, amount: str, number: str = "8001") -> SaasuPayment:
    """A payment as the books show it."""
    return SaasuPayment(number, reference, date(2026, 9, 1), "9001", Decimal(amount), ZERO, "AUD", "", None)


def rma(
    number: str = "77",
    *lines: SalesLine,
    on: str = "N1",
    shipping: str = "0",
    refunds: tuple[Payment, ...] = (),
    **more: object,
) -> SalesDocument:
    """A closed return."""
    charges = (Charge(ChargeKind.SHIPPING, Decimal(shipping)),) if Decimal(shipping) else ()
    total = sum((line.amount for line in lines), ZERO) + Decimal(shipping)
    document = SalesDocument(
        kind=DocumentKind.CREDIT, key=number, number=number, status="Closed", day=date(2026, 9, 5), party=Party("pat"),
        has_tax=True, grand_total=Money(total, "AUD"), tax=sum((line.tax for line in lines), ZERO), lines=lines,
        charges=charges, related=on, payments=tuple(replace(one, document=number) for one in refunds),
    )  # fmt: skip
    return replace(document, **more)  # type: ignore[arg-type]


def returned(
    amount: str, *, sku: str = "MUG", quantity: str = "1", shelf: bool = True, tax: str = "0", code: str = ""
) -> SalesLine:
    """A line of a return."""
    count = Decimal(quantity)
    return SalesLine(
        f"{sku}-line", sku, sku.title(), count, Decimal(amount), Decimal(amount), tax=Decimal(tax), tax_code=code,
        returned_to_stock=shelf,
    )  # fmt: skip


def refund(key: str, amount: str, *, method: str = "PayPal", after: int = 120) -> Payment:
    """A refund that was paid out."""
    return paid(key, amount, after=after, method=method, kind=PaymentKind.REFUND)
