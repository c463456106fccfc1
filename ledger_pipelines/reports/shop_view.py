"""What a shop's reconciliation with its books shows, as plain frozen values, and what it comes to.

Belongs here: the view an integration fills, its sums, checks and summary in words. Does not belong here: how it is
filled (`integrations/<name>/reconcile.py`), how it looks (`shop_reconciliation`).

Amounts are in the store's currency. Days are the books'. `differences` are built from the records and `days`, `methods`
from the totals: that the two agree is a check of its own (`explained`), never arranged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.reports.amounts import shown

CHECKS: Final = (
    "paid_in_store_is_received",
    "every_order_has_its_invoice",
    "every_invoice_has_its_order",
    "totals_agree",
    "nothing_is_there_twice",
    "stock_agrees",
    "readings_are_fresh",
)
"""Names of the checks, in their order. They are API."""


class Why(StrEnum):
    """Why the two sides differ. The words are API."""

    NOT_EXPORTED = "not exported yet"
    WAITS_FOR_QUOTA = "waits for tomorrow's calls"
    IN_DOUBT = "outcome not known yet"
    NOT_READ = "not read back yet"
    BLOCKED = "blocked"
    REFUSED = "refused by the books"
    IGNORED = "ignored by a user"
    BY_HAND = "booked by hand"
    BY_OTHERS = "booked by somebody else"
    OTHER_DAY = "other day"
    OTHER_AMOUNT = "other amount"
    OTHER_ACCOUNT = "other account"
    OTHER_CURRENCY = "other currency"
    TWICE = "booked twice"
    DELETED = "deleted there"
    NOT_IN_STORE = "not in the store"
    CANCELLED = "order cancelled"
    NOT_EXPORTABLE = "order is not exported"


BY_ITSELF: Final = frozenset({Why.NOT_EXPORTED, Why.WAITS_FOR_QUOTA, Why.IN_DOUBT, Why.NOT_READ})
"""Nobody has to do anything: a later run ends them."""
SETTLED: Final = frozenset({Why.IGNORED, Why.BY_OTHERS})
"""Somebody has decided already, or it is in the books under another name."""


class About(StrEnum):
    """What a difference is about."""

    MONEY = "money"
    NO_INVOICE = "order without invoice"
    NO_ORDER = "invoice without order"
    TOTAL = "total"
    OWED = "owed"
    NOT_THERE = "not in Omni"
    STATE = "another state"


@dataclass(frozen=True, slots=True)
class Difference:
    """What one order (or one record of the books) adds to a difference, why, and the one thing to do.

    Args:
        day: Business day the difference falls on.
        order: Order number, "" = none is known.
        customer: For people.
        what: The record: "Payment 5501, Credit Card".
        method: Payment method of the store, "" where none is concerned.
        store, books: Signed amounts of either side; None = there is no such record.
        text, remedy: Sentences.
        reference: Ours in the books. number: the books' own number or id, "" = none.
        order_link, books_link: Addresses, "" = not known.
    """

    about: About
    why: Why
    day: date
    order: str
    customer: str
    what: str
    store: Decimal | None
    books: Decimal | None
    text: str
    remedy: str = ""
    method: str = ""
    reference: str = ""
    number: str = ""
    order_link: str = ""
    books_link: str = ""

    @property
    def difference(self) -> Decimal:
        """Store less books."""
        return (self.store or ZERO) - (self.books or ZERO)

    @property
    def open(self) -> bool:
        """Whether it still counts against agreement."""
        return self.why not in SETTLED

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to act."""
        return self.open and self.why not in BY_ITSELF


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day. taken: in the store, refunds off; received: in the books. orders, invoices: how many, and what they come to."""

    day: date
    taken: Decimal
    received: Decimal
    orders: int = 0
    invoices: int = 0
    ordered: Decimal = ZERO
    invoiced: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """Taken less received."""
        return self.taken - self.received


@dataclass(frozen=True, slots=True)
class MethodLine:
    """One payment method of the store. account: bank account the settings give it, "" = none."""

    method: str
    account: str
    payments: int
    taken: Decimal
    received: Decimal

    @property
    def difference(self) -> Decimal:
        """Taken less received."""
        return self.taken - self.received


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One bank account of the books.

    Args:
        account: Its id, "" = payments whose method has none. name: for people.
        expected: What the store's payments, by the method map, put there.
        received: What records with our references put there.
        others: What other sale payments put there in the same days (by hand, other programs): for the bank statement.
    """

    account: str
    name: str
    methods: tuple[str, ...]
    expected: Decimal
    received: Decimal
    others: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """Expected less received."""
        return self.expected - self.received


@dataclass(frozen=True, slots=True)
class Drift:
    """An item whose stock differs. books: what the settings make of Saasu's quantity; store: of the warehouse."""

    item: str
    name: str
    books: Decimal
    store: Decimal

    @property
    def difference(self) -> Decimal:
        """Store less books."""
        return self.store - self.books


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Payments of the store in these days that are not to be in the books, and why: they are in no sum."""

    why: str
    payments: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Copy:
    """One record of a document that the books have more than once. amount: None where the list tells none. ours: it is the one
    the journal knows. link: address, "" = not known."""

    id: str
    number: str = ""
    day: date | None = None
    amount: Decimal | None = None
    ours: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Twice:
    """A document of ours that the books have more than once, whatever its day.

    Args:
        key: What `ignore` takes. It is of these records: one more of them is another.
        what: Kind of document, for people.
        reference: Ours, which all of them have.
        copies: All of them, the journal's first.
        text, remedy: Sentences.
    """

    key: str
    what: str
    reference: str
    currency: str
    copies: tuple[Copy, ...]
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person."""

    number: str
    what: str
    amount: Decimal | None
    code: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Reading:
    """When a side was last read, UTC; None = never. most: how old it may be."""

    what: str
    at: datetime | None
    most: timedelta

    def age(self, now: datetime) -> timedelta | None:
        """How old it is."""
        return None if self.at is None else now - self.at

    def fresh(self, now: datetime) -> bool:
        """Whether it is young enough."""
        return self.at is not None and now - self.at <= self.most


@dataclass(frozen=True, slots=True)
class ShopHeading:
    """Whose reconciliation it is. store, file: as people know them; made_at: UTC."""

    integration: str
    source: str
    target: str
    store: str
    file: str
    currency: str
    first: date
    last: date
    time_zone: str
    mode: str
    made_at: datetime
    store_link: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. waits: it failed only by what a later run ends by itself. text: a sentence."""

    name: str
    passed: bool
    text: str
    waits: bool = False


@dataclass(frozen=True)
class DayReconciliation(ABC):
    """Two sides over some days: sums of each, and what differs. taken: the store's side; received: the other."""

    heading: ShopHeading
    days: tuple[DayLine, ...]
    differences: tuple[Difference, ...] = ()
    documents: tuple[Difference, ...] = ()
    doubles: tuple[Twice, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    readings: tuple[Reading, ...] = ()

    @abstractmethod
    def checks(self) -> list[Check]:
        """One a name, in their order."""

    @property
    def taken(self) -> Decimal:
        """Of the store, all days."""
        return sum((line.taken for line in self.days), ZERO)

    @property
    def received(self) -> Decimal:
        """Of the other side, all days."""
        return sum((line.received for line in self.days), ZERO)

    @property
    def difference(self) -> Decimal:
        """Taken less received."""
        return self.taken - self.received

    @property
    def explained(self) -> Decimal:
        """What the differences come to: the same as `difference`, or the reconciliation itself is wrong."""
        return sum((one.difference for one in self.differences), ZERO)

    @property
    def days_that_differ(self) -> int:
        """Days with a difference."""
        return sum(1 for line in self.days if line.difference)

    @property
    def clean(self) -> bool:
        """Every check passed."""
        return all(check.passed for check in self.checks())

    @property
    def summary(self) -> str:
        """One line in words: "18 days agree, 2 do not: 31.45 AUD on 2 orders"."""
        wrong, right = self.days_that_differ, len(self.days) - self.days_that_differ
        if not self.days:
            return "No days to compare."
        if not wrong:
            return f"All {right} days agree." if right > 1 else "The day agrees."
        orders = len({one.order or one.what for one in self.differences if one.difference})
        amount = self._money_words(self.difference)
        return (
            f"{count(right, 'day')} {'agrees' if right == 1 else 'agree'}, {wrong} {'does' if wrong == 1 else 'do'} not: "
            f"{amount} on {count(orders, 'order')}."
        )

    def _money_words(self, amount: Decimal) -> str:
        return f"{shown(amount, self.heading.currency)} {self.heading.currency}"

    def _fresh(self) -> Check:
        old = [one for one in self.readings if not one.fresh(self.heading.made_at)]
        if not old:
            return Check("readings_are_fresh", True, "Both sides were read lately.")
        told = "; ".join(
            f"{one.what} was {'never read' if one.at is None else f'last read {one.at:%Y-%m-%d %H:%M} UTC'}"
            for one in old
        )
        return Check("readings_are_fresh", False, f"{told[:1].upper()}{told[1:]}.")


@dataclass(frozen=True)
class ShopReconciliation(DayReconciliation):
    """All of it. `differences` are about money; `documents` about invoices, orders, totals and what is owed; `doubles` are of the
    whole file, not of the days."""

    methods: tuple[MethodLine, ...] = ()
    accounts: tuple[AccountLine, ...] = ()
    drift: tuple[Drift, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    stock_compared: bool = False
    items_compared: int = 0

    def checks(self) -> list[Check]:
        """One a name of `CHECKS`, in that order."""
        return [
            self._money(),
            self._documents("every_order_has_its_invoice", About.NO_INVOICE, "without an invoice"),
            self._documents("every_invoice_has_its_order", About.NO_ORDER, "without an order"),
            self._totals(),
            self._twice(),
            self._stock(),
            self._fresh(),
        ]

    def _money(self) -> Check:
        name = CHECKS[0]
        if self.explained != self.difference:
            return Check(
                name, False,
                f"The explanations come to {self._money_words(self.explained)}, the difference is "
                f"{self._money_words(self.difference)}: this reconciliation is wrong; please report it.",
            )  # fmt: skip
        left = [one for one in self.differences if one.open]
        if not left:
            return Check(
                name, True,
                f"Taken {self._money_words(self.taken)}, received {self._money_words(self.received)}.",
            )  # fmt: skip
        return Check(name, False, f"{self.summary} {reasons(left)}", waits=waits(left))

    def _documents(self, name: str, about: About, words: str) -> Check:
        left = [one for one in self.documents if one.about is about and one.open]
        what = "order" if about is About.NO_INVOICE else "invoice"
        if not left:
            return Check(name, True, f"No {what} {words}.")
        return Check(name, False, f"{count(len(left), what)} {words}. {reasons(left)}", waits=waits(left))

    def _totals(self) -> Check:
        left = [one for one in self.documents if one.about in (About.TOTAL, About.OWED) and one.open]
        if not left:
            return Check(
                "totals_agree", True, "Every invoice comes to its order's total, and as much is owed."
            )
        totals = sum(1 for one in left if one.about is About.TOTAL)
        owed = len(left) - totals
        parts = [f"{count(totals, 'total')} differ"] if totals else []
        parts += [f"{count(owed, 'order')} with another amount owed"] if owed else []
        return Check("totals_agree", False, f"{', '.join(parts)}. {reasons(left)}", waits=waits(left))

    def _twice(self) -> Check:
        if not self.doubles:
            return Check("nothing_is_there_twice", True, "No document of ours is in the books twice.")
        first = self.doubles[0]
        more = f" {count(len(self.doubles) - 1, 'document')} more." if len(self.doubles) > 1 else ""
        return Check(
            "nothing_is_there_twice",
            False,
            f"{first.what} {first.reference}: {first.text} {first.remedy}{more}",
        )

    def _stock(self) -> Check:
        if not self.stock_compared:
            return Check("stock_agrees", True, "Not compared: stock does not flow to the store.")
        if not self.drift:
            return Check("stock_agrees", True, f"{count(self.items_compared, 'item')} compared.")
        first = self.drift[0]
        return Check(
            "stock_agrees", False,
            f"{count(len(self.drift), 'item')} of {self.items_compared} differ, first {first.item}: the store has "
            f"{first.store:f}, the books give {first.books:f}.", waits=True,
        )  # fmt: skip


def waits(differences: Iterable[Difference]) -> bool:
    """Whether nobody has to act."""
    return not any(one.needs_person for one in differences)


def reasons(differences: Iterable[Difference]) -> str:
    """How often which reason, the most frequent first."""
    counts: dict[str, int] = {}
    for one in differences:
        counts[one.why.value] = counts.get(one.why.value, 0) + 1
    told = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "Why: " + ", ".join(f"{why} ({count})" for why, count in told) + "."


def count(number: int, what: str) -> str:
    """A number of things in words."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
