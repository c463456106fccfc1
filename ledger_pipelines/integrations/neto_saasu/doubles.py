"""Documents of ours that the file has twice: found in what was read anyway, listed, and never touched.

Belongs here: what counts as twice, and the words. Does not belong here: deleting or merging anything (a person does), showing
(`reports.shop_reconciliation`, `cli`), totals that differ for it (`compare_documents`, `compare_money`).

Saasu has no key against a request that comes twice (saasu.md 0.1, 11): a proxy that sends one again, or a lost answer with a gateway's
own retry, leaves two documents under one reference, of which the journal knows one. Invoice numbers of ours and item codes are unique
there; invoices that Saasu numbers, adjustment notes, part payments, journals and contacts are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.compare import Links, address
from ledger_pipelines.integrations.neto_saasu.contacts import AGGREGATE, CONTACT
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.selection import QUOTE
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.integrations.shop import several
from ledger_pipelines.reports.shop_view import Copy, Twice
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.systems.saasu.records import SaasuContact, SaasuInvoice, SaasuPayment

T = TypeVar("T", SaasuInvoice, SaasuPayment)
CODE: Final = "there-twice"
INVOICE, NOTE, PAYMENT, JOURNAL = "Invoice", "Adjustment note", "Payment", "Journal"
PERSON: Final = "Contact"
FLOW_OF: Final = {
    INVOICE: "invoices",
    NOTE: "invoices",
    PAYMENT: "payments",
    JOURNAL: "payments",
    PERSON: "contacts",
}
_REMEDY: Final = {
    INVOICE: "Open both in Saasu. They are one order: keep the one with its payments, and delete {others}, payments on it first.",
    NOTE: "Open both in Saasu. They are one credit: keep one, and delete {others}, payments on it first.",
    PAYMENT: "Open both in Saasu. The store has one such payment: keep one, and delete {others}.",
    JOURNAL: "Open both in Saasu. The store has one such payment: keep one, and delete {others}.",
    PERSON: "Open both in Saasu. Move what stands on {others} to {ours}, then delete {others} or make it inactive; look for its company, "
    "too.",
}  # fmt: skip


def doubles(ctx: Context, links: Links | None = None) -> tuple[Twice, ...]:
    """All of the file, whatever their day, but those a user said to ignore; by kind and reference."""
    at = links or Links()
    found = [*_sales(ctx, at), *_payments(ctx, at), *_journals(ctx), *_contacts(ctx)]
    return tuple(one for one in found if one.key not in ctx.journal.ignored)


def open_item(one: Twice) -> OpenItem:
    """As one of those that are not resolved."""
    amount, reason = one.copies[0].amount, Reason(CODE, one.text, one.remedy)
    return OpenItem(
        one.key, FLOW_OF[one.what], "", one.reference, f"{one.what} {one.reference}", "double", reason.code, reason.text,
        reason.remedy, None if amount is None else Money(amount, one.currency),
    )  # fmt: skip


class _Ours:
    """What the journal has, or may have, in the file, by reference; read only when something is there twice."""

    def __init__(self, ctx: Context, kinds: Iterable[str]) -> None:
        self._kinds = frozenset(kinds)
        self._known: Mapping[str, Known] = ctx.journal.known
        self._by_reference: dict[str, Known] | None = None

    def of(self, reference: str) -> Known | None:
        """The effect that made a record with that reference (folded); None = none of ours did."""
        if self._by_reference is None:
            self._by_reference = {}
            for known in self._known.values():
                if known.kind in self._kinds and known.action is Action.CREATE and known.may_be_there:
                    for name in _names(known):
                        self._by_reference.setdefault(name, known)
        return self._by_reference.get(reference)


def _names(known: Known) -> Iterator[str]:
    """References under which an effect's records stand; an invoice may bring its payment along."""
    yield folded(known.external_id)
    if known.kind == "invoice" and '"QuickPayment"' in known.body:
        quick = known.fields().get("QuickPayment")
        if isinstance(quick, dict):
            yield folded(str(quick.get("Reference") or ""))


def _repeated(groups: Mapping[str, tuple[T, ...]]) -> Iterator[tuple[str, list[T]]]:
    """References with several records of one sign: what takes another back is none."""
    for reference, records in several(groups):
        for negative in (False, True):
            some = [one for one in records if (_amount(one) < ZERO) is negative]
            if len(some) > 1:
                yield reference, some


def _amount(record: SaasuInvoice | SaasuPayment) -> Decimal:
    return record.total if isinstance(record, SaasuInvoice) else record.amount


def _sales(ctx: Context, links: Links) -> Iterator[Twice]:
    ours = _Ours(ctx, ("invoice",))
    for reference, records in _repeated(ctx.books.invoices_by_purchase_order):
        sales = [one for one in records if one.status != QUOTE]
        known = ours.of(reference) if len(sales) > 1 else None
        if known is None:
            continue
        what = NOTE if sales[0].total < ZERO else INVOICE
        copies = [
            Copy(one.id, one.number, one.day, one.total, one.id == known.remote_id, address(links.invoice, one.id))
            for one in sales
        ]  # fmt: skip
        yield _twice(ctx, what, sales[0].purchase_order, copies, sales[0].currency)


def _payments(ctx: Context, links: Links) -> Iterator[Twice]:
    ours = _Ours(ctx, ("payment", "invoice"))
    groups = ctx.books.payments_by_reference
    for reference, records in _repeated(groups):
        known = ours.of(reference)
        # Somebody may have taken the second one back with a third, under the same reference.
        whole = sum((one.amount for one in groups[reference]), ZERO)
        if known is None or whole == records[0].amount:
            continue
        made = known.remote_id if known.kind == "payment" else ""
        copies = [
            Copy(one.id, "", one.day, one.amount, one.id == made, address(links.payment, one.id)) for one in records
        ]  # fmt: skip
        yield _twice(ctx, PAYMENT, records[0].reference, copies, records[0].currency)


def _journals(ctx: Context) -> Iterator[Twice]:
    """Their list tells no amount: that of ours is what we asked for."""
    ours = _Ours(ctx, ("journal",))
    for reference, records in several(ctx.books.journals_by_reference):
        known = ours.of(reference)
        if known is None:
            continue
        amount = None if known.amount is None else known.amount.amount
        copies = [
            Copy(
                one.id, "", one.day, amount if one.id == known.remote_id else None, one.id == known.remote_id
            )
            for one in records
        ]
        yield _twice(ctx, JOURNAL, records[0].reference, copies, ctx.books.currency)


def _contacts(ctx: Context) -> Iterator[Twice]:
    """One that was made inactive is out of the way."""
    ours = _Ours(ctx, (CONTACT, AGGREGATE))
    for reference, records in several(ctx.books.contacts_by_reference):
        active = [one for one in records if one.active]
        known = ours.of(reference) if len(active) > 1 else None
        if known is not None:
            copies = [Copy(one.id, _name(one), ours=one.id == known.remote_id) for one in active]
            yield _twice(ctx, PERSON, active[0].reference, copies, ctx.books.currency)


def _name(contact: SaasuContact) -> str:
    return f"{contact.given} {contact.family}".strip()


def _twice(ctx: Context, what: str, reference: str, copies: Sequence[Copy], currency: str) -> Twice:
    first, *others = sorted(copies, key=lambda one: not one.ours)
    shown = " and ".join(_shown(one, currency) for one in (first, *others))
    known = "" if first.ours else " The journal does not tell which of them it is."
    remedy = _REMEDY[what].format(ours=first.id, others=" and ".join(one.id for one in others))
    return Twice(
        key=ctx.key("double", ",".join(sorted(one.id for one in copies)), what),
        what=what,
        reference=reference.strip(),
        currency=currency,
        copies=(first, *others),
        text=f"Saasu has {len(copies)} records of {reference.strip()}: {shown}.{known}",
        remedy=f"{remedy} If both are right, ignore this row.",
    )


def _shown(one: Copy, currency: str) -> str:
    parts = [
        one.number,
        "" if one.day is None else one.day.isoformat(),
        "" if one.amount is None else f"{one.amount} {currency}",
        "ours by the journal" if one.ours else "",
    ]
    more = ", ".join(part for part in parts if part)
    return f"{one.id} ({more})" if more else one.id
