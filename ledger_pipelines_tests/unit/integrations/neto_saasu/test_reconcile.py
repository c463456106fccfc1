"""Reconciling a store with a file: every difference is told with its order, and they sum to what the totals differ by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import canonical
from ledger_pipelines.documents.sales import (
    Item,
    StockLevel,
)
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.compare import movement
from ledger_pipelines.integrations.neto_saasu.reconcile import Links
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.shop import Shop, Warehouse
from ledger_pipelines.reports.shop_view import CHECKS, About, Why
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import OneUnreadable
from ledger_pipelines_tests.unit.integrations.neto_saasu.reconciling import (
    FIRST,
    INVOICE,
    LAST,
    NOW,
    ORDER,
    PAID,
    READ,
    SETTINGS,
    STOCK,
    D,
    blocked,
    check,
    context,
    day,
    done,
    invoice,
    item,
    known,
    order,
    paid,
    pay_key,
    received,
)


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
