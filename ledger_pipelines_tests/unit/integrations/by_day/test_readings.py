"""One connection, two integrations: what one has read whole, the other need not read again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.errors import RefusedError
from ledger_pipelines.integrations.by_day.readings import Readings, Side
from ledger_pipelines.integrations.by_day.setup import DaySetup
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.entities import EntityLike, RecordEntity, columns

NOW = datetime(2026, 9, 3, 2, 0, tzinfo=UTC)
OPENING = date(2026, 9, 1)
ZONE = ZoneInfo("Australia/Sydney")
ORDERS = RecordEntity("orders", columns("id changed:instant"), ("id",), "changed")
METHODS = RecordEntity("methods", columns("id"), ("id",))
ENTITIES = {"orders": ORDERS, "methods": METHODS}


@dataclass
class Page:
    cells: list[tuple[object, ...]]


@dataclass
class Reader:
    """Has one order a day, the first long before the opening; tells since when it was asked."""

    asked: list[tuple[str, datetime]] = field(default_factory=list)

    def read_changes(self, entity: EntityLike, since: datetime, until: datetime) -> Iterator[Page]:
        self.asked.append((entity.name, since))
        if entity is METHODS:
            yield Page([("card", "{}")])
            return
        times = [datetime(2026, 8, 1, tzinfo=UTC), *(NOW - timedelta(days=n, hours=1) for n in (2, 1, 0))]
        yield Page([(f"{at:%m%d}", at, "{}") for at in times if since <= at < until])


def readings(folder: Path, integration: str, days: int, now: datetime = NOW) -> Readings:
    setup = DaySetup(integration, "shop", "books", Mode.LIVE, ZONE, folder, "sqlite://", OPENING)
    return Readings(setup, now, f"run-{integration}", timedelta(days=days), {})


def side(reader: Reader) -> Side:
    return Side("shop", lambda: reader, ENTITIES, OPENING, ("orders", "methods"))  # type: ignore[arg-type]


def sync(folder: Path, integration: str, days: int) -> list[tuple[str, datetime]]:
    reader = Reader()
    readings(folder, integration, days).all_of(side(reader), None)
    return reader.asked


def numbers(folder: Path) -> set[str]:
    store = SnapshotStore(folder, "shop")
    return {n for day in store.days("orders") for n in store.read("orders", [day]).column("id").to_pylist()}


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A data folder in which one integration was begun, ninety days back."""
    assert [name for name, _ in sync(tmp_path, "to_saasu", 90)] == ["orders", "methods"]
    return tmp_path


def test_a_second_integration_asks_only_for_what_changed_since(first: Path) -> None:
    before = numbers(first)
    ((name, since),) = sync(first, "to_omni", 90)
    assert (name, since) == ("orders", NOW - timedelta(minutes=10))
    assert numbers(first) == before == {"0801", "0901", "0902", "0903"}


def test_one_that_looks_back_further_reads_all_of_it(first: Path) -> None:
    asked = sync(first, "to_omni", 365)
    assert [name for name, _ in asked] == ["orders", "methods"]
    assert asked[0][1] < NOW - timedelta(days=300)


def test_an_initial_sync_done_again_reads_everything_anew(first: Path) -> None:
    assert len(sync(first, "to_omni", 90)) == 1
    again = sync(first, "to_omni", 90)
    assert again[0][1] < NOW - timedelta(days=80)


def test_where_the_snapshots_are_gone_the_note_misleads_nobody(first: Path) -> None:
    before = numbers(first)
    store = SnapshotStore(first, "shop")
    for day in store.days("orders"):
        store.path("orders", day).unlink()
        for beside in store.path("orders", day).parent.iterdir():
            beside.unlink()
    ((_, since), *_) = sync(first, "to_omni", 90)
    assert since < NOW - timedelta(days=80)
    assert numbers(first) == before


def test_a_note_that_cannot_be_read_costs_calls_and_nothing_else(first: Path) -> None:
    (first / "state" / "shop-whole.json").write_bytes(b"{")
    assert [name for name, _ in sync(first, "to_omni", 90)] == ["orders", "methods"]


def test_pairing_is_refused_where_a_day_was_never_read(first: Path) -> None:
    """Dagster's job over a part of the days counted as the initial sync: what had changed before was unknown, and made twice."""
    there = readings(first, "to_saasu", 90)
    there.refuse_gaps(side(Reader()))
    store = SnapshotStore(first, "shop")
    for beside in store.path("orders", OPENING).parent.iterdir():
        beside.unlink()
    with pytest.raises(
        RefusedError, match=r"orders of shop were not read of 1 days, the first of them 2026-09-01"
    ) as caught:
        there.refuse_gaps(side(Reader()))
    assert caught.value.code == "initial-sync-incomplete"
    assert "all days as one run" in caught.value.remedy


def test_pairing_is_refused_where_nothing_was_read(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="orders of shop were not read"):
        readings(tmp_path, "to_saasu", 90).refuse_gaps(side(Reader()))


def test_pairing_is_refused_where_the_newest_days_were_never_read(first: Path) -> None:
    """The first part of the days was one run, and counted as all of them: its end was taken for the end of time."""
    readings(first, "to_saasu", 90, NOW + timedelta(days=1)).refuse_gaps(side(Reader()))  # just past midnight
    with pytest.raises(RefusedError, match=r"not read of 2 days, the first of them 2026-09-04") as caught:
        readings(first, "to_saasu", 90, NOW + timedelta(days=3)).refuse_gaps(side(Reader()))
    assert caught.value.code == "initial-sync-incomplete"


def test_a_day_read_in_part_before_later_ones_is_missing_until_the_next_reading(tmp_path: Path) -> None:
    """After a pause, yesterday and today were run by hand: the evening of the day before was unread, and all was green."""
    sync(tmp_path, "to_saasu", 90)
    assert not readings(tmp_path, "to_saasu", 90, NOW).missing(side(Reader()))
    later = NOW + timedelta(days=2)
    today = OPENING + timedelta(days=4)
    by_hand = Sweep(
        Window(today - timedelta(days=1), today, ZONE), OPENING, today, "by hand", frozenset(), later
    )
    list(sweep(Reader(), SnapshotStore(tmp_path, "shop"), ORDERS, by_hand))  # type: ignore[arg-type]
    there = readings(tmp_path, "to_saasu", 90, later)
    assert there.missing(side(Reader())) == {"orders": [today - timedelta(days=2)]}
    there.latest(side(Reader()), None)
    assert not there.missing(side(Reader()))


def hole(folder: Path, day: date) -> None:
    for beside in SnapshotStore(folder, "shop").path("orders", day).parent.iterdir():
        beside.unlink()


def refuses(folder: Path, now: datetime, read: tuple[str, str] = ("shop", "orders")) -> str:
    try:
        readings(folder, "to_saasu", 90, now).refuse_stepped_over(side(Reader()), {read})
    except RefusedError as error:
        return f"{error.code}: {error}"
    return ""


def test_days_that_were_not_read_yet_are_not_stepped_over(first: Path) -> None:
    assert refuses(first, NOW) == refuses(first, NOW + timedelta(days=3)) == ""


def test_a_day_without_reading_before_one_that_was_read_is_stepped_over(first: Path) -> None:
    hole(first, OPENING + timedelta(days=1))
    assert "days-stepped-over: orders of shop were not read to the end of 1 days" in refuses(first, NOW)
    assert "the first of them 2026-09-02" in refuses(first, NOW)
    assert refuses(first, NOW, ("shop", "customers")) == ""
    readings(first, "to_saasu", 90).latest(side(Reader()), None)
    assert refuses(first, NOW) == ""


def by_hand(folder: Path, first_day: date, today: date, now: datetime) -> None:
    asked = Sweep(Window(first_day, today, ZONE), OPENING, today, "by hand", frozenset(), now)
    list(sweep(Reader(), SnapshotStore(folder, "shop"), ORDERS, asked))  # type: ignore[arg-type]


def test_a_day_read_in_part_before_later_ones_is_stepped_over(first: Path) -> None:
    """A contact that staff had made that evening was made once more: nothing of the run said that the evening had not been read."""
    later, today = NOW + timedelta(days=1), OPENING + timedelta(days=3)
    by_hand(first, today, today, later)
    assert "the first of them 2026-09-03" in refuses(first, later)
    readings(first, "to_saasu", 90, later).latest(side(Reader()), None)
    assert refuses(first, later) == ""


def test_the_evening_before_days_without_reading_is_missing_with_them(first: Path) -> None:
    """The clock began with the first day that was wholly missing, and the export of that run rested on the evening before it."""
    later, today = NOW + timedelta(days=3), OPENING + timedelta(days=5)
    by_hand(first, today, today, later)
    third = OPENING + timedelta(days=2)
    missing = readings(first, "to_saasu", 90, later).missing(side(Reader()))
    assert missing == {"orders": [third + timedelta(days=n) for n in range(3)]}
