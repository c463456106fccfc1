"""Windows of days: split by the records' own dates, empty days, holes, changeover days, failures, lists without dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.storage.manifests import Manifest
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import (
    NOT_RECONSTRUCTIBLE,
    OVERLAP,
    WHOLE_LIST,
    DayDone,
    Sweep,
    known_until,
    refresh,
    sweep,
)
from ledger_pipelines.systems.netsuite.entities import Column, Entity, Kind
from ledger_pipelines.systems.netsuite.reader import Cell, Rows

NEW_YORK = ZoneInfo("America/New_York")
COLUMNS = (
    Column("id", "r.id"),
    Column("amount", "r.amount", Kind.NUMBER),
    Column("lastmodifieddate", "r.lastmodifieddate", Kind.INSTANT),
)
INVOICES = Entity("invoices", COLUMNS, "transaction r", ("id",), "r.id", "", "r.lastmodifieddate")
CUSTOMERS = Entity("customers", COLUMNS, "customer r", ("id",), "r.id", "", "r.lastmodifieddate")
ACCOUNTS = Entity("accounts", COLUMNS[:2], "account r", ("id",), "r.id")
OPENING = date(2026, 1, 1)


@dataclass
class Account:
    """Rows by time of change; asked records what was asked."""

    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    fail_after: int | None = None
    page: int = 1
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        self.asked.append((start, end))
        found = [row for row in self.rows if entity.whole or start <= _instant(row[2]) < end]
        for place in range(0, len(found), self.page):
            if self.fail_after is not None and place >= self.fail_after:
                raise TransientError("The line went dead.")
            yield Rows(entity, tuple(found[place : place + self.page]))


def _instant(cell: Cell) -> datetime:
    assert isinstance(cell, datetime)
    return cell


def _row(key: str, changed: datetime, amount: str = "1.00") -> tuple[Cell, ...]:
    return (key, Decimal(amount), changed.astimezone(UTC))


def _at(day: int, hour: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=NEW_YORK)


def _asked(
    first: date, last: date, run: str = "run-1", done_by: Sequence[str] = (), today: date | None = None
) -> Sweep:
    return Sweep(
        Window(first, last, NEW_YORK),
        OPENING,
        today or last + timedelta(days=1),
        run,
        frozenset({run, *done_by}),
    )


def _ids(store: SnapshotStore, entity: str, day: date) -> list[str]:
    found: list[str] = store.read(entity, [day]).column("id").to_pylist()
    return found


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path, "netsuite")


TENTH, ELEVENTH, TWELFTH = date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12)


def test_three_days_with_a_hole_are_read_once_and_split_by_the_records_own_day(store: SnapshotStore) -> None:
    account = Account([_row("a", _at(10, 1)), _row("b", _at(10, 23)), _row("c", _at(12, 0))])
    done = list(sweep(account, store, INVOICES, _asked(TENTH, TWELFTH)))
    assert [(d.manifest.day, d.manifest.rows) for d in done] == [(TENTH, 2), (ELEVENTH, 0), (TWELFTH, 1)]
    assert _ids(store, "invoices", TENTH) == ["a", "b"]
    assert _ids(store, "invoices", TWELFTH) == ["c"]
    assert len(account.asked) == 1


def test_a_record_changed_while_it_is_read_is_held_once_as_it_is_now(store: SnapshotStore) -> None:
    rows = [_row("a", _at(10, 22)), _row("b", _at(10, 23)), _row("a", _at(12, 1), "2.00")]
    list(sweep(Account(rows, page=3), store, INVOICES, _asked(TENTH, TWELFTH)))
    assert [_ids(store, "invoices", day) for day in (TENTH, ELEVENTH, TWELFTH)] == [["b"], [], ["a"]]


def test_a_day_that_became_empty_replaces_what_was_there(store: SnapshotStore) -> None:
    list(sweep(Account([_row("a", _at(11, 5))]), store, INVOICES, _asked(TENTH, TWELFTH)))
    list(sweep(Account([]), store, INVOICES, _asked(TENTH, TWELFTH, "run-2")))
    assert _ids(store, "invoices", ELEVENTH) == []


def test_the_same_records_give_the_same_hash_whatever_their_order_within_a_day(store: SnapshotStore) -> None:
    rows = [_row("b", _at(10, 1)), _row("a", _at(10, 2)), _row("c", _at(12, 2))]
    first = list(sweep(Account(rows), store, INVOICES, _asked(TENTH, TWELFTH)))
    turned = [rows[1], rows[0], rows[2]]
    again = list(sweep(Account(turned), store, INVOICES, _asked(TENTH, TWELFTH, "run-2")))
    assert [d.manifest.content_hash for d in again] == [d.manifest.content_hash for d in first]
    assert all(d.new for d in again)


def test_an_evening_in_new_york_belongs_to_that_day_though_it_is_tomorrow_in_utc(
    store: SnapshotStore,
) -> None:
    list(sweep(Account([_row("late", _at(10, 22))]), store, INVOICES, _asked(TENTH, ELEVENTH)))
    assert _ids(store, "invoices", TENTH) == ["late"]
    assert _ids(store, "invoices", ELEVENTH) == []


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_a_changeover_day_has_all_its_hours(store: SnapshotStore, day: date, hours: int) -> None:
    start = Window(day, day, NEW_YORK).start
    rows = [_row(f"{hour:02d}", start + timedelta(hours=hour)) for hour in range(hours + 1)]
    window = _asked(day - timedelta(days=1), day + timedelta(days=1))
    list(sweep(Account(rows), store, INVOICES, window))
    assert len(_ids(store, "invoices", day)) == hours
    assert _ids(store, "invoices", day + timedelta(days=1)) == [f"{hours:02d}"]


def test_days_before_a_failure_stay_done_and_a_re_execution_goes_on_behind_them(store: SnapshotStore) -> None:
    rows = [_row("a", _at(10, 1)), _row("b", _at(11, 12)), _row("c", _at(12, 12)), _row("d", _at(12, 13))]
    done: list[DayDone] = []
    with pytest.raises(TransientError):
        done.extend(sweep(Account(rows, fail_after=3), store, INVOICES, _asked(TENTH, TWELFTH)))
    assert [d.manifest.day for d in done] == [TENTH, ELEVENTH]
    account = Account(rows)
    again = list(sweep(account, store, INVOICES, _asked(TENTH, TWELFTH, "run-2", ["run-1"])))
    assert [(d.manifest.day, d.new) for d in again] == [(TENTH, False), (ELEVENTH, False), (TWELFTH, True)]
    assert account.asked == [
        (Window(TWELFTH, TWELFTH, NEW_YORK).start, Window(TWELFTH, TWELFTH, NEW_YORK).end)
    ]
    assert _ids(store, "invoices", TWELFTH) == ["c", "d"]


def test_the_evening_of_the_day_on_which_a_run_was_cut_short_is_read_when_it_goes_on_days_later(
    store: SnapshotStore,
) -> None:
    """An initial sync refused on Friday and taken up on Monday had lost the rest of Friday for good."""
    account = Account([_row("a", _at(10, 9))])
    list(sweep(account, store, INVOICES, replace(_asked(TENTH, TENTH), now=_at(10, 12))))
    account.rows += [_row("evening", _at(10, 20)), _row("c", _at(12, 8))]
    on = replace(_asked(TENTH, TWELFTH, "run-2", today=TWELFTH), done_by=("run-1",), now=_at(12, 9))
    list(sweep(account, store, INVOICES, on))
    assert [_ids(store, "invoices", day) for day in (TENTH, TWELFTH)] == [["a", "evening"], ["c"]]


def test_a_new_run_reads_everything_again(store: SnapshotStore) -> None:
    list(sweep(Account([]), store, INVOICES, _asked(TENTH, TWELFTH)))
    again = list(sweep(Account([_row("new", _at(10, 5))]), store, INVOICES, _asked(TENTH, TWELFTH, "run-2")))
    assert all(d.new for d in again)
    assert _ids(store, "invoices", TENTH) == ["new"]


def test_a_record_that_comes_twice_is_kept_once(store: SnapshotStore) -> None:
    account = Account([_row("a", _at(10, 1), "1.00"), _row("a", _at(10, 2), "2.00")])
    list(sweep(account, store, INVOICES, _asked(TENTH, TENTH)))
    assert store.read("invoices", [TENTH]).column("amount").to_pylist() == [Decimal("2.00")]


def test_the_opening_day_takes_older_master_data_and_no_older_transactions(store: SnapshotStore) -> None:
    rows = [_row("old", datetime(2011, 5, 5, tzinfo=UTC)), _row("new", _at(1, 12, month=1))]
    list(sweep(Account(rows), store, CUSTOMERS, _asked(OPENING, OPENING)))
    list(sweep(Account(rows), store, INVOICES, _asked(OPENING, OPENING)))
    assert _ids(store, "customers", OPENING) == ["new", "old"]
    assert _ids(store, "invoices", OPENING) == ["new"]


def test_a_list_without_dates_is_written_to_the_last_day_and_the_others_say_they_cannot_be_known(
    store: SnapshotStore,
) -> None:
    done = list(sweep(Account([("1010", Decimal(5))]), store, ACCOUNTS, _asked(TENTH, TWELFTH)))
    assert [(d.manifest.rows, d.reconstructible) for d in done] == [(0, False), (0, False), (1, True)]
    assert [d.manifest.basis for d in done] == [NOT_RECONSTRUCTIBLE, NOT_RECONSTRUCTIBLE, WHOLE_LIST]


def test_a_list_stored_on_its_day_is_not_wiped_by_a_later_look_back(store: SnapshotStore) -> None:
    list(sweep(Account([("1010", Decimal(5))]), store, ACCOUNTS, _asked(TENTH, TENTH)))
    list(sweep(Account([("1020", Decimal(5))]), store, ACCOUNTS, _asked(TENTH, TWELFTH, "run-2")))
    assert _ids(store, "accounts", TENTH) == ["1010"]
    assert _ids(store, "accounts", TWELFTH) == ["1020"]


def test_the_list_of_today_is_not_passed_off_as_that_of_a_day_long_ago(store: SnapshotStore) -> None:
    account = Account([("1010", Decimal(5))])
    (done,) = sweep(account, store, ACCOUNTS, _asked(TENTH, TENTH, today=date(2026, 6, 1)))
    assert not done.reconstructible
    assert account.asked == []


def test_a_number_that_does_not_fit_is_refused_and_never_rounded(store: SnapshotStore) -> None:
    with pytest.raises(DataError, match="invoices of 2026-03-10"):
        list(
            sweep(Account([_row("a", _at(10, 1), "0.1234567890123")]), store, INVOICES, _asked(TENTH, TENTH))
        )


class TestRefresh:
    def test_only_what_changed_since_the_last_reading_is_asked_for_and_put_in_its_place(
        self, store: SnapshotStore
    ) -> None:
        account = Account([_row("a", _at(11, 9)), _row("b", _at(11, 10))])
        noon = replace(_asked(TENTH, ELEVENTH, today=ELEVENTH), now=_at(11, 12))
        list(sweep(account, store, INVOICES, noon))
        account.rows += [_row("a", _at(11, 13), "2.00"), _row("c", _at(12, 8))]
        account.asked.clear()
        later = replace(_asked(TENTH, TWELFTH, "run-2", today=TWELFTH), now=_at(12, 9))
        done = list(refresh(account, store, INVOICES, later))
        assert [d.manifest.day for d in done] == [ELEVENTH, TWELFTH]
        assert account.asked == [(_at(11, 12) - OVERLAP, later.window.end)]
        assert store.read("invoices", [ELEVENTH]).to_pydict()["amount"] == [Decimal("2.00"), Decimal("1.00")]
        assert _ids(store, "invoices", TWELFTH) == ["c"]

    def test_without_news_the_days_stay_as_they_are_and_are_read_until_now(
        self, store: SnapshotStore
    ) -> None:
        account = Account([_row("b", _at(11, 9)), _row("a", _at(11, 10), "2.00")])
        list(sweep(account, store, INVOICES, replace(_asked(ELEVENTH, ELEVENTH), now=_at(11, 12))))
        before = store.read("invoices", [ELEVENTH]).to_pydict()
        later = replace(_asked(ELEVENTH, TWELFTH, "run-2", today=TWELFTH), now=_at(12, 9))
        done = list(refresh(account, store, INVOICES, later))
        assert [(d.manifest.day, d.manifest.rows, d.new) for d in done] == [
            (ELEVENTH, 2, True), (TWELFTH, 0, True),
        ]  # fmt: skip
        assert [d.manifest.read_until for d in done] == [_at(12, 0), _at(12, 9)]
        assert store.read("invoices", [ELEVENTH]).to_pydict() == before

    def test_a_record_that_changed_again_leaves_the_day_it_was_in(self, store: SnapshotStore) -> None:
        account = Account([_row("a", _at(11, 9))])
        list(sweep(account, store, INVOICES, replace(_asked(ELEVENTH, ELEVENTH), now=_at(11, 12))))
        account.rows.append(_row("a", _at(12, 8), "2.00"))
        list(refresh(account, store, INVOICES, replace(_asked(ELEVENTH, TWELFTH), now=_at(12, 9))))
        assert (_ids(store, "invoices", ELEVENTH), _ids(store, "invoices", TWELFTH)) == ([], ["a"])

    def test_the_evening_of_a_yesterday_read_at_noon_is_not_lost_when_today_was_read_whole(
        self, store: SnapshotStore
    ) -> None:
        account = Account([_row("a", _at(11, 9))])
        list(sweep(account, store, INVOICES, replace(_asked(ELEVENTH, ELEVENTH), now=_at(11, 12))))
        account.rows += [_row("evening", _at(11, 20)), _row("t", _at(12, 8))]
        list(sweep(account, store, INVOICES, replace(_asked(TWELFTH, TWELFTH), now=_at(12, 9))))
        assert _ids(store, "invoices", ELEVENTH) == ["a"]
        list(refresh(account, store, INVOICES, replace(_asked(ELEVENTH, TWELFTH), now=_at(12, 10))))
        assert _ids(store, "invoices", ELEVENTH) == ["a", "evening"]
        assert _ids(store, "invoices", TWELFTH) == ["t"]

    def test_the_evening_of_a_day_read_at_noon_is_not_lost_when_a_range_after_it_was_read_by_hand(
        self, store: SnapshotStore
    ) -> None:
        """Who ran yesterday and today by hand, after a pause, hid the evening before for good: the day between them was whole."""
        account = Account([_row("a", _at(10, 9))])
        list(sweep(account, store, INVOICES, replace(_asked(TENTH, TENTH), now=_at(10, 12))))
        account.rows += [_row("evening", _at(10, 20)), _row("b", _at(11, 8)), _row("t", _at(12, 8))]
        list(sweep(account, store, INVOICES, replace(_asked(ELEVENTH, TWELFTH), now=_at(12, 9))))
        asked = replace(_asked(TENTH, TWELFTH), now=_at(12, 10))
        assert known_until(store, INVOICES, asked) == _at(10, 12)
        list(refresh(account, store, INVOICES, asked))
        held = [_ids(store, "invoices", day) for day in (TENTH, ELEVENTH, TWELFTH)]
        assert held == [["a", "evening"], ["b"], ["t"]]
        assert known_until(store, INVOICES, asked) == _at(12, 10)

    def test_days_read_together_are_not_looked_at_one_by_one(self, tmp_path: Path) -> None:
        looked: list[date] = []

        class Looking(SnapshotStore):
            def manifest(self, entity: str, day: date) -> Manifest | None:
                looked.append(day)
                return super().manifest(entity, day)

        store = Looking(tmp_path, "netsuite")
        asked = replace(_asked(date(2026, 3, 1), TWELFTH), now=_at(12, 9))
        list(sweep(Account([]), store, INVOICES, asked))
        looked.clear()
        assert known_until(store, INVOICES, asked) == _at(12, 9)
        assert looked == [TWELFTH, ELEVENTH]

    def test_a_hole_is_read_from_where_it_begins(self, store: SnapshotStore) -> None:
        account = Account([_row("a", _at(10, 9)), _row("b", _at(11, 9)), _row("c", _at(12, 9))])
        for day in (TENTH, TWELFTH):
            list(sweep(account, store, INVOICES, replace(_asked(day, day), now=_at(13, 0))))
        list(refresh(account, store, INVOICES, replace(_asked(TENTH, TWELFTH), now=_at(13, 1))))
        assert [_ids(store, "invoices", day) for day in (TENTH, ELEVENTH, TWELFTH)] == [["a"], ["b"], ["c"]]

    def test_opening_reaches_back_as_far_as_asked(self, store: SnapshotStore) -> None:
        old = _row("old", _at(20, 9, month=1) - timedelta(days=60))
        account = Account([old, _row("a", _at(1, 9, month=1))])
        asked = replace(_asked(OPENING, OPENING), reach=timedelta(days=90))
        list(sweep(account, store, INVOICES, asked))
        assert _ids(store, "invoices", OPENING) == ["a", "old"]


def test_a_number_no_column_takes_is_refused_with_its_record_and_the_day_stays_as_it_was(
    tmp_path: Path,
) -> None:
    day = date(2026, 3, 2)
    at = datetime(2026, 3, 2, 17, tzinfo=UTC)
    account = Account([("1", Decimal("10.00"), at), ("2", Decimal("1e400"), at)])
    store = SnapshotStore(tmp_path, "books")
    asked = Sweep(Window(day, day, NEW_YORK), OPENING, day, "run")
    with pytest.raises(
        DataError, match=r"books/invoices of 2026-03-02 cannot be stored: amount of 2 is 1E\+400"
    ):
        list(sweep(account, store, INVOICES, asked))
    assert store.days("invoices") == []
