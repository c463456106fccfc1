"""The flows as a data engineer presses them: assets of a day, by hand, on the shop and its books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import dagster as dg
import pytest

from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines_tests.dagster.shop_kit import checks, run, said
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import SYDNEY, set_clock, staff, writes
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


def test_a_contact_made_on_a_day_that_nobody_read_is_not_made_once_more(
    opened: Opened, instance: dg.DagsterInstance
) -> None:
    """The clock was paused; a clerk entered the customer; days later somebody ran today alone, and a second contact was made."""
    now = datetime.now(SYDNEY)
    begun, entered = (now - timedelta(days=back) for back in (3, 2))

    def at(instant: datetime) -> str:
        return instant.replace(tzinfo=None).isoformat()

    stage = opened(at=at(begun), start=begun.date().isoformat())
    stage.close_service()
    set_clock(stage.control, at(entered))
    person = {"GivenName": "Priya", "FamilyName": "Nair", "EmailAddress": "priya@example.com"}
    contact = stage.book("POST", "/Contact", person)["InsertedContactId"]
    set_clock(stage.control, at(now))
    order = stage.order(POT)
    stage.forget_calls()
    defs = build_definitions(stage.loaded)

    def press(first: date) -> dg.ExecuteInProcessResult:
        return run(defs, instance, first, now.date(), tags=REFRESH)

    refused = press(now.date())
    assert not refused.success
    assert f"the first of them {begun.date()}" in said(refused)
    assert f"Run all days from {begun.date()} to today" in said(refused)
    assert writes(stage) == {}

    written = press(begun.date())
    assert written.success, said(written)
    file = stage.file()
    (invoice,) = file.invoices(order)
    assert invoice["BillingContactId"] == contact
    assert [one["Id"] for one in file.records("contact") if one["EmailAddress"] == "priya@example.com"] == [
        contact
    ]
