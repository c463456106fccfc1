"""What an order has other than what was written of it, and what somebody has changed of it in Omni since.

Belongs here: what Omni was told by now according to the journal, comparing, saying it in words. Does not belong here: what
follows from a difference (`revisions`). Facts: cin7-omni.md 5 (a PUT is partial), 6.2 (lines by id, 0 removes).

What comes from settings alone (cost center, terms, rates) may change without every order of the past counting as changed, and
so may the order's date, which the store sets anew when it invoices. Stage and approval have rules of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from ledger_pipelines.documents.effects import LINK
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.money import ZERO, Money, plain
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Changes, Known, changes_of
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.layout import TaxStatus
from ledger_pipelines.integrations.neto_cin7.order_body import COMMENTS, LINES
from ledger_pipelines.integrations.neto_cin7.references import (
    HasKey,
    dispatch_key,
    order_key,
    order_source,
    update_key,
    void_key,
)
from ledger_pipelines.systems.cin7.records import Contact, OrderLine, SalesOrder

Body = Mapping[str, Json]
AMOUNTS: Final = "amounts"

_LEFT_ALONE: Final = frozenset(
    {
        "reference",
        "createdDate",
        COMMENTS,
        LINES,
        "isApproved",
        "stage",
        "currencyRate",
        "costCenter",
        "paymentTerms",
    }
)
_OF_AMOUNTS: Final = frozenset(
    {
        LINES, "freightTotal", "freightDescription", "surcharge", "surchargeDescription", "discountTotal",
        "discountDescription", "taxStatus", "taxRate", "currencyCode",
    }
)  # fmt: skip
_FROM_CONTACT: Final = frozenset({"firstName", "lastName", "company", "email", "phone"})
"""What Omni fills in by itself when an order is made without."""
_LINE_FIELDS: Final = ("code", "name", "qty", "unitPrice", "discount", "taxRate")


@dataclass(frozen=True, slots=True)
class Written:
    """An order of ours as the journal knows it: the request that made it with all confirmed changes over it.

    changes: of it; total: with the last that had one; at: when the last was confirmed; source: of what the last was made.
    """

    known: Known
    body: Body
    changes: Changes
    total: Money | None
    at: datetime | None
    void: bool
    dispatched: bool
    source: str = ""

    def is_of(self, order: SalesDocument) -> bool:
        """Whether the order is the one it was last written or dispatched of: nobody changed it in the store since, and back neither. Told
        by what it consists of, for an instant would miss what was changed between reading and writing. False: it is not known."""
        return self.source == order_source(order)


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that differs. group: which part of an order it is; text: with both values."""

    group: str
    text: str


def is_compared(name: str) -> bool:
    """Whether a field of the header is followed at all."""
    return name not in _LEFT_ALONE


def group_of(name: str) -> str:
    """Which part of an order a field belongs to: what is changed there by one side must not be changed by the other unseen."""
    if name in _OF_AMOUNTS:
        return AMOUNTS
    for side in ("delivery", "billing"):
        if name.startswith(side):
            return side
    named = {"memberId": "customer", "branchId": "branch", "customerOrderNo": "customer order number"}
    return named.get(name, "buyer")


def written(ctx: Context, order: HasKey) -> Written | None:
    """The confirmed order, with all confirmed changes."""
    known = ctx.journal.confirmed(order_key(ctx, order))
    if known is None:
        return None
    total, last = known.amount, known.confirmed_at
    changes = changes_of(ctx.journal, lambda number: update_key(ctx, order, number))
    body = _with_changes(known, changes.confirmed)
    source = known.source
    for change in changes.confirmed:
        source = change.source
        if any(group_of(name) == AMOUNTS for name in change.fields()):
            total = change.amount
        last = later(last, change.confirmed_at)
    dispatch = ctx.journal.confirmed(dispatch_key(ctx, order))
    if dispatch is not None:
        body["stage"] = dispatch.fields().get("stage")
        last = later(last, dispatch.confirmed_at)
        source = dispatch.source  # it waits for every change, and what a person let be is not told once more
    void = ctx.journal.confirmed(void_key(ctx, order))
    return Written(known, body, changes, total, last, void is not None, dispatch is not None, source)


def _with_changes(known: Known, changes: Sequence[Known]) -> dict[str, Json]:
    """The request that made an order, with changes over it."""
    body = dict(known.fields())
    for change in changes:
        fields = dict(change.fields())
        body[LINES] = _merged(lines_of(body), lines_of(fields))
        body |= {name: value for name, value in fields.items() if name != LINES}
    return body


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two instants."""
    return max((at for at in (one, other) if at is not None), default=None)


def read_since(ctx: Context, before: Written) -> SalesOrder | None:
    """The order as Omni holds it, when it was read after we last wrote it."""
    booked = ctx.omni.orders.get(before.known.remote_id)
    if booked is None or ctx.omni.read_at is None:
        return None
    return booked if before.at is None or ctx.omni.read_at > before.at else None


def unread_changes(ctx: Context, before: Written, name: str) -> tuple[Known, ...]:
    """Changes of ours of a field that were confirmed after Omni was read: without one, it is there as it was read."""
    changed = [one for one in before.changes.confirmed if name in one.fields()]
    return tuple(one for one in changed if _is_unread(ctx, one))


def _is_unread(ctx: Context, change: Known) -> bool:
    at, read_at = change.confirmed_at, ctx.omni.read_at
    return at is not None and (read_at is None or read_at <= at)


def has_our_lines(ctx: Context, before: Written, booked: SalesOrder) -> bool:
    """Whether nobody had edited its lines when Omni was read: they were as we wrote them before the changes that were confirmed
    after that, or, where such a change was found late, with them."""
    read = [one for one in before.changes.confirmed if not _is_unread(ctx, one)]
    bodies = (_with_changes(before.known, read), before.body)
    return any(not list(_line_edits(ctx, replace(before, body=body), booked, ())) for body in bodies)


def lines_of(body: Body) -> list[dict[str, Json]]:
    """The lines of a request."""
    lines = body.get(LINES)
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


def _merged(before: Sequence[dict[str, Json]], changes: Sequence[dict[str, Json]]) -> list[Json]:
    by_reference = {str(line.get("integrationRef")): line for line in before}
    for line in changes:
        reference = str(line.get("integrationRef"))
        by_reference[reference] = by_reference.get(reference, {}) | line
    return list(by_reference.values())


TAKEN_OUT: Final[Mapping[str, Json]] = {"qty": ZERO}
"""What an update says of a line that is to go."""


def number_of(value: Json) -> Decimal:
    """A number of a request; nothing is 0."""
    return Decimal(str(value or 0))


def sold_lines(body: Body) -> list[dict[str, Json]]:
    """The lines that are there: a quantity of 0 is how one is removed."""
    return [line for line in lines_of(body) if number_of(line.get("qty"))]


def _kept(body: Body) -> dict[str, dict[str, Json]]:
    return {str(line.get("integrationRef")): line for line in sold_lines(body)}


def same_value(ctx: Context, one: Json, other: Json) -> bool:
    """Whether two values are the same to Omni: links stand for their ids, nothing is the empty text, 2.0 is 2."""
    return _plain(ctx, one) == _plain(ctx, other)


def _plain(ctx: Context, value: Json) -> str:
    if isinstance(value, dict):
        target = value.get(LINK)
        known = ctx.journal.confirmed(target) if isinstance(target, str) else None
        return known.remote_id if known is not None and known.remote_id else canonical(value)
    if isinstance(value, Decimal):
        return plain(value)
    return "" if value is None else str(value)


# --- what the order has other than was written -------------------------------------------------------------------------


def changed_fields(ctx: Context, before: Body, after: Body) -> dict[str, Json]:
    """Header fields an update must send; a text that is gone is sent empty."""
    found = {
        name: value
        for name, value in after.items()
        if name not in _LEFT_ALONE and not same_value(ctx, before.get(name), value)
    }
    gone = [
        name
        for name, value in before.items()
        if name not in _LEFT_ALONE and name not in after and isinstance(value, str) and value
    ]
    return found | dict.fromkeys(gone, "")


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that is new, changed or gone. reference: ours of it; fields: what an update sends of it, but for its id."""

    reference: str
    fields: Body
    text: str
    new: bool = False


def changed_lines(ctx: Context, before: Body, after: Body) -> list[LineChange]:
    """Lines that differ, in the order of the request; then those that are gone."""
    old, found = _kept(before), []
    wanted = _kept(after)
    ever = {str(line.get("integrationRef")) for line in lines_of(before)}
    for reference, line in wanted.items():
        was = old.get(reference)
        if was is None:
            found.append(
                LineChange(reference, line, f"the line '{_shown(line)}' is new", new=reference not in ever)
            )
            continue
        differing: dict[str, Json] = {
            name: line.get(name) if line.get(name) is not None else ""
            for name in _LINE_FIELDS
            if not same_value(ctx, was.get(name), line.get(name))
        }
        if differing:
            found.append(
                LineChange(reference, differing, f"the line '{_shown(was)}' is now '{_shown(line)}'")
            )
    gone = (
        LineChange(reference, {**TAKEN_OUT, **_without_discount(line)}, f"the line '{_shown(line)}' is gone")
        for reference, line in old.items()
        if reference not in wanted
    )
    return [*found, *gone]


def _without_discount(line: Body) -> dict[str, Json]:
    """A discount is a total of the line: it would stay, and be taken off the others' (cin7-omni.md 11, totals)."""
    return {"discount": ZERO} if number_of(line.get("discount")) else {}


def _shown(line: Body) -> str:
    less = number_of(line.get("discount"))
    shown = f"{plain(number_of(line.get('qty')))} x {line.get('code') or line.get('name')} at {plain(number_of(line.get('unitPrice')), 2)}"
    return f"{shown} less {plain(less, 2)}" if less else shown


def edits_of_order(before: Body, after: Body, fields: Body, lines: Sequence[LineChange]) -> list[Edit]:
    """What changed in the store, in words."""
    found = [
        Edit(group_of(name), f"{name} {_told(before.get(name))} is now {_told(value)}")
        for name, value in fields.items()
        if not isinstance(after.get(name), dict)
    ]
    found += [
        Edit(group_of(name), "the customer is another one")
        for name in fields
        if isinstance(after.get(name), dict)
    ]
    return found + [Edit(AMOUNTS, one.text) for one in lines]


def _told(value: Json) -> str:
    if value is None or value == "":
        return "empty"
    return plain(value) if isinstance(value, Decimal) else f"{value}"


# --- what somebody changed in Omni -------------------------------------------------------------------------------------


def edits_in_omni(
    ctx: Context, before: Written, booked: SalesOrder, gone: Collection[str] = ()
) -> list[Edit]:
    """What Omni holds other than we wrote, in words. gone: references of lines that neither side has any more."""
    return [*_header_edits(ctx, before, booked), *_line_edits(ctx, before, booked, gone)]


def gone_on_both(before: Body, after: Body, booked: SalesOrder) -> frozenset[str]:
    """References of lines that were written, and that neither the store nor Omni has any more."""
    there = {one.integration_ref for one in booked.lines if one.qty}
    return frozenset(_kept(before).keys() - _kept(after).keys() - there)


def as_if_written(before: Written, after: Body, fields: Body, total: Money | None) -> Written:
    """As though the store's order had been written as it is now."""
    lines: list[Json] = list(sold_lines(after))
    return replace(before, body={**before.body, **after, **fields, LINES: lines}, total=total)


def under_our_references(ctx: Context, after: Body, booked: SalesOrder) -> SalesOrder:
    """The order as Omni holds it, where a line that somebody put in by hand is the one the store has new: it gets that one's
    reference."""
    taken = {one.integration_ref for one in booked.lines if one.integration_ref}
    wanting = {ref: line for ref, line in _kept(after).items() if ref not in taken}
    lines = []
    for there in booked.lines:
        ref = ""
        if not (there.integration_ref or there.parent or not there.qty):
            ref = next((ref for ref, line in wanting.items() if not _differs(ctx, booked, line, there)), "")
            wanting.pop(ref, None)
        lines.append(replace(there, integration_ref=ref) if ref else there)
    return replace(booked, lines=tuple(lines))


def _header_edits(ctx: Context, before: Written, booked: SalesOrder) -> Iterator[Edit]:
    body = before.body
    texts = ctx.omni.texts.get(booked.id, {})
    for name, ours in body.items():
        if name in _LEFT_ALONE or not isinstance(ours, str) or name not in texts:
            continue
        if texts[name].strip() != ours.strip():
            yield Edit(group_of(name), f"{name} was written as {_told(ours)} and is {_told(texts[name])}")
    rate = number_of(body.get("taxRate"))
    if booked.tax_rate not in (None, rate) and body.get("taxStatus") != TaxStatus.EXEMPT.value:
        yield Edit(AMOUNTS, f"taxRate was written as {plain(rate)} and is {_told(booked.tax_rate)}")
    for name, theirs in (("memberId", booked.member_id), ("branchId", booked.branch_id)):
        if name in body and not same_value(ctx, body[name], theirs):
            yield Edit(
                group_of(name), f"{name} was written as {_plain(ctx, body[name])} and is {theirs or 'empty'}"
            )
    amounts = (
        ("freightTotal", booked.freight),
        ("surcharge", booked.surcharge),
        ("discountTotal", booked.discount),
    )
    currency = booked.currency or ctx.omni.currency
    for name, amount in amounts:
        ours_, theirs_ = Money(number_of(body.get(name)), currency), ctx.omni.money_of(booked, amount)
        if ours_ != theirs_:
            yield Edit(AMOUNTS, f"{name} was written as {ours_} and is {theirs_}")
    total = ctx.omni.total_of(booked)
    if before.total is not None and total != before.total:
        yield Edit(AMOUNTS, f"the total was written as {before.total} and is {total}")


def filled_in(ctx: Context, before: Written, booked: SalesOrder, wanted: Body) -> dict[str, Edit]:
    """Fields that were never written and that somebody filled in Omni with something else than is wanted now, by name.

    What Omni took from the order's contact, and the main branch, nobody filled in.
    """
    texts = ctx.omni.texts.get(booked.id, {})
    own = _of_contact(ctx.omni.contact_by_id.get(booked.member_id))
    found: dict[str, Edit] = {}
    for name, value in wanted.items():
        if name in before.body or not is_compared(name):
            continue
        theirs = texts.get(name, "").strip()
        if name == "branchId":
            theirs = "" if booked.branch_id == (ctx.main_branch or booked.branch_id) else booked.branch_id
        elif name in _FROM_CONTACT and theirs == own.get(name, theirs).strip():
            continue
        if theirs and theirs != _plain(ctx, value).strip():
            found[name] = Edit(group_of(name), f"{name} was written as empty and is {theirs}")
    return found


def _of_contact(contact: Contact | None) -> Mapping[str, str]:
    """What an order takes from its contact where it says nothing itself; nothing where the contact was not read."""
    if contact is None:
        return {}
    return {
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "company": contact.company,
        "email": contact.email,
    }


def _line_edits(ctx: Context, before: Written, booked: SalesOrder, gone: Collection[str]) -> Iterator[Edit]:
    ours = {reference: line for reference, line in _kept(before.body).items() if reference not in gone}
    theirs = {line.integration_ref: line for line in booked.lines if line.integration_ref and not line.parent}
    for reference, line in ours.items():
        there = theirs.get(reference)
        if there is None or not there.qty:
            yield Edit(AMOUNTS, f"the line '{_shown(line)}' is gone there")
        elif _differs(ctx, booked, line, there):
            yield Edit(AMOUNTS, f"the line '{_shown(line)}' is '{shown_there(ctx, booked, there)}' there")
    for there in booked.lines:
        if not there.parent and there.qty and there.integration_ref not in ours:
            yield Edit(AMOUNTS, f"the line '{shown_there(ctx, booked, there)}' was put in there")


def _differs(ctx: Context, booked: SalesOrder, line: Body, there: OrderLine) -> bool:
    if there.code != str(line.get("code") or "") or there.qty != number_of(line.get("qty")):
        return True
    if there.unit_price is None or is_foreign(ctx, booked):
        return False  # prices came back converted and rounded; the total tells
    return (there.unit_price, there.discount) != (
        number_of(line.get("unitPrice")),
        number_of(line.get("discount")),
    )


def is_foreign(ctx: Context, booked: SalesOrder) -> bool:
    """Whether its amounts come back converted."""
    return ctx.omni.base_amounts and booked.currency not in ("", ctx.omni.currency)


def shown_there(ctx: Context, booked: SalesOrder, line: OrderLine) -> str:
    """A line as Omni has it, for people."""
    price = "" if line.unit_price is None else f" at {ctx.omni.money_of(booked, line.unit_price).text}"
    less = f" less {ctx.omni.money_of(booked, line.discount).text}" if line.discount else ""
    return f"{plain(line.qty)} x {line.code or line.name}{price}{less}"
