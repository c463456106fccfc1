"""What `check` finds and `options` lists, on the sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger_pipelines.errors import ConfigurationError, CredentialError
from ledger_pipelines.systems.neto.check import Finding, check
from ledger_pipelines.systems.neto.options import STATUSES, Option, Options
from ledger_pipelines_tests.unit.systems.neto.store import Store


def _found(store: Store) -> dict[str, Finding]:
    return {finding.name: finding for finding in check(store.client)}


def test_a_fit_connection_is_told_what_it_sees_and_nothing_is_written(shop: Store) -> None:
    before = shop.dump()
    found = _found(shop)
    assert [finding for finding in found.values() if not finding.ok] == []
    assert found["currency"].text == "The store sells in AUD; its tax is 10 %."
    assert "Main warehouse (1), Shed (3)" in found["sees warehouses"].text
    assert "5 active payment methods" in found["sees payment methods"].text
    assert "orders of the last 31 days are there" in found["sees orders"].text
    assert "none in the last 31 days" in found["sees products"].text
    assert shop.dump() == before
    assert shop.calls() <= 12


@pytest.mark.parametrize("outer", [True, False])
def test_the_currency_is_read_in_both_shapes(shop: Store, outer: bool) -> None:
    shop.settings(outer_lists=outer)
    assert "AUD" in _found(shop)["currency"].text


def test_a_refused_key_ends_the_check_with_its_remedy(shop: Store) -> None:
    shop.bad_key()
    (finding,) = check(shop.client)
    assert not finding.ok
    assert "Invalid API Key" in finding.text
    assert "user name" in finding.remedy
    assert shop.calls() == 1


def test_a_store_that_is_away_ends_the_check(shop: Store) -> None:
    shop.listen(open_=False)
    (finding,) = check(shop.client)
    assert not finding.ok
    assert "was not reached" in finding.text


def test_an_address_that_may_not_be_called_is_named(shop: Store) -> None:
    shop.client.connection = replace(shop.client.connection, base="http://elsewhere.example")
    (finding,) = check(shop.client)
    assert not finding.ok
    assert "may not call" in finding.text


def test_a_list_that_neto_refuses_is_a_finding_of_its_own(shop: Store) -> None:
    """The fifth call is GetShippingMethods; the others are answered."""
    shop.fault("html_200", nth=[5, 6, 7, 8, 9, 10])
    found = _found(shop)
    assert [finding.name for finding in found.values() if not finding.ok] == ["sees shipping methods"]


@pytest.mark.parametrize("hours", [-10, 0.1, 11])
def test_clocks_that_differ_are_told(shop: Store, hours: float) -> None:
    shop.clock.instant += timedelta(hours=hours)
    finding = _found(shop)["clock"]
    assert not finding.ok
    assert "2026-10-13 00:00:00" in finding.text


def test_options_list_what_settings_may_name(shop: Store) -> None:
    options = Options(shop.client)
    assert options.names() == ("warehouses", "payment_methods", "shipping_methods", "order_statuses")
    assert options.read("warehouses") == (
        Option("1", "Main warehouse", "W1", "primary"),
        Option("3", "Shed", "W3"),
    )
    assert Option("12", "Credit Card", "", "1-1100") in options.read("payment_methods")
    assert Option("17", "Cheque", isinactive=True) in options.read("payment_methods")
    assert [one.name for one in options.read("shipping_methods", "post")] == ["Standard Post", "Express Post"]
    before = shop.calls()
    assert [one.id for one in options.read("order_statuses")] == list(STATUSES)
    assert shop.calls() == before


def test_a_list_that_is_not_there_is_refused_and_the_others_named(shop: Store) -> None:
    with pytest.raises(ConfigurationError, match=r"no list 'accounts'.*warehouses, payment_methods"):
        Options(shop.client).read("accounts")


def test_options_with_a_refused_key_say_so(shop: Store) -> None:
    shop.bad_key()
    with pytest.raises(CredentialError):
        Options(shop.client).read("warehouses")
