"""Token buckets and slots shared by processes."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

import pytest

from ledger_pipelines.errors import TransientError
from ledger_pipelines.systems.limits import BucketRate, Slots, TokenBuckets
from ledger_pipelines_tests.unit.systems.netsuite.fake import FakeClock

RATE = BucketRate(0.5, 3)


@pytest.mark.parametrize("shared", [False, True])
def test_a_burst_then_one_token_an_interval(shared: bool, tmp_path: Path) -> None:
    clock = FakeClock()
    buckets = TokenBuckets(tmp_path if shared else None, clock)
    waits = [buckets.take("a", RATE) for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert [round(w) for w in waits[3:]] == [2, 2]
    assert buckets.take("b", RATE) == 0


def test_an_idle_bucket_fills_up_to_its_burst_and_no_further() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(None, clock)
    buckets.take("a", RATE)
    clock.sleep(1000)
    assert [round(buckets.take("a", RATE)) for _ in range(4)] == [0, 0, 0, 2]


@pytest.mark.parametrize("shared", [False, True])
def test_a_bucket_said_to_be_empty_gives_nothing_for_an_interval(shared: bool, tmp_path: Path) -> None:
    buckets = TokenBuckets(tmp_path if shared else None, FakeClock())
    buckets.empty("a", RATE)
    assert round(buckets.take("a", RATE)) == 2


def test_waiting_longer_than_allowed_is_refused_with_the_wait() -> None:
    buckets = TokenBuckets(None, FakeClock())
    for _ in range(3):
        buckets.take("a", RATE)
    with pytest.raises(TransientError) as caught:
        buckets.take("a", RATE, longest=1)
    assert caught.value.retry_after == pytest.approx(2, abs=0.01)


def test_two_objects_on_one_folder_share_their_tokens(tmp_path: Path) -> None:
    clock = FakeClock()
    one, two = TokenBuckets(tmp_path, clock), TokenBuckets(tmp_path, clock)
    waits = [b.take("a", RATE) for b in (one, two, one, two)]
    assert [round(w) for w in waits] == [0, 0, 0, 2]


def test_slots_bound_the_calls_of_one_process() -> None:
    slots = Slots(None, "books", 2)
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with slots.hold():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def _hold(
    folder: str, taken: multiprocessing.synchronize.Event, release: multiprocessing.synchronize.Event
) -> None:
    with Slots(Path(folder), "books", 1).hold():
        taken.set()
        release.wait(20)


def test_slots_bound_the_calls_of_all_processes_and_a_dead_one_frees_its_slot(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    taken, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path), taken, release))
    other.start()
    try:
        assert taken.wait(20)
        got = threading.Event()

        def take() -> None:
            with Slots(tmp_path, "books", 1).hold():
                got.set()

        thread = threading.Thread(target=take)
        thread.start()
        assert not got.wait(0.3)
        other.kill()
        assert got.wait(10)
        thread.join()
    finally:
        other.kill()
        other.join()
