"""Money taken in the store against money received in the file, payment by payment.

Belongs here: the movements of both sides, paired by our reference, and why a pair differs. Does not belong here: invoices
and totals (`compare_documents`), sums and words of the page (`reports.shop_view`), booking anything (`payments`, `refunds`).

Each movement is one amount on one day. A pair differs on a day by what the store's movements of that day come to, less the
file's: so the differences of a day sum to the day's difference, whatever the reasons are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import Payment, PaymentKind, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.by_day.stored import readable
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu import receipts
from ledger_pipelines.integrations.neto_saasu.accounts import payment_account
from ledger_pipelines.integrations.neto_saasu.compare import (
    CANCELLED,
    TOO_OLD,
    Because,
    Effects,
    Explainer,
    Links,
    Papers,
    address,
    movement,
    standing,
)
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.payment_family import over_key
from ledger_pipelines.integrations.neto_saasu.references import payment_key
from ledger_pipelines.integrations.neto_saasu.refund_payouts import drawn_key, refund_key
from ledger_pipelines.reports.shop_view import BY_ITSELF, About, Difference, LeftOut, Why
from ledger_pipelines.systems.saasu.records import SaasuAccount, SaasuJournal, SaasuPayment

PAY, REFUND = "NETO-PAY-", "NETO-REFUND-"
NO_METHOD = "no method told"
BOOKED_BY_HAND = frozenset({CANCELLED, TOO_OLD})
"""Orders that have no invoice of ours, while money received on them is in the bank all the same: a person books it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement. account: id of the bank account, "" = none. problem: why `amount` is not what the record says."""

    day: date
    amount: Decimal
    account: str
    number: str = ""
    reference: str = ""
    journal: bool = False
    problem: str = ""


@dataclass
class Pair:
    """The movements of one payment, or of one paid refund, on both sides. reference: ours, as it would be written."""

    about: str
    reference: str
    what: str
    keys: tuple[str, ...] = ()
    number: str = ""
    customer: str = ""
    method: str = NO_METHOD
    left_out: str = ""
    store: list[Entry] = field(default_factory=list)
    books: list[Entry] = field(default_factory=list)

    @property
    def compared(self) -> bool:
        """Whether it belongs in the file, or is there."""
        return not self.left_out or bool(self.books)

    def days(self) -> list[date]:
        """Days on which either side has a movement."""
        return sorted({entry.day for entry in (*self.store, *self.books)})


def on(entries: Iterable[Entry], day: date | None = None) -> Decimal:
    """What movements come to, of one day or of all."""
    return sum((entry.amount for entry in entries if day is None or entry.day == day), ZERO)


class Pairs:
    """All movements of both sides, paired."""

    def __init__(self, ctx: Context, effects: Effects) -> None:
        self._ctx, self._effects = ctx, effects
        self._prefix = ctx.settings.orders_to_saasu.prefix
        self._found: dict[str, Pair] = {}
        self.moved: list[tuple[date, Line]] = []
        """Other lines of our journals: of liability and clearing accounts."""
        self._store()
        self._books()

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._found.values())

    # --- the store -------------------------------------------------------------------------------------------------

    def _store(self) -> None:
        shop = self._ctx.shop
        seen: set[str] = set()
        for order in shop.orders.values():
            for payment in order.payments:
                seen.add(payment.key)
                self._payment(PAY, payment, order)
        for payment in shop.payments.values():
            if payment.key not in seen:
                its = shop.orders.get(payment.document)
                self._payment(PAY, payment, its, gone="not shown on its order (any more)" if its else "")
        for rma in shop.returns.values():
            its = shop.orders.get(rma.related)
            for payment in rma.payments:
                self._payment(REFUND, payment, its, rma=rma)

    def _payment(
        self,
        purpose: str,
        shown: Payment,
        order: SalesDocument | None,
        *,
        rma: SalesDocument | None = None,
        gone: str = "",
    ) -> None:
        payment = receipts.completed(self._ctx, shown) if purpose == PAY else shown
        if not payment.amount:
            return
        reference = f"{self._prefix}{purpose}{payment.key}"
        pair = self._pair(movement(reference, self._prefix) or folded(reference), reference)
        day = receipts.paid_on(self._ctx, payment)
        pair.keys = self._keys(purpose, payment.key)
        pair.what = f"{'Refund' if purpose == REFUND else 'Payment'} {payment.key}"
        names = self._ctx.shop.method_names
        pair.method = names.get(payment.method_id) or payment.method or payment.method_id or NO_METHOD
        document = order or rma
        pair.number = order.number if order else payment.document or (rma.number if rma else "")
        pair.customer = document.party.title if document else ""
        pair.left_out = pair.left_out or gone or self._left_out(purpose, payment, order, day)
        foreign = payment.amount.currency != self._ctx.shop.currency
        amount = ZERO if foreign else payment.amount.amount
        account = payment_account(self._ctx, payment)
        pair.store.append(
            Entry(
                day, -amount if payment.kind is PaymentKind.REFUND else amount,
                account.id if isinstance(account, SaasuAccount) else "",
                problem=f"It is in {payment.amount.currency}." if foreign else "",
            )
        )  # fmt: skip

    def _keys(self, purpose: str, payment: str) -> tuple[str, ...]:
        """Of the effects, and of the rows that report, what becomes of it."""
        ctx = self._ctx
        if purpose == PAY:
            return (payment_key(ctx, payment), over_key(ctx, payment))
        return (
            refund_key(ctx, payment), drawn_key(ctx, payment), ctx.key("payment", payment, "refund over"),
        )  # fmt: skip

    def _left_out(self, purpose: str, payment: Payment, order: SalesDocument | None, day: date) -> str:
        """Why a payment is not to be in the file; "" = it is, or somebody has to decide."""
        settings = self._ctx.settings
        if purpose == PAY and not settings.payments.enabled:
            return "payments are not exported: payments is off"
        if purpose == REFUND and not settings.refunds.enabled:
            return "refunds are not exported: refunds is off"
        if payment.amount.currency != self._ctx.shop.currency:
            return f"in {payment.amount.currency}, not in {self._ctx.shop.currency}"
        if order is None:
            return "the order is not known yet"
        why = standing(self._ctx, order)
        if why in BOOKED_BY_HAND:
            return "received before the start date" if day < self._ctx.first_day else ""
        return why

    # --- the file --------------------------------------------------------------------------------------------------

    def _books(self) -> None:
        for payment in self._ctx.books.payments:
            if ("SalePayment", payment.id) not in self._ctx.books.deleted:
                self._received(payment)
        for journal in self._ctx.books.journals:
            if ("Journal", journal.id) not in self._ctx.books.deleted:
                self._journal(journal)

    def _received(self, payment: SaasuPayment) -> None:
        about = movement(payment.reference, self._prefix)
        if about is None:
            return
        currency = self._ctx.shop.currency
        foreign = (
            "" if payment.currency in ("", currency) else f"Saasu has {payment.amount} {payment.currency}."
        )
        self._pair(about, payment.reference).books.append(
            Entry(
                payment.day, ZERO if foreign else payment.amount, payment.account, payment.id, payment.reference,
                problem=foreign,
            )
        )  # fmt: skip

    def _journal(self, journal: SaasuJournal) -> None:
        about = movement(journal.reference, self._prefix)
        if about is None:
            return
        wanted = folded(journal.reference)
        effects = self._effects.of_movement.get(about, ())
        lines = next(
            (found for one in effects if folded(one.external_id) == wanted and (found := _lines(one))), ()
        )
        # A receipt's bank is debited, a refund's is credited; the other side of it may be a clearing account.
        ours = [one for one in lines if (one.amount < 0) == (REFUND.casefold() in about)]
        self.moved += [(journal.day, one) for one in lines if one not in ours]
        problem = "" if ours else "Saasu's list of journals tells no amount, and this one is not ours."
        for one in ours or [Line("", ZERO)]:
            self._pair(about, journal.reference).books.append(
                Entry(
                    journal.day, one.amount, one.account, journal.id, journal.reference, journal=True, problem=problem
                )
            )  # fmt: skip

    def _pair(self, about: str, reference: str) -> Pair:
        return self._found.setdefault(about, Pair(about, reference, reference))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal: what it puts on an account, a credit is negative."""

    account: str
    amount: Decimal


def _lines(known: Known) -> tuple[Line, ...]:
    """Lines of a journal as we asked for it: Saasu's list of journals has none."""
    items = known.fields().get("Items")
    found = []
    for item in items if isinstance(items, list) else ():
        amount = item.get("Amount") if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(amount, int | Decimal) and not isinstance(amount, bool):
            sign = 1 if item.get("Type") == "Debit" else -1
            found.append(Line(_text(item.get("AccountId")), sign * Decimal(amount)))
    return tuple(found)


def _text(value: Json) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class MoneyComparison:
    """What came of it. pairs: those that are compared. differing: numbers of orders with a difference on any day."""

    pairs: tuple[Pair, ...]
    differences: tuple[Difference, ...]
    left_out: tuple[LeftOut, ...]
    differing: frozenset[str]


class MoneyComparer:
    """Explains pairs that differ."""

    def __init__(self, ctx: Context, papers: Papers, explainer: Explainer, links: Links) -> None:
        self._ctx, self._papers, self._explainer, self._links = ctx, papers, explainer, links
        self._ours_paid: dict[str, Decimal] = {}
        self._numbers = {folded(number): number for number in ctx.shop.orders}

    def compare(self, pairs: Pairs, first: date, last: date) -> MoneyComparison:
        """The differences of these days."""
        compared = [pair for pair in pairs if pair.compared]
        for pair in compared:
            for entry in pair.books:
                if not entry.journal:
                    number = self._order_of(pair, entry)
                    self._ours_paid[number] = self._ours_paid.get(number, ZERO) + entry.amount
        differences: list[Difference] = []
        differing = set()
        for pair in compared:
            found = self._of_pair(pair)
            if found:
                differing.add(pair.number)
            differences += [one for one in found if first <= one.day <= last]
        differences.sort(key=lambda one: (one.day, one.order, one.what))
        return MoneyComparison(
            tuple(compared), tuple(differences), _left_out(pairs, first, last), frozenset(differing)
        )

    def _order_of(self, pair: Pair, entry: Entry) -> str:
        """Whose invoice a payment of the file is on: a part for an order that was split off names it at its end."""
        part = folded(entry.reference)[len(folded(pair.reference)) + 1 :]
        return self._numbers.get(part, pair.number)

    def _of_pair(self, pair: Pair) -> list[Difference]:
        by_day = {day: (on(pair.store, day), on(pair.books, day)) for day in pair.days()}
        days = [day for day, (store, books) in by_day.items() if store != books]
        if not days:
            because = self._other_account(pair)
            if because is None:
                return []
            days = pair.days()[:1]
        else:
            because = self._because(pair)
        return [self._row(pair, day, *by_day[day], because) for day in days]

    def _row(self, pair: Pair, day: date, store: Decimal, books: Decimal, because: Because) -> Difference:
        here = next(
            (entry for entry in pair.books if entry.day == day), pair.books[0] if pair.books else None
        )
        return Difference(
            about=About.MONEY, why=because.why, day=day, order=pair.number,
            customer=pair.customer, what=pair.what, method=pair.method,
            store=store if any(entry.day == day for entry in pair.store) else None,
            books=books if any(entry.day == day for entry in pair.books) else None,
            text=because.text, remedy=because.remedy, reference=pair.reference, number=here.number if here else "",
            order_link=address(self._links.order, pair.number),
            books_link=address(self._links.payment, here.number) if here and not here.journal else "",
        )  # fmt: skip

    def _because(self, pair: Pair) -> Because:
        foreign = [entry.problem for entry in (*pair.store, *pair.books) if entry.problem]
        if not pair.books:
            return self._absent(pair)
        if not pair.store:
            return Because(
                Why.NOT_IN_STORE, f"Saasu has it as {pair.books[0].number}; the store has no such payment (any more).",
                "Look it up in the store; delete the payment in Saasu if it was taken back there.",
            )  # fmt: skip
        if foreign:
            return Because(Why.OTHER_CURRENCY, " ".join(foreign), "Correct it in Saasu.")
        store, books = on(pair.store), on(pair.books)
        if store == books:
            return Because(
                Why.OTHER_DAY, f"The store has it on {_days(pair.store)}, Saasu on {_days(pair.books)}.",
                "Correct the day on the side that is wrong.",
            )  # fmt: skip
        counts = Counter(folded(entry.reference) for entry in pair.books)
        if max(counts.values()) > 1 and abs(books) > abs(store):
            numbers = ", ".join(entry.number for entry in pair.books)
            return Because(
                Why.TWICE, f"Saasu has more than one payment with this reference: {numbers}.",
                "Delete the one too many in Saasu.",
            )  # fmt: skip
        present = {folded(entry.reference) for entry in pair.books}
        rest = self._explainer.movement(pair.about, pair.number, pair.keys, present)
        if abs(books) < abs(store) and rest is not None:
            return Because(rest.why, f"Only {books} of {store} is in Saasu. {rest.text}", rest.remedy)
        return Because(
            Why.OTHER_AMOUNT,
            f"The store has {store}, Saasu {books}.",
            "Correct the amount on the side that is wrong.",
        )

    def _absent(self, pair: Pair) -> Because:
        told = self._explainer.movement(pair.about, pair.number, pair.keys)
        if told is not None and told.why not in (Why.BLOCKED, Why.REFUSED, *BY_ITSELF):
            return told
        by_hand = self._by_hand(pair)
        if by_hand is not None:
            return by_hand
        if pair.number in self._ctx.shop.orders and not self._papers.sales(pair.number):
            first = self._explainer.invoice(pair.number, self._ctx.reference(pair.number))
            if told is None or told.why in BY_ITSELF or first.why not in BY_ITSELF:
                return Because(first.why, f"Its order is not in Saasu yet. {first.text}", first.remedy)
        return told or Because(
            Why.NOT_EXPORTED, f"{pair.what} was in no plan that was looked at.",
            "Run the plan of its flow for the day of its order's last change.",
        )  # fmt: skip

    def _by_hand(self, pair: Pair) -> Because | None:
        """Money on the order's invoice that carries no reference of ours, and would be enough for this payment."""
        amount = on(pair.store)
        others = self._papers.paid(pair.number) - self._ours_paid.get(pair.number, ZERO)
        if amount <= 0 or others < amount:
            return None
        return Because(
            Why.BY_HAND, f"Its invoice has {others} paid in Saasu that is not ours.",
            "If that is this payment, ignore it here; else take that payment off the invoice.",
        )  # fmt: skip

    def _other_account(self, pair: Pair) -> Because | None:
        wanted = {entry.account for entry in pair.store if entry.account}
        actual = {entry.account for entry in pair.books if entry.account}
        if not wanted or not actual or actual <= wanted:
            return None
        names = {account.id: account.name for account in readable(self._ctx.books.accounts)}
        there = ", ".join(sorted(names.get(one, one) for one in actual))
        meant = ", ".join(sorted(names.get(one, one) for one in wanted))
        return Because(
            Why.OTHER_ACCOUNT, f"It went to {there}; the settings give its method {meant}.",
            "Correct the account in Saasu, or the method in the settings.",
        )  # fmt: skip


def _days(entries: Iterable[Entry]) -> str:
    return ", ".join(sorted({entry.day.isoformat() for entry in entries}))


def _left_out(pairs: Iterable[Pair], first: date, last: date) -> tuple[LeftOut, ...]:
    found: dict[str, tuple[int, Decimal]] = {}
    for pair in pairs:
        entries = [entry for entry in pair.store if first <= entry.day <= last]
        if entries and not pair.compared:
            count, amount = found.get(pair.left_out, (0, ZERO))
            found[pair.left_out] = (count + len(entries), amount + on(entries))
    return tuple(LeftOut(why, count, amount) for why, (count, amount) in sorted(found.items()))
