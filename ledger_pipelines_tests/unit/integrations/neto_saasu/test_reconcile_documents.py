"""Orders against invoices, what is owed, and stock."""

from __future__ import annotations

from dataclasses import replace

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.sales import (
    Item,
    StockLevel,
)
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.shop import Shop, Warehouse
from ledger_pipelines.reports.shop_view import About, Why
from ledger_pipelines_tests.unit.integrations.neto_saasu.reconciling import (
    INVOICE,
    ORDER,
    PAID,
    READ,
    STOCK,
    D,
    check,
    context,
    day,
    done,
    invoice,
    item,
    known,
    order,
    paid,
)


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
