"""The demo answers to Neto's demo: SKUs, branches, customers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.sandbox import demo_shop
from ledger_pipelines.sandbox.cin7 import seed
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.unit.sandbox.cin7.desk import MAIN, SHED, Desk, Json, line


@pytest.fixture(scope="module")
def both() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="demo", vendors=("cin7", "neto")) as sandbox:
        yield sandbox


@pytest.fixture
def shop(both: RunningSandbox) -> Iterator[Desk]:
    made = Desk(both)
    yield made
    made.close()


def neto(shop: Desk, action: str, body: Json) -> Json:
    told = shop.sandbox.credentials["neto"]
    headers = {"NETOAPI_ACTION": action, "NETOAPI_KEY": told["api_key"], "Accept": "application/json"}
    answer = httpx.post(
        told["base_url"] + told["path"], json=body, headers=headers, trust_env=False, verify=False
    )
    found: Json = answer.json()
    return found


def test_skus_match_netos_but_for_one_missing_one_disabled_and_one_in_another_case(shop: Desk) -> None:
    items = neto(shop, "GetItem", {"Filter": {"Limit": 1000, "OutputSelector": ["SKU", "ParentSKU"]}})["Item"]
    parents = {item["ParentSKU"] for item in items} - {""}
    theirs = {item["SKU"] for item in items} - parents
    ours = {one["code"]: one["status"] for one in shop.rows("ProductOptions", rows=250)}
    assert theirs - ours.keys() == {seed.MISSING, seed.OTHER_CASE}
    assert ours.keys() - theirs == {seed.OTHER_CASE.lower()}
    assert [code for code, status in ours.items() if status == "Disabled"] == [seed.INACTIVE]
    assert len(ours) == 47


def test_branches_have_the_names_of_netos_warehouses(shop: Desk) -> None:
    found = neto(shop, "GetWarehouse", {"Filter": {"OutputSelector": ["WarehouseName"]}})["Warehouse"]
    assert [one["company"] for one in shop.rows("Branches", order="id ASC")] == [
        one["WarehouseName"] for one in found
    ]


def test_stock_is_the_shops_opening_stock(shop: Desk) -> None:
    stock = {(one["code"], one["branchId"]): one["stockOnHand"] for one in shop.rows("Stock", rows=250)}
    for product in demo_shop.products():
        if product.stock and product.sku not in (seed.MISSING, seed.OTHER_CASE):
            assert (stock[product.sku, MAIN], stock[product.sku, SHED]) == (Decimal(product.stock), 2)
    assert shop.ledger()["stock"] != []


def test_contacts_are_every_third_customer_and_one_e_mail_is_shared_as_omni_allows(shop: Desk) -> None:
    contacts = shop.rows("Contacts", rows=250)
    emails = [one["email"] for one in contacts if one["email"]]
    assert (len(contacts), len(emails), len(set(emails))) == (67, 66, 66)
    assert set(emails) <= {one.email for one in demo_shop.customers()}
    [alone] = [one for one in contacts if not one["email"]]
    assert (alone["billingEmail"], alone["secondaryContacts"][0]["email"]) == ("shared@family.example",) * 2


def test_a_sized_style_repeats_its_id(shop: Desk) -> None:
    rows = shop.rows("ProductOptions", where=f"productOptionCode='{seed.SIZED}'")
    assert len({one["id"] for one in rows}) == 1 and len({one["code"] for one in rows}) == len(rows) == 3


def test_the_seed_is_the_same_whenever_it_is_made(shop: Desk) -> None:
    before = shop.control.get("/dump/cin7").json()["records"]
    shop.control.post("/reset", json={"seed": "demo", "vendor": "cin7"})
    assert shop.control.get("/dump/cin7").json()["records"] == before
    assert {one["modifiedDate"][:10] for one in before["contact"] + before["option"]} == {demo_shop.OPENING}


def test_a_state_file_is_taken_up_with_its_settings_and_numbers(tmp_path: Path) -> None:
    with running_sandbox(seed="empty", state=tmp_path / "state.sqlite", vendors=("cin7",)) as sandbox:
        desk = Desk(sandbox)
        desk.settings(duplicate_mode="request400")
        desk.item()
        made = desk.order(line(qty=3), reference="A")
        desk.close()
    with running_sandbox(seed="demo", state=tmp_path / "state.sqlite", vendors=("cin7",)) as sandbox:
        desk = Desk(sandbox)
        assert desk.get(f"SalesOrders/{made}")["reference"] == "A"
        assert desk.stock() == (10, 3, 7)
        assert desk.refused("POST", "SalesOrders", [{"reference": "A"}])[0] == 400
        assert desk.order() == made + 1
        desk.ledger()
        desk.close()
