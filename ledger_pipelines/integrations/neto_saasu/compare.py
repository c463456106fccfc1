"""What both comparisons look things up in: rows of plans, the journal's effects, documents of the file by order.

Belongs here: indexes in memory, which orders belong in the file at all. Does not belong here: comparing (`compare_money`,
`compare_documents`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import IGNORED, Known
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.adjustment_notes import ACCOUNTS, WHOLE
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.invoice_body import NEGATIVE_STOCK
from ledger_pipelines.integrations.neto_saasu.refunds import note_key
from ledger_pipelines.integrations.neto_saasu.selection import QUOTE, select
from ledger_pipelines.reports.shop_view import Why
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.saasu.records import SaasuInvoice

BY_OTHERS_CODE = "paid-already"
_THERE = frozenset({"already-there", "already-booked", "in-invoice", "paid-with-invoice"})
"""Codes of rows that write nothing because it is done: they explain no absence."""
INVOICE_KINDS = frozenset({"invoice"})
MONEY_KINDS = frozenset({"payment", "journal"})
CANCELLED, TOO_OLD = "the order is cancelled", "the order is from before the start date"
_DELETED = {"invoice": "Sale", "payment": "SalePayment", "journal": "Journal"}
_SKIPPED = {IGNORED: Why.IGNORED, BY_OTHERS_CODE: Why.BY_OTHERS}
_OURS = re.compile(r"(neto-(?:pay|refund)-[^-]+)(?:-.*)?")
_SUFFIX = re.compile(r"(.+)-((?:r|c)\d+|rma.+)")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of records with `{id}` in them; "" = not known. order: of the store; invoice, payment: of the file."""

    order: str = ""
    invoice: str = ""
    payment: str = ""


def address(form: str, key: str) -> str:
    """The address of one record, "" where the form or the key is not known."""
    return form.replace("{id}", key) if form and key else ""


@dataclass(frozen=True, slots=True)
class Because:
    """Why something is as it is, and the one thing to do."""

    why: Why
    text: str
    remedy: str = ""


def movement(reference: str, prefix: str) -> str | None:
    """Which payment of the store a reference of the file is about, folded; None = it is not ours.

    `NETO-PAY-5501`, `NETO-PAY-5501-OVER` and other parts of one payment are about `neto-pay-5501`.
    """
    text, start = folded(reference), prefix.casefold()
    if not text.startswith(start):
        return None
    found = _OURS.fullmatch(text[len(start) :])
    return None if found is None else found.group(1)


def standing(ctx: Context, order: SalesDocument) -> str:
    """Why the order is not to be in the file, in words that many orders share; "" = it is."""
    if not ctx.settings.orders_to_saasu.enabled:
        return "orders are not exported: orders_to_saasu is off"
    if order.cancelled:
        return CANCELLED
    reason = select(ctx, order)
    if reason is None:
        return ""
    if reason.code == "status-not-exported":
        return f"the order has status {order.status}, which is not exported"
    return _NOT_THERE.get(reason.code, reason.code.replace("-", " "))


_NOT_THERE = {
    "quote": "a quote, no order yet",
    "not-a-test-order": "the order is none of the test orders",
    "before-first-day": TOO_OLD,
}


def becomes_sale_order(ctx: Context, known: Known) -> bool:
    """Whether a new invoice was refused for want of stock, and the next plan writes a sale order instead."""
    new = known.kind == "invoice" and known.action is Action.CREATE
    refused = known.state is EffectState.REFUSED and known.code == NEGATIVE_STOCK
    return new and refused and ctx.settings.orders_to_saasu.retry_as_sale_order


class Rows:
    """Rows of plans by key and by number; of two with one key the last counts."""

    def __init__(self, planned: Iterable[PlanRow]) -> None:
        self.by_key: dict[str, PlanRow] = {row.key: row for row in planned}

    @cached_property
    def by_number(self) -> Mapping[str, tuple[PlanRow, ...]]:
        """Rows by the number people know, folded."""
        found: dict[str, list[PlanRow]] = {}
        for row in self.by_key.values():
            found.setdefault(folded(row.number), []).append(row)
        return {number: tuple(rows) for number, rows in found.items()}

    def about(self, number: str, kinds: frozenset[str]) -> list[PlanRow]:
        """Rows about that number of these kinds."""
        return [row for row in self.by_number.get(folded(number), ()) if row.kind in kinds]

    def of(self, keys: Iterable[str]) -> list[PlanRow]:
        """Rows with these keys, in their order."""
        return [self.by_key[key] for key in keys if key in self.by_key]

    def blocked(self) -> list[PlanRow]:
        """All that wait for a person."""
        return [row for row in self.by_key.values() if row.action is Action.BLOCKED]


class Effects:
    """The journal's effects by what they are about: the movements of a payment, the reference of an invoice."""

    def __init__(self, ctx: Context) -> None:
        self._prefix = ctx.settings.orders_to_saasu.prefix
        self.of_movement: dict[str, list[Known]] = {}
        self.of_invoice: dict[str, list[Known]] = {}
        self.invoice_by_id: dict[str, Known] = {}
        for known in ctx.journal.known.values():
            if known.kind == "invoice":
                self._invoice(known)
            elif known.kind in MONEY_KINDS:
                self._movement(known.external_id, known)

    def _invoice(self, known: Known) -> None:
        self.of_invoice.setdefault(folded(known.external_id), []).append(known)
        if known.state is EffectState.CONFIRMED and known.remote_id:
            self.invoice_by_id.setdefault(known.remote_id, known)
        if '"QuickPayment"' in known.body:
            self._movement(self.money_reference(known), known)

    def money_reference(self, known: Known) -> str:
        """Reference of the money an effect brings, folded: of an invoice, that of the payment inside."""
        if known.kind != "invoice":
            return folded(known.external_id)
        quick = known.fields().get("QuickPayment")
        return folded(str(quick.get("Reference") or "")) if isinstance(quick, dict) else ""

    def _movement(self, reference: str, known: Known) -> None:
        about = movement(reference, self._prefix)
        if about is not None:
            self.of_movement.setdefault(about, []).append(known)


@dataclass(frozen=True, slots=True)
class Paper:
    """A sale of the file that answers to an order. suffix: which of its documents (`R1`, `C1`, `RMA77`), "" = the first."""

    invoice: SaasuInvoice
    order: str
    suffix: str
    known: Known | None

    @property
    def of_return(self) -> bool:
        """Whether it is a return's adjustment note."""
        return self.suffix.startswith("rma")


class Papers:
    """The file's sales by the order they answer to; and those of ours that answer to none."""

    def __init__(self, ctx: Context, effects: Effects) -> None:
        self.by_order: dict[str, list[Paper]] = {}
        self.strays: list[Paper] = []
        self._orders = {folded(number): number for number in ctx.shop.orders}
        self._prefix = ctx.settings.orders_to_saasu.prefix.casefold()
        for invoice in ctx.books.invoices:
            if ("Sale", invoice.id) in ctx.books.deleted or invoice.status == QUOTE:
                continue
            self._place(invoice, effects.invoice_by_id.get(invoice.id))

    def _place(self, invoice: SaasuInvoice, known: Known | None) -> None:
        ours = [known.external_id] if known is not None else []
        for reference in (*ours, invoice.purchase_order, invoice.number):
            number, suffix = self.order_of(reference)
            if number in self._orders:
                paper = Paper(invoice, self._orders[number], suffix, known)
                self.by_order.setdefault(paper.order, []).append(paper)
                return
        if known is not None:
            number, suffix = self.order_of(known.external_id)
            self.strays.append(Paper(invoice, number or folded(known.external_id), suffix, known))
        elif self._prefix and folded(invoice.purchase_order).startswith(self._prefix):
            number, suffix = self.order_of(invoice.purchase_order)
            self.strays.append(Paper(invoice, number, suffix, None))

    def order_of(self, reference: str) -> tuple[str, str]:
        """Order number and suffix in a reference of ours, folded; ("", "") where the prefix is not ours."""
        text = folded(reference)
        if not text or not text.startswith(self._prefix):
            return "", ""
        text = text[len(self._prefix) :]
        if text in self._orders:
            return text, ""
        found = _SUFFIX.fullmatch(text)
        return (found.group(1), found.group(2)) if found else (text, "")

    def sales(self, number: str) -> list[Paper]:
        """The sales of an order and what was credited and posted anew, without its returns."""
        return [paper for paper in self.by_order.get(number, ()) if not paper.of_return]

    def returned(self, number: str, rma: str) -> list[Paper]:
        """The adjustment notes of a return."""
        wanted = {folded(f"rma{rma}{part}") for part in (WHOLE, ACCOUNTS)}
        return [paper for paper in self.by_order.get(number, ()) if paper.suffix in wanted]

    def total(self, number: str) -> Decimal:
        """What the sales of an order come to, credits off."""
        return sum((paper.invoice.total for paper in self.sales(number)), ZERO)

    def paid(self, number: str) -> Decimal:
        """What is paid of them."""
        return sum((paper.invoice.paid for paper in self.sales(number)), ZERO)

    def owed(self, number: str) -> Decimal:
        """What is owed of them."""
        return sum((paper.invoice.owed for paper in self.sales(number)), ZERO)


class Explainer:
    """Why something of the store is not in the file: what the journal knows first, then the plans, then the settings."""

    def __init__(
        self, ctx: Context, rows: Rows, effects: Effects, calls_left: int | None, *, writes: bool
    ) -> None:
        self._ctx, self._rows, self._effects, self._calls_left = ctx, rows, effects, calls_left
        self._writes = writes
        self._notes = {key for rma in ctx.shop.returns.values() for key in _note_keys(ctx, rma)}

    def invoice(self, number: str, reference: str) -> Because:
        """Why an order's invoice is not in the file."""
        because = self.of_effects(self._effects.of_invoice.get(folded(reference), ()))
        others = [row for row in self._rows.by_number.get(folded(number), ()) if row.kind not in MONEY_KINDS]
        return (
            because
            or self.changes(number)
            or self.of_rows(row for row in others if row.key not in self._notes)
            or self._nobody_knows(f"Order {number}", "invoices")
        )

    def changes(self, number: str) -> Because | None:
        """What the plans say of an order's invoice; None = nothing."""
        rows = self._rows.about(number, INVOICE_KINDS)
        return self.of_rows(row for row in rows if row.key not in self._notes)

    def note(self, rma: SalesDocument, reference: str) -> Because:
        """Why a return's adjustment note is not in the file."""
        because = self.of_effects(self._effects.of_invoice.get(folded(reference), ()))
        rows = self._rows.of(_note_keys(self._ctx, rma))
        return because or self.of_rows(rows) or self._nobody_knows(f"Return {rma.number}", "refunds")

    def movement(
        self, about: str, number: str, keys: Collection[str], present: Collection[str] = ()
    ) -> Because | None:
        """Why a payment, or a part of it, is not in the file; None where neither the journal nor a plan tells.

        Args:
            about: Which payment, as `movement` tells it.
            number: Of its order.
            keys: Of the effects that would book it.
            present: References of its parts that are there, folded.
        """
        if any(self._ctx.journal.is_ignored(key) for key in keys):
            return Because(Why.IGNORED, "A user said to leave it out.")
        effects = self._effects.of_movement.get(about, ())
        absent = [one for one in effects if self._effects.money_reference(one) not in present]
        because = self.of_effects(absent)
        if because is not None:
            return because
        parts = [row for row in self._rows.about(number, MONEY_KINDS) if _is_part(row, about)]
        return self.of_rows([*self._rows.of(keys), *parts])

    def of_effects(self, effects: Iterable[Known]) -> Because | None:
        """What the journal's knowledge of some effects explains."""
        for known in effects:
            if self._ctx.journal.is_ignored(known.key):
                return Because(Why.IGNORED, "A user said to leave it out.")
        for known in effects:
            because = self._of_effect(known)
            if because is not None:
                return because
        return None

    def _of_effect(self, known: Known) -> Because | None:
        state = known.state
        if state is EffectState.CONFIRMED:
            return self._gone(known)
        if state is EffectState.HELD:
            return Because(Why.BLOCKED, known.text or "It is held.", known.remedy)
        if becomes_sale_order(self._ctx, known):
            return self._coming(f"{known.text} It is written as a sale order instead.")
        if state is EffectState.REFUSED:
            return Because(Why.REFUSED, known.text or "Saasu refused it.", known.remedy)
        if state in (EffectState.SENT, EffectState.UNKNOWN):
            return Because(Why.IN_DOUBT, known.text or "The outcome of the call is not known yet.",
                           "The next run looks for it; nothing to do.")  # fmt: skip
        return self._coming("Approved, and not written yet.")

    def _gone(self, known: Known) -> Because | None:
        books = self._ctx.books
        name = known.number or known.remote_id
        if (_DELETED.get(known.kind, ""), known.remote_id) in books.deleted:
            return Because(Why.DELETED, f"It was written as {name} and was deleted in Saasu since.",
                           "Ignore it if that was meant; else book it again by hand.")  # fmt: skip
        if books.read_at is None or known.confirmed_at is None or known.confirmed_at >= books.read_at:
            return Because(Why.NOT_READ, f"Written as {name}; Saasu was not read since.",
                           "The next reading ends it; nothing to do.")  # fmt: skip
        return Because(Why.DELETED, f"It was written as {name}, and Saasu has it no more under our reference.",
                       "Look at it in Saasu: restore the reference, or ignore it if that was meant.")  # fmt: skip

    def of_rows(self, rows: Iterable[PlanRow]) -> Because | None:
        """What rows of plans explain: what is blocked first, then what will be written, then what a person or a rule left."""
        some = [row for row in rows if row.reason.code not in _THERE]
        for row in some:
            if row.action is Action.BLOCKED:
                return Because(Why.BLOCKED, row.reason.text, row.reason.remedy)
        for row in some:
            if row.effect is not None:
                return self._coming(row.reason.text)
        for row in some:
            return Because(
                _SKIPPED.get(row.reason.code, Why.NOT_EXPORTED), row.reason.text, row.reason.remedy
            )
        return None

    def _coming(self, text: str) -> Because:
        if self._calls_left == 0:
            return Because(Why.WAITS_FOR_QUOTA, f"{text} Today's calls to Saasu are used up.",
                           "Nothing to do: the rest is written when the day's calls are counted anew.")  # fmt: skip
        if not self._writes:
            return Because(Why.NOT_EXPORTED, f"{text} Mode is plan: nothing is written.",
                           "Set mode to live when the plans are as you want them.")  # fmt: skip
        return Because(Why.NOT_EXPORTED, text, "The next run writes it; nothing to do.")

    def _nobody_knows(self, what: str, flow: str) -> Because:
        return Because(Why.NOT_EXPORTED, f"{what} was in no plan that was looked at.",
                       f"Run the plan of {flow} for its day.")  # fmt: skip


def _note_keys(ctx: Context, rma: SalesDocument) -> tuple[str, ...]:
    """Of all rows about a return's adjustment notes."""
    changed = ctx.key("invoice", rma.key, "rma changed")
    return (note_key(ctx, rma.key, WHOLE), note_key(ctx, rma.key, ACCOUNTS), changed)


def _is_part(row: PlanRow, about: str) -> bool:
    """Whether a row would write a part of that payment, or of no other."""
    return row.effect is not None and about in folded(row.effect.external_id).split("-over")[0]
