"""One bad record, file, day or connection stops itself and nothing else.

Belongs here: the cases. Does not belong here: how a record is bad (`badness`), two pairs of connections (`pairs`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from unittest import mock

from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines_tests.faults.badness import PAYMENT, WAYS, Bad, Way
from ledger_pipelines_tests.faults.drill_books import doubles
from ledger_pipelines_tests.faults.entries import SETTLEMENTS, Entry, Scene
from ledger_pipelines_tests.faults.ground import Arrived, Ground, arriving
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.modes import call
from ledger_pipelines_tests.faults.own_cases import OwnCases
from ledger_pipelines_tests.faults.pairs import DEATHS, bad_day, one_dead
from ledger_pipelines_tests.stage import CLEARING, Stage

MANY, SOME, FEW = 1000, 130, 30
FOLLOWING = frozenset({"journalEntry", "customrecord_azs_summary", "customrecord_azs_txn"})
"""What waited for the bad record, or tells of it: written with it."""


@dataclass
class _Found:
    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)


class IsolationDrill(Drill):
    """The drill."""

    name = "isolation"
    shows = "one bad record of 1,000 leaves 999 confirmed; one dead connection, day or file leaves the others green"

    def prepare(self) -> None:
        """One sandbox for all cases."""
        self._own = OwnCases(self)
        self._sandbox = self.stack.enter_context(running_sandbox(seed="demo"))
        self._grounds = {
            name: Ground(entry, self._sandbox, self.setting.folder) for name, entry in SETTLEMENTS.items()
        }
        self._kinds: Mapping[str, Callable[[Entry[Stage], str, _Found], None]] = {
            "record": self._record,
            "files": self._files,
            "dead": self._dead,
            "day": self._day,
        }

    def cases(self) -> Sequence[str]:
        """`INTEGRATION:KIND:WHAT`; of a record `WAY/NUMBER`."""
        found = []
        for entry in SETTLEMENTS.values():
            ways = list(WAYS.get(entry.name, {"none": None}))
            if self.setting.fast:
                kinds = [("record", [f"{ways[0]}/{FEW}"]), ("dead", [next(iter(DEATHS))])]
            else:
                records = [f"{way}/{MANY if way == ways[0] else SOME}" for way in ways]
                kinds = [
                    ("record", records),
                    ("files", ["drop"]),
                    ("dead", list(DEATHS)),
                    ("day", ["middle"]),
                ]
            found += [f"{entry.name}:{kind}:{what}" for kind, names in kinds for what in names]
        return [*found, *self._own.names()]

    def must_reach(self) -> Collection[str]:
        """A record really was bad, a connection really was dead."""
        return {"bad record", "dead connection"}

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        if self._own.has(case):
            return self._own.carry_out(case)
        name, kind, what = case.split(":", 2)
        found = _Found()
        self._kinds[kind](SETTLEMENTS[name], what, found)
        return Verdict(case, tuple(found.problems), found.figures, frozenset(found.reached))

    # --- records ---------------------------------------------------------------------------------------------------

    def _record(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        if entry.name not in WAYS:
            found.problems.append(
                f"nobody has said how a record of {entry.name} can be bad: see faults/badness.py"
            )
            return
        name, _, number = what.partition("/")
        way = WAYS[entry.name][name]
        bad = way.make(int(number))
        sid = bad.file.settlement_id
        with self._grounds[entry.name].on(Scene(f"{name}-{number}", sid, bad.file.v2())) as stage:
            if way.spoil is not None:
                way.spoil(stage, bad)
            self._with_the_bad_one(stage, way, bad, found)
            way.repair(stage, bad)
            with arriving() as arrived:
                result = stage.run(sid)
            if result.exit_code:
                items = [(i.number, i.code) for i in stage.service.errors(sid)]
                found.problems.append(
                    f"repaired, and the run still ends with {result.exit_code}: {items[:5]}"
                )
            found.problems += _alone(arrived, bad, written=way.written_after)
            after = stage.books()
            found.problems += [f"external id twice: {one}" for one in doubles(after.external_ids())]
            if after.posted(sid, CLEARING["USD"]):
                found.problems.append(f"{after.posted(sid, CLEARING['USD'])} is left on the clearing account")
            paid = _paid_orders(stage, sid)
            found.problems += [f"order {o} is paid {paid[o]} times" for o in _orders(bad) if paid[o] != 1]

    @staticmethod
    def _with_the_bad_one(stage: Stage, way: Way, bad: Bad, found: _Found) -> None:
        """Run with it: all others are written, and it is open with a reason and a remedy."""
        sid = bad.file.settlement_id

        def told(what: str, done: int, total: int) -> None:
            if what == "reading the books" and done and way.meanwhile is not None and not bad.kept:
                way.meanwhile(stage, bad)

        result = stage.service.run(None, sid, told)
        if result.exit_code != 1:
            found.problems.append(f"with a bad record the run ends with {result.exit_code}")
        paid = _paid_orders(stage, sid)
        expected = dict.fromkeys(_orders(bad), 1)
        if PAYMENT in bad.undone:
            expected[bad.order_id] = 0
        wrong = [f"{o} {paid[o]} times" for o, times in expected.items() if paid[o] != times]
        if wrong:
            found.problems.append(
                f"{len(wrong)} orders are not paid as they should be: {', '.join(wrong[:5])}"
            )
        records = stage.books().ours("customrecord_azs_txn", sid)
        lacking = len(
            {(g.transaction_type, g.order_id, g.adjustment_id) for g in bad.file.groups if g.order_id}
        )
        found.figures |= {"records": lacking, "payments of others": sum(paid.values())}
        if "customrecord_azs_txn" in bad.undone and any(
            r.get("custrecord_azs_txn_order_id") == bad.order_id for r in records
        ):
            found.problems.append("the record that is too large is there")
        items = [item for item in stage.service.errors(sid) if bad.number in (item.number, item.partition)]
        own = [item for item in items if item.number == bad.number]
        if not own or not all(item.text and item.remedy and item.code for item in own):
            found.problems.append(f"the open items of {bad.number} do not say why and what to do: {own}")
        strangers = {item.number for item in items} - {bad.number, sid}
        if strangers:
            found.problems.append(f"open, and nothing is wrong with them: {sorted(strangers)[:5]}")
        if own:
            found.reached.add("bad record")

    # --- files, connections, days ----------------------------------------------------------------------------------

    def _files(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """One file of several cannot be read: the others are booked; put right, it alone is written."""
        del what
        scene = entry.scenes["demo"]
        with self._grounds[entry.name].on(scene) as stage:
            second = demo_settlement_files()[1]
            broken = second.content.replace(b"\t", b"\tx", 40)
            for name, content in (("a.txt", broken), ("b.txt", demo_settlement_files()[0].content)):
                (stage.drop / name).write_bytes(content)
            stage.close_service()
            with mock.patch.dict(os.environ, {"LEDGER_CONFIG": str(stage.folder / "ledger.yaml")}):
                code, said = call(["run", entry.name])
                aside = sorted(path.name for path in (stage.drop / "refused").iterdir())
                if code != 1 or aside != ["a.txt", "a.txt.reason.txt"]:
                    found.problems.append(f"run ends with {code}, refused: {aside}: {said[-200:]}")
                if not stage.books().ours("journalEntry", scene.partition):
                    found.problems.append("the settlement of the good file is not booked")
                (stage.drop / "c.txt").write_bytes(second.content)
                with arriving() as arrived:
                    code, said = call(["run", entry.name])
            strangers = [a.external_id for a in arrived if scene.partition in a.external_id]
            if strangers or not arrived:
                found.problems.append(
                    f"put right: {len(arrived)} records arrived, of the other file {strangers[:3]}"
                )
            found.problems += [f"external id twice: {one}" for one in doubles(stage.books().external_ids())]

    def _dead(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """Two pairs of connections in one ledger.yaml; one target is dead in Dagster."""
        with self._grounds[entry.name].on(entry.scenes["demo"]) as stage:
            green, problems = one_dead(entry.name, stage, DEATHS[what])
            found.problems += problems
            found.figures["assets green"] = green
            if green:
                found.reached.add("dead connection")

    def _day(self, entry: Entry[Stage], what: str, found: _Found) -> None:
        """A day of a backfill that cannot be stored leaves the other days green."""
        del what
        with self._grounds[entry.name].on(entry.scenes["demo"]) as stage:
            found.problems += bad_day(stage)


def _orders(bad: Bad) -> list[str]:
    return list(dict.fromkeys(g.order_id for g in bad.file.groups if g.transaction_type == "Order"))


def _paid_orders(stage: Stage, sid: str) -> Counter[str]:
    return Counter(str(r.get("custbody_azs_order_id")) for r in stage.books().ours(PAYMENT, sid))


def _alone(arrived: Sequence[Arrived], bad: Bad, *, written: bool) -> list[str]:
    """What was written after the repair and is not the bad record, nor waited for it."""
    strangers = [
        f"{one.method} {one.kind} {one.external_id}"
        for one in arrived
        if one.kind.lower() not in {kind.lower() for kind in FOLLOWING} and bad.order_id not in one.body
    ]
    created = [one for one in arrived if one.method == "POST" and one.kind in FOLLOWING - {"journalEntry"}]
    strangers += [
        f"{one.method} {one.kind} {one.external_id}" for one in created if bad.order_id not in one.body
    ]
    if written and not arrived:
        strangers.append("nothing at all was written after the repair")
    return [f"written after the repair: {text}" for text in strangers[:5]]


DRILL = IsolationDrill
