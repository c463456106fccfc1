"""A business date is the books' date; days of changeover have 23 or 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger_pipelines.documents.dates import Month, Window, business_date

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
