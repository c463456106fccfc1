"""A store that feeds two integrations: one connection in the graph, read once, and Omni's own chain behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.neto_cin7.needs import NETO, cin7_entities
from ledger_pipelines.integrations.neto_cin7.settings import NetoCin7Settings
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.build import DAY_KINDS
from ledger_pipelines.orchestration.kinds import by_day, neto_cin7
from ledger_pipelines.orchestration.reads import together
from ledger_pipelines.reports.omni_view import CHECKS
from ledger_pipelines_tests.dagster.shop_kit import (
    FILE,
    NAME,
    OMNI,
    STORE,
    TO_OMNI,
    FakeReadings,
    FakeShop,
    definitions,
    run,
    said,
    shop_configuration,
)

REFRESH = {names.READING_TAG: names.REFRESH}
BY_CLOCK = {**REFRESH, names.REASON_TAG: names.SCHEDULE}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedConfig:
    return shop_configuration(tmp_path)


def test_one_store_stands_in_the_graph_before_two_integrations(loaded: LoadedConfig) -> None:
    graph = definitions(loaded, FakeShop()).resolve_asset_graph()

    def children(*path: str) -> set[str]:
        return {key.path[0] for key in graph.get(dg.AssetKey(list(path))).child_keys}

    assert children(STORE, "orders") == {NAME, TO_OMNI}
    assert children(OMNI, "sales_orders") == {TO_OMNI}
    assert children(FILE, "invoices") == {NAME}


def test_both_integrations_share_the_days_of_their_store(loaded: LoadedConfig) -> None:
    defs = definitions(loaded, FakeShop())
    found = {
        id(asset.partitions_def)
        for asset in defs.assets or []
        if isinstance(asset, dg.AssetsDefinition)
        and asset.key.path[0] in (NAME, TO_OMNI, STORE, FILE, OMNI)
        and asset.partitions_def is not None
    }
    assert len(found) == 1


def test_orders_go_in_one_chain_and_status_updates_end_it(loaded: LoadedConfig) -> None:
    graph = definitions(loaded, FakeShop()).resolve_asset_graph()

    def parents(*path: str) -> set[str]:
        return {key.to_user_string() for key in graph.get(dg.AssetKey([TO_OMNI, *path])).parent_keys}

    assert f"{TO_OMNI}/contacts/export" in parents("orders", "plan")
    assert f"{TO_OMNI}/orders/export" in parents("payments", "plan")
    assert {f"{TO_OMNI}/payments/export", f"{OMNI}/stock"} <= parents("status_updates", "plan")
    assert parents("readback") == {f"{TO_OMNI}/status_updates/export"}


@pytest.mark.parametrize(
    "text",
    [
        {},
        {"payments": {"enabled": True}},
        {"status_updates": {"auto_dispatch_orders": "Yes - Completed Orders Only"}},
        {"status_updates": {"auto_dispatch_orders": "Yes - Completed Orders Only (Ignore Stock)"}},
    ],
)
def test_a_sync_reads_what_the_service_itself_would_read(
    loaded: LoadedConfig, text: dict[str, object]
) -> None:
    settings = NetoCin7Settings.model_validate(text)
    integration = loaded.config.integration(TO_OMNI).model_copy(update={"settings": settings})
    chain = neto_cin7.chain(integration)
    found = together(chain.reads[flow] for flow in chain.flows)
    assert found.target == set(cin7_entities(settings))
    assert found.source <= set(NETO)


def test_every_check_of_the_reconciliation_is_declared() -> None:
    assert tuple(neto_cin7.CHECKS) == CHECKS


def test_only_what_several_integrations_read_is_shared(loaded: LoadedConfig) -> None:
    def shared(connection: str) -> timedelta:
        return by_day.how_read(loaded.config, connection, DAY_KINDS).shared

    assert (shared(STORE), shared(FILE), shared(OMNI)) == (by_day.A_MOMENT, timedelta(), timedelta())


# --- what two clocks start together is read once ------------------------------------------------------------------------


def _both(
    loaded: LoadedConfig, instance: dg.DagsterInstance, tags: dict[str, str], *, first: str = NAME
) -> list[str]:
    """What the run of the integration to Omni asks the store for, right after a run of `first`."""
    today = datetime.now(UTC).astimezone(ZoneInfo("Australia/Sydney")).date()
    readings = FakeReadings()
    for name in (first, TO_OMNI):
        readings.asked.clear()
        defs = definitions(loaded, FakeShop(name=name, flows=()), readings)
        keys = [
            key
            for key in defs.resolve_job_def(f"{name}_sync").asset_layer.selected_asset_keys
            if key.path[0] == STORE
        ]
        result = run(defs, instance, today, today, job=f"{name}_sync", keys=keys, tags=tags)
        assert result.success, said(result)
    return [entity for connection, entity, _, _ in readings.asked if connection == STORE]


def test_two_runs_of_the_clock_read_the_store_once(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    assert _both(loaded, instance, BY_CLOCK) == []


def test_a_person_who_runs_the_second_one_sees_what_changed_since(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    assert "orders" in _both(loaded, instance, REFRESH)


def test_two_ticks_of_one_integration_read_each_for_itself(
    loaded: LoadedConfig, instance: dg.DagsterInstance
) -> None:
    assert "orders" in _both(loaded, instance, BY_CLOCK, first=TO_OMNI)
