"""The store of settlements, lost, comes again from the landed files: the same rows, manifests and names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival, ArrivalOutcome, receive_file
from ledger_pipelines.integrations.amazon_netsuite.restore import restore_settlements
from ledger_pipelines.storage.landing import NOTE_SUFFIX
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines_tests.generate import SettlementFile, account, many, order

AMZ = "amz"


class Setup:
    def __init__(self, folder: Path) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.store = SettlementStore(folder / "data")

    def arrive(self, content: bytes, name: str, charset: str = "") -> ArrivalOutcome:
        path = self.drop / name
        path.write_bytes(content)
        options = ReadOptions(charset=charset or None)
        return receive_file(path, connection=AMZ, store=self.store, options=options)

    def lose_settlements(self) -> None:
        shutil.rmtree(self.store.root / "settlements")

    def restore(self) -> list[ArrivalOutcome]:
        return list(restore_settlements(AMZ, self.store, ReadOptions()))

    def landed(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in (self.store.root / "landing").rglob("*") if p.is_file()}


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


def test_rows_manifests_and_names_are_as_before_and_the_landed_files_are_not_touched(setup: Setup) -> None:
    first, second = many(5, settlement_id="26100000001"), many(7, settlement_id="26100000002")
    for content, name in ((first.v2(), "a.txt"), (first.v2(), "again.txt"), (second.v2(), "b.txt")):
        assert setup.arrive(content, name).accepted
    setup.arrive(first.v1(), "other variant.txt")
    before = setup.store.all(AMZ)
    rows = {m.settlement_id: pq.read_table(setup.store.rows_path(AMZ, m.settlement_id)) for m in before}
    landed = setup.landed()
    setup.lose_settlements()
    assert [one.status for one in setup.restore()].count(Arrival.ACCEPTED) == 2
    assert setup.store.all(AMZ) == before
    assert setup.landed() == landed
    for sid, table in rows.items():
        assert pq.read_table(setup.store.rows_path(AMZ, sid)).equals(table)
    assert setup.restore() == []


def test_the_file_that_came_first_is_the_one_kept_again(setup: Setup) -> None:
    file = many(5, settlement_id="26100000001")
    contents = sorted([file.v1(), file.v2()], key=len)
    for number, content in enumerate(contents):
        assert setup.arrive(content, f"{number}.txt").accepted
    kept = setup.store.all(AMZ)[0].variant
    setup.lose_settlements()
    setup.restore()
    assert setup.store.all(AMZ)[0].variant == kept


def test_a_charset_that_only_the_server_declared_is_remembered(setup: Setup) -> None:
    content = SettlementFile(
        "26100000001", (order("113-1-1", "10.00", sku="TEE-XX"), account("Fee", "-1.00"))
    )
    raw = content.v2().replace(b"TEE-XX", "TÉE-Ż".encode("iso-8859-2"))
    outcome = setup.arrive(raw, "a.txt", charset="iso-8859-2")
    assert outcome.accepted, outcome.message
    before = pq.read_table(setup.store.rows_path(AMZ, "26100000001"))
    assert "TÉE-Ż" in before.column("sku").to_pylist()
    setup.lose_settlements()
    setup.restore()
    assert pq.read_table(setup.store.rows_path(AMZ, "26100000001")).equals(before)


def test_rows_that_are_gone_or_not_those_accepted_are_made_again(setup: Setup) -> None:
    for number in (1, 2, 3):
        assert setup.arrive(many(4, settlement_id=f"2610000000{number}").v2(), f"{number}.txt").accepted
    before = {m.settlement_id: setup.store.rows_path(AMZ, m.settlement_id) for m in setup.store.all(AMZ)}
    tables = {sid: pq.read_table(path) for sid, path in before.items()}
    before["26100000001"].unlink()
    before["26100000002"].write_bytes(before["26100000003"].read_bytes())
    before["26100000003"].write_bytes(b"PAR1 not really")
    assert [one.status for one in setup.restore()] == [Arrival.ACCEPTED] * 3
    assert {sid: pq.read_table(path) for sid, path in before.items()} == tables


def test_a_damaged_landed_file_is_named_and_stops_no_other(setup: Setup) -> None:
    bad = setup.arrive(many(4, settlement_id="26100000001").v2(), "1.txt")
    assert setup.arrive(many(4, settlement_id="26100000002").v2(), "2.txt").accepted
    path = setup.store.root / "landing" / AMZ / bad.sha256[:2] / bad.sha256
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"Principal", b"Principaz"))
    setup.lose_settlements()
    damaged, whole = setup.restore()
    assert (damaged.accepted, whole.accepted) == (False, True)
    assert "is damaged" in damaged.message
    assert path.exists()
    assert [m.settlement_id for m in setup.store.all(AMZ)] == ["26100000002"]


def test_files_landed_by_an_older_version_have_no_note_and_are_read_all_the_same(setup: Setup) -> None:
    assert setup.arrive(many(4).v2(), "1.txt").accepted
    for note in (setup.store.root / "landing").rglob(f"*{NOTE_SUFFIX}"):
        note.unlink()
    setup.lose_settlements()
    (outcome,) = setup.restore()
    assert outcome.accepted
