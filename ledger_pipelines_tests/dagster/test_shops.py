"""A shop and its books as Dagster runs them: ranges of days, failures in the middle, refusals, what people see."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.orchestration.kinds import neto_saasu
from ledger_pipelines.orchestration.reads import together
from ledger_pipelines.reports.shop_view import CHECKS
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines_tests.dagster.shop_kit import (
    FILE,
    NAME,
    START,
    STORE,
    FakeReadings,
    FakeShop,
    checks,
    definitions,
    run,
    said,
    shop_configuration,
    shown,
)

D1, D2, D3 = date(2025, 3, 10), date(2025, 3, 11), date(2025, 3, 12)
ORDERS = {D1: ["N1", "N2"], D3: ["N3"]}
RECORDS = [
    (STORE, "orders", "N1", datetime(2025, 3, 10, 1, tzinfo=UTC)),
    (STORE, "orders", "N2", datetime(2025, 3, 10, 12, 59, tzinfo=UTC)),
    (STORE, "orders", "N3", datetime(2025, 3, 11, 13, tzinfo=UTC)),  # midnight of the 12th in Sydney
    (FILE, "invoices", "71", datetime(2025, 3, 12, 5, tzinfo=UTC)),
]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def _key(flow: str, step: str) -> dg.AssetKey:
    return dg.AssetKey([NAME, flow, step])


def _exports(shop: FakeShop, flow: str) -> list[date]:
    return [day for what, of, day in shop.done if (what, of) == ("export", flow)]


def _plans(shop: FakeShop, flow: str) -> list[date]:
    return [day for what, of, day in shop.done if (what, of) == ("plan", flow)]


# --- the location ------------------------------------------------------------------------------------------------------


def test_the_graph_leads_from_the_store_through_plans_to_the_file(tmp_path: Path) -> None:
    graph = definitions(shop_configuration(tmp_path), FakeShop()).resolve_asset_graph()

    def parents(*path: str) -> set[str]:
        return {key.to_user_string() for key in graph.get(dg.AssetKey([NAME, *path])).parent_keys}

    chain = ["items_to_saasu", "contacts", "invoices", "payments", "refunds", "other_items_to_saasu"]
    for flow in (*chain, "stock_from_saasu"):
        assert parents(flow, "export") == {f"{NAME}/{flow}/plan"}
    for before, after in itertools.pairwise(chain):
        assert f"{NAME}/{before}/export" in parents(after, "plan")
    # What an earlier plan of the chain reads is upstream already, and draws no second edge.
    assert {f"{STORE}/products", f"{STORE}/orders", f"{FILE}/items"} <= parents("items_to_saasu", "plan")
    assert f"{STORE}/customers" in parents("contacts", "plan")
    assert f"{FILE}/invoices" in parents("invoices", "plan")
    assert f"{STORE}/orders" not in parents("invoices", "plan")
    others = {key for key in parents("stock_from_saasu", "plan") if key.startswith(NAME)}
    assert others == set(), "what stops the file must not stop the stock of the store"
    assert parents("readback") == {f"{NAME}/other_items_to_saasu/export", f"{NAME}/stock_from_saasu/export"}
    assert parents("reconciliation") == {f"{NAME}/readback"}
    assert {f"{STORE}/orders", f"{FILE}/contacts"} <= parents("pairing")


def test_all_daily_assets_of_a_shop_share_one_definition_up_to_today(tmp_path: Path) -> None:
    defs = definitions(shop_configuration(tmp_path), FakeShop())
    found = {
        id(asset.partitions_def): asset.partitions_def
        for asset in defs.assets or []
        if isinstance(asset, dg.AssetsDefinition)
        and asset.key.path[0] in (NAME, STORE, FILE)
        and asset.partitions_def is not None
    }
    (only,) = found.values()
    assert isinstance(only, dg.DailyPartitionsDefinition)
    assert (only.timezone, only.end_offset) == ("Australia/Sydney", 1)
    policies = {
        asset.backfill_policy
        for asset in defs.assets or []
        if isinstance(asset, dg.AssetsDefinition) and asset.partitions_def is only
    }
    assert policies == {dg.BackfillPolicy.single_run()}


def test_writers_have_a_pool_each_and_nothing_is_retried_by_dagster(tmp_path: Path) -> None:
    defs = definitions(shop_configuration(tmp_path), FakeShop())
    pools = {}
    for asset in defs.assets or []:
        assert isinstance(asset, dg.AssetsDefinition)
        assert asset.op.retry_policy is None
        if asset.key.path[0] == NAME and asset.key.path[-1] == "export":
            pools[asset.key.path[1]] = asset.op.pool
    assert pools.pop("stock_from_saasu") == "shop_writes"
    assert set(pools.values()) == {"saasu_writes"}


def test_a_flow_that_is_off_is_not_there(tmp_path: Path) -> None:
    loaded = shop_configuration(
        tmp_path, **{"      refunds:\n        enabled: true": "      refunds:\n        enabled: false"}
    )
    defs = definitions(loaded, FakeShop())
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert f"{NAME}/payments/export" in keys
    assert f"{NAME}/refunds/export" not in keys
    assert f"{NAME}_refunds" not in {job.name for job in defs.get_repository_def().get_all_jobs()}


def test_a_sync_reads_what_the_service_itself_would_read(tmp_path: Path) -> None:
    from ledger_pipelines.integrations.neto_saasu.needs import neto_entities, saasu_entities  # noqa: PLC0415

    for text in (
        {},
        {"inventory_from_saasu": {"enabled": True, "warehouse": "Main"}},
        {"payments": {"overpayment": "journal", "overpayment_account": "Deposits"}},
        {"customers_to_saasu": {"company": False}},
    ):
        settings = NetoSaasuSettings.model_validate(text)
        integration = shop_configuration(tmp_path).config.integration(NAME)
        chain = neto_saasu.chain(integration.model_copy(update={"settings": settings}))
        found = together(chain.reads[flow] for flow in chain.flows)
        assert found.source == set(neto_entities(settings)), text
        assert found.target == set(saasu_entities(settings)), text


def test_every_check_of_the_reconciliation_is_declared() -> None:
    assert tuple(neto_saasu.CHECKS) == CHECKS


# --- three days with a hole in the middle -------------------------------------------------------------------------------


def test_three_days_with_a_hole_are_one_run_and_each_day_has_its_own_numbers(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop, readings = FakeShop(orders=ORDERS), FakeReadings(RECORDS)
    defs = definitions(shop_configuration(tmp_path), shop, readings)
    result = run(defs, instance, D1, D3)
    assert result.success, said(result)

    def rows(*path: str, name: str) -> list[object]:
        told = shown(instance, *path)
        assert sorted(told) == [day.isoformat() for day in (D1, D2, D3)]
        return [told[day][name] for day in sorted(told)]

    assert rows(STORE, "orders", name="rows") == [2, 0, 1]
    assert rows(FILE, "invoices", name="rows") == [0, 0, 1]
    assert rows(NAME, "invoices", "plan", name="rows") == [2, 0, 1]
    assert rows(NAME, "invoices", "export", name="written") == [2, 0, 1]
    assert rows(NAME, "reconciliation", name="orders") == [2, 0, 1]
    assert rows(NAME, "reconciliation", name="taken") == ["220.00 AUD", "0.00 AUD", "110.00 AUD"]
    assert rows(NAME, "reconciliation", name="difference") == ["0.00 AUD"] * 3
    assert readings.entities_asked().count(f"{STORE}/orders") == 1
    assert all(check.passed for check in checks(result).values())


def test_flows_run_in_order_and_each_plans_after_the_one_before_has_written(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders=ORDERS)
    run(definitions(shop_configuration(tmp_path), shop), instance, D1, D1)
    order = [(what, flow) for what, flow, _ in shop.done if flow != "stock_from_saasu"]
    flows = ["items_to_saasu", "contacts", "invoices", "payments", "refunds", "other_items_to_saasu"]
    assert order == [(what, flow) for flow in flows for what in ("plan", "export")]


def test_running_it_again_and_backwards_writes_nothing_new(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders=ORDERS)
    defs = definitions(shop_configuration(tmp_path), shop)
    assert run(defs, instance, D1, D3).success
    written = dict(shop.written)
    for day in (D3, D2, D1):
        assert run(defs, instance, day, day).success
    assert shop.written == written
    assert shown(instance, NAME, "invoices", "export")[D1.isoformat()]["written"] == 0


def test_a_row_that_needs_a_person_is_shown_and_stops_nothing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders={D1: ["N1", "B2"], D3: ["N3"]})
    result = run(definitions(shop_configuration(tmp_path), shop), instance, D1, D3)
    assert result.success, said(result)
    found = checks(result)
    for name in ("invoices/plan:nothing_blocked", "invoices/export:nothing_open"):
        check = found[f"{NAME}/{name}"]
        assert not check.passed
        assert check.severity is dg.AssetCheckSeverity.WARN
        table = str(check.metadata["open_items"].value)
        assert "2025-03-10" in table
        assert "Order B2 has an unknown SKU." in table
        assert "Make the item." in table
    plan = shown(instance, NAME, "invoices", "plan")[D1.isoformat()]
    assert plan["blocked"] == 1
    assert "unknown-sku" in str(plan["top_reasons"])
    assert "110.00 AUD" in str(plan["totals"])
    assert "B2" in Path(str(plan["csv"])).read_text(encoding="utf-8-sig")
    export = shown(instance, NAME, "invoices", "export")[D1.isoformat()]
    assert (export["written"], export["blocked"], export["mode"]) == (1, 1, "live")
    assert "110.00 AUD" in str(export["totals"])
    assert "unknown-sku" in str(export["top_reasons"])


def test_calls_spent_and_left_and_the_page_are_on_the_newest_day(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders=ORDERS)
    run(definitions(shop_configuration(tmp_path), shop), instance, D1, D3)
    newest = shown(instance, NAME, "other_items_to_saasu", "export")[D3.isoformat()]
    assert newest["calls_spent_today"] == shop.sends
    assert newest["calls_left_today"] == 4000 - shop.sends
    page = shown(instance, NAME, "reconciliation")[D3.isoformat()]
    assert page["page"] == "/reports/2025-03-10_2025-03-12.html"
    assert page["summary"] == "All 3 days agree."


def test_money_that_was_not_received_is_an_error_and_its_days_are_listed(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders={D1: ["N1"], D3: ["B3"]})
    result = run(definitions(shop_configuration(tmp_path), shop), instance, D1, D3)
    check = checks(result)[f"{NAME}/reconciliation:paid_in_store_is_received"]
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    figures = str(shown(instance, NAME, "reconciliation")[D3.isoformat()]["figures"])
    assert "2025-03-12" in figures
    assert "2025-03-10" not in figures


def test_what_was_written_is_read_back_before_it_is_reconciled_and_only_then(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    today = datetime.now(ZoneInfo("Australia/Sydney")).date()
    shop, readings = FakeShop(orders={today: ["N1"]}), FakeReadings()
    defs = definitions(shop_configuration(tmp_path), shop, readings)
    assert run(defs, instance, today, today).success
    assert readings.entities_asked()[-3:] == [f"{FILE}/invoices", f"{FILE}/payments", f"{FILE}/journals"]
    assert readings.entities_asked().count(f"{FILE}/invoices") == 2
    assert shown(instance, NAME, "readback")[today.isoformat()]["api_calls"] != 0
    shop.sends = 0
    readings.asked.clear()
    assert run(defs, instance, today, today).success
    assert readings.entities_asked().count(f"{FILE}/invoices") == 1, "nothing was sent"


def test_a_back_fill_of_long_ago_does_not_read_everything_since(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop, readings = FakeShop(orders=ORDERS), FakeReadings(RECORDS)
    assert run(definitions(shop_configuration(tmp_path), shop, readings), instance, D1, D3).success
    assert readings.entities_asked().count(f"{FILE}/invoices") == 1


# --- failures in the middle ---------------------------------------------------------------------------------------------


def test_a_year_is_one_run_and_goes_on_where_it_failed(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    year = [START + timedelta(days=n) for n in range(365)]
    shop = FakeShop(orders={day: [f"N{n}"] for n, day in enumerate(year)})
    bad = year[200]
    shop.broken = {("invoices", bad)}
    defs = definitions(shop_configuration(tmp_path), shop)
    job, export = f"{NAME}_invoices", _key("invoices", "export")
    failed = run(defs, instance, year[0], year[-1], job=job)
    assert not failed.success
    assert said(failed) == f"{bad}: Saasu went away. Run it again later."
    assert len(instance.get_materialized_partitions(_key("invoices", "plan"))) == 365
    assert len(instance.get_materialized_partitions(export)) == 200
    shop.broken, shop.done = set(), []
    lineage = {"dagster/parent_run_id": failed.run_id, "dagster/root_run_id": failed.run_id}
    again = run(defs, instance, year[0], year[-1], job=job, keys=[export], tags=lineage)
    assert again.success, said(again)
    assert _exports(shop, "invoices") == year[200:]
    told = shown(instance, *export.path)
    assert len(told) == 365
    assert {told[day.isoformat()]["written"] for day in year} == {1}
    assert len(shop.written) == 365


def test_days_that_may_share_calls_are_exported_together_and_told_day_by_day(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders=ORDERS, together=frozenset({"invoices"}))
    defs = definitions(shop_configuration(tmp_path), shop)
    assert run(defs, instance, D1, D3, job=f"{NAME}_invoices").success
    together = [day for what, flow, day in shop.done if (what, flow) == ("together", "invoices")]
    assert together == _exports(shop, "invoices") == [D1, D2, D3]
    assert sorted(shown(instance, *_key("invoices", "export").path)) == [
        day.isoformat() for day in (D1, D2, D3)
    ]


def test_days_of_which_one_plan_is_stale_are_exported_one_by_one(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders=ORDERS, together=frozenset({"invoices"}))
    defs, job = definitions(shop_configuration(tmp_path), shop), f"{NAME}_invoices"
    assert run(defs, instance, D1, D3, job=job, keys=[_key("invoices", "plan")]).success
    shop.stale = {("invoices", D3)}
    failed = run(defs, instance, D1, D3, job=job, keys=[_key("invoices", "export")])
    assert not failed.success
    assert ("together", "invoices", D1) in shop.done
    assert _exports(shop, "invoices") == [D1, D2]


def test_days_that_still_had_something_open_get_a_second_look(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders={D1: ["B1"], D2: ["N2"], D3: ["N3"]}, broken={("invoices", D3)})
    defs = definitions(shop_configuration(tmp_path), shop)
    failed = run(defs, instance, D1, D3, job=f"{NAME}_invoices")
    shop.broken, shop.done = set(), []
    lineage = {"dagster/parent_run_id": failed.run_id, "dagster/root_run_id": failed.run_id}
    keys = [_key("invoices", "export")]
    assert run(defs, instance, D1, D3, job=f"{NAME}_invoices", keys=keys, tags=lineage).success
    assert _exports(shop, "invoices") == [D1, D3]


def test_a_run_that_plans_anew_exports_every_day_anew(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    shop = FakeShop(orders=ORDERS, broken={("invoices", D3)})
    defs = definitions(shop_configuration(tmp_path), shop)
    failed = run(defs, instance, D1, D3, job=f"{NAME}_invoices")
    shop.broken, shop.done = set(), []
    lineage = {"dagster/parent_run_id": failed.run_id, "dagster/root_run_id": failed.run_id}
    assert run(defs, instance, D1, D3, job=f"{NAME}_invoices", tags=lineage).success
    assert _plans(shop, "invoices") == _exports(shop, "invoices") == [D1, D2, D3]


def test_a_plan_that_cannot_be_made_keeps_the_days_before_it_and_its_export_is_not_reached(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders=ORDERS, unplannable={("invoices", D2)})
    result = run(definitions(shop_configuration(tmp_path), shop), instance, D1, D3)
    assert not result.success
    assert said(result).startswith("2025-03-11: Nothing was read of 2025-03-11.")
    assert instance.get_materialized_partitions(_key("invoices", "plan")) == {D1.isoformat()}
    assert not _exports(shop, "invoices")
    assert _exports(shop, "contacts") == _exports(shop, "stock_from_saasu") == [D1, D2, D3]


def test_a_snapshot_that_fails_stops_what_is_decided_from_it_and_nothing_else(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop, readings = FakeShop(orders=ORDERS), FakeReadings(RECORDS, failing={(STORE, "rmas")})
    result = run(definitions(shop_configuration(tmp_path), shop, readings), instance, D1, D3)
    assert not result.success
    assert said(result) == "rmas cannot be read. Ask them."
    assert _exports(shop, "payments") == [D1, D2, D3]
    assert not _plans(shop, "refunds")


def test_a_plan_of_this_run_that_an_earlier_day_made_stale_is_made_again(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(orders=ORDERS)
    defs = definitions(shop_configuration(tmp_path), shop)
    # Made stale when the export of the first day has written, as a payment of the same order would be.
    plain = shop.export

    def export(flow: str, day: date, progress: object = None, *, who: str = "") -> object:
        result = plain(flow, day, progress, who=who)
        if day == D1:
            shop.stale.add((flow, D3))
        return result

    shop.export = export  # type: ignore[method-assign,assignment]
    result = run(defs, instance, D1, D3, job=f"{NAME}_payments")
    assert result.success, said(result)
    assert _plans(shop, "payments") == [D1, D2, D3, D3]
    assert shown(instance, NAME, "payments", "export")[D3.isoformat()]["written"] == 1


def test_a_stale_plan_that_somebody_read_is_refused(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    shop = FakeShop(orders=ORDERS)
    defs = definitions(shop_configuration(tmp_path), shop)
    job = f"{NAME}_payments"
    assert run(defs, instance, D1, D1, job=job, keys=[_key("payments", "plan")]).success
    shop.stale = {("payments", D1)}
    result = run(defs, instance, D1, D1, job=job, keys=[_key("payments", "export")])
    assert not result.success
    assert "The plan of payments for 2025-03-10 is stale. Plan again." in said(result)
    assert not shop.written


# --- pairing and refusal ------------------------------------------------------------------------------------------------


def test_exports_refuse_until_the_initial_sync_was_done(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    shop = FakeShop(orders=ORDERS, paired=False)
    defs = definitions(shop_configuration(tmp_path), shop, FakeReadings(RECORDS))
    refused = run(defs, instance, D1, D3)
    assert not refused.success
    assert "The initial sync of shop and saasu was not done." in said(refused)
    assert "ledger-pipelines initial-sync neto_saasu" in said(refused)
    assert not [what for what, _, _ in shop.done if what == "export"]
    paired = run(defs, instance, START, D3, job=f"{NAME}_initial_sync")
    assert paired.success, said(paired)
    assert ("pair", "", START) in shop.done
    assert run(defs, instance, D1, D3).success


def test_the_initial_sync_reads_everything_from_the_first_day_and_exports_nothing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop, readings = FakeShop(orders=ORDERS, paired=False), FakeReadings(RECORDS)
    loaded = shop_configuration(tmp_path)
    defs = definitions(loaded, shop, readings)
    assert run(defs, instance, START, D3, job=f"{NAME}_initial_sync").success
    assert [what for what, _, _ in shop.done] == ["pair"]
    asked = {f"{connection}/{entity}": (start, end) for connection, entity, start, end in readings.asked}
    first = datetime(2024, 12, 31, 13, tzinfo=UTC)
    assert asked[f"{STORE}/orders"][0] == first - timedelta(days=90), "settings: initial_sync.days"
    assert asked[f"{STORE}/products"][0] < datetime(2000, 1, 1, tzinfo=UTC), "master data: all of them"
    assert SnapshotStore(loaded.config.data_dir, STORE).days("orders") == [
        START + timedelta(days=n) for n in range((D3 - START).days + 1)
    ]
    (event,) = instance.fetch_materializations(dg.AssetKey([NAME, "pairing"]), limit=5).records
    assert event.asset_materialization is not None
    told = {k: v.value for k, v in event.asset_materialization.metadata.items()}
    assert told["near_misses_count"] == 1
    assert "TEE-red" in str(told["near_misses"])
    assert "items paired" in str(told["counts"])
