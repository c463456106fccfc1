"""From an order to its request: of one that is new, or of one that Omni has and that is to be followed.

Belongs here: what the parts of a request come to, and what keeps one from being written. Does not belong here: amounts (`layout`), fields
(`order_body`), what is done about a difference (`revisions`).

A new order is written whole or waits. An order that is in Omni already is there without what cannot be mapped any more: that part stays as
it was written, the others are followed, and a change of that very part waits with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money, nearest, plain
from ledger_pipelines.documents.sales import Component, SalesDocument
from ledger_pipelines.integrations.neto_cin7.branches import branch_of
from ledger_pipelines.integrations.neto_cin7.catalogue import Skus, check_lines
from ledger_pipelines.integrations.neto_cin7.contacts import identity, resolve
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.edits import (
    AMOUNTS,
    Edit,
    Written,
    group_of,
    number_of,
    sold_lines,
)
from ledger_pipelines.integrations.neto_cin7.layout import Layout, is_note, lay_out, line_amount
from ledger_pipelines.integrations.neto_cin7.order_body import (
    amounts_body,
    header_body,
    order_body,
    reference_problem,
)
from ledger_pipelines.integrations.neto_cin7.texts import Texts
from ledger_pipelines.sync.plan import Reason

_BUYER: Final = frozenset({"customer", "buyer"})
_LINES: Final = frozenset({AMOUNTS})
_PRECISE: Final = 12
"""Decimals of a kit's parts when they are told from what was written: more than a recipe has."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A new order as it is written: the whole request, and what was said of its texts.

    needs: keys of effects that go first and are not linked to in the request.
    """

    body: Mapping[str, Json]
    layout: Layout
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a part of an order that is in Omni cannot be written. groups: the parts whose changes wait for it."""

    reason: Reason
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Remapped:
    """An order that is in Omni as it would be written now.

    Args:
        body: The request, with texts that say nothing; what cannot be mapped is as it was written.
        expected: What Omni's total is compared with; None where it may keep fractions of a cent, or is not known.
        needs: Keys of effects that go first.
        obstacles: Why parts of it cannot be mapped.
        unmapped: What differs in such a part all the same.
        note: What a person may want to know.
    """

    body: Mapping[str, Json]
    expected: Money | None = None
    needs: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    unmapped: tuple[Edit, ...] = ()
    note: str = ""

    def obstacle(self, groups: frozenset[str]) -> Reason | None:
        """Why changes of these parts cannot be written."""
        return next((one.reason for one in self.obstacles if one.groups & groups), None)


def map_order(ctx: Context, order: SalesDocument) -> Mapped | Reason:
    """The order as it is written now, or why it has to wait.

    Reasons: those of `layout.lay_out`, `catalogue.check_lines`, `contacts.resolve`, `branches.branch_of`, `reference-too-long`.
    """
    problem = reference_problem(ctx, order)
    if problem is not None:
        return problem
    laid = lay_out(ctx, order)
    if isinstance(laid, Reason):
        return laid
    skus = check_lines(ctx, laid)
    if isinstance(skus, Reason):
        return _of_order(order, skus)
    branch = branch_of(ctx, order, laid)
    if isinstance(branch, Reason):
        return _of_order(order, branch)
    member = resolve(ctx, order)
    if member.reason is not None:
        return _of_order(order, member.reason)
    texts = Texts()
    body = order_body(ctx, order, laid, member, branch, skus.marks, texts)
    notes = (member.note, *(f"Marked: {why.text}" for why in skus.marks.values()), *texts.said)
    return Mapped(body, laid, tuple(filter(None, notes)), skus.needs)


def remap(ctx: Context, order: SalesDocument, before: Written) -> Remapped:
    """The order as it would be written now. Reasons of obstacles: as of `map_order`."""
    texts, obstacles = Texts(), []
    kept = {name: value for name, value in before.body.items() if group_of(name) == AMOUNTS}
    branch = before.body.get("branchId")
    needs: tuple[str, ...] = ()
    unmapped: tuple[Edit, ...] = ()
    laid = lay_out(ctx, order, _recipes(order, before))
    if isinstance(laid, Reason):
        obstacles.append(Obstacle(laid, _LINES))
        amounts = kept | {"currencyCode": order.currency}
        unmapped = tuple(_raw_changes(order, before))
    else:
        skus, chosen = check_lines(ctx, laid), branch_of(ctx, order, laid)
        if isinstance(skus, Reason):
            obstacles.append(Obstacle(skus, _LINES))
            skus = Skus({})
        if isinstance(chosen, Reason):
            obstacles.append(Obstacle(chosen, _LINES))
        else:
            branch = None if chosen is None else identity(chosen.id)
        amounts, needs = amounts_body(ctx, order, laid, skus.marks, texts), skus.needs
    member, note = resolve(ctx, order), ""
    customer = member.value
    if member.reason is not None:
        obstacles.append(Obstacle(member.reason, _BUYER))
        customer = before.body.get("memberId")
    elif member.key and ctx.journal.confirmed(member.key) is None:
        # No contact is made for an order that has one: a correction in the store is no other customer.
        customer = before.body.get("memberId")
        note = f"Its customer stays: Omni has no contact of {order.party.title} by what the store says now."
    body = header_body(ctx, order, texts) | amounts | {"memberId": customer}
    if branch is not None:
        body["branchId"] = branch
    expected = None if isinstance(laid, Reason) else laid.expected
    return Remapped(body, expected, needs, tuple(obstacles), unmapped, note)


def _recipes(order: SalesDocument, before: Written) -> dict[str, tuple[Component, ...]]:
    """Parts of kits as they were written, by line: the store tells no recipe with an order, and a product that has another one today
    changes no order. Only of an order that nobody changed since: of another one, how many a kit it was is not known."""
    parts: dict[str, list[Mapping[str, Json]]] = {}
    for sent in sold_lines(before.body):
        key, part, _ = str(sent.get("integrationRef")).partition("/")
        if part:
            parts.setdefault(key, []).append(sent)
    if not parts or not before.is_of(order):
        return {}
    many = {line.key: line.quantity for line in order.lines}
    return {
        key: tuple(_component(sent, many[key]) for sent in some)
        for key, some in parts.items()
        if many.get(key)
    }


def _component(sent: Mapping[str, Json], kits: Decimal) -> Component:
    """One part as it was written of so many kits. Its worth only weighs it: what it came to is what it comes to again, to the cent."""
    quantity = number_of(sent.get("qty"))
    came_to = line_amount(quantity, number_of(sent.get("unitPrice")), number_of(sent.get("discount")))
    worth = nearest(abs(came_to), abs(quantity), _PRECISE)
    return Component(str(sent.get("code") or ""), nearest(quantity, kits, _PRECISE), worth)


def _raw_changes(order: SalesDocument, before: Written) -> Iterator[Edit]:
    """What an order whose amounts cannot be laid out has other than was written: its total, and lines, codes, quantities."""
    if before.total is not None and before.total != order.grand_total:
        yield Edit(AMOUNTS, f"the total {before.total} is now {order.grand_total}")
    then = {str(line.get("integrationRef")): line for line in sold_lines(before.body)}
    split = {reference.partition("/")[0] for reference in then if "/" in reference}
    now = {line.key: line for line in order.lines if not is_note(line)}
    for reference, line in now.items():
        told = f"{plain(line.quantity)} x {line.item or line.description}"
        was = then.get(reference)
        if was is None and reference not in split:
            yield Edit(AMOUNTS, f"the line '{told}' is new")
        elif was is not None and (was.get("code"), number_of(was.get("qty"))) != (line.item, line.quantity):
            yield Edit(
                AMOUNTS, f"the line '{plain(number_of(was.get('qty')))} x {was.get('code')}' is now '{told}'"
            )
    for reference, was in then.items():
        if reference.partition("/")[0] not in now:
            yield Edit(AMOUNTS, f"the line '{plain(number_of(was.get('qty')))} x {was.get('code')}' is gone")


def _of_order(order: SalesDocument, reason: Reason) -> Reason:
    return Reason(reason.code, f"Order {order.number}: {reason.text}", reason.remedy)
