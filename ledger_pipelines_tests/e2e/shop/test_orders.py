"""One scene for each kind of order: made through the vendors' APIs, judged by the file's own books.

Scenes that do not disturb each other share an installation and its runs: customers order, a run, staff act, a run. What a scene
is, its test tells.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines.sync.gates import StalePlanError
from ledger_pipelines.sync.result import Outcome
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import (
    INCOME,
    KIT,
    LIABILITY,
    VOUCHERS,
    Scenes,
    agrees,
    expected,
    give_back,
    no_doubles,
    number,
    refill,
    staff,
    unsettled,
    waiting,
    writes,
)
from ledger_pipelines_tests.shop_stage import Record

POT: Record = {"SKU": "POT-600", "Quantity": "1"}
TEA: Record = {"SKU": "TEA-EB-250", "Quantity": "3"}
FREE: Record = {"TaxFree": True}


# --- as shipped ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(opened: Opened) -> Scenes:
    """The shipped settings: tax invoices, service layout for what is unknown, overpayments by journal, edits reported."""
    scenes = Scenes(opened(refunds__account="Sales"))
    place, stage = scenes.place, scenes.stage
    place("simple", POT, pay=True)
    both = place("two payments", POT, TEA)
    stage.pay(both, "100.00", "Direct Deposit")
    stage.pay(both, str(stage.owed(both) - 100))
    place("part", POT, pay="20.00")
    place("overpaid", POT, pay="75.00")
    place("early payment", POT, OrderStatus="New", pay=True)
    old = place("back-dated", POT, pay="10.00")
    stage.pay(old, "5.00", "Direct Deposit", DatePaid="2026-10-19")
    place("surcharge", POT, PaymentMethod="Credit Card", pay=True)
    place(
        "coupon", POT, TEA, AppliedDiscounts=[{"DiscountCode": "SPRING", "DiscountAmount": "5.00"}], pay=True
    )
    place("percent", POT | {"DiscountPercent": "12.5"}, pay=True)
    place("eight decimals", TEA, {"SKU": "CUP-2", "Quantity": "7"}, pay=True)
    abroad = {
        "BillCountry": "US",
        "ShipCountry": "US",
        "ShipCity": "PORTLAND",
        "ShipState": "OR",
        "ShipPostCode": "97201",
    }
    place("export", POT | FREE, TaxFreeShipping=True, **abroad, pay=True)
    place("foreign with tax", POT, **abroad | {"ShipCountry": "NZ", "BillCountry": "NZ"}, Username="noreg",
          Email="aroha@example.com", BillFirstName="Aroha", BillLastName="Ngata", pay=True)  # fmt: skip
    place("zero line", POT, {"SKU": "SAMPLE-1", "Quantity": "1"}, pay=True)
    place("nothing to pay", {"SKU": "SAMPLE-1", "Quantity": "1"}, ShippingCost="0")
    place("kit", {"SKU": KIT, "Quantity": "2"}, pay=True)
    note = {"SKU": "TEXT_NOTE", "Quantity": "1", "UnitPrice": "0", "ItemDescription": "Happy birthday, Mei"}
    place("note", POT, note, pay=True)
    place("guest", POT, Username="noreg", Email="guest@example.com", pay=True)
    gone = {"SKU": "GONE-1", "Quantity": "1", "UnitPrice": "14.30", "ItemDescription": "A tea of old"}
    place("unknown", POT, gone, pay=True)
    for user in ("mum", "dad"):
        place(f"{user}'s", POT, Username=f"{user}.smith", Email="family@example.com", BillFirstName=user.title(),
              BillLastName="Smith", pay=True)  # fmt: skip
    taken = place("taken", POT, OrderStatus="New")
    contact = stage.book("POST", "/Contact", {"GivenName": "Some", "FamilyName": "Body", "IsActive": True})
    stage.book("POST", "/Invoice", by_hand(taken, contact["InsertedContactId"]))
    stage.status(taken, "Pick")
    place("tax free", {"SKU": "HONEY-500", "Quantity": "1"}, pay=True)
    whole = place("split", POT, TEA, pay=True)
    scenes.orders["split off"] = staff(stage, "/split", {"OrderID": whole, "lines": ["TEA-EB-250"]})
    place("out of stock", {"SKU": "KETTLE", "Quantity": "3"}, pay=True)
    for name in ("paid out", "pending", "credit"):
        place(name, {"SKU": "CUP-2", "Quantity": "2"}, OrderStatus="Dispatched", pay=True)
    place("cancelled before", POT, OrderStatus="Cancelled")
    for name in ("edited", "cancelled after"):
        place(name, POT)
    scenes.run()
    return scenes


def by_hand(name: str, contact: int) -> Record:
    """An invoice that somebody else wrote, over another amount."""
    return {
        "TransactionType": "S", "Layout": "S", "InvoiceType": "Tax Invoice", "InvoiceNumber": name,
        "TransactionDate": "2026-10-18", "BillingContactId": contact, "IsTaxInc": True, "Summary": "Somebody else's",
        "LineItems": [{"Description": "Advice", "AccountId": INCOME, "TaxCode": "G1", "TotalAmount": 11}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def later(shipped: Scenes) -> Scenes:
    """The same after staff and customers have done more, and a second run."""
    stage, orders = shipped.stage, shipped.orders
    stage.pay(orders["part"], str(stage.owed(orders["part"]) - 20))
    stage.status(orders["early payment"], "Pick")
    stage.status(orders["split off"], "Pick")
    for name in ("paid out", "pending", "credit"):
        shipped.orders[f"return {name}"] = give_back(stage, orders[name])
    refund = {"RefundAmount": "32.73", "PaymentMethod": "PayPal Checkout"}
    made = staff(stage, f"/rmas/{orders['return paid out']}/refunds", refund)
    staff(stage, f"/rmas/{orders['return paid out']}/refunds/{made['RefundID']}/paid")
    staff(stage, f"/rmas/{orders['return pending']}/refunds", refund)
    shipped.place("with credit", {"SKU": "STRAINER", "Quantity": "1"})
    stage.pay(orders["with credit"], "20.00", "Account Credit")
    refill(stage, "KETTLE", 10)
    stage.clock.jump(26 * 3600)  # the day of the orders is over
    shipped.run()
    return shipped


def test_every_order_of_the_first_run_is_booked_to_the_cent_but_the_one_whose_number_is_taken(
    shipped: Scenes,
) -> None:
    assert unsettled(shipped.runs[0]) == []
    no_doubles(shipped.files[0])
    without = [shipped.orders["taken"]]
    store = expected(shipped.stage.store(), without)
    assert set(shipped.sums[0].totals) == {*store.totals, *without}
    for name, order in shipped.orders.items():
        if order in store.totals and name not in without:
            assert (name, shipped.total(name)) == (name, store.totals[order])


def test_a_paid_order_and_its_payment_go_in_one_call(shipped: Scenes) -> None:
    assert shipped.payments("simple", 0) == {f"NETO-PAY-{shipped.paid['simple']}": Decimal("59.90")}
    assert shipped.invoice("simple", 0)["AmountOwed"] == "0.00"
    assert (
        shipped.written[0]["POST /Invoice"] <= len(shipped.files[0].invoices()) + 1
    )  # one refused for want of stock


def test_two_payments_of_one_order_stand_on_it_beside_each_other(shipped: Scenes) -> None:
    paid = shipped.payments("two payments", 0)
    assert len(paid) == 2
    assert sum(paid.values()) == shipped.total("two payments")


def test_money_above_what_is_owed_is_a_liability_and_the_bank_agrees(shipped: Scenes) -> None:
    assert shipped.payments("overpaid", 0) == {f"NETO-PAY-{shipped.paid['overpaid']}": Decimal("59.90")}
    assert shipped.files[0].balance(LIABILITY) == Decimal("-15.10")
    (journal,) = shipped.files[0].records("journal")
    assert journal["Reference"] == f"NETO-PAY-{shipped.paid['overpaid']}-OVER"


def test_a_payment_of_an_order_that_is_not_exported_yet_waits_without_needing_anybody(
    shipped: Scenes,
) -> None:
    assert shipped.files[0].invoices(shipped.orders["early payment"]) == []
    assert shipped.reasons("early payment", 0, "payments") == ["order-not-exported"]


def test_a_back_dated_payment_is_booked_on_its_own_day(shipped: Scenes) -> None:
    days = {
        one["TransactionDate"][:10]: number(one["PaymentItems"][0]["AmountPaid"])
        for one in shipped.files[0].payments()
        if one["Reference"] in shipped.payments("back-dated", 0)
    }
    assert days == {"2026-10-19": Decimal(5), "2026-10-20": Decimal(10)}


def test_a_card_surcharge_is_a_line_of_its_own(shipped: Scenes) -> None:
    assert shipped.lines("surcharge") == {
        "POT-600": Decimal("49.95"), "SHIPPING": Decimal("9.95"), "SURCHARGE": Decimal("0.90"),
    }  # fmt: skip


def test_a_coupon_is_a_discount_line(shipped: Scenes) -> None:
    assert shipped.lines("coupon")["DISCOUNT"] == Decimal("-5.00")


def test_a_percentage_goes_along_as_percentage(shipped: Scenes) -> None:
    line = shipped.invoice("percent")["LineItems"][0]
    assert (number(line["PercentageDiscount"]), number(line["UnitPrice"])) == (
        Decimal("12.5"),
        Decimal("49.95"),
    )


def test_prices_of_eight_decimals_come_to_the_store_s_amounts(shipped: Scenes) -> None:
    assert shipped.lines("eight decimals") == {
        "TEA-EB-250": Decimal("115.36"), "CUP-2": Decimal("229.09"), "SHIPPING": Decimal("9.95"),
    }  # fmt: skip


def test_an_export_has_no_tax_and_its_own_code_on_every_line(shipped: Scenes) -> None:
    found = shipped.invoice("export")
    assert {line["TaxCode"] for line in found["LineItems"]} == {"G1,G2"}
    assert number(found["TotalTaxAmount"]) == 0


def test_a_foreign_order_with_tax_is_taxed_and_its_buyer_s_country_is_told_by_name(shipped: Scenes) -> None:
    found = shipped.invoice("foreign with tax")
    assert {line["TaxCode"] for line in found["LineItems"]} == {"G1"}
    (contact,) = (c for c in shipped.file.records("contact") if c["Id"] == found["BillingContactId"])
    assert contact["PostalAddress"]["Country"] == "New Zealand"


def test_a_tax_free_product_has_the_tax_free_code_and_its_shipping_is_taxed(shipped: Scenes) -> None:
    codes = {line["ItemCode"]: line["TaxCode"] for line in shipped.invoice("tax free")["LineItems"]}
    assert codes == {"HONEY-500": "G1,G3", "SHIPPING": "G1"}


def test_a_line_over_nothing_is_kept_and_an_order_over_nothing_is_booked(shipped: Scenes) -> None:
    assert shipped.lines("zero line")["SAMPLE-1"] == 0
    assert shipped.total("nothing to pay") == 0


def test_a_kit_is_sold_as_its_parts_for_its_own_price(shipped: Scenes) -> None:
    lines = shipped.lines("kit")
    assert set(lines) == {"POT-600", "STRAINER", "TEA-EB-100", "SHIPPING"}
    assert sum(lines.values()) == Decimal("153.95")


def test_a_note_line_becomes_text_and_no_line(shipped: Scenes) -> None:
    assert set(shipped.lines("note")) == {"POT-600", "SHIPPING"}
    assert "Happy birthday, Mei" in shipped.invoice("note")["NotesExternal"]


def test_a_guest_becomes_a_contact_of_their_own(shipped: Scenes) -> None:
    (contact,) = (
        c for c in shipped.file.records("contact") if c["Id"] == shipped.invoice("guest")["BillingContactId"]
    )
    assert contact["EmailAddress"] == "guest@example.com"
    assert contact["Id"] != shipped.invoice("simple")["BillingContactId"]


def test_an_unknown_sku_is_written_by_account_where_the_setting_says_so(shipped: Scenes) -> None:
    found = shipped.invoice("unknown")
    assert found["Layout"] == "S"
    assert any("GONE-1" in line["Description"] for line in found["LineItems"])
    assert shipped.total("unknown") == Decimal("74.20")


def test_two_customers_with_one_address_are_two_contacts(shipped: Scenes) -> None:
    contacts = {shipped.invoice(name)["BillingContactId"] for name in ("mum's", "dad's")}
    assert len(contacts) == 2
    alike = [c for c in shipped.file.records("contact") if c["EmailAddress"] == "family@example.com"]
    assert {c["ContactId"] for c in alike} == {"mum.smith", "dad.smith"}


def test_a_number_that_somebody_else_s_invoice_has_blocks_with_both_totals(shipped: Scenes) -> None:
    reason = waiting(shipped.runs[0], shipped.orders["taken"])
    assert reason.code == "number-taken"
    assert {"59.90", "11.00", shipped.orders["taken"]} <= set(reason.text.replace(",", "").split())
    (theirs,) = [one for one in shipped.file.invoices() if one["InvoiceNumber"] == shipped.orders["taken"]]
    assert theirs["Summary"] == "Somebody else's"


def test_an_order_cancelled_before_its_export_is_not_exported(shipped: Scenes) -> None:
    assert shipped.files[0].invoices(shipped.orders["cancelled before"]) == []
    assert shipped.reasons("cancelled before", 0) == ["cancelled"]


def test_without_stock_an_invoice_becomes_a_sale_order_in_the_same_run(shipped: Scenes) -> None:
    found = shipped.invoice("out of stock", 0)
    assert (found["InvoiceType"], found["TotalAmount"]) == ("Sale Order", "396.95")
    assert sum(shipped.payments("out of stock", 0).values()) == Decimal("396.95")


# --- a second run --------------------------------------------------------------------------------------------------------


def test_the_books_agree_with_the_store_after_the_second_run(later: Scenes) -> None:
    assert unsettled(later.runs[1]) == []
    no_doubles(later.files[1])
    agrees(later.files[1], expected(later.stage.store(), [later.orders["taken"]]), others=Decimal(11))


def test_the_rest_of_a_part_payment_follows(later: Scenes) -> None:
    assert sorted(later.payments("part").values()) == [Decimal("20.00"), Decimal("39.90")]


def test_an_order_that_came_after_its_payment_takes_the_payment_along(later: Scenes) -> None:
    assert later.payments("early payment") == {f"NETO-PAY-{later.paid['early payment']}": Decimal("59.90")}


def test_goods_that_came_in_make_an_invoice_of_the_sale_order_though_its_day_is_over(later: Scenes) -> None:
    assert later.invoice("out of stock")["InvoiceType"] == "Tax Invoice"
    assert len(later.payments("out of stock")) == 1


def test_a_refund_paid_out_is_a_negative_payment_on_the_adjustment_note(later: Scenes) -> None:
    (note,) = later.file.invoices(f"{later.orders['paid out']}-RMA{later.orders['return paid out']}")
    assert (note["InvoiceType"], note["TotalAmount"], note["AmountOwed"]) == (
        "Adjustment Note",
        "-32.73",
        "0.00",
    )


def test_a_payment_left_on_the_order_that_was_split_pays_the_part_that_was_split_off(later: Scenes) -> None:
    reference = f"NETO-PAY-{later.paid['split']}"
    assert later.payments("split", 0) == {reference: Decimal("59.90")}
    assert later.files[0].invoices(later.orders["split off"]) == []
    assert sum(later.payments("split off").values()) == later.total("split off")
    assert later.file.balance(LIABILITY) == Decimal("-15.10")


def test_a_refund_that_is_still_pending_and_one_left_as_credit_move_to_the_customers_credit(
    later: Scenes,
) -> None:
    for name in ("pending", "credit"):
        rma = later.orders[f"return {name}"]
        (moved,) = later.file.payments(f"NETO-CREDIT-{rma}")
        assert number(moved["PaymentItems"][0]["AmountPaid"]) == Decimal("-32.73")


def test_credit_of_one_order_pays_another(later: Scenes) -> None:
    assert sum(later.payments("with credit").values()) == Decimal("20.00")
    (drawn,) = later.file.payments(next(iter(later.payments("with credit"))))
    assert drawn["PaymentAccountId"] == VOUCHERS


@pytest.fixture(scope="module")
def idle(later: Scenes) -> Scenes:
    """A third run, before which nobody did anything but the bookkeeper, who deletes the invoice that took a number."""
    (theirs,) = (one for one in later.file.invoices() if one["InvoiceNumber"] == later.orders["taken"])
    later.run()
    later.stage.book("DELETE", f"/Invoice/{theirs['Id']}")
    later.run()
    return later


def test_a_run_after_which_nothing_happened_writes_nothing(idle: Scenes) -> None:
    assert idle.written[2] == {}
    assert idle.stage.calls("neto").total() < 12


def test_a_number_that_is_free_again_is_used(idle: Scenes) -> None:
    assert idle.total("taken") == Decimal("59.90")
    agrees(idle.file, expected(idle.stage.store()))


@pytest.fixture(scope="module")
def edited(idle: Scenes) -> Scenes:
    """Staff change an unpaid and a paid order, cancel one, split one, after all were exported."""
    stage, orders = idle.stage, idle.orders
    for name in ("edited", "simple"):
        staff(stage, "/edit", {"OrderID": orders[name], "OrderLine": [POT | {"Quantity": "2"}]})
    stage.status(orders["cancelled after"], "Cancelled")
    staff(stage, "/split", {"OrderID": orders["eight decimals"], "lines": ["CUP-2"]})
    idle.run()
    return idle


@pytest.mark.parametrize("name", ["edited", "simple"])
def test_an_edit_after_the_export_is_reported_with_the_difference_and_changes_nothing(
    edited: Scenes, name: str
) -> None:
    reason = waiting(edited.runs[-1], edited.orders[name])
    assert reason.code == "order-edited"
    for words in (edited.orders[name], "59.90 AUD is now 109.85 AUD", "1 x Teapot 600 ml at 49.95' is gone"):
        assert words in reason.text
    assert edited.total(name) == Decimal("59.90")


def test_a_split_after_the_export_is_reported_as_an_edit(edited: Scenes) -> None:
    reason = waiting(edited.runs[-1], edited.orders["eight decimals"])
    assert reason.code == "order-edited"
    assert "Two cups with saucers" in reason.text


def test_a_cancellation_after_the_export_is_reported_and_nothing_was_written(edited: Scenes) -> None:
    reason = waiting(edited.runs[-1], edited.orders["cancelled after"])
    assert reason.code == "cancelled-after-export"
    assert edited.orders["cancelled after"] in reason.text
    assert edited.written[-1] == {}


# --- other choices -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def careful(opened: Opened, edited: Scenes) -> Scenes:
    """Sale orders that are converted later, numbers by Saasu, a prefix; unknown SKUs block, overpayments wait; edits update."""
    del edited  # those scenes are over: there is one sandbox
    scenes = Scenes(
        opened(
            orders_to_saasu__invoice_type="Sale Order", orders_to_saasu__numbering="auto", orders_to_saasu__prefix="W-",
            orders_to_saasu__layout="block", orders_to_saasu__on_edit="update", payments__overpayment="off",
        )
    )  # fmt: skip
    stage, place = scenes.stage, scenes.place
    place("sold", POT, pay=True)
    place("overpaid", POT, pay="75.00")
    gone = {"SKU": "GONE-1", "Quantity": "1", "UnitPrice": "14.30", "ItemDescription": "A tea of old"}
    place("unknown", gone, pay=True)
    for name in ("edit unpaid", "cancel unpaid"):
        place(name, POT)
    for name in ("edit paid", "cancel paid"):
        place(name, POT, pay=True)
    place("sold out", {"SKU": "KETTLE", "Quantity": "3"}, pay=True)
    place("sent at once", {"SKU": "KETTLE", "Quantity": "3"}, OrderStatus="Dispatched", pay=True)
    scenes.run()
    for name in ("sold", "sold out"):
        stage.status(scenes.orders[name], "Dispatched")
    for name in ("edit unpaid", "edit paid"):
        staff(stage, "/edit", {"OrderID": scenes.orders[name], "OrderLine": [POT | {"Quantity": "2"}]})
    for name in ("cancel unpaid", "cancel paid"):
        stage.status(scenes.orders[name], "Cancelled")
    scenes.run()
    scenes.run()
    return scenes


def ours(scenes: Scenes, name: str, run: int = -1) -> list[Record]:
    """Invoices of a scene's order, under our purchase-order number."""
    return scenes.files[run].invoices(f"W-{scenes.orders[name]}")


def test_numbers_of_saasu_s_own_are_found_by_our_purchase_order_number_and_nothing_is_doubled(
    careful: Scenes,
) -> None:
    (found,) = ours(careful, "sold")
    assert found["InvoiceNumber"].startswith("INV-")
    no_doubles(careful.file)
    assert careful.written[-1] == {}


def test_a_sale_order_becomes_an_invoice_when_its_order_is_sent(careful: Scenes) -> None:
    assert [ours(careful, "sold", run)[0]["InvoiceType"] for run in (0, 1)] == ["Sale Order", "Tax Invoice"]
    assert ours(careful, "overpaid")[0]["InvoiceType"] == "Sale Order"


def test_money_above_what_is_owed_waits_for_a_person_where_the_setting_says_so(careful: Scenes) -> None:
    reason = waiting(careful.runs[0], careful.orders["overpaid"], "payments")
    assert reason.code == "overpaid"
    assert "15.10" in reason.text
    assert careful.orders["overpaid"] in reason.text
    assert ours(careful, "overpaid")[0]["AmountOwed"] == "0.00"
    assert careful.file.balance(LIABILITY) == 0


def test_an_unknown_sku_blocks_by_name_and_its_payment_says_why_it_waits(careful: Scenes) -> None:
    reason = waiting(careful.runs[0], careful.orders["unknown"])
    assert reason.code == "sku-unknown"
    assert "GONE-1" in reason.text
    assert waiting(careful.runs[0], careful.orders["unknown"], "payments").code == "order-blocked"
    assert ours(careful, "unknown") == []


def test_an_edit_of_an_unpaid_invoice_is_carried_over_once(careful: Scenes) -> None:
    (found,) = ours(careful, "edit unpaid")
    assert number(found["TotalAmount"]) == careful.stage.owed(careful.orders["edit unpaid"])
    assert careful.written[1] == {"PUT /Invoice/{id}": 4, "DELETE /Invoice/{id}": 1}, (
        "one edit, one conversion, one that is refused and one that notes so"
    )


def test_an_edit_of_a_paid_invoice_waits_for_a_person(careful: Scenes) -> None:
    reason = waiting(careful.runs[-1], careful.orders["edit paid"])
    assert reason.code == "order-edited"
    assert number(ours(careful, "edit paid")[0]["TotalAmount"]) == Decimal("59.90")


def test_a_cancelled_order_s_invoice_is_deleted_when_unpaid_and_else_waits(careful: Scenes) -> None:
    assert ours(careful, "cancel unpaid") == []
    assert waiting(careful.runs[-1], careful.orders["cancel paid"]).code == "cancelled-after-export"
    assert len(ours(careful, "cancel paid")) == 1


def test_without_stock_a_sale_order_stays_one_and_nobody_is_asked(careful: Scenes) -> None:
    for name in ("sent at once", "sold out"):
        assert careful.reasons(name) == ["waits-for-stock"]
        (found,) = ours(careful, name)
        assert found["InvoiceType"] == "Sale Order"
        assert "want of stock" in found["NotesInternal"]
    for run in careful.runs:
        refused = [row for one in run.runs if one.result for row in one.result.having(Outcome.REFUSED)]
        assert refused == []


def test_sale_orders_become_invoices_when_goods_came_in(careful: Scenes) -> None:
    refill(careful.stage, "KETTLE", 6)
    careful.stage.clock.jump(3600)
    careful.run()
    for name in ("sent at once", "sold out"):
        assert ours(careful, name)[0]["InvoiceType"] == "Tax Invoice"
    careful.run()
    assert careful.written[-1] == {}


@pytest.fixture(scope="module")
def crediting(opened: Opened, careful: Scenes) -> Scenes:
    """Edits and cancellations are credited in full."""
    del careful
    scenes = Scenes(opened(orders_to_saasu__on_edit="credit"))
    for name in ("edit", "cancel"):
        scenes.place(f"{name} unpaid", POT)
        scenes.place(f"{name} paid", POT, pay=True)
    scenes.run()
    for name in ("edit unpaid", "edit paid"):
        staff(scenes.stage, "/edit", {"OrderID": scenes.orders[name], "OrderLine": [POT | {"Quantity": "2"}]})
    for name in ("cancel unpaid", "cancel paid"):
        scenes.stage.status(scenes.orders[name], "Cancelled")
    for _ in range(4):
        scenes.run()
    return scenes


@pytest.mark.parametrize("name", ["edit unpaid", "edit paid", "cancel unpaid", "cancel paid"])
def test_a_credited_order_s_documents_come_to_what_the_order_is_now(crediting: Scenes, name: str) -> None:
    order = crediting.orders[name]
    documents = [one for one in crediting.file.invoices() if one["PurchaseOrderNumber"].startswith(order)]
    now = crediting.stage.owed(order) if name.startswith("edit") else Decimal(0)
    assert sum(number(one["TotalAmount"]) for one in documents) == now
    assert [one["InvoiceType"] for one in documents].count("Adjustment Note") == 1


def test_crediting_leaves_the_bank_as_it_was_and_receivables_at_what_is_owed(crediting: Scenes) -> None:
    paid = [number(one["AmountPaid"]) for one in crediting.stage.store()["payment"]]
    assert crediting.file.balance("PayPal Clearing") == sum(paid)
    owed = sum(crediting.stage.owed(crediting.orders[name]) for name in ("edit unpaid", "edit paid"))
    assert crediting.file.balance("Accounts Receivable") == owed - sum(paid)
    assert crediting.file.balance("GST Collected") == -2 * Decimal("9.98")
    assert crediting.written[-1] == {}
    no_doubles(crediting.file)


def test_an_order_that_changes_between_plan_and_export_makes_the_plan_stale_and_nothing_is_written(
    opened: Opened, crediting: Scenes
) -> None:
    del crediting
    stage = opened()
    order = stage.order(POT)
    service, day = stage.service, stage.service.today()
    service.refresh()
    for flow in ("contacts", "invoices"):
        service.plan(flow, day)
    service.export("contacts", day)
    staff(stage, "/edit", {"OrderID": order, "OrderLine": [POT | {"Quantity": "2"}]})
    stage.clock.jump(5)
    service.refresh()
    stage.forget_calls()
    with pytest.raises(StalePlanError) as stale:
        service.export("invoices", day)
    for words in (order, "59.90", "109.85"):
        assert words in str(stale.value)
    assert writes(stage) == {}
    assert stage.file().invoices() == []
    service.plan("invoices", day)
    service.export("invoices", day)
    assert [one["TotalAmount"] for one in stage.file().invoices(order)] == ["109.85"]
