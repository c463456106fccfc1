"""Logins, files, limits, errors (saasu.md 1, 2, 3)."""

from __future__ import annotations

import httpx

from ledger_pipelines_tests.unit.sandbox.saasu.desk import Desk


def test_a_grant_names_the_files_and_a_call_needs_one_of_them(desk: Desk) -> None:
    assert desk.grant["scope"] == "full fileid:5150 fileid:6021"
    assert desk.grant["expires_in"] == 10_800
    assert len(desk.get("/taxcodes")["TaxCodes"]) == 10
    for file in ("0", "7", ""):
        assert desk.ask("GET", "/TaxCodes", FileId=file).status_code == 401


def test_a_refresh_kills_the_old_access_token_and_keeps_the_refresh_token(desk: Desk) -> None:
    old = desk.grant
    answer = desk.api.post(
        "/authorisation/refresh", json={"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}
    ).json()
    assert answer["refresh_token"] == old["refresh_token"]
    assert desk.ask("GET", "/TaxCodes").status_code == 401
    desk.grant = answer
    assert desk.ask("GET", "/TaxCodes").status_code == 200
    desk.grant = {"access_token": answer["refresh_token"]}
    assert desk.ask("GET", "/TaxCodes").status_code == 401


def test_a_token_lives_three_hours_of_the_sandboxs_clock(desk: Desk) -> None:
    desk.control.post("/clock", json={"advance_seconds": 10_799})
    assert desk.ask("GET", "/TaxCodes").status_code == 200
    desk.control.post("/clock", json={"advance_seconds": 2})
    assert desk.ask("GET", "/TaxCodes").status_code == 401


def test_a_login_with_two_factor_is_refused_until_the_code_is_given(desk: Desk) -> None:
    told = desk.sandbox.credentials["saasu"]["two_factor"]
    who = {"username": told["username"], "password": told["password"]}
    for path in ("/authorisation/token", "/authorisation/token-2fa"):
        answer = desk.login(path, **who)
        assert (answer.status_code, answer.json()["error"]) == (401, "2fa_code_required")
    assert desk.login("/authorisation/token-2fa", **who, verification_code="123456").status_code == 200


def test_an_access_key_needs_no_header_and_comes_back_in_links(desk: Desk) -> None:
    key = desk.sandbox.credentials["saasu"]["access_key"]
    answer = desk.api.get("/Accounts", params={"wsAccessKey": key, "fileid": 5150})
    assert answer.status_code == 200
    assert f"wsaccesskey={key}" in answer.json()["_links"][0]["href"]
    assert desk.api.get("/Accounts", params={"wsAccessKey": "0" * 32, "FileId": 5150}).status_code == 401


def test_one_request_a_second_and_not_two(desk: Desk) -> None:
    desk.settings(rate_limit=True)
    desk.control.post("/clock", json={"freeze": "2026-09-01T00:00:00Z"})
    desk.grant = desk.login().json()
    assert desk.ask("GET", "/TaxCodes").status_code == 200
    assert desk.ask("GET", "/TaxCodes").status_code == 429
    desk.control.post("/clock", json={"advance_seconds": 1})
    assert desk.ask("GET", "/TaxCodes").status_code == 200
    desk.control.post("/clock", json={"resume": True})


def test_passing_the_quota_blocks_the_file_for_a_day_and_no_other_file(desk: Desk) -> None:
    desk.control.delete("/saasu/meter")
    desk.settings(daily_quota=3)
    assert [desk.ask("GET", "/TaxCodes").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert desk.ask("GET", "/TaxCodes", FileId=6021).status_code == 200
    desk.control.post("/clock", json={"advance_seconds": 23 * 3600})
    desk.grant = desk.login().json()
    assert desk.ask("GET", "/TaxCodes").status_code == 429
    desk.control.post("/clock", json={"advance_seconds": 3700})
    assert desk.ask("GET", "/TaxCodes").status_code == 200


def test_paths_and_query_names_are_read_without_regard_to_case(desk: Desk) -> None:
    assert desk.ask("GET", "/tAxCoDeS", pAgEsIzE=2).json()["TaxCodes"][0]["Code"] == "G1"
    assert desk.ask("GET", "/Nothing").status_code == 404
    assert desk.ask("PATCH", "/Item/1").status_code == 405


def test_pages_have_25_rows_at_most_100_and_links(desk: Desk) -> None:
    for number in range(27):
        desk.post("/Contact", {"GivenName": f"P{number}"})
    first = desk.get("/Contacts")
    assert len(first["Contacts"]) == 25
    assert [link["rel"] for link in first["_links"]] == ["self", "next"]
    second = desk.get("/Contacts", Page=2)
    assert len(second["Contacts"]) == 2
    assert [link["rel"] for link in second["_links"]] == ["self", "previous"]
    assert len(desk.get("/Contacts", PageSize=1000)["Contacts"]) == 27


def test_a_date_filter_needs_both_ends(desk: Desk) -> None:
    status, text = desk.refused("GET", "/Contacts", LastModifiedFromDate="2026-01-01")
    assert status == 400
    assert "lastmodifiedtodate" in text.lower()


def test_errors_are_bare_text_or_a_json_string(desk: Desk) -> None:
    item = desk.item(stock=0)
    answer = desk.ask("PUT", f"/Item/{item}", desk.get(f"/Item/{item}") | {"LastUpdatedId": "AAAA"})
    assert (answer.status_code, answer.json()) == (400, "Record to be updated has changed since last read.")
    bare = desk.ask("POST", "/Item", {"Code": "B", "Description": "b", "IsSold": True})
    assert bare.text.startswith("The Item is marked as 'Sold'")
    assert "Parameter name: SaleIncomeAccountUid" in bare.text
    broken = desk.api.post(
        "/Item?FileId=5150", content=b"{", headers={"Authorization": f"Bearer {desk.grant['access_token']}"}
    )
    assert broken.status_code == 400


def test_deleted_entities_cover_a_day_unless_dates_are_given(desk: Desk) -> None:
    made = desk.post("/Contact", {"GivenName": "Gone"})["InsertedContactId"]
    assert desk.ask("DELETE", f"/Contact/{made}").json()["StatusMessage"] == "Ok"
    assert desk.ask("GET", f"/Contact/{made}").status_code == 404
    (entity,) = desk.get("/DeletedEntities", EntityType="Contact")["Entities"]
    assert (entity["EntityType"], entity["EntityId"]) == ("Contact", made)
    desk.control.post("/clock", json={"advance_seconds": 25 * 3600})
    desk.grant = desk.login().json()
    assert desk.get("/DeletedEntities")["Entities"] == []
    wide = desk.get("/DeletedEntities", UtcDeletedFromDate="2020-01-01", UtcDeletedToDate="2099-01-01")
    assert len(wide["Entities"]) == 1
    assert desk.refused("GET", "/DeletedEntities", EntityType="Company")[0] == 400


def test_a_cut_answer_was_applied(desk: Desk) -> None:
    desk.control.post(
        "/faults", json={"vendor": "saasu", "kind": "cut_after", "method": "POST", "path": "/Contact"}
    )
    try:
        desk.post("/Contact", {"GivenName": "Twice"})
    except httpx.RemoteProtocolError:
        desk.control.delete("/faults")
    assert len(desk.get("/Contacts", GivenName="twice")["Contacts"]) == 1


def test_a_search_that_is_behind_does_not_list_what_was_just_made(desk: Desk) -> None:
    before = len(desk.get("/companies")["Companies"])
    desk.control.post("/faults", json={"vendor": "saasu", "kind": "search_lag", "seconds": 10})
    desk.post("/Company", {"Name": "Late Ltd"})
    assert len(desk.get("/companies")["Companies"]) == before
    desk.control.post("/clock", json={"advance_seconds": 11})
    assert len(desk.get("/companies")["Companies"]) == before + 1
