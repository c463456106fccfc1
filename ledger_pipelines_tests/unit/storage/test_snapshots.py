"""Days of an entity: replaced whole, never half, exact, and read together."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.manifests import Manifest
from ledger_pipelines.storage.snapshots import SnapshotStore

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("amount", pa.decimal128(18, 2)),
        ("modified", pa.timestamp("us", tz="UTC")),
    ]
)
FIRST, SECOND, THIRD = date(2026, 5, 1), date(2026, 5, 2), date(2026, 5, 3)


def rows(*records: tuple[str, str, int]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"id": key, "amount": Decimal(amount), "modified": datetime(2026, 5, 1, hour, tzinfo=UTC)}
            for key, amount, hour in records
        ],
        schema=SCHEMA,
    )


def put(store: SnapshotStore, day: date, table: pa.Table, expected: pa.Schema | None = None) -> Manifest:
    return store.write_day(
        "invoices",
        day,
        table,
        window=Window(day, day, ZoneInfo("America/New_York")),
        basis="lastmodifieddate",
        run_id="run-1",
        expected=expected,
        sort_by=("id",),
    )


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SnapshotStore:
    root = UPath(f"memory://{tmp_path.name}") if request.param == "bucket" else UPath(tmp_path)
    return SnapshotStore(root, "netsuite")


def test_a_day_comes_back_exact_to_the_last_digit(store: SnapshotStore) -> None:
    put(store, FIRST, rows(("a", "12345678901234.07", 1), ("b", "-0.10", 2)))
    back = store.read("invoices")
    assert back.schema.field("amount").type == pa.decimal128(18, 2)
    assert back["amount"].to_pylist() == [Decimal("12345678901234.07"), Decimal("-0.10")]
    assert back.column_names == ["id", "amount", "modified"]


def test_a_day_is_replaced_whole_also_by_nothing(store: SnapshotStore) -> None:
    put(store, FIRST, rows(("a", "1.00", 1), ("b", "2.00", 1)))
    manifest = put(store, FIRST, rows())
    assert manifest.rows == 0
    assert store.read("invoices").num_rows == 0
    assert store.days("invoices") == [FIRST]
    assert store.missing_days("invoices", FIRST, THIRD) == [SECOND, THIRD]


def test_a_hole_in_the_middle_is_a_missing_day_and_an_empty_day_is_not(store: SnapshotStore) -> None:
    put(store, FIRST, rows())
    put(store, THIRD, rows(("a", "1.00", 1)))
    assert store.missing_days("invoices", FIRST, THIRD) == [SECOND]
    assert [one.rows for one in store.manifests("invoices")] == [0, 1]
    assert [one.day for one in store.manifests("invoices", first=SECOND)] == [THIRD]


def test_the_manifest_says_when_what_and_over_which_instants(store: SnapshotStore) -> None:
    written = put(store, FIRST, rows(("a", "1.00", 1)))
    manifest = store.manifest("invoices", FIRST)
    assert manifest == written
    assert manifest is not None
    assert manifest.window_start == datetime(2026, 5, 1, 4, tzinfo=UTC)
    assert manifest.window_end == datetime(2026, 5, 2, 4, tzinfo=UTC)
    assert (manifest.basis, manifest.run_id, manifest.connection) == ("lastmodifieddate", "run-1", "netsuite")
    assert manifest.columns[1] == ("amount", "decimal128(18, 2)")
    beside = store.path("invoices", FIRST).parent / "manifest.json"
    assert Manifest.decoded(beside.read_bytes()) == written
    assert store.manifest("invoices", SECOND) is None


def test_the_same_records_give_the_same_hash_in_any_order_and_chunking(store: SnapshotStore) -> None:
    one, two = ("a", "1.00", 1), ("b", "2.00", 1)
    first = put(store, FIRST, rows(one, two))
    again = put(store, FIRST, pa.concat_tables([rows(two), rows(one)]))
    other = put(store, FIRST, rows(one, ("b", "2.01", 1)))
    assert first.content_hash == again.content_hash
    assert first.content_hash != other.content_hash


def test_the_newest_state_of_each_record_wins_whichever_day_it_lies_in(store: SnapshotStore) -> None:
    put(store, FIRST, rows(("a", "1.00", 1), ("b", "2.00", 9)))
    put(store, SECOND, rows(("a", "1.50", 5), ("b", "2.50", 3)))
    latest = store.latest("invoices", key=["id"], modified="modified")
    assert latest.select(["id", "amount"]).to_pylist() == [
        {"id": "a", "amount": Decimal("1.50")},
        {"id": "b", "amount": Decimal("2.00")},
    ]


def test_of_two_equal_instants_the_later_day_counts(store: SnapshotStore) -> None:
    put(store, SECOND, rows(("a", "2.00", 5)))
    put(store, FIRST, rows(("a", "1.00", 5)))
    assert store.latest("invoices", key=["id"], modified="modified")["amount"].to_pylist() == [
        Decimal("2.00")
    ]


def test_only_the_days_asked_for_are_read(store: SnapshotStore) -> None:
    for day, amount in ((FIRST, "1.00"), (SECOND, "2.00"), (THIRD, "3.00")):
        put(store, day, rows(("a", amount, 1)))
    found = store.read("invoices", [FIRST, THIRD])
    assert sorted(found["amount"].to_pylist()) == [Decimal("1.00"), Decimal("3.00")]


def test_no_binary_float_is_stored(store: SnapshotStore) -> None:
    with pytest.raises(DataError, match="amount would be stored as binary float"):
        put(store, FIRST, pa.table({"id": ["a"], "amount": [0.1]}))
    assert store.days("invoices") == []


def test_a_day_without_columns_is_refused_because_it_could_not_be_read(store: SnapshotStore) -> None:
    with pytest.raises(DataError, match="no columns"):
        put(store, FIRST, pa.table({}))


def test_drift_names_new_missing_and_changed_columns(store: SnapshotStore) -> None:
    put(store, FIRST, rows(("a", "1.00", 1)), expected=SCHEMA)
    changed = pa.table({"id": ["a"], "amount": pa.array(["1.00"]), "memo": ["x"]})
    manifest = put(store, SECOND, changed, expected=SCHEMA)
    assert manifest.drift.new == ("memo",)
    assert manifest.drift.missing == ("modified",)
    assert manifest.drift.changed == (("amount", "decimal128(18, 2)", "string"),)
    assert str(manifest.drift) == "new: memo; missing: modified; amount was decimal128(18, 2), is string"
    assert [change.day for change in store.drift("invoices")] == [SECOND]
    assert not store.manifests("invoices")[0].drift


def test_days_of_more_and_less_columns_are_read_together(store: SnapshotStore) -> None:
    put(store, FIRST, rows(("a", "1.00", 1)))
    put(store, SECOND, rows(("b", "2.00", 1)).append_column("memo", pa.array(["x"])))
    assert store.read("invoices")["memo"].to_pylist() == [None, "x"]
    narrowed = store.read("invoices", schema=pa.schema([("memo", pa.string()), ("absent", pa.int64())]))
    assert narrowed.to_pylist() == [{"memo": None, "absent": None}, {"memo": "x", "absent": None}]


def test_a_wider_decimal_loses_no_digit(store: SnapshotStore) -> None:
    put(store, FIRST, rows(("a", "1.25", 1)))
    wider = rows(("b", "2.00", 1)).set_column(
        1, "amount", pa.array([Decimal("2.1234")], pa.decimal128(20, 4))
    )
    put(store, SECOND, wider)
    amounts = store.read("invoices")["amount"]
    assert pa.types.is_decimal(amounts.type)
    assert amounts.to_pylist() == [Decimal("1.2500"), Decimal("2.1234")]


def test_a_column_that_became_text_is_refused_by_name(store: SnapshotStore) -> None:
    put(store, FIRST, rows(("a", "1.00", 1)))
    put(store, SECOND, pa.table({"id": ["a"], "amount": pa.array(["1.00"])}))
    with pytest.raises(DataError, match="invoices") as caught:
        store.read("invoices")
    assert caught.value.code == "column-type"


def test_what_was_never_fetched_is_empty_with_a_schema_and_an_error_without(store: SnapshotStore) -> None:
    assert store.read("invoices", schema=SCHEMA).schema == SCHEMA
    with pytest.raises(DataError, match="no snapshot of netsuite/invoices yet"):
        store.read("invoices")


def test_a_crash_while_writing_leaves_the_day_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SnapshotStore(tmp_path, "netsuite")
    before = put(store, FIRST, rows(("a", "1.00", 1)))

    def stop(descriptor: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(OSError, match="full"):
        put(store, FIRST, rows(("a", "9.00", 1)))
    monkeypatch.undo()
    assert store.manifest("invoices", FIRST) == before
    folder = Path(str(store.path("invoices", FIRST).parent))
    assert sorted(entry.name for entry in folder.iterdir()) == ["manifest.json", "part.parquet"]


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "netsuite")
    put(store, FIRST, rows(("a", "1.00", 1)))
    path = Path(str(store.path("invoices", FIRST)))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match="damaged") as caught:
        store.manifest("invoices", FIRST)
    assert "2026-05-01" in caught.value.remedy
    pq.write_table(rows(), path)
    with pytest.raises(DataError, match="not written by this program"):
        store.manifest("invoices", FIRST)


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, "netsuite")
    put(store, FIRST, rows(("a", "1.00", 1)))
    path = Path(str(store.path("invoices", FIRST)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
