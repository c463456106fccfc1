"""The code location as it loads: names, partitions, order, pools; nothing secret, nothing heavy, nobody taken down."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.amazon_netsuite.settings import FLOWS
from ledger_pipelines.orchestration import metadata
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines.systems.cin7.entities import ENTITIES as CIN7
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines_tests.dagster.kit import configuration

CANARY = "canary-5e0c1f-never-to-be-seen"


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedConfig:
    return configuration(tmp_path)


def _keys(defs: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}


def test_the_shipped_configuration_loads_without_any_variable_set(
    loaded: LoadedConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for connection in loaded.config.connections.values():
        for name in connection.variables():
            monkeypatch.delenv(name, raising=False)
    defs = build_definitions(loaded)
    dg.Definitions.validate_loadable(defs)
    assert not loaded.problems


def test_names_that_people_see_stay_as_they_are(loaded: LoadedConfig) -> None:
    defs = build_definitions(loaded)
    chain = {f"amazon_netsuite/{flow}/{step}" for flow in FLOWS for step in ("plan", "export")}
    rest = {"amazon_netsuite/books", "amazon_netsuite/readback", "amazon_netsuite/reconciliation"}
    keys = _keys(defs)
    assert chain | rest | {"amazon_us/settlements", "configuration"} <= keys
    snapshots = {key for key in keys if key.startswith("netsuite/")}
    assert snapshots >= {
        f"netsuite/{entity}"
        for entity in (
            "customers", "items", "sales_orders", "invoices", "credit_memos", "payments", "customer_refunds",
            "cash_sales", "journal_entries", "accounts", "periods", "currencies",
        )
    }  # fmt: skip
    shop_flows = (
        "items_to_saasu", "contacts", "invoices", "payments", "refunds", "other_items_to_saasu",
        "stock_from_saasu",
    )  # fmt: skip
    shop = {f"neto_saasu/{flow}/{step}" for flow in shop_flows for step in ("plan", "export")}
    shop |= {"neto_saasu/pairing", "neto_saasu/readback", "neto_saasu/reconciliation"}
    shop |= {f"shop/{entity}" for entity in NETO} | {f"saasu/{entity}" for entity in SAASU}
    omni_flows = ("contacts", "orders", "payments", "status_updates")
    omni = {f"neto_cin7/{flow}/{step}" for flow in omni_flows for step in ("plan", "export")}
    omni |= {"neto_cin7/pairing", "neto_cin7/readback", "neto_cin7/reconciliation"}
    omni |= {f"omni/{entity}" for entity in CIN7}
    assert keys == chain | rest | snapshots | shop | omni | {"amazon_us/settlements", "configuration"}
    repository = defs.get_repository_def()
    assert {s.name for s in repository.sensor_defs} == {
        "amazon_us_drop_folder", "amazon_us_reports", "amazon_netsuite_resume", "failed_runs", "neto_saasu_resume",
        "neto_cin7_resume",
    }  # fmt: skip
    assert {s.name for s in repository.schedule_defs} == {
        "netsuite_nightly", "netsuite_gaps", "amazon_netsuite_summaries", "neto_saasu_by_clock", "shop_nightly",
        "shop_gaps", "saasu_nightly", "saasu_gaps", "neto_cin7_by_clock", "omni_nightly", "omni_gaps",
    }  # fmt: skip
    assert {job.name for job in repository.get_all_jobs()} >= {
        "amazon_netsuite_settlement", "amazon_us_arrival", "netsuite_snapshots", "neto_saasu_initial_sync",
        "neto_saasu_sync", "shop_snapshots", "saasu_snapshots", *(f"neto_saasu_{flow}" for flow in shop_flows),
        "neto_cin7_initial_sync", "neto_cin7_sync", "omni_snapshots", *(f"neto_cin7_{flow}" for flow in omni_flows),
    }  # fmt: skip


def test_the_chain_is_one_line_from_settlement_to_reconciliation(loaded: LoadedConfig) -> None:
    graph = build_definitions(loaded).resolve_asset_graph()
    line = ["amazon_us/settlements", "amazon_netsuite/books"]
    for flow in FLOWS:
        if flow == "summary_update":
            line.append("amazon_netsuite/readback")
        line += [f"amazon_netsuite/{flow}/plan", f"amazon_netsuite/{flow}/export"]
    line.append("amazon_netsuite/reconciliation")
    for before, after in itertools.pairwise(line):
        node = graph.get(dg.AssetKey(after.split("/")))
        assert {key.to_user_string() for key in node.parent_keys} == {before}, after


def test_exports_share_one_pool_and_nothing_has_a_retry_policy(loaded: LoadedConfig) -> None:
    defs = build_definitions(loaded)
    for definition in defs.assets or []:
        assert isinstance(definition, dg.AssetsDefinition)
        assert definition.op.retry_policy is None
        if definition.key.path[-1] == "export" and definition.key.path[0] == "amazon_netsuite":
            assert definition.op.pool == "netsuite_writes"
    for job in defs.get_repository_def().get_all_jobs():
        assert all(node.retry_policy is None for node in job.graph.nodes)


def test_runs_are_one_process_also_those_a_person_starts_from_the_graph(loaded: LoadedConfig) -> None:
    repository = build_definitions(loaded).get_repository_def()
    assert {job.executor_def.name for job in repository.get_all_jobs()} == {"in_process"}


def test_nothing_passes_through_an_io_manager(loaded: LoadedConfig) -> None:
    for definition in build_definitions(loaded).assets or []:
        assert isinstance(definition, dg.AssetsDefinition)
        assert all(put.dagster_type.is_nothing for put in definition.op.ins.values())
        given = definition.op.compute_fn.decorated_fn.__annotations__["return"]  # type: ignore[union-attr]  # an asset's
        assert given in {dg.MaterializeResult, "Result"}, definition.key


def test_daily_assets_of_the_ledger_share_one_definition_in_the_zone_of_the_books(
    loaded: LoadedConfig,
) -> None:
    found = {
        id(definition.partitions_def): definition.partitions_def
        for definition in build_definitions(loaded).assets or []
        if isinstance(definition, dg.AssetsDefinition)
        and isinstance(definition.partitions_def, dg.DailyPartitionsDefinition)
        and definition.key.path[0] == "netsuite"
    }
    (only,) = found.values()
    assert only.timezone == "America/New_York"
    assert f"{only.start:%Y-%m-%d}" == "2015-01-01"


def test_no_secret_is_in_the_definitions(loaded: LoadedConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    for connection in loaded.config.connections.values():
        for name in connection.variables():
            monkeypatch.setenv(name, CANARY)
    repository = build_definitions(loaded).get_repository_def()
    snapshot = dg.serialize_value(RepositorySnap.from_def(repository))
    assert "amazon_netsuite" in snapshot
    assert CANARY not in snapshot


def test_one_bad_connection_is_left_out_loudly_and_the_others_stay(tmp_path: Path) -> None:
    spoiled = {"certificate_id_env: LEDGER_NETSUITE_CERTIFICATE_ID": "certificate_id_env: not-a-name"}
    loaded = configuration(tmp_path, **spoiled)
    defs = build_definitions(loaded)
    dg.Definitions.validate_loadable(defs)
    keys = _keys(defs)
    assert "configuration" in keys
    assert not [key for key in keys if key.startswith("netsuite/")]
    described = defs.resolve_asset_graph().get(dg.AssetKey("configuration")).description or ""
    assert "LEFT OUT" in described
    assert "certificate_id_env" in described
    (asset,) = [
        a for a in defs.assets or [] if isinstance(a, dg.AssetsDefinition) and a.key.path == ["configuration"]
    ]
    result = dg.materialize([asset])
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert "netsuite" in (check.description or "")


def test_loading_imports_nothing_heavy() -> None:
    code = "import ledger_pipelines.definitions, sys; print([m for m in ('pyarrow','duckdb','sqlalchemy','pandas','upath','fsspec','httpx','ruamel.yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []


def test_metadata_names_are_distinct() -> None:
    values = [value for name, value in vars(metadata).items() if name.isupper() and isinstance(value, str)]
    assert len(values) == len(set(values))
