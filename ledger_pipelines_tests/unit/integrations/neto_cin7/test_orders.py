"""What becomes of an order in Omni: one, whatever day it is planned under."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.documents.effects import EffectState, Mode
from ledger_pipelines.documents.sales import Charge, ChargeKind, DocumentKind, SalesDocument
from ledger_pipelines.integrations.neto_cin7.decisions import Decision
from ledger_pipelines.integrations.neto_cin7.orders import decide, rows
from ledger_pipelines.integrations.neto_cin7.references import order_key
from ledger_pipelines.systems.cin7.records import SalesOrder
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    DAY,
    PAT,
    aud,
    body_of,
    booked,
    codes,
    context,
    d,
    effect_of,
    known,
    line,
    omni,
    order,
    settings,
    shop,
)
from ledger_pipelines_tests.unit.integrations.neto_cin7.building_orders import only

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


def test_rows_are_those_of_all_orders() -> None:
    some = [order("N1"), order("N2", cancelled=True)]
    assert codes(rows(context(some), some)) == [("create", "new-order"), ("skip", "cancelled")]
    assert shop(some).orders["N1"] is some[0]


def test_statuses_count_in_any_case_as_the_check_of_settings_has_it() -> None:
    one = order("N1", status="Pick")
    for statuses, expected in ((("pick",), "new-order"), (("pack",), "status-not-downloaded")):
        ctx = context([one], choices=settings(download_orders={"statuses": statuses}))
        assert decide(ctx, one).rows[0].reason.code == expected


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
