"""A small shop and an Omni account, for tests of decisions: what is not said is plausible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from ledger_pipelines.documents.effects import Effect, Mode
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.documents.sales import Item, Party, SalesDocument
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.by_day.stored import Record
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.omni import Omni
from ledger_pipelines.integrations.neto_cin7.orders import decide
from ledger_pipelines.integrations.neto_cin7.settings import NetoCin7Settings
from ledger_pipelines.integrations.shop import Shop, Warehouse
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.cin7.records import (
    Branch,
    Contact,
    Option,
    OrderLine,
    SalesOrder,
    StockLevel,
)
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import (
    DAY,
    PAT,
    SYDNEY,
    aud,
    body_of,
    d,
    line,
    order,
    payment,
    product,
)
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import known as _known

__all__ = [
    "BRANCHES", "DAY", "LATER", "PAT", "READ_AT", "WRITTEN_AT", "aud", "body_of", "booked", "codes", "contact", "context",
    "d", "effect_of", "known", "level", "line", "omni", "option", "order", "payment", "product", "refusing", "settings", "shop",
]  # fmt: skip

T = TypeVar("T")
WRITTEN_AT = datetime(2025, 3, 3, 7, 0, tzinfo=UTC)
READ_AT = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
LATER = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
BRANCHES = (Branch("3", "Main warehouse", "Warehouse", True), Branch("4", "Shed", "Warehouse", True))
WAREHOUSES = (Warehouse("1", "W1", "Main warehouse", True, True), Warehouse("3", "W3", "Shed", True, False))


def option(code: str, id_: str = "", **other: Any) -> Option:
    """An active option."""
    made = Option(
        id_ or f"o-{code}", f"p-{code}", code, "", code.title(), "", "Primary", True, None, None, None, None
    )
    return replace(made, **other)


def contact(id_: str, email: str = "", **other: Any) -> Contact:
    """An active customer."""
    return replace(Contact(id_, "Customer", "", "", "", email, "", "", "", True, None), **other)


def level(code: str, on_hand: str, branch: str = "3") -> StockLevel:
    """What a branch holds."""
    return StockLevel(
        f"p-{code}", f"o-{code}", code, "", branch, branch, d(on_hand), d(on_hand), d("0"), d("0"), None
    )


def omni(**other: Any) -> Omni:
    """The account: TEE and MUG, ten of each at branch 3; Pat; two branches."""
    found: dict[str, Any] = {
        "currency": "AUD",
        "options": (option("TEE-RED-M"), option("MUG-01")),
        "contacts": (contact("501", "pat@example.com", first_name="Pat", last_name="Rivers"),),
        "stock": (level("TEE-RED-M", "10"), level("MUG-01", "10")),
        "branches": BRANCHES,
        "read_at": READ_AT,
        "stock_read_at": READ_AT,
    }
    found |= other
    for name in ("orders", "payments"):
        found[name] = {one.id: one for one in found.get(name, ())}
    return Omni(**found)


def shop(
    orders: Iterable[SalesDocument] = (),
    customers: Iterable[Party] = (PAT,),
    items: Iterable[Item] = (),
    **other: Any,
) -> Shop:
    """The store, with these orders, customers and products; TEE and MUG are always there."""
    found = {one.key: one for one in (product("TEE-RED-M"), product("MUG-01"), *items)}
    return Shop(
        currency="AUD",
        items=found,
        orders={one.key: one for one in orders},
        customers={party.key.casefold(): party for party in customers},
        warehouses=WAREHOUSES,
        **other,
    )


def settings(**groups: Mapping[str, Any]) -> NetoCin7Settings:
    """Settings by group."""
    return NetoCin7Settings.model_validate(groups)


def context(
    orders: Iterable[SalesDocument] = (),
    *,
    choices: NetoCin7Settings | None = None,
    account: Omni | None = None,
    store: Shop | None = None,
    known: Iterable[Known] = (),
    ignored: Iterable[str] = (),
    **other: Any,
) -> Context:
    """The integration on one day."""
    found: dict[str, Any] = {
        "integration": "shop_omni",
        "source": "neto",
        "target": "cin7",
        "account": "omni",
        "store": "store",
        "zone": SYDNEY,
        "store_zone": SYDNEY,
        "mode": Mode.LIVE,
        "settings": choices or settings(),
        "day": DAY,
        "today": date(2025, 3, 5),
        "first_day": date(2025, 1, 1),
        "shop": store or shop(orders),
        "omni": account or omni(),
        "journal": JournalView({one.key: one for one in known}, frozenset(ignored)),
    }
    return Context(**(found | other))


def refusing(records: Mapping[str, T], bad: str) -> tuple[dict[str, str], Callable[[Record], T]]:
    """Records as they are stored, and their decoder: the one of that key cannot be read."""

    def decoded(record: Record) -> T:
        if record["key"] == bad:
            raise DataError(f"{bad} says nonsense.", remedy="Mend it.")
        return records[str(record["key"])]

    return {key: canonical({"key": key}) for key in {**records, bad: None}}, decoded


def effect_of(ctx: Context, one: SalesDocument) -> Effect:
    """The write of an order."""
    (row,) = decide(ctx, one).rows
    assert row.effect is not None, row.reason
    return row.effect


def known(effect: Effect, remote_id: str = "88123", **other: Any) -> Known:
    """The journal after it was written."""
    return _known(effect, remote_id=remote_id, **({"confirmed_at": WRITTEN_AT} | other))


def booked(effect: Effect, id_: str = "88123", **other: Any) -> SalesOrder:
    """The order as Omni shows it after it was made as the effect says: lines have ids 900, 901..."""
    body = body_of(effect)
    sent: Any = body["lineItems"]
    lines = tuple(
        OrderLine(
            str(900 + place), str(one["code"]), str(one["name"]), d(str(one["qty"])), d("0"), d(str(one["unitPrice"])),
            d(str(one["discount"])), str(one["integrationRef"]), f"o-{one['code']}", "", place,
        )
        for place, one in enumerate(sent)
    )  # fmt: skip
    total = effect.expected.amount
    assert total is not None
    member = body["memberId"]
    made = SalesOrder(
        id=id_,
        reference=str(body["reference"]),
        status="APPROVED" if body["isApproved"] else "DRAFT",
        is_approved=bool(body["isApproved"]),
        is_void=False,
        stage=str(body["stage"]),
        dispatched_date=None,
        invoice_date=None,
        branch_id=str(body.get("branchId", "3")),
        member_id=str(member) if isinstance(member, int) else "700",
        member_email="",
        customer_order_no=str(body["customerOrderNo"]),
        currency=str(body["currencyCode"]),
        currency_rate=d("1"),
        tax_status=str(body["taxStatus"]),
        tax_rate=d(str(body["taxRate"])),
        freight=d(str(body["freightTotal"])),
        surcharge=d(str(body["surcharge"])),
        discount=d(str(body["discountTotal"])),
        product_total=sum((one.qty * (one.unit_price or d("0")) - one.discount for one in lines), d("0")),
        total=total.amount,
        lines=lines,
        tracking="",
        created=None,
        modified=READ_AT,
    )
    return replace(made, **other)


def codes(rows: Iterable[PlanRow]) -> list[tuple[str, str]]:
    """Action and reason code of each."""
    return [(row.action.value, row.reason.code) for row in rows]
