"""The file of newest rows is a shortcut only: whatever happens to it or to the days, the rows are those of the days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.storage.newest import MOST_BESIDE, SUFFIX, read_newest
from ledger_pipelines.storage.snapshots import SnapshotStore

FIRST = date(2026, 1, 1)
COLUMNS: dict[str, pa.DataType] = {
    "id": pa.string(),
    "changed": pa.timestamp("us", tz="UTC"),
    "text": pa.string(),
}
SCHEMA = pa.schema(COLUMNS)
Change = tuple[int, str]


def day_of(number: int) -> date:
    return FIRST + timedelta(days=number)


def write(store: SnapshotStore, number: int, ids: list[str], text: str) -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number)
    columns: list[list[object]] = [[*ids], [at] * len(ids), [text] * len(ids)]
    rows = pa.table(
        [pa.array(cells, one.type) for cells, one in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )
    window = Window(day_of(number), day_of(number), ZoneInfo("UTC"))
    store.write_day("orders", day_of(number), rows, window=window, basis="changed", run_id=text)


def newest(store: SnapshotStore) -> list[dict[str, object]]:
    found: list[dict[str, object]] = read_newest(
        store, "orders", key=["id"], modified="changed", schema=SCHEMA
    ).table.to_pylist()
    return found


def plain(store: SnapshotStore) -> list[dict[str, object]]:
    found: list[dict[str, object]] = store.latest(
        "orders", key=["id"], modified="changed", schema=SCHEMA
    ).to_pylist()
    return found


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    """Twelve days, each with a record of its own and one that changes every day; the shortcut is there."""
    found = SnapshotStore(tmp_path, "shop")
    for number in range(12):
        write(found, number, ["same", f"of-{number}"], f"v{number}")
    assert newest(found) == plain(found)
    assert file_of(found).exists()
    return found


def file_of(store: SnapshotStore) -> Path:
    return Path(f"{store.folder('orders')}{SUFFIX}")


def test_a_day_that_is_replaced_takes_its_old_rows_away(store: SnapshotStore) -> None:
    write(store, 3, ["other"], "anew")
    assert newest(store) == plain(store)
    assert {row["id"] for row in newest(store)} >= {"other"} and "of-3" not in {
        row["id"] for row in newest(store)
    }


def test_a_day_that_is_lost_takes_its_rows_away(store: SnapshotStore) -> None:
    for path in Path(str(store.path("orders", day_of(2)).parent)).iterdir():
        path.unlink()
    assert newest(store) == plain(store) and "of-2" not in {row["id"] for row in newest(store)}


def test_a_day_before_the_others_is_merged_in_its_place(store: SnapshotStore) -> None:
    write(store, -1, ["same", "early"], "early")
    assert newest(store) == plain(store) and "early" in {row["id"] for row in newest(store)}


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None])
def test_a_damaged_file_is_made_anew(store: SnapshotStore, content: bytes | None) -> None:
    path = file_of(store)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content is None else content)
    assert newest(store) == plain(store)


def test_other_columns_are_read_from_the_days(store: SnapshotStore) -> None:
    wider = SCHEMA.append(pa.field("more", pa.string()))
    found = read_newest(store, "orders", key=["id"], modified="changed", schema=wider).table
    assert found == store.latest("orders", key=["id"], modified="changed", schema=wider)


def test_hashes_are_those_of_the_days(store: SnapshotStore) -> None:
    found = read_newest(store, "orders", key=["id"], modified="changed", schema=SCHEMA)
    known = {one.day: one.content_hash for one in store.manifests("orders")}
    assert found.hashes and found.hashes.items() <= known.items() and day_of(11) not in found.hashes


def test_the_version_tells_every_write_of_a_day(store: SnapshotStore) -> None:
    seen = {store.version("orders")}
    for _ in range(20):
        write(store, 11, ["same"], "same")
        seen.add(store.version("orders"))
    assert len(seen) == 21
    assert store.version("nothing") == ""


@settings(deadline=None)  # every example writes files
@given(
    st.lists(
        st.tuples(st.integers(0, MOST_BESIDE + 6), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=30
    )
)
def test_whatever_is_written_in_whatever_order_the_rows_are_those_of_the_days(
    tmp_path_factory: pytest.TempPathFactory, changes: list[Change]
) -> None:
    store = SnapshotStore(tmp_path_factory.mktemp("newest"), "shop")
    for place, (number, key) in enumerate(changes):
        write(store, number, [key], f"w{place}")
        if place % 3 == 0:
            assert newest(store) == plain(store)
    assert newest(store) == plain(store)
