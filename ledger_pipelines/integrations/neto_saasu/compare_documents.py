"""Orders and returns of the store against the sales of the file: is each there, for the same amount, and as much owed.

Belongs here: comparing documents. Does not belong here: payments (`compare_money`), deciding or booking anything (`orders`).
All of it comes from the lists of both sides: no call for a single record is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import PaymentKind, SalesDocument
from ledger_pipelines.integrations.neto_saasu.compare import (
    Because,
    Explainer,
    Links,
    Paper,
    Papers,
    address,
    standing,
)
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.refunds import CLOSED
from ledger_pipelines.reports.shop_view import About, Difference, Why


@dataclass(frozen=True, slots=True)
class DayOfOrders:
    """Orders of one business day that belong in the file, and what answers to them there."""

    orders: int = 0
    invoices: int = 0
    ordered: Decimal = ZERO
    invoiced: Decimal = ZERO


class DocumentComparer:
    """Compares the documents of some days.

    Args:
        differing: Numbers of orders whose payments differ: what they owe differs for that reason, told once.
    """

    def __init__(
        self,
        ctx: Context,
        papers: Papers,
        explainer: Explainer,
        links: Links,
        differing: Collection[str],
    ) -> None:
        self._ctx, self._papers, self._explainer, self._links = ctx, papers, explainer, links
        self._differing = differing
        self._wrong_total: set[str] = set()

    def compare(self, first: date, last: date) -> tuple[Difference, ...]:
        """All differences of the days, by day and order."""
        found = [
            *self._orders(first, last),
            *self._returns(first, last),
            *self._without_order(first, last),
        ]
        found += self._owed(first, last)
        return tuple(sorted(found, key=lambda one: (one.day, one.order, one.about.value)))

    def by_day(self, first: date, last: date) -> dict[date, DayOfOrders]:
        """Orders and their invoices, by the orders' day."""
        days: dict[date, DayOfOrders] = {}
        for order in self._exported(first, last):
            day = days.get(order.day, DayOfOrders())
            sales = self._papers.sales(order.number)
            days[order.day] = DayOfOrders(
                day.orders + 1, day.invoices + bool(sales), day.ordered + order.grand_total.amount,
                day.invoiced + self._papers.total(order.number),
            )  # fmt: skip
        return days

    def _exported(self, first: date, last: date) -> Iterator[SalesDocument]:
        for order in self._ctx.shop.orders.values():
            if first <= order.day <= last and not standing(self._ctx, order):
                yield order

    # --- each order, and what it comes to ---------------------------------------------------------------------------

    def _orders(self, first: date, last: date) -> Iterator[Difference]:
        for order in self._exported(first, last):
            sales = self._papers.sales(order.number)
            if not sales:
                reference = self._ctx.reference(order.number)
                because = self._explainer.invoice(order.number, reference)
                yield self._row(About.NO_INVOICE, order, "Order", order.grand_total.amount, None, because)
                continue
            foreign = {paper.invoice.currency for paper in sales} - {"", order.currency}
            if foreign:
                self._wrong_total.add(order.number)
                because = Because(
                    Why.OTHER_CURRENCY, f"The order is in {order.currency}, its invoice in {', '.join(sorted(foreign))}.",
                    "Correct it in Saasu.",
                )  # fmt: skip
                yield self._row(
                    About.TOTAL, order, "Total", order.grand_total.amount, None, because, sales[0]
                )
                continue
            total = self._papers.total(order.number)
            if total != order.grand_total.amount:
                self._wrong_total.add(order.number)
                because = self._other_total(order, sales)
                yield self._row(
                    About.TOTAL, order, "Total", order.grand_total.amount, total, because, sales[0]
                )

    def _other_total(self, order: SalesDocument, sales: list[Paper]) -> Because:
        because = self._explainer.changes(order.number)
        if because is not None:
            return because
        since = max(
            (paper.known.confirmed_at for paper in sales if paper.known and paper.known.confirmed_at),
            default=None,
        )
        if len([paper for paper in sales if not paper.suffix]) > 1:
            numbers = ", ".join(paper.invoice.number or paper.invoice.id for paper in sales)
            return Because(
                Why.TWICE, f"Saasu has more than one sale for it: {numbers}.", "Delete the one too many."
            )
        if since is not None and order.changed is not None and order.changed > since:
            return Because(
                Why.OTHER_AMOUNT, "The order was changed in the store after its invoice was written.",
                "Run the plan of invoices for the day of the change; it says what is to be done.",
            )  # fmt: skip
        return Because(
            Why.OTHER_AMOUNT, "The invoice was changed in Saasu, or was not written by this program.",
            "Correct the invoice in Saasu, or the order in the store.",
        )  # fmt: skip

    def _returns(self, first: date, last: date) -> Iterator[Difference]:
        """Closed returns: each has its adjustment note, for what it credits."""
        if not self._ctx.settings.refunds.enabled:
            return
        for rma in self._ctx.shop.returns.values():
            order = self._ctx.shop.orders.get(rma.related)
            if not first <= rma.day <= last or order is None or not self._is_booked(rma, order):
                continue
            notes = self._papers.returned(order.number, rma.number)
            wanted = -abs(rma.grand_total.amount)
            what = f"Return {rma.number}"
            if not notes:
                reference = self._ctx.reference(order.number, f"RMA{rma.number}")
                because = self._explainer.note(rma, reference)
                yield self._row(About.NO_INVOICE, order, what, wanted, None, because, day=rma.day)
            elif sum((note.invoice.total for note in notes), ZERO) != wanted:
                total = sum((note.invoice.total for note in notes), ZERO)
                because = Because(
                    Why.TWICE if len(notes) > 1 else Why.OTHER_AMOUNT, f"The return credits {-wanted}, Saasu {-total}.",
                    "Correct the adjustment note in Saasu, or the return in the store.",
                )  # fmt: skip
                yield self._row(About.TOTAL, order, what, wanted, total, because, notes[0], day=rma.day)

    def _is_booked(self, rma: SalesDocument, order: SalesDocument) -> bool:
        closed = rma.status.strip().casefold() == CLOSED and rma.day >= self._ctx.first_day
        return closed and bool(rma.grand_total) and not standing(self._ctx, order)

    # --- each invoice has its order ----------------------------------------------------------------------------------

    def _without_order(self, first: date, last: date) -> Iterator[Difference]:
        for paper in self._papers.strays:
            if first <= paper.invoice.day <= last:
                because = Because(
                    Why.NOT_IN_STORE, "The store has no such order (any more).",
                    "Look it up in the store; delete or credit the invoice in Saasu if it is gone for good.",
                )  # fmt: skip
                yield self._of_paper(paper, paper.order.upper(), paper.invoice.total, because)
        for number, papers in self._papers.by_order.items():
            order = self._ctx.shop.orders[number]
            ours = [paper for paper in papers if not paper.of_return and paper.known is not None]
            inside = [paper for paper in ours if first <= paper.invoice.day <= last]
            why = standing(self._ctx, order) if inside else ""
            left = self._papers.total(number)
            if not why or not left:
                continue
            yield self._of_paper(inside[0], number, left, self._not_exportable(order, why), order)

    def _not_exportable(self, order: SalesDocument, why: str) -> Because:
        planned = self._explainer.changes(order.number)
        if planned is not None:
            return Because(planned.why, f"{_sentence(why)} {planned.text}", planned.remedy)
        if order.cancelled:
            return Because(
                Why.CANCELLED, "The order was cancelled in the store after its invoice was written.",
                "Delete or credit the invoice in Saasu, or set on_edit so that it is done for you.",
            )  # fmt: skip
        return Because(
            Why.NOT_EXPORTABLE, f"{_sentence(why)} Its invoice is in Saasu from before.",
            "Nothing, if the order goes on in the store; else delete or credit the invoice.",
        )  # fmt: skip

    # --- what is owed ------------------------------------------------------------------------------------------------

    def _owed(self, first: date, last: date) -> Iterator[Difference]:
        """Families of split orders: what the store says is owed of them together, and what Saasu says.

        Payments stay on the order that was split, so one of a family alone says nothing. Families with another difference
        are told there.
        """
        if not self._ctx.settings.payments.enabled:
            return
        told = self._wrong_total | set(self._differing)
        told |= {rma.related for rma in self._ctx.shop.returns.values()}
        for root, family in self._families().items():
            days = [order.day for order in family]
            if not any(first <= day <= last for day in days) or not self._comparable(family, told):
                continue
            total = sum((order.grand_total.amount for order in family), ZERO)
            owed = max(ZERO, total - sum((_paid(order) for order in family), ZERO))
            books = sum((self._papers.owed(order.number) for order in family), ZERO)
            if owed == books:
                continue
            order = self._ctx.shop.orders[root]
            more = (
                f" (with {', '.join(one.number for one in family if one is not order)})"
                if len(family) > 1
                else ""
            )
            yield self._row(
                About.OWED, order, f"Owed{more}", owed, books, _other_owed(owed, books),
                self._papers.sales(root)[0], day=min(day for day in days if first <= day <= last),
            )  # fmt: skip

    def _families(self) -> dict[str, list[SalesDocument]]:
        found: dict[str, list[SalesDocument]] = {}
        for order in self._ctx.shop.orders.values():
            if not order.cancelled:
                found.setdefault(self._root(order), []).append(order)
        return found

    def _root(self, order: SalesDocument) -> str:
        orders, seen = self._ctx.shop.orders, {order.number}
        while order.related in orders and order.related not in seen:
            order = orders[order.related]
            seen.add(order.number)
        return order.number

    def _comparable(self, family: list[SalesDocument], told: set[str]) -> bool:
        """Whether what is owed of it says anything of its own. told: orders with another difference, or a return."""
        if any(order.number in told for order in family):
            return False
        return all(self._papers.sales(order.number) and not standing(self._ctx, order) for order in family)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _row(
        self,
        about: About,
        order: SalesDocument,
        what: str,
        store: Decimal | None,
        books: Decimal | None,
        because: Because,
        paper: Paper | None = None,
        *,
        day: date | None = None,
    ) -> Difference:
        return Difference(
            about=about, why=because.why, day=day or order.day, order=order.number, customer=order.party.title, what=what,
            store=store, books=books, text=because.text, remedy=because.remedy,
            reference=self._ctx.reference(order.number),
            number=(paper.invoice.number or paper.invoice.id) if paper else "",
            order_link=address(self._links.order, order.number),
            books_link=address(self._links.invoice, paper.invoice.id) if paper else "",
        )  # fmt: skip

    def _of_paper(
        self, paper: Paper, number: str, amount: Decimal, because: Because, order: SalesDocument | None = None
    ) -> Difference:
        invoice = paper.invoice
        contact = self._ctx.books.contact_by_id.get(invoice.contact)
        name = f"{contact.given} {contact.family}".strip() if contact else ""
        return Difference(
            about=About.NO_ORDER, why=because.why, day=invoice.day, order=number,
            customer=order.party.title if order else name, what=f"Invoice {invoice.number or invoice.id}", store=None,
            books=amount, text=because.text, remedy=because.remedy, reference=invoice.purchase_order,
            number=invoice.number or invoice.id, order_link=address(self._links.order, order.number if order else ""),
            books_link=address(self._links.invoice, invoice.id),
        )  # fmt: skip


def _paid(order: SalesDocument) -> Decimal:
    return sum(
        (
            one.amount.amount if one.kind is PaymentKind.RECEIPT else -one.amount.amount
            for one in order.payments
        ),
        ZERO,
    )


def _other_owed(owed: Decimal, books: Decimal) -> Because:
    if books < owed:
        return Because(
            Why.BY_HAND, f"The store says {owed} is owed, Saasu {books}: a payment was booked in Saasu by hand.",
            "Record the payment in the store too, or take it off the invoice.",
        )  # fmt: skip
    return Because(
        Why.OTHER_AMOUNT, f"The store says {owed} is owed, Saasu {books}: payments in Saasu go to another invoice.",
        "Look at what the payments of the order are applied to in Saasu.",
    )  # fmt: skip


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
