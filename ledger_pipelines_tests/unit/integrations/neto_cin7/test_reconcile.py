"""Both sides compared: orders, totals by day, state, catalogue; each difference with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.stored import Decoded, Rows, Stored
from ledger_pipelines.integrations.neto_cin7 import orders, payments, status_updates
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.doubles import open_item
from ledger_pipelines.integrations.neto_cin7.omni import Omni
from ledger_pipelines.integrations.neto_cin7.pairing import pair
from ledger_pipelines.integrations.neto_cin7.reconcile import Scope, reconcile
from ledger_pipelines.reports.omni_reconciliation import WORDS, render
from ledger_pipelines.reports.omni_view import CHECKS, OmniReconciliation
from ledger_pipelines.reports.shop_view import About, Why
from ledger_pipelines.systems.cin7.records import Payment as OmniPayment
from ledger_pipelines.systems.cin7.records import SalesOrder
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    DAY,
    LATER,
    READ_AT,
    booked,
    contact,
    context,
    d,
    effect_of,
    known,
    line,
    omni,
    option,
    order,
    payment,
    refusing,
    settings,
    shop,
)

NOW = datetime(2025, 3, 3, 10, tzinfo=UTC)
DISPATCHING = settings(status_updates={"auto_dispatch_orders": "Yes - Completed Orders Only"})


def scope(**other: Any) -> Scope:
    made = Scope(DAY - timedelta(days=1), DAY, "the shop", "the account", NOW, NOW)
    return replace(made, **other)


def at(ctx: Context, some: Sequence[SalesDocument]) -> OmniReconciliation:
    rows = [*orders.rows(ctx, some), *payments.rows(ctx, some), *status_updates.rows(ctx, some)]
    return reconcile(ctx, scope(), rows)


def standing(*some: SalesDocument, **held: Any) -> tuple[list[Any], list[SalesOrder]]:
    effects = [effect_of(context([one]), one) for one in some]
    journal = [known(effect, str(100 + n)) for n, effect in enumerate(effects)]
    return journal, [replace(booked(effect, str(100 + n)), **held) for n, effect in enumerate(effects)]


def passed(figures: OmniReconciliation) -> dict[str, bool]:
    return {check.name: check.passed for check in figures.checks()}


def test_two_sides_that_agree() -> None:
    some = [order("N1"), order("N2", day=DAY - timedelta(days=1)), order("N3", cancelled=True)]
    journal, held = standing(*some[:2])
    figures = at(context(some, account=omni(orders=held), known=journal), some)
    assert set(passed(figures).values()) == {True}
    assert tuple(passed(figures)) == CHECKS == tuple(WORDS)
    assert figures.clean
    assert figures.summary == "All 2 days agree."
    assert [(one.day, one.taken, one.received, one.orders, one.invoices) for one in figures.days] == [
        (DAY - timedelta(days=1), d("16.50"), d("16.50"), 1, 1), (DAY, d("16.50"), d("16.50"), 1, 1),
    ]  # fmt: skip


def test_orders_that_are_missing_say_why() -> None:
    new, broken, doubtful, refused, unread = (order(f"N{n}") for n in range(5))
    broken = replace(broken, lines=(line("GONE"),))
    some = [new, broken, doubtful, refused, unread]
    ctx = context(some)
    journal = [
        known(effect_of(ctx, doubtful), "", state=EffectState.UNKNOWN),
        known(effect_of(ctx, refused), "", state=EffectState.REFUSED, code="cin7-refused", text="No."),
        known(effect_of(ctx, unread), "999"),
    ]
    figures = at(context(some, known=journal), some)
    assert [(one.order, one.why) for one in figures.differences] == [
        ("N0", Why.NOT_EXPORTED), ("N1", Why.BLOCKED), ("N2", Why.IN_DOUBT), ("N3", Why.REFUSED), ("N4", Why.NOT_READ),
    ]  # fmt: skip
    assert {one.about for one in figures.differences} == {About.NOT_THERE}
    assert figures.difference == figures.explained == d("82.50")
    assert not passed(figures)["every_order_is_in_omni"]
    assert passed(figures)["totals_agree"]
    assert [one.number for one in figures.waiting if one.code == "sku-unknown"] == ["N1"]
    assert any(one.code == "cin7-refused" for one in figures.waiting)


def test_totals_that_differ() -> None:
    one = order("N1")
    journal, held = standing(one, total=d("20.00"))
    figures = at(context([one], account=omni(orders=held), known=journal), [one])
    (found,) = figures.differences
    assert (found.about, found.why, found.difference) == (About.TOTAL, Why.BY_HAND, d("-3.50"))
    assert not passed(figures)["totals_agree"]
    theirs = at(context([one], account=omni(orders=[replace(held[0], lines=())])), [one])
    assert theirs.differences[0].why is Why.BY_OTHERS
    fresh = [replace(journal[0], confirmed_at=LATER)]
    unread = at(context([one], account=omni(orders=held), known=fresh), [one])
    assert unread.differences[0].why is Why.NOT_READ
    changed = replace(
        one, lines=(line(quantity="2"),), grand_total=order("N1", line(quantity="2")).grand_total
    )
    clash = at(context([changed], account=omni(orders=held), known=journal), [changed])
    assert clash.differences[0].why is Why.BLOCKED


def test_a_change_that_a_person_ignored_was_said_to_be_an_edit_in_omni() -> None:
    one = order("N1")
    changed = order("N1", line(quantity="2"))
    journal, held = standing(one, dispatched_date=READ_AT)
    known_ = {"account": omni(orders=held), "known": journal}
    (row,) = orders.rows(context([changed], **known_), [changed])
    assert row.reason.code == "order-changed"
    (found,) = at(context([changed], ignored=[row.key], **known_), [changed]).differences
    assert (found.about, found.why, found.remedy) == (About.TOTAL, Why.IGNORED, "")
    assert found.text == "The store has 33.00 AUD, Omni 16.50 AUD. A user said to ignore it."


def test_states_that_differ() -> None:
    done = order("N1", line(quantity="99"), status="Dispatched")
    dropped = order("N2")
    void, early = order("N3"), order("N4")
    journal, held = standing(replace(done, status="Pick"), dropped, void, early)
    held[2] = replace(held[2], is_void=True)
    held[3] = replace(held[3], dispatched_date=READ_AT)
    some = [done, replace(dropped, cancelled=True, status="Cancelled"), void, early]
    figures = at(context(some, account=omni(orders=held), known=journal, choices=DISPATCHING), some)
    assert [(one.order, one.why) for one in figures.documents] == [
        ("N1", Why.BLOCKED), ("N2", Why.NOT_EXPORTED), ("N3", Why.BLOCKED), ("N4", Why.BY_HAND),
    ]  # fmt: skip
    assert {one.about for one in figures.documents} == {About.STATE}
    assert not passed(figures)["dispatch_agrees"]
    assert [one.order for one in figures.differences] == ["N3"]
    off = at(context(some[:2], account=omni(orders=held), known=journal), some[:2])
    assert passed(off)["dispatch_agrees"]


def test_a_foreign_order_is_compared_and_in_no_sum() -> None:
    one = order("N1", line(tax="0.00"), currency="USD")
    figures = at(context([one]), [one])
    assert (figures.differences, [found.about for found in figures.documents]) == ((), [About.NOT_THERE])
    assert (figures.taken, figures.days[-1].orders) == (d("0"), 1)
    assert not passed(figures)["every_order_is_in_omni"]


def test_products_and_which_of_them_orders_wait_for() -> None:
    one = order("N1", line("MUG-01"))
    account = omni(options=(option("WINTER"),))
    figures = at(context([one], account=account), [one])
    assert [(found.sku, found.code, found.blocks) for found in figures.catalogue] == [
        ("MUG-01", "", True), ("TEE-RED-M", "", False), ("", "WINTER", False),
    ]  # fmt: skip
    assert not passed(figures)["products_in_step"]
    gone = order("N2", line("GONE"))
    both = at(context([gone]), [gone])
    assert [(found.sku, found.blocks) for found in both.catalogue] == [("GONE", True)]
    off = settings(products={"in_step": False})
    assert passed(at(context([one], account=account, choices=off), [one]))["products_in_step"]
    only_theirs = omni(options=(option("WINTER"), option("TEE-RED-M"), option("MUG-01")))
    assert passed(at(context([one], account=only_theirs), [one]))["products_in_step"]


def twice() -> Context:
    one = order("N1", payments=(payment(),))
    journal, held = standing(replace(one, payments=()))
    (row,) = payments.rows(context([one], known=journal), [one])
    assert row.effect is not None
    there = [
        OmniPayment(id_, "100", "N1", "SalesOrder", "Card", d("16.50"), "5501", None, None)
        for id_ in ("41", "42")
    ]
    paid = known(row.effect, "41")
    return context([one], account=omni(orders=held, payments=there), known=[*journal, paid])


def test_a_line_without_a_sku_was_shown_as_a_product_without_a_name() -> None:
    one = order("N1", line(""))
    figures = at(context([one]), [one])
    assert [row.code for row in figures.waiting] == ["sku-unknown"]
    assert [row.sku for row in figures.catalogue if not row.code] == []


def test_a_payment_of_ours_that_is_there_twice() -> None:
    ctx = twice()
    figures = reconcile(ctx, scope())
    (found,) = figures.doubles
    assert [one.id for one in found.copies] == ["41", "42"]
    assert "42" in found.remedy
    assert not passed(figures)["nothing_is_there_twice"]
    item = open_item(found)
    assert (item.key, item.flow, item.code) == (found.key, "payments", "there-twice")
    ignored = replace(ctx, journal=replace(ctx.journal, ignored=frozenset({found.key})))
    assert reconcile(ignored, scope()).doubles == ()


def test_readings_that_are_old() -> None:
    figures = reconcile(context(), scope(now=NOW + timedelta(days=2)))
    assert not passed(figures)["readings_are_fresh"]
    assert not passed(reconcile(context(), scope(store_read_at=None)))["readings_are_fresh"]


def test_the_page_says_it_and_escapes_it() -> None:
    some = [order("N1", party=replace(order().party, given="<b>Pat</b>"))]
    page = render(at(context(some, account=omni(options=())), some))
    assert "&lt;b&gt;Pat" in page
    assert "<b>Pat</b>" not in page
    for text in ("N1", "MUG-01", "sku-unknown", "Products that are not in step", *WORDS.values()):
        assert text in page


# --- records that cannot be read ---------------------------------------------------------------------------------------------


def test_an_order_that_waits_for_a_customer_who_cannot_be_read_was_to_be_written_by_the_next_run() -> None:
    one = order("N1")
    customers = Decoded(*refusing({}, one.party.key.casefold()), "customers")
    ctx = context([one], store=replace(shop([one]), customers=customers))
    (found,) = at(ctx, [one]).differences
    assert (found.about, found.why) == (About.NOT_THERE, Why.BLOCKED)
    assert found.text.startswith("Order N1 cannot go on: ") and "says nonsense" in found.text
    assert found.remedy.startswith("Mend it.")


def test_an_order_whose_unreadable_record_a_person_ignored_was_said_to_be_written_by_the_next_run() -> None:
    one = order("N1")
    customers = Decoded(*refusing({}, one.party.key.casefold()), "customers")
    store = replace(shop([one]), customers=customers)
    (row,) = orders.rows(context([one], store=store), [one])
    (found,) = at(context([one], store=store, ignored=[row.key]), [one]).differences
    assert (found.about, found.why) == (About.NOT_THERE, Why.IGNORED)
    assert found.text == "It is not in Omni. A user said to ignore it."


def test_an_order_of_omni_that_cannot_be_read_was_not_in_omni() -> None:
    one = order("N1")
    journal, (there,) = standing(one)
    unread = omni(orders=[there])
    unread = replace(unread, orders=Decoded(*refusing({}, there.id), "sales_orders"))
    ctx = context([one], account=unread, known=journal)
    for figures in (at(ctx, [one]), reconcile(ctx, scope())):  # its row is in the latest plan, or not yet
        (found,) = figures.differences
        assert (found.about, found.why) == (About.TOTAL, Why.BLOCKED)
        assert found.text == f"Omni has it, and it cannot be read: {there.id} says nonsense."
        assert passed(figures)["every_order_is_in_omni"] and not passed(figures)["totals_agree"]


def test_an_option_of_omni_that_cannot_be_read_was_to_be_made_there() -> None:
    """Who did as told made a second one."""
    one = order("N1", line("MUG-01"))
    texts, decoder = refusing({"1": option("TEE-RED-M")}, "2")
    table = pa.table({"size_code": ["TEE-RED-M", ""], "code": ["TEE", "MUG-01"]})
    options = Stored(Rows(texts, table, entity="product_options"), decoder)
    ctx = context([one], account=omni(options=options))
    figures = at(ctx, [one])
    assert figures.catalogue == ()
    assert "says nonsense" in figures.differences[0].text
    found = pair(ctx.legible)
    assert (found.out_of_step, found.products_in_step) == ((), 1)


def test_a_product_of_the_store_that_cannot_be_read_was_one_that_the_store_lacks() -> None:
    items = {key: one for key, one in shop().items.items() if key != "MUG-01"}
    ctx = context(store=replace(shop(), items=Decoded(*refusing(items, "MUG-01"), "products")))
    assert pair(ctx.legible).only_in_omni == ()
    assert [one.code for one in reconcile(ctx, scope()).catalogue] == []


# --- the initial sync -------------------------------------------------------------------------------------------------------


def account_with(**other: Any) -> Omni:
    return omni(**other)


def test_what_both_have_in_common() -> None:
    some = [order("N1"), order("N2"), order("N3", cancelled=True)]
    _, held = standing(some[0])
    contacts = (contact("1", "pat@example.com"), contact("2", "PAT@example.com"))
    account = account_with(
        orders=[replace(held[0], total=d("1"))],
        contacts=contacts,
        options=(option("tee-red-m"), option("MUG-01", "1"), option("MUG-01", "2"), option("WINTER")),
    )
    found = pair(context(some, account=account, store=shop(some)))
    assert found.counts() == {
        "products_in_step": 0, "products_not_in_step": 2, "products_only_in_omni": 1, "contacts_paired": 1,
        "customers_unpaired": 0, "orders_in_omni": 1, "orders_not_in_omni": 1, "orders_with_other_total": 1,
        "near_misses": 1, "clashes": 2,
    }  # fmt: skip
    assert {row.section for row in found.report_rows()} == {
        "sku-spelling",
        "sku-twice",
        "clash",
        "total",
        "only in Omni",
    }
    assert [(one.kind, one.ids) for one in found.clashes] == [
        ("e-mail address", ("1", "2")), ("sku-twice", ("1", "2")),
    ]  # fmt: skip
