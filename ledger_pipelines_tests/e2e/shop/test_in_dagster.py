"""The flows as a data engineer presses them: assets of a day, by hand, on the shop and its books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import dagster as dg
import pytest

from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines_tests.dagster.shop_kit import checks, run, said
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import SYDNEY, staff, writes
from ledger_pipelines_tests.shop_stage import NAME, Record

POT: Record = {"SKU": "POT-600", "Quantity": "1"}
REFRESH = {names.READING_TAG: names.REFRESH}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def test_an_order_edited_between_the_plan_and_the_export_is_not_written_as_it_was(
    opened: Opened, instance: dg.DagsterInstance
) -> None:
    """The plan was looked at, the order edited, the store read again; then somebody presses export on that day."""
    now = datetime.now(SYDNEY)
    stage = opened(at=now.replace(tzinfo=None).isoformat())
    order = stage.order(POT)
    stage.close_service()
    defs = build_definitions(stage.loaded)
    graph, integration = defs.resolve_asset_graph(), stage.loaded.config.integration(NAME)
    planned, exported = names.plan_key(NAME, "invoices"), names.export_key(NAME, "invoices")
    sides = {integration.source, integration.target}
    snapshots = [key for key in graph.get_all_asset_keys() if key.path[0] in sides]

    def press(*keys: dg.AssetKey, of: date | None = None) -> dg.ExecuteInProcessResult:
        day = of or now.date()
        return run(defs, instance, day, day, keys=keys, tags=REFRESH)

    contacts = (names.plan_key(NAME, "contacts"), names.export_key(NAME, "contacts"))
    looked_at = press(*snapshots, *contacts, planned)
    assert looked_at.success, said(looked_at)
    staff(stage, "/edit", {"OrderID": order, "OrderLine": [POT | {"Quantity": "2"}]})
    assert press(*snapshots).success
    stage.forget_calls()

    refused = press(exported)
    assert not refused.success
    for words in (order, "is stale", "59.90", "109.85"):
        assert words in said(refused)
    assert writes(stage) == {} and stage.file().invoices() == []
    assert exported not in {event.asset_key for event in refused.get_asset_materialization_events()}

    written = press(planned, exported)
    assert written.success, said(written)
    assert [one["TotalAmount"] for one in stage.file().invoices(order)] == ["109.85"]
    assert checks(written)[f"{exported.to_user_string()}:nothing_open"].passed
