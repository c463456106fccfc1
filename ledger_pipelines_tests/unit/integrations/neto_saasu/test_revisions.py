"""What becomes of an invoice whose order changed or was cancelled: nothing silent, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import Charge, ChargeKind, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu import contacts
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.invoices import credit_key, decide, invoice_key
from ledger_pipelines.integrations.neto_saasu.items import item_key
from ledger_pipelines.integrations.neto_saasu.references import update_key, void_key
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import (
    PAT,
    aud,
    body_of,
    books,
    context,
    d,
    known,
    line,
    order,
    payment,
    product,
    saasu_contact,
    saasu_invoice,
    saasu_item,
    set_up_items,
    settings,
    shop,
)
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_invoices import PAID, confirmed, only

LATER = datetime(2025, 3, 9, 15, 0, tzinfo=UTC)  # the 10th in Sydney


def codes(decision: Decision) -> list[tuple[Action, str]]:
    return [(row.action, row.reason.code) for row in decision.rows]


# --- edited ----------------------------------------------------------------------------------------------------------


def on_edit(what: str, **other: Any) -> NetoSaasuSettings:
    return settings(orders_to_saasu={"on_edit": what} | other)


ONE = order("N1", line(), line("TEE-RED-M", "1", "33.00"))
EDITED = replace(order("N1", line("MUG-01", "2", "16.50")), changed=LATER)
"""A mug more, the tee taken off: 33.00 for 49.50."""


def edited(
    choices: NetoSaasuSettings, more: Iterable[Known] = (), order_: SalesDocument = EDITED, **invoice: Any
) -> Decision:
    there = saasu_invoice("70", "N1", **({"total": "49.50"} | invoice))
    return decide(
        context([order_], known=[confirmed(ONE), *more], choices=choices, file=books(invoices=(there,))),
        order_,
    )


def test_an_unchanged_order_is_left_alone_whatever_the_setting() -> None:
    for what in ("report", "update", "credit"):
        assert only(edited(on_edit(what), order_=replace(ONE, changed=LATER))) == (
            Action.SKIP,
            "already-there",
        )


@pytest.mark.parametrize(
    "change",
    [
        {"tag": "new"},
        {"due_days": 30},
        {"tax_codes": {"GST": "G1"}},
        {"shipping_item": "SURCHARGE"},
        {"numbering": "auto"},
    ],
)
def test_a_change_of_settings_is_no_change_of_orders(change: dict[str, Any]) -> None:
    """Otherwise a replay of the history after a change of settings would rewrite or report all of it."""
    one = order("N1", charges=(Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00")),))
    ctx = context([one], known=[confirmed(one)], choices=on_edit("update", **change))
    assert only(decide(ctx, one)) == (Action.SKIP, "already-there")


def test_a_contact_that_was_made_meanwhile_is_no_other_customer() -> None:
    one = order("N1")
    nobody = books(contacts=())
    (row,) = contacts.rows(context([one], file=nobody), [one])
    assert row.effect is not None
    ours = confirmed(one, file=nobody)
    assert only(decide(context([one], known=[ours, known(row.effect, remote_id="501")]), one)) == (
        Action.SKIP,
        "already-there",
    )


def test_a_change_is_reported_line_by_line() -> None:
    found = edited(on_edit("report"))
    assert only(found) == (Action.BLOCKED, "order-edited")
    text = found.rows[0].reason.text
    for words in (
        "49.50 AUD is now 33.00 AUD",
        "'1 x Tee-Red-M at 33.00' is gone",
        "'2 x Mug-01 at 16.50' is new",
    ):
        assert words in text
    assert (found.invoice, found.total) == ({"$link": invoice_key(context(), ONE)}, aud("49.50"))


def test_another_sku_of_the_same_name_and_price_is_an_edit() -> None:
    """Otherwise stock and cost of both items would be wrong for ever."""
    was = order("N1", line("MUG-01", description="Enamel mug"))
    now = order("N1", line("MUG-01B", description="Enamel mug"), changed=LATER)
    file = books(
        items=(*books().items, saasu_item("103", "MUG-01B")), invoices=(saasu_invoice("70", "N1", "16.50"),)
    )
    store = shop([now], items={sku: product(sku) for sku in ("MUG-01", "MUG-01B")})
    ctx = context([now], known=[confirmed(was)], file=file, store=store)
    found = decide(ctx, now)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "'1 x Enamel mug at 16.50' was of item MUG-01, and is of MUG-01B now" in found.rows[0].reason.text
    updated = decide(replace(ctx, settings=on_edit("update")), now)
    assert only(updated) == (Action.UPDATE, "order-edited")
    assert set(body_of(updated.rows[0].effect)) == {"LineItems"}


def test_a_code_that_saasu_gives_to_another_item_is_no_edit_of_the_order() -> None:
    one = order("N1", line("MUG-01", description="Enamel mug"))
    others = tuple(item for item in books().items if item.code != "MUG-01")
    (mug,) = (item for item in books().items if item.code == "MUG-01")
    file = books(
        items=(*others, replace(mug, code="MUG-OLD"), saasu_item("103", "MUG-01")),
        invoices=(saasu_invoice("70", "N1", "16.50"),),
    )
    store = shop([one], items={"MUG-01": product("MUG-01")})
    for chosen in ("report", "update", "credit"):
        ctx = context([one], known=[confirmed(one)], file=file, store=store, choices=on_edit(chosen))
        assert only(decide(ctx, one)) == (Action.SKIP, "already-there")


def _exchanged(
    written_at: datetime | None, changed: datetime, *, read: datetime | None = None, adopted: bool = False
) -> Context:
    """An order of MUG-01, whose item is MUG-02 by now, and the item of MUG-02 is MUG-01; the store sells both.

    read: the change after which it was read to be written; None: written by a version that did not keep that.
    """
    one = order("N1", line("MUG-01", description="Enamel mug"), changed=changed)
    mug, other = saasu_item("102", "MUG-01"), saasu_item("103", "MUG-02")
    was = books(items=(*set_up_items(), mug, other))
    now = (replace(mug, code="MUG-02"), replace(other, code="MUG-01"))
    file = books(items=(*set_up_items(), *now), invoices=(saasu_invoice("70", "N1", "16.50"),))
    store = shop([one], items={sku: product(sku) for sku in ("MUG-01", "MUG-02")})
    mine = replace(confirmed(replace(one, changed=read), file=was), confirmed_at=written_at, adopted=adopted)
    return context([one], known=[mine], file=file, store=store, choices=on_edit("credit"))


def test_two_codes_that_are_exchanged_in_saasu_are_no_edit_of_orders_that_stayed_as_they_were() -> None:
    """After a change of settings all orders of the past are planned again: each of them was credited and posted anew."""
    for at in (LATER, LATER + timedelta(days=9)):
        ctx = _exchanged(at, LATER)
        assert only(decide(ctx, ctx.shop.orders["N1"])) == (Action.SKIP, "already-there")
    ctx = _exchanged(LATER - timedelta(days=9), LATER, read=LATER)
    assert only(decide(ctx, ctx.shop.orders["N1"])) == (Action.SKIP, "already-there"), (
        "whatever the clocks say"
    )


def test_of_an_order_that_may_have_changed_since_it_was_written_another_item_is_an_edit() -> None:
    """Neither is known of what was found there: it may have been written long before."""
    for ctx in (
        _exchanged(LATER - timedelta(seconds=1), LATER),
        _exchanged(None, LATER),
        _exchanged(LATER, LATER, adopted=True),
        _exchanged(LATER, LATER, read=LATER, adopted=True),
        _exchanged(LATER, LATER, read=LATER - timedelta(minutes=5)),
    ):
        assert set(codes(decide(ctx, ctx.shop.orders["N1"]))) == {(Action.CREATE, "order-edited")}


def test_another_sku_of_the_same_name_and_price_shows_also_when_it_came_between_reading_and_writing() -> None:
    """It was written after that change, of the order as it was before: seen only at the next change of the order, goods were booked
    that nobody had bought."""
    read = order("N1", line("MUG-01", description="Enamel mug"), changed=LATER - timedelta(minutes=5))
    other = order("N1", line("MUG-02", description="Enamel mug"), changed=LATER - timedelta(minutes=2))
    items = (*set_up_items(), saasu_item("102", "MUG-01"), saasu_item("103", "MUG-02"))
    file = books(items=items, invoices=(saasu_invoice("70", "N1", "16.50"),))
    store = shop([other], items={sku: product(sku) for sku in ("MUG-01", "MUG-02")})
    mine = replace(confirmed(read, file=books(items=items)), confirmed_at=LATER)
    found = decide(context([other], known=[mine], file=file, store=store, choices=on_edit("report")), other)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "was of item MUG-01, and is of MUG-02 now" in found.rows[0].reason.text


def test_an_item_that_the_flow_of_items_made_is_the_same_by_link_and_by_id() -> None:
    one = order("N1", line("NEW-1"))
    store = shop([one], items={"NEW-1": product("NEW-1")})
    ours = confirmed(one, store=store)
    made = known(
        context().effect("items_to_saasu", "item", item_key(context(), "NEW-1"), external_id="NEW-1", number="NEW-1",
                         title="", body={}), remote_id="104",
    )  # fmt: skip
    file = books(items=(*books().items, saasu_item("104", "NEW-1")))
    assert only(decide(context([one], known=[ours, made], file=file, store=store), one)) == (
        Action.SKIP,
        "already-there",
    )
    gone = books(items=(*books().items, saasu_item("105", "NEW-1")))
    assert only(decide(context([one], known=[ours, made], file=gone, store=store), one)) == (
        Action.SKIP,
        "already-there",
    ), "an item that was deleted and made again is no change of the order"


def test_a_change_that_a_person_made_in_saasu_too_is_done() -> None:
    corrected = edited(on_edit("report"), total="33.00")
    assert only(corrected) == (Action.SKIP, "corrected-there")
    assert corrected.total == aud("33.00")


def test_an_unpaid_invoice_is_updated_and_each_change_is_an_effect_of_its_own() -> None:
    found = edited(on_edit("update"))
    (row,) = found.rows
    assert (row.action, row.reason.code, row.key) == (
        Action.UPDATE,
        "order-edited",
        update_key(context(), ONE, 0, 1),
    )
    effect = row.effect
    assert effect is not None
    assert effect.target_id == f"$link:{invoice_key(context(), ONE)}"
    assert set(body_of(effect)) == {"LineItems"}
    assert (effect.expected.amount, effect.expected.lines, found.total) == (aud("33.00"), 1, aud("33.00"))
    done = known(effect, remote_id="70")
    assert only(edited(on_edit("update"), [done], total="33.00")) == (Action.SKIP, "already-there")
    back = replace(ONE, changed=LATER)
    again = edited(on_edit("update"), [done], back, total="33.00")
    assert again.rows[0].key == update_key(context(), ONE, 0, 2)
    assert again.total == aud("49.50")


def test_changes_follow_one_another() -> None:
    done: list[Known] = []
    for change, one in enumerate((EDITED, replace(ONE, changed=LATER), EDITED), start=1):
        (row,) = edited(on_edit("update"), done, one, total="0.00").rows
        assert row.effect is not None
        assert row.key == update_key(context(), ONE, 0, change)
        done.append(known(row.effect, remote_id="70"))
    assert only(edited(on_edit("update"), done, total="33.00")) == (Action.SKIP, "already-there")


def test_another_customer_is_an_edit_and_another_default_contact_is_none() -> None:
    alex = replace(PAT, key="alex", family="Doe")
    file = books(contacts=(*books().contacts, saasu_contact("502", "alex"), saasu_contact("42", "web")))
    one = order("N1")
    moved = replace(one, party=alex)
    ctx = context([moved], known=[confirmed(one)], file=file)
    found = decide(ctx, moved)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "customer" in found.rows[0].reason.text
    to_default = settings(orders_to_saasu={"contact": "default", "default_contact": "web"})
    assert only(decide(context([one], known=[confirmed(one)], file=file, choices=to_default), one)) == (
        Action.SKIP,
        "already-there",
    )
    on_default = confirmed(one, file=file, choices=to_default)
    back = settings(orders_to_saasu={"default_contact": "web"})
    assert only(decide(context([one], known=[on_default], file=file, choices=back), one)) == (
        Action.SKIP,
        "already-there",
    )


@pytest.mark.parametrize("how", ["books", "journal", "call"])
def test_a_paid_invoice_is_not_changed(how: str) -> None:
    one = replace(ONE, payments=(payment("1", "10.00"),)) if how == "call" else ONE
    ours = confirmed(one, choices=PAID)
    more = []
    if how == "journal":
        ctx = context()
        body: dict[str, Json] = {
            "PaymentItems": [{"InvoiceTransactionId": {"$link": ours.key}, "AmountPaid": 1}]
        }
        paid = ctx.effect("payments", "payment", "K", external_id="P", number="N1", title="", body=body)
        more = [known(paid, EffectState.UNKNOWN)]
        refused = replace(more[0], state=EffectState.REFUSED)
        free = books(invoices=(saasu_invoice("70", "N1", "49.50"),))
        ctx = context([EDITED], known=[ours, refused], choices=on_edit("update"), file=free)
        assert only(decide(ctx, EDITED)) == (Action.UPDATE, "order-edited")
    there = saasu_invoice("70", "N1", "49.50", paid=d("10.00") if how == "books" else d("0"))
    ctx = context([EDITED], known=[ours, *more], choices=on_edit("update"), file=books(invoices=(there,)))
    assert only(decide(ctx, EDITED)) == (Action.BLOCKED, "order-edited")


def test_an_invoice_that_was_not_read_since_is_not_changed_blindly() -> None:
    found = decide(context([EDITED], known=[confirmed(ONE)], choices=on_edit("update")), EDITED)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "read from Saasu" in found.rows[0].reason.remedy


def test_a_changed_order_is_credited_in_full_and_posted_anew() -> None:
    found = edited(on_edit("credit"), paid=d("49.50"))
    credit_and_pay = settings(orders_to_saasu={"on_edit": "credit"}, payments={"methods": {"card": "Bank"}})
    assert codes(found) == [(Action.CREATE, "order-edited"), (Action.CREATE, "order-edited")]
    credit, new = (row.effect for row in found.rows)
    assert credit is not None
    assert new is not None
    ctx = context()
    assert (credit.key, new.key) == (credit_key(ctx, ONE), invoice_key(ctx, ONE, 1))
    taken = body_of(credit)
    assert (taken["InvoiceType"], taken["InvoiceNumber"], taken["PurchaseOrderNumber"]) == (
        "Adjustment Note",
        "N1-C1",
        "N1-C1",
    )
    assert taken["TransactionDate"] == "2025-03-10"
    assert [(row["InventoryId"], row["Quantity"], row["UnitPrice"]) for row in taken["LineItems"]] == [  # type: ignore[index, union-attr, call-overload]
        ("102", -1, d("16.5")),
        ("101", -1, 33),
    ]
    assert credit.expected.amount == aud("49.50")
    body = body_of(new)
    assert (body["InvoiceNumber"], body["PurchaseOrderNumber"], body["TransactionDate"]) == (
        "N1-R1",
        "N1-R1",
        "2025-03-10",
    )
    assert new.depends_on == (credit.key,)
    assert (found.invoice, found.total, found.credits) == ({"$link": new.key}, aud("33.00"), (credit.key,))
    done = [known(credit, remote_id="71"), known(new, remote_id="72")]
    money = replace(EDITED, payments=(payment("5501", "10.00"),))
    for more in ((), done[:1]):
        anew = decide(context([money], known=[confirmed(ONE), *more], choices=credit_and_pay), money).rows[-1]
        assert anew.key == new.key
        assert "QuickPayment" not in body_of(anew.effect), "it was paid on the old one"
    assert only(edited(on_edit("credit"), done)) == (Action.SKIP, "already-there")
    half = edited(on_edit("credit"), done[:1])
    assert [(row.key, row.action) for row in half.rows] == [(new.key, Action.CREATE)]
    touched = edited(on_edit("credit"), done, replace(EDITED, changed=datetime(2025, 5, 1, tzinfo=UTC)))
    assert only(touched) == (Action.SKIP, "already-there"), "a later touch does not move the repost"


def test_a_sale_order_is_changed_rather_than_credited() -> None:
    choices = settings(orders_to_saasu={"on_edit": "credit", "invoice_type": "Sale Order"})
    there = saasu_invoice("70", "N1", "49.50", kind="Sale Order", status="O")
    ctx = context(
        [EDITED], known=[confirmed(ONE, choices=choices)], choices=choices, file=books(invoices=(there,))
    )
    assert only(decide(ctx, EDITED)) == (Action.UPDATE, "order-edited")


def test_an_item_put_to_rest_after_the_export_is_no_edit() -> None:
    one = order("N1")
    resting = books(items=(*set_up_items(), saasu_item("102", "MUG-01", active=False)))
    assert only(decide(context([one], known=[confirmed(one)], file=resting), one)) == (
        Action.SKIP,
        "already-there",
    )
    more = order("N1", line("MUG-01", "2", "16.50"))
    found = decide(context([more], known=[confirmed(one)], file=resting), more)
    assert only(found) == (Action.BLOCKED, "order-edited")
    assert "inactive" in found.rows[0].reason.text


# --- cancelled -------------------------------------------------------------------------------------------------------

CANCELLED = replace(ONE, cancelled=True, status="Cancelled", changed=LATER)


@pytest.mark.parametrize(
    ("what", "paid", "outcome"),
    [
        ("report", "0", (Action.BLOCKED, "cancelled-after-export")),
        ("update", "0", (Action.VOID, "cancelled-after-export")),
        ("update", "1", (Action.BLOCKED, "cancelled-after-export")),
        ("credit", "1", (Action.CREATE, "cancelled-after-export")),
    ],
)
def test_a_cancelled_order_is_taken_back_as_the_setting_says(
    what: str, paid: str, outcome: tuple[Action, str]
) -> None:
    assert only(edited(on_edit(what), order_=CANCELLED, paid=d(paid))) == outcome


def test_a_deleted_invoice_of_a_cancelled_order_stays_deleted_and_comes_back_with_the_order() -> None:
    found = edited(on_edit("update"), order_=CANCELLED)
    (row,) = found.rows
    assert row.effect is not None
    assert (row.key, row.effect.target_id) == (
        void_key(context(), ONE),
        f"$link:{invoice_key(context(), ONE)}",
    )
    assert found.invoice is None
    done = [confirmed(ONE), known(row.effect)]
    gone = books(deleted=frozenset({("Sale", "70")}))
    after = decide(context([CANCELLED], known=done, file=gone, choices=on_edit("update")), CANCELLED)
    assert only(after) == (Action.SKIP, "taken-back")
    assert after.invoice is None
    again = decide(context([ONE], known=done, file=gone, choices=on_edit("update")), ONE)
    assert only(again) == (Action.CREATE, "new-invoice")
    assert again.rows[0].key == invoice_key(context(), ONE, 1)


def test_a_credited_order_still_has_its_invoice_for_what_was_paid() -> None:
    found = edited(on_edit("credit"), order_=CANCELLED)
    assert found.rows[0].effect is not None
    done = known(found.rows[0].effect, remote_id="71")
    after = edited(on_edit("credit"), [done], CANCELLED)
    assert only(after) == (Action.SKIP, "taken-back")
    assert (after.invoice, after.credits) == ({"$link": invoice_key(context(), ONE)}, (done.key,))


def test_the_person_who_deleted_the_invoice_of_a_cancelled_order_is_believed() -> None:
    gone = books(deleted=frozenset({("Sale", "70")}))
    found = decide(context([CANCELLED], known=[confirmed(ONE)], file=gone), CANCELLED)
    assert only(found) == (Action.SKIP, "cancelled-and-deleted")


# --- ignored -------------------------------------------------------------------------------------------------------------

LATER_EDIT = order("N1", line("MUG-01", quantity="3"), changed=LATER)


def test_who_ignores_a_row_ignores_what_it_showed_and_no_later_change() -> None:
    (row,) = edited(on_edit("report")).rows
    ctx = context([EDITED], known=[confirmed(ONE)], choices=on_edit("report"))
    ctx = replace(ctx, journal=replace(ctx.journal, ignored=frozenset({row.key})))
    assert only(decide(ctx, EDITED)) == (Action.SKIP, "ignored-by-user")
    read = replace(ctx, books=books(invoices=(saasu_invoice("70", "INV-000123", "49.50"),)))
    assert only(decide(read, EDITED)) == (Action.SKIP, "ignored-by-user")  # its number is known by now
    assert only(decide(ctx, LATER_EDIT)) == (Action.BLOCKED, "order-edited")


def test_a_refused_change_that_was_ignored_hides_none_that_comes_later() -> None:
    file = books(invoices=(saasu_invoice("70", "N1", "49.50"),))
    first = decide(context([EDITED], known=[confirmed(ONE)], choices=on_edit("update"), file=file), EDITED)
    effect = first.rows[0].effect
    assert effect is not None and effect.key == update_key(context(), ONE, 0, 1)
    ignored = known(effect, EffectState.IGNORED)

    def of(one: SalesDocument, *more: Known) -> Decision:
        return decide(
            context([one], known=[confirmed(ONE), ignored, *more], choices=on_edit("update"), file=file), one
        )

    assert only(of(EDITED)) == (Action.SKIP, "ignored-by-user")
    later = of(LATER_EDIT)
    assert only(later) == (Action.UPDATE, "order-edited")
    assert later.rows[0].key == update_key(context(), ONE, 0, 2)
    effect = later.rows[0].effect
    assert effect is not None
    assert only(of(LATER_EDIT, known(effect, remote_id="70"))) == (Action.SKIP, "already-there")


@pytest.mark.parametrize("both", [True, False])
def test_a_refused_credit_that_was_ignored_hides_no_later_change_and_is_not_written_for_it(
    both: bool,
) -> None:
    """By the order's number a person ignores the credit and the new invoice, by its key the credit alone. They may have credited by
    hand, so that a later change waits for them."""
    credit, new = (row.effect for row in edited(on_edit("credit")).rows)
    assert credit is not None and new is not None
    said = [known(credit, EffectState.IGNORED), *([known(new, EffectState.IGNORED)] if both else ())]

    def of(one: SalesDocument) -> Decision:
        return edited(on_edit("credit"), said, one)

    touched = replace(EDITED, status="Dispatched", changed=LATER + timedelta(days=3))
    for one in (EDITED, touched):
        seen = of(one)
        expected = (Action.SKIP, "ignored-by-user") if both else (Action.BLOCKED, "order-edited")
        assert only(seen) == expected
        assert seen.invoice == {"$link": invoice_key(context(), ONE)}, "money goes where the invoice is"
    later = of(LATER_EDIT)
    assert only(later) == (Action.BLOCKED, "order-edited")
    assert "retry N1" in later.rows[0].reason.remedy
    assert later.invoice == {"$link": invoice_key(context(), ONE)}
    assert only(of(CANCELLED)) == (Action.BLOCKED, "cancelled-after-export")
    assert only(of(replace(ONE, changed=LATER))) == (Action.SKIP, "already-there"), "changed back"
    said = [known(credit, EffectState.APPROVED), known(new, EffectState.APPROVED)]
    assert codes(of(LATER_EDIT)) == [(Action.CREATE, "order-edited")] * 2, "retried, with what it is now"


def test_who_ignores_the_row_of_a_later_change_ignores_that_one() -> None:
    credit, new = (row.effect for row in edited(on_edit("credit")).rows)
    assert credit is not None and new is not None
    said = [known(credit, EffectState.IGNORED), known(new, EffectState.IGNORED)]
    for one in (LATER_EDIT, CANCELLED):
        (row,) = edited(on_edit("credit"), said, one).rows
        ctx = context([one], known=[confirmed(ONE), *said], choices=on_edit("credit"))
        ctx = replace(ctx, journal=replace(ctx.journal, ignored=frozenset({row.key})))
        assert only(decide(ctx, one)) == (Action.SKIP, "ignored-by-user")
