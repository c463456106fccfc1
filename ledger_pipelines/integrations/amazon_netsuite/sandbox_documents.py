"""Which sales documents a settlement presupposes: what a sandbox must hold so that a real file runs the whole way.

Belongs here: one sales order or invoice (or several) behind each order, the invoice behind a refund of an earlier
order, as arithmetic on the file. Does not belong here: writing them (`sandbox_books`).

Not used on a real account: there the books come first. The same file always gives the same documents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import business_date
from ledger_pipelines.documents.keys import digest, external_id
from ledger_pipelines.documents.money import ZERO, quotient
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.amounts import BASES, Basis, claimed, default_basis
from ledger_pipelines.integrations.amazon_netsuite.books import INVOICE, SALES_ORDER, BookDocument, BookLine
from ledger_pipelines.integrations.amazon_netsuite.decide import REFUND_CLASSES
from ledger_pipelines.integrations.amazon_netsuite.matching import covers, principal

PREFIX = "SEED"
"""Of every external id made here. Never `AZS`: that is the product's own."""

SHIPPING, GIFTWRAP, PROMOTION, TAX, NO_SKU = (
    "Amazon shipping",
    "Amazon gift wrap",
    "Amazon promotion",
    "Amazon tax",
    "Amazon item without SKU",
)
EXTRAS = (SHIPPING, GIFTWRAP, PROMOTION, TAX, NO_SKU)
"""Items for what has no SKU."""
MERCHANT_FULFILLED = "MFN"


@dataclass(frozen=True, slots=True)
class NeededLine:
    """One line. amount: of the whole line; negative for promotions. item: the SKU, or one of `EXTRAS`."""

    item: str
    quantity: int
    amount: Decimal
    order_item_code: str = ""

    @property
    def rate(self) -> Decimal | None:
        """Price of one, where it is a whole number of cents."""
        return quotient(self.amount, self.quantity, 2)


@dataclass(frozen=True, slots=True)
class NeededDocument:
    """A sales order or invoice.

    day: wished date, before closed periods are looked at; posted: the day Amazon posted what it belongs to.
    paid: whether it was paid outside the clearing account before the settlement began.
    """

    reference: str
    kind: str
    order_id: str
    day: date
    posted: date
    lines: tuple[NeededLine, ...]
    paid: bool = False

    @property
    def total(self) -> Decimal:
        """Sum of the lines."""
        return sum((line.amount for line in self.lines), ZERO)

    def as_book(self, internal_id: str, currency: str) -> BookDocument:
        """The document as the books will show it."""
        return BookDocument(
            id=internal_id,
            record=self.kind,
            number=self.reference,
            external_id=self.reference,
            order_id=self.order_id,
            matched_by="order id",
            entity_id="1",
            entity="Amazon customer",
            entity_inactive=False,
            currency=currency,
            day=self.day,
            status="F" if self.kind == SALES_ORDER else "A",
            total=self.total,
            unpaid=ZERO if self.paid or self.kind == SALES_ORDER else self.total,
            lines=tuple(
                BookLine(str(at), line.item, line.item, Decimal(line.quantity), line.rate, line.amount, line.order_item_code)
                for at, line in enumerate(self.lines, 1)
            ),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Needed:
    """Documents in the order of the file, and the order ids whose documents were left out."""

    documents: tuple[NeededDocument, ...]
    left_out: tuple[str, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """Names of every item a line needs, left-out orders aside."""
        return tuple(dict.fromkeys(line.item for document in self.documents for line in document.lines))


def needed_documents(
    groups: Iterable[SettlementGroup],
    settlement: Settlement,
    zone: ZoneInfo,
    *,
    leave_out: int | Decimal = 0,
    seed: int = 0,
    elsewhere: frozenset[str] = frozenset(),
) -> Needed:
    """Documents behind the orders and refunds of one settlement.

    Args:
        groups: All groups of the settlement.
        settlement: Its summary.
        zone: The books' time zone.
        leave_out: Number of orders (int), or share of them (Decimal below 1), that get no document.
        seed: Chooses which.
        elsewhere: Order ids the books hold already from other settlements: a refund of one needs no invoice
            of its own, and further goods of one come as an invoice, never as a second sales order.
    """
    orders: dict[str, list[SettlementGroup]] = {}
    refunds: dict[str, list[SettlementGroup]] = {}
    for group in groups:
        if not group.order_id:
            continue
        if group.cls is TransactionClass.ORDER:
            orders.setdefault(group.order_id, []).append(group)
        elif group.cls in REFUND_CLASSES:
            refunds.setdefault(group.order_id, []).append(group)
    found: dict[str, list[NeededDocument]] = {}
    for order_id in dict.fromkeys([*orders, *refunds]):
        sold = _sales(orders.get(order_id, []), settlement, zone, known=order_id in elsewhere)
        before = [] if order_id in elsewhere else _before(refunds.get(order_id, []), sold, settlement, zone)
        if before and sold and sold[0].kind == SALES_ORDER:
            sold = _sales(orders[order_id], settlement, zone, known=True)
        if before or sold:
            found[order_id] = before + sold
    left = _left_out(sorted(found), leave_out, seed)
    kept = [document for order_id, some in found.items() if order_id not in left for document in some]
    return Needed(tuple(kept), tuple(sorted(left)))


def _left_out(order_ids: Sequence[str], leave_out: int | Decimal, seed: int) -> frozenset[str]:
    if isinstance(leave_out, Decimal) and leave_out < 1:
        count = int((len(order_ids) * leave_out).to_integral_value(ROUND_CEILING))
    else:
        count = int(leave_out)
    shuffled = sorted(order_ids, key=lambda order_id: digest(str(seed), order_id))
    return frozenset(shuffled[: max(count, 0)])


def _fate(order_id: str, choices: int) -> int:
    """A number below `choices` that depends on nothing but the order id."""
    return int.from_bytes(hashlib.sha256(order_id.encode()).digest()[:4], "big") % choices


def _basis(groups: Sequence[SettlementGroup]) -> Basis | None:
    """What the documents contain: as usual; before promotions where a promotion makes a shipment free."""
    usual = default_basis(groups)
    for basis in (usual, *(b for b in BASES if b != usual)):
        if all(claimed(group, basis) > 0 for group in groups):
            return basis
    return usual if sum((claimed(group, usual) for group in groups), ZERO) > 0 else None


def _sales(
    groups: Sequence[SettlementGroup], settlement: Settlement, zone: ZoneInfo, *, known: bool
) -> list[NeededDocument]:
    selling = [group for group in groups if any(claimed(group, basis) for basis in BASES)]
    basis = _basis(selling) if selling else None
    if basis is None:
        return []
    selling.sort(key=lambda group: (group.posted_first, group.key))
    order_id = selling[0].order_id
    posted = business_date(selling[0].posted_first, zone)
    day = posted - timedelta(days=2 + _fate(order_id, 5))

    def document(kind: str, part: str, some: Sequence[SettlementGroup]) -> NeededDocument:
        letters = "SO" if kind == SALES_ORDER else "INV"
        reference = external_id(PREFIX, letters, settlement.settlement_id, order_id, part)
        return NeededDocument(reference, kind, order_id, day, posted, _lines(some, basis))

    merchant = selling[0].channel == MERCHANT_FULFILLED and not known
    whole = document(SALES_ORDER if merchant else INVOICE, "", selling)
    if len(selling) == 1:
        return [whole]
    book = whole.as_book("1", settlement.currency)
    separable = all(covers(book, group) for group in selling)
    if separable and (merchant or _fate(order_id, 2)):
        return [whole]
    parts = [document(INVOICE, str(at), [group]) for at, group in enumerate(selling, 1)]
    return [part for part in parts if part.total > 0]


def _before(
    groups: Sequence[SettlementGroup], sold: Sequence[NeededDocument], settlement: Settlement, zone: ZoneInfo
) -> list[NeededDocument]:
    """The invoice, paid earlier, that refunds need which the file's own sales do not cover."""
    if not groups:
        return []
    lines = _merged([line for group in groups for line in _refund_lines(group)])
    total = sum((line.amount for line in lines), ZERO)
    if total <= 0 or total <= sum((document.total for document in sold), ZERO):
        return []
    order_id = groups[0].order_id
    posted = min(business_date(group.posted_first, zone) for group in groups)
    reference = external_id(PREFIX, "OLD", settlement.settlement_id, order_id)
    day = posted - timedelta(days=30 + _fate(order_id, 15))
    return [NeededDocument(reference, INVOICE, order_id, day, posted, lines, paid=True)]


def _refund_lines(group: SettlementGroup) -> list[NeededLine]:
    basis = default_basis([group])
    return [
        NeededLine(line.item, line.quantity, -line.amount, line.order_item_code)
        for line in _lines([group], basis)
    ]


def _lines(groups: Sequence[SettlementGroup], basis: Basis) -> tuple[NeededLine, ...]:
    """Lines that sum to what the groups claim under the basis."""
    lines: list[NeededLine] = []
    for group in groups:
        amounts = group.amounts
        products = ZERO
        for item in group.lines:
            amount = principal(item)
            if amount:
                quantity = item.quantity if item.quantity and item.quantity > 0 else 1
                lines.append(NeededLine(item.sku.strip() or NO_SKU, quantity, amount, item.order_item_code))
                products += amount
        extras = (
            (NO_SKU, amounts.product - products),
            (SHIPPING, amounts.shipping),
            (GIFTWRAP, amounts.giftwrap),
            (PROMOTION, amounts.promotion if basis.promotion else ZERO),
            (TAX, amounts.tax if basis.tax else ZERO),
        )
        lines += [NeededLine(name, 1, amount) for name, amount in extras if amount]
    return _merged(lines)


def _merged(lines: Sequence[NeededLine]) -> tuple[NeededLine, ...]:
    """Extras summed by name; goods stay apart, one line an item of the order."""
    goods = [line for line in lines if line.item not in EXTRAS]
    sums: dict[str, Decimal] = {}
    for line in lines:
        if line.item in EXTRAS:
            sums[line.item] = sums.get(line.item, ZERO) + line.amount
    return (*goods, *(NeededLine(name, 1, amount) for name, amount in sums.items() if amount))
