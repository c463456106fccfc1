"""What the initial sync finds: what store and Omni have in common already, what nearly, and what contradicts.

Belongs here: the stored report and its rows for people. Does not belong here: the rules (`catalogue`, `contacts`, `orders`), reading
the snapshots (`mirror`). Nothing is kept of the pairs: products are found by code, contacts by e-mail address and user name, orders by
reference, whenever they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ledger_pipelines.documents.sales import DocumentKind
from ledger_pipelines.integrations.by_day.initial import (
    CLASH,
    WRITTEN_BEFORE,
    Clash,
    NearMiss,
    ReportRow,
    earlier,
    written_before_row,
)
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.catalogue import (
    ONLY_THERE,
    SPELLING,
    TWICE,
    OutOfStep,
    compare,
    sold_by_store,
)
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.omni import is_supplier
from ledger_pipelines.integrations.neto_cin7.references import order_reference


class OrderThere(msgspec.Struct, frozen=True):
    """An order of the store whose reference Omni has. same: whether both come to the same."""

    order: str
    reference: str
    id: str
    same: bool


class OutOfStepRow(msgspec.Struct, frozen=True):
    """A product that is not in step."""

    sku: str
    code: str
    why: str
    text: str


class Pairing(msgspec.Struct, frozen=True):
    """What the initial sync found."""

    products_in_step: int = 0
    out_of_step: tuple[OutOfStepRow, ...] = ()
    only_in_omni: tuple[str, ...] = ()
    """Codes that no product of the store has."""
    contacts_paired: int = 0
    customers_unpaired: int = 0
    orders: tuple[OrderThere, ...] = ()
    orders_unpaired: int = 0
    near_misses: tuple[NearMiss, ...] = ()
    clashes: tuple[Clash, ...] = ()

    def counts(self) -> dict[str, int]:
        """For metadata."""
        return {
            "products_in_step": self.products_in_step,
            "products_not_in_step": len(self.out_of_step),
            "products_only_in_omni": len(self.only_in_omni),
            "contacts_paired": self.contacts_paired,
            "customers_unpaired": self.customers_unpaired,
            "orders_in_omni": len(self.orders),
            "orders_not_in_omni": self.orders_unpaired,
            "orders_with_other_total": sum(1 for one in self.orders if not one.same),
            "near_misses": len(self.near_misses),
            "clashes": len(self.clashes),
        }

    def report_rows(self) -> list[ReportRow]:
        """What a person should look at."""
        found = [ReportRow(one.why, one.sku, one.code, one.text) for one in self.out_of_step]
        found += [written_before_row(one, "Omni") for one in self.clashes if one.kind == WRITTEN_BEFORE]
        found += [
            ReportRow(
                CLASH,
                one.name,
                ", ".join(one.ids),
                f"Several contacts of Omni have the {one.kind} {one.name}.",
            )
            for one in self.clashes
            if one.kind not in (TWICE, WRITTEN_BEFORE)
        ]
        found += [
            ReportRow(
                "total",
                one.order,
                one.reference,
                f"Order {one.order} and Omni's {one.reference} differ. It is left alone.",
            )
            for one in self.orders
            if not one.same
        ]
        return found + [
            ReportRow("only in Omni", "", code, f"No product of the store has the SKU {code}.")
            for code in self.only_in_omni
        ]


def pair(ctx: Context, written_before: Sequence[str] = ()) -> Pairing:
    """Find what belongs together. written_before: references of ours in Omni that the journal does not know."""
    compared = compare(ctx)
    apart = [one for one in compared if one.reason.code != ONLY_THERE]
    contacts, alone = _contacts(ctx)
    orders = list(_orders(ctx))
    known = {one.order for one in orders}
    open_orders = [
        one for one in ctx.shop.orders.values() if one.kind is DocumentKind.ORDER and not one.cancelled
    ]
    return Pairing(
        products_in_step=sum(1 for _ in sold_by_store(ctx)) - len(apart),
        out_of_step=tuple(OutOfStepRow(one.sku, one.code, one.reason.code, one.reason.text) for one in apart),
        only_in_omni=tuple(one.code for one in compared if one.reason.code == ONLY_THERE),
        contacts_paired=contacts,
        customers_unpaired=alone,
        orders=tuple(orders),
        orders_unpaired=sum(1 for one in open_orders if one.key not in known),
        near_misses=tuple(
            NearMiss("spelling", one.sku, (one.code,)) for one in apart if one.reason.code == SPELLING
        ),
        clashes=(*earlier(written_before), *_emails(ctx), *_codes(ctx, apart)),
    )


def _contacts(ctx: Context) -> tuple[int, int]:
    """Customers of the store with a contact in Omni, and without."""
    paired = 0
    for party in ctx.shop.customers.values():
        by_email = ctx.omni.contacts_by_email.get(folded(party.email), ()) if party.email else ()
        paired += bool(by_email or ctx.omni.contacts_by_reference.get(folded(party.key)))
    return paired, len(ctx.shop.customers) - paired


def _emails(ctx: Context) -> Iterator[Clash]:
    """Addresses that several active customers of Omni have."""
    for contacts in ctx.omni.contacts_by_email.values():
        usable = [one for one in contacts if one.active and not is_supplier(one)]
        if len(usable) > 1:
            yield Clash("e-mail address", usable[0].email, tuple(one.id for one in usable))


def _codes(ctx: Context, apart: list[OutOfStep]) -> Iterator[Clash]:
    for one in apart:
        if one.reason.code == TWICE:
            there = ctx.omni.options_by_code[one.sku]
            yield Clash(TWICE, one.sku, tuple(sorted({option.id for option in there})))


def _orders(ctx: Context) -> Iterator[OrderThere]:
    for order in ctx.shop.orders.values():
        for there in ctx.omni.with_reference(order_reference(ctx, order))[:1]:
            same = ctx.omni.total_of(there) == order.grand_total
            yield OrderThere(order.key, there.reference, there.id, same)
