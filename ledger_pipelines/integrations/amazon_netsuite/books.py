"""What NetSuite holds for one settlement, as read at one instant: everything a plan is made from besides the file.

Belongs here: the snapshot's types, its lookups, its text form and digest. Does not belong here: reading it
(`read_books`), storing it (`storage`), deciding anything (`decide`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

import msgspec

from ledger_pipelines.documents.keys import digest
from ledger_pipelines.documents.money import ZERO

INVOICE = "invoice"
SALES_ORDER = "salesOrder"
CASH_SALE = "cashSale"
CREDIT_MEMO = "creditMemo"

BILLABLE_STATUS = frozenset({"D", "E", "F"})
"""Sales orders that can be billed at least in part (netsuite.md 7.5, status letters are inferred there)."""
PENDING_FULFILLMENT = "B"


@dataclass(frozen=True, slots=True)
class BookLine:
    """A line of a sales document. amount: positive for a sale, in transaction currency."""

    line: str
    item_id: str
    item: str
    quantity: Decimal | None
    rate: Decimal | None
    amount: Decimal
    order_item_id: str = ""


@dataclass(frozen=True, slots=True)
class BookDocument:
    """A sales document that carries an order id. unpaid: what is open of an invoice; unused: of a credit memo."""

    id: str
    record: str
    number: str
    external_id: str
    order_id: str
    matched_by: str
    entity_id: str
    entity: str
    entity_inactive: bool
    currency: str
    day: date
    status: str
    total: Decimal
    unpaid: Decimal
    subsidiary: str = ""
    account_id: str = ""
    tax_total: Decimal | None = None
    created_from: str = ""
    lines: tuple[BookLine, ...] = ()


@dataclass(frozen=True, slots=True)
class BookPeriod:
    """A posting period."""

    first: date
    last: date
    closed: bool


@dataclass(frozen=True, slots=True)
class BookRecord:
    """An account, item, customer, currency or subsidiary a setting names."""

    id: str
    number: str
    name: str
    type: str
    inactive: bool


@dataclass(frozen=True, slots=True)
class OurDocument:
    """A document in NetSuite under an external id of ours."""

    id: str
    record: str
    external_id: str
    number: str
    total: Decimal
    currency: str
    day: date | None
    unused: Decimal = ZERO
    voided: bool = False


@dataclass(frozen=True)
class Books:
    """The snapshot. `resolved` maps `kind:reference` (`account:1010`) to the record it names."""

    connection: str
    settlement_id: str
    read_at: datetime
    documents: tuple[BookDocument, ...] = ()
    periods: tuple[BookPeriod, ...] = ()
    currencies: dict[str, str] = field(default_factory=dict)
    resolved: dict[str, BookRecord] = field(default_factory=dict)
    items_by_sku: dict[str, BookRecord] = field(default_factory=dict)
    ours: tuple[OurDocument, ...] = ()
    summary_id: str = ""
    memory_lost: bool = False
    """NetSuite holds our summary and the journal did not know it: it may have lost its memory."""

    @cached_property
    def by_order(self) -> dict[str, tuple[BookDocument, ...]]:
        """Documents by order id, oldest first."""
        found: dict[str, list[BookDocument]] = {}
        for document in sorted(self.documents, key=lambda d: (d.day, int(d.id) if d.id.isdigit() else 0)):
            found.setdefault(document.order_id, []).append(document)
        return {order: tuple(documents) for order, documents in found.items()}

    @cached_property
    def ours_by_external_id(self) -> dict[str, OurDocument]:
        """Our documents, by external id."""
        return {document.external_id: document for document in self.ours}

    def record(self, kind: str, reference: str | None) -> BookRecord | None:
        """The record a setting names, or None."""
        return None if reference is None else self.resolved.get(f"{kind}:{reference}")

    def period_of(self, day: date) -> BookPeriod | None:
        """The posting period a date falls in, if it was read."""
        return next((p for p in self.periods if p.first <= day <= p.last), None)

    def first_open_after(self, day: date) -> date | None:
        """The first day on or after `day` that lies in an open period."""
        for period in sorted(self.periods, key=lambda p: p.first):
            if not period.closed and period.last >= day:
                return max(day, period.first)
        return None

    def encode(self) -> bytes:
        """JSON text; decimals as strings."""
        return msgspec.json.encode(self, order="sorted")

    @cached_property
    def _digest(self) -> str:
        parts = (
            self.connection, self.settlement_id, self.documents, self.periods, self.currencies, self.resolved,
            self.items_by_sku, self.ours, self.summary_id, self.memory_lost,
        )  # fmt: skip
        return digest(msgspec.json.encode(parts, order="sorted"))

    def content_digest(self) -> str:
        """Digest of everything but the instant of reading."""
        return self._digest


def decode_books(raw: bytes) -> Books:
    """Read what `Books.encode` wrote. Raises msgspec.ValidationError."""
    return msgspec.json.decode(raw, type=Books)
