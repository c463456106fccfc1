"""Stored plans come back identical, or not at all."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from ledger_pipelines import faultpoints
from ledger_pipelines.documents.effects import Action
from ledger_pipelines.errors import DataError, RefusedError
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines_tests.faults.engine_target import make_effect, make_plan


def _plan(count: int = 3) -> Plan:
    effects = [
        make_effect(
            f"{i}", amount="0.10", origin="salesOrder/$link:KEY0" if i else "", body={"n": i, "u": "é\u2028"}
        )
        for i in range(count)
    ]
    blocked = PlanRow(
        Action.BLOCKED, Reason("no-order", "There is no order."), "B1", "111-222", "Order 111-222"
    )
    return make_plan(*effects, rows=[blocked])


def test_a_stored_plan_comes_back_identical(tmp_path: Path) -> None:
    plan, store = _plan(), PlanStore(tmp_path)
    store.save(plan)
    assert store.latest("shop_books", "invoices", "2026-03-01") == plan
    assert store.by_digest(plan.digest) == plan
    assert store.by_digest(plan.digest[:8]) == plan


def test_the_latest_plan_is_the_one_stored_last_and_older_ones_stay(tmp_path: Path) -> None:
    first, second, store = _plan(1), _plan(2), PlanStore(tmp_path)
    store.save(first)
    store.save(second)
    assert store.latest("shop_books", "invoices", "2026-03-01") == second
    assert store.by_digest(first.digest) == first


def test_partitions_do_not_share_a_latest_plan_and_names_are_no_paths(tmp_path: Path) -> None:
    store = PlanStore(tmp_path / "plans")
    odd = make_plan(make_effect("1"), partition="../../etc/passwd")
    store.save(odd)
    assert store.latest("shop_books", "invoices", "2026-03-01") is None
    assert store.latest("shop_books", "invoices", "../../etc/passwd") == odd
    assert {path.name for path in tmp_path.iterdir()} == {"plans"}


def test_a_plan_that_does_not_fit_its_digest_is_not_stored(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        PlanStore(tmp_path).save(replace(_plan(), rows=()))


@pytest.mark.parametrize("damage", ["cut", "flip", "drop-line"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    plan, store = _plan(), PlanStore(tmp_path)
    path = store.save(plan)
    raw = path.read_bytes()
    lines = raw.splitlines(keepends=True)
    path.write_bytes(
        {"cut": raw[:-40], "flip": raw.replace(b"0.10", b"0.11", 1), "drop-line": b"".join(lines[:-1])}[
            damage
        ]
    )
    with pytest.raises(DataError, match="damaged"):
        store.by_digest(plan.digest)


def test_words_that_the_digest_does_not_cover_cannot_be_altered_either(tmp_path: Path) -> None:
    plan, store = _plan(), PlanStore(tmp_path)
    path = store.save(plan)
    path.write_bytes(path.read_bytes().replace(b"There is no order.", b"All is in order.  "))
    with pytest.raises(DataError, match="damaged or was altered"):
        store.by_digest(plan.digest)


def test_bytes_that_are_no_text_are_a_damaged_plan_and_no_crash(tmp_path: Path) -> None:
    plan, store = _plan(), PlanStore(tmp_path)
    path = store.save(plan)
    path.write_bytes(path.read_bytes().replace(b"invoices", b"invo\xe1ces"))
    with pytest.raises(DataError, match="damaged or was altered"):
        store.by_digest(plan.digest)
    (pointer,) = (tmp_path / "latest").iterdir()
    pointer.write_bytes(b"\xff" + pointer.read_bytes()[1:])
    with pytest.raises(DataError):
        store.latest("shop_books", "invoices", "2026-03-01")


def test_a_plan_stored_before_there_was_a_seal_is_read(tmp_path: Path) -> None:
    plan, store = _plan(), PlanStore(tmp_path)
    path = store.save(plan)
    *lines, _seal = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0].replace(b'"format":2', b'"format":1'), *lines[1:]]))
    assert store.by_digest(plan.digest) == plan


def test_a_process_killed_while_storing_leaves_the_earlier_plan(tmp_path: Path) -> None:
    first, second, store = _plan(1), _plan(2), PlanStore(tmp_path)
    store.save(first)

    def stop(name: str) -> None:
        if name == "plan.before_store":
            raise KeyboardInterrupt

    faultpoints.install(stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            store.save(second)
    finally:
        faultpoints.install(None)
    assert store.latest("shop_books", "invoices", "2026-03-01") == first
    assert not list(tmp_path.rglob(".*"))


def test_a_large_plan_is_stored_and_read_in_seconds(tmp_path: Path) -> None:
    row = _plan(1).rows[0]
    assert row.effect is not None
    effect = row.effect
    rows = tuple(
        replace(row, key=f"K{i}", number=str(i), effect=replace(effect, key=f"K{i}")) for i in range(20_000)
    )
    plan = replace(_plan(1), rows=rows).sealed()
    started = time.process_time()
    PlanStore(tmp_path).save(plan)
    assert PlanStore(tmp_path).by_digest(plan.digest) == plan
    assert time.process_time() - started < 20
