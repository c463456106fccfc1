"""Names in settings that neither side has."""

from __future__ import annotations

from typing import Any

import pytest

from ledger_pipelines.integrations.neto_saasu.books import LIABILITY, RETURNS
from ledger_pipelines.integrations.neto_saasu.named import wrong_names
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.systems.saasu.records import SaasuAccount
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import ACCOUNTS, books, order, payment, shop

GOOD: dict[str, dict[str, Any]] = {
    "products_to_saasu": {"income_account": "Sales", "purchase_tax_code": None},
    "payments": {"methods": {"Card": "Bank", "14": "PayPal"}},
}


def wrong(**groups: dict[str, Any]) -> dict[str, str]:
    """Findings by field."""
    chosen = NetoSaasuSettings.model_validate(
        {name: GOOD.get(name, {}) | groups.get(name, {}) for name in GOOD.keys() | groups.keys()}
    )
    store = shop(
        [order("N1", payments=(payment(method="Account Credit"),))],
        method_names={"14": "PayPal", "3": "Card"},
    )
    return {one.field: one.message for one in wrong_names(chosen, store, books())}


def test_names_that_are_there_are_no_findings() -> None:
    assert wrong() == {}
    assert wrong(payments={"methods": {"account credit": "Bank"}}) == {}


@pytest.mark.parametrize(
    ("group", "field", "value"),
    [
        ("products_to_saasu", "asset_account", "Stock"),
        ("products_to_saasu", "sale_tax_code", "G9"),
        ("orders_to_saasu", "surcharge_item", "CHARGE"),
        ("orders_to_saasu", "tax_code_export", "G9"),
        ("orders_to_saasu", "default_contact", "nobody"),
        ("payments", "default_account", "Sales"),
        ("payments", "overpayment_account", "Bank"),
        ("refunds", "account", "Bank"),
        ("refunds", "credit_account", "Sales"),
    ],
)
def test_a_name_that_no_row_needs_today_is_told_all_the_same(group: str, field: str, value: str) -> None:
    (told,) = wrong(**{group: {field: value}}).items()
    assert told[0] == f"settings.{group}.{field}"
    assert told[1].startswith("names the ") and value in told[1]


@pytest.mark.parametrize(
    ("group", "field", "value", "fit"),
    [
        ("payments", "overpayment_account", "Sales", "liability"),
        ("products_to_saasu", "asset_account", "Sales", "asset"),
        ("products_to_saasu", "income_account", "Deposits Received Clearing", "income"),
        ("products_to_saasu", "cost_of_sale_account", "Sales", "cost-of-sales or expense"),
        ("products_to_saasu", "expense_account", "Sales", "cost-of-sales or expense"),
        ("orders_to_saasu", "default_line_account", "Deposits Received Clearing", "income"),
        ("refunds", "account", "Deposits Received Clearing", "income, expense or cost of sales"),
    ],
)
def test_an_account_of_the_wrong_type_is_told_before_money_is_booked_to_it(
    group: str, field: str, value: str, fit: str
) -> None:
    """Customers' money above what was owed was booked as income: nobody had looked at the account's type."""
    (told,) = wrong(**{group: {field: value}}).items()
    assert told[0] == f"settings.{group}.{field}"
    assert f"account {value!r}, which is not an active " in told[1]
    assert fit in told[1]


@pytest.mark.parametrize("kind", ["Liability", "liability", "", "Something New"])
def test_a_type_that_is_not_known_is_left_to_saasu(kind: str) -> None:
    file = books(accounts=(*ACCOUNTS, SaasuAccount("9070", "Held", kind, True, False, True, "")))
    assert file.account("Held", "payments.overpayment_account", LIABILITY).id == "9070"
    assert file.account("9040", "orders_to_saasu.default_line_account", RETURNS).name == "Sales"


def test_of_what_is_listed_by_name_the_entry_is_told() -> None:
    assert set(wrong(orders_to_saasu={"tax_codes": {"GST": "G9"}})) == {
        "settings.orders_to_saasu.tax_codes.GST"
    }
    assert set(wrong(payments={"methods": {"Card": "Petty"}})) == {"settings.payments.methods.Card"}


def test_a_method_that_the_store_neither_lists_nor_shows_is_told() -> None:
    found = wrong(payments={"methods": {"Crad": "Bank"}, "fee_percent": {"Paypall": "2.6"}})
    assert set(found) == {"settings.payments.methods.Crad", "settings.payments.fee_percent.Paypall"}


def test_flows_that_are_off_name_nothing() -> None:
    off = {"enabled": False}
    assert wrong(refunds={"account": "Bank", **off}, payments={"default_account": "Sales", **off}) == {}


def test_a_warehouse_that_the_store_has_not_is_told() -> None:
    found = wrong(inventory_from_saasu={"enabled": True, "warehouse": "Moon"})
    assert set(found) == {"settings.inventory_from_saasu.warehouse"}
