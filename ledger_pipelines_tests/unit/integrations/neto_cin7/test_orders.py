"""What becomes of an order in Omni: one, whatever day it is planned under; changes only; nothing overwritten unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.documents.sales import (
    Address,
    Charge,
    ChargeKind,
    DocumentKind,
    Party,
    SalesDocument,
)
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.neto_cin7 import contacts
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.decisions import Decision
from ledger_pipelines.integrations.neto_cin7.orders import decide, rows
from ledger_pipelines.integrations.neto_cin7.references import order_key, update_key, void_key
from ledger_pipelines.systems.cin7.records import OrderLine, SalesOrder
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    BRANCHES,
    DAY,
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
    settings,
    shop,
)


def only(ctx: Context, one: SalesDocument) -> tuple[str, str]:
    (row,) = decide(ctx, one).rows
    return row.action.value, row.reason.code


def there(
    before: SalesDocument,
    after: SalesDocument,
    *more: Any,
    account: Mapping[str, Any] | None = None,
    **other: Any,
) -> Context:
    """Omni has `before` by us, read since; the store has `after`. account: what Omni shows of it otherwise."""
    ctx = context([before], **other)
    effect = effect_of(ctx, before)
    held = booked(effect, **(account or {}))
    return context([after], account=omni(orders=(held,)), known=(known(effect), *more), **other)


# --- new ---------------------------------------------------------------------------------------------------------------


def test_an_order_becomes_exactly_this_request() -> None:
    tee = line(
        "TEE-RED-M", "2", "33.00000000", "59.40", discount_percent=d("10"), place="1", description="Tee"
    )
    shipping = Charge(ChargeKind.SHIPPING, d("11.00"), d("1.00"), "Standard Post")
    one = order("N10234", tee, charges=(shipping,), purchase_order="PO-77", note="Ring first")
    choices = settings(
        download_orders={"prefix": "W-"},
        branches={"by_warehouse": {"main warehouse": "Shed"}},
        accounting={"cost_center": "WEB", "payment_terms": "Net 7"},
    )
    ctx = context([one], choices=choices)
    (row,) = decide(ctx, one).rows
    assert (row.action.value, row.reason.code, row.amount) == ("create", "new-order", aud("70.40"))
    effect = row.effect
    assert effect is not None
    assert (effect.kind, effect.external_id, effect.number) == ("sales_order", "W-N10234", "N10234")
    assert (effect.expected.amount, effect.expected.lines) == (aud("70.40"), 1)
    names = {"FirstName": "Pat", "LastName": "Rivers"}
    place = {
        "Address1": "8 Dock Rd",
        "City": "NEWCASTLE",
        "State": "NSW",
        "PostalCode": "2300",
        "Country": "Australia",
    }
    assert body_of(effect) == {
        "reference": "W-N10234", "createdDate": "2025-03-03T01:00:00Z", "isApproved": True, "stage": "Processing",
        "memberId": 501, "firstName": "Pat", "lastName": "Rivers", "email": "pat@example.com", "phone": "0400 000 111",
        **{f"{side}{name}": text for side in ("delivery", "billing") for name, text in (names | place).items()},
        "customerOrderNo": "PO-77", "deliveryInstructions": "Ring first", "currencyCode": "AUD", "taxStatus": "Incl",
        "taxRate": 10, "freightTotal": 11, "freightDescription": "Standard Post", "surcharge": 0, "discountTotal": 0,
        "branchId": 4, "costCenter": "WEB", "paymentTerms": "Net 7",
        "lineItems": [
            {"code": "TEE-RED-M", "name": "Tee", "qty": 2, "unitPrice": 33, "discount": Decimal("6.6"), "sort": 10,
             "integrationRef": "L-TEE-RED-M"},
        ],
    }  # fmt: skip


def test_the_same_order_is_the_same_request_on_whatever_day_it_is_planned() -> None:
    one = order()
    first, second = (effect_of(context([one], day=day, today=day), one) for day in (DAY, date(2025, 3, 9)))
    assert (first.key, first.body) == (second.key, second.body)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"kind": DocumentKind.QUOTE}, "quote"),
        ({"day": date(2024, 12, 31)}, "before-first-day"),
        ({"cancelled": True, "status": "Cancelled"}, "cancelled"),
        ({"status": "Quote"}, "status-not-downloaded"),
    ],
)
def test_orders_that_are_not_downloaded(other: dict[str, Any], code: str) -> None:
    one = order("N1", **other)
    assert only(context([one]), one) == ("skip", code)


OFF = settings(download_orders={"enabled": False})


def test_nothing_is_downloaded_while_that_is_off_and_what_was_is_left() -> None:
    one = order()
    decision = decide(context([one], choices=OFF), one)
    assert codes(decision.rows) == [("skip", "orders-off")]
    assert decision.target is None
    effect = effect_of(context([one]), one)

    def now(after: SalesDocument) -> Decision:
        account = omni(orders=(booked(effect),))
        return decide(context([after], account=account, known=(known(effect),), choices=OFF), after)

    for after, expected in (
        (one, ("skip", "already-there")),
        (replace(one, status="New"), ("skip", "already-there")),
        (replace(one, purchase_order="B"), ("blocked", "order-changed")),
    ):
        assert codes(now(after).rows) == [expected]
        assert now(after).waits is (expected[0] == "blocked")
    assert "download_orders.enabled" in now(replace(one, purchase_order="B")).rows[0].reason.remedy


def test_only_from_a_day_on_and_only_test_orders() -> None:
    one = order()
    late = settings(download_orders={"orders_from": "2025-03-04"})
    assert only(context([one], choices=late), one) == ("skip", "before-first-day")
    early = settings(download_orders={"orders_from": "2020-01-01"})
    old = order("N1", day=date(2024, 12, 31))
    assert only(context([old], choices=early), old) == ("skip", "before-first-day")
    assert only(context([one], mode=Mode.TEST), one) == ("skip", "not-a-test-order")
    named = settings(general={"test_orders": ["N10234"]})
    assert only(context([one], mode=Mode.TEST, choices=named), one) == ("create", "new-order")


@pytest.mark.parametrize(
    ("status", "approved", "stage"),
    [
        ("New", True, "New"),
        ("on hold", False, "On Hold"),
        ("Uncommitted", False, "On Hold"),
        ("Pack", True, "Processing"),
    ],
)
def test_draft_or_approved_and_the_stage(status: str, approved: bool, stage: str) -> None:
    one = order("N1", status=status)
    choices = settings(download_orders={"statuses": [status]})
    body = body_of(effect_of(context([one], choices=choices), one))
    assert (body["isApproved"], body["stage"]) == (approved, stage)


def test_a_stage_of_ones_own() -> None:
    one = order("N1", status="Pick")
    choices = settings(download_orders={"stages": {"pick": "Release to Pick"}, "default_stage": "Later"})
    assert body_of(effect_of(context([one], choices=choices), one))["stage"] == "Release to Pick"
    other = order("N1", status="Pack")
    assert body_of(effect_of(context([other], choices=choices), other))["stage"] == "Later"


def test_a_reference_over_30_characters_blocks() -> None:
    one = order("N12345678901234")
    choices = settings(download_orders={"prefix": "LONGPREFIX-0001"})
    assert effect_of(context([one], choices=choices), one).external_id == "LONGPREFIX-0001N12345678901234"
    long = order("N123456789012345")
    assert only(context([long], choices=choices), long) == ("blocked", "reference-too-long")


def test_long_texts_are_cut_and_said() -> None:
    one = order(
        "N1", purchase_order="P" * 101, note="n" * 2001, party=replace(PAT, company="C" * 251, phone="0" * 51)
    )
    (row,) = decide(context([one]), one).rows
    body = body_of(row.effect)
    assert [len(str(body[name])) for name in ("customerOrderNo", "deliveryInstructions", "company")] == [
        100,
        2000,
        250,
    ]
    assert "phone" not in body
    for what in ("customer order number is cut to 100", "delivery instruction is cut", "phone number"):
        assert what in row.reason.text


def test_the_customers_own_number_or_the_orders() -> None:
    one = order("N1", purchase_order="PO-1")
    choices = settings(download_orders={"customer_order_no": "order"})
    assert body_of(effect_of(context([one], choices=choices), one))["customerOrderNo"] == "N1"
    plain = order("N1")
    assert body_of(effect_of(context([plain]), plain))["customerOrderNo"] == "N1"


def test_a_foreign_order_names_its_currency_and_leaves_the_rate_to_omni() -> None:
    one = order("N1", line(tax="0.00"), currency="USD")
    effect = effect_of(context([one]), one)
    assert body_of(effect)["currencyCode"] == "USD"
    assert "currencyRate" not in body_of(effect)
    assert effect.expected.amount is not None
    assert effect.expected.amount.currency == "USD"
    choices = settings(accounting={"currency_rates": {"USD": "0.65", "AUD": "2"}})
    assert body_of(effect_of(context([one], choices=choices), one))["currencyRate"] == Decimal("0.65")
    home = order()
    assert "currencyRate" not in body_of(effect_of(context([home], choices=choices), home))


def test_branches() -> None:
    two = order("N1", line(place="1"), line("TEE-RED-M", "1", "33.00", place="3"))
    choices = {"by_warehouse": {"W1": "Main warehouse", "3": "4"}}
    assert only(context([two], choices=settings(branches=choices)), two) == ("blocked", "several-branches")
    mixed = settings(branches=choices | {"mixed": "default", "branch": "Shed"})
    assert body_of(effect_of(context([two], choices=mixed), two))["branchId"] == 4
    one = order("N1", line(place="9"))
    assert "branchId" not in body_of(effect_of(context([one], choices=settings(branches=choices)), one))
    lost = settings(branches={"branch": "Nowhere"})
    reason = decide(context([one], choices=lost), one).rows[0].reason
    assert (reason.code, "Nowhere" in reason.text) == ("unresolved-setting", True)


def test_a_contact_that_is_not_found_blocks_the_order_too() -> None:
    one = order()
    choices = settings(customer_tracking={"create": False})
    ctx = context([one], account=omni(contacts=()), choices=choices)
    assert only(ctx, one) == ("blocked", "customer-unknown")


# --- there already -------------------------------------------------------------------------------------------------------


def foreign(one: SalesDocument, **other: Any) -> SalesOrder:
    return booked(effect_of(context([one]), one), id_="7", **other)


def test_an_order_of_somebody_else_is_left_alone() -> None:
    one = order()
    theirs = replace(foreign(one), lines=())
    decision = decide(context([one], account=omni(orders=(theirs,))), one)
    assert codes(decision.rows) == [("skip", "in-omni-already")]
    assert (decision.target, decision.ours) == (None, False)
    for other in ({"total": d("99")}, {"is_void": True}):
        account = omni(orders=(replace(theirs, **other),))
        assert only(context([one], account=account), one) == ("blocked", "reference-taken")


def test_one_with_our_line_references_is_taken_up() -> None:
    """A lost journal: the engine finds it under its reference and adopts it."""
    one = order()
    ctx = context([one], account=omni(orders=(foreign(one),)))
    (row,) = decide(ctx, one).rows
    assert (row.action.value, row.reason.code) == ("create", "found-in-omni")
    assert row.key == order_key(ctx, one)


def test_what_is_in_doubt_or_ignored_stays_with_the_engine() -> None:
    one = order()
    effect = effect_of(context([one]), one)
    doubt = known(effect, "", state=EffectState.UNKNOWN)
    assert only(context([one], known=(doubt,)), one) == ("skip", "unknown")
    held = known(effect, "", state=EffectState.HELD, code="mismatch", text="Look.")
    assert only(context([one], known=(held,)), one) == ("blocked", "mismatch")
    assert only(context([one], ignored=(effect.key,)), one) == ("skip", "ignored-by-user")
    refused = known(effect, "", state=EffectState.REFUSED)
    assert only(context([one], known=(refused,)), one) == ("create", "new-order")


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


# --- by hand in Omni ------------------------------------------------------------------------------------------------------


def edited(lines: int = 0, **other: Any) -> dict[str, Any]:
    """Somebody made the first line five."""
    effect = effect_of(context([order("N1")]), order("N1"))
    held = booked(effect)
    return {"lines": (replace(held.lines[lines], qty=d("5")),), "total": d("82.50")} | other


def test_an_edit_in_omni_alone_overwrites_nothing_and_is_said() -> None:
    one = order("N1")
    (row,) = decide(there(one, one, account=edited()), one).rows
    assert (row.action.value, row.reason.code) == ("skip", "already-there")
    assert "5 x MUG-01" in row.reason.text


def test_a_line_that_somebody_took_out() -> None:
    one = order("N1")
    held = booked(effect_of(context([one]), one))
    account = {"lines": (replace(held.lines[0], qty=d("0")),), "total": d("0")}
    (row,) = decide(there(one, one, account=account), one).rows
    assert "'1 x MUG-01 at 16.50' is gone there" in row.reason.text


def test_both_sides_changed_the_same_part() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = there(before, after, account=edited())
    decision = decide(ctx, after)
    (row,) = decision.rows
    assert (row.action.value, row.reason.code, decision.waits) == ("blocked", "edited-in-omni", True)
    for value in ("2 x MUG-01", "5 x MUG-01", "82.50 AUD"):
        assert value in row.reason.text


def test_who_ignores_a_row_ignores_what_it_showed_and_no_later_change() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = there(before, after, account=edited())
    (row,) = decide(ctx, after).rows
    ignoring = replace(ctx, journal=replace(ctx.journal, ignored=frozenset({row.key})))
    decision = decide(ignoring, after)
    assert (decision.rows[0].action.value, decision.rows[0].reason.code) == ("skip", "ignored-by-user")
    later_ = order("N1", line(quantity="3"))
    (row,) = decide(replace(ignoring, shop=shop([later_])), later_).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")


def test_a_refused_change_that_was_ignored_hides_none_that_comes_later() -> None:
    """Keys of changes that were sent stay theirs; the next one has the next key."""
    before = order("N1")
    first, second = order("N1", line(quantity="2")), order("N1", line(quantity="3"))
    ctx = there(before, first)
    (row,) = decide(ctx, first).rows
    assert row.effect is not None and row.key == update_key(ctx, before, 1)
    refused = known(row.effect, "", state=EffectState.IGNORED)

    def of(one: SalesDocument, *more: Known, omni_has: SalesDocument = before) -> Context:
        knowing = {**ctx.journal.known, **{entry.key: entry for entry in more}}
        account = same(before, omni_has).omni
        return replace(ctx, shop=shop([one]), omni=account, journal=JournalView(knowing))

    assert only(of(first, refused), first) == ("skip", "ignored-by-user")
    (row,) = decide(of(second, refused), second).rows
    assert (row.action.value, row.key) == ("update", update_key(ctx, before, 2))
    assert row.effect is not None
    done = known(row.effect)
    assert only(of(second, refused, done, omni_has=second), second) == ("skip", "already-there")
    # The plan that is being carried out does not see its own effect, and comes out the same.
    assert decide(of(second, refused), second).rows[0].content() == row.content()
    # Taken up again after that, the first key is the next change's; what came after it stays known.
    again = replace(refused, state=EffectState.APPROVED)
    assert only(of(second, again, done, omni_has=second), second) == ("skip", "already-there")
    third = order("N1", line(quantity="4"))
    (row,) = decide(of(third, again, done, omni_has=second), third).rows
    assert (row.action.value, row.key) == ("update", update_key(ctx, before, 1))
    assert row.effect is not None
    last = known(row.effect, confirmed_at=WRITTEN_AT.replace(minute=30))
    assert only(of(third, last, done, omni_has=third), third) == ("skip", "already-there")


def same(before: SalesDocument, after: SalesDocument, **other: Any) -> Context:
    """Omni has by hand what the store has: `after`, but for what is told else."""
    shown = booked(effect_of(context([after]), after))
    held = {"lines": shown.lines, "total": shown.total, "freight": shown.freight} | other
    return there(before, after, account=held)


def test_both_sides_changed_the_same_part_to_the_same() -> None:
    """It is written as it is there: so the journal knows what both have, and a later change of the store is one."""
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = same(before, after)
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "same-in-omni")
    assert [line["qty"] for line in body_of(row.effect)["lineItems"]] == [d("2")]
    assert row.effect is not None and row.effect.expected.amount == after.grand_total
    written_ = known(row.effect)
    now = replace(ctx, journal=JournalView({**ctx.journal.known, written_.key: written_}))
    assert only(now, after) == ("skip", "already-there")
    after = order("N1", line(quantity="3"))
    (row,) = decide(replace(now, shop=shop([after])), after).rows
    assert (row.action.value, row.reason.code) == ("update", "order-changed")


def test_a_line_that_is_new_on_both_sides_is_the_same_line() -> None:
    """Somebody put it in by hand, without our reference: it gets that, and is not put in again."""
    before, after = order("N1"), order("N1", line(), line("TEE-RED-M"))
    shown = booked(effect_of(context([after]), after))
    by_hand = replace(shown.lines[1], integration_ref="", id="777")
    ctx = same(before, after, lines=(shown.lines[0], by_hand))
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "same-in-omni")
    (put,) = body_of(row.effect)["lineItems"]
    assert (put["id"], put["integrationRef"], put["code"]) == (
        777,
        shown.lines[1].integration_ref,
        "TEE-RED-M",
    )
    other = same(before, after, lines=(shown.lines[0], replace(by_hand, qty=d("2"))), total=d("49.50"))
    assert only(other, after) == ("blocked", "edited-in-omni")


def test_a_line_that_is_gone_on_both_sides_is_no_clash() -> None:
    before, after = order("N1", line(), line("TEE-RED-M")), order("N1")
    ctx = same(before, after)
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "same-in-omni")
    assert "lineItems" not in body_of(row.effect)
    assert row.effect is not None
    written_ = known(row.effect)
    now = replace(ctx, journal=JournalView({**ctx.journal.known, written_.key: written_}))
    assert only(now, after) == ("skip", "already-there")


def test_omni_wins() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    choices = settings(download_orders={"edited_in_omni": "omni"})
    assert only(there(before, after, account=edited(), choices=choices), after) == ("skip", "kept-as-in-omni")
    both = replace(after, purchase_order="B")
    ctx = there(before, both, account=edited(), choices=choices)
    (row,) = decide(ctx, both).rows
    assert body_of(row.effect) == {"customerOrderNo": "B"}
    assert (row.action.value, row.reason.code) == ("update", "kept-as-in-omni")
    assert "Omni's stays. Written is: customerOrderNo N1 is now B." in row.reason.text
    assert "The store's is written" not in row.reason.text
    moved = replace(after, status="New")
    (row,) = decide(there(before, moved, account=edited(), choices=choices), moved).rows
    assert (row.reason.code, body_of(row.effect)) == ("kept-as-in-omni", {"stage": "New"})
    assert "Written is: stage New." in row.reason.text


NETO = settings(download_orders={"edited_in_omni": "neto"})


def held_with(
    before: SalesDocument, after: SalesDocument, texts: Mapping[str, str], choices: Any = None, **other: Any
) -> Context:
    """Omni has `before` by us with these texts, and what is told else; the store has `after`."""
    effect = effect_of(context([before]), before)
    shown = {name: value for name, value in body_of(effect).items() if isinstance(value, str)}
    held = booked(effect, **other)
    account = omni(orders=(held,), texts={held.id: shown | texts})
    return context([after], account=account, known=(known(effect),), choices=choices)


def test_the_store_wins_where_both_changed_and_nowhere_else() -> None:
    """The warehouse put five in and corrected the city; the store has another street."""
    before = order("N1")
    after = order("N1", party=replace(PAT, shipping=Address("9 Dock Rd", "NEWCASTLE", "NSW", "2300", "AU")))
    ctx = held_with(before, after, {"deliveryCity": "STOCKTON"}, NETO, **edited())
    (row,) = decide(ctx, after).rows
    assert row.reason.code == "overwrites-omni"
    assert body_of(row.effect) == {"deliveryAddress1": "9 Dock Rd", "deliveryCity": "NEWCASTLE"}
    assert "STOCKTON" in row.reason.text
    assert "5 x MUG-01" not in row.reason.text


def test_the_store_wins_all_of_the_part_and_what_is_overwritten_is_said() -> None:
    before = order("N1")
    after = order("N1", party=replace(PAT, shipping=Address("9 Dock Rd", "NEWCASTLE", "NSW", "2300", "AU")))
    texts = {"deliveryCity": "STOCKTON", "deliveryInstructions": "gate code 4711", "phone": "1"}
    (row,) = decide(held_with(before, after, texts, NETO), after).rows
    assert body_of(row.effect) == {
        "deliveryAddress1": "9 Dock Rd",
        "deliveryCity": "NEWCASTLE",
        "deliveryInstructions": "",
    }
    assert "gate code 4711" in row.reason.text


def test_what_somebody_filled_in_is_not_overwritten_unseen() -> None:
    before, after = order("N1"), order("N1", note="Ring first")
    texts = {"deliveryInstructions": "gate code 4711"}
    (row,) = decide(held_with(before, after, texts), after).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")
    for part in ("Ring first", "gate code 4711"):
        assert part in row.reason.text
    same = {"deliveryInstructions": "Ring first"}
    assert body_of(effect_of(held_with(before, after, same), after)) == {"deliveryInstructions": "Ring first"}
    left = settings(download_orders={"edited_in_omni": "omni"})
    assert only(held_with(before, after, texts, left), after) == ("skip", "kept-as-in-omni")


def test_what_omni_filled_in_of_the_contact_or_the_main_branch_is_no_edit() -> None:
    bare = replace(PAT, company="", phone="")
    before, after = order("N1", party=bare), order("N1", party=replace(bare, company="New", phone="0411"))
    texts = {"company": "Rivers Cycles", "phone": "0400"}

    def of(member: str, company: str) -> Context:
        ctx = held_with(before, after, texts)
        account = replace(
            ctx.omni, contacts=(contact(member, "pat@example.com", company=company),), branches=BRANCHES[:1]
        )
        return replace(ctx, omni=account, settings=settings(branches={"branch": "Main warehouse"}))

    body = body_of(effect_of(of("501", "Rivers Cycles"), after))
    assert (body["company"], body["phone"], body.get("branchId")) == ("New", "0411", 3)
    assert only(of("501", "Another"), after) == ("blocked", "edited-in-omni")


def test_another_branch_chosen_in_omni_is_not_overwritten_unseen() -> None:
    before = order("N1")
    first = effect_of(context([before]), before)
    other = order("N0")
    made = known(replace(effect_of(context([other]), other), key="OTHER"), "7")
    ctx = held_with(before, before, {}, settings(branches={"branch": "Main warehouse"}), branch_id="4")
    account = replace(ctx.omni, orders={"7": booked(first, "7"), **ctx.omni.orders})
    journal = replace(ctx.journal, known={made.key: made, **ctx.journal.known})
    ctx = replace(ctx, omni=account, journal=journal)
    (row,) = decide(ctx, before).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")
    assert "branchId was written as empty and is 4" in row.reason.text


def test_a_tax_rate_that_somebody_changed() -> None:
    before = order("N1")
    (row,) = decide(there(before, before, account={"tax_rate": d("15")}), before).rows
    assert (row.action.value, row.reason.code) == ("skip", "already-there")
    assert "taxRate was written as 10 and is 15" in row.reason.text


def test_the_store_wins_and_all_amounts_are_as_it_has_them() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    held = edited()
    put_in = OrderLine("950", "EXTRA", "Extra", d("1"), d("0"), d("1"), d("0"), "", "", "", 9)
    held |= {"lines": (*held["lines"], put_in), "freight": d("3")}
    choices = settings(download_orders={"edited_in_omni": "neto"})
    ctx = there(before, after, account=held, choices=choices)
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "overwrites-omni")
    body = body_of(row.effect)
    first, second = body["lineItems"]  # type: ignore[misc, union-attr]
    assert (first["id"], first["qty"]) == (900, 2)  # type: ignore[call-overload, index]
    assert second == {"id": 950, "qty": 0, "integrationRef": ""}
    assert body["freightTotal"] == 0


def test_different_parts_do_not_clash() -> None:
    before = order("N1")
    after = replace(before, purchase_order="B")
    assert body_of(effect_of(there(before, after, account=edited()), after)) == {"customerOrderNo": "B"}


def test_texts_changed_by_both() -> None:
    before = order("N1")
    after = order("N1", party=replace(PAT, shipping=Address("4 Hill St", "NEWCASTLE", "NSW", "2300", "AU")))
    effect = effect_of(context([before]), before)
    account = omni(orders=(booked(effect),), texts={"88123": {"deliveryAddress1": "Back door"}})
    (row,) = decide(context([after], account=account, known=(known(effect),)), after).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")
    assert "Back door" in row.reason.text
    assert "4 Hill St" in row.reason.text


def test_a_foreign_orders_converted_amounts_are_no_edit() -> None:
    before = order("N1", line(tax="0.00", unit="230.00"), currency="USD")
    effect = effect_of(context([before]), before)
    held = booked(effect, currency_rate=d("55.8438"), total=d("4.1186"))
    converted = tuple(replace(one, unit_price=d("4.1186")) for one in held.lines)
    account = omni(orders=(replace(held, lines=converted),))
    (row,) = decide(context([before], account=account, known=(known(effect),)), before).rows
    assert (row.reason.code, "edited" in row.reason.text) == ("already-there", False)


def test_a_line_that_lost_its_reference() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    effect = effect_of(context([before]), before)
    held = booked(effect)
    account = {"lines": (replace(held.lines[0], integration_ref=""),)}
    assert only(there(before, after, account=account), after) == ("blocked", "edited-in-omni")


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


def test_rows_are_those_of_all_orders() -> None:
    some = [order("N1"), order("N2", cancelled=True)]
    assert codes(rows(context(some), some)) == [("create", "new-order"), ("skip", "cancelled")]
    assert shop(some).orders["N1"] is some[0]


def test_statuses_count_in_any_case_as_the_check_of_settings_has_it() -> None:
    one = order("N1", status="Pick")
    for statuses, expected in ((("pick",), "new-order"), (("pack",), "status-not-downloaded")):
        ctx = context([one], choices=settings(download_orders={"statuses": statuses}))
        assert decide(ctx, one).rows[0].reason.code == expected
