"""Looking up what became of a write: by our reference, in the lists; by id for changes and deletions.

Belongs here: which list is asked, which of its rows is ours. Does not belong here: what follows (`sync`), sending (`writer`).
Facts: saasu.md 5, 7 (recipes), 11.5: whether the lists' filters match a whole value or a part of one, and whether case
counts, is not said; so every row is compared here, exactly and with its case, outer blanks apart.

Calls: a sale, contact, company or item one each; payments one each invoice; journals, and payments whose invoice has no id yet,
one each stretch of days; a change or deletion one each. More where a list has more than 100 rows that fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from ledger_pipelines.documents.effects import LINK, Action, Effect, Remote
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.errors import UnknownOutcomeError
from ledger_pipelines.systems.fields import business_day
from ledger_pipelines.systems.saasu import records
from ledger_pipelines.systems.saasu.client import SaasuClient, SaasuRefusedError
from ledger_pipelines.systems.saasu.endings import GONE, code_of
from ledger_pipelines.systems.saasu.entities import ENTITIES

PATHS: Final = {
    "company": "/Company",
    "contact": "/Contact",
    "contactAggregate": "/ContactAggregate",
    "item": "/Item",
    "invoice": "/Invoice",
    "payment": "/Payment",
    "journal": "/Journal",
}
"""Kind of effect -> path of its single record."""

AUTO_NUMBER: Final = "<auto number>"
MOST_PAGES: Final = 40
"""Pages of a search that finds so much are not read to the end: the filter was not heeded, and nothing is learnt."""
_AROUND = timedelta(days=1)
_NEAR = timedelta(days=7)
_NOT_COMPARED = frozenset(
    {
        "LastUpdatedId",
        "QuickPayment",
        "AutoPopulateFxRate",
        "SendEmailToContact",
        "EmailMessage",
        "TotalAmount",
    }
)
"""Fields that are written only, or that Saasu works out by itself."""
_NO_NUMBER = "(none)"


class Probe:
    """Look-ups of one file."""

    def __init__(self, client: SaasuClient) -> None:
        self._client = client
        self._by_reference: Mapping[str, Callable[[Effect], Remote | None]] = {
            "company": self._company,
            "contact": self._contact,
            "contactAggregate": self._contact,
            "item": self._item,
            "invoice": self._invoice,
        }

    def find(self, effects: Sequence[Effect]) -> dict[str, Remote]:
        """What the file holds, by effect key; absent = not found.

        CREATE: the record under our reference; one that only looks like ours comes with its own reference, so that it is
        held as a difference. UPDATE: the record when it already says what the body wants. VOID: its id when it is gone.

        Raises:
            TransientError, CredentialError, SaasuRefusedError, DataError, UnknownOutcomeError: nothing is learnt.
        """
        found: dict[str, Remote] = {}
        dated: dict[str, list[Effect]] = {"payment": [], "journal": []}
        for effect in effects:
            if effect.action is not Action.CREATE:
                self._keep(found, effect, self._changed(effect))
            elif effect.kind in dated:
                dated[effect.kind].append(effect)
            elif effect.kind in self._by_reference:
                if not effect.external_id:
                    raise UnknownOutcomeError(
                        f"{effect.number}: without a reference it cannot be looked for in Saasu."
                    )
                self._keep(found, effect, self._by_reference[effect.kind](effect))
        if dated["payment"]:
            found |= self._payments(dated["payment"])
        if dated["journal"]:
            found |= self._journals(dated["journal"])
        return found

    @staticmethod
    def _keep(found: dict[str, Remote], effect: Effect, remote: Remote | None) -> None:
        if remote is not None:
            found[effect.key] = remote

    # --- by reference ------------------------------------------------------------------------------------------------

    def _company(self, effect: Effect) -> Remote | None:
        """Names are compared without regard to case; of several the lowest id."""
        name = effect.external_id.strip()
        rows = self._rows("companies", CompanyName=name)
        same = [one for one in map(records.company, rows) if one.name.strip().casefold() == name.casefold()]
        best = min(same, key=lambda one: _place(one.id), default=None)
        return None if best is None else Remote(best.id, effect.external_id, best.name)

    def _contact(self, effect: Effect) -> Remote | None:
        """Contact ids are not unique: the lowest active id, else the lowest."""
        wanted = effect.external_id.strip()
        rows = self._rows("contacts", ContactId=wanted)
        same = [one for one in map(records.contact, rows) if one.reference.strip() == wanted]
        best = min(same, key=lambda one: (not one.active, _place(one.id)), default=None)
        return None if best is None else Remote(best.id, best.reference.strip())

    def _item(self, effect: Effect) -> Remote | None:
        """Codes are unique, perhaps whatever the case: one that differs by case only is told, as a difference."""
        wanted = effect.external_id.strip()
        near: Remote | None = None
        for row in self._rows("items", SearchMethod="StartsWith", SearchText=wanted[:128]):
            one = records.item(row)
            code = one.code.strip()
            if code == wanted:
                return Remote(one.id, code, code)
            if code.casefold() == wanted.casefold():
                near = near or Remote(one.id, code, code)
        return near

    def _invoice(self, effect: Effect) -> Remote | None:
        """By its number, where we gave it one, then by the purchase-order number that holds our reference."""
        wanted = effect.external_id.strip()
        number = _text(_body(effect), "InvoiceNumber")
        own = "" if number.casefold() == AUTO_NUMBER else number
        if own:
            for row in self._rows("invoices", InvoiceNumber=own):
                if records.invoice(row).number.strip() == own:
                    return _invoice_remote(row)
        rows = self._rows("invoices", PurchaseOrderNumber=wanted)
        ours = [row for row in rows if records.invoice(row).purchase_order.strip() == wanted]
        best = min(ours, key=lambda row: _place(records.invoice(row).id), default=None)
        return None if best is None else _invoice_remote(best)

    def _payments(self, effects: Sequence[Effect]) -> dict[str, Remote]:
        """By the invoices they were made on; by their days where an invoice has no id yet."""
        found: dict[str, Remote] = {}
        parts = {effect.key: _invoices_of(_body(effect)) for effect in effects}
        by_invoice = {
            invoice: {records.payment(row).id: row for row in self._of_invoice(invoice)}
            for invoice in dict.fromkeys(invoice for some in parts.values() for invoice in some)
        }
        for effect in effects:
            rows = [by_invoice[invoice] for invoice in parts[effect.key]]
            ours = _referring((row for some in rows for row in some.values()), effect)
            if ours is not None:
                # of a list for one invoice the total is the part paid on that invoice (saasu.md 5.9)
                amount = sum(
                    (records.payment(some[ours.id]).amount for some in rows if ours.id in some), ZERO
                )
                found[effect.key] = _payment_remote(ours, amount)
        loose = [effect for effect in effects if not parts[effect.key]]
        for effects_near, first, last in _stretches(loose):
            bounds = {"PaymentFromDate": first.isoformat(), "PaymentToDate": last.isoformat()}
            held = list(self._rows("payments", **bounds))
            for effect in effects_near:
                ours = _referring(held, effect)
                if ours is not None:
                    found[effect.key] = _payment_remote(ours, ours.amount)
        return found

    def _of_invoice(self, invoice: str) -> Iterator[records.Record]:
        try:
            yield from self._rows("payments", ForInvoiceId=invoice)
        except SaasuRefusedError as error:
            if not is_gone(error):
                raise

    def _journals(self, effects: Sequence[Effect]) -> dict[str, Remote]:
        """By their days; a list of journals tells no amounts."""
        found: dict[str, Remote] = {}
        for effects_near, first, last in _stretches(effects):
            rows = self._rows("journals", FromDate=first.isoformat(), ToDate=last.isoformat())
            held = [records.journal(row) for row in rows]
            for effect in effects_near:
                wanted = effect.external_id.strip()
                same = [one for one in held if one.reference.strip() == wanted]
                best = min(same, key=lambda one: _place(one.id), default=None)
                if best is not None:
                    found[effect.key] = Remote(best.id, wanted, best.reference, day=best.day)
        return found

    def _rows(self, entity: str, **filters: str) -> Iterator[records.Record]:
        """Every row of a list, page by page, as far as they are wanted."""
        asked = ENTITIES[entity]
        for number in range(1, MOST_PAGES + 1):
            page = self._client.page(asked.path, asked.array, number, **{**dict(asked.asked), **filters})
            yield from page.rows
            if not page.more:
                return
        raise UnknownOutcomeError(
            f"Saasu connection {self._client.connection.name!r}: a search of {asked.path} finds more than "
            f"{MOST_PAGES * 100:,} records; nothing is learnt from it.",
            remedy="Look for the record in Saasu, and adopt it by its id or vouch that it is not there.",
        )

    # --- by id -------------------------------------------------------------------------------------------------------

    def record(self, kind: str, record_id: str) -> records.Record | None:
        """A record by its id; None when it is gone: 404, 400 (an item), or no object (an invoice) (saasu.md 3.1, 5.8).

        Raises:
            TransientError, CredentialError, SaasuRefusedError.
        """
        if not record_id.isdecimal():
            return None
        try:
            answer = self._client.answer(f"{PATHS[kind]}/{record_id}")
            body = answer.json() if answer.body.strip() else None
        except SaasuRefusedError as error:
            if is_gone(error) or (kind == "item" and error.status == 400):
                return None
            raise
        except msgspec.DecodeError as error:
            raise UnknownOutcomeError(
                f"{PATHS[kind]}/{record_id} of Saasu cannot be read.", remedy="It is looked at again later."
            ) from error
        if body is None or body == "":
            return None
        if not isinstance(body, dict):
            raise UnknownOutcomeError(
                f"{PATHS[kind]}/{record_id} of Saasu is no record.", remedy="It is looked at again later."
            )
        return body

    def _changed(self, effect: Effect) -> Remote | None:
        if effect.kind not in PATHS or not effect.target_id.isdecimal():
            return None
        held = self.record(effect.kind, effect.target_id)
        if effect.action is Action.VOID:
            return Remote(effect.target_id, effect.external_id) if held is None else None
        if held is None or not says(held, _body(effect)):
            return None
        return remote_of(effect.kind, held, effect)


@dataclass(frozen=True, slots=True)
class _Ours:
    """A payment under our reference."""

    id: str
    reference: str
    amount: Decimal
    currency: str
    day: date


def is_gone(error: SaasuRefusedError) -> bool:
    """Whether a refusal says that the record is not there."""
    return error.status == 404 or code_of(error.text) == GONE


def remote_of(kind: str, held: records.Record, effect: Effect) -> Remote:
    """A record read by its id; it is the one meant, whatever its reference says."""
    record_id = effect.target_id
    if kind == "invoice":
        one = _invoice_remote(held)
        return Remote(record_id, effect.external_id, one.number, one.amount, one.day, one.lines, one.applied)
    number = {"item": "Code", "company": "Name", "payment": "Reference", "journal": "Reference"}.get(kind, "")
    return Remote(record_id, effect.external_id, _text(held, number) if number else "")


def _invoice_remote(row: records.Record) -> Remote:
    one = records.invoice(row)
    lines = row.get("LineItems")
    return Remote(
        remote_id=one.id,
        external_id=one.purchase_order.strip() or _NO_NUMBER,
        number=one.number,
        amount=_money(one.total, one.currency),
        day=one.day,
        lines=len(lines) if isinstance(lines, list) else None,
        applied=_money(one.paid, one.currency),
    )


def _payment_remote(ours: _Ours, amount: Decimal) -> Remote:
    return Remote(ours.id, ours.reference, ours.reference, _money(amount, ours.currency), ours.day)


def _money(amount: Decimal, currency: str) -> Money | None:
    return Money(amount, currency) if len(currency) == 3 and currency.isalpha() else None


def _referring(rows: Iterable[records.Record], effect: Effect) -> _Ours | None:
    """The payment under the effect's reference; of several the lowest id."""
    wanted = effect.external_id.strip()
    same = [one for one in map(records.payment, rows) if wanted and one.reference.strip() == wanted]
    best = min(same, key=lambda one: _place(one.id), default=None)
    return None if best is None else _Ours(best.id, wanted, best.amount, best.currency, best.day)


def _invoices_of(body: records.Record) -> tuple[str, ...]:
    """Ids of the invoices a payment is made on; () unless all of them are known."""
    items = body.get("PaymentItems")
    named = (
        [one.get("InvoiceTransactionId") for one in items if isinstance(one, dict)]
        if isinstance(items, list)
        else []
    )
    ids = tuple(str(one) for one in named if isinstance(one, str | int) and not isinstance(one, bool))
    return tuple(dict.fromkeys(ids)) if len(ids) == len(named) and all(one.isdecimal() for one in ids) else ()


def _stretches(effects: Sequence[Effect]) -> Iterator[tuple[list[Effect], date, date]]:
    """Effects whose days are near each other, with the days around them."""
    dated = sorted(((_day(effect), effect) for effect in effects), key=lambda one: (one[0], one[1].key))
    group: list[tuple[date, Effect]] = []
    for day, effect in dated:
        if group and day - group[-1][0] > _NEAR:
            yield [one for _, one in group], group[0][0] - _AROUND, group[-1][0] + _AROUND
            group = []
        group.append((day, effect))
    if group:
        yield [one for _, one in group], group[0][0] - _AROUND, group[-1][0] + _AROUND


def _day(effect: Effect) -> date:
    try:
        return business_day(_text(_body(effect), "TransactionDate"))
    except ValueError:
        raise UnknownOutcomeError(
            f"{effect.number}: without its date it cannot be looked for in Saasu."
        ) from None


def _place(record_id: str) -> tuple[int, str]:
    return (int(record_id) if record_id.isdecimal() else 0, record_id)


def _body(effect: Effect) -> dict[str, Json]:
    value = decode(effect.body) if effect.body else {}
    return value if isinstance(value, dict) else {}


def _text(body: records.Record, name: str) -> str:
    value = body.get(name)
    return (
        str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    )


def says(held: records.Record, wanted: records.Record) -> bool:
    """Whether a record already says all that a body wants; fields that are written only are left out."""
    return all(
        _same(value, held.get(name))
        for name, value in wanted.items()
        if name not in _NOT_COMPARED and not (isinstance(value, str) and value.casefold() == AUTO_NUMBER)
    )


def _same(wanted: Json, have: Json) -> bool:
    if isinstance(wanted, dict):
        if LINK in wanted:
            return False
        return isinstance(have, dict) and all(_same(value, have.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        if all(isinstance(one, str) for one in wanted):  # tags
            return sorted(map(str, wanted)) == sorted(map(str, have if isinstance(have, list) else []))
        return (
            isinstance(have, list)
            and len(have) == len(wanted)
            and all(_same(one, other) for one, other in zip(wanted, have, strict=True))
        )
    if wanted is None or wanted == "":
        return have is None or have == ""
    if isinstance(wanted, bool) or isinstance(have, bool):
        return wanted is have
    if isinstance(have, dict | list) or have is None:
        return False
    return _alike(str(wanted).strip(), str(have).strip())


def _alike(wanted: str, have: str) -> bool:
    """Equal as texts, as numbers (2 and 2.000), or as dates (with and without midnight)."""
    if wanted == have:
        return True
    try:
        return Decimal(wanted) == Decimal(have)
    except InvalidOperation:
        pass
    try:
        return business_day(wanted) == business_day(have)
    except ValueError:
        return False
