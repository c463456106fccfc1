"""The request that makes an order in Omni (cin7-omni.md 6.1, 6.5).

Belongs here: header fields, from the order and the settings. Does not belong here: amounts (`layout`), whose order it is (`contacts`),
when it is sent (`orders`).

Nothing in it depends on the partition or the time of the run: the same order makes the same request whatever day it is
planned under.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import Address, SalesDocument
from ledger_pipelines.integrations.countries import country_name
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.contacts import Member, identity
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.layout import SORT_STEP, Layout
from ledger_pipelines.integrations.neto_cin7.references import LONGEST_REFERENCE, order_reference
from ledger_pipelines.integrations.neto_cin7.settings import OrderNumber
from ledger_pipelines.integrations.neto_cin7.texts import CUSTOMER_ORDER_NO, INSTRUCTIONS, LONG, SHORT, Texts
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.cin7.records import Branch

LINES: Final = "lineItems"
COMMENTS: Final = "internalComments"


def reference_problem(ctx: Context, order: SalesDocument) -> Reason | None:
    """A reference has 30 characters; none is cut."""
    reference = order_reference(ctx, order)
    if len(reference) <= LONGEST_REFERENCE:
        return None
    return Reason(
        "reference-too-long",
        f"Order {order.number}: the reference {reference} has {len(reference)} characters, Omni keeps {LONGEST_REFERENCE}.",
        "Take a shorter prefix.",
    )


def order_body(
    ctx: Context,
    order: SalesDocument,
    laid: Layout,
    member: Member,
    branch: Branch | None,
    marks: Mapping[str, Reason],
    texts: Texts,
) -> dict[str, Json]:
    """The whole request; texts that say nothing are left out.

    Args:
        ctx: The integration at work.
        order: It.
        laid: Its amounts.
        member: Whose order it is.
        branch: That fulfils it; None = Omni's main branch.
        marks: Why a line is marked, by SKU.
        texts: Is told what is cut.
    """
    accounting = ctx.settings.accounting
    body = header_body(ctx, order, texts) | amounts_body(ctx, order, laid, marks, texts)
    body["memberId"] = member.value
    if branch is not None:
        body["branchId"] = identity(branch.id)
    rate = accounting.currency_rates.get(order.currency)
    if rate is not None and order.currency != ctx.omni.currency:
        body["currencyRate"] = rate
    if accounting.cost_center:
        body["costCenter"] = accounting.cost_center
    if accounting.payment_terms:
        body["paymentTerms"] = accounting.payment_terms
    comments = "\n".join((*laid.notes, *(f"{sku}: {why.text}" for sku, why in marks.items())))
    if comments:
        body[COMMENTS] = comments
    return {name: value for name, value in body.items() if value != ""}


def header_body(ctx: Context, order: SalesDocument, texts: Texts) -> dict[str, Json]:
    """What needs nothing of the account: number, day, status, names, addresses and texts."""
    choices = ctx.settings.download_orders
    return {
        "reference": order_reference(ctx, order),
        "createdDate": noon(order.day, ctx.store_zone),
        "isApproved": approved(ctx, order),
        "stage": stage(ctx, order),
        **_buyer(order, texts),
        "customerOrderNo": texts.cut(
            "customer order number", _customer_order_no(choices.customer_order_no, order), CUSTOMER_ORDER_NO
        ),
        "deliveryInstructions": texts.cut("delivery instruction", order.note, INSTRUCTIONS),
    }


def amounts_body(
    ctx: Context, order: SalesDocument, laid: Layout, marks: Mapping[str, Reason], texts: Texts
) -> dict[str, Json]:
    """Currency, tax, charges and lines."""
    return {
        "currencyCode": order.currency,
        **laid.to_json(),
        "freightDescription": texts.cut("freight description", laid.freight_text),
        "surchargeDescription": texts.cut("surcharge description", laid.surcharge_text),
        LINES: [_line(ctx, laid, place, marks, texts) for place in range(len(laid.lines))],
    }


def noon(day: date, zone: ZoneInfo) -> str:
    """The middle of a day of the store, as Omni's requests have instants: the store's documents keep the day, and it is the
    same day for whoever looks at it within half a day's distance."""
    return instant(datetime.combine(day, time(12), tzinfo=zone))


def instant(at: datetime) -> str:
    """An instant as Omni's requests have it (cin7-omni.md 5)."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def approved(ctx: Context, order: SalesDocument) -> bool:
    """Whether it lands Approved, not as Draft."""
    return folded(order.status) not in {folded(one) for one in ctx.settings.download_orders.draft_statuses}


def stage(ctx: Context, order: SalesDocument) -> str:
    """Its stage in Omni."""
    choices = ctx.settings.download_orders
    by_status = {folded(status): stage for status, stage in choices.stages.items()}
    return by_status.get(folded(order.status), choices.default_stage)


def _customer_order_no(wanted: OrderNumber, order: SalesDocument) -> str:
    theirs = order.purchase_order.strip() if wanted is OrderNumber.PURCHASE_ORDER else ""
    return theirs or order.number


def _buyer(order: SalesDocument, texts: Texts) -> dict[str, Json]:
    """Names and addresses as the order states them: they stay the order's own, whoever its contact is."""
    party = order.party
    names = {
        "FirstName": texts.cut("first name", party.given),
        "LastName": texts.cut("last name", party.family),
        "Company": texts.cut("company", party.company),
    }
    body: dict[str, Json] = {f"{name[0].lower()}{name[1:]}": text for name, text in names.items()}
    body["email"] = texts.whole("e-mail address", party.email, LONG)
    body["phone"] = texts.whole("phone number", party.phone, SHORT)
    for side, address in (
        ("delivery", party.shipping or party.billing),
        ("billing", party.billing or party.shipping),
    ):
        body |= {f"{side}{name}": text for name, text in names.items()}
        body |= _address(side, address, texts)
    return body


def _address(side: str, one: Address, texts: Texts) -> dict[str, Json]:
    parts = {
        "Address1": one.street,
        "City": one.city,
        "State": one.state,
        "PostalCode": one.postcode,
        "Country": country_name(one.country),
    }
    return {f"{side}{name}": texts.cut(f"field {side}{name}", text) for name, text in parts.items()}


def _line(
    ctx: Context, laid: Layout, place: int, marks: Mapping[str, Reason], texts: Texts
) -> dict[str, Json]:
    line = laid.lines[place]
    body = line.to_json((place + 1) * SORT_STEP)
    body["name"] = texts.cut(f"name of {line.code}", line.name)
    mark = marks.get(line.code)
    if mark is not None:
        body["lineComments"] = f"Not in step with {ctx.source}: {mark.code}"
    return body
