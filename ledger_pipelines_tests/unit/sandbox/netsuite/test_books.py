from decimal import Decimal

import pytest

from ledger_pipelines_tests.unit.sandbox.netsuite.desk import (
    AMAZON_US,
    CLEARING,
    ITEM,
    Desk,
    error_of,
    invoice_body,
    payment_body,
)


def located(answer: object) -> str:
    return answer.headers["Location"].rsplit("/", 1)[1]  # type: ignore[attr-defined]  # an httpx response


def journal(lines: list[tuple[str, str, float]], **extra: object) -> dict[str, object]:
    items = [{"account": {"id": account}, side: amount} for account, side, amount in lines]
    return {"subsidiary": {"id": "1"}, "tranDate": "2026-09-14", "line": {"items": items}, **extra}


def test_an_invoice_and_its_payments_move_balances_status_and_the_ledger(desk: Desk) -> None:
    made = desk.invoice("100.00")
    assert desk.balance("1100") == "100"
    first = located(desk.pay(made, "60.00"))
    shown = desk.get(f"invoice/{made}")
    assert (shown["amountPaid"], shown["amountRemaining"], shown["status"]["id"]) == (60.0, 40.0, "A")
    desk.clock.advance(60)
    second = located(desk.pay(made, "40.00"))
    shown = desk.get(f"invoice/{made}")
    assert (shown["amountRemaining"], shown["status"]) == (0.0, {"id": "B", "refName": "Paid In Full"})
    assert shown["lastModifiedDate"] == "2026-09-20T19:01:00Z"
    assert (desk.balance("1100"), desk.balance("1051"), desk.balance("4000")) == ("0", "100", "-100")
    assert desk.get(f"customerPayment/{first}")["status"]["refName"] == "Deposited"
    assert desk.call("DELETE", f"customerPayment/{second}").status_code == 204
    assert desk.get(f"invoice/{made}")["amountRemaining"] == 40.0
    assert (desk.balance("1100"), desk.balance("1051")) == ("40", "60")


def test_applying_more_than_is_due_is_refused_and_nothing_is_saved(desk: Desk) -> None:
    made = desk.invoice("100.00")
    answer = desk.pay(made, "100.01")
    assert error_of(answer)[:2] == (400, "USER_ERROR")
    assert "cannot apply more than your total payments" in error_of(answer)[2]
    assert desk.get("customerPayment")["totalResults"] == 0
    assert desk.get(f"invoice/{made}")["amountRemaining"] == 100.0
    assert desk.balance("1051") == "0"


def test_applying_more_than_the_payment_is_refused(desk: Desk) -> None:
    made = desk.invoice("100.00")
    answer = desk.post("customerPayment", payment_body({made: "50.00"}, "40.00"))
    assert "cannot apply more than your total payments" in error_of(answer)[2]


def test_the_rest_of_a_payment_stays_unapplied_and_can_be_applied_later(desk: Desk) -> None:
    first, second = desk.invoice("30.00"), desk.invoice("50.00")
    payment = located(desk.post("customerPayment", payment_body({first: "30.00"}, "70.00")))
    assert desk.get(f"customerPayment/{payment}")["unapplied"] == 40.0
    line = {"apply": {"items": [{"doc": {"id": second}, "apply": True, "amount": 40}]}}
    assert desk.call("PATCH", f"customerPayment/{payment}", json=line).status_code == 204
    assert desk.get(f"invoice/{second}")["amountRemaining"] == 10.0
    off = {"apply": {"items": [{"doc": {"id": first}, "apply": False}]}}
    assert desk.call("PATCH", f"customerPayment/{payment}", json=off).status_code == 204
    assert desk.get(f"invoice/{first}")["status"]["id"] == "A"
    shown = desk.get(f"customerPayment/{payment}", expandSubResources="true")
    assert {(line["doc"]["id"], line["apply"]) for line in shown["apply"]["items"]} == {
        (first, False),
        (second, True),
    }


def test_a_payment_line_can_be_addressed_by_its_composite_key(desk: Desk) -> None:
    made = desk.invoice("30.00")
    payment = located(desk.pay(made, "30.00"))
    path = f"customerPayment/{payment}/apply/doc={made},line=0"
    assert desk.get(path)["amount"] == 30.0
    assert desk.call("PATCH", path, json={"amount": 10}).status_code == 204
    assert desk.get(f"invoice/{made}")["amountRemaining"] == 20.0


def test_a_credit_memo_on_a_paid_invoice_stays_open_and_can_be_refunded(desk: Desk) -> None:
    made = desk.invoice("105.00")
    desk.pay(made, "105.00")
    lines = {"items": [{"item": {"id": ITEM}, "quantity": 1, "amount": 50}]}
    answer = desk.call(
        "POST",
        f"invoice/{made}/!transform/creditMemo",
        params={"replace": "item"},
        json={"externalId": "CM-1", "item": lines},
    )
    assert answer.status_code == 204, answer.text
    memo = located(answer)
    shown = desk.get(f"creditMemo/{memo}")
    assert (shown["total"], shown["unapplied"], shown["status"]["id"]) == (50.0, 50.0, "A")
    refund = desk.post(
        f"creditMemo/{memo}/!transform/customerRefund",
        {"account": {"id": CLEARING}, "tranDate": "2026-09-14", "externalId": "RF-1"},
    )
    assert refund.status_code == 204, refund.text
    assert desk.get(f"creditMemo/{memo}")["status"] == {"id": "B", "refName": "Fully Applied"}
    assert desk.get(f"customerRefund/{located(refund)}")["total"] == 50.0
    assert (desk.balance("1051"), desk.balance("1100"), desk.balance("4000")) == ("55", "0", "-55")
    assert desk.call("DELETE", f"creditMemo/{memo}").status_code == 400
    assert desk.call("DELETE", f"customerRefund/{located(refund)}").status_code == 204
    assert desk.get(f"creditMemo/{memo}")["unapplied"] == 50.0


def test_the_transform_to_a_credit_memo_settles_an_open_invoice(desk: Desk) -> None:
    made = desk.invoice("80.00")
    desk.pay(made, "30.00")
    memo = located(desk.post(f"invoice/{made}/!transform/creditMemo", {}))
    assert desk.get(f"invoice/{made}")["amountRemaining"] == 0.0
    shown = desk.get(f"creditMemo/{memo}")
    assert (shown["applied"], shown["unapplied"]) == (50.0, 30.0)
    assert shown["createdFrom"]["id"] == made


def test_a_refund_by_post_names_memo_and_line(desk: Desk) -> None:
    memo = desk.made("creditMemo", {**invoice_body("25.00"), "autoApply": False})
    body = {
        "customer": {"id": AMAZON_US},
        "account": {"id": CLEARING},
        "tranDate": "2026-09-14",
        "apply": {"items": [{"doc": {"id": memo}, "line": 0, "apply": True, "amount": 25.00}]},
    }
    assert desk.post("customerRefund", body).status_code == 204
    assert desk.balance("1051") == "-25"
    again = desk.post("customerRefund", body)
    assert error_of(again)[:2] == (400, "USER_ERROR")


def test_an_overpayment_is_refunded_from_the_payment(desk: Desk) -> None:
    made = desk.invoice("10.00")
    payment = located(desk.post("customerPayment", payment_body({made: "10.00"}, "15.00")))
    refund = desk.post(f"customerPayment/{payment}/!transform/customerRefund", {"account": {"id": CLEARING}})
    assert refund.status_code == 204, refund.text
    assert desk.get(f"customerPayment/{payment}")["unapplied"] == 0.0
    assert desk.balance("1051") == "10"


def test_a_payment_may_consume_a_credit_memo(desk: Desk) -> None:
    made = desk.invoice("100.00")
    memo = desk.made("creditMemo", {**invoice_body("30.00")})
    body = payment_body({made: "100.00"}, "70.00")
    body["credit"] = {"items": [{"doc": {"id": memo}, "apply": True, "amount": 30}]}
    payment = located(desk.post("customerPayment", body))
    assert desk.get(f"invoice/{made}")["status"]["id"] == "B"
    assert desk.get(f"creditMemo/{memo}")["status"]["id"] == "B"
    assert desk.get(f"customerPayment/{payment}")["applied"] == 70.0
    assert desk.call("DELETE", f"customerPayment/{payment}").status_code == 204
    assert desk.get(f"creditMemo/{memo}")["unapplied"] == 30.0
    assert desk.get(f"invoice/{made}")["amountRemaining"] == 100.0


def test_documents_of_another_customer_account_or_type_are_refused(desk: Desk) -> None:
    stranger = desk.made("customer", {"companyName": "Fern", "subsidiary": {"id": "1"}})
    theirs = desk.made("invoice", {**invoice_body(), "entity": {"id": stranger}})
    assert "another customer" in error_of(desk.pay(theirs, "1.00"))[2]
    other = desk.invoice(account={"id": "241"})
    assert "A/R account" in error_of(desk.pay(other, "1.00"))[2]
    order = desk.made("salesOrder", invoice_body())
    assert "Transaction type specified is incorrect" in error_of(desk.pay(order, "1.00"))[2]


def test_an_inactive_customer_takes_no_new_transaction(desk: Desk) -> None:
    answer = desk.post("invoice", {**invoice_body(), "entity": {"id": "110"}})
    assert error_of(answer)[:2] == (400, "USER_ERROR")
    assert "inactive" in error_of(answer)[2]


def test_the_invoice_transform_pays_what_is_due_into_the_account_given(desk: Desk) -> None:
    made = desk.invoice("42.00")
    answer = desk.post(f"invoice/{made}/!transform/customerPayment", {"account": {"id": CLEARING}})
    assert answer.status_code == 204, answer.text
    assert desk.balance("1051") == "42"
    nothing = desk.post(f"invoice/{made}/!transform/customerPayment", {})
    assert "nothing to apply" in error_of(nothing)[2]
    other = desk.invoice("42.00")
    less = desk.post(f"invoice/{other}/!transform/customerPayment", {"payment": 10})
    assert "cannot apply more than your total payments" in error_of(less)[2]


def test_a_billable_order_becomes_an_invoice_and_is_billed(desk: Desk) -> None:
    order = desk.made(
        "salesOrder", {**invoice_body("54.00"), "custbody_azs_order_id": "111-1", "otherRefNum": "111-1"}
    )
    assert desk.get(f"salesOrder/{order}")["status"]["refName"] == "Pending Billing"
    assert desk.vendor.trial_balance()["accounts"] == []  # type: ignore[index]  # orders do not post
    made = located(
        desk.post(f"salesOrder/{order}/!transform/invoice", {"tranDate": "2026-09-12", "externalId": "B-1"})
    )
    shown = desk.get(f"invoice/{made}")
    assert (shown["total"], shown["custbody_azs_order_id"], shown["createdFrom"]["id"]) == (
        54.0,
        "111-1",
        order,
    )
    assert desk.get(f"salesOrder/{order}")["status"]["id"] == "G"
    again = desk.post(f"salesOrder/{order}/!transform/invoice", {})
    assert error_of(again)[:2] == (400, "USER_ERROR")
    link = desk.rows("SELECT nextdoc, linktype FROM previoustransactionlinelink WHERE previousdoc = ?", order)
    assert link == [{"nextdoc": made, "linktype": "OrdBill"}]
    assert "linked to by" in error_of(desk.call("DELETE", f"salesOrder/{order}"))[2]
    assert desk.call("DELETE", f"invoice/{made}").status_code == 204
    assert desk.get(f"salesOrder/{order}")["status"]["id"] == "F"


def test_an_order_of_stock_must_be_fulfilled_before_it_is_billed(desk: Desk) -> None:
    body = {**invoice_body(), "item": {"items": [{"item": {"id": "12"}, "quantity": 4, "rate": 5}]}}
    order = desk.made("salesOrder", body)
    assert desk.get(f"salesOrder/{order}")["status"]["id"] == "B"
    refused = desk.post(f"salesOrder/{order}/!transform/invoice", {})
    assert "no lines to bill" in error_of(refused)[2]
    part = {"item": {"items": [{"line": 1, "quantity": 1}]}}
    assert desk.post(f"salesOrder/{order}/!transform/itemFulfillment", part).status_code == 204
    assert desk.get(f"salesOrder/{order}")["status"]["id"] == "E"
    made = located(desk.post(f"salesOrder/{order}/!transform/invoice", {}))
    assert desk.get(f"invoice/{made}")["total"] == 5.0
    assert desk.get(f"salesOrder/{order}")["status"]["id"] == "D"
    assert desk.post(f"salesOrder/{order}/!transform/itemFulfillment", {}).status_code == 204
    rest = located(desk.post(f"salesOrder/{order}/!transform/invoice", {}))
    assert desk.get(f"invoice/{rest}")["total"] == 15.0
    assert desk.get(f"salesOrder/{order}")["status"]["id"] == "G"


def test_a_cash_sale_goes_straight_to_money_and_back(desk: Desk) -> None:
    made = desk.made("cashSale", {**invoice_body("20.00"), "undepFunds": False, "account": {"id": CLEARING}})
    assert (desk.balance("1051"), desk.balance("1100")) == ("20", "0")
    assert "Transaction type specified is incorrect" in error_of(desk.pay(made, "20.00"))[2]
    back = desk.post(f"cashSale/{made}/!transform/cashRefund", {})
    assert back.status_code == 204, back.text
    assert desk.balance("1051") == "0"


def test_a_journal_must_balance_to_the_cent(desk: Desk) -> None:
    good = [("201", "debit", 64.5), ("600", "debit", 22.2), (CLEARING, "credit", 86.7)]
    assert desk.post("journalEntry", journal(good)).status_code == 204
    assert (desk.balance("1001"), desk.balance("6100"), desk.balance("1051")) == ("64.5", "22.2", "-86.7")
    bad = desk.post("journalEntry", journal([("201", "debit", 10.0), (CLEARING, "credit", 10.01)]))
    assert error_of(bad)[:2] == (400, "USER_ERROR")
    assert "balance" in error_of(bad)[2]
    unnamed = desk.post("journalEntry", journal([("240", "debit", 1.0), (CLEARING, "credit", 1.0)]))
    assert "entity" in error_of(unnamed)[2]
    without = journal(good)
    del without["subsidiary"]
    assert "Subsidiary" in error_of(desk.post("journalEntry", without))[2]


def test_a_deposit_takes_payments_adds_fees_and_marks_them_deposited(desk: Desk) -> None:
    made = desk.invoice("50.00")
    payment = located(
        desk.post("customerPayment", payment_body({made: "50.00"}, "50.00", account=None, undepFunds=True))
    )
    assert desk.get(f"customerPayment/{payment}")["status"]["id"] == "B"
    body = {
        "account": {"id": "201"},
        "tranDate": "2026-09-15",
        "payment": {"items": [{"id": payment, "deposit": True}]},
        "other": {"items": [{"account": {"id": "600"}, "amount": -7.5, "memo": "fees"}]},
    }
    deposit = located(desk.post("deposit", body))
    assert (desk.balance("1001"), desk.balance("1099"), desk.balance("6100")) == ("42.5", "0", "7.5")
    assert desk.get(f"customerPayment/{payment}")["status"]["id"] == "C"
    assert desk.call("DELETE", f"customerPayment/{payment}").status_code == 400
    assert error_of(desk.post("deposit", body))[:2] == (400, "USER_ERROR")
    assert desk.call("DELETE", f"deposit/{deposit}").status_code == 204
    assert desk.get(f"customerPayment/{payment}")["status"]["id"] == "B"


@pytest.mark.parametrize("flag", ["closed", "arLocked", "allLocked"])
def test_closed_and_locked_periods_refuse_writes_edits_and_deletes(desk: Desk, flag: str) -> None:
    made = desk.invoice("10.00")
    assert desk.vendor.set_period("Sep 2026", **{flag: True})
    refused = desk.pay(made, "10.00")
    status, code, text = error_of(refused)
    assert (status, code) == (400, "USER_ERROR")
    assert "period" in text
    assert "closed" in text
    assert desk.call("PATCH", f"invoice/{made}", json={"memo": "x"}).status_code == 400
    assert desk.call("DELETE", f"invoice/{made}").status_code == 400
    assert desk.pay(made, "10.00", tranDate="2026-10-01").status_code == 204


def test_a_receivables_lock_lets_journals_through(desk: Desk) -> None:
    desk.vendor.set_period("Sep 2026", arLocked=True)
    lines = [("201", "debit", 1.0), (CLEARING, "credit", 1.0)]
    assert desk.post("journalEntry", journal(lines)).status_code == 204


def test_yen_has_no_decimals_and_rounds_half_up(desk: Desk) -> None:
    body = {**invoice_body(), "entity": {"id": "105"}}
    body["item"] = {"items": [{"item": {"id": ITEM}, "quantity": 3, "rate": 33.5}]}
    made = desk.made("invoice", body)
    shown = desk.get(f"invoice/{made}")
    assert shown["total"] == 101
    assert shown["currency"]["refName"] == "Japanese Yen"
    assert desk.balance("1100", "JPY") == "101"


def test_amount_wins_over_quantity_times_rate(desk: Desk) -> None:
    body = invoice_body()
    body["item"] = {"items": [{"item": {"id": ITEM}, "quantity": 3, "rate": 10, "amount": 29.99}]}
    assert desk.get(f"invoice/{desk.made('invoice', body)}")["total"] == 29.99


def test_tax_codes_compute_and_post_tax(desk: Desk) -> None:
    body = invoice_body()
    body["item"] = {"items": [{"item": {"id": ITEM}, "amount": 120.00, "taxCode": {"id": "11"}}]}
    made = desk.made("invoice", body)
    shown = desk.get(f"invoice/{made}")
    assert (shown["subtotal"], shown["taxTotal"], shown["total"]) == (120.0, 24.0, 144.0)
    assert desk.balance("2300") == "-24"


def test_a_promotion_line_lowers_the_invoice_and_hits_its_own_account(desk: Desk) -> None:
    body = invoice_body("60.00")
    body["item"]["items"].append({"item": {"id": "4"}, "amount": -6})
    made = desk.made("invoice", body)
    assert desk.get(f"invoice/{made}")["total"] == 54.0
    assert (desk.balance("4000"), desk.balance("4200")) == ("-60", "6")


def test_an_account_of_another_subsidiary_cannot_be_used(desk: Desk) -> None:
    made = desk.invoice("10.00")
    answer = desk.post("customerPayment", payment_body({made: "10.00"}, "10.00", account={"id": "223"}))
    assert "account cannot be used with the Demo Retail Inc. subsidiary" in error_of(answer)[2]


def test_documents_in_another_currency_cannot_be_settled_together(desk: Desk) -> None:
    both = desk.made(
        "customer",
        {
            "companyName": "Two",
            "subsidiary": {"id": "1"},
            "currency": {"id": "1"},
            "currencyList": {"items": [{"currency": {"id": "2"}}]},
        },
    )
    euro = desk.made(
        "invoice", {**invoice_body(), "entity": {"id": both}, "currency": {"id": "2"}, "exchangeRate": 1.1}
    )
    body = payment_body({euro: "100.00"}, "100.00", customer={"id": both})
    assert "another currency" in error_of(desk.post("customerPayment", body))[2]
    later = {**body, "currency": {"id": "2"}, "exchangeRate": 1.2}
    assert desk.post("customerPayment", later).status_code == 204
    found = desk.vendor.trial_balance()
    assert found["balanced"]  # type: ignore[index]  # a JSON object
    base = {line["number"]: line["base_balance"] for line in found["accounts"]}  # type: ignore[index]  # as above
    assert (base["1051"], base["1100"], base["7900"]) == ("120", "0", "-10")


def test_an_edit_below_what_is_paid_is_refused_and_other_edits_repost(desk: Desk) -> None:
    made = desk.invoice("100.00")
    desk.pay(made, "60.00")
    low = desk.call("PATCH", f"invoice/{made}", json={"item": {"items": [{"line": 1, "amount": 50}]}})
    assert low.status_code == 400
    assert desk.get(f"invoice/{made}")["total"] == 100.0
    up = desk.call("PATCH", f"invoice/{made}", json={"item": {"items": [{"line": 1, "amount": 120}]}})
    assert up.status_code == 204
    assert desk.get(f"invoice/{made}")["amountRemaining"] == 60.0
    assert (desk.balance("1100"), desk.balance("4000")) == ("60", "-120")


def test_unapproved_invoices_neither_post_nor_take_money(desk: Desk) -> None:
    desk.vendor.set_features(approvalRouting=True)
    made = desk.invoice("10.00")
    assert desk.get(f"invoice/{made}")["status"]["id"] == "D"
    assert desk.balance("1100") == "0"
    assert "not approved" in error_of(desk.pay(made, "10.00"))[2]
    desk.call("PATCH", f"invoice/{made}", json={"approvalStatus": {"id": "2"}})
    assert desk.balance("1100") == "10"
    assert desk.pay(made, "10.00").status_code == 204


def test_the_worked_example_ends_with_a_clearing_account_of_zero(desk: Desk) -> None:
    order_a = desk.made(
        "invoice",
        {
            **invoice_body(),
            "item": {"items": [{"item": {"id": ITEM}, "amount": 100}, {"item": {"id": "2"}, "amount": 5}]},
        },
    )
    order_b = desk.made(
        "invoice",
        {
            **invoice_body(),
            "item": {"items": [{"item": {"id": ITEM}, "amount": 60}, {"item": {"id": "4"}, "amount": -6}]},
        },
    )
    desk.pay(order_a, "105.00")
    desk.pay(order_b, "54.00")
    memo = desk.made("creditMemo", invoice_body("50.00"))
    desk.post(f"creditMemo/{memo}/!transform/customerRefund", {"account": {"id": CLEARING}})
    assert desk.balance("1051") == "109"
    lines = [
        ("201", "debit", 64.5),
        ("600", "debit", 22.2),
        ("603", "debit", 12.3),
        ("250", "debit", 10.0),
        (CLEARING, "credit", 109.0),
    ]
    assert desk.post("journalEntry", journal(lines)).status_code == 204
    assert desk.balance("1051") == "0"
    assert Decimal(desk.balance("1001")) == Decimal("64.50")
