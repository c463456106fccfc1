"""The parts that need no server: store, fault rules, search lag, buckets."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.sandbox.amazon.buckets import Limit, TokenBucket
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.faults import Faults, FaultSpec, VendorFaults
from ledger_pipelines.sandbox.state import StateStore

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def test_a_transaction_is_all_or_nothing_and_nested_ones_undo_their_own_part() -> None:
    store = StateStore()

    def fail_inside() -> None:
        with store.transaction():
            store.put("n", "inner", 2)
            raise ValueError

    with store.transaction():
        store.put("n", "outer", 1)
        with pytest.raises(ValueError):
            fail_inside()
    assert store.items("n") == [("outer", 1)]

    def fail_outside() -> None:
        with store.transaction():
            store.put("n", "lost", 3)
            raise ValueError

    with pytest.raises(ValueError):
        fail_outside()
    assert store.get("n", "lost") is None


def test_a_vendor_may_keep_tables_of_its_own(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "s.sqlite")
    with store.transaction() as connection:
        connection.execute("CREATE TABLE book (id INTEGER PRIMARY KEY, amount TEXT)")
        connection.execute("INSERT INTO book (amount) VALUES ('1.10')")
        store.put("n", "k", {"amount": "1.10"})
    copy = store.snapshot()
    with store.transaction() as connection:
        connection.execute("DELETE FROM book")
    store.restore(copy)
    assert store.connection.execute("SELECT amount FROM book").fetchall() == [("1.10",)]
    assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_numbers_with_a_fraction_come_back_exact() -> None:
    store = StateStore()
    with store.transaction() as connection:
        connection.execute("INSERT INTO document VALUES ('n', 'k', '{\"a\": 0.10}')")
    assert store.get("n", "k") == {"a": Decimal("0.10")}


def lagging(clock: SandboxClock) -> tuple[Faults, VendorFaults]:
    faults = Faults(clock)
    faults.declare("netsuite", frozenset({"period_closed"}))
    return faults, VendorFaults("netsuite", faults)


def test_search_lag_hides_records_made_while_it_is_set() -> None:
    clock = SandboxClock()
    clock.freeze(NOW)
    faults, view = lagging(clock)
    assert view.search_visible_at(NOW) == NOW
    faults.add(FaultSpec(vendor="netsuite", kind="search_lag", seconds=60))
    assert view.search_visible_at(NOW - timedelta(seconds=1)) == NOW - timedelta(seconds=1)
    assert view.search_visible_at(NOW) == NOW + timedelta(seconds=60)
    assert faults.as_json()[0]["fired"] == 1
    faults.clear("netsuite")
    assert view.search_visible_at(NOW) == NOW


def test_a_vendors_own_fault_is_handed_to_the_vendor_beside_a_core_one() -> None:
    faults, _ = lagging(SandboxClock())
    faults.add(FaultSpec(vendor="netsuite", kind="period_closed", nth=2))
    faults.add(FaultSpec(vendor="netsuite", kind="cut_after", nth=2))
    assert faults.on_call("netsuite", "POST", "/a") == (None, [])
    core, own = faults.on_call("netsuite", "POST", "/a")
    assert core is not None
    assert (core.kind, [spec.kind for spec in own]) == ("cut_after", ["period_closed"])


def test_a_fault_may_be_of_calls_with_a_header() -> None:
    faults, _ = lagging(SandboxClock())
    faults.add(FaultSpec(vendor="netsuite", kind="cut_after", header="^x-action: Add"))
    assert faults.on_call("netsuite", "POST", "/a", [(b"x-action", b"GetItem")]) == (None, [])
    core, _ = faults.on_call("netsuite", "POST", "/a", [(b"accept", b"*/*"), (b"x-action", b"AddItem")])
    assert core is not None


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket(Limit("1.0", timedelta(seconds=1), 3), NOW)
    assert [bucket.take(NOW) for _ in range(4)] == [True, True, True, False]
    later = NOW + timedelta(days=1)
    assert [bucket.take(later) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(later + timedelta(seconds=1))


def test_a_bucket_lives_with_a_clock_that_is_set_back() -> None:
    bucket = TokenBucket(Limit("1.0", timedelta(seconds=1), 3), NOW)
    earlier = NOW - timedelta(days=1)
    assert [bucket.take(earlier) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(earlier - timedelta(days=1))
    assert bucket.take(earlier - timedelta(days=1) + timedelta(seconds=1))
