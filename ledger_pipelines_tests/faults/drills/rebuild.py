"""What was lost is made again: the data folder from landed files and journal, the journal from the target's own books.

Belongs here: the cases. Does not belong here: killing a process at each point (`drills.crash`), Dagster (`in_dagster`).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq

from ledger_pipelines.documents.keys import digest
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines_tests.faults import chain_child, journals
from ledger_pipelines_tests.faults.drill_books import Picture, doubles
from ledger_pipelines_tests.faults.entries import SETTLEMENTS, Entry, Scene
from ledger_pipelines_tests.faults.exactness import Dump
from ledger_pipelines_tests.faults.ground import Ground, arriving
from ledger_pipelines_tests.faults.in_dagster import lost_home, lost_snapshots
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.modes import call
from ledger_pipelines_tests.faults.nursery import Nursery
from ledger_pipelines_tests.faults.own_cases import OwnCases
from ledger_pipelines_tests.faults.stopping import Stop
from ledger_pipelines_tests.stage import WINDOW, Stage

STOPS = (
    "apply.after_send#2",
    "netsuite.submitted#1",
    "apply.confirmed#2",
    "netsuite.answered#2",
    "apply.before_confirm#4",
)
TROUBLES: Mapping[str, Mapping[str, object]] = {
    "none": {},
    "cut_after": {"kind": "cut_after"},
    "apply_late": {"kind": "apply_late", "seconds": 8},
}
STARTS = 8
KEPT = ("landing", "journal")


@dataclass
class _Found:
    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Kept:
    """What is to be the same before and after. rows: Parquet content by settlement."""

    rows: Mapping[str, Any]
    manifests: Mapping[str, str]
    digests: tuple[str, ...]
    figures: object
    picture: Picture


class RebuildDrill(Drill):
    """The drill."""

    name = "rebuild"
    shows = "data folder, Dagster home, journal lost: made again, the same, and nothing is written twice"
    weight = 1

    def prepare(self) -> None:
        """One sandbox for all cases."""
        self._own = OwnCases(self)
        self._sandbox = self.stack.enter_context(running_sandbox(seed="demo"))
        self._nursery: Nursery | None = None
        self._grounds = {
            name: Ground(entry, self._sandbox, self.setting.folder) for name, entry in SETTLEMENTS.items()
        }
        self._kinds: Mapping[str, Callable[[Entry[Stage], str, _Found], None]] = {
            "data": self._data,
            "journal": self._journal,
            "both": self._both,
            "interrupted": self._interrupted,
            "upgrade": self._upgrade,
            "dagster": self._dagster,
            "snapshots": self._snapshots,
        }

    def cases(self) -> Sequence[str]:
        """`INTEGRATION:KIND:WHAT`; of an interruption `POINT#N+TROUBLE`."""
        chooser = random.Random(self.setting.seed)
        found = []
        for entry in SETTLEMENTS.values():
            scenes = list(entry.scenes)
            if self.setting.fast:
                kinds = [("both", ["small"]), ("interrupted", [f"{chooser.choice(STOPS)}+cut_after"])]
            else:
                stops = [f"{stop}+{trouble}" for stop in STOPS for trouble in TROUBLES]
                kinds = [
                    ("data", scenes), ("journal", scenes), ("both", scenes), ("interrupted", stops),
                    ("upgrade", journals.revisions()), ("dagster", ["small"]), ("snapshots", ["small"]),
                ]  # fmt: skip
            found += [f"{entry.name}:{kind}:{what}" for kind, names in kinds for what in names]
        return [*found, *self._own.names()]

    def must_reach(self) -> Collection[str]:
        """A run really was stopped, and outcomes really were lost."""
        return (
            {"killed"}
            if self.setting.fast
            else {"killed", "outcome lost", *(s.partition("#")[0] for s in STOPS)}
        )

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        if self._own.has(case):
            return self._own.carry_out(case)
        name, kind, what = case.split(":", 2)
        found = _Found()
        self._kinds[kind](SETTLEMENTS[name], what, found)
        return Verdict(case, tuple(found.problems), found.figures, frozenset(found.reached))

    # --- lost at rest ----------------------------------------------------------------------------------------------

    def _data(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """All but landed files and journal is gone; one command makes it again."""
        self._lost(entry, entry.scenes[what], found, journal=False)

    def _both(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """All but the landed files is gone: one command, one run."""
        self._lost(entry, entry.scenes[what], found, journal=True)

    def _lost(self, entry: Entry[Stage], scene: Scene, found: _Found, *, journal: bool) -> None:
        with self._grounds[entry.name].on(scene) as stage:
            stage.run(scene.partition)
            before, known = _kept(entry, stage, scene, adopted=journal), journals.links(_journal_of(stage))
            stage.close_service()
            gone = _delete(stage.folder / "data", KEPT[:1] if journal else KEPT)
            if "settlements" not in gone or "plans" not in gone:
                found.problems.append(f"there was nothing to lose: {gone}")
            with arriving() as arrived:
                with mock.patch.dict(os.environ, {"LEDGER_CONFIG": str(stage.folder / "ledger.yaml")}):
                    code, said = call(["rebuild", entry.name])
                if code != 0:
                    found.problems.append(f"rebuild ends with {code}: {said[-300:]}")
                if journal:
                    result = stage.run(scene.partition)
                    if result.exit_code:
                        found.problems.append(f"the run after it ends with {result.exit_code}")
                found.problems += _differs(before, _kept(entry, stage, scene, fresh=journal, adopted=journal))
            found.problems += _forgotten(known, journals.links(_journal_of(stage)), stage)
            found.problems += _arrived(len(arrived))
            found.figures |= {"links": len(known), "written": len(arrived)}

    def _journal(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """The journal is gone: the same keys, all adopted, nothing written."""
        scene = entry.scenes[what]
        with self._grounds[entry.name].on(scene) as stage:
            stage.run(scene.partition)
            before, known = entry.picture(stage), journals.links(_journal_of(stage))
            stage.forget_journal()
            with arriving() as arrived:
                result = stage.run(scene.partition)
            if result.exit_code:
                found.problems.append(f"the run after the loss ends with {result.exit_code}")
            found.problems += _arrived(len(arrived)) + entry.picture(stage).differences(before)
            found.problems += _forgotten(known, journals.links(_journal_of(stage)), stage)
            found.figures |= {"links": len(known), "written": len(arrived)}

    # --- lost in the middle ----------------------------------------------------------------------------------------

    def _interrupted(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """Killed while writing, some answers lost; then the journal is lost; then it is run again until it is done."""
        scene = entry.scenes["small"]
        undisturbed = self._undisturbed(entry, scene)
        stop, _, trouble = what.partition("+")
        with self._grounds[entry.name].on(scene) as stage:
            self._stopped(entry, stage, scene, stop, TROUBLES[trouble], found)
            stage.forget_journal()
            self._finish(entry, stage, scene, undisturbed, found)

    def _upgrade(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """A journal in an earlier form, of a run that was killed with an outcome unknown, is taken up and completed."""
        scene = entry.scenes["small"]
        undisturbed = self._undisturbed(entry, scene)
        with self._grounds[entry.name].on(scene) as stage:
            self._stopped(entry, stage, scene, "apply.after_send#3", TROUBLES["none"], found)
            stage.close_service()
            before = journals.states(_journal_of(stage))
            if before.keys() <= {"confirmed"}:
                found.problems.append(f"nothing was left open: {before}")
            journals.as_of(_journal_of(stage), what)
            if journals.states(_journal_of(stage)) != before:
                found.problems.append(f"the journal of {what} does not hold what it held: {before}")
            self._finish(entry, stage, scene, undisturbed, found)
            with Journal.open(_journal_of(stage)) as journal:
                broken = journal.verify()
            if broken is not None:
                found.problems.append(f"the log of the journal that was {what} is broken: {broken}")

    def _undisturbed(self, entry: Entry[Stage], scene: Scene) -> Picture:
        with self._grounds[entry.name].on(scene) as stage:
            stage.run(scene.partition)
            return entry.picture(stage)

    def _stopped(
        self,
        entry: Entry[Stage],
        stage: Stage,
        scene: Scene,
        stop: str,
        trouble: Mapping[str, object],
        found: _Found,
    ) -> None:
        """Run it in a process of its own, which is killed; with trouble, the first answer after a few is lost, too."""
        if trouble:
            stage.fault(**{"path": entry.path, "nth": 2, "method": "POST", **trouble})  # type: ignore[arg-type]  # kind is there
        stage.close_service()
        sandbox = self._sandbox
        order = chain_child.Order(
            entry.name, sandbox.control_url, dict(sandbox.base_urls), dict(sandbox.credentials), stage.folder,
            scene.partition, Stop.parse(stop),
        )  # fmt: skip
        if self._nursery is None:
            self._nursery = self.stack.enter_context(Nursery([chain_child.__name__]))
        code = self._nursery.run(chain_child.run, order)
        if code == -signal.SIGKILL:
            found.reached |= {"killed", stop.partition("#")[0]}
        else:
            found.problems.append(f"the run was not killed at {stop}: exit code {code}")
        if stage.fired():
            found.reached.add("outcome lost")
        elif trouble:
            found.problems.append("no outcome was lost: the fault never fired")

    @staticmethod
    def _finish(entry: Entry[Stage], stage: Stage, scene: Scene, undisturbed: Picture, found: _Found) -> None:
        code = 1
        for _ in range(STARTS):
            code = stage.run(scene.partition).exit_code or int(bool(stage.unfinished()))
            if not code:
                break
            stage.clock.jump(WINDOW + 1)
        if code:
            found.problems.append(
                f"still open after {STARTS} runs: {stage.service.errors(scene.partition)[:3]}"
            )
        stage.clock.jump(WINDOW + 1)
        now = entry.picture(stage)
        found.problems += now.differences(undisturbed)
        found.problems += [f"external id twice: {name}" for name in doubles(stage.books().external_ids())]
        found.figures |= {"lost": now.lost(undisturbed), "doubled": now.doubled(undisturbed)}

    # --- in Dagster ------------------------------------------------------------------------------------------------

    def _dagster(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """Dagster's home and the data folder are gone: the sensor announces what was accepted, its run writes nothing."""
        scene = entry.scenes[what]
        with self._grounds[entry.name].on(scene) as stage:
            found.problems += lost_home(
                entry.name, stage, scene.partition, lambda: _delete(stage.folder / "data", KEPT)
            )

    def _snapshots(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """Snapshots are gone: one backfill brings the same rows to the same days."""
        scene = entry.scenes[what]
        with self._grounds[entry.name].on(scene) as stage:
            rows, problems = lost_snapshots(stage, scene.partition)
            found.problems += problems
            found.figures["snapshot rows"] = rows


def _journal_of(stage: Stage) -> Path:
    return stage.folder / "data" / "journal.sqlite"


def _delete(data: Path, kept: Sequence[str]) -> list[str]:
    """Delete what does not begin with one of those names; what was deleted."""
    gone = []
    for path in sorted(data.iterdir()):
        if not path.name.startswith(tuple(kept)):
            gone.append(path.name)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return gone


def _kept(
    entry: Entry[Stage], stage: Stage, scene: Scene, *, fresh: bool = True, adopted: bool = False
) -> _Kept:
    """What is there now.

    Args:
        fresh: Plan again first; else what is stored is what counts.
        adopted: The journal is another one: the target is asked for our own documents as well from now on, so of the plans
            only the rows are compared, not the digests of what they were made from.
    """
    service, data = stage.service, stage.folder / "data"
    if fresh:
        plans = service.plans(None, scene.partition)
    else:
        found = [service._plans.latest(service.name, flow, scene.partition) for flow in service.flows]
        plans = [plan for plan in found if plan is not None]
    rows = {str(p.relative_to(data)): pq.read_table(p) for p in (data / "settlements").rglob("rows.parquet")}
    manifests = {
        str(p.relative_to(data)): json.dumps(json.loads(p.read_text()), sort_keys=True)
        for p in (data / "settlements").rglob("manifest.json")
    }
    figures = service.reconcile(scene.partition)
    digests = tuple(
        digest(*(row.content() for row in plan.rows)) if adopted else plan.digest for plan in plans
    )
    return _Kept(rows, manifests, digests, figures, entry.picture(stage))


def _differs(before: _Kept, after: _Kept) -> list[str]:
    problems = []
    if not before.rows or before.rows.keys() != after.rows.keys():
        problems.append(f"rows of {sorted(before.rows)} became rows of {sorted(after.rows)}")
    problems += [
        f"{n} has other rows"
        for n in before.rows.keys() & after.rows.keys()
        if not before.rows[n].equals(after.rows[n])
    ]
    problems += [
        f"{n} says something else" for n, text in before.manifests.items() if after.manifests.get(n) != text
    ]
    if before.digests != after.digests:
        both = zip(before.digests, after.digests, strict=False)
        other = [f"no. {n}: {a[:12]} became {b[:12]}" for n, (a, b) in enumerate(both, 1) if a != b]
        problems.append(f"{len(before.digests)} plans became {len(after.digests)}; {', '.join(other)}")
    if before.figures != after.figures:
        problems.append(f"the statement's figures {before.figures} became {after.figures}")
    return problems + after.picture.differences(before.picture)


def _arrived(count: int) -> list[str]:
    return [f"{count} records arrived at the target"] if count else []


def _forgotten(
    before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]], stage: Stage
) -> list[str]:
    """Links that are not as they were, or point to nothing."""
    problems = [
        f"{kind} {key} was linked to {number} and is {after.get(key, ('', 'not known'))[1]} now"
        for key, (kind, number) in before.items()
        if after.get(key, ("", ""))[1] != number
    ]
    there = {number for _, number in Dump(stage.books().dump).records}
    problems += [
        f"{kind} {key} is linked to {number}, which is not there"
        for key, (kind, number) in after.items()
        if number not in there
    ]
    return problems


DRILL = RebuildDrill
