"""Keys of the documents of an order in the file, and our references of its payments.

Belongs here: what names a document. Does not belong here: when there is one (`invoices`, `edits`).
"""

from __future__ import annotations

from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.neto_saasu.context import Context

INVOICE, PAYMENT = "invoice", "payment"


def invoice_key(ctx: Context, order: SalesDocument, revision: int = 0) -> str:
    """Key of the effect that creates the order's invoice. revision: 0, or that of a repost."""
    return ctx.key(INVOICE, order.key, "invoice", revision)


def source_of(order: SalesDocument) -> str:
    """What a document of the order was made from: the order, as it was since its last change."""
    return f"order:{order.key}" + ("" if order.changed is None else f"@{order.changed.isoformat()}")


def credit_key(ctx: Context, order: SalesDocument, revision: int = 1) -> str:
    """Key of the adjustment note that takes back the invoice of `revision - 1` in full."""
    return ctx.key(INVOICE, order.key, "credit", revision)


def void_key(ctx: Context, order: SalesDocument, revision: int = 1) -> str:
    """Key of the deletion of the invoice of `revision - 1`."""
    return ctx.key(INVOICE, order.key, "void", revision)


def update_key(ctx: Context, order: SalesDocument, revision: int, change: int) -> str:
    """Key of the `change`-th change (1, 2...) of the invoice of `revision`."""
    return ctx.key(INVOICE, order.key, f"update {revision}", change)


def convert_key(ctx: Context, order: SalesDocument, revision: int = 0) -> str:
    """Key of the conversion of the sale order of `revision` to an invoice."""
    return ctx.key(INVOICE, order.key, "convert", revision)


def invoice_reference(ctx: Context, order: SalesDocument, revision: int = 0) -> str:
    """Purchase-order number, and with own numbers the invoice number, of the order's invoice."""
    return ctx.reference(order.number, f"R{revision}" if revision else "")


def credit_reference(ctx: Context, order: SalesDocument, revision: int = 1) -> str:
    """The same of the adjustment note."""
    return ctx.reference(order.number, f"C{revision}")


def payment_key(ctx: Context, payment: str) -> str:
    """Key of a payment on its own order's invoice. payment: the store's id of it."""
    return ctx.key(PAYMENT, payment, "payment")


def payment_reference(ctx: Context, payment: str) -> str:
    """Our reference of a payment in the file. payment: the store's id of it."""
    return f"{ctx.settings.orders_to_saasu.prefix}NETO-PAY-{payment}"
