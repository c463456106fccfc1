"""A settlement through the whole chain against the sandbox's real books; the verdict is read from the books."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import dagster as dg
import httpx
import pytest

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.dagster import kit

SID = "26000000001"
JOB = "amazon_netsuite_settlement"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LoadedConfig, RunningSandbox]]:
    with kit.on_sandbox(tmp_path, monkeypatch) as both:
        loaded, _ = both
        drop = Path(loaded.config.amazon("amazon_us").drop.path)  # type: ignore[union-attr]  # the shipped one has one
        assert Arrivals.of(loaded, "amazon_us").receive(kit.demo_file(drop)).accepted
        yield both


def _run(
    defs: dg.Definitions, instance: dg.DagsterInstance, keys: list[dg.AssetKey] | None = None
) -> dg.ExecuteInProcessResult:
    if SID not in instance.get_dynamic_partitions("amazon_us_settlements"):
        instance.add_dynamic_partitions("amazon_us_settlements", [SID])
    return defs.resolve_job_def(JOB).execute_in_process(
        instance=instance, partition_key=SID, raise_on_error=False, asset_selection=keys
    )


def _clearing(sandbox: RunningSandbox) -> Decimal:
    (account,) = [a for a in kit.trial_balance(sandbox)["accounts"] if a["number"] == "1051"]
    assert Decimal(account["debit"]) > 0
    return Decimal(account["balance"])


def _metadata(result: dg.ExecuteInProcessResult, *path: str) -> dict[str, object]:
    (event,) = [
        e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(list(path))
    ]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_settlement_runs_the_whole_way_and_the_clearing_account_is_zero(
    sandbox: tuple[LoadedConfig, RunningSandbox],
) -> None:
    loaded, books = sandbox
    with dg.DagsterInstance.ephemeral() as instance:
        result = _run(build_definitions(loaded), instance)
    assert result.success, kit.failures(result)
    assert _clearing(books) == 0
    checks = {
        (e.asset_key.to_user_string(), e.check_name): e.passed for e in result.get_asset_check_evaluations()
    }
    assert all(checks.values()), checks
    assert checks["amazon_netsuite/reconciliation", "clearing_is_zero"]
    figures = _metadata(result, "amazon_netsuite", "reconciliation")
    assert figures["deposit"] == figures["booked"] == "64.50 USD"
    assert figures["clearing"] == "0.00 USD"
    read = _metadata(result, "amazon_us", "settlements")
    assert len(str(read["waterfall"])) < 1000
    assert "Deposit" in str(read["waterfall"])
    assert read["amount"] == "64.50 USD"
    payments = _metadata(result, "amazon_netsuite", "payments", "export")
    assert payments["written"] == 2
    assert int(str(payments["api_calls"])) > 0
    plan = _metadata(result, "amazon_netsuite", "payments", "plan")
    assert "111-2600001-0000001" in str(plan["plan_rows"])
    text = Path(str(plan["csv"])).read_text(encoding="utf-8-sig")
    assert "105.00,USD" in text


def test_running_it_again_writes_nothing_to_the_ledger(sandbox: tuple[LoadedConfig, RunningSandbox]) -> None:
    loaded, books = sandbox
    defs = build_definitions(loaded)
    with dg.DagsterInstance.ephemeral() as instance:
        assert _run(defs, instance).success
        before, writes = kit.trial_balance(books), kit.writes(books)
        again = _run(defs, instance)
    assert again.success, kit.failures(again)
    assert kit.trial_balance(books) == before
    assert kit.writes(books) == writes
    for flow in ("payments", "refunds", "settlement_journal"):
        assert _metadata(again, "amazon_netsuite", flow, "export")["written"] == 0


def test_one_export_pressed_alone_is_refused_until_its_plan_is_there_and_then_safe(
    sandbox: tuple[LoadedConfig, RunningSandbox],
) -> None:
    loaded, books = sandbox
    defs = build_definitions(loaded)
    alone = [dg.AssetKey(["amazon_netsuite", "payments", "export"])]
    with dg.DagsterInstance.ephemeral() as instance:
        refused = _run(defs, instance, alone)
        assert not refused.success
        assert "There is no plan of payments" in str(_said(refused))
        assert kit.writes(books) == 0
        assert _run(defs, instance).success
        writes = kit.writes(books)
        _run(defs, instance, alone)
        assert kit.writes(books) == writes


def test_a_settlement_that_was_not_accepted_goes_nowhere(
    sandbox: tuple[LoadedConfig, RunningSandbox],
) -> None:
    loaded, books = sandbox
    defs = build_definitions(loaded)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("amazon_us_settlements", ["26999999999"])
        result = defs.resolve_job_def(JOB).execute_in_process(
            instance=instance, partition_key="26999999999", raise_on_error=False
        )
    assert not result.success
    assert "was not accepted" in str(_said(result))
    assert kit.writes(books) == 0


def test_a_missing_credential_fails_with_its_name_and_stops_nothing_else(
    sandbox: tuple[LoadedConfig, RunningSandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, _ = sandbox
    monkeypatch.delenv("LEDGER_NETSUITE_CLIENT_ID")
    with dg.DagsterInstance.ephemeral() as instance:
        result = _run(build_definitions(loaded), instance)
    done = {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}
    assert done == {"amazon_us/settlements"}
    assert "LEDGER_NETSUITE_CLIENT_ID is not set" in str(_said(result))


def test_a_refused_login_fails_once_with_words_and_no_secret(
    sandbox: tuple[LoadedConfig, RunningSandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, books = sandbox
    monkeypatch.setenv("LEDGER_NETSUITE_CLIENT_ID", "canary-of-a-wrong-client-id")
    with dg.DagsterInstance.local_temp() as instance:
        result = _run(build_definitions(loaded), instance)
        events = "".join(dg.serialize_value(e) for e in instance.all_logs(result.run_id))
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        config = str(run.run_config) + str(run.tags)
    assert not result.success
    assert kit.writes(books) == 0
    key = __import__("os").environ["LEDGER_NETSUITE_PRIVATE_KEY"]
    for secret in ("canary-of-a-wrong-client-id", key, key.splitlines()[1]):
        assert secret not in events
        assert secret not in config


def test_orders_that_are_not_in_the_books_wait_and_the_others_are_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kit.on_sandbox(tmp_path, monkeypatch) as (loaded, books):
        drop = Path(loaded.config.amazon("amazon_us").drop.path)  # type: ignore[union-attr]  # the shipped one has one
        file = kit.demo_file(drop)
        file.write_bytes(file.read_bytes().replace(b"111-2600001-0000002", b"111-2600001-9999999"))
        assert Arrivals.of(loaded, "amazon_us").receive(file).accepted
        with dg.DagsterInstance.ephemeral() as instance:
            result = _run(build_definitions(loaded), instance)
        assert result.success, kit.failures(result)
        exported = _metadata(result, "amazon_netsuite", "payments", "export")
        assert (exported["written"], exported["blocked"]) == (1, 1)
        assert "111-2600001-9999999" in str(exported["open_items"])
        checks = {
            (e.asset_key.to_user_string(), e.check_name): e for e in result.get_asset_check_evaluations()
        }
        open_check = checks["amazon_netsuite/payments/export", "nothing_open"]
        assert not open_check.passed
        assert open_check.severity is dg.AssetCheckSeverity.WARN
        assert not checks["amazon_netsuite/reconciliation", "nothing_left_open"].passed
        paid = httpx.get(f"{books.control_url}/dump/netsuite", trust_env=False).text
        assert "111-2600001-0000001" in paid


def test_mode_plan_writes_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with kit.on_sandbox(tmp_path, monkeypatch, **{"mode: live": "mode: plan"}) as (loaded, books):
        drop = Path(loaded.config.amazon("amazon_us").drop.path)  # type: ignore[union-attr]  # the shipped one has one
        assert Arrivals.of(loaded, "amazon_us").receive(kit.demo_file(drop)).accepted
        with dg.DagsterInstance.ephemeral() as instance:
            result = _run(build_definitions(loaded), instance)
        assert result.success, kit.failures(result)
        assert kit.writes(books) == 0
        assert _metadata(result, "amazon_netsuite", "payments", "export")["mode"] == "plan"


def _said(result: dg.ExecuteInProcessResult) -> list[str]:
    said = []
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.step_failure_data
            said.append(str(data.user_failure_data.description if data.user_failure_data else data.error))
    return said
