"""What `check` finds and says, and what a setting may name: against the sandbox's demo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.saasu.check import Finding, check
from ledger_pipelines.systems.saasu.options import Options
from ledger_pipelines.systems.saasu.settings import PasswordCredentials
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.saasu.desk import Desk, client_on, contact_body
from ledger_pipelines_tests.unit.systems.saasu.fake import fake_client


@pytest.fixture
def desk(fresh: RunningSandbox, saasu_control: httpx.Client, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(fresh, saasu_control, tmp_path / "state", calls_per_day=3200)
    yield made
    made.close()


def looked_at(desk: Desk, folder: Path, currency: str = "AUD", **more: Any) -> dict[str, Finding]:
    with client_on(desk.sandbox, folder, desk.clock, **{"calls_per_day": 3200, **more}) as client:
        return {finding.name: finding for finding in check(client, currency=currency)}


def test_a_good_connection_is_found_good_in_one_call(desk: Desk, tmp_path: Path) -> None:
    found = looked_at(desk, tmp_path)
    assert list(found) == ["login", "file", "quota", "tax", "currency", "clock"]
    assert all(finding.ok for finding in found.values())
    assert "5150 Harbour Tea Pty Ltd (AUD); 6021 Harbour Tea NZ Ltd (NZD)" in found["login"].text
    assert "1 calls made today (UTC), 3,200 are ours. The file's plan is Medium: 6,000" in found["quota"].text
    assert "registered for tax" in found["tax"].text
    assert desk.calls() == {"GET /FileIdentities": 1}


def test_another_currency_than_the_configured_one_is_a_finding(desk: Desk, tmp_path: Path) -> None:
    found = looked_at(desk, tmp_path, "NZD")["currency"]
    assert not found.ok
    assert found.text == "The file's currency is AUD; the connection says NZD."
    assert found.remedy == "Set `currency: AUD` in the connection."


def test_a_share_larger_than_the_plan_is_a_finding(desk: Desk, tmp_path: Path) -> None:
    found = looked_at(desk, tmp_path, calls_per_day=8000)["quota"]
    assert not found.ok
    assert "calls_per_day_of_plan: 6000" in found.remedy


def test_the_days_calls_used_up_are_a_finding_though_nothing_can_be_asked(desk: Desk, tmp_path: Path) -> None:
    assert looked_at(desk, tmp_path, calls_per_day=1)["quota"].text.startswith("1 calls made today")
    found = looked_at(desk, tmp_path, calls_per_day=1)
    assert (found["login"].ok, found["quota"].ok) == (False, False)
    assert found["login"].text.startswith("Saasu file 5150 has used its 1 calls")


def test_a_file_that_is_parked_is_a_finding(desk: Desk, tmp_path: Path) -> None:
    with client_on(desk.sandbox, tmp_path, desk.clock) as client:
        client.quota.block(2)
    found = looked_at(desk, tmp_path)["quota"]
    assert not found.ok
    assert "is left alone until" in found.text


def test_a_two_factor_login_is_explained(desk: Desk, tmp_path: Path) -> None:
    told = desk.sandbox.credentials["saasu"]["two_factor"]
    login = PasswordCredentials(Secret(told["username"]), Secret(told["password"]))
    found = looked_at(desk, tmp_path, credentials=login)
    assert list(found) == ["login"]
    assert "two-factor" in found["login"].text
    assert "login of its own" in found["login"].remedy


def test_a_wrong_password_and_a_file_of_others_are_findings(desk: Desk, tmp_path: Path) -> None:
    told = desk.sandbox.credentials["saasu"]
    wrong = PasswordCredentials(Secret(told["username"]), Secret("not this one"))
    found = looked_at(desk, tmp_path, credentials=wrong)
    assert "is refused" in found["login"].text
    with client_on(desk.sandbox, tmp_path, desk.clock, access_key=True) as client:
        object.__setattr__(client.connection, "file_id", 77)
        findings = {finding.name: finding for finding in check(client)}
    assert findings["file"].remedy == (
        "Set `file_id` to one of: 5150 Harbour Tea Pty Ltd (AUD); 6021 Harbour Tea NZ Ltd (NZD)."
    )


def test_a_clock_that_is_off_is_a_finding(desk: Desk, tmp_path: Path) -> None:
    late = FakeClock(desk.clock.now() + timedelta(minutes=10))
    with client_on(desk.sandbox, tmp_path, late) as client:
        found = {finding.name: finding for finding in check(client)}
    assert not found["clock"].ok
    assert re.search(r"clock is \+60\d s off", found["clock"].text), "the server tells whole seconds"


def test_no_file_at_all_and_no_server_at_all_are_said(tmp_path: Path) -> None:
    with fake_client(lambda request: httpx.Response(200, json={"FileIdentities": []}), tmp_path) as client:
        assert [finding.ok for finding in check(client)] == [True, False]
    with fake_client(lambda request: httpx.Response(502), tmp_path) as client:
        assert "was not reached" in check(client)[0].text


# --- options ---------------------------------------------------------------------------------------------------------


def names(desk: Desk, kind: str, search: str = "") -> list[str]:
    return [option.name for option in Options(desk.client).read(kind, search)]


def test_accounts_are_listed_by_what_they_are_for(desk: Desk) -> None:
    assert names(desk, "bank_accounts") == ["ANZ Cheque", "PayPal Clearing", "Gift Voucher Clearing"]
    assert names(desk, "cost_of_sales_accounts") == ["Cost of Goods Sold"]
    assert "Deposits Received Clearing" in names(desk, "liability_accounts")
    assert "ANZ Cheque" not in names(desk, "asset_accounts")
    assert "Inventory" in names(desk, "asset_accounts")
    assert names(desk, "accounts", "paypal") == ["PayPal Clearing"]
    income = {option.name: option for option in Options(desk.client).read("income_accounts")}
    assert (income["Sales"].isinactive, income["Old Sales"].isinactive) == (False, True)
    [cheque] = Options(desk.client).read("bank_accounts", "ANZ")
    assert (cheque.id, cheque.number, cheque.detail) == (
        "9001",
        "Asset",
        "takes payments, with merchant fees",
    )


def test_tax_codes_are_listed_with_their_rates(desk: Desk) -> None:
    found = {option.number: option for option in Options(desk.client).read("tax_codes")}
    assert (found["G1"].name, found["G1"].detail) == ("GST", "10 %, sales")
    assert found["G1,G3"].detail == "0 %, sales"


def test_items_are_found_by_a_part_of_code_or_description(desk: Desk) -> None:
    [found] = Options(desk.client).read("items", "SHIPP")
    assert (found.number, found.detail) == ("SHIPPING", "no stock is kept")
    assert len(Options(desk.client).read("items")) > 10


def test_contacts_are_found_by_address_reference_or_family_name(desk: Desk) -> None:
    desk.made("/Contact", contact_body("priya.nair", FamilyName="Nair-Smith"))
    for search in ("priya.nair@tea.example", "priya.nair", "Nair-Smith"):
        [found] = Options(desk.client).read("contacts", search)
        assert (found.name, found.number, found.detail) == (
            "Priya Nair-Smith",
            "priya.nair",
            "priya.nair@tea.example",
        )
    assert names(desk, "contacts", "nobody@nowhere.example") == []


def test_every_list_that_is_named_can_be_read_and_no_other(desk: Desk) -> None:
    lists = Options(desk.client)
    assert [name for name in lists.names() if not lists.read(name)] == []
    with pytest.raises(ConfigurationError, match="no list 'suppliers'"):
        lists.read("suppliers")
