"""Drill `resources`: the machine refuses, or the clock lies, at each write; a sentence says so, and the next run completes.

Belongs here: which cases, what has to hold. Does not belong here: the conditions (`faults.conditions`), the process they
happen to (`faults.host`), the cases about time (`faults.times`).

Cases: `CONDITION@EVENT#N`: the condition begins at the n-th reach of a fault point or of a file about to be written,
in a real `ledger-pipelines run`; `CONDITION@start`: it holds from the start; `snapshot:CONDITION`; `time:...`.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.faults.conditions import WORDS, Condition
from ledger_pipelines_tests.faults.drill_books import Picture
from ledger_pipelines_tests.faults.entries import ENTRIES, SETTLEMENTS, Entry
from ledger_pipelines_tests.faults.host import Host, Told
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.settlement_entry import hurry
from ledger_pipelines_tests.faults.times import TIMES, Times
from ledger_pipelines_tests.stage import WINDOW

SCENE = "small"
SETTLE_SECONDS = 1
RUNS = 6
AGAIN = "run it again"
SHARE = {Condition.FULL: 1, Condition.READ_ONLY: 5}
OTHER_SHARE = 9
BY_DAYS = {Condition.FULL: 5, Condition.READ_ONLY: 2}
"""So many events of an integration by days; one with each other condition. It writes in the same ways, only more often."""
START = "start"
_FAST = ("full@apply.before_confirm#2", "snapshot:full", "time:back-after-crash")
_BAD_WORDS = ("Traceback (most recent", "did not foresee")


@dataclass
class _Run:
    """One installation on the host's disks."""

    stage: Any
    folders: tuple[Path, ...]
    environ: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)

    @property
    def data(self) -> Path:
        """Where the product keeps everything."""
        return self.folders[0]


class DRILL(Drill):
    """Disk full, read-only, too many open files, no memory at each write; clocks that jump; tokens that expire."""

    name = "resources"
    shows = "disk full, read-only, handles, memory at each write; clocks, DST, month end, tokens: said, whole, resumed"
    parts: ClassVar[Mapping[str, int]] = {name: 4 if name in SETTLEMENTS else 1 for name in ENTRIES}

    def prepare(self) -> None:
        """A sandbox, a host with disks, and for each integration the books of a run that nothing disturbs."""
        sandbox = self.stack.enter_context(running_sandbox(seed="demo"))
        self._sandbox = sandbox
        self._host = self.stack.enter_context(Host())
        self._undisturbed: dict[str, Picture] = {}
        self._events: dict[str, Mapping[str, int]] = {}
        self._number = 0
        self._times = Times(sandbox, self.setting, self._undisturbed)
        for name, entry in ENTRIES.items():
            if (self.setting.fast and name not in SETTLEMENTS) or self.setting.part not in ("", name):
                continue
            self._seed(entry)
            with self._installed(name) as run:
                self._host.warm("cli", ["run", name], run.environ)
            with self._installed(name) as run:
                told = self._command(run, name)
                if told.code != 0:
                    raise RuntimeError(
                        f"the undisturbed run of {name} ends with {told.code}: {told.err[-300:]}"
                    )
                self._undisturbed[name] = self._picture(entry, run)
                self._events[name] = told.events

    def _seed(self, entry: Entry[Any]) -> None:
        """The books as they are before the scene, kept aside under the integration's name."""
        scene = entry.scenes[SCENE]
        self._clock(-entry.lasts)
        stage = entry.open(self._sandbox, self._folder())
        try:
            if entry.name in SETTLEMENTS:
                stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
                stage.arrive(scene.content)
                hurry(stage)
            else:
                entry.prepare(stage, scene, self._kept(entry))
            stage.control.post("/snapshot", json={"name": f"resources-{entry.name}"}).raise_for_status()
        finally:
            stage.close()

    def _clock(self, offset: float) -> None:
        """Commands live in real time, and so has the sandbox to."""
        with loopback(self._sandbox.control_url) as control:
            control.post("/clock", json={"offset_seconds": offset}).raise_for_status()

    def _kept(self, entry: Entry[Any]) -> Path:
        place = self.setting.folder / f"kept-{entry.name}"
        place.mkdir(exist_ok=True)
        return place

    @staticmethod
    def _picture(entry: Entry[Any], run: _Run) -> Picture:
        """The books; of an integration by days after the run that brings the store what the last one has sold."""
        return entry.picture(run.stage)

    def cases(self) -> Sequence[str]:
        """Every event with a full disk, a chosen fifth with a read-only one, a ninth with each other condition; times."""
        if self.setting.fast:
            return [f"{next(iter(SETTLEMENTS))}/{case}" for case in _FAST]
        found: list[str] = []
        for name, events in self._events.items():
            chooser = random.Random(f"{self.setting.seed}:{name}")
            few = name not in SETTLEMENTS
            for condition in Condition:
                if not few or condition is Condition.FULL:
                    found.append(f"{name}/{condition}@{START}#1")
                names = sorted(events)
                many = BY_DAYS.get(condition, 1) if few else len(names) // SHARE.get(condition, OTHER_SHARE)
                names = sorted(chooser.sample(names, many))
                found += [
                    f"{name}/{condition}@{event}#{chooser.choice((1, _late(events[event])))}"
                    for event in names
                ]
            if few:
                continue
            found += [f"{name}/snapshot:{condition}" for condition in Condition]
            found += [f"{name}/time:{one}" for one in TIMES]
        return found

    def must_reach(self) -> Collection[str]:
        """Each condition really began."""
        return {"full"} if self.setting.fast else set(Condition)

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        integration, _, rest = case.partition("/")
        if rest.startswith("time:"):
            return self._times.carry_out(case, integration, rest.removeprefix("time:"))
        if rest.startswith("snapshot:"):
            return self._snapshot(case, integration, Condition(rest.removeprefix("snapshot:")))
        condition, _, at = rest.partition("@")
        event, _, nth = at.rpartition("#")
        return self._refused(
            case, integration, Condition(condition), "" if event == START else event, int(nth)
        )

    # --- a run that is refused something ---------------------------------------------------------------------------

    def _refused(self, case: str, name: str, condition: Condition, event: str, nth: int) -> Verdict:
        entry = ENTRIES[name]
        with self._installed(name) as run:
            told = self._command(run, name, condition, event, nth)
            figures = run.figures
            if not told.began:
                run.problems.append(f"{event} was not reached {nth} times (exit code {told.code})")
            self._judge_words(run, told, condition)
            self._judge_stored(entry, run, condition)
            before = len(entry.names(run.stage))
            for attempt in range(1, RUNS + 1):
                again = self._command(run, name)
                figures["runs after it"] += 1
                # 0 may leave rows that settle by themselves once the settle window is over: all of them must
                if again.code == 0 and not self._open(run):
                    break
                if attempt < RUNS:
                    time.sleep(SETTLE_SECONDS + 0.1)  # the settle window of this connection, in real seconds
            else:
                run.problems.append(f"still open after {RUNS} runs: {again.out[-150:]} {again.err[-150:]}")
            now = self._picture(entry, run)
            wanted = self._undisturbed[name]
            run.problems += now.differences(wanted)
            run.problems += [f"external id twice: {one}" for one in entry.doubles(run.stage)]
            figures["written before it"] += before
            figures["lost"] += now.lost(wanted)
            figures["doubled"] += now.doubled(wanted)
            return Verdict(
                case, tuple(run.problems), dict(figures), frozenset({str(condition)} if told.began else ())
            )

    def _open(self, run: _Run) -> int:
        """Rows of the journal that are not confirmed."""
        look = self._host.run("look", [str(run.data)], run.environ, folders=run.folders)
        return int(json.loads(look.out)["open"]) if look.code == 0 else 1

    def _judge_words(self, run: _Run, told: Told, condition: Condition) -> None:
        """A run that was stopped says by what, names the file, and says what to do; in one sentence."""
        run.figures["refused" if told.code else "unharmed"] += 1
        said = told.err + told.out
        if told.code < 0 or told.code in (98, 99):
            # Arrow, DuckDB and Polars end the process when memory runs out inside them: as a kill does.
            run.figures["ended by a library"] += 1
            if condition is not Condition.MEMORY or told.code in (98, 99):
                run.problems.append(f"it ended with {told.code}: {said[-250:]}")
            return
        run.problems += [f"it says {words!r}: {said[-300:]}" for words in _BAD_WORDS if words in said]
        if told.code == 0:
            return
        fits = any(words in said for words in WORDS[condition])
        if not fits or AGAIN not in said:
            run.problems.append(f"no sentence about {condition} with a remedy: {said[-300:]}")
        elif str(run.stage.folder) not in said and "something it needs" in said:
            run.problems.append(f"the file is not named: {said[-300:]}")

    def _judge_stored(self, entry: Entry[Any], run: _Run, condition: Condition) -> None:
        """Nothing half-written counts; whatever the target holds of ours has its intent."""
        look = self._host.run("look", [str(run.data)], run.environ, folders=run.folders)
        if look.code != 0:
            run.problems.append(f"what is stored cannot be read: {look.err[-300:]}")
            return
        stored = json.loads(look.out)
        run.problems += stored["broken"]
        if condition not in (
            Condition.READ_ONLY,
            Condition.MEMORY,
        ):  # there, nothing can be removed; here, it may be killed
            run.problems += [f"a file in the making was left: {one}" for one in stored["drafts"]]
        without = entry.intended(run.stage) - set(stored["intents"]) - self._seeded
        run.problems += [f"written without an intent: {one}" for one in sorted(without)]

    # --- snapshots -------------------------------------------------------------------------------------------------

    def _snapshot(self, case: str, name: str, condition: Condition) -> Verdict:
        """A day that cannot be replaced is as it was, and is replaced once it can be."""
        with self._installed(name) as run:
            data = [str(run.data)]
            self._host.run("snapshot", [*data, "first"], run.environ)
            told = self._host.run(
                "snapshot", [*data, "second"], run.environ, folders=run.folders, condition=condition
            )
            self._judge_words(run, told, condition)
            held = json.loads(self._host.run("snapshot_look", data, run.environ).out)
            wanted = "second" if told.code == 0 else "first"
            if (held["rows"], held["manifest"]) != (wanted, wanted):
                run.problems.append(f"the day holds {held}, not the {wanted} content")
            self._host.run("snapshot", [*data, "second"], run.environ)
            held = json.loads(self._host.run("snapshot_look", data, run.environ).out)
            if (held["rows"], held["manifest"]) != ("second", "second"):
                run.problems.append(f"after that the day holds {held}")
            return Verdict(case, tuple(run.problems), dict(run.figures), frozenset({str(condition)}))

    # --- installations ---------------------------------------------------------------------------------------------

    def _folder(self) -> Path:
        self._number += 1
        folder = self.setting.folder / f"{self._number:04d}"
        folder.mkdir()
        return folder

    @contextmanager
    def _installed(self, name: str) -> Iterator[_Run]:
        """The sandbox's books as before the first write, and an installation with the file in its drop folder."""
        entry = ENTRIES[name]
        with loopback(self._sandbox.control_url) as control:
            control.post("/restore", json={"name": f"resources-{name}"}).raise_for_status()
            control.delete("/faults").raise_for_status()
        self._clock(0)
        stage = entry.open(self._sandbox, self._folder())
        written = stage.folder / "ledger.yaml"
        written.write_text(
            written.read_text().replace(
                f"settle_window_seconds: {WINDOW}", f"settle_window_seconds: {SETTLE_SECONDS}"
            )
        )
        self._seeded = entry.intended(stage)
        there = {stage.folder / "drop" / "settlement.txt": entry.scenes[SCENE].content}
        if name not in SETTLEMENTS:
            entry.place(stage, entry.scenes[SCENE], self._kept(entry), False)
            there = {path: path.read_bytes() for path in stage.folder.rglob("data/**/*") if path.is_file()}
        folders = (stage.folder / "data", stage.folder / "drop")
        environ = {
            **sandbox_environment(stage.loaded.config, self._sandbox.credentials),
            "LEDGER_CONFIG": str(stage.folder / "ledger.yaml"),
        }
        try:
            run = _Run(stage, folders, environ)
            if not self._host.disks(folders):
                run.figures["without a disk of its own"] += 1
            for path, content in there.items():
                self._host.put(path, content)
            yield run
        finally:
            self._host.release(folders)
            stage.close()

    def _command(
        self, run: _Run, name: str, condition: Condition | None = None, event: str = "", nth: int = 1
    ) -> Told:
        """`ledger-pipelines run NAME` as a person types it."""
        fitting = _fallback(condition, run.figures["without a disk of its own"] > 0)
        return self._host.run(
            "cli", ["run", name], run.environ, folders=run.folders, condition=fitting, event=event, nth=nth
        )


def _late(times: int) -> int:
    """A late one of so many times; not the last: with the answers' timing, a point is reached once more or less."""
    return times - times // 4


def _fallback(condition: Condition | None, plain: bool) -> Condition | None:
    """Without the right to mount, a full disk is a limit of the size of files."""
    return Condition.FILE_SIZE if plain and condition is Condition.FULL else condition


os.environ.setdefault("COLUMNS", "200")
