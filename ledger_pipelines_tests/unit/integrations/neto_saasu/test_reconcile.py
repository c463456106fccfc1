"""Reconciling a store with a file: every difference is told with its order, and they sum to what the totals differ by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import (
    DocumentKind,
    Item,
    Party,
    Payment,
    PaymentKind,
    SalesDocument,
    StockLevel,
)
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.neto_saasu import invoices, payments, refunds
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.compare import movement
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.payment_family import over_key
from ledger_pipelines.integrations.neto_saasu.reconcile import Links, Scope, reconcile
from ledger_pipelines.integrations.neto_saasu.references import payment_key
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.shop import Shop, Warehouse
from ledger_pipelines.reports.shop_view import CHECKS, About, Check, ShopReconciliation, Why
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import (
    SaasuAccount,
    SaasuInvoice,
    SaasuItem,
    SaasuJournal,
    SaasuPayment,
)
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import OneUnreadable

D = Decimal
ZONE = ZoneInfo("Australia/Sydney")
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 20)
NOW = datetime(2026, 5, 21, 2, tzinfo=UTC)
READ = NOW - timedelta(hours=1)
SETTINGS = NetoSaasuSettings.model_validate(
    {
        "payments": {"methods": {"Credit Card": "Clearing Cards", "PayPal": "Clearing PayPal"}},
        "products_to_saasu": {"income_account": "1"},
    }
)


def day(number: int) -> date:
    return date(2026, 5, number)


def noon(of: date) -> datetime:
    return datetime.combine(of, time(12), ZONE).astimezone(UTC)


def aud(text: str) -> Money:
    return Money(D(text), "AUD")


def paid(key: str, amount: str, of: date, order: str, **more: object) -> Payment:
    return replace(Payment(key, order, aud(amount), noon(of), of, "Credit Card"), **more)  # type: ignore[arg-type]


def order(number: str, total: str, of: date, *payments: Payment, **more: object) -> SalesDocument:
    document = SalesDocument(
        DocumentKind.ORDER, number, number, "Dispatched", of, Party(number, "Pat", "Rivers"), True, aud(total), D(0), (),
        payments=payments,
    )  # fmt: skip
    return replace(document, **more)  # type: ignore[arg-type]


def rma(number: str, of_order: str, total: str, of: date, *refunds: Payment) -> SalesDocument:
    document = order(number, total, of, *refunds)
    return replace(document, kind=DocumentKind.CREDIT, status="Closed", related=of_order)


def invoice(key: str, number: str, total: str, of: date, owed: str = "0", **more: object) -> SaasuInvoice:
    document = SaasuInvoice(
        key,
        "Tax Invoice",
        "I",
        number,
        number,
        of,
        "",
        "AUD",
        D(total),
        D(0),
        D(total) - D(owed),
        D(owed),
        "L",
        None,
    )
    return replace(document, **more)  # type: ignore[arg-type]


def received(key: str, reference: str, amount: str, of: date, account: str = "9002") -> SaasuPayment:
    return SaasuPayment(key, reference, of, account, D(amount), D(0), "AUD", "", None)


def known(key: str, kind: str, reference: str, state: EffectState, **more: object) -> Known:
    fact = Known(key, kind, Action.CREATE, state, "{}", "", reference, remote_id="700", confirmed_at=NOW)
    return replace(fact, **more)  # type: ignore[arg-type]


def blocked(number: str, kind: str, code: str, key: str = "") -> PlanRow:
    return PlanRow(
        Action.BLOCKED, Reason(code, f"{number} is stuck.", "Do it."), key or f"k-{number}", number, "", kind
    )


ACCOUNTS = tuple(
    SaasuAccount(key, name, "Asset", True, True, True, "")
    for key, name in (("9002", "Clearing Cards"), ("9003", "Clearing PayPal"))
)


def context(
    orders: Iterable[SalesDocument] = (),
    books: Books | None = None,
    knowns: Iterable[Known] = (),
    *,
    returns: Iterable[SalesDocument] = (),
    settings: NetoSaasuSettings = SETTINGS,
    shop: Shop | None = None,
    ignored: frozenset[str] = frozenset(),
    mode: Mode = Mode.LIVE,
) -> Context:
    found = shop or Shop(
        "AUD", orders={one.number: one for one in orders}, returns={one.number: one for one in returns}
    )
    return Context(
        integration="web", source="store", target="file", account="5150", store="shop", zone=ZONE, store_zone=ZONE,
        mode=mode, settings=settings, day=LAST, today=NOW.date(), first_day=FIRST, shop=found,
        books=replace(books or Books("AUD"), accounts=ACCOUNTS, read_at=READ),
        journal=JournalView({one.key: one for one in knowns}, ignored),
    )  # fmt: skip


def pay_key(payment: str) -> str:
    return payment_key(context(), payment)


def done(ctx: Context, planned: Iterable[PlanRow] = (), **more: object) -> ShopReconciliation:
    scope = Scope(FIRST, LAST, "my store", "my file", NOW, READ)
    found = reconcile(ctx, replace(scope, **more), planned)  # type: ignore[arg-type]
    assert found.explained == found.difference
    assert sum((line.difference for line in found.methods), D(0)) == found.difference
    assert sum((line.difference for line in found.accounts), D(0)) == found.difference
    for line in found.days:
        assert (
            sum((one.difference for one in found.differences if one.day == line.day), D(0)) == line.difference
        )
    return found


def check(found: ShopReconciliation, name: str) -> Check:
    return next(one for one in found.checks() if one.name == name)


ORDER = order("N1", "50.00", day(3), paid("5501", "50.00", day(4), "N1"))
INVOICE = invoice("1", "N1", "50.00", day(3))
PAID = received("11", "NETO-PAY-5501", "50.00", day(4))


def test_two_sides_that_agree_are_clean() -> None:
    found = done(context([ORDER], Books("AUD", invoices=(INVOICE,), payments=(PAID,))))
    assert found.clean
    assert found.summary == "All 20 days agree."
    assert [one.name for one in found.checks()] == list(CHECKS)
    assert (found.taken, found.received) == (D(50), D(50))
    (moved,) = [line for line in found.days if line.taken]
    assert (moved.day, moved.received) == (day(4), D(50))
    (booked,) = [line for line in found.days if line.orders]
    assert (booked.day, booked.invoices, booked.ordered, booked.invoiced) == (day(3), 1, D(50), D(50))
    (account,) = found.accounts
    assert (account.name, account.methods, account.expected, account.received) == (
        "Clearing Cards", ("Credit Card",), D(50), D(50),
    )  # fmt: skip


def test_the_day_of_a_payment_is_that_of_the_books_not_of_utc() -> None:
    late = datetime(2026, 5, 4, 14, 30, tzinfo=UTC)  # half past midnight of the fifth in Sydney
    one = order("N1", "50.00", day(3), paid("5501", "50.00", day(4), "N1", at=late))
    found = done(context([one], Books("AUD", invoices=(INVOICE,), payments=(replace(PAID, day=day(5)),))))
    assert found.clean
    assert [line.day for line in found.days if line.taken] == [day(5)]


def test_a_payment_that_waits_is_told_with_its_order_and_the_blocked_reason() -> None:
    found = done(
        context([ORDER], Books("AUD", invoices=(replace(INVOICE, owed=D(50), paid=D(0)),))),
        [blocked("N1", "payment", "no-account", pay_key("5501"))],
    )
    (one,) = found.differences
    assert (one.order, one.customer, one.store, one.books, one.why) == (
        "N1",
        "Pat Rivers",
        D(50),
        None,
        Why.BLOCKED,
    )
    assert (one.text, one.remedy) == ("N1 is stuck.", "Do it.")
    failed = check(found, "paid_in_store_is_received")
    assert not failed.passed and not failed.waits
    assert found.summary == "19 days agree, 1 does not: 50.00 AUD on 1 order."
    assert found.documents == ()  # that as much is still owed is the same difference, told once
    (waits,) = found.waiting
    assert (waits.number, waits.code) == ("N1", "no-account")


def test_of_two_payments_of_an_order_each_has_its_own_reason() -> None:
    two = order(
        "N1", "80.00", day(3), paid("5501", "50.00", day(4), "N1"), paid("5502", "30.00", day(4), "N1")
    )
    rows = [
        blocked("N1", "payment", "first", pay_key("5501")),
        blocked("N1", "payment", "second", pay_key("5502")),
    ]
    rows[1] = replace(rows[1], reason=Reason("second", "The second is stuck."))
    found = done(context([two], Books("AUD", invoices=(invoice("1", "N1", "80.00", day(3), "80.00"),))), rows)
    assert [one.text for one in found.differences] == ["N1 is stuck.", "The second is stuck."]


def test_an_order_that_is_not_there_explains_its_payments_too() -> None:
    found = done(context([ORDER]), [blocked("N1", "invoice", "unknown-sku")])
    (money,) = found.differences
    (paper,) = found.documents
    assert (money.why, paper.why, paper.about) == (Why.BLOCKED, Why.BLOCKED, About.NO_INVOICE)
    assert money.text == "Its order is not in Saasu yet. N1 is stuck."
    assert not check(found, "every_order_has_its_invoice").passed


@pytest.mark.parametrize(
    ("state", "more", "why"),
    [
        (EffectState.CONFIRMED, {"confirmed_at": READ - timedelta(hours=1)}, Why.DELETED),
        (EffectState.CONFIRMED, {"confirmed_at": READ + timedelta(minutes=1)}, Why.NOT_READ),
        (EffectState.REFUSED, {"text": "No."}, Why.REFUSED),
        (EffectState.HELD, {"text": "Held."}, Why.BLOCKED),
        (EffectState.UNKNOWN, {}, Why.IN_DOUBT),
        (EffectState.IGNORED, {}, Why.IGNORED),
        (EffectState.APPROVED, {}, Why.NOT_EXPORTED),
    ],
)
def test_the_journal_tells_why_a_payment_is_not_there(
    state: EffectState, more: dict[str, object], why: Why
) -> None:
    books = Books("AUD", invoices=(invoice("1", "N1", "50.00", day(3), "50.00"),))
    found = done(context([ORDER], books, [known("p", "payment", "NETO-PAY-5501", state, **more)]))
    (one,) = found.differences
    assert one.why is why
    assert check(found, "paid_in_store_is_received").passed is (why is Why.IGNORED)
    by_itself = why in (Why.NOT_READ, Why.IN_DOUBT, Why.NOT_EXPORTED)
    assert check(found, "paid_in_store_is_received").waits is by_itself


def test_what_is_planned_waits_for_tomorrow_when_the_days_calls_are_gone() -> None:
    books = Books("AUD", invoices=(invoice("1", "N1", "50.00", day(3), "50.00"),))
    approved = known("p", "payment", "NETO-PAY-5501", EffectState.APPROVED)
    (one,) = done(context([ORDER], books, [approved]), calls_left=0).differences
    assert one.why is Why.WAITS_FOR_QUOTA


def test_in_mode_plan_the_page_says_that_nothing_is_written() -> None:
    books = Books("AUD", invoices=(invoice("1", "N1", "50.00", day(3), "50.00"),))
    approved = known("p", "payment", "NETO-PAY-5501", EffectState.APPROVED)
    found = done(context([ORDER], books, [approved]), mode=Mode.PLAN)
    assert found.heading.mode == "plan"
    assert "nothing is written" in found.differences[0].text


def test_a_quick_payment_that_was_deleted_with_its_invoice_is_found_by_the_invoices_effect() -> None:
    body = canonical({"QuickPayment": {"Reference": "NETO-PAY-5501", "Amount": D(50)}})
    effect = known(
        "i", "invoice", "N1", EffectState.CONFIRMED, body=body, confirmed_at=READ - timedelta(days=1)
    )
    found = done(context([ORDER], Books("AUD", deleted=frozenset({("Sale", "700")})), [effect]))
    assert [one.why for one in found.differences] == [Why.DELETED]
    assert [one.why for one in found.documents] == [Why.DELETED]
    assert "deleted in Saasu" in found.documents[0].text


def test_an_invoice_refused_for_want_of_stock_becomes_a_sale_order_by_itself() -> None:
    refused = known(
        "i", "invoice", "N1", EffectState.REFUSED, code="negative-stock", text="No stock.", remote_id=""
    )
    quick = canonical({"QuickPayment": {"Reference": "NETO-PAY-5501", "Amount": D(50)}})
    found = done(context([ORDER], knowns=[replace(refused, body=quick)]))
    (money,) = found.differences
    assert (money.why, money.text.startswith("Its order is not in Saasu yet. No stock.")) == (
        Why.NOT_EXPORTED,
        True,
    )
    assert found.waiting == ()
    assert all(check(found, name).waits for name in CHECKS[:2])
    never = NetoSaasuSettings.model_validate(
        {**SETTINGS.model_dump(), "orders_to_saasu": {"retry_as_sale_order": False}}
    )
    stays = done(context([ORDER], knowns=[refused], settings=never))
    assert [one.why for one in (*stays.differences, *stays.documents)] == [Why.REFUSED, Why.REFUSED]
    assert [one.code for one in stays.waiting] == ["negative-stock"]
    conversion = replace(refused, action=Action.UPDATE)
    assert [one.code for one in done(context([ORDER], knowns=[conversion])).waiting] == ["negative-stock"]


def test_a_payment_that_was_booked_by_hand_is_recognised_on_its_invoice() -> None:
    hand = received("12", "my own", "50.00", day(4))
    found = done(context([ORDER], Books("AUD", invoices=(INVOICE,), payments=(hand,))))
    (one,) = found.differences
    assert one.why is Why.BY_HAND
    (account,) = found.accounts
    assert (account.expected, account.received, account.others) == (D(50), D(0), D(50))


def test_another_day_is_two_rows_that_cancel() -> None:
    found = done(context([ORDER], Books("AUD", invoices=(INVOICE,), payments=(replace(PAID, day=day(6)),))))
    assert [(one.day, one.difference, one.why) for one in found.differences] == [
        (day(4), D(50), Why.OTHER_DAY),
        (day(6), D(-50), Why.OTHER_DAY),
    ]
    assert found.difference == 0
    assert not check(found, "paid_in_store_is_received").passed
    assert found.summary == "18 days agree, 2 do not: 0.00 AUD on 1 order."


def test_another_day_beyond_the_range_is_one_row() -> None:
    found = done(
        context([ORDER], Books("AUD", invoices=(INVOICE,), payments=(replace(PAID, day=date(2026, 6, 1)),)))
    )
    assert [(one.day, one.why) for one in found.differences] == [(day(4), Why.OTHER_DAY)]
    assert found.difference == D(50)


def test_amounts_accounts_and_doubles_that_differ_are_told_apart() -> None:
    def why(*payments: SaasuPayment) -> tuple[Why, Decimal]:
        found = done(context([ORDER], Books("AUD", invoices=(INVOICE,), payments=payments)))
        assert not check(found, "paid_in_store_is_received").passed
        return found.differences[0].why, found.difference

    assert why(replace(PAID, amount=D("45.00"))) == (Why.OTHER_AMOUNT, D(5))
    assert why(PAID, replace(PAID, id="12")) == (Why.TWICE, D(-50))
    assert why(PAID, received("13", "NETO-PAY-9999", "7.00", day(4))) == (Why.NOT_IN_STORE, D(-7))
    assert why(replace(PAID, account="9003")) == (Why.OTHER_ACCOUNT, D(0))
    assert why(replace(PAID, currency="USD")) == (Why.OTHER_CURRENCY, D(50))


def test_an_overpayment_is_its_payment_and_its_journal_together() -> None:
    over = order("N1", "50.00", day(3), paid("5501", "60.00", day(4), "N1"))
    body = canonical({"Items": [{"Type": "Debit", "AccountId": "9002", "Amount": D("10.00")},
                                {"Type": "Credit", "AccountId": "8", "Amount": D("10.00")}]})  # fmt: skip
    effect = known("j", "journal", "NETO-PAY-5501-OVER", EffectState.CONFIRMED, body=body)
    journal = SaasuJournal("90", "NETO-PAY-5501-OVER", day(4), "")
    books = Books("AUD", invoices=(INVOICE,), payments=(PAID,), journals=(journal,))
    assert done(context([over], books, [effect])).clean
    quick = canonical({"QuickPayment": {"Reference": "NETO-PAY-5501", "Amount": D(50)}})
    there = known("i", "invoice", "N1", EffectState.CONFIRMED, body=quick, remote_id="1", confirmed_at=READ)
    less = replace(books, journals=())
    without = done(
        context([over], less, [there]), [blocked("N1", "journal", "overpaid", over_key(context(), "5501"))]
    )
    (one,) = without.differences
    assert (one.difference, one.why) == (D(10), Why.BLOCKED)
    assert one.text.startswith("Only 50.00 of 60.00 is in Saasu.")
    before = replace(effect, confirmed_at=READ - timedelta(days=1))
    (lost,) = done(context([over], less, [there, before])).differences
    assert lost.why is Why.DELETED


def test_a_paid_refund_is_negative_on_both_sides() -> None:
    refund = Payment("31", "N1", aud("16.50"), noon(day(9)), day(9), "Credit Card", kind=PaymentKind.REFUND)
    returned = rma("77", "N1", "16.50", day(8), refund)
    note = invoice("2", "N1-RMA77", "-16.50", day(8))
    out = received("14", "NETO-REFUND-31", "-16.50", day(9))
    books = Books("AUD", invoices=(INVOICE, note), payments=(PAID, out))
    found = done(context([ORDER], books, returns=[returned]))
    assert found.clean
    assert found.received == D("33.50")
    missing = done(
        context([ORDER], replace(books, invoices=(INVOICE,), payments=(PAID,)), returns=[returned])
    )
    assert missing.difference == D("-16.50")
    assert [(one.what, one.store) for one in missing.documents] == [("Return 77", D("-16.50"))]


def test_the_plans_own_rows_explain_what_is_missing() -> None:
    """With the flows' real plans: an order that does not foot, a method without account, a return of an order not booked."""
    refund = Payment("31", "77", aud("16.50"), noon(day(9)), day(9), "Credit Card", kind=PaymentKind.REFUND)
    odd = order("N2", "20.00", day(3), paid("5502", "20.00", day(5), "N2", method="Cheque"))
    ctx = context([ORDER, odd], Books("AUD", invoices=(invoice("2", "N2", "20.00", day(3), "20.00"),)),
                  returns=[rma("77", "N1", "16.50", day(8), refund)])  # fmt: skip
    orders, returns = list(ctx.shop.orders.values()), list(ctx.shop.returns.values())
    planned = [*invoices.rows(ctx, orders), *payments.rows(ctx, orders), *refunds.rows(ctx, returns)]
    found = done(ctx, planned)
    told = {one.what: one for one in found.differences}
    assert all(one.why is Why.BLOCKED for one in told.values())
    assert "says 50.00 AUD, its lines come to 0.00 AUD" in told["Payment 5501"].text
    assert "Cheque, which has no bank account" in told["Payment 5502"].text
    assert told["Refund 31"].text.startswith("Its order is not in Saasu yet. Order N1 says 50.00 AUD")
    papers = {one.what: one for one in found.documents}
    assert "says 50.00 AUD" in papers["Order"].text
    assert "credits order N1, which has no invoice" in papers["Return 77"].text
    assert {one.code for one in found.waiting} == {"does-not-foot", "method-unmapped", "order-not-booked"}


def test_a_refund_out_of_credit_that_had_moved_is_one_refund_and_two_accounts() -> None:
    refund = Payment("31", "77", aud("16.50"), noon(day(12)), day(12), "Credit Card", kind=PaymentKind.REFUND)
    body = canonical({"Items": [{"Type": "Debit", "AccountId": "9003", "Amount": D("16.50")},
                                {"Type": "Credit", "AccountId": "9002", "Amount": D("16.50")}]})  # fmt: skip
    effect = known("d", "journal", "NETO-REFUND-31", EffectState.CONFIRMED, body=body)
    note = invoice("2", "N1-RMA77", "-16.50", day(8))
    moved = received("14", "NETO-CREDIT-77", "-16.50", day(8), "9003")
    other = order("N8", "1.00", day(3), paid("5508", "1.00", day(4), "N8", method="PayPal"))
    books = Books(
        "AUD", invoices=(INVOICE, note, invoice("8", "N8", "1.00", day(3))),
        payments=(PAID, moved, received("18", "NETO-PAY-5508", "1.00", day(4), "9003")),
        journals=(SaasuJournal("91", "NETO-REFUND-31", day(12), ""),),
    )  # fmt: skip
    found = done(context([ORDER, other], books, [effect], returns=[rma("77", "N1", "16.50", day(8), refund)]))
    assert found.clean
    assert [(one.name, one.received, one.others) for one in found.accounts] == [
        ("Clearing Cards", D("33.50"), D(0)),
        ("Clearing PayPal", D(1), D(0)),  # moved there and out again
    ]


def test_payments_of_orders_that_do_not_flow_are_left_out_and_counted() -> None:
    new = order("N2", "20.00", day(3), paid("5502", "20.00", day(4), "N2"), status="New")
    quote = order("Q3", "30.00", day(3), paid("5503", "30.00", day(4), "Q3"), kind=DocumentKind.QUOTE)
    listed = {"5504": paid("5504", "7.00", day(4), "N1"), "5505": paid("5505", "8.00", day(4), "N77")}
    shop = Shop("AUD", orders={one.number: one for one in (ORDER, new, quote)}, payments=listed)
    found = done(context(shop=shop, books=Books("AUD", invoices=(INVOICE,), payments=(PAID,))))
    assert found.clean
    assert found.taken == D(50)
    assert [(one.why, one.payments, one.amount) for one in found.left_out] == [
        ("a quote, no order yet", 1, D(30)),
        ("not shown on its order (any more)", 1, D(7)),
        ("the order has status New, which is not exported", 1, D(20)),
        ("the order is not known yet", 1, D(8)),
    ]


def test_money_on_a_cancelled_or_old_order_is_in_the_bank_and_so_it_is_compared() -> None:
    old = order("N3", "30.00", date(2026, 4, 1), paid("5503", "30.00", day(4), "N3"))
    gone = order("N4", "20.00", day(3), paid("5504", "20.00", day(4), "N4"), cancelled=True)
    rows = [
        blocked("N3", "payment", "old-order-paid", pay_key("5503")),
        blocked("N4", "payment", "cancelled-order-paid", pay_key("5504")),
    ]
    found = done(context([old, gone]), rows)
    assert [(one.order, one.why) for one in found.differences] == [("N3", Why.BLOCKED), ("N4", Why.BLOCKED)]
    assert found.documents == ()
    earlier = replace(old, payments=(paid("5503", "30.00", date(2026, 4, 30), "N3"),))
    left = done(context([earlier]), first=date(2026, 4, 1)).left_out
    assert [one.why for one in left] == ["received before the start date"]


def test_what_a_user_ignored_is_told_and_counts_no_more() -> None:
    row = replace(blocked("N1", "payment", "ignored-by-user", pay_key("5501")), action=Action.SKIP)
    books = Books("AUD", invoices=(invoice("1", "N1", "50.00", day(3), "50.00"),))
    found = done(context([ORDER], books), [row])
    assert [one.why for one in found.differences] == [Why.IGNORED]
    assert found.clean and found.difference == D(50)


def test_a_payment_of_an_unexported_order_that_is_in_the_books_is_compared_all_the_same() -> None:
    new = order("N1", "50.00", day(3), paid("5501", "50.00", day(4), "N1"), status="New")
    found = done(context([new], Books("AUD", invoices=(INVOICE,), payments=(PAID,))))
    assert (found.taken, found.received, found.left_out) == (D(50), D(50), ())


def test_an_invoice_without_its_order_is_told_only_when_it_is_ours() -> None:
    effect = known("i", "invoice", "N9", EffectState.CONFIRMED, remote_id="1")
    books = Books(
        "AUD", invoices=(invoice("1", "N9", "50.00", day(3)), invoice("2", "by hand", "1.00", day(3)))
    )
    found = done(context([], books, [effect]))
    (one,) = found.documents
    assert (one.about, one.why, one.books, one.order) == (About.NO_ORDER, Why.NOT_IN_STORE, D(50), "N9")
    assert not check(found, "every_invoice_has_its_order").passed


def test_a_cancelled_order_counts_until_its_invoice_is_credited_or_deleted() -> None:
    gone = order("N1", "50.00", day(3), cancelled=True)
    effect = known("i", "invoice", "N1", EffectState.CONFIRMED, remote_id="1")
    books = Books("AUD", invoices=(invoice("1", "N1", "50.00", day(3), "50.00"),))
    found = done(context([gone], books, [effect]))
    assert [one.why for one in found.documents] == [Why.CANCELLED]
    credit = invoice("2", "N1-C1", "-50.00", day(5), "-50.00")
    assert done(context([gone], replace(books, invoices=(*books.invoices, credit)), [effect])).clean
    assert done(context([gone], replace(books, deleted=frozenset({("Sale", "1")})), [effect])).clean


def test_totals_that_differ_and_what_was_credited_and_posted_anew() -> None:
    found = done(
        context([ORDER], Books("AUD", invoices=(invoice("1", "N1", "45.00", day(3)),), payments=(PAID,)))
    )
    (one,) = found.documents
    assert (one.about, one.difference) == (About.TOTAL, D(5))
    assert check(found, "totals_agree").text.startswith("1 total differ")
    anew = (
        invoice("1", "N1", "45.00", day(3)), invoice("2", "N1-C1", "-45.00", day(4)), invoice("3", "N1-R1", "50.00", day(4)),
    )  # fmt: skip
    assert done(context([ORDER], Books("AUD", invoices=anew, payments=(PAID,)))).clean


def test_a_payment_in_the_books_that_the_store_does_not_know_shows_in_what_is_owed() -> None:
    unpaid = order("N1", "50.00", day(3))
    found = done(context([unpaid], Books("AUD", invoices=(INVOICE,))))
    (one,) = found.documents
    assert (one.about, one.why, one.store, one.books) == (About.OWED, Why.BY_HAND, D(50), D(0))


def test_parts_of_one_payment_on_split_and_reposted_invoices_are_one_payment() -> None:
    parent = order("N1", "30.00", day(3), paid("5501", "50.00", day(4), "N1"))
    child = order("N1-1", "20.00", day(3), related="N1")
    parts = (
        received("1", "NETO-PAY-5501", "30.00", day(4)), received("2", "NETO-PAY-5501-N1-1", "20.00", day(4)),
        received("3", "NETO-PAY-5501-C1", "-30.00", day(9)), received("4", "NETO-PAY-5501-R1", "30.00", day(9)),
    )  # fmt: skip
    papers = (
        invoice("1", "N1", "30.00", day(3)), invoice("2", "N1-1", "20.00", day(3)), invoice("3", "N1-C1", "-30.00", day(9)),
        invoice("4", "N1-R1", "30.00", day(9)),
    )  # fmt: skip
    found = done(context([parent, child], Books("AUD", invoices=papers, payments=parts)))
    assert found.clean
    assert found.received == D(50)


def test_what_is_owed_of_a_split_order_is_compared_for_the_family() -> None:
    parent = order("N1", "30.00", day(3), paid("5501", "50.00", day(4), "N1"))
    child = order("N1-1", "20.00", day(3), related="N1")
    books = Books(
        "AUD",
        invoices=(invoice("1", "N1", "30.00", day(3)), invoice("2", "N1-1", "20.00", day(3))),
        payments=(PAID,),
    )
    assert done(context([parent, child], books)).clean
    open_ = replace(books, invoices=(books.invoices[0], invoice("2", "N1-1", "20.00", day(3), "20.00")))
    (one,) = done(context([parent, child], open_)).documents
    assert (one.about, one.what, one.books) == (About.OWED, "Owed (with N1-1)", D(20))


STOCK = NetoSaasuSettings.model_validate(
    {"inventory_from_saasu": {"enabled": True, "warehouse": "Main", "quantity": "on_hand_less_committed"}}
)


def item(code: str, on_hand: str | None, committed: str = "0", *, inventoried: bool = True) -> SaasuItem:
    return SaasuItem(
        "i" + code, code, code, True, inventoried, True, True, False, None, True, None,
        None if on_hand is None else D(on_hand), D(committed), "", None,
    )  # fmt: skip


def test_stock_that_drifted_is_told_and_what_has_no_stock_is_not() -> None:
    shop = Shop(
        "AUD", items={sku: Item(sku, sku) for sku in ("A", "B", "SERVICE")}, warehouses=(Warehouse("1", "", "Main", True, True),),
        stock=(StockLevel("A", "1", D(7)), StockLevel("A", "2", D(99)), StockLevel("B", "1", D(4))), stock_read_at=READ,
    )  # fmt: skip
    books = Books(
        "AUD", stock=(item("A", "10", "3"), item("B", "5"), item("SERVICE", None, inventoried=False), item("X", "1")),
        stock_read_at=READ,
    )  # fmt: skip
    found = done(context(books=books, shop=shop, settings=STOCK))
    assert [(one.item, one.books, one.store) for one in found.drift] == [("B", D(5), D(4))]
    assert found.items_compared == 2
    failed = check(found, "stock_agrees")
    assert not failed.passed and failed.waits


def test_a_record_that_cannot_be_read_waits_and_the_rest_is_compared() -> None:
    shop = Shop("AUD", orders=OneUnreadable({"N1": ORDER, "N2": ORDER}))
    found = done(context(shop=shop, books=Books("AUD", invoices=(INVOICE,), payments=(PAID,))))
    assert found.clean
    assert found.taken == D(50)
    assert [(one.number, one.what, one.code) for one in found.waiting] == [
        ("N2", "Order", "unreadable-record")
    ]


def test_what_is_known_of_an_order_without_reading_it_does_not_end_the_page() -> None:
    shop = Shop(
        "AUD",
        items={"A": Item("A", "A")},
        orders=OneUnreadable({"N1": ORDER, "N2": ORDER}),
        split_off={"N1": ("N2",)},
        last_shipped={"N2": READ},
        emails={},
        warehouses=(Warehouse("1", "", "Main", True, True),),
        stock=(StockLevel("A", "1", D(7)),),
        stock_read_at=READ,
    )
    books = Books(
        "AUD", invoices=(INVOICE,), payments=(PAID,), stock=(item("A", "10", "3"),), stock_read_at=READ
    )
    found = done(context(shop=shop, books=books, settings=STOCK))
    assert [one.number for one in found.waiting] == ["N2"]
    assert (found.taken, found.items_compared) == (D(50), 1)


def test_old_readings_fail_their_check_and_name_the_side() -> None:
    found = done(context(), store_read_at=NOW - timedelta(days=2))
    failed = check(found, "readings_are_fresh")
    assert not failed.passed
    assert "My store" in failed.text
    assert not check(done(context(), store_read_at=None), "readings_are_fresh").passed


def test_links_lead_to_the_record_and_only_where_the_address_is_known() -> None:
    links = Links("https://shop/order?id={id}", "https://saasu/sale/{id}", "https://saasu/payment/{id}")
    ctx = context([ORDER], Books("AUD", invoices=(INVOICE,), payments=(replace(PAID, amount=D(45)),)))
    (one,) = done(ctx, links=links).differences
    assert (one.order_link, one.books_link) == ("https://shop/order?id=N1", "https://saasu/payment/11")
    assert done(ctx).differences[0].order_link == ""


def test_references_of_another_store_are_not_ours() -> None:
    assert movement("A-NETO-PAY-5501", "A-") == "neto-pay-5501"
    assert movement("A-NETO-PAY-5501-OVER", "a-") == "neto-pay-5501"
    assert movement("B-NETO-PAY-5501", "A-") is None
    assert movement("B-NETO-PAY-5501", "") is None
    assert movement("NETO-PAY-55011", "") != movement("NETO-PAY-5501", "")


KEYS = st.sampled_from(["1", "2", "3", "4"])
DAYS = st.integers(1, 24).map(lambda number: FIRST - timedelta(days=2) + timedelta(days=number))
CENTS = st.integers(-9000, 9000).map(lambda cents: Decimal(cents).scaleb(-2))
METHODS = st.sampled_from(["Credit Card", "PayPal", "Cash"])


@hypothesis_settings(max_examples=200, deadline=None)
@given(
    took=st.lists(st.tuples(KEYS, DAYS, CENTS, METHODS), max_size=6, unique_by=lambda one: one[0]),
    got=st.lists(st.tuples(KEYS, DAYS, CENTS, st.sampled_from(["9002", "9003", "77"])), max_size=8),
    status=st.sampled_from(["Dispatched", "New"]),
    whole=st.booleans(),
)
def test_whatever_the_sides_hold_the_differences_sum_to_the_difference_of_every_day(
    took: list[tuple[str, date, Decimal, str]],
    got: list[tuple[str, date, Decimal, str]],
    status: str,
    whole: bool,
) -> None:
    orders = [
        order(f"N{key}", "50.00", of, paid(key, str(amount), of, f"N{key}", method=method), status=status)
        for key, of, amount, method in took
    ]
    payments = tuple(
        received(str(at), f"NETO-PAY-{key}", str(amount), of, account)
        for at, (key, of, amount, account) in enumerate(got)
    )
    invoices = tuple(invoice(one.key, one.number, "50.00", one.day) for one in orders) if whole else ()
    found = done(context(orders, Books("AUD", invoices=invoices, payments=payments)))
    inside = [amount for _, of, amount, _ in got if FIRST <= of <= LAST]
    assert found.received == sum(inside, D(0))
    compared = {key for key, *_ in got} if status == "New" else {key for key, *_ in took}
    early = {key for key, of, *_ in took if of < FIRST} - {key for key, *_ in got}
    taken = [amount for key, of, amount, _ in took if FIRST <= of <= LAST and key in compared - early]
    assert found.taken == sum(taken, D(0))
