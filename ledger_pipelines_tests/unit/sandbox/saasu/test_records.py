"""Companies, contacts, items: fields, limits, PUT semantics, results (saasu.md 4, 5.3 to 5.7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines_tests.unit.sandbox.saasu.desk import Desk, line


def test_results_have_the_names_of_their_resource(desk: Desk) -> None:
    company = desk.post("/Company", {"Name": "Harbour"})
    assert {"InsertedCompanyId", "LastUpdatedId", "LastModified", "_links"} == set(company)
    contact = desk.post("/Contact", {"GivenName": "P"})
    assert {"InsertedContactId", "LastUpdatedId", "LastModified", "_links"} == set(contact)
    item = desk.post("/Item", {"Code": "A", "Description": "a"})
    assert {"InsertedItemId", "LastUpdatedId", "UtcLastModified", "_links"} == set(item)
    account = desk.post("/Account", {"Name": "New", "AccountType": "Income"})
    assert "InsertedEntityId" in account


def test_put_replaces_missing_text_with_null_and_missing_flags_with_false(desk: Desk) -> None:
    made = desk.post(
        "/Item", {"Code": "A", "Description": "a", "IsActive": True, "Notes": "n", "SellingPrice": 1.25}
    )
    number = made["InsertedItemId"]
    body = {"Code": "A", "Description": "b", "LastUpdatedId": made["LastUpdatedId"]}
    assert desk.put(f"/Item/{number}", body)["UpdatedItemId"] == number
    read = desk.get(f"/Item/{number}")
    assert (read["IsActive"], read["Notes"], read["SellingPrice"], read["Description"]) == (
        False,
        None,
        None,
        "b",
    )


def test_an_update_answers_the_token_of_the_next_one_and_needs_one(desk: Desk) -> None:
    made = desk.post("/Contact", {"GivenName": "P"})
    path = f"/Contact/{made['InsertedContactId']}"
    first = desk.put(path, {"GivenName": "Q", "LastUpdatedId": made["LastUpdatedId"]})
    assert desk.refused("PUT", path, {"GivenName": "R", "LastUpdatedId": made["LastUpdatedId"]})[0] == 400
    desk.put(path, {"GivenName": "R", "LastUpdatedId": first["LastUpdatedId"]})
    assert desk.refused("PUT", path, {"GivenName": "S"})[0] == 400


def test_contacts_are_unique_on_nothing_and_matched_without_case(desk: Desk) -> None:
    for _ in range(2):
        desk.post(
            "/Contact",
            {"GivenName": "Priya", "FamilyName": "Nair", "EmailAddress": "P@x.example", "ContactId": "priya"},
        )
    assert len(desk.get("/Contacts", Email="p@X.example")["Contacts"]) == 2
    assert len(desk.get("/Contacts", ContactId="PRIYA")["Contacts"]) == 2
    assert desk.get("/Contacts", Email="x.example")["Contacts"] == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "given name"),
        ({"GivenName": "A", "Salutation": "Sir"}, "salutation"),
        ({"GivenName": "A", "CustomField1": "x" * 51}, "The custom field 1 must not exceed 50 characters."),
        ({"GivenName": "A", "CompanyId": 9}, "company"),
        ({"GivenName": "A", "Tags": ["x" * 36]}, "35"),
    ],
)
def test_a_contact_that_is_not_right_is_refused(desk: Desk, body: dict[str, object], text: str) -> None:
    status, told = desk.refused("POST", "/Contact", body)
    assert status == 400
    assert text in told


def test_an_aggregate_writes_contact_and_company_in_one_call(desk: Desk) -> None:
    made = desk.post("/ContactAggregate", {"GivenName": "P", "Company": {"Name": "Harbour", "Abn": "1"}})
    assert desk.get(f"/Contact/{made['InsertedContactId']}")["CompanyId"] == made["CompanyId"]
    stale = {"GivenName": "Q", "Company": {"Id": made["CompanyId"], "Name": "Other", "LastUpdatedId": "AAAA"}}
    assert desk.refused("PUT", f"/ContactAggregate/{made['InsertedContactId']}", stale)[0] == 400
    assert desk.get(f"/Contact/{made['InsertedContactId']}")["GivenName"] == "P"
    both = {
        "GivenName": "Q",
        "Company": {"Id": made["CompanyId"], "Name": "Other", "LastUpdatedId": made["CompanyLastUpdatedId"]},
    }
    desk.put(f"/ContactAggregate/{made['InsertedContactId']}", both)
    assert desk.get(f"/Company/{made['CompanyId']}")["Name"] == "Other"
    assert desk.get("/Companies", CompanyName="oth")["Companies"][0]["Id"] == made["CompanyId"]


def test_item_codes_are_unique_and_a_deleted_item_answers_400(desk: Desk) -> None:
    item = desk.item("POT", stock=0)
    status, text = desk.refused("POST", "/Item", {"Code": "pot", "Description": "x"})
    assert (status, text.startswith('"You already have an item with code')) == (400, True)
    assert desk.ask("DELETE", f"/Item/{item}").status_code == 200
    assert desk.refused("GET", f"/Item/{item}")[0] == 400


def test_an_item_that_was_sold_cannot_be_deleted_or_made_untracked(desk: Desk) -> None:
    item = desk.item()
    desk.invoice(line(item))
    status, text = desk.refused("DELETE", f"/Item/{item}")
    assert (status, "referenced by some Transactions" in text) == (400, True)
    assert (
        desk.refused(
            "PUT",
            f"/Item/{item}",
            desk.get(f"/Item/{item}") | {"IsInventoried": False, "PurchaseExpenseAccountId": 9056},
        )[0]
        == 400
    )


def test_search_text_looks_in_code_or_description(desk: Desk) -> None:
    desk.item("POT-1", stock=0)
    desk.item("SPOT", stock=0)
    assert [i["Code"] for i in desk.get("/Items", SearchMethod="StartsWith", SearchText="pot")["Items"]] == [
        "POT-1"
    ]
    assert len(desk.get("/Items", SearchMethod="Contains", SearchText="pot")["Items"]) == 2
    assert desk.refused("GET", "/Items", SearchText="pot")[0] == 400


def test_a_combo_has_its_own_stock_and_is_built(desk: Desk) -> None:
    pot, tea = desk.item("POT", stock=3), desk.item("TEA", stock=9, cost="2.00")
    body = {
        "Code": "SET", "Description": "s", "Type": "C", "IsActive": True, "IsInventoried": True, "AssetAccountId": 9011,
        "BuildItems": [{"Id": pot, "Quantity": 1}, {"Id": tea, "Quantity": 2}],
    }  # fmt: skip
    combo = desk.post("/Item", body)["InsertedItemId"]
    assert (
        desk.post(f"/Item/{combo}/build", {"Quantity": 3})["StatusMessage"]
        == "3 combo item(s) have been built."
    )
    stock = [desk.get(f"/Item/{i}")["StockOnHand"] for i in (pot, tea, combo)]
    assert stock == [0, 3, 3]
    assert desk.get(f"/Item/{combo}")["CurrentValue"] == Decimal("24.00")
    assert "negative stock-on-hand for" in desk.refused("POST", f"/Item/{combo}/build", {"Quantity": 1})[1]
    assert "at least one item" in desk.refused("POST", "/Item", body | {"Code": "S2", "BuildItems": []})[1]


def test_a_transfer_must_balance_and_moves_value(desk: Desk) -> None:
    pot, tea = desk.item("POT", stock=4), desk.item("TEA", stock=4)
    items = [
        {"InventoryItemId": pot, "Quantity": -2, "UnitCost": 4, "LineTotal": 99},
        {"InventoryItemId": tea, "Quantity": 1, "UnitCost": 8},
    ]
    desk.post("/ItemTransfer", {"Date": "2026-09-05", "Items": items})
    assert [desk.get(f"/Item/{i}")["StockOnHand"] for i in (pot, tea)] == [2, 5]
    assert (
        "not balanced" in desk.refused("POST", "/ItemTransfer", {"Date": "2026-09-05", "Items": items[:1]})[1]
    )
    assert "TransferItems" in desk.refused("POST", "/ItemTransfer", {"Date": "2026-09-05"})[1]


def test_accounts_by_type_are_found_with_and_without_spaces(desk: Desk) -> None:
    for told in ("CostOfSales", "Cost of Sales"):
        assert [a["Name"] for a in desk.get("/Accounts", AccountType=told)["Accounts"]] == [
            "Cost of Goods Sold"
        ]
    banks = desk.get("/Accounts", IsBankAccount="true")["Accounts"]
    assert {bank["Id"] for bank in banks} == {9001, 9002, 9003}
    assert all(
        not account["IsBuiltIn"]
        for account in desk.get("/Accounts", IncludeBuiltIn="0", PageSize=100)["Accounts"]
    )
