"""A business date is the books' date; days of changeover have 23 or 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.dates import Month, Window, business_date, month_starts

NEW_YORK = ZoneInfo("America/New_York")


def test_the_last_evening_of_a_month_is_still_that_month_in_the_books() -> None:
    instant = datetime(2026, 10, 1, 2, tzinfo=UTC)
    assert business_date(instant, NEW_YORK) == date(2026, 9, 30)
    assert business_date(instant, ZoneInfo("UTC")) == date(2026, 10, 1)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        business_date(datetime(2026, 1, 1), NEW_YORK)  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)]
)
def test_a_day_is_as_long_as_the_clocks_say(day: date, hours: int) -> None:
    window = Window(day, day, NEW_YORK)
    assert window.end - window.start == timedelta(hours=hours)


def test_a_window_has_every_day_once() -> None:
    window = Window(date(2026, 2, 27), date(2026, 3, 2), NEW_YORK)
    assert [d.day for d in window.days()] == [27, 28, 1, 2]


def test_months_know_their_ends_over_a_year_and_a_leap_day() -> None:
    assert Month(2026, 12).last == date(2026, 12, 31)
    assert Month(2028, 2).last == date(2028, 2, 29)
    assert Month.of(date(2026, 2, 3)).first == date(2026, 2, 1)
    assert str(Month(2026, 9)) == "2026-09"
    assert Month(2025, 12) < Month(2026, 1)


ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/Havana",
    "Asia/Amman",
)


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    first=st.datetimes(datetime(1990, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone itself
    days=st.integers(0, 120),
    share=st.integers(0, 1_000_000),
)
def test_between_two_starts_every_instant_is_in_the_month_of_the_first(
    zone: ZoneInfo, first: datetime, days: int, share: int
) -> None:
    begun = first.replace(tzinfo=UTC)
    ended = begun + timedelta(days=days)
    starts = month_starts(begun, ended, zone)
    instants = [begun + (ended - begun) * share / 1_000_000, ended]
    instants += [start.at for start in starts] + [
        start.at - timedelta(microseconds=1) for start in starts[1:]
    ]
    for instant in instants:
        month = [start.month for start in starts if start.at <= instant][-1]
        assert month == Month.of(business_date(instant, zone))


def test_a_month_begins_twice_where_clocks_go_back_over_its_midnight() -> None:
    starts = month_starts(
        datetime(2009, 10, 30, tzinfo=UTC), datetime(2009, 11, 3, tzinfo=UTC), ZoneInfo("America/St_Johns")
    )
    assert [start.month.month for start in starts] == [10, 11, 10, 11]
