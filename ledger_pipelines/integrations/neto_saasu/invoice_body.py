"""The request that makes an order's invoice (saasu.md 5.8), but for its lines.

Belongs here: header fields. Does not belong here: lines (`layout`), who is billed (`contacts`), when it is sent (`invoices`).

Nothing in it depends on the partition or the time of the run: the same order makes the same request whatever day it is
planned under.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import Address, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.countries import country_name
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.contacts import Contact
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.layout import Layout
from ledger_pipelines.integrations.neto_saasu.references import invoice_reference
from ledger_pipelines.integrations.neto_saasu.settings import SALE_ORDER, Numbering
from ledger_pipelines.sync.plan import Reason

AUTO_NUMBER: Final = "<Auto Number>"
LONGEST_NUMBER: Final = 50
LONGEST_SUMMARY: Final = 75
NEGATIVE_STOCK: Final = "negative-stock"
"""Code of the writer's refusal for want of stock (saasu.md 6.4)."""
FOR_WANT_OF_STOCK: Final = "Written as a sale order: Saasu refused the invoice for want of stock."
"""Note on such a sale order: for people, and by it later plans know what it waits for."""


def wanted_type(ctx: Context, order: SalesDocument) -> str:
    """The invoice type the order's status asks for."""
    choices = ctx.settings.orders_to_saasu
    converted = {folded(one) for one in choices.convert_statuses}
    if choices.invoice_type == SALE_ORDER and folded(order.status) in converted:
        return choices.invoice_type_converted
    return choices.invoice_type


def falls_back(ctx: Context, known: Known | None, wanted: str) -> bool:
    """Whether it is written as a sale order because Saasu refused the invoice for want of stock."""
    if known is None or wanted == SALE_ORDER or not ctx.settings.orders_to_saasu.retry_as_sale_order:
        return False
    return known.code == NEGATIVE_STOCK or was_fallback(known.fields())


def was_fallback(body: Mapping[str, Json]) -> bool:
    """Whether a request was the one that follows a refusal for want of stock."""
    return FOR_WANT_OF_STOCK in str(body.get("NotesInternal", ""))


def number_problem(ctx: Context, order: SalesDocument) -> Reason | None:
    """Numbers of Saasu have 50 characters; none is cut."""
    reference = invoice_reference(ctx, order)
    if len(reference) <= LONGEST_NUMBER:
        return None
    return Reason(
        "number-too-long",
        f"Order {order.number}: the number {reference} has {len(reference)} characters, Saasu keeps {LONGEST_NUMBER}.",
        "Take a shorter prefix.",
    )


def invoice_body(
    ctx: Context,
    order: SalesDocument,
    laid: Layout,
    contact: Contact,
    *,
    day: date,
    revision: int = 0,
    fallback: bool = False,
) -> dict[str, Json]:
    """The request, without a payment.

    Args:
        ctx: The integration at work.
        order: It.
        laid: Its lines.
        contact: Who is billed.
        day: Of the invoice: the order's, or of a repost the day the order changed.
        revision: Of the invoice; reposts have references of their own.
        fallback: Written as a sale order for want of stock.
    """
    choices = ctx.settings.orders_to_saasu
    reference = invoice_reference(ctx, order, revision)
    summary, rest = _summary(order)
    body: dict[str, Json] = {
        "TransactionType": "S",
        "Layout": laid.layout,
        "InvoiceType": SALE_ORDER if fallback else wanted_type(ctx, order),
        "TransactionDate": day.isoformat(),
        "DueDate": max(order.due or order.day + timedelta(days=choices.due_days), day).isoformat(),
        "InvoiceNumber": AUTO_NUMBER if choices.numbering is Numbering.AUTO else reference,
        "PurchaseOrderNumber": reference,
        "Summary": summary,
        "BillingContactId": contact.value,
        "ShippingContactId": contact.value,
        "Currency": order.currency,
        "IsTaxInc": laid.is_tax_inc,
        "AutoPopulateFxRate": order.currency != ctx.books.currency,
        "LineItems": [line.to_json() for line in laid.lines],
    }
    external = [*laid.notes, *rest, _delivery(order)]
    internal = [order.note.strip(), FOR_WANT_OF_STOCK if fallback else ""]
    texts = {"NotesExternal": external, "NotesInternal": internal}
    body |= {name: "\n".join(filter(None, some)) for name, some in texts.items() if any(some)}
    if choices.tag:
        body["Tags"] = [choices.tag]
    return body


def _summary(order: SalesDocument) -> tuple[str, list[str]]:
    """One line with the buyer's own number, and what did not fit into it."""
    summary = f"Order {order.number}"
    theirs = order.purchase_order.strip()
    if not theirs:
        return summary, []
    whole = f"{summary}, your order {theirs}"
    return (whole, []) if len(whole) <= LONGEST_SUMMARY else (summary, [f"Your order {theirs}"])


def _delivery(order: SalesDocument) -> str:
    """Where it is sent, when that is not where it is billed: an invoice has no address of its own (saasu.md 5.8)."""
    party = order.party
    if not party.shipping or party.shipping == party.billing:
        return ""
    return f"Deliver to: {_in_a_line(party.shipping)}"


def _in_a_line(one: Address) -> str:
    town = " ".join(part for part in (one.city, one.state, one.postcode) if part)
    street = ", ".join(part.strip() for part in one.street.splitlines() if part.strip())
    return ", ".join(part for part in (street, town, country_name(one.country)) if part)
