"""What was delivered comes again: in other bytes, by another way, twice at once, on pages that repeat or drift.

Belongs here: one case from delivery to verdict. Does not belong here: the forms (`redeliver_forms`), drifting pages
(`redeliver_pages`), the process that receives beside another (`redeliver_child`).

Verdicts come from the sandbox's dump and its count of calls, and from the stored Parquet files: one settlement, its rows
as they were, the books as they were, no write call.
"""

from __future__ import annotations

import base64
import multiprocessing
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq

from ledger_pipelines.cli.drops import drop_file
from ledger_pipelines.cli.settlements import take_in
from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival, ArrivalOutcome
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines_tests.faults.drill_books import Picture
from ledger_pipelines_tests.faults.drills import redeliver_child, redeliver_pages
from ledger_pipelines_tests.faults.drills.redeliver_forms import FORMS, Form
from ledger_pipelines_tests.faults.entries import SETTLEMENTS, Entry
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.own_cases import OwnCases
from ledger_pipelines_tests.stage import Stage

SCENE = "small"
ROUNDS = 12
_PATIENCE = 120
_SPAWN = multiprocessing.get_context("forkserver")
_SPAWN.set_forkserver_preload([redeliver_child.__name__])
_FAST = (
    "again:amazon_netsuite:drop:renamed", "again:amazon_netsuite:drop:columns", "again:amazon_netsuite:api:gzip",
    "again:amazon_netsuite:cli:amounts-swapped", "at-once:amazon_netsuite:one-name:1",
    "drift:customers:read-one-changes:1", "drift:items:read-one-goes:1", "list:amazon_netsuite:duplicate_entry",
)  # fmt: skip


def _by_drop(stage: Stage, source: str, form: Form, content: bytes) -> ArrivalOutcome:
    """As the folder's sensor takes it."""
    path = stage.drop / form.file
    path.write_bytes(content)
    return Arrivals.of(stage.loaded, source).take(path)


def _by_cli(stage: Stage, source: str, form: Form, content: bytes) -> ArrivalOutcome:
    """As the commands `drop` and `run` take it."""
    path = stage.folder / form.file
    path.write_bytes(content)
    drop_file(stage.loaded.config.amazon(source), path)
    (outcome,) = take_in(stage.loaded, source)
    if not isinstance(outcome, ArrivalOutcome):
        raise outcome
    return outcome


def _publish(stage: Stage, name: str, content: bytes) -> None:
    body = {
        "name": name, "content_base64": base64.b64encode(content).decode(), "compression": "auto",
        "report_type": "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2", "data_start": "2026-03-02T14:00:11Z",
        "data_end": "2026-03-16T14:00:11Z",
    }  # fmt: skip
    stage.control.post("/amazon/documents", json=body).raise_for_status()


def _by_api(stage: Stage, source: str, form: Form, content: bytes) -> ArrivalOutcome:
    """As the run takes it that the sensor on the Reports API asks for."""
    stage.control.post("/reset", json={"vendor": "amazon", "seed": "empty"}).raise_for_status()
    _publish(stage, form.file, content)
    arrivals = Arrivals.of(stage.loaded, source)
    with closing(arrivals.api(patience=60)) as api:
        (listed,) = api.list_settlement_reports()
        fetched = api.fetch(listed, arrivals.fetched_folder)
    return arrivals.receive(fetched.path, name=listed.report_id, charset=fetched.charset)


WAYS: Mapping[str, Callable[[Stage, str, Form, bytes], ArrivalOutcome]] = {
    "drop": _by_drop, "cli": _by_cli, "api": _by_api,
}  # fmt: skip
_UNPACKED_BY_API = frozenset({"gzip"})
"""A document is unpacked while it is fetched, so that it is the same bytes again."""


class RedeliverDrill(Drill):
    """See the module."""

    name = "redeliver"
    shows = "files again in any form, by any way, twice at once; pages repeating and drifting: nothing doubled or lost"

    def prepare(self) -> None:
        """Each entry's scene is booked once; cases begin with a copy of that."""
        self._own = OwnCases(self)
        self._sandbox = self.stack.enter_context(running_sandbox(seed="demo"))
        self._number = 0
        self._booked: dict[str, Picture] = {}
        for entry in SETTLEMENTS.values():
            scene = entry.scenes[SCENE]
            with closing(entry.open(self._sandbox, self._folder(f"booked-{entry.name}"))) as stage:
                stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
                partition = stage.arrive(scene.content, name="settlement.txt")
                stage.control.post("/snapshot", json={"name": f"{entry.name}-seeded"}).raise_for_status()
                result = stage.run(partition)
                if result.exit_code:
                    raise ValueError(f"the undisturbed run of {entry.name} ends with {result.exit_code}")
                self._booked[entry.name] = entry.picture(stage)
                stage.control.post("/snapshot", json={"name": f"{entry.name}-booked"}).raise_for_status()

    def cases(self) -> Sequence[str]:
        """Each form by each way; two processes at once; drifting pages; lists that repeat."""
        if self.setting.fast:
            return _FAST
        again = [
            f"again:{entry}:{way}:{form.name}"
            for entry, forms in FORMS.items()
            for way in WAYS
            for form in forms
        ]
        at_once = [
            f"at-once:{entry}:{names}:{n}" for entry in FORMS for names in ("one-name", "two-names")
            for n in range(1, ROUNDS + 1)
        ]  # fmt: skip
        lists = [f"list:{entry}:{kind}" for entry in FORMS for kind in ("duplicate_entry", "blank_page")]
        return [*again, *at_once, *redeliver_pages.cases(), *lists, *self._own.names()]

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        if self._own.has(case):
            return self._own.carry_out(case)
        kind, *rest = case.split(":")
        entry = SETTLEMENTS[rest[0]] if kind != "drift" else SETTLEMENTS["amazon_netsuite"]
        carried = {
            "again": self._again, "at-once": self._at_once, "drift": self._drift, "list": self._listed,
        }[kind]  # fmt: skip
        problems, figures = carried(entry, case)
        return Verdict(case, tuple(problems), figures)

    # --- what comes again --------------------------------------------------------------------------------------------

    def _again(self, entry: Entry[Stage], case: str) -> tuple[list[str], dict[str, int]]:
        _, _, way, name = case.split(":")
        form = next(form for form in FORMS[entry.name] if form.name == name)
        scene = entry.scenes[SCENE]
        with closing(self._copy(entry)) as stage:
            before = stored(stage.folder)
            content = form.make(scene.content)
            stage.forget_calls()
            outcome = WAYS[way](stage, _source(stage, entry), form, content)
            due = Arrival.SAME_CONTENT if way == "api" and name in _UNPACKED_BY_API else form.outcome
            codes = [finding.code for finding in outcome.errors]
            problems = (
                []
                if outcome.status is due
                else [f"{outcome.status.value} {codes}, where {due.value} was due"]
            )
            problems += self._refusal(form, outcome, content) if due is Arrival.REFUSED else []
            problems += self._unchanged(entry, stage, before)
        return problems, {"deliveries": 1, "refused": int(due is Arrival.REFUSED)}

    @staticmethod
    def _refusal(form: Form, outcome: ArrivalOutcome, content: bytes) -> list[str]:
        """Refused by name, with the difference, and kept as it came."""
        problems = []
        if form.code not in [finding.code for finding in outcome.errors]:
            problems.append(f"the refusal does not say {form.code}: {outcome.message}")
        if outcome.moved_to is None or outcome.moved_to.read_bytes() != content:
            problems.append("the refused file is not kept as it came")
        if form.code == "content-conflict" and "in this file" not in outcome.message:
            problems.append(f"the refusal does not show the difference: {outcome.message}")
        return problems

    def _unchanged(self, entry: Entry[Stage], stage: Stage, before: Counter[str]) -> list[str]:
        """After another run: the same rows in the store, the same books, no write call."""
        scene = entry.scenes[SCENE]
        stage.run(scene.partition)
        writes = stage.writes()
        problems = [f"{writes} write calls on the second coming"] if writes else []
        problems += entry.picture(stage).differences(self._booked[entry.name])
        after = stored(stage.folder)
        if after != before:
            problems.append(
                f"the stored rows changed: {sum((after - before).values())} more, {sum((before - after).values())} fewer"
            )
        return problems

    # --- two at once -------------------------------------------------------------------------------------------------

    def _at_once(self, entry: Entry[Stage], case: str) -> tuple[list[str], dict[str, int]]:
        """Two processes receive the file at the same moment, under one name or under two."""
        _, _, names, number = case.split(":")
        scene = entry.scenes[SCENE]
        with closing(self._copy(entry, state="seeded")) as stage:
            shutil.rmtree(stage.folder / "data")
            files = ["a.txt", "a.txt" if names == "one-name" else "b.txt"]
            for file in files:
                (stage.drop / file).write_bytes(scene.content)
            barrier, answers = _SPAWN.Barrier(len(files)), _SPAWN.Queue()
            source = _source(stage, entry)
            children = [
                _SPAWN.Process(
                    target=redeliver_child.receive,
                    args=(
                        str(stage.folder / "ledger.yaml"),
                        source,
                        str(stage.drop / file),
                        barrier,
                        answers,
                    ),
                )
                for file in files
            ]
            for child in children:
                child.start()
            told = [answers.get(timeout=_PATIENCE) for _ in children]
            for child in children:
                child.join(_PATIENCE)
            problems = [f"a process ended with {one}" for one in told if one.startswith("traceback")]
            outcomes = Counter(told)
            if outcomes["accepted"] != 1:
                problems.append(f"accepted {outcomes['accepted']} times: {sorted(told)}")
            left = [path.name for path in stage.drop.iterdir() if path.is_file()]
            if left:
                problems.append(f"left in the drop folder: {left}")
            rows = stored(stage.folder)
            want = sum(1 for line in scene.content.splitlines()[2:] if line.strip())
            if sum(rows.values()) != want:
                problems.append(f"{sum(rows.values())} rows stored instead of {want}")
            if number == "1":
                stage.run(scene.partition)
                problems += entry.picture(stage).differences(self._booked[entry.name])
        return problems, {"deliveries": len(files), "at once": 1}

    # --- pages and lists ---------------------------------------------------------------------------------------------

    def _drift(self, entry: Entry[Stage], case: str) -> tuple[list[str], dict[str, int]]:
        with closing(self._copy(entry)) as stage:
            return redeliver_pages.carry_out(stage, case)

    def _listed(self, entry: Entry[Stage], case: str) -> tuple[list[str], dict[str, int]]:
        """A list of reports over two pages, of which one repeats an entry or is empty: each report once."""
        kind = case.rpartition(":")[2]
        with closing(self._copy(entry)) as stage:
            stage.control.post("/reset", json={"vendor": "amazon", "seed": "empty"}).raise_for_status()
            for number in range(102):
                _publish(stage, f"{number}.txt", b"x")
            there = stage.control.get("/dump/amazon").raise_for_status().json()["reports"]
            stage.control.post(
                "/faults", json={"vendor": "amazon", "kind": kind, "path": "/reports\\?", "times": 1}
            ).raise_for_status()
            arrivals = Arrivals.of(stage.loaded, _source(stage, entry))
            with closing(arrivals.api(patience=60)) as api:
                listed = [one.report_id for one in api.list_settlement_reports()]
            fired = stage.fired()
        want = sorted(report["reportId"] for report in there)
        problems = [] if sorted(listed) == want else [f"{len(listed)} listed, {len(want)} are there"]
        return [*problems, *([] if fired else [f"{kind} did not happen"])], {"pages": 2}

    # --- stages ------------------------------------------------------------------------------------------------------

    def _folder(self, name: str) -> Path:
        folder = self.setting.folder / name
        folder.mkdir()
        return folder

    def _copy(self, entry: Entry[Stage], *, state: str = "booked") -> Stage:
        """The installation and the sandbox as they were when the scene was booked, or seeded."""
        self._number += 1
        folder = self._folder(f"case-{self._number}")
        shutil.copytree(self.setting.folder / f"booked-{entry.name}" / "data", folder / "data")
        stage = entry.open(self._sandbox, folder)
        stage.control.post("/restore", json={"name": f"{entry.name}-{state}"}).raise_for_status()
        stage.control.delete("/faults").raise_for_status()
        return stage


def _source(stage: Stage, entry: Entry[Stage]) -> str:
    return stage.loaded.config.integration(entry.name).source


def stored(folder: Path) -> Counter[str]:
    """Every row of every accepted settlement, as it lies in the Parquet files, with how often it is there."""
    rows: Counter[str] = Counter()
    for manifest in (folder / "data" / "settlements").rglob("manifest.json"):
        table = pq.read_table(manifest.parent / "rows.parquet")
        rows.update(f"{manifest.parent.name} {row}" for row in table.to_pylist())
    return rows


DRILL = RedeliverDrill
