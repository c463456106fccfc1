"""Flow `invoices`: what is to be written of each order, and what payments and returns refer to.

Belongs here: from an order to its decision and rows. Does not belong here: which orders (`selection`), lines and totals
(`layout`), the request (`invoice_body`), orders that changed after their export (`edits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuInvoice

FLOW = "invoices"


@dataclass(frozen=True, slots=True)
class Quick:
    """The payment that goes, or went, inside the invoice's call.

    payment: the store's id of it. sure: False when the invoice was adopted: then the books tell whether it is there.
    """

    payment: str
    reference: str
    amount: Money
    day: date
    account: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one order in the file.

    Args:
        order: It.
        rows: Of the plan of flow `invoices`, in the order they are to be carried out.
        key: Of the effect that creates the order's present invoice (the latest revision).
        invoice: What a payment refers to (`InvoiceTransactionId`): `{"$link": key}` for ours, the id as text for one that
            somebody else wrote; None: there is no invoice of this order, and none is planned (`reason` says why).
        reason: Why there is none, or why the order waits; None when all is well.
        total: What the invoice comes to in Saasu, once it says what the books hold or the plan wants.
        owed: The total less `quick`: what payments of the flow `payments` may sum up to. For someone else's invoice: what
            the books say is owed.
        quick: The payment inside the invoice's call.
        booked: The invoice as last read from the books.
        ours: Whether we wrote it, or will.
        contact: `BillingContactId` of it; None where it is not known.
        credits: Keys of our adjustment notes for it (edited or cancelled orders), oldest first.
    """

    order: SalesDocument
    rows: tuple[PlanRow, ...]
    key: str
    invoice: Json = None
    reason: Reason | None = None
    total: Money | None = None
    owed: Money | None = None
    quick: Quick | None = None
    booked: SaasuInvoice | None = None
    ours: bool = True
    contact: Json = None
    credits: tuple[str, ...] = ()


def invoice_key(ctx: Context, order: SalesDocument, revision: int = 0) -> str:
    """Key of the effect that creates the order's invoice. revision: 0, or that of a repost."""
    return ctx.key("invoice", order.key, "invoice", revision)


def credit_key(ctx: Context, order: SalesDocument, revision: int = 1) -> str:
    """Key of the adjustment note that takes back the invoice of revision - 1 in full."""
    return ctx.key("invoice", order.key, "credit", revision)


def payment_reference(ctx: Context, payment: str) -> str:
    """Our reference of a payment in the file. payment: the store's id of it."""
    return f"{ctx.settings.orders_to_saasu.prefix}NETO-PAY-{payment}"


def decide(ctx: Context, order: SalesDocument) -> Decision:
    """What becomes of the order. Pure; the caller keeps it."""
    raise NotImplementedError


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """Rows of the plan of these orders."""
    return [row for order in orders for row in decide(ctx, order).rows]
