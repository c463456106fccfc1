"""Names in settings that neither side has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ledger_pipelines.cli.connections import check
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.models import Finding
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.stored import Rows, Stored
from ledger_pipelines.integrations.neto_saasu.books import LIABILITY, RETURNS
from ledger_pipelines.integrations.neto_saasu.budget import Facts
from ledger_pipelines.integrations.neto_saasu.named import wrong_names
from ledger_pipelines.integrations.neto_saasu.service import NetoSaasu, warnings_of
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.systems.saasu import records
from ledger_pipelines.systems.saasu.records import SaasuAccount
from ledger_pipelines_tests.configured import configured
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


def test_a_record_that_cannot_be_read_silences_no_other_finding() -> None:
    """One account of Saasu could not be read: no name that was wrong was told any more, and calls were assumed, not counted."""
    rows = Rows({"9001": "{}"}, pa.table({"name": ["Bank"]}), entity="accounts")
    file = books(accounts=Stored(rows, records.account))
    chosen = NetoSaasuSettings.model_validate(
        {
            "products_to_saasu": {"income_account": "Sales", "purchase_tax_code": None},
            "payments": {"methods": {"Card": "Bank"}, "default_account": "9001"},
        }
    )
    store = shop(method_names={"3": "Card"})
    found = {one.field: one for one in wrong_names(chosen, store, file)}
    assert "is not there" in found["settings.products_to_saasu.income_account"].message
    for field in ("settings.payments.methods.Card", "settings.payments.default_account"):
        assert "whose record cannot be read" in found[field].message
    assert all(one.wrong and one.remedy for one in found.values())


def _live(tmp_path: Path, mode: str) -> LoadedConfig:
    def change(document: Any) -> None:
        document["data_dir"] = str(tmp_path)
        mine = document["integrations"]["neto_saasu"]
        mine["mode"], mine["settings"]["general"] = mode, {"test_orders": ["N1"]}
        document["integrations"] = {"neto_saasu": mine}

    return configured(tmp_path, ("named", mode), change)


def test_names_that_cannot_be_looked_up_take_no_count_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_service: NetoSaasu) -> None:
        raise DataError("It cannot be read.", remedy="Read it again.")

    monkeypatch.setattr(NetoSaasu, "wrong_names", lost)
    monkeypatch.setattr(NetoSaasu, "facts", lambda _service: Facts(orders=98_765))
    told = {one.field: one.message for one in warnings_of(_live(tmp_path, "live"), "neto_saasu")}
    assert "98805 calls a day for documents" in told["schedule"]


@pytest.mark.parametrize(("mode", "ok"), [("plan", True), ("test", False), ("live", False)])
def test_check_fails_where_a_name_is_wrong_and_something_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, ok: bool
) -> None:
    """It said `ok`, and every payment waited."""
    wrong_one = Finding(
        "settings.payments.default_account", "names the account 'Bnk'", "Name one.", wrong=True
    )
    hint = Finding("schedule", "runs often")
    monkeypatch.setattr(NetoSaasu, "wrong_names", lambda _service: (wrong_one,))
    monkeypatch.setattr("ledger_pipelines.integrations.neto_saasu.service.warnings", lambda *_: [hint])
    loaded = _live(tmp_path, mode)
    for connection in loaded.config.connections.values():
        for variable in connection.variables():  # else each is called, and waited for
            monkeypatch.delenv(variable, raising=False)
    found = [one for one in check(loaded) if one.connection == "neto_saasu"]
    assert [(one.ok, one.text.split()[0]) for one in found] == [
        (ok, "settings.payments.default_account"),
        (True, "schedule"),
    ]
