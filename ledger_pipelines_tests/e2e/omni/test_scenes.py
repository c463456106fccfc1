"""One scene for each kind of order: made through the vendors' APIs, judged by the account's own records."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.sync.result import Outcome
from ledger_pipelines_tests.e2e.omni.conftest import Opened
from ledger_pipelines_tests.e2e.omni.kit import (
    DISPATCH,
    KETTLE,
    POT,
    SHED,
    TEA,
    in_omni,
    totals,
    writes,
)
from ledger_pipelines_tests.e2e.shop.kit import GOODS, KIT, planned, reasons, staff, unsettled, waiting
from ledger_pipelines_tests.faults.omni_scene import made_in_omni, product
from ledger_pipelines_tests.omni_stage import OmniStage

_MINUTE = 60


def run(stage: OmniStage) -> RunResult:
    stage.clock.jump(_MINUTE)
    stage.forget_calls()
    return stage.run()


def test_orders_are_there_once_to_the_cent_and_a_second_run_writes_nothing(opened: Opened) -> None:
    stage = opened(payments__enabled=True, download_orders__prefix="W-")
    known, new = stage.order(POT, TEA), stage.order(POT, Username="tom.harris1", Email="tom@example.com")
    coupon = stage.order(TEA, AppliedDiscounts=[{"DiscountCode": "SPRING", "DiscountAmount": "5.00"}])
    percent = stage.order({**TEA, "DiscountPercent": "10"}, PaymentMethod="Credit Card")
    free = stage.order({"SKU": "HONEY-500", "Quantity": "1"}, {"SKU": "SAMPLE-1", "Quantity": "3"})
    odd = stage.order({"SKU": "TEA-EB-250", "Quantity": "3"}, {"SKU": "CUP-2", "Quantity": "7"})
    guest = stage.order(POT, Username="", Email="guest@example.com", BillFirstName="Gail")
    held = stage.order(POT, OrderStatus="On Hold")
    paid = stage.pay(known, "20.00"), stage.pay(known, "5.00", "Credit Card")
    result = stage.run()
    assert unsettled(result) == []
    everything = totals(stage)
    account = stage.account()
    assert in_omni(account) == {f"W-{number}": total for number, total in everything.items()}
    assert set(everything) == {known, new, coupon, percent, free, odd, guest, held}
    # who
    contacts = {one["email"]: one for one in account.records("contact")}
    assert set(contacts) == {"PRIYA@example.com", "tom@example.com", "guest@example.com"}
    assert contacts["tom@example.com"]["integrationRef"] == "tom.harris1"
    assert account.order(f"W-{known}")["memberId"] == contacts["PRIYA@example.com"]["id"]
    assert account.order(f"W-{guest}")["firstName"] == "Gail"
    # how
    assert account.order(f"W-{held}")["status"] == "DRAFT"
    assert account.order(f"W-{known}")["status"] == "APPROVED"
    assert account.order(f"W-{coupon}")["discountTotal"] == Decimal("5.00")
    assert {line["code"] for line in account.lines(f"W-{known}")} == {"POT-600", "TEA-EB-100"}
    assert all(line["productOptionId"] for one in account.records("order") for line in one["lineItems"])
    # money
    there = {one["transactionRef"]: one for one in account.payments(f"W-{known}")}
    assert set(there) == set(paid)
    assert [Decimal(str(there[one]["amount"])) for one in paid] == [Decimal(20), Decimal(5)]
    # a call a batch, none an order
    made = writes(stage)
    assert made == {"POST /api/v1/Contacts": 1, "POST /api/v1/SalesOrders": 1, "POST /api/v1/Payments": 1}
    assert stage.calls("cin7")["GET /api/v1/SalesOrders"] <= 2  # of which one was the initial sync's
    before = stage.account().dump["records"]
    run(stage)
    assert writes(stage) == {}
    assert stage.account().dump["records"] == before


def test_many_orders_are_written_in_as_many_calls_as_batches(opened: Opened) -> None:
    stage = opened(connections={"cin7": {"records_a_call": 10}})
    numbers = [stage.order(POT) for _ in range(25)]
    stage.forget_calls()
    stage.run()
    assert writes(stage) == {"POST /api/v1/SalesOrders": 3}
    assert set(in_omni(stage.account())) == set(numbers)


def test_a_back_fill_of_days_shares_calls(opened: Opened) -> None:
    stage = opened(payments__enabled=True)
    guest = {
        "Username": "noreg",
        "Email": "tom@example.com",
        "BillFirstName": "Tom",
        "BillLastName": "Harris",
    }
    numbers = []
    for _ in range(3):
        numbers += [stage.order(POT, **guest), stage.order(TEA)]
        for number in numbers[-2:]:
            stage.pay(number, str(stage.owed(number)))
        stage.clock.jump(86_400)
    stage.forget_calls()
    result = stage.run()
    assert len(result.days) > 2
    made = {"POST /api/v1/Contacts": 1, "POST /api/v1/SalesOrders": 1, "POST /api/v1/Payments": 1}
    assert writes(stage) == made
    assert sum(one.result.sends for one in result.runs if one.result is not None) == 3
    assert in_omni(stage.account()) == totals(stage)
    written = [
        row.number
        for one in result.runs
        if one.flow == "orders" and one.result
        for row in one.result.having(Outcome.WRITTEN)
    ]
    assert sorted(written) == sorted(numbers)
    stage.forget_calls()
    stage.run(result.days)
    assert writes(stage) == {}


def test_stored_plans_of_days_that_want_one_contact_go_out_together_and_none_is_held(opened: Opened) -> None:
    stage = opened()
    guest = {
        "Username": "noreg",
        "Email": "tom@example.com",
        "BillFirstName": "Tom",
        "BillLastName": "Harris",
    }
    days = []
    for street in ("1 First St", "2 Second St"):
        stage.order(POT, **guest, BillStreet1=street)
        days.append(stage.service.today())
        stage.clock.jump(86_400)
    service = stage.service
    service.refresh()
    for day in days:
        service.plan("contacts", day)
    stage.forget_calls()
    first = service.export_together("contacts", days)
    assert writes(stage) == {"POST /api/v1/Contacts": 1}
    assert [row.outcome for row in first[days[0]].rows] == [Outcome.WRITTEN]
    assert service.journal.counts() == {EffectState.CONFIRMED: 1}
    assert stage.run().exit_code == 0
    assert in_omni(stage.account()) == totals(stage)


def test_an_order_with_a_sku_out_of_step_waits_or_goes_through_marked(opened: Opened) -> None:
    stage = opened()
    stage.shop(
        "AddItem",
        {"Item": [{"SKU": "NEW-CUP", "Name": "New cup", "DefaultPrice": "12.00", "Approved": True}]},
    )
    number = stage.order({"SKU": "NEW-CUP", "Quantity": "1"})
    result = stage.run()
    assert waiting(result, number, "orders").code == "sku-unknown"
    assert in_omni(stage.account()) == {}
    stage.again(products__unknown_sku="mark")
    run(stage)
    (line,) = stage.account().lines(number)
    assert (line["code"], line["productOptionId"]) == ("NEW-CUP", 0)
    assert "sku-unknown" in line["lineComments"]


def test_products_are_made_first_on_either_side(opened: Opened) -> None:
    stage = opened(products__download=True)
    stage.shop(
        "AddItem",
        {"Item": [{"SKU": "NEW-CUP", "Name": "New cup", "DefaultPrice": "12.00", "Approved": True}]},
    )
    number = stage.order({"SKU": "NEW-CUP", "Quantity": "1"})
    assert unsettled(stage.run()) == []
    (line,) = stage.account().lines(number)
    assert line["productOptionId"]
    stage.again(products__download=False, products__upload=True)
    told = stage.omni(
        "POST", "Products", [{"styleCode": "OMNI-1", "name": "Tray", "productOptions": [{"productOptionCode": "OMNI-1", "retailPrice": 9}]}]
    )  # fmt: skip
    assert told[0]["success"]
    result = run(stage)
    assert unsettled(result) == []
    made = {one["key"]: one for one in stage.store()["item"]}["OMNI-1"]
    assert (made["Name"], made["DefaultPrice"], made["Approved"]) == ("Tray", "9.00", False)
    assert "NEW-CUP" in {one["key"] for one in stage.store()["item"]}


def test_only_what_changed_is_sent_lines_by_their_id(opened: Opened) -> None:
    stage = opened()
    one, two = stage.order(POT, TEA), stage.order(POT)
    stage.run()
    ids = {line["code"]: line["id"] for line in stage.account().lines(one)}
    run(stage)  # Omni was read once
    staff(
        stage,
        "/edit",
        {"OrderID": one, "OrderLine": [{**POT, "Quantity": "2"}, TEA, {"SKU": "STRAINER", "Quantity": "1"}]},
    )
    staff(stage, "/edit", {"OrderID": two, "PurchaseOrderNumber": "PO-9"})
    result = run(stage)
    assert unsettled(result) == []
    assert writes(stage) == {"PUT /api/v1/SalesOrders": 1}
    account = stage.account()
    assert in_omni(account) == totals(stage)
    lines = {line["code"]: line for line in account.lines(one)}
    assert {code: lines[code]["id"] for code in ids} == ids
    assert (Decimal(str(lines["POT-600"]["qty"])), set(lines)) == (2, {"POT-600", "TEA-EB-100", "STRAINER"})
    assert account.order(two)["customerOrderNo"] == "PO-9"
    run(stage)
    staff(stage, "/edit", {"OrderID": one, "OrderLine": [POT]})
    run(stage)
    assert {line["code"] for line in stage.account().lines(one)} == {"POT-600"}
    assert in_omni(stage.account()) == totals(stage)
    run(stage)
    assert writes(stage) == {}


def test_a_buyers_corrected_address_holds_no_later_change(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH, branches__branch="Main warehouse")
    number = stage.order(POT, Username="", Email="gail@exmaple.com", BillFirstName="Gail")
    stage.run()
    run(stage)  # Omni was read once
    member = stage.account().order(number)["memberId"]
    staff(stage, "/edit", {"OrderID": number, "Email": "gail@example.com"})
    assert unsettled(run(stage)) == []
    run(stage)
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "2"}]})
    stage.status(number, "Dispatched")
    assert unsettled(run(stage)) == []
    account = stage.account()
    there = account.order(number)
    assert (there["email"], there["memberId"]) == ("gail@example.com", member)
    assert there["dispatchedDate"]
    assert in_omni(account) == totals(stage)
    assert [one["email"] for one in account.records("contact")].count("gail@example.com") == 0


def test_goods_swapped_for_unknown_ones_wait_and_those_of_before_stay(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH, branches__branch="Main warehouse")
    price = next(price for sku, _, price, _ in GOODS if sku == POT["SKU"])
    stage.shop(
        "AddItem",
        {"Item": [{"SKU": "NEW-POT", "Name": "New pot", "DefaultPrice": price, "Approved": True}]},
    )
    number = stage.order(POT)
    stage.run()
    run(stage)
    total = totals(stage)[number]
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{"SKU": "NEW-POT", "Quantity": "1"}]})
    stage.status(number, "Dispatched")
    assert totals(stage)[number] == total
    result = run(stage)
    reason = waiting(result, number, "orders")
    assert (reason.code, "NEW-POT" in reason.text) == ("order-changed", True)
    assert waiting(result, number, "status_updates").code == "order-blocked"
    assert writes(stage) == {}
    assert not stage.account().order(number)["dispatchedDate"]


def test_an_order_split_in_the_store_is_two_in_omni(opened: Opened) -> None:
    stage = opened()
    number = stage.order(POT, TEA)
    stage.run()
    run(stage)
    child = staff(stage, "/split", {"OrderID": number, "lines": ["TEA-EB-100"]})
    assert unsettled(run(stage)) == []
    assert set(in_omni(stage.account())) == {number, child}
    assert in_omni(stage.account()) == totals(stage)


def test_what_both_sides_changed_waits_or_goes_as_the_setting_says(opened: Opened) -> None:
    stage = opened()
    number = stage.order(POT)
    stage.run()
    (line,) = stage.account().lines(number)
    stage.clock.jump(5)
    stage.edit(number, lineItems=[{"id": line["id"], "qty": 5}])
    run(stage)
    assert writes(stage) == {}  # an edit in Omni alone is left alone
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "2"}]})
    result = run(stage)
    reason = waiting(result, number, "orders")
    assert reason.code == "edited-in-omni"
    for value in ("2 x POT-600", "5 x POT-600", "249.75", "259.70 AUD"):
        assert value in reason.text or value == "249.75"
    assert writes(stage) == {}
    stage.again(download_orders__edited_in_omni="omni")
    run(stage)
    assert writes(stage) == {}
    stage.again(download_orders__edited_in_omni="neto")
    assert unsettled(run(stage)) == []
    assert in_omni(stage.account()) == totals(stage)
    assert run(stage).exit_code == 0


@pytest.mark.parametrize("side", ["omni", "store"])
def test_what_both_sides_changed_goes_on_once_somebody_made_it_the_same(opened: Opened, side: str) -> None:
    stage = opened()
    number = stage.order(POT)
    stage.run()
    (line,) = stage.account().lines(number)
    stage.clock.jump(5)
    stage.edit(number, lineItems=[{"id": line["id"], "qty": 5}])
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "2"}]})
    assert waiting(run(stage), number, "orders").code == "edited-in-omni"
    if side == "omni":
        stage.edit(number, lineItems=[{"id": line["id"], "qty": 2}])
    else:
        staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "5"}]})
    assert unsettled(run(stage)) == []
    assert stage.service.errors() == []
    assert in_omni(stage.account()) == totals(stage)
    run(stage)
    assert writes(stage) == {}
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "3"}]})
    assert unsettled(run(stage)) == []
    assert in_omni(stage.account()) == totals(stage)
    assert [one["qty"] for one in stage.account().lines(number)] == [3]


def test_an_ignored_change_hides_no_later_one(opened: Opened) -> None:
    stage = opened(download_orders__update=False)
    number = stage.order(POT)
    stage.run()
    run(stage)
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "2"}]})
    assert waiting(run(stage), number, "orders").code == "order-changed"
    stage.service.ignore([number], "test", "corrected by hand")
    assert stage.service.errors() == [] and run(stage).exit_code == 0
    staff(stage, "/edit", {"OrderID": number, "OrderLine": [{**POT, "Quantity": "3"}]})
    assert "3 x POT-600" in waiting(run(stage), number, "orders").text
    assert [one.number for one in stage.service.errors()] == [number]


def test_an_order_ignored_by_its_number_comes_back_by_it_with_its_payment_and_its_dispatch(
    opened: Opened,
) -> None:
    """By number also what only waited for the order was ignored, and `retry` found nothing of it: both for good."""
    stage = opened(
        status_updates__auto_dispatch_orders=DISPATCH,
        status_updates__stock_every_minutes=0,
        payments__enabled=True,
    )
    product(stage, "SCONE-1", "4.40")
    number = stage.order({"SKU": "SCONE-1", "Quantity": "1"})
    stage.pay(number, str(stage.owed(number)))
    stage.status(number, "Dispatched")
    assert waiting(stage.run(), number, "orders").code == "sku-unknown"
    assert {one.flow for one in stage.service.errors()} >= {"orders", "payments", "status_updates"}
    stage.service.ignore([number], "test", "entered by hand")
    run(stage)
    assert [one.flow for one in stage.service.errors()] == []
    made_in_omni(stage, "SCONE-1", "4.40")
    stage.adjust("SCONE-1", 5)
    assert stage.service.retry([number], "test", "it was not, after all")
    run(stage)
    assert in_omni(stage.account()) == totals(stage)
    run(stage)  # which branch it went to is known now
    assert stage.account().order(number)["dispatchedDate"]
    assert len(stage.account().payments(number)) == 1


def test_cancelled_ones_are_voided_once_and_dispatched_ones_reported(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=DISPATCH)
    never, later, gone = stage.order(POT), stage.order(POT), stage.order(POT)
    stage.status(never, "Cancelled")
    stage.run()
    assert set(in_omni(stage.account())) == {later, gone}
    stage.status(later, "Cancelled")
    stage.status(gone, "Dispatched")
    run(stage)
    account = stage.account()
    assert account.order(later)["isVoid"] is True
    assert account.order(gone)["dispatchedDate"]
    stage.status(gone, "On Hold")
    stage.status(gone, "Cancelled")
    stage.status(later, "Pick")
    result = run(stage)
    assert waiting(result, gone, "status_updates").code == "dispatched-in-omni"
    assert waiting(result, later, "orders").code == "void-for-good"
    assert writes(stage) == {}
    assert stage.account().order(later)["isVoid"] is True


def test_dispatched_only_when_every_line_can_be(opened: Opened) -> None:
    stage = opened(
        status_updates__auto_dispatch_orders=DISPATCH,
        branches__branch="Main warehouse",
        status_updates__stock_every_minutes=0,
    )
    first, second, third = stage.order(KETTLE), stage.order(KETTLE, POT), stage.order(KETTLE, POT)
    for number in (first, second, third):
        stage.shop(
            "UpdateOrder",
            {
                "Order": [
                    {
                        "OrderID": number, "OrderStatus": "Dispatched",
                        "OrderLine": [{"SKU": "KETTLE", "TrackingDetails": {"TrackingNumber": f"T-{number}", "ShippingMethod": "Post"}}],
                    }
                ]
            },
        )  # fmt: skip
    result = stage.run()
    account = stage.account()
    assert [bool(account.order(one)["dispatchedDate"]) for one in (first, second, third)] == [
        True,
        True,
        False,
    ]
    assert account.order(first)["trackingCode"] == f"T-{first}"
    assert account.order(first)["stage"] == "Dispatched"
    reason = waiting(result, third, "status_updates")
    assert reason.code == "not-enough-stock"
    assert "KETTLE" in reason.text
    assert "POT-600" not in reason.text
    assert account.on_hand("KETTLE") == 0
    pots = account.on_hand("POT-600")
    stage.adjust("KETTLE", 5, SHED)
    run(stage)
    assert not stage.account().order(third)["dispatchedDate"]  # another branch's
    stage.adjust("KETTLE", 1)
    assert unsettled(run(stage)) == []
    account = stage.account()
    assert account.order(third)["dispatchedDate"]
    assert (account.on_hand("KETTLE"), account.on_hand("POT-600")) == (0, pots - 1)
    run(stage)
    assert writes(stage) == {}


def test_whatever_stock_there_is(opened: Opened) -> None:
    stage = opened(status_updates__auto_dispatch_orders=f"{DISPATCH} (Ignore Stock)")
    numbers = [stage.order({**KETTLE, "Quantity": "5"}) for _ in range(2)]
    for number in numbers:
        stage.status(number, "Dispatched")
    stage.run()
    account = stage.account()
    assert all(account.order(number)["dispatchedDate"] for number in numbers)
    assert account.on_hand("KETTLE") == -8
    assert not [name for name in stage.calls("cin7") if "Stock" in name]


def test_a_kit_as_its_parts_leaves_their_stock(opened: Opened) -> None:
    stage = opened(
        products__kits="components",
        status_updates__auto_dispatch_orders=DISPATCH,
        branches__branch="Main warehouse",
    )
    number = stage.order({"SKU": KIT, "Quantity": "1"})
    stage.status(number, "Dispatched")
    before = stage.account().on_hand("STRAINER")
    assert unsettled(stage.run()) == []
    account = stage.account()
    assert in_omni(account) == totals(stage)
    assert account.on_hand("STRAINER") == before - 1


def test_nothing_is_dispatched_or_voided_under_no(opened: Opened) -> None:
    stage = opened()
    gone, dropped = stage.order(POT), stage.order(POT)
    stage.run()
    stage.status(gone, "Dispatched")
    stage.status(dropped, "Cancelled")
    result = run(stage)
    assert writes(stage) == {}
    assert [reason.code for reason in reasons(result, dropped, "orders")] == ["cancelled-later"]
    assert planned(result, gone, "status_updates") == []


def test_the_reconciliation_says_what_is_so(opened: Opened) -> None:
    stage = opened(
        status_updates__auto_dispatch_orders=DISPATCH,
        payments__enabled=True,
        branches__branch="Main warehouse",
    )
    fine, short, wrong = stage.order(POT), stage.order({**KETTLE, "Quantity": "9"}), stage.order(TEA)
    stage.shop(
        "AddItem",
        {"Item": [{"SKU": "NEW-CUP", "Name": "New cup", "DefaultPrice": "12.00", "Approved": True}]},
    )
    missing = stage.order({"SKU": "NEW-CUP", "Quantity": "1"})
    stage.pay(fine, "20.00")
    stage.status(short, "Dispatched")
    stage.run()
    stage.edit(wrong, freightTotal=0)
    payment = stage.account().payments(fine)[0]
    stage.omni(
        "POST",
        "Payments",
        [{name: payment[name] for name in ("orderId", "amount", "method", "transactionRef")}],
    )
    result = run(stage)
    today = stage.service.today()
    figures = stage.service.reconcile(today, today)
    checks = {check.name: check for check in figures.checks()}
    assert {name: check.passed for name, check in checks.items()} == {
        "every_order_is_in_omni": False, "totals_agree": False, "dispatch_agrees": False, "products_in_step": False,
        "nothing_is_there_twice": False, "readings_are_fresh": True,
    }  # fmt: skip
    own = totals(stage)
    there = in_omni(stage.account())
    (line,) = figures.days
    assert (line.taken, line.received) == (sum(own.values()), sum(there.values()))
    assert {one.order for one in figures.differences} == {missing, wrong}
    assert [one.order for one in figures.documents] == [short]
    assert len(result.doubles) == 1
    page = stage.service.report(today, today).read_text(encoding="utf-8")
    for text in (missing, wrong, short, "NEW-CUP", "not-enough-stock", "sku-unknown"):
        assert text in page


def test_a_status_chosen_later_takes_up_orders_of_days_that_were_done(opened: Opened) -> None:
    stage = opened(download_orders__statuses=["Pack"])
    number = stage.order(POT)
    stage.clock.jump(2 * 86_400)
    stage.run()
    assert number not in stage.account().orders()
    assert len(stage.run().days) == 1, "only today: its day is done"
    stage.again(download_orders__statuses=["Pack", "Pick"])
    stage.run()
    assert number in stage.account().orders()
    assert len(stage.run().days) == 1, "and is done again"


def test_a_store_in_another_currency_than_the_account_writes_its_orders(opened: Opened) -> None:
    """The guard of totals knew no limit for USD: such a store wrote nothing, ever."""
    stage = opened(accounting__currency_rates={"USD": "0.65"}, connections={"shop": {"currency": "USD"}})
    number = stage.order(TEA, POT)
    assert unsettled(stage.run()) == []
    there = stage.account().order(number)
    assert (there["currencyCode"], Decimal(str(there["currencyRate"]))) == ("USD", Decimal("0.65"))
    assert unsettled(run(stage)) == []
    assert writes(stage) == {}
