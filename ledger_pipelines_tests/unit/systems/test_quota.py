"""The day's counter of an account."""

from __future__ import annotations

import multiprocessing
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_pipelines.documents.dates import SystemClock
from ledger_pipelines.errors import StorageError, TransientError
from ledger_pipelines.systems.quota import DailyQuota
from ledger_pipelines_tests.faults.engine_target import FakeClock

NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def test_calls_are_counted_and_the_share_is_never_passed(tmp_path: Path) -> None:
    quota = DailyQuota(tmp_path, "file 1", FakeClock(NOON), 3)
    assert [quota.take() for _ in range(3)] == [1, 2, 3]
    with pytest.raises(TransientError) as refused:
        quota.take()
    assert (refused.value.code, refused.value.retry_after) == ("quota-spent", 12 * 3600)
    assert (quota.spent().used, quota.spent().left) == (3, 0)


def test_the_count_is_kept_over_restarts_and_ends_with_the_day(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    DailyQuota(tmp_path, "file 1", clock, 2).take()
    again = DailyQuota(tmp_path, "file 1", clock, 2)
    assert again.take() == 2
    clock.pass_time(12 * 3600)
    assert again.spent().left == 2
    assert again.take() == 1


def test_accounts_are_counted_apart(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    one, two = DailyQuota(tmp_path, "file 1", clock, 1), DailyQuota(tmp_path, "file 2", clock, 1)
    assert (one.take(), two.take()) == (1, 1)


def test_a_blocked_account_is_not_called_before_its_time(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    quota = DailyQuota(tmp_path, "file 1", clock, None)
    assert quota.spent().left is None
    assert quota.block(24) == NOON + timedelta(hours=24)
    clock.pass_time(23 * 3600)
    with pytest.raises(TransientError, match="blocked by the vendor until 2026-09-02 12:00 UTC"):
        quota.take()
    assert quota.spent().left == 0
    clock.pass_time(3601)
    assert quota.take() == 1


def test_a_machine_that_refuses_the_count_is_said_with_the_file(tmp_path: Path) -> None:
    quota = DailyQuota(tmp_path, "file 1", FakeClock(NOON), 3)
    place = tmp_path / "quota.sqlite"
    place.unlink()
    place.mkdir()
    with pytest.raises(StorageError, match=re.escape(str(place))):
        quota.take()


def _take(folder: str, times: int) -> None:
    quota = DailyQuota(Path(folder), "file 1", SystemClock(), None)
    for _ in range(times):
        quota.take()


def test_processes_share_one_count(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_take, args=(str(tmp_path), 25)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert DailyQuota(tmp_path, "file 1", SystemClock(), None).spent().used == 75
