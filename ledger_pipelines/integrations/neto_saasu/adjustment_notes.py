"""A closed return (RMA) as adjustment notes, to the cent, or why it cannot be.

Belongs here: which lines go by item and which by account, and the requests. Does not belong here: whether a return is booked,
what was paid back on it (`refunds`); prices, tax codes, kits (`layout`, of which this is the mirror).
Facts: neto.md 10; saasu.md 5.8 (a note is one layout or the other), 6.4 (a negative quantity brings stock back).

Goods that are back on the shelf, and what no stock is kept of, go by item: that takes back the very accounts the sale went to,
and the stock with it. Goods that are not back must not touch the stock: they go by account (`refunds.account`). Shipping and
surcharges given back go by their set-up items, which keep no stock, so that the same income is taken back; only where
there is nothing else by item, and goods by account, they go there with them: one document less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO, Money, plain
from ledger_pipelines.documents.sales import Charge, SalesDocument, SalesLine
from ledger_pipelines.integrations.neto_saasu.books import INCOME, RETURNS
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.invoice_body import AUTO_NUMBER
from ledger_pipelines.integrations.neto_saasu.layout import (
    SERVICE_LAYOUT,
    is_inclusive,
    lay_out,
)
from ledger_pipelines.integrations.neto_saasu.receipts import SUMMARY
from ledger_pipelines.integrations.neto_saasu.selection import ADJUSTMENT
from ledger_pipelines.integrations.neto_saasu.settings import Numbering
from ledger_pipelines.integrations.neto_saasu.skus import UNKNOWN_SKU, kit_parts, sellable
from ledger_pipelines.integrations.neto_saasu.taxes import OrderTaxes
from ledger_pipelines.integrations.sales_amounts import is_cents, tax_on, tax_within
from ledger_pipelines.integrations.shop import UnresolvedError, unresolved
from ledger_pipelines.sync.plan import Reason

WHOLE, ACCOUNTS = "", "S"
"""Parts of a return: its one note, or the one by item; the other one, by account, where there are both."""


@dataclass(frozen=True, slots=True)
class Note:
    """An adjustment note to be made. part: WHOLE or ACCOUNTS; total: negative; lines: how many."""

    part: str
    reference: str
    body: dict[str, Json]
    total: Money
    lines: int


def note_reference(ctx: Context, rma: SalesDocument, order: SalesDocument, part: str) -> str:
    """Number and purchase-order number of a note."""
    return ctx.reference(order.number, f"RMA{rma.number}{part}")


def compose(ctx: Context, rma: SalesDocument, order: SalesDocument, contact: Json) -> list[Note] | Reason:
    """The notes of a return; they come to its `RefundTotal`, always.

    Reasons: those of `layout.lay_out`, `does-not-foot`, `unresolved-setting`.
    """
    try:
        return _Composing(ctx, rma, order, contact).notes()
    except UnresolvedError as error:
        return unresolved(error)


@dataclass(frozen=True, slots=True)
class _AccountLine:
    description: str
    tax_code: str
    amount: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class _Composing:
    ctx: Context
    rma: SalesDocument
    order: SalesDocument
    contact: Json

    def notes(self) -> list[Note] | Reason:
        """Both parts."""
        lines = [self._with_tax_code(line) for line in self.rma.lines if line.amount or line.tax]
        by_item = [line for line in lines if self._goes_by_item(line)]
        by_account = [line for line in lines if line not in by_item]
        charges = self.rma.charges
        if by_account and not by_item:
            return self._one(self._part(by_account, charges), by_account=True)
        if not by_account:
            return self._one(self._part(by_item, charges), by_account=False)
        rest = self._part(by_account, ())
        first = self._by_item(self._less(self._part(by_item, charges), rest))
        if isinstance(first, Reason):
            return first
        second = self._by_account(rest, ACCOUNTS)
        return second if isinstance(second, Reason) else [first, second]

    def _one(self, part: SalesDocument, *, by_account: bool) -> list[Note] | Reason:
        whole = replace(part, grand_total=self.rma.grand_total, tax=self.rma.tax)
        note = self._by_account(whole, WHOLE) if by_account else self._by_item(whole)
        return note if isinstance(note, Reason) else [note]

    def _with_tax_code(self, line: SalesLine) -> SalesLine:
        """The return's own tax code, else that of the order's line with the SKU."""
        if line.tax_code:
            return line
        sold = next((one for one in self.order.lines if one.item == line.item), None)
        return line if sold is None else replace(line, tax_code=sold.tax_code)

    def _goes_by_item(self, line: SalesLine) -> bool:
        if not line.quantity or not line.item:
            return False
        skus = self._parts_of(line)
        troubles = [found for sku in skus if isinstance(found := sellable(self.ctx, sku), Reason)]
        if any(one.code == UNKNOWN_SKU for one in troubles):
            return False
        items = [self.ctx.books.item_by_code.get(sku) for sku in skus]
        return line.returned_to_stock or all(item is not None and not item.inventoried for item in items)

    def _parts_of(self, line: SalesLine) -> tuple[str, ...]:
        return tuple(one.item for one in kit_parts(self.ctx, line)) or (line.item,)

    # --- parts -------------------------------------------------------------------------------------------------------

    def _part(self, lines: Sequence[SalesLine], charges: Sequence[Charge]) -> SalesDocument:
        """Some of the return as a document of its own, amounts positive, with the buyer and number of the order."""
        tax = sum((line.tax for line in lines), ZERO) + sum((one.tax or ZERO for one in charges), ZERO)
        part = replace(
            self.rma, number=f"{self.order.number}, return {self.rma.number}", party=self.order.party, lines=tuple(lines),
            charges=tuple(charges), tax=tax, payments=(), note="",
        )  # fmt: skip
        return replace(part, grand_total=part.added_up())

    def _less(self, part: SalesDocument, rest: SalesDocument) -> SalesDocument:
        """The part with all that the rest does not have: so the two come to what the return says, or a difference shows."""
        return replace(part, grand_total=self.rma.grand_total - rest.grand_total, tax=self.rma.tax - rest.tax)

    # --- notes -------------------------------------------------------------------------------------------------------

    def _by_item(self, part: SalesDocument) -> Note | Reason:
        laid = lay_out(self.ctx, part)
        if isinstance(laid, Reason):
            return laid
        lines = [_turned(line.to_json()) for line in laid.lines]
        return self._note(WHOLE, laid.layout, lines, laid.total, inclusive=laid.is_tax_inc)

    def _by_account(self, part: SalesDocument, name: str) -> Note | Reason:
        lines: list[_AccountLine] = []
        for line in part.lines:
            many = f"{plain(line.quantity)} x " if line.quantity else ""
            text = f"{many}{line.description or line.item}"
            made = self._account_line(part, text, line.amount - line.coupon, line.tax, line.tax_code)
            if isinstance(made, Reason):
                return made
            lines.append(made)
        for charge in part.charges:
            text = f"{charge.kind.value.replace('-', ' ').capitalize()} given back"
            made = self._account_line(part, text, charge.amount, charge.tax, "")
            if isinstance(made, Reason):
                return made
            lines.append(made)
        inclusive = is_inclusive(self.ctx, part)
        amount = sum((line.amount + (ZERO if inclusive else line.tax) for line in lines), ZERO)
        total = Money(amount, part.currency)
        if total != part.grand_total:
            return _does_not_foot(part, lines, total)
        account = self._account()
        sent: list[Json] = [
            {
                "Description": line.description,
                "TaxCode": line.tax_code,
                "AccountId": account,
                "TotalAmount": -line.amount,
            }
            for line in lines
        ]
        return self._note(name, SERVICE_LAYOUT, sent, total, inclusive=inclusive)

    def _account_line(
        self, part: SalesDocument, text: str, amount: Decimal, tax: Decimal | None, store_code: str
    ) -> _AccountLine | Reason:
        taxes = OrderTaxes(self.ctx, part)
        code = taxes.code(amount, tax, store_code)
        if tax is None:
            tax = taxes.computed(amount, code)
        differs = taxes.differs(text, amount, tax, code)
        if differs is not None:
            return differs
        inclusive = is_inclusive(self.ctx, part)
        whole = amount + (tax if inclusive and not part.has_tax else ZERO)
        if not is_cents(whole):
            return Reason(
                "amount-decimals",
                f"Order {part.number}, {text}: {plain(whole, 2)} has fractions of a cent, which Saasu does not keep.",
                "Correct the return in the store.",
            )
        inside = tax_within(whole, code.rate) if inclusive else tax_on(whole, code.rate)
        return _AccountLine(text, code.code, whole, inside)

    def _account(self) -> str:
        named, setting, use = self.ctx.settings.refunds.account, "refunds.account", RETURNS
        if named is None:
            named, setting, use = (
                self.ctx.settings.orders_to_saasu.default_line_account,
                "orders_to_saasu.default_line_account",
                INCOME,
            )
        if named is None:
            raise UnresolvedError(
                f"Return {self.rma.number} of order {self.order.number} has goods that are not back on the shelf, and "
                "refunds.account is not set.",
                remedy="Name the account that returns without goods go to.",
            )
        return self.ctx.books.account(named, setting, use).id

    def _note(self, name: str, layout: str, lines: Sequence[Json], total: Money, *, inclusive: bool) -> Note:
        ctx, rma, order = self.ctx, self.rma, self.order
        reference = note_reference(ctx, rma, order, name)
        own = ctx.settings.orders_to_saasu.numbering is Numbering.ORDER
        body: dict[str, Json] = {
            "TransactionType": "S",
            "Layout": layout,
            "InvoiceType": ADJUSTMENT,
            "TransactionDate": rma.day.isoformat(),
            "DueDate": rma.day.isoformat(),
            "InvoiceNumber": reference if own else AUTO_NUMBER,
            "PurchaseOrderNumber": reference,
            "Summary": f"Return {rma.number} of order {order.number}"[:SUMMARY],
            "BillingContactId": self.contact,
            "ShippingContactId": self.contact,
            "Currency": rma.currency,
            "IsTaxInc": inclusive,
            "AutoPopulateFxRate": rma.currency != ctx.books.currency,
            "LineItems": list(lines),
        }
        if ctx.settings.orders_to_saasu.tag:
            body["Tags"] = [ctx.settings.orders_to_saasu.tag]
        if rma.note.strip():
            body["NotesInternal"] = rma.note.strip()
        return Note(name, reference, body, -total, len(lines))


def _turned(line: dict[str, Json]) -> Json:
    """The line with its quantity, or amount, the other way round."""
    name = "Quantity" if "Quantity" in line else "TotalAmount"
    value = line[name]
    return line | {name: -value} if isinstance(value, Decimal) else line


def _does_not_foot(part: SalesDocument, lines: Sequence[_AccountLine], total: Money) -> Reason:
    shown = "; ".join(f"{line.description} {plain(line.amount, 2)}" for line in lines) or "no lines"
    return Reason(
        "does-not-foot",
        f"Order {part.number}: the store says {part.grand_total}, its lines come to {total}, a difference of "
        f"{part.grand_total - total}: {shown}.",
        "Correct the return in the store, or book it by hand in Saasu and ignore this row.",
    )
