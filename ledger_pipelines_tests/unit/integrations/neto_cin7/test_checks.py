"""What reading ledger.yaml says of the settings, and the kinds of integration know this one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.models import IntegrationConfig
from ledger_pipelines.config.shops import NetoConnectionConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.integrations.neto_cin7.checks import check_neto_cin7, warnings
from ledger_pipelines.integrations.neto_cin7.settings import FLOWS, NetoCin7Settings

STORE = NetoConnectionConfig.model_validate(
    {
        "system": "neto", "store": "https://shop.example", "auth": {"key_env": "NETO_KEY"}, "start_date": date(2026, 1, 1),
        "time_zone": "Australia/Sydney", "books_time_zone": "Australia/Sydney",
    }
)  # fmt: skip
OMNI = Cin7ConnectionConfig.model_validate(
    {
        "system": "cin7", "auth": {"username_env": "OMNI_USER", "key_env": "OMNI_KEY"}, "start_date": date(2026, 1, 1),
        "books_time_zone": "Australia/Sydney",
    }
)  # fmt: skip


def integration(mode: str = "live", **settings: Any) -> IntegrationConfig:
    chosen = NetoCin7Settings.model_validate(settings)
    return IntegrationConfig(kind="neto_cin7", source="shop", target="omni", mode=Mode(mode), settings=chosen)


def fields(one: IntegrationConfig, target: Any = OMNI) -> list[str]:
    return [found.field for found in check_neto_cin7(one, STORE, target)]


def test_the_kind_is_known() -> None:
    assert KINDS["neto_cin7"].settings is NetoCin7Settings


def test_nothing_is_wrong_with_the_defaults() -> None:
    assert fields(integration()) == []
    assert list(warnings(integration())) == []


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"download_orders": {"statuses": ["Shipped"]}}, "settings.download_orders.statuses"),
        ({"download_orders": {"draft_statuses": ["Hold"]}}, "settings.download_orders.draft_statuses"),
        ({"download_orders": {"stages": {"Picking": "Pick"}}}, "settings.download_orders.stages"),
        ({"status_updates": {"completed_statuses": ["Done"]}}, "settings.status_updates.completed_statuses"),
    ],
)
def test_statuses_of_neto(settings: dict[str, Any], field: str) -> None:
    assert fields(integration(**settings)) == [field]


def test_test_mode_names_its_orders_and_days_are_cut_alike() -> None:
    assert fields(integration("test")) == ["settings.general.test_orders"]
    other = OMNI.model_copy(update={"books_time_zone": "Australia/Perth"})
    assert fields(integration(), other) == ["target"]


def test_warnings() -> None:
    both = integration(products={"download": True, "upload": True})
    assert [one.field for one in warnings(both)] == ["settings.products.upload"]
    blind = integration(
        products={"in_step": False}, status_updates={"auto_dispatch_orders": "Yes - Completed Orders Only"}
    )
    assert [one.field for one in warnings(blind)] == ["settings.products.in_step"]


@pytest.mark.parametrize(
    "settings",
    [
        {"customer_tracking": {"customer": "default"}},
        {"customer_tracking": {"guests": "default"}},
        {"download_orders": {"prefix": "X" * 16}},
        {"status_updates": {"auto_dispatch_orders": "Yes"}},
        {"accounting": {"tax_rate": -1}},
        {"accounts": {}},
    ],
)
def test_what_is_no_setting(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NetoCin7Settings.model_validate(settings)


def test_flows_that_are_on_in_their_order() -> None:
    assert NetoCin7Settings().enabled_flows() == ("contacts", "orders")
    everything = NetoCin7Settings.model_validate(
        {
            "products": {"download": True, "upload": True}, "payments": {"enabled": True},
            "status_updates": {"auto_dispatch_orders": "Yes - Completed Orders Only (Ignore Stock)"},
        }
    )  # fmt: skip
    assert everything.enabled_flows() == FLOWS
    house = {"customer_tracking": {"customer": "default", "default_customer": "1"}}
    assert NetoCin7Settings.model_validate(house).enabled_flows() == ("orders",)
