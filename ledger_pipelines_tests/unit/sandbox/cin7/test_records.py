"""Contacts, branches, products, options, stock, adjustments, payments, the ledger (cin7-omni.md 10)."""

from __future__ import annotations

from decimal import Decimal

from ledger_pipelines_tests.unit.sandbox.cin7.desk import MAIN, SHED, Desk, line


def test_an_e_mail_is_one_contacts_and_none_is_everyones(desk: Desk) -> None:
    ana = desk.post("Contacts", email="ana@example.test")
    bo = desk.post("Contacts", company="No e-mail")
    desk.post(
        "Contacts",
        company="None either",
        secondaryContacts=[{"email": "ana@example.test"}],
        billingEmail="ana@example.test",
    )
    assert "already exists" in desk.failed("POST", "Contacts", email="Ana@Example.test")
    assert "already exists" in desk.failed("PUT", "Contacts", id=bo, email="ana@example.test")
    desk.put("Contacts", id=ana, email="ana@example.test", notes="x")
    desk.settings(duplicate_mode="request400")
    assert desk.refused("POST", "Contacts", [{"email": "ana@example.test"}])[0] == 400


def test_a_contact_is_deleted_and_its_e_mail_is_free_again(desk: Desk) -> None:
    made = desk.post("Contacts", email="ana@example.test")
    answer = desk.ask("DELETE", f"Contacts/{made}")
    assert (answer.status_code, answer.json()[0]["success"], answer.json()[0]["id"]) == (200, True, made)
    assert desk.ask("GET", f"Contacts/{made}").status_code == 404
    assert desk.post("Contacts", email="ana@example.test") == made + 1


def test_second_contacts_are_merged_by_id(desk: Desk) -> None:
    made = desk.post("Contacts", secondaryContacts=[{"firstName": "A"}, {"firstName": "B"}])
    first, _ = desk.get(f"Contacts/{made}")["secondaryContacts"]
    desk.put(
        "Contacts", id=made, secondaryContacts=[{"id": first["id"], "lastName": "Z"}, {"firstName": "C"}]
    )
    people = desk.get(f"Contacts/{made}")["secondaryContacts"]
    assert [(one["firstName"], one["lastName"]) for one in people] == [("A", "Z"), ("B", None), ("C", None)]


def test_branches_and_users_are_there_from_the_start(desk: Desk) -> None:
    assert [(one["id"], one["company"]) for one in desk.rows("Branches", order="id ASC")] == [
        (MAIN, "Main warehouse"),
        (SHED, "Shed"),
    ]
    assert desk.post("Branches", company="Van") == SHED + 1
    assert len(desk.rows("Users")) == 2
    assert desk.get("Users/11")["firstName"] == "API"


def test_products_have_options_and_dimensions_by_verb(desk: Desk) -> None:
    made = desk.post(
        "Products", styleCode="TEA", name="Tea", dimensions={"weight": 0.5},
        productOptions=[{"productOptionCode": "TEA-50", "option1": "50 g", "retailPrice": 9.95}, {"productOptionCode": "TEA-100"}],
    )  # fmt: skip
    found = desk.get(f"Products/{made}")
    assert (found["weight"], [one["code"] for one in found["productOptions"]]) == (
        Decimal("0.5"),
        ["TEA-50", "TEA-100"],
    )
    first = found["productOptions"][0]
    desk.put(
        "Products",
        id=made,
        productDimensions={"weight": 2},
        productOptions=[{"id": first["id"], "retailPrice": 10}, {"productOptionCode": "TEA-250"}],
    )
    found = desk.get(f"Products/{made}")
    assert (found["weight"], found["name"]) == (2, "Tea")
    assert [(one["code"], one["retailPrice"]) for one in found["productOptions"]] == [
        ("TEA-50", 10),
        ("TEA-100", 0),
        ("TEA-250", 0),
    ]
    assert (
        desk.get(f"Products/{desk.post('Products', styleCode='POT')}")["productOptions"][0]["code"] == "POT"
    )
    assert "already exists" in desk.failed("POST", "Products", styleCode="pot")
    assert "Product not found" in desk.failed("POST", "ProductOptions", productId=9, productOptionCode="X")


def test_an_options_id_repeats_for_each_size(desk: Desk) -> None:
    product = desk.post("Products", styleCode="JA", productOptions=[
        {"productOptionCode": "JA", "productOptionSizeCode": "JA-50", "size": "50", "productOptionSizeBarcode": "9350"}
    ])  # fmt: skip
    again = desk.post(
        "ProductOptions",
        productId=product,
        productOptionCode="JA",
        productOptionSizeCode="JA-100",
        size="100",
    )
    rows = desk.rows("ProductOptions", where="productOptionCode='JA'")
    assert [(one["id"], one["size"], one["code"]) for one in rows] == [
        (again, "50", "JA-50"),
        (again, "100", "JA-100"),
    ]
    assert "already exists" in desk.failed(
        "POST", "ProductOptions", productId=product, productOptionCode="JA", size="50"
    )
    desk.post("Adjustments", lineItems=[{"code": "JA-50", "qty": 5}, {"code": "JA-100", "qty": 7}])
    made = desk.order(line("JA-100", 2))
    assert (desk.stock("JA-50"), desk.stock("JA-100")) == ((5, 0, 5), (7, 2, 5))
    [sold] = desk.get(f"SalesOrders/{made}")["lineItems"]
    assert (sold["productOptionId"], sold["sizeCodes"], sold["sizes"][0]["name"]) == (again, "JA-100", "100")
    desk.put("ProductOptions", id=again, size="100", retailPrice=3)
    assert [one["retailPrice"] for one in desk.rows("ProductOptions", where=f"id={again}")] == [0, 3]
    assert [one["code"] for one in desk.ask("GET", "Stock/9350").json()] == ["JA-50", "JA-50"]
    desk.ledger()


def test_stock_is_by_branch_and_changes_only_by_documents(desk: Desk) -> None:
    desk.freeze("2026-09-01T00:00:00Z")
    product = desk.item("POT", 10)
    desk.freeze("2026-09-02T00:00:00Z")
    desk.post("Adjustments", branchId=SHED, lineItems=[{"code": "POT", "qty": 4}])
    rows = desk.rows("Stock", where=f"productId={product}", order="branchId ASC")
    assert [(one["branchId"], one["branchName"], one["stockOnHand"]) for one in rows] == [
        (3, "Main warehouse", 10),
        (4, "Shed", 4),
    ]
    assert [one["modifiedDate"] for one in rows] == ["2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z"]
    assert [one["branchId"] for one in desk.rows("Stock", where="modifiedDate>'2026-09-01T12:00:00Z'")] == [4]
    assert (desk.rows("ProductOptions")[0]["stockOnHand"], "id" in rows[0]) == (14, False)
    assert len(desk.ask("GET", "Stock/93-POT").json()) == 2
    assert desk.ask("GET", "Stock/none").status_code == 404
    desk.item("NEW", 0)
    assert len(desk.rows("Stock", where="code='NEW'")) == 2
    desk.settings(stock_rows_at_every_branch=False)
    assert desk.rows("Stock", where="code='NEW'") == []


def test_an_adjustment_of_an_unknown_code_fails_and_a_draft_moves_nothing(desk: Desk) -> None:
    desk.item("POT", 10)
    assert "NOPE" in desk.failed(
        "POST", "Adjustments", lineItems=[{"code": "POT", "qty": 1}, {"code": "NOPE", "qty": 1}]
    )
    made = desk.post("Adjustments", isApproved=False, lineItems=[{"code": "POT", "qty": -3}])
    assert desk.stock() == (10, 0, 10)
    desk.put("Adjustments", id=made, isApproved=True)
    assert desk.stock() == (7, 0, 7)
    assert desk.get(f"Adjustments/{made}")["lineItems"][0]["qty"] == -3


def test_a_payment_belongs_to_an_order_and_may_be_posted_twice(desk: Desk) -> None:
    made = desk.order(line(qty=3), reference="A")
    assert "Order 9 not found" in desk.failed("POST", "Payments", orderId=9, amount=1)
    results = desk.write(
        "POST", "Payments", *[{"orderId": made, "amount": 10, "method": "PayPal", "transactionRef": "T1"}] * 2
    )
    assert results[0]["success"] and results[1]["success"] and results[0]["id"] != results[1]["id"]
    rest = desk.get(
        f"Payments/{desk.post('Payments', orderId=made, method='On Account', paymentDate='2026-09-02')}"
    )
    assert (rest["amount"], rest["orderRef"], rest["orderType"], rest["branchId"]) == (
        13,
        "A",
        "SalesOrder",
        MAIN,
    )
    listed = desk.rows("Payments", where=f"orderId={made} AND orderType='SalesOrder'", order="id ASC")
    assert [one["amount"] for one in listed] == [10, 10, 13]
    assert desk.ask("DELETE", f"Payments/{results[1]['id']}").status_code == 200
    desk.put("Payments", id=rest["id"], amount=20)
    [shown] = desk.ledger()["orders"]
    assert (shown["total"], shown["paid"], shown["outstanding"]) == ("33", "30", "3")
    assert len(desk.rows("Payments", where="transactionRef='T1'")) == 1


def test_the_ledger_sums_what_was_sold_paid_and_moved(desk: Desk) -> None:
    desk.item("POT", 10)
    first = desk.order(line(qty=2), freightTotal=5)
    desk.order(line(qty=1))
    void = desk.order(line(qty=4))
    desk.order(line(qty=1), isApproved=False)
    desk.put("SalesOrders", id=first, dispatchedDate="2026-09-02")
    desk.put("SalesOrders", id=void, isVoid=True)
    desk.post("Payments", orderId=first, method="PayPal", amount=20)
    found = desk.ledger()
    assert found["sales"]["APPROVED"] == {
        "count": 2, "dispatched": 1, "productTotal": "33", "freightTotal": "5", "surcharge": "0", "discountTotal": "0", "total": "38",
    }  # fmt: skip
    assert (found["sales"]["DRAFT"]["count"], found["sales"]["VOID"]["total"]) == (1, "44")
    assert found["payments"] == {"count": 1, "amount": "20", "by_method": {"PayPal": "20"}}
    assert found["stock"] == [
        {"code": "POT", "branchId": MAIN, "adjusted": "10", "dispatched": "2", "stockOnHand": "8", "openSales": "1", "available": "7"}
    ]  # fmt: skip
    dumped = desk.control.get("/dump/cin7").json()
    assert [one["status"] for one in dumped["records"]["order"]] == ["APPROVED", "APPROVED", "VOID", "DRAFT"]
    assert [(one["kind"], one["on_hand"], one["open_sales"]) for one in dumped["stock_moves"]] == [
        ("adjustment", "10", "0"), ("order", "-2", "0"), ("order", "0", "1"),
    ]  # fmt: skip


def test_a_vendor_without_such_a_ledger_says_so(desk: Desk) -> None:
    assert desk.control.get("/trial-balance/cin7").status_code == 404
    assert "keeps no books" in desk.control.get("/trial-balance/cin7").json()["error"]
