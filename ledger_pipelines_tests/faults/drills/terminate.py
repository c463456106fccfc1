"""terminate: a run of a real Dagster is ended in the middle of an export, in every way a run can end.

Belongs here: the strikes, and what must be true after each. Does not belong here: starting Dagster (`e2e.stack`), kills at
single points (`crash`).

Webserver, daemon, code server and run worker are processes of their own, with the shipped dagster.yaml. The sandbox is
slow, so that the export is under way when the strike comes. The judge reads the sandbox's books.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import psutil

from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.orchestration.names import sync_job
from ledger_pipelines.orchestration.schedules import range_tags
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests import stage as stages
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.e2e.stack import BIN, ROOT, Stack, running, wait
from ledger_pipelines_tests.faults.drill_books import Picture
from ledger_pipelines_tests.faults.entries import BY_DAYS, ENTRIES, SETTLEMENTS, Entry, Scene
from ledger_pipelines_tests.faults.kit import Drill, Verdict

SCENES = ("demo", "small")
"""The first that an integration has."""
FEW = ("terminate", "kill")
"""Strikes on an integration by days: what the others show is the host's, and the same."""
WINDOW = 3
"""Settle window of the connection, in seconds that really pass."""
SLOW = 1.2
"""Seconds the sandbox takes for an answer to a write."""
PATIENCE = 90
DAY = 86_400
TRIES = 8
_RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_LOGS = """
query Logs($id: ID!) {
  logsForRun(runId: $id, limit: 1000) { ... on EventConnection { events { ... on EngineEvent {
    metadataEntries { label ... on TextMetadataEntry { text } ... on IntMetadataEntry { intRepr } } } } } }
}
"""
_TERMINATE = (
    "mutation End($id: String!) { terminateRun(runId: $id) { __typename ... on PythonError { message } } }"
)
_OVER = frozenset({"SUCCESS", "FAILURE", "CANCELED"})


@dataclass(slots=True)
class Strike:
    """One stack with an export under way in it."""

    stack: Stack
    entry: Entry[Any]
    scene: Scene
    run_id: str
    reading: Any
    """An installation beside it, to read the books with."""
    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    said: str = ""

    @property
    def again(self) -> tuple[str, ...]:
        """The command that does the same as the run."""
        about = ("--partition", self.scene.partition) if self.scene.partition else ()
        return ("run", self.entry.name, *about)

    def status(self) -> str:
        """Of the run."""
        return str(self.stack.ask(_RUN, id=self.run_id)["runOrError"]["status"])

    def workers(self) -> list[psutil.Process]:
        """Living processes that the run was told to work in."""
        events = self.stack.ask(_LOGS, id=self.run_id)["logsForRun"]["events"]
        texts = [
            str(entry.get("text") or entry.get("intRepr") or "")
            for event in events
            for entry in event.get("metadataEntries", ())
            if entry["label"] == "pid"
        ]
        pids = {int(text) for text in texts if text.isdigit()}
        return [psutil.Process(pid) for pid in sorted(pids) if psutil.pid_exists(pid)]

    def writes(self) -> int:
        """Writing calls so far."""
        return self.entry.written(self.reading)

    def quiet(self, what: str) -> None:
        """No call is begun any more. One that was under way is carried out, and counted, when the sandbox has done it."""
        time.sleep(1.5 * SLOW)
        before = self.writes()
        time.sleep(3 * SLOW)
        after = self.writes()
        self.figures["calls after the end"] = after - before
        if after != before:
            self.problems.append(f"{after - before} writing calls were begun after {what}")

    def command(self, *words: str) -> int:
        """`ledger-pipelines WORDS`; its exit code."""
        done = subprocess.run(
            [str(BIN / "ledger-pipelines"), *words], env=dict(self.stack.environ), cwd=ROOT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "Traceback" in done.stderr:
            self.problems.append(f"{' '.join(words)} ends with a traceback: {done.stderr[-300:]}")
        self.said = " ".join((done.stdout + done.stderr).split())
        return done.returncode

    def heal(self) -> None:
        """The sandbox is quick again."""
        self.reading.control.delete("/faults").raise_for_status()

    def finish(self) -> None:
        """What a person does: `resume`, then `run`, until nothing is open."""
        self.heal()
        self.command("resume", self.entry.name)
        code = 1
        for attempt in range(1, TRIES + 1):
            code = self.command(*self.again)
            self.figures["commands"] = attempt + 1
            if code == 0:
                break
            time.sleep(WINDOW + 1)  # the settle window, really
        if code != 0:
            self.problems.append(f"still open after {TRIES} runs (exit code {code}): {self.said[-300:]}")


def terminate(strike: Strike) -> None:
    """The button in the UI."""
    answer = strike.stack.ask(_TERMINATE, id=strike.run_id)["terminateRun"]
    if answer["__typename"] != "TerminateRunSuccess":
        strike.problems.append(f"Dagster does not terminate: {answer}")
    ended = wait(
        "the end of the run", PATIENCE, lambda: strike.status() if strike.status() in _OVER else None
    )
    if ended != "CANCELED":
        strike.problems.append(f"the run ended as {ended}, not CANCELED")
    strike.quiet("the run was terminated")


def killed(strike: Strike) -> None:
    """kill -9 of the run worker."""
    for worker in strike.workers():
        worker.kill()
    ended = wait(
        "the end of the run", PATIENCE, lambda: strike.status() if strike.status() in _OVER else None
    )
    if ended != "FAILURE":
        strike.problems.append(f"the run ended as {ended}, not FAILURE")
    strike.quiet("the worker was killed")


def orphaned(strike: Strike) -> None:
    """Everything above the run worker is killed; it works on while a person starts a second run."""
    workers = strike.workers()
    if not workers:
        strike.problems.append("no run worker was found")
        return
    mine = {worker.pid for worker in workers}
    parents = [parent for worker in workers for parent in worker.parents() if parent.pid != os.getpid()]
    above = [p for p in parents if p.pid not in mine and "dagster" in " ".join(p.cmdline())]
    strike.figures["parents killed"] = len(above)
    for parent in above:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent.kill()
    alive = [worker for worker in workers if worker.is_running()]
    if not above or not alive:
        strike.problems.append(
            f"no orphan came of it: {len(above)} parents killed, {len(alive)} workers alive"
        )
    strike.command(*strike.again)
    _, alive = psutil.wait_procs(alive, timeout=PATIENCE)
    for worker in alive:
        strike.problems.append(f"the orphan {worker.pid} never ends")
        worker.kill()


def doubled(strike: Strike) -> None:
    """Two persons press run while the run of the sensor is under way."""
    command = [str(BIN / "ledger-pipelines"), *strike.again]
    others = [
        subprocess.Popen(
            command,
            env=dict(strike.stack.environ),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    for other in others:
        other.wait(PATIENCE)
    wait("the end of the run", PATIENCE, lambda: strike.status() in _OVER)


STRIKES: Mapping[str, Callable[[Strike], None]] = {
    "terminate": terminate,
    "kill": killed,
    "orphan": orphaned,
    "twice": doubled,
}


class DRILL(Drill):
    """See the module."""

    name = "terminate"
    shows = "Terminate in Dagster, worker killed, orphan, two at once: it stops, never doubles, resumes by command"
    shards = 2
    weight = 2
    waits = True

    def prepare(self) -> None:
        """What the books look like when nobody interferes."""
        self._whole: dict[str, Picture] = {}

    def cases(self) -> Sequence[str]:
        """`ENTRY:STRIKE`."""
        strikes = ("kill",) if self.setting.fast else STRIKES
        found = [f"{entry}:{strike}" for entry in SETTLEMENTS for strike in strikes]
        if not self.setting.fast:
            found += [f"{entry}:{strike}" for entry in BY_DAYS for strike in FEW]
        return found

    def must_reach(self) -> Collection[str]:
        """Each strike met an export under way."""
        return {case.partition(":")[2] for case in self.cases()}

    def carry_out(self, case: str) -> Verdict:
        """One strike on a stack of its own."""
        name, _, kind = case.partition(":")
        entry = ENTRIES[name]
        scene = next(entry.scenes[one] for one in SCENES if one in entry.scenes)
        folder = self.setting.folder / case.replace(":", "-")
        folder.mkdir()
        with self._under_way(folder, entry, scene) as strike:
            STRIKES[kind](strike)
            strike.finish()
            now, twice = entry.picture(strike.reading), entry.doubles(strike.reading)
        whole = self._undisturbed(entry, scene)
        problems = [
            *strike.problems,
            *now.differences(whole),
            *(f"external id twice: {one}" for one in twice),
        ]
        figures = strike.figures | {"lost": now.lost(whole), "doubled": now.doubled(whole) + len(twice)}
        return Verdict(case, tuple(problems), figures, frozenset({kind}))

    @contextlib.contextmanager
    def _under_way(self, folder: Path, entry: Entry[Any], scene: Scene) -> Iterator[Strike]:
        by_days = entry.name in BY_DAYS
        account = '    account: "9123456_SB1"'
        changes = {} if by_days else {account: f"{account}\n    settle_window_seconds: {WINDOW}"}
        configure = functools.partial(self._scene_set, folder, entry, scene) if by_days else None
        seed = "empty" if by_days else "demo"
        with running(folder, configure, seed=seed, **changes) as stack:
            place = folder / "reading"
            place.mkdir()
            reading = _installation(entry, stack.control, place)
            try:
                slow = [
                    {**calls, "kind": "slow", "seconds": SLOW} for calls in entry.writes if calls.get("path")
                ]
                reading.control.post("/faults", json=slow).raise_for_status()
                reading.forget_calls()
                strike = Strike(stack, entry, scene, "", reading)
                strike.run_id = self._begun(stack, entry, scene, reading)
                wait("the first document written", PATIENCE, lambda: strike.writes() >= 2)
                yield strike
            finally:
                reading.close()

    @staticmethod
    def _scene_set(
        folder: Path, entry: Entry[Any], scene: Scene, addresses: Mapping[str, str]
    ) -> LoadedConfig:
        """An installation by days: made in the sandbox's past, so that the scene is over when the run begins."""
        with loopback(addresses["sandbox"]) as control:
            control.post("/clock", json={"offset_seconds": -entry.lasts}).raise_for_status()
            stage = _installation(entry, addresses["sandbox"], folder)
            try:
                entry.prepare(stage, scene, folder / "kept")
            finally:
                stage.close()
            control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
        path = folder / "ledger.yaml"
        window = "settle_window_seconds: "
        path.write_text(path.read_text().replace(f"{window}{stages.WINDOW}", f"{window}{WINDOW}"))
        return load_config(path, KINDS)

    @staticmethod
    def _begun(stack: Stack, entry: Entry[Any], scene: Scene, reading: Any) -> str:
        """The run: asked for by the sensor of a file that arrives, or by a person who chooses days."""
        if entry.name not in BY_DAYS:
            stack.drop("settlement.txt", scene.content)
            runs = wait("a run", PATIENCE, lambda: stack.runs(ledger__settlement=scene.partition))
            return str(runs[0]["runId"])
        # The books' date is a day ahead of UTC's for much of the day. Since the set-up, begun so long ago: of a day that was read in
        # part before a later one nothing is written.
        today = reading.service.today()
        reading.close_service()
        since = timedelta(days=math.ceil(entry.lasts / DAY) + 1)
        return stack.launch(sync_job(entry.name), range_tags(today - since, today))

    def _undisturbed(self, entry: Entry[Any], scene: Scene) -> Picture:
        if entry.name not in self._whole:
            folder = self.setting.folder / f"{entry.name}-alone"
            folder.mkdir()
            by_days = entry.name in BY_DAYS
            with running_sandbox(seed="empty" if by_days else "demo", vendors=entry.vendors) as sandbox:
                with loopback(
                    sandbox.control_url
                ) as control:  # the scene's days are those of the run that is struck
                    control.post("/clock", json={"offset_seconds": -entry.lasts}).raise_for_status()
                stage = entry.open(sandbox, folder)
                try:
                    if by_days:
                        entry.prepare(stage, scene, folder / "kept")
                        entry.live(stage, scene.partition)
                    else:
                        stage.arrive(scene.content, seed=False, name="settlement.txt")
                        stage.run(scene.partition)
                    self._whole[entry.name] = entry.picture(stage)
                finally:
                    stage.close()
        return self._whole[entry.name]


def _installation(entry: Entry[Any], control_url: str, folder: Path) -> Any:
    with loopback(control_url) as control:
        credentials = control.get("/credentials").json()
    addresses: dict[str, Any] = {name: told["base_url"] for name, told in credentials.items()}
    return entry.open(RunningSandbox(control_url, addresses, credentials, cast("Any", None)), folder)
