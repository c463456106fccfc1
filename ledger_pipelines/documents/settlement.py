"""A settlement: what a marketplace says it paid out, and why.

Belongs here: the summary, its groups, lines and amounts by kind, in the common language.
Does not belong here: file variants and vocabularies (`systems/amazon`), states and matching (`integrations`).
Amounts carry the sign of the file: positive is money for the seller (amazon-settlement.md 2, 9).

Groups and their parts are msgspec's frozen structs, not frozen dataclasses: a settlement has hundreds of thousands of them, and a
field of a frozen dataclass takes ten times as long to set. `msgspec.structs.replace` makes changed ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from ledger_pipelines.documents.dates import Month
from ledger_pipelines.documents.money import ZERO, Money


class TransactionClass(StrEnum):
    """The list of celigo-amazon-netsuite.md 8.2, `custrecord_azs_txn_type`."""

    ORDER = "Order"
    REFUND = "Refund"
    RETROCHARGE = "Retrocharge"
    CHARGEBACK = "Chargeback"
    FEE = "Fee"
    REIMBURSEMENT = "Reimbursement"
    RESERVE = "Reserve"
    TRANSFER = "Transfer"
    OTHER = "Other"


class Component(StrEnum):
    """The eight sums of a group."""

    PRODUCT = "product"
    SHIPPING = "shipping"
    GIFTWRAP = "giftwrap"
    PROMOTION = "promotion"
    TAX = "tax"
    WITHHELD_TAX = "withheld_tax"
    FEES = "fees"
    OTHER = "other"


class Amounts(Struct, frozen=True):
    """Sums by component, in the settlement's currency."""

    product: Decimal = ZERO
    shipping: Decimal = ZERO
    giftwrap: Decimal = ZERO
    promotion: Decimal = ZERO
    tax: Decimal = ZERO
    withheld_tax: Decimal = ZERO
    fees: Decimal = ZERO
    other: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        """Sum of all eight."""
        return (
            self.product + self.shipping + self.giftwrap + self.promotion
            + self.tax + self.withheld_tax + self.fees + self.other
        )  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of amount: the triple of the file (V2 terms) and how it is understood.

    category: the book-keeping category that settings map to an account (`systems/amazon/vocabulary.py`).
    known: False when the triple is not in the vocabulary; it is kept, counted and shown all the same.
    """

    transaction_type: str
    amount_type: str
    amount_description: str
    component: Component
    category: str
    known: bool = True

    @property
    def triple(self) -> str:
        """`transaction_type/amount_type/amount_description`."""
        return f"{self.transaction_type}/{self.amount_type}/{self.amount_description}"


class KindAmount(Struct, frozen=True):
    """Sum of one kind within one month (of the books' zone)."""

    month: Month
    kind: Kind
    amount: Decimal
    rows: int


@dataclass(frozen=True, slots=True)
class Footing:
    """What the stored rows of a settlement sum to, beside what its file said they would.

    total: the file's total. by_month: rows and sum of each kind in each month of the books.
    """

    total: Money
    by_month: tuple[KindAmount, ...]

    @property
    def rows(self) -> int:
        """Rows with an amount."""
        return sum(part.rows for part in self.by_month)

    @property
    def sum(self) -> Money:
        """Sum of all rows."""
        return Money(sum((part.amount for part in self.by_month), ZERO), self.total.currency)

    @property
    def foots(self) -> bool:
        """Whether the rows sum to the total, exactly."""
        return self.sum == self.total


class ItemLine(Struct, frozen=True):
    """The amounts of one item of a group: one order item code (orders), one adjustment item (refunds).

    quantity: from the file; None where the file leaves it blank (refunds always do).
    """

    sku: str
    order_item_code: str
    adjustment_item_id: str
    quantity: int | None
    kinds: tuple[KindAmount, ...]


class SettlementGroup(Struct, frozen=True):
    """Rows that are one business event: an order's shipment, a refund, one kind of account-level amount.

    key: `type|order|adjustment or shipment`, unique in the settlement. posted_*: instants in UTC.
    ordinals: first and last row ordinal, for tracing back to the file.
    """

    key: str
    cls: TransactionClass
    type: str
    order_id: str
    merchant_order_id: str
    adjustment_id: str
    shipment_id: str
    marketplace: str
    channel: str
    posted_first: datetime
    posted_last: datetime
    amounts: Amounts
    rows: int
    ordinals: tuple[int, int]
    kinds: tuple[KindAmount, ...]
    lines: tuple[ItemLine, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """The summary of one settlement that has been read, footed and stored. Instants are UTC.

    Args:
        total: The file's `total-amount`: what the marketplace says it pays (negative: the seller owes).
        rows: Detail rows in the file.
        content_hash: SHA-256 of the decoded file as landed. rows_hash: hash of the multiset of its rows.
        unknown_kinds: Triples outside the vocabulary, with their sums.
    """

    connection: str
    settlement_id: str
    variant: str
    encoding: str
    currency: str
    start: datetime
    end: datetime
    deposit: datetime
    total: Money
    rows: int
    sum: Money
    content_hash: str
    rows_hash: str
    unknown_kinds: tuple[tuple[str, Decimal], ...] = ()
