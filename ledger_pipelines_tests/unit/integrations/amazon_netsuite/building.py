"""Builders of groups, books and contexts for planning tests. Pure values; nothing is read or written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import Month, business_date
from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.settlement import (
    Amounts,
    Component,
    ItemLine,
    Kind,
    KindAmount,
    Settlement,
    SettlementGroup,
    TransactionClass,
)
from ledger_pipelines.integrations.amazon_netsuite.books import (
    BookDocument,
    BookLine,
    BookPeriod,
    BookRecord,
    Books,
)
from ledger_pipelines.integrations.amazon_netsuite.context import Context, JournalView, Known
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.sync.plan import PlanRow

SID = "26000000001"
ZONE = ZoneInfo("America/New_York")
ACCOUNTS = (
    "bank",
    "clearing",
    "fees",
    "storage",
    "reserve",
    "forward",
    "rounding",
    "payable",
    "tax",
    "promo",
)
ITEMS = ("shipping", "giftwrap", "promotion", "restocking", "tax-only", "unknown")

# (amount type, description) -> component, category
KINDS = {
    "Principal": ("ItemPrice", Component.PRODUCT, "sales"),
    "Shipping": ("ItemPrice", Component.SHIPPING, "shipping_income"),
    "GiftWrap": ("ItemPrice", Component.GIFTWRAP, "giftwrap_income"),
    "Tax": ("ItemPrice", Component.TAX, "tax_collected"),
    "RestockingFee": ("ItemPrice", Component.OTHER, "restocking"),
    "MarketplaceFacilitatorTax-Principal": ("ItemWithheldTax", Component.WITHHELD_TAX, "tax_withheld"),
    "Commission": ("ItemFees", Component.FEES, "selling_fees"),
    "FBAPerUnitFulfillmentFee": ("ItemFees", Component.FEES, "fba_fees"),
    "RefundCommission": ("ItemFees", Component.FEES, "refund_administration"),
    "Promotion": ("Promotion", Component.PROMOTION, "promotion"),
    "Storage Fee": ("other-transaction", Component.FEES, "storage"),
    "Previous Reserve Amount Balance": ("other-transaction", Component.OTHER, "reserve"),
    "Current Reserve Amount": ("other-transaction", Component.OTHER, "reserve"),
    "Payable to Amazon": ("other-transaction", Component.OTHER, "payable_to_amazon"),
}


def when(day: date) -> datetime:
    """Noon UTC."""
    return datetime(day.year, day.month, day.day, 16, tzinfo=UTC)


def group(
    cls: TransactionClass,
    amounts: dict[str, str],
    *,
    order: str = "",
    adjustment: str = "",
    shipment: str = "",
    day: date = date(2026, 9, 10),
    channel: str = "AFN",
    sku: str = "MUG",
    quantity: int | None = 1,
    known: bool = True,
) -> SettlementGroup:
    """A group of one item; `amounts` by description."""
    month = Month.of(business_date(when(day), ZONE))
    kinds = []
    sums = dict.fromkeys(Component, ZERO)
    for description, text in amounts.items():
        amount_type, component, category = KINDS.get(description, ("Odd", Component.OTHER, "unknown"))
        name = "Principal" if description == "Promotion" else description
        kind = Kind(cls.value, amount_type, name, component, category, known and description in KINDS)
        kinds.append(KindAmount(month, kind, Decimal(text), 1))
        sums[component] += Decimal(text)
    line = ItemLine(sku, "04000000000001", adjustment, quantity, tuple(kinds))
    return SettlementGroup(
        key=f"{cls.value}|{order}|{adjustment or shipment}|{'' if order else next(iter(amounts))}",
        cls=cls,
        type=cls.value,
        order_id=order,
        merchant_order_id=order,
        adjustment_id=adjustment,
        shipment_id=shipment,
        marketplace="Amazon.com" if order else "",
        channel=channel if order else "",
        posted_first=when(day),
        posted_last=when(day),
        amounts=Amounts(**{component.value: value for component, value in sums.items()}),
        rows=len(kinds),
        ordinals=(1, len(kinds)),
        kinds=tuple(kinds),
        lines=(line,) if order else (),
    )


def invoice(
    order: str, total: str, *, unpaid: str | None = None, internal_id: str = "501", **more: object
) -> BookDocument:
    """An open invoice with one MUG line."""
    document = BookDocument(
        id=internal_id,
        record="invoice",
        number=f"INV{internal_id}",
        external_id="",
        order_id=order,
        matched_by="custbody_azs_order_id",
        entity_id="311",
        entity="Amazon US",
        entity_inactive=False,
        currency="USD",
        day=date(2026, 9, 5),
        status="A",
        total=Decimal(total),
        unpaid=Decimal(total if unpaid is None else unpaid),
        subsidiary="1",
        account_id="119",
        lines=(BookLine("1", "61", "MUG", Decimal(1), Decimal(total), Decimal(total)),),
    )
    return replace(document, **more)


def sales_order(order: str, total: str, *, internal_id: str = "701", status: str = "F") -> BookDocument:
    """A sales order, pending billing unless said."""
    return invoice(
        order,
        total,
        internal_id=internal_id,
        unpaid="0",
        record="salesOrder",
        number=f"SO{internal_id}",
        status=status,
        account_id="",
    )


def books(*documents: BookDocument, closed: Iterable[Month] = ()) -> Books:
    """Books of September to November 2026 with every account and item the settings name."""
    shut = set(closed)
    months = [Month(2026, m) for m in (8, 9, 10, 11)]
    resolved = {f"account:{n}": BookRecord(f"A-{n}", n, n, "Bank", False) for n in ACCOUNTS}
    resolved |= {f"item:{n}": BookRecord(f"I-{n}", n, n, "NonInvtPart", False) for n in ITEMS}
    resolved["subsidiary:main"] = BookRecord("1", "", "main", "", False)
    return Books(
        connection="netsuite",
        settlement_id=SID,
        read_at=datetime(2026, 9, 18, tzinfo=UTC),
        documents=documents,
        periods=tuple(BookPeriod(m.first, m.last, m in shut) for m in months),
        currencies={"USD": "1"},
        resolved=resolved,
    )


SETTINGS = {
    "subsidiary": {"USD": "main"},
    "payment": {"netsuite_payment_account": {"USD": "clearing"}},
    "refund": {
        "shipping_item": "shipping",
        "giftwrap_item": "giftwrap",
        "promotion_item": "promotion",
        "restocking_item": "restocking",
        "tax_only_refund_item": "tax-only",
    },
    "general": {"rounding_account": "rounding"},
    "journal": {
        "amazon_payment_account": {"USD": "bank"},
        "transaction_fee_accounts": {
            "selling_fees": "fees",
            "fba_fees": "fees",
            "refund_administration": "fees",
            "promotion": "promo",
            "restocking": "fees",
        },
        "non_transaction_accounts": {
            "storage": "storage",
            "reserve": "reserve",
            "payable_to_amazon": "payable",
        },
        "carried_forward_account": "forward",
    },
}


def settings(**sections: dict[str, object]) -> AmazonNetSuiteSettings:
    """The usual settings; each section given is laid over the usual one."""
    merged = {name: {**SETTINGS.get(name, {}), **section} for name, section in sections.items()}
    return AmazonNetSuiteSettings.model_validate({**SETTINGS, **merged})


def context(
    groups: Iterable[SettlementGroup],
    in_books: Books,
    *,
    with_settings: AmazonNetSuiteSettings | None = None,
    known: Iterable[Known] = (),
    ignored: Iterable[str] = (),
    mode: Mode = Mode.LIVE,
    deposit: date = date(2026, 9, 17),
) -> Context:
    """A context whose settlement foots to the groups."""
    net = sum((g.amounts.net for g in groups), ZERO)
    settlement = Settlement(
        connection="amazon_us",
        settlement_id=SID,
        variant="v2-flat",
        encoding="utf-8",
        currency="USD",
        start=when(date(2026, 9, 1)),
        end=when(date(2026, 9, 15)),
        deposit=when(deposit),
        total=Money(net, "USD"),
        rows=10,
        sum=Money(net, "USD"),
        content_hash="c" * 64,
        rows_hash="r" * 64,
    )
    return Context(
        integration="amazon_netsuite",
        source="amazon_us",
        target="netsuite",
        account="9123456_SB1",
        zone=ZONE,
        mode=mode,
        settings=with_settings or settings(),
        settlement=settlement,
        books=in_books,
        journal=JournalView({k.key: k for k in known}, frozenset(ignored)),
    )


def confirmed(rows: Iterable[PlanRow], start: int = 9001) -> list[Known]:
    """What the journal knows after the effects of these rows were confirmed."""
    return [
        Known(
            row.effect.key,
            EffectState.CONFIRMED,
            str(start + index),
            amount=None if row.amount is None else row.amount.amount,
        )
        for index, row in enumerate(r for r in rows if r.effect is not None)
        if row.effect is not None
    ]


def body_of(row: PlanRow) -> dict[str, object]:
    """The request body a row would send."""
    assert row.effect is not None, row
    body = decode(row.effect.body)
    assert isinstance(body, dict)
    return body
