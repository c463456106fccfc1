"""Keys of what is written to Omni of an order, and our references there.

Belongs here: what names a record. Does not belong here: when there is one (`orders`, `status_updates`, `payments`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol

import msgspec

from ledger_pipelines.documents.keys import digest
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.neto_cin7.context import Context

ORDER: Final = "sales_order"
CONTACT: Final = "contact"
PAYMENT: Final = "payment"
PRODUCT: Final = "product"
"""Kinds of the writer (systems.cin7.writer)."""
LONGEST_REFERENCE: Final = 30
"""Characters of a reference (cin7-omni.md 6.1)."""


class HasKey(Protocol):
    """What keys are made of."""

    @property
    def key(self) -> str:
        """The store's own id of the order."""
        ...


@dataclass(frozen=True, slots=True)
class OrderNumber:
    """An order of which no more than its number is known, or can be read."""

    key: str


def order_key(ctx: Context, order: HasKey) -> str:
    """Key of the effect that makes the order. There is one for ever: a reference stays taken, also of a void order."""
    return ctx.key(ORDER, order.key, "order")


def update_key(ctx: Context, order: HasKey, change: int) -> str:
    """Key of the `change`-th change (1, 2...) of it."""
    return ctx.key(ORDER, order.key, "update", change)


def void_key(ctx: Context, order: HasKey) -> str:
    """Key of its void: it cannot be taken back, so there is one."""
    return ctx.key(ORDER, order.key, "void")


def dispatch_key(ctx: Context, order: HasKey) -> str:
    """Key of its dispatch, of all lines at once."""
    return ctx.key(ORDER, order.key, "dispatch")


def payment_key(ctx: Context, payment: str) -> str:
    """Key of a payment. payment: the store's id of it."""
    return ctx.key(PAYMENT, payment, "payment")


def order_source(order: SalesDocument) -> str:
    """What an effect of an order says it came from: the order, and what it consists of. Not of it: its status, its dates, payments. The
    same text at two times: whatever settings and products say by now, nobody changed the order in between."""
    kept = replace(
        order, status="", cancelled=False, day=date.min, due=None, related="", channel="", payments=(), changed=None,
        off_the_shelf=False,
    )  # fmt: skip
    return f"order:{order.key}#{digest(msgspec.json.encode(kept))}"


def order_reference(ctx: Context, order: SalesDocument) -> str:
    """`reference` of the order in Omni."""
    return f"{ctx.settings.download_orders.prefix}{order.number}"
