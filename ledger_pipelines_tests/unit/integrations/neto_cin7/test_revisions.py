"""What becomes of an order in Omni when the store changed it: changes only, and each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.sales import (
    Address,
    Charge,
    ChargeKind,
    Component,
    Item,
    Party,
    SalesDocument,
)
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.neto_cin7 import contacts
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.decisions import Decision
from ledger_pipelines.integrations.neto_cin7.orders import decide
from ledger_pipelines.integrations.neto_cin7.references import update_key, void_key
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    LATER,
    PAT,
    READ_AT,
    WRITTEN_AT,
    aud,
    body_of,
    booked,
    codes,
    contact,
    context,
    d,
    effect_of,
    known,
    line,
    omni,
    option,
    order,
    product,
    settings,
    shop,
)
from ledger_pipelines_tests.unit.integrations.neto_cin7.building_orders import only, there

# --- changed in the store -------------------------------------------------------------------------------------------------


def test_an_unchanged_order_writes_nothing() -> None:
    one = order("N1", line(), line("TEE-RED-M", "2", "33.00", "59.40", discount_percent=d("10")))
    assert only(there(one, one), one) == ("skip", "already-there")
    unread = context([one], known=(known(effect_of(context([one]), one)),))
    assert only(unread, one) == ("skip", "already-there")


def test_settings_alone_and_the_orders_date_change_nothing() -> None:
    one = order()
    effect = effect_of(context([one]), one)
    later = replace(one, day=date(2025, 3, 6))
    choices = settings(accounting={"cost_center": "NEW", "payment_terms": "Net 30"})
    ctx = context([later], choices=choices, account=omni(orders=(booked(effect),)), known=(known(effect),))
    assert only(ctx, later) == ("skip", "already-there")


def test_only_what_changed_is_sent_lines_by_their_id() -> None:
    before = order(
        "N1", line(), line("TEE-RED-M", "2", "33.00"), line("OLD", "1", "5.00"), purchase_order="A"
    )
    after = order(
        "N1",
        line(quantity="3"),
        line("TEE-RED-M", "2", "33.00"),
        line("NEW", "1", "7.00"),
        purchase_order="B",
    )
    ctx = there(before, after, choices=settings(products={"in_step": False}))
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "order-changed")
    effect = row.effect
    assert effect is not None
    assert (effect.target_id, effect.key) == ("88123", update_key(ctx, after, 1))
    assert effect.expected.amount == after.grand_total
    assert body_of(effect) == {
        "customerOrderNo": "B",
        "lineItems": [
            {"id": 900, "integrationRef": "L-MUG-01", "qty": 3},
            {"code": "NEW", "name": "New", "qty": 1, "unitPrice": 7, "discount": 0, "sort": 30, "integrationRef": "L-NEW"},
            {"id": 902, "integrationRef": "L-OLD", "qty": 0},
        ],
    }  # fmt: skip
    for part in ("customerOrderNo A is now B", "1 x MUG-01", "3 x MUG-01", "'1 x OLD at 5.00' is gone"):
        assert part in row.reason.text


def test_the_discount_of_a_line_that_is_gone_was_taken_off_the_other_lines() -> None:
    """A discount is a total of its line: the order came to less by it than the store's, and nothing said so."""
    before = order("N1", line(), line("OLD", "2", "50.00", "95.00", discount_percent=d("5")))
    after = order("N1", line())
    assert before.grand_total.amount == after.grand_total.amount + 95
    ctx = there(before, after, choices=settings(products={"in_step": False}))
    assert body_of(effect_of(ctx, after))["lineItems"] == [
        {"id": 901, "integrationRef": "L-OLD", "qty": 0, "discount": 0}
    ]


def test_a_header_change_says_nothing_of_amounts() -> None:
    before = order("N1")
    after = order("N1", party=replace(PAT, shipping=Address("4 Hill St", "HOBART", "TAS", "7000", "AU")))
    effect = effect_of(there(before, after), after)
    assert body_of(effect) == {
        "deliveryAddress1": "4 Hill St", "deliveryCity": "HOBART", "deliveryState": "TAS", "deliveryPostalCode": "7000",
    }  # fmt: skip
    assert effect.expected.amount is None


def test_a_text_that_is_gone_is_cleared() -> None:
    before, after = order("N1", note="Ring first"), order("N1")
    assert body_of(effect_of(there(before, after), after)) == {"deliveryInstructions": ""}


def test_a_charge_that_is_gone_is_nothing() -> None:
    before = order("N1", charges=(Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00"), "Post"),))
    after = order("N1")
    assert body_of(effect_of(there(before, after), after)) == {"freightTotal": 0, "freightDescription": ""}


def test_a_second_change_is_against_the_first_and_a_line_comes_back() -> None:
    one, two = order("N1", line(), line("TEE-RED-M", "1", "33.00")), order("N1", line())
    first = there(one, two)
    change = effect_of(first, two)
    made = known(change, "88123", confirmed_at=WRITTEN_AT)
    base = known(effect_of(context([one]), one))
    held = booked(effect_of(context([one]), one))
    lines = (held.lines[0], replace(held.lines[1], qty=d("0")))
    account = omni(orders=(replace(held, lines=lines, total=d("16.50")),))
    ctx = context([two], account=account, known=(base, made))
    assert only(ctx, two) == ("skip", "already-there")
    again = context([one], account=account, known=(base, made))
    (row,) = decide(again, one).rows
    assert row.key == update_key(again, one, 2)
    (line_back,) = body_of(row.effect)["lineItems"]  # type: ignore[misc, union-attr]
    assert (line_back["id"], line_back["qty"]) == (901, 1)  # type: ignore[call-overload, index]


def test_a_change_waits_until_omni_was_read_once() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    effect = effect_of(context([before]), before)
    unread = context([after], known=(known(effect),))
    assert only(unread, after) == ("skip", "wait-for-omni")
    assert decide(unread, after).waits
    stale = context(
        [after], account=omni(orders=(booked(effect),)), known=(known(effect, confirmed_at=LATER),)
    )
    assert only(stale, after) == ("skip", "wait-for-omni")


def test_changes_are_reported_where_updating_is_off() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    choices = settings(download_orders={"update": False})
    assert only(there(before, after, choices=choices), after) == ("blocked", "order-changed")
    moved = replace(before, status="New")
    assert only(there(before, moved, choices=choices), moved) == ("skip", "already-there")


def test_a_status_waits_for_the_reading_too() -> None:
    before, after = order("N1", status="On Hold"), order("N1", status="Pick")
    unread = context([after], known=(known(effect_of(context([before]), before)),))
    assert only(unread, after) == ("skip", "wait-for-omni")


def test_another_branch_by_the_settings_moves_what_is_open_and_not_what_is_gone() -> None:
    one = order("N1")
    effect = effect_of(context([one]), one)
    choices = settings(branches={"branch": "Shed"})
    opened = context([one], choices=choices, account=omni(orders=(booked(effect),)), known=(known(effect),))
    assert body_of(effect_of(opened, one)) == {"branchId": 4}
    gone = omni(orders=(booked(effect, dispatched_date=READ_AT),))
    assert only(context([one], choices=choices, account=gone, known=(known(effect),)), one) == (
        "skip",
        "already-there",
    )


def test_a_dispatched_order_is_not_changed() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = there(before, after, account={"dispatched_date": READ_AT})
    assert only(ctx, after) == ("blocked", "order-changed")
    assert "dispatched" in decide(ctx, after).rows[0].reason.remedy


@pytest.mark.parametrize(
    "accounting",
    [
        {"coupons": "lines"},
        {"freight_description": "Postage", "discount_description": "Voucher"},
        {"surcharge_description": "Card fee"},
    ],
    ids=str,
)
def test_other_settings_made_every_dispatched_order_wait_as_changed(accounting: dict[str, Any]) -> None:
    """Nothing had changed in the store: the same goods for the same total, under other words or another tax basis."""
    charges = (
        Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00"), "Express Post"),
        Charge(ChargeKind.SURCHARGE, d("2.20"), d("0.20"), "Credit Card"),
    )
    one = order("N1", line(coupon=d("1.10"), tax="1.40"), charges=charges)
    effect = effect_of(context([one]), one)

    def now(of: SalesDocument, **held: Any) -> Context:
        account = omni(orders=(booked(effect, **held),))
        return context([of], choices=settings(accounting=accounting), account=account, known=(known(effect),))

    shipped = {"dispatched_date": READ_AT}
    assert only(now(one, **shipped), one) == ("skip", "already-there")
    assert only(now(one), one) == ("update", "order-changed")
    edited = order("N1", line(quantity="2", coupon=d("1.10"), tax="2.90"), charges=charges)
    assert only(now(edited, **shipped), edited) == ("blocked", "order-changed")


def test_a_tax_basis_that_was_set_later_made_every_dispatched_order_wait_as_changed() -> None:
    one = order("N1", line(tax="1.65"), has_tax=False)
    then = settings(accounting={"amounts": "as_order"})
    effect = effect_of(context([one], choices=then), one)
    account = omni(orders=(booked(effect, dispatched_date=READ_AT),))
    assert only(context([one], account=account, known=(known(effect),)), one) == ("skip", "already-there")


def test_an_order_whose_prices_were_changed_after_its_dispatch_is_told_though_it_comes_to_the_same() -> None:
    before = order("N1", line("TEE-RED-M", unit="10.00"), line(unit="20.00"))
    after = order("N1", line("TEE-RED-M", unit="20.00"), line(unit="10.00"))
    assert only(there(before, after, account={"dispatched_date": READ_AT}), after) == (
        "blocked",
        "order-changed",
    )


def test_what_the_store_changed_after_a_dispatch_was_taken_for_another_setting() -> None:
    """A number of the buyer's that came late, and a coupon that became a line's discount beside another shipping method."""
    shipping = Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00"), "Express Post")
    before = order("N1", line("TEE-RED-M", "2", "20.00", coupon=d("4.00"), tax="3.27"), charges=(shipping,))
    cheaper = line("TEE-RED-M", "2", "20.00", "36.00", discount_percent=d("10"))
    courier = replace(shipping, description="Courier")
    for after in (
        replace(before, purchase_order="PO-77"),
        order("N1", cheaper, charges=(courier,)),
        replace(before, purchase_order="PO-77", changed=WRITTEN_AT.replace(minute=0, hour=6)),
    ):
        assert only(there(before, after, account={"dispatched_date": READ_AT}), after) == (
            "blocked",
            "order-changed",
        )


def test_an_order_that_went_back_to_what_it_was_before_our_last_change_is_told() -> None:
    first, second = order("N1"), order("N1", line(quantity="2"))
    ctx = there(first, second)
    change = known(effect_of(ctx, second))
    shown = booked(effect_of(context([second]), second), dispatched_date=READ_AT)
    journal = JournalView({**ctx.journal.known, change.key: change})
    ctx = replace(ctx, journal=journal, omni=omni(orders=(shown,)))
    assert only(ctx, second) == ("skip", "already-there")
    assert only(ctx, first) == ("blocked", "order-changed")


def test_other_settings_made_an_order_wait_as_changed_where_updating_is_off_or_a_sku_is_gone() -> None:
    one = order("N1", line(coupon=d("1.10"), tax="1.40"))
    effect = effect_of(context([one]), one)
    off = settings(accounting={"coupons": "lines"}, download_orders={"update": False})
    held = omni(orders=(booked(effect),))
    assert only(context([one], choices=off, account=held, known=(known(effect),)), one) == (
        "skip",
        "already-there",
    )
    gone = omni(orders=(booked(effect),), options=(option("TEE-RED-M"),))
    ctx = context(
        [one], choices=settings(accounting={"coupons": "lines"}), account=gone, known=(known(effect),)
    )
    assert only(ctx, one) == ("skip", "already-there")
    assert not decide(ctx, one).waits


def test_an_order_that_an_older_version_wrote_is_compared_as_ever() -> None:
    one = order("N1", purchase_order="PO-77")
    effect = effect_of(context([one]), one)
    choices = settings(download_orders={"customer_order_no": "order"})
    account = omni(orders=(booked(effect, dispatched_date=READ_AT),))
    for source, expected in (
        ("order:N1", ("blocked", "order-changed")),
        (effect.source, ("skip", "already-there")),
    ):
        ctx = context([one], choices=choices, account=account, known=(known(effect, source=source),))
        assert only(ctx, one) == expected


def kits(kit: Item, *orders: SalesDocument, **other: Any) -> Context:
    """The store sells a kit by its parts."""
    choices = settings(products={"kits": "components", "in_step": False})
    return context(store=shop(orders, items=(kit,)), choices=choices, **other)


@pytest.mark.parametrize("quantity", ["1", "3", "7"])
@pytest.mark.parametrize("parts", [("1", "2", "3"), ("0.3333", "1", "7")])
@pytest.mark.parametrize("unit", ["25.33", "0.01", "99.99"])
def test_parts_of_a_kit_stay_to_the_cent_whatever_the_recipe_is_today(
    quantity: str, parts: tuple[str, ...], unit: str
) -> None:
    made = [
        Component(f"P{place}", d(many), d(str(place))) for place, many in enumerate(parts)
    ]  # the first part is worth nothing
    one = order("N1", line("KIT", quantity, unit))
    effect = effect_of(kits(product("KIT", components=tuple(made)), one), one)
    today = product("KIT", components=(Component("OTHER", d("1"), d("1")),))
    ctx = kits(today, one, account=omni(orders=(booked(effect),)), known=(known(effect),))
    assert codes(decide(ctx, one).rows) == [("skip", "already-there")]


def test_a_kit_with_another_recipe_today_changed_every_order_of_it_that_was_open() -> None:
    then = product("KIT", components=(Component("A", d("1"), d("20")), Component("B", d("2"), d("5"))))
    today = product("KIT", components=(Component("A", d("1"), d("20")), Component("C", d("4"), d("1"))))
    one = order("N1", line("KIT", "3", "25.33"), line())
    effect = effect_of(kits(then, one), one)
    account = omni(orders=(booked(effect),))

    def now(of: SalesDocument) -> Decision:
        return decide(kits(today, of, account=account, known=(known(effect),)), of)

    assert codes(now(one).rows) == [("skip", "already-there")]
    picked = replace(one, status="New", changed=LATER)
    (row,) = now(picked).rows
    assert row.reason.code == "status-changed"
    assert body_of(row.effect) == {"stage": "New"}
    edited = order("N1", line("KIT", "2", "25.33"), line())
    (row,) = now(edited).rows
    sent: Any = body_of(row.effect)["lineItems"]
    assert [(part.get("code"), part["qty"]) for part in sent] == [(None, d("2")), ("C", d("8"))]


HOBART = Address("4 Hill St", "HOBART", "TAS", "7000", "AU")


def test_a_change_that_cannot_be_mapped_waits_though_the_total_is_the_same() -> None:
    before = order("N1")
    broken = replace(before, grand_total=aud("16.00"))
    for after in (broken, replace(broken, grand_total=before.grand_total, lines=(line(quantity="2"),))):
        decision = decide(there(before, after), after)
        assert codes(decision.rows) == [("blocked", "order-changed")]
        assert decision.waits
    swapped = order("N1", line("GONE"))
    (row,) = decide(there(before, swapped), swapped).rows
    assert (row.action.value, row.reason.code) == ("blocked", "order-changed")
    for part in ("1 x GONE", "1 x MUG-01", "'GONE' is no product option of Omni"):
        assert part in row.reason.text
    assert "products.unknown_sku" in row.reason.remedy


@pytest.mark.parametrize(
    "changed",
    [
        {"grand_total": aud("16.00")},
        {"lines": (line("MUG-01", "2", "16.50"),)},
        {"lines": (line("TEE-RED-M", "1", "16.50"),)},
        {"lines": (replace(line(), key="L-9"),)},
        {"lines": ()},
    ],
)
def test_an_order_whose_amounts_cannot_be_laid_out_is_compared_as_it_stands(changed: dict[str, Any]) -> None:
    """accounting.tax_rate was changed: no order of before can be laid out."""
    before = order("N1")
    effect = effect_of(context([before]), before)
    held = omni(orders=(booked(effect),))
    choices = settings(accounting={"tax_rate": "15"})
    same = context([before], account=held, known=(known(effect),), choices=choices)
    (row,) = decide(same, before).rows
    assert (row.action.value, row.reason.code) == ("skip", "already-there")
    assert "accounting.tax_rate" not in row.reason.text
    assert "tax" in row.reason.text
    after = replace(before, **changed)
    ctx = context([after], account=held, known=(known(effect),), choices=choices)
    assert only(ctx, after) == ("blocked", "order-changed")


def test_what_needs_no_sku_is_changed_though_the_sku_is_gone() -> None:
    before = order("N1", status="On Hold")
    effect = effect_of(context([before]), before)
    account = omni(orders=(booked(effect),), options=(option("MUG-01", active=False),))

    def with_(after: SalesDocument) -> Context:
        return context([after], account=account, known=(known(effect),))

    assert only(with_(before), before) == ("skip", "already-there")
    assert "disabled in Omni" in decide(with_(before), before).rows[0].reason.text
    moved = replace(before, status="Pick")
    assert body_of(effect_of(with_(moved), moved)) == {"stage": "Processing", "isApproved": True}
    away = replace(before, party=replace(PAT, shipping=HOBART))
    assert body_of(effect_of(with_(away), away))["deliveryCity"] == "HOBART"
    more = order("N1", line(quantity="2"), status="On Hold")
    assert only(with_(more), more) == ("blocked", "order-changed")


def test_a_branch_that_is_none_any_more_stays_and_holds_changes_of_lines() -> None:
    before = order("N1")
    effect = effect_of(context([before], choices=settings(branches={"branch": "Shed"})), before)
    lost = settings(branches={"branch": "Nowhere"})
    held = omni(orders=(booked(effect),))
    assert only(context([before], account=held, known=(known(effect),), choices=lost), before) == (
        "skip",
        "already-there",
    )
    away, more = replace(before, party=replace(PAT, shipping=HOBART)), order("N1", line(quantity="2"))
    ctx = context([away], account=held, known=(known(effect),), choices=lost)
    assert "branchId" not in body_of(effect_of(ctx, away))
    ctx = context([more], account=held, known=(known(effect),), choices=lost)
    assert only(ctx, more) == ("blocked", "order-changed")


# --- whose it is ----------------------------------------------------------------------------------------------------------

GUEST = Party("", "Gail", "Moss", "", "gail@exmaple.com", "", shipping=PAT.shipping, billing=PAT.billing)


def of_guest(number: str = "N1", email: str = GUEST.email, **other: Any) -> SalesDocument:
    return order(number, party=replace(GUEST, email=email), **other)


def made_for_guest() -> tuple[Known, Known]:
    """The contact of a mistyped address, and the order linked to it."""
    ctx = context([of_guest()], account=omni(contacts=()))
    (contact_row,) = contacts.rows(ctx, [of_guest()])
    assert contact_row.effect is not None
    return known(contact_row.effect, "601"), known(effect_of(ctx, of_guest()))


def test_a_corrected_address_makes_no_other_contact_and_holds_no_change() -> None:
    knowns = made_for_guest()
    held = booked(effect_of(context([of_guest()], account=omni(contacts=())), of_guest()), member_id="601")
    account = omni(contacts=(contact("601", GUEST.email),), orders=(held,))
    right = of_guest(email="gail@example.com", status="New")
    ctx = context([right], account=account, known=knowns)
    (row,) = decide(ctx, right).rows
    assert body_of(row.effect) == {"email": "gail@example.com", "stage": "New"}
    assert "customer stays" in row.reason.text
    assert contacts.rows(ctx, [right]) == []
    # somebody has the corrected address, or comes to have it by another order
    there_ = omni(contacts=(contact("601", GUEST.email), contact("602", "gail@example.com")), orders=(held,))
    linked = context([right], account=there_, known=knowns)
    assert body_of(effect_of(linked, right))["memberId"] == 602
    other = of_guest("N2", email="gail@example.com")
    (made,) = contacts.rows(context([other], account=account), [other])
    assert made.effect is not None
    doubt = known(made.effect, "", state=EffectState.UNKNOWN)
    ctx = context([right], account=account, known=(*knowns, doubt))
    assert "memberId" not in body_of(effect_of(ctx, right))
    ctx = context([right], account=account, known=(*knowns, known(made.effect, "603")))
    assert body_of(effect_of(ctx, right))["memberId"] == {"$link": made.key}


def test_a_contact_whose_address_is_another_now_stays_the_orders() -> None:
    before = order("N1")
    effect = effect_of(context([before]), before)
    account = omni(contacts=(contact("501", "new@example.com"),), orders=(booked(effect),))
    assert only(context([before], account=account, known=(known(effect),)), before) == (
        "skip",
        "already-there",
    )
    moved = replace(before, status="New")
    ctx = context([moved], account=account, known=(known(effect),))
    assert body_of(effect_of(ctx, moved)) == {"stage": "New"}


def test_a_customer_who_cannot_be_told_holds_changes_of_the_buyer_alone() -> None:
    before = order("N1")
    effect = effect_of(context([before]), before)
    gone = omni(contacts=(contact("501", "pat@example.com", active=False),), orders=(booked(effect),))
    away, renamed = (
        replace(before, party=replace(PAT, **other)) for other in ({"shipping": HOBART}, {"given": "Kim"})
    )
    for after, expected in ((before, "already-there"), (away, "order-changed"), (renamed, "order-changed")):
        (row,) = decide(context([after], account=gone, known=(known(effect),)), after).rows
        assert (row.reason.code, row.effect is not None) == (expected, after is away)


# --- status ---------------------------------------------------------------------------------------------------------------


def test_a_status_that_asks_for_another_stage_and_approval() -> None:
    before, after = order("N1", status="On Hold"), order("N1", status="Pick")
    ctx = there(before, after)
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "status-changed")
    assert body_of(row.effect) == {"stage": "Processing", "isApproved": True}


def test_a_stage_that_somebody_moved_in_omni_stays() -> None:
    before, after = order("N1", status="On Hold"), order("N1", status="Pick")
    ctx = there(before, after, account={"stage": "Fully Picked", "is_approved": True})
    assert only(ctx, after) == ("skip", "already-there")


# --- cancelled and void -----------------------------------------------------------------------------------------------------

CANCELLED = {"cancelled": True, "status": "Cancelled"}
DISPATCHING = settings(status_updates={"auto_dispatch_orders": "Yes - Completed Orders Only"})


def test_a_cancelled_order_is_left_to_status_updates_or_reported() -> None:
    before, after = order("N1"), order("N1", **CANCELLED)
    assert only(there(before, after, choices=DISPATCHING), after) == ("skip", "cancelled-later")
    assert only(there(before, after), after) == ("blocked", "cancelled-later")
    assert only(there(before, after, account={"is_void": True}), after) == ("skip", "void")


def test_what_was_voided_in_omni_is_not_written_again() -> None:
    one = order("N1")
    assert only(there(one, one, account={"is_void": True}), one) == ("blocked", "voided-in-omni")


def test_a_void_is_never_undone() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = context([before])
    effect = effect_of(ctx, before)
    void = known(replace(effect, key=void_key(ctx, before), body="{}"))
    assert only(there(before, after, void), after) == ("blocked", "void-for-good")
