"""What reading ledger.yaml says of this integration before anything is called."""

from __future__ import annotations

from typing import Any

import pytest

from ledger_pipelines.config.models import IntegrationConfig
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.integrations.neto_saasu.budget import Facts
from ledger_pipelines.integrations.neto_saasu.checks import check_neto_saasu, warnings
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings

COMPLETE: dict[str, Any] = {
    "general": {"test_orders": ["N1"]},
    "products_to_saasu": {
        "income_account": "Sales", "asset_account": "Inventory", "cost_of_sale_account": "Cost of Goods",
    },
    "payments": {"default_account": "Bank"},
    "refunds": {"account": "Sales"},
}  # fmt: skip


def store(**more: Any) -> NetoConnectionConfig:
    return NetoConnectionConfig.model_validate({
        "system": "neto", "store": "https://mystore.neto.com.au", "auth": {"key_env": "NETO_KEY"},
        "time_zone": "Australia/Sydney", "start_date": "2026-01-01", **more,
    })  # fmt: skip


def file(**more: Any) -> SaasuConnectionConfig:
    return SaasuConnectionConfig.model_validate({
        "system": "saasu", "file_id": 5150, "auth": {"username_env": "SAASU_USER", "password_env": "SAASU_PASSWORD"},
        "start_date": "2026-01-01", **more,
    })  # fmt: skip


def integration(settings: dict[str, Any] | None = None, **more: Any) -> IntegrationConfig:
    chosen = NetoSaasuSettings.model_validate({**COMPLETE, **(settings or {})})
    return IntegrationConfig(
        **{
            "kind": "neto_saasu",
            "source": "shop",
            "target": "books",
            "mode": Mode.LIVE,
            "settings": chosen,
            **more,
        }
    )


def fields(found: IntegrationConfig, source: Any = None, target: Any = None) -> list[str]:
    return [one.field for one in check_neto_saasu(found, source or store(), target or file())]


def test_a_complete_one_has_no_findings_and_is_registered() -> None:
    assert fields(integration(schedule="*/15 * * * *")) == []
    assert KINDS["neto_saasu"].check is check_neto_saasu


@pytest.mark.parametrize("cron", ["*/10 * * * *", "0,5 6 * * *", "* * * * *"])
def test_a_schedule_shorter_than_fifteen_minutes_is_wrong_in_every_mode(cron: str) -> None:
    for mode in Mode:
        assert fields(integration(schedule=cron, mode=mode)) == ["schedule"]


@pytest.mark.parametrize("cron", ["75 * * * *", "0 9 31 feb *"])
def test_a_schedule_that_never_runs_is_wrong(cron: str) -> None:
    assert fields(integration(schedule=cron)) == ["schedule"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"products_to_saasu": {**COMPLETE["products_to_saasu"], "income_account": None}}, "products_to_saasu.income_account"),
        ({"products_to_saasu": {**COMPLETE["products_to_saasu"], "asset_account": None}}, "products_to_saasu.asset_account"),
        (
            {"products_to_saasu": {**COMPLETE["products_to_saasu"], "cost_of_sale_account": None}},
            "products_to_saasu.cost_of_sale_account",
        ),
        ({"inventory_from_saasu": {"enabled": True}}, "inventory_from_saasu.warehouse"),
        ({"payments": {}}, "payments.methods"),
        ({"payments": {"enabled": False}}, "payments.methods"),
        ({"refunds": {}}, "refunds.account"),
        ({"orders_to_saasu": {"layout": "service_layout"}}, "orders_to_saasu.default_line_account"),
        ({"orders_to_saasu": {"contact": "default"}}, "orders_to_saasu.default_contact"),
    ],
)  # fmt: skip
def test_what_a_flow_needs_is_named_unless_nothing_is_written(settings: dict[str, Any], field: str) -> None:
    assert fields(integration(settings)) == [f"settings.{field}"]
    planned = integration(settings, mode=Mode.PLAN)
    assert fields(planned) == [], "nothing is written"
    assert [one.field for one in warnings(planned, file())] == [f"settings.{field}"], "and yet it is told"


@pytest.mark.parametrize(
    "settings",
    [
        {"products_to_saasu": {"enabled": False}},
        {"products_to_saasu": {"income_account": "Sales", "inventoried": False}},
        {"inventory_from_saasu": {"enabled": False}},
        {"payments": {"enabled": False}, "refunds": {"enabled": False}},
        {"payments": {"methods": {"Card": "Bank"}}},
        {"refunds": {}, "orders_to_saasu": {"default_line_account": "Sales"}},
        {"refunds": {"enabled": False}},
        {"orders_to_saasu": {"enabled": False, "layout": "service_layout", "contact": "default"}},
    ],
)
def test_what_is_off_or_not_inventoried_needs_nothing(settings: dict[str, Any]) -> None:
    assert fields(integration(settings)) == []


def test_mode_test_needs_orders() -> None:
    assert fields(integration({"general": {}}, mode=Mode.TEST)) == ["settings.general.test_orders"]


def test_a_status_that_neto_does_not_have_is_named() -> None:
    assert fields(integration({"orders_to_saasu": {"statuses": ["Dispatched", "dispatched"]}})) == [
        "settings.orders_to_saasu.statuses"
    ]


def test_two_time_zones_of_books_are_wrong() -> None:
    sydney, perth = {"books_time_zone": "Australia/Sydney"}, {"books_time_zone": "Australia/Perth"}
    assert fields(integration(), store(**sydney), file(**perth)) == ["target"]
    assert fields(integration(), store(**sydney), file()) == ["target"]
    assert fields(integration(), store(**sydney), file(**sydney)) == []


def test_both_product_directions_at_once_are_a_warning_and_no_error() -> None:
    both = integration({"products_from_saasu": {"enabled": True}})
    assert fields(both) == []
    (found,) = warnings(both, file())
    assert found.field == "settings.products_from_saasu.enabled" and "books" in found.message


def test_a_quota_that_runs_out_is_a_warning_with_figures_and_no_error() -> None:
    often = integration(schedule="*/15 * * * *")
    assert fields(often) == []
    assert list(warnings(often, file())) == []
    (found,) = warnings(often, file(calls_per_day_of_plan=800))
    assert found.field == "schedule" and "640" in found.message
    (counted,) = warnings(often, file(), Facts(orders=5000))
    assert "3,200" in counted.message and counted.remedy
