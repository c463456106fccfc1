"""The engine is killed, stopped and doubled, for real; the verdict is read from the ledger's own books."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.states import FAULT_POINTS
from ledger_pipelines_tests.faults import engine_child
from ledger_pipelines_tests.faults.engine_child import LEASE, REQUEST_SENT, WINDOW, Order

SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(["ledger_pipelines_tests.faults.engine_child"])


@dataclass
class Drill:
    """A ledger server, a folder, and children."""

    folder: Path
    port: int

    def order(self, **given: object) -> Order:
        return replace(Order(str(self.folder), self.port), **given)  # type: ignore[arg-type]  # fields of Order

    def start(self, order: Order) -> ForkServerProcess:
        process = SPAWN.Process(target=engine_child.run, args=(order,))
        process.start()
        return process

    def run(self, order: Order) -> int:
        process = self.start(order)
        process.join(60)
        assert process.exitcode is not None, "the child hangs"
        return process.exitcode

    def dump(self) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/dump", timeout=20) as answer:
            body: dict[str, object] = json.load(answer)
            return body

    def states(self) -> dict[EffectState, int]:
        with Journal.open(self.folder / "journal.db") as journal:
            assert journal.verify() is None
            return journal.counts()

    def finish(self, order: Order) -> None:
        """Run again until all is settled: a lease and a settle window are all that can be waited for."""
        deadline = time.monotonic() + 30 + (LEASE + WINDOW).total_seconds()
        while True:
            assert self.run(replace(order, at="")) == 0
            if self.states() == {EffectState.CONFIRMED: order.documents}:
                return
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.2)

    def exactly_once(self, order: Order) -> None:
        documents = self.dump()["documents"]
        assert isinstance(documents, list)
        held = Counter(document["external_id"] for document in documents)
        assert held == {f"EXT-{i}": 1 for i in range(order.documents)}
        with Journal.open(self.folder / "journal.db") as journal:
            links = journal.links("books", "invoice", held)
        assert {link.external_id: link.remote_id for link in links.values()} == {
            document["external_id"]: document["id"] for document in documents
        }
        calls = self.dump()["calls"]
        assert self.run(replace(order, at="")) == 0
        assert self.dump()["calls"] == calls


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    server = subprocess.Popen(
        [
            sys.executable, "-m", "ledger_pipelines_tests.faults.engine_server",
            "--books", str(tmp_path / "books.db"), "--delay", "0.05", "--lag", "0.3",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        yield Drill(tmp_path, int(server.stdout.readline()))
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "hits"),
    [(point, 1) for point in (*FAULT_POINTS, REQUEST_SENT)]
    + [
        (point, 3)
        for point in ("apply.marked_sent", "apply.after_send", "apply.before_confirm", REQUEST_SENT)
    ],
)
def test_killed_at_this_point_nothing_is_lost_or_doubled(drill: Drill, point: str, hits: int) -> None:
    order = drill.order(at=point, hits=hits)
    if point.startswith("recover."):
        assert drill.run(drill.order(at="apply.after_send", hits=2)) == -signal.SIGKILL
        time.sleep(0.3)
    code = drill.run(order)
    if hits == 1:
        assert code == -signal.SIGKILL, f"{point} was never reached"
    drill.finish(order)
    drill.exactly_once(order)


def test_killed_with_several_workers_and_batches_nothing_is_lost_or_doubled(drill: Drill) -> None:
    order = drill.order(documents=12, workers=3, batch_size=2, at=REQUEST_SENT, hits=5)
    assert drill.run(order) == -signal.SIGKILL
    drill.finish(order)
    drill.exactly_once(order)


def test_killed_again_and_again_it_still_ends(drill: Drill) -> None:
    order = drill.order(documents=6)
    for point in (
        "apply.marked_sent",
        "recover.after_probe",
        REQUEST_SENT,
        "recover.before_adopt",
        "apply.before_confirm",
    ):
        drill.run(replace(order, at=point))
    drill.finish(order)
    drill.exactly_once(order)


def test_several_appliers_of_one_plan_write_each_document_once(drill: Drill) -> None:
    order = drill.order(documents=20)
    children = [drill.start(order) for _ in range(3)]
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    drill.finish(order)
    drill.exactly_once(order)


@pytest.mark.parametrize("point", ["apply.before_send", REQUEST_SENT, "apply.after_send", "apply.claimed"])
def test_a_process_stopped_past_its_lease_is_fenced_when_it_wakes(drill: Drill, point: str) -> None:
    order = drill.order(documents=3, at=point, how="stop")
    sleeper = drill.start(order)
    assert sleeper.pid is not None
    _wait_for_stop(sleeper.pid)
    try:
        drill.finish(order)
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.join(60)
    assert sleeper.exitcode == 0
    drill.exactly_once(order)
    if point == "apply.claimed":
        return
    with Journal.open(drill.folder / "journal.db") as journal:
        assert "late-answer" in [line.event.what for line in journal.history("KEY0")]


def _wait_for_stop(pid: int) -> None:
    deadline = time.monotonic() + 30
    while (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline, "the child never stopped"
        time.sleep(0.02)
