"""A small shop and its books, for tests of decisions: what is not said is plausible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import Effect, EffectState, Mode
from ledger_pipelines.documents.keys import Json, canonical, decode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import (
    Address,
    DocumentKind,
    Item,
    Party,
    Payment,
    SalesDocument,
    SalesLine,
)
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.shop import Shop
from ledger_pipelines.storage.journal import fingerprint
from ledger_pipelines.systems.saasu.records import (
    SaasuAccount,
    SaasuCompany,
    SaasuContact,
    SaasuInvoice,
    SaasuItem,
    SaasuTaxCode,
)

SYDNEY = ZoneInfo("Australia/Sydney")
DAY = date(2025, 3, 3)
HOME = Address("8 Dock Rd", "NEWCASTLE", "NSW", "2300", "AU")
PAT = Party("pat_rivers", "Pat", "Rivers", "", "pat@example.com", "0400 000 111", billing=HOME, shipping=HOME)
TAX_CODES = (
    SaasuTaxCode("7", "G1", "GST", Decimal("0.1"), True, False, True),
    SaasuTaxCode("8", "G1,G3", "GST free", Decimal(0), True, False, True),
    SaasuTaxCode("9", "G1,G2", "Export", Decimal(0), True, False, True),
)
ACCOUNTS = (
    SaasuAccount("9001", "Bank", "Asset", True, True, True, ""),
    SaasuAccount("9002", "PayPal", "Asset", True, True, True, "9090"),
    SaasuAccount("9040", "Sales", "Income", True, False, True, ""),
    SaasuAccount("9060", "Deposits Received Clearing", "Liability", True, False, True, ""),
)


def d(text: str) -> Decimal:
    """A Decimal."""
    return Decimal(text)


def aud(text: str) -> Money:
    """Australian dollars."""
    return Money(Decimal(text), "AUD")


def saasu_item(id_: str, code: str, **other: Any) -> SaasuItem:
    """An active, sold, inventoried item."""
    item = SaasuItem(
        id_, code, code.title(), True, True, True, True, False, None, True, None, None, None, "7", None
    )
    return replace(item, **other)


def set_up_items() -> tuple[SaasuItem, ...]:
    """Shipping, surcharge, discount, rounding."""
    codes = ("SHIPPING", "SURCHARGE", "DISCOUNT", "ROUNDING")
    return tuple(
        saasu_item(str(201 + place), code, inventoried=False, bought=False)
        for place, code in enumerate(codes)
    )


def saasu_contact(id_: str, reference: str = "", **other: Any) -> SaasuContact:
    """An active customer."""
    return replace(SaasuContact(id_, reference, "", "", "", "", True, True), **other)


def saasu_invoice(id_: str, number: str, total: str, **other: Any) -> SaasuInvoice:
    """An unpaid invoice as a list shows it."""
    amount = Decimal(total)
    invoice = SaasuInvoice(
        id_, "Tax Invoice", "I", number, number, DAY, "501", "AUD", amount, Decimal(0), Decimal(0), amount, "AAA=", None
    )  # fmt: skip
    return replace(invoice, **other)


def books(**other: Any) -> Books:
    """The file: three tax codes, accounts, set-up items, TEE and MUG, Pat."""
    items = (*set_up_items(), saasu_item("101", "TEE-RED-M"), saasu_item("102", "MUG-01"))
    contacts = (saasu_contact("501", "pat_rivers", given="Pat", family="Rivers", email="pat@example.com"),)
    found: dict[str, Any] = {
        "currency": "AUD",
        "items": items,
        "contacts": contacts,
        "accounts": ACCOUNTS,
        "tax_codes": TAX_CODES,
    }
    return Books(**(found | other))


def shop(orders: Iterable[SalesDocument] = (), customers: Iterable[Party] = (PAT,), **other: Any) -> Shop:
    """The store, with these orders and customers."""
    return Shop(
        currency="AUD",
        orders={order.key: order for order in orders},
        customers={party.key.casefold(): party for party in customers},
        **other,
    )


def settings(**groups: Mapping[str, Any]) -> NetoSaasuSettings:
    """Settings by group; an invoice type of Tax Invoice unless told, no conversion."""
    orders = {"invoice_type": "Tax Invoice", "convert_statuses": ()} | dict(groups.pop("orders_to_saasu", {}))
    return NetoSaasuSettings.model_validate({"orders_to_saasu": orders, **groups})


def context(
    orders: Iterable[SalesDocument] = (),
    *,
    choices: NetoSaasuSettings | None = None,
    file: Books | None = None,
    store: Shop | None = None,
    known: Iterable[Known] = (),
    ignored: Iterable[str] = (),
    **other: Any,
) -> Context:
    """The integration on one day."""
    found: dict[str, Any] = {
        "integration": "shop",
        "source": "neto",
        "target": "saasu",
        "account": "5150",
        "store": "store",
        "zone": SYDNEY,
        "store_zone": SYDNEY,
        "mode": Mode.LIVE,
        "settings": choices or settings(),
        "day": DAY,
        "today": date(2025, 3, 5),
        "first_day": date(2025, 1, 1),
        "shop": store or shop(orders),
        "books": file or books(),
        "journal": JournalView({one.key: one for one in known}, frozenset(ignored)),
    }
    return Context(**(found | other))


def line(
    item: str = "MUG-01",
    quantity: str = "1",
    unit: str = "16.50",
    amount: str = "",
    tax: str = "",
    **other: Any,
) -> SalesLine:
    """A line of an inclusive order; tax is a tenth on top unless told."""
    comes_to = Decimal(amount) if amount else (Decimal(quantity) * Decimal(unit)).quantize(d("0.01"))
    of_it = Decimal(tax) if tax else (comes_to / 11).quantize(d("0.01"), ROUND_HALF_UP)
    return SalesLine(
        key=f"L-{item}",
        item=item,
        description=str(other.pop("description", item.title())),
        quantity=Decimal(quantity),
        unit_price=Decimal(unit),
        amount=comes_to,
        tax=of_it,
        **other,
    )


def order(number: str = "N10234", *lines: SalesLine, **other: Any) -> SalesDocument:
    """An order that foots: its total and tax are those of its parts unless told."""
    parts = lines or (line(),)
    charges = other.get("charges", ())
    has_tax = other.pop("has_tax", True)
    tax = sum((one.tax for one in parts), Decimal(0)) + sum(
        (one.tax or Decimal(0) for one in charges), Decimal(0)
    )
    tax = Decimal(other.pop("tax", tax))
    total = sum((one.amount - one.coupon for one in parts), Decimal(0))
    total += sum((one.amount for one in charges), Decimal(0)) + (Decimal(0) if has_tax else tax)
    found: dict[str, Any] = {
        "kind": DocumentKind.ORDER,
        "key": number,
        "number": number,
        "status": "Pick",
        "day": DAY,
        "party": PAT,
        "has_tax": has_tax,
        "grand_total": Money(Decimal(other.pop("total", total)), other.pop("currency", "AUD")),
        "tax": tax,
        "lines": parts,
        "changed": datetime(2025, 3, 3, 6, 0, tzinfo=UTC),
    }
    return SalesDocument(**(found | other))


def payment(key: str = "5501", amount: str = "16.50", **other: Any) -> Payment:
    """A card payment on the order's day."""
    found: dict[str, Any] = {
        "key": key,
        "document": "N10234",
        "amount": aud(amount),
        "at": datetime(2025, 3, 3, 2, 20, 40, tzinfo=UTC),
        "day": DAY,
        "method": "Card",
    }
    return Payment(**(found | other))


def product(sku: str, **other: Any) -> Item:
    """A product of the store."""
    return Item(**({"key": sku, "name": sku.title()} | other))


def company(id_: str, name: str) -> SaasuCompany:
    """A company of the file."""
    return SaasuCompany(id_, name)


def known(
    effect: Effect, state: EffectState = EffectState.CONFIRMED, remote_id: str = "", **other: Any
) -> Known:
    """What the journal knows of an effect."""
    found: dict[str, Any] = {
        "key": effect.key,
        "kind": effect.kind,
        "action": effect.action,
        "state": state,
        "body": effect.body,
        "body_hash": fingerprint(effect),
        "external_id": effect.external_id,
        "remote_id": remote_id,
        "number": effect.number,
        "amount": effect.expected.amount,
        "day": effect.expected.day,
        "source": effect.source,
    }
    return Known(**(found | other))


def body_of(effect: Effect | None) -> dict[str, Json]:
    """The request."""
    assert effect is not None
    body = decode(effect.body)
    assert isinstance(body, dict)
    return body


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON."""
    return canonical(one) == canonical(other)


class OneUnreadable(dict[str, SalesDocument]):
    """Orders as the mirror gives them: the record of N2 that cannot be read says so when it is looked at."""

    def __getitem__(self, key: str) -> SalesDocument:
        if key == "N2":
            raise UnreadableError(
                "orders", "N2", "{}", DataError("Order N2 has no date.", remedy="Save it again.")
            )
        return super().__getitem__(key)
