"""What `check` finds and says, and what a setting may name: against the sandbox's demo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.cin7.check import check
from ledger_pipelines.systems.cin7.options import STAGES, Options
from ledger_pipelines.systems.looking import Finding
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.cin7.bodies import contact_body, order_body, payment_body
from ledger_pipelines_tests.unit.systems.cin7.desk import Desk, client_on
from ledger_pipelines_tests.unit.systems.cin7.fake import Script, fake_client


@pytest.fixture
def desk(fresh: RunningSandbox, cin7_control: httpx.Client, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(fresh, cin7_control, tmp_path / "state")
    yield made
    cin7_control.post("/listen", json={"vendor": "cin7", "open": True}).raise_for_status()
    made.close()


def looked_at(desk: Desk, folder: Path, **more: Any) -> dict[str, Finding]:
    with client_on(desk.sandbox, folder, desk.clock, **{"calls_per_day": 4000, **more}) as client:
        return {finding.name: finding for finding in check(client)}


def test_a_good_connection_is_found_good_in_a_call_a_module(desk: Desk, tmp_path: Path) -> None:
    desk.made("/v1/SalesOrders", order_body("N1"))
    desk.forget_calls()
    found = looked_at(desk, tmp_path)
    assert list(found) == ["login", "modules", "quota", "currency", "clock"]
    assert all(finding.ok for finding in found.values()), found
    assert (
        "SalesOrders, Contacts, Products, ProductOptions, Stock, Branches, Payments" in found["modules"].text
    )
    assert "7 calls made today (UTC), 4,000 are ours." in found["quota"].text
    assert sum(desk.calls().values()) == 7


def test_modules_that_may_not_be_read_are_named_with_what_to_do(desk: Desk, tmp_path: Path) -> None:
    with client_on(desk.sandbox, tmp_path, desk.clock, login="orders") as client:
        refused = [one for one in check(client) if not one.ok]
    assert refused
    assert {one.name for one in refused} == {"modules"}
    assert any("may not READ Stock" in one.text and "Stock READ" in one.remedy for one in refused)


def test_a_refused_login_ends_it(desk: Desk) -> None:
    [found] = check(desk.stranger)
    assert (found.name, found.ok) == ("login", False)
    assert "API v1" in found.remedy


def test_another_currency_than_the_configured_one_is_a_finding(desk: Desk, tmp_path: Path) -> None:
    desk.made("/v1/SalesOrders", order_body("N1"))
    found = looked_at(desk, tmp_path, currency="NZD")["currency"]
    assert not found.ok
    assert "`currency: AUD`" in found.remedy


def test_without_orders_nothing_is_said_of_the_currency(desk: Desk, tmp_path: Path) -> None:
    assert "currency" not in looked_at(desk, tmp_path)


def test_the_days_calls_used_up_and_a_parked_account_are_findings(desk: Desk, tmp_path: Path) -> None:
    looked_at(desk, tmp_path / "one", calls_per_day=7)
    spent = looked_at(desk, tmp_path / "one", calls_per_day=7)
    assert (spent["login"].ok, spent["quota"].ok) == (False, False)
    assert "has used its 7 calls" in spent["login"].text
    with client_on(desk.sandbox, tmp_path / "two", desk.clock) as client:
        client.quota.block(2)
    parked = looked_at(desk, tmp_path / "two")["quota"]
    assert not parked.ok
    assert "is left alone until" in parked.text


def test_no_connection_and_a_wrong_clock_are_findings(desk: Desk, tmp_path: Path) -> None:
    with client_on(
        desk.sandbox, tmp_path, FakeClock(desk.clock.now() - timedelta(minutes=5, seconds=30))
    ) as client:
        late = {one.name: one for one in check(client)}["clock"]
    assert not late.ok
    assert late.text.startswith("This machine's clock is -3")
    desk.control.post("/listen", json={"vendor": "cin7", "open": False}).raise_for_status()
    found = looked_at(desk, tmp_path)["login"]
    assert "Cin7 was not reached" in found.text
    assert found.remedy.startswith("Start the sandbox: ")


# --- options ---------------------------------------------------------------------------------------------------------


def names(desk: Desk, name: str, search: str = "") -> list[str]:
    return [one.name for one in Options(desk.client).read(name, search)]


def test_branches_contacts_and_skus_are_listed_and_searched(desk: Desk) -> None:
    assert names(desk, "branches")[:2] == ["Main warehouse", "Shed"]
    assert names(desk, "branches", "shed") == ["Shed"]
    desk.made("/v1/Contacts", contact_body("o'neil@tea.example", company="O'Neil's"))
    assert names(desk, "contacts", "o'NEIL") == ["O'Neil's"]
    everyone = Options(desk.client).read("contacts")
    assert len(everyone) == len(desk.records("contact"))
    skus = Options(desk.client).read("options")
    assert len(skus) > 5
    [found] = Options(desk.client).read("options", skus[0].number)[:1]
    assert found.number.startswith(skus[0].number)


def test_stages_are_those_seen_and_those_documented(desk: Desk) -> None:
    desk.made("/v1/SalesOrders", order_body("N1", stage="Release to Pick"))
    desk.made("/v1/SalesOrders", order_body("N2", stage="Dispatched"))
    told = Options(desk.client).read("stages")
    assert {one.name for one in told} == {"Release to Pick", *STAGES}
    assert len(told) == len({one.name for one in told})
    seen = {one.name: one.detail for one in told}
    assert seen["Release to Pick"].startswith("1 of the 2")
    assert "not seen" in seen["On Hold"]


def test_payment_methods_are_those_seen(desk: Desk) -> None:
    order = desk.made("/v1/SalesOrders", order_body("N1"))
    desk.made("/v1/Payments", payment_body("P1", order, "1", method="PayPal"))
    assert names(desk, "payment_methods") == ["PayPal"]


def test_price_tiers_are_those_of_options_and_of_contacts(tmp_path: Path) -> None:
    script = Script(
        reads={
            "/v1/ProductOptions": [{"id": 1, "priceColumns": {"RetailAUD": 11, "VIP": None}}],
            "/v1/Contacts": [{"id": 2, "priceColumn": "Trade"}, {"id": 3, "priceColumn": ""}],
        }
    )
    with fake_client(script, tmp_path) as client:
        assert [one.name for one in Options(client).read("price_tiers")] == ["RetailAUD", "Trade"]
    assert len(script.asked) == 2


def test_there_are_no_other_lists(desk: Desk) -> None:
    for name in Options(desk.client).names():
        Options(desk.client).read(name)
    with pytest.raises(ConfigurationError, match="has no list 'accounts'"):
        Options(desk.client).read("accounts")
