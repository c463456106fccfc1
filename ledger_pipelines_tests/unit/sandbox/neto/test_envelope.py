"""Keys, envelopes, messages, shapes, pages, the limit (neto.md 2, 3, 4, 14)."""

from __future__ import annotations

import pytest

from ledger_pipelines_tests.unit.sandbox.neto.desk import PATH, Desk


def test_errors_come_with_status_200(desk: Desk) -> None:
    answer = desk.ask("GetItem", {}, NETOAPI_KEY="short")
    assert (answer.status_code, answer.json()["Ack"]) == (200, "Error")
    assert "Invalid API Key" in answer.json()["Messages"]["Error"]["Message"]
    assert "NETOAPI_ACTION" in desk.said("Nothing")
    broken = desk.api.post(
        PATH, content=b"{", headers={**desk.ask("GetItem").request.headers, "content-length": "1"}
    )
    assert broken.json()["Messages"]["Error"]["Message"] == "JSON Error"


def test_a_call_that_writes_fails_with_status_200(desk: Desk) -> None:
    fault = {"vendor": "neto", "kind": "error_200", "header": "netoapi_action: AddItem", "times": 1}
    assert desk.control.post("/faults", json=fault).status_code == 200
    wish = {"Item": [{"SKU": "NEW-1"}]}
    assert desk.find("GetItem", "Name", SKU=["NEW-1"]) == []
    assert desk.said("AddItem", wish) == "The request could not be processed"
    assert desk.find("GetItem", "Name", SKU=["NEW-1"]) == []
    desk.call("AddItem", wish)


def test_a_users_key_needs_its_name_and_its_rights(desk: Desk) -> None:
    told = desk.sandbox.credentials["neto"]
    user = {"NETOAPI_KEY": told["user"]["api_key"]}
    assert desk.ask("GetPaymentMethods", {}, **user).json()["Ack"] == "Error"
    assert (
        desk.ask("GetPaymentMethods", {}, **user, NETOAPI_USERNAME=told["user"]["username"]).json()["Ack"]
        == "Success"
    )
    reader = {"NETOAPI_KEY": told["reader"]["api_key"], "NETOAPI_USERNAME": told["reader"]["username"]}
    assert desk.ask("GetPaymentMethods", {}, **reader).json()["Ack"] == "Success"
    assert desk.ask("AddItem", {"Item": {"SKU": "A"}}, **reader).json()["Ack"] == "Error"
    app = {
        "NETOAPI_KEY": "",
        "X_ACCESS_KEY": told["app"]["client_id"],
        "X_SECRET_KEY": told["app"]["access_token"],
    }
    assert desk.ask("GetPaymentMethods", {}, **app).json()["Ack"] == "Success"


def test_without_an_accept_header_the_answer_is_xml(desk: Desk) -> None:
    assert desk.ask("GetPaymentMethods", {}, Accept="*/*").headers["content-type"].startswith("text/xml")


def test_one_unknown_sku_is_a_warning_and_the_others_are_done(desk: Desk) -> None:
    desk.item("A")
    answer = desk.ask("UpdateItem", {"Item": [{"SKU": "B"}, {"SKU": "A", "Name": "new"}]}).json()
    assert (answer["Ack"], answer["Item"]) == ("Warning", {"SKU": "A"})
    assert answer["Messages"]["Warning"] == {"Message": "Cannot find Item B", "SeverityCode": "Warning"}
    several = desk.ask("UpdateItem", {"Item": [{"SKU": "B"}, {"SKU": "C"}]}).json()
    assert (several["Item"], len(several["Messages"]["Warning"])) == ("", 2)


def test_every_scalar_is_a_text_and_only_what_is_selected_comes_back(desk: Desk) -> None:
    desk.item("A")
    (item,) = desk.find("GetItem", "Name", "IsActive", "DefaultPrice", "NoSuchField", SKU=["A"])
    assert set(item) == {"SKU", "InventoryID", "Name", "IsActive", "DefaultPrice"}
    assert (item["IsActive"], item["DefaultPrice"]) == ("True", "11.00000000")


@pytest.mark.parametrize("outer", [True, False])
def test_collections_collapse_as_observed(desk: Desk, outer: bool) -> None:
    desk.settings(outer_lists=outer)
    desk.item("A", Categories={"Category": [{"CategoryID": "1"}]})
    desk.item("B", Categories={"Category": [{"CategoryID": "1"}, {"CategoryID": "2"}]})
    desk.item("C")
    one, two, none = (desk.find("GetItem", "Categories", SKU=sku)[0]["Categories"] for sku in "ABC")
    inner = [value[0] if outer else value for value in (one, two)]
    assert inner[0]["Category"] == {"CategoryID": "1"}
    assert [c["CategoryID"] for c in inner[1]["Category"]] == ["1", "2"]
    assert none == ""


def test_pages_begin_with_zero_and_there_is_no_count(desk: Desk) -> None:
    for number in range(5):
        desk.item(f"A{number}")
    pages = [[i["SKU"] for i in desk.find("GetItem", "Name", Page=p, Limit="2")] for p in range(4)]
    assert pages == [["A0", "A1"], ["A2", "A3"], ["A4"], []]
    desk.settings(short_pages=True)
    seen = []
    for page in range(9):
        seen += [i["SKU"] for i in desk.find("GetItem", "Name", Page=page, Limit=3)]
    assert seen == [f"A{n}" for n in range(5)]


def test_more_than_500_calls_in_a_minute_are_429(desk: Desk) -> None:
    desk.control.post("/clock", json={"freeze": True})
    desk.control.post("/clock", json={"advance_seconds": 120})
    desk.settings(calls_per_minute=3)
    assert [desk.ask("GetPaymentMethods").status_code for _ in range(4)] == [200, 200, 200, 429]
    desk.control.post("/clock", json={"advance_seconds": 61})
    assert desk.ask("GetPaymentMethods").status_code == 200
    desk.control.post("/clock", json={"resume": True})


def test_a_wrong_path_is_an_html_page(desk: Desk) -> None:
    assert desk.api.post("/do/WS/Other").headers["content-type"].startswith("text/html")
