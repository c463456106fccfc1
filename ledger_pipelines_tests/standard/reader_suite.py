"""What every reader of entities must pass: inherit `ReaderSuite`, give the `target` fixture for each entity.

Belongs here: tests that hold for any vendor's reader: what is asked is what comes, typed, once, whole. Does not belong
here: a vendor's own columns, queries and errors. In the manner of meltano's suites for taps.

    class TestNetSuiteReader(ReaderSuite):
        @pytest.fixture(params=ENTITIES)
        def target(self, request, ...) -> ReaderTarget: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Protocol

import pytest

Value = str | Decimal | date | datetime | bool | None
Row = tuple[Value, ...]
Key = tuple[Value, ...]
ALLOWED = frozenset({str, Decimal, date, datetime, bool})
"""Types a column may have; float is none of them, and numbers are Decimal."""
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an entity declares.

    Args:
        name: Of the entity.
        columns: Name and type of each column, in order of a row's cells; types out of `ALLOWED`.
        key: Columns that identify a row.
        changed: Column with the instant of the last change; "" = the whole list comes each time.
    """

    name: str
    columns: tuple[tuple[str, type], ...]
    key: tuple[str, ...]
    changed: str

    @property
    def names(self) -> tuple[str, ...]:
        """Column names."""
        return tuple(name for name, _ in self.columns)

    def key_of(self, row: Row) -> Key:
        """A row's key."""
        return tuple(row[self.names.index(name)] for name in self.key)

    def change_of(self, row: Row) -> datetime:
        """A row's instant of change."""
        value = row[self.names.index(self.changed)]
        assert isinstance(value, datetime), f"{self.name} {self.key_of(row)} has no time of change"
        return value


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read gave: rows in the order they came, and the calls it took."""

    rows: tuple[Row, ...]
    calls: int

    def in_any_order(self) -> list[str]:
        """For comparing: every cell with its type, duplicates kept."""
        return sorted(map(repr, self.rows))


class ReaderTarget(Protocol):
    """One entity of a vendor whose records are known and do not change while it is read."""

    shape: Shape
    days: Sequence[tuple[datetime, datetime]]
    """Three adjacent windows [start, end) with changes of this entity in each; nothing changed before the first."""

    def read(self, start: datetime, end: datetime, *, page: int = 0) -> Reading:
        """Read changes in [start, end), or the whole list; so many rows a page, 0 = as many as the vendor allows."""
        ...

    def held(self) -> AbstractSet[Key] | None:
        """Keys the vendor holds, read behind the reader's back; None where that cannot be done."""
        ...


class ReaderSuite:
    """Inherit, and give `target`."""

    @pytest.fixture
    def target(self) -> ReaderTarget:
        raise NotImplementedError

    # --- helpers -------------------------------------------------------------------------------------------------

    def _all(self, target: ReaderTarget, *, page: int = 0) -> Reading:
        return target.read(target.days[0][0], target.days[-1][1], page=page)

    def _only_changes(self, target: ReaderTarget) -> None:
        if not target.shape.changed:
            pytest.skip("the whole list comes each time")

    # --- declarations --------------------------------------------------------------------------------------------

    def test_it_declares_its_columns_and_key(self, target: ReaderTarget) -> None:
        shape = target.shape
        assert len(set(shape.names)) == len(shape.names)
        assert shape.key
        assert set(shape.key) <= set(shape.names)
        assert {kind for _, kind in shape.columns} <= ALLOWED
        if shape.changed:
            assert dict(shape.columns)[shape.changed] is datetime

    def test_the_targets_days_are_three_and_adjacent(self, target: ReaderTarget) -> None:
        one, two, three = target.days
        assert one[0] < one[1] == two[0] < two[1] == three[0] < three[1]

    # --- records -------------------------------------------------------------------------------------------------

    def test_it_gives_each_record_once_under_a_whole_key(self, target: ReaderTarget) -> None:
        rows = self._all(target).rows
        assert rows
        keys = [target.shape.key_of(row) for row in rows]
        assert not [key for key in keys if None in key or "" in key]
        assert len(set(keys)) == len(keys)

    def test_it_gives_what_the_vendor_holds_and_nothing_else(self, target: ReaderTarget) -> None:
        held = target.held()
        if held is None:
            pytest.skip("cannot be told without the reader")
        assert {target.shape.key_of(row) for row in self._all(target).rows} == held

    def test_every_value_has_the_type_its_column_declares(self, target: ReaderTarget) -> None:
        for row in self._all(target).rows:
            assert len(row) == len(target.shape.columns)
            for (name, kind), value in zip(target.shape.columns, row, strict=True):
                where = f"{target.shape.name} {target.shape.key_of(row)} {name} is {value!r}"
                # exact types: a bool is an int, a datetime is a date, and neither may pass for the other
                assert value is None or type(value) is kind, where
                assert value != "", where
                if isinstance(value, datetime):
                    assert value.utcoffset() == timedelta(0), where
                if isinstance(value, Decimal):
                    assert value.is_finite(), where

    # --- windows -------------------------------------------------------------------------------------------------

    def test_changes_lie_in_the_window_asked_and_come_in_their_order(self, target: ReaderTarget) -> None:
        self._only_changes(target)
        for start, end in [*target.days, (target.days[0][0], target.days[-1][1])]:
            changes = [target.shape.change_of(row) for row in target.read(start, end).rows]
            assert [change for change in changes if not start <= change < end] == []
            assert changes == sorted(changes)

    def test_three_days_at_once_are_the_three_days_one_by_one(self, target: ReaderTarget) -> None:
        at_once = self._all(target).in_any_order()
        daily = [target.read(start, end) for start, end in target.days]
        if not target.shape.changed:
            assert [day.in_any_order() for day in daily] == [at_once] * 3
            return
        assert all(day.rows for day in daily)
        assert sorted(row for day in daily for row in day.in_any_order()) == at_once

    def test_a_window_holds_its_start_and_not_its_end(self, target: ReaderTarget) -> None:
        self._only_changes(target)
        row = target.read(*target.days[1]).rows[0]
        change = target.shape.change_of(row)
        assert row in target.read(change, change + SECOND).rows
        assert row not in target.read(change - SECOND, change).rows

    def test_an_empty_window_gives_nothing(self, target: ReaderTarget) -> None:
        self._only_changes(target)
        start, end = target.days[0][0], target.days[-1][1]
        assert target.read(start - timedelta(days=2), start).rows == ()
        assert target.read(end, end + timedelta(days=2)).rows == ()
        assert target.read(start, start).rows == ()

    def test_a_window_is_the_same_in_any_zone_and_refused_without_one(self, target: ReaderTarget) -> None:
        self._only_changes(target)
        start, end = target.days[1]
        far = timezone(timedelta(hours=-9, minutes=-30))
        assert target.read(start.astimezone(far), end.astimezone(far)).rows == target.read(start, end).rows
        with pytest.raises(ValueError, match="zone"):
            target.read(start.replace(tzinfo=None), end.replace(tzinfo=None))

    # --- repetition and paging -----------------------------------------------------------------------------------

    def test_the_same_window_twice_gives_the_same(self, target: ReaderTarget) -> None:
        assert self._all(target).rows == self._all(target).rows

    def test_small_pages_give_the_same_rows_in_the_same_order(self, target: ReaderTarget) -> None:
        large = self._all(target)
        small = self._all(target, page=max(1, len(large.rows) // 3))
        assert small.rows == large.rows
        assert small.calls >= min(3, len(large.rows)), "the pages were not small"
