"""What a shop's schedule and its resume sensor ask for; how little a frequent run reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.integrations.neto_saasu.service import build_service
from ledger_pipelines.integrations.open_items import Unfinished
from ledger_pipelines.orchestration import names
from ledger_pipelines.orchestration.schedules import RANGE_END, RANGE_START
from ledger_pipelines.orchestration.shop_schedule import MOST_RANGES
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import arrow_schema
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines_tests.dagster.kit import load
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

NOON = datetime(2025, 3, 20, 1, tzinfo=UTC)
"""In Sydney."""
TODAY = date(2025, 3, 20)
REFRESH = {names.READING_TAG: names.REFRESH}
SYNC = f"{NAME}_sync"
ENDED_WELL = dg.DagsterRunStatus.SUCCESS
READ_NEW = {"ledger__reading": names.REFRESH}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def kept() -> Iterator[dg.DagsterInstance]:
    """Of files, as a schedule's tick asks for; slow to run in."""
    with dg.DagsterInstance.local_temp() as made:
        yield made


class _Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return NOON

    def sleep(self, seconds: float) -> None:
        """Never waits."""
        raise AssertionError(seconds)


def _tick(
    defs: dg.Definitions, instance: dg.DagsterInstance, at: datetime = NOON
) -> tuple[list[dg.RunRequest], str]:
    schedule = defs.get_repository_def().get_schedule_def(f"{NAME}_by_clock")
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    found = schedule.evaluate_tick(context)
    return list(found.run_requests or []), found.skip_message or ""


def _span(request: dg.RunRequest) -> tuple[str, str]:
    return request.tags[RANGE_START], request.tags[RANGE_END]


def _made_run(
    instance: dg.DagsterInstance,
    defs: dg.Definitions,
    status: dg.DagsterRunStatus,
    first: date,
    last: date,
    **tags: str,
) -> dg.DagsterRun:
    wanted = {
        RANGE_START: first.isoformat(),
        RANGE_END: last.isoformat(),
        names.INTEGRATION_TAG: NAME,
        **{key.replace("__", "/"): value for key, value in tags.items()},
    }
    return instance.create_run_for_job(defs.resolve_job_def(SYNC), status=status, tags=wanted)


# --- the schedule -------------------------------------------------------------------------------------------------------


def test_the_schedule_runs_because_the_file_asks_for_it_in_the_zone_of_the_shop(tmp_path: Path) -> None:
    schedule = (
        definitions(shop_configuration(tmp_path), FakeShop())
        .get_repository_def()
        .get_schedule_def(f"{NAME}_by_clock")
    )
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert schedule.execution_timezone == "Australia/Sydney"
    assert schedule.cron_schedule == "*/30 * * * *"
    assert schedule.job_name == SYNC


def test_without_a_schedule_in_the_file_there_is_none(tmp_path: Path) -> None:
    loaded = shop_configuration(tmp_path, **{'    schedule: "*/30 * * * *"\n': ""})
    found = {one.name for one in definitions(loaded, FakeShop()).get_repository_def().schedule_defs}
    assert f"{NAME}_by_clock" not in found
    assert f"{STORE}_nightly" in found


def test_the_first_tick_asks_for_everything_from_the_first_day_to_today(
    tmp_path: Path, kept: dg.DagsterInstance
) -> None:
    (asked,), _ = _tick(definitions(shop_configuration(tmp_path), FakeShop()), kept)
    assert _span(asked) == (START.isoformat(), TODAY.isoformat())
    assert asked.tags[names.READING_TAG] == names.REFRESH
    assert asked.asset_selection is None


def test_a_tick_begins_on_the_day_of_the_last_run_that_ended_well(
    tmp_path: Path, kept: dg.DagsterInstance
) -> None:
    defs = definitions(shop_configuration(tmp_path), FakeShop())
    last = date(2025, 3, 18)
    _made_run(kept, defs, ENDED_WELL, last, last, **READ_NEW)
    _made_run(kept, defs, ENDED_WELL, START, START)  # what a person reads again is no mark of how far it got
    _made_run(kept, defs, dg.DagsterRunStatus.FAILURE, last, TODAY, **READ_NEW)
    (asked,), _ = _tick(defs, kept)
    assert _span(asked) == ("2025-03-18", "2025-03-20")


def test_a_tick_goes_back_to_days_that_a_run_of_the_last_ones_stepped_over(
    tmp_path: Path, kept: dg.DagsterInstance
) -> None:
    """The clock had been paused; somebody ran the last days by hand, and it went on after them: those before were never asked for."""
    hole = date(2025, 3, 8)
    shop = FakeShop(due=[date(2025, 2, 3)], unread={(FILE, "invoices"): hole, (STORE, "nobody_reads"): START})
    defs = definitions(shop_configuration(tmp_path), shop)
    _made_run(kept, defs, ENDED_WELL, date(2025, 3, 17), TODAY, **READ_NEW)
    (asked,), _ = _tick(defs, kept)
    assert _span(asked) == (hole.isoformat(), TODAY.isoformat())
    assert asked.tags[names.READING_TAG] == names.REFRESH
    shop.unread = {}
    assert [_span(one) for one in _tick(defs, kept)[0]] == [
        (TODAY.isoformat(), TODAY.isoformat()),
        ("2025-02-03", "2025-02-03"),
    ]


def test_a_run_after_days_that_were_stepped_over_is_not_all_green(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    _, today = _now()
    hole = today - timedelta(days=8)
    shop = FakeShop(unread={(FILE, "invoices"): hole})
    defs = definitions(shop_configuration(tmp_path), shop)
    check = checks(run(defs, instance, today, today, tags=REFRESH))[
        f"{NAME}/reconciliation:every_day_was_read"
    ]
    assert not check.passed
    assert f"of {hole.isoformat()}" in str(check.description)
    assert f"or `ledger-pipelines run {NAME}`" in str(check.description)
    shop.unread = {}
    assert all(one.passed for one in checks(run(defs, instance, today, today, tags=REFRESH)).values())


def test_an_export_over_days_that_were_stepped_over_writes_nothing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """Somebody pressed a run of today after a weekend: a contact that staff had made on Saturday was made once more."""
    _, today = _now()
    shop = FakeShop(orders={today: ["1001"]}, stepped_over=frozenset({(FILE, "contacts")}))
    defs = definitions(shop_configuration(tmp_path), shop)
    refused = run(defs, instance, today, today, tags=REFRESH)
    assert not refused.success and "Days were stepped over" in said(refused)
    assert ("export", "contacts", today) not in shop.done
    shop.stepped_over = frozenset({(FILE, "nobody_reads")})
    assert run(defs, instance, today, today, tags=REFRESH).success
    assert ("export", "contacts", today) in shop.done


def test_a_plan_only_integration_shows_what_it_would_do_over_days_that_were_stepped_over(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    _, today = _now()
    shop = FakeShop(orders={today: ["1001"]}, stepped_over=frozenset({(FILE, "contacts")}))
    defs = definitions(shop_configuration(tmp_path, **{"mode: live": "mode: plan"}), shop)
    assert run(defs, instance, today, today, tags=REFRESH).success


def test_the_first_day_that_was_never_read_is_of_the_lists_that_a_run_reads(tmp_path: Path) -> None:
    loaded = shop_configuration(tmp_path)
    store, zone = SnapshotStore(loaded.config.data_dir, STORE), ZoneInfo("Australia/Sydney")
    for place in range((TODAY - START).days):  # not today: nothing was read since midnight
        day = START + timedelta(days=place)
        store.write_day(
            "orders", day, arrow_schema(NETO["orders"]).empty_table(), window=Window(day, day, zone),
            basis="", run_id="",
        )  # fmt: skip
    orders = {(STORE, "orders"), (STORE, "warehouses")}
    with closing(build_service(loaded, NAME, clock=_Noon())) as service:
        assert service.first_unread(orders) is None
        assert service.first_unread({*orders, (STORE, "customers")}) == START
        for beside in store.path("orders", date(2025, 3, 8)).parent.iterdir():
            beside.unlink()
        assert service.first_unread(orders) == date(2025, 3, 8)


def test_days_are_those_of_the_shop_not_of_utc(tmp_path: Path, kept: dg.DagsterInstance) -> None:
    defs = definitions(shop_configuration(tmp_path), FakeShop())
    (asked,), _ = _tick(defs, kept, datetime(2025, 3, 19, 13, 30, tzinfo=UTC))
    assert _span(asked)[1] == "2025-03-20", "half past midnight in Sydney"


def test_nothing_is_asked_for_while_the_runs_before_are_under_way(
    tmp_path: Path, kept: dg.DagsterInstance
) -> None:
    defs = definitions(shop_configuration(tmp_path), FakeShop())
    queued = _made_run(kept, defs, dg.DagsterRunStatus.NOT_STARTED, TODAY, TODAY, ledger__reason="schedule")
    asked, message = _tick(defs, kept)
    assert asked == []
    assert "still under way" in message
    kept.report_run_canceled(queued)
    assert len(_tick(defs, kept)[0]) == 1


def test_before_the_initial_sync_a_tick_says_what_to_do_and_asks_for_nothing(
    tmp_path: Path, kept: dg.DagsterInstance
) -> None:
    asked, message = _tick(definitions(shop_configuration(tmp_path), FakeShop(paired=False)), kept)
    assert asked == []
    assert "The initial sync of shop and saasu was not done." in message
    assert "ledger-pipelines initial-sync neto_saasu" in message


def test_days_with_something_open_are_tried_again_without_reading_anything(
    tmp_path: Path, kept: dg.DagsterInstance
) -> None:
    shop = FakeShop(due=[date(2025, 2, 3), date(2025, 2, 6), date(2025, 1, 10), TODAY])
    defs = definitions(shop_configuration(tmp_path), shop)
    _made_run(kept, defs, ENDED_WELL, TODAY, TODAY, **READ_NEW)
    (new, *again), _ = _tick(defs, kept)
    assert _span(new) == (TODAY.isoformat(), TODAY.isoformat())
    assert sorted(map(_span, again)) == [("2025-01-10", "2025-01-10"), ("2025-02-03", "2025-02-06")]
    for request in again:
        assert names.READING_TAG not in request.tags
        assert request.asset_selection is not None
        assert {key.path[0] for key in request.asset_selection} == {NAME}  # type: ignore[union-attr]  # they are keys
        assert dg.AssetKey([NAME, "invoices", "plan"]) in request.asset_selection


def test_of_many_open_days_each_gets_its_turn(tmp_path: Path, kept: dg.DagsterInstance) -> None:
    shop = FakeShop(due=[START + timedelta(days=10 * n) for n in range(7)])
    defs = definitions(shop_configuration(tmp_path), shop)
    _made_run(kept, defs, ENDED_WELL, TODAY, TODAY, **READ_NEW)
    seen: set[tuple[str, str]] = set()
    for tick in range(40):
        _, *again = _tick(defs, kept, NOON + timedelta(minutes=30 * tick))[0]
        assert len(again) == MOST_RANGES
        seen |= set(map(_span, again))
    assert len(seen) == 7


def test_the_nightly_of_a_shop_reads_only_what_changed(tmp_path: Path, kept: dg.DagsterInstance) -> None:
    schedule = (
        definitions(shop_configuration(tmp_path), FakeShop())
        .get_repository_def()
        .get_schedule_def(f"{STORE}_nightly")
    )
    context = dg.build_schedule_context(instance=kept, scheduled_execution_time=NOON)
    (asked,) = schedule.evaluate_tick(context).run_requests or []
    assert asked.tags[names.READING_TAG] == names.REFRESH
    assert _span(asked) == ("2025-03-18", "2025-03-19")


# --- how little is read -------------------------------------------------------------------------------------------------


def _now() -> tuple[datetime, date]:
    now = datetime.now(UTC)
    return now, now.astimezone(ZoneInfo("Australia/Sydney")).date()


def test_a_run_with_nothing_new_asks_each_list_of_changes_once_and_no_whole_list(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    _, today = _now()
    readings, shop = FakeReadings(), FakeShop()
    defs = definitions(shop_configuration(tmp_path), shop, readings)
    yesterday = today - timedelta(days=1)
    assert run(defs, instance, yesterday, today, tags=REFRESH).success
    first = readings.entities_asked()
    assert f"{FILE}/accounts" in first
    readings.asked.clear()
    began = datetime.now(UTC)
    again = run(defs, instance, today, today, tags=REFRESH)
    assert again.success, said(again)
    entities = {
        **{f"{STORE}/{n}": e for n, e in NETO.items()},
        **{f"{FILE}/{n}": e for n, e in SAASU.items()},
    }
    assert sorted(readings.entities_asked()) == sorted(n for n in first if entities[n].changed_column)
    starts = [start for _, name, start, _ in readings.asked if name == "orders"]
    midnight = datetime.combine(today, datetime.min.time(), ZoneInfo("Australia/Sydney"))
    assert starts[0] >= max(midnight, began - timedelta(minutes=20))
    assert all(check.passed for check in checks(again).values())
    assert "not read again yet" in str(checks(again)[f"{FILE}/accounts:newest_day"].description)
    assert shown(instance, FILE, "accounts")[today.isoformat()]["rows"] == 2


def test_what_changed_since_is_added_to_the_day_and_what_is_there_stays(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    now, today = _now()
    midnight = datetime.combine(today, datetime.min.time(), ZoneInfo("Australia/Sydney")).astimezone(UTC)
    readings = FakeReadings([(STORE, "orders", "N1", midnight)])
    defs = definitions(shop_configuration(tmp_path), FakeShop(), readings)
    assert run(defs, instance, today, today, tags=REFRESH).success
    readings.records = [(STORE, "orders", "N2", max(now - timedelta(minutes=1), midnight))]
    assert run(defs, instance, today, today, tags=REFRESH).success
    assert shown(instance, STORE, "orders")[today.isoformat()]["rows"] == 2
    assert run(defs, instance, today, today).success, "read whole, the day is what the store says now"
    assert shown(instance, STORE, "orders")[today.isoformat()]["rows"] == 1


def test_stock_is_read_again_as_often_as_the_settings_say(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    _, today = _now()
    readings = FakeReadings()
    loaded = shop_configuration(
        tmp_path,
        **{
            "        warehouse: Main warehouse": "        warehouse: Main warehouse\n        every_minutes: 0"
        },
    )
    defs = definitions(loaded, FakeShop(), readings)
    for _ in range(2):
        assert run(defs, instance, today, today, tags=REFRESH).success
    assert readings.entities_asked().count(f"{FILE}/stock") == 2
    assert readings.entities_asked().count(f"{FILE}/accounts") == 1


def test_a_day_that_is_long_over_has_no_lists_and_does_not_count_as_a_reading_of_them(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    _, today = _now()
    readings = FakeReadings()
    defs = definitions(shop_configuration(tmp_path), FakeShop(), readings)
    long_ago = today - timedelta(days=30)
    assert run(defs, instance, long_ago, long_ago).success
    assert f"{FILE}/accounts" not in readings.entities_asked()
    assert run(defs, instance, today, today, tags=REFRESH).success
    assert f"{FILE}/accounts" in readings.entities_asked()


def test_a_file_that_begins_later_than_the_store_takes_nobody_down_and_is_not_read_before(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    later = "books_time_zone: Australia/Sydney\n    start_date: 2025-02-01\n\n  omni:"
    loaded = shop_configuration(
        tmp_path,
        **{"books_time_zone: Australia/Sydney\n    start_date: 2025-01-01\n\n  omni:": later},
    )
    readings = FakeReadings()
    defs = definitions(loaded, FakeShop(), readings)
    dg.Definitions.validate_loadable(defs)
    result = run(defs, instance, date(2025, 1, 31), date(2025, 2, 2))
    assert result.success, said(result)
    assert SnapshotStore(loaded.config.data_dir, STORE).days("orders")[0] == date(2025, 1, 31)
    assert SnapshotStore(loaded.config.data_dir, FILE).days("invoices")[0] == date(2025, 2, 1)
    readings.asked.clear()
    assert run(defs, instance, date(2025, 1, 5), date(2025, 1, 6)).success
    assert {connection for connection, _, _, _ in readings.asked} == {STORE}


def test_days_before_the_integration_date_are_passed_over(
    tmp_path: Path, instance: dg.DagsterInstance, kept: dg.DagsterInstance
) -> None:
    loaded = shop_configuration(
        tmp_path, **{"    kind: neto_saasu\n": "    kind: neto_saasu\n    start_date: 2025-01-03\n"}
    )
    days = [date(2025, 1, day) for day in (1, 2, 3)]
    shop = FakeShop(orders={day: [f"N{day.day}"] for day in days})
    defs = definitions(loaded, shop)
    dg.Definitions.validate_loadable(defs)
    result = run(defs, instance, days[0], days[-1])
    assert result.success, said(result)
    assert {day for _, _, day in shop.done} == {days[-1]}
    assert "Before the first day" in str(shown(instance, NAME, "invoices", "plan")["2025-01-02"]["notes"])
    (asked,), _ = _tick(defs, kept)
    assert _span(asked)[0] == "2025-01-03"


def test_stores_of_one_file_have_the_same_days(tmp_path: Path) -> None:
    text = shop_configuration(tmp_path).path.read_text()
    begin, end = text.index("  shop:"), text.index("  saasu:\n")
    second = text[begin:end].replace("  shop:", "  shop_two:").replace("2025-01-01", "2024-06-01")
    text = text[:end] + second + text[end:]
    begin = text.index("  neto_saasu:\n")
    copy = text[begin:].replace("  neto_saasu:\n", "  two:\n").replace("source: shop\n", "source: shop_two\n")
    (tmp_path / "ledger.yaml").write_text(f"{text}\n{copy}")
    defs = definitions(load(tmp_path / "ledger.yaml"), FakeShop())
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    days = {
        str(graph.get(dg.AssetKey(path)).partitions_def)
        for path in (
            ["shop", "orders"],
            ["shop_two", "orders"],
            ["saasu", "invoices"],
            ["two", "invoices", "plan"],
        )
    }
    assert len(days) == 1
    assert "2024-06-01" in days.pop()


# --- the resume sensor --------------------------------------------------------------------------------------------------


def _resume(defs: dg.Definitions, instance: dg.DagsterInstance) -> tuple[list[dg.RunRequest], str]:
    repository = defs.get_repository_def()
    sensor = repository.get_sensor_def(f"{NAME}_resume")
    result = sensor(dg.build_sensor_context(instance=instance, repository_def=repository))
    assert isinstance(result, dg.SensorResult)
    reason = result.skip_reason
    message = reason.skip_message or "" if isinstance(reason, dg.SkipReason) else str(reason)
    return list(result.run_requests or []), message


def _open(day: date, resolvable: datetime) -> Unfinished:
    return Unfinished(day.isoformat(), 2, resolvable)


def test_days_with_unfinished_writes_are_run_again_once_they_can_be_settled(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=5)
    shop = FakeShop(open=[_open(date(2025, 3, 10), past), _open(date(2025, 3, 11), past)])
    defs = definitions(shop_configuration(tmp_path), shop)
    (asked,), _ = _resume(defs, instance)
    assert _span(asked) == ("2025-03-10", "2025-03-11")
    assert asked.tags[names.REASON_TAG] == "resume"
    assert {key.path[0] for key in asked.asset_selection or []} == {NAME}  # type: ignore[union-attr]  # they are keys
    shop.open = [_open(date(2025, 3, 10), datetime.now(UTC) + timedelta(minutes=5))]
    asked_none, message = _resume(defs, instance)
    assert asked_none == []
    assert "2 writes can be settled after" in message


def test_while_a_run_is_under_way_nothing_is_resumed(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    shop = FakeShop(open=[_open(TODAY, datetime.now(UTC) - timedelta(minutes=5))])
    defs = definitions(shop_configuration(tmp_path), shop)
    _made_run(instance, defs, dg.DagsterRunStatus.STARTED, START, START)
    assert _resume(defs, instance) == ([], "A run is under way.")


def test_a_run_that_died_is_asked_for_again_over_its_days_after_a_while(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    defs = definitions(shop_configuration(tmp_path), FakeShop())
    dead = _made_run(instance, defs, dg.DagsterRunStatus.STARTED, START, TODAY, ledger__reading="refresh")
    instance.report_run_failed(dead, "The machine went away.")
    asked, message = _resume(defs, instance)
    assert asked == []
    assert "is tried again after" in message
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger_pipelines.orchestration.sensors.resume.FIRST_WAIT", timedelta())
        (request,), _ = _resume(defs, instance)
    assert _span(request) == (START.isoformat(), TODAY.isoformat())
    assert request.tags[names.READING_TAG] == names.REFRESH


def test_what_a_person_cancelled_stays_cancelled(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    shop = FakeShop(open=[_open(TODAY, datetime.now(UTC) - timedelta(minutes=5))])
    defs = definitions(shop_configuration(tmp_path), shop)
    stopped = _made_run(instance, defs, dg.DagsterRunStatus.STARTED, START, TODAY)
    instance.report_run_canceled(stopped)
    asked, message = _resume(defs, instance)
    assert asked == []
    assert "cancelled by a person" in message


def test_a_run_that_failed_with_a_reason_waits_for_a_person_or_the_clock(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    shop = FakeShop(broken={("invoices", TODAY)})
    defs = definitions(shop_configuration(tmp_path), shop)
    assert not run(defs, instance, TODAY, TODAY).success
    assert _resume(defs, instance) == ([], "Nothing is unfinished.")
