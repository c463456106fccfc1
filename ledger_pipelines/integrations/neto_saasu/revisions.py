"""An order whose invoice is in the books: unchanged, edited, cancelled, or due to become an invoice.

Belongs here: what follows, by the setting `on_edit`. Does not belong here: what differs (`edits`), orders without an invoice
(`invoices`). Facts: saasu.md 4.3, 5.8, 6.3.

A sale order is no document of the ledger: where invoices are credited, a sale order is changed, or deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.documents.effects import LINK, Action, Effect, EffectState, Expected
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import Changes, Known, link
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.neto_saasu.contacts import Contact, default_id, resolve
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.edits import (
    Written,
    changed_fields,
    credited,
    differences,
    with_ids,
)
from ledger_pipelines.integrations.neto_saasu.invoice_body import (
    AUTO_NUMBER,
    FOR_WANT_OF_STOCK,
    NEGATIVE_STOCK,
    invoice_body,
    wanted_type,
    was_fallback,
)
from ledger_pipelines.integrations.neto_saasu.layout import Layout, lay_out
from ledger_pipelines.integrations.neto_saasu.quick import FIELD, quick_of
from ledger_pipelines.integrations.neto_saasu.references import (
    INVOICE,
    convert_key,
    credit_key,
    credit_reference,
    invoice_key,
    invoice_reference,
    source_of,
    update_key,
    void_key,
)
from ledger_pipelines.integrations.neto_saasu.selection import ADJUSTMENT
from ledger_pipelines.integrations.neto_saasu.settings import SALE_ORDER, Numbering, OnEdit
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuInvoice

FLOW = "invoices"


@dataclass(frozen=True, slots=True)
class Paid:
    """Whether something was paid on an invoice, and how we know; None: the books have not been read since it was written."""

    paid: bool | None
    how: str = ""


def change_day(ctx: Context, order: SalesDocument) -> date:
    """The books' day of the order's last change, not before the order's own."""
    if order.changed is None:
        return order.day
    return max(order.day, business_date(order.changed, ctx.zone))


def revise(ctx: Context, order: SalesDocument, before: Written, credit_keys: tuple[str, ...]) -> Decision:
    """What follows for an order whose invoice is confirmed. credit_keys: keys of adjustment notes of earlier revisions."""
    return _Revising(ctx, order, before, credit_keys).decision()


@dataclass(frozen=True, slots=True)
class _Revising:
    ctx: Context
    order: SalesDocument
    before: Written
    credits: tuple[str, ...]

    # --- what there is ---------------------------------------------------------------------------------------------

    @property
    def known(self) -> Known:
        return self.before.known

    @property
    def booked(self) -> SaasuInvoice | None:
        return self.ctx.books.invoice_by_id.get(self.known.remote_id)

    @property
    def revision(self) -> int:
        return self.before.revision

    @property
    def name(self) -> str:
        """Of the invoice, for people."""
        return (self.booked.number if self.booked else "") or self.known.external_id or self.known.remote_id

    @property
    def is_sale_order(self) -> bool:
        """Whether the books hold a sale order, not an invoice."""
        if self.booked is not None and self.booked.status == "I":
            return False
        return self.before.body.get("InvoiceType") == SALE_ORDER

    @property
    def reported(self) -> bool:
        return self.ctx.settings.orders_to_saasu.on_edit is OnEdit.REPORT

    @property
    def is_credited(self) -> bool:
        """Whether a change is made by adjustment note."""
        return self.ctx.settings.orders_to_saasu.on_edit is OnEdit.CREDIT and not self.is_sale_order

    def paid(self) -> Paid:
        if self.before.body.get(FIELD):
            return Paid(True, "a payment went along with it")
        key = self.known.key
        for one in self.ctx.journal.known.values():
            if one.kind == "payment" and one.may_be_there and f'"{key}"' in one.body:
                return Paid(True, f"payment {one.external_id} was written on it")
        if self.booked is None:
            return Paid(None)
        if self.booked.paid:
            return Paid(True, f"{Money(self.booked.paid, self.booked.currency)} was paid on it")
        return Paid(False)

    # --- deciding --------------------------------------------------------------------------------------------------

    def decision(self) -> Decision:
        order, known = self.order, self.known
        if ("Sale", known.remote_id) in self.ctx.books.deleted:
            return self._deleted()
        if order.cancelled:
            return self._cancelled()
        laid = lay_out(self.ctx, order)
        if isinstance(laid, Reason):
            return self._without_layout(laid)
        contact = resolve(self.ctx, order)
        if contact.reason is not None:  # what is written stays; only a new invoice would need it
            contact = Contact(self.before.body.get("BillingContactId"))
        after = invoice_body(
            self.ctx, order, laid, contact, day=self._day(), revision=self.revision, fallback=self.is_fallback
        )
        found = differences(self.ctx, order, self.before, after, contact, laid, default_id(self.ctx))
        if not found:
            return self._unchanged()
        return self._edited(laid, after, contact, found)

    @property
    def is_fallback(self) -> bool:
        return was_fallback(self.before.body) and not self.before.converted

    def _day(self) -> date:
        """A repost keeps the day it was written on."""
        if not self.revision:
            return self.order.day
        return date.fromisoformat(str(self.before.body.get("TransactionDate")))

    def _decided(self, *rows: PlanRow, reason: Reason | None = None) -> Decision:
        total = self.before.total
        quick = quick_of(self.ctx, self.known, self.order.currency)
        return Decision(
            order=self.order,
            rows=rows,
            key=self.known.key,
            invoice=link(self.known.key),
            reason=reason,
            total=total,
            owed=total - quick.amount if total is not None and quick is not None else total,
            quick=quick,
            booked=self.booked,
            contact=self.before.body.get("BillingContactId"),
            credits=self.credits,
        )

    def _skip(self, reason: Reason) -> PlanRow:
        return self.ctx.skip(
            self.known.key, self.order.number, self._title("Invoice"), reason, self.before.total, INVOICE
        )

    def _blocked(self, reason: Reason) -> Decision:
        row = self.ctx.blocked(
            self.ctx.shown_key(INVOICE, self.order.key, reason, (self.name, self.order.number)),
            self.order.number,
            self._title("Invoice"),
            reason,
            self.before.total,
            INVOICE,
        )
        return self._decided(row, reason=row.reason)

    def _title(self, what: str) -> str:
        return f"{what} of order {self.order.number}, {self.order.party.title}"

    def _deleted(self) -> Decision:
        number = self.order.number
        if self.order.cancelled:
            reason = Reason(
                "cancelled-and-deleted", f"Order {number} was cancelled, and its invoice deleted in Saasu."
            )
            return replace(self._decided(self._skip(reason), reason=reason), invoice=None)
        reason = Reason(
            "deleted-in-saasu",
            f"The invoice {self.name} of order {number} was deleted in Saasu after it was written; it is not written again.",
            "Ignore the row if it should stay deleted, or enter the invoice in Saasu with this number and ignore the row.",
        )
        return replace(self._blocked(reason), invoice=None)

    def _without_layout(self, why: Reason) -> Decision:
        """What was written of it stands while the total is the same; otherwise the reason is part of the difference."""
        if self.before.total == self.order.grand_total:
            return self._unchanged()
        return self._blocked(self._difference([why.text], why.remedy))

    def _unchanged(self) -> Decision:
        convert = self._convert()
        there = self._skip(Reason("already-there", f"In Saasu already as {self.name}."))
        return self._decided(*([there] if convert is None else [convert]))

    # --- conversion ------------------------------------------------------------------------------------------------

    def _convert(self, *after: str) -> PlanRow | None:
        """A sale order that becomes an invoice. after: keys of changes that go first."""
        wanted = wanted_type(self.ctx, self.order)
        if not self.is_sale_order or wanted == SALE_ORDER:
            return None
        refused = self._refused_for_stock()
        if self.is_fallback and (refused or self._short()):
            return self._waits_for_stock()
        if refused:
            return self._stays(after)
        effect = self._effect(
            convert_key(self.ctx, self.order, self.revision),
            Action.UPDATE,
            {"InvoiceType": wanted},
            "Conversion",
            Expected(amount=self.before.total),
            depends_on=after,
        )
        text = f"Order {self.order.number} is {self.order.status}: its sale order becomes a {wanted}."
        return self.ctx.row(effect, Reason("convert", text))

    def _refused_for_stock(self) -> bool:
        """Whether Saasu refused the conversion for want of stock, and that is answered by a sale order."""
        known = self.ctx.journal.known.get(convert_key(self.ctx, self.order, self.revision))
        refused = known is not None and known.state is EffectState.REFUSED and known.code == NEGATIVE_STOCK
        return refused and self.ctx.settings.orders_to_saasu.retry_as_sale_order

    def _waits_for_stock(self) -> PlanRow:
        short = ", ".join(self._short()) or "an item of it"
        return self._skip(
            Reason(
                "waits-for-stock",
                f"Order {self.order.number} stays a sale order: Saasu has not enough of {short}.",
                "It becomes an invoice when there is stock and its day is planned again.",
            )
        )

    def _stays(self, after: tuple[str, ...]) -> PlanRow:
        """Notes on the sale order what it waits for, for people and for later plans: a refusal that no plan wants any more is
        not kept."""
        notes = (str(self.before.body.get("NotesInternal") or ""), FOR_WANT_OF_STOCK)
        effect = self._effect(
            update_key(self.ctx, self.order, self.revision, self.before.changes.following + len(after)),
            Action.UPDATE,
            {"NotesInternal": "\n".join(filter(None, notes))},
            "Note on sale order",
            Expected(amount=self.before.total),
            depends_on=after,
        )
        text = f"Order {self.order.number} stays a sale order: Saasu refused the invoice for want of stock."
        return self.ctx.row(effect, Reason("sale-order-for-stock", text))

    def _short(self) -> list[str]:
        """Codes of items of which the books have less than the invoice takes."""
        # All items were last read some time ago; one made since then is only among those that changed.
        held = {item.id: item for item in (*readable(self.ctx.books.items), *self.ctx.books.stock)}
        needed: dict[str, Decimal] = {}
        lines = with_ids(self.ctx, self.before.body.get("LineItems"))
        for line in lines if isinstance(lines, list) else []:
            if isinstance(line, dict) and "InventoryId" in line:
                item = str(line["InventoryId"])
                needed[item] = needed.get(item, Decimal(0)) + Decimal(str(line.get("Quantity") or 0))
        return [
            held[item].code
            for item, quantity in needed.items()
            if item in held and held[item].inventoried and (held[item].on_hand or Decimal(0)) < quantity
        ]

    # --- edited ----------------------------------------------------------------------------------------------------

    def _difference(self, found: list[str], remedy: str = "") -> Reason:
        return Reason(
            "order-edited",
            f"Order {self.order.number} was changed after its invoice {self.name} was written: {'; '.join(found)}.",
            remedy
            or "Correct the invoice in Saasu by hand and ignore the row, or choose orders_to_saasu.on_edit: "
            "update or credit.",
        )

    def _edited(self, laid: Layout, after: dict[str, Json], contact: Contact, found: list[str]) -> Decision:
        by_hand = self.booked is not None and self.booked.total == laid.total.amount
        if by_hand and self.before.total != laid.total:
            text = f"Order {self.order.number} was changed, and its invoice {self.name} in Saasu has the new total {laid.total}."
            corrected = self._decided(self._skip(Reason("corrected-there", text)))
            return replace(corrected, total=laid.total, owed=self._owed(laid.total))
        if self.reported:
            return self._blocked(self._difference(found))
        if self.is_credited:
            return self._reposted(laid, contact, found)
        return self._updated(laid, after, found)

    def _owed(self, total: Money) -> Money:
        quick = quick_of(self.ctx, self.known, self.order.currency)
        return total if quick is None else total - quick.amount

    def _updated(self, laid: Layout, after: dict[str, Json], found: list[str]) -> Decision:
        paid = self.paid()
        if paid.paid is not False:
            return self._not_now(paid, found)
        body = changed_fields(self.ctx, self.before.body, after)
        changes = self.before.changes
        key = changes.key(body, update_key(self.ctx, self.order, self.revision, changes.following))
        expected = Expected(amount=laid.total, day=self._day(), lines=len(laid.lines))
        effect = self._effect(key, Action.UPDATE, body, "Change of invoice", expected)
        row = self.ctx.row(effect, self._difference(found, "It is changed in Saasu."))
        convert = self._convert(key)
        decided = self._decided(row, *([] if convert is None else [convert]))
        return replace(decided, total=laid.total, owed=laid.total)

    def _not_now(self, paid: Paid, found: list[str]) -> Decision:
        if paid.paid is None:
            return self._blocked(
                self._difference(
                    found, "Nothing to do: it is changed when the invoice was read from Saasu once."
                )
            )
        remedy = (
            f"It is not changed by itself, for {paid.how}. Correct it in Saasu by hand and ignore the row."
        )
        return self._blocked(self._difference(found, remedy))

    def _reposted(self, laid: Layout, contact: Contact, found: list[str]) -> Decision:
        """Credited in full, and written anew under a reference of its own; the money stays where it was paid."""
        revision = self.revision + 1
        credit = self._credit(revision)
        if self.ctx.journal.is_ignored(credit.key):
            return self._set_aside(credit, laid, contact, found)
        key = invoice_key(self.ctx, self.order, revision)
        body = invoice_body(
            self.ctx, self.order, laid, contact, day=change_day(self.ctx, self.order), revision=revision
        )
        effect = self.ctx.effect(
            FLOW,
            INVOICE,
            key,
            external_id=invoice_reference(self.ctx, self.order, revision),
            number=self.order.number,
            title=self._title("New invoice"),
            body=body,
            expected=Expected(laid.total, change_day(self.ctx, self.order), len(laid.lines)),
            depends_on=(credit.key,),
            source=source_of(self.order),
        )
        reason = self._difference(found, "It is credited in full and written anew.")
        return Decision(
            order=self.order,
            rows=(self.ctx.row(credit, reason), self.ctx.row(effect, reason)),
            key=key,
            invoice=link(key),
            total=laid.total,
            owed=laid.total,
            contact=contact.value,
            credits=(*self.credits, credit.key),
        )

    def _set_aside(self, credit: Effect, laid: Layout, contact: Contact, found: list[str]) -> Decision:
        """A person said to ignore the adjustment note, and may have done by hand what it was for: it is not written for a later
        change either, which shows. The change it was made for does not."""
        reason = self._difference(
            found, f"The adjustment note of an earlier change was ignored. {self._by_hand}"
        )
        meant = self.ctx.journal.known.get(invoice_key(self.ctx, self.order, self.revision + 1))
        if meant is not None and self.ctx.journal.is_ignored(meant.key):
            was = Written(meant, self.revision + 1, meant.fields(), Changes((), (), 1), meant.amount, False)
            day = date.fromisoformat(str(was.body.get("TransactionDate")))
            now = invoice_body(self.ctx, self.order, laid, contact, day=day, revision=was.revision)
            if not differences(self.ctx, self.order, was, now, contact, laid, default_id(self.ctx)):
                row = self.ctx.row(credit, reason)
                return self._decided(row, reason=row.reason)
        return self._blocked(reason)

    @property
    def _by_hand(self) -> str:
        return (
            "Correct the invoice in Saasu by hand and ignore the row, or let it be credited: "
            f"`ledger-pipelines retry {self.order.number}`."
        )

    def _credit(self, revision: int) -> Effect:
        before, reference = self.before.body, credit_reference(self.ctx, self.order, revision)
        day = change_day(self.ctx, self.order)
        own_number = self.ctx.settings.orders_to_saasu.numbering is Numbering.ORDER
        lines = credited(before)
        body: dict[str, Json] = {
            "TransactionType": "S",
            "Layout": before.get("Layout"),
            "InvoiceType": ADJUSTMENT,
            "TransactionDate": day.isoformat(),
            "DueDate": day.isoformat(),
            "InvoiceNumber": reference if own_number else AUTO_NUMBER,
            "PurchaseOrderNumber": reference,
            "Summary": f"Takes back invoice of order {self.order.number}",
            "BillingContactId": before.get("BillingContactId"),
            "ShippingContactId": before.get("ShippingContactId"),
            "Currency": before.get("Currency"),
            "IsTaxInc": before.get("IsTaxInc"),
            "AutoPopulateFxRate": before.get("AutoPopulateFxRate"),
            "LineItems": lines,
        }
        if before.get("Tags"):
            body["Tags"] = before["Tags"]
        return self.ctx.effect(
            FLOW,
            INVOICE,
            credit_key(self.ctx, self.order, revision),
            external_id=reference,
            number=self.order.number,
            title=self._title("Adjustment note"),
            body=body,
            expected=Expected(self.before.total, day, len(lines)),
            depends_on=(self.known.key,),
            source=source_of(self.order),
        )

    # --- cancelled -------------------------------------------------------------------------------------------------

    def _cancelled(self) -> Decision:
        if self.reported:
            return self._blocked(
                self._cancellation(
                    "Delete or credit the invoice in Saasu and ignore the row, or choose orders_to_saasu.on_edit: "
                    "update or credit."
                )
            )
        if self.is_credited:
            credit = self._credit(self.revision + 1)
            if self.ctx.journal.is_ignored(credit.key):
                return self._blocked(self._cancellation(f"Its adjustment note was ignored. {self._by_hand}"))
            row = self.ctx.row(credit, self._cancellation("It is credited in full."))
            decided = self._decided(row, reason=self._cancellation(""))
            return replace(decided, credits=(*self.credits, credit.key))
        paid = self.paid()
        if paid.paid:
            return self._blocked(
                self._cancellation(
                    f"It is not deleted, for {paid.how}. Give the money back by a return (RMA), or correct it in Saasu by "
                    "hand and ignore the row."
                )
            )
        if paid.paid is None:
            return self._blocked(
                self._cancellation("Nothing to do: it is deleted when the invoice was read from Saasu once.")
            )
        key = void_key(self.ctx, self.order, self.revision + 1)
        effect = self._effect(key, Action.VOID, {}, "Deletion of invoice", Expected())
        row = self.ctx.row(effect, self._cancellation("It is deleted in Saasu."))
        return replace(self._decided(row, reason=self._cancellation("")), invoice=None)

    def _cancellation(self, remedy: str) -> Reason:
        return Reason(
            "cancelled-after-export",
            f"Order {self.order.number} was cancelled after its invoice {self.name} was written.",
            remedy,
        )

    def _effect(
        self,
        key: str,
        action: Action,
        body: dict[str, Json],
        what: str,
        expected: Expected,
        depends_on: tuple[str, ...] = (),
    ) -> Effect:
        return self.ctx.effect(
            FLOW,
            INVOICE,
            key,
            external_id=invoice_reference(self.ctx, self.order, self.revision),
            number=self.order.number,
            title=self._title(what),
            body=body,
            action=action,
            expected=expected,
            target_id=f"{LINK}:{self.known.key}",
            depends_on=depends_on,
            source=source_of(self.order),
        )
