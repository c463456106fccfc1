"""What a settlement statement shows, as plain frozen values.

Belongs here: the view model an integration fills. Does not belong here: how it is filled (`integrations`), how it
looks (`statement`). Amounts are in the settlement's currency unless a field says otherwise; dates are the books'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.reports.waterfall import Waterfall


@dataclass(frozen=True, slots=True)
class Heading:
    """Which settlement, whose, and when this was made (UTC). status: one or two words, like `Reconciled`."""

    settlement_id: str
    integration: str
    source: str
    target: str
    currency: str
    start: date
    end: date
    deposit_day: date
    total: Decimal
    status: str
    mode: str
    made_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The reconciliation, from the target's own ledger. None where nothing was read back yet."""

    deposit: Decimal
    booked: Decimal | None = None
    clearing: Decimal | None = None
    paid: Decimal = ZERO
    refunded: Decimal = ZERO
    journaled: Decimal = ZERO
    groups: int = 0
    resolved: int = 0

    @property
    def difference(self) -> Decimal | None:
        """Deposit less booked."""
        return None if self.booked is None else self.deposit - self.booked

    @property
    def open(self) -> int:
        """Groups that nobody has resolved."""
        return self.groups - self.resolved

    @property
    def clean(self) -> bool:
        """Deposit = booked, clearing 0, nothing open."""
        return self.difference == 0 and self.clearing == 0 and self.open == 0


@dataclass(frozen=True, slots=True)
class KindLine:
    """A kind of amount over the whole settlement."""

    triple: str
    category: str
    known: bool
    rows: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A line of a journal: one of debit and credit is zero."""

    account: str
    memo: str
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal. number: the target's own, "" while it is not booked."""

    title: str
    day: date
    state: str
    number: str
    link: str
    lines: tuple[EntryLine, ...]


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document written for a group: what it cleared (positive into clearing) and where it comes from."""

    order_id: str
    order_link: str
    what: str
    number: str
    link: str
    day: date
    state: str
    amount: Decimal
    rows: str


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A group that is not resolved, why, and the one thing to do."""

    order_id: str
    what: str
    state: str
    amount: Decimal
    text: str
    remedy: str
    rows: str


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A plan the writes came from."""

    flow: str
    made_at: datetime
    digest: str
    counts: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """The file behind it all."""

    file_hash: str
    rows_hash: str
    variant: str
    encoding: str
    rows: int
    row_sum: Decimal


@dataclass(frozen=True, slots=True)
class StatementData:
    """All that a statement shows."""

    heading: Heading
    figures: Figures
    waterfall: Waterfall
    kinds: tuple[KindLine, ...]
    entries: tuple[Entry, ...]
    documents: tuple[DocumentLine, ...]
    open: tuple[OpenLine, ...]
    plans: tuple[PlanLine, ...]
    provenance: Provenance
