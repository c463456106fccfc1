"""Sales orders and credit notes: header, lines, totals, approval, dispatch, void (cin7-omni.md 6, 10.6, 11)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines_tests.unit.sandbox.cin7.desk import MAIN, SHED, Desk, line


def test_an_order_as_the_contract_shows_it(desk: Desk) -> None:
    desk.item("WIDGET-R")
    contact = desk.post(
        "Contacts", email="ana@example.test", firstName="Ana", lastName="Reid", company="Reid Marine"
    )
    [result] = desk.write(
        "POST", "SalesOrders",
        {
            "reference": "NET-N104233", "createdDate": "2026-03-04T01:12:00Z", "isApproved": True, "memberEmail": "ANA@example.test",
            "firstName": "Anna", "deliveryPostalCode": "7000", "branchId": MAIN, "customerOrderNo": "N104233", "currencyCode": "AUD",
            "taxStatus": "Incl", "taxRate": 10.0, "freightTotal": 12.5, "freightDescription": "Road Express", "stage": "New",
            "lineItems": [{"code": "WIDGET-R", "qty": 2, "unitPrice": 19.9, "discount": 3.98, "sort": 1, "integrationRef": "N104233-0"}],
        },
    )  # fmt: skip
    assert result == {"index": 0, "success": True, "id": 88001, "code": "NET-N104233", "errors": []}
    found = desk.get("SalesOrders/88001")
    assert (found["createdDate"], found["memberId"], found["memberEmail"]) == (
        "2026-03-04T01:12:00Z",
        contact,
        "ana@example.test",
    )
    assert (found["firstName"], found["lastName"], found["company"]) == ("Anna", "Reid", "Reid Marine")
    assert (found["productTotal"], found["total"]) == (Decimal("35.82"), Decimal("48.32"))
    assert (found["status"], found["stage"], found["isVoid"], found["dispatchedDate"]) == (
        "APPROVED",
        "New",
        False,
        None,
    )
    assert (found["currencyRate"], found["taxStatus"], found["logisticsStatus"]) == (1, "Incl", 0)
    [item] = found["lineItems"]
    assert (item["name"], item["styleCode"], item["barcode"], item["integrationRef"]) == (
        "Widget-R", "WIDGET-R", "93-WIDGET-R", "N104233-0",
    )  # fmt: skip
    assert item["productId"] and item["productOptionId"] and item["qtyShipped"] == 0
    assert "payments" not in found and "externalId" not in found


@pytest.mark.parametrize(
    ("status", "total"), [("Incl", "49.32"), ("Excl", "54.252"), ("Exempt", "49.32"), (1, "49.32"), (2, "54.252"), ("excl", "54.252")]
)  # fmt: skip
def test_totals_come_from_lines_and_tax_only_on_top(desk: Desk, status: object, total: str) -> None:
    made = desk.post(
        "SalesOrders", taxStatus=status, taxRate=10, freightTotal=12.5, surcharge=2, discountTotal=1, total=999, productTotal=999,
        lineItems=[line(qty=2, unitPrice=19.9, discount=3.98), line("X", qty=0, unitPrice=5)],
    )  # fmt: skip
    found = desk.get(f"SalesOrders/{made}")
    assert (found["productTotal"], found["total"]) == (Decimal("35.82"), Decimal(total))
    desk.put("SalesOrders", id=made, freightTotal=0)
    assert desk.get(f"SalesOrders/{made}")["productTotal"] == Decimal("35.82")
    desk.ledger()


def test_a_tax_status_wants_a_rate_and_an_account_has_defaults(desk: Desk) -> None:
    assert "taxRate" in desk.failed("POST", "SalesOrders", taxStatus="Exempt")
    made = desk.post("SalesOrders", lineItems=[line()])
    found = desk.get(f"SalesOrders/{made}")
    assert (found["taxStatus"], found["taxRate"]) == ("Incl", 10)
    desk.settings(require_tax_rate=False)
    desk.post("SalesOrders", taxStatus="Exempt")


def test_blank_references_are_generated_and_taken_ones_fail_alone(desk: Desk) -> None:
    results = desk.write(
        "POST", "SalesOrders", {"reference": "A"}, {"reference": "a"}, {"reference": ""}, {}, {"reference": "x" * 31}, {"reference": "x" * 30}
    )  # fmt: skip
    assert [one["success"] for one in results] == [True, False, True, True, False, True]
    assert "already exists" in results[1]["errors"][0] and results[1]["id"] is None
    assert results[2]["code"] == "SO-1001" and results[3]["code"] == "SO-1002"
    assert "30" in results[4]["errors"][0]
    assert desk.write("POST", "CreditNotes", {"reference": "A"})[0]["success"]


def test_a_taken_reference_can_refuse_the_whole_request(desk: Desk) -> None:
    desk.settings(duplicate_mode="request400")
    desk.post("SalesOrders", reference="A")
    status, text = desk.refused("POST", "SalesOrders", [{"reference": "B"}, {"reference": "A"}])
    assert status == 400 and "already exists" in text
    assert [one["reference"] for one in desk.rows("SalesOrders")] == ["A"]


def test_a_reference_may_stay_and_may_not_become_anothers(desk: Desk) -> None:
    first, second = desk.post("SalesOrders", reference="A"), desk.post("SalesOrders", reference="B")
    desk.put("SalesOrders", id=first, reference="A", stage="Pick")
    assert "already exists" in desk.failed("PUT", "SalesOrders", id=second, reference="A")
    desk.put("SalesOrders", id=second, reference="")
    assert desk.get(f"SalesOrders/{second}")["reference"] == "B"


def test_who_the_member_is(desk: Desk) -> None:
    ana, bo = (desk.post("Contacts", email=f"{name}@example.test", firstName=name) for name in ("ana", "bo"))
    both = desk.get(f"SalesOrders/{desk.post('SalesOrders', memberId=ana, memberEmail='bo@example.test')}")
    assert (both["memberId"], both["memberEmail"], both["email"]) == (
        ana,
        "ana@example.test",
        "ana@example.test",
    )
    stranger = desk.post("SalesOrders", memberEmail="new@example.test", firstName="New")
    assert desk.get(f"SalesOrders/{stranger}")["memberId"] == 0
    assert "Member 99 not found" in desk.failed("POST", "SalesOrders", memberId=99)
    desk.put("SalesOrders", id=stranger, memberEmail="bo@example.test")
    assert desk.get(f"SalesOrders/{stranger}")["memberId"] == bo
    desk.settings(unknown_member="created")
    made = desk.get(
        f"SalesOrders/{desk.post('SalesOrders', memberEmail='new@example.test', firstName='New')}"
    )
    [contact] = desk.rows("Contacts", where="email='new@example.test'")
    assert (made["memberId"], contact["firstName"]) == (contact["id"], "New")


def test_where_an_order_is_filled(desk: Desk) -> None:
    desk.put("Branches", id=SHED, email="shed@example.test")
    assert desk.get(f"SalesOrders/{desk.post('SalesOrders')}")["branchId"] == MAIN
    assert (
        desk.get(f"SalesOrders/{desk.post('SalesOrders', branchEmail='shed@example.test')}")["branchId"]
        == SHED
    )
    assert "Branch 9" in desk.failed("POST", "SalesOrders", branchId=9)


def test_an_unknown_sku_stays_on_the_order_unlinked(desk: Desk) -> None:
    product = desk.item()
    made = desk.order(
        line("NOPE"), line("pot"), {"productOptionId": 2701, "qty": 1}, {"code": "", "name": "Text", "qty": 0}
    )
    lines = desk.get(f"SalesOrders/{made}")["lineItems"]
    assert [one["productId"] for one in lines] == [0, product, 0, 0]
    assert [one["productOptionId"] for one in lines] == [0, 2701, 0, 0]
    assert desk.stock() == (10, 1, 9)


def test_case_counts_for_skus_when_it_is_set(desk: Desk) -> None:
    product = desk.item()
    desk.settings(ignore_case=False)
    lines = desk.get(f"SalesOrders/{desk.order(line('pot'), line('POT'))}")["lineItems"]
    assert [one["productId"] for one in lines] == [0, product]


def test_a_price_that_is_left_out_is_the_members_tier(desk: Desk) -> None:
    desk.item(price="11.00")
    [option] = desk.rows("ProductOptions")
    desk.put("ProductOptions", id=option["id"], wholesalePrice=8, priceColumns={"trade": 7})
    for tier, price in (("Wholesale", 8), ("Trade", 7), ("Other", 11), ("", 11)):
        contact = desk.post("Contacts", email=f"{tier}@example.test", priceColumn=tier)
        made = desk.order({"code": "POT", "qty": 1}, memberId=contact)
        assert desk.get(f"SalesOrders/{made}")["total"] == price


def test_lines_are_merged_by_id_added_without_one_and_never_removed(desk: Desk) -> None:
    desk.item("A")
    desk.item("B")
    made = desk.order(line("A", 2), line("B", 1))
    first, second = desk.get(f"SalesOrders/{made}")["lineItems"]
    desk.put("SalesOrders", id=made, lineItems=[{"id": first["id"], "unitPrice": 5}])
    desk.put("SalesOrders", id=made, lineItems=[line("A", 3)])
    desk.put("SalesOrders", id=made, lineItems=[])
    desk.put("SalesOrders", id=made, stage="Pick")
    lines = desk.get(f"SalesOrders/{made}")["lineItems"]
    assert [(one["code"], one["qty"], one["unitPrice"]) for one in lines] == [
        ("A", 2, 5),
        ("B", 1, 11),
        ("A", 3, 11),
    ]
    assert lines[1]["id"] == second["id"]
    desk.put("SalesOrders", id=made, lineItems=[{"id": second["id"], "qty": 0}])
    assert desk.get(f"SalesOrders/{made}")["total"] == 43
    assert (desk.stock("A")[1], desk.stock("B")[1]) == (5, 0)
    assert "Line item 5 not found" in desk.failed(
        "PUT", "SalesOrders", id=made, lineItems=[{"id": 5, "qty": 1}]
    )
    desk.ledger()


def test_a_put_changes_what_it_sends_and_nothing_else(desk: Desk) -> None:
    desk.item()
    made = desk.order(
        line(qty=2), internalComments="a", customFields={"orders_1": "x", "orders_2": "y"}, stage="Pick"
    )
    before = desk.get(f"SalesOrders/{made}")
    desk.put(
        "SalesOrders", id=made, trackingCode="TRK", customFields={"orders_2": "z"}, status="VOID", source="me"
    )
    after = desk.get(f"SalesOrders/{made}")
    changed = {name for name in after if after[name] != before[name]} - {"modifiedDate"}
    assert changed == {"trackingCode", "customFields"}
    assert after["customFields"] == {"orders_1": "x", "orders_2": "z"}


def test_a_draft_reserves_nothing_until_it_is_approved(desk: Desk) -> None:
    desk.item()
    made = desk.order(line(qty=3), isApproved=False)
    assert (desk.get(f"SalesOrders/{made}")["status"], desk.stock()) == ("DRAFT", (10, 0, 10))
    assert "approved" in desk.failed("PUT", "SalesOrders", id=made, dispatchedDate="2026-09-02T00:00:00Z")
    desk.put("SalesOrders", id=made, isApproved=True)
    assert (desk.get(f"SalesOrders/{made}")["status"], desk.stock()) == ("APPROVED", (10, 3, 7))
    desk.put("SalesOrders", id=made, isApproved=False)
    assert desk.stock() == (10, 0, 10)


def test_a_dispatch_ships_every_line_and_may_take_stock_below_zero(desk: Desk) -> None:
    desk.item()
    made = desk.order(line(qty=12))
    desk.put("SalesOrders", id=made, dispatchedDate="2026-09-02T00:00:00Z")
    found = desk.get(f"SalesOrders/{made}")
    assert (found["stage"], found["logisticsStatus"], found["lineItems"][0]["qtyShipped"]) == ("New", 2, 12)
    assert found["dispatchedDate"] == "2026-09-02T00:00:00Z"
    assert desk.stock() == (-2, 0, -2)
    assert "must be approved" in desk.failed("PUT", "SalesOrders", id=made, isApproved=False)
    desk.put("SalesOrders", id=made, dispatchedDate="")
    assert desk.get(f"SalesOrders/{made}")["lineItems"][0]["qtyShipped"] == 0
    assert desk.stock() == (10, 12, -2)
    desk.ledger()


def test_an_order_moves_with_its_branch(desk: Desk) -> None:
    desk.item()
    made = desk.order(line(qty=3))
    desk.put("SalesOrders", id=made, branchId=SHED)
    assert (desk.stock(), desk.stock(branch=SHED)) == ((10, 0, 10), (0, 3, -3))


def test_a_void_is_final_gives_stock_back_and_keeps_the_reference(desk: Desk) -> None:
    desk.item()
    made = desk.order(line(qty=3), reference="A")
    desk.freeze("2026-09-02T10:00:00Z")
    desk.put("SalesOrders", id=made, isVoid=True, isApproved=False)
    found = desk.get(f"SalesOrders/{made}")
    assert (found["status"], found["isVoid"], found["cancellationDate"]) == (
        "VOID",
        True,
        "2026-09-02T10:00:00Z",
    )
    assert desk.stock() == (10, 0, 10)
    for change in ({"isVoid": False}, {"isVoid": True}, {"stage": "x"}):
        assert "is void" in desk.failed("PUT", "SalesOrders", id=made, **change)
    assert "already exists" in desk.failed("POST", "SalesOrders", reference="A")
    assert [one["id"] for one in desk.rows("SalesOrders")] == [made]
    assert desk.rows("SalesOrders", where="status<>'Void'") == []
    assert desk.ledger()["sales"]["VOID"]["count"] == 1


@pytest.mark.parametrize("refused", [True, False])
def test_the_void_of_a_dispatched_order(desk: Desk, refused: bool) -> None:
    desk.settings(refuse_void_of_dispatched=refused)
    desk.item()
    made = desk.order(line(qty=3), dispatchedDate="2026-09-02")
    assert desk.stock() == (7, 0, 7)
    [result] = desk.write("PUT", "SalesOrders", {"id": made, "isVoid": True})
    assert result["success"] is not refused
    assert desk.stock() == ((7, 0, 7) if refused else (10, 0, 10))
    assert desk.get(f"SalesOrders/{made}")["isVoid"] is not refused


def test_a_locked_order_refuses_every_change_until_it_is_unlocked(desk: Desk) -> None:
    made = desk.order()
    assert desk.control.post(f"/cin7/orders/{made}/lock").json() == {"id": made, "locked": True}
    for change in ({"isVoid": True}, {"stage": "x"}):
        assert "locked" in desk.failed("PUT", "SalesOrders", id=made, **change)
    desk.settings(locked_refuses_all=False)
    desk.put("SalesOrders", id=made, stage="x")
    assert "locked" in desk.failed("PUT", "SalesOrders", id=made, isVoid=True)
    desk.control.delete(f"/cin7/orders/{made}/lock")
    desk.put("SalesOrders", id=made, isVoid=True)
    assert "_locked" not in desk.get(f"SalesOrders/{made}")
    assert desk.control.post("/cin7/orders/1/lock").status_code == 400


def test_voided_orders_vanish_after_six_months(desk: Desk) -> None:
    desk.freeze("2026-03-01T00:00:00Z")
    gone, kept = desk.order(reference="A"), desk.order(reference="B")
    desk.put("SalesOrders", id=gone, isVoid=True)
    desk.freeze("2026-08-30T00:00:00Z")
    assert desk.get(f"SalesOrders/{gone}")["isVoid"]
    desk.freeze("2026-09-02T00:00:00Z")
    assert desk.ask("GET", f"SalesOrders/{gone}").status_code == 404
    assert [one["id"] for one in desk.rows("SalesOrders")] == [kept]


def test_an_invoice_date_gives_a_number_once(desk: Desk) -> None:
    first, second = desk.order(invoiceDate="2026-09-02"), desk.order()
    assert (
        desk.get(f"SalesOrders/{first}")["invoiceNumber"],
        desk.get(f"SalesOrders/{second}")["invoiceNumber"],
    ) == (3001, 0)
    desk.put("SalesOrders", id=first, invoiceDate="2026-09-03")
    assert desk.get(f"SalesOrders/{first}")["invoiceNumber"] == 3001


def test_amounts_of_a_foreign_order_come_back_in_the_base_currency(desk: Desk) -> None:
    made = desk.order(
        line(unitPrice=230), currencyCode="USD", currencyRate=Decimal("55.84421889"), freightTotal=0
    )
    found = desk.get(f"SalesOrders/{made}")
    assert (found["total"], found["currencyCode"], found["currencyRate"]) == (
        Decimal("4.1186"),
        "USD",
        Decimal("55.84421889"),
    )
    desk.put("SalesOrders", id=made, freightTotal=Decimal("55.84421889"))
    assert desk.get(f"SalesOrders/{made}")["total"] == Decimal("5.1186")
    looked_up = desk.get(f"SalesOrders/{desk.order(line(unitPrice=130), currencyCode='usd')}")
    assert (looked_up["currencyRate"], looked_up["total"]) == (Decimal("0.65"), 200)
    assert "Currency 'XXX'" in desk.failed("POST", "SalesOrders", currencyCode="XXX")
    assert "currencyRate" in desk.failed("POST", "SalesOrders", currencyCode="USD", currencyRate=-1)


@pytest.mark.parametrize(
    ("name", "longest"),
    [("trackingCode", 50), ("phone", 50), ("memberEmail", 250), ("customerOrderNo", 100), ("deliveryInstructions", 2000), ("voucherCode", 30)],
)  # fmt: skip
def test_what_is_too_long_fails(desk: Desk, name: str, longest: int) -> None:
    desk.post("SalesOrders", **{name: "é" * longest})
    assert str(longest) in desk.failed("POST", "SalesOrders", **{name: "é" * (longest + 1)})


def test_a_put_names_its_record_in_the_body(desk: Desk) -> None:
    made = desk.order(reference="A")
    results = desk.write(
        "PUT",
        "SalesOrders",
        {"id": made, "stage": "x"},
        {"id": 999999, "isVoid": True},
        {"stage": "x"},
        {"id": "x"},
    )
    assert [(one["success"], one["id"], one["code"]) for one in results] == [
        (True, made, "A"), (False, 999999, None), (False, None, None), (False, None, None),
    ]  # fmt: skip
    assert results[1]["errors"] == ["Sales Order not found."]


def test_an_offset_and_a_day_are_dates_too(desk: Desk) -> None:
    made = desk.order(createdDate="2022-07-13T15:21:16.1946848+12:00", estimatedDeliveryDate="2026-09-02")
    found = desk.get(f"SalesOrders/{made}")
    assert (found["createdDate"], found["estimatedDeliveryDate"]) == (
        "2022-07-13T03:21:16Z",
        "2026-09-02T00:00:00Z",
    )
    for wrong in ("yesterday", "2026-02-30", "9999-12-31T23:59:59-14:00"):
        assert "createdDate" in desk.failed("POST", "SalesOrders", createdDate=wrong)


def test_a_credit_note_is_drafted_paid_and_approved(desk: Desk) -> None:
    desk.item()
    desk.order(reference="A")
    note = desk.post(
        "CreditNotes",
        isApproved=False,
        salesReference="A",
        taxStatus="Incl",
        taxRate=10,
        lineItems=[line(qty=-1)],
    )
    found = desk.get(f"CreditNotes/{note}")
    assert (found["total"], found["status"], found["salesReference"]) == (-11, "DRAFT", "A")
    assert not {"isVoid", "stage", "dispatchedDate"} & found.keys()
    assert not {"uomPrice", "holdingQty"} & found["lineItems"][0].keys()
    payment = desk.get(f"Payments/{desk.post('Payments', orderId=note, method='PayPal')}")
    assert (payment["amount"], payment["orderType"]) == (-11, "CreditNote")
    desk.put("CreditNotes", id=note, isApproved=True)
    assert desk.get(f"CreditNotes/{note}")["status"] == "APPROVED"
    assert desk.stock() == (10, 1, 9)
