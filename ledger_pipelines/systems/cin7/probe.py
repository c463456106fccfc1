"""Looking up what became of writes: many references in one call; by id for changes and voids.

Belongs here: which list is asked, which of its rows is ours. Does not belong here: what follows (`sync`), sending (`writer`).
Facts: cin7-omni.md 4 (IN, chunks of 20), 5 (amounts of foreign orders), 6.4 (void and gone), 10.

Rows are compared here, with their case, outer blanks apart: whether Cin7's conditions mind the case is not said. A reference that
differs by case only comes with its own spelling, so that it is held as a difference.

Calls: one each 20 orders, contacts, products, changes or voids, one each 20 orders that payments were made on; more where a list
has more than 250 rows that fit; one besides for a void whose order is in no list any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from ledger_pipelines.documents.effects import Action, Effect, Remote
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import Money, exponent, round_half_away
from ledger_pipelines.errors import UnknownOutcomeError
from ledger_pipelines.systems.cin7 import records
from ledger_pipelines.systems.cin7.client import CHUNK, PAGE, Asked, Cin7Client, one_of
from ledger_pipelines.systems.cin7.comparing import could_be, says
from ledger_pipelines.systems.cin7.entities import ENTITIES
from ledger_pipelines.systems.cin7.kinds import KINDS, searched_by, shaped

MOST_PAGES: Final = 20
"""Pages of a search that finds so much are not read to the end: the condition was not heeded, and nothing is learnt."""
LONGEST: Final = 1500
"""Characters of the values of one IN (...), so that the address stays short whatever they are."""

_Owned = Callable[[records.Record], Remote | None]
ONE: Final = Decimal(1)


class Probe:
    """Look-ups of one account."""

    def __init__(self, client: Cin7Client) -> None:
        self._client = client

    def find(self, effects: Sequence[Effect]) -> dict[str, Remote]:
        """What the account holds, by effect key; absent = not found.

        CREATE: the record under our reference. UPDATE: the record when it already says what the body wants. VOID: its id
        when it is void or gone.

        Raises:
            TransientError, CredentialError, Cin7RefusedError, DataError, UnknownOutcomeError: nothing is learnt.
        """
        made: dict[tuple[str, str], list[Effect]] = defaultdict(list)
        changed: dict[str, list[Effect]] = defaultdict(list)
        found: dict[str, Remote] = {}
        for effect in effects:
            if effect.kind not in KINDS:
                continue
            if effect.action is not Action.CREATE:
                changed[effect.kind].append(effect)
                continue
            field = searched_by(effect.kind, body_of(effect), effect.external_id)
            if not field:
                raise UnknownOutcomeError(
                    f"{effect.number}: without a reference it cannot be looked for in Cin7."
                )
            made[effect.kind, field].append(effect)
        for (kind, field), some in made.items():
            found |= self._payments(some) if kind == "payment" else self._by_reference(kind, field, some)
        for kind, some in changed.items():
            found |= self._changed(kind, some)
        return found

    def ids(self, kind: str, references: Iterable[str]) -> dict[str, str]:
        """Ids by reference of records that are there; for changes that know only the reference."""
        field = KINDS[kind].references[0] if KINDS[kind].references else ""
        wanted = list(dict.fromkeys(one.strip() for one in references if one.strip()))
        if not field or not wanted:
            return {}
        rows = self._in(KINDS[kind].entity.path, field, wanted)
        held: dict[str, list[records.Record]] = defaultdict(list)
        for row in rows:
            held[_text(row, field)].append(row)
        return {one: _text(_best(held[one]), "id") for one in wanted if held.get(one)}

    # --- by reference ------------------------------------------------------------------------------------------------

    def _by_reference(self, kind: str, field: str, effects: Sequence[Effect]) -> dict[str, Remote]:
        wanted = list(dict.fromkeys(effect.external_id.strip() for effect in effects))
        path = ENTITIES["product_options"].path if kind == "product" else KINDS[kind].entity.path
        exact: dict[str, list[records.Record]] = defaultdict(list)
        near: dict[str, list[records.Record]] = defaultdict(list)
        for row in self._in(path, field, wanted):
            told = _text(row, field)
            exact[told].append(row)
            near[told.casefold()].append(row)
        found = {}
        for effect in effects:
            ours = effect.external_id.strip()
            rows = exact.get(ours) or near.get(ours.casefold())
            if rows:
                found[effect.key] = self._remote(effect, field, _best(rows))
        return found

    def _remote(self, effect: Effect, field: str, row: records.Record) -> Remote:
        told = _text(row, field)
        if effect.kind == "sales_order":
            return self.order_remote(effect, row, told)
        if effect.kind == "product":
            return Remote(_text(row, "productId"), told, told)
        reference = effect.external_id if field == "email" else told
        return Remote(_text(row, "id"), reference, told)

    def order_remote(self, effect: Effect, row: records.Record, reference: str) -> Remote:
        """An order as it is compared with what was meant: total in its own currency, lines without parts of others."""
        order = records.sales_order(row)
        return Remote(
            remote_id=order.id,
            external_id=reference,
            number=order.reference,
            amount=self._total(effect, order, self.rate(row)),
            # A line of no quantity is one that was removed: Omni has no other way (cin7-omni.md 6.2).
            lines=sum(bool(line.qty) and not line.parent for line in order.lines)
            if "lineItems" in row
            else None,
            strange=_strange(effect, order) if "lineItems" in row else "",
        )

    def rate(self, row: records.Record) -> Decimal:
        """What amounts told of a record are multiplied by to be in its own currency (cin7-omni.md 5)."""
        connection = self._client.connection
        of = records.Fields(row, "sales order", "reference")
        currency = of.text("currencyCode").strip().upper()
        if not connection.base_amounts or currency in {"", connection.currency.upper()}:
            return ONE
        return of.number("currencyRate") or ONE

    def _total(self, effect: Effect, order: records.SalesOrder, rate: Decimal) -> Money | None:
        """The order's total in its own currency: the one meant, as far as the digits of the one told go."""
        currency = order.currency or self._client.connection.currency.upper()
        if len(currency) != 3 or not currency.isalpha():
            return None
        meant = effect.expected.amount
        if meant is not None and meant.currency == currency and could_be(meant.amount, order.total, rate):
            return meant
        total = order.total if rate == ONE else round_half_away(order.total * rate, exponent(currency))
        return Money(total, currency)

    def _payments(self, effects: Sequence[Effect]) -> dict[str, Remote]:
        """By the orders they were made on; by our reference where an order has no id."""
        orders = {effect.key: _text(shaped("payment", body_of(effect)), "orderId") for effect in effects}
        known = list(dict.fromkeys(int(one) for one in orders.values() if one.isdecimal()))
        loose = list(
            dict.fromkeys(
                effect.external_id.strip() for effect in effects if not orders[effect.key].isdecimal()
            )
        )
        path = KINDS["payment"].entity.path
        rows = [*self._in(path, "orderId", known), *self._in(path, "transactionRef", loose)]
        found = {}
        for effect in effects:
            order = orders[effect.key]
            same = [
                row
                for row in rows
                if _text(row, "transactionRef") == effect.external_id.strip()
                and (not order.isdecimal() or _text(row, "orderId") == order)
            ]
            if same:
                found[effect.key] = self._payment_remote(effect, _best(same))
        return found

    def _payment_remote(self, effect: Effect, row: records.Record) -> Remote:
        """A payment names no currency: its amount is compared where it is the account's own."""
        one = records.payment(row)
        base = self._client.connection.currency.upper()
        meant = effect.expected.amount
        amount = Money(one.amount, base) if meant is not None and meant.currency == base else None
        return Remote(one.id, one.transaction_ref, one.transaction_ref, amount)

    # --- by id -------------------------------------------------------------------------------------------------------

    def _changed(self, kind: str, effects: Sequence[Effect]) -> dict[str, Remote]:
        path = KINDS[kind].entity.path
        named = self.ids(kind, [one.external_id for one in effects if not one.target_id])
        targets = {
            effect.key: effect.target_id or named.get(effect.external_id.strip(), "") for effect in effects
        }
        ids = list(dict.fromkeys(int(one) for one in targets.values() if one.isdecimal()))
        held = {_text(row, "id"): row for row in self._in(path, "id", ids)}
        found: dict[str, Remote] = {}
        for effect in effects:
            target = targets[effect.key]
            if not target.isdecimal():
                continue
            row = held.get(target)
            if effect.action is Action.VOID:
                row = row or self._client.record(path, target)
                if row is None or records.sales_order(row).is_void:
                    found[effect.key] = Remote(target, effect.external_id)
            elif row is not None and says(row, shaped(kind, body_of(effect)), self.rate(row)):
                whole = kind == "sales_order"
                found[effect.key] = (
                    self.order_remote(effect, row, effect.external_id)
                    if whole
                    else Remote(target, effect.external_id)
                )
        return found

    # --- calls -------------------------------------------------------------------------------------------------------

    def _in(self, path: str, field: str, values: Sequence[str | int]) -> Iterator[records.Record]:
        """Every row whose field is one of some values."""
        for chunk in chunks(values):
            for number in range(1, MOST_PAGES + 1):
                rows = self._client.page(path, Asked(one_of(field, chunk), page=number))
                yield from rows
                if len(rows) < PAGE:
                    break
            else:
                raise UnknownOutcomeError(
                    f"Cin7 connection {self._client.connection.name!r}: a search of {path} finds more than "
                    f"{MOST_PAGES * PAGE:,} records; nothing is learnt from it.",
                    remedy="Look for the record in Cin7, and adopt it by its id or vouch that it is not there.",
                )


def chunks(values: Sequence[str | int]) -> Iterator[list[str | int]]:
    """Values by twenty, or fewer where they are long: the address has an end (cin7-omni.md 4)."""
    part: list[str | int] = []
    length = 0
    for value in values:
        size = len(str(value).encode()) + 3
        if part and (len(part) == CHUNK or length + size > LONGEST):
            yield part
            part, length = [], 0
        part.append(value)
        length += size
    if part:
        yield part


def body_of(effect: Effect) -> Mapping[str, Json]:
    """The effect's body as decoded."""
    value = decode(effect.body) if effect.body else {}
    return value if isinstance(value, dict) else {}


def _strange(effect: Effect, order: records.SalesOrder) -> str:
    """An order of our reference that staff entered: none of its lines has the `integrationRef` of one of ours (cin7-omni.md 6.2)."""
    lines = body_of(effect).get("lineItems") if effect.action is Action.CREATE else None
    meant = (
        [line.get("integrationRef") for line in lines if isinstance(line, dict)]
        if isinstance(lines, list)
        else []
    )
    ours = {str(one) for one in meant if one}
    if not ours or ours & {line.integration_ref for line in order.lines}:
        return ""
    return "none of its lines has one of our line references, so somebody else entered it"


def _text(row: records.Record, name: str) -> str:
    value = row.get(name)
    return (
        str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    )


def _best(rows: Sequence[records.Record]) -> records.Record:
    """Of several: one that is not void, active, of the lowest id."""

    def rank(row: records.Record) -> tuple[bool, bool, int]:
        key = _text(row, "id")
        return row.get("isVoid") is True, row.get("isActive") is False, int(key) if key.isdecimal() else 0

    return min(rows, key=rank)
