"""The journal keeps its word on SQLite and on PostgreSQL."""

from __future__ import annotations

import multiprocessing
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from ledger_pipelines.documents.effects import EffectState, Expected, Mode, WriteClass
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.storage.journal import (
    Change,
    Event,
    Journal,
    Link,
    Parked,
    Search,
    SeenFile,
    fingerprint,
    intent_values,
)
from ledger_pipelines.storage.journal.database import journal_url
from ledger_pipelines.storage.journal.migrations import HEAD
from ledger_pipelines.storage.journal.models import metadata
from ledger_pipelines.sync.apply import apply
from ledger_pipelines_tests.faults import journals
from ledger_pipelines_tests.faults.engine_target import (
    FakeClock,
    FakeLedger,
    FakeWriter,
    Fault,
    make_effect,
    make_plan,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
POSTGRES = os.environ.get("LEDGER_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a new, empty journal may be made."""
    if request.param == "sqlite":
        yield str(tmp_path / "journal.db")
        return
    engine = create_engine(journal_url(POSTGRES))
    schema = f"ledger_{uuid.uuid4().hex[:12]}"
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError as error:
        pytest.skip(f"no PostgreSQL server: {str(error.orig).splitlines()[0]}")
    try:
        yield f"{POSTGRES}?options=-csearch_path%3D{schema}"
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


@pytest.fixture
def journal(place: str) -> Iterator[Journal]:
    with Journal.open(place, now=NOW) as opened:
        yield opened


def _enter(journal: Journal, *names: str, **values: Any) -> None:
    rows = [
        intent_values(make_effect(name))
        | {
            "sequence": index,
            "plan_digest": "p" * 64,
            "mode": "live",
            "state": "approved",
            "attempt": 0,
            "fence": 0,
            "adopted": False,
            "created_at": NOW,
            "updated_at": NOW,
        }
        | values
        for index, name in enumerate(names)
    ]
    with journal.write() as unit:
        unit.effects.enter(rows)


def _claim(journal: Journal, keys: list[str], fence: int, *, now: datetime = NOW) -> list[str]:
    with journal.write() as unit:
        return unit.effects.claim(
            keys, fence=fence, owner=f"o{fence}", now=now, lease_until=now + timedelta(minutes=1)
        )


def test_the_tables_are_the_models(journal: Journal) -> None:
    with journal.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert [d for d in differences if not isinstance(d, list)] == []


def test_no_column_of_money_or_of_anything_is_a_float(journal: Journal) -> None:
    with journal.engine.connect() as connection:
        inspector = inspect(connection)
        types = [
            str(column["type"]).upper()
            for table in metadata.tables
            for column in inspector.get_columns(table)
        ]
    assert not [
        t for t in types if any(word in t for word in ("FLOAT", "DOUBLE", "REAL", "NUMERIC", "DECIMAL"))
    ]


def test_the_birth_is_noted_once(place: str) -> None:
    with Journal.open(place, now=NOW) as first:
        assert first.birth == NOW
    with Journal.open(place, now=NOW + timedelta(days=1)) as second:
        assert second.birth == NOW


def test_an_effect_comes_back_as_it_was(journal: Journal) -> None:
    effect = replace(
        make_effect("1", depends_on=("A", "B")),
        expected=Expected(Money(Decimal("90071992547409.93"), "USD"), date(2026, 2, 28), 3),
        title='Größe 12" — ✓',
    )
    with journal.write() as unit:
        unit.effects.enter(
            [
                intent_values(effect)
                | {
                    "sequence": 0,
                    "plan_digest": "p",
                    "mode": "live",
                    "state": "approved",
                    "attempt": 0,
                    "fence": 0,
                }
                | {"adopted": False, "created_at": NOW, "updated_at": NOW, "sent_at": NOW}
            ]
        )
    entry = journal.entry("KEY1")
    assert entry is not None
    assert entry.effect == effect
    assert (entry.sent_at, entry.created_at, entry.body_hash) == (NOW, NOW, fingerprint(effect))


def test_a_key_is_entered_once(journal: Journal) -> None:
    _enter(journal, "1")
    with pytest.raises(IntegrityError):
        _enter(journal, "1")


def test_an_instant_without_a_zone_is_refused(journal: Journal) -> None:
    with pytest.raises(StatementError, match="no time zone"):
        _enter(journal, "1", sent_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_a_failed_transaction_leaves_nothing(journal: Journal) -> None:
    def interrupted() -> None:
        with journal.write() as unit:
            unit.events.append([Event("a", "b", "c")], NOW)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    assert journal.history("b") == []
    assert journal.verify() is None


def test_a_claim_is_obtained_by_one_only(journal: Journal) -> None:
    names = [str(i) for i in range(40)]
    _enter(journal, *names)
    keys = [f"KEY{name}" for name in names]
    with ThreadPool(4) as pool:
        taken = pool.starmap(_claim, [(journal, keys, fence) for fence in (1, 2, 3, 4)])
    assert sorted(key for part in taken for key in part) == sorted(keys)


def test_a_claim_respects_state_due_time_and_newer_fences(journal: Journal) -> None:
    _enter(journal, "done", state="confirmed")
    _enter(journal, "later", not_before=NOW + timedelta(seconds=1))
    _enter(journal, "newer", fence=9)
    keys = ["KEYdone", "KEYlater", "KEYnewer"]
    assert _claim(journal, keys, 5) == []
    assert _claim(journal, keys, 9, now=NOW + timedelta(seconds=1)) == ["KEYlater", "KEYnewer"]


def test_sent_is_marked_only_under_our_own_unexpired_claim(journal: Journal) -> None:
    _enter(journal, "1")
    _claim(journal, ["KEY1"], 5)
    with journal.write() as unit:
        until = NOW + timedelta(minutes=5)
        assert unit.effects.mark_sent(["KEY1"], fence=4, now=NOW, lease_until=until) == {}
        assert (
            unit.effects.mark_sent(["KEY1"], fence=5, now=NOW + timedelta(minutes=1), lease_until=until) == {}
        )
        assert unit.effects.mark_sent(["KEY1"], fence=5, now=NOW, lease_until=until) == {"KEY1": 1}
        assert unit.effects.mark_sent(["KEY1"], fence=5, now=NOW, lease_until=until) == {}


def test_a_stale_fence_or_attempt_records_nothing(journal: Journal) -> None:
    _enter(journal, "1", state="sent", fence=7, attempt=2)
    change = Change("KEY1", {"state": "confirmed", "updated_at": NOW})
    with journal.write() as unit:
        assert not unit.effects.record(change, fence=6, attempt=2)
        assert not unit.effects.record(change, fence=7, attempt=1)
        assert unit.effects.record(change, fence=7, attempt=2)
        assert not unit.effects.record(change, fence=7, attempt=2)


def test_fences_only_grow(journal: Journal) -> None:
    numbers = []
    for _ in range(3):
        with journal.write() as unit:
            numbers.append(
                unit.applies.begin(
                    connection="books",
                    integration="i",
                    flow="f",
                    partition="p",
                    plan_digest="d",
                    mode="live",
                    owner="o",
                    who="w",
                    now=NOW,
                )
            )
    assert numbers == sorted(set(numbers))
    with journal.write() as unit:
        unit.applies.end(numbers[0], '{"written":1}', NOW)
        runs = unit.applies.last("i", "f", "p")
    assert [run.id for run in runs] == numbers[::-1]
    assert runs[-1].ended_at == NOW


def test_the_log_is_a_chain_that_shows_every_change(journal: Journal) -> None:
    for i in range(5):
        journal.log([Event("anna", f"KEY{i}", "retry", "held", "approved", "why not")], NOW)
    assert journal.verify() is None
    assert [line.seq for line in journal.history("KEY2")] == [3]
    with journal.engine.begin() as connection:
        connection.execute(text("UPDATE events SET who = 'bob' WHERE seq = 3"))
    broken = journal.verify()
    assert broken is not None
    assert (broken.seq, "changed" in broken.text) == (3, True)
    with journal.engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE seq = 3"))
    broken = journal.verify()
    assert broken is not None
    assert (broken.seq, "missing" in broken.text) == (3, True)


def test_a_log_cut_at_its_end_is_noticed(journal: Journal) -> None:
    journal.log([Event("a", "b", "c"), Event("a", "b", "d")], NOW)
    with journal.engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE seq = 2"))
    broken = journal.verify()
    assert broken is not None
    assert "ends at line 1" in broken.text


def test_effects_are_found_by_what_people_know(journal: Journal) -> None:
    _enter(journal, "112-1", "112-2", "113-1")
    _enter(journal, "100%_", state="held", remote_id="R9")
    find = lambda **given: [e.effect.number for e in journal.find(Search(**given))]  # noqa: E731 - short
    assert find(text="112-") == ["112-1", "112-2"]
    assert find(text="EXT-113-1") == ["113-1"]
    assert find(text="R9") == ["100%_"]
    assert find(text="100%") == ["100%_"]
    assert find(text="1%") == []
    assert find(states=(EffectState.HELD,)) == ["100%_"]
    assert find(
        integration="shop_books", flow="invoices", partition="2026-03-01", kind="invoice", limit=2, offset=1
    ) == ["112-1", "112-2"]
    assert find(integration="other") == []
    assert journal.counts() == {EffectState.APPROVED: 3, EffectState.HELD: 1}


def test_searches_use_an_index(journal: Journal) -> None:
    if journal.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses plans by table size")
    with journal.engine.connect() as connection:
        for where in (
            "number >= 'a' AND number < 'b'",
            "external_id = 'a'",
            "remote_id = 'a'",
            "connection = 'a' AND state = 'b'",
            "integration = 'a' AND partition = 'b' AND flow = 'c' AND state = 'd'",
        ):
            plan = str(
                connection.execute(text(f"EXPLAIN QUERY PLAN SELECT * FROM effects WHERE {where}")).all()
            )
            assert "USING INDEX" in plan


def test_what_is_known_of_a_settlement_is_found_without_reading_all_others(journal: Journal) -> None:
    if journal.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses plans by table size")
    with journal.engine.connect() as connection:
        query = "EXPLAIN QUERY PLAN SELECT * FROM effects WHERE integration = 'a' AND partition = 'b'"
        assert "(integration=? AND partition=?)" in str(connection.execute(text(query)).all())
        query = "EXPLAIN QUERY PLAN SELECT * FROM effects WHERE connection = 'a' AND state = 'b' AND confirmed_at <= 'c' "
        plan = str(connection.execute(text(query + "ORDER BY confirmed_at DESC LIMIT 3")).all())
        assert "(connection=? AND state=? AND confirmed_at<?)" in plan
        assert "B-TREE" not in plan


def test_a_journal_of_the_first_form_is_brought_forward_with_all_it_knows(tmp_path: Path) -> None:
    place = tmp_path / "journal.db"
    with Journal.open(place) as journal:
        _enter(journal, "112-1", "112-2")
        known = journal.find(Search())
        with journal.engine.begin() as connection:  # as version 1 left it
            connection.execute(text("DROP INDEX effects_by_partition"))
            columns = "integration, flow, partition, state"
            connection.execute(text(f"CREATE INDEX effects_by_partition ON effects ({columns})"))
            connection.execute(text("DROP INDEX effects_by_state"))
            connection.execute(text("CREATE INDEX effects_by_state ON effects (connection, state)"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with Journal.open(place) as journal:
        assert journal.find(Search()) == known
        assert [index["column_names"] for index in inspect(journal.engine).get_indexes("effects")
                if index["name"] == "effects_by_partition"] == [["integration", "partition", "flow", "state"]]  # fmt: skip


def test_a_link_is_renewed_with_a_revision(journal: Journal) -> None:
    link = Link("books", "invoice", "EXT-1", "1000", "INV1", "KEY1", "hash1", 0, False, NOW)
    for item in (
        link,
        link,
        replace(link, body_hash="hash2"),
        replace(link, body_hash="hash2", remote_id="1001"),
    ):
        with journal.write() as unit:
            unit.links.put([item])
    stored = journal.links("books", "invoice", ["EXT-1", "EXT-2"])
    assert [(k, v.remote_id, v.revision, v.voided) for k, v in stored.items()] == [
        ("EXT-1", "1001", 2, False)
    ]
    with journal.read() as unit:
        assert unit.links.by_remote("books", "invoice", "1001")[0].external_id == "EXT-1"
        assert unit.links.by_remote("books", "invoice", "1000") == []


def test_a_file_is_known_under_all_its_names(journal: Journal) -> None:
    seen = SeenFile("amazon", "ab" * 32, "123", ("a.txt",), "accepted", "", NOW, NOW)
    journal.see(seen)
    later = NOW + timedelta(hours=1)
    stored = journal.see(replace(seen, names=("b.txt", "a.txt"), first_seen=later, last_seen=later))
    assert (stored.names, stored.first_seen, stored.last_seen) == (("a.txt", "b.txt"), NOW, later)
    assert journal.seen("amazon", "ab" * 32) == stored
    assert journal.seen("other", "ab" * 32) is None
    journal.see(replace(seen, sha256="cd" * 32, verdict="refused", reason="other content", first_seen=later))
    with journal.read() as unit:
        assert [f.verdict for f in unit.files.of_settlement("amazon", "123")] == ["accepted", "refused"]


def test_parking_is_per_connection(journal: Journal) -> None:
    item = Parked("books", NOW, NOW + timedelta(minutes=15), "credentials", "invalid token")
    with journal.write() as unit:
        unit.parking.put(item)
        unit.parking.put(replace(item, text="expired"))
    assert journal.parked("books") == replace(item, text="expired")
    assert journal.parked("other") is None


def test_the_engine_works_on_it(journal: Journal) -> None:
    clock = FakeClock(NOW)
    writer = FakeWriter(FakeLedger(clock, faults=[None, Fault.CUT_AFTER, Fault.CUT_BEFORE]), batch_size=2)
    assert writer.write_class is WriteClass.SEARCH
    plan = make_plan(*(make_effect(str(i), depends_on=(f"KEY{i - 2}",) if i > 1 else ()) for i in range(8)))
    for _ in range(4):
        apply(plan, journal=journal, writer=writer, mode=Mode.LIVE, clock=clock)
        clock.pass_time(100)
    assert journal.counts() == {EffectState.CONFIRMED: 8}
    assert len(writer.ledger.records) == 8
    assert journal.verify() is None


def _open_and_log(place: str) -> str:
    with Journal.open(place) as journal:
        for i in range(5):
            journal.log([Event(str(os.getpid()), f"s{i}", "x")], NOW)
        return journal.birth.isoformat()


def test_a_run_with_nothing_to_do_asks_the_journal_no_more_than_it_has_to(journal: Journal) -> None:
    """It began transactions to look for no keys, and asked for the end of the log that it had just written: 15 statements in 9."""
    clock = FakeClock()
    writer = FakeWriter(FakeLedger(clock))
    plan = make_plan(*(make_effect(str(number)) for number in range(3)))
    apply(plan, journal=journal, writer=writer, mode=Mode.LIVE, clock=clock)
    begun: list[object] = []
    said: list[str] = []
    event.listen(journal.engine, "begin", begun.append)
    event.listen(journal.engine, "before_cursor_execute", lambda _c, _k, told, *_: said.append(told))
    apply(plan, journal=journal, writer=writer, mode=Mode.LIVE, clock=clock)
    assert len(begun) == 5  # begin, two looks at what is open, intents, end
    assert len([told for told in said if not told.startswith(("BEGIN", "SELECT chain.id"))]) == 13


def test_several_processes_open_a_new_journal_at_once(place: str) -> None:
    with multiprocessing.get_context("forkserver").Pool(4) as pool:
        births = pool.map(_open_and_log, [place] * 8)
    assert len(set(births)) == 1
    with Journal.open(place) as journal:
        assert journal.verify() is None
        with journal.read() as unit:
            assert unit.events.head()[0] == 40


def test_sqlite_is_durable_by_its_settings(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db") as journal, journal.engine.connect() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2}


def test_the_newest_form_is_the_one_that_is_known_without_looking() -> None:
    assert journals.revisions()[-1] == HEAD


def test_a_journal_of_a_newer_version_is_not_touched(place: str) -> None:
    with Journal.open(place) as journal, journal.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer version"):
        Journal.open(place)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "://"])
def test_places_where_a_journal_cannot_live_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Journal.open(url)
