"""Payments of both sides that differ: booked by hand, on another day, in another account, twice, over, back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.documents.sales import (
    DocumentKind,
    Payment,
    PaymentKind,
)
from ledger_pipelines.integrations.neto_saasu import invoices, payments, refunds
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.payment_family import over_key
from ledger_pipelines.integrations.shop import Shop
from ledger_pipelines.reports.shop_view import Why
from ledger_pipelines.systems.saasu.records import (
    SaasuJournal,
    SaasuPayment,
)
from ledger_pipelines_tests.unit.integrations.neto_saasu.reconciling import (
    INVOICE,
    ORDER,
    PAID,
    READ,
    D,
    aud,
    blocked,
    check,
    context,
    day,
    done,
    invoice,
    known,
    noon,
    order,
    paid,
    pay_key,
    received,
    rma,
)


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
