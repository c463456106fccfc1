"""Pairing of the initial sync: which records of both sides are the same, which nearly, and which claim the same partner.

Belongs here: the rules, the stored report, its rows for people. Pure; writes to neither side. Does not belong here: reading the
snapshots (`mirror`), keeping the report (`service`). Facts: saasu.md 7 (match order), neto.md 15.1, 15.2.

Near misses are of kind spelling or illegal-sku; clashes of contact-id, e-mail, inactive, customers (several customers on one
contact), invoices (several of one order), written-before (documents of ours that the journal does not know).

Rules: SKU = code to the letter; user name = Contact ID, then e-mail address and family name; order number = invoice number or
purchase-order number. Names and addresses are compared without regard to case. Of several, the active one with the lowest id
counts, and the clash is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import DocumentKind, Item, Party, SalesDocument
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
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.store_products import legal_sku
from ledger_pipelines.systems.saasu.records import SaasuContact, SaasuInvoice


class ItemPair(msgspec.Struct, frozen=True):
    """A product and the item with its SKU."""

    sku: str
    code: str
    id: str


class ContactPair(msgspec.Struct, frozen=True):
    """A customer and its contact. by: contact-id or e-mail."""

    username: str
    id: str
    by: str


class OrderPair(msgspec.Struct, frozen=True):
    """An order and its invoice. by: number or purchase-order. Totals with tax, each in its currency."""

    order: str
    id: str
    number: str
    by: str
    order_total: Decimal
    order_currency: str
    invoice_total: Decimal
    invoice_currency: str

    @property
    def same(self) -> bool:
        """Whether both come to the same."""
        return (self.order_total, self.order_currency) == (self.invoice_total, self.invoice_currency)


class Pairing(msgspec.Struct, frozen=True):
    """What the initial sync found."""

    items: tuple[ItemPair, ...] = ()
    contacts: tuple[ContactPair, ...] = ()
    orders: tuple[OrderPair, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    clashes: tuple[Clash, ...] = ()
    only_in_store: tuple[str, ...] = ()
    """SKUs that no item has."""
    only_in_books: tuple[str, ...] = ()
    """Codes that no product has."""
    customers_unpaired: int = 0
    orders_unpaired: int = 0

    def contact_ids(self) -> dict[str, str]:
        """What `Context.pairs` wants: user name, folded -> id in Saasu."""
        return {folded(pair.username): pair.id for pair in self.contacts}

    def invoice_ids(self) -> dict[str, str]:
        """Order number -> id of its invoice."""
        return {pair.order: pair.id for pair in self.orders}

    def counts(self) -> dict[str, int]:
        """For metadata."""
        return {
            "items_paired": len(self.items),
            "items_only_in_store": len(self.only_in_store),
            "items_only_in_books": len(self.only_in_books),
            "contacts_paired": len(self.contacts),
            "customers_unpaired": self.customers_unpaired,
            "orders_paired": len(self.orders),
            "orders_unpaired": self.orders_unpaired,
            "orders_with_other_total": sum(1 for pair in self.orders if not pair.same),
            "near_misses": len(self.near_misses),
            "clashes": len(self.clashes),
        }

    def report_rows(self) -> list[ReportRow]:
        """What a person should look at: near misses, clashes, totals that differ, then what is on one side only."""
        found = [_near_row(miss) for miss in self.near_misses]
        found += [_clash_row(clash) for clash in self.clashes]
        for one in self.orders:
            if not one.same:
                ours = Money(one.order_total, one.order_currency)
                theirs = Money(one.invoice_total, one.invoice_currency)
                text = f"Order {one.order} comes to {ours}, invoice {one.number} to {theirs}. It is left as it is."
                found.append(ReportRow("total", one.order, one.number, text))
        found += [
            ReportRow("only in the store", sku, "", f"No item of Saasu has the code {sku}.")
            for sku in self.only_in_store
        ]
        found += [
            ReportRow("only in Saasu", "", code, f"No product of the store has the SKU {code}.")
            for code in self.only_in_books
        ]
        return found


def pair(
    shop_items: Iterable[Item],
    customers: Iterable[Party],
    orders: Iterable[SalesDocument],
    books: Books,
    prefix: str = "",
    written_before: Sequence[str] = (),
) -> Pairing:
    """Find what belongs together.

    Args:
        shop_items: Products of the store.
        customers: Customers of the store.
        orders: Its orders; quotes are passed over.
        books: The file.
        prefix: What our invoice numbers have before the order number; numbers without it are found too.
        written_before: References of ours in the file that the journal does not know.
    """
    items, near, here, there = _items(shop_items, books)
    contacts, clashes, unknown = _contacts(customers, books)
    invoices, doubles, unbooked = _orders(orders, books, prefix)
    return Pairing(
        items=items,
        contacts=contacts,
        orders=invoices,
        near_misses=near,
        clashes=(*earlier(written_before), *clashes, *doubles),
        only_in_store=here,
        only_in_books=there,
        customers_unpaired=unknown,
        orders_unpaired=unbooked,
    )


def _items(
    products: Iterable[Item], books: Books
) -> tuple[tuple[ItemPair, ...], tuple[NearMiss, ...], tuple[str, ...], tuple[str, ...]]:
    skus = sorted({one.key for one in products if not one.is_parent and not one.internal})
    codes = books.item_by_code
    pairs = tuple(ItemPair(sku, codes[sku].code, codes[sku].id) for sku in skus if sku in codes)
    paired = {one.sku for one in pairs}
    here = tuple(sku for sku in skus if sku not in paired)
    there = tuple(sorted(code for code in codes if code not in paired))
    near = []
    for sku in here:
        alike = tuple(item.code for item in books.items_by_folded_code.get(folded(sku), ()))
        if alike:
            near.append(NearMiss("spelling", sku, alike))
    near += [NearMiss("illegal-sku", "", (code,)) for code in there if not legal_sku(code)]
    return pairs, tuple(near), here, there


# --- contacts --------------------------------------------------------------------------------------------------------


def _contacts(
    customers: Iterable[Party], books: Books
) -> tuple[tuple[ContactPair, ...], tuple[Clash, ...], int]:
    pairs: list[ContactPair] = []
    clashes: dict[tuple[str, str], Clash] = {}
    unknown = 0
    for customer in sorted(customers, key=lambda one: folded(one.key)):
        if not customer.key:
            continue
        by, name, found = _candidates(customer, books)
        active = [one for one in found if one.active]
        if len(found) > 1 or (found and not active):
            kind = by if len(found) > 1 else "inactive"
            taken = active[0].id if active else ""
            clashes[kind, name] = Clash(kind, name, tuple(one.id for one in found), taken)
        if active:
            pairs.append(ContactPair(customer.key, active[0].id, by))
        else:
            unknown += 1
    return tuple(pairs), (*clashes.values(), *_shared(pairs)), unknown


def _candidates(customer: Party, books: Books) -> tuple[str, str, Sequence[SaasuContact]]:
    """By what, its value, and the contacts with it; lowest id first."""
    found: Sequence[SaasuContact] = books.contacts_by_reference.get(folded(customer.key), ())
    if found:
        return "contact-id", customer.key, found
    alike = books.contacts_by_email.get(folded(customer.email), ()) if customer.email.strip() else ()
    found = [one for one in alike if folded(one.family) == folded(customer.family)]
    return "e-mail", customer.email, found


def _shared(pairs: Sequence[ContactPair]) -> list[Clash]:
    by_contact: dict[str, list[str]] = {}
    for one in pairs:
        by_contact.setdefault(one.id, []).append(one.username)
    return [Clash("customers", key, tuple(names), key) for key, names in by_contact.items() if len(names) > 1]


# --- orders ----------------------------------------------------------------------------------------------------------


def _orders(
    orders: Iterable[SalesDocument], books: Books, prefix: str
) -> tuple[tuple[OrderPair, ...], tuple[Clash, ...], int]:
    pairs: list[OrderPair] = []
    clashes: list[Clash] = []
    unbooked = 0
    for order in sorted(orders, key=lambda one: one.number):
        if order.kind is DocumentKind.QUOTE:
            continue
        by, found = _invoices(order.number, books, prefix)
        if not found:
            unbooked += 1
            continue
        best = next((one for one in found if _comes_to_the_same(order, one)), found[0])
        if len(found) > 1:
            clashes.append(Clash("invoices", order.number, tuple(one.id for one in found), best.id))
        total = order.grand_total
        pairs.append(
            OrderPair(
                order.number,
                best.id,
                best.number,
                by,
                total.amount,
                total.currency,
                best.total,
                best.currency,
            )
        )
    return tuple(pairs), tuple(clashes), unbooked


def _invoices(number: str, books: Books, prefix: str) -> tuple[str, list[SaasuInvoice]]:
    """By what, and the sales with it: quotes and credits are none."""
    names = dict.fromkeys((folded(f"{prefix}{number}"), folded(number)))
    indexes: tuple[tuple[str, Mapping[str, tuple[SaasuInvoice, ...]]], ...] = (
        ("number", books.invoices_by_number),
        ("purchase-order", books.invoices_by_purchase_order),
    )
    for name in names:
        for by, index in indexes:
            found = [one for one in index.get(name, ()) if one.status != "Q" and one.total >= 0]
            if found:
                return by, found
    return "", []


def _comes_to_the_same(order: SalesDocument, invoice: SaasuInvoice) -> bool:
    return (order.grand_total.amount, order.currency) == (invoice.total, invoice.currency)


# --- for people ------------------------------------------------------------------------------------------------------


def _near_row(miss: NearMiss) -> ReportRow:
    there = ", ".join(map(repr, miss.there))
    if miss.kind == "spelling":
        text = f"The SKU {miss.here!r} and the code {there} differ only by case or blanks: spell them alike."
        return ReportRow("spelling", miss.here, there, text)
    return ReportRow("illegal SKU", "", there, f"The code {there} of Saasu cannot be a SKU of the store.")


_CLASHES = {
    "contact-id": "{there} have the Contact ID {name}",
    "e-mail": "{there} have the e-mail address {name} and one family name",
    "inactive": "{there}, which belongs to {name}, is inactive",
    "customers": "The customers {ids} are all contact {name}",
    "invoices": "{there} are of order {name}",
}


def _clash_row(clash: Clash) -> ReportRow:
    ids = ", ".join(clash.ids)
    if clash.kind == WRITTEN_BEFORE:
        return written_before_row(clash, "Saasu")
    noun = "invoice" if clash.kind == "invoices" else "contact"
    there = f"{noun.capitalize()}{'s' if len(clash.ids) > 1 else ''} {ids}"
    text = _CLASHES[clash.kind].format(there=there, name=clash.name, ids=ids)
    if clash.kind != "customers":
        text += f"; {noun} {clash.taken} is taken" if clash.taken else "; none is taken"
    return ReportRow(CLASH, clash.name, ids, f"{text}.")
